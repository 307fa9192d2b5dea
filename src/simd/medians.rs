//! Medians of windows of 3 by 3 and 5 by 5 by comparisons alone, the same ones everywhere, so that a register holds as
//! many windows as it has numbers.
//!
//! Each column of a window is sorted once for all windows that it is in. Sort the ranks across the columns too, and both
//! ways are in order: what stands at row i and column j of 5 has `(i + 1)(j + 1) - 1` others below it and
//! `(5 - i)(5 - j) - 1` above, so that only three antidiagonals can hold the median (Kolte, Smith and Su 1999 for the
//! sorted columns). Of the outer two only the largest and the least are left, and the median is the middle of those and
//! of the median of the inner one.

use super::dispatch::{Work, dispatch};
use super::register::{Number, Register};
use super::{Buffer, Outputs, Width};

/// Outputs of a row that are computed together, so that their sorted columns stay in the first cache.
const STRETCH: usize = 512;

/// Sides of the windows that there are networks for.
pub const MEDIAN_SIDES: [usize; 2] = [3, 5];

/// Writes the median of the `side` by `side` numbers of `input`, whose rows begin `stride` apart, from each output's place
/// on. None of the numbers may be NaN. All widths give the same bits. `sorted` is working memory.
///
/// # Panics
/// Where `side` is none of [`MEDIAN_SIDES`], or numbers or room for the outputs are missing.
pub fn medians<T: Number>(
    width: Width,
    side: usize,
    (input, stride): (&[T], usize),
    sorted: &mut Buffer<T>,
    outputs: &mut Outputs<'_, T>,
) {
    if outputs.rows == 0 || outputs.cols == 0 {
        return;
    }
    let reach = side - 1;
    assert!(MEDIAN_SIDES.contains(&side), "a network for the window");
    assert!(
        input.len() >= (outputs.rows - 1 + reach) * stride + outputs.cols + reach,
        "numbers for every window"
    );
    assert!(outputs.samples.len() >= (outputs.rows - 1) * outputs.stride + outputs.cols, "room for outputs");
    assert!(outputs.rows == 1 || outputs.stride >= outputs.cols, "rows that do not overlap");
    let room = STRETCH + 16;
    sorted.resize(side * room);
    let task = Medians {
        input: input.as_ptr(),
        input_stride: stride,
        sorted: sorted.as_mut_ptr(),
        room,
        output: outputs.samples.as_mut_ptr(),
        output_stride: outputs.stride,
        rows: outputs.rows,
        cols: outputs.cols,
    };
    if side == 3 { dispatch(width, Of3(task)) } else { dispatch(width, Of5(task)) }
}

/// Windows and their outputs, checked.
#[derive(Clone, Copy)]
struct Medians<T> {
    input: *const T,
    input_stride: usize,
    /// Sorted columns: the least of each, then the second of each, and so on, `room` apart.
    sorted: *mut T,
    room: usize,
    output: *mut T,
    output_stride: usize,
    rows: usize,
    cols: usize,
}

struct Of3<T>(Medians<T>);
struct Of5<T>(Medians<T>);

// SAFETY of the blocks below: `medians` has checked that every window lies in the input and every output in its slice, and
// made room for the sorted columns of a stretch; a register is only asked for where all its numbers lie in them.

/// Calls a function with places whose registers cover `$len` numbers, the last one over what is left; one number at a time
/// where there are fewer than a register holds. The second register begins at `$before` where that is not 0. A macro, since only what is inlined is compiled for the instructions.
macro_rules! each {
    ($wide:ty, $one:ty, $len:expr, $before:expr, $call:ident) => {{
        let len = $len;
        let mut k = 0;
        if $before > 0 && $before + <$wide>::WIDTH <= len {
            $call!($wide, 0);
            k = $before;
        }
        while k + <$wide>::WIDTH <= len {
            $call!($wide, k);
            k += <$wide>::WIDTH;
        }
        if k < len && len >= <$wide>::WIDTH {
            $call!($wide, len - <$wide>::WIDTH);
        } else {
            while k < len {
                $call!($one, k);
                k += 1;
            }
        }
    }};
}

