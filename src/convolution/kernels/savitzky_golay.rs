//! Savitzky-Golay kernels: a polynomial fitted to the samples about each one, and its value or slope there.

use super::super::kernel::{Kernel1d, KernelError, check_size};
use super::check_odd;

/// Samples of a Savitzky-Golay fit where not said otherwise.
pub const SAVGOL_TAPS: usize = 11;

/// Degree of the polynomial where not said otherwise.
pub const SAVGOL_ORDER: usize = 2;

impl Kernel1d {
    /// The `derivative`-th derivative (0: the value), per sample, of the polynomial of degree `order` that fits `size`
    /// samples best (Savitzky and Golay 1964). Equal to `scipy.signal.savgol_coeffs(size, order, derivative)`; near the
    /// ends the border continues the signal, `savgol_filter` with the `mode` of its name.
    ///
    /// Polynomials orthogonal on the samples (Gram's) take the place of the normal equations:
    /// `tap(x) = sum over k of p_k^(derivative)(0) p_k(x) / |p_k|^2`, which stays exact for high degrees.
    ///
    /// Fails where `size` is even, 0 or too large, `order` not below `size`, or `derivative` above `order`.
    pub fn savitzky_golay(size: usize, order: usize, derivative: usize) -> Result<Self, KernelError> {
        let kernel = "savgol";
        check_size(1, check_odd(kernel, size)?)?;
        if order >= size || order > ORDER_LIMIT {
            let needs = format!("an order below its size {size} and at most {ORDER_LIMIT}, not {order}");
            return Err(KernelError::Needs { kernel, needs });
        }
        if derivative > order {
            let needs = format!(
                "a derivative of at most its order {order}, not {derivative}: beyond it a polynomial is flat"
            );
            return Err(KernelError::Needs { kernel, needs });
        }
        Self::new(fit(size / 2, order, derivative))
    }
}

/// Beyond this degree a fit follows rounding, not samples.
const ORDER_LIMIT: usize = 30;

/// The taps by Gram's recurrence `p_(k+1)(x) = x p_k(x) - b_k p_(k-1)(x)` with `b_k = |p_k|^2 / |p_(k-1)|^2` on the
/// positions `-half..=half`, scaled to -1 to 1 so that powers stay small.
fn fit(half: usize, order: usize, derivative: usize) -> Vec<f64> {
    let scale = half.max(1) as f64;
    // A convolution turns the taps: the first one meets the last sample.
    let positions: Vec<f64> = (0..=2 * half).map(|k| (half as f64 - k as f64) / scale).collect();
    let (mut before, mut now) = (vec![0.0; positions.len()], vec![1.0; positions.len()]);
    // Derivatives 0..=derivative of both polynomials in the middle.
    let (mut slopes_before, mut slopes) = (vec![0.0; derivative + 1], vec![0.0; derivative + 1]);
    slopes[0] = 1.0;
    let mut norm_before = 1.0;
    let mut taps = vec![0.0; positions.len()];
    for k in 0..=order {
        let norm: f64 = now.iter().map(|p| p * p).sum();
        for (tap, p) in taps.iter_mut().zip(&now) {
            *tap += slopes[derivative] * p / norm;
        }
        let b = if k == 0 { 0.0 } else { norm / norm_before };
        let next = positions.iter().zip(now.iter().zip(&before)).map(|(x, (p, q))| x * p - b * q).collect();
        let slope = |d: usize| if d == 0 { 0.0 } else { d as f64 * slopes[d - 1] } - b * slopes_before[d];
        let slopes_next = (0..=derivative).map(slope).collect();
        (before, now) = (now, next);
        (slopes_before, slopes) = (slopes, slopes_next);
        norm_before = norm;
    }
    let unit = libm::pow(scale, derivative as f64);
    taps.iter().map(|tap| tap / unit).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_of_savitzky_and_golay() {
        for (tap, expected) in
            Kernel1d::savitzky_golay(5, 2, 0).unwrap().taps().iter().zip([-3., 12., 17., 12., -3.])
        {
            assert!((tap - expected / 35.0).abs() < 1e-15);
        }
        for (tap, expected) in
            Kernel1d::savitzky_golay(5, 2, 1).unwrap().taps().iter().zip([2., 1., 0., -1., -2.])
        {
            assert!((tap - expected / 10.0).abs() < 1e-15);
        }
    }

    #[test]
    fn a_polynomial_of_the_degree_comes_through_with_its_derivatives() {
        let value = |x: f64, d: usize| match d {
            0 => 1.0 - 2.0 * x + 0.5 * x * x + 0.1 * x * x * x,
            1 => -2.0 + x + 0.3 * x * x,
            2 => 1.0 + 0.6 * x,
            _ => 0.6,
        };
        for size in [5, 11, 51] {
            for derivative in 0..4 {
                let kernel = Kernel1d::savitzky_golay(size, 3, derivative).unwrap();
                let around = |k: usize| 0.25 + kernel.centre() as f64 - k as f64;
                let found: f64 =
                    kernel.taps().iter().enumerate().map(|(k, tap)| tap * value(around(k), 0)).sum();
                assert!((found - value(0.25, derivative)).abs() < 1e-9, "{size} {derivative}: {found}");
            }
        }
    }

    #[test]
    fn errors_say_what_to_write() {
        let message = |size, order, derivative| {
            Kernel1d::savitzky_golay(size, order, derivative).unwrap_err().to_string()
        };
        assert!(message(4, 2, 0).contains("odd size"));
        assert!(message(5, 5, 0).contains("an order below its size 5"));
        assert!(message(5, 2, 3).contains("at most its order 2"));
        assert_eq!(Kernel1d::savitzky_golay(1, 0, 0).unwrap().taps(), [1.0]);
    }
}
