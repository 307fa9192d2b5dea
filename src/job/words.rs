//! The text side of a run: documents to tokens, counts, weights, statistics and vectors.

use std::ops::Range;
use std::path::Path;

use rayon::prelude::*;

use super::plan::{DocumentsPlan, ModelPlan, TokensPlan};
use super::progress::Interrupt;
use super::shards::cut;
use super::stages::{Shares, Stages};
use crate::corpus::{DocumentReader, DocumentRef, Quarantined, Stage, Warned, index_documents, walk};
use crate::error::{Error, Result};
use crate::report::{
    DocumentRow, DuplicateRow, Provenance, WordRow, Written, tables, write_file, write_table,
};
use crate::text::bag_of_words::BagOfWords;
use crate::text::collocations::{Collocation, PairCounts};
use crate::text::counts::{CountSettings, ShardCounts, count_shard};
use crate::text::duplicates::Signatures;
use crate::text::embeddings::{Corpus, EmbeddingError, Embeddings, document_vectors, train};
use crate::text::keyness::{GroupCounts, Keyness};
use crate::text::model::{PieceCounter, PieceCounts, TokenModel};
use crate::text::tokens::{TokenBuffer, Tokenizer};
use crate::text::vocabulary::Vocabulary;
use crate::text::{Interner, TextError};

/// Bytes of text that a shard holds on average, and what a document weighs beside its text.
const SHARD_BYTES: u64 = 4 << 20;
const DOCUMENT_WEIGHT: u64 = 4 << 10;

/// What the text stages found.
#[derive(Default)]
pub(super) struct Words {
    /// By id.
    pub documents: Vec<DocumentRow>,
    /// Where each document lies, by id; also those that turned out unusable.
    pub references: Vec<DocumentRef>,
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
}

/// Trained word vectors and what follows from them.
pub(super) struct WordVectors {
    pub words: Vec<WordRow>,
    pub embeddings: Embeddings,
    /// One for each document; `None` where it has no word with a vector.
    pub documents: Vec<Option<Vec<f64>>>,
}

/// Where a stage writes and whom it tells.
pub(super) struct Desk<'a> {
    pub folder: &'a Path,
    pub provenance: &'a Provenance,
    pub stages: &'a Stages<'a>,
    pub interrupt: &'a Interrupt,
    pub seed: u64,
}

/// A shard after reading and counting: its documents' texts are gone.
struct Counted {
    documents: Vec<DocumentRow>,
    counts: ShardCounts,
    quarantined: Vec<Quarantined>,
    warned: Vec<Warned>,
}

/// Runs the text stages that `plan` asks for and writes their tables.
pub(super) fn run(plan: &DocumentsPlan, desk: &Desk<'_>) -> Result<Words> {
    let found = walk(&plan.include, &plan.exclude, "documents.include")?;
    let (references, repeated) = index_documents(&found.found, &plan.rules);
    let mut words = Words { quarantined: found.quarantined, warned: found.warned, ..Words::default() };
    words.quarantined.extend(repeated);
    let weight = |reference: &DocumentRef| reference.bytes + DOCUMENT_WEIGHT;
    let shards =
        cut(references.iter().map(|reference| (reference.id.as_str(), weight(reference))), SHARD_BYTES);
    let shards: Vec<&[DocumentRef]> = shards.into_iter().map(|shard| &references[shard]).collect();
    let tokenizer = tokenizer(plan, &shards, desk, &mut words)?;
    let counted = read_and_count(plan, tokenizer.as_ref(), &shards, references.len() as u64, desk)?;
    let counts = collect(counted, &mut words);
    words.written.push(write_table(
        tables::documents(&words.documents),
        desk.folder,
        "documents.parquet",
        desk.provenance,
    )?);
    if tokenizer.is_some() {
        weigh(plan, &counts, desk, &mut words)?;
        describe(plan, &counts, desk, &mut words)?;
        embed(plan, &counts, desk, &mut words)?;
    }
    words.references = references;
    Ok(words)
}

