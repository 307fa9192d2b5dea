//! The content of files that stand as they stood: by stamp, so that an unchanged file need not be read.

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::hashing::{read_file, replace_file};
use crate::corpus::{Digest, Stamp};

/// A file changed less than this before it was read may change again without a new time: its disk's clock ticks slowly.
const TICK: Duration = Duration::from_millis(20);
/// The same where the disk counts whole seconds.
const SECOND: Duration = Duration::from_secs(2);

/// What tells a file: its stamp, and its source where the disk does not know when a file was made.
type Identity = (Stamp, String);

/// Hashes of files by what tells them.
pub(super) struct Inventory {
    path: PathBuf,
    known: HashMap<Identity, Digest>,
    /// What this run saw: found by its stamp, or read.
    seen: Mutex<HashMap<Identity, Digest>>,
}

impl Inventory {
    /// Reads what the last run wrote. With `rehash` no file is known.
    pub fn open(store: &Path, rehash: bool) -> Self {
        let path = store.join("files");
        let known = if rehash { None } else { read_file::<Vec<(Identity, Digest)>>(&path) };
        Self { path, known: known.unwrap_or_default().into_iter().collect(), seen: Mutex::default() }
    }

    /// The hash of the file `source`, where it is as it was when it was read.
    pub fn hash_of(&self, stamp: &Stamp, source: &str) -> Option<Digest> {
        let identity = identity(stamp, source);
        let mut seen = self.seen();
        let hash = *seen.get(&identity).or_else(|| self.known.get(&identity))?;
        seen.insert(identity, hash);
        Some(hash)
    }

    /// Learns the hash of a file that was read just now.
    pub fn note(&self, stamp: &Stamp, source: &str, blake3: Digest) {
        if is_settled(stamp, SystemTime::now()) {
            self.seen().insert(identity(stamp, source), blake3);
        }
    }

    /// Writes what this run saw, and what it has not come to yet where it is not `complete`.
    pub fn save(&self, complete: bool) -> io::Result<()> {
        let mut rows: HashMap<&Identity, &Digest> = HashMap::new();
        if !complete {
            rows.extend(&self.known);
        }
        let seen = self.seen();
        rows.extend(seen.iter());
        let mut rows: Vec<(&Identity, &Digest)> = rows.into_iter().collect();
        rows.sort();
        replace_file(&self.path, &rows)
    }

    /// Forgets the files whose stamps `forgets` says.
    pub fn forget(store: &Path, forgets: impl Fn(&Stamp) -> bool) -> io::Result<()> {
        let path = store.join("files");
        let mut rows: Vec<(Identity, Digest)> = read_file(&path).unwrap_or_default();
        rows.retain(|((stamp, _), _)| !forgets(stamp));
        replace_file(&path, &rows)
    }

    fn seen(&self) -> std::sync::MutexGuard<'_, HashMap<Identity, Digest>> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn identity(stamp: &Stamp, source: &str) -> Identity {
    // With its time of birth an inode tells a file wherever it is moved; without it another file may have got the number.
    (*stamp, if stamp.born_ns.is_some() { String::new() } else { source.to_owned() })
}

fn is_settled(stamp: &Stamp, now: SystemTime) -> bool {
    let modified = UNIX_EPOCH + Duration::from_nanos(u64::try_from(stamp.modified_ns).unwrap_or(0));
    let tick = if stamp.modified_ns % 1_000_000_000 == 0 { SECOND } else { TICK };
    // A time in the future says nothing about when the file changed, but nothing better is known.
    now.duration_since(modified).map_or(true, |age| age > tick)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stamp(inode: u64, born_ns: Option<i64>) -> Stamp {
        Stamp { bytes: 5, modified_ns: 1_000_000_001, inode, born_ns }
    }

    #[test]
    fn files_are_known_by_their_stamp_on_the_next_night() {
        let folder = tempfile::tempdir().unwrap();
        let first = Inventory::open(folder.path(), false);
        first.note(&stamp(1, Some(7)), "a", Digest::of(b"A"));
        first.note(&stamp(2, None), "b", Digest::of(b"B"));
        first.save(true).unwrap();
        let second = Inventory::open(folder.path(), false);
        // Renamed: known where the inode tells the file for certain.
        assert_eq!(second.hash_of(&stamp(1, Some(7)), "renamed"), Some(Digest::of(b"A")));
        assert_eq!(second.hash_of(&stamp(2, None), "renamed"), None);
        assert_eq!(second.hash_of(&stamp(1, Some(8)), "a"), None);
        second.save(false).unwrap();
        assert!(Inventory::open(folder.path(), false).hash_of(&stamp(2, None), "b").is_some());
        second.save(true).unwrap();
        assert!(Inventory::open(folder.path(), false).hash_of(&stamp(2, None), "b").is_none());
        assert!(Inventory::open(folder.path(), true).hash_of(&stamp(1, Some(7)), "a").is_none());
    }

    #[test]
    fn a_file_that_changed_just_now_is_read_again() {
        let now = UNIX_EPOCH + Duration::new(10, 5_000_000);
        let at = |modified_ns| is_settled(&Stamp { modified_ns, ..Stamp::default() }, now);
        assert!(at(9_900_000_000) && !at(10_000_000_001) && !at(9_000_000_000) && at(8_000_000_000));
    }
}
