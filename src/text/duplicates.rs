//! Documents that are nearly the same: `MinHash` with banding finds candidates, exact sets of shingles decide.

use super::counts::ShardCounts;
use super::term_key::{folded, term_hash};
use crate::math::random::Stream;
use serde::{Deserialize, Serialize};
use std::collections::{HashMap, HashSet};

/// Words of a shingle; a shorter document is one shingle.
const SHINGLE_WORDS: usize = 5;
/// Values of a signature.
const SIGNATURE_LEN: usize = 128;
/// A pair right at the threshold is found with at least this probability.
const LEAST_RECALL: f64 = 0.99;

/// Two documents that share most of their shingles.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Duplicate {
    /// The document that comes first, by its number in the corpus.
    pub a: usize,
    /// The other.
    pub b: usize,
    /// Shingles of both over shingles of either: exact, up to collisions of 64-bit hashes.
    pub jaccard: f64,
}

/// The `MinHash` signatures and the shingles of a shard's documents. Corpora are joined by appending, in shard order.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signatures {
    /// [`SIGNATURE_LEN`] values for each document.
    values: Vec<u32>,
    /// The hashes of each document's shingles, sorted, each once.
    shingles: Vec<Vec<u64>>,
}

impl Signatures {
    /// The signatures of a shard; `seed` is the job's.
    #[must_use]
    pub fn of(shard: &ShardCounts, seed: u64) -> Self {
        let hashes: Vec<u64> = shard.terms().iter().map(|term| term_hash(term.as_bytes())).collect();
        let permutations = permutations(seed);
        let mut signatures = Self::default();
        for document in 0..shard.document_count() {
            let shingles = shingles(shard.tokens(document), &hashes);
            signatures.values.extend(signature(&shingles, &permutations));
            signatures.shingles.push(shingles);
        }
        signatures
    }

    /// Appends the signatures of the shards that follow.
    pub fn merge(&mut self, next: Self) {
        self.values.extend(next.values);
        self.shingles.extend(next.shingles);
    }

    /// The pairs whose Jaccard similarity is `threshold` or more, by both numbers. A pair at the threshold is found with
    /// a probability of 99 % or more, one above it with a larger one. Documents without tokens resemble nothing.
    #[must_use]
    pub fn near_duplicates(&self, threshold: f64) -> Vec<Duplicate> {
        let mut found: Vec<Duplicate> = self
            .candidates(rows_of_a_band(threshold))
            .into_iter()
            .map(|(a, b)| Duplicate { a, b, jaccard: jaccard(&self.shingles[a], &self.shingles[b]) })
            .filter(|pair| pair.jaccard >= threshold)
            .collect();
        found.sort_unstable_by_key(|pair| (pair.a, pair.b));
        found
    }

    /// Pairs that agree in all rows of some band.
    fn candidates(&self, rows: usize) -> HashSet<(usize, usize)> {
        let mut pairs = HashSet::new();
        for band in 0..SIGNATURE_LEN / rows {
            let mut buckets: HashMap<&[u32], Vec<usize>> = HashMap::new();
            for (document, values) in self.values.chunks_exact(SIGNATURE_LEN).enumerate() {
                if !self.shingles[document].is_empty() {
                    buckets.entry(&values[band * rows..(band + 1) * rows]).or_default().push(document);
                }
            }
            for bucket in buckets.values() {
                for (at, a) in bucket.iter().enumerate() {
                    pairs.extend(bucket[at + 1..].iter().map(|b| (*a, *b)));
                }
            }
        }
        pairs
    }
}

/// Hashes of all runs of five words, sorted, each once; of the whole document where it is shorter.
fn shingles(tokens: &[u32], hashes: &[u64]) -> Vec<u64> {
    let shingle = |words: &[u32]| {
        words.iter().fold(words.len() as u64, |state, word| {
            folded(state ^ hashes[*word as usize], 0x9E37_79B9_7F4A_7C15).wrapping_add(state.rotate_left(23))
        })
    };
    let mut shingles: Vec<u64> = match tokens.len() {
        0 => Vec::new(),
        1..SHINGLE_WORDS => vec![shingle(tokens)],
        _ => tokens.windows(SHINGLE_WORDS).map(shingle).collect(),
    };
    shingles.sort_unstable();
    shingles.dedup();
    shingles
}

/// Multipliers (odd) and summands of the permutations `x·m + s mod 2^32`.
fn permutations(seed: u64) -> Vec<(u32, u32)> {
    let mut stream = Stream::new(seed, "minhash", 0);
    (0..SIGNATURE_LEN).map(|_| (stream.next_u32() | 1, stream.next_u32())).collect()
}