/// The tokenizer of the job; a model that is to be trained reads the corpus once for itself.
fn tokenizer(
    plan: &DocumentsPlan,
    shards: &[&[DocumentRef]],
    desk: &Desk<'_>,
    words: &mut Words,
) -> Result<Option<Tokenizer>> {
    let Some(TokensPlan { settings, model }) = &plan.tokens else { return Ok(None) };
    let refused = |error: TextError| Error::job_file("tokens", error.to_string());
    let model = match model {
        None => return Tokenizer::new(settings).map(Some).map_err(refused),
        Some(ModelPlan::Load { json, .. }) => TokenModel::from_json(json).map_err(refused)?,
        Some(ModelPlan::Train(training)) => {
            let reader = DocumentReader::new(&plan.rules);
            let pieces: Vec<Result<PieceCounts>> = shards
                .par_iter()
                .map(|shard| {
                    desk.interrupt.check()?;
                    let mut counter = PieceCounter::new(*training).map_err(refused)?;
                    for document in reader.read(shard).0 {
                        counter.add(&document.text).map_err(refused)?;
                    }
                    Ok(counter.finish())
                })
                .collect();
            let mut all = PieceCounts::default();
            for shard in pieces {
                all.merge(&shard?);
            }
            TokenModel::train(*training, &all).map_err(refused)?
        }
    };
    let json = model.to_json().map_err(refused)?;
    words.written.push(write_file(json.as_bytes(), desk.folder, "tokenizer.json")?);
    Tokenizer::with_model(settings, model).map(Some).map_err(refused)
}

fn read_and_count(
    plan: &DocumentsPlan,
    tokenizer: Option<&Tokenizer>,
    shards: &[&[DocumentRef]],
    total: u64,
    desk: &Desk<'_>,
) -> Result<Vec<Counted>> {
    let settings = CountSettings {
        ngrams: plan.bag_of_words.as_ref().map_or([1, 1], |bag| bag.ngrams),
        statistics: true,
    };
    let reader = DocumentReader::new(&plan.rules);
    let work = |shares: &Shares<2>| {
        shards
            .par_iter()
            .map(|shard| {
                desk.interrupt.check()?;
                let counted = count(shard, &reader, tokenizer, settings, shares);
                desk.stages.advance(shard.len() as u64);
                counted
            })
            .collect()
    };
    if tokenizer.is_some() {
        desk.stages.pass(["read", "tokens"], total, "documents", work)
    } else {
        desk.stages.time("read", total, "documents", || work(&Shares::default()))
    }
}

/// shard -> result: reads and counts the documents of one shard.
fn count(
    shard: &[DocumentRef],
    reader: &DocumentReader<'_>,
    tokenizer: Option<&Tokenizer>,
    settings: CountSettings,
    shares: &Shares<2>,
) -> Result<Counted> {
    let (mut documents, mut quarantined) = shares.on(0, || reader.read(shard));
    let Some(tokenizer) = tokenizer else {
        let counts = ShardCounts::default();
        return Ok(finish(documents, counts, quarantined));
    };
    let counts = shares.on(1, || {
        count_shard(tokenizer, settings, documents.iter().map(|document| &document.text)).or_else(|_| {
            // A model may lack a piece for a character: the documents that have it go, the others stay.
            let mut buffer = TokenBuffer::default();
            documents.retain(|document| {
                let outcome = tokenizer.for_each_token(&document.text, &mut buffer, |_| ());
                if let Err(error) = &outcome {
                    quarantined.push(Quarantined {
                        source: document.source.clone(),
                        stage: Stage::Tokens,
                        code: "untokenisable".into(),
                        reason: error.to_string(),
                        byte_offset: None,
                    });
                }
                outcome.is_ok()
            });
            count_shard(tokenizer, settings, documents.iter().map(|document| &document.text))
        })
    });
    let counts = counts.map_err(|error| Error::job_file("tokens", error.to_string()))?;
    Ok(finish(documents, counts, quarantined))
}

fn finish(
    documents: Vec<crate::corpus::Document>,
    counts: ShardCounts,
    quarantined: Vec<Quarantined>,
) -> Counted {
    let warned = documents.iter().filter_map(|document| document.warning.clone()).collect();
    let rows = documents.into_iter().enumerate().map(|(i, document)| DocumentRow {
        doc_id: document.id,
        source: document.source,
        blake3: document.blake3,
        group: document.group,
        bytes: document.bytes,
        chars: document.text.chars().count() as u64,
        statistics: counts.statistics().get(i).cloned(),
    });
    Counted { documents: rows.collect(), quarantined, warned, counts }
}

