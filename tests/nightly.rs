//! The nightly job from end to end on the sample corpus: everything filled, the same bytes again.

use std::path::Path;

use crate::program::{code, contents, job_in, project, record, run_job, said, wordwave, write_tone};

const TABLES: [&str; 25] = [
    "clips",
    "collocations",
    "correlations",
    "dispersion",
    "document_topics",
    "documents",
    "duplicates",
    "embeddings",
    "frames",
    "group_correlations",
    "group_means",
    "keyness",
    "laws",
    "pairs",
    "phrases",
    "predictions",
    "quarantine",
    "spaces",
    "spectrograms",
    "suspects",
    "terms",
    "tokens",
    "topics",
    "vocabulary",
    "warnings",
];

fn sample(output: &Path, further: &[&str]) {
    let outcome = run_job(&project().join("corpora/sample/job.toml"), output, further);
    assert_eq!(code(&outcome), 0, "{}", said(&outcome));
}

#[test]
fn the_sample_job_fills_every_table_and_gives_the_same_bytes_at_any_thread_count() {
    let output = tempfile::tempdir().unwrap();
    // One tenth of the training keeps a debug build quick; the bytes must agree all the same.
    let quick = [
        "--set",
        "embeddings.epochs=4",
        "--set",
        "compare.permutations=199",
        "--set",
        "compare.bootstrap=99",
    ];
    for threads in ["1", "2", "3"] {
        let further: Vec<&str> = quick.iter().copied().chain(["--threads", threads]).collect();
        sample(&output.path().join(threads), &further);
    }
    let latest = |threads: &str| output.path().join(threads).join("sample/latest");
    let one = contents(&latest("1"));
    for threads in ["2", "3"] {
        let other = contents(&latest(threads));
        assert_eq!(one.keys().collect::<Vec<_>>(), other.keys().collect::<Vec<_>>());
        for (name, bytes) in &one {
            assert!(other[name] == *bytes, "{name} differs between 1 and {threads} threads");
        }
    }
    let record = record(&latest("1"));
    let rows = |table: &str| -> u64 {
        let files = record["files"].as_object().unwrap();
        let of_table =
            |name: &str| name == format!("{table}.parquet") || name.starts_with(&format!("{table}/"));
        files.iter().filter(|(name, _)| of_table(name)).map(|(_, file)| file["rows"].as_u64().unwrap()).sum()
    };
    for table in TABLES.into_iter().filter(|table| !matches!(*table, "quarantine" | "warnings")) {
        assert!(rows(table) > 0, "{table} is empty");
    }
    assert_eq!((rows("documents"), rows("clips"), rows("pairs"), rows("quarantine")), (32, 32, 32, 0));
    let stages: Vec<&str> =
        record["stages"].as_array().unwrap().iter().map(|s| s["name"].as_str().unwrap()).collect();
    for stage in [
        "read",
        "tokens",
        "bag_of_words",
        "statistics",
        "embeddings",
        "audio",
        "filters",
        "compare",
        "report",
    ] {
        assert!(stages.contains(&stage), "{stage} is not in {stages:?}");
    }
    hashes_are_those_of_the_files(&latest("1"), &record);
    tokens_and_seconds_go_together(&latest("1"));
}

fn hashes_are_those_of_the_files(run: &Path, record: &serde_json::Value) {
    for (name, file) in record["files"].as_object().unwrap() {
        let bytes = std::fs::read(run.join(name)).unwrap();
        assert_eq!(file["blake3"].as_str().unwrap(), blake3::hash(&bytes).to_hex().as_str(), "{name}");
        assert_eq!(file["bytes"].as_u64().unwrap(), bytes.len() as u64, "{name}");
    }
}

fn tokens_and_seconds_go_together(run: &Path) {
    let shown = wordwave(&["show", run.to_str().unwrap(), "--table", "correlations", "--rows", "100000"]);
    let text = String::from_utf8(shown.stdout).unwrap();
    let header: Vec<&str> = text.lines().next().unwrap().split('\t').collect();
    let at = |name: &str| header.iter().position(|column| *column == name).unwrap();
    let row: Vec<&str> =
        text.lines().find(|line| line.starts_with("tokens\tseconds\t")).unwrap().split('\t').collect();
    assert!(row[at("pearson")].parse::<f64>().unwrap() > 0.85, "{row:?}");
    assert!(row[at("q")].parse::<f64>().unwrap() < 0.05, "{row:?}");
}

