//! The terms of documents in the order of their numbers: by marks in a row of bits, no two of them being compared.

use super::counts::TermCount;

/// Sorts the terms of one shard's documents by numbers that they have elsewhere.
pub(super) struct TermOrder {
    /// The place of each term among those that have a number, [`NOWHERE`] for the others.
    places: Vec<u32>,
    /// The numbers, rising.
    numbers: Vec<u32>,
    /// A bit for each place: whether the document at hand has the term; and one for each 64 of these.
    marks: Vec<u64>,
    groups: Vec<u64>,
    /// How often it has it, by place.
    counts: Vec<u32>,
}

impl TermOrder {
    /// The order of terms that have these numbers, each another.
    pub fn new(numbers: &[Option<u32>]) -> Self {
        let end = numbers.iter().flatten().max().map_or(0, |most| *most as usize + 1);
        let mut marks = vec![0; end.div_ceil(BITS)];
        numbers.iter().flatten().for_each(|&number| mark(&mut marks, number as usize));
        let mut sorted = Vec::with_capacity(numbers.len());
        let mut before = Vec::with_capacity(marks.len());
        for (at, &word) in marks.iter().enumerate() {
            before.push(sorted.len() as u32);
            each_bit(word, |bit| sorted.push((at * BITS + bit) as u32));
        }
        let place = |number: u32| {
            let (at, bit) = (number as usize / BITS, number as usize % BITS);
            before[at] + (marks[at] & ((1 << bit) - 1)).count_ones()
        };
        let places = numbers.iter().map(|number| number.map_or(NOWHERE, place)).collect();
        let words = sorted.len().div_ceil(BITS);
        let (marks, groups) = (vec![0; words], vec![0; words.div_ceil(BITS)]);
        Self { places, counts: vec![0; sorted.len()], numbers: sorted, marks, groups }
    }

    /// Hands the terms of a document that have a number to `each`, by it, with how often they are there.
    pub fn sort(&mut self, row: &[TermCount], mut each: impl FnMut(TermCount)) {
        let Self { places, numbers, marks, groups, counts } = self;
        for row in row {
            let place = places[row.term as usize] as usize;
            if place < counts.len() {
                counts[place] = row.count;
                mark(marks, place);
                mark(groups, place / BITS);
            }
        }
        for (at, group) in groups.iter_mut().enumerate() {
            each_bit(std::mem::take(group), |of_group| {
                let word = at * BITS + of_group;
                each_bit(std::mem::take(&mut marks[word]), |bit| {
                    let place = word * BITS + bit;
                    each(TermCount { term: numbers[place], count: counts[place] });
                });
            });
        }
    }
}

/// More than there are places.
const NOWHERE: u32 = u32::MAX;

const BITS: usize = u64::BITS as usize;

fn mark(marks: &mut [u64], at: usize) {
    marks[at / BITS] |= 1 << (at % BITS);
}

/// Hands the numbers of the bits that are set to `each`, the least first.
fn each_bit(mut word: u64, mut each: impl FnMut(usize)) {
    while word != 0 {
        each(word.trailing_zeros() as usize);
        word &= word - 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn terms_are_sorted_by_their_numbers(seed in any::<u64>(), terms in 1_usize..6000, lengths in proptest::collection::vec(0_usize..200, 1..5)) {
            // Times anything modulo a prime, each term has another number; every fifth has none.
            let number = |term: usize| (term as u64 * (seed % 65_536 + 1) % 65_537) as u32;
            let numbers: Vec<Option<u32>> = (0..terms).map(|term| (term % 5 > 0).then(|| number(term))).collect();
            let mut order = TermOrder::new(&numbers);
            for length in lengths {
                let step = (seed % 7) as usize + 1;
                let row: Vec<TermCount> = (0..length.min(terms / step))
                    .map(|i| TermCount { term: (terms - 1 - i * step) as u32, count: i as u32 + 1 })
                    .collect();
                let mut expected: Vec<TermCount> = row
                    .iter()
                    .filter_map(|r| Some(TermCount { term: numbers[r.term as usize]?, count: r.count }))
                    .collect();
                expected.sort_unstable_by_key(|r| r.term);
                let mut sorted = Vec::new();
                order.sort(&row, |row| sorted.push(row));
                prop_assert_eq!(sorted, expected);
            }
        }
    }
}
