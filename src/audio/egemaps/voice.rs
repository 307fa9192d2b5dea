//! The voice of 60 ms: pitch, jitter and shimmer, harmonics and noise, formants and how strong they are.
//!
//! The first harmonic (H1) is the one after the fundamental, at twice the pitch: so openSMILE, which the paper's authors wrote, counts,
//! and its values are those that are published.

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
    voicing: 0.55,
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
#[derive(Default)]
pub(super) struct VoiceScratch {
    /// `None` in unvoiced frames.
    pub contours: [Vec<Option<f64>>; OF_VOICE.len()],
    pulses: PulseScratch,
    frame: FrameScratch,
}

/// What a frame is found with.
#[derive(Default)]
struct FrameScratch {
    perturbation: PerturbationScratch,
    harmonicity: HarmonicityScratch,
    formants: FormantScratch,
    samples: Vec<f64>,
    spectrum: Vec<Complex<f64>>,
    fft: FftScratch<f64>,
    power: Vec<f64>,
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
        let VoiceScratch { contours, pulses, frame: scratch } = scratch;
        contours.iter_mut().for_each(Vec::clear);
        let (pulses, pitch) = self.pulses.find_with_pitch(samples, pulses);
        self.formants.begin(samples, &mut scratch.formants);
        for seconds in (0..times.count).map(|frame| times.seconds(frame)) {
            let hz = pitch.and_then(|pitch| pitch.at(seconds));
            let values = hz.map_or([None; OF_VOICE.len()], |hz| {
                let before =
                    |edge: f64| pulses.partition_point(|pulse| *pulse < seconds + edge * VOICE_SECONDS);
                self.frame(samples, seconds, hz, &pulses[before(-0.5)..before(0.5)], scratch)
            });
            contours.iter_mut().zip(values).for_each(|(contour, value)| contour.push(value));
        }
    }

    /// The voice about a time, of such a pitch and with these pulses.
    fn frame(
        &self,
        samples: &[f32],
        seconds: f64,
        hz: f64,
        pulses: &[f64],
        scratch: &mut FrameScratch,
    ) -> [Option<f64>; OF_VOICE.len()] {
        let mut values = [None; OF_VOICE.len()];
        let found = perturbation::measure(samples, self.rate, pulses, &mut scratch.perturbation);
        values[0] = Some(12.0 * libm::log2(hz / LOWEST_NOTE_HZ));
        values[1] = found.jitter_local;
        values[2] = found.shimmer_local_db;
        values[3] = self.harmonicity.frame_db(samples, seconds, &mut scratch.harmonicity);
        let formants = self.formants.estimate(seconds, &mut scratch.formants);
        self.transform(samples, seconds, scratch);
        let level_db = |power: f64| (power > 0.0).then(|| 10.0 * libm::log10(power));
        let strongest_db = |from: f64, to: f64| self.strongest(&scratch.power, from, to).and_then(level_db);
        let harmonic_db = |k: f64| strongest_db((k - HARMONIC_REACH) * hz, (k + HARMONIC_REACH) * hz);
        let (fundamental_db, first_db) = (harmonic_db(1.0), harmonic_db(2.0));
        let less = |a: Option<f64>, b: Option<f64>| a.zip(b).map(|(a, b)| a - b);
        values[4] = less(first_db, harmonic_db(3.0));
        for (formant, values) in formants.into_iter().zip(values[6..].as_chunks_mut::<3>().0) {
            let Some(Resonance { hz, bandwidth_hz }) = formant else { continue };
            let level_db = strongest_db((1.0 - FORMANT_REACH) * hz, (1.0 + FORMANT_REACH) * hz);
            *values = [Some(hz), Some(bandwidth_hz), less(level_db, fundamental_db)];
        }
        let of_third_db = less(values[14], fundamental_db.map(|db| -db));
        values[5] = less(first_db, of_third_db);
        values
    }

    fn transform(&self, samples: &[f32], seconds: f64, scratch: &mut FrameScratch) {
        let FrameScratch { samples: frame, spectrum, fft, power, .. } = scratch;
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
