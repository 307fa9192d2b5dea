//! What is written, hashed and counted on its way.

use std::io::{self, Write};

/// Writes on to `sink`.
pub struct Hashed<W> {
    sink: W,
    hasher: blake3::Hasher,
    bytes: u64,
    failure: Option<io::Error>,
}

impl<W: Write> Hashed<W> {
    /// Begins with what `hasher` has seen.
    pub fn new(sink: W, hasher: blake3::Hasher) -> Self {
        Self { sink, hasher, bytes: 0, failure: None }
    }

    /// Bytes that were written.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The hash of what was written.
    pub fn hash(&self) -> blake3::Hash {
        self.hasher.finalize()
    }

    /// What the sink said when it failed: some who write pass it on as words only.
    pub fn failure(&mut self) -> Option<io::Error> {
        self.failure.take()
    }

    fn remember(&mut self, error: io::Error) -> io::Error {
        let code = error.raw_os_error();
        self.failure = Some(code.map_or_else(|| error.kind().into(), io::Error::from_raw_os_error));
        error
    }
}

impl<W: Write> Write for Hashed<W> {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        let n = self.sink.write(buffer).map_err(|error| self.remember(error))?;
        self.hasher.update(&buffer[..n]);
        self.bytes += n as u64;
        Ok(n)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.sink.flush().map_err(|error| self.remember(error))
    }
}
