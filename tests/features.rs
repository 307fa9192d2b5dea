//! Every feature of sound is the same, to the byte, at any number of threads and whatever stands before it in the job.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::program::{code, contents, job_in, project, run_job, said, wordwave};

const JOB: &str = r#"[job]
name = "x"
output = "out"
[clips]
include = FOLDERS
[spectrogram]
store = "mel"
[features]
sets = ["mel", "mfcc", "spectral", "pitch", "loudness", "voice", "quality", "contrast", "chroma", "pcen", "deltas", "rhythm",
        "formants", "voice_quality", "syllables", "recording", "earshot", "functionals", "egemaps"]
pitch = { method = "METHOD" }
frames = true
"#;

/// Eight recordings of the sample corpus, of very different length.
fn recordings() -> Vec<PathBuf> {
    let folder = project().join("corpora/sample/audio");
    let mut found = Vec::new();
    for speaker in ["anna", "ben"] {
        let entries = std::fs::read_dir(folder.join(speaker)).unwrap().map(|entry| entry.unwrap().path());
        found.extend(entries.filter(|path| path.extension().is_some_and(|e| e == "wav")));
    }
    found.sort();
    found.truncate(8);
    found
}

fn job(folder: &Path, folders: &str, method: &str) -> PathBuf {
    job_in(folder, &JOB.replace("FOLDERS", folders).replace("METHOD", method))
}

fn run(job: &Path, output: &Path, threads: &str) -> PathBuf {
    let outcome = run_job(job, output, &["--threads", threads, "--quiet"]);
    assert_eq!(code(&outcome), 0, "{}", said(&outcome));
    output.join("x/latest")
}

/// The rows of a table by recording, without its id and where it lies.
fn rows(run: &Path, table: &str) -> BTreeMap<String, Vec<String>> {
    let shown = wordwave(&["show", run.to_str().unwrap(), "--table", table, "--rows", "100000"]);
    let text = String::from_utf8(shown.stdout).unwrap();
    let header: Vec<&str> = text.lines().next().unwrap().split('\t').collect();
    let id = header.iter().position(|column| *column == "clip_id").unwrap();
    let mut rows: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for line in text.lines().skip(1) {
        let values: Vec<&str> = line.split('\t').collect();
        let kept = header.iter().zip(&values).filter(|(column, _)| !["clip_id", "source"].contains(column));
        let kept: Vec<&str> = kept.map(|(_, value)| *value).collect();
        rows.entry(values[id].to_owned()).or_default().push(kept.join("\t"));
    }
    rows
}

#[test]
fn threads_change_no_byte() {
    let folder = tempfile::tempdir().unwrap();
    for path in recordings() {
        std::fs::copy(&path, folder.path().join(path.file_name().unwrap())).unwrap();
    }
    for method in ["yin", "pyin"] {
        let job = job(folder.path(), r#"["*.wav"]"#, method);
        let of = |threads: &str| contents(&run(&job, &folder.path().join(method).join(threads), threads));
        let one = of("1");
        assert!(one.len() > 3, "{:?}", one.keys());
        for threads in ["2", "5"] {
            for (name, bytes) in of(threads) {
                assert!(one[&name] == bytes, "{name} differs between 1 and {threads} threads, {method}");
            }
        }
    }
}

#[test]
fn the_order_of_recordings_changes_no_value() {
    let recordings = recordings();
    let last = recordings.len() - 1;
    let mut runs = Vec::new();
    for turned in [false, true] {
        let folder = tempfile::tempdir().unwrap();
        for name in ["a", "b"] {
            std::fs::create_dir(folder.path().join(name)).unwrap();
        }
        for (i, path) in recordings.iter().enumerate() {
            let place = if turned { last - i } else { i };
            let side = if place < 4 { "a" } else { "b" };
            std::fs::copy(path, folder.path().join(side).join(format!("{place}.wav"))).unwrap();
        }
        let folders = if turned { r#"["b/*.wav", "a/*.wav"]"# } else { r#"["a/*.wav", "b/*.wav"]"# };
        let run = run(&job(folder.path(), folders, "pyin"), &folder.path().join("out"), "2");
        runs.push(["clips", "frames", "spectrograms"].map(|table| rows(&run, table)));
        drop(folder);
    }
    let place = |id: &str| id.rsplit('/').next().unwrap().parse::<usize>().unwrap();
    for (first, second) in runs[0].iter().zip(&runs[1]) {
        assert_eq!((first.len(), second.len()), (recordings.len(), recordings.len()));
        let second: BTreeMap<usize, &Vec<String>> =
            second.iter().map(|(id, rows)| (last - place(id), rows)).collect();
        for (id, rows) in first {
            assert!(second[&place(id)] == rows, "{id} differs where it stands elsewhere");
        }
    }
}
