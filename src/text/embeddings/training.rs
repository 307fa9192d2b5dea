//! The training itself: rounds of shards and merges over all epochs.

use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::merging::{Norms, merge};
use super::model::{Embeddings, Matrices};
use super::rounds::{SHARDS, budget, sentences, shares};
use super::sampling::{Draws, Negatives, Subsampling};
use super::shard::{Shard, Task};
use super::{Corpus, EmbeddingError, EmbeddingSettings};
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
}

/// Takes what is told after every round; a checkpoint is made only when it is asked for.
pub type AfterRound<'a> = &'a mut dyn FnMut(Progress, &dyn Fn() -> Checkpoint);

/// Learns a vector for every word that occurs at least `min_count` times. The result depends on the corpus and the
/// settings alone; the current rayon pool gives the threads, of which up to eight help.
///
/// Goes on from the checkpoint `from` of the same corpus and settings; one of another shape is put aside. `after_round` is
/// told after every round; `cancelled` is asked before every sentence. A corpus without a word gives no vectors, one in
/// which no word has a neighbour leaves them as they began.
pub fn train(
    corpus: &Corpus,
    settings: &EmbeddingSettings,
    from: Option<Checkpoint>,
    after_round: AfterRound,
    cancelled: &AtomicBool,
) -> Result<Embeddings, EmbeddingError> {
    train_at(Width::detect(), corpus, settings, from, after_round, cancelled)
}

fn train_at(
    width: Width,
    corpus: &Corpus,
    settings: &EmbeddingSettings,
    from: Option<Checkpoint>,
    after_round: AfterRound,
    cancelled: &AtomicBool,
) -> Result<Embeddings, EmbeddingError> {
    settings.check()?;
    corpus.check()?;
    let mut training = Training::new(width, corpus, settings);
    let (first_epoch, mut first) = from.map_or((0, 0), |checkpoint| training.resume(&checkpoint));
    for epoch in first_epoch..settings.epochs {
        while first < training.sentences.len() && training.task.words > 0 {
            let budget = budget(settings.model, training.done, corpus.tokens.len() as u64);
            let shares = shares(&training.sentences, first, budget);
            first = shares[SHARDS - 1].end;
            let alpha = training.round(epoch, &shares, cancelled)?;
            let (tokens_done, tokens_total) = (training.done, training.total);
            let progress = Progress { tokens_done, tokens_total, epoch, alpha };
            after_round(progress, &|| training.checkpoint(epoch, first));
        }
        first = 0;
    }
    Ok(training.matrices.into_embeddings())
}

