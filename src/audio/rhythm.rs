//! Rhythm: how strongly sounds set in, and the tempo of that.
//!
//! `librosa.onset.onset_strength` 0.11 from mel levels in dB, and `librosa.feature.tempo` of it with its defaults: the
//! onsets' autocorrelation in windows of 8 s about every frame, averaged over the frames, and the lag where that, with
//! a prior about 120 beats a minute, is greatest. The averages are taken of power spectra, before the one inverse
//! transform.

use crate::convolution::fourier::{Complex, FftScratch, RealFft};

use super::autocorrelation::fast_len;
use super::profile::{Profile, SpectrogramSettings};
use super::window::hann;

const WINDOW_SECONDS: f64 = 8.0;
const START_BPM: f64 = 120.0;
const MAX_BPM: f64 = 320.0;
/// The longest window; a hop so short that 8 s have more frames leaves the tempo undefined.
const WINDOW_LIMIT: usize = 8192;

/// The plan of rhythm at one frame rate.
#[derive(Clone)]
pub struct Rhythm {
    /// Decibels of one unit of the profile's level.
    unit_db: f64,
    /// Frames that onsets are moved on.
    delay: usize,
    tempo: Option<Tempo>,
}

#[derive(Clone)]
struct Tempo {
    window: Vec<f64>,
    fft: RealFft<f64>,
    /// Beats a minute and the logarithm of the prior of each lag from 1 on.
    lags: Vec<(f64, f64)>,
}

/// What [`Rhythm::observe`] and [`Rhythm::tempo_bpm`] write.
#[derive(Default)]
pub struct RhythmScratch {
    /// The strength of onsets at each frame, after [`Rhythm::finish`].
    pub onsets: Vec<f32>,
    /// The levels of the frame before.
    before: Vec<f32>,
    padded: Vec<f64>,
    frame: Vec<f64>,
    sum: Vec<f64>,
    spectrum: Vec<Complex<f64>>,
    fft: FftScratch<f64>,
}

impl Rhythm {
    /// For the levels of checked settings.
    #[must_use]
    pub fn new(settings: &SpectrogramSettings, sample_rate: u32) -> Self {
        let rate = f64::from(sample_rate);
        let frames = (WINDOW_SECONDS * rate / settings.hop_len as f64).floor() as usize;
        let bpm = |lag: usize| 60.0 * rate / (settings.hop_len as f64 * lag as f64);
        let tempo = || Tempo {
            window: hann(frames),
            fft: RealFft::new(fast_len(2 * frames - 1)),
            lags: (1..frames).map(|lag| (bpm(lag), log_prior(bpm(lag)))).collect(),
        };
        Self {
            unit_db: match settings.profile {
                Profile::Librosa => 1.0,
                Profile::Kaldi => 10.0 / std::f64::consts::LN_10,
                Profile::Whisper => 40.0,
            },
            delay: 1 + settings.fft_len / settings.hop_len.saturating_mul(2),
            tempo: (2..=WINDOW_LIMIT).contains(&frames).then(tempo),
        }
    }

    /// Begins a new clip.
    pub fn restart(&self, scratch: &mut RhythmScratch) {
        scratch.before.clear();
        scratch.onsets.clear();
        scratch.onsets.resize(self.delay, 0.0);
    }

    /// Takes the levels of the clip's next frames, a row of `bands` each. The strength of an onset is the mean rise of the bands'
    /// levels since the frame before in dB, moved on by half a transform.
    pub fn observe(&self, levels: &[f32], bands: usize, scratch: &mut RhythmScratch) {
        let RhythmScratch { before, onsets, .. } = scratch;
        for now in levels.chunks_exact(bands) {
            if !before.is_empty() {
                let rise = |(before, now): (&f32, &f32)| (f64::from(*now) - f64::from(*before)).max(0.0);
                let sum: f64 = before.iter().zip(now).map(rise).sum();
                onsets.push((self.unit_db * sum / bands as f64) as f32);
            }
            before.clear();
            before.extend_from_slice(now);
        }
    }

    /// Ends a clip of so many frames, after which its onsets are as many.
    pub fn finish(&self, frames: usize, scratch: &mut RhythmScratch) {
        scratch.onsets.truncate(frames);
    }

