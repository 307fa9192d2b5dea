//! The median of square windows.
//!
//! Windows of 3 and 5 are picked by comparisons alone, many at once. Other windows, and images with a NaN, replace samples
//! by their ranks and slide: the window is a set of ranks as bits, and the middle bit is never far from where it was
//! (Huang, Yang and Tang 1979, whose histogram of levels this is for samples that have no levels).

use super::super::border::{Border, Margins};
use super::super::kernel::{KernelError, check_size};
use super::super::kernels::check_taps;
use super::super::sample::Sample;
use super::super::way::Scratch;
use super::bands::{Band, Windows};
use crate::simd::{MEDIAN_SIDES, Outputs, Width, all_within, medians};

/// The median of square windows. Of an even number of samples it is the upper of the two middle ones, as in
/// `scipy.ndimage.median_filter`.
#[derive(Clone, Copy, Debug)]
pub struct Median {
    size: usize,
}

/// The least side of the blocks of outputs that share ranks.
const TILE: usize = 64;

impl Median {
    /// Windows of `size` by `size` samples. Fails where `size` is 0 or too large.
    pub fn new(size: usize) -> Result<Self, KernelError> {
        check_size(check_taps("median", size)?, size)?;
        Ok(Self { size })
    }

    /// Clears `output` and fills it row by row; an empty image gives an empty output. A NaN counts as larger than every
    /// number.
    ///
    /// # Panics
    /// Where `input` is not `rows * cols` samples long.
    pub fn apply<T: Sample>(
        self,
        input: &[T],
        (rows, cols): (usize, usize),
        border: Border,
        output: &mut Vec<T>,
        scratch: &mut Scratch<T>,
    ) {
        assert_eq!(input.len(), rows * cols, "an image of {rows} x {cols}");
        if input.is_empty() {
            return output.clear();
        }
        let before = self.size / 2;
        let after = self.size - 1 - before;
        let margins = Margins { top: before, bottom: after, left: before, right: after };
        let windows = Windows { input, shape: (rows, cols), border, margins };
        let width = Width::detect();
        let network = MEDIAN_SIDES.contains(&self.size);
        windows.bands(self.side(), output, scratch, |Band { samples, stride, outputs }, worker| {
            // Comparisons say nothing of a NaN.
            if network && all_within(width, samples, T::of(f64::INFINITY)) {
                let rows = outputs.len() / cols;
                let outputs = &mut Outputs { samples: outputs, stride: cols, rows, cols };
                medians(width, self.size, (samples, stride), &mut worker.sorted, outputs);
            } else {
                self.tiles(samples, stride, outputs);
            }
        });
    }

    /// Rows and columns of outputs that are computed together.
    fn side(self) -> usize {
        TILE.max(3 * self.size)
    }

    /// Block by block, so that the set of ranks stays small.
    fn tiles<T: Sample>(self, all: &[T], stride: usize, output: &mut [T]) {
        let cols = stride - (self.size - 1);
        let height = output.len() / cols;
        let mut ranks = Ranks::default();
        for left in (0..cols).step_by(self.side()) {
            let width = self.side().min(cols - left);
            ranks.rank(&all[left..], stride, (height + self.size - 1, width + self.size - 1));
            for row in 0..height {
                ranks.slide(row, self.size, &mut output[row * cols + left..][..width]);
            }
        }
    }
}

/// The samples of a block in order, the rank of each place in it, and the window as a set of places.
struct Ranks<T> {
    sorted: Vec<(T, u32)>,
    rank_of: Vec<u32>,
    width: usize,
    window: Vec<u64>,
    /// The word that held the median last, and how many of the window lie in the words before it.
    word: usize,
    before: usize,
}

impl<T> Default for Ranks<T> {
    fn default() -> Self {
        Self { sorted: Vec::new(), rank_of: Vec::new(), width: 0, window: Vec::new(), word: 0, before: 0 }
    }
}

impl<T: Sample> Ranks<T> {
    /// Ranks the samples of a block; equal ones stand in the order of their places.
    fn rank(&mut self, from: &[T], stride: usize, (height, width): (usize, usize)) {
        self.width = width;
        let rows = from.chunks(stride).take(height);
        let samples = rows.flat_map(|row| &row[..width]).copied();
        self.sorted.clear();
        self.sorted.extend(samples.zip(0..));
        self.sorted.sort_unstable_by(|(a, i), (b, j)| a.order(b).then(i.cmp(j)));
        self.rank_of.resize(self.sorted.len(), 0);
        for (rank, &(_, place)) in (0..).zip(&self.sorted) {
            self.rank_of[place as usize] = rank;
        }
        self.window.clear();
        self.window.resize(self.sorted.len().div_ceil(64), 0);
        (self.word, self.before) = (0, 0);
    }

