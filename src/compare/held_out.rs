//! Likeness of two spaces through a map between them, learnt on some items and judged on others: canonical correlation and
//! retrieval.

use std::collections::BTreeMap;

use super::jackknife::{Scale, jackknife_interval, means_without, share_interval};
use super::similarity::centred;
use crate::math::linear::{Cholesky, SymmetricEigen};
use crate::math::matrix::Matrix;
use crate::math::random::Stream;
use crate::math::statistics::{mean, pearson};

const FOLDS: usize = 5;
/// Principal components of a space at most.
const COMPONENTS: usize = 64;
/// What is added to a covariance's diagonal, as a share of its mean.
const RIDGE: f64 = 0.1;
/// Fewer items leave folds in which nothing can be retrieved.
const FEWEST_ITEMS: usize = 20;

/// Two spaces as principal components, with their items in folds.
pub struct HeldOut {
    text: Matrix,
    sound: Matrix,
    /// Texts with the same number are the same: the recording of either is right for both.
    same: Vec<u32>,
    folds: Vec<Vec<usize>>,
}

impl HeldOut {
    /// Reduces both spaces and deals the items into folds. `None` for fewer than 20 items or a space without spread.
    #[must_use]
    pub fn new(text: &Matrix, sound: &Matrix, members: &[Vec<u32>], seed: u64) -> Option<Self> {
        let items = text.rows();
        if items < FEWEST_ITEMS {
            return None;
        }
        let count = COMPONENTS.min(items / 5);
        Some(Self {
            text: principal_components(text, count)?,
            sound: principal_components(sound, count)?,
            same: same_rows(text),
            folds: folds(items, members, seed),
        })
    }

    /// Held-out canonical correlation, recall at 1, at 5 and at 10, and mean reciprocal rank, the sound space's item
    /// `permutation[i]` taken for item i. `None` where a covariance is not positive definite.
    #[must_use]
    pub fn estimate(&self, permutation: &[u32]) -> Option<[f64; 5]> {
        let judged = self.judged(permutation)?;
        let items = judged.ranks.len() as f64;
        let found = |most: usize| judged.ranks.iter().filter(|rank| **rank <= most).count() as f64 / items;
        let reciprocal: f64 = judged.ranks.iter().map(|rank| 1.0 / *rank as f64).sum();
        Some([judged.canonical_correlation(), found(1), found(5), found(10), reciprocal / items])
    }

    /// The 95 % intervals of what [`Self::estimate`] gives for the true order, what was learnt held fixed: the jackknife over items of the
    /// correlation, over different texts of the reciprocal ranks, and Wilson's of the shares. Equal texts of a fold are one question
    /// asked several times: they count as one.
    #[must_use]
    pub fn intervals(&self) -> [Option<(f64, f64)>; 5] {
        let unmoved: Vec<u32> = (0..self.text.rows() as u32).collect();
        let Some(judged) = self.judged(&unmoved) else { return [None; 5] };
        let reciprocal: Vec<f64> = judged.ranks.iter().map(|rank| 1.0 / *rank as f64).collect();
        let questions = judged.questions.len() as f64;
        let [one, five, ten] = [1, 5, 10].map(|most| {
            let hits = judged.ranks.iter().filter(|rank| **rank <= most).count() as f64;
            share_interval(hits / judged.ranks.len() as f64 * questions, questions)
        });
        let correlation = judged.canonical_correlation();
        let mean = mean(&reciprocal).unwrap_or_default();
        let blocks: Vec<&[usize]> = judged.questions.values().map(Vec::as_slice).collect();
        [
            jackknife_interval(correlation, &judged.correlations_without(), Scale::Correlation),
            one,
            five,
            ten,
            jackknife_interval(mean, &means_without(&reciprocal, &blocks), Scale::Share),
        ]
    }

    fn judged(&self, permutation: &[u32]) -> Option<Judged> {
        let moved: Vec<usize> = permutation.iter().map(|&i| i as usize).collect();
        let sound = self.sound.select_rows(&moved);
        let parts: Vec<Moments> =
            self.folds.iter().map(|fold| Moments::new(&self.text, &sound, fold)).collect();
        let mut judged = Judged::default();
        for (held, fold) in self.folds.iter().enumerate() {
            let model = Model::fit(&parts, held)?;
            let text = less(&self.text.select_rows(fold), &model.text_mean);
            let sound = less(&sound.select_rows(fold), &model.sound_mean);
            let same: Vec<u32> = fold.iter().map(|&item| self.same[item]).collect();
            for (&text, item) in same.iter().zip(judged.ranks.len()..) {
                judged.questions.entry((held, text)).or_default().push(item);
            }
            judged.variates.push(model.canonical_variates(&text, &sound));
            judged.ranks.extend(ranks(&text.product(&model.map), &sound, &same));
        }
        Some(judged)
    }
}

