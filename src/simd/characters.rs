//! Which bytes of a text are letters, digits or underscores, 64 at a time.

use super::{Instructions, Width};

/// Bytes in a mask.
pub const BLOCK: usize = 64;

/// Writes a mask for every 64 bytes of `text` to `masks`, which is cleared first: bit `i` stands for byte `i`, and is set where that
/// is an ASCII letter, a digit or an underscore. The last mask ends in zeros.
pub fn word_masks(width: Width, text: &[u8], masks: &mut Vec<u64>) {
    masks.clear();
    let (blocks, rest) = text.as_chunks::<BLOCK>();
    masks.reserve(blocks.len() + 1);
    match width.0 {
        #[cfg(target_arch = "x86_64")]
        Instructions::Avx2 | Instructions::Avx512 => {
            // SAFETY: `Width` is only made where the processor has the instructions, and both widths have AVX2.
            unsafe { extend_avx2(blocks, masks) };
        }
        _ => masks.extend(blocks.iter().map(plain_mask)),
    }
    if !rest.is_empty() {
        let mut block = [0; BLOCK];
        block[..rest.len()].copy_from_slice(rest);
        masks.push(plain_mask(&block));
    }
}

fn plain_mask(block: &[u8; BLOCK]) -> u64 {
    let is_word = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
    block.iter().rev().fold(0, |mask, byte| mask << 1 | u64::from(is_word(byte)))
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
unsafe fn extend_avx2(blocks: &[[u8; BLOCK]], masks: &mut Vec<u64>) {
    masks.extend(blocks.iter().map(|block| {
        let (halves, _) = block.as_chunks::<32>();
        // SAFETY: the caller has AVX2.
        halves.iter().rev().fold(0, |mask, half| mask << 32 | u64::from(unsafe { half_mask(half) }))
    }));
}

#[cfg(target_arch = "x86_64")]
#[inline]
#[target_feature(enable = "avx2")]
#[allow(clippy::cast_ptr_alignment, reason = "the load needs no alignment")]
unsafe fn half_mask(half: &[u8; 32]) -> u32 {
    use std::arch::x86_64::{
        __m256i, _mm256_cmpeq_epi8, _mm256_loadu_si256, _mm256_min_epu8, _mm256_movemask_epi8,
        _mm256_or_si256, _mm256_set1_epi8, _mm256_sub_epi8,
    };
    // SAFETY: 32 bytes are read, which need no alignment.
    let bytes = unsafe { _mm256_loadu_si256(std::ptr::from_ref(half).cast::<__m256i>()) };
    let within = |bytes, first: u8, count: i8| {
        let from_first = _mm256_sub_epi8(bytes, _mm256_set1_epi8(first.cast_signed()));
        _mm256_cmpeq_epi8(_mm256_min_epu8(from_first, _mm256_set1_epi8(count - 1)), from_first)
    };
    let letters = within(_mm256_or_si256(bytes, _mm256_set1_epi8(0x20)), b'a', 26);
    let digits = within(bytes, b'0', 10);
    let underscores = _mm256_cmpeq_epi8(bytes, _mm256_set1_epi8(b'_'.cast_signed()));
    _mm256_movemask_epi8(_mm256_or_si256(letters, _mm256_or_si256(digits, underscores))).cast_unsigned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_has_its_bit_at_every_width() {
        let text: Vec<u8> = (0..1000_usize).map(|i| (i * 7 % 256) as u8).collect();
        for width in Width::available() {
            for len in [0, 1, 31, 63, 64, 65, 256, 1000] {
                let mut masks = vec![7];
                word_masks(width, &text[..len], &mut masks);
                assert_eq!(masks.len(), len.div_ceil(BLOCK));
                for bit in 0..masks.len() * BLOCK {
                    let expected =
                        text[..len].get(bit).is_some_and(|b| b.is_ascii_alphanumeric() || *b == b'_');
                    assert_eq!(masks[bit / BLOCK] >> (bit % BLOCK) & 1 == 1, expected, "byte {bit} of {len}");
                }
            }
        }
    }
}
