//! The language of a document: by its function words where these settle it, else by trigrams.
//!
//! The trigram detector compares a text with some hundred profiles, which takes as long for a line as for a book. Most texts
//! do not need it: a quarter of the words of running English are on the English stop list, and on no other.

use std::sync::LazyLock;

use super::interner::Interner;
use super::stop_words::stop_list;

/// Languages whose stop lists compete, by English name and ISO 639-3 code, and whether a win settles the matter: not where a
/// language without a list here looks alike (Afrikaans like Dutch, Bulgarian like Russian, Catalan like Spanish).
const LANGUAGES: [(&str, &str, bool); 15] = [
    ("english", "eng", true),
    ("german", "deu", true),
    ("french", "fra", true),
    ("hungarian", "hun", true),
    ("finnish", "fin", true),
    ("danish", "dan", false),
    ("dutch", "nld", false),
    ("italian", "ita", false),
    ("norwegian", "nob", false),
    ("portuguese", "por", false),
    ("romanian", "ron", false),
    ("russian", "rus", false),
    ("spanish", "spa", false),
    ("swedish", "swe", false),
    ("turkish", "tur", false),
];

/// Fewer tokens than this settle nothing.
const FEWEST_TOKENS: usize = 10;
/// Share of the tokens that must be function words of the language.
const LEAST_SHARE: f64 = 0.25;
/// How many times as many as of any other language.
const LEAST_LEAD: u32 = 2;
/// Characters at the start of a text that trigrams are taken from: more tell no more, and cost.
const TRIGRAM_CHARS: usize = 1000;

/// The languages on whose stop list a word stands: bit i for language i.
pub fn function_word_of(word: &str) -> u16 {
    static LISTS: LazyLock<(Interner, Vec<u16>)> = LazyLock::new(|| {
        let (mut words, mut lists) = (Interner::default(), Vec::new());
        for (bit, (name, ..)) in LANGUAGES.iter().enumerate() {
            for word in stop_list(name).unwrap_or_default() {
                let id = words.intern(word) as usize;
                lists.resize(lists.len().max(id + 1), 0);
                lists[id] |= 1 << bit;
            }
        }
        (words, lists)
    });
    LISTS.0.find(word).map_or(0, |id| LISTS.1[id as usize])
}

/// The ISO 639-3 code of the language of `text` of so many tokens, whose words are function words of `languages` ([`function_word_of`])
/// and occur so often; `None` where it is not sure.
pub fn language(text: &str, tokens: usize, languages: impl Iterator<Item = (u16, u32)>) -> Option<String> {
    if let Some(code) = by_function_words(tokens, languages) {
        return Some(code.to_owned());
    }
    let end = text.char_indices().nth(TRIGRAM_CHARS).map_or(text.len(), |(at, _)| at);
    let found = whatlang::detect(&text[..end])?;
    found.is_reliable().then(|| found.lang().code().to_owned())
}

fn by_function_words(tokens: usize, languages: impl Iterator<Item = (u16, u32)>) -> Option<&'static str> {
    let mut counts = [0u32; LANGUAGES.len()];
    for (mut bits, count) in languages {
        while bits > 0 {
            counts[bits.trailing_zeros() as usize] += count;
            bits &= bits - 1;
        }
    }
    let best = (0..counts.len()).max_by_key(|&i| counts[i])?;
    let second = (0..counts.len()).filter(|&i| i != best).map(|i| counts[i]).max()?;
    let (_, code, settles) = LANGUAGES[best];
    let enough = tokens >= FEWEST_TOKENS && f64::from(counts[best]) >= LEAST_SHARE * tokens as f64;
    (settles && enough && counts[best] >= LEAST_LEAD * second).then_some(code)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn detected(text: &str) -> (Option<&'static str>, Option<String>) {
        let lower = text.to_lowercase();
        let masks: Vec<(u16, u32)> =
            lower.split_whitespace().map(|word| (function_word_of(word), 1)).collect();
        let all = || masks.iter().copied();
        (by_function_words(masks.len(), all()), language(text, masks.len(), all()))
    }

    #[test]
    fn function_words_settle_running_text() {
        let english = "It was the best of times and it was the worst of times as they all said to each other";
        assert_eq!(detected(english).0, Some("eng"));
        let german =
            "Der Hund und die Katze sind nicht in dem Haus und sie haben es auch nicht gesehen als sie kamen";
        assert_eq!(detected(german).0, Some("deu"));
    }

    #[test]
    fn trigrams_decide_where_they_do_not() {
        let bulgarian = "Всички хора се раждат свободни и равни по достойнство и права. Те са надарени с разум и съвест \
                         и следва да се отнасят помежду си в дух на братство.";
        assert_eq!(detected(bulgarian), (None, Some("bul".to_owned())));
        assert_eq!(detected("seven").0, None);
        assert_eq!(detected(""), (None, None));
    }
}
