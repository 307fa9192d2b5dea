//! A file of vectors as it is read: bytes with their place, and every complaint with it.

use std::io::{self, Read};

/// Why a file of vectors cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum VectorFileError {
    /// Reading failed.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// A line of a text file says what cannot be.
    #[error("line {line}: {reason}")]
    Line {
        /// From 1.
        line: u64,
        /// What is wrong and what to do.
        reason: String,
    },
    /// A place in a binary file says what cannot be.
    #[error("byte {byte}: {reason}")]
    Byte {
        /// From 0.
        byte: u64,
        /// What is wrong and what to do.
        reason: String,
    },
}

/// Bytes read at once.
const BLOCK: usize = 1 << 16;

/// Buffered bytes of which any number can be looked at before they are taken.
pub(super) struct Source<R> {
    reader: R,
    buffer: Vec<u8>,
    at: usize,
    taken: u64,
    lines: u64,
}

impl<R: Read> Source<R> {
    pub(super) fn new(reader: R) -> Self {
        Self { reader, buffer: Vec::new(), at: 0, taken: 0, lines: 0 }
    }

    /// A complaint about the line that was taken last.
    pub(super) fn line_error(&self, reason: impl Into<String>) -> VectorFileError {
        VectorFileError::Line { line: self.lines, reason: reason.into() }
    }

    /// A complaint about the next byte.
    pub(super) fn byte_error(&self, reason: impl Into<String>) -> VectorFileError {
        VectorFileError::Byte { byte: self.taken, reason: reason.into() }
    }

    /// The next `count` bytes without taking them; fewer only at the end of the file.
    pub(super) fn ahead(&mut self, count: usize) -> io::Result<&[u8]> {
        while self.buffer.len() - self.at < count && self.fill()? {}
        let end = self.buffer.len().min(self.at + count);
        Ok(&self.buffer[self.at..end])
    }

    /// Reads a further block; false at the end of the file.
    fn fill(&mut self) -> io::Result<bool> {
        if self.at > 0 {
            self.buffer.drain(..self.at);
            self.at = 0;
        }
        let before = self.buffer.len();
        self.buffer.resize(before + BLOCK, 0);
        let read = loop {
            match self.reader.read(&mut self.buffer[before..]) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                other => break other,
            }
        };
        self.buffer.truncate(before + *read.as_ref().unwrap_or(&0));
        Ok(read? > 0)
    }

    pub(super) fn skip(&mut self, count: usize) {
        let count = count.min(self.buffer.len() - self.at);
        self.at += count;
        self.taken += count as u64;
    }

    /// Takes `count` bytes of `what`, which are few.
    pub(super) fn take(&mut self, count: usize, what: &str) -> Result<Vec<u8>, VectorFileError> {
        let bytes = self.ahead(count)?.to_vec();
        if bytes.len() < count {
            return Err(self.byte_error(format!("the file ends inside {what}: fetch it again")));
        }
        self.skip(count);
        Ok(bytes)
    }

    /// Takes everything up to the byte `end` and that byte, which is not given back. None at the end of the file; what is
    /// there then, where `end` is missing.
    pub(super) fn until(
        &mut self,
        end: u8,
        most: usize,
        what: &str,
    ) -> Result<Option<Vec<u8>>, VectorFileError> {
        let mut seen = 0;
        loop {
            let waiting = &self.buffer[self.at..];
            if let Some(place) = waiting[seen..].iter().position(|&byte| byte == end) {
                let bytes = waiting[..seen + place].to_vec();
                self.skip(bytes.len() + 1);
                return Ok(Some(bytes));
            }
            seen = waiting.len();
            if seen > most {
                return Err(self.byte_error(format!(
                    "{what} is longer than {most} bytes: this is no file of word vectors, or a broken one"
                )));
            }
            if !self.fill()? {
                let bytes = self.buffer[self.at..].to_vec();
                self.skip(bytes.len());
                return Ok((!bytes.is_empty()).then_some(bytes));
            }
        }
    }

    /// Takes a line without its end.
    pub(super) fn line(&mut self, most: usize) -> Result<Option<Vec<u8>>, VectorFileError> {
        let mut line = self.until(b'\n', most, "a line")?;
        if let Some(line) = &mut line {
            self.lines += 1;
            if line.last() == Some(&b'\r') {
                line.pop();
            }
        }
        Ok(line)
    }

    pub(super) fn u32(&mut self, what: &str) -> Result<u32, VectorFileError> {
        let bytes = self.take(4, what)?;
        Ok(u32::from_le_bytes(bytes.try_into().unwrap_or_default()))
    }

    pub(super) fn u64(&mut self, what: &str) -> Result<u64, VectorFileError> {
        let bytes = self.take(8, what)?;
        Ok(u64::from_le_bytes(bytes.try_into().unwrap_or_default()))
    }

    /// Takes `count` numbers of f32, appended to `numbers`, all of them finite.
    pub(super) fn numbers(
        &mut self,
        count: usize,
        what: &str,
        numbers: &mut Vec<f32>,
    ) -> Result<(), VectorFileError> {
        let mut left = count;
        while left > 0 {
            let part = left.min(BLOCK / 4);
            let bytes = self.take(4 * part, what)?;
            for (place, &bytes) in bytes.as_chunks::<4>().0.iter().enumerate() {
                let number = f32::from_le_bytes(bytes);
                if !number.is_finite() {
                    let byte = self.taken - 4 * (part - place) as u64;
                    let reason = format!("{what} holds {number}: only numbers can be used");
                    return Err(VectorFileError::Byte { byte, reason });
                }
                numbers.push(number);
            }
            left -= part;
        }
        Ok(())
    }
}
