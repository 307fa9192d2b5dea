//! How features differ between two sides of items: effect sizes, and how often chance would set the sides as far apart.
//!
//! The recordings of one speaker are not independent draws. Where a group has items on both sides, its items change sides
//! among themselves, so that a speaker is held against himself; groups with items on one side alone, and items without a
//! group, form one further stratum in which a group is one value, the mean of its items.

use std::collections::BTreeMap;

use serde::Serialize;

use super::features::FeatureTable;
use super::relabelling::{Scores, Sides, relabel};
use crate::math::statistics::{average_ranks, is_constant, mean};

/// How one feature differs.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Shift {
    /// Name of the feature.
    pub feature: String,
    /// Items that have it on the reference's side, and on the target's.
    pub n: (u32, u32),
    /// Mean over the items of the reference's side.
    pub reference_mean: Option<f64>,
    /// Mean over the items of the target's side.
    pub target_mean: Option<f64>,
    /// Difference of the means within strata in standard deviations within sides and strata, corrected for small samples
    /// (Hedges 1981); positive where the target has more.
    pub hedges_g: Option<f64>,
    /// Probability that a value of the target exceeds one of the reference in the same stratum, less the probability of
    /// the opposite (Cliff 1993): -1 to 1.
    pub cliffs_delta: Option<f64>,
    /// Two-sided p of the rank sum within strata (van Elteren 1960), by relabelling.
    pub p: Option<f64>,
    /// The p adjusted for all features, see [`Relabelled::q`](super::relabelling::Relabelled::q).
    pub q: Option<f64>,
}

/// The shifts of all features.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Shifts {
    /// A row a feature, in the order of the table; constant ones are left out.
    pub rows: Vec<Shift>,
    /// The p that any feature differs.
    pub p_any: Option<f64>,
    /// Groups whose items are held against one another; 0 where no group is on both sides.
    pub shared_groups: usize,
    /// Values, of groups or of single items, that are held against one another besides.
    pub further: usize,
}

/// Items as the units that change sides: each unit is a list of items.
struct Units {
    items: Vec<Vec<u32>>,
    sides: Sides,
    shared_groups: usize,
    further: usize,
}

impl Units {
    fn new(target: &[bool], groups: &[Option<String>]) -> Self {
        let mut by_group: BTreeMap<&str, Vec<u32>> = BTreeMap::new();
        let mut rest = Vec::new();
        for (item, group) in (0..).zip(groups) {
            match group {
                Some(group) => by_group.entry(group).or_default().push(item),
                None => rest.push(vec![item]),
            }
        }
        let is_shared = |items: &Vec<u32>| {
            let on_target = items.iter().filter(|&&item| target[item as usize]).count();
            on_target > 0 && on_target < items.len()
        };
        let (shared, alone): (Vec<Vec<u32>>, Vec<Vec<u32>>) = by_group.into_values().partition(is_shared);
        rest.extend(alone);
        let (shared_groups, further) = (shared.len(), rest.len());
        let mut items = Vec::new();
        let mut strata = Vec::new();
        for group in shared {
            strata.push((items.len() as u32..(items.len() + group.len()) as u32).collect());
            items.extend(group.into_iter().map(|item| vec![item]));
        }
        strata.push((items.len() as u32..(items.len() + rest.len()) as u32).collect());
        items.extend(rest);
        let of_unit = items.iter().map(|unit| target[unit[0] as usize]).collect();
        Self { items, sides: Sides::within(of_unit, strata), shared_groups, further }
    }

    /// A unit's mean of the values that are there; NaN where none is.
    fn values(&self, column: &[f64]) -> Vec<f64> {
        let mean_of = |unit: &Vec<u32>| {
            let values = unit.iter().map(|&item| column[item as usize]);
            mean(&values.filter(|value| value.is_finite()).collect::<Vec<f64>>()).unwrap_or(f64::NAN)
        };
        self.items.iter().map(mean_of).collect()
    }
}

