//! What a job keeps between nights, found by what went into it: results of items, results of stages, and their tables.
//!
//! ```text
//! .store/results/KEY     a value: the state of a stage, the listing of a file, a checkpoint
//! .store/items/KEY       a pack: the results of the items of a shard that one run computed, with their keys in front
//! .store/tables/BLAKE3   a hard link to a file of a run
//! ```
//!
//! Nothing here is needed for a right result. Every file ends in the hash of what it holds, or has it as its name: what a
//! crash or a bad disk left broken is put aside and made again. Nothing is synced, and the folder can be deleted at any time.

use std::collections::{HashMap, HashSet};
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::hashing::{HASH, whole, write_hashed};
use super::key::Key;
use crate::report::Written;

/// Longest header of a pack that is believed: two million items.
const MAX_HEADER: u64 = 64 << 20;
/// Days for which the state of a stage is kept that no run uses.
const STAGE_DAYS: u32 = 2;
/// A file's time of use is moved at most this often.
const TOUCH: Duration = Duration::from_hours(20);

/// The store of a job.
pub(super) struct Store {
    folder: PathBuf,
    is_read_only: bool,
    shelf: Mutex<Shelf>,
    /// What this run has used or made, below `folder`.
    used: Mutex<HashSet<PathBuf>>,
    /// What went wrong while keeping something; from then on nothing more is kept.
    trouble: Mutex<Option<String>>,
    /// Entries that were found broken.
    broken: Mutex<Vec<PathBuf>>,
}

/// Which pack holds the result of an item, and where in it.
#[derive(Default)]
struct Shelf {
    packs: Vec<Key>,
    places: HashMap<Key, (usize, usize)>,
}

/// Results found for a list of items.
pub(super) struct Found<T> {
    /// The packs that hold them.
    pub packs: Vec<T>,
    /// For each item its pack and its number there.
    pub places: Vec<Option<(usize, usize)>>,
}

/// How much the store may hold.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Bounds {
    /// Days after which the results of an item that no run used go, those of a stage after two; 0 keeps all.
    pub days: u32,
    /// Bytes; 0 is no bound.
    pub bytes: u64,
}

impl Store {
    /// Opens the store in `folder`, puts aside what is broken or was left unfinished, and learns which items it holds. Only
    /// the holder of the job's lock may do so.
    pub fn open(folder: &Path) -> Self {
        let store = Self::look(folder);
        for path in lock(&store.broken).iter() {
            let _ = fs::remove_file(path);
        }
        for (_, path) in files_in(&folder.join("results")).into_iter().filter(|(name, _)| name.is_none()) {
            let _ = fs::remove_file(path);
        }
        Self { is_read_only: false, ..store }
    }

    /// The store in `folder` to look at, while a run may use it: nothing is kept or removed.
    pub fn look(folder: &Path) -> Self {
        let mut shelf = Shelf::default();
        let mut broken = Vec::new();
        for (name, path) in files_in(&folder.join("items")) {
            let header = name.and_then(|name| Some((name, read_header(&path)?)));
            match header {
                Some((name, keys)) => shelf.add(name, &keys),
                None => broken.push(path),
            }
        }
        Self {
            folder: folder.to_path_buf(),
            is_read_only: true,
            shelf: Mutex::new(shelf),
            used: Mutex::default(),
            trouble: Mutex::default(),
            broken: Mutex::new(broken),
        }
    }

    /// The value kept under `key`.
    pub fn load<T: DeserializeOwned>(&self, key: &Key) -> Option<T> {
        let path = self.folder.join("results").join(key.to_string());
        let bytes = fs::read(&path).ok()?;
        let value = whole(&bytes).and_then(|contents| postcard::from_bytes(contents).ok());
        self.note(&path, value.is_some());
        value
    }

    /// Whether a value is kept under `key`; it may turn out broken.
    pub fn has(&self, key: &Key) -> bool {
        self.folder.join("results").join(key.to_string()).is_file()
    }

    /// Keeps a value.
    pub fn save<T: Serialize>(&self, key: &Key, value: &T) {
        self.write("results", key, |file| write_hashed(file, value));
    }

    /// Forgets the value kept under `key`.
    pub fn forget(&self, key: &Key) {
        let _ = fs::remove_file(self.folder.join("results").join(key.to_string()));
    }

    /// Whether a result is kept for the item `key`.
    pub fn has_item(&self, key: &Key) -> bool {
        lock(&self.shelf).places.contains_key(key)
    }

