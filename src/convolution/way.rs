//! What is asked of a filter beside its kernel and border, and the ways in which it is computed.

use std::fmt;

use super::overlap::OverlapScratch;
use super::running::Sums;
use crate::simd::Buffer;

/// How a filter is computed. The ways of one kernel give the same numbers to rounding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Way {
    /// The sum over the taps; a NaN or infinity reaches the outputs whose taps touch it and no other.
    Direct,
    /// A row of taps, then a column, or the sum of a few such products: for kernels in two dimensions of small rank.
    Separable,
    /// Sums of neighbours built on each other: for kernels whose taps are all the same.
    Running,
    /// Overlap-save through the Fourier transform on blocks or tiles; those with a sample that is not finite go the direct way, so a
    /// NaN reaches no further than there.
    Transform,
}

/// Whether the taps are turned round.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Operation {
    /// Turned by half a turn, as in `scipy.signal.convolve` and `scipy.ndimage.convolve`.
    #[default]
    Convolution,
    /// As they stand, as in `scipy.ndimage.correlate` and OpenCV's `filter2D`: with the centre `c`,
    /// `out[i] = sum over k of taps[k] * x[i - c + k]`.
    Correlation,
}

/// Which outputs there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Mode {
    /// Every output that a sample of the input takes part in: `n + taps - 1` along each axis. The border continues
    /// the input here too; with [`Border::Constant`](super::Border::Constant) this is the full convolution of two sequences.
    Full,
    /// As many outputs as inputs.
    #[default]
    Same,
    /// Those that read no border: `n - taps + 1` along each axis, none where the kernel is larger than the input.
    Valid,
}

/// What is asked of a filter beside its kernel and border.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Options {
    /// Convolution where not said otherwise.
    pub operation: Operation,
    /// As many outputs as inputs where not said otherwise.
    pub mode: Mode,
    /// The way; `None` leaves the choice to the plan.
    pub way: Option<Way>,
    /// Every how many rows and columns an output is kept, from the first on; a 0 is taken for 1.
    pub stride: (usize, usize),
    /// Rows and columns of the usual input, which the choice is made for; 1 row for signals. `None` is a million samples
    /// or pixels. Inputs of any shape are filtered; one so small that the direct way is faster goes that way.
    pub shape: Option<(usize, usize)>,
    /// The most threads that work on one input. They change no bit of the output, nor the choice.
    pub threads: usize,
}

impl Default for Options {
    fn default() -> Self {
        let (operation, mode) = (Operation::Convolution, Mode::Same);
        Self { operation, mode, way: None, stride: (1, 1), shape: None, threads: 1 }
    }
}

/// Working memory that every filter shares; each thread has its own. It grows to the largest input and is reused.
#[derive(Clone, Debug)]
pub struct Scratch<T> {
    /// Double precision where the samples are single: recursive filters.
    pub(super) wide: Vec<f64>,
    /// Outputs of which a stride keeps a part.
    pub(super) full: Vec<T>,
    /// The most threads of filters that have no options.
    pub(super) threads: usize,
    /// One for each thread.
    pub(super) workers: Vec<Worker<T>>,
}

/// What one thread needs.
#[derive(Clone, Debug, Default)]
pub(super) struct Worker<T> {
    pub(super) piece: Vec<T>,
    pub(super) strip: Vec<T>,
    /// Sorted columns of medians.
    pub(super) sorted: Buffer<T>,
    /// Double precision where the samples are single: weighted means.
    pub(super) wide: Vec<f64>,
    pub(super) sums: Sums<T>,
    pub(super) overlap: OverlapScratch<T>,
}

impl Way {
    /// The name in messages.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Direct => "direct",
            Self::Separable => "separable",
            Self::Running => "running sum",
            Self::Transform => "transform",
        }
    }
}

impl fmt::Display for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl<T> Scratch<T> {
    /// Empty working memory, for one thread.
    #[must_use]
    pub const fn new() -> Self {
        Self::with_threads(1)
    }

    /// Empty working memory with which medians, bilateral filters and morphology run on up to `threads` threads, which
    /// change no bit of the output. Those of a convolution are among its [`Options`].
    #[must_use]
    pub const fn with_threads(threads: usize) -> Self {
        Self { wide: Vec::new(), full: Vec::new(), threads, workers: Vec::new() }
    }
}

impl<T> Default for Scratch<T> {
    fn default() -> Self {
        Self::new()
    }
}
