//! Numbers as they are kept in files: little-endian bytes, 1, 2, 4 or 8 for each, as many as the largest needs.
//!
//! For `#[serde(with = "packed")]`. Written and read at the speed of copying, where a format of variable lengths takes time for each.

use serde::de::{Error, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;

/// A number that is kept.
pub trait Packed: Copy {
    /// As the widest.
    fn wide(self) -> u64;
    /// Back again; `None` where it is too large.
    fn narrow(wide: u64) -> Option<Self>;
}

impl Packed for u32 {
    fn wide(self) -> u64 {
        u64::from(self)
    }

    fn narrow(wide: u64) -> Option<Self> {
        Self::try_from(wide).ok()
    }
}

impl Packed for usize {
    fn wide(self) -> u64 {
        self as u64
    }

    fn narrow(wide: u64) -> Option<Self> {
        Self::try_from(wide).ok()
    }
}

/// The width of a number, then the numbers.
pub fn pack<T: Packed>(numbers: impl ExactSizeIterator<Item = T> + Clone) -> Vec<u8> {
    let numbers = numbers.map(Packed::wide);
    // All their bits together need as many bytes as the largest alone.
    match numbers.clone().fold(0, |all, number| all | number) {
        0..=0xFF => packed(numbers, |number| [number as u8]),
        0x100..=0xFFFF => packed(numbers, |number| (number as u16).to_le_bytes()),
        0x1_0000..=0xFFFF_FFFF => packed(numbers, |number| (number as u32).to_le_bytes()),
        _ => packed(numbers, u64::to_le_bytes),
    }
}

fn packed<const N: usize>(
    numbers: impl ExactSizeIterator<Item = u64>,
    bytes: impl Fn(u64) -> [u8; N],
) -> Vec<u8> {
    let mut packed = vec![0; 1 + N * numbers.len()];
    packed[0] = N as u8;
    let (places, _) = packed[1..].as_chunks_mut::<N>();
    places.iter_mut().zip(numbers).for_each(|(place, number)| *place = bytes(number));
    packed
}

/// Numbers that stay packed in memory, too.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackedNumbers(Vec<u8>);

impl Default for PackedNumbers {
    fn default() -> Self {
        Self::of(std::iter::empty())
    }
}

impl PackedNumbers {
    /// Packs numbers.
    pub fn of(numbers: impl ExactSizeIterator<Item = u32> + Clone) -> Self {
        Self(pack(numbers))
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.parts().1.len() / self.parts().0
    }

    /// Bytes that they take in memory.
    pub fn bytes(&self) -> usize {
        self.0.len()
    }

    /// Gives the numbers from the `first` on to the `items`, one to each, in order, while there are any.
    #[inline]
    pub fn give<T>(&self, first: usize, items: &mut [T], take: impl Fn(&mut T, u32)) {
        let (width, bytes) = self.parts();
        let bytes = bytes.get(first * width..).unwrap_or_default();
        let items = items.iter_mut();
        match width {
            1 => items.zip(bytes).for_each(|(item, &byte)| take(item, u32::from(byte))),
            2 => items
                .zip(bytes.as_chunks().0)
                .for_each(|(item, &two)| take(item, u16::from_le_bytes(two).into())),
            _ => {
                items.zip(bytes.as_chunks().0).for_each(|(item, &four)| take(item, u32::from_le_bytes(four)));
            }
        }
    }

    /// Bytes of each number, and those of all.
    fn parts(&self) -> (usize, &[u8]) {
        self.0.split_first().map_or((1, &[]), |(width, bytes)| (usize::from(*width).max(1), bytes))
    }
}

impl Serialize for PackedNumbers {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&self.0)
    }
}

impl<'de> Deserialize<'de> for PackedNumbers {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let bytes = deserializer.deserialize_bytes(PackedBytes)?;
        match bytes.split_first() {
            Some((width @ (1 | 2 | 4), rest)) if rest.len() % usize::from(*width) == 0 => Ok(Self(bytes)),
            _ => Err(D::Error::custom("these are no packed numbers of 32 bits")),
        }
    }
}

/// What [`pack`] packed; `None` of anything else.
pub fn unpack<T: Packed>(bytes: &[u8]) -> Option<Vec<T>> {
    let (width, bytes) = bytes.split_first()?;
    match width {
        1 => bytes.iter().map(|byte| T::narrow(u64::from(*byte))).collect(),
        2 => unpacked(bytes, |bytes| u64::from(u16::from_le_bytes(bytes))),
        4 => unpacked(bytes, |bytes| u64::from(u32::from_le_bytes(bytes))),
        8 => unpacked(bytes, u64::from_le_bytes),
        _ => None,
    }
}

fn unpacked<T: Packed, const N: usize>(bytes: &[u8], wide: impl Fn([u8; N]) -> u64) -> Option<Vec<T>> {
    let (numbers, rest) = bytes.as_chunks::<N>();
    rest.is_empty().then_some(())?;
    numbers.iter().map(|bytes| T::narrow(wide(*bytes))).collect()
}

/// For serde.
pub fn serialize<T: Packed, S: Serializer>(numbers: &[T], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_bytes(&pack(numbers.iter().copied()))
}

/// For serde.
pub fn deserialize<'de, T: Packed, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<T>, D::Error> {
    let bytes = deserializer.deserialize_bytes(PackedBytes)?;
    unpack(&bytes).ok_or_else(|| D::Error::custom("these are no packed numbers"))
}

struct PackedBytes;

impl<'de> Visitor<'de> for PackedBytes {
    type Value = Vec<u8>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("packed numbers")
    }

    fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<Vec<u8>, E> {
        Ok(bytes.to_vec())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Vec<u8>, A::Error> {
        let mut bytes = Vec::new();
        while let Some(byte) = sequence.next_element()? {
            bytes.push(byte);
        }
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn broken_bytes_are_refused() {
        for bytes in [&[][..], &[3, 0, 0, 0], &[2, 1], &[4, 1, 2, 3], &[8, 0, 0, 0, 0, 1, 0, 0, 0]] {
            assert_eq!(unpack::<u32>(bytes), None, "{bytes:?}");
            let stored = serde_json::to_string(bytes).unwrap();
            assert!(serde_json::from_str::<PackedNumbers>(&stored).is_err(), "{bytes:?}");
        }
    }

    proptest! {
        #[test]
        fn numbers_come_back(numbers in proptest::collection::vec(any::<u32>(), 0..20), bits in 0..32) {
            let numbers: Vec<u32> = numbers.iter().map(|n| n >> bits).collect();
            prop_assert_eq!(unpack::<u32>(&pack(numbers.iter().copied())), Some(numbers.clone()));
            let wide: Vec<usize> = numbers.iter().map(|n| *n as usize * 3).collect();
            let (kept, mut again) = (PackedNumbers::of(numbers.iter().copied()), vec![0; numbers.len()]);
            kept.give(0, &mut again, |place, number| *place = number);
            prop_assert_eq!((&again, kept.len()), (&numbers, numbers.len()));
            let stored = serde_json::to_string(&kept).unwrap();
            prop_assert_eq!(serde_json::from_str::<PackedNumbers>(&stored).unwrap(), kept);
            prop_assert_eq!(unpack::<usize>(&pack(wide.iter().copied())), Some(wide));
        }
    }
}
