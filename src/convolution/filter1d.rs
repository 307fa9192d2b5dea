//! Filters of signals.

use super::border::Border;
use super::kernel::{Kernel1d, KernelError};
use super::plan::Plan;
use super::planner::Choice;
use super::sample::Sample;
use super::way::{Operation, Options, Scratch, Way};

/// A kernel made ready to run over signals: made once, used for every signal with scratch that the caller owns.
///
/// ```
/// use wordwave::convolution::{Border, Filter1d, Kernel1d, Scratch};
/// let filter = Filter1d::<f32>::new(&Kernel1d::derivative(), Border::Nearest);
/// let mut slope = Vec::new();
/// filter.apply(&[0.0, 1.0, 4.0, 9.0], &mut slope, &mut Scratch::new());
/// assert_eq!(slope, [0.5, 2.0, 4.0, 2.5]);
/// ```
#[derive(Clone, Debug)]
pub struct Filter1d<T> {
    plan: Plan<T>,
    border: Border,
}

impl<T: Sample> Filter1d<T> {
    /// The convolution with `kernel`, as long as its input, by the way expected to be fastest.
    #[must_use]
    pub fn new(kernel: &Kernel1d, border: Border) -> Self {
        Self { plan: Plan::fastest(&kernel.clone().into_row(), Operation::Convolution), border }
    }

    /// The correlation with `kernel` (its taps as they stand), otherwise as [`Filter1d::new`].
    #[must_use]
    pub fn correlation(kernel: &Kernel1d, border: Border) -> Self {
        Self { plan: Plan::fastest(&kernel.clone().into_row(), Operation::Correlation), border }
    }

    /// The filter that the options describe. Fails for the way that no signal goes: separable.
    pub fn with_options(kernel: &Kernel1d, border: Border, options: Options) -> Result<Self, KernelError> {
        if let Some(way @ Way::Separable) = options.way {
            return Err(KernelError::Way { way: way.name() });
        }
        Ok(Self { plan: Plan::new(&kernel.clone().into_row(), options)?, border })
    }

    /// The way that the plan chose or was given.
    #[must_use]
    pub const fn way(&self) -> Way {
        self.plan.way()
    }

    /// What the plan chose and why, for the usual input of its options.
    #[must_use]
    pub const fn choice(&self) -> &Choice {
        self.plan.choice()
    }

    /// The way that a signal of `len` samples goes, with its predicted cost.
    #[must_use]
    pub fn predict(&self, len: usize) -> Option<Choice> {
        self.plan.predict(1, len)
    }

    /// The number of outputs for `len` samples.
    #[must_use]
    pub const fn output_len(&self, len: usize) -> usize {
        self.plan.output_shape(1, len).1
    }

    /// Clears `output` and fills it with the filtered `input`; an empty input gives an empty output.
    pub fn apply(&self, input: &[T], output: &mut Vec<T>, scratch: &mut Scratch<T>) {
        self.plan.run(input, (1, input.len()), self.border, output, scratch);
    }
}
