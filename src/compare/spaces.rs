//! Two representations of the same items: how alike they are as spaces, whatever their dimensions mean.

use std::borrow::Cow;

use rayon::prelude::*;

use super::Resampling;
use super::clusters::{Agreement, clusters};
use super::groups::{Groups, permute};
use super::held_out::HeldOut;
use super::jackknife::{Scale, jackknife_interval};
use super::similarity::{Alignment, DistanceRanks, alignments_without, correlations_without};
use crate::math::matrix::Matrix;
use crate::math::random::Stream;
use crate::math::statistics::{benjamini_hochberg, is_constant, mean, percentile, population_sd};

/// Items of which distances are taken at most.
const RSA_ITEMS: usize = 1000;
/// Blocks of items that are left out for the interval of a correlation of distances, at most.
const RSA_BLOCKS: usize = 100;
/// Items that the measures on held-out folds take at most.
const HELD_OUT_ITEMS: usize = 2000;
/// Permutations of the measures on held-out folds at most.
const HELD_OUT_PERMUTATIONS: u32 = 99;
/// Multiplications that the permutations of CKA may cost; with more, fewer than asked are made, but not fewer than 99.
const ALIGNMENT_BUDGET: u64 = 200_000_000_000;
/// What a mean reciprocal rank weighs beside a recall: less than one item of 2,000.
const TIE: f64 = 1e-4;
/// Fewer items have no geometry.
const FEWEST_ITEMS: usize = 4;

/// What the columns of a space are, which decides how distances are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SpaceKind {
    /// Features in different units: every column is scaled to mean 0 and standard deviation 1, missing values (NaN) become the
    /// column's mean, constant columns are left out; distances are Euclidean.
    Features,
    /// An embedding: columns are taken as they are; an item with a missing value is left out; distances are 1 - cosine.
    Embedding,
}

/// A representation of items: row i stands for item i.
#[derive(Debug, Clone, PartialEq)]
pub struct Space {
    /// Its name in the table.
    pub name: String,
    /// Items by dimensions.
    pub matrix: Matrix,
    /// What the columns are.
    pub kind: SpaceKind,
}

/// How alike two spaces are by one measure, beside what permuted items give. Statistics are `None` where the measure is
/// undefined: too few items, or a space without spread.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct SpaceRelation {
    /// Name of the text space.
    pub text_space: String,
    /// Name of the sound space.
    pub audio_space: String,
    /// `cka`, `rsa`, `cca`, `recall_at_1`, `recall_at_5`, `recall_at_10`, `mrr` or `ami`.
    pub measure: Cow<'static, str>,
    /// The measure.
    pub estimate: Option<f64>,
    /// Lower end of its 95 % interval.
    pub ci_low: Option<f64>,
    /// Upper end of it.
    pub ci_high: Option<f64>,
    /// Its mean over permuted items.
    pub null_mean: Option<f64>,
    /// Its 95th percentile over permuted items.
    pub null_q95: Option<f64>,
    /// `(1 + permutations that reach the estimate) / (1 + permutations)`, one-sided.
    pub p: Option<f64>,
    /// The p adjusted for all rows of the table (Benjamini and Hochberg 1995).
    pub q: Option<f64>,
    /// Items that the measure took.
    pub n: u32,
}

