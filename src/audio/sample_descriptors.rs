//! The sets of features beyond the default ones that are found in the samples themselves: the voice and the recording.
//!
//! As [`super::descriptors`], which has those of the spectra; their columns come before these.

use super::bandwidth::{Bandwidth, BandwidthScratch};
use super::contour::moments;
use super::egemaps::{self, Egemaps, EgemapsScratch};
use super::features::{FeatureSet, FeatureSettings, FrameColumns};
use super::formants::{FORMANTS, FormantScratch, Formants};
use super::harmonicity::{Harmonicity, HarmonicityScratch};
use super::loudness;
use super::perturbation::{self, Perturbation, PerturbationScratch};
use super::pulses::{PulseScratch, Pulses, VOICE_REPORT};
use super::signal_to_noise::wada_db;
use super::speech::{SpeechDetector, SpeechScratch};
use super::syllables::{SyllableScratch, Syllables};

const VOICE_QUALITY: [&str; 8] = [
    "hnr_db",
    "jitter_local",
    "jitter_rap",
    "jitter_ppq5",
    "shimmer_local",
    "shimmer_apq3",
    "shimmer_apq5",
    "shimmer_local_db",
];
const SYLLABLES: [&str; 5] =
    ["syllables", "speech_rate", "articulation_rate", "phonation_share", "pause_seconds_mean"];
const RECORDING: [&str; 3] = ["loudness_range_lu", "effective_bandwidth_hz", "snr_wada_db"];

const EARSHOT: [&str; 3] =
    ["earshot_speech_share", "earshot_pauses_per_minute", "earshot_pause_seconds_mean"];

/// The plan of the sets asked for.
#[derive(Clone)]
pub struct SampleDescriptors {
    sample_rate: u32,
    formants: Option<Formants>,
    voice_quality: Option<VoiceQuality>,
    syllables: Option<Syllables>,
    recording: Option<Bandwidth>,
    speech: Option<SpeechDetector>,
    egemaps: Option<Egemaps>,
}

/// Each `None` at a rate that has none.
#[derive(Clone)]
struct VoiceQuality {
    harmonicity: Option<Harmonicity>,
    pulses: Option<Pulses>,
}

/// What a thread writes while it works.
#[derive(Default)]
pub struct SampleScratch {
    formants: FormantScratch,
    harmonicity: HarmonicityScratch,
    pulses: PulseScratch,
    perturbation: PerturbationScratch,
    syllables: SyllableScratch,
    bandwidth: BandwidthScratch,
    speech: SpeechScratch,
    egemaps: EgemapsScratch,
}

impl SampleDescriptors {
    /// Plans the sets of settings that were checked.
    #[must_use]
    pub fn new(features: &FeatureSettings, sample_rate: u32) -> Self {
        let asked = |set| features.has(set);
        Self {
            sample_rate,
            formants: asked(FeatureSet::Formants).then(|| Formants::new(sample_rate)),
            voice_quality: asked(FeatureSet::VoiceQuality).then(|| VoiceQuality {
                harmonicity: Harmonicity::new(sample_rate),
                pulses: Pulses::new(VOICE_REPORT, sample_rate),
            }),
            syllables: asked(FeatureSet::Syllables).then(|| Syllables::new(sample_rate)),
            recording: asked(FeatureSet::Recording).then(|| Bandwidth::new(sample_rate)),
            speech: asked(FeatureSet::Earshot).then(|| SpeechDetector::new(sample_rate)),
            egemaps: asked(FeatureSet::Egemaps).then(|| Egemaps::new(sample_rate)),
        }
    }

    /// Appends the names of the columns of the sets asked for.
    pub fn push_names(features: &FeatureSettings, names: &mut Vec<String>) {
        if features.has(FeatureSet::Formants) {
            let all = (1..=FORMANTS).flat_map(|i| [format!("f{i}_hz_mean"), format!("f{i}_hz_sd")]);
            names.extend(all);
        }
        for (set, columns) in [
            (FeatureSet::VoiceQuality, &VOICE_QUALITY[..]),
            (FeatureSet::Syllables, &SYLLABLES),
            (FeatureSet::Recording, &RECORDING),
            (FeatureSet::Earshot, &EARSHOT),
        ] {
            if features.has(set) {
                names.extend(columns.iter().map(|name| (*name).to_owned()));
            }
        }
        if features.has(FeatureSet::Egemaps) {
            names.extend(egemaps::names());
        }
    }

