//! Any bytes as a recording: WAV by its magic, anything else by symphonia. It may be refused, never crash.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    for name in ["x.wav", "x.flac", "x.mp3", "x.ogg"] {
        if let Ok(recording) = wordwave::corpus::decode_recording(bytes.to_vec(), name) {
            assert!(recording.channels > 0 && recording.sample_rate > 0);
        }
    }
});
