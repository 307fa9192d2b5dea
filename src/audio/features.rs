//! Features: which are asked for, what their columns are called, and the columns of the frames.

use std::fmt;
use std::str::FromStr;

use super::contour::{moments, percentile};
use super::descriptors::Descriptors;
use super::error::AudioError;
use super::formants::FORMANTS;
use super::pitch::PitchSettings;
use super::sample_descriptors::SampleDescriptors;
use super::spectral::SpectralShape;

/// A set of features that is asked for by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum FeatureSet {
    /// The level of each mel band, in the profile's unit.
    Mel,
    /// Mel-frequency cepstral coefficients.
    Mfcc,
    /// Level, zero crossings and the shape of the spectrum.
    Spectral,
    /// Fundamental frequency.
    Pitch,
    /// Loudness and true peak.
    Loudness,
    /// Speech, silence, pauses.
    Voice,
    /// Noise, clipping, offset.
    Quality,
    /// Contrast, slope and entropy of the spectrum.
    Contrast,
    /// Pitch classes.
    Chroma,
    /// Mel bands, each normalised by its own past.
    Pcen,
    /// Changes of the cepstral coefficients.
    Deltas,
    /// Onsets and tempo.
    Rhythm,
    /// Resonances of the vocal tract.
    Formants,
    /// Harmonics, noise, jitter and shimmer of the voice.
    VoiceQuality,
    /// Syllables, speech rate, pauses.
    Syllables,
    /// Loudness range, effective bandwidth and noise of the recording.
    Recording,
    /// Speech and pauses by a network that knows voices.
    Earshot,
    /// Percentiles, slope, rise and fall of each contour.
    Functionals,
    /// The 88 functionals of eGeMAPS.
    Egemaps,
}

impl FeatureSet {
    /// The sets of a job that names none.
    pub const DEFAULT: [Self; 7] =
        [Self::Mel, Self::Mfcc, Self::Spectral, Self::Pitch, Self::Loudness, Self::Voice, Self::Quality];

    /// All sets.
    pub const ALL: [Self; 19] = [
        Self::Mel,
        Self::Mfcc,
        Self::Spectral,
        Self::Pitch,
        Self::Loudness,
        Self::Voice,
        Self::Quality,
        Self::Contrast,
        Self::Chroma,
        Self::Pcen,
        Self::Deltas,
        Self::Rhythm,
        Self::Formants,
        Self::VoiceQuality,
        Self::Syllables,
        Self::Recording,
        Self::Earshot,
        Self::Functionals,
        Self::Egemaps,
    ];
}

/// The `[features]` of a job.
#[derive(Debug, Clone, PartialEq)]
pub struct FeatureSettings {
    /// What is computed.
    pub sets: Vec<FeatureSet>,
    /// How many cepstral coefficients, at most as many as mel bands.
    pub mfcc: usize,
    /// How pitch is found.
    pub pitch: PitchSettings,
    /// Whether each frame's features are wanted too.
    pub frames: bool,
    /// Whether the cepstral coefficients of frames are normalised to mean 0 and deviation 1 over the clip. Its means and
    /// deviations, and the deltas, are those before.
    pub cmvn: bool,
}

impl Default for FeatureSettings {
    fn default() -> Self {
        Self {
            sets: FeatureSet::DEFAULT.to_vec(),
            mfcc: 13,
            pitch: PitchSettings::default(),
            frames: false,
            cmvn: false,
        }
    }
}

impl FeatureSettings {
    /// Whether a set is asked for.
    #[must_use]
    pub fn has(&self, set: FeatureSet) -> bool {
        self.sets.contains(&set)
    }

    pub(crate) fn check(&self, mels: usize) -> Result<(), AudioError> {
        let cepstra = self.has(FeatureSet::Mfcc) || self.has(FeatureSet::Deltas);
        if cepstra && self.mfcc == 0 {
            return Err(AudioError::Zero { key: "features.mfcc" });
        }
        if cepstra && self.mfcc > mels {
            return Err(AudioError::TooManyMfcc { mfcc: self.mfcc, mels });
        }
        Ok(())
    }

