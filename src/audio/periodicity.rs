//! Periodicity by autocorrelation: how harmonic each moment of a clip is.
//!
//! Boersma, "Accurate short-term analysis of the fundamental frequency and the harmonics-to-noise ratio of a sampled
//! sound", IFA Proceedings 17 (1993), as Praat's "To Harmonicity (ac)" has it with its standard values (a frame every
//! 10 ms, 75 Hz, silence 0.1, 4.5 periods). The autocorrelation of a Gaussian window of the clip over the window's own
//! has its highest peak r at the period, 1 for a wholly periodic sound; the ratio of harmonics to noise is r/(1 - r). Frames lie as Praat
//! lays them: wholly inside of the clip, about its middle.

use crate::convolution::fourier::{Complex, FftScratch, RealFft};

use super::autocorrelation::fast_len;
use super::formants::gaussian;

const MIN_HZ: f64 = 75.0;
/// Praat's Gaussian window reaches twice as far as its periods say.
const PERIODS: f64 = 9.0;
const STEP_SECONDS: f64 = 0.01;
/// Frames whose loudest sample is under this share of the clip's are silent, where nothing in them is more periodic
/// than they are quiet.
const SILENCE: f64 = 0.1;
/// The part of the window over which its autocorrelation is used.
const USED_SHARE: f64 = 0.25;
/// Lags on either side that a value between lags is interpolated from.
const DEPTH: usize = 700;
/// Peaks this near to the highest are looked at closely.
const CLOSE: f64 = 0.1;
/// The longest window; a rate so high that it is longer leaves periodicity undefined.
const WINDOW_LIMIT: usize = 1 << 17;

/// The plan of periodicity at one sample rate.
#[derive(Clone)]
pub struct Periodicity {
    rate: f64,
    window: Vec<f64>,
    /// Autocorrelation of the window, 1 at lag 0.
    window_correlation: Vec<f64>,
    period: usize,
    fft: RealFft<f64>,
}

/// What [`Periodicity::hnr_db`] writes.
#[derive(Default)]
pub struct PeriodicityScratch {
    frame: Vec<f64>,
    spectrum: Vec<Complex<f64>>,
    correlation: Vec<f64>,
    fft: FftScratch<f64>,
}

impl Periodicity {
    /// For clips of `sample_rate`; `None` where the rate is too low to have a period of 75 Hz, or too high.
    #[must_use]
    pub fn new(sample_rate: u32) -> Option<Self> {
        let rate = f64::from(sample_rate);
        let half = ((PERIODS / MIN_HZ * rate) as usize / 2).checked_sub(1)?;
        let (len, period) = (2 * half, (rate / MIN_HZ) as usize);
        if period < 4 || len > WINDOW_LIMIT {
            return None;
        }
        let window = gaussian(len);
        let used = (len as f64 * USED_SHARE) as usize;
        let at_lag = |lag: usize| -> f64 { window.iter().zip(&window[lag..]).map(|(a, b)| a * b).sum() };
        let whole = at_lag(0);
        Some(Self {
            rate,
            window_correlation: (0..=used).map(|lag| at_lag(lag) / whole).collect(),
            period,
            fft: RealFft::new(fast_len(len + used + 1)),
            window,
        })
    }

    /// Mean ratio of harmonics to noise in dB over the frames that are not silent; `None` where there are none.
    #[must_use]
    pub fn hnr_db(&self, samples: &[f32], scratch: &mut PeriodicityScratch) -> Option<f64> {
        let mean = samples.iter().map(|x| f64::from(*x)).sum::<f64>() / samples.len() as f64;
        let peak = samples.iter().map(|x| (f64::from(*x) - mean).abs()).fold(0.0, f64::max);
        let seconds = samples.len() as f64 / self.rate;
        let room = seconds - PERIODS / MIN_HZ;
        if room < 0.0 || peak <= 0.0 {
            return None;
        }
        let frames = (room / STEP_SECONDS).floor() as usize + 1;
        let first = 0.5 * (seconds - (frames - 1) as f64 * STEP_SECONDS);
        let (mut sum, mut count) = (0.0, 0);
        for frame in 0..frames {
            let centre = (first + frame as f64 * STEP_SECONDS) * self.rate - 0.5;
            let loudness = self.take(samples, centre.floor() as usize + 1, &mut scratch.frame) / peak;
            let Some(strength) = self.strength(scratch) else {
                continue;
            };
            if strength >= (2.0 - loudness.min(1.0) / SILENCE).max(0.0) {
                let periodic = strength.clamp(1e-15, 1.0 - 1e-15);
                sum += 10.0 * libm::log10(periodic / (1.0 - periodic));
                count += 1;
            }
        }
        (count > 0).then(|| sum / f64::from(count))
    }

    /// Windows the samples about the one at `right`, the first after the frame's centre, less their mean over a period
    /// on either side; gives the loudest within half a period.
    fn take(&self, samples: &[f32], right: usize, frame: &mut Vec<f64>) -> f64 {
        let near = samples
            .get(right.saturating_sub(self.period)..(right + self.period).min(samples.len()))
            .unwrap_or_default();
        let mean = near.iter().map(|x| f64::from(*x)).sum::<f64>() / (2 * self.period) as f64;
        let half = self.window.len() / 2;
        frame.clear();
        frame.extend(self.window.iter().enumerate().map(|(i, weight)| {
            let sample = (right + i).checked_sub(half).and_then(|at| samples.get(at));
            weight * sample.map_or(0.0, |x| f64::from(*x) - mean)
        }));
        frame.resize(self.fft.len(), 0.0);
        let reach = self.period / 2 + 1;
        frame[half - reach.min(half)..half + reach.min(half)].iter().map(|x| x.abs()).fold(0.0, f64::max)
    }

