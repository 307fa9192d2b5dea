//! The sets of features beyond the default ones that are found in the samples themselves: the voice and the recording.
//!
//! As [`super::descriptors`], which has those of the spectra; their columns come before these. Longer clips are looked at in parts of
//! [`PART`] samples, one after another; what is given is the mean over the parts, weighted by their length, so that memory does not
//! follow the length of a clip.

use super::bandwidth::{Bandwidth, BandwidthScratch};
use super::contour::moments;
use super::egemaps::{self, Egemaps, EgemapsScratch};
use super::features::{FeatureSet, FeatureSettings, FrameColumns};
use super::formants::{FORMANTS, FormantScratch, Formants};
use super::harmonicity::{Harmonicity, HarmonicityScratch};
use super::loudness::RangeMeter;
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

/// The samples of a part, 4.4 minutes at 16 kHz: with the silence about it that resampling adds, a power of two.
pub const PART: usize = if cfg!(test) { 1 << 16 } else { (1 << 22) - 2000 };

/// The mean of a value over parts.
#[derive(Debug, Clone, Copy, Default)]
struct Pooled {
    mean: f64,
    /// The samples of the parts that have the value.
    weight: f64,
}

/// What a thread writes while it works.
#[derive(Default)]
pub struct SampleScratch {
    pooled: Vec<Pooled>,
    /// Where the recording is asked for: a range is that of the whole.
    range: Option<RangeMeter>,
    values: Vec<Option<f64>>,
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

    /// Whether formants are looked for, for which the voicing of frames must be known.
    #[must_use]
    pub fn needs_voicing(&self) -> bool {
        self.formants.is_some()
    }

    /// Whether none is asked for, and the samples need not be there.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        let Self { sample_rate: _, formants, voice_quality, syllables, recording, speech, egemaps } = self;
        let none = formants.is_none() && voice_quality.is_none() && syllables.is_none();
        none && recording.is_none() && speech.is_none() && egemaps.is_none()
    }

    /// Begins a new clip.
    pub fn restart(&self, scratch: &mut SampleScratch) {
        scratch.pooled.clear();
        scratch.range = self.recording.is_some().then(|| RangeMeter::new(self.sample_rate));
    }

    /// Looks at the next part of a clip. `frames` are those whose centres lie in it, each with its place in seconds from the begin of
    /// the part; their voicing is known, and their formants are added to the columns.
    pub fn observe(
        &self,
        part: &[f32],
        frames: impl Iterator<Item = (usize, f64)>,
        columns: &mut FrameColumns,
        scratch: &mut SampleScratch,
    ) {
        if let Some(formants) = &self.formants {
            formants.begin(part, &mut scratch.formants);
            for (frame, place) in frames {
                let voiced = columns.voiced.get(frame).is_some_and(|voiced| *voiced > 0.0);
                let found =
                    if voiced { formants.estimate(place, &mut scratch.formants) } else { [None; FORMANTS] };
                for (column, formant) in columns.formants_hz.iter_mut().zip(found) {
                    column.push(formant.map(|formant| formant.hz as f32));
                }
            }
        }
        if let Some(range) = &mut scratch.range {
            range.add(part);
        }
        let mut values = std::mem::take(&mut scratch.values);
        values.clear();
        self.measure(part, scratch, &mut values);
        scratch.pool(part.len() as f64, &values);
        scratch.values = values;
    }

    /// The values of a part but those of formants.
    fn measure(&self, samples: &[f32], scratch: &mut SampleScratch, values: &mut Vec<Option<f64>>) {
        if let Some(voice) = &self.voice_quality {
            values.extend(voice.measure(samples, self.sample_rate, scratch));
        }
        if let Some(syllables) = &self.syllables {
            let rate = syllables.measure(samples, &mut scratch.syllables);
            values.extend([
                // Counts add up: a second has so many of them.
                rate.map(|rate| rate.speech_rate),
                rate.map(|rate| rate.speech_rate),
                rate.and_then(|rate| rate.articulation_rate),
                rate.map(|rate| rate.phonation_share),
                rate.and_then(|rate| rate.pause_seconds),
            ]);
        }
        if let Some(bandwidth) = &self.recording {
            values.extend([
                // At the end.
                None,
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

    /// Appends the values of a clip of which all parts were observed, as many as there are names.
    pub fn push(
        &self,
        columns: &FrameColumns,
        scratch: &SampleScratch,
        copy: &mut Vec<f64>,
        values: &mut Vec<Option<f64>>,
    ) {
        if self.formants.is_some() {
            for column in &columns.formants_hz {
                values.extend(moments(column.iter().filter_map(|hz| *hz), copy));
            }
        }
        let from = values.len();
        values.extend(scratch.pooled.iter().map(|pooled| (pooled.weight > 0.0).then_some(pooled.mean)));
        if self.syllables.is_some() {
            let at = from + if self.voice_quality.is_some() { VOICE_QUALITY.len() } else { 0 };
            let seconds = scratch.pooled.get(at - from).map_or(0.0, |pooled| pooled.weight)
                / f64::from(self.sample_rate);
            // Whole nuclei, where rounding left a little.
            values[at] = values[at].map(|per_second| (per_second * seconds).round());
        }
        if let Some(range) = &scratch.range {
            let voice = if self.voice_quality.is_some() { VOICE_QUALITY.len() } else { 0 };
            let syllables = if self.syllables.is_some() { SYLLABLES.len() } else { 0 };
            values[from + voice + syllables] = range.lu();
        }
    }
}

impl SampleScratch {
    /// Takes the values of a part of so many samples into the means of those of all parts.
    fn pool(&mut self, samples: f64, values: &[Option<f64>]) {
        self.pooled.resize(values.len(), Pooled::default());
        for (pooled, value) in self.pooled.iter_mut().zip(values) {
            if let Some(value) = value.filter(|value| value.is_finite() && samples > 0.0) {
                pooled.weight += samples;
                pooled.mean += (value - pooled.mean) * (samples / pooled.weight);
            }
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
