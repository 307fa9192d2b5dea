//! What sums a contour up: mean and variation, percentiles, how steeply it rises and falls, its peaks.

use crate::math::statistics;

/// A turn counts where the contour leaves it by more than this share of its range.
const TURN_SHARE: f64 = 0.1;

/// Mean; `None` of nothing.
pub(super) fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let (sum, count) = values.fold((0.0, 0_usize), |(sum, count), value| (sum + value, count + 1));
    (count > 0).then(|| sum / count as f64)
}

/// Population standard deviation; `None` of nothing.
fn deviation(values: impl Iterator<Item = f64> + Clone) -> Option<f64> {
    let middle = mean(values.clone())?;
    mean(values.map(|value| (value - middle) * (value - middle))).map(f64::sqrt)
}

/// Standard deviation by the mean, whose sign it has; `None` of nothing and of a mean of 0.
pub(super) fn coefficient_of_variation(values: impl Iterator<Item = f64> + Clone) -> Option<f64> {
    let (middle, deviation) = (mean(values.clone())?, deviation(values)?);
    (middle != 0.0).then(|| deviation / middle)
}

/// What the summary of a contour writes.
#[derive(Default)]
pub(super) struct Summary {
    sorted: Vec<f64>,
    stretch: Vec<f64>,
    turns: Vec<usize>,
    rising: Vec<f64>,
    falling: Vec<f64>,
}

impl Summary {
    /// Appends mean, variation, the 20th, 50th and 80th percentile, the range between the first and the last of them, mean and
    /// deviation of the slope of rising parts and of falling ones, per second, both above 0. The number of peaks; `None` without values.
    pub fn push(
        &mut self,
        contour: &[Option<f64>],
        frame_seconds: f64,
        values: &mut Vec<Option<f64>>,
    ) -> Option<f64> {
        let known = contour.iter().copied().flatten();
        values.extend([mean(known.clone()), coefficient_of_variation(known.clone())]);
        self.sorted.clear();
        self.sorted.extend(known);
        self.sorted.sort_unstable_by(f64::total_cmp);
        let at = |share| statistics::percentile_of_sorted(&self.sorted, share);
        let shares = [at(0.2), at(0.5), at(0.8)];
        values.extend(shares);
        values.push(shares[2].zip(shares[0]).map(|(high, low)| high - low));
        let range = self.sorted.last().zip(self.sorted.first()).map(|(most, least)| most - least);
        let peaks = range.map(|range| self.turn(contour, frame_seconds, range * TURN_SHARE) as f64);
        for slopes in [&self.rising, &self.falling] {
            let slopes = || slopes.iter().copied().filter(|_| peaks.is_some());
            values.extend([mean(slopes()), deviation(slopes())]);
        }
        peaks
    }

    /// The slopes of all stretches with values; how many peaks there are.
    fn turn(&mut self, contour: &[Option<f64>], frame_seconds: f64, least: f64) -> usize {
        let Self { stretch, turns, rising, falling, .. } = self;
        rising.clear();
        falling.clear();
        let mut peaks = 0;
        for part in contour.split(Option::is_none) {
            stretch.clear();
            stretch.extend(part.iter().copied().flatten());
            peaks += turning_points(stretch, least, turns);
            for pair in turns.windows(2) {
                let change = stretch[pair[1]] - stretch[pair[0]];
                let slope = change / ((pair[1] - pair[0]) as f64 * frame_seconds);
                if change > 0.0 { &mut *rising } else { &mut *falling }.push(slope.abs());
            }
        }
        peaks
    }
}

