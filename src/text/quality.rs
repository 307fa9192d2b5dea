//! Signals of a text's quality that are read off its characters and lines, not its words.

use std::collections::HashSet;
use std::hash::BuildHasherDefault;
use std::sync::LazyLock;

use regex_syntax::hir::{Class, HirKind};

use super::interner::TermHasher;
use super::normalisation::ascii_prefix;
use super::word_characters::is_word_character;

/// Shares of a text that a filter of web text looks at; none of them is defined for an empty text.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Quality {
    /// Numbers (general category N) by characters, as the `digit_ratio` of datatrove.
    pub digit_share: Option<f64>,
    /// Punctuation (general category P: marks, not symbols such as + or $) by characters; datatrove's `punctuation_ratio` has a
    /// list of its own.
    pub punctuation_share: Option<f64>,
    /// Upper case by letters; undefined without letters.
    pub upper_share: Option<f64>,
    /// Lines that repeat one before them, by lines.
    pub repeated_line_share: Option<f64>,
    /// Characters in such lines, by characters of the text.
    pub repeated_line_char_share: Option<f64>,
}

const NUMBER: u8 = 1;
const PUNCTUATION: u8 = 2;
const LETTER: u8 = 4;
const UPPER: u8 = 8;

/// What each ASCII character is: the general categories of the first 128 code points.
static ASCII: [u8; 128] = ascii();

/// Punctuation beyond ASCII, in ascending ranges.
static PUNCTUATION_RANGES: LazyLock<Vec<(char, char)>> = LazyLock::new(punctuation_ranges);

const fn ascii() -> [u8; 128] {
    let mut classes = [0; 128];
    let mut byte = 0;
    while byte < 128_u8 {
        classes[byte as usize] = match byte {
            b'0'..=b'9' => NUMBER,
            b'A'..=b'Z' => LETTER | UPPER,
            b'a'..=b'z' => LETTER,
            // Symbols, general category S.
            b'$' | b'+' | b'<' | b'=' | b'>' | b'^' | b'`' | b'|' | b'~' => 0,
            _ if byte.is_ascii_punctuation() => PUNCTUATION,
            _ => 0,
        };
        byte += 1;
    }
    classes
}

fn punctuation_ranges() -> Vec<(char, char)> {
    let parsed = regex_syntax::parse(r"\p{P}").map(regex_syntax::hir::Hir::into_kind);
    match parsed {
        Ok(HirKind::Class(Class::Unicode(class))) => {
            class.ranges().iter().map(|range| (range.start(), range.end())).collect()
        }
        _ => Vec::new(),
    }
}

fn is_punctuation(character: char) -> bool {
    let after = PUNCTUATION_RANGES.partition_point(|(first, _)| *first <= character);
    after.checked_sub(1).is_some_and(|at| character <= PUNCTUATION_RANGES[at].1)
}

fn class(character: char) -> u8 {
    if let Some(class) = ASCII.get(character as usize) {
        return *class;
    }
    // Roman numerals as one character are numbers, although Unicode calls them alphabetic.
    if character.is_numeric() {
        return NUMBER;
    }
    if is_word_character(character) {
        return if character.is_uppercase() { LETTER | UPPER } else { LETTER };
    }
    if is_punctuation(character) { PUNCTUATION } else { 0 }
}

/// How many characters there are, and how many of each class. ASCII is counted by its bytes, before their classes are looked up.
fn class_counts(text: &str) -> (u64, [u64; 16]) {
    let mut counts = [0_u64; 16];
    // Several tables, so that one of equal bytes does not wait for the one before.
    let mut bytes = [[0_u64; 128]; 4];
    let mut chars = 0_u64;
    let mut rest = text;
    while !rest.is_empty() {
        let (ascii, other) = rest.split_at(ascii_prefix(rest.as_bytes()));
        let (fours, last) = ascii.as_bytes().as_chunks::<4>();
        for four in fours {
            (0..4).for_each(|i| bytes[i][usize::from(four[i] & 0x7F)] += 1);
        }
        last.iter().for_each(|byte| bytes[0][usize::from(byte & 0x7F)] += 1);
        chars += ascii.len() as u64;
        rest = other;
        while let Some(character) = rest.chars().next().filter(|character| !character.is_ascii()) {
            chars += 1;
            counts[usize::from(class(character))] += 1;
            rest = &rest[character.len_utf8()..];
        }
    }
    for (byte, class) in ASCII.iter().enumerate() {
        counts[usize::from(*class)] += bytes.iter().map(|table| table[byte]).sum::<u64>();
    }
    (chars, counts)
}