macro_rules! network {
    ($windows:ident, $sort:ident, $pick:ident, $side:literal) => {
        impl<T: Number> Work<T> for $windows<T> {
            type Output = ();

            #[inline(always)]
            unsafe fn run<V: Register<Number = T>>(self) {
                unsafe {
                    let task = self.0;
                    let mut first = 0;
                    while first < task.cols {
                        let cols = (task.cols - first).min(STRETCH);
                        for row in 0..task.rows {
                            let from = task.input.add(row * task.input_stride + first);
                            let to = task.output.add(row * task.output_stride + first);
                            macro_rules! sort {
                                ($register:ty, $k:expr) => {
                                    $sort::<$register>(
                                        from.add($k),
                                        task.input_stride,
                                        task.sorted.add($k),
                                        task.room,
                                    )
                                };
                            }
                            macro_rules! pick {
                                ($register:ty, $k:expr) => {
                                    $pick::<$register>(task.sorted.add($k), task.room).store(to.add($k))
                                };
                            }
                            each!(V, T::One, cols + $side - 1, 0, sort);
                            // Stored within a line of the cache.
                            let before = to.align_offset(64) % V::WIDTH;
                            each!(V, T::One, cols, before, pick);
                        }
                        first += cols;
                    }
                }
            }
        }
    };
}

network!(Of3, sort_3, pick_3, 3);
network!(Of5, sort_5, pick_5, 5);

/// The lesser and the greater.
#[inline(always)]
unsafe fn pair<V: Register>(a: V, b: V) -> (V, V) {
    unsafe { (a.min(b), a.max(b)) }
}

#[inline(always)]
unsafe fn middle<V: Register>(a: V, b: V, c: V) -> V {
    unsafe {
        let (low, high) = pair(a, b);
        low.max(high.min(c))
    }
}

#[inline(always)]
unsafe fn order_3<V: Register>(a: V, b: V, c: V) -> (V, V, V) {
    unsafe {
        let (a, b) = pair(a, b);
        let (b, c) = pair(b, c);
        let (a, b) = pair(a, b);
        (a, b, c)
    }
}

#[inline(always)]
unsafe fn order_5<V: Register>(x: [V; 5]) -> [V; 5] {
    unsafe {
        let [a, b, c, d, e] = x;
        let (a, b) = pair(a, b);
        let (d, e) = pair(d, e);
        let (c, e) = pair(c, e);
        let (c, d) = pair(c, d);
        let (b, e) = pair(b, e);
        let (a, d) = pair(a, d);
        let (a, c) = pair(a, c);
        let (b, d) = pair(b, d);
        let (b, c) = pair(b, c);
        [a, b, c, d, e]
    }
}

/// The greatest and the one before it.
#[inline(always)]
unsafe fn top_2<V: Register>(x: [V; 5]) -> (V, V) {
    unsafe {
        let (mut second, mut first) = pair(x[0], x[1]);
        macro_rules! insert {
            ($($i:literal)*) => {$(
                second = second.max(first.min(x[$i]));
                first = first.max(x[$i]);
            )*};
        }
        insert!(2 3 4);
        (first, second)
    }
}

/// The greatest three, from the third on upwards.
#[inline(always)]
unsafe fn top_3<V: Register>(x: [V; 5]) -> (V, V, V) {
    unsafe {
        let (mut third, mut second, mut first) = order_3(x[0], x[1], x[2]);
        macro_rules! insert {
            ($($i:literal)*) => {$(
                third = third.max(second.min(x[$i]));
                second = second.max(first.min(x[$i]));
                first = first.max(x[$i]);
            )*};
        }
        insert!(3 4);
        (third, second, first)
    }
}

/// The least and the one after it.
#[inline(always)]
unsafe fn bottom_2<V: Register>(x: [V; 5]) -> (V, V) {
    unsafe {
        let (mut first, mut second) = pair(x[0], x[1]);
        macro_rules! insert {
            ($($i:literal)*) => {$(
                second = second.min(first.max(x[$i]));
                first = first.min(x[$i]);
            )*};
        }
        insert!(2 3 4);
        (first, second)
    }
}

/// The least three, upwards.
#[inline(always)]
unsafe fn bottom_3<V: Register>(x: [V; 5]) -> (V, V, V) {
    unsafe {
        let (mut first, mut second, mut third) = order_3(x[0], x[1], x[2]);
        macro_rules! insert {
            ($($i:literal)*) => {$(
                third = third.min(second.max(x[$i]));
                second = second.min(first.max(x[$i]));
                first = first.min(x[$i]);
            )*};
        }
        insert!(3 4);
        (first, second, third)
    }
}

#[inline(always)]
unsafe fn middle_of_5<V: Register>(x: [V; 5]) -> V {
    unsafe {
        let [a, b, c, d, e] = x;
        let (a, b) = pair(a, b);
        let (c, d) = pair(c, d);
        // Neither the least nor the greatest of four is the middle of five.
        let (low, high) = (a.max(c), b.min(d));
        middle(low, high, e)
    }
}

