//! Kernels for signals: smoothing, slopes, pre-emphasis.

use std::f64::consts::PI;

use super::super::kernel::{Kernel1d, KernelError, check_size};
use super::sinc::cutoff;
use super::{check_sigma, check_taps};

/// Share of the sample before that pre-emphasis takes away where not said otherwise.
pub const PREEMPHASIS: f64 = 0.97;

impl Kernel1d {
    /// Pre-emphasis `y[n] = x[n] - coefficient * x[n - 1]`, causal; `coefficient` is a finite number, usually
    /// [`PREEMPHASIS`].
    #[must_use]
    pub fn preemphasis(coefficient: f64) -> Self {
        Self::of(vec![1.0, -coefficient], 0)
    }

    /// Pre-emphasis that lifts what is above `hz` by 6 dB an octave: the coefficient is
    /// `exp(-2 pi hz / sample_rate)`, as in Praat. Fails where `hz` is not between 0 and half of `sample_rate`.
    pub fn preemphasis_from(hz: f64, sample_rate: f64) -> Result<Self, KernelError> {
        let cutoff = cutoff("preemphasis", hz, sample_rate)?;
        Ok(Self::preemphasis(libm::exp(-PI * cutoff)))
    }

    /// Gaussian of standard deviation `sigma` samples, cut at 4 sigma and scaled to sum 1. Equal to the taps of
    /// `scipy.ndimage.gaussian_filter1d`. Fails where `sigma` is not above 0, or the taps are too many.
    pub fn gaussian(sigma: f64) -> Result<Self, KernelError> {
        let sigma = check_sigma("gaussian", sigma)?;
        let radius = (4.0 * sigma + 0.5) as usize;
        check_size(1, radius.saturating_mul(2).saturating_add(1))?;
        let distances = (0..=2 * radius).map(|k| (k as f64 - radius as f64) / sigma);
        let mut taps: Vec<f64> = distances.map(|z| libm::exp(-0.5 * z * z)).collect();
        let sum: f64 = taps.iter().sum();
        for tap in &mut taps {
            *tap /= sum;
        }
        Ok(Self::of(taps, radius))
    }

    /// Mean of `size` samples, the moving average; a window of even size reaches one sample further left than
    /// right, as `scipy.ndimage.uniform_filter1d`. Fails where `size` is 0 or too large.
    pub fn boxcar(size: usize) -> Result<Self, KernelError> {
        check_size(1, check_taps("box", size)?)?;
        Ok(Self::of(vec![1.0 / size as f64; size], (size - 1) / 2))
    }

    /// Central difference `y[n] = (x[n + 1] - x[n - 1]) / 2`, the slope for each sample.
    #[must_use]
    pub fn derivative() -> Self {
        Self::of(vec![0.5, 0.0, -0.5], 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gaussian_is_that_of_scipy() {
        // scipy.ndimage.gaussian_filter1d of an impulse, sigma = 0.5
        let expected = [
            0.000_263_865_082_737_354_14,
            0.106_450_771_973_591_51,
            0.786_570_725_887_342_2,
            0.106_450_771_973_591_51,
            0.000_263_865_082_737_354_14,
        ];
        let kernel = Kernel1d::gaussian(0.5).unwrap();
        assert_eq!(kernel.taps().len(), expected.len());
        for (found, expected) in kernel.taps().iter().zip(expected) {
            assert!((found - expected).abs() < 1e-16, "{found} for {expected}");
        }
        assert_eq!(Kernel1d::gaussian(1e-300).unwrap().taps(), [1.0]);
    }

    #[test]
    fn the_small_kernels() {
        assert_eq!(
            (Kernel1d::preemphasis(0.97).taps(), Kernel1d::preemphasis(0.97).centre()),
            (&[1.0, -0.97][..], 0)
        );
        assert!((Kernel1d::preemphasis_from(50.0, 16_000.0).unwrap().taps()[1] + 0.980_556_556).abs() < 1e-9);
        assert_eq!(Kernel1d::boxcar(4).unwrap().taps(), [0.25; 4]);
        assert_eq!(Kernel1d::derivative().taps(), [0.5, 0.0, -0.5]);
    }

    #[test]
    fn errors_say_what_to_write() {
        let message = |result: Result<Kernel1d, KernelError>| result.unwrap_err().to_string();
        assert_eq!(message(Kernel1d::gaussian(0.0)), "gaussian needs sigma above 0 samples, not 0");
        assert_eq!(message(Kernel1d::boxcar(0)), "box needs a size of at least 1");
        for bad in [f64::NAN, f64::INFINITY, -1.0, 0.0] {
            assert!(Kernel1d::gaussian(bad).is_err());
        }
        assert!(Kernel1d::gaussian(1e300).is_err() && Kernel1d::boxcar(usize::MAX).is_err());
    }
}
