//! Running the program as a user does.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// The project's folder.
pub fn project() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Runs `wordwave` with `arguments`.
pub fn wordwave<S: AsRef<std::ffi::OsStr>>(arguments: &[S]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_wordwave")).args(arguments).output().unwrap()
}

/// Runs a job file into `output` and returns how that ended.
pub fn run_job(job: &Path, output: &Path, further: &[&str]) -> Output {
    let set = format!("job.output={:?}", output.to_str().unwrap());
    let mut arguments = vec!["run", job.to_str().unwrap(), "--set", &set];
    arguments.extend(further);
    wordwave(&arguments)
}

/// What it said, for messages and for checks.
pub fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// The exit status.
pub fn code(output: &Output) -> i32 {
    output.status.code().unwrap_or(-1)
}

/// A job file in a folder of its own.
pub fn job_in(folder: &Path, text: &str) -> PathBuf {
    let path = folder.join("job.toml");
    std::fs::write(&path, text).unwrap();
    path
}

/// A WAV file of a tone, 16 kHz, 16 bits.
pub fn write_tone(path: &Path, hz: f64, seconds: f64) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: 16_000,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut writer = hound::WavWriter::create(path, spec).unwrap();
    for i in 0..(seconds * 16_000.0) as usize {
        let phase = std::f64::consts::TAU * hz * i as f64 / 16_000.0;
        writer.write_sample((phase.sin() * 8_000.0) as i16).unwrap();
    }
    writer.finalize().unwrap();
}

/// Every file of a run but run.json, with its bytes.
pub fn contents(run: &Path) -> std::collections::BTreeMap<String, Vec<u8>> {
    fn collect(folder: &Path, root: &Path, into: &mut std::collections::BTreeMap<String, Vec<u8>>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                collect(&path, root, into);
            } else if path.file_name().unwrap() != "run.json" {
                let name = path.strip_prefix(root).unwrap().to_string_lossy().into_owned();
                into.insert(name, std::fs::read(&path).unwrap());
            }
        }
    }
    let root = std::fs::canonicalize(run).unwrap();
    let mut files = std::collections::BTreeMap::new();
    collect(&root, &root, &mut files);
    files
}

/// The run.json of a run.
pub fn record(run: &Path) -> serde_json::Value {
    serde_json::from_slice(&std::fs::read(run.join("run.json")).unwrap()).unwrap()
}
