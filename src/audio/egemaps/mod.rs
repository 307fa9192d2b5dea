//! eGeMAPS: 88 functionals that voices are compared by.
//!
//! Eyben et al., "The Geneva Minimalistic Acoustic Parameter Set (`GeMAPS`) for voice research and affective computing", IEEE
//! Transactions on Affective Computing 7 (2016), its extended set, written from the paper. Every 10 ms the spectrum of 20 ms
//! (`spectrum`) and the voice of 60 ms (`voice`) are described; contours are smoothed over three frames, those of the voice
//! within voiced stretches, and summed up (`functionals`). Where the paper names no algorithm (pitch, pulses, formants,
//! harmonics to noise) it is Praat's, as everywhere here.

mod functionals;
mod spectrum;
mod voice;

use functionals::{Summary, coefficient_of_variation, mean, segments};
use spectrum::{Spectrum, SpectrumScratch};
use voice::{Voice, VoiceScratch};

use super::periodicity::FrameTimes;

const STEP_SECONDS: f64 = 0.01;
const VOICE_SECONDS: f64 = 0.06;
const SPECTRUM_SECONDS: f64 = 0.02;
const LOWEST_RATE: u32 = 4000;

/// Contours that a frame of any kind has; the first is loudness, the second flux, then cepstral coefficients, then those of
/// which voiced and unvoiced frames are summed up apart only.
const OF_SPECTRUM: [&str; 10] = [
    "loudness",
    "flux",
    "mfcc_1",
    "mfcc_2",
    "mfcc_3",
    "mfcc_4",
    "alpha_ratio_db",
    "hammarberg_db",
    "slope_to_500hz",
    "slope_to_1500hz",
];
const CEPSTRA: usize = 4;

/// Contours that a voiced frame has; the first is pitch.
const OF_VOICE: [&str; 15] = [
    "f0_semitones",
    "jitter",
    "shimmer_db",
    "hnr_db",
    "h1_h2_db",
    "h1_a3_db",
    "f1_hz",
    "f1_bandwidth_hz",
    "f1_amplitude_db",
    "f2_hz",
    "f2_bandwidth_hz",
    "f2_amplitude_db",
    "f3_hz",
    "f3_bandwidth_hz",
    "f3_amplitude_db",
];

/// What loudness and pitch have beside mean and variation.
const FURTHER: [&str; 8] =
    ["p20", "p50", "p80", "range", "rising_mean", "rising_sd", "falling_mean", "falling_sd"];

const OF_TIME: [&str; 7] = [
    "loudness_peaks_per_second",
    "voiced_segments_per_second",
    "voiced_seconds_mean",
    "voiced_seconds_sd",
    "unvoiced_seconds_mean",
    "unvoiced_seconds_sd",
    "level_db",
];

/// The plan of the set at one sample rate.
#[derive(Clone)]
pub struct Egemaps {
    rate: f64,
    spectrum: Spectrum,
    /// `None` at a rate so low that it has no voices, and very many frames for its samples.
    voice: Option<Voice>,
}

/// What [`Egemaps::push`] writes.
#[derive(Default)]
pub struct EgemapsScratch {
    spectrum: SpectrumScratch,
    voice: VoiceScratch,
    smoothed: Vec<Option<f64>>,
    summary: Summary,
}

/// The names of the values, in their order: of a contour its mean and its coefficient of variation (`cv`), of loudness and
/// pitch `FURTHER` too, then the contours of the spectrum in voiced frames, the means in unvoiced ones, and times.
#[must_use]
pub fn names() -> Vec<String> {
    let mut names = Vec::with_capacity(88);
    let mut push = |contour: &str, of: &[&str]| {
        names.extend(of.iter().map(|of| format!("egemaps_{contour}_{of}")));
    };
    let moments = ["mean", "cv"];
    for contour in [OF_VOICE[0], OF_SPECTRUM[0]] {
        push(contour, &moments);
        push(contour, &FURTHER);
    }
    for contour in OF_SPECTRUM[1..=1 + CEPSTRA].iter().chain(&OF_VOICE[1..]) {
        push(contour, &moments);
    }
    for contour in &OF_SPECTRUM[1..] {
        push(&format!("{contour}_voiced"), &moments);
    }
    for contour in of_unvoiced() {
        push(&format!("{contour}_unvoiced"), &moments[..1]);
    }
    names.extend(OF_TIME.iter().map(|name| format!("egemaps_{name}")));
    names
}

