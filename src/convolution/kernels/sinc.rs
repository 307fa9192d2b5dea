//! Kernels that pass and stop bands, designed by the window method; the Hilbert kernel beside them.
//!
//! The ideal filter's taps, a difference of sincs, are cut to `size` by a window and scaled to gain 1 in one place, as
//! in `scipy.signal.firwin`. Under the Hamming window the stop band lies 53 dB down and the edges are
//! `3.3 * sample_rate / size` Hz wide; under Kaiser's ([`super::kaiser`]) both are asked for and the size follows.

use std::f64::consts::PI;

use super::super::kernel::{Kernel1d, KernelError, check_size};
use super::{Named1d, check_odd, check_taps};

/// Taps of a windowed-sinc filter where not said otherwise.
pub const SINC_TAPS: usize = 101;

/// Where a windowed-sinc filter cuts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Pass {
    /// What is below this frequency in Hz.
    Low(f64),
    /// What is above this frequency in Hz.
    High(f64),
    /// What is between these frequencies in Hz.
    Band([f64; 2]),
    /// What is outside these frequencies in Hz.
    Outside([f64; 2]),
}

impl Pass {
    /// The name of the kernel.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Low(_) => Named1d::Lowpass.name(),
            Self::High(_) => Named1d::Highpass.name(),
            Self::Band(_) => Named1d::Bandpass.name(),
            Self::Outside(_) => Named1d::Bandstop.name(),
        }
    }

    /// The bands that pass, as shares of half the sample rate.
    pub(super) fn bands(self, sample_rate: f64) -> Result<Vec<(f64, f64)>, KernelError> {
        let name = self.name();
        Ok(match self {
            Self::Low(hz) => vec![(0.0, cutoff(name, hz, sample_rate)?)],
            Self::High(hz) => vec![(cutoff(name, hz, sample_rate)?, 1.0)],
            Self::Band(hz) => vec![band(name, hz, sample_rate)?],
            Self::Outside(hz) => {
                let (low, high) = band(name, hz, sample_rate)?;
                vec![(0.0, low), (high, 1.0)]
            }
        })
    }

    /// Whether half the sample rate passes, which an even number of taps cannot do: it has gain 0 there.
    pub(super) const fn needs_odd(self) -> bool {
        matches!(self, Self::High(_) | Self::Outside(_))
    }
}

impl Kernel1d {
    /// A windowed sinc of `size` taps under a Hamming window. Equal to `scipy.signal.firwin(size, hz, fs=sample_rate)`
    /// with the `pass_zero` of its kind.
    ///
    /// Gain 1 at 0 Hz (low, outside), at half the sample rate (high) or in the middle of the band; half the amplitude
    /// at the cutoffs. Fails where these are not between 0 and half of `sample_rate`, or `size` is 0, too large, or
    /// even where half the sample rate passes.
    pub fn windowed_sinc(pass: Pass, sample_rate: f64, size: usize) -> Result<Self, KernelError> {
        let bands = pass.bands(sample_rate)?;
        if pass.needs_odd() {
            check_odd(pass.name(), size)?;
        }
        design(pass.name(), size, &bands, &hamming)
    }

    /// Low-pass of `size` taps, [`Pass::Low`] of [`Kernel1d::windowed_sinc`].
    pub fn lowpass(cutoff_hz: f64, sample_rate: f64, size: usize) -> Result<Self, KernelError> {
        Self::windowed_sinc(Pass::Low(cutoff_hz), sample_rate, size)
    }

    /// High-pass of `size` taps, [`Pass::High`] of [`Kernel1d::windowed_sinc`].
    pub fn highpass(cutoff_hz: f64, sample_rate: f64, size: usize) -> Result<Self, KernelError> {
        Self::windowed_sinc(Pass::High(cutoff_hz), sample_rate, size)
    }

    /// Band-pass of `size` taps, [`Pass::Band`] of [`Kernel1d::windowed_sinc`].
    pub fn bandpass(hz: [f64; 2], sample_rate: f64, size: usize) -> Result<Self, KernelError> {
        Self::windowed_sinc(Pass::Band(hz), sample_rate, size)
    }

    /// Band-stop of `size` taps, [`Pass::Outside`] of [`Kernel1d::windowed_sinc`].
    pub fn bandstop(hz: [f64; 2], sample_rate: f64, size: usize) -> Result<Self, KernelError> {
        Self::windowed_sinc(Pass::Outside(hz), sample_rate, size)
    }

