//! Periodicity: how like itself a moment of a clip is a period later.
//!
//! Boersma, "Accurate short-term analysis of the fundamental frequency and the harmonics-to-noise ratio of a sampled
//! sound", IFA Proceedings 17 (1993): the autocorrelation of a window of the clip over the window's own has its highest peak
//! r at the period, 1 for a wholly periodic sound. Frames lie as Praat lays them: wholly inside of the clip, about its
//! middle; sample i stands for the time (i + 1/2)/rate.

use crate::convolution::fourier::{Complex, FftScratch, RealFft};

use super::autocorrelation::fast_len;
use super::window::{gaussian, open_hann};

/// The longest window; a rate so high that it is longer leaves periodicity undefined.
const WINDOW_LIMIT: usize = 1 << 17;

/// What a moment is cut out with.
#[derive(Debug, Clone, Copy)]
pub(super) enum Shape {
    /// A raised cosine.
    Hanning,
    /// Praat's Gaussian window, which reaches twice as far as its periods say.
    Gaussian,
}

/// How periodicity is looked for.
#[derive(Debug, Clone, Copy)]
pub(super) struct PeriodicitySettings {
    /// The lowest frequency that has its periods in a window.
    pub min_hz: f64,
    /// Periods of it in a window.
    pub periods: f64,
    /// The window.
    pub shape: Shape,
    /// From one frame to the next.
    pub step_seconds: f64,
}

/// Where the frames of a clip lie.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct FrameTimes {
    /// The middle of the first frame.
    pub first: f64,
    /// From one frame to the next.
    pub step: f64,
    /// Frames.
    pub count: usize,
}

impl FrameTimes {
    /// Frames of `window` seconds, as many as lie inside of `seconds`, about its middle; `None` where there is none.
    #[must_use]
    pub fn inside(seconds: f64, window: f64, step: f64) -> Option<Self> {
        let room = seconds - window;
        let count = if room < 0.0 { 0 } else { (room / step).floor() as usize + 1 };
        let first = 0.5 * (seconds - count.saturating_sub(1) as f64 * step);
        (count > 0).then_some(Self { first, step, count })
    }

    /// The middle of a frame.
    #[must_use]
    pub fn seconds(&self, frame: usize) -> f64 {
        self.first + frame as f64 * self.step
    }

    /// The place of a time among the frames, the first at 0.
    #[must_use]
    pub fn place(&self, seconds: f64) -> f64 {
        (seconds - self.first) / self.step
    }
}

/// The plan of periodicity at one sample rate.
#[derive(Clone)]
pub(super) struct Periodicity {
    rate: f64,
    window_seconds: f64,
    step_seconds: f64,
    window: Vec<f64>,
    /// Autocorrelation of the part of the window that is used, 1 at lag 0.
    window_correlation: Vec<f64>,
    period: usize,
    /// The first lag after those at which peaks are looked for.
    last: usize,
    fft: RealFft<f64>,
}

/// What [`Periodicity::observe`] writes.
#[derive(Default)]
pub(super) struct PeriodicityScratch {
    frame: Vec<f64>,
    spectrum: Vec<Complex<f64>>,
    correlation: Vec<f64>,
    fft: FftScratch<f64>,
}

impl Periodicity {
    /// For clips of `sample_rate`; `None` where the rate is too low to have a period, or too high.
    pub fn new(settings: &PeriodicitySettings, sample_rate: u32) -> Option<Self> {
        let rate = f64::from(sample_rate);
        // The part of the window over which its autocorrelation is used.
        let (reach, used_share) = match settings.shape {
            Shape::Hanning => (settings.periods, 0.5),
            Shape::Gaussian => (2.0 * settings.periods, 0.25),
        };
        let half = ((reach / settings.min_hz * rate) as usize / 2).checked_sub(1)?;
        let (len, period) = (2 * half, (rate / settings.min_hz) as usize);
        if period < 4 || len > WINDOW_LIMIT {
            return None;
        }
        let window = match settings.shape {
            Shape::Hanning => open_hann(len),
            Shape::Gaussian => gaussian(len),
        };
        let used = (len as f64 * used_share) as usize;
        let at_lag = |lag: usize| -> f64 { window.iter().zip(&window[lag..]).map(|(a, b)| a * b).sum() };
        let whole = at_lag(0);
        Some(Self {
            rate,
            window_seconds: reach / settings.min_hz,
            step_seconds: settings.step_seconds,
            window_correlation: (0..=used).map(|lag| at_lag(lag) / whole).collect(),
            period,
            last: ((len as f64 / reach) as usize + 2).min(used),
            fft: RealFft::new(fast_len(len + used + 1)),
            window,
        })
    }

    /// The frames of a clip.
    pub fn frames(&self, samples: usize) -> Option<FrameTimes> {
        FrameTimes::inside(samples as f64 / self.rate, self.window_seconds, self.step_seconds)
    }

