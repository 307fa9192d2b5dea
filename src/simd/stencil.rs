//! Sums of taps times samples: the direct way of a filter.
//!
//! An output is `sum over a, b of taps[a][b] * input[a][b]`, row by row and from left to right, every product fused to the
//! sum before it. A block of 4 rows by 4 registers of outputs (4 by 2 where there are only 16 registers) is computed
//! together, so that a register of samples, loaded once, serves up to four rows of taps.

use super::Width;
use super::dispatch::{Work, dispatch};
use super::register::{Number, Register};

/// Rows of a block.
const ROWS: usize = 4;

/// Bytes of the first cache that samples may fill.
const FIRST_CACHE: usize = 32 << 10;

/// What is read: taps row by row, and samples in rows that start `stride` apart.
#[derive(Clone, Copy, Debug)]
pub struct Stencil<'a, T> {
    /// Taps, row by row.
    pub taps: &'a [T],
    /// Rows of taps, at least 1.
    pub rows: usize,
    /// Taps in a row, at least 1.
    pub cols: usize,
    /// Samples; the window of output (r, c) starts at `r * stride + c`.
    pub input: &'a [T],
    /// Distance of two rows of samples.
    pub stride: usize,
}

/// What is written: `rows` by `cols` outputs in rows that start `stride` apart.
#[derive(Debug)]
pub struct Outputs<'a, T> {
    /// Outputs.
    pub samples: &'a mut [T],
    /// Distance of two rows.
    pub stride: usize,
    /// Rows.
    pub rows: usize,
    /// Outputs in a row.
    pub cols: usize,
}

/// Writes the correlation of samples with taps, or adds it to what stands there. All widths give the same bits.
///
/// # Panics
/// Where taps, samples or outputs are fewer than the shapes say.
pub fn correlate<T: Number>(width: Width, stencil: &Stencil<'_, T>, outputs: &mut Outputs<'_, T>, add: bool) {
    if outputs.rows == 0 || outputs.cols == 0 {
        return;
    }
    let (rows, cols) = (outputs.rows + stencil.rows - 1, outputs.cols + stencil.cols - 1);
    assert_eq!(stencil.taps.len(), stencil.rows * stencil.cols, "taps of the shape");
    assert!(stencil.input.len() >= (rows - 1) * stencil.stride + cols, "samples for every window");
    assert!(outputs.samples.len() >= (outputs.rows - 1) * outputs.stride + outputs.cols, "room for outputs");
    assert!(stencil.rows >= 1 && stencil.cols >= 1 && (outputs.stride >= outputs.cols || outputs.rows == 1));
    dispatch(
        width,
        Task {
            taps: stencil.taps.as_ptr(),
            height: stencil.rows,
            width: stencil.cols,
            input: stencil.input.as_ptr(),
            input_stride: stencil.stride,
            output: outputs.samples.as_mut_ptr(),
            output_stride: outputs.stride,
            rows: outputs.rows,
            cols: outputs.cols,
            add,
        },
    );
}

/// A stencil and its outputs, checked.
#[derive(Clone, Copy)]
struct Task<T> {
    taps: *const T,
    height: usize,
    width: usize,
    input: *const T,
    input_stride: usize,
    output: *mut T,
    output_stride: usize,
    rows: usize,
    cols: usize,
    add: bool,
}

// SAFETY of the blocks below: `correlate` has checked that every window lies in the samples and every output in its
// slice, and a block is only asked for where all its outputs lie in the task.

impl<T: Number> Work<T> for Task<T> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<V: Register<Number = T>>(self) {
        unsafe {
            let tile = self.tile();
            let mut col = 0;
            while col < self.cols {
                let cols = if self.cols - col < 2 * tile { self.cols - col } else { tile };
                Self { cols, ..self.at(0, col) }.tall::<V>();
                col += cols;
            }
        }
    }
}

impl<T: Number> Task<T> {
    /// Columns that are computed together from the first row to the last, so that the rows of samples that two bands share
    /// are still in the first cache.
    const fn tile(&self) -> usize {
        if self.height <= 4 {
            return self.cols;
        }
        let tile = FIRST_CACHE / size_of::<T>() / (self.height + 2 * ROWS);
        if tile < 128 { 128 } else { tile / 64 * 64 }
    }

