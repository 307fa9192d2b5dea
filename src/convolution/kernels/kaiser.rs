//! Windowed sincs from what they shall do: so many dB down, edges so many Hz wide.

use std::f64::consts::PI;

use super::super::fourier::{Complex, RealFft};
use super::super::kernel::{Kernel1d, KernelError, TAPS_LIMIT, check_size};
use super::sinc::{Pass, design};

/// Attenuation of a Kaiser design where only the width of its edges is said, in dB.
pub const KAISER_DB: f64 = 60.0;

/// The range in which Kaiser's formulas hold and doubles can show the result, in dB.
const KAISER_RANGE_DB: [f64; 2] = [8.0, 200.0];

/// How often a design that falls short is asked for more; two or three do.
const ATTEMPTS: usize = 8;

/// Frequencies at which a design is measured: as many times its taps, within reason.
const MEASURED: usize = 16;

/// By how much a frequency between two measured ones may be louder than both.
const BETWEEN_DB: f64 = 0.05;

impl Kernel1d {
    /// A windowed sinc under Kaiser's window, as many taps as `db` of attenuation and an edge of `transition_hz` ask
    /// for ([`kaiser_size`]), one more where the number must be odd; otherwise as [`Kernel1d::windowed_sinc`].
    ///
    /// Equal to `scipy.signal.firwin(size, hz, window=("kaiser", beta), fs=sample_rate)` with `kaiserord`'s size and
    /// beta. Kaiser's formulas are fitted: what is stopped lies within 3 dB of `db`, and
    /// [`Kernel1d::stopping`] asks again.
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

    /// The same, but what is stopped is at least `db` down: the response is measured, and where it falls short, as the
    /// formulas do by a decibel here and there, as much more is asked for.
    pub fn stopping(pass: Pass, sample_rate: f64, db: f64, transition_hz: f64) -> Result<Self, KernelError> {
        let mut kernel = Self::kaiser(pass, sample_rate, db, transition_hz)?;
        let mut asked = db;
        for _ in 0..ATTEMPTS {
            let short = db + BETWEEN_DB - attenuation_db(&kernel, pass, sample_rate, transition_hz);
            if short <= 0.0 {
                break;
            }
            asked = (asked + short + 0.1).min(KAISER_RANGE_DB[1]);
            kernel = Self::kaiser(pass, sample_rate, asked, transition_hz)?;
        }
        Ok(kernel)
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

/// How far down the loudest frequency is that lies half an edge or more outside of what passes.
fn attenuation_db(kernel: &Kernel1d, pass: Pass, sample_rate: f64, transition_hz: f64) -> f64 {
    let size = kernel.taps().len();
    let plan = RealFft::new((MEASURED * size).min(TAPS_LIMIT).max(size).next_power_of_two());
    let mut padded = kernel.taps().to_vec();
    padded.resize(plan.len(), 0.0);
    let mut spectrum = vec![Complex::default(); plan.bins()];
    plan.forward(&mut padded, &mut spectrum, &mut plan.scratch());
    let (step, half) = (sample_rate / plan.len() as f64, transition_hz / 2.0);
    let (stopped, edges): (&dyn Fn(f64) -> bool, Vec<f64>) = match pass {
        Pass::Low(cut) => (&move |hz| hz >= cut + half, vec![cut + half]),
        Pass::High(cut) => (&move |hz| hz <= cut - half, vec![cut - half]),
        Pass::Band([low, high]) => {
            (&move |hz| hz <= low - half || hz >= high + half, vec![low - half, high + half])
        }
        Pass::Outside([low, high]) => {
            (&move |hz| hz >= low + half && hz <= high - half, vec![low + half, high - half])
        }
    };
    let bins = spectrum.iter().enumerate().filter(|&(k, _)| stopped(k as f64 * step));
    // Between the edge and the first bin the gain falls fast.
    let edges = edges.into_iter().filter(|&hz| stopped(hz) && hz >= 0.0 && hz <= sample_rate / 2.0);
    let powers =
        bins.map(|(_, bin)| bin.norm_sqr()).chain(edges.map(|hz| power_at(kernel, hz / sample_rate)));
    -10.0 * libm::log10(powers.fold(0.0, f64::max))
}

/// The squared gain at a frequency as a share of the sample rate.
fn power_at(kernel: &Kernel1d, share: f64) -> f64 {
    let angle = |n: usize| 2.0 * PI * share * n as f64;
    let terms = kernel.taps().iter().enumerate();
    let sum = terms.map(|(n, tap)| Complex::new(tap * libm::cos(angle(n)), tap * libm::sin(angle(n))));
    sum.fold(Complex::default(), |a, b| a + b).norm_sqr()
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

#[cfg(test)]
mod tests {
    use super::super::super::KernelSpec;
    use super::super::sinc::gains;
    use super::*;

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
                        (db..db + 5.0).contains(&found),
                        "{spec:?}: {found:.2} dB where {db} were asked for"
                    );
                }
            }
        }
    }

    #[test]
    fn errors_say_what_to_write() {
        let low = |db, width| Kernel1d::kaiser(Pass::Low(100.0), 8000.0, db, width).unwrap_err().to_string();
        for bad in [f64::NAN, f64::INFINITY, -1.0, 0.0] {
            assert!(low(bad, 10.0).contains("db from 8 to 200"));
            assert!(low(60.0, bad).contains("transition_hz, the width of an edge, between 0 and 4000"));
        }
        assert!(low(60.0, 1e-9).contains("too large"));
    }
}
