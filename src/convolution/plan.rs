//! The plan of a filter: a kernel made ready for the way that was chosen, run over any number of inputs.

use super::border::{Border, Continued, Margins};
use super::direct::{Direct, Region};
use super::kernel::{Kernel2d, KernelError};
use super::overlap::Overlap;
use super::planner::{Choice, Problem};
use super::running::Running;
use super::sample::Sample;
use super::separable::Separable;
use super::way::{Mode, Operation, Options, Scratch, Way, Worker};
use crate::simd::{Outputs, Width};

/// Samples of the usual input where nothing else is said: 17 minutes of speech, or an image of a thousand by a thousand.
const USUAL: usize = 1 << 20;

/// The least work that is worth another thread, in nanoseconds.
const THREAD_NANOSECONDS: f64 = 500_000.0;

/// A kernel made ready for one way.
#[derive(Clone, Debug)]
pub(super) struct Plan<T> {
    options: Options,
    /// What a `Same` output reads beyond the input.
    margins: Margins,
    problem: Problem,
    choice: Choice,
    direct: Direct<T>,
    steps: Steps<T>,
}

/// What the chosen way needs beside the taps themselves.
#[derive(Clone, Debug)]
enum Steps<T> {
    Direct,
    Separable(Separable<T>),
    Running(Running<T>),
    Transform(Box<Overlap<T>>),
}

impl<T: Sample> Plan<T> {
    /// Plans `kernel` the way that is asked for, or that is expected to be fastest. Fails where the kernel cannot go
    /// the way asked for.
    pub(super) fn new(kernel: &Kernel2d, options: Options) -> Result<Self, KernelError> {
        Self::at(Width::detect(), kernel, options)
    }

    /// The same for the instructions of a width.
    pub(super) fn at(width: Width, kernel: &Kernel2d, options: Options) -> Result<Self, KernelError> {
        let flip = options.operation == Operation::Convolution;
        let margins = margins(kernel, flip);
        let problem = Problem::new::<T>(kernel, width, options.way);
        let usual = if kernel.shape().0 == 1 { (1, USUAL) } else { (1 << 10, USUAL >> 10) };
        let (rows, cols) = options.shape.unwrap_or(usual);
        let outputs = outputs_of(mode_margins(options.mode, margins), margins, rows.max(1), cols.max(1));
        let way = options.way.map_or("", Way::name);
        let choice = problem.choose::<T>(outputs, options.way).ok_or(KernelError::Way { way })?;
        let direct = Direct::new(width, kernel, flip);
        let (rows, cols) = choice.chosen.tile;
        let steps = match (choice.chosen.way, &problem.factors) {
            (Way::Transform, _) => {
                Steps::Transform(Box::new(Overlap::new(direct.clone(), kernel, rows, cols)))
            }
            (Way::Separable, Some(factors)) => Steps::Separable(Separable::new(width, factors, flip)),
            (Way::Running, _) => Running::new(width, kernel).map_or(Steps::Direct, Steps::Running),
            _ => Steps::Direct,
        };
        Ok(Self { options, margins, problem, choice, direct, steps })
    }

    /// Plans `kernel` the way that is expected to be fastest, for as many outputs as inputs.
    pub(super) fn fastest(kernel: &Kernel2d, operation: Operation) -> Self {
        let options = Options { operation, ..Options::default() };
        // Every kernel can go the direct way, so that there is a choice whatever the kernel.
        match Self::new(kernel, options) {
            Ok(plan) => plan,
            Err(_) => unreachable!("the direct way is open to every kernel"),
        }
    }

    pub(super) const fn choice(&self) -> &Choice {
        &self.choice
    }

    pub(super) const fn way(&self) -> Way {
        self.choice.chosen.way
    }

    /// The choice with its costs for an input of this shape.
    pub(super) fn predict(&self, rows: usize, cols: usize) -> Option<Choice> {
        self.problem.choose::<T>(self.full_shape(rows, cols), Some(self.way_for(self.full_shape(rows, cols))))
    }

