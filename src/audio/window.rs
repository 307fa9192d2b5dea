//! Windows: how much each sample of a frame counts.

use std::f64::consts::PI;

/// Periodic Hann, 0.5 - 0.5 cos(2πi/len): one period, whose next value would be the first again
/// (`scipy.signal.get_window("hann", len)`).
#[must_use]
pub fn hann(len: usize) -> Vec<f64> {
    raised_cosine(len, len as f64)
}

/// Povey, (0.5 - 0.5 cos(2πi/(len - 1)))^0.85: like Hamming, but zero at both ends (Kaldi, `feature-window.cc`).
#[must_use]
pub fn povey(len: usize) -> Vec<f64> {
    let mut window = raised_cosine(len, (len.max(2) - 1) as f64);
    for weight in &mut window {
        *weight = libm::pow(*weight, 0.85);
    }
    window
}

/// Praat's Gaussian window, which comes down to 0: (e^(-48 (i - m)²/(n + 1)²) - e^-12)/(1 - e^-12) about its middle m.
#[must_use]
pub fn gaussian(len: usize) -> Vec<f64> {
    let (middle, edge) = (0.5 * (len as f64 + 1.0), libm::exp(-12.0));
    let weight = |i: usize| {
        let distance = (i + 1) as f64 - middle;
        let square = (len as f64 + 1.0) * (len as f64 + 1.0);
        (libm::exp(-48.0 * distance * distance / square) - edge) / (1.0 - edge)
    };
    (0..len).map(weight).collect()
}

/// Hann, 0.5 - 0.5 cos(2π(i + 1)/(len + 1)): symmetric, and zero only one sample outside.
#[must_use]
pub fn open_hann(len: usize) -> Vec<f64> {
    raised_cosine(len + 1, (len + 1) as f64).split_off(1)
}

fn raised_cosine(len: usize, period: f64) -> Vec<f64> {
    (0..len).map(|i| 0.5 - 0.5 * libm::cos(2.0 * PI * i as f64 / period)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hann_is_periodic() {
        let w = hann(8);
        assert_eq!(w[0], 0.0);
        assert!((w[4] - 1.0).abs() < 1e-15);
        assert!((w[1] - w[7]).abs() < 1e-15);
        // Shifted by half a period, two of them add up to 1.
        assert!((0..4).all(|i| (w[i] + w[i + 4] - 1.0).abs() < 1e-15));
    }

    #[test]
    fn povey_is_symmetric_and_ends_in_zero() {
        let w = povey(401);
        assert!(w[0].abs() < 1e-12 && w[400].abs() < 1e-12);
        assert!((w[200] - 1.0).abs() < 1e-15);
        assert!((w[10] - w[390]).abs() < 1e-12);
        assert_eq!(povey(1).len(), 1);
    }

    #[test]
    fn open_windows_are_symmetric_about_their_middle() {
        for w in [open_hann(7), gaussian(7)] {
            assert!(w.len() == 7 && (w[3] - 1.0).abs() < 1e-15 && w[0] > 0.0);
            assert!((0..3).all(|i| (w[i] - w[6 - i]).abs() < 1e-15));
        }
    }
}
