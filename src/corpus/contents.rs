//! The bytes of a file: hashed as they lie on disk, decompressed where the name says so, bounded, and whole.

use std::fs::{File, Metadata};
use std::io::{self, BufRead, BufReader, Cursor, Read, Seek};
use std::ops::Range;
use std::os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use rayon::prelude::*;
use rustix::fs::{OFlags, SeekFrom};

use super::digest::Digest;
use super::quarantine::Unusable;
use crate::simd::large_zeros;

/// What a file may hold, unpacked, that lies in memory as a whole.
const MAX_BYTES: u64 = 4 << 30;

/// What every file may unpack to, however small it is on disk.
const FREE_BYTES: u64 = 64 << 20;

/// From [`FREE_BYTES`] on: how many times what was read so far may have come out. Text and recordings stay under 20, logs
/// under 50; zeros reach 170 with the fastest deflate, 1032 with the best, and far more with zstd.
const MAX_RATIO: u64 = 100;

/// Bytes read from the disk at once where a file is not taken into memory, unless more are asked for at once.
const BUFFER_BYTES: usize = 32 << 10;

/// Bytes of a file that a thread reads at once.
const PIECE_BYTES: usize = 1 << 20;

/// Bytes hashed at once.
const HASHED_BYTES: usize = 256 << 10;

/// A file's bytes after decompression and the hash of what is on disk.
pub struct Contents {
    /// After decompression.
    pub bytes: Vec<u8>,
    /// Of the file as it lies on disk.
    pub blake3: Digest,
}

/// Who reads a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Readers {
    /// The thread that asks. One that others wait for must not wait for others: what it does meanwhile may wait for itself.
    One,
    /// All threads, where the file is large.
    All,
}

/// A file's contents after decompression, where they may be too many for the memory.
pub(super) enum Held {
    Bytes(Vec<u8>),
    /// To be read from the disk.
    File(Opened),
    /// To be read from the disk and unpacked again: once it was, so it can be.
    Packed(Opened, Packing),
}

/// An open regular file, with what tells in the end whether it was written to meanwhile.
#[derive(Debug, Clone)]
pub(super) struct Opened {
    file: Arc<File>,
    before: Metadata,
}

/// How a file is compressed, by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Packing {
    Gz,
    Zst,
}

/// Bytes that can be read from any place.
pub(super) trait Seekable: Read + Seek + Send + Sync {}

impl<T: Read + Seek + Send + Sync> Seekable for T {}

/// Reads `path` once, hashing on the way; `.gz` and `.zst` are decompressed. A file that was written to meanwhile is unusable:
/// half of it may be old, half new.
pub(super) fn read_contents(path: &Path, readers: Readers) -> Result<Contents, Unusable> {
    let (opened, packing) = (Opened::open(path)?, packing(path));
    let (bytes, blake3) = match (packing, readers) {
        (None, Readers::All) => opened.read_by_all().map(|(bytes, blake3)| (Some(bytes), blake3))?,
        _ => opened.read(packing, None)?,
    };
    Ok(Contents { bytes: bytes.unwrap_or_default(), blake3 })
}

/// As [`read_contents`], but of more than `most` bytes only the hash is kept, and they are read again when they are wanted.
pub(super) fn hold_contents(path: &Path, most: u64) -> Result<(Held, Digest), Unusable> {
    let (opened, packing) = (Opened::open(path)?, packing(path));
    let (bytes, blake3) = opened.read(packing, Some(most))?;
    let held = match (bytes, packing) {
        (Some(bytes), _) => Held::Bytes(bytes),
        (None, Some(packing)) => Held::Packed(opened, packing),
        (None, None) => Held::File(opened),
    };
    Ok((held, blake3))
}

