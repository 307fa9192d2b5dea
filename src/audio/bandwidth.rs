//! Effective bandwidth: the frequency above which the long-term spectrum of a recording has fallen to its floor.
//!
//! A recording that was upsampled, or came by way of a telephone or a codec that cuts, has nothing above a frequency below
//! half its sample rate. The power spectra of a clip (Hann, 2048 samples, every 1024) are averaged and taken in bands of about
//! 100 Hz; a band lies over the floor where it is 10 dB over the noise of rounding to 16 bits (1/12 of the square of a step)
//! and less than 90 dB under the loudest band. Images that a poor resampler leaves are sound like any other.

use crate::convolution::fourier::{Complex, FftScratch, RealFft};

use super::window::hann;

const LEN: usize = 2048;
const HOP: usize = LEN / 2;
const BAND_HZ: f64 = 100.0;
/// Mean square of the error of rounding to 16 bits, and ten times that.
const ROUNDING: f64 = 1.0 / (12.0 * 32768.0 * 32768.0);
const LEAST: f64 = 10.0 * ROUNDING;
/// 90 dB.
const LEAST_SHARE: f64 = 1e-9;

/// The plan of bandwidth at one sample rate.
#[derive(Clone)]
pub struct Bandwidth {
    bin_hz: f64,
    fft: RealFft<f64>,
    window: Vec<f64>,
}

/// What [`Bandwidth::effective_hz`] writes.
#[derive(Default)]
pub struct BandwidthScratch {
    frame: Vec<f64>,
    spectrum: Vec<Complex<f64>>,
    power: Vec<f64>,
    fft: FftScratch<f64>,
}

impl Bandwidth {
    /// For clips of `sample_rate`.
    #[must_use]
    pub fn new(sample_rate: u32) -> Self {
        Self { bin_hz: f64::from(sample_rate) / LEN as f64, fft: RealFft::new(LEN), window: hann(LEN) }
    }

    /// The upper edge of the highest band over the floor; `None` where there is none, or the clip is shorter than 2048
    /// samples.
    #[must_use]
    pub fn effective_hz(&self, samples: &[f32], scratch: &mut BandwidthScratch) -> Option<f64> {
        self.average(samples, scratch)?;
        let bins = (BAND_HZ / self.bin_hz).round().max(1.0) as usize;
        let bands = || scratch.power.chunks_exact(bins).map(|band| band.iter().sum::<f64>() / bins as f64);
        let floor = LEAST.max(LEAST_SHARE * bands().fold(0.0, f64::max));
        let highest = bands().enumerate().rfind(|(_, level)| *level > floor);
        highest.map(|(band, _)| (((band + 1) * bins).min(LEN / 2)) as f64 * self.bin_hz)
    }

    /// The mean power of each bin, such that white noise has its mean square in each.
    fn average(&self, samples: &[f32], scratch: &mut BandwidthScratch) -> Option<()> {
        let BandwidthScratch { frame, spectrum, power, fft } = scratch;
        power.clear();
        power.resize(self.fft.bins(), 0.0);
        frame.resize(LEN, 0.0);
        spectrum.resize(self.fft.bins(), Complex::default());
        let frames = samples.len().checked_sub(LEN)? / HOP + 1;
        for samples in samples.windows(LEN).step_by(HOP) {
            for ((into, x), weight) in frame.iter_mut().zip(samples).zip(&self.window) {
                *into = f64::from(*x) * weight;
            }
            self.fft.forward(frame, spectrum, fft);
            for (sum, bin) in power.iter_mut().zip(spectrum.iter()) {
                *sum += bin.norm_sqr();
            }
        }
        let energy: f64 = self.window.iter().map(|weight| weight * weight).sum();
        for sum in power.iter_mut() {
            *sum /= energy * frames as f64;
        }
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use std::f64::consts::PI;

    use super::*;

    fn effective_hz(samples: &[f32]) -> Option<f64> {
        Bandwidth::new(16_000).effective_hz(samples, &mut BandwidthScratch::default())
    }

    /// Tones every 50 Hz up to a frequency, rounded to 16 bits.
    fn tones(up_to_hz: u32, gain: f64) -> Vec<f32> {
        let tone = |i: usize, n: u32| {
            libm::sin(2.0 * PI * f64::from(50 * n) * i as f64 / 16_000.0 + f64::from(n * n))
        };
        let sample = |i: usize| gain * (1..=up_to_hz / 50).map(|n| tone(i, n)).sum::<f64>();
        (0..8000).map(|i| ((sample(i) * 32_768.0).round() / 32_768.0) as f32).collect()
    }

    #[test]
    fn what_ends_early_has_its_end() {
        for hz in [3400, 5000, 7950] {
            let found = effective_hz(&tones(hz, 0.01)).unwrap();
            assert!((found - f64::from(hz)).abs() < 210.0, "{found} for {hz}");
        }
    }

    #[test]
    fn rounding_alone_has_none() {
        assert_eq!(effective_hz(&tones(100, 1e-9)), None);
        assert_eq!(effective_hz(&[0.5; 2047]), None);
        assert_eq!(effective_hz(&[]), None);
    }
}
