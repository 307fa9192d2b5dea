//! A token pattern as Python's `re` and scikit-learn read it, for Rust's regex crate.
//!
//! `\w`, `\d` and `\s` get Python's sets; scikit-learn's default and its like, the longest runs of `\w` with at least so
//! many characters, are recognised and need no regular expression. What differs: `\b` is the regex crate's, which counts
//! combining marks as part of a word; empty matches are skipped where scikit-learn would count an empty token.

use super::error::TextError;
use super::token::TokenSink;
use super::words::for_each_word_run;
use crate::simd::RunEdges;
use regex::Regex;

/// A compiled token pattern.
#[derive(Debug, Clone)]
pub enum TokenPattern {
    /// The longest runs of word characters, as `(?u)\b\w\w+\b` finds them.
    Runs {
        /// Characters that a token has at least.
        min_chars: usize,
    },
    /// Any other pattern.
    Regex {
        /// The translated pattern.
        regex: Regex,
        /// The capture group that is the token; 0 is the whole match.
        group: usize,
    },
}

impl TokenPattern {
    /// Compiles a pattern written for Python.
    ///
    /// # Errors
    /// Where the pattern uses what the regex crate cannot do, or has more than one capture group.
    pub fn new(pattern: &str) -> Result<Self, TextError> {
        if let Some(min_chars) = run_length(pattern) {
            return Ok(Self::Runs { min_chars });
        }
        let regex = Regex::new(&translated(pattern))
            .map_err(|error| TextError::Pattern { pattern: pattern.to_owned(), reason: error.to_string() })?;
        match regex.captures_len() - 1 {
            groups @ (0 | 1) => Ok(Self::Regex { regex, group: groups }),
            groups => Err(TextError::PatternGroups { pattern: pattern.to_owned(), groups }),
        }
    }

    /// Gives every token of the text to `sink`.
    pub fn for_each_match(&self, text: &str, edges: &mut RunEdges, sink: &mut impl TokenSink) {
        match self {
            Self::Runs { min_chars } => for_each_word_run(text, *min_chars, edges, sink),
            Self::Regex { regex, group: 0 } => {
                regex.find_iter(text).filter(|m| !m.is_empty()).for_each(|m| sink.token(m.as_str().into()));
            }
            Self::Regex { regex, group } => {
                for captures in regex.captures_iter(text) {
                    if let Some(token) = captures.get(*group).filter(|m| !m.is_empty()) {
                        sink.token(token.as_str().into());
                    }
                }
            }
        }
    }
}

/// The least length of a token where the pattern means "the longest runs of word characters": `\w\w+`, `\b\w+\b`,
/// `\b\w{3,}\b` and the like.
fn run_length(pattern: &str) -> Option<usize> {
    let body = pattern.strip_prefix("(?u)").unwrap_or(pattern);
    let body = body.strip_prefix(r"\b").unwrap_or(body);
    let body = body.strip_suffix(r"\b").unwrap_or(body);
    if let Some(repeated) = body.strip_prefix(r"\w{") {
        return repeated.strip_suffix(",}")?.parse().ok().filter(|n| *n > 0);
    }
    let words = body.strip_suffix('+')?;
    (words.len() >= 2 && words.replace(r"\w", "").is_empty()).then_some(words.len() / 2)
}

fn translated(pattern: &str) -> String {
    let (flags, body) = split_flags(pattern);
    let is_ascii = flags.contains('a');
    let kept: String = flags.chars().filter(|flag| !matches!(flag, 'u' | 'a')).collect();
    let mut result = if kept.is_empty() { String::new() } else { format!("(?{kept})") };
    let mut in_class = false;
    let mut characters = body.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '\\' => push_escape(characters.next(), in_class, is_ascii, &mut result),
            '[' if !in_class => {
                in_class = true;
                result.push('[');
                if characters.next_if_eq(&'^').is_some() {
                    result.push('^');
                }
                if characters.next_if_eq(&']').is_some() {
                    result.push_str(r"\]");
                }
            }
            // Python's classes know no nesting and no set operations.
            '[' | '&' | '~' if in_class => result.extend(['\\', character]),
            ']' => {
                in_class = false;
                result.push(']');
            }
            other => result.push(other),
        }
    }
    result
}

