//! Distinct terms with numbers: one string for all of them and a hash table of numbers beside it.

// Some thousand million words go through these few lines: each is put where it is called.
#![allow(clippy::inline_always)]

use super::term_index::{BATCH, Slot, TermIndex, in_batches, probe_whole, with_key};
use super::term_key::TermKey;
use super::term_list::TermList;
use super::token::{Runs, Token, TokenSink};
use crate::simd::{prefetch_item, short_text};
use serde::{Deserialize, Serialize, Serializer};

/// A [`TermList`] without repetitions that finds a term's number. Numbers follow the order in which terms were first seen, so that
/// they do not depend on the hash.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(from = "TermList")]
pub struct Interner {
    list: TermList,
    index: TermIndex,
}

/// Terms that wait for their numbers.
#[derive(Debug, Default)]
pub struct TermBatch {
    keys: [(TermKey, usize); BATCH],
    len: usize,
}

/// Terms that have got their numbers.
pub struct FoundTerms<'f> {
    index: &'f mut TermIndex,
    places: &'f [usize],
}

impl FoundTerms<'_> {
    /// How many there are, [`BATCH`] at most.
    pub fn len(&self) -> usize {
        self.places.len()
    }

    /// Hands the number of each, and the mark that is kept with it, to `each`, in their order.
    #[inline(always)]
    pub fn for_each(self, mut each: impl FnMut(u32, &mut u32)) {
        let slots = self.index.slots_mut();
        for &at in self.places {
            let slot = &mut slots[at];
            each(slot.number(), &mut slot.mark);
        }
    }
}

