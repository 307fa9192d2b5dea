//! Pitch: the fundamental frequency of a frame by YIN.
//!
//! De Cheveigné and Kawahara, "YIN, a fundamental frequency estimator for speech and music", JASA 111 (2002), as
//! `librosa.yin` 0.11 computes it. Its difference function is not the paper's: over a frame x of N samples
//!
//! ```text
//! r(τ) = Σ_{j < N-τ} x[j] x[j+τ]
//! d(τ) = 2 (r(0) - r(τ)) - Σ_{j < τ} x[j]²
//! ```
//!
//! which leaves the energy of the last τ samples in. Then, as in the paper, d is divided by its mean up to τ, and
//! the first trough under 0.1 (or else the least value) is refined by a parabola.
//!
//! r(τ) is summed directly, in blocks of samples that the frames before and after share. Lengths that have no such
//! blocks, and frames so quiet that squares would leave f32, go by way of the power spectrum in f64.

use std::fmt;
use std::str::FromStr;

use crate::convolution::fourier::{Complex, FftScratch, RealFft};

use crate::simd::{Outputs, Stencil, Width, correlate, largest};

use super::error::AudioError;
use super::frames::Frames;
use super::profile::FRAME_LIMIT;

/// A trough under this is taken as the period (librosa's `trough_threshold`).
const TROUGH: f64 = 0.1;

/// A frame whose normalised difference stays at or over this everywhere is unvoiced.
const UNVOICED: f64 = 0.3;

/// Frames under this go in f64: squares of f32 would lose their digits.
const LEAST_PEAK: f32 = 1e-12;

/// Blocks shorter than the one are not worth it, and longer than the other are halved.
const LEAST_BLOCK: usize = 16;
const MOST_BLOCK: usize = 64;

/// Frames for which there is room until the sums of blocks are moved.
const ROOM: usize = 4;

/// How pitch is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum PitchMethod {
    /// YIN, each frame by itself.
    #[default]
    Yin,
    /// Probabilistic YIN over all frames.
    Pyin,
}

/// The `pitch` of a job's `[features]`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PitchSettings {
    /// The lowest pitch looked for.
    pub min_hz: f64,
    /// The highest pitch looked for, at most half the sample rate.
    pub max_hz: f64,
    /// Samples in a frame, at the clip's rate; more than one period of `min_hz`, better two.
    pub frame_len: usize,
    /// How pitch is found.
    pub method: PitchMethod,
}

impl Default for PitchSettings {
    fn default() -> Self {
        Self { min_hz: 65.0, max_hz: 500.0, frame_len: 1024, method: PitchMethod::Yin }
    }
}

impl PitchSettings {
    /// Whether pitch can be found so at a sample rate: librosa's own conditions.
    fn check(&self, sample_rate: u32) -> Result<(), AudioError> {
        let (min_hz, max_hz, rate) = (self.min_hz, self.max_hz, f64::from(sample_rate));
        let in_order = min_hz > 0.0 && min_hz < max_hz && max_hz <= rate / 2.0;
        if self.method == PitchMethod::Pyin {
            return Err(AudioError::NoPyin);
        }
        if !in_order {
            return Err(AudioError::PitchRange { min_hz, max_hz, nyquist_hz: rate / 2.0 });
        }
        if self.frame_len > FRAME_LIMIT {
            let (key, value) = ("features.pitch.frame_len", self.frame_len);
            return Err(AudioError::TooLarge { key, value, limit: FRAME_LIMIT });
        }
        if rate / min_hz >= self.frame_len as f64 - 1.0 {
            let least = ((rate / min_hz).ceil() as usize).saturating_add(2);
            return Err(AudioError::PitchFrameTooShort {
                frame_len: self.frame_len,
                min_hz,
                sample_rate,
                least,
            });
        }
        Ok(())
    }
}

/// The plan of YIN at one sample rate.
#[derive(Clone)]
pub struct Yin {
    frames: Frames,
    sample_rate: f64,
    min_period: usize,
    max_period: usize,
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
    /// The samples of the last frame and as many after it as there are lags.
    samples: Vec<f32>,
    before: Vec<f32>,
    /// For each block and lag the sum of x[j] x[j + lag] over the block; those of the last frame begin at `first`.
    rows: Vec<f32>,
    first: usize,
    ones: Vec<f32>,
    last_block: Vec<f32>,
    sums: Vec<f32>,
}

