//! WAV: the chunks of the header, the samples in bulk from the bytes behind it.
//!
//! After "Multimedia Programming Interface and Data Specifications 1.0" (1991), WAVEFORMATEXTENSIBLE, and EBU Tech 3306 (RF64).

use super::quarantine::Unusable;
use super::recordings::Decoding;

/// Decodes a whole WAV file held in `bytes`.
///
/// Integers of 8 (unsigned), 16, 24 and 32 bits become value / 2^(bits−1), as libsndfile and librosa have it; floats of 32 and
/// 64 bits stay. A file shorter than its header says is used as far as it goes; a data size of 0 or 0xFFFFFFFF, as streaming
/// writers leave it, means up to the end.
pub(super) fn decode_wav(bytes: &[u8]) -> Result<Decoding, Unusable> {
    let Header { format, data_at, stated } = header(bytes)?;
    let data = bytes.get(data_at..).unwrap_or_default();
    let unknown = (u64::from(u32::MAX) - 512..=u64::from(u32::MAX)).contains(&stated);
    let open_ended = unknown || stated == 0 && !chunks_to_the_end(data);
    let held = data.len() as u64;
    let used = if open_ended { held } else { held.min(stated) };
    let whole = used - used % u64::from(format.block);
    let samples = convert(&data[..whole as usize], &format).ok_or_else(|| {
        let reason = format!(
            "samples of {} bits in {} bytes, {}, are not read: convert it to 16 or 24 bits",
            format.bits,
            format.width(),
            if format.float { "float" } else { "integer" },
        );
        Unusable::new("unsupported_samples", reason).at(format.at + 14)
    })?;
    let warning = if !open_ended && held < stated {
        let reason = format!(
            "the header promises {stated} bytes of samples, the file holds {held}: used as far as it goes"
        );
        Some(("truncated", reason))
    } else if whole < used {
        let reason = format!("{} bytes follow the last whole frame of samples: left out", used - whole);
        Some(("partial_frame", reason))
    } else if format.bytes_per_second != u64::from(format.sample_rate) * u64::from(format.block) {
        let reason = format!(
            "the header says {} bytes a second and {} Hz, which do not fit: used as {} Hz",
            format.bytes_per_second, format.sample_rate, format.sample_rate
        );
        Some(("inconsistent_header", reason))
    } else {
        None
    };
    Ok(Decoding {
        samples,
        channels: format.channels,
        sample_rate: format.sample_rate,
        bits: Some(format.valid_bits),
        warning,
    })
}

/// What stands before the samples.
struct Header {
    format: Format,
    /// Where the samples begin.
    data_at: usize,
    /// Bytes of samples that the header promises.
    stated: u64,
}

/// The format chunk.
struct Format {
    /// Where its contents begin.
    at: usize,
    float: bool,
    channels: u16,
    sample_rate: u32,
    bytes_per_second: u64,
    /// Bytes of a frame: a sample of each channel.
    block: u16,
    /// Bits of a sample as it is stored.
    bits: u16,
    /// Bits of a sample that carry sound.
    valid_bits: u16,
}

impl Format {
    /// Bytes in which a sample stands: 24 bits may stand in four.
    fn width(&self) -> u16 {
        self.block / self.channels
    }
}

