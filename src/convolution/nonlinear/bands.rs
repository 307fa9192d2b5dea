//! Rows of outputs shared out in bands, each with the samples that its windows reach.

use super::super::border::{Border, Continued, Margins};
use super::super::sample::Sample;
use super::super::way::{Scratch, Worker};

/// Outputs that are worth another thread.
const THREAD_OUTPUTS: usize = 1 << 16;

/// Rows of windows over an image that the border continues.
pub(super) struct Windows<'a, T> {
    pub(super) input: &'a [T],
    /// Rows and columns, neither of them 0.
    pub(super) shape: (usize, usize),
    pub(super) border: Border,
    /// What the windows reach beyond the image.
    pub(super) margins: Margins,
}

/// The samples that a band of outputs needs, continued, in rows that begin `stride` apart.
pub(super) struct Band<'a, T> {
    pub(super) samples: &'a mut [T],
    pub(super) stride: usize,
    pub(super) outputs: &'a mut [T],
}

impl<T: Sample> Windows<'_, T> {
    /// Fills `output` band by band, `height` rows of outputs each, by as many threads as `scratch` allows and the image is
    /// worth. Bands begin at the same rows whatever the threads.
    pub(super) fn bands(
        &self,
        height: usize,
        output: &mut Vec<T>,
        scratch: &mut Scratch<T>,
        work: impl Fn(Band<'_, T>, &mut Worker<T>) + Sync,
    ) {
        let (rows, cols) = self.shape;
        output.resize(rows * cols, T::ZERO);
        let threads = scratch.threads.clamp(1, 1 + rows * cols / THREAD_OUTPUTS);
        let workers = &mut scratch.workers;
        if workers.len() < threads {
            workers.resize_with(threads, Worker::default);
        }
        let share = rows.div_ceil(height).div_ceil(threads) * height;
        let shares = output.chunks_mut(share * cols).zip(workers).enumerate();
        let task = |(i, (outputs, worker)): (usize, (&mut [T], &mut Worker<T>))| {
            for (band, outputs) in outputs.chunks_mut(height * cols).enumerate() {
                self.band(i * share + band * height, outputs, worker, &work);
            }
        };
        if threads == 1 {
            shares.for_each(task);
        } else {
            rayon::scope(|scope| shares.for_each(|share| scope.spawn(|_| task(share))));
        }
    }

    fn band(
        &self,
        first: usize,
        outputs: &mut [T],
        worker: &mut Worker<T>,
        work: &impl Fn(Band<'_, T>, &mut Worker<T>),
    ) {
        let (rows, cols) = self.shape;
        let Margins { top, bottom, left, right } = self.margins;
        let input = Continued { input: self.input, rows, cols, border: self.border, top, left };
        let stride = left + cols + right;
        let mut piece = std::mem::take(&mut worker.piece);
        piece.resize((top + outputs.len() / cols + bottom) * stride, T::ZERO);
        for (r, row) in piece.chunks_exact_mut(stride).enumerate() {
            input.copy_row(first + r, 0, row);
        }
        work(Band { samples: &mut piece, stride, outputs }, worker);
        worker.piece = piece;
    }
}
