//! Kernels for signals.

use std::f64::consts::PI;

use super::super::kernel::{Kernel1d, KernelError, check_size};
use super::{Named1d, check_sigma, check_taps};

/// Taps of a windowed-sinc filter where not said otherwise.
pub const SINC_TAPS: usize = 101;

/// Share of the sample before that pre-emphasis takes away where not said otherwise.
pub const PREEMPHASIS: f64 = 0.97;

impl Kernel1d {
    /// Low-pass of `size` taps: a sinc under a Hamming window, scaled to gain 1 at 0 Hz, half the amplitude at
    /// `cutoff_hz`. Equal to `scipy.signal.firwin(size, cutoff_hz, fs=sample_rate)`.
    ///
    /// Fails where the cutoff is not between 0 and half of `sample_rate`, or `size` is 0 or too large.
    pub fn lowpass(cutoff_hz: f64, sample_rate: f64, size: usize) -> Result<Self, KernelError> {
        let cutoff = cutoff("lowpass", cutoff_hz, sample_rate)?;
        windowed_sinc("lowpass", size, &[(0.0, cutoff)])
    }

    /// High-pass of `size` taps, an odd number, with gain 1 at half the sample rate; otherwise as
    /// [`Kernel1d::lowpass`]. Equal to `firwin(.., pass_zero="highpass")`.
    pub fn highpass(cutoff_hz: f64, sample_rate: f64, size: usize) -> Result<Self, KernelError> {
        let cutoff = cutoff("highpass", cutoff_hz, sample_rate)?;
        windowed_sinc("highpass", odd("highpass", size)?, &[(cutoff, 1.0)])
    }

    /// Band-pass of `size` taps with gain 1 in the middle of `hz = [low, high]`; otherwise as [`Kernel1d::lowpass`].
    /// Equal to `firwin(.., pass_zero="bandpass")`.
    pub fn bandpass(hz: [f64; 2], sample_rate: f64, size: usize) -> Result<Self, KernelError> {
        windowed_sinc("bandpass", size, &[band("bandpass", hz, sample_rate)?])
    }

