//! Unpacked files in one file without a name: what is compressed can be read from any place, whatever its size.

use std::fs::File;
use std::io::{self, Write};
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

/// Bytes that lie together.
const PIECE: usize = 1 << 20;

/// Threads write to it at the same time, each in pieces of its own.
#[derive(Debug)]
pub(super) struct Spool {
    file: File,
    end: AtomicU64,
}

/// A file in a [`Spool`].
#[derive(Debug, Default)]
pub(super) struct Spooled {
    /// Where each of its pieces begins.
    pieces: Vec<u64>,
}

/// Writes a file into a [`Spool`].
pub(super) struct SpoolWriter<'a> {
    spool: &'a Spool,
    spooled: Spooled,
    buffer: Vec<u8>,
}

impl Spool {
    /// In `folder`, or where the system keeps what is for a while.
    pub fn new(folder: Option<&Path>) -> io::Result<Self> {
        let file = folder.map_or_else(tempfile::tempfile, tempfile::tempfile_in)?;
        Ok(Self { file, end: AtomicU64::new(0) })
    }

    pub fn writer(&self) -> SpoolWriter<'_> {
        SpoolWriter { spool: self, spooled: Spooled::default(), buffer: Vec::with_capacity(PIECE) }
    }

    /// The bytes `range` of a file, which must lie in it.
    pub fn read(&self, spooled: &Spooled, range: Range<u64>) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        let mut at = range.start;
        while at < range.end {
            let (piece, within) = ((at / PIECE as u64) as usize, at % PIECE as u64);
            let begins = spooled.pieces.get(piece).ok_or(io::ErrorKind::UnexpectedEof)?;
            let from = bytes.len();
            let len = (range.end - at).min(PIECE as u64 - within);
            bytes.resize(from + len as usize, 0);
            self.file.read_exact_at(&mut bytes[from..], begins + within)?;
            at += len;
        }
        Ok(bytes)
    }
}

impl SpoolWriter<'_> {
    /// All of it, written.
    pub fn finish(mut self) -> io::Result<Spooled> {
        self.write_piece()?;
        Ok(self.spooled)
    }

    fn write_piece(&mut self) -> io::Result<()> {
        let at = self.spool.end.fetch_add(self.buffer.len() as u64, Ordering::Relaxed);
        self.spool.file.write_all_at(&self.buffer, at)?;
        self.spooled.pieces.push(at);
        self.buffer.clear();
        Ok(())
    }
}

impl Write for SpoolWriter<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let taken = bytes.len().min(PIECE - self.buffer.len());
        self.buffer.extend_from_slice(&bytes[..taken]);
        if self.buffer.len() == PIECE {
            self.write_piece()?;
        }
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        // A piece that is not full stays in the buffer: places are counted in whole ones.
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_written_side_by_side_are_read_from_any_place() {
        let spool = Spool::new(None).unwrap();
        let contents =
            |seed: u8| -> Vec<u8> { (0..2 * PIECE + 100).map(|i| (i % 251) as u8 ^ seed).collect() };
        let write = |seed: u8| {
            let mut writer = spool.writer();
            contents(seed).chunks(70_001).for_each(|chunk| writer.write_all(chunk).unwrap());
            writer.finish().unwrap()
        };
        let spooled = std::thread::scope(|scope| {
            [1, 2, 3].map(|seed| scope.spawn(move || write(seed))).map(|thread| thread.join().unwrap())
        });
        for (seed, spooled) in [1, 2, 3].into_iter().zip(&spooled) {
            for range in [0..10, PIECE - 5..PIECE + 5, 17..2 * PIECE + 100, 5..5] {
                let read = spool.read(spooled, range.start as u64..range.end as u64).unwrap();
                assert!(read == contents(seed)[range.clone()], "{range:?}");
            }
        }
        assert!(spool.read(&spooled[0], 0..10 * PIECE as u64).is_err());
    }
}
