//! Sound against librosa, Kaldi, Whisper and BS.1770 over three recordings of the sample corpus: `tests/golden/audio.json`,
//! where `definitions` says how each value was made.
//!
//! The file's `rms` has no counterpart of its own: ours is a level, `rms_db`.

use serde_json::Value;
use wordwave::audio::formants::{FORMANTS, FormantScratch, Formants};
use wordwave::audio::functionals::NAMES;
use wordwave::audio::loudness::range_lu;
use wordwave::audio::mel::MelBank;
use wordwave::audio::pulses::{PulseScratch, Pulses, VOICE_REPORT};
use wordwave::audio::{
    Analyzer, AnalyzerSettings, ClipAnalysis, FeatureSet, FeatureSettings, FrameColumns, PitchMethod,
    PitchSettings, Profile, Spectrogram, SpectrogramSettings, Store,
};
use wordwave::corpus::read_recording;

use crate::golden_file::{
    Within, check, check_most, check_one, count, counts, golden, list, number, numbers, rows, text,
};
use crate::program::project;

const FILE: &str = "audio.json";
const SAMPLE_RATE: u32 = 16_000;
const FFT_LEN: usize = 512;
const LEVEL_DB: Within = Within::Absolute(5e-5);
const CEPSTRUM: Within = Within::Absolute(3e-4);
const CONTOUR: Within = Within::Relative(1e-5);
/// What is made of several contours or of differences.
const DERIVED: Within = Within::Relative(1e-4);
const PITCH: Within = Within::Relative(1e-5);
/// Share of the frames that may fall on the other side of a threshold.
const FEW: f64 = 0.01;
/// Share of the voiced frames whose formants may lie elsewhere: where two poles are close, or one is near the highest
/// frequency, they hang on how the clip was resampled.
const FORMANTS_ELSEWHERE: f64 = 0.03;

/// A clip of the file, analysed by one profile.
struct Analysed<'f> {
    theirs: &'f Value,
    name: &'f str,
    names: Vec<String>,
    ours: ClipAnalysis,
}

/// Every clip of the file, analysed; what of the spectrogram is stored is `store`.
fn analysed(file: &Value, profile: Profile, store: Store) -> Vec<Analysed<'_>> {
    let features = FeatureSettings { frames: true, ..FeatureSettings::default() };
    analysed_for(file, profile, store, features)
}

/// The same, for these features.
fn analysed_for(
    file: &Value,
    profile: Profile,
    store: Store,
    features: FeatureSettings,
) -> Vec<Analysed<'_>> {
    let settings = AnalyzerSettings {
        spectrogram: SpectrogramSettings { store, ..SpectrogramSettings::of(profile) },
        features,
        ..AnalyzerSettings::default()
    };
    let analyzer = Analyzer::new(settings, SAMPLE_RATE).unwrap();
    let mut scratch = analyzer.scratch();
    let clips = list(&file["clips"]).iter().map(|theirs| {
        let clip = read_recording(&project().join(text(&theirs["path"]))).unwrap();
        assert_eq!((clip.channels, clip.sample_rate, clip.bits), (1, SAMPLE_RATE, Some(16)));
        assert_eq!(clip.samples.len(), count(&theirs["samples"]));
        let ours = analyzer.analyze(&clip.samples, &mut scratch);
        Analysed { theirs, name: text(&theirs["clip"]), names: analyzer.names().to_vec(), ours }
    });
    clips.collect()
}

impl Analysed<'_> {
    fn what(&self, feature: &str) -> String {
        format!("{feature}, {}", self.name)
    }

    fn spectrogram(&self) -> &Spectrogram {
        self.ours.spectrogram.as_ref().unwrap()
    }

    fn columns(&self) -> &FrameColumns {
        self.ours.frame_features.as_ref().unwrap()
    }

    fn value(&self, name: &str) -> f64 {
        let place = self.names.iter().position(|known| known == name);
        self.ours.values[place.unwrap_or_else(|| panic!("no value {name}"))].unwrap_or(f64::NAN)
    }

    /// The values of numbered columns such as `mfcc_01_mean`.
    fn numbered(&self, feature: &str, moment: &str, columns: usize) -> Vec<f64> {
        (1..=columns).map(|i| self.value(&format!("{feature}_{i:02}_{moment}"))).collect()
    }

    /// The stored rows of these frames, one after another.
    fn stored(&self, frames: &[usize]) -> Vec<f64> {
        let Spectrogram { bands, values, .. } = self.spectrogram();
        frames.iter().flat_map(|frame| wide(&values[frame * bands..][..*bands])).collect()
    }
}

