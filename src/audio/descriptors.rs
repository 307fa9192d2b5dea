//! The sets of features beyond the default ones that are found in spectra and contours: every plan made once, then applied
//! to each clip.
//!
//! [`super::analysis`] hands over the power spectra, the mel levels, the cepstra and the contours of a clip; what is
//! found becomes columns after those of the default sets, in the order of [`Descriptors::push_names`]. Those of the samples
//! follow ([`super::sample_descriptors`]).

use std::io;

use crate::simd::{GROUP, Width, rows_of_lanes};

use super::chroma::{CLASSES, Chroma, ChromaScratch};
use super::contour::{column_moments, moments_of_pieces};
use super::contrast::{BANDS, Contrast, ContrastScratch};
use super::deltas;
use super::features::{FeatureSet, FeatureSettings, FrameColumns};
use super::functionals;
use super::pcen::{Pcen, PcenScratch};
use super::profile::SpectrogramSettings;
use super::rhythm::{Rhythm, RhythmScratch};
use super::rows::Room;

/// The plan of the sets asked for.
#[derive(Clone)]
pub struct Descriptors {
    width: Width,
    frame_seconds: f64,
    bands: usize,
    contrast: Option<Contrast>,
    chroma: Option<Chroma>,
    pcen: Option<Pcen>,
    deltas: bool,
    rhythm: Option<Rhythm>,
    functionals: bool,
}

/// What a thread writes while it works.
#[derive(Default)]
pub struct DescriptorScratch {
    /// The power spectra of a group of frames, a row each.
    rows: Vec<f32>,
    contrast: ContrastScratch,
    chroma: ChromaScratch,
    pcen: PcenScratch,
    rhythm: RhythmScratch,
}

impl Descriptors {
    /// Plans the sets of settings that were checked.
    #[must_use]
    pub fn new(features: &FeatureSettings, spectrogram: &SpectrogramSettings, sample_rate: u32) -> Self {
        let frame_seconds = spectrogram.hop_len as f64 / f64::from(sample_rate);
        let asked = |set| features.has(set);
        Self {
            width: Width::detect(),
            frame_seconds,
            bands: spectrogram.mels,
            contrast: asked(FeatureSet::Contrast).then(|| Contrast::new(sample_rate, spectrogram.fft_len)),
            chroma: asked(FeatureSet::Chroma).then(|| Chroma::new(sample_rate, spectrogram.fft_len)),
            pcen: asked(FeatureSet::Pcen)
                .then(|| Pcen::new(spectrogram.mel_bank(sample_rate), frame_seconds)),
            deltas: asked(FeatureSet::Deltas),
            rhythm: asked(FeatureSet::Rhythm).then(|| Rhythm::new(spectrogram, sample_rate)),
            functionals: asked(FeatureSet::Functionals),
        }
    }

    /// Appends the names of the columns of the sets asked for.
    pub fn push_names(features: &FeatureSettings, mels: usize, contours: &[&str], names: &mut Vec<String>) {
        let mut push = |name: &str| names.extend([format!("{name}_mean"), format!("{name}_sd")]);
        let mut push_all = |name: &str, count: usize| {
            (1..=count).for_each(|i| push(&format!("{name}_{i:02}")));
        };
        if features.has(FeatureSet::Contrast) {
            push_all("contrast", BANDS);
        }
        if features.has(FeatureSet::Chroma) {
            push_all("chroma", CLASSES);
        }
        if features.has(FeatureSet::Pcen) {
            push_all("pcen", mels);
        }
        if features.has(FeatureSet::Deltas) {
            push_all("delta", features.mfcc);
            push_all("delta2", features.mfcc);
        }
        if features.has(FeatureSet::Contrast) {
            ["slope_db_khz", "entropy"].into_iter().for_each(&mut push);
        }
        if features.has(FeatureSet::Rhythm) {
            push("onset_strength");
            names.push("tempo_bpm".to_owned());
        }
        if features.has(FeatureSet::Functionals) {
            let all = contours.iter().flat_map(|name| functionals::NAMES.map(|of| format!("{name}_{of}")));
            names.extend(all);
        }
    }

    /// Whether the power spectra of frames are needed.
    #[must_use]
    pub fn needs_power(&self) -> bool {
        self.contrast.is_some() || self.chroma.is_some() || self.pcen.is_some()
    }

    /// Whether the mel levels are needed.
    #[must_use]
    pub fn needs_levels(&self) -> bool {
        self.rhythm.is_some()
    }

