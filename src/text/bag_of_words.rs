//! Terms of documents with their weights: counts, presence, tf-idf as scikit-learn has it, BM25 as Lucene has it.

use std::borrow::Cow;

use super::counts::{ShardCounts, TermCount};
use super::frequencies::TermNumbers;
use super::term_order::TermOrder;
use super::vocabulary::Vocabulary;
use crate::simd::Width;
use serde::{Deserialize, Serialize};

const BM25_K1: f64 = 1.2;
const BM25_B: f64 = 0.75;

/// How a count becomes a weight.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Weight {
    /// The count itself.
    Count,
    /// 1 for every term that is there.
    Binary,
    /// Count times inverse document frequency.
    #[default]
    TfIdf,
    /// Okapi BM25 in Lucene's form, k1 = 1.2 and b = 0.75: `idf·tf/(tf + k1·(1 − b + b·len/mean len))`, lengths being terms
    /// before the vocabulary was chosen.
    Bm25,
}

/// What the weights of a document are divided by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Norm {
    /// The root of the sum of their squares.
    L2,
    /// The sum of their magnitudes.
    L1,
    /// Nothing.
    None,
}

/// The settings of `[bag_of_words]` that concern weights.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct WeightSettings {
    /// How a count becomes a weight.
    pub weight: Weight,
    /// idf as if one more document had every term: `ln((1 + n)/(1 + df)) + 1`; otherwise `ln(n/df) + 1`.
    pub smooth_idf: bool,
    /// `1 + ln tf` in place of tf in tf-idf.
    pub sublinear_tf: bool,
    /// What a document is divided by. Where it is not said: L2 for tf-idf, nothing for the others.
    pub norm: Option<Norm>,
}

impl Default for WeightSettings {
    fn default() -> Self {
        Self { weight: Weight::TfIdf, smooth_idf: true, sublinear_tf: false, norm: None }
    }
}

/// The inverse document frequency of each term: that of BM25, `ln(1 + (N − df + 0.5)/(df + 0.5))`, for BM25; tf-idf's for
/// all others, counts and presence too, whose weights do not use it.
#[must_use]
pub fn idf(vocabulary: &Vocabulary, settings: WeightSettings) -> Vec<f64> {
    let n = vocabulary.documents() as f64;
    let of = |df: f64| match settings {
        WeightSettings { weight: Weight::Bm25, .. } => libm::log(1.0 + (n - df + 0.5) / (df + 0.5)),
        WeightSettings { smooth_idf: true, .. } => libm::log((1.0 + n) / (1.0 + df)) + 1.0,
        WeightSettings { smooth_idf: false, .. } => libm::log(n / df) + 1.0,
    };
    vocabulary.df().iter().map(|df| of(f64::from(*df))).collect()
}

/// Rows of the terms table, column by column, by document, then by `term_id`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct TermRows {
    /// How many rows each document of the shard has.
    pub lengths: Vec<u32>,
    /// Which term of the vocabulary.
    pub term_ids: Vec<u32>,
    /// How often the document has it.
    pub counts: Vec<u32>,
    /// Its weight there.
    pub weights: Weights,
}

/// The weights of rows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Weights {
    /// One for each row.
    Each(Vec<f32>),
    /// Those of a count are the same wherever it stands: this is what it becomes.
    OfCount(Weight),
}

impl Default for Weights {
    fn default() -> Self {
        Self::Each(Vec::new())
    }
}

impl Weights {
    /// What this becomes where it does not depend on the term or the document.
    #[must_use]
    pub fn of_count(weight: Weight, count: u32) -> f32 {
        if weight == Weight::Binary { 1.0 } else { count as f32 }
    }

    /// The weights of rows with these counts.
    #[must_use]
    pub fn of(&self, counts: &[u32]) -> Cow<'_, [f32]> {
        match self {
            Self::Each(weights) => Cow::Borrowed(weights),
            Self::OfCount(weight) => counts.iter().map(|&count| Self::of_count(*weight, count)).collect(),
        }
    }
}

impl TermRows {
    fn with_room(documents: usize, rows: usize) -> Self {
        Self {
            lengths: Vec::with_capacity(documents),
            term_ids: Vec::with_capacity(rows),
            counts: Vec::with_capacity(rows),
            weights: Weights::default(),
        }
    }
}

/// Gives the documents of shards their weights; made once for a corpus.
pub struct BagOfWords<'v> {
    vocabulary: &'v Vocabulary,
    settings: WeightSettings,
    idf: Vec<f64>,
}