/// Holds the target's items against the others, feature by feature. `groups` is the group of each item.
///
/// # Panics
/// Where `target` or `groups` are not as long as the features' columns.
#[must_use]
pub fn shifts(
    features: &FeatureTable,
    target: &[bool],
    groups: &[Option<String>],
    relabellings: usize,
) -> Shifts {
    let units = Units::new(target, groups);
    let mut rows = Vec::new();
    let mut columns = Vec::new();
    for (name, column) in features.names.iter().zip(&features.columns) {
        let present: Vec<f64> = column.iter().copied().filter(|value| value.is_finite()).collect();
        if is_constant(&present) {
            continue;
        }
        let values = units.values(column);
        let (scores, cliffs_delta) = rank_scores(&values, &units.sides);
        let side = |wanted: bool| -> Vec<f64> {
            let items =
                column.iter().zip(target).filter(|(value, side)| value.is_finite() && **side == wanted);
            items.map(|(value, _)| *value).collect()
        };
        let (reference, on_target) = (side(false), side(true));
        rows.push(Shift {
            feature: name.clone(),
            n: (reference.len() as u32, on_target.len() as u32),
            reference_mean: mean(&reference),
            target_mean: mean(&on_target),
            hedges_g: hedges_g(&values, &units.sides),
            cliffs_delta,
            p: None,
            q: None,
        });
        columns.push(scores);
    }
    let found = relabel(&units.sides, &[], &columns, relabellings, 0);
    let q = found.q();
    for ((row, p), q) in rows.iter_mut().zip(found.p).zip(q) {
        (row.p, row.q) = (p, q);
    }
    let (shared_groups, further) = (units.shared_groups, units.further);
    Shifts { rows, p_any: found.p_any, shared_groups, further }
}

/// The values of a stratum that are there, with their items, and how many of them are the target's.
fn present(values: &[f64], stratum: &[u32], target: &[bool]) -> (Vec<u32>, Vec<f64>, usize) {
    let items: Vec<u32> = stratum.iter().copied().filter(|&item| values[item as usize].is_finite()).collect();
    let values = items.iter().map(|&item| values[item as usize]).collect();
    let on_target = items.iter().filter(|&&item| target[item as usize]).count();
    (items, values, on_target)
}

/// Centred ranks over `n + 1` in each stratum (van Elteren's weights), and Cliff's delta over all strata.
fn rank_scores(values: &[f64], sides: &Sides) -> (Scores, Option<f64>) {
    let mut scores = Scores::default();
    let (mut above, mut pairs) = (0.0, 0.0);
    for stratum in sides.strata() {
        let (items, values, on_target) = present(values, stratum, sides.target());
        let n = items.len() as f64;
        let (here, there) = (on_target as f64, n - on_target as f64);
        let ranks = average_ranks(&values);
        for (&item, rank) in items.iter().zip(&ranks) {
            let centred = rank - f64::midpoint(n, 1.0);
            scores.entries.push((item, centred / (n + 1.0)));
            if sides.target()[item as usize] {
                above += centred;
            }
        }
        pairs += here * there;
    }
    (scores, (pairs > 0.0).then(|| 2.0 * above / pairs))
}