/// The counts of each shard with the numbers of its documents.
type Counts = Vec<(Range<usize>, ShardCounts)>;

fn collect(counted: Vec<Counted>, words: &mut Words) -> Counts {
    counted
        .into_iter()
        .map(|shard| {
            let start = words.documents.len();
            words.documents.extend(shard.documents);
            words.quarantined.extend(shard.quarantined);
            words.warned.extend(shard.warned);
            (start..words.documents.len(), shard.counts)
        })
        .collect()
}

/// The bag of words: `vocabulary` and a part of `terms` for each shard.
fn weigh(plan: &DocumentsPlan, counts: &Counts, desk: &Desk<'_>, words: &mut Words) -> Result<()> {
    let Some(bag) = &plan.bag_of_words else { return Ok(()) };
    let documents = &words.documents;
    let (vocabulary, idf, written) =
        desk.stages.time("bag_of_words", documents.len() as u64, "documents", || {
            let vocabulary = Vocabulary::merge(counts.iter().map(|(_, shard)| shard), &bag.vocabulary)
                .map_err(|error| Error::job_file("bag_of_words", error.to_string()))?;
            let weights = BagOfWords::new(&vocabulary, bag.weights);
            let folder = desk.folder.join("terms");
            std::fs::create_dir_all(&folder)
                .map_err(|error| Error::io("create the folder", &folder, error))?;
            let part = |(i, range, shard): (usize, Range<usize>, &ShardCounts)| {
                desk.interrupt.check()?;
                let ids: Vec<&str> = documents[range.clone()].iter().map(|row| row.doc_id.as_str()).collect();
                let table = tables::terms(weights.transform(shard), &ids);
                let written =
                    write_table(table, desk.folder, &format!("terms/part-{i:05}.parquet"), desk.provenance);
                desk.stages.advance(range.len() as u64);
                written
            };
            let empty = ShardCounts::default();
            let parts: Vec<_> =
                counts.iter().enumerate().map(|(i, (range, shard))| (i, range.clone(), shard)).collect();
            // A table exists even when nothing was read: one part without rows.
            let parts = if parts.is_empty() { vec![(0, 0..0, &empty)] } else { parts };
            let mut written = parts.into_par_iter().map(part).collect::<Result<Vec<Written>>>()?;
            written.push(write_table(
                tables::vocabulary(&vocabulary, weights.idf()),
                desk.folder,
                "vocabulary.parquet",
                desk.provenance,
            )?);
            let idf = weights.idf().to_vec();
            Ok((vocabulary, idf, written))
        })?;
    words.written.extend(written);
    words.vocabulary = Some((vocabulary, idf));
    Ok(())
}

