//! An analysis as a whole.

use std::f64::consts::PI;

use super::{
    Analyzer, AnalyzerSettings, AudioError, ClipAnalysis, FeatureSet, FeatureSettings, Profile,
    SpectrogramSettings, Store,
};
use crate::convolution::{Border, Filter1d, Filter2d, Kernel1d, Kernel2d};

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
                assert!(columns.seconds.len() == analysis.frames && columns.flux.len() == analysis.frames);
                assert!(columns.flux.iter().chain(&columns.mfcc).all(|v| v.is_finite()));
            }
        }
    }
}

#[test]
fn every_set_has_as_many_values_as_names() {
    for profile in [Profile::Librosa, Profile::Kaldi, Profile::Whisper] {
        for set in FeatureSet::ALL.into_iter().map(Some).chain([None]) {
            let mut settings = settings(profile, Store::None);
            settings.features.sets = set.map_or(FeatureSet::ALL.to_vec(), |set| vec![set]);
            for clip in [&[] as &[f32], &[0.5], &vec![0.0; 9000], &[f32::NAN; 3000], &tone(12_000)] {
                let (analyzer, analysis) = analyze(settings.clone(), clip);
                assert_eq!(analysis.values.len(), analyzer.names().len(), "{set:?}");
                assert!(analysis.values.iter().flatten().all(|v| v.is_finite()), "{set:?}");
            }
        }
    }
}

#[test]
fn silence_leaves_undefined_what_is_undefined() {
    let found = analyze(settings(Profile::Librosa, Store::None), &vec![0.0; 16_000]);
    for name in ["centroid_hz_mean", "flatness_sd", "f0_hz_mean", "f0_median_hz", "loudness_lufs", "snr_db"] {
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
    filtered.spectrogram_filters = vec![Filter2d::new(&twice, Border::Reflect).into()];
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
    halved.waveform_filters = vec![Filter1d::new(&half, Border::Reflect).into()];
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
    assert!(refused(|s| s.features.pitch.max_hz = 9000.0, 16_000).is_some());
}
