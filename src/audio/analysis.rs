//! The analysis of a clip: every plan made once, then applied to each clip.
//!
//! Order of things: what is not finite becomes 0, then the waveform filters; everything else, loudness and quality
//! included, describes the filtered samples. Spectrogram filters change the power spectrum where that is stored, and
//! the mel levels otherwise; mel levels, MFCC and the stored matrix follow from what was filtered, while the spectral
//! shape always describes the unfiltered spectrum, with the profile's window and scale (Kaldi's is pre-emphasised
//! and 32768 times as large, which shows in flux).
//!
//! Frames: the profile says how many a clip has. Energy and pitch frames are centred on every `hop_len`-th sample
//! in every profile and cut to that number; Kaldi's own frames begin there.

use crate::convolution::{Filter1d, Filter2d};

use super::contour::column_moments;
use super::energy::{self, EnergyScratch};
use super::error::AudioError;
use super::features::{FeatureSet, FeatureSettings, FrameColumns};
use super::filters::{WaveformFilters, WaveformScratch};
use super::frames::Frames;
use super::loudness::{self, Loudness};
use super::mfcc::Dct;
use super::pitch::{Yin, YinScratch};
use super::profile::{SpectrogramSettings, Store};
use super::quality;
use super::spectral::SpectralShapes;
use super::spectrogram::{Spectra, SpectraScratch, Spectrogram};
use super::voice::{VoiceDetector, VoiceScratch};

/// What is to be done with each clip.
#[derive(Clone, Default)]
pub struct AnalyzerSettings {
    /// Frames and spectra.
    pub spectrogram: SpectrogramSettings,
    /// What is computed.
    pub features: FeatureSettings,
    /// Filters on the samples, in order.
    pub waveform_filters: Vec<Filter1d<f32>>,
    /// Filters on the spectrogram, in order: rows are bands, the lowest first, columns are frames.
    pub spectrogram_filters: Vec<Filter2d<f32>>,
}

/// The plan of an analysis at one sample rate. Threads share it, each with its own [`AnalysisScratch`].
#[derive(Clone)]
pub struct Analyzer {
    spectrogram: SpectrogramSettings,
    features: FeatureSettings,
    sample_rate: u32,
    names: Vec<String>,
    waveform_filters: WaveformFilters,
    spectra: Spectra,
    dct: Option<Dct>,
    energy_frames: Frames,
    yin: Option<Yin>,
    voice: Option<VoiceDetector>,
}

/// What an analysis writes while it works; grows to the longest clip.
pub struct AnalysisScratch {
    waveform: WaveformScratch,
    spectra: SpectraScratch,
    shapes: SpectralShapes,
    energies: EnergyScratch,
    yin: Option<YinScratch>,
    voice: VoiceScratch,
    copy: Vec<f64>,
    levels_db: Vec<f32>,
    columns: FrameColumns,
}

/// What is known of a clip.
#[derive(Debug, Clone, PartialEq)]
pub struct ClipAnalysis {
    /// Frames of the clip.
    pub frames: usize,
    /// A value for each of [`Analyzer::names`]; `None` where it is undefined or not asked for, never NaN or infinity.
    pub values: Vec<Option<f64>>,
    /// Each frame's features, where `features.frames` asks for them.
    pub frame_features: Option<FrameColumns>,
    /// The stored matrix, where `spectrogram.store` asks for one.
    pub spectrogram: Option<Spectrogram>,
}

