//! What could not be used, and what was used only in part.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::digest::Digest;

/// The stage at which an input was found unusable; its name stands in the tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Listing and reading.
    Read,
    /// Cutting text into tokens.
    Tokens,
    /// Everything computed from a recording.
    Audio,
    /// Statistics of the corpus.
    Statistics,
    /// Pairing documents with recordings.
    Compare,
}

impl Stage {
    /// The name as it stands in the tables and in run.json.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Tokens => "tokens",
            Self::Audio => "audio",
            Self::Statistics => "statistics",
            Self::Compare => "compare",
        }
    }
}

/// An input that could not be used: a row of the `quarantine` table.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Quarantined {
    /// Path relative to the glob's literal folder.
    pub source: String,
    /// Where it was found unusable.
    pub stage: Stage,
    /// A short, stable name of the kind of trouble.
    pub code: Cow<'static, str>,
    /// What was wrong, and what to do.
    pub reason: String,
    /// Where in the file, in bytes from its start, if that is known.
    pub byte_offset: Option<u64>,
}

/// An input used in part: a row of the `warnings` table.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Warned {
    /// As in [`Quarantined`].
    pub source: String,
    /// The stage that used it in part.
    pub stage: Stage,
    /// A short, stable name of the kind of trouble.
    pub code: Cow<'static, str>,
    /// What is missing from the results.
    pub reason: String,
}

/// An input that could not be read, with the hash of its content where that is known: the same content is as unusable on
/// another night.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unread {
    /// The row of the `quarantine` table.
    pub row: Quarantined,
    /// Hash of the file as it lies on disk, or of the part of it; in a box, since every outcome of reading is as large as this.
    pub blake3: Option<Box<Digest>>,
}

/// Why an input cannot be used; becomes a [`Quarantined`] row once the source is known.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct Unusable {
    pub code: Cow<'static, str>,
    pub reason: String,
    pub byte_offset: Option<u64>,
    /// Hash of the content, where all of it was read.
    pub blake3: Option<Digest>,
}

impl std::fmt::Display for Unusable {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.reason)
    }
}

impl std::error::Error for Unusable {}

impl Unusable {
    pub fn new(code: &'static str, reason: impl Into<String>) -> Self {
        Self { code: code.into(), reason: reason.into(), byte_offset: None, blake3: None }
    }

    pub fn at(mut self, byte_offset: usize) -> Self {
        self.byte_offset = Some(byte_offset as u64);
        self
    }

    pub fn with_content(mut self, blake3: Digest) -> Self {
        self.blake3 = Some(blake3);
        self
    }

    pub fn of_content(self, source: &str) -> Unread {
        let blake3 = self.blake3.map(Box::new);
        Unread { row: self.of(source), blake3 }
    }

    pub fn of(self, source: &str) -> Quarantined {
        let Self { code, reason, byte_offset, .. } = self;
        Quarantined { source: source.to_owned(), stage: Stage::Read, code, reason, byte_offset }
    }
}
