//! Words with their vectors, wherever these come from: looked up by word, and by what lies near.

use std::collections::HashMap;

use rayon::prelude::*;

use super::neighbours::{dot, nearest_first};
use super::{Embeddings, NgramVectors};

/// A vocabulary and a vector for each of its words, most frequent first where the source has them so.
#[derive(Debug, Clone, PartialEq)]
pub struct KeyedVectors {
    terms: Vec<String>,
    numbers: HashMap<String, u32>,
    embeddings: Embeddings,
    /// Vectors of n-grams, of which a word outside the vocabulary is made.
    ngrams: Option<NgramVectors>,
}

impl KeyedVectors {
    /// Word i has row i. None where the words are not as many as the vectors, the n-grams have other dimensions, or there are
    /// 2^32 words or more. Of a word that stands twice, the first counts.
    #[must_use]
    pub fn new(terms: Vec<String>, embeddings: Embeddings, ngrams: Option<NgramVectors>) -> Option<Self> {
        let same_dims = ngrams.as_ref().is_none_or(|ngrams| ngrams.vectors().dims() == embeddings.dims());
        if terms.len() != embeddings.words() || !same_dims || u32::try_from(terms.len()).is_err() {
            return None;
        }
        let mut numbers = HashMap::with_capacity(terms.len());
        for (number, term) in terms.iter().enumerate() {
            numbers.entry(term.clone()).or_insert(number as u32);
        }
        Some(Self { terms, numbers, embeddings, ngrams })
    }

    /// The words, in order.
    #[must_use]
    pub fn terms(&self) -> &[String] {
        &self.terms
    }

    /// Their vectors, in that order.
    #[must_use]
    pub fn embeddings(&self) -> &Embeddings {
        &self.embeddings
    }

    /// The vectors of n-grams, where there are any.
    #[must_use]
    pub fn ngrams(&self) -> Option<&NgramVectors> {
        self.ngrams.as_ref()
    }

    /// The number of a word; None where it is not in the vocabulary.
    #[must_use]
    pub fn number(&self, term: &str) -> Option<usize> {
        self.numbers.get(term).map(|&number| number as usize)
    }

    /// The vector of a word: its own, or one made of its n-grams. None where it has neither.
    #[must_use]
    pub fn vector(&self, term: &str) -> Option<Vec<f32>> {
        match self.number(term) {
            Some(number) => self.embeddings.vector(number).map(<[f32]>::to_vec),
            None => self.ngrams.as_ref()?.compose(term),
        }
    }

    /// The `n` words nearest to `vector` by cosine, the nearest first and equal ones by number, without those of `but`.
    #[must_use]
    pub fn nearest_to(&self, vector: &[f32], but: &[usize], n: usize) -> Vec<(usize, f32)> {
        let length = dot(vector, vector).sqrt();
        let rows = self.embeddings.vectors().par_chunks(self.embeddings.dims()).enumerate();
        let cosine = |row: &[f32]| {
            let lengths = length * dot(row, row).sqrt();
            if lengths > 0.0 { (dot(vector, row) / lengths).clamp(-1.0, 1.0) as f32 } else { 0.0 }
        };
        let others = rows.filter(|(number, _)| !but.contains(number));
        nearest_first(others.map(|(number, row)| (number, cosine(row))).collect(), n)
    }

    /// What is to `c` as `b` is to `a`: the words nearest to b − a + c, each of length one (3CosAdd: Mikolov, Yih and
    /// Zweig 2013, "Linguistic Regularities in Continuous Space Word Representations"), without the three themselves.
    /// The error is the word that has no vector.
    pub fn analogy<'a>(&self, [a, b, c]: [&'a str; 3], n: usize) -> Result<Vec<(usize, f32)>, &'a str> {
        let mut sum = vec![0.0_f64; self.embeddings.dims()];
        for (term, sign) in [(a, -1.0), (b, 1.0), (c, 1.0)] {
            let vector = self.vector(term).ok_or(term)?;
            let length = dot(&vector, &vector).sqrt();
            if length > 0.0 {
                sum.iter_mut()
                    .zip(&vector)
                    .for_each(|(sum, &value)| *sum += sign * f64::from(value) / length);
            }
        }
        let sum: Vec<f32> = sum.into_iter().map(|value| value as f32).collect();
        let but: Vec<usize> = [a, b, c].into_iter().filter_map(|term| self.number(term)).collect();
        Ok(self.nearest_to(&sum, &but, n))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn royals() -> KeyedVectors {
        let terms = ["man", "woman", "king", "queen", "apple"].map(str::to_owned).to_vec();
        let vectors = vec![1.0, 0.0, 0.1, 1.0, 1.0, 0.1, 1.0, 0.0, 2.0, 1.0, 2.0, 2.0, -1.0, -1.0, 0.0];
        KeyedVectors::new(terms, Embeddings::new(3, vectors).unwrap(), None).unwrap()
    }

    #[test]
    fn nearest_and_analogies() {
        let words = royals();
        let king = words.vector("king").unwrap();
        let near = words.nearest_to(&king, &[2], 2);
        assert_eq!(near[0].0, 3);
        assert_eq!(near.len(), 2);
        let found = words.analogy(["man", "woman", "king"], 1).unwrap();
        assert_eq!(words.terms()[found[0].0], "queen");
        assert_eq!(words.analogy(["man", "pear", "king"], 1), Err("pear"));
        assert_eq!(words.vector("pear"), None);
    }

    #[test]
    fn contradictions_are_refused() {
        let vectors = Embeddings::new(2, vec![1.0; 4]).unwrap();
        assert!(KeyedVectors::new(vec!["a".into()], vectors.clone(), None).is_none());
        let twice = KeyedVectors::new(vec!["a".into(), "a".into()], vectors, None).unwrap();
        assert_eq!(twice.number("a"), Some(0));
    }
}
