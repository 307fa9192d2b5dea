//! Encodings of Parquet for the columns that the terms of documents have: they are taller than all others together, and what is
//! known of them (rows of a document stand together, counts are few) saves looking at them again.
//!
//! <https://parquet.apache.org/docs/file-format/data-pages/encodings/>

use polars_parquet::parquet::encoding::{uleb128, zigzag_leb128};

/// Numbers that are packed together: as many bytes as each has bits.
const PACKED: usize = 8;
/// Bytes that are written at once.
const WORD: usize = size_of::<u64>();

/// Bits that numbers up to `most` need.
pub(super) fn width_of(most: u32) -> u32 {
    u32::BITS - most.leading_zeros()
}

/// Appends the numbers 0, 1, 2.., each as often as `lengths` says, as RLE: the bytes that a page's keys are.
pub(super) fn runs(out: &mut Vec<u8>, lengths: &[u32]) {
    let width = width_of(lengths.len().saturating_sub(1) as u32);
    out.reserve(1 + lengths.len() * 6);
    out.push(width as u8);
    for (number, &length) in (0..).zip(lengths) {
        run(out, length as usize, number, width);
    }
}

/// Appends numbers up to `most` as RLE where eight are alike, else packed to the bit: the bytes that a page's keys are.
pub(super) fn keys(out: &mut Vec<u8>, numbers: &[u16], most: u16) {
    let width = width_of(u32::from(most));
    out.reserve(numbers.len() * width as usize / PACKED + 32);
    out.push(width as u8);
    let (groups, rest) = numbers.as_chunks::<PACKED>();
    let mut left = groups;
    while let Some(first) = left.first() {
        let alike =
            if is_uniform(first) { left.iter().take_while(|group| *group == first).count() } else { 0 };
        if alike > 0 {
            run(out, alike * PACKED, u32::from(first[0]), width);
            left = &left[alike..];
            continue;
        }
        let (mixed, next) = left.split_at(left.iter().take_while(|group| !is_uniform(group)).count());
        pack_groups(out, mixed, width);
        left = next;
    }
    if !rest.is_empty() {
        let mut last = [0; PACKED];
        last[..rest.len()].copy_from_slice(rest);
        pack_groups(out, &[last], width);
    }
}

/// Bytes that a text takes beside its own (`PLAIN`).
pub(super) const TEXT_HEAD: usize = size_of::<u32>();

/// Appends a text behind its length (`PLAIN`).
pub(super) fn text(out: &mut Vec<u8>, text: &str) {
    out.extend_from_slice(&(text.len() as u32).to_le_bytes());
    out.extend_from_slice(text.as_bytes());
}

/// Numbers of a block of differences, which share a least difference and a width.
const BLOCK: usize = 256;

/// Appends numbers that rise in stretches as the differences between them (`DELTA_BINARY_PACKED`), and gives the least and the greatest
/// of them.
pub(super) fn differences(out: &mut Vec<u8>, numbers: &[u32]) -> [u32; 2] {
    out.reserve(numbers.len() * 2 + 64);
    [BLOCK as u64, 1, numbers.len() as u64].into_iter().for_each(|number| varint(out, number));
    let Some((&first, rest)) = numbers.split_first() else {
        signed_varint(out, 0);
        return [0, 0];
    };
    signed_varint(out, first.cast_signed());
    let mut range = [first, first];
    for (block, before) in rest.chunks(BLOCK).zip(numbers.chunks(BLOCK)) {
        // In 32 bits, as the numbers: what does not fit wraps around, here and in a reader.
        let mut differences = [0; BLOCK];
        let (mut least, mut most) = (i32::MAX, i32::MIN);
        for ((place, &number), before) in differences.iter_mut().zip(block).zip(before) {
            *place = number.wrapping_sub(*before).cast_signed();
            (least, most) = (least.min(*place), most.max(*place));
            range = [range[0].min(number), range[1].max(number)];
        }
        let width = width_of(most.wrapping_sub(least).cast_unsigned());
        signed_varint(out, least);
        out.push(width as u8);
        let of_block = &mut differences[..block.len()];
        of_block.iter_mut().for_each(|difference| *difference = difference.wrapping_sub(least));
        pack(out, &differences.map(i32::cast_unsigned), width);
    }
    range
}

