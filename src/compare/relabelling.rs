//! Two sides of items, and how often chance alone would set them as far apart: the items change sides at random.
//!
//! The null hypothesis is that the items (documents, recordings, speakers) of both sides come from one source, whatever stands
//! together within an item. Under it every relabelling is as likely as the one observed, so that the test holds its level
//! at any size and for any distribution (Fisher 1935). All columns share each relabelling. The largest statistic of a
//! relabelling, held against the largest one observed, gives one p for the question whether anything differs at all, which is
//! exact however the columns hang together (Westfall and Young 1993, maxT).

use rayon::prelude::*;

use super::groups::permute;
use super::resampling::PermutationTail;
use crate::math::random::Stream;
use crate::math::statistics::benjamini_hochberg;

/// Relabellings that are worked on at once.
const AT_ONCE: usize = 64;
/// A relabelled statistic within this share of the observed one counts as reaching it: sums run in another order.
const TOLERANCE: f64 = 1e-6;
/// No p is smaller.
const LEAST_P: f64 = 1e-300;

/// Which items are on the target's side, and which of them may change places.
#[derive(Debug, Clone)]
pub struct Sides {
    target: Vec<bool>,
    strata: Vec<Vec<u32>>,
    /// By item: `nA nB / (n (n - 1))` of its stratum, which turns squares of scores into a variance.
    spread: Vec<f64>,
}

impl Sides {
    /// All items may change places.
    #[must_use]
    pub fn new(target: Vec<bool>) -> Self {
        let all = (0..target.len() as u32).collect();
        Self::within(target, vec![all])
    }

    /// Items change places within the strata alone; an item in no stratum stays on its side.
    ///
    /// # Panics
    /// Where a stratum names an item that is not there.
    #[must_use]
    pub fn within(target: Vec<bool>, strata: Vec<Vec<u32>>) -> Self {
        let mut spread = vec![0.0; target.len()];
        for stratum in &strata {
            let (n, on_target) = (stratum.len() as f64, on_target(stratum, &target) as f64);
            if stratum.len() > 1 {
                let value = (n - on_target) * on_target / (n * (n - 1.0));
                for &item in stratum {
                    spread[item as usize] = value;
                }
            }
        }
        Self { target, strata, spread }
    }

    /// Number of items.
    #[must_use]
    pub fn items(&self) -> usize {
        self.target.len()
    }

    /// Whether each item is on the target's side.
    #[must_use]
    pub fn target(&self) -> &[bool] {
        &self.target
    }

    /// The items that may change places with one another.
    #[must_use]
    pub fn strata(&self) -> &[Vec<u32>] {
        &self.strata
    }

    /// The natural logarithm of the number of different relabellings.
    #[must_use]
    pub fn log_relabellings(&self) -> f64 {
        let factorial = |n: usize| libm::lgamma(n as f64 + 1.0);
        let of = |stratum: &Vec<u32>| {
            let on_target = on_target(stratum, &self.target);
            factorial(stratum.len()) - factorial(on_target) - factorial(stratum.len() - on_target)
        };
        self.strata.iter().map(of).sum()
    }

    /// The least p that a test of these sides can give.
    #[must_use]
    pub fn least_p(&self) -> f64 {
        libm::exp(-self.log_relabellings()).max(LEAST_P)
    }

    /// Who is on the target's side in relabellings `first..first + AT_ONCE`: a row an item, a column a relabelling.
    pub(super) fn relabelled(&self, seed: u64, first: usize) -> Vec<[f32; AT_ONCE]> {
        let mut labels = vec![[0.0; AT_ONCE]; self.items()];
        for (row, &target) in labels.iter_mut().zip(&self.target) {
            *row = [f32::from(u8::from(target)); AT_ONCE];
        }
        let mut order = Vec::new();
        // Positions within the strata laid end to end, since `permute` knows no item that stays.
        let movable: Vec<u32> = self.strata.iter().flatten().copied().collect();
        let mut start = 0_u32;
        let members: Vec<Vec<u32>> = self
            .strata
            .iter()
            .map(|stratum| {
                let range = start..start + stratum.len() as u32;
                start = range.end;
                range.collect()
            })
            .collect();
        #[allow(clippy::needless_range_loop, reason = "a column of rows that are chosen inside")]
        for column in 0..AT_ONCE {
            let mut stream = Stream::new(seed, "relabelling", (first + column) as u64);
            permute(&members, &mut stream, &mut order);
            for (&item, &from) in movable.iter().zip(&order) {
                let target = self.target[movable[from as usize] as usize];
                labels[item as usize][column] = f32::from(u8::from(target));
            }
        }
        labels
    }
}

fn on_target(stratum: &[u32], target: &[bool]) -> usize {
    stratum.iter().filter(|&&item| target[item as usize]).count()
}