impl TermBatch {
    /// Adds a term and gives the numbers of the terms so far to `found` when there are enough of them, or when the term is too long to
    /// wait.
    #[inline(always)]
    pub fn push(&mut self, token: Token<'_>, interner: &mut Interner, found: impl FnMut(FoundTerms<'_>)) {
        match token.short_key() {
            None => self.push_long(token.as_str(), interner, found),
            Some(key) => {
                let hash = key.hash() as usize;
                interner.index.fetch(hash);
                // The length is below `BATCH` here always, which the compiler cannot know.
                self.keys[self.len % BATCH] = (key, hash);
                self.len += 1;
                if self.len >= BATCH {
                    self.flush(interner, found);
                }
            }
        }
    }

    /// Adds the tokens among many runs.
    #[inline(always)]
    pub fn push_runs(
        &mut self,
        mut runs: Runs<'_>,
        interner: &mut Interner,
        mut found: impl FnMut(FoundTerms<'_>),
    ) {
        while !runs.is_empty() {
            let (batch, others) = runs.split_at(runs.len().min(BATCH - self.len % BATCH));
            runs = others;
            let (mut slots, mut len) = (interner.index.slots(), self.len);
            for (token, is_token) in batch.iter() {
                let Some(key) = token.short_key() else {
                    if is_token {
                        self.len = len;
                        self.push_long(token.as_str(), interner, &mut found);
                        (slots, len) = (interner.index.slots(), 0);
                    }
                    continue;
                };
                let hash = key.hash() as usize;
                prefetch_item(slots, hash & slots.len().wrapping_sub(1));
                // A branch for what is too short would often be guessed wrong: what follows is written over it.
                self.keys[len % BATCH] = (key, hash);
                len += usize::from(is_token);
            }
            self.len = len;
            if self.len >= BATCH {
                self.flush(interner, &mut found);
            }
        }
    }

    #[cold]
    #[inline(never)]
    fn push_long(&mut self, term: &str, interner: &mut Interner, mut found: impl FnMut(FoundTerms<'_>)) {
        self.flush(interner, &mut found);
        interner.make_room(1);
        let at = interner.place_of(term, TermKey::of(term.as_bytes()));
        found(FoundTerms { index: &mut interner.index, places: &[at] });
    }

    /// Gives the numbers of the terms that wait.
    #[inline(never)]
    pub fn flush(&mut self, interner: &mut Interner, mut found: impl FnMut(FoundTerms<'_>)) {
        let mut places = [0; BATCH];
        interner.make_room(self.len);
        let keys = &self.keys[..self.len.min(BATCH)];
        let mut slots = interner.index.slots();
        for (place, &(key, hash)) in places.iter_mut().zip(keys) {
            let at = probe_whole(slots, key, hash);
            if slots[at].is_free() {
                interner.add_whole(key, at);
                slots = interner.index.slots();
            }
            *place = at;
        }
        let found_terms = FoundTerms { index: &mut interner.index, places: &places[..keys.len()] };
        self.len = 0;
        found(found_terms);
    }
}

/// Numbers tokens as they come.
pub struct TermSink<'s, F> {
    pub batch: &'s mut TermBatch,
    pub interner: &'s mut Interner,
    pub found: F,
}

impl<F: FnMut(FoundTerms<'_>)> TermSink<'_, F> {
    /// No more tokens come for now.
    pub fn flush(mut self) {
        self.batch.flush(self.interner, &mut self.found);
    }
}

impl<F: FnMut(FoundTerms<'_>)> TokenSink for TermSink<'_, F> {
    #[inline(always)]
    fn token(&mut self, token: Token<'_>) {
        self.batch.push(token, self.interner, &mut self.found);
    }

    #[inline(always)]
    fn runs(&mut self, runs: Runs<'_>) {
        self.batch.push_runs(runs, self.interner, &mut self.found);
    }
}

impl Interner {
    /// The terms by number.
    #[must_use]
    pub fn terms(&self) -> &TermList {
        &self.list
    }

    /// The terms by number, without the means to look them up.
    #[must_use]
    pub fn into_terms(self) -> TermList {
        self.list
    }

    /// The number of a term; a new one gets the next.
    #[inline]
    pub fn intern(&mut self, term: &str) -> u32 {
        let mut number = 0;
        self.intern_marked(term, |found, _| number = found);
        number
    }

    /// Hands the number of a term, and the mark that is kept with it, to `found`; the mark of a new term is 0.
    #[inline]
    pub fn intern_marked(&mut self, term: &str, found: impl FnOnce(u32, &mut u32)) {
        self.make_room(1);
        let at = self.place_of(term, TermKey::of(term.as_bytes()));
        let slot = self.index.at(at);
        found(slot.number(), &mut slot.mark);
    }

    /// Hands the number of each of many terms to `found`, in their order: quicker than one by one in a large table.
    pub fn intern_all<'t>(&mut self, terms: impl IntoIterator<Item = &'t str>, found: impl FnMut(u32)) {
        self.intern_keyed(terms.into_iter().map(with_key), found);
    }

    /// As [`Interner::intern_all`] for terms with their keys.
    pub(super) fn intern_keyed<'t>(
        &mut self,
        terms: impl Iterator<Item = (&'t str, TermKey)>,
        mut found: impl FnMut(u32),
    ) {
        in_batches(terms, |batch| {
            self.make_room(batch.len());
            self.index.fetch_all(batch);
            for (term, key) in batch {
                let at = self.place_of(term, *key);
                found(self.index.at(at).number());
            }
        });
    }

    /// The place of a term, new or not. There must be a free one.
    #[inline(always)]
    fn place_of(&mut self, term: &str, key: TermKey) -> usize {
        let at = self.index.probe(&self.list, key, key.hash() as usize, term.as_bytes());
        at.unwrap_or_else(|free| {
            self.add(term, key, free);
            free
        })
    }

    /// Forgets all terms and keeps the room that they took.
    pub fn clear(&mut self) {
        self.list.truncate(0);
        self.index.clear();
    }

    /// Forgets all terms but the first `len`, and all marks.
    pub fn truncate(&mut self, len: usize) {
        self.list.truncate(len);
        self.index = TermIndex::of(&self.list);
    }

    /// Adds a term that is not there, at a free place.
    fn add(&mut self, term: &str, key: TermKey, free: usize) {
        *self.index.at(free) = Slot::new(key, self.list.len() as u32);
        self.list.push(term);
    }

    /// Adds a term that stands in its key whole.
    #[cold]
    fn add_whole(&mut self, key: TermKey, free: usize) {
        let (bytes, len) = key.bytes();
        self.add(short_text(&bytes[..len]), key, free);
    }

    /// Makes sure that the table is not too full when so many terms are added.
    #[inline]
    pub(super) fn make_room(&mut self, terms: usize) {
        self.index.make_room(self.list.len() + terms);
    }

    /// The number of a term that is there.
    #[must_use]
    pub fn find(&self, term: &str) -> Option<u32> {
        self.index.find(&self.list, term)
    }
}

impl From<TermList> for Interner {
    fn from(list: TermList) -> Self {
        let index = TermIndex::of(&list);
        Self { list, index }
    }
}

impl Serialize for Interner {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.list.serialize(serializer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashMap;

    #[test]
    fn numbers_follow_the_first_appearance() {
        let mut interner = Interner::default();
        let ids: Vec<u32> =
            ["the", "bird", "the", "", "é", "bird", ""].iter().map(|t| interner.intern(t)).collect();
        assert_eq!(ids, [0, 1, 0, 2, 3, 1, 2]);
        assert_eq!(interner.find("é"), Some(3));
        assert_eq!(interner.find("e"), None);
        assert_eq!(Interner::default().find("x"), None);
        assert_eq!(interner.terms().iter().collect::<Vec<_>>(), ["the", "bird", "", "é"]);
    }

    #[test]
    fn terms_in_batches_have_the_numbers_of_terms_one_by_one() {
        let terms: Vec<String> = (0..5000_usize)
            .map(|i| {
                "xyzäöü-0123456789-abcdef".chars().skip(i % 7).take(i % 23).collect::<String>()
                    + &(i % 311).to_string()[..(i / 23) % 2]
            })
            .collect();
        let (mut one, mut many, mut batch, mut found) =
            (Interner::default(), Interner::default(), TermBatch::default(), Vec::new());
        let text = terms.concat();
        let mut start = 0;
        for term in &terms {
            let token = Token::within(&text, start, start + term.len());
            start += term.len();
            batch.push(token, &mut many, |terms| terms.for_each(|id, _| found.push(id)));
        }
        batch.flush(&mut many, |terms| terms.for_each(|id, _| found.push(id)));
        assert_eq!(found, terms.iter().map(|term| one.intern(term)).collect::<Vec<_>>());
        assert!(many.terms().iter().eq(one.terms().iter()));
        let (mut all, mut numbers) = (Interner::default(), Vec::new());
        all.intern_all(terms.iter().map(String::as_str), |id| numbers.push(id));
        assert_eq!(numbers, found);
        let index = TermIndex::of(all.terms());
        let find = |terms: &[&str]| index.find_all(all.terms(), terms.iter().copied());
        assert_eq!(
            find(&terms.iter().map(String::as_str).collect::<Vec<_>>()),
            found.into_iter().map(Some).collect::<Vec<_>>()
        );
        assert_eq!(find(&["not there", "neither is this one"]), [None, None]);
        assert_eq!(TermIndex::default().find_all(all.terms(), ["x"].into_iter()), [None]);
    }

    #[test]
    fn many_terms_are_kept_apart_as_in_a_map() {
        let (mut interner, mut map) = (Interner::default(), HashMap::new());
        for i in 0..20_000_u32 {
            let term = format!("{}-{}", i % 7_919, "x".repeat(i as usize % 23));
            let next = map.len() as u32;
            let expected = *map.entry(term.clone()).or_insert(next);
            assert_eq!(interner.intern(&term), expected);
        }
        assert_eq!(interner.terms().len(), map.len());
    }

    #[test]
    fn an_interner_survives_being_stored() {
        let mut interner = Interner::default();
        for term in ["a", "b", "long term with spaces"] {
            interner.intern(term);
        }
        let stored = serde_json::to_string(&interner).unwrap();
        let mut restored: Interner = serde_json::from_str(&stored).unwrap();
        assert_eq!(restored.find("long term with spaces"), Some(2));
        assert_eq!(restored.intern("c"), 3);
    }
}
