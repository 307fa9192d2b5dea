//! Word vectors of a run: every table and file beside them, in other programs too, and the commands that look at them.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::AtomicBool;

use serde_json::Value;
use wordwave::compare::drift::{Drift, WordPairs, drifts};
use wordwave::math::matrix::Matrix;
use wordwave::math::random::Stream;
use wordwave::text::embeddings::{Corpus, EmbeddingSettings, Prior, Tokens, train};

use crate::program::{code, contents, job_in, project, run_job, said, wordwave};

const JOB: &str = "[job]
name = 'v'
[documents]
include = ['text/**/*.txt']
[tokens]
[embeddings]
dims = 16
min_count = 2
epochs = 6
held_out = 0.1
neighbours = 5
documents = 'sif'
formats = ['npy', 'word2vec', 'word2vec-bin', 'fasttext-vec', 'safetensors']
";

/// A job over the texts of the sample corpus.
fn job(folder: &Path, text: &str) -> PathBuf {
    let sample = project().join("corpora/sample/text");
    job_in(folder, &text.replace("text/**", &format!("{}/**", sample.display())))
}

fn run(job: &Path, output: &Path, further: &[&str]) -> PathBuf {
    let outcome = run_job(job, output, further);
    assert_eq!(code(&outcome), 0, "{}", said(&outcome));
    std::fs::canonicalize(output.join("v/latest")).unwrap()
}

fn shown(arguments: &[&str]) -> String {
    let outcome = wordwave(arguments);
    assert_eq!(code(&outcome), 0, "{arguments:?}: {}", said(&outcome));
    String::from_utf8(outcome.stdout).unwrap()
}

fn rows(run: &Path, table: &str) -> Vec<String> {
    let text = shown(&["show", run.to_str().unwrap(), "--table", table, "--rows", "100000"]);
    text.lines().skip(1).map(str::to_owned).collect()
}

#[test]
fn phrases_are_trained_on_as_words() {
    let folder = tempfile::tempdir().unwrap();
    let text = JOB.replace(
        "[embeddings]",
        "[statistics]\nphrases = true\nphrase_min_count = 2\nphrase_threshold = 1.0\n[embeddings]\nphrases = true",
    );
    let job = job(folder.path(), &text);
    let joined = run(&job, &folder.path().join("joined"), &[]);
    let apart = run(&job, &folder.path().join("apart"), &["--set", "embeddings.phrases=false"]);
    let terms = |run: &Path| -> Vec<String> {
        rows(run, "embeddings").iter().map(|row| row.split_whitespace().nth(1).unwrap().to_owned()).collect()
    };
    let (joined_terms, apart_terms) = (terms(&joined), terms(&apart));
    let phrases: Vec<&String> = joined_terms.iter().filter(|term| term.contains('_')).collect();
    assert!(phrases.len() > 5, "{phrases:?}");
    assert!(!apart_terms.iter().any(|term| term.contains('_')));
    let found = rows(&joined, "phrases").join("\n");
    assert!(phrases.iter().all(|phrase| found.contains(phrase.as_str())), "{phrases:?}");
    // A second night finds what the first kept.
    assert_eq!(terms(&run(&job, &folder.path().join("joined"), &[])), joined_terms);
}

#[test]
fn everything_beside_the_vectors_is_written_and_the_same_at_any_thread_count() {
    let folder = tempfile::tempdir().unwrap();
    let job = job(folder.path(), JOB);
    let subwords = ["--set", "embeddings.subwords=[3, 5]", "--threads", "1"];
    let one = run(&job, &folder.path().join("1"), &subwords);
    let three = run(&job, &folder.path().join("3"), &[&subwords[..3], &["3"]].concat());
    assert!(contents(&one) == contents(&three));
    let words = rows(&one, "embeddings").len();
    assert_eq!(rows(&one, "neighbours").len(), 5 * words);
    assert_eq!(rows(&one, "document_vectors").len(), 32);
    let losses: Vec<f64> =
        rows(&one, "training").iter().map(|row| row.split('\t').nth(3).unwrap().parse().unwrap()).collect();
    assert_eq!(losses.len(), 7);
    assert!(losses[6] < losses[0], "{losses:?}");
    let record = crate::program::record(&one);
    for file in [
        "embeddings.txt",
        "embeddings.bin",
        "embeddings.vec",
        "embeddings.npy",
        "embeddings.safetensors",
        "embeddings.words.txt",
    ] {
        assert!(record["files"][file]["bytes"].as_u64().unwrap() > 0, "{file}");
    }
    let verified = wordwave(&["verify", one.to_str().unwrap()]);
    assert_eq!(code(&verified), 0, "{}", said(&verified));
    let near =
        shown(&["neighbours", one.to_str().unwrap(), &first_document(&one), "--documents", "--count", "3"]);
    assert_eq!(near.lines().count(), 4, "{near}");
    other_programs_read_the_files(&one);
}

