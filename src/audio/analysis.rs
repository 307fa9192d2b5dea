//! The analysis of a clip: every plan made once, then applied to each clip.
//!
//! Order of things: what is not finite becomes 0, then the waveform filters; everything else, loudness and quality
//! included, describes the filtered samples. Spectrogram filters change the power spectrum where that is stored, and
//! the mel levels otherwise; mel levels, MFCC and the stored matrix follow from what was filtered, while the spectral
//! shape always describes the unfiltered spectrum, with the profile's window and scale (Kaldi's is pre-emphasised
//! and 32768 times as large, which shows in flux).
//!
//! Transforms run in f64, but in f32 where nothing is asked for that looks at single bins or at how bands change: levels
//! are then up to 1e-3 dB away, in bands 80 dB under the loudest.
//!
//! Frames: the profile says how many a clip has. Energy and pitch frames are centred on every `hop_len`-th sample
//! in every profile and cut to that number; Kaldi's own frames begin there.

use std::io;
use std::ops::Range;

use crate::convolution::{ImageFilter, SignalFilter};

use super::contour::{ColumnMoments, column_moments};
use super::descriptors::{DescriptorScratch, Descriptors};
use super::energy::{self, EnergyScratch};
use super::error::AudioError;
use super::features::{FeatureSet, FeatureSettings, FrameColumns};
use super::filters::{WaveformFilters, WaveformScratch};
use super::frames::Frames;
use super::loudness::{self, Loudness, Meter};
use super::mfcc::{self, Dct};
use super::pitch::{Pitch, PitchScratch};
use super::profile::{SpectrogramSettings, Store};
use super::quality::{self, SampleTotals};
use super::rows::Room;
use super::sample_descriptors::{PART, SampleDescriptors, SampleScratch};
use super::spectral::SpectralShapes;
use super::spectrogram::{Spectra, SpectraScratch, Spectrogram};
use super::stft::Precision;
use super::voice::{VoiceDetector, VoiceScratch};

/// What is to be done with each clip.
#[derive(Clone, Default)]
pub struct AnalyzerSettings {
    /// Frames and spectra.
    pub spectrogram: SpectrogramSettings,
    /// What is computed.
    pub features: FeatureSettings,
    /// Filters on the samples, in order.
    pub waveform_filters: Vec<SignalFilter<f32>>,
    /// Filters on the spectrogram, in order: rows are bands, the lowest first, columns are frames.
    pub spectrogram_filters: Vec<ImageFilter<f32>>,
}

/// The plan of an analysis at one sample rate. Threads share it, each with its own [`AnalysisScratch`].
#[derive(Clone)]
pub struct Analyzer {
    spectrogram: SpectrogramSettings,
    features: FeatureSettings,
    sample_rate: u32,
    names: Vec<String>,
    waveform_filters: WaveformFilters,
    spectra: Spectra,
    dct: Option<Dct>,
    energy_frames: Frames,
    pitch: Option<Pitch>,
    voice: Option<VoiceDetector>,
    descriptors: Descriptors,
    sample_descriptors: SampleDescriptors,
}

/// What an analysis writes while it works; grows to the longest clip.
pub struct AnalysisScratch {
    pub(super) waveform: WaveformScratch,
    pub(super) knowledge: Knowledge,
    /// Of a clip that comes in blocks, the samples at hand, and those of the part at hand.
    pub(super) window: Vec<f32>,
    pub(super) part: Vec<f32>,
}

/// What is known of a clip so far, and room to learn it.
pub(super) struct Knowledge {
    spectra: SpectraScratch,
    shapes: SpectralShapes,
    energies: EnergyScratch,
    pitch: Option<PitchScratch>,
    voice: VoiceScratch,
    descriptors: DescriptorScratch,
    sample_descriptors: SampleScratch,
    copy: Vec<f64>,
    levels_db: Vec<f32>,
    columns: FrameColumns,
    /// Where loudness is asked for.
    meter: Option<Meter>,
    /// Where quality is asked for.
    totals: Option<SampleTotals>,
    /// Samples of the clip so far.
    samples: usize,
}