/// A column of scores, which sum to zero in every stratum: the score of an item is its entry, 0 where it has none, less
/// `share` times the item's weight.
#[derive(Debug, Clone, Default)]
pub struct Scores {
    /// Items with their entry, each item once.
    pub entries: Vec<(u32, f64)>,
    /// What a unit of weight takes away.
    pub share: f64,
}

/// What came of the relabelling.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Relabelled {
    /// By column: the sum of scores on the target's side in standard deviations over all relabellings; `None` for a column
    /// without spread.
    pub z: Vec<Option<f64>>,
    /// By column: two-sided, above zero; with fewer than ten exceedances from a fitted tail (Knijnenburg et al. 2009).
    pub p: Vec<Option<f64>>,
    /// By column: how often the largest |z| of a relabelling, over all columns, reaches that of this column: the p adjusted
    /// for the whole family.
    pub p_family: Vec<Option<f64>>,
    /// How often the largest |z| of a relabelling reaches the largest one observed; `None` where no column has a z.
    pub p_any: Option<f64>,
}

/// Relabels the items `relabellings` times. `weights` is a weight for each item, or empty where no score has a share.
#[must_use]
pub fn relabel(
    sides: &Sides,
    weights: &[f64],
    columns: &[Scores],
    relabellings: usize,
    seed: u64,
) -> Relabelled {
    let weight = |item: usize| weights.get(item).copied().unwrap_or(0.0);
    let spread_of_weights: f64 =
        (0..sides.items()).map(|item| sides.spread[item] * weight(item) * weight(item)).sum();
    let weight_on_target: f64 = (0..sides.items()).filter(|&i| sides.target[i]).map(weight).sum();
    let judged: Vec<Option<(f64, f64)>> = columns
        .par_iter()
        .map(|column| {
            let (mut sum, mut variance) =
                (-column.share * weight_on_target, column.share * column.share * spread_of_weights);
            for &(item, entry) in &column.entries {
                let item = item as usize;
                variance += sides.spread[item] * entry * (entry - 2.0 * column.share * weight(item));
                sum += if sides.target[item] { entry } else { 0.0 };
            }
            let sd = variance.max(0.0).sqrt();
            (sd > 1e-9).then_some((sum / sd, sd))
        })
        .collect();
    let mut tails: Vec<PermutationTail> = judged
        .iter()
        .map(|judged| {
            PermutationTail::new(judged.map_or(f64::INFINITY, |(z, _)| z.abs() * (1.0 - TOLERANCE)))
        })
        .collect();
    let mut largest = Vec::with_capacity(relabellings);
    for first in (0..relabellings).step_by(AT_ONCE) {
        let labels = sides.relabelled(seed, first);
        let used = AT_ONCE.min(relabellings - first);
        largest.extend_from_slice(&one_block(&labels, weights, columns, &judged, &mut tails, used)[..used]);
    }
    largest.sort_by(f64::total_cmp);
    let least = sides.least_p();
    let family = |z: f64| {
        let below = largest.partition_point(|&most| most < z.abs() * (1.0 - TOLERANCE));
        ((1 + largest.len() - below) as f64 / (1 + largest.len()) as f64).clamp(least, 1.0)
    };
    let own = tails.into_iter().zip(&judged).map(|(tail, judged)| {
        let (z, _) = (*judged)?;
        Some(tail.p(z, 1.0, relabellings as u32).clamp(least, 1.0))
    });
    let p_family: Vec<Option<f64>> = judged.iter().map(|judged| judged.map(|(z, _)| family(z))).collect();
    Relabelled {
        p: own.collect(),
        p_any: p_family.iter().flatten().copied().reduce(f64::min),
        p_family,
        z: judged.iter().map(|judged| judged.map(|(z, _)| z)).collect(),
    }
}

impl Relabelled {
    /// By column: the q of Benjamini and Hochberg 1995, or the p adjusted for the whole family where that is smaller, as it
    /// is where few relabellings leave the single p coarse.
    #[must_use]
    pub fn q(&self) -> Vec<Option<f64>> {
        let q = benjamini_hochberg(&self.p);
        q.iter().zip(&self.p_family).map(|(q, p)| Some(q.as_ref()?.min(*p.as_ref()?))).collect()
    }
}

/// The largest |z| of each relabelling of the block, which the tails of the columns are told too.
fn one_block(
    labels: &[[f32; AT_ONCE]],
    weights: &[f64],
    columns: &[Scores],
    judged: &[Option<(f64, f64)>],
    tails: &mut [PermutationTail],
    used: usize,
) -> [f64; AT_ONCE] {
    let mut weight_on_target = [0.0; AT_ONCE];
    for (row, &weight) in labels.iter().zip(weights) {
        add(&mut weight_on_target, row, weight);
    }
    tails
        .par_iter_mut()
        .zip(columns.par_iter().zip(judged))
        .filter_map(|(tail, (column, judged))| {
            let (_, sd) = (*judged)?;
            let mut sums = weight_on_target.map(|weight| -column.share * weight);
            for &(item, entry) in &column.entries {
                add(&mut sums, &labels[item as usize], entry);
            }
            let magnitudes = sums.map(|sum| sum.abs() / sd);
            for &z in &magnitudes[..used] {
                tail.push(z as f32);
            }
            Some(magnitudes)
        })
        // The maximum does not depend on the order in which it is taken.
        .reduce(|| [0.0; AT_ONCE], |a, b| std::array::from_fn(|i| f64::max(a[i], b[i])))
}

