//! Words that a group of documents has more often, or less, than the rest.

use super::contingency::{Contingency, chi2_p};
use super::counts::ShardCounts;
use super::interner::Interner;
use crate::math::statistics::benjamini_hochberg;
use serde::{Deserialize, Serialize};

/// A word of the group against the rest.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Keyness {
    /// The word.
    pub term: String,
    /// Occurrences in the group.
    pub target_count: u64,
    /// Occurrences in all other documents.
    pub reference_count: u64,
    /// The log-likelihood ratio, negative where the group has the word no more often than the rest.
    pub g2: f64,
    /// Pearson's chi-squared, signed alike.
    pub chi2: f64,
    /// Probability of such a G² by chance: chi-squared with one degree of freedom.
    pub p: f64,
    /// The least false discovery rate at which the word is found, over all words judged with it (Benjamini and Hochberg 1995).
    pub q: f64,
    /// Binary logarithm of the ratio of the relative frequencies (Hardie 2014), 0.5 standing for a count of zero.
    /// Undefined where the group or the rest has no words at all.
    pub log_ratio: Option<f64>,
}

/// Words in the group and in the rest, counted over tokens, whatever terms the bag of words has. Merging in shard order is
/// associative.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct GroupCounts {
    words: Interner,
    target: Vec<u64>,
    reference: Vec<u64>,
}

impl GroupCounts {
    /// The counts of a shard; `is_target` says for each of its documents, by number, whether it belongs to the group.
    #[must_use]
    pub fn of(shard: &ShardCounts, is_target: impl Fn(usize) -> bool) -> Self {
        let mut target = vec![0_u64; shard.terms().len()];
        let mut reference = target.clone();
        for document in 0..shard.document_count() {
            let counts = if is_target(document) { &mut target } else { &mut reference };
            shard.tokens(document).iter().for_each(|word| counts[*word as usize] += 1);
        }
        let mut groups = Self::default();
        for (id, word) in shard.terms().iter().enumerate() {
            groups.add(word, target[id], reference[id]);
        }
        groups
    }

    /// Adds the counts of the shards that follow.
    pub fn merge(&mut self, next: &Self) {
        for (id, word) in next.words.terms().iter().enumerate() {
            self.add(word, next.target[id], next.reference[id]);
        }
    }

    fn add(&mut self, word: &str, target: u64, reference: u64) {
        if target + reference == 0 {
            return;
        }
        let id = self.words.intern(word) as usize;
        if id == self.target.len() {
            self.target.push(0);
            self.reference.push(0);
        }
        self.target[id] += target;
        self.reference[id] += reference;
    }

    /// Every word, by falling G², then by word.
    #[must_use]
    pub fn keyness(&self) -> Vec<Keyness> {
        let (all_target, all_reference) = (self.target.iter().sum(), self.reference.iter().sum());
        let counts = self.target.iter().zip(&self.reference);
        let judged = self.words.terms().iter().zip(counts).map(|(term, (target, reference))| {
            Keyness::new(term, (*target, all_target), (*reference, all_reference))
        });
        let mut words: Vec<Keyness> = judged.collect();
        let p: Vec<Option<f64>> = words.iter().map(|word| Some(word.p)).collect();
        for (word, q) in words.iter_mut().zip(benjamini_hochberg(&p)) {
            word.q = q.unwrap_or(word.p);
        }
        words.sort_unstable_by(|x, y| y.g2.total_cmp(&x.g2).then_with(|| x.term.cmp(&y.term)));
        words
    }
}

impl Keyness {
    /// One word: how often it stands, of how many words, in the group and in the rest. Judged alone, its q is its p.
    #[must_use]
    pub fn new(term: &str, target: (u64, u64), reference: (u64, u64)) -> Self {
        let beside = |(count, all): (u64, u64)| all.saturating_sub(count);
        let table = Contingency { a: target.0, b: beside(target), c: reference.0, d: beside(reference) };
        let g2 = table.g2();
        let p = chi2_p(g2);
        Self {
            term: term.to_owned(),
            target_count: target.0,
            reference_count: reference.0,
            g2,
            chi2: table.chi2(),
            p,
            q: p,
            log_ratio: log_ratio(target, reference),
        }
    }
}

fn log_ratio(target: (u64, u64), reference: (u64, u64)) -> Option<f64> {
    let share =
        |(count, all): (u64, u64)| if count == 0 { 0.5 / all as f64 } else { count as f64 / all as f64 };
    (target.1 > 0 && reference.1 > 0).then(|| libm::log2(share(target) / share(reference)))
}

#[cfg(test)]
mod tests {
    use super::super::counts::{CountSettings, count_shard};
    use super::super::tokens::{TokenSettings, Tokenizer};
    use super::*;

    fn shard(texts: &[&str]) -> ShardCounts {
        let tokenizer = Tokenizer::new(&TokenSettings::default()).unwrap();
        count_shard(&tokenizer, CountSettings { ngrams: [2, 2], statistics: false, stream: true }, texts)
            .unwrap()
    }

    #[test]
    fn a_worked_example() {
        let words = GroupCounts::of(&shard(&["a a a b", "b b c", "a b"]), |document| document == 0).keyness();
        // Group: a 3, b 1 of 4; rest: a 1, b 3, c 1 of 5.
        assert_eq!(words.iter().map(|w| w.term.as_str()).collect::<Vec<_>>(), ["a", "b", "c"]);
        let a = &words[0];
        assert_eq!((a.target_count, a.reference_count), (3, 1));
        assert_eq!(a.g2, Contingency { a: 3, b: 1, c: 1, d: 4 }.g2());
        assert!((a.log_ratio.unwrap() - (0.75_f64 / 0.2).log2()).abs() < 1e-12);
        assert!((words[2].log_ratio.unwrap() - (0.125_f64 / 0.2).log2()).abs() < 1e-12);
        // Of three words the largest p is its own q, the smallest at most three times itself.
        let p: Vec<f64> = words.iter().map(|w| w.p).collect();
        let least = |a: f64, b: f64| a.min(b);
        let mut order = [0, 1, 2];
        order.sort_by(|a, b| p[*a].total_cmp(&p[*b]));
        let third = p[order[2]];
        let second = least(third, p[order[1]] * 3.0 / 2.0);
        let first = least(second, p[order[0]] * 3.0);
        for (place, q) in order.into_iter().zip([first, second, third]) {
            assert!((words[place].q - q).abs() < 1e-15, "{words:?}");
        }
        assert!(words[1].g2 < 0.0 && words[1].chi2 < 0.0 && words[1].p < 1.0);
    }

    #[test]
    fn an_empty_group_gives_no_evidence() {
        let words = GroupCounts::of(&shard(&["a b"]), |_| false).keyness();
        assert!(words.iter().all(|w| w.g2 == 0.0 && w.p == 1.0 && w.log_ratio.is_none()));
    }

    #[test]
    fn merged_shards_are_the_whole() {
        let mut merged = GroupCounts::of(&shard(&["a a a b"]), |_| true);
        merged.merge(&GroupCounts::of(&shard(&["b b c", "a b"]), |_| false));
        let whole = GroupCounts::of(&shard(&["a a a b", "b b c", "a b"]), |document| document == 0);
        assert_eq!(merged.keyness(), whole.keyness());
    }
}
