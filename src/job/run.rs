//! A run from beginning to end: the stages in the order in which data flows, then publishing.

use std::any::Any;
use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt::Write as _;
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::audio_words;
use super::content::Content;
use super::desk::Desk;
use super::folder::JobFolder;
use super::hashing::Replacement;
use super::inputs::{self, AllInputs, Input, Inputs};
use super::inventory::Inventory;
use super::key::{Key, code, instruction_set};
use super::ledger::{Each, Entry, NewLedger};
use super::memory;
use super::page;
use super::plan::Plan;
use super::progress::{Event, Interrupt};
use super::record::{Counts, FileRecord, RUN_JSON, RunRecord, duration};
use super::relations::{self, Relations};
use super::settings::Settings;
use super::sound::{self, Sound};
use super::stages::Stages;
use super::store::{Bounds, Store};
use super::syncing::Syncing;
use super::timing;
use super::word_level::WordLevel;
use super::words::{self, Words};
use crate::corpus::{Quarantined, Warned};
use crate::error::{Error, Result};
use crate::report::page::{Q_LIMIT, render};
use crate::report::{Provenance, Written, tables};

/// How a run is carried out; nothing here changes its results.
pub struct RunOptions<'a> {
    /// Threads to work with; `None`: all cores.
    pub threads: Option<usize>,
    /// Asks the run to stop.
    pub interrupt: Interrupt,
    /// Reads every file again, also those that stand as they stood.
    pub rehash: bool,
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
    /// What a person should know of what is kept between nights.
    notes: Vec<String>,
    /// What the run was made of. It goes when this goes: whoever ends with the run need not wait until a hundred thousand documents are let
    /// go one by one.
    _made: Option<Box<dyn Any + Send>>,
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
            let _ = writeln!(out, "report: {}", page.display());
        }
        for note in &self.notes {
            let _ = writeln!(out, "note: {note}");
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
pub(super) struct Outcome {
    pub words: Option<Words>,
    pub sound: Option<Sound>,
    pub relations: Option<Relations>,
    pub word_level: Option<WordLevel>,
    quarantined: Vec<Quarantined>,
    warned: Vec<Warned>,
    pub written: Vec<Written>,
}

/// A run as it is kept: a night on which nothing changed publishes it again.
#[derive(Serialize, Deserialize)]
struct Finished {
    counts: Counts,
    quarantined: Vec<Quarantined>,
    warned: Vec<Warned>,
    stages: Vec<(String, u64)>,
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
    let before = job.latest().and_then(|folder| {
        let record = RunRecord::read(&folder).ok()?;
        Some((folder, record))
    });
    let (store, inventory) = (Store::open(job.store()), Inventory::open(job.store(), options.rehash));
    let syncing = Syncing::begin();
    let desk = Desk {
        folder: staging.folder(),
        provenance: &Provenance { job: plan.file.job.name.clone(), config_hash: plan.config_hash.clone() },
        stages: &stages,
        interrupt: &options.interrupt,
        seed: plan.file.job.seed,
        settings: &Settings::of(plan),
        store: &store,
        inventory: &inventory,
        syncing: &syncing,
        before: before.as_ref(),
    };
    let (finished, written, made) = pool.install(|| find_or_make(plan, &desk))?;
    options.interrupt.check()?;
    let end = Timestamp::now();
    let record = record(plan, finished, &written, &stages, (start, end), staging.id(), threads);
    let json = serde_json::to_vec_pretty(&record)
        .map_err(|error| Error::Table { table: RUN_JSON.into(), message: error.to_string() })?;
    desk.write_file(&json, RUN_JSON)?;
    let publish = || {
        syncing.finish()?;
        staging.publish()
    };
    let written_ledger = || {
        let (inputs, outcome) = made.as_ref()?;
        write_ledger(plan, inputs, outcome, &record.run_id, job.store()).ok()
    };
    // The ledger of a large corpus is long, and the disk is waited for meanwhile.
    let (folder, ledger) = pool.join(publish, written_ledger);
    let folder = folder?;
    job.retain(plan.file.job.keep, plan.file.job.keep_days, end)?;
    // Without them the next night reads every file and has less to explain: no less right.
    let _ = inventory.save(true);
    let _ = ledger.map(Replacement::put);
    if made.is_some() {
        // A night on which nothing changed looked at nothing: that does not make it unused.
        let bytes = (plan.file.job.store_gib * f64::from(1 << 30)) as u64;
        store.clean(Bounds { days: plan.file.job.store_days, bytes }, SystemTime::now());
    }
    let seconds = end.duration_since(start).as_secs_f64();
    let made = made.map(|made| Box::new(made) as Box<dyn Any + Send>);
    Ok(Published { folder, record, seconds, notes: store.notes(), _made: made })
}

/// What a run that is new was made of, and what came of it.
type Made = (AllInputs, Outcome);

/// The run of these inputs and settings, if it is kept, or else a new one.
fn find_or_make(plan: &Plan, desk: &Desk<'_>) -> Result<(Finished, Vec<Written>, Option<Made>)> {
    let documents = plan.documents.as_ref().map(|plan| inputs::documents(plan, desk)).transpose()?;
    let clips = plan.clips.as_ref().map(|plan| inputs::clips(plan, desk)).transpose()?;
    let mut inputs = (documents, clips);
    let known = run_key(plan, desk, &inputs, None);
    if let Some((finished, written)) = known.and_then(|key| desk.recall::<Finished>(&key))
        && check_share(plan, &finished.counts, String::new).is_ok()
    {
        for (stage, items) in &finished.stages {
            desk.stages.seen(&[stage], *items as usize);
        }
        desk.stages.tell(&finished.quarantined, &finished.warned);
        return Ok((finished, written, None));
    }
    let outcome = stages_of(plan, &mut inputs, desk)?;
    let finished = Finished {
        counts: counts(&outcome),
        quarantined: outcome.quarantined.clone(),
        warned: outcome.warned.clone(),
        stages: desk.stages.records().into_iter().map(|record| (record.name, record.items)).collect(),
    };
    if let Some(key) = run_key(plan, desk, &inputs, Some(&outcome)) {
        desk.keep(&key, &finished, &outcome.written);
    }
    Ok((finished, outcome.written.clone(), Some((inputs, outcome))))
}

/// Writes what a later night is told of this one.
fn write_ledger(
    plan: &Plan,
    inputs: &AllInputs,
    outcome: &Outcome,
    run_id: &str,
    store: &Path,
) -> io::Result<Replacement> {
    let codes: HashMap<&str, &str> =
        outcome.quarantined.iter().map(|row| (row.source.as_str(), &*row.code)).collect();
    let words = outcome.words.as_ref().map_or(&[][..], |words| &words.contents);
    let sound = outcome.sound.as_ref().map_or(&[][..], |sound| &sound.contents);
    let ledger = NewLedger {
        run_id,
        code: code(),
        job: serde_json::to_string(&plan.file).unwrap_or_default(),
        documents: Each(|| entries(inputs.0.as_ref(), words, &codes)),
        clips: Each(|| entries(inputs.1.as_ref(), sound, &codes)),
    };
    ledger.write(store)
}

/// An entry for each input of one side.
fn entries<'a, R: Input>(
    inputs: Option<&'a Inputs<R>>,
    contents: &'a [Content],
    codes: &'a HashMap<&str, &str>,
) -> impl ExactSizeIterator<Item = Entry<'a>> {
    let references = inputs.map_or(&[][..], |inputs| &inputs.references);
    references.iter().zip(contents).map(|(input, content)| {
        let (id, source) = input.names();
        Entry {
            id: id.into(),
            source: source.into(),
            content: Cow::Borrowed(content),
            quarantined: codes.get(source).map(|&code| code.into()),
        }
    })
}

