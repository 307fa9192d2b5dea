//! The counts of a shard of documents: a pure function of its texts, with term numbers of its own.

use super::document::{DocumentMeasures, DocumentStatistics};
use super::error::TextError;
use super::frequencies::Frequency;
use super::interner::{FoundTerms, Interner, TermBatch, TermSink};
use super::packed;
use super::rows::{GrowingRows, PackedRows, part};
pub use super::rows::{Rows, TermCount};
use super::term_list::TermList;
use super::tokens::{TokenBuffer, Tokenizer};
use serde::{Deserialize, Serialize};

/// What is counted beside tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct CountSettings {
    /// Least and most words of a term, `ngrams` of `[bag_of_words]`.
    pub ngrams: [usize; 2],
    /// Whether documents are measured, which takes longer than counting.
    pub statistics: bool,
    /// Whether the tokens of each document are kept in their order.
    pub stream: bool,
}

impl Default for CountSettings {
    fn default() -> Self {
        Self { ngrams: [1, 1], statistics: true, stream: true }
    }
}

/// The counts of a shard.
///
/// `terms` holds words and n-grams alike, an n-gram being its words joined by one space. Words are there even where
/// `ngrams` leaves them out: the token stream needs them. No row then names them.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ShardCounts {
    terms: TermList,
    rows: PackedRows,
    #[serde(with = "packed")]
    stream: Vec<u32>,
    #[serde(with = "packed")]
    stream_ends: Vec<usize>,
    #[serde(with = "packed")]
    token_counts: Vec<usize>,
    statistics: Vec<DocumentStatistics>,
}

impl ShardCounts {
    /// The shard's words and n-grams by number, in the order in which they were first seen.
    #[must_use]
    pub fn terms(&self) -> &TermList {
        &self.terms
    }

    /// How many documents were counted, empty ones included.
    #[must_use]
    pub fn document_count(&self) -> usize {
        self.rows.documents()
    }

    /// The terms of each document, each once, in the order in which it first has them.
    #[must_use]
    pub fn rows(&self) -> Rows<'_> {
        self.rows.unpacked()
    }

    /// Hands the terms of each document in turn to `each`, as [`ShardCounts::rows`] has them.
    pub fn each_document(&self, each: impl FnMut(&[TermCount])) {
        self.rows.each(each);
    }

    /// In how many documents each term of the list is, and how often in all of them.
    #[must_use]
    pub fn frequencies(&self) -> Vec<Frequency> {
        self.rows.sums(self.terms.len())
    }

    /// How many rows all documents have.
    #[must_use]
    pub fn row_count(&self) -> usize {
        self.rows.len()
    }

    /// The tokens of a document in order, as numbers of words; none where they were not kept.
    #[must_use]
    pub fn tokens(&self, document: usize) -> &[u32] {
        part(&self.stream, &self.stream_ends, document)
    }

    /// How often each term of the list stands in the token stream: an n-gram never.
    #[must_use]
    pub fn occurrences(&self) -> Vec<u64> {
        let mut occurrences = vec![0; self.terms.len()];
        for word in &self.stream {
            if let Some(count) = occurrences.get_mut(*word as usize) {
                *count += 1;
            }
        }
        occurrences
    }

    /// How many tokens all documents have.
    #[must_use]
    pub fn token_count(&self) -> u64 {
        self.token_counts.iter().map(|tokens| *tokens as u64).sum()
    }

    /// How many tokens each document has.
    #[must_use]
    pub fn token_counts(&self) -> &[usize] {
        &self.token_counts
    }

    /// Whether the tokens of each document were kept.
    #[must_use]
    pub fn has_stream(&self) -> bool {
        self.stream_ends.len() == self.rows.documents()
    }

    /// Bytes that it takes in memory, about.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let stream = size_of_val(&self.stream[..]) + 2 * size_of_val(&self.token_counts[..]);
        self.rows.bytes() + stream + size_of_val(&self.statistics[..]) + self.terms.bytes()
    }

    /// The statistics of each document; none where they were not asked for.
    #[must_use]
    pub fn statistics(&self) -> &[DocumentStatistics] {
        &self.statistics
    }
}

impl ShardCounts {
    /// The token stream of documents whose words are given, without rows.
    #[must_use]
    pub fn of_words<W: AsRef<str>>(documents: impl IntoIterator<Item = Vec<W>>) -> Self {
        let (mut counts, mut interner) = (Self::default(), Interner::default());
        for words in documents {
            counts.stream.extend(words.iter().map(|word| interner.intern(word.as_ref())));
            counts.stream_ends.push(counts.stream.len());
            counts.token_counts.push(words.len());
        }
        counts.rows = PackedRows::of([].iter().copied(), vec![0; counts.token_counts.len()]);
        counts.terms = interner.into_terms();
        counts
    }

