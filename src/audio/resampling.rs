//! Resampling inside an analysis, as Praat's "Resample" by its manual: where the rate falls, the transform of the whole clip
//! is cut off at half the new rate; then a windowed sinc, its phases planned once.
//!
//! Time is kept: sample i stands for the time (i + 1/2)/rate, before and after.

use std::f64::consts::PI;

use crate::convolution::fourier::{Complex, FftScratch, RealFft};

/// Samples on either side that a value between samples is interpolated from.
const DEPTH: usize = 50;
/// Silence about a clip, so that its end does not run into its begin.
const SILENCE: usize = 1000;
/// The most phases, a bound on memory; a ratio that needs more is rounded to the nearest that does not.
const PHASES_LIMIT: u32 = 512;

/// The plan from one rate to another.
#[derive(Debug, Clone)]
pub struct Resampler {
    /// Input samples for every `phases` output samples.
    step: usize,
    phases: usize,
    ratio: f64,
    rate: f64,
    /// Weights of the taps of each phase, and where its first tap lies from the input sample that the phase's period
    /// begins with.
    weights: Vec<f64>,
    offsets: Vec<isize>,
}

impl Resampler {
    /// From `from` to about `to` samples a second, both at least 1; [`Resampler::rate`] says to how many exactly.
    #[must_use]
    pub fn new(from: u32, to: u32) -> Self {
        let divisor = gcd(from, to);
        let (mut phases, mut step) = (to / divisor, from / divisor);
        if phases > PHASES_LIMIT {
            step = (f64::from(step) * f64::from(PHASES_LIMIT) / f64::from(phases)).round().max(1.0) as u32;
            phases = PHASES_LIMIT;
        }
        let ratio = f64::from(phases) / f64::from(step);
        let mut plan = Self {
            step: step as usize,
            phases: phases as usize,
            ratio,
            rate: f64::from(from) * ratio,
            weights: Vec::with_capacity(2 * DEPTH * phases as usize),
            offsets: Vec::with_capacity(phases as usize),
        };
        for phase in 0..phases {
            let place = (f64::from(phase) + 0.5) / ratio - 0.5;
            let left = place.floor();
            plan.offsets.push(left as isize + 1 - DEPTH as isize);
            plan.weights.extend((0..2 * DEPTH).map(|tap| {
                let distance = left + 1.0 + tap as f64 - DEPTH as f64 - place;
                // Either side has a cosine of its own width.
                let reach = DEPTH as f64 + if distance > 0.0 { left + 1.0 - place } else { place - left };
                tap_weight(distance, reach)
            }));
        }
        plan
    }

    /// Samples a second that come out.
    #[must_use]
    pub fn rate(&self) -> f64 {
        self.rate
    }

    /// Writes the samples of the clip at the new rate; silence stands before and after it.
    pub fn apply(&self, samples: &[f32], resampled: &mut Vec<f64>, scratch: &mut ResamplerScratch) {
        resampled.clear();
        scratch.clip.clear();
        scratch.clip.resize(SILENCE, 0.0);
        scratch.clip.extend(samples.iter().map(|x| f64::from(*x)));
        if self.ratio < 1.0 {
            scratch.cut_off(self.ratio);
        }
        let clip = scratch.clip.get(SILENCE..SILENCE + samples.len()).unwrap_or_default();
        let len = (samples.len() as f64 * self.phases as f64 / self.step as f64).round() as usize;
        resampled.extend((0..len).map(|i| {
            let phase = i % self.phases;
            let first = (i / self.phases * self.step) as isize + self.offsets[phase];
            let weights = &self.weights[phase * 2 * DEPTH..][..2 * DEPTH];
            let skipped = (-first).max(0) as usize;
            let inside = clip.get(first.max(0) as usize..).unwrap_or_default();
            let weights = weights.get(skipped..).unwrap_or_default();
            product(weights, inside)
        }));
    }
}

