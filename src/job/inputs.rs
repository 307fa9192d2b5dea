//! What a job reads tonight: documents and recordings with what is known of their content before any is opened.

use std::path::Path;
use std::sync::{Arc, OnceLock};

use rayon::prelude::*;

use super::content::{Content, Packing};
use super::desk::Desk;
use super::key::Key;
use super::plan::{ClipsPlan, DocumentsPlan};
use crate::corpus::{
    ClipRef, Digest, DocumentRef, DocumentRules, Found, KeptTexts, Listing, Manifest, Quarantined, Warned,
    index_clips, listed_documents, read_and_keep, read_manifest, unique_clips, unique_documents, walk,
    whole_document,
};
use crate::error::{Error, Result};

/// The inputs of one side of the job, by id.
pub(super) struct Inputs<R> {
    pub references: Vec<R>,
    pub quarantined: Vec<Quarantined>,
    pub warned: Vec<Warned>,
    /// What is asked for again and again, and takes a look at every input.
    contents: OnceLock<Option<Arc<Vec<Content>>>>,
    key: OnceLock<Key>,
    /// What listing documents read of them.
    pub texts: KeptTexts,
}

/// An input of either side.
pub(super) trait Input: Sync {
    /// Its id and source.
    fn names(&self) -> (&str, &str);
    /// What tells its content apart from any other, where that is known before it is read.
    fn content(&self) -> Option<Content>;
    /// What the tables say of it beside its names and results: its group, and values that are carried along.
    fn labels(&self) -> (Option<&str>, &[Option<String>]);
}

impl Input for DocumentRef {
    fn names(&self) -> (&str, &str) {
        (&self.id, &self.file.source)
    }

    fn labels(&self) -> (Option<&str>, &[Option<String>]) {
        (self.group.as_deref(), &self.keep)
    }

    fn content(&self) -> Option<Content> {
        self.blake3.map(|blake3| Content::of_document(self, blake3))
    }
}

impl Input for ClipRef {
    fn names(&self) -> (&str, &str) {
        (&self.id, &self.source)
    }

    fn labels(&self) -> (Option<&str>, &[Option<String>]) {
        (self.group.as_deref(), &[])
    }

    fn content(&self) -> Option<Content> {
        self.blake3.map(|blake3| Content::of_clip(self, blake3))
    }
}

/// The inputs of both sides, where the job has them.
pub(super) type AllInputs = (Option<Inputs<DocumentRef>>, Option<Inputs<ClipRef>>);

/// Inputs that a thread takes at once.
const ITEMS_AT_ONCE: usize = 1024;

impl<R: Input> Inputs<R> {
    /// The input with this id.
    pub fn find(&self, id: &str) -> Option<&R> {
        let at = self.references.binary_search_by(|reference| reference.names().0.cmp(id)).ok()?;
        self.references.get(at)
    }

    /// The inputs `references`, and what is wrong with others.
    pub fn new(references: Vec<R>, quarantined: Vec<Quarantined>, warned: Vec<Warned>) -> Self {
        Self::with_texts(references, quarantined, warned, KeptTexts::default())
    }

    /// As [`Inputs::new`]; `texts` are what was read of them already.
    fn with_texts(
        references: Vec<R>,
        quarantined: Vec<Quarantined>,
        warned: Vec<Warned>,
        texts: KeptTexts,
    ) -> Self {
        Self { references, quarantined, warned, contents: OnceLock::new(), key: OnceLock::new(), texts }
    }

    /// The contents of all inputs, where all are known before any is read.
    pub fn contents(&self) -> Option<&Arc<Vec<Content>>> {
        let all = || {
            let contents: Option<Vec<Content>> =
                self.references.par_iter().with_min_len(ITEMS_AT_ONCE).map(Input::content).collect();
            contents.map(Arc::new)
        };
        self.contents.get_or_init(all).as_ref()
    }

    /// More is known of the contents than there was.
    pub fn learn(&mut self, learn: impl FnOnce(&mut [R]) -> Result<()>) -> Result<()> {
        (self.contents, self.key) = (OnceLock::new(), OnceLock::new());
        learn(&mut self.references)
    }

    /// The key of these inputs with their contents: what is made of them has a key of its own, by [`made_of`].
    pub fn key(&self, contents: &[Content]) -> Key {
        *self.key.get_or_init(|| self.key_of(contents))
    }

    fn key_of(&self, contents: &[Content]) -> Key {
        let of_some = |(references, contents): (&[R], &[Content])| {
            let items = references.iter().zip(contents);
            let items: Vec<_> = items.map(|(item, content)| (item.names(), content, item.labels())).collect();
            Key::of("some inputs", &items)
        };
        let (references, contents) =
            (self.references.par_chunks(ITEMS_AT_ONCE), contents.par_chunks(ITEMS_AT_ONCE));
        let items: Vec<Key> = references.zip(contents).map(of_some).collect();
        Key::of("inputs", &(items, &self.quarantined, &self.warned))
    }
}

