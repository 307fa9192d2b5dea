//! WAV: the header by hound, the samples in bulk from the bytes behind it.

use std::io::Cursor;

use hound::{SampleFormat, WavReader};

use super::quarantine::Unusable;
use super::recordings::Decoding;

/// Decodes a whole WAV file held in `bytes`.
///
/// Integers of 8 (unsigned), 16, 24 and 32 bits become value / 2^(bits−1), as libsndfile and librosa have it; 32-bit floats
/// stay. A file shorter than its header says is used as far as it goes; a data size of 0 or 0xFFFFFFFF, as streaming writers
/// leave it, means up to the end.
pub(super) fn decode_wav(bytes: &[u8]) -> Result<Decoding, Unusable> {
    let reader = WavReader::new(Cursor::new(bytes)).map_err(|error| header_trouble(bytes, error))?;
    let spec = reader.spec();
    let stated = u64::from(reader.len()) * u64::from(bytes_per_sample(bytes, spec.bits_per_sample));
    let data_at = reader.into_inner().position() as usize;
    let data = &bytes[data_at.min(bytes.len())..];
    if spec.channels == 0 || spec.sample_rate == 0 {
        let reason = format!("the header says {} channels at {} Hz", spec.channels, spec.sample_rate);
        return Err(Unusable::new("broken_header", reason).at(20));
    }
    let open_ended = (stated == 0 && !chunks_to_the_end(data)) || stated >= u64::from(u32::MAX) - 512;
    let used = if open_ended { data.len() } else { data.len().min(stated as usize) };
    let samples = convert(
        &data[..used],
        spec.sample_format,
        bytes_per_sample(bytes, spec.bits_per_sample),
        spec.bits_per_sample,
    )
    .ok_or_else(|| {
        let format = if spec.sample_format == SampleFormat::Float { "float" } else { "integer" };
        let reason = format!(
            "samples of {} bits, {format}, are not read: convert it to 16 or 24 bits",
            spec.bits_per_sample
        );
        Unusable::new("unsupported_samples", reason).at(34)
    })?;
    let truncated = !open_ended && (data.len() as u64) < stated;
    let warning = truncated.then(|| {
        let reason = format!(
            "the header promises {stated} bytes of samples, the file holds {}: used as far as it goes",
            data.len()
        );
        ("truncated", reason)
    });
    Ok(Decoding {
        samples,
        channels: spec.channels,
        sample_rate: spec.sample_rate,
        bits: Some(spec.bits_per_sample),
        warning,
    })
}

/// Whether nothing but whole chunks stands in `bytes`: behind a data chunk that is really empty.
fn chunks_to_the_end(mut bytes: &[u8]) -> bool {
    while !bytes.is_empty() {
        let Some((header, rest)) = bytes.split_at_checked(8) else { return false };
        let size = u32::from_le_bytes([header[4], header[5], header[6], header[7]]) as usize;
        if !header[..4].iter().all(|byte| byte.is_ascii_graphic() || *byte == b' ') || size > rest.len() {
            return false;
        }
        bytes = &rest[(size + (size & 1)).min(rest.len())..];
    }
    true
}

fn header_trouble(bytes: &[u8], error: hound::Error) -> Unusable {
    let (code, reason) = match error {
        hound::Error::Unsupported => {
            ("unsupported_wav", "a kind of WAV that is not read: convert it to plain PCM".to_owned())
        }
        hound::Error::IoError(_) => ("broken_header", "the file ends inside its header".to_owned()),
        hound::Error::FormatError(message) if message.contains("bits per sample") => {
            ("unsupported_samples", format!("{message}: convert it to 16 or 24 bits"))
        }
        hound::Error::FormatError(message) => ("broken_header", format!("not a WAV file: {message}")),
        other => ("broken_header", other.to_string()),
    };
    Unusable::new(code, reason).at(if bytes.starts_with(b"RIFF") { bytes.len().min(12) } else { 0 })
}

/// hound tells the used bits of a sample, not the bytes it stands in: 24 bits may stand in four. The block size of the format
/// chunk tells.
fn bytes_per_sample(bytes: &[u8], bits: u16) -> u16 {
    let mut at = 12;
    while let Some(header) = bytes.get(at..at + 8) {
        let size = u32::from_le_bytes([header[4], header[5], header[6], header[7]]) as usize;
        if &header[..4] == b"fmt "
            && let Some(&[a, b, .., c, d]) = bytes.get(at + 10..at + 22)
        {
            let (channels, block) = (u16::from_le_bytes([a, b]), u16::from_le_bytes([c, d]));
            return block.checked_div(channels).unwrap_or(0).max(1);
        }
        at = at.saturating_add(8).saturating_add(size).saturating_add(size & 1);
    }
    bits.div_ceil(8)
}

fn convert(data: &[u8], format: SampleFormat, width: u16, bits: u16) -> Option<Vec<f32>> {
    let scale = 1.0 / 2f32.powi(i32::from(bits) - 1);
    Some(match (format, width, bits) {
        (SampleFormat::Int, 1, 8) => data.iter().map(|&byte| (f32::from(byte) - 128.0) * scale).collect(),
        (SampleFormat::Int, 2, 16) => {
            data.as_chunks().0.iter().map(|&bytes| f32::from(i16::from_le_bytes(bytes)) * scale).collect()
        }
        (SampleFormat::Int, 3, 24) => data
            .as_chunks()
            .0
            .iter()
            .map(|&[a, b, c]| (i32::from_le_bytes([0, a, b, c]) >> 8) as f32 * scale)
            .collect(),
        (SampleFormat::Int, 4, 24) => data
            .as_chunks()
            .0
            .iter()
            .map(|&[a, b, c, _]| (i32::from_le_bytes([0, a, b, c]) >> 8) as f32 * scale)
            .collect(),
        (SampleFormat::Int, 4, 32) => {
            data.as_chunks().0.iter().map(|&bytes| i32::from_le_bytes(bytes) as f32 * scale).collect()
        }
        (SampleFormat::Float, 4, 32) => {
            data.as_chunks().0.iter().map(|&bytes| f32::from_le_bytes(bytes)).collect()
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use hound::{WavSpec, WavWriter};

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
}
