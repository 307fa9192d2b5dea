//! Shards: where a sorted list of items is cut, by the items alone.

use std::ops::Range;

use crate::text::term_hash;

/// Cuts the items, given as ids (sorted) with their weights, into shards of about the weight `mean`.
///
/// From half the mean on, a shard ends after an item whose hash says so, the more likely the heavier it is, and at twice the mean at the
/// latest: were they less alike, threads would wait for the one that has the heaviest. So the cuts follow from the items, never from the
/// machine, and a new item changes the shard it falls into and perhaps the next, not all that follow.
pub(super) fn cut<'a>(items: impl Iterator<Item = (&'a str, u64)>, mean: u64) -> Vec<Range<usize>> {
    let mut shards = Vec::new();
    let (mut start, mut end, mut weight) = (0, 0, 0u64);
    let (least, most) = (mean / 2, mean.saturating_mul(2));
    for (id, item_weight) in items {
        end += 1;
        weight = weight.saturating_add(item_weight);
        if weight >= least && ends_shard(id, item_weight, mean - least) || weight >= most {
            shards.push(start..end);
            (start, weight) = (end, 0);
        }
    }
    if start < end {
        shards.push(start..end);
    }
    shards
}

/// True for a share `weight / mean` of all ids.
fn ends_shard(id: &str, weight: u64, mean: u64) -> bool {
    u128::from(term_hash(id.as_bytes())) * u128::from(mean) < u128::from(weight) << 64
}

#[cfg(test)]
mod tests {
    use super::cut;

    fn ids(n: usize) -> Vec<String> {
        (0..n).map(|i| format!("item-{i:05}")).collect()
    }

    #[test]
    fn shards_cover_all_items_in_order() {
        let ids = ids(5000);
        let shards = cut(ids.iter().map(|id| (id.as_str(), 10)), 640);
        assert_eq!(shards.iter().flat_map(Clone::clone).collect::<Vec<_>>(), (0..5000).collect::<Vec<_>>());
        assert!(shards.iter().all(|shard| shard.len() <= 256));
        assert!((40..200).contains(&shards.len()), "{}", shards.len());
        assert!(cut(std::iter::empty(), 640).is_empty());
    }

    #[test]
    fn a_new_item_changes_one_shard_only() {
        let before = ids(5000);
        let mut after = before.clone();
        after.insert(2500, "item-02499-new".into());
        let contents = |ids: &[String]| -> std::collections::BTreeSet<Vec<String>> {
            cut(ids.iter().map(|id| (id.as_str(), 10)), 640)
                .into_iter()
                .map(|shard| ids[shard].to_vec())
                .collect()
        };
        let changed = contents(&after).difference(&contents(&before)).count();
        assert!((1..=2).contains(&changed), "{changed}");
    }
}
