//! How unexpected a word is after the word before it.

use std::collections::BTreeMap;

/// The number that stands for the begin of a document.
const BEGIN: u32 = u32::MAX;

/// A bigram model of a corpus by interpolated Kneser-Ney smoothing.
///
/// `P(w | v) = max(c(v w) - D, 0) / c(v) + D t(v) / c(v) P(w)`, where `c` counts, `t(v)` is the number of different words
/// after v, and `P(w)` the number of different words before w as a share of all different bigrams (Kneser and Ney 1995; Chen and Goodman
/// 1999, section 2.7). The absolute discount is `D = n1 / (n1 + 2 n2)` with the numbers of bigrams that occur once and twice
/// (Ney, Essen and Kneser 1994); 1/2 where there are none. Probabilities after a word of the corpus sum to one over the
/// words that follow some word.
#[derive(Debug, Clone, Default)]
pub struct BigramModel {
    bigrams: BTreeMap<(u32, u32), u64>,
    /// For each first word its occurrences before another word, and the different words after it.
    firsts: BTreeMap<u32, (u64, u64)>,
    /// For each second word the different words before it.
    seconds: BTreeMap<u32, u64>,
    discount: f64,
}

impl BigramModel {
    /// Counts the bigrams of documents, each a list of word numbers below `u32::MAX`; the first word of each follows its begin.
    #[must_use]
    pub fn fit<'d>(documents: impl IntoIterator<Item = &'d [u32]>) -> Self {
        let mut model = Self::default();
        for document in documents {
            let mut before = BEGIN;
            for &word in document {
                *model.bigrams.entry((before, word)).or_default() += 1;
                before = word;
            }
        }
        let (mut once, mut twice) = (0.0, 0.0);
        for (&(first, second), &count) in &model.bigrams {
            let followed = model.firsts.entry(first).or_default();
            *followed = (followed.0 + count, followed.1 + 1);
            *model.seconds.entry(second).or_default() += 1;
            once += f64::from(u8::from(count == 1));
            twice += f64::from(u8::from(count == 2));
        }
        model.discount = if once > 0.0 { once / (once + 2.0 * twice) } else { 0.5 };
        model
    }

    /// The probability of `word` after `before`, or at the begin of a document; 0 of a word that the corpus does not have.
    #[must_use]
    pub fn probability(&self, before: Option<u32>, word: u32) -> f64 {
        let lower = self.seconds.get(&word).map_or(0.0, |&count| count as f64 / self.bigrams.len() as f64);
        let before = before.unwrap_or(BEGIN);
        let Some(&(followed, different)) = self.firsts.get(&before) else { return lower };
        let count = self.bigrams.get(&(before, word)).map_or(0.0, |&count| count as f64);
        let kept = (count - self.discount).max(0.0) / followed as f64;
        kept + self.discount * different as f64 / followed as f64 * lower
    }

    /// `-log2` of the probability; `None` where that is 0.
    #[must_use]
    pub fn surprisal_bits(&self, before: Option<u32>, word: u32) -> Option<f64> {
        let probability = self.probability(before, word);
        (probability > 0.0).then(|| -libm::log2(probability))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// "a b a b c", "b a": bigrams (begin a) 1, (a b) 2, (b a) 2, (b c) 1, (begin b) 1; n1 = 3, n2 = 2, D = 3/7.
    #[test]
    fn a_corpus_worked_out_by_hand() {
        let model = BigramModel::fit([[0, 1, 0, 1, 2].as_slice(), [1, 0].as_slice()]);
        let d = 3.0 / 7.0;
        let after_b =
            |count: f64, different: f64| (count - d).max(0.0) / 3.0 + d * 2.0 / 3.0 * different / 5.0;
        for (word, count, different) in [(0, 2.0, 2.0), (1, 0.0, 2.0), (2, 1.0, 1.0)] {
            assert!((model.probability(Some(1), word) - after_b(count, different)).abs() < 1e-15, "{word}");
        }
        assert!((model.probability(Some(2), 1) - 2.0 / 5.0).abs() < 1e-15);
        let bits = model.surprisal_bits(None, 0).unwrap();
        assert!((bits + model.probability(None, 0).log2()).abs() < 1e-12);
        assert_eq!(model.surprisal_bits(Some(0), 9), None);
    }

    #[test]
    fn probabilities_sum_to_one_after_every_word() {
        let words: Vec<u32> = (0..3000u32).map(|i| i * i % 97 % (1 + i % 23)).collect();
        let model = BigramModel::fit(words.chunks(71));
        for before in std::iter::once(None).chain((0..23).map(Some)) {
            let sum: f64 = (0..23).map(|word| model.probability(before, word)).sum();
            assert!((sum - 1.0).abs() < 1e-12, "{before:?}: {sum}");
        }
        assert_eq!(BigramModel::fit(std::iter::empty()).surprisal_bits(None, 0), None);
    }
}
