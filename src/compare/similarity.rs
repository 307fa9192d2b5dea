//! Likeness of two spaces without a map between them: centred kernel alignment and the correlation of distances.

use rayon::prelude::*;

use super::spaces::SpaceKind;
use crate::math::matrix::Matrix;
use crate::math::statistics::{ascending, average_ranks, pearson};
use crate::simd::Panels;

/// Linear centred kernel alignment of two spaces, ready for any order of the second one's items.
pub struct Alignment {
    text: Panels,
    sound: Panels,
}

impl Alignment {
    /// Centres the columns and scales both spaces so that `|XᵀX| = 1` and `|YᵀY| = 1`. `None` where a space has no spread.
    #[must_use]
    pub fn new(text: &Matrix, sound: &Matrix) -> Option<Self> {
        Some(Self { text: scaled(text)?, sound: scaled(sound)? })
    }

    /// `|YᵀX|²` (Kornblith, Norouzi, Lee and Hinton 2019, eq. 1 and 3), the sound space's item `permutation[i]` taken for
    /// item i. Accurate to about 1e-6.
    #[must_use]
    pub fn estimate(&self, permutation: &[u32]) -> f64 {
        let mut moved = Panels::default();
        moved.gather(&self.sound, permutation);
        let mut product = Vec::new();
        self.text.transposed_product(&moved, &mut product);
        product.iter().map(|&value| f64::from(value) * f64::from(value)).sum()
    }
}

/// The centred kernel alignment without each item in turn. With centred columns the removal of item i leaves
/// `YᵀX - c yᵢxᵢᵀ`, c = n / (n - 1), so that all n take one product. Empty where a space has no spread.
#[must_use]
pub fn alignments_without(text: &Matrix, sound: &Matrix) -> Vec<f64> {
    let (x, y) = (centred(text), centred(sound));
    let c = x.rows() as f64 / (x.rows() as f64 - 1.0);
    let [both, of_text, of_sound] = [(&x, &y), (&x, &x), (&y, &y)].map(|(a, b)| {
        let product = a.transposed_product(b);
        let size: f64 = product.values().iter().map(|value| value * value).sum();
        let sent = a.product(&product);
        let without = |i: usize| {
            let (own, squares) =
                (dot(sent.row(i), b.row(i)), dot(a.row(i), a.row(i)) * dot(b.row(i), b.row(i)));
            size - 2.0 * c * own + c * c * squares
        };
        (0..a.rows()).map(without).collect::<Vec<f64>>()
    });
    let norms = of_text.iter().zip(&of_sound).map(|(text, sound)| (text.max(0.0) * sound.max(0.0)).sqrt());
    let without: Vec<f64> = both.iter().zip(norms).map(|(both, norm)| both / norm).collect();
    if without.iter().all(|value| value.is_finite()) { without } else { Vec::new() }
}

/// The rank correlation of the distances of two spaces without each of `blocks` blocks of items in turn: item i stands in block `i`
/// modulo their number. The distances that remain are ranked anew. Empty where all distances of a space are equal.
#[must_use]
pub fn correlations_without(text: &DistanceRanks, sound: &DistanceRanks, blocks: usize) -> Vec<f64> {
    let items = text.ranks.rows();
    let pairs: Vec<(u32, u32)> =
        (0..items as u32).flat_map(|i| (i + 1..items as u32).map(move |j| (i, j))).collect();
    let distances = [text, sound].map(|space| {
        pairs.iter().map(|&(i, j)| space.ranks.at(i as usize, j as usize)).collect::<Vec<f64>>()
    });
    let orders = distances.each_ref().map(|values| {
        let mut order: Vec<u32> = (0..values.len() as u32).collect();
        order.sort_by(|&a, &b| ascending(values[a as usize], values[b as usize]));
        order
    });
    let without = |block: usize| {
        let kept = |pair: u32| {
            let (i, j) = pairs[pair as usize];
            i as usize % blocks != block && j as usize % blocks != block
        };
        let [text, sound] = [0, 1].map(|side| ranked_among(&distances[side], &orders[side], kept));
        pearson(&text, &sound)
    };
    (0..blocks).into_par_iter().map(without).collect::<Option<Vec<f64>>>().unwrap_or_default()
}

/// The average ranks of the values that are kept, in the order of the values; `order` has them by size.
fn ranked_among(values: &[f64], order: &[u32], kept: impl Fn(u32) -> bool) -> Vec<f64> {
    let order: Vec<u32> = order.iter().copied().filter(|&pair| kept(pair)).collect();
    let mut ranks = vec![f64::NAN; values.len()];
    let mut before = 0;
    for run in order.chunk_by(|&a, &b| values[a as usize] == values[b as usize]) {
        let rank = before as f64 + f64::midpoint(run.len() as f64, 1.0);
        run.iter().for_each(|&pair| ranks[pair as usize] = rank);
        before += run.len();
    }
    ranks.retain(|rank| !rank.is_nan());
    ranks
}

