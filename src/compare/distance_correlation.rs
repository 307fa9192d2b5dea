//! Distance correlation: zero exactly where two features are independent, whatever the shape of what they have in common.

use crate::math::statistics::{ascending, is_constant, mean, population_sd};

/// A feature with what its distances need, computed once.
pub struct DistanceColumn {
    /// Less the mean, over the standard deviation: the measure does not change, the sums stay small.
    values: Vec<f64>,
    /// Items by value.
    order: Vec<u32>,
    /// Place of each item's value among the distinct values, from 1.
    place: Vec<u32>,
    /// Sum of the distances of each item to all.
    sums: Vec<f64>,
    total: f64,
    /// Distance variance, squared.
    variance: f64,
}

impl DistanceColumn {
    /// Prepares finite values; `None` where they are fewer than two or all the same.
    #[must_use]
    pub fn new(values: &[f64]) -> Option<Self> {
        let (mean, sd) = (mean(values)?, population_sd(values)?);
        if is_constant(values) || sd <= 0.0 || !sd.is_finite() {
            return None;
        }
        let values: Vec<f64> = values.iter().map(|value| (value - mean) / sd).collect();
        let mut order: Vec<u32> = (0..values.len() as u32).collect();
        order.sort_by(|&a, &b| ascending(values[a as usize], values[b as usize]).then(a.cmp(&b)));
        let mut place = vec![0; values.len()];
        let runs = order.chunk_by(|&a, &b| values[a as usize] == values[b as usize]);
        for (run, at) in runs.zip(1..) {
            run.iter().for_each(|&item| place[item as usize] = at);
        }
        let sums = distance_sums(&values, &order);
        let total = sums.iter().sum();
        let mut column = Self { values, order, place, sums, total, variance: 0.0 };
        let unmoved: Vec<u32> = (0..column.values.len() as u32).collect();
        column.variance = column.covariance(&column, &unmoved);
        (column.variance > 0.0).then_some(column)
    }

    /// The distance correlation with another feature, whose item `permutation[i]` is taken for item i: the root of
    /// `V²(x, y) / sqrt(V²(x, x) V²(y, y))`, where `V²` is the mean product of the doubly centred distances (Székely, Rizzo
    /// and Bakirov 2007, definitions 4 and 5). From 0 to 1. Takes n log n steps (Huo and Székely 2016).
    #[must_use]
    pub fn correlation(&self, other: &Self, permutation: &[u32]) -> f64 {
        let scale = (self.variance * other.variance).sqrt();
        (self.covariance(other, permutation) / scale).clamp(0.0, 1.0).sqrt()
    }

    /// `V² = Σ a b / n² - 2 Σ a· b· / n³ + a·· b·· / n⁴` over all pairs of items and, with a dot, their sums.
    fn covariance(&self, other: &Self, permutation: &[u32]) -> f64 {
        let n = self.values.len() as f64;
        let rows: f64 =
            self.sums.iter().zip(permutation).map(|(sum, &from)| sum * other.sums[from as usize]).sum();
        let products = self.products(other, permutation) / (n * n);
        products - 2.0 * rows / (n * n * n) + (self.total / (n * n)) * (other.total / (n * n))
    }

    /// The sum of `|x_i - x_j| |y_i - y_j|` over all ordered pairs: going up in x, the items before fall into those with a
    /// smaller y, whose sums a Fenwick tree (1994) keeps, and the rest.
    fn products(&self, other: &Self, permutation: &[u32]) -> f64 {
        let mut below = vec![[0.0_f64; 4]; other.values.len() + 1];
        let mut all = [0.0_f64; 4];
        // Of (x_j - x_i)(y_j - y_i) over items i with these sums of 1, x, y and x y.
        let spread = |sums: &[f64; 4], x: f64, y: f64| x * y * sums[0] - y * sums[1] - x * sums[2] + sums[3];
        let mut total = 0.0;
        for &item in &self.order {
            let from = permutation[item as usize] as usize;
            let (x, y) = (self.values[item as usize], other.values[from]);
            let place = other.place[from] as usize;
            let mut smaller = [0.0; 4];
            let mut at = place - 1;
            while at > 0 {
                smaller.iter_mut().zip(&below[at]).for_each(|(sum, part)| *sum += part);
                at &= at - 1;
            }
            total += 2.0 * spread(&smaller, x, y) - spread(&all, x, y);
            let own = [1.0, x, y, x * y];
            let mut at = place;
            while at < below.len() {
                below[at].iter_mut().zip(&own).for_each(|(part, value)| *part += value);
                at += at & at.wrapping_neg();
            }
            all.iter_mut().zip(&own).for_each(|(sum, value)| *sum += value);
        }
        2.0 * total
    }
}

