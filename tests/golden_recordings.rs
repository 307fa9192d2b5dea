//! Recordings against scipy, libsndfile and ffmpeg: `tests/golden/recordings.json`, where `definitions` says how each value was made.

use base64::Engine as _;
use serde_json::Value;
use wordwave::corpus::decode_recording;

use crate::broken::TONES;
use crate::golden_file::{Within, check, count, golden, list, numbers, text};

const FILE: &str = "recordings.json";

#[test]
fn every_wav_file_is_read_as_scipy_and_libsndfile_read_it() {
    for file in list(&golden(FILE)["files"]) {
        let name = text(&file["name"]);
        let bytes = base64::engine::general_purpose::STANDARD.decode(text(&file["base64"])).unwrap();
        let decoding = decode_recording(bytes, "x.wav").unwrap_or_else(|reason| panic!("{name}: {reason}"));
        assert_eq!(decoding.warning, None, "{name}");
        assert_eq!(usize::from(decoding.channels), count(&file["channels"]), "{name}");
        assert_eq!(decoding.sample_rate as usize, count(&file["sample_rate"]), "{name}");
        let theirs: Vec<f32> = numbers(&file["samples"]).into_iter().map(|sample| sample as f32).collect();
        assert_eq!(decoding.samples, theirs, "{name}");
    }
}

#[test]
fn compressed_recordings_are_decoded_as_libsndfile_and_ffmpeg_decode_them() {
    let file = golden(FILE);
    let tone = |name: &str| -> &Value {
        list(&file["tones"]).iter().find(|tone| text(&tone["file"]) == name).unwrap()
    };
    for (name, bytes) in TONES {
        let theirs = tone(name);
        let decoding = decode_recording(bytes.to_vec(), name).unwrap();
        assert_eq!((decoding.channels, decoding.warning), (1, None), "{name}");
        assert_eq!(decoding.sample_rate as usize, count(&theirs["sample_rate"]), "{name}");
        assert_eq!(decoding.samples.len(), count(&theirs["frames"]), "{name}");
        let ours: Vec<f64> = decoding.samples.iter().step_by(41).map(|sample| f64::from(*sample)).collect();
        let lossless = name == "tone.flac" || name == "lossless.m4a";
        let within = Within::Absolute(if lossless { 0.0 } else { 1e-4 });
        check(name, &ours, &numbers(&theirs["samples"]), within);
    }
}
