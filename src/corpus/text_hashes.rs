//! Hashes of many short texts: BLAKE3 takes the same block of several texts at once, as it does with the chunks of a long one.
//!
//! The part of the crate that does so is left out of its documentation; its version is pinned for that, and the tests hold every length
//! against the part that is documented.

use blake3::platform::Platform;
use blake3::{BLOCK_LEN, CHUNK_LEN, Hash, IncrementCounter, OUT_LEN};

/// Blocks of a chunk; longer texts are trees of chunks.
const BLOCKS: usize = CHUNK_LEN / BLOCK_LEN;

/// What a chunk begins with: the initial value of SHA-256.
const INITIAL: [u32; 8] =
    [0x6A09_E667, 0xBB67_AE85, 0x3C6E_F372, 0xA54F_F53A, 0x510E_527F, 0x9B05_688C, 0x1F83_D9AB, 0x5BE0_CD19];

const CHUNK_START: u8 = 1;
const CHUNK_END: u8 = 1 << 1;
const ROOT: u8 = 1 << 3;

/// The hash of each text, as [`blake3::hash`] gives it.
pub(super) fn text_hashes(texts: &[&str]) -> Vec<Hash> {
    let mut hashes = vec![Hash::from_bytes([0; OUT_LEN]); texts.len()];
    // Texts by the number of blocks before their last.
    let mut alike: [Vec<usize>; BLOCKS] = Default::default();
    for (i, text) in texts.iter().enumerate() {
        match alike.get_mut(text.len().saturating_sub(1) / BLOCK_LEN) {
            Some(alike) if !text.is_empty() => alike.push(i),
            _ => hashes[i] = blake3::hash(text.as_bytes()),
        }
    }
    let platform = Platform::detect();
    for (blocks, alike) in alike.iter().enumerate() {
        let of_texts: Vec<&[u8]> = alike.iter().map(|&i| texts[i].as_bytes()).collect();
        let mut values = chaining_values(platform, &of_texts, blocks);
        for ((&i, text), value) in alike.iter().zip(of_texts).zip(&mut values) {
            let rest = &text[blocks * BLOCK_LEN..];
            let mut last = [0; BLOCK_LEN];
            last[..rest.len()].copy_from_slice(rest);
            let flags = CHUNK_END | ROOT | if blocks == 0 { CHUNK_START } else { 0 };
            platform.compress_in_place(value, &last, rest.len() as u8, 0, flags);
            hashes[i] = Hash::from_bytes(bytes_of(value));
        }
    }
    hashes
}

/// What the first `blocks` blocks of each text come to: they are full, and not its last.
fn chaining_values(platform: Platform, texts: &[&[u8]], blocks: usize) -> Vec<[u32; 8]> {
    match blocks {
        1 => many::<{ BLOCK_LEN }>(platform, texts),
        2 => many::<{ 2 * BLOCK_LEN }>(platform, texts),
        3 => many::<{ 3 * BLOCK_LEN }>(platform, texts),
        4 => many::<{ 4 * BLOCK_LEN }>(platform, texts),
        5 => many::<{ 5 * BLOCK_LEN }>(platform, texts),
        6 => many::<{ 6 * BLOCK_LEN }>(platform, texts),
        7 => many::<{ 7 * BLOCK_LEN }>(platform, texts),
        8 => many::<{ 8 * BLOCK_LEN }>(platform, texts),
        9 => many::<{ 9 * BLOCK_LEN }>(platform, texts),
        10 => many::<{ 10 * BLOCK_LEN }>(platform, texts),
        11 => many::<{ 11 * BLOCK_LEN }>(platform, texts),
        12 => many::<{ 12 * BLOCK_LEN }>(platform, texts),
        13 => many::<{ 13 * BLOCK_LEN }>(platform, texts),
        14 => many::<{ 14 * BLOCK_LEN }>(platform, texts),
        15 => many::<{ 15 * BLOCK_LEN }>(platform, texts),
        _ => vec![INITIAL; texts.len()],
    }
}

fn many<const BYTES: usize>(platform: Platform, texts: &[&[u8]]) -> Vec<[u32; 8]> {
    let starts: Vec<&[u8; BYTES]> = texts.iter().filter_map(|text| text.first_chunk()).collect();
    let mut out = vec![0; texts.len() * OUT_LEN];
    platform.hash_many(&starts, &INITIAL, 0, IncrementCounter::No, 0, CHUNK_START, 0, &mut out);
    out.as_chunks::<OUT_LEN>().0.iter().map(words_of).collect()
}

fn words_of(bytes: &[u8; OUT_LEN]) -> [u32; 8] {
    let words = bytes.as_chunks::<4>().0;
    std::array::from_fn(|i| u32::from_le_bytes(words[i]))
}

fn bytes_of(words: &[u32; 8]) -> [u8; OUT_LEN] {
    std::array::from_fn(|i| words[i / 4].to_le_bytes()[i % 4])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_of_every_length_have_the_hashes_that_they_have_alone() {
        let long: String = (0..3000_u32).map(|i| char::from(b' ' + (i * i / 7 % 90) as u8)).collect();
        // Each length up to three chunks, and the short ones often enough for all lanes.
        let lengths = (0..3000).chain((0..1025).flat_map(|length| [length; 5]));
        let texts: Vec<&str> = lengths.enumerate().map(|(i, len)| &long[i % 13..][..len.min(2987)]).collect();
        let expected: Vec<Hash> = texts.iter().map(|text| blake3::hash(text.as_bytes())).collect();
        assert!(text_hashes(&texts) == expected);
        assert!(text_hashes(&[]).is_empty());
    }
}
