//! Terms other than those of the corpus's own vocabulary: a fixed one, and hashed columns.

use std::path::{Path, PathBuf};

use crate::program::{code, job_in, run_job, said, wordwave};

fn table(run: &Path, name: &str) -> Vec<String> {
    let shown = wordwave(&["show", run.to_str().unwrap(), "--table", name, "--rows", "1000"]);
    assert_eq!(code(&shown), 0, "{}", said(&shown));
    String::from_utf8(shown.stdout).unwrap().lines().skip(1).map(str::to_owned).collect()
}

/// The run of a job over two documents with these `[bag_of_words]`; what was said where it failed.
fn run(folder: &Path, bag: &str) -> Result<PathBuf, String> {
    std::fs::create_dir_all(folder.join("text")).unwrap();
    std::fs::write(folder.join("text/a.txt"), "The bird sings. The bird flies 12 times.").unwrap();
    std::fs::write(folder.join("text/b.txt"), "A fish swims").unwrap();
    let text = format!(
        "[job]\nname = \"x\"\n[documents]\ninclude = [\"text/*.txt\"]\n[tokens]\nmin_length = 2\nnumbers = false\n[bag_of_words]\n{bag}\n"
    );
    let outcome = run_job(&job_in(folder, &text), &folder.join("out"), &[]);
    if code(&outcome) == 0 { Ok(folder.join("out/x/latest")) } else { Err(said(&outcome)) }
}

#[test]
fn a_fixed_vocabulary_has_its_terms_and_no_others() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("terms.txt"), "bird\nfish\nwhale\nbird\n\n").unwrap();
    let latest =
        run(folder.path(), "vocabulary = \"terms.txt\"\nweight = \"count\"\nnorm = \"none\"").unwrap();
    let vocabulary = table(&latest, "vocabulary");
    let terms: Vec<&str> = vocabulary.iter().map(|row| row.split('\t').nth(1).unwrap()).collect();
    assert_eq!(terms, ["bird", "fish", "whale"]);
    assert_eq!(table(&latest, "terms").len(), 2);
    // Other terms are other results.
    std::fs::write(folder.path().join("terms.txt"), "swims\n").unwrap();
    let latest =
        run(folder.path(), "vocabulary = \"terms.txt\"\nweight = \"count\"\nnorm = \"none\"").unwrap();
    assert_eq!(table(&latest, "terms"), ["b\t0\t1\t1.0"]);
    let gone = run(folder.path(), "vocabulary = \"gone.txt\"").unwrap_err();
    assert!(gone.contains("gone.txt") && gone.contains("bag_of_words.vocabulary"), "{gone}");
}

#[test]
fn hashed_columns_need_no_vocabulary() {
    let folder = tempfile::tempdir().unwrap();
    let latest = run(folder.path(), "columns = 1048576\nweight = \"count\"\nnorm = \"none\"").unwrap();
    assert_eq!(table(&latest, "vocabulary"), [""; 0]);
    // the, bird (twice each), sings, flies, times; fish, swims: "A" is too short, "12" is no word.
    let rows = table(&latest, "terms");
    assert_eq!(rows.iter().filter(|row| row.starts_with("a\t")).count(), 5);
    assert_eq!(rows.iter().filter(|row| row.starts_with("b\t")).count(), 2);
    let refused = run(folder.path(), "columns = 1024").unwrap_err();
    assert!(refused.contains("bag_of_words.weight"), "{refused}");
}