/// For each permutation the least image of a shingle.
fn signature(shingles: &[u64], permutations: &[(u32, u32)]) -> [u32; SIGNATURE_LEN] {
    let mut least = [u32::MAX; SIGNATURE_LEN];
    for shingle in shingles {
        let x = (shingle >> 32) as u32;
        for (least, (multiplier, summand)) in least.iter_mut().zip(permutations) {
            *least = (*least).min(x.wrapping_mul(*multiplier).wrapping_add(*summand));
        }
    }
    least
}

/// The most rows a band may have, so that a pair right at the threshold agrees in a band with [`LEAST_RECALL`]:
/// `1 − (1 − t^r)^b`.
fn rows_of_a_band(threshold: f64) -> usize {
    let recall = |rows: usize| {
        let agree = libm::pow(threshold, rows as f64);
        1.0 - libm::pow(1.0 - agree, (SIGNATURE_LEN / rows) as f64)
    };
    (1..=SIGNATURE_LEN).take_while(|rows| recall(*rows) >= LEAST_RECALL).last().unwrap_or(1)
}

/// Shared over all, of two sorted lists without repetitions.
fn jaccard(a: &[u64], b: &[u64]) -> f64 {
    let (mut i, mut j, mut shared) = (0, 0, 0_usize);
    while let (Some(x), Some(y)) = (a.get(i), b.get(j)) {
        shared += usize::from(x == y);
        i += usize::from(x <= y);
        j += usize::from(y <= x);
    }
    let all = a.len() + b.len() - shared;
    if all == 0 { 0.0 } else { shared as f64 / all as f64 }
}

#[cfg(test)]
mod tests {
    use super::super::counts::{CountSettings, count_shard};
    use super::super::tokens::{TokenSettings, Tokenizer};
    use super::*;

    fn shard(texts: &[impl AsRef<str>]) -> ShardCounts {
        let tokenizer = Tokenizer::new(&TokenSettings::default()).unwrap();
        count_shard(&tokenizer, CountSettings { ngrams: [1, 1], statistics: false, stream: true }, texts)
            .unwrap()
    }

    fn found(texts: &[impl AsRef<str>], threshold: f64) -> Vec<(usize, usize)> {
        Signatures::of(&shard(texts), 0).near_duplicates(threshold).iter().map(|d| (d.a, d.b)).collect()
    }

    fn words(from: usize, to: usize) -> String {
        (from..to).map(|i| format!("w{i}")).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn the_jaccard_similarity_is_that_of_the_shingles() {
        // Shingles 0..=95 against 4..=99: 92 shared of 100.
        let pairs = Signatures::of(&shard(&[words(0, 100), words(4, 104)]), 0).near_duplicates(0.9);
        assert_eq!(pairs, [Duplicate { a: 0, b: 1, jaccard: 0.92 }]);
        assert!(found(&[words(0, 100), words(4, 104)], 0.93).is_empty());
    }

    #[test]
    fn short_documents_are_one_shingle_and_empty_ones_none() {
        assert_eq!(found(&["a b", "a b!", "b a", "", "", "a b c"], 0.5), [(0, 1)]);
    }

    #[test]
    fn every_close_pair_of_a_series_is_found() {
        let texts: Vec<String> = (0..30).map(|i| words(i * 3, i * 3 + 200)).collect();
        let similarity = |a: usize, b: usize| {
            let shared = 196_usize.saturating_sub((b - a) * 3);
            shared as f64 / (392 - shared) as f64
        };
        for threshold in [0.5, 0.8, 0.95] {
            let all = (0..30).flat_map(|a| (a + 1..30).map(move |b| (a, b)));
            let expected: Vec<_> = all.filter(|(a, b)| similarity(*a, *b) >= threshold).collect();
            assert_eq!(found(&texts, threshold), expected, "{threshold}");
        }
    }

    #[test]
    fn shards_join_to_the_whole() {
        let texts: Vec<String> = (0..6).map(|i| words(i, i + 60)).collect();
        let mut joined = Signatures::of(&shard(&texts[..2]), 7);
        joined.merge(Signatures::of(&shard(&texts[2..]), 7));
        assert_eq!(joined, Signatures::of(&shard(&texts), 7));
    }

    #[test]
    fn bands_grow_with_the_threshold() {
        let rows: Vec<usize> = [0.05, 0.3, 0.5, 0.8, 0.95, 1.0].map(rows_of_a_band).to_vec();
        assert!(rows.is_sorted() && rows[0] == 1 && rows[5] == 128, "{rows:?}");
    }
}
