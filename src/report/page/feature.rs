//! Names of features: what a column means in words, and which columns belong together.

/// What a column is, in words a reader knows; `None` for a column that this file does not know.
pub(super) fn meaning(column: &str) -> Option<String> {
    if let Some(known) = whole_column(column).or_else(|| frame_feature(column)) {
        return Some(known.to_owned());
    }
    let (stem, moment) = column.rsplit_once('_')?;
    let moment = match moment {
        "mean" => "mean",
        "sd" => "variation of",
        "slope" => "change a second of",
        "rise" => "mean rise of",
        "fall" => "mean fall of",
        "p05" => "5 % quantile of",
        "p25" => "lower quartile of",
        "p50" => "median of",
        "p75" => "upper quartile of",
        "p95" => "95 % quantile of",
        _ => return None,
    };
    if let Some(known) = frame_feature(stem) {
        return Some(format!("{moment} {known}"));
    }
    let (family, number) = stem.rsplit_once('_')?;
    let number: u32 = number.parse().ok()?;
    let family = match family {
        "mfcc" => "cepstral coefficient",
        "mel" | "mel_db" => "level in mel band",
        _ => return None,
    };
    Some(format!("{moment} {family} {number}"))
}

fn whole_column(column: &str) -> Option<&'static str> {
    Some(match column {
        "bytes" => "size of the file",
        "chars" => "number of characters",
        "tokens" => "number of words",
        "types" => "number of different words",
        "sentences" => "number of sentences",
        "ttr" => "share of different words",
        "mattr" => "variety of words (MATTR)",
        "mtld" => "variety of words (MTLD)",
        "hdd" => "variety of words (HD-D)",
        "yule_k" => "repetition of words (Yule's K)",
        "mean_word_len" => "mean word length",
        "flesch" => "reading ease (Flesch)",
        "flesch_kincaid" => "grade level (Flesch-Kincaid)",
        "digit_share" => "share of digits",
        "punctuation_share" => "share of punctuation",
        "upper_share" => "share of capitals",
        "repeated_line_share" => "share of repeated lines",
        "repeated_line_char_share" => "share of characters in repeated lines",
        "ari" => "reading difficulty (ARI)",
        "words_per_minute" => "speaking rate",
        "seconds" => "duration",
        "f0_median_hz" => "median pitch",
        "voiced_share" => "share of voiced frames",
        "speech_share" => "share of speech",
        "loudness_lufs" => "loudness",
        "true_peak_dbfs" => "true peak",
        "snr_db" => "signal-to-noise ratio",
        "clipped_share" => "share of clipped samples",
        "dc_offset" => "DC offset",
        "silence_share" => "share of silence",
        "pauses_per_minute" => "pauses a minute",
        "syllables" => "number of syllables",
        "speech_rate" => "syllables a second",
        "articulation_rate" => "syllables a second of phonation",
        "phonation_share" => "share of phonation",
        "pause_seconds_mean" => "mean length of a pause",
        "surprisal" => "surprisal of the word",
        "log_frequency" => "frequency of the word",
        "letters" => "letters of the word",
        "position" => "place of the word in the recording",
        _ => return None,
    })
}

/// A contour of frames, or a feature of a word that bears its name.
fn frame_feature(stem: &str) -> Option<&'static str> {
    Some(match stem {
        "rms_db" => "level",
        "zcr" => "zero-crossing rate",
        "centroid_hz" => "spectral centroid",
        "bandwidth_hz" => "spectral bandwidth",
        "rolloff_hz" => "spectral roll-off",
        "flatness" => "spectral flatness",
        "flux" => "spectral flux",
        "f0_hz" => "pitch",
        _ => return None,
    })
}

/// The meaning where there is one, the column's name otherwise.
pub(super) fn meaning_or_name(column: &str) -> String {
    meaning(column).unwrap_or_else(|| super::number::clean(column, 60))
}

/// A numbered column split into its family and its number: `mel_07_mean` is number 7 of `mel_*_mean`.
pub(super) fn family(column: &str) -> Option<(String, u32)> {
    let parts: Vec<&str> = column.split('_').collect();
    let at = parts.iter().skip(1).position(|part| is_number(part))? + 1;
    let number = parts.get(at)?.parse().ok()?;
    let named: Vec<&str> =
        parts.iter().enumerate().map(|(i, part)| if i == at { "*" } else { *part }).collect();
    Some((named.join("_"), number))
}

fn is_number(part: &str) -> bool {
    (1..=4).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit())
}

/// The family of a numbered column, the column's own name otherwise.
pub(super) fn family_name(column: &str) -> String {
    family(column).map_or_else(|| column.to_owned(), |(name, _)| name)
}

/// A family in words: `mel_*_mean` as "Mel bands, mean".
pub(super) fn family_title(family: &str) -> String {
    let (stem, moment) = family.split_once("_*").unwrap_or((family, ""));
    let stem = match stem {
        "mel" | "mel_db" => "Mel bands",
        "mfcc" => "Cepstral coefficients (MFCC)",
        other => other,
    };
    match moment.trim_start_matches('_') {
        "" => stem.to_owned(),
        "sd" => format!("{stem}, variation"),
        moment => format!("{stem}, {moment}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_have_a_meaning_or_none() {
        assert_eq!(meaning("tokens").as_deref(), Some("number of words"));
        assert_eq!(meaning("f0_hz_sd").as_deref(), Some("variation of pitch"));
        assert_eq!(meaning("mel_07_mean").as_deref(), Some("mean level in mel band 7"));
        assert_eq!(meaning("rms_db_slope").as_deref(), Some("change a second of level"));
        assert_eq!(meaning("f0_hz").as_deref(), Some("pitch"));
        assert_eq!(meaning("mfcc_x_mean"), None);
        assert_eq!(meaning("<script>"), None);
    }

    #[test]
    fn numbered_columns_belong_to_a_family() {
        assert_eq!(family("mel_07_mean"), Some(("mel_*_mean".to_owned(), 7)));
        assert_eq!(family("mfcc_13_sd"), Some(("mfcc_*_sd".to_owned(), 13)));
        assert_eq!(family("f0_median_hz"), None);
        assert_eq!(family("07"), None);
        assert_eq!(family_title("mel_*_sd"), "Mel bands, variation");
    }
}
