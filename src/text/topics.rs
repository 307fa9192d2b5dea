//! Topics of a corpus by latent semantic analysis: the singular vectors of its documents' weights.

use serde::{Deserialize, Serialize};

use crate::math::truncated_svd::{RowsInParts, TruncatedSvd};

/// Terms that stand for a topic.
const TOP_TERMS: usize = 20;

/// A topic: a direction in the space of terms.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Topic {
    /// How much of the weights lies along it.
    pub singular_value: f64,
    /// The share of the variance of all documents' weights that they have along it: scikit-learn's `explained_variance_ratio_`.
    /// Undefined where the documents do not differ.
    pub explained_share: Option<f64>,
    /// The terms that count most in it, by falling magnitude, then by number: `term_id` and weight, the entry of a unit vector.
    pub terms: Vec<(u32, f64)>,
}

/// The topics of a corpus, the one with the largest singular value first, and where each document lies among them.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Topics {
    /// As many as asked for, or as the documents' weights have directions.
    pub topics: Vec<Topic>,
    /// A number for each topic of each document, row by row: the weights along the topic (`U Σ`).
    pub documents: Vec<f32>,
}

impl Topics {
    /// The `count` first topics of documents whose weights are the rows of `matrix` (Deerwester et al. 1990, "Indexing by latent
    /// semantic analysis"), with the numbers of scikit-learn's `TruncatedSVD` and the sign that it chooses: the term that counts
    /// most has a positive weight.
    ///
    /// # Errors
    /// Those of the matrix's parts.
    pub fn new<M: RowsInParts>(matrix: &M, count: usize, seed: u64) -> Result<Self, M::Error> {
        let svd = TruncatedSvd::new(matrix, count, seed)?;
        let width = svd.vectors.len();
        let projection = svd.projection();
        let mut spread = Spread { sums: vec![0.0; width], squares: vec![0.0; width], ..Spread::default() };
        let mut all_sums = vec![0.0; matrix.columns()];
        let mut all_squares = 0.0;
        let mut documents = Vec::new();
        for number in 0..matrix.parts() {
            let part = matrix.part(number)?;
            for (columns, values) in part.iter() {
                for (&column, value) in columns.iter().zip(values.iter().copied().map(f64::from)) {
                    all_sums[column as usize] += value;
                    all_squares += value * value;
                }
            }
            let along = projection.of(&part);
            spread.count += part.len() as u64;
            for row in along.chunks(width.max(1)) {
                for (topic, value) in row.iter().enumerate() {
                    spread.sums[topic] += value;
                    spread.squares[topic] += value * value;
                }
            }
            documents.extend(along.into_iter().map(|value| value as f32));
        }
        let n = spread.count as f64;
        let variance = |sum: f64, squares: f64| squares / n - (sum / n) * (sum / n);
        let all = all_squares / n - all_sums.iter().map(|sum| (sum / n) * (sum / n)).sum::<f64>();
        let topics = svd.singular_values.iter().zip(&svd.vectors).enumerate().map(
            |(at, (&singular_value, vector))| {
                let along = variance(spread.sums[at], spread.squares[at]);
                Topic {
                    singular_value,
                    explained_share: (all > 0.0).then(|| (along / all).clamp(0.0, 1.0)),
                    terms: top_terms(vector),
                }
            },
        );
        Ok(Self { topics: topics.collect(), documents })
    }
}

/// Sums over documents, by topic.
#[derive(Debug, Default)]
struct Spread {
    count: u64,
    sums: Vec<f64>,
    squares: Vec<f64>,
}

fn top_terms(vector: &[f64]) -> Vec<(u32, f64)> {
    let mut terms: Vec<(u32, f64)> = vector
        .iter()
        .enumerate()
        .filter(|(_, weight)| **weight != 0.0)
        .map(|(id, weight)| (id as u32, *weight))
        .collect();
    terms.sort_unstable_by(|a, b| b.1.abs().total_cmp(&a.1.abs()).then(a.0.cmp(&b.0)));
    terms.truncate(TOP_TERMS);
    terms
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::truncated_svd::SparseRows;
    use std::borrow::Cow;
    use std::convert::Infallible;

    struct Whole(usize, SparseRows);

    impl RowsInParts for Whole {
        type Error = Infallible;

        fn columns(&self) -> usize {
            self.0
        }

        fn parts(&self) -> usize {
            1
        }

        fn part(&self, _: usize) -> Result<Cow<'_, SparseRows>, Infallible> {
            Ok(Cow::Borrowed(&self.1))
        }
    }

    #[test]
    fn two_groups_of_documents_are_two_topics() {
        let mut rows = SparseRows::default();
        rows.push(&[0, 1], &[3.0, 4.0]);
        rows.push(&[2], &[2.0]);
        rows.push(&[], &[]);
        let found = Topics::new(&Whole(4, rows), 3, 0).unwrap();
        let values: Vec<f64> = found.topics.iter().map(|topic| topic.singular_value).collect();
        assert!((values[0] - 5.0).abs() < 1e-12 && (values[1] - 2.0).abs() < 1e-12 && values.len() == 2);
        let first = &found.topics[0].terms;
        assert_eq!(first.iter().map(|term| term.0).collect::<Vec<_>>()[..2], [1, 0]);
        assert!((first[0].1 - 0.8).abs() < 1e-12 && (first[1].1 - 0.6).abs() < 1e-12);
        for (value, expected) in found.documents.iter().zip([5.0, 0.0, 0.0, 2.0, 0.0, 0.0]) {
            assert!((value - expected).abs() < 1e-6, "{:?}", found.documents);
        }
        // Variances along the topics: (25 − 25/3)/3 and (4 − 4/3)/3, which is all there is.
        let shares: Vec<f64> = found.topics.iter().filter_map(|topic| topic.explained_share).collect();
        assert!(
            (shares[0] - 25.0 / 29.0).abs() < 1e-9 && (shares[1] - 4.0 / 29.0).abs() < 1e-9,
            "{shares:?}"
        );
    }

    #[test]
    fn no_documents_have_no_topics() {
        let found = Topics::new(&Whole(4, SparseRows::default()), 3, 0).unwrap();
        assert_eq!(found, Topics::default());
    }
}
