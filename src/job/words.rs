//! The text side of a run: documents to tokens, counts, weights, statistics and vectors.

use std::cell::Cell;
use std::sync::Arc;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::bag_of_words::{vocabulary, weigh};
use super::content::Content;
use super::counting::{Counted, Counting, counting_settings, shards_of};
use super::desk::Desk;
use super::exports::export;
use super::inputs::{Input, Inputs, made_of};
use super::key::Key;
use super::offsets;
use super::plan::{DocumentsPlan, ModelPlan, TokensPlan};
use super::settings::Settings;
use super::statistics::further;
use super::store::{Kept, Store};
use super::vectors::{WordVectors, embed, training_order};
use crate::corpus::{Digest, DocumentReader, DocumentRef, Quarantined, Stage, Warned};
use crate::error::{Error, Result};
use crate::report::{DocumentRow, DuplicateRow, TopicRow, Written, tables};
use crate::text::TextError;
use crate::text::collocations::{Collocation, PairCounts, ShardPairs};
use crate::text::counts::ShardCounts;
use crate::text::dispersion::Dispersion;
use crate::text::duplicates::Signatures;
use crate::text::keyness::{GroupCounts, Keyness};
use crate::text::laws::Law;
use crate::text::model::{PieceCounter, PieceCounts, TokenModel, TrainingSettings};
use crate::text::phrases::Phrase;
use crate::text::tokens::Tokenizer;
use crate::text::vocabulary::Vocabulary;

/// What the text stages found.
#[derive(Default)]
pub(super) struct Words {
    /// By id.
    pub documents: Arc<Vec<DocumentRow>>,
    pub quarantined: Vec<Quarantined>,
    pub warned: Vec<Warned>,
    pub written: Vec<Written>,
    /// Distinct words of all documents.
    pub types: u64,
    pub vocabulary: Option<(Vocabulary, Vec<f64>)>,
    pub collocations: Vec<Collocation>,
    pub keyness: Option<Vec<Keyness>>,
    pub duplicates: Option<Vec<DuplicateRow>>,
    /// Zipf's and Heaps'.
    pub laws: Vec<Law>,
    pub dispersion: Option<Vec<Dispersion>>,
    pub phrases: Option<Vec<Phrase>>,
    pub topics: Option<Vec<TopicRow>>,
    pub vectors: Option<WordVectors>,
    /// The documents in the order in which `vectors` has them.
    pub order: Vec<usize>,
    /// The content of each input, used or not.
    pub contents: Arc<Vec<Content>>,
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
    pub laws: Key,
    /// `None`, as for those that follow: not asked for.
    pub dispersion: Option<Key>,
    pub phrases: Option<Key>,
    pub topics: Option<Key>,
}

impl WordKeys {
    /// The keys for these inputs; `model` is the tokenizer's own text.
    pub fn new(
        inputs: &Inputs<DocumentRef>,
        contents: &[Content],
        model: Option<&str>,
        settings: &Settings,
    ) -> Self {
        let inputs = inputs.key(contents);
        let key = |purpose: &str, own: &[&str]| {
            let common = [settings.documents.as_str(), settings.tokens.as_str()];
            let all: Vec<&str> = common.into_iter().chain(model).chain(own.iter().copied()).collect();
            made_of(&inputs, purpose, &all)
        };
        Self {
            documents: key("documents", &[&settings.ngrams]),
            bag_of_words: key("bag_of_words", &[&settings.ngrams, &settings.bag_of_words]),
            collocations: key("collocations", &[&settings.collocations]),
            keyness: key("keyness", &[&settings.keyness]),
            duplicates: key("duplicates", &[&settings.duplicates]),
            laws: key("laws", &[&settings.laws]),
            dispersion: settings.dispersion.as_ref().map(|own| key("dispersion", &[&settings.ngrams, own])),
            phrases: settings.phrases.as_ref().map(|own| key("phrases", &[own])),
            topics: settings.topics.as_ref().map(|own| key("topics", &[&settings.ngrams, own])),
        }
    }

    /// The keys of the statistics of the corpus that are asked for.
    pub fn statistics(&self) -> Vec<Key> {
        let always = [self.collocations, self.keyness, self.duplicates, self.laws];
        always.into_iter().chain(self.dispersion).chain(self.phrases).chain(self.topics).collect()
    }
}

