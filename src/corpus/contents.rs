//! The bytes of a file: hashed as they lie on disk, decompressed where the name says so, bounded.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use super::quarantine::Unusable;

/// What a decompressed file may grow to. A small file that unpacks to more is a bomb, not a document.
const MAX_BYTES: u64 = 4 << 30;

/// A file's bytes after decompression and the hash of what is on disk.
pub(super) struct Contents {
    pub bytes: Vec<u8>,
    pub blake3: String,
}

/// Reads `path` once, hashing on the way; `.gz` and `.zst` are decompressed.
pub(super) fn read_contents(path: &Path) -> Result<Contents, Unusable> {
    let file = File::open(path).map_err(|error| unreadable(&error))?;
    let mut hashed = Hashed { inner: file, hasher: blake3::Hasher::new() };
    let mut bytes = Vec::new();
    match path.extension().and_then(|extension| extension.to_str()) {
        Some("gz") => drain(&mut flate2::read::MultiGzDecoder::new(&mut hashed), &mut bytes)?,
        Some("zst") => {
            let mut decoder = zstd::Decoder::new(&mut hashed).map_err(|error| unreadable(&error))?;
            drain(&mut decoder, &mut bytes)?;
        }
        _ => drain(&mut hashed, &mut bytes)?,
    }
    // A decoder may stop before the end of the file; the hash is of all of it.
    io::copy(&mut hashed, &mut io::sink()).map_err(|error| unreadable(&error))?;
    Ok(Contents { bytes, blake3: hashed.hasher.finalize().to_hex().to_string() })
}

fn drain(reader: &mut impl Read, bytes: &mut Vec<u8>) -> Result<(), Unusable> {
    let mut bounded = reader.take(MAX_BYTES + 1);
    bounded.read_to_end(bytes).map_err(|error| match error.kind() {
        io::ErrorKind::InvalidInput
        | io::ErrorKind::InvalidData
        | io::ErrorKind::UnexpectedEof
        | io::ErrorKind::Other => {
            Unusable::new("broken_compression", format!("cannot be decompressed: {error}; compress it again"))
                .at(bytes.len())
        }
        _ => unreadable(&error),
    })?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(Unusable::new("too_large", "holds more than 4 GiB: split it into smaller files"));
    }
    Ok(())
}

fn unreadable(error: &io::Error) -> Unusable {
    let advice = match error.kind() {
        io::ErrorKind::PermissionDenied => ": make it readable for the user that runs the job",
        io::ErrorKind::NotFound => ": it vanished while the job ran",
        _ => "",
    };
    Unusable::new("unreadable", format!("{error}{advice}"))
}

struct Hashed<R> {
    inner: R,
    hasher: blake3::Hasher,
}

impl<R: Read> Read for Hashed<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.inner.read(buffer)?;
        self.hasher.update(&buffer[..n]);
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
            Some("unreadable")
        );
    }
}