impl<'v> BagOfWords<'v> {
    /// The weights of a vocabulary.
    #[must_use]
    pub fn new(vocabulary: &'v Vocabulary, settings: WeightSettings) -> Self {
        Self { vocabulary, settings, idf: idf(vocabulary, settings) }
    }

    /// The inverse document frequency of each term, as [`idf`].
    #[must_use]
    pub fn idf(&self) -> &[f64] {
        &self.idf
    }

    /// The rows of a shard that was counted with the vocabulary's settings.
    #[must_use]
    pub fn transform(&self, shard: &ShardCounts) -> TermRows {
        self.rows(shard, &self.vocabulary.ids_of(shard))
    }

    /// As [`BagOfWords::transform`] of a shard whose terms have these numbers in what the vocabulary was chosen from.
    #[must_use]
    pub fn transform_numbered(&self, shard: &ShardCounts, numbers: &TermNumbers) -> TermRows {
        self.rows(shard, &self.vocabulary.ids_of_numbers(numbers))
    }

    fn rows(&self, shard: &ShardCounts, ids: &[Option<u32>]) -> TermRows {
        let mut rows = TermRows::with_room(shard.document_count(), shard.row_count());
        let default = if self.settings.weight == Weight::TfIdf { Norm::L2 } else { Norm::None };
        let norm = self.settings.norm.unwrap_or(default);
        let follow = matches!(self.settings.weight, Weight::Count | Weight::Binary) && norm == Norm::None;
        let mut order = TermOrder::new(ids, Width::detect());
        let (mut weights, mut row_weights): (Vec<f64>, Vec<f32>) = (Vec::new(), Vec::new());
        row_weights.reserve_exact(if follow { 0 } else { shard.row_count() });
        shard.each_document(|row| {
            let TermRows { lengths, term_ids, counts, .. } = &mut rows;
            let start = term_ids.len();
            order.sort(row, term_ids, counts);
            lengths.push((term_ids.len() - start) as u32);
            if !follow {
                let len: u64 = row.iter().map(|r| u64::from(r.count)).sum();
                let sorted = term_ids[start..].iter().zip(&counts[start..]);
                weights.clear();
                weights.extend(sorted.map(|(&term, &count)| self.weight(TermCount { term, count }, len)));
                normalise(norm, &mut weights);
                row_weights.extend(weights.iter().map(|weight| *weight as f32));
            }
        });
        rows.weights =
            if follow { Weights::OfCount(self.settings.weight) } else { Weights::Each(row_weights) };
        rows
    }

    fn weight(&self, term: TermCount, document_len: u64) -> f64 {
        let tf = f64::from(term.count);
        let idf = self.idf[term.term as usize];
        match self.settings.weight {
            Weight::Count => tf,
            Weight::Binary => 1.0,
            Weight::TfIdf if self.settings.sublinear_tf => (1.0 + libm::log(tf)) * idf,
            Weight::TfIdf => tf * idf,
            Weight::Bm25 => {
                let len = document_len as f64 / self.vocabulary.mean_document_len();
                idf * tf / (tf + BM25_K1 * (1.0 - BM25_B + BM25_B * len))
            }
        }
    }
}

