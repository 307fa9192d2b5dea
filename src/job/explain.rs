//! Why each input and each stage would run tonight, or why what earlier nights computed is taken: without running anything.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;
use std::ops::Range;
use std::path::Path;

use serde::Serialize;
use serde_json::Value;

use super::content::Content;
use super::counting::{counting_settings, shards_of};
use super::desk::{Desk, at_rest};
use super::folder::store_of;
use super::inputs::{self, AllInputs, Input, Inputs};
use super::inventory::Inventory;
use super::key::{Key, code};
use super::ledger::{Entry, Ledger};
use super::plan::Plan;
use super::relations::relations_key;
use super::run::run_key;
use super::sound::{clip_key, clips_key, shards_of as clip_shards_of};
use super::store::Store;
use super::words::{WordKeys, kept_model, kept_vectors_key};
use crate::error::{Error, Result};

/// Inputs that are named one by one; the others are counted.
const NAMED: usize = 20;

/// What tonight's run would do, and why.
#[derive(Debug, Serialize)]
pub struct Explanation {
    /// The job's name.
    pub job: String,
    /// The last run that computed something.
    pub last_run: Option<String>,
    /// Whether everything is as it was: the last run is published again.
    pub unchanged: bool,
    /// What changed as a whole: settings, code, a store that is gone.
    pub changes: Vec<String>,
    /// The inputs of each side.
    pub sides: Vec<Side>,
    /// The stages in the order in which they run.
    pub stages: Vec<StageVerdict>,
}

/// Documents or clips.
#[derive(Debug, Serialize)]
pub struct Side {
    /// `documents` or `clips`.
    pub name: &'static str,
    /// How many there are.
    pub inputs: usize,
    /// How many results are kept.
    pub kept: usize,
    /// Shards with inputs that are read and computed.
    pub shards: Vec<ShardVerdict>,
    /// How many shards there are.
    pub shard_count: usize,
    /// Sources that the last run read and that are gone.
    pub gone: Vec<String>,
    /// Every input, its verdict in words; empty for those whose result is kept and whose name is as it was.
    #[serde(skip)]
    verdicts: BTreeMap<String, (String, String)>,
}

/// A shard that is not taken as it was.
#[derive(Debug, Serialize)]
pub struct ShardVerdict {
    /// Its number, from 0, as in the names of part files.
    pub number: usize,
    /// Its inputs.
    pub inputs: usize,
    /// Those that run: source and reason.
    pub runs: Vec<(String, String)>,
}

/// A stage.
#[derive(Debug, Serialize)]
pub struct StageVerdict {
    /// Its name in run.json.
    pub stage: &'static str,
    /// Whether it computes anything.
    pub runs: bool,
    /// Why.
    pub why: String,
}

/// Says what a run of `plan` would do now. Files are looked at, not read, except files of several documents whose listing is
/// not known.
///
/// # Errors
/// [`Error::NothingToDo`] for a folder that is not there.
pub fn explain(plan: &Plan) -> Result<Explanation> {
    let store_folder = store_of(&plan.output, &plan.file.job.name);
    let (store, inventory) = (Store::look(&store_folder), Inventory::open(&store_folder, false));
    at_rest(plan, &store, &inventory, |desk| explain_at(plan, &store_folder, desk))
}

