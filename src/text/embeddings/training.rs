//! The training itself: rounds of shards and merges over all epochs.

use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::loss::held_out_loss;
use super::merging::{Norms, merge};
use super::model::{Embeddings, Matrices};
use super::rounds::{Pace, SHARDS, sentences};
use super::sampling::{Draws, Negatives, Subsampling};
use super::shard::{Shard, Task};
use super::tree::Tree;
use super::{Corpus, EmbeddingError, EmbeddingSettings, NgramVectors, Softmax, Start, Subwords};
use crate::math::random::Stream;
use crate::simd::{LANES, Lanes, Width};

/// The learning rate ends at this part of its first value.
const FLOOR: f64 = 1e-4;

/// How far a training is, after a round.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Progress {
    /// Tokens gone through, over all epochs.
    pub tokens_done: u64,
    /// Tokens to go through, over all epochs.
    pub tokens_total: u64,
    /// The epoch under way, from 0.
    pub epoch: usize,
    /// The learning rate of the round.
    pub alpha: f64,
    /// The mean loss on held-out windows, after the last round of an epoch.
    pub loss: Option<f64>,
}

/// How the training stood after an epoch.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct EpochRecord {
    /// Epochs that were trained; 0: before the first.
    pub epoch: u32,
    /// Tokens gone through.
    pub tokens: u64,
    /// The learning rate of its last round; of the first round before it.
    pub alpha: f64,
    /// The mean loss on held-out windows; None where none are held out.
    pub loss: Option<f64>,
}

/// What a training starts from beside the corpus.
#[derive(Debug, Clone, Copy, Default)]
pub struct Prior<'a> {
    /// The rows of the words, where they share those of their n-grams.
    pub subwords: Option<&'a Subwords>,
    /// Vectors of some words.
    pub start: Option<&'a Start>,
}

/// What a training gives.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Trained {
    /// A vector for each word.
    pub embeddings: Embeddings,
    /// The vectors of n-grams, with subwords.
    pub ngrams: Option<NgramVectors>,
    /// A vector for each document (PV-DBOW), where that was asked for. A document without a word of the vocabulary keeps the
    /// random numbers that it began with.
    pub documents: Option<Embeddings>,
    /// Before the first epoch and after each.
    pub epochs: Vec<EpochRecord>,
}

/// A training between two rounds: from here it goes on to the same bytes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Checkpoint {
    inputs: Vec<f32>,
    outputs: Vec<f32>,
    input_norms: Norms,
    output_norms: Norms,
    done: u64,
    epoch: usize,
    /// The first sentence of the epoch that is not trained yet.
    sentence: usize,
    records: Vec<EpochRecord>,
}

/// Takes what is told after every round; a checkpoint is made only when it is asked for.
pub type AfterRound<'a> = &'a mut dyn FnMut(Progress, &dyn Fn() -> Checkpoint);

/// Learns a vector for every word that occurs at least `min_count` times. The result depends on the corpus, the prior and the
/// settings alone; the current rayon pool gives the threads, of which up to eight help.
///
/// Goes on from the checkpoint `from` of the same corpus and settings; one of another shape is put aside. `after_round` is
/// told after every round; `cancelled` is asked before every sentence. A corpus without a word gives no vectors, one in
/// which no word has a neighbour leaves them as they began.
pub fn train(
    corpus: &Corpus,
    prior: Prior,
    settings: &EmbeddingSettings,
    from: Option<Checkpoint>,
    after_round: AfterRound,
    cancelled: &AtomicBool,
) -> Result<Trained, EmbeddingError> {
    train_at((Width::detect(), Pace::of(settings)), corpus, prior, settings, from, after_round, cancelled)
}

