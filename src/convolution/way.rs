//! The plan of a filter: what is asked for, which way it is computed, and the steps of that way.

use std::fmt;

use super::border::{Border, Margins, extend};
use super::direct::{Plane, Stencil, Target};
use super::kernel::{Kernel2d, KernelError};
use super::sample::Sample;
use super::transform::{TileScratch, Transform};

// Where one way overtakes another, timed on one core of a server processor with f32, 2.4 million samples and an image
// of 1080 x 1920. The crossings are broad: a third to either side costs little.

/// The longest single row or column of taps that goes the direct way.
const LINE_LIMIT: usize = 64;

/// The most taps, row and column together, that go the separable way.
const SEPARABLE_LIMIT: usize = 120;

/// The most taps of a kernel in two dimensions that go the direct way.
const AREA_LIMIT: usize = 11 * 11;

/// How a filter is computed. The ways of one kernel give the same numbers to rounding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Way {
    /// The sum over the taps; a NaN or infinity reaches the outputs whose taps touch it and no other.
    Direct,
    /// A row of taps, then a column: for kernels in two dimensions whose rank is 1.
    Separable,
    /// Overlap-save through the Fourier transform; tiles with a sample that is not finite go the direct way, so a
    /// NaN reaches no further than there.
    Transform,
    /// Not a sum: the middle value of the window.
    Median,
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
    /// the input here too; with [`Border::Constant`] this is the full convolution of two sequences.
    Full,
    /// As many outputs as inputs.
    #[default]
    Same,
    /// Those that read no border: `n - taps + 1` along each axis, none where the kernel is larger than the input.
    Valid,
}

/// What is asked of a filter beside its kernel and border.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Options {
    /// Convolution where not said otherwise.
    pub operation: Operation,
    /// As many outputs as inputs where not said otherwise.
    pub mode: Mode,
    /// The way; `None` leaves the choice to the plan.
    pub way: Option<Way>,
}

/// Working memory that every filter shares; each thread has its own. It grows to the largest input and is reused.
#[derive(Clone, Debug, Default)]
pub struct Scratch<T> {
    pub(super) extended: Vec<T>,
    pub(super) between: Vec<T>,
    /// Double precision where the samples are single: recursive filters and weighted means.
    pub(super) wide: Vec<f64>,
    tiles: TileScratch<T>,
}

/// A kernel made ready for one way.
#[derive(Clone, Debug)]
pub(super) struct Plan<T> {
    mode: Mode,
    /// What a `Same` output reads beyond the input.
    margins: Margins,
    steps: Steps<T>,
}

#[derive(Clone, Debug)]
enum Steps<T> {
    Direct(Stencil<T>),
    Separable { row: Stencil<T>, column: Stencil<T> },
    Transform(Transform<T>),
}

impl Way {
    /// The name in messages.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Direct => "direct",
            Self::Separable => "separable",
            Self::Transform => "transform",
            Self::Median => "median",
        }
    }
}

impl fmt::Display for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl<T: Default> Scratch<T> {
    /// Empty working memory.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
}

impl<T: Sample> Plan<T> {
    /// Plans `kernel` the way that is asked for, or that is expected to be fastest. Fails where the kernel cannot go
    /// the way asked for.
    pub(super) fn new(kernel: &Kernel2d, options: Options) -> Result<Self, KernelError> {
        let flip = options.operation == Operation::Convolution;
        let steps = match options.way {
            None => Some(Steps::fastest(kernel, flip)),
            Some(Way::Direct) => Some(Steps::Direct(Stencil::new(kernel, flip))),
            Some(Way::Separable) => Steps::separable(kernel, flip),
            Some(Way::Transform) => Some(Steps::Transform(Transform::new(kernel, flip))),
            Some(Way::Median) => None,
        };
        let way = options.way.map_or("", Way::name);
        let steps = steps.ok_or(KernelError::Way { way })?;
        Ok(Self { mode: options.mode, margins: margins(kernel, flip), steps })
    }

