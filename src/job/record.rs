//! run.json: what a run did, and the words that say it to a person.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::stages::StageRecord;
use crate::error::{Error, Result};
use crate::report::Written;

/// What stands in run.json: everything that may differ between two runs over the same input, and the hashes of all files.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunRecord {
    /// Version of wordwave.
    pub(super) wordwave: String,
    /// Hash of its source: what an older build kept is not used.
    #[serde(default)]
    pub(super) code: String,
    pub(super) run_id: String,
    /// RFC 3339, UTC.
    pub(super) start: String,
    pub(super) end: String,
    pub(super) host: String,
    /// The instruction sets that libraries choose their code by; equal bytes are promised where they are equal.
    pub(super) instruction_set: String,
    pub(super) threads: usize,
    pub(super) exit_status: u8,
    pub(super) peak_memory_bytes: u64,
    pub(super) config_hash: String,
    pub(super) counts: Counts,
    pub(super) stages: Vec<StageRecord>,
    /// The job file.
    #[serde(default)]
    pub(super) job_file: String,
    /// The job as resolved.
    pub(super) job: serde_json::Value,
    pub(super) files: BTreeMap<String, FileRecord>,
}

/// What went in and what came out.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub(super) struct Counts {
    pub documents: u64,
    pub tokens: u64,
    pub types: u64,
    pub clips: u64,
    pub clip_seconds: f64,
    pub pairs: u64,
    pub unpaired_documents: u64,
    pub unpaired_clips: u64,
    pub relations: u64,
    pub relations_significant: u64,
    pub quarantined: u64,
    pub warnings: u64,
}

/// A file of the run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct FileRecord {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rows: Option<u64>,
    pub bytes: u64,
    pub blake3: String,
}

impl FileRecord {
    /// What was written to `path`.
    fn written(&self, path: &str) -> Written {
        Written { path: path.to_owned(), rows: self.rows, bytes: self.bytes, blake3: self.blake3.clone() }
    }
}

/// Every file below `folder`, by its path from `root`.
fn files_below(folder: &Path, root: &Path) -> io::Result<BTreeSet<String>> {
    let mut files = BTreeSet::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            files.extend(files_below(&path, root)?);
        } else {
            files.insert(path.strip_prefix(root).unwrap_or(&path).to_string_lossy().into_owned());
        }
    }
    Ok(files)
}

/// The name of the file.
pub(super) const RUN_JSON: &str = "run.json";

impl RunRecord {
    /// Reads the run.json of the run in `folder`.
    ///
    /// # Errors
    /// [`Error::Usage`] where there is none, or none that this version understands.
    pub fn read(folder: &Path) -> Result<Self> {
        let path = folder.join(RUN_JSON);
        let text = std::fs::read_to_string(&path).map_err(|error| {
            let advice = "name a run's folder, or a job's folder that has a `latest` run";
            Error::Usage(format!("{} cannot be read: {error}; {advice}", path.display()))
        })?;
        serde_json::from_str(&text).map_err(|error| {
            Error::Usage(format!("{} is not a run of this version: {error}", path.display()))
        })
    }

    /// The run meant by `path`: the folder of a run, or that of a job, whose latest run it is.
    #[must_use]
    pub fn folder_of(path: &Path) -> PathBuf {
        let latest = path.join("latest");
        if latest.join(RUN_JSON).is_file() { latest } else { path.to_path_buf() }
    }

    /// How many files the run has besides run.json.
    #[must_use]
    pub fn files(&self) -> usize {
        self.files.len()
    }

    /// What of the run in `folder` is not as it was written, a sentence each: files that are missing, changed or unknown.
    ///
    /// # Errors
    /// [`Error::Io`] where the folder or a file cannot be read.
    pub fn verify(&self, folder: &Path) -> Result<Vec<String>> {
        let mut problems = Vec::new();
        for (name, record) in &self.files {
            let path = folder.join(name);
            if !path.is_file() {
                problems.push(format!("{name}: is missing"));
            } else if !record.written(name).is_at(&path).map_err(|error| Error::io("read", &path, error))? {
                problems.push(format!(
                    "{name}: is not what the run wrote ({} bytes, {})",
                    record.bytes, record.blake3
                ));
            }
        }
        let known = |name: &str| name == RUN_JSON || self.files.contains_key(name);
        let found = files_below(folder, folder).map_err(|error| Error::io("list", folder, error))?;
        problems.extend(
            found.iter().filter(|name| !known(name)).map(|name| format!("{name}: is not of this run")),
        );
        Ok(problems)
    }

    /// The run's file of the same content, where it has one.
    pub(super) fn file_of(&self, written: &Written) -> Option<&str> {
        let same = |record: &FileRecord| record.blake3 == written.blake3;
        let by_name = self.files.get_key_value(&written.path).filter(|(_, record)| same(record));
        by_name.or_else(|| self.files.iter().find(|(_, record)| same(record))).map(|(name, _)| name.as_str())
    }

