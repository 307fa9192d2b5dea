//! Pitch: the fundamental frequency of a frame by YIN.
//!
//! De Cheveigné and Kawahara, "YIN, a fundamental frequency estimator for speech and music", JASA 111 (2002), as
//! `librosa.yin` 0.11 computes it. Its difference function is not the paper's: over a frame x of N samples
//!
//! ```text
//! r(τ) = Σ_{j < N-τ} x[j] x[j+τ]
//! d(τ) = 2 (r(0) - r(τ)) - Σ_{j < τ} x[j]²
//! ```
//!
//! which leaves the energy of the last τ samples in. Then, as in the paper, d is divided by its mean up to τ, and
//! the first trough under 0.1 (or else the least value) is refined by a parabola.

use std::fmt;
use std::str::FromStr;

use crate::convolution::fourier::{Complex, FftScratch, RealFft};

use super::error::AudioError;
use super::frames::Frames;
use super::profile::FRAME_LIMIT;

/// A trough under this is taken as the period (librosa's `trough_threshold`).
const TROUGH: f64 = 0.1;

/// A frame whose normalised difference stays at or over this everywhere is unvoiced.
const UNVOICED: f64 = 0.3;

/// How pitch is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum PitchMethod {
    /// YIN, each frame by itself.
    #[default]
    Yin,
    /// Probabilistic YIN over all frames.
    Pyin,
}

/// The `pitch` of a job's `[features]`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PitchSettings {
    /// The lowest pitch looked for.
    pub min_hz: f64,
    /// The highest pitch looked for, at most half the sample rate.
    pub max_hz: f64,
    /// Samples in a frame, at the clip's rate; more than one period of `min_hz`, better two.
    pub frame_len: usize,
    /// How pitch is found.
    pub method: PitchMethod,
}

impl Default for PitchSettings {
    fn default() -> Self {
        Self { min_hz: 65.0, max_hz: 500.0, frame_len: 1024, method: PitchMethod::Yin }
    }
}

impl PitchSettings {
    /// Whether pitch can be found so at a sample rate: librosa's own conditions.
    fn check(&self, sample_rate: u32) -> Result<(), AudioError> {
        let (min_hz, max_hz, rate) = (self.min_hz, self.max_hz, f64::from(sample_rate));
        let in_order = min_hz > 0.0 && min_hz < max_hz && max_hz <= rate / 2.0;
        if !in_order {
            return Err(AudioError::PitchRange { min_hz, max_hz, nyquist_hz: rate / 2.0 });
        }
        if self.frame_len > FRAME_LIMIT {
            let (key, value) = ("features.pitch.frame_len", self.frame_len);
            return Err(AudioError::TooLarge { key, value, limit: FRAME_LIMIT });
        }
        if rate / min_hz >= self.frame_len as f64 - 1.0 {
            let least = ((rate / min_hz).ceil() as usize).saturating_add(2);
            return Err(AudioError::PitchFrameTooShort {
                frame_len: self.frame_len,
                min_hz,
                sample_rate,
                least,
            });
        }
        Ok(())
    }
}

/// The plan of YIN at one sample rate.
#[derive(Clone)]
pub struct Yin {
    frames: Frames,
    sample_rate: f64,
    min_period: usize,
    max_period: usize,
    fft: RealFft<f64>,
}

/// What [`Yin::estimate`] writes while it works.
pub struct YinScratch {
    frame: Vec<f32>,
    padded: Vec<f64>,
    spectrum: Vec<Complex<f64>>,
    autocorrelation: Vec<f64>,
    difference: Vec<f64>,
    fft: FftScratch<f64>,
}

impl Yin {
    /// Frames of `settings.frame_len` samples, centred on every `hop_len`-th sample, zeros outside of the clip.
    pub fn new(settings: &PitchSettings, hop_len: usize, sample_rate: u32) -> Result<Self, AudioError> {
        settings.check(sample_rate)?;
        let rate = f64::from(sample_rate);
        let max_period = ((rate / settings.min_hz).ceil() as usize).min(settings.frame_len - 1);
        Ok(Self {
            frames: Frames::centred(settings.frame_len, hop_len),
            sample_rate: rate,
            min_period: (rate / settings.max_hz).floor() as usize,
            max_period,
            // So long that no lag up to max_period wraps around.
            fft: RealFft::new(fast_len(settings.frame_len + max_period)),
        })
    }

    /// Room for one thread to work in.
    #[must_use]
    pub fn scratch(&self) -> YinScratch {
        YinScratch {
            frame: vec![0.0; self.frames.len],
            padded: vec![0.0; self.fft.len()],
            spectrum: vec![Complex::default(); self.fft.bins()],
            autocorrelation: vec![0.0; self.fft.len()],
            difference: vec![0.0; self.max_period - self.min_period + 1],
            fft: self.fft.scratch(),
        }
    }

