//! The sound side of a run: recordings to filtered samples, frames, features and spectrograms.

use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::clip::{Outcome, Plans, Scratch, unusable};
use super::content::Content;
use super::desk::Desk;
use super::inputs::{Input, Inputs, made_of};
use super::key::Key;
use super::plan::ClipsPlan;
use super::settings::Settings;
use super::shards::cut;
use super::stages::Shares;
use super::store::{Found, Kept};
use crate::audio::{FeatureSet, FrameColumns, Spectrogram, Store};
use crate::corpus::{ClipRef, Quarantined, Unread, Warned, open_contents_of, read_contents_of};
use crate::error::Result;
use crate::report::{ClipRow, Table, Written, tables};

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
    /// The content of each input, used or not.
    pub contents: Vec<Content>,
    /// The key of all of it: what is made of it depends on nothing else.
    pub key: Option<Key>,
}

/// All recordings, read and analysed.
#[derive(Default, Serialize, Deserialize)]
struct Clips {
    rows: Vec<ClipRow>,
    quarantined: Vec<Quarantined>,
    warned: Vec<Warned>,
}

/// A shard's part of [`Clips`], with the content of each of its inputs.
struct AnalysedShard {
    clips: Clips,
    contents: Vec<Content>,
    written: Vec<Written>,
}

/// How recordings are cut into shards.
pub(super) fn shards_of(references: &[ClipRef]) -> Vec<Range<usize>> {
    let weights = references.iter().map(|reference| (reference.id.as_str(), reference.bytes + CLIP_WEIGHT));
    cut(weights, SHARD_BYTES)
}

/// The key of the result of a recording.
pub(super) fn clip_key(settings: &Settings, content: &Content) -> Key {
    Key::of("clip", &(&settings.analysis, content))
}

/// The key of all recordings.
pub(super) fn clips_key(inputs: &Inputs<ClipRef>, contents: &[Content], settings: &Settings) -> Key {
    made_of(&inputs.key(contents), "clips", &[&settings.clips, &settings.analysis])
}

/// Runs the sound stages that `plan` asks for and writes their tables.
pub(super) fn run(plan: &ClipsPlan, inputs: &Inputs<ClipRef>, desk: &Desk<'_>) -> Result<Sound> {
    let key = |contents: &[Content]| clips_key(inputs, contents, desk.settings);
    let known = inputs.contents();
    let mut found = known.and_then(|contents| {
        let found = desk.recall::<Clips>(&key(contents))?;
        let keys: Vec<Key> = contents.iter().map(|content| clip_key(desk.settings, content)).collect();
        desk.store.retain_items(keys.iter());
        Some((contents.to_vec(), found))
    });
    if found.is_none() {
        let (clips, contents, written) = analyse_all(plan, inputs, desk)?;
        desk.keep(&key(&contents), &clips, &written);
        found = Some((contents, (clips, written)));
    }
    let Some((contents, (clips, written))) = found else { return Ok(Sound::default()) };
    let filters: &[_] = if plan.waveform.is_empty() { &[] } else { &["filters"] };
    desk.stages.seen(&["read", "audio"], clips.rows.len());
    desk.stages.seen(filters, clips.rows.len());
    // Without it the next night reads every file: slower, no less right.
    let _ = desk.inventory.save(false);
    let Clips { rows, quarantined, warned } = clips;
    let key = Some(key(&contents));
    Ok(Sound { clips: rows, names: plan.names(), quarantined, warned, written, contents, key })
}

fn analyse_all(
    plan: &ClipsPlan,
    inputs: &Inputs<ClipRef>,
    desk: &Desk<'_>,
) -> Result<(Clips, Vec<Content>, Vec<Written>)> {
    for folder in plan.part_folders() {
        desk.make_folder(folder)?;
    }
    let references = &inputs.references;
    let mut shards = shards_of(references);
    if shards.is_empty() {
        // A table exists even when nothing was read: one part without rows.
        shards.push(0..0);
    }
    let plans = Plans::new(plan);
    let stages = ["read", if plan.waveform.is_empty() { "" } else { "filters" }, "audio"];
    let analysed = desk.stages.pass(stages, references.len() as u64, "recordings", |shares| {
        let analyse = |(part, shard)| analyse_shard(part, &references[shard], &plans, desk, shares);
        shards.into_par_iter().enumerate().map(analyse).collect::<Result<Vec<AnalysedShard>>>()
    })?;
    let mut all = Clips::default();
    let (mut contents, mut written) = (Vec::new(), Vec::new());
    for shard in analysed {
        all.rows.extend(shard.clips.rows);
        all.warned.extend(shard.clips.warned);
        all.quarantined.extend(shard.clips.quarantined);
        contents.extend(shard.contents);
        written.extend(shard.written);
    }
    written.push(desk.write(tables::clips(&all.rows, &plan.names()), "clips.parquet")?);
    Ok((all, contents, written))
}

