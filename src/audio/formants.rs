//! Formants: the resonances of the vocal tract, from the poles of a linear prediction.
//!
//! The method of Praat's "To Formant (burg)" by its manual, with its standard values (five formants up to 5500 Hz, a
//! window of 25 ms): the clip at twice the highest frequency, pre-emphasis from 50 Hz, a Gaussian window of twice 25 ms,
//! ten coefficients by Burg's method (Childers 1978), the roots of the polynomial. A pair of complex roots is a formant
//! where its frequency lies over 50 Hz and at least 50 Hz under the highest.

use std::f64::consts::PI;

use super::resampling::{Resampler, ResamplerScratch};
use super::window::gaussian;
use crate::convolution::fourier::Complex;

/// Formants that are given.
pub const FORMANTS: usize = 4;
const HIGHEST_HZ: f64 = 5500.0;
const ORDER: usize = 10;
const PREEMPHASIS_HZ: f64 = 50.0;
const WINDOW_SECONDS: f64 = 0.05;
/// Formants nearer than this to 0 Hz or the highest frequency are none.
const MARGIN_HZ: f64 = 50.0;
const ITERATIONS: usize = 60;

/// A formant: where its pole lies.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Resonance {
    /// Its frequency.
    pub hz: f64,
    /// Its bandwidth, by how far the pole lies from the unit circle.
    pub bandwidth_hz: f64,
}

/// A frame's formants, the lowest first; `None` where there are fewer.
pub type FrameFormants = [Option<Resonance>; FORMANTS];

/// The plan of formants at one sample rate.
#[derive(Debug, Clone)]
pub struct Formants {
    resampler: Resampler,
    window: Vec<f64>,
    emphasis: f64,
    /// Where roots are looked for from.
    starts: [Complex<f64>; ORDER],
}

/// What [`Formants::begin`] and [`Formants::estimate`] write.
#[derive(Debug, Clone, Default)]
pub struct FormantScratch {
    samples: Vec<f64>,
    resampler: ResamplerScratch,
    forward: Vec<f64>,
    backward: Vec<f64>,
}

impl Formants {
    /// For clips of `sample_rate`.
    #[must_use]
    pub fn new(sample_rate: u32) -> Self {
        let resampler = Resampler::new(sample_rate, (2.0 * HIGHEST_HZ) as u32);
        // Two halves of equal length.
        let len = (WINDOW_SECONDS * resampler.rate() / 2.0 + 1e-9).floor() as usize * 2;
        Self {
            window: gaussian(len),
            emphasis: libm::exp(-2.0 * PI * PREEMPHASIS_HZ / resampler.rate()),
            resampler,
            starts: starts(),
        }
    }

    /// Takes a clip.
    pub fn begin(&self, samples: &[f32], scratch: &mut FormantScratch) {
        self.resampler.apply(samples, &mut scratch.samples, &mut scratch.resampler);
        for i in (1..scratch.samples.len()).rev() {
            scratch.samples[i] -= self.emphasis * scratch.samples[i - 1];
        }
    }

    /// The formants about a time of the clip last taken.
    #[must_use]
    pub fn estimate(&self, seconds: f64, scratch: &mut FormantScratch) -> FrameFormants {
        let FormantScratch { samples, forward, backward, .. } = scratch;
        let centre = (seconds * self.resampler.rate() - 0.5 + 1e-9).floor() as isize + 1;
        let first = centre - (self.window.len() / 2) as isize;
        forward.clear();
        forward.extend(self.window.iter().enumerate().map(|(i, weight)| {
            let at = usize::try_from(first + i as isize).ok();
            weight * at.and_then(|at| samples.get(at)).copied().unwrap_or(0.0)
        }));
        backward.clear();
        backward.extend_from_slice(forward);
        let Some(coefficients) = burg(forward, backward) else {
            return [None; FORMANTS];
        };
        self.resonances(&roots(&coefficients, self.starts))
    }

    fn resonances(&self, roots: &[Complex<f64>; ORDER]) -> FrameFormants {
        let mut found = [Resonance { hz: f64::INFINITY, bandwidth_hz: 0.0 }; ORDER];
        let nyquist = self.resampler.rate() / 2.0;
        for (found, root) in found.iter_mut().zip(roots.iter().filter(|root| root.im >= 0.0)) {
            // A root outside of the unit circle has the frequency and the width of the one it mirrors.
            let hz = libm::atan2(root.im, root.re) * nyquist / PI;
            if hz > MARGIN_HZ && hz < nyquist - MARGIN_HZ {
                let bandwidth_hz = libm::log(root.norm_sqr()).abs() * nyquist / PI;
                *found = Resonance { hz, bandwidth_hz };
            }
        }
        found.sort_unstable_by(|a, b| a.hz.total_cmp(&b.hz));
        std::array::from_fn(|i| Some(found[i]).filter(|found| found.hz.is_finite()))
    }
}

