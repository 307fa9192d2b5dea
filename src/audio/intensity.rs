//! Intensity: the level of a clip over time, smooth over the periods of a voice.
//!
//! Praat's "To Intensity" by its manual: the mean square under a Kaiser window of 6.4 periods of the lowest pitch, less
//! the mean of the samples under it, every 0.8 of those periods. Levels are in dB of full scale; Praat's are of 2e-5 Pa.

use super::periodicity::FrameTimes;

/// Of the lowest pitch.
const WINDOW_PERIODS: f64 = 6.4;
const STEP_PERIODS: f64 = 0.8;
/// The window is I0(20.24 √(1 - x²)), with side lobes under -190 dB.
const KAISER: f64 = 2.0 * std::f64::consts::PI * std::f64::consts::PI + 0.5;
/// The level of silence.
const SILENCE_DB: f64 = -300.0;

/// The plan of intensity at one sample rate.
#[derive(Debug, Clone)]
pub struct Intensity {
    rate: f64,
    window_seconds: f64,
    step_seconds: f64,
    window: Vec<f64>,
}

/// The level of a clip over time.
#[derive(Debug, Clone, Default)]
pub struct IntensityContour {
    /// When the frames are.
    pub times: FrameTimes,
    /// The level of each frame.
    pub db: Vec<f64>,
}

impl Intensity {
    /// For clips of `sample_rate` with voices of `min_hz` and more.
    #[must_use]
    pub fn new(min_hz: f64, sample_rate: u32) -> Self {
        let (rate, window_seconds) = (f64::from(sample_rate), WINDOW_PERIODS / min_hz);
        let reach = 0.5 * window_seconds * rate;
        let half = reach.floor() as isize;
        let weight = |i: isize| {
            let x = i as f64 / reach;
            bessel_i0(KAISER * (1.0 - x * x).max(0.0).sqrt())
        };
        Self {
            rate,
            window_seconds,
            step_seconds: STEP_PERIODS / min_hz,
            window: (-half..=half).map(weight).collect(),
        }
    }

    /// Computes the contour of a clip; `false` where it is shorter than a window.
    pub fn contour(&self, samples: &[f32], contour: &mut IntensityContour) -> bool {
        contour.db.clear();
        let seconds = samples.len() as f64 / self.rate;
        let Some(times) = FrameTimes::inside(seconds, self.window_seconds, self.step_seconds) else {
            return false;
        };
        contour.times = times;
        contour.db.extend((0..times.count).map(|frame| {
            let middle = (times.seconds(frame) * self.rate - 0.5).round() as isize;
            self.level_db(samples, middle - (self.window.len() / 2) as isize)
        }));
        true
    }

    fn level_db(&self, samples: &[f32], first: isize) -> f64 {
        let weights = self.window.get((-first).max(0) as usize..).unwrap_or_default();
        let samples = samples.get(first.max(0) as usize..).unwrap_or_default();
        let samples = samples.get(..weights.len()).unwrap_or(samples);
        let mean = samples.iter().map(|x| f64::from(*x)).sum::<f64>() / samples.len().max(1) as f64;
        let (mut sum, mut whole) = (0.0, 0.0);
        for (x, weight) in samples.iter().zip(weights) {
            let x = f64::from(*x) - mean;
            sum += weight * x * x;
            whole += weight;
        }
        let square = if whole > 0.0 { sum / whole } else { 0.0 };
        if square < 1e-30 { SILENCE_DB } else { 10.0 * libm::log10(square) }
    }
}

/// The modified Bessel function of order 0, by its series.
fn bessel_i0(x: f64) -> f64 {
    let quarter = 0.25 * x * x;
    let (mut sum, mut term, mut k) = (1.0, 1.0, 1.0);
    while term > sum * 1e-17 {
        term *= quarter / (k * k);
        sum += term;
        k += 1.0;
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_square_wave_has_its_level() {
        let samples: Vec<f32> =
            (0..16_000).map(|i| 0.2 + if (i / 40) % 2 == 0 { 0.1 } else { -0.1 }).collect();
        let mut contour = IntensityContour::default();
        assert!(Intensity::new(50.0, 16_000).contour(&samples, &mut contour));
        assert_eq!(contour.db.len(), 55);
        // The offset does not count.
        assert!(contour.db.iter().all(|level| (level + 20.0).abs() < 0.01));
        assert!(!Intensity::new(50.0, 16_000).contour(&[0.1; 2000], &mut contour));
        assert!(Intensity::new(50.0, 16_000).contour(&[0.0; 4000], &mut contour));
        assert!(contour.db.iter().all(|level| *level == SILENCE_DB));
    }

    #[test]
    fn bessel_is_the_known_one() {
        // Abramowitz and Stegun, table 9.8.
        assert!((bessel_i0(1.0) - 1.266_065_877_752_008_4).abs() < 1e-14);
        assert!((bessel_i0(20.0) / 43_558_282.559_553_53 - 1.0).abs() < 1e-12);
    }
}