/// The key of what `purpose` makes of `inputs` under `settings`.
pub(super) fn made_of(inputs: &Key, purpose: &str, settings: &[&str]) -> Key {
    Key::of(purpose, &(settings, inputs))
}

/// Lists the documents of the job. Files of several documents are read where their listing is not known.
pub(super) fn documents(plan: &DocumentsPlan, desk: &Desk<'_>) -> Result<Inputs<DocumentRef>> {
    if let Some(path) = &plan.manifest {
        let (file, manifest) = manifest(path, desk)?;
        let (references, mut quarantined) = match manifest {
            Ok(manifest) => manifest.documents(&file),
            Err(row) => (Vec::new(), vec![row]),
        };
        let (references, repeated) = unique_documents(references);
        quarantined.extend(repeated);
        return Ok(Inputs::new(references, quarantined, Vec::new()));
    }
    let found = walk(&plan.include, &plan.exclude, plan.follow_links, "documents.include")?;
    let texts = KeptTexts::default();
    let listed: Vec<_> = found.found.par_iter().map(|file| list(file, &plan.rules, &texts, desk)).collect();
    let mut quarantined = found.quarantined;
    let mut references = Vec::new();
    for outcome in listed {
        match outcome {
            Ok((documents, mut broken)) if references.is_empty() => {
                references = documents;
                quarantined.append(&mut broken);
            }
            Ok((mut documents, mut broken)) => {
                references.append(&mut documents);
                quarantined.append(&mut broken);
            }
            Err(row) => quarantined.push(row),
        }
    }
    let (references, repeated) = unique_documents(references);
    quarantined.extend(repeated);
    Ok(Inputs::with_texts(references, quarantined, found.warned, texts))
}

/// The documents of a file, and its rows that are none. A file that is one document is not opened, nor is one whose listing is
/// kept.
fn list(
    file: &Found,
    rules: &DocumentRules,
    texts: &KeptTexts,
    desk: &Desk<'_>,
) -> std::result::Result<(Vec<DocumentRef>, Vec<Quarantined>), Quarantined> {
    let hash = desk.inventory.hash_of(&file.stamp, &file.source);
    if !rules.splits(&file.source) {
        let mut document = whole_document(file, rules);
        document.blake3 = hash;
        return Ok((vec![document], Vec::new()));
    }
    let how = (rules.format_of(&file.source), Packing::of(&file.source), rules.split, &rules.fields);
    let key = |hash: Digest| Key::of("listing", &(hash, &how));
    let known: Option<Listing> = hash.and_then(|hash| desk.store.load(&key(hash)));
    if let Some(listing) = known {
        return Ok(listed_documents(file, rules, &listing));
    }
    let listing = read_and_keep(file, rules, texts)?;
    desk.inventory.note(&file.stamp, &file.source, listing.blake3);
    let save = || desk.store.save(&key(listing.blake3), &listing);
    Ok(rayon::join(|| listed_documents(file, rules, &listing), save).0)
}

/// Lists the recordings of the job.
pub(super) fn clips(plan: &ClipsPlan, desk: &Desk<'_>) -> Result<Inputs<ClipRef>> {
    let (mut references, repeated, mut quarantined, warned) = if let Some(path) = &plan.manifest {
        let (file, manifest) = manifest(path, desk)?;
        // Of a manifest that cannot be read the documents tell.
        let (clips, missing) = manifest.map(|manifest| manifest.recordings(&file)).unwrap_or_default();
        let (clips, repeated) = unique_clips(clips);
        (clips, repeated, missing, Vec::new())
    } else {
        let found = walk(&plan.include, &plan.exclude, plan.follow_links, "clips.include")?;
        let (clips, repeated) = index_clips(&found.found, &plan.rules);
        (clips, repeated, found.quarantined, found.warned)
    };
    for reference in &mut references {
        reference.blake3 = desk.inventory.hash_of(&reference.stamp, &reference.source);
    }
    quarantined.extend(repeated);
    Ok(Inputs::new(references, quarantined, warned))
}

/// The manifest at `path`, read where it is not known, or the row of one that cannot be used.
fn manifest(path: &Path, desk: &Desk<'_>) -> Result<(Found, std::result::Result<Manifest, Quarantined>)> {
    let file = Found::at(path).map_err(|error| {
        let message = format!(
            "the file {} named by manifest.path cannot be found ({error}); create or mount it, or correct the path",
            path.display()
        );
        Error::NothingToDo(message)
    })?;
    let key = |hash: Digest| Key::of("manifest", &(hash, &file.source));
    let hash = desk.inventory.hash_of(&file.stamp, &file.source);
    if let Some(known) = hash.and_then(|hash| desk.store.load(&key(hash))) {
        return Ok((file, Ok(known)));
    }
    let manifest = read_manifest(&file);
    if let Ok(manifest) = &manifest {
        desk.inventory.note(&file.stamp, &file.source, manifest.blake3);
        desk.store.save(&key(manifest.blake3), manifest);
    }
    Ok((file, manifest))
}
