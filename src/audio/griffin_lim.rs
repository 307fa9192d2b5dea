//! From a spectrogram back to sound: what a representation keeps can be heard.
//!
//! Griffin and Lim, "Signal estimation from modified short-time Fourier transform", IEEE Transactions on Acoustics, Speech, and
//! Signal Processing 32 (1984), in the accelerated form of Perraudin, Balazs and Søndergaard, WASPAA (2013), with librosa's standard
//! values (32 rounds, momentum 0.99): phases are guessed, and replaced again and again by those of the sound that comes nearest to the
//! magnitudes. Mel levels become the least power that has them, by multiplicative updates (Lee and Seung 1999).

use std::f64::consts::PI;

use super::mel::MelBank;
use super::profile::{Profile, SpectrogramSettings, Store};
use super::stft::{KALDI_SCALE, PREEMPHASIS};
use crate::convolution::fourier::{Complex, FftScratch, RealFft};
use crate::math::random::Stream;

const ROUNDS: usize = 32;
const MOMENTUM: f64 = 0.99;
const UPDATES: usize = 60;
/// Where less than this share of the most that windows add up to lies over a sample, it is not known: dividing by so little would
/// make a click of what frames disagree in.
const LEAST_WEIGHT: f64 = 0.01;
/// The most numbers of a spectrogram that is inverted, some twenty minutes: a bound on memory.
pub const VALUES_LIMIT: usize = 1 << 25;

/// A sound made from a spectrogram.
#[derive(Debug, Clone, PartialEq)]
pub struct Inversion {
    /// Its samples, at the rate of the clip.
    pub samples: Vec<f32>,
    /// How far its magnitudes are from those asked for, as a share of these (spectral convergence): 0 is reached.
    pub distance: f64,
}

/// Makes the sound of a spectrogram that settings with their `store` wrote, `matrix` being frames by bands or bins; the more so the
/// shorter its hops. The same matrix gives the same bits. `None` where frames reach over no sample of the clip alone, or have more than
/// [`VALUES_LIMIT`] bins in all.
#[must_use]
pub fn invert(settings: &SpectrogramSettings, sample_rate: u32, matrix: &[f32]) -> Option<Inversion> {
    let (bins, bank) = (settings.bins(), settings.mel_bank(sample_rate));
    let width = if settings.store == Store::Power { bins } else { bank.bands() };
    let frames = matrix.len() / width;
    if frames == 0 || frames * bins > VALUES_LIMIT {
        return None;
    }
    let magnitudes = magnitudes(settings, &bank, matrix, width);
    let mut rebuilding = Rebuilding::new(settings, frames);
    let distance = rebuilding.run(&magnitudes);
    let samples = rebuilding.clip(settings);
    (!samples.is_empty()).then_some(Inversion { samples, distance })
}

/// The magnitudes that a matrix stands for, frames by bins.
fn magnitudes(settings: &SpectrogramSettings, bank: &MelBank, matrix: &[f32], width: usize) -> Vec<f64> {
    let root = |power: f32| f64::from(power.max(0.0)).sqrt();
    if settings.store == Store::Power {
        return matrix.iter().copied().map(root).collect();
    }
    let mut magnitudes = Vec::with_capacity(matrix.len() / width * settings.bins());
    let mut energies = vec![0.0; width];
    for levels in matrix.chunks_exact(width) {
        energies.iter_mut().zip(levels).for_each(|(energy, level)| *energy = settings.profile.energy(*level));
        magnitudes.extend(power_of(bank, &energies, settings.bins()).into_iter().map(root));
    }
    magnitudes
}

/// A power spectrum that has these energies of bands, as nearly as one can.
fn power_of(bank: &MelBank, energies: &[f32], bins: usize) -> Vec<f32> {
    let (mut wanted, mut found, mut bands) = (vec![0.0; bins], vec![0.0; bins], vec![0.0; energies.len()]);
    bank.spread(energies, &mut wanted);
    let mut power = wanted.clone();
    for _ in 0..UPDATES {
        bank.apply(&power, &mut bands);
        bank.spread(&bands, &mut found);
        for ((power, wanted), found) in power.iter_mut().zip(&wanted).zip(&found) {
            *power *= if *found > 0.0 { wanted / found } else { 0.0 };
        }
    }
    power
}

