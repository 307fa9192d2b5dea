//! The edit list of an MP4 file: how much of the sound comes before its beginning.
//!
//! An AAC encoder writes a frame or two of silence first, and says so here (ISO/IEC 14496-12, 8.6.6). symphonia passes over it.

use std::io::{Read, SeekFrom};

use super::contents::Seekable;

/// Bytes of the index of a file that are looked through; that of a day of sound is a tenth of it.
const MAX_INDEX_BYTES: u64 = 16 << 20;

/// Sound that is not to be heard, from the start of the first audio track: so many ticks at so many a second.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Lead {
    pub ticks: u64,
    pub ticks_per_second: u32,
}

impl Lead {
    /// As frames at `sample_rate` Hz.
    pub fn frames(self, sample_rate: u32) -> u64 {
        let frames =
            u128::from(self.ticks) * u128::from(sample_rate) / u128::from(self.ticks_per_second.max(1));
        u64::try_from(frames).unwrap_or(u64::MAX)
    }
}

/// The lead of the file in `source`, where it is an MP4 file and says so. `source` is at its first byte afterwards.
pub(super) fn lead(source: &mut dyn Seekable) -> std::io::Result<Option<Lead>> {
    source.seek(SeekFrom::Start(0))?;
    let index = index(source)?;
    source.seek(SeekFrom::Start(0))?;
    Ok(index.and_then(|index| {
        let mut tracks = boxes(&index).filter(|(name, _)| name == b"trak").map(|(_, track)| track);
        let track = tracks.find(|track| {
            find(track, &[b"mdia", b"hdlr"]).is_some_and(|handler| handler.get(8..12) == Some(b"soun"))
        })?;
        let ticks = ticks(find(track, &[b"edts", b"elst"])?)?;
        let header = find(track, &[b"mdia", b"mdhd"])?;
        let at = if header.first() == Some(&1) { 20 } else { 12 };
        let ticks_per_second = u32_at(header, at).filter(|ticks| *ticks > 0)?;
        Some(Lead { ticks, ticks_per_second })
    }))
}

/// The contents of the box `moov`, which stands anywhere at the top level.
fn index(source: &mut dyn Seekable) -> std::io::Result<Option<Vec<u8>>> {
    let mut at = 0u64;
    loop {
        let mut head = Vec::new();
        source.seek(SeekFrom::Start(at))?;
        (&mut *source).take(16).read_to_end(&mut head)?;
        let Some((name, size, head_len)) = head_of(&head) else { return Ok(None) };
        if at == 0 && &name != b"ftyp" {
            return Ok(None);
        }
        if &name == b"moov" {
            let mut index = Vec::new();
            source.seek(SeekFrom::Start(at + head_len))?;
            let len = size.map_or(MAX_INDEX_BYTES, |size| size.saturating_sub(head_len).min(MAX_INDEX_BYTES));
            (&mut *source).take(len).read_to_end(&mut index)?;
            return Ok(Some(index));
        }
        let Some(next) = size.and_then(|size| at.checked_add(size.max(head_len))) else { return Ok(None) };
        at = next;
    }
}

/// Name, size (`None`: to the end of the file) and length of the head of the box that begins `bytes`.
fn head_of(bytes: &[u8]) -> Option<([u8; 4], Option<u64>, u64)> {
    let (size, name) = (u32_at(bytes, 0)?, *bytes.get(4..)?.first_chunk()?);
    Some(match size {
        0 => (name, None, 8),
        1 => (name, Some(u64_at(bytes, 8)?), 16),
        size => (name, Some(u64::from(size)), 8),
    })
}

/// The boxes one after another in `bytes`: names and contents. What reaches beyond its end is cut there.
fn boxes(mut bytes: &[u8]) -> impl Iterator<Item = ([u8; 4], &[u8])> {
    std::iter::from_fn(move || {
        let (name, size, head_len) = head_of(bytes)?;
        let len = usize::try_from(size.unwrap_or(u64::MAX).max(head_len)).unwrap_or(usize::MAX);
        let (this, rest) = bytes.split_at(len.min(bytes.len()));
        bytes = rest;
        Some((name, this.get(head_len as usize..)?))
    })
}

/// The box at the end of `path` in `bytes`.
fn find<'a>(bytes: &'a [u8], path: &[&[u8; 4]]) -> Option<&'a [u8]> {
    path.iter().try_fold(bytes, |bytes, wanted| {
        boxes(bytes).find(|(name, _)| name == *wanted).map(|(_, contents)| contents)
    })
}

/// Where in the track the first edit that is no pause begins.
fn ticks(edits: &[u8]) -> Option<u64> {
    let is_long = edits.first()? == &1;
    let (len, at) = if is_long { (20, 8) } else { (12, 4) };
    let mut starts = edits.get(8..)?.chunks_exact(len).map(|edit| {
        if is_long {
            u64_at(edit, at).map(|start| start as i64)
        } else {
            u32_at(edit, at).map(|start| i64::from(start as i32))
        }
    });
    starts.find_map(|start| u64::try_from(start?).ok())
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(*bytes.get(at..)?.first_chunk()?))
}

fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_be_bytes(*bytes.get(at..)?.first_chunk()?))
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    #[test]
    fn the_encoders_silence_is_found_and_no_size_leads_astray() {
        let bytes = std::fs::read("tests/broken/tone.m4a").unwrap();
        let lead_of = |bytes: &[u8]| lead(&mut Cursor::new(bytes.to_vec())).unwrap();
        let found = Lead { ticks: 1024, ticks_per_second: 16_000 };
        assert_eq!(lead_of(&bytes), Some(found));
        assert_eq!((found.frames(16_000), found.frames(8_000), found.frames(48_000)), (1024, 512, 3072));
        assert_eq!(lead_of(&std::fs::read("tests/broken/tone.ogg").unwrap()), None);
        for at in 0..bytes.len() {
            lead_of(&bytes[..at]);
            for value in [0, 1, 0x7F, 0xFF] {
                let mut broken = bytes.clone();
                broken[at] = value;
                lead_of(&broken);
            }
        }
    }
}