fn train_at(
    (width, pace): (Width, Pace),
    corpus: &Corpus,
    prior: Prior,
    settings: &EmbeddingSettings,
    from: Option<Checkpoint>,
    after_round: AfterRound,
    cancelled: &AtomicBool,
) -> Result<Trained, EmbeddingError> {
    settings.check()?;
    corpus.check()?;
    let mut training = Training::new(width, corpus, prior, settings)?;
    let (first_epoch, mut first) = from.map_or((0, 0), |checkpoint| training.resume(checkpoint));
    let mut alpha = settings.alpha;
    if training.records.is_empty() {
        training.record(0, alpha)?;
    }
    for epoch in first_epoch..settings.epochs {
        while first < training.sentences.len() && training.task.words > 0 {
            let budget = pace.budget(training.done, training.total / settings.epochs as u64);
            let shares = pace.shares(&training.sentences, first, budget);
            first = shares[SHARDS - 1].end;
            alpha = training.round(epoch, &shares, cancelled)?;
            let ended = first == training.sentences.len();
            if ended {
                training.record(epoch + 1, alpha)?;
            }
            let loss = training.records.last().and_then(|record| record.loss).filter(|_| ended);
            let (tokens_done, tokens_total) = (training.done, training.total);
            let progress = Progress { tokens_done, tokens_total, epoch, alpha, loss };
            after_round(progress, &|| training.checkpoint(epoch, first));
        }
        first = 0;
    }
    Ok(training.finish())
}

struct Training<'a> {
    width: Width,
    corpus: Corpus<'a>,
    sentences: Vec<Range<usize>>,
    held_out: Vec<Range<usize>>,
    records: Vec<EpochRecord>,
    task: Task<'a>,
    matrices: Matrices,
    shards: Vec<Shard>,
    input_norms: Norms,
    output_norms: Norms,
    done: u64,
    total: u64,
    alpha: f64,
    seed: u64,
}

impl<'a> Training<'a> {
    fn new(
        width: Width,
        corpus: &Corpus<'a>,
        prior: Prior<'a>,
        settings: &EmbeddingSettings,
    ) -> Result<Self, EmbeddingError> {
        let words = corpus.counts.partition_point(|&count| count >= settings.min_count.max(1));
        let counts = &corpus.counts[..words];
        if prior.subwords.is_some_and(|subwords| subwords.words() != words) {
            return Err(EmbeddingError::Corpus("the subwords are not those of the vocabulary"));
        }
        let buckets = prior.subwords.map_or(&[][..], Subwords::buckets);
        let documents = if settings.documents { corpus.document_ends.len() } else { 0 };
        let rows = words + buckets.len() + documents;
        if u32::try_from(rows + 1).is_err() {
            return Err(EmbeddingError::Corpus("words, n-grams and documents are more than 2^32"));
        }
        let tree = (settings.softmax == Softmax::Hierarchical).then(|| Tree::new(counts));
        let stream_of = |row: usize| {
            let (purpose, item) = match row.checked_sub(words) {
                None => ("word vectors, start", row as u64),
                Some(ngram) => match buckets.get(ngram) {
                    Some(&bucket) => ("word vectors, start of n-grams", u64::from(bucket)),
                    None => ("word vectors, start of documents", (ngram - buckets.len()) as u64),
                },
            };
            Stream::new(settings.seed, purpose, item)
        };
        let outputs = tree.as_ref().map_or(words, Tree::inner);
        let mut matrices = Matrices::new(settings.dims, rows, outputs, stream_of);
        if let Some(start) = prior.start {
            begin(&mut matrices, start, prior.subwords, words)?;
        }
        // The squared norm of a row of numbers uniform in ±1, each divided by their number.
        let mut square = 1.0 / (3.0 * settings.dims as f64);
        if prior.start.is_some() {
            square = matrices.mean_square(counts).unwrap_or(square);
        }
        let task = Task {
            model: settings.model,
            window: settings.window,
            negatives: settings.negatives,
            subsampling: Subsampling::new(counts, settings.sample),
            distribution: Negatives::new(counts),
            words: words as u32,
            subwords: prior.subwords,
            tree,
            first_document: settings.documents.then_some((words + buckets.len()) as u32),
        };
        let (held_out, sentences) = held_out(sentences(corpus), settings);
        let tokens: u64 = sentences.iter().map(|sentence| sentence.len() as u64).sum();
        Ok(Self {
            width,
            corpus: *corpus,
            sentences,
            held_out,
            records: Vec::new(),
            shards: (0..SHARDS).map(|_| Shard::new(width, &matrices, &task)).collect(),
            task,
            matrices,
            input_norms: Norms::of(square),
            output_norms: Norms::of(0.0),
            done: 0,
            total: tokens * settings.epochs as u64,
            alpha: settings.alpha,
            seed: settings.seed,
        })
    }

