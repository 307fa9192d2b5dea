//! The direct way: every output is the sum of taps times samples, in one fixed order.
//!
//! There is no edge here: the input has been continued by its border, so that output `(i, j)` is the sum over the
//! window whose first sample is `(i, j)`. One row of taps makes it the filter of a signal; a row and then a column
//! make it the separable way.

use super::kernel::Kernel2d;
use super::sample::Sample;

/// Outputs computed together. Each keeps its own sum and adds its taps in the same order as one output alone
/// does, so the number changes the speed and no bit of the result.
const LANES: usize = 16;

/// Taps as the loops read them: row by row in the order of a correlation, in the type of the samples.
#[derive(Clone, Debug)]
pub(super) struct Stencil<T> {
    pub(super) rows: usize,
    pub(super) cols: usize,
    pub(super) taps: Vec<T>,
}

/// Samples in rows that start `stride` apart.
#[derive(Clone, Copy)]
pub(super) struct Plane<'a, T> {
    pub(super) samples: &'a [T],
    pub(super) stride: usize,
}

/// The part of an output plane that is to be written: `rows` by `cols` samples, its rows `stride` apart.
pub(super) struct Target<'a, T> {
    pub(super) samples: &'a mut [T],
    pub(super) stride: usize,
    pub(super) rows: usize,
    pub(super) cols: usize,
}

impl<T: Sample> Stencil<T> {
    /// The taps of `kernel`, turned by half a turn where they are to convolve.
    pub(super) fn new(kernel: &Kernel2d, flip: bool) -> Self {
        let (rows, cols) = kernel.shape();
        let mut taps: Vec<T> = kernel.taps().iter().map(|&tap| T::of(tap)).collect();
        if flip {
            taps.reverse();
        }
        Self { rows, cols, taps }
    }

    /// Writes the correlation of `input` with the taps; `input` has `rows - 1` and `cols - 1` more than `target`.
    pub(super) fn correlate(&self, input: Plane<'_, T>, target: &mut Target<'_, T>) {
        let rows = target.samples.chunks_mut(target.stride).take(target.rows);
        for (r, row) in rows.enumerate() {
            let windows = Plane { samples: &input.samples[r * input.stride..], ..input };
            let (blocks, rest) = row[..target.cols].as_chunks_mut::<LANES>();
            let first_of_rest = blocks.len() * LANES;
            for (b, block) in blocks.iter_mut().enumerate() {
                *block = self.sums(windows, b * LANES);
            }
            for (c, value) in rest.iter_mut().enumerate() {
                [*value] = self.sums(windows, first_of_rest + c);
            }
        }
    }

    /// The sums of `N` windows side by side, the first of which starts at column `c`.
    #[inline]
    fn sums<const N: usize>(&self, input: Plane<'_, T>, c: usize) -> [T; N] {
        let mut sums = [T::ZERO; N];
        for (k, taps) in self.taps.chunks_exact(self.cols).enumerate() {
            let line = &input.samples[k * input.stride + c..][..self.cols + N - 1];
            for (&tap, window) in taps.iter().zip(line.array_windows::<N>()) {
                for (sum, &x) in sums.iter_mut().zip(window) {
                    *sum += tap * x;
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
    fn the_worked_example() {
        let rows = [
            9., 4., 1., 2., 2., 1., 1., 1., 0., 4., 1., 2., 1., 0., 6., 1., 0., 0., 2., 2., 9., 6., 7., 4.,
            4.,
        ];
        let kernel = Kernel2d::new(3, 3, vec![0., 2., 1., 4., 1., 0., 1., 0., 1.]).unwrap();
        let mut output = [0.0_f64; 9];
        let mut target = Target { samples: &mut output, stride: 3, rows: 3, cols: 3 };
        Stencil::new(&kernel, false).correlate(Plane { samples: &rows, stride: 5 }, &mut target);
        assert_eq!(output[0], 16.0);
    }

    #[test]
    fn an_output_has_the_same_bits_in_a_block_and_alone() {
        let samples: Vec<f32> = (0..60).map(|i| libm::sinf(i as f32 * 12.9) * 43.7).collect();
        let kernel = Kernel2d::new(1, 9, (1..10).map(|i| 1.0 / f64::from(i)).collect()).unwrap();
        let stencil = Stencil::<f32>::new(&kernel, true);
        let block: [f32; LANES] = stencil.sums(Plane { samples: &samples, stride: 60 }, 3);
        for (c, value) in block.iter().enumerate() {
            let [alone] = stencil.sums(Plane { samples: &samples, stride: 60 }, 3 + c);
            assert_eq!(alone.to_bits(), value.to_bits());
        }
    }
}