/// What [`Yin::estimate`] writes while it works.
pub struct YinScratch {
    frame: Vec<f32>,
    padded: Vec<f64>,
    spectrum: Vec<Complex<f64>>,
    autocorrelation: Vec<f64>,
    difference: Vec<f64>,
    fft: FftScratch<f64>,
    blocks: BlockSums,
}

impl Yin {
    /// Frames of `settings.frame_len` samples, centred on every `hop_len`-th sample, zeros outside of the clip.
    pub fn new(settings: &PitchSettings, hop_len: usize, sample_rate: u32) -> Result<Self, AudioError> {
        settings.check(sample_rate)?;
        let rate = f64::from(sample_rate);
        let max_period = ((rate / settings.min_hz).ceil() as usize).min(settings.frame_len - 1);
        Ok(Self {
            frames: Frames::centred(settings.frame_len, hop_len),
            sample_rate: rate,
            min_period: (rate / settings.max_hz).floor() as usize,
            max_period,
            // So long that no lag up to max_period wraps around.
            fft: RealFft::new(fast_len(settings.frame_len + max_period)),
            blocks: Blocks::new(settings.frame_len, hop_len, max_period),
            width: Width::detect(),
        })
    }

    /// Room for one thread to work in.
    #[must_use]
    pub fn scratch(&self) -> YinScratch {
        YinScratch {
            frame: vec![0.0; self.frames.len],
            padded: vec![0.0; self.fft.len()],
            spectrum: vec![Complex::default(); self.fft.bins()],
            autocorrelation: vec![0.0; self.fft.len()],
            difference: vec![0.0; self.max_period - self.min_period + 1],
            fft: self.fft.scratch(),
            blocks: BlockSums::default(),
        }
    }

    /// The pitch of frame `index` in Hz; `None` where the frame is silent or its normalised difference has no value
    /// under 0.3 (unvoiced).
    #[must_use]
    pub fn estimate(&self, samples: &[f32], index: usize, scratch: &mut YinScratch) -> Option<f64> {
        self.frames.copy(samples, index, &mut scratch.frame);
        let peak = largest(&scratch.frame, f32::abs);
        if peak == 0.0 {
            return None;
        }
        match self.blocks.filter(|_| peak > LEAST_PEAK) {
            Some(blocks) => self.sum_blocks(blocks, samples, index, scratch),
            None => self.autocorrelate(scratch),
        }
        self.normalise(scratch);
        let difference = &scratch.difference;
        let least = difference.iter().fold(f64::INFINITY, |least, d| if *d < least { *d } else { least });
        if least >= UNVOICED {
            return None;
        }
        let lag = first_trough(difference).or_else(|| difference.iter().position(|d| *d == least))?;
        let period = (self.min_period + lag) as f64 + parabola_shift(difference, lag);
        Some(self.sample_rate / period)
    }

    /// r(τ) by the sums of blocks.
    ///
    /// Of block c, counted from the start of the frame, the lags of segment q (a block's length of lags) lie inside of the
    /// frame where c + q < count - 1, and reach into its last block where c + q = count - 1.
    fn sum_blocks(&self, blocks: Blocks, samples: &[f32], index: usize, scratch: &mut YinScratch) {
        let Blocks { len, count, lags, .. } = blocks;
        let state = &mut scratch.blocks;
        self.renew(blocks, samples, index, state);
        let rows = &state.rows[state.first * lags..];
        // Blocks all lags of which lie inside, then those of which fewer do.
        let whole = count - lags / len;
        let mut outputs = Outputs { samples: &mut state.sums, stride: lags, rows: 1, cols: lags };
        outputs.samples.fill(0.0);
        if whole > 0 {
            let stencil =
                Stencil { taps: &state.ones[..whole], rows: whole, cols: 1, input: rows, stride: lags };
            correlate(self.width, &stencil, &mut outputs, false);
        }
        for block in whole..count {
            let row = &rows[block * lags..][..lags];
            outputs.cols = (count - 1 - block) * len;
            let stencil = Stencil { taps: &state.ones[..1], rows: 1, cols: 1, input: row, stride: lags };
            correlate(self.width, &stencil, &mut outputs, true);
            // The segment that reaches into the last block, which zeros follow.
            let segment = count - 1 - block;
            let stencil = Stencil {
                taps: &state.samples[block * len..][..len],
                rows: 1,
                cols: len,
                input: &state.last_block,
                stride: 2 * len,
            };
            let samples = &mut outputs.samples[segment * len..][..len];
            correlate(self.width, &stencil, &mut Outputs { samples, stride: len, rows: 1, cols: len }, true);
        }
        let scale = self.fft.len() as f64;
        for (r, sum) in scratch.autocorrelation[..=self.max_period].iter_mut().zip(&state.sums) {
            *r = f64::from(*sum) * scale;
        }
    }

