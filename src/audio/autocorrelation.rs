//! The autocorrelation of the frames of a clip.
//!
//! ```text
//! r(τ) = Σ_{j < N-τ} x[j] x[j+τ]      over a frame x of N samples
//! ```
//!
//! It is summed directly, in blocks of samples that the frames before and after share. Lengths that have no such blocks,
//! and frames so quiet that squares would leave f32, go by way of the power spectrum in f64 (Wiener and Khinchin).

use crate::convolution::fourier::{Complex, FftScratch, RealFft};
use crate::simd::{FrameBlocks, Width, block_products, frame_products, largest};

use super::frames::Frames;

/// Frames under this go in f64: squares of f32 would lose their digits.
const LEAST_PEAK: f32 = 1e-12;

/// Blocks shorter than the one are not worth it, and longer than the other are halved.
const LEAST_BLOCK: usize = 16;
const MOST_BLOCK: usize = 64;

/// Frames for which there is room until the sums of blocks are moved.
const ROOM: usize = 4;

/// The plan of autocorrelations.
#[derive(Clone)]
pub struct Autocorrelation {
    frames: Frames,
    max_lag: usize,
    fft: RealFft<f64>,
    blocks: Option<Blocks>,
    width: Width,
}

/// How frames are cut into blocks.
#[derive(Debug, Clone, Copy)]
struct Blocks {
    /// Samples in a block: a divisor of the frame and of the hop.
    len: usize,
    /// Blocks in a frame.
    count: usize,
    /// Blocks from one frame to the next.
    step: usize,
    /// Lags that are summed: whole blocks of them.
    lags: usize,
}

/// The sums of the blocks of the last frame.
#[derive(Debug, Clone, Default)]
struct BlockSums {
    /// The samples of the frame and as many after it as there are lags, and those of the frame before.
    samples: Vec<f32>,
    before: Vec<f32>,
    /// Whether the rows are those of the last frame.
    summed: bool,
    /// For each block and lag the sum of x[j] x[j + lag] over the block; those of the last frame begin at `first`.
    rows: Vec<f32>,
    first: usize,
    last_block: Vec<f32>,
    sums: Vec<f32>,
}

/// What [`Autocorrelation::of`] writes while it works.
pub struct AutocorrelationScratch {
    frame: Vec<f32>,
    padded: Vec<f64>,
    spectrum: Vec<Complex<f64>>,
    correlation: Vec<f64>,
    fft: FftScratch<f64>,
    blocks: BlockSums,
}

impl Autocorrelation {
    /// Plans the lags from 0 to `max_lag`, which is less than the length of the frames.
    #[must_use]
    pub fn new(frames: Frames, max_lag: usize) -> Self {
        Self {
            // So long that no lag wraps around.
            fft: RealFft::new(fast_len(frames.len + max_lag)),
            blocks: Blocks::new(frames.len, frames.hop, max_lag),
            width: Width::detect(),
            frames,
            max_lag,
        }
    }

    /// Room for one thread to work in.
    #[must_use]
    pub fn scratch(&self) -> AutocorrelationScratch {
        AutocorrelationScratch {
            frame: vec![0.0; self.frames.len],
            padded: vec![0.0; self.fft.len()],
            spectrum: vec![Complex::default(); self.fft.bins()],
            correlation: vec![0.0; self.fft.len()],
            fft: self.fft.scratch(),
            blocks: BlockSums::default(),
        }
    }