impl Knowledge {
    /// Takes the clip's next samples for what is known of no frame.
    pub(super) fn measure(&mut self, samples: &[f32]) {
        if let Some(meter) = &mut self.meter {
            meter.add(samples);
        }
        if let Some(totals) = &mut self.totals {
            totals.add(samples);
        }
        self.samples += samples.len();
    }
}

/// What is known of a clip.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ClipAnalysis {
    /// Frames of the clip.
    pub frames: usize,
    /// A value for each of [`Analyzer::names`]; `None` where it is undefined or not asked for, never NaN or infinity.
    pub values: Vec<Option<f64>>,
    /// Each frame's features, where `features.frames` asks for them.
    pub frame_features: Option<FrameColumns>,
    /// The stored matrix, where `spectrogram.store` asks for one.
    pub spectrogram: Option<Spectrogram>,
}

impl Analyzer {
    /// Makes every plan for clips of one sample rate.
    ///
    /// Fails where a length is 0, the window longer than the transform, more cepstral coefficients asked for than bands,
    /// the pitch limits impossible at this rate, or the rate one that loudness is not defined for.
    pub fn new(settings: AnalyzerSettings, sample_rate: u32) -> Result<Self, AudioError> {
        let AnalyzerSettings { spectrogram, features, waveform_filters, spectrogram_filters } = settings;
        spectrogram.check()?;
        features.check(spectrogram.mels)?;
        loudness::check_sample_rate(sample_rate)?;
        let frame_seconds = spectrogram.hop_len as f64 / f64::from(sample_rate);
        let descriptors = Descriptors::new(&features, &spectrogram, sample_rate);
        // Mel levels and cepstra alone are sums of so many bins that single precision is enough.
        let single = !features.has(FeatureSet::Spectral)
            && !descriptors.needs_power()
            && !descriptors.needs_levels()
            && spectrogram.store != Store::Power
            && spectrogram_filters.is_empty();
        let precision = if single { Precision::Single } else { Precision::Double };
        let pitch = || Pitch::new(&features.pitch, spectrogram.hop_len, sample_rate);
        Ok(Self {
            names: features.names(spectrogram.mels),
            waveform_filters: WaveformFilters::new(waveform_filters),
            spectra: Spectra::new(&spectrogram, spectrogram_filters, precision, sample_rate),
            dct: (features.has(FeatureSet::Mfcc) || features.has(FeatureSet::Deltas))
                .then(|| Dct::new(features.mfcc, spectrogram.mels)),
            energy_frames: Frames::centred(spectrogram.fft_len, spectrogram.hop_len),
            pitch: (features.has(FeatureSet::Pitch) || features.has(FeatureSet::Formants))
                .then(pitch)
                .transpose()?,
            descriptors,
            sample_descriptors: SampleDescriptors::new(&features, sample_rate),
            voice: features.has(FeatureSet::Voice).then(|| VoiceDetector::new(frame_seconds)).transpose()?,
            spectrogram,
            features,
            sample_rate,
        })
    }

    /// Names of the values of a [`ClipAnalysis`], in their order ([`FeatureSettings::names`]).
    #[must_use]
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// Room for one thread to work in.
    #[must_use]
    pub fn scratch(&self) -> AnalysisScratch {
        let knowledge = Knowledge {
            spectra: self.spectra.scratch(),
            shapes: SpectralShapes::new(self.sample_rate, self.spectrogram.fft_len),
            energies: EnergyScratch::default(),
            pitch: self.pitch.as_ref().map(Pitch::scratch),
            voice: VoiceScratch::default(),
            descriptors: DescriptorScratch::default(),
            sample_descriptors: SampleScratch::default(),
            copy: Vec::new(),
            levels_db: Vec::new(),
            columns: FrameColumns::default(),
            meter: None,
            totals: None,
            samples: 0,
        };
        AnalysisScratch {
            waveform: WaveformScratch::default(),
            knowledge,
            window: Vec::new(),
            part: Vec::new(),
        }
    }

