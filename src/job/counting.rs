//! Documents to counts, shard by shard: what earlier nights counted is found, the rest is read and counted once.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use rayon::prelude::*;

use super::content::Content;
use super::desk::Desk;
use super::inputs::{Input, Inputs};
use super::key::Key;
use super::pack::{NewDocuments, Outcome, Pack, counts_of};
use super::plan::DocumentsPlan;
use super::shards::cut;
use super::shelf::{Place, Shards, Shelf};
use super::stages::Shares;
use super::store::Found;
use crate::corpus::{Digest, Document, DocumentReader, DocumentRef, Quarantined, Unread, Warned};
use crate::error::{Error, Result};
use crate::report::DocumentRow;
use crate::text::counts::{CountSettings, ShardCounter, ShardCounts};
use crate::text::document::DocumentStatistics;
use crate::text::frequencies::{TermFrequencies, TermNumbers};
use crate::text::tokens::Tokenizer;
use crate::text::{Interner, TextError};

/// Bytes of text that a shard holds on average, and what a document weighs beside its text.
const SHARD_BYTES: u64 = 2 << 20;
const DOCUMENT_WEIGHT: u64 = 512;
/// Shards of a large corpus at most, about: more of them take less memory, and have more words twice.
const SHARDS: u64 = 2048;
/// Bytes of documents that are read before they are counted.
const BATCH_BYTES: u64 = 512 << 10;
/// Rows that a thread makes at once, at least.
const ROWS_AT_ONCE: usize = 1024;
/// A shard whose results lie in more packs than this is kept anew as one.
const PACKS: usize = 8;

/// The documents of a job and, once they are asked for, their counts.
pub(super) struct Counting<'a> {
    plan: &'a DocumentsPlan,
    desk: &'a Desk<'a>,
    inputs: &'a Inputs<DocumentRef>,
    tokenizer: Option<Tokenizer>,
    /// What the results of documents depend on beside their content.
    settings: Key,
    counted: OnceLock<Counted>,
    frequencies: OnceLock<Frequencies>,
    types: OnceLock<u64>,
    /// Those that no thread is counting with.
    counters: Mutex<Vec<ShardCounter>>,
}

/// All documents, read and counted.
pub(super) struct Counted {
    /// By id.
    pub documents: Arc<Vec<DocumentRow>>,
    pub quarantined: Vec<Quarantined>,
    pub warned: Vec<Warned>,
    /// The content of each input, used or not, where it was not known before.
    pub contents: Arc<Vec<Content>>,
    /// The counts of all shards.
    pub shards: Shards,
}

impl Counted {
    /// The counts of texts that are no documents of the job.
    pub fn of_shard(range: Range<usize>, counts: ShardCounts) -> Self {
        Self::of_shards(Shards::held(vec![(range, counts)]))
    }

    /// The counts of shards alone.
    pub fn of_shards(shards: Shards) -> Self {
        let (documents, quarantined) = (Arc::default(), Vec::new());
        Self { documents, quarantined, warned: Vec::new(), contents: Arc::default(), shards }
    }
}

/// A shard's part of [`Counted`].
struct CountedShard<'r> {
    documents: Vec<CountedDocument<'r>>,
    quarantined: Vec<Quarantined>,
    warned: Vec<Warned>,
    contents: Vec<Content>,
    counts: Place,
}

/// A document that was counted: less than its row, for those of all shards are brought together.
struct CountedDocument<'r> {
    reference: &'r DocumentRef,
    blake3: Digest,
    bytes: u64,
    chars: u64,
    tokens: Option<u64>,
    statistics: Option<Box<DocumentStatistics>>,
}

impl CountedDocument<'_> {
    fn into_row(self) -> DocumentRow {
        let Self { reference, blake3, bytes, chars, tokens, statistics } = self;
        DocumentRow {
            doc_id: Arc::clone(&reference.id),
            source: Arc::clone(&reference.file.source),
            blake3,
            group: reference.group.clone(),
            keep: reference.keep.clone(),
            bytes,
            chars,
            tokens,
            statistics,
        }
    }
}

/// How often each term occurs.
#[derive(Default)]
pub(super) struct Frequencies {
    pub all: TermFrequencies,
    /// The terms of each shard, where its counts lie in memory: those that are read again are looked up again, too.
    numbers: Vec<Option<TermNumbers>>,
}

impl Frequencies {
    fn add(&mut self, shard: &ShardCounts, is_held: bool) {
        let numbers = self.all.add(shard);
        self.numbers.push(is_held.then_some(numbers));
    }

    fn merge(&mut self, mut next: Self) {
        let merged = self.all.merge(&next.all);
        next.numbers.iter_mut().flatten().for_each(|numbers| numbers.renumber(&merged));
        self.numbers.append(&mut next.numbers);
    }

