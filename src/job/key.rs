//! The name under which a result is kept: a hash of everything that it depends on.

use std::fmt;
use std::io;
use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

use super::hashing::write_value;
use crate::corpus::Digest;

/// A hash of the code, the purpose, and all that goes into a result. Equal keys mean equal results.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct Key([u8; 32]);

static CODE: LazyLock<String> = LazyLock::new(code);

impl Key {
    /// The key of what `purpose` makes of `parts`.
    pub fn of(purpose: &str, parts: &impl Serialize) -> Self {
        let mut hasher = blake3::Hasher::new();
        for part in [CODE.as_bytes(), purpose.as_bytes()] {
            hasher.update(&(part.len() as u64).to_le_bytes()).update(part);
        }
        // What the stages hold can be written.
        write_value(io::sink(), hasher, parts).map_or_else(|_| Self::nothing(), |hash| Self(hash.into()))
    }

    /// The key of what is made of an item with this content, of these kinds, under the settings of `self`: quicker than [`Key::of`], for
    /// there are many. Both are hashes: whoever wanted one key for two of them would have to find hashes that differ in bits of his choice.
    pub fn with(&self, content: Digest, kinds: [u8; 2]) -> Self {
        let mut key = self.0;
        key.iter_mut().zip(content.bytes()).for_each(|(byte, other)| *byte ^= other);
        key.iter_mut().zip(kinds).for_each(|(byte, kind)| *byte ^= kind);
        Self(key)
    }

    /// The key of what has no content that could be known again: nothing is ever looked for under it.
    pub fn nothing() -> Self {
        Self([0; 32])
    }

    /// Keys one after the other, for a file.
    pub fn bytes(keys: &[Self]) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(size_of_val(keys));
        keys.iter().for_each(|key| bytes.extend_from_slice(&key.0));
        bytes
    }

    /// The keys that [`Key::bytes`] wrote.
    pub fn list(bytes: &[u8]) -> Option<Vec<Self>> {
        let (keys, rest) = bytes.as_chunks();
        rest.is_empty().then(|| keys.iter().map(|key| Self(*key)).collect())
    }

    /// The key that [`Key::to_string`] wrote.
    pub fn from_hex(hex: &str) -> Option<Self> {
        blake3::Hash::from_hex(hex).ok().map(|hash| Self(*hash.as_bytes()))
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&blake3::Hash::from_bytes(self.0).to_hex())
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", &blake3::Hash::from_bytes(self.0).to_hex()[..12])
    }
}

/// What computes: the version, a hash of its source, and the instruction sets by which libraries choose their code.
pub(super) fn code() -> String {
    format!("{} {} {}", env!("CARGO_PKG_VERSION"), env!("WORDWAVE_CODE"), instruction_set())
}

/// What libraries choose their code by.
pub(super) fn instruction_set() -> String {
    #[cfg(target_arch = "x86_64")]
    {
        let found = [
            ("avx512f", std::arch::is_x86_feature_detected!("avx512f")),
            ("avx2", std::arch::is_x86_feature_detected!("avx2")),
            ("fma", std::arch::is_x86_feature_detected!("fma")),
        ];
        let names: Vec<&str> = found.into_iter().filter_map(|(name, has)| has.then_some(name)).collect();
        format!("x86_64 {}", names.join(" ")).trim_end().to_owned()
    }
    #[cfg(not(target_arch = "x86_64"))]
    std::env::consts::ARCH.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_follow_their_purpose_and_their_parts() {
        let key = Key::of("a", &("x", 1u32));
        assert_eq!(key, Key::of("a", &("x", 1u32)));
        assert_ne!(key, Key::of("b", &("x", 1u32)));
        assert_ne!(key, Key::of("a", &("x", 2u32)));
        assert_ne!(Key::of("a", &("xy", "z")), Key::of("a", &("x", "yz")));
        assert_eq!(key.to_string().len(), 64);
        let of_item = key.with(Digest::of(b"x"), [1, 2]);
        assert_eq!(of_item, key.with(Digest::of(b"x"), [1, 2]));
        for kinds in [[0, 2], [1, 0], [2, 1], [2, 2]] {
            assert_ne!(of_item, key.with(Digest::of(b"x"), kinds));
        }
        assert_ne!(of_item, key.with(Digest::of(b"y"), [1, 2]));
        assert_ne!(of_item, Key::of("b", &()).with(Digest::of(b"x"), [1, 2]));
    }
}
