//! Sums of neighbours and of rows, number by number: plain loops, compiled for each width.

use super::Width;
use super::dispatch::{Work, dispatch};
use super::register::{Number, Register};

/// `to[i] = from[i] * factor`.
///
/// # Panics
/// Where the two differ in length.
pub fn scale<T: Number>(width: Width, from: &[T], factor: T, to: &mut [T]) {
    assert_eq!(from.len(), to.len(), "a place for each number");
    dispatch(width, Scale { from, factor, to });
}

/// `to[i] = line[i] + .. + line[i + window - 1]`, by sums of 2, 4, 8 .. neighbours: about `2 log2(window)` additions an
/// output and nothing taken away, so that no sum carries the rounding of others. `line` and `spare` are used up.
///
/// # Panics
/// Where `line` and `spare` are not `to.len() + window - 1` numbers long, or `window` is 0.
pub fn window_sums<T: Number>(width: Width, line: &mut [T], spare: &mut [T], window: usize, to: &mut [T]) {
    assert!(window >= 1 && line.len() + 1 == to.len() + window, "a window for each output");
    assert_eq!(line.len(), spare.len(), "two lines of one length");
    dispatch(width, WindowSums { line, spare, window, to });
}

/// `to[i] = a[i] + b[i]`.
///
/// # Panics
/// Where they differ in length.
pub fn add_rows<T: Number>(width: Width, a: &[T], b: &[T], to: &mut [T]) {
    assert!(a.len() == to.len() && b.len() == to.len(), "rows of one length");
    dispatch(width, AddRows { a, b, to });
}

/// `sum[i] += row[i]`, and then `to[i] = before[i] + sum[i]`.
///
/// # Panics
/// Where they differ in length.
pub fn add_running<T: Number>(width: Width, sum: &mut [T], row: &[T], before: &[T], to: &mut [T]) {
    let len = to.len();
    assert!(sum.len() == len && row.len() == len && before.len() == len, "rows of one length");
    dispatch(width, AddRunning { sum, row, before, to });
}

/// Whether every number lies in `-limit..=limit`; one that is not a number does not.
pub fn all_within<T: Number>(width: Width, numbers: &[T], limit: T) -> bool {
    dispatch(width, AllWithin { numbers, limit })
}

struct Scale<'a, T> {
    from: &'a [T],
    factor: T,
    to: &'a mut [T],
}

struct WindowSums<'a, T> {
    line: &'a mut [T],
    spare: &'a mut [T],
    window: usize,
    to: &'a mut [T],
}

struct AddRows<'a, T> {
    a: &'a [T],
    b: &'a [T],
    to: &'a mut [T],
}

struct AddRunning<'a, T> {
    sum: &'a mut [T],
    row: &'a [T],
    before: &'a [T],
    to: &'a mut [T],
}

struct AllWithin<'a, T> {
    numbers: &'a [T],
    limit: T,
}

// SAFETY of the implementations: they are safe code, which the caller has compiled for its instructions.

impl<T: Number> Work<T> for Scale<'_, T> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<V: Register<Number = T>>(self) {
        for (to, &x) in self.to.iter_mut().zip(self.from) {
            *to = x * self.factor;
        }
    }
}

impl<T: Number> Work<T> for WindowSums<'_, T> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<V: Register<Number = T>>(self) {
        let Self { mut line, mut spare, window, to } = self;
        let mut done = 0;
        let mut size = 1;
        loop {
            // `line` holds sums of `size` neighbours.
            if window & size != 0 {
                let (part, first) = (&line[done..][..to.len()], done == 0);
                done += size;
                if first {
                    to.copy_from_slice(part);
                } else {
                    for (to, &x) in to.iter_mut().zip(part) {
                        *to = *to + x;
                    }
                }
            }
            if size > window / 2 {
                break;
            }
            let len = line.len() - size;
            for ((next, &a), &b) in spare[..len].iter_mut().zip(&line[..len]).zip(&line[size..]) {
                *next = a + b;
            }
            spare = &mut spare[..len];
            (line, spare) = (spare, &mut line[..len]);
            size *= 2;
        }
    }
}

impl<T: Number> Work<T> for AddRows<'_, T> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<V: Register<Number = T>>(self) {
        for ((to, &a), &b) in self.to.iter_mut().zip(self.a).zip(self.b) {
            *to = a + b;
        }
    }
}

impl<T: Number> Work<T> for AddRunning<'_, T> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<V: Register<Number = T>>(self) {
        for (((sum, &x), &before), to) in self.sum.iter_mut().zip(self.row).zip(self.before).zip(self.to) {
            *sum = *sum + x;
            *to = before + *sum;
        }
    }
}

impl<T: Number> Work<T> for AllWithin<'_, T> {
    type Output = bool;

    #[inline(always)]
    unsafe fn run<V: Register<Number = T>>(self) -> bool {
        let within = |x: T| x <= self.limit && x >= self.limit * T::nearest(-1.0);
        self.numbers.chunks(1024).all(|chunk| chunk.iter().fold(true, |all, &x| all & within(x)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_of_any_window() {
        let numbers: Vec<f64> = (0..90).map(f64::from).collect();
        for width in Width::available() {
            for window in (1..40).chain([64, 90]) {
                let mut to = vec![0.0; 91 - window];
                window_sums(width, &mut numbers.clone(), &mut numbers.clone(), window, &mut to);
                for (i, sum) in to.iter().enumerate() {
                    let expected: f64 = numbers[i..i + window].iter().sum();
                    assert_eq!(*sum, expected, "{window} from {i}");
                }
            }
        }
    }

    #[test]
    fn limits_hold_on_both_sides_and_for_what_is_not_a_number() {
        let mut numbers = vec![1.0_f32; 3000];
        let width = Width::detect();
        assert!(all_within(width, &numbers, 1.0) && all_within::<f32>(width, &[], 0.0));
        for wild in [1.5, -1.5, f32::NAN, f32::INFINITY] {
            numbers[2500] = wild;
            assert!(!all_within(width, &numbers, 1.0));
        }
    }
}
