//! Tokens where they stand in a text, one by one or many at once.

// Some thousand million words go through these few lines: each is put where it is called.
#![allow(clippy::inline_always)]

use super::term_key::{KEY_BYTES, TermKey};

/// A token where it stands in a text, or alone.
#[derive(Debug, Clone, Copy)]
pub struct Token<'t> {
    text: &'t str,
    start: usize,
    end: usize,
}

impl<'t> Token<'t> {
    /// The token from `start` to `end` of `text`: at the ends of characters, else it is empty.
    #[must_use]
    #[inline]
    pub fn within(text: &'t str, start: usize, end: usize) -> Self {
        Self { text, start, end }
    }

    /// The token itself.
    #[must_use]
    #[inline]
    pub fn as_str(self) -> &'t str {
        self.text.get(self.start..self.end).unwrap_or_default()
    }

    /// Its bytes.
    #[must_use]
    #[inline]
    pub fn len(self) -> usize {
        self.end - self.start
    }

    /// Whether it has none.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.end == self.start
    }

    /// Its key, unless it is too long to stand in it whole.
    #[inline(always)]
    pub(super) fn short_key(self) -> Option<TermKey> {
        if self.len() > KEY_BYTES {
            return None;
        }
        let block = self.text.as_bytes().get(self.start..).and_then(<[u8]>::first_chunk);
        Some(match block {
            Some(block) => TermKey::of_block(block, self.len()),
            None => TermKey::of(self.as_str().as_bytes()),
        })
    }
}

impl<'t> From<&'t str> for Token<'t> {
    fn from(text: &'t str) -> Self {
        Self { text, start: 0, end: text.len() }
    }
}

/// Runs of characters in a text, as many as were found together: those of `min_len` bytes or more are tokens.
#[derive(Debug, Clone, Copy)]
pub struct Runs<'t> {
    text: &'t str,
    /// What the places are counted from.
    at: usize,
    starts: &'t [u16],
    ends: &'t [u16],
    min_len: usize,
}

impl<'t> Runs<'t> {
    /// The runs of `text` from `starts` to `ends`, counted from the byte `at`.
    #[must_use]
    pub(super) fn new(text: &'t str, at: usize, starts: &'t [u16], ends: &'t [u16], min_len: usize) -> Self {
        let len = starts.len().min(ends.len());
        Self { text, at, starts: &starts[..len], ends: &ends[..len], min_len }
    }

    /// How many there are, too short ones included.
    #[must_use]
    pub fn len(&self) -> usize {
        self.starts.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.starts.is_empty()
    }

    /// The first `len` of them, and the others.
    #[must_use]
    pub fn split_at(self, len: usize) -> (Self, Self) {
        let ((starts, later_starts), (ends, later_ends)) =
            (self.starts.split_at(len), self.ends.split_at(len));
        (Self { starts, ends, ..self }, Self { starts: later_starts, ends: later_ends, ..self })
    }

    /// All of them, and whether each is a token.
    #[inline(always)]
    pub fn iter(self) -> impl Iterator<Item = (Token<'t>, bool)> {
        let Self { text, at, starts, ends, min_len } = self;
        starts.iter().zip(ends).map(move |(&start, &end)| {
            let token = Token::within(text, at + usize::from(start), at + usize::from(end));
            (token, token.len() >= min_len)
        })
    }
}

/// Takes the tokens of a text in their order: a closure does, one by one.
pub trait TokenSink {
    /// Takes a token.
    fn token(&mut self, token: Token<'_>);

    /// Takes the tokens among many runs.
    #[inline(always)]
    fn runs(&mut self, runs: Runs<'_>) {
        runs.iter().filter(|(_, is_token)| *is_token).for_each(|(token, _)| self.token(token));
    }
}

impl<F: FnMut(Token<'_>)> TokenSink for F {
    #[inline(always)]
    fn token(&mut self, token: Token<'_>) {
        self(token);
    }
}