    /// Notes how the training stands.
    fn record(&mut self, epoch: usize, alpha: f64) -> Result<(), EmbeddingError> {
        let loss = held_out_loss(&self.task, &self.matrices, &self.corpus, &self.held_out, self.seed)?;
        self.records.push(EpochRecord { epoch: epoch as u32, tokens: self.done, alpha, loss });
        Ok(())
    }

    fn finish(self) -> Trained {
        let Self { matrices, task, corpus, records, .. } = self;
        let words = task.words as usize;
        let buckets = task.subwords.map_or(0, |subwords| subwords.buckets().len());
        let ngrams = task.subwords.and_then(|subwords| {
            let vectors = matrices.vectors(words..words + buckets);
            NgramVectors::new(subwords.ngrams(), subwords.buckets().to_vec(), vectors)
        });
        let first = words + buckets;
        let documents =
            task.first_document.map(|_| matrices.vectors(first..first + corpus.document_ends.len()));
        let embeddings = match task.subwords {
            Some(subwords) => matrices.composed(subwords),
            None => matrices.vectors(0..words),
        };
        Trained { embeddings, ngrams, documents, epochs: records }
    }

    fn checkpoint(&self, epoch: usize, sentence: usize) -> Checkpoint {
        let numbers = |rows: &[Lanes]| rows.iter().flat_map(|lanes| lanes.0).collect();
        Checkpoint {
            inputs: numbers(&self.matrices.inputs),
            outputs: numbers(&self.matrices.outputs),
            input_norms: self.input_norms,
            output_norms: self.output_norms,
            done: self.done,
            epoch,
            sentence,
            records: self.records.clone(),
        }
    }

    /// Takes over a checkpoint and gives the epoch and the sentence to go on with.
    fn resume(&mut self, checkpoint: Checkpoint) -> (usize, usize) {
        let Checkpoint { inputs, outputs, .. } = &checkpoint;
        let fits = |numbers: &[f32], rows: &[Lanes]| numbers.len() == rows.len() * LANES;
        if !fits(inputs, &self.matrices.inputs)
            || !fits(outputs, &self.matrices.outputs)
            || checkpoint.sentence > self.sentences.len()
        {
            return (0, 0);
        }
        let fill = |rows: &mut [Lanes], numbers: &[f32]| {
            rows.iter_mut()
                .zip(numbers.chunks_exact(LANES))
                .for_each(|(lanes, part)| lanes.0.copy_from_slice(part));
        };
        fill(&mut self.matrices.inputs, inputs);
        fill(&mut self.matrices.outputs, outputs);
        (self.input_norms, self.output_norms) = (checkpoint.input_norms, checkpoint.output_norms);
        self.done = checkpoint.done;
        self.records = checkpoint.records;
        (checkpoint.epoch, checkpoint.sentence)
    }

