//! Bytes to samples, whatever the format: WAV by its own reader, anything else by the codecs.

use super::codecs::CompressedStream;
use super::contents::{Held, Opened};
use super::lookahead::Lookahead;
use super::quarantine::Unusable;
use super::wav::WavStream;

/// What a recording says of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Heading {
    /// At least 1.
    pub channels: u16,
    /// Hz, at least 1.
    pub sample_rate: u32,
    /// Bits of a sample, where the format has such.
    pub bits: Option<u16>,
}

/// A recording that is being decoded, block by block.
pub(super) struct Decoder {
    stream: Stream,
    /// The file that is read from, where it is not in memory.
    file: Option<Opened>,
    /// Bytes of it, where they are known.
    len: Option<u64>,
}

enum Stream {
    Wav(Box<WavStream>),
    Compressed(Box<CompressedStream>),
}

/// Sample rates that recordings have. Any other stands in a broken header, and a resampler would take it at its word.
const SAMPLE_RATES_HZ: std::ops::RangeInclusive<u32> = 1_000..=768_000;

/// What a WAV file begins with.
const WAV_MAGIC: [&[u8]; 4] = [b"RIFF", b"RIFX", b"RF64", b"BW64"];

impl Decoder {
    /// Reads the header of what is `held`; `source` tells the format where the bytes do not.
    ///
    /// By content first: a WAV file called `.flac` is still read as what it is.
    pub fn open(held: Held, source: &str) -> Result<Self, Unusable> {
        let extension = super::recordings::extension(source);
        let first = held.first()?;
        if first.is_empty() {
            return Err(Unusable::new("empty_file", "holds no byte: record or copy it again").at(0));
        }
        let is_wav = WAV_MAGIC.contains(&first.as_slice()) || matches!(extension.as_str(), "wav" | "wave");
        let (file, len) = (held.file(), held.len());
        let stream = if is_wav {
            Stream::Wav(Box::new(WavStream::open(Lookahead::new(held.into_reader()?))?))
        } else {
            Stream::Compressed(Box::new(CompressedStream::open(held.into_seekable()?, &extension)?))
        };
        let decoder = Self { stream, file, len };
        let rate = decoder.heading().sample_rate;
        if SAMPLE_RATES_HZ.contains(&rate) {
            return Ok(decoder);
        }
        let reason = format!(
            "the header says {rate} Hz: no recording has that sample rate; set the rate that it was recorded at"
        );
        Err(Unusable::new("broken_header", reason).at(24))
    }

    pub fn heading(&self) -> Heading {
        match &self.stream {
            Stream::Wav(stream) => stream.heading(),
            Stream::Compressed(stream) => stream.heading(),
        }
    }

    /// Samples that there are at most, all channels together: as many as the file has room for, whatever its header says.
    pub fn most_samples(&self) -> Option<usize> {
        match &self.stream {
            Stream::Wav(stream) => usize::try_from(stream.most_samples(self.len?)).ok(),
            Stream::Compressed(_) => None,
        }
    }

    /// What of it could not be used, once all was read: code and reason.
    pub fn warning(&self) -> Option<&(&'static str, String)> {
        match &self.stream {
            Stream::Wav(stream) => stream.warning(),
            Stream::Compressed(stream) => stream.warning(),
        }
    }

    /// Appends the next whole frames to `samples`, interleaved; false when there are none.
    pub fn append(&mut self, samples: &mut Vec<f32>) -> Result<bool, Unusable> {
        let more = match &mut self.stream {
            Stream::Wav(stream) => stream.append(samples),
            Stream::Compressed(stream) => stream.append(samples),
        }?;
        if !more {
            self.unchanged()?;
        }
        Ok(more)
    }

    /// # Errors
    /// The file was written to since it was opened.
    pub fn unchanged(&self) -> Result<(), Unusable> {
        self.file.as_ref().map_or(Ok(()), Opened::unchanged)
    }
}