fn hedges_g(values: &[f64], sides: &Sides) -> Option<f64> {
    let (mut difference, mut weights, mut squares, mut freedom) = (0.0, 0.0, 0.0, 0.0);
    for stratum in sides.strata() {
        let (items, values, _) = present(values, stratum, sides.target());
        let side = |wanted: bool| -> Vec<f64> {
            let of_side =
                items.iter().zip(&values).filter(|(item, _)| sides.target()[**item as usize] == wanted);
            of_side.map(|(_, value)| *value).collect()
        };
        let (a, b) = (side(false), side(true));
        let (Some(mean_a), Some(mean_b)) = (mean(&a), mean(&b)) else { continue };
        let weight = (a.len() * b.len()) as f64 / (a.len() + b.len()) as f64;
        difference += weight * (mean_b - mean_a);
        weights += weight;
        squares += a.iter().map(|value| (value - mean_a).powi(2)).sum::<f64>();
        squares += b.iter().map(|value| (value - mean_b).powi(2)).sum::<f64>();
        freedom += (a.len() + b.len()) as f64 - 2.0;
    }
    let sd = (squares / freedom).sqrt();
    let small_sample = 1.0 - 3.0 / (4.0 * freedom - 1.0);
    (freedom >= 1.0 && sd > 0.0).then(|| difference / weights / sd * small_sample)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::random::Stream;

    fn table(columns: &[&[f64]]) -> FeatureTable {
        let mut table = FeatureTable::default();
        for (i, column) in columns.iter().enumerate() {
            table.push(format!("f{i}"), column.to_vec());
        }
        table
    }

    /// scipy 1.17.1 and the formulas: Cliff's delta is `2 U / (n m) - 1` with `scipy.stats.mannwhitneyu(b, a)`; Hedges' g of
    /// `a = [1, 2, 3, 4]`, `b = [3, 4, 5, 6, 7]` is `(5 - 2.5) / sqrt((5 + 10) / 7) (1 - 3 / 27)`.
    #[test]
    fn equals_a_worked_example() {
        let values = [1.0, 2.0, 3.0, 4.0, 3.0, 4.0, 5.0, 6.0, 7.0];
        let target: Vec<bool> = (0..9).map(|i| i >= 4).collect();
        let found = shifts(&table(&[&values, &[2.0; 9]]), &target, &[const { None }; 9], 999);
        assert_eq!(found.rows.len(), 1, "a constant feature is left out");
        let row = &found.rows[0];
        assert!((row.cliffs_delta.unwrap() - (2.0 * 18.0 / 20.0 - 1.0)).abs() < 1e-12, "{row:?}");
        let g = 2.5 / (15.0_f64 / 7.0).sqrt() * (1.0 - 3.0 / 27.0);
        assert!((row.hedges_g.unwrap() - g).abs() < 1e-12, "{row:?}");
        assert_eq!((row.n, row.reference_mean, row.target_mean), ((4, 5), Some(2.5), Some(5.0)));
        // Of the 126 ways to choose five, those as far out: counted with scipy's exact permutation_test.
        assert!((row.p.unwrap() - 8.0 / 126.0).abs() < 0.03, "{row:?}");
    }

    fn recordings(
        speakers: u64,
        each: u64,
        louder: impl Fn(u64, u64) -> f64,
        item: u64,
    ) -> (Vec<Vec<f64>>, Vec<Option<String>>) {
        let mut columns = vec![Vec::new(); 20];
        let mut groups = Vec::new();
        for speaker in 0..speakers {
            let mut voice = Stream::new(item, "voice", speaker);
            let own: Vec<f64> = (0..20).map(|_| 4.0 * voice.unit_f64()).collect();
            for take in 0..each {
                groups.push(Some(format!("s{speaker}")));
                let mut stream = Stream::new(item, "take", speaker * 1000 + take);
                for (feature, column) in columns.iter_mut().enumerate() {
                    let noise = (0..4).map(|_| stream.unit_f64() - 0.5).sum::<f64>();
                    let planted = if feature == 7 { louder(speaker, take) } else { 0.0 };
                    column.push(own[feature] + noise + planted);
                }
            }
        }
        (columns, groups)
    }

    fn found(columns: &[Vec<f64>], target: &[bool], groups: &[Option<String>]) -> Shifts {
        let columns: Vec<&[f64]> = columns.iter().map(Vec::as_slice).collect();
        shifts(&table(&columns), target, groups, 199)
    }

    #[test]
    fn a_planted_loudness_is_found_within_speakers() {
        let (columns, groups) = recordings(6, 10, |_, take| if take % 2 == 1 { 1.0 } else { 0.0 }, 1);
        let target: Vec<bool> = (0..60).map(|i| i % 2 == 1).collect();
        let shifts = found(&columns, &target, &groups);
        assert_eq!((shifts.shared_groups, shifts.further), (6, 0));
        assert!(shifts.p_any.unwrap() <= 0.005 + 1e-9, "{:?}", shifts.p_any);
        let significant: Vec<&str> =
            shifts.rows.iter().filter(|row| row.q.unwrap() < 0.05).map(|row| row.feature.as_str()).collect();
        assert_eq!(significant, ["f7"]);
        assert!(shifts.rows[7].hedges_g.unwrap() > 1.0 && shifts.rows[7].cliffs_delta.unwrap() > 0.5);
    }

    /// Speakers differ far more than takes: a test over recordings would alarm nearly always, that over speakers does not.
    #[test]
    fn other_speakers_of_one_population_are_no_shift() {
        let alarms = (0..100).filter(|&item| {
            let (columns, groups) = recordings(12, 5, |_, _| 0.0, 50 + item);
            let target: Vec<bool> = (0..60).map(|i| i >= 30).collect();
            let shifts = found(&columns, &target, &groups);
            assert_eq!((shifts.shared_groups, shifts.further), (0, 12));
            shifts.p_any.unwrap() <= 0.05
        });
        let alarms = alarms.count();
        assert!(alarms <= 12, "{alarms} of 100 at the level 0.05");
    }

    #[test]
    fn random_halves_of_recordings_alarm_at_the_rate_that_was_asked_for() {
        let alarms = (0..200).filter(|&item| {
            let (mut columns, groups) = recordings(4, 10, |_, _| 0.0, 500 + item);
            columns[3].iter_mut().step_by(3).for_each(|value| *value = f64::NAN);
            let mut target: Vec<bool> = (0..40).map(|i| i % 2 == 0).collect();
            Stream::new(item, "halves", 0).shuffle(&mut target);
            found(&columns, &target, &groups).p_any.unwrap() <= 0.05
        });
        let alarms = alarms.count();
        assert!((2..=20).contains(&alarms), "{alarms} of 200 at the level 0.05");
    }
}
