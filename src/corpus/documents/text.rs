//! Texts: of a document, and of the files of several documents that are wanted by more than one reader.

use std::collections::HashMap;
use std::fmt;
use std::ops::{Deref, Range};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use super::super::digest::Digest;
use super::super::encoding::Decoded;
use super::super::quarantine::Unusable;
use crate::simd::{Width, characters};

/// A file's visible text, with what the tables say of the file itself.
#[derive(Debug)]
pub(super) struct FileText {
    pub(super) decoded: Decoded,
    pub(super) blake3: Digest,
    pub(super) size: u64,
}

/// Filled by whoever comes first; the others wait.
pub(super) type SharedText = OnceLock<Result<FileText, Unusable>>;

/// The text of a document: its own, or a part of its file's, which is not copied.
#[derive(Clone)]
pub struct DocumentText(Held);

#[derive(Clone)]
enum Held {
    Own(String),
    Part(Arc<SharedText>, Range<usize>),
}

impl DocumentText {
    /// The part `range` of a file's text, without the blanks around it.
    pub(super) fn part(file: Arc<SharedText>, range: &Range<usize>) -> Self {
        let text = text_of(&file).get(range.clone()).unwrap_or_default();
        let start = range.start + (text.len() - text.trim_start().len());
        let end = start + text.trim().len();
        Self(Held::Part(file, start..end))
    }

    /// How many characters it has.
    #[must_use]
    pub fn characters(&self) -> usize {
        characters(Width::detect(), self)
    }

    /// The text, alone.
    #[must_use]
    pub fn into_string(self) -> String {
        match self.0 {
            Held::Own(text) => text,
            Held::Part(file, range) => text_of(&file).get(range).unwrap_or_default().to_owned(),
        }
    }
}

fn text_of(file: &SharedText) -> &str {
    file.get().and_then(|text| text.as_ref().ok()).map_or("", |file| &file.decoded.text)
}

impl From<String> for DocumentText {
    fn from(text: String) -> Self {
        Self(Held::Own(text))
    }
}

impl Deref for DocumentText {
    type Target = str;

    fn deref(&self) -> &str {
        match &self.0 {
            Held::Own(text) => text,
            Held::Part(file, range) => text_of(file).get(range.clone()).unwrap_or_default(),
        }
    }
}

impl fmt::Display for DocumentText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self)
    }
}

impl fmt::Debug for DocumentText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl PartialEq for DocumentText {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl Eq for DocumentText {}

impl AsRef<str> for DocumentText {
    fn as_ref(&self) -> &str {
        self
    }
}

/// Bytes of text that are kept for the reader.
const KEPT_BYTES: usize = 64 << 20;

/// The texts of files of several documents, from the listing of these, which has to read them, to their reading. Few are kept, each
/// until it is taken; the others are read again.
#[derive(Debug, Default)]
pub struct KeptTexts(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    texts: HashMap<PathBuf, FileText>,
    bytes: usize,
}

impl KeptTexts {
    pub(super) fn keep(&self, path: &Path, text: FileText) {
        let mut kept = self.kept();
        let bytes = kept.bytes + text.decoded.text.len();
        if bytes <= KEPT_BYTES {
            kept.bytes = bytes;
            kept.texts.insert(path.to_path_buf(), text);
        }
    }

    pub(super) fn take(&self, path: &Path) -> Option<FileText> {
        self.kept().texts.remove(path)
    }

    /// Lets go of those that nobody has taken.
    pub fn clear(&self) {
        *self.kept() = Kept::default();
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
