//! WAV: the chunks of the header, then the samples block by block.
//!
//! After "Multimedia Programming Interface and Data Specifications 1.0" (1991), WAVEFORMATEXTENSIBLE, EBU Tech 3306 (RF64), ITU-R
//! BS.2088 (BW64) and ITU-T G.711.

mod header;
mod samples;

use self::header::{Coding, Format, Header, read_header};
use self::samples::Conversion;
use super::contents::unreadable;
use super::decoding::Heading;
use super::lookahead::Lookahead;
use super::quarantine::Unusable;

/// Bytes of samples that are read at once, about: they stay in the processor's cache until they are numbers.
const BLOCK_BYTES: usize = 64 << 10;

/// A WAV file that is being read.
///
/// Integers become value / 2^(bits−1), as libsndfile and librosa have it; floats stay. A file shorter than its header says is
/// used as far as it goes; a data size of 0 or 0xFFFFFFFF, as writers into a pipe leave it, means up to the end. Whatever the
/// header promises, no more memory is taken than a block.
pub(super) struct WavStream {
    stream: Lookahead,
    format: Format,
    conversion: Conversion,
    /// Bytes of samples that the header promises.
    stated: Option<u64>,
    /// Bytes of the file that the header promises.
    file_len: Option<u64>,
    /// Bytes of samples read so far.
    read: u64,
    block: Vec<u8>,
    warning: Option<(&'static str, String)>,
}

impl WavStream {
    /// Reads the header of `stream`.
    pub fn open(mut stream: Lookahead) -> Result<Self, Unusable> {
        let Header { format, stated, file_len } = read_header(&mut stream)?;
        let conversion = Conversion::of(&format)?;
        let frame = usize::from(format.block);
        let block = vec![0; (BLOCK_BYTES / frame).max(1) * frame];
        let warning = None;
        Ok(Self { stream, format, conversion, stated, file_len, read: 0, block, warning })
    }

    pub fn heading(&self) -> Heading {
        let Format { channels, sample_rate, valid_bits, coding, .. } = self.format;
        // The codes of G.711 stand for whole numbers of so many bits.
        let bits = match coding {
            Coding::Integer | Coding::Float => valid_bits,
            Coding::ALaw => 13,
            Coding::MuLaw => 14,
        };
        Heading { channels, sample_rate, bits: Some(bits) }
    }

    /// What of the file could not be used, once all of it was read.
    pub fn warning(&self) -> Option<&(&'static str, String)> {
        self.warning.as_ref()
    }

    /// Appends the next frames to `samples`; false when there are none.
    pub fn append(&mut self, samples: &mut Vec<f32>) -> Result<bool, Unusable> {
        let left = self.stated.map_or(u64::MAX, |stated| stated - self.read);
        let wanted = self.block.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        let block = &mut self.block[..wanted];
        let filled = self.stream.fill(block).map_err(|error| unreadable(&error))?;
        self.read += filled as u64;
        let whole = filled - filled % usize::from(self.format.block);
        self.conversion.append(&mut block[..whole], samples);
        if whole == 0 {
            self.finish()?;
        }
        Ok(whole > 0)
    }

