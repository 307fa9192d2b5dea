//! Values on their way into a file and a hash at once, without a copy of them in memory.

use std::io::{self, BufWriter, Write};

use serde::Serialize;

use crate::report::Hashed;

/// Bytes that are hashed and written at once: a hasher is slow with single bytes.
const BUFFER: usize = 1 << 16;

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