    /// The columns of a clip, in the order in which an analysis gives their values: the mean and standard deviation
    /// of each contour, the values of the whole clip, then those of the cepstral coefficients and of the `mels`
    /// bands where these sets are asked for, and those of the sets beyond the default ones. The other columns are always
    /// there, empty where their set is not.
    #[must_use]
    pub fn names(&self, mels: usize) -> Vec<String> {
        let moments = |name: &str| [format!("{name}_mean"), format!("{name}_sd")];
        let mut names: Vec<String> = CONTOURS.iter().flat_map(|name| moments(name)).collect();
        names.extend(WHOLE_CLIP.iter().map(|name| (*name).to_owned()));
        if self.has(FeatureSet::Mfcc) {
            names.extend((1..=self.mfcc).flat_map(|i| moments(&format!("mfcc_{i:02}"))));
        }
        if self.has(FeatureSet::Mel) {
            names.extend((1..=mels).flat_map(|i| moments(&format!("mel_{i:02}"))));
        }
        Descriptors::push_names(self, mels, &CONTOURS, &mut names);
        SampleDescriptors::push_names(self, &mut names);
        names
    }
}

/// The features of each frame, a column each; a column whose set is not asked for is empty.
#[derive(Debug, Clone, PartialEq, Default, serde::Serialize, serde::Deserialize)]
pub struct FrameColumns {
    /// When the frame is: its centre, or its begin in the Kaldi profile.
    pub seconds: Vec<f64>,
    /// Level in dB of full scale, at least -100.
    pub rms_db: Vec<f32>,
    /// Share of the samples whose sign differs from the one before.
    pub zcr: Vec<f32>,
    /// Mean frequency; 0 in a silent frame, as the next two.
    pub centroid_hz: Vec<f32>,
    /// Deviation of frequency.
    pub bandwidth_hz: Vec<f32>,
    /// Frequency under which 85 % of the magnitude lies.
    pub rolloff_hz: Vec<f32>,
    /// Geometric by arithmetic mean of power.
    pub flatness: Vec<f32>,
    /// Increase of magnitude since the frame before.
    pub flux: Vec<f32>,
    /// Pitch; `None` in an unvoiced frame.
    pub f0_hz: Vec<Option<f32>>,
    /// 1 in a voiced frame, else 0.
    pub voiced: Vec<f32>,
    /// The lowest formants, a column each; `None` in an unvoiced frame and where a frame has fewer.
    pub formants_hz: [Vec<Option<f32>>; FORMANTS],
    /// Cepstral coefficients, row-major, frames by `mfcc_len`.
    pub mfcc: Vec<f32>,
    /// Coefficients of a frame; 0 where they are not asked for.
    pub mfcc_len: usize,
}

impl FrameColumns {
    pub(super) fn clear(&mut self) {
        self.seconds.clear();
        for column in [
            &mut self.rms_db,
            &mut self.zcr,
            &mut self.centroid_hz,
            &mut self.bandwidth_hz,
            &mut self.rolloff_hz,
            &mut self.flatness,
            &mut self.flux,
            &mut self.voiced,
            &mut self.mfcc,
        ] {
            column.clear();
        }
        self.f0_hz.clear();
        self.formants_hz.iter_mut().for_each(Vec::clear);
    }

    /// The contours that have a value in every frame, in the order of their names.
    pub(super) fn contours(&self) -> [&Vec<f32>; 7] {
        [
            &self.rms_db,
            &self.zcr,
            &self.centroid_hz,
            &self.bandwidth_hz,
            &self.rolloff_hz,
            &self.flatness,
            &self.flux,
        ]
    }

    /// Forgets the pitch, which served other features only.
    pub(super) fn clear_pitch(&mut self) {
        self.f0_hz.clear();
        self.voiced.clear();
    }

    pub(super) fn push_pitch(&mut self, hz: Option<f64>) {
        self.f0_hz.push(hz.map(|hz| hz as f32));
        self.voiced.push(if hz.is_some() { 1.0 } else { 0.0 });
    }

    pub(super) fn push_shape(&mut self, shape: SpectralShape) {
        self.centroid_hz.push(shape.centroid_hz as f32);
        self.bandwidth_hz.push(shape.bandwidth_hz as f32);
        self.rolloff_hz.push(shape.rolloff_hz as f32);
        self.flatness.push(shape.flatness as f32);
        self.flux.push(shape.flux as f32);
    }

