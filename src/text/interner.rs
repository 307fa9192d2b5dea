//! Distinct terms with numbers: one string for all of them and a hash table of numbers beside it.

// Some thousand million words go through these few lines: each is put where it is called.
#![allow(clippy::inline_always)]

use super::term_key::{KEY_BYTES, TermKey, Token};
use super::term_list::TermList;
use crate::simd::prefetch_item;
use serde::{Deserialize, Serialize, Serializer};

/// A [`TermList`] without repetitions that finds a term's number: open addressing with linear probing, at most half full.
/// Numbers follow the order in which terms were first seen, so that they do not depend on the hash.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(from = "TermList")]
pub struct Interner {
    list: TermList,
    /// The length is a power of two.
    slots: Vec<Slot>,
}

/// A term that was seen, or a free place. A term of up to 15 bytes stands in its key whole, so that the list is not looked at.
#[derive(Debug, Clone, Copy, Default)]
struct Slot {
    key: TermKey,
    /// The number plus one; 0 is free.
    number: u32,
    /// What whoever counts keeps with the term.
    mark: u32,
}

const FEWEST_SLOTS: usize = 1024;
/// Terms whose numbers are looked up together, so that the table is fetched for all of them at once.
const BATCH: usize = 32;

/// Terms that wait for their numbers.
#[derive(Debug, Default)]
pub struct TermBatch {
    keys: [(TermKey, usize); BATCH],
    len: usize,
}

impl TermBatch {
    /// Adds a term and gives the numbers of the terms so far to `found`, in their order and with their marks, when there are enough of
    /// them, or when the term is too long to wait.
    #[inline(always)]
    pub fn push(&mut self, token: Token<'_>, interner: &mut Interner, found: impl FnMut(u32, &mut u32)) {
        if token.len() > KEY_BYTES {
            return self.push_long(token, interner, found);
        }
        let key = token.key();
        let hash = key.hash() as usize;
        interner.fetch(hash);
        let at = self.len;
        // The length is below `BATCH` here always, which the compiler cannot know.
        self.keys[at % BATCH] = (key, hash);
        self.len = at + 1;
        if at + 1 >= BATCH {
            self.flush(interner, found);
        }
    }

    #[cold]
    #[inline(never)]
    fn push_long(&mut self, token: Token<'_>, interner: &mut Interner, mut found: impl FnMut(u32, &mut u32)) {
        self.flush(interner, &mut found);
        interner.intern_marked(token.as_str(), found);
    }

    /// Gives the numbers of the terms that wait.
    #[inline(never)]
    pub fn flush(&mut self, interner: &mut Interner, mut found: impl FnMut(u32, &mut u32)) {
        let keys = &self.keys[..self.len];
        self.len = 0;
        interner.make_room(keys.len());
        for &(key, hash) in keys {
            let at = interner.probe_whole(key, hash);
            if interner.slots[at].number == 0 {
                interner.add_whole(key, at);
            }
            let slot = &mut interner.slots[at];
            found(slot.number - 1, &mut slot.mark);
        }
    }
}

