//! The summit of a peak between the lags of an autocorrelation.
//!
//! Between its values an autocorrelation is a sum of sincs under a raised cosine, as Praat interpolates it; the highest
//! place is found by parabolas.

use std::f64::consts::PI;

use crate::simd::{SincWeights, Width, sinc_sum};

/// The weights of a side come in groups of this many.
const GROUP: usize = 8;

/// From one value of a parabola to the next, after the first, which goes through the lags themselves.
const STEPS: [f64; 2] = [0.1, 0.01];

/// What is known of the window, which hangs on how many lags there are on either side; kept from peak to peak.
#[derive(Debug, Clone)]
pub(super) struct Summit {
    most: usize,
    depth: usize,
    reach: f64,
    /// Cosine and sine of the angle of a whole lag.
    turn: (f64, f64),
    /// For each lag from the place: its number, and its sign by a half, by half the cosine and the sine of its angle.
    number: Vec<f64>,
    half: Vec<f64>,
    cosine: Vec<f64>,
    sine: Vec<f64>,
    /// The autocorrelation about the peak; before lag 0 it is what it is after.
    values: Vec<f64>,
    /// The same from the last to the first; zeros follow both.
    reversed: Vec<f64>,
    width: Width,
}

impl Summit {
    /// Interpolates from `depth` lags on either side, or as many as there are.
    pub fn new(depth: usize) -> Self {
        Self {
            most: depth,
            depth: 0,
            reach: 0.5,
            turn: (0.0, 1.0),
            number: Vec::new(),
            half: Vec::new(),
            cosine: Vec::new(),
            sine: Vec::new(),
            values: Vec::new(),
            reversed: Vec::new(),
            width: Width::detect(),
        }
    }

    /// Place and height of the peak at a lag, at least 1 and not the last. A height over 1, which no sound has, counts as
    /// its inverse.
    pub fn of(&mut self, correlation: &[f64], lag: usize) -> (f64, f64) {
        let depth = self.most.min(correlation.len() - 1 - lag);
        if self.depth != depth {
            self.plan(depth);
        }
        self.take(correlation, lag);
        let around = [lag - 1, lag, lag + 1].map(|lag| correlation[lag]);
        // The vertex through a highest value and its neighbours lies half a lag from it at most.
        let mut shift = vertex(around, 1.0).clamp(-0.5, 0.5);
        let mut found = around[1];
        for step in STEPS {
            let around = [shift - step, shift, shift + step].map(|shift| self.at(shift));
            let way = vertex(around, step).clamp(-0.5, 0.5);
            shift = (shift + way).clamp(-0.9, 0.9);
            // Within its values a parabola this small is as high as what it goes through.
            found = if way.abs() <= step { height(around, way / step) } else { self.at(shift) };
        }
        let (shift, height) = if found > around[1] { (shift, found) } else { (0.0, around[1]) };
        (lag as f64 + shift, if height > 1.0 { 1.0 / height } else { height })
    }

    fn plan(&mut self, depth: usize) {
        self.depth = depth;
        self.reach = depth as f64 + 0.5;
        let angle = |i: usize| PI * i as f64 / self.reach;
        let half = |i: usize| match i {
            _ if i >= depth => 0.0,
            _ if i.is_multiple_of(2) => 0.5,
            _ => -0.5,
        };
        let all = 0..depth.next_multiple_of(GROUP);
        self.turn = (libm::cos(angle(1)), libm::sin(angle(1)));
        self.number = all.clone().map(|i| i as f64).collect();
        self.half = all.clone().map(half).collect();
        self.cosine = all.clone().map(|i| half(i) * libm::cos(angle(i))).collect();
        self.sine = all.map(|i| half(i) * libm::sin(angle(i))).collect();
    }

    /// Takes the values about a lag.
    fn take(&mut self, correlation: &[f64], lag: usize) {
        let depth = self.depth;
        let (before, after) = (depth.min(lag), &correlation[lag..=lag + depth]);
        self.values.clear();
        self.values.extend(correlation[1..=depth - before].iter().rev());
        self.values.extend_from_slice(&correlation[lag - before..lag]);
        self.values.extend_from_slice(after);
        self.reversed.clear();
        self.reversed.extend(self.values.iter().rev());
        let padded = self.values.len() + GROUP;
        self.values.resize(padded, 0.0);
        self.reversed.resize(padded, 0.0);
    }

    /// The value at a distance from the peak's lag, at most 1 on either side.
    fn at(&self, shift: f64) -> f64 {
        let depth = self.depth;
        let left = shift.floor();
        let fraction = shift - left;
        let middle = (depth as isize + left as isize).clamp(0, 2 * depth as isize) as usize;
        if fraction == 0.0 {
            return self.values[middle];
        }
        let angle = PI * fraction / self.reach;
        let (c, s) = (libm::cos(angle), libm::sin(angle));
        let before = self.side(&self.reversed[2 * depth - middle..], fraction, (c, s));
        // The angle of the other side is what is left of a whole lag.
        let (whole_c, whole_s) = self.turn;
        let rest = (whole_c * c + whole_s * s, whole_s * c - whole_c * s);
        let after = self.side(&self.values[middle + 1..], 1.0 - fraction, rest);
        libm::sin(PI * fraction) / PI * (before + after)
    }

    /// The lags on one side, the first of which is `offset` away, which has this cosine and sine.
    fn side(&self, values: &[f64], offset: f64, (cosine, sine): (f64, f64)) -> f64 {
        let Self { half, cosine: cosines, sine: sines, number, .. } = self;
        let weights = SincWeights { half, cosine: cosines, sine: sines, number };
        sinc_sum(self.width, values, weights, offset, cosine, sine)
    }
}

/// How far the vertex of the parabola through three values, `step` apart, lies from the middle one; 0 where it opens upwards.
fn vertex([before, here, after]: [f64; 3], step: f64) -> f64 {
    let curvature = before + after - 2.0 * here;
    if curvature < 0.0 { 0.5 * (before - after) / curvature * step } else { 0.0 }
}

/// The parabola through three values at a place between the first, -1, and the last, 1.
fn height([before, here, after]: [f64; 3], place: f64) -> f64 {
    here + 0.5 * place * ((after - before) + place * (before + after - 2.0 * here))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cosine_has_its_summit() {
        // Three periods of 37.3 lags that fade: what lies between the lags is known.
        let value = |lag: f64| libm::cos(2.0 * PI * lag / 37.3) * (1.0 - lag * lag * 1e-6);
        let correlation: Vec<f64> = (0..400).map(|lag| value(f64::from(lag))).collect();
        for depth in [70, 700] {
            let mut summit = Summit::new(depth);
            for lag in [37, 75, 112] {
                let (place, height) = summit.of(&correlation, lag);
                let expected = (f64::from(lag as u32) / 37.3).round() * 37.3;
                assert!((place - expected).abs() < 0.01, "{place} for {expected}");
                assert!((height - value(place)).abs() < 1e-4 && height <= 1.0);
            }
        }
    }

    #[test]
    fn peaks_by_the_end_have_a_summit_too() {
        let (place, height) = Summit::new(70).of(&[1.0, 0.2, 0.6, 0.5], 2);
        assert!((1.0..3.0).contains(&place) && height >= 0.6);
    }
}
