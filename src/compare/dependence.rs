//! What costs too much for every pair of features, of the strongest pairs: `BCa` intervals, distance correlation, mutual
//! information and partial correlation.

use std::collections::BTreeMap;

use rayon::prelude::*;

use super::Resampling;
use super::accelerated::bca_interval;
use super::correlations::{Correlation, unit};
use super::distance_correlation::DistanceColumn;
use super::features::FeatureTable;
use super::groups::{Groups, log_permutations, permute};
use super::jackknife::{Scale, jackknife_interval, rank_correlation_interval};
use super::mutual_information::{ScaledColumn, mutual_information};
use super::partial::Controls;
use super::ranking::{RankedColumn, ResampledColumn};
use super::resampling::{LEAST_P, PermutationTail, Tile};
use super::spaces::chosen;
use crate::math::random::Stream;
use crate::math::statistics::{ascending, benjamini_hochberg, pearson, spearman};

/// Pairs of features that the costly measures are taken of.
pub const STRONGEST: usize = 200;
/// Items that distance correlation and mutual information take at most.
const SAMPLED_ITEMS: usize = 1000;
/// Blocks of items that are left out for an interval of the last two. A bootstrap would draw items twice, and nearest neighbours at
/// distance zero are no information.
pub const BLOCKS: usize = 40;
/// With fewer items nothing is stated.
const FEWEST_ITEMS: usize = 8;
/// Permuted values that lie this near the observed one count as reaching it.
const TOLERANCE: f64 = 1e-9;

/// An estimate with its permutation p and the p adjusted for all pairs of the table.
#[derive(Debug, Clone, Copy, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Tested {
    /// The measure.
    pub estimate: Option<f64>,
    /// Its 95 % interval.
    pub interval: Option<(f64, f64)>,
    /// The permutation p.
    pub p: Option<f64>,
    /// After Benjamini and Hochberg, the pairs that were not measured counted with a p of 1: that they were left out for
    /// being weak makes no q of the others smaller.
    pub q: Option<f64>,
}

/// The costly measures of one pair of features.
#[derive(Debug, Clone, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Dependence {
    /// The 95 % `BCa` bootstrap interval of Spearman's correlation ([`bca_interval`]).
    pub bca: Option<(f64, f64)>,
    /// That of Pearson's.
    pub pearson_bca: Option<(f64, f64)>,
    /// Spearman's correlation beyond the controls ([`Controls`]), p two-sided after Freedman and Lane (1983), interval by Fisher's z
    /// ([`rank_correlation_interval`]).
    pub partial: Tested,
    /// [`DistanceColumn::correlation`], p one-sided, interval by the jackknife over [`BLOCKS`] blocks of items.
    pub distance_correlation: Tested,
    /// [`mutual_information`] in nats, p one-sided, interval as that of the distance correlation.
    pub mutual_information: Tested,
    /// Items that the last two took: all, or a random 1,000.
    pub sampled: u32,
}

/// What is held constant by a partial correlation.
#[derive(Debug, Clone, Default)]
pub struct Control<'a> {
    /// Features of either side, by name; a pair that holds one of them has no partial correlation.
    pub features: &'a [String],
    /// Whether groups are held constant.
    pub groups: bool,
}

