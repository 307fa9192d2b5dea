//! YIN: how unlike a frame is to itself a period later.
//!
//! De Cheveigné and Kawahara, "YIN, a fundamental frequency estimator for speech and music", JASA 111 (2002), as
//! `librosa.yin` 0.11 computes it. Its difference function is not the paper's: over a frame x of N samples with the
//! autocorrelation r ([`super::autocorrelation`])
//!
//! ```text
//! d(τ) = 2 (r(0) - r(τ)) - Σ_{j < τ} x[j]²
//! ```
//!
//! which leaves the energy of the last τ samples in. Then, as in the paper, d is divided by its mean up to τ, and
//! the first trough under 0.1 (or else the least value) is refined by a parabola.

use super::autocorrelation::{Autocorrelation, AutocorrelationScratch};
use super::error::AudioError;
use super::frames::Frames;
use super::pitch::PitchSettings;

/// A trough under this is taken as the period (librosa's `trough_threshold`).
const TROUGH: f64 = 0.1;

/// Periods that are normalised side by side.
const BLOCK: usize = 32;

/// A frame whose normalised difference stays at or over this everywhere is unvoiced.
const UNVOICED: f64 = 0.3;

/// The plan of YIN at one sample rate.
#[derive(Clone)]
pub struct Yin {
    sample_rate: f64,
    min_period: usize,
    max_period: usize,
    autocorrelation: Autocorrelation,
}

/// What [`Yin::estimate`] writes while it works.
pub struct YinScratch {
    autocorrelation: AutocorrelationScratch,
    difference: Vec<f64>,
}

impl Yin {
    /// Frames of `settings.frame_len` samples, centred on every `hop_len`-th sample, zeros outside of the clip.
    pub fn new(settings: &PitchSettings, hop_len: usize, sample_rate: u32) -> Result<Self, AudioError> {
        settings.check(sample_rate)?;
        let rate = f64::from(sample_rate);
        let max_period = ((rate / settings.min_hz).ceil() as usize).min(settings.frame_len - 1);
        Ok(Self {
            sample_rate: rate,
            min_period: (rate / settings.max_hz).floor() as usize,
            max_period,
            autocorrelation: Autocorrelation::new(Frames::centred(settings.frame_len, hop_len), max_period),
        })
    }

    /// Room for one thread to work in.
    #[must_use]
    pub fn scratch(&self) -> YinScratch {
        YinScratch { autocorrelation: self.autocorrelation.scratch(), difference: vec![0.0; self.lags()] }
    }

    /// The pitch of frame `index` in Hz; `None` where the frame is silent or its normalised difference has no value
    /// under 0.3 (unvoiced).
    #[must_use]
    pub fn estimate(&self, samples: &[f32], index: usize, scratch: &mut YinScratch) -> Option<f64> {
        let (mut lowest, mut trough) = (f64::INFINITY, None);
        let difference = self.differences(samples, index, scratch, |known, least_of_block| {
            lowest = least_of_block.min(lowest);
            if lowest < TROUGH {
                // The last value known may fall further.
                trough = first_trough(known).filter(|lag| lag + 1 < known.len());
            }
            trough.is_some()
        })?;
        let lag = trough
            .or_else(|| first_trough(difference).filter(|_| lowest < TROUGH))
            .or_else(|| difference.iter().position(|d| *d == lowest).filter(|_| lowest < UNVOICED))?;
        let period = (self.min_period + lag) as f64 + parabola_shift(difference, lag);
        Some(self.sample_rate / period)
    }

    /// The normalised difference of frame `index` at every period from [`Yin::min_period`] on; `None` of a silent frame.
    pub(super) fn difference<'s>(
        &self,
        samples: &[f32],
        index: usize,
        scratch: &'s mut YinScratch,
    ) -> Option<&'s [f64]> {
        self.differences(samples, index, scratch, |_, _| false)
    }

    /// [`Yin::difference`] a block of periods after another, until what is known so far, and the least value of the last block, are
    /// enough.
    fn differences<'s>(
        &self,
        samples: &[f32],
        index: usize,
        scratch: &'s mut YinScratch,
        mut enough: impl FnMut(&[f64], f64) -> bool,
    ) -> Option<&'s [f64]> {
        let YinScratch { autocorrelation, difference } = scratch;
        let (frame, r) = self.autocorrelation.of(samples, index, autocorrelation)?;
        let (mut head, mut sum) = (0.0, 0.0);
        let mut step = |sample: f32, at_lag: f64| {
            head += f64::from(sample) * f64::from(sample);
            let difference = 2.0 * (r[0] - at_lag) - head;
            sum += difference;
            (difference, sum)
        };
        let first = self.min_period.max(1);
        let (before, samples) = frame[..self.max_period].split_at(first - 1);
        let (before_lags, lags) = r[1..=self.max_period].split_at(first - 1);
        for (sample, at_lag) in before.iter().zip(before_lags) {
            step(*sample, *at_lag);
        }
        let (mut lag, mut known) = (first as i32, first - self.min_period);
        for (samples, lags) in samples.chunks(BLOCK).zip(lags.chunks(BLOCK)) {
            let mut sums = [1.0; BLOCK];
            let here = &mut difference[known..known + lags.len()];
            for (((here, sum), sample), at_lag) in here.iter_mut().zip(&mut sums).zip(samples).zip(lags) {
                (*here, *sum) = step(*sample, *at_lag);
            }
            for ((here, sum), lag) in here.iter_mut().zip(&sums).zip(lag..) {
                // By the mean, sum / lag.
                *here = *here * f64::from(lag) / (sum + f64::MIN_POSITIVE);
            }
            let lowest = least(here);
            lag += BLOCK as i32;
            known += lags.len();
            if enough(&difference[..known], lowest) {
                return Some(&difference[..known]);
            }
        }
        Some(difference)
    }

    /// The shortest period looked for, in samples.
    pub(super) fn min_period(&self) -> usize {
        self.min_period
    }

    /// How many periods are looked at.
    pub(super) fn lags(&self) -> usize {
        self.max_period - self.min_period + 1
    }
}

