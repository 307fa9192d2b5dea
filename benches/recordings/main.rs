//! Times the reading of recordings: files whose paths come on standard input, a line each, are read as the job reads them, one
//! channel block by block, but without their hash; their milliseconds go to standard output. For the comparison with libsndfile.
#![allow(missing_docs, clippy::print_stdout, clippy::unwrap_used)]

use std::io::BufRead;
use std::path::Path;
use std::time::Instant;

use wordwave::corpus::{Channel, Identity, NameBy, RecordingContents, RecordingReader, RecordingRules};

fn main() {
    let identity = Identity::new(NameBy::Path, "").unwrap();
    let rules = RecordingRules { identity, sample_rate: 0, channel: Channel::Mix };
    let mut block = Vec::new();
    for path in std::io::stdin().lock().lines().map(Result::unwrap) {
        let start = Instant::now();
        let contents = RecordingContents::of_file(Path::new(&path)).unwrap();
        let mut reader = RecordingReader::new(&path, &rules, contents).unwrap();
        while reader.next_block(1 << 16, &mut block).unwrap() {}
        let milliseconds = start.elapsed().as_secs_f64() * 1e3;
        assert!(reader.seconds() > 0.0 && reader.warning().is_none());
        println!("{milliseconds}");
    }
}