/// Adds the costly measures to the [`STRONGEST`] pairs of the table: those of the smallest p, then of the largest correlation.
/// Permutations stay within groups where there are some; p comes from a fitted tail where few permutations exceed, as in
/// [`correlations`](super::correlations::correlations).
///
/// # Panics
/// Where tables or groups have different numbers of items.
pub fn dependences(
    table: &mut [Correlation],
    texts: &FeatureTable,
    sounds: &FeatureTable,
    groups: &Groups,
    control: &Control<'_>,
    resampling: &Resampling,
) {
    let width = sounds.columns.len();
    let controls: Vec<(&String, &Vec<f64>)> = [texts, sounds]
        .iter()
        .flat_map(|table| table.names.iter().zip(&table.columns))
        .filter(|(name, _)| control.features.contains(name))
        .collect();
    let places = strongest(table);
    let of = |kind| intervals(&places, texts, sounds, resampling, kind);
    let intervals: Vec<_> = of(Kind::Spearman).into_iter().zip(of(Kind::Pearson)).collect();
    let measured: Vec<(usize, Dependence)> = places
        .into_par_iter()
        .zip(intervals)
        .map(|(place, (bca, pearson_bca))| {
            let pair = Pair::new(&texts.columns[place / width], &sounds.columns[place % width]);
            let names = [&texts.names[place / width], &sounds.names[place % width]];
            let held = !controls.iter().any(|(name, _)| names.contains(name));
            let partial = held.then(|| pair.partial(&controls, control.groups, groups, resampling));
            let (distance_correlation, mutual_information, sampled) = pair.sampled(groups, resampling);
            let partial = partial.unwrap_or_default();
            (
                place,
                Dependence { bca, pearson_bca, partial, distance_correlation, mutual_information, sampled },
            )
        })
        .collect();
    for (place, dependence) in measured {
        table[place].dependence = Some(dependence);
    }
    adjust(table, |dependence| &mut dependence.partial);
    adjust(table, |dependence| &mut dependence.distance_correlation);
    adjust(table, |dependence| &mut dependence.mutual_information);
}

fn adjust(table: &mut [Correlation], of: impl Fn(&mut Dependence) -> &mut Tested) {
    let p: Vec<Option<f64>> = table
        .iter_mut()
        .map(|row| match &mut row.dependence {
            Some(dependence) => of(dependence).p,
            None => row.p.map(|_| 1.0),
        })
        .collect();
    for (row, q) in table.iter_mut().zip(benjamini_hochberg(&p)) {
        if let Some(dependence) = &mut row.dependence {
            of(dependence).q = q;
        }
    }
}

fn strongest(table: &[Correlation]) -> Vec<usize> {
    let mut places: Vec<(usize, f64, f64)> = table
        .iter()
        .enumerate()
        .filter(|(_, row)| row.n as usize >= FEWEST_ITEMS)
        .filter_map(|(place, row)| Some((place, row.p.unwrap_or(1.0), row.spearman?.abs())))
        .collect();
    places.sort_by(|a, b| a.1.total_cmp(&b.1).then(b.2.total_cmp(&a.2)).then(a.0.cmp(&b.0)));
    places.truncate(STRONGEST);
    places.into_iter().map(|(place, ..)| place).collect()
}

/// Two features over the items that have both.
struct Pair {
    items: Vec<u32>,
    x: Vec<f64>,
    y: Vec<f64>,
}

impl Pair {
    fn new(x: &[f64], y: &[f64]) -> Self {
        let items = both(x, y);
        Self { x: of(x, &items), y: of(y, &items), items }
    }

    fn partial(
        &self,
        controls: &[(&String, &Vec<f64>)],
        hold_groups: bool,
        groups: &Groups,
        resampling: &Resampling,
    ) -> Tested {
        let has = |item: &&u32| controls.iter().all(|(_, column)| column[**item as usize].is_finite());
        let places: Vec<u32> =
            (0..).zip(&self.items).filter(|(_, item)| has(item)).map(|(place, _)| place).collect();
        let items: Vec<u32> = places.iter().map(|&place| self.items[place as usize]).collect();
        if items.len() < FEWEST_ITEMS.max(controls.len() + 3) {
            return Tested::default();
        }
        let members = groups.members(&items);
        let features: Vec<Vec<f64>> = controls.iter().map(|(_, column)| of(column, &items)).collect();
        let together = [(0..items.len() as u32).collect()];
        let controls = Controls::new(&features, if hold_groups { &members } else { &together });
        let residuals =
            controls.residual(&of(&self.x, &places)).zip(controls.residual(&of(&self.y, &places)));
        let Some((x, y)) = residuals else { return Tested::default() };
        let mut tested =
            permuted(&members, resampling, |permutation| Some(controls.permuted(&x, &y, permutation)));
        tested.interval = tested
            .estimate
            .and_then(|r| rank_correlation_interval(r, items.len() as f64, controls.held() as f64));
        tested
    }