/// What the items of each fold give under what the others teach.
#[derive(Default)]
struct Judged {
    /// The first canonical variates of each fold's items.
    variates: Vec<(Vec<f64>, Vec<f64>)>,
    /// The rank of each item's recording.
    ranks: Vec<usize>,
    /// The items (as `ranks` has them) of each different text of each fold.
    questions: BTreeMap<(usize, u32), Vec<usize>>,
}

impl Judged {
    /// The mean over folds.
    fn canonical_correlation(&self) -> f64 {
        let of_fold = |(text, sound): &(Vec<f64>, Vec<f64>)| pearson(text, sound).unwrap_or(0.0);
        self.variates.iter().map(of_fold).sum::<f64>() / self.variates.len() as f64
    }

    /// The same without each item in turn.
    fn correlations_without(&self) -> Vec<f64> {
        let (whole, folds) = (self.canonical_correlation(), self.variates.len() as f64);
        let of_fold = |(text, sound): &(Vec<f64>, Vec<f64>)| {
            let own = pearson(text, sound).unwrap_or(0.0);
            let (mut text, mut sound) = (text.clone(), sound.clone());
            let mut without = Vec::with_capacity(text.len());
            // The item that is left out changes its place with the last.
            for item in 0..text.len() {
                let last = text.len() - 1;
                text.swap(item, last);
                sound.swap(item, last);
                let rest = pearson(&text[..last], &sound[..last]).unwrap_or(0.0);
                without.push(whole + (rest - own) / folds);
                text.swap(item, last);
                sound.swap(item, last);
            }
            without
        };
        self.variates.iter().flat_map(of_fold).collect()
    }
}

impl HeldOut {
    /// For each item its number, how alike (by cosine) its recording is to where its text is sent by what the other folds
    /// teach, and how alike the recordings of its fold are. `None` where a covariance is not positive definite.
    #[must_use]
    pub fn likenesses(&self) -> Option<Vec<(usize, f64, Vec<f64>)>> {
        let parts: Vec<Moments> =
            self.folds.iter().map(|fold| Moments::new(&self.text, &self.sound, fold)).collect();
        let mut likenesses = Vec::new();
        for (held, fold) in self.folds.iter().enumerate() {
            let model = Model::fit(&parts, held)?;
            let sent = less(&self.text.select_rows(fold), &model.text_mean).product(&model.map);
            let sound = less(&self.sound.select_rows(fold), &model.sound_mean);
            let scores = of_length_one(&sent).product(&of_length_one(&sound).transpose());
            likenesses.extend(
                fold.iter().enumerate().map(|(i, &item)| (item, scores.at(i, i), scores.row(i).to_vec())),
            );
        }
        Some(likenesses)
    }
}

/// The scores of the items on the first principal components: at most `count`, without those whose variance is below 1e-10
/// of the first. `None` where there is no variance.
fn principal_components(matrix: &Matrix, count: usize) -> Option<Matrix> {
    let centred = centred(matrix);
    let wide = centred.cols() > centred.rows();
    let turned = if wide { centred.transpose() } else { centred.clone() };
    let eigen = SymmetricEigen::new(&turned.transposed_product(&turned));
    let first = *eigen.values.first()?;
    if first <= 0.0 || !first.is_finite() {
        return None;
    }
    let kept: Vec<usize> =
        (0..eigen.values.len().min(count)).filter(|&i| eigen.values[i] > 1e-10 * first).collect();
    let axes = eigen.vectors.select_rows(&kept).transpose();
    if !wide {
        return Some(centred.product(&axes));
    }
    // Eigenvectors of XXᵀ are the scores themselves, less their scale.
    let mut scores = axes;
    for i in 0..scores.rows() {
        for (score, &k) in scores.row_mut(i).iter_mut().zip(&kept) {
            *score *= eigen.values[k].sqrt();
        }
    }
    Some(scores)
}

