//! FLAC, MP3, OGG Vorbis, AAC and ALAC through symphonia, packet by packet.

use std::io::{self, Read, Seek, SeekFrom};
use std::panic::{AssertUnwindSafe, catch_unwind};

use symphonia::core::codecs::audio::well_known::CODEC_ID_FLAC;
use symphonia::core::codecs::audio::{AudioDecoder, AudioDecoderOptions};
use symphonia::core::errors::Error;
use symphonia::core::formats::probe::Hint;
use symphonia::core::formats::{FormatOptions, FormatReader, TrackType};
use symphonia::core::io::{MediaSource, MediaSourceStream, MediaSourceStreamOptions};
use symphonia::core::meta::MetadataOptions;
use symphonia::core::packet::Packet;

use super::contents::{Seekable, unreadable};
use super::decoding::Heading;
use super::edit_list::lead;
use super::quarantine::Unusable;

/// What every file may decode to, however small it is: six minutes of stereo at 48 kHz.
const FREE_SAMPLES: u64 = 2 * 48_000 * 360;

/// Beyond [`FREE_SAMPLES`]: how many samples a byte of the file may decode to. Speech gives under 20; FLAC can write 65,535 equal
/// samples in 14 bytes.
const MAX_SAMPLES_PER_BYTE: u64 = 200;

/// Frames of silence that encoders put around the sound, and that some count and others do not.
const PADDING_FRAMES: u64 = 8192;

/// What every file may have of packets; beyond it, one for each of its bytes.
const FREE_PACKETS: u64 = 10_000;

/// A compressed recording that is being decoded.
///
/// Packets that cannot be decoded are left out and said; a file of which nothing can be decoded is unusable.
pub(super) struct CompressedStream {
    format: Box<dyn FormatReader>,
    decoder: Box<dyn AudioDecoder>,
    track_id: u32,
    /// Frames that the header promises.
    promised: Option<u64>,
    /// Frames beyond those that are no contradiction.
    slack: u64,
    /// Bytes of the file.
    len: u64,
    heading: Heading,
    /// Samples of the first packet that could be decoded.
    first: Vec<f32>,
    packet: Vec<f32>,
    /// Frames at the start that are not to be heard.
    lead: u64,
    packets: u64,
    lost: u64,
    /// Samples decoded so far, those of the lead with them.
    samples: u64,
    ended: bool,
    warning: Option<(&'static str, String)>,
}

/// What became of a packet.
enum Decoded {
    /// Its samples are in `packet`, in this format.
    Samples {
        sample_rate: u32,
        channels: u16,
    },
    Lost,
    /// There is none: the stream is at its end, or breaks off.
    End,
}

impl CompressedStream {
    /// Reads the header and the first packet that can be decoded; `extension` helps to tell the format.
    pub fn open((mut source, len): (Box<dyn Seekable>, u64), extension: &str) -> Result<Self, Unusable> {
        let lead = lead(source.as_mut()).map_err(|error| unreadable(&error))?;
        let source = Source {
            seekable: has_index(source.as_mut()).map_err(|error| unreadable(&error))?,
            inner: source,
            len,
        };
        let mut stream = guarded(|| Self::probe(source, len, extension))?;
        loop {
            match guarded(|| stream.decode())? {
                Decoded::Samples { sample_rate, channels } => {
                    stream.heading = Heading { channels, sample_rate, ..stream.heading };
                    stream.first = std::mem::take(&mut stream.packet);
                    stream.lead = lead.map_or(0, |lead| lead.frames(sample_rate));
                    return Ok(stream);
                }
                Decoded::Lost => {}
                Decoded::End => {
                    let reason = "nothing in it can be decoded: record or copy it again";
                    return Err(Unusable::new("undecodable", reason));
                }
            }
        }
    }

