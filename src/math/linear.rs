//! Linear algebra: the Cholesky factor and the eigenvectors of a symmetric matrix.

use super::matrix::Matrix;

/// The lower triangular factor L of a symmetric positive definite matrix A = L Lᵀ.
#[derive(Debug, Clone)]
pub struct Cholesky {
    lower: Matrix,
}

impl Cholesky {
    /// Factors `matrix`, of which the lower triangle is read. `None` where it is not positive definite.
    ///
    /// # Panics
    /// Where the matrix is not square.
    #[must_use]
    pub fn new(matrix: &Matrix) -> Option<Self> {
        let n = matrix.rows();
        assert_eq!(n, matrix.cols(), "a Cholesky factor is of a square matrix");
        let mut lower = Matrix::zeros(n, n);
        for i in 0..n {
            for j in 0..=i {
                let sum: f64 = lower.row(i)[..j].iter().zip(lower.row(j)).map(|(a, b)| a * b).sum();
                let rest = matrix.at(i, j) - sum;
                if i == j {
                    if rest <= 0.0 || !rest.is_finite() {
                        return None;
                    }
                    lower.set(i, i, rest.sqrt());
                } else {
                    lower.set(i, j, rest / lower.at(j, j));
                }
            }
        }
        Some(Self { lower })
    }

    /// L⁻¹ B, column by column of B.
    ///
    /// # Panics
    /// Where `b` has another number of rows than the factor.
    #[must_use]
    pub fn forward(&self, b: &Matrix) -> Matrix {
        assert_eq!(b.rows(), self.lower.rows(), "right-hand side of another size");
        let mut solved = b.clone();
        for i in 0..b.rows() {
            let mut row = solved.row(i).to_vec();
            for k in 0..i {
                subtract_scaled(&mut row, self.lower.at(i, k), solved.row(k));
            }
            let pivot = self.lower.at(i, i);
            for value in &mut row {
                *value /= pivot;
            }
            solved.row_mut(i).copy_from_slice(&row);
        }
        solved
    }

    /// L⁻ᵀ B, column by column of B.
    ///
    /// # Panics
    /// Where `b` has another number of rows than the factor.
    #[must_use]
    pub fn backward(&self, b: &Matrix) -> Matrix {
        assert_eq!(b.rows(), self.lower.rows(), "right-hand side of another size");
        let mut solved = b.clone();
        for i in (0..b.rows()).rev() {
            let mut row = solved.row(i).to_vec();
            for k in i + 1..b.rows() {
                subtract_scaled(&mut row, self.lower.at(k, i), solved.row(k));
            }
            let pivot = self.lower.at(i, i);
            for value in &mut row {
                *value /= pivot;
            }
            solved.row_mut(i).copy_from_slice(&row);
        }
        solved
    }

    /// A⁻¹ B.
    ///
    /// # Panics
    /// Where `b` has another number of rows than the factor.
    #[must_use]
    pub fn solve(&self, b: &Matrix) -> Matrix {
        self.backward(&self.forward(b))
    }
}

fn subtract_scaled(row: &mut [f64], factor: f64, other: &[f64]) {
    for (value, &o) in row.iter_mut().zip(other) {
        *value -= factor * o;
    }
}

/// The eigenvalues of a symmetric matrix in descending order, with their unit eigenvectors as rows. A vector's sign is
/// such that its entry of greatest magnitude is positive.
#[derive(Debug, Clone)]
pub struct SymmetricEigen {
    /// Eigenvalues, descending.
    pub values: Vec<f64>,
    /// Row i is the eigenvector of value i.
    pub vectors: Matrix,
}

impl SymmetricEigen {
    /// Decomposes `matrix` by Householder reduction to tridiagonal form and the implicit QL iteration (Bowdler, Martin,
    /// Reinsch and Wilkinson 1968, tred2 and tql2, in the form of the public-domain JAMA package). Time grows with the
    /// third power of the size.
    ///
    /// # Panics
    /// Where the matrix is not square.
    #[must_use]
    pub fn new(matrix: &Matrix) -> Self {
        assert_eq!(matrix.rows(), matrix.cols(), "eigenvectors are of a square matrix");
        let (mut diagonal, mut beside, mut vectors) = tridiagonal(matrix);
        implicit_ql(&mut diagonal, &mut beside, &mut vectors);
        let mut order: Vec<usize> = (0..diagonal.len()).collect();
        order.sort_by(|&a, &b| diagonal[b].total_cmp(&diagonal[a]).then(a.cmp(&b)));
        let values = order.iter().map(|&i| diagonal[i]).collect();
        let mut vectors = vectors.select_rows(&order);
        for i in 0..vectors.rows() {
            let row = vectors.row_mut(i);
            let largest = row.iter().fold(0.0_f64, |a, &b| if b.abs() > a.abs() { b } else { a });
            if largest < 0.0 {
                for value in row {
                    *value = -*value;
                }
            }
        }
        Self { values, vectors }
    }
}

