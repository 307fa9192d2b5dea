//! Mel filter banks: triangles of equal width on a scale of perceived pitch.

use crate::simd::{Band, Width, band_sums};

/// The least frequency of Kaldi's bank, `--low-freq`.
pub(super) const KALDI_LOW_HZ: f64 = 20.0;

/// A bank of triangles over the bins of a power spectrum; each keeps only its own bins.
#[derive(Debug, Clone)]
pub struct MelBank {
    bands: Vec<Band>,
    weights: Vec<f32>,
}

impl MelBank {
    /// Slaney's bank from 0 Hz to half the sample rate: triangles in Hz, each of area 1
    /// (`librosa.filters.mel(sr, n_fft, n_mels)`). A band narrower than a bin may be empty, and is silent then.
    #[must_use]
    pub fn slaney(sample_rate: u32, fft_len: usize, mels: usize) -> Self {
        let nyquist = f64::from(sample_rate) / 2.0;
        let edges: Vec<f64> = evenly(0.0, slaney_mel(nyquist), mels + 2).into_iter().map(slaney_hz).collect();
        Self::triangles(mels, fft_len / 2 + 1, |band, bin| {
            let hz = bin as f64 * f64::from(sample_rate) / fft_len as f64;
            let (left, centre, right) = (edges[band], edges[band + 1], edges[band + 2]);
            let height = 2.0 / (right - left);
            height * ((hz - left) / (centre - left)).min((right - hz) / (right - centre)).max(0.0)
        })
    }

    /// Kaldi's bank from 20 Hz to half the sample rate: triangles in mel, each of height 1 (`mel-computations.cc`).
    #[must_use]
    pub fn kaldi(sample_rate: u32, fft_len: usize, mels: usize) -> Self {
        Self::htk(sample_rate, fft_len, mels, KALDI_LOW_HZ, f64::from(sample_rate) / 2.0)
    }

    /// The same from `low_hz` to `high_hz`, as HTK has it.
    #[must_use]
    pub fn htk(sample_rate: u32, fft_len: usize, mels: usize, low_hz: f64, high_hz: f64) -> Self {
        let edges = evenly(kaldi_mel(low_hz), kaldi_mel(high_hz), mels + 2);
        // Kaldi leaves the last bin, at half the sample rate, out of account.
        Self::triangles(mels, fft_len / 2, |band, bin| {
            let mel = kaldi_mel(bin as f64 * f64::from(sample_rate) / fft_len as f64);
            let (left, centre, right) = (edges[band], edges[band + 1], edges[band + 2]);
            ((mel - left) / (centre - left)).min((right - mel) / (right - centre)).max(0.0)
        })
    }

    /// The frequencies at which the triangles of [`MelBank::htk`] are highest.
    #[must_use]
    pub fn htk_centres(mels: usize, low_hz: f64, high_hz: f64) -> Vec<f64> {
        let edges = evenly(kaldi_mel(low_hz), kaldi_mel(high_hz), mels + 2);
        edges[1..=mels].iter().map(|mel| 700.0 * (libm::exp(mel / 1127.0) - 1.0)).collect()
    }

    fn triangles(mels: usize, bins: usize, weight: impl Fn(usize, usize) -> f64) -> Self {
        let mut bank = Self { bands: Vec::with_capacity(mels), weights: Vec::new() };
        for band in 0..mels {
            let first_weight = bank.weights.len();
            let first_bin = (0..bins).find(|bin| weight(band, *bin) > 0.0).unwrap_or(0);
            let row = (first_bin..bins).map(|bin| weight(band, bin) as f32);
            bank.weights.extend(row.take_while(|w| *w > 0.0));
            bank.bands.push(Band { first_bin, first_weight, len: bank.weights.len() - first_weight });
        }
        bank
    }

    /// Bands of the bank.
    #[must_use]
    pub fn bands(&self) -> usize {
        self.bands.len()
    }

    /// Sums the power of each band: `power` has a value for each bin, `energies` one for each band.
    pub fn apply(&self, power: &[f32], energies: &mut [f32]) {
        for (energy, band) in energies.iter_mut().zip(&self.bands) {
            let weights = &self.weights[band.first_weight..band.first_weight + band.len];
            let bins = &power[band.first_bin..band.first_bin + band.len];
            *energy = weights.iter().zip(bins).fold(0.0, |sum, (w, p)| w.mul_add(*p, sum));
        }
    }