    /// Writes the medians of the windows that begin in `row` of the block, and leaves the set empty.
    fn slide(&mut self, row: usize, size: usize, medians: &mut [T]) {
        let width = self.width;
        let column = |column: usize| (row..row + size).map(move |r| r * width + column);
        for place in (0..size - 1).flat_map(column) {
            self.put(place);
        }
        for (left, median) in medians.iter_mut().enumerate() {
            for place in column(left + size - 1) {
                self.put(place);
            }
            let rank = self.pick(size * size / 2);
            *median = self.sorted[rank].0;
            for place in column(left) {
                self.take(place);
            }
        }
        for place in (medians.len()..medians.len() + size - 1).flat_map(column) {
            self.take(place);
        }
    }

    fn put(&mut self, place: usize) {
        let rank = self.rank_of[place] as usize;
        self.window[rank / 64] |= 1 << (rank % 64);
        self.before += usize::from(rank / 64 < self.word);
    }

    fn take(&mut self, place: usize) {
        let rank = self.rank_of[place] as usize;
        self.window[rank / 64] &= !(1 << (rank % 64));
        self.before -= usize::from(rank / 64 < self.word);
    }

    /// The rank of which `count` others of the window come before.
    fn pick(&mut self, count: usize) -> usize {
        while self.before > count {
            self.word -= 1;
            self.before -= self.window[self.word].count_ones() as usize;
        }
        loop {
            let here = self.window[self.word].count_ones() as usize;
            if self.before + here > count {
                break;
            }
            self.before += here;
            self.word += 1;
        }
        let mut bits = self.window[self.word];
        for _ in self.before..count {
            bits &= bits - 1;
        }
        self.word * 64 + bits.trailing_zeros() as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn median(size: usize, input: &[f64], cols: usize, border: Border) -> Vec<f64> {
        let mut output = Vec::new();
        let shape = (input.len() / cols, cols);
        Median::new(size).unwrap().apply(input, shape, border, &mut output, &mut Scratch::new());
        output
    }

    #[test]
    fn the_window_and_its_middle_are_those_of_scipy() {
        // scipy.ndimage.median_filter(numpy.array(rows), size, mode = "reflect")
        let rows = [9., 4., 1., 2., 1., 1., 1., 0., 1., 2., 1., 0.];
        assert_eq!(median(1, &rows, 4, Border::Reflect), rows);
        assert_eq!(median(2, &rows, 4, Border::Reflect), [9., 9., 4., 2., 9., 4., 1., 1., 1., 1., 1., 1.]);
        assert_eq!(median(3, &rows, 4, Border::Reflect), [4., 1., 1., 1., 1., 1., 1., 1., 1., 1., 1., 0.]);
    }

    #[test]
    fn it_is_the_middle_of_the_sorted_window() {
        // More than one block each way, with ties, NaN and infinity.
        let (rows, cols) = (70, 131);
        let mut image: Vec<f64> = (0..rows * cols).map(|i| f64::from((i * i * 7919 % 251) as u32)).collect();
        image[500] = f64::INFINITY;
        for missing in [false, true] {
            if missing {
                image[777] = f64::NAN;
            }
            for size in [2, 3, 4, 5, 7, 12] {
                let found = median(size, &image, cols, Border::Mirror);
                let far = (size / 2) as isize;
                for (i, found) in found.iter().enumerate() {
                    let mut window: Vec<f64> = (0..size * size)
                        .filter_map(|k| {
                            let (dy, dx) = ((k / size) as isize - far, (k % size) as isize - far);
                            let row = Border::Mirror.position((i / cols) as isize + dy, rows)?;
                            Some(
                                image
                                    [row * cols + Border::Mirror.position((i % cols) as isize + dx, cols)?],
                            )
                        })
                        .collect();
                    window.sort_unstable_by(f64::total_cmp);
                    assert_eq!(*found, window[size * size / 2], "{size} at {i}");
                }
            }
        }
    }

    #[test]
    fn a_lone_spike_goes_and_a_lone_nan_too() {
        for spike in [1e9, f64::NAN] {
            let mut flat = [2.0; 25];
            flat[12] = spike;
            assert_eq!(median(3, &flat, 5, Border::Constant)[6..9], [2.0; 3]);
        }
    }

    #[test]
    fn windows_larger_than_the_image_and_empty_images() {
        assert_eq!(median(9, &[3.0], 1, Border::Mirror), [3.0]);
        assert_eq!(median(9, &[3.0], 1, Border::Constant), [0.0]);
        assert!(median(3, &[], 4, Border::Wrap).is_empty());
        assert!(Median::new(0).is_err() && Median::new(1 << 12).is_err());
    }
}
