//! The largest singular values of a large sparse matrix and their vectors, by a randomised block Krylov method.
//!
//! Halko, Martinsson, Shkolnisky and Tygert (2011, "An algorithm for the principal component analysis of large data sets") begin
//! with random vectors and keep every power that they apply; Musco and Musco (2015, "Randomized block Krylov methods for stronger
//! and faster approximate singular value decomposition") show why that needs so few. Here the space is begun anew from its best
//! vectors until they stand still. The matrix is gone through row by row, in parts, once for each power: `AᵀA x` is the sum over
//! rows a of `a (a·x)`. Vectors of rows are never held. Sums run in the order of the rows for every column of the block by itself,
//! so that no bit depends on the number of threads.

use std::borrow::Cow;
use std::collections::VecDeque;

use rayon::prelude::*;

use super::linear::SymmetricEigen;
use super::matrix::Matrix;
use super::random::Stream;

/// Columns that are multiplied side by side.
const PANEL: usize = 8;
/// Vectors beyond those asked for, which make the last of these come sooner.
const BEYOND: usize = 10;
/// Powers kept beside the vectors that a cycle begins with.
const POWERS: usize = 2;
/// Cycles at most; ten or so are usual.
const CYCLES: usize = 300;
/// How far `AᵀA v` may lie from `σ² v`, as a share of σ². The error of σ is about the square of it.
const TOLERANCE: f64 = 1e-8;
/// A value under this share of the largest is no more than rounding.
const LEAST_SHARE: f64 = 1e-6;

/// Rows of a sparse matrix.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SparseRows {
    ends: Vec<usize>,
    columns: Vec<u32>,
    values: Vec<f32>,
}

impl SparseRows {
    /// Appends a row: its columns, each once, with their values. Beyond the shorter of the two nothing is taken.
    pub fn push(&mut self, columns: &[u32], values: &[f32]) {
        let count = columns.len().min(values.len());
        self.columns.extend_from_slice(&columns[..count]);
        self.values.extend_from_slice(&values[..count]);
        self.ends.push(self.columns.len());
    }

    /// How many rows there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The rows: columns and values.
    pub fn iter(&self) -> impl Iterator<Item = (&[u32], &[f32])> {
        self.ends.iter().scan(0, |start, &end| {
            let range = std::mem::replace(start, end)..end;
            Some((&self.columns[range.clone()], &self.values[range]))
        })
    }
}

/// A sparse matrix in parts of some rows each, which may come from a disk.
pub trait RowsInParts: Sync {
    /// How a part can fail to come.
    type Error;
    /// Columns of the matrix: every column of a row is below it.
    fn columns(&self) -> usize;
    /// How many parts there are.
    fn parts(&self) -> usize;
    /// A part, by number.
    ///
    /// # Errors
    /// As the source of the rows says.
    fn part(&self, number: usize) -> Result<Cow<'_, SparseRows>, Self::Error>;
}

/// The largest singular values with the vectors of the columns.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct TruncatedSvd {
    /// Singular values, descending; fewer than asked for where the matrix has no more above rounding.
    pub singular_values: Vec<f64>,
    /// A unit vector for each of them, over the columns. Its entry of greatest magnitude, the first of several, is positive.
    pub vectors: Vec<Vec<f64>>,
}

impl TruncatedSvd {
    /// The `rank` largest singular values of `matrix`, begun from random vectors of `seed`.
    ///
    /// # Errors
    /// Those of the matrix's parts.
    pub fn new<M: RowsInParts>(matrix: &M, rank: usize, seed: u64) -> Result<Self, M::Error> {
        let columns = matrix.columns();
        let width = (rank + BEYOND).min(columns);
        let mut block = orthonormal(&[], random_block(columns, width, seed));
        let mut values = Vec::new();
        for _ in 0..CYCLES {
            let found = Ritz::new(matrix, block, width)?;
            let stands = found.stands_still(rank);
            (values, block) = (found.values, found.vectors);
            if stands {
                break;
            }
        }
        let least = values.first().copied().unwrap_or(0.0) * LEAST_SHARE * LEAST_SHARE;
        let kept = values.iter().take(rank).take_while(|value| **value > least).count();
        block.truncate(kept);
        block.iter_mut().for_each(|vector| turn(vector));
        Ok(Self {
            singular_values: values.iter().take(kept).map(|value| value.sqrt()).collect(),
            vectors: block,
        })
    }