    /// Analyses a mono clip at this plan's sample rate. Any clip will do, also an empty or a silent one.
    ///
    /// # Panics
    /// Where `scratch` was made by a plan of other lengths.
    #[must_use]
    pub fn analyze(&self, samples: &[f32], scratch: &mut AnalysisScratch) -> ClipAnalysis {
        let AnalysisScratch { waveform, knowledge, .. } = scratch;
        let samples = self.waveform_filters.apply(samples, waveform);
        self.begin(knowledge);
        self.observe(samples, 0..self.spectra.count(samples.len()), knowledge);
        knowledge.measure(samples);
        // Levels that lie in memory are read without fail.
        self.conclude(Some(samples), knowledge).unwrap_or_default()
    }

    /// Samples without what is no sound, of a clip that is not filtered.
    pub(super) fn bound<'a>(&self, samples: &'a [f32], scratch: &'a mut WaveformScratch) -> &'a [f32] {
        self.waveform_filters.apply(samples, scratch)
    }

    /// Begins a clip.
    pub(super) fn begin(&self, knowledge: &mut Knowledge) {
        let Knowledge {
            spectra,
            shapes,
            pitch,
            descriptors,
            sample_descriptors,
            levels_db,
            columns,
            meter,
            totals,
            ..
        } = knowledge;
        let with_levels = self.spectrogram.store == Store::Mel
            || self.features.has(FeatureSet::Mel)
            || self.dct.is_some()
            || self.descriptors.needs_levels();
        self.spectra.restart(with_levels, spectra);
        shapes.restart();
        self.descriptors.restart(descriptors);
        self.sample_descriptors.restart(sample_descriptors);
        if let (Some(plan), Some(scratch)) = (&self.pitch, pitch) {
            plan.restart(scratch);
        }
        levels_db.clear();
        columns.clear();
        columns.mfcc_len = self.dct.as_ref().map_or(0, Dct::coefficients);
        *meter = self.features.has(FeatureSet::Loudness).then(|| Meter::new(self.sample_rate));
        *totals = self.features.has(FeatureSet::Quality).then(SampleTotals::default);
        knowledge.samples = 0;
    }

    /// Looks at the clip's next `frames`, by their numbers in `samples`: whole groups of frames, except at the end of the clip.
    pub(super) fn observe(&self, samples: &[f32], frames: Range<usize>, knowledge: &mut Knowledge) {
        self.observe_spectra(samples, frames.clone(), knowledge);
        let Knowledge { energies, pitch, levels_db, columns, .. } = knowledge;
        self.observe_energies(samples, frames.clone(), energies, levels_db, columns);
        if let (Some(plan), Some(scratch)) = (&self.pitch, pitch) {
            plan.observe(samples, frames, scratch, |pitch| columns.push_pitch(pitch));
        }
    }

    /// Looks at the next part of the clip, which begins with sample `begin`, for what is found in samples. Its frames were observed.
    pub(super) fn observe_part(&self, part: &[f32], begin: usize, is_last: bool, knowledge: &mut Knowledge) {
        let Knowledge { sample_descriptors, columns, .. } = knowledge;
        let (hop, rate) = (self.spectrogram.hop_len, f64::from(self.sample_rate));
        let first = begin.div_ceil(hop);
        let known = columns.voiced.len();
        let end = if is_last { known } else { known.min((begin + part.len()).div_ceil(hop)) };
        let place = |frame: usize| (frame, (frame * hop - begin) as f64 / rate);
        self.sample_descriptors.observe(part, (first..end).map(place), columns, sample_descriptors);
    }

