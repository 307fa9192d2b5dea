//! Probability distributions: normal, chi-squared with one degree of freedom, and the generalised Pareto tail.

/// The probability that chi-squared with one degree of freedom is at least `x`: `erfc(sqrt(x / 2))`; 1 where `x` is not
/// positive.
#[must_use]
pub fn chi_squared_1_survival(x: f64) -> f64 {
    if x > 0.0 { libm::erfc((x / 2.0).sqrt()) } else { 1.0 }
}

/// The probability that a standard normal variable lies at least as far from zero as `z`, on either side: `erfc(|z| / sqrt 2)`.
#[must_use]
pub fn normal_two_sided(z: f64) -> f64 {
    libm::erfc(z.abs() * std::f64::consts::FRAC_1_SQRT_2)
}

/// The probability that a standard normal variable lies below `z`.
#[must_use]
pub fn normal_below(z: f64) -> f64 {
    0.5 * libm::erfc(-z * std::f64::consts::FRAC_1_SQRT_2)
}

/// The 97.5 % quantile of Student's t with `freedom` degrees of freedom, what a 95 % interval of a mean is made of: by bisection of the
/// probability, to 1e-10. Infinite for none.
#[must_use]
pub fn student_975(freedom: u64) -> f64 {
    if freedom == 0 {
        return f64::INFINITY;
    }
    if freedom > EXACT_FREEDOM {
        return student_expansion(freedom as f64);
    }
    let (mut low, mut high) = (1.9, 12.8);
    for _ in 0..60 {
        let middle = f64::midpoint(low, high);
        if student_within(middle, freedom) < 0.95 { low = middle } else { high = middle }
    }
    high
}

/// Up to this many degrees of freedom the probability is summed term by term.
const EXACT_FREEDOM: u64 = 200;

/// The probability that Student's t lies within `t` of zero (Abramowitz and Stegun 26.7.3 and 26.7.4).
fn student_within(t: f64, freedom: u64) -> f64 {
    let angle = libm::atan(t / (freedom as f64).sqrt());
    let (sine, cosine) = (libm::sin(angle), libm::cos(angle));
    let odd = freedom % 2 == 1;
    let mut term = if odd { cosine } else { 1.0 };
    let mut sum = if freedom == 1 { 0.0 } else { term };
    let first = if odd { 3 } else { 2 };
    for k in (first..freedom.saturating_sub(1)).step_by(2) {
        term *= cosine * cosine * (k - 1) as f64 / k as f64;
        sum += term;
    }
    if odd { (angle + sine * sum) * std::f64::consts::FRAC_2_PI } else { sine * sum }
}

/// The expansion in 1 / freedom about the normal quantile (Abramowitz and Stegun 26.7.5).
fn student_expansion(v: f64) -> f64 {
    let z = 1.959_963_984_540_054_f64;
    let z2 = z * z;
    let first = z * (z2 + 1.0) / 4.0;
    let second = z * ((5.0 * z2 + 16.0) * z2 + 3.0) / 96.0;
    let third = z * (((3.0 * z2 + 19.0) * z2 + 17.0) * z2 - 15.0) / 384.0;
    let fourth = z * ((((79.0 * z2 + 776.0) * z2 + 1482.0) * z2 - 1920.0) * z2 - 945.0) / 92160.0;
    z + first / v + second / (v * v) + third / (v * v * v) + fourth / (v * v * v * v)
}

/// The value below which a standard normal variable lies with probability `share`, by bisection to the last bits;
/// infinite at 0 and 1.
#[must_use]
pub fn normal_quantile(share: f64) -> f64 {
    if share <= 0.0 || share >= 1.0 {
        return if share <= 0.0 { f64::NEG_INFINITY } else { f64::INFINITY };
    }
    // The lower half alone: near 1 a probability has no fine steps.
    let (lower, mirrored) = if share > 0.5 { (1.0 - share, true) } else { (share, false) };
    let (mut low, mut high) = (-39.0, 0.0);
    for _ in 0..70 {
        let middle = f64::midpoint(low, high);
        if normal_below(middle) < lower {
            low = middle;
        } else {
            high = middle;
        }
    }
    if mirrored { -high } else { high }
}