/// shard -> result: finds, reads and analyses the recordings of one shard and writes its parts of the tables.
fn analyse_shard(
    part: usize,
    shard: &[ClipRef],
    plans: &Plans<'_>,
    desk: &Desk<'_>,
    shares: &Shares<3>,
) -> Result<AnalysedShard> {
    let mut contents: Vec<Option<Content>> = shard.iter().map(Input::content).collect();
    let key = |content: &Option<Content>| content.as_ref().map(|content| clip_key(desk.settings, content));
    let keys: Vec<Option<Key>> = contents.iter().map(key).collect();
    let found: Found<Vec<Outcome>> = shares.on(0, || desk.store.find(&keys));
    let missing: Vec<usize> = (0..shard.len()).filter(|&item| found.places[item].is_none()).collect();
    desk.stages.advance((shard.len() - missing.len()) as u64);
    let work = |item: usize, looks_up: bool, scratch: &mut Scratch| {
        desk.interrupt.check()?;
        analyse_clip(&shard[item], plans, desk, looks_up, scratch, shares)
    };
    let read = missing
        .par_iter()
        .map_init(Scratch::default, |scratch, &item| {
            let outcome = work(item, true, scratch);
            desk.stages.advance(1);
            outcome
        })
        .collect::<Result<Vec<Read>>>()?;
    // What was read may be known under another name.
    let keys: Vec<Option<Key>> =
        read.iter().map(|read| read.key.filter(|_| read.outcome.is_none())).collect();
    let moved = take_outcomes(desk.store.find(&keys));
    let mut outcomes: Vec<Option<Outcome>> = take_outcomes(found);
    let (mut new_keys, mut pack) = (Vec::new(), Vec::new());
    for ((&item, mut read), moved) in missing.iter().zip(read).zip(moved) {
        if read.outcome.is_none() && moved.is_none() {
            // It was kept, but broken.
            read = work(item, false, &mut Scratch::default())?;
        }
        contents[item] = Some(read.content);
        outcomes[item] = moved;
        if let Some(outcome) = read.outcome {
            // What could not be read at all is read again on another night.
            new_keys.push(read.key.unwrap_or_else(Key::nothing));
            pack.push((item, outcome));
        }
    }
    if !pack.is_empty() {
        desk.store.keep(&new_keys, &pack.iter().map(|(_, outcome)| outcome).collect::<Vec<_>>());
    }
    for (item, outcome) in pack {
        outcomes[item] = Some(outcome);
    }
    let contents: Vec<Content> = contents.into_iter().map(Option::unwrap_or_default).collect();
    let (clips, tables) = assemble(shard, &contents, outcomes);
    let written = write_parts(part, shard, &contents, &tables, plans.plan, desk)?;
    Ok(AnalysedShard { clips, contents, written })
}

/// The outcomes by item, out of the packs that hold them.
fn take_outcomes(found: Found<Vec<Outcome>>) -> Vec<Option<Outcome>> {
    let mut packs: Vec<Vec<Option<Outcome>>> =
        found.packs.into_iter().map(|pack| pack.into_iter().map(Some).collect()).collect();
    found
        .places
        .into_iter()
        .map(|place| place.and_then(|(pack, item)| packs.get_mut(pack)?.get_mut(item)?.take()))
        .collect()
}

/// A recording after reading.
struct Read {
    content: Content,
    /// Where the content is known for certain.
    key: Option<Key>,
    /// `None` where it is kept under the key already.
    outcome: Option<Outcome>,
}

