//! Two runs held against each other: what went in, and what of it shows in words, vectors, sound, groups and relations.
//!
//! False alarms are bounded over all parts together. Each part gives one p for the question whether anything in it differs
//! at all; these are adjusted for one another (Benjamini and Hochberg 1995, which under the hypothesis that nothing differs bounds
//! the chance of any alarm). Only where that q is within alpha can rows of the part be findings: those whose own q is within
//! alpha and whose effect is large enough.

mod items;
mod sound;
mod words;

use std::path::{Path, PathBuf};

use super::record::{Counts, RunRecord};
use crate::error::Result;
use crate::math::statistics::{ascending, benjamini_hochberg};
use crate::report::StoredTable;
use crate::report::difference::{
    CountChange, Difference, List, Part, Row, RunIdentity, Skipped, Tested, Thresholds,
};
use items::{Items, Opposed};

/// Relabellings for a p.
const RELABELLINGS: usize = 999;

/// A run that is read back.
struct Run {
    folder: PathBuf,
    record: RunRecord,
}

impl Run {
    fn open(path: &Path) -> Result<Self> {
        let folder = RunRecord::folder_of(path);
        let record = RunRecord::read(&folder)?;
        // The run itself, not the link to it, so that a run published meanwhile changes nothing here.
        let folder = std::fs::canonicalize(&folder).unwrap_or(folder);
        Ok(Self { folder, record })
    }

    fn identity(&self) -> RunIdentity {
        let job = self.record.job.pointer("/job/name").and_then(|name| name.as_str()).unwrap_or("?");
        RunIdentity {
            folder: self.folder.display().to_string(),
            job: job.to_owned(),
            run_id: self.record.run_id.clone(),
            config_hash: self.record.config_hash.clone(),
            wordwave: self.record.wordwave.clone(),
        }
    }

    fn has(&self, table: &str) -> bool {
        !self.record.table_files(table).is_empty()
    }

    /// The one file of a table, columns as named or all.
    fn table(&self, name: &str, columns: &[&str]) -> Result<StoredTable> {
        StoredTable::read(&self.folder, &format!("{name}.parquet"), columns)
    }
}

/// A part before it is known what the other parts give: the p of the part, and rows with their q and effect.
struct Found<T> {
    part: Part,
    compared: String,
    tested: usize,
    p: Option<f64>,
    rows: Vec<Judged<T>>,
}

/// A row with what decides on it.
struct Judged<T> {
    row: T,
    p: Option<f64>,
    q: Option<f64>,
    /// Signed or not; its size is held against the threshold. `None`: never a finding.
    effect: Option<f64>,
}

/// A part, or why there is none.
type Outcome<T> = std::result::Result<Found<T>, Skipped>;

#[allow(clippy::unnecessary_wraps, reason = "stands at the end of functions that read tables")]
fn skipped<T>(part: Part, reason: impl Into<String>) -> Result<Outcome<T>> {
    Ok(Err(Skipped { part: part.name(), reason: reason.into() }))
}

/// Which run lacks a table, as a reason to skip what needs it.
fn lacking(a: &Run, b: &Run, table: &str) -> Option<String> {
    match (a.has(table), b.has(table)) {
        (true, true) => None,
        (false, false) => Some(format!("neither run has the table {table}")),
        (false, true) => Some(format!("run A has no table {table}")),
        (true, false) => Some(format!("run B has no table {table}")),
    }
}

/// Holds the run at `b` against the run at `a`; either is a run's folder, or a job's for its latest run.
///
/// # Errors
/// [`Error::Usage`](crate::error::Error::Usage) where a folder holds no run, and what reading its tables gives.
pub fn difference(a: &Path, b: &Path, thresholds: Thresholds) -> Result<Difference> {
    let (a, b) = (Run::open(a)?, Run::open(b)?);
    let other_settings = a.record.config_hash != b.record.config_hash;
    let documents = Items::of(&a, &b, "documents", "doc_id")?;
    let clips = Items::of(&a, &b, "clips", "clip_id")?;
    let opposed_documents = documents.as_ref().map(|items| Opposed::new(items, "documents", other_settings));
    let opposed_clips = clips.as_ref().map(|items| Opposed::new(items, "recordings", other_settings));
    let mut parts = Parts {
        words: words::frequencies(&a, &b, opposed_documents.as_ref())?,
        drift: words::drift(&a, &b)?,
        sound: sound::shifts(&a, &b, clips.as_ref().zip(opposed_clips.as_ref()))?,
        groups: sound::groups(
            documents.as_ref().zip(opposed_documents.as_ref()),
            clips.as_ref().zip(opposed_clips.as_ref()),
        )?,
        relations: sound::relations(&a, &b, thresholds.alpha)?,
    };
    let mut skipped = Vec::new();
    let vocabulary = words::vocabulary(&a, &b, &mut skipped)?;
    let q = parts.adjusted(&thresholds.ignored);
    let judge = Judge { thresholds: &thresholds, q };
    let (words, drift) = (judge.part(parts.words, &mut skipped), judge.part(parts.drift, &mut skipped));
    let (sound, groups) = (judge.part(parts.sound, &mut skipped), judge.part(parts.groups, &mut skipped));
    let relations = judge.part(parts.relations, &mut skipped);
    let findings = [
        words.as_ref().map(|part| part.findings),
        drift.as_ref().map(|part| part.findings),
        sound.as_ref().map(|part| part.findings),
        groups.as_ref().map(|part| part.findings),
        relations.as_ref().map(|part| part.findings),
    ];
    let findings = findings.into_iter().flatten().sum();
    Ok(Difference {
        notes: notes(&a, &b),
        over_threshold: findings > thresholds.max_changes,
        findings,
        thresholds,
        counts: counts(&a.record.counts, &b.record.counts),
        documents: documents.map(|items| items.changes),
        clips: clips.map(|items| items.changes),
        vocabulary,
        words,
        drift,
        sound,
        groups,
        relations,
        skipped,
        a: a.identity(),
        b: b.identity(),
    })
}