    /// The counts of documents that were counted in other shards: `places` names each by its shard in `packs` and its number
    /// there. What comes out is what counting their texts in this order gives. A place that is not there is an empty document.
    #[must_use]
    pub fn join(packs: &[&Self], places: &[(usize, usize)]) -> Self {
        let mut joined = Self::default();
        let (mut rows, mut ends) = (Vec::new(), Vec::with_capacity(places.len()));
        let rows_of: Vec<Rows<'_>> = packs.iter().map(|pack| pack.rows()).collect();
        let mut interner = Interner::default();
        let mut numbers: Vec<Vec<u32>> = packs.iter().map(|pack| vec![u32::MAX; pack.terms.len()]).collect();
        for &(pack, document) in places {
            if let (Some(from), Some(from_rows), Some(numbers)) =
                (packs.get(pack), rows_of.get(pack), numbers.get_mut(pack))
            {
                let mut number = |term: u32| {
                    // A number beyond the list cannot come from counting.
                    let Some(place) = numbers.get_mut(term as usize) else { return 0 };
                    if *place == u32::MAX {
                        *place = interner.intern(from.terms.term(term));
                    }
                    *place
                };
                joined.stream.extend(from.tokens(document).iter().map(|&word| number(word)));
                let row = |&TermCount { term, count }: &TermCount| TermCount { term: number(term), count };
                rows.extend(from_rows.of(document).iter().map(row));
                joined.statistics.extend(from.statistics.get(document).cloned());
                if from.has_stream() {
                    joined.stream_ends.push(joined.stream.len());
                }
            }
            let tokens = packs.get(pack).and_then(|from| from.token_counts.get(document));
            joined.token_counts.push(tokens.copied().unwrap_or(0));
            ends.push(rows.len());
        }
        joined.rows = PackedRows::of(rows.iter().copied(), ends);
        joined.terms = interner.into_terms();
        joined
    }
}

/// Terms that there is room for at first: most shards have about as many, and a table that grows is made anew.
const FIRST_TERMS: usize = 16_000;

/// Counts documents one after another. It can be used for shard after shard, and keeps its room.
#[derive(Default)]
pub struct ShardCounter {
    settings: CountSettings,
    buffer: TokenBuffer,
    interner: Interner,
    batch: TermBatch,
    rows: GrowingRows,
    /// The tokens of the document at hand, or of all documents.
    stream: Vec<u32>,
    stream_ends: Vec<usize>,
    /// Tokens of the document at hand, and of those before.
    tokens: usize,
    token_counts: Vec<usize>,
    measures: DocumentMeasures,
    statistics: Vec<DocumentStatistics>,
    ngram: String,
}

impl ShardCounter {
    /// A counter without documents.
    ///
    /// # Errors
    /// Where `ngrams` is not a range of whole numbers from 1.
    pub fn new(settings: CountSettings) -> Result<Self, TextError> {
        let [least, most] = settings.ngrams;
        if least == 0 || most < least {
            let reason =
                format!("[{least}, {most}] is not a range; write the least and the most words, from 1");
            return Err(TextError::Setting { key: "bag_of_words.ngrams", reason });
        }
        let mut counter = Self { settings, ..Self::default() };
        counter.interner.make_room(FIRST_TERMS);
        Ok(counter)
    }

    /// Counts one document.
    ///
    /// # Errors
    /// Where a model cannot cut the text. The document is then not counted.
    pub fn add(&mut self, tokenizer: &Tokenizer, text: &str) -> Result<(), TextError> {
        let CountSettings { ngrams: [least, most], statistics, stream: keeps_stream } = self.settings;
        let (start, terms) = (self.stream.len(), self.interner.terms().len());
        let outcome = if most == 1 && !statistics && !keeps_stream {
            self.count_words(tokenizer, text)
        } else {
            self.list_words(tokenizer, text, least == 1)
        };
        if let Err(error) = outcome {
            self.take_back(start, terms);
            return Err(error);
        }
        self.count_ngrams(start);
        self.rows.end_document();
        self.token_counts.push(std::mem::take(&mut self.tokens));
        if statistics {
            let tokens = &self.stream[start..];
            self.statistics.push(self.measures.measure(text, tokens, self.interner.terms()));
        }
        if keeps_stream {
            self.stream_ends.push(self.stream.len());
        } else {
            self.stream.truncate(start);
        }
        Ok(())
    }

    /// Forgets the document at hand: the stream before it has `start` tokens, the list `terms` terms.
    #[cold]
    fn take_back(&mut self, start: usize, terms: usize) {
        self.batch = TermBatch::default();
        self.interner.truncate(terms);
        self.rows.take_back();
        self.stream.truncate(start);
        self.tokens = 0;
    }