/// The samples of a clip of the file.
fn samples(clip: &Value) -> Vec<f32> {
    read_recording(&project().join(text(&clip["path"]))).unwrap().samples
}

fn wide(values: &[f32]) -> Vec<f64> {
    values.iter().copied().map(f64::from).collect()
}

#[test]
fn mel_filters_are_librosas() {
    let bank = MelBank::slaney(SAMPLE_RATE, FFT_LEN, 80);
    // A band's weight at a bin is what the bin alone gives the band.
    let bins = FFT_LEN / 2 + 1;
    let mut weights = vec![vec![0.0; bins]; bank.bands()];
    for bin in 0..bins {
        let (mut power, mut energies) = (vec![0.0; bins], vec![0.0; bank.bands()]);
        power[bin] = 1.0;
        bank.apply(&power, &mut energies);
        energies.iter().zip(&mut weights).for_each(|(energy, row)| row[bin] = f64::from(*energy));
    }
    for filter in list(&golden(FILE)["mel_filters"]) {
        let (band, first) = (count(&filter["band"]), count(&filter["first_bin"]));
        let mut row = vec![0.0; bins];
        let theirs = numbers(&filter["weights"]);
        row[first..][..theirs.len()].copy_from_slice(&theirs);
        check(&format!("mel filter {band}"), &weights[band], &row, Within::Absolute(1e-8));
    }
}

#[test]
fn power_is_librosas() {
    let file = golden(FILE);
    for clip in analysed(&file, Profile::Librosa, Store::Power) {
        let frames = counts(&clip.theirs["power_frames"]);
        for (frame, theirs) in frames.into_iter().zip(rows(&clip.theirs["power"])) {
            let most = theirs.iter().copied().fold(0.0, f64::max);
            let share = |row: &[f64]| row.iter().map(|power| power / most).collect::<Vec<_>>();
            let ours = clip.stored(&[frame]);
            let what = clip.what(&format!("power of frame {frame}"));
            check(&what, &share(&ours), &share(&theirs), Within::Absolute(1e-4));
        }
    }
}

#[test]
fn mel_levels_and_cepstra_are_librosas() {
    let file = golden(FILE);
    for clip in analysed(&file, Profile::Librosa, Store::Mel) {
        let (theirs, frames) = (clip.theirs, counts(&clip.theirs["sampled_frames"]));
        assert_eq!(clip.ours.frames, count(&theirs["frames"]));
        check(&clip.what("log_mel_db"), &clip.stored(&frames), &numbers(&theirs["log_mel_db"]), LEVEL_DB);

        let FrameColumns { mfcc, mfcc_len, .. } = clip.columns();
        let ours: Vec<f64> =
            frames.iter().flat_map(|frame| wide(&mfcc[frame * mfcc_len..][..*mfcc_len])).collect();
        check(&clip.what("mfcc"), &ours, &numbers(&theirs["mfcc"]), CEPSTRUM);

        for (feature, key, columns, within) in
            [("mel", "log_mel", 80, LEVEL_DB), ("mfcc", "mfcc", 13, CEPSTRUM)]
        {
            for moment in ["mean", "sd"] {
                let expected = numbers(&theirs[format!("{key}_{moment}s")]);
                let what = clip.what(&format!("{feature} {moment}s"));
                check(&what, &clip.numbered(feature, moment, columns), &expected, within);
            }
        }
    }
}

#[test]
fn levels_in_single_precision_are_librosas() {
    let file = golden(FILE);
    let sets = vec![FeatureSet::Mel, FeatureSet::Mfcc];
    let features = FeatureSettings { sets, frames: true, ..FeatureSettings::default() };
    for clip in analysed_for(&file, Profile::Librosa, Store::Mel, features) {
        let (theirs, frames) = (clip.theirs, counts(&clip.theirs["sampled_frames"]));
        let level = Within::Absolute(0.003);
        check(&clip.what("log_mel_db"), &clip.stored(&frames), &numbers(&theirs["log_mel_db"]), level);
        let FrameColumns { mfcc, mfcc_len, .. } = clip.columns();
        let ours: Vec<f64> =
            frames.iter().flat_map(|frame| wide(&mfcc[frame * mfcc_len..][..*mfcc_len])).collect();
        check(&clip.what("mfcc"), &ours, &numbers(&theirs["mfcc"]), Within::Absolute(1e-3));
    }
}