    /// The loudest sample within half a period of a time, and the normalised autocorrelation about it, which is `None`
    /// in silence. Samples are less their mean over a period on either side, and windowed.
    pub fn observe<'s>(
        &self,
        samples: &[f32],
        seconds: f64,
        scratch: &'s mut PeriodicityScratch,
    ) -> (f64, Option<&'s [f64]>) {
        // The first sample after the time.
        let right = (seconds * self.rate - 0.5).floor() as usize + 1;
        let loudest = self.take(samples, right, &mut scratch.frame);
        (loudest, self.correlate(scratch))
    }

    /// Lags that are peaks of an autocorrelation and higher than `least`, the shortest first.
    pub fn peaks<'a>(&self, correlation: &'a [f64], least: f64) -> impl Iterator<Item = usize> + 'a {
        (2..self.last).filter(move |lag| {
            let [before, here, after] = [lag - 1, *lag, lag + 1].map(|lag| correlation[lag]);
            here > least && here > before && here >= after
        })
    }

    fn take(&self, samples: &[f32], right: usize, frame: &mut Vec<f64>) -> f64 {
        let near = samples
            .get(right.saturating_sub(self.period)..(right + self.period).min(samples.len()))
            .unwrap_or_default();
        let mean = near.iter().map(|x| f64::from(*x)).sum::<f64>() / (2 * self.period) as f64;
        let half = self.window.len() / 2;
        frame.clear();
        frame.extend(self.window.iter().enumerate().map(|(i, weight)| {
            let sample = (right + i).checked_sub(half).and_then(|at| samples.get(at));
            weight * sample.map_or(0.0, |x| f64::from(*x) - mean)
        }));
        frame.resize(self.fft.len(), 0.0);
        let reach = self.period / 2 + 1;
        frame[half - reach.min(half)..half + reach.min(half)].iter().map(|x| x.abs()).fold(0.0, f64::max)
    }

    fn correlate<'s>(&self, scratch: &'s mut PeriodicityScratch) -> Option<&'s [f64]> {
        let PeriodicityScratch { frame, spectrum, correlation, fft } = scratch;
        spectrum.resize(self.fft.bins(), Complex::default());
        correlation.resize(self.fft.len(), 0.0);
        self.fft.forward(frame, spectrum, fft);
        for bin in spectrum.iter_mut() {
            *bin = Complex::new(bin.norm_sqr(), 0.0);
        }
        self.fft.inverse(spectrum, correlation, fft);
        let whole = correlation[0];
        if whole <= f64::MIN_POSITIVE {
            return None;
        }
        for (value, window) in correlation.iter_mut().zip(&self.window_correlation) {
            *value /= whole * window;
        }
        Some(&correlation[..self.window_correlation.len()])
    }
}

/// The largest distance of a sample from the mean of the clip; 0 of an empty one.
pub(super) fn global_peak(samples: &[f32]) -> f64 {
    let mean = samples.iter().map(|x| f64::from(*x)).sum::<f64>() / samples.len().max(1) as f64;
    samples.iter().map(|x| (f64::from(*x) - mean).abs()).fold(0.0, f64::max)
}

#[cfg(test)]
mod tests {
    use std::f64::consts::PI;

    use super::*;
    use crate::audio::summit::Summit;

    #[test]
    fn a_tone_has_its_period_between_the_lags() {
        let settings =
            PeriodicitySettings { min_hz: 75.0, periods: 3.0, shape: Shape::Hanning, step_seconds: 0.01 };
        let plan = Periodicity::new(&settings, 16_000).unwrap();
        let samples: Vec<f32> =
            (0..4000).map(|i| libm::sin(2.0 * PI * 155.0 * f64::from(i) / 16_000.0) as f32).collect();
        let mut scratch = PeriodicityScratch::default();
        let (loudest, found) = plan.observe(&samples, 0.125, &mut scratch);
        let correlation = found.unwrap();
        let lag = plan.peaks(correlation, 0.5).next().unwrap();
        let (place, height) = Summit::new(70).of(correlation, lag);
        assert!((16_000.0 / place - 155.0).abs() < 0.05 && height > 0.999, "{place} {height}");
        assert!(loudest > 0.9);
        assert!(plan.observe(&[0.0; 4000], 0.125, &mut scratch).1.is_none());
        assert!(Periodicity::new(&settings, 100).is_none());
    }

    #[test]
    fn frames_lie_about_the_middle() {
        let frames = FrameTimes::inside(1.0, 0.04, 0.01).unwrap();
        assert_eq!(frames.count, 97);
        assert!((frames.seconds(48) - 0.5).abs() < 1e-12 && (frames.place(0.5) - 48.0).abs() < 1e-9);
        assert_eq!(FrameTimes::inside(0.03, 0.04, 0.01), None);
    }
}
