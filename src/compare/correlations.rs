//! Every text feature against every sound feature: correlation, interval, p and q.

use std::collections::BTreeMap;

use rayon::prelude::*;

use super::Resampling;
use super::features::FeatureTable;
use super::groups::Groups;
use super::ranking::{RankedColumn, ResampledColumn};
use super::resampling::Tile;
use crate::math::statistics::{benjamini_hochberg, is_constant, mean};

/// With fewer items no correlation is stated.
const FEWEST_ITEMS: usize = 3;
/// Columns of a tile at most; with [`TILE_PAIRS`] this bounds the memory.
const TILE_COLUMNS: usize = 2048;
const TILE_PAIRS: usize = 65_536;

/// How one text feature goes with one sound feature. Statistics are `None` where they are undefined: fewer than three items, or
/// a feature that is the same for all of them.
#[derive(Debug, Clone, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Correlation {
    /// Name of the text feature.
    pub text_feature: String,
    /// Name of the sound feature.
    pub audio_feature: String,
    /// Items that have both features.
    pub n: u32,
    /// Pearson's product-moment correlation.
    pub pearson: Option<f64>,
    /// Spearman's rank correlation, with average ranks for ties.
    pub spearman: Option<f64>,
    /// Lower end of the 95 % percentile bootstrap interval of Spearman's correlation.
    pub ci_low: Option<f64>,
    /// Upper end of it.
    pub ci_high: Option<f64>,
    /// Two-sided permutation p of Spearman's correlation, above zero.
    pub p: Option<f64>,
    /// The p adjusted for all correlations of the table (Benjamini and Hochberg 1995).
    pub q: Option<f64>,
    /// Lower end of the 95 % percentile bootstrap interval of Pearson's correlation.
    pub pearson_low: Option<f64>,
    /// Upper end of it.
    pub pearson_high: Option<f64>,
    /// Two-sided permutation p of Pearson's correlation, above zero.
    pub pearson_p: Option<f64>,
    /// That p adjusted for all correlations of the table.
    pub pearson_q: Option<f64>,
    /// What is measured of the strongest pairs alone.
    pub dependence: Option<super::dependence::Dependence>,
}

/// Relates all text features to all sound features of the same items, a row for each pair of features, by text feature, then
/// sound feature, in the order of the tables.
///
/// - Correlations are over the items that have both features.
/// - Pearson's and Spearman's correlation each have their interval, p and q, from the same draws.
/// - The interval is the percentile bootstrap (Efron 1979): whole pairs are drawn with replacement from all items alike, in no
///   strata and in no clusters.
/// - p is the share of permutations, within groups where there are some, in which a correlation lies at least as
///   far from its mean over all permutations as the observed one: (1 + exceedances) / (1 + permutations) (Phipson and
///   Smyth 2010). That mean is 0 without groups, and with them what the groups' means alone would give, so that p tests
///   what is related within groups. With fewer than ten
///   exceedances it comes from a generalised Pareto tail (Knijnenburg et al. 2009, see
///   [`tail_probability`](crate::math::distribution::tail_probability)) of the squared correlation, where that fits; never
///   below 1e-300 nor below one part in the number of different permutations.
///
/// Permuted and resampled correlations are computed in single precision, exact to about 1e-6.
///
/// # Panics
/// Where the tables or the groups have different numbers of items.
#[must_use]
pub fn correlations(
    texts: &FeatureTable,
    sounds: &FeatureTable,
    groups: &Groups,
    resampling: &Resampling,
) -> Vec<Correlation> {
    if texts.columns.is_empty() || sounds.columns.is_empty() {
        return Vec::new();
    }
    assert_eq!(texts.rows(), sounds.rows(), "features of different items");
    assert_eq!(texts.rows(), groups.items(), "groups of other items");
    let mut table: Vec<Correlation> = texts
        .names
        .iter()
        .flat_map(|text| sounds.names.iter().map(move |sound| (text, sound)))
        .map(|(text, sound)| Correlation {
            text_feature: text.clone(),
            audio_feature: sound.clone(),
            ..Correlation::default()
        })
        .collect();
    let width = sounds.columns.len();
    let sound_classes = by_presence(sounds);
    for (text_presence, text_columns) in by_presence(texts) {
        for (sound_presence, sound_columns) in &sound_classes {
            let both = text_presence.iter().zip(sound_presence).map(|(a, b)| *a && *b);
            let items: Vec<u32> = (0..).zip(both).filter_map(|(item, both)| both.then_some(item)).collect();
            for &text in &text_columns {
                for &sound in sound_columns {
                    table[text * width + sound].n = items.len() as u32;
                }
            }
            if items.len() >= FEWEST_ITEMS {
                let texts = Column::select(texts, &text_columns, &items);
                let sounds = Column::select(sounds, sound_columns, &items);
                relate(&texts, &sounds, &groups.members(&items), resampling, &mut |text, sound, found| {
                    let row = &mut table[text * width + sound];
                    found.fill(row);
                });
            }
        }
    }
    let q = benjamini_hochberg(&table.iter().map(|row| row.p).collect::<Vec<_>>());
    table.iter_mut().zip(q).for_each(|(row, q)| row.q = q);
    let q = benjamini_hochberg(&table.iter().map(|row| row.pearson_p).collect::<Vec<_>>());
    table.iter_mut().zip(q).for_each(|(row, q)| row.pearson_q = q);
    table
}