    /// Beats a minute of the onsets last found; `None` where nothing sets in, or the hop is too short or long for it.
    pub fn tempo_bpm(&self, scratch: &mut RhythmScratch) -> Option<f64> {
        let tempo = self.tempo.as_ref()?;
        tempo.add_up(scratch);
        let RhythmScratch { onsets, spectrum, sum, frame, fft, .. } = scratch;
        if onsets.iter().all(|onset| *onset == 0.0) {
            return None;
        }
        for (bin, power) in spectrum.iter_mut().zip(sum.iter()) {
            *bin = Complex::new(*power, 0.0);
        }
        tempo.fft.inverse(spectrum, frame, fft);
        let scale = 1.0 / (tempo.fft.len() as f64 * onsets.len() as f64);
        let score = |(lag, (bpm, prior)): (usize, &(f64, f64))| {
            (*bpm, libm::log1p(1e6 * (frame[lag + 1] * scale).max(0.0)) + prior)
        };
        let scores = tempo.lags.iter().enumerate().filter(|(_, (bpm, _))| *bpm < MAX_BPM).map(score);
        let best = scores.reduce(|best, now| if now.1 > best.1 { now } else { best });
        best.map(|(bpm, _)| bpm)
    }
}

impl Tempo {
    /// Adds up the power spectra of all windows of the onsets, each over its energy.
    fn add_up(&self, scratch: &mut RhythmScratch) {
        let RhythmScratch { onsets, padded, frame, sum, spectrum, fft, .. } = scratch;
        pad(onsets, self.window.len() / 2, padded);
        frame.resize(self.fft.len(), 0.0);
        spectrum.resize(self.fft.bins(), Complex::default());
        sum.clear();
        sum.resize(self.fft.bins(), 0.0);
        for onsets in padded.windows(self.window.len()).take(onsets.len()) {
            frame.fill(0.0);
            let mut energy = 0.0;
            for ((into, onset), weight) in frame.iter_mut().zip(onsets).zip(&self.window) {
                *into = onset * weight;
                energy += *into * *into;
            }
            if energy < f64::MIN_POSITIVE {
                continue;
            }
            self.fft.forward(frame, spectrum, fft);
            for (sum, bin) in sum.iter_mut().zip(spectrum.iter()) {
                *sum += bin.norm_sqr() / energy;
            }
        }
    }
}

/// The onsets with `width` values before and after, which rise to the first and fall from the last in a straight line.
fn pad(onsets: &[f32], width: usize, padded: &mut Vec<f64>) {
    padded.clear();
    let (Some(first), Some(last)) = (onsets.first(), onsets.last()) else {
        return;
    };
    let ramp = |edge: f32, i: usize| f64::from(edge) * i as f64 / width as f64;
    padded.extend((0..width).map(|i| ramp(*first, i)));
    padded.extend(onsets.iter().map(|onset| f64::from(*onset)));
    padded.extend((0..width).rev().map(|i| ramp(*last, i)));
}

fn log_prior(bpm: f64) -> f64 {
    let octaves = libm::log2(bpm) - libm::log2(START_BPM);
    -0.5 * octaves * octaves
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Levels that rise by 20 dB every `period` frames.
    fn tempo(period: usize, frames: usize) -> Option<f64> {
        let levels: Vec<f32> =
            (0..frames).flat_map(|t| [if t % period == 0 { -20.0 } else { -40.0 }; 4]).collect();
        let plan = Rhythm::new(&SpectrogramSettings::default(), 16_000);
        let mut scratch = RhythmScratch::default();
        plan.restart(&mut scratch);
        for piece in levels.chunks(4 * 37) {
            plan.observe(piece, 4, &mut scratch);
        }
        plan.finish(frames, &mut scratch);
        assert_eq!(scratch.onsets.len(), frames);
        plan.tempo_bpm(&mut scratch)
    }

    #[test]
    fn a_click_every_half_second_is_120_beats_a_minute() {
        assert_eq!(tempo(50, 1000), Some(120.0));
        assert_eq!(tempo(60, 1000), Some(100.0));
    }

    #[test]
    fn what_never_sets_in_has_no_tempo() {
        assert_eq!(tempo(5000, 300), None);
        assert_eq!(tempo(50, 0), None);
        assert_eq!(tempo(50, 1), None);
    }
}
