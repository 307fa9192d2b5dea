//! A recording longer than what is held of it: its features are those of a recording that lies in memory.

use std::collections::BTreeMap;
use std::path::Path;

use crate::program::{code, job_in, run_job, said, wordwave};

/// Tones and silences of 80 seconds in two channels at 22.05 kHz, so that a job at 16 kHz has several stretches to analyse.
fn write_recording(path: &Path) {
    let spec = hound::WavSpec {
        channels: 2,
        sample_rate: 22_050,
        bits_per_sample: 24,
        sample_format: hound::SampleFormat::Int,
    };
    let mut writer = hound::WavWriter::create(path, spec).unwrap();
    for i in 0..80 * 22_050 {
        let seconds = f64::from(i) / 22_050.0;
        let level = (seconds * 0.7).sin().max(0.0) * 2e6;
        let tone = (std::f64::consts::TAU * (120.0 + seconds) * seconds).sin();
        writer.write_sample((level * tone) as i32).unwrap();
        writer.write_sample((level * tone * tone) as i32 + i % 50).unwrap();
    }
    writer.finalize().unwrap();
}

/// The values of the only clip by their names.
fn values(folder: &Path, sets: &str) -> BTreeMap<String, String> {
    let job = job_in(
        folder,
        &format!(
            "[job]\nname = \"x\"\noutput = \"out\"\n[clips]\ninclude = [\"*.wav\"]\nsample_rate = 16000\n[spectrogram]\n\
             [features]\nsets = [{sets}]\n"
        ),
    );
    let output = folder.join(format!("out-{}", sets.len()));
    let outcome = run_job(&job, &output, &["--quiet"]);
    assert_eq!(code(&outcome), 0, "{}", said(&outcome));
    let shown = wordwave(&["show", output.join("x/latest").to_str().unwrap(), "--table", "clips"]);
    let text = String::from_utf8(shown.stdout).unwrap();
    let mut lines = text.lines().map(|line| line.split('\t').map(str::to_owned));
    let (names, values) = (lines.next().unwrap(), lines.next().unwrap());
    names.zip(values).collect()
}

#[test]
fn a_recording_that_is_analysed_while_it_is_read_has_the_values_of_one_in_memory() {
    let folder = tempfile::tempdir().unwrap();
    write_recording(&folder.path().join("long.wav"));
    let default = r#""mel", "mfcc", "spectral", "pitch", "loudness", "voice", "quality""#;
    let streamed = values(folder.path(), default);
    // These take the recording in parts, beside its frames.
    let whole = values(folder.path(), &format!("{default}, \"recording\", \"formants\""));
    assert!(streamed.len() > 200 && whole.len() > streamed.len());
    for (name, value) in streamed {
        assert_eq!(whole[&name], value, "{name}");
    }
}