    /// What takes rows into the space of the vectors.
    #[must_use]
    pub fn projection(&self) -> Projection {
        let width = self.vectors.len();
        let height = self.vectors.first().map_or(0, Vec::len);
        let mut entries = vec![0.0; width * height];
        for (at, vector) in self.vectors.iter().enumerate() {
            let places = entries.iter_mut().skip(at).step_by(width);
            places.zip(vector).for_each(|(place, entry)| *place = *entry);
        }
        Projection { width, entries }
    }
}

/// The vectors of a [`TruncatedSvd`], their entries for a column side by side.
#[derive(Debug, Clone)]
pub struct Projection {
    width: usize,
    entries: Vec<f64>,
}

impl Projection {
    /// The rows in the space of the vectors: for each row as many numbers as there are vectors, `A V`, which is `U Σ`.
    #[must_use]
    pub fn of(&self, rows: &SparseRows) -> Vec<f64> {
        let mut projected = vec![0.0; rows.len() * self.width];
        if self.width == 0 {
            return projected;
        }
        for ((columns, values), sums) in rows.iter().zip(projected.chunks_mut(self.width)) {
            for (&column, &value) in columns.iter().zip(values) {
                let start = column as usize * self.width;
                add_scaled(sums, f64::from(value), &self.entries[start..start + self.width]);
            }
        }
        projected
    }
}

/// Makes the entry of greatest magnitude positive.
fn turn(vector: &mut [f64]) {
    let largest = vector.iter().fold(0.0_f64, |a, &b| if b.abs() > a.abs() { b } else { a });
    if largest < 0.0 {
        vector.iter_mut().for_each(|value| *value = -*value);
    }
}

/// Random signs.
fn random_block(rows: usize, width: usize, seed: u64) -> Vec<Vec<f64>> {
    let column = |item: usize| {
        let mut stream = Stream::new(seed, "truncated svd", item as u64);
        (0..rows).map(|_| if stream.next_u32() & 1 == 0 { 1.0 } else { -1.0 }).collect()
    };
    (0..width).map(column).collect()
}

/// The best that a space holds: approximate eigenvalues of `AᵀA`, their vectors, and how far `AᵀA v` lies from each.
struct Ritz {
    values: Vec<f64>,
    vectors: Vec<Vec<f64>>,
    residuals: Vec<f64>,
}

impl Ritz {
    /// The space of `block` and of its powers; the `width` best vectors of it.
    fn new<M: RowsInParts>(matrix: &M, block: Vec<Vec<f64>>, width: usize) -> Result<Self, M::Error> {
        let mut basis = block;
        let mut entries: Vec<Vec<f64>> = Vec::new();
        let (mut start, mut power) = (0, 0);
        let outside = loop {
            let mut product = gram_product(matrix, &basis[start..])?;
            let (first, again) = (project(&basis, &mut product), project(&basis, &mut product));
            let sums =
                first.into_iter().zip(again).map(|(a, b)| a.iter().zip(b).map(|(a, b)| a + b).collect());
            entries.extend(sums);
            if power == POWERS {
                break product;
            }
            let next = orthonormal(&basis, product);
            if next.is_empty() {
                break Vec::new();
            }
            start = basis.len();
            basis.extend(next);
            power += 1;
        };
        // Row j holds the entries up to its own block: the rest by symmetry.
        let mut small = Matrix::zeros(basis.len(), basis.len());
        for (j, row) in entries.iter().enumerate() {
            for (i, &entry) in row.iter().enumerate() {
                small.set(i, j, entry);
                small.set(j, i, entry);
            }
        }
        let eigen = SymmetricEigen::new(&small);
        let kept = width.min(basis.len());
        let chosen: Vec<&[f64]> = (0..kept).map(|i| eigen.vectors.row(i)).collect();
        let vectors = chosen.par_iter().map(|weights| combined(&basis, weights)).collect();
        let residuals = chosen.par_iter().map(|weights| {
            if outside.is_empty() { 0.0 } else { norm(&combined(&outside, &weights[start..])) }
        });
        Ok(Self { residuals: residuals.collect(), vectors, values: eigen.values[..kept].to_vec() })
    }