/// A sound, and its transform.
struct Rebuilding {
    hop: usize,
    window: Vec<f64>,
    fft: RealFft<f64>,
    scratch: FftScratch<f64>,
    frame: Vec<f64>,
    bins: Vec<Complex<f64>>,
    samples: Vec<f64>,
    /// What the squares of the windows over a sample add up to.
    weights: Vec<f64>,
    least_weight: f64,
    /// Frames by bins: what is asked for, what the last round found, and the round before.
    spectra: Vec<Complex<f64>>,
    before: Vec<Complex<f64>>,
}

impl Rebuilding {
    fn new(settings: &SpectrogramSettings, frames: usize) -> Self {
        let (window, fft) = (settings.profile.window(settings.win_len), RealFft::new(settings.fft_len));
        let len = (frames - 1) * settings.hop_len + window.len();
        let mut weights = vec![0.0; len];
        for first in (0..frames).map(|frame| frame * settings.hop_len) {
            weights[first..].iter_mut().zip(&window).for_each(|(sum, weight)| *sum += weight * weight);
        }
        Self {
            hop: settings.hop_len,
            scratch: fft.scratch(),
            frame: vec![0.0; fft.len()],
            bins: vec![Complex::default(); fft.bins()],
            samples: vec![0.0; len],
            spectra: Vec::new(),
            before: vec![Complex::default(); frames * fft.bins()],
            window,
            fft,
            least_weight: LEAST_WEIGHT * weights.iter().copied().fold(0.0, f64::max),
            weights,
        }
    }

    /// All rounds; how far the magnitudes of the last sound are from those asked for.
    fn run(&mut self, magnitudes: &[f64]) -> f64 {
        let mut stream = Stream::new(0, "griffin-lim", 0);
        self.spectra.extend(magnitudes.iter().map(|magnitude| {
            let angle = 2.0 * PI * stream.unit_f64();
            Complex::new(magnitude * libm::cos(angle), magnitude * libm::sin(angle))
        }));
        for _ in 0..ROUNDS {
            self.synthesise();
            self.analyse();
            let share = MOMENTUM / (1.0 + MOMENTUM);
            for ((found, before), magnitude) in self.spectra.iter_mut().zip(&mut self.before).zip(magnitudes)
            {
                let direction = *found - *before * share;
                *before = *found;
                let length = direction.norm_sqr().sqrt();
                *found = if length > 0.0 {
                    direction * (magnitude / length)
                } else {
                    Complex::new(*magnitude, 0.0)
                };
            }
        }
        self.synthesise();
        self.analyse();
        let distance = |(found, asked): (&Complex<f64>, &f64)| {
            let distance = found.norm_sqr().sqrt() - asked;
            distance * distance
        };
        let squares: f64 = self.spectra.iter().zip(magnitudes).map(distance).sum();
        let all: f64 = magnitudes.iter().map(|magnitude| magnitude * magnitude).sum();
        if all > 0.0 { (squares / all).sqrt() } else { 0.0 }
    }

    /// The sound that is nearest to the spectra, by least squares.
    fn synthesise(&mut self) {
        let scale = 1.0 / self.fft.len() as f64;
        self.samples.fill(0.0);
        for (frame, spectrum) in self.spectra.chunks_exact(self.bins.len()).enumerate() {
            self.bins.copy_from_slice(spectrum);
            self.fft.inverse(&mut self.bins, &mut self.frame, &mut self.scratch);
            let samples = &mut self.samples[frame * self.hop..];
            for ((sum, sample), weight) in samples.iter_mut().zip(&self.frame).zip(&self.window) {
                *sum += sample * weight * scale;
            }
        }
        for (sample, weight) in self.samples.iter_mut().zip(&self.weights) {
            *sample = if *weight > self.least_weight { *sample / weight } else { 0.0 };
        }
    }

    /// The spectra of the sound.
    fn analyse(&mut self) {
        for (frame, spectrum) in self.spectra.chunks_exact_mut(self.bins.len()).enumerate() {
            let samples = &self.samples[frame * self.hop..];
            self.frame.fill(0.0);
            for ((into, sample), weight) in self.frame.iter_mut().zip(samples).zip(&self.window) {
                *into = sample * weight;
            }
            self.fft.forward(&mut self.frame, spectrum, &mut self.scratch);
        }
    }