/// Columns that have values for the same items, by which items these are.
pub(super) fn by_presence(table: &FeatureTable) -> BTreeMap<Vec<bool>, Vec<usize>> {
    let mut classes: BTreeMap<Vec<bool>, Vec<usize>> = BTreeMap::new();
    for (j, column) in table.columns.iter().enumerate() {
        classes.entry(column.iter().map(|value| value.is_finite()).collect()).or_default().push(j);
    }
    classes
}

/// A feature over the items of a block, not constant.
struct Column {
    index: usize,
    /// Centred and of length one; `None` where the spread is beyond what f64 holds.
    unit: Option<Vec<f64>>,
    ranked: RankedColumn,
    /// Whole numbers, so that their sums of products are exact.
    doubled_ranks: Vec<f64>,
    rank_squares: f64,
}

impl Column {
    fn select(table: &FeatureTable, columns: &[usize], items: &[u32]) -> Vec<Self> {
        columns
            .par_iter()
            .filter_map(|&index| {
                let values: Vec<f64> =
                    items.iter().map(|&item| table.columns[index][item as usize]).collect();
                Self::new(index, &values)
            })
            .collect()
    }

    fn new(index: usize, values: &[f64]) -> Option<Self> {
        if is_constant(values) {
            return None;
        }
        let ranked = RankedColumn::new(values);
        let doubled_ranks = ranked.doubled_ranks();
        let rank_squares = dot(&doubled_ranks, &doubled_ranks);
        let unit = unit(values);
        Some(Self { index, unit, ranked, doubled_ranks, rank_squares })
    }
}

