//! Contrast, slope and entropy of a spectrum.
//!
//! Contrast is `librosa.feature.spectral_contrast` 0.11 with its defaults: in each of 7 bands (up to 200 Hz, then
//! octaves) the level of the loudest fiftieth of the bins less that of the quietest. Slope is the line of least squares
//! through the level of the bins over frequency. Entropy is Shannon's, of the power as a distribution over the bins.

use std::io;

use super::rows::{Room, Rows};

/// Bands of contrast: 0 to 200 Hz, then six octaves, the last up to half the sample rate.
pub const BANDS: usize = 7;
const FIRST_OCTAVE_HZ: f64 = 200.0;
const QUANTILE: f64 = 0.02;
/// librosa's least power of `power_to_db`, and its range under the clip's loudest.
const LEAST: f64 = 1e-10;
const RANGE_DB: f32 = 80.0;

/// The plan of contrast, slope and entropy at one sample rate and length of the transform.
#[derive(Debug, Clone)]
pub struct Contrast {
    bands: Vec<Band>,
    bin_khz: f64,
    mean_bin: f64,
    /// Sum of the squares of the bins' distances from their mean.
    spread: f64,
}

#[derive(Debug, Clone, Copy)]
struct Band {
    first: usize,
    end: usize,
    /// Bins that count as the loudest, and as the quietest.
    few: usize,
}

/// What [`Contrast::describe`] writes: the frames of a clip.
#[derive(Default)]
pub struct ContrastScratch {
    sorted: Vec<f32>,
    /// Of each frame the valley and the peak of each band in turn.
    bands_db: Rows,
    /// The clip's highest valley and highest peak.
    highest_db: [f32; 2],
    piece: Vec<f32>,
    /// Slope of each frame in dB per kHz.
    pub slope_db_khz: Vec<f32>,
    /// Entropy of each frame as a share of the greatest there is, 0 to 1.
    pub entropy: Vec<f32>,
}

impl Contrast {
    /// For spectra of `fft_len/2 + 1` bins.
    #[must_use]
    pub fn new(sample_rate: u32, fft_len: usize) -> Self {
        let (rate, bins) = (f64::from(sample_rate), fft_len / 2 + 1);
        let mean_bin = (bins - 1) as f64 / 2.0;
        let squares = (0..bins).map(|bin| (bin as f64 - mean_bin) * (bin as f64 - mean_bin));
        Self {
            bands: bands(rate, fft_len, bins),
            bin_khz: rate / fft_len as f64 / 1000.0,
            mean_bin,
            spread: squares.sum(),
        }
    }

    /// Bands that this sample rate has; one of fewer than two bins, and all above it, is left out.
    #[must_use]
    pub fn bands(&self) -> usize {
        self.bands.len()
    }

    /// Describes the clip's next frame from its power spectrum.
    pub fn describe(&self, power: &[f32], scratch: &mut ContrastScratch) {
        for band in &self.bands {
            let sorted = &mut scratch.sorted;
            sorted.clear();
            sorted.extend_from_slice(&power[band.first..band.end]);
            sorted.sort_unstable_by(f32::total_cmp);
            let few = band.few.min(sorted.len());
            let both = [level_db(&sorted[..few]), level_db(&sorted[sorted.len() - few..])];
            scratch.bands_db.held_mut().extend(both);
            for (highest, level) in scratch.highest_db.iter_mut().zip(both) {
                *highest = highest.max(level);
            }
        }
        let (mut products, mut sum, mut logs) = (0.0, 0.0, 0.0);
        for (bin, value) in power.iter().enumerate() {
            let value = f64::from(*value).max(LEAST);
            let log = libm::log(value);
            products += (bin as f64 - self.mean_bin) * log;
            sum += value;
            logs += value * log;
        }
        let decibels = 10.0 / std::f64::consts::LN_10;
        let slope = if self.spread > 0.0 { decibels * products / self.spread / self.bin_khz } else { 0.0 };
        // -Σ p ln p with p = x/Σx.
        let entropy = libm::log(sum) - logs / sum;
        let greatest = libm::log(power.len() as f64);
        scratch.slope_db_khz.push(slope as f32);
        scratch.entropy.push(if greatest > 0.0 { (entropy / greatest) as f32 } else { 0.0 });
    }
}

impl ContrastScratch {
    /// Begins a new clip.
    pub fn restart(&mut self) {
        self.bands_db.restart();
        self.highest_db = [f32::MIN; 2];
        self.slope_db_khz.clear();
        self.entropy.clear();
    }

    /// Lets what is known of bands go to a file where there is no room for it in memory.
    pub fn spill(&mut self, room: Room<'_>) -> io::Result<()> {
        self.bands_db.spill(room)
    }

