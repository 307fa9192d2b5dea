//! Values on their way into a file and a hash at once, without a copy of them in memory; files that end in the hash of what they hold.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::report::Hashed;

/// Bytes that are hashed and written at once: a hasher is slow with single bytes.
const BUFFER: usize = 1 << 16;
/// Bytes of a hash at the end of a file.
pub(super) const HASH: usize = blake3::OUT_LEN;

/// Writes `value` as postcard has it, and gives the hash of what `hasher` has seen and of that.
pub(super) fn write_value(
    sink: impl Write,
    hasher: blake3::Hasher,
    value: &impl Serialize,
) -> io::Result<blake3::Hash> {
    let mut buffered = BufWriter::with_capacity(BUFFER, Hashed::new(sink, hasher));
    let outcome = postcard::to_io(value, &mut buffered).map(|_| ()).map_err(io::Error::other);
    let outcome = outcome.and_then(|()| buffered.flush());
    let hashed = buffered.get_mut();
    // postcard does not tell of it.
    match hashed.failure() {
        Some(failure) => Err(failure),
        None => outcome.map(|()| hashed.hash()),
    }
}

/// The contents before a trailing hash, where it is theirs.
pub(super) fn whole(bytes: &[u8]) -> Option<&[u8]> {
    let (contents, hash) = bytes.split_at_checked(bytes.len().checked_sub(HASH)?)?;
    (blake3::hash(contents).as_bytes() == hash).then_some(contents)
}

/// Writes `value` and the hash of what was written.
pub(super) fn write_hashed<T: Serialize>(sink: &mut impl Write, value: &T) -> io::Result<()> {
    let hash = write_value(&mut *sink, blake3::Hasher::new(), value)?;
    sink.write_all(hash.as_bytes())
}

/// A file that is read and written whole, with its hash at the end: the store's, and the inventory's.
pub(super) fn read_file<T: DeserializeOwned>(path: &Path) -> Option<T> {
    postcard::from_bytes(whole(&fs::read(path).ok()?)?).ok()
}

/// Writes what [`read_file`] reads, in one step.
pub(super) fn replace_file<T: Serialize>(path: &Path, value: &T) -> io::Result<()> {
    Replacement::write(path, value)?.put()
}

/// A file that is written, but not in its place yet.
pub(super) struct Replacement {
    unfinished: PathBuf,
    path: PathBuf,
}

impl Replacement {
    /// Writes what is to stand at `path`, beside it.
    pub fn write<T: Serialize>(path: &Path, value: &T) -> io::Result<Self> {
        let unfinished = path.with_extension("part");
        write_hashed(&mut File::create(&unfinished)?, value)?;
        Ok(Self { unfinished, path: path.to_path_buf() })
    }

    /// Puts it in its place.
    pub fn put(self) -> io::Result<()> {
        fs::rename(self.unfinished, self.path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_is_that_of_what_was_written() {
        let value = (vec![1_u32; 100_000], "text", vec![7_u8; 300_000]);
        let mut written = Vec::new();
        let hash = write_value(&mut written, blake3::Hasher::new(), &value).unwrap();
        assert_eq!(written, postcard::to_stdvec(&value).unwrap());
        assert_eq!(hash, blake3::hash(&written));
    }

    #[test]
    fn a_full_disk_is_told_as_such() {
        struct Full(usize);
        impl Write for Full {
            fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
                self.0 = self.0.checked_sub(bytes.len()).ok_or(io::ErrorKind::StorageFull)?;
                Ok(bytes.len())
            }

            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        for room in [0, 1 << 16] {
            let outcome = write_value(Full(room), blake3::Hasher::new(), &vec![1_u8; 1 << 17]);
            assert_eq!(outcome.unwrap_err().kind(), io::ErrorKind::StorageFull);
        }
    }
}
