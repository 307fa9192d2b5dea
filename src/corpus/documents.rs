//! Documents: which there are (an index of ids and places, cheap to keep) and their text (read shard by shard).

use std::collections::HashMap;
use std::ops::Range;
use std::panic::catch_unwind;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::contents::{Contents, read_contents, unreadable};
use super::encoding::{Decoded, decode, decode_html};
use super::identity::{Identity, NameBy, unique};
use super::manifest::read_manifest;
use super::quarantine::{Quarantined, Stage, Unread, Unusable, Warned};
use super::rows::{Fields, LastRow, Layout, Row, RowPlace, RowStore, changed, scan_rows};
use super::stamp::Stamp;
use super::walk::Found;
use super::{html, markdown};

/// How a file holds its text: the `format` key of the job file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DocumentFormat {
    /// By the file's name: `.md` and `.markdown` are Markdown, `.html`, `.htm` and `.xhtml` HTML, `.jsonl` and `.ndjson` JSON
    /// lines, `.csv` and `.tsv` CSV, `.parquet` Parquet, `.trans.txt` transcripts, everything else text.
    #[default]
    Auto,
    /// Plain text.
    Text,
    /// Markdown, its markup removed.
    Markdown,
    /// HTML, what a browser shows of it.
    Html,
    /// A JSON object in each line: each a document.
    Jsonl,
    /// Comma-separated values with a header, by tabs in a `.tsv`: each row a document.
    Csv,
    /// Parquet: each row a document.
    Parquet,
    /// `ID some words …` lines, as LibriSpeech's `*.trans.txt` and Kaldi's `text`: each line a document.
    Transcripts,
    /// Rows that name a recording and its words: the file of `[manifest]`, never found by a glob.
    Manifest,
}

impl DocumentFormat {
    /// Its name in the job file.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Text => "text",
            Self::Markdown => "markdown",
            Self::Html => "html",
            Self::Jsonl => "jsonl",
            Self::Csv => "csv",
            Self::Parquet => "parquet",
            Self::Transcripts => "transcripts",
            Self::Manifest => "manifest",
        }
    }
}

/// What one document is: the `split` key of the job file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Split {
    /// A whole file.
    #[default]
    File,
    /// A run of lines between blank lines; the id ends in `#N`, counted from 1.
    Paragraph,
    /// A line that is not blank; the id ends in `#N`, the line's number from 1.
    Line,
}

/// How files become documents.
#[derive(Debug, Clone)]
pub struct DocumentRules {
    /// The format of all files, or [`DocumentFormat::Auto`].
    pub format: DocumentFormat,
    /// What one document is.
    pub split: Split,
    /// Which fields of a row are what.
    pub fields: Fields,
    /// Ids and groups.
    pub identity: Identity,
}

/// A document's id and place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DocumentRef {
    /// Unique in the job.
    pub id: String,
    /// The file it comes from; many documents may share one.
    pub path: Arc<Path>,
    /// Its `source` in the tables.
    pub source: Arc<str>,
    /// Size of the file on disk, or of the part of it: how much work the document is.
    pub bytes: u64,
    /// How the file holds its text.
    pub format: DocumentFormat,
    /// The stamp of the file.
    pub stamp: Stamp,
    /// Hash of its content, where that is known without reading it.
    pub blake3: Option<String>,
    /// Of a part of a file, the hash that the file had when its parts were listed.
    pub(super) listed: Option<Arc<str>>,
    /// The group that its row or its id names.
    pub group: Option<String>,
    /// Its values of [`Fields::keep`]; null where its row has none. Empty where nothing is kept.
    pub keep: Vec<Option<String>>,
    pub(super) place: Place,
}

/// Where a document's text stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Place {
    /// It is all of the file.
    File,
    /// Bytes of the file's visible text.
    Text(Range<usize>),
    /// In a row: all of its text, or some bytes of that.
    Row(RowPlace, Option<Range<usize>>),
}

impl DocumentRef {
    /// Whether it is a file of its own, not a part of one.
    #[must_use]
    pub fn is_whole_file(&self) -> bool {
        self.place == Place::File
    }
}

