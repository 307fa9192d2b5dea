//! The way through the Fourier transform: overlap-save, in one and two dimensions.
//!
//! The output is cut into tiles; the part of the input under a tile is transformed, multiplied by the spectrum of
//! the taps and transformed back. A tile is a transform of one dimension whatever its shape: with the taps laid
//! out at the row distance of the tile, the windows that lie inside the tile read the same samples row after row
//! as they do in two dimensions, and only windows across its edge, which are thrown away, read others.
//!
//! A transform mixes every sample of its tile into every output, so one NaN would spread over the tile. A tile
//! with a sample that is not finite, or so large that a sum inside the transform could overflow, is therefore
//! computed the direct way.

use super::direct::{Plane, Stencil, Target};
use super::fourier::{Complex, FftScratch, RealFft};
use super::kernel::Kernel2d;
use super::sample::Sample;

/// Working memory for tiles.
#[derive(Clone, Debug, Default)]
pub(super) struct TileScratch<T> {
    tile: Vec<T>,
    spectrum: Vec<Complex<T>>,
    fft: FftScratch<T>,
}

/// Taps with their spectrum for tiles of one shape.
#[derive(Clone, Debug)]
pub(super) struct Transform<T> {
    stencil: Stencil<T>,
    tile_rows: usize,
    tile_cols: usize,
    fft: RealFft<T>,
    /// Conjugate spectrum of the taps over the transform's length.
    spectrum: Vec<Complex<T>>,
    /// The largest magnitude a sample may have.
    limit: T,
}

impl<T: Sample> Transform<T> {
    /// Plans tiles for these taps, turned by half a turn where they are to convolve.
    pub(super) fn new(kernel: &Kernel2d, flip: bool) -> Self {
        let exact = Stencil::<f64>::new(kernel, flip);
        let (tile_rows, tile_cols) = tile_shape(exact.rows, exact.cols);
        let len = tile_rows * tile_cols;
        // In f64 for either sample type: it is done once, and halves the error of the f32 way.
        let plan = RealFft::<f64>::new(len);
        let mut tile = vec![0.0; len];
        for (row, taps) in tile.chunks_exact_mut(tile_cols).zip(exact.taps.chunks_exact(exact.cols)) {
            row[..exact.cols].copy_from_slice(taps);
        }
        let mut spectrum = vec![Complex::default(); plan.bins()];
        plan.forward(&mut tile, &mut spectrum, &mut plan.scratch());
        let scaled: Vec<Complex<f64>> = spectrum.iter().map(|bin| bin.conj() / len as f64).collect();

        // |X| <= len max|x|, and an output before it is final <= len max|X H|; the 4 leaves room for rounding.
        let gain = scaled.iter().fold(0.0_f64, |gain, bin| gain.max(bin.norm()));
        let limit = T::of(T::LARGEST / (4.0 * len as f64 * (len as f64 * gain).max(1.0)));
        let spectrum = scaled.iter().map(|bin| Complex::new(T::of(bin.re), T::of(bin.im))).collect();
        let stencil = Stencil::new(kernel, flip);
        Self { stencil, tile_rows, tile_cols, fft: RealFft::new(len), spectrum, limit }
    }

    /// Writes the correlation of `input` with the taps, as [`Stencil::correlate`] does.
    pub(super) fn correlate(
        &self,
        input: Plane<'_, T>,
        target: &mut Target<'_, T>,
        work: &mut TileScratch<T>,
    ) {
        let (step_rows, step_cols) =
            (self.tile_rows - self.stencil.rows + 1, self.tile_cols - self.stencil.cols + 1);
        for r in (0..target.rows).step_by(step_rows) {
            for c in (0..target.cols).step_by(step_cols) {
                let rows = step_rows.min(target.rows - r);
                let cols = step_cols.min(target.cols - c);
                let tile = Plane { samples: &input.samples[r * input.stride + c..], ..input };
                let samples = &mut target.samples[r * target.stride + c..];
                self.tile(tile, &mut Target { samples, stride: target.stride, rows, cols }, work);
            }
        }
    }