    /// Outputs before the first that begins a line of the cache: registers that are stored across two lines cost a third
    /// of the time of a small kernel. A block of `step` outputs covers them, so that the next ones may begin there; none
    /// where there is no such block, or outputs are added to.
    #[inline(always)]
    fn unaligned(self, step: usize) -> usize {
        let before = self.output.align_offset(64);
        if self.add || before >= step || before + step > self.cols { 0 } else { before }
    }

    /// All rows of outputs.
    #[inline(always)]
    unsafe fn tall<V: Register<Number = T>>(self) {
        unsafe {
            let mut row = 0;
            if self.height > 1 {
                while row + ROWS <= self.rows {
                    self.band::<V>(row);
                    row += ROWS;
                }
                // Outputs that are added to must be visited once; others may be computed twice.
                if row < self.rows && self.rows >= ROWS && !self.add {
                    return self.band::<V>(self.rows - ROWS);
                }
            }
            while row < self.rows {
                self.line::<V>(row);
                row += 1;
            }
        }
    }

    /// The same task from this output on.
    #[inline(always)]
    unsafe fn at(self, row: usize, col: usize) -> Self {
        unsafe {
            Self {
                input: self.input.add(row * self.input_stride + col),
                output: self.output.add(row * self.output_stride + col),
                ..self
            }
        }
    }

    /// Four rows of outputs, by loops that know small sides of the kernel: with few taps a loop costs more than they do.
    #[inline(always)]
    unsafe fn band<V: Register<Number = T>>(self, row: usize) {
        unsafe {
            match (self.height, self.width) {
                (2, _) => self.at(row, 0).blocks::<V, 2, 0>(),
                (3, 3) => self.at(row, 0).blocks::<V, 3, 3>(),
                (3, _) => self.at(row, 0).blocks::<V, 3, 0>(),
                (_, 1) => self.at(row, 0).blocks::<V, 4, 1>(),
                _ => self.at(row, 0).blocks::<V, 4, 0>(),
            }
        }
    }

    /// The first four rows of outputs. The kernel has `H` rows, or 4 and more; `W` taps in a row, or any where it is 0.
    #[inline(always)]
    unsafe fn blocks<V: Register<Number = T>, const H: usize, const W: usize>(self) {
        unsafe {
            let step = if V::MANY { 4 * V::WIDTH } else { 2 * V::WIDTH };
            let mut col = self.unaligned(step);
            if col > 0 {
                self.wide::<V, H, W>();
            }
            while col + step <= self.cols {
                self.at(0, col).wide::<V, H, W>();
                col += step;
            }
            if col < self.cols && self.cols >= step && !self.add {
                return self.at(0, self.cols - step).wide::<V, H, W>();
            }
            while col + V::WIDTH <= self.cols {
                block_4x1::<V, H, 0>(self.at(0, col));
                col += V::WIDTH;
            }
            if col < self.cols && self.cols >= V::WIDTH && !self.add {
                return block_4x1::<V, H, 0>(self.at(0, self.cols - V::WIDTH));
            }
            while col < self.cols {
                block_4x1::<T::One, H, 0>(self.at(0, col));
                col += 1;
            }
        }
    }

    #[inline(always)]
    unsafe fn wide<V: Register<Number = T>, const H: usize, const W: usize>(self) {
        unsafe { if V::MANY { block_4x4::<V, H, W>(self) } else { block_4x2::<V, H, W>(self) } }
    }

    /// One row of outputs.
    #[inline(always)]
    unsafe fn line<V: Register<Number = T>>(self, row: usize) {
        unsafe {
            let mut col = self.at(row, 0).unaligned(8 * V::WIDTH);
            if col > 0 {
                line_8::<V>(self.at(row, 0));
            }
            while col + 8 * V::WIDTH <= self.cols {
                line_8::<V>(self.at(row, col));
                col += 8 * V::WIDTH;
            }
            if col < self.cols && self.cols >= 8 * V::WIDTH && !self.add {
                return line_8::<V>(self.at(row, self.cols - 8 * V::WIDTH));
            }
            while col + V::WIDTH <= self.cols {
                line_1::<V>(self.at(row, col));
                col += V::WIDTH;
            }
            if col < self.cols && self.cols >= V::WIDTH && !self.add {
                return line_1::<V>(self.at(row, self.cols - V::WIDTH));
            }
            while col < self.cols {
                line_1::<T::One>(self.at(row, col));
                col += 1;
            }
        }
    }
}