/// The generalised Pareto distribution of what exceeds a threshold: the probability that the excess is at least `x` is
/// `(1 + shape x / scale)^(-1 / shape)`, and `exp(-x / scale)` for shape zero.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GeneralizedPareto {
    /// Shape (often called xi; Choulakian and Stephens write k = -shape). Positive: a heavy tail.
    pub shape: f64,
    /// Scale, above zero.
    pub scale: f64,
}

/// Critical values of the Anderson-Darling statistic at the 5 % level by k = -shape, both parameters estimated
/// (Choulakian and Stephens 2001, "Goodness-of-fit tests for the generalized Pareto distribution", table 2).
const ANDERSON_DARLING_5_PERCENT: [(f64, f64); 10] = [
    (-0.9, 0.771),
    (-0.5, 0.830),
    (-0.2, 0.903),
    (-0.1, 0.935),
    (0.0, 0.974),
    (0.1, 1.020),
    (0.2, 1.074),
    (0.3, 1.140),
    (0.4, 1.221),
    (0.5, 1.321),
];

impl GeneralizedPareto {
    /// Fits shape and scale to excesses in ascending order by the estimator of Zhang and Stephens (2009, "A new and
    /// efficient estimation method for the generalized Pareto distribution"): the mean of the profile likelihood over a
    /// grid, which always exists. `None` for fewer than five values, or where a quarter of them are zero.
    #[must_use]
    pub fn fit(sorted: &[f64]) -> Option<Self> {
        let n = sorted.len();
        let largest = *sorted.last()?;
        let quartile = *sorted.get(((n as f64 / 4.0 + 0.5) as usize).checked_sub(1)?)?;
        if n < 5 || quartile <= 0.0 || !largest.is_finite() {
            return None;
        }
        let points = 20 + (n as f64).sqrt() as usize;
        let grid: Vec<(f64, f64)> = (1..=points)
            .map(|j| {
                let theta =
                    1.0 / largest + (1.0 - (points as f64 / (j as f64 - 0.5)).sqrt()) / (3.0 * quartile);
                let shape = mean_log(sorted, theta);
                (theta, n as f64 * (libm::log(-theta / shape) - shape - 1.0))
            })
            .filter(|(_, likelihood)| likelihood.is_finite())
            .collect();
        let best = grid.iter().map(|point| point.1).fold(f64::NEG_INFINITY, f64::max);
        let (mut weights, mut weighted) = (0.0, 0.0);
        for (theta, likelihood) in &grid {
            let weight = libm::exp(likelihood - best);
            weights += weight;
            weighted += weight * theta;
        }
        let theta = weighted / weights;
        let shape = mean_log(sorted, theta);
        let scale = -shape / theta;
        (scale.is_finite() && scale > 0.0).then_some(Self { shape, scale })
    }

    /// The exponential distribution with the mean of the excesses: the fit with shape zero. `None` where the mean is zero.
    #[must_use]
    pub fn fit_exponential(excesses: &[f64]) -> Option<Self> {
        let scale = excesses.iter().sum::<f64>() / excesses.len() as f64;
        (scale.is_finite() && scale > 0.0).then_some(Self { shape: 0.0, scale })
    }

    /// The natural logarithm of the probability that the excess is at least `x`.
    #[must_use]
    pub fn log_survival(&self, x: f64) -> f64 {
        let x = x.max(0.0) / self.scale;
        if self.shape == 0.0 {
            return -x;
        }
        let base = 1.0 + self.shape * x;
        if base > 0.0 { -libm::log1p(self.shape * x) / self.shape } else { f64::NEG_INFINITY }
    }

    /// The Anderson-Darling statistic of excesses in ascending order.
    #[must_use]
    pub fn anderson_darling(&self, sorted: &[f64]) -> f64 {
        let n = sorted.len();
        let log_above: Vec<f64> = sorted.iter().map(|&x| self.log_survival(x)).collect();
        let sum: f64 = (0..n)
            .map(|i| {
                let log_below = libm::log(-libm::expm1(log_above[i]));
                (2 * i + 1) as f64 * (log_below + log_above[n - 1 - i])
            })
            .sum();
        -(n as f64) - sum / n as f64
    }

    /// Whether the excesses, in ascending order, agree with this fit at the 5 % level.
    #[must_use]
    pub fn agrees(&self, sorted: &[f64]) -> bool {
        self.anderson_darling(sorted) < critical_value(-self.shape)
    }
}

