//! Groups of items, usually speakers, within which items are exchanged and which folds do not split.

use std::collections::BTreeMap;

use crate::math::random::Stream;

/// The group of each item.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Groups {
    of_item: Vec<u32>,
}

impl Groups {
    /// No groups: all `items` are alike.
    #[must_use]
    pub fn none(items: usize) -> Self {
        Self { of_item: vec![0; items] }
    }

    /// Groups from the label of each item; items without a label form one group of their own.
    #[must_use]
    pub fn from_labels<S: AsRef<str>>(labels: &[Option<S>]) -> Self {
        let mut numbers: BTreeMap<Option<&str>, u32> = BTreeMap::new();
        let of_item = labels
            .iter()
            .map(|label| {
                let next = numbers.len() as u32;
                *numbers.entry(label.as_ref().map(AsRef::as_ref)).or_insert(next)
            })
            .collect();
        Self { of_item }
    }

    /// Number of items.
    #[must_use]
    pub fn items(&self) -> usize {
        self.of_item.len()
    }

    /// The members of each group among `items`, as positions in `items`. Where no group has two members nothing could be
    /// exchanged within groups, and the items, each alone in its group, are taken as alike: one group of all.
    ///
    /// # Panics
    /// Where an item is beyond the number of items.
    #[must_use]
    pub(super) fn members(&self, items: &[u32]) -> Vec<Vec<u32>> {
        let mut members: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
        for (position, &item) in items.iter().enumerate() {
            members.entry(self.of_item[item as usize]).or_default().push(position as u32);
        }
        if members.values().all(|group| group.len() < 2) {
            return vec![(0..items.len() as u32).collect()];
        }
        members.into_values().collect()
    }
}

/// Exchanges the members of each group at random: `permutation[i]` is the position whose values item `i` is given.
pub(super) fn permute(members: &[Vec<u32>], stream: &mut Stream, permutation: &mut Vec<u32>) {
    let items: usize = members.iter().map(Vec::len).sum();
    permutation.clear();
    permutation.resize(items, 0);
    let mut shuffled = Vec::new();
    for group in members {
        shuffled.clear();
        shuffled.extend_from_slice(group);
        stream.shuffle(&mut shuffled);
        for (&position, &from) in group.iter().zip(&shuffled) {
            permutation[position as usize] = from;
        }
    }
}

/// The natural logarithm of the number of different permutations.
pub(super) fn log_permutations(members: &[Vec<u32>]) -> f64 {
    members.iter().map(|group| libm::lgamma(group.len() as f64 + 1.0)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn permutations_stay_within_groups() {
        let groups =
            Groups::from_labels(&[Some("b"), None, Some("a"), Some("b"), None, Some("b"), Some("a")]);
        let items: Vec<u32> = (0..7).collect();
        let members = groups.members(&items);
        assert_eq!(members, [vec![0, 3, 5], vec![1, 4], vec![2, 6]]);
        assert!((log_permutations(&members) - 24.0_f64.ln()).abs() < 1e-12);
        let mut seen = std::collections::BTreeSet::new();
        let mut permutation = Vec::new();
        for draw in 0..500 {
            permute(&members, &mut Stream::new(1, "groups", draw), &mut permutation);
            for (i, &from) in permutation.iter().enumerate() {
                assert_eq!(groups.of_item[i], groups.of_item[from as usize]);
            }
            seen.insert(permutation.clone());
        }
        assert_eq!(seen.len(), 24);
    }

    #[test]
    fn singletons_are_alike() {
        let groups = Groups::from_labels(&[Some("a"), Some("b"), Some("c")]);
        assert_eq!(groups.members(&[0, 2]), [vec![0, 1]]);
        assert_eq!(Groups::none(3).members(&[0, 1, 2]), [vec![0, 1, 2]]);
    }
}