/// Householder reduction: diagonal, subdiagonal (from index 1; index 0 is zero) and the orthogonal matrix Q as rows of Qᵀ,
/// so that A = Q T Qᵀ.
fn tridiagonal(matrix: &Matrix) -> (Vec<f64>, Vec<f64>, Matrix) {
    let n = matrix.rows();
    let mut a = matrix.clone();
    let mut rows = Matrix::identity(n);
    let mut reflected = vec![0.0; n];
    for k in 0..n.saturating_sub(2) {
        let mut normal: Vec<f64> = (0..n).map(|i| if i > k { a.at(i, k) } else { 0.0 }).collect();
        let below: f64 = normal[k + 2..].iter().map(|v| v * v).sum();
        if below == 0.0 {
            continue;
        }
        let length = (normal[k + 1] * normal[k + 1] + below).sqrt();
        normal[k + 1] += if normal[k + 1] < 0.0 { -length } else { length };
        let factor = 2.0 / (normal[k + 1] * normal[k + 1] + below);
        // A - v wᵀ - w vᵀ with p = factor A v and w = p - (factor / 2) (pᵀ v) v.
        for (i, place) in reflected.iter_mut().enumerate() {
            *place = factor * dot(&a.row(i)[k..], &normal[k..]);
        }
        let half = 0.5 * factor * dot(&reflected, &normal);
        for (place, v) in reflected.iter_mut().zip(&normal) {
            *place -= half * v;
        }
        for i in k..n {
            let (v, w) = (normal[i], reflected[i]);
            subtract_scaled(a.row_mut(i), v, &reflected);
            subtract_scaled(a.row_mut(i), w, &normal);
        }
        reflect_rows(&mut rows, &normal, factor);
    }
    let diagonal = (0..n).map(|i| a.at(i, i)).collect();
    let beside = (0..n).map(|i| if i == 0 { 0.0 } else { a.at(i, i - 1) }).collect();
    (diagonal, beside, rows)
}