/// Five folds of nearly equal size. No group is split where there are several: the groups, in random order and then by size, each go
/// to the smallest fold, and fewer than five groups are a fold each.
pub(super) fn folds(items: usize, members: &[Vec<u32>], seed: u64) -> Vec<Vec<usize>> {
    let mut stream = Stream::new(seed, "folds", 0);
    let grouped = members.len() > 1;
    let mut units: Vec<Vec<u32>> =
        if grouped { members.to_vec() } else { (0..items as u32).map(|item| vec![item]).collect() };
    stream.shuffle(&mut units);
    units.sort_by_key(|unit| std::cmp::Reverse(unit.len()));
    let count = if grouped { FOLDS.min(members.len()) } else { FOLDS };
    let mut folds: Vec<Vec<usize>> = vec![Vec::new(); count];
    for unit in units {
        if let Some(smallest) = folds.iter_mut().min_by_key(|fold| fold.len()) {
            smallest.extend(unit.iter().map(|&item| item as usize));
        }
    }
    for fold in &mut folds {
        fold.sort_unstable();
    }
    folds
}

/// Sums and sums of products of some items, which add up over folds.
struct Moments {
    items: f64,
    text: Matrix,
    sound: Matrix,
    text_text: Matrix,
    text_sound: Matrix,
    sound_sound: Matrix,
}

impl Moments {
    fn new(text: &Matrix, sound: &Matrix, items: &[usize]) -> Self {
        let (text, sound) = (text.select_rows(items), sound.select_rows(items));
        let ones = Matrix::from_rows(&vec![[1.0]; items.len()]);
        Self {
            items: items.len() as f64,
            text: ones.transposed_product(&text),
            sound: ones.transposed_product(&sound),
            text_text: text.transposed_product(&text),
            text_sound: text.transposed_product(&sound),
            sound_sound: sound.transposed_product(&sound),
        }
    }
}

/// What is learnt from the items outside a fold.
struct Model {
    text_mean: Vec<f64>,
    sound_mean: Vec<f64>,
    /// Ridge regression of sound on text: components of text by components of sound.
    map: Matrix,
    text_weights: Matrix,
    sound_weights: Matrix,
}

impl Model {
    fn fit(parts: &[Moments], held: usize) -> Option<Self> {
        let sum = |of: fn(&Moments) -> &Matrix| {
            let first = of(parts.first()?);
            let mut sum = Matrix::zeros(first.rows(), first.cols());
            for (_, part) in parts.iter().enumerate().filter(|(i, _)| *i != held) {
                for i in 0..sum.rows() {
                    sum.row_mut(i).iter_mut().zip(of(part).row(i)).for_each(|(sum, value)| *sum += value);
                }
            }
            Some(sum)
        };
        let items: f64 =
            parts.iter().enumerate().filter(|(i, _)| *i != held).map(|(_, part)| part.items).sum();
        let means = |sums: Matrix| sums.row(0).iter().map(|sum| sum / items).collect::<Vec<f64>>();
        let text_mean = means(sum(|part| &part.text)?);
        let sound_mean = means(sum(|part| &part.sound)?);
        let covariance = |sums: Matrix, a: &[f64], b: &[f64]| {
            let mut covariance = sums;
            for (i, a) in a.iter().enumerate() {
                let row = covariance.row_mut(i).iter_mut().zip(b);
                row.for_each(|(value, b)| *value = *value / items - a * b);
            }
            covariance
        };
        let text_text = ridged(covariance(sum(|part| &part.text_text)?, &text_mean, &text_mean));
        let sound_sound = ridged(covariance(sum(|part| &part.sound_sound)?, &sound_mean, &sound_mean));
        let text_sound = covariance(sum(|part| &part.text_sound)?, &text_mean, &sound_mean);
        let text_factor = Cholesky::new(&text_text)?;
        let sound_factor = Cholesky::new(&sound_sound)?;
        let (text_weights, sound_weights) = canonical_weights(&text_factor, &sound_factor, &text_sound);
        Some(Self { map: text_factor.solve(&text_sound), text_mean, sound_mean, text_weights, sound_weights })
    }

    fn canonical_variates(&self, text: &Matrix, sound: &Matrix) -> (Vec<f64>, Vec<f64>) {
        let text = text.product(&self.text_weights);
        let sound = sound.product(&self.sound_weights);
        (text.values().to_vec(), sound.values().to_vec())
    }
}

/// The rows less a mean.
fn less(matrix: &Matrix, mean: &[f64]) -> Matrix {
    let mut rest = matrix.clone();
    for i in 0..matrix.rows() {
        rest.row_mut(i).iter_mut().zip(mean).for_each(|(value, mean)| *value -= mean);
    }
    rest
}