    /// Makes the sums of blocks those of frame `index`. Where the frame goes on as the last one did, the blocks that both
    /// have are kept: every sum is the same either way.
    fn renew(&self, blocks: Blocks, samples: &[f32], index: usize, state: &mut BlockSums) {
        let Blocks { len, count, step, lags } = blocks;
        let reach = self.frames.len + lags;
        std::mem::swap(&mut state.samples, &mut state.before);
        state.samples.resize(reach, 0.0);
        Frames { len: reach, ..self.frames }.copy(samples, index, &mut state.samples);
        if state.rows.is_empty() {
            state.rows = vec![0.0; ROOM * count * lags];
            state.ones = vec![1.0; count];
            state.last_block = vec![0.0; 2 * len];
            state.sums = vec![0.0; lags];
        }
        let shared = state.before.get(step * len..).unwrap_or_default();
        let goes_on = !shared.is_empty() && same(&state.samples[..shared.len()], shared);
        let kept = if goes_on { count.saturating_sub(step) } else { 0 };
        state.first = if kept > 0 { state.first + step } else { 0 };
        if state.first + count > ROOM * count {
            let from = state.first * lags;
            state.rows.copy_within(from..from + kept * lags, 0);
            state.first = 0;
        }
        for block in kept..count {
            let stencil = Stencil {
                taps: &state.samples[block * len..][..len],
                rows: 1,
                cols: len,
                input: &state.samples[block * len..],
                stride: reach,
            };
            let row = &mut state.rows[(state.first + block) * lags..][..lags];
            correlate(
                self.width,
                &stencil,
                &mut Outputs { samples: row, stride: lags, rows: 1, cols: lags },
                false,
            );
        }
        state.last_block[..len].copy_from_slice(&state.samples[(count - 1) * len..][..len]);
    }

    /// r(τ) times the length of the transform, by way of the power spectrum (Wiener and Khinchin).
    fn autocorrelate(&self, scratch: &mut YinScratch) {
        scratch.padded.fill(0.0);
        for (into, sample) in scratch.padded.iter_mut().zip(&scratch.frame) {
            *into = f64::from(*sample);
        }
        self.fft.forward(&mut scratch.padded, &mut scratch.spectrum, &mut scratch.fft);
        for bin in &mut scratch.spectrum {
            *bin = Complex::new(bin.norm_sqr(), 0.0);
        }
        self.fft.inverse(&mut scratch.spectrum, &mut scratch.autocorrelation, &mut scratch.fft);
    }