/// The documents that a file holds: what is kept of it so that it need not be opened to know them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listing {
    /// Hash of the file as it lies on disk.
    pub blake3: String,
    parts: Vec<Part>,
    /// Rows that are no documents.
    broken: Vec<Unusable>,
}

/// A part of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Part {
    name: PartName,
    place: Place,
    bytes: u64,
    blake3: String,
    group: Option<String>,
    keep: Vec<Option<String>>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
enum PartName {
    /// The file says it.
    Id(String),
    /// Follows the file's id after `#`.
    Number(usize),
    /// A part of a row that has no id: both follow the file's.
    Numbers(usize, usize),
}

impl DocumentRules {
    /// The format of the file `source`.
    #[must_use]
    pub fn format_of(&self, source: &str) -> DocumentFormat {
        resolve(self.format, source)
    }

    /// Whether the file `source` holds several documents.
    #[must_use]
    pub fn splits(&self, source: &str) -> bool {
        let format = self.format_of(source);
        format == DocumentFormat::Transcripts
            || layout_of(format, source).is_some()
            || self.split != Split::File
    }
}

/// A document and its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// Unique in the job.
    pub id: String,
    /// Its `source` in the tables.
    pub source: Arc<str>,
    /// Hash of the file as it lies on disk; of its own text for a part of a file.
    pub blake3: String,
    /// The group its id names.
    pub group: Option<String>,
    /// Bytes of the file after decompression, or of the part.
    pub bytes: u64,
    /// The text without markup.
    pub text: String,
    /// What of it could not be decoded.
    pub warning: Option<Warned>,
}

/// The document that `file` is, where it is one.
#[must_use]
pub fn whole_document(file: &Found, rules: &DocumentRules) -> DocumentRef {
    let id = rules.identity.id(&file.source);
    DocumentRef {
        group: rules.identity.group(&id),
        id,
        path: file.path.as_path().into(),
        source: file.source.as_str().into(),
        bytes: file.bytes,
        format: rules.format_of(&file.source),
        stamp: file.stamp,
        blake3: None,
        listed: None,
        keep: vec![None; rules.fields.keep.len()],
        place: Place::File,
    }
}

/// The documents that `file` holds, and the rows of it that are none.
#[must_use]
pub fn listed_documents(
    file: &Found,
    rules: &DocumentRules,
    listing: &Listing,
) -> (Vec<DocumentRef>, Vec<Quarantined>) {
    let whole = DocumentRef { listed: Some(listing.blake3.as_str().into()), ..whole_document(file, rules) };
    let of_part = |part: &Part| {
        let Part { name, place, bytes, blake3, group, keep } = part;
        let id = match name {
            PartName::Id(id) => id.clone(),
            PartName::Number(number) => format!("{}#{number}", whole.id),
            PartName::Numbers(row, number) => format!("{}#{row}#{number}", whole.id),
        };
        let mut keep = keep.clone();
        keep.resize(rules.fields.keep.len(), None);
        DocumentRef {
            group: group.clone().or_else(|| rules.identity.group(&id)),
            id,
            path: whole.path.clone(),
            source: whole.source.clone(),
            bytes: *bytes,
            format: whole.format,
            stamp: whole.stamp,
            blake3: Some(blake3.clone()),
            listed: whole.listed.clone(),
            keep,
            place: place.clone(),
        }
    };
    let broken = listing.broken.iter().map(|trouble| trouble.clone().of(&file.source)).collect();
    (listing.parts.par_iter().with_min_len(PARTS_AT_ONCE).map(of_part).collect(), broken)
}

/// Reads which documents `file` holds.
///
/// # Errors
/// The row of the quarantine table for a file that cannot be read, or of which no document comes.
pub fn read_listing(file: &Found, rules: &DocumentRules) -> Result<Listing, Quarantined> {
    let format = rules.format_of(&file.source);
    let listing = match layout_of(format, &file.source) {
        Some(layout) => listing_of_rows(file, layout, rules),
        None => listing_of_text(file, format, rules.split),
    };
    listing.and_then(Listing::checked).map_err(|trouble| trouble.of(&file.source))
}