/// Prediction coefficients by Burg's method: x[n] is near to Σ a[k] x[n-1-k]. Both copies of the frame are destroyed;
/// `None` of a frame without energy.
fn burg(forward: &mut [f64], backward: &mut [f64]) -> Option<[f64; ORDER]> {
    let mut coefficients = [0.0; ORDER];
    for order in 0..ORDER {
        // Errors of prediction from before and from behind, one sample apart. Those from behind stay where they were, so
        // that the sample which belongs to the first from before is always the first.
        let ahead = forward.get_mut(order + 1..)?;
        let behind = backward.get_mut(..ahead.len())?;
        let (product, energy) = products(ahead, behind);
        if energy <= f64::MIN_POSITIVE {
            return None;
        }
        let reflection = 2.0 * product / energy;
        let previous = coefficients;
        coefficients[order] = reflection;
        for k in 0..order {
            coefficients[k] = previous[k] - reflection * previous[order - 1 - k];
        }
        for (ahead, behind) in ahead.iter_mut().zip(behind) {
            let (f, b) = (*ahead, *behind);
            *ahead = f - reflection * b;
            *behind = b - reflection * f;
        }
    }
    coefficients.iter().all(|a| a.is_finite()).then_some(coefficients)
}

/// The sums of products and of both squares, in eight sums that go side by side.
fn products(x: &[f64], y: &[f64]) -> (f64, f64) {
    let ((xs, x_rest), (ys, y_rest)) = (x.as_chunks::<8>(), y.as_chunks::<8>());
    let (mut products, mut squares) = ([0.0; 8], [0.0; 8]);
    let mut add = |x: &[f64], y: &[f64]| {
        for (lane, (x, y)) in x.iter().zip(y).enumerate() {
            products[lane] += x * y;
            squares[lane] += x * x + y * y;
        }
    };
    xs.iter().zip(ys).for_each(|(x, y)| add(x, y));
    add(x_rest, y_rest);
    (products.iter().sum(), squares.iter().sum())
}

fn starts() -> [Complex<f64>; ORDER] {
    std::array::from_fn(|i| {
        let angle = 2.0 * PI * i as f64 / ORDER as f64 + 0.4;
        Complex::new(0.9 * libm::cos(angle), 0.9 * libm::sin(angle))
    })
}

/// The roots of z^n - a[0] z^(n-1) - … - a[n-1], all at once (Aberth 1973).
fn roots(coefficients: &[f64; ORDER], mut roots: [Complex<f64>; ORDER]) -> [Complex<f64>; ORDER] {
    for _ in 0..ITERATIONS {
        let mut furthest = 0.0_f64;
        for i in 0..ORDER {
            let z = roots[i];
            let (mut value, mut slope) = (Complex::new(1.0, 0.0), Complex::new(0.0, 0.0));
            for a in coefficients {
                slope = slope * z + value;
                value = value * z - a;
            }
            let repulsion: Complex<f64> = (0..ORDER)
                .filter(|j| *j != i)
                .map(|j| (z - roots[j]).inv())
                .filter(|r| r.re.is_finite())
                .sum();
            let newton = value / slope;
            let step = newton / (Complex::new(1.0, 0.0) - newton * repulsion);
            if step.re.is_finite() && step.im.is_finite() {
                roots[i] = z - step;
                furthest = furthest.max(step.norm_sqr());
            }
        }
        if furthest < 1e-24 {
            break;
        }
    }
    roots
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A pulse train through resonances.
    fn vowel(resonances: &[(f64, f64)], rate: f64, len: usize) -> Vec<f32> {
        let mut signal: Vec<f64> = (0..len).map(|i| if i % 133 == 0 { 1.0 } else { 0.0 }).collect();
        for (hz, bandwidth) in resonances {
            let radius = (-PI * bandwidth / rate).exp();
            let (a, b) = (2.0 * radius * (2.0 * PI * hz / rate).cos(), radius * radius);
            for i in 0..len {
                let before = |n: usize| i.checked_sub(n).map_or(0.0, |at| signal[at]);
                signal[i] += a * before(1) - b * before(2);
            }
        }
        signal.iter().map(|x| (x * 0.01) as f32).collect()
    }

    #[test]
    fn a_synthetic_vowel_has_its_resonances() {
        let made = [(700.0, 60.0), (1220.0, 70.0), (2600.0, 110.0), (3500.0, 150.0), (4600.0, 200.0)];
        let plan = Formants::new(16_000);
        let mut scratch = FormantScratch::default();
        plan.begin(&vowel(&made, 16_000.0, 8000), &mut scratch);
        let found = plan.estimate(0.25, &mut scratch);
        for ((hz, _), found) in made.iter().zip(found) {
            // Pulses 120 Hz apart draw a resonance to their harmonics.
            assert!((found.unwrap().hz / hz - 1.0).abs() < 0.08, "{found:?} for {hz}");
        }
    }

    #[test]
    fn silence_and_scraps_have_none() {
        for rate in [8000, 16_000, 48_000] {
            let plan = Formants::new(rate);
            let mut scratch = FormantScratch::default();
            for clip in [&[] as &[f32], &[0.3], &[0.0; 4000]] {
                plan.begin(clip, &mut scratch);
                let found = plan.estimate(0.1, &mut scratch);
                assert_eq!(found, [None; FORMANTS]);
            }
        }
    }

    #[test]
    fn roots_are_roots() {
        let known = [0.3, -0.7, 0.95];
        // (z - 0.3)(z + 0.7)(z - 0.95) z^7
        let mut polynomial = [0.0; ORDER];
        polynomial[0] = known.iter().sum();
        polynomial[1] = -(known[0] * known[1] + known[0] * known[2] + known[1] * known[2]);
        polynomial[2] = known.iter().product();
        let found = roots(&polynomial, starts());
        for root in known {
            assert!(found.iter().any(|z| (z.re - root).abs() < 1e-6 && z.im.abs() < 1e-6));
        }
    }
}