    /// The files of the table `name`, in order.
    #[must_use]
    pub fn table_files(&self, name: &str) -> Vec<String> {
        self.files.keys().filter(|file| table_of(file) == Some(name)).cloned().collect()
    }

    /// The tables of the run with their rows.
    pub(super) fn tables(&self) -> BTreeMap<&str, u64> {
        let mut tables = BTreeMap::new();
        for (file, record) in &self.files {
            if let Some(name) = table_of(file) {
                *tables.entry(name).or_insert(0) += record.rows.unwrap_or(0);
            }
        }
        tables
    }

    /// The names of its tables.
    #[must_use]
    pub fn table_names(&self) -> Vec<&str> {
        self.tables().into_keys().collect()
    }

    /// What the run holds, for a person.
    #[must_use]
    pub fn describe(&self, folder: &Path) -> String {
        let mut out = self.headline();
        let _ =
            writeln!(out, "\nfrom {} to {} on {}, {} threads", self.start, self.end, self.host, self.threads);
        let _ = writeln!(
            out,
            "settings {}, wordwave {}\n",
            &self.config_hash[..self.config_hash.len().min(16)],
            self.wordwave
        );
        for stage in &self.stages {
            let _ = writeln!(
                out,
                "  {:<14}{:>10.2} s {:>12} items",
                stage.name,
                stage.seconds,
                grouped(stage.items)
            );
        }
        out.push('\n');
        for (name, rows) in self.tables() {
            let _ = writeln!(out, "  {name:<14}{:>12} rows", grouped(rows));
        }
        let page = folder.join("report.html");
        if page.is_file() {
            let _ = writeln!(out, "\n  {}", page.display());
        }
        out
    }

    /// The counts in two or three lines.
    pub(super) fn headline(&self) -> String {
        let counts = &self.counts;
        let mut out = format!("run {}: ", self.run_id);
        let mut parts = Vec::new();
        if counts.documents > 0 {
            let (documents, tokens, types) =
                (grouped(counts.documents), grouped(counts.tokens), grouped(counts.types));
            parts.push(match counts.tokens {
                0 => format!("{documents} documents"),
                _ => format!("{documents} documents with {tokens} words ({types} different)"),
            });
        }
        if counts.clips > 0 {
            parts.push(format!("{} recordings of {}", grouped(counts.clips), duration(counts.clip_seconds)));
        }
        if counts.pairs > 0 {
            parts.push(format!("{} pairs", grouped(counts.pairs)));
        }
        out.push_str(&parts.join(", "));
        out.push('\n');
        if counts.relations > 0 {
            let (significant, all) = (grouped(counts.relations_significant), grouped(counts.relations));
            let _ = writeln!(
                out,
                "{significant} of {all} relations of words and sound are significant (q < 0.05)"
            );
        }
        if counts.unpaired_documents + counts.unpaired_clips > 0 {
            let (documents, clips) = (grouped(counts.unpaired_documents), grouped(counts.unpaired_clips));
            let _ = writeln!(out, "without a partner: {documents} documents, {clips} recordings");
        }
        match (counts.quarantined, counts.warnings) {
            (0, 0) => out.push_str("every input was used\n"),
            (quarantined, warnings) => {
                let (quarantined, warnings) = (grouped(quarantined), grouped(warnings));
                let _ = writeln!(
                    out,
                    "in quarantine: {quarantined}; used in part: {warnings} (tables quarantine, warnings)"
                );
            }
        }
        out
    }
}

/// `terms/part-00000.parquet` and `documents.parquet` to the table's name.
pub(super) fn table_of(file: &str) -> Option<&str> {
    let stem = file.strip_suffix(".parquet")?;
    Some(stem.split_once('/').map_or(stem, |(folder, _)| folder))
}

/// 1234567 as 1,234,567.
pub(super) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// Seconds as a person says them.
pub(super) fn duration(seconds: f64) -> String {
    let whole = seconds.round() as u64;
    match whole {
        0..60 => format!("{seconds:.1} s"),
        60..3600 => format!("{} min {:02} s", whole / 60, whole % 60),
        _ => format!("{} h {:02} min", whole / 3600, whole % 3600 / 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_said_as_people_say_them() {
        assert_eq!([0, 999, 1000, 1_234_567].map(grouped), ["0", "999", "1,000", "1,234,567"]);
        assert_eq!([0.42, 75.0, 3_720.0].map(duration), ["0.4 s", "1 min 15 s", "1 h 02 min"]);
    }

    #[test]
    fn part_files_belong_to_their_table() {
        assert_eq!(table_of("terms/part-00003.parquet"), Some("terms"));
        assert_eq!(table_of("documents.parquet"), Some("documents"));
        assert_eq!(table_of("report.html"), None);
    }
}
