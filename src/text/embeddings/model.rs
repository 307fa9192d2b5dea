//! The two matrices of a training, and the vectors that come out of it.

use rayon::prelude::*;

use crate::math::random::Stream;
use crate::simd::{LANES, Lanes};

/// Input and output rows of every word, padded with zeros to whole groups of lanes.
pub(super) struct Matrices {
    pub(super) inputs: Vec<Lanes>,
    pub(super) outputs: Vec<Lanes>,
    pub(super) groups: usize,
    dims: usize,
}

impl Matrices {
    /// Inputs uniform in ±1/2 divided by the number of dims, outputs zero (`word2vec.c`).
    pub(super) fn new(words: usize, dims: usize, seed: u64) -> Self {
        let groups = dims.div_ceil(LANES);
        let mut inputs = vec![Lanes::ZERO; words * groups];
        inputs.par_chunks_mut(groups).enumerate().for_each(|(word, row)| {
            let mut stream = Stream::new(seed, "word vectors, start", word as u64);
            for at in 0..dims {
                row[at / LANES].0[at % LANES] = (stream.unit_f32() - 0.5) / dims as f32;
            }
        });
        Self { inputs, outputs: vec![Lanes::ZERO; words * groups], groups, dims }
    }

    pub(super) fn into_embeddings(self) -> Embeddings {
        let mut vectors = Vec::with_capacity(self.inputs.len() / self.groups * self.dims);
        for row in self.inputs.chunks(self.groups) {
            vectors.extend(row.iter().flat_map(|group| group.0).take(self.dims));
        }
        Embeddings { dims: self.dims, vectors }
    }
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