#[test]
fn contours_are_librosas() {
    let file = golden(FILE);
    for clip in analysed(&file, Profile::Librosa, Store::None) {
        let columns = clip.columns();
        for (name, ours) in [
            ("rms_db", &columns.rms_db),
            ("zcr", &columns.zcr),
            ("centroid_hz", &columns.centroid_hz),
            ("bandwidth_hz", &columns.bandwidth_hz),
            ("flatness", &columns.flatness),
        ] {
            check(&clip.what(name), &wide(ours), &numbers(&clip.theirs[name]), CONTOUR);
        }
        // A sum that just reaches 85 % may do so a bin earlier or later.
        let bin_hz = f64::from(SAMPLE_RATE) / FFT_LEN as f64;
        let (same, next) = (Within::Absolute(0.0), Within::Absolute(bin_hz));
        let (ours, theirs) = (wide(&columns.rolloff_hz), numbers(&clip.theirs["rolloff_hz"]));
        check_most(&clip.what("rolloff_hz"), &ours, &theirs, same, next, FEW);

        for name in ["rms_db", "zcr", "centroid_hz", "bandwidth_hz", "rolloff_hz", "flatness", "f0_hz"] {
            for moment in ["mean", "sd"] {
                let expected = number(&clip.theirs[format!("{moment}s")][name]);
                let what = format!("{name}_{moment}");
                check_one(&clip.what(&what), clip.value(&what), expected, CONTOUR);
            }
        }
    }
}

#[test]
fn pitch_is_librosas() {
    let file = golden(FILE);
    for clip in analysed(&file, Profile::Librosa, Store::None) {
        let series = |name: &str| numbers(&clip.theirs[name]);
        let (hz, trough, rms) = (series("yin_hz"), series("yin_trough"), series("rms"));
        let voiced: Vec<f64> =
            trough.iter().zip(&rms).map(|(trough, rms)| f64::from(*trough < 0.3 && *rms > 0.0)).collect();
        assert_eq!(voiced.iter().sum::<f64>(), number(&clip.theirs["f0_frames"]));
        let columns = clip.columns();
        let (same, other) = (Within::Absolute(0.0), Within::Absolute(1.0));
        check_most(&clip.what("voicing"), &wide(&columns.voiced), &voiced, same, other, FEW);

        let (ours, theirs): (Vec<f64>, Vec<f64>) = columns
            .f0_hz
            .iter()
            .zip(hz.iter().zip(&voiced))
            .filter_map(|(ours, (theirs, voiced))| (*voiced == 1.0).then_some((f64::from((*ours)?), *theirs)))
            .unzip();
        check(&clip.what("f0_hz"), &ours, &theirs, PITCH);
        let median = number(&clip.theirs["f0_median_hz"]);
        check_one(&clip.what("f0_median_hz"), clip.value("f0_median_hz"), median, PITCH);
    }
}

#[test]
fn probabilistic_pitch_is_librosas() {
    let file = golden(FILE);
    let pitch = PitchSettings { method: PitchMethod::Pyin, ..PitchSettings::default() };
    let features = FeatureSettings { frames: true, pitch, ..FeatureSettings::default() };
    for clip in analysed_for(&file, Profile::Librosa, Store::None, features) {
        let ours: Vec<f64> = clip.columns().f0_hz.iter().map(|hz| hz.map_or(f64::NAN, f64::from)).collect();
        check(&clip.what("pyin_hz"), &ours, &numbers(&clip.theirs["pyin_hz"]), Within::Relative(1e-6));
    }
}

