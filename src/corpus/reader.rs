//! A recording block by block: decoded, one channel, resampled, in memory that does not follow its length.

use std::path::Path;

use super::contents::{Held, hold_contents, open_contents};
use super::decoding::{Decoder, Heading};
use super::digest::Digest;
use super::manifest::Cut;
use super::quarantine::{Stage, Unread, Unusable, Warned};
use super::recordings::{Channel, ClipRef, RecordingRules, bounded};
use super::resample::Resampler;
use crate::simd::{Width, largest_magnitude};

/// Files up to this length, unpacked, are read once and lie in memory while they are decoded; of longer ones only the hash is
/// learnt in the first reading, and they are decoded from the disk.
pub(super) const IN_MEMORY_BYTES: u64 = 64 << 20;

/// What a sample may be: far beyond integers of 32 bits that were not scaled, and still to be squared and summed.
const LARGEST: f32 = 1e12;

/// The bytes of a recording, or where they are, and their hash.
pub struct RecordingContents {
    /// Of the file as it lies on disk, where it was learnt.
    pub blake3: Option<Digest>,
    held: Held,
}

impl RecordingContents {
    /// A recording that lies in memory.
    #[must_use]
    pub fn of_bytes(bytes: Vec<u8>) -> Self {
        Self { blake3: Some(Digest::of(&bytes)), held: Held::Bytes(bytes) }
    }

    /// A recording on disk, to be read while it is decoded. Its hash is not learnt.
    ///
    /// # Errors
    /// A sentence that says why it cannot be read.
    pub fn of_file(path: &Path) -> Result<Self, String> {
        let held = open_contents(path, IN_MEMORY_BYTES).map_err(|trouble| trouble.reason)?;
        Ok(Self { blake3: None, held })
    }
}

/// The clip `reference` whose hash is `blake3`: what is not compressed is read while it is decoded, so that many parts of one
/// recording do not mean as many readings of all of it.
///
/// # Errors
/// The row of the quarantine table for a file that cannot be read.
pub fn open_contents_of(reference: &ClipRef, blake3: Digest) -> Result<RecordingContents, Unread> {
    let held = open_contents(&reference.path, IN_MEMORY_BYTES)
        .map_err(|trouble| trouble.of_content(&reference.source))?;
    Ok(RecordingContents { blake3: Some(blake3), held })
}

/// Reads the bytes of the clip `reference` and learns their hash. What is kept in memory is 64 MiB at most.
///
/// # Errors
/// The row of the quarantine table for a file that cannot be read.
pub fn read_contents_of(reference: &ClipRef) -> Result<RecordingContents, Unread> {
    let (held, blake3) = hold_contents(&reference.path, IN_MEMORY_BYTES)
        .map_err(|trouble| trouble.of_content(&reference.source))?;
    Ok(RecordingContents { blake3: Some(blake3), held })
}

/// A recording as a stream of samples: one channel in [-1, 1] at the job's rate.
///
/// The samples are the same bits however they are asked for, and those of [`read_clip`](super::read_clip), which is a loop over
/// this reader. What is compressed twice (a FLAC in a `.gz`) is unpacked into memory; everything else takes a few MiB.
pub struct RecordingReader {
    decoder: Decoder,
    heading: Heading,
    channel: Channel,
    sample_rate: u32,
    resampler: Resampler,
    interleaved: Vec<f32>,
    one_channel: Vec<f32>,
    /// Samples that are ready, and where the next of them stands.
    ready: Vec<f32>,
    ready_at: usize,
    ended: bool,
    /// What is left of the part that is wanted.
    window: Option<Window>,
    /// Frames of the file, or of the part of it, so far.
    frames: u64,
    /// Samples so far that are NaN, infinite or beyond [`LARGEST`].
    broken: u64,
    peak: f32,
    source: String,
    blake3: Option<Digest>,
}