/// The key of the word vectors of `documents`, with the order in which they are trained on.
fn vectors_key(documents: &[DocumentRow], model: Option<&str>, settings: &Settings) -> (Key, Vec<usize>) {
    // Files of the same bytes may be read as different formats: their lengths tell them apart.
    let contents: Vec<(Digest, u64)> = documents.iter().map(|row| (row.blake3, row.chars)).collect();
    let order = training_order(&contents);
    let sorted: Vec<(Digest, u64)> = order.iter().map(|&document| contents[document]).collect();
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
    #[serde(with = "shared")]
    rows: Arc<Vec<DocumentRow>>,
    quarantined: Vec<Quarantined>,
    warned: Vec<Warned>,
    types: u64,
}

/// Rows that are shared are kept as any others.
mod shared {
    use super::{Arc, DocumentRow};
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub fn serialize<S: Serializer>(rows: &Arc<Vec<DocumentRow>>, serializer: S) -> Result<S::Ok, S::Error> {
        rows.as_ref().serialize(serializer)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Arc<Vec<DocumentRow>>, D::Error> {
        Vec::deserialize(deserializer).map(Arc::new)
    }
}

/// Runs the text stages that `plan` asks for and writes their tables.
pub(super) fn run(plan: &DocumentsPlan, inputs: &mut Inputs<DocumentRef>, desk: &Desk<'_>) -> Result<Words> {
    let mut words = Words::default();
    let model = model(plan, inputs, desk)?;
    if let Some(json) = &model {
        words.written.push(desk.write_file(json.as_bytes(), "tokenizer.json")?);
    }
    let tokenizer = tokenizer(plan, model.as_deref())?;
    let settings = counting_settings(plan, desk, model.as_deref().unwrap_or_default());
    let counting = Counting::new(plan, desk, inputs, tokenizer, settings);
    let contents = match inputs.contents() {
        Some(contents) => contents,
        None => &counting.counted()?.contents,
    };
    let keys = WordKeys::new(inputs, contents, model.as_deref(), desk.settings);
    documents_and_terms(plan, &counting, &keys, desk, &mut words)?;
    if counting.has_tokens() {
        if let (Some(tokenizer), true) =
            (counting.tokenizer(), plan.tokens.as_ref().is_some_and(|plan| plan.offsets))
        {
            let tokenizer = (tokenizer, model.as_deref());
            words.written.extend(offsets::run(plan, inputs, contents, tokenizer, desk)?);
        }
        describe(plan, &counting, &keys, desk, &mut words)?;
        vectors(plan, &counting, model.as_deref(), desk, &mut words)?;
    }
    counting.retain(contents);
    words.contents = Arc::clone(contents);
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
            inputs.learn(|references| identify(plan, references, desk))?;
            let key = model_key(*training, inputs);
            desk.remember(&key, || Ok((train_model(plan, *training, &inputs.references, desk)?, Vec::new())))?
                .0
        }
    };
    Ok(Some(json))
}