    /// The results of the items `keys`, with the packs that hold them; an item without a key has none.
    pub fn find<T: DeserializeOwned>(&self, keys: &[Option<Key>]) -> Found<T> {
        let mut wanted: Vec<usize> = Vec::new();
        let places: Vec<Option<(usize, usize)>> = {
            let shelf = lock(&self.shelf);
            keys.iter().map(|key| shelf.places.get(key.as_ref()?).copied()).collect()
        };
        for (pack, _) in places.iter().flatten() {
            if !wanted.contains(pack) {
                wanted.push(*pack);
            }
        }
        let mut packs = Vec::new();
        let mut numbers: HashMap<usize, usize> = HashMap::new();
        for pack in wanted {
            if let Some(value) = self.pack(pack) {
                numbers.insert(pack, packs.len());
                packs.push(value);
            }
        }
        let place = |(pack, item): (usize, usize)| Some((*numbers.get(&pack)?, item));
        Found { packs, places: places.into_iter().map(|found| found.and_then(place)).collect() }
    }

    fn pack<T: DeserializeOwned>(&self, pack: usize) -> Option<T> {
        let name = lock(&self.shelf).packs.get(pack).copied()?;
        let path = self.folder.join("items").join(name.to_string());
        let bytes = fs::read(&path).ok()?;
        let value = (|| {
            let length = bytes.first_chunk::<8>().map(|head| u64::from_le_bytes(*head))?;
            let payload = bytes.get(8 + usize::try_from(length).ok()? + HASH..)?;
            postcard::from_bytes(whole(payload)?).ok()
        })();
        self.note(&path, value.is_some());
        if value.is_none() {
            lock(&self.shelf).remove(pack);
        }
        value
    }

    /// Keeps the results of the items `keys`, which `pack` holds in their order, for the runs that follow.
    pub fn keep<T: Serialize>(&self, keys: &[Key], pack: &T) {
        if keys.iter().all(|key| *key == Key::nothing()) {
            return;
        }
        let header = Key::bytes(keys);
        let (length, hash) = ((header.len() as u64).to_le_bytes(), blake3::hash(&header));
        self.write("items", &Key::of("pack", hash.as_bytes()), |file| {
            file.write_all(&[&length[..], &header, hash.as_bytes()].concat())?;
            write_hashed(file, pack)
        });
    }

