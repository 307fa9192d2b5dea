//! Kernels that pass and stop bands, designed by the window method from Hz and dB; the Hilbert kernel beside them.
//!
//! The ideal filter's taps, a difference of sincs, are cut to `size` by a window and scaled to gain 1 in one place, as
//! in `scipy.signal.firwin`. Under the Hamming window the stop band lies 53 dB down and the edges are
//! `3.3 * sample_rate / size` Hz wide; under Kaiser's both are asked for and the size follows.

use std::f64::consts::PI;

use super::super::kernel::{Kernel1d, KernelError, check_size};
use super::{Named1d, check_odd, check_taps};

/// Taps of a windowed-sinc filter where not said otherwise.
pub const SINC_TAPS: usize = 101;

/// Attenuation of a Kaiser design where only the width of its edges is said, in dB.
pub const KAISER_DB: f64 = 60.0;

/// How far short of what was asked for a design by Kaiser's formulas may fall, in dB. A
/// [`KernelSpec`](super::super::KernelSpec) asks for as much more, so that `db` is kept.
pub const KAISER_ERROR_DB: f64 = 2.5;

/// The range in which Kaiser's formulas hold and doubles can show the result, in dB.
const KAISER_RANGE_DB: [f64; 2] = [8.0, 200.0];

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
    fn bands(self, sample_rate: f64) -> Result<Vec<(f64, f64)>, KernelError> {
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
    const fn needs_odd(self) -> bool {
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

    /// A windowed sinc under Kaiser's window, as many taps as `db` of attenuation and an edge of `transition_hz` ask
    /// for ([`kaiser_size`]), one more where the number must be odd; otherwise as [`Kernel1d::windowed_sinc`].
    ///
    /// Equal to `scipy.signal.firwin(size, hz, window=("kaiser", beta), fs=sample_rate)` with `kaiserord`'s size and
    /// beta. Kaiser's formulas are fitted: what is stopped lies within [`KAISER_ERROR_DB`] of `db`.
    ///
    /// Fails where `db` is not from 8 to 200, `transition_hz` is not between 0 and half of `sample_rate`, or the taps
    /// are too many.
    pub fn kaiser(pass: Pass, sample_rate: f64, db: f64, transition_hz: f64) -> Result<Self, KernelError> {
        let bands = pass.bands(sample_rate)?;
        let size = kaiser_size(pass.name(), sample_rate, db, transition_hz)?;
        let size = if pass.needs_odd() { size | 1 } else { size };
        let beta = kaiser_beta(db);
        design(pass.name(), size, &bands, &|position| kaiser(position, beta))
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

/// The number of taps of a Kaiser design: `ceil((db - 7.95) / (2.285 * pi * width) + 1)` with the width as a share of
/// half the sample rate; `scipy.signal.kaiserord`. Fails as [`Kernel1d::kaiser`].
pub fn kaiser_size(
    kernel: &'static str,
    sample_rate: f64,
    db: f64,
    transition_hz: f64,
) -> Result<usize, KernelError> {
    let [least, most] = KAISER_RANGE_DB;
    if !(least..=most).contains(&db) {
        let needs = format!("db from {least} to {most}, how far down the stop band lies, not {db}");
        return Err(KernelError::Needs { kernel, needs });
    }
    let width = transition_hz / (sample_rate / 2.0);
    if !(width > 0.0 && width < 1.0 && sample_rate.is_finite()) {
        let half = sample_rate / 2.0;
        let needs = format!(
            "transition_hz, the width of an edge, between 0 and {half} (half the sample rate {sample_rate})"
        );
        return Err(KernelError::Needs { kernel, needs });
    }
    let size = ((db - 7.95) / (2.285 * PI * width) + 1.0).ceil() as usize;
    check_size(1, size)?;
    Ok(size)
}

/// The shape of Kaiser's window for `db` of attenuation; `scipy.signal.kaiser_beta` (Kaiser 1974).
fn kaiser_beta(db: f64) -> f64 {
    if db > 50.0 {
        0.1102 * (db - 8.7)
    } else if db > 21.0 {
        0.5842 * libm::pow(db - 21.0, 0.4) + 0.07886 * (db - 21.0)
    } else {
        0.0
    }
}

/// Kaiser's window at a position from -1 to 1.
fn kaiser(position: f64, beta: f64) -> f64 {
    bessel_i0(beta * (1.0 - position * position).max(0.0).sqrt()) / bessel_i0(beta)
}

/// The Hamming window at a position from -1 to 1.
fn hamming(position: f64) -> f64 {
    0.54 + 0.46 * libm::cos(PI * position)
}

/// The modified Bessel function of order 0 by its power series; all terms are positive, so nothing cancels.
fn bessel_i0(x: f64) -> f64 {
    let quarter = 0.25 * x * x;
    let (mut term, mut sum, mut k) = (1.0, 1.0, 1.0);
    while term > 1e-17 * sum {
        term *= quarter / (k * k);
        sum += term;
        k += 1.0;
    }
    sum
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
fn design(
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

#[cfg(test)]
mod tests {
    use super::super::super::KernelSpec;
    use super::super::super::fourier::{Complex, RealFft};
    use super::*;

    /// The gain of the kernel at 8193 frequencies from 0 to half the sample rate.
    fn gains(kernel: &Kernel1d) -> Vec<f64> {
        let plan = RealFft::new(1 << 14);
        let mut padded = kernel.taps().to_vec();
        padded.resize(plan.len(), 0.0);
        let mut spectrum = vec![Complex::default(); plan.bins()];
        plan.forward(&mut padded, &mut spectrum, &mut plan.scratch());
        spectrum.iter().map(|bin| bin.norm()).collect()
    }

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

    /// The loudest gain in dB between two frequencies at 48 kHz.
    fn loudest_db(kernel: &Kernel1d, [from, to]: [f64; 2]) -> f64 {
        let bin = |hz: f64| hz / 24_000.0 * 8192.0;
        let inside = &gains(kernel)[bin(from).ceil() as usize..=bin(to).floor() as usize];
        20.0 * libm::log10(inside.iter().fold(0.0_f64, |a, b| a.max(*b)))
    }

    #[test]
    fn a_kaiser_design_stops_as_many_decibels_as_were_asked_for() {
        let [low, high] = [6000.0, 12_000.0];
        for width in [400.0, 1000.0, 2500.0] {
            for db in [30.0, 45.0, 60.0, 80.0, 100.0, 120.0] {
                let half = width / 2.0;
                for (name, hz, stopped) in [
                    ("lowpass", vec![low], [low + half, 24_000.0]),
                    ("highpass", vec![low], [0.0, low - half]),
                    ("bandpass", vec![low, high], [high + half, 24_000.0]),
                    ("bandpass", vec![low, high], [0.0, low - half]),
                    ("bandstop", vec![low, high], [low + half, high - half]),
                ] {
                    let name = Some(name.to_owned());
                    let spec = KernelSpec {
                        name,
                        hz,
                        db: Some(db),
                        transition_hz: Some(width),
                        ..KernelSpec::default()
                    };
                    let found = -loudest_db(&spec.kernel_1d(48_000.0).unwrap(), stopped);
                    assert!(
                        (db..db + 2.0 * KAISER_ERROR_DB).contains(&found),
                        "{spec:?}: {found:.2} dB where {db} were asked for"
                    );
                }
            }
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
            assert!(Kernel1d::kaiser(Pass::Low(100.0), 8000.0, bad, 10.0).is_err());
            assert!(Kernel1d::kaiser(Pass::Low(100.0), 8000.0, 60.0, bad).is_err());
        }
        assert!(message(Kernel1d::kaiser(Pass::Low(100.0), 8000.0, 60.0, 1e-9)).contains("too large"));
    }
}
