//! Character n-grams of words and their vectors, as fastText has them (Bojanowski, Grave, Joulin and Mikolov 2017,
//! "Enriching Word Vectors with Subword Information"): a word that no corpus had is the mean of its n-grams.

use super::Embeddings;

/// Which n-grams a word has, and into how many buckets they are hashed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct CharacterNgrams {
    /// Characters of the shortest n-gram.
    pub min: u32,
    /// Characters of the longest.
    pub max: u32,
    /// Buckets, above zero: n-grams that fall into the same one share a vector.
    pub buckets: u32,
}

/// Characters of a word, with its marks, that have n-grams.
const LONGEST_WORD: usize = 1_000;

impl CharacterNgrams {
    /// The buckets of all n-grams of `<word>`, one after the other; the marks at both ends count as characters, but are no
    /// n-grams by themselves.
    /// Of a word without an end, which some file will have, only the first thousand characters have n-grams.
    #[must_use]
    pub fn buckets_of(&self, word: &str) -> Vec<u32> {
        let marked: String = "<".chars().chain(word.chars()).chain(">".chars()).take(LONGEST_WORD).collect();
        let starts: Vec<usize> =
            marked.char_indices().map(|(at, _)| at).chain(std::iter::once(marked.len())).collect();
        let characters = starts.len() - 1;
        let mut buckets = Vec::new();
        for first in 0..characters {
            for length in self.min.max(1) as usize..=self.max as usize {
                let end = first + length;
                if end > characters {
                    break;
                }
                let mark = length == 1 && (first == 0 || end == characters);
                if !mark {
                    let ngram = &marked.as_bytes()[starts[first]..starts[end]];
                    buckets.push(hash(ngram) % self.buckets.max(1));
                }
            }
        }
        buckets
    }
}

/// FNV-1a of 32 bits, each byte with its sign extended: fastText's hash.
fn hash(bytes: &[u8]) -> u32 {
    bytes.iter().fold(2_166_136_261, |hash, &byte| {
        (hash ^ i32::from(byte.cast_signed()).cast_unsigned()).wrapping_mul(16_777_619)
    })
}

/// Vectors of n-grams: those of the buckets that any word fell into.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct NgramVectors {
    ngrams: CharacterNgrams,
    /// Rising.
    buckets: Vec<u32>,
    vectors: Embeddings,
}

impl NgramVectors {
    /// The vector of `buckets[i]` is row i of `vectors`. None where the buckets do not rise or are not as many as vectors.
    #[must_use]
    pub fn new(ngrams: CharacterNgrams, buckets: Vec<u32>, vectors: Embeddings) -> Option<Self> {
        let fits = buckets.len() == vectors.words() && buckets.is_sorted_by(|a, b| a < b);
        fits.then_some(Self { ngrams, buckets, vectors })
    }

    /// Which n-grams a word has.
    #[must_use]
    pub fn ngrams(&self) -> CharacterNgrams {
        self.ngrams
    }

    /// The buckets that have a vector, rising.
    #[must_use]
    pub fn buckets(&self) -> &[u32] {
        &self.buckets
    }

    /// Their vectors, in that order.
    #[must_use]
    pub fn vectors(&self) -> &Embeddings {
        &self.vectors
    }

    /// The vector of a bucket; None where it has none.
    #[must_use]
    pub fn vector(&self, bucket: u32) -> Option<&[f32]> {
        self.vectors.vector(self.buckets.binary_search(&bucket).ok()?)
    }

    /// A vector for any word: the mean of those of its n-grams that have one. None where none has.
    #[must_use]
    pub fn compose(&self, word: &str) -> Option<Vec<f32>> {
        mean(self.ngrams.buckets_of(word).into_iter().filter_map(|bucket| self.vector(bucket)))
    }
}

/// The mean of vectors, summed in f64 in their order; None of no vector.
pub(super) fn mean<'a>(vectors: impl Iterator<Item = &'a [f32]>) -> Option<Vec<f32>> {
    let mut sum: Vec<f64> = Vec::new();
    let mut count = 0_u32;
    for vector in vectors {
        sum.resize(vector.len(), 0.0);
        sum.iter_mut().zip(vector).for_each(|(sum, &value)| *sum += f64::from(value));
        count += 1;
    }
    (count > 0).then(|| sum.into_iter().map(|sum| (sum / f64::from(count)) as f32).collect())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// `Dictionary::computeSubwords` of fastText, byte by byte.
    fn naive(word: &str, min: usize, max: usize) -> Vec<Vec<u8>> {
        let bytes = format!("<{word}>").into_bytes();
        let inside = |at: usize| bytes.get(at).is_some_and(|byte| byte & 0xC0 == 0x80);
        let mut ngrams = Vec::new();
        for first in 0..bytes.len() {
            if inside(first) {
                continue;
            }
            let (mut ngram, mut at, mut n) = (Vec::new(), first, 1);
            while at < bytes.len() && n <= max {
                ngram.push(bytes[at]);
                at += 1;
                while inside(at) {
                    ngram.push(bytes[at]);
                    at += 1;
                }
                if n >= min && !(n == 1 && (first == 0 || at == bytes.len())) {
                    ngrams.push(ngram.clone());
                }
                n += 1;
            }
        }
        ngrams
    }

    #[test]
    fn buckets_are_those_of_fasttext() {
        // fasttext-wheel 0.9.2, `get_subwords` of a model with minn 3, maxn 4, bucket 1000, less the number of words.
        let ngrams = CharacterNgrams { min: 3, max: 4, buckets: 1_000 };
        for (word, buckets) in [
            ("naïve", &[890, 692, 546, 404, 832, 7, 570, 548, 654][..]),
            ("東京", &[661, 169, 715]),
            ("cat", &[747, 973, 31, 995, 106]),
        ] {
            assert_eq!(ngrams.buckets_of(word), buckets, "{word}");
        }
    }

    #[test]
    fn unseen_words_are_the_mean_of_what_is_known() {
        let ngrams = CharacterNgrams { min: 3, max: 3, buckets: 50_000 };
        let mut buckets = ngrams.buckets_of("cat");
        assert_eq!(buckets.len(), 3);
        buckets.sort_unstable();
        let vectors = Embeddings::new(2, vec![1.0, 0.0, 2.0, 0.0, 3.0, 6.0]).unwrap();
        let known = NgramVectors::new(ngrams, buckets, vectors).unwrap();
        assert_eq!(known.compose("cat"), Some(vec![2.0, 2.0]));
        assert!(known.compose("cats").is_some_and(|vector| vector.len() == 2));
        assert_eq!(known.compose("dog"), None);
        assert_eq!(known.compose(""), None);
        let endless = ngrams.buckets_of(&"a".repeat(1 << 20));
        assert_eq!(endless.len(), 998);
        let vectors = Embeddings::new(1, vec![1.0, 2.0]).unwrap();
        assert!(NgramVectors::new(ngrams, vec![3, 3], vectors).is_none());
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn ngrams_are_those_of_fasttext(word in "\\PC{0,12}", min in 1_u32..5, more in 0_u32..4) {
            let ngrams = CharacterNgrams { min, max: min + more, buckets: 2_000_000 };
            let expected: Vec<u32> = naive(&word, min as usize, (min + more) as usize)
                .iter()
                .map(|ngram| hash(ngram) % 2_000_000)
                .collect();
            prop_assert_eq!(ngrams.buckets_of(&word), expected);
        }
    }
}
