//! The rules of ARCHITECTURE.md, held against the source: who may name whom, which crate stands where, headers, links.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::program::project;

/// A room and the rooms that its files may name. What serves all stands in every list but its own and the other's.
const ARROWS: [(&str, &[&str]); 10] = [
    ("math", &[]),
    ("convolution", &["math", "simd"]),
    ("simd", &[]),
    ("corpus", &["error", "simd"]),
    ("text", &["math", "simd"]),
    ("audio", &["convolution", "math", "simd"]),
    ("compare", &["math", "simd"]),
    ("report", &["error", "corpus", "text", "audio", "compare", "math"]),
    ("job", &["error", "corpus", "text", "audio", "compare", "report", "convolution", "math"]),
    ("cli", &["error", "corpus", "compare", "report", "job", "convolution"]),
];

/// A crate and the only place that may name it; one that has two stands twice.
const CRATES: [(&str, &str); 19] = [
    ("polars", "src/report/parquet.rs"),
    ("polars", "src/report/pages.rs"),
    ("polars", "src/report/reading.rs"),
    ("polars", "src/corpus/rows/parquet.rs"),
    ("polars_parquet", "src/report/encodings.rs"),
    ("polars_parquet", "src/report/pages.rs"),
    ("polars_parquet", "src/report/parquet.rs"),
    ("polars_parquet", "src/corpus/rows/parquet.rs"),
    ("realfft", "src/convolution/fourier.rs"),
    ("rustfft", "src/convolution/fourier.rs"),
    ("tokenizers", "src/text/model.rs"),
    ("clap", "src/cli/"),
    ("clap_complete", "src/cli/"),
    ("indicatif", "src/cli/"),
    ("symphonia", "src/corpus/codecs.rs"),
    ("rubato", "src/corpus/resample.rs"),
    ("earshot", "src/audio/speech.rs"),
    ("html5gum", "src/corpus/html.rs"),
    ("csv_core", "src/corpus/rows/csv.rs"),
];

fn sources() -> Vec<(String, String)> {
    let mut files = Vec::new();
    let mut folders = vec![project().join("src")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let name = path.strip_prefix(project()).unwrap().to_string_lossy().into_owned();
                files.push((name, std::fs::read_to_string(&path).unwrap()));
            }
        }
    }
    files.sort();
    assert!(files.len() > 50);
    files
}

/// Code without comments and string literals' worth of prose: lines that begin a comment go.
fn code(text: &str) -> impl Iterator<Item = &str> {
    text.lines().map(str::trim_start).filter(|line| !line.starts_with("//"))
}

/// The rooms that a file names by `crate::`; its tests may name any, below it or in a file of their own.
fn named(text: &str) -> BTreeSet<String> {
    let mut rooms = BTreeSet::new();
    for line in code(text.split("#[cfg(test)]").next().unwrap_or(text)) {
        for (at, _) in line.match_indices("crate::") {
            let rest = &line[at + "crate::".len()..];
            rooms.extend(rest.split(|c: char| !c.is_alphanumeric() && c != '_').next().map(str::to_owned));
        }
    }
    rooms.remove("");
    rooms
}

#[test]
fn every_room_names_only_the_rooms_before_it() {
    for (file, text) in sources() {
        let Some((room, _)) = file.strip_prefix("src/").and_then(|below| below.split_once('/')) else {
            continue;
        };
        if file.ends_with("/tests.rs") {
            continue;
        }
        let (_, allowed) =
            ARROWS.iter().find(|(name, _)| *name == room).unwrap_or_else(|| panic!("{file}: a new room"));
        for other in named(&text) {
            assert!(other == room || allowed.contains(&other.as_str()), "{file} names {other}");
        }
    }
}

#[test]
fn crates_stay_in_their_file() {
    for (file, text) in sources() {
        for (name, place) in CRATES {
            let uses = code(&text)
                .any(|line| line.contains(&format!("{name}::")) || line.contains(&format!("use {name};")));
            let places = || CRATES.iter().filter(|(other, _)| *other == name).map(|(_, place)| *place);
            assert!(
                !uses || places().any(|place| file.starts_with(place)),
                "{file} names the crate {name}, which belongs to {place}"
            );
        }
    }
}

#[test]
fn unsafe_stands_in_its_one_folder_each_time_with_its_reason() {
    for (file, text) in sources() {
        let lines: Vec<&str> = text.lines().collect();
        for (i, line) in lines.iter().enumerate() {
            let block = line.contains("unsafe {") && !line.trim_start().starts_with("//");
            if !block {
                continue;
            }
            assert!(file.starts_with("src/simd/"), "{file}:{}: unsafe outside src/simd", i + 1);
            // A reason may stand for all the blocks that follow it.
            let reason = lines[..=i].iter().any(|above| above.contains("SAFETY"));
            assert!(reason, "{file}:{}: an unsafe block without its SAFETY reason", i + 1);
        }
    }
}

#[test]
fn clocks_and_the_environment_stay_in_job_and_cli() {
    for (file, text) in sources() {
        if file.starts_with("src/job/") || file.starts_with("src/cli/") {
            continue;
        }
        for word in ["Instant::now", "SystemTime", "Timestamp::now", "env::var", "println!", "eprintln!"] {
            assert!(!code(&text).any(|line| line.contains(word)), "{file} has {word}");
        }
    }
}

#[test]
fn every_file_says_what_it_is() {
    for (file, text) in sources() {
        assert!(text.starts_with("//! "), "{file} has no //! header");
    }
}

#[test]
fn no_folder_is_a_drawer() {
    for (file, _) in sources() {
        for drawer in ["util", "helper", "common", "manager"] {
            assert!(!file.contains(drawer), "{file}: say what it holds");
        }
    }
}

#[test]
fn links_in_the_documents_lead_somewhere() {
    let mut documents: Vec<PathBuf> = vec![
        "README.md".into(),
        "ARCHITECTURE.md".into(),
        "CONTRIBUTING.md".into(),
        "CHANGELOG.md".into(),
        "reports/README.md".into(),
        "packaging/README.md".into(),
    ];
    documents.extend(
        ["sample", "librispeech", "fsdd", "books"].map(|name| format!("corpora/{name}/README.md").into()),
    );
    for document in documents {
        let path = project().join(&document);
        let text =
            std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", document.display()));
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let target = link.split('#').next().unwrap_or_default();
            if target.is_empty() || target.contains("://") {
                continue;
            }
            let place = path.parent().unwrap_or(Path::new("")).join(target);
            assert!(place.exists(), "{} links to {link}, which is not there", document.display());
        }
    }
}
