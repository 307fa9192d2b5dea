//! Recordings with headers that lie, streams that break off, and samples that are no numbers.

use std::io::Write;

use super::Folder;

/// Recordings of a tone of half a second, by libsndfile and ffmpeg: see `tests/golden/make_golden.py`.
pub const TONES: [(&str, &[u8]); 7] = [
    ("tone.flac", include_bytes!("tone.flac")),
    ("tone.mp3", include_bytes!("tone.mp3")),
    ("tone.ogg", include_bytes!("tone.ogg")),
    ("tone.m4a", include_bytes!("tone.m4a")),
    ("tone.aac", include_bytes!("tone.aac")),
    ("lossless.m4a", include_bytes!("lossless.m4a")),
    ("unsaid.mp3", include_bytes!("unsaid.mp3")),
];

/// The fields of a format chunk.
#[derive(Clone, Copy)]
struct Header {
    tag: u16,
    channels: u16,
    rate: u32,
    block: u16,
    bits: u16,
}

const PLAIN: Header = Header { tag: 1, channels: 1, rate: 16_000, block: 2, bits: 16 };

impl Header {
    fn chunk(self) -> Vec<u8> {
        let bytes_per_second = self.rate.wrapping_mul(u32::from(self.block));
        let [tag, channels, block, bits] =
            [self.tag, self.channels, self.block, self.bits].map(u16::to_le_bytes);
        let [rate, per_second] = [self.rate, bytes_per_second].map(u32::to_le_bytes);
        chunk(b"fmt ", &[&tag[..], &channels, &rate, &per_second, &block, &bits].concat())
    }
}

fn chunk(name: &[u8], contents: &[u8]) -> Vec<u8> {
    sized(name, contents.len() as u32, contents)
}

fn sized(name: &[u8], size: u32, contents: &[u8]) -> Vec<u8> {
    [name, &size.to_le_bytes(), contents].concat()
}

fn riff(chunks: &[Vec<u8>]) -> Vec<u8> {
    let contents = [b"WAVE".to_vec(), chunks.concat()].concat();
    chunk(b"RIFF", &contents)
}

/// A tenth of a second of a tone, 16 bits at 16 kHz.
fn tone() -> Vec<u8> {
    let sample = |n: u32| ((f64::from(n) * 0.2).sin() * 8000.0) as i16;
    (0..1600).flat_map(|n| sample(n).to_le_bytes()).collect()
}

