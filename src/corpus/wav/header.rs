//! The header of a WAV file: its chunks up to the samples.

use crate::corpus::contents::unreadable;
use crate::corpus::lookahead::Lookahead;
use crate::corpus::quarantine::Unusable;

/// What stands before the samples.
pub(super) struct Header {
    pub format: Format,
    /// Bytes of samples that the header promises, where it promises any.
    pub stated: Option<u64>,
    /// Bytes of the file that the header promises, where it promises any.
    pub file_len: Option<u64>,
}

/// The format chunk.
pub(super) struct Format {
    /// Where its contents begin.
    pub at: u64,
    pub order: Order,
    pub coding: Coding,
    pub channels: u16,
    pub sample_rate: u32,
    pub bytes_per_second: u64,
    /// Bytes of a frame: a sample of each channel.
    pub block: u16,
    /// Bits of a sample as the header has them.
    pub bits: u16,
    /// Bits of a sample that carry sound.
    pub valid_bits: u16,
}

/// What the bytes of a sample mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Coding {
    Integer,
    Float,
    ALaw,
    MuLaw,
}

/// How numbers stand in the file: RIFX has them the other way round.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    Little,
    Big,
}

impl Format {
    /// Bytes in which a sample stands: 24 bits may stand in four.
    pub fn width(&self) -> u16 {
        self.block / self.channels
    }
}

impl Order {
    fn u16_at(self, bytes: &[u8], at: usize) -> Option<u16> {
        let bytes = *bytes.get(at..)?.first_chunk()?;
        Some(if self == Self::Big { u16::from_be_bytes(bytes) } else { u16::from_le_bytes(bytes) })
    }

    fn u32_at(self, bytes: &[u8], at: usize) -> Option<u32> {
        let bytes = *bytes.get(at..)?.first_chunk()?;
        Some(if self == Self::Big { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) })
    }

    fn u64_at(self, bytes: &[u8], at: usize) -> Option<u64> {
        let bytes = *bytes.get(at..)?.first_chunk()?;
        Some(if self == Self::Big { u64::from_be_bytes(bytes) } else { u64::from_le_bytes(bytes) })
    }

    /// The name and the stated size of the chunk that begins `bytes`.
    fn chunk(self, bytes: &[u8]) -> Option<([u8; 4], u32)> {
        Some((*bytes.first_chunk()?, self.u32_at(bytes, 4)?))
    }
}

/// The sizes of a file beyond 4 GiB, which stand in a chunk of their own (EBU Tech 3306, ITU-R BS.2088).
struct LongSizes {
    file: u64,
    data: u64,
}

/// Reads the chunks up to the samples, which are the next byte of `stream` after that.
pub(super) fn read_header(stream: &mut Lookahead) -> Result<Header, Unusable> {
    let broken = |reason: &str, at: u64| Unusable::new("broken_header", reason).at(at as usize);
    let (order, file_size) = read_magic(stream)?;
    let (mut trouble_at, mut known, mut long) = (12, None, None);
    loop {
        let at = stream.at();
        let Some((name, size)) = order.chunk(peek(stream, 8)?) else {
            let end = at + peek(stream, 8)?.len() as u64;
            return Err(broken(
                "the file ends before its samples begin: copy or record it again",
                trouble_at.min(end),
            ));
        };
        skip(stream, 8)?;
        match &name {
            b"fmt " => known = Some(read_format(peek(stream, size.min(40) as usize)?, order, at + 8)?),
            b"ds64" => long = read_long_sizes(peek(stream, size.min(16) as usize)?, order),
            b"data" => {
                let format = known
                    .ok_or_else(|| broken("the samples come before their format: convert it again", at))?;
                let stated = stated_size(stream, size, long.as_ref())?;
                let file_size = long.map_or(file_size.map(u64::from), |long| Some(long.file));
                let is_told = |len: &u64| stated.is_some() && !matches!(*len, 0 | u64::MAX);
                let file_len = file_size.filter(is_told).map(|len| len.saturating_add(8));
                return Ok(Header { format, stated, file_len });
            }
            _ => {}
        }
        let whole = skip(stream, u64::from(size))? == u64::from(size);
        skip_padding(stream, size)?;
        // A chunk that reaches beyond the end is where the trouble lies, not the end.
        trouble_at = if whole { stream.at() } else { at };
    }
}

/// The first twelve bytes: how numbers are written, and the size of all that follows, where that is told.
fn read_magic(stream: &mut Lookahead) -> Result<(Order, Option<u32>), Unusable> {
    let broken = |reason: &str, at: usize| Unusable::new("broken_header", reason).at(at);
    let head = peek(stream, 12)?;
    let order = match head.get(..4) {
        Some(b"RIFF" | b"RF64" | b"BW64") => Order::Little,
        Some(b"RIFX") => Order::Big,
        _ => {
            return Err(broken(
                "not a WAV file, which begins with RIFF: name it after the format it has, or convert it",
                0,
            ));
        }
    };
    if head.get(8..12) != Some(b"WAVE") {
        return Err(broken(
            "not a WAV file, in which WAVE follows RIFF: name it after the format it has, or convert it",
            8.min(head.len()),
        ));
    }
    let size = order.u32_at(head, 4).filter(|size| !is_unknown(*size));
    skip(stream, 12)?;
    Ok((order, size))
}

/// What writers into a pipe leave where a size belongs: all ones, or a little less for the header.
fn is_unknown(size: u32) -> bool {
    size >= u32::MAX - 512
}

