//! Short-time Fourier transform: the power spectrum |X|² of each frame.
//!
//! Transforms run in f64: librosa's do, and in f32 the noise of the transform reaches the bands 80 dB under the
//! loudest.

use crate::convolution::fourier::{Complex, FftScratch, RealFft};
use crate::convolution::{Border, Filter1d, Kernel1d, Scratch};

use super::frames::Frames;
use super::profile::{Profile, SpectrogramSettings};

/// Kaldi's pre-emphasis, `--preemphasis-coefficient`.
const PREEMPHASIS: f64 = 0.97;

/// Kaldi's samples are 16-bit integers.
const KALDI_SCALE: f32 = 32768.0;

/// The plan of a power spectrum: frames, window and transform of one setting.
#[derive(Clone)]
pub struct PowerStft {
    frames: Frames,
    window: Vec<f64>,
    fft: RealFft<f64>,
    /// Kaldi's; its border is Kaldi's own: before the frame's first sample stands that sample again.
    preemphasis: Option<Filter1d<f32>>,
}

/// What [`PowerStft::power`] writes while it works.
pub struct StftScratch {
    frame: Vec<f32>,
    emphasised: Vec<f32>,
    input: Vec<f64>,
    spectrum: Vec<Complex<f64>>,
    fft: FftScratch<f64>,
    filter: Scratch<f32>,
}

impl PowerStft {
    /// Plans the transform of settings that were checked.
    #[must_use]
    pub fn new(settings: &SpectrogramSettings) -> Self {
        let preemphasis = (settings.profile == Profile::Kaldi)
            .then(|| Filter1d::new(&Kernel1d::preemphasis(PREEMPHASIS), Border::Nearest));
        Self {
            frames: settings.frames(),
            window: settings.profile.window(settings.win_len),
            fft: RealFft::new(settings.fft_len),
            preemphasis,
        }
    }

    /// Room for one thread to work in.
    #[must_use]
    pub fn scratch(&self) -> StftScratch {
        StftScratch {
            frame: vec![0.0; self.frames.len],
            emphasised: Vec::with_capacity(self.frames.len),
            input: vec![0.0; self.fft.len()],
            spectrum: vec![Complex::default(); self.fft.bins()],
            fft: self.fft.scratch(),
            filter: Scratch::default(),
        }
    }

    /// Frames of a clip.
    #[must_use]
    pub fn count(&self, samples: usize) -> usize {
        self.frames.count(samples)
    }

    /// Bins of a spectrum.
    #[must_use]
    pub fn bins(&self) -> usize {
        self.fft.bins()
    }

    /// Writes |X|² of frame `index` into `power`, of length `bins`.
    pub fn power(&self, samples: &[f32], index: usize, power: &mut [f32], scratch: &mut StftScratch) {
        self.frames.copy(samples, index, &mut scratch.frame);
        let frame = match &self.preemphasis {
            Some(filter) => {
                remove_mean(&mut scratch.frame);
                filter.apply(&scratch.frame, &mut scratch.emphasised, &mut scratch.filter);
                &scratch.emphasised
            }
            None => &scratch.frame,
        };
        scratch.input.fill(0.0);
        for ((into, sample), weight) in scratch.input.iter_mut().zip(frame).zip(&self.window) {
            *into = f64::from(*sample) * weight;
        }
        self.fft.forward(&mut scratch.input, &mut scratch.spectrum, &mut scratch.fft);
        for (into, bin) in power.iter_mut().zip(&scratch.spectrum) {
            *into = (bin.re * bin.re + bin.im * bin.im) as f32;
        }
    }
}

/// Scales a frame to Kaldi's integers and takes its mean away.
fn remove_mean(frame: &mut [f32]) {
    for sample in frame.iter_mut() {
        *sample *= KALDI_SCALE;
    }
    let sum: f64 = frame.iter().map(|sample| f64::from(*sample)).sum();
    let mean = (sum / frame.len() as f64) as f32;
    for sample in frame {
        *sample -= mean;
    }
}

#[cfg(test)]
mod tests {
    use std::f64::consts::PI;

    use super::*;

    fn noise(len: usize) -> Vec<f32> {
        let mut state = 1u32;
        (0..len)
            .map(|_| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (state >> 8) as f32 / 8_388_608.0 - 1.0
            })
            .collect()
    }

    fn spectrum(settings: &SpectrogramSettings, samples: &[f32], index: usize) -> Vec<f32> {
        let stft = PowerStft::new(settings);
        let mut power = vec![0.0; stft.bins()];
        stft.power(samples, index, &mut power, &mut stft.scratch());
        power
    }

    /// The definition: the windowed frame, centred in the transform, against each complex exponential.
    fn naive(settings: &SpectrogramSettings, samples: &[f32], index: usize) -> Vec<f64> {
        let n = settings.fft_len;
        let window = settings.profile.window(settings.win_len);
        let mut frame = vec![0.0; n];
        for (i, weight) in window.iter().enumerate() {
            let at = i + (n - settings.win_len) / 2;
            let position = (index * settings.hop_len + at) as isize - (n / 2) as isize;
            if position >= 0 && (position as usize) < samples.len() {
                frame[at] = f64::from(samples[position as usize]) * weight;
            }
        }
        (0..=n / 2)
            .map(|k| {
                let angle = |i: usize| 2.0 * PI * ((k * i) % n) as f64 / n as f64;
                let re: f64 = frame.iter().enumerate().map(|(i, x)| x * angle(i).cos()).sum();
                let im: f64 = frame.iter().enumerate().map(|(i, x)| x * angle(i).sin()).sum();
                re * re + im * im
            })
            .collect()
    }

    #[test]
    fn a_spectrum_is_the_discrete_fourier_transform() {
        let samples = noise(1000);
        for (fft_len, win_len) in [(64, 48), (60, 60), (45, 33)] {
            let settings = SpectrogramSettings { fft_len, win_len, hop_len: 20, ..Default::default() };
            for index in [0, 7, 49] {
                let expected = naive(&settings, &samples, index);
                let found = spectrum(&settings, &samples, index);
                for (a, b) in found.iter().zip(&expected) {
                    assert!((f64::from(*a) - b).abs() <= 1e-6 * b + 1e-12, "{a} {b}");
                }
            }
        }
    }

    #[test]
    fn energy_is_kept() {
        let samples = noise(512);
        let settings = SpectrogramSettings { win_len: 512, ..Default::default() };
        // Frame 1 begins at sample 160 - 256.
        let window = settings.profile.window(512);
        let energy: f64 = samples[..416]
            .iter()
            .zip(&window[96..])
            .map(|(x, w)| (f64::from(*x) * w) * (f64::from(*x) * w))
            .sum();
        let power = spectrum(&settings, &samples, 1);
        let inner: f64 = power[1..256].iter().map(|p| 2.0 * f64::from(*p)).sum();
        let total = (inner + f64::from(power[0]) + f64::from(power[256])) / 512.0;
        assert!((total / energy - 1.0).abs() < 1e-6);
    }

    #[test]
    fn kaldi_frames_have_no_mean() {
        let settings = SpectrogramSettings::of(Profile::Kaldi);
        assert!(spectrum(&settings, &[0.25; 400], 0).iter().all(|p| *p < 1e-6));
    }
}
