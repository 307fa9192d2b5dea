//! What tells the content of an input apart from any other: results are found by it, whatever the input is called.

use serde::{Deserialize, Serialize};

use super::key::Key;
use crate::corpus::{ClipRef, Cut, Digest, DocumentFormat, DocumentRef, Quarantined};

/// The content of an input: its bytes, and what its name says of how to read them.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) enum Content {
    Document(Digest, DocumentFormat, Packing),
    /// A recording: its extension, what it is compressed with, and which part of it is meant.
    Recording(Digest, Box<str>),
    /// An input that could not be read, and why.
    Unusable(Box<str>),
}

/// What a file is compressed with, by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) enum Packing {
    None,
    Gz,
    Zst,
    /// A part of a file is what it is once the file is unpacked.
    Part,
}

impl Content {
    pub fn of_document(reference: &DocumentRef, blake3: Digest) -> Self {
        let whole = reference.is_whole_file();
        let packing = if whole { Packing::of(&reference.file.source) } else { Packing::Part };
        Self::Document(blake3, reference.file.format, packing)
    }

    pub fn of_clip(reference: &ClipRef, blake3: Digest) -> Self {
        let part = |Cut { offset_ns, duration_ns }| format!(" {offset_ns} {duration_ns:?}");
        let part = reference.cut.map(part).unwrap_or_default();
        let packing = Packing::of(&reference.source);
        Self::Recording(blake3, format!("{} {packing:?}{part}", reference.extension()).into())
    }

    /// Of an input that could not be read at all.
    pub fn unreadable(row: &Quarantined) -> Self {
        Self::Unusable(format!("{} {}", row.code, row.reason).into())
    }

    /// The hash of the bytes, where they could be read.
    pub fn blake3(&self) -> Option<Digest> {
        match self {
            Self::Document(blake3, ..) | Self::Recording(blake3, _) => Some(*blake3),
            Self::Unusable(_) => None,
        }
    }

    /// The key of what is made of it under the settings of `settings`.
    pub fn key(&self, settings: &Key) -> Key {
        match self {
            Self::Document(blake3, format, packing) => {
                settings.with(*blake3, [*format as u8, *packing as u8])
            }
            other => Key::of("item", &(settings, other)),
        }
    }
}

/// Of an input of which nothing is known.
impl Default for Content {
    fn default() -> Self {
        Self::Unusable(Box::default())
    }
}

impl Packing {
    pub fn of(source: &str) -> Self {
        match source.rsplit_once('.') {
            Some((_, "gz")) => Self::Gz,
            Some((_, "zst")) => Self::Zst,
            _ => Self::None,
        }
    }
}
