//! How often the terms of a corpus occur: document and collection frequencies, added up from shards.

use super::counts::ShardCounts;
use super::interner::Interner;
use super::term_list::TermList;
use serde::{Deserialize, Serialize};

/// Document frequencies `df` and collection frequencies `cf` of all terms of some shards, numbered in the order in which they were first
/// seen. Merging is associative: any cut of a corpus into shards, merged in order, gives the same.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct TermFrequencies {
    terms: Interner,
    all: Vec<Frequency>,
    documents: u64,
}

/// How often a term occurs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Frequency {
    /// Documents that have it.
    pub df: u32,
    /// Its occurrences in all of them.
    pub cf: u64,
}

/// The numbers that the terms of a list have in the frequencies that they were added to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TermNumbers(Vec<Option<u32>>);

impl TermNumbers {
    /// By the terms of the list; none for a word that is no term of any document.
    #[must_use]
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Option<u32>> + '_ {
        self.0.iter().copied()
    }

    /// The numbers of these terms in what the frequencies were merged with, which gave `merged` to theirs.
    pub fn renumber(&mut self, merged: &Self) {
        let again = |number: u32| merged.0.get(number as usize).copied().flatten();
        self.0.iter_mut().for_each(|number| *number = number.and_then(again));
    }
}

impl TermFrequencies {
    /// How many terms there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.all.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// The terms by number.
    #[must_use]
    pub fn terms(&self) -> &TermList {
        self.terms.terms()
    }

    /// How often each term occurs, by number.
    #[must_use]
    pub fn all(&self) -> &[Frequency] {
        &self.all
    }

    /// Documents, empty ones included.
    #[must_use]
    pub fn documents(&self) -> u64 {
        self.documents
    }

    /// The number of a term.
    #[must_use]
    pub fn find(&self, term: &str) -> Option<u32> {
        self.terms.find(term)
    }

    /// Adds the counts of the next shard, and tells the numbers of its terms.
    pub fn add(&mut self, shard: &ShardCounts) -> TermNumbers {
        self.documents += shard.document_count() as u64;
        self.add_terms(shard.terms(), &shard.frequencies())
    }

    /// Adds the frequencies of the shards that follow, and tells what numbers their terms get here.
    pub fn merge(&mut self, next: &Self) -> TermNumbers {
        self.documents += next.documents;
        self.add_terms(next.terms(), &next.all)
    }

    fn add_terms(&mut self, terms: &TermList, sums: &[Frequency]) -> TermNumbers {
        /// More than the first shard needs is not made room for at once.
        const MOST_AT_ONCE: usize = 1 << 18;
        let Self { terms: all_terms, all, .. } = self;
        if all.is_empty() {
            // A corpus has more than twice the terms of its first shard, and a table that grows is made anew.
            all_terms.make_room((2 * terms.len()).min(MOST_AT_ONCE).max(terms.len()));
        }
        let mut numbers = vec![None; sums.len()];
        let mut occurring = numbers.iter_mut().zip(sums).filter(|(_, sum)| sum.df > 0);
        let names = terms.iter().zip(sums).filter(|(_, sum)| sum.df > 0).map(|(term, _)| term);
        all_terms.intern_all(names, |number| {
            let Some((place, sum)) = occurring.next() else { return };
            if number as usize == all.len() {
                all.push(Frequency::default());
            }
            let total = &mut all[number as usize];
            total.df += sum.df;
            total.cf += sum.cf;
            *place = Some(number);
        });
        TermNumbers(numbers)
    }
}

#[cfg(test)]
mod tests {
    use super::super::counts::{CountSettings, count_shard};
    use super::super::tokens::{TokenSettings, Tokenizer};
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    fn shard(texts: &[String]) -> ShardCounts {
        let tokenizer = Tokenizer::new(&TokenSettings::default()).unwrap();
        count_shard(&tokenizer, CountSettings { ngrams: [2, 2], statistics: false, stream: true }, texts)
            .unwrap()
    }

    /// The frequencies of shards, and the numbers of the terms of each.
    fn added(shards: &[ShardCounts]) -> (TermFrequencies, Vec<TermNumbers>) {
        let mut sum = TermFrequencies::default();
        let numbers = shards.iter().map(|shard| sum.add(shard)).collect();
        (sum, numbers)
    }

    /// Those of one stretch, then those that follow it.
    fn merged(
        (mut sum, mut numbers): (TermFrequencies, Vec<TermNumbers>),
        (next, mut of_next): (TermFrequencies, Vec<TermNumbers>),
    ) -> (TermFrequencies, Vec<TermNumbers>) {
        let merged = sum.merge(&next);
        of_next.iter_mut().for_each(|numbers| numbers.renumber(&merged));
        numbers.append(&mut of_next);
        (sum, numbers)
    }

    proptest! {
        #[test]
        fn any_cut_into_shards_gives_the_same(texts in proptest::collection::vec("[a-d ]{0,30}", 1..12), cuts in proptest::collection::vec(0_usize..8, 2)) {
            let shards: Vec<ShardCounts> = texts.chunks(2).map(shard).collect();
            let (whole, numbers) = added(&shards);
            let (first, second) = (cuts[0].min(cuts[1]).min(shards.len()), cuts[0].max(cuts[1]).min(shards.len()));
            let parts = || [added(&shards[..first]), added(&shards[first..second]), added(&shards[second..])];
            let [a, b, c] = parts();
            let left = merged(merged(a, b), c);
            let [a, b, c] = parts();
            let right = merged(a, merged(b, c));
            let state = |f: &TermFrequencies| serde_json::to_string(f).unwrap();
            prop_assert_eq!((state(&whole), &numbers), (state(&left.0), &left.1));
            prop_assert_eq!((state(&whole), &numbers), (state(&right.0), &right.1));
            let mut naive: BTreeMap<&str, (u32, u64)> = BTreeMap::new();
            for (shard, numbers) in shards.iter().zip(&numbers) {
                for (term, number) in shard.terms().iter().zip(numbers.iter()) {
                    prop_assert_eq!(whole.find(term), number);
                }
                for row in shard.rows().all() {
                    let sum = naive.entry(shard.terms().term(row.term)).or_default();
                    *sum = (sum.0 + 1, sum.1 + u64::from(row.count));
                }
            }
            let sums = whole.terms().iter().zip(whole.all());
            prop_assert_eq!(sums.map(|(term, sum)| (term, (sum.df, sum.cf))).collect::<BTreeMap<_, _>>(), naive);
            prop_assert_eq!((whole.len(), whole.documents()), (whole.terms().len(), texts.len() as u64));
        }
    }
}
