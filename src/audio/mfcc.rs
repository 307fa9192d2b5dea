//! Mel-frequency cepstral coefficients: the orthonormal DCT-II of a frame's mel levels.
//!
//! As `librosa.feature.mfcc(S=levels)`, over the levels of whatever profile: dB for librosa, natural logarithms for
//! Kaldi, scaled decimal logarithms for Whisper. Kaldi's own MFCC use the same DCT, then weigh the coefficients
//! (`--cepstral-lifter=22`) and put the frame's energy first; neither is done here.

use std::f64::consts::PI;

use super::contour::column_moments;
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

/// Takes the mean of each column of a row-major matrix away and divides by its population standard deviation (cepstral
/// mean and variance normalisation over the clip); a constant column becomes 0.
pub fn normalise(matrix: &mut [f32], columns: usize, copy: &mut Vec<f64>) {
    let mut moments = Vec::with_capacity(2 * columns);
    column_moments(matrix, columns, copy, &mut moments);
    for row in matrix.chunks_exact_mut(columns.max(1)) {
        for (value, moment) in row.iter_mut().zip(moments.as_chunks::<2>().0) {
            let [mean, sd] = moment.map(|moment| moment.unwrap_or(0.0));
            let distance = f64::from(*value) - mean;
            *value = if sd > 0.0 { (distance / sd) as f32 } else { 0.0 };
        }
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

    #[test]
    fn normalised_columns_have_mean_0_and_deviation_1() {
        let mut matrix: Vec<f32> = (0..30).flat_map(|t| [t as f32, 7.0]).collect();
        normalise(&mut matrix, 2, &mut Vec::new());
        let squares: f32 = matrix.iter().step_by(2).map(|x| x * x).sum();
        assert!((squares / 30.0 - 1.0).abs() < 1e-5);
        assert!(matrix.iter().skip(1).step_by(2).all(|x| *x == 0.0));
        normalise(&mut [], 2, &mut Vec::new());
        normalise(&mut [], 0, &mut Vec::new());
    }
}
