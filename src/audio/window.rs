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
}
