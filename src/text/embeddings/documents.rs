//! A vector for each document from the vectors of its words.

use std::borrow::Cow;
use std::ops::Range;

use rayon::prelude::*;

use super::{Corpus, EmbeddingError, Embeddings};

/// The weight a of a / (a + p(w)) for a word with share p(w) of the corpus.
const SMOOTHING: f64 = 1e-3;

/// The weighted mean of the vectors of each document's words, in f64, in the order of the documents; frequent words weigh
/// less, by 1e-3 / (1e-3 + share of the corpus). None for a document without a word that has a vector.
///
/// Arora, Liang and Ma 2017, "A Simple but Tough-to-Beat Baseline for Sentence Embeddings" (SIF), without the removal of
/// the common component.
///
/// # Errors
/// Where the words cannot be read.
pub fn document_vectors(
    embeddings: &Embeddings,
    corpus: &Corpus,
) -> Result<Vec<Option<Vec<f64>>>, EmbeddingError> {
    let counts = &corpus.counts[..embeddings.words().min(corpus.counts.len())];
    let total = counts.iter().sum::<u64>() as f64;
    let weights: Vec<f64> =
        counts.iter().map(|&count| SMOOTHING / (SMOOTHING + count as f64 / total)).collect();
    let documents: Vec<Range<usize>> = corpus.documents().collect();
    let of_document = |document| weighted_mean(embeddings, &weights, corpus.tokens.pieces(document));
    documents.into_par_iter().map(of_document).collect()
}

fn weighted_mean<'a>(
    embeddings: &Embeddings,
    weights: &[f64],
    document: impl Iterator<Item = Result<Cow<'a, [u32]>, EmbeddingError>>,
) -> Result<Option<Vec<f64>>, EmbeddingError> {
    let mut mean = vec![0.0; embeddings.dims()];
    let mut sum = 0.0;
    for piece in document {
        for &word in piece?.iter() {
            let word = word as usize;
            if let (Some(&weight), Some(vector)) = (weights.get(word), embeddings.vector(word)) {
                sum += weight;
                for (mean, &value) in mean.iter_mut().zip(vector) {
                    *mean += weight * f64::from(value);
                }
            }
        }
    }
    Ok((sum > 0.0).then(|| mean.into_iter().map(|value: f64| value / sum).collect()))
}

/// Turns of the power method at most; it ends sooner where the direction stands still.
const TURNS: usize = 200;
const STILL: f64 = 1e-13;

/// Takes from every vector its part along the direction that they have most in common, the first right singular vector of all
/// (Arora, Liang and Ma 2017, step 2 of SIF). Found by the power method from the sum of the vectors on, in a fixed order of
/// additions; vectors without a common direction stay as they are.
pub fn remove_common_component(vectors: &mut [&mut Vec<f64>]) {
    let Some(direction) = common_direction(vectors) else { return };
    for vector in vectors {
        let along = product(vector, &direction);
        vector.iter_mut().zip(&direction).for_each(|(value, part)| *value -= along * part);
    }
}

fn common_direction(vectors: &[&mut Vec<f64>]) -> Option<Vec<f64>> {
    let dims = vectors.first()?.len();
    let add = |mut sum: Vec<f64>, (weight, vector): (f64, &Vec<f64>)| {
        sum.iter_mut().zip(vector).for_each(|(sum, value)| *sum += weight * value);
        sum
    };
    let rows = || vectors.iter().map(|vector| &**vector);
    let unit = |mut direction: Vec<f64>| {
        let length = product(&direction, &direction).sqrt();
        (length > 0.0 && length.is_finite()).then(|| {
            direction.iter_mut().for_each(|value| *value /= length);
            direction
        })
    };
    let mut direction = unit(rows().map(|vector| (1.0, vector)).fold(vec![0.0; dims], add))?;
    for _ in 0..TURNS {
        let weighed = rows().map(|vector| (product(vector, &direction), vector));
        let next = unit(weighed.fold(vec![0.0; dims], add))?;
        let moved: f64 = next.iter().zip(&direction).map(|(a, b)| (a - b) * (a - b)).sum();
        direction = next;
        if moved < STILL * STILL {
            break;
        }
    }
    Some(direction)
}

fn product(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[cfg(test)]
mod tests {
    use super::super::Tokens;
    use super::*;
    use crate::math::random::Stream;

    #[test]
    fn what_all_have_in_common_goes() {
        let mut stream = Stream::new(3, "sif", 0);
        let common = [3.0, -1.0, 2.0, 0.5];
        let mut rows: Vec<Vec<f64>> =
            (0..50).map(|_| common.iter().map(|x| x + 0.2 * (stream.unit_f64() - 0.5)).collect()).collect();
        // The first right singular vector is the eigenvector of AᵀA with the largest value: its Rayleigh quotient is the largest.
        let direction = common_direction(&rows.iter_mut().collect::<Vec<_>>()).unwrap();
        let energy = |v: &[f64]| rows.iter().map(|row| product(row, v).powi(2)).sum::<f64>();
        for at in 0..4 {
            for step in [-1e-3, 1e-3] {
                let mut other = direction.clone();
                other[at] += step;
                let length = product(&other, &other).sqrt();
                other.iter_mut().for_each(|x| *x /= length);
                assert!(energy(&other) <= energy(&direction));
            }
        }
        remove_common_component(&mut rows.iter_mut().collect::<Vec<_>>());
        assert!(rows.iter().all(|row| product(row, &direction).abs() < 1e-12));
        assert!(rows.iter().flatten().all(|x| x.abs() < 0.3));
        remove_common_component(&mut []);
        let mut zeros = vec![vec![0.0; 3]; 2];
        remove_common_component(&mut zeros.iter_mut().collect::<Vec<_>>());
        assert_eq!(zeros, vec![vec![0.0; 3]; 2]);
    }

    #[test]
    fn weighted_by_rarity() {
        let embeddings = Embeddings::new(2, vec![1.0, 0.0, 0.0, 1.0]).unwrap();
        let corpus = Corpus {
            tokens: Tokens::Held(&[0, 0, 0, 1, Corpus::UNKNOWN, 7]),
            document_ends: &[2, 4, 4, 6],
            counts: &[3, 1],
        };
        let vectors = document_vectors(&embeddings, &corpus).unwrap();
        assert_eq!(vectors.len(), 4);
        assert_eq!(vectors[0], Some(vec![1.0, 0.0]));
        let (common, rare) = (1e-3 / (1e-3 + 0.75), 1e-3 / (1e-3 + 0.25));
        let mixed = vectors[1].as_ref().unwrap();
        assert!((mixed[0] - common / (common + rare)).abs() < 1e-12);
        assert!((mixed[1] - rare / (common + rare)).abs() < 1e-12);
        assert_eq!(vectors[2..], [None, None]);
    }
}
