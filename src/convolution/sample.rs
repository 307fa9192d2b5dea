//! The two sample types that signals and images come in, `f32` and `f64`.

use std::cmp::Ordering;
use std::ops::AddAssign;

use super::fourier::FftNum;
use crate::simd::Number;

/// A sample of a signal or image: `f32` or `f64`, and nothing else can be one.
pub trait Sample: FftNum + Number + AddAssign + sealed::Sealed {
    /// Zero.
    const ZERO: Self;
    /// The largest finite value, as `f64`.
    const LARGEST: f64;
    /// How far a tap may be from its value, relative to the largest tap, before outputs show it.
    const ROUNDING: f64;

    /// The nearest sample to `value`.
    fn of(value: f64) -> Self;

    /// The total order of IEEE 754, in which every value has a place: a NaN without its sign bit comes after infinity.
    fn order(&self, other: &Self) -> Ordering;
}

impl Sample for f32 {
    const ZERO: Self = 0.0;
    const LARGEST: f64 = Self::MAX as f64;
    const ROUNDING: f64 = Self::EPSILON as f64 / 2.0;

    fn of(value: f64) -> Self {
        value as Self
    }

    fn order(&self, other: &Self) -> Ordering {
        self.total_cmp(other)
    }
}

impl Sample for f64 {
    const ZERO: Self = 0.0;
    const LARGEST: f64 = Self::MAX;
    // Eigenvectors are no more exact than this.
    const ROUNDING: f64 = 32.0 * Self::EPSILON;

    fn of(value: f64) -> Self {
        value
    }

    fn order(&self, other: &Self) -> Ordering {
        self.total_cmp(other)
    }
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for f32 {}
    impl Sealed for f64 {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_rounded_to_the_nearest_sample() {
        assert_eq!(<f32 as Sample>::of(0.1).to_bits(), 0.1_f32.to_bits());
        assert_eq!(<f64 as Sample>::of(0.1).to_bits(), 0.1_f64.to_bits());
        assert!(<f32 as Sample>::of(f32::LARGEST).is_finite());
    }

    #[test]
    fn not_a_number_comes_last() {
        let mut values = [f64::NAN, 1.0, f64::INFINITY, -1.0];
        values.sort_unstable_by(Sample::order);
        assert_eq!(values[..3], [-1.0, 1.0, f64::INFINITY]);
    }
}
