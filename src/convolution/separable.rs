//! The separable way: a kernel as the sum of a few products of a column and a row.
//!
//! Rows are filtered a band at a time into a strip that stays in the cache, and the columns of the strip at once, so that
//! the image is read once and written once.

use super::border::Continued;
use super::direct::{Direct, Region, part};
use super::kernel::{Kernel1d, Kernel2d};
use super::sample::Sample;
use crate::math::linear::SymmetricEigen;
use crate::math::matrix::Matrix;
use crate::simd::{Outputs, Stencil, Width, correlate};

/// Rows of outputs that are computed together.
const BAND: usize = 64;

/// The largest side of a kernel whose rank is looked for.
const SIDE_LIMIT: usize = 128;

/// The most products that can be faster than the direct way.
const RANK_LIMIT: usize = 4;

/// Products of a column and a row that add up to a kernel.
#[derive(Clone, Debug)]
pub(super) struct Separable<T> {
    width: Width,
    terms: Vec<Term<T>>,
}

#[derive(Clone, Debug)]
struct Term<T> {
    row: Direct<T>,
    column: Vec<T>,
}

/// The columns and rows whose products add up to `kernel`, each tap within the rounding of `T` of the largest tap; `None`
/// where that takes more than a few. One product where the kernel is one; otherwise the singular vectors with the largest
/// singular values.
pub(super) fn factors<T: Sample>(kernel: &Kernel2d) -> Option<Vec<(Vec<f64>, Vec<f64>)>> {
    let taps = |kernel: Kernel1d| kernel.taps().to_vec();
    if let Some((column, row)) = kernel.separate() {
        return Some(vec![(taps(column), taps(row))]);
    }
    let (rows, cols) = kernel.shape();
    if rows.max(cols) > SIDE_LIMIT || rows.min(cols) < 3 {
        return None;
    }
    let at = |r: usize, c: usize| kernel.taps()[r * cols + c];
    let mut square = Matrix::zeros(rows, rows);
    for i in 0..rows {
        for (j, value) in square.row_mut(i).iter_mut().enumerate() {
            *value = (0..cols).map(|c| at(i, c) * at(j, c)).sum();
        }
    }
    // The left singular vectors; a row of a product is what the kernel has along one of them.
    let vectors = SymmetricEigen::new(&square).vectors;
    let mut rest = kernel.taps().to_vec();
    let largest = rest.iter().fold(0.0_f64, |largest, tap| largest.max(tap.abs()));
    let mut found = Vec::new();
    for i in 0..RANK_LIMIT.min(rows.min(cols) / 2) {
        let column = vectors.row(i).to_vec();
        let row: Vec<f64> = (0..cols).map(|c| (0..rows).map(|r| column[r] * at(r, c)).sum()).collect();
        for (line, a) in rest.chunks_exact_mut(cols).zip(&column) {
            line.iter_mut().zip(&row).for_each(|(tap, b)| *tap -= a * b);
        }
        found.push((column, row));
        if rest.iter().all(|tap| tap.abs() <= T::ROUNDING * largest) {
            return Some(found);
        }
    }
    None
}

impl<T: Sample> Separable<T> {
    /// These factors, turned round where they are to convolve.
    pub(super) fn new(width: Width, factors: &[(Vec<f64>, Vec<f64>)], flip: bool) -> Self {
        let ready = |taps: &[f64]| {
            let mut taps: Vec<T> = taps.iter().map(|&tap| T::of(tap)).collect();
            if flip {
                taps.reverse();
            }
            taps
        };
        let terms = factors.iter().map(|(column, row)| Term {
            row: Direct { width, rows: 1, cols: row.len(), taps: ready(row) },
            column: ready(column),
        });
        Self { width, terms: terms.collect() }
    }

    /// Writes the outputs of `region` to `outputs`, which has its shape.
    pub(super) fn run(
        &self,
        input: &Continued<'_, T>,
        region: Region,
        outputs: &mut Outputs<'_, T>,
        (strip, piece): (&mut Vec<T>, &mut Vec<T>),
    ) {
        // Rows that do not begin at the same place of a page, whatever the number of columns.
        let stride = region.cols.next_multiple_of(16) + 16;
        for (t, Term { row, column }) in self.terms.iter().enumerate() {
            let kept = column.len() - 1;
            let height = BAND.min(region.rows) + kept;
            strip.resize(height * stride, T::ZERO);
            for band in (0..region.rows).step_by(BAND) {
                let rows = BAND.min(region.rows - band);
                let have = if band == 0 { 0 } else { kept };
                strip.copy_within(
                    BAND * stride * usize::from(band > 0)..(BAND + kept).min(height) * stride,
                    0,
                );
                let fresh = Region { row: region.row + band + have, rows: rows + kept - have, ..region };
                let samples = &mut strip[have * stride..];
                row.run(
                    input,
                    fresh,
                    &mut Outputs { samples, stride, rows: fresh.rows, cols: region.cols },
                    piece,
                );
                let stencil = Stencil { taps: column, rows: column.len(), cols: 1, input: strip, stride };
                correlate(self.width, &stencil, &mut part(outputs, (band, 0), (rows, region.cols)), t > 0);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rank_is_found_and_the_products_add_up() {
        let blob = |sigma: f64| Kernel2d::gaussian(sigma).unwrap();
        let (wide, narrow) = (blob(2.0), blob(1.0));
        let (side, inner) = (wide.shape().1, narrow.shape().1);
        let mut taps = wide.taps().to_vec();
        let edge = (side - inner) / 2;
        for (i, tap) in narrow.taps().iter().enumerate() {
            taps[(edge + i / inner) * side + edge + i % inner] -= tap;
        }
        let difference = Kernel2d::new(side, side, taps).unwrap();
        for (kernel, rank) in [(&wide, Some(1)), (&difference, Some(2))] {
            let found = factors::<f64>(kernel);
            assert_eq!(found.as_ref().map(Vec::len), rank);
            for (i, tap) in kernel.taps().iter().enumerate() {
                let sum: f64 = found.iter().flatten().map(|(a, b)| a[i / side] * b[i % side]).sum();
                assert!((sum - tap).abs() < 1e-14);
            }
        }
        let noise = (0..121).map(|i| libm::sin(f64::from(i * i))).collect();
        assert!(factors::<f32>(&Kernel2d::new(11, 11, noise).unwrap()).is_none());
    }
}