    /// The transpose of [`MelBank::apply`]: each bin gets what the bands have of it.
    pub fn spread(&self, energies: &[f32], power: &mut [f32]) {
        power.fill(0.0);
        for (energy, band) in energies.iter().zip(&self.bands) {
            let weights = &self.weights[band.first_weight..band.first_weight + band.len];
            let bins = &mut power[band.first_bin..band.first_bin + band.len];
            bins.iter_mut().zip(weights).for_each(|(bin, weight)| *bin = weight.mul_add(*energy, *bin));
        }
    }

    /// The same for a group of frames, one lane a frame: a row of lanes for each bin and for each band. Gives the bits
    /// that [`MelBank::apply`] gives.
    pub(super) fn apply_lanes(&self, width: Width, power: &[f32], energies: &mut [f32]) {
        band_sums(width, &self.bands, &self.weights, power, energies);
    }
}

/// `count` values from `from` to `to`, both included.
fn evenly(from: f64, to: f64, count: usize) -> Vec<f64> {
    let step = (to - from) / (count - 1) as f64;
    (0..count).map(|i| from + i as f64 * step).collect()
}

/// Slaney's scale is linear up to this frequency, logarithmic above.
const SLANEY_BREAK_HZ: f64 = 1000.0;
const SLANEY_HZ_PER_MEL: f64 = 200.0 / 3.0;
const SLANEY_BREAK_MEL: f64 = SLANEY_BREAK_HZ / SLANEY_HZ_PER_MEL;

/// Slaney's Auditory Toolbox: mel of a frequency.
pub(super) fn slaney_mel(hz: f64) -> f64 {
    if hz < SLANEY_BREAK_HZ {
        hz / SLANEY_HZ_PER_MEL
    } else {
        SLANEY_BREAK_MEL + libm::log(hz / SLANEY_BREAK_HZ) / slaney_log_step()
    }
}

/// The inverse of [`slaney_mel`].
fn slaney_hz(mel: f64) -> f64 {
    if mel < SLANEY_BREAK_MEL {
        mel * SLANEY_HZ_PER_MEL
    } else {
        SLANEY_BREAK_HZ * libm::exp(slaney_log_step() * (mel - SLANEY_BREAK_MEL))
    }
}

fn slaney_log_step() -> f64 {
    libm::log(6.4) / 27.0
}

/// Kaldi's mel (O'Shaughnessy).
pub(super) fn kaldi_mel(hz: f64) -> f64 {
    1127.0 * libm::log(1.0 + hz / 700.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slaney_goes_both_ways() {
        assert!((slaney_mel(1000.0) - 15.0).abs() < 1e-12);
        assert!((slaney_mel(6400.0) - 42.0).abs() < 1e-12);
        for hz in [0.0, 440.0, 999.9, 1000.0, 7999.0] {
            assert!((slaney_hz(slaney_mel(hz)) - hz).abs() < 1e-9);
        }
    }

    #[test]
    fn slaney_triangles_have_area_one() {
        // Narrow bins make the sum an integral.
        let bank = MelBank::slaney(16_000, 65_536, 40);
        let mut areas = vec![0.0; 40];
        bank.apply(&vec![16_000.0 / 65_536.0; 32_769], &mut areas);
        assert!(areas.iter().all(|area| (area - 1.0).abs() < 1e-3));
    }

    #[test]
    fn kaldi_triangles_add_up_to_one_inside() {
        let bank = MelBank::kaldi(16_000, 512, 80);
        for bin in 10..240 {
            let mut power = vec![0.0; 257];
            power[bin] = 1.0;
            let mut energies = vec![0.0; 80];
            bank.apply(&power, &mut energies);
            assert!((energies.iter().sum::<f32>() - 1.0).abs() < 1e-5);
        }
    }

    #[test]
    fn a_band_narrower_than_a_bin_is_silent() {
        let bank = MelBank::slaney(16_000, 64, 80);
        let mut energies = vec![9.0; 80];
        bank.apply(&[1.0; 33], &mut energies);
        assert!(energies.contains(&0.0));
        assert_eq!(bank.bands(), 80);
    }
}