/// The sum of the distances of each item to all others, by one pass over the values in order.
fn distance_sums(values: &[f64], order: &[u32]) -> Vec<f64> {
    let n = values.len() as f64;
    let all: f64 = values.iter().sum();
    let mut sums = vec![0.0; values.len()];
    let mut before = 0.0;
    for (count, &item) in order.iter().enumerate() {
        let (value, count) = (values[item as usize], count as f64);
        sums[item as usize] = (2.0 * count - n) * value + all - 2.0 * before;
        before += value;
    }
    sums
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::random::Stream;

    fn naive(x: &[f64], y: &[f64]) -> f64 {
        let centred = |v: &[f64]| -> Vec<Vec<f64>> {
            let n = v.len() as f64;
            let d: Vec<Vec<f64>> = v.iter().map(|a| v.iter().map(|b| (a - b).abs()).collect()).collect();
            let rows: Vec<f64> = d.iter().map(|row: &Vec<f64>| row.iter().sum::<f64>() / n).collect();
            let all = rows.iter().sum::<f64>() / n;
            (0..v.len()).map(|i| (0..v.len()).map(|j| d[i][j] - rows[i] - rows[j] + all).collect()).collect()
        };
        let product = |a: &[Vec<f64>], b: &[Vec<f64>]| -> f64 {
            a.iter().flatten().zip(b.iter().flatten()).map(|(a, b)| a * b).sum()
        };
        let (a, b) = (centred(x), centred(y));
        (product(&a, &b).max(0.0) / (product(&a, &a) * product(&b, &b)).sqrt()).sqrt()
    }

    #[test]
    fn equals_the_definition_with_and_without_ties() {
        for (n, distinct) in [(2, 9), (7, 3), (60, 5), (201, 1 << 30)] {
            let mut stream = Stream::new(4, "distances", u64::from(distinct));
            let mut draw = || (0..n).map(|_| 1e4 + f64::from(stream.below(distinct))).collect::<Vec<f64>>();
            let x = draw();
            let y: Vec<f64> = x.iter().zip(draw()).map(|(x, e)| (x - 1e4) * (x - 1e4) + e).collect();
            let (Some(a), Some(b)) = (DistanceColumn::new(&x), DistanceColumn::new(&y)) else { continue };
            let moved: Vec<u32> = (0..n as u32).map(|i| (i * 11 + 1) % n as u32).collect();
            let moved_y: Vec<f64> = moved.iter().map(|&i| y[i as usize]).collect();
            let unmoved: Vec<u32> = (0..n as u32).collect();
            assert!((a.correlation(&b, &unmoved) - naive(&x, &y)).abs() < 1e-9, "{n}");
            assert!((a.correlation(&b, &moved) - naive(&x, &moved_y)).abs() < 1e-6, "{n}");
            assert!((a.correlation(&a, &unmoved) - 1.0).abs() < 1e-12);
        }
    }

    #[test]
    fn a_parabola_is_seen_where_correlation_sees_nothing() {
        let x: Vec<f64> = (-50..=50).map(f64::from).collect();
        let y: Vec<f64> = x.iter().map(|x| x * x).collect();
        let unmoved: Vec<u32> = (0..101).collect();
        let found = DistanceColumn::new(&x).unwrap().correlation(&DistanceColumn::new(&y).unwrap(), &unmoved);
        assert!(found > 0.45, "{found}");
        assert!(DistanceColumn::new(&[2.0; 9]).is_none() && DistanceColumn::new(&[]).is_none());
    }
}
