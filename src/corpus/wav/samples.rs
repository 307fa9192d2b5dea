//! Samples out of the bytes of a WAV file.

use super::header::{Coding, Format, Order};
use crate::corpus::quarantine::Unusable;

/// How the bytes of a sample become a number with full scale 1.
#[derive(Clone, Copy)]
pub(super) struct Conversion {
    /// Bytes of a sample.
    width: usize,
    order: Order,
    kind: Kind,
}

#[derive(Clone, Copy)]
enum Kind {
    /// The highest bits of its bytes, whatever their number: value / 2^(bits−1), where the lowest may be empty.
    Integer,
    /// 24 bits in four bytes: the upper or the lower three, which the first sound tells.
    Undecided24,
    /// 24 bits in the lower three of four bytes.
    Low24,
    Float,
    Table(&'static [f32; 256]),
}

impl Conversion {
    /// The conversion of samples in `format`.
    ///
    /// A sample of fewer bits than its bytes have stands in the upper ones (WAVEFORMATEXTENSIBLE). 24 bits in four bytes are
    /// found in the lower three as well, and are looked at: the lowest byte is empty, or the highest holds nothing.
    pub fn of(format: &Format) -> Result<Self, Unusable> {
        let (width, bits, order) = (format.width(), format.bits, format.order);
        let is_24_in_4 = width == 4 && (bits == 24 || format.valid_bits == 24);
        let kind = match (format.coding, width, bits) {
            (Coding::Integer, 4, _) if is_24_in_4 => Kind::Undecided24,
            (Coding::Integer, 1..=8, 8..=64) => Kind::Integer,
            (Coding::Float, 4, 32) | (Coding::Float, 8, 64) => Kind::Float,
            (Coding::ALaw, 1, 8) => Kind::Table(&A_LAW),
            (Coding::MuLaw, 1, 8) => Kind::Table(&MU_LAW),
            _ => {
                let coding = format.coding;
                let reason = format!(
                    "{coding:?} samples of {bits} bits in {width} bytes are not read: convert it to 16 or 24 bits"
                );
                return Err(Unusable::new("unsupported_samples", reason).at(format.at as usize + 14));
            }
        };
        Ok(Self { width: usize::from(width), order, kind })
    }

    /// Appends the samples in `data`, whole ones, to `samples`. The bytes are turned round where they stand so in the file.
    pub fn append(&mut self, data: &mut [u8], samples: &mut Vec<f32>) {
        if self.order == Order::Big && self.width > 1 {
            data.chunks_exact_mut(self.width).for_each(<[u8]>::reverse);
        }
        let data = &*data;
        if matches!(self.kind, Kind::Undecided24) && data.iter().any(|&byte| byte != 0) {
            self.kind = if is_low_24(data) { Kind::Low24 } else { Kind::Integer };
        }
        match (self.kind, self.width) {
            (Kind::Table(table), _) => samples.extend(data.iter().map(|&byte| table[usize::from(byte)])),
            (Kind::Float, 4) => extend(samples, data, f32::from_le_bytes),
            (Kind::Float, _) => extend(samples, data, |bytes| f64::from_le_bytes(bytes) as f32),
            // Bytes alone have no sign.
            (Kind::Integer, 1) => samples.extend(data.iter().map(|&byte| (f32::from(byte) - 128.0) / 128.0)),
            (Kind::Integer, 2) => {
                extend(samples, data, |bytes| f32::from(i16::from_le_bytes(bytes)) * (1.0 / 32_768.0));
            }
            (Kind::Integer, 3) => extend(samples, data, |[a, b, c]| scaled(i32::from_le_bytes([0, a, b, c]))),
            (Kind::Integer, 4) | (Kind::Undecided24, _) => {
                extend(samples, data, |bytes| scaled(i32::from_le_bytes(bytes)));
            }
            (Kind::Low24, _) => {
                extend(samples, data, |[a, b, c, _]| scaled(i32::from_le_bytes([0, a, b, c])));
            }
            (Kind::Integer, width) => samples.extend(data.chunks_exact(width).map(wide)),
        }
    }
}

fn extend<const N: usize>(samples: &mut Vec<f32>, data: &[u8], value: impl Fn([u8; N]) -> f32) {
    samples.extend(data.as_chunks().0.iter().map(|&bytes| value(bytes)));
}

fn scaled(value: i32) -> f32 {
    value as f32 * (1.0 / 2_147_483_648.0)
}

/// Five to eight bytes as the upper ones of eight.
fn wide(bytes: &[u8]) -> f32 {
    let value = bytes.iter().rev().fold(0i64, |value, &byte| value << 8 | i64::from(byte));
    (value << (64 - 8 * bytes.len())) as f32 * (1.0 / 9_223_372_036_854_775_808.0)
}

/// Whether samples of four bytes hold their 24 bits in the lower three: then the highest repeats the sign, or is empty.
fn is_low_24(data: &[u8]) -> bool {
    let samples = data.as_chunks::<4>().0;
    samples.iter().any(|sample| sample[0] != 0) && samples.iter().all(|sample| matches!(sample[3], 0 | 0xFF))
}

/// ITU-T G.711, full scale 2^15.
static A_LAW: [f32; 256] = table(true);
static MU_LAW: [f32; 256] = table(false);

const fn table(a_law: bool) -> [f32; 256] {
    let mut table = [0.0; 256];
    let mut code = 0;
    while code < 256 {
        let value = if a_law { a_law_value(code as u8) } else { mu_law_value(code as u8) };
        table[code] = value as f32 / 32_768.0;
        code += 1;
    }
    table
}

const fn a_law_value(code: u8) -> i32 {
    let bits = code ^ 0x55;
    let (exponent, mantissa) = (bits >> 4 & 7, ((bits & 15) as i32) << 4);
    let value = if exponent == 0 { mantissa + 8 } else { (mantissa + 0x108) << (exponent - 1) };
    if bits & 0x80 == 0 { -value } else { value }
}

const fn mu_law_value(code: u8) -> i32 {
    let bits = !code;
    let value = (((((bits & 15) as i32) << 3) + 0x84) << (bits >> 4 & 7)) - 0x84;
    if bits & 0x80 == 0 { value } else { -value }
}