#[test]
fn further_sets_are_librosas() {
    let file = golden(FILE);
    let features = FeatureSettings { sets: FeatureSet::ALL.to_vec(), frames: true, ..Default::default() };
    for clip in analysed_for(&file, Profile::Librosa, Store::None, features) {
        let theirs = &clip.theirs["sets"];
        for (set, columns, within) in [
            ("contrast", 7, Within::Absolute(1e-4)),
            ("chroma", 12, Within::Absolute(1e-5)),
            ("pcen", 80, Within::Relative(1e-4)),
            ("delta", 13, Within::Absolute(1e-4)),
            ("delta2", 13, Within::Absolute(1e-4)),
        ] {
            for moment in ["mean", "sd"] {
                let what = clip.what(&format!("{set} {moment}s"));
                let expected = numbers(&theirs[set][format!("{moment}s")]);
                check(&what, &clip.numbered(set, moment, columns), &expected, within);
            }
        }
        for set in ["slope_db_khz", "entropy", "onset_strength"] {
            for moment in ["mean", "sd"] {
                let name = format!("{set}_{moment}");
                let expected = numbers(&theirs[set][format!("{moment}s")])[0];
                check_one(&clip.what(&name), clip.value(&name), expected, CONTOUR);
            }
        }
        let tempo = number(&theirs["tempo_bpm"]);
        check_one(&clip.what("tempo_bpm"), clip.value("tempo_bpm"), tempo, Within::Relative(1e-9));
    }
}

#[test]
fn functionals_are_numpys() {
    let file = golden(FILE);
    let mut features = FeatureSettings::default();
    features.sets.push(FeatureSet::Functionals);
    for clip in analysed_for(&file, Profile::Librosa, Store::None, features) {
        for name in ["rms_db", "zcr", "centroid_hz", "bandwidth_hz", "flatness", "f0_hz"] {
            let theirs = numbers(&clip.theirs["functionals"][name]);
            for (functional, expected) in NAMES.iter().zip(theirs) {
                let column = format!("{name}_{functional}");
                check_one(&clip.what(&column), clip.value(&column), expected, DERIVED);
            }
        }
    }
}

#[test]
fn formants_are_praats() {
    let plan = Formants::new(SAMPLE_RATE);
    for clip in list(&golden(FILE)["clips"]) {
        let samples = samples(clip);
        let mut scratch = FormantScratch::default();
        plan.begin(&samples, &mut scratch);
        let trough = numbers(&clip["yin_trough"]);
        let (mut ours, mut theirs) = (vec![Vec::new(); FORMANTS], vec![Vec::new(); FORMANTS]);
        for (frame, expected) in rows(&clip["formants_hz"]).into_iter().enumerate() {
            let found = plan.estimate(frame as f64 * 0.01, &mut scratch);
            for (i, formant) in found.into_iter().enumerate().filter(|_| trough[frame] < 0.3) {
                ours[i].push(formant.map_or(f64::NAN, |formant| formant.hz));
                theirs[i].push(expected[i]);
            }
        }
        for i in 0..FORMANTS {
            let what = format!("f{}_hz, {}", i + 1, text(&clip["clip"]));
            let (most, worst) = (Within::Relative(0.02), Within::Absolute(f64::INFINITY));
            check_most(&what, &ours[i], &theirs[i], most, worst, FORMANTS_ELSEWHERE);
        }
    }
}

#[test]
fn harmonicity_is_praats() {
    let file = golden(FILE);
    let features = FeatureSettings { sets: vec![FeatureSet::VoiceQuality], ..Default::default() };
    for clip in analysed_for(&file, Profile::Librosa, Store::None, features) {
        let theirs = number(&clip.theirs["hnr_db"]);
        check_one(&clip.what("hnr_db"), clip.value("hnr_db"), theirs, Within::Absolute(0.1));
    }
}

#[test]
fn jitter_and_shimmer_are_praats() {
    let file = golden(FILE);
    let features = FeatureSettings { sets: vec![FeatureSet::VoiceQuality], ..Default::default() };
    for clip in analysed_for(&file, Profile::Librosa, Store::None, features) {
        let pulses = Pulses::new(VOICE_REPORT, SAMPLE_RATE).unwrap();
        let found = pulses.find(&samples(clip.theirs), &mut PulseScratch::default()).len();
        assert_eq!(found, count(&clip.theirs["pulses"]), "{}", clip.name);
        let names =
            ["jitter_local", "jitter_rap", "jitter_ppq5", "shimmer_local", "shimmer_apq3", "shimmer_apq5"];
        for (name, theirs) in names.into_iter().zip(numbers(&clip.theirs["perturbation"])) {
            check_one(&clip.what(name), clip.value(name), theirs, CONTOUR);
        }
    }
}