    /// Trains one round and gives its learning rate: that of the round's middle, for all of its sentences.
    fn round(
        &mut self,
        epoch: usize,
        shares: &[Range<usize>; SHARDS],
        cancelled: &AtomicBool,
    ) -> Result<f64, EmbeddingError> {
        let tokens: u64 =
            shares.iter().flat_map(|share| &self.sentences[share.clone()]).map(|s| s.len() as u64).sum();
        let middle = (self.done as f64 + tokens as f64 / 2.0) / self.total as f64;
        let alpha = self.alpha * (1.0 - middle).max(FLOOR);
        let (corpus, sentences, seed) = (self.corpus, &self.sentences, self.seed);
        let (task, matrices) = (&self.task, &self.matrices);
        self.shards.par_iter_mut().zip(shares).with_max_len(1).try_for_each(|(shard, share)| {
            if share.is_empty() {
                return Ok(());
            }
            let tokens = sentences[share.clone()].iter().map(Range::len).sum();
            let mut draws = Draws::of_pool(seed, epoch, share.start);
            shard.begin_round(task, matrices, (alpha as f32, tokens), &mut draws);
            for sentence in share.clone() {
                if cancelled.load(Ordering::Relaxed) {
                    return Err(EmbeddingError::Cancelled);
                }
                let mut draws = Draws::new(seed, epoch, sentence);
                let range = sentences[sentence].clone();
                let document = corpus.document_ends.partition_point(|&end| end <= range.start);
                let tokens = corpus.tokens.range(range)?;
                shard.train_sentence(task, matrices, (&tokens, document), &mut draws);
            }
            Ok(())
        })?;
        self.merge(alpha)?;
        self.done += tokens;
        Ok(alpha)
    }

    fn merge(&mut self, alpha: f64) -> Result<(), EmbeddingError> {
        let groups = self.matrices.groups;
        let (input_decay, output_decay) = (self.output_norms.decay(alpha), self.input_norms.decay(alpha));
        let inputs: Vec<_> = self.shards.iter().map(|shard| &shard.inputs).collect();
        let outputs: Vec<_> = self.shards.iter().map(|shard| &shard.outputs).collect();
        let (width, matrices) = (self.width, &mut self.matrices);
        let (input_norms, output_norms) = rayon::join(
            || merge(width, &mut matrices.inputs, groups, &inputs, input_decay),
            || merge(width, &mut matrices.outputs, groups, &outputs, output_decay),
        );
        if !input_norms.finite() || !output_norms.finite() {
            return Err(EmbeddingError::Diverged(alpha.to_string()));
        }
        // A round without a window tells nothing about the rows.
        if input_norms != Norms::default() {
            (self.input_norms, self.output_norms) = (input_norms, output_norms);
        }
        self.shards.par_iter_mut().for_each(|shard| {
            shard.inputs.clear();
            shard.outputs.clear();
        });
        Ok(())
    }
}

/// Sentences that are held out, and those that are trained on.
fn held_out(
    sentences: Vec<Range<usize>>,
    settings: &EmbeddingSettings,
) -> (Vec<Range<usize>>, Vec<Range<usize>>) {
    let mut index = 0;
    sentences.into_iter().partition(|_| {
        index += 1;
        let draw = || Stream::new(settings.seed, "word vectors, held out", index).unit_f64();
        settings.held_out > 0.0 && draw() < settings.held_out
    })
}

/// Lets known words start with their vectors. With subwords a word's own row makes up for what its n-grams say.
fn begin(
    matrices: &mut Matrices,
    start: &Start,
    subwords: Option<&Subwords>,
    words: usize,
) -> Result<(), EmbeddingError> {
    let dims = matrices.dims();
    if start.dims() != dims {
        return Err(EmbeddingError::StartDims { dims, start: start.dims() });
    }
    if let Some(subwords) = subwords {
        for (bucket, vector) in start.buckets() {
            if let Ok(place) = subwords.buckets().binary_search(&bucket) {
                matrices.set_input(words + place, vector);
            }
        }
    }
    for (word, vector) in start.words().filter(|(word, _)| (*word as usize) < words) {
        let rows = subwords.map_or(&[][..], |subwords| subwords.rows_of(word as usize));
        let mut own: Vec<f64> = vector.iter().map(|&x| f64::from(x) * rows.len().max(1) as f64).collect();
        for &row in rows.iter().skip(1) {
            own.iter_mut().zip(matrices.input(row as usize)).for_each(|(own, x)| *own -= f64::from(x));
        }
        let own: Vec<f32> = own.into_iter().map(|x| x as f32).collect();
        matrices.set_input(word as usize, &own);
    }
    Ok(())
}

#[cfg(test)]
mod tests;
