//! The rotation that brings one set of points nearest to another, and the singular values that it comes from.

use super::matrix::Matrix;

/// Turns of the Jacobi method at most; it converges quadratically and needs about ten.
const SWEEPS: usize = 60;

/// The singular value decomposition `A = U diag(values) Vᵀ` of a square matrix; values in no order.
#[derive(Debug, Clone)]
pub struct Singular {
    /// Column i of U as row i. A value of zero has a row of zeros.
    pub left: Matrix,
    /// Singular values, none negative.
    pub values: Vec<f64>,
    /// Column i of V as row i.
    pub right: Matrix,
}

impl Singular {
    /// Decomposes a square matrix by one-sided Jacobi rotations (Hestenes 1958; Demmel and Veselić 1992 on its accuracy).
    /// Time grows with the third power of the size.
    ///
    /// # Panics
    /// Where the matrix is not square.
    #[must_use]
    pub fn new(matrix: &Matrix) -> Self {
        assert_eq!(matrix.rows(), matrix.cols(), "singular values of a square matrix are meant here");
        let n = matrix.rows();
        let (mut left, mut right) = (matrix.transpose(), Matrix::identity(n));
        for _ in 0..SWEEPS {
            let mut turned = false;
            for i in 0..n {
                for j in i + 1..n {
                    turned |= orthogonalise(&mut left, &mut right, i, j);
                }
            }
            if !turned {
                break;
            }
        }
        let values: Vec<f64> = (0..n).map(|i| dot(left.row(i), left.row(i)).sqrt()).collect();
        let least = values.iter().copied().fold(0.0, f64::max) * f64::EPSILON * n as f64;
        for (i, &value) in values.iter().enumerate() {
            let scale = if value > least { 1.0 / value } else { 0.0 };
            left.row_mut(i).iter_mut().for_each(|entry| *entry *= scale);
        }
        Self { left, values, right }
    }
}

/// Turns rows i and j of `left` until they are at right angles, and those of `right` with them; whether that was needed.
fn orthogonalise(left: &mut Matrix, right: &mut Matrix, i: usize, j: usize) -> bool {
    let (a, b, c) =
        (dot(left.row(i), left.row(i)), dot(left.row(j), left.row(j)), dot(left.row(i), left.row(j)));
    if c == 0.0 || c.abs() <= 1e-15 * (a * b).sqrt() {
        return false;
    }
    let zeta = (b - a) / (2.0 * c);
    let tangent = zeta.signum() / (zeta.abs() + libm::hypot(1.0, zeta));
    let cosine = 1.0 / libm::hypot(1.0, tangent);
    for matrix in [left, right] {
        for k in 0..matrix.cols() {
            let (x, y) = (matrix.at(i, k), matrix.at(j, k));
            matrix.set(i, k, cosine * (x - tangent * y));
            matrix.set(j, k, cosine * (tangent * x + y));
        }
    }
    true
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// The orthogonal matrix R that makes the sum of squares of `from R - to` least (Schönemann 1966, "A generalized solution of
/// the orthogonal Procrustes problem"): `U Vᵀ` of `fromᵀ to`. Rows are points, the same in both. Reflections are allowed.
/// Directions in which the points say nothing are mapped to zero.
///
/// # Panics
/// Where the two have not the same size.
#[must_use]
pub fn rotation(from: &Matrix, to: &Matrix) -> Matrix {
    assert_eq!(from.cols(), to.cols(), "points of another dimension");
    let singular = Singular::new(&from.transposed_product(to));
    singular.left.transposed_product(&singular.right)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::random::Stream;

    fn random(rows: usize, cols: usize, item: u64) -> Matrix {
        let mut stream = Stream::new(2, "procrustes", item);
        let values = (0..rows * cols).map(|_| stream.unit_f64() - 0.5).collect();
        Matrix::from_values(rows, cols, values).unwrap()
    }

    fn distance(a: &Matrix, b: &Matrix) -> f64 {
        a.values().iter().zip(b.values()).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
    }

    #[test]
    fn singular_vectors_rebuild_the_matrix() {
        for n in [1, 2, 5, 40] {
            let a = random(n, n, n as u64);
            let singular = Singular::new(&a);
            let mut scaled = singular.right.clone();
            for (i, value) in singular.values.iter().enumerate() {
                scaled.row_mut(i).iter_mut().for_each(|entry| *entry *= value);
            }
            assert!(distance(&singular.left.transposed_product(&scaled), &a) < 1e-13, "{n}");
            let gram = singular.left.product(&singular.left.transpose());
            assert!(distance(&gram, &Matrix::identity(n)) < 1e-12, "{n}");
        }
    }

    /// numpy 2.4.6: `np.linalg.svd([[3, 0], [4, 5]], compute_uv=False)` is sqrt 45 and sqrt 5.
    #[test]
    fn singular_values_of_a_known_matrix() {
        let mut values = Singular::new(&Matrix::from_rows(&[[3.0, 0.0], [4.0, 5.0]])).values;
        values.sort_by(f64::total_cmp);
        assert!((values[0] - 5.0_f64.sqrt()).abs() < 1e-14 && (values[1] - 45.0_f64.sqrt()).abs() < 1e-14);
        assert_eq!(Singular::new(&Matrix::zeros(3, 3)).values, [0.0; 3]);
    }

    #[test]
    fn a_rotation_is_found_again() {
        let points = random(60, 8, 1);
        let turn = rotation(&random(30, 8, 2), &random(30, 8, 3));
        assert!(distance(&turn.product(&turn.transpose()), &Matrix::identity(8)) < 1e-12);
        assert!(distance(&rotation(&points, &points.product(&turn)), &turn) < 1e-12);
    }
}
