//! The rows of a vocabulary with subwords: one of its own for each word, and one for each bucket that an n-gram of any of them
//! falls into. Buckets that no word needs take no memory.

use super::CharacterNgrams;

/// Which rows make up the vector of each word. Rows up to the number of words are the words' own, then come those of the
/// buckets in rising order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subwords {
    ngrams: CharacterNgrams,
    /// Rising.
    buckets: Vec<u32>,
    /// Where the rows of each word begin in `rows`, and at last where they end.
    starts: Vec<usize>,
    rows: Vec<u32>,
}

impl Subwords {
    /// The rows of `terms`, of which there must be fewer than 2^31.
    #[must_use]
    pub fn new<'a>(ngrams: CharacterNgrams, terms: impl Iterator<Item = &'a str>) -> Self {
        let (mut starts, mut rows) = (vec![0], Vec::new());
        for (word, term) in (0..).zip(terms) {
            rows.push(word);
            rows.extend(ngrams.buckets_of(term));
            starts.push(rows.len());
        }
        let words = starts.len() - 1;
        let of_ngrams = |word: usize| starts[word] + 1..starts[word + 1];
        let mut buckets: Vec<u32> =
            (0..words).flat_map(|word| rows[of_ngrams(word)].iter().copied()).collect();
        buckets.sort_unstable();
        buckets.dedup();
        for word in 0..words {
            for row in &mut rows[of_ngrams(word)] {
                let place = buckets.binary_search(row).unwrap_or_default();
                *row = (words + place) as u32;
            }
        }
        Self { ngrams, buckets, starts, rows }
    }

    /// Which n-grams a word has.
    #[must_use]
    pub fn ngrams(&self) -> CharacterNgrams {
        self.ngrams
    }

    /// The buckets that have a row, rising.
    #[must_use]
    pub fn buckets(&self) -> &[u32] {
        &self.buckets
    }

    /// The rows whose mean is the vector of `word`: its own, then those of its n-grams in their order.
    #[must_use]
    pub fn rows_of(&self, word: usize) -> &[u32] {
        let range = self.starts.get(word).zip(self.starts.get(word + 1));
        range.map_or(&[], |(&start, &end)| &self.rows[start..end])
    }

    /// How many words there are.
    #[must_use]
    pub fn words(&self) -> usize {
        self.starts.len() - 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_share_the_rows_of_their_ngrams() {
        let ngrams = CharacterNgrams { min: 3, max: 3, buckets: 1_000_000 };
        let subwords = Subwords::new(ngrams, ["cat", "cats", "x"].into_iter());
        // <ca cat at> ; <ca cat ats ts> ; <x>
        assert_eq!((subwords.words(), subwords.buckets().len()), (3, 6));
        assert_eq!(subwords.rows_of(0)[0], 0);
        assert_eq!(subwords.rows_of(0)[1..3], subwords.rows_of(1)[1..3]);
        assert_eq!(subwords.rows_of(2).len(), 2);
        assert!(subwords.rows_of(3).is_empty());
        for word in 0..3 {
            let buckets = subwords.rows_of(word)[1..].iter().map(|&row| subwords.buckets()[row as usize - 3]);
            assert_eq!(buckets.collect::<Vec<_>>(), ngrams.buckets_of(["cat", "cats", "x"][word]));
        }
        assert_eq!(Subwords::new(ngrams, std::iter::empty()).words(), 0);
    }
}
