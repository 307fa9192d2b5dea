//! Words of a text: the runs of word characters that Python's `\w` finds, and the words of UAX #29.
//!
//! Most text is plain: ASCII, curly quotes and dashes. There a mask for every 64 bytes says which belong to words, and the few rules of
//! UAX #29 that plain characters meet are applied where two runs of them are one character apart. What is not plain, a stretch from one
//! white space to another, is left to the tables.

use super::normalisation::ascii_prefix;
use super::token::{Runs, Token, TokenSink};
use super::word_characters::for_each_run;
use crate::simd::{RunEdges, Width};
use unicode_segmentation::UnicodeSegmentation;

/// Gives every longest run of word characters (Python's) that has at least `min_chars` of them to `sink`.
pub fn for_each_word_run(text: &str, min_chars: usize, edges: &mut RunEdges, sink: &mut impl TokenSink) {
    for_each_stretch(text, |stretch, is_plain| {
        if is_plain {
            for_each_plain_run(stretch.as_bytes(), edges, |found| match found {
                PlainRuns::Many(at, starts, ends) => {
                    sink.runs(Runs::new(stretch, at, starts, ends, min_chars));
                }
                PlainRuns::One(start, end) if end - start >= min_chars => {
                    sink.token(Token::within(stretch, start, end));
                }
                PlainRuns::One(..) => {}
            });
        } else {
            for_each_run(stretch, min_chars, |run| sink.token(run.into()));
        }
    });
}

/// Gives every word of UAX #29 to `sink`: the segments that hold a letter or a number.
pub fn for_each_unicode_word(text: &str, edges: &mut RunEdges, sink: &mut impl TokenSink) {
    for_each_stretch(text, |stretch, is_plain| {
        if is_plain {
            // Where the word began of which the last run was not the end.
            let mut begin = None;
            let bytes = stretch.as_bytes();
            let mut run = |start, end| {
                let start = begin.take().unwrap_or(start);
                if goes_on(bytes, end) {
                    begin = Some(start);
                } else if bytes[start..end].iter().any(u8::is_ascii_alphanumeric) {
                    sink.token(Token::within(stretch, start, end));
                }
            };
            for_each_plain_run(bytes, edges, |found| match found {
                PlainRuns::Many(at, starts, ends) => {
                    let places = starts.iter().zip(ends);
                    places.for_each(|(&start, &end)| run(at + usize::from(start), at + usize::from(end)));
                }
                PlainRuns::One(start, end) => seldom(&mut run, start, end),
            });
        } else {
            stretch.unicode_words().for_each(|word| sink.token(word.into()));
        }
    });
}

/// Bytes of a text that are normalised and cut at once, about: they stay near the processor.
const PIECE_BYTES: usize = 1 << 14;

/// A text in pieces whose words, in lower case or not, are those of the text. They are cut apart where stretches are: no sigma looks
/// for the end of its word over that place, either.
pub fn pieces(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let cut =
            if rest.len() > PIECE_BYTES { first_safe_cut(rest.as_bytes(), PIECE_BYTES) } else { rest.len() };
        let (piece, others) = rest.split_at(cut);
        rest = others;
        (!piece.is_empty()).then_some(piece)
    })
}

/// Hands the stretches of a text to `each` in order, and whether they are plain. They are cut apart behind white space that a plain
/// character follows: no rule of UAX #29 reaches over that place.
fn for_each_stretch(text: &str, mut each: impl FnMut(&str, bool)) {
    let mut rest = text;
    while !rest.is_empty() {
        let plain = plain_prefix(rest.as_bytes());
        let plain = if plain == rest.len() { plain } else { last_safe_cut(&rest.as_bytes()[..plain]) };
        if plain > 0 {
            each(&rest[..plain], true);
        }
        let mixed = first_safe_cut(rest.as_bytes(), plain);
        if mixed > plain && plain < rest.len() {
            each(&rest[plain..mixed], false);
        }
        rest = &rest[mixed..];
    }
}

/// How many bytes at the start are plain characters.
fn plain_prefix(bytes: &[u8]) -> usize {
    let mut at = ascii_prefix(bytes);
    while is_plain_mark(&bytes[at..]) {
        at += 3;
        at += ascii_prefix(&bytes[at..]);
    }
    at
}

/// Whether a dash, a curly quote or an ellipsis comes next: U+2013, 2014, 2018, 2019, 201C, 201D, 2026.
fn is_plain_mark(bytes: &[u8]) -> bool {
    matches!(bytes, [0xE2, 0x80, 0x93 | 0x94 | 0x98 | 0x99 | 0x9C | 0x9D | 0xA6, ..])
}

/// The end of the last space in `plain` that has another byte after it; 0 where there is none.
fn last_safe_cut(plain: &[u8]) -> usize {
    let before_last = &plain[..plain.len().saturating_sub(1)];
    before_last.iter().rposition(u8::is_ascii_whitespace).map_or(0, |space| space + 1)
}

