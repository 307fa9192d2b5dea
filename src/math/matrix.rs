//! A dense matrix of f64, row by row.

/// A dense matrix, stored row by row. A row is an item, a column a dimension or feature.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Matrix {
    rows: usize,
    cols: usize,
    values: Vec<f64>,
}

impl Matrix {
    /// A matrix of zeros.
    #[must_use]
    pub fn zeros(rows: usize, cols: usize) -> Self {
        Self { rows, cols, values: vec![0.0; rows * cols] }
    }

    /// The identity of `size` rows and columns.
    #[must_use]
    pub fn identity(size: usize) -> Self {
        let mut identity = Self::zeros(size, size);
        for i in 0..size {
            identity.set(i, i, 1.0);
        }
        identity
    }

    /// A matrix of the given rows. The first row sets the number of columns; a shorter row is filled with zeros, a longer
    /// one is cut.
    #[must_use]
    pub fn from_rows<R: AsRef<[f64]>>(rows: &[R]) -> Self {
        let cols = rows.first().map_or(0, |row| row.as_ref().len());
        let mut matrix = Self::zeros(rows.len(), cols);
        for (i, row) in rows.iter().enumerate() {
            for (place, &value) in matrix.row_mut(i).iter_mut().zip(row.as_ref()) {
                *place = value;
            }
        }
        matrix
    }

    /// A matrix from its values row by row; `None` where there are not `rows * cols` of them.
    #[must_use]
    pub fn from_values(rows: usize, cols: usize, values: Vec<f64>) -> Option<Self> {
        (rows.checked_mul(cols) == Some(values.len())).then_some(Self { rows, cols, values })
    }

    /// Number of rows.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Number of columns.
    #[must_use]
    pub fn cols(&self) -> usize {
        self.cols
    }

    /// All values, row by row.
    #[must_use]
    pub fn values(&self) -> &[f64] {
        &self.values
    }

    /// Row `i`.
    ///
    /// # Panics
    /// Where `i` is not below the number of rows.
    #[must_use]
    pub fn row(&self, i: usize) -> &[f64] {
        &self.values[i * self.cols..(i + 1) * self.cols]
    }

    /// Row `i`, to be changed.
    ///
    /// # Panics
    /// Where `i` is not below the number of rows.
    pub fn row_mut(&mut self, i: usize) -> &mut [f64] {
        &mut self.values[i * self.cols..(i + 1) * self.cols]
    }

    /// Column `j`, copied.
    ///
    /// # Panics
    /// Where `j` is not below the number of columns and there are rows.
    #[must_use]
    pub fn column(&self, j: usize) -> Vec<f64> {
        (0..self.rows).map(|i| self.at(i, j)).collect()
    }

    /// The value in row `i` and column `j`.
    ///
    /// # Panics
    /// Where there is no such row or column.
    #[must_use]
    pub fn at(&self, i: usize, j: usize) -> f64 {
        self.row(i)[j]
    }

    /// Sets the value in row `i` and column `j`.
    ///
    /// # Panics
    /// Where there is no such row or column.
    pub fn set(&mut self, i: usize, j: usize, value: f64) {
        self.row_mut(i)[j] = value;
    }

    /// Rows and columns exchanged.
    #[must_use]
    pub fn transpose(&self) -> Self {
        let mut transposed = Self::zeros(self.cols, self.rows);
        for i in 0..self.rows {
            for (j, &value) in self.row(i).iter().enumerate() {
                transposed.values[j * self.rows + i] = value;
            }
        }
        transposed
    }

    /// The rows at `indices`, in that order.
    ///
    /// # Panics
    /// Where an index is not below the number of rows.
    #[must_use]
    pub fn select_rows(&self, indices: &[usize]) -> Self {
        let mut values = Vec::with_capacity(indices.len() * self.cols);
        for &i in indices {
            values.extend_from_slice(self.row(i));
        }
        Self { rows: indices.len(), cols: self.cols, values }
    }

    /// The matrix product `self * other`; each entry is summed in the order of the inner index.
    ///
    /// # Panics
    /// Where `other` has not as many rows as `self` has columns.
    #[must_use]
    pub fn product(&self, other: &Self) -> Self {
        assert_eq!(self.cols, other.rows, "inner dimensions of a matrix product differ");
        let mut product = Self::zeros(self.rows, other.cols);
        for i in 0..self.rows {
            let sums = &mut product.values[i * other.cols..(i + 1) * other.cols];
            for (k, &factor) in self.row(i).iter().enumerate() {
                add_scaled(sums, factor, other.row(k));
            }
        }
        product
    }

    /// `selfᵀ * other`, without forming the transpose; each entry is summed in the order of the rows.
    ///
    /// # Panics
    /// Where the two have not the same number of rows.
    #[must_use]
    pub fn transposed_product(&self, other: &Self) -> Self {
        assert_eq!(self.rows, other.rows, "row counts of a matrix product differ");
        let mut product = Self::zeros(self.cols, other.cols);
        for k in 0..self.rows {
            for (i, &factor) in self.row(k).iter().enumerate() {
                add_scaled(&mut product.values[i * other.cols..(i + 1) * other.cols], factor, other.row(k));
            }
        }
        product
    }
}

fn add_scaled(sums: &mut [f64], factor: f64, row: &[f64]) {
    for (sum, &value) in sums.iter_mut().zip(row) {
        *sum += factor * value;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn product_of_two_by_three() {
        let a = Matrix::from_rows(&[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]);
        let b = Matrix::from_rows(&[[1.0, 0.0], [0.0, 1.0], [2.0, 2.0]]);
        let expected = Matrix::from_rows(&[[7.0, 8.0], [16.0, 17.0]]);
        assert_eq!(a.product(&b), expected);
        assert_eq!(a.transpose().transposed_product(&b), expected);
        assert_eq!(a.transpose().transpose(), a);
        assert_eq!(a.product(&Matrix::identity(3)), a);
    }

    #[test]
    fn rows_and_columns() {
        let mut a = Matrix::from_rows(&[[1.0, 2.0], [3.0, 4.0]]);
        a.set(0, 1, 9.0);
        assert_eq!(a.at(0, 1), 9.0);
        assert_eq!(a.column(0), [1.0, 3.0]);
        assert_eq!(a.select_rows(&[1, 1]).values(), [3.0, 4.0, 3.0, 4.0]);
        assert_eq!(Matrix::from_values(2, 2, vec![0.0; 3]), None);
    }
}
