//! Sums of neighbours: the two passes of a box. Nothing is ever taken away from a sum, so none carries the rounding of
//! samples that have left it, nor a NaN.

use super::dispatch::{Work, dispatch};
use super::register::{Number, Register};
use super::{Buffer, Outputs, Width};

/// Outputs of a row whose sums of 2, 4, 8 .. neighbours stay in the first cache.
const STRETCH: usize = 1024;

/// Registers side by side in the sums down columns.
const ACROSS: usize = 4;

/// `to[i] = factor * line[i] + .. + factor * line[i + window - 1]`, by sums of 2, 4, 8 .. neighbours that are built on
/// each other: about `2 log2(window)` additions an output. Each sample is multiplied first, so that no sum is larger than
/// the output. All widths give the same bits. `levels` is working memory.
///
/// # Panics
/// Where `line` is not `to.len() + window - 1` numbers long, or `window` is 0.
pub fn window_sums<T: Number>(
    width: Width,
    line: &[T],
    factor: T,
    window: usize,
    levels: &mut Buffer<T>,
    to: &mut [T],
) {
    assert!(window >= 1 && line.len() + 1 == to.len() + window, "a window for each output");
    let stretch = STRETCH.max(4 * window);
    for (i, to) in to.chunks_mut(stretch).enumerate() {
        let line = &line[i * stretch..][..to.len() + window - 1];
        // A multiple of a line of the cache, so that every level begins at one.
        let room = line.len().next_multiple_of(16);
        levels.resize(room * (window.ilog2() as usize + 1));
        dispatch(width, WindowSums { line, factor, window, levels, room, to });
    }
}

/// Rows whose sums down each column are wanted.
#[derive(Clone, Copy, Debug)]
pub struct Stack<'a, T> {
    /// Row `r` of the outputs is the sum of the rows from `r` on.
    pub rows: &'a [T],
    /// Distance of two rows.
    pub stride: usize,
    /// Rows in a sum.
    pub window: usize,
    /// The place of the first row of outputs in its block, less than `window`.
    pub phase: usize,
}

/// Writes the sums of `window` rows to each row of outputs. Rows stand in blocks of `window`, from `phase` rows before the
/// first one on: an output is the sum to the end of its block plus the sum from the beginning of the next one, both of
/// which run on, so that it costs three additions whatever the window, and depends on no other output. All widths give
/// the same bits. `ends` is working memory.
///
/// # Panics
/// Where rows or room for the outputs are missing, or `phase` is not less than `window`.
pub fn column_sums<T: Number>(
    width: Width,
    stack: &Stack<'_, T>,
    ends: &mut Buffer<T>,
    outputs: &mut Outputs<'_, T>,
) {
    let &Stack { rows, stride, window, phase } = stack;
    if outputs.rows == 0 || outputs.cols == 0 {
        return;
    }
    assert!(phase < window, "a place in a block");
    assert!(rows.len() >= (outputs.rows + window - 2) * stride + outputs.cols, "rows for every window");
    assert!(outputs.samples.len() >= (outputs.rows - 1) * outputs.stride + outputs.cols, "room for outputs");
    assert!(outputs.rows == 1 || outputs.stride >= outputs.cols, "rows that do not overlap");
    ends.resize(window * ACROSS * T::GROUP);
    let task = ColumnSums {
        input: rows.as_ptr(),
        input_stride: stride,
        window,
        phase,
        ends: ends.as_mut_ptr(),
        output: outputs.samples.as_mut_ptr(),
        output_stride: outputs.stride,
        rows: outputs.rows,
        cols: outputs.cols,
    };
    dispatch(width, task);
}

struct WindowSums<'a, T> {
    line: &'a [T],
    factor: T,
    window: usize,
    levels: &'a mut [T],
    room: usize,
    to: &'a mut [T],
}

impl<T: Number> Work<T> for WindowSums<'_, T> {
    type Output = ();

    // SAFETY: safe code, which the caller has compiled for its instructions.
    #[inline(always)]
    unsafe fn run<V: Register<Number = T>>(self) {
        let Self { line, factor, window, levels, room, to } = self;
        let (first, mut rest) = levels.split_at_mut(room);
        for (level, &x) in first.iter_mut().zip(line) {
            *level = x * factor;
        }
        // The level of `size` neighbours, and how many of the window are summed before it.
        let (mut level, mut size, mut done) = (&*first, 1, 0);
        loop {
            let last = size > window / 2;
            if window & size != 0 {
                add_level(&level[done..][..to.len()], done == 0, to);
                done += size;
            }
            if last {
                return;
            }
            let len = line.len() + 1 - 2 * size;
            let (next, after) = rest.split_at_mut(room);
            for ((next, &a), &b) in next[..len].iter_mut().zip(&level[..len]).zip(&level[size..]) {
                *next = a + b;
            }
            (level, rest) = (next, after);
            size *= 2;
        }
    }
}

/// Adds a level to the outputs, or puts it there first.
#[inline(always)]
fn add_level<T: Number>(level: &[T], first: bool, to: &mut [T]) {
    if first {
        to.copy_from_slice(level);
    } else {
        to.iter_mut().zip(level).for_each(|(to, &x)| *to = *to + x);
    }
}

