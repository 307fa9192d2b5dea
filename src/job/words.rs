//! The text side of a run: documents to tokens, counts, weights, statistics and vectors.

use std::cell::Cell;
use std::ops::Range;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::counting::{Counted, Counting, counting_settings, shards_of};
use super::desk::Desk;
use super::inputs::{Input, Inputs};
use super::key::Key;
use super::plan::{DocumentsPlan, ModelPlan, TokensPlan};
use super::settings::Settings;
use super::store::{Kept, Store};
use super::vectors::{WordList, WordVectors, embed, training_order};
use crate::corpus::{DocumentReader, DocumentRef, Quarantined, Stage, Warned};
use crate::error::{Error, Result};
use crate::report::{DocumentRow, DuplicateRow, Written, tables};
use crate::text::TextError;
use crate::text::bag_of_words::BagOfWords;
use crate::text::collocations::{Collocation, PairCounts};
use crate::text::counts::ShardCounts;
use crate::text::duplicates::Signatures;
use crate::text::keyness::{GroupCounts, Keyness};
use crate::text::model::{PieceCounter, PieceCounts, TokenModel, TrainingSettings};
use crate::text::tokens::Tokenizer;
use crate::text::vocabulary::Vocabulary;

/// What the text stages found.
#[derive(Default)]
pub(super) struct Words {
    /// By id.
    pub documents: Vec<DocumentRow>,
    pub quarantined: Vec<Quarantined>,
    pub warned: Vec<Warned>,
    pub written: Vec<Written>,
    /// Distinct words of all documents.
    pub types: u64,
    pub vocabulary: Option<(Vocabulary, Vec<f64>)>,
    pub collocations: Vec<Collocation>,
    pub keyness: Option<Vec<Keyness>>,
    pub duplicates: Option<Vec<DuplicateRow>>,
    pub vectors: Option<WordVectors>,
    /// The documents in the order in which `vectors` has them.
    pub order: Vec<usize>,
    /// The content of each input, used or not.
    pub contents: Vec<String>,
    /// The keys of what is compared with sound, documents and vectors: a comparison depends on nothing else of these.
    pub keys: Vec<Key>,
}

/// The keys of what is made of the documents.
pub(super) struct WordKeys {
    pub documents: Key,
    pub bag_of_words: Key,
    pub collocations: Key,
    pub keyness: Key,
    pub duplicates: Key,
}

impl WordKeys {
    /// The keys for these inputs; `model` is the tokenizer's own text.
    pub fn new(
        inputs: &Inputs<DocumentRef>,
        contents: &[String],
        model: Option<&str>,
        settings: &Settings,
    ) -> Self {
        let key = |purpose: &str, own: &[&str]| {
            let common = [settings.documents.as_str(), settings.tokens.as_str()];
            let all: Vec<&str> = common.into_iter().chain(model).chain(own.iter().copied()).collect();
            inputs.key(purpose, &all, contents)
        };
        Self {
            documents: key("documents", &[&settings.ngrams]),
            bag_of_words: key("bag_of_words", &[&settings.ngrams, &settings.bag_of_words]),
            collocations: key("collocations", &[&settings.collocations]),
            keyness: key("keyness", &[&settings.keyness]),
            duplicates: key("duplicates", &[&settings.duplicates]),
        }
    }
}

/// The key of the word vectors of `documents`, with the order in which they are trained on.
fn vectors_key(documents: &[DocumentRow], model: Option<&str>, settings: &Settings) -> (Key, Vec<usize>) {
    // Files of the same bytes may be read as different formats: their lengths tell them apart.
    let contents: Vec<(&str, u64)> = documents.iter().map(|row| (row.blake3.as_str(), row.chars)).collect();
    let order = training_order(&contents);
    let sorted: Vec<(&str, u64)> = order.iter().map(|&document| contents[document]).collect();
    (Key::of("embeddings", &(&settings.tokens, model, &settings.embeddings, sorted)), order)
}

/// The key of the word vectors of the documents kept under `documents`.
pub(super) fn kept_vectors_key(
    store: &Store,
    documents: &Key,
    model: Option<&str>,
    settings: &Settings,
) -> Option<Key> {
    let kept: Kept<Documents> = store.load(documents)?;
    Some(vectors_key(&kept.state.rows, model, settings).0)
}

/// The documents as a stage of its own.
#[derive(Serialize, Deserialize)]
struct Documents {
    rows: Vec<DocumentRow>,
    quarantined: Vec<Quarantined>,
    warned: Vec<Warned>,
    types: u64,
}

