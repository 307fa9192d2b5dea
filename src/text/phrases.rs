//! Phrases: words that stand together so often that they are one, found and joined as gensim's `Phrases` does it.
//!
//! Method and scores are those of Mikolov et al. (2013, "Distributed Representations of Words and Phrases and their
//! Compositionality") in the form of gensim 4.4.0 (`gensim.models.phrases`), to its last turn: words and pairs are counted in one
//! list, so that a word written as a pair is, is counted with it, and the list's length, pairs included, is the size of the
//! vocabulary in the score. Only its pruning of lists over 40 million entries is not done.

use std::borrow::Cow;
use std::collections::HashSet;

use serde::{Deserialize, Serialize};

use super::counts::ShardCounts;
use super::error::TextError;
use super::interner::Interner;

/// How a pair of words is judged.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PhraseScore {
    /// `(ab − min_count)/(a·b)·V`: occurrences of the pair and its words, entries of the list.
    #[default]
    Original,
    /// Normalised pointwise mutual information (Bouma 2009), −1 to 1; pairs under `min_count` are none.
    Npmi,
}

/// When words make a phrase, and how it is written.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PhraseSettings {
    /// How pairs are judged.
    pub score: PhraseScore,
    /// Occurrences under which a pair is no phrase.
    pub min_count: u64,
    /// A phrase scores more than this.
    pub threshold: f64,
    /// What stands between the words of a phrase.
    pub delimiter: String,
    /// Words that may stand within a phrase, uncounted, and neither begin nor end it.
    pub connector_words: Vec<String>,
}

impl Default for PhraseSettings {
    fn default() -> Self {
        Self {
            score: PhraseScore::Original,
            min_count: 5,
            threshold: 10.0,
            delimiter: "_".into(),
            connector_words: Vec::new(),
        }
    }
}

impl PhraseSettings {
    /// Checks that the settings can be used.
    ///
    /// # Errors
    /// Where `min_count` is 0, the delimiter empty, or the threshold one that the score cannot have.
    pub fn check(&self) -> Result<(), TextError> {
        let refused = |key, reason: String| Err(TextError::Setting { key, reason });
        if self.min_count == 0 {
            return refused("statistics.phrase_min_count", "0 is no count of a pair; write 1 or more".into());
        }
        if self.delimiter.is_empty() {
            return refused(
                "statistics.phrase_delimiter",
                "words need something between them; write for example \"_\"".into(),
            );
        }
        let threshold = self.threshold;
        match self.score {
            PhraseScore::Original if threshold.is_nan() || threshold <= 0.0 => refused(
                "statistics.phrase_threshold",
                format!("{threshold} is not above 0; write for example 10.0"),
            ),
            PhraseScore::Npmi if !(-1.0..=1.0).contains(&threshold) => refused(
                "statistics.phrase_threshold",
                format!("npmi lies between -1 and 1, {threshold} does not; write for example 0.5"),
            ),
            _ => Ok(()),
        }
    }
}

/// A phrase of a corpus.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Phrase {
    /// Its words with the delimiter between them.
    pub phrase: String,
    /// Its occurrences, those that overlap included.
    pub count: u64,
    /// Its score.
    pub score: f64,
}

/// How often words and pairs of neighbours stand in some documents. Merging in shard order is associative.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct PhraseCounts {
    entries: Interner,
    counts: Vec<u64>,
    words: u64,
}

/// The counts of a corpus with the settings they were made with: knows its phrases, and joins them in texts.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Phrases {
    settings: PhraseSettings,
    connectors: HashSet<String>,
    counts: PhraseCounts,
}

impl PhraseCounts {
    /// The counts of a shard's documents, each being one text in whose middle alone phrases stand.
    #[must_use]
    pub fn of(shard: &ShardCounts, settings: &PhraseSettings) -> Self {
        let connectors: HashSet<&str> = settings.connector_words.iter().map(String::as_str).collect();
        let mut counts = Self::default();
        let mut pair = String::new();
        for document in 0..shard.document_count() {
            let tokens = shard.tokens(document);
            counts.words += tokens.len() as u64;
            // `pair` holds the last word that is no connector, and those after it.
            pair.clear();
            let mut open = false;
            for word in tokens.iter().map(|word| shard.terms().term(*word)) {
                let connects = connectors.contains(word);
                if connects && !open {
                    continue;
                }
                if open {
                    pair.push_str(&settings.delimiter);
                }
                pair.push_str(word);
                if connects {
                    continue;
                }
                counts.add(word, 1);
                if open {
                    counts.add(&pair, 1);
                }
                pair.clear();
                pair.push_str(word);
                open = true;
            }
        }
        counts
    }

