//! The analytic signal: a real signal with its Hilbert transform as imaginary part, whose length is the envelope.

use super::fourier::{Complex, RealFft};
use super::sample::Sample;

/// The analytic signal of a whole `signal`, as `scipy.signal.hilbert`: the transform with its negative frequencies taken
/// away and its positive ones doubled. The signal counts as periodic; the real part is the signal itself.
///
/// A value that is not finite makes every imaginary part so.
#[must_use]
pub fn analytic<T: Sample>(signal: &[T]) -> Vec<Complex<T>> {
    if signal.is_empty() {
        return Vec::new();
    }
    let plan = RealFft::new(signal.len());
    let (mut scratch, mut turned) = (plan.scratch(), signal.to_vec());
    let mut spectrum = vec![Complex::new(T::ZERO, T::ZERO); plan.bins()];
    plan.forward(&mut turned, &mut spectrum, &mut scratch);
    // The Hilbert transform turns positive frequencies by -i and has neither a mean nor half the sample rate.
    let scale = T::of(1.0 / signal.len() as f64);
    for bin in &mut spectrum {
        *bin = Complex::new(bin.im * scale, -bin.re * scale);
    }
    spectrum[0] = Complex::new(T::ZERO, T::ZERO);
    plan.inverse(&mut spectrum, &mut turned, &mut scratch);
    signal.iter().zip(turned).map(|(&re, im)| Complex::new(re, im)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cosine_turns_once_in_a_period() {
        for len in [1, 2, 9, 16] {
            let at = |n: usize| 2.0 * std::f64::consts::PI * 2.0 * n as f64 / len as f64;
            let cosine: Vec<f64> = (0..len).map(|n| libm::cos(at(n))).collect();
            for (n, value) in analytic(&cosine).iter().enumerate() {
                let sine = if len <= 2 { 0.0 } else { libm::sin(at(n)) };
                assert!((value - Complex::new(libm::cos(at(n)), sine)).norm() < 1e-14, "{len} {n}: {value}");
            }
        }
        assert!(analytic::<f32>(&[]).is_empty());
    }

    #[test]
    fn the_envelope_of_a_swelling_tone_is_its_swell() {
        let swell = |n: usize| 1.0 + 0.5 * libm::sin(2.0 * std::f64::consts::PI * n as f64 / 1000.0);
        let tone: Vec<f64> =
            (0..1000).map(|n| swell(n) * libm::sin(n as f64 * 0.2 * std::f64::consts::PI)).collect();
        let envelope = analytic(&tone);
        assert!(envelope.iter().enumerate().all(|(n, value)| (value.norm() - swell(n)).abs() < 1e-12));
    }
}