impl Quality {
    /// The signals of a text.
    ///
    /// Repeated lines are those of the Gopher rules (Rae et al. 2021, "Scaling Language Models", table A1) as datatrove counts
    /// them (`GopherRepetitionFilter`, `dup_line_frac` and `dup_line_char_frac`): the text is cut at every run of line breaks,
    /// and a line counts if the same line came before it, so that the first of several does not.
    #[must_use]
    pub fn of(text: &str) -> Self {
        let (chars, counts) = class_counts(text);
        if chars == 0 {
            return Self::default();
        }
        let of = |part: u64, whole: u64| (whole > 0).then(|| part as f64 / whole as f64);
        let upper = counts[usize::from(LETTER | UPPER)];
        let (lines, repeated, repeated_chars) = repeated_lines(text);
        Self {
            digit_share: of(counts[usize::from(NUMBER)], chars),
            punctuation_share: of(counts[usize::from(PUNCTUATION)], chars),
            upper_share: of(upper, upper + counts[usize::from(LETTER)]),
            repeated_line_share: of(repeated, lines),
            repeated_line_char_share: of(repeated_chars, chars),
        }
    }
}

/// Lines, those that repeat an earlier one, and the characters of these. Before the first run of line breaks and after the last
/// there is always a line, be it empty.
fn repeated_lines(text: &str) -> (u64, u64, u64) {
    let mut seen = HashSet::<&str, BuildHasherDefault<TermHasher>>::default();
    let (mut lines, mut repeated, mut chars) = (0, 0, 0);
    let mut pieces = text.split('\n').peekable();
    while let Some(line) = pieces.next() {
        // An empty piece amid the text is the inside of a run of line breaks.
        if line.is_empty() && lines > 0 && pieces.peek().is_some() {
            continue;
        }
        lines += 1;
        if !seen.insert(line) {
            repeated += 1;
            chars += line.chars().count() as u64;
        }
    }
    (lines, repeated, chars)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_worked_example() {
        let quality = Quality::of("Ab 12.\nAb 12.\n\nx+½");
        // 18 characters: letters A b A b x, numbers 1 2 1 2 ½, marks . and .; + is a symbol.
        assert_eq!(quality.digit_share, Some(5.0 / 18.0));
        assert_eq!(quality.punctuation_share, Some(2.0 / 18.0));
        assert_eq!(quality.upper_share, Some(2.0 / 5.0));
        assert_eq!(quality.repeated_line_share, Some(1.0 / 3.0));
        assert_eq!(quality.repeated_line_char_share, Some(6.0 / 18.0));
        assert_eq!(Quality::of(""), Quality::default());
        assert_eq!(Quality::of("12").upper_share, None);
    }

    /// `re.split("\n+", text)` of Python: `["", "a", ""]` for the second, `["", ""]` for the third.
    #[test]
    fn lines_are_cut_as_pythons_split_cuts_them() {
        for (text, expected) in [
            ("a", (1, 0, 0)),
            ("\na\n", (3, 1, 0)),
            ("\n\n", (2, 1, 0)),
            ("a\n\na", (2, 1, 1)),
            ("é\né\né", (3, 2, 2)),
            ("", (1, 0, 0)),
        ] {
            assert_eq!(repeated_lines(text), expected, "{text:?}");
        }
    }

    #[test]
    fn ascii_and_the_tables_of_unicode_agree() {
        for code in 0..128_u8 {
            let character = char::from(code);
            assert_eq!(
                ASCII[usize::from(code)] & PUNCTUATION != 0,
                is_punctuation(character),
                "{character:?}"
            );
            assert_eq!(ASCII[usize::from(code)] & LETTER != 0, character.is_alphabetic(), "{character:?}");
            assert_eq!(ASCII[usize::from(code)] & NUMBER != 0, character.is_numeric(), "{character:?}");
        }
        for mark in ['«', '…', '、', '؟', '—', '’'] {
            assert_eq!(class(mark), PUNCTUATION, "{mark}");
        }
        for other in ['€', '±', '\u{301}', '\u{2028}'] {
            assert_eq!(class(other), 0, "{other:?}");
        }
    }

    proptest! {
        #[test]
        fn repeated_lines_are_their_definition(text in "[ab\n]{0,30}") {
            let split = regex::Regex::new("\n+").unwrap();
            let lines: Vec<&str> = split.split(&text).collect();
            let repeats: Vec<&str> =
                lines.iter().enumerate().filter(|(at, line)| lines[..*at].contains(line)).map(|(_, line)| *line).collect();
            let chars: usize = repeats.iter().map(|line| line.len()).sum();
            prop_assert_eq!(repeated_lines(&text), (lines.len() as u64, repeats.len() as u64, chars as u64));
        }
    }
}
