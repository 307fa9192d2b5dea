//! The way of a box: equal taps, so that every output is a sum of neighbours.
//!
//! Along a row the sums of 2, 4, 8 .. neighbours are built on each other. Down the columns every output is the end of one
//! block of rows and the beginning of the next, both running sums. Nothing is ever taken away, so a sum has neither the
//! rounding of an earlier one nor a NaN that is no longer under the taps.

use super::border::Continued;
use super::direct::Region;
use super::kernel::Kernel2d;
use super::sample::Sample;
use crate::simd::{Outputs, Width, add_rows, add_running, scale, window_sums};

/// Outputs of a row that are computed together, at least.
const STRETCH: usize = 4096;

/// Rows of outputs that are computed together, at least.
const BAND: usize = 64;

/// A kernel whose taps are all the same.
#[derive(Clone, Copy, Debug)]
pub(super) struct Running<T> {
    width: Width,
    rows: usize,
    cols: usize,
    tap: T,
}

/// Working memory of running sums.
#[derive(Clone, Debug, Default)]
pub(super) struct Sums<T> {
    line: Vec<T>,
    spare: Vec<T>,
    rows: Vec<T>,
    ends: Vec<T>,
    sum: Vec<T>,
}

impl<T: Sample> Running<T> {
    /// The sums for `kernel`, or `None` where its taps differ.
    pub(super) fn new(width: Width, kernel: &Kernel2d) -> Option<Self> {
        let (rows, cols) = kernel.shape();
        let tap = *kernel.taps().first()?;
        kernel.taps().iter().all(|&other| other == tap).then(|| Self { width, rows, cols, tap: T::of(tap) })
    }

    /// Writes the outputs of `region` to `outputs`, which has its shape.
    pub(super) fn run(
        &self,
        input: &Continued<'_, T>,
        region: Region,
        outputs: &mut Outputs<'_, T>,
        sums: &mut Sums<T>,
    ) {
        let stride = outputs.stride;
        if self.rows == 1 {
            for (r, row) in outputs.samples.chunks_mut(stride).take(region.rows).enumerate() {
                self.along(input, region.row + r, region.col, &mut row[..region.cols], sums);
            }
            return;
        }
        let band = BAND.max(self.rows);
        for first in (region.row..region.row + region.rows).step_by(band) {
            let rows = band.min(region.row + region.rows - first);
            let samples = &mut outputs.samples[(first - region.row) * stride..];
            self.band(input, Region { row: first, rows, ..region }, samples, stride, sums);
        }
    }

    /// A band of rows: the sums along each row that its windows reach, then those down the columns.
    fn band(
        &self,
        input: &Continued<'_, T>,
        region: Region,
        to: &mut [T],
        stride: usize,
        sums: &mut Sums<T>,
    ) {
        let Region { row: first, col, rows, cols } = region;
        let mut across = std::mem::take(&mut sums.rows);
        across.resize((rows + self.rows - 1) * cols, T::ZERO);
        for (r, line) in across.chunks_exact_mut(cols).enumerate() {
            self.along(input, first + r, col, line, sums);
        }
        let line = |r: usize| &across[r * cols..][..cols];
        sums.ends.resize(self.rows * cols, T::ZERO);
        sums.sum.resize(cols, T::ZERO);
        // Blocks of rows begin at multiples of the window, so that an output does not depend on the bands.
        let mut block = first - first % self.rows;
        while block < first + rows {
            let from = block.max(first);
            // The sums from each row to the end of the block.
            for row in (from..block + self.rows).rev() {
                let (below, rest) = (row + 1 - block, row - block);
                if below == self.rows {
                    sums.ends[rest * cols..][..cols].copy_from_slice(line(row - first));
                } else {
                    let (head, tail) = sums.ends.split_at_mut(below * cols);
                    add_rows(self.width, line(row - first), &tail[..cols], &mut head[rest * cols..]);
                }
            }
            sums.sum.fill(T::ZERO);
            if from > block {
                // Rows of the next block that the first output of this band reaches already.
                for row in block + self.rows..from + self.rows - 1 {
                    let (sum, spare) = (&mut sums.sum, &mut sums.line);
                    spare.resize(cols, T::ZERO);
                    add_running(self.width, sum, line(row - first), line(row - first), &mut spare[..cols]);
                }
            }
            for row in from..(block + self.rows).min(first + rows) {
                let out = &mut to[(row - first) * stride..][..cols];
                let ends = &sums.ends[(row - block) * cols..][..cols];
                if row == block {
                    out.copy_from_slice(ends);
                } else {
                    add_running(self.width, &mut sums.sum, line(row + self.rows - 1 - first), ends, out);
                }
            }
            block += self.rows;
        }
        sums.rows = across;
    }

    /// The sums along one row, each sample times the tap first, so that a sum is as large as the output and no larger.
    fn along(&self, input: &Continued<'_, T>, row: usize, col: usize, to: &mut [T], sums: &mut Sums<T>) {
        let stretch = STRETCH.max(4 * self.cols);
        for (i, to) in to.chunks_mut(stretch).enumerate() {
            let len = to.len() + self.cols - 1;
            sums.line.resize(len, T::ZERO);
            sums.spare.resize(len, T::ZERO);
            input.copy_row(row, col + i * stretch, &mut sums.spare);
            scale(self.width, &sums.spare, self.tap, &mut sums.line);
            window_sums(self.width, &mut sums.line, &mut sums.spare, self.cols, to);
        }
    }
}