/// The statistics of the corpus: collocations, keyness, near-duplicates.
fn describe(plan: &DocumentsPlan, counts: &Counts, desk: &Desk<'_>, words: &mut Words) -> Result<()> {
    let Some(section) = &plan.statistics else { return Ok(()) };
    let documents = &words.documents;
    let (collocations, keyness, duplicates) =
        desk.stages.time("statistics", documents.len() as u64, "documents", || {
            let collocations = if section.collocations { collocations(counts) } else { Vec::new() };
            desk.interrupt.check()?;
            let keyness = (!section.keyness.is_empty()).then(|| keyness(counts, documents, &section.keyness));
            desk.interrupt.check()?;
            let duplicates = (section.near_duplicates > 0.0)
                .then(|| duplicates(counts, documents, section.near_duplicates, desk.seed));
            Ok((collocations, keyness, duplicates))
        })?;
    let write = |table, file: &str| write_table(table, desk.folder, file, desk.provenance);
    words.written.push(write(tables::collocations(&collocations), "collocations.parquet")?);
    words.written.push(write(tables::keyness(keyness.as_deref().unwrap_or_default()), "keyness.parquet")?);
    words
        .written
        .push(write(tables::duplicates(duplicates.as_deref().unwrap_or_default()), "duplicates.parquet")?);
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

fn collocations(counts: &Counts) -> Vec<Collocation> {
    let shards: Vec<PairCounts> = counts.par_iter().map(|(_, shard)| PairCounts::of(shard)).collect();
    let merged = shards.into_iter().reduce(|mut merged, next| {
        merged.merge(&next);
        merged
    });
    merged.map_or_else(Vec::new, |pairs| pairs.collocations())
}

fn keyness(counts: &Counts, documents: &[DocumentRow], target: &str) -> Vec<Keyness> {
    let shards: Vec<GroupCounts> = counts
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

fn duplicates(counts: &Counts, documents: &[DocumentRow], threshold: f64, seed: u64) -> Vec<DuplicateRow> {
    let shards: Vec<Signatures> = counts.par_iter().map(|(_, shard)| Signatures::of(shard, seed)).collect();
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

/// The words of the corpus with their counts, most frequent first, then by word; and for each shard its words' numbers there.
struct WordList {
    words: Vec<WordRow>,
    /// `u32::MAX` for what is no word of the list.
    shard_ids: Vec<Vec<u32>>,
}

impl WordList {
    fn new(counts: &Counts) -> Self {
        let mut interner = Interner::default();
        let mut totals: Vec<u64> = Vec::new();
        let mut interned = Vec::with_capacity(counts.len());
        for (_, shard) in counts {
            let mut occurrences = vec![0u64; shard.terms().len()];
            for document in 0..shard.document_count() {
                shard.tokens(document).iter().for_each(|&word| occurrences[word as usize] += 1);
            }
            let ids = occurrences.iter().enumerate().map(|(local, &count)| {
                // Terms of several words are in the shard's list too, but never in its token stream.
                if count == 0 {
                    return u32::MAX;
                }
                let id = interner.intern(shard.terms().term(local as u32));
                totals.resize(totals.len().max(id as usize + 1), 0);
                totals[id as usize] += count;
                id
            });
            interned.push(ids.collect::<Vec<u32>>());
        }
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
        Self { words, shard_ids }
    }

    /// Keeps the words that occur at least `min_count` times: they stand first.
    fn retain(&mut self, min_count: u64) {
        self.words.truncate(self.words.partition_point(|word| word.count >= min_count));
        let kept = self.words.len();
        self.shard_ids.iter_mut().flatten().filter(|id| **id as usize >= kept).for_each(|id| *id = u32::MAX);
    }
}

/// Word vectors: the `embeddings` table and a vector for each document.
fn embed(plan: &DocumentsPlan, counts: &Counts, desk: &Desk<'_>, words: &mut Words) -> Result<()> {
    let mut list = WordList::new(counts);
    words.types = list.words.len() as u64;
    let Some(settings) = &plan.embeddings else { return Ok(()) };
    list.retain(settings.min_count);
    let mut tokens = Vec::with_capacity(counts.iter().map(|(_, shard)| shard.token_count() as usize).sum());
    let mut document_ends = Vec::with_capacity(words.documents.len());
    for ((_, shard), ids) in counts.iter().zip(&list.shard_ids) {
        for document in 0..shard.document_count() {
            tokens.extend(shard.tokens(document).iter().map(|&word| ids[word as usize]));
            document_ends.push(tokens.len());
        }
    }
    let frequencies: Vec<u64> = list.words.iter().map(|word| word.count).collect();
    let corpus = Corpus { tokens: &tokens, document_ends: &document_ends, counts: &frequencies };
    let total = tokens.len() as u64 * settings.epochs as u64;
    let told = std::sync::atomic::AtomicU64::new(0);
    let embeddings = desk.stages.time("embeddings", total, "tokens", || {
        let progress = |step: crate::text::embeddings::Progress| {
            let before = told.swap(step.tokens_done, std::sync::atomic::Ordering::Relaxed);
            desk.stages.advance(step.tokens_done.saturating_sub(before));
        };
        train(&corpus, settings, &progress, &desk.interrupt.flag()).map_err(|error| match error {
            EmbeddingError::Cancelled => desk.interrupt.error(),
            other => Error::job_file("embeddings", other.to_string()),
        })
    })?;
    let table = tables::embeddings(&list.words, embeddings.vectors(), settings.dims);
    words.written.push(write_table(table, desk.folder, "embeddings.parquet", desk.provenance)?);
    let documents = document_vectors(&embeddings, &corpus);
    words.vectors = Some(WordVectors { words: list.words, embeddings, documents });
    Ok(())
}