    /// The numbers of the terms of a shard, where they are known.
    pub fn numbers(&self, shard: usize) -> Option<&TermNumbers> {
        self.numbers.get(shard)?.as_ref()
    }
}

/// Adds the words of a shard: terms of several words are in its list too, but never in its stream.
fn add_words(words: &mut Interner, shard: &ShardCounts, _: bool) {
    let occurrences = shard.occurrences();
    let found = shard.terms().iter().zip(&occurrences).filter(|(_, count)| **count > 0);
    words.intern_all(found.map(|(word, _)| word), |_| ());
}

/// How documents are cut into shards.
pub(super) fn shards_of(references: &[DocumentRef]) -> Vec<Range<usize>> {
    let weight = |reference: &DocumentRef| reference.bytes + DOCUMENT_WEIGHT;
    // In steps of two, so that a corpus that grows is seldom cut anew.
    let total: u64 = references.iter().map(weight).sum();
    let mean = SHARD_BYTES.max((total / SHARDS).next_power_of_two());
    cut(references.iter().map(|reference| (&*reference.id, weight(reference))), mean)
}

/// What the results of documents depend on beside their content; `model` is the tokenizer's own text.
pub(super) fn counting_settings(plan: &DocumentsPlan, desk: &Desk<'_>, model: &str) -> Key {
    Key::of("counting", &(&desk.settings.tokens, count_settings(plan), model))
}

/// What is counted: no more than the job needs.
fn count_settings(plan: &DocumentsPlan) -> CountSettings {
    let ngrams = plan.bag_of_words.as_ref().map_or([1, 1], |bag| bag.ngrams);
    // Words that are no terms stand in the stream alone.
    let stream = ngrams != [1, 1] || plan.statistics.is_some() || plan.embeddings.is_some();
    CountSettings { ngrams, statistics: plan.document_statistics, stream }
}

impl<'a> Counting<'a> {
    pub fn new(
        plan: &'a DocumentsPlan,
        desk: &'a Desk<'a>,
        inputs: &'a Inputs<DocumentRef>,
        tokenizer: Option<Tokenizer>,
        settings: Key,
    ) -> Self {
        let (counted, frequencies, types) = (OnceLock::new(), OnceLock::new(), OnceLock::new());
        let counters = Mutex::default();
        Self { plan, desk, inputs, tokenizer, settings, counted, frequencies, types, counters }
    }

    /// Whether documents are cut into tokens at all.
    pub fn has_tokens(&self) -> bool {
        self.tokenizer.is_some()
    }

    /// What cuts documents into tokens.
    pub fn tokenizer(&self) -> Option<&Tokenizer> {
        self.tokenizer.as_ref()
    }

