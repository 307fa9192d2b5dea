//! How much of a feature of one side the features of the other predict, on items that were not learnt from.

use rayon::prelude::*;

use super::Resampling;
use super::features::FeatureTable;
use super::groups::{Groups, permute};
use super::held_out::folds;
use super::jackknife::{Scale, jackknife_interval};
use super::spaces::{chosen, standardised};
use crate::math::distribution::{TAIL, tail_probability};
use crate::math::linear::Cholesky;
use crate::math::matrix::Matrix;
use crate::math::random::Stream;
use crate::math::statistics::{ascending, benjamini_hochberg, mean, percentile};

/// Items that a prediction takes at most.
const MOST_ITEMS: usize = 2000;
/// Fewer items leave folds in which nothing can be learnt.
const FEWEST_ITEMS: usize = 20;
/// What the penalty adds to the variance of each predictor, which is 1.
const RIDGE: f64 = 0.1;
/// Multiplications that the permutations may cost; with more, fewer than asked are made, but not fewer than 99.
const BUDGET: u64 = 50_000_000_000;
/// With fewer exceedances than this p comes from the fitted tail (Knijnenburg et al. 2009).
const ENOUGH_EXCEEDANCES: usize = 10;

/// How well one feature is predicted from the other side. Statistics are `None` where the feature is the same for all items,
/// or has fewer than twenty.
#[derive(Debug, Clone, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Prediction {
    /// Name of the feature that is predicted.
    pub target: String,
    /// The side that the target stands on, `text` or `audio`: the predictors are all features of the other.
    pub side: String,
    /// The share of its variance that is predicted, `1 - Σ(y - ŷ)² / Σ(y - mean)²` over all held-out items: below 0 where the
    /// mean would do better.
    pub r2: Option<f64>,
    /// Lower end of its 95 % interval.
    pub ci_low: Option<f64>,
    /// Upper end of it.
    pub ci_high: Option<f64>,
    /// Its mean over permuted items: the floor.
    pub null_mean: Option<f64>,
    /// Its 95th percentile over permuted items.
    pub null_q95: Option<f64>,
    /// One-sided permutation p.
    pub p: Option<f64>,
    /// The p adjusted for all predictions (Benjamini and Hochberg 1995).
    pub q: Option<f64>,
    /// Items that have the target, a random 2,000 of more.
    pub n: u32,
}

/// Predicts each sound feature from all text features, then each text feature from all sound features.
///
/// The regression is ridge regression (Hoerl and Kennard 1970) on predictors scaled to mean 0 and standard deviation 1 over the
/// items that have the target (missing values are the mean, constant predictors are left out), with a penalty of a tenth
/// of the number of items learnt from: scikit-learn's `Ridge(alpha = 0.1 n)`. Five folds, which split no group where there
/// are several; fewer than five groups are a fold each. The interval is the jackknife's over the items, what was learnt held fixed. The target's values are permuted among items, within groups where there are some:
/// p is `(1 + permutations that reach R²) / (1 + permutations)`, with fewer than ten from a fitted tail
/// ([`tail_probability`]). The number of permutations is as asked or what 5e10 multiplications a side allow, not under 99.
///
/// # Panics
/// Where tables or groups have different numbers of items.
#[must_use]
pub fn predictions(
    texts: &FeatureTable,
    sounds: &FeatureTable,
    groups: &Groups,
    resampling: &Resampling,
) -> Vec<Prediction> {
    let mut table = predict(texts, sounds, "audio", groups, resampling);
    table.extend(predict(sounds, texts, "text", groups, resampling));
    let q = benjamini_hochberg(&table.iter().map(|row| row.p).collect::<Vec<_>>());
    table.iter_mut().zip(q).for_each(|(row, q)| row.q = q);
    table
}

