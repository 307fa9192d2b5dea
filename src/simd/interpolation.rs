//! Interpolation by sincs under a raised cosine: one side of the sum.
//!
//! The sum has one order, the same in every width: eight sums that go side by side, then these.

use super::Width;
use super::dispatch::{Work, dispatch};
use super::register::{Number, Register};

/// Sums that go side by side.
const LANES: usize = f64::GROUP;

/// The weights of a side: `half`, `cosine` and `sine` for each number, all multiples of 8 long, with zeros at their ends.
#[derive(Debug, Clone, Copy)]
pub struct SincWeights<'a> {
    /// A constant part.
    pub half: &'a [f64],
    /// What the cosine of the place is multiplied with.
    pub cosine: &'a [f64],
    /// What its sine is multiplied with.
    pub sine: &'a [f64],
    /// 0, 1, 2, ..
    pub number: &'a [f64],
}

/// The sum of `values[i] * (half[i] + cosine * cosines[i] - sine * sines[i]) / (offset + i)`; `offset` is over 0.
///
/// # Panics
/// Where weights differ in number or are not a multiple of 8, or there are fewer values.
#[must_use]
pub fn sinc_sum(
    width: Width,
    values: &[f64],
    weights: SincWeights<'_>,
    offset: f64,
    cosine: f64,
    sine: f64,
) -> f64 {
    let len = weights.half.len();
    assert!(len.is_multiple_of(LANES) && values.len() >= len, "a value for each weight");
    assert!(
        [weights.cosine, weights.sine, weights.number].iter().all(|of| of.len() == len),
        "as many of each"
    );
    let mut lanes = [0.0; LANES];
    dispatch(width, SincSum { values, weights, offset, cosine, sine, lanes: &mut lanes });
    let [a, b, c, d, e, f, g, h] = lanes;
    ((a + e) + (c + g)) + ((b + f) + (d + h))
}

struct SincSum<'a> {
    values: &'a [f64],
    weights: SincWeights<'a>,
    offset: f64,
    cosine: f64,
    sine: f64,
    lanes: &'a mut [f64; LANES],
}

impl Work<f64> for SincSum<'_> {
    type Output = ();

    // SAFETY: registers are loaded within whole groups of the weights, of which there are as many as values at most.
    #[inline(always)]
    unsafe fn run<V: Register<Number = f64>>(self) {
        let Self { values, weights, offset, cosine, sine, lanes } = self;
        unsafe {
            let (offset, cosine, sine) = (V::splat(offset), V::splat(cosine), V::splat(sine));
            for lane in (0..LANES).step_by(V::WIDTH) {
                let mut sum = V::splat(0.0);
                for i in (lane..weights.half.len()).step_by(LANES) {
                    let of = |from: &[f64]| V::load(from.as_ptr().add(i));
                    let raised = of(weights.cosine).fused(cosine, of(weights.half));
                    let raised = of(weights.sine).less_fused(sine, raised);
                    sum = of(values).mul(raised).div(of(weights.number).add(offset)).add(sum);
                }
                sum.store(lanes.as_mut_ptr().add(lane));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_width_gives_the_sum() {
        let of = |factor: usize| -> Vec<f64> {
            (0..48).map(|i| ((i * factor) % 101) as f64 / 50.0 - 1.0).collect()
        };
        let (half, cosine, sine, values) = (of(7), of(13), of(29), of(37));
        let number: Vec<f64> = (0..48).map(f64::from).collect();
        let weights = SincWeights { half: &half, cosine: &cosine, sine: &sine, number: &number };
        let term = |i: usize| values[i] * (half[i] + 0.8 * cosine[i] - 0.6 * sine[i]) / (0.3 + number[i]);
        let expected: f64 = (0..48).map(term).sum();
        let found =
            Width::available().into_iter().map(|width| sinc_sum(width, &values, weights, 0.3, 0.8, 0.6));
        let found: Vec<f64> = found.collect();
        assert!(found.iter().all(|sum| sum.to_bits() == found[0].to_bits()));
        assert!((found[0] - expected).abs() < 1e-12);
    }
}