    /// The samples of the clip: without what frames reach beyond it, and in Kaldi's profile as they were before pre-emphasis.
    fn clip(&self, settings: &SpectrogramSettings) -> Vec<f32> {
        let outside = usize::try_from(-settings.frames().first).unwrap_or(0);
        let inside =
            self.samples.get(outside..self.samples.len().saturating_sub(outside)).unwrap_or_default();
        let kaldi = settings.profile == Profile::Kaldi;
        let (factor, scale) = if kaldi { (PREEMPHASIS, 1.0 / f64::from(KALDI_SCALE)) } else { (0.0, 1.0) };
        let mut before = 0.0;
        let deemphasised = inside.iter().map(|sample| {
            before = sample + factor * before;
            (before * scale) as f32
        });
        deemphasised.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audio::{Analyzer, AnalyzerSettings, FeatureSettings};

    /// A sound with harmonics that glide, and noise.
    fn sound() -> Vec<f32> {
        let mut stream = Stream::new(5, "sound", 0);
        let at = |i: usize| {
            let phase = 2.0 * PI * (120.0 + i as f64 * 0.002) * i as f64 / 16_000.0;
            (1..20).map(|k| libm::sin(f64::from(k) * phase) / f64::from(k)).sum::<f64>()
        };
        (0..8000).map(|i| (0.1 * at(i) + 0.01 * (stream.unit_f64() - 0.5)) as f32).collect()
    }

    fn stored(settings: SpectrogramSettings, samples: &[f32]) -> Vec<f32> {
        let features = FeatureSettings { sets: Vec::new(), ..FeatureSettings::default() };
        let settings = AnalyzerSettings { spectrogram: settings, features, ..AnalyzerSettings::default() };
        let analyzer = Analyzer::new(settings, 16_000).unwrap();
        analyzer.analyze(samples, &mut analyzer.scratch()).spectrogram.unwrap().values
    }

    #[test]
    fn the_sound_of_a_spectrogram_has_that_spectrogram() {
        for profile in [Profile::Librosa, Profile::Kaldi, Profile::Whisper] {
            for (store, nearness) in [(Store::Power, 0.15), (Store::Mel, 0.25)] {
                let settings = SpectrogramSettings { store, ..SpectrogramSettings::of(profile) };
                let samples = sound();
                let matrix = stored(settings, &samples);
                let found = invert(&settings, 16_000, &matrix).unwrap();
                assert!(found.distance < nearness, "{profile} {store:?}: {}", found.distance);
                assert!(found.samples.len().abs_diff(samples.len()) < 400, "{}", found.samples.len());
                let energy = |x: &[f32]| x.iter().map(|x| f64::from(*x) * f64::from(*x)).sum::<f64>();
                let ratio = energy(&found.samples) / energy(&samples);
                assert!((0.5..2.0).contains(&ratio), "{profile} {store:?}: {ratio} times the energy");
                let loudest = found.samples.iter().fold(0.0_f32, |most, x| most.max(x.abs()));
                assert!(loudest < 1.0, "{profile} {store:?}: a click of {loudest}");
                assert_eq!(invert(&settings, 16_000, &matrix), Some(found), "the same bits");
            }
        }
    }

    #[test]
    fn power_has_the_energies_it_was_made_from() {
        let bank = MelBank::slaney(16_000, 512, 40);
        let power: Vec<f32> = (0..257).map(|bin| 1.0 + ((bin * 31) % 17) as f32).collect();
        let (mut energies, mut again) = (vec![0.0; 40], vec![0.0; 40]);
        bank.apply(&power, &mut energies);
        bank.apply(&power_of(&bank, &energies, 257), &mut again);
        for (a, b) in energies.iter().zip(&again) {
            assert!((a / b - 1.0).abs() < 0.02, "{a} {b}");
        }
    }

    #[test]
    fn nothing_has_no_sound_and_silence_is_silent() {
        let settings = SpectrogramSettings { store: Store::Power, ..SpectrogramSettings::default() };
        assert_eq!(invert(&settings, 16_000, &[]), None);
        let silent = invert(&settings, 16_000, &vec![0.0; 257 * 10]).unwrap();
        assert!(silent.distance == 0.0 && silent.samples.iter().all(|x| *x == 0.0));
    }
}
