//! The job on real corpora that lie beside the project; each test says so and skips where they are absent.

use std::ops::Range;
use std::path::PathBuf;
use std::sync::LazyLock;

use rayon::prelude::*;
use unicode_normalization::UnicodeNormalization;

use crate::program::{code, project, record, run_job, said, wordwave};
use wordwave::text::Token;
use wordwave::text::model::{ModelKind, PieceCounter, TokenModel, TrainingSettings};
use wordwave::text::tokens::{TokenBuffer, TokenKind, TokenSettings, Tokenizer};

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

/// The rows of a table as `show` prints them, the header first.
fn shown(run: &std::path::Path, table: &str) -> Vec<Vec<String>> {
    let rows = wordwave(&["show", run.to_str().unwrap(), "--table", table, "--rows", "1000000"]);
    let text = String::from_utf8(rows.stdout).unwrap();
    text.lines().map(|line| line.split('\t').map(str::to_owned).collect()).collect()
}

/// Ten pairs of recordings get each other's transcripts: among the first 30 suspects stand most of the 20. With lengths that
/// differ by 30 % or more, and any lengths.
#[test]
fn exchanged_transcripts_of_librispeech_are_suspects() {
    let Some(data) = shared("librispeech") else { return };
    let folder = tempfile::tempdir().unwrap();
    let mut transcripts: std::collections::BTreeMap<String, String> = std::collections::BTreeMap::new();
    let mut folders = vec![data.clone()];
    while let Some(inner) = folders.pop() {
        for entry in std::fs::read_dir(inner).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.to_string_lossy().ends_with(".trans.txt") {
                let text = std::fs::read_to_string(path).unwrap();
                let lines = text.lines().filter_map(|line| line.split_once(' '));
                transcripts.extend(lines.map(|(id, words)| (id.to_owned(), words.to_owned())));
            }
        }
    }
    let run = |transcripts: &std::collections::BTreeMap<String, String>| {
        let lines: Vec<String> = transcripts.iter().map(|(id, words)| format!("{id} {words}\n")).collect();
        std::fs::write(folder.path().join("all.trans.txt"), lines.concat()).unwrap();
        let outcome = run_job(
            &project().join("corpora/librispeech/job.toml"),
            folder.path(),
            &[
                "--set",
                &format!("documents.include=[\"{}/all.trans.txt\"]", folder.path().display()),
                "--set",
                &format!("clips.include=[\"{}/**/*.flac\"]", data.display()),
                "--set",
                "embeddings.epochs=1",
                "--set",
                "compare.permutations=19",
                "--set",
                "compare.bootstrap=0",
                "--set",
                "report.html=false",
                "--set",
                "features.sets=[\"voice\", \"syllables\", \"mfcc\", \"spectral\"]",
                "--set",
                "compare.words=true",
            ],
        );
        assert_eq!(code(&outcome), 0, "{}", said(&outcome));
        folder.path().join("librispeech/latest")
    };
    let clips = shown(&run(&transcripts), "clips");
    let at = |name: &str| clips[0].iter().position(|column| column == name).unwrap();
    let (id, seconds) = (at("clip_id"), at("seconds"));
    let length = |row: &Vec<String>| row[seconds].parse::<f64>().unwrap();
    for (least, enough) in [(1.3, 18), (1.0, 15)] {
        let mut changed = transcripts.clone();
        let mut exchanged: Vec<String> = Vec::new();
        let mut state = 20_260_u64;
        let mut draw = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            1 + (state >> 33) as usize % (clips.len() - 1)
        };
        while exchanged.len() < 20 {
            let (a, b) = (&clips[draw()], &clips[draw()]);
            let ratio = length(a).max(length(b)) / length(a).min(length(b));
            if a[id] != b[id] && ratio >= least && !exchanged.contains(&a[id]) && !exchanged.contains(&b[id])
            {
                let (words_a, words_b) = (changed[&a[id]].clone(), changed[&b[id]].clone());
                changed.insert(a[id].clone(), words_b);
                changed.insert(b[id].clone(), words_a);
                exchanged.extend([a[id].clone(), b[id].clone()]);
            }
        }
        let suspects = shown(&run(&changed), "suspects");
        let place = suspects[0].iter().position(|column| column == "clip_id").unwrap();
        let first = suspects[1..].iter().take(30);
        let hits = first.filter(|row| exchanged.contains(&row[place])).count();
        eprintln!(
            "exchanged, lengths in a ratio of {least} or more: {hits} of 20 among the first 30 suspects"
        );
        assert!(hits >= enough, "{hits} of 20 at {least}");
    }
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

/// A tokenizer of each kind; the models are trained on the beginnings of the texts.
fn tokenizers(texts: &[String]) -> Vec<(&'static str, bool, Tokenizer)> {
    let mut all = Vec::new();
    for (name, kind) in [("words", TokenKind::Words), ("pattern", TokenKind::Pattern)] {
        for strip_accents in [false, true] {
            let settings = TokenSettings { kind, strip_accents, ..TokenSettings::default() };
            all.push((name, strip_accents, Tokenizer::new(&settings).unwrap()));
        }
    }
    // Their letters alone are some five thousand.
    for kind in [ModelKind::Bpe, ModelKind::WordPiece, ModelKind::Unigram] {
        let training = TrainingSettings { kind, vocab_size: 9000, lowercase: false, strip_accents: false };
        let mut counter = PieceCounter::new(training).unwrap();
        for text in texts {
            counter.add(&text[..text.floor_char_boundary(3000)]).unwrap();
        }
        let model = TokenModel::train(training, &counter.finish()).unwrap();
        let settings = TokenSettings { kind: TokenKind::Model, ..TokenSettings::default() };
        all.push(("model", false, Tokenizer::with_model(&settings, model).unwrap()));
    }
    all
}

