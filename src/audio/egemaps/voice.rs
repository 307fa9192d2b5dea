//! The voice of 60 ms: pitch, jitter and shimmer, harmonics and noise, formants and how strong they are.

use crate::audio::formants::{FormantScratch, Formants, Resonance};
use crate::audio::harmonicity::{Harmonicity, HarmonicityScratch};
use crate::audio::periodic_pitch::PeriodicPitchSettings;
use crate::audio::periodicity::FrameTimes;
use crate::audio::perturbation::{self, PerturbationScratch};
use crate::audio::pulses::{PulseScratch, Pulses};
use crate::convolution::fourier::{Complex, FftScratch, RealFft};

use super::{OF_VOICE, VOICE_SECONDS};

const PITCH: PeriodicPitchSettings = PeriodicPitchSettings {
    min_hz: 55.0,
    max_hz: 1000.0,
    step_seconds: 0.01,
    voicing: 0.45,
    voicing_cost: 0.14,
};
/// Pitch is counted in semitones from here, the note A0.
const LOWEST_NOTE_HZ: f64 = 27.5;
/// Deviation of the Gaussian window, as a share of half its length.
const WINDOW_DEVIATION: f64 = 0.4;
/// A harmonic is looked for this far from its place, in harmonics.
const HARMONIC_REACH: f64 = 0.25;
/// Harmonics belong to a formant this far from it, as a share of its frequency.
const FORMANT_REACH: f64 = 0.2;

/// The plan of the voice at one sample rate.
#[derive(Clone)]
pub(super) struct Voice {
    rate: f64,
    pulses: Pulses,
    harmonicity: Harmonicity,
    formants: Formants,
    window: Vec<f64>,
    fft: RealFft<f64>,
}

/// What [`Voice::describe`] writes.
pub(super) struct VoiceScratch {
    /// `None` in unvoiced frames.
    pub contours: [Vec<Option<f64>>; OF_VOICE.len()],
    pulses: PulseScratch,
    perturbation: PerturbationScratch,
    harmonicity: HarmonicityScratch,
    formants: FormantScratch,
    frame: Vec<f64>,
    spectrum: Vec<Complex<f64>>,
    fft: FftScratch<f64>,
    power: Vec<f64>,
}

impl Default for VoiceScratch {
    fn default() -> Self {
        Self {
            contours: std::array::from_fn(|_| Vec::new()),
            pulses: PulseScratch::default(),
            perturbation: PerturbationScratch::default(),
            harmonicity: HarmonicityScratch::default(),
            formants: FormantScratch::default(),
            frame: Vec::new(),
            spectrum: Vec::new(),
            fft: FftScratch::default(),
            power: Vec::new(),
        }
    }
}

impl VoiceScratch {
    /// A clip without a voice.
    pub fn silence(&mut self, times: FrameTimes) {
        for contour in &mut self.contours {
            contour.clear();
            contour.resize(times.count, None);
        }
    }
}

impl Voice {
    /// For clips of `sample_rate`; `None` where that has no voices.
    pub fn new(sample_rate: u32) -> Option<Self> {
        let rate = f64::from(sample_rate);
        let len = (VOICE_SECONDS * rate).round() as usize;
        let half = 0.5 * (len as f64 - 1.0);
        let weight = |i: usize| (i as f64 - half) / (WINDOW_DEVIATION * half);
        Some(Self {
            rate,
            pulses: Pulses::new(PITCH, sample_rate)?,
            harmonicity: Harmonicity::new(sample_rate)?,
            formants: Formants::new(sample_rate),
            window: (0..len).map(|i| libm::exp(-0.5 * weight(i) * weight(i))).collect(),
            fft: RealFft::new(len.next_power_of_two()),
        })
    }