/// Runs the text stages that `plan` asks for and writes their tables.
pub(super) fn run(plan: &DocumentsPlan, inputs: &mut Inputs<DocumentRef>, desk: &Desk<'_>) -> Result<Words> {
    let mut words = Words::default();
    let model = model(plan, inputs, desk)?;
    if let Some(json) = &model {
        words.written.push(desk.write_file(json.as_bytes(), "tokenizer.json")?);
    }
    let tokenizer = tokenizer(plan, model.as_deref())?;
    let settings = counting_settings(desk, model.as_deref().unwrap_or_default());
    let counting = Counting::new(plan, desk, inputs, tokenizer, settings);
    let contents = match inputs.contents() {
        Some(contents) => contents,
        None => counting.counted()?.contents.clone(),
    };
    let keys = WordKeys::new(inputs, &contents, model.as_deref(), desk.settings);
    documents(&counting, keys.documents, desk, &mut words)?;
    if counting.has_tokens() {
        weigh(plan, &counting, keys.bag_of_words, desk, &mut words)?;
        describe(plan, &counting, &keys, desk, &mut words)?;
        vectors(plan, &counting, model.as_deref(), desk, &mut words)?;
    }
    counting.retain(&contents);
    words.contents = contents;
    // Without it the next night reads every file: slower, no less right.
    let _ = desk.inventory.save(false);
    Ok(words)
}

/// The text of the tokenizer's model, where the job has one; one that is to be trained reads the corpus for itself.
pub(super) fn model(
    plan: &DocumentsPlan,
    inputs: &mut Inputs<DocumentRef>,
    desk: &Desk<'_>,
) -> Result<Option<String>> {
    let json = match plan.tokens.as_ref().and_then(|tokens| tokens.model.as_ref()) {
        None => return Ok(None),
        Some(ModelPlan::Load { json, .. }) => {
            TokenModel::from_json(json).and_then(|m| m.to_json()).map_err(refused)?
        }
        Some(ModelPlan::Train(training)) => {
            identify(plan, &mut inputs.references, desk)?;
            let key = model_key(*training, inputs);
            desk.remember(&key, || Ok((train_model(plan, *training, &inputs.references, desk)?, Vec::new())))?
                .0
        }
    };
    Ok(Some(json))
}

/// A model depends on the texts that it is trained on, whatever they are called.
fn model_key(training: TrainingSettings, inputs: &Inputs<DocumentRef>) -> Key {
    let mut contents: Vec<Option<String>> = inputs.references.iter().map(Input::content).collect();
    contents.sort_unstable();
    Key::of("tokenizer", &(training, contents))
}

/// The text of the tokenizer's model, if it is at hand without training.
pub(super) fn kept_model(
    plan: &DocumentsPlan,
    inputs: &Inputs<DocumentRef>,
    desk: &Desk<'_>,
) -> Option<String> {
    match plan.tokens.as_ref()?.model.as_ref()? {
        ModelPlan::Load { json, .. } => TokenModel::from_json(json).and_then(|model| model.to_json()).ok(),
        ModelPlan::Train(training) => {
            let kept: Kept<String> = desk.store.load(&model_key(*training, inputs))?;
            Some(kept.state)
        }
    }
}

/// Learns the content of the documents that are not known, by reading them.
fn identify(plan: &DocumentsPlan, references: &mut [DocumentRef], desk: &Desk<'_>) -> Result<()> {
    let reader = DocumentReader::new(&plan.rules).unpacking_into(desk.folder);
    references.par_iter_mut().filter(|reference| reference.blake3.is_none()).try_for_each(|reference| {
        desk.interrupt.check()?;
        let content = match reader.read(&[&*reference]).pop() {
            Some(Ok(document)) => Some(document.blake3),
            Some(Err(unread)) => unread.blake3,
            None => None,
        };
        if let Some(blake3) = content.as_ref().filter(|_| reference.is_whole_file()) {
            desk.inventory.note(&reference.stamp, &reference.source, blake3);
        }
        reference.blake3 = content;
        Ok(())
    })
}

fn train_model(
    plan: &DocumentsPlan,
    training: TrainingSettings,
    references: &[DocumentRef],
    desk: &Desk<'_>,
) -> Result<String> {
    let reader = DocumentReader::new(&plan.rules).unpacking_into(desk.folder);
    let pieces: Vec<Result<PieceCounts>> = shards_of(references)
        .into_par_iter()
        .map(|shard| {
            desk.interrupt.check()?;
            let mut counter = PieceCounter::new(training).map_err(refused)?;
            let shard: Vec<&DocumentRef> = references[shard].iter().collect();
            for document in reader.read(&shard).into_iter().flatten() {
                counter.add(&document.text).map_err(refused)?;
            }
            Ok(counter.finish())
        })
        .collect();
    let mut all = PieceCounts::default();
    for shard in pieces {
        all.merge(&shard?);
    }
    TokenModel::train(training, &all).and_then(|model| model.to_json()).map_err(refused)
}

