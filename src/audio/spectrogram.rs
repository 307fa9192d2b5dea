//! The spectrogram of a clip: power spectra, mel levels, and the filters on either.

use std::io;
use std::ops::Range;

use crate::convolution::ImageFilter;

use super::filters::{SpectrogramFilters, SpectrogramScratch};
use super::levels::Levels;
use super::mel::MelBank;
use super::profile::{SpectrogramSettings, Store};
use super::rows::Room;
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

/// What [`Spectra::observe`] writes: the matrices of the last clip.
pub struct SpectraScratch {
    stft: StftScratch,
    filters: SpectrogramScratch,
    group: Vec<f32>,
    energies: Vec<f32>,
    power: Vec<f32>,
    with_levels: bool,
    levels: Levels,
}

impl SpectraScratch {
    /// The mel levels of the last clip, frames by bands; empty where they were not wanted or went to a file.
    #[must_use]
    pub fn levels(&self) -> &[f32] {
        self.levels.held()
    }

    /// Whether the mel levels of the clip are wanted.
    #[must_use]
    pub fn with_levels(&self) -> bool {
        self.with_levels
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
            with_levels: false,
            levels: Levels::default(),
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

    /// Begins a new clip, of which the mel levels are wanted or not.
    pub fn restart(&self, with_levels: bool, scratch: &mut SpectraScratch) {
        scratch.power.clear();
        scratch.levels.restart();
        scratch.with_levels = with_levels;
    }

    /// Computes the spectra of the next `frames`, by their numbers in `samples`: `GROUP` at a time, fewer only at the end of the
    /// clip. The unfiltered power of each group goes to `each` in turn, a row of `GROUP` lanes for each bin and how many of
    /// these are frames; what is stored or wanted stays in the scratch.
    pub fn observe(
        &self,
        samples: &[f32],
        frames: Range<usize>,
        scratch: &mut SpectraScratch,
        mut each: impl FnMut(&[f32], usize),
    ) {
        let SpectraScratch { stft, group, energies, power, with_levels, levels, .. } = scratch;
        let (bins, bands) = (self.stft.bins(), self.bank.bands());
        let with_power = self.settings.store == Store::Power;
        let from = power.len();
        power.resize(from + if with_power { frames.len() * bins } else { 0 }, 0.0);
        let values = if *with_levels && !with_power { frames.len() * bands } else { 0 };
        let mut powers = power[from..].chunks_mut(bins * GROUP);
        let mut bands_of_groups = levels.room(values).chunks_mut(bands * GROUP);
        for first in frames.clone().step_by(GROUP) {
            self.stft.group(samples, first, group, stft);
            each(group, GROUP.min(frames.end - first));
            if let Some(rows) = powers.next() {
                rows_of_lanes(self.width, group, bins, rows);
            } else if let Some(rows) = bands_of_groups.next() {
                self.bank.apply_lanes(self.width, group, energies);
                rows_of_lanes(self.width, energies, bands, rows);
            }
        }
        levels.end(values, self.settings.profile);
    }

    /// Lets the levels so far go to a file where there is no room for them in memory. Nothing that needs all of them at once
    /// may be asked for.
    pub fn spill(&self, room: Room<'_>, scratch: &mut SpectraScratch) -> io::Result<()> {
        scratch.levels.spill(room)
    }

    /// Whether levels may lie in a file: they are not stored, and no filter needs all of them at once.
    #[must_use]
    pub fn may_spill(&self) -> bool {
        self.settings.store == Store::None && self.filters.is_empty()
    }

    /// Makes the matrices of a clip of which all frames were observed: filtered, and levels with their floor. The filters
    /// change the power where that is stored, so that the levels follow from what was filtered, and the levels otherwise.
    pub fn conclude(&self, scratch: &mut SpectraScratch) {
        let SpectraScratch { filters, power, with_levels, levels, .. } = scratch;
        let (bins, bands, profile) = (self.stft.bins(), self.bank.bands(), self.settings.profile);
        let with_power = self.settings.store == Store::Power;
        if with_power {
            self.filters.apply(power, bins, filters);
            if *with_levels {
                let values = power.len() / bins * bands;
                let rows = levels.room(values).chunks_exact_mut(bands);
                power.chunks_exact(bins).zip(rows).for_each(|(row, energies)| self.bank.apply(row, energies));
                levels.end(values, profile);
            }
        }
        levels.raise(profile);
        if !with_power {
            self.filters.apply(levels.held_mut(), bands, filters);
        }
    }

    /// Hands the levels of a clip that was concluded to `each` in order, in pieces of whole frames.
    pub fn pieces(&self, scratch: &mut SpectraScratch, each: impl FnMut(&[f32])) -> io::Result<()> {
        scratch.levels.pieces(self.settings.profile, self.bank.bands(), each)
    }

    /// A copy of the mel levels that the last clip left in the scratch.
    #[must_use]
    pub fn mel(&self, scratch: &SpectraScratch) -> Spectrogram {
        matrix(scratch.levels(), self.bank.bands(), self.settings.profile.unit())
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
            spectra.restart(true, &mut scratch);
            spectra.observe(&samples, 0..spectra.count(samples.len()), &mut scratch, |group, frames| {
                assert_eq!(group.len(), 257 * GROUP);
                rows += frames;
            });
            spectra.conclude(&mut scratch);
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
