//! The two matrices of a training, and the vectors that come out of it.

use rayon::prelude::*;

use super::Subwords;
use super::ngrams::mean;
use crate::math::random::Stream;
use crate::simd::{LANES, Lanes};

/// Rows that predict (inputs: words, then buckets of n-grams, then documents) and rows that are predicted (outputs: words, or
/// the inner nodes of a tree), padded with zeros to whole groups of lanes.
pub(super) struct Matrices {
    pub(super) inputs: Vec<Lanes>,
    pub(super) outputs: Vec<Lanes>,
    pub(super) groups: usize,
    dims: usize,
}

impl Matrices {
    /// `inputs` rows uniform in ±1 divided by the number of dims, by the random numbers of what `stream_of` names, as gensim and
    /// fastText begin (`word2vec.c`: half of that); `outputs` rows of zeros.
    pub(super) fn new(
        dims: usize,
        inputs: usize,
        outputs: usize,
        stream_of: impl Fn(usize) -> Stream + Sync,
    ) -> Self {
        let groups = dims.div_ceil(LANES);
        let mut rows = vec![Lanes::ZERO; inputs * groups];
        rows.par_chunks_mut(groups).enumerate().for_each(|(row, lanes)| {
            let mut stream = stream_of(row);
            for at in 0..dims {
                lanes[at / LANES].0[at % LANES] = (stream.unit_f32() - 0.5) * 2.0 / dims as f32;
            }
        });
        Self { inputs: rows, outputs: vec![Lanes::ZERO; outputs * groups], groups, dims }
    }

    /// Numbers in a row.
    pub(super) fn dims(&self) -> usize {
        self.dims
    }

    /// The numbers of an input row.
    pub(super) fn input(&self, row: usize) -> impl Iterator<Item = f32> {
        numbers(&self.inputs[row * self.groups..][..self.groups], self.dims)
    }

    /// The numbers of an output row.
    pub(super) fn output(&self, row: usize) -> impl Iterator<Item = f32> {
        numbers(&self.outputs[row * self.groups..][..self.groups], self.dims)
    }

    pub(super) fn set_input(&mut self, row: usize, values: &[f32]) {
        let lanes = &mut self.inputs[row * self.groups..][..self.groups];
        for (at, &value) in values.iter().enumerate().take(self.dims) {
            lanes[at / LANES].0[at % LANES] = value;
        }
    }

    /// The input rows of `range` as vectors.
    pub(super) fn vectors(&self, range: std::ops::Range<usize>) -> Embeddings {
        let vectors = range.flat_map(|row| self.input(row)).collect();
        Embeddings { dims: self.dims, vectors }
    }

    /// For each word the mean of its rows.
    pub(super) fn composed(&self, subwords: &Subwords) -> Embeddings {
        let mean = |word: usize| {
            let rows: Vec<Vec<f32>> =
                subwords.rows_of(word).iter().map(|&row| self.input(row as usize).collect()).collect();
            mean(rows.iter().map(Vec::as_slice)).unwrap_or_default()
        };
        let words: Vec<Vec<f32>> = (0..subwords.words()).into_par_iter().map(mean).collect();
        Embeddings { dims: self.dims, vectors: words.concat() }
    }

    /// The mean squared length of the input rows of words with these counts, each counted so often; None of no word.
    pub(super) fn mean_square(&self, counts: &[u64]) -> Option<f64> {
        let square = |row| self.input(row).map(|x| f64::from(x) * f64::from(x)).sum::<f64>();
        let total: u64 = counts.iter().sum();
        let sum: f64 = counts.iter().enumerate().map(|(row, &count)| count as f64 * square(row)).sum();
        (total > 0).then(|| sum / total as f64)
    }
}

fn numbers(lanes: &[Lanes], dims: usize) -> impl Iterator<Item = f32> {
    lanes.iter().flat_map(|group| group.0).take(dims)
}

/// A vector for each word of a vocabulary, in the order of its ids.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Embeddings {
    dims: usize,
    vectors: Vec<f32>,
}

impl Embeddings {
    /// Vectors of `dims` numbers each, one after the other. None where `dims` is zero or does not divide their length.
    #[must_use]
    pub fn new(dims: usize, vectors: Vec<f32>) -> Option<Self> {
        (dims > 0 && vectors.len().is_multiple_of(dims)).then_some(Self { dims, vectors })
    }

    /// Numbers in a vector.
    #[must_use]
    pub fn dims(&self) -> usize {
        self.dims
    }

    /// How many words have a vector: those of ids below this.
    #[must_use]
    pub fn words(&self) -> usize {
        self.vectors.len() / self.dims
    }

    /// The vector of a word; None where it has none.
    #[must_use]
    pub fn vector(&self, word: usize) -> Option<&[f32]> {
        self.vectors.chunks_exact(self.dims).nth(word)
    }

    /// All vectors, row by row: words x dims.
    #[must_use]
    pub fn vectors(&self) -> &[f32] {
        &self.vectors
    }
}
