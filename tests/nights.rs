//! One night after another: what is as it was is not computed again, and what comes out is what a first night gives.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::program::{code, contents, job_in, record, run_job, said, wordwave, write_tone};

const JOB: &str = "
[job]
name = 'x'
[documents]
include = ['text/**/*.txt', 'text/**/*.md', 'text/*.trans.txt']
group = '^([a-z]+)/'
[tokens]
[bag_of_words]
ngrams = [1, 2]
[statistics]
keyness = 'rain'
near_duplicates = 0.5
[embeddings]
dims = 8
epochs = 2
min_count = 1
[clips]
include = ['audio/*.wav']
[spectrogram]
store = 'mel'
mels = 12
[features]
sets = ['mel', 'mfcc', 'spectral', 'voice', 'quality']
mfcc = 8
frames = true
[compare]
permutations = 49
bootstrap = 49
";

/// A corpus with its job, and a place for its runs.
struct Corpus {
    folder: tempfile::TempDir,
    job: PathBuf,
}

impl Corpus {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let job = job_in(folder.path(), JOB);
        let corpus = Self { folder, job };
        for n in 0..12u32 {
            let group = if n % 3 == 0 { "rain" } else { "sun" };
            corpus.write(&format!("text/{group}/talk{n}.txt"), &text(n));
        }
        corpus.write("text/rain/notes.md", "# Notes\n\nSome *rain* was seen over the hills.\n");
        corpus.write("text/lines.trans.txt", "u-1 RAIN ON THE ROOF\nu-2 SUN IN THE YARD\n");
        for n in 0..7u32 {
            write_tone(&corpus.at(&format!("audio/talk{n}.wav")), 150.0 + 30.0 * f64::from(n), 0.3);
        }
        fs::write(corpus.at("audio/broken.wav"), b"RIFF\x24\0\0\0WAVEjunk").unwrap();
        corpus
    }

    fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, contents: &str) {
        fs::create_dir_all(self.at(name).parent().unwrap()).unwrap();
        fs::write(self.at(name), contents).unwrap();
    }

    fn out(&self) -> PathBuf {
        self.at("out")
    }

    fn store(&self) -> PathBuf {
        self.at("out/x/.store")
    }

    /// A night; what is read is old enough that its stamp can be trusted.
    fn night(&self, further: &[&str]) -> PathBuf {
        std::thread::sleep(std::time::Duration::from_millis(30));
        let outcome = run_job(&self.job, &self.out(), further);
        assert!([0, 3].contains(&code(&outcome)), "{}", said(&outcome));
        fs::canonicalize(self.out().join("x/latest")).unwrap()
    }

    /// The same night for somebody who has never run the job.
    fn first_night(&self, further: &[&str]) -> PathBuf {
        let output = self.at("fresh");
        let _ = fs::remove_dir_all(&output);
        let outcome = run_job(&self.job, &output, further);
        assert!([0, 3].contains(&code(&outcome)), "{}", said(&outcome));
        fs::canonicalize(output.join("x/latest")).unwrap()
    }

    /// A night that must give what a first night gives.
    fn checked_night(&self, further: &[&str]) -> PathBuf {
        let run = self.night(further);
        same(&run, &self.first_night(further));
        run
    }

    fn explain(&self, further: &[&str]) -> Value {
        std::thread::sleep(std::time::Duration::from_millis(30));
        let set = format!("job.output={:?}", self.out().to_str().unwrap());
        let mut arguments = vec!["explain", self.job.to_str().unwrap(), "--set", &set, "--format", "json"];
        arguments.extend(further);
        let outcome = wordwave(&arguments);
        assert_eq!(code(&outcome), 0, "{}", said(&outcome));
        serde_json::from_slice(&outcome.stdout).unwrap()
    }
}

fn text(n: u32) -> String {
    let words = ["rain", "sun", "wind", "hill", "road", "river", "stone", "night", "morning", "field"];
    let word = |i: u32| words[((n * 7 + i * i * 3 + i) % 10) as usize];
    (0..40 + n).map(word).collect::<Vec<_>>().join(" ") + ". Once more the end."
}

fn same(a: &Path, b: &Path) {
    let (a, b) = (contents(a), contents(b));
    assert_eq!(a.keys().collect::<Vec<_>>(), b.keys().collect::<Vec<_>>());
    for (name, bytes) in &a {
        assert!(b[name] == *bytes, "{name} differs");
    }
}

