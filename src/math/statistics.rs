//! Statistics of samples: moments, percentiles, correlation, ranks, and the correction of many p.

/// The mean; `None` of an empty sample. Summed in order.
#[must_use]
pub fn mean(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

/// The population standard deviation, `sqrt(mean((x - mean)^2))`, in two passes; `None` of an empty sample.
#[must_use]
pub fn population_sd(values: &[f64]) -> Option<f64> {
    let mean = mean(values)?;
    let squares: f64 = values.iter().map(|x| (x - mean) * (x - mean)).sum();
    Some((squares / values.len() as f64).sqrt())
}

/// The value at `share` (0 to 1) of a sample, interpolated linearly between the two nearest order statistics: `NumPy`'s
/// method "linear" (Hyndman and Fan 1996, type 7). Sorts a copy. `None` of an empty sample.
#[must_use]
pub fn percentile(values: &[f64], share: f64) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    percentile_of_sorted(&sorted, share)
}

/// As [`percentile`], of values that are already in ascending order.
#[must_use]
pub fn percentile_of_sorted(sorted: &[f64], share: f64) -> Option<f64> {
    let last = sorted.len().checked_sub(1)?;
    let place = share.clamp(0.0, 1.0) * last as f64;
    let below = (place.floor() as usize).min(last);
    Some(between(sorted[below], sorted[(below + 1).min(last)], place - below as f64))
}

/// Linear interpolation from `low` to `high`, from the nearer end, as `NumPy` does it.
#[must_use]
pub fn between(low: f64, high: f64, share: f64) -> f64 {
    let step = high - low;
    if share >= 0.5 { high - step * (1.0 - share) } else { low + step * share }
}

/// Pearson's product-moment correlation of two samples of equal length. `None` where they are shorter than two, differ in
/// length, or one is constant. Two passes; the result is held within -1 to 1.
#[must_use]
pub fn pearson(x: &[f64], y: &[f64]) -> Option<f64> {
    if x.len() != y.len() || x.len() < 2 || is_constant(x) || is_constant(y) {
        return None;
    }
    let (mean_x, mean_y) = (mean(x)?, mean(y)?);
    let (mut xx, mut yy, mut xy) = (0.0, 0.0, 0.0);
    for (a, b) in x.iter().zip(y) {
        let (a, b) = (a - mean_x, b - mean_y);
        xx += a * a;
        yy += b * b;
        xy += a * b;
    }
    let scale = xx.sqrt() * yy.sqrt();
    (scale > 0.0 && scale.is_finite()).then(|| (xy / scale).clamp(-1.0, 1.0))
}

/// Whether all values are equal (also where there are none).
#[must_use]
pub fn is_constant(values: &[f64]) -> bool {
    values.windows(2).all(|pair| pair[0] == pair[1])
}

/// Ranks from 1; equal values share the mean of their ranks (`scipy.stats.rankdata`, method "average").
#[must_use]
pub fn average_ranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&a, &b| ascending(values[a], values[b]));
    let mut ranks = vec![0.0; values.len()];
    let mut start = 0;
    for run in order.chunk_by(|&a, &b| values[a] == values[b]) {
        let rank = start as f64 + f64::midpoint(run.len() as f64, 1.0);
        for &item in run {
            ranks[item] = rank;
        }
        start += run.len();
    }
    ranks
}

/// The order of numbers, in which -0 equals 0 and NaN comes last.
#[must_use]
pub fn ascending(a: f64, b: f64) -> std::cmp::Ordering {
    a.partial_cmp(&b).unwrap_or_else(|| a.is_nan().cmp(&b.is_nan()))
}

/// Spearman's rank correlation: Pearson's of the average ranks. `None` as for [`pearson`].
#[must_use]
pub fn spearman(x: &[f64], y: &[f64]) -> Option<f64> {
    pearson(&average_ranks(x), &average_ranks(y))
}

/// The adjusted p of each p under control of the false discovery rate (Benjamini and Hochberg 1995): q of the i-th smallest
/// of m is the least `p_j m / j` over j >= i, at most 1. In the order of the input; `None` stays `None` and does not count.
#[must_use]
pub fn benjamini_hochberg(p: &[Option<f64>]) -> Vec<Option<f64>> {
    let mut defined: Vec<(usize, f64)> = p.iter().enumerate().filter_map(|(i, p)| Some((i, (*p)?))).collect();
    defined.sort_by(|a, b| ascending(a.1, b.1).then(a.0.cmp(&b.0)));
    let count = defined.len() as f64;
    let mut q = vec![None; p.len()];
    let mut least = 1.0_f64;
    for (place, &(i, p)) in defined.iter().enumerate().rev() {
        least = least.min(p * count / (place as f64 + 1.0));
        q[i] = Some(least);
    }
    q
}

/// Count, mean, spread and range of a sample, kept up to date value by value and mergeable: state of one shard, joined with
/// the state of the next. Merges made in the order of the shards give the same bits whoever computed the shards.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Moments {
    count: u64,
    mean: f64,
    m2: f64,
    min: f64,
    max: f64,
}

impl Default for Moments {
    fn default() -> Self {
        Self { count: 0, mean: 0.0, m2: 0.0, min: f64::INFINITY, max: f64::NEG_INFINITY }
    }
}