/// The key of the whole run; `None` while some content is not known.
pub(super) fn run_key(
    plan: &Plan,
    desk: &Desk<'_>,
    inputs: &AllInputs,
    outcome: Option<&Outcome>,
) -> Option<Key> {
    let words = outcome.and_then(|outcome| outcome.words.as_ref()).map(|words| words.contents.as_slice());
    let sound = outcome.and_then(|outcome| outcome.sound.as_ref()).map(|sound| &sound.contents[..]);
    let keys = (key_of_side(inputs.0.as_ref(), words)?, key_of_side(inputs.1.as_ref(), sound)?);
    Some(Key::of("run", &(keys, &desk.provenance.config_hash, &plan.file.job.name, plan.writes_page())))
}

/// The key of one side's inputs, a fixed one where the job has none; `None` while some content is not known.
fn key_of_side<R: Input>(inputs: Option<&Inputs<R>>, read: Option<&[Content]>) -> Option<Key> {
    let Some(inputs) = inputs else { return Some(Key::nothing()) };
    inputs.contents().map(|contents| contents.as_slice()).or(read).map(|contents| inputs.key(contents))
}

/// Corpus to text and audio, to their comparison, to the report.
fn stages_of(plan: &Plan, inputs: &mut AllInputs, desk: &Desk<'_>) -> Result<Outcome> {
    let mut words = match (&plan.documents, &mut inputs.0) {
        (Some(plan), Some(inputs)) => Some(words::run(plan, inputs, desk)?),
        _ => None,
    };
    desk.interrupt.check()?;
    let mut sound = match (&plan.clips, &inputs.1) {
        (Some(plan), Some(inputs)) => Some(sound::run(plan, inputs, desk)?),
        _ => None,
    };
    desk.interrupt.check()?;
    if let (Some(words), Some(inputs)) = (&mut words, &inputs.0) {
        words.quarantined.extend(inputs.quarantined.iter().cloned());
        words.warned.extend(inputs.warned.iter().cloned());
    }
    if let (Some(sound), Some(inputs)) = (&mut sound, &inputs.1) {
        sound.quarantined.extend(inputs.quarantined.iter().cloned());
        sound.warned.extend(inputs.warned.iter().cloned());
    }
    let quarantined =
        words.iter().flat_map(|w| &w.quarantined).chain(sound.iter().flat_map(|s| &s.quarantined));
    let warned = words.iter().flat_map(|w| &w.warned).chain(sound.iter().flat_map(|s| &s.warned));
    desk.stages.tell(quarantined, warned);
    check_inputs(plan, words.as_ref(), sound.as_ref())?;
    let mut relations = match (&plan.compare, &words, &sound) {
        (Some(compare), Some(words), Some(sound)) => Some({
            let documents = plan.documents.as_ref().zip(inputs.0.as_ref());
            relations::run(compare, documents, words, sound, desk)?
        }),
        _ => None,
    };
    desk.stages.tell([], relations.iter().flat_map(|relations| &relations.warned));
    let unusable = plan.compare.as_ref().map_or(&[][..], |plan| &plan.unusable);
    desk.stages.tell(unusable, []);
    let mut written = Vec::new();
    let mut word_level = None;
    if let (Some(compare), Some(documents), Some(inputs), Some(words), Some(sound), Some(relations)) = (
        plan.compare.as_ref().filter(|plan| plan.words),
        &plan.documents,
        &inputs.0,
        &words,
        &sound,
        &relations,
    ) {
        let shown: Vec<&str> =
            page::pictured(sound, Some(relations)).iter().map(|row| row.clip_id.as_str()).collect();
        let (level, files) =
            timing::run(compare, (documents, inputs), (words, sound), relations, &shown, desk)?;
        word_level = Some(level);
        written.extend(files);
    }
    if let (size @ 1.., Some(sound)) = (plan.codebook(), &sound) {
        written.extend(audio_words::run(plan, size, sound, desk)?);
    }
    let mut quarantined: Vec<Quarantined> = Vec::new();
    quarantined.extend(words.iter().flat_map(|words| words.quarantined.clone()));
    quarantined.extend(sound.iter().flat_map(|sound| sound.quarantined.clone()));
    quarantined.extend(unusable.iter().cloned());
    quarantined.sort();
    let mut warned: Vec<Warned> = Vec::new();
    warned.extend(words.iter().flat_map(|words| words.warned.clone()));
    warned.extend(sound.iter().flat_map(|sound| sound.warned.clone()));
    warned.extend(relations.iter().flat_map(|relations| relations.warned.clone()));
    warned.sort();
    written.extend(words.iter_mut().flat_map(|words| std::mem::take(&mut words.written)));
    written.extend(sound.iter_mut().flat_map(|sound| std::mem::take(&mut sound.written)));
    written.extend(relations.iter_mut().flat_map(|relations| std::mem::take(&mut relations.written)));
    let mut outcome = Outcome { words, sound, relations, word_level, quarantined, warned, written };
    desk.stages.time("report", 1, "page", || report(plan, inputs, &mut outcome, desk))?;
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
        if let Some(path) = plan.documents.as_ref().and_then(|plan| plan.manifest.as_ref()) {
            return Err(Error::NothingToDo(format!("{} names nothing: fill it", path.display())));
        }
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
    let documents = words.map_or(0, |words| words.documents.len()) as u64;
    let clips = sound.map_or(0, |sound| sound.clips.len()) as u64;
    check_share(plan, &Counts { documents, clips, quarantined: unusable as u64, ..Counts::default() }, first)
}

