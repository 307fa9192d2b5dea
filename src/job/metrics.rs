//! The last run of a job in Prometheus' text format, for `node_exporter`'s textfile collector.
//!
//! The file is written anew after every run, also one that failed. What a failed run does not know (its counts) is absent from it;
//! when the job last succeeded is kept.

use std::fmt::Write as _;
use std::fs::{self, Permissions};
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use tempfile::NamedTempFile;

use super::journal::{Ending, Journal};
use super::record::RunRecord;
use super::stages::StageRecord;
use crate::error::{Error, Result};

/// A file of metrics that can be written.
#[derive(Debug)]
pub struct Metrics {
    path: PathBuf,
}

/// What the file says of the last success, and the label that says whose it is.
const LAST_SUCCESS: &str = "wordwave_last_success_timestamp_seconds";

impl Metrics {
    /// Makes sure, before any work, that the file `path` can be written.
    ///
    /// # Errors
    /// [`Error::Io`] where its folder is missing or cannot be written.
    pub fn open(path: &Path) -> Result<Self> {
        let metrics = Self { path: path.to_path_buf() };
        metrics.temporary().map_err(|error| Error::io("write metrics beside", path, error))?;
        Ok(metrics)
    }

    /// Writes the metrics of the run that `journal` followed and that ended with `outcome`.
    ///
    /// # Errors
    /// [`Error::Io`] where the file cannot be written.
    pub fn write(&self, journal: &Journal, outcome: std::result::Result<&RunRecord, &Error>) -> Result<()> {
        let ending = journal.ending(outcome);
        let before = self.last_success();
        self.replace(&page(&journal.job, journal.start, &ending, before))
    }

    /// Writes that the job file `job` asks for no job that can be run, as `error` says. The job's name is the one that the
    /// file has already, else that of the job file.
    ///
    /// # Errors
    /// [`Error::Io`] where the file cannot be written.
    pub fn write_refused(&self, job: &Path, error: &Error) -> Result<()> {
        let before = self.last_success();
        let stem = || job.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let name = self.job().unwrap_or_else(stem);
        let now = Timestamp::now();
        let ending = Ending {
            end: now,
            run_id: None,
            stages: Vec::new(),
            quarantined: 0,
            warned: 0,
            peak_memory_bytes: super::memory::peak_bytes(),
            outcome: Err(error),
        };
        self.replace(&page(&name, now, &ending, before))
    }

    /// An empty file beside the one to write. The collector reads `*.prom` alone.
    fn temporary(&self) -> std::io::Result<NamedTempFile> {
        let folder = self.path.parent().filter(|folder| !folder.as_os_str().is_empty());
        tempfile::Builder::new()
            .prefix(".wordwave-")
            .suffix(".tmp")
            .tempfile_in(folder.unwrap_or(Path::new(".")))
    }

    fn replace(&self, text: &str) -> Result<()> {
        let written = self.temporary().and_then(|mut file| {
            file.write_all(text.as_bytes())?;
            // The collector runs as another user; the umask is for files with content that is nobody's business.
            file.as_file().set_permissions(Permissions::from_mode(0o644))?;
            file.persist(&self.path)?;
            Ok(())
        });
        written.map_err(|error| Error::io("write", &self.path, error))
    }

    /// The line of the file as it is that says when the job last succeeded.
    fn last_success_line(&self) -> Option<String> {
        let text = fs::read_to_string(&self.path).ok()?;
        text.lines().find(|line| line.starts_with(LAST_SUCCESS)).map(str::to_owned)
    }

    fn last_success(&self) -> f64 {
        self.last_success_line().and_then(|line| line.rsplit(' ').next()?.parse().ok()).unwrap_or(0.0)
    }

    fn job(&self) -> Option<String> {
        let line = self.last_success_line()?;
        let value = line.split_once("{job=\"")?.1.rsplit_once("\"}")?.0;
        Some(unescaped(value))
    }
}

/// The whole file. `before` is when the job last succeeded before this run, 0 for never: an alert on its age works from the
/// first night on.
fn page(job: &str, start: Timestamp, ending: &Ending<'_>, before: f64) -> String {
    let mut page = Page { labels: format!("job=\"{}\"", escaped(job)), text: String::new() };
    let (from, to) = (seconds(start), seconds(ending.end));
    let (success, status) = match ending.outcome {
        Ok(record) => (true, record.exit_status),
        Err(error) => (false, error.exit_code()),
    };
    page.gauge("run_success", "1 if the last run was published, 0 if not", f64::from(u8::from(success)));
    page.gauge("run_exit_status", "Exit status of the last run", f64::from(status));
    page.gauge("run_start_timestamp_seconds", "When the last run began", from);
    page.gauge("run_end_timestamp_seconds", "When the last run ended", to);
    let lasted = ending.end.as_millisecond() - start.as_millisecond();
    page.gauge("run_seconds", "Wall-clock time of the last run", lasted as f64 / 1000.0);
    let peak = ending.outcome.map_or(ending.peak_memory_bytes, |record| record.peak_memory_bytes);
    page.gauge("run_peak_memory_bytes", "The most memory that the last run held", peak as f64);
    page.gauge("last_success_timestamp_seconds", "When a run last succeeded, 0 for never", {
        if success { to } else { before }
    });
    page.stages("run_stage_seconds", "Wall-clock time of a stage", &ending.stages, |stage| stage.seconds);
    page.stages("run_stage_items", "Items of a stage", &ending.stages, |stage| stage.items as f64);
    if let Ok(record) = ending.outcome {
        let counts = &record.counts;
        page.gauge("run_documents", "Documents in the tables", counts.documents as f64);
        page.gauge("run_tokens", "Tokens of all documents", counts.tokens as f64);
        page.gauge("run_clips", "Recordings in the tables", counts.clips as f64);
        page.gauge("run_clip_duration_seconds", "Seconds of all recordings", counts.clip_seconds);
        page.gauge("run_pairs", "Documents with their recording", counts.pairs as f64);
    }
    let (quarantined, warned) = match ending.outcome {
        Ok(record) => (record.counts.quarantined, record.counts.warnings),
        Err(_) => (ending.quarantined, ending.warned),
    };
    page.gauge("run_quarantined", "Inputs that could not be used", quarantined as f64);
    page.gauge("run_warnings", "Inputs that were used in part", warned as f64);
    page.text
}