impl Analyzer {
    /// Makes every plan for clips of one sample rate.
    ///
    /// Fails where a length is 0, the window longer than the transform, more cepstral coefficients asked for than bands,
    /// the pitch limits impossible at this rate, the method `pyin`, or the rate one that loudness is not defined for.
    pub fn new(settings: AnalyzerSettings, sample_rate: u32) -> Result<Self, AudioError> {
        let AnalyzerSettings { spectrogram, features, waveform_filters, spectrogram_filters } = settings;
        spectrogram.check()?;
        features.check(spectrogram.mels)?;
        loudness::check_sample_rate(sample_rate)?;
        let frame_seconds = spectrogram.hop_len as f64 / f64::from(sample_rate);
        let yin = || Yin::new(&features.pitch, spectrogram.hop_len, sample_rate);
        Ok(Self {
            names: features.names(spectrogram.mels),
            waveform_filters: WaveformFilters::new(waveform_filters),
            spectra: Spectra::new(&spectrogram, spectrogram_filters, sample_rate),
            dct: features.has(FeatureSet::Mfcc).then(|| Dct::new(features.mfcc, spectrogram.mels)),
            energy_frames: Frames::centred(spectrogram.fft_len, spectrogram.hop_len),
            yin: features.has(FeatureSet::Pitch).then(yin).transpose()?,
            voice: features.has(FeatureSet::Voice).then(|| VoiceDetector::new(frame_seconds)).transpose()?,
            spectrogram,
            features,
            sample_rate,
        })
    }

    /// Names of the values of a [`ClipAnalysis`], in their order ([`FeatureSettings::names`]).
    #[must_use]
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// Room for one thread to work in.
    #[must_use]
    pub fn scratch(&self) -> AnalysisScratch {
        AnalysisScratch {
            waveform: WaveformScratch::default(),
            spectra: self.spectra.scratch(),
            shapes: SpectralShapes::new(self.sample_rate, self.spectrogram.fft_len),
            energies: EnergyScratch::default(),
            yin: self.yin.as_ref().map(Yin::scratch),
            voice: VoiceScratch::default(),
            copy: Vec::new(),
            levels_db: Vec::new(),
            columns: FrameColumns::default(),
        }
    }

    /// Analyses a mono clip at this plan's sample rate. Any clip will do, also an empty or a silent one.
    ///
    /// # Panics
    /// Where `scratch` was made by a plan of other lengths.
    #[must_use]
    pub fn analyze(&self, samples: &[f32], scratch: &mut AnalysisScratch) -> ClipAnalysis {
        let AnalysisScratch { waveform, spectra, shapes, energies, yin, voice, copy, levels_db, columns } =
            scratch;
        let samples = self.waveform_filters.apply(samples, waveform);
        let frames = self.spectra.count(samples.len());
        self.begin_columns(frames, columns);
        self.spectra(samples, spectra, shapes, columns);
        self.energies(samples, frames, energies, levels_db, columns);
        self.pitches(samples, frames, yin.as_mut(), columns);

        let mut values = Vec::with_capacity(self.names.len());
        columns.push_moments(shapes.silent(), copy, &mut values);
        columns.push_voicing(copy, &mut values);
        self.push_activity(levels_db, voice, &mut values);
        self.push_loudness(samples, &mut values);
        self.push_quality(samples, levels_db, copy, &mut values);
        column_moments(&columns.mfcc, columns.mfcc_len, copy, &mut values);
        if self.features.has(FeatureSet::Mel) {
            column_moments(spectra.levels(), self.spectra.bands(), copy, &mut values);
        }
        for value in &mut values {
            *value = value.filter(|number| number.is_finite());
        }
        ClipAnalysis {
            frames,
            values,
            frame_features: self.features.frames.then(|| columns.clone()),
            spectrogram: self.spectra.stored(spectra),
        }
    }

    /// The mel levels of a clip, filters and all, for a picture: the matrix that `store = "mel"` stores, whatever
    /// is stored.
    #[must_use]
    pub fn mel_levels(&self, samples: &[f32], scratch: &mut AnalysisScratch) -> Spectrogram {
        let AnalysisScratch { waveform, spectra, .. } = scratch;
        let samples = self.waveform_filters.apply(samples, waveform);
        self.spectra.compute_groups(samples, true, spectra, |_, _| ());
        self.spectra.mel(spectra)
    }

    fn begin_columns(&self, frames: usize, columns: &mut FrameColumns) {
        columns.clear();
        columns.mfcc_len = self.dct.as_ref().map_or(0, Dct::coefficients);
        let seconds = |frame| (frame * self.spectrogram.hop_len) as f64 / f64::from(self.sample_rate);
        columns.seconds.extend((0..frames).map(seconds));
    }

