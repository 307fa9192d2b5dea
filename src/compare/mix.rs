//! The mix of groups: how large a share of the items each group, usually a speaker, has on two sides.

use std::collections::BTreeMap;

use serde::Serialize;

use super::relabelling::Sides;

/// How the mix differs.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct MixShift {
    /// Groups by how much their share differs, the most first.
    pub groups: Vec<GroupShare>,
    /// The log-likelihood ratio of the table of groups by sides.
    pub g2: f64,
    /// Half the sum of the differences of shares: 0 for the same mix, 1 for no group in common.
    pub total_variation: f64,
    /// How often items that change sides at random give as large a `g2`.
    pub p: f64,
}

/// A group's items on either side.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct GroupShare {
    /// The group.
    pub group: String,
    /// Items on the reference's side.
    pub reference: u32,
    /// Items on the target's side.
    pub target: u32,
}

/// Holds the mix of the target's items against that of the others; items without a group do not count. `None` where there
/// are not two groups, or nothing on one side.
///
/// A group that has one item only can be on one side only, and where all do, every relabelling gives the same: p is 1.
#[must_use]
pub fn mix_shift(target: &[bool], groups: &[Option<String>], relabellings: usize) -> Option<MixShift> {
    let named: Vec<(&str, bool)> =
        groups.iter().zip(target).filter_map(|(group, &target)| Some((group.as_deref()?, target))).collect();
    let mut numbers: BTreeMap<&str, usize> = named.iter().map(|(group, _)| (*group, 0)).collect();
    numbers.values_mut().enumerate().for_each(|(i, number)| *number = i);
    let of_item: Vec<usize> = named.iter().map(|(group, _)| numbers[group]).collect();
    let sides = Sides::new(named.iter().map(|(_, target)| *target).collect());
    let on_target = sides.target().iter().filter(|target| **target).count();
    if numbers.len() < 2 || on_target == 0 || on_target == named.len() {
        return None;
    }
    let mut all = vec![0.0; numbers.len()];
    for &group in &of_item {
        all[group] += 1.0;
    }
    let observed = counts(&of_item, all.len(), |item| f64::from(u8::from(sides.target()[item])));
    let g2_observed = g2(&observed, &all);
    let mut reached = 0;
    for first in (0..relabellings).step_by(64) {
        let labels = sides.relabelled(0, first);
        reached += (0..64.min(relabellings - first))
            .filter(|&column| {
                let counts = counts(&of_item, all.len(), |item| f64::from(labels[item][column]));
                g2(&counts, &all) >= g2_observed * (1.0 - 1e-9)
            })
            .count();
    }
    let rest = (named.len() - on_target) as f64;
    let difference =
        |group: usize| observed[group] / on_target as f64 - (all[group] - observed[group]) / rest;
    let mut order: Vec<usize> = (0..all.len()).collect();
    order.sort_by(|&a, &b| difference(b).abs().total_cmp(&difference(a).abs()).then(a.cmp(&b)));
    let names: Vec<&str> = numbers.into_keys().collect();
    let share = |&group: &usize| GroupShare {
        group: names[group].to_owned(),
        reference: (all[group] - observed[group]) as u32,
        target: observed[group] as u32,
    };
    Some(MixShift {
        groups: order.iter().map(share).collect(),
        g2: g2_observed,
        total_variation: order.iter().map(|&group| difference(group).abs()).sum::<f64>() / 2.0,
        p: (1 + reached) as f64 / (1 + relabellings) as f64,
    })
}

fn counts(of_item: &[usize], groups: usize, label: impl Fn(usize) -> f64) -> Vec<f64> {
    let mut counts = vec![0.0; groups];
    of_item.iter().enumerate().for_each(|(item, &group)| counts[group] += label(item));
    counts
}

/// `2 Σ O ln(O / E)` over both sides.
fn g2(on_target: &[f64], all: &[f64]) -> f64 {
    let (items, target): (f64, f64) = (all.iter().sum(), on_target.iter().sum());
    let cell = |observed: f64, expected: f64| {
        if observed > 0.0 { observed * libm::log(observed / expected) } else { 0.0 }
    };
    let group = |(&here, &all): (&f64, &f64)| {
        cell(here, all * target / items) + cell(all - here, all * (items - target) / items)
    };
    2.0 * on_target.iter().zip(all).map(group).sum::<f64>()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::random::Stream;

    fn speakers(items: u32, of: impl Fn(u32) -> u32) -> Vec<Option<String>> {
        (0..items).map(|item| Some(format!("s{}", of(item)))).collect()
    }

    /// scipy 1.17.1: `chi2_contingency([[10, 0, 5], [5, 5, 5]], lambda_="log-likelihood")`.
    #[test]
    fn equals_scipy() {
        assert!((g2(&[5.0, 5.0, 5.0], &[15.0, 5.0, 10.0]) - SCIPY).abs() < 1e-12);
    }

    const SCIPY: f64 = 8.630_462_173_553_425;

    #[test]
    fn a_planted_mix_is_found() {
        let groups = speakers(120, |item| if item < 60 { item % 4 } else { item % 6 % 4 });
        let target: Vec<bool> = (0..120).map(|item| item >= 60).collect();
        let mix = mix_shift(&target, &groups, 999).unwrap();
        assert_eq!(mix.groups.len(), 4);
        // One part in three each of two speakers, one in six each of the others, against a quarter each.
        assert!((mix.total_variation - 1.0 / 6.0).abs() < 1e-9, "{mix:?}");
        let groups = speakers(120, |item| if item < 60 { item % 4 } else { item % 4 / 2 * 3 });
        let mix = mix_shift(&target, &groups, 999).unwrap();
        assert!(mix.p <= 0.001 + 1e-9 && (mix.total_variation - 0.5).abs() < 1e-9, "{mix:?}");
    }

    #[test]
    fn random_halves_alarm_at_the_rate_that_was_asked_for() {
        let groups = speakers(60, |item| item % 5);
        let alarms = (0..200).filter(|&item| {
            let mut target: Vec<bool> = (0..60).map(|i| i < 30).collect();
            Stream::new(item, "halves", 0).shuffle(&mut target);
            mix_shift(&target, &groups, 199).unwrap().p <= 0.05
        });
        let alarms = alarms.count();
        assert!((2..=20).contains(&alarms), "{alarms} of 200 at the level 0.05");
    }

    #[test]
    fn groups_of_one_say_nothing() {
        let target: Vec<bool> = (0..10).map(|item| item >= 5).collect();
        assert_eq!(mix_shift(&target, &speakers(10, |item| item), 99).unwrap().p, 1.0);
        assert_eq!(mix_shift(&target, &speakers(10, |_| 1), 99), None);
        assert_eq!(mix_shift(&[false; 10], &speakers(10, |item| item), 99), None);
    }
}
