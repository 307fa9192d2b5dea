//! The median filter: not a convolution, but run over the same windows with the same borders.

use super::border::{Border, Margins, extend};
use super::kernel::{KernelError, check_size};
use super::sample::Sample;
use super::way::Scratch;

/// The median of square windows. A window of even size reaches one sample further up and left than down and right,
/// and its median is the upper of the two middle values, both as in `scipy.ndimage.median_filter`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Median {
    size: usize,
}

impl Median {
    /// A window of `size` by `size` samples, at least 1.
    pub(super) fn new(size: usize) -> Result<Self, KernelError> {
        check_size(size, size)?;
        if size == 0 {
            return Err(KernelError::Needs { kernel: "median", needs: "a size of at least 1".to_owned() });
        }
        Ok(Self { size })
    }

    /// Fills `output` with the median of each window; a NaN counts as larger than every number.
    pub(super) fn run<T: Sample>(
        self,
        input: &[T],
        (rows, cols): (usize, usize),
        border: Border,
        output: &mut Vec<T>,
        scratch: &mut Scratch<T>,
    ) {
        output.clear();
        if input.is_empty() {
            return;
        }
        let before = self.size / 2;
        let after = self.size - 1 - before;
        let around = Margins { top: before, bottom: after, left: before, right: after };
        extend(input, (rows, cols), around, border, &mut scratch.extended);
        let stride = around.around(rows, cols).1;
        let window = &mut scratch.between;
        output.reserve(rows * cols);
        for r in 0..rows {
            for c in 0..cols {
                window.clear();
                for line in scratch.extended[r * stride..].chunks(stride).take(self.size) {
                    window.extend_from_slice(&line[c..][..self.size]);
                }
                let middle = window.len() / 2;
                output.push(*window.select_nth_unstable_by(middle, Sample::order).1);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn median(size: usize, input: &[f64], cols: usize, border: Border) -> Vec<f64> {
        let mut output = Vec::new();
        let shape = (input.len() / cols, cols);
        Median::new(size).unwrap().run(input, shape, border, &mut output, &mut Scratch::new());
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