    /// The columns that rows of documents carry along.
    pub fn kept_names(&self) -> &'a [String] {
        &self.plan.rules.fields.keep
    }

    /// Marks what is kept of the documents as in use although it was not looked at.
    pub fn retain(&self, contents: &[Content]) {
        if self.counted.get().is_none() {
            let keys: Vec<Key> = contents.iter().map(|content| content.key(&self.settings)).collect();
            self.desk.store.retain_items(keys.iter());
        }
    }

    /// All documents, read and counted at the first call.
    pub fn counted(&self) -> Result<&Counted> {
        if let Some(counted) = self.counted.get() {
            return Ok(counted);
        }
        let counted = self.count_all()?;
        Ok(self.counted.get_or_init(|| counted))
    }

    /// How often each term occurs, from all documents.
    pub fn frequencies(&self) -> Result<&Frequencies> {
        if let Some(frequencies) = self.frequencies.get() {
            return Ok(frequencies);
        }
        let frequencies = self.counted()?.shards.sum(Frequencies::add, Frequencies::merge)?;
        Ok(self.frequencies.get_or_init(|| frequencies))
    }

    /// How many distinct words the documents have.
    pub fn types(&self) -> Result<u64> {
        if let Some(types) = self.types.get() {
            return Ok(*types);
        }
        let types = match count_settings(self.plan).stream {
            _ if !self.has_tokens() => 0,
            true => {
                let merge =
                    |words: &mut Interner, more: Interner| words.intern_all(more.terms().iter(), |_| ());
                self.counted()?.shards.sum(add_words, merge)?.terms().len()
            }
            // All terms are words.
            false => self.frequencies()?.all.len(),
        };
        Ok(*self.types.get_or_init(|| types as u64))
    }

    fn count_all(&self) -> Result<Counted> {
        let references = &self.inputs.references;
        let (shards, known) = (shards_of(references), self.inputs.contents());
        let desk = self.desk;
        let shelf = Shelf::new(desk.folder.to_owned());
        let reader = DocumentReader::new(&self.plan.rules).unpacking_into(desk.folder);
        let reader = reader.with_texts(&self.inputs.texts);
        let work = |shares: &Shares<2>| {
            shards
                .par_iter()
                // One at a time: several that are one thread's alone may leave the others nothing to do.
                .with_max_len(1)
                .map(|shard| {
                    desk.interrupt.check()?;
                    let known = known.map(|contents| &contents[shard.clone()]);
                    let counted = self.count(&references[shard.clone()], known, &reader, &shelf, shares)?;
                    desk.stages.advance(shard.len() as u64);
                    Ok(counted)
                })
                .collect::<Result<Vec<CountedShard<'_>>>>()
        };
        let total = references.len() as u64;
        let shards = if self.has_tokens() {
            desk.stages.pass(["read", "tokens"], total, "documents", work)?
        } else {
            desk.stages.time("read", total, "documents", || work(&Shares::default()))?
        };
        let (mut documents, mut quarantined) = (Vec::with_capacity(references.len()), Vec::new());
        let (mut warned, mut contents) = (Vec::new(), Vec::new());
        let mut places = Vec::with_capacity(shards.len());
        let join_shards = || {
            for shard in shards {
                let start = documents.len();
                documents.extend(shard.documents);
                quarantined.extend(shard.quarantined);
                warned.extend(shard.warned);
                contents.extend(shard.contents);
                places.push((start..documents.len(), shard.counts));
            }
            documents.into_par_iter().with_min_len(ROWS_AT_ONCE).map(CountedDocument::into_row).collect()
        };
        let let_go = || {
            // What they keep room for is the largest shard.
            lock(&self.counters).clear();
            drop(reader);
            self.inputs.texts.clear();
        };
        let (documents, ()): (Vec<DocumentRow>, ()) = rayon::join(join_shards, let_go);
        // A file is unusable once, however many documents were found in it.
        quarantined.sort();
        quarantined.dedup();
        let (documents, contents) = (Arc::new(documents), Arc::new(contents));
        Ok(Counted { documents, quarantined, warned, contents, shards: Shards::new(shelf, places) })
    }

    /// shard -> result: finds, reads and counts the documents of one shard.
    fn count<'r>(
        &self,
        shard: &'r [DocumentRef],
        known: Option<&[Content]>,
        reader: &DocumentReader<'_>,
        shelf: &Shelf,
        shares: &Shares<2>,
    ) -> Result<CountedShard<'r>> {
        let mut contents: Vec<Option<Cow<'_, Content>>> = match known {
            Some(known) => known.iter().map(|content| Some(Cow::Borrowed(content))).collect(),
            None => shard.iter().map(|reference| reference.content().map(Cow::Owned)).collect(),
        };
        let key =
            |content: &Option<Cow<'_, Content>>| content.as_ref().map(|content| content.key(&self.settings));
        let mut keys: Vec<Option<Key>> = contents.iter().map(key).collect();
        let mut found: Found<Pack> = shares.on(0, || self.desk.store.find(&keys));
        let missing: Vec<usize> = (0..shard.len()).filter(|&item| found.places[item].is_none()).collect();
        if missing.is_empty() {
            return assemble(shard, &keys, contents, found, self, shelf);
        }
        let (mut new, mut new_items, mut reader) = (self.begin()?, Vec::new(), reader.of_shard());
        for batch in batches(shard, &missing) {
            let references: Vec<&DocumentRef> = batch.iter().map(|&item| &shard[item]).collect();
            let read = shares.on(0, || reader.read(&references));
            // What was read may turn out to be known under another name.
            let mut read_keys = vec![None; batch.len()];
            for ((&item, outcome), read_key) in batch.iter().zip(&read).zip(&mut read_keys) {
                let blake3 = known_content(outcome);
                if blake3.is_some() && blake3 == shard[item].blake3 {
                    continue;
                }
                contents[item] = Some(Cow::Owned(self.learn(&shard[item], outcome)));
                if blake3.is_some() {
                    keys[item] = key(&contents[item]);
                    *read_key = keys[item];
                }
            }
            let moved: Found<Pack> = shares.on(0, || self.desk.store.find(&read_keys));
            let before = found.packs.len();
            found.packs.extend(moved.packs);
            shares.on(1, || {
                for ((&item, outcome), place) in batch.iter().zip(read).zip(moved.places) {
                    if let Some((pack, document)) = place {
                        found.places[item] = Some((before + pack, document));
                    } else {
                        new.add(&shard[item], outcome);
                        new_items.push(item);
                    }
                }
            });
        }
        let pack = self.end(new);
        let new_keys: Vec<Key> =
            new_items.iter().map(|&item| keys[item].unwrap_or_else(Key::nothing)).collect();
        self.desk.store.keep(&new_keys, &pack);
        let place = found.packs.len();
        new_items.iter().enumerate().for_each(|(at, &item)| found.places[item] = Some((place, at)));
        found.packs.push(pack);
        assemble(shard, &keys, contents, found, self, shelf)
    }

    /// What an outcome tells of the content, for tonight and for the nights that follow.
    fn learn(&self, reference: &DocumentRef, outcome: &std::result::Result<Document, Unread>) -> Content {
        match (known_content(outcome), outcome) {
            (Some(blake3), _) => {
                if reference.is_whole_file() {
                    self.desk.inventory.note(&reference.file.stamp, &reference.file.source, blake3);
                }
                Content::of_document(reference, blake3)
            }
            (None, Err(unread)) => Content::unreadable(&unread.row),
            (None, Ok(_)) => Content::default(),
        }
    }

    /// A pack without documents.
    fn begin(&self) -> Result<NewDocuments<'_>> {
        let refused = |error: TextError| Error::job_file("tokens", error.to_string());
        let counter = |tokenizer| {
            let free = lock(&self.counters).pop();
            let counter = free.map_or_else(|| ShardCounter::new(count_settings(self.plan)), Ok);
            Ok((tokenizer, counter.map_err(refused)?))
        };
        let counter = self.tokenizer.as_ref().map(counter).transpose()?;
        Ok(NewDocuments::new(counter))
    }

    /// The pack of the documents that were added.
    fn end(&self, new: NewDocuments<'_>) -> Pack {
        let (pack, counter) = new.finish();
        lock(&self.counters).extend(counter);
        pack
    }
}

