//! Groups, usually speakers, as items: the mean of each feature over a group's items, and how sure it is that a group is unlike the rest.

use std::collections::BTreeMap;

use super::features::FeatureTable;
use crate::math::distribution::{normal_two_sided, student_975};
use crate::math::statistics::{benjamini_hochberg, is_constant, mean, population_sd};

/// The mean of a feature over the items of a group. Statistics are `None` where the group has no value, or too few.
#[derive(Debug, Clone, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct GroupMean {
    /// Label of the group.
    pub group: String,
    /// Where the feature stands, such as `text` or `audio`.
    pub side: String,
    /// Name of the feature.
    pub feature: String,
    /// Items of the group that have it.
    pub n: u32,
    /// Their mean.
    pub mean: Option<f64>,
    /// Their standard deviation, divided by n - 1.
    pub sd: Option<f64>,
    /// Lower end of the 95 % interval of the mean (Student's t).
    pub ci_low: Option<f64>,
    /// Upper end of it.
    pub ci_high: Option<f64>,
    /// Two-sided p for a group that is like all others.
    pub p: Option<f64>,
    /// The p adjusted for all rows of the table (Benjamini and Hochberg 1995).
    pub q: Option<f64>,
}

/// Items by the label of their group, in order of labels; items without a label belong to none.
#[must_use]
pub fn members_by_label<'l>(labels: &[Option<&'l str>]) -> BTreeMap<&'l str, Vec<usize>> {
    let mut members: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (item, label) in labels.iter().enumerate() {
        if let Some(label) = label {
            members.entry(label).or_default().push(item);
        }
    }
    members
}

/// The mean of each feature over each group, by group, then side, then feature. `sides` are tables of the same items with
/// the name of each.
///
/// The interval is Student's, `mean ± t(0.975, n - 1) sd / sqrt(n)`. p is for the hypothesis that the group's items are drawn
/// at random from all items that have the feature: the mean of such a draw without replacement has the variance
/// `s² (1 / n) (N - n) / (N - 1)`, s² the population variance of all N, and is about normal (Hoeffding 1951): what
/// permutations of the labels would give.
#[must_use]
pub fn group_means(sides: &[(&str, &FeatureTable)], labels: &[Option<&str>]) -> Vec<GroupMean> {
    let mut table = Vec::new();
    for (group, members) in members_by_label(labels) {
        for (side, features) in sides {
            for (name, column) in features.names.iter().zip(&features.columns) {
                let mut row = of_group(column, &members);
                (row.group, row.side, row.feature) = (group.to_owned(), (*side).to_owned(), name.clone());
                table.push(row);
            }
        }
    }
    let q = benjamini_hochberg(&table.iter().map(|row| row.p).collect::<Vec<_>>());
    table.iter_mut().zip(q).for_each(|(row, q)| row.q = q);
    table
}

fn of_group(column: &[f64], members: &[usize]) -> GroupMean {
    let present =
        |values: &mut dyn Iterator<Item = f64>| -> Vec<f64> { values.filter(|v| v.is_finite()).collect() };
    let own = present(&mut members.iter().map(|&item| column[item]));
    let all = present(&mut column.iter().copied());
    let n = own.len() as f64;
    let centre = mean(&own);
    let sd = population_sd(&own).filter(|_| own.len() > 1).map(|sd| sd * (n / (n - 1.0)).sqrt());
    let half = sd.map(|sd| student_975(own.len() as u64 - 1) * sd / n.sqrt());
    let ends = centre.zip(half);
    GroupMean {
        n: own.len() as u32,
        mean: centre,
        sd,
        ci_low: ends.map(|(centre, half)| centre - half),
        ci_high: ends.map(|(centre, half)| centre + half),
        p: centre.and_then(|centre| against_all(centre, n, &all)),
        ..GroupMean::default()
    }
}

