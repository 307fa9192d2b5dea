//! Times the reading of recordings: files whose paths come on standard input, a line each, as the job reads them (hash, one
//! channel, samples in memory); their milliseconds go to standard output. For the comparison with libsndfile.
#![allow(missing_docs, clippy::print_stdout, clippy::unwrap_used)]

use std::io::BufRead;
use std::path::PathBuf;
use std::time::Instant;

use wordwave::corpus::{Channel, ClipRef, Identity, NameBy, RecordingRules, Stamp, read_clip};

fn main() {
    let identity = Identity::new(NameBy::Path, "").unwrap();
    let rules = RecordingRules { identity, sample_rate: 0, channel: Channel::Mix };
    for path in std::io::stdin().lock().lines().map(Result::unwrap) {
        let (id, path, source) = (path.clone(), PathBuf::from(&path), path);
        let reference = ClipRef { id, path, source, bytes: 0, stamp: Stamp::default(), blake3: None };
        let start = Instant::now();
        let clip = read_clip(&reference, &rules).unwrap();
        assert!(!clip.samples.is_empty() && clip.warning.is_none());
        println!("{}", start.elapsed().as_secs_f64() * 1e3);
    }
}
