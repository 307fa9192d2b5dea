//! Contours: one value a frame, over the time of a clip.

use std::io;

use crate::convolution::{Border, Filter1d, Kernel1d, KernelError, Scratch};
use crate::math::statistics;
use crate::simd::{Width, add_rows, add_squared_distances};

/// A moving average over an odd number of frames; at its ends a contour goes on as its last value.
#[derive(Clone)]
pub struct Smoother {
    filter: Filter1d<f32>,
}

impl Smoother {
    /// Averages over about `seconds`, at least one frame. The frames follow each other every `frame_seconds`.
    pub fn new(seconds: f64, frame_seconds: f64) -> Result<Self, KernelError> {
        let half = (seconds / frame_seconds / 2.0).floor() as usize;
        Ok(Self { filter: Filter1d::new(&Kernel1d::boxcar(2 * half + 1)?, Border::Nearest) })
    }

    /// Writes the smoothed contour, as long as `contour`.
    pub fn apply(&self, contour: &[f32], smoothed: &mut Vec<f32>, scratch: &mut Scratch<f32>) {
        self.filter.apply(contour, smoothed, scratch);
    }
}

/// Mean and population standard deviation of a contour, `None` where it has no values; `copy` is overwritten.
#[must_use]
pub fn moments(values: impl Iterator<Item = f32>, copy: &mut Vec<f64>) -> [Option<f64>; 2] {
    copy.clear();
    copy.extend(values.map(f64::from));
    [statistics::mean(copy), statistics::population_sd(copy)]
}

/// [`moments`] of each column of a row-major matrix, row by row; `copy` is overwritten.
pub fn column_moments(matrix: &[f32], columns: usize, copy: &mut Vec<f64>, values: &mut Vec<Option<f64>>) {
    let mut moments = ColumnMoments::new(columns, copy);
    moments.add(matrix);
    moments.end_sums();
    moments.add_squares(matrix);
    moments.push(values);
}

/// [`column_moments`] of a matrix whose pieces `pieces` hands over, the same ones each time.
pub fn moments_of_pieces(
    columns: usize,
    copy: &mut Vec<f64>,
    values: &mut Vec<Option<f64>>,
    mut pieces: impl FnMut(&mut dyn FnMut(&[f32])) -> io::Result<()>,
) -> io::Result<()> {
    let mut moments = ColumnMoments::new(columns, copy);
    pieces(&mut |rows| moments.add(rows))?;
    moments.end_sums();
    pieces(&mut |rows| moments.add_squares(rows))?;
    moments.push(values);
    Ok(())
}

/// [`column_moments`] of a matrix that comes in pieces of whole rows, and comes twice: first for the means, then for the
/// deviations. However it is cut, they are the same.
pub struct ColumnMoments<'a> {
    columns: usize,
    rows: usize,
    /// The sums, then the means; after them the sums of squares.
    sums: &'a mut Vec<f64>,
}

impl<'a> ColumnMoments<'a> {
    /// Begins a matrix of so many columns; `copy` is overwritten.
    pub fn new(columns: usize, copy: &'a mut Vec<f64>) -> Self {
        copy.clear();
        copy.resize(2 * columns, 0.0);
        Self { columns, rows: 0, sums: copy }
    }

    /// Takes the next rows for the means.
    pub fn add(&mut self, rows: &[f32]) {
        add_rows(Width::detect(), rows, &mut self.sums[..self.columns]);
        self.rows += rows.len() / self.columns.max(1);
    }

    /// Every row was taken once.
    pub fn end_sums(&mut self) {
        for mean in &mut self.sums[..self.columns] {
            *mean /= self.rows as f64;
        }
    }

    /// Takes the next rows for the deviations.
    pub fn add_squares(&mut self, rows: &[f32]) {
        let (means, squares) = self.sums.split_at_mut(self.columns);
        add_squared_distances(Width::detect(), rows, means, squares);
    }

    /// Appends mean and deviation of each column.
    pub fn push(self, values: &mut Vec<Option<f64>>) {
        let rows = self.rows;
        let (means, squares) = self.sums.split_at(self.columns);
        for (mean, squares) in means.iter().zip(squares) {
            let both = [*mean, (squares / rows as f64).sqrt()];
            values.extend(both.map(|moment| (rows > 0).then_some(moment)));
        }
    }
}

/// The value at `share` (0 to 1) of a contour in order of size, `None` where it has no values; `copy` is overwritten.
#[must_use]
pub fn percentile(values: impl Iterator<Item = f32>, share: f64, copy: &mut Vec<f64>) -> Option<f64> {
    copy.clear();
    copy.extend(values.map(f64::from));
    copy.sort_unstable_by(f64::total_cmp);
    statistics::percentile_of_sorted(copy, share)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn smoothing_keeps_the_mean_level_and_the_length() {
        let smoother = Smoother::new(0.05, 0.01).unwrap();
        let mut smoothed = Vec::new();
        let mut scratch = Scratch::default();
        smoother.apply(&[0.0, 0.0, 0.0, 5.0, 0.0, 0.0, 0.0], &mut smoothed, &mut scratch);
        let expected = [0.0, 1.0, 1.0, 1.0, 1.0, 1.0, 0.0];
        assert!(smoothed.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-6));
        smoother.apply(&[-30.0; 2], &mut smoothed, &mut scratch);
        assert!(smoothed.len() == 2 && smoothed.iter().all(|level| (level + 30.0).abs() < 1e-4));
        smoother.apply(&[], &mut smoothed, &mut scratch);
        assert!(smoothed.is_empty());
    }

    #[test]
    fn columns_have_the_moments_of_contours() {
        let matrix: Vec<f32> = (0..21).map(|i| (i * 7 % 11) as f32 * 0.3).collect();
        let (mut copy, mut values, mut expected) = (Vec::new(), Vec::new(), Vec::new());
        column_moments(&matrix, 3, &mut copy, &mut values);
        (0..3).for_each(|c| expected.extend(moments(matrix.iter().skip(c).step_by(3).copied(), &mut copy)));
        assert_eq!(values, expected);
        values.clear();
        column_moments(&[], 2, &mut copy, &mut values);
        assert_eq!(values, [None; 4]);
        column_moments(&[], 0, &mut copy, &mut values);
        assert_eq!(values.len(), 4);
    }

    #[test]
    fn contours_are_summarised_as_populations() {
        let mut copy = Vec::new();
        assert_eq!(moments([1.0, 3.0].into_iter(), &mut copy), [Some(2.0), Some(1.0)]);
        assert_eq!(moments(std::iter::empty(), &mut copy), [None; 2]);
        assert_eq!(percentile([4.0, 1.0, 2.0].into_iter(), 0.5, &mut copy), Some(2.0));
        assert_eq!(percentile(std::iter::empty(), 0.5, &mut copy), None);
    }
}