    /// The samples of frame `index` and r(τ) for τ from 0 to the largest lag; `None` of a silent frame.
    pub fn of<'s>(
        &self,
        samples: &[f32],
        index: usize,
        scratch: &'s mut AutocorrelationScratch,
    ) -> Option<(&'s [f32], &'s [f64])> {
        let AutocorrelationScratch { frame, blocks: state, .. } = scratch;
        let frame = if let Some(blocks) = self.blocks {
            std::mem::swap(&mut state.samples, &mut state.before);
            state.samples.resize(self.frames.len + blocks.lags, 0.0);
            let reach = Frames { len: state.samples.len(), ..self.frames };
            reach.copy(samples, index, &mut state.samples);
            &state.samples[..self.frames.len]
        } else {
            self.frames.copy(samples, index, frame);
            &frame[..]
        };
        // Mostly the first samples tell.
        let loud = frame.chunks(64).any(|part| largest(part, f32::abs) > LEAST_PEAK);
        if !loud && frame.iter().all(|x| *x == 0.0) {
            state.summed = false;
            return None;
        }
        match self.blocks {
            Some(blocks) if loud => self.sum_blocks(blocks, scratch),
            _ => self.transform(scratch),
        }
        let AutocorrelationScratch { frame, blocks, .. } = scratch;
        let frame = if self.blocks.is_some() { &blocks.samples[..self.frames.len] } else { frame };
        Some((frame, &scratch.correlation[..=self.max_lag]))
    }

    /// r(τ) by the sums of blocks.
    fn sum_blocks(&self, blocks: Blocks, scratch: &mut AutocorrelationScratch) {
        let Blocks { len, lags, .. } = blocks;
        let state = &mut scratch.blocks;
        self.renew(blocks, state);
        let (frame, rows) = (&state.samples[..self.frames.len], &state.rows[state.first * lags..]);
        let blocks = FrameBlocks { frame, len, rows, lags, last: &state.last_block };
        frame_products(self.width, &blocks, &mut state.sums);
        for (r, sum) in scratch.correlation[..=self.max_lag].iter_mut().zip(&state.sums) {
            *r = f64::from(*sum);
        }
    }

    /// Makes the sums of blocks those of the frame at hand. Where it goes on as the last one did, the blocks that both
    /// have are kept: every sum is the same either way.
    fn renew(&self, blocks: Blocks, state: &mut BlockSums) {
        let Blocks { len, count, step, lags } = blocks;
        if state.rows.is_empty() {
            state.rows = vec![0.0; ROOM * count * lags];
            state.last_block = vec![0.0; 2 * len];
            state.sums = vec![0.0; lags];
        }
        let shared = state.before.get(step * len..).unwrap_or_default();
        let goes_on = state.summed && !shared.is_empty() && same(&state.samples[..shared.len()], shared);
        let kept = if goes_on { count.saturating_sub(step) } else { 0 };
        state.first = if kept > 0 { state.first + step } else { 0 };
        if state.first + count > ROOM * count {
            let from = state.first * lags;
            state.rows.copy_within(from..from + kept * lags, 0);
            state.first = 0;
        }
        for block in kept..count {
            let row = &mut state.rows[(state.first + block) * lags..][..lags];
            let after = &state.samples[block * len..];
            block_products(self.width, &after[..len], after, row);
        }
        state.summed = true;
        state.last_block[..len].copy_from_slice(&state.samples[(count - 1) * len..][..len]);
    }

    /// r(τ) by way of the power spectrum.
    fn transform(&self, scratch: &mut AutocorrelationScratch) {
        let frame =
            if self.blocks.is_some() { &scratch.blocks.samples[..self.frames.len] } else { &scratch.frame };
        scratch.padded.fill(0.0);
        for (into, sample) in scratch.padded.iter_mut().zip(frame) {
            *into = f64::from(*sample);
        }
        scratch.blocks.summed = false;
        self.fft.forward(&mut scratch.padded, &mut scratch.spectrum, &mut scratch.fft);
        for bin in &mut scratch.spectrum {
            *bin = Complex::new(bin.norm_sqr(), 0.0);
        }
        self.fft.inverse(&mut scratch.spectrum, &mut scratch.correlation, &mut scratch.fft);
        let scale = 1.0 / self.fft.len() as f64;
        for r in &mut scratch.correlation[..=self.max_lag] {
            *r *= scale;
        }
    }
}

/// Whether numbers are the same, a block at a time.
fn same(a: &[f32], b: &[f32]) -> bool {
    let differ = |(x, y): (&f32, &f32)| x.to_bits() ^ y.to_bits();
    a.chunks(256)
        .zip(b.chunks(256))
        .all(|(a, b)| a.iter().zip(b).map(differ).fold(0, |any, bits| any | bits) == 0)
}