#[allow(clippy::needless_pass_by_value, reason = "stands in map_err")]
fn refused(error: TextError) -> Error {
    Error::job_file("tokens", error.to_string())
}

pub(super) fn tokenizer(plan: &DocumentsPlan, model: Option<&str>) -> Result<Option<Tokenizer>> {
    let Some(TokensPlan { settings, .. }) = &plan.tokens else { return Ok(None) };
    let tokenizer = match model {
        None => Tokenizer::new(settings),
        Some(json) => {
            TokenModel::from_json(json.as_bytes()).and_then(|model| Tokenizer::with_model(settings, model))
        }
    };
    tokenizer.map(Some).map_err(refused)
}

/// `documents`, and everything that is known of a document by itself.
fn documents(counting: &Counting<'_>, key: Key, desk: &Desk<'_>, words: &mut Words) -> Result<()> {
    let (state, written) = desk.remember(&key, || {
        let counted = counting.counted()?;
        let types = if counting.has_tokens() { WordList::new(counted).words.len() as u64 } else { 0 };
        let written =
            desk.write(tables::documents(&counted.documents, counting.kept_names()), "documents.parquet")?;
        let Counted { documents, quarantined, warned, .. } = counted;
        let (rows, quarantined, warned) = (documents.clone(), quarantined.clone(), warned.clone());
        Ok((Documents { rows, quarantined, warned, types }, vec![written]))
    })?;
    desk.stages.seen(if counting.has_tokens() { &["read", "tokens"] } else { &["read"] }, state.rows.len());
    words.documents = state.rows;
    words.quarantined = state.quarantined;
    words.warned = state.warned;
    words.types = state.types;
    words.written.extend(written);
    words.keys.push(key);
    Ok(())
}

/// The bag of words: `vocabulary` and a part of `terms` for each shard.
fn weigh(
    plan: &DocumentsPlan,
    counting: &Counting<'_>,
    key: Key,
    desk: &Desk<'_>,
    words: &mut Words,
) -> Result<()> {
    let Some(bag) = &plan.bag_of_words else { return Ok(()) };
    let documents = &words.documents;
    let (state, written) = desk.remember(&key, || {
        let counted = counting.counted()?;
        desk.stages.time("bag_of_words", documents.len() as u64, "documents", || {
            let shards = counted.shards.iter().map(|(_, shard)| shard);
            let vocabulary = Vocabulary::merge(shards, &bag.vocabulary)
                .map_err(|error| Error::job_file("bag_of_words", error.to_string()))?;
            let weights = BagOfWords::new(&vocabulary, bag.weights);
            desk.make_folder("terms")?;
            let part = |(i, range, shard): (usize, Range<usize>, &ShardCounts)| {
                desk.interrupt.check()?;
                let ids: Vec<&str> = documents[range.clone()].iter().map(|row| row.doc_id.as_str()).collect();
                let table = tables::terms(weights.transform(shard), &ids);
                let written = desk.write(table, &format!("terms/part-{i:05}.parquet"));
                desk.stages.advance(range.len() as u64);
                written
            };
            let empty = ShardCounts::default();
            let parts: Vec<_> = counted
                .shards
                .iter()
                .enumerate()
                .map(|(i, (range, shard))| (i, range.clone(), shard))
                .collect();
            // A table exists even when nothing was read: one part without rows.
            let parts = if parts.is_empty() { vec![(0, 0..0, &empty)] } else { parts };
            let mut written = parts.into_par_iter().map(part).collect::<Result<Vec<Written>>>()?;
            written.push(desk.write(tables::vocabulary(&vocabulary, weights.idf()), "vocabulary.parquet")?);
            let idf = weights.idf().to_vec();
            Ok(((vocabulary, idf), written))
        })
    })?;
    desk.stages.seen(&["bag_of_words"], documents.len());
    words.written.extend(written);
    words.vocabulary = Some(state);
    Ok(())
}