/// Relates every text space to every sound space of the same items, eight rows a pair:
///
/// - `cka`: linear centred kernel alignment, `|YᵀX|² / (|XᵀX| |YᵀY|)` with Frobenius norms and centred columns (Kornblith et
///   al. 2019). All items.
/// - `rsa`: Spearman's correlation of the two spaces' distances between items, over all pairs of items (Kriegeskorte et al.
///   2008), its p by Mantel's permutation (1967). Of more than 1,000 items a random 1,000.
/// - `cca`: the correlation of the first pair of canonical variates on held-out items, averaged over five folds. Both spaces
///   are reduced to principal components (at most 64 and at most a fifth of the items; no item's partner is looked at),
///   and to each covariance a tenth of its mean variance is added (Vinod 1976), for without that the measure says
///   nothing where dimensions approach items (Kornblith et al. 2019).
/// - `recall_at_1`, `recall_at_5`, `recall_at_10`, `mrr`: a ridge regression from text to sound (same components, penalty and folds) sends
///   each held-out text to a point; the held-out recordings of its fold are ranked by cosine to it. The share of texts whose
///   own recording comes first, or among the first five or ten, and the mean of 1 / rank. A tie counts as the worse rank.
///   Where several texts are the same (equal rows), the recording of any of them is right.
///   For p, of equal recalls that with the larger mean reciprocal rank is the larger one.
/// - `ami`: the adjusted mutual information of the two spaces' clusters ([`clusters`], [`Agreement`]), of at most 2,000 items.
///
/// The interval is that of [`jackknife_interval`] over items (of `rsa` over at most 100 blocks of them), with clusters and what other folds taught
/// held as they are; Wilson's of the recalls.
///
/// Folds never split a group where there are several; fewer than five groups are a fold each. The items of the sound space are permuted, within groups
/// where there are some. The measures on held-out folds take at most 2,000 random items and 99 permutations, CKA at least 99
/// and as many as 2e11 multiplications allow. What is chosen depends on seed and sizes alone.
///
/// # Panics
/// Where spaces or groups have different numbers of items.
#[must_use]
pub fn spaces(
    texts: &[Space],
    sounds: &[Space],
    groups: &Groups,
    resampling: &Resampling,
) -> Vec<SpaceRelation> {
    let pairs = texts.iter().flat_map(|text| sounds.iter().map(move |sound| (text, sound)));
    let mut table: Vec<SpaceRelation> =
        pairs.flat_map(|(text, sound)| relate(text, sound, groups, resampling)).collect();
    let q = benjamini_hochberg(&table.iter().map(|row| row.p).collect::<Vec<_>>());
    table.iter_mut().zip(q).for_each(|(row, q)| row.q = q);
    table
}

fn relate(text: &Space, sound: &Space, groups: &Groups, resampling: &Resampling) -> Vec<SpaceRelation> {
    assert_eq!(text.matrix.rows(), sound.matrix.rows(), "spaces of different items");
    assert_eq!(text.matrix.rows(), groups.items(), "groups of other items");
    let complete: Vec<u32> = (0..text.matrix.rows() as u32)
        .filter(|&item| text.has(item as usize) && sound.has(item as usize))
        .collect();
    let few = complete.len() < FEWEST_ITEMS;
    let all = Sample::new(text, sound, groups, &complete);
    let multiplications = (complete.len() * text.matrix.cols() * sound.matrix.cols()).max(1) as u64;
    let affordable = (ALIGNMENT_BUDGET / multiplications).clamp(99, u64::from(u32::MAX)) as u32;
    let alignment = Alignment::new(&all.text, &all.sound).filter(|_| !few);
    let mut relations = all.relations(["cka"], resampling, affordable, |permutation| {
        alignment.as_ref().map(|alignment| [alignment.estimate(permutation)])
    });
    if alignment.is_some() {
        relations[0].jackknifed(&alignments_without(&all.text, &all.sound), Scale::Share);
    }

    let some = Sample::new(text, sound, groups, &chosen(&complete, RSA_ITEMS, resampling.seed));
    let distances = DistanceRanks::new(&some.text, text.kind)
        .zip(DistanceRanks::new(&some.sound, sound.kind))
        .filter(|_| !few);
    let mut rsa = some.relations(["rsa"], resampling, u32::MAX, |permutation| {
        distances.as_ref().map(|(text, sound)| [text.correlation(sound, permutation)])
    });
    if let Some((text, sound)) = &distances {
        let without = correlations_without(text, sound, some.items.min(RSA_BLOCKS));
        rsa[0].jackknifed(&without, Scale::Correlation);
    }
    relations.extend(rsa);

    let some = Sample::new(text, sound, groups, &chosen(&complete, HELD_OUT_ITEMS, resampling.seed));
    let held_out = HeldOut::new(&some.text, &some.sound, &some.members, resampling.seed);
    let names = ["cca", "recall_at_1", "recall_at_5", "recall_at_10", "mrr"];
    let mut retrieved = some.relations(names, resampling, HELD_OUT_PERMUTATIONS, |permutation| {
        held_out.as_ref().and_then(|held_out| held_out.estimate(permutation))
    });
    let intervals = held_out.as_ref().map_or([None; 5], HeldOut::intervals);
    retrieved.iter_mut().zip(intervals).for_each(|(row, ends)| row.set_interval(ends));
    relations.extend(retrieved);
    let agreement = (!few && some.text.cols() > 0 && some.sound.cols() > 0)
        .then(|| {
            Agreement::new(clusters(&some.text, resampling.seed), clusters(&some.sound, resampling.seed))
        })
        .flatten();
    let mut ami = some.relations(["ami"], resampling, u32::MAX, |permutation| {
        agreement.as_ref().map(|agreement| [agreement.estimate(permutation)])
    });
    if let Some(agreement) = &agreement {
        ami[0].jackknifed(&agreement.without_each(), Scale::AtMostOne);
    }
    relations.extend(ami);
    for relation in &mut relations {
        relation.text_space.clone_from(&text.name);
        relation.audio_space.clone_from(&sound.name);
    }
    relations
}

