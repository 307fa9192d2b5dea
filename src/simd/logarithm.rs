//! Logarithms and maxima of many numbers.

use super::Width;
use super::dispatch::{Work, dispatch};
use super::layout::GROUP;
use super::register::Register;

/// The largest of what `of` makes of the values, `f32::MIN` where there are none; none of it is NaN.
#[inline]
pub fn largest(values: &[f32], of: impl Fn(f32) -> f32) -> f32 {
    let larger = |a: f32, b: f32| if a > b { a } else { b };
    let (groups, rest) = values.as_chunks::<GROUP>();
    let mut most = [f32::MIN; GROUP];
    for group in groups {
        for (most, x) in most.iter_mut().zip(group) {
            *most = larger(of(*x), *most);
        }
    }
    rest.iter().map(|x| of(*x)).chain(most).fold(f32::MIN, larger)
}

/// The largest magnitude, as bits: in the order of their bits magnitudes are in their own order, and what is no number is larger
/// than all.
#[must_use]
pub fn largest_magnitude(width: Width, values: &[f32]) -> u32 {
    dispatch(width, LargestMagnitude { values })
}

struct LargestMagnitude<'a> {
    values: &'a [f32],
}

impl Work<f32> for LargestMagnitude<'_> {
    type Output = u32;

    #[inline(always)]
    unsafe fn run<V: Register<Number = f32>>(self) -> u32 {
        self.values.iter().fold(0, |largest, x| largest.max(x.to_bits() & 0x7FFF_FFFF))
    }
}

/// A logarithm times a constant.
#[derive(Debug, Clone, Copy)]
pub struct Logarithm {
    octave: f32,
    /// What `octave`, which has few digits, lacks.
    octave_rest: f32,
    coefficients: [f32; LOG_COEFFICIENTS.len()],
}

/// ln(1 + t) / t for t from √½ - 1 to √2 - 1, least coefficient first: least squares at Chebyshev nodes; its relative error
/// is under 3e-8.
const LOG_COEFFICIENTS: [f64; 9] = [
    0.999_999_974_267,
    -0.499_999_870_323,
    0.333_341_833_385,
    -0.250_021_534_61,
    0.199_569_774_831,
    -0.165_606_959_919,
    0.149_490_954_76,
    -0.143_773_305_685,
    0.087_439_453_540_2,
];

impl Logarithm {
    /// `scale * ln(x)`.
    #[must_use]
    pub fn new(scale: f64) -> Self {
        let octave = scale * std::f64::consts::LN_2;
        // Products with whole numbers under 256 are exact.
        let short = f32::from_bits((octave as f32).to_bits() & 0xFFFF_F000);
        Self {
            octave: short,
            octave_rest: (octave - f64::from(short)) as f32,
            coefficients: LOG_COEFFICIENTS.map(|c| (c * scale) as f32),
        }
    }

    /// Replaces each value, or `least` where that is larger, by its logarithm; `least` is a normal number.
    pub fn apply(&self, width: Width, values: &mut [f32], least: f32) {
        dispatch(width, Logarithms { plan: *self, least, values });
    }

    #[inline(always)]
    fn of(&self, value: f32) -> f32 {
        // The exponent is cut where the rest lies between √½ and √2.
        const HALF_ROOT: u32 = std::f32::consts::FRAC_1_SQRT_2.to_bits();
        let shifted = value.to_bits().wrapping_sub(HALF_ROOT);
        let exponent = (shifted as i32) >> 23;
        let t = f32::from_bits((shifted & 0x007F_FFFF).wrapping_add(HALF_ROOT)) - 1.0;
        let c = &self.coefficients;
        let mut sum = c[8];
        sum = sum.mul_add(t, c[7]);
        sum = sum.mul_add(t, c[6]);
        sum = sum.mul_add(t, c[5]);
        sum = sum.mul_add(t, c[4]);
        sum = sum.mul_add(t, c[3]);
        sum = sum.mul_add(t, c[2]);
        sum = sum.mul_add(t, c[1]);
        sum = sum.mul_add(t, c[0]);
        let exponent = exponent as f32;
        exponent.mul_add(self.octave, t.mul_add(sum, exponent * self.octave_rest))
    }
}

struct Logarithms<'a> {
    plan: Logarithm,
    least: f32,
    values: &'a mut [f32],
}

// SAFETY: all of it is safe, and compiled for the caller's instructions.

impl Work<f32> for Logarithms<'_> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<V: Register<Number = f32>>(self) {
        for value in self.values {
            *value = self.plan.of(if *value > self.least { *value } else { self.least });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every width gives these bits.
    fn at_every_width(mut run: impl FnMut(Width) -> Vec<f32>) -> Vec<f32> {
        let bits = |numbers: &[f32]| numbers.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
        let plain = run(Width::available()[0]);
        for width in Width::available() {
            assert_eq!(bits(&run(width)), bits(&plain), "{width:?}");
        }
        plain
    }

    #[test]
    fn what_is_no_number_is_the_largest_magnitude() {
        let mut values: Vec<f32> = (0..100).map(|i| -(i as f32)).collect();
        for width in Width::available() {
            assert_eq!(largest_magnitude(width, &values), 99.0_f32.to_bits());
            assert_eq!(largest_magnitude(width, &[]), 0);
        }
        values[7] = -f32::NAN;
        assert!(
            Width::available()
                .into_iter()
                .all(|width| largest_magnitude(width, &values) > f32::INFINITY.to_bits())
        );
    }

    #[test]
    fn logarithms_are_exact_to_the_last_digits() {
        let values: Vec<f32> = (0..40_000).map(|i| f32::from_bits(0x0080_0000 + i * 0xBEEF)).collect();
        for scale in [1.0, 1.0 / std::f64::consts::LN_10, 10.0 / std::f64::consts::LN_10] {
            let found = at_every_width(|width| {
                let mut found = values.clone();
                Logarithm::new(scale).apply(width, &mut found, 1e-30);
                found
            });
            for (value, found) in values.iter().zip(found) {
                let expected = f64::from(value.max(1e-30)).ln() * scale;
                assert!((f64::from(found) - expected).abs() < 1.2e-7 * expected.abs() + 1e-7, "{value}");
            }
        }
    }
}