struct Training<'a> {
    width: Width,
    corpus: Corpus<'a>,
    sentences: Vec<Range<usize>>,
    task: Task,
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
    fn new(width: Width, corpus: &Corpus<'a>, settings: &EmbeddingSettings) -> Self {
        let words = corpus.counts.partition_point(|&count| count >= settings.min_count.max(1));
        let counts = &corpus.counts[..words];
        let task = Task {
            model: settings.model,
            window: settings.window,
            negatives: settings.negatives,
            subsampling: Subsampling::new(counts, settings.sample),
            distribution: Negatives::new(counts),
            words: words as u32,
        };
        let matrices = Matrices::new(words, settings.dims, settings.seed);
        Self {
            width,
            corpus: *corpus,
            sentences: sentences(corpus),
            shards: (0..SHARDS).map(|_| Shard::new(width, &matrices, &task)).collect(),
            task,
            matrices,
            // The squared norm of a row of numbers uniform in ±1/2, each divided by their number.
            input_norms: Norms::of(1.0 / (12.0 * settings.dims as f64)),
            output_norms: Norms::of(0.0),
            done: 0,
            total: corpus.tokens.len() as u64 * settings.epochs as u64,
            alpha: settings.alpha,
            seed: settings.seed,
        }
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
        }
    }

    /// Takes over a checkpoint and gives the epoch and the sentence to go on with.
    fn resume(&mut self, checkpoint: &Checkpoint) -> (usize, usize) {
        let Checkpoint { inputs, outputs, .. } = checkpoint;
        let numbers = self.matrices.inputs.len() * LANES;
        if inputs.len() != numbers || outputs.len() != numbers || checkpoint.sentence > self.sentences.len() {
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
        self.shards.par_iter_mut().zip(shares).with_max_len(1).for_each(|(shard, share)| {
            shard.set_alpha(alpha as f32);
            for sentence in share.clone() {
                if cancelled.load(Ordering::Relaxed) {
                    return;
                }
                let mut draws = Draws::new(seed, epoch, sentence);
                shard.train_sentence(task, matrices, &corpus.tokens[sentences[sentence].clone()], &mut draws);
            }
        });
        if cancelled.load(Ordering::Relaxed) {
            return Err(EmbeddingError::Cancelled);
        }
        self.merge(alpha)?;
        self.done += tokens;
        Ok(alpha)
    }

    fn merge(&mut self, alpha: f64) -> Result<(), EmbeddingError> {
        let groups = self.matrices.groups;
        let (input_decay, output_decay) = (self.output_norms.decay(alpha), self.input_norms.decay(alpha));
        let inputs: Vec<_> = self.shards.iter().map(|shard| &shard.inputs).collect();
        let outputs: Vec<_> = self.shards.iter().map(|shard| &shard.outputs).collect();
        let input_norms = merge(self.width, &mut self.matrices.inputs, groups, &inputs, input_decay);
        let output_norms = merge(self.width, &mut self.matrices.outputs, groups, &outputs, output_decay);
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::{Model, cosine, nearest};
    use super::*;
    use crate::math::random::Stream;

    /// A corpus; `words` are the words as they were before they were numbered.
    struct Text {
        words: Vec<u32>,
        tokens: Vec<u32>,
        ends: Vec<usize>,
        counts: Vec<u64>,
    }

    impl Text {
        /// Numbers the words of `documents` by falling count.
        fn new(documents: &[Vec<u32>]) -> Self {
            let mut counts = std::collections::BTreeMap::new();
            for &word in documents.iter().flatten() {
                *counts.entry(word).or_insert(0_u64) += 1;
            }
            let mut words: Vec<_> = counts.into_iter().collect();
            words.sort_by_key(|&(word, count)| (std::cmp::Reverse(count), word));
            let id = |word: &u32| words.iter().position(|(other, _)| other == word).unwrap() as u32;
            let mut ends = Vec::new();
            let mut tokens = Vec::new();
            for document in documents {
                tokens.extend(document.iter().map(id));
                ends.push(tokens.len());
            }
            let (words, counts) = words.into_iter().unzip();
            Self { words, tokens, ends, counts }
        }

        fn train(&self, settings: &EmbeddingSettings) -> Result<Embeddings, EmbeddingError> {
            train(&self.corpus(), settings, None, &mut |_, _| (), &AtomicBool::new(false))
        }

        fn corpus(&self) -> Corpus<'_> {
            Corpus { tokens: &self.tokens, document_ends: &self.ends, counts: &self.counts }
        }
    }

    /// Documents that turn about draw on the even and on the odd of `words` words.
    fn two_topics(documents: u64, len: usize, words: u32) -> Text {
        let document = |item| {
            let mut stream = Stream::new(9, "topics", item);
            (0..len).map(|_| 2 * stream.below(words / 2) + (item % 2) as u32).collect()
        };
        Text::new(&(0..documents).map(document).collect::<Vec<_>>())
    }

    #[test]
    fn the_same_bits_at_any_number_of_threads_and_width() {
        let text = two_topics(400, 30, 40);
        for model in [Model::SkipGram, Model::Cbow] {
            let settings =
                EmbeddingSettings { model, dims: 20, epochs: 2, sample: 0.0, ..EmbeddingSettings::default() };
            let at = |threads, width| {
                let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
                let trained = || {
                    train_at(width, &text.corpus(), &settings, None, &mut |_, _| (), &AtomicBool::new(false))
                        .unwrap()
                };
                pool.install(trained).vectors().iter().map(|value| value.to_bits()).collect::<Vec<_>>()
            };
            let expected = at(1, Width::detect());
            for threads in [2, 3, 8] {
                assert!(at(threads, Width::detect()) == expected, "{model} {threads}");
            }
            for width in Width::available() {
                assert!(at(2, width) == expected, "{model} {width:?}");
            }
        }
    }

    #[test]
    fn words_of_a_topic_come_out_near_each_other() {
        for (model, documents) in [(Model::SkipGram, 32), (Model::Cbow, 32), (Model::SkipGram, 2_000)] {
            let text = two_topics(documents, 20, 16);
            let epochs = if documents == 32 { 40 } else { 3 };
            let settings =
                EmbeddingSettings { model, dims: 12, epochs, sample: 0.0, ..EmbeddingSettings::default() };
            let embeddings = text.train(&settings).unwrap();
            for word in 0..16 {
                let near = nearest(&embeddings, word, 7);
                let topic = |word: usize| text.words[word] % 2;
                let alike = near.iter().all(|&(other, _)| topic(other) == topic(word));
                assert!(alike, "{model} {documents} {word} {near:?}");
            }
        }
    }

    #[test]
    fn rare_words_and_unknown_ones_are_skipped() {
        let mut text = Text::new(&[vec![1, 2, 1, 2, 3], vec![1, 2, 4]]);
        text.tokens[0] = Corpus::UNKNOWN;
        let settings = EmbeddingSettings { dims: 5, min_count: 3, ..EmbeddingSettings::default() };
        let embeddings = text.train(&settings).unwrap();
        assert_eq!((embeddings.words(), embeddings.dims()), (2, 5));
        assert!(cosine(embeddings.vector(0).unwrap(), embeddings.vector(1).unwrap()).is_finite());
        assert_eq!(embeddings.vector(2), None);
    }

    #[test]
    fn degenerate_corpora_have_a_clear_outcome() {
        let settings = EmbeddingSettings { min_count: 1, dims: 3, ..EmbeddingSettings::default() };
        for (documents, words) in [
            (vec![], 0),
            (vec![vec![], vec![]], 0),
            (vec![vec![7]], 1),
            (vec![vec![7; 5_000]], 1),
            (vec![(0..3_000).collect()], 3_000),
        ] {
            let embeddings = Text::new(&documents).train(&settings).unwrap();
            assert_eq!(embeddings.words(), words);
            assert!(embeddings.vectors().iter().all(|value| value.is_finite()));
        }
        let rare = EmbeddingSettings { min_count: 2, ..settings };
        assert_eq!(Text::new(&[vec![1, 2, 3]]).train(&rare).unwrap().words(), 0);
    }

    #[test]
    fn contradictions_are_named() {
        let settings = EmbeddingSettings::default();
        let train = |corpus: Corpus| train(&corpus, &settings, None, &mut |_, _| (), &AtomicBool::new(false));
        for corpus in [
            Corpus { tokens: &[0, 0], document_ends: &[1], counts: &[2] },
            Corpus { tokens: &[0, 0], document_ends: &[2, 1, 2], counts: &[2] },
            Corpus { tokens: &[0, 1], document_ends: &[2], counts: &[1, 2] },
        ] {
            assert!(matches!(train(corpus), Err(EmbeddingError::Corpus(_))));
        }
    }

    #[test]
    fn progress_ends_with_everything_done_and_cancelling_stops() {
        let text = two_topics(50, 20, 8);
        let settings = EmbeddingSettings { epochs: 2, dims: 8, ..EmbeddingSettings::default() };
        let mut seen = Vec::new();
        let mut note = |progress: Progress, _: &dyn Fn() -> Checkpoint| seen.push(progress);
        train(&text.corpus(), &settings, None, &mut note, &AtomicBool::new(false)).unwrap();
        let last = seen.last().unwrap();
        assert_eq!(
            (last.tokens_done, last.tokens_total, last.epoch),
            (last.tokens_total, 2 * text.tokens.len() as u64, 1)
        );
        assert!(seen.is_sorted_by(|a, b| a.tokens_done < b.tokens_done && a.alpha > b.alpha));
        let cancelled = train(&text.corpus(), &settings, None, &mut |_, _| (), &AtomicBool::new(true));
        assert_eq!(cancelled, Err(EmbeddingError::Cancelled));
    }

    #[test]
    fn a_training_goes_on_from_any_checkpoint_to_the_same_bits() {
        let text = two_topics(60, 20, 12);
        let settings = EmbeddingSettings { epochs: 2, dims: 9, sample: 0.0, ..EmbeddingSettings::default() };
        let mut checkpoints = Vec::new();
        let mut keep = |_, checkpoint: &dyn Fn() -> Checkpoint| checkpoints.push(checkpoint());
        let whole = train(&text.corpus(), &settings, None, &mut keep, &AtomicBool::new(false)).unwrap();
        assert!(checkpoints.len() > 20);
        for checkpoint in checkpoints.into_iter().step_by(7) {
            let resumed =
                train(&text.corpus(), &settings, Some(checkpoint), &mut |_, _| (), &AtomicBool::new(false));
            assert_eq!(resumed.unwrap(), whole);
        }
        let other = EmbeddingSettings { dims: 40, ..settings.clone() };
        let mut last = None;
        let mut keep = |_, checkpoint: &dyn Fn() -> Checkpoint| last = Some(checkpoint());
        train(&text.corpus(), &other, None, &mut keep, &AtomicBool::new(false)).unwrap();
        assert_eq!(
            train(&text.corpus(), &settings, last, &mut |_, _| (), &AtomicBool::new(false)).unwrap(),
            whole
        );
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn vectors_are_always_numbers(
            documents in prop::collection::vec(prop::collection::vec(0_u32..12, 0..40), 0..12),
            (cbow, dims, window, negatives) in (any::<bool>(), 1_usize..40, 1_usize..9, 1_usize..14),
            (epochs, sample, alpha) in (1_usize..6, prop::sample::select(vec![0.0, 1e-3, 1.0]), 0.01..0.2),
        ) {
            let model = if cbow { Model::Cbow } else { Model::SkipGram };
            let settings = EmbeddingSettings {
                model, dims, window, negatives, epochs, sample, alpha, min_count: 1, ..EmbeddingSettings::default()
            };
            let embeddings = Text::new(&documents).train(&settings).unwrap();
            prop_assert!(embeddings.vectors().iter().all(|value| value.is_finite()));
        }
    }
}