/// Ends a job that has too much in quarantine.
fn check_share(plan: &Plan, counts: &Counts, first: impl Fn() -> String) -> Result<()> {
    let all = counts.documents + counts.clips + counts.quarantined;
    let limit = plan.file.job.max_quarantine;
    if counts.quarantined as f64 / all.max(1) as f64 <= limit {
        return Ok(());
    }
    Err(Error::NothingToDo(format!(
        "{} of {all} inputs cannot be used{}: more than job.max_quarantine = {limit}; nothing was published",
        counts.quarantined,
        first(),
    )))
}

fn report(plan: &Plan, inputs: &AllInputs, outcome: &mut Outcome, desk: &Desk<'_>) -> Result<()> {
    for (table, file) in [
        (tables::warnings(&outcome.warned), "warnings.parquet"),
        (tables::quarantine(&outcome.quarantined), "quarantine.parquet"),
    ] {
        outcome.written.push(desk.write(table, file)?);
    }
    if plan.writes_page() {
        let data = page::data(plan, inputs, outcome);
        let page = desk.write_file(render(&data).as_bytes(), "report.html")?;
        outcome.written.push(page);
    }
    desk.stages.advance(1);
    Ok(())
}

fn record(
    plan: &Plan,
    finished: Finished,
    written: &[Written],
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
        code: env!("WORDWAVE_CODE").to_owned(),
        run_id: run_id.to_owned(),
        start: start.to_string(),
        end: end.to_string(),
        host: rustix::system::uname().nodename().to_string_lossy().into_owned(),
        instruction_set: instruction_set(),
        threads,
        exit_status: if finished.counts.quarantined == 0 { 0 } else { 3 },
        peak_memory_bytes: memory::peak_bytes(),
        config_hash: plan.config_hash.clone(),
        counts: finished.counts,
        stages: stages.records(),
        job_file: plan.path.display().to_string(),
        job: serde_json::to_value(&plan.file).unwrap_or_default(),
        files: written.iter().map(file).collect(),
    }
}

fn counts(outcome: &Outcome) -> Counts {
    let words = outcome.words.as_ref();
    let relations = outcome.relations.as_ref();
    let correlations = relations.map_or(&[][..], |relations| &relations.correlations);
    let tokens = words.iter().flat_map(|words| words.documents.iter()).filter_map(|row| row.tokens);
    Counts {
        documents: words.map_or(0, |words| words.documents.len() as u64),
        tokens: tokens.sum(),
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