/// Adds a tap times a row of registers to the sums of one row of outputs.
macro_rules! multiply {
    ($sums:expr, $x:ident, $tap:ident, [$($c:literal)*]) => {
        $( $sums[$c] = $x[$c].fused($tap, $sums[$c]); )*
    };
}

/// A block of 4 rows by some registers; straight-line code, since loops over sums are left rolled.
macro_rules! block {
    ($block:ident, $row:ident, $count:literal, $all:tt, [$($c:literal)*]) => {
        #[inline(always)]
        unsafe fn $block<V: Register, const H: usize, const W: usize>(task: Task<V::Number>) {
            unsafe {
                let mut sums = [[V::splat(V::Number::default()); $count]; ROWS];
                if task.add {
                    let at = |r: usize, c: usize| task.output.add(r * task.output_stride + c * V::WIDTH);
                    $(
                        sums[0][$c] = V::load(at(0, $c));
                        sums[1][$c] = V::load(at(1, $c));
                        sums[2][$c] = V::load(at(2, $c));
                        sums[3][$c] = V::load(at(3, $c));
                    )*
                }
                let width = if W == 0 { task.width } else { W };
                // The rows of outputs from LOW to below HIGH to which a row of samples belongs.
                macro_rules! row {
                    ($i:expr, $low:literal, $high:literal) => {
                        $row::<V, $low, $high, W>(
                            &mut sums,
                            task.input.add($i * task.input_stride),
                            task.taps.wrapping_add($i * width),
                            width,
                        )
                    };
                }
                row!(0, 0, 1);
                row!(1, 0, 2);
                match H {
                    2 => {
                        row!(2, 1, 3);
                        row!(3, 2, 4);
                        row!(4, 3, 4);
                    }
                    3 => {
                        row!(2, 0, 3);
                        row!(3, 1, 4);
                        row!(4, 2, 4);
                        row!(5, 3, 4);
                    }
                    _ => {
                        row!(2, 0, 3);
                        for i in 3..task.height {
                            row!(i, 0, 4);
                        }
                        row!(task.height, 1, 4);
                        row!(task.height + 1, 2, 4);
                        row!(task.height + 2, 3, 4);
                    }
                }
                let at = |r: usize, c: usize| task.output.add(r * task.output_stride + c * V::WIDTH);
                $(
                    sums[0][$c].store(at(0, $c));
                    sums[1][$c].store(at(1, $c));
                    sums[2][$c].store(at(2, $c));
                    sums[3][$c].store(at(3, $c));
                )*
            }
        }

        /// One row of samples: tap row `i - r` for the rows of outputs from `LOW` to below `HIGH`.
        #[inline(always)]
        unsafe fn $row<V: Register, const LOW: usize, const HIGH: usize, const W: usize>(
            sums: &mut [[V; $count]; ROWS],
            samples: *const V::Number,
            taps: *const V::Number,
            width: usize,
        ) {
            unsafe {
                let width = if W == 0 { width } else { W };
                for j in 0..width {
                    let x = [$( V::load(samples.add(j + $c * V::WIDTH)) ),*];
                    if LOW == 0 {
                        let tap = V::splat(*taps.wrapping_add(j));
                        multiply!(sums[0], x, tap, $all);
                    }
                    if LOW <= 1 && 1 < HIGH {
                        let tap = V::splat(*taps.wrapping_add(j).wrapping_sub(width));
                        multiply!(sums[1], x, tap, $all);
                    }
                    if LOW <= 2 && 2 < HIGH {
                        let tap = V::splat(*taps.wrapping_add(j).wrapping_sub(2 * width));
                        multiply!(sums[2], x, tap, $all);
                    }
                    if LOW <= 3 && 3 < HIGH {
                        let tap = V::splat(*taps.wrapping_add(j).wrapping_sub(3 * width));
                        multiply!(sums[3], x, tap, $all);
                    }
                }
            }
        }
    };
}

block!(block_4x4, row_4x4, 4, [0 1 2 3], [0 1 2 3]);
block!(block_4x2, row_4x2, 2, [0 1], [0 1]);
block!(block_4x1, row_4x1, 1, [0], [0]);