/// Lets `work` read what the file at `path` holds, unpacked, without holding it, and gives what came of it with the hash of the
/// file. A file that was written to meanwhile is unusable.
pub(super) fn stream_contents<T>(
    path: &Path,
    work: impl FnOnce(&mut dyn BufRead) -> Result<T, Unusable>,
) -> Result<(T, Digest), Unusable> {
    let (opened, packing) = (Opened::open(path)?, packing(path));
    refuse_holes(&opened.file, &opened.before)?;
    let mut hasher = blake3::Hasher::new();
    let read = AtomicU64::new(0);
    let mut hashed = Hashed { inner: opened.bounded()?, hasher: &mut hasher, read: &read };
    let outcome = match packing {
        None => work(&mut BufReader::with_capacity(HASHED_BYTES, &mut hashed)),
        Some(packing) => {
            let unpacking = packing.unpacking(&mut hashed)?;
            let bounded = Proportionate { inner: unpacking, unpacked: 0, read: &read };
            work(&mut BufReader::with_capacity(HASHED_BYTES, bounded))
        }
    };
    io::copy(&mut hashed, &mut io::sink()).map_err(|error| unreadable(&error))?;
    opened.unchanged()?;
    if read.into_inner() != opened.len() {
        return Err(changed());
    }
    let blake3 = Digest::from(hasher.finalize());
    outcome.map_err(|trouble| trouble.with_content(blake3)).map(|outcome| (outcome, blake3))
}

/// Whether the file at `path` is compressed, by its name.
pub(super) fn is_packed(path: &Path) -> bool {
    packing(path).is_some()
}

/// As [`hold_contents`] for those who need no hash: what is not compressed is read when it is wanted.
pub(super) fn open_contents(path: &Path, most: u64) -> Result<Held, Unusable> {
    if packing(path).is_some() {
        return hold_contents(path, most).map(|(held, _)| held);
    }
    let opened = Opened::open(path)?;
    refuse_holes(&opened.file, &opened.before)?;
    Ok(Held::File(opened))
}

impl Held {
    /// Bytes, where they are known.
    pub fn len(&self) -> Option<u64> {
        match self {
            Self::Bytes(bytes) => Some(bytes.len() as u64),
            Self::File(opened) => Some(opened.len()),
            Self::Packed(..) => None,
        }
    }

    /// The first four bytes, or as many as there are.
    pub fn first(&self) -> Result<Vec<u8>, Unusable> {
        let mut first = Vec::new();
        match self {
            Self::Bytes(bytes) => first.extend_from_slice(bytes.get(..4).unwrap_or(bytes)),
            Self::File(opened) => read_to_end(&mut opened.rewound()?.take(4), &mut first)?,
            Self::Packed(opened, packing) => {
                read_to_end(&mut packing.unpacking(opened.rewound()?)?.take(4), &mut first)?;
            }
        }
        Ok(first)
    }

    /// The file that is read from.
    pub fn file(&self) -> Option<Opened> {
        match self {
            Self::Bytes(_) => None,
            Self::File(opened) | Self::Packed(opened, _) => Some(opened.clone()),
        }
    }

    /// From the first byte to the last.
    pub fn into_reader(self) -> Result<Box<dyn Read + Send>, Unusable> {
        Ok(match self {
            Self::Bytes(bytes) => Box::new(Cursor::new(bytes)),
            Self::File(opened) => Box::new(BufReader::with_capacity(BUFFER_BYTES, opened.bounded()?)),
            Self::Packed(opened, packing) => {
                Box::new(BufReader::with_capacity(BUFFER_BYTES, packing.unpacking(opened.bounded()?)?))
            }
        })
    }

    /// From any place, with the number of bytes: what is compressed is unpacked into memory for that.
    pub fn into_seekable(self) -> Result<(Box<dyn Seekable>, u64), Unusable> {
        let bytes = match self {
            Self::Bytes(bytes) => bytes,
            Self::File(opened) => return Ok((Box::new(opened.rewound()?), opened.len())),
            Self::Packed(opened, packing) => opened.read(Some(packing), None)?.0.unwrap_or_default(),
        };
        let len = bytes.len() as u64;
        Ok((Box::new(Cursor::new(bytes)), len))
    }
}

