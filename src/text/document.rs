//! Statistics of one document's words.

use super::hdd::hdd;
use super::language::{function_word_of, language};
use super::quality::Quality;
use super::sentences::sentence_count;
use super::syllables::syllables;
use super::term_list::TermList;
use serde::{Deserialize, Serialize};

/// Tokens in a window of MATTR.
const MATTR_WINDOW: usize = 50;

/// What is measured of a document. Words are the job's tokens, so that stop lists, stems and case change the statistics.
/// Undefined ones are absent: all ratios of a text without tokens, and those noted below.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct DocumentStatistics {
    /// Unicode scalar values of the text.
    pub chars: u64,
    /// Tokens, N.
    pub tokens: u64,
    /// Distinct tokens, V.
    pub types: u64,
    /// Sentences (UAX #29) that hold a word.
    pub sentences: u64,
    /// Type-token ratio V/N.
    pub ttr: Option<f64>,
    /// Moving-average type-token ratio in windows of 50 tokens (Covington and `McFall` 2010); the TTR of a shorter text.
    pub mattr: Option<f64>,
    /// Measure of textual lexical diversity, factor 0.72, mean of both directions (`McCarthy` and Jarvis 2010). Undefined
    /// where no token is repeated.
    pub mtld: Option<f64>,
    /// HD-D over 42 draws: the type-token ratio to be expected of 42 tokens drawn at random. Undefined for fewer tokens.
    pub hdd: Option<f64>,
    /// Yule's K, `1e4·(Σ f²·V_f − N)/N²`.
    pub yule_k: Option<f64>,
    /// Characters of a token, on average.
    pub mean_word_len: Option<f64>,
    /// Flesch reading ease. Undefined where half of the tokens or more are not in the Latin script, or without sentences.
    pub flesch: Option<f64>,
    /// Grade level of Flesch and Kincaid (Kincaid et al. 1975), `0.39·words/sentences + 11.8·syllables/words − 15.59`.
    /// Undefined as `flesch` is.
    pub flesch_kincaid: Option<f64>,
    /// Automated readability index, its characters being those of the tokens. Undefined without sentences.
    pub ari: Option<f64>,
    /// ISO 639-3 code of the language; absent where the detector is not sure, as it is of short texts.
    pub language: Option<String>,
    /// Numbers by characters.
    pub digit_share: Option<f64>,
    /// Punctuation by characters.
    pub punctuation_share: Option<f64>,
    /// Upper case by letters; undefined without letters.
    pub upper_share: Option<f64>,
    /// Lines that repeat an earlier one, by lines, as the Gopher rules count them.
    pub repeated_line_share: Option<f64>,
    /// Characters in such lines, by characters.
    pub repeated_line_char_share: Option<f64>,
}

/// Measures documents whose tokens have numbers in a common list; keeps what it knows of a term from one to the next.
#[derive(Debug, Default)]
pub struct DocumentMeasures {
    words: Vec<Word>,
    counts: Vec<u32>,
    /// The distinct tokens of the document at hand.
    distinct: Vec<u32>,
    /// How often each of them occurs, for HD-D.
    occurrences: Vec<u32>,
    seen: Vec<u64>,
    factor: u64,
}

/// Length and syllables of a term, and the languages of which it is a function word.
#[derive(Debug, Clone, Copy)]
struct Word {
    chars: u32,
    syllables: Option<u32>,
    languages: u16,
}

/// Sums over the tokens of a document.
#[derive(Debug, Default)]
struct Totals {
    chars: u64,
    syllables: u64,
    latin: u64,
}