/// Applies the reflection I - factor v vᵀ from the left.
fn reflect_rows(rows: &mut Matrix, normal: &[f64], factor: f64) {
    let mut along = vec![0.0; rows.cols()];
    for (i, &v) in normal.iter().enumerate() {
        if v != 0.0 {
            subtract_scaled(&mut along, -v, rows.row(i));
        }
    }
    for (i, &v) in normal.iter().enumerate() {
        if v != 0.0 {
            subtract_scaled(rows.row_mut(i), factor * v, &along);
        }
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// QL iteration with implicit shifts on a tridiagonal matrix; turns `diagonal` into eigenvalues and the rows of `vectors`
/// into eigenvectors. At most 60 turns a value, which in exact arithmetic is never needed.
fn implicit_ql(diagonal: &mut [f64], beside: &mut [f64], vectors: &mut Matrix) {
    let n = diagonal.len();
    if n == 0 {
        return;
    }
    beside.rotate_left(1);
    for low in 0..n {
        for _ in 0..60 {
            let small = |i: usize| {
                let sum = diagonal[i].abs() + diagonal[i + 1].abs();
                beside[i].abs() <= f64::EPSILON * sum
            };
            let high = (low..n - 1).find(|&i| small(i)).unwrap_or(n - 1);
            if high == low {
                break;
            }
            ql_step(diagonal, beside, vectors, low, high);
        }
    }
}

/// One implicit QL step on the unreduced part `low..=high`.
fn ql_step(diagonal: &mut [f64], beside: &mut [f64], vectors: &mut Matrix, low: usize, high: usize) {
    let slope = (diagonal[low + 1] - diagonal[low]) / (2.0 * beside[low]);
    let length = libm::hypot(slope, 1.0);
    let signed = if slope < 0.0 { -length } else { length };
    let mut g = diagonal[high] - diagonal[low] + beside[low] / (slope + signed);
    let (mut sine, mut cosine, mut p) = (1.0, 1.0, 0.0);
    for i in (low..high).rev() {
        let f = sine * beside[i];
        let b = cosine * beside[i];
        let r = libm::hypot(f, g);
        beside[i + 1] = r;
        if r == 0.0 {
            diagonal[i + 1] -= p;
            beside[high] = 0.0;
            return;
        }
        sine = f / r;
        cosine = g / r;
        g = diagonal[i + 1] - p;
        let turned = (diagonal[i] - g) * sine + 2.0 * cosine * b;
        p = sine * turned;
        diagonal[i + 1] = g + p;
        g = cosine * turned - b;
        rotate_rows(vectors, i, sine, cosine);
    }
    diagonal[low] -= p;
    beside[low] = g;
    beside[high] = 0.0;
}

/// Turns rows i and i + 1 by an angle.
fn rotate_rows(vectors: &mut Matrix, i: usize, sine: f64, cosine: f64) {
    for k in 0..vectors.cols() {
        let (here, next) = (vectors.at(i, k), vectors.at(i + 1, k));
        vectors.set(i + 1, k, sine * here + cosine * next);
        vectors.set(i, k, cosine * here - sine * next);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::random::Stream;

    fn symmetric(n: usize, seed: u64) -> Matrix {
        let mut stream = Stream::new(seed, "symmetric", 0);
        let mut half = Matrix::zeros(n + 2, n);
        for i in 0..n + 2 {
            half.row_mut(i).iter_mut().for_each(|value| *value = stream.unit_f64() - 0.5);
        }
        half.transposed_product(&half)
    }

    fn distance(a: &Matrix, b: &Matrix) -> f64 {
        a.values().iter().zip(b.values()).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
    }

    #[test]
    fn cholesky_solves() {
        for n in [1, 2, 7, 30] {
            let a = symmetric(n, 3);
            let x = symmetric(n, 4);
            let solved = Cholesky::new(&a).unwrap().solve(&a.product(&x));
            assert!(distance(&solved, &x) < 1e-6, "{n}: {}", distance(&solved, &x));
        }
        assert!(Cholesky::new(&Matrix::from_rows(&[[1.0, 2.0], [2.0, 1.0]])).is_none());
    }

    #[test]
    fn eigenvectors_rebuild_the_matrix() {
        for n in [0, 1, 2, 3, 10, 65] {
            let a = symmetric(n, 5);
            let eigen = SymmetricEigen::new(&a);
            let mut scaled = eigen.vectors.clone();
            for (i, value) in eigen.values.iter().enumerate() {
                scaled.row_mut(i).iter_mut().for_each(|v| *v *= value);
            }
            assert!(distance(&eigen.vectors.transposed_product(&scaled), &a) < 1e-12, "{n}");
            let gram = eigen.vectors.product(&eigen.vectors.transpose());
            assert!(distance(&gram, &Matrix::identity(n)) < 1e-12, "{n}");
            assert!(eigen.values.is_sorted_by(|a, b| a >= b));
        }
    }

    /// numpy 2.4.6: `np.linalg.eigh([[2, 1, 0], [1, 2, 1], [0, 1, 2]])`: 2 + sqrt 2, 2, 2 - sqrt 2.
    #[test]
    fn eigenvalues_of_a_known_matrix() {
        let eigen =
            SymmetricEigen::new(&Matrix::from_rows(&[[2.0, 1.0, 0.0], [1.0, 2.0, 1.0], [0.0, 1.0, 2.0]]));
        let root = std::f64::consts::SQRT_2;
        for (value, expected) in eigen.values.iter().zip([2.0 + root, 2.0, 2.0 - root]) {
            assert!((value - expected).abs() < 1e-14);
        }
    }

    #[test]
    fn degenerate_matrices() {
        for a in [Matrix::zeros(4, 4), Matrix::identity(4), Matrix::from_rows(&[[1.0; 5]; 5])] {
            let eigen = SymmetricEigen::new(&a);
            let sum: f64 = eigen.values.iter().sum();
            let trace: f64 = (0..a.rows()).map(|i| a.at(i, i)).sum();
            assert!((sum - trace).abs() < 1e-12);
        }
    }
}