    /// d(τ) by its mean over 1..=τ, for τ from `min_period` to `max_period`.
    fn normalise(&self, scratch: &mut YinScratch) {
        let scale = 2.0 / self.fft.len() as f64;
        let whole = scratch.autocorrelation[0];
        let (mut head, mut sum) = (0.0, 0.0);
        let (first, differences) = (self.min_period.max(1), &mut scratch.difference);
        let lags = scratch.frame.iter().zip(&scratch.autocorrelation[1..=self.max_period]).zip(1..);
        let mut step = |sample: f32, r: f64| {
            head += f64::from(sample) * f64::from(sample);
            let difference = (whole - r) * scale - head;
            sum += difference;
            (difference, sum)
        };
        for ((sample, r), lag) in lags {
            let (difference, sum) = step(*sample, *r);
            if lag >= first {
                // By the mean, sum / lag.
                differences[lag - self.min_period] = difference * lag as f64 / (sum + f64::MIN_POSITIVE);
            }
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
    fn new(frame_len: usize, hop: usize, max_period: usize) -> Option<Self> {
        let (mut len, mut rest) = (frame_len, hop);
        while rest > 0 {
            (len, rest) = (rest, len % rest);
        }
        while len > MOST_BLOCK && len.is_multiple_of(2) {
            len /= 2;
        }
        let lags = (max_period + 1).next_multiple_of(len.max(1));
        let blocks = Self { len, count: frame_len / len.max(1), step: hop / len.max(1), lags };
        // Lags past the frame have no segment.
        ((LEAST_BLOCK..=4 * MOST_BLOCK).contains(&len) && lags <= frame_len).then_some(blocks)
    }
}

/// The first local minimum under the threshold. The first value needs a greater one after it, the last a greater
/// one before it.
fn first_trough(difference: &[f64]) -> Option<usize> {
    (0..difference.len()).find(|i| {
        let here = difference[*i];
        let falls = *i == 0 || here < difference[*i - 1];
        let rises = match difference.get(*i + 1) {
            Some(after) if *i == 0 => here < *after,
            Some(after) => here <= *after,
            None => true,
        };
        here < TROUGH && falls && rises
    })
}

/// How far the vertex of the parabola through a value and its neighbours lies from it: under 1, else 0.
fn parabola_shift(difference: &[f64], lag: usize) -> f64 {
    let Some([before, here, after]) = lag.checked_sub(1).and_then(|from| difference.get(from..from + 3))
    else {
        return 0.0;
    };
    let curvature = after + before - 2.0 * here;
    let slope = (after - before) / 2.0;
    if slope.abs() >= curvature.abs() { 0.0 } else { -slope / curvature }
}

/// The least even number of at least `len` with no prime factor over 5: transforms of such lengths are fast.
fn fast_len(len: usize) -> usize {
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

impl fmt::Display for PitchMethod {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Yin => "yin",
            Self::Pyin => "pyin",
        })
    }
}

impl FromStr for PitchMethod {
    type Err = AudioError;