/// A [`Stack`] and its outputs, checked.
#[derive(Clone, Copy)]
struct ColumnSums<T> {
    input: *const T,
    input_stride: usize,
    window: usize,
    phase: usize,
    /// A group of registers for each row of a block.
    ends: *mut T,
    output: *mut T,
    output_stride: usize,
    rows: usize,
    cols: usize,
}

// SAFETY of the blocks below: `column_sums` has checked that every window lies in the rows, every output in its slice and
// that there is room for the ends; strips are only asked for where all their columns lie in the task.

impl<T: Number> Work<T> for ColumnSums<T> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<V: Register<Number = T>>(self) {
        unsafe {
            let wide = ACROSS * V::WIDTH;
            // Outputs may be computed twice, so that most registers are stored within a line of the cache.
            let before = self.output.align_offset(64);
            let mut col = if before < wide && before + wide <= self.cols { before } else { 0 };
            if col > 0 {
                strip_4::<V>(self);
            }
            while col + wide <= self.cols {
                strip_4::<V>(self.at(col));
                col += wide;
            }
            if col < self.cols && self.cols >= wide {
                return strip_4::<V>(self.at(self.cols - wide));
            }
            while col + V::WIDTH <= self.cols {
                strip_1::<V>(self.at(col));
                col += V::WIDTH;
            }
            while col < self.cols {
                strip_1::<T::One>(self.at(col));
                col += 1;
            }
        }
    }
}

impl<T: Number> ColumnSums<T> {
    /// The same task from this column on.
    #[inline(always)]
    unsafe fn at(self, col: usize) -> Self {
        unsafe { Self { input: self.input.add(col), output: self.output.add(col), ..self } }
    }
}

/// Some registers of all rows of outputs; straight-line code, since loops over sums are left rolled.
macro_rules! strip {
    ($strip:ident, $count:literal, [$($c:literal)*]) => {
        #[inline(always)]
        unsafe fn $strip<V: Register>(task: ColumnSums<V::Number>) {
            unsafe {
                let zero = V::splat(V::Number::default());
                let row = |r: usize, c: usize| V::load(task.input.add(r * task.input_stride + c * V::WIDTH));
                let end = |i: usize, c: usize| task.ends.add((i * $count + c) * V::WIDTH);
                // The first row of outputs of a block that begins `phase` rows before it.
                let (mut first, mut phase) = (0, task.phase);
                while first < task.rows {
                    let rows = task.window - phase;
                    let mut sums = [$( row(first + rows - 1, $c) ),*];
                    $( sums[$c].store(end(rows - 1, $c)); )*
                    for i in (0..rows - 1).rev() {
                        $( sums[$c] = row(first + i, $c).add(sums[$c]); )*
                        $( sums[$c].store(end(i, $c)); )*
                    }
                    let mut sums = [zero; $count];
                    // Rows of the next block that the first of these outputs reaches already.
                    for i in rows..task.window - 1 {
                        $( sums[$c] = sums[$c].add(row(first + i, $c)); )*
                    }
                    for i in 0..rows.min(task.rows - first) {
                        let to = task.output.add((first + i) * task.output_stride);
                        if i + phase == 0 {
                            $( V::load(end(0, $c)).store(to.add($c * V::WIDTH)); )*
                        } else {
                            $( sums[$c] = sums[$c].add(row(first + i + task.window - 1, $c)); )*
                            $( V::load(end(i, $c)).add(sums[$c]).store(to.add($c * V::WIDTH)); )*
                        }
                    }
                    first += rows;
                    phase = 0;
                }
            }
        }
    };
}

strip!(strip_4, 4, [0 1 2 3]);
strip!(strip_1, 1, [0]);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_of_any_window() {
        let numbers: Vec<f64> = (0..3000).map(f64::from).collect();
        for width in Width::available() {
            for window in (1..40).chain([64, 90, 700]) {
                let mut to = vec![0.0; 3001 - window];
                window_sums(width, &numbers, 2.0, window, &mut Buffer::default(), &mut to);
                for (i, sum) in to.iter().enumerate() {
                    let expected: f64 = numbers[i..i + window].iter().sum();
                    assert_eq!(*sum, 2.0 * expected, "{window} from {i}");
                }
            }
        }
    }

    #[test]
    fn columns_of_any_window_and_phase() {
        let (stride, rows) = (150, 23);
        for (window, cols) in [(1, 150), (2, 3), (5, 64), (7, 131), (23, 70), (30, 17)] {
            let input: Vec<f32> = (0..(rows + window) * stride).map(|i| (i * 7919 % 1009) as f32).collect();
            for phase in [0, window / 2, window - 1] {
                let stack = Stack { rows: &input, stride, window, phase };
                let run = |width| {
                    let mut found = vec![0.5; rows * stride];
                    let mut outputs =
                        Outputs { samples: &mut found[1..], stride, rows, cols: cols.min(stride - 1) };
                    column_sums(width, &stack, &mut Buffer::default(), &mut outputs);
                    found
                };
                let found = run(Width::detect());
                for (at, value) in found.iter().enumerate() {
                    let (r, c) = (at / stride, at % stride);
                    let inside = c >= 1 && c <= cols.min(stride - 1);
                    let sum = |c: usize| (r..r + window).map(|r| input[r * stride + c]).sum::<f32>();
                    assert_eq!(*value, if inside { sum(c - 1) } else { 0.5 }, "{window} {phase} ({r}, {c})");
                }
                assert!(Width::available().into_iter().all(|width| run(width) == found));
            }
        }
    }
}