    /// Whether the first `rank` values are good.
    fn stands_still(&self, rank: usize) -> bool {
        let least = self.values.first().copied().unwrap_or(0.0) * LEAST_SHARE;
        let mut pairs = self.values.iter().zip(&self.residuals).take(rank);
        pairs.all(|(value, residual)| *residual <= TOLERANCE * value.max(least))
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    let mut sums = [0.0; PANEL];
    let ((a, a_rest), (b, b_rest)) = (a.as_chunks::<PANEL>(), b.as_chunks::<PANEL>());
    for (a, b) in a.iter().zip(b) {
        for ((sum, a), b) in sums.iter_mut().zip(a).zip(b) {
            *sum += a * b;
        }
    }
    let rest: f64 = a_rest.iter().zip(b_rest).map(|(a, b)| a * b).sum();
    sums.iter().sum::<f64>() + rest
}

fn norm(a: &[f64]) -> f64 {
    dot(a, a).sqrt()
}

fn add_scaled(to: &mut [f64], factor: f64, from: &[f64]) {
    to.iter_mut().zip(from).for_each(|(to, from)| *to += factor * from);
}

/// The sum of the vectors times their weights.
fn combined(vectors: &[Vec<f64>], weights: &[f64]) -> Vec<f64> {
    let mut sum = vec![0.0; vectors.first().map_or(0, Vec::len)];
    vectors.iter().zip(weights).for_each(|(vector, weight)| add_scaled(&mut sum, *weight, vector));
    sum
}

/// Takes from each column of the block what lies in the space of the basis; gives the coefficients of that.
fn project(basis: &[Vec<f64>], block: &mut [Vec<f64>]) -> Vec<Vec<f64>> {
    block
        .par_iter_mut()
        .map(|column| {
            let coefficients: Vec<f64> = basis.iter().map(|vector| dot(vector, column)).collect();
            basis.iter().zip(&coefficients).for_each(|(vector, along)| add_scaled(column, -along, vector));
            coefficients
        })
        .collect()
}

/// An orthonormal basis of what the block adds to the space of `basis`, to which it is orthogonal already. Columns that add no
/// more than rounding are left out.
fn orthonormal(basis: &[Vec<f64>], mut block: Vec<Vec<f64>>) -> Vec<Vec<f64>> {
    let largest = block.iter().map(|column| norm(column)).fold(0.0, f64::max);
    // What is left of a small column is turned by the rounding of large ones: the second turn sets that right.
    for least in [largest * 1e-12, 0.5] {
        let mut kept: Vec<Vec<f64>> = Vec::with_capacity(block.len());
        let mut rest = VecDeque::from(block);
        while let Some(mut column) = rest.pop_front() {
            let length = norm(&column);
            if length <= least || length == 0.0 {
                continue;
            }
            column.iter_mut().for_each(|value| *value /= length);
            rest.par_iter_mut().for_each(|other| {
                let along = dot(&column, other);
                add_scaled(other, -along, &column);
            });
            kept.push(column);
        }
        block = kept;
        project(basis, &mut block);
    }
    block.iter_mut().for_each(|column| {
        let length = norm(column);
        column.iter_mut().for_each(|value| *value /= length);
    });
    block
}

/// `AᵀA` times each column of the block.
fn gram_product<M: RowsInParts>(matrix: &M, block: &[Vec<f64>]) -> Result<Vec<Vec<f64>>, M::Error> {
    let height = matrix.columns();
    let panels: Vec<Vec<[f64; PANEL]>> =
        block.par_chunks(PANEL).map(|columns| side_by_side(columns, height)).collect();
    let mut products = vec![vec![[0.0; PANEL]; height]; panels.len()];
    for part in 0..matrix.parts() {
        let rows = matrix.part(part)?;
        products.par_iter_mut().zip(&panels).for_each(|(product, panel)| add_gram(&rows, panel, product));
    }
    let column = |number: usize| products[number / PANEL].iter().map(|lanes| lanes[number % PANEL]).collect();
    Ok((0..block.len()).into_par_iter().map(column).collect())
}

fn side_by_side(columns: &[Vec<f64>], height: usize) -> Vec<[f64; PANEL]> {
    let mut panel = vec![[0.0; PANEL]; height];
    for (lane, column) in columns.iter().enumerate() {
        panel.iter_mut().zip(column).for_each(|(lanes, value)| lanes[lane] = *value);
    }
    panel
}

/// Adds `a (a·x)` for every row a.
fn add_gram(rows: &SparseRows, panel: &[[f64; PANEL]], product: &mut [[f64; PANEL]]) {
    for (columns, values) in rows.iter() {
        let mut along = [0.0; PANEL];
        for (&column, &value) in columns.iter().zip(values) {
            let (lanes, value) = (&panel[column as usize], f64::from(value));
            along.iter_mut().zip(lanes).for_each(|(along, lane)| *along += value * lane);
        }
        for (&column, &value) in columns.iter().zip(values) {
            let (lanes, value) = (&mut product[column as usize], f64::from(value));
            lanes.iter_mut().zip(&along).for_each(|(lane, along)| *lane += value * along);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::convert::Infallible;

    /// A matrix in memory.
    struct InMemory {
        columns: usize,
        parts: Vec<SparseRows>,
    }

    impl RowsInParts for InMemory {
        type Error = Infallible;

        fn columns(&self) -> usize {
            self.columns
        }

        fn parts(&self) -> usize {
            self.parts.len()
        }

        fn part(&self, number: usize) -> Result<Cow<'_, SparseRows>, Infallible> {
            Ok(Cow::Borrowed(&self.parts[number]))
        }
    }

    /// Rows with about `filled` entries each, in parts of 7; every fifth row is empty.
    fn sparse(rows: usize, columns: usize, filled: usize) -> InMemory {
        let mut parts = vec![SparseRows::default(); rows.div_ceil(7)];
        for row in 0..rows {
            let mut stream = Stream::new(11, "sparse", row as u64);
            let mut chosen: Vec<u32> = (0..filled).map(|_| stream.below(columns as u32)).collect();
            chosen.sort_unstable();
            chosen.dedup();
            // Some columns weigh more, as frequent words do.
            let values: Vec<f32> =
                chosen.iter().map(|&c| stream.unit_f32() / (1.0 + c as f32 / 10.0).sqrt()).collect();
            if row % 5 == 4 { parts[row / 7].push(&[], &[]) } else { parts[row / 7].push(&chosen, &values) }
        }
        InMemory { columns, parts }
    }

    fn dense(matrix: &InMemory) -> Matrix {
        let rows: Vec<Vec<f64>> = matrix
            .parts
            .iter()
            .flat_map(SparseRows::iter)
            .map(|(columns, values)| {
                let mut row = vec![0.0; matrix.columns];
                columns
                    .iter()
                    .zip(values)
                    .for_each(|(&column, &value)| row[column as usize] = f64::from(value));
                row
            })
            .collect();
        Matrix::from_rows(&rows)
    }

    fn svd(matrix: &InMemory, rank: usize) -> TruncatedSvd {
        TruncatedSvd::new(matrix, rank, 3).unwrap()
    }

    #[test]
    fn values_are_those_of_the_dense_matrix_and_vectors_are_orthonormal() {
        for (rows, columns, rank) in [(60, 40, 5), (200, 90, 20), (30, 150, 12), (40, 12, 12)] {
            let matrix = sparse(rows, columns, 8);
            let found = svd(&matrix, rank);
            let a = dense(&matrix);
            let exact = SymmetricEigen::new(&a.transposed_product(&a));
            assert_eq!(found.singular_values.len(), rank);
            for (i, (value, vector)) in found.singular_values.iter().zip(&found.vectors).enumerate() {
                let expected = exact.values[i].sqrt();
                assert!(
                    (value - expected).abs() < 1e-10 * expected,
                    "{rows}×{columns}, {i}: {value} {expected}"
                );
                for (j, other) in found.vectors.iter().enumerate() {
                    assert!((dot(vector, other) - f64::from(u8::from(i == j))).abs() < 1e-10);
                }
                let along: f64 = exact.vectors.row(i).iter().zip(vector).map(|(a, b)| a * b).sum();
                assert!(along > 1.0 - 1e-6, "{rows}×{columns}, vector {i}: {along}");
            }
        }
    }

    #[test]
    fn rows_projected_have_the_singular_values_as_their_lengths() {
        let matrix = sparse(100, 50, 6);
        let found = svd(&matrix, 4);
        let projection = found.projection();
        let mut squares = [0.0; 4];
        for part in &matrix.parts {
            let projected = projection.of(part);
            assert_eq!(projected.len(), part.len() * 4);
            projected
                .chunks(4)
                .for_each(|row| squares.iter_mut().zip(row).for_each(|(sum, x)| *sum += x * x));
        }
        for (sum, value) in squares.iter().zip(&found.singular_values) {
            assert!((sum.sqrt() - value).abs() < 1e-10, "{sum} {value}");
        }
    }

    #[test]
    fn a_matrix_of_low_rank_has_no_more_values_than_that() {
        let mut part = SparseRows::default();
        for row in 0..20 {
            let size = 1.0 + row as f32;
            part.push(&[0, 1, 2], &[size, size, size]);
            part.push(&[5, 6], &[1.0, -1.0]);
        }
        let matrix = InMemory { columns: 30, parts: vec![part] };
        let found = svd(&matrix, 10);
        assert_eq!(found.singular_values.len(), 2, "{:?}", found.singular_values);
        assert!((found.singular_values[0] - (3.0 * 2870.0_f64).sqrt()).abs() < 1e-9);
        assert!((found.singular_values[1] - 40.0_f64.sqrt()).abs() < 1e-9);
        assert!(found.vectors[0][0] > 0.57 && found.vectors[1][5] > 0.7);
    }

    #[test]
    fn equal_values_come_as_often_as_they_are() {
        let mut part = SparseRows::default();
        (0..40_u32).for_each(|row| part.push(&[row], &[1.0]));
        let found = svd(&InMemory { columns: 40, parts: vec![part] }, 6);
        assert_eq!(found.singular_values.len(), 6);
        assert!(found.singular_values.iter().all(|value| (value - 1.0).abs() < 1e-12));
    }

    #[test]
    fn nothing_has_no_values() {
        for matrix in
            [sparse(0, 10, 3), sparse(5, 0, 0), InMemory { columns: 4, parts: vec![SparseRows::default()] }]
        {
            assert_eq!(svd(&matrix, 3), TruncatedSvd::default());
        }
        assert_eq!(svd(&sparse(20, 20, 3), 0), TruncatedSvd::default());
    }

    #[test]
    fn the_bits_do_not_depend_on_threads() {
        let matrix = sparse(120, 80, 8);
        let on = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| svd(&matrix, 12))
        };
        assert_eq!(on(1), on(3));
    }
}