    /// The pitch of frame `index` in Hz; `None` where the frame is silent or its normalised difference has no value
    /// under 0.3 (unvoiced).
    #[must_use]
    pub fn estimate(&self, samples: &[f32], index: usize, scratch: &mut YinScratch) -> Option<f64> {
        let difference = self.difference(samples, index, scratch)?;
        let least = difference.iter().copied().fold(f64::INFINITY, f64::min);
        if least >= UNVOICED {
            return None;
        }
        let lag = first_trough(difference).or_else(|| difference.iter().position(|d| *d == least))?;
        let period = (self.min_period + lag) as f64 + parabola_shift(difference, lag);
        Some(self.sample_rate / period)
    }

    /// The normalised difference of frame `index` at every period from [`Yin::min_period`] on; `None` of a silent frame.
    pub(super) fn difference<'s>(
        &self,
        samples: &[f32],
        index: usize,
        scratch: &'s mut YinScratch,
    ) -> Option<&'s [f64]> {
        self.frames.copy(samples, index, &mut scratch.frame);
        if scratch.frame.iter().all(|sample| *sample == 0.0) {
            return None;
        }
        self.autocorrelate(scratch);
        self.normalise(scratch);
        Some(&scratch.difference)
    }

    /// The shortest period looked for, in samples.
    pub(super) fn min_period(&self) -> usize {
        self.min_period
    }

    /// How many periods are looked at.
    pub(super) fn lags(&self) -> usize {
        self.max_period - self.min_period + 1
    }

    /// r(τ) times the length of the transform, by way of the power spectrum (Wiener and Khinchin).
    fn autocorrelate(&self, scratch: &mut YinScratch) {
        scratch.padded.fill(0.0);
        for (into, sample) in scratch.padded.iter_mut().zip(&scratch.frame) {
            *into = f64::from(*sample);
        }
        self.fft.forward(&mut scratch.padded, &mut scratch.spectrum, &mut scratch.fft);
        for bin in &mut scratch.spectrum {
            *bin = Complex::new(bin.norm_sqr(), 0.0);
        }
        self.fft.inverse(&mut scratch.spectrum, &mut scratch.autocorrelation, &mut scratch.fft);
    }

    /// d(τ) by its mean over 1..=τ, for τ from `min_period` to `max_period`.
    fn normalise(&self, scratch: &mut YinScratch) {
        let scale = 1.0 / self.fft.len() as f64;
        let whole = scratch.autocorrelation[0];
        let (mut head, mut sum) = (0.0, 0.0);
        for lag in 1..=self.max_period {
            let sample = f64::from(scratch.frame[lag - 1]);
            head += sample * sample;
            let difference = 2.0 * (whole - scratch.autocorrelation[lag]) * scale - head;
            sum += difference;
            if lag >= self.min_period {
                let mean = sum / lag as f64;
                scratch.difference[lag - self.min_period] = difference / (mean + f64::MIN_POSITIVE);
            }
        }
    }
}

/// The first local minimum under the threshold. The first value needs a greater one after it, the last a greater
/// one before it.
fn first_trough(difference: &[f64]) -> Option<usize> {
    (0..difference.len()).find(|i| {
        let here = difference[*i];
        let falls = *i == 0 || here < difference[*i - 1];
        let rises = match difference.get(*i + 1) {
            Some(after) if *i == 0 => here < *after,
            Some(after) => here <= *after,
            None => true,
        };
        here < TROUGH && falls && rises
    })
}

/// How far the vertex of the parabola through a value and its neighbours lies from it: under 1, else 0.
pub(super) fn parabola_shift(difference: &[f64], lag: usize) -> f64 {
    let Some([before, here, after]) = lag.checked_sub(1).and_then(|from| difference.get(from..from + 3))
    else {
        return 0.0;
    };
    let curvature = after + before - 2.0 * here;
    let slope = (after - before) / 2.0;
    if slope.abs() >= curvature.abs() { 0.0 } else { -slope / curvature }
}

/// The least even number of at least `len` with no prime factor over 5: transforms of such lengths are fast.
pub(super) fn fast_len(len: usize) -> usize {
    let smooth = |mut n: usize| {
        for factor in [2, 3, 5] {
            while n.is_multiple_of(factor) {
                n /= factor;
            }
        }
        n == 1
    };
    (len.div_ceil(2) * 2..).step_by(2).find(|n| smooth(*n)).unwrap_or(len)
}

impl fmt::Display for PitchMethod {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Yin => "yin",
            Self::Pyin => "pyin",
        })
    }
}