    fn sampled(&self, groups: &Groups, resampling: &Resampling) -> (Tested, Tested, u32) {
        let all: Vec<u32> = (0..self.items.len() as u32).collect();
        let places = chosen(&all, SAMPLED_ITEMS, resampling.seed);
        let items: Vec<u32> = places.iter().map(|&place| self.items[place as usize]).collect();
        let members = groups.members(&items);
        let (x, y) = (of(&self.x, &places), of(&self.y, &places));
        let distances = DistanceColumn::new(&x).zip(DistanceColumn::new(&y));
        let scaled = ScaledColumn::new(&x).zip(ScaledColumn::new(&y));
        let mut distance_correlation = permuted(&members, resampling, |permutation| {
            distances.as_ref().map(|(x, y)| x.correlation(y, permutation))
        });
        let mut information = permuted(&members, resampling, |permutation| {
            scaled.as_ref().and_then(|(x, y)| mutual_information(x, y, permutation))
        });
        if resampling.bootstrap > 0 {
            distance_correlation.jackknifed(&x, &y, Scale::Share, |x, y| {
                let unmoved: Vec<u32> = (0..x.len() as u32).collect();
                Some(DistanceColumn::new(x)?.correlation(&DistanceColumn::new(y)?, &unmoved))
            });
            information.jackknifed(&x, &y, Scale::Plain, |x, y| {
                let unmoved: Vec<u32> = (0..x.len() as u32).collect();
                mutual_information(&ScaledColumn::new(x)?, &ScaledColumn::new(y)?, &unmoved)
            });
        }
        (distance_correlation, information, places.len() as u32)
    }
}

impl Tested {
    /// Gives the estimate its interval, from what `measure` finds without each of the blocks.
    fn jackknifed(
        &mut self,
        x: &[f64],
        y: &[f64],
        scale: Scale,
        measure: impl Fn(&[f64], &[f64]) -> Option<f64>,
    ) {
        let blocks = BLOCKS.min(x.len());
        let without = |block: usize| {
            let rest = |values: &[f64]| -> Vec<f64> {
                let kept = values.iter().enumerate().filter(|(item, _)| item % blocks != block);
                kept.map(|(_, value)| *value).collect()
            };
            measure(&rest(x), &rest(y))
        };
        let left_out: Option<Vec<f64>> = (0..blocks).map(without).collect();
        self.interval = self
            .estimate
            .zip(left_out)
            .and_then(|(estimate, left_out)| jackknife_interval(estimate, &left_out, scale));
    }
}

fn of(column: &[f64], items: &[u32]) -> Vec<f64> {
    items.iter().map(|&item| column[item as usize]).collect()
}

/// The measure of the true order and its p among permutations within the groups.
fn permuted(
    members: &[Vec<u32>],
    resampling: &Resampling,
    measure: impl Fn(&[u32]) -> Option<f64>,
) -> Tested {
    let items: usize = members.iter().map(Vec::len).sum();
    let mut permutation: Vec<u32> = (0..items as u32).collect();
    let Some(estimate) = measure(&permutation) else { return Tested::default() };
    let mut tail = PermutationTail::new(estimate.abs() - TOLERANCE);
    for draw in 0..resampling.permutations {
        let mut stream = Stream::new(resampling.seed, "permutation of strong pairs", draw.into());
        permute(members, &mut stream, &mut permutation);
        tail.push(measure(&permutation).unwrap_or(0.0).abs() as f32);
    }
    let least = libm::exp(-log_permutations(members)).max(LEAST_P);
    let p = (resampling.permutations > 0)
        .then(|| tail.p(estimate, 1.0, resampling.permutations).clamp(least, 1.0));
    Tested { estimate: Some(estimate), interval: None, p, q: None }
}

