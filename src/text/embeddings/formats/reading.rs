//! Any file of vectors: which format it has, and its words.

use std::collections::HashSet;
use std::fmt;
use std::io::Read;

use super::fasttext;
use super::source::{Source, VectorFileError};
use super::word2vec::{heading, is_text, read_binary, read_text};
use super::{LONGEST_WORD, MOST_DIMS};
use crate::text::embeddings::{Embeddings, KeyedVectors};

/// What a file was found to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VectorFormat {
    /// word2vec's text, or a `.vec` of fastText.
    Word2vec,
    /// word2vec's binary form.
    Word2vecBinary,
    /// Text without a first line that counts.
    Glove,
    /// A `.bin` of fastText.
    Fasttext,
}

impl fmt::Display for VectorFormat {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Word2vec => "word2vec text",
            Self::Word2vecBinary => "word2vec binary",
            Self::Glove => "GloVe text",
            Self::Fasttext => "fastText binary",
        })
    }
}

/// The words of a file.
#[derive(Debug, Clone, PartialEq)]
pub struct ReadVectors {
    /// What it was found to be.
    pub format: VectorFormat,
    /// The words with their vectors.
    pub words: KeyedVectors,
    /// Words that stood a second time and were left out.
    pub repeated: u64,
    /// Words in which bytes that are no UTF-8 became U+FFFD.
    pub mended: u64,
}

/// Reads a file of vectors in any of the formats that [`VectorFormat`] names, told apart by its first bytes.
///
/// # Errors
/// Where the file is in none of these formats, contradicts itself or ends too soon, with the line or byte.
pub fn read_vectors(reader: impl Read) -> Result<ReadVectors, VectorFileError> {
    let mut source = Source::new(reader);
    let mut words = Words::default();
    if source.ahead(4)? == fasttext::MAGIC {
        let (dims, ngrams) = fasttext::read(&mut source, &mut words)?;
        return words.finish(VectorFormat::Fasttext, dims, ngrams, &source);
    }
    // A file without line breaks is not looked through for one.
    let Some(first) = source.line(LONGEST_WORD + 40 * MOST_DIMS)? else {
        return Err(source.byte_error("the file is empty: name another"));
    };
    let (format, dims) = match heading(&first) {
        None => (VectorFormat::Glove, read_text(&mut source, None, Some(first), &mut words)?),
        Some((_, dims)) if dims == 0 || dims > MOST_DIMS => {
            return Err(source.line_error(format!(
                "says {dims} numbers a word; a file of word vectors has 1 to {MOST_DIMS}"
            )));
        }
        Some(said) if is_text(&mut source, said)? => {
            (VectorFormat::Word2vec, read_text(&mut source, Some(said), None, &mut words)?)
        }
        Some(said) => {
            read_binary(&mut source, said, &mut words)?;
            (VectorFormat::Word2vecBinary, said.1)
        }
    };
    words.finish(format, dims, None, &source)
}

/// Words as they come.
#[derive(Default)]
pub(super) struct Words {
    pub(super) terms: Vec<String>,
    known: HashSet<String>,
    pub(super) vectors: Vec<f32>,
    repeated: u64,
    mended: u64,
}

impl Words {
    /// Takes a word and what `read` appends for it; one that was there before is left out.
    pub(super) fn push(
        &mut self,
        word: &[u8],
        read: impl FnOnce(&mut Vec<f32>) -> Result<(), VectorFileError>,
    ) -> Result<(), VectorFileError> {
        let term = String::from_utf8_lossy(word);
        self.mended += u64::from(matches!(term, std::borrow::Cow::Owned(_)));
        let before = self.vectors.len();
        read(&mut self.vectors)?;
        if self.known.insert(term.clone().into_owned()) {
            self.terms.push(term.into_owned());
        } else {
            self.vectors.truncate(before);
            self.repeated += 1;
        }
        Ok(())
    }

    /// How many words came, those left out among them.
    pub(super) fn met(&self) -> u64 {
        self.terms.len() as u64 + self.repeated
    }

    fn finish<R: Read>(
        self,
        format: VectorFormat,
        dims: usize,
        ngrams: Option<crate::text::embeddings::NgramVectors>,
        source: &Source<R>,
    ) -> Result<ReadVectors, VectorFileError> {
        let words = Embeddings::new(dims, self.vectors)
            .and_then(|embeddings| KeyedVectors::new(self.terms, embeddings, ngrams))
            .ok_or_else(|| source.byte_error("the words and their vectors do not fit together"))?;
        Ok(ReadVectors { format, words, repeated: self.repeated, mended: self.mended })
    }
}
