//! The text of documents, file by file or row by row.

use std::collections::HashMap;
use std::ops::Range;
use std::panic::catch_unwind;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use super::super::contents::{Contents, Readers, read_contents, unreadable};
use super::super::digest::Digest;
use super::super::encoding::{Decoded, decode, decode_html};
use super::super::identity::{Identity, NameBy};
use super::super::manifest::read_manifest;
use super::super::quarantine::{Quarantined, Stage, Unread, Unusable, Warned};
use super::super::rows::{Fields, LastRow, RowStore, changed};
use super::super::walk::Found;
use super::super::{html, markdown};
use super::text::{DocumentText, FileText, KeptTexts, SharedText};
use super::{
    Document, DocumentFile, DocumentFormat, DocumentRef, DocumentRules, Place, Split, layout_of,
    listed_documents, read_listing,
};

pub(super) fn read_text(path: &Path, format: DocumentFormat, readers: Readers) -> Result<FileText, Unusable> {
    let Contents { bytes, blake3 } = read_contents(path, readers)?;
    let size = bytes.len() as u64;
    // A parser that fails an assertion over a damaged file must not end the night.
    let parsed = catch_unwind(move || visible(bytes, format, readers));
    let decoded = parsed.unwrap_or_else(|_| {
        Err(Unusable::new("parser_failed", "a parser gave up on it: set documents.format, and report it"))
    });
    let decoded = decoded.map_err(|trouble| trouble.with_content(blake3))?;
    Ok(FileText { decoded, blake3, size })
}

/// The text that a reader sees of what `bytes` hold.
fn visible(bytes: Vec<u8>, format: DocumentFormat, readers: Readers) -> Result<Decoded, Unusable> {
    let of = |decoded: Decoded, text: fn(&str) -> String| Decoded { text: text(&decoded.text), ..decoded };
    match format {
        DocumentFormat::Markdown => Ok(of(decode(bytes, readers)?, markdown::visible_text)),
        DocumentFormat::Html => Ok(of(decode_html(bytes)?, html::visible_text)),
        _ => decode(bytes, readers),
    }
}

/// Files of several documents that stay in memory for the shards that follow.
const RECENT_FILES: usize = 4;

/// Reads documents; threads share one. A file that holds several documents is read once for all shards that want it one
/// after the other.
#[derive(Debug)]
pub struct DocumentReader<'a> {
    rules: &'a DocumentRules,
    /// The most recently used last.
    recent: Mutex<Vec<(PathBuf, Arc<SharedText>)>>,
    /// What was read already.
    texts: Option<&'a KeptTexts>,
    rows: RowStore,
}

impl<'a> DocumentReader<'a> {
    /// Reads by these rules.
    #[must_use]
    pub fn new(rules: &'a DocumentRules) -> Self {
        Self { rules, recent: Mutex::new(Vec::new()), texts: None, rows: RowStore::default() }
    }

    /// Files whose rows are read and that are compressed are unpacked into `folder`, not where the system keeps what is for a while.
    #[must_use]
    pub fn unpacking_into(self, folder: &Path) -> Self {
        Self { rows: RowStore::in_folder(folder), ..self }
    }

    /// Files whose texts are kept in `texts` are not read again.
    #[must_use]
    pub fn with_texts(self, texts: &'a KeptTexts) -> Self {
        Self { texts: Some(texts), ..self }
    }

    /// Reads the documents `references`, an outcome for each.
    #[must_use]
    pub fn read(&self, references: &[&DocumentRef]) -> Vec<Result<Document, Unread>> {
        self.of_shard().read(references)
    }

    /// Reads the documents of a shard, which may come in several batches.
    #[must_use]
    pub fn of_shard(&self) -> ShardReader<'_, 'a> {
        ShardReader { reader: self, open: HashMap::new(), last: LastRow::default() }
    }

    fn shared(&self, path: &Path) -> Arc<SharedText> {
        let mut recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(at) = recent.iter().position(|(known, _)| known == path) {
            let found = recent.remove(at);
            recent.push(found.clone());
            return found.1;
        }
        if recent.len() >= RECENT_FILES {
            recent.remove(0);
        }
        let kept = self.texts.and_then(|texts| texts.take(path));
        let shared = Arc::new(kept.map_or_else(SharedText::new, |text| SharedText::from(Ok(text))));
        recent.push((path.to_path_buf(), Arc::clone(&shared)));
        shared
    }
}

/// Reads the documents of a shard. Ids of several files may alternate: each file stays open for all of it.
pub struct ShardReader<'r, 'a> {
    reader: &'r DocumentReader<'a>,
    open: HashMap<PathBuf, Arc<SharedText>>,
    last: LastRow,
}

