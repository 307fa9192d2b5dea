//! Functionals: what sums a contour up beside its mean and deviation.

use crate::math::statistics;

/// Names of the functionals of a contour, in the order of [`push`].
pub const NAMES: [&str; 8] = ["p05", "p25", "p50", "p75", "p95", "slope", "rise", "fall"];
const SHARES: [f64; 5] = [0.05, 0.25, 0.5, 0.75, 0.95];

/// Appends percentiles (linear, as numpy's), slope (of the line of least squares), rise and fall of a contour with a value
/// or none every `frame_seconds`; slope, rise and fall per second.
///
/// Rise is the mean change per second from one frame to the next over the pairs of frames where it rises, fall that
/// where it falls, which is below 0; pairs with a frame without value do not count. `None` where nothing is defined.
pub fn push(
    contour: impl Iterator<Item = Option<f32>> + Clone,
    frame_seconds: f64,
    copy: &mut Vec<f64>,
    values: &mut Vec<Option<f64>>,
) {
    copy.clear();
    copy.extend(contour.clone().flatten().map(f64::from));
    copy.sort_unstable_by(f64::total_cmp);
    values.extend(SHARES.map(|share| statistics::percentile_of_sorted(copy, share)));
    values.push(slope(&contour).map(|slope| slope / frame_seconds));
    let mut changes = [(0.0, 0_usize); 2];
    let mut before: Option<f64> = None;
    for now in contour {
        let now = now.map(f64::from);
        if let (Some(before), Some(now)) = (before, now)
            && now != before
        {
            let (sum, count) = &mut changes[usize::from(now < before)];
            *sum += now - before;
            *count += 1;
        }
        before = now;
    }
    values.extend(changes.map(|(sum, count)| (count > 0).then(|| sum / count as f64 / frame_seconds)));
}

/// Slope of the line of least squares, per frame; `None` of fewer than two values.
fn slope(contour: &(impl Iterator<Item = Option<f32>> + Clone)) -> Option<f64> {
    let points =
        || contour.clone().enumerate().filter_map(|(t, value)| value.map(|v| (t as f64, f64::from(v))));
    let count = points().count();
    if count < 2 {
        return None;
    }
    let n = count as f64;
    let (sum_t, sum_v) = points().fold((0.0, 0.0), |(a, b), (t, v)| (a + t, b + v));
    let (mean_t, mean_v) = (sum_t / n, sum_v / n);
    let (products, squares) = points().fold((0.0, 0.0), |(products, squares), (t, v)| {
        (products + (t - mean_t) * (v - mean_v), squares + (t - mean_t) * (t - mean_t))
    });
    Some(products / squares)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(contour: &[Option<f32>]) -> Vec<Option<f64>> {
        let mut values = Vec::new();
        push(contour.iter().copied(), 0.5, &mut Vec::new(), &mut values);
        assert_eq!(values.len(), NAMES.len());
        values
    }

    #[test]
    fn a_line_has_its_slope_and_no_fall() {
        let line: Vec<Option<f32>> = (0..5).map(|t| Some(t as f32)).collect();
        let found = of(&line);
        assert_eq!(found[..5], [0.2, 1.0, 2.0, 3.0, 3.8].map(Some));
        assert_eq!(found[5..], [Some(2.0), Some(2.0), None]);
    }

    #[test]
    fn gaps_are_no_changes() {
        let found = of(&[Some(1.0), None, Some(9.0), Some(8.0), Some(8.0), None]);
        assert_eq!((found[6], found[7]), (None, Some(-2.0)));
        assert_eq!(of(&[]), [None; 8]);
        assert_eq!(of(&[Some(3.0)])[5], None);
    }
}
