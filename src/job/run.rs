//! A run from beginning to end: the stages in the order in which data flows, then publishing.

use std::fmt::Write as _;
use std::path::PathBuf;

use jiff::Timestamp;

use super::folder::{JobFolder, Staging};
use super::memory;
use super::page;
use super::plan::Plan;
use super::progress::{Event, Interrupt};
use super::record::{Counts, FileRecord, RUN_JSON, RunRecord, duration};
use super::relations::{self, Relations};
use super::sound::{self, Sound};
use super::stages::Stages;
use super::words::{self, Desk, Words};
use crate::corpus::{Quarantined, Warned};
use crate::error::{Error, Result};
use crate::report::page::{Q_LIMIT, render};
use crate::report::{Provenance, Written, tables, write_file, write_table};

/// How a run is carried out; nothing here changes its results.
pub struct RunOptions<'a> {
    /// Threads to work with; `None`: all cores.
    pub threads: Option<usize>,
    /// Asks the run to stop.
    pub interrupt: Interrupt,
    /// Told of progress, from any thread.
    pub progress: &'a (dyn Fn(Event) + Sync),
}

/// A run that was published.
#[derive(Debug)]
pub struct Published {
    /// Where it lies.
    pub folder: PathBuf,
    /// What stands in its run.json.
    pub record: RunRecord,
    seconds: f64,
}

impl Published {
    /// The summary for a person.
    #[must_use]
    pub fn summary(&self) -> String {
        let memory = self.record.peak_memory_bytes as f64 / f64::from(1 << 20);
        let mut out = self.record.headline();
        let _ = writeln!(
            out,
            "{} with {} threads, at most {memory:.0} MiB",
            duration(self.seconds),
            self.record.threads
        );
        let page = self.folder.join("report.html");
        if page.is_file() {
            let _ = write!(out, "report: {}", page.display());
        }
        out.trim_end().to_owned()
    }

    /// 0, or 3 where something is in quarantine.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        self.record.exit_status
    }
}

/// What all stages found.
struct Outcome {
    words: Option<Words>,
    sound: Option<Sound>,
    relations: Option<Relations>,
    quarantined: Vec<Quarantined>,
    warned: Vec<Warned>,
    written: Vec<Written>,
}

/// Runs the job and publishes its run, whole or not at all.
///
/// # Errors
/// Everything in [`Error`]; nothing is published then.
pub fn run(plan: &Plan, options: &RunOptions<'_>) -> Result<Published> {
    let start = Timestamp::now();
    let job = JobFolder::open(&plan.output, &plan.file.job.name)?;
    let staging = job.begin(&start.strftime("%Y%m%dT%H%M%SZ").to_string())?;
    (options.progress)(Event::Run { id: staging.id().to_owned() });
    let threads =
        options.threads.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, usize::from));
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .build()
        .map_err(|error| Error::Usage(format!("--threads {threads}: {error}")))?;
    let stages = Stages::new(options.progress);
    let outcome = pool.install(|| stages_of(plan, &staging, &stages, &options.interrupt))?;
    options.interrupt.check()?;
    if let Some(before) = job.latest()
        && let Ok(record) = RunRecord::read(&before)
    {
        record.link_unchanged(&before, staging.folder(), &outcome.written);
    }
    let end = Timestamp::now();
    let record = record(plan, &outcome, &stages, (start, end), staging.id(), threads);
    let json = serde_json::to_vec_pretty(&record)
        .map_err(|error| Error::Table { table: RUN_JSON.into(), message: error.to_string() })?;
    write_file(&json, staging.folder(), RUN_JSON)?;
    let folder = staging.publish()?;
    job.retain(plan.file.job.keep)?;
    Ok(Published { folder, record, seconds: end.duration_since(start).as_secs_f64() })
}