/// `mean(ln(1 - theta x))`.
fn mean_log(values: &[f64], theta: f64) -> f64 {
    values.iter().map(|&x| libm::log1p(-theta * x)).sum::<f64>() / values.len() as f64
}

/// The critical value for k, interpolated linearly, and held at the ends of the table.
fn critical_value(k: f64) -> f64 {
    let table = &ANDERSON_DARLING_5_PERCENT;
    let after = table.iter().position(|&(at, _)| k < at).unwrap_or(table.len());
    match (after.checked_sub(1).and_then(|i| table.get(i)), table.get(after)) {
        (Some(low), Some(high)) => low.1 + (high.1 - low.1) * (k - low.0) / (high.0 - low.0),
        (Some(end), None) | (None, Some(end)) => end.1,
        (None, None) => f64::NAN,
    }
}

/// How many of the largest values a tail is first fitted to, and how few at least.
pub const TAIL: usize = 250;
const SHORTEST_TAIL: usize = 30;
const TAIL_STEP: usize = 10;

/// The probability that a permuted statistic reaches `observed`, from a generalised Pareto tail fitted to the largest
/// permuted values (Knijnenburg, Wessels, Reinders and Shmulevich 2009, "Fewer permutations, more accurate P-values").
///
/// `largest` are the `TAIL + 1` (or fewer) largest of `draws` permuted values, in descending order. The tail begins with the
/// [`TAIL`] largest, but at most a quarter of the draws, and is shortened by 10 until the fit agrees at the 5 % level. The
/// threshold lies midway between the smallest value in the tail and the next one below. A negative shape would end the
/// distribution at a bound and make p zero beyond it; there the exponential tail stands instead, which is the larger p.
/// `None` where no tail agrees.
#[must_use]
pub fn tail_probability(largest: &[f64], draws: usize, observed: f64) -> Option<f64> {
    let mut count = TAIL.min(draws / 4).min(largest.len().checked_sub(1)?);
    while count >= SHORTEST_TAIL {
        let threshold = f64::midpoint(largest[count - 1], largest[count]);
        let excesses: Vec<f64> = largest[..count].iter().rev().map(|value| value - threshold).collect();
        if let Some(fit) = unbounded_fit(&excesses).filter(|fit| fit.agrees(&excesses)) {
            let share = count as f64 / draws as f64;
            return Some(share * libm::exp(fit.log_survival(observed - threshold)));
        }
        count -= TAIL_STEP;
    }
    None
}

