//! A vector for each document from the vectors of its words.

use rayon::prelude::*;

use super::{Corpus, Embeddings};

/// The weight a of a / (a + p(w)) for a word with share p(w) of the corpus.
const SMOOTHING: f64 = 1e-3;

/// The weighted mean of the vectors of each document's words, in f64, in the order of the documents; frequent words weigh
/// less, by 1e-3 / (1e-3 + share of the corpus). None for a document without a word that has a vector.
///
/// Arora, Liang and Ma 2017, "A Simple but Tough-to-Beat Baseline for Sentence Embeddings" (SIF), without the removal of
/// the common component.
#[must_use]
pub fn document_vectors(embeddings: &Embeddings, corpus: &Corpus) -> Vec<Option<Vec<f64>>> {
    let counts = &corpus.counts[..embeddings.words().min(corpus.counts.len())];
    let total = counts.iter().sum::<u64>() as f64;
    let weights: Vec<f64> =
        counts.iter().map(|&count| SMOOTHING / (SMOOTHING + count as f64 / total)).collect();
    let documents: Vec<&[u32]> = corpus.documents().collect();
    documents.into_par_iter().map(|document| weighted_mean(embeddings, &weights, document)).collect()
}

fn weighted_mean(embeddings: &Embeddings, weights: &[f64], document: &[u32]) -> Option<Vec<f64>> {
    let mut mean = vec![0.0; embeddings.dims()];
    let mut sum = 0.0;
    for &word in document {
        if let (Some(&weight), Some(vector)) = (weights.get(word as usize), embeddings.vector(word as usize))
        {
            sum += weight;
            for (mean, &value) in mean.iter_mut().zip(vector) {
                *mean += weight * f64::from(value);
            }
        }
    }
    if sum > 0.0 {
        return Some(mean.into_iter().map(|value: f64| value / sum).collect());
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weighted_by_rarity() {
        let embeddings = Embeddings::new(2, vec![1.0, 0.0, 0.0, 1.0]).unwrap();
        let corpus = Corpus {
            tokens: &[0, 0, 0, 1, Corpus::UNKNOWN, 7],
            document_ends: &[2, 4, 4, 6],
            counts: &[3, 1],
        };
        let vectors = document_vectors(&embeddings, &corpus);
        assert_eq!(vectors.len(), 4);
        assert_eq!(vectors[0], Some(vec![1.0, 0.0]));
        let (common, rare) = (1e-3 / (1e-3 + 0.75), 1e-3 / (1e-3 + 0.25));
        let mixed = vectors[1].as_ref().unwrap();
        assert!((mixed[0] - common / (common + rare)).abs() < 1e-12);
        assert!((mixed[1] - rare / (common + rare)).abs() < 1e-12);
        assert_eq!(vectors[2..], [None, None]);
    }
}