/// The first local minimum under the threshold. The first value needs a greater one after it, the last a greater
/// one before it.
fn first_trough(difference: &[f64]) -> Option<usize> {
    let under = difference.iter().position(|d| *d < TROUGH)?;
    (under..difference.len()).find(|i| {
        let here = difference[*i];
        let falls = *i == 0 || here < difference[*i - 1];
        let rises = match difference.get(*i + 1) {
            Some(after) if *i == 0 => here < *after,
            Some(after) => here <= *after,
            None => true,
        };
        here < TROUGH && falls && rises
    })
}

/// The least of all, eight side by side.
fn least(difference: &[f64]) -> f64 {
    let lesser = |a: f64, b: f64| if b < a { b } else { a };
    let (eights, rest) = difference.as_chunks::<8>();
    let mut lanes = [f64::INFINITY; 8];
    for eight in eights {
        for (lane, d) in lanes.iter_mut().zip(eight) {
            *lane = lesser(*lane, *d);
        }
    }
    lanes.into_iter().chain(rest.iter().copied()).fold(f64::INFINITY, lesser)
}

/// How far the vertex of the parabola through a value and its neighbours lies from it: under 1, else 0.
pub(super) fn parabola_shift(difference: &[f64], lag: usize) -> f64 {
    let Some([before, here, after]) = lag.checked_sub(1).and_then(|from| difference.get(from..from + 3))
    else {
        return 0.0;
    };
    let curvature = after + before - 2.0 * here;
    let slope = (after - before) / 2.0;
    if slope.abs() >= curvature.abs() { 0.0 } else { -slope / curvature }
}

#[cfg(test)]
mod tests {
    use std::f64::consts::PI;

    use super::*;

    fn tone(hz: f64, len: usize) -> Vec<f32> {
        let partial = |i: usize, n: f64| (2.0 * PI * n * hz * i as f64 / 16_000.0).sin() / n;
        (0..len).map(|i| (0.3 * (1..6).map(|n| partial(i, f64::from(n))).sum::<f64>()) as f32).collect()
    }

    fn plan() -> Yin {
        Yin::new(&PitchSettings::default(), 160, 16_000).unwrap()
    }

    #[test]
    fn a_tone_has_its_pitch() {
        let yin = plan();
        let mut scratch = yin.scratch();
        for hz in [80.0, 123.4, 220.0, 415.3] {
            let found = yin.estimate(&tone(hz, 8000), 20, &mut scratch).unwrap();
            assert!((found / hz - 1.0).abs() < 2e-3, "{found} for {hz}");
        }
    }

    #[test]
    fn the_difference_is_the_definition() {
        let samples = tone(180.0, 2000);
        let yin = plan();
        let mut scratch = yin.scratch();
        let found = yin.difference(&samples, 6, &mut scratch).unwrap();
        let x: Vec<f64> = samples[6 * 160 - 512..6 * 160 + 512].iter().map(|x| f64::from(*x)).collect();
        let r = |lag: usize| -> f64 { x[..1024 - lag].iter().zip(&x[lag..]).map(|(a, b)| a * b).sum() };
        let d = |lag: usize| 2.0 * (r(0) - r(lag)) - x[..lag].iter().map(|x| x * x).sum::<f64>();
        let differences: Vec<f64> = (1..=yin.max_period).map(d).collect();
        for lag in [yin.min_period, 89, yin.max_period] {
            let mean = differences[..lag].iter().sum::<f64>() / lag as f64;
            let found = found[lag - yin.min_period];
            assert!((found - differences[lag - 1] / mean).abs() < 1e-5);
        }
    }

    #[test]
    fn silence_and_noise_have_no_pitch() {
        let yin = plan();
        let mut scratch = yin.scratch();
        assert_eq!(yin.estimate(&[0.0; 4000], 10, &mut scratch), None);
        assert_eq!(yin.estimate(&[], 0, &mut scratch), None);
        let mut state = 7u32;
        let noise: Vec<f32> = (0..4000)
            .map(|_| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (state >> 8) as f32 / 8_388_608.0 - 1.0
            })
            .collect();
        assert_eq!(yin.estimate(&noise, 10, &mut scratch), None);
    }

    #[test]
    fn troughs_and_parabolas() {
        assert_eq!(first_trough(&[0.5, 0.09, 0.2, 0.01]), Some(1));
        assert_eq!(first_trough(&[0.05, 0.06]), Some(0));
        assert_eq!(first_trough(&[0.5, 0.4, 0.01]), Some(2));
        assert_eq!(first_trough(&[0.5, 0.2, 0.3]), None);
        assert_eq!(parabola_shift(&[4.0, 1.0, 0.0, 1.0], 2), 0.0);
        assert!((parabola_shift(&[2.0, 0.5, 1.0], 1) - 0.25).abs() < 1e-12);
        assert_eq!(parabola_shift(&[2.0, 0.5, 1.0], 2), 0.0);
    }
}