fn ridged(mut covariance: Matrix) -> Matrix {
    let trace: f64 = (0..covariance.rows()).map(|i| covariance.at(i, i)).sum();
    let ridge = RIDGE * trace / covariance.rows() as f64;
    for i in 0..covariance.rows() {
        covariance.set(i, i, covariance.at(i, i) + ridge);
    }
    covariance
}

/// The weights of the first canonical variates: with M = Lx⁻¹ Cxy Ly⁻ᵀ and its first singular vectors u and v, Lx⁻ᵀ u and
/// Ly⁻ᵀ v (Bjorck and Golub 1973).
fn canonical_weights(text: &Cholesky, sound: &Cholesky, cross: &Matrix) -> (Matrix, Matrix) {
    let half = text.forward(cross);
    let whitened = sound.forward(&half.transpose()).transpose();
    let eigen = SymmetricEigen::new(&whitened.product(&whitened.transpose()));
    let u = eigen.vectors.select_rows(&[0]).transpose();
    let v = whitened.transposed_product(&u);
    (text.backward(&u), sound.backward(&v))
}

/// The rank of the own recording of each text, from 1: how many other recordings are at least as near by cosine. Of texts that are the
/// same (equal numbers in `same`) the nearest recording of any counts, and those of the others are not in its way.
fn ranks(predicted: &Matrix, sound: &Matrix, same: &[u32]) -> Vec<usize> {
    let predicted = of_length_one(predicted);
    let sound = of_length_one(sound);
    let scores = predicted.product(&sound.transpose());
    (0..scores.rows())
        .map(|i| {
            let row = || scores.row(i).iter().zip(same);
            let right = row().filter(|(_, text)| **text == same[i]).map(|(score, _)| *score);
            let own = right.fold(f64::NEG_INFINITY, f64::max);
            1 + row().filter(|(score, text)| **text != same[i] && **score >= own).count()
        })
        .collect()
}

/// A number for each row, the same for rows that are equal bit by bit.
fn same_rows(matrix: &Matrix) -> Vec<u32> {
    let mut numbers: BTreeMap<Vec<u64>, u32> = BTreeMap::new();
    let number = |i: usize| {
        let bits: Vec<u64> = matrix.row(i).iter().map(|value| value.to_bits()).collect();
        let next = numbers.len() as u32;
        *numbers.entry(bits).or_insert(next)
    };
    (0..matrix.rows()).map(number).collect()
}

fn of_length_one(matrix: &Matrix) -> Matrix {
    let mut scaled = matrix.clone();
    for i in 0..scaled.rows() {
        let row = scaled.row_mut(i);
        let length = row.iter().map(|value| value * value).sum::<f64>().sqrt();
        if length > 0.0 {
            for value in row {
                *value /= length;
            }
        }
    }
    scaled
}

#[cfg(test)]
mod tests {
    use super::*;

    fn space(cols: i32, f: impl Fn(i32, i32) -> i32) -> Matrix {
        let rows: Vec<Vec<f64>> = (0..24).map(|i| (0..cols).map(|j| f64::from(f(i, j))).collect()).collect();
        Matrix::from_rows(&rows)
    }

    /// scikit-learn 1.9.1 and scipy 1.17.1: `PCA`, `Ridge(alpha = 0.1 tr(Cxx) / p n)`, and canonical weights by
    /// `scipy.linalg.eigh(Cxy Kyy⁻¹ Cyx, Kxx)`, on folds i mod 5.
    #[test]
    fn equals_scikit_learn() {
        let x = space(3, |i, j| (i * 7 + j * 5) * (i + 3) % 29);
        let y = space(4, |i, j| (i * 11 + j * 3) * (i + 1) % 31 + i * 7 * (i + 3) % 29);
        let held_out = HeldOut {
            text: principal_components(&x, 4).unwrap(),
            sound: principal_components(&y, 4).unwrap(),
            same: same_rows(&x),
            folds: (0..5).map(|fold| (fold..24).step_by(5).collect()).collect(),
        };
        let unmoved: Vec<u32> = (0..24).collect();
        let estimate = held_out.estimate(&unmoved).unwrap();
        let expected = [0.698_044_951_670_517_9, 0.458_333_333_333_333_3, 1.0, 1.0, 0.643_749_999_999_999_9];
        for (estimate, expected) in estimate.iter().zip(expected) {
            assert!((estimate - expected).abs() < 1e-9, "{estimate} is not {expected}");
        }
    }