fn add(sums: &mut [f64; AT_ONCE], row: &[f32; AT_ONCE], times: f64) {
    for (sum, &label) in sums.iter_mut().zip(row) {
        *sum += times * f64::from(label);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scores(values: &[f64]) -> Scores {
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        Scores { entries: (0..).zip(values.iter().map(|value| value - mean)).collect(), share: 0.0 }
    }

    /// The definition: all ways to choose the target's side, one at a time.
    #[test]
    fn equals_the_enumeration_of_all_relabellings() {
        let values = [3.0, 1.0, 4.0, 1.5, 9.0, 2.6, 5.0, 3.5];
        let sum_of = |chosen: u32| (0..8).filter(|i| chosen >> i & 1 == 1).map(|i| values[i]).sum::<f64>();
        let choices: Vec<u32> = (0..256_u32).filter(|chosen| chosen.count_ones() == 3).collect();
        let observed = 0b0101_0100;
        let mean = 3.0 * values.iter().sum::<f64>() / 8.0;
        let reached =
            |chosen: &&u32| (sum_of(**chosen) - mean).abs() >= (sum_of(observed) - mean).abs() - 1e-9;
        let exact = choices.iter().filter(reached).count() as f64 / choices.len() as f64;
        let deviations = choices.iter().map(|&chosen| (sum_of(chosen) - mean).powi(2)).sum::<f64>();
        let sd = (deviations / choices.len() as f64).sqrt();
        let sides = Sides::new((0..8).map(|i| observed >> i & 1 == 1).collect());
        let found = relabel(&sides, &[], &[scores(&values)], 20_000, 0);
        assert!((found.z[0].unwrap() - (sum_of(observed) - mean) / sd).abs() < 1e-12);
        assert!((found.p[0].unwrap() - exact).abs() < 0.015, "{found:?} is not {exact}");
        assert!((libm::exp(sides.log_relabellings()) - 56.0).abs() < 1e-9);
    }

    #[test]
    fn a_share_of_the_weight_is_the_same_as_scores_without_one() {
        let (counts, sizes) = ([5.0, 0.0, 2.0, 0.0, 1.0, 4.0], [50.0, 20.0, 40.0, 30.0, 10.0, 50.0]);
        let share = 12.0 / 200.0;
        let with = Scores { entries: (0..6).zip(counts).filter(|(_, count)| *count > 0.0).collect(), share };
        let without = Scores {
            entries: (0..6).zip(counts.iter().zip(sizes).map(|(count, size)| count - share * size)).collect(),
            share: 0.0,
        };
        let sides = Sides::new(vec![true, false, true, false, false, true]);
        let (a, b) = (relabel(&sides, &sizes, &[with], 200, 1), relabel(&sides, &[], &[without], 200, 1));
        assert!((a.z[0].unwrap() - b.z[0].unwrap()).abs() < 1e-12);
        assert_eq!(a.p_any, b.p_any);
    }

    #[test]
    fn items_change_places_within_their_stratum_alone() {
        let target = vec![true, true, false, false, true, false, true];
        let sides = Sides::within(target, vec![vec![0, 2, 3], vec![1, 5]]);
        for row in sides.relabelled(4, 64).iter().enumerate().filter(|(i, _)| [4, 6].contains(i)) {
            assert_eq!(row.1, &[1.0; AT_ONCE]);
        }
        let labels = sides.relabelled(4, 0);
        #[allow(clippy::needless_range_loop, reason = "a column of rows that are chosen inside")]
        for column in 0..AT_ONCE {
            assert_eq!(labels[0][column] + labels[2][column] + labels[3][column], 1.0);
            assert_eq!(labels[1][column] + labels[5][column], 1.0);
        }
    }

    #[test]
    fn what_cannot_be_told_is_not_told() {
        let sides = Sides::new(vec![true, false, false]);
        let found = relabel(&sides, &[], &[scores(&[1.0, 1.0, 1.0])], 99, 0);
        assert_eq!((found.z[0], found.p[0], found.p_any), (None, None, None));
        let found = relabel(&sides, &[], &[scores(&[9.0, 1.0, 2.0])], 999, 0);
        assert!(found.p_any.unwrap() >= 1.0 / 3.0 - 1e-9, "one of three cannot be told from chance");
    }
}