    /// Marks the packs of `keys` as in use although they were not looked at: what was made of them was found.
    pub fn retain_items<'a>(&self, keys: impl Iterator<Item = &'a Key>) {
        let shelf = lock(&self.shelf);
        let packs: HashSet<usize> =
            keys.filter_map(|key| shelf.places.get(key)).map(|&(pack, _)| pack).collect();
        let paths: Vec<PathBuf> = packs
            .into_iter()
            .filter_map(|pack| Some(self.folder.join("items").join(shelf.packs.get(pack)?.to_string())))
            .collect();
        drop(shelf);
        for path in paths {
            self.note(&path, true);
        }
    }

    /// Forgets what is known of the items `keys`, so that they are computed again.
    pub fn forget_items(&self, keys: &[Key]) {
        let mut shelf = lock(&self.shelf);
        let packs: HashSet<usize> =
            keys.iter().filter_map(|key| shelf.places.get(key)).map(|&(pack, _)| pack).collect();
        for pack in packs {
            if let Some(name) = shelf.packs.get(pack) {
                let _ = fs::remove_file(self.folder.join("items").join(name.to_string()));
            }
            shelf.remove(pack);
        }
    }

    /// Where a table of this content is kept, if it is there and whole.
    pub fn table(&self, written: &Written) -> Option<PathBuf> {
        let path = self.folder.join("tables").join(&written.blake3);
        let sound = written.is_at(&path).ok()?;
        self.note(&path, sound);
        sound.then_some(path)
    }

    /// Whether the file at `path` is the one that is kept as this table, not another of the same bytes.
    pub fn has_table(&self, written: &Written, path: &Path) -> bool {
        let place = self.folder.join("tables").join(&written.blake3);
        let file = |path: &Path| fs::metadata(path).ok().map(|of| (of.dev(), of.ino()));
        file(path).is_some_and(|at_path| file(&place) == Some(at_path)) && lock(&self.used).contains(&place)
    }

    /// Keeps the file at `path` as a table, by a link.
    pub fn keep_table(&self, written: &Written, path: &Path) {
        let folder = self.folder.join("tables");
        let place = folder.join(&written.blake3);
        let linked = fs::create_dir_all(&folder).and_then(|()| {
            let _ = fs::remove_file(&place);
            link(path, &place)
        });
        match linked {
            Ok(()) => self.note(&place, true),
            Err(error) => self.give_up(&place, &error),
        }
    }

    /// A file of the store was used, or found broken, and is then gone.
    fn note(&self, path: &Path, sound: bool) {
        if sound {
            lock(&self.used).insert(path.to_path_buf());
        } else if !self.is_read_only {
            lock(&self.broken).push(path.to_path_buf());
            let _ = fs::remove_file(path);
        }
    }

    fn write(&self, kind: &str, key: &Key, contents: impl FnOnce(&mut File) -> io::Result<()>) {
        if self.is_read_only || lock(&self.trouble).is_some() {
            return;
        }
        let folder = self.folder.join(kind);
        let (unfinished, path) = (folder.join(format!("{key}.part")), folder.join(key.to_string()));
        let written = fs::create_dir_all(&folder)
            .and_then(|()| File::create(&unfinished))
            .and_then(|mut file| contents(&mut file))
            .and_then(|()| fs::rename(&unfinished, &path));
        match written {
            Ok(()) => self.note(&path, true),
            Err(error) => {
                let _ = fs::remove_file(&unfinished);
                self.give_up(&path, &error);
            }
        }
    }

    fn give_up(&self, path: &Path, error: &io::Error) {
        lock(&self.trouble).get_or_insert_with(|| {
            format!("cannot keep {}: {error}; the next run computes it again", path.display())
        });
    }

    /// What a person should know of the store: what could not be kept, what was found broken.
    pub fn notes(&self) -> Vec<String> {
        let broken = lock(&self.broken);
        let broken = broken.iter().map(|path| format!("{} was broken and is made again", path.display()));
        lock(&self.trouble).iter().cloned().chain(broken).collect()
    }

    /// Removes what has not been used for long, and the longest unused where there is too much. Tables that a run still has
    /// cost nothing and stay.
    pub fn clean(&self, bounds: Bounds, now: SystemTime) {
        let used = lock(&self.used);
        let mut kept = Vec::new();
        let mut total = 0u64;
        for kind in ["results", "items", "tables"] {
            for (_, path) in files_in(&self.folder.join(kind)) {
                let Ok(metadata) = fs::metadata(&path) else { continue };
                if kind == "tables" && metadata.nlink() > 1 {
                    continue;
                }
                let modified = metadata.modified().unwrap_or(now);
                let idle = now.duration_since(modified).unwrap_or_default();
                let in_use = used.contains(&path);
                if in_use && kind != "tables" && idle > TOUCH {
                    let _ = File::options().write(true).open(&path).and_then(|file| file.set_modified(now));
                }
                // The state of a stage is of use while its settings may come back; items are for every night.
                let days = if kind == "items" { bounds.days } else { bounds.days.min(STAGE_DAYS) };
                let outdated = bounds.days > 0 && idle > Duration::from_hours(24 * u64::from(days));
                if outdated && !in_use {
                    let _ = fs::remove_file(&path);
                    continue;
                }
                total += metadata.len();
                kept.push((in_use, modified, metadata.len(), path));
            }
        }
        kept.sort();
        for (_, _, bytes, path) in kept {
            if bounds.bytes == 0 || total <= bounds.bytes {
                break;
            }
            if fs::remove_file(&path).is_ok() {
                total -= bytes;
            }
        }
    }
}

impl Shelf {
    fn add(&mut self, name: Key, keys: &[Key]) {
        let pack = self.packs.len();
        self.packs.push(name);
        self.places.extend(keys.iter().enumerate().map(|(item, &key)| (key, (pack, item))));
    }

    fn remove(&mut self, pack: usize) {
        self.places.retain(|_, place| place.0 != pack);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A hard link, or a copy where the disk knows no links.
pub(super) fn link(from: &Path, to: &Path) -> io::Result<()> {
    fs::hard_link(from, to).or_else(|error| match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::AlreadyExists | io::ErrorKind::StorageFull => Err(error),
        _ => fs::copy(from, to).and_then(|_| File::open(to)?.sync_all()),
    })
}

/// The files in `folder`, by name, with the key that each is named after.
fn files_in(folder: &Path) -> Vec<(Option<Key>, PathBuf)> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut files: Vec<(Option<Key>, PathBuf)> = entries
        .map(|entry| {
            let name = entry.file_name().to_str().and_then(Key::from_hex);
            (name, entry.path())
        })
        .collect();
    files.sort_by(|a, b| a.1.cmp(&b.1));
    files
}