fn first_document(run: &Path) -> String {
    rows(run, "document_vectors")[0].split('\t').next().unwrap().to_owned()
}

/// Where gensim, safetensors and pyarrow are there; `WORDWAVE_PYTHON` names another interpreter than `python3`.
fn other_programs_read_the_files(run: &Path) {
    let near = shown(&["neighbours", run.to_str().unwrap(), "wind", "--count", "4", "--json"]);
    let python = std::env::var("WORDWAVE_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let child = Command::new(&python)
        .args([project().join("tests/interop/vectors.py").to_str().unwrap(), run.to_str().unwrap(), "wind"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let Ok(mut child) = child else {
        eprintln!("skipped: there is no {python}");
        return;
    };
    // A script that lacks a module reads nothing.
    let _ = child.stdin.take().unwrap().write_all(near.as_bytes());
    let outcome = child.wait_with_output().unwrap();
    match outcome.status.code() {
        Some(77) => eprintln!("skipped: {}", String::from_utf8_lossy(&outcome.stdout).trim()),
        Some(0) => eprintln!("{}", String::from_utf8_lossy(&outcome.stdout).trim()),
        _ => panic!("{}", said(&outcome)),
    }
}

#[test]
fn formats_and_neighbours_cost_no_training_and_renames_no_vectors() {
    let folder = tempfile::tempdir().unwrap();
    let job = job(folder.path(), JOB);
    let output = folder.path().join("out");
    let first = run(&job, &output, &[]);
    let second =
        run(&job, &output, &["--set", "embeddings.neighbours=3", "--set", "embeddings.formats=['npy']"]);
    let (first, second) = (contents(&first), contents(&second));
    assert!(first["embeddings.npy"] == second["embeddings.npy"]);
    assert!(
        !second.contains_key("embeddings.txt") && first["neighbours.parquet"] != second["neighbours.parquet"]
    );
    let latest = output.join("v/latest");
    let seconds = crate::program::record(&latest)["stages"]
        .as_array()
        .unwrap()
        .iter()
        .find(|stage| stage["name"] == "embeddings")
        .map(|stage| stage["seconds"].as_f64().unwrap());
    assert_eq!(seconds, Some(0.0));
}

#[test]
fn a_training_starts_from_a_run_or_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let job = job(folder.path(), JOB);
    let first = run(&job, &folder.path().join("1"), &[]);
    let still = ["--set", "embeddings.alpha=1e-9"];
    let mut found = Vec::new();
    for start in ["", "embeddings.bin", "embeddings.vec", "embeddings.parquet"] {
        let set = format!("embeddings.start={:?}", first.join(start).to_str().unwrap());
        let again =
            run(&job, &folder.path().join(format!("from {start}")), &[&still[..], &["--set", &set]].concat());
        let near = |run: &Path| shown(&["neighbours", run.to_str().unwrap(), "wind", "the", "--count", "6"]);
        assert_eq!(near(&again), near(&first), "{start}");
        found.push(contents(&again)["embeddings.bin"].clone());
    }
    assert!(found.windows(2).all(|pair| pair[0] == pair[1]));
    let set = format!("embeddings.start={:?}", first.join("embeddings.bin").to_str().unwrap());
    let outcome = run_job(&job, &folder.path().join("x"), &["--set", &set, "--set", "embeddings.dims=9"]);
    assert_eq!(code(&outcome), 78, "{}", said(&outcome));
    assert!(said(&outcome).contains("dims = 16"), "{}", said(&outcome));
}

#[test]
fn every_kind_of_training_has_its_tables() {
    let folder = tempfile::tempdir().unwrap();
    let job = job(folder.path(), JOB);
    let output = folder.path().join("out");
    for (kind, documents) in [
        (&["embeddings.softmax=hierarchical"][..], 32),
        (&["embeddings.documents=dbow", "embeddings.model=cbow"][..], 32),
        (
            &["embeddings.documents=dbow", "embeddings.subwords=[2, 3]", "embeddings.softmax=hierarchical"][..],
            32,
        ),
        (&["embeddings.min_count=100000"][..], 0),
    ] {
        let sets: Vec<&str> = kind.iter().flat_map(|set| ["--set", set]).collect();
        let run = run(&job, &output, &sets);
        assert_eq!(rows(&run, "document_vectors").len(), documents, "{kind:?}");
        for table in ["embeddings", "document_vectors"] {
            assert!(
                rows(&run, table).iter().all(|row| !row.contains("NaN") && !row.contains("inf,")),
                "{kind:?}"
            );
        }
    }
}

#[test]
fn vectors_can_be_asked() {
    let golden = |file: &str| project().join("tests/golden/vectors").join(file).to_str().unwrap().to_owned();
    let near = shown(&["neighbours", &golden("gensim.txt"), "and", "--count", "2"]);
    assert_eq!(near.lines().count(), 3);
    // fastText makes a vector of what it has never seen; word2vec has none.
    assert_eq!(shown(&["neighbours", &golden("fasttext-subwords.bin"), "birdsong"]).lines().count(), 11);
    let outcome = wordwave(&["neighbours", &golden("gensim.bin"), "andd"]);
    assert_eq!(code(&outcome), 64);
    assert!(said(&outcome).contains("did you mean \"and\"?"), "{}", said(&outcome));
    let found: Value =
        serde_json::from_str(&shown(&["analogy", &golden("glove.txt"), "the", "and", "a", "--json"]))
            .unwrap();
    assert_eq!(found.as_array().unwrap().len(), 10);
    let outcome = wordwave(&["neighbours", project().join("Cargo.toml").to_str().unwrap(), "a"]);
    assert_eq!(code(&outcome), 65, "{}", said(&outcome));
    assert!(said(&outcome).contains("Cargo.toml: line "), "{}", said(&outcome));
}

#[test]
fn vectors_are_put_to_word_sets() {
    let folder = tempfile::tempdir().unwrap();
    let sets = folder.path().join("sets");
    std::fs::create_dir(&sets).unwrap();
    std::fs::write(
        sets.join("pairs.csv"),
        ",word1,word2,similarity\n0,the,and,9\n1,and,in,5\n2,the,in,1\n3,the,x,1\n4,a,in,2\n5,a,the,3\n",
    )
    .unwrap();
    std::fs::write(sets.join("questions.txt"), ": one\nthe and a in\nthe and a nobody\n").unwrap();
    let vectors = project().join("tests/golden/vectors/gensim.bin");
    let table = folder.path().join("scores.parquet");
    let arguments = [
        "evaluate",
        vectors.to_str().unwrap(),
        "--wordsets",
        sets.to_str().unwrap(),
        "--table",
        table.to_str().unwrap(),
    ];
    let text = shown(&arguments);
    assert!(text.contains("pairs") && text.contains("5 of 6") && text.contains("  one"), "{text}");
    let json: Value = serde_json::from_str(&shown(&[&arguments[..4], &["--json"]].concat())).unwrap();
    assert_eq!((json[0]["used"].as_u64(), json[2]["used"].as_u64()), (Some(5), Some(1)));
    assert!(json[0]["ci_low"].as_f64() < json[0]["estimate"].as_f64());
    assert!(std::fs::metadata(&table).unwrap().len() > 500);
    let outcome =
        wordwave(&["evaluate", vectors.to_str().unwrap(), "--wordsets", folder.path().to_str().unwrap()]);
    assert_eq!(code(&outcome), 65, "{}", said(&outcome));
}

/// One word, every word once, nothing at all, one giant document, only stop words.
#[test]
fn degenerate_corpora_give_a_clear_outcome() {
    let text = "[job]\nname = 'v'\n[documents]\ninclude = ['text/*.txt']\n[tokens]\nstop_words = 'english'\n[embeddings]\n\
                min_count = 1\ndims = 4\nneighbours = 3\ndocuments = 'sif'\nsubwords = [3, 4]\nheld_out = 0.2\n\
                formats = ['npy', 'word2vec', 'safetensors']\n";
    let giant: String = (0..20_000).map(|i| format!("w{} ", i * i % 97)).collect();
    let once: String = (0..500).map(|i| format!("w{i} ")).collect();
    for (files, words) in [
        (vec!["rain"], 1),
        (vec!["rain rain rain", "rain"], 1),
        (vec![&once[..]], 500),
        (vec!["", " \n", ""], 0),
        (vec![&giant[..]], giant.split(' ').collect::<std::collections::BTreeSet<_>>().len() - 1),
        (vec!["the of and", "in the"], 0),
    ] {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("text")).unwrap();
        for (i, file) in files.iter().enumerate() {
            std::fs::write(folder.path().join(format!("text/{i}.txt")), file).unwrap();
        }
        let job = job_in(folder.path(), text);
        let run = run(&job, &folder.path().join("out"), &["--set", "embeddings.documents=dbow"]);
        assert_eq!(rows(&run, "embeddings").len(), words);
        for table in ["embeddings", "neighbours", "document_vectors", "subwords", "training"] {
            for row in rows(&run, table) {
                assert!(!row.contains("NaN") && !row.contains("inf"), "{table}: {row}");
            }
        }
    }
}

/// Words of twelve topics, each document on one of them; `name` renames words.
fn trained_on_topics(seed: u64, name: impl Fn(u32) -> u32) -> (Vec<(String, u64)>, Vec<Vec<f64>>) {
    let documents = (0..900_u64).map(|document| {
        let mut stream = Stream::new(5, "topics", document);
        let topic = stream.below(12);
        // One word in four is of any topic.
        (0..50)
            .map(|_| {
                let topic = if stream.below(4) == 0 { stream.below(12) } else { topic };
                name(topic * 25 + stream.below(25))
            })
            .collect::<Vec<u32>>()
    });
    let documents: Vec<Vec<u32>> = documents.collect();
    let mut counts = [0_u64; 300];
    documents.iter().flatten().for_each(|&word| counts[word as usize] += 1);
    let mut order: Vec<usize> = (0..300).collect();
    order.sort_by_key(|&word| (std::cmp::Reverse(counts[word]), word));
    let mut numbers = [0; 300];
    order.iter().zip(0..).for_each(|(&word, number)| numbers[word] = number);
    let tokens: Vec<u32> = documents.iter().flatten().map(|&word| numbers[word as usize]).collect();
    let ends: Vec<usize> = (1..=documents.len()).map(|document| document * 50).collect();
    let counts: Vec<u64> = order.iter().map(|&word| counts[word]).collect();
    let corpus = Corpus { tokens: Tokens::Held(&tokens), document_ends: &ends, counts: &counts };
    let settings =
        EmbeddingSettings { dims: 16, epochs: 4, sample: 0.0, seed, ..EmbeddingSettings::default() };
    let stop = AtomicBool::new(false);
    let trained = train(&corpus, Prior::default(), &settings, None, &mut |_, _| (), &stop).unwrap();
    let rows = trained.embeddings.vectors().chunks(16).map(|row| row.iter().map(|&x| f64::from(x)).collect());
    (order.iter().map(|word| format!("w{word}")).zip(counts).collect(), rows.collect())
}

#[test]
fn another_seed_is_no_drift_and_another_use_of_a_word_is() {
    let pairs = |first: (Vec<(String, u64)>, Vec<Vec<f64>>), second: (Vec<(String, u64)>, Vec<Vec<f64>>)| {
        let place: BTreeMap<&str, usize> =
            second.0.iter().enumerate().map(|(i, (word, _))| (word.as_str(), i)).collect();
        let places: Vec<usize> = first.0.iter().map(|(word, _)| place[word.as_str()]).collect();
        let rows: Vec<&Vec<f64>> = places.iter().map(|&i| &second.1[i]).collect();
        WordPairs {
            words: first.0.iter().map(|(word, _)| word.clone()).collect(),
            counts: first.0.iter().zip(&places).map(|((_, count), &i)| (*count, second.0[i].1)).collect(),
            second: Matrix::from_rows(&rows),
            first: Matrix::from_rows(&first.1),
        }
    };
    let drifted = |pairs: &WordPairs| -> Vec<String> {
        let found = drifts(pairs);
        assert_eq!(found.len(), 300);
        let beyond =
            |row: &&Drift| row.q.is_some_and(|q| q <= 0.05) && row.excess() >= 0.1 && row.lost_neighbours();
        let mut words: Vec<String> = found.iter().filter(beyond).map(|row| row.term.clone()).collect();
        words.sort();
        words
    };
    for seed in 1..4 {
        let same = pairs(trained_on_topics(0, |word| word), trained_on_topics(seed, |word| word));
        assert_eq!(drifted(&same), Vec::<String>::new(), "{seed}");
    }
    // Two words change places: each now stands among those of the other's topic.
    let swapped = |word| match word {
        30 => 260,
        260 => 30,
        other => other,
    };
    let moved = pairs(trained_on_topics(0, |word| word), trained_on_topics(1, swapped));
    assert_eq!(drifted(&moved), ["w260", "w30"]);
}
