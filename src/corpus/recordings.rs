//! Recordings: which there are, and their samples as one channel in [-1, 1] at the job's rate.

use std::path::{Path, PathBuf};

use super::contents::{Held, open_contents};
use super::decoding::Decoder;
use super::digest::Digest;
use super::identity::{Identity, unique};
use super::manifest::Cut;
use super::quarantine::{Quarantined, Unread, Unusable, Warned};
use super::reader::{RecordingContents, RecordingReader, read_contents_of};
use super::stamp::Stamp;
use super::walk::Found;

/// Which channel of a recording is used: the `channel` key of the job file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Channel {
    /// The mean of all.
    #[default]
    Mix,
    /// One of them, from 0.
    Number(u16),
}

/// How files become clips.
#[derive(Debug, Clone)]
pub struct RecordingRules {
    /// Ids and groups.
    pub identity: Identity,
    /// Rate in Hz that every clip is resampled to; 0 leaves it as recorded.
    pub sample_rate: u32,
    /// The channel used.
    pub channel: Channel,
}

/// A clip's id and place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClipRef {
    /// Unique in the job.
    pub id: String,
    /// The file.
    pub path: PathBuf,
    /// Its `source` in the tables.
    pub source: String,
    /// Size of the file on disk: how much work the recording is.
    pub bytes: u64,
    /// The stamp of the file.
    pub stamp: Stamp,
    /// Hash of its content, where that is known without reading it.
    pub blake3: Option<Digest>,
    /// The group that the manifest or its id names.
    pub group: Option<String>,
    /// The part of the recording that it is, where it is not all of it.
    pub cut: Option<Cut>,
}

impl ClipRef {
    /// The format that its name tells, in lower case: what decides how a file without a known signature is read.
    #[must_use]
    pub fn extension(&self) -> String {
        extension(&self.source)
    }
}

/// A recording ready to be analysed.
#[derive(Debug, Clone)]
pub struct Clip {
    /// Unique in the job.
    pub id: String,
    /// Its `source` in the tables.
    pub source: String,
    /// Hash of the file as it lies on disk.
    pub blake3: Option<Digest>,
    /// The group its id names.
    pub group: Option<String>,
    /// One channel, full scale 1.
    pub samples: Vec<f32>,
    /// The rate of [`Clip::samples`] in Hz.
    pub sample_rate: u32,
    /// The rate of the file in Hz.
    pub file_sample_rate: u32,
    /// Channels of the file.
    pub channels: u16,
    /// Bits of a sample in the file, where the format has such.
    pub bits: Option<u16>,
    /// Length of the file's audio in seconds.
    pub seconds: f64,
    /// What of it could not be used.
    pub warning: Option<Warned>,
}

