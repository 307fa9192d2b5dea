//! The product of eight columns with eight others, rows side by side, in f32.
//!
//! An entry is summed in the order of the rows, a product and then a sum, so every width gives the same bits.

use super::Width;
use super::dispatch::{Work, dispatch};
use super::register::Register;

/// Columns that lie side by side.
pub const PANEL: usize = 8;

/// `leftᵀ * right` of as many rows as both have: entry (i, j) belongs to column i of `left` and column j of `right`.
pub fn panel_product(width: Width, left: &[[f32; PANEL]], right: &[[f32; PANEL]]) -> [[f32; PANEL]; PANEL] {
    dispatch(width, Product { left, right })
}

struct Product<'a> {
    left: &'a [[f32; PANEL]],
    right: &'a [[f32; PANEL]],
}

// SAFETY: all of it is safe, and compiled for the caller's instructions.

impl Work<f32> for Product<'_> {
    type Output = [[f32; PANEL]; PANEL];

    #[inline(always)]
    unsafe fn run<V: Register<Number = f32>>(self) -> Self::Output {
        let mut sums = [[0.0_f32; PANEL]; PANEL];
        for (l, r) in self.left.iter().zip(self.right) {
            for i in 0..PANEL {
                for j in 0..PANEL {
                    sums[i][j] += l[i] * r[j];
                }
            }
        }
        sums
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_summed_as_defined_at_every_width() {
        let row =
            |i: usize, of: usize| std::array::from_fn(|j| ((i * 31 + j * 7 + of) % 17) as f32 * 0.37 - 2.0);
        let left: Vec<[f32; PANEL]> = (0..70).map(|i| row(i, 1)).collect();
        let right: Vec<[f32; PANEL]> = (0..70).map(|i| row(i, 5)).collect();
        for width in Width::available() {
            for rows in [0, 1, 70] {
                let product = panel_product(width, &left[..rows], &right[..rows]);
                for (i, sums) in product.iter().enumerate() {
                    for (j, sum) in sums.iter().enumerate() {
                        let expected = (0..rows).fold(0.0, |sum, row| sum + left[row][i] * right[row][j]);
                        assert_eq!(*sum, expected, "{width:?} {i} {j}");
                    }
                }
            }
        }
    }
}
