//! A hash table of terms: finds the number of a term in the list that it stands beside.

// Some thousand million words go through these few lines: each is put where it is called.
#![allow(clippy::inline_always)]

use super::term_key::TermKey;
use super::term_list::TermList;
use crate::simd::prefetch_item;

/// The places of terms by their hash: open addressing with linear probing, at most five eighths full.
#[derive(Debug, Clone, Default)]
pub(super) struct TermIndex {
    /// The length is a power of two, or nothing.
    slots: Vec<Slot>,
}

/// A term that was seen, or a free place. A term of up to 15 bytes stands in its key whole, so that the list is not looked at.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Slot {
    key: TermKey,
    /// The number plus one; 0 is free.
    number: u32,
    /// What whoever counts keeps with the term.
    pub mark: u32,
}

impl Slot {
    /// A term with its number.
    #[inline(always)]
    pub fn new(key: TermKey, number: u32) -> Self {
        Self { key, number: number + 1, mark: 0 }
    }

    /// The number of the term that is here.
    #[inline(always)]
    pub fn number(&self) -> u32 {
        self.number - 1
    }

    #[inline(always)]
    pub fn is_free(&self) -> bool {
        self.number == 0
    }
}

const FEWEST_SLOTS: usize = 1024;
/// Terms whose numbers are looked up together, so that the table is fetched for all of them at once.
pub(super) const BATCH: usize = 32;

impl TermIndex {
    /// The places of terms that are numbered in their order, each of which is there once.
    pub fn of(list: &TermList) -> Self {
        let mut index = Self::with_room(list.len());
        let mut numbers = 0..;
        in_batches(list.iter().map(with_key), |batch| {
            index.fetch_all(batch);
            for ((_, key), number) in batch.iter().zip(&mut numbers) {
                index.place(Slot::new(*key, number));
            }
        });
        index
    }

    /// Free places for so many terms and some more.
    fn with_room(terms: usize) -> Self {
        let slots = (Self::slots_for(terms + BATCH) + 1).next_power_of_two().max(FEWEST_SLOTS);
        Self { slots: vec![Slot::default(); slots] }
    }

    /// The number of a term of `list`.
    pub fn find(&self, list: &TermList, term: &str) -> Option<u32> {
        self.find_keyed(list, term, TermKey::of(term.as_bytes()))
    }

    /// The numbers of many terms, in their order, of those that are in `list`.
    pub fn find_all<'t>(&self, list: &TermList, terms: impl Iterator<Item = &'t str>) -> Vec<Option<u32>> {
        let mut numbers = Vec::with_capacity(terms.size_hint().0);
        in_batches(terms.map(with_key), |batch| {
            self.fetch_all(batch);
            numbers.extend(batch.iter().map(|(term, key)| self.find_keyed(list, term, *key)));
        });
        numbers
    }

    fn find_keyed(&self, list: &TermList, term: &str, key: TermKey) -> Option<u32> {
        if self.slots.is_empty() {
            return None;
        }
        let at = self.probe(list, key, key.hash() as usize, term.as_bytes()).ok()?;
        Some(self.slots[at].number())
    }

    /// Has the place of a term fetched while others are looked at.
    #[inline(always)]
    pub fn fetch(&self, hash: usize) {
        prefetch_item(&self.slots, hash & self.slots.len().wrapping_sub(1));
    }

    /// Has the places of these terms fetched.
    pub fn fetch_all(&self, batch: &[(&str, TermKey)]) {
        batch.iter().for_each(|(_, key)| self.fetch(key.hash() as usize));
    }

    /// All places.
    #[inline(always)]
    pub fn slots(&self) -> &[Slot] {
        &self.slots
    }

    /// All places, to change the marks in them.
    #[inline(always)]
    pub fn slots_mut(&mut self) -> &mut [Slot] {
        &mut self.slots
    }

    /// What stands at a place that was found.
    #[inline(always)]
    pub fn at(&mut self, at: usize) -> &mut Slot {
        &mut self.slots[at]
    }

    /// Forgets all terms and keeps the room that they took.
    pub fn clear(&mut self) {
        self.slots.fill(Slot::default());
    }

    /// Slots that so many terms fill as far as they may be filled. A shard of English has a few more terms than half of 2^15, whose table
    /// would be twice as long for them.
    #[inline(always)]
    fn slots_for(terms: usize) -> usize {
        terms * 8 / 5
    }

    /// Makes sure that the table is not too full with so many terms.
    #[inline(always)]
    pub fn make_room(&mut self, terms: usize) {
        if Self::slots_for(terms) > self.slots.len() {
            self.grow(terms);
        }
    }

    #[cold]
    fn grow(&mut self, terms: usize) {
        let before = std::mem::replace(self, Self::with_room(terms));
        before.slots.into_iter().filter(|slot| !slot.is_free()).for_each(|slot| self.place(slot));
    }

    fn place(&mut self, slot: Slot) {
        let mask = self.slots.len() - 1;
        let mut at = slot.key.hash() as usize & mask;
        while !self.slots[at].is_free() {
            at = (at + 1) & mask;
        }
        self.slots[at] = slot;
    }

    /// The place of a term of `list`, or the free one where it would go. There must be a free place. Of a key that is whole, the term
    /// itself is not looked at.
    #[inline(always)]
    pub fn probe(&self, list: &TermList, key: TermKey, hash: usize, term: &[u8]) -> Result<usize, usize> {
        let mask = self.slots.len() - 1;
        let mut at = hash & mask;
        loop {
            let slot = &self.slots[at];
            if slot.is_free() {
                return Err(at);
            }
            if slot.key == key && (key.is_whole() || list.is(slot.number(), term)) {
                return Ok(at);
            }
            at = (at + 1) & mask;
        }
    }
}

/// As [`TermIndex::probe`] for a key that is whole: the place of the term among `slots` or the free one.
#[inline(always)]
pub(super) fn probe_whole(slots: &[Slot], key: TermKey, hash: usize) -> usize {
    let mask = slots.len().wrapping_sub(1);
    let mut at = hash & mask;
    // The key of a free place is that of the empty term.
    while slots[at].key != key && !slots[at].is_free() {
        at = (at + 1) & mask;
    }
    at
}

/// A term with its key.
pub(super) fn with_key(term: &str) -> (&str, TermKey) {
    (term, TermKey::of(term.as_bytes()))
}

/// Hands the terms to `each`, some at a time.
pub(super) fn in_batches<'t>(
    terms: impl Iterator<Item = (&'t str, TermKey)>,
    mut each: impl FnMut(&[(&'t str, TermKey)]),
) {
    let mut batch = Vec::with_capacity(BATCH);
    for term in terms {
        batch.push(term);
        if batch.len() == BATCH {
            each(&batch);
            batch.clear();
        }
    }
    if !batch.is_empty() {
        each(&batch);
    }
}