/// Divides the weights of a document by their norm, unless that is 0.
pub(super) fn normalise(norm: Norm, weights: &mut [f64]) {
    let norm = match norm {
        Norm::None => return,
        Norm::L1 => weights.iter().map(|weight| weight.abs()).sum::<f64>(),
        Norm::L2 => weights.iter().map(|weight| weight * weight).sum::<f64>().sqrt(),
    };
    if norm > 0.0 {
        for weight in weights {
            *weight /= norm;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::counts::{CountSettings, count_shard};
    use super::super::tokens::{TokenKind, TokenSettings, Tokenizer};
    use super::super::vocabulary::VocabularySettings;
    use super::*;
    use proptest::prelude::*;

    const CLASSROOM: [&str; 3] =
        ["About the bird, the bird, bird bird bird", "You heard about the bird", "The bird is the word"];

    fn shard(texts: &[impl AsRef<str>]) -> ShardCounts {
        let settings = TokenSettings { kind: TokenKind::Pattern, ..TokenSettings::default() };
        let tokenizer = Tokenizer::new(&settings).unwrap();
        count_shard(&tokenizer, CountSettings { ngrams: [1, 1], statistics: false, stream: true }, texts)
            .unwrap()
    }

    /// The documents as a table over the terms in alphabetical order.
    fn table(texts: &[&str], settings: WeightSettings) -> (Vec<String>, Vec<Vec<f32>>) {
        let shard = shard(texts);
        let vocabulary = Vocabulary::merge([&shard], &VocabularySettings::default()).unwrap();
        let mut terms: Vec<String> = vocabulary.terms().iter().map(str::to_owned).collect();
        terms.sort_unstable();
        let rows = BagOfWords::new(&vocabulary, settings).transform(&shard);
        let mut table = vec![vec![0.0; terms.len()]; texts.len()];
        let (mut row, weights) = (0, rows.weights.of(&rows.counts));
        for (document, &length) in rows.lengths.iter().enumerate() {
            for _ in 0..length {
                let term = vocabulary.terms().term(rows.term_ids[row]);
                let column = terms.iter().position(|t| t == term).unwrap();
                table[document][column] = weights[row];
                row += 1;
            }
        }
        (terms, table)
    }

    fn with(weight: Weight) -> WeightSettings {
        WeightSettings { weight, ..WeightSettings::default() }
    }

    #[test]
    fn the_classroom_table() {
        let (terms, counts) = table(&CLASSROOM, with(Weight::Count));
        assert_eq!(terms, ["about", "bird", "heard", "is", "the", "word", "you"]);
        let expected = [[1, 5, 0, 0, 2, 0, 0], [1, 1, 1, 0, 1, 0, 1], [0, 1, 0, 1, 2, 1, 0]];
        assert_eq!(counts, expected.map(|row| row.map(|count| count as f32).to_vec()));
        let (_, present) = table(&CLASSROOM, with(Weight::Binary));
        assert_eq!(present[0], [1.0, 1.0, 0.0, 0.0, 1.0, 0.0, 0.0]);
    }

    #[test]
    fn tf_idf_by_hand() {
        // Two documents; "a" in both: idf 1; "b" in one: idf ln(3/2) + 1.
        let (_, unnormed) =
            table(&["aa aa bb", "aa"], WeightSettings { norm: Some(Norm::None), ..with(Weight::TfIdf) });
        let b = 1.5_f64.ln() + 1.0;
        assert_eq!(unnormed, [[2.0, b as f32], [1.0, 0.0]]);
        let (_, l2) = table(&["aa aa bb", "aa"], with(Weight::TfIdf));
        assert_eq!(l2[0][1], (b / (4.0 + b * b).sqrt()) as f32);
        let settings = WeightSettings {
            sublinear_tf: true,
            smooth_idf: false,
            norm: Some(Norm::L1),
            ..with(Weight::TfIdf)
        };
        let (_, l1) = table(&["aa aa bb", "aa"], settings);
        let (a, b) = (1.0 + 2_f64.ln(), 2_f64.ln() + 1.0);
        assert!((f64::from(l1[0][0]) - a / (a + b)).abs() < 1e-7);
    }

    #[test]
    fn bm25_by_hand() {
        let (_, weights) = table(&["aa aa bb", "aa"], with(Weight::Bm25));
        let idf = (1.0 + (2.0 - 1.0 + 0.5) / (1.0 + 0.5_f64)).ln();
        let expected = idf / (1.0 + 1.2 * (0.25 + 0.75 * 3.0 / 2.0));
        assert!((f64::from(weights[0][1]) - expected).abs() < 1e-7);
    }

    #[test]
    fn documents_without_terms_have_no_rows() {
        let shard = shard(&["", "aa"]);
        let vocabulary = Vocabulary::merge([&shard], &VocabularySettings::default()).unwrap();
        let rows = BagOfWords::new(&vocabulary, WeightSettings::default()).transform(&shard);
        assert_eq!((rows.lengths, rows.weights), (vec![0, 1], Weights::Each(vec![1.0])));
    }

    proptest! {
        #[test]
        fn any_cut_into_shards_gives_the_same_rows(texts in proptest::collection::vec("[a-c ]{0,20}", 1..8), cut in 0_usize..8) {
            let (first, second) = texts.split_at(cut.min(texts.len()));
            let (whole, parts) = (shard(&texts), [shard(first), shard(second)]);
            let vocabulary = Vocabulary::merge(&parts, &VocabularySettings::default()).unwrap();
            let bag = BagOfWords::new(&vocabulary, WeightSettings::default());
            let (expected, mut joined, next) = (bag.transform(&whole), bag.transform(&parts[0]), bag.transform(&parts[1]));
            joined.lengths.extend(next.lengths);
            joined.term_ids.extend(next.term_ids);
            joined.counts.extend(next.counts);
            let weights = [joined.weights.of(&[]), next.weights.of(&[])].concat();
            joined.weights = Weights::Each(weights);
            prop_assert_eq!(joined, expected);
        }
    }
}
