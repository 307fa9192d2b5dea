//! Syllables of a word, estimated from its letters.

use unicode_normalization::UnicodeNormalization;

/// How many syllables a word has, estimated for English; none where it has a letter of another script than Latin.
///
/// The estimate is the one that readability formulas commonly use: groups of the vowels a e i o u y, less a silent final
/// e (not one after l and a consonant, as in "table", nor the only vowel), less the e of a final "ed" or "es" that is not
/// spoken; at least one. A letter with an accent counts as the letter, but is never silent. Digits and marks count nothing, so that a number is one syllable.
#[must_use]
pub fn syllables(word: &str) -> Option<u32> {
    if word.is_ascii() {
        let letters: Vec<char> = word
            .bytes()
            .filter(u8::is_ascii_alphabetic)
            .map(|byte| byte.to_ascii_lowercase().into())
            .collect();
        return Some(spoken_groups(&letters));
    }
    if word.chars().any(|character| character.is_alphabetic() && !is_latin(character)) {
        return None;
    }
    let letters: Vec<char> =
        word.nfc().filter(|character| character.is_alphabetic()).flat_map(char::to_lowercase).collect();
    Some(spoken_groups(&letters))
}

fn spoken_groups(letters: &[char]) -> u32 {
    let silent = u32::from(has_silent_ending(letters));
    vowel_groups(letters).saturating_sub(silent).max(1)
}

fn vowel_groups(letters: &[char]) -> u32 {
    let starts = letters.iter().enumerate().filter(|(at, letter)| {
        is_vowel(**letter) && at.checked_sub(1).is_none_or(|before| !is_vowel(letters[before]))
    });
    starts.count() as u32
}

/// Whether the word ends in an e, "es" or "ed" that makes no syllable of its own.
fn has_silent_ending(letters: &[char]) -> bool {
    match letters {
        [.., consonant, 'l', 'e'] if !is_vowel(*consonant) => false,
        [.., before, 'e'] => !is_vowel(*before),
        // "wanted", "needed" but not "walked"; "boxes", "churches" but not "makes".
        [.., before, 'e', 'd'] => !is_vowel(*before) && !matches!(before, 't' | 'd'),
        [.., before, 'e', 's'] => !is_vowel(*before) && !matches!(before, 's' | 'x' | 'z' | 'h' | 'c' | 'g'),
        _ => false,
    }
}

fn is_vowel(letter: char) -> bool {
    let base =
        if letter.is_ascii() { letter } else { std::iter::once(letter).nfd().next().unwrap_or(letter) };
    matches!(base, 'a' | 'e' | 'i' | 'o' | 'u' | 'y' | 'æ' | 'œ' | 'ø' | 'ı')
}

/// Whether the letter is in one of the blocks of the Latin script.
fn is_latin(letter: char) -> bool {
    matches!(letter,
        '\0'..='\u{2AF}' | '\u{1D00}'..='\u{1D7F}' | '\u{1E00}'..='\u{1EFF}' | '\u{2C60}'..='\u{2C7F}'
        | '\u{A720}'..='\u{A7FF}' | '\u{AB30}'..='\u{AB64}' | '\u{FB00}'..='\u{FB06}' | '\u{FF21}'..='\u{FF5A}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn syllables_of_common_words() {
        for (word, expected) in [
            ("bird", 1),
            ("about", 2),
            ("the", 1),
            ("make", 1),
            ("table", 2),
            ("walked", 1),
            ("wanted", 2),
            ("makes", 1),
            ("boxes", 2),
            ("readability", 5),
            ("queue", 1),
            ("1984", 1),
            ("Café", 2),
            ("rhythm", 1),
            ("people", 2),
            ("don’t", 1),
        ] {
            assert_eq!(syllables(word), Some(expected), "{word}");
        }
    }

    #[test]
    fn other_scripts_have_none() {
        for word in ["слово", "漢字", "λόγος", "кот2", "mixбed"] {
            assert_eq!(syllables(word), None, "{word}");
        }
    }
}
