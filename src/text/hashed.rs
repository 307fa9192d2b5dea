//! Terms hashed into columns: a bag of words without a vocabulary, scikit-learn's `HashingVectorizer`.
//!
//! A term's column is the magnitude of its 32-bit `MurmurHash3` (seed 0, read as signed) modulo the number of columns, and the
//! hash's sign is its sign there, so that terms that meet in a column cancel rather than add up. Nothing of the corpus has to be
//! known before a document is counted.

use super::bag_of_words::{Norm, TermRows, Weight, WeightSettings, Weights, normalise};
use super::counts::ShardCounts;

/// Columns that documents are counted in, and how a count becomes a weight.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct HashedTerms {
    columns: u32,
    settings: WeightSettings,
}

impl HashedTerms {
    /// At least one column. Of the settings, `weight` may be `Count` or `Binary`, and the norm is L2 where it is not said.
    #[must_use]
    pub fn new(columns: u32, settings: WeightSettings) -> Self {
        Self { columns: columns.max(1), settings }
    }

    /// Column and sign of a term.
    #[must_use]
    pub fn column(&self, term: &str) -> (u32, i64) {
        let hash = murmur3(term.as_bytes()).cast_signed();
        (hash.unsigned_abs() % self.columns, if hash >= 0 { 1 } else { -1 })
    }

    /// The rows of a shard: of each document every column that one of its terms falls into, with the number of occurrences and the
    /// weight, which is 0 where those of both signs are as many.
    #[must_use]
    pub fn transform(&self, shard: &ShardCounts) -> TermRows {
        let columns: Vec<(u32, i64)> = shard.terms().iter().map(|term| self.column(term)).collect();
        let mut rows = TermRows::default();
        let mut found: Vec<(u32, i64, u32)> = Vec::new();
        let (mut weights, mut row_weights): (Vec<f64>, Vec<f32>) = (Vec::new(), Vec::new());
        shard.each_document(|of_document| {
            found.clear();
            found.extend(of_document.iter().map(|row| {
                let (column, sign) = columns[row.term as usize];
                (column, sign * i64::from(row.count), row.count)
            }));
            found.sort_unstable();
            found.dedup_by(|next, kept| {
                let is_same = next.0 == kept.0;
                if is_same {
                    kept.1 += next.1;
                    kept.2 += next.2;
                }
                is_same
            });
            let is_binary = self.settings.weight == Weight::Binary;
            weights.clear();
            weights.extend(found.iter().map(|(_, sum, _)| if is_binary { 1.0 } else { *sum as f64 }));
            normalise(self.settings.norm.unwrap_or(Norm::L2), &mut weights);
            rows.lengths.push(found.len() as u32);
            rows.term_ids.extend(found.iter().map(|(column, ..)| column));
            rows.counts.extend(found.iter().map(|(.., count)| count));
            row_weights.extend(weights.iter().map(|weight| *weight as f32));
        });
        rows.weights = Weights::Each(row_weights);
        rows
    }
}

/// `MurmurHash3_x86_32` with seed 0 (Appleby, <https://github.com/aappleby/smhasher>, public domain).
fn murmur3(bytes: &[u8]) -> u32 {
    const FIRST: u32 = 0xCC9E_2D51;
    const SECOND: u32 = 0x1B87_3593;
    let mixed = |block: u32| block.wrapping_mul(FIRST).rotate_left(15).wrapping_mul(SECOND);
    let (blocks, rest) = bytes.as_chunks::<4>();
    let mut hash = blocks.iter().fold(0_u32, |hash, block| {
        let hash = hash ^ mixed(u32::from_le_bytes(*block));
        hash.rotate_left(13).wrapping_mul(5).wrapping_add(0xE654_6B64)
    });
    if !rest.is_empty() {
        hash ^= mixed(rest.iter().rev().fold(0, |block, byte| block << 8 | u32::from(*byte)));
    }
    hash ^= bytes.len() as u32;
    hash ^= hash >> 16;
    hash = hash.wrapping_mul(0x85EB_CA6B);
    hash ^= hash >> 13;
    hash = hash.wrapping_mul(0xC2B2_AE35);
    hash ^ hash >> 16
}

#[cfg(test)]
mod tests {
    use super::super::counts::{CountSettings, count_shard};
    use super::super::tokens::{TokenKind, TokenSettings, Tokenizer};
    use super::*;

    /// `HashingVectorizer(n_features=..., norm=...).transform([...])` of scikit-learn 1.9.1 (tests/oracles/hashing.py).
    #[test]
    fn rows_are_scikit_learns() {
        let texts =
            ["About the bird, the bird, bird bird bird", "", "Der Vögel Gezwitscher ist der Vögel Lohn"];
        let tokenizer =
            Tokenizer::new(&TokenSettings { kind: TokenKind::Pattern, ..TokenSettings::default() }).unwrap();
        let shard =
            count_shard(&tokenizer, CountSettings { ngrams: [1, 2], statistics: false, stream: true }, texts)
                .unwrap();
        let golden: Vec<(u32, bool, &str, Vec<[f64; 3]>)> =
            serde_json::from_str(include_str!("../../tests/golden/hashing.json")).unwrap();
        for (columns, is_binary, norm, expected) in golden {
            let settings = WeightSettings {
                weight: if is_binary { Weight::Binary } else { Weight::Count },
                norm: Some(if norm == "l2" { Norm::L2 } else { Norm::None }),
                ..WeightSettings::default()
            };
            let rows = HashedTerms::new(columns, settings).transform(&shard);
            let weights = rows.weights.of(&rows.counts).into_owned();
            assert_eq!(weights.len(), expected.len(), "{columns} columns");
            let documents = (0..).zip(&rows.lengths).flat_map(|(i, &rows)| vec![f64::from(i); rows as usize]);
            let rows = documents.zip(rows.term_ids).zip(weights);
            for (((document, term_id), row_weight), [expected_document, column, weight]) in rows.zip(expected)
            {
                assert_eq!((document, f64::from(term_id)), (expected_document, column));
                assert!((f64::from(row_weight) - weight).abs() < 1e-6);
            }
        }
    }

    #[test]
    fn the_hash_is_murmurs() {
        let known = [("", 0), ("a", 0x3C25_69B2), ("foo", 0xF6A5_C420), ("hello, world", 0x149B_BB7F)];
        for (text, hash) in known {
            assert_eq!(murmur3(text.as_bytes()), hash, "{text}");
        }
    }
}
