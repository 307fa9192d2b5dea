//! The bytes of a file: hashed as they lie on disk, decompressed where the name says so, bounded, and whole.

use std::cell::Cell;
use std::fs::{File, Metadata};
use std::io::{self, Read};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;

use rustix::fs::{OFlags, SeekFrom};

use super::quarantine::Unusable;

/// What a file may hold, unpacked: it lies in memory as a whole.
const MAX_BYTES: u64 = 4 << 30;

/// What every file may unpack to, however small it is on disk.
const FREE_BYTES: u64 = 64 << 20;

/// From [`FREE_BYTES`] on: how many times what was read so far may have come out. Text and recordings stay under 20, logs
/// under 50; zeros reach 170 with the fastest deflate, 1032 with the best, and far more with zstd.
const MAX_RATIO: u64 = 100;

/// A file's bytes after decompression and the hash of what is on disk.
pub struct Contents {
    /// After decompression.
    pub bytes: Vec<u8>,
    /// Of the file as it lies on disk.
    pub blake3: String,
}

/// Reads `path` once, hashing on the way; `.gz` and `.zst` are decompressed. A file that was written to meanwhile is unusable:
/// half of it may be old, half new.
pub(super) fn read_contents(path: &Path) -> Result<Contents, Unusable> {
    let (file, before) = open(path)?;
    bounded_on_disk(&file, &before)?;
    // One byte more than there should be shows that it grows, and a file that grows for ever is not read for ever.
    let inner = (&file).take(before.len() + 1);
    let read = Cell::new(0);
    let mut hashed = Hashed { inner, hasher: blake3::Hasher::new(), read: &read };
    let outcome = unpack(path, &mut hashed, before.len());
    let after = file.metadata().map_err(|error| unreadable(&error))?;
    if stamp(&before) != stamp(&after) || outcome.is_ok() && read.get() != before.len() {
        return Err(Unusable::new(
            "changed_while_read",
            "its size or time of change moved while it was read: it is read again next night",
        ));
    }
    Ok(Contents { bytes: outcome?, blake3: hashed.hasher.finalize().to_hex().to_string() })
}

/// Opens a regular file, and nothing else: what was one when the folder was listed may be a pipe by now, and opening must not
/// wait for somebody who writes into it.
fn open(path: &Path) -> Result<(File, Metadata), Unusable> {
    let flags = (OFlags::NONBLOCK | OFlags::NOCTTY).bits() as i32;
    let file =
        File::options().read(true).custom_flags(flags).open(path).map_err(|error| unreadable(&error))?;
    let metadata = file.metadata().map_err(|error| unreadable(&error))?;
    if metadata.is_file() {
        return Ok((file, metadata));
    }
    let reason = "a folder, device, socket or pipe has taken the file's place: leave it out with `exclude`";
    Err(Unusable::new("not_a_file", reason))
}

/// What changes when a file is written to.
fn stamp(metadata: &Metadata) -> (u64, i64, i64) {
    (metadata.len(), metadata.mtime(), metadata.mtime_nsec())
}

/// Refuses a file too large to be read, and one that is large only by its holes: both before they take memory.
fn bounded_on_disk(file: &File, metadata: &Metadata) -> Result<(), Unusable> {
    let (len, allocated) = (metadata.len(), metadata.blocks().saturating_mul(512));
    if len > MAX_BYTES {
        return Err(Unusable::new("too_large", "holds more than 4 GiB: split it into smaller files"));
    }
    if len <= FREE_BYTES || allocated.saturating_mul(MAX_RATIO) >= len {
        return Ok(());
    }
    // Some file systems do not tell what they allocate; whether there is any data they all tell.
    let empty = matches!(rustix::fs::seek(file, SeekFrom::Data(0)), Err(rustix::io::Errno::NXIO));
    let start = rustix::fs::seek(file, SeekFrom::Start(0));
    if allocated > 0 || empty || start.is_err() {
        let reason = format!("of its {len} bytes {allocated} are on disk, the rest are holes: copy it again");
        return Err(Unusable::new("sparse_file", reason));
    }
    Ok(())
}