    /// Levels, cepstra and spectral shape of every frame.
    fn spectra(
        &self,
        samples: &[f32],
        scratch: &mut SpectraScratch,
        shapes: &mut SpectralShapes,
        columns: &mut FrameColumns,
    ) {
        let with_shapes = self.features.has(FeatureSet::Spectral);
        let with_levels = self.spectrogram.store == Store::Mel
            || self.features.has(FeatureSet::Mel)
            || self.features.has(FeatureSet::Mfcc);
        shapes.restart();
        if with_shapes || with_levels || self.spectrogram.store == Store::Power {
            self.spectra.compute_groups(samples, with_levels, scratch, |power, frames| {
                if with_shapes {
                    shapes.describe(power, frames, |shape| columns.push_shape(shape));
                }
            });
        }
        if let Some(dct) = &self.dct {
            dct.append_all(scratch.levels(), &mut columns.mfcc);
        }
    }

    fn energies(
        &self,
        samples: &[f32],
        frames: usize,
        scratch: &mut EnergyScratch,
        levels_db: &mut Vec<f32>,
        columns: &mut FrameColumns,
    ) {
        let spectral = self.features.has(FeatureSet::Spectral);
        levels_db.clear();
        if spectral || self.features.has(FeatureSet::Voice) || self.features.has(FeatureSet::Quality) {
            let zcr = spectral.then_some(&mut columns.zcr);
            energy::contours(&self.energy_frames, samples, frames, scratch, levels_db, zcr);
        }
        if spectral {
            columns.rms_db.extend_from_slice(levels_db);
        }
    }

    fn pitches(
        &self,
        samples: &[f32],
        frames: usize,
        scratch: Option<&mut YinScratch>,
        columns: &mut FrameColumns,
    ) {
        let (Some(yin), Some(scratch)) = (&self.yin, scratch) else {
            return;
        };
        for frame in 0..frames {
            let pitch = yin.estimate(samples, frame, scratch);
            columns.f0_hz.push(pitch.map(|hz| hz as f32));
            columns.voiced.push(if pitch.is_some() { 1.0 } else { 0.0 });
        }
    }

    fn push_activity(&self, levels_db: &[f32], scratch: &mut VoiceScratch, values: &mut Vec<Option<f64>>) {
        let activity = self.voice.as_ref().and_then(|voice| voice.detect(levels_db, scratch));
        values.extend([
            activity.map(|a| a.speech_share),
            activity.map(|a| a.silence_share),
            activity.map(|a| a.pauses_per_minute),
        ]);
    }

    fn push_loudness(&self, samples: &[f32], values: &mut Vec<Option<f64>>) {
        let asked = self.features.has(FeatureSet::Loudness);
        let found = if asked { loudness::measure(samples, self.sample_rate) } else { Loudness::default() };
        values.extend([found.lufs, found.true_peak_dbfs]);
    }

    fn push_quality(
        &self,
        samples: &[f32],
        levels_db: &[f32],
        copy: &mut Vec<f64>,
        values: &mut Vec<Option<f64>>,
    ) {
        values.extend(if self.features.has(FeatureSet::Quality) {
            [
                quality::snr_db(levels_db, &self.energy_frames, samples.len(), copy),
                quality::clipped_share(samples),
                quality::dc_offset(samples),
            ]
        } else {
            [None; 3]
        });
    }
}

#[cfg(test)]
mod tests {
    use std::f64::consts::PI;

    use super::*;
    use crate::audio::pitch::PitchMethod;
    use crate::audio::profile::Profile;
    use crate::convolution::{Border, Kernel1d, Kernel2d};

    fn tone(len: usize) -> Vec<f32> {
        (0..len).map(|i| (0.5 * (2.0 * PI * 250.0 * i as f64 / 16_000.0).sin()) as f32).collect()
    }