struct Parts {
    words: Outcome<crate::report::difference::TermShift>,
    drift: Outcome<crate::compare::drift::Drift>,
    sound: Outcome<crate::compare::shift::Shift>,
    groups: Outcome<crate::report::difference::Mix>,
    relations: Outcome<crate::compare::contrasts::Contrast>,
}

impl Parts {
    /// The p of each part, adjusted for those of the others; parts that are ignored do not count.
    fn adjusted(&mut self, ignored: &[Part]) -> Vec<(Part, Option<f64>)> {
        fn p<T>(part: &Outcome<T>) -> Option<f64> {
            part.as_ref().ok().and_then(|found| found.p)
        }
        let all = [p(&self.words), p(&self.drift), p(&self.sound), p(&self.groups), p(&self.relations)];
        let counted: Vec<Option<f64>> =
            Part::ALL.iter().zip(all).map(|(part, p)| p.filter(|_| !ignored.contains(part))).collect();
        Part::ALL.into_iter().zip(benjamini_hochberg(&counted)).collect()
    }
}

/// Decides what is a finding.
struct Judge<'a> {
    thresholds: &'a Thresholds,
    q: Vec<(Part, Option<f64>)>,
}

impl Judge<'_> {
    fn part<T>(&self, outcome: Outcome<T>, skipped: &mut Vec<Skipped>) -> Option<Tested<T>> {
        let found = match outcome {
            Ok(found) => found,
            Err(reason) => {
                skipped.push(reason);
                return None;
            }
        };
        let alpha = self.thresholds.alpha;
        let q = self.q.iter().find(|(part, _)| *part == found.part).and_then(|(_, q)| *q);
        let alarmed = q.is_some_and(|q| q <= alpha);
        let least = self.thresholds.effect(found.part);
        let is_finding = |row: &Judged<T>| {
            alarmed
                && row.q.is_some_and(|q| q <= alpha)
                && row.effect.is_some_and(|effect| effect.abs() >= least)
        };
        let mut rows = found.rows;
        rows.sort_by(|a, b| {
            let p = |row: &Judged<T>| row.p.unwrap_or(f64::NAN);
            let effect = |row: &Judged<T>| row.effect.unwrap_or(0.0).abs();
            let order = is_finding(b).cmp(&is_finding(a)).then(ascending(p(a), p(b)));
            order.then(ascending(effect(b), effect(a)))
        });
        let findings = rows.iter().filter(|row| is_finding(row)).count() as u64;
        let rows: Vec<Row<T>> = rows
            .into_iter()
            .map(|row| Row { finding: is_finding(&row), effect: row.effect, of: row.row })
            .collect();
        Some(Tested {
            part: found.part,
            compared: found.compared,
            tested: found.tested as u64,
            p: found.p,
            q,
            findings,
            rows: List::from(rows),
        })
    }
}

fn notes(a: &Run, b: &Run) -> Vec<String> {
    let (one, other) = (a.identity(), b.identity());
    let mut notes = Vec::new();
    if one.job != other.job {
        notes.push(format!("the runs are of different jobs: A of {}, B of {}", one.job, other.job));
    }
    if one.config_hash != other.config_hash {
        notes.push(
            "the runs were made with other settings: what differs may be due to them, not to the corpus"
                .to_owned(),
        );
    }
    if one.wordwave != other.wordwave {
        notes.push(format!("made by different versions: A by {}, B by {}", one.wordwave, other.wordwave));
    }
    if a.folder == b.folder {
        notes.push("A and B are the same run".to_owned());
    }
    notes
}

fn counts(a: &Counts, b: &Counts) -> Vec<CountChange> {
    let whole = |name, of: fn(&Counts) -> u64| CountChange { name, a: of(a) as f64, b: of(b) as f64 };
    vec![
        whole("documents", |counts| counts.documents),
        whole("tokens", |counts| counts.tokens),
        whole("types", |counts| counts.types),
        whole("clips", |counts| counts.clips),
        // A sum of nothing is -0.
        CountChange { name: "seconds", a: a.clip_seconds + 0.0, b: b.clip_seconds + 0.0 },
        whole("pairs", |counts| counts.pairs),
        whole("quarantined", |counts| counts.quarantined),
        whole("warnings", |counts| counts.warnings),
    ]
}

#[cfg(test)]
mod tests;
