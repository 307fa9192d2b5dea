//! A recording of a run, looked at and listened to.

use std::path::Path;

use crate::program::{code, job_in, run_job, said, wordwave, write_tone};

/// A run over two tones, and what `show --clip` answers.
fn show(folder: &Path, spectrogram: &str, arguments: &[&str]) -> std::process::Output {
    write_tone(&folder.join("low.wav"), 440.0, 1.0);
    write_tone(&folder.join("high.wav"), 3000.0, 1.5);
    let text = format!(
        "[job]\nname = \"x\"\noutput = \"out\"\n[clips]\ninclude = [\"*.wav\"]\n[spectrogram]\n{spectrogram}\n"
    );
    let outcome = run_job(&job_in(folder, &text), &folder.join("out"), &["--quiet"]);
    assert_eq!(code(&outcome), 0, "{}", said(&outcome));
    let run = folder.join("out/x");
    wordwave(&[&["show", run.to_str().unwrap()], arguments].concat())
}

/// How often the samples of a WAV change their sign in a second.
fn hz(path: &Path) -> f64 {
    let mut reader = hound::WavReader::open(path).unwrap();
    let rate = f64::from(reader.spec().sample_rate);
    let samples: Vec<f32> = reader.samples().map(Result::unwrap).collect();
    let inner = &samples[samples.len() / 4..samples.len() * 3 / 4];
    let changes = inner.windows(2).filter(|pair| (pair[0] < 0.0) != (pair[1] < 0.0)).count();
    changes as f64 / 2.0 * rate / inner.len() as f64
}

#[test]
fn every_recording_has_a_picture_stored_or_not() {
    for spectrogram in [
        "store = \"mel\"",
        "store = \"power\"",
        "profile = \"kaldi\"",
        "profile = \"whisper\"\nfft_len = 400",
    ] {
        let folder = tempfile::tempdir().unwrap();
        let shown = show(folder.path(), spectrogram, &["--clip", "high"]);
        assert_eq!(code(&shown), 0, "{spectrogram}: {}", said(&shown));
        let svg = String::from_utf8(shown.stdout).unwrap();
        for part in ["<svg", "data:image/png;base64,", "high", "seconds", "Hz", "4k"] {
            assert!(svg.contains(part), "{spectrogram}: {part}");
        }
        let run = folder.path().join("out/x");
        let file = folder.path().join("picture.svg");
        let to = wordwave(&["show", run.to_str().unwrap(), "--clip", "high", "--to", file.to_str().unwrap()]);
        assert_eq!(code(&to), 0, "{}", said(&to));
        assert_eq!(std::fs::read_to_string(&file).unwrap(), svg);
    }
}

#[test]
fn what_a_spectrogram_keeps_can_be_heard() {
    for spectrogram in ["store = \"mel\"", "store = \"power\"", "", "profile = \"kaldi\"\nstore = \"power\""]
    {
        let folder = tempfile::tempdir().unwrap();
        let wav = folder.path().join("again.wav");
        let heard = show(folder.path(), spectrogram, &["--clip", "low", "--wav", wav.to_str().unwrap()]);
        assert_eq!(code(&heard), 0, "{spectrogram}: {}", said(&heard));
        assert!(String::from_utf8_lossy(&heard.stdout).contains("% from those"));
        let found = hz(&wav);
        // Bands of mel are some 40 Hz wide here.
        assert!((found - 440.0).abs() < 30.0, "{spectrogram}: {found} Hz");
    }
}

#[test]
fn what_is_not_there_is_said_with_what_may_be_meant() {
    let folder = tempfile::tempdir().unwrap();
    let shown = show(folder.path(), "store = \"mel\"", &["--clip", "hihg"]);
    assert_eq!(code(&shown), 64);
    assert!(said(&shown).contains("did you mean \"high\"?"), "{}", said(&shown));
    let run = folder.path().join("out/x");
    for arguments in [["--to", "x.svg"], ["--wav", "x.wav"]] {
        assert_eq!(code(&wordwave(&[&["show", run.to_str().unwrap()], &arguments[..]].concat())), 64);
    }
    std::fs::remove_file(folder.path().join("high.wav")).unwrap();
    let stored = wordwave(&["show", run.to_str().unwrap(), "--clip", "high"]);
    assert_eq!(code(&stored), 0, "a stored spectrogram needs no recording: {}", said(&stored));
}
