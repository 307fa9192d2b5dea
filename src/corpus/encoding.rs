//! Bytes to text: byte-order marks, UTF-8, UTF-16 without a mark, and a guess for the old 8-bit encodings.

use std::sync::LazyLock;

use encoding_rs::{Encoding, ISO_2022_JP, UTF_8, UTF_16BE, UTF_16LE};
use rayon::prelude::*;
use regex::bytes::Regex;

use super::contents::Readers;
use super::quarantine::Unusable;
use crate::simd::{Width, controls, is_control, text_of_utf8};

/// Decoded text, and how many characters had to be replaced by U+FFFD.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Decoded {
    pub text: String,
    pub encoding: &'static str,
    pub replaced: usize,
}

/// The share of control characters from which bytes are no text: prose has none, a terminal log few.
const CONTROL_SHARE: f64 = 0.01;

/// The share of undecodable characters from which bytes are no text.
const REPLACED_SHARE: f64 = 0.1;

/// Bytes that one of several threads looks at at once.
const PIECE_BYTES: usize = 1 << 20;

/// Decodes `bytes`, or says at which byte they stop being text.
pub(super) fn decode(bytes: Vec<u8>, readers: Readers) -> Result<Decoded, Unusable> {
    if let Some((encoding, mark)) = Encoding::for_bom(&bytes) {
        return decode_as(encoding, &bytes, mark);
    }
    let bytes = match text_of_utf8(bytes, readers == Readers::All) {
        Ok(text) => {
            return checked(Decoded { text, encoding: "UTF-8", replaced: 0 }, readers).map_err(no_text);
        }
        Err(bytes) => bytes,
    };
    if let Some(encoding) = utf16_without_mark(&bytes) {
        return decode_as(encoding, &bytes, 0);
    }
    if let Some(at) = bytes.iter().position(|&byte| byte == 0) {
        return Err(no_text(at));
    }
    decode_as(guess(&bytes), &bytes, 0)
}

/// Where an HTML page says its encoding, if it does (HTML, 13.2.3.2).
const DECLARED_WITHIN: usize = 4096;

/// Decodes a page of HTML: as [`decode`], but what it says of its encoding is tried before a guess is made.
pub(super) fn decode_html(bytes: Vec<u8>) -> Result<Decoded, Unusable> {
    let declared = declared(&bytes).filter(|&encoding| {
        // A page that is UTF-8 is not something else by accident, unless all of it is ASCII.
        encoding == ISO_2022_JP || std::str::from_utf8(&bytes).is_err()
    });
    match declared {
        Some(encoding) if Encoding::for_bom(&bytes).is_none() => {
            decode_as(encoding, &bytes, 0).or_else(|_| decode(bytes, Readers::One))
        }
        _ => decode(bytes, Readers::One),
    }
}

/// The encoding that the `meta` element or the XML declaration names.
fn declared(bytes: &[u8]) -> Option<&'static Encoding> {
    static DECLARATION: LazyLock<Option<Regex>> = LazyLock::new(|| {
        let pattern =
            r#"(?i-u)(?:<meta\b[^>]*?\bcharset|<\?xml\b[^>]*?\bencoding)\s*=\s*["']?\s*([a-z0-9_:.-]+)"#;
        Regex::new(pattern).ok()
    });
    let head = &bytes[..bytes.len().min(DECLARED_WITHIN)];
    let label = DECLARATION.as_ref()?.captures(head)?.get(1)?.as_bytes();
    // Whoever reads this as ASCII has no UTF-16 before him.
    Encoding::for_label(label).map(Encoding::output_encoding)
}

/// Decodes what follows the byte-order mark of `mark` bytes.
fn decode_as(encoding: &'static Encoding, bytes: &[u8], mark: usize) -> Result<Decoded, Unusable> {
    let bytes = &bytes[mark..];
    let decoded = with_encoding(encoding, bytes);
    checked(decoded, Readers::One).map_err(|at| no_text(mark + place_in_bytes(encoding, bytes, at)))
}

/// The place in `bytes` of what stands at `at` in the decoded text.
fn place_in_bytes(encoding: &'static Encoding, bytes: &[u8], at: usize) -> usize {
    let mut decoder = encoding.new_decoder_without_bom_handling();
    let (_, mut read, mut written, _) = decoder.decode_to_utf8(bytes, &mut vec![0; at], false);
    // The decoder stops where the next character might not fit; the few that remain go byte by byte.
    let mut room = [0; 16];
    while let Some(byte) = bytes.get(read..=read).filter(|_| written < at) {
        let (_, _, more, _) = decoder.decode_to_utf8(byte, &mut room, false);
        (read, written) = (read + 1, written + more);
    }
    read
}

fn with_encoding(encoding: &'static Encoding, bytes: &[u8]) -> Decoded {
    let (text, had_errors) = encoding.decode_without_bom_handling(bytes);
    let replaced = if had_errors { text.matches('\u{FFFD}').count() } else { 0 };
    Decoded { text: text.into_owned(), encoding: encoding.name(), replaced }
}

/// Mostly valid UTF-8 is damaged UTF-8, not another encoding: a page of Windows-1252 has its high bytes alone.
fn guess(bytes: &[u8]) -> &'static Encoding {
    let damaged: usize = bytes.utf8_chunks().map(|chunk| usize::from(!chunk.invalid().is_empty())).sum();
    let multibyte = bytes.iter().filter(|&&byte| byte >= 0xC0).count();
    if damaged * 10 < multibyte {
        return UTF_8;
    }
    let mut detector = chardetng::EncodingDetector::new(chardetng::Iso2022JpDetection::Deny);
    detector.feed(bytes, true);
    detector.guess(None, chardetng::Utf8Detection::Deny)
}

