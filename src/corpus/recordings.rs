//! Recordings: which there are, and their samples as one channel in [-1, 1] at the job's rate.

use std::path::{Path, PathBuf};

use super::codecs::decode_compressed;
use super::contents::{Contents, read_contents};
use super::identity::{Identity, unique};
use super::quarantine::{Quarantined, Stage, Unusable, Warned};
use super::resample::resample;
use super::walk::Found;
use super::wav::decode_wav;

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
}

/// A recording ready to be analysed.
#[derive(Debug, Clone)]
pub struct Clip {
    /// Unique in the job.
    pub id: String,
    /// Its `source` in the tables.
    pub source: String,
    /// Hash of the file as it lies on disk.
    pub blake3: String,
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
    let reference = |file: &Found| ClipRef {
        id: rules.identity.id(&file.source),
        path: file.path.clone(),
        source: file.source.clone(),
        bytes: file.bytes,
    };
    unique(files.iter().map(reference).collect(), |reference| (&reference.id, &reference.source))
}

/// Reads, mixes and resamples the clip `reference`.
///
/// # Errors
/// The row of the quarantine table for a recording that cannot be used.
pub fn read_clip(reference: &ClipRef, rules: &RecordingRules) -> Result<Clip, Quarantined> {
    clip(reference, rules).map_err(|trouble| trouble.of(&reference.source))
}

fn clip(reference: &ClipRef, rules: &RecordingRules) -> Result<Clip, Unusable> {
    let Contents { bytes, blake3 } = read_contents(&reference.path)?;
    let decoding = decode(bytes, &reference.source)?;
    let Decoding { channels, sample_rate: file_sample_rate, bits, .. } = decoding;
    let mut warning = decoding.warning;
    let mut samples = one_channel(&decoding.samples, channels, rules.channel)?;
    let broken = silence_broken_samples(&mut samples);
    if broken > 0 {
        warning.get_or_insert((
            "broken_samples",
            format!("{broken} samples are NaN or infinite: taken as silence"),
        ));
    }
    if samples.is_empty() {
        warning.get_or_insert(("no_samples", "the header is sound, but no sample follows it".into()));
    }
    let peak = samples.iter().fold(0.0f32, |peak, sample| peak.max(sample.abs()));
    if peak > OVER_FULL_SCALE {
        let reason =
            format!("samples reach {peak:e}, where full scale is 1: used as they are; scale the recording");
        warning.get_or_insert(("over_full_scale", reason));
    }
    let seconds = samples.len() as f64 / f64::from(file_sample_rate);
    let sample_rate = if rules.sample_rate == 0 { file_sample_rate } else { rules.sample_rate };
    let samples = resample(samples, file_sample_rate, sample_rate)
        .map_err(|reason| Unusable::new("unusable_sample_rate", reason))?;
    Ok(Clip {
        id: reference.id.clone(),
        source: reference.source.clone(),
        blake3,
        group: rules.identity.group(&reference.id),
        samples,
        sample_rate,
        file_sample_rate,
        channels,
        bits,
        seconds,
        warning: warning.map(|(code, reason)| Warned {
            source: reference.source.clone(),
            stage: Stage::Read,
            code: code.into(),
            reason,
        }),
    })
}

/// Decodes the recording held in `bytes`; `name` tells its format where the bytes do not.
///
/// # Errors
/// A sentence that says why it cannot be used.
pub fn decode_recording(bytes: Vec<u8>, name: &str) -> Result<Decoding, String> {
    decode(bytes, name).map_err(|trouble| trouble.reason)
}

/// Reads and decodes the recording at `path` as it is: all channels, at its own rate.
///
/// # Errors
/// A sentence that says why it cannot be used.
pub fn read_recording(path: &Path) -> Result<Decoding, String> {
    let contents = read_contents(path).map_err(|trouble| trouble.reason)?;
    decode_recording(contents.bytes, &path.to_string_lossy())
}

/// Floats may pass full scale a little; beyond this the file is scaled otherwise, to 32768 for instance.
const OVER_FULL_SCALE: f32 = 8.0;

/// Sample rates that recordings have. Any other stands in a broken header, and a resampler would take it at its word.
const SAMPLE_RATES_HZ: std::ops::RangeInclusive<u32> = 1_000..=768_000;

fn decode(bytes: Vec<u8>, source: &str) -> Result<Decoding, Unusable> {
    let decoding = decode_any(bytes, source)?;
    if SAMPLE_RATES_HZ.contains(&decoding.sample_rate) {
        return Ok(decoding);
    }
    let reason = format!("the header says {} Hz: no recording has that sample rate", decoding.sample_rate);
    Err(Unusable::new("broken_header", reason).at(24))
}

/// By content first: a WAV file called `.flac` is still read as what it is.
fn decode_any(bytes: Vec<u8>, source: &str) -> Result<Decoding, Unusable> {
    if bytes.is_empty() {
        return Err(Unusable::new("empty_file", "holds no byte: record or copy it again").at(0));
    }
    if bytes.starts_with(b"RIFF") || bytes.starts_with(b"RIFX") || bytes.starts_with(b"RF64") {
        return decode_wav(&bytes);
    }
    let plain = source.strip_suffix(".gz").or_else(|| source.strip_suffix(".zst")).unwrap_or(source);
    let extension = plain.rsplit('.').next().unwrap_or("").to_lowercase();
    if matches!(extension.as_str(), "wav" | "wave") {
        return decode_wav(&bytes);
    }
    decode_compressed(bytes, &extension)
}

fn one_channel(interleaved: &[f32], channels: u16, channel: Channel) -> Result<Vec<f32>, Unusable> {
    let width = usize::from(channels.max(1));
    match channel {
        Channel::Number(number) if number >= channels => {
            let reason = format!(
                "has {channels} channels: clips.channel = {number} asks for one more (they count from 0)"
            );
            Err(Unusable::new("no_such_channel", reason))
        }
        Channel::Number(number) => {
            Ok(interleaved.iter().skip(usize::from(number)).step_by(width).copied().collect())
        }
        Channel::Mix if width == 1 => Ok(interleaved.to_vec()),
        Channel::Mix => {
            let share = 1.0 / width as f32;
            Ok(interleaved.chunks_exact(width).map(|frame| frame.iter().sum::<f32>() * share).collect())
        }
    }
}

/// NaN would spread through every feature of the clip.
fn silence_broken_samples(samples: &mut [f32]) -> usize {
    let mut broken = 0;
    for sample in samples.iter_mut().filter(|sample| !sample.is_finite()) {
        *sample = 0.0;
        broken += 1;
    }
    broken
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::corpus::NameBy;

    fn rules(sample_rate: u32, channel: Channel) -> RecordingRules {
        RecordingRules { identity: Identity::new(NameBy::Path, "^([a-z]+)/").unwrap(), sample_rate, channel }
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
        ClipRef { id: "anna/x".into(), path, source: "anna/x.wav".into(), bytes: 0 }
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
        assert_eq!(trouble.code, "no_such_channel");
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
            let reference = ClipRef { id: name.into(), path, source: name.into(), bytes: 0 };
            assert_eq!(read_clip(&reference, &rules(0, Channel::Mix)).unwrap_err().code, code, "{name}");
        }
    }

    #[test]
    fn broken_floats_become_silence() {
        let mut samples = [0.5, f32::NAN, f32::INFINITY, -0.5];
        assert_eq!(silence_broken_samples(&mut samples), 2);
        assert_eq!(samples, [0.5, 0.0, 0.0, -0.5]);
    }
}