/// The sum of products of what both have, in eight sums that go side by side.
fn product(weights: &[f64], samples: &[f64]) -> f64 {
    let len = weights.len().min(samples.len());
    let ((xs, x_rest), (ys, y_rest)) = (weights[..len].as_chunks::<8>(), samples[..len].as_chunks::<8>());
    let mut sums = [0.0; 8];
    let mut add = |x: &[f64], y: &[f64]| {
        for ((sum, x), y) in sums.iter_mut().zip(x).zip(y) {
            *sum += x * y;
        }
    };
    xs.iter().zip(ys).for_each(|(x, y)| add(x, y));
    add(x_rest, y_rest);
    sums.iter().sum()
}

/// What [`Resampler::apply`] writes, with the transform of the longest clip so far.
#[derive(Debug, Clone, Default)]
pub struct ResamplerScratch {
    clip: Vec<f64>,
    spectrum: Vec<Complex<f64>>,
    transform: Option<RealFft<f64>>,
    fft: FftScratch<f64>,
}

impl ResamplerScratch {
    /// Takes away what lies over this share of half the rate.
    fn cut_off(&mut self, share: f64) {
        let len = (self.clip.len() + SILENCE).next_power_of_two();
        let transform = self.transform.take().filter(|transform| transform.len() == len);
        let transform = transform.unwrap_or_else(|| RealFft::new(len));
        self.clip.resize(len, 0.0);
        self.spectrum.resize(transform.bins(), Complex::default());
        transform.forward(&mut self.clip, &mut self.spectrum, &mut self.fft);
        let kept = ((share * len as f64 / 2.0) as usize).min(self.spectrum.len());
        self.spectrum[kept..].fill(Complex::default());
        for bin in &mut self.spectrum[..kept] {
            *bin /= len as f64;
        }
        transform.inverse(&mut self.spectrum, &mut self.clip, &mut self.fft);
        self.transform = Some(transform);
    }
}

/// The sinc under a raised cosine.
fn tap_weight(distance: f64, reach: f64) -> f64 {
    let angle = PI * distance;
    let sinc = if angle == 0.0 { 1.0 } else { libm::sin(angle) / angle };
    sinc * (0.5 + 0.5 * libm::cos(angle / reach))
}

fn gcd(a: u32, b: u32) -> u32 {
    if b == 0 { a.max(1) } else { gcd(b, a % b) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tone_stays_what_it_is() {
        for (from, to) in
            [(16_000, 11_000), (8000, 11_000), (44_100, 11_000), (16_001, 11_000), (11_000, 11_000)]
        {
            let tone = |rate: f64, i: usize| (2.0 * PI * 700.0 * (i as f64 + 0.5) / rate).sin();
            let samples: Vec<f32> = (0..from as usize).map(|i| tone(f64::from(from), i) as f32).collect();
            let plan = Resampler::new(from, to);
            assert!((plan.rate() / f64::from(to) - 1.0).abs() < 1e-3);
            let mut resampled = Vec::new();
            plan.apply(&samples, &mut resampled, &mut ResamplerScratch::default());
            assert!(resampled.len().abs_diff(to as usize) <= 10);
            let inner = resampled.len() - 1600;
            for (i, found) in resampled.iter().enumerate().skip(800).take(inner) {
                assert!((found - tone(plan.rate(), i)).abs() < 2e-3, "{from} to {to}");
            }
        }
    }

    #[test]
    fn what_lies_over_half_the_new_rate_goes() {
        let samples: Vec<f32> = (0..16_000).map(|i| if i % 2 == 0 { 0.5 } else { -0.5 }).collect();
        let mut resampled = Vec::new();
        let mut scratch = ResamplerScratch::default();
        Resampler::new(16_000, 11_000).apply(&samples, &mut resampled, &mut scratch);
        assert!(resampled[800..10_200].iter().all(|x| x.abs() < 1e-3));
        Resampler::new(16_000, 11_000).apply(&[], &mut resampled, &mut scratch);
        assert!(resampled.is_empty());
    }
}
