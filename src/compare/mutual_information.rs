//! Mutual information of two features by the distances to nearest neighbours.

use crate::math::statistics::{ascending, is_constant, population_sd};
use crate::simd::{NEIGHBOURS, Width, neighbour_distances};

const EULER: f64 = 0.577_215_664_901_532_9;

/// A feature over its standard deviation.
pub struct ScaledColumn {
    values: Vec<f64>,
    /// Items by value.
    order: Vec<u32>,
    sorted: Vec<f64>,
    distinct: usize,
}

impl ScaledColumn {
    /// Prepares finite values; `None` where they are all the same.
    #[must_use]
    pub fn new(values: &[f64]) -> Option<Self> {
        let sd = population_sd(values)?;
        if is_constant(values) || sd <= 0.0 || !sd.is_finite() {
            return None;
        }
        let values: Vec<f64> = values.iter().map(|value| value / sd).collect();
        let mut order: Vec<u32> = (0..values.len() as u32).collect();
        order.sort_by(|&a, &b| ascending(values[a as usize], values[b as usize]).then(a.cmp(&b)));
        let sorted: Vec<f64> = order.iter().map(|&item| values[item as usize]).collect();
        let distinct = sorted.chunk_by(|a, b| a == b).count();
        Some(Self { values, order, sorted, distinct })
    }

    /// Other items whose value is at most `radius` from `value`, which is one of the column.
    fn within(&self, value: f64, radius: f64) -> usize {
        let low = self.sorted.partition_point(|&other| value - other > radius);
        let high = self.sorted.partition_point(|&other| other - value <= radius);
        (high - low).saturating_sub(1)
    }
}

/// The mutual information in nats of two features of the same items, item `permutation[i]` of `y` taken for item i; not
/// below 0. `None` for three items and fewer.
///
/// `ψ(n) + ψ(k) - mean(ψ(n_x + 1) + ψ(n_y + 1))` with k = 3, where `n_x` and `n_y` count the items nearer in one feature than
/// the k-th neighbour is in the larger of both distances (Kraskov, Stögbauer and Grassberger 2004, eq. 8). This is what
/// scikit-learn's `mutual_info_regression` computes after it has divided by the standard deviation and added noise of 1e-10
/// of the mean to part equal values; no noise is added here, so that equal values are neighbours at distance 0: `n_x` is
/// then the number of items that equal it.
#[must_use]
pub fn mutual_information(x: &ScaledColumn, y: &ScaledColumn, permutation: &[u32]) -> Option<f64> {
    let n = x.values.len();
    if n <= NEIGHBOURS {
        return None;
    }
    // Neighbours are looked for along the feature with more values: along one with few, many items are all equally near.
    let (along, across, beside) = if x.distinct >= y.distinct {
        (x, y, x.order.iter().map(|&item| y.values[permutation[item as usize] as usize]).collect())
    } else {
        let mut items = vec![0; n];
        permutation.iter().zip(0..).for_each(|(&of_y, of_x)| items[of_y as usize] = of_x);
        let beside: Vec<f64> = y.order.iter().map(|&item| x.values[items[item as usize] as usize]).collect();
        (y, x, beside)
    };
    let digamma = digammas(n + 1);
    let mut sum = 0.0;
    for (at, distance) in neighbour_distances(Width::detect(), &along.sorted, &beside).into_iter().enumerate()
    {
        // What scikit-learn's `nextafter` does: the neighbour itself lies outside.
        let radius = distance.next_down().max(0.0);
        let near_along = along.within(along.sorted[at], radius);
        let near_across = across.within(beside[at], radius);
        sum += digamma[near_along + 1] + digamma[near_across + 1];
    }
    Some((digamma[n] + digamma[NEIGHBOURS] - sum / n as f64).max(0.0))
}

/// The digamma function of 0 (not used) to `last`: `ψ(m) = H(m - 1) - γ`.
fn digammas(last: usize) -> Vec<f64> {
    let mut values = vec![f64::NEG_INFINITY, -EULER];
    for m in 1..last {
        values.push(values[m] + 1.0 / m as f64);
    }
    values
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::random::Stream;

    fn naive(x: &[f64], y: &[f64]) -> f64 {
        let scale = |v: &[f64]| {
            let sd = population_sd(v).unwrap();
            v.iter().map(|v| v / sd).collect::<Vec<f64>>()
        };
        let (x, y, n) = (scale(x), scale(y), x.len());
        let digamma = digammas(n + 1);
        let mut sum = 0.0;
        for i in 0..n {
            let others = || (0..n).filter(move |&j| j != i);
            let mut distances: Vec<f64> =
                others().map(|j| (x[i] - x[j]).abs().max((y[i] - y[j]).abs())).collect();
            distances.sort_by(f64::total_cmp);
            let radius = distances[NEIGHBOURS - 1].next_down().max(0.0);
            let near = |v: &[f64]| others().filter(|&j| (v[i] - v[j]).abs() <= radius).count();
            sum += digamma[near(&x) + 1] + digamma[near(&y) + 1];
        }
        (digamma[n] + digamma[NEIGHBOURS] - sum / n as f64).max(0.0)
    }

    #[test]
    fn equals_the_definition_with_and_without_ties() {
        for (n, distinct) in [(4, 50), (40, 4), (300, 1 << 30)] {
            let mut stream = Stream::new(5, "neighbours", u64::from(distinct));
            let mut draw = || (0..n).map(|_| f64::from(stream.below(distinct))).collect::<Vec<f64>>();
            let (x, noise) = (draw(), draw());
            let y: Vec<f64> = x.iter().zip(&noise).map(|(x, e)| x - 0.3 * e).collect();
            let few: Vec<f64> = x.iter().map(|x| x % 3.0).collect();
            let moved: Vec<u32> = (0..n as u32).map(|i| (i * 7 + 1) % n as u32).collect();
            let unmoved: Vec<u32> = (0..n as u32).collect();
            for (x, y) in [(&x, &y), (&few, &y), (&y, &few)] {
                let moved_y: Vec<f64> = moved.iter().map(|&i| y[i as usize]).collect();
                let (a, b) = (ScaledColumn::new(x).unwrap(), ScaledColumn::new(y).unwrap());
                assert!((mutual_information(&a, &b, &unmoved).unwrap() - naive(x, y)).abs() < 1e-12);
                assert!((mutual_information(&a, &b, &moved).unwrap() - naive(x, &moved_y)).abs() < 1e-12);
            }
        }
    }

    /// Of a normal pair with correlation r it is `-ln(1 - r²) / 2`: here the sum of twelve uniform draws.
    #[test]
    fn of_normal_features_is_what_theory_says() {
        let mut stream = Stream::new(6, "normal", 0);
        let mut normal = || (0..12).map(|_| stream.unit_f64()).sum::<f64>() - 6.0;
        let x: Vec<f64> = (0..2000).map(|_| normal()).collect();
        let y: Vec<f64> = x.iter().map(|x| 0.8 * x + 0.6 * normal()).collect();
        let unmoved: Vec<u32> = (0..2000).collect();
        let (a, b) = (ScaledColumn::new(&x).unwrap(), ScaledColumn::new(&y).unwrap());
        let found = mutual_information(&a, &b, &unmoved).unwrap();
        assert!((found + 0.5 * 0.36_f64.ln()).abs() < 0.06, "{found}");
        assert!(ScaledColumn::new(&[1.0, 1.0]).is_none());
        let few = ScaledColumn::new(&[1.0, 2.0, 3.0]).unwrap();
        assert_eq!(mutual_information(&few, &few, &[0, 1, 2]), None);
    }
}
