//! WAV files by hound, and headers made by hand.

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
            assert_eq!((decoded.channels, decoded.sample_rate, decoded.bits), (channels, 8000, Some(bits)));
            assert_eq!(decoded.warning, None);
        }
    }
}

/// The definition: a whole number over 2^(bits - 1), which stands in the upper bits of its bytes.
#[test]
fn every_bit_depth_is_read_in_every_container_that_holds_it() {
    let mut stream = crate::math::random::Stream::new(1, "bits", 0);
    for (bits, width) in (9..=64u16).flat_map(|bits| (bits.div_ceil(8)..=8).map(move |width| (bits, width))) {
        // No more digits than f64 has, which then becomes f32 in one step.
        let digits = bits.min(50);
        let mut draw = || i64::from(stream.next_u32()) << 32 >> (64 - digits) << (bits - digits);
        let values: Vec<i64> =
            [i64::MIN >> (64 - bits), 0].into_iter().chain((0..50).map(|_| draw())).collect();
        let wanted: Vec<f32> =
            values.iter().map(|value| (*value as f64 / 2f64.powi(i32::from(bits) - 1)) as f32).collect();
        let little = |value: &i64| (value << (64 - bits)).to_le_bytes()[8 - usize::from(width)..].to_vec();
        let data: Vec<u8> = values.iter().flat_map(little).collect();
        let len = data.len() as u32;
        let chunk = format(1, 1, 8000, 8000 * u32::from(width), width, bits);
        let mut bytes = with_chunks(b"RIFF", &[&chunk], len);
        bytes.truncate(bytes.len() - 4);
        let decoded = decode_wav(&[bytes, data].concat()).unwrap();
        assert_eq!((decoded.samples, decoded.bits), (wanted, Some(bits)), "{bits} bits in {width} bytes");
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
    assert_eq!(decode_wav(b"no wave").err().map(|trouble| trouble.code).as_deref(), Some("broken_header"));
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
    let warned = decode_wav(&with_chunks(b"RIFF", &[&format(1, 1, 8000, 16_000, 2, 16)], 3)).unwrap().warning;
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
fn what_follows_the_samples_and_is_no_chunk_is_said() {
    let plain = format(1, 1, 8000, 16_000, 2, 16);
    let with_tail = |tail: &[u8]| {
        let decoded = decode_wav(&[&with_chunks(b"RIFF", &[&plain], 4)[..], tail].concat()).unwrap();
        assert_eq!(decoded.samples, [0.5, -0.5]);
        decoded.warning
    };
    for tail in
        [&b""[..], b"\0", b"LIST\x03\0\0\0abc\0", b"LIST\x04\0\0\0abc", b"cue \0\0\0\0LIST\0\0\0\0abc"]
    {
        assert_eq!(with_tail(tail), None, "{tail:?}");
    }
    for (tail, at) in [
        (&[1; 20][..], "the 20 bytes from 48 on"),
        (b"LIST\x02\0\0\0abdata\x02\0\0\0ab", "the 10 bytes from 58 on"),
        (b"LIST\xFF\0\0\0ab", "the 10 bytes from 48 on"),
    ] {
        let (code, reason) = with_tail(tail).unwrap();
        assert!(code == "stray_bytes" && reason.contains(at), "{reason}");
    }
}

#[test]
fn sizes_that_lie_take_no_memory() {
    let plain = format(1, 1, 8000, 16_000, 2, 16);
    for size in [0x7FFF_FFFF, u32::MAX - 513] {
        let decoded = decode_wav(&with_chunks(b"RIFF", &[&plain], size)).unwrap();
        assert_eq!((decoded.samples.len(), decoded.warning.map(|(code, _)| code)), (2, Some("truncated")));
    }
    let long = [&b"ds64\x1c\0\0\0"[..], &[0xFF; 7], &[0x7F], &[0xFF; 7], &[0x7F], &[0; 12]].concat();
    assert_eq!(decode_wav(&with_chunks(b"RF64", &[&long, &plain], u32::MAX)).unwrap().samples.len(), 2);
    let mut huge = plain;
    huge[4..8].copy_from_slice(&u32::MAX.to_le_bytes());
    assert!(decode_wav(&with_chunks(b"RIFF", &[&huge], 4)).is_err());
}