    fn settings(profile: Profile, store: Store) -> AnalyzerSettings {
        AnalyzerSettings {
            spectrogram: SpectrogramSettings { store, ..SpectrogramSettings::of(profile) },
            features: FeatureSettings { frames: true, ..FeatureSettings::default() },
            ..AnalyzerSettings::default()
        }
    }

    fn analyze(settings: AnalyzerSettings, samples: &[f32]) -> (Analyzer, ClipAnalysis) {
        let analyzer = Analyzer::new(settings, 16_000).unwrap();
        let analysis = analyzer.analyze(samples, &mut analyzer.scratch());
        (analyzer, analysis)
    }

    fn value((analyzer, analysis): &(Analyzer, ClipAnalysis), name: &str) -> Option<f64> {
        analysis.values[analyzer.names().iter().position(|n| n == name).unwrap()]
    }

    #[test]
    fn a_tone_is_described() {
        let found = analyze(settings(Profile::Librosa, Store::Mel), &tone(16_000));
        let near = |name, expected: f64, by: f64| {
            let value = value(&found, name).unwrap();
            assert!((value - expected).abs() < by, "{name} = {value}");
        };
        near("f0_median_hz", 250.0, 0.5);
        near("rms_db_mean", -9.03, 0.2);
        near("zcr_mean", 500.0 / 16_000.0, 0.002);
        near("centroid_hz_mean", 250.0, 80.0);
        near("voiced_share", 1.0, 0.05);
        near("true_peak_dbfs", -6.02, 0.1);
        near("clipped_share", 0.0, 1e-12);
        near("dc_offset", 0.0, 1e-6);
        assert_eq!(found.1.values.len(), found.0.names().len());
        let stored = found.1.spectrogram.as_ref().unwrap();
        assert_eq!((stored.bands, stored.frames, stored.values.len(), &*stored.unit), (80, 101, 8080, "dB"));
        let columns = found.1.frame_features.as_ref().unwrap();
        assert_eq!((columns.flux.len(), columns.f0_hz.len(), columns.mfcc.len()), (101, 101, 1313));
        assert_eq!(columns.seconds[100], 1.0);
    }

    #[test]
    fn every_clip_has_finite_values_or_none() {
        let clips: [&[f32]; 8] = [
            &[],
            &[0.0],
            &[1.0],
            &[0.0; 399],
            &vec![0.0; 20_000],
            &vec![0.25; 5000],
            &[f32::NAN; 3000],
            &[f32::MAX; 1000],
        ];
        for profile in [Profile::Librosa, Profile::Kaldi, Profile::Whisper] {
            for store in [Store::None, Store::Mel, Store::Power] {
                for clip in clips {
                    let (analyzer, analysis) = analyze(settings(profile, store), clip);
                    assert_eq!(analysis.values.len(), analyzer.names().len());
                    assert!(analysis.values.iter().flatten().all(|v| v.is_finite()));
                    let stored = analysis.spectrogram.map(|s| s.values).unwrap_or_default();
                    assert!(stored.iter().all(|v| v.is_finite()));
                    let columns = analysis.frame_features.unwrap();
                    assert!(
                        columns.seconds.len() == analysis.frames && columns.flux.len() == analysis.frames
                    );
                    assert!(columns.flux.iter().chain(&columns.mfcc).all(|v| v.is_finite()));
                }
            }
        }
    }

    #[test]
    fn silence_leaves_undefined_what_is_undefined() {
        let found = analyze(settings(Profile::Librosa, Store::None), &vec![0.0; 16_000]);
        for name in
            ["centroid_hz_mean", "flatness_sd", "f0_hz_mean", "f0_median_hz", "loudness_lufs", "snr_db"]
        {
            assert_eq!(value(&found, name), None, "{name}");
        }
        assert_eq!(value(&found, "rms_db_mean"), Some(-100.0));
        assert_eq!(value(&found, "mel_01_mean"), Some(-100.0));
        assert_eq!(value(&found, "voiced_share"), Some(0.0));
        assert_eq!(value(&found, "silence_share"), Some(1.0));
        let empty = analyze(settings(Profile::Librosa, Store::None), &[]);
        assert!(empty.1.values.iter().all(Option::is_none));
    }