fn explain_at(plan: &Plan, store_folder: &Path, desk: &Desk<'_>) -> Result<Explanation> {
    let (store, settings) = (desk.store, desk.settings);
    let documents = plan.documents.as_ref().map(|plan| inputs::documents(plan, desk)).transpose()?;
    let clips = plan.clips.as_ref().map(|plan| inputs::clips(plan, desk)).transpose()?;
    let inputs = (documents, clips);
    let ledger = Ledger::read(store_folder);
    let model = inputs.0.as_ref().and_then(|inputs| kept_model(plan.documents.as_ref()?, inputs, desk));
    let changed_settings = ledger.as_ref().map_or_else(Vec::new, |ledger| changed_settings(plan, ledger));
    let unchanged = run_key(plan, desk, &inputs, None).is_some_and(|key| store.has(&key));
    let mut sides = Vec::new();
    if let (Some(inputs), Some(documents)) = (&inputs.0, &plan.documents) {
        let counting = counting_settings(documents, desk, model.as_deref().unwrap_or_default());
        let shards = shards_of(&inputs.references);
        let entries = ledger.as_ref().map_or(&[][..], |ledger| &ledger.documents);
        let key = |content: &Content| content.key(&counting);
        sides.push(side("documents", inputs, &shards, entries, store, key));
    }
    if let Some(inputs) = &inputs.1 {
        let shards = clip_shards_of(&inputs.references);
        let entries = ledger.as_ref().map_or(&[][..], |ledger| &ledger.clips);
        sides.push(side("clips", inputs, &shards, entries, store, |content| clip_key(settings, content)));
    }
    let stages = verdicts(plan, &inputs, desk, model.as_deref(), &sides, &changed_settings, unchanged);
    let mut changes: Vec<String> = changed_settings.into_iter().map(|(_, change)| change).collect();
    match &ledger {
        None => changes.push("nothing is kept of earlier nights: everything is computed".to_owned()),
        Some(ledger) if ledger.code != code() => {
            changes.push(format!(
                "the code changed from {} to {}: everything is computed",
                ledger.code,
                code()
            ));
        }
        Some(_) => {}
    }
    let last_run = ledger.map(|ledger| ledger.run_id);
    Ok(Explanation { job: plan.file.job.name.clone(), last_run, unchanged, changes, sides, stages })
}

/// The keys of the job file whose values differ from the last run's, with a sentence each.
fn changed_settings(plan: &Plan, ledger: &Ledger<'_>) -> Vec<(String, String)> {
    let before: Value = serde_json::from_str(&ledger.job).unwrap_or_default();
    let now = serde_json::to_value(&plan.file).unwrap_or_default();
    let mut changes = Vec::new();
    differences("", &before, &now, &mut changes);
    // Where results lie and how long they are kept changes none of them.
    let matters = |key: &str| !key.starts_with("job.") || key == "job.seed";
    changes.retain(|(key, _)| matters(key));
    changes
}

fn differences(key: &str, before: &Value, now: &Value, changes: &mut Vec<(String, String)>) {
    if before == now {
        return;
    }
    if let (Value::Object(a), Value::Object(b)) = (before, now) {
        let names: std::collections::BTreeSet<&String> = a.keys().chain(b.keys()).collect();
        for name in names {
            let key = if key.is_empty() { name.clone() } else { format!("{key}.{name}") };
            let (a, b) = (a.get(name).unwrap_or(&Value::Null), b.get(name).unwrap_or(&Value::Null));
            differences(&key, a, b, changes);
        }
        return;
    }
    let said = |value: &Value| match value {
        Value::Null => "absent".to_owned(),
        Value::Object(_) => "present".to_owned(),
        other => other.to_string(),
    };
    changes.push((key.to_owned(), format!("{key} changed from {} to {}", said(before), said(now))));
}

