//! The way of a box: equal taps, so that every output is a sum of neighbours.
//!
//! Along a row the sums of 2, 4, 8 .. neighbours are built on each other. Down the columns every output is the end of one
//! block of rows and the beginning of the next, both running sums. Nothing is ever taken away, so a sum has neither the
//! rounding of an earlier one nor a NaN that is no longer under the taps.

use super::border::Continued;
use super::direct::{Region, part};
use super::kernel::Kernel2d;
use super::sample::Sample;
use crate::simd::{Buffer, Outputs, Stack, Width, column_sums, window_sums};

/// Rows of outputs that are computed together, so that their sums along the rows stay in the second cache.
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
    levels: Buffer<T>,
    strip: Buffer<T>,
    ends: Buffer<T>,
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
        if self.rows == 1 {
            for (r, row) in outputs.samples.chunks_mut(outputs.stride).take(region.rows).enumerate() {
                self.along(input, region.row + r, region.col, &mut row[..region.cols], sums);
            }
            return;
        }
        // Rows that begin with a line of the cache, and not at the same place of a page.
        let stride = region.cols.next_multiple_of(16) + 16;
        let kept = self.rows - 1;
        let mut strip = std::mem::take(&mut sums.strip);
        strip.resize((BAND.min(region.rows) + kept) * stride);
        for band in (0..region.rows).step_by(BAND) {
            let rows = BAND.min(region.rows - band);
            let have = if band == 0 { 0 } else { kept };
            if have > 0 {
                strip.copy_within(BAND * stride..(BAND + kept) * stride, 0);
            }
            for r in have..rows + kept {
                let to = &mut strip[r * stride..][..region.cols];
                self.along(input, region.row + band + r, region.col, to, sums);
            }
            // Blocks begin at multiples of the window, so that an output does not depend on the region.
            let phase = (region.row + band) % self.rows;
            let stack = Stack { rows: &strip, stride, window: self.rows, phase };
            let mut outputs = part(outputs, (band, 0), (rows, region.cols));
            column_sums(self.width, &stack, &mut sums.ends, &mut outputs);
        }
        sums.strip = strip;
    }

    /// The sums along one row.
    fn along(&self, input: &Continued<'_, T>, row: usize, col: usize, to: &mut [T], sums: &mut Sums<T>) {
        let Sums { line, levels, .. } = sums;
        line.resize(to.len() + self.cols - 1, T::ZERO);
        input.copy_row(row, col, line);
        window_sums(self.width, line, self.tap, self.cols, levels, to);
    }
}
