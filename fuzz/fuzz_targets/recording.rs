//! Any bytes as a recording: WAV by its magic, anything else by symphonia, streamed and resampled as a job does it. It may be
//! refused, never crash, hang, or take memory that its bytes do not account for.

#![no_main]

use libfuzzer_sys::fuzz_target;
use wordwave::corpus::{Channel, Identity, NameBy, RecordingContents, RecordingReader, RecordingRules};

// A decoder that fails an assertion is caught where it is called; only what gets through to here is a crash.
fuzz_target!(init: std::panic::set_hook(Box::new(|_| {})), |bytes: &[u8]| {
    for (name, sample_rate) in [("x.wav", 16_000), ("x.mp3", 0)] {
        let identity = Identity::new(NameBy::Path, "").expect("no expression is a right one");
        let rules = RecordingRules { identity, sample_rate, channel: Channel::Mix };
        let contents = RecordingContents::of_bytes(bytes.to_vec());
        let Ok(mut reader) = RecordingReader::new(name, &rules, contents) else { continue };
        assert!(reader.channels() > 0 && reader.sample_rate() > 0);
        let mut block = Vec::new();
        while let Ok(true) = reader.next_block(16_000, &mut block) {
            assert!(block.len() <= 16_000 && block.iter().all(|sample| sample.is_finite()));
        }
        let _ = reader.warning();
    }
});