type Change = (&'static str, fn(&Corpus));

/// Stages that took time.
fn computed(run: &Path) -> BTreeSet<String> {
    let record = record(run);
    let stages = record["stages"].as_array().unwrap();
    let took_time = stages.iter().filter(|stage| stage["seconds"].as_f64().unwrap() > 0.0);
    took_time.map(|stage| stage["name"].as_str().unwrap().to_owned()).collect()
}

/// Sources that explain says run.
fn running(explanation: &Value) -> BTreeSet<String> {
    let sides = explanation["sides"].as_array().unwrap().iter();
    let shards = sides.flat_map(|side| side["shards"].as_array().unwrap());
    let runs = shards.flat_map(|shard| shard["runs"].as_array().unwrap());
    runs.map(|run| run[0].as_str().unwrap().to_owned()).collect()
}

fn stage_runs(explanation: &Value, stage: &str) -> bool {
    let stages = explanation["stages"].as_array().unwrap();
    stages.iter().find(|row| row["stage"] == stage).unwrap()["runs"].as_bool().unwrap()
}

#[test]
fn an_unchanged_corpus_computes_nothing_and_gives_the_same_files() {
    use std::os::unix::fs::MetadataExt;
    let corpus = Corpus::new();
    let first = corpus.checked_night(&[]);
    assert_eq!(corpus.explain(&[])["unchanged"], true);
    let second = corpus.night(&["--threads", "1"]);
    assert_eq!(computed(&second), BTreeSet::new());
    same(&first, &second);
    let (a, b) = (record(&first), record(&second));
    assert_eq!((&a["files"], &a["counts"]), (&b["files"], &b["counts"]));
    for name in contents(&first).keys() {
        let inode = |run: &Path| fs::metadata(run.join(name)).unwrap().ino();
        assert_eq!(inode(&first), inode(&second), "{name}");
    }
    // A comment in the job file, another order of its keys, and what changes no result.
    fs::write(
        &corpus.job,
        format!("# a comment\n{JOB}").replace("dims = 8\nepochs = 2", "epochs = 2\ndims = 8"),
    )
    .unwrap();
    let third = corpus.night(&["--set", "job.keep=9"]);
    assert_eq!(computed(&third), BTreeSet::new());
    same(&first, &third);
    // Read again, the files are still what they were.
    same(&first, &corpus.night(&["--rehash"]));
}

#[test]
fn a_renamed_file_costs_no_counting_no_training_and_no_analysis() {
    let corpus = Corpus::new();
    corpus.night(&[]);
    fs::rename(corpus.at("text/sun/talk1.txt"), corpus.at("text/rain/zebra.txt")).unwrap();
    fs::rename(corpus.at("audio/talk3.wav"), corpus.at("audio/aardvark.wav")).unwrap();
    let explanation = corpus.explain(&[]);
    assert_eq!(running(&explanation), BTreeSet::new());
    assert!(!stage_runs(&explanation, "read") && stage_runs(&explanation, "tokens"));
    let run = corpus.checked_night(&[]);
    let computed = computed(&run);
    assert!(!computed.contains("embeddings"), "{computed:?}");
    // The name alone is new: told by --item too.
    let set = format!("job.output={:?}", corpus.out().to_str().unwrap());
    let told = wordwave(&["explain", corpus.job.to_str().unwrap(), "rain/zebra", "--set", &set]);
    assert!(String::from_utf8_lossy(&told.stdout).contains("reused: as it was"), "{told:?}");
}

#[test]
fn a_changed_setting_costs_its_stage_and_what_follows() {
    let corpus = Corpus::new();
    corpus.night(&[]);
    let stages = |set: &str| {
        let explanation = corpus.explain(&["--set", set]);
        let changes = explanation["changes"].as_array().unwrap();
        let key = set.split('=').next().unwrap();
        assert!(changes.iter().any(|change| change.as_str().unwrap().starts_with(key)), "{changes:?}");
        computed(&corpus.checked_night(&["--set", set]))
    };
    let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<_>>();
    assert_eq!(stages("compare.permutations=59"), names(&["compare", "report"]));
    assert_eq!(stages("embeddings.epochs=3"), names(&["compare", "embeddings", "read", "report"]));
    assert_eq!(stages("features.mfcc=5"), names(&["audio", "compare", "read", "report"]));
    // The page says the hash of the settings; everything else is as it was.
    // The weights of the terms are held against the sound too.
    assert_eq!(stages("bag_of_words.min_df=2"), names(&["bag_of_words", "compare", "read", "report"]));
}

#[test]
fn any_change_gives_what_a_first_night_gives() {
    let corpus = Corpus::new();
    corpus.night(&[]);
    let changes: [Change; 9] = [
        ("a new document", |c| c.write("text/sun/new.txt", "a new sun over the old hill")),
        ("a changed one", |c| c.write("text/sun/talk4.txt", "something else altogether")),
        ("one gone", |c| fs::remove_file(c.at("text/rain/talk6.txt")).unwrap()),
        ("a copy under another name", |c| {
            fs::copy(c.at("text/sun/talk2.txt"), c.at("text/rain/copy.txt")).unwrap();
        }),
        ("the same bytes as another format", |c| {
            fs::copy(c.at("text/rain/notes.md"), c.at("text/rain/notes2.txt")).unwrap();
        }),
        ("a line in a file of many", |c| {
            c.write("text/lines.trans.txt", "u-0 A NEW LINE\nu-1 RAIN ON THE ROOF\n");
        }),
        ("a new recording", |c| write_tone(&c.at("audio/new.wav"), 333.0, 0.4)),
        ("a recording replaced", |c| write_tone(&c.at("audio/talk2.wav"), 99.0, 0.2)),
        ("a broken recording mended", |c| write_tone(&c.at("audio/broken.wav"), 99.0, 0.25)),
    ];
    for (name, change) in changes {
        change(&corpus);
        eprintln!("{name}");
        corpus.checked_night(&[]);
    }
    // Only what is new runs.
    corpus.write("text/sun/last.txt", "one more");
    let explanation = corpus.explain(&[]);
    assert_eq!(running(&explanation), ["sun/last.txt".to_owned()].into());
}

#[test]
fn a_file_with_its_old_time_is_trusted_until_it_is_read_again() {
    let corpus = Corpus::new();
    let before = corpus.night(&[]);
    let path = corpus.at("text/sun/talk1.txt");
    let time = fs::metadata(&path).unwrap().modified().unwrap();
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.to_uppercase()).unwrap();
    fs::File::options().write(true).open(&path).unwrap().set_modified(time).unwrap();
    same(&before, &corpus.night(&[]));
    let after = corpus.night(&["--rehash"]);
    same(&after, &corpus.first_night(&[]));
    assert!(contents(&after) != contents(&before));
}

