//! Words placed in time, by files and by wordwave itself, and sound counted as words, on the sample corpus.

use std::path::Path;

use crate::program::{code, project, run_job, said, wordwave};

/// The rows of a table as `show` prints them, the header first.
fn shown(run: &Path, table: &str) -> Vec<Vec<String>> {
    let rows = wordwave(&["show", run.to_str().unwrap(), "--table", table, "--rows", "1000000"]);
    assert_eq!(code(&rows), 0, "{}", said(&rows));
    let text = String::from_utf8(rows.stdout).unwrap();
    text.lines().map(|line| line.split('\t').map(str::to_owned).collect()).collect()
}

fn column<'r>(rows: &'r [Vec<String>], name: &str) -> Vec<&'r str> {
    let at =
        rows[0].iter().position(|column| column == name).unwrap_or_else(|| panic!("{name}: {:?}", rows[0]));
    rows[1..].iter().map(|row| row[at].as_str()).collect()
}

#[test]
fn words_have_times_and_sound_has_words() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(
        folder.path().join("first-snow.ctm"),
        "first-snow 1 0.10 0.30 The\nfirst-snow 1 0.40 0.25 <eps>\nfirst-snow 1 0.65 0.35 Snow\n",
    )
    .unwrap();
    std::fs::write(folder.path().join("broken.TextGrid"), "File type = \"ooTextFile\"").unwrap();
    let alignments =
        format!("compare.alignments=[\"{0}/*.ctm\", \"{0}/*.TextGrid\"]", folder.path().display());
    let outcome = run_job(
        &project().join("corpora/sample/job.toml"),
        folder.path(),
        &[
            "--set",
            "compare.words=true",
            "--set",
            &alignments,
            "--set",
            "features.codebook=64",
            "--set",
            "compare.permutations=19",
            "--set",
            "compare.bootstrap=19",
            "--set",
            "embeddings.epochs=1",
        ],
    );
    // The file that is no TextGrid is in quarantine.
    assert_eq!(code(&outcome), 3, "{}", said(&outcome));
    let run = folder.path().join("sample/latest");
    let quarantine = shown(&run, "quarantine");
    assert_eq!(column(&quarantine, "source"), ["broken.TextGrid"]);
    assert_eq!(column(&quarantine, "code"), ["unusable_alignment"]);

    let words = shown(&run, "words");
    let by_file: Vec<Vec<String>> = std::iter::once(words[0].clone())
        .chain(words[1..].iter().filter(|row| row.contains(&"file".to_owned())).cloned())
        .collect();
    assert_eq!(column(&by_file, "term"), ["the", "snow"]);
    assert_eq!(column(&by_file, "word"), ["0", "1"]);
    assert_eq!(column(&by_file, "start"), ["0.1", "0.65"]);
    let number = |name: &str| -> Vec<f64> {
        column(&words, name).iter().map(|value| value.parse().unwrap()).collect()
    };
    let (clips, starts, ends) = (column(&words, "clip_id"), number("start"), number("end"));
    let different: std::collections::BTreeSet<&str> = clips.iter().copied().collect();
    assert_eq!(different.len(), shown(&run, "pairs").len() - 1);
    assert!(starts.iter().zip(&ends).all(|(start, end)| start < end));
    for ((pair, next), end) in clips.windows(2).zip(&starts[1..]).zip(&ends) {
        assert!(pair[0] != pair[1] || *end <= next + 0.02, "{pair:?}: {end} {next}");
    }
    let sounds = shown(&run, "word_sounds");
    let counted: usize = column(&sounds, "count").iter().map(|count| count.parse::<usize>().unwrap()).sum();
    assert_eq!(counted, clips.len());

    // Words join the vocabulary and bring those near them.
    let terms = shown(&run, "vocabulary");
    let ids: std::collections::BTreeMap<&str, &str> =
        column(&terms, "term").into_iter().zip(column(&terms, "term_id")).collect();
    for (term, id) in column(&words, "term").into_iter().zip(column(&words, "term_id")) {
        assert_eq!(ids.get(term).copied().unwrap_or(""), id, "{term}");
    }
    let near = column(&sounds, "neighbours");
    assert!(near.iter().any(|near| near.split(' ').count() == 5), "{near:?}");
    let levels = shown(&run, "word_correlations");
    assert_eq!(levels.len(), 1 + 5 * 7);
    assert!(levels.iter().any(|row| row[..2] == ["letters", "seconds"]));
    assert!(shown(&run, "group_means").len() > 100);

    let vocabulary = shown(&run, "sound_vocabulary");
    assert!((32..=64).contains(&(vocabulary.len() - 1)), "{}", vocabulary.len());
    let terms = shown(&run, "sound_terms");
    let total = |rows: &[Vec<String>], name: &str| -> u64 {
        column(rows, name).iter().map(|count| count.parse::<u64>().unwrap()).sum()
    };
    assert_eq!(total(&terms, "count"), total(&vocabulary, "cf"));
    assert!(terms[0].contains(&"clip_id".to_owned()));
    assert!(shown(&run, "sound_collocations").len() > 1);
    // Entries that occur once have no vector, as words.
    assert!((2..=vocabulary.len()).contains(&shown(&run, "sound_embeddings").len()));
    // The words' own vectors are theirs.
    assert!(!column(&shown(&run, "embeddings"), "term").iter().any(|term| term.starts_with("s0")));
}