    /// Counts the words of a document.
    fn count_words(&mut self, tokenizer: &Tokenizer, text: &str) -> Result<(), TextError> {
        let Self { interner, rows, batch, buffer, tokens, .. } = self;
        let found = |words: FoundTerms<'_>| {
            *tokens += words.len();
            rows.bump_all(words);
        };
        let mut sink = TermSink { batch, interner, found };
        let outcome = tokenizer.for_each_token(text, buffer, &mut sink);
        sink.flush();
        outcome
    }

    /// Lists the words of a document, and counts them where they are terms.
    fn list_words(&mut self, tokenizer: &Tokenizer, text: &str, are_terms: bool) -> Result<(), TextError> {
        let Self { interner, rows, stream, batch, buffer, tokens, .. } = self;
        let found = |words: FoundTerms<'_>| {
            *tokens += words.len();
            words.for_each(|word, last| {
                stream.push(word);
                if are_terms {
                    rows.bump(word, last);
                }
            });
        };
        let mut sink = TermSink { batch, interner, found };
        let outcome = tokenizer.for_each_token(text, buffer, &mut sink);
        sink.flush();
        outcome
    }

    /// Counts the n-grams of two and more words among the tokens from `start` on.
    fn count_ngrams(&mut self, start: usize) {
        let [least, most] = self.settings.ngrams;
        let Self { interner, rows, stream, ngram, .. } = self;
        let tokens = stream.get(start..).unwrap_or(&[]);
        for at in 0..if most > 1 { tokens.len() } else { 0 } {
            ngram.clear();
            for (words, word) in (1..=most).zip(&tokens[at..]) {
                if words > 1 {
                    ngram.push(' ');
                }
                ngram.push_str(interner.terms().term(*word));
                if words >= least.max(2) {
                    interner.intern_marked(ngram, |number, last| rows.bump(number, last));
                }
            }
        }
    }

    /// The counts of all documents added; the counter is then empty.
    #[must_use]
    pub fn finish(&mut self) -> ShardCounts {
        let counts = ShardCounts {
            terms: self.interner.terms().clone(),
            rows: self.rows.packed(self.interner.terms().len()),
            stream: self.stream.clone(),
            stream_ends: self.stream_ends.clone(),
            token_counts: self.token_counts.clone(),
            statistics: std::mem::take(&mut self.statistics),
        };
        self.clear();
        counts
    }

    /// Forgets the documents added.
    pub fn clear(&mut self) {
        self.interner.clear();
        self.batch = TermBatch::default();
        self.rows.clear();
        self.stream.clear();
        self.stream_ends.clear();
        self.tokens = 0;
        self.token_counts.clear();
        self.measures.clear_terms();
        self.statistics.clear();
    }
}

/// Counts a shard.
///
/// # Errors
/// As [`ShardCounter::new`] and [`ShardCounter::add`].
pub fn count_shard<S: AsRef<str>>(
    tokenizer: &Tokenizer,
    settings: CountSettings,
    texts: impl IntoIterator<Item = S>,
) -> Result<ShardCounts, TextError> {
    let mut counter = ShardCounter::new(settings)?;
    for text in texts {
        counter.add(tokenizer, text.as_ref())?;
    }
    Ok(counter.finish())
}

#[cfg(test)]
mod tests {
    use super::super::tokens::{TokenKind, TokenSettings};
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    fn counted(ngrams: [usize; 2], texts: &[&str]) -> ShardCounts {
        let settings = TokenSettings {
            kind: TokenKind::Pattern,
            pattern: String::from(r"[^|]+"),
            ..TokenSettings::default()
        };
        let tokenizer = Tokenizer::new(&settings).unwrap();
        count_shard(&tokenizer, CountSettings { ngrams, statistics: false, stream: true }, texts).unwrap()
    }

    fn row(counts: &ShardCounts, document: usize) -> Vec<(&str, u32)> {
        counts.rows().of(document).iter().map(|row| (counts.terms().term(row.term), row.count)).collect()
    }

    #[test]
    fn words_and_bigrams_share_one_list() {
        let counts = counted([1, 2], &["a|b|a|b", "", "b"]);
        assert_eq!(row(&counts, 0), [("a", 2), ("b", 2), ("a b", 2), ("b a", 1)]);
        assert_eq!(row(&counts, 1), []);
        assert_eq!(row(&counts, 2), [("b", 1)]);
        assert_eq!(row(&counts, 3), []);
        assert_eq!((counts.document_count(), counts.token_count()), (3, 5));
        assert_eq!(counts.tokens(0), [0, 1, 0, 1]);
    }

    #[test]
    fn words_that_are_no_terms_stay_in_the_stream_alone() {
        let counts = counted([2, 3], &["a|b|c"]);
        assert_eq!(row(&counts, 0), [("a b", 1), ("a b c", 1), ("b c", 1)]);
        assert_eq!(counts.tokens(0).len(), 3);
    }

