//! One recording: read block by block and analysed as it comes, or as a whole where something needs all of its samples.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use serde::{Deserialize, Serialize};

use super::desk::Desk;
use super::plan::ClipsPlan;
use super::stages::Shares;
use crate::audio::filters::{WaveformFilters, WaveformScratch};
use crate::audio::{AnalysisScratch, Analyzer, ClipAnalysis, FrameColumns, Room, Spectrogram};
use crate::corpus::{Clip, ClipRef, Quarantined, RecordingContents, RecordingReader, Stage, Unread, Warned};
use crate::error::{Error, Result};

/// Samples read at once: they stay in the processor's cache until they are analysed.
const BLOCK: usize = 1 << 15;

/// Mel levels of a recording that lie in memory, 64 MiB, half an hour of 80 bands; those of a longer one wait in a file for
/// its end, which tells their floor.
const LEVELS_IN_MEMORY: usize = 16 << 20;

/// Filters and analysis planned for each sample rate that the corpus has.
pub(super) struct Plans<'a> {
    pub plan: &'a ClipsPlan,
    by_rate: Mutex<BTreeMap<u32, std::result::Result<Arc<RatePlan>, String>>>,
}

struct RatePlan {
    filters: WaveformFilters,
    analyzer: Analyzer,
}

/// Room for one thread to work in, for each sample rate.
#[derive(Default)]
pub(super) struct Scratch {
    waveform: WaveformScratch,
    analysis: BTreeMap<u32, AnalysisScratch>,
    block: Vec<f32>,
}

/// What came of a recording, without its names.
#[derive(Serialize, Deserialize)]
pub(super) enum Outcome {
    Analysed(Box<AnalysedClip>),
    Unusable(Quarantined),
}

#[derive(Serialize, Deserialize)]
pub(super) struct AnalysedClip {
    pub file_sample_rate: u32,
    pub channels: u16,
    pub bits: Option<u16>,
    pub seconds: f64,
    pub frames: u32,
    pub values: Vec<Option<f64>>,
    pub warning: Option<Warned>,
    pub frame_features: Option<FrameColumns>,
    pub spectrogram: Option<Spectrogram>,
}

/// Why there is no analysis: the recording is to blame, or the job cannot go on.
enum Trouble {
    Recording(Quarantined),
    Job(Error),
}

impl From<Unread> for Trouble {
    fn from(unread: Unread) -> Self {
        Self::Recording(unread.row)
    }
}

impl From<Error> for Trouble {
    fn from(error: Error) -> Self {
        Self::Job(error)
    }
}

/// The row of the quarantine table for a recording that was read and cannot be analysed.
pub(super) fn unusable(reference: &ClipRef, code: &'static str, reason: String) -> Quarantined {
    let source = reference.source.clone();
    Quarantined { source, stage: Stage::Audio, code: code.into(), reason, byte_offset: None }
}

impl<'a> Plans<'a> {
    pub fn new(plan: &'a ClipsPlan) -> Self {
        Self { plan, by_rate: Mutex::new(BTreeMap::new()) }
    }

    fn at(&self, sample_rate: u32) -> std::result::Result<Arc<RatePlan>, String> {
        let mut by_rate = self.by_rate.lock().unwrap_or_else(PoisonError::into_inner);
        let planned = by_rate.entry(sample_rate).or_insert_with(|| {
            let (filters, analyzer) =
                (self.plan.waveform_filters(sample_rate)?, self.plan.analyzer(sample_rate)?);
            Ok(Arc::new(RatePlan { filters, analyzer }))
        });
        planned.clone()
    }

    /// Reads, filters and analyses one recording whose `contents` are at hand.
    ///
    /// # Errors
    /// Where the run cannot be written to, or shall stop; what is wrong with the recording is an [`Outcome`].
    pub fn analyse(
        &self,
        reference: &ClipRef,
        contents: RecordingContents,
        desk: &Desk<'_>,
        scratch: &mut Scratch,
        shares: &Shares<3>,
    ) -> Result<Outcome> {
        match self.read(reference, contents, desk, scratch, shares) {
            Ok(analysed) => Ok(Outcome::Analysed(Box::new(analysed))),
            Err(Trouble::Recording(row)) => Ok(Outcome::Unusable(row)),
            Err(Trouble::Job(error)) => Err(error),
        }
    }

    fn read(
        &self,
        reference: &ClipRef,
        contents: RecordingContents,
        desk: &Desk<'_>,
        scratch: &mut Scratch,
        shares: &Shares<3>,
    ) -> std::result::Result<AnalysedClip, Trouble> {
        let mut reader = shares
            .on(0, || RecordingReader::new(&reference.source, &self.plan.rules, contents))?
            .part(reference.cut);
        let rate = reader.sample_rate();
        let planned = self
            .at(rate)
            .map_err(|reason| Trouble::Recording(unusable(reference, "unusable_settings", reason)))?;
        let Scratch { waveform, analysis, block } = scratch;
        let scratch = analysis.entry(rate).or_insert_with(|| planned.analyzer.scratch());
        let analysis = if planned.filters.is_empty() && !planned.analyzer.needs_all_samples() {
            planned.stream(&mut reader, block, scratch, desk, shares)?
        } else {
            let samples = shares.on(0, || reader.rest())?;
            let samples = shares.on(1, || planned.filters.apply(&samples, waveform));
            shares.on(2, || planned.analyzer.analyze(samples, scratch))
        };
        Ok(AnalysedClip {
            file_sample_rate: reader.file_sample_rate(),
            channels: reader.channels(),
            bits: reader.bits(),
            seconds: reader.seconds(),
            frames: analysis.frames as u32,
            values: analysis.values,
            warning: reader.warning(),
            frame_features: analysis.frame_features,
            spectrogram: analysis.spectrogram,
        })
    }

    /// The mel levels of one clip, for a picture.
    pub fn mel_levels(&self, clip: &Clip, scratch: &mut Scratch) -> std::result::Result<Spectrogram, String> {
        let planned = self.at(clip.sample_rate)?;
        let samples = planned.filters.apply(&clip.samples, &mut scratch.waveform);
        let analysis = scratch.analysis.entry(clip.sample_rate).or_insert_with(|| planned.analyzer.scratch());
        Ok(planned.analyzer.mel_levels(samples, analysis))
    }
}

impl RatePlan {
    /// Analyses a recording while it is read.
    fn stream(
        &self,
        reader: &mut RecordingReader,
        block: &mut Vec<f32>,
        scratch: &mut AnalysisScratch,
        desk: &Desk<'_>,
        shares: &Shares<3>,
    ) -> std::result::Result<ClipAnalysis, Trouble> {
        let file = || tempfile::tempfile_in(desk.folder);
        let failed = |error: io::Error| Error::io("keep levels of a long recording in", desk.folder, error);
        let mut stream = self.analyzer.stream(Room { values: LEVELS_IN_MEMORY, file: &file }, scratch);
        while shares.on(0, || reader.next_block(BLOCK, block))? {
            shares.on(2, || stream.push(block)).map_err(failed)?;
            desk.interrupt.check()?;
        }
        Ok(shares.on(2, || stream.finish()).map_err(failed)?)
    }
}
