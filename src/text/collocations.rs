//! Words that stand next to each other more often than chance would have it.

use super::contingency::Contingency;
use super::counts::ShardCounts;
use super::interner::Interner;
use super::pair_table::PairTable;
use super::term_list::TermList;
use serde::{Deserialize, Serialize};

/// Pairs in the table at most: those with the largest G².
pub const MOST_COLLOCATIONS: usize = 100_000;
/// Pairs that occur less often are left out: a single meeting says nothing.
const LEAST_COUNT: u64 = 2;

/// Two words in a row.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Collocation {
    /// The word before.
    pub first: String,
    /// The word after.
    pub second: String,
    /// How often the pair stands in the corpus.
    pub count: u64,
    /// Pointwise mutual information, `ln(p_ab/(p_a·p_b))`: of pairs, of pairs that begin with the first word and of pairs
    /// that end with the second.
    pub pmi: f64,
    /// PMI over `−ln p_ab` (Bouma 2009), −1 to 1; undefined where every pair of the corpus is this one.
    pub npmi: Option<f64>,
    /// The log-likelihood ratio of the pair, signed.
    pub g2: f64,
    /// The log odds ratio of the pair over its standard error (Blaheta and Johnson 2001; quanteda's z).
    pub z: f64,
}

/// How often each pair of neighbours stands in some shards; neighbours are tokens of one document, after stop words have
/// gone. In what order shards are merged changes no collocation.
#[derive(Debug, Clone, Default)]
pub struct PairCounts {
    words: Interner,
    /// By the words' numbers, the first in the upper half.
    pairs: PairTable,
}

/// The pairs of one shard by its words' numbers, each pair once or a few times.
#[derive(Debug, Clone, Default)]
pub struct ShardPairs {
    words: TermList,
    pairs: Vec<(u64, u32)>,
}

/// Pairs that are sorted together: they stay in the second cache.
const SORTED_PAIRS: usize = 1 << 17;

fn key(first: u32, second: u32) -> u64 {
    u64::from(first) << 32 | u64::from(second)
}

fn words_of(key: u64) -> (u32, u32) {
    ((key >> 32) as u32, key as u32)
}

impl ShardPairs {
    /// The pairs of a shard.
    #[must_use]
    pub fn of(shard: &ShardCounts) -> Self {
        let mut counted = Self { words: shard.terms().clone(), pairs: Vec::new() };
        let mut pairs: Vec<u64> = Vec::new();
        for document in 0..shard.document_count() {
            pairs.extend(shard.tokens(document).windows(2).map(|pair| key(pair[0], pair[1])));
            if pairs.len() >= SORTED_PAIRS {
                counted.count(&mut pairs);
            }
        }
        counted.count(&mut pairs);
        counted
    }

    fn count(&mut self, pairs: &mut Vec<u64>) {
        for pairs in pairs.chunks_mut(SORTED_PAIRS) {
            pairs.sort_unstable();
            self.pairs.extend(pairs.chunk_by(|a, b| a == b).map(|run| (run[0], run.len() as u32)));
        }
        pairs.clear();
    }
}

impl PairCounts {
    /// Adds the pairs of a shard.
    pub fn add(&mut self, shard: &ShardPairs) {
        let mut ids: Vec<u32> = Vec::with_capacity(shard.words.len());
        self.words.intern_all(shard.words.iter(), |id| ids.push(id));
        self.pairs.add_all(shard.pairs.iter().map(|(pair, count)| {
            let (first, second) = words_of(*pair);
            (key(ids[first as usize], ids[second as usize]), u64::from(*count))
        }));
    }

    /// The pairs that occur twice or more, by falling G², then by the words; the first [`MOST_COLLOCATIONS`] of them.
    ///
    /// The table of a pair counts all pairs: this one, those with only its first word first, those with only its second
    /// word second, and the rest.
    #[must_use]
    pub fn collocations(&self) -> Vec<Collocation> {
        let (mut before, mut after) =
            (vec![0_u64; self.words.terms().len()], vec![0_u64; self.words.terms().len()]);
        for (pair, count) in self.pairs.iter() {
            let (first, second) = words_of(pair);
            before[first as usize] += count;
            after[second as usize] += count;
        }
        let total: u64 = before.iter().sum();
        let judged = self.pairs.iter().filter(|(_, count)| *count >= LEAST_COUNT).map(|(pair, count)| {
            let (a, b) = words_of(pair);
            let (with_first, with_second) = (before[a as usize], after[b as usize]);
            let rest = total + count - with_first - with_second;
            let table = Contingency { a: count, b: with_first - count, c: with_second - count, d: rest };
            (a, b, count, table, table.g2())
        });
        let mut judged: Vec<_> = judged.collect();
        let words = |a: u32, b: u32| (self.words.terms().term(a), self.words.terms().term(b));
        judged
            .sort_unstable_by(|x, y| y.4.total_cmp(&x.4).then_with(|| words(x.0, x.1).cmp(&words(y.0, y.1))));
        judged.truncate(MOST_COLLOCATIONS);
        let described = judged.into_iter().map(|(a, b, count, table, g2)| {
            let (first, second) = words(a, b);
            let (pmi, npmi) = mutual_information(count, count + table.b, count + table.c, total);
            let z = table.z();
            Collocation { first: first.to_owned(), second: second.to_owned(), count, pmi, npmi, g2, z }
        });
        described.collect()
    }
}

