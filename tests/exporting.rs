//! The terms of a run given to other tools, and statistics of the corpus asked for by a job.

use std::path::Path;
use std::process::Command;

use crate::program::{code, job_in, project, record, run_job, said, wordwave};

/// The texts of the sample corpus, and what a job says of them beside the bag of words.
fn run(folder: &Path, sections: &str) -> std::path::PathBuf {
    let text = format!(
        "[job]\nname = 'x'\noutput = 'out'\n[documents]\ninclude = ['{}/corpora/sample/text/**/*.txt']\n[bag_of_words]\n{sections}",
        project().display()
    );
    let outcome = run_job(&job_in(folder, &text), &folder.join("out"), &["--quiet"]);
    assert_eq!(code(&outcome), 0, "{}", said(&outcome));
    folder.join("out/x/latest")
}

fn export(run: &Path, format: &str, values: &str, to: &Path) {
    let arguments = [
        "export",
        run.to_str().unwrap(),
        "--format",
        format,
        "--values",
        values,
        "--to",
        to.to_str().unwrap(),
    ];
    let outcome = wordwave(&arguments);
    assert_eq!(code(&outcome), 0, "{}", said(&outcome));
}

/// Loads what was exported, and holds the three against each other.
const CHECK: &str = r"
import json, sys
import numpy, scipy.io, scipy.sparse, sklearn.datasets
folder = sys.argv[1]
for values in ['weight', 'count']:
    at = f'{folder}/{values}'
    npz = scipy.sparse.load_npz(f'{at}.npz')
    names = json.load(open(f'{at}.npz.json', encoding='utf-8'))
    assert npz.format == 'csr' and npz.has_canonical_format
    assert npz.shape == (len(names['documents']), len(names['terms'])), npz.shape
    assert 'weather/first-snow' in names['documents'] and 'snow' in names['terms']
    mtx = scipy.io.mmread(f'{at}.mtx').tocsr().astype(npz.dtype)
    light, labels = sklearn.datasets.load_svmlight_file(f'{at}.svmlight', n_features=npz.shape[1], zero_based=False)
    assert (npz != mtx).nnz == 0 and (npz != light.astype(npz.dtype)).nnz == 0 and not labels.any()
    if values == 'weight':
        lengths = numpy.asarray(npz.multiply(npz).sum(axis=1)).ravel()
        assert numpy.allclose(lengths, 1, atol=1e-6), lengths
    else:
        assert npz.dtype == numpy.int64 and npz.data.min() == 1
";

#[test]
fn matrices_are_what_scipy_and_scikit_learn_read() {
    let folder = tempfile::tempdir().unwrap();
    let run = run(folder.path(), "");
    for values in ["weight", "count"] {
        for format in ["npz", "mtx", "svmlight"] {
            let to = folder.path().join(format!("{values}.{format}"));
            export(&run, format, values, &to);
            let first = std::fs::read(&to).unwrap();
            export(&run, format, values, &to);
            assert!(
                !first.is_empty() && std::fs::read(&to).unwrap() == first,
                "the same run gives the same bytes"
            );
        }
    }
    let python = std::env::var("WORDWAVE_PYTHON").unwrap_or_else(|_| "python3".into());
    let has = Command::new(&python).args(["-c", "import scipy, sklearn"]).output();
    if !has.is_ok_and(|outcome| outcome.status.success()) {
        eprintln!("skipped: {python} has no scipy and scikit-learn; name one that has in WORDWAVE_PYTHON");
        return;
    }
    let checked =
        Command::new(&python).args(["-c", CHECK, folder.path().to_str().unwrap()]).output().unwrap();
    assert!(checked.status.success(), "{}", said(&checked));
}

#[test]
fn a_run_without_terms_says_what_it_lacks() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("a.txt"), "a word").unwrap();
    let job = job_in(folder.path(), "[job]\nname = 'x'\noutput = 'out'\n[documents]\ninclude = ['*.txt']\n");
    assert_eq!(code(&run_job(&job, &folder.path().join("out"), &["--quiet"])), 0);
    let run = folder.path().join("out/x");
    let outcome = wordwave(&[
        "export",
        run.to_str().unwrap(),
        "--format",
        "npz",
        "--to",
        folder.path().join("m.npz").to_str().unwrap(),
    ]);
    assert_eq!(code(&outcome), 64);
    assert!(said(&outcome).contains("[bag_of_words]"), "{}", said(&outcome));
    assert!(!folder.path().join("m.npz").exists());
}

#[test]
fn statistics_of_the_corpus_are_written_where_they_are_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let asked = "[statistics]\ndispersion = true\nphrases = true\nphrase_min_count = 1\nphrase_threshold = 20.0\ntopics = 40\n";
    let record_of = |run: &Path| record(run)["files"].clone();
    let rows = |files: &serde_json::Value, table: &str| files[format!("{table}.parquet")]["rows"].as_u64();
    let with = record_of(&run(folder.path(), asked));
    assert_eq!(rows(&with, "laws"), Some(2));
    assert_eq!(rows(&with, "dispersion"), rows(&with, "vocabulary"));
    assert!(rows(&with, "phrases") > Some(0));
    // Thirty-two documents have no more than so many directions.
    assert_eq!(rows(&with, "topics"), Some(32 * 20));
    assert_eq!(rows(&with, "document_topics"), Some(32));
    let page = std::fs::read_to_string(folder.path().join("out/x/latest/report.html"));
    assert!(page.is_err(), "no page was asked for");
    let without = record_of(&run(folder.path(), "[statistics]\n[report]\n"));
    assert_eq!(rows(&without, "laws"), Some(2));
    for table in ["dispersion", "phrases", "topics", "document_topics"] {
        assert_eq!(rows(&without, table), None, "{table}");
    }
    let page = std::fs::read_to_string(folder.path().join("out/x/latest/report.html")).unwrap();
    assert!(page.contains("(Zipf)") && page.contains("Laws of words"));
}