    /// Band-stop of `size` taps, an odd number, with gain 1 at 0 Hz, that takes out `hz = [low, high]`; otherwise as
    /// [`Kernel1d::lowpass`]. Equal to `firwin(.., pass_zero="bandstop")`.
    pub fn bandstop(hz: [f64; 2], sample_rate: f64, size: usize) -> Result<Self, KernelError> {
        let (low, high) = band("bandstop", hz, sample_rate)?;
        windowed_sinc("bandstop", odd("bandstop", size)?, &[(0.0, low), (high, 1.0)])
    }

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

/// A frequency as a share of half the sample rate.
fn cutoff(kernel: &'static str, hz: f64, sample_rate: f64) -> Result<f64, KernelError> {
    let share = hz / (sample_rate / 2.0);
    if share > 0.0 && share < 1.0 && sample_rate.is_finite() {
        Ok(share)
    } else {
        Err(needs_hz(kernel, sample_rate))
    }
}

/// Two rising frequencies as shares of half the sample rate.
fn band(kernel: &'static str, [low, high]: [f64; 2], sample_rate: f64) -> Result<(f64, f64), KernelError> {
    let (low, high) = (cutoff(kernel, low, sample_rate)?, cutoff(kernel, high, sample_rate)?);
    if low < high { Ok((low, high)) } else { Err(needs_hz(kernel, sample_rate)) }
}

/// What to write as `hz` for this kernel at this rate.
pub(in super::super) fn needs_hz(kernel: &'static str, sample_rate: f64) -> KernelError {
    let two = [Named1d::Bandpass, Named1d::Bandstop].iter().any(|named| named.name() == kernel);
    let form = if two { "[low, high], rising and" } else { "[cutoff]" };
    let half = sample_rate / 2.0;
    let needs = format!("hz = {form} between 0 and {half} (half the sample rate {sample_rate})");
    KernelError::Needs { kernel, needs }
}

/// An odd number of taps: an even one has gain 0 at half the sample rate.
fn odd(kernel: &'static str, size: usize) -> Result<usize, KernelError> {
    let needs = || format!("an odd size, such as {SINC_TAPS}, not {size}");
    if size % 2 == 1 { Ok(size) } else { Err(KernelError::Needs { kernel, needs: needs() }) }
}

/// The window method for pass bands given as shares of half the sample rate, as in `scipy.signal.firwin` with its
/// default Hamming window: the gain is 1 at 0 Hz, at half the sample rate or in the middle of the first band.
fn windowed_sinc(kernel: &'static str, size: usize, bands: &[(f64, f64)]) -> Result<Kernel1d, KernelError> {
    check_size(1, check_taps(kernel, size)?)?;
    let middle = (size - 1) as f64 / 2.0;
    let hamming = |m: f64| if size == 1 { 1.0 } else { 0.54 + 0.46 * libm::cos(PI * m / middle) };
    let ideal =
        |m: f64| bands.iter().map(|&(low, high)| high * sinc(high * m) - low * sinc(low * m)).sum::<f64>();
    let mut taps: Vec<f64> = (0..size).map(|n| n as f64 - middle).map(|m| ideal(m) * hamming(m)).collect();
    let reference = match bands.first() {
        Some(&(0.0, _)) | None => 0.0,
        Some(&(_, 1.0)) => 1.0,
        Some(&(low, high)) => 0.5 * (low + high),
    };
    let gain: f64 =
        taps.iter().enumerate().map(|(n, h)| h * libm::cos(PI * (n as f64 - middle) * reference)).sum();
    for tap in &mut taps {
        *tap /= gain;
    }
    Kernel1d::new(taps)
}

fn sinc(x: f64) -> f64 {
    if x == 0.0 { 1.0 } else { libm::sin(PI * x) / (PI * x) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gain of the kernel at a share of half the sample rate.
    fn gain(kernel: &Kernel1d, share: f64) -> f64 {
        let parts = kernel.taps().iter().enumerate().map(|(n, tap)| {
            let angle = PI * share * n as f64;
            (tap * libm::cos(angle), tap * libm::sin(angle))
        });
        let (re, im) = parts.fold((0.0, 0.0), |(a, b), (c, d)| (a + c, b + d));
        libm::hypot(re, im)
    }

    #[test]
    fn firwin_values() {
        // scipy 1.17.1: firwin(5, 1000, fs=8000), firwin(5, 1000, fs=8000, pass_zero="highpass"),
        // firwin(5, [1000, 3000], fs=8000, pass_zero="bandpass"), the same with "bandstop"
        let expected = [
            [0.024_553_834_015_016_568, 0.234_389_464_237_986_04, 0.482_113_403_493_994_73],
            [-0.013_158_458_239_705_533, -0.125_609_873_191_952_94, 0.775_097_170_095_505_2],
            [-0.046_221_498_602_406_17, 0.0, 0.907_557_002_795_187_5],
            [0.046_221_498_602_406_166, 0.0, 0.907_557_002_795_187_5],
        ];
        let kernels = [
            Kernel1d::lowpass(1000.0, 8000.0, 5),
            Kernel1d::highpass(1000.0, 8000.0, 5),
            Kernel1d::bandpass([1000.0, 3000.0], 8000.0, 5),
            Kernel1d::bandstop([1000.0, 3000.0], 8000.0, 5),
        ];
        for (kernel, taps) in kernels.into_iter().zip(expected) {
            for (found, expected) in kernel.unwrap().taps()[..3].iter().zip(taps) {
                assert!((found - expected).abs() < 1e-15, "{found} for {expected}");
            }
        }
    }

    #[test]
    fn filters_pass_and_stop_what_they_say() {
        let rate = 16_000.0;
        let low = Kernel1d::lowpass(2000.0, rate, SINC_TAPS).unwrap();
        let high = Kernel1d::highpass(2000.0, rate, SINC_TAPS).unwrap();
        let pass = Kernel1d::bandpass([2000.0, 4000.0], rate, SINC_TAPS).unwrap();
        let stop = Kernel1d::bandstop([2000.0, 4000.0], rate, SINC_TAPS).unwrap();
        for (kernel, share, expected, tolerance) in [
            (&low, 0.0, 1.0, 1e-12),
            (&low, 0.25, 0.5, 0.01),
            (&low, 0.5, 0.0, 0.003),
            (&high, 1.0, 1.0, 1e-12),
            (&high, 0.1, 0.0, 0.003),
            (&pass, 0.375, 1.0, 1e-12),
            (&pass, 0.8, 0.0, 0.003),
            (&stop, 0.0, 1.0, 1e-12),
            (&stop, 0.375, 0.0, 0.003),
        ] {
            let found = gain(kernel, share);
            assert!((found - expected).abs() < tolerance, "gain {found} for {expected} at {share}");
        }
    }

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
        assert_eq!(
            message(Kernel1d::lowpass(4000.0, 8000.0, 101)),
            "lowpass needs hz = [cutoff] between 0 and 4000 (half the sample rate 8000)"
        );
        assert_eq!(
            message(Kernel1d::bandpass([300.0, 200.0], 8000.0, 101)),
            "bandpass needs hz = [low, high], rising and between 0 and 4000 (half the sample rate 8000)"
        );
        assert_eq!(
            message(Kernel1d::highpass(1.0, 8.0, 100)),
            "highpass needs an odd size, such as 101, not 100"
        );
        assert_eq!(message(Kernel1d::gaussian(0.0)), "gaussian needs sigma above 0 samples, not 0");
        assert_eq!(message(Kernel1d::boxcar(0)), "box needs a size of at least 1");
        for bad in [f64::NAN, f64::INFINITY, -1.0, 0.0] {
            assert!(Kernel1d::lowpass(bad, 8000.0, 5).is_err() && Kernel1d::lowpass(10.0, bad, 5).is_err());
            assert!(Kernel1d::gaussian(bad).is_err());
        }
        assert!(Kernel1d::gaussian(1e300).is_err() && Kernel1d::boxcar(usize::MAX).is_err());
    }
}
