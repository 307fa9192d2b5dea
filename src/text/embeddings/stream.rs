//! The words of a corpus as one stream of numbers: in memory, or in a file where the corpus is larger than that.

use std::borrow::Cow;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::ops::Range;
use std::sync::{Mutex, PoisonError};

use super::EmbeddingError;

/// Tokens that are held at once where a stretch is gone through.
const PIECE: usize = 1 << 16;
/// Bytes of a token in a file.
const BYTES: usize = 4;

/// Numbers of words, one after another.
#[derive(Debug, Clone, Copy)]
pub enum Tokens<'a> {
    /// In memory.
    Held(&'a [u32]),
    /// In a file.
    Filed(&'a TokenFile),
}

/// A file of tokens that is written in any order, and then read from any thread.
#[derive(Debug)]
pub struct TokenFile {
    file: Mutex<File>,
    len: usize,
}

impl TokenFile {
    /// Makes room for so many tokens in an empty file.
    ///
    /// # Errors
    /// Where there is no such room.
    pub fn new(file: File, len: usize) -> io::Result<Self> {
        file.set_len((len * BYTES) as u64)?;
        Ok(Self { file: Mutex::new(file), len })
    }

    /// Writes tokens from the place `at` on.
    ///
    /// # Errors
    /// Where they cannot be written.
    pub fn write(&self, at: usize, tokens: &[u32]) -> io::Result<()> {
        let bytes: Vec<u8> = tokens.iter().flat_map(|token| token.to_le_bytes()).collect();
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        file.seek(SeekFrom::Start((at * BYTES) as u64))?;
        file.write_all(&bytes)
    }

    fn read(&self, range: Range<usize>) -> io::Result<Vec<u32>> {
        let mut bytes = vec![0; range.len() * BYTES];
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        file.seek(SeekFrom::Start((range.start * BYTES) as u64))?;
        file.read_exact(&mut bytes)?;
        drop(file);
        Ok(bytes.as_chunks().0.iter().map(|token| u32::from_le_bytes(*token)).collect())
    }
}

impl<'a> Tokens<'a> {
    /// How many there are.
    #[must_use]
    pub fn len(self) -> usize {
        match self {
            Self::Held(tokens) => tokens.len(),
            Self::Filed(file) => file.len,
        }
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// Those of a range, which must lie within.
    ///
    /// # Errors
    /// Where the file cannot be read.
    pub fn range(self, range: Range<usize>) -> Result<Cow<'a, [u32]>, EmbeddingError> {
        match self {
            Self::Held(tokens) => Ok(Cow::Borrowed(tokens.get(range).unwrap_or_default())),
            Self::Filed(file) => {
                file.read(range).map(Cow::Owned).map_err(|error| EmbeddingError::Stream(error.to_string()))
            }
        }
    }

    /// Those of a range of any length, piece by piece.
    pub fn pieces(self, range: Range<usize>) -> impl Iterator<Item = Result<Cow<'a, [u32]>, EmbeddingError>> {
        range.clone().step_by(PIECE).map(move |from| self.range(from..range.end.min(from + PIECE)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_anywhere_is_read_everywhere() {
        let numbers: Vec<u32> = (0..200_000_u32).map(|at| at.wrapping_mul(2_654_435_761)).collect();
        let file = TokenFile::new(tempfile::tempfile().unwrap(), numbers.len()).unwrap();
        for from in (0..numbers.len()).step_by(7_001).rev() {
            file.write(from, &numbers[from..numbers.len().min(from + 7_001)]).unwrap();
        }
        let tokens = Tokens::Filed(&file);
        assert_eq!(tokens.len(), Tokens::Held(&numbers).len());
        for range in [0..0, 5..6, 7_000..7_002, 0..200_000, 199_999..200_000] {
            assert_eq!(*tokens.range(range.clone()).unwrap(), numbers[range.clone()]);
            let pieces: Vec<u32> =
                tokens.pieces(range.clone()).flat_map(|piece| piece.unwrap().into_owned()).collect();
            assert_eq!(pieces, numbers[range]);
        }
        assert!(tokens.range(199_999..200_001).is_err());
    }
}
