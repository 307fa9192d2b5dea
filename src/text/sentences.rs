//! Sentences of a text, by UAX #29.

use memchr::{memchr2_iter, memchr3};
use unicode_segmentation::UnicodeSegmentation;

/// How many sentences the text has: the segments between sentence boundaries (UAX #29) that hold a letter or a number.
///
/// The rules know no abbreviations: "Dr. Smith" ends a sentence after "Dr." as the next word begins with a capital. A line
/// break ends one too.
#[must_use]
pub fn sentence_count(text: &str) -> u64 {
    // No sentence reaches over the end of a line. Lines of plain characters take the rules below, which are the same rules.
    let of_line = |line: &str| match line {
        "" => 0,
        line if is_plain(line) => plain_count(line),
        line => line.unicode_sentences().count() as u64,
    };
    let (mut count, mut start) = (0, 0);
    for end in memchr2_iter(b'\n', b'\r', text.as_bytes()) {
        count += of_line(&text[start..end]);
        start = end + 1;
    }
    count + of_line(&text[start..])
}

/// Whether the line has only ASCII, curly quotes and dashes, U+2013 to U+201D.
fn is_plain(line: &str) -> bool {
    if line.is_ascii() {
        return true;
    }
    let mut bytes = line.as_bytes().iter();
    while let Some(byte) = bytes.find(|byte| !byte.is_ascii()) {
        let is_quote_or_dash = *byte == 0xE2
            && bytes.next() == Some(&0x80)
            && matches!(bytes.next(), Some(0x93 | 0x94 | 0x98 | 0x99 | 0x9C | 0x9D));
        if !is_quote_or_dash {
            return false;
        }
    }
    true
}

/// The sentences of a line of plain characters.
fn plain_count(line: &str) -> u64 {
    let mut count = 0;
    let (mut start, mut at) = (0, 0);
    while let Some(terminator) = memchr3(b'.', b'!', b'?', &line.as_bytes()[at..]) {
        let after = at + terminator + 1;
        match sentence_end(line, after) {
            Some(end) => {
                count += u64::from(holds_word(&line.as_bytes()[start..end]));
                (start, at) = (end, end);
            }
            None => at = after,
        }
    }
    count + u64::from(holds_word(&line.as_bytes()[start..]))
}

fn holds_word(bytes: &[u8]) -> bool {
    bytes.iter().any(u8::is_ascii_alphanumeric)
}

/// Where the sentence ends whose terminator stands just before `after`; none where it goes on.
fn sentence_end(line: &str, after: usize) -> Option<usize> {
    let bytes = line.as_bytes();
    let is_full_stop = bytes[after - 1] == b'.';
    let next = bytes.get(after).copied().unwrap_or(b' ');
    let before = after.checked_sub(2).map_or(b' ', |at| bytes[at]);
    // SB6 and SB7: "3.50", "U.S".
    if is_full_stop && (next.is_ascii_digit() || next.is_ascii_uppercase() && before.is_ascii_alphabetic()) {
        return None;
    }
    let rest = line[after..].trim_start_matches(is_close).trim_start_matches(is_space);
    let goes_on = match rest.chars().next() {
        // SB8a: a comma or another terminator follows.
        Some(',' | '-' | ':' | ';' | '–' | '—' | '.' | '!' | '?') => true,
        // SB8: the next letter is a small one.
        Some(_) if is_full_stop => {
            let decides = |c: char| c.is_ascii_alphabetic() || matches!(c, '.' | '!' | '?');
            rest.chars().find(|c| decides(*c)).is_some_and(|c| c.is_ascii_lowercase())
        }
        _ => false,
    };
    (!goes_on).then_some(line.len() - rest.len())
}

fn is_close(character: char) -> bool {
    matches!(character, '"' | '\'' | '(' | ')' | '[' | ']' | '{' | '}' | '‘' | '’' | '“' | '”')
}

fn is_space(character: char) -> bool {
    matches!(character, ' ' | '\t' | '\u{B}' | '\u{C}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn sentences_hold_a_word() {
        for (text, expected) in [
            ("", 0),
            ("... !?", 0),
            ("One", 1),
            ("One. Two! Three?", 3),
            ("He paid 3.50 dollars. Then left.", 2),
            ("“Go!” she said. ‘Now?’", 3),
            ("first line\nsecond line", 2),
            ("これは文です。次の文。", 2),
        ] {
            assert_eq!(sentence_count(text), expected, "{text:?}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4000))]
        #[test]
        fn plain_lines_follow_the_same_rules(text in "[aZ1 .!?.\"'(,;:_*é—–’”“\n\r\t\u{B}é]{0,30}") {
            prop_assert_eq!(sentence_count(&text), text.unicode_sentences().count() as u64);
        }

        #[test]
        fn every_ascii_character_is_in_its_class(text in "[\u{1}-\u{7F}]{0,12}[.!?][\u{1}-\u{7F}]{0,12}") {
            prop_assert_eq!(sentence_count(&text), text.unicode_sentences().count() as u64);
        }
    }
}