/// The letters of a leading `(?...)` and the pattern after it.
fn split_flags(pattern: &str) -> (&str, &str) {
    pattern
        .strip_prefix("(?")
        .and_then(|rest| rest.split_once(')'))
        .filter(|(flags, _)| !flags.is_empty() && flags.chars().all(|flag| "auimsx".contains(flag)))
        .unwrap_or(("", pattern))
}

fn push_escape(escaped: Option<char>, in_class: bool, is_ascii: bool, result: &mut String) {
    let set = match (escaped, is_ascii) {
        (Some('w' | 'W'), false) => r"\p{L}\p{N}_",
        (Some('w' | 'W'), true) => "0-9A-Za-z_",
        (Some('d' | 'D'), false) => r"\p{Nd}",
        (Some('d' | 'D'), true) => "0-9",
        (Some('s' | 'S'), false) => r"\s\x1c-\x1f",
        (Some('s' | 'S'), true) => r"\t\n\r\x0b\x0c\x20",
        _ => "",
    };
    match escaped {
        Some('W' | 'D' | 'S') => result.extend(["[^", set, "]"]),
        Some('w' | 'd' | 's') if in_class => result.push_str(set),
        Some('w' | 'd' | 's') => result.extend(["[", set, "]"]),
        Some('b') if in_class => result.push_str(r"\x08"),
        Some('b') if is_ascii => result.push_str(r"(?-u:\b)"),
        Some('B') if is_ascii => result.push_str(r"(?-u:\B)"),
        Some('Z') => result.push_str(r"\z"),
        Some(other) => result.extend(['\\', other]),
        None => result.push('\\'),
    }
}

#[cfg(test)]
mod tests {
    use super::super::token::Token;
    use super::*;

    fn tokens(pattern: &str, text: &str) -> Vec<String> {
        let mut found = Vec::new();
        TokenPattern::new(pattern).unwrap().for_each_match(
            text,
            &mut RunEdges::default(),
            &mut |token: Token<'_>| found.push(token.as_str().to_owned()),
        );
        found
    }

    #[test]
    fn runs_are_recognised() {
        for (pattern, length) in
            [(r"(?u)\b\w\w+\b", 2), (r"\w+", 1), (r"\b\w+\b", 1), (r"(?u)\b\w{3,}\b", 3), (r"\w\w\w+", 3)]
        {
            assert_eq!(run_length(pattern), Some(length), "{pattern}");
        }
        for pattern in [r"\w*", "+", r"\w", r"[a-z]+", r"(?i)\w+", r"\b\w+-\w+\b", r"\w{0,}", ""] {
            assert_eq!(run_length(pattern), None, "{pattern}");
        }
    }

    #[test]
    fn python_sets_are_translated() {
        assert_eq!(tokens(r"(?u)\w+(?:-\w+)*", "well-known हि x_1"), ["well-known", "ह", "x_1"]);
        assert_eq!(tokens(r"[\w'&&]+", "don't a&b"), ["don't", "a&b"]);
        assert_eq!(tokens(r"[^\W\d_]+", "ab1cd_é"), ["ab", "cd", "é"]);
        assert_eq!(tokens(r"[[a]+", "[a]"), ["[a"]);
        assert_eq!(tokens(r"[]a]+", "[a]"), ["a]"]);
        assert_eq!(tokens(r"(?a)\w+", "naïve"), ["na", "ve"]);
        assert_eq!(tokens(r"(?iu)[a-z]+", "Ab cD"), ["Ab", "cD"]);
        assert_eq!(tokens(r"\S+", "a\u{1c}b c"), ["a", "b", "c"]);
    }

    #[test]
    fn the_capture_group_is_the_token_and_empty_matches_are_none() {
        assert_eq!(tokens(r"#(\w+)", "a #tag and #two"), ["tag", "two"]);
        assert_eq!(tokens(r"[a-z]*", "ab 1 c"), ["ab", "c"]);
    }

    #[test]
    fn what_cannot_be_done_is_said() {
        let look_around = TokenPattern::new(r"(?<=a)b").unwrap_err().to_string();
        assert!(look_around.contains("look-around") && look_around.contains("(?<=a)b"), "{look_around}");
        let groups = TokenPattern::new(r"(a)|(b)").unwrap_err().to_string();
        assert!(groups.contains("2 capture groups"), "{groups}");
    }
}