impl Moments {
    /// Adds one value (Welford 1962).
    #[inline]
    pub fn add(&mut self, value: f64) {
        self.count += 1;
        let from_old = value - self.mean;
        self.mean += from_old / self.count as f64;
        self.m2 += from_old * (value - self.mean);
        self.min = self.min.min(value);
        self.max = self.max.max(value);
    }

    /// Joins the moments of a sample that follows this one (Chan, Golub and `LeVeque` 1979).
    pub fn merge(&mut self, next: &Self) {
        if next.count == 0 {
            return;
        }
        if self.count == 0 {
            *self = *next;
            return;
        }
        let (here, there) = (self.count as f64, next.count as f64);
        let all = here + there;
        let step = next.mean - self.mean;
        self.mean += step * (there / all);
        self.m2 += next.m2 + step * step * (here * there / all);
        self.count += next.count;
        self.min = self.min.min(next.min);
        self.max = self.max.max(next.max);
    }

    /// How many values were added.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The mean; `None` while there are no values.
    #[must_use]
    pub fn mean(&self) -> Option<f64> {
        (self.count > 0).then_some(self.mean)
    }

    /// The population standard deviation; `None` while there are no values.
    #[must_use]
    pub fn population_sd(&self) -> Option<f64> {
        (self.count > 0).then(|| (self.m2 / self.count as f64).sqrt())
    }

    /// The sum of squared deviations from the mean.
    #[must_use]
    pub fn m2(&self) -> f64 {
        self.m2
    }

    /// The least value; `None` while there are none.
    #[must_use]
    pub fn min(&self) -> Option<f64> {
        (self.count > 0).then_some(self.min)
    }

    /// The greatest value; `None` while there are none.
    #[must_use]
    pub fn max(&self) -> Option<f64> {
        (self.count > 0).then_some(self.max)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::random::Stream;

    const X: [f64; 8] = [2.0, -1.5, 3.25, 2.0, 0.0, 7.5, -1.5, 2.0];
    const Y: [f64; 8] = [1.0, 0.5, 4.0, 3.0, -2.0, 5.0, 0.25, 1.0];

    fn near(got: f64, expected: f64) {
        assert!((got - expected).abs() <= 1e-14 * expected.abs().max(1.0), "{got} is not {expected}");
    }

    /// scipy 1.17.1, numpy 2.4.6: `pearsonr(X, Y)`, `spearmanr(X, Y)`, `rankdata(X)`, `np.percentile(X, [2.5, 40, 97.5])`,
    /// `np.std(X)`, `scipy.stats.false_discovery_control([.01, .04, .03, .5, .02])`.
    #[test]
    fn equals_scipy() {
        near(pearson(&X, &Y).unwrap(), PEARSON);
        near(spearman(&X, &Y).unwrap(), SPEARMAN);
        assert_eq!(average_ranks(&X), [5.0, 1.5, 7.0, 5.0, 3.0, 8.0, 1.5, 5.0]);
        for (share, expected) in [(0.025, PERCENTILES[0]), (0.4, PERCENTILES[1]), (0.975, PERCENTILES[2])] {
            near(percentile(&X, share).unwrap(), expected);
        }
        near(population_sd(&X).unwrap(), SD);
        let q = benjamini_hochberg(&[Some(0.01), Some(0.04), None, Some(0.03), Some(0.5), Some(0.02)]);
        for (q, expected) in q.iter().zip([0.05, 0.05, f64::NAN, 0.05, 0.5, 0.05]) {
            assert_eq!(q.is_none(), expected.is_nan());
            if let Some(q) = q {
                near(*q, expected);
            }
        }
    }

    const PEARSON: f64 = 0.808_278_916_029_142_7;
    const SPEARMAN: f64 = 0.901_509_418_340_043_2;
    const PERCENTILES: [f64; 3] = [-1.5, 1.6, 6.756_25];
    const SD: f64 = 2.731_292_905_841_480_8;

    #[test]
    fn undefined_is_none() {
        assert_eq!(mean(&[]), None);
        assert_eq!(percentile(&[], 0.5), None);
        assert_eq!(pearson(&[1.0], &[2.0]), None);
        assert_eq!(pearson(&[0.1, 0.1, 0.1], &[1.0, 2.0, 3.0]), None);
        assert_eq!(Moments::default().mean(), None);
    }

    #[test]
    fn minus_zero_is_a_tie() {
        assert_eq!(average_ranks(&[0.0, -0.0, -1.0, 1.0]), [2.5, 2.5, 1.0, 4.0]);
    }

    #[test]
    fn merged_moments_are_those_of_all() {
        let mut stream = Stream::new(1, "moments", 0);
        let values: Vec<f64> = (0..1000).map(|_| 1e3 + stream.unit_f64()).collect();
        let mut merged = Moments::default();
        for shard in values.chunks(77) {
            let mut moments = Moments::default();
            for &value in shard {
                moments.add(value);
            }
            merged.merge(&moments);
        }
        merged.merge(&Moments::default());
        assert_eq!(merged.count(), 1000);
        near(merged.mean().unwrap(), mean(&values).unwrap());
        assert!((merged.population_sd().unwrap() - population_sd(&values).unwrap()).abs() < 1e-12);
        assert_eq!(merged.min(), percentile(&values, 0.0));
        assert_eq!(merged.max(), percentile(&values, 1.0));
    }
}