impl Listing {
    /// # Errors
    /// Nothing in the file is a document.
    fn checked(self) -> Result<Self, Unusable> {
        /// More rows that are all broken have one thing wrong.
        const ALIKE: usize = 1000;
        if !self.parts.is_empty() {
            return Ok(self);
        }
        match self.broken.first() {
            None => Err(Unusable::new("no_documents", "holds nothing but blanks: no document comes of it")),
            Some(first) if self.broken.len() > ALIKE => {
                let reason = format!("none of its {} rows can be used; {}", self.broken.len(), first.reason);
                Err(Unusable { reason, ..first.clone() }.with_content(&self.blake3))
            }
            Some(_) => Ok(self),
        }
    }
}

/// Parts of a file that a thread takes at once, at least.
const PARTS_AT_ONCE: usize = 256;

fn listing_of_text(file: &Found, format: DocumentFormat, split: Split) -> Result<Listing, Unusable> {
    let FileText { decoded, blake3, .. } = read_text(&file.path, format)?;
    let named: Vec<(PartName, Range<usize>)> = if format == DocumentFormat::Transcripts {
        let words_of_line = |(_, range): (usize, Range<usize>)| {
            let line = decoded.text.get(range.clone())?;
            let id = line.split_whitespace().next()?;
            let words_at = line.find(id)? + id.len();
            Some((PartName::Id(id.to_owned()), range.start + words_at..range.end))
        };
        pieces(&decoded.text, Split::Line).filter_map(words_of_line).collect()
    } else {
        pieces(&decoded.text, split).map(|(n, range)| (PartName::Number(n), range)).collect()
    };
    let part = |(name, range): (PartName, Range<usize>)| {
        let text = decoded.text.get(range.clone()).unwrap_or_default().trim();
        Part::of(name, text, Place::Text(range))
    };
    // A file may be all of the corpus, in a hundred thousand lines.
    let parts = named.into_par_iter().with_min_len(PARTS_AT_ONCE).map(part).collect();
    Ok(Listing { blake3, parts, broken: Vec::new() })
}

fn listing_of_rows(file: &Found, layout: Layout, rules: &DocumentRules) -> Result<Listing, Unusable> {
    let Fields { id, text, group, keep } = &rules.fields;
    let mut names = vec![text.as_str(), id.as_str(), group.as_str()];
    names.extend(keep.iter().map(String::as_str));
    let (mut parts, mut broken) = (Vec::new(), Vec::new());
    let blake3 = scan_rows(&file.path, layout, &names, |row| match row.text(text) {
        Err(trouble) => broken.push(trouble),
        Ok(text) => parts_of_row(&row, text, layout, rules, &mut parts),
    })?;
    Ok(Listing { blake3, parts, broken })
}

fn parts_of_row(row: &Row, text: &str, layout: Layout, rules: &DocumentRules, parts: &mut Vec<Part>) {
    const FIRST_KEPT: usize = 3;
    let place = RowPlace { layout, at: row.at.clone(), column: row.column };
    let value = |name: &str, of: usize| row.value(of).filter(|_| !name.is_empty()).map(str::to_owned);
    let id = value(&rules.fields.id, 1);
    let group = value(&rules.fields.group, 2);
    let keep: Vec<Option<String>> = (FIRST_KEPT..FIRST_KEPT + rules.fields.keep.len())
        .map(|of| row.value(of).map(str::to_owned))
        .collect();
    let mut push = |name: PartName, text: &str, within: Option<Range<usize>>| {
        let part = Part::of(name, text, Place::Row(place.clone(), within));
        parts.push(Part { group: group.clone(), keep: keep.clone(), ..part });
    };
    if rules.split == Split::File {
        return push(id.map_or(PartName::Number(row.number), PartName::Id), text, None);
    }
    for (number, range) in pieces(text, rules.split) {
        let name = match &id {
            Some(id) => PartName::Id(format!("{id}#{number}")),
            None => PartName::Numbers(row.number, number),
        };
        push(name, text.get(range.clone()).unwrap_or_default().trim(), Some(range));
    }
}

impl Part {
    fn of(name: PartName, text: &str, place: Place) -> Self {
        let blake3 = blake3::hash(text.as_bytes()).to_hex().to_string();
        Self { name, place, bytes: text.len() as u64, blake3, group: None, keep: Vec::new() }
    }
}

/// Sorts documents by id. A repeated id is quarantined; the first by source stays.
#[must_use]
pub fn unique_documents(references: Vec<DocumentRef>) -> (Vec<DocumentRef>, Vec<Quarantined>) {
    unique(references, |reference| (&reference.id, &reference.source))
}