fn scaled(matrix: &Matrix) -> Option<Panels> {
    let centred = centred(matrix);
    // |XᵀX| = |XXᵀ|: whichever is smaller.
    let wide = centred.cols() > centred.rows();
    let turned = if wide { centred.transpose() } else { centred.clone() };
    let gram = turned.transposed_product(&turned);
    let norm = gram.values().iter().map(|value| value * value).sum::<f64>().sqrt();
    if norm <= 0.0 || !norm.is_finite() {
        return None;
    }
    let scale = 1.0 / norm.sqrt();
    let mut panels = Panels::zeros(matrix.rows(), matrix.cols());
    for j in 0..matrix.cols() {
        panels.set_column(j, centred.column(j).iter().map(|value| (value * scale) as f32));
    }
    Some(panels)
}

/// The columns less their means.
#[must_use]
pub fn centred(matrix: &Matrix) -> Matrix {
    let mut means = vec![0.0; matrix.cols()];
    for i in 0..matrix.rows() {
        means.iter_mut().zip(matrix.row(i)).for_each(|(mean, value)| *mean += value);
    }
    for mean in &mut means {
        *mean /= matrix.rows() as f64;
    }
    let mut centred = matrix.clone();
    for i in 0..matrix.rows() {
        centred.row_mut(i).iter_mut().zip(&means).for_each(|(value, mean)| *value -= mean);
    }
    centred
}

/// The ranks of the distances between all pairs of items, centred and of length one over the pairs i < j; held as a
/// symmetric matrix.
pub struct DistanceRanks {
    ranks: Matrix,
}

impl DistanceRanks {
    /// Euclidean distances of features, 1 - cosine in an embedding (1 to a vector of length zero). `None` where all distances
    /// are equal.
    #[must_use]
    pub fn new(matrix: &Matrix, kind: SpaceKind) -> Option<Self> {
        let items = matrix.rows();
        let lengths: Vec<f64> = (0..items).map(|i| dot(matrix.row(i), matrix.row(i)).sqrt()).collect();
        let mut distances = Vec::with_capacity(items * items.saturating_sub(1) / 2);
        for i in 0..items {
            for j in i + 1..items {
                let (a, b) = (matrix.row(i), matrix.row(j));
                distances.push(match kind {
                    SpaceKind::Features => {
                        a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum::<f64>().sqrt()
                    }
                    SpaceKind::Embedding if lengths[i] > 0.0 && lengths[j] > 0.0 => {
                        1.0 - dot(a, b) / (lengths[i] * lengths[j])
                    }
                    SpaceKind::Embedding => 1.0,
                });
            }
        }
        let ranks = average_ranks(&distances);
        let middle = f64::midpoint(distances.len() as f64, 1.0);
        let length = ranks.iter().map(|rank| (rank - middle) * (rank - middle)).sum::<f64>().sqrt();
        if length <= 0.0 {
            return None;
        }
        let mut square = Matrix::zeros(items, items);
        let mut ranks = ranks.iter();
        for i in 0..items {
            for j in i + 1..items {
                let rank = (ranks.next()? - middle) / length;
                square.set(i, j, rank);
                square.set(j, i, rank);
            }
        }
        Some(Self { ranks: square })
    }