impl Interner {
    /// Terms that are numbered in their order, each of which is there once.
    #[must_use]
    pub fn of_distinct<'t>(terms: impl ExactSizeIterator<Item = &'t str> + Clone + Send) -> Self {
        let again = terms.clone();
        let (list, slots) = rayon::join(|| terms.collect(), || slots_of(again));
        Self { list, slots }
    }

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
        let key = TermKey::of(term.as_bytes());
        let at = match self.probe(key, key.hash() as usize, term.as_bytes()) {
            Ok(at) => at,
            Err(free) => {
                self.add(term, key, free);
                free
            }
        };
        let slot = &mut self.slots[at];
        found(slot.number - 1, &mut slot.mark);
    }

    /// Hands the number of each of many terms to `found`, in their order: quicker than one by one in a large table.
    pub fn intern_all<'t>(&mut self, terms: impl IntoIterator<Item = &'t str>, mut found: impl FnMut(u32)) {
        in_batches(terms, |batch| {
            self.make_room(batch.len());
            self.fetch_all(batch);
            for (term, key) in batch {
                let at = self.probe(*key, key.hash() as usize, term.as_bytes());
                let at = at.unwrap_or_else(|free| {
                    self.add(term, *key, free);
                    free
                });
                found(self.slots[at].number - 1);
            }
        });
    }

    /// The numbers of many terms, in their order, of those that are there.
    pub fn find_all<'t>(&self, terms: impl IntoIterator<Item = &'t str>) -> Vec<Option<u32>> {
        let mut numbers = Vec::new();
        in_batches(terms, |batch| {
            if self.slots.is_empty() {
                return numbers.resize(numbers.len() + batch.len(), None);
            }
            self.fetch_all(batch);
            numbers.extend(batch.iter().map(|(term, key)| {
                let at = self.probe(*key, key.hash() as usize, term.as_bytes()).ok()?;
                Some(self.slots[at].number - 1)
            }));
        });
        numbers
    }

    /// Has the place of a term fetched while others are looked at.
    #[inline(always)]
    fn fetch(&self, hash: usize) {
        prefetch_item(&self.slots, hash & self.slots.len().wrapping_sub(1));
    }

    /// Has the places of these terms fetched.
    fn fetch_all(&self, batch: &[(&str, TermKey)]) {
        batch.iter().for_each(|(_, key)| self.fetch(key.hash() as usize));
    }

    /// Forgets all terms and keeps the room that they took.
    pub fn clear(&mut self) {
        self.list.truncate(0);
        self.slots.fill(Slot::default());
    }

    /// Forgets all terms but the first `len`, and all marks.
    pub fn truncate(&mut self, len: usize) {
        self.list.truncate(len);
        self.slots = slots_of(self.list.iter());
    }

    /// Adds a term that is not there, at a free place.
    fn add(&mut self, term: &str, key: TermKey, free: usize) {
        self.list.push(term);
        self.slots[free] = Slot { key, number: self.list.len() as u32, mark: 0 };
    }

    /// Adds a term that stands in its key whole.
    #[cold]
    fn add_whole(&mut self, key: TermKey, free: usize) {
        let (bytes, len) = key.bytes();
        self.add(std::str::from_utf8(&bytes[..len]).unwrap_or_default(), key, free);
    }

    /// Makes sure that the table is at most half full when so many terms are added.
    #[inline]
    pub fn make_room(&mut self, terms: usize) {
        if (self.list.len() + terms) * 2 > self.slots.len() {
            self.grow(terms);
        }
    }

    /// The number of a term that is there.
    #[must_use]
    pub fn find(&self, term: &str) -> Option<u32> {
        if self.slots.is_empty() {
            return None;
        }
        let key = TermKey::of(term.as_bytes());
        let at = self.probe(key, key.hash() as usize, term.as_bytes()).ok()?;
        Some(self.slots[at].number - 1)
    }

    /// The slot of the term, or the free one where it would go. There must be a free slot. Of a key that is whole, the term itself is
    /// not looked at.
    #[inline(always)]
    fn probe(&self, key: TermKey, hash: usize, term: &[u8]) -> Result<usize, usize> {
        let mask = self.slots.len() - 1;
        let mut at = hash & mask;
        loop {
            let slot = &self.slots[at];
            if slot.number == 0 {
                return Err(at);
            }
            if slot.key == key && (key.is_whole() || self.list.is(slot.number - 1, term)) {
                return Ok(at);
            }
            at = (at + 1) & mask;
        }
    }

    /// As [`Interner::probe`] for a key that is whole: the slot of the term or the free one.
    #[inline(always)]
    fn probe_whole(&self, key: TermKey, hash: usize) -> usize {
        let mask = self.slots.len() - 1;
        let mut at = hash & mask;
        // The key of a free slot is that of the empty term.
        while self.slots[at].key != key && self.slots[at].number != 0 {
            at = (at + 1) & mask;
        }
        at
    }

    #[cold]
    fn grow(&mut self, terms: usize) {
        let before = std::mem::replace(&mut self.slots, free_slots(self.list.len() + terms));
        before.into_iter().filter(|slot| slot.number > 0).for_each(|slot| place(slot, &mut self.slots));
    }
}

/// Free places for so many terms and some more.
fn free_slots(terms: usize) -> Vec<Slot> {
    vec![Slot::default(); ((terms + BATCH) * 2 + 1).next_power_of_two().max(FEWEST_SLOTS)]
}

/// The places of terms that are numbered in their order, each of which is there once.
fn slots_of<'t>(terms: impl ExactSizeIterator<Item = &'t str>) -> Vec<Slot> {
    let mut slots = free_slots(terms.len());
    let mut numbers = 1..;
    in_batches(terms, |batch| {
        let mask = slots.len() - 1;
        batch.iter().for_each(|(_, key)| prefetch_item(&slots, key.hash() as usize & mask));
        for ((_, key), number) in batch.iter().zip(&mut numbers) {
            place(Slot { key: *key, number, mark: 0 }, &mut slots);
        }
    });
    slots
}

fn in_batches<'t>(terms: impl IntoIterator<Item = &'t str>, mut each: impl FnMut(&[(&'t str, TermKey)])) {
    let mut batch = Vec::with_capacity(BATCH);
    for term in terms {
        batch.push((term, TermKey::of(term.as_bytes())));
        if batch.len() == BATCH {
            each(&batch);
            batch.clear();
        }
    }
    if !batch.is_empty() {
        each(&batch);
    }
}

fn place(slot: Slot, slots: &mut [Slot]) {
    let mask = slots.len() - 1;
    let mut at = slot.key.hash() as usize & mask;
    while slots[at].number != 0 {
        at = (at + 1) & mask;
    }
    slots[at] = slot;
}

impl From<TermList> for Interner {
    fn from(list: TermList) -> Self {
        let slots = slots_of(list.iter());
        Self { list, slots }
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
            batch.push(token, &mut many, |id, _| found.push(id));
        }
        batch.flush(&mut many, |id, _| found.push(id));
        assert_eq!(found, terms.iter().map(|term| one.intern(term)).collect::<Vec<_>>());
        assert!(many.terms().iter().eq(one.terms().iter()));
        let (mut all, mut numbers) = (Interner::default(), Vec::new());
        all.intern_all(terms.iter().map(String::as_str), |id| numbers.push(id));
        assert_eq!(numbers, found);
        assert_eq!(
            all.find_all(terms.iter().map(String::as_str)),
            found.into_iter().map(Some).collect::<Vec<_>>()
        );
        assert_eq!(all.find_all(["not there", "neither is this one"]), [None, None]);
        assert_eq!(Interner::default().find_all(["x"]), [None]);
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
