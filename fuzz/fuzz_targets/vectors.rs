//! Any bytes as a file of word vectors, and as a word set. They may be refused, never crash; what is taken can be asked.

#![no_main]

use libfuzzer_sys::fuzz_target;
use wordwave::text::embeddings::evaluation::{WordSet, evaluate};
use wordwave::text::embeddings::formats::read_vectors;

fuzz_target!(|bytes: &[u8]| {
    let set = std::str::from_utf8(bytes).ok().and_then(|text| WordSet::parse("fuzz", text).ok());
    let Ok(read) = read_vectors(bytes) else { return };
    assert!(read.words.embeddings().vectors().iter().all(|value| value.is_finite()));
    if let Some(first) = read.words.terms().first() {
        let _ = read.words.analogy([first, first, "unseen"], 3);
    }
    if let Some(set) = set {
        let _ = evaluate(&read.words, &set);
    }
});