fn predict(
    predictors: &FeatureTable,
    targets: &FeatureTable,
    side: &str,
    groups: &Groups,
    resampling: &Resampling,
) -> Vec<Prediction> {
    let row = |name: &String| Prediction { target: name.clone(), side: side.into(), ..Prediction::default() };
    let mut table: Vec<Prediction> = targets.names.iter().map(row).collect();
    if predictors.columns.is_empty() {
        return table;
    }
    for (presence, columns) in super::correlations::by_presence(targets) {
        let present: Vec<u32> = (0..).zip(&presence).filter_map(|(item, has)| has.then_some(item)).collect();
        let items = chosen(&present, MOST_ITEMS, resampling.seed);
        columns.iter().for_each(|&column| table[column].n = items.len() as u32);
        let Some(regression) = Regression::new(predictors, &items, groups, resampling.seed) else { continue };
        let targets: Vec<Vec<f64>> = columns
            .iter()
            .map(|&column| items.iter().map(|&item| targets.columns[column][item as usize]).collect())
            .collect();
        let targets = Matrix::from_rows(&targets).transpose();
        regression.fill(&targets, resampling, &columns, &mut table);
    }
    table
}

/// The predictors of some items in folds, with what each fold's regression needs of them.
struct Regression {
    members: Vec<Vec<u32>>,
    folds: Vec<Fold>,
    width: usize,
    items: usize,
}

struct Fold {
    /// The items held out.
    held: Vec<usize>,
    /// Their predictors.
    predictors: Matrix,
    /// The number of the other items, the means of their predictors, and the factor of their penalised covariance.
    learnt: f64,
    means: Matrix,
    factor: Cholesky,
}

impl Regression {
    fn new(table: &FeatureTable, items: &[u32], groups: &Groups, seed: u64) -> Option<Self> {
        if items.len() < FEWEST_ITEMS {
            return None;
        }
        let columns: Vec<Vec<f64>> = table
            .columns
            .iter()
            .map(|column| items.iter().map(|&item| column[item as usize]).collect())
            .collect();
        let predictors = standardised(&Matrix::from_rows(&columns).transpose());
        if predictors.rows() != items.len() {
            return None;
        }
        let members = groups.members(items);
        let folds = folds(items.len(), &members, seed);
        Self::of_folds(&predictors, folds, members)
    }

    fn of_folds(predictors: &Matrix, held: Vec<Vec<usize>>, members: Vec<Vec<u32>>) -> Option<Self> {
        let (items, width) = (predictors.rows(), predictors.cols());
        let folds = held
            .into_iter()
            .map(|held| {
                let learnt: Vec<usize> = (0..items).filter(|item| !held.contains(item)).collect();
                let count = learnt.len() as f64;
                let others = predictors.select_rows(&learnt);
                let means = column_means(&others);
                let mut gram = others.transposed_product(&others);
                for i in 0..width {
                    for j in 0..width {
                        let centred = gram.at(i, j) - count * means.at(0, i) * means.at(0, j);
                        gram.set(i, j, centred + if i == j { RIDGE * count } else { 0.0 });
                    }
                }
                let factor = Cholesky::new(&gram)?;
                let predictors = predictors.select_rows(&held);
                Some(Fold { held, predictors, learnt: count, means, factor })
            })
            .collect::<Option<Vec<Fold>>>()?;
        Some(Self { members, folds, width, items })
    }

    fn fill(&self, targets: &Matrix, resampling: &Resampling, columns: &[usize], table: &mut [Prediction]) {
        let unmoved: Vec<u32> = (0..self.items as u32).collect();
        let mut held = vec![Vec::with_capacity(self.items); targets.cols()];
        let observed = self.r2(targets, &unmoved, |target, error, square| held[target].push((error, square)));
        let multiplications = (2 * self.items * self.width * targets.cols()).max(1) as u64;
        let affordable = (BUDGET / multiplications).clamp(99, u64::from(u32::MAX)) as u32;
        let draws = resampling.permutations.min(affordable);
        let permuted: Vec<Vec<Option<f64>>> = (0..draws)
            .into_par_iter()
            .map_init(Vec::new, |permutation, draw| {
                let mut stream = Stream::new(resampling.seed, "permutation of targets", draw.into());
                permute(&self.members, &mut stream, permutation);
                self.r2(targets, permutation, |_, _, _| {})
            })
            .collect();
        for (i, &column) in columns.iter().enumerate() {
            let mut null: Vec<f64> = permuted.iter().filter_map(|r2| r2[i]).collect();
            null.sort_by(|a, b| ascending(*b, *a));
            let row = &mut table[column];
            row.r2 = observed[i];
            let interval =
                observed[i].and_then(|r2| jackknife_interval(r2, &r2_without(&held[i]), Scale::AtMostOne));
            row.ci_low = interval.map(|ends| ends.0);
            row.ci_high = interval.map(|ends| ends.1);
            row.null_mean = mean(&null);
            row.null_q95 = percentile(&null, 0.95);
            row.p = observed[i].filter(|_| !null.is_empty()).map(|r2| p(r2, &null));
        }
    }