/// Appends numbers of so many bits each.
fn pack(out: &mut Vec<u8>, numbers: &[u32; BLOCK], width: u32) {
    // As many at a time as fit beside the bits that fill no byte yet.
    let pack = match (u64::BITS - 7).checked_div(width) {
        Some(0 | 1) => pack_by::<1>,
        Some(2 | 3) => pack_by::<2>,
        _ => pack_by::<4>,
    };
    pack(out, numbers, width);
}

fn pack_by<const N: usize>(out: &mut Vec<u8>, numbers: &[u32; BLOCK], width: u32) {
    let mut packed = [0; (BLOCK + 1) * WORD];
    let (mut at, mut bits, mut filled) = (0, 0, 0);
    for some in numbers.as_chunks::<N>().0 {
        for &number in some {
            bits |= u64::from(number) << filled;
            filled += width;
        }
        // More bytes than are whole are written; the next are written over them.
        packed[at..at + WORD].copy_from_slice(&bits.to_le_bytes());
        at += filled as usize / 8;
        bits >>= filled & !7;
        filled &= 7;
    }
    out.extend_from_slice(&packed[..at]);
}

fn is_uniform(group: &[u16; PACKED]) -> bool {
    *group == [group[0]; PACKED]
}

fn run(out: &mut Vec<u8>, length: usize, number: u32, width: u32) {
    varint(out, (length as u64) << 1);
    out.extend_from_slice(&number.to_le_bytes()[..width.div_ceil(8) as usize]);
}

fn pack_groups(out: &mut Vec<u8>, groups: &[[u16; PACKED]], width: u32) {
    varint(out, (groups.len() as u64) << 1 | 1);
    let step = width as usize;
    if step > WORD {
        for group in groups {
            let packed = (0..)
                .zip(group)
                .fold(0_u128, |packed, (i, &number)| packed | u128::from(number) << (i * width));
            out.extend_from_slice(&packed.to_le_bytes()[..step]);
        }
        return;
    }
    let mut at = out.len();
    out.resize(at + groups.len() * step + WORD, 0);
    for group in groups {
        // More bytes than it has are written; the next are written over them.
        out[at..at + WORD].copy_from_slice(&packed_bytes(group, width).to_le_bytes());
        at += step;
    }
    out.truncate(at);
}

/// Numbers of up to eight bits, packed: two and two, then four and four.
fn packed_bytes(group: &[u16; PACKED], width: u32) -> u64 {
    let ones = u64::from_le_bytes(group.map(|number| number as u8));
    let twos = ones & 0x00FF_00FF_00FF_00FF | (ones & 0xFF00_FF00_FF00_FF00) >> (8 - width);
    let fours = twos & 0x0000_FFFF_0000_FFFF | (twos & 0xFFFF_0000_FFFF_0000) >> (16 - 2 * width);
    fours & 0xFFFF_FFFF | (fours >> 32) << (4 * width)
}

fn varint(out: &mut Vec<u8>, number: u64) {
    let mut container = [0; 10];
    let used = uleb128::encode(number, &mut container);
    out.extend_from_slice(&container[..used]);
}

fn signed_varint(out: &mut Vec<u8>, number: i32) {
    let (container, used) = zigzag_leb128::encode(i64::from(number));
    out.extend_from_slice(&container[..used]);
}

#[cfg(test)]
mod tests {
    use super::*;
    use polars_parquet::parquet::encoding::hybrid_rle::HybridRleDecoder;
    use proptest::prelude::*;