    /// Everything of a clip of which all frames were observed and all samples measured. `samples` are all of them where its parts
    /// were not observed. Fails where levels that went to a file cannot be read back.
    pub(super) fn conclude(
        &self,
        samples: Option<&[f32]>,
        knowledge: &mut Knowledge,
    ) -> io::Result<ClipAnalysis> {
        if let (Some(plan), Some(scratch)) = (&self.pitch, &mut knowledge.pitch) {
            plan.conclude(scratch, |pitch| knowledge.columns.push_pitch(pitch));
        }
        if let Some(samples) = samples.filter(|_| !self.sample_descriptors.is_empty()) {
            let parts = samples.len().div_ceil(PART).max(1);
            for part in 0..parts {
                let begin = part * PART;
                let end = samples.len().min(begin + PART);
                self.observe_part(&samples[begin..end], begin, part + 1 == parts, knowledge);
            }
        }
        let Knowledge {
            spectra,
            shapes,
            voice,
            descriptors,
            sample_descriptors,
            copy,
            levels_db,
            columns,
            meter,
            totals,
            samples: count,
            ..
        } = knowledge;
        let frames = self.spectra.count(*count);
        let seconds = |frame| (frame * self.spectrogram.hop_len) as f64 / f64::from(self.sample_rate);
        columns.seconds.extend((0..frames).map(seconds));
        let mut of_bands = Vec::new();
        // To its full length at once: a column that grows is there twice.
        columns.mfcc.reserve_exact(frames * columns.mfcc_len);
        self.conclude_levels(spectra, descriptors, columns, copy, &mut of_bands)?;

        // Pitch may have been found for the sake of formants alone.
        let mut further = Vec::new();
        self.sample_descriptors.push(columns, sample_descriptors, copy, &mut further);
        if !self.features.has(FeatureSet::Pitch) {
            columns.clear_pitch();
        }
        let mut values = Vec::with_capacity(self.names.len());
        columns.push_moments(shapes.silent(), copy, &mut values);
        columns.push_voicing(copy, &mut values);
        self.push_activity(levels_db, voice, &mut values);
        let loudness = meter.as_ref().map_or_else(Loudness::default, Meter::loudness);
        values.extend([loudness.lufs, loudness.true_peak_dbfs]);
        self.push_quality(totals.as_ref(), levels_db, copy, &mut values);
        if self.features.has(FeatureSet::Mfcc) {
            column_moments(&columns.mfcc, columns.mfcc_len, copy, &mut values);
        }
        values.append(&mut of_bands);
        self.descriptors.push(columns, frames, descriptors, copy, &mut values)?;
        values.append(&mut further);
        for value in &mut values {
            *value = value.filter(|number| number.is_finite());
        }
        Ok(ClipAnalysis {
            frames,
            values,
            frame_features: self.features.frames.then(|| self.frame_columns(columns, copy)),
            spectrogram: self.spectra.stored(spectra),
        })
    }

    /// Whether a clip must be analysed as a whole: the filters on its samples need all of them, and so do formants where pitch looks
    /// at all frames before it says which are voiced.
    #[must_use]
    pub fn needs_all_samples(&self) -> bool {
        let late = matches!(self.pitch, Some(Pitch::Pyin(_))) && self.sample_descriptors.needs_voicing();
        !self.waveform_filters.is_empty() || late
    }

    /// Whether samples are looked at a part at a time, beside frames.
    pub(super) fn needs_parts(&self) -> bool {
        !self.sample_descriptors.is_empty()
    }

    /// The mel levels of a clip, filters and all, for a picture: the matrix that `store = "mel"` stores, whatever
    /// is stored.
    #[must_use]
    pub fn mel_levels(&self, samples: &[f32], scratch: &mut AnalysisScratch) -> Spectrogram {
        let AnalysisScratch { waveform, knowledge: Knowledge { spectra, .. }, .. } = scratch;
        let samples = self.waveform_filters.apply(samples, waveform);
        self.spectra.restart(true, spectra);
        self.spectra.observe(samples, 0..self.spectra.count(samples.len()), spectra, |_, _| ());
        self.spectra.conclude(spectra);
        self.spectra.mel(spectra)
    }

    /// A copy of the frames' columns as they are given.
    fn frame_columns(&self, columns: &FrameColumns, copy: &mut Vec<f64>) -> FrameColumns {
        let mut columns = columns.clone();
        if self.features.cmvn {
            mfcc::normalise(&mut columns.mfcc, columns.mfcc_len, copy);
        }
        columns
    }

