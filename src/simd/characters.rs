//! Where the runs of letters, digits and underscores in a text begin and end, 64 bytes at a time.

use super::{Instructions, Width};

/// Bytes that are looked at together.
const BLOCK: usize = 64;
/// Most bytes of a piece of text: places in it fit 16 bits.
const MOST_BYTES: usize = 1 << 12;
/// Most edges of one kind in a block.
const MOST_EDGES: usize = BLOCK / 2;
/// Edges that are written down at once, whether there are so many or not: a branch for each would often be guessed wrong.
const AT_ONCE: usize = 8;

/// The edges of runs in a piece of text, which may begin and end within one.
#[derive(Debug, Clone)]
pub struct RunEdges {
    starts: Places,
    ends: Places,
}

/// Places in a piece of text, and room behind them.
#[derive(Debug, Clone)]
struct Places {
    room: Box<[u16; MOST_BYTES / 2 + 1 + MOST_EDGES]>,
    len: usize,
}

impl Default for RunEdges {
    fn default() -> Self {
        let places = Places { room: Box::new([0; MOST_BYTES / 2 + 1 + MOST_EDGES]), len: 0 };
        Self { starts: places.clone(), ends: places }
    }
}

impl RunEdges {
    /// Bytes that [`RunEdges::find`] takes at most.
    pub const MOST_BYTES: usize = MOST_BYTES;

    /// Where runs begin.
    #[must_use]
    pub fn starts(&self) -> &[u16] {
        self.starts.all()
    }

    /// Where they end: the byte after the last.
    #[must_use]
    pub fn ends(&self) -> &[u16] {
        self.ends.all()
    }

    /// Finds the edges of `text`, of which no more than [`RunEdges::MOST_BYTES`] bytes are looked at; `inside` says whether the byte
    /// before it is in a run. A run that reaches the end of the text ends there, unless the text is whole blocks of 64 bytes.
    pub fn find(&mut self, width: Width, text: &[u8], inside: bool) {
        self.starts.len = 0;
        self.ends.len = 0;
        let (blocks, rest) = text.get(..MOST_BYTES).unwrap_or(text).as_chunks::<BLOCK>();
        let mut last = u64::from(inside);
        match width.0 {
            #[cfg(target_arch = "x86_64")]
            Instructions::Avx512 if has_compression() => {
                // SAFETY: the processor has just been asked for the instructions.
                last = unsafe { find_avx512(blocks, last, self) };
            }
            #[cfg(target_arch = "x86_64")]
            Instructions::Avx2 | Instructions::Avx512 => {
                // SAFETY: `Width` is only made where the processor has the instructions, and both widths have AVX2.
                last = unsafe { find_avx2(blocks, last, self) };
            }
            _ => blocks
                .iter()
                .enumerate()
                .for_each(|(i, block)| self.add(plain_mask(block), i * BLOCK, &mut last)),
        }
        if !rest.is_empty() {
            let mut block = [0; BLOCK];
            block[..rest.len()].copy_from_slice(rest);
            self.add(plain_mask(&block), blocks.len() * BLOCK, &mut last);
        }
    }

    /// Adds the edges of a block whose first byte stands at `at`; `last` is 1 where the byte before it is in a run.
    #[inline]
    fn add(&mut self, mask: u64, at: usize, last: &mut u64) {
        let (starts, ends) = edges(mask, last);
        self.starts.push_bits(starts, at);
        self.ends.push_bits(ends, at);
    }
}

/// The bits of the bytes where runs begin and of those where they have ended.
#[inline]
fn edges(mask: u64, last: &mut u64) -> (u64, u64) {
    let before = mask << 1 | *last;
    *last = mask >> (BLOCK - 1);
    (mask & !before, before & !mask)
}

impl Places {
    fn all(&self) -> &[u16] {
        &self.room[..self.len]
    }

    #[inline]
    fn push_bits(&mut self, bits: u64, at: usize) {
        let mut left = bits;
        for places in self.room[self.len..].as_chunks_mut::<AT_ONCE>().0 {
            for place in places {
                *place = at as u16 + left.trailing_zeros() as u16;
                left &= left.wrapping_sub(1);
            }
            if left == 0 {
                break;
            }
        }
        self.len += bits.count_ones() as usize;
    }
}