/// The `BCa` interval of each of the pairs at `places`; pairs over the same items share their draws.
fn intervals(
    places: &[usize],
    texts: &FeatureTable,
    sounds: &FeatureTable,
    resampling: &Resampling,
    kind: Kind,
) -> Vec<Option<(f64, f64)>> {
    let width = sounds.columns.len();
    let columns = |place: usize| (&texts.columns[place / width], &sounds.columns[place % width]);
    let mut classes: BTreeMap<Vec<u32>, Vec<usize>> = BTreeMap::new();
    for (i, &place) in places.iter().enumerate() {
        let (x, y) = columns(place);
        classes.entry(both(x, y)).or_default().push(i);
    }
    let mut found = vec![None; places.len()];
    for (items, pairs) in classes {
        let distinct = |of: &dyn Fn(usize) -> usize| {
            let mut columns: Vec<usize> = pairs.iter().map(|&i| of(places[i])).collect();
            columns.sort_unstable();
            columns.dedup();
            columns
        };
        let (text, sound) = (distinct(&|place| place / width), distinct(&|place| place % width));
        let ranked = |table: &FeatureTable, columns: &[usize]| -> Vec<ResampledColumn> {
            columns.iter().map(|&column| kind.column(&of(&table.columns[column], &items))).collect()
        };
        let (ranked_texts, ranked_sounds) = (ranked(texts, &text), ranked(sounds, &sound));
        let tile = Tile { texts: &ranked_texts, sounds: &ranked_sounds, items: items.len(), members: &[] };
        let within = |columns: &[usize], column: usize| columns.partition_point(|&other| other < column);
        let cells: Vec<(usize, usize)> = pairs
            .iter()
            .map(|&i| (within(&text, places[i] / width), within(&sound, places[i] % width)))
            .collect();
        let intervals: Vec<Option<(f64, f64)>> = pairs
            .par_iter()
            .zip(tile.draws(&cells, resampling))
            .map(|(&i, draws)| {
                let (x, y) = columns(places[i]);
                let (x, y) = (of(x, &items), of(y, &items));
                let interval = bca_interval(&draws, kind.of(&x, &y)?, &kind.without_each(&x, &y))?;
                Some(interval).filter(|(low, high)| low.is_finite() && high.is_finite())
            })
            .collect();
        pairs.iter().zip(intervals).for_each(|(&i, interval)| found[i] = interval);
    }
    found
}

/// Which correlation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Spearman,
    Pearson,
}

impl Kind {
    /// A column as it is resampled; one whose spread f64 does not hold is the same for all.
    fn column(self, values: &[f64]) -> ResampledColumn {
        match self {
            Self::Spearman => ResampledColumn::Ranks(RankedColumn::new(values)),
            Self::Pearson => ResampledColumn::Values(unit(values).unwrap_or_else(|| vec![0.0; values.len()])),
        }
    }

    fn of(self, x: &[f64], y: &[f64]) -> Option<f64> {
        match self {
            Self::Spearman => spearman(x, y),
            Self::Pearson => pearson(x, y),
        }
    }

    fn without_each(self, x: &[f64], y: &[f64]) -> Vec<f64> {
        match self {
            Self::Spearman => spearman_without_each(x, y),
            Self::Pearson => pearson_without_each(x, y),
        }
    }
}

/// Pearson's correlation without each of the items in turn; NaN where a side is then constant. Of centred values of length one the
/// removal of item i leaves sums of products less `n / (n - 1)` times its own.
fn pearson_without_each(x: &[f64], y: &[f64]) -> Vec<f64> {
    let (Some(x), Some(y)) = (unit(x), unit(y)) else { return vec![f64::NAN; x.len()] };
    let c = x.len() as f64 / (x.len() as f64 - 1.0);
    let r: f64 = x.iter().zip(&y).map(|(x, y)| x * y).sum();
    let without = |(x, y): (&f64, &f64)| {
        let spread = (1.0 - c * x * x) * (1.0 - c * y * y);
        if spread > 0.0 { (r - c * x * y) / spread.sqrt() } else { f64::NAN }
    };
    x.iter().zip(&y).map(without).collect()
}

/// The items that have both features.
fn both(x: &[f64], y: &[f64]) -> Vec<u32> {
    let has = |item: &u32| x[*item as usize].is_finite() && y[*item as usize].is_finite();
    (0..x.len() as u32).filter(has).collect()
}

