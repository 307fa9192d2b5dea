//! A-weighting: how loud sound of each frequency seems, IEC 61672-1.

use std::f64::consts::PI;

use super::super::kernel::KernelError;
use super::{Cascade, Section};

/// The poles of the analogue filter in Hz (IEC 61672-1:2013, annex E): two at the first and last, one at the others.
const POLES_HZ: [f64; 4] =
    [20.598_997_057_568_145, 107.652_648_642_987_61, 737.862_230_707_136_3, 12_194.217_147_998_01];

/// Where the curve is 0 dB.
const REFERENCE_HZ: f64 = 1000.0;

/// The A curve at `sample_rate` Hz: `k s^4 / ((s + p1)^2 (s + p2) (s + p3) (s + p4)^2)` by the bilinear transform, as
/// three sections with gain 1 at 1 kHz.
///
/// The transform presses all frequencies above into half the sample rate, so the curve falls too soon there: at
/// 48 kHz it keeps within class 1 of the standard up to 20 kHz, at any rate within 0.3 dB up to a tenth of it. Fails
/// where `sample_rate` is not above 2000 Hz.
pub fn a_weighting(sample_rate: f64) -> Result<Cascade, KernelError> {
    if !(sample_rate > 2.0 * REFERENCE_HZ && sample_rate.is_finite()) {
        let needs = format!("a sample rate above {} Hz, not {sample_rate}", 2.0 * REFERENCE_HZ);
        return Err(KernelError::Needs { kernel: "a_weighting", needs });
    }
    let [lowest, low, middle, high] = POLES_HZ.map(|hz| PI * hz / sample_rate);
    let falling = [1.0, 2.0, 1.0].map(|b| b * high * high);
    let mut sections = [
        section([1.0, -2.0, 1.0], lowest, lowest),
        section([1.0, -2.0, 1.0], low, middle),
        section(falling, high, high),
    ];
    let cascade = Cascade::new(sections.to_vec());
    let gain = cascade.response(2.0 * PI * REFERENCE_HZ / sample_rate).norm();
    sections[2].feed_forward = sections[2].feed_forward.map(|b| b / gain);
    Ok(Cascade::new(sections.to_vec()))
}

/// Two real poles, `p` over twice the sample rate each, put through `s = 2 rate (1 - 1/z) / (1 + 1/z)`; `numerator` is
/// what that makes of the zeros.
fn section(numerator: [f64; 3], p: f64, q: f64) -> Section {
    let (first, second) = ((1.0 - p) / (1.0 + p), (1.0 - q) / (1.0 + q));
    Section {
        feed_forward: numerator.map(|b| b / ((1.0 + p) * (1.0 + q))),
        feed_back: [-(first + second), first * second],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Table 3 of IEC 61672-1:2013: the exponent n of the frequency `1000 * 10^(n / 10)`, the A-weighting in dB, and
    /// the limits of class 1 about it.
    const TABLE: [(i32, f64, f64, f64); 34] = [
        (-20, -70.4, 3.0, f64::INFINITY),
        (-19, -63.4, 2.5, f64::INFINITY),
        (-18, -56.7, 2.0, 4.0),
        (-17, -50.5, 2.0, 2.0),
        (-16, -44.7, 2.0, 1.5),
        (-15, -39.4, 1.5, 1.5),
        (-14, -34.6, 1.0, 1.0),
        (-13, -30.2, 1.0, 1.0),
        (-12, -26.2, 1.0, 1.0),
        (-11, -22.5, 1.0, 1.0),
        (-10, -19.1, 1.0, 1.0),
        (-9, -16.1, 1.0, 1.0),
        (-8, -13.4, 1.0, 1.0),
        (-7, -10.9, 1.0, 1.0),
        (-6, -8.6, 1.0, 1.0),
        (-5, -6.6, 1.0, 1.0),
        (-4, -4.8, 1.0, 1.0),
        (-3, -3.2, 1.0, 1.0),
        (-2, -1.9, 1.0, 1.0),
        (-1, -0.8, 1.0, 1.0),
        (0, 0.0, 0.7, 0.7),
        (1, 0.6, 1.0, 1.0),
        (2, 1.0, 1.0, 1.0),
        (3, 1.2, 1.0, 1.0),
        (4, 1.3, 1.0, 1.0),
        (5, 1.2, 1.0, 1.0),
        (6, 1.0, 1.0, 1.0),
        (7, 0.5, 1.5, 1.5),
        (8, -0.1, 1.5, 2.0),
        (9, -1.1, 1.5, 2.5),
        (10, -2.5, 2.0, 3.0),
        (11, -4.3, 2.0, 5.0),
        (12, -6.6, 2.5, 16.0),
        (13, -9.3, 3.0, f64::INFINITY),
    ];

    fn gain_db(sample_rate: f64, hz: f64) -> f64 {
        let response = a_weighting(sample_rate).unwrap().response(2.0 * PI * hz / sample_rate);
        20.0 * libm::log10(response.norm())
    }

    #[test]
    fn at_48_khz_it_is_a_class_1_filter() {
        for (n, expected, above, below) in TABLE {
            let error = gain_db(48_000.0, 1000.0 * libm::pow(10.0, f64::from(n) / 10.0)) - expected;
            assert!(error <= above && error >= -below, "10^({n} / 10) kHz: {error:+.2} dB");
        }
    }

    #[test]
    fn well_below_half_the_rate_it_is_the_table() {
        for rate in [16_000.0, 44_100.0, 48_000.0, 192_000.0] {
            assert!(gain_db(rate, 1000.0).abs() < 1e-9);
            for (n, expected, ..) in TABLE {
                let hz = 1000.0 * libm::pow(10.0, f64::from(n) / 10.0);
                let error = (gain_db(rate, hz) - expected).abs();
                assert!(hz > rate / 10.0 || error < 0.3, "{hz} Hz at {rate}: {error} dB");
            }
        }
    }

    #[test]
    fn low_rates_are_refused() {
        for rate in [2000.0, 0.0, f64::NAN, f64::INFINITY] {
            assert!(a_weighting(rate).unwrap_err().to_string().contains("above 2000 Hz"));
        }
    }
}
