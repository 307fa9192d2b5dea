//! Distinct terms with numbers: one string for all of them and a hash table of numbers beside it.

use serde::{Deserialize, Serialize};

/// Terms one after another in a single string; a term's number is its place.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TermList {
    text: String,
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

    /// The terms in the order of their numbers.
    #[must_use]
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &str> {
        (0..self.len()).map(|id| self.term(id as u32))
    }

    /// Appends a term, which is not looked for.
    pub fn push(&mut self, term: &str) {
        self.text.push_str(term);
        self.ends.push(self.text.len());
    }

    #[inline]
    fn span(&self, id: usize) -> Option<(usize, usize)> {
        let end = *self.ends.get(id)?;
        Some((if id == 0 { 0 } else { self.ends[id - 1] }, end))
    }

    #[inline]
    fn is(&self, id: u32, term: &[u8]) -> bool {
        self.span(id as usize).is_some_and(|(start, end)| self.text.as_bytes().get(start..end) == Some(term))
    }
}

impl<'a> FromIterator<&'a str> for TermList {
    fn from_iter<I: IntoIterator<Item = &'a str>>(terms: I) -> Self {
        let mut list = Self::default();
        terms.into_iter().for_each(|term| list.push(term));
        list
    }
}

/// A [`TermList`] without repetitions that finds a term's number: open addressing with linear probing, at most half full.
/// Numbers follow the order in which terms were first seen, so that they do not depend on the hash.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(from = "TermList", into = "TermList")]
pub struct Interner {
    list: TermList,
    /// The upper half of the hash above, the number plus one below; zero is free. The length is a power of two.
    slots: Vec<u64>,
}

const FEWEST_SLOTS: usize = 1024;
const NUMBER: u64 = 0xFFFF_FFFF;

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
        if self.list.len() * 2 >= self.slots.len() {
            self.grow();
        }
        let hash = term_hash(term.as_bytes());
        match self.probe(hash, term.as_bytes()) {
            Ok(id) => id,
            Err(free) => {
                self.list.push(term);
                self.slots[free] = (hash & !NUMBER) | self.list.len() as u64;
                self.list.len() as u32 - 1
            }
        }
    }

    /// The number of a term that is there.
    #[must_use]
    pub fn find(&self, term: &str) -> Option<u32> {
        if self.slots.is_empty() {
            return None;
        }
        self.probe(term_hash(term.as_bytes()), term.as_bytes()).ok()
    }

    /// The number of the term, or the free slot where it would go. There must be a free slot.
    #[inline]
    fn probe(&self, hash: u64, term: &[u8]) -> Result<u32, usize> {
        let mask = self.slots.len() - 1;
        let mut at = hash as usize & mask;
        loop {
            let slot = self.slots[at];
            if slot == 0 {
                return Err(at);
            }
            let id = (slot & NUMBER) as u32 - 1;
            if (slot ^ hash) & !NUMBER == 0 && self.list.is(id, term) {
                return Ok(id);
            }
            at = (at + 1) & mask;
        }
    }

    #[cold]
    fn grow(&mut self) {
        let len = (self.list.len() * 4).next_power_of_two().max(FEWEST_SLOTS);
        self.slots.clear();
        self.slots.resize(len, 0);
        for id in 0..self.list.len() {
            let hash = term_hash(self.list.term(id as u32).as_bytes());
            let mut at = hash as usize & (len - 1);
            while self.slots[at] != 0 {
                at = (at + 1) & (len - 1);
            }
            self.slots[at] = (hash & !NUMBER) | (id as u64 + 1);
        }
    }
}

impl From<TermList> for Interner {
    fn from(list: TermList) -> Self {
        let mut interner = Self { list, slots: Vec::new() };
        interner.grow();
        interner
    }
}

impl From<Interner> for TermList {
    fn from(interner: Interner) -> Self {
        interner.list
    }
}

/// A 64-bit hash of a term, the same on every platform: the first and last eight bytes (all of them for longer terms, in
/// blocks of sixteen) through a multiplication folded to 64 bits, as wyhash does.
#[must_use]
#[inline]
pub fn term_hash(term: &[u8]) -> u64 {
    const FIRST: u64 = 0x2D35_8DCC_AA6C_78A5;
    const SECOND: u64 = 0x8BB8_4B93_962E_ACC9;
    const LENGTH: u64 = 0x9E37_79B9_7F4A_7C15;
    let mut state = (term.len() as u64).wrapping_mul(LENGTH);
    let mut rest = term;
    while rest.len() > 16 {
        let (block, after) = rest.split_at(16);
        state = folded(word(&block[..8]) ^ FIRST ^ state, word(&block[8..]) ^ SECOND);
        rest = after;
    }
    let n = rest.len();
    let (low, high) = match n {
        8.. => (word(&rest[..8]), word(&rest[n - 8..])),
        4.. => (half_word(&rest[..4]), half_word(&rest[n - 4..])),
        1.. => (u64::from(rest[0]) << 8 | u64::from(rest[n / 2]), u64::from(rest[n - 1])),
        0 => (0, 0),
    };
    folded(folded(low ^ FIRST ^ state, high ^ SECOND) ^ FIRST, SECOND)
}

#[inline]
fn word(bytes: &[u8]) -> u64 {
    bytes.first_chunk().map_or(0, |chunk| u64::from_le_bytes(*chunk))
}

#[inline]
fn half_word(bytes: &[u8]) -> u64 {
    bytes.first_chunk().map_or(0, |chunk| u64::from(u32::from_le_bytes(*chunk)))
}

/// Both halves of the product, folded into one.
#[inline]
pub(super) fn folded(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    product as u64 ^ (product >> 64) as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::{HashMap, HashSet};

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

    #[test]
    fn hashes_differ_with_every_byte_and_length() {
        let mut seen = HashSet::new();
        for length in 0..70_usize {
            for change in 0..=length {
                let bytes: Vec<u8> = (0..length).map(|i| if i == change { b'y' } else { b'x' }).collect();
                assert!(
                    seen.insert(term_hash(&bytes)) || change == length && length == 0,
                    "{length} {change}"
                );
            }
        }
    }
}
