//! The terms of documents in the order of their numbers. No two of them are compared by a branch, which would be guessed wrong with every
//! second one: few are sorted in registers, many by marks in a row of bits.

use super::counts::TermCount;
use crate::simd::{Few, Width};

/// Sorts the terms of one shard's documents by numbers that they have elsewhere.
pub(super) struct TermOrder<'n> {
    numbers: &'n [Option<u32>],
    few: Option<FewTerms>,
    many: Option<ManyTerms>,
}

impl<'n> TermOrder<'n> {
    /// The order of terms that have these numbers, each another, on this processor.
    pub fn new(numbers: &'n [Option<u32>], width: Width) -> Self {
        Self { numbers, few: FewTerms::new(numbers, width), many: None }
    }

    /// Appends the terms of a document that have a number to `terms`, by it, and how often each is there to `counts`.
    pub fn sort(&mut self, row: &[TermCount], terms: &mut Vec<u32>, counts: &mut Vec<u32>) {
        match &mut self.few {
            Some(few) if row.len() <= Few::MOST => few.sort(row, terms, counts),
            _ => self.many.get_or_insert_with(|| ManyTerms::new(self.numbers)).sort(row, |row| {
                terms.push(row.term);
                counts.push(row.count);
            }),
        }
    }
}

/// Sorts the terms of short documents: a number and a place in the document make one number of 32 bits.
struct FewTerms {
    few: Few,
    /// The number of each term, [`FewTerms::NONE`] for those that have none.
    numbers: Vec<u32>,
    /// Whether each has one.
    are_all: bool,
}

impl FewTerms {
    /// Bits of a place in a document.
    const BITS: u32 = (Few::MOST - 1).count_ones();
    /// More than any number of a term.
    const NONE: u32 = u32::MAX >> Self::BITS;

    /// `None` where numbers are too great, or the processor has no such instructions.
    fn new(numbers: &[Option<u32>], width: Width) -> Option<Self> {
        let few = Few::new(width).filter(|_| numbers.iter().flatten().all(|&number| number < Self::NONE))?;
        let are_all = numbers.iter().all(Option::is_some);
        Some(Self {
            few,
            numbers: numbers.iter().map(|number| number.unwrap_or(Self::NONE)).collect(),
            are_all,
        })
    }

    fn sort(&mut self, row: &[TermCount], terms: &mut Vec<u32>, counts: &mut Vec<u32>) {
        let Self { few, numbers, are_all } = self;
        let number = |row: &TermCount| numbers[row.term as usize];
        let known =
            if *are_all { row.len() } else { row.iter().filter(|row| number(row) < Self::NONE).count() };
        let sorted = few.sort(row.iter().zip(0..).map(|(row, place)| number(row) << Self::BITS | place));
        // Those without a number come last.
        let sorted = sorted.take(known);
        terms.extend(sorted.clone().map(|key| key >> Self::BITS));
        counts.extend(sorted.map(|key| row[key as usize & (Few::MOST - 1)].count));
    }
}

/// Sorts the terms of documents of any length.
struct ManyTerms {
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

impl ManyTerms {
    fn new(numbers: &[Option<u32>]) -> Self {
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
    fn sort(&mut self, row: &[TermCount], mut each: impl FnMut(TermCount)) {
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
        fn terms_are_sorted_by_their_numbers(seed in any::<u64>(), terms in 1_usize..6000, lengths in proptest::collection::vec(0_usize..400, 1..5)) {
            // Times anything modulo a prime, each term has another number; every fifth may have none.
            let number = |term: usize| (term as u64 * (seed % 65_536 + 1) % 65_537) as u32;
            let numbers: Vec<Option<u32>> = (0..terms).map(|term| (term % 5 > 0 || seed % 2 > 0).then(|| number(term))).collect();
            let mut orders: Vec<TermOrder<'_>> =
                Width::available().into_iter().map(|width| TermOrder::new(&numbers, width)).collect();
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
                for order in &mut orders {
                    let (mut terms, mut counts) = (vec![1], vec![2]);
                    order.sort(&row, &mut terms, &mut counts);
                    let sorted = terms.into_iter().zip(counts).skip(1);
                    let sorted: Vec<TermCount> = sorted.map(|(term, count)| TermCount { term, count }).collect();
                    prop_assert_eq!(&sorted, &expected);
                }
            }
        }
    }
}
