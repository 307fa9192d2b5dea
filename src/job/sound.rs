//! The sound side of a run: recordings to filtered samples, frames, features and spectrograms.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};

use rayon::prelude::*;

use super::plan::ClipsPlan;
use super::shards::cut;
use super::stages::Shares;
use super::words::Desk;
use crate::audio::filters::{WaveformFilters, WaveformScratch};
use crate::audio::{AnalysisScratch, Analyzer, ClipAnalysis, FrameColumns, Spectrogram, Store};
use crate::corpus::{Clip, ClipRef, Quarantined, Stage, Warned, index_clips, read_clip, walk};
use crate::error::{Error, Result};
use crate::report::{ClipRow, Table, Written, tables, write_table};

/// Bytes of recordings that a shard holds on average, and what a clip weighs beside its file.
const SHARD_BYTES: u64 = 16 << 20;
const CLIP_WEIGHT: u64 = 64 << 10;

/// What the sound stages found.
#[derive(Default)]
pub(super) struct Sound {
    /// By id.
    pub clips: Vec<ClipRow>,
    /// Names of the values of each row.
    pub names: Vec<String>,
    pub quarantined: Vec<Quarantined>,
    pub warned: Vec<Warned>,
    pub written: Vec<Written>,
}

/// Filters and analysis planned for each sample rate that the corpus has.
pub(super) struct Plans<'a> {
    plan: &'a ClipsPlan,
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
}

/// A shard after reading and analysis.
struct Analysed {
    clips: Vec<(ClipRow, Option<Warned>)>,
    quarantined: Vec<Quarantined>,
    written: Vec<Written>,
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

    /// Filters and analyses one clip.
    fn analyse(
        &self,
        clip: &Clip,
        scratch: &mut Scratch,
        shares: &Shares<3>,
    ) -> std::result::Result<ClipAnalysis, String> {
        let planned = self.at(clip.sample_rate)?;
        let Scratch { waveform, analysis } = scratch;
        let samples = shares.on(1, || planned.filters.apply(&clip.samples, waveform));
        let analysis = analysis.entry(clip.sample_rate).or_insert_with(|| planned.analyzer.scratch());
        Ok(shares.on(2, || planned.analyzer.analyze(samples, analysis)))
    }

    /// The mel levels of one clip, for a picture.
    pub fn mel_levels(&self, clip: &Clip, scratch: &mut Scratch) -> std::result::Result<Spectrogram, String> {
        let planned = self.at(clip.sample_rate)?;
        let samples = planned.filters.apply(&clip.samples, &mut scratch.waveform);
        let analysis = scratch.analysis.entry(clip.sample_rate).or_insert_with(|| planned.analyzer.scratch());
        Ok(planned.analyzer.mel_levels(samples, analysis))
    }
}

/// Runs the sound stages that `plan` asks for and writes their tables.
pub(super) fn run(plan: &ClipsPlan, desk: &Desk<'_>) -> Result<Sound> {
    let found = walk(&plan.include, &plan.exclude, "clips.include")?;
    let (references, repeated) = index_clips(&found.found, &plan.rules);
    let mut sound = Sound {
        names: plan.names(),
        quarantined: found.quarantined,
        warned: found.warned,
        ..Sound::default()
    };
    sound.quarantined.extend(repeated);
    for folder in plan.part_folders() {
        let folder = desk.folder.join(folder);
        std::fs::create_dir_all(&folder).map_err(|error| Error::io("create the folder", &folder, error))?;
    }
    let weights = references.iter().map(|reference| (reference.id.as_str(), reference.bytes + CLIP_WEIGHT));
    let mut shards = cut(weights, SHARD_BYTES);
    if shards.is_empty() {
        // A table exists even when nothing was read: one part without rows.
        shards.push(0..0);
    }
    let plans = Plans::new(plan);
    let total = references.len() as u64;
    let stages = ["read", if plan.waveform.is_empty() { "" } else { "filters" }, "audio"];
    let analysed = desk.stages.pass(stages, total, "recordings", |shares| {
        let analyse = |(part, shard)| analyse_shard(part, &references[shard], &plans, desk, shares);
        shards.into_par_iter().enumerate().map(analyse).collect::<Result<Vec<Analysed>>>()
    })?;
    for shard in analysed {
        for (row, warned) in shard.clips {
            sound.clips.push(row);
            sound.warned.extend(warned);
        }
        sound.quarantined.extend(shard.quarantined);
        sound.written.extend(shard.written);
    }
    let table = tables::clips(&sound.clips, &sound.names);
    sound.written.push(write_table(table, desk.folder, "clips.parquet", desk.provenance)?);
    Ok(sound)
}

