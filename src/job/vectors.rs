//! Word vectors of a job: the words of all documents by count, the training, and a vector for each document.

use std::ops::Range;
use std::path::Path;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::counting::Counted;
use super::desk::Desk;
use super::key::Key;
use super::lookup::Lexicon;
use super::plan::{EmbeddingsPlan, StartPlan};
use super::shelf::{Shards, Shelf};
use super::statistics::phrases;
use crate::corpus::Digest;
use crate::error::{Error, Result};
use crate::report::{WordRow, Written, tables};
use crate::text::counts::ShardCounts;
use crate::text::embeddings::{
    Checkpoint, Corpus, EmbeddingError, EmbeddingSettings, Embeddings, EpochRecord, NgramVectors, Prior,
    Progress, Start, Subwords, TokenFile, Tokens, Trained, document_vectors, train,
};
use crate::text::phrases::PhraseSettings;
use crate::text::{Interner, TermList};

/// A training that is killed loses at most this much, or [`CHECKPOINT_SHARE`] times what writing a checkpoint takes.
const CHECKPOINT_EVERY: Duration = Duration::from_secs(10);
/// Of the time at most one part in this many goes into checkpoints: those of a large vocabulary are large.
const CHECKPOINT_SHARE: u32 = 20;
/// Words of a corpus that lie in memory while it is trained on.
const HELD_TOKENS: usize = 16 << 20;

/// Trained word vectors and what follows from them.
#[derive(Serialize, Deserialize)]
pub(super) struct WordVectors {
    pub words: Vec<WordRow>,
    pub embeddings: Embeddings,
    /// Vectors of n-grams, with subwords.
    pub ngrams: Option<NgramVectors>,
    /// One for each document in the order of [`training_order`]; `None` where it has no word with a vector.
    documents: Vec<Option<Vec<f64>>>,
}

impl WordVectors {
    /// A vector for each document; `order` is the [`training_order`] of the documents.
    pub fn of_documents(&self, order: &[usize]) -> Vec<Option<&[f64]>> {
        let mut vectors = vec![None; order.len()];
        for (&document, vector) in order.iter().zip(&self.documents) {
            vectors[document] = vector.as_deref();
        }
        vectors
    }
}

/// The documents in the order in which they are trained on: by content, so that no renaming changes a vector.
pub(super) fn training_order(contents: &[(Digest, u64)]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..contents.len()).collect();
    order.sort_by_key(|&document| contents[document]);
    order
}

/// The words of the corpus with their counts, most frequent first, then by word; and for each shard its words' numbers there.
pub(super) struct WordList {
    pub words: Vec<WordRow>,
    /// `u32::MAX` for what is no word of the list.
    shard_ids: Vec<Vec<u32>>,
}

impl WordList {
    pub fn new(counted: &Counted) -> Result<Self> {
        let mut interner = Interner::default();
        let mut totals: Vec<u64> = Vec::new();
        let mut interned = Vec::with_capacity(counted.shards.len());
        // Terms of several words are in a shard's list too, but never in its token stream.
        let words_of_shard = |_, shard: &ShardCounts| {
            let occurrences = shard.occurrences();
            let words = occurrences.iter().zip(shard.terms().iter()).filter(|(count, _)| **count > 0);
            let words: TermList = words.map(|(_, word)| word).collect();
            Ok((occurrences, words))
        };
        counted.shards.in_order(words_of_shard, |(occurrences, words)| {
            let mut words = words.iter();
            let id_of = |count: u64| {
                if count == 0 {
                    return u32::MAX;
                }
                let id = words.next().map_or(u32::MAX, |word| interner.intern(word));
                totals.resize(totals.len().max(id as usize + 1), 0);
                totals[id as usize] += count;
                id
            };
            interned.push(occurrences.into_iter().map(id_of).collect::<Vec<u32>>());
        })?;
        let mut order: Vec<u32> = (0..totals.len() as u32).collect();
        let key = |id: u32| (std::cmp::Reverse(totals[id as usize]), interner.terms().term(id));
        order.sort_by(|&a, &b| key(a).cmp(&key(b)));
        let mut numbers = vec![u32::MAX; totals.len()];
        order.iter().enumerate().for_each(|(number, &id)| numbers[id as usize] = number as u32);
        let words = order
            .iter()
            .map(|&id| WordRow { term: interner.terms().term(id).to_owned(), count: totals[id as usize] })
            .collect();
        let number = |id: u32| numbers.get(id as usize).copied().unwrap_or(u32::MAX);
        let shard_ids = interned.into_iter().map(|ids| ids.into_iter().map(number).collect()).collect();
        Ok(Self { words, shard_ids })
    }

