//! Intervals of estimates that no short formula knows the error of: each item (or block of items) is left out in turn.

use crate::math::distribution::student_975;
use crate::math::statistics::mean;

/// The normal quantile of a 95 % interval's end.
const Z_95: f64 = 1.959_963_984_540_054;
/// Estimates are held this far from the ends of their scale, where a transformation has no value.
const MARGIN: f64 = 1e-9;

/// The scale on which an estimate is about normal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scale {
    /// From -1 to 1: Fisher's z.
    Correlation,
    /// From 0 to 1: the logit.
    Share,
    /// At most 1: as it is.
    AtMostOne,
    /// Without ends: as it is.
    Plain,
}

impl Scale {
    fn normal(self, value: f64) -> f64 {
        match self {
            Self::Correlation => libm::atanh(value.clamp(MARGIN - 1.0, 1.0 - MARGIN)),
            Self::Share => {
                let share = value.clamp(MARGIN, 1.0 - MARGIN);
                libm::log(share / (1.0 - share))
            }
            Self::AtMostOne | Self::Plain => value,
        }
    }

    fn original(self, value: f64) -> f64 {
        match self {
            Self::Correlation => libm::tanh(value),
            Self::Share => 1.0 / (1.0 + libm::exp(-value)),
            Self::AtMostOne => value.min(1.0),
            Self::Plain => value,
        }
    }
}

/// The 95 % interval of an estimate by the jackknife (Quenouille 1956, Tukey 1958): `left_out` has what the estimate is without each item, or
/// without each of some blocks of items (Shao and Wu 1989). On the scale on which it is about normal its variance is
/// `(g - 1) / g Σ (without - mean)²` over the g blocks, and the interval is t(0.975, g - 1) standard errors on either side (Student's t). It
/// needs no draws: the same estimate has the same interval. `None` for fewer than two blocks.
#[must_use]
pub fn jackknife_interval(estimate: f64, left_out: &[f64], scale: Scale) -> Option<(f64, f64)> {
    let without: Vec<f64> = left_out.iter().map(|&value| scale.normal(value)).collect();
    let centre = mean(&without).filter(|_| without.len() > 1)?;
    let blocks = without.len() as f64;
    let squares: f64 = without.iter().map(|value| (value - centre) * (value - centre)).sum();
    let error = (squares * (blocks - 1.0) / blocks).sqrt();
    let half = student_975(without.len() as u64 - 1) * error;
    let middle = scale.normal(estimate);
    error.is_finite().then(|| {
        // What the estimate is held from the ends of its scale by is no part of the interval.
        let (low, high) = (scale.original(middle - half), scale.original(middle + half));
        (low.min(estimate), high.max(estimate))
    })
}

/// The 95 % interval of a partial rank correlation of n items by Fisher's z: the variance of its `atanh` is
/// `(1 + r² / 2) / (n - held - 3)` (Bonett and Wright 2000), `held` the number of controls that are held constant. `None` for too few items.
#[must_use]
pub fn rank_correlation_interval(r: f64, n: f64, held: f64) -> Option<(f64, f64)> {
    let freedom = n - held - 3.0;
    let half = Z_95 * ((1.0 + r * r / 2.0) / freedom).sqrt();
    let z = Scale::Correlation.normal(r);
    (freedom > 0.0).then(|| (libm::tanh(z - half), libm::tanh(z + half)))
}

/// The mean of all values but those of each block in turn.
#[must_use]
pub fn means_without<B: AsRef<[usize]>>(values: &[f64], blocks: &[B]) -> Vec<f64> {
    let sum = values.iter().sum::<f64>();
    let without = |block: &[usize]| {
        let own: f64 = block.iter().map(|&item| values[item]).sum();
        (sum - own) / (values.len() - block.len()) as f64
    };
    blocks.iter().map(|block| without(block.as_ref())).collect()
}