/// Some registers of one row of outputs.
macro_rules! line {
    ($line:ident, $count:literal, [$($c:literal)*]) => {
        #[inline(always)]
        unsafe fn $line<V: Register>(task: Task<V::Number>) {
            unsafe {
                let mut sums = [V::splat(V::Number::default()); $count];
                if task.add {
                    $( sums[$c] = V::load(task.output.add($c * V::WIDTH)); )*
                }
                for a in 0..task.height {
                    let samples = task.input.add(a * task.input_stride);
                    let taps = task.taps.add(a * task.width);
                    for j in 0..task.width {
                        let tap = V::splat(*taps.add(j));
                        $( sums[$c] = V::load(samples.add(j + $c * V::WIDTH)).fused(tap, sums[$c]); )*
                    }
                }
                $( sums[$c].store(task.output.add($c * V::WIDTH)); )*
            }
        }
    };
}

line!(line_8, 8, [0 1 2 3 4 5 6 7]);
line!(line_1, 1, [0]);

#[cfg(test)]
mod tests {
    use super::*;

    fn noise<T: Number>(len: usize, seed: usize, of: impl Fn(f64) -> T) -> Vec<T> {
        (0..len).map(|i| of(((i * 7919 + seed * 104_729) % 1009) as f64 / 504.0 - 1.0)).collect()
    }

    /// Output by output, in the order that every width keeps.
    fn naive(stencil: &Stencil<'_, f64>, row: usize, col: usize, mut sum: f64) -> f64 {
        for a in 0..stencil.rows {
            for b in 0..stencil.cols {
                let x = stencil.input[(row + a) * stencil.stride + col + b];
                sum = x.mul_add(stencil.taps[a * stencil.cols + b], sum);
            }
        }
        sum
    }

    const SHAPES: [(usize, usize, usize, usize); 9] = [
        (1, 1, 1, 1),
        (3, 3, 9, 131),
        (1, 5, 2, 300),
        (7, 1, 6, 17),
        (2, 3, 3, 5),
        (5, 5, 4, 64),
        (11, 4, 7, 70),
        (2, 2, 5, 33),
        (4, 9, 13, 8),
    ];

    #[test]
    fn the_sums_are_the_definition() {
        for (i, (height, width, rows, cols)) in SHAPES.into_iter().enumerate() {
            for add in [false, true] {
                let (taps, stride) = (noise(height * width, i, |x| x), cols + width + 2);
                let input = noise((rows + height) * stride, i + 1, |x| x);
                let stencil = Stencil { taps: &taps, rows: height, cols: width, input: &input, stride };
                for form in Width::available() {
                    let mut found = vec![0.25; rows * (cols + 1)];
                    let mut outputs = Outputs { samples: &mut found, stride: cols + 1, rows, cols };
                    correlate(form, &stencil, &mut outputs, add);
                    for (at, value) in found.iter().enumerate() {
                        let (r, c) = (at / (cols + 1), at % (cols + 1));
                        let start = if add { 0.25 } else { 0.0 };
                        let expected = if c < cols { naive(&stencil, r, c, start) } else { 0.25 };
                        assert_eq!(value.to_bits(), expected.to_bits(), "{form:?}, shape {i}, ({r}, {c})");
                    }
                }
            }
        }
    }

    #[test]
    fn all_widths_give_the_same_bits_in_single_precision() {
        for (i, (height, width, rows, cols)) in SHAPES.into_iter().enumerate() {
            let taps = noise(height * width, i, |x| x as f32);
            let stride = cols + width - 1;
            let input = noise((rows + height - 1) * stride, i + 3, |x| x as f32);
            let stencil = Stencil { taps: &taps, rows: height, cols: width, input: &input, stride };
            let run = |form| {
                let mut found = vec![0.0; rows * cols];
                correlate(
                    form,
                    &stencil,
                    &mut Outputs { samples: &mut found, stride: cols, rows, cols },
                    false,
                );
                found.into_iter().map(f32::to_bits).collect::<Vec<_>>()
            };
            let plain = run(Width::available()[0]);
            assert!(Width::available().into_iter().all(|form| run(form) == plain), "shape {i}");
        }
    }
}