/// The documents `items` of a shard in batches, few of which lie in memory at once.
fn batches<'i>(shard: &[DocumentRef], items: &'i [usize]) -> impl Iterator<Item = &'i [usize]> {
    let mut rest = items;
    std::iter::from_fn(move || {
        let mut bytes = 0;
        let fits = |&item: &usize| {
            let begins = bytes < BATCH_BYTES;
            bytes += shard[item].bytes;
            begins
        };
        let (batch, others) = rest.split_at(rest.iter().copied().take_while(fits).count());
        rest = others;
        (!batch.is_empty()).then_some(batch)
    })
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn known_content(outcome: &std::result::Result<Document, Unread>) -> Option<Digest> {
    match outcome {
        Ok(document) => Some(document.blake3),
        Err(unread) => unread.blake3.as_deref().copied(),
    }
}

/// Puts the results of a shard's documents together.
fn assemble<'r>(
    shard: &'r [DocumentRef],
    keys: &[Option<Key>],
    contents: Vec<Option<Cow<'_, Content>>>,
    found: Found<Pack>,
    counting: &Counting<'_>,
    shelf: &Shelf,
) -> Result<CountedShard<'r>> {
    let Found { packs, places } = found;
    let (mut documents, mut quarantined, mut warned) =
        (Vec::with_capacity(shard.len()), Vec::new(), Vec::new());
    let (mut counted, mut outcomes) = (Vec::with_capacity(shard.len()), Vec::with_capacity(shard.len()));
    for ((reference, content), place) in shard.iter().zip(&contents).zip(places) {
        let found = place.and_then(|(at, item)| Some((at, packs.get(at)?.outcomes.get(item)?.clone())));
        let Some((pack, mut outcome)) = found else { continue };
        let source = || reference.file.source.to_string();
        match (&mut outcome, content.as_ref().and_then(|content| content.blake3())) {
            (Outcome::Unusable(row), _) => quarantined.push(Quarantined { source: source(), ..*row.clone() }),
            // What was counted was read, and has a hash.
            (Outcome::Counted { .. }, None) => {}
            (Outcome::Counted { document, bytes, chars, warning }, Some(blake3)) => {
                documents.push(CountedDocument {
                    reference,
                    blake3,
                    bytes: *bytes,
                    chars: *chars,
                    tokens: packs[pack].counts.token_counts().get(*document).map(|tokens| *tokens as u64),
                    statistics: packs[pack].counts.statistics().get(*document).cloned().map(Box::new),
                });
                warned.extend(warning.clone().map(|warning| Warned { source: source(), ..*warning }));
                counted.push((pack, *document));
                *document = counted.len() - 1;
            }
        }
        outcomes.push(outcome);
    }
    let scattered = packs.len() > PACKS;
    let pack = Pack { outcomes, counts: counts_of(packs, &counted) };
    if scattered {
        let keys: Vec<Key> = keys.iter().map(|key| key.unwrap_or_else(Key::nothing)).collect();
        counting.desk.store.keep(&keys, &pack);
    }
    // What was known before stands with the inputs.
    let learnt = counting.inputs.contents().is_none();
    let contents = contents.into_iter().filter(|_| learnt);
    let contents = contents.map(|content| content.unwrap_or_default().into_owned()).collect();
    Ok(CountedShard { documents, quarantined, warned, contents, counts: shelf.put(pack.counts)? })
}