impl DocumentMeasures {
    /// Measures a document: its text, and its tokens as numbers in `terms`. `terms` may grow between calls; the number of a
    /// term must stay.
    pub fn measure(&mut self, text: &str, tokens: &[u32], terms: &TermList) -> DocumentStatistics {
        self.learn(terms);
        let n = tokens.len() as f64;
        self.tally(tokens);
        let types = self.distinct.len() as u64;
        let sentences = sentence_count(text);
        let quality = Quality::of(text);
        let mut statistics = DocumentStatistics {
            chars: text.chars().count() as u64,
            tokens: tokens.len() as u64,
            types,
            sentences,
            language: language(
                text,
                tokens.len(),
                self.frequencies().map(|(word, count)| (word.languages, count)),
            ),
            digit_share: quality.digit_share,
            punctuation_share: quality.punctuation_share,
            upper_share: quality.upper_share,
            repeated_line_share: quality.repeated_line_share,
            repeated_line_char_share: quality.repeated_line_char_share,
            ..DocumentStatistics::default()
        };
        if !tokens.is_empty() {
            let totals = self.totals();
            statistics.ttr = Some(types as f64 / n);
            statistics.yule_k = Some(self.yule_k(n));
            statistics.mean_word_len = Some(totals.chars as f64 / n);
            let readability = Readability::of(&totals, n, sentences as f64);
            statistics.flesch = readability.flesch;
            statistics.flesch_kincaid = readability.flesch_kincaid;
            statistics.ari = readability.ari;
        }
        self.take_counts();
        statistics.hdd = hdd(&mut self.occurrences, tokens.len() as u64);
        statistics.mattr = self.mattr(tokens);
        statistics.mtld = self.mtld(tokens);
        statistics
    }

    /// Forgets what it knows of terms: their numbers are about to mean others.
    pub fn clear_terms(&mut self) {
        self.words.clear();
        self.counts.clear();
        self.seen.clear();
    }

    fn learn(&mut self, terms: &TermList) {
        for id in self.words.len()..terms.len() {
            let term = terms.term(id as u32);
            self.words.push(Word {
                chars: term.chars().count() as u32,
                syllables: syllables(term),
                languages: function_word_of(term),
            });
        }
        self.counts.resize(terms.len(), 0);
        self.seen.resize(terms.len(), 0);
    }

    /// Counts every token of a document and lists the distinct ones.
    fn tally(&mut self, tokens: &[u32]) {
        self.distinct.clear();
        for token in tokens {
            let count = &mut self.counts[*token as usize];
            if *count == 0 {
                self.distinct.push(*token);
            }
            *count += 1;
        }
    }

    /// The distinct tokens of the document and how often each occurs.
    fn frequencies(&self) -> impl Iterator<Item = (&Word, u32)> {
        self.distinct.iter().map(|token| (&self.words[*token as usize], self.counts[*token as usize]))
    }

    /// Counts every token; gives the number of distinct ones.
    fn count(&mut self, tokens: &[u32]) -> u64 {
        let mut types = 0;
        for token in tokens {
            let count = &mut self.counts[*token as usize];
            types += u64::from(*count == 0);
            *count += 1;
        }
        types
    }

    fn clear(&mut self, tokens: &[u32]) {
        for token in tokens {
            self.counts[*token as usize] = 0;
        }
    }

    /// The occurrences of each distinct token; leaves the counts zero.
    fn take_counts(&mut self) {
        self.occurrences.clear();
        let counts = &mut self.counts;
        self.occurrences
            .extend(self.distinct.iter().map(|token| std::mem::take(&mut counts[*token as usize])));
    }

    fn totals(&self) -> Totals {
        let mut totals = Totals::default();
        for (word, count) in self.frequencies() {
            let count = u64::from(count);
            totals.chars += u64::from(word.chars) * count;
            totals.syllables += u64::from(word.syllables.unwrap_or(1)) * count;
            totals.latin += u64::from(word.syllables.is_some()) * count;
        }
        totals
    }

    fn yule_k(&self, n: f64) -> f64 {
        let squares: u64 = self.frequencies().map(|(_, count)| u64::from(count) * u64::from(count)).sum();
        1e4 * (squares as f64 - n) / (n * n)
    }