/// Finds where a contour turns: where its first rise or fall by more than `least` begins, its summits and troughs that it leaves
/// by more than that, and where the last ends. How many summits there are between.
fn turning_points(values: &[f64], least: f64, turns: &mut Vec<usize>) -> usize {
    turns.clear();
    let (mut lowest, mut highest, mut peaks) = (0, 0, 0);
    let mut rises: Option<bool> = None;
    for (i, value) in values.iter().copied().enumerate() {
        if value > values[highest] {
            highest = i;
        }
        if value < values[lowest] {
            lowest = i;
        }
        if rises != Some(true) && value - values[lowest] > least {
            turns.push(lowest);
            (rises, highest) = (Some(true), i);
        } else if rises != Some(false) && values[highest] - value > least {
            turns.push(highest);
            peaks += usize::from(rises == Some(true));
            (rises, lowest) = (Some(false), i);
        }
    }
    match rises {
        Some(true) => turns.push(highest),
        Some(false) => turns.push(lowest),
        None => {}
    }
    peaks
}

/// Appends how many voiced segments a second has, and mean and deviation of the seconds of voiced segments and of those between
/// and about them.
pub(super) fn segments(voiced: &[bool], frame_seconds: f64, seconds: f64, values: &mut Vec<Option<f64>>) {
    let lengths = |wanted: bool| {
        let chunks = voiced.chunk_by(|a, b| a == b).filter(move |chunk| chunk.first() == Some(&wanted));
        chunks.map(move |chunk| chunk.len() as f64 * frame_seconds)
    };
    values.push(Some(lengths(true).count() as f64 / seconds));
    values.extend([mean(lengths(true)), deviation(lengths(true))]);
    values.extend([mean(lengths(false)), deviation(lengths(false))]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn turns_are_those_one_sees() {
        let mut turns = Vec::new();
        let zigzag = [0.0, 1.0, 2.0, 1.9, 2.5, 1.0, 0.9, 1.0, 3.0];
        assert_eq!(turning_points(&zigzag, 0.3, &mut turns), 1);
        assert_eq!(turns, [0, 4, 6, 8]);
        assert_eq!(turning_points(&zigzag, 5.0, &mut turns), 0);
        assert!(turns.is_empty());
        for flat in [&[][..], &[1.0], &[1.0, 1.0]] {
            assert_eq!(turning_points(flat, 0.0, &mut turns), 0);
            assert!(turns.is_empty());
        }
    }

    #[test]
    fn a_triangle_has_its_slopes() {
        let contour: Vec<Option<f64>> = [0, 1, 2, 3, 4, 3, 2, 1, 0].map(|x| Some(f64::from(x))).into();
        let mut values = Vec::new();
        assert_eq!(Summary::default().push(&contour, 0.5, &mut values), Some(1.0));
        assert!((values[0].unwrap() - 16.0 / 9.0).abs() < 1e-12);
        assert_eq!(values[3], Some(2.0));
        assert_eq!(values[6..], [2.0, 0.0, 2.0, 0.0].map(Some));
        values.clear();
        assert_eq!(Summary::default().push(&[None, None], 0.5, &mut values), None);
        assert_eq!(values, [None; 10]);
    }

    #[test]
    fn segments_are_counted_and_measured() {
        let voiced = [false, true, true, false, true, true, true, true, false, false];
        let mut values = Vec::new();
        segments(&voiced, 0.1, 2.0, &mut values);
        let expected = [1.0, 0.3, 0.1, 0.4 / 3.0, 0.02_f64.sqrt() / 3.0];
        for (found, expected) in values.iter().zip(expected) {
            assert!((found.unwrap() - expected).abs() < 1e-9, "{values:?}");
        }
        values.clear();
        segments(&[true], 0.1, 1.0, &mut values);
        assert_eq!(values[3..], [None; 2]);
    }

    #[test]
    fn variation_has_the_sign_of_the_mean() {
        let of = |values: &[f64]| coefficient_of_variation(values.iter().copied());
        assert_eq!(of(&[1.0, 3.0]), Some(0.5));
        assert_eq!(of(&[-1.0, -3.0]), Some(-0.5));
        assert_eq!((of(&[-1.0, 1.0]), of(&[])), (None, None));
    }
}