/// Spearman's correlation without each of the items in turn; NaN where a side is then constant.
///
/// Without item i the doubled rank of every other item j falls by H(j, i): 2 where its value is larger than that of i, 1 where
/// equal. The sums that this moves are sums over the items beyond i in one feature, and the number beyond i in both, which
/// a Fenwick tree (1994) counts: n log n steps for all items together.
fn spearman_without_each(x: &[f64], y: &[f64]) -> Vec<f64> {
    let n = x.len() as f64;
    let centred = |values: &[f64]| -> Vec<f64> {
        RankedColumn::new(values).doubled_ranks().iter().map(|rank| rank + 1.0).collect()
    };
    let (u, v) = (centred(x), centred(y));
    let (x, y) = (Beyond::new(x), Beyond::new(y));
    let (u_x, u_y, v_x, v_y) = (x.falls(&u), y.falls(&u), x.falls(&v), y.falls(&v));
    let both = falls_in_both(&x, &y);
    let sum = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    let (uu, vv, uv) = (sum(&u, &u), sum(&v, &v), sum(&u, &v));
    (0..u.len())
        .map(|i| {
            let xx = uu - u[i] * u[i] - 2.0 * u_x[i] + x.squares(i, n);
            let yy = vv - v[i] * v[i] - 2.0 * v_y[i] + y.squares(i, n);
            let xy = uv - u[i] * v[i] - u_y[i] - v_x[i] + both[i];
            if xx > 0.0 && yy > 0.0 { xy / (xx * yy).sqrt() } else { f64::NAN }
        })
        .collect()
}

/// The items of a feature by value, in runs of equal ones.
struct Beyond {
    order: Vec<u32>,
    /// For each item, the run of its value, begin and end in `order`.
    run: Vec<(usize, usize)>,
}

impl Beyond {
    fn new(values: &[f64]) -> Self {
        let value = |i: u32| values[i as usize];
        let mut order: Vec<u32> = (0..values.len() as u32).collect();
        order.sort_by(|&a, &b| ascending(value(a), value(b)).then(a.cmp(&b)));
        let mut run = vec![(0, 0); values.len()];
        let mut begin = 0;
        for items in order.chunk_by(|&a, &b| value(a) == value(b)) {
            let end = begin + items.len();
            items.iter().for_each(|&item| run[item as usize] = (begin, end));
            begin = end;
        }
        Self { order, run }
    }

    /// The sum over the other items of a weight times H.
    fn falls(&self, weights: &[f64]) -> Vec<f64> {
        let mut from = vec![0.0; weights.len() + 1];
        for (at, &item) in self.order.iter().enumerate().rev() {
            from[at] = from[at + 1] + weights[item as usize];
        }
        self.run.iter().zip(weights).map(|(&(begin, end), own)| from[begin] + from[end] - own).collect()
    }

    /// The sum over the other items of H².
    fn squares(&self, item: usize, n: f64) -> f64 {
        let (begin, end) = self.run[item];
        4.0 * (n - end as f64) + (end - begin) as f64 - 1.0
    }
}