impl RecordingReader {
    /// Reads the header of `contents`; `source` names it in the tables, and tells the format where the bytes do not.
    ///
    /// # Errors
    /// The row of the quarantine table for a recording that cannot be used.
    pub fn new(source: &str, rules: &RecordingRules, contents: RecordingContents) -> Result<Self, Unread> {
        let RecordingContents { blake3, held } = contents;
        Self::open(source, rules, held, blake3)
            .map_err(|trouble| with_hash(trouble, blake3).of_content(source))
    }

    fn open(
        source: &str,
        rules: &RecordingRules,
        held: Held,
        blake3: Option<Digest>,
    ) -> Result<Self, Unusable> {
        let decoder = Decoder::open(held, source)?;
        let heading = decoder.heading();
        if let Channel::Number(number) = rules.channel
            && number >= heading.channels
        {
            let reason = format!(
                "has {} channels: clips.channel = {number} asks for one more (they count from 0)",
                heading.channels
            );
            return Err(Unusable::new("no_such_channel", reason));
        }
        let sample_rate = if rules.sample_rate == 0 { heading.sample_rate } else { rules.sample_rate };
        let resampler = Resampler::new(heading.sample_rate, sample_rate).map_err(unusable_rate)?;
        Ok(Self {
            decoder,
            heading,
            channel: rules.channel,
            sample_rate,
            resampler,
            interleaved: Vec::new(),
            one_channel: Vec::new(),
            ready: Vec::new(),
            ready_at: 0,
            ended: false,
            window: None,
            frames: 0,
            broken: 0,
            peak: 0.0,
            source: source.to_owned(),
            blake3,
        })
    }

    /// Reads only a part of the recording; what comes before it is decoded and passed over.
    #[must_use]
    pub fn part(mut self, cut: Option<Cut>) -> Self {
        self.window = cut.map(|cut| {
            let (skip, left) = cut.frames(self.heading.sample_rate);
            Window { skip, left }
        });
        self
    }

    /// The rate of the samples in Hz.
    #[must_use]
    pub fn sample_rate(&self) -> u32 {
        self.sample_rate
    }

    /// The rate of the file in Hz.
    #[must_use]
    pub fn file_sample_rate(&self) -> u32 {
        self.heading.sample_rate
    }

    /// Channels of the file.
    #[must_use]
    pub fn channels(&self) -> u16 {
        self.heading.channels
    }

    /// Bits of a sample in the file, where the format has such.
    #[must_use]
    pub fn bits(&self) -> Option<u16> {
        self.heading.bits
    }

    /// Length in seconds of what was decoded of the file so far.
    #[must_use]
    pub fn seconds(&self) -> f64 {
        self.frames as f64 / f64::from(self.heading.sample_rate)
    }

    /// Puts the next `len` samples into `block`, fewer where the recording ends; false when none are left.
    ///
    /// # Errors
    /// The row of the quarantine table for a recording that turns out to be unusable: all that was read of it is void.
    pub fn next_block(&mut self, len: usize, block: &mut Vec<f32>) -> Result<bool, Unread> {
        block.clear();
        let ready = self.ready.get(self.ready_at..).unwrap_or_default();
        block.extend_from_slice(&ready[..ready.len().min(len)]);
        self.ready_at += block.len();
        while block.len() < len && self.append(block)? {}
        if let Some(excess) = block.get(len..).filter(|excess| !excess.is_empty()) {
            self.ready.clear();
            self.ready.extend_from_slice(excess);
            self.ready_at = 0;
            block.truncate(len);
        }
        Ok(!block.is_empty())
    }

    /// All samples that are left.
    ///
    /// # Errors
    /// As [`RecordingReader::next_block`]; more than 2^31 samples do not go into memory.
    pub fn rest(&mut self) -> Result<Vec<f32>, Unread> {
        let mut samples = Vec::new();
        while self.append(&mut samples)? {
            bounded(&samples).map_err(|trouble| with_hash(trouble, self.blake3).of_content(&self.source))?;
        }
        Ok(samples)
    }