    fn probe(source: Source, len: u64, extension: &str) -> Result<Self, Unusable> {
        let mut hint = Hint::new();
        hint.with_extension(extension);
        let source = MediaSourceStream::new(Box::new(source), MediaSourceStreamOptions::default());
        let format = symphonia::default::get_probe()
            .probe(&hint, source, FormatOptions::default(), MetadataOptions::default())
            .map_err(|error| broken(&error))?;
        let track = format
            .default_track(TrackType::Audio)
            .ok_or_else(|| Unusable::new("no_audio", "holds no audio track: leave it out with `exclude`"))?;
        let parameters =
            track.codec_params.as_ref().and_then(|parameters| parameters.audio()).ok_or_else(|| {
                let reason = "its audio track says nothing of its format: convert it to WAV or FLAC";
                Unusable::new("no_audio", reason)
            })?;
        let bits = parameters.bits_per_sample.and_then(|bits| u16::try_from(bits).ok());
        let decoder = symphonia::default::get_codecs()
            .make_audio_decoder(parameters, &AudioDecoderOptions::default())
            .map_err(|error| {
                Unusable::new("unsupported_codec", format!("{error}: convert it to WAV or FLAC"))
            })?;
        let (track_id, promised) = (track.id, track.num_frames);
        let slack = if parameters.codec == CODEC_ID_FLAC { 0 } else { PADDING_FRAMES };
        Ok(Self {
            format,
            decoder,
            track_id,
            promised,
            slack,
            len,
            heading: Heading { channels: 0, sample_rate: 0, bits },
            first: Vec::new(),
            packet: Vec::new(),
            lead: 0,
            packets: 0,
            lost: 0,
            samples: 0,
            ended: false,
            warning: None,
        })
    }

    pub fn heading(&self) -> Heading {
        self.heading
    }

    /// What of the file could not be used, once all of it was read.
    pub fn warning(&self) -> Option<&(&'static str, String)> {
        self.warning.as_ref()
    }

    /// Appends the next frames to `samples`; false when there are none.
    pub fn append(&mut self, samples: &mut Vec<f32>) -> Result<bool, Unusable> {
        let mut next = std::mem::take(&mut self.first);
        self.take_up(&mut next)?;
        while next.is_empty() && !self.ended {
            match guarded(|| self.decode())? {
                Decoded::Samples { sample_rate, channels }
                    if (sample_rate, channels) != (self.heading.sample_rate, self.heading.channels) =>
                {
                    self.ended = true;
                    self.warning =
                        Some(("format_changes", "the format changes on the way: used up to there".into()));
                }
                Decoded::Samples { .. } => {
                    next = std::mem::take(&mut self.packet);
                    self.take_up(&mut next)?;
                }
                Decoded::Lost => {}
                Decoded::End => self.finish(),
            }
        }
        samples.extend_from_slice(&next);
        let more = !next.is_empty();
        self.packet = next;
        Ok(more)
    }

    /// Counts the samples of a packet, and takes those off that belong to the lead.
    fn take_up(&mut self, samples: &mut Vec<f32>) -> Result<(), Unusable> {
        self.samples += samples.len() as u64;
        if self.samples > self.len.saturating_mul(MAX_SAMPLES_PER_BYTE).max(FREE_SAMPLES) {
            let samples = self.samples;
            let what = format!(
                "decodes to {samples} samples and more, over {MAX_SAMPLES_PER_BYTE} for each of its bytes"
            );
            return Err(bomb(&what));
        }
        let channels = u64::from(self.heading.channels);
        let early = self.lead.min(samples.len() as u64 / channels);
        self.lead -= early;
        samples.drain(..(early * channels) as usize);
        Ok(())
    }

    /// Decodes the next packet into `packet`.
    fn decode(&mut self) -> Result<Decoded, Unusable> {
        let Some(packet) = self.next_packet()? else { return Ok(Decoded::End) };
        self.packets += 1;
        if self.packets > self.len.max(FREE_PACKETS) {
            return Err(bomb("promises more packets than it has bytes"));
        }
        if packet.track_id != self.track_id {
            return Ok(Decoded::Lost);
        }
        match self.decoder.decode(&packet) {
            Ok(decoded) => {
                decoded.copy_to_vec_interleaved(&mut self.packet);
                let channels = u16::try_from(decoded.spec().channels().count()).unwrap_or(0);
                let sample_rate = decoded.spec().rate();
                if channels == 0 || sample_rate == 0 {
                    let reason = format!(
                        "its audio track has {channels} channels at {sample_rate} Hz: convert it to WAV or FLAC"
                    );
                    return Err(Unusable::new("broken_header", reason));
                }
                Ok(Decoded::Samples { sample_rate, channels })
            }
            Err(Error::DecodeError(_) | Error::IoError(_)) => {
                self.lost += 1;
                Ok(Decoded::Lost)
            }
            Err(error) => Err(broken(&error)),
        }
    }