    /// Keeps the words that occur at least `min_count` times: they stand first.
    fn retain(&mut self, min_count: u64) {
        self.words.truncate(self.words.partition_point(|word| word.count >= min_count));
        let kept = self.words.len();
        self.shard_ids.iter_mut().flatten().filter(|id| **id as usize >= kept).for_each(|id| *id = u32::MAX);
    }
}

/// The token stream of the corpus and where its documents end.
struct Stream {
    held: Vec<u32>,
    /// In place of `held`, for a corpus of more than [`HELD_TOKENS`].
    filed: Option<TokenFile>,
    ends: Vec<usize>,
}

impl Stream {
    /// In the order `order` of the documents; a file lies in `folder`, and goes with the run.
    fn new(counted: &Counted, list: &WordList, order: &[usize], folder: &Path) -> Result<Self> {
        let mut lens = Vec::with_capacity(order.len());
        let lens_of_shard = |range: Range<usize>, shard: &ShardCounts| {
            Ok((0..range.len()).map(|document| shard.tokens(document).len()).collect::<Vec<usize>>())
        };
        counted.shards.in_order(lens_of_shard, |of_shard| lens.extend(of_shard))?;
        let mut starts = vec![0; lens.len()];
        let mut ends = Vec::with_capacity(order.len());
        let mut total = 0;
        for &document in order {
            starts[document] = total;
            total += lens[document];
            ends.push(total);
        }
        let failed = |error| Error::io("keep the words of a large corpus in", folder, error);
        let file = || TokenFile::new(tempfile::tempfile_in(folder)?, total);
        let filed = (total > HELD_TOKENS).then(file).transpose().map_err(failed)?;
        let mut held = vec![0; if filed.is_some() { 0 } else { total }];
        for (shard, range) in counted.shards.ranges().enumerate() {
            let (counts, ids) = (counted.shards.get(shard)?, &list.shard_ids[shard]);
            for (document, &start) in starts[range].iter().enumerate() {
                let words = counts.tokens(document);
                let numbers = words.iter().map(|&word| ids[word as usize]);
                match &filed {
                    Some(file) => file.write(start, &numbers.collect::<Vec<u32>>()).map_err(failed)?,
                    None => {
                        held[start..start + words.len()]
                            .iter_mut()
                            .zip(numbers)
                            .for_each(|(to, id)| *to = id);
                    }
                }
            }
        }
        Ok(Self { held, filed, ends })
    }

    fn tokens(&self) -> Tokens<'_> {
        self.filed.as_ref().map_or(Tokens::Held(&self.held), Tokens::Filed)
    }
}

/// Trains word vectors and writes their tables.
pub(super) fn embed(
    plan: &EmbeddingsPlan,
    counted: &Counted,
    order: &[usize],
    key: &Key,
    desk: &Desk<'_>,
) -> Result<(WordVectors, Vec<Written>)> {
    let settings = &plan.training;
    let joined = plan.phrases.as_ref().map(|phrases| join_phrases(counted, phrases, desk)).transpose()?;
    let counted = joined.as_ref().unwrap_or(counted);
    let (vectors, epochs) = trained(settings, plan.start.as_ref(), counted, order, key, desk)?;
    let table = tables::embeddings(&vectors.words, vectors.embeddings.vectors(), settings.dims);
    let mut written = vec![desk.write(table, "embeddings.parquet")?];
    if let Some(ngrams) = &vectors.ngrams {
        written.push(desk.write(tables::subwords(ngrams), "subwords.parquet")?);
    }
    if settings.held_out > 0.0 {
        written.push(desk.write(tables::training(&epochs), "training.parquet")?);
    }
    Ok((vectors, written))
}

/// The words of the documents with their phrases joined.
fn join_phrases(counted: &Counted, settings: &PhraseSettings, desk: &Desk<'_>) -> Result<Counted> {
    desk.stages.time("phrases", counted.shards.len() as u64, "shards", || {
        let phrases = phrases(counted, settings)?;
        let (shelf, mut places) = (Shelf::new(desk.folder.to_owned()), Vec::new());
        let put = |range, shard: &ShardCounts| {
            desk.interrupt.check()?;
            desk.stages.advance(1);
            Ok((range, shelf.put(phrases.join_shard(shard))?))
        };
        counted.shards.in_order(put, |place| places.push(place))?;
        Ok(Counted::of_shards(Shards::new(shelf, places)))
    })
}

