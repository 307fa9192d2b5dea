//! Mel-frequency cepstral coefficients: the orthonormal DCT-II of a frame's mel levels.
//!
//! As `librosa.feature.mfcc(S=levels)`, over the levels of whatever profile: dB for librosa, natural logarithms for
//! Kaldi, scaled decimal logarithms for Whisper. Kaldi's own MFCC use the same DCT, then weigh the coefficients
//! (`--cepstral-lifter=22`) and put the frame's energy first; neither is done here.

use std::f64::consts::PI;

use crate::simd::{GROUP, Width, row_products};

/// The first coefficients of the orthonormal DCT-II, as a matrix.
#[derive(Debug, Clone)]
pub struct Dct {
    bands: usize,
    coefficients: usize,
    /// Row-major, bands by coefficients, rows filled with zeros.
    weights: Vec<f32>,
}

impl Dct {
    /// `coefficients` rows for `bands` levels: √(2/N) cos(πk(2i + 1)/(2N)), the first row √(1/N).
    #[must_use]
    pub fn new(coefficients: usize, bands: usize) -> Self {
        let n = bands as f64;
        let weight = |k: usize, i: usize| {
            let scale = if k == 0 { (1.0 / n).sqrt() } else { (2.0 / n).sqrt() };
            (scale * libm::cos(PI * k as f64 * (2 * i + 1) as f64 / (2.0 * n))) as f32
        };
        let weight = |k, i| if k < coefficients { weight(k, i) } else { 0.0 };
        let stride = coefficients.next_multiple_of(GROUP);
        let weights = (0..bands).flat_map(|i| (0..stride).map(move |k| weight(k, i))).collect();
        Self { bands, coefficients, weights }
    }

    /// Coefficients it gives.
    #[must_use]
    pub fn coefficients(&self) -> usize {
        self.coefficients
    }

    /// Appends the coefficients of each frame: `levels` are frames by bands.
    pub fn append_all(&self, levels: &[f32], mfcc: &mut Vec<f32>) {
        let from = mfcc.len();
        mfcc.resize(from + levels.len() / self.bands * self.coefficients, 0.0);
        row_products(
            Width::detect(),
            levels,
            &self.weights,
            self.bands,
            self.coefficients,
            &mut mfcc[from..],
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_orthonormal() {
        let dct = Dct::new(13, 80);
        assert_eq!(dct.coefficients(), 13);
        for i in 0..13 {
            for j in 0..13 {
                let product: f32 = dct.weights.chunks(16).map(|row| row[i] * row[j]).sum();
                assert!((product - f32::from(u8::from(i == j))).abs() < 1e-5);
            }
        }
    }

    #[test]
    fn equal_levels_have_only_a_first_coefficient() {
        let mut mfcc = Vec::new();
        Dct::new(3, 4).append_all(&[-10.0; 4], &mut mfcc);
        assert!((mfcc[0] + 20.0).abs() < 1e-5);
        assert!(mfcc[1].abs() < 1e-5 && mfcc[2].abs() < 1e-5);
    }
}