/// Corpus to text and audio, to their comparison, to the report.
fn stages_of(
    plan: &Plan,
    staging: &Staging<'_>,
    stages: &Stages<'_>,
    interrupt: &Interrupt,
) -> Result<Outcome> {
    let provenance = Provenance { job: plan.file.job.name.clone(), config_hash: plan.config_hash.clone() };
    let desk = Desk {
        folder: staging.folder(),
        provenance: &provenance,
        stages,
        interrupt,
        seed: plan.file.job.seed,
    };
    let mut words = plan.documents.as_ref().map(|plan| words::run(plan, &desk)).transpose()?;
    interrupt.check()?;
    let mut sound = plan.clips.as_ref().map(|plan| sound::run(plan, &desk)).transpose()?;
    interrupt.check()?;
    let quarantined =
        words.iter().flat_map(|w| &w.quarantined).chain(sound.iter().flat_map(|s| &s.quarantined));
    let warned = words.iter().flat_map(|w| &w.warned).chain(sound.iter().flat_map(|s| &s.warned));
    stages.tell(quarantined, warned);
    check_inputs(plan, words.as_ref(), sound.as_ref())?;
    let mut relations = match (&plan.compare, &words, &sound) {
        (Some(compare), Some(words), Some(sound)) => Some(relations::run(compare, words, sound, &desk)?),
        _ => None,
    };
    stages.tell([], relations.iter().flat_map(|relations| &relations.warned));
    let mut quarantined: Vec<Quarantined> = Vec::new();
    quarantined.extend(words.iter().flat_map(|words| words.quarantined.clone()));
    quarantined.extend(sound.iter().flat_map(|sound| sound.quarantined.clone()));
    quarantined.sort();
    let mut warned: Vec<Warned> = Vec::new();
    warned.extend(words.iter().flat_map(|words| words.warned.clone()));
    warned.extend(sound.iter().flat_map(|sound| sound.warned.clone()));
    warned.extend(relations.iter().flat_map(|relations| relations.warned.clone()));
    warned.sort();
    let mut written = Vec::new();
    written.extend(words.iter_mut().flat_map(|words| std::mem::take(&mut words.written)));
    written.extend(sound.iter_mut().flat_map(|sound| std::mem::take(&mut sound.written)));
    written.extend(relations.iter_mut().flat_map(|relations| std::mem::take(&mut relations.written)));
    let mut outcome = Outcome { words, sound, relations, quarantined, warned, written };
    stages.time("report", 1, "page", || report(plan, &mut outcome, &desk))?;
    Ok(outcome)
}

/// Ends a job that has nothing to work on, or too much in quarantine.
fn check_inputs(plan: &Plan, words: Option<&Words>, sound: Option<&Sound>) -> Result<()> {
    let used = words.map_or(0, |words| words.documents.len()) + sound.map_or(0, |sound| sound.clips.len());
    let quarantined =
        || words.iter().flat_map(|w| &w.quarantined).chain(sound.iter().flat_map(|s| &s.quarantined));
    let first = || {
        quarantined()
            .next()
            .map_or_else(String::new, |row| format!(" (first: {}: {})", row.source, row.reason))
    };
    let unusable = quarantined().count();
    if used == 0 && unusable == 0 {
        let globs = plan
            .documents
            .iter()
            .flat_map(|plan| &plan.include)
            .chain(plan.clips.iter().flat_map(|plan| &plan.include));
        let globs: Vec<&str> = globs.map(crate::corpus::Pattern::text).collect();
        let message = format!("no file matches {}: correct the globs or fill the folders", globs.join(", "));
        return Err(Error::NothingToDo(message));
    }
    if used == 0 {
        return Err(Error::NothingToDo(format!("none of the {unusable} inputs can be used{}", first())));
    }
    let share = unusable as f64 / (used + unusable) as f64;
    if share > plan.file.job.max_quarantine {
        return Err(Error::NothingToDo(format!(
            "{unusable} of {} inputs cannot be used{}: more than job.max_quarantine = {}; nothing was published",
            used + unusable,
            first(),
            plan.file.job.max_quarantine
        )));
    }
    Ok(())
}

