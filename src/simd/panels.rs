//! The product of two tall matrices in single precision: the inner loop of resampling, where one product is needed for
//! every draw.
//!
//! Columns are packed in panels of eight that run down the rows, so that eight columns lie side by side. The sum over the
//! rows runs in order within blocks of 256 rows, and the blocks are added in order: every entry has one order of operations,
//! whatever the width of the machine's registers. Against a sum in double precision an entry differs by less than about
//! 1e-6 of the product of the columns' lengths; sums of whole numbers below 2^24 are exact.

use super::Width;
use super::tall_products::{PANEL, panel_product};

const BLOCK: usize = 256;

/// A tall matrix of f32, packed in panels of [`PANEL`] columns; columns beyond the last are zero.
#[derive(Debug, Clone, Default)]
pub struct Panels {
    rows: usize,
    cols: usize,
    values: Vec<f32>,
}

impl Panels {
    /// Zeros of the given size.
    #[must_use]
    pub fn zeros(rows: usize, cols: usize) -> Self {
        Self { rows, cols, values: vec![0.0; cols.div_ceil(PANEL) * PANEL * rows] }
    }

    /// Gives the matrix a new size and fills it with zeros; keeps the allocation.
    pub fn resize(&mut self, rows: usize, cols: usize) {
        (self.rows, self.cols) = (rows, cols);
        self.values.clear();
        self.values.resize(cols.div_ceil(PANEL) * PANEL * rows, 0.0);
    }

    /// Number of columns.
    #[must_use]
    pub fn cols(&self) -> usize {
        self.cols
    }

    /// The panel of column `col`, row after row, and the place of the column in each row of it.
    ///
    /// # Panics
    /// Where there is no such column.
    #[must_use]
    pub fn column_mut(&mut self, col: usize) -> (&mut [[f32; PANEL]], usize) {
        let length = self.rows * PANEL;
        let panel = &mut self.values[col / PANEL * length..(col / PANEL + 1) * length];
        (panel.as_chunks_mut().0, col % PANEL)
    }

    /// Sets one column.
    ///
    /// # Panics
    /// Where there is no such column.
    pub fn set_column(&mut self, col: usize, values: impl IntoIterator<Item = f32>) {
        let (panel, place) = self.column_mut(col);
        for (row, value) in panel.iter_mut().zip(values) {
            row[place] = value;
        }
    }

    /// Makes this the rows of `other` at `indices`, in that order.
    ///
    /// # Panics
    /// Where an index is not below the number of rows of `other`.
    pub fn gather(&mut self, other: &Self, indices: &[u32]) {
        (self.rows, self.cols) = (indices.len(), other.cols);
        self.values.clear();
        for panel in other.values.chunks_exact((other.rows * PANEL).max(1)) {
            let rows = panel.as_chunks::<PANEL>().0;
            for &i in indices {
                self.values.extend_from_slice(&rows[i as usize]);
            }
        }
    }

    /// Multiplies each row by its factor.
    ///
    /// # Panics
    /// Where there are not as many factors as rows.
    pub fn scale_rows(&mut self, factors: &[f32]) {
        assert_eq!(self.rows, factors.len(), "a factor for each row");
        for panel in self.values.chunks_exact_mut((self.rows * PANEL).max(1)) {
            for (row, factor) in panel.as_chunks_mut::<PANEL>().0.iter_mut().zip(factors) {
                for value in row {
                    *value *= factor;
                }
            }
        }
    }

    fn block(&self, panel: usize, from: usize, to: usize) -> &[[f32; PANEL]] {
        let start = panel * self.rows * PANEL;
        self.values[start + from * PANEL..start + to * PANEL].as_chunks().0
    }

    /// The entry of [`Self::transposed_product`] for two columns alone, the same bits.
    ///
    /// # Panics
    /// Where the two have not the same number of rows.
    #[must_use]
    pub fn column_product(&self, col: usize, right: &Self, right_col: usize) -> f32 {
        assert_eq!(self.rows, right.rows, "row counts of a matrix product differ");
        let (i, j) = (col % PANEL, right_col % PANEL);
        let mut product = 0.0;
        for from in (0..self.rows).step_by(BLOCK) {
            let to = (from + BLOCK).min(self.rows);
            let rows = self.block(col / PANEL, from, to).iter().zip(right.block(right_col / PANEL, from, to));
            product += rows.fold(0.0, |sum, (l, r)| sum + l[i] * r[j]);
        }
        product
    }

