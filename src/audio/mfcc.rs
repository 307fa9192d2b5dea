//! Mel-frequency cepstral coefficients: the orthonormal DCT-II of a frame's mel levels.
//!
//! As `librosa.feature.mfcc(S=levels)`, over the levels of whatever profile: dB for librosa, natural logarithms for
//! Kaldi, scaled decimal logarithms for Whisper. Kaldi's own MFCC use the same DCT, then weigh the coefficients
//! (`--cepstral-lifter=22`) and put the frame's energy first; neither is done here.

use std::f64::consts::PI;

/// The first coefficients of the orthonormal DCT-II, as a matrix.
#[derive(Debug, Clone)]
pub struct Dct {
    bands: usize,
    /// Row-major, coefficients by bands.
    rows: Vec<f32>,
}

impl Dct {
    /// `coefficients` rows for `bands` levels: √(2/N) cos(πk(2i + 1)/(2N)), the first row √(1/N).
    #[must_use]
    pub fn new(coefficients: usize, bands: usize) -> Self {
        let n = bands as f64;
        let row = |k: usize| {
            let scale = if k == 0 { (1.0 / n).sqrt() } else { (2.0 / n).sqrt() };
            (0..bands)
                .map(move |i| (scale * libm::cos(PI * k as f64 * (2 * i + 1) as f64 / (2.0 * n))) as f32)
        };
        Self { bands, rows: (0..coefficients).flat_map(row).collect() }
    }

    /// Coefficients it gives.
    #[must_use]
    pub fn coefficients(&self) -> usize {
        self.rows.len() / self.bands
    }

    /// Appends the coefficients of one frame's levels.
    pub fn append(&self, levels: &[f32], mfcc: &mut Vec<f32>) {
        let product = |row: &[f32]| -> f64 {
            row.iter().zip(levels).map(|(weight, level)| f64::from(*weight) * f64::from(*level)).sum()
        };
        mfcc.extend(self.rows.chunks_exact(self.bands).map(|row| product(row) as f32));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_orthonormal() {
        let dct = Dct::new(13, 80);
        assert_eq!(dct.coefficients(), 13);
        for (i, a) in dct.rows.chunks(80).enumerate() {
            for (j, b) in dct.rows.chunks(80).enumerate() {
                let product: f32 = a.iter().zip(b).map(|(x, y)| x * y).sum();
                assert!((product - f32::from(u8::from(i == j))).abs() < 1e-5);
            }
        }
    }

    #[test]
    fn equal_levels_have_only_a_first_coefficient() {
        let mut mfcc = Vec::new();
        Dct::new(3, 4).append(&[-10.0; 4], &mut mfcc);
        assert!((mfcc[0] + 20.0).abs() < 1e-5);
        assert!(mfcc[1].abs() < 1e-5 && mfcc[2].abs() < 1e-5);
    }
}