fn report(plan: &Plan, outcome: &mut Outcome, desk: &Desk<'_>) -> Result<()> {
    for (table, file) in [
        (tables::warnings(&outcome.warned), "warnings.parquet"),
        (tables::quarantine(&outcome.quarantined), "quarantine.parquet"),
    ] {
        outcome.written.push(write_table(table, desk.folder, file, desk.provenance)?);
    }
    if plan.file.report.as_ref().is_some_and(|section| section.html) {
        let Outcome { words, sound, relations, written, .. } = &*outcome;
        let data = page::data(plan, words.as_ref(), sound.as_ref(), relations.as_ref(), written);
        let page = write_file(render(&data).as_bytes(), desk.folder, "report.html")?;
        outcome.written.push(page);
    }
    desk.stages.advance(1);
    Ok(())
}

fn record(
    plan: &Plan,
    outcome: &Outcome,
    stages: &Stages<'_>,
    (start, end): (Timestamp, Timestamp),
    run_id: &str,
    threads: usize,
) -> RunRecord {
    let file = |written: &Written| {
        let Written { path, rows, bytes, blake3 } = written.clone();
        (path, FileRecord { rows, bytes, blake3 })
    };
    RunRecord {
        wordwave: env!("CARGO_PKG_VERSION").to_owned(),
        run_id: run_id.to_owned(),
        start: start.to_string(),
        end: end.to_string(),
        host: rustix::system::uname().nodename().to_string_lossy().into_owned(),
        instruction_set: instruction_set(),
        threads,
        exit_status: if outcome.quarantined.is_empty() { 0 } else { 3 },
        peak_memory_bytes: memory::peak_bytes(),
        config_hash: plan.config_hash.clone(),
        counts: counts(outcome),
        stages: stages.records(),
        job: serde_json::to_value(&plan.file).unwrap_or_default(),
        files: outcome.written.iter().map(file).collect(),
    }
}

fn counts(outcome: &Outcome) -> Counts {
    let words = outcome.words.as_ref();
    let relations = outcome.relations.as_ref();
    let correlations = relations.map_or(&[][..], |relations| &relations.correlations);
    let tokens = words.iter().flat_map(|words| &words.documents).filter_map(|row| row.statistics.as_ref());
    Counts {
        documents: words.map_or(0, |words| words.documents.len() as u64),
        tokens: tokens.map(|statistics| statistics.tokens).sum(),
        types: words.map_or(0, |words| words.types),
        clips: outcome.sound.as_ref().map_or(0, |sound| sound.clips.len() as u64),
        clip_seconds: outcome.sound.iter().flat_map(|sound| &sound.clips).map(|row| row.seconds).sum(),
        pairs: relations.map_or(0, |relations| relations.pairs.len() as u64),
        unpaired_documents: relations.map_or(0, |relations| relations.unpaired_documents),
        unpaired_clips: relations.map_or(0, |relations| relations.unpaired_clips),
        relations: correlations.iter().filter(|row| row.q.is_some()).count() as u64,
        relations_significant: correlations.iter().filter(|row| row.q.is_some_and(|q| q < Q_LIMIT)).count()
            as u64,
        quarantined: outcome.quarantined.len() as u64,
        warnings: outcome.warned.len() as u64,
    }
}

/// What libraries choose their code by.
fn instruction_set() -> String {
    #[cfg(target_arch = "x86_64")]
    {
        let found = [
            ("avx512f", std::arch::is_x86_feature_detected!("avx512f")),
            ("avx2", std::arch::is_x86_feature_detected!("avx2")),
            ("fma", std::arch::is_x86_feature_detected!("fma")),
        ];
        let names: Vec<&str> = found.into_iter().filter_map(|(name, has)| has.then_some(name)).collect();
        format!("x86_64 {}", names.join(" ")).trim_end().to_owned()
    }
    #[cfg(not(target_arch = "x86_64"))]
    std::env::consts::ARCH.to_owned()
}