/// Everything in the file of `len` bytes, unpacked.
fn unpack(path: &Path, hashed: &mut Hashed<'_, impl Read>, len: u64) -> Result<Vec<u8>, Unusable> {
    let (read, mut bytes) = (hashed.read, Vec::new());
    match path.extension().and_then(|extension| extension.to_str()) {
        Some("gz") => drain(&mut flate2::read::MultiGzDecoder::new(&mut *hashed), &mut bytes, read)?,
        Some("zst") => {
            let mut decoder = zstd::Decoder::new(&mut *hashed).map_err(|error| unreadable(&error))?;
            drain(&mut decoder, &mut bytes, read)?;
        }
        _ => {
            bytes.reserve_exact(len as usize + 1);
            drain(hashed, &mut bytes, read)?;
        }
    }
    // A decoder may stop before the end of the file; the hash is of all of it.
    io::copy(hashed, &mut io::sink()).map_err(|error| unreadable(&error))?;
    Ok(bytes)
}

/// Reads to the end, or as far as what comes out is in proportion to what was `read` from the disk for it.
fn drain(reader: &mut impl Read, bytes: &mut Vec<u8>, read: &Cell<u64>) -> Result<(), Unusable> {
    loop {
        let more = reader.by_ref().take(FREE_BYTES).read_to_end(bytes).map_err(|error| {
            if error.raw_os_error().is_some() {
                return unreadable(&error);
            }
            // Errors of the system have a number: this one is the decoder's.
            let reason = format!("cannot be decompressed: {error}; compress it again");
            Unusable::new("broken_compression", reason).at(bytes.len())
        })?;
        let (unpacked, read) = (bytes.len() as u64, read.get());
        if (more as u64) < FREE_BYTES {
            return Ok(());
        }
        if unpacked > MAX_BYTES {
            return Err(Unusable::new(
                "too_large",
                "unpacks to more than 4 GiB: split it into smaller files",
            ));
        }
        if unpacked > read.saturating_mul(MAX_RATIO) {
            let reason = format!(
                "{read} bytes of it unpack to {unpacked}, more than {MAX_RATIO} times as many: no text or recording; if it is one, unpack it yourself"
            );
            return Err(Unusable::new("decompression_bomb", reason));
        }
    }
}

fn unreadable(error: &io::Error) -> Unusable {
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
    hasher: blake3::Hasher,
    /// Bytes read so far; a decoder that reads from here cannot be asked.
    read: &'a Cell<u64>,
}

impl<R: Read> Read for Hashed<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.inner.read(buffer)?;
        self.hasher.update(&buffer[..n]);
        self.read.set(self.read.get() + n as u64);
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
        let text = b"the rain and the wind".repeat(100);
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
            let contents = read_contents(&path).unwrap_or_else(|trouble| panic!("{name}: {trouble:?}"));
            assert_eq!(contents.bytes, text, "{name}");
            assert_eq!(contents.blake3, blake3::hash(&on_disk).to_hex().to_string(), "{name}");
        }
        let path = folder.path().join("cut.txt.gz");
        std::fs::write(&path, &gz[..gz.len() / 2]).unwrap();
        assert_eq!(
            read_contents(&path).err().map(|trouble| trouble.code).as_deref(),
            Some("broken_compression")
        );
        assert_eq!(
            read_contents(&folder.path().join("none")).err().map(|trouble| trouble.code).as_deref(),
            Some("vanished")
        );
    }

    fn code_of(path: &Path) -> String {
        read_contents(path).err().map_or_else(String::new, |trouble| trouble.code.into_owned())
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
                while !done.load(std::sync::atomic::Ordering::Relaxed) {
                    file.write_all(b"a line\n").unwrap();
                }
            });
            let codes: Vec<String> = (0..50).map(|_| code_of(&path)).collect();
            done.store(true, std::sync::atomic::Ordering::Relaxed);
            codes.into_iter().find(|code| !code.is_empty())
        });
        assert_eq!(code.as_deref(), Some("changed_while_read"));
        assert_eq!(code_of(&path), "");
    }
}
