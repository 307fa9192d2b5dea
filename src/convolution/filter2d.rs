//! Filters of images and spectrograms.

use super::border::Border;
use super::kernel::{Kernel2d, KernelError};
use super::plan::Plan;
use super::planner::Choice;
use super::sample::Sample;
use super::way::{Operation, Options, Scratch, Way};

/// A kernel made ready to run over row-major images: made once, used for every image with scratch
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
    plan: Plan<T>,
    border: Border,
}

impl<T: Sample> Filter2d<T> {
    /// The convolution with `kernel`, of the shape of its input, by the way expected to be fastest.
    #[must_use]
    pub fn new(kernel: &Kernel2d, border: Border) -> Self {
        Self { plan: Plan::fastest(kernel, Operation::Convolution), border }
    }

    /// The correlation with `kernel` (its taps as they stand), otherwise as [`Filter2d::new`].
    #[must_use]
    pub fn correlation(kernel: &Kernel2d, border: Border) -> Self {
        Self { plan: Plan::fastest(kernel, Operation::Correlation), border }
    }

    /// The filter that the options describe. Fails where the kernel cannot go the way they name.
    pub fn with_options(kernel: &Kernel2d, border: Border, options: Options) -> Result<Self, KernelError> {
        Ok(Self { plan: Plan::new(kernel, options)?, border })
    }

    /// The way that the plan chose or was given.
    #[must_use]
    pub const fn way(&self) -> Way {
        self.plan.way()
    }

    /// What the plan chose and why, for the usual image of its options.
    #[must_use]
    pub const fn choice(&self) -> &Choice {
        self.plan.choice()
    }

    /// The way that an image of `rows` by `cols` goes, with its predicted cost.
    #[must_use]
    pub fn predict(&self, rows: usize, cols: usize) -> Option<Choice> {
        self.plan.predict(rows, cols)
    }

    /// Rows and columns of the output for an image of `rows` by `cols`.
    #[must_use]
    pub const fn output_shape(&self, rows: usize, cols: usize) -> (usize, usize) {
        self.plan.output_shape(rows, cols)
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
        self.plan.run(input, (rows, cols), self.border, output, scratch);
    }
}