/// The contours whose means in unvoiced frames are values: all of the spectrum but loudness and cepstra.
fn of_unvoiced() -> impl Iterator<Item = &'static str> {
    unvoiced_indices().map(|contour| OF_SPECTRUM[contour])
}

fn unvoiced_indices() -> impl Iterator<Item = usize> {
    std::iter::once(1).chain(2 + CEPSTRA..OF_SPECTRUM.len())
}

impl Egemaps {
    /// For clips of `sample_rate`.
    #[must_use]
    pub fn new(sample_rate: u32) -> Self {
        Self {
            rate: f64::from(sample_rate),
            spectrum: Spectrum::new(sample_rate),
            voice: (sample_rate >= LOWEST_RATE).then(|| Voice::new(sample_rate)).flatten(),
        }
    }

    /// Appends the values of a clip, as many as there are [`names`]; `None` where nothing is defined: all of a clip under
    /// 60 ms or a rate under 4 kHz, those of the voice where there is none, ratios of bands that the sample rate does not reach.
    pub fn push(&self, samples: &[f32], scratch: &mut EgemapsScratch, values: &mut Vec<Option<f64>>) {
        let seconds = samples.len() as f64 / self.rate;
        let times = FrameTimes::inside(seconds, VOICE_SECONDS, STEP_SECONDS);
        let (Some(times), Some(plan)) = (times, &self.voice) else {
            return values.extend([None; 88]);
        };
        let EgemapsScratch { spectrum, voice, smoothed, summary } = scratch;
        self.spectrum.describe(samples, times, spectrum);
        plan.describe(samples, times, voice);
        let voiced: Vec<bool> = voice.contours[0].iter().map(Option::is_some).collect();
        for contour in spectrum.contours.iter_mut().chain(&mut voice.contours) {
            smooth(contour, smoothed);
        }
        summary.push(&voice.contours[0], STEP_SECONDS, values);
        let peaks = summary.push(&spectrum.contours[0], STEP_SECONDS, values);
        for contour in spectrum.contours[1..=1 + CEPSTRA].iter().chain(&voice.contours[1..]) {
            values.extend(moments(contour.iter().copied().flatten()));
        }
        let only = |contour: usize, wanted: bool| {
            let values = spectrum.contours[contour].iter().zip(&voiced);
            values.filter_map(move |(value, voiced)| value.filter(|_| *voiced == wanted))
        };
        (1..OF_SPECTRUM.len()).for_each(|contour| values.extend(moments(only(contour, true))));
        values.extend(unvoiced_indices().map(|contour| mean(only(contour, false))));
        values.push(peaks.map(|peaks| peaks / seconds));
        segments(&voiced, STEP_SECONDS, seconds, values);
        values.push(spectrum.level_db());
    }
}

fn moments(values: impl Iterator<Item = f64> + Clone) -> [Option<f64>; 2] {
    [mean(values.clone()), coefficient_of_variation(values)]
}

