//! Whether a run is what it was: its files by their hashes, and a sample of its shards computed again from the corpus.

use std::collections::HashSet;
use std::ops::Range;
use std::path::{Path, PathBuf};

use super::counting::{Counting, counting_settings, shards_of};
use super::desk::{Desk, at_rest};
use super::inputs::{self, Input, Inputs};
use super::inventory::Inventory;
use super::plan::{ClipsPlan, DocumentsPlan, Plan};
use super::record::RunRecord;
use super::sections::JobFile;
use super::sound::{self, shards_of as clip_shards_of};
use super::store::Store;
use super::syncing::Syncing;
use super::words;
use crate::corpus::{ClipRef, DocumentRef};
use crate::error::{Error, Result};
use crate::math::random::Stream;
use crate::report::{Table, differing_rows, tables};

/// What was found.
#[derive(Debug, Default)]
pub struct Verification {
    /// Files held against their hashes.
    pub files: usize,
    /// What is not as it was written, a sentence each.
    pub problems: Vec<String>,
    /// Shards that were computed again.
    pub shards: usize,
    /// Their documents and recordings that agree with the run.
    pub agreeing: usize,
    /// Inputs that have changed or gone since the run: nothing can be said of them.
    pub changed: usize,
    /// Why nothing was computed again, where that is so.
    pub skipped: Option<String>,
}

/// Holds the run in `folder` against its hashes, and `sample` random shards of each side, drawn by `seed`, against what the
/// corpus gives now. With no sample only hashes are looked at.
///
/// # Errors
/// [`Error::Usage`] where `folder` is no run, [`Error::Io`] where a file cannot be read.
pub fn verify(folder: &Path, sample: usize, seed: u64) -> Result<Verification> {
    let record = RunRecord::read(folder)?;
    let mut found =
        Verification { files: record.files(), problems: record.verify(folder)?, ..Verification::default() };
    // Tables that are not what was written say nothing more.
    if sample == 0 || !found.problems.is_empty() {
        return Ok(found);
    }
    match plan_of(&record) {
        Err(why) => found.skipped = Some(why),
        Ok(plan) => recompute(&plan, folder, &record, sample, seed, &mut found)?,
    }
    Ok(found)
}

/// The plan that the run followed, where its job file and code are still there.
fn plan_of(record: &RunRecord) -> std::result::Result<Plan, String> {
    if record.code != env!("WORDWAVE_CODE") {
        return Err(format!("another build wrote the run ({} {})", record.wordwave, record.code));
    }
    let file: JobFile = serde_json::from_value(record.job.clone()).map_err(|error| error.to_string())?;
    let plan = Plan::new(file, &PathBuf::from(&record.job_file)).map_err(|error| error.to_string())?;
    if plan.config_hash != record.config_hash {
        return Err("a file that the job names has changed since".to_owned());
    }
    Ok(plan)
}

fn recompute(
    plan: &Plan,
    folder: &Path,
    record: &RunRecord,
    sample: usize,
    seed: u64,
    found: &mut Verification,
) -> Result<()> {
    // Nothing that was kept is taken, and nothing is kept.
    let nowhere = tempfile::tempdir().map_err(|error| Error::io("create", "a temporary folder", error))?;
    let (store, inventory) = (Store::look(nowhere.path()), Inventory::open(nowhere.path(), true));
    at_rest(plan, &store, &inventory, |desk| {
        let desk = Desk { folder: nowhere.path(), syncing: &Syncing::default(), ..*desk };
        if let Some(plan) = &plan.documents {
            let inputs = inputs::documents(plan, &desk);
            let rows = inputs.and_then(|inputs| documents(plan, inputs, &desk, sample, seed, found));
            hold_against(rows, "documents", folder, record, found)?;
        }
        if let Some(plan) = &plan.clips {
            let inputs = inputs::clips(plan, &desk);
            let rows = inputs.and_then(|inputs| clips(plan, inputs, &desk, sample, seed, found));
            hold_against(rows, "clips", folder, record, found)?;
        }
        Ok(())
    })
}

/// The numbers of `sample` shards of `all`, in order.
fn drawn(all: Vec<Range<usize>>, sample: usize, seed: u64) -> Vec<Range<usize>> {
    let mut order: Vec<usize> = (0..all.len()).collect();
    Stream::new(seed, "shards to verify", 0).shuffle(&mut order);
    let chosen: HashSet<usize> = order.into_iter().take(sample).collect();
    all.into_iter().enumerate().filter(|(shard, _)| chosen.contains(shard)).map(|(_, range)| range).collect()
}

/// Only the inputs of the drawn shards.
fn sampled<R: Input>(inputs: Inputs<R>, shards: &[Range<usize>]) -> Inputs<R> {
    let of_sample = |(at, _): &(usize, R)| shards.iter().any(|shard| shard.contains(at));
    let references = inputs.references.into_iter().enumerate().filter(of_sample).map(|(_, input)| input);
    Inputs::new(references.collect(), Vec::new(), Vec::new())
}

fn documents(
    plan: &DocumentsPlan,
    inputs: Inputs<DocumentRef>,
    desk: &Desk<'_>,
    sample: usize,
    seed: u64,
    found: &mut Verification,
) -> Result<Table> {
    let mut all = inputs;
    // A model that is trained on the corpus needs all of it.
    let model = words::model(plan, &mut all, desk)?;
    let shards = drawn(shards_of(&all.references), sample, seed);
    found.shards += shards.len();
    let inputs = sampled(all, &shards);
    let tokenizer = words::tokenizer(plan, model.as_deref())?;
    let settings = counting_settings(plan, desk, model.as_deref().unwrap_or_default());
    let counting = Counting::new(plan, desk, &inputs, tokenizer, settings);
    Ok(tables::documents(&counting.counted()?.documents, counting.kept_names()))
}

fn clips(
    plan: &ClipsPlan,
    inputs: Inputs<ClipRef>,
    desk: &Desk<'_>,
    sample: usize,
    seed: u64,
    found: &mut Verification,
) -> Result<Table> {
    let shards = drawn(clip_shards_of(&inputs.references), sample, seed);
    found.shards += shards.len();
    let sound = sound::run(plan, &sampled(inputs, &shards), desk)?;
    Ok(tables::clips(&sound.clips, &sound.names))
}

fn hold_against(
    rows: Result<Table>,
    table: &str,
    folder: &Path,
    record: &RunRecord,
    found: &mut Verification,
) -> Result<()> {
    let rows = match rows {
        Ok(rows) => rows,
        // A corpus that is not there any more says nothing about the run.
        Err(error) => {
            found.skipped = Some(error.to_string());
            return Ok(());
        }
    };
    let Some(file) = record.table_files(table).pop() else { return Ok(()) };
    let compared = differing_rows(&folder.join(file), rows)?;
    found.agreeing += compared.agreeing;
    found.changed += compared.other_content;
    let differences = compared.differences.into_iter();
    found.problems.extend(differences.map(|difference| format!("{table}: {difference}")));
    Ok(())
}
