//! The discrete Fourier transform of real input: the only file that names the transform crates.
//!
//! A plan is made once for a length and used for every frame or tile with scratch that the caller owns.
//! The transform takes any length; lengths whose prime factors are small (2, 3, 5, 7) are the fast ones.

use std::fmt;
use std::sync::Arc;

pub(super) use realfft::FftNum;
pub use realfft::num_complex::Complex;
use realfft::{ComplexToReal, RealFftPlanner, RealToComplex};

use super::sample::Sample;

/// A plan for the transform of `len` real samples to `len / 2 + 1` bins and back; cloning it shares its tables.
///
/// Neither direction is normalised: `inverse(forward(x))` is `len` times `x`. The negative frequencies, which
/// mirror the positive ones, are left out.
///
/// ```
/// use wordwave::convolution::fourier::{Complex, RealFft};
/// let plan = RealFft::<f64>::new(4);
/// let mut scratch = plan.scratch();
/// let mut spectrum = vec![Complex::default(); plan.bins()];
/// plan.forward(&mut [1.0, 0.0, 0.0, 0.0], &mut spectrum, &mut scratch);
/// assert_eq!(spectrum, [Complex::new(1.0, 0.0); 3]);
/// ```
#[derive(Clone)]
pub struct RealFft<T> {
    forward: Arc<dyn RealToComplex<T>>,
    inverse: Arc<dyn ComplexToReal<T>>,
}

/// Working memory for one [`RealFft`] plan; each thread has its own. It grows to what a plan needs, so one scratch
/// can serve several plans in turn.
#[derive(Clone, Debug, Default)]
pub struct FftScratch<T> {
    values: Vec<Complex<T>>,
}

impl<T> fmt::Debug for RealFft<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RealFft").field("len", &self.forward.len()).finish_non_exhaustive()
    }
}

impl<T: Sample> RealFft<T> {
    /// Plans both directions for `len` real samples.
    ///
    /// # Panics
    /// Where `len` is 0: a transform of nothing has no bins.
    #[must_use]
    pub fn new(len: usize) -> Self {
        assert!(len >= 1, "a Fourier transform needs at least one sample");
        let mut planner = RealFftPlanner::new();
        Self { forward: planner.plan_fft_forward(len), inverse: planner.plan_fft_inverse(len) }
    }

    /// The number of real samples, at least 1.
    #[must_use]
    #[expect(clippy::len_without_is_empty, reason = "a plan is never empty")]
    pub fn len(&self) -> usize {
        self.forward.len()
    }

    /// The number of bins, `len / 2 + 1`: bin `k` is the frequency `k * sample_rate / len`.
    #[must_use]
    pub fn bins(&self) -> usize {
        self.len() / 2 + 1
    }

    /// Working memory large enough for both directions of this plan.
    #[must_use]
    pub fn scratch(&self) -> FftScratch<T> {
        let mut scratch = FftScratch { values: Vec::new() };
        scratch.ensure(self.forward.get_scratch_len().max(self.inverse.get_scratch_len()));
        scratch
    }

    /// `spectrum[k] = sum over n of input[n] * exp(-2 pi i k n / len)`; `input` is destroyed.
    ///
    /// # Panics
    /// Where `input` is not `len` samples or `spectrum` not `bins` bins long.
    pub fn forward(&self, input: &mut [T], spectrum: &mut [Complex<T>], scratch: &mut FftScratch<T>) {
        assert_eq!((input.len(), spectrum.len()), (self.len(), self.bins()), "samples and bins of the plan");
        let values = scratch.ensure(self.forward.get_scratch_len());
        let result = self.forward.process_with_scratch(input, spectrum, values);
        debug_assert!(result.is_ok(), "lengths were checked above");
    }

