//! What is known of a run from outside, whether it was published, failed or was stopped.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Mutex;

use jiff::Timestamp;

use super::memory;
use super::plan::Plan;
use super::progress::Event;
use super::record::RunRecord;
use super::stages::StageRecord;
use crate::corpus::Pattern;
use crate::error::Error;

/// Keeps what a run tells, from its beginning on.
#[derive(Debug)]
pub struct Journal {
    pub(super) job: String,
    /// The folder of the job's runs.
    pub(super) output: PathBuf,
    /// The literal folders of the globs, or the manifest.
    pub(super) inputs: BTreeSet<PathBuf>,
    pub(super) start: Timestamp,
    told: Mutex<Told>,
}

#[derive(Debug, Clone, Default)]
struct Told {
    run_id: Option<String>,
    under_way: &'static str,
    stages: Vec<StageRecord>,
    quarantined: u64,
    warned: u64,
}

/// How a run ended.
#[derive(Debug)]
pub(super) struct Ending<'a> {
    pub end: Timestamp,
    /// `None` where it ended before it had one: another run held the lock, its folder could not be made.
    pub run_id: Option<String>,
    /// The stages that were completed.
    pub stages: Vec<StageRecord>,
    pub quarantined: u64,
    pub warned: u64,
    pub peak_memory_bytes: u64,
    pub outcome: Result<&'a RunRecord, &'a Error>,
}

impl Journal {
    /// Begins the journal of a run of `plan`.
    #[must_use]
    pub fn new(plan: &Plan) -> Self {
        let globs = plan.documents.iter().flat_map(|documents| &documents.include);
        let globs = globs.chain(plan.clips.iter().flat_map(|clips| &clips.include));
        let manifest = plan.documents.iter().filter_map(|documents| documents.manifest.as_ref());
        Self {
            job: plan.file.job.name.clone(),
            output: plan.output.join(&plan.file.job.name),
            inputs: globs.map(Pattern::folder).map(PathBuf::from).chain(manifest.cloned()).collect(),
            start: Timestamp::now(),
            told: Mutex::default(),
        }
    }

    /// Takes an event of the run.
    pub fn on(&self, event: &Event) {
        let Ok(mut told) = self.told.lock() else { return };
        match event {
            Event::Run { id } => told.run_id = Some(id.clone()),
            Event::Begin { stage, .. } => told.under_way = stage,
            Event::End { stage, seconds, items } => {
                StageRecord::add(&mut told.stages, stage, *seconds, *items);
            }
            Event::Quarantined(_) => told.quarantined += 1,
            Event::Warned(_) => told.warned += 1,
            Event::Advance(_) | Event::Epoch { .. } => {}
        }
    }

    /// The job's name.
    #[must_use]
    pub fn job(&self) -> &str {
        &self.job
    }

    /// The run's id, once it has one.
    #[must_use]
    pub fn run_id(&self) -> Option<String> {
        self.told.lock().ok()?.run_id.clone()
    }

    /// The stage that began last; empty before the first.
    #[must_use]
    pub fn stage(&self) -> &'static str {
        self.told.lock().map_or("", |told| told.under_way)
    }

    /// Closes the journal: the run ended now with `outcome`.
    pub(super) fn ending<'a>(&self, outcome: Result<&'a RunRecord, &'a Error>) -> Ending<'a> {
        let told = self.told.lock().map(|told| told.clone()).unwrap_or_default();
        Ending {
            end: Timestamp::now(),
            run_id: told.run_id,
            stages: told.stages,
            quarantined: told.quarantined,
            warned: told.warned,
            peak_memory_bytes: memory::peak_bytes(),
            outcome,
        }
    }
}