    /// Spearman's correlation with the distances of another space, whose item `permutation[i]` is taken for item i.
    #[must_use]
    pub fn correlation(&self, other: &Self, permutation: &[u32]) -> f64 {
        let mut sum = 0.0;
        for (i, &from) in permutation.iter().enumerate() {
            let moved = other.ranks.row(from as usize);
            let row = self.ranks.row(i)[i + 1..].iter().zip(&permutation[i + 1..]);
            sum += row.map(|(rank, &j)| rank * moved[j as usize]).sum::<f64>();
        }
        sum.clamp(-1.0, 1.0)
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn space(cols: i32, f: impl Fn(i32, i32) -> i32) -> Matrix {
        let rows: Vec<Vec<f64>> = (0..24).map(|i| (0..cols).map(|j| f64::from(f(i, j))).collect()).collect();
        Matrix::from_rows(&rows)
    }

    fn x() -> Matrix {
        space(3, |i, j| (i * 7 + j * 5) * (i + 3) % 29)
    }

    fn y() -> Matrix {
        space(4, |i, j| (i * 11 + j * 3) * (i + 1) % 31 + i * 7 * (i + 3) % 29)
    }

    /// numpy 2.4.6 by the formula; scipy 1.17.1: `spearmanr(pdist(X, "cosine"), pdist(Y, "cosine"))`.
    #[test]
    fn equals_numpy_and_scipy() {
        let unmoved: Vec<u32> = (0..24).collect();
        let cka = Alignment::new(&x(), &y()).unwrap().estimate(&unmoved);
        assert!((cka - 0.437_424_821_123_760_47).abs() < 1e-6, "{cka}");
        let distances = |matrix| DistanceRanks::new(&matrix, SpaceKind::Embedding).unwrap();
        let rsa = distances(x()).correlation(&distances(y()), &unmoved);
        assert!((rsa - 0.300_943_194_303_734_23).abs() < 1e-12, "{rsa}");
    }

    /// Moving the items of a space is moving its rows.
    #[test]
    fn permuted_items_are_permuted_rows() {
        let unmoved: Vec<u32> = (0..24).collect();
        let moved: Vec<u32> = (0..24).map(|i| i * 7 % 24).collect();
        let rows: Vec<usize> = moved.iter().map(|&i| i as usize).collect();
        let moved_y = y().select_rows(&rows);
        let cka = Alignment::new(&x(), &y()).unwrap().estimate(&moved);
        assert_eq!(cka, Alignment::new(&x(), &moved_y).unwrap().estimate(&unmoved));
        let distances = |matrix| DistanceRanks::new(&matrix, SpaceKind::Features).unwrap();
        let rsa = distances(x()).correlation(&distances(y()), &moved);
        assert!((rsa - distances(x()).correlation(&distances(moved_y), &unmoved)).abs() < 1e-14);
    }

    #[test]
    fn a_space_is_like_itself_turned_and_scaled() {
        let unmoved: Vec<u32> = (0..24).collect();
        let turn = Matrix::from_rows(&[[0.0, 3.0, 0.0], [0.0, 0.0, -3.0], [3.0, 0.0, 0.0]]);
        let cka = Alignment::new(&x(), &x().product(&turn)).unwrap().estimate(&unmoved);
        assert!((cka - 1.0).abs() < 1e-6);
        let distances = |matrix| DistanceRanks::new(&matrix, SpaceKind::Features).unwrap();
        let rsa = distances(x()).correlation(&distances(x().product(&turn)), &unmoved);
        assert!((rsa - 1.0).abs() < 1e-12);
    }

    #[test]
    fn more_dimensions_than_items() {
        let wide = y().transpose().product(&y().product(&y().transpose()));
        assert!(wide.cols() > wide.rows());
        let cka = Alignment::new(&wide, &wide).unwrap().estimate(&[0, 1, 2, 3]);
        assert!((cka - 1.0).abs() < 1e-6);
    }

    /// By the definition: the item is taken out of both spaces and all is computed anew.
    #[test]
    fn what_is_left_out_is_left_out() {
        let (aligned, distances) = (alignments_without(&x(), &y()), |matrix: &Matrix| {
            DistanceRanks::new(matrix, SpaceKind::Features).unwrap()
        });
        let correlated = correlations_without(&distances(&x()), &distances(&y()), 24);
        for i in 0..24 {
            let rest: Vec<usize> = (0..24).filter(|&other| other != i).collect();
            let (x, y) = (x().select_rows(&rest), y().select_rows(&rest));
            let unmoved: Vec<u32> = (0..23).collect();
            let expected = Alignment::new(&x, &y).unwrap().estimate(&unmoved);
            assert!((aligned[i] - expected).abs() < 1e-6, "{i}: {} {expected}", aligned[i]);
            let expected = distances(&x).correlation(&distances(&y), &unmoved);
            assert!((correlated[i] - expected).abs() < 1e-12, "{i}: {} {expected}", correlated[i]);
        }
        assert_eq!(correlations_without(&distances(&x()), &distances(&y()), 5).len(), 5);
        let flat = Matrix::from_rows(&[[1.0, 2.0]; 5]);
        assert!(alignments_without(&flat, &flat).is_empty());
    }

    #[test]
    fn no_spread_is_undefined() {
        let flat = Matrix::from_rows(&[[1.0, 2.0]; 5]);
        assert!(Alignment::new(&flat, &flat).is_none());
        assert!(DistanceRanks::new(&flat, SpaceKind::Features).is_none());
        assert!(DistanceRanks::new(&Matrix::zeros(0, 0), SpaceKind::Embedding).is_none());
    }
}