    /// The next packet; a stream that breaks off is at its end, and that is said.
    fn next_packet(&mut self) -> Result<Option<Packet>, Unusable> {
        self.format.next_packet().or_else(|error| {
            if let Error::IoError(error) = &error
                && error.raw_os_error().is_some()
            {
                return Err(unreadable(error));
            }
            let reason = format!("the stream breaks off ({error}): used as far as it goes");
            self.warning = Some(("truncated", reason));
            Ok(None)
        })
    }

    /// Compares what was promised with what was there.
    fn finish(&mut self) {
        self.ended = true;
        if self.warning.is_some() {
            return;
        }
        let frames = self.samples / u64::from(self.heading.channels);
        if self.lost > 0 {
            let reason = format!("{} packets cannot be decoded: left out", self.lost);
            self.warning = Some(("lost_packets", reason));
            return;
        }
        let promised = self.promised.filter(|promised| *promised > 0);
        if let Some(promised) = promised.filter(|promised| *promised > frames) {
            let reason = format!(
                "the header promises {promised} samples a channel, {frames} are there: used as far as it goes"
            );
            self.warning = Some(("truncated", reason));
        } else if let Some(promised) =
            promised.filter(|promised| promised.saturating_add(self.slack) < frames)
        {
            let reason = format!(
                "the header promises {promised} samples a channel, {frames} are there: all of them were used"
            );
            self.warning = Some(("inconsistent_header", reason));
        }
    }
}

fn bomb(what: &str) -> Unusable {
    let reason = format!("{what}: nothing to hear; if it is, convert it to WAV");
    Unusable::new("decompression_bomb", reason)
}

fn broken(error: &Error) -> Unusable {
    Unusable::new("undecodable", format!("cannot be decoded: {error}; convert it to WAV or FLAC"))
}

/// A decoder that fails an assertion over a damaged file must not end the night. What it leaves behind is not used again.
fn guarded<T>(work: impl FnOnce() -> Result<T, Unusable>) -> Result<T, Unusable> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| {
        let reason = "a decoder gave up on it: convert it to WAV, and report it";
        Err(Unusable::new("decoder_failed", reason))
    })
}

/// Whether the file is of a format in which other places than the next must be read. MPEG audio is not: where it does not say
/// how long it is, symphonia would look into it here and there, guess from the size of a few frames, and end it there.
fn has_index(source: &mut dyn Seekable) -> io::Result<bool> {
    let mut first = Vec::new();
    source.take(8).read_to_end(&mut first)?;
    source.seek(SeekFrom::Start(0))?;
    Ok(first.starts_with(b"OggS") || first.starts_with(b"fLaC") || first.ends_with(b"ftyp"))
}

/// A source of known length, as symphonia wants it.
struct Source {
    inner: Box<dyn Seekable>,
    len: u64,
    seekable: bool,
}

impl Read for Source {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.inner.read(buffer)
    }
}

impl Seek for Source {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.inner.seek(to)
    }
}

impl MediaSource for Source {
    fn is_seekable(&self) -> bool {
        self.seekable
    }

    fn byte_len(&self) -> Option<u64> {
        Some(self.len)
    }
}

#[cfg(test)]
mod tests {
    use crate::corpus::recordings::decode_recording;

    /// Half a second at 16 kHz; 36 bits from the middle of byte 21 on say how many samples.
    #[test]
    fn a_flac_header_and_a_length_that_disagree_are_said() {
        let whole = std::fs::read("tests/broken/tone.flac").unwrap();
        for (promised, code) in [
            (0u32, None),
            (1000, Some("inconsistent_header")),
            (7999, Some("inconsistent_header")),
            (8000, None),
            (8001, Some("truncated")),
            (1 << 31, Some("truncated")),
        ] {
            let mut bytes = whole.clone();
            bytes[22..26].copy_from_slice(&promised.to_be_bytes());
            let decoded = decode_recording(bytes, "x.flac").unwrap();
            assert_eq!(decoded.samples.len(), 8000, "{promised}");
            assert_eq!(decoded.warning.map(|(code, _)| code), code, "{promised}");
        }
    }
}