/// A model depends on the texts that it is trained on, whatever they are called.
fn model_key(training: TrainingSettings, inputs: &Inputs<DocumentRef>) -> Key {
    let mut contents: Vec<Option<Content>> = inputs.references.iter().map(Input::content).collect();
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
            Some(Err(unread)) => unread.blake3.map(|blake3| *blake3),
            None => None,
        };
        if let Some(blake3) = content.filter(|_| reference.is_whole_file()) {
            desk.inventory.note(&reference.file.stamp, &reference.file.source, blake3);
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

/// What a stage made, with its tables.
pub(super) type Made<T> = Result<(T, Vec<Written>)>;

/// `documents`, and the bag of words beside it.
fn documents_and_terms(
    plan: &DocumentsPlan,
    counting: &Counting<'_>,
    keys: &WordKeys,
    desk: &Desk<'_>,
    words: &mut Words,
) -> Result<()> {
    let bag = plan.bag_of_words.as_ref().filter(|_| counting.has_tokens());
    let known = desk.recall(&keys.documents);
    let is_new = known.is_none();
    // What takes time in one thread alone stands beside what several can do.
    let ((state, written), chosen): ((Documents, _), _) = if let Some(known) = known {
        (known, None)
    } else {
        let bag = bag.filter(|_| !desk.store.has(&keys.bag_of_words));
        documents(counting, || bag.map(|bag| vocabulary(bag, counting)).transpose(), desk)?
    };
    let keep = || {
        if is_new {
            desk.keep(&keys.documents, &state, &written);
        }
    };
    let weigh = || Some(weigh(bag?, counting, chosen, keys.bag_of_words, desk));
    let ((), terms) = rayon::join(keep, weigh);
    desk.stages.seen(if counting.has_tokens() { &["read", "tokens"] } else { &["read"] }, state.rows.len());
    words.documents = state.rows;
    words.quarantined = state.quarantined;
    words.warned = state.warned;
    words.types = state.types;
    words.written.extend(written);
    words.keys.push(keys.documents);
    if let Some((vocabulary, written)) = terms.transpose()? {
        desk.stages.seen(&["bag_of_words"], words.documents.len());
        words.written.extend(written);
        words.vocabulary = Some(vocabulary);
    }
    Ok(())
}

/// `documents`, and everything that is known of a document by itself; `beside` works on the counts meanwhile.
fn documents<T: Send>(
    counting: &Counting<'_>,
    beside: impl FnOnce() -> Result<T> + Send,
    desk: &Desk<'_>,
) -> Result<((Documents, Vec<Written>), T)> {
    let Counted { documents, quarantined, warned, .. } = counting.counted()?;
    let table = || desk.write(tables::documents(documents, counting.kept_names()), "documents.parquet");
    let (written, found) = rayon::join(table, || Ok((counting.types()?, beside()?)));
    let (types, beside) = found?;
    let (rows, quarantined, warned) = (Arc::clone(documents), quarantined.clone(), warned.clone());
    Ok(((Documents { rows, quarantined, warned, types }, vec![written?]), beside))
}

/// The statistics of the corpus: collocations, keyness, near-duplicates, and those of [`further`].
fn describe(
    plan: &DocumentsPlan,
    counting: &Counting<'_>,
    keys: &WordKeys,
    desk: &Desk<'_>,
    words: &mut Words,
) -> Result<()> {
    let Some(section) = &plan.statistics else { return Ok(()) };
    let documents = &words.documents;
    // All are one stage.
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
    further(plan, section, counting, keys, desk, &total, words)?;
    let documents = &words.documents;
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
pub(super) fn of_corpus<T>(
    counting: &Counting<'_>,
    desk: &Desk<'_>,
    total: &Cell<u64>,
    work: impl FnOnce(&Counted) -> Result<T>,
) -> Result<T> {
    let counted = counting.counted()?;
    desk.interrupt.check()?;
    desk.stages.time("statistics", total.take(), "documents", || work(counted))
}

fn collocations(counted: &Counted) -> Result<Vec<Collocation>> {
    let mut all = PairCounts::default();
    counted.shards.in_order(|_, shard| Ok(ShardPairs::of(shard)), |shard| all.add(&shard))?;
    Ok(all.collocations())
}

fn keyness(counted: &Counted, documents: &[DocumentRow], target: &str) -> Result<Vec<Keyness>> {
    let mut all = GroupCounts::default();
    let of_shard = |range, shard: &ShardCounts| {
        let rows: &[DocumentRow] = &documents[range];
        let is_target =
            |document: usize| rows.get(document).and_then(|row| row.group.as_deref()) == Some(target);
        Ok(GroupCounts::of(shard, is_target))
    };
    counted.shards.in_order(of_shard, |shard| all.merge(&shard))?;
    Ok(all.keyness())
}

fn duplicates(
    counted: &Counted,
    documents: &[DocumentRow],
    threshold: f64,
    seed: u64,
) -> Result<Vec<DuplicateRow>> {
    let mut all = Signatures::default();
    counted.shards.in_order(|_, shard| Ok(Signatures::of(shard, seed)), |shard| all.merge(shard))?;
    let id = |document: usize| documents.get(document).map(|row| row.doc_id.to_string()).unwrap_or_default();
    let rows = all.near_duplicates(threshold).into_iter().map(|pair| DuplicateRow {
        doc_id_a: id(pair.a),
        doc_id_b: id(pair.b),
        jaccard: pair.jaccard,
    });
    Ok(rows.collect())
}

/// Word vectors: the `embeddings` table and a vector for each document.
fn vectors(
    plan: &DocumentsPlan,
    counting: &Counting<'_>,
    model: Option<&str>,
    desk: &Desk<'_>,
    words: &mut Words,
) -> Result<()> {
    let Some(embeddings) = &plan.embeddings else { return Ok(()) };
    let (key, order) = vectors_key(&words.documents, model, desk.settings);
    let (state, written) =
        desk.remember(&key, || embed(embeddings, counting.counted()?, &order, &key, desk))?;
    desk.stages.seen(&["embeddings"], state.words.len());
    words.written.extend(written);
    words.written.extend(export(embeddings, &state, (&words.documents, &order), &key, desk)?);
    words.order = order;
    words.vectors = Some(state);
    words.keys.push(key);
    Ok(())
}