/// Headers that lie, in every field.
pub fn headers(folder: &Folder) {
    let plain = PLAIN;
    let whole = riff(&[plain.chunk(), chunk(b"data", &tone())]);
    folder.damage("wave.wav", &whole, (0..60).chain([100, 101, 1000, 3243]), 60);
    let mut fields = vec![];
    fields.extend(
        [0, 2, 3, 65_535].map(|channels| ("channels", u32::from(channels), Header { channels, ..plain })),
    );
    fields.extend(
        [0, 1, 7, 999, 768_000, 768_001, u32::MAX].map(|rate| ("rate", rate, Header { rate, ..plain })),
    );
    fields.extend([0, 1, 3, 65_535].map(|block| ("block", u32::from(block), Header { block, ..plain })));
    fields.extend([0, 1, 7, 12, 24, 32, 255].map(|bits| ("bits", u32::from(bits), Header { bits, ..plain })));
    fields.extend([0, 2, 3, 6, 7, 17, 0xFFFE].map(|tag| ("tag", u32::from(tag), Header { tag, ..plain })));
    for (field, value, header) in fields {
        folder.put(format!("{field}/{value}.wav"), riff(&[header.chunk(), chunk(b"data", &tone())]));
    }
    let many = Header { channels: 65_535, block: 65_535, bits: 8, ..plain };
    folder.put("many-channels.wav", riff(&[many.chunk(), chunk(b"data", &vec![128; 70_000])]));
    for size in [0, 1, 3, 4_000, 0x7FFF_FFFF, u32::MAX - 1, u32::MAX] {
        folder.put(format!("size/{size}.wav"), riff(&[plain.chunk(), sized(b"data", size, &tone())]));
        folder.put(
            format!("fmt-size/{size}.wav"),
            riff(&[sized(b"fmt ", size, &plain.chunk()[8..]), chunk(b"data", &tone())]),
        );
        folder.put(format!("riff-size/{size}.wav"), sized(b"RIFF", size, &whole[8..]));
        folder.put(
            format!("list-size/{size}.wav"),
            riff(&[sized(b"LIST", size, b"INFO"), plain.chunk(), chunk(b"data", &tone())]),
        );
    }
    for (name, bytes) in [
        ("no-format.wav", riff(&[chunk(b"data", &tone())])),
        ("no-data.wav", riff(&[plain.chunk()])),
        ("no-chunk.wav", riff(&[])),
        ("format-last.wav", riff(&[chunk(b"data", &tone()), plain.chunk()])),
        (
            "format-twice.wav",
            riff(&[plain.chunk(), Header { rate: 8000, ..plain }.chunk(), chunk(b"data", &tone())]),
        ),
        ("data-twice.wav", riff(&[plain.chunk(), chunk(b"data", &tone()), chunk(b"data", &tone())])),
        (
            "odd.wav",
            riff(&[chunk(b"LIST", b"abc\0")[..11].to_vec(), vec![0], plain.chunk(), chunk(b"data", &tone())]),
        ),
        ("nested.wav", riff(&[whole.clone(), plain.chunk(), chunk(b"data", &whole)])),
        (
            "many-chunks.wav",
            riff(&[chunk(b"junk", b"").repeat(100_000), plain.chunk(), chunk(b"data", &tone())]),
        ),
        ("names.wav", riff(&[chunk(b"\xFF\xFE\0\0", b"ab"), plain.chunk(), chunk(b"data", &tone())])),
        ("big-endian.wav", [b"RIFX", &whole[4..]].concat()),
        ("rf64.wav", [b"RF64", &whole[4..]].concat()),
        ("avi.wav", [&whole[..8], b"AVI ", &whole[12..]].concat()),
        ("empty.wav", vec![]),
        ("text.wav", b"this is not a recording but a line of text".to_vec()),
    ] {
        folder.put(name, bytes);
    }
}

/// Damaged streams, wrong names, compressed recordings.
pub fn codecs(folder: &Folder) {
    for (name, bytes) in TONES {
        folder.damage(name, bytes, (0..bytes.len()).step_by(bytes.len() / 12), 40);
        for other in ["wav", "flac", "mp3", "ogg", "m4a", "xyz"] {
            folder.put(format!("named/{name}-as-{other}.{other}"), bytes);
        }
        folder.put(format!("doubled/{}-{name}", name.replace('.', "-")), [bytes, bytes].concat());
        folder.put(format!("headless/{}-{name}", name.replace('.', "-")), &bytes[bytes.len() / 2..]);
    }
    let zeros = vec![0; 5000];
    for name in ["zeros-1.flac", "zeros-2.mp3", "zeros-3.ogg"] {
        folder.put(name, &zeros);
    }
    folder.put("words.mp3", "this is not a recording but a line of text ".repeat(100));
    folder.put("tag.mp3", [b"ID3\x04\0\0\x7F\x7F\x7F\x7F", &zeros[..]].concat());
    folder.put("picture.flac", [b"fLaC\x06\xFF\xFF\xFF", &zeros[..]].concat());
    folder.put("only-magic.flac", b"fLaC");
    folder.put("only-ogg-magic.ogg", b"OggS");
    // A comment header that promises 4 GiB of text.
    let mut ogg = TONES[2].1.to_vec();
    let at = ogg.windows(7).position(|window| window == b"\x03vorbis").unwrap() + 7;
    ogg[at..at + 4].copy_from_slice(&u32::MAX.to_le_bytes());
    folder.put("comment.ogg", ogg);
    folder.put("silence.flac", silent_flac(600));
}