impl SpaceRelation {
    fn jackknifed(&mut self, without: &[f64], scale: Scale) {
        let ends = self.estimate.and_then(|estimate| jackknife_interval(estimate, without, scale));
        self.set_interval(ends);
    }

    fn set_interval(&mut self, ends: Option<(f64, f64)>) {
        self.ci_low = ends.map(|ends| ends.0);
        self.ci_high = ends.map(|ends| ends.1);
    }
}

/// A random choice of at most `count` items, in order.
pub(super) fn chosen(items: &[u32], count: usize, seed: u64) -> Vec<u32> {
    let mut chosen = items.to_vec();
    if chosen.len() > count {
        Stream::new(seed, "choice of items", 0).shuffle(&mut chosen);
        chosen.truncate(count);
        chosen.sort_unstable();
    }
    chosen
}

impl Space {
    pub(super) fn has(&self, item: usize) -> bool {
        self.kind == SpaceKind::Features || self.matrix.row(item).iter().all(|value| value.is_finite())
    }

    /// The chosen items, scaled as the kind asks.
    pub(super) fn select(&self, items: &[u32]) -> Matrix {
        let rows: Vec<usize> = items.iter().map(|&item| item as usize).collect();
        let selected = self.matrix.select_rows(&rows);
        match self.kind {
            SpaceKind::Features => standardised(&selected),
            SpaceKind::Embedding => selected,
        }
    }
}

pub(super) fn standardised(matrix: &Matrix) -> Matrix {
    let columns: Vec<Vec<f64>> = (0..matrix.cols()).filter_map(|j| z_scores(&matrix.column(j))).collect();
    Matrix::from_rows(&columns).transpose()
}

/// Values less their mean over their standard deviation, missing ones 0; `None` of a constant column.
fn z_scores(column: &[f64]) -> Option<Vec<f64>> {
    let present: Vec<f64> = column.iter().copied().filter(|value| value.is_finite()).collect();
    if is_constant(&present) {
        return None;
    }
    let (mean, sd) = (mean(&present)?, population_sd(&present)?);
    let scaled = |value: &f64| if value.is_finite() { (value - mean) / sd } else { 0.0 };
    (sd > 0.0 && sd.is_finite()).then(|| column.iter().map(scaled).collect())
}

/// Items chosen for a measure.
struct Sample {
    text: Matrix,
    sound: Matrix,
    members: Vec<Vec<u32>>,
    items: usize,
}

impl Sample {
    fn new(text: &Space, sound: &Space, groups: &Groups, items: &[u32]) -> Self {
        Self {
            text: text.select(items),
            sound: sound.select(items),
            members: groups.members(items),
            items: items.len(),
        }
    }