impl Opened {
    /// Opens a regular file, and nothing else: what was one when the folder was listed may be a pipe by now, and opening must
    /// not wait for somebody who writes into it.
    pub fn open(path: &Path) -> Result<Self, Unusable> {
        let flags = (OFlags::NONBLOCK | OFlags::NOCTTY).bits() as i32;
        let file =
            File::options().read(true).custom_flags(flags).open(path).map_err(|error| unreadable(&error))?;
        let before = file.metadata().map_err(|error| unreadable(&error))?;
        if !before.is_file() {
            let reason =
                "a folder, device, socket or pipe has taken the file's place: leave it out with `exclude`";
            return Err(Unusable::new("not_a_file", reason));
        }
        Ok(Self { file: Arc::new(file), before })
    }

    fn len(&self) -> u64 {
        self.before.len()
    }

    /// The file, to be read from its first byte.
    pub fn rewound(&self) -> Result<Arc<File>, Unusable> {
        rustix::fs::seek(&self.file, SeekFrom::Start(0)).map_err(|error| unreadable(&error.into()))?;
        Ok(Arc::clone(&self.file))
    }

    /// The bytes `range`, as far as the file has them.
    pub fn read_range(&self, range: Range<u64>) -> Result<Vec<u8>, Unusable> {
        let end = range.end.min(self.len());
        let mut bytes = vec![0; end.saturating_sub(range.start) as usize];
        match self.file.read_exact_at(&mut bytes, range.start) {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Err(changed()),
            outcome => outcome.map(|()| bytes).map_err(|error| unreadable(&error)),
        }
    }

    /// The file as long as it was when it was opened, and a byte more: that one shows that it grows, and a file that grows for
    /// ever is not read for ever.
    fn bounded(&self) -> Result<io::Take<Arc<File>>, Unusable> {
        Ok(self.rewound()?.take(self.len().saturating_add(1)))
    }

    /// Whether the file is what it was when it was opened.
    ///
    /// # Errors
    /// It was written to.
    pub fn unchanged(&self) -> Result<(), Unusable> {
        let after = self.file.metadata().map_err(|error| unreadable(&error))?;
        let stamp = |metadata: &Metadata| (metadata.len(), metadata.mtime(), metadata.mtime_nsec());
        if stamp(&self.before) == stamp(&after) { Ok(()) } else { Err(changed()) }
    }

    /// Everything in the file as it lies on disk, and its hash, by all threads where it is large.
    fn read_by_all(&self) -> Result<(Vec<u8>, Digest), Unusable> {
        if self.len() > MAX_BYTES {
            return Err(too_large("holds"));
        }
        refuse_holes(&self.file, &self.before)?;
        let mut bytes = large_zeros(self.len() as usize);
        let read =
            |(piece, place): (usize, &mut [u8])| self.file.read_exact_at(place, (piece * PIECE_BYTES) as u64);
        let outcome = bytes.par_chunks_mut(PIECE_BYTES).enumerate().try_for_each(read);
        // A byte more shows that it grows.
        let more = outcome.and_then(|()| self.file.read_at(&mut [0], self.len()));
        self.unchanged()?;
        match more {
            Ok(0) => {}
            Ok(_) => return Err(changed()),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Err(changed()),
            Err(error) => return Err(unreadable(&error)),
        }
        let mut hasher = blake3::Hasher::new();
        hasher.update_rayon(&bytes);
        Ok((bytes, hasher.finalize().into()))
    }