    fn keys_of(bytes: &[u8], count: usize) -> Vec<u32> {
        HybridRleDecoder::new(&bytes[1..], u32::from(bytes[0]), count).collect().unwrap()
    }

    fn appended<T>(append: impl FnOnce(&mut Vec<u8>) -> T) -> (Vec<u8>, T) {
        let mut bytes = Vec::new();
        let outcome = append(&mut bytes);
        (bytes, outcome)
    }

    /// Numbers as the format defines them, a bit after the other.
    fn differences_of(bytes: &[u8]) -> Vec<u32> {
        let mut at = 0;
        let varint = |at: &mut usize| {
            let mut number = 0_u64;
            for i in 0.. {
                let byte = bytes[*at];
                *at += 1;
                number |= u64::from(byte & 127) << (7 * i);
                if byte < 128 {
                    break;
                }
            }
            number
        };
        let zigzag = |number: u64| ((number >> 1) ^ (number & 1).wrapping_neg()) as u32;
        let (block, parts, count) = (varint(&mut at), varint(&mut at), varint(&mut at) as usize);
        assert_eq!((block as usize, parts), (BLOCK, 1));
        let mut last = zigzag(varint(&mut at));
        let mut numbers = vec![last];
        while numbers.len() < count {
            let least = zigzag(varint(&mut at));
            let width = usize::from(bytes[at]);
            let packed = &bytes[at + 1..at + 1 + width * BLOCK / 8];
            at += 1 + packed.len();
            for i in 0..BLOCK.min(count - numbers.len()) {
                let bit = |bit: usize| u32::from(packed[bit / 8] >> (bit % 8) & 1);
                let difference = (0..width).fold(0, |sum, j| sum | bit(i * width + j) << j);
                last = last.wrapping_add(least).wrapping_add(difference);
                numbers.push(last);
            }
        }
        assert_eq!(at, bytes.len());
        numbers.truncate(count);
        numbers
    }

    #[test]
    fn no_numbers_have_no_differences() {
        assert_eq!(appended(|out| differences(out, &[])), (vec![128, 2, 1, 0, 0], [0, 0]));
        // Of the one number there is, all is in the head.
        assert_eq!(appended(|out| differences(out, &[3])), (vec![128, 2, 1, 1, 6], [3, 3]));
    }

    proptest! {
        #[test]
        fn runs_are_read_back(lengths in proptest::collection::vec(1_u32..2000, 1..400)) {
            let expected: Vec<u32> =
                (0..).zip(&lengths).flat_map(|(number, &length)| std::iter::repeat_n(number, length as usize)).collect();
            prop_assert_eq!(keys_of(&appended(|out| runs(out, &lengths)).0, expected.len()), expected);
        }

        #[test]
        fn keys_are_read_back(most in 0_u16.., stretches in proptest::collection::vec((any::<u16>(), 1_usize..40), 0..60)) {
            let below = |number: u16| (u32::from(number) % (u32::from(most) + 1)) as u16;
            let numbers: Vec<u16> =
                stretches.iter().flat_map(|&(number, length)| std::iter::repeat_n(below(number), length)).collect();
            let expected: Vec<u32> = numbers.iter().copied().map(u32::from).collect();
            prop_assert_eq!(keys_of(&appended(|out| keys(out, &numbers, most)).0, numbers.len()), expected);
        }

        #[test]
        fn differences_are_read_back(shift in 0_u32..32, numbers in proptest::collection::vec(any::<u32>(), 1..700)) {
            let numbers: Vec<u32> = numbers.iter().map(|number| number >> shift).collect();
            let (bytes, [least, most]) = appended(|out| differences(out, &numbers));
            prop_assert_eq!(Some(&least), numbers.iter().min());
            prop_assert_eq!(Some(&most), numbers.iter().max());
            prop_assert_eq!(differences_of(&bytes), numbers);
        }
    }
}