/// The keys of the items in a pack; `None` where it is broken.
fn read_header(path: &Path) -> Option<Vec<Key>> {
    let mut file = File::open(path).ok()?;
    let mut length = [0; 8];
    file.read_exact(&mut length).ok()?;
    let length = u64::from_le_bytes(length);
    if length > MAX_HEADER {
        return None;
    }
    let mut header = Vec::new();
    file.take(length + HASH as u64).read_to_end(&mut header).ok()?;
    Key::list(whole(&header)?)
}

/// The result of a stage as it is kept.
#[derive(Serialize, Deserialize)]
pub(super) struct Kept<T> {
    pub state: T,
    /// Its tables, with the hash of the settings that they were written under.
    pub written: Vec<Written>,
    pub config_hash: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn store() -> (tempfile::TempDir, Store) {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path());
        (folder, store)
    }

    fn key(name: &str) -> Key {
        Key::of("test", &name)
    }

    #[test]
    fn values_are_found_by_key_and_broken_ones_are_not() {
        let (folder, store) = store();
        store.save(&key("a"), &vec![1u32, 2, 3]);
        assert_eq!(store.load::<Vec<u32>>(&key("a")), Some(vec![1, 2, 3]));
        assert_eq!(store.load::<Vec<u32>>(&key("b")), None);
        let path = folder.path().join("results").join(key("a").to_string());
        let mut bytes = fs::read(&path).unwrap();
        for at in [0, bytes.len() / 2, bytes.len() - 1] {
            let mut broken = bytes.clone();
            broken[at] ^= 1;
            fs::write(&path, broken).unwrap();
            assert_eq!(store.load::<Vec<u32>>(&key("a")), None);
            assert!(!path.exists());
        }
        bytes.truncate(10);
        fs::write(&path, bytes).unwrap();
        assert_eq!(store.load::<Vec<u32>>(&key("a")), None);
        assert_eq!(store.notes().len(), 4);
    }

    #[test]
    fn items_are_found_again_after_opening_and_a_broken_pack_is_not() {
        let (folder, store) = store();
        let (a, b, c) = (key("a"), key("b"), key("c"));
        store.keep(&[a, b], &vec!["A".to_owned(), "B".to_owned()]);
        store.keep(&[c], &vec!["C".to_owned()]);
        let store = Store::open(folder.path());
        let found = store.find::<Vec<String>>(&[Some(b), None, Some(c), Some(key("d")), Some(a)]);
        let texts: Vec<Option<&str>> = found
            .places
            .iter()
            .map(|place| place.map(|(pack, item)| found.packs[pack][item].as_str()))
            .collect();
        assert_eq!(texts, [Some("B"), None, Some("C"), None, Some("A")]);
        let name = Key::of("pack", blake3::hash(&Key::bytes(&[a, b])).as_bytes());
        let path = folder.path().join("items").join(name.to_string());
        let mut bytes = fs::read(&path).unwrap();
        let last = bytes.len() - HASH - 1;
        bytes[last] ^= 1;
        fs::write(&path, &bytes).unwrap();
        let store = Store::open(folder.path());
        assert!(store.has_item(&a));
        assert_eq!(store.find::<Vec<String>>(&[Some(a), Some(c)]).places, [None, Some((0, 0))]);
        assert!(!store.has_item(&a) && !path.exists());
        bytes[9] ^= 1;
        fs::write(&path, &bytes).unwrap();
        assert!(!Store::open(folder.path()).has_item(&a));
    }

    #[test]
    fn a_full_disk_costs_what_is_kept_and_nothing_else() {
        let (folder, store) = store();
        fs::write(folder.path().join("results"), "no folder").unwrap();
        store.save(&key("a"), &1u32);
        store.keep(&[key("b")], &1u32);
        assert_eq!((store.notes().len(), store.has_item(&key("b"))), (1, false));
    }

    #[test]
    fn the_longest_unused_goes_first() {
        let (folder, store) = store();
        let now = SystemTime::now();
        for (name, days) in [("old", 3), ("older", 60), ("new", 1)] {
            store.save(&key(name), &vec![0u8; 1000]);
            let path = folder.path().join("results").join(key(name).to_string());
            let file = File::options().write(true).open(path).unwrap();
            file.set_modified(now - Duration::from_secs(days * 86_400)).unwrap();
        }
        let store = Store::open(folder.path());
        let left = |names: [&str; 3]| names.map(|name| store.has(&key(name)));
        assert!(store.load::<Vec<u8>>(&key("older")).is_some());
        store.clean(Bounds { days: 30, bytes: 0 }, now);
        assert_eq!(left(["old", "older", "new"]), [false, true, true]);
        store.clean(Bounds { days: 30, bytes: 1500 }, now);
        assert_eq!(left(["old", "older", "new"]), [false, true, false]);
    }
}
