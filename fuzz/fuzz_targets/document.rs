//! Any bytes as a document of any format. It may be refused, never crash.

#![no_main]

use libfuzzer_sys::fuzz_target;
use wordwave::corpus::{DocumentFormat, decode_document};

fuzz_target!(|bytes: &[u8]| {
    for format in [DocumentFormat::Text, DocumentFormat::Markdown, DocumentFormat::Transcripts] {
        let _ = decode_document(bytes.to_vec(), format);
    }
});