/// Bit `i` stands for byte `i`, and is set where that is an ASCII letter, a digit or an underscore.
fn plain_mask(block: &[u8; BLOCK]) -> u64 {
    let is_word = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
    block.iter().rev().fold(0, |mask, byte| mask << 1 | u64::from(is_word(byte)))
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
unsafe fn find_avx2(blocks: &[[u8; BLOCK]], mut last: u64, found: &mut RunEdges) -> u64 {
    for (i, block) in blocks.iter().enumerate() {
        let (halves, _) = block.as_chunks::<32>();
        // SAFETY: the caller has AVX2.
        let mask =
            halves.iter().rev().fold(0, |mask, half| mask << 32 | u64::from(unsafe { half_mask(half) }));
        found.add(mask, i * BLOCK, &mut last);
    }
    last
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

/// Whether bytes can be picked by a mask: newer than the rest of AVX-512.
#[cfg(target_arch = "x86_64")]
fn has_compression() -> bool {
    is_x86_feature_detected!("avx512bw")
        && is_x86_feature_detected!("avx512vbmi2")
        && is_x86_feature_detected!("popcnt")
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512bw,avx512vbmi2,popcnt")]
#[allow(clippy::cast_ptr_alignment, reason = "the load needs no alignment")]
unsafe fn find_avx512(blocks: &[[u8; BLOCK]], mut last: u64, found: &mut RunEdges) -> u64 {
    use std::arch::x86_64::{
        _mm512_cmpeq_epi8_mask, _mm512_cmplt_epu8_mask, _mm512_loadu_epi8, _mm512_or_si512, _mm512_set1_epi8,
        _mm512_sub_epi8,
    };
    for (i, block) in blocks.iter().enumerate() {
        // SAFETY: 64 bytes are read, which need no alignment.
        let bytes = unsafe { _mm512_loadu_epi8(block.as_ptr().cast()) };
        let within = |bytes, first: u8, count: i8| {
            let from_first = _mm512_sub_epi8(bytes, _mm512_set1_epi8(first.cast_signed()));
            _mm512_cmplt_epu8_mask(from_first, _mm512_set1_epi8(count))
        };
        let letters = within(_mm512_or_si512(bytes, _mm512_set1_epi8(0x20)), b'a', 26);
        let underscores = _mm512_cmpeq_epi8_mask(bytes, _mm512_set1_epi8(b'_'.cast_signed()));
        let (starts, ends) = edges(letters | within(bytes, b'0', 10) | underscores, &mut last);
        // SAFETY: the caller has the instructions.
        unsafe {
            push_bits_avx512(&mut found.starts, starts, i * BLOCK);
            push_bits_avx512(&mut found.ends, ends, i * BLOCK);
        }
    }
    last
}

/// The numbers from 0 to 63.
#[cfg(target_arch = "x86_64")]
const COUNTING: [u8; BLOCK] = {
    let mut numbers = [0; BLOCK];
    let mut i = 0;
    while i < BLOCK {
        numbers[i] = i as u8;
        i += 1;
    }
    numbers
};

#[cfg(target_arch = "x86_64")]
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vbmi2,popcnt")]
#[allow(clippy::cast_ptr_alignment, reason = "neither load nor store needs alignment")]
unsafe fn push_bits_avx512(places: &mut Places, bits: u64, at: usize) {
    use std::arch::x86_64::{
        _mm512_add_epi16, _mm512_castsi512_si256, _mm512_cvtepu8_epi16, _mm512_loadu_epi8,
        _mm512_maskz_compress_epi8, _mm512_set1_epi16, _mm512_storeu_epi16,
    };
    // There always is room: half of all bytes at most are edges of a kind, and a block more.
    if let Some(room) = places.room[places.len..].first_chunk_mut::<MOST_EDGES>() {
        // SAFETY: 64 bytes are read.
        let counting = unsafe { _mm512_loadu_epi8(COUNTING.as_ptr().cast()) };
        let picked = _mm512_castsi512_si256(_mm512_maskz_compress_epi8(bits, counting));
        let placed = _mm512_add_epi16(_mm512_cvtepu8_epi16(picked), _mm512_set1_epi16(at as i16));
        // SAFETY: `room` takes the 32 places.
        unsafe { _mm512_storeu_epi16(room.as_mut_ptr().cast(), placed) };
    }
    places.len += bits.count_ones() as usize;
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Edges found one byte after another.
    fn naive(text: &[u8], mut inside: bool) -> (Vec<u16>, Vec<u16>) {
        let (mut starts, mut ends) = (Vec::new(), Vec::new());
        for (at, byte) in text.iter().enumerate() {
            let is_word = byte.is_ascii_alphanumeric() || *byte == b'_';
            match (inside, is_word) {
                (false, true) => starts.push(at as u16),
                (true, false) => ends.push(at as u16),
                _ => {}
            }
            inside = is_word;
        }
        if inside && !text.len().is_multiple_of(BLOCK) {
            ends.push(text.len() as u16);
        }
        (starts, ends)
    }

    #[test]
    fn edges_are_those_of_single_bytes_at_every_width() {
        let mixed: Vec<u8> = (0..MOST_BYTES).map(|i| (i * 7 % 256) as u8).collect();
        let dense: Vec<u8> = (0..MOST_BYTES).map(|i| if i % 2 == 0 { b'a' } else { b' ' }).collect();
        let prose = b"The quick brown_fox, 42 times; jumps -- over `the` [lazy] {dog}@z/9:A/Z~_".repeat(60);
        let mut edges = RunEdges::default();
        for text in [mixed, dense, prose[..MOST_BYTES].to_vec(), vec![b'x'; MOST_BYTES]] {
            for width in Width::available() {
                for len in [0, 1, 31, 63, 64, 65, 128, 256, 1000, MOST_BYTES - 1, MOST_BYTES] {
                    for inside in [false, true] {
                        edges.find(width, &text[..len], inside);
                        let found = (edges.starts().to_vec(), edges.ends().to_vec());
                        assert_eq!(found, naive(&text[..len], inside), "{width:?} {len} {inside}");
                    }
                }
            }
        }
    }
}