    /// The measures that `estimate` gives for an order of the sound items, for the true order and for permuted ones.
    fn relations<const M: usize>(
        &self,
        measures: [&'static str; M],
        resampling: &Resampling,
        most: u32,
        estimate: impl Fn(&[u32]) -> Option<[f64; M]> + Sync,
    ) -> Vec<SpaceRelation> {
        // A recall has few values: of equal ones that with the larger mean reciprocal rank reaches further.
        let last = |values: &[f64; M]| values.last().copied().unwrap_or_default();
        let far = |values: &[f64; M], m: usize| {
            let by_rank = if measures[m].starts_with("recall") { TIE * last(values) } else { 0.0 };
            values[m] + by_rank
        };
        let unmoved: Vec<u32> = (0..self.items as u32).collect();
        let observed = estimate(&unmoved);
        let draws = if observed.is_some() { resampling.permutations.min(most) } else { 0 };
        let permuted: Vec<[f64; M]> = (0..draws)
            .into_par_iter()
            .filter_map(|draw| {
                let mut permutation = Vec::new();
                let mut stream = Stream::new(resampling.seed, "permutation of spaces", draw.into());
                permute(&self.members, &mut stream, &mut permutation);
                estimate(&permutation)
            })
            .collect();
        let row = |m: usize| {
            let null: Vec<f64> = permuted.iter().map(|values| values[m]).collect();
            let estimate = observed.map(|observed| observed[m]);
            SpaceRelation {
                text_space: String::new(),
                audio_space: String::new(),
                measure: measures[m].into(),
                estimate,
                ci_low: None,
                ci_high: None,
                null_mean: mean(&null),
                null_q95: percentile(&null, 0.95),
                p: observed.filter(|_| !null.is_empty()).map(|observed| {
                    let null: Vec<f64> = permuted.iter().map(|values| far(values, m)).collect();
                    p(far(&observed, m), &null)
                }),
                q: None,
                n: self.items as u32,
            }
        };
        (0..M).map(row).collect()
    }
}

/// The one-sided permutation p. Values within 1e-6 (as a share) of the estimate count as reaching it, since CKA is permuted in single
/// precision.
fn p(estimate: f64, null: &[f64]) -> f64 {
    let reached = null.iter().filter(|&&value| value >= estimate - 1e-6 * estimate.abs()).count();
    (1 + reached) as f64 / (1 + null.len()) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOME: Resampling = Resampling { seed: 2, permutations: 99, bootstrap: 0 };
    const MEASURES: [&str; 8] =
        ["cka", "rsa", "cca", "recall_at_1", "recall_at_5", "recall_at_10", "mrr", "ami"];

    fn random(items: usize, cols: usize, item: u64) -> Matrix {
        let mut stream = Stream::new(3, "spaces", item);
        let values = (0..items * cols).map(|_| stream.unit_f64() - 0.5).collect();
        Matrix::from_values(items, cols, values).unwrap()
    }

    fn space(matrix: Matrix, kind: SpaceKind) -> Space {
        Space { name: format!("{kind:?}"), matrix, kind }
    }

    fn related(text: Matrix, sound: Matrix, groups: &Groups) -> Vec<SpaceRelation> {
        let (text, sound) = (space(text, SpaceKind::Embedding), space(sound, SpaceKind::Features));
        spaces(&[text], &[sound], groups, &SOME)
    }

    #[test]
    fn a_planted_map_is_found_by_every_measure() {
        let text = random(80, 4, 0);
        let mut sound = text.product(&random(4, 6, 1));
        let noise = random(80, 6, 2);
        for i in 0..80 {
            sound.row_mut(i).iter_mut().zip(noise.row(i)).for_each(|(value, noise)| *value += 0.1 * noise);
        }
        let relations = related(text, sound, &Groups::none(80));
        assert_eq!(relations.iter().map(|r| r.measure.clone()).collect::<Vec<_>>(), MEASURES);
        for relation in relations {
            assert_eq!(relation.p, Some(0.01), "{relation:?}");
            assert!(relation.estimate > relation.null_q95 && relation.null_q95 > relation.null_mean);
        }
    }

    #[test]
    fn unrelated_spaces_are_calibrated() {
        let mut below = [0; 8];
        for corpus in 0..60 {
            let resampling = Resampling { seed: corpus, permutations: 19, bootstrap: 0 };
            let text = space(random(40, 3, 2 * corpus + 10), SpaceKind::Embedding);
            let sound = space(random(40, 5, 2 * corpus + 11), SpaceKind::Features);
            let relations = spaces(&[text], &[sound], &Groups::none(40), &resampling);
            for (below, relation) in below.iter_mut().zip(relations) {
                *below += u32::from(relation.p.unwrap() <= 0.1);
            }
        }
        // 6 expected of 60; the standard deviation is 2.3.
        assert!(below.iter().all(|&below| below <= 13), "{below:?}");
        assert!((16..=80).contains(&below.iter().sum::<u32>()), "{below:?}");
    }

    #[test]
    fn groups_take_away_what_lies_between_them() {
        let shift = |matrix: Matrix| {
            let mut matrix = matrix;
            for i in 0..90 {
                matrix.row_mut(i)[i % 3] += 3.0;
            }
            matrix
        };
        let (text, sound) = (shift(random(90, 4, 300)), shift(random(90, 4, 301)));
        let labels: Vec<Option<String>> = (0..90).map(|i| Some((i % 3).to_string())).collect();
        let alike = related(text.clone(), sound.clone(), &Groups::none(90));
        let within = related(text, sound, &Groups::from_labels(&labels));
        for measure in 0..3 {
            assert_eq!(alike[measure].p, Some(0.01), "{:?}", alike[measure]);
            assert!(within[measure].p > Some(0.05), "{:?}", within[measure]);
        }
    }

    #[test]
    fn features_are_scaled_and_may_be_missing() {
        let mut sound = random(30, 4, 5);
        let text = random(30, 3, 6);
        let plain = related(text.clone(), sound.clone(), &Groups::none(30));
        for i in 0..30 {
            let row = sound.row_mut(i);
            row[2] = 1e4 * row[2] + 7.0;
        }
        let scaled = related(text.clone(), sound.clone(), &Groups::none(30));
        for (plain, scaled) in plain.iter().zip(&scaled) {
            assert!((plain.estimate.unwrap() - scaled.estimate.unwrap()).abs() < 1e-6);
        }
        sound.row_mut(3)[1] = f64::NAN;
        let mut fewer = text;
        fewer.row_mut(8)[0] = f64::NAN;
        let relations = related(fewer, sound, &Groups::none(30));
        assert!(relations.iter().all(|r| r.n == 29 && r.estimate.is_some_and(f64::is_finite)));
    }

    #[test]
    fn what_is_undefined_is_none() {
        for relation in related(random(3, 2, 0), random(3, 2, 1), &Groups::none(3)) {
            assert_eq!((relation.estimate, relation.p, relation.n), (None, None, 3));
        }
        for relation in related(random(30, 2, 0), Matrix::zeros(30, 2), &Groups::none(30)) {
            assert_eq!((relation.estimate, relation.null_mean), (None, None));
        }
    }

    #[test]
    fn threads_change_nothing() {
        let on = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| related(random(60, 3, 7), random(60, 9, 8), &Groups::none(60)))
        };
        assert_eq!(on(1), on(3));
    }

    #[test]
    fn a_choice_is_in_order_and_depends_on_the_seed() {
        let items: Vec<u32> = (0..100).collect();
        let some = chosen(&items, 30, 1);
        assert!(some.len() == 30 && some.is_sorted_by(|a, b| a < b));
        assert_ne!(some, chosen(&items, 30, 2));
        assert_eq!(chosen(&items, 100, 1), items);
    }
}
