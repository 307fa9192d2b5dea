//! The direct way: every output is the sum of taps times samples, in one fixed order.
//!
//! Windows inside the input are read where they stand. Those that reach across an edge are computed from pieces of the
//! input continued by its border, a few rows or columns at a time. One row of taps makes it the filter of a signal; a row
//! and then a column make it the separable way.

use super::border::Continued;
use super::kernel::Kernel2d;
use super::sample::Sample;
use crate::simd::{Outputs, Stencil, Width, correlate};

/// Rows of outputs that are computed together at least, so that what the inside has read is still in the cache for the edges.
const BAND: usize = 16;

/// Columns of outputs at an edge that are computed at least: what a register holds.
const EDGE_COLS: usize = 16;

/// A rectangle of outputs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Region {
    pub(super) row: usize,
    pub(super) col: usize,
    pub(super) rows: usize,
    pub(super) cols: usize,
}

/// Taps as the loops read them: row by row in the order of a correlation, in the type of the samples.
#[derive(Clone, Debug)]
pub(super) struct Direct<T> {
    pub(super) width: Width,
    pub(super) rows: usize,
    pub(super) cols: usize,
    pub(super) taps: Vec<T>,
}

impl<T: Sample> Direct<T> {
    /// The taps of `kernel`, turned by half a turn where they are to convolve.
    pub(super) fn new(width: Width, kernel: &Kernel2d, flip: bool) -> Self {
        let (rows, cols) = kernel.shape();
        let mut taps: Vec<T> = kernel.taps().iter().map(|&tap| T::of(tap)).collect();
        if flip {
            taps.reverse();
        }
        Self { width, rows, cols, taps }
    }

    /// Writes the outputs of `region` to `outputs`, which has its shape.
    pub(super) fn run(
        &self,
        input: &Continued<'_, T>,
        region: Region,
        outputs: &mut Outputs<'_, T>,
        piece: &mut Vec<T>,
    ) {
        let within = |(first, end): (usize, usize), from: usize, len: usize| {
            let first = first.clamp(from, from + len);
            (first - from, end.clamp(first, from + len) - from)
        };
        let (top, bottom) = within(input.inner_rows(self.rows), region.row, region.rows);
        let (left, right) = within(input.inner_cols(self.cols), region.col, region.cols);
        if top == bottom || left == right {
            return self.edge(input, region, outputs, (0, 0), (region.rows, region.cols), piece);
        }
        let Region { row, col, rows, cols } = region;
        self.edge(input, region, outputs, (0, 0), (top, cols), piece);
        self.edge(input, region, outputs, (bottom, 0), (rows - bottom, cols), piece);
        let band = self.band();
        for first in (top..bottom).step_by(band) {
            let height = band.min(bottom - first);
            let stencil = self.stencil(input.from(row + first, col + left), input.cols);
            let mut inside = part(outputs, (first, left), (height, right - left));
            correlate(self.width, &stencil, &mut inside, false);
            // An edge narrower than a register takes outputs of the inside with it, which come out the same.
            if left > 0 {
                let edge = left.max(EDGE_COLS).min(cols);
                self.edge(input, region, outputs, (first, 0), (height, edge), piece);
            }
            if right < cols {
                let edge = (cols - right).max(EDGE_COLS).min(cols);
                self.edge(input, region, outputs, (first, cols - edge), (height, edge), piece);
            }
        }
    }

    /// A part of the region whose windows may reach across an edge.
    fn edge(
        &self,
        input: &Continued<'_, T>,
        region: Region,
        outputs: &mut Outputs<'_, T>,
        (first, left): (usize, usize),
        (rows, cols): (usize, usize),
        piece: &mut Vec<T>,
    ) {
        if rows == 0 || cols == 0 {
            return;
        }
        let stride = cols + self.cols - 1;
        for band in (first..first + rows).step_by(self.band()) {
            let height = self.band().min(first + rows - band);
            piece.resize((height + self.rows - 1) * stride, T::ZERO);
            for (r, row) in piece.chunks_exact_mut(stride).enumerate() {
                input.copy_row(region.row + band + r, region.col + left, row);
            }
            let mut outputs = part(outputs, (band, left), (height, cols));
            correlate(self.width, &self.stencil(piece, stride), &mut outputs, false);
        }
    }

    /// Rows of outputs that are computed together: few, but so many that the rows that two bands share do not count.
    fn band(&self) -> usize {
        BAND.max(4 * self.rows)
    }

    const fn stencil<'a>(&'a self, input: &'a [T], stride: usize) -> Stencil<'a, T> {
        Stencil { taps: self.taps.as_slice(), rows: self.rows, cols: self.cols, input, stride }
    }
}

/// A rectangle of outputs from this row and column on.
pub(super) fn part<'a, T>(
    outputs: &'a mut Outputs<'_, T>,
    (row, col): (usize, usize),
    (rows, cols): (usize, usize),
) -> Outputs<'a, T> {
    let stride = outputs.stride;
    Outputs { samples: &mut outputs.samples[row * stride + col..], stride, rows, cols }
}