    /// Hilbert transformer of `size` taps, an odd number: every frequency turned back by 90 degrees, a cosine into a
    /// sine. The ideal taps `2 / (pi m)` at odd distances `m` from the middle, 0 at even ones, under a Hamming window
    /// (Oppenheim and Schafer, *Discrete-Time Signal Processing*, 12.4). Gain 1 within 1 % from
    /// `1.7 * sample_rate / size` Hz up to as much below half the sample rate; 0 at both ends.
    ///
    /// For a whole signal in memory [`super::super::analytic`] does it without ripple. Fails where `size` is even, 0
    /// or too large.
    pub fn hilbert(size: usize) -> Result<Self, KernelError> {
        check_size(1, check_odd("hilbert", size)?)?;
        let middle = (size / 2) as isize;
        let tap = |m: isize| if m % 2 == 0 { 0.0 } else { 2.0 / (PI * m as f64) };
        let taps = (-middle..=middle).map(|m| tap(m) * hamming(m as f64 / (middle.max(1)) as f64)).collect();
        Self::new(taps)
    }
}

/// The Hamming window at a position from -1 to 1.
fn hamming(position: f64) -> f64 {
    0.54 + 0.46 * libm::cos(PI * position)
}

/// A frequency as a share of half the sample rate.
pub(super) fn cutoff(kernel: &'static str, hz: f64, sample_rate: f64) -> Result<f64, KernelError> {
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

/// The window method for pass bands given as shares of half the sample rate; `window` takes positions from -1 to 1.
pub(super) fn design(
    kernel: &'static str,
    size: usize,
    bands: &[(f64, f64)],
    window: &dyn Fn(f64) -> f64,
) -> Result<Kernel1d, KernelError> {
    check_size(1, check_taps(kernel, size)?)?;
    let middle = (size - 1) as f64 / 2.0;
    let weight = |m: f64| if size == 1 { 1.0 } else { window(m / middle) };
    let ideal =
        |m: f64| bands.iter().map(|&(low, high)| high * sinc(high * m) - low * sinc(low * m)).sum::<f64>();
    let mut taps: Vec<f64> = (0..size).map(|n| n as f64 - middle).map(|m| ideal(m) * weight(m)).collect();
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

/// The gain of a kernel at 8193 frequencies from 0 to half the sample rate.
#[cfg(test)]
pub(super) fn gains(kernel: &Kernel1d) -> Vec<f64> {
    use super::super::fourier::{Complex, RealFft};
    let plan = RealFft::new(1 << 14);
    let mut padded = kernel.taps().to_vec();
    padded.resize(plan.len(), 0.0);
    let mut spectrum = vec![Complex::default(); plan.bins()];
    plan.forward(&mut padded, &mut spectrum, &mut plan.scratch());
    spectrum.iter().map(|bin| bin.norm()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The gain at a share of half the sample rate.
    fn gain(kernel: &Kernel1d, share: f64) -> f64 {
        gains(kernel)[(share * 8192.0) as usize]
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
    fn a_hilbert_kernel_turns_a_cosine_into_a_sine() {
        let kernel = Kernel1d::hilbert(101).unwrap();
        let edge = (2.0 * 1.7 / 101.0 * 8192.0) as usize;
        let gains = gains(&kernel);
        assert!(gains[edge..8192 - edge].iter().all(|gain| (gain - 1.0).abs() < 0.01));
        assert!(gains[0] < 1e-12 && gains[8192] < 1e-12);
        let at = |n: f64| 2.0 * PI * 0.1 * n;
        let turned: f64 =
            kernel.taps().iter().enumerate().map(|(k, tap)| tap * libm::cos(at(53.0 - k as f64))).sum();
        assert!((turned - libm::sin(at(3.0))).abs() < 0.01);
        assert_eq!(Kernel1d::hilbert(1).unwrap().taps(), [0.0]);
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
        assert!(message(Kernel1d::hilbert(4)).contains("odd size"));
        for bad in [f64::NAN, f64::INFINITY, -1.0, 0.0] {
            assert!(Kernel1d::lowpass(bad, 8000.0, 5).is_err() && Kernel1d::lowpass(10.0, bad, 5).is_err());
        }
    }
}