    fn from_str(name: &str) -> Result<Self, AudioError> {
        match name {
            "yin" => Ok(Self::Yin),
            "pyin" => Ok(Self::Pyin),
            _ => Err(AudioError::UnknownName {
                key: "features.pitch.method",
                found: name.to_owned(),
                choices: "yin, pyin",
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::f64::consts::PI;

    use super::*;

    fn tone(hz: f64, len: usize) -> Vec<f32> {
        let partial = |i: usize, n: f64| (2.0 * PI * n * hz * i as f64 / 16_000.0).sin() / n;
        (0..len).map(|i| (0.3 * (1..6).map(|n| partial(i, f64::from(n))).sum::<f64>()) as f32).collect()
    }

    fn plan() -> Yin {
        Yin::new(&PitchSettings::default(), 160, 16_000).unwrap()
    }

    #[test]
    fn a_tone_has_its_pitch() {
        let yin = plan();
        let mut scratch = yin.scratch();
        for hz in [80.0, 123.4, 220.0, 415.3] {
            let found = yin.estimate(&tone(hz, 8000), 20, &mut scratch).unwrap();
            assert!((found / hz - 1.0).abs() < 2e-3, "{found} for {hz}");
        }
    }

    #[test]
    fn the_difference_is_the_definition() {
        let samples = tone(180.0, 2000);
        let yin = plan();
        let mut scratch = yin.scratch();
        let _ = yin.estimate(&samples, 6, &mut scratch);
        let x: Vec<f64> = samples[6 * 160 - 512..6 * 160 + 512].iter().map(|x| f64::from(*x)).collect();
        let r = |lag: usize| -> f64 { x[..1024 - lag].iter().zip(&x[lag..]).map(|(a, b)| a * b).sum() };
        let d = |lag: usize| 2.0 * (r(0) - r(lag)) - x[..lag].iter().map(|x| x * x).sum::<f64>();
        let differences: Vec<f64> = (1..=yin.max_period).map(d).collect();
        for lag in [yin.min_period, 89, yin.max_period] {
            let mean = differences[..lag].iter().sum::<f64>() / lag as f64;
            let found = scratch.difference[lag - yin.min_period];
            assert!((found - differences[lag - 1] / mean).abs() < 1e-5);
        }
    }

    #[test]
    fn blocks_give_what_transforms_give() {
        let samples = tone(180.0, 6000);
        for (frame_len, hop) in [(1024, 160), (1024, 256), (1024, 2048), (512, 16), (640, 128), (768, 96)] {
            let settings = PitchSettings { frame_len, ..PitchSettings::default() };
            let direct = Yin::new(&settings, hop, 16_000).unwrap();
            assert!(direct.blocks.is_some());
            let by_transform = Yin { blocks: None, ..direct.clone() };
            let (mut a, mut b) = (direct.scratch(), by_transform.scratch());
            for frame in (0..6000 / hop).chain([3, 4, 9, 1]) {
                let (found, expected) = (
                    direct.estimate(&samples, frame, &mut a),
                    by_transform.estimate(&samples, frame, &mut b),
                );
                assert_eq!(found, direct.estimate(&samples, frame, &mut direct.scratch()));
                let apart =
                    a.difference.iter().zip(&b.difference).map(|(x, y)| (x - y).abs()).fold(0.0, f64::max);
                assert!(apart < 1e-4, "{frame_len}, {hop}, frame {frame}: {apart}");
                assert_eq!(found.is_some(), expected.is_some());
            }
        }
        let odd = PitchSettings { frame_len: 1023, ..PitchSettings::default() };
        assert!(Yin::new(&odd, 160, 16_000).unwrap().blocks.is_none());
    }

    #[test]
    fn silence_and_noise_have_no_pitch() {
        let yin = plan();
        let mut scratch = yin.scratch();
        assert_eq!(yin.estimate(&[0.0; 4000], 10, &mut scratch), None);
        assert_eq!(yin.estimate(&[], 0, &mut scratch), None);
        let mut state = 7u32;
        let noise: Vec<f32> = (0..4000)
            .map(|_| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (state >> 8) as f32 / 8_388_608.0 - 1.0
            })
            .collect();
        assert_eq!(yin.estimate(&noise, 10, &mut scratch), None);
    }

    #[test]
    fn troughs_and_parabolas() {
        assert_eq!(first_trough(&[0.5, 0.09, 0.2, 0.01]), Some(1));
        assert_eq!(first_trough(&[0.05, 0.06]), Some(0));
        assert_eq!(first_trough(&[0.5, 0.4, 0.01]), Some(2));
        assert_eq!(first_trough(&[0.5, 0.2, 0.3]), None);
        assert_eq!(parabola_shift(&[4.0, 1.0, 0.0, 1.0], 2), 0.0);
        assert!((parabola_shift(&[2.0, 0.5, 1.0], 1) - 0.25).abs() < 1e-12);
        assert_eq!(parabola_shift(&[2.0, 0.5, 1.0], 2), 0.0);
    }

    #[test]
    fn impossible_settings_are_named() {
        let with = |settings: PitchSettings| Yin::new(&settings, 160, 16_000).err();
        let good = PitchSettings::default();
        assert!(with(good).is_none());
        let pyin = with(PitchSettings { method: PitchMethod::Pyin, ..good }).unwrap();
        assert_eq!(pyin.to_string(), "method pyin is not there yet, write method = \"yin\"");
        assert!(matches!(
            with(PitchSettings { max_hz: 9000.0, ..good }),
            Some(AudioError::PitchRange { .. })
        ));
        assert!(matches!(
            with(PitchSettings { min_hz: f64::NAN, ..good }),
            Some(AudioError::PitchRange { .. })
        ));
        let Some(AudioError::PitchFrameTooShort { least, .. }) =
            with(PitchSettings { frame_len: 200, ..good })
        else {
            panic!("a frame of 200 samples is too short");
        };
        assert!(with(PitchSettings { frame_len: least, ..good }).is_none());
    }

    #[test]
    fn fast_lengths_have_small_factors() {
        assert_eq!([1271, 1280, 1281, 1, 7].map(fast_len), [1280, 1280, 1296, 2, 8]);
    }
}
