//! Terms as keys: two numbers that hold a short term whole and stand for a long one; and the hash of a term.

// Some thousand million words go through these few lines: each is put where it is called.
#![allow(clippy::inline_always)]

/// All bytes of a term and its length, where they are 15 or fewer, else a hash of it. The last byte tells which.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct TermKey {
    low: u64,
    high: u64,
}

/// Bytes of a term that a key holds.
pub(super) const KEY_BYTES: usize = 15;
/// Where the length stands in `high`.
const LENGTH_BITS: u32 = 56;

/// The bits of the first bytes of a block, by how many of these are a term's.
const KEPT_BITS: [u128; KEY_BYTES + 1] = {
    let mut bits = [0; KEY_BYTES + 1];
    let mut len = 1;
    while len <= KEY_BYTES {
        bits[len] = u128::MAX >> (8 * (KEY_BYTES + 1 - len));
        len += 1;
    }
    bits
};

impl TermKey {
    /// The bytes of a term that the key holds whole.
    pub(super) fn bytes(self) -> ([u8; KEY_BYTES + 1], usize) {
        let mut bytes = [0; KEY_BYTES + 1];
        bytes[..8].copy_from_slice(&self.low.to_le_bytes());
        bytes[8..].copy_from_slice(&self.high.to_le_bytes());
        (bytes, ((self.high >> LENGTH_BITS) as usize).min(KEY_BYTES))
    }

    /// The key of a term of [`KEY_BYTES`] or fewer that stands at the start of `block`.
    #[inline(always)]
    pub(super) fn of_block(block: &[u8; KEY_BYTES + 1], len: usize) -> Self {
        let all = u128::from_le_bytes(*block) & KEPT_BITS[len % KEPT_BITS.len()];
        Self { low: all as u64, high: (all >> 64) as u64 | (len as u64) << LENGTH_BITS }
    }

    /// The key of a term.
    #[inline]
    pub(super) fn of(term: &[u8]) -> Self {
        if term.len() <= KEY_BYTES {
            let mut block = [0; KEY_BYTES + 1];
            block[..term.len()].copy_from_slice(term);
            return Self::of_block(&block, term.len());
        }
        let (state, low, high) = last_block(term);
        let hash = folded(low ^ FIRST ^ state, high ^ SECOND);
        Self { low: hash, high: folded(hash ^ SECOND, state ^ low) | 0xFF << LENGTH_BITS }
    }

    /// A hash of the term.
    #[inline(always)]
    pub(super) fn hash(self) -> u64 {
        folded(self.low ^ FIRST, self.high ^ SECOND)
    }

    /// Whether equal keys are equal terms.
    #[inline]
    pub(super) fn is_whole(self) -> bool {
        self.high >> LENGTH_BITS <= KEY_BYTES as u64
    }
}

const FIRST: u64 = 0x2D35_8DCC_AA6C_78A5;
const SECOND: u64 = 0x8BB8_4B93_962E_ACC9;
const LENGTH: u64 = 0x9E37_79B9_7F4A_7C15;

/// A 64-bit hash of a term, the same on every platform: the first and last eight bytes (all of them for longer terms, in
/// blocks of sixteen) through a multiplication folded to 64 bits, as wyhash does.
#[must_use]
#[inline]
pub fn term_hash(term: &[u8]) -> u64 {
    let (state, low, high) = last_block(term);
    folded(folded(low ^ FIRST ^ state, high ^ SECOND) ^ FIRST, SECOND)
}

/// [`term_hash`] for a map of the standard library: of texts from the corpus, which nobody chooses to collide.
#[derive(Default)]
pub(super) struct TermHasher(u64);

impl std::hash::Hasher for TermHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0 = folded(self.0 ^ SECOND, term_hash(bytes));
    }
}

/// What the blocks of sixteen bytes before the last come to, and the bytes of that: all of them, whatever its length.
#[inline]
fn last_block(term: &[u8]) -> (u64, u64, u64) {
    let mut state = (term.len() as u64).wrapping_mul(LENGTH);
    let mut rest = term;
    while rest.len() > 16 {
        let (block, after) = rest.split_at(16);
        state = folded(word(&block[..8]) ^ FIRST ^ state, word(&block[8..]) ^ SECOND);
        rest = after;
    }
    let n = rest.len();
    let (low, high) = match n {
        8.. => (word(&rest[..8]), word(&rest[n - 8..])),
        4.. => (half_word(&rest[..4]), half_word(&rest[n - 4..])),
        1.. => (u64::from(rest[0]) << 8 | u64::from(rest[n / 2]), u64::from(rest[n - 1])),
        0 => (0, 0),
    };
    (state, low, high)
}

#[inline]
fn word(bytes: &[u8]) -> u64 {
    bytes.first_chunk().map_or(0, |chunk| u64::from_le_bytes(*chunk))
}

#[inline]
fn half_word(bytes: &[u8]) -> u64 {
    bytes.first_chunk().map_or(0, |chunk| u64::from(u32::from_le_bytes(*chunk)))
}

/// Both halves of the product, folded into one.
#[inline]
pub(super) fn folded(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    product as u64 ^ (product >> 64) as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn hashes_differ_with_every_byte_and_length() {
        let mut seen = HashSet::new();
        for length in 0..70_usize {
            for change in 0..=length {
                let bytes: Vec<u8> = (0..length).map(|i| if i == change { b'y' } else { b'x' }).collect();
                assert!(
                    seen.insert(term_hash(&bytes)) || change == length && length == 0,
                    "{length} {change}"
                );
            }
        }
    }
}