fn resolve(format: DocumentFormat, source: &str) -> DocumentFormat {
    if format != DocumentFormat::Auto {
        return format;
    }
    let name = source.to_lowercase();
    let mut extensions = unpacked_name(&name).rsplit('.');
    match (extensions.next(), extensions.next()) {
        (Some("md" | "markdown"), _) => DocumentFormat::Markdown,
        (Some("html" | "htm" | "xhtml"), _) => DocumentFormat::Html,
        (Some("jsonl" | "ndjson"), _) => DocumentFormat::Jsonl,
        (Some("csv" | "tsv"), _) => DocumentFormat::Csv,
        (Some("parquet"), _) => DocumentFormat::Parquet,
        (Some("txt"), Some("trans")) => DocumentFormat::Transcripts,
        _ => DocumentFormat::Text,
    }
}

fn unpacked_name(source: &str) -> &str {
    source.strip_suffix(".gz").or_else(|| source.strip_suffix(".zst")).unwrap_or(source)
}

/// How a file of this format holds rows, where it does.
fn layout_of(format: DocumentFormat, source: &str) -> Option<Layout> {
    match format {
        DocumentFormat::Jsonl => Some(Layout::JsonLines),
        DocumentFormat::Csv => Some(Layout::Csv { delimiter: delimiter_of(source) }),
        DocumentFormat::Parquet => Some(Layout::Parquet),
        _ => None,
    }
}

/// What stands between the fields of a CSV file of this name.
pub(super) fn delimiter_of(source: &str) -> u8 {
    if unpacked_name(&source.to_lowercase()).rsplit('.').next() == Some("tsv") { b'\t' } else { b',' }
}

/// The numbered pieces of `text` that are not blank.
fn pieces(text: &str, split: Split) -> impl Iterator<Item = (usize, Range<usize>)> {
    let mut lines = text.split_inclusive('\n').scan(0, |at, line| {
        let start = *at;
        *at += line.len();
        Some(start..start + line.trim_end().len())
    });
    let mut number = 0;
    std::iter::from_fn(move || {
        let mut piece: Option<Range<usize>> = None;
        for line in lines.by_ref() {
            let blank = text[line.clone()].trim().is_empty();
            match (split, blank) {
                (Split::Line, _) => {
                    number += 1;
                    if !blank {
                        return Some((number, line));
                    }
                }
                (_, false) => piece = Some(piece.map_or(line.start, |open| open.start)..line.end),
                (_, true) if piece.is_some() => break,
                (_, true) => {}
            }
        }
        number += usize::from(piece.is_some());
        piece.map(|range| (number, range))
    })
}

/// A file's visible text, with what the tables say of the file itself.
#[derive(Debug)]
struct FileText {
    decoded: Decoded,
    blake3: String,
    size: u64,
}

fn read_text(path: &Path, format: DocumentFormat) -> Result<FileText, Unusable> {
    let Contents { bytes, blake3 } = read_contents(path)?;
    let size = bytes.len() as u64;
    // A parser that fails an assertion over a damaged file must not end the night.
    let parsed = catch_unwind(move || visible(bytes, format));
    let decoded = parsed.unwrap_or_else(|_| {
        Err(Unusable::new("parser_failed", "a parser gave up on it: set documents.format, and report it"))
    });
    let decoded = decoded.map_err(|trouble| trouble.with_content(&blake3))?;
    Ok(FileText { decoded, blake3, size })
}

