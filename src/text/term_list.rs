//! Terms in one piece of memory.

use serde::{Deserialize, Serialize};

/// Terms one after another in a single string; a term's number is its place.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TermList {
    text: String,
    #[serde(with = "super::packed")]
    ends: Vec<usize>,
}

impl TermList {
    /// How many terms there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The term of a number; empty where there is none.
    #[must_use]
    #[inline]
    pub fn term(&self, id: u32) -> &str {
        self.span(id as usize).and_then(|(start, end)| self.text.get(start..end)).unwrap_or("")
    }

    /// Bytes that it takes in memory, about.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.text.len() + size_of_val(&self.ends[..])
    }

    /// The terms in the order of their numbers.
    #[must_use]
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &str> + Clone {
        (0..self.len()).map(|id| self.term(id as u32))
    }

    /// Appends a term, which is not looked for.
    pub fn push(&mut self, term: &str) {
        self.text.push_str(term);
        self.ends.push(self.text.len());
    }

    /// Forgets all terms but the first `len`, and keeps their room.
    pub(super) fn truncate(&mut self, len: usize) {
        let end = len.checked_sub(1).map_or(Some(0), |last| self.ends.get(last).copied());
        self.ends.truncate(len);
        self.text.truncate(end.unwrap_or(self.text.len()));
    }

    #[inline]
    fn span(&self, id: usize) -> Option<(usize, usize)> {
        let end = *self.ends.get(id)?;
        Some((if id == 0 { 0 } else { self.ends[id - 1] }, end))
    }

    /// Whether the term of a number has these bytes.
    #[inline]
    pub(super) fn is(&self, id: u32, term: &[u8]) -> bool {
        self.span(id as usize).is_some_and(|(start, end)| self.text.as_bytes().get(start..end) == Some(term))
    }
}

impl<'a> FromIterator<&'a str> for TermList {
    fn from_iter<I: IntoIterator<Item = &'a str>>(terms: I) -> Self {
        let terms = terms.into_iter();
        let mut list = Self { ends: Vec::with_capacity(terms.size_hint().0), ..Self::default() };
        terms.for_each(|term| list.push(term));
        list
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_terms_stay() {
        let all: TermList = ["the", "", "bird"].into_iter().collect();
        for len in 0..5 {
            let mut list = all.clone();
            list.truncate(len);
            assert_eq!(list, all.iter().take(len).collect());
        }
    }
}
