//! Whether numbers lie within limits.

use super::Width;
use super::dispatch::{Work, dispatch};
use super::register::{Number, Register};

/// Whether every number lies in `-limit..=limit`; one that is not a number does not.
pub fn all_within<T: Number>(width: Width, numbers: &[T], limit: T) -> bool {
    dispatch(width, AllWithin { numbers, limit })
}

struct AllWithin<'a, T> {
    numbers: &'a [T],
    limit: T,
}

impl<T: Number> Work<T> for AllWithin<'_, T> {
    type Output = bool;

    // SAFETY: safe code, which the caller has compiled for its instructions.
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