    /// Describes the frames of a clip.
    pub fn describe(&self, samples: &[f32], times: FrameTimes, scratch: &mut VoiceScratch) {
        scratch.silence(times);
        let VoiceScratch { contours, pulses, perturbation, harmonicity, formants, .. } = scratch;
        let (pulses, contour) = self.pulses.find_with_pitch(samples, pulses);
        let Some(contour) = contour else { return };
        self.formants.begin(samples, formants);
        for frame in 0..times.count {
            let seconds = times.seconds(frame);
            let Some(hz) = contour.at(seconds) else { continue };
            let within = |edge: f64| pulses.partition_point(|pulse| *pulse < seconds + edge * VOICE_SECONDS);
            let pulses = &pulses[within(-0.5)..within(0.5)];
            let found = perturbation::measure(samples, self.rate, pulses, perturbation);
            contours[0][frame] = Some(12.0 * libm::log2(hz / LOWEST_NOTE_HZ));
            contours[1][frame] = found.jitter_local;
            contours[2][frame] = found.shimmer_local_db;
            contours[3][frame] = self.harmonicity.frame_db(samples, seconds, harmonicity);
        }
        for frame in 0..times.count {
            let Some(semitones) = scratch.contours[0][frame] else { continue };
            let hz = LOWEST_NOTE_HZ * libm::exp2(semitones / 12.0);
            self.describe_formants(samples, times.seconds(frame), hz, frame, scratch);
        }
    }

    /// The formants of a frame of such a pitch, and the levels of its harmonics.
    fn describe_formants(
        &self,
        samples: &[f32],
        seconds: f64,
        hz: f64,
        frame: usize,
        scratch: &mut VoiceScratch,
    ) {
        let found = self.formants.estimate(seconds, &mut scratch.formants);
        self.transform(samples, seconds, scratch);
        let VoiceScratch { contours, power, .. } = scratch;
        let level_db = |power: f64| (power > 0.0).then(|| 10.0 * libm::log10(power));
        let harmonic = |k: f64| self.strongest(power, (k - HARMONIC_REACH) * hz, (k + HARMONIC_REACH) * hz);
        let first = harmonic(1.0).and_then(level_db);
        let second = harmonic(2.0).and_then(level_db);
        let less = |a: Option<f64>, b: Option<f64>| a.zip(b).map(|(a, b)| a - b);
        contours[4][frame] = less(first, second);
        for (i, formant) in found.into_iter().take(3).enumerate() {
            let Some(Resonance { hz, bandwidth_hz }) = formant else { continue };
            let strongest = self.strongest(power, (1.0 - FORMANT_REACH) * hz, (1.0 + FORMANT_REACH) * hz);
            let amplitude = strongest.and_then(level_db);
            contours[6 + 3 * i][frame] = Some(hz);
            contours[7 + 3 * i][frame] = Some(bandwidth_hz);
            contours[8 + 3 * i][frame] = less(amplitude, first);
            if i == 2 {
                contours[5][frame] = less(first, amplitude);
            }
        }
    }

    fn transform(&self, samples: &[f32], seconds: f64, scratch: &mut VoiceScratch) {
        let VoiceScratch { frame, spectrum, fft, power, .. } = scratch;
        let first = (seconds * self.rate - 0.5 * self.window.len() as f64).round().max(0.0) as usize;
        let samples = samples.get(first..).unwrap_or_default();
        frame.clear();
        frame.extend(samples.iter().zip(&self.window).map(|(x, weight)| f64::from(*x) * weight));
        frame.resize(self.fft.len(), 0.0);
        spectrum.resize(self.fft.bins(), Complex::default());
        self.fft.forward(frame, spectrum, fft);
        power.clear();
        power.extend(spectrum.iter().map(Complex::norm_sqr));
    }

    /// The most power between two frequencies; `None` where there is no bin.
    fn strongest(&self, power: &[f64], from_hz: f64, to_hz: f64) -> Option<f64> {
        let bin_hz = self.rate / self.fft.len() as f64;
        let (from, to) = ((from_hz / bin_hz).ceil() as usize, (to_hz / bin_hz).floor() as usize + 1);
        power.get(from..to.min(power.len()))?.iter().copied().reduce(f64::max)
    }
}