    #[test]
    fn a_token_with_a_space_is_the_bigram_of_that_name() {
        assert_eq!(row(&counted([1, 2], &["a b|a|b"]), 0), [("a b", 2), ("a", 1), ("b", 1), ("a b a", 1)]);
    }

    #[test]
    fn a_bad_range_is_refused() {
        for ngrams in [[0, 1], [2, 1]] {
            assert!(ShardCounter::new(CountSettings { ngrams, ..CountSettings::default() }).is_err());
        }
    }

    #[test]
    fn a_document_that_cannot_be_cut_leaves_no_trace() {
        let json = br#"{"version": "1.0", "added_tokens": [], "pre_tokenizer": {"type": "Whitespace"},
            "model": {"type": "WordLevel", "vocab": {"a": 0, "b": 1, "d": 2}, "unk_token": "[UNK]"}}"#;
        let model = super::super::model::TokenModel::from_json(json).unwrap();
        let tokenizer = Tokenizer::with_model(&TokenSettings::default(), model).unwrap();
        let texts = ["a b", "b d c a", "b b", "d"];
        for (ngrams, statistics, stream) in
            [([1, 1], false, false), ([1, 2], true, true), ([2, 2], false, true)]
        {
            let settings = CountSettings { ngrams, statistics, stream };
            let mut counter = ShardCounter::new(settings).unwrap();
            let outcomes = texts.map(|text| counter.add(&tokenizer, text).is_ok());
            assert_eq!(outcomes, [true, false, true, true]);
            let expected = count_shard(&tokenizer, settings, [texts[0], texts[2], texts[3]]).unwrap();
            assert_eq!(counter.finish(), expected);
        }
    }

    proptest! {
        #[test]
        fn words_of_plain_text_are_counted_alike_many_at_once_and_one_by_one(
            texts in proptest::collection::vec("(([a-cA-C_1]{1,2}|[ab]{14,18}|é?[ab]{0,3})[ .,’\n]{1,2}){0,90}", 0..5),
            stream in any::<bool>(),
        ) {
            let settings = TokenSettings { kind: TokenKind::Pattern, ..TokenSettings::default() };
            let tokenizer = Tokenizer::new(&settings).unwrap();
            let settings = CountSettings { ngrams: [1, 1], statistics: false, stream };
            let counts = count_shard(&tokenizer, settings, &texts).unwrap();
            let mut terms: Vec<String> = Vec::new();
            for (document, text) in texts.iter().enumerate() {
                let mut expected: Vec<(String, u32)> = Vec::new();
                let is_word = |c: char| c.is_alphanumeric() || c == '_';
                let lowered = text.to_lowercase();
                let words: Vec<&str> =
                    lowered.split(|c| !is_word(c)).filter(|word| word.chars().count() > 1).collect();
                for word in &words {
                    match expected.iter_mut().find(|(term, _)| term == word) {
                        Some((_, count)) => *count += 1,
                        None => expected.push(((*word).to_owned(), 1)),
                    }
                    if !terms.iter().any(|term| term == word) {
                        terms.push((*word).to_owned());
                    }
                }
                let found: Vec<(String, u32)> =
                    row(&counts, document).into_iter().map(|(t, c)| (t.to_owned(), c)).collect();
                prop_assert_eq!(found, expected);
                prop_assert_eq!(counts.token_counts()[document], words.len());
            }
            prop_assert!(counts.terms().iter().eq(terms.iter().map(String::as_str)));
        }

        #[test]
        fn counts_are_those_of_a_map(texts in proptest::collection::vec("[ab|c]{0,20}", 0..6), least in 1_usize..3, more in 0_usize..3) {
            let most = least + more;
            let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
            let counts = counted([least, most], &texts);
            // Joined from other shards, the documents count the same.
            let packs: Vec<ShardCounts> = texts.iter().rev().map(|text| counted([least, most], &["|x|", text])).collect();
            let packs: Vec<&ShardCounts> = packs.iter().collect();
            let places: Vec<(usize, usize)> = (0..texts.len()).rev().map(|pack| (pack, 1)).collect();
            let joined = ShardCounts::join(&packs, &places);
            prop_assert_eq!(&joined, &counts);
            // Found while they were counted, or from the rows.
            prop_assert_eq!(joined.frequencies(), counts.frequencies());
            for (document, text) in texts.iter().enumerate() {
                let tokens: Vec<&str> = text.split('|').filter(|t| !t.is_empty()).collect();
                let mut expected: BTreeMap<String, u32> = BTreeMap::new();
                for n in least..=most {
                    tokens.windows(n).for_each(|w| *expected.entry(w.join(" ")).or_default() += 1);
                }
                let found: BTreeMap<String, u32> =
                    row(&counts, document).into_iter().map(|(t, c)| (t.to_owned(), c)).collect();
                prop_assert_eq!(found, expected);
            }
        }
    }
}