    /// Mean and deviation of every contour. In a clip without any magnitude the shape of the spectrum is undefined,
    /// though each silent frame has values by librosa's conventions.
    pub(super) fn push_moments(&self, silent: bool, copy: &mut Vec<f64>, values: &mut Vec<Option<f64>>) {
        let none = Vec::new();
        let shape = |column| if silent { &none } else { column };
        for column in [
            &self.rms_db,
            &self.zcr,
            shape(&self.centroid_hz),
            shape(&self.bandwidth_hz),
            shape(&self.rolloff_hz),
            shape(&self.flatness),
            &self.flux,
        ] {
            values.extend(moments(column.iter().copied(), copy));
        }
        values.extend(moments(self.f0_hz.iter().filter_map(|hz| *hz), copy));
    }

    pub(super) fn push_voicing(&self, copy: &mut Vec<f64>, values: &mut Vec<Option<f64>>) {
        values.push(percentile(self.f0_hz.iter().filter_map(|hz| *hz), 0.5, copy));
        let [voiced_share, _] = moments(self.voiced.iter().copied(), copy);
        values.push(voiced_share);
    }
}

/// What has a value in each frame.
const CONTOURS: [&str; 8] =
    ["rms_db", "zcr", "centroid_hz", "bandwidth_hz", "rolloff_hz", "flatness", "flux", "f0_hz"];

/// What has one value in a clip.
const WHOLE_CLIP: [&str; 10] = [
    "f0_median_hz",
    "voiced_share",
    "speech_share",
    "silence_share",
    "pauses_per_minute",
    "loudness_lufs",
    "true_peak_dbfs",
    "snr_db",
    "clipped_share",
    "dc_offset",
];

impl fmt::Display for FeatureSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Mel => "mel",
            Self::Mfcc => "mfcc",
            Self::Spectral => "spectral",
            Self::Pitch => "pitch",
            Self::Loudness => "loudness",
            Self::Voice => "voice",
            Self::Quality => "quality",
            Self::Contrast => "contrast",
            Self::Chroma => "chroma",
            Self::Pcen => "pcen",
            Self::Deltas => "deltas",
            Self::Rhythm => "rhythm",
            Self::Formants => "formants",
            Self::VoiceQuality => "voice_quality",
            Self::Syllables => "syllables",
            Self::Recording => "recording",
            Self::Earshot => "earshot",
            Self::Functionals => "functionals",
            Self::Egemaps => "egemaps",
        })
    }
}

impl FromStr for FeatureSet {
    type Err = AudioError;

    fn from_str(name: &str) -> Result<Self, AudioError> {
        Self::ALL.into_iter().find(|set| set.to_string() == name).ok_or_else(|| AudioError::UnknownName {
            key: "features.sets",
            found: name.to_owned(),
            choices: "mel, mfcc, spectral, pitch, loudness, voice, quality, contrast, chroma, pcen, deltas, rhythm, \
                      formants, voice_quality, syllables, recording, earshot, functionals, egemaps",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_go_both_ways() {
        for set in FeatureSet::ALL {
            assert_eq!(set.to_string().parse(), Ok(set));
        }
        assert!("melody".parse::<FeatureSet>().is_err());
    }

    #[test]
    fn columns_follow_the_sets() {
        let names = FeatureSettings::default().names(80);
        assert_eq!(names.len(), 16 + 10 + 26 + 160);
        assert_eq!(names[..3], ["rms_db_mean", "rms_db_sd", "zcr_mean"]);
        assert!(names.contains(&"mfcc_13_sd".to_owned()) && names.contains(&"mel_01_mean".to_owned()));
        let few = FeatureSettings { sets: vec![FeatureSet::Pitch], ..FeatureSettings::default() };
        assert_eq!(few.names(80).len(), 26);
    }

    #[test]
    fn more_coefficients_than_bands_are_refused() {
        let settings = FeatureSettings { mfcc: 41, ..FeatureSettings::default() };
        assert_eq!(settings.check(40), Err(AudioError::TooManyMfcc { mfcc: 41, mels: 40 }));
        assert_eq!(settings.check(41), Ok(()));
    }
}