    /// Whether none is asked for, and the samples need not be there.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        let Self { sample_rate: _, formants, voice_quality, syllables, recording, speech, egemaps } = self;
        let none = formants.is_none() && voice_quality.is_none() && syllables.is_none();
        none && recording.is_none() && speech.is_none() && egemaps.is_none()
    }

    /// Appends the values of a clip, whose voicing is known, as many as there are names, and adds the formants to the columns.
    pub fn push(
        &self,
        samples: &[f32],
        columns: &mut FrameColumns,
        scratch: &mut SampleScratch,
        copy: &mut Vec<f64>,
        values: &mut Vec<Option<f64>>,
    ) {
        if let Some(formants) = &self.formants {
            find_formants(formants, samples, columns, &mut scratch.formants);
            for column in &columns.formants_hz {
                values.extend(moments(column.iter().filter_map(|hz| *hz), copy));
            }
        }
        if let Some(voice) = &self.voice_quality {
            values.extend(voice.measure(samples, self.sample_rate, scratch));
        }
        if let Some(syllables) = &self.syllables {
            let rate = syllables.measure(samples, &mut scratch.syllables);
            values.extend([
                rate.map(|rate| rate.syllables),
                rate.map(|rate| rate.speech_rate),
                rate.and_then(|rate| rate.articulation_rate),
                rate.map(|rate| rate.phonation_share),
                rate.and_then(|rate| rate.pause_seconds),
            ]);
        }
        if let Some(bandwidth) = &self.recording {
            values.extend([
                loudness::range_lu(samples, self.sample_rate),
                bandwidth.effective_hz(samples, &mut scratch.bandwidth),
                wada_db(samples),
            ]);
        }
        if let Some(detector) = &self.speech {
            let speech = detector.detect(samples, &mut scratch.speech);
            values.extend([
                speech.map(|speech| speech.share),
                speech.map(|speech| speech.pauses_per_minute),
                speech.and_then(|speech| speech.pause_seconds),
            ]);
        }
        if let Some(egemaps) = &self.egemaps {
            egemaps.push(samples, &mut scratch.egemaps, values);
        }
    }
}

/// The formants of the voiced frames of a clip.
fn find_formants(plan: &Formants, samples: &[f32], columns: &mut FrameColumns, scratch: &mut FormantScratch) {
    plan.begin(samples, scratch);
    let FrameColumns { seconds, voiced, formants_hz, .. } = columns;
    for (seconds, voiced) in seconds.iter().zip(voiced.iter()) {
        let found = if *voiced > 0.0 { plan.estimate(*seconds, scratch) } else { [None; FORMANTS] };
        for (column, formant) in formants_hz.iter_mut().zip(found) {
            column.push(formant.map(|formant| formant.hz as f32));
        }
    }
}

impl VoiceQuality {
    fn measure(&self, samples: &[f32], rate: u32, scratch: &mut SampleScratch) -> [Option<f64>; 8] {
        let plan = self.harmonicity.as_ref();
        let hnr_db = plan.and_then(|plan| plan.hnr_db(samples, &mut scratch.harmonicity));
        let found = self.pulses.as_ref().map(|plan| {
            let pulses = plan.find(samples, &mut scratch.pulses);
            perturbation::measure(samples, f64::from(rate), pulses, &mut scratch.perturbation)
        });
        let Perturbation {
            jitter_local,
            jitter_rap,
            jitter_ppq5,
            shimmer_local,
            shimmer_local_db,
            shimmer_apq3,
            shimmer_apq5,
        } = found.unwrap_or_default();
        let jitter = [jitter_local, jitter_rap, jitter_ppq5];
        let shimmer = [shimmer_local, shimmer_apq3, shimmer_apq5, shimmer_local_db];
        let mut values = [hnr_db; 8];
        values[1..4].copy_from_slice(&jitter);
        values[4..].copy_from_slice(&shimmer);
        values
    }
}