    /// Passes over what follows the samples and compares what was promised with what was there.
    fn finish(&mut self) -> Result<(), Unusable> {
        let Format { bytes_per_second, sample_rate, block, .. } = self.format;
        self.stream.skip(u64::MAX).map_err(|error| unreadable(&error))?;
        let (read, len) = (self.read, self.stream.at());
        let rest = read % u64::from(block);
        // The last byte may be padding that was forgotten or not counted.
        let differs = |promised: &u64| promised.abs_diff(len) > 1;
        self.warning = if let Some(stated) = self.stated.filter(|stated| *stated > read) {
            let reason = format!(
                "the header promises {stated} bytes of samples, the file holds {read}: used as far as it goes"
            );
            Some(("truncated", reason))
        } else if rest > 0 {
            let reason = format!("{rest} bytes follow the last whole frame of samples: left out");
            Some(("partial_frame", reason))
        } else if bytes_per_second != u64::from(sample_rate) * u64::from(block) {
            let reason = format!(
                "the header says {bytes_per_second} bytes a second and {sample_rate} Hz, which do not fit: used as {sample_rate} Hz"
            );
            Some(("inconsistent_header", reason))
        } else {
            self.file_len.filter(differs).map(|promised| {
                let reason = format!(
                    "the header promises a file of {promised} bytes, it has {len}: its samples are all there and were used"
                );
                ("inconsistent_header", reason)
            })
        };
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use hound::{SampleFormat, WavReader, WavSpec, WavSpecEx, WavWriter};

    use super::*;
    use crate::corpus::contents::Held;
    use crate::corpus::recordings::{Decoding, decode_held};

    fn decode_wav(bytes: &[u8]) -> Result<Decoding, Unusable> {
        decode_held(Held::Bytes(bytes.to_vec()), "x.wav")
    }

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
        assert_eq!(outcome(&format(2, 1, 8000, 8000, 1, 8)), refused("unsupported_wav", 20));
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

    /// hound puts 24 bits into the lower three of four bytes, Windows into the upper three.
    #[test]
    fn twenty_four_bits_in_four_bytes_are_found_where_they_are() {
        let mut cursor = Cursor::new(Vec::new());
        let spec =
            WavSpec { channels: 2, sample_rate: 8000, bits_per_sample: 24, sample_format: SampleFormat::Int };
        let mut writer =
            WavWriter::new_with_spec_ex(&mut cursor, WavSpecEx { spec, bytes_per_sample: 4 }).unwrap();
        // Silence for longer than a block: nothing tells before the first sound.
        let values = [vec![0; 20_000], vec![-100, 77, 8_388_607, -8_388_608]].concat();
        for &value in &values {
            writer.write_sample(value).unwrap();
        }
        writer.finalize().unwrap();
        let mut bytes = cursor.into_inner();
        assert_eq!(decode_wav(&bytes).unwrap().samples, by_hound(&bytes));
        let data_at = bytes.len() - 4 * values.len();
        let upper: Vec<u8> = values.iter().flat_map(|value: &i32| (value << 8).to_le_bytes()).collect();
        let wanted: Vec<f32> = values.iter().map(|&value| value as f32 / 8_388_608.0).collect();
        assert_eq!(decode_wav(&bytes).unwrap().samples, wanted);
        bytes[data_at..].copy_from_slice(&upper);
        assert_eq!(decode_wav(&bytes).unwrap().samples, wanted);
    }

    #[test]
    fn what_the_header_promises_is_compared_with_what_is_there() {
        let plain = format(1, 1, 8000, 16_000, 2, 16);
        let code = |bytes: &[u8]| decode_wav(bytes).unwrap().warning.map(|(code, _)| code);
        let mut bytes = with_chunks(b"RIFF", &[&plain], 4);
        bytes[4..8].copy_from_slice(&40u32.to_le_bytes());
        assert_eq!(code(&bytes), None);
        bytes[4..8].copy_from_slice(&1000u32.to_le_bytes());
        assert_eq!(code(&bytes), Some("inconsistent_header"));
        bytes.extend(b"LIST\x04\0\0\0INFO");
        bytes[4..8].copy_from_slice(&52u32.to_le_bytes());
        assert_eq!((code(&bytes), decode_wav(&bytes).unwrap().samples.len()), (None, 2));
        bytes[4..8].copy_from_slice(&40u32.to_le_bytes());
        assert_eq!(code(&bytes), Some("inconsistent_header"));
        let long = [&b"ds64\x1c\0\0\0"[..], &76u64.to_le_bytes(), &400u64.to_le_bytes(), &[0; 12]].concat();
        assert_eq!(code(&with_chunks(b"RF64", &[&long, &plain], u32::MAX)), Some("truncated"));
        assert_eq!(code(&with_chunks(b"RF64", &[&long, &plain], 4)), None);
    }

    #[test]
    fn sizes_that_lie_take_no_memory() {
        let plain = format(1, 1, 8000, 16_000, 2, 16);
        for size in [0x7FFF_FFFF, u32::MAX - 513] {
            let decoded = decode_wav(&with_chunks(b"RIFF", &[&plain], size)).unwrap();
            assert_eq!(
                (decoded.samples.len(), decoded.warning.map(|(code, _)| code)),
                (2, Some("truncated"))
            );
        }
        let long = [&b"ds64\x1c\0\0\0"[..], &[0xFF; 7], &[0x7F], &[0xFF; 7], &[0x7F], &[0; 12]].concat();
        assert_eq!(decode_wav(&with_chunks(b"RF64", &[&long, &plain], u32::MAX)).unwrap().samples.len(), 2);
        let mut huge = plain;
        huge[4..8].copy_from_slice(&u32::MAX.to_le_bytes());
        assert!(decode_wav(&with_chunks(b"RIFF", &[&huge], 4)).is_err());
    }
}