    /// R² of each target, item `permutation[i]` taken for item i; `None` of one without spread. `seen` is told of each item's target, its
    /// squared error and its squared distance to the mean.
    fn r2(
        &self,
        targets: &Matrix,
        permutation: &[u32],
        mut seen: impl FnMut(usize, f64, f64),
    ) -> Vec<Option<f64>> {
        let moved: Vec<usize> = permutation.iter().map(|&from| from as usize).collect();
        let targets = targets.select_rows(&moved);
        let centre = column_means(&targets);
        // Sums over each fold and over all: those over the items learnt from are the difference.
        let parts: Vec<(Matrix, Matrix, f64)> = self
            .folds
            .iter()
            .map(|fold| {
                let mut own = targets.select_rows(&fold.held);
                for i in 0..own.rows() {
                    own.row_mut(i).iter_mut().zip(centre.row(0)).for_each(|(value, mean)| *value -= mean);
                }
                (fold.predictors.transposed_product(&own), own, fold.held.len() as f64)
            })
            .collect();
        let mut all = Matrix::zeros(self.width, targets.cols());
        parts.iter().for_each(|(products, ..)| add(&mut all, products, 1.0));
        let mut errors = vec![0.0; targets.cols()];
        let mut squares = vec![0.0; targets.cols()];
        for (fold, (products, own, count)) in self.folds.iter().zip(&parts) {
            let mut products_of_others = all.clone();
            add(&mut products_of_others, products, -1.0);
            // The targets sum to zero over all items, so that the others' mean follows from the fold's.
            let mut mean = column_means(own);
            mean.row_mut(0).iter_mut().for_each(|value| *value *= -count / fold.learnt);
            add(&mut products_of_others, &fold.means.transpose().product(&mean), -fold.learnt);
            let weights = fold.factor.solve(&products_of_others);
            let predicted = fold.predictors.product(&weights);
            let offset = fold.means.product(&weights);
            for i in 0..own.rows() {
                for (j, (error, square)) in errors.iter_mut().zip(&mut squares).enumerate() {
                    let guess = predicted.at(i, j) - offset.at(0, j) + mean.at(0, j);
                    let missed = (own.at(i, j) - guess) * (own.at(i, j) - guess);
                    let distance = own.at(i, j) * own.at(i, j);
                    *error += missed;
                    *square += distance;
                    seen(j, missed, distance);
                }
            }
        }
        let spread = |sum: &f64| *sum > 0.0 && sum.is_finite();
        errors.iter().zip(&squares).map(|(e, s)| spread(s).then(|| 1.0 - e / s)).collect()
    }
}

/// R² without each item in turn, of squared errors and squared distances to the mean.
fn r2_without(held: &[(f64, f64)]) -> Vec<f64> {
    let (errors, squares) = held.iter().fold((0.0, 0.0), |(e, s), (error, square)| (e + error, s + square));
    held.iter().map(|(error, square)| 1.0 - (errors - error) / (squares - square)).collect()
}

fn add(sum: &mut Matrix, part: &Matrix, factor: f64) {
    for i in 0..sum.rows() {
        sum.row_mut(i).iter_mut().zip(part.row(i)).for_each(|(sum, value)| *sum += factor * value);
    }
}

fn column_means(matrix: &Matrix) -> Matrix {
    let mut means = Matrix::zeros(1, matrix.cols());
    for i in 0..matrix.rows() {
        means.row_mut(0).iter_mut().zip(matrix.row(i)).for_each(|(mean, value)| *mean += value);
    }
    means.row_mut(0).iter_mut().for_each(|mean| *mean /= matrix.rows() as f64);
    means
}

