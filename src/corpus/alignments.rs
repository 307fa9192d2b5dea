//! When words were said, as other programs write it: Praat's `TextGrid`, NIST's CTM, and the CSV of the Montreal Forced Aligner.

use super::contents::Readers;
use super::encoding::decode;

/// A word and when it was said.
#[derive(Debug, Clone, PartialEq)]
pub struct TimedWord {
    /// As written.
    pub word: String,
    /// Begin in seconds.
    pub begin: f64,
    /// End in seconds.
    pub end: f64,
}

/// The words of one recording.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct TimedWords {
    /// The recording, where the file names it; else the file's own name does.
    pub recording: Option<String>,
    /// In the order of time.
    pub words: Vec<TimedWord>,
}

/// Labels that stand for no word: silence and noise in the dictionaries of Kaldi and the Montreal Forced Aligner.
const NO_WORDS: [&str; 7] = ["", "<eps>", "sil", "sp", "<sil>", "SIL", "<p:>"];

/// Reads the words of an alignment file by its extension: `textgrid` (long or short), `ctm`, `csv`.
///
/// - Of a `TextGrid` the interval tier `words` is taken, or one whose name ends in ` - words` (as the Montreal Forced Aligner names
///   those of several speakers, which are joined), else the first interval tier.
/// - A line of a CTM is `RECORDING CHANNEL BEGIN DURATION WORD ...`; `;;` begins a comment (NIST SCTK).
/// - A CSV has the columns Begin, End, Label and, of the Montreal Forced Aligner, Type, of which `words` are taken.
///
/// UTF-8 and UTF-16 are told apart by their mark or their bytes.
///
/// # Errors
/// What is wrong, and at which line or value.
pub fn read_alignment(bytes: Vec<u8>, extension: &str) -> Result<Vec<TimedWords>, String> {
    let text = decode(bytes, Readers::One).map_err(|unusable| unusable.reason)?.text;
    let mut read = match extension.to_ascii_lowercase().as_str() {
        "textgrid" => vec![TimedWords { recording: None, words: text_grid(&text)? }],
        "ctm" => ctm(&text)?,
        "csv" => vec![TimedWords { recording: None, words: csv(&text)? }],
        other => return Err(format!("{other:?} is no format of alignments: textgrid, ctm or csv")),
    };
    for recording in &mut read {
        recording.words.retain(|word| !NO_WORDS.contains(&word.word.trim()));
        let order = |a: &TimedWord, b: &TimedWord| a.begin.total_cmp(&b.begin);
        recording.words.sort_by(order);
    }
    Ok(read)
}

fn timed(word: &str, begin: f64, end: f64, place: &dyn Fn() -> String) -> Result<TimedWord, String> {
    if !(begin.is_finite() && end.is_finite() && 0.0 <= begin && begin <= end) {
        return Err(format!("{}: {word:?} lasts from {begin} to {end} seconds", place()));
    }
    Ok(TimedWord { word: word.trim().to_owned(), begin, end })
}

/// A value of a `TextGrid`; all else in the file is for human eyes.
#[derive(Debug, PartialEq)]
enum Value {
    Text(String),
    Number(f64),
    Flag(bool),
}

/// The free-standing texts, numbers and flags of a Praat text file: "long" files have more words between them, which count nothing
/// (Praat manual, "`TextGrid` file formats").
fn values(text: &str) -> Result<Vec<Value>, String> {
    let mut values = Vec::new();
    let mut rest = text.trim_start_matches('\u{feff}').trim_start();
    while let Some(first) = rest.chars().next() {
        if first == '!' {
            rest = rest.split_once('\n').map_or("", |(_, rest)| rest).trim_start();
            continue;
        }
        if first == '"' {
            let (value, after) = quoted(&rest[1..])
                .ok_or_else(|| format!("value {}: a quotation mark has no other", values.len() + 1))?;
            values.push(Value::Text(value));
            rest = after.trim_start();
            continue;
        }
        let end = rest.find(char::is_whitespace).unwrap_or(rest.len());
        let token = &rest[..end];
        match token {
            "<exists>" => values.push(Value::Flag(true)),
            "<absent>" => values.push(Value::Flag(false)),
            // "nan" and "inf" are words, not numbers.
            _ if token.starts_with(|c: char| c.is_ascii_digit() || c == '-' || c == '+') => {
                values.extend(token.parse().ok().map(Value::Number));
            }
            _ => {}
        }
        rest = rest[end..].trim_start();
    }
    Ok(values)
}

/// The text up to the closing quotation mark, a doubled mark being one, and what follows.
fn quoted(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut rest = text;
    loop {
        let end = rest.find('"')?;
        value.push_str(&rest[..end]);
        rest = &rest[end + 1..];
        match rest.strip_prefix('"') {
            Some(after) => {
                value.push('"');
                rest = after;
            }
            None => return Some((value, rest)),
        }
    }
}