#[test]
fn a_damaged_store_is_noticed_and_made_again() {
    let corpus = Corpus::new();
    let run = corpus.night(&[]);
    let expected = contents(&run);
    let files = |folder: &Path| -> Vec<PathBuf> {
        let kinds =
            ["results", "items"].into_iter().flat_map(|kind| fs::read_dir(folder.join(kind)).unwrap());
        kinds
            .map(|entry| entry.unwrap().path())
            .chain([folder.join("files"), folder.join("ledger")])
            .collect()
    };
    for (round, place) in [0.0, 0.3, 0.7, 0.999].into_iter().enumerate() {
        for path in files(&corpus.store()) {
            let mut bytes = fs::read(&path).unwrap();
            let at = (bytes.len() as f64 * place) as usize;
            bytes[at] ^= 0x20;
            fs::write(&path, bytes).unwrap();
        }
        let run = corpus.night(&[]);
        assert!(contents(&run) == expected, "round {round}");
    }
    // Cut short, emptied, and gone altogether.
    for path in files(&corpus.store()) {
        let length = fs::metadata(&path).unwrap().len();
        fs::File::options().write(true).open(&path).unwrap().set_len(length / 2).unwrap();
    }
    assert!(contents(&corpus.night(&[])) == expected);
    for path in files(&corpus.store()) {
        fs::write(path, "").unwrap();
    }
    assert!(contents(&corpus.night(&[])) == expected);
    fs::remove_dir_all(corpus.store()).unwrap();
    assert!(contents(&corpus.night(&[])) == expected);
}

#[test]
fn what_is_in_quarantine_is_tried_again_when_asked() {
    let corpus = Corpus::new();
    corpus.night(&[]);
    assert_eq!(running(&corpus.explain(&[])), BTreeSet::new());
    let set = format!("job.output={:?}", corpus.out().to_str().unwrap());
    let requeue = |further: &[&str]| {
        let mut arguments = vec!["requeue", corpus.job.to_str().unwrap(), "--set", &set];
        arguments.extend(further);
        wordwave(&arguments)
    };
    assert_eq!(code(&requeue(&["--code", "no_such_code"])), 65);
    let outcome = requeue(&[]);
    assert_eq!((code(&outcome), &*String::from_utf8_lossy(&outcome.stdout)), (0, "broken.wav\n"));
    assert!(running(&corpus.explain(&[])).contains("broken.wav"));
    let run = corpus.checked_night(&[]);
    assert!(computed(&run).contains("read"));
}

#[test]
fn verify_computes_a_sample_again() {
    let corpus = Corpus::new();
    let run = corpus.night(&[]);
    let verify = || wordwave(&["verify", run.to_str().unwrap(), "--sample", "3"]);
    let outcome = verify();
    assert_eq!(code(&outcome), 0, "{}{}", said(&outcome), String::from_utf8_lossy(&outcome.stdout));
    assert!(said(&outcome).contains("22 rows agree, 0 inputs have changed"), "{}", said(&outcome));
    corpus.write("text/sun/talk1.txt", "it was changed after the run");
    assert!(said(&verify()).contains("21 rows agree, 1 inputs have changed"), "{}", said(&verify()));
}

#[test]
fn a_trained_tokenizer_is_kept_too() {
    let corpus = Corpus::new();
    let model = ["--set", "tokens.kind='model'", "--set", "tokens.model={train='bpe', vocab_size=300}"];
    corpus.checked_night(&model);
    assert_eq!(computed(&corpus.night(&model)), BTreeSet::new());
    corpus.write("text/sun/more.txt", "entirely different vocabulary arrives");
    corpus.checked_night(&model);
}