/// PMI and NPMI of a pair that occurs `count` times among `total` pairs.
fn mutual_information(count: u64, with_first: u64, with_second: u64, total: u64) -> (f64, Option<f64>) {
    let share = count as f64 / total as f64;
    let pmi = libm::log(share / (with_first as f64 / total as f64 * (with_second as f64 / total as f64)));
    (pmi, (count < total).then(|| pmi / -libm::log(share)))
}

#[cfg(test)]
mod tests {
    use super::super::counts::{CountSettings, count_shard};
    use super::super::tokens::{TokenSettings, Tokenizer};
    use super::*;
    use proptest::prelude::*;

    fn shard_pairs(texts: &[impl AsRef<str>]) -> ShardPairs {
        let tokenizer = Tokenizer::new(&TokenSettings::default()).unwrap();
        let settings = CountSettings { ngrams: [1, 2], statistics: false, stream: true };
        ShardPairs::of(&count_shard(&tokenizer, settings, texts).unwrap())
    }

    fn pairs(texts: &[impl AsRef<str>]) -> PairCounts {
        let mut counts = PairCounts::default();
        counts.add(&shard_pairs(texts));
        counts
    }

    #[test]
    fn a_worked_example() {
        // Pairs: new york ×3, york is, is new, is old, old york. 7 in all.
        let found = pairs(&["new york is new york", "new york", "is old york"]).collocations();
        assert_eq!(found.len(), 1);
        let pair = &found[0];
        assert_eq!((pair.first.as_str(), pair.second.as_str(), pair.count), ("new", "york", 3));
        // new begins 3 pairs, york ends 4.
        assert!((pair.pmi - (3.0 * 7.0 / 12.0_f64).ln()).abs() < 1e-12);
        assert!((pair.npmi.unwrap() - pair.pmi / -(3.0 / 7.0_f64).ln()).abs() < 1e-12);
        assert_eq!(pair.g2, Contingency { a: 3, b: 0, c: 1, d: 3 }.g2());
        // Counts with a half added: 3.5, 0.5, 1.5, 3.5.
        let error = (1.0 / 3.5 + 1.0 / 0.5 + 1.0 / 1.5 + 1.0 / 3.5_f64).sqrt();
        assert!((pair.z - (3.5 * 3.5 / (0.5 * 1.5_f64)).ln() / error).abs() < 1e-12);
    }

    #[test]
    fn no_pair_reaches_over_the_end_of_a_document() {
        assert!(pairs(&["a", "b", "a", "b"]).collocations().is_empty());
    }

    #[test]
    fn the_only_pair_has_no_npmi() {
        let found = pairs(&["a a a"]).collocations();
        assert_eq!((found[0].count, found[0].pmi, found[0].npmi, found[0].g2), (2, 0.0, None, 0.0));
    }

    #[test]
    fn ties_are_in_the_order_of_the_words() {
        let found = pairs(&["c d", "a b", "c d", "a b"]).collocations();
        assert_eq!(found.iter().map(|c| c.first.as_str()).collect::<Vec<_>>(), ["a", "c"]);
    }

    proptest! {
        #[test]
        fn merging_is_counting_the_whole(texts in proptest::collection::vec("[a-c ]{0,12}", 3..8), cut in 1_usize..3) {
            let (first, rest) = texts.split_at(cut);
            let mut parts = [first, &rest[..1], &rest[1..]].map(shard_pairs);
            for _ in 0..3 {
                parts.rotate_left(1);
                let mut merged = PairCounts::default();
                parts.iter().for_each(|part| merged.add(part));
                prop_assert_eq!(merged.collocations(), pairs(&texts).collocations());
            }
        }
    }
}