/// The end of the first space at or after `from` that an ASCII character follows; the length where there is none.
fn first_safe_cut(bytes: &[u8], from: usize) -> usize {
    bytes[from..]
        .windows(2)
        .position(|pair| pair[0].is_ascii_whitespace() && pair[1].is_ascii())
        .map_or(bytes.len(), |space| from + space + 1)
}

/// Runs that were found in plain text.
enum PlainRuns<'e> {
    /// Where they begin and end, from a byte on.
    Many(usize, &'e [u16], &'e [u16]),
    /// Where one begins and ends that reaches over the edge of what is looked at at once.
    One(usize, usize),
}

/// Finds every run of ASCII letters, digits and underscores.
#[inline]
fn for_each_plain_run(bytes: &[u8], edges: &mut RunEdges, mut found: impl FnMut(PlainRuns<'_>)) {
    let width = Width::detect();
    // Where the run began that is not at its end.
    let mut open = None;
    for (window, text) in bytes.chunks(RunEdges::MOST_BYTES).enumerate() {
        let from = window * RunEdges::MOST_BYTES;
        let at = |place: &u16| from + usize::from(*place);
        edges.find(width, text, open.is_some());
        let (starts, mut ends) = (edges.starts(), edges.ends());
        if let (Some(start), Some((end, others))) = (open, ends.split_first()) {
            found(PlainRuns::One(start, at(end)));
            (open, ends) = (None, others);
        }
        let whole = &starts[..ends.len().min(starts.len())];
        found(PlainRuns::Many(from, whole, ends));
        open = starts.get(ends.len()).map(at).or(open);
    }
    if let Some(start) = open {
        found(PlainRuns::One(start, bytes.len()));
    }
}

/// Calls `found` where that need not be quick: it is put into the loop that calls it most.
#[cold]
fn seldom(found: &mut dyn FnMut(usize, usize), start: usize, end: usize) {
    found(start, end);
}

/// Whether the word that comes to `end` goes on after one character between two letters (WB6, WB7) or two digits (WB11, WB12).
#[inline]
fn goes_on(bytes: &[u8], end: usize) -> bool {
    let (between, next) = match bytes.get(end..).unwrap_or_default() {
        [between @ (b'\'' | b'.' | b':' | b',' | b';'), next, ..] => (*between, *next),
        [0xE2, 0x80, 0x98 | 0x99, next, ..] => (b'\'', *next),
        _ => return false,
    };
    let before = end.checked_sub(1).map_or(b' ', |last| bytes[last]);
    match between {
        b'\'' | b'.' => {
            before.is_ascii_alphabetic() && next.is_ascii_alphabetic()
                || before.is_ascii_digit() && next.is_ascii_digit()
        }
        b':' => before.is_ascii_alphabetic() && next.is_ascii_alphabetic(),
        _ => before.is_ascii_digit() && next.is_ascii_digit(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn words(text: &str) -> Vec<String> {
        let mut found = Vec::new();
        for_each_unicode_word(text, &mut RunEdges::default(), &mut |word: Token<'_>| {
            found.push(word.as_str().to_owned());
        });
        found
    }

    fn runs(text: &str, min_chars: usize) -> Vec<String> {
        let mut found = Vec::new();
        for_each_word_run(text, min_chars, &mut RunEdges::default(), &mut |word: Token<'_>| {
            found.push(word.as_str().to_owned());
        });
        found
    }

    fn naive_runs(text: &str, min_chars: usize) -> Vec<String> {
        let mut found = Vec::new();
        for_each_run(text, min_chars, |word| found.push(word.to_owned()));
        found
    }

    fn naive_words(text: &str) -> Vec<String> {
        text.unicode_words().map(str::to_owned).collect()
    }

    #[test]
    fn words_may_reach_over_windows_and_blocks() {
        for len in [
            1,
            63,
            64,
            65,
            RunEdges::MOST_BYTES - 1,
            RunEdges::MOST_BYTES,
            RunEdges::MOST_BYTES + 1,
            3 * RunEdges::MOST_BYTES,
        ] {
            let text = format!("{} {}’s don't é", "x".repeat(len), "y".repeat(len));
            assert_eq!(words(&text), naive_words(&text));
            assert_eq!(runs(&text, 2), naive_runs(&text, 2));
        }
    }

    proptest! {
        #[test]
        fn words_are_those_of_the_tables(text in "[a-cZ1_. ,;:'\"\n\r-\u{301}\u{200D}\u{200B}\u{AD}é—–’‘“”…·‿ 漢カ\u{5D0}🇩🇪\"]{0,80}") {
            prop_assert_eq!(words(&text), naive_words(&text));
            for min_chars in 1..4 {
                prop_assert_eq!(runs(&text, min_chars), naive_runs(&text, min_chars));
            }
        }

        #[test]
        fn any_text_has_the_words_of_the_tables(text in any::<String>()) {
            prop_assert_eq!(words(&text), naive_words(&text));
            prop_assert_eq!(runs(&text, 1), naive_runs(&text, 1));
        }
    }
}