fn read_long_sizes(contents: &[u8], order: Order) -> Option<LongSizes> {
    Some(LongSizes { file: order.u64_at(contents, 0)?, data: order.u64_at(contents, 8)? })
}

/// Bytes of samples as the data chunk of `size` bytes and `long` promise them; `None` means up to the end.
fn stated_size(stream: &mut Lookahead, size: u32, long: Option<&LongSizes>) -> Result<Option<u64>, Unusable> {
    Ok(match (size, long) {
        (u32::MAX, Some(LongSizes { data: 0 | u64::MAX, .. })) => None,
        (u32::MAX, Some(long)) => Some(long.data),
        (size, _) if is_unknown(size) => None,
        // Left open by a writer into a pipe, or really empty: then nothing follows but another chunk.
        (0, _) => {
            let next = peek(stream, 4)?;
            (next.is_empty() || next.first_chunk().is_some_and(|name| CHUNKS.contains(&name))).then_some(0)
        }
        (size, _) => Some(u64::from(size)),
    })
}

/// Names of chunks that follow others. Samples that spell one of them by chance are not met.
const CHUNKS: [&[u8; 4]; 26] = [
    b"LIST", b"list", b"fact", b"cue ", b"plst", b"labl", b"note", b"ltxt", b"smpl", b"inst", b"bext",
    b"iXML", b"id3 ", b"ID3 ", b"JUNK", b"junk", b"PAD ", b"FLLR", b"PEAK", b"levl", b"_PMX", b"axml",
    b"chna", b"umid", b"afsp", b"minf",
];

/// A chunk of an odd size is followed by a byte of padding, which some writers forget.
fn skip_padding(stream: &mut Lookahead, size: u32) -> Result<(), Unusable> {
    let next = peek(stream, 4)?.first_chunk();
    if size % 2 == 1 && !matches!(next, Some(b"data" | b"fmt " | b"fact" | b"LIST")) {
        skip(stream, 1)?;
    }
    Ok(())
}

/// Reads the format chunk `contents`, which stands at `at` in the file.
fn read_format(contents: &[u8], order: Order, at: u64) -> Result<Format, Unusable> {
    const EXTENSIBLE: u16 = 0xFFFE;
    let broken = |reason: String, by: u64| Unusable::new("broken_header", reason).at((at + by) as usize);
    let (word, long) = (|by| order.u16_at(contents, by), |by| order.u32_at(contents, by));
    let fields = || Some((word(0)?, word(2)?, long(4)?, long(8)?, word(12)?, word(14)?));
    let Some((tag, channels, sample_rate, bytes_per_second, block, bits)) = fields() else {
        let reason = format!(
            "its format chunk holds {} bytes, 16 at least are needed: copy or convert it again",
            contents.len()
        );
        return Err(broken(reason, 0));
    };
    // An extensible format names the format proper in the first four bytes of an identifier.
    let (tag, valid_bits) = match (tag, word(18), long(24)) {
        (EXTENSIBLE, Some(valid_bits), Some(tag)) => (tag, valid_bits),
        _ => (u32::from(tag), bits),
    };
    let Some(coding) = coding(tag) else {
        let reason = format!("the WAV format {tag:#06x} is not read: convert it to plain PCM");
        return Err(Unusable::new("unsupported_wav", reason).at(at as usize));
    };
    if channels == 0 || sample_rate == 0 {
        return Err(broken(
            format!("the header says {channels} channels at {sample_rate} Hz: convert it again"),
            2,
        ));
    }
    if block == 0 || block % channels != 0 || u32::from(block / channels) * 8 < u32::from(bits) {
        let reason = format!(
            "{channels} channels of {bits} bits do not stand in frames of {block} bytes: convert it again"
        );
        return Err(broken(reason, 12));
    }
    let valid_bits = if (1..=bits).contains(&valid_bits) { valid_bits } else { bits };
    let bytes_per_second = u64::from(bytes_per_second);
    Ok(Format { at, order, coding, channels, sample_rate, bytes_per_second, block, bits, valid_bits })
}

fn coding(tag: u32) -> Option<Coding> {
    match tag {
        1 => Some(Coding::Integer),
        3 => Some(Coding::Float),
        6 => Some(Coding::ALaw),
        7 => Some(Coding::MuLaw),
        _ => None,
    }
}

/// Passes over the chunks that follow so many bytes of samples, to the end of the file. Says where they give way to what is no
/// chunk: more samples than the header counts (its 32 bits may have overflowed), or a second run of them.
pub(super) fn pass_chunks(
    stream: &mut Lookahead,
    order: Order,
    samples: u64,
) -> Result<Option<u64>, Unusable> {
    let is_printable = |name: [u8; 4]| name.iter().all(|byte| (b' '..=b'~').contains(byte));
    let mut size = (samples % 2) as u32;
    loop {
        skip_padding(stream, size)?;
        let at = stream.at();
        let Some((name, stated)) = order.chunk(peek(stream, 8)?) else {
            skip(stream, u64::MAX)?;
            return Ok(None);
        };
        skip(stream, 8)?;
        let passed = skip(stream, u64::from(stated))?;
        // The last padding may be counted and not be there.
        if name == *b"data" || !is_printable(name) || passed + 1 < u64::from(stated) {
            skip(stream, u64::MAX)?;
            return Ok(Some(at));
        }
        size = stated;
    }
}

fn peek(stream: &mut Lookahead, len: usize) -> Result<&[u8], Unusable> {
    stream.peek(len).map_err(|error| unreadable(&error))
}

fn skip(stream: &mut Lookahead, len: u64) -> Result<u64, Unusable> {
    stream.skip(len).map_err(|error| unreadable(&error))
}