/// A stretch of text as a token of it is: both forms of a small sigma are one, which depends on what stands around it.
fn normalised(text: &str, strips: bool) -> String {
    let lower = text.to_lowercase().replace('ς', "σ");
    if !strips {
        return lower;
    }
    lower.nfkd().filter(|c| unicode_normalization::char::canonical_combining_class(*c) == 0).collect()
}

static PATTERN_TOKEN: LazyLock<regex::Regex> =
    LazyLock::new(|| regex::Regex::new(r"[\p{L}\p{N}_]{2}").unwrap());

/// What stands between tokens may be left out by a tokenizer of this kind.
fn may_be_left_out(name: &str, gap: &str) -> bool {
    match name {
        "words" => !gap.chars().any(char::is_alphanumeric),
        // A word of one character is no token of the default pattern.
        "pattern" => !PATTERN_TOKEN.is_match(gap),
        _ => gap.chars().all(|c| c.is_whitespace() || c.is_control() || c == '\u{FEFF}'),
    }
}

/// Holds the tokens of one text and what lies between them against the text.
fn assert_offsets_rebuild(name: &str, strips: bool, text: &str, tokens: &[(String, Range<usize>)]) {
    let (mut rebuilt, mut before) = (String::new(), 0..0);
    for (token, span) in tokens {
        // A model may give the bytes of one character to several tokens.
        if *span == before {
            continue;
        }
        let gap = text
            .get(before.end.min(span.start)..span.start)
            .unwrap_or_else(|| panic!("{name} {token:?} {span:?} after {before:?}"));
        assert!(may_be_left_out(name, &normalised(gap, strips)), "{name} lost {gap:?} before {token:?}");
        rebuilt += gap;
        // Two tokens may share a character: one that normalising took apart (the Lao sign for am without accents, or the capital
        // I with a dot, whose small form ends in a mark that the pattern cuts off), or one whose bytes a model gave to both.
        let shared = before.end.saturating_sub(span.start);
        let said = &text[span.clone()];
        let is_taken_apart = strips || said.contains('\u{130}');
        assert!(
            shared == 0
                || (is_taken_apart || name == "model") && text[span.start..before.end].chars().count() == 1,
            "{name} {span:?}"
        );
        rebuilt += &text[span.start + shared..span.end];
        if name != "model" {
            let (said, token) = (normalised(said, strips), normalised(token, strips));
            assert!(
                said == token || is_taken_apart && said.contains(&token),
                "{name} {token:?} is not {said:?}"
            );
        }
        before = span.clone();
    }
    let rest = &text[before.end..];
    assert!(may_be_left_out(name, &normalised(rest, strips)), "{name} lost {rest:?}");
    assert_eq!(rebuilt + rest, *text, "{name}");
}

/// Some 380 languages through every kind of tokenizer: the bytes of the tokens and what lies between them are the text, and nothing
/// lies between them that belongs to a token.
#[test]
fn offsets_rebuild_the_declaration_of_human_rights_in_every_language() {
    let Some(data) = shared("udhr2") else { return };
    let mut paths: Vec<PathBuf> =
        std::fs::read_dir(data).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let texts: Vec<String> = paths.iter().filter_map(|path| std::fs::read_to_string(path).ok()).collect();
    assert!(texts.len() > 350, "{}", texts.len());
    for (name, strips, tokenizer) in tokenizers(&texts) {
        texts.par_iter().for_each_init(TokenBuffer::default, |buffer, text| {
            let mut tokens: Vec<(String, Range<usize>)> = Vec::new();
            tokenizer
                .for_each_span(text, buffer, |token, span| tokens.push((token.to_owned(), span)))
                .unwrap();
            let mut spans = tokens.iter();
            tokenizer
                .for_each_token(text, buffer, &mut |token: Token<'_>| {
                    assert_eq!(spans.next().map(|(token, _)| token.as_str()), Some(token.as_str()), "{name}");
                })
                .unwrap();
            assert!(spans.next().is_none(), "{name}");
            assert_offsets_rebuild(name, strips, text, &tokens);
        });
    }
}

/// Ten takes of each digit by each speaker: which digit it was is found by words for a speaker that nothing was learnt from.
#[test]
fn digits_of_fsdd_are_retrieved_with_speakers_apart() {
    let Some(data) = shared("fsdd") else { return };
    let output = tempfile::tempdir().unwrap();
    let outcome = run_job(
        &project().join("corpora/fsdd/job.toml"),
        output.path(),
        &[
            "--set",
            &format!("clips.include=[\"{}/*_[0-9].wav\"]", data.display()),
            "--set",
            "features.sets=[\"mfcc\"]",
            "--set",
            "compare.permutations=99",
            "--set",
            "compare.bootstrap=0",
            "--set",
            "report.html=false",
        ],
    );
    assert_eq!(code(&outcome), 0, "{}", said(&outcome));
    let spaces = shown(&output.path().join("fsdd/latest"), "spaces");
    let at = |name: &str| spaces[0].iter().position(|column| column == name).unwrap();
    let row = spaces.iter().find(|row| row[..3] == ["terms", "mfcc", "recall_at_1"]).unwrap();
    let number = |name: &str| row[at(name)].parse::<f64>().unwrap();
    // A tenth of a speaker's recordings are of the digit: that is the floor.
    assert!((0.05..0.15).contains(&number("null_mean")), "{row:?}");
    assert!(number("ci_low") > number("null_q95") && number("q") < 0.05, "{row:?}");
}