    /// Everything in the file, unpacked, where that is not more than `most`, and the hash of what is on disk.
    fn read(
        &self,
        packing: Option<Packing>,
        most: Option<u64>,
    ) -> Result<(Option<Vec<u8>>, Digest), Unusable> {
        if most.is_none() && self.len() > MAX_BYTES {
            return Err(too_large("holds"));
        }
        refuse_holes(&self.file, &self.before)?;
        let mut hasher = blake3::Hasher::new();
        let read = AtomicU64::new(0);
        let mut hashed = Hashed { inner: self.bounded()?, hasher: &mut hasher, read: &read };
        let outcome = unpack(&mut hashed, packing, self.len(), most);
        self.unchanged()?;
        let bytes = outcome?;
        if read.into_inner() != self.len() {
            return Err(changed());
        }
        Ok((bytes, hasher.finalize().into()))
    }
}

impl Packing {
    /// What comes out of `packed`.
    fn unpacking<'a>(self, packed: impl Read + Send + 'a) -> Result<Box<dyn Read + Send + 'a>, Unusable> {
        Ok(match self {
            Self::Gz => Box::new(flate2::read::MultiGzDecoder::new(packed)),
            Self::Zst => Box::new(zstd::Decoder::new(packed).map_err(|error| unreadable(&error))?),
        })
    }
}

fn packing(path: &Path) -> Option<Packing> {
    match path.extension().and_then(|extension| extension.to_str()) {
        Some("gz") => Some(Packing::Gz),
        Some("zst") => Some(Packing::Zst),
        _ => None,
    }
}

fn changed() -> Unusable {
    let reason = "its size or time of change moved while it was read: it is read again next night";
    Unusable::new("changed_while_read", reason)
}

fn too_large(what: &str) -> Unusable {
    Unusable::new("too_large", format!("{what} more than 4 GiB: split it into smaller files"))
}

/// Refuses a file that is large only by its holes, before it takes memory or time.
fn refuse_holes(file: &File, metadata: &Metadata) -> Result<(), Unusable> {
    let (len, allocated) = (metadata.len(), metadata.blocks().saturating_mul(512));
    if len <= FREE_BYTES || allocated.saturating_mul(MAX_RATIO) >= len {
        return Ok(());
    }
    // Some file systems do not tell what they allocate; whether there is any data they all tell.
    let empty = matches!(rustix::fs::seek(file, SeekFrom::Data(0)), Err(rustix::io::Errno::NXIO));
    if allocated > 0 || empty {
        let reason = format!("of its {len} bytes {allocated} are on disk, the rest are holes: copy it again");
        return Err(Unusable::new("sparse_file", reason));
    }
    Ok(())
}

/// Everything in the file of `len` bytes, unpacked; `None` where that is more than `most`.
fn unpack(
    hashed: &mut Hashed<'_, impl Read + Send>,
    packing: Option<Packing>,
    len: u64,
    most: Option<u64>,
) -> Result<Option<Vec<u8>>, Unusable> {
    let read = hashed.read;
    let bytes = match packing {
        Some(packing) => drain(&mut packing.unpacking(&mut *hashed)?, Some(Vec::new()), read, most)?,
        None if most.is_some_and(|most| len > most) => drain(hashed, None, read, most)?,
        None => drain(hashed, Some(Vec::with_capacity(len as usize + 1)), read, most)?,
    };
    // A decoder may stop before the end of the file; the hash is of all of it.
    io::copy(hashed, &mut io::sink()).map_err(|error| unreadable(&error))?;
    Ok(bytes)
}

