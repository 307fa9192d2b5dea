//! Garbage fed to the job: every file that lies in the folders is used, or stands in quarantine, once; nothing crashes, hangs or
//! takes the memory of the machine, and the page shows nothing of it as markup.

mod places;
mod recordings;
mod texts;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

pub use recordings::TONES;

use crate::program::{code, job_in, record, said, wordwave};

/// A place to put broken files in.
pub struct Folder {
    root: PathBuf,
}

impl Folder {
    pub fn new(root: PathBuf) -> Self {
        std::fs::create_dir_all(&root).unwrap();
        Self { root }
    }

    pub fn at(&self, name: impl AsRef<Path>) -> PathBuf {
        let path = self.root.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        path
    }

    pub fn put(&self, name: impl AsRef<Path>, bytes: impl AsRef<[u8]>) {
        std::fs::write(self.at(name), bytes).unwrap();
    }

    /// Copies of `bytes`: cut off at `lengths`, and each of `rounds` with a few bits turned.
    pub fn damage(&self, name: &str, bytes: &[u8], lengths: impl Iterator<Item = usize>, rounds: u64) {
        let (_, extension) = name.split_once('.').unwrap();
        // Ids have no extensions: those of several formats must differ.
        let stem = name.replace('.', "-");
        for length in lengths.map(|length| length.min(bytes.len())) {
            self.put(format!("cut/{stem}-{length}.{extension}"), &bytes[..length]);
        }
        for round in 0..rounds {
            let mut stream = wordwave::math::random::Stream::new(7, name, round);
            let mut turned = bytes.to_vec();
            // Headers matter most: every second copy is damaged there.
            let reach = if round % 2 == 0 { turned.len().min(64) } else { turned.len() } as u32;
            for _ in 0..=stream.below(6) {
                turned[stream.below(reach) as usize] ^= 1 << stream.below(8);
            }
            self.put(format!("turned/{stem}-{round}.{extension}"), turned);
        }
    }
}

/// What lies in the folder, however it is named and whatever it is; a folder that cannot be listed stands for itself.
fn lying_in(root: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![root.to_path_buf()];
    while let Some(folder) = folders.pop() {
        let Ok(entries) = std::fs::read_dir(&folder) else {
            found.push(shown(folder.strip_prefix(root).unwrap()));
            continue;
        };
        for entry in entries {
            let entry = entry.unwrap();
            if entry.file_type().unwrap().is_dir() {
                folders.push(entry.path());
            } else {
                found.push(shown(entry.path().strip_prefix(root).unwrap()));
            }
        }
    }
    found
}

/// A name as `show` prints it.
fn shown(path: &Path) -> String {
    path.to_string_lossy().replace(char::is_control, " ")
}

/// Columns of a table by name, from `show`.
pub fn table(run: &Path, name: &str) -> Vec<BTreeMap<String, String>> {
    let rows = wordwave(&["show", run.to_str().unwrap(), "--table", name, "--rows", "1000000"]);
    assert_eq!(code(&rows), 0, "{}", said(&rows));
    let text = String::from_utf8(rows.stdout).unwrap();
    let mut lines = text.split('\n').filter(|line| !line.is_empty());
    let header: Vec<&str> = lines.next().unwrap().split('\t').collect();
    lines
        .map(|line| {
            let values: Vec<&str> = line.split('\t').collect();
            assert_eq!(values.len(), header.len(), "{line}");
            header.iter().zip(values).map(|(name, value)| ((*name).to_owned(), value.to_owned())).collect()
        })
        .collect()
}

/// Runs the job with bounded memory and time: what goes beyond ends with another status than a run does.
fn run_bounded(job: &Path, output: &Path) -> Output {
    let script = "ulimit -v 12582912; exec timeout -s KILL 900 \"$@\"";
    let set = format!("job.output={:?}", output.to_str().unwrap());
    Command::new("bash")
        .args(["-c", script, "bounded", env!("CARGO_BIN_EXE_wordwave"), "run", job.to_str().unwrap()])
        .args(["--set", &set, "--threads", "2", "--quiet"])
        .output()
        .unwrap()
}

/// Runs `job` over `folder`/text and `folder`/audio and holds every promise against what lies there.
fn account(folder: &Path, job: &str) -> PathBuf {
    let outcome = run_bounded(&job_in(folder, job), &folder.join("out"));
    assert_eq!(code(&outcome), 3, "{}", said(&outcome));
    let run = folder.join("out/broken/latest");
    let sources = |rows: &[BTreeMap<String, String>]| -> Vec<String> {
        rows.iter().map(|row| row["source"].clone()).collect()
    };
    let quarantined = table(&run, "quarantine");
    let mut used = [sources(&table(&run, "documents")), sources(&table(&run, "clips"))].concat();
    for row in table(&run, "warnings") {
        assert!(used.contains(&row["source"]) || row["source"].is_empty(), "{row:?}");
    }
    let mut accounted = [sources(&quarantined), std::mem::take(&mut used)].concat();
    let mut lying = [lying_in(&folder.join("text")), lying_in(&folder.join("audio"))].concat();
    accounted.sort();
    lying.sort();
    for name in &lying {
        assert!(accounted.binary_search(name).is_ok(), "{name:?} is not accounted for");
    }
    assert_eq!(accounted.len(), lying.len(), "something is accounted for twice");
    let peak = record(&run)["peak_memory_bytes"].as_u64().unwrap();
    assert!(peak < 1 << 30, "{peak} bytes");
    reasons_and_commands_hold(folder, &quarantined);
    let page = std::fs::read_to_string(run.join("report.html")).unwrap();
    assert!(!page.contains("<script>alert"), "a name became markup");
    run
}