/// shard -> result: reads and analyses the recordings of one shard and writes its parts of the tables.
fn analyse_shard(
    part: usize,
    shard: &[ClipRef],
    plans: &Plans<'_>,
    desk: &Desk<'_>,
    shares: &Shares<3>,
) -> Result<Analysed> {
    let outcomes = shard
        .par_iter()
        .map_init(Scratch::default, |scratch, reference| {
            desk.interrupt.check()?;
            let outcome = analyse_clip(reference, plans, scratch, shares);
            desk.stages.advance(1);
            Ok(outcome)
        })
        .collect::<Result<Vec<_>>>()?;
    let mut analysed = Analysed { clips: Vec::new(), quarantined: Vec::new(), written: Vec::new() };
    let mut parts: Vec<(String, Option<FrameColumns>, Option<Spectrogram>)> = Vec::new();
    for outcome in outcomes {
        match outcome {
            Err(row) => analysed.quarantined.push(row),
            Ok((clip, analysis)) => {
                let row = row(&clip, &analysis);
                parts.push((row.clip_id.clone(), analysis.frame_features, analysis.spectrogram));
                analysed.clips.push((row, clip.warning));
            }
        }
    }
    for table in part_tables(plans.plan, &parts) {
        let file = format!("{}/part-{part:05}.parquet", table.name);
        analysed.written.push(write_table(table, desk.folder, &file, desk.provenance)?);
    }
    Ok(analysed)
}

type Outcome = std::result::Result<(Clip, ClipAnalysis), Quarantined>;

fn analyse_clip(
    reference: &ClipRef,
    plans: &Plans<'_>,
    scratch: &mut Scratch,
    shares: &Shares<3>,
) -> Outcome {
    let unusable = |code: &'static str, reason| Quarantined {
        source: reference.source.clone(),
        stage: Stage::Audio,
        code: code.into(),
        reason,
        byte_offset: None,
    };
    let work = AssertUnwindSafe(|| {
        let clip = shares.on(0, || read_clip(reference, &plans.plan.rules))?;
        let analysis =
            plans.analyse(&clip, scratch, shares).map_err(|reason| unusable("unusable_settings", reason))?;
        Ok((clip, analysis))
    });
    // A decoder that fails an assertion over a damaged file must not end the night.
    let outcome = catch_unwind(work).unwrap_or_else(|_| {
        *scratch = Scratch::default();
        Err(unusable(
            "decoder_failed",
            "a decoder gave up on it: convert it to WAV, and report it".to_owned(),
        ))
    });
    outcome.map(|(mut clip, analysis)| {
        // The samples of a whole shard need not lie in memory together.
        clip.samples = Vec::new();
        (clip, analysis)
    })
}

fn row(clip: &Clip, analysis: &ClipAnalysis) -> ClipRow {
    ClipRow {
        clip_id: clip.id.clone(),
        source: clip.source.clone(),
        blake3: clip.blake3.clone(),
        group: clip.group.clone(),
        file_sample_rate: clip.file_sample_rate,
        channels: clip.channels,
        bits: clip.bits,
        seconds: clip.seconds,
        frames: analysis.frames as u32,
        values: analysis.values.clone(),
    }
}

fn part_tables(
    plan: &ClipsPlan,
    parts: &[(String, Option<FrameColumns>, Option<Spectrogram>)],
) -> Vec<Table> {
    let mut written = Vec::new();
    if let Some(features) = plan.features.as_ref().filter(|features| features.frames) {
        let clips: Vec<_> =
            parts.iter().filter_map(|(id, frames, _)| Some((id.as_str(), frames.as_ref()?))).collect();
        let mfcc = if features.has(crate::audio::FeatureSet::Mfcc) { features.mfcc } else { 0 };
        written.push(tables::frames(&clips, mfcc));
    }
    let (bands, unit) = match plan.spectrogram.store {
        Store::None => return written,
        Store::Mel => (plan.spectrogram.mels, plan.spectrogram.profile.unit()),
        Store::Power => (plan.spectrogram.bins(), "power"),
    };
    let clips: Vec<_> =
        parts.iter().filter_map(|(id, _, values)| Some((id.as_str(), values.as_ref()?))).collect();
    written.push(tables::spectrograms(&clips, bands, unit));
    written
}

impl ClipsPlan {
    /// The tables that this stage writes in parts.
    fn part_folders(&self) -> impl Iterator<Item = &'static str> {
        let frames = self.features.as_ref().is_some_and(|features| features.frames);
        let spectrograms = self.spectrogram.store != Store::None;
        [("frames", frames), ("spectrograms", spectrograms)]
            .into_iter()
            .filter_map(|(name, asked)| asked.then_some(name))
    }
}
