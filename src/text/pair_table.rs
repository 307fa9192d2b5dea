//! How often each of many pairs of numbers stands in a corpus: open addressing with linear probing, at most three quarters full, looked
//! up for a batch of pairs at once, so that the memory is fetched for all of them before the first is needed.

use super::term_key::folded;
use crate::simd::prefetch_item;

/// Pairs that are looked up together.
const BATCH: usize = 32;
const FEWEST_SLOTS: usize = 1024;
/// What no pair is: both of its numbers would be the largest.
const FREE: u64 = u64::MAX;

/// Counts by pair, a pair being a number of 64 bits below the largest.
#[derive(Debug, Clone, Default)]
pub struct PairTable {
    /// Pair and count; the length is a power of two.
    slots: Vec<(u64, u64)>,
    len: usize,
}

impl PairTable {
    /// Adds counts to those of their pairs.
    pub fn add_all(&mut self, pairs: impl IntoIterator<Item = (u64, u64)>) {
        let mut batch = [(FREE, 0); BATCH];
        let mut len = 0;
        for pair in pairs {
            batch[len % BATCH] = pair;
            len += 1;
            if len == BATCH {
                self.add_batch(&batch);
                len = 0;
            }
        }
        self.add_batch(&batch[..len]);
    }

    fn add_batch(&mut self, batch: &[(u64, u64)]) {
        if batch.is_empty() {
            return;
        }
        if (self.len + batch.len()) * 4 > self.slots.len() * 3 {
            self.grow(batch.len());
        }
        let mask = self.slots.len() - 1;
        batch.iter().for_each(|(pair, _)| prefetch_item(&self.slots, hash(*pair) & mask));
        for (pair, count) in batch {
            let at = self.place(*pair);
            let slot = &mut self.slots[at];
            self.len += usize::from(slot.0 == FREE);
            *slot = (*pair, slot.1 + count);
        }
    }

    /// The slot of the pair, or the free one where it would go.
    #[inline]
    fn place(&self, pair: u64) -> usize {
        let mask = self.slots.len() - 1;
        let mut at = hash(pair) & mask;
        while self.slots[at].0 != pair && self.slots[at].0 != FREE {
            at = (at + 1) & mask;
        }
        at
    }

    #[cold]
    fn grow(&mut self, more: usize) {
        let len = ((self.len + more) * 2).next_power_of_two().max(FEWEST_SLOTS);
        let before = std::mem::replace(&mut self.slots, vec![(FREE, 0); len]);
        for slot in before.into_iter().filter(|slot| slot.0 != FREE) {
            let at = self.place(slot.0);
            self.slots[at] = slot;
        }
    }

    /// All pairs with their counts, in no order that means anything.
    pub fn iter(&self) -> impl Iterator<Item = (u64, u64)> {
        self.slots.iter().copied().filter(|slot| slot.0 != FREE)
    }
}

fn hash(pair: u64) -> usize {
    folded(pair ^ 0x2D35_8DCC_AA6C_78A5, 0x9E37_79B9_7F4A_7C15) as usize
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    proptest! {
        #[test]
        fn counts_are_those_of_a_map(pairs in proptest::collection::vec((0_u64..500, 0_u64..9), 0..4000)) {
            let mut expected: BTreeMap<u64, u64> = BTreeMap::new();
            pairs.iter().for_each(|(pair, count)| *expected.entry(*pair).or_default() += count);
            let mut table = PairTable::default();
            let (first, rest) = pairs.split_at(pairs.len() / 3);
            table.add_all(first.iter().copied());
            table.add_all(rest.iter().copied());
            prop_assert_eq!(table.iter().collect::<BTreeMap<u64, u64>>(), expected);
        }
    }

    #[test]
    fn a_table_grows() {
        let mut table = PairTable::default();
        table.add_all([]);
        assert_eq!(table.iter().count(), 0);
        for _ in 0..2 {
            table.add_all((0..100_000).map(|pair| (pair << 32, 1)));
        }
        assert_eq!(table.iter().filter(|(_, count)| *count == 2).count(), 100_000);
    }
}