    /// Levels and spectral shape of frames.
    fn observe_spectra(&self, samples: &[f32], frames: Range<usize>, knowledge: &mut Knowledge) {
        let Knowledge { spectra, shapes, descriptors, columns, .. } = knowledge;
        let with_shapes = self.features.has(FeatureSet::Spectral);
        let with_descriptors = self.descriptors.needs_power();
        if with_shapes || with_descriptors || self.spectrogram.store == Store::Power || spectra.with_levels()
        {
            self.spectra.observe(samples, frames, spectra, |power, frames| {
                if with_shapes {
                    shapes.describe(power, frames, |shape| columns.push_shape(shape));
                }
                if with_descriptors {
                    self.descriptors.observe(power, frames, descriptors);
                }
            });
        }
    }

    fn observe_energies(
        &self,
        samples: &[f32],
        frames: Range<usize>,
        scratch: &mut EnergyScratch,
        levels_db: &mut Vec<f32>,
        columns: &mut FrameColumns,
    ) {
        let spectral = self.features.has(FeatureSet::Spectral);
        let from = levels_db.len();
        if spectral || self.features.has(FeatureSet::Voice) || self.features.has(FeatureSet::Quality) {
            let zcr = spectral.then_some(&mut columns.zcr);
            energy::contours(&self.energy_frames, samples, frames, scratch, levels_db, zcr);
        }
        if spectral {
            columns.rms_db.extend_from_slice(&levels_db[from..]);
        }
    }

    /// The second pass over the levels, whose floor is known now: cepstra, and the moments of bands where they are asked for.
    fn conclude_levels(
        &self,
        spectra: &mut SpectraScratch,
        descriptors: &mut DescriptorScratch,
        columns: &mut FrameColumns,
        copy: &mut Vec<f64>,
        values: &mut Vec<Option<f64>>,
    ) -> io::Result<()> {
        self.spectra.conclude(spectra);
        let mut moments =
            self.features.has(FeatureSet::Mel).then(|| ColumnMoments::new(self.spectra.bands(), copy));
        self.spectra.pieces(spectra, |levels| {
            if let Some(dct) = &self.dct {
                dct.append_all(levels, &mut columns.mfcc);
            }
            self.descriptors.observe_levels(levels, descriptors);
            if let Some(moments) = &mut moments {
                moments.add(levels);
            }
        })?;
        if let Some(mut moments) = moments {
            moments.end_sums();
            self.spectra.pieces(spectra, |levels| moments.add_squares(levels))?;
            moments.push(values);
        }
        Ok(())
    }

    /// Lets what is known of frames go to files where there is no room for it in memory, unless it is stored or filtered.
    pub(super) fn spill(&self, room: Room<'_>, knowledge: &mut Knowledge) -> io::Result<()> {
        if self.spectra.may_spill() {
            self.spectra.spill(room, &mut knowledge.spectra)?;
        }
        self.descriptors.spill(room, &mut knowledge.descriptors)
    }

    /// Frames of a clip of so many samples.
    pub(super) fn count(&self, samples: usize) -> usize {
        self.spectra.count(samples)
    }

    /// Samples from one frame to the next, and the most samples that a frame of any kind has.
    pub(super) fn lengths(&self) -> (usize, usize) {
        let pitch = if self.pitch.is_some() { self.features.pitch.frame_len } else { 0 };
        (self.spectrogram.hop_len, self.spectrogram.fft_len.max(pitch))
    }

    fn push_activity(&self, levels_db: &[f32], scratch: &mut VoiceScratch, values: &mut Vec<Option<f64>>) {
        let activity = self.voice.as_ref().and_then(|voice| voice.detect(levels_db, scratch));
        values.extend([
            activity.map(|a| a.speech_share),
            activity.map(|a| a.silence_share),
            activity.map(|a| a.pauses_per_minute),
        ]);
    }

    fn push_quality(
        &self,
        totals: Option<&SampleTotals>,
        levels_db: &[f32],
        copy: &mut Vec<f64>,
        values: &mut Vec<Option<f64>>,
    ) {
        values.extend(totals.map_or([None; 3], |totals| {
            [
                quality::snr_db(levels_db, &self.energy_frames, totals.count, copy),
                totals.clipped_share(),
                totals.dc_offset(),
            ]
        }));
    }
}