/// Text in a Latin script has a NUL in every other byte of UTF-16.
fn utf16_without_mark(bytes: &[u8]) -> Option<&'static Encoding> {
    let sample = &bytes[..bytes.len().min(4096) & !1];
    if sample.len() < 16 {
        return None;
    }
    let half = sample.len() / 2;
    let nul = |odd: usize| sample.iter().skip(odd).step_by(2).filter(|&&byte| byte == 0).count();
    let (even, odd) = (nul(0), nul(1));
    (odd * 10 > half * 4 && even * 20 < half)
        .then_some(UTF_16LE)
        .or_else(|| (even * 10 > half * 4 && odd * 20 < half).then_some(UTF_16BE))
}

/// The text again, or the place in it from which it is no text.
fn checked(decoded: Decoded, readers: Readers) -> Result<Decoded, usize> {
    let bytes = decoded.text.as_bytes();
    let width = Width::detect();
    let controls: usize = match readers {
        Readers::One => controls(width, bytes),
        Readers::All => bytes.par_chunks(PIECE_BYTES).map(|piece| controls(width, piece)).sum(),
    };
    if controls > 0 {
        if let Some(at) = bytes.iter().position(|&byte| byte == 0) {
            return Err(at);
        }
        if controls as f64 > (bytes.len() as f64 * CONTROL_SHARE).max(4.0) {
            return Err(bytes.iter().position(|&byte| is_control(byte)).unwrap_or(0));
        }
    }
    if decoded.replaced > 0 && decoded.replaced as f64 > decoded.text.chars().count() as f64 * REPLACED_SHARE
    {
        return Err(decoded.text.find('\u{FFFD}').unwrap_or(0));
    }
    Ok(decoded)
}

fn no_text(at: usize) -> Unusable {
    Unusable::new("not_text", "binary data, not text in any encoding: leave it out with `exclude`").at(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text_of(bytes: &[u8]) -> String {
        decode(bytes.to_vec(), Readers::One).unwrap_or_else(|trouble| panic!("{trouble:?}")).text
    }

    #[test]
    fn marks_and_encodings_are_recognised() {
        assert_eq!(text_of(b"\xEF\xBB\xBFna\xC3\xAFve"), "naïve");
        assert_eq!(text_of(b"\xFF\xFEh\0i\0"), "hi");
        assert_eq!(text_of(b"\xFE\xFF\0h\0i"), "hi");
        let plain = "the quick brown fox jumps";
        let little: Vec<u8> = plain.encode_utf16().flat_map(u16::to_le_bytes).chain([0xE9, 0]).collect();
        assert_eq!(text_of(&little), format!("{plain}é"));
        assert_eq!(text_of("Привет, мир".as_bytes()), "Привет, мир");
        let latin = b"Le caf\xE9 est tr\xE8s bon, d\xE9j\xE0 vu, \xE9t\xE9 et for\xEAt.";
        assert_eq!(text_of(latin), "Le café est très bon, déjà vu, été et forêt.");
        assert_eq!(text_of(b""), "");
    }

    #[test]
    fn a_page_says_its_encoding_and_is_believed_where_it_can_be() {
        let text =
            |bytes: &[u8]| decode_html(bytes.to_vec()).unwrap_or_else(|trouble| panic!("{trouble:?}")).text;
        assert!(text(b"<meta charset='windows-1251'>\xCF\xF0\xE8").ends_with("При"));
        assert!(text(b"<META http-equiv=x content=\"text/html; charset=Shift_JIS\">\x83e").ends_with("テ"));
        assert!(text(b"<?xml version='1.0' encoding=\"koi8-r\"?>\xF0").ends_with("П"));
        assert!(text(b"<meta charset=iso-2022-jp>\x1B$B%F\x1B(B").ends_with("テ"));
        // Wrong, unknown, and overruled by a mark.
        assert!(text("<meta charset=latin1>für".as_bytes()).ends_with("für"));
        assert!(text("<meta charset=nothing>für".as_bytes()).ends_with("für"));
        assert!(text(b"\xFF\xFE<\0m\0>\0x\0").ends_with("<m>x"));
    }

    #[test]
    fn damaged_utf8_keeps_its_good_characters() {
        let mut bytes = "größer und schöner ".repeat(40).into_bytes();
        bytes.push(0xFF);
        let decoded = decode(bytes, Readers::All).unwrap_or_else(|trouble| panic!("{trouble:?}"));
        assert_eq!(decoded.replaced, 1);
        assert!(decoded.text.starts_with("größer"));
    }

    #[test]
    fn binary_data_is_refused_with_its_place() {
        let trouble = decode(b"ab\0\x01\x02\xFF\xD8".to_vec(), Readers::One).unwrap_err();
        assert_eq!((&*trouble.code, trouble.byte_offset), ("not_text", Some(2)));
        let wide = "so far so good, \u{0}and no further";
        let little = wide.encode_utf16().flat_map(u16::to_le_bytes);
        let marked: Vec<u8> = [0xFF, 0xFE].into_iter().chain(little).collect();
        assert_eq!(decode(marked, Readers::All).unwrap_err().byte_offset, Some(2 + 2 * 16));
        let marked = [b"\xEF\xBB\xBF", "größer\0".as_bytes()].concat();
        assert_eq!(decode(marked, Readers::All).unwrap_err().byte_offset, Some(3 + 8));
        let noise: Vec<u8> = (0..4000u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 13) as u8 | 1).collect();
        assert_eq!(decode(noise, Readers::All).unwrap_err().code, "not_text");
    }
}