    /// Appends the next samples to `samples`, as many as come easily; false when none are left.
    fn append(&mut self, samples: &mut Vec<f32>) -> Result<bool, Unread> {
        let before = samples.len();
        while samples.len() == before && !self.ended {
            self.decode(samples)
                .map_err(|trouble| with_hash(trouble, self.blake3).of_content(&self.source))?;
        }
        Ok(samples.len() > before)
    }

    /// One block of the file, or what is left in the resampler after the last of them.
    fn decode(&mut self, samples: &mut Vec<f32>) -> Result<(), Unusable> {
        if self.heading.channels == 1 && self.sample_rate == self.heading.sample_rate {
            // They are what is wanted already.
            let from = samples.len();
            self.ended = !self.append_part(samples)?;
            self.frames += (samples.len() - from) as u64;
            self.mend(&mut samples[from..]);
            return Ok(());
        }
        self.interleaved.clear();
        let mut interleaved = std::mem::take(&mut self.interleaved);
        let more = self.append_part(&mut interleaved)?;
        self.interleaved = interleaved;
        if !more {
            self.ended = true;
            return self.resampler.finish(samples).map_err(unusable_rate);
        }
        self.choose();
        let mut one_channel = std::mem::take(&mut self.one_channel);
        self.mend(&mut one_channel);
        self.one_channel = one_channel;
        self.resampler.append(&self.one_channel, samples).map_err(unusable_rate)
    }

    /// Appends the next frames of the part that is wanted; false when there are none.
    fn append_part(&mut self, samples: &mut Vec<f32>) -> Result<bool, Unusable> {
        let Some(window) = &mut self.window else { return self.decoder.append(samples) };
        if window.left == Some(0) {
            self.decoder.unchanged()?;
            return Ok(false);
        }
        let from = samples.len();
        if self.decoder.append(samples)? {
            window.trim(samples, from, usize::from(self.heading.channels));
            return Ok(true);
        }
        if window.skip == 0 {
            return Ok(false);
        }
        let missing = window.skip as f64 / f64::from(self.heading.sample_rate);
        let reason =
            format!("ends {missing:.3} s before the part begins that the manifest names: correct its offset");
        Err(Unusable::new("no_such_part", reason))
    }

    /// From `interleaved` to `one_channel`.
    fn choose(&mut self) {
        let width = usize::from(self.heading.channels);
        self.frames += (self.interleaved.len() / width) as u64;
        self.one_channel.clear();
        let frames = self.interleaved.chunks_exact(width);
        match self.channel {
            _ if width == 1 => std::mem::swap(&mut self.interleaved, &mut self.one_channel),
            Channel::Number(number) => {
                self.one_channel.extend(frames.filter_map(|frame| frame.get(usize::from(number))));
            }
            Channel::Mix if width == 2 => {
                let (frames, _) = self.interleaved.as_chunks();
                self.one_channel.extend(frames.iter().map(|[left, right]| (left + right) * 0.5));
            }
            Channel::Mix => {
                let share = 1.0 / width as f32;
                self.one_channel.extend(frames.map(|frame| frame.iter().sum::<f32>() * share));
            }
        }
    }

    /// NaN would spread through every feature of the clip, and becomes silence; so does what no transform can square.
    fn mend(&mut self, samples: &mut [f32]) {
        let width = Width::detect();
        let mut peak = largest_magnitude(width, samples);
        if peak > LARGEST.to_bits() {
            for sample in samples.iter_mut().filter(|sample| sample.is_nan() || sample.abs() > LARGEST) {
                *sample = 0.0;
                self.broken += 1;
            }
            peak = largest_magnitude(width, samples);
        }
        self.peak = self.peak.max(f32::from_bits(peak));
    }