fn text_grid(text: &str) -> Result<Vec<TimedWord>, String> {
    let mut values = values(text)?.into_iter();
    let mut number = 0;
    let mut next = || {
        number += 1;
        values.next().ok_or_else(|| format!("the file ends before value {number}"))
    };
    match (next()?, next()?) {
        (Value::Text(kind), Value::Text(class)) if kind == "ooTextFile" && class == "TextGrid" => {}
        _ => return Err("no TextGrid: it does not begin with \"ooTextFile\" and \"TextGrid\"".into()),
    }
    let (_, _) = (next()?, next()?);
    if next()? != Value::Flag(true) {
        return Ok(Vec::new());
    }
    let count = |value: Value| match value {
        Value::Number(count) if count >= 0.0 => Ok(count as usize),
        other => Err(format!("a number of tiers or intervals is {other:?}")),
    };
    let mut tiers: Vec<(String, Vec<TimedWord>)> = Vec::new();
    for tier in 1..=count(next()?)? {
        let (class, name) = (next()?, next()?);
        let (_, _) = (next()?, next()?);
        let items = count(next()?)?;
        let (Value::Text(class), Value::Text(name)) = (class, name) else {
            return Err(format!("tier {tier} has no class and name"));
        };
        let intervals = class == "IntervalTier";
        let mut words = Vec::new();
        for item in 1..=items {
            let begin = next()?;
            let end = if intervals { next()? } else { Value::Number(0.0) };
            match (begin, end, next()?) {
                (Value::Number(begin), Value::Number(end), Value::Text(label)) => {
                    if intervals {
                        let place = || format!("tier {tier}, interval {item}");
                        words.push(timed(&label, begin, end, &place)?);
                    }
                }
                _ => return Err(format!("tier {tier}, item {item} has no times and label")),
            }
        }
        if intervals {
            tiers.push((name, words));
        }
    }
    let named = |name: &str| name.eq_ignore_ascii_case("words") || name.ends_with(" - words");
    if tiers.iter().any(|(name, _)| named(name)) {
        tiers.retain(|(name, _)| named(name));
        return Ok(tiers.into_iter().flat_map(|(_, words)| words).collect());
    }
    Ok(tiers.into_iter().next().map(|(_, words)| words).unwrap_or_default())
}

fn ctm(text: &str) -> Result<Vec<TimedWords>, String> {
    let mut recordings: Vec<TimedWords> = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        let line = line.trim();
        if line.is_empty() || line.starts_with(";;") {
            continue;
        }
        let place = || format!("line {number}");
        let mut fields = line.split_whitespace();
        let (recording, _) = (fields.next().unwrap_or_default(), fields.next());
        let mut seconds = || fields.next().and_then(|field| field.parse::<f64>().ok());
        let (Some(begin), Some(length)) = (seconds(), seconds()) else {
            return Err(format!("line {number}: not RECORDING CHANNEL BEGIN DURATION WORD"));
        };
        let Some(word) = fields.next() else {
            return Err(format!("line {number}: no word after the times"));
        };
        let word = timed(word, begin, begin + length, &place)?;
        let known = recordings.iter_mut().rev().find(|known| known.recording.as_deref() == Some(recording));
        match known {
            Some(known) => known.words.push(word),
            None => recordings.push(TimedWords { recording: Some(recording.to_owned()), words: vec![word] }),
        }
    }
    Ok(recordings)
}

fn csv(text: &str) -> Result<Vec<TimedWord>, String> {
    let mut lines = (1..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty());
    let header = fields(lines.next().map_or("", |(_, line)| line));
    let column = |name: &str| header.iter().position(|field| field.trim().eq_ignore_ascii_case(name));
    let (Some(begin), Some(end), Some(label)) = (column("begin"), column("end"), column("label")) else {
        return Err("line 1: no header with Begin, End and Label".into());
    };
    let kind = column("type");
    let mut words = Vec::new();
    for (number, line) in lines {
        let fields = fields(line);
        let field = |at: usize| fields.get(at).map_or("", |field| field.trim());
        if kind.is_some_and(|kind| field(kind) != "words") {
            continue;
        }
        let (Ok(begin), Ok(end)) = (field(begin).parse(), field(end).parse()) else {
            return Err(format!("line {number}: Begin and End are no numbers"));
        };
        words.push(timed(field(label), begin, end, &|| format!("line {number}"))?);
    }
    Ok(words)
}

