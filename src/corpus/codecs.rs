//! FLAC, MP3 and OGG Vorbis through symphonia.

use std::io::Cursor;

use symphonia::core::codecs::audio::AudioDecoderOptions;
use symphonia::core::errors::Error;
use symphonia::core::formats::probe::Hint;
use symphonia::core::formats::{FormatOptions, FormatReader, TrackType};
use symphonia::core::io::{MediaSourceStream, MediaSourceStreamOptions};
use symphonia::core::meta::MetadataOptions;

use super::quarantine::Unusable;
use super::recordings::Decoding;

/// Samples that one file may decode to, all channels together: six hours of stereo at 48 kHz, 8 GiB of memory.
const MAX_SAMPLES: usize = 1 << 31;

/// What every file may decode to, however small it is: six minutes of stereo at 48 kHz.
const FREE_SAMPLES: usize = 2 * 48_000 * 360;

/// Beyond [`FREE_SAMPLES`]: how many samples a byte of the file may decode to. Speech gives under 20; FLAC can write 65,535 equal
/// samples in 14 bytes.
const MAX_SAMPLES_PER_BYTE: usize = 200;

/// Decodes a whole compressed recording held in `bytes`; `extension` helps to tell the format.
///
/// Packets that cannot be decoded are left out and said; a file of which nothing can be decoded is unusable.
pub(super) fn decode_compressed(bytes: Vec<u8>, extension: &str) -> Result<Decoding, Unusable> {
    let limit = bytes.len().saturating_mul(MAX_SAMPLES_PER_BYTE).clamp(FREE_SAMPLES, MAX_SAMPLES);
    let mut hint = Hint::new();
    hint.with_extension(extension);
    let source = MediaSourceStream::new(Box::new(Cursor::new(bytes)), MediaSourceStreamOptions::default());
    let mut format = symphonia::default::get_probe()
        .probe(&hint, source, FormatOptions::default(), MetadataOptions::default())
        .map_err(|error| broken(&error))?;
    let track = format
        .default_track(TrackType::Audio)
        .ok_or_else(|| Unusable::new("no_audio", "holds no audio track"))?;
    let track_id = track.id;
    let promised = track.num_frames;
    let parameters = track
        .codec_params
        .as_ref()
        .and_then(|parameters| parameters.audio())
        .ok_or_else(|| Unusable::new("no_audio", "its audio track says nothing of its format"))?;
    let bits = parameters.bits_per_sample.and_then(|bits| u16::try_from(bits).ok());
    let mut decoder = symphonia::default::get_codecs()
        .make_audio_decoder(parameters, &AudioDecoderOptions::default())
        .map_err(|error| Unusable::new("unsupported_codec", format!("{error}: convert it to WAV or FLAC")))?;
    let mut decoding = Decoding { samples: Vec::new(), channels: 0, sample_rate: 0, bits, warning: None };
    let mut packet_samples: Vec<f32> = Vec::new();
    let mut lost = 0usize;
    while let Some(packet) = next_packet(format.as_mut(), &mut decoding) {
        if packet.track_id != track_id {
            continue;
        }
        let decoded = match decoder.decode(&packet) {
            Ok(decoded) => decoded,
            Err(Error::DecodeError(_) | Error::IoError(_)) => {
                lost += 1;
                continue;
            }
            Err(error) => return Err(broken(&error)),
        };
        let (rate, channels) = (decoded.spec().rate(), decoded.spec().channels().count() as u16);
        if decoding.channels == 0 {
            (decoding.sample_rate, decoding.channels) = (rate, channels);
        }
        if (decoding.sample_rate, decoding.channels) != (rate, channels) {
            decoding.warning =
                Some(("format_changes", "the format changes on the way: used up to there".into()));
            break;
        }
        decoded.copy_to_vec_interleaved(&mut packet_samples);
        decoding.samples.extend_from_slice(&packet_samples);
        if decoding.samples.len() > limit {
            return Err(beyond(limit));
        }
    }
    finish(decoding, lost, promised)
}

fn beyond(limit: usize) -> Unusable {
    if limit == MAX_SAMPLES {
        return Unusable::new("too_long", format!("holds more than {MAX_SAMPLES} samples: split it"));
    }
    let reason = format!(
        "decodes to more than {limit} samples, {MAX_SAMPLES_PER_BYTE} for each of its bytes: nothing to hear; if it is, convert it to WAV"
    );
    Unusable::new("decompression_bomb", reason)
}

/// The next packet; an error of the stream ends it, and is said.
fn next_packet(
    format: &mut dyn FormatReader,
    decoding: &mut Decoding,
) -> Option<symphonia::core::packet::Packet> {
    match format.next_packet() {
        Ok(packet) => packet,
        Err(error) => {
            decoding.warning =
                Some(("truncated", format!("the stream breaks off ({error}): used as far as it goes")));
            None
        }
    }
}

fn finish(mut decoding: Decoding, lost: usize, promised: Option<u64>) -> Result<Decoding, Unusable> {
    if decoding.channels == 0 {
        return Err(Unusable::new("undecodable", "nothing in it can be decoded: record or copy it again"));
    }
    let frames = (decoding.samples.len() / usize::from(decoding.channels)) as u64;
    if decoding.warning.is_none() && lost > 0 {
        decoding.warning = Some(("lost_packets", format!("{lost} packets cannot be decoded: left out")));
    }
    if let (None, Some(promised)) = (&decoding.warning, promised)
        && frames < promised
    {
        let reason = format!(
            "the header promises {promised} samples a channel, {frames} are there: used as far as it goes"
        );
        decoding.warning = Some(("truncated", reason));
    }
    Ok(decoding)
}

fn broken(error: &Error) -> Unusable {
    Unusable::new("undecodable", format!("cannot be decoded: {error}; convert it to WAV or FLAC"))
}