/// Trains word vectors, and tells how the epochs went. A training that was ended goes on from its checkpoint.
pub(super) fn trained(
    settings: &EmbeddingSettings,
    start: Option<&StartPlan>,
    counted: &Counted,
    order: &[usize],
    key: &Key,
    desk: &Desk<'_>,
) -> Result<(WordVectors, Vec<EpochRecord>)> {
    let mut list = WordList::new(counted)?;
    list.retain(settings.min_count);
    let stream = Stream::new(counted, &list, order, desk.folder)?;
    let frequencies: Vec<u64> = list.words.iter().map(|word| word.count).collect();
    let corpus = Corpus { tokens: stream.tokens(), document_ends: &stream.ends, counts: &frequencies };
    let terms = || list.words.iter().map(|word| word.term.as_str());
    let subwords = settings.ngrams().map(|ngrams| Subwords::new(ngrams, terms()));
    let start = start.map(|start| {
        let known = Lexicon::read(&start.path)?.into_words();
        Ok(Start::new(&known, terms(), settings.ngrams()))
    });
    let start = start.transpose()?;
    let prior = Prior { subwords: subwords.as_ref(), start: start.as_ref() };
    let trained = train_at_desk(&corpus, prior, settings, key, desk)?;
    let documents = match &trained.documents {
        None => document_vectors(&trained.embeddings, &corpus),
        Some(vectors) => trained_documents(vectors, &corpus, list.words.len()),
    };
    let documents = documents.map_err(|error| Error::job_file("embeddings", error.to_string()))?;
    let Trained { embeddings, ngrams, epochs, .. } = trained;
    Ok((WordVectors { words: list.words, embeddings, ngrams, documents }, epochs))
}

/// The training as a stage: it tells how far it is, keeps checkpoints and can be interrupted.
fn train_at_desk(
    corpus: &Corpus,
    prior: Prior,
    settings: &EmbeddingSettings,
    key: &Key,
    desk: &Desk<'_>,
) -> Result<Trained> {
    let total = corpus.tokens.len() as u64 * settings.epochs as u64;
    desk.stages.time("embeddings", total, "tokens", || {
        let checkpoint = Key::of("checkpoint", key);
        let mut told = 0;
        let (mut kept, mut pause) = (Instant::now(), CHECKPOINT_EVERY);
        let mut after_round = |step: Progress, state: &dyn Fn() -> Checkpoint| {
            desk.stages.advance(step.tokens_done.saturating_sub(told));
            told = step.tokens_done;
            if let Some(loss) = step.loss {
                desk.stages.learned(step.epoch as u32 + 1, loss);
            }
            if kept.elapsed() >= pause {
                let begun = Instant::now();
                desk.store.save(&checkpoint, &state());
                pause = CHECKPOINT_EVERY.max(begun.elapsed() * CHECKPOINT_SHARE);
                kept = Instant::now();
            }
        };
        let from = desk.store.load(&checkpoint);
        let trained = train(corpus, prior, settings, from, &mut after_round, &desk.interrupt.flag());
        if trained.is_ok() {
            desk.store.forget(&checkpoint);
        }
        trained.map_err(|error| match error {
            EmbeddingError::Cancelled => desk.interrupt.error(),
            other => Error::job_file("embeddings", other.to_string()),
        })
    })
}

/// The trained vectors of documents; `None` where a document has no word of the vocabulary, so that nothing trained it.
fn trained_documents(
    vectors: &Embeddings,
    corpus: &Corpus,
    words: usize,
) -> std::result::Result<Vec<Option<Vec<f64>>>, EmbeddingError> {
    let rows = vectors.vectors().chunks_exact(vectors.dims());
    let known = |document: Range<usize>| -> std::result::Result<bool, EmbeddingError> {
        for piece in corpus.tokens.pieces(document) {
            if piece?.iter().any(|&word| (word as usize) < words) {
                return Ok(true);
            }
        }
        Ok(false)
    };
    let row = |(document, row): (Range<usize>, &[f32])| {
        Ok(known(document)?.then(|| row.iter().map(|&value| f64::from(value)).collect()))
    };
    corpus.documents().zip(rows).map(row).collect()
}