/// Samples that are no numbers, or none of this world.
pub fn samples(folder: &Folder) {
    let float = Header { tag: 3, block: 4, bits: 32, ..PLAIN };
    let double = Header { tag: 3, block: 8, bits: 64, ..PLAIN };
    for (name, value) in [
        ("nan", f32::NAN),
        ("signalling", f32::from_bits(0x7F80_0001)),
        ("infinite", f32::INFINITY),
        ("minus-infinite", f32::NEG_INFINITY),
        ("denormal", f32::from_bits(1)),
        ("minus-zero", -0.0),
        ("largest", f32::MAX),
        ("full-scale", 32_768.0),
    ] {
        let sparse = |n: usize| if n.is_multiple_of(100) { value } else { 0.1 };
        let few: Vec<u8> = (0..1600).flat_map(|n| sparse(n).to_le_bytes()).collect();
        folder.put(
            format!("floats/{name}.wav"),
            riff(&[float.chunk(), chunk(b"data", &value.to_le_bytes().repeat(1600))]),
        );
        folder.put(format!("floats/{name}-few.wav"), riff(&[float.chunk(), chunk(b"data", &few)]));
        let wide = f64::from(value).to_le_bytes().repeat(1600);
        folder.put(format!("floats/{name}-double.wav"), riff(&[double.chunk(), chunk(b"data", &wide)]));
    }
    let huge = f64::MAX.to_le_bytes().repeat(1600);
    folder.put("floats/beyond-float.wav", riff(&[double.chunk(), chunk(b"data", &huge)]));
    for samples in [0, 1, 2, 159, 160, 161, 399, 400, 401] {
        folder.put(
            format!("short/{samples}.wav"),
            riff(&[PLAIN.chunk(), chunk(b"data", &tone()[..2 * samples])]),
        );
    }
    for (name, value) in [("zero", 0i16), ("top", i16::MAX), ("bottom", i16::MIN)] {
        let flat = value.to_le_bytes().repeat(1600);
        folder.put(format!("flat/{name}.wav"), riff(&[PLAIN.chunk(), chunk(b"data", &flat)]));
    }
}

/// Little on disk, hours in memory.
pub fn bombs(folder: &Folder) {
    folder.put("silence.flac", silent_flac(20_000));
    let path = folder.at("zeros-too.wav.gz");
    let mut encoder =
        flate2::write::GzEncoder::new(std::fs::File::create(path).unwrap(), flate2::Compression::fast());
    encoder.write_all(&riff(&[PLAIN.chunk(), sized(b"data", u32::MAX, &[])])).unwrap();
    let zeros = vec![0; 1 << 20];
    (0..512).for_each(|_| encoder.write_all(&zeros).unwrap());
    encoder.finish().unwrap();
}

/// A FLAC stream (RFC 9639) of `frames` blocks of 65,535 zeros in two channels, 19 bytes or fewer each.
fn silent_flac(frames: u32) -> Vec<u8> {
    // All blocks of one size, unknown frame sizes, 48 kHz, two channels, 16 bits, unknown length, no checksum.
    let mut bytes = b"fLaC\x80\0\0\x22\xFF\xFF\xFF\xFF\0\0\0\0\0\0".to_vec();
    bytes.extend([0x0B, 0xB8, 0x02, 0xF0, 0, 0, 0, 0]);
    bytes.extend([0; 16]);
    for number in 0..frames {
        // Fixed block size, its value in 16 bits behind the number; rate as above, two channels, 16 bits.
        let mut frame = vec![0xFF, 0xF8, 0x70, 0x18];
        let mut coded = [0; 4];
        // Frame numbers are coded as UTF-8 codes characters; those of surrogates are not reached.
        frame.extend(char::from_u32(number).unwrap().encode_utf8(&mut coded).bytes());
        frame.extend(65_534u16.to_be_bytes());
        frame.push(crc(&frame, 8, 0x07) as u8);
        frame.extend([0, 0, 0, 0, 0, 0]);
        frame.extend((crc(&frame, 16, 0x8005) as u16).to_be_bytes());
        bytes.extend(frame);
    }
    bytes
}

/// The remainder of `bytes` by the polynomial of `bits` bits.
fn crc(bytes: &[u8], bits: u32, polynomial: u32) -> u32 {
    bytes.iter().fold(0, |remainder, &byte| {
        (0..8).fold(remainder ^ u32::from(byte) << (bits - 8), |remainder, _| {
            let carried = remainder << 1;
            let top = remainder >> (bits - 1) & 1;
            (carried ^ if top == 1 { polynomial } else { 0 }) & (u32::MAX >> (32 - bits))
        })
    })
}