fn side<R: Input>(
    name: &'static str,
    inputs: &Inputs<R>,
    shards: &[Range<usize>],
    entries: &[Entry<'_>],
    store: &Store,
    key: impl Fn(&Content) -> Key,
) -> Side {
    let by_source: HashMap<(&str, &str), &Entry> =
        entries.iter().map(|entry| ((&*entry.source, &*entry.id), entry)).collect();
    let by_content: HashMap<&Content, &Entry> =
        entries.iter().map(|entry| (&*entry.content, entry)).collect();
    let verdict = |input: &R| -> (bool, String) {
        let (id, source) = input.names();
        let before = by_source.get(&(source, id));
        let Some(content) = input.content() else {
            return (
                true,
                match before {
                    None => "new".to_owned(),
                    Some(Entry { quarantined: Some(code), .. }) => {
                        format!("could not be read before ({code})")
                    }
                    Some(_) => {
                        "its size, time or inode changed: it is read, and computed if its content changed"
                            .to_owned()
                    }
                },
            );
        };
        let is_kept = store.has_item(&key(&content));
        let why = match (before, by_content.get(&content)) {
            (Some(entry), _) if *entry.content == content && is_kept => String::new(),
            (Some(entry), _) if *entry.content == content => {
                "its result is not kept under these settings and this code".to_owned()
            }
            (Some(_), _) => "its content changed".to_owned(),
            (None, Some(entry)) => format!("was {}: renamed or copied", entry.source),
            (None, None) => "new".to_owned(),
        };
        (!is_kept, why)
    };
    let mut verdicts = BTreeMap::new();
    let mut running = Vec::new();
    let mut kept = 0;
    for (number, shard) in shards.iter().enumerate() {
        let mut runs = Vec::new();
        for input in &inputs.references[shard.clone()] {
            let (computes, why) = verdict(input);
            let (id, source) = input.names();
            if computes {
                runs.push((source.to_owned(), why.clone()));
            } else {
                kept += 1;
            }
            let said = match (computes, why.as_str()) {
                (true, why) => format!("runs: {why}"),
                (false, "") => "reused: as it was".to_owned(),
                (false, why) => format!("reused: {why}"),
            };
            verdicts.insert(id.to_owned(), (source.to_owned(), format!("{said} (shard {number})")));
        }
        if !runs.is_empty() {
            running.push(ShardVerdict { number, inputs: shard.len(), runs });
        }
    }
    let now: std::collections::HashSet<(&str, &str)> = inputs
        .references
        .iter()
        .map(|input| {
            let (id, source) = input.names();
            (source, id)
        })
        .collect();
    let gone = entries.iter().filter(|entry| !now.contains(&(&*entry.source, &*entry.id)));
    let mut gone: Vec<String> = gone.map(|entry| entry.source.to_string()).collect();
    gone.dedup();
    Side {
        name,
        inputs: inputs.references.len(),
        kept,
        shards: running,
        shard_count: shards.len(),
        gone,
        verdicts,
    }
}

/// What each stage does; a stage whose inputs are not known yet runs.
fn verdicts(
    plan: &Plan,
    inputs: &AllInputs,
    desk: &Desk<'_>,
    model: Option<&str>,
    sides: &[Side],
    changed: &[(String, String)],
    unchanged: bool,
) -> Vec<StageVerdict> {
    let store = desk.store;
    let contents =
        (inputs.0.as_ref().and_then(Inputs::contents), inputs.1.as_ref().and_then(Inputs::contents));
    let words = inputs
        .0
        .as_ref()
        .zip(contents.0.as_ref())
        .map(|(inputs, contents)| WordKeys::new(inputs, contents, model, desk.settings));
    let vectors =
        words.as_ref().and_then(|keys| kept_vectors_key(store, &keys.documents, model, desk.settings));
    let clips = inputs
        .1
        .as_ref()
        .zip(contents.1.as_ref())
        .map(|(inputs, contents)| clips_key(inputs, contents, desk.settings));
    let documents = plan.documents.as_ref();
    let word_keys = words.as_ref().and_then(|keys| {
        let mut all = vec![keys.documents];
        if documents?.embeddings.is_some() {
            all.push(vectors?);
        }
        Some(all)
    });
    let relations = word_keys.as_ref().map(|keys| relations_key(keys, clips, desk.settings));
    let has = |key: Option<Key>| key.is_some_and(|key| store.has(&key));
    let keys = |of: fn(&WordKeys) -> Vec<Key>| {
        words.as_ref().is_some_and(|words| of(words).iter().all(|key| store.has(key)))
    };
    let kept = |stage: &str| match stage {
        "read" => sides.iter().all(|side| side.shards.is_empty()),
        "tokens" => keys(|words| vec![words.documents]),
        "bag_of_words" => keys(|words| vec![words.bag_of_words]),
        "statistics" => keys(WordKeys::statistics),
        "embeddings" => has(vectors),
        "audio" | "filters" => has(clips),
        "compare" => has(relations),
        _ => unchanged,
    };
    plan.stages()
        .into_iter()
        .map(|stage| {
            let runs = !unchanged && !kept(stage);
            let why =
                if runs { reason(stage, sides, changed) } else { "what is kept is still right".to_owned() };
            StageVerdict { stage, runs, why }
        })
        .collect()
}

/// The sections of the job file that a stage depends on, and the sides that it reads.
fn depends_on(stage: &str) -> (&'static [&'static str], &'static [&'static str]) {
    match stage {
        "read" => (&["documents", "clips", "manifest"], &["documents", "clips"]),
        "tokens" => (&["documents", "tokens", "bag_of_words.ngrams"], &["documents"]),
        "bag_of_words" => (&["documents", "tokens", "bag_of_words"], &["documents"]),
        "statistics" => (&["documents", "tokens", "bag_of_words", "statistics", "job.seed"], &["documents"]),
        "embeddings" => (&["tokens", "embeddings", "job.seed"], &["documents"]),
        "audio" | "filters" => (&["clips", "manifest", "spectrogram", "features", "filters"], &["clips"]),
        "compare" => (
            &["documents", "tokens", "embeddings", "clips", "features", "compare", "job.seed"],
            &["documents", "clips"],
        ),
        _ => (&[""], &["documents", "clips"]),
    }
}

