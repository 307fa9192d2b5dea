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

/// The job of [`run`] with further keys of documents and tokens.
fn run_with(folder: &Path, documents: &str, tokens: &str) -> PathBuf {
    std::fs::create_dir_all(folder.join("text")).unwrap();
    std::fs::write(folder.join("text/a.txt"), "Über ﬁsh,\nthe bird.\n\nThe birds\u{301}!").unwrap();
    std::fs::write(folder.join("text/b.txt"), "A fish swims").unwrap();
    let text = format!(
        "[job]\nname = \"x\"\n[documents]\ninclude = [\"text/*.txt\"]\n{documents}\n[tokens]\n{tokens}\n[bag_of_words]\n"
    );
    let outcome = run_job(&job_in(folder, &text), &folder.join("out"), &[]);
    assert_eq!(code(&outcome), 0, "{}", said(&outcome));
    std::fs::canonicalize(folder.join("out/x/latest")).unwrap()
}

#[test]
fn without_statistics_the_terms_are_the_same() {
    let (with, without) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    for (documents, numbers) in [("", "numbers = true"), ("split = \"line\"", "stem = \"english\"")] {
        let with = run_with(with.path(), documents, numbers);
        let without = run_with(without.path(), &format!("statistics = false\n{documents}"), numbers);
        for name in ["terms", "vocabulary"] {
            assert_eq!(table(&with, name), table(&without, name));
        }
        // doc_id source blake3 group bytes language chars tokens types sentences ..
        let columns = |run: &Path| -> Vec<Vec<String>> {
            table(run, "documents").iter().map(|row| row.split('\t').map(str::to_owned).collect()).collect()
        };
        for (full, lean) in columns(&with).iter().zip(columns(&without)) {
            assert_eq!((&full[..5], &full[6..8]), (&lean[..5], &lean[6..8]));
            assert!(
                full[8] != "null" && lean[8..].iter().all(|value| value == "null" || value.is_empty()),
                "{lean:?}"
            );
        }
    }
}

#[test]
fn offsets_say_where_tokens_stand() {
    let folder = tempfile::tempdir().unwrap();
    let asked = "offsets = true\nstrip_accents = true\nstem = \"english\"";
    let first = run_with(folder.path(), "", asked);
    let expected = [
        "a\t0\tuber\t0\t5",
        "a\t1\tfish\t6\t11",
        "a\t2\tthe\t13\t16",
        "a\t3\tbird\t17\t21",
        "a\t4\tthe\t24\t27",
        "a\t5\tbird\t28\t35",
        "b\t0\ta\t0\t1",
        "b\t1\tfish\t2\t6",
        "b\t2\tswim\t7\t12",
    ];
    assert_eq!(table(&first, "tokens"), expected);
    // Laid there again where nothing changed, made again where something did.
    std::fs::write(folder.path().join("text/c.txt"), "new").unwrap();
    let second = run_with(folder.path(), "", asked);
    assert_eq!(table(&second, "tokens")[..9], expected);
    assert_eq!(table(&second, "tokens")[9], "c\t0\tnew\t0\t3");
    let without = run_with(folder.path(), "", "");
    assert!(!without.join("tokens").exists());
}