/// Replaces each value by the mean of it and those of its neighbours that have one.
fn smooth(contour: &mut Vec<Option<f64>>, smoothed: &mut Vec<Option<f64>>) {
    smoothed.clear();
    smoothed.extend((0..contour.len()).map(|i| {
        contour[i]?;
        mean(contour[i.saturating_sub(1)..(i + 2).min(contour.len())].iter().copied().flatten())
    }));
    std::mem::swap(contour, smoothed);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(samples: &[f32], rate: u32) -> Vec<Option<f64>> {
        let mut values = Vec::new();
        Egemaps::new(rate).push(samples, &mut EgemapsScratch::default(), &mut values);
        assert_eq!(values.len(), 88);
        values
    }

    fn value(values: &[Option<f64>], name: &str) -> Option<f64> {
        let at = names().iter().position(|known| known == &format!("egemaps_{name}"));
        values[at.expect(name)]
    }

    /// A voice of so many Hz: pulses through two resonances, with silence after every second of three.
    fn voice(hz: f64, rate: u32, seconds: u32) -> Vec<f32> {
        let period = f64::from(rate) / hz;
        let sounds = |i: u32| i / rate % 3 < 2;
        let mut signal: Vec<f64> = (0..rate * seconds)
            .map(|i| f64::from(u8::from(sounds(i) && f64::from(i) % period < 1.0)))
            .collect();
        for (hz, bandwidth) in [(600.0, 60.0), (1400.0, 90.0), (2600.0, 130.0)] {
            let radius = libm::exp(-std::f64::consts::PI * bandwidth / f64::from(rate));
            let turn = libm::cos(2.0 * std::f64::consts::PI * hz / f64::from(rate));
            for i in 2..signal.len() {
                signal[i] += 2.0 * radius * turn * signal[i - 1] - radius * radius * signal[i - 2];
            }
        }
        signal.iter().map(|x| (x * 0.02) as f32).collect()
    }

    #[test]
    fn there_are_88_values_with_names_of_their_own() {
        let names = names();
        assert_eq!(names.len(), 88);
        assert_eq!(names.iter().collect::<std::collections::BTreeSet<_>>().len(), 88);
    }

    #[test]
    fn a_made_voice_is_described_as_it_was_made() {
        let found = of(&voice(125.0, 16_000, 6), 16_000);
        let near = |name: &str, expected: f64, within: f64| {
            let found = value(&found, name).unwrap_or(f64::NAN);
            assert!((found - expected).abs() <= within, "{name}: {found} for {expected}");
        };
        near("f0_semitones_mean", 12.0 * (125.0_f64 / 27.5).log2(), 0.1);
        near("jitter_mean", 0.0, 0.005);
        near("f1_hz_mean", 600.0, 60.0);
        near("f2_hz_mean", 1400.0, 100.0);
        near("voiced_segments_per_second", 2.0 / 6.0, 1e-9);
        near("voiced_seconds_mean", 2.0, 0.1);
        near("unvoiced_seconds_mean", 1.0, 0.15);
        near("loudness_p20", 0.0, 0.05);
        assert!(value(&found, "hnr_db_mean") > Some(15.0));
        assert!(value(&found, "alpha_ratio_db_voiced_mean") < Some(5.0));
    }

    #[test]
    fn louder_is_louder_and_nothing_else_changes() {
        let quiet = voice(125.0, 16_000, 3);
        let loud: Vec<f32> = quiet.iter().map(|x| 4.0 * x).collect();
        let (quiet, loud) = (of(&quiet, 16_000), of(&loud, 16_000));
        let change = |name| value(&loud, name).unwrap() - value(&quiet, name).unwrap();
        assert!((change("level_db") - 20.0 * 4.0_f64.log10()).abs() < 1e-3);
        assert!(change("loudness_mean") > 0.0);
        for same in ["f0_semitones_mean", "hammarberg_db_voiced_mean", "h1_h2_db_mean", "f1_hz_mean"] {
            assert!(change(same).abs() < 1e-3, "{same}");
        }
    }

    #[test]
    fn silence_scraps_and_low_rates_have_what_is_defined() {
        assert_eq!(of(&[0.1; 900], 16_000), [None; 88]);
        let silent = of(&vec![0.0; 16_000], 16_000);
        assert_eq!(value(&silent, "f0_semitones_mean"), None);
        assert_eq!(value(&silent, "voiced_segments_per_second"), Some(0.0));
        assert!(silent.iter().flatten().all(|value| value.is_finite()));
        let narrow = of(&voice(125.0, 8000, 3), 8000);
        assert_eq!(value(&narrow, "alpha_ratio_db_voiced_mean"), None);
        assert!(value(&narrow, "f1_hz_mean").is_some());
        for rate in [1, 100, 1000, 192_000] {
            let _ = of(&vec![0.3; rate as usize / 2], rate);
        }
    }
}