#[inline(always)]
unsafe fn sort_3<V: Register>(from: *const V::Number, stride: usize, to: *mut V::Number, room: usize) {
    unsafe {
        let row = |r: usize| V::load(from.add(r * stride));
        let (a, b, c) = order_3(row(0), row(1), row(2));
        a.store(to);
        b.store(to.add(room));
        c.store(to.add(2 * room));
    }
}

#[inline(always)]
unsafe fn sort_5<V: Register>(from: *const V::Number, stride: usize, to: *mut V::Number, room: usize) {
    unsafe {
        let row = |r: usize| V::load(from.add(r * stride));
        let [a, b, c, d, e] = order_5([row(0), row(1), row(2), row(3), row(4)]);
        a.store(to);
        b.store(to.add(room));
        c.store(to.add(2 * room));
        d.store(to.add(3 * room));
        e.store(to.add(4 * room));
    }
}

/// Of nine in three sorted columns: the middle one of the greatest of the least, the middle of the middle and the least of
/// the greatest.
#[inline(always)]
unsafe fn pick_3<V: Register>(from: *const V::Number, room: usize) -> V {
    unsafe {
        let rank = |i: usize, j: usize| V::load(from.add(i * room + j));
        let low = rank(0, 0).max(rank(0, 1)).max(rank(0, 2));
        let mid = middle(rank(1, 0), rank(1, 1), rank(1, 2));
        let high = rank(2, 0).min(rank(2, 1)).min(rank(2, 2));
        middle(low, mid, high)
    }
}

#[inline(always)]
unsafe fn pick_5<V: Register>(from: *const V::Number, room: usize) -> V {
    unsafe {
        let ranks = |i: usize| {
            let at = |j: usize| V::load(from.add(i * room + j));
            [at(0), at(1), at(2), at(3), at(4)]
        };
        let (a5, a4) = top_2(ranks(0));
        let (b3, b4, b5) = top_3(ranks(1));
        let [_, c2, c3, c4, _] = order_5(ranks(2));
        let (d1, d2, d3) = bottom_3(ranks(3));
        let (e1, e2) = bottom_2(ranks(4));
        let low = a4.max(b3).max(c2.max(d1));
        let high = b5.min(c4).min(d3.min(e2));
        middle(low, high, middle_of_5([a5, b4, c3, d2, e1]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run<T: Number>(width: Width, side: usize, input: &[T], stride: usize) -> Vec<T> {
        let (rows, cols) = (input.len() / stride + 1 - side, stride + 1 - side);
        let mut found = vec![T::default(); rows * cols];
        let mut outputs = Outputs { samples: &mut found, stride: cols, rows, cols };
        medians(width, side, (input, stride), &mut Buffer::default(), &mut outputs);
        found
    }

    fn naive(side: usize, input: &[f32], stride: usize) -> Vec<f32> {
        let (rows, cols) = (input.len() / stride + 1 - side, stride + 1 - side);
        let middle = |at: usize| {
            let (row, col) = (at / cols, at % cols);
            let mut window: Vec<f32> =
                (0..side * side).map(|k| input[(row + k / side) * stride + col + k % side]).collect();
            window.sort_by(f32::total_cmp);
            window[side * side / 2]
        };
        (0..rows * cols).map(middle).collect()
    }

    /// A network of comparisons that sorts zeros and ones right sorts everything right, and columns of zeros and ones
    /// differ in no more than how many ones they have.
    #[test]
    fn the_networks_are_right_on_every_pattern() {
        for side in MEDIAN_SIDES {
            let patterns = (side + 1).pow(side as u32);
            for pattern in 0..patterns {
                let ones = |col: usize| pattern / (side + 1).pow(col as u32) % (side + 1);
                let window: Vec<f32> =
                    (0..side * side).map(|k| if k / side < ones(k % side) { 1.0 } else { 0.0 }).collect();
                assert_eq!(run(Width::available()[0], side, &window, side), naive(side, &window, side));
            }
        }
    }

    #[test]
    fn every_width_gives_the_middle_of_the_sorted_window() {
        for (rows, stride) in [(5, 5), (6, 9), (7, 40), (9, 1100)] {
            let input: Vec<f32> = (0..rows * stride).map(|i| ((i * i * 7919) % 251) as f32).collect();
            for side in MEDIAN_SIDES {
                let expected = naive(side, &input, stride);
                let wide: Vec<f64> = input.iter().map(|&x| f64::from(x)).collect();
                for width in Width::available() {
                    assert_eq!(run(width, side, &input, stride), expected, "{width:?} {side}");
                    let found: Vec<f32> =
                        run(width, side, &wide, stride).into_iter().map(|x| x as f32).collect();
                    assert_eq!(found, expected);
                }
            }
        }
    }
}
