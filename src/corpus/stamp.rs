//! What tells without reading that a file is as it was.

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;
use std::time::UNIX_EPOCH;

use serde::{Deserialize, Serialize};

/// Size, times and inode of a file. Two equal stamps mean equal content, unless somebody set the time back by hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize)]
pub struct Stamp {
    /// Bytes on disk.
    pub bytes: u64,
    /// Last change of the content, in nanoseconds since 1970.
    pub modified_ns: i64,
    /// The file's number on its disk.
    pub inode: u64,
    /// When the file was made, where the disk knows: an inode that was given to another file shows by it.
    pub born_ns: Option<i64>,
}

impl Stamp {
    /// The stamp that `metadata` holds.
    #[must_use]
    pub fn of(metadata: &Metadata) -> Self {
        let born = metadata.created().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
        Self {
            bytes: metadata.len(),
            modified_ns: metadata.mtime().saturating_mul(1_000_000_000).saturating_add(metadata.mtime_nsec()),
            inode: metadata.ino(),
            born_ns: born.map(|time| time.as_nanos() as i64),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_renamed_file_keeps_its_stamp_and_a_changed_one_does_not() {
        let folder = tempfile::tempdir().unwrap();
        let (a, b) = (folder.path().join("a"), folder.path().join("b"));
        std::fs::write(&a, "one").unwrap();
        let stamp = |path| Stamp::of(&std::fs::metadata(path).unwrap());
        let before = stamp(&a);
        assert_eq!(before.bytes, 3);
        std::fs::rename(&a, &b).unwrap();
        assert_eq!(stamp(&b), before);
        std::fs::write(&b, "three").unwrap();
        assert_ne!(stamp(&b), before);
    }
}