#[test]
fn syllables_are_those_of_the_script() {
    let file = golden(FILE);
    let features = FeatureSettings { sets: vec![FeatureSet::Syllables], ..Default::default() };
    for clip in analysed_for(&file, Profile::Librosa, Store::None, features) {
        let theirs = &clip.theirs["syllables"];
        assert_eq!(clip.value("syllables"), number(&theirs["nuclei"]), "{}", clip.name);
        for (name, key) in [("phonation_share", "phonation_share"), ("pause_seconds_mean", "pause_seconds")] {
            let expected = theirs[key].as_f64().unwrap_or(f64::NAN);
            check_one(&clip.what(name), clip.value(name), expected, Within::Absolute(0.02));
        }
    }
}

#[test]
fn recordings_are_what_their_formulas_say() {
    let file = golden(FILE);
    let features = FeatureSettings { sets: vec![FeatureSet::Recording], ..Default::default() };
    for clip in analysed_for(&file, Profile::Librosa, Store::None, features) {
        for (name, within) in
            [("effective_bandwidth_hz", Within::Absolute(1e-6)), ("snr_wada_db", Within::Absolute(0.05))]
        {
            check_one(&clip.what(name), clip.value(name), number(&clip.theirs[name]), within);
        }
        let once = samples(clip.theirs);
        let levels = [1.0, 0.5, 0.25].into_iter().flat_map(|gain| [gain; 8]);
        let steps: Vec<f32> = levels.flat_map(|gain| once.iter().map(move |x| gain * x)).collect();
        let (ours, theirs) =
            (range_lu(&steps, SAMPLE_RATE).unwrap(), number(&clip.theirs["loudness_range_lu"]));
        check_one(&clip.what("loudness_range_lu"), ours, theirs, Within::Absolute(0.5));
    }
}

#[test]
fn normalised_cepstra_are_numpys() {
    let file = golden(FILE);
    let features = FeatureSettings { frames: true, cmvn: true, ..FeatureSettings::default() };
    for clip in analysed_for(&file, Profile::Librosa, Store::None, features) {
        let FrameColumns { mfcc, mfcc_len, .. } = clip.columns();
        let frames = counts(&clip.theirs["sampled_frames"]);
        let ours: Vec<f64> =
            frames.iter().flat_map(|frame| wide(&mfcc[frame * mfcc_len..][..*mfcc_len])).collect();
        check(&clip.what("cmvn"), &ours, &numbers(&clip.theirs["cmvn"]), Within::Absolute(1e-3));
        // Those of the clip are the coefficients' own.
        let means = numbers(&clip.theirs["mfcc_means"]);
        check(&clip.what("mfcc means"), &clip.numbered("mfcc", "mean", 13), &means, CEPSTRUM);
    }
}

#[test]
fn loudness_is_that_of_the_standard() {
    let file = golden(FILE);
    for clip in analysed(&file, Profile::Librosa, Store::None) {
        let theirs = number(&clip.theirs["loudness_lufs"]);
        check_one(&clip.what("loudness_lufs"), clip.value("loudness_lufs"), theirs, Within::Absolute(0.1));
    }
}

#[test]
fn whisper_frames_are_whispers() {
    let file = golden(FILE);
    for clip in analysed(&file, Profile::Whisper, Store::Mel) {
        let frames = clip.spectrogram().frames;
        assert_eq!(frames, count(&clip.theirs["samples"]) / 160);
        // The file's last frame, which Whisper drops, stands for the one before.
        let sampled = counts(&clip.theirs["sampled_frames"]);
        let ours = clip.stored(&sampled.iter().map(|frame| (*frame).min(frames - 1)).collect::<Vec<_>>());
        check(&clip.what("whisper"), &ours, &numbers(&clip.theirs["whisper"]), Within::Absolute(1e-3));
    }
}

#[test]
fn kaldi_frames_are_kaldis() {
    let file = golden(FILE);
    for clip in analysed(&file, Profile::Kaldi, Store::Mel) {
        assert_eq!(clip.spectrogram().frames, count(&clip.theirs["kaldi_frames"]));
        let ours = clip.stored(&counts(&clip.theirs["kaldi_sampled_frames"]));
        let theirs = numbers(&clip.theirs["kaldi"]);
        let (most, worst) = (Within::Absolute(5e-4), Within::Absolute(0.01));
        check_most(&clip.what("kaldi"), &ours, &theirs, most, worst, FEW);
    }
}