    /// `selfᵀ * right`, row by row into `product`, which is given `cols * right.cols` values.
    ///
    /// # Panics
    /// Where the two have not the same number of rows.
    pub fn transposed_product(&self, right: &Self, product: &mut Vec<f32>) {
        assert_eq!(self.rows, right.rows, "row counts of a matrix product differ");
        product.clear();
        product.resize(self.cols * right.cols, 0.0);
        let width = Width::detect();
        for from in (0..self.rows).step_by(BLOCK) {
            let to = (from + BLOCK).min(self.rows);
            for q in 0..right.cols.div_ceil(PANEL) {
                let right_rows = right.block(q, from, to);
                for p in 0..self.cols.div_ceil(PANEL) {
                    let left_rows = self.block(p, from, to);
                    let sums = panel_product(width, left_rows, right_rows);
                    let end = right.cols.min((q + 1) * PANEL);
                    for (row, sums) in (p * PANEL..self.cols).zip(&sums) {
                        let place = &mut product[row * right.cols + q * PANEL..row * right.cols + end];
                        place.iter_mut().zip(sums).for_each(|(place, sum)| *place += sum);
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::random::Stream;

    fn panels(
        rows: usize,
        cols: usize,
        item: u64,
        draw: impl Fn(&mut Stream) -> f32,
    ) -> (Panels, Vec<Vec<f32>>) {
        let mut stream = Stream::new(2, "panels", item);
        let columns: Vec<Vec<f32>> =
            (0..cols).map(|_| (0..rows).map(|_| draw(&mut stream)).collect()).collect();
        let mut panels = Panels::zeros(rows, cols);
        for (j, column) in columns.iter().enumerate() {
            panels.set_column(j, column.iter().copied());
        }
        (panels, columns)
    }

    #[test]
    fn equals_the_definition() {
        for (rows, left, right) in [(0, 1, 1), (1, 1, 1), (5, 3, 9), (300, 13, 8), (600, 4, 17)] {
            let whole = |stream: &mut Stream| stream.below(100) as f32 - 50.0;
            let (a, a_columns) = panels(rows, left, 0, whole);
            let (b, b_columns) = panels(rows, right, 1, whole);
            let mut product = Vec::new();
            a.transposed_product(&b, &mut product);
            let naive: Vec<f32> = a_columns
                .iter()
                .flat_map(|x| b_columns.iter().map(|y| x.iter().zip(y).map(|(x, y)| x * y).sum::<f32>()))
                .collect();
            assert_eq!(product, naive);
            let one_by_one = (0..left).flat_map(|i| (0..right).map(move |j| (i, j)));
            assert!(one_by_one.map(|(i, j)| a.column_product(i, &b, j)).eq(product.iter().copied()));
        }
    }

    #[test]
    fn error_is_small_beside_the_lengths() {
        let (a, columns) = panels(10_000, 1, 0, Stream::unit_f32);
        let mut product = Vec::new();
        a.transposed_product(&a, &mut product);
        let exact: f64 = columns[0].iter().map(|&x| f64::from(x) * f64::from(x)).sum();
        assert!((f64::from(product[0]) - exact).abs() < 1e-6 * exact);
        assert_eq!(a.column_product(0, &a, 0), product[0]);
    }

    #[test]
    fn gathered_rows() {
        let (a, columns) = panels(7, 9, 0, Stream::unit_f32);
        let mut gathered = Panels::default();
        let order = [6, 0, 0, 3];
        gathered.gather(&a, &order);
        for (j, column) in columns.iter().enumerate() {
            let (panel, place) = gathered.column_mut(j);
            for (row, &i) in panel.iter().zip(&order) {
                assert_eq!(row[place], column[i as usize]);
            }
        }
    }
}
