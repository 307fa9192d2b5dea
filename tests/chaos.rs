//! A job that is killed, and whose disk fails, at random moments: what it publishes in the end is what an undisturbed run
//! gives. `WORDWAVE_CHAOS=100 cargo test chaos` does it a hundred times; the seed is printed and can be given as
//! `WORDWAVE_CHAOS_SEED`.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use wordwave::math::random::Stream;

use crate::program::{code, contents, job_in, project, record, run_job, said, write_tone};

const JOB: &str = "
[job]
name = 'x'
[documents]
include = ['text/*.txt']
[bag_of_words]
[statistics]
near_duplicates = 0.6
[embeddings]
dims = 16
epochs = 4
min_count = 1
[clips]
include = ['audio/*.wav']
[spectrogram]
store = 'mel'
[features]
sets = ['mel', 'spectral', 'voice']
frames = true
[compare]
permutations = 99
bootstrap = 19
";

fn rounds(few: u32) -> u32 {
    std::env::var("WORDWAVE_CHAOS").ok().and_then(|text| text.parse().ok()).unwrap_or(few)
}

fn stream(purpose: &str) -> Stream {
    let given = std::env::var("WORDWAVE_CHAOS_SEED").ok().and_then(|text| text.parse().ok());
    let clock = || std::time::UNIX_EPOCH.elapsed().unwrap().as_nanos() as u64;
    let seed = given.unwrap_or_else(clock);
    eprintln!("{purpose}: WORDWAVE_CHAOS_SEED={seed}");
    Stream::new(seed, purpose, 0)
}

struct Corpus {
    folder: tempfile::TempDir,
    job: PathBuf,
    expected: BTreeMap<String, Vec<u8>>,
    /// How long an undisturbed run takes.
    whole: Duration,
}

impl Corpus {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let job = job_in(folder.path(), JOB);
        fs::create_dir(folder.path().join("text")).unwrap();
        let mut draws = Stream::new(1, "texts", 0);
        for n in 0..60 {
            let words = (0..80).map(|_| format!("w{}", draws.below(50) * draws.below(3)));
            let text = words.collect::<Vec<_>>().join(" ");
            fs::write(folder.path().join(format!("text/t{n}.txt")), text).unwrap();
            if n < 12 {
                let hz = 120.0 + f64::from(draws.below(300));
                write_tone(&folder.path().join(format!("audio/t{n}.wav")), hz, 0.4);
            }
        }
        let clean = folder.path().join("clean");
        let start = Instant::now();
        let outcome = run_job(&job, &clean, &[]);
        let whole = start.elapsed();
        assert_eq!(code(&outcome), 0, "{}", said(&outcome));
        let expected = contents(&clean.join("x/latest"));
        Self { folder, job, expected, whole }
    }

    fn out(&self) -> PathBuf {
        self.folder.path().join("out")
    }

    /// Every run that can be seen is whole.
    fn check_runs(&self) {
        for entry in fs::read_dir(self.out().join("x")).into_iter().flatten() {
            let run = entry.unwrap().path();
            if run.file_name().unwrap() != ".store" {
                assert!(
                    contents(&run) == self.expected,
                    "{} is not what an undisturbed run gives",
                    run.display()
                );
                record(&run);
            }
        }
    }

    /// An undisturbed run after all that happened.
    fn finish(&self) {
        let outcome = run_job(&self.job, &self.out(), &[]);
        assert_eq!(code(&outcome), 0, "{}", said(&outcome));
        assert!(contents(&self.out().join("x/latest")) == self.expected);
        self.check_runs();
    }
}

fn spawn(job: &Path, output: &Path, environment: &[(&str, String)]) -> std::process::Child {
    Command::new(env!("CARGO_BIN_EXE_wordwave"))
        .args(["run", job.to_str().unwrap(), "--set"])
        .arg(format!("job.output={:?}", output.to_str().unwrap()))
        .envs(environment.iter().map(|(name, value)| (*name, value.as_str())))
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

#[test]
fn killed_at_random_moments_the_next_run_gives_the_same_bytes() {
    let corpus = Corpus::new();
    let mut draws = stream("kills");
    let (mut killed, mut finished) = (0, 0);
    while killed < rounds(6) {
        let mut child = spawn(&corpus.job, &corpus.out(), &[]);
        std::thread::sleep(corpus.whole.mul_f64(draws.unit_f64()));
        if child.try_wait().unwrap().is_none() {
            // SIGKILL: nothing of the program runs any more.
            child.kill().unwrap();
            killed += 1;
        } else {
            finished += 1;
        }
        child.wait().unwrap();
        corpus.check_runs();
        if finished > 0 && draws.below(2) == 0 {
            fs::remove_dir_all(corpus.out()).unwrap();
            finished = 0;
        }
    }
    corpus.finish();
}

/// A library that stands before the C library and lets one call to write, sync, link or rename fail.
fn faults(folder: &Path) -> Option<PathBuf> {
    let library = folder.join("faults.so");
    let outcome = Command::new("cc")
        .args(["-shared", "-fPIC", "-O1", "-o"])
        .arg(&library)
        .arg(project().join("tests/chaos/faults.c"))
        .args(["-ldl"])
        .output();
    match outcome {
        Ok(outcome) if outcome.status.success() => Some(library),
        other => {
            eprintln!("skipped: no C compiler made tests/chaos/faults.c ({other:?})");
            None
        }
    }
}

#[test]
fn whatever_write_fails_no_run_is_seen_in_part_and_the_next_is_right() {
    let corpus = Corpus::new();
    let Some(library) = faults(corpus.folder.path()) else { return };
    let mut draws = stream("failing writes");
    let environment = |call: u32, error: i32| {
        [
            ("LD_PRELOAD", library.to_str().unwrap().to_owned()),
            ("FAULT_UNDER", corpus.out().to_str().unwrap().to_owned()),
            ("FAULT_AT", call.to_string()),
            ("FAULT_ERRNO", error.to_string()),
        ]
    };
    let mut failed = 0;
    for round in 0..rounds(10) {
        let _ = fs::remove_dir_all(corpus.out());
        // ENOSPC or EIO; every second time all calls from there on fail.
        let error = if draws.below(2) == 0 { 28 } else { 5 };
        let call = 1 + draws.below(if round % 2 == 0 { 250 } else { 40 });
        let mut environment = environment(call, error).to_vec();
        if draws.below(2) == 0 {
            environment.push(("FAULT_STAYS", "1".to_owned()));
        }
        let outcome = spawn(&corpus.job, &corpus.out(), &environment).wait_with_output().unwrap();
        let told = String::from_utf8_lossy(&outcome.stderr).into_owned();
        // What is only kept for another night may fail without ending the run.
        let status = outcome.status.code();
        assert!(matches!(status, Some(0 | 74)), "call {call}, error {error}: {status:?} {told}");
        assert!(!told.contains("panicked"), "{told}");
        failed += u32::from(status == Some(74));
        corpus.check_runs();
        corpus.finish();
    }
    assert!(failed > 0, "no write failed: is the library loaded?");
}
