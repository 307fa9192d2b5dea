//! WAV: the chunks of the header, then the samples block by block.
//!
//! After "Multimedia Programming Interface and Data Specifications 1.0" (1991), WAVEFORMATEXTENSIBLE, EBU Tech 3306 (RF64), ITU-R
//! BS.2088 (BW64) and ITU-T G.711.

mod header;
mod samples;

use self::header::{Coding, Format, Header, pass_chunks, read_header};
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

    /// Samples, of all channels, that a file of `len` bytes holds at most.
    pub fn most_samples(&self, len: u64) -> u64 {
        let bytes = self.stated.map_or(len, |stated| stated.min(len));
        bytes / u64::from(self.format.block) * u64::from(self.format.channels)
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
        let stray_at = pass_chunks(&mut self.stream, self.format.order, self.read)?;
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
        } else if let Some(at) = stray_at {
            let reason = format!(
                "the {} bytes from {at} on follow the samples and are no chunk: left out; if they are sound, correct the size in the header",
                len - at
            );
            Some(("stray_bytes", reason))
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
mod tests;
