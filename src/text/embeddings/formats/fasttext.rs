//! The `.bin` of fastText (`FastText::saveModel`, version 12): arguments, dictionary, and the matrix of words and n-grams.
//!
//! A word's vector is the mean of its own row and those of its n-grams.

use std::io::Read;

use super::reading::Words;
use super::source::{Source, VectorFileError};
use super::{LONGEST_WORD, MOST_DIMS};
use crate::text::embeddings::ngrams::mean;
use crate::text::embeddings::{CharacterNgrams, Embeddings, NgramVectors};

/// 793712314, little-endian.
pub(super) const MAGIC: [u8; 4] = 793_712_314_u32.to_le_bytes();
const OLDEST: u32 = 11;
const NEWEST: u32 = 12;
/// A model that classifies: before version 12 it had no n-grams of characters.
const SUPERVISED: u32 = 3;
const MOST_ROWS: u64 = u32::MAX as u64;
/// n-grams of more characters than this are none of a word.
const LONGEST_NGRAM: u32 = 64;
/// The end of a sentence, a word without n-grams.
const END_OF_SENTENCE: &[u8] = b"</s>";

struct Arguments {
    dims: usize,
    ngrams: CharacterNgrams,
}

/// The words with their composed vectors go to `words`; gives the dimensions and the vectors of n-grams, if any.
pub(super) fn read<R: Read>(
    source: &mut Source<R>,
    words: &mut Words,
) -> Result<(usize, Option<NgramVectors>), VectorFileError> {
    let Arguments { dims, ngrams } = arguments(source)?;
    let names = dictionary(source)?;
    if source.take(1, "the flag of a compressed matrix")? != [0] {
        return Err(source.byte_error(
            "the matrix is compressed (.ftz), which is not read: use the .bin that it was made from",
        ));
    }
    let (rows, width) = (source.u64("the size of the matrix")?, source.u64("the size of the matrix")?);
    let has_ngrams = ngrams.max > 0;
    let buckets = if has_ngrams { u64::from(ngrams.buckets) } else { 0 };
    let expected = names.len() as u64 + buckets;
    // Without n-grams the matrix may have buckets all the same: of word n-grams, which make no word's vector.
    let fits = if has_ngrams { rows == expected } else { rows >= expected };
    if width != dims as u64 || !fits || rows > MOST_ROWS {
        return Err(source.byte_error(format!(
            "the matrix has {rows} rows of {width}, but {} words and {buckets} buckets need {expected} rows of {dims}: fetch \
             the file again",
            names.len()
        )));
    }
    let mut own = Vec::new();
    for _ in &names {
        source.numbers(dims, "the matrix of words", &mut own)?;
    }
    let mut of_ngrams = Vec::new();
    for _ in 0..buckets {
        source.numbers(dims, "the matrix of n-grams", &mut of_ngrams)?;
    }
    let composed = |word: &[u8], index: usize| {
        let row = |row: usize| of_ngrams.get(row * dims..(row + 1) * dims);
        let of_word = if has_ngrams && word != END_OF_SENTENCE {
            ngrams.buckets_of(&String::from_utf8_lossy(word))
        } else {
            Vec::new()
        };
        let parts = of_word.iter().filter_map(|&bucket| row(bucket as usize));
        mean(std::iter::once(&own[index * dims..(index + 1) * dims]).chain(parts)).unwrap_or_default()
    };
    for (index, word) in names.iter().enumerate() {
        words.push(word, |vectors| {
            vectors.extend(composed(word, index));
            Ok(())
        })?;
    }
    let vectors = Embeddings::new(dims, of_ngrams).filter(|_| has_ngrams);
    let ngrams =
        vectors.and_then(|vectors| NgramVectors::new(ngrams, (0..ngrams.buckets).collect(), vectors));
    Ok((dims, ngrams))
}

fn arguments<R: Read>(source: &mut Source<R>) -> Result<Arguments, VectorFileError> {
    let _ = source.u32("the magic number")?;
    let version = source.u32("the version")?;
    if !(OLDEST..=NEWEST).contains(&version) {
        return Err(at(
            4,
            format!("version {version} of fastText's format is not known: save the vectors as .vec"),
        ));
    }
    let mut numbers = [0; 12];
    for number in &mut numbers {
        *number = source.u32("the arguments")?;
    }
    let [dims, .., model, buckets, min, max, _rate] = numbers;
    let _sampling = source.u64("the arguments")?;
    let dims = dims as usize;
    if dims == 0 || dims > MOST_DIMS {
        return Err(at(8, format!("{dims} dimensions; a file of word vectors has 1 to {MOST_DIMS}")));
    }
    let max = if version < NEWEST && model == SUPERVISED { 0 } else { max };
    // Both lengths are signed in the file: what is negative is large here.
    let no_ngrams = max == 0 || buckets == 0;
    let range = min <= max && max <= LONGEST_NGRAM && i32::try_from(buckets).is_ok();
    if !no_ngrams && !range {
        let reason = format!(
            "n-grams of {min} to {max} characters in {buckets} buckets cannot be: fetch the file again"
        );
        return Err(at(44, reason));
    }
    let ngrams = if no_ngrams {
        CharacterNgrams { min: 0, max: 0, buckets: 0 }
    } else {
        CharacterNgrams { min, max, buckets }
    };
    Ok(Arguments { dims, ngrams })
}

/// The words of the model; labels follow them and are passed over.
fn dictionary<R: Read>(source: &mut Source<R>) -> Result<Vec<Vec<u8>>, VectorFileError> {
    let (size, words, labels) =
        (source.u32("the dictionary")?, source.u32("the dictionary")?, source.u32("the dictionary")?);
    let _tokens = source.u64("the dictionary")?;
    let pruned = source.u64("the dictionary")?.cast_signed();
    if u64::from(size) != u64::from(words) + u64::from(labels) {
        return Err(source.byte_error(format!(
            "a dictionary of {size} entries cannot have {words} words and {labels} labels: fetch the file again"
        )));
    }
    if pruned > 0 {
        return Err(
            source.byte_error("the n-grams are pruned, which is not read: use the .bin before pruning")
        );
    }
    let mut names = Vec::new();
    for _ in 0..words {
        names.push(entry(source)?);
    }
    for _ in 0..labels {
        entry(source)?;
    }
    Ok(names)
}

fn entry<R: Read>(source: &mut Source<R>) -> Result<Vec<u8>, VectorFileError> {
    let word = source.until(0, LONGEST_WORD, "a word")?.unwrap_or_default();
    let _count_and_kind = source.take(9, "the dictionary")?;
    Ok(word)
}

fn at(byte: u64, reason: String) -> VectorFileError {
    VectorFileError::Byte { byte, reason }
}