/// The sum over the other items of H in x times H in y.
fn falls_in_both(x: &Beyond, y: &Beyond) -> Vec<f64> {
    let n = x.order.len();
    // Counts of items by their place in y; those at or after a place are n less those before.
    let mut tree = vec![0_u32; n + 1];
    let mut counted = 0;
    let before = |tree: &[u32], mut at: usize| {
        let mut sum = 0;
        while at > 0 {
            sum += tree[at];
            at &= at - 1;
        }
        sum
    };
    let mut falls = vec![0.0; n];
    let mut end = n;
    while end > 0 {
        let begin = x.run[x.order[end - 1] as usize].0;
        let run = &x.order[begin..end];
        let add = |tree: &[u32], counted: u32, falls: &mut [f64]| {
            for &item in run {
                let (first, last) = y.run[item as usize];
                let beyond = 2 * counted - before(tree, first) - before(tree, last);
                falls[item as usize] += f64::from(beyond);
            }
        };
        add(&tree, counted, &mut falls);
        for &item in run {
            let mut at = y.run[item as usize].0 + 1;
            while at <= n {
                tree[at] += 1;
                at += at & at.wrapping_neg();
            }
        }
        counted += run.len() as u32;
        add(&tree, counted, &mut falls);
        end = begin;
    }
    // The item itself was counted once, as equal in both.
    falls.iter_mut().for_each(|fall| *fall -= 1.0);
    falls
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compare::correlations::correlations;

    fn table(items: usize, columns: usize, distinct: u32, item: u64) -> FeatureTable {
        let mut stream = Stream::new(12, "dependence", item);
        let mut table = FeatureTable::default();
        for j in 0..columns {
            let column =
                (0..items).map(|_| f64::from(stream.below(distinct)) / f64::from(distinct)).collect();
            table.push(format!("f{item}_{j}"), column);
        }
        table
    }

    #[test]
    fn leaving_out_equals_the_definition() {
        for distinct in [2, 6, 1 << 30] {
            let columns = table(37, 2, distinct, u64::from(distinct)).columns;
            let found = spearman_without_each(&columns[0], &columns[1]);
            let of_values = pearson_without_each(&columns[0], &columns[1]);
            for (i, found) in found.iter().enumerate() {
                let without = |column: &[f64]| [&column[..i], &column[i + 1..]].concat();
                let expected = spearman(&without(&columns[0]), &without(&columns[1])).unwrap();
                assert!((found - expected).abs() < 1e-12, "{distinct} {i}: {found} {expected}");
                let expected = pearson(&without(&columns[0]), &without(&columns[1])).unwrap();
                assert!((of_values[i] - expected).abs() < 1e-12, "{distinct} {i}: {expected}");
            }
        }
    }

    #[test]
    fn what_lies_behind_the_controls_is_not_found_and_a_parabola_is() {
        let (mut texts, mut sounds) = (table(200, 3, 1 << 20, 5), table(200, 3, 1 << 20, 6));
        let seconds = table(200, 1, 1 << 20, 7).columns.remove(0);
        for (i, seconds) in seconds.iter().enumerate() {
            texts.columns[0][i] += 3.0 * seconds;
            sounds.columns[0][i] += 3.0 * seconds;
            sounds.columns[1][i] = (texts.columns[1][i] - 0.5).powi(2) + 0.01 * sounds.columns[1][i];
        }
        sounds.push("seconds", seconds);
        let groups = Groups::none(200);
        let resampling = Resampling { seed: 1, permutations: 199, bootstrap: 99 };
        let mut found = correlations(&texts, &sounds, &groups, &resampling);
        let names = ["seconds".to_owned()];
        let control = Control { features: &names, groups: true };
        dependences(&mut found, &texts, &sounds, &groups, &control, &resampling);
        let at = |i: usize| found[i].dependence.as_ref().unwrap();
        assert!(found[0].q.unwrap() < 0.001 && at(0).partial.p.unwrap() > 0.05, "{:?}", at(0));
        assert!(at(0).partial.estimate.unwrap() < 0.3 && found[0].spearman.unwrap() > 0.8);
        let (low, high) = at(0).bca.unwrap();
        assert!(low < found[0].spearman.unwrap() && found[0].spearman.unwrap() < high);
        let (low, high) = at(0).pearson_bca.unwrap();
        assert!(low < found[0].pearson.unwrap() && found[0].pearson.unwrap() < high);
        for tested in [at(0).partial, at(0).distance_correlation, at(0).mutual_information] {
            let ((low, high), estimate) = (tested.interval.unwrap(), tested.estimate.unwrap());
            assert!(low < estimate && estimate < high && high - low < 0.6, "{tested:?}");
        }
        let parabola = at(5);
        assert!(found[5].p.unwrap() > 0.01, "{:?}", found[5]);
        assert!(parabola.distance_correlation.q.unwrap() < 0.05, "{parabola:?}");
        assert!(parabola.mutual_information.q.unwrap() < 0.001, "{parabola:?}");
        assert_eq!((at(3).partial, at(3).sampled), (Tested::default(), 200));
    }

    #[test]
    fn the_weak_are_counted_though_they_are_not_measured() {
        let (texts, sounds) = (table(40, 15, 1 << 20, 8), table(40, 20, 1 << 20, 9));
        let groups = Groups::none(40);
        let resampling = Resampling { seed: 1, permutations: 19, bootstrap: 9 };
        let mut found = correlations(&texts, &sounds, &groups, &resampling);
        dependences(&mut found, &texts, &sounds, &groups, &Control::default(), &resampling);
        let measured: Vec<&Dependence> = found.iter().filter_map(|row| row.dependence.as_ref()).collect();
        assert_eq!(measured.len(), STRONGEST);
        let least = measured.iter().filter_map(|m| m.partial.p).fold(1.0, f64::min);
        let q = measured.iter().filter_map(|m| m.partial.q).fold(1.0, f64::min);
        assert!(q >= least, "{q} {least}");
    }
}