    /// The height of the highest peak of the autocorrelation of the frame taken, but at lag 0; `None` of a silent frame,
    /// and where there is no peak.
    fn strength(&self, scratch: &mut PeriodicityScratch) -> Option<f64> {
        let PeriodicityScratch { frame, spectrum, correlation, fft } = scratch;
        spectrum.resize(self.fft.bins(), Complex::default());
        correlation.resize(self.fft.len(), 0.0);
        self.fft.forward(frame, spectrum, fft);
        for bin in spectrum.iter_mut() {
            *bin = Complex::new(bin.norm_sqr(), 0.0);
        }
        self.fft.inverse(spectrum, correlation, fft);
        let whole = correlation[0];
        if whole <= f64::MIN_POSITIVE {
            return None;
        }
        let used = self.window_correlation.len();
        for (value, window) in correlation.iter_mut().zip(&self.window_correlation) {
            *value /= whole * window;
        }
        let correlation = &correlation[..used];
        let last = ((self.window.len() as f64 / PERIODS) as usize + 2).min(used - 1);
        let is_peak = |lag: &usize| {
            let [before, here, after] = [lag - 1, *lag, lag + 1].map(|lag| correlation[lag]);
            here > 0.0 && here > before && here >= after
        };
        let peaks = || (2..last).filter(is_peak);
        let highest = peaks().map(|lag| correlation[lag]).fold(0.0, f64::max);
        peaks()
            .filter(|lag| correlation[*lag] > highest - CLOSE)
            .map(|lag| summit(correlation, lag))
            .map(|height| if height > 1.0 { 1.0 / height } else { height })
            .reduce(f64::max)
    }
}

/// The height of the peak about a lag, between the lags.
fn summit(correlation: &[f64], lag: usize) -> f64 {
    let mut place = lag as f64;
    let (mut step, mut height) = (0.5, correlation[lag]);
    for _ in 0..6 {
        let [before, here, after] =
            [place - step, place, place + step].map(|place| between_lags(correlation, place));
        let curvature = before + after - 2.0 * here;
        let shift = if curvature < 0.0 { 0.5 * (before - after) / curvature * step } else { 0.0 };
        height = height.max(here);
        place = (place + shift.clamp(-step, step)).clamp(lag as f64 - 1.0, lag as f64 + 1.0);
        step *= 0.3;
    }
    height.max(between_lags(correlation, place))
}

/// The autocorrelation, which is the same on both sides of lag 0, between two lags: a sinc under a raised cosine.
fn between_lags(correlation: &[f64], place: f64) -> f64 {
    let left = place.floor() as usize;
    let fraction = place - left as f64;
    if fraction == 0.0 {
        return correlation[left];
    }
    let depth = DEPTH.min(correlation.len() - 1 - left);
    let sine = libm::sin(std::f64::consts::PI * fraction) / std::f64::consts::PI;
    let reach = depth as f64 + 0.5;
    let sum = |offset: f64, lag_at: &dyn Fn(usize) -> usize| -> f64 {
        let mut sign = 1.0;
        (0..depth)
            .map(|i| {
                let distance = offset + i as f64;
                let weight = 0.5 + 0.5 * libm::cos(std::f64::consts::PI * distance / reach);
                let value = sign * correlation[lag_at(i)] * weight / distance;
                sign = -sign;
                value
            })
            .sum()
    };
    sine * (sum(fraction, &|i| left.abs_diff(i)) + sum(1.0 - fraction, &|i| left + 1 + i))
}

#[cfg(test)]
mod tests {
    use std::f64::consts::PI;

    use super::*;

    fn hnr_db(samples: &[f32]) -> Option<f64> {
        Periodicity::new(16_000).unwrap().hnr_db(samples, &mut PeriodicityScratch::default())
    }

    #[test]
    fn a_tone_in_noise_has_their_ratio() {
        let mut state = 5_u32;
        let mut noise = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            f64::from(state >> 8) / 8_388_608.0 - 1.0
        };
        for expected in [10.0, 20.0] {
            // Power of the tone 1/2, of the noise 1/3.
            let gain = (1.5 / libm::pow(10.0, expected / 10.0)).sqrt();
            let samples: Vec<f32> = (0..32_000)
                .map(|i| 0.3 * ((2.0 * PI * 155.0 * f64::from(i) / 16_000.0).sin() + gain * noise()))
                .map(|x| x as f32)
                .collect();
            let found = hnr_db(&samples).unwrap();
            assert!((found - expected).abs() < 1.0, "{found} for {expected}");
        }
    }

    #[test]
    fn silence_and_scraps_have_none() {
        assert_eq!(hnr_db(&[]), None);
        assert_eq!(hnr_db(&[0.0; 16_000]), None);
        assert_eq!(hnr_db(&[0.1; 100]), None);
        assert!(Periodicity::new(100).is_none() && Periodicity::new(8000).is_some());
    }
}
