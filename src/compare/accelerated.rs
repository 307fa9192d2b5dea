//! The bias-corrected and accelerated bootstrap interval.

use crate::math::distribution::{normal_below, normal_quantile};
use crate::math::statistics::{mean, percentile_of_sorted};

/// The end of a 95 % interval.
const SHARE: f64 = 0.025;

/// The 95 % interval of `estimate` from bootstrap `draws` and the estimates with one item left out each (Efron 1987, as
/// `scipy.stats.bootstrap` with method `"BCa"` computes it): the percentiles `Φ(z0 + (z0 ± z) / (1 - a (z0 ± z)))` of the
/// draws. z0 is the normal quantile of the share of draws below the estimate, those equal to it counted half; a is
/// `Σ U³ / (6 (Σ U²)^1.5)` over the estimates left out, U their mean less each. `None` where all draws lie on one side, or
/// leaving out changes nothing.
#[must_use]
pub fn bca_interval(draws: &[f64], estimate: f64, left_out: &[f64]) -> Option<(f64, f64)> {
    let mut sorted: Vec<f64> = draws.iter().copied().filter(|draw| !draw.is_nan()).collect();
    sorted.sort_by(f64::total_cmp);
    let below = sorted.partition_point(|&draw| draw < estimate);
    let up_to = sorted.partition_point(|&draw| draw <= estimate);
    let share = f64::midpoint(below as f64, up_to as f64) / sorted.len() as f64;
    if !(share > 0.0 && share < 1.0) {
        return None;
    }
    let middle = mean(left_out)?;
    let (squares, cubes) = left_out
        .iter()
        .map(|value| middle - value)
        .fold((0.0, 0.0), |(squares, cubes), u| (squares + u * u, cubes + u * u * u));
    let acceleration = cubes / (6.0 * squares * squares.sqrt());
    let bias = normal_quantile(share);
    let end = |z: f64| {
        let moved = bias + z;
        let place = normal_below(bias + moved / (1.0 - acceleration * moved));
        percentile_of_sorted(&sorted, place).filter(|_| place.is_finite())
    };
    Some((end(normal_quantile(SHARE))?, end(normal_quantile(1.0 - SHARE))?))
}
