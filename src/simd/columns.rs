//! Sums over the rows of a matrix, column by column, in f64.
//!
//! A column is summed in the order of its rows, so every width gives the same bits.

use super::Width;
use super::dispatch::{Work, dispatch};
use super::register::Register;

/// Adds every row of `rows`, as long as `sums`, to `sums`.
pub fn add_rows(width: Width, rows: &[f32], sums: &mut [f64]) {
    dispatch(width, Additions { rows, sums });
}

/// Adds the squared distances of every row of `rows`, as long as `means`, from `means` to `squares`.
///
/// # Panics
/// Where there are more means than squares.
pub fn add_squared_distances(width: Width, rows: &[f32], means: &[f64], squares: &mut [f64]) {
    assert!(squares.len() >= means.len(), "a square for each mean");
    dispatch(width, Distances { rows, means, squares });
}

struct Additions<'a> {
    rows: &'a [f32],
    sums: &'a mut [f64],
}

struct Distances<'a> {
    rows: &'a [f32],
    means: &'a [f64],
    squares: &'a mut [f64],
}

// SAFETY: all of it is safe, and compiled for the caller's instructions.

impl Work<f64> for Additions<'_> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<V: Register<Number = f64>>(self) {
        for row in self.rows.chunks_exact(self.sums.len().max(1)) {
            for (sum, value) in self.sums.iter_mut().zip(row) {
                *sum += f64::from(*value);
            }
        }
    }
}

impl Work<f64> for Distances<'_> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<V: Register<Number = f64>>(self) {
        for row in self.rows.chunks_exact(self.means.len().max(1)) {
            for ((sum, mean), value) in self.squares.iter_mut().zip(self.means).zip(row) {
                let distance = f64::from(*value) - mean;
                *sum += distance * distance;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_summed_as_defined_at_every_width() {
        let rows: Vec<f32> = (0..19 * 7).map(|i| (i * 31 % 17) as f32 * 0.37 - 2.0).collect();
        let means: Vec<f64> = (0..19).map(|i| f64::from(i) * 0.1).collect();
        let column = |i: usize| rows.iter().skip(i).step_by(19).map(|x| f64::from(*x));
        for width in Width::available() {
            let (mut sums, mut squares) = (vec![0.0; 19], vec![0.0; 19]);
            add_rows(width, &rows, &mut sums);
            add_squared_distances(width, &rows, &means, &mut squares);
            for i in 0..19 {
                assert_eq!(sums[i], column(i).fold(0.0, |sum, x| sum + x), "{width:?}");
                let square = |x: f64| (x - means[i]) * (x - means[i]);
                assert_eq!(squares[i], column(i).fold(0.0, |sum, x| sum + square(x)), "{width:?}");
            }
            add_rows(width, &[], &mut []);
        }
    }
}
