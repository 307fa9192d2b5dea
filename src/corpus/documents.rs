//! Documents: which there are (an index of ids and places, cheap to keep) and their text (read shard by shard).

use std::collections::HashMap;
use std::ops::Range;
use std::panic::catch_unwind;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::contents::{Contents, read_contents};
use super::encoding::{Decoded, decode};
use super::identity::{Identity, unique};
use super::markdown::visible_text;
use super::quarantine::{Quarantined, Stage, Unusable, Warned};
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
    /// Which part of the file it is; `None` for all of it.
    part: Option<Part>,
}

/// A document's place in a file of several.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Part {
    /// Bytes of the file's visible text.
    range: Range<usize>,
    /// Hash of the file in which the range was found.
    blake3: Arc<str>,
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

/// Lists the documents in `files`, sorted by id. Files that hold one document each are not opened here. A repeated id is
/// quarantined; the first by source stays. A file of which no document comes is quarantined too: it must not be missed.
#[must_use]
pub fn index_documents(files: &[Found], rules: &DocumentRules) -> (Vec<DocumentRef>, Vec<Quarantined>) {
    let indexed: Vec<_> = files.par_iter().map(|file| index_file(file, rules)).collect();
    let mut references = Vec::new();
    let mut quarantined = Vec::new();
    for (file, outcome) in files.iter().zip(indexed) {
        match outcome {
            Ok(mut found) => references.append(&mut found),
            Err(trouble) => quarantined.push(trouble.of(&file.source)),
        }
    }
    let (references, repeated) = unique(references, |reference| (&reference.id, &reference.source));
    quarantined.extend(repeated);
    (references, quarantined)
}

fn index_file(file: &Found, rules: &DocumentRules) -> Result<Vec<DocumentRef>, Unusable> {
    let format = resolve(rules.format, &file.source);
    let reference = |id: String, part: Option<Part>| {
        let bytes = part.as_ref().map_or(file.bytes, |part| part.range.len() as u64);
        DocumentRef { id, path: file.path.clone(), source: file.source.clone(), bytes, part }
    };
    if format != DocumentFormat::Transcripts && rules.split == Split::File {
        return Ok(vec![reference(rules.identity.id(&file.source), None)]);
    }
    let FileText { decoded, blake3, .. } = read_text(&file.path, format)?;
    let blake3: Arc<str> = blake3.into();
    let part = |id: String, range| reference(id, Some(Part { range, blake3: Arc::clone(&blake3) }));
    let references: Vec<DocumentRef> = if format == DocumentFormat::Transcripts {
        let lines = pieces(&decoded.text, Split::Line);
        lines
            .filter_map(|(_, range)| {
                let line = &decoded.text[range.clone()];
                let id = line.split_whitespace().next()?;
                let words_at = line.find(id)? + id.len();
                Some(part(id.to_owned(), range.start + words_at..range.end))
            })
            .collect()
    } else {
        let id = rules.identity.id(&file.source);
        pieces(&decoded.text, rules.split).map(|(n, range)| part(format!("{id}#{n}"), range)).collect()
    };
    if references.is_empty() {
        return Err(Unusable::new("no_documents", "holds nothing but blanks: no document comes of it"));
    }
    Ok(references)
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
    })?;
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

    /// Reads the documents `references`, in their order.
    #[must_use]
    pub fn read(&self, references: &[DocumentRef]) -> (Vec<Document>, Vec<Quarantined>) {
        let mut documents = Vec::with_capacity(references.len());
        let mut quarantined = Vec::new();
        // Ids of several files may alternate: each file stays open for the whole shard.
        let mut open: HashMap<&Path, Arc<SharedText>> = HashMap::new();
        for reference in references {
            let whole = Arc::new(OnceLock::new());
            let shared = match reference.part {
                None => &whole,
                Some(_) => open.entry(&reference.path).or_insert_with(|| self.shared(&reference.path)),
            };
            let file = shared
                .get_or_init(|| read_text(&reference.path, resolve(self.rules.format, &reference.source)));
            let outcome =
                file.as_ref().map_err(Clone::clone).and_then(|file| document(reference, file, self.rules));
            match outcome {
                Ok(document) => documents.push(document),
                // A file is unusable once, however many documents were found in it.
                Err(trouble) => {
                    let row = trouble.of(&reference.source);
                    if !quarantined.contains(&row) {
                        quarantined.push(row);
                    }
                }
            }
        }
        (documents, quarantined)
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
            let unchanged = *part.blake3 == *file.blake3;
            let text = decoded.text.get(part.range.clone()).filter(|_| unchanged).ok_or_else(|| {
                let reason =
                    "the file changed between listing and reading its parts: it is read again next night";
                Unusable::new("changed_while_read", reason)
            })?;
            let text = text.trim();
            (text.to_owned(), blake3::hash(text.as_bytes()).to_hex().to_string(), text.len() as u64)
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
                Found { path, source: (*source).to_owned(), bytes: text.len() as u64 }
            })
            .collect();
        (folder, found)
    }

    fn read(files: &[(&str, &str)], rules: &DocumentRules) -> (Vec<(String, String)>, Vec<Quarantined>) {
        let (_folder, found) = corpus(files);
        let (references, mut quarantined) = index_documents(&found, rules);
        let (documents, more) = DocumentReader::new(rules).read(&references);
        quarantined.extend(more);
        (documents.into_iter().map(|document| (document.id, document.text)).collect(), quarantined)
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
        let (references, quarantined) = index_documents(&found, &rules);
        assert_eq!(
            (references.len(), &*quarantined[0].code, &*quarantined[0].source),
            (9, "no_documents", "d.txt")
        );
        // As long as before: only the contents tell.
        std::fs::write(folder.path().join("a.txt"), "One\nTwo\nThree\n").unwrap();
        std::fs::remove_file(folder.path().join("b.txt")).unwrap();
        let (documents, quarantined) = DocumentReader::new(&rules).read(&references);
        let codes: Vec<_> = quarantined.iter().map(|row| (&*row.source, &*row.code)).collect();
        assert_eq!(
            (documents.len(), codes),
            (3, vec![("a.txt", "changed_while_read"), ("b.txt", "vanished")])
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