#[test]
fn a_copy_of_the_corpus_elsewhere_gives_the_same_tables() {
    let folder = tempfile::tempdir().unwrap();
    let job = "[job]\nname = 'x'\noutput = 'out'\n[documents]\ninclude = ['deep/text/**/*.txt']\n[bag_of_words]\n[clips]\n\
               include = ['deep/audio/*.wav']\n[features]\n";
    let mut runs = Vec::new();
    for place in ["here", "there/and/further"] {
        let base = folder.path().join(place);
        std::fs::create_dir_all(base.join("deep/text/sub")).unwrap();
        std::fs::write(base.join("deep/text/sub/a.txt"), "the rain and the wind").unwrap();
        std::fs::write(base.join("deep/text/b.txt"), "the sun").unwrap();
        write_tone(&base.join("deep/audio/a.wav"), 220.0, 0.5);
        let outcome = run_job(&job_in(&base, job), &base.join("out"), &[]);
        assert_eq!(code(&outcome), 0, "{}", said(&outcome));
        runs.push(contents(&base.join("out/x/latest")));
    }
    assert!(runs[0] == runs[1]);
}

#[test]
fn old_runs_stay_and_keep_bounds_them() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("a.txt"), "one two").unwrap();
    let job =
        job_in(folder.path(), "[job]\nname = 'x'\nkeep = 2\n[documents]\ninclude = ['*.txt']\n[tokens]\n");
    for _ in 0..4 {
        let outcome = run_job(&job, &folder.path().join("out"), &["--quiet"]);
        assert_eq!((code(&outcome), said(&outcome)), (0, String::new()));
    }
    let runs = std::fs::read_dir(folder.path().join("out/x")).unwrap();
    let names: Vec<String> = runs.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    assert_eq!(names.iter().filter(|name| name.starts_with("20")).count(), 2, "{names:?}");
    assert!(names.contains(&"latest".to_owned()));
}

#[test]
fn tables_that_did_not_change_are_links_and_verify_finds_what_did() {
    use std::os::unix::fs::MetadataExt;
    let folder = tempfile::tempdir().unwrap();
    for name in ["a", "b"] {
        std::fs::write(folder.path().join(format!("{name}.txt")), "one two three").unwrap();
    }
    let job = job_in(folder.path(), "[job]\nname = 'x'\n[documents]\ninclude = ['*.txt']\n[bag_of_words]\n");
    let run = || {
        let outcome = run_job(&job, &folder.path().join("out"), &["--quiet"]);
        assert_eq!(code(&outcome), 0, "{}", said(&outcome));
        std::fs::canonicalize(folder.path().join("out/x/latest")).unwrap()
    };
    let (first, again) = (run(), run());
    let inode = |run: &Path, file: &str| std::fs::metadata(run.join(file)).unwrap().ino();
    for file in ["documents.parquet", "vocabulary.parquet", "terms/part-00000.parquet"] {
        assert_eq!(inode(&first, file), inode(&again, file), "{file}");
    }
    std::fs::write(folder.path().join("b.txt"), "two three four").unwrap();
    let changed = run();
    assert_ne!(inode(&first, "documents.parquet"), inode(&changed, "documents.parquet"));
    assert_eq!(inode(&first, "quarantine.parquet"), inode(&changed, "quarantine.parquet"));
    let job_folder = folder.path().join("out/x");
    let verify = || wordwave(&["verify", job_folder.to_str().unwrap()]);
    assert_eq!(code(&verify()), 0, "{}", said(&verify()));
    std::fs::write(changed.join("documents.parquet"), "x").unwrap();
    std::fs::write(changed.join("more.txt"), "x").unwrap();
    std::fs::remove_file(changed.join("terms/part-00000.parquet")).unwrap();
    let outcome = verify();
    let told = String::from_utf8_lossy(&outcome.stdout).into_owned();
    assert_eq!(code(&outcome), 65);
    for problem in
        ["documents.parquet: is not what", "more.txt: is not of", "terms/part-00000.parquet: is missing"]
    {
        assert!(told.contains(problem), "{told}");
    }
}