    /// `output[n] = sum over all len bins of spectrum[k] * exp(2 pi i k n / len)`, the missing bins taken as the
    /// conjugates of those given: `len` times the signal whose spectrum it is. `spectrum` is destroyed.
    ///
    /// A real signal has no imaginary part in bin 0 and, for even `len`, in the last one: what stands there is
    /// ignored.
    ///
    /// # Panics
    /// Where `spectrum` is not `bins` bins or `output` not `len` samples long.
    pub fn inverse(&self, spectrum: &mut [Complex<T>], output: &mut [T], scratch: &mut FftScratch<T>) {
        assert_eq!((output.len(), spectrum.len()), (self.len(), self.bins()), "samples and bins of the plan");
        spectrum[0].im = T::ZERO;
        if self.len().is_multiple_of(2) {
            spectrum[self.len() / 2].im = T::ZERO;
        }
        let values = scratch.ensure(self.inverse.get_scratch_len());
        let result = self.inverse.process_with_scratch(spectrum, output, values);
        debug_assert!(result.is_ok(), "lengths and imaginary parts were set above");
    }
}

impl<T: Sample> FftScratch<T> {
    /// The first `len` values, after growing where there are fewer.
    fn ensure(&mut self, len: usize) -> &mut [Complex<T>] {
        if self.values.len() < len {
            self.values.resize(len, Complex::new(T::ZERO, T::ZERO));
        }
        &mut self.values[..len]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LENGTHS: [usize; 14] = [1, 2, 3, 4, 5, 7, 8, 12, 17, 31, 64, 97, 400, 512];

    fn signal(len: usize) -> Vec<f64> {
        (0..len).map(|n| libm::sin(n as f64 * 1.7 + 0.3) + 0.25 * (n % 3) as f64).collect()
    }

    fn forward(input: &[f64]) -> Vec<Complex<f64>> {
        let plan = RealFft::new(input.len());
        let mut spectrum = vec![Complex::default(); plan.bins()];
        plan.forward(&mut input.to_vec(), &mut spectrum, &mut plan.scratch());
        spectrum
    }

    #[test]
    fn forward_is_the_definition() {
        for len in LENGTHS {
            let input = signal(len);
            for (k, bin) in forward(&input).iter().enumerate() {
                let mut expected = Complex::new(0.0, 0.0);
                for (n, x) in input.iter().enumerate() {
                    let angle = -2.0 * std::f64::consts::PI * ((k * n) % len) as f64 / len as f64;
                    expected += Complex::new(x * libm::cos(angle), x * libm::sin(angle));
                }
                assert!((bin - expected).norm() < 1e-11, "length {len}, bin {k}: {bin} for {expected}");
            }
        }
    }

    #[test]
    fn inverse_undoes_forward_times_len() {
        for len in LENGTHS {
            let plan = RealFft::new(len);
            let mut scratch = FftScratch::default();
            let mut spectrum = forward(&signal(len));
            let mut output = vec![0.0; len];
            plan.inverse(&mut spectrum, &mut output, &mut scratch);
            for (x, y) in signal(len).iter().zip(&output) {
                assert!((x - y / len as f64).abs() < 1e-13, "length {len}: {x} became {y}");
            }
        }
    }

    #[test]
    fn parseval_holds_in_both_precisions() {
        let input = signal(400);
        let energy: f64 = input.iter().map(|x| x * x).sum();
        let spectrum = forward(&input);
        let sides = |bins: &[f64]| bins.iter().sum::<f64>() * 2.0 - bins[0] - bins[200];
        let powers: Vec<f64> = spectrum.iter().map(Complex::norm_sqr).collect();
        assert!((sides(&powers) / 400.0 - energy).abs() < 1e-10 * energy);

        let plan = RealFft::<f32>::new(400);
        let mut single = vec![Complex::default(); plan.bins()];
        let mut samples: Vec<f32> = input.iter().map(|&x| x as f32).collect();
        plan.forward(&mut samples, &mut single, &mut plan.scratch());
        let powers: Vec<f64> = single.iter().map(|z| f64::from(z.norm_sqr())).collect();
        assert!((sides(&powers) / 400.0 - energy).abs() < 1e-5 * energy);
    }

    #[test]
    fn imaginary_parts_that_no_real_signal_has_are_ignored() {
        let plan = RealFft::<f64>::new(2);
        let mut output = [0.0; 2];
        let mut spectrum = [Complex::new(3.0, 9.0), Complex::new(1.0, -9.0)];
        plan.inverse(&mut spectrum, &mut output, &mut plan.scratch());
        assert_eq!(output, [4.0, 2.0]);
    }
}