/// Reads the chunks up to the samples.
fn header(bytes: &[u8]) -> Result<Header, Unusable> {
    let broken = |reason: &str, at: usize| Unusable::new("broken_header", reason).at(at);
    if bytes.starts_with(b"RIFX") {
        let reason = "a WAV file of a big-endian machine is not read: convert it to plain WAV";
        return Err(Unusable::new("unsupported_wav", reason).at(0));
    }
    if !(bytes.starts_with(b"RIFF") || bytes.starts_with(b"RF64") || bytes.starts_with(b"BW64")) {
        return Err(broken("not a WAV file: it does not begin with RIFF", 0));
    }
    if bytes.get(8..12) != Some(b"WAVE") {
        return Err(broken("not a WAV file: no WAVE follows RIFF", 8.min(bytes.len())));
    }
    let (mut at, mut trouble_at, mut known, mut long) = (12, 12, None, None);
    loop {
        let Some((name, size)) = chunk(bytes, at) else {
            return Err(broken("the file ends before its samples begin", trouble_at.min(bytes.len())));
        };
        let contents = bytes.get(at + 8..).unwrap_or_default();
        let contents = &contents[..contents.len().min(size)];
        match name {
            b"fmt " => known = Some(read_format(contents, at + 8)?),
            b"ds64" => long = u64_at(contents, 8),
            b"data" => {
                let format = known.ok_or_else(|| broken("the samples come before their format", at))?;
                let stated = long.filter(|_| size == u32::MAX as usize).unwrap_or(size as u64);
                return Ok(Header { format, data_at: at + 8, stated });
            }
            _ => {}
        }
        let next = next_chunk(bytes, at, size);
        // A chunk that reaches beyond the end is where the trouble lies, not the end.
        trouble_at = if at + 8 + size > bytes.len() { at } else { next };
        at = next;
    }
}

/// The name and the stated size of the chunk at `at`.
fn chunk(bytes: &[u8], at: usize) -> Option<(&[u8; 4], usize)> {
    let (name, rest) = bytes.get(at..at.checked_add(8)?)?.split_first_chunk::<4>()?;
    Some((name, u32_at(rest, 0)? as usize))
}

/// A chunk of an odd size is followed by a byte of padding, which some writers forget.
fn next_chunk(bytes: &[u8], at: usize, size: usize) -> usize {
    let end = at.saturating_add(8).saturating_add(size);
    let unpadded = || matches!(chunk(bytes, end), Some((b"data" | b"fmt " | b"fact" | b"LIST", _)));
    if size % 2 == 1 && !unpadded() { end.saturating_add(1) } else { end }
}