    /// Begins a new clip.
    pub fn restart(&self, scratch: &mut DescriptorScratch) {
        scratch.contrast.restart();
        if let Some(chroma) = &self.chroma {
            chroma.restart(&mut scratch.chroma);
        }
        if let Some(pcen) = &self.pcen {
            pcen.restart(&mut scratch.pcen);
        }
        if let Some(rhythm) = &self.rhythm {
            rhythm.restart(&mut scratch.rhythm);
        }
    }

    /// Takes the power spectra of the clip's next group of frames: a row of `GROUP` lanes for each bin, the first `frames`
    /// lanes are frames.
    pub fn observe(&self, group: &[f32], frames: usize, scratch: &mut DescriptorScratch) {
        let bins = group.len() / GROUP;
        let mut rows = std::mem::take(&mut scratch.rows);
        rows.resize(group.len(), 0.0);
        rows_of_lanes(self.width, group, bins, &mut rows);
        rows.chunks_exact(bins).take(frames).for_each(|power| self.observe_frame(power, scratch));
        scratch.rows = rows;
    }

    fn observe_frame(&self, power: &[f32], scratch: &mut DescriptorScratch) {
        if let Some(contrast) = &self.contrast {
            contrast.describe(power, &mut scratch.contrast);
        }
        if let Some(chroma) = &self.chroma {
            chroma.observe(power, &mut scratch.chroma);
        }
        if let Some(pcen) = &self.pcen {
            pcen.observe(power, &mut scratch.pcen);
        }
    }

    /// Lets what is known of frames go to files where there is no room for it in memory.
    pub fn spill(&self, room: Room<'_>, scratch: &mut DescriptorScratch) -> io::Result<()> {
        scratch.contrast.spill(room)?;
        scratch.pcen.levels.spill(room)?;
        self.chroma.as_ref().map_or(Ok(()), |chroma| chroma.spill(room, &mut scratch.chroma))
    }

    /// Takes the mel levels of the clip's next frames, a row each, when their floor is known.
    pub fn observe_levels(&self, levels: &[f32], scratch: &mut DescriptorScratch) {
        if let Some(rhythm) = &self.rhythm {
            rhythm.observe(levels, self.bands, &mut scratch.rhythm);
        }
    }

    /// Appends the values of a clip that was observed, as many as there are names. Fails where what went to a file cannot be read back.
    pub fn push(
        &self,
        columns: &FrameColumns,
        frames: usize,
        scratch: &mut DescriptorScratch,
        copy: &mut Vec<f64>,
        values: &mut Vec<Option<f64>>,
    ) -> io::Result<()> {
        if let Some(contrast) = &self.contrast {
            let (scratch, bands) = (&mut scratch.contrast, contrast.bands());
            moments_of_pieces(bands, copy, values, |each| scratch.pieces(bands, each))?;
            values.extend(std::iter::repeat_n(None, 2 * (BANDS - bands)));
        }
        if let Some(chroma) = &self.chroma {
            chroma.finish(&mut scratch.chroma)?;
            moments_of_pieces(CLASSES, copy, values, |each| chroma.pieces(&mut scratch.chroma, each))?;
        }
        if let Some(pcen) = &self.pcen {
            let (levels, bands) = (&mut scratch.pcen.levels, pcen.bands());
            moments_of_pieces(bands, copy, values, |each| levels.pieces(bands, |rows, _| each(rows)))?;
        }
        if self.deltas {
            let (mfcc, width) = (&columns.mfcc, columns.mfcc_len);
            for weights in [deltas::slope_weights(), deltas::curvature_weights()] {
                moments_of_pieces(width, copy, values, |each| {
                    deltas::pieces(mfcc, width, &weights, each);
                    Ok(())
                })?;
            }
        }
        if self.contrast.is_some() {
            column_moments(&scratch.contrast.slope_db_khz, 1, copy, values);
            column_moments(&scratch.contrast.entropy, 1, copy, values);
        }
        if let Some(rhythm) = &self.rhythm {
            rhythm.finish(frames, &mut scratch.rhythm);
            column_moments(&scratch.rhythm.onsets, 1, copy, values);
            values.push(rhythm.tempo_bpm(&mut scratch.rhythm));
        }
        if self.functionals {
            for contour in columns.contours() {
                functionals::push(contour.iter().copied().map(Some), self.frame_seconds, copy, values);
            }
            functionals::push(columns.f0_hz.iter().copied(), self.frame_seconds, copy, values);
        }
        Ok(())
    }
}
