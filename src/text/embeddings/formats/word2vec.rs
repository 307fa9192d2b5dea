//! The two formats of `word2vec.c`, of which the text is also fastText's `.vec` and, without its first line, GloVe's.

use std::io::{self, Read, Write};

use super::reading::Words;
use super::source::{Source, VectorFileError};
use super::{Export, LONGEST_WORD, MOST_DIMS, write_numbers};

/// Characters of a number in a text file at most, with its space.
const NUMBER: usize = 40;

/// Numbers stand in the fewest digits that read back to the same f32.
pub(super) fn write_text(export: &Export, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "{} {}", export.embeddings.words(), export.embeddings.dims())?;
    for (term, vector) in export.rows() {
        write!(out, "{term}")?;
        vector.iter().try_for_each(|value| write!(out, " {value}"))?;
        writeln!(out)?;
    }
    Ok(())
}

pub(super) fn write_binary(export: &Export, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "{} {}", export.embeddings.words(), export.embeddings.dims())?;
    for (term, vector) in export.rows() {
        write!(out, "{term} ")?;
        write_numbers(vector, out)?;
        writeln!(out)?;
    }
    Ok(())
}

/// The first line of a file, if it says how many words and dimensions follow.
pub(super) fn heading(line: &[u8]) -> Option<(u64, usize)> {
    let line = std::str::from_utf8(line).ok()?;
    let mut fields = line.split_whitespace();
    let (words, dims) = (fields.next()?.parse().ok()?, fields.next()?.parse().ok()?);
    fields.next().is_none().then_some((words, dims))
}

/// Whether what follows the first line, which says how many words of how many numbers, is text: its first line is a word and some
/// numbers. The first number of a binary file may by chance look like a digit and the end of a line, so a file that is in view as a
/// whole and is just these words in binary must be just these lines, and of a longer one most lines must be rows.
pub(super) fn is_text<R: Read>(source: &mut Source<R>, (count, dims): (u64, usize)) -> io::Result<bool> {
    let view = LONGEST_WORD + NUMBER * dims;
    let ahead = source.ahead(view)?;
    let mut lines: Vec<&[u8]> = ahead.split(|&byte| byte == b'\n').collect();
    let first = lines.first().copied().unwrap_or_default();
    if !is_row(first, dims) {
        return Ok(false);
    }
    if ahead.len() == view {
        // The last line goes on beyond the view.
        lines.truncate((lines.len() - 1).max(1));
        let rows = lines.iter().filter(|line| is_row(line, dims)).count();
        return Ok(2 * rows > lines.len());
    }
    lines.retain(|line| !line.is_empty());
    let are_rows = || lines.len() as u64 == count && lines.iter().all(|line| split(line, dims).is_some());
    Ok(!is_binary(ahead, count, dims) || are_rows())
}

/// Whether a line is a word and some numbers.
fn is_row(line: &[u8], dims: usize) -> bool {
    let numbers = |text: &str| {
        let mut fields = text.split_ascii_whitespace().skip(1).peekable();
        fields.peek().is_some() && fields.all(|field| field.parse::<f32>().is_ok())
    };
    std::str::from_utf8(line).is_ok_and(numbers) || split(line, dims).is_some()
}

/// Whether the bytes are so many words with their numbers in binary, and nothing more.
fn is_binary(mut bytes: &[u8], count: u64, dims: usize) -> bool {
    let past_lines = |bytes: &mut &[u8]| {
        while let Some(rest) = bytes.strip_prefix(b"\n") {
            *bytes = rest;
        }
    };
    for _ in 0..count {
        past_lines(&mut bytes);
        let word = bytes.iter().position(|&byte| byte == b' ');
        let Some(rest) = word.and_then(|end| bytes.get(end + 1 + size_of::<f32>() * dims..)) else {
            return false;
        };
        bytes = rest;
    }
    past_lines(&mut bytes);
    bytes.is_empty()
}

/// A line as its word and its `dims` numbers; a word may have spaces, as some of GloVe's do.
fn split(line: &[u8], dims: usize) -> Option<(&[u8], Vec<f32>)> {
    let mut end = line.len();
    while end > 0 && matches!(line[end - 1], b' ' | b'\t' | b'\r') {
        end -= 1;
    }
    let mut numbers = vec![0.0; dims];
    for number in numbers.iter_mut().rev() {
        let space = line[..end].iter().rposition(|byte| matches!(byte, b' ' | b'\t'))?;
        *number = std::str::from_utf8(&line[space + 1..end]).ok()?.parse().ok()?;
        end = space;
    }
    Some((&line[..end], numbers))
}

/// Reads lines of words and numbers. Without a `heading` the first line says how many numbers a word has.
pub(super) fn read_text<R: Read>(
    source: &mut Source<R>,
    heading: Option<(u64, usize)>,
    first: Option<Vec<u8>>,
    words: &mut Words,
) -> Result<usize, VectorFileError> {
    let mut next = match first {
        Some(line) => Some(line),
        None => source.line(LONGEST_WORD + NUMBER * MOST_DIMS)?,
    };
    let dims = match heading {
        Some((_, dims)) => dims,
        None => next.as_deref().map_or(0, |line| {
            line.split(|byte| matches!(byte, b' ' | b'\t'))
                .filter(|field| !field.is_empty())
                .count()
                .saturating_sub(1)
        }),
    };
    if dims == 0 || dims > MOST_DIMS {
        return Err(source
            .line_error(format!("says {dims} numbers a word; a file of word vectors has 1 to {MOST_DIMS}")));
    }
    while let Some(line) = next {
        if line.is_empty() && source.ahead(1)?.is_empty() {
            break;
        }
        let (word, numbers) = split(&line, dims).ok_or_else(|| {
            source.line_error(format!(
                "is not a word and {dims} numbers: fetch the file again, or mend the line"
            ))
        })?;
        if let Some(number) = numbers.iter().find(|number| !number.is_finite()) {
            return Err(
                source.line_error(format!("holds {number}: only numbers can be used; take the word out"))
            );
        }
        if word.len() > LONGEST_WORD {
            return Err(
                source.line_error(format!("has a word of more than {LONGEST_WORD} bytes: take it out"))
            );
        }
        words.push(word, |vectors| {
            vectors.extend_from_slice(&numbers);
            Ok(())
        })?;
        next = source.line(LONGEST_WORD + NUMBER * dims)?;
    }
    match heading {
        Some((said, _)) if said != words.met() => Err(source.line_error(format!(
            "is the last of {} words, but the first line says {said}: fetch the file again, or mend that line",
            words.met()
        ))),
        _ => Ok(dims),
    }
}

/// Reads words, each ended by a space, and their numbers.
pub(super) fn read_binary<R: Read>(
    source: &mut Source<R>,
    (count, dims): (u64, usize),
    words: &mut Words,
) -> Result<(), VectorFileError> {
    for index in 0..count {
        // `word2vec.c` ends a vector by a line break, other programs do not.
        while source.ahead(1)? == b"\n" {
            source.skip(1);
        }
        if source.ahead(1)?.is_empty() {
            return Err(
                source.byte_error(format!("the file ends after {index} of {count} words: fetch it again"))
            );
        }
        let word = source.until(b' ', LONGEST_WORD, "a word")?.unwrap_or_default();
        words.push(&word, |vectors| source.numbers(dims, "a vector", vectors))?;
    }
    while source.ahead(1)? == b"\n" {
        source.skip(1);
    }
    if source.ahead(1)?.is_empty() {
        return Ok(());
    }
    Err(source
        .byte_error(format!("more follows after the {count} words of the first line: fetch the file again")))
}