/// The fields of a line of comma-separated values; a doubled quotation mark inside quotation marks is one.
fn fields(line: &str) -> Vec<String> {
    let mut fields = vec![String::new()];
    let mut inside = false;
    let mut characters = line.trim_start_matches('\u{feff}').chars().peekable();
    while let Some(character) = characters.next() {
        match (character, inside) {
            ('"', true) if characters.peek() == Some(&'"') => {
                characters.next();
                if let Some(field) = fields.last_mut() {
                    field.push('"');
                }
            }
            ('"', _) => inside = !inside,
            (',', false) => fields.push(String::new()),
            _ => {
                if let Some(field) = fields.last_mut() {
                    field.push(character);
                }
            }
        }
    }
    fields
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: &str = r#"File type = "ooTextFile"
Object class = "TextGrid"

xmin = 0
xmax = 2.3
tiers? <exists>
size = 2
item []:
    item [1]:
        class = "IntervalTier"
        name = "phones"
        xmin = 0
        xmax = 2.3
        intervals: size = 1
        intervals [1]:
            xmin = 0
            xmax = 2.3
            text = "a 3 b"
    item [2]:
        class = "IntervalTier"
        name = "words"
        xmin = 0
        xmax = 2.3
        intervals: size = 3
        intervals [1]:
            xmin = 0
            xmax = 0.5
            text = ""
        intervals [2]:
            xmin = 0.5
            xmax = 1.25
            text = "say ""ah"""
        intervals [3]:
            xmin = 1.25
            xmax = 2.3
            text = "fünf"
"#;
    const SHORT: &str = "File type = \"ooTextFile\"\nObject class = \"TextGrid\"\n\n0\n2.3\n<exists>\n2\n\"TextTier\"\n\"marks\"\n0\n2.3\n1\n0.7\n\"x\"\n\"IntervalTier\"\n\"anna - words\"\n0\n2.3\n3\n0\n0.5\n\"sp\"\n0.5\n1.25\n\"say \"\"ah\"\"\"\n1.25\n2.3\n\"fünf\" ! the last\n";

    fn words(bytes: Vec<u8>, extension: &str) -> Vec<(String, f64, f64)> {
        let read = read_alignment(bytes, extension).unwrap();
        read.into_iter().flat_map(|r| r.words).map(|w| (w.word, w.begin, w.end)).collect()
    }

    fn expected() -> Vec<(String, f64, f64)> {
        vec![("say \"ah\"".into(), 0.5, 1.25), ("fünf".into(), 1.25, 2.3)]
    }

    #[test]
    fn text_grids_long_and_short_in_both_encodings() {
        for text in [LONG, SHORT] {
            assert_eq!(words(text.as_bytes().to_vec(), "TextGrid"), expected());
            let big: Vec<u8> =
                [0xFE, 0xFF].into_iter().chain(text.encode_utf16().flat_map(u16::to_be_bytes)).collect();
            let little: Vec<u8> =
                [0xFF, 0xFE].into_iter().chain(text.encode_utf16().flat_map(u16::to_le_bytes)).collect();
            assert_eq!(words(big, "TextGrid"), expected());
            assert_eq!(words(little, "textgrid"), expected());
        }
    }

    #[test]
    fn ctm_and_csv() {
        let text = ";; by hand\nrec1 1 0.50 0.75 say 0.98\nrec2 A 0.1 0.2 no\nrec1 1 1.25 1.05 fünf\n";
        let read = read_alignment(text.as_bytes().to_vec(), "ctm").unwrap();
        assert_eq!(
            read.iter().map(|r| r.recording.as_deref().unwrap()).collect::<Vec<_>>(),
            ["rec1", "rec2"]
        );
        assert_eq!((read[0].words[1].word.as_str(), read[0].words[1].end), ("fünf", 2.3));
        let text = "Begin,End,Label,Type,Speaker\n0.0,0.5,,words,anna\n0.5,1.25,\"say \"\"ah\"\"\",words,anna\n0.5,0.6,s,phones,anna\n1.25,2.3,fünf,words,anna\n";
        assert_eq!(words(text.as_bytes().to_vec(), "csv"), expected());
    }

    #[test]
    fn what_is_wrong_is_said_with_its_place() {
        for (text, extension, hint) in [
            ("hello", "TextGrid", "the file ends"),
            (&LONG[..300], "TextGrid", "the file ends"),
            (&LONG.replace("xmax = 1.25", "xmax = 0.25"), "TextGrid", "tier 2, interval 2"),
            ("\"ooTextFile", "TextGrid", "quotation mark"),
            ("a 1 0.5 word", "ctm", "line 1"),
            ("a 1 0.5 0.2", "ctm", "no word"),
            ("a 1 -1 0.2 w", "ctm", "line 1"),
            ("x,y\n1,2", "csv", "header"),
            ("Begin,End,Label\na,1,w", "csv", "line 2"),
            ("", "eaf", "format"),
        ] {
            let error = read_alignment(text.as_bytes().to_vec(), extension).unwrap_err();
            assert!(error.contains(hint), "{text:?}: {error}");
        }
    }
}