/// The p of a mean of `n` items among all; `None` where these are all, or all the same.
fn against_all(centre: f64, n: f64, all: &[f64]) -> Option<f64> {
    let count = all.len() as f64;
    if n >= count || is_constant(all) {
        return None;
    }
    let (middle, sd) = (mean(all)?, population_sd(all)?);
    let error = sd * ((count - n) / (n * (count - 1.0))).sqrt();
    Some(normal_two_sided((centre - middle) / error)).filter(|p| p.is_finite())
}

/// The groups as items: a row a group, in order of labels, with the mean of each feature over its items that have it (NaN where none
/// has).
#[must_use]
pub fn as_items(features: &FeatureTable, labels: &[Option<&str>]) -> FeatureTable {
    let members = members_by_label(labels);
    let mut means = FeatureTable::default();
    for (name, column) in features.names.iter().zip(&features.columns) {
        let of = |members: &Vec<usize>| {
            let values: Vec<f64> =
                members.iter().map(|&i| column[i]).filter(|value| value.is_finite()).collect();
            mean(&values).unwrap_or(f64::NAN)
        };
        means.push(name.clone(), members.values().map(of).collect());
    }
    means
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::random::Stream;

    fn one(name: &str, column: Vec<f64>) -> FeatureTable {
        let mut table = FeatureTable::default();
        table.push(name, column);
        table
    }

    /// scipy 1.17.1: `ttest_1samp([1, 2, 4], 0).confidence_interval()`; p by the formula.
    #[test]
    fn means_and_intervals_are_the_textbooks() {
        let features = one("x", vec![1.0, 5.0, 2.0, 6.0, 4.0, f64::NAN, 9.0]);
        let labels = [Some("a"), Some("b"), Some("a"), Some("b"), Some("a"), Some("b"), None];
        let table = group_means(&[("audio", &features)], &labels);
        assert_eq!(
            table.iter().map(|row| (row.group.as_str(), row.n)).collect::<Vec<_>>(),
            [("a", 3), ("b", 2)]
        );
        let (low, high) = (table[0].ci_low.unwrap(), table[0].ci_high.unwrap());
        assert!(
            (low + 1.461_249_700_263_425_5).abs() < 1e-8 && (high - 6.127_916_366_930_092_5).abs() < 1e-8,
            "{low} {high}"
        );
        // Six values with mean 4.5 and population variance 41.5 / 6, three of them drawn.
        let z = (7.0 / 3.0 - 4.5) / (41.5 / 6.0 / 3.0 * 3.0 / 5.0_f64).sqrt();
        assert!((table[0].p.unwrap() - normal_two_sided(z)).abs() < 1e-12);
        assert!(group_means(&[("audio", &features)], &[Some("a"); 7])[0].p.is_none());
        assert!(group_means(&[("audio", &features)], &[None; 7]).is_empty());
    }

    #[test]
    fn groups_dealt_at_random_are_rarely_unlike_the_rest() {
        let mut found = 0;
        for corpus in 0..300 {
            let mut stream = Stream::new(9, "groups", corpus);
            let features = one("x", (0..60).map(|_| stream.unit_f64()).collect());
            let labels: Vec<Option<&str>> = (0..60).map(|i| Some(["a", "b", "c", "d"][i % 4])).collect();
            found +=
                group_means(&[("text", &features)], &labels).iter().filter(|r| r.p.unwrap() < 0.05).count();
        }
        let share = f64::from(u32::try_from(found).unwrap()) / 1200.0;
        assert!((0.03..0.07).contains(&share), "{share}");
    }

    #[test]
    fn groups_become_items() {
        let features = one("x", vec![1.0, 3.0, f64::NAN, 7.0]);
        let means = as_items(&features, &[Some("b"), Some("b"), Some("a"), Some("c")]);
        assert!(means.columns[0][0].is_nan());
        assert_eq!(means.columns[0][1..], [2.0, 7.0]);
    }
}