/// The one-sided p of `estimate` among permuted values in descending order.
fn p(estimate: f64, null: &[f64]) -> f64 {
    let reached = null.partition_point(|&value| value >= estimate - 1e-9);
    let counted = (1 + reached) as f64 / (1 + null.len()) as f64;
    if reached >= ENOUGH_EXCEEDANCES {
        return counted;
    }
    let largest = &null[..null.len().min(TAIL + 1)];
    tail_probability(largest, null.len(), estimate).unwrap_or(counted).clamp(1e-300, 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(items: usize, columns: usize, item: u64) -> FeatureTable {
        let mut stream = Stream::new(15, "predictions", item);
        let mut table = FeatureTable::default();
        for j in 0..columns {
            table.push(format!("f{j}"), (0..items).map(|_| stream.unit_f64()).collect());
        }
        table
    }

    #[test]
    fn a_planted_sum_is_predicted_and_noise_is_not() {
        let texts = table(150, 4, 0);
        let mut sounds = table(150, 3, 1);
        for i in 0..150 {
            sounds.columns[1][i] += 4.0 * texts.columns[0][i] - 4.0 * texts.columns[2][i];
        }
        sounds.columns[2][..10].fill(f64::NAN);
        let resampling = Resampling { seed: 2, permutations: 199, bootstrap: 0 };
        let found = predictions(&texts, &sounds, &Groups::none(150), &resampling);
        assert_eq!(found.len(), 7);
        assert_eq!((found[1].side.as_str(), found[1].target.as_str(), found[2].n), ("audio", "f1", 140));
        let (low, high) = (found[1].ci_low.unwrap(), found[1].ci_high.unwrap());
        assert!(
            low < found[1].r2.unwrap() && found[1].r2.unwrap() < high && high - low < 0.1,
            "{low} {high}"
        );
        assert!(found[1].r2.unwrap() > 0.9 && found[1].q.unwrap() < 1e-3, "{:?}", found[1]);
        assert!(found[0].p.unwrap() > 0.01 && found[0].null_mean.unwrap() < 0.0, "{:?}", found[0]);
        let (predicted, left) = (&found[3], &found[4]);
        assert!(predicted.side == "text" && predicted.q.unwrap() < 0.01, "{predicted:?}");
        assert!(left.p.unwrap() > 0.01, "{left:?}");
    }

    /// `tests/golden/dependence.json`, by `make_dependence.py`: scikit-learn's `Ridge` on folds i mod 5.
    #[test]
    fn equals_scikit_learn() {
        let file = include_str!("../../tests/golden/dependence.json");
        let file: serde_json::Value = serde_json::from_str(file).unwrap();
        let numbers =
            |value: &serde_json::Value| -> Vec<Vec<f64>> { serde_json::from_value(value.clone()).unwrap() };
        let case = &file["ridge"];
        let predictors = standardised(&Matrix::from_rows(&numbers(&case["texts"])).transpose());
        let targets = Matrix::from_rows(&numbers(&case["sounds"])).transpose();
        let folds = (0..5).map(|fold| (fold..60).step_by(5).collect()).collect();
        let regression = Regression::of_folds(&predictors, folds, vec![(0..60).collect()]).unwrap();
        let unmoved: Vec<u32> = (0..60).collect();
        let expected: Vec<f64> = serde_json::from_value(case["r2"].clone()).unwrap();
        for (found, expected) in regression.r2(&targets, &unmoved, |_, _, _| {}).iter().zip(expected) {
            assert!((found.unwrap() - expected).abs() < 1e-10, "{found:?} is not {expected}");
        }
    }

    #[test]
    fn what_has_no_spread_is_not_predicted() {
        let texts = table(30, 2, 3);
        let mut sounds = table(30, 2, 4);
        sounds.columns[0].fill(1.0);
        let resampling = Resampling { seed: 2, permutations: 19, bootstrap: 0 };
        let found = predictions(&texts, &sounds, &Groups::none(30), &resampling);
        assert_eq!((found[0].r2, found[0].p, found[0].q), (None, None, None));
        assert!(found[1].r2.is_some());
        let few = predictions(&table(19, 2, 5), &table(19, 2, 6), &Groups::none(19), &resampling);
        assert!(few.iter().all(|row| row.r2.is_none() && row.n == 19));
    }
}
