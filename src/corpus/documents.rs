//! Documents: which there are (an index of ids and places, cheap to keep) and their text (read shard by shard).

use std::collections::HashMap;
use std::ops::Range;
use std::panic::catch_unwind;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use serde::{Deserialize, Serialize};

use super::contents::{Contents, read_contents};
use super::encoding::{Decoded, decode};
use super::identity::{Identity, unique};
use super::markdown::visible_text;
use super::quarantine::{Quarantined, Stage, Unread, Unusable, Warned};
use super::stamp::Stamp;
use super::walk::Found;

/// How a file holds its text: the `format` key of the job file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DocumentFormat {
    /// By the file's name: `.md` and `.markdown` are Markdown, `.trans.txt` transcripts, everything else text.
    #[default]
    Auto,
    /// Plain text.
    Text,
    /// Markdown, its markup removed.
    Markdown,
    /// `ID some words …` lines, as LibriSpeech's `*.trans.txt` and Kaldi's `text`: each line a document.
    Transcripts,
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
    /// Ids and groups.
    pub identity: Identity,
}

/// A document's id and place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DocumentRef {
    /// Unique in the job.
    pub id: String,
    /// The file it comes from.
    pub path: PathBuf,
    /// Its `source` in the tables.
    pub source: String,
    /// Size of the file on disk, or of the part of it: how much work the document is.
    pub bytes: u64,
    /// How the file holds its text.
    pub format: DocumentFormat,
    /// The stamp of the file.
    pub stamp: Stamp,
    /// Hash of its content, where that is known without reading it.
    pub blake3: Option<String>,
    /// Bytes of the file's visible text; `None` for all of it.
    part: Option<Range<usize>>,
}

impl DocumentRef {
    /// Whether it is a file of its own, not a part of one.
    #[must_use]
    pub fn is_whole_file(&self) -> bool {
        self.part.is_none()
    }
}

/// The documents that a file holds: what is kept of it so that it need not be opened to know them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listing {
    /// Hash of the file as it lies on disk.
    pub blake3: String,
    parts: Vec<Part>,
}

/// A part of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Part {
    name: PartName,
    range: Range<usize>,
    blake3: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
enum PartName {
    /// The file says it.
    Id(String),
    /// Follows the file's id after `#`.
    Number(usize),
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
        self.format_of(source) == DocumentFormat::Transcripts || self.split != Split::File
    }
}

/// A document and its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// Unique in the job.
    pub id: String,
    /// Its `source` in the tables.
    pub source: String,
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

/// Lists the documents of `file`. A file that holds one document is not opened here, nor is one whose listing is known;
/// the listing of another comes back with its documents.
///
/// # Errors
/// The row of the quarantine table for a file of several documents that cannot be read.
pub fn list_documents(
    file: &Found,
    rules: &DocumentRules,
    known: Option<Listing>,
) -> Result<(Vec<DocumentRef>, Option<Listing>), Quarantined> {
    let format = rules.format_of(&file.source);
    let reference = |id: String, bytes: u64, blake3: Option<String>, part: Option<Range<usize>>| {
        let (path, source, stamp) = (file.path.clone(), file.source.clone(), file.stamp);
        DocumentRef { id, path, source, bytes, format, stamp, blake3, part }
    };
    let file_id = rules.identity.id(&file.source);
    if !rules.splits(&file.source) {
        return Ok((vec![reference(file_id, file.bytes, None, None)], None));
    }
    let listing = match known {
        Some(listing) => listing,
        None => listing(file, rules).map_err(|trouble| trouble.of(&file.source))?,
    };
    let of_part = |part: &Part| {
        let id = match &part.name {
            PartName::Id(id) => id.clone(),
            PartName::Number(number) => format!("{file_id}#{number}"),
        };
        reference(id, part.range.len() as u64, Some(part.blake3.clone()), Some(part.range.clone()))
    };
    Ok((listing.parts.iter().map(of_part).collect(), Some(listing)))
}

fn listing(file: &Found, rules: &DocumentRules) -> Result<Listing, Unusable> {
    let format = rules.format_of(&file.source);
    let FileText { decoded, blake3, .. } = read_text(&file.path, format)?;
    let part = |name: PartName, range: Range<usize>| {
        let text = decoded.text.get(range.clone()).unwrap_or_default().trim();
        Part { name, range, blake3: blake3::hash(text.as_bytes()).to_hex().to_string() }
    };
    let parts: Vec<Part> = if format == DocumentFormat::Transcripts {
        let words_of_line = |(_, range): (usize, Range<usize>)| {
            let line = decoded.text.get(range.clone())?;
            let id = line.split_whitespace().next()?;
            let words_at = line.find(id)? + id.len();
            Some(part(PartName::Id(id.to_owned()), range.start + words_at..range.end))
        };
        pieces(&decoded.text, Split::Line).filter_map(words_of_line).collect()
    } else {
        pieces(&decoded.text, rules.split).map(|(n, range)| part(PartName::Number(n), range)).collect()
    };
    if parts.is_empty() {
        return Err(Unusable::new("no_documents", "holds nothing but blanks: no document comes of it"));
    }
    Ok(Listing { blake3, parts })
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
    let plain = name.strip_suffix(".gz").or_else(|| name.strip_suffix(".zst")).unwrap_or(&name);
    let mut extensions = plain.rsplit('.');
    match (extensions.next(), extensions.next()) {
        (Some("md" | "markdown"), _) => DocumentFormat::Markdown,
        (Some("txt"), Some("trans")) => DocumentFormat::Transcripts,
        _ => DocumentFormat::Text,
    }
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
    let parsed = catch_unwind(move || {
        let mut decoded = decode(bytes)?;
        if format == DocumentFormat::Markdown {
            decoded.text = visible_text(&decoded.text);
        }
        Ok(decoded)
    });
    let decoded = parsed.unwrap_or_else(|_| {
        Err(Unusable::new("parser_failed", "a parser gave up on it: set documents.format, and report it"))
    });
    let decoded = decoded.map_err(|trouble| trouble.with_content(&blake3))?;
    Ok(FileText { decoded, blake3, size })
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
}

