//! Signals of a text's quality that are read off its characters and lines, not its words.

use std::collections::HashSet;
use std::hash::BuildHasherDefault;
use std::sync::LazyLock;

use regex_syntax::hir::{Class, HirKind};

use super::term_key::TermHasher;
use super::word_characters::is_word_character;

/// Shares of a text that a filter of web text looks at; none of them is defined for an empty text.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
#[allow(clippy::struct_field_names, reason = "the columns of the table")]
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
        // Symbols, general category S, are no punctuation.
        let is_symbol = matches!(byte, b'$' | b'+' | b'<' | b'=' | b'>' | b'^' | b'`' | b'|' | b'~');
        classes[byte as usize] = match byte {
            b'0'..=b'9' => NUMBER,
            b'A'..=b'Z' => LETTER | UPPER,
            b'a'..=b'z' => LETTER,
            _ if byte.is_ascii_punctuation() && !is_symbol => PUNCTUATION,
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

impl Quality {
    /// The signals of a text.
    ///
    /// Repeated lines are those of the Gopher rules (Rae et al. 2021, "Scaling Language Models", table A1) as datatrove counts
    /// them (`GopherRepetitionFilter`, `dup_line_frac` and `dup_line_char_frac`): the text is cut at every run of line breaks,
    /// and a line counts if the same line came before it, so that the first of several does not.
    #[must_use]
    pub fn of(text: &str) -> Self {
        let chars = text.chars().count() as u64;
        if chars == 0 {
            return Self::default();
        }
        let of = |part: u64, whole: u64| (whole > 0).then(|| part as f64 / whole as f64);
        let counts = Characters::of(text);
        let (lines, repeated, repeated_chars) = repeated_lines(text);
        Self {
            digit_share: of(counts.numbers, chars),
            punctuation_share: of(counts.punctuation, chars),
            upper_share: of(counts.upper, counts.letters),
            repeated_line_share: of(repeated, lines),
            repeated_line_char_share: of(repeated_chars, chars),
        }
    }
}

/// How many characters of each kind a text has.
#[derive(Debug, Default, PartialEq)]
struct Characters {
    numbers: u64,
    punctuation: u64,
    /// Upper case included.
    letters: u64,
    upper: u64,
}

/// Bytes that are looked at side by side: sums of one byte hold so many.
const STRETCH: usize = 128;

impl Characters {
    fn of(text: &str) -> Self {
        let mut counts = Self::default();
        let mut rest = text;
        while !rest.is_empty() {
            let stretch = rest.as_bytes().get(..STRETCH.min(rest.len())).unwrap_or_default();
            if stretch.is_ascii() {
                counts.add_ascii(stretch);
                rest = rest.get(stretch.len()..).unwrap_or_default();
            } else {
                let end = rest.ceil_char_boundary(stretch.len());
                let (part, after) = rest.split_at(end);
                part.chars().for_each(|character| counts.add(class(character)));
                rest = after;
            }
        }
        counts
    }

    /// At most 255 bytes, without a branch.
    fn add_ascii(&mut self, bytes: &[u8]) {
        let within = |byte: u8, first: u8, last: u8| u8::from(byte.wrapping_sub(first) <= last - first);
        let (mut numbers, mut upper, mut lower, mut marks) = (0_u8, 0_u8, 0_u8, 0_u8);
        for &byte in bytes {
            numbers += within(byte, b'0', b'9');
            upper += within(byte, b'A', b'Z');
            lower += within(byte, b'a', b'z');
            marks += (within(byte, b'!', b'/') & u8::from(byte != b'$') & u8::from(byte != b'+'))
                | within(byte, b':', b';')
                | within(byte, b'?', b'@')
                | within(byte, b'[', b']')
                | u8::from(byte == b'_')
                | u8::from(byte == b'{')
                | u8::from(byte == b'}');
        }
        self.numbers += u64::from(numbers);
        self.punctuation += u64::from(marks);
        self.letters += u64::from(upper) + u64::from(lower);
        self.upper += u64::from(upper);
    }

    fn add(&mut self, class: u8) {
        self.numbers += u64::from(class & NUMBER != 0);
        self.punctuation += u64::from(class & PUNCTUATION != 0);
        self.letters += u64::from(class & LETTER != 0);
        self.upper += u64::from(class & UPPER != 0);
    }
}

/// Lines, those that repeat an earlier one, and the characters of these. Before the first run of line breaks and after the last
/// there is always a line, be it empty.
fn repeated_lines(text: &str) -> (u64, u64, u64) {
    if !text.contains('\n') {
        return (1, 0, 0);
    }
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
        fn stretches_count_as_single_characters_do(text in r"[a-zA-Z0-9 -~éЯ、½]{0,400}") {
            let mut counts = Characters::default();
            text.chars().for_each(|character| counts.add(class(character)));
            prop_assert_eq!(Characters::of(&text), counts);
        }

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