fn reason(stage: &str, sides: &[Side], changed: &[(String, String)]) -> String {
    let (sections, reads) = depends_on(stage);
    let mut reasons: Vec<String> = changed
        .iter()
        .filter(|(key, _)| sections.iter().any(|section| key.starts_with(section)))
        .map(|(_, change)| change.clone())
        .collect();
    for side in sides.iter().filter(|side| reads.contains(&side.name)) {
        let running: usize = side.shards.iter().map(|shard| shard.runs.len()).sum();
        if let Some((first, why)) = side.shards.first().and_then(|shard| shard.runs.first()) {
            reasons.push(format!("{running} of {} {} run, first {first} ({why})", side.inputs, side.name));
        }
        if let Some(first) = side.gone.first() {
            reasons.push(format!("{} {} are gone, first {first}", side.gone.len(), side.name));
        }
    }
    if reasons.is_empty() {
        return "its result is not kept for these inputs, settings and code".to_owned();
    }
    reasons.join("; ")
}

impl Explanation {
    /// For a person; with `item` only what is about the input of that id or source.
    ///
    /// # Errors
    /// [`Error::Usage`] where no input has that name.
    pub fn describe(&self, item: Option<&str>) -> Result<String> {
        let mut out = String::new();
        if let Some(item) = item {
            for side in &self.sides {
                for (id, (source, verdict)) in
                    side.verdicts.iter().filter(|(id, (source, _))| *id == item || source == item)
                {
                    let _ = writeln!(out, "{id} ({source})\n  {verdict}");
                }
            }
            if out.is_empty() {
                let message = format!("no input of the job is called {item:?}: give an id or a source");
                return Err(Error::Usage(message));
            }
            return Ok(out);
        }
        let _ = writeln!(out, "job         {}", self.job);
        if let Some(run) = &self.last_run {
            let _ = writeln!(out, "last run    {run}");
        }
        if self.unchanged {
            let _ = writeln!(out, "\nnothing changed: the run is published again, nothing is computed");
        }
        self.changes.iter().for_each(|change| {
            let _ = writeln!(out, "changed     {change}");
        });
        for side in &self.sides {
            describe_side(side, &mut out);
        }
        out.push('\n');
        for stage in &self.stages {
            let verdict = if stage.runs { "runs" } else { "reused" };
            let _ = writeln!(out, "{:<14}{verdict:<8}{}", stage.stage, stage.why);
        }
        Ok(out)
    }
}

fn describe_side(side: &Side, out: &mut String) {
    let reused = side.shard_count - side.shards.len();
    let _ = writeln!(
        out,
        "\n{:<12}{} of {} reused; {reused} of {} shards whole",
        side.name, side.kept, side.inputs, side.shard_count
    );
    let mut named = 0;
    for shard in &side.shards {
        if named >= NAMED {
            break;
        }
        let _ = writeln!(out, "  shard {}: {} of {} run", shard.number, shard.runs.len(), shard.inputs);
        for (source, why) in shard.runs.iter().take(NAMED - named) {
            let _ = writeln!(out, "    {source}: {why}");
        }
        named += shard.runs.len();
    }
    let renamed = side.verdicts.values().filter(|(_, verdict)| verdict.starts_with("reused: was"));
    for (source, verdict) in renamed.take(NAMED) {
        let _ = writeln!(out, "  {source}: {verdict}");
    }
    for source in side.gone.iter().take(NAMED) {
        let _ = writeln!(out, "  {source}: gone");
    }
}