/// Filled by whoever comes first; the others wait.
type SharedText = OnceLock<Result<FileText, Unusable>>;

impl<'a> DocumentReader<'a> {
    /// Reads by these rules.
    #[must_use]
    pub fn new(rules: &'a DocumentRules) -> Self {
        Self { rules, recent: Mutex::new(Vec::new()) }
    }

    /// Reads the documents `references`, an outcome for each.
    #[must_use]
    pub fn read(&self, references: &[&DocumentRef]) -> Vec<Result<Document, Unread>> {
        let mut outcomes = Vec::with_capacity(references.len());
        // Ids of several files may alternate: each file stays open for the whole shard.
        let mut open: HashMap<&Path, Arc<SharedText>> = HashMap::new();
        for reference in references {
            let whole = Arc::new(OnceLock::new());
            let shared = match reference.part {
                None => &whole,
                Some(_) => open.entry(&reference.path).or_insert_with(|| self.shared(&reference.path)),
            };
            let file = shared.get_or_init(|| read_text(&reference.path, reference.format));
            let outcome = match file {
                Err(trouble) => Err(trouble.clone()),
                Ok(file) => document(reference, file, self.rules),
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
    let decoded = decode(bytes).map_err(|trouble| trouble.reason)?;
    Ok(if format == DocumentFormat::Markdown { visible_text(&decoded.text) } else { decoded.text })
}

fn document(reference: &DocumentRef, file: &FileText, rules: &DocumentRules) -> Result<Document, Unusable> {
    let decoded = &file.decoded;
    let (text, blake3, bytes) = match &reference.part {
        None => (decoded.text.clone(), file.blake3.clone(), file.size),
        Some(part) => {
            let text = decoded.text.get(part.clone()).unwrap_or_default().trim();
            let blake3 = blake3::hash(text.as_bytes()).to_hex().to_string();
            if reference.blake3.as_ref() != Some(&blake3) {
                let reason =
                    "the file changed between listing and reading its parts: it is read again next night";
                return Err(Unusable::new("changed_while_read", reason));
            }
            (text.to_owned(), blake3, text.len() as u64)
        }
    };
    let replaced = text.matches('\u{FFFD}').count().min(decoded.replaced);
    let warning = (replaced > 0).then(|| Warned {
        source: reference.source.clone(),
        stage: Stage::Read,
        code: "replaced_characters".into(),
        reason: format!("{replaced} characters are not valid {}: they stand as U+FFFD", decoded.encoding),
    });
    let group = rules.identity.group(&reference.id);
    Ok(Document {
        id: reference.id.clone(),
        source: reference.source.clone(),
        blake3,
        group,
        bytes,
        text,
        warning,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::corpus::NameBy;

    fn rules(format: DocumentFormat, split: Split) -> DocumentRules {
        DocumentRules { format, split, identity: Identity::new(NameBy::Path, "").unwrap() }
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
        let listed = found.iter().flat_map(|file| list_documents(file, rules, None).unwrap().0).collect();
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
        let listed = found.iter().map(|file| list_documents(file, &rules, None));
        let (listed, refused): (Vec<_>, Vec<_>) = listed.partition(Result::is_ok);
        let references: Vec<DocumentRef> = listed.into_iter().flat_map(|listed| listed.unwrap().0).collect();
        let refused: Vec<Quarantined> = refused.into_iter().map(Result::unwrap_err).collect();
        assert_eq!((references.len(), refused.len()), (9, 1));
        assert_eq!((&*refused[0].code, &*refused[0].source), ("no_documents", "d.txt"));
        // As long as before: only the contents tell.
        std::fs::write(folder.path().join("a.txt"), "One\nTwo\nThree\n").unwrap();
        std::fs::remove_file(folder.path().join("b.txt")).unwrap();
        let outcomes = DocumentReader::new(&rules).read(&references.iter().collect::<Vec<_>>());
        let codes = outcomes.iter().map(|outcome| match outcome {
            Ok(document) => (document.source.as_str(), ""),
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