/// Reads one recording and analyses it, unless, where `looks_up` says to look, what came of its content is kept.
fn analyse_clip(
    reference: &ClipRef,
    plans: &Plans<'_>,
    desk: &Desk<'_>,
    looks_up: bool,
    scratch: &mut Scratch,
    shares: &Shares<3>,
) -> Result<Read> {
    // Of a recording of many parts the hash is learnt once.
    let known = reference.cut.and_then(|_| desk.inventory.hash_of(&reference.stamp, &reference.source));
    let read = || match known {
        Some(blake3) => open_contents_of(reference, blake3),
        None => read_contents_of(reference),
    };
    let contents = match shares.on(0, read) {
        Ok(contents) => contents,
        Err(Unread { row, .. }) => {
            let content = Content::unreadable(&row);
            return Ok(Read { content, key: None, outcome: Some(Outcome::Unusable(row)) });
        }
    };
    let blake3 = contents.blake3;
    blake3.into_iter().for_each(|blake3| desk.inventory.note(&reference.stamp, &reference.source, blake3));
    let content = blake3.map_or_else(Content::default, |blake3| Content::of_clip(reference, blake3));
    let key = clip_key(desk.settings, &content);
    if looks_up && desk.store.has_item(&key) {
        return Ok(Read { content, key: Some(key), outcome: None });
    }
    // A decoder that fails an assertion over a damaged file must not end the night.
    let work = AssertUnwindSafe(|| plans.analyse(reference, contents, desk, scratch, shares));
    let outcome = catch_unwind(work).unwrap_or_else(|_| {
        *scratch = Scratch::default();
        let advice = "a decoder gave up on it: convert it to WAV, and report it";
        Ok(Outcome::Unusable(unusable(reference, "decoder_failed", advice.to_owned())))
    })?;
    Ok(Read { content, key: Some(key), outcome: Some(outcome) })
}

type Parts = Vec<(String, Option<FrameColumns>, Option<Spectrogram>)>;

/// Gives the results of a shard's recordings their names back.
fn assemble(shard: &[ClipRef], contents: &[Content], outcomes: Vec<Option<Outcome>>) -> (Clips, Parts) {
    let mut clips = Clips::default();
    let mut parts = Vec::new();
    for ((reference, content), outcome) in shard.iter().zip(contents).zip(outcomes) {
        let source = reference.source.clone();
        match (outcome, content.blake3()) {
            (Some(Outcome::Unusable(row)), _) => clips.quarantined.push(Quarantined { source, ..row }),
            (Some(Outcome::Analysed(clip)), Some(blake3)) => {
                clips.rows.push(ClipRow {
                    clip_id: reference.id.clone(),
                    source: source.clone(),
                    blake3,
                    group: reference.group.clone(),
                    file_sample_rate: clip.file_sample_rate,
                    channels: clip.channels,
                    bits: clip.bits,
                    seconds: clip.seconds,
                    frames: clip.frames,
                    values: clip.values,
                });
                clips.warned.extend(clip.warning.map(|warning| Warned { source, ..warning }));
                parts.push((reference.id.clone(), clip.frame_features, clip.spectrogram));
            }
            // What was analysed was read, and has a hash.
            (Some(Outcome::Analysed(_)), None) | (None, _) => {}
        }
    }
    (clips, parts)
}

/// The parts of `frames` and `spectrograms` of one shard; those of a shard that is as it was are laid there as they are.
fn write_parts(
    part: usize,
    shard: &[ClipRef],
    contents: &[Content],
    parts: &Parts,
    plan: &ClipsPlan,
    desk: &Desk<'_>,
) -> Result<Vec<Written>> {
    if plan.part_folders().next().is_none() {
        return Ok(Vec::new());
    }
    let ids: Vec<&str> = shard.iter().map(|reference| reference.id.as_str()).collect();
    let key = Key::of("clip parts", &(&desk.settings.analysis, ids, contents));
    let name = |table: &str| format!("{table}/part-{part:05}.parquet");
    if let Some(Kept { written, config_hash, .. }) = desk.store.load::<Kept<()>>(&key) {
        let lay = |kept: &Written| {
            let table = kept.path.split('/').next().unwrap_or_default();
            desk.lay(kept, &name(table), &config_hash)
        };
        if let Some(written) = written.iter().map(lay).collect::<Option<Vec<Written>>>() {
            return Ok(written);
        }
    }
    let tables = part_tables(plan, parts);
    let written: Vec<Written> = tables
        .into_iter()
        .map(|table| {
            let file = name(table.name);
            desk.write(table, &file)
        })
        .collect::<Result<_>>()?;
    desk.keep(&key, &(), &written);
    Ok(written)
}

fn part_tables(plan: &ClipsPlan, parts: &Parts) -> Vec<Table> {
    let mut written = Vec::new();
    if let Some(features) = plan.features.as_ref().filter(|features| features.frames) {
        let clips: Vec<_> =
            parts.iter().filter_map(|(id, frames, _)| Some((id.as_str(), frames.as_ref()?))).collect();
        let mfcc = if features.has(FeatureSet::Mfcc) { features.mfcc } else { 0 };
        written.push(tables::frames(&clips, mfcc, features.has(FeatureSet::Formants)));
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
