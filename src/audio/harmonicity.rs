//! Harmonicity: the ratio of harmonics to noise of a voice.
//!
//! Praat's "To Harmonicity (ac)" with its standard values (a frame every 10 ms, 75 Hz, silence 0.1, 4.5 periods): where the
//! autocorrelation ([`super::periodicity`]) of a frame has its highest peak r, the ratio is r/(1 - r).

use super::periodicity::{Periodicity, PeriodicityScratch, PeriodicitySettings, Shape, global_peak};
use super::summit::Summit;

const SETTINGS: PeriodicitySettings =
    PeriodicitySettings { min_hz: 75.0, periods: 4.5, shape: Shape::Gaussian, step_seconds: 0.01 };
/// Frames whose loudest sample is under this share of the clip's are silent, where nothing in them is more periodic
/// than they are quiet.
const SILENCE: f64 = 0.1;
/// Lags on either side that a value between lags is interpolated from.
const DEPTH: usize = 700;
/// Peaks this near to the highest are looked at closely.
const CLOSE: f64 = 0.1;

/// The plan of harmonicity at one sample rate.
#[derive(Clone)]
pub struct Harmonicity {
    periodicity: Periodicity,
}

/// What [`Harmonicity::hnr_db`] writes.
pub struct HarmonicityScratch {
    periodicity: PeriodicityScratch,
    summit: Summit,
}

impl Default for HarmonicityScratch {
    fn default() -> Self {
        Self { periodicity: PeriodicityScratch::default(), summit: Summit::new(DEPTH) }
    }
}

impl Harmonicity {
    /// For clips of `sample_rate`; `None` where the rate is too low to have a period of 75 Hz, or too high.
    #[must_use]
    pub fn new(sample_rate: u32) -> Option<Self> {
        Some(Self { periodicity: Periodicity::new(&SETTINGS, sample_rate)? })
    }

    /// Mean ratio of harmonics to noise in dB over the frames that are not silent; `None` where there are none.
    #[must_use]
    pub fn hnr_db(&self, samples: &[f32], scratch: &mut HarmonicityScratch) -> Option<f64> {
        let peak = global_peak(samples);
        let frames = self.periodicity.frames(samples.len()).filter(|_| peak > 0.0)?;
        let (mut sum, mut count) = (0.0, 0);
        for frame in 0..frames.count {
            let (loudest, strength) = self.observe(samples, frames.seconds(frame), scratch);
            let least = (2.0 - (loudest / peak).min(1.0) / SILENCE).max(0.0);
            if let Some(strength) = strength.filter(|strength| *strength >= least) {
                sum += ratio_db(strength);
                count += 1;
            }
        }
        (count > 0).then(|| sum / f64::from(count))
    }

    /// The ratio in dB of the frame about a time, with silence outside of the clip; `None` where it is not periodic at all.
    #[must_use]
    pub fn frame_db(&self, samples: &[f32], seconds: f64, scratch: &mut HarmonicityScratch) -> Option<f64> {
        self.observe(samples, seconds, scratch).1.map(ratio_db)
    }

    /// The loudest sample of a frame, and how periodic it is.
    fn observe(&self, samples: &[f32], seconds: f64, scratch: &mut HarmonicityScratch) -> (f64, Option<f64>) {
        let HarmonicityScratch { periodicity, summit } = scratch;
        let (loudest, correlation) = self.periodicity.observe(samples, seconds, periodicity);
        (loudest, correlation.and_then(|correlation| self.strength(correlation, summit)))
    }

    /// The height of the highest peak of an autocorrelation, but at lag 0; `None` where there is no peak.
    fn strength(&self, correlation: &[f64], summit: &mut Summit) -> Option<f64> {
        let peaks = || self.periodicity.peaks(correlation, 0.0);
        let highest = peaks().map(|lag| correlation[lag]).fold(0.0, f64::max);
        peaks()
            .filter(|lag| correlation[*lag] > highest - CLOSE)
            .map(|lag| summit.of(correlation, lag).1)
            .reduce(f64::max)
    }
}

/// The ratio of harmonics to noise where the share `strength` is periodic.
fn ratio_db(strength: f64) -> f64 {
    let periodic = strength.clamp(1e-15, 1.0 - 1e-15);
    10.0 * libm::log10(periodic / (1.0 - periodic))
}

#[cfg(test)]
mod tests {
    use std::f64::consts::PI;

    use super::*;

    fn hnr_db(samples: &[f32]) -> Option<f64> {
        Harmonicity::new(16_000).unwrap().hnr_db(samples, &mut HarmonicityScratch::default())
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
        assert_eq!(hnr_db(&vec![0.0; 16_000]), None);
        assert_eq!(hnr_db(&[0.1; 100]), None);
        assert!(Harmonicity::new(100).is_none() && Harmonicity::new(8000).is_some());
    }
}