    /// Rows and columns of output for an input of `rows` by `cols`; none where the input is empty.
    pub(super) const fn output_shape(&self, rows: usize, cols: usize) -> (usize, usize) {
        let (rows, cols) = self.full_shape(rows, cols);
        let (down, across) = self.stride();
        (rows.div_ceil(down), cols.div_ceil(across))
    }

    /// The same before the stride drops any.
    const fn full_shape(&self, rows: usize, cols: usize) -> (usize, usize) {
        if rows == 0 || cols == 0 {
            return (0, 0);
        }
        outputs_of(mode_margins(self.options.mode, self.margins), self.margins, rows, cols)
    }

    const fn stride(&self) -> (usize, usize) {
        let (down, across) = self.options.stride;
        (if down == 0 { 1 } else { down }, if across == 0 { 1 } else { across })
    }

    /// The way for this many outputs: the one that was chosen, or the direct one where they are so few that it is faster.
    fn way_for(&self, outputs: (usize, usize)) -> Way {
        let chosen = self.way();
        if self.options.way.is_some() || outputs == self.choice.outputs || chosen == Way::Direct {
            return chosen;
        }
        let cost = self.problem.estimate::<T>(chosen, outputs).map_or(0.0, |estimate| estimate.nanoseconds);
        if self.problem.direct(outputs) < cost { Way::Direct } else { chosen }
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
        // What stands there is written over: no need to clear it.
        output.resize(out_rows * out_cols, T::ZERO);
        if output.is_empty() {
            return;
        }
        let Margins { top, left, .. } = mode_margins(self.options.mode, self.margins);
        let input = Continued { input, rows, cols, border, top, left };
        let full = self.full_shape(rows, cols);
        if full == (out_rows, out_cols) {
            return self.fill(&input, full, output, &mut scratch.workers);
        }
        if self.way_for(full) == Way::Direct {
            return self.kept_rows(&input, full, output, scratch);
        }
        scratch.full.resize(full.0 * full.1, T::ZERO);
        self.fill(&input, full, &mut scratch.full, &mut scratch.workers);
        let (down, across) = self.stride();
        let kept = scratch.full.chunks_exact(full.1).step_by(down);
        for (to, row) in output.chunks_exact_mut(out_cols).zip(kept) {
            to.iter_mut().zip(row.iter().step_by(across)).for_each(|(to, value)| *to = *value);
        }
    }

    /// The rows that the stride keeps, each computed by itself; the columns that it drops are computed too, as a register
    /// holds both.
    fn kept_rows(
        &self,
        input: &Continued<'_, T>,
        (rows, cols): (usize, usize),
        output: &mut [T],
        scratch: &mut Scratch<T>,
    ) {
        let (down, across) = self.stride();
        scratch.full.resize(cols, T::ZERO);
        if scratch.workers.is_empty() {
            scratch.workers.push(Worker::default());
        }
        let Some(worker) = scratch.workers.first_mut() else { return };
        for (row, to) in (0..rows).step_by(down).zip(output.chunks_exact_mut(cols.div_ceil(across))) {
            let region = Region { row, col: 0, rows: 1, cols };
            self.region(Way::Direct, input, region, &mut scratch.full, worker);
            to.iter_mut().zip(scratch.full.iter().step_by(across)).for_each(|(to, value)| *to = *value);
        }
    }

    /// The outputs of several plans that share their transforms; whether they do.
    pub(super) fn run_together(
        plans: &[Self],
        input: &[T],
        (rows, cols): (usize, usize),
        border: Border,
        outputs: &mut [Vec<T>],
        scratch: &mut Scratch<T>,
    ) -> bool {
        let transforms: Option<Vec<&Overlap<T>>> = plans.iter().map(Self::transform).collect();
        let Some((first, overlaps)) = plans.first().zip(transforms) else { return false };
        let shape = first.full_shape(rows, cols);
        let shares = |plan: &Self| plan.margins == first.margins && plan.stride() == (1, 1);
        if shape == (0, 0)
            || first.way_for(shape) != Way::Transform
            || !plans.iter().all(shares)
            || !overlaps.iter().all(|overlap| overlap.shares_with(overlaps[0]))
        {
            return false;
        }
        let Margins { top, left, .. } = mode_margins(first.options.mode, first.margins);
        let input = Continued { input, rows, cols, border, top, left };
        let (rows, cols) = shape;
        let mut outputs: Vec<Outputs<'_, T>> = outputs
            .iter_mut()
            .map(|output| {
                output.resize(rows * cols, T::ZERO);
                Outputs { samples: output, stride: cols, rows, cols }
            })
            .collect();
        if scratch.workers.is_empty() {
            scratch.workers.push(Worker::default());
        }
        let Some(worker) = scratch.workers.first_mut() else { return false };
        let region = Region { row: 0, col: 0, rows, cols };
        Overlap::run_bank(&overlaps, &input, region, &mut outputs, &mut worker.overlap);
        true
    }

