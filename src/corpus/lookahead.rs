//! Bytes read one after another, with a look at those that follow: what the reader of WAV files stands on.

use std::io::{self, Read};

/// A stream that can be read ahead of and skipped in, but not turned back.
pub(super) struct Lookahead {
    inner: Box<dyn Read + Send>,
    /// Read from `inner`, and not taken yet.
    ahead: Vec<u8>,
    /// Bytes taken so far.
    at: u64,
}

impl Lookahead {
    pub fn new(inner: Box<dyn Read + Send>) -> Self {
        Self { inner, ahead: Vec::new(), at: 0 }
    }

    /// Where the next byte stands.
    pub fn at(&self) -> u64 {
        self.at
    }

    /// The next `len` bytes, which stay to be taken; fewer where the stream ends before.
    pub fn peek(&mut self, len: usize) -> io::Result<&[u8]> {
        if let Some(missing) = len.checked_sub(self.ahead.len()) {
            (&mut self.inner).take(missing as u64).read_to_end(&mut self.ahead)?;
        }
        Ok(self.ahead.get(..len).unwrap_or(&self.ahead))
    }

    /// Takes bytes into `buffer` until it is full or the stream ends; says how many.
    pub fn fill(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut filled = self.take_ahead(buffer.len() as u64, Some(buffer));
        while let Some(room) = buffer.get_mut(filled..).filter(|room| !room.is_empty()) {
            match self.inner.read(room) {
                Ok(0) => break,
                Ok(more) => filled += more,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        self.at += filled as u64;
        Ok(filled)
    }

    /// Passes over `len` bytes, or those that are left; says how many.
    pub fn skip(&mut self, len: u64) -> io::Result<u64> {
        let held = self.take_ahead(len, None) as u64;
        let passed = held + io::copy(&mut (&mut self.inner).take(len - held), &mut io::sink())?;
        self.at += passed;
        Ok(passed)
    }

    /// Takes what was read ahead, `len` bytes at most.
    fn take_ahead(&mut self, len: u64, into: Option<&mut [u8]>) -> usize {
        let held = self.ahead.len().min(usize::try_from(len).unwrap_or(usize::MAX));
        if let Some(into) = into.and_then(|buffer| buffer.get_mut(..held)) {
            into.copy_from_slice(&self.ahead[..held]);
        }
        self.ahead.drain(..held);
        held
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A reader that gives what it has in threes.
    struct Threes(io::Cursor<Vec<u8>>);

    impl Read for Threes {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let most = buffer.len().min(3);
            self.0.read(&mut buffer[..most])
        }
    }

    #[test]
    fn what_was_looked_at_is_still_taken() {
        let mut stream = Lookahead::new(Box::new(Threes(io::Cursor::new((0..20).collect()))));
        assert_eq!(stream.peek(5).unwrap(), [0, 1, 2, 3, 4]);
        assert_eq!(stream.peek(2).unwrap(), [0, 1]);
        let mut buffer = [0; 7];
        assert_eq!((stream.fill(&mut buffer).unwrap(), buffer), (7, [0, 1, 2, 3, 4, 5, 6]));
        assert_eq!((stream.peek(4).unwrap().len(), stream.skip(2).unwrap(), stream.at()), (4, 2, 9));
        assert_eq!(stream.skip(u64::MAX).unwrap(), 11);
        assert_eq!((stream.fill(&mut buffer).unwrap(), stream.at()), (0, 20));
        assert!(stream.peek(1).unwrap().is_empty());
    }
}
