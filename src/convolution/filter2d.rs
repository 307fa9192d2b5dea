//! Filters of images and spectrograms.

use super::border::Border;
use super::kernel::{Kernel2d, KernelError};
use super::plan::Plan;
use super::planner::Choice;
use super::rank::Median;
use super::sample::Sample;
use super::way::{Operation, Options, Scratch, Way};

/// A kernel, or the median, made ready to run over row-major images: made once, used for every image with scratch
/// that the caller owns.
///
/// ```
/// use wordwave::convolution::{Border, Filter2d, Kernel2d, Scratch};
/// let filter = Filter2d::<f32>::new(&Kernel2d::sobel(0.0)?, Border::Nearest);
/// let mut edges = Vec::new();
/// filter.apply(&[0.0, 0.0, 1.0, 1.0], 1, 4, &mut edges, &mut Scratch::new());
/// assert_eq!(edges, [0.0, 4.0, 4.0, 0.0]);
/// # Ok::<(), wordwave::convolution::KernelError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Filter2d<T> {
    work: Work<T>,
    border: Border,
}

#[derive(Clone, Debug)]
enum Work<T> {
    Linear(Box<Plan<T>>),
    Median(Median),
}

impl<T: Sample> Filter2d<T> {
    /// The convolution with `kernel`, of the shape of its input, by the way expected to be fastest.
    #[must_use]
    pub fn new(kernel: &Kernel2d, border: Border) -> Self {
        Self { work: Work::Linear(Box::new(Plan::fastest(kernel, Operation::Convolution))), border }
    }

    /// The correlation with `kernel` (its taps as they stand), otherwise as [`Filter2d::new`].
    #[must_use]
    pub fn correlation(kernel: &Kernel2d, border: Border) -> Self {
        Self { work: Work::Linear(Box::new(Plan::fastest(kernel, Operation::Correlation))), border }
    }

    /// The filter that the options describe. Fails where the kernel cannot go the way they name: separable for a
    /// rank above 1, or median.
    pub fn with_options(kernel: &Kernel2d, border: Border, options: Options) -> Result<Self, KernelError> {
        Ok(Self { work: Work::Linear(Box::new(Plan::new(kernel, options)?)), border })
    }

    /// The median of a window of `size` by `size` samples, as `scipy.ndimage.median_filter`. Fails where `size` is 0
    /// or the window has more than [`TAPS_LIMIT`](super::kernel::TAPS_LIMIT) samples.
    pub fn median(size: usize, border: Border) -> Result<Self, KernelError> {
        Ok(Self { work: Work::Median(Median::new(size)?), border })
    }

    /// The way that the plan chose or was given.
    #[must_use]
    pub const fn way(&self) -> Way {
        match &self.work {
            Work::Linear(plan) => plan.way(),
            Work::Median(_) => Way::Median,
        }
    }

    /// What the plan chose and why, for the usual image of its options; none for the median.
    #[must_use]
    pub fn choice(&self) -> Option<&Choice> {
        match &self.work {
            Work::Linear(plan) => Some(plan.choice()),
            Work::Median(_) => None,
        }
    }

    /// The way that an image of `rows` by `cols` goes, with its predicted cost; none for the median.
    #[must_use]
    pub fn predict(&self, rows: usize, cols: usize) -> Option<Choice> {
        match &self.work {
            Work::Linear(plan) => plan.predict(rows, cols),
            Work::Median(_) => None,
        }
    }

    /// Rows and columns of the output for an image of `rows` by `cols`.
    #[must_use]
    pub const fn output_shape(&self, rows: usize, cols: usize) -> (usize, usize) {
        match &self.work {
            Work::Linear(plan) => plan.output_shape(rows, cols),
            Work::Median(_) => (rows, cols),
        }
    }

    /// Clears `output` and fills it row by row with the filtered image; an empty image gives an empty output.
    ///
    /// # Panics
    /// Where `input` is not `rows * cols` samples long.
    pub fn apply(
        &self,
        input: &[T],
        rows: usize,
        cols: usize,
        output: &mut Vec<T>,
        scratch: &mut Scratch<T>,
    ) {
        assert_eq!(input.len(), rows * cols, "an image of {rows} x {cols}");
        match &self.work {
            Work::Linear(plan) => plan.run(input, (rows, cols), self.border, output, scratch),
            Work::Median(median) => median.run(input, (rows, cols), self.border, output, scratch),
        }
    }
}