fn seconds(time: Timestamp) -> f64 {
    time.as_millisecond() as f64 / 1000.0
}

/// The text format, version 0.0.4.
struct Page {
    labels: String,
    text: String,
}

impl Page {
    fn head(&mut self, name: &str, help: &str) {
        let _ = write!(self.text, "# HELP wordwave_{name} {help}\n# TYPE wordwave_{name} gauge\n");
    }

    fn gauge(&mut self, name: &str, help: &str, value: f64) {
        self.head(name, help);
        let _ = writeln!(self.text, "wordwave_{name}{{{}}} {value}", self.labels);
    }

    fn stages(
        &mut self,
        name: &str,
        help: &str,
        stages: &[StageRecord],
        value: impl Fn(&StageRecord) -> f64,
    ) {
        self.head(name, help);
        for stage in stages {
            let (labels, label, value) = (&self.labels, escaped(&stage.name), value(stage));
            let _ = writeln!(self.text, "wordwave_{name}{{{labels},stage=\"{label}\"}} {value}");
        }
    }
}

fn escaped(label: &str) -> String {
    label.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

fn unescaped(label: &str) -> String {
    let mut out = String::new();
    let mut characters = label.chars();
    while let Some(character) = characters.next() {
        out.push(match character {
            '\\' => match characters.next() {
                Some('n') => '\n',
                other => other.unwrap_or('\\'),
            },
            _ => character,
        });
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ending(error: &Error) -> Ending<'_> {
        Ending {
            end: Timestamp::from_second(160).unwrap(),
            run_id: None,
            stages: vec![StageRecord { name: "read".into(), seconds: 1.5, items: 7 }],
            quarantined: 2,
            warned: 0,
            peak_memory_bytes: 4096,
            outcome: Err(error),
        }
    }

    #[test]
    fn a_failure_keeps_when_the_job_last_succeeded() {
        let error = Error::Interrupted { signal: 15 };
        let text = page("a\"b", Timestamp::from_second(100).unwrap(), &ending(&error), 50.0);
        for line in [
            "wordwave_run_success{job=\"a\\\"b\"} 0",
            "wordwave_run_exit_status{job=\"a\\\"b\"} 143",
            "wordwave_run_seconds{job=\"a\\\"b\"} 60",
            "wordwave_run_stage_items{job=\"a\\\"b\",stage=\"read\"} 7",
            "wordwave_run_quarantined{job=\"a\\\"b\"} 2",
            "wordwave_last_success_timestamp_seconds{job=\"a\\\"b\"} 50",
        ] {
            assert!(text.lines().any(|found| found == line), "{line} is not in\n{text}");
        }
        assert!(!text.contains("run_documents"));
    }

    #[test]
    fn every_family_has_its_help_and_type_before_its_samples_once() {
        let error = Error::Interrupted { signal: 15 };
        let text = page("x", Timestamp::from_second(100).unwrap(), &ending(&error), 0.0);
        let names: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("# TYPE ")).collect();
        let distinct: std::collections::BTreeSet<&&str> = names.iter().collect();
        assert_eq!(names.len(), distinct.len());
        for sample in text.lines().filter(|line| !line.starts_with('#')) {
            let name = sample.split('{').next().unwrap();
            let before = &text[..text.find(sample).unwrap()];
            assert!(
                before.contains(&format!("# HELP {name} "))
                    && before.contains(&format!("# TYPE {name} gauge"))
            );
        }
    }

    #[test]
    fn a_refused_job_file_takes_the_name_that_the_file_has() {
        let folder = tempfile::tempdir().unwrap();
        let metrics = Metrics::open(&folder.path().join("x.prom")).unwrap();
        let error = Error::job_file("night.toml:3", "no");
        let job = || metrics.job().unwrap();
        metrics.write_refused(Path::new("/etc/night.toml"), &error).unwrap();
        assert_eq!(job(), "night");
        let odd = "a\\b \"c\"\n";
        metrics.replace(&page(odd, Timestamp::UNIX_EPOCH, &ending(&error), 12.5)).unwrap();
        metrics.write_refused(Path::new("/etc/night.toml"), &error).unwrap();
        assert_eq!((job().as_str(), metrics.last_success()), (odd, 12.5));
        let mode = fs::metadata(&metrics.path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o644);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_folder_that_is_missing_is_named_before_the_work() {
        let error = Metrics::open(Path::new("/nowhere/x.prom")).unwrap_err();
        assert!(error.to_string().contains("/nowhere/x.prom"), "{error}");
    }
}