    /// One tile of output.
    fn tile(&self, input: Plane<'_, T>, target: &mut Target<'_, T>, work: &mut TileScratch<T>) {
        work.tile.clear();
        work.tile.resize(self.tile_rows * self.tile_cols, T::ZERO);
        let (rows, cols) = (target.rows + self.stencil.rows - 1, target.cols + self.stencil.cols - 1);
        let mut tame = true;
        for (r, row) in work.tile.chunks_exact_mut(self.tile_cols).take(rows).enumerate() {
            let samples = &input.samples[r * input.stride..][..cols];
            tame &= samples.iter().all(|x| x.abs() <= self.limit);
            row[..cols].copy_from_slice(samples);
        }
        if !tame {
            self.stencil.correlate(input, target);
            return;
        }
        work.spectrum.resize(self.fft.bins(), Complex::new(T::ZERO, T::ZERO));
        self.fft.forward(&mut work.tile, &mut work.spectrum, &mut work.fft);
        for (bin, &gain) in work.spectrum.iter_mut().zip(&self.spectrum) {
            *bin = *bin * gain;
        }
        self.fft.inverse(&mut work.spectrum, &mut work.tile, &mut work.fft);
        let rows = target.samples.chunks_mut(target.stride).take(target.rows);
        for (row, values) in rows.zip(work.tile.chunks_exact(self.tile_cols)) {
            row[..target.cols].copy_from_slice(&values[..target.cols]);
        }
    }
}

/// Rows and columns of the tiles for a kernel; the blocks for one row of taps were chosen by timing.
fn tile_shape(rows: usize, cols: usize) -> (usize, usize) {
    if rows > 1 {
        return (side(rows), side(cols));
    }
    let block = match cols {
        ..=200 => 1024,
        201..=512 => 2048,
        513..=2000 => 4096,
        _ => (4 * cols).next_power_of_two().max(1 << 17),
    };
    (1, block)
}

/// One side of a tile: about eight kernels, between 64 and 512, but never under two kernels.
fn side(taps: usize) -> usize {
    (8 * taps).next_power_of_two().clamp(64, 512).max((2 * taps).next_power_of_two())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The whole valid correlation of a signal or image by one way or the other.
    fn correlate(kernel: &Kernel2d, samples: &[f64], stride: usize, transform: bool) -> Vec<f64> {
        let (rows, cols) = (samples.len() / stride + 1 - kernel.shape().0, stride + 1 - kernel.shape().1);
        let mut output = vec![0.0; rows * cols];
        let mut target = Target { samples: &mut output, stride: cols, rows, cols };
        let input = Plane { samples, stride };
        if transform {
            Transform::new(kernel, true).correlate(input, &mut target, &mut TileScratch::default());
        } else {
            Stencil::new(kernel, true).correlate(input, &mut target);
        }
        output
    }

    fn noise(len: usize) -> Vec<f64> {
        (0..len).map(|i| libm::sin(i as f64 * 78.233) * 43_758.545 % 1.0).collect()
    }

    #[test]
    fn tiles_meet_without_a_seam() {
        for (rows, cols, height, width) in
            [(1, 70, 1, 5000), (3, 5, 100, 200), (70, 1, 300, 9), (2, 150, 4, 1100)]
        {
            let kernel = Kernel2d::new(rows, cols, noise(rows * cols)).unwrap();
            let samples = noise(height * width);
            let direct = correlate(&kernel, &samples, width, false);
            let transformed = correlate(&kernel, &samples, width, true);
            for (i, (a, b)) in direct.iter().zip(&transformed).enumerate() {
                assert!((a - b).abs() < 1e-12, "{rows} x {cols}, output {i}: {a} and {b}");
            }
        }
    }

    #[test]
    fn what_is_not_finite_stays_under_the_taps() {
        let kernel = Kernel2d::new(1, 70, vec![1.0; 70]).unwrap();
        for wild in [f64::NAN, f64::INFINITY, f64::MAX] {
            let mut samples = noise(3000);
            samples[1000] = wild;
            let output = correlate(&kernel, &samples, 3000, true);
            for (i, value) in output.iter().enumerate() {
                let touched = (931..=1000).contains(&i);
                assert_eq!(value.abs() > 1e300 || value.is_nan(), touched, "{wild} at output {i}");
            }
        }
    }

    #[test]
    fn a_tile_holds_at_least_two_kernels() {
        for (rows, cols) in [(1, 1), (1, 2000), (1, 2001), (1, 1 << 22), (2, 1 << 21), (2048, 2048), (33, 1)]
        {
            let (tile_rows, tile_cols) = tile_shape(rows, cols);
            assert!((rows == 1 || tile_rows >= 2 * rows) && tile_cols >= 2 * cols);
        }
    }
}
