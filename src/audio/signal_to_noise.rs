//! The ratio of speech to noise from the distribution of amplitudes alone (WADA).
//!
//! Kim and Stern, "Robust signal-to-noise ratio estimation based on waveform amplitude distribution analysis", Interspeech
//! (2008): amplitudes of clean speech follow a gamma distribution of shape 0.4, noise a normal one, and
//!
//! ```text
//! G = ln(mean |z|) - mean(ln |z|)
//! ```
//!
//! of their sum grows with the ratio. Where the paper has a curve from random numbers, this one is by quadrature
//! (`wada_curve` of `tests/golden/make_golden.py`). Samples that are 0 say nothing and do not count.

/// The ratio of the first value of the curve; the next is 1 dB more.
const FIRST_DB: f64 = -20.0;

/// G of -20 to 100 dB.
const CURVE: [f64; 121] = [
    0.40943, 0.40946, 0.40950, 0.40956, 0.40964, 0.40978, 0.40997, 0.41026, 0.41069, 0.41129, 0.41215,
    0.41334, 0.41497, 0.41716, 0.42007, 0.42384, 0.42865, 0.43469, 0.44213, 0.45113, 0.46184, 0.47437,
    0.48880, 0.50515, 0.52342, 0.54355, 0.56543, 0.58893, 0.61388, 0.64009, 0.66735, 0.69545, 0.72419,
    0.75337, 0.78278, 0.81227, 0.84167, 0.87084, 0.89965, 0.92801, 0.95582, 0.98302, 1.00954, 1.03534,
    1.06039, 1.08466, 1.10814, 1.13081, 1.15269, 1.17377, 1.19406, 1.21358, 1.23234, 1.25035, 1.26763,
    1.28421, 1.30010, 1.31533, 1.32992, 1.34389, 1.35727, 1.37006, 1.38231, 1.39403, 1.40523, 1.41595,
    1.42619, 1.43598, 1.44534, 1.45429, 1.46284, 1.47102, 1.47882, 1.48629, 1.49341, 1.50022, 1.50673,
    1.51295, 1.51888, 1.52456, 1.52997, 1.53515, 1.54009, 1.54481, 1.54932, 1.55363, 1.55774, 1.56167,
    1.56543, 1.56901, 1.57243, 1.57570, 1.57882, 1.58181, 1.58465, 1.58737, 1.58997, 1.59245, 1.59482,
    1.59708, 1.59924, 1.60131, 1.60328, 1.60516, 1.60696, 1.60867, 1.61031, 1.61188, 1.61337, 1.61480,
    1.61616, 1.61747, 1.61871, 1.61990, 1.62103, 1.62211, 1.62315, 1.62414, 1.62508, 1.62598, 1.62684,
];

/// An estimate in dB, -20 to 100; `None` where all samples are 0.
#[must_use]
pub fn wada_db(samples: &[f32]) -> Option<f64> {
    let (mut sum, mut logs, mut count) = (0.0, 0.0, 0_usize);
    for sample in samples.iter().filter(|sample| **sample != 0.0) {
        let amplitude = f64::from(sample.abs());
        sum += amplitude;
        logs += libm::log(amplitude);
        count += 1;
    }
    let n = count as f64;
    (count > 0).then(|| ratio_db(libm::log(sum / n) - logs / n))
}

/// Where the curve has a value, by straight lines; its ends hold beyond them.
fn ratio_db(g: f64) -> f64 {
    let above = CURVE.partition_point(|value| *value <= g);
    let Some(below) = above.checked_sub(1) else {
        return FIRST_DB;
    };
    let [low, high] = [below, above].map(|at| CURVE[at.min(CURVE.len() - 1)]);
    let part = if high > low { (g - low) / (high - low) } else { 0.0 };
    FIRST_DB + below as f64 + part
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::random::Stream;

    #[test]
    fn the_curve_rises_and_is_read_back() {
        assert!(CURVE.windows(2).all(|pair| pair[0] < pair[1]));
        for (i, value) in CURVE.into_iter().enumerate() {
            assert!((ratio_db(value) - (i as f64 - 20.0)).abs() < 1e-9);
        }
        assert!((ratio_db(0.5 * (CURVE[40] + CURVE[41])) - 20.5).abs() < 1e-9);
        assert_eq!((ratio_db(0.0), ratio_db(9.0)), (-20.0, 100.0));
    }

    #[test]
    fn noise_has_the_least_ratio_and_zeros_have_none() {
        // Normal numbers: the sum of twelve uniform ones, less 6.
        let mut stream = Stream::new(1, "noise", 0);
        let normal = |stream: &mut Stream| (0..12).map(|_| stream.unit_f64()).sum::<f64>() - 6.0;
        let noise: Vec<f32> = (0..40_000).map(|_| (0.1 * normal(&mut stream)) as f32).collect();
        assert!(wada_db(&noise).unwrap() < -5.0);
        assert_eq!((wada_db(&[0.0; 100]), wada_db(&[])), (None, None));
    }
}
