//! Any bytes as a document of any format. It may be refused, never crash, and what was listed in it is found again.

#![no_main]

use libfuzzer_sys::fuzz_target;
use wordwave::corpus::{DocumentFormat, decode_document};

fuzz_target!(|bytes: &[u8]| {
    for format in [
        DocumentFormat::Text,
        DocumentFormat::Markdown,
        DocumentFormat::Html,
        DocumentFormat::Jsonl,
        DocumentFormat::Csv,
        DocumentFormat::Parquet,
        DocumentFormat::Transcripts,
        DocumentFormat::Manifest,
    ] {
        if let Err(reason) = decode_document(bytes.to_vec(), format) {
            assert!(!reason.contains("changed between listing and reading"), "{format:?}");
        }
    }
});