    /// Counts of `self` must be, and are left, zero.
    fn mattr(&mut self, tokens: &[u32]) -> Option<f64> {
        if tokens.is_empty() {
            return None;
        }
        let window = MATTR_WINDOW.min(tokens.len());
        let (first, rest) = tokens.split_at(window);
        let mut types = self.count(first);
        let mut sum = types;
        for (leaving, entering) in tokens.iter().zip(rest) {
            types += self.count(&[*entering]);
            let count = &mut self.counts[*leaving as usize];
            *count -= 1;
            types -= u64::from(*count == 0);
            sum += types;
        }
        self.clear(tokens);
        let windows = tokens.len() - window + 1;
        Some(sum as f64 / window as f64 / windows as f64)
    }

    fn mtld(&mut self, tokens: &[u32]) -> Option<f64> {
        let n = tokens.len() as f64;
        let forward = self.factors(tokens.iter());
        let backward = self.factors(tokens.iter().rev());
        (forward > 0.0 && backward > 0.0).then(|| f64::midpoint(n / forward, n / backward))
    }

    /// How many stretches of the tokens end because their type-token ratio fell below 0.72, and the share of the last.
    fn factors<'t>(&mut self, tokens: impl Iterator<Item = &'t u32>) -> f64 {
        self.factor += 1;
        let (mut full, mut types, mut length) = (0_u64, 0_u64, 0_u64);
        for token in tokens {
            let seen = &mut self.seen[*token as usize];
            types += u64::from(*seen != self.factor);
            *seen = self.factor;
            length += 1;
            if types * 100 < length * 72 {
                full += 1;
                self.factor += 1;
                (types, length) = (0, 0);
            }
        }
        let rest = if length == 0 { 0.0 } else { (1.0 - types as f64 / length as f64) / (1.0 - 0.72) };
        full as f64 + rest
    }
}

/// How hard a text is to read.
#[derive(Debug, Default)]
struct Readability {
    flesch: Option<f64>,
    flesch_kincaid: Option<f64>,
    ari: Option<f64>,
}