    /// Adds the counts of the shards that follow.
    pub fn merge(&mut self, next: &Self) {
        for (entry, count) in next.entries.terms().iter().zip(&next.counts) {
            self.add(entry, *count);
        }
        self.words += next.words;
    }

    fn add(&mut self, entry: &str, count: u64) {
        let id = self.entries.intern(entry) as usize;
        if id == self.counts.len() {
            self.counts.push(0);
        }
        self.counts[id] += count;
    }

    fn count(&self, entry: &str) -> u64 {
        self.entries.find(entry).and_then(|id| self.counts.get(id as usize)).copied().unwrap_or(0)
    }

    /// Different words and pairs: the size of the vocabulary, as the score has it.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.terms().len()
    }

    /// Whether nothing was counted.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Phrases {
    /// The phrases of counts made with the same settings.
    #[must_use]
    pub fn new(counts: PhraseCounts, settings: PhraseSettings) -> Self {
        let connectors = settings.connector_words.iter().cloned().collect();
        Self { settings, connectors, counts }
    }

    /// The score of `phrase`, which begins with `first` and ends with `last`; `None` where it is no phrase.
    fn score(&self, first: &str, last: &str, phrase: &str) -> Option<f64> {
        let both = self.counts.count(phrase);
        if both == 0 {
            return None;
        }
        let (a, b) = (self.counts.count(first), self.counts.count(last));
        if a == 0 || b == 0 {
            return None;
        }
        let PhraseSettings { min_count, threshold, .. } = self.settings;
        let score = match self.settings.score {
            PhraseScore::Original => {
                let excess = both as f64 - min_count as f64;
                excess / (a as f64 * b as f64) * self.counts.len() as f64
            }
            PhraseScore::Npmi if both < min_count => return None,
            PhraseScore::Npmi => {
                let share = |count: u64| count as f64 / self.counts.words as f64;
                let together = share(both);
                libm::log(together / (share(a) * share(b))) / -libm::log(together)
            }
        };
        (score > threshold).then_some(score)
    }

    /// Every phrase of the corpus, by falling score, then by phrase: gensim's `export_phrases`.
    #[must_use]
    pub fn all(&self) -> Vec<Phrase> {
        let delimiter = self.settings.delimiter.as_str();
        let entries = self.counts.entries.terms().iter().zip(&self.counts.counts);
        let found = entries.filter_map(|(entry, &count)| {
            let (first, _) = entry.split_once(delimiter)?;
            let (_, last) = entry.rsplit_once(delimiter)?;
            Some(Phrase { phrase: entry.to_owned(), count, score: self.score(first, last, entry)? })
        });
        let mut phrases: Vec<Phrase> = found.collect();
        phrases.sort_unstable_by(|x, y| y.score.total_cmp(&x.score).then_with(|| x.phrase.cmp(&y.phrase)));
        phrases
    }

    /// The token stream of a shard with its phrases joined.
    #[must_use]
    pub fn join_shard(&self, shard: &ShardCounts) -> ShardCounts {
        ShardCounts::of_words((0..shard.document_count()).map(|document| {
            let words = shard.tokens(document).iter().map(|word| shard.terms().term(*word));
            self.join(&words.collect::<Vec<_>>())
        }))
    }

    /// The tokens of a text with its phrases joined, from left to right, each token in one phrase at most: gensim's
    /// `phrases[tokens]`.
    #[must_use]
    pub fn join<'t>(&self, tokens: &[&'t str]) -> Vec<Cow<'t, str>> {
        let mut joined = Vec::with_capacity(tokens.len());
        // Where a phrase may have begun.
        let mut start: Option<usize> = None;
        for (at, token) in tokens.iter().enumerate() {
            let connects = self.connectors.contains(*token);
            match start {
                None if connects => joined.push(Cow::Borrowed(*token)),
                None => start = Some(at),
                Some(_) if connects => {}
                Some(from) => {
                    let phrase = tokens[from..=at].join(&self.settings.delimiter);
                    if self.score(tokens[from], token, &phrase).is_some() {
                        joined.push(Cow::Owned(phrase));
                        start = None;
                    } else {
                        joined.extend(tokens[from..at].iter().map(|token| Cow::Borrowed(*token)));
                        start = Some(at);
                    }
                }
            }
        }
        let rest = start.map_or(&[][..], |from| &tokens[from..]);
        joined.extend(rest.iter().map(|token| Cow::Borrowed(*token)));
        joined
    }
}

#[cfg(test)]
mod tests {
    use super::super::counts::{CountSettings, count_shard};
    use super::super::tokens::{TokenSettings, Tokenizer};
    use super::*;
    use proptest::prelude::*;

