//! The job on real corpora that lie beside the project; each test says so and skips where they are absent.

use std::path::PathBuf;

use crate::program::{code, project, record, run_job, said, wordwave};

fn shared(name: &str) -> Option<PathBuf> {
    let path = project().join("../shared/data").join(name);
    if !path.is_dir() {
        eprintln!("skipped: {} is not there", path.display());
        return None;
    }
    Some(std::fs::canonicalize(path).unwrap())
}

/// A tenth of LibriSpeech's part: one speaker, real FLAC, real transcripts.
#[test]
fn one_speaker_of_librispeech_is_read_paired_and_related() {
    let Some(data) = shared("librispeech") else { return };
    let output = tempfile::tempdir().unwrap();
    let include = |pattern: &str| format!("include=[\"{}/1089/{pattern}\"]", data.display());
    let outcome = run_job(
        &project().join("corpora/librispeech/job.toml"),
        output.path(),
        &[
            "--set",
            &format!("documents.{}", include("**/*.trans.txt")),
            "--set",
            &format!("clips.{}", include("**/*.flac")),
            "--set",
            "embeddings.epochs=1",
            "--set",
            "compare.permutations=99",
            "--set",
            "compare.bootstrap=99",
            "--set",
            "features.sets=[\"spectral\", \"mfcc\"]",
        ],
    );
    assert_eq!(code(&outcome), 0, "{}", said(&outcome));
    let run = output.path().join("librispeech/latest");
    let counts = &record(&run)["counts"];
    let count = |name: &str| counts[name].as_u64().unwrap();
    assert!(count("pairs") > 50, "{counts}");
    assert_eq!((count("pairs"), count("pairs")), (count("documents"), count("clips")));
    assert_eq!((count("quarantined"), count("unpaired_documents"), count("unpaired_clips")), (0, 0, 0));
    let rows = wordwave(&["show", run.to_str().unwrap(), "--table", "correlations", "--rows", "100000"]);
    let text = String::from_utf8(rows.stdout).unwrap();
    let row = text.lines().find(|line| line.starts_with("tokens\tseconds\t")).unwrap();
    let pearson: f64 = row.split('\t').nth(3).unwrap().parse().unwrap();
    assert!(pearson > 0.85, "{row}");
}

/// Many languages, many scripts: every file is a document with tokens.
#[test]
fn the_declaration_of_human_rights_is_read_in_every_language() {
    let Some(data) = shared("udhr2") else { return };
    let folder = tempfile::tempdir().unwrap();
    let job = folder.path().join("job.toml");
    let text = format!(
        "[job]\nname = 'udhr'\n[documents]\ninclude = ['{}/*.txt']\n[bag_of_words]\n",
        data.display()
    );
    std::fs::write(&job, text).unwrap();
    let outcome = run_job(&job, folder.path(), &[]);
    assert_eq!(code(&outcome), 0, "{}", said(&outcome));
    let counts = record(&folder.path().join("udhr/latest"))["counts"].clone();
    assert!(
        counts["documents"].as_u64() > Some(350) && counts["tokens"].as_u64() > Some(500_000),
        "{counts}"
    );
}