impl FromStr for PitchMethod {
    type Err = AudioError;

    fn from_str(name: &str) -> Result<Self, AudioError> {
        match name {
            "yin" => Ok(Self::Yin),
            "pyin" => Ok(Self::Pyin),
            _ => Err(AudioError::UnknownName {
                key: "features.pitch.method",
                found: name.to_owned(),
                choices: "yin, pyin",
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::f64::consts::PI;

    use super::*;

    fn tone(hz: f64, len: usize) -> Vec<f32> {
        let partial = |i: usize, n: f64| (2.0 * PI * n * hz * i as f64 / 16_000.0).sin() / n;
        (0..len).map(|i| (0.3 * (1..6).map(|n| partial(i, f64::from(n))).sum::<f64>()) as f32).collect()
    }

    fn plan() -> Yin {
        Yin::new(&PitchSettings::default(), 160, 16_000).unwrap()
    }

    #[test]
    fn a_tone_has_its_pitch() {
        let yin = plan();
        let mut scratch = yin.scratch();
        for hz in [80.0, 123.4, 220.0, 415.3] {
            let found = yin.estimate(&tone(hz, 8000), 20, &mut scratch).unwrap();
            assert!((found / hz - 1.0).abs() < 2e-3, "{found} for {hz}");
        }
    }

    #[test]
    fn the_difference_is_the_definition() {
        let samples = tone(180.0, 2000);
        let yin = plan();
        let mut scratch = yin.scratch();
        let _ = yin.estimate(&samples, 6, &mut scratch);
        let x: Vec<f64> = samples[6 * 160 - 512..6 * 160 + 512].iter().map(|x| f64::from(*x)).collect();
        let r = |lag: usize| -> f64 { x[..1024 - lag].iter().zip(&x[lag..]).map(|(a, b)| a * b).sum() };
        let d = |lag: usize| 2.0 * (r(0) - r(lag)) - x[..lag].iter().map(|x| x * x).sum::<f64>();
        let differences: Vec<f64> = (1..=yin.max_period).map(d).collect();
        for lag in [yin.min_period, 89, yin.max_period] {
            let mean = differences[..lag].iter().sum::<f64>() / lag as f64;
            let found = scratch.difference[lag - yin.min_period];
            assert!((found - differences[lag - 1] / mean).abs() < 1e-9);
        }
    }

    #[test]
    fn silence_and_noise_have_no_pitch() {
        let yin = plan();
        let mut scratch = yin.scratch();
        assert_eq!(yin.estimate(&[0.0; 4000], 10, &mut scratch), None);
        assert_eq!(yin.estimate(&[], 0, &mut scratch), None);
        let mut state = 7u32;
        let noise: Vec<f32> = (0..4000)
            .map(|_| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (state >> 8) as f32 / 8_388_608.0 - 1.0
            })
            .collect();
        assert_eq!(yin.estimate(&noise, 10, &mut scratch), None);
    }

    #[test]
    fn troughs_and_parabolas() {
        assert_eq!(first_trough(&[0.5, 0.09, 0.2, 0.01]), Some(1));
        assert_eq!(first_trough(&[0.05, 0.06]), Some(0));
        assert_eq!(first_trough(&[0.5, 0.4, 0.01]), Some(2));
        assert_eq!(first_trough(&[0.5, 0.2, 0.3]), None);
        assert_eq!(parabola_shift(&[4.0, 1.0, 0.0, 1.0], 2), 0.0);
        assert!((parabola_shift(&[2.0, 0.5, 1.0], 1) - 0.25).abs() < 1e-12);
        assert_eq!(parabola_shift(&[2.0, 0.5, 1.0], 2), 0.0);
    }

    #[test]
    fn impossible_settings_are_named() {
        let with = |settings: PitchSettings| Yin::new(&settings, 160, 16_000).err();
        let good = PitchSettings::default();
        assert!(with(good).is_none());
        assert!(matches!(
            with(PitchSettings { max_hz: 9000.0, ..good }),
            Some(AudioError::PitchRange { .. })
        ));
        assert!(matches!(
            with(PitchSettings { min_hz: f64::NAN, ..good }),
            Some(AudioError::PitchRange { .. })
        ));
        let Some(AudioError::PitchFrameTooShort { least, .. }) =
            with(PitchSettings { frame_len: 200, ..good })
        else {
            panic!("a frame of 200 samples is too short");
        };
        assert!(with(PitchSettings { frame_len: least, ..good }).is_none());
    }

    #[test]
    fn fast_lengths_have_small_factors() {
        assert_eq!([1271, 1280, 1281, 1, 7].map(fast_len), [1280, 1280, 1296, 2, 8]);
    }
}