    #[test]
    fn components_of_wide_and_tall_spaces_agree() {
        let wide = space(40, |i, j| (i * i * 13 + j * j * 7 + i * j * 3) % 37);
        let scores = principal_components(&wide, 5).unwrap();
        assert_eq!((scores.rows(), scores.cols()), (24, 5));
        // The same items with their dimensions repeated as zeros elsewhere: distances, hence scores, are the same.
        let doubled = Matrix::from_rows(&(0..24).map(|i| wide.row(i)[..20].to_vec()).collect::<Vec<_>>());
        let narrow = principal_components(&doubled, 20).unwrap();
        for (i, j) in [(0, 1), (3, 9), (20, 4)] {
            let squares =
                |m: &Matrix| -> f64 { m.row(i).iter().zip(m.row(j)).map(|(a, b)| (a - b) * (a - b)).sum() };
            assert!((squares(&narrow) - squares(&doubled)).abs() < 1e-8);
        }
        assert!(principal_components(&Matrix::zeros(5, 3), 2).is_none());
    }

    #[test]
    fn groups_are_not_split_across_folds() {
        let members: Vec<Vec<u32>> =
            (0..7).map(|group| (0..50).filter(|i| i % 7 == group).collect()).collect();
        let folds = folds(50, &members, 1);
        let mut all: Vec<usize> = folds.concat();
        all.sort_unstable();
        assert_eq!(all, (0..50).collect::<Vec<_>>());
        for group in 0..7 {
            assert_eq!(folds.iter().filter(|fold| fold.iter().any(|i| i % 7 == group)).count(), 1);
        }
    }

    #[test]
    fn few_groups_are_a_fold_each() {
        let (first, second): (Vec<u32>, Vec<u32>) = ((0..20).collect(), (20..52).collect());
        let mut two = folds(52, &[first, second], 1);
        two.sort();
        assert_eq!(two, [(0..20).collect::<Vec<usize>>(), (20..52).collect()]);
        let sizes: Vec<usize> = folds(52, &[(0..52).collect()], 1).iter().map(Vec::len).collect();
        assert_eq!((sizes.len(), sizes.iter().sum::<usize>()), (5, 52));
        assert!(sizes.iter().all(|&size| size == 10 || size == 11));
    }

    #[test]
    fn a_recording_of_the_same_text_is_right() {
        let predicted = Matrix::from_rows(&[[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]]);
        let sound = Matrix::from_rows(&[[0.0, 1.0], [1.0, 0.1], [0.7, 0.7]]);
        assert_eq!(ranks(&predicted, &sound, &[0, 1, 2]), [3, 1, 2]);
        assert_eq!(ranks(&predicted, &sound, &[0, 0, 1]), [1, 1, 2]);
        let rows = Matrix::from_rows(&[[1.0, 2.0], [2.0, 1.0], [1.0, 2.0]]);
        assert_eq!(same_rows(&rows), [0, 1, 0]);
    }

    /// By the definition: one item less among the variates of its fold.
    #[test]
    fn intervals_are_about_their_estimates() {
        let x = space(3, |i, j| (i * 7 + j * 5) * (i + 3) % 29);
        let y = space(4, |i, j| (i * 11 + j * 3) * (i + 1) % 31 + i * 7 * (i + 3) % 29);
        let held_out = HeldOut::new(&x, &y, &[(0..24).collect()], 1).unwrap();
        let unmoved: Vec<u32> = (0..24).collect();
        let estimates = held_out.estimate(&unmoved).unwrap();
        for (estimate, interval) in estimates.iter().zip(held_out.intervals()) {
            let (low, high) = interval.unwrap();
            assert!(low <= *estimate && *estimate <= high && low < high, "{low} {estimate} {high}");
        }
        let judged = held_out.judged(&unmoved).unwrap();
        let asked: usize = judged.questions.values().map(Vec::len).sum();
        assert!(asked == 24 && judged.questions.len() <= 24, "{:?}", judged.questions);
        let mut less = Judged { variates: judged.variates.clone(), ..Judged::default() };
        less.variates[0].0.remove(1);
        less.variates[0].1.remove(1);
        let expected = less.canonical_correlation();
        assert!((judged.correlations_without()[1] - expected).abs() < 1e-12);
    }
}
