//! Vectors that a training starts from: published ones, or those of a run.

use super::{CharacterNgrams, KeyedVectors};

/// For each word that is known, the vector that it starts with.
#[derive(Debug, Clone, PartialEq)]
pub struct Start {
    dims: usize,
    /// The known words by id, rising.
    words: Vec<u32>,
    vectors: Vec<f32>,
    /// Buckets of n-grams with their vectors, where both sides have the same n-grams.
    buckets: Vec<u32>,
    of_buckets: Vec<f32>,
}

impl Start {
    /// What `known` says of `terms`, the words by id; of a word that it does not have, what its n-grams say. `ngrams` are those of
    /// the training: their vectors are taken over where they are hashed alike.
    #[must_use]
    pub fn new<'a>(
        known: &KeyedVectors,
        terms: impl Iterator<Item = &'a str>,
        ngrams: Option<CharacterNgrams>,
    ) -> Self {
        let (mut words, mut vectors) = (Vec::new(), Vec::new());
        for (id, term) in (0..).zip(terms) {
            if let Some(vector) = known.vector(term) {
                words.push(id);
                vectors.extend(vector);
            }
        }
        let same = known.ngrams().filter(|known| Some(known.ngrams()) == ngrams);
        let (buckets, of_buckets) =
            same.map(|ngrams| (ngrams.buckets().to_vec(), ngrams.vectors().vectors().to_vec())).unzip();
        Self {
            dims: known.embeddings().dims(),
            words,
            vectors,
            buckets: buckets.unwrap_or_default(),
            of_buckets: of_buckets.unwrap_or_default(),
        }
    }

    /// Numbers in a vector.
    #[must_use]
    pub fn dims(&self) -> usize {
        self.dims
    }

    /// How many words are known.
    #[must_use]
    pub fn known(&self) -> usize {
        self.words.len()
    }

    pub(super) fn words(&self) -> impl Iterator<Item = (u32, &[f32])> {
        self.words.iter().copied().zip(self.vectors.chunks_exact(self.dims))
    }

    pub(super) fn buckets(&self) -> impl Iterator<Item = (u32, &[f32])> {
        self.buckets.iter().copied().zip(self.of_buckets.chunks_exact(self.dims))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::embeddings::{Embeddings, NgramVectors};

    #[test]
    fn known_words_start_where_they_were_and_new_ones_from_their_ngrams() {
        let ngrams = CharacterNgrams { min: 3, max: 3, buckets: 100_000 };
        let mut buckets = ngrams.buckets_of("cat");
        buckets.sort_unstable();
        let of_ngrams = NgramVectors::new(
            ngrams,
            buckets,
            Embeddings::new(2, vec![1.0, 1.0, 2.0, 2.0, 3.0, 3.0]).unwrap(),
        );
        let vectors = Embeddings::new(2, vec![5.0, 6.0]).unwrap();
        let known = KeyedVectors::new(vec!["cat".into()], vectors, of_ngrams).unwrap();
        let start = Start::new(&known, ["dog", "cat", "cats"].into_iter(), None);
        assert_eq!((start.dims(), start.known(), start.buckets().count()), (2, 2, 0));
        let words: Vec<_> = start.words().collect();
        assert_eq!(words[0], (1, &[5.0, 6.0][..]));
        assert_eq!(words[1].0, 2);
        let same = Start::new(&known, ["cat"].into_iter(), Some(ngrams));
        assert_eq!(same.buckets().count(), 3);
    }
}
