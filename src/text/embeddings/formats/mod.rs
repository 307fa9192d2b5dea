//! Files of word vectors as other programs write and read them.
//!
//! | file | written | read | layout |
//! |---|---|---|---|
//! | word2vec text, fastText `.vec` | yes | yes | a line with the number of words and of dimensions, then a line a word |
//! | word2vec binary | yes | yes | the same first line, then each word, a space and its numbers, f32, little-endian |
//! | GloVe | no | yes | as word2vec text, without the first line |
//! | fastText `.bin` | no | yes | the whole model; the matrix of n-grams is kept |
//! | npy | yes | no | NumPy's matrix of f32, words by dimensions; the words in a text file, a line each |
//! | safetensors | yes | no | the tensor `vectors`, with subwords also `ngrams` and `buckets`; the words in the text file |
//!
//! No length in a file decides how much memory is taken: it grows with what is read.

mod fasttext;
mod numpy;
mod reading;
mod safetensors;
mod source;
mod word2vec;

use std::fmt;
use std::io::{self, Write};
use std::str::FromStr;

pub use reading::{ReadVectors, VectorFormat, read_vectors};
pub use source::VectorFileError;

use super::{Embeddings, NgramVectors};

/// Most dimensions that a file may have.
const MOST_DIMS: usize = 65_536;
/// Bytes of a word at most.
const LONGEST_WORD: usize = 10_000;

/// A form of the vectors beside the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ExportFormat {
    /// `word2vec`
    Word2vec,
    /// `word2vec-bin`
    Word2vecBinary,
    /// `fasttext-vec`
    FasttextVec,
    /// `npy`
    Npy,
    /// `safetensors`
    Safetensors,
}

impl ExportFormat {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::Word2vec, Self::Word2vecBinary, Self::FasttextVec, Self::Npy, Self::Safetensors];

    /// The name in the job file.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Word2vec => "word2vec",
            Self::Word2vecBinary => "word2vec-bin",
            Self::FasttextVec => "fasttext-vec",
            Self::Npy => "npy",
            Self::Safetensors => "safetensors",
        }
    }

    /// The name of the file.
    #[must_use]
    pub fn file(self) -> &'static str {
        match self {
            Self::Word2vec => "embeddings.txt",
            Self::Word2vecBinary => "embeddings.bin",
            Self::FasttextVec => "embeddings.vec",
            Self::Npy => "embeddings.npy",
            Self::Safetensors => "embeddings.safetensors",
        }
    }

    /// Whether the words stand in a file of their own, [`WORDS_FILE`].
    #[must_use]
    pub fn has_words_apart(self) -> bool {
        matches!(self, Self::Npy | Self::Safetensors)
    }
}

/// The words of a matrix that has none, a line each, in the order of its rows.
pub const WORDS_FILE: &str = "embeddings.words.txt";

impl fmt::Display for ExportFormat {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

impl FromStr for ExportFormat {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|format| format.name() == name).ok_or_else(|| {
            let names = Self::ALL.map(|format| format!("{format:?}", format = format.name()));
            format!("{name:?} is not known; give any of {}", names.join(", "))
        })
    }
}

/// Vectors to be written: word i has row i.
#[derive(Debug, Clone, Copy)]
pub struct Export<'a> {
    /// The words.
    pub terms: &'a [&'a str],
    /// As many vectors.
    pub embeddings: &'a Embeddings,
    /// Vectors of n-grams, for the formats that have room for them.
    pub ngrams: Option<&'a NgramVectors>,
}

impl Export<'_> {
    /// Writes the vectors. White space inside a word would end it for a reader: it becomes `_` where words and numbers share
    /// a file, as the phrases of word2vec have it.
    ///
    /// # Errors
    /// What the writer said.
    pub fn write(&self, format: ExportFormat, out: &mut dyn Write) -> io::Result<()> {
        match format {
            ExportFormat::Word2vec | ExportFormat::FasttextVec => word2vec::write_text(self, out),
            ExportFormat::Word2vecBinary => word2vec::write_binary(self, out),
            ExportFormat::Npy => numpy::write(self, out),
            ExportFormat::Safetensors => safetensors::write(self, out),
        }
    }

    /// Writes [`WORDS_FILE`]. Line breaks inside a word become `_`.
    ///
    /// # Errors
    /// What the writer said.
    pub fn write_words(&self, out: &mut dyn Write) -> io::Result<()> {
        let breaks = |c: char| matches!(c, '\n' | '\r');
        self.terms.iter().try_for_each(|term| writeln!(out, "{}", term.replace(breaks, "_")))
    }

    fn rows(&self) -> impl Iterator<Item = (String, &[f32])> {
        let rows = self.embeddings.vectors().chunks_exact(self.embeddings.dims());
        self.terms.iter().map(|term| term.replace(char::is_whitespace, "_")).zip(rows)
    }
}

/// Writes numbers as little-endian f32.
fn write_numbers(numbers: &[f32], out: &mut dyn Write) -> io::Result<()> {
    let mut bytes = Vec::with_capacity(4 * numbers.len().min(1 << 16));
    for part in numbers.chunks(1 << 16) {
        bytes.clear();
        bytes.extend(part.iter().flat_map(|number| number.to_le_bytes()));
        out.write_all(&bytes)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