    fn transform(&self) -> Option<&Overlap<T>> {
        match &self.steps {
            Steps::Transform(overlap) => Some(overlap),
            _ => None,
        }
    }

    /// Every output, by as many threads as the work is worth. They share it by whole bands or tiles.
    fn fill(
        &self,
        input: &Continued<'_, T>,
        (rows, cols): (usize, usize),
        to: &mut [T],
        workers: &mut Vec<Worker<T>>,
    ) {
        let way = self.way_for((rows, cols));
        let cost = self.problem.estimate::<T>(way, (rows, cols)).map_or(0.0, |estimate| estimate.nanoseconds);
        let threads = self.options.threads.clamp(1, 1 + (cost / THREAD_NANOSECONDS) as usize);
        if workers.len() < threads {
            workers.resize_with(threads, Worker::default);
        }
        let (down, across) = match &self.steps {
            Steps::Transform(overlap) if way == Way::Transform => overlap.unit(),
            _ => (16, 1 << 12),
        };
        let (len, unit) = if rows > 1 { (rows, down) } else { (cols, across) };
        let share = len.div_ceil(unit).div_ceil(threads) * unit;
        let other = if rows > 1 { cols } else { 1 };
        let region = |first: usize, len: usize| {
            if rows > 1 {
                Region { row: first, col: 0, rows: len, cols }
            } else {
                Region { row: 0, col: first, rows, cols: len }
            }
        };
        let shares = to.chunks_mut(share * other).zip(workers).enumerate();
        let task = |(i, (to, worker)): (usize, (&mut [T], &mut Worker<T>))| {
            self.region(way, input, region(i * share, to.len() / other), to, worker);
        };
        if threads == 1 {
            shares.for_each(task);
        } else {
            rayon::scope(|scope| shares.for_each(|share| scope.spawn(move |_| task(share))));
        }
    }

    /// The outputs of a region.
    fn region(
        &self,
        way: Way,
        input: &Continued<'_, T>,
        region: Region,
        to: &mut [T],
        worker: &mut Worker<T>,
    ) {
        let Region { rows, cols, .. } = region;
        let outputs = &mut Outputs { samples: to, stride: cols, rows, cols };
        match &self.steps {
            Steps::Separable(separable) if way == Way::Separable => {
                separable.run(input, region, outputs, (&mut worker.strip, &mut worker.piece));
            }
            Steps::Running(running) if way == Way::Running => {
                running.run(input, region, outputs, &mut worker.sums);
            }
            Steps::Transform(overlap) if way == Way::Transform => {
                overlap.run(input, region, outputs, &mut worker.overlap);
            }
            _ => self.direct.run(input, region, outputs, &mut worker.piece),
        }
    }
}

/// What the outputs of a mode read beyond the input.
const fn mode_margins(mode: Mode, same: Margins) -> Margins {
    let Margins { top, bottom, left, right } = same;
    let (down, across) = (top + bottom, left + right);
    match mode {
        Mode::Full => Margins { top: down, bottom: down, left: across, right: across },
        Mode::Same => same,
        Mode::Valid => Margins { top: 0, bottom: 0, left: 0, right: 0 },
    }
}

/// Rows and columns of outputs for an input that is not empty.
const fn outputs_of(around: Margins, same: Margins, rows: usize, cols: usize) -> (usize, usize) {
    let (rows, cols) = around.around(rows, cols);
    (rows.saturating_sub(same.top + same.bottom), cols.saturating_sub(same.left + same.right))
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
