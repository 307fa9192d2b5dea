//! The spectrogram of a clip: power spectra, mel levels, and the filters on either.

use crate::convolution::ImageFilter;

use super::filters::{SpectrogramFilters, SpectrogramScratch};
use super::mel::MelBank;
use super::profile::{SpectrogramSettings, Store};
use super::stft::{PowerStft, Precision, StftScratch};
use crate::simd::{GROUP, Width, rows_of_lanes};

/// A matrix of a clip, a row for each frame.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Spectrogram {
    /// Values of a frame: mel bands, or bins of a power spectrum; the lowest frequency first.
    pub bands: usize,
    /// Frames.
    pub frames: usize,
    /// Row-major, frames by bands.
    pub values: Vec<f32>,
    /// What the values are: the profile's level, or "power".
    pub unit: std::borrow::Cow<'static, str>,
}

/// The plan of spectrograms at one sample rate.
#[derive(Clone)]
pub struct Spectra {
    settings: SpectrogramSettings,
    stft: PowerStft,
    bank: MelBank,
    filters: SpectrogramFilters,
    width: Width,
}

/// What [`Spectra::compute`] writes: the matrices of the last clip.
pub struct SpectraScratch {
    stft: StftScratch,
    filters: SpectrogramScratch,
    group: Vec<f32>,
    energies: Vec<f32>,
    power: Vec<f32>,
    levels: Vec<f32>,
}

impl SpectraScratch {
    /// The mel levels of the last clip, frames by bands; empty where they were not wanted.
    #[must_use]
    pub fn levels(&self) -> &[f32] {
        &self.levels
    }
}

impl Spectra {
    /// Plans the spectra of settings that were checked.
    #[must_use]
    pub fn new(
        settings: &SpectrogramSettings,
        filters: Vec<ImageFilter<f32>>,
        precision: Precision,
        sample_rate: u32,
    ) -> Self {
        Self {
            settings: *settings,
            stft: PowerStft::new(settings, precision),
            bank: settings.mel_bank(sample_rate),
            filters: SpectrogramFilters::new(filters),
            width: Width::detect(),
        }
    }

    /// Room for one thread to work in.
    #[must_use]
    pub fn scratch(&self) -> SpectraScratch {
        SpectraScratch {
            stft: self.stft.scratch(),
            filters: SpectrogramScratch::default(),
            group: vec![0.0; self.stft.bins() * GROUP],
            energies: vec![0.0; self.bank.bands() * GROUP],
            power: Vec::new(),
            levels: Vec::new(),
        }
    }

    /// Frames of a clip.
    #[must_use]
    pub fn count(&self, samples: usize) -> usize {
        self.stft.count(samples)
    }

    /// Mel bands.
    #[must_use]
    pub fn bands(&self) -> usize {
        self.bank.bands()
    }

    /// Computes the spectra of a clip, hands the unfiltered power of each group of frames to `each` in turn, a row of
    /// `GROUP` lanes for each bin and how many of these are frames, and leaves the matrices in the scratch: power where
    /// it is stored, mel levels where `with_levels`. The filters change the power where that is stored, so that the
    /// levels follow from what was filtered, and the levels otherwise.
    pub fn compute(
        &self,
        samples: &[f32],
        with_levels: bool,
        scratch: &mut SpectraScratch,
        mut each: impl FnMut(&[f32], usize),
    ) {
        let SpectraScratch { stft, filters, group, energies, power, levels } = scratch;
        let frames = self.count(samples.len());
        let (bins, bands) = (self.stft.bins(), self.bank.bands());
        let with_power = self.settings.store == Store::Power;
        power.clear();
        power.resize(if with_power { frames * bins } else { 0 }, 0.0);
        levels.clear();
        levels.resize(if with_levels { frames * bands } else { 0 }, 0.0);
        let (mut powers, mut bands_of_groups) =
            (power.chunks_mut(bins * GROUP), levels.chunks_mut(bands * GROUP));
        for first in (0..frames).step_by(GROUP) {
            self.stft.group(samples, first, group, stft);
            each(group, GROUP.min(frames - first));
            if let Some(rows) = powers.next() {
                rows_of_lanes(self.width, group, bins, rows);
            } else if let Some(rows) = bands_of_groups.next() {
                self.bank.apply_lanes(self.width, group, energies);
                rows_of_lanes(self.width, energies, bands, rows);
            }
        }
        if with_power {
            self.filters.apply(power, bins, filters);
            for (row, energies) in power.chunks_exact(bins).zip(levels.chunks_exact_mut(bands)) {
                self.bank.apply(row, energies);
            }
        }
        self.settings.profile.levels(levels);
        if !with_power {
            self.filters.apply(levels, bands, filters);
        }
    }

    /// A copy of the mel levels that the last clip left in the scratch.
    #[must_use]
    pub fn mel(&self, scratch: &SpectraScratch) -> Spectrogram {
        matrix(&scratch.levels, self.bank.bands(), self.settings.profile.unit())
    }

    /// A copy of the matrix that `store` asks for, from what the last clip left in the scratch.
    #[must_use]
    pub fn stored(&self, scratch: &SpectraScratch) -> Option<Spectrogram> {
        match self.settings.store {
            Store::None => None,
            Store::Mel => Some(self.mel(scratch)),
            Store::Power => Some(matrix(&scratch.power, self.stft.bins(), "power")),
        }
    }
}

fn matrix(values: &[f32], bands: usize, unit: &'static str) -> Spectrogram {
    Spectrogram { bands, frames: values.len() / bands, values: values.to_vec(), unit: unit.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_are_the_same_whether_power_is_kept_or_not() {
        let samples: Vec<f32> = (0..2000).map(|i| libm::sinf(i as f32 * 0.3) * 0.4).collect();
        let levels = |store| {
            let spectra = Spectra::new(
                &SpectrogramSettings { store, ..Default::default() },
                Vec::new(),
                Precision::Double,
                16_000,
            );
            let mut scratch = spectra.scratch();
            let mut rows = 0;
            spectra.compute(&samples, true, &mut scratch, |group, frames| {
                assert_eq!(group.len(), 257 * GROUP);
                rows += frames;
            });
            assert_eq!(rows, 13);
            (spectra.mel(&scratch), spectra.stored(&scratch))
        };
        let (mel, stored) = levels(Store::Mel);
        assert_eq!((mel.bands, mel.frames), (80, 13));
        assert_eq!(stored.as_ref(), Some(&mel));
        let (same, power) = levels(Store::Power);
        assert_eq!(same, mel);
        assert!(power.is_some_and(|p| (p.bands, p.frames, &*p.unit) == (257, 13, "power")));
        assert_eq!(levels(Store::None).1, None);
    }
}
