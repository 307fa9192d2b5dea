//! Word vectors: skip-gram and continuous bag of words with negative sampling or hierarchical softmax (Mikolov et al. 2013,
//! "Distributed Representations of Words and Phrases and their Compositionality", with the semantics of `word2vec.c`), with the
//! n-grams of words (fastText) and with vectors of documents (PV-DBOW) where asked for.
//!
//! Training gives the same bytes at any number of threads. The corpus is cut into rounds; in a round one to eight logical
//! shards (`rounds`) train on copies of the rows they touch (`shard`), and the copies are then merged row by row in shard order
//! (`merging`). Random numbers depend on the sentence and the round alone, the learning rate on the round alone. The tokens lie in
//! memory or in a file (`stream`).

use std::ops::Range;

mod alignment;
mod documents;
pub mod evaluation;
pub mod formats;
mod graph;
mod keyed;
mod loss;
mod merging;
mod model;
mod neighbours;
mod ngrams;
mod rounds;
mod sampling;
mod settings;
mod shard;
mod start;
mod stream;
mod subwords;
mod training;
mod tree;

pub use alignment::align;
pub use documents::{document_vectors, remove_common_component};
pub use graph::nearly_nearest_of_all;
pub use keyed::KeyedVectors;
pub use model::Embeddings;
pub use neighbours::{cosine, nearest, nearest_of_all};
pub use ngrams::{CharacterNgrams, NgramVectors};
pub use settings::{EmbeddingError, EmbeddingSettings, Model, Softmax};
pub use start::Start;
pub use stream::{TokenFile, Tokens};
pub use subwords::Subwords;
pub use training::{AfterRound, Checkpoint, EpochRecord, Prior, Progress, Trained, train};

/// The words of a corpus as one stream of vocabulary ids.
#[derive(Debug, Clone, Copy)]
pub struct Corpus<'a> {
    /// Ids from 0 by falling count. Words outside the vocabulary are absent or [`Corpus::UNKNOWN`], and are skipped.
    pub tokens: Tokens<'a>,
    /// Where each document ends in `tokens`, rising; the last is the length of `tokens`.
    pub document_ends: &'a [usize],
    /// How often each id occurs, falling.
    pub counts: &'a [u64],
}

impl Corpus<'_> {
    /// Stands for a word that is not in the vocabulary.
    pub const UNKNOWN: u32 = u32::MAX;

    /// Where the tokens of each document stand, in order.
    #[must_use]
    pub fn documents(&self) -> impl ExactSizeIterator<Item = Range<usize>> + '_ {
        let end = |document: usize| self.document_ends[document];
        (0..self.document_ends.len())
            .map(move |document| if document == 0 { 0 } else { end(document - 1) }..end(document))
    }

    fn check(&self) -> Result<(), EmbeddingError> {
        if self.document_ends.last().copied().unwrap_or(0) != self.tokens.len()
            || !self.document_ends.is_sorted()
        {
            return Err(EmbeddingError::Corpus("the documents do not make up the token stream"));
        }
        if !self.counts.is_sorted_by(|a, b| a >= b) {
            return Err(EmbeddingError::Corpus("the counts do not fall"));
        }
        if u32::try_from(self.counts.len()).is_err() {
            return Err(EmbeddingError::Corpus("the vocabulary has more than 2^32 - 1 words"));
        }
        Ok(())
    }
}