/// Reads the format chunk `contents`, which stands at `at` in the file.
fn read_format(contents: &[u8], at: usize) -> Result<Format, Unusable> {
    const PCM: u16 = 1;
    const FLOAT: u16 = 3;
    const EXTENSIBLE: u16 = 0xFFFE;
    let broken = |reason: String, by: usize| Unusable::new("broken_header", reason).at(at + by);
    let fields = || {
        Some((
            u16_at(contents, 0)?,
            u16_at(contents, 2)?,
            u32_at(contents, 4)?,
            u32_at(contents, 8)?,
            u16_at(contents, 12)?,
            u16_at(contents, 14)?,
        ))
    };
    let Some((tag, channels, sample_rate, bytes_per_second, block, bits)) = fields() else {
        return Err(broken(
            format!("its format chunk holds {} bytes, 16 at least are needed", contents.len()),
            0,
        ));
    };
    // An extensible format names the format proper in the first bytes of an identifier.
    let (tag, valid_bits) = match (tag, u16_at(contents, 18), u16_at(contents, 24)) {
        (EXTENSIBLE, Some(valid_bits), Some(tag)) => (tag, valid_bits),
        _ => (tag, bits),
    };
    if tag != PCM && tag != FLOAT {
        let reason = format!("the WAV format {tag:#06x} is not read: convert it to plain PCM");
        return Err(Unusable::new("unsupported_wav", reason).at(at));
    }
    if channels == 0 || sample_rate == 0 {
        return Err(broken(format!("the header says {channels} channels at {sample_rate} Hz"), 2));
    }
    if block == 0 || block % channels != 0 || u32::from(block / channels) * 8 < u32::from(bits) {
        let reason = format!("{channels} channels of {bits} bits do not stand in frames of {block} bytes");
        return Err(broken(reason, 12));
    }
    let valid_bits = if (1..=bits).contains(&valid_bits) { valid_bits } else { bits };
    let bytes_per_second = u64::from(bytes_per_second);
    Ok(Format { at, float: tag == FLOAT, channels, sample_rate, bytes_per_second, block, bits, valid_bits })
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

/// Whether nothing but whole chunks stands in `bytes`: behind a data chunk that is really empty.
fn chunks_to_the_end(bytes: &[u8]) -> bool {
    let mut at = 0;
    while at < bytes.len() {
        match chunk(bytes, at) {
            Some((name, size))
                if name.iter().all(|byte| byte.is_ascii_graphic() || *byte == b' ')
                    && size <= bytes.len() - at - 8 =>
            {
                at = next_chunk(bytes, at, size);
            }
            _ => return false,
        }
    }
    true
}

fn convert(data: &[u8], format: &Format) -> Option<Vec<f32>> {
    let scale = 1.0 / 2f32.powi(i32::from(format.bits) - 1);
    Some(match (format.float, format.width(), format.bits) {
        (false, 1, 8) => data.iter().map(|&byte| (f32::from(byte) - 128.0) * scale).collect(),
        (false, 2, 16) => {
            data.as_chunks().0.iter().map(|&bytes| f32::from(i16::from_le_bytes(bytes)) * scale).collect()
        }
        (false, 3, 24) => data
            .as_chunks()
            .0
            .iter()
            .map(|&[a, b, c]| (i32::from_le_bytes([0, a, b, c]) >> 8) as f32 * scale)
            .collect(),
        (false, 4, 24) => data
            .as_chunks()
            .0
            .iter()
            .map(|&[a, b, c, _]| (i32::from_le_bytes([0, a, b, c]) >> 8) as f32 * scale)
            .collect(),
        (false, 4, 32) => {
            data.as_chunks().0.iter().map(|&bytes| i32::from_le_bytes(bytes) as f32 * scale).collect()
        }
        (true, 4, 32) => data.as_chunks().0.iter().map(|&bytes| f32::from_le_bytes(bytes)).collect(),
        (true, 8, 64) => data.as_chunks().0.iter().map(|&bytes| f64::from_le_bytes(bytes) as f32).collect(),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use hound::{SampleFormat, WavReader, WavSpec, WavWriter};

    use super::*;

    fn written(bits: u16, format: SampleFormat, channels: u16, values: &[f32]) -> Vec<u8> {
        let mut cursor = Cursor::new(Vec::new());
        let spec = WavSpec { channels, sample_rate: 8000, bits_per_sample: bits, sample_format: format };
        let mut writer = WavWriter::new(&mut cursor, spec).unwrap();
        for &value in values {
            match format {
                SampleFormat::Float => writer.write_sample(value).unwrap(),
                SampleFormat::Int => {
                    writer.write_sample((f64::from(value) * 2f64.powi(i32::from(bits) - 1)) as i32).unwrap();
                }
            }
        }
        writer.finalize().unwrap();
        cursor.into_inner()
    }

    /// hound's own reader is the naive definition.
    fn by_hound(bytes: &[u8]) -> Vec<f32> {
        let mut reader = WavReader::new(Cursor::new(bytes)).unwrap();
        let spec = reader.spec();
        match spec.sample_format {
            SampleFormat::Float => reader.samples::<f32>().map(Result::unwrap).collect(),
            SampleFormat::Int => {
                let scale = 2f32.powi(i32::from(spec.bits_per_sample) - 1);
                reader.samples::<i32>().map(|sample| sample.unwrap() as f32 / scale).collect()
            }
        }
    }

    #[test]
    fn every_sample_format_is_read_as_hound_reads_it() {
        let values = [0.0, 0.5, -0.5, -1.0, 0.25, 0.984_375, -0.015_625, 0.0];
        for (bits, format) in [
            (8, SampleFormat::Int),
            (16, SampleFormat::Int),
            (24, SampleFormat::Int),
            (32, SampleFormat::Int),
            (32, SampleFormat::Float),
        ] {
            for channels in [1, 2, 4] {
                let bytes = written(bits, format, channels, &values);
                let decoded = decode_wav(&bytes).unwrap_or_else(|trouble| panic!("{bits} {trouble:?}"));
                assert_eq!(decoded.samples, by_hound(&bytes), "{bits} bits, {channels} channels");
                assert_eq!(decoded.samples, values, "{bits} bits, {channels} channels");
                assert_eq!(
                    (decoded.channels, decoded.sample_rate, decoded.bits),
                    (channels, 8000, Some(bits))
                );
                assert_eq!(decoded.warning, None);
            }
        }
    }

    #[test]
    fn a_truncated_file_is_used_as_far_as_it_goes() {
        let bytes = written(16, SampleFormat::Int, 1, &[0.5; 100]);
        let decoded = decode_wav(&bytes[..bytes.len() - 61]).unwrap_or_else(|trouble| panic!("{trouble:?}"));
        assert_eq!(decoded.samples.len(), 69);
        assert_eq!(decoded.warning.map(|(code, _)| code), Some("truncated"));
    }

    #[test]
    fn an_unknown_data_size_means_up_to_the_end() {
        let mut bytes = written(16, SampleFormat::Int, 1, &[0.5; 10]);
        let at = bytes.windows(4).position(|window| window == b"data").unwrap() + 4;
        for size in [0, u32::MAX - 1] {
            bytes[at..at + 4].copy_from_slice(&u32::to_le_bytes(size));
            let decoded = decode_wav(&bytes).unwrap_or_else(|trouble| panic!("{trouble:?}"));
            assert_eq!((decoded.samples.len(), decoded.warning), (10, None));
        }
    }

    #[test]
    fn an_empty_data_chunk_before_others_is_empty() {
        let mut bytes = written(16, SampleFormat::Int, 1, &[]);
        bytes.extend(b"LIST\x04\0\0\0INFO");
        let decoded = decode_wav(&bytes).unwrap_or_else(|trouble| panic!("{trouble:?}"));
        assert!(decoded.samples.is_empty());
    }

    #[test]
    fn broken_headers_are_refused_without_a_panic() {
        let bytes = written(24, SampleFormat::Int, 2, &[0.5; 10]);
        for cut in 0..bytes.len() {
            let _ = decode_wav(&bytes[..cut]);
        }
        for at in 0..60.min(bytes.len()) {
            for value in [0, 1, 0x7F, 0xFF] {
                let mut broken = bytes.clone();
                broken[at] = value;
                let _ = decode_wav(&broken);
            }
        }
        assert_eq!(
            decode_wav(b"no wave").err().map(|trouble| trouble.code).as_deref(),
            Some("broken_header")
        );
    }

    /// A header with these chunks before one of two samples of 16 bits, 0.5 and -0.5.
    fn with_chunks(magic: &[u8], chunks: &[&[u8]], data_size: u32) -> Vec<u8> {
        let head = [magic, &[0xFF; 4], b"WAVE"].concat();
        [&head, &chunks.concat(), &b"data"[..], &data_size.to_le_bytes(), &[0, 0x40, 0, 0xC0]].concat()
    }

    fn format(tag: u16, channels: u16, rate: u32, bytes_per_second: u32, block: u16, bits: u16) -> Vec<u8> {
        let [tag, channels, block, bits] = [tag, channels, block, bits].map(u16::to_le_bytes);
        let [rate, bytes_per_second] = [rate, bytes_per_second].map(u32::to_le_bytes);
        [&b"fmt \x10\0\0\0"[..], &tag, &channels, &rate, &bytes_per_second, &block, &bits].concat()
    }

    #[test]
    fn chunks_stand_in_any_order_padded_or_not_and_large_files_have_their_size_elsewhere() {
        let plain = format(1, 1, 8000, 16_000, 2, 16);
        let long = [&b"ds64\x1c\0\0\0"[..], &[0; 8], &4u64.to_le_bytes(), &[0; 12]].concat();
        let extensible = {
            let mut bytes = format(0xFFFE, 1, 8000, 16_000, 2, 16);
            bytes[4] = 40;
            bytes.extend([22, 0, 12, 0, 4, 0, 0, 0, 1, 0]);
            bytes.extend([0; 14]);
            bytes
        };
        for (magic, chunks, size) in [
            (&b"RIFF"[..], vec![&plain[..]], 4),
            (b"RIFF", vec![b"LIST\x03\0\0\0abc\0", &plain], 4),
            (b"RIFF", vec![b"LIST\x03\0\0\0abc", &plain], 4),
            (b"RIFF", vec![b"junk\0\0\0\0", &plain, b"LIST\x01\0\0\0a\0"], 4),
            (b"RF64", vec![&long, &plain], u32::MAX),
            (b"BW64", vec![&long, &plain], u32::MAX),
            (b"RIFF", vec![&extensible], 4),
        ] {
            let bytes = with_chunks(magic, &chunks, size);
            let decoded = decode_wav(&bytes).unwrap_or_else(|trouble| panic!("{chunks:?}: {trouble:?}"));
            assert_eq!((decoded.samples, decoded.warning), (vec![0.5, -0.5], None), "{chunks:?}");
        }
        let decoded = decode_wav(&with_chunks(b"RIFF", &[&extensible], 4)).unwrap();
        assert_eq!(decoded.bits, Some(12));
    }

    #[test]
    fn headers_that_lie_are_refused_at_the_place_of_the_lie() {
        let outcome = |chunk: &[u8]| {
            let trouble = decode_wav(&with_chunks(b"RIFF", &[chunk], 4)).err();
            trouble.map(|trouble| (trouble.code.into_owned(), trouble.byte_offset))
        };
        let refused = |code: &str, at: u64| Some((code.to_owned(), Some(at)));
        assert_eq!(outcome(&format(1, 0, 8000, 0, 2, 16)), refused("broken_header", 22));
        assert_eq!(outcome(&format(1, 1, 0, 0, 2, 16)), refused("broken_header", 22));
        assert_eq!(outcome(&format(1, 1, 8000, 0, 0, 16)), refused("broken_header", 32));
        assert_eq!(outcome(&format(1, 2, 8000, 0, 5, 16)), refused("broken_header", 32));
        assert_eq!(outcome(&format(1, 65_535, 8000, 0, 4, 16)), refused("broken_header", 32));
        assert_eq!(outcome(&format(1, 1, 8000, 0, 2, 7)), refused("unsupported_samples", 34));
        assert_eq!(outcome(&format(1, 1, 8000, 0, 2, 0)), refused("unsupported_samples", 34));
        assert_eq!(outcome(&format(1, 1, 8000, 0, 32, 255)), refused("unsupported_samples", 34));
        assert_eq!(outcome(&format(6, 1, 8000, 8000, 1, 8)), refused("unsupported_wav", 20));
        assert_eq!(outcome(b"fmt \x04\0\0\0\x01\0\x01\0"), refused("broken_header", 20));
        assert_eq!(outcome(b""), refused("broken_header", 12));
        assert_eq!(outcome(b"LIST\xFF\xFF\xFF\xFFabc"), refused("broken_header", 12));
        let nested = [&b"RIFF\x04\0\0\0WAVE"[..], &format(1, 1, 8000, 16_000, 2, 16)].concat();
        assert_eq!(outcome(&nested), None);
        let warned = decode_wav(&with_chunks(b"RIFF", &[&format(1, 1, 8000, 9, 2, 16)], 4)).unwrap().warning;
        assert_eq!(warned.map(|(code, _)| code), Some("inconsistent_header"));
        let warned =
            decode_wav(&with_chunks(b"RIFF", &[&format(1, 1, 8000, 16_000, 2, 16)], 3)).unwrap().warning;
        assert_eq!(warned.map(|(code, _)| code), Some("partial_frame"));
        let float = written(32, SampleFormat::Float, 1, &[]);
        let mut double = format(3, 1, 8000, 64_000, 8, 64);
        double.extend(b"data\x08\0\0\0");
        double.extend(0.25f64.to_le_bytes());
        let decoded = decode_wav(&[&float[..12], &double[..]].concat()).unwrap();
        assert_eq!((decoded.samples, decoded.bits), (vec![0.25], Some(64)));
    }
}