    /// Plans `kernel` the way that is expected to be fastest, for as many outputs as inputs.
    pub(super) fn fastest(kernel: &Kernel2d, operation: Operation) -> Self {
        let flip = operation == Operation::Convolution;
        Self { mode: Mode::Same, margins: margins(kernel, flip), steps: Steps::fastest(kernel, flip) }
    }

    pub(super) const fn way(&self) -> Way {
        match self.steps {
            Steps::Direct(_) => Way::Direct,
            Steps::Separable { .. } => Way::Separable,
            Steps::Transform(_) => Way::Transform,
        }
    }

    /// Rows and columns of output for an input of `rows` by `cols`; none where the input is empty.
    pub(super) const fn output_shape(&self, rows: usize, cols: usize) -> (usize, usize) {
        if rows == 0 || cols == 0 {
            return (0, 0);
        }
        let Margins { top, bottom, left, right } = self.margins;
        let (rows, cols) = self.mode_margins().around(rows, cols);
        (rows.saturating_sub(top + bottom), cols.saturating_sub(left + right))
    }

    /// Fills `output` with the filtered row-major `input`, which holds `rows * cols` samples.
    pub(super) fn run(
        &self,
        input: &[T],
        (rows, cols): (usize, usize),
        border: Border,
        output: &mut Vec<T>,
        scratch: &mut Scratch<T>,
    ) {
        let (out_rows, out_cols) = self.output_shape(rows, cols);
        output.clear();
        output.resize(out_rows * out_cols, T::ZERO);
        if output.is_empty() {
            return;
        }
        let around = self.mode_margins();
        extend(input, (rows, cols), around, border, &mut scratch.extended);
        let (all_rows, stride) = around.around(rows, cols);
        let all = Plane { samples: &scratch.extended, stride };
        let mut target = Target { samples: output, stride: out_cols, rows: out_rows, cols: out_cols };
        match &self.steps {
            Steps::Direct(stencil) => stencil.correlate(all, &mut target),
            Steps::Transform(transform) => transform.correlate(all, &mut target, &mut scratch.tiles),
            Steps::Separable { row, column } => {
                scratch.between.resize(all_rows * out_cols, T::ZERO);
                let samples = &mut scratch.between[..];
                row.correlate(all, &mut Target { samples, stride: out_cols, rows: all_rows, cols: out_cols });
                column.correlate(Plane { samples: &scratch.between, stride: out_cols }, &mut target);
            }
        }
    }

    /// What the outputs of this mode read beyond the input.
    const fn mode_margins(&self) -> Margins {
        let Margins { top, bottom, left, right } = self.margins;
        let (down, across) = (top + bottom, left + right);
        match self.mode {
            Mode::Full => Margins { top: down, bottom: down, left: across, right: across },
            Mode::Same => self.margins,
            Mode::Valid => Margins { top: 0, bottom: 0, left: 0, right: 0 },
        }
    }
}

impl<T: Sample> Steps<T> {
    fn fastest(kernel: &Kernel2d, flip: bool) -> Self {
        let (rows, cols) = kernel.shape();
        let line = rows == 1 || cols == 1;
        if !line
            && rows + cols <= SEPARABLE_LIMIT
            && let Some(steps) = Self::separable(kernel, flip)
        {
            return steps;
        }
        if rows * cols <= if line { LINE_LIMIT } else { AREA_LIMIT } {
            Self::Direct(Stencil::new(kernel, flip))
        } else {
            Self::Transform(Transform::new(kernel, flip))
        }
    }

    fn separable(kernel: &Kernel2d, flip: bool) -> Option<Self> {
        let (column, row) = kernel.separate()?;
        let column = Stencil::new(&column.into_column(), flip);
        Some(Self::Separable { row: Stencil::new(&row.into_row(), flip), column })
    }
}

/// What a convolution (`flip`) or correlation that gives as many outputs as inputs reads beyond the input.
const fn margins(kernel: &Kernel2d, flip: bool) -> Margins {
    let (rows, cols) = kernel.shape();
    let (row, col) = kernel.centre();
    let (before_row, before_col) = (rows - 1 - row, cols - 1 - col);
    if flip {
        Margins { top: before_row, bottom: row, left: before_col, right: col }
    } else {
        Margins { top: row, bottom: before_row, left: col, right: before_col }
    }
}