/// The 95 % interval of a share of `n` items, `hits` of which are right (Wilson 1927). `None` of no items.
#[must_use]
pub fn share_interval(hits: f64, n: f64) -> Option<(f64, f64)> {
    if n <= 0.0 {
        return None;
    }
    let (share, z2) = (hits / n, Z_95 * Z_95);
    let middle = (share + z2 / (2.0 * n)) / (1.0 + z2 / n);
    let half = Z_95 / (1.0 + z2 / n) * (share * (1.0 - share) / n + z2 / (4.0 * n * n)).sqrt();
    Some(((middle - half).max(0.0), (middle + half).min(1.0)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::random::Stream;
    use crate::math::statistics::population_sd;

    fn single(items: usize) -> Vec<[usize; 1]> {
        (0..items).map(|item| [item]).collect()
    }

    #[test]
    fn blocks_are_left_out_whole() {
        assert_eq!(means_without(&[1.0, 2.0, 6.0], &[vec![0, 1], vec![2]]), [6.0, 1.5]);
    }

    /// Of a mean the jackknife's error is the textbook's, `sd / sqrt(n - 1)` with the population's sd.
    #[test]
    fn of_a_mean_it_is_the_textbooks() {
        let values = [0.2, -1.0, 0.4, 0.9, 0.1, -0.3];
        let centre = mean(&values).unwrap();
        let error = population_sd(&values).unwrap() / 5.0_f64.sqrt();
        let (low, high) =
            jackknife_interval(centre, &means_without(&values, &single(values.len())), Scale::AtMostOne)
                .unwrap();
        let half = student_975(5) * error;
        assert!(
            (low - (centre - half)).abs() < 1e-12 && (high - (centre + half)).abs() < 1e-12,
            "{low} {high}"
        );
        assert!(jackknife_interval(0.5, &[0.5], Scale::Share).is_none());
    }

    #[test]
    fn intervals_stay_on_their_scale() {
        let without = [0.1, 0.99, 0.5];
        let (low, high) = jackknife_interval(0.97, &without, Scale::Share).unwrap();
        assert!((0.0..0.97).contains(&low) && (0.97..=1.0).contains(&high));
        let (low, high) = jackknife_interval(1.0, &[1.0, 1.0, 1.0], Scale::Correlation).unwrap();
        assert!(low > 0.999_999 && high == 1.0);
    }

    /// scipy 1.17.1: `binomtest(7, 50).proportion_ci(method = "wilson")`.
    #[test]
    fn shares_are_wilsons() {
        let (low, high) = share_interval(7.0, 50.0).unwrap();
        assert!(
            (low - 0.069_508_334_27).abs() < 1e-9 && (high - 0.261_861_937_11).abs() < 1e-9,
            "{low} {high}"
        );
        let (low, high) = share_interval(0.0, 10.0).unwrap();
        assert!(low == 0.0 && (high - 0.277_532_799_86).abs() < 1e-9, "{high}");
        assert!(share_interval(0.0, 0.0).is_none());
    }

    /// By hand: atanh(0.5) = 0.549306, half = 1.959964 * sqrt(1.125 / 45).
    #[test]
    fn rank_correlations_have_fishers_interval() {
        let (low, high) = rank_correlation_interval(0.5, 50.0, 2.0).unwrap();
        let half = 1.959_963_985 * (1.125_f64 / 45.0).sqrt();
        assert!(
            (low - (0.549_306_144 - half).tanh()).abs() < 1e-8
                && (high - (0.549_306_144 + half).tanh()).abs() < 1e-8
        );
        assert!(rank_correlation_interval(0.5, 5.0, 2.0).is_none());
    }

    /// The interval of a mean covers the truth as often as it says.
    #[test]
    fn it_covers_what_it_should() {
        let covered = (0..1000).filter(|&draw| {
            let mut stream = Stream::new(5, "jackknife", draw);
            let values: Vec<f64> = (0..40).map(|_| stream.unit_f64()).collect();
            let centre = mean(&values).unwrap_or(0.0);
            let interval =
                jackknife_interval(centre, &means_without(&values, &single(values.len())), Scale::Share);
            interval.is_some_and(|(low, high)| low < 0.5 && 0.5 < high)
        });
        let share = covered.count() as f64 / 1000.0;
        assert!((0.92..0.97).contains(&share), "{share}");
    }
}