/// The samples of a file as they stand in it.
#[derive(Debug, Clone, PartialEq)]
pub struct Decoding {
    /// Interleaved, full scale 1; possibly not finite where the file holds floats.
    pub samples: Vec<f32>,
    /// At least 1.
    pub channels: u16,
    /// Hz, at least 1.
    pub sample_rate: u32,
    /// Bits of a sample in the file, where the format has such.
    pub bits: Option<u16>,
    /// What of the file could not be used: code and reason.
    pub warning: Option<(&'static str, String)>,
}

/// Lists the clips in `files`, sorted by id. A repeated id is quarantined; the first by source stays.
#[must_use]
pub fn index_clips(files: &[Found], rules: &RecordingRules) -> (Vec<ClipRef>, Vec<Quarantined>) {
    let reference = |file: &Found| {
        let id = rules.identity.id(&file.source);
        let (group, stamp) = (rules.identity.group(&id), file.stamp);
        let (path, source) = (file.path.clone(), file.source.clone());
        ClipRef { id, path, source, bytes: file.bytes, stamp, blake3: None, group, cut: None }
    };
    unique_clips(files.iter().map(reference).collect())
}

/// Sorts clips by id. A repeated id is quarantined; the first by source stays.
#[must_use]
pub fn unique_clips(references: Vec<ClipRef>) -> (Vec<ClipRef>, Vec<Quarantined>) {
    unique(references, |reference| (&reference.id, &reference.source))
}

/// Reads, mixes and resamples the clip `reference`.
///
/// # Errors
/// The row of the quarantine table for a recording that cannot be used.
pub fn read_clip(reference: &ClipRef, rules: &RecordingRules) -> Result<Clip, Unread> {
    decode_clip(reference, rules, read_contents_of(reference)?)
}

/// Decodes, mixes and resamples the clip `reference`, whose bytes were read: the whole of it by [`RecordingReader`].
///
/// # Errors
/// The row of the quarantine table for a recording that cannot be used, or not as a whole: more than 2^31 samples.
pub fn decode_clip(
    reference: &ClipRef,
    rules: &RecordingRules,
    contents: RecordingContents,
) -> Result<Clip, Unread> {
    let blake3 = contents.blake3;
    let mut reader = RecordingReader::new(&reference.source, rules, contents)?.part(reference.cut);
    let samples = reader.rest()?;
    Ok(Clip {
        id: reference.id.clone(),
        source: reference.source.clone(),
        blake3,
        group: reference.group.clone(),
        samples,
        sample_rate: reader.sample_rate(),
        file_sample_rate: reader.file_sample_rate(),
        channels: reader.channels(),
        bits: reader.bits(),
        seconds: reader.seconds(),
        warning: reader.warning(),
    })
}

/// Decodes the recording held in `bytes`; `name` tells its format where the bytes do not.
///
/// # Errors
/// A sentence that says why it cannot be used.
pub fn decode_recording(bytes: Vec<u8>, name: &str) -> Result<Decoding, String> {
    decode_held(Held::Bytes(bytes), name).map_err(|trouble| trouble.reason)
}

/// Reads and decodes the recording at `path` as it is: all channels, at its own rate.
///
/// # Errors
/// A sentence that says why it cannot be used.
pub fn read_recording(path: &Path) -> Result<Decoding, String> {
    let held = open_contents(path, super::reader::IN_MEMORY_BYTES).map_err(|trouble| trouble.reason)?;
    decode_held(held, &path.to_string_lossy()).map_err(|trouble| trouble.reason)
}

pub(super) fn decode_held(held: Held, source: &str) -> Result<Decoding, Unusable> {
    let mut decoder = Decoder::open(held, source)?;
    let mut samples = Vec::with_capacity(decoder.most_samples().unwrap_or(0).min(AT_ONCE));
    while decoder.append(&mut samples)? {
        bounded(&samples)?;
    }
    let heading = decoder.heading();
    Ok(Decoding {
        samples,
        channels: heading.channels,
        sample_rate: heading.sample_rate,
        bits: heading.bits,
        warning: decoder.warning().cloned(),
    })
}

/// Samples of one recording that may lie in memory, all channels together: six hours of stereo at 48 kHz, 8 GiB.
const MAX_SAMPLES: usize = 1 << 31;

/// Samples for which there is room from the start, where the file is long enough for them.
const AT_ONCE: usize = 1 << 26;

pub(super) fn bounded(samples: &[f32]) -> Result<(), Unusable> {
    if samples.len() <= MAX_SAMPLES {
        return Ok(());
    }
    Err(Unusable::new("too_long", format!("holds more than {MAX_SAMPLES} samples: split it")))
}

/// The extension that tells the format, in lower case.
pub(super) fn extension(source: &str) -> String {
    let plain = source.strip_suffix(".gz").or_else(|| source.strip_suffix(".zst")).unwrap_or(source);
    plain.rsplit('.').next().unwrap_or("").to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::corpus::NameBy;

    fn rules(sample_rate: u32, channel: Channel) -> RecordingRules {
        RecordingRules { identity: Identity::new(NameBy::Path, "^([a-z]+)/").unwrap(), sample_rate, channel }
    }

    fn reference(id: &str, source: &str, path: PathBuf) -> ClipRef {
        let stamp = Stamp::default();
        let group = id.split_once('/').map(|(group, _)| group.to_owned());
        ClipRef {
            id: id.into(),
            path,
            source: source.into(),
            bytes: 0,
            stamp,
            blake3: None,
            group,
            cut: None,
        }
    }

    fn stereo(folder: &Path) -> ClipRef {
        let spec = hound::WavSpec {
            channels: 2,
            sample_rate: 8000,
            bits_per_sample: 16,
            sample_format: hound::SampleFormat::Int,
        };
        let path = folder.join("x.wav");
        let mut writer = hound::WavWriter::create(&path, spec).unwrap();
        for _ in 0..800 {
            writer.write_sample(16384i16).unwrap();
            writer.write_sample(-8192i16).unwrap();
        }
        writer.finalize().unwrap();
        reference("anna/x", "anna/x.wav", path)
    }

    #[test]
    fn channels_are_mixed_or_chosen() {
        let folder = tempfile::tempdir().unwrap();
        let reference = stereo(folder.path());
        let mixed = read_clip(&reference, &rules(0, Channel::Mix)).unwrap();
        assert_eq!(
            (mixed.samples.len(), mixed.samples[5], mixed.channels, mixed.bits),
            (800, 0.125, 2, Some(16))
        );
        assert_eq!((mixed.group.as_deref(), mixed.seconds), (Some("anna"), 0.1));
        assert_eq!(read_clip(&reference, &rules(0, Channel::Number(1))).unwrap().samples[5], -0.25);
        let trouble = read_clip(&reference, &rules(0, Channel::Number(2))).unwrap_err();
        assert_eq!(trouble.row.code, "no_such_channel");
        let resampled = read_clip(&reference, &rules(16_000, Channel::Mix)).unwrap();
        assert_eq!(
            (resampled.samples.len(), resampled.sample_rate, resampled.file_sample_rate),
            (1600, 16_000, 8000)
        );
    }

    #[test]
    fn what_is_no_recording_is_quarantined() {
        let folder = tempfile::tempdir().unwrap();
        for (name, bytes, code) in [
            ("a.wav", &b"RIFF\0\0"[..], "broken_header"),
            ("b.flac", b"this is no sound at all, only text that goes on for a while", "undecodable"),
            ("c.wav", b"", "empty_file"),
        ] {
            let path = folder.path().join(name);
            std::fs::write(&path, bytes).unwrap();
            let unread = read_clip(&reference(name, name, path), &rules(0, Channel::Mix)).unwrap_err();
            assert_eq!((&*unread.row.code, unread.blake3.is_some()), (code, true), "{name}");
        }
    }
}