/// Values less their mean over their length; `None` where that is nothing, or beyond what f64 holds.
pub(super) fn unit(values: &[f64]) -> Option<Vec<f64>> {
    let mean = mean(values)?;
    let centred: Vec<f64> = values.iter().map(|value| value - mean).collect();
    let length = dot(&centred, &centred).sqrt();
    (length > 0.0 && length.is_finite()).then(|| centred.iter().map(|value| value / length).collect())
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// What was found for one pair of features.
struct Found {
    pearson: Option<f64>,
    spearman: f64,
    of_spearman: Resampled,
    of_pearson: Resampled,
}

/// What draws tell of a correlation.
#[derive(Debug, Clone, Copy, Default)]
struct Resampled {
    interval: Option<(f64, f64)>,
    p: Option<f64>,
}

impl Found {
    fn fill(&self, row: &mut Correlation) {
        row.pearson = self.pearson;
        row.spearman = Some(self.spearman);
        row.ci_low = self.of_spearman.interval.map(|interval| interval.0);
        row.ci_high = self.of_spearman.interval.map(|interval| interval.1);
        row.p = self.of_spearman.p;
        row.pearson_low = self.of_pearson.interval.map(|interval| interval.0);
        row.pearson_high = self.of_pearson.interval.map(|interval| interval.1);
        row.pearson_p = self.of_pearson.p;
    }
}

/// Relates the columns of a block tile by tile and gives each finding, with the indices of its features, to `report`.
fn relate(
    texts: &[Column],
    sounds: &[Column],
    members: &[Vec<u32>],
    resampling: &Resampling,
    report: &mut impl FnMut(usize, usize, Found),
) {
    for sounds in sounds.chunks(TILE_COLUMNS) {
        for texts in texts.chunks((TILE_PAIRS / sounds.len()).clamp(1, TILE_COLUMNS)) {
            relate_tile(texts, sounds, members, resampling, report);
        }
    }
}

fn relate_tile(
    texts: &[Column],
    sounds: &[Column],
    members: &[Vec<u32>],
    resampling: &Resampling,
    report: &mut impl FnMut(usize, usize, Found),
) {
    let pairs: Vec<(&Column, &Column)> =
        texts.iter().flat_map(|text| sounds.iter().map(move |sound| (text, sound))).collect();
    let spearman: Vec<f64> = pairs
        .par_iter()
        .map(|(text, sound)| {
            let scale = (text.rank_squares * sound.rank_squares).sqrt();
            (dot(&text.doubled_ranks, &sound.doubled_ranks) / scale).clamp(-1.0, 1.0)
        })
        .collect();
    let pearson: Vec<Option<f64>> = pairs
        .par_iter()
        .map(|(text, sound)| Some(dot(text.unit.as_ref()?, sound.unit.as_ref()?).clamp(-1.0, 1.0)))
        .collect();
    let ranked = |column: &Column| Some(ResampledColumn::Ranks(column.ranked.clone()));
    let valued = |column: &Column| Some(ResampledColumn::Values(column.unit.clone()?));
    let of_spearman = resampled(texts, sounds, members, resampling, ranked);
    let of_pearson = resampled(texts, sounds, members, resampling, valued);
    for (i, (text, sound)) in pairs.iter().enumerate() {
        let found = Found {
            pearson: pearson[i],
            spearman: spearman[i],
            of_spearman: of_spearman[i],
            of_pearson: of_pearson[i],
        };
        report(text.index, sound.index, found);
    }
}

/// Intervals and p of a tile, text by text, of its columns as `as_resampled` takes them; nothing of those that it has not.
fn resampled(
    texts: &[Column],
    sounds: &[Column],
    members: &[Vec<u32>],
    resampling: &Resampling,
    as_resampled: impl Fn(&Column) -> Option<ResampledColumn>,
) -> Vec<Resampled> {
    let present = |columns: &[Column]| -> (Vec<usize>, Vec<ResampledColumn>) {
        columns.iter().enumerate().filter_map(|(i, column)| Some((i, as_resampled(column)?))).unzip()
    };
    let ((text_places, texts_taken), (sound_places, sounds_taken)) = (present(texts), present(sounds));
    let items = members.iter().map(Vec::len).sum();
    let tile = Tile { texts: &texts_taken, sounds: &sounds_taken, items, members };
    let intervals = (resampling.bootstrap > 0).then(|| tile.intervals(resampling));
    let p = (resampling.permutations > 0).then(|| tile.permutation_p(resampling));
    let mut found = vec![Resampled::default(); texts.len() * sounds.len()];
    let cells = text_places.iter().flat_map(|text| sound_places.iter().map(move |sound| (text, sound)));
    for (i, (text, sound)) in cells.enumerate() {
        found[text * sounds.len() + sound] = Resampled {
            interval: intervals.as_ref().and_then(|intervals| intervals[i]),
            p: p.as_ref().map(|p| p[i]),
        };
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::random::Stream;
    use crate::math::statistics::{pearson, spearman};

    const SOME: Resampling = Resampling { seed: 1, permutations: 199, bootstrap: 199 };

    fn uniform(items: usize, columns: usize, item: u64) -> FeatureTable {
        let mut stream = Stream::new(8, "features", item);
        let mut table = FeatureTable::default();
        for j in 0..columns {
            table.push(format!("f{j}"), (0..items).map(|_| stream.unit_f64()).collect());
        }
        table
    }

    #[test]
    fn missing_values_leave_pairwise_complete_items() {
        let mut texts = uniform(60, 3, 0);
        let mut sounds = uniform(60, 11, 1);
        texts.columns[1][..10].fill(f64::NAN);
        sounds.columns[4][5..20].fill(f64::INFINITY);
        sounds.columns[6].fill(2.0);
        sounds.columns[7][2..].fill(f64::NAN);
        let table = correlations(&texts, &sounds, &Groups::none(60), &SOME);
        assert_eq!(table.len(), 33);
        for (i, row) in table.iter().enumerate() {
            let (x, y) = (&texts.columns[i / 11], &sounds.columns[i % 11]);
            let both: Vec<usize> = (0..60).filter(|&k| x[k].is_finite() && y[k].is_finite()).collect();
            assert_eq!(row.n as usize, both.len());
            assert_eq!(row.audio_feature, format!("f{}", i % 11));
            let x: Vec<f64> = both.iter().map(|&k| x[k]).collect();
            let y: Vec<f64> = both.iter().map(|&k| y[k]).collect();
            let expected = pearson(&x, &y).filter(|_| x.len() >= 3);
            assert_eq!(row.pearson.is_some(), expected.is_some());
            let of_pearson = [row.pearson_low, row.pearson_high, row.pearson_p, row.pearson_q];
            for statistic in
                [row.spearman, row.ci_low, row.ci_high, row.p, row.q].into_iter().chain(of_pearson)
            {
                assert_eq!(statistic.is_some(), expected.is_some());
            }
            if let (Some(r), Some(rho), Some(low), Some(high)) =
                (row.pearson, row.spearman, row.ci_low, row.ci_high)
            {
                assert!((r - expected.unwrap()).abs() < 1e-13);
                assert!((rho - spearman(&x, &y).unwrap()).abs() < 1e-13);
                assert!(low < rho && rho < high);
                assert!(row.p <= row.q);
            }
        }
    }

    /// scipy 1.17.1, x and y of 30 items, `permutation_test` with 199,999
    /// resamples of |spearmanr|, `bootstrap` with method "percentile" and 199,999 resamples.
    #[test]
    fn agrees_with_scipy() {
        let x: Vec<f64> = (0..30).map(|i| f64::from(i * 17 % 31)).collect();
        let y: Vec<f64> = (0..30).map(|i| f64::from(i * 17 % 31 / 3 + i * i * 7 % 23)).collect();
        let mut texts = FeatureTable::default();
        let mut sounds = FeatureTable::default();
        texts.push("x", x);
        sounds.push("y", y);
        let resampling = Resampling { seed: 5, permutations: 9999, bootstrap: 9999 };
        let row = &correlations(&texts, &sounds, &Groups::none(30), &resampling)[0];
        assert!((row.pearson.unwrap() - SCIPY[0]).abs() < 1e-13, "{row:?}");
        assert!((row.spearman.unwrap() - SCIPY[1]).abs() < 1e-13, "{row:?}");
        // Two or three of 9,999 draws exceed: this p comes from the fitted tail.
        let ratio = row.pearson_p.unwrap() / PEARSON[0];
        assert!((0.3..3.0).contains(&ratio), "{ratio} {row:?}");
        assert!((row.pearson_low.unwrap() - PEARSON[1]).abs() < 0.02, "{row:?}");
        assert!((row.pearson_high.unwrap() - PEARSON[2]).abs() < 0.02, "{row:?}");
        let ratio = row.p.unwrap() / SCIPY[2];
        assert!((0.3..3.0).contains(&ratio), "{ratio} {row:?}");
        assert!((row.ci_low.unwrap() - SCIPY[3]).abs() < 0.02, "{row:?}");
        assert!((row.ci_high.unwrap() - SCIPY[4]).abs() < 0.02, "{row:?}");
    }

    /// Of |pearsonr|, the same calls.
    const PEARSON: [f64; 3] = [0.000_285, 0.357_967_449_967_126_26, 0.818_837_078_944_438];

    const SCIPY: [f64; 5] = [
        0.631_214_006_320_756_5,
        0.636_222_444_002_450_5,
        0.000_25,
        0.324_371_600_522_452_1,
        0.823_754_496_412_608_7,
    ];

    #[test]
    fn shuffled_data_are_calibrated() {
        let (mut below, mut discoveries) = (0, 0);
        for corpus in 0..25 {
            let texts = uniform(50, 5, 2 * corpus + 100);
            let sounds = uniform(50, 8, 2 * corpus + 101);
            let resampling = Resampling { seed: corpus, permutations: 199, bootstrap: 0 };
            let table = correlations(&texts, &sounds, &Groups::none(50), &resampling);
            below += table.iter().filter(|row| row.p.unwrap() < 0.05).count();
            discoveries += usize::from(table.iter().any(|row| row.q.unwrap() < 0.05));
        }
        assert!((0.03..0.07).contains(&(below as f64 / 1000.0)), "{below} of 1000 below 0.05");
        assert!(discoveries <= 4, "{discoveries} of 25 corpora with a discovery");
    }

    #[test]
    fn a_planted_relation_is_found() {
        let texts = uniform(200, 4, 20);
        let mut sounds = uniform(200, 30, 21);
        for (value, x) in sounds.columns[17].iter_mut().zip(&texts.columns[2]) {
            *value -= 0.7 * x;
        }
        let resampling = Resampling { seed: 1, permutations: 999, bootstrap: 199 };
        let table = correlations(&texts, &sounds, &Groups::none(200), &resampling);
        let found: Vec<&Correlation> = table.iter().filter(|row| row.q.unwrap() < 0.05).collect();
        let planted = &table[2 * 30 + 17];
        assert!(found.contains(&planted) && found.len() <= 3, "{found:?}");
        assert!(planted.p.unwrap() < 1e-5 && planted.spearman.unwrap() < -0.4, "{planted:?}");
        assert!(planted.ci_high.unwrap() < 0.0);
    }

    #[test]
    fn groups_take_away_what_lies_between_them() {
        let mut texts = uniform(120, 1, 30);
        let mut sounds = uniform(120, 1, 31);
        let speakers: Vec<Option<String>> = (0..120).map(|i| Some(format!("speaker {}", i % 6))).collect();
        for i in 0..120 {
            texts.columns[0][i] += (i % 6) as f64;
            sounds.columns[0][i] += (i % 6) as f64;
        }
        let alike = correlations(&texts, &sounds, &Groups::none(120), &SOME)[0].p.unwrap();
        let within = correlations(&texts, &sounds, &Groups::from_labels(&speakers), &SOME)[0].p.unwrap();
        assert!(alike < 1e-3 && within > 0.05, "{alike} {within}");
    }

    #[test]
    fn threads_change_nothing() {
        let mut texts = uniform(300, 9, 40);
        texts.columns[3][..50].fill(f64::NAN);
        let sounds = uniform(300, 13, 41);
        let on = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| correlations(&texts, &sounds, &Groups::none(300), &SOME))
        };
        assert_eq!(on(1), on(3));
    }

    #[test]
    fn no_features_and_no_resampling() {
        let texts = uniform(5, 1, 50);
        let none = Resampling { seed: 0, permutations: 0, bootstrap: 0 };
        assert!(correlations(&texts, &FeatureTable::default(), &Groups::none(5), &none).is_empty());
        let row = &correlations(&texts, &texts, &Groups::none(5), &none)[0];
        assert_eq!((row.spearman, row.ci_low, row.p, row.q), (Some(1.0), None, None, None));
    }
}
