//! Lower case and accents, as Python and scikit-learn have them, on a whole text at once.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::canonical_combining_class;

const CAPITAL_SIGMA: char = 'Σ';

/// Writes `text` in lower case to `lowered`, which is cleared first: Python's `str.lower`, with the final sigma decided by
/// its context and İ becoming i with a dot above. Characters that `is_foreign` says the tokeniser does not know stay as
/// they are and end a context.
pub fn lower(text: &str, is_foreign: fn(char) -> bool, lowered: &mut String) {
    lowered.clear();
    lowered.reserve(text.len());
    let mut rest = text;
    while !rest.is_empty() {
        let (ascii, other) = rest.split_at(ascii_prefix(rest.as_bytes()));
        let start = lowered.len();
        lowered.push_str(ascii);
        if let Some(pushed) = lowered.get_mut(start..) {
            pushed.make_ascii_lowercase();
        }
        rest = other;
        while let Some(character) = rest.chars().next().filter(|c| !c.is_ascii()) {
            if character == CAPITAL_SIGMA {
                // Rare, and its context may reach far to both sides: let the standard library see the whole text.
                lowered.clear();
                return lower_in_context(text, is_foreign, lowered);
            }
            push_lower(character, is_foreign, lowered);
            rest = rest.get(character.len_utf8()..).unwrap_or("");
        }
    }
}

fn push_lower(character: char, is_foreign: fn(char) -> bool, lowered: &mut String) {
    if is_foreign(character) { lowered.push(character) } else { lowered.extend(character.to_lowercase()) }
}

fn lower_in_context(text: &str, is_foreign: fn(char) -> bool, lowered: &mut String) {
    for piece in text.split_inclusive(is_foreign) {
        match piece.chars().next_back().filter(|c| is_foreign(*c)) {
            Some(last) => {
                lowered.push_str(&piece[..piece.len() - last.len_utf8()].to_lowercase());
                lowered.push(last);
            }
            None => lowered.push_str(&piece.to_lowercase()),
        }
    }
}

/// How many bytes at the start of `bytes` are ASCII; counted in blocks, so that long plain stretches cost little.
pub fn ascii_prefix(bytes: &[u8]) -> usize {
    const BLOCK: usize = 32;
    let whole: usize = bytes.chunks_exact(BLOCK).take_while(|block| block.is_ascii()).count() * BLOCK;
    whole + bytes[whole..].iter().take_while(|byte| byte.is_ascii()).count()
}

/// Writes `text` without accents to `stripped`, which is cleared first: scikit-learn's `strip_accents="unicode"`, that is
/// compatibility decomposition (NFKD) less the characters of a non-zero combining class.
pub fn strip_accents(text: &str, stripped: &mut String) {
    stripped.clear();
    if text.is_ascii() {
        stripped.push_str(text);
    } else {
        stripped.extend(text.nfkd().filter(|character| canonical_combining_class(*character) == 0));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lowered(text: &str) -> String {
        let mut result = String::from("left over");
        lower(text, |_| false, &mut result);
        result
    }

    #[test]
    fn lower_case_is_the_standard_librarys() {
        for text in [
            "",
            "Grüße AUS Köln",
            "ΟΔΥΣΣΕΥΣ ΣΑΣ",
            "İstanbul",
            "K (kelvin)",
            "ΑΣ.",
            "Σ",
            "aΣb",
            "“QUOTES” — and",
        ] {
            assert_eq!(lowered(text), text.to_lowercase());
        }
    }

    #[test]
    fn a_foreign_character_stays_and_ends_the_context_of_a_sigma() {
        let mut result = String::new();
        lower("ΑΣ\u{10D50}Α Ω\u{10D50}", |c| c == '\u{10D50}', &mut result);
        assert_eq!(result, "ας\u{10D50}α ω\u{10D50}");
    }

    #[test]
    fn accents_go_and_compatibility_forms_are_decomposed() {
        let mut result = String::new();
        strip_accents("Ångström déjà ﬁn ½", &mut result);
        assert_eq!(result, "Angstrom deja fin 1⁄2");
    }

    #[test]
    fn the_ascii_prefix_ends_at_the_first_other_byte() {
        for length in 0..100 {
            let text = format!("{}é and more", "x".repeat(length));
            assert_eq!(ascii_prefix(text.as_bytes()), length);
            assert_eq!(ascii_prefix(&text.as_bytes()[..length]), length);
        }
    }
}