/// Reads to the end, or as far as what comes out is in proportion to what was `read` from the disk for it. More than `most`
/// bytes are not kept; without such a limit [`MAX_BYTES`] are the most.
fn drain(
    reader: &mut impl Read,
    mut bytes: Option<Vec<u8>>,
    read: &AtomicU64,
    most: Option<u64>,
) -> Result<Option<Vec<u8>>, Unusable> {
    let mut unpacked = 0;
    loop {
        let mut piece = reader.by_ref().take(FREE_BYTES);
        let more = match &mut bytes {
            Some(bytes) => piece.read_to_end(bytes).map(|more| more as u64),
            None => io::copy(&mut BufReader::with_capacity(HASHED_BYTES, piece), &mut io::sink()),
        };
        let more =
            more.map_err(|error| undecodable(&error, bytes.as_ref().map_or(unpacked as usize, Vec::len)))?;
        unpacked += more;
        match most {
            Some(most) if unpacked > most => bytes = None,
            None if unpacked > MAX_BYTES => return Err(too_large("unpacks to")),
            _ => {}
        }
        let read = read.load(Ordering::Relaxed);
        if more < FREE_BYTES {
            return Ok(bytes);
        }
        in_proportion(unpacked, read)?;
    }
}

/// Refuses what comes out of so many bytes that it cannot be text or sound.
fn in_proportion(unpacked: u64, read: u64) -> Result<(), Unusable> {
    if unpacked < FREE_BYTES || unpacked <= read.saturating_mul(MAX_RATIO) {
        return Ok(());
    }
    let reason = format!(
        "{read} bytes of it unpack to {unpacked}, more than {MAX_RATIO} times as many: no text or recording; if it is one, unpack it yourself"
    );
    Err(Unusable::new("decompression_bomb", reason))
}

/// What a decoder says when `unpacked` bytes have come out of it; errors of the system have a number.
fn undecodable(error: &io::Error, unpacked: usize) -> Unusable {
    if error.raw_os_error().is_some() {
        return unreadable(error);
    }
    let reason = format!("cannot be decompressed: {error}; compress it again");
    Unusable::new("broken_compression", reason).at(unpacked)
}

/// A decoder whose output stays in proportion to what was read for it.
struct Proportionate<'a, R> {
    inner: R,
    unpacked: u64,
    read: &'a AtomicU64,
}

impl<R: Read> Read for Proportionate<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = match self.inner.read(buffer) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Err(error),
            outcome => {
                outcome.map_err(|error| io::Error::other(undecodable(&error, self.unpacked as usize)))?
            }
        };
        self.unpacked += n as u64;
        in_proportion(self.unpacked, self.read.load(Ordering::Relaxed)).map_err(io::Error::other)?;
        Ok(n)
    }
}

fn read_to_end(reader: &mut impl Read, bytes: &mut Vec<u8>) -> Result<(), Unusable> {
    reader.read_to_end(bytes).map(|_| ()).map_err(|error| unreadable(&error))
}

pub(super) fn unreadable(error: &io::Error) -> Unusable {
    // What our own readers refuse comes through those of others.
    if let Some(trouble) = error.get_ref().and_then(|error| error.downcast_ref::<Unusable>()) {
        return trouble.clone();
    }
    match error.kind() {
        io::ErrorKind::NotFound => {
            Unusable::new("vanished", "was listed, but is gone: removed or renamed while the job ran")
        }
        io::ErrorKind::PermissionDenied => {
            Unusable::new("unreadable", format!("{error}: make it readable for the user that runs the job"))
        }
        _ => Unusable::new("unreadable", error.to_string()),
    }
}

struct Hashed<'a, R> {
    inner: R,
    hasher: &'a mut blake3::Hasher,
    /// Bytes read so far; a decoder that reads from here cannot be asked.
    read: &'a AtomicU64,
}