    /// Hands the contrast of all frames, a row of `bands` each, to `each` in pieces, after the last frame: peaks less valleys, both no
    /// lower than 80 dB under the clip's highest.
    pub fn pieces(&mut self, bands: usize, mut each: impl FnMut(&[f32])) -> io::Result<()> {
        let Self { bands_db, highest_db, piece, .. } = self;
        let [valley, peak] = highest_db.map(|highest| highest - RANGE_DB);
        bands_db.pieces(2 * bands, |both, _| {
            piece.clear();
            piece.extend(both.as_chunks().0.iter().map(|[v, p]| p.max(peak) - v.max(valley)));
            each(piece);
        })
    }
}

fn bands(rate: f64, fft_len: usize, bins: usize) -> Vec<Band> {
    let hz = |bin: usize| bin as f64 * rate / fft_len as f64;
    let mut found = Vec::with_capacity(BANDS);
    for band in 0..BANDS {
        let high_hz = FIRST_OCTAVE_HZ * f64::from(1_u32 << band);
        let low_hz = if band == 0 { 0.0 } else { high_hz / 2.0 };
        let last = band + 1 == BANDS;
        let first = (0..bins).find(|bin| hz(*bin) >= low_hz);
        let Some(first) = first.filter(|bin| low_hz < rate / 2.0 && hz(*bin) <= high_hz) else {
            break;
        };
        let inside = (first..bins).take_while(|bin| last || hz(*bin) <= high_hz).count();
        let begin = if band == 0 { first } else { first - 1 };
        let count = first + inside - begin;
        // A band's last bin is the one before the next band's first.
        let end = if last { first + inside } else { first + inside - 1 };
        if end <= begin {
            break;
        }
        let few = ((QUANTILE * count as f64).round_ties_even() as usize).max(1);
        found.push(Band { first: begin, end, few });
    }
    found
}

/// Level of the mean magnitude of some bins, taken as a power (librosa's `power_to_db` of magnitudes).
fn level_db(power: &[f32]) -> f32 {
    let sum: f64 = power.iter().map(|power| f64::from(*power).sqrt()).sum();
    (10.0 * libm::log10((sum / power.len() as f64).max(LEAST))) as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn describe(power: &[f32]) -> ContrastScratch {
        let mut scratch = ContrastScratch::default();
        scratch.restart();
        Contrast::new(16_000, (power.len() - 1) * 2).describe(power, &mut scratch);
        scratch
    }

    fn contrast_db(mut found: ContrastScratch) -> Vec<f32> {
        let mut rows = Vec::new();
        found.pieces(BANDS, |piece| rows.extend_from_slice(piece)).unwrap();
        rows
    }

    #[test]
    fn a_flat_spectrum_has_no_contrast_no_slope_and_all_entropy() {
        let found = describe(&[2.0; 257]);
        assert!(found.slope_db_khz[0].abs() < 1e-6 && (found.entropy[0] - 1.0).abs() < 1e-6);
        assert_eq!(contrast_db(found), [0.0; BANDS]);
    }

    #[test]
    fn a_falling_spectrum_has_its_slope() {
        // 3 dB a kHz, bins of 31.25 Hz.
        let power: Vec<f32> = (0..257).map(|bin| libm::powf(10.0, -0.3 * bin as f32 / 32.0)).collect();
        assert!((describe(&power).slope_db_khz[0] + 3.0).abs() < 1e-4);
    }

    #[test]
    fn one_bin_has_no_entropy() {
        let mut power = [0.0; 257];
        power[40] = 1e6;
        let found = describe(&power);
        assert!(found.entropy[0] < 1e-6);
        let contrast_db = contrast_db(found);
        // The bin lies between 800 and 1600 Hz.
        assert!((contrast_db[3] - 130.0).abs() < 1e-4);
        // Where there is nothing but the floor, the peak stops 80 dB under the highest.
        assert!((contrast_db[5] - 50.0).abs() < 1e-4);
    }

    #[test]
    fn low_rates_have_fewer_bands() {
        assert_eq!(Contrast::new(16_000, 512).bands(), BANDS);
        assert_eq!(Contrast::new(8000, 256).bands(), 6);
        for (rate, len) in [(16_000, 1), (16_000, 2), (100, 512), (16_000, 45)] {
            let (plan, mut scratch) = (Contrast::new(rate, len), ContrastScratch::default());
            plan.describe(&vec![1.0; len / 2 + 1], &mut scratch);
            assert!(plan.bands() <= BANDS && scratch.entropy[0].is_finite());
        }
    }
}
