//! What a run read and wrote, as OpenLineage events: a JSON object a line, appended to a file.
//!
//! Each run gives a START and one of COMPLETE, FAIL and ABORT (`RunEvent` of <https://openlineage.io/spec/2-0-2/OpenLineage.json>).
//! A dataset keeps its name from night to night: an input is the folder of a glob, an output a table under the job's `latest`,
//! whose version is the run's id.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde_json::{Value, json};

use super::journal::{Ending, Journal};
use super::record::{FileRecord, RunRecord, table_of};
use crate::error::{Error, Result};

/// A file of events, open to be appended to.
#[derive(Debug)]
pub struct Lineage {
    path: PathBuf,
    file: File,
}

const EVENT_SCHEMA: &str = "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent";
const NAMESPACE: &str = "wordwave";

impl Lineage {
    /// Opens the file `path`, which is made where it is missing.
    ///
    /// # Errors
    /// [`Error::Io`] where it cannot be written.
    pub fn open(path: &Path) -> Result<Self> {
        let file = File::options().append(true).create(true).open(path);
        let file = file.map_err(|error| Error::io("open", path, error))?;
        Ok(Self { path: path.to_path_buf(), file })
    }

    /// Appends the START of the run that `journal` follows; nothing before the run has its id.
    ///
    /// # Errors
    /// [`Error::Io`] where the file cannot be written.
    pub fn start(&self, journal: &Journal) -> Result<()> {
        journal.run_id().map_or(Ok(()), |run_id| self.append(&start_event(journal, &run_id)))
    }

    /// Appends how the run ended: COMPLETE, ABORT after a signal, FAIL for everything else. Nothing for a run that never had an
    /// id, and so no START.
    ///
    /// # Errors
    /// [`Error::Io`] where the file cannot be written.
    pub fn end(&self, journal: &Journal, outcome: std::result::Result<&RunRecord, &Error>) -> Result<()> {
        let ending = journal.ending(outcome);
        let Some(run_id) = &ending.run_id else { return Ok(()) };
        self.append(&end_event(journal, run_id, &ending))
    }

    fn append(&self, event: &Value) -> Result<()> {
        // One write a line, so that jobs that share a file do not mix their lines.
        (&self.file)
            .write_all(format!("{event}\n").as_bytes())
            .map_err(|error| Error::io("write", &self.path, error))
    }
}

fn start_event(journal: &Journal, run_id: &str) -> Value {
    event(journal, run_id, "START", journal.start, (json!({}), Vec::new()))
}

fn end_event(journal: &Journal, run_id: &str, ending: &Ending<'_>) -> Value {
    let (kind, told) = match ending.outcome {
        Ok(record) => ("COMPLETE", (json!({}), outputs(journal, record))),
        Err(error) => {
            let kind = if matches!(error, Error::Interrupted { .. }) { "ABORT" } else { "FAIL" };
            let message = json!({ "message": error.to_string(), "programmingLanguage": "Rust" });
            (kind, (json!({ "errorMessage": facet("1-0-1/ErrorMessageRunFacet", message) }), Vec::new()))
        }
    };
    event(journal, run_id, kind, ending.end, told)
}

fn event(
    journal: &Journal,
    run_id: &str,
    kind: &str,
    time: Timestamp,
    (run_facets, outputs): (Value, Vec<Value>),
) -> Value {
    let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
    let place = journal.output.join(run_id);
    let batch = json!({ "processingType": "BATCH", "integration": "WORDWAVE", "jobType": "JOB" });
    let input = |folder: &PathBuf| json!({ "namespace": "file", "name": folder.to_string_lossy() });
    json!({
        "eventType": kind,
        "eventTime": time.to_string(),
        "producer": producer(),
        "schemaURL": EVENT_SCHEMA,
        "run": { "runId": uuid(&format!("{host}:{}", place.display())), "facets": run_facets },
        "job": {
            "namespace": NAMESPACE,
            "name": journal.job,
            "facets": { "jobType": facet("2-0-4/JobTypeJobFacet", batch) },
        },
        "inputs": journal.inputs.iter().map(input).collect::<Vec<_>>(),
        "outputs": outputs,
    })
}

/// The tables of the run: rows and bytes of all their parts.
fn outputs(journal: &Journal, record: &RunRecord) -> Vec<Value> {
    let of_table = |name: &str| {
        let parts = || record.files.iter().filter(|(file, _)| table_of(file) == Some(name));
        let sum = |of: fn(&FileRecord) -> u64| parts().map(|(_, part)| of(part)).sum::<u64>();
        // A table of many parts is a folder.
        let file = format!("{name}.parquet");
        let file = if record.files.contains_key(&file) { file } else { name.to_owned() };
        let statistics = json!({
            "rowCount": sum(|part| part.rows.unwrap_or(0)),
            "size": sum(|part| part.bytes),
            "fileCount": parts().count(),
        });
        let version = json!({ "datasetVersion": record.run_id });
        json!({
            "namespace": "file",
            "name": journal.output.join("latest").join(file).to_string_lossy(),
            "facets": { "version": facet("1-0-1/DatasetVersionDatasetFacet", version) },
            "outputFacets": {
                "outputStatistics": facet("1-0-2/OutputStatisticsOutputDatasetFacet", statistics),
            },
        })
    };
    record.table_names().into_iter().map(of_table).collect()
}

/// `content` with what every facet must say of itself; `schema` is `VERSION/NAME`.
fn facet(schema: &str, mut content: Value) -> Value {
    let name = schema.rsplit('/').next().unwrap_or(schema);
    content["_producer"] = producer().into();
    content["_schemaURL"] = format!("https://openlineage.io/spec/facets/{schema}.json#/$defs/{name}").into();
    content
}

/// This version of the program, as a package URL.
fn producer() -> String {
    concat!("pkg:cargo/wordwave@", env!("CARGO_PKG_VERSION")).to_owned()
}

/// A UUID that depends on `name` alone: version 8 of RFC 9562, the first bits of a BLAKE3 hash.
fn uuid(name: &str) -> String {
    let hash = blake3::hash(name.as_bytes());
    let mut bytes = [0; 16];
    bytes.copy_from_slice(hash.as_bytes().split_at(16).0);
    let mut number = u128::from_be_bytes(bytes);
    number = number & !(0xf << 76) | 0x8 << 76;
    number = number & !(0x3 << 62) | 0x2 << 62;
    let hex = format!("{number:032x}");
    [0..8, 8..12, 12..16, 16..20, 20..32].map(|range| hex[range].to_owned()).join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_has_one_uuid_and_another_run_another() {
        let id = uuid("host:/out/sample/20260101T000000Z");
        assert_eq!(id, uuid("host:/out/sample/20260101T000000Z"));
        assert_ne!(id, uuid("host:/out/sample/20260101T000001Z"));
        let bytes = id.as_bytes();
        assert_eq!(id.len(), 36);
        assert_eq!([8, 13, 18, 23].map(|at| bytes[at]), [b'-'; 4]);
        assert_eq!(bytes[14], b'8');
        assert!(b"89ab".contains(&bytes[19]), "{id}");
    }

    #[test]
    fn a_facet_says_who_made_it_and_by_which_schema() {
        let facet = facet("1-0-1/ErrorMessageRunFacet", json!({ "message": "m" }));
        assert_eq!(facet["message"], "m");
        assert_eq!(
            facet["_schemaURL"],
            "https://openlineage.io/spec/facets/1-0-1/ErrorMessageRunFacet.json#/$defs/ErrorMessageRunFacet"
        );
    }
}