fn unbounded_fit(sorted: &[f64]) -> Option<GeneralizedPareto> {
    GeneralizedPareto::fit(sorted)
        .filter(|fit| fit.shape > 0.0)
        .or_else(|| GeneralizedPareto::fit_exponential(sorted))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::random::Stream;

    /// scipy 1.17.1: `scipy.stats.chi2.sf([0.5, 3.841458820694124, 30, 700], 1)`.
    #[test]
    fn chi_squared_equals_scipy() {
        for (x, p) in [(0.5, CHI2[0]), (3.841_458_820_694_124, CHI2[1]), (30.0, CHI2[2]), (700.0, CHI2[3])] {
            let got = chi_squared_1_survival(x);
            assert!((got - p).abs() <= 1e-12 * p, "{x}: {got} is not {p}");
        }
        assert_eq!(chi_squared_1_survival(0.0), 1.0);
        assert_eq!(chi_squared_1_survival(-1.0), 1.0);
    }

    /// scipy 1.17.1: `2 * scipy.stats.norm.sf([0, 1.959963984540054, 5])`.
    #[test]
    fn normal_equals_scipy() {
        for (z, p) in [(0.0, 1.0), (1.959_963_984_540_054, 0.05), (-5.0, 5.733_031_437_583_866e-7)] {
            assert!((normal_two_sided(z) - p).abs() <= 1e-12 * p, "{z}");
        }
    }

    const CHI2: [f64; 4] =
        [0.479_500_122_186_953_37, 0.05, 4.320_463_057_827_495_5e-8, 2.990_226_975_124_623e-154];

    fn sample(n: usize, shape: f64, item: u64) -> Vec<f64> {
        let mut stream = Stream::new(5, "pareto", item);
        let mut values: Vec<f64> = (0..n)
            .map(|_| {
                let u = 1.0 - stream.unit_f64();
                if shape == 0.0 { -libm::log(u) } else { (libm::pow(u, -shape) - 1.0) / shape }
            })
            .collect();
        values.sort_by(f64::total_cmp);
        values
    }

    /// The estimator as printed in the paper's R code, run in numpy 2.4.6 on `np.arange(1, 51) ** 2 / 100`, and the
    /// Anderson-Darling statistic of that fit with `scipy.stats.genpareto`.
    #[test]
    fn fit_equals_the_paper() {
        let values: Vec<f64> = (1..=50).map(|i| f64::from(i * i) / 100.0).collect();
        let fit = GeneralizedPareto::fit(&values).unwrap();
        assert!((fit.shape - FIT[0]).abs() < 1e-10, "{fit:?}");
        assert!((fit.scale - FIT[1]).abs() < 1e-10, "{fit:?}");
        assert!((fit.anderson_darling(&values) - FIT[2]).abs() < 1e-9);
        assert!((fit.log_survival(3.0) - FIT[3]).abs() < 1e-10);
    }

    const FIT: [f64; 4] = [
        -0.209_196_847_767_552_07,
        10.381_011_799_913_601,
        1.682_664_075_015_438_2,
        -0.298_093_532_413_597_43,
    ];

    #[test]
    fn fit_recovers_shape_and_is_accepted() {
        for shape in [-0.3, 0.0, 0.3] {
            let fits: Vec<bool> = (0..100)
                .map(|item| {
                    let values = sample(250, shape, item);
                    let fit = GeneralizedPareto::fit(&values).unwrap();
                    assert!((fit.shape - shape).abs() < 0.35 && (fit.scale - 1.0).abs() < 0.5, "{fit:?}");
                    fit.agrees(&values)
                })
                .collect();
            let rejected = fits.iter().filter(|&&agrees| !agrees).count();
            assert!(rejected <= 14, "{rejected} of 100 true tails rejected at the 5 % level");
        }
    }

    #[test]
    fn tail_of_chi_squared_is_near_the_truth() {
        let truth = 1e-5;
        let observed = 19.511_420_964_666_4;
        let mut ratios: Vec<f64> = (0..60)
            .map(|item| {
                let mut stream = Stream::new(11, "normal", item);
                let mut values: Vec<f64> = (0..999)
                    .map(|_| {
                        let radius = (-2.0 * libm::log(1.0 - stream.unit_f64())).sqrt();
                        let z = radius * libm::cos(std::f64::consts::TAU * stream.unit_f64());
                        z * z
                    })
                    .collect();
                values.sort_by(|a, b| b.total_cmp(a));
                values.truncate(TAIL + 1);
                tail_probability(&values, 999, observed).unwrap() / truth
            })
            .collect();
        ratios.sort_by(f64::total_cmp);
        assert!(ratios[30] > 0.3 && ratios[30] < 10.0, "{ratios:?}");
    }

    #[test]
    fn no_tail_from_few_or_equal_values() {
        assert_eq!(tail_probability(&[], 999, 1.0), None);
        assert_eq!(tail_probability(&[1.0; 251], 999, 2.0), None);
        assert_eq!(GeneralizedPareto::fit(&[0.0; 20]), None);
    }
    /// scipy 1.17.1: `scipy.stats.t.ppf(0.975, freedom)`.
    #[test]
    fn student_quantiles_equal_scipy() {
        for (freedom, expected) in [
            (1, 12.706_204_736_174_694),
            (2, 4.302_652_729_749_462),
            (3, 3.182_446_305_283_707_8),
            (4, 2.776_445_105_197_793_4),
            (7, 2.364_624_251_592_784),
            (10, 2.228_138_851_986_274),
            (29, 2.045_229_642_132_703),
            (200, 1.971_896_223_633_908_8),
            (201, 1.971_836_506_779_859),
            (1000, 1.962_339_080_826_408_3),
        ] {
            let found = student_975(freedom);
            assert!((found - expected).abs() < 1e-9, "{freedom}: {found} is not {expected}");
        }
        assert_eq!(student_975(0), f64::INFINITY);
    }
}