/// The text that a reader sees of what `bytes` hold.
fn visible(bytes: Vec<u8>, format: DocumentFormat) -> Result<Decoded, Unusable> {
    let of = |decoded: Decoded, text: fn(&str) -> String| Decoded { text: text(&decoded.text), ..decoded };
    match format {
        DocumentFormat::Markdown => Ok(of(decode(bytes)?, markdown::visible_text)),
        DocumentFormat::Html => Ok(of(decode_html(bytes)?, html::visible_text)),
        _ => decode(bytes),
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
    rows: RowStore,
}

/// Filled by whoever comes first; the others wait.
type SharedText = OnceLock<Result<FileText, Unusable>>;

impl<'a> DocumentReader<'a> {
    /// Reads by these rules.
    #[must_use]
    pub fn new(rules: &'a DocumentRules) -> Self {
        Self { rules, recent: Mutex::new(Vec::new()), rows: RowStore::default() }
    }

    /// Files whose rows are read and that are compressed are unpacked into `folder`, not where the system keeps what is for a while.
    #[must_use]
    pub fn unpacking_into(self, folder: &Path) -> Self {
        Self { rows: RowStore::in_folder(folder), ..self }
    }

    /// Reads the documents `references`, an outcome for each.
    #[must_use]
    pub fn read(&self, references: &[&DocumentRef]) -> Vec<Result<Document, Unread>> {
        let mut outcomes = Vec::with_capacity(references.len());
        // Ids of several files may alternate: each file stays open for the whole shard.
        let mut open: HashMap<&Path, Arc<SharedText>> = HashMap::new();
        let mut last = LastRow::default();
        for reference in references {
            let outcome = match &reference.place {
                Place::Row(place, within) => {
                    let text = self.rows.text(&reference.path, place, &self.rules.fields.text, &mut last);
                    text.and_then(|text| document_of_row(reference, text, within.as_ref()))
                }
                Place::Text(range) => {
                    let shared = open.entry(&reference.path).or_insert_with(|| self.shared(&reference.path));
                    let file = shared.get_or_init(|| read_text(&reference.path, reference.format));
                    file.as_ref().map_err(Clone::clone).and_then(|file| part_of_file(reference, file, range))
                }
                Place::File => {
                    read_text(&reference.path, reference.format).map(|file| whole_file(reference, file))
                }
            };
            outcomes.push(outcome.map_err(|trouble| trouble.of_content(&reference.source)));
        }
        outcomes
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
        let shared = Arc::new(OnceLock::new());
        recent.push((path.to_path_buf(), Arc::clone(&shared)));
        shared
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
    visible(bytes, format).map(|decoded| decoded.text).map_err(|trouble| trouble.reason)
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
    let texts: Result<Vec<String>, Unread> =
        DocumentReader::new(&rules).read(&references).into_iter().map(|read| Ok(read?.text)).collect();
    texts.map(|texts| texts.join("\n\n")).map_err(|unread| of_row(unread.row))
}

fn whole_file(reference: &DocumentRef, file: FileText) -> Document {
    let FileText { decoded: Decoded { text, replaced, encoding }, blake3, size } = file;
    let warning = replaced_characters(reference, &text, replaced, encoding);
    Document { warning, ..named(reference, text, blake3, size) }
}

fn part_of_file(
    reference: &DocumentRef,
    file: &FileText,
    range: &Range<usize>,
) -> Result<Document, Unusable> {
    let Decoded { text, replaced, encoding } = &file.decoded;
    let is_unchanged = reference.listed.as_deref() == Some(&file.blake3);
    let document = match &reference.blake3 {
        Some(blake3) if is_unchanged => {
            let text = text.get(range.clone()).unwrap_or_default().trim();
            named(reference, text.to_owned(), blake3.clone(), text.len() as u64)
        }
        _ => part_of_text(reference, text, range)?,
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
) -> Option<Warned> {
    let replaced = if in_file == 0 { 0 } else { text.matches('\u{FFFD}').count().min(in_file) };
    (replaced > 0).then(|| Warned {
        source: reference.source.to_string(),
        stage: Stage::Read,
        code: "replaced_characters".into(),
        reason: format!("{replaced} characters are not valid {encoding}: they stand as U+FFFD"),
    })
}

fn document_of_row(
    reference: &DocumentRef,
    text: &str,
    within: Option<&Range<usize>>,
) -> Result<Document, Unusable> {
    match within {
        Some(part) => part_of_text(reference, text, part),
        None => unchanged_part(reference, text),
    }
}

fn part_of_text(reference: &DocumentRef, text: &str, part: &Range<usize>) -> Result<Document, Unusable> {
    unchanged_part(reference, text.get(part.clone()).unwrap_or_default().trim())
}

/// The part of a file with this text, which must be what it was when the file was listed.
fn unchanged_part(reference: &DocumentRef, text: &str) -> Result<Document, Unusable> {
    let blake3 = blake3::hash(text.as_bytes()).to_hex().to_string();
    if reference.blake3.as_ref() != Some(&blake3) {
        return Err(changed());
    }
    Ok(named(reference, text.to_owned(), blake3, text.len() as u64))
}

fn named(reference: &DocumentRef, text: String, blake3: String, bytes: u64) -> Document {
    let (id, source, group) = (reference.id.clone(), reference.source.clone(), reference.group.clone());
    Document { id, source, blake3, group, bytes, text, warning: None }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(format: DocumentFormat, split: Split) -> DocumentRules {
        let identity = Identity::new(NameBy::Path, "").unwrap();
        DocumentRules { format, split, fields: Fields::default(), identity }
    }

    fn list(file: &Found, rules: &DocumentRules) -> Result<Vec<DocumentRef>, Quarantined> {
        if !rules.splits(&file.source) {
            return Ok(vec![whole_document(file, rules)]);
        }
        read_listing(file, rules).map(|listing| listed_documents(file, rules, &listing).0)
    }

    fn corpus(files: &[(&str, &str)]) -> (tempfile::TempDir, Vec<Found>) {
        let folder = tempfile::tempdir().unwrap();
        let found = files
            .iter()
            .map(|(source, text)| {
                let path = folder.path().join(source);
                std::fs::write(&path, text).unwrap();
                let stamp = Stamp { bytes: text.len() as u64, ..Stamp::default() };
                Found { path, source: (*source).to_owned(), bytes: stamp.bytes, stamp }
            })
            .collect();
        (folder, found)
    }

    fn read(files: &[(&str, &str)], rules: &DocumentRules) -> (Vec<(String, String)>, Vec<Quarantined>) {
        let (_folder, found) = corpus(files);
        let listed = found.iter().flat_map(|file| list(file, rules).unwrap()).collect();
        let (references, mut quarantined) = unique_documents(listed);
        let mut documents = Vec::new();
        let references: Vec<&DocumentRef> = references.iter().collect();
        for outcome in DocumentReader::new(rules).read(&references) {
            match outcome {
                Ok(document) => documents.push((document.id, document.text)),
                Err(unread) => quarantined.push(unread.row),
            }
        }
        (documents, quarantined)
    }

    fn strings(rows: &[(&str, &str)]) -> Vec<(String, String)> {
        rows.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect()
    }

    #[test]
    fn splits_number_their_pieces() {
        let text = "one\ntwo\n\n \nthree\r\n\nfour";
        let (rows, _) = read(&[("a.txt", text)], &rules(DocumentFormat::Auto, Split::Paragraph));
        assert_eq!(rows, strings(&[("a#1", "one\ntwo"), ("a#2", "three"), ("a#3", "four")]));
        let (rows, _) = read(&[("a.txt", text)], &rules(DocumentFormat::Auto, Split::Line));
        assert_eq!(rows, strings(&[("a#1", "one"), ("a#2", "two"), ("a#5", "three"), ("a#7", "four")]));
        let (rows, _) = read(&[("a.md", "# T\n\nx *y*")], &rules(DocumentFormat::Auto, Split::File));
        assert_eq!(rows, strings(&[("a", "T\n\nx y")]));
        let page = "<title>T</title><p>x <i>y</i><p>z";
        let (rows, _) = read(&[("a.html", page)], &rules(DocumentFormat::Auto, Split::Paragraph));
        assert_eq!(rows, strings(&[("a#1", "x y"), ("a#2", "z")]));
    }

    /// Ids, groups, kept values and texts of the rows of a file, and the troubles with their places.
    type RowsRead = (Vec<String>, Vec<(String, Option<u64>)>);

    fn read_rows(name: &str, bytes: &[u8], rules: &DocumentRules) -> RowsRead {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        let file =
            Found { path, source: name.to_owned(), bytes: bytes.len() as u64, stamp: Stamp::default() };
        let (references, broken) = match read_listing(&file, rules) {
            Ok(listing) => listed_documents(&file, rules, &listing),
            Err(row) => (Vec::new(), vec![row]),
        };
        let reader = DocumentReader::new(rules).unpacking_into(folder.path());
        let said = |value: &Option<String>| value.clone().unwrap_or_else(|| "-".into());
        let document = |(reference, outcome): (&DocumentRef, Result<Document, Unread>)| {
            let text = outcome.unwrap().text;
            let keep = reference.keep.iter().map(said).collect::<Vec<_>>().join(",");
            format!("{} {} {keep} {text}", reference.id, said(&reference.group))
        };
        let read = reader.read(&references.iter().collect::<Vec<_>>());
        let rows = references.iter().zip(read).map(document).collect();
        (rows, broken.into_iter().map(|row| (row.code.into_owned(), row.byte_offset)).collect())
    }

    fn row_rules(split: Split) -> DocumentRules {
        let fields =
            Fields { group: "who".into(), keep: vec!["lang".into(), "n".into()], ..Fields::default() };
        let identity = Identity::new(NameBy::Path, "^([a-z])").unwrap();
        DocumentRules { format: DocumentFormat::Auto, split, fields, identity }
    }

    fn gz(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        std::io::Write::write_all(&mut encoder, bytes).unwrap();
        encoder.finish().unwrap()
    }

    const LINES: &[u8] = b"{\"id\": \"x\", \"text\": \"on\\u0065\\n\\ntwo\", \"who\": \"anna\", \"lang\": \"de\", \"n\": 3}\n\
        \n{\"text\": \" no id \", \"lang\": null, \"deep\": {\"text\": [1]}}\n\
        {\"id\": 7, \"text\": \"\"}\r\n\
        {\"id\": \"a\", \"text\": 5}\n{\"id\": \"b\"}\n{\"id\": \"c\", \"text\": \"x\"\n[1]\n{\"text\": \"\xFF\"}\n\
        {\"id\": \"last\", \"text\": \"end\"}";

    #[test]
    fn json_lines_are_documents_and_a_broken_line_is_one_row() {
        let expected = ["x anna de,3 one\n\ntwo", "f#3 f -,-  no id ", "7 - -,- ", "last l -,- end"];
        let offset =
            |text: &[u8]| LINES.windows(text.len()).position(|window| window == text).map(|at| at as u64);
        let broken = [
            ("wrong_type", offset(b"{\"id\": \"a\"")),
            ("no_text", offset(b"{\"id\": \"b\"")),
            ("not_json", offset(b"{\"id\": \"c\"")),
            ("not_json", offset(b"[1]\n{")),
            ("not_utf8", offset(b"{\"text\": \"\xFF")),
        ]
        .map(|(code, at)| (code.to_owned(), at));
        for (name, bytes) in [
            ("f.jsonl", LINES.to_vec()),
            ("f.NDJSON", LINES.to_vec()),
            ("f.jsonl.gz", gz(LINES)),
            ("f.jsonl.zst", zstd::encode_all(LINES, 1).unwrap()),
        ] {
            let (rows, troubles) = read_rows(name, &bytes, &row_rules(Split::File));
            assert_eq!(
                (rows.as_slice(), troubles.as_slice()),
                (&expected.map(String::from)[..], &broken[..]),
                "{name}"
            );
        }
        let (rows, _) = read_rows("f.jsonl", LINES, &row_rules(Split::Paragraph));
        let expected = ["x#1 anna de,3 one", "x#2 anna de,3 two", "f#3#1 f -,- no id", "last#1 l -,- end"];
        assert_eq!(rows, expected);
        let (rows, _) = read_rows("f.jsonl", LINES, &row_rules(Split::Line));
        assert_eq!(rows[1], "x#3 anna de,3 two");
    }

    #[test]
    fn rows_of_csv_are_documents() {
        let text = b"lang,id,text,who\n,a,\"one,\n\"\"two\"\"\",\nde,,three,anna\nfr,c,\n";
        let (rows, broken) = read_rows("f.csv", text, &row_rules(Split::File));
        assert_eq!(rows, ["a a -,- one,\n\"two\"", "f#2 anna de,- three"]);
        assert_eq!(broken, [("row_width".to_owned(), Some(51))]);
        let tabs: Vec<u8> = text.iter().map(|&byte| if byte == b',' { b'\t' } else { byte }).collect();
        let (rows, _) = read_rows("f.tsv.gz", &gz(&tabs), &row_rules(Split::Line));
        assert_eq!(rows, ["a#1 a -,- one", "a#2 a -,- \"two\"", "f#2#1 anna de,- three"]);
    }

    #[test]
    fn a_file_of_rows_that_cannot_be_read_is_one_row() {
        let rules = row_rules(Split::File);
        let many = b"no json\n".repeat(2000);
        let wide: Vec<u8> =
            [0xFF, 0xFE].into_iter().chain("{}".encode_utf16().flat_map(u16::to_le_bytes)).collect();
        for (name, bytes, code) in [
            ("a.jsonl", &b"\n \n"[..], "no_documents"),
            ("a.csv", b"", "no_documents"),
            ("a.csv", b"text,id\n", "no_documents"),
            ("a.csv", b"words,id\nx,y\n", "no_text"),
            ("a.csv", b"te\xFFxt,id\nx,y\n", "not_utf8"),
            ("a.jsonl", &many, "not_json"),
            ("a.jsonl", &wide, "not_utf8"),
            ("a.jsonl.gz", b"no gzip", "broken_compression"),
            ("a.parquet", b"PAR1 and no more", "broken_parquet"),
            ("a.parquet", b"", "broken_parquet"),
        ] {
            let (rows, broken) = read_rows(name, bytes, &rules);
            assert_eq!((rows.len(), broken.len()), (0, 1), "{name} {broken:?}");
            assert_eq!(broken[0].0, code, "{name}");
        }
    }

    #[test]
    fn transcripts_are_documents_sorted_by_id_and_repeated_ids_are_quarantined() {
        let files = [("b.trans.txt", "u-2 TWO WORDS\nu-3\n\n"), ("a.trans.txt", "u-9 NINE\nu-2 AGAIN\n")];
        let (rows, quarantined) = read(&files, &rules(DocumentFormat::Auto, Split::File));
        assert_eq!(rows, strings(&[("u-2", "AGAIN"), ("u-3", ""), ("u-9", "NINE")]));
        assert_eq!(quarantined.len(), 1);
        assert_eq!((quarantined[0].source.as_str(), &*quarantined[0].code), ("b.trans.txt", "repeated_id"));
    }

    #[test]
    fn a_file_that_changes_or_vanishes_after_it_was_listed_is_a_row_once() {
        let text = "one\ntwo\nthree\n";
        let (folder, found) =
            corpus(&[("a.txt", text), ("b.txt", text), ("c.txt", text), ("d.txt", " \n\n")]);
        let rules = rules(DocumentFormat::Auto, Split::Line);
        let listed = found.iter().map(|file| list(file, &rules));
        let (listed, refused): (Vec<_>, Vec<_>) = listed.partition(Result::is_ok);
        let references: Vec<DocumentRef> = listed.into_iter().flat_map(Result::unwrap).collect();
        let refused: Vec<Quarantined> = refused.into_iter().map(Result::unwrap_err).collect();
        assert_eq!((references.len(), refused.len()), (9, 1));
        assert_eq!((&*refused[0].code, &*refused[0].source), ("no_documents", "d.txt"));
        // As long as before: only the contents tell.
        std::fs::write(folder.path().join("a.txt"), "One\nTwo\nThree\n").unwrap();
        std::fs::remove_file(folder.path().join("b.txt")).unwrap();
        let outcomes = DocumentReader::new(&rules).read(&references.iter().collect::<Vec<_>>());
        let codes = outcomes.iter().map(|outcome| match outcome {
            Ok(document) => (&*document.source, ""),
            Err(unread) => (unread.row.source.as_str(), &*unread.row.code),
        });
        let codes: std::collections::BTreeSet<_> = codes.collect();
        assert_eq!(
            codes.into_iter().collect::<Vec<_>>(),
            [("a.txt", "changed_while_read"), ("b.txt", "vanished"), ("c.txt", "")]
        );
    }

    #[test]
    fn what_is_no_text_is_quarantined_and_the_rest_is_read() {
        let files = [("a.txt", "good"), ("b.txt", "\0\u{1}bad")];
        let (rows, quarantined) = read(&files, &rules(DocumentFormat::Auto, Split::File));
        assert_eq!(rows, strings(&[("a", "good")]));
        assert_eq!((&*quarantined[0].code, quarantined[0].byte_offset), ("not_text", Some(0)));
    }
}
