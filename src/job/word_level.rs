//! Relations at the level of the word: what a word is against how it was said, wherever it was said.

use serde::{Deserialize, Serialize};

use crate::compare::Resampling;
use crate::compare::correlations::{Correlation, correlations};
use crate::compare::features::FeatureTable;
use crate::compare::groups::Groups;
use crate::math::random::Stream;
use crate::report::TimedWordRow;
use crate::report::tables::WORD_CONTOURS;
use crate::text::syllables;

/// Words that are related at most: those of recordings drawn at random.
const MOST_WORDS: usize = 20_000;
/// What a word is.
const WORD: [&str; 5] = ["surprisal", "log_frequency", "letters", "syllables", "position"];

/// Words placed in time, as far as later stages need them.
#[derive(Default, Serialize, Deserialize)]
pub(super) struct WordLevel {
    pub correlations: Vec<Correlation>,
    /// The words of the recordings that the page shows.
    pub shown: Vec<ShownWord>,
}

/// A word over a picture.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct ShownWord {
    pub clip_id: String,
    pub term: String,
    pub start: f64,
    pub end: f64,
}

/// The words of some recordings, a value a word in each column.
pub(super) struct SaidWords<'a> {
    chosen: Vec<&'a str>,
    /// The recording of each word.
    clips: Vec<Option<String>>,
    words: [Vec<f64>; WORD.len()],
    /// Length, then [`WORD_CONTOURS`].
    sounds: Vec<Vec<f64>>,
}

impl<'a> SaidWords<'a> {
    /// Chooses among recordings with so many words each.
    pub fn new(recordings: impl Iterator<Item = (&'a str, usize)>, seed: u64) -> Self {
        let mut recordings: Vec<(&str, usize)> = recordings.collect();
        Stream::new(seed, "words of recordings", 0).shuffle(&mut recordings);
        let mut room = MOST_WORDS;
        let mut chosen = Vec::new();
        for (clip, words) in recordings {
            if words <= room {
                room -= words;
                chosen.push(clip);
            }
        }
        chosen.sort_unstable();
        let sounds = vec![Vec::new(); 1 + WORD_CONTOURS.len()];
        Self { chosen, clips: Vec::new(), words: Default::default(), sounds }
    }

    /// Adds a word, if its recording is chosen; `share` is its share of all words, `last` the number of the recording's last word.
    pub fn add(&mut self, row: &TimedWordRow, share: f64, last: usize) {
        if self.chosen.binary_search(&row.clip_id.as_str()).is_err() {
            return;
        }
        self.clips.push(Some(row.clip_id.clone()));
        let position = if last > 0 { f64::from(row.word) / last as f64 } else { f64::NAN };
        let values = [
            row.surprisal.unwrap_or(f64::NAN),
            libm::log2(share),
            row.term.chars().filter(|letter| letter.is_alphanumeric()).count() as f64,
            syllables(&row.term).map_or(f64::NAN, f64::from),
            position,
        ];
        self.words.iter_mut().zip(values).for_each(|(column, value)| column.push(value));
        let contours = row.contours.iter().map(|value| value.unwrap_or(f64::NAN));
        let sounds = std::iter::once(row.end - row.start).chain(contours);
        self.sounds.iter_mut().zip(sounds).for_each(|(column, value)| column.push(value));
    }

    /// Every feature of a word against every feature of how it was said. Words change places within their recording alone, so that
    /// neither speakers nor recordings are told apart.
    pub fn correlations(self, resampling: &Resampling) -> Vec<Correlation> {
        if self.clips.is_empty() {
            return Vec::new();
        }
        let (mut words, mut sounds) = (FeatureTable::default(), FeatureTable::default());
        WORD.iter().zip(self.words).for_each(|(name, column)| words.push(*name, column));
        let names = std::iter::once("seconds").chain(WORD_CONTOURS);
        names.zip(self.sounds).for_each(|(name, column)| sounds.push(name, column));
        correlations(&words, &sounds, &Groups::from_labels(&self.clips), resampling)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(clip: &str, word: u32, letters: usize, seconds: f64) -> TimedWordRow {
        TimedWordRow {
            doc_id: clip.into(),
            clip_id: clip.into(),
            word,
            term_id: None,
            term: "a".repeat(letters),
            start: 1.0,
            end: 1.0 + seconds,
            aligned_by: "file",
            surprisal: None,
            contours: vec![None; WORD_CONTOURS.len()],
        }
    }

    #[test]
    fn long_words_take_long_within_their_recording() {
        let recordings: Vec<String> = (0..8).map(|clip| format!("clip {clip}")).collect();
        let mut words = SaidWords::new(recordings.iter().map(|clip| (clip.as_str(), 6)), 1);
        for (pace, clip) in recordings.iter().enumerate() {
            for word in 0..6_u32 {
                let letters = 1 + (word as usize * 5 + pace) % 7;
                words.add(&said(clip, word, letters, letters as f64 * 0.1 + pace as f64), 0.1, 5);
            }
        }
        let resampling = Resampling { seed: 1, permutations: 199, bootstrap: 0 };
        let table = words.correlations(&resampling);
        assert_eq!(table.len(), WORD.len() * (1 + WORD_CONTOURS.len()));
        let row =
            table.iter().find(|row| row.text_feature == "letters" && row.audio_feature == "seconds").unwrap();
        assert!(row.n == 48 && row.p.unwrap() < 0.01, "{row:?}");
    }

    #[test]
    fn recordings_are_chosen_to_the_limit() {
        let recordings = [("a", 15_000), ("b", 15_000), ("c", 3000)];
        let words = SaidWords::new(recordings.into_iter(), 1);
        assert!(words.chosen.len() == 2 && words.chosen.contains(&"c"), "{:?}", words.chosen);
        assert!(
            SaidWords::new([].into_iter(), 1)
                .correlations(&Resampling { seed: 0, permutations: 0, bootstrap: 0 })
                .is_empty()
        );
    }
}