impl Readability {
    fn of(totals: &Totals, words: f64, sentences: f64) -> Self {
        if sentences == 0.0 {
            return Self::default();
        }
        let (sentence_len, word_syllables) = (words / sentences, totals.syllables as f64 / words);
        let latin = |value: f64| (totals.latin as f64 * 2.0 > words).then_some(value);
        Self {
            flesch: latin(206.835 - 1.015 * sentence_len - 84.6 * word_syllables),
            flesch_kincaid: latin(0.39 * sentence_len + 11.8 * word_syllables - 15.59),
            ari: Some(4.71 * (totals.chars as f64 / words) + 0.5 * sentence_len - 21.43),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::interner::Interner;
    use super::*;
    use proptest::prelude::*;
    use std::collections::{HashMap, HashSet};

    fn measured(text: &str) -> DocumentStatistics {
        let mut interner = Interner::default();
        let tokens: Vec<u32> =
            text.split([' ', '.', '!', '?']).filter(|t| !t.is_empty()).map(|t| interner.intern(t)).collect();
        DocumentMeasures::default().measure(text, &tokens, interner.terms())
    }

    fn close(found: Option<f64>, expected: f64) {
        let found = found.unwrap();
        assert!((found - expected).abs() < 1e-12, "{found} {expected}");
    }

    #[test]
    fn a_worked_example() {
        let statistics = measured("the bird heard the bird. the word is heard.");
        assert_eq!((statistics.chars, statistics.tokens, statistics.types), (43, 9, 5));
        assert_eq!(statistics.sentences, 1);
        close(statistics.ttr, 5.0 / 9.0);
        close(statistics.mattr, 5.0 / 9.0);
        // the 3, bird 2, heard 2, word 1, is 1: 9 + 4 + 4 + 1 + 1 = 19
        close(statistics.yule_k, 1e4 * (19.0 - 9.0) / 81.0);
        close(statistics.mean_word_len, 33.0 / 9.0);
        close(statistics.flesch, 206.835 - 1.015 * 9.0 - 84.6);
        close(statistics.flesch_kincaid, 0.39 * 9.0 + 11.8 - 15.59);
        assert_eq!((statistics.hdd, statistics.upper_share), (None, Some(0.0)));
        close(statistics.punctuation_share, 2.0 / 43.0);
        close(statistics.ari, 4.71 * 33.0 / 9.0 + 4.5 - 21.43);
        // Forward: the bird heard the bird (3/5 ends a factor), the word is heard (4/4). Backward: heard is word the bird
        // heard the (5/7 ends a factor), bird the (2/2).
        close(statistics.mtld, 9.0);
    }

    #[test]
    fn nothing_is_defined_for_an_empty_text() {
        let statistics = measured("");
        assert_eq!(statistics, DocumentStatistics::default());
        assert_eq!(measured("all words differ").mtld, None);
    }

    #[test]
    fn flesch_needs_the_latin_script() {
        let statistics = measured("это просто слово");
        assert!(
            statistics.flesch.is_none() && statistics.flesch_kincaid.is_none() && statistics.ari.is_some()
        );
    }

    #[test]
    fn languages_are_found_or_left_out() {
        let german =
            "Alle Menschen sind frei und gleich an Würde und Rechten geboren. Sie sind mit Vernunft begabt.";
        assert_eq!(measured(german).language.as_deref(), Some("deu"));
        assert_eq!(measured("ok").language, None);
        assert_eq!(measured("12 34").language, None);
    }

    #[test]
    fn a_last_factor_counts_with_its_share() {
        let mut measures = DocumentMeasures { seen: vec![0; 10], ..DocumentMeasures::default() };
        // 1 2 1 has 2/3 < 0.72: one factor; 1 2 3 4 4 has 4/5: 0.2/0.28 of one.
        assert!((measures.factors([1, 2, 1, 1, 2, 3, 4, 4].iter()) - (1.0 + 0.2 / 0.28)).abs() < 1e-12);
    }

    #[test]
    fn every_token_of_a_draw_long_text_is_drawn() {
        let text = "the bird heard the word and the word was bird";
        let words: Vec<&str> = text.split(' ').cycle().take(42).collect();
        let statistics = measured(&words.join(" "));
        close(statistics.hdd, statistics.types as f64 / 42.0);
    }

    proptest! {
        #[test]
        fn mattr_is_the_mean_over_all_windows(tokens in proptest::collection::vec(0_u32..20, 1..150)) {
            let mut measures = DocumentMeasures { counts: vec![0; 20], ..DocumentMeasures::default() };
            let window = tokens.len().min(50);
            let ratios: Vec<f64> = tokens
                .windows(window)
                .map(|w| w.iter().collect::<HashSet<_>>().len() as f64 / window as f64)
                .collect();
            let expected = ratios.iter().sum::<f64>() / ratios.len() as f64;
            prop_assert!((measures.mattr(&tokens).unwrap() - expected).abs() < 1e-12);
            prop_assert!(measures.counts.iter().all(|count| *count == 0));
        }

        #[test]
        fn yule_k_is_its_definition(tokens in proptest::collection::vec(0_u32..9, 1..60)) {
            let mut frequencies: HashMap<u32, u64> = HashMap::new();
            for token in &tokens {
                *frequencies.entry(*token).or_default() += 1;
            }
            let n = tokens.len() as f64;
            let squares: u64 = frequencies.values().map(|f| f * f).sum();
            let mut measures = DocumentMeasures { counts: vec![0; 9], ..DocumentMeasures::default() };
            measures.words = vec![Word { chars: 1, syllables: None, languages: 0 }; 9];
            measures.tally(&tokens);
            prop_assert!((measures.yule_k(n) - 1e4 * (squares as f64 - n) / (n * n)).abs() < 1e-9);
        }
    }
}