    /// What of the recording could not be used, once all of it was read.
    #[must_use]
    pub fn warning(&self) -> Option<Warned> {
        /// Floats may pass full scale a little; beyond this the file is scaled otherwise, to 32768 for instance.
        const OVER_FULL_SCALE: f32 = 8.0;
        /// Manifests round.
        const TOLERATED_SECONDS: f64 = 0.1;
        let (code, reason) = match self.decoder.warning() {
            Some((code, reason)) => (*code, reason.clone()),
            None if self.broken > 0 => {
                let reason = format!(
                    "{} samples are NaN, infinite or beyond {LARGEST:e}: taken as silence",
                    self.broken
                );
                ("broken_samples", reason)
            }
            None if self.missing_seconds() > TOLERATED_SECONDS => {
                let reason = format!(
                    "ends {:.3} s before the part of it that the manifest names: used as far as it goes; correct its duration",
                    self.missing_seconds()
                );
                ("shorter_than_said", reason)
            }
            None if self.frames == 0 => {
                ("no_samples", "the header is sound, but no sample follows it".to_owned())
            }
            None if self.peak > OVER_FULL_SCALE => {
                let reason = format!(
                    "samples reach {:e}, where full scale is 1: used as they are; scale the recording",
                    self.peak
                );
                ("over_full_scale", reason)
            }
            None => return None,
        };
        Some(Warned { source: self.source.clone(), stage: Stage::Read, code: code.into(), reason })
    }
}

impl RecordingReader {
    /// What the part that is wanted is longer than the recording.
    fn missing_seconds(&self) -> f64 {
        let frames = self.window.as_ref().and_then(|window| window.left).unwrap_or(0);
        frames as f64 / f64::from(self.heading.sample_rate)
    }
}

/// The frames of a part of a recording that are still to come.
struct Window {
    /// Frames before it.
    skip: u64,
    /// Its own; `None`: all that come.
    left: Option<u64>,
}

impl Window {
    /// Leaves of the frames that stand in `samples` from `from` on those of the part.
    fn trim(&mut self, samples: &mut Vec<f32>, from: usize, width: usize) {
        let frames = (samples.len() - from) / width;
        let skipped = self.skip.min(frames as u64) as usize;
        self.skip -= skipped as u64;
        samples.drain(from..from + skipped * width);
        if let Some(left) = &mut self.left {
            let kept = (*left).min((frames - skipped) as u64);
            samples.truncate(from + kept as usize * width);
            *left -= kept;
        }
    }
}

fn with_hash(trouble: Unusable, blake3: Option<Digest>) -> Unusable {
    match blake3 {
        Some(blake3) => trouble.with_content(blake3),
        None => trouble,
    }
}