impl<R: Read> Read for Hashed<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.inner.read(buffer)?;
        self.hasher.update(&buffer[..n]);
        self.read.fetch_add(n as u64, Ordering::Relaxed);
        Ok(n)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn compressed_files_are_read_through_and_hashed_as_they_lie() {
        let folder = tempfile::tempdir().unwrap();
        // More than a thread reads at once.
        let text = b"the rain and the wind".repeat(PIECE_BYTES / 8);
        let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        gz.write_all(&text).unwrap();
        let gz = gz.finish().unwrap();
        for (name, on_disk) in [
            ("a.txt", text.clone()),
            ("a.txt.gz", gz.clone()),
            ("a.txt.zst", zstd::encode_all(&text[..], 3).unwrap()),
        ] {
            let path = folder.path().join(name);
            std::fs::write(&path, &on_disk).unwrap();
            for readers in [Readers::One, Readers::All] {
                let contents =
                    read_contents(&path, readers).unwrap_or_else(|trouble| panic!("{name}: {trouble:?}"));
                assert!(contents.bytes == text, "{name}");
                assert_eq!(contents.blake3, Digest::of(&on_disk), "{name}");
            }
        }
        let path = folder.path().join("cut.txt.gz");
        std::fs::write(&path, &gz[..gz.len() / 2]).unwrap();
        assert_eq!(
            read_contents(&path, Readers::One).err().map(|trouble| trouble.code).as_deref(),
            Some("broken_compression")
        );
        assert_eq!(
            read_contents(&folder.path().join("none"), Readers::All)
                .err()
                .map(|trouble| trouble.code)
                .as_deref(),
            Some("vanished")
        );
    }

    fn code_of(path: &Path) -> String {
        read_contents(path, Readers::All).err().map_or_else(String::new, |trouble| trouble.code.into_owned())
    }

    #[test]
    fn only_files_are_opened_and_nothing_is_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let _socket = std::os::unix::net::UnixListener::bind(at("socket")).unwrap();
        assert!(std::process::Command::new("mkfifo").arg(at("pipe")).status().unwrap().success());
        assert_eq!(code_of(&at("pipe")), "not_a_file");
        assert_eq!(code_of(Path::new("/dev/zero")), "not_a_file");
        assert_eq!(code_of(folder.path()), "not_a_file");
        assert_eq!(code_of(&at("socket")), "unreadable");
    }

    #[test]
    fn what_is_large_by_compression_or_holes_only_is_refused_before_it_takes_memory() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let mut gz =
            flate2::write::GzEncoder::new(File::create(at("bomb.gz")).unwrap(), flate2::Compression::fast());
        let mut zst = zstd::Encoder::new(File::create(at("bomb.zst")).unwrap(), 1).unwrap();
        let zeros = vec![0; 1 << 20];
        for _ in 0..=FREE_BYTES >> 20 {
            gz.write_all(&zeros).unwrap();
            zst.write_all(&zeros).unwrap();
        }
        gz.finish().unwrap();
        zst.finish().unwrap();
        assert_eq!(
            (code_of(&at("bomb.gz")).as_str(), code_of(&at("bomb.zst")).as_str()),
            ("decompression_bomb", "decompression_bomb")
        );
        File::create(at("holes.txt")).unwrap().set_len(FREE_BYTES + 1).unwrap();
        assert_eq!(code_of(&at("holes.txt")), "sparse_file");
        File::create(at("huge.txt")).unwrap().set_len(MAX_BYTES + 1).unwrap();
        assert_eq!(code_of(&at("huge.txt")), "too_large");
    }

    /// Fifty readings of 14 MB beside a writer that never rests: one of them at least must notice.
    #[test]
    fn a_file_that_is_written_to_while_it_is_read_is_left_for_next_night() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log.txt");
        std::fs::write(&path, "a line\n".repeat(2_000_000)).unwrap();
        let done = std::sync::atomic::AtomicBool::new(false);
        let code = std::thread::scope(|scope| {
            scope.spawn(|| {
                let mut file = File::options().append(true).open(&path).unwrap();
                while !done.load(Ordering::Relaxed) {
                    file.write_all(b"a line\n").unwrap();
                }
            });
            let codes: Vec<String> = (0..50).map(|_| code_of(&path)).collect();
            done.store(true, Ordering::Relaxed);
            codes.into_iter().find(|code| !code.is_empty())
        });
        assert_eq!(code.as_deref(), Some("changed_while_read"));
        assert_eq!(code_of(&path), "");
    }
}