/// The statistics of the corpus: collocations, keyness, near-duplicates.
fn describe(
    plan: &DocumentsPlan,
    counting: &Counting<'_>,
    keys: &WordKeys,
    desk: &Desk<'_>,
    words: &mut Words,
) -> Result<()> {
    let Some(section) = &plan.statistics else { return Ok(()) };
    let documents = &words.documents;
    // The three are one stage.
    let total = Cell::new(documents.len() as u64);
    let (collocations, written) = desk.remember(&keys.collocations, || {
        let asked = section.collocations;
        let rows = asked.then(|| of_corpus(counting, desk, &total, collocations)).transpose()?;
        let rows = rows.unwrap_or_default();
        let written = desk.write(tables::collocations(&rows), "collocations.parquet")?;
        Ok((rows, vec![written]))
    })?;
    words.written.extend(written);
    let (keyness, written) = desk.remember(&keys.keyness, || {
        let of_group = |counted: &Counted| keyness(counted, documents, &section.keyness);
        let asked = !section.keyness.is_empty();
        let rows = asked.then(|| of_corpus(counting, desk, &total, of_group)).transpose()?;
        let written = desk.write(tables::keyness(rows.as_deref().unwrap_or_default()), "keyness.parquet")?;
        Ok((rows, vec![written]))
    })?;
    words.written.extend(written);
    let (duplicates, written) = desk.remember(&keys.duplicates, || {
        let alike = |counted: &Counted| duplicates(counted, documents, section.near_duplicates, desk.seed);
        let asked = section.near_duplicates > 0.0;
        let rows = asked.then(|| of_corpus(counting, desk, &total, alike)).transpose()?;
        let table = tables::duplicates(rows.as_deref().unwrap_or_default());
        let written = desk.write(table, "duplicates.parquet")?;
        Ok((rows, vec![written]))
    })?;
    words.written.extend(written);
    desk.stages.seen(&["statistics"], documents.len());
    if !section.keyness.is_empty()
        && !documents.iter().any(|row| row.group.as_deref() == Some(&section.keyness))
    {
        words.warned.push(Warned {
            source: section.keyness.clone(),
            stage: Stage::Statistics,
            code: "no_such_group".into(),
            reason: "statistics.keyness names a group that no document has: see documents.group".into(),
        });
    }
    words.collocations = collocations;
    words.keyness = keyness;
    words.duplicates = duplicates;
    Ok(())
}

/// One of the statistics; the first that runs stands for the documents of the stage.
fn of_corpus<T>(
    counting: &Counting<'_>,
    desk: &Desk<'_>,
    total: &Cell<u64>,
    work: impl FnOnce(&Counted) -> T,
) -> Result<T> {
    let counted = counting.counted()?;
    desk.interrupt.check()?;
    desk.stages.time("statistics", total.take(), "documents", || Ok(work(counted)))
}

fn collocations(counted: &Counted) -> Vec<Collocation> {
    let shards: Vec<PairCounts> = counted.shards.par_iter().map(|(_, shard)| PairCounts::of(shard)).collect();
    let merged = shards.into_iter().reduce(|mut merged, next| {
        merged.merge(&next);
        merged
    });
    merged.map_or_else(Vec::new, |pairs| pairs.collocations())
}

fn keyness(counted: &Counted, documents: &[DocumentRow], target: &str) -> Vec<Keyness> {
    let shards: Vec<GroupCounts> = counted
        .shards
        .par_iter()
        .map(|(range, shard)| {
            let rows = &documents[range.clone()];
            GroupCounts::of(shard, |document| {
                rows.get(document).and_then(|row| row.group.as_deref()) == Some(target)
            })
        })
        .collect();
    let merged = shards.into_iter().reduce(|mut merged, next| {
        merged.merge(&next);
        merged
    });
    merged.map_or_else(Vec::new, |counts| counts.keyness())
}

fn duplicates(counted: &Counted, documents: &[DocumentRow], threshold: f64, seed: u64) -> Vec<DuplicateRow> {
    let shards: Vec<Signatures> =
        counted.shards.par_iter().map(|(_, shard)| Signatures::of(shard, seed)).collect();
    let mut all = Signatures::default();
    for shard in shards {
        all.merge(shard);
    }
    let id = |document: usize| documents.get(document).map(|row| row.doc_id.clone()).unwrap_or_default();
    all.near_duplicates(threshold)
        .into_iter()
        .map(|pair| DuplicateRow { doc_id_a: id(pair.a), doc_id_b: id(pair.b), jaccard: pair.jaccard })
        .collect()
}

/// Word vectors: the `embeddings` table and a vector for each document.
fn vectors(
    plan: &DocumentsPlan,
    counting: &Counting<'_>,
    model: Option<&str>,
    desk: &Desk<'_>,
    words: &mut Words,
) -> Result<()> {
    let Some(settings) = &plan.embeddings else { return Ok(()) };
    let (key, order) = vectors_key(&words.documents, model, desk.settings);
    let (state, written) =
        desk.remember(&key, || embed(settings, counting.counted()?, &order, &key, desk))?;
    desk.stages.seen(&["embeddings"], state.words.len());
    words.order = order;
    words.written.extend(written);
    words.vectors = Some(state);
    words.keys.push(key);
    Ok(())
}