fn unusable_rate(reason: String) -> Unusable {
    Unusable::new("unusable_sample_rate", reason)
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::path::Path;

    use super::*;
    use crate::corpus::recordings::decode_held;
    use crate::corpus::{Identity, NameBy};

    fn rules(sample_rate: u32, channel: Channel) -> RecordingRules {
        RecordingRules { identity: Identity::new(NameBy::Path, "").unwrap(), sample_rate, channel }
    }

    /// Two channels of three seconds at 44.1 kHz.
    fn stereo() -> Vec<u8> {
        let spec = hound::WavSpec {
            channels: 2,
            sample_rate: 44_100,
            bits_per_sample: 16,
            sample_format: hound::SampleFormat::Int,
        };
        let mut cursor = std::io::Cursor::new(Vec::new());
        let mut writer = hound::WavWriter::new(&mut cursor, spec).unwrap();
        let mut stream = crate::math::random::Stream::new(1, "stereo", 0);
        (0..2 * 3 * 44_100).for_each(|_| writer.write_sample(stream.next_u32() as i16 / 2).unwrap());
        writer.finalize().unwrap();
        cursor.into_inner()
    }

    fn in_blocks(held: Held, name: &str, rules: &RecordingRules, len: usize) -> (Vec<u32>, RecordingReader) {
        let contents = RecordingContents { blake3: None, held };
        let mut reader = RecordingReader::new(name, rules, contents).unwrap();
        let (mut samples, mut block) = (Vec::new(), Vec::new());
        while reader.next_block(len, &mut block).unwrap() {
            assert!(block.len() <= len);
            samples.extend(block.iter().map(|sample| sample.to_bits()));
        }
        assert!(!reader.next_block(len, &mut block).unwrap());
        (samples, reader)
    }

    #[test]
    fn blocks_of_any_length_give_the_same_bits() {
        let tone = |name: &str| std::fs::read(Path::new("tests/broken").join(name)).unwrap();
        for (name, bytes) in [
            ("x.wav", stereo()),
            ("tone.flac", tone("tone.flac")),
            ("tone.mp3", tone("tone.mp3")),
            ("tone.m4a", tone("tone.m4a")),
        ] {
            for (rate, channel) in [(0, Channel::Mix), (16_000, Channel::Mix), (22_050, Channel::Number(0))] {
                let rules = rules(rate, channel);
                let (whole, reader) = in_blocks(Held::Bytes(bytes.clone()), name, &rules, usize::MAX);
                assert!(whole.len() >= 8000 && reader.warning().is_none(), "{name}");
                assert!(
                    (reader.seconds() - whole.len() as f64 / f64::from(reader.sample_rate())).abs() < 1e-3
                );
                for len in [1, 7, 160, 4096, 65_537] {
                    let (blocks, _) = in_blocks(Held::Bytes(bytes.clone()), name, &rules, len);
                    assert!(blocks == whole, "{name} at {rate} Hz in blocks of {len}");
                }
            }
        }
    }

    #[test]
    fn what_is_not_in_memory_gives_the_same_bits() {
        let folder = tempfile::tempdir().unwrap();
        let (wav, flac) = (stereo(), std::fs::read("tests/broken/tone.flac").unwrap());
        let gz = |bytes: &[u8]| {
            let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            gz.write_all(bytes).unwrap();
            gz.finish().unwrap()
        };
        for (name, on_disk, bytes) in [
            ("x.wav", wav.clone(), &wav),
            ("x.wav.gz", gz(&wav), &wav),
            ("x.wav.zst", zstd::encode_all(&wav[..], 1).unwrap(), &wav),
            ("x.flac", flac.clone(), &flac),
            ("x.flac.gz", gz(&flac), &flac),
        ] {
            let path = folder.path().join(name);
            std::fs::write(&path, &on_disk).unwrap();
            let (held, blake3) = hold_contents(&path, 1000).unwrap_or_else(|trouble| panic!("{trouble:?}"));
            assert!(!matches!(held, Held::Bytes(_)), "{name}");
            assert_eq!(blake3, Digest::of(&on_disk), "{name}");
            let rules = rules(16_000, Channel::Mix);
            let (whole, _) = in_blocks(Held::Bytes(bytes.clone()), name, &rules, usize::MAX);
            assert!(in_blocks(held, name, &rules, 1000).0 == whole, "{name}");
        }
    }

    #[test]
    fn a_file_that_changes_while_it_is_streamed_is_left_for_next_night() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.wav");
        std::fs::write(&path, stereo()).unwrap();
        let (held, _) = hold_contents(&path, 0).unwrap_or_else(|trouble| panic!("{trouble:?}"));
        std::fs::File::options().append(true).open(&path).unwrap().write_all(b"more").unwrap();
        let trouble = decode_held(held, "x.wav").unwrap_err();
        assert_eq!(trouble.code, "changed_while_read");
    }

    #[test]
    fn broken_floats_become_silence() {
        let float = |value: f32| value.to_le_bytes();
        let data = [float(0.5), float(f32::NAN), float(-1e38), float(-0.5)].concat();
        let head =
            b"RIFF\x34\0\0\0WAVEfmt \x10\0\0\0\x03\0\x01\0\x40\x1f\0\0\0\x7d\0\0\x04\0\x20\0data\x10\0\0\0";
        let bytes = [&head[..], &data].concat();
        let (samples, reader) = in_blocks(Held::Bytes(bytes), "x.wav", &rules(0, Channel::Mix), 3);
        assert_eq!(samples, [0.5, 0.0, 0.0, -0.5f32].map(f32::to_bits));
        assert_eq!(
            reader.warning().map(|warned| warned.code.into_owned()).as_deref(),
            Some("broken_samples")
        );
    }
}