impl ShardReader<'_, '_> {
    /// Reads the documents `references`, an outcome for each.
    pub fn read(&mut self, references: &[&DocumentRef]) -> Vec<Result<Document, Unread>> {
        let Self { reader, open, last } = self;
        let mut outcomes = Vec::with_capacity(references.len());
        let mut current: Option<(Arc<DocumentFile>, Arc<SharedText>)> = None;
        for reference in references {
            let DocumentFile { path, format, source, .. } = &*reference.file;
            let outcome = match &reference.place {
                Place::Row(row) => {
                    let (place, within) = &**row;
                    let text = reader.rows.text(path, place, &reader.rules.fields.text, last);
                    text.and_then(|text| document_of_row(reference, text, within.as_ref()))
                }
                Place::Text(range) => {
                    // Most documents of a file follow one another.
                    let shared = match &current {
                        Some((file, shared)) if Arc::ptr_eq(file, &reference.file) => shared,
                        _ => {
                            let shared = open.entry(path.clone()).or_insert_with(|| reader.shared(path));
                            &current.insert((Arc::clone(&reference.file), Arc::clone(shared))).1
                        }
                    };
                    let file = shared.get_or_init(|| read_text(path, *format, Readers::One));
                    let file = file.as_ref().map_err(Clone::clone);
                    file.and_then(|file| part_of_file(reference, (file, shared), range))
                }
                Place::File => read_text(path, *format, Readers::One).map(|file| whole_file(reference, file)),
            };
            outcomes.push(outcome.map_err(|trouble| trouble.of_content(source)));
        }
        outcomes
    }
}

/// The visible text of the document held in `bytes`.
///
/// # Errors
/// A sentence that says why it is no text.
pub fn decode_document(bytes: Vec<u8>, format: DocumentFormat) -> Result<String, String> {
    if format == DocumentFormat::Manifest || layout_of(format, "").is_some() {
        return decode_rows(&bytes, format).map_err(|trouble| trouble.reason);
    }
    visible(bytes, format, Readers::One).map(|decoded| decoded.text).map_err(|trouble| trouble.reason)
}

/// The texts of the rows held in `bytes`, which go the way of any file: listed, then read one by one.
fn decode_rows(bytes: &[u8], format: DocumentFormat) -> Result<String, Unusable> {
    let file = tempfile::NamedTempFile::new().map_err(|error| unreadable(&error))?;
    std::fs::write(file.path(), bytes).map_err(|error| unreadable(&error))?;
    let found = Found::at(file.path()).map_err(|error| unreadable(&error))?;
    let identity = Identity::new(NameBy::Path, "").map_err(|reason| Unusable::new("unreadable", reason))?;
    let rules = DocumentRules { format, split: Split::Paragraph, fields: Fields::default(), identity };
    let of_row = |row: Quarantined| Unusable::new("unreadable", row.reason);
    let references = if format == DocumentFormat::Manifest {
        read_manifest(&found).map_err(of_row)?.documents(&found).0
    } else {
        listed_documents(&found, &rules, &read_listing(&found, &rules).map_err(of_row)?).0
    };
    let references: Vec<&DocumentRef> = references.iter().collect();
    let texts: Result<Vec<String>, Unread> = DocumentReader::new(&rules)
        .read(&references)
        .into_iter()
        .map(|read| Ok(read?.text.into_string()))
        .collect();
    texts.map(|texts| texts.join("\n\n")).map_err(|unread| of_row(unread.row))
}

fn whole_file(reference: &DocumentRef, file: FileText) -> Document {
    let FileText { decoded: Decoded { text, replaced, encoding }, blake3, size } = file;
    let warning = replaced_characters(reference, &text, replaced, encoding);
    let id = Arc::clone(&reference.id);
    Document { id, blake3, bytes: size, text: text.into(), warning }
}

fn part_of_file(
    reference: &DocumentRef,
    (file, shared): (&FileText, &Arc<SharedText>),
    range: &Range<usize>,
) -> Result<Document, Unusable> {
    let Decoded { replaced, encoding, .. } = &file.decoded;
    let text = DocumentText::part(Arc::clone(shared), range);
    let is_unchanged = reference.file.listed == Some(file.blake3);
    let document = match reference.blake3 {
        Some(blake3) if is_unchanged => part(reference, text, blake3),
        _ => unchanged_part(reference, text)?,
    };
    let warning = replaced_characters(reference, &document.text, *replaced, encoding);
    Ok(Document { warning, ..document })
}

/// The warning of a text that holds some of the characters that could not be decoded in its file.
fn replaced_characters(
    reference: &DocumentRef,
    text: &str,
    in_file: usize,
    encoding: &str,
) -> Option<Box<Warned>> {
    let replaced = if in_file == 0 { 0 } else { text.matches('\u{FFFD}').count().min(in_file) };
    let warning = || Warned {
        source: reference.file.source.to_string(),
        stage: Stage::Read,
        code: "replaced_characters".into(),
        reason: format!("{replaced} characters are not valid {encoding}: they stand as U+FFFD"),
    };
    (replaced > 0).then(|| Box::new(warning()))
}

fn document_of_row(
    reference: &DocumentRef,
    text: &str,
    within: Option<&Range<usize>>,
) -> Result<Document, Unusable> {
    let text = match within {
        Some(part) => text.get(part.clone()).unwrap_or_default().trim(),
        None => text,
    };
    unchanged_part(reference, text.to_owned().into())
}

/// The part of a file with this text, which must be what it was when the file was listed.
fn unchanged_part(reference: &DocumentRef, text: DocumentText) -> Result<Document, Unusable> {
    let blake3 = Digest::of(text.as_bytes());
    if reference.blake3 == Some(blake3) { Ok(part(reference, text, blake3)) } else { Err(changed()) }
}

fn part(reference: &DocumentRef, text: DocumentText, blake3: Digest) -> Document {
    let (id, bytes) = (Arc::clone(&reference.id), text.len() as u64);
    Document { id, blake3, bytes, text, warning: None }
}