impl Blocks {
    fn new(frame_len: usize, hop: usize, max_lag: usize) -> Option<Self> {
        let (mut len, mut rest) = (frame_len, hop);
        while rest > 0 {
            (len, rest) = (rest, len % rest);
        }
        while len > MOST_BLOCK && len.is_multiple_of(2) {
            len /= 2;
        }
        let lags = (max_lag + 1).next_multiple_of(len.max(1));
        let blocks = Self { len, count: frame_len / len.max(1), step: hop / len.max(1), lags };
        // Lags past the frame have no segment.
        ((LEAST_BLOCK..=4 * MOST_BLOCK).contains(&len) && lags <= frame_len).then_some(blocks)
    }
}

/// The least even number of at least `len` with no prime factor over 5: transforms of such lengths are fast.
pub(super) fn fast_len(len: usize) -> usize {
    let smooth = |mut n: usize| {
        for factor in [2, 3, 5] {
            while n.is_multiple_of(factor) {
                n /= factor;
            }
        }
        n == 1
    };
    (len.div_ceil(2) * 2..).step_by(2).find(|n| smooth(*n)).unwrap_or(len)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noise(len: usize) -> Vec<f32> {
        (0..len).map(|i| ((i * 7919 + 13) % 10_009) as f32 / 5004.0 - 1.0).collect()
    }

    #[test]
    fn both_ways_give_the_definition() {
        let samples = noise(6000);
        for (len, hop) in [(1024, 160), (1024, 256), (1024, 2048), (512, 16), (640, 128), (768, 96)] {
            let frames = Frames::centred(len, hop);
            let direct = Autocorrelation::new(frames, 247);
            assert!(direct.blocks.is_some());
            let by_transform = Autocorrelation { blocks: None, ..direct.clone() };
            let (mut a, mut b) = (direct.scratch(), by_transform.scratch());
            for index in (0..6000 / hop).chain([2, 0, 1]) {
                let mut frame = vec![0.0; len];
                frames.copy(&samples, index, &mut frame);
                let (of, found) = direct.of(&samples, index, &mut a).unwrap();
                assert_eq!(of, frame);
                // Sums of blocks that were kept are those that would be made.
                assert_eq!(found, direct.of(&samples, index, &mut direct.scratch()).unwrap().1);
                let (_, transformed) = by_transform.of(&samples, index, &mut b).unwrap();
                for lag in [0, 1, 31, 32, 64, 246, 247] {
                    let products =
                        frame.iter().zip(&frame[lag..]).map(|(x, y)| f64::from(*x) * f64::from(*y));
                    let expected: f64 = products.sum();
                    assert!((found[lag] - expected).abs() < 1e-6 * found[0], "{len}, {hop}, {index}, {lag}");
                    assert!((transformed[lag] - expected).abs() < 1e-12 * found[0]);
                }
            }
        }
    }

    #[test]
    fn odd_lengths_have_no_blocks_and_silence_has_nothing() {
        let plan = Autocorrelation::new(Frames::centred(1023, 160), 247);
        assert!(plan.blocks.is_none());
        assert!(plan.of(&[0.0; 4000], 3, &mut plan.scratch()).is_none());
        assert!(plan.of(&[], 0, &mut plan.scratch()).is_none());
        let quiet = Autocorrelation::new(Frames::centred(1024, 160), 247);
        let samples: Vec<f32> = noise(2000).iter().map(|x| x * 1e-20).collect();
        let mut scratch = quiet.scratch();
        let (_, found) = quiet.of(&samples, 6, &mut scratch).unwrap();
        assert!(found[0] > 0.0 && found[247].abs() < found[0]);
    }

    #[test]
    fn fast_lengths_have_small_factors() {
        assert_eq!([1271, 1280, 1281, 1, 7].map(fast_len), [1280, 1280, 1296, 2, 8]);
    }
}