fn reasons_and_commands_hold(folder: &Path, quarantined: &[BTreeMap<String, String>]) {
    let has_xxd = Command::new("xxd").arg("--version").output().is_ok();
    for row in quarantined {
        assert!(!row["code"].is_empty() && row["reason"].len() > 10, "{row:?}");
        let command = &row["command"];
        if !has_xxd && !command.starts_with("ls ") {
            continue;
        }
        let works = |side: &str| {
            let outcome = Command::new("bash").args(["-c", command]).current_dir(folder.join(side)).output();
            outcome.unwrap().status.success()
        };
        assert!(works("text") || works("audio"), "{row:?}");
    }
}

const SMALL: &str = r#"
[job]
name = "broken"
[documents]
include = ["text/**/*"]
group = "^([^/]+)/"
[tokens]
kind = "pattern"
pattern = '\S+'
[bag_of_words]
ngrams = [1, 2]
[statistics]
keyness = "<script>alert(1)<"
near_duplicates = 0.9
[embeddings]
dims = 8
epochs = 1
min_count = 1
[clips]
include = ["audio/**/*"]
group = "^([^/]+)/"
[spectrogram]
store = "mel"
[features]
frames = true
[compare]
permutations = 9
bootstrap = 9
[report]
"#;

#[test]
fn every_broken_file_is_accounted_for() {
    let folder = tempfile::tempdir().unwrap();
    let text = Folder::new(folder.path().join("text"));
    let audio = Folder::new(folder.path().join("audio"));
    std::fs::write(folder.path().join("secret.txt"), "not of the corpus").unwrap();
    texts::encodings(&text);
    texts::compressed(&text);
    texts::markup(&text);
    texts::scripts(&text);
    recordings::headers(&audio);
    recordings::codecs(&audio);
    recordings::samples(&audio);
    let _sockets = (places::strange(&text, ".txt"), places::strange(&audio, ".wav"));
    let run = account(folder.path(), SMALL);
    places::restore(&text);
    places::restore(&audio);
    let codes: BTreeMap<String, usize> =
        table(&run, "quarantine").into_iter().fold(BTreeMap::new(), |mut codes, row| {
            *codes.entry(row["code"].clone()).or_default() += 1;
            codes
        });
    for expected in [
        "broken_compression",
        "broken_header",
        "broken_link",
        "decompression_bomb",
        "empty_file",
        "link_outside",
        "link_to_folder",
        "name_not_utf8",
        "not_a_file",
        "not_text",
        "repeated_id",
        "undecodable",
        "unsupported_samples",
        "unsupported_wav",
    ] {
        assert!(codes.contains_key(expected), "no {expected} in {codes:?}");
    }
    assert!(!codes.keys().any(|code| code.ends_with("_failed")), "a parser failed an assertion: {codes:?}");
}

const LARGE: &str = "[job]\nname = 'broken'\n[documents]\ninclude = ['text/**/*']\n[bag_of_words]\n[statistics]\n[clips]\n\
                     include = ['audio/**/*']\n[features]\n[report]\n";

#[test]
fn bombs_and_endless_lines_take_neither_the_memory_nor_the_night() {
    let folder = tempfile::tempdir().unwrap();
    let text = Folder::new(folder.path().join("text"));
    let audio = Folder::new(folder.path().join("audio"));
    texts::bombs(&text);
    texts::endless(&text);
    recordings::bombs(&audio);
    let run = account(folder.path(), LARGE);
    let code_of = |source: &str| {
        let row = table(&run, "quarantine").into_iter().find(|row| row["source"] == source);
        row.map(|row| row["code"].clone())
    };
    for (source, code) in [
        ("zeros.txt.gz", "decompression_bomb"),
        ("more-zeros.txt.zst", "decompression_bomb"),
        ("nested.txt.gz", "not_text"),
        ("holes.txt", "sparse_file"),
        ("silence.flac", "decompression_bomb"),
        ("zeros-too.wav.gz", "decompression_bomb"),
    ] {
        assert_eq!(code_of(source).as_deref(), Some(code), "{source}");
    }
}

#[test]
fn parts_of_broken_files_are_accounted_for_too() {
    let folder = tempfile::tempdir().unwrap();
    let text = Folder::new(folder.path().join("text"));
    texts::encodings(&text);
    text.put("blank.txt", " \n\t\n");
    text.put("empty.txt", "");
    text.put("good.txt", "one\ntwo\n");
    text.put("lines.trans.txt", "u-1 ONE\nu-2\n \nu-3 <script>alert(1)</script>\nu-1 AGAIN\n");
    for split in ["line", "paragraph"] {
        let job = format!(
            "[job]\nname = 'broken'\n[documents]\ninclude = ['text/**/*']\nsplit = '{split}'\n[tokens]\n"
        );
        let output = folder.path().join(split);
        let outcome = run_bounded(&job_in(folder.path(), &job), &output);
        assert_eq!(code(&outcome), 3, "{}", said(&outcome));
        let run = output.join("broken/latest");
        let rows = [table(&run, "documents"), table(&run, "quarantine")].concat();
        let mut accounted: Vec<String> = rows.into_iter().map(|row| row["source"].clone()).collect();
        let mut lying = lying_in(&folder.path().join("text"));
        lying.sort();
        accounted.sort();
        accounted.dedup();
        assert_eq!(accounted, lying, "{split}");
    }
}