    fn counts(texts: &[impl AsRef<str>], settings: &PhraseSettings) -> PhraseCounts {
        let tokenizer = Tokenizer::new(&TokenSettings::default()).unwrap();
        let counted = CountSettings { ngrams: [1, 1], statistics: false, stream: true };
        PhraseCounts::of(&count_shard(&tokenizer, counted, texts).unwrap(), settings)
    }

    fn phrases(texts: &[&str], settings: PhraseSettings) -> Phrases {
        Phrases::new(counts(texts, &settings), settings)
    }

    fn joined(phrases: &Phrases, text: &str) -> String {
        phrases.join(&text.split(' ').collect::<Vec<_>>()).join(" ")
    }

    #[test]
    fn the_words_of_a_shard_are_joined() {
        let tokenizer = Tokenizer::new(&TokenSettings::default()).unwrap();
        let counted = CountSettings { ngrams: [1, 2], statistics: false, stream: true };
        let texts = ["new york is new york", "", "new york is old"];
        let shard = count_shard(&tokenizer, counted, texts).unwrap();
        let settings = PhraseSettings { min_count: 1, threshold: 1.5, ..PhraseSettings::default() };
        let joined = Phrases::new(PhraseCounts::of(&shard, &settings), settings).join_shard(&shard);
        let words = |document| -> Vec<&str> {
            joined.tokens(document).iter().map(|word| joined.terms().term(*word)).collect()
        };
        assert_eq!(words(0), ["new_york", "is", "new_york"]);
        assert!(words(1).is_empty());
        assert_eq!(words(2), ["new_york", "is", "old"]);
        assert_eq!((joined.document_count(), joined.token_counts()), (3, &[3, 0, 3][..]));
        assert!(joined.row_count() == 0 && joined.has_stream());
    }

    #[test]
    fn a_worked_example() {
        // new 3, york 3, is 2, old 1; new_york 3, york_is 2, is_new 1, is_old 1: 8 entries, 9 words.
        let texts = ["new york is new york", "new york is old"];
        let settings = PhraseSettings { min_count: 1, threshold: 1.5, ..PhraseSettings::default() };
        let original = phrases(&texts, settings.clone());
        let found = original.all();
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].phrase.as_str(), found[0].count), ("new_york", 3));
        assert!((found[0].score - 2.0 / 9.0 * 8.0).abs() < 1e-12);
        assert_eq!(joined(&original, "old new york york is new"), "old new_york york is new");
        let npmi = phrases(&texts, PhraseSettings { score: PhraseScore::Npmi, threshold: 0.5, ..settings });
        assert_eq!(npmi.all()[0].phrase, "new_york");
        assert!((npmi.all()[0].score - 1.0).abs() < 1e-12);
    }

    #[test]
    fn connectors_stand_within_phrases_alone() {
        let settings = PhraseSettings {
            min_count: 1,
            threshold: 0.5,
            connector_words: vec!["of".into(), "the".into()],
            ..PhraseSettings::default()
        };
        let phrases = phrases(&["eye of the beholder", "the eye of the beholder", "of course"], settings);
        let found: Vec<String> = phrases.all().into_iter().map(|phrase| phrase.phrase).collect();
        assert_eq!(found, ["eye_of_the_beholder"]);
        assert_eq!(joined(&phrases, "the eye of the beholder of"), "the eye_of_the_beholder of");
        assert_eq!(joined(&phrases, "eye of the course of"), "eye of the course of");
    }

    #[test]
    fn settings_that_cannot_be_are_refused() {
        let default = PhraseSettings::default;
        assert!(default().check().is_ok());
        for settings in [
            PhraseSettings { min_count: 0, ..default() },
            PhraseSettings { threshold: 0.0, ..default() },
            PhraseSettings { delimiter: String::new(), ..default() },
            PhraseSettings { score: PhraseScore::Npmi, ..default() },
        ] {
            assert!(settings.check().is_err(), "{settings:?}");
        }
    }

    proptest! {
        #[test]
        fn merging_is_counting_the_whole(texts in proptest::collection::vec("[a-c_ ]{0,12}", 2..8), cut in 1_usize..7) {
            let settings =
                PhraseSettings { min_count: 1, threshold: 0.1, connector_words: vec!["b".into()], ..PhraseSettings::default() };
            let (first, second) = texts.split_at(cut.min(texts.len()));
            let mut merged = counts(first, &settings);
            merged.merge(&counts(second, &settings));
            let whole = counts(&texts, &settings);
            prop_assert_eq!(serde_json::to_string(&merged).unwrap(), serde_json::to_string(&whole).unwrap());
            // Joining loses and adds no word.
            let phrases = Phrases::new(whole, settings);
            for text in &texts {
                let tokens: Vec<&str> = text.split(' ').filter(|token| !token.is_empty()).collect();
                prop_assert_eq!(phrases.join(&tokens).join("_"), tokens.join("_"));
            }
        }
    }
}
