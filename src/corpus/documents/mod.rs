//! Documents: which there are (an index of ids and places, cheap to keep) and their text (read shard by shard).

mod listing;
mod reader;
#[cfg(test)]
mod tests;
mod text;

use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::digest::Digest;
use super::identity::{Identity, unique};
use super::quarantine::{Quarantined, Warned};
use super::rows::{Fields, Layout, RowPlace};
use super::stamp::Stamp;
use super::walk::Found;
pub use listing::{Listing, listed_documents, read_and_keep, read_listing};
pub use reader::{DocumentReader, ShardReader, decode_document};
pub use text::{DocumentText, KeptTexts};

/// How a file holds its text: the `format` key of the job file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize)]
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

/// The file that a document is, or is a part of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DocumentFile {
    /// Where it is.
    pub path: PathBuf,
    /// Its `source` in the tables.
    pub source: Arc<str>,
    /// How it holds its text.
    pub format: DocumentFormat,
    /// Tells whether it stands as it stood.
    pub stamp: Stamp,
    /// Of a file of several documents, the hash that it had when they were listed.
    pub(in crate::corpus) listed: Option<Digest>,
}

/// A document's id and place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DocumentRef {
    /// Unique in the job.
    pub id: Arc<str>,
    /// The file it comes from; many documents may share one.
    pub file: Arc<DocumentFile>,
    /// Size of the file on disk, or of the part of it: how much work the document is.
    pub bytes: u64,
    /// Hash of its content, where that is known without reading it.
    pub blake3: Option<Digest>,
    /// The group that its row or its id names.
    pub group: Option<String>,
    /// Its values of [`Fields::keep`]; null where its row has none. Empty where nothing is kept.
    pub keep: Vec<Option<String>>,
    pub(in crate::corpus) place: Place,
}

/// Where a document's text stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::corpus) enum Place {
    /// It is all of the file.
    File,
    /// Bytes of the file's visible text.
    Text(Range<usize>),
    /// In a row: all of its text, or some bytes of that.
    Row(Box<(RowPlace, Option<Range<usize>>)>),
}

impl DocumentRef {
    /// Whether it is a file of its own, not a part of one.
    #[must_use]
    pub fn is_whole_file(&self) -> bool {
        self.place == Place::File
    }
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
    pub id: Arc<str>,
    /// Hash of the file as it lies on disk; of its own text for a part of a file.
    pub blake3: Digest,
    /// Bytes of the file after decompression, or of the part.
    pub bytes: u64,
    /// The text without markup.
    pub text: DocumentText,
    /// What of it could not be decoded.
    pub warning: Option<Box<Warned>>,
}

/// The document that `file` is, where it is one.
#[must_use]
pub fn whole_document(file: &Found, rules: &DocumentRules) -> DocumentRef {
    let id = rules.identity.id(&file.source);
    DocumentRef {
        group: rules.identity.group(&id),
        id: id.into(),
        file: document_file(file, rules.format_of(&file.source), None),
        bytes: file.bytes,
        blake3: None,
        keep: vec![None; rules.fields.keep.len()],
        place: Place::File,
    }
}

/// What the documents of `file` share; `listed` is the hash that it had when they were found in it.
pub(in crate::corpus) fn document_file(
    file: &Found,
    format: DocumentFormat,
    listed: Option<Digest>,
) -> Arc<DocumentFile> {
    Arc::new(DocumentFile {
        path: file.path.clone(),
        source: file.source.as_str().into(),
        format,
        stamp: file.stamp,
        listed,
    })
}

/// Sorts documents by id. A repeated id is quarantined; the first by source stays.
#[must_use]
pub fn unique_documents(references: Vec<DocumentRef>) -> (Vec<DocumentRef>, Vec<Quarantined>) {
    unique(references, |reference| (&reference.id, &reference.file.source))
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
pub(in crate::corpus) fn delimiter_of(source: &str) -> u8 {
    if unpacked_name(&source.to_lowercase()).rsplit('.').next() == Some("tsv") { b'\t' } else { b',' }
}
