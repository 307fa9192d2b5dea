//! Weighted sums: of the bins of a band in a group of frames, one lane a frame, and of rows with the columns of a matrix.
//!
//! Every sum has one order, the same in every width.

use super::Width;
use super::dispatch::{Work, dispatch};
use super::layout::GROUP;
use super::register::Register;

/// Terms of a product of a row that are summed apart from the others, so that fewer digits are lost.
const PART: usize = 16;

/// Weights of neighbouring bins.
#[derive(Debug, Clone, Copy)]
pub struct Band {
    /// The bin of the first weight.
    pub first_bin: usize,
    /// Where the weights begin.
    pub first_weight: usize,
    /// Weights.
    pub len: usize,
}

/// Row b of `energies` is the weighted sum of the rows of `power` in band b.
///
/// # Panics
/// Where a band has bins or weights that are not there, or `energies` fewer rows than bands.
pub fn band_sums(width: Width, bands: &[Band], weights: &[f32], power: &[f32], energies: &mut [f32]) {
    assert!(energies.len() >= bands.len() * GROUP, "a row of lanes for each band");
    for band in bands {
        assert!(band.first_weight + band.len <= weights.len(), "weights of the band");
        assert!((band.first_bin + band.len) * GROUP <= power.len(), "bins of the band");
    }
    dispatch(width, BandSums { bands, weights, power, energies });
}

/// Products of rows with a matrix: `rows` are `len` numbers each, `matrix` has `len` rows of `cols` numbers, filled up to a
/// multiple of `GROUP`, and `to` gets `cols` for each row. Sixteen terms after another are summed, then these sums.
///
/// # Panics
/// Where the lengths do not fit.
pub fn row_products(width: Width, rows: &[f32], matrix: &[f32], len: usize, cols: usize, to: &mut [f32]) {
    assert!(len >= 1 && cols >= 1 && matrix.len() == len * cols.next_multiple_of(GROUP), "the matrix");
    assert!(rows.len().is_multiple_of(len) && to.len() == rows.len() / len * cols, "a product for each row");
    dispatch(width, RowProducts { rows, matrix, len, cols, to });
}

struct BandSums<'a> {
    bands: &'a [Band],
    weights: &'a [f32],
    power: &'a [f32],
    energies: &'a mut [f32],
}

struct RowProducts<'a> {
    rows: &'a [f32],
    matrix: &'a [f32],
    len: usize,
    cols: usize,
    to: &'a mut [f32],
}

// SAFETY of the implementations: what is safe in them is compiled for the caller's instructions; registers are loaded and
// stored in rows and squares whose lengths were checked above.

impl Work<f32> for BandSums<'_> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<V: Register<Number = f32>>(self) {
        for (b, band) in self.bands.iter().enumerate() {
            for lane in (0..GROUP).step_by(V::WIDTH) {
                unsafe {
                    let bins = self.power.as_ptr().add(band.first_bin * GROUP + lane);
                    let weights = self.weights.as_ptr().add(band.first_weight);
                    let mut sum = V::splat(0.0);
                    for i in 0..band.len {
                        sum = V::load(bins.add(i * GROUP)).fused(V::splat(*weights.add(i)), sum);
                    }
                    sum.store(self.energies.as_mut_ptr().add(b * GROUP + lane));
                }
            }
        }
    }
}

impl Work<f32> for RowProducts<'_> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<V: Register<Number = f32>>(self) {
        let Self { rows, matrix, len, cols, to } = self;
        let stride = cols.next_multiple_of(GROUP);
        // Four rows at once, so that no sum waits for the one before.
        for (rows, to) in rows.chunks(4 * len).zip(to.chunks_mut(4 * cols)) {
            let count = rows.len() / len;
            for col in (0..cols).step_by(V::WIDTH) {
                let mut sums = [[0.0; GROUP]; 4];
                unsafe {
                    // Rows that are not there are taken from the first.
                    let row = |r: usize| rows.as_ptr().add(if r < count { r * len } else { 0 });
                    let (p, q, r, s) = (row(0), row(1), row(2), row(3));
                    let zero = V::splat(0.0);
                    let mut totals = (zero, zero, zero, zero);
                    for first in (0..len).step_by(PART) {
                        let (mut a, mut b, mut c, mut d) = (zero, zero, zero, zero);
                        for i in first..(first + PART).min(len) {
                            let weights = V::load(matrix.as_ptr().add(i * stride + col));
                            a = V::splat(*p.add(i)).fused(weights, a);
                            b = V::splat(*q.add(i)).fused(weights, b);
                            c = V::splat(*r.add(i)).fused(weights, c);
                            d = V::splat(*s.add(i)).fused(weights, d);
                        }
                        totals = (totals.0.add(a), totals.1.add(b), totals.2.add(c), totals.3.add(d));
                    }
                    totals.0.store(sums[0].as_mut_ptr());
                    totals.1.store(sums[1].as_mut_ptr());
                    totals.2.store(sums[2].as_mut_ptr());
                    totals.3.store(sums[3].as_mut_ptr());
                }
                let here = V::WIDTH.min(cols - col);
                for (to, sums) in to.chunks_exact_mut(cols).zip(&sums) {
                    to[col..][..here].copy_from_slice(&sums[..here]);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noise(len: usize) -> Vec<f32> {
        (0..len).map(|i| ((i * 7919 + 13) % 10_009) as f32 / 5004.0 - 1.0).collect()
    }

    /// Every width gives these bits.
    fn at_every_width(mut run: impl FnMut(Width) -> Vec<f32>) -> Vec<f32> {
        let bits = |numbers: &[f32]| numbers.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
        let plain = run(Width::available()[0]);
        for width in Width::available() {
            assert_eq!(bits(&run(width)), bits(&plain), "{width:?}");
        }
        plain
    }

    #[test]
    fn bands_are_weighted_sums() {
        let (power, weights) = (noise(20 * GROUP), noise(9));
        let bands = [(3, 0, 4), (0, 2, 0), (15, 4, 5)].map(|(first_bin, first_weight, len)| Band {
            first_bin,
            first_weight,
            len,
        });
        let energies = at_every_width(|width| {
            let mut energies = vec![9.0; 3 * GROUP];
            band_sums(width, &bands, &weights, &power, &mut energies);
            energies
        });
        for (b, band) in bands.iter().enumerate() {
            let bins = band.first_bin..band.first_bin + band.len;
            let terms = bins.zip(&weights[band.first_weight..]).map(|(bin, w)| power[bin * GROUP + 5] * w);
            assert!((energies[b * GROUP + 5] - terms.sum::<f32>()).abs() < 1e-5);
        }
    }

    #[test]
    fn products_of_rows_are_sums() {
        for (count, len, cols) in [(1, 3, 1_usize), (6, 20, 13), (4, 5, 16), (9, 7, 35)] {
            let (rows, stride) = (noise(count * len), cols.next_multiple_of(GROUP));
            let matrix = noise(len * stride);
            let found = at_every_width(|width| {
                let mut found = vec![9.0; count * cols];
                row_products(width, &rows, &matrix, len, cols, &mut found);
                found
            });
            for (at, found) in found.iter().enumerate() {
                let (row, col) = (at / cols, at % cols);
                let term = |sum: f32, i: &usize| rows[row * len + i].mul_add(matrix[i * stride + col], sum);
                let terms: Vec<usize> = (0..len).collect();
                let parts = terms.chunks(PART).map(|part| part.iter().fold(0.0, term));
                assert_eq!(*found, parts.fold(0.0, |total, part| total + part));
            }
        }
    }
}