    #[test]
    fn only_what_is_asked_for_has_values() {
        let mut few = settings(Profile::Librosa, Store::None);
        few.features.sets = vec![FeatureSet::Voice];
        let found = analyze(few, &tone(8000));
        assert_eq!(found.0.names().len(), 26);
        assert_eq!(found.1.values.iter().flatten().count(), 3);
        assert!(value(&found, "speech_share").is_some());
        assert!(found.1.frame_features.unwrap().rms_db.is_empty());
    }

    #[test]
    fn a_spectrogram_filter_changes_levels_but_not_the_shape() {
        let plain = analyze(settings(Profile::Librosa, Store::Power), &tone(8000));
        let twice = Kernel2d::new(1, 1, vec![100.0]).unwrap();
        let mut filtered = settings(Profile::Librosa, Store::Power);
        filtered.spectrogram_filters = vec![Filter2d::new(&twice, Border::Reflect)];
        let filtered = analyze(filtered, &tone(8000));
        let gain = |name| value(&filtered, name).unwrap() - value(&plain, name).unwrap();
        // A hundred times the power is 20 dB.
        assert!((gain("mel_10_mean") - 20.0).abs() < 1e-4);
        assert_eq!(gain("flux_mean"), 0.0);
        let matrix =
            |found: &(Analyzer, ClipAnalysis)| found.1.spectrogram.as_ref().unwrap().values[257 * 20 + 8];
        assert!((matrix(&filtered) / matrix(&plain) - 100.0).abs() < 1e-3);
    }

    #[test]
    fn a_waveform_filter_changes_everything() {
        let mut halved = settings(Profile::Librosa, Store::None);
        let half = Kernel1d::new(vec![0.5]).unwrap();
        halved.waveform_filters = vec![Filter1d::new(&half, Border::Reflect)];
        let (plain, halved) =
            (analyze(settings(Profile::Librosa, Store::None), &tone(16_000)), analyze(halved, &tone(16_000)));
        for name in ["rms_db_mean", "loudness_lufs", "true_peak_dbfs", "mel_10_mean"] {
            let change = value(&halved, name).unwrap() - value(&plain, name).unwrap();
            assert!((change + 6.0206).abs() < 1e-3, "{name} by {change}");
        }
    }

    #[test]
    fn a_scratch_serves_one_clip_after_another() {
        let analyzer = Analyzer::new(settings(Profile::Librosa, Store::Mel), 16_000).unwrap();
        let mut scratch = analyzer.scratch();
        let first = analyzer.analyze(&tone(9000), &mut scratch);
        let _ = analyzer.analyze(&vec![0.1; 20_000], &mut scratch);
        let _ = analyzer.mel_levels(&tone(500), &mut scratch);
        assert_eq!(analyzer.analyze(&tone(9000), &mut scratch), first);
        let picture = analyzer.mel_levels(&tone(9000), &mut scratch);
        assert_eq!(Some(picture), first.spectrogram);
    }

    #[test]
    fn impossible_settings_are_errors() {
        let refused = |change: fn(&mut AnalyzerSettings), sample_rate| {
            let mut settings = settings(Profile::Librosa, Store::None);
            change(&mut settings);
            Analyzer::new(settings, sample_rate).err()
        };
        assert_eq!(refused(|_| (), 16_000), None);
        assert_eq!(refused(|_| (), 0), Some(AudioError::SampleRate { sample_rate: 0 }));
        assert!(refused(|s| s.spectrogram.mels = 0, 16_000).is_some());
        assert!(refused(|s| s.features.mfcc = 81, 16_000).is_some());
        assert_eq!(
            refused(|s| s.features.pitch.method = PitchMethod::Pyin, 16_000),
            Some(AudioError::NoPyin)
        );
    }
}
