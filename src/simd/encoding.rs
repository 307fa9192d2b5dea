//! Bytes to text: whether they are UTF-8, and how many control characters are among them.

use super::{Instructions, Width};
use rayon::prelude::*;

/// `bytes` as text, without a copy of them; `by_all` threads or by this one.
///
/// # Errors
/// The bytes again, where they are not UTF-8.
pub fn text_of_utf8(bytes: Vec<u8>, by_all: bool) -> Result<String, Vec<u8>> {
    let is_text = |bytes: &[u8]| simdutf8::basic::from_utf8(bytes).is_ok();
    let are_texts = if by_all {
        let pieces: Vec<&[u8]> = pieces(&bytes).collect();
        pieces.into_par_iter().all(is_text)
    } else {
        is_text(&bytes)
    };
    // SAFETY: they have just been found to be UTF-8, and texts one after the other are a text.
    if are_texts { Ok(unsafe { String::from_utf8_unchecked(bytes) }) } else { Err(bytes) }
}

/// `bytes` in pieces that do not begin within a character.
fn pieces(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    const PIECE: usize = 1 << 20;
    let mut left = bytes;
    std::iter::from_fn(move || {
        let longer = left.get(PIECE..).unwrap_or_default();
        let rest = longer.iter().take_while(|&&byte| continues(byte)).count();
        let (piece, next) = left.split_at(left.len().min(PIECE + rest));
        left = next;
        (!piece.is_empty()).then_some(piece)
    })
}

/// Whether a byte continues a character.
#[inline(always)]
fn continues(byte: u8) -> bool {
    byte.cast_signed() < -64
}

/// A few bytes as text, empty where they are not UTF-8: of ASCII that is known at once.
#[inline]
pub fn short_text(bytes: &[u8]) -> &str {
    if bytes.is_ascii() {
        // SAFETY: ASCII is UTF-8.
        unsafe { std::str::from_utf8_unchecked(bytes) }
    } else {
        std::str::from_utf8(bytes).unwrap_or_default()
    }
}

/// A control character that text does not have: everything under the space but tab, line feed, form feed, return and escape.
#[inline(always)]
pub fn is_control(byte: u8) -> bool {
    byte < b' ' && !matches!(byte, b'\t' | b'\n' | b'\r' | b'\x0C' | b'\x1B') || byte == 0x7F
}

/// How many control characters `bytes` have.
pub fn controls(width: Width, bytes: &[u8]) -> usize {
    count(width, bytes, is_control)
}

/// How many characters `text` has: bytes that do not continue one.
pub fn characters(width: Width, text: &str) -> usize {
    count(width, text.as_bytes(), |byte| !continues(byte))
}

fn count(width: Width, bytes: &[u8], counts: impl Fn(u8) -> bool) -> usize {
    match width.0 {
        #[cfg(target_arch = "x86_64")]
        Instructions::Avx2 | Instructions::Avx512 => {
            // SAFETY: `Width` is only made where the processor has the instructions, and both widths have AVX2.
            unsafe { count_avx2(bytes, counts) }
        }
        _ => count_plain(bytes, counts),
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
unsafe fn count_avx2(bytes: &[u8], counts: impl Fn(u8) -> bool) -> usize {
    count_plain(bytes, counts)
}

#[inline(always)]
fn count_plain(bytes: &[u8], counts: impl Fn(u8) -> bool) -> usize {
    // In stretches whose number fits a byte, which many can be counted in at once.
    let of_stretch = |stretch: &[u8]| stretch.iter().map(|&byte| u8::from(counts(byte))).sum::<u8>();
    let (stretches, rest) = bytes.as_chunks::<224>();
    let whole: usize = stretches.iter().map(|stretch| usize::from(of_stretch(stretch))).sum();
    whole + usize::from(of_stretch(rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_what_the_standard_library_takes_for_it() {
        for bytes in [
            &b""[..],
            b"plain",
            "größer — “so”".as_bytes(),
            b"\xFF",
            b"cut \xE2\x80",
            b"\xC0\x80",
            b"\xED\xA0\x80",
        ] {
            let expected = String::from_utf8(bytes.to_vec()).map_err(std::string::FromUtf8Error::into_bytes);
            assert_eq!(short_text(bytes), expected.as_deref().unwrap_or_default());
            assert_eq!(text_of_utf8(bytes.to_vec(), false), expected);
            assert_eq!(text_of_utf8(bytes.to_vec(), true), expected);
        }
    }

    #[test]
    fn characters_are_counted_at_every_width() {
        let text = "plain größer “so” — 漢字 🇩🇪\n".repeat(50);
        let at = |place: usize| (0..=place).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
        for width in Width::available() {
            for len in [0, 1, 40, 223, 224, 225, 448, 1000, text.len()] {
                let text = &text[..at(len)];
                assert_eq!(characters(width, text), text.chars().count());
            }
        }
    }

    #[test]
    fn control_characters_are_counted_at_every_width() {
        let bytes: Vec<u8> = (0..3000_usize).map(|i| (i * 11 % 256) as u8).collect();
        for width in Width::available() {
            for len in [0, 1, 100, 223, 224, 225, 1000, 3000] {
                let expected = bytes[..len].iter().filter(|byte| is_control(**byte)).count();
                assert_eq!(controls(width, &bytes[..len]), expected);
            }
            assert_eq!(controls(width, &[0x7F; 1000]), 1000);
        }
    }
}
