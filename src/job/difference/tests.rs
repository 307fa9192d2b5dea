//! Runs made of generated tables: planted changes are found, random halves of one corpus are not.

use std::collections::BTreeMap;
use std::path::Path;

use super::super::record::{FileRecord, RUN_JSON};
use super::*;
use crate::compare::Resampling;
use crate::compare::correlations::correlations;
use crate::compare::features::FeatureTable;
use crate::compare::groups::Groups;
use crate::corpus::Digest;
use crate::math::random::Stream;
use crate::report::{ClipRow, Column, DocumentRow, PairRow, Provenance, Table, tables, write_table};

const WORDS: u32 = 150;
const FEATURES: [&str; 5] = ["loudness_lufs", "f0_hz_mean", "centroid_hz_mean", "mfcc_01_mean", "snr_db"];

/// A document that a speaker read.
#[derive(Clone)]
struct Reading {
    id: String,
    speaker: String,
    /// Occurrences of each word.
    counts: Vec<u32>,
    features: Vec<f64>,
}

/// Readings by four speakers, each with a voice of his own and words in bursts.
fn readings(count: u64, seed: u64) -> Vec<Reading> {
    (0..count)
        .map(|i| {
            let mut stream = Stream::new(seed, "reading", i);
            let speaker = stream.below(4);
            let mut counts = vec![0; WORDS as usize];
            for _ in 0..60 {
                let word = stream.below(WORDS) * stream.below(WORDS) / WORDS;
                counts[word as usize] += 1 + stream.below(6) * stream.below(2);
            }
            let mut voice = Stream::new(seed, "voice", u64::from(speaker));
            let features = FEATURES.map(|_| {
                let own = 4.0 * voice.unit_f64();
                own + (0..4).map(|_| stream.unit_f64() - 0.5).sum::<f64>()
            });
            Reading {
                id: format!("r{i:03}"),
                speaker: format!("s{speaker}"),
                counts,
                features: features.to_vec(),
            }
        })
        .collect()
}

/// Publishes readings as a run in `folder`, with all its tables but vectors.
fn publish(readings: &[Reading], folder: &Path, config_hash: &str) {
    std::fs::create_dir_all(folder).unwrap();
    let hash = |reading: &Reading| {
        let content = format!("{:?} {:?}", reading.counts, reading.features);
        Digest::of(content.as_bytes())
    };
    let documents: Vec<DocumentRow> = readings
        .iter()
        .map(|reading| DocumentRow {
            doc_id: reading.id.as_str().into(),
            source: format!("{}.txt", reading.id).into(),
            blake3: hash(reading),
            group: Some(reading.speaker.clone()),
            keep: Vec::new(),
            bytes: 1,
            chars: 1,
            tokens: None,
            statistics: None,
        })
        .collect();
    let clips: Vec<ClipRow> = readings
        .iter()
        .map(|reading| ClipRow {
            clip_id: reading.id.clone(),
            source: format!("{}.wav", reading.id),
            blake3: hash(reading),
            group: Some(reading.speaker.clone()),
            file_sample_rate: 16_000,
            channels: 1,
            bits: Some(16),
            seconds: 2.0,
            frames: 200,
            values: reading.features.iter().copied().map(Some).collect(),
        })
        .collect();
    let pairs: Vec<PairRow> = readings
        .iter()
        .map(|reading| PairRow {
            doc_id: reading.id.clone(),
            clip_id: reading.id.clone(),
            group: Some(reading.speaker.clone()),
            words_per_minute: None,
        })
        .collect();
    let names = FEATURES.map(str::to_owned);
    let written = [
        tables::documents(&documents, &[]),
        tables::clips(&clips, &names),
        tables::pairs(&pairs),
        tables::correlations(&related(readings)),
        vocabulary(readings),
        terms(readings),
    ];
    let provenance = Provenance { job: "test".into(), config_hash: config_hash.into() };
    let mut files = BTreeMap::new();
    for table in written {
        let file = format!("{}.parquet", table.name);
        let written = write_table(table, folder, &file, &provenance).unwrap();
        let record = FileRecord { rows: written.rows, bytes: written.bytes, blake3: written.blake3 };
        files.insert(file, record);
    }
    let record = serde_json::json!({
        "wordwave": "test", "run_id": "r", "start": "", "end": "", "host": "", "instruction_set": "", "threads": 1,
        "exit_status": 0, "peak_memory_bytes": 0, "config_hash": config_hash, "stages": [],
        "counts": Counts { documents: readings.len() as u64, ..Counts::default() },
        "job": { "job": { "name": "test" } }, "files": files,
    });
    std::fs::write(folder.join(RUN_JSON), record.to_string()).unwrap();
}

fn vocabulary(readings: &[Reading]) -> Table {
    let cf = |word: u32| readings.iter().map(|reading| u64::from(reading.counts[word as usize])).sum::<u64>();
    let words: Vec<u32> = (0..WORDS).filter(|&word| cf(word) > 0).collect();
    Table::new("vocabulary")
        .with("term_id", Column::U32(words.clone()))
        .with("term", Column::Str(words.iter().map(|word| format!("w{word}")).collect()))
        .with("cf", Column::U64(words.iter().map(|&word| cf(word)).collect()))
}

fn terms(readings: &[Reading]) -> Table {
    let rows: Vec<(&str, u32, u32)> = readings
        .iter()
        .flat_map(|reading| {
            let counts = (0..WORDS).zip(&reading.counts).filter(|(_, count)| **count > 0);
            counts.map(|(word, count)| (reading.id.as_str(), word, *count))
        })
        .collect();
    Table::new("terms")
        .with("doc_id", Column::Str(rows.iter().map(|row| row.0.to_owned()).collect()))
        .with("term_id", Column::U32(rows.iter().map(|row| row.1).collect()))
        .with("count", Column::U32(rows.iter().map(|row| row.2).collect()))
}

fn related(readings: &[Reading]) -> Vec<crate::compare::correlations::Correlation> {
    let mut texts = FeatureTable::default();
    let tokens = |reading: &Reading| f64::from(reading.counts.iter().sum::<u32>());
    let types = |reading: &Reading| reading.counts.iter().filter(|count| **count > 0).count() as f64;
    texts.push("tokens", readings.iter().map(tokens).collect());
    texts.push("types", readings.iter().map(types).collect());
    let mut sounds = FeatureTable::default();
    for (i, name) in FEATURES.iter().enumerate() {
        sounds.push(*name, readings.iter().map(|reading| reading.features[i]).collect());
    }
    let speakers: Vec<Option<&str>> = readings.iter().map(|reading| Some(reading.speaker.as_str())).collect();
    let resampling = Resampling { seed: 0, permutations: 99, bootstrap: 99 };
    correlations(&texts, &sounds, &Groups::from_labels(&speakers), &resampling)
}

fn held(a: &[Reading], b: &[Reading]) -> Difference {
    let folder = tempfile::tempdir().unwrap();
    let (here, there) = (folder.path().join("a"), folder.path().join("b"));
    publish(a, &here, "one");
    publish(b, &there, "one");
    difference(&here, &there, Thresholds::default()).unwrap()
}

/// Findings by part: words, sound, groups, relations.
fn findings(found: &Difference) -> [u64; 4] {
    [
        found.words.as_ref().map_or(0, |part| part.findings),
        found.sound.as_ref().map_or(0, |part| part.findings),
        found.groups.as_ref().map_or(0, |part| part.findings),
        found.relations.as_ref().map_or(0, |part| part.findings),
    ]
}

/// Two corpora of one source, with ids of their own.
fn two(seed: u64, each: u64) -> (Vec<Reading>, Vec<Reading>) {
    let mut a = readings(2 * each, seed);
    let b = a.split_off(each as usize);
    (a, b)
}

#[test]
fn a_planted_topic_is_found_in_the_words() {
    let (a, mut b) = two(1, 40);
    for reading in &mut b {
        (120..126).for_each(|word| reading.counts[word] += 2);
    }
    let found = held(&a, &b);
    assert_eq!((findings(&found)[1..].iter().sum::<u64>(), found.over_threshold), (0, true), "{found:?}");
    let words = found.words.unwrap();
    let first: Vec<&str> = words.rows.first.iter().take(6).map(|row| row.of.term.as_str()).collect();
    assert!((120..126).all(|word| first.contains(&format!("w{word}").as_str())), "{first:?}");
    assert!(words.rows.first[0].of.log_ratio.unwrap() > 1.0 && words.q.unwrap() <= 0.005);
}

#[test]
fn planted_loudness_is_found_in_the_sound() {
    let (a, mut b) = two(2, 40);
    for reading in &mut b {
        reading.features[0] += 1.5;
    }
    let found = held(&a, &b);
    let sound = found.sound.as_ref().unwrap();
    assert_eq!((findings(&found)[0], findings(&found)[2], sound.findings), (0, 0, 1), "{found:?}");
    let first = &sound.rows.first[0];
    assert_eq!((first.of.feature.as_str(), first.finding), ("loudness_lufs", true));
    assert!(first.of.hedges_g.unwrap() > 1.0 && first.of.cliffs_delta.unwrap() > 0.5);
    assert!(sound.compared.contains("within 4 groups"), "{}", sound.compared);
}

#[test]
fn a_planted_mix_of_speakers_is_found_in_the_groups() {
    let (a, b) = two(3, 80);
    let b: Vec<Reading> =
        b.into_iter().enumerate().filter(|(i, r)| r.speaker != "s0" || i % 8 == 0).map(|(_, r)| r).collect();
    let found = held(&a, &b);
    // The voices themselves are as before, and so are the words.
    assert_eq!((findings(&found)[0], findings(&found)[1]), (0, 0), "{found:?}");
    let groups = found.groups.unwrap();
    assert!(groups.findings > 0 && groups.rows.first[0].of.shift.groups[0].group == "s0", "{groups:?}");
}

#[test]
fn what_a_corpus_grew_by_stands_against_what_it_was() {
    let all = readings(80, 4);
    let (a, mut b) = (all[..50].to_vec(), all);
    b[50..].iter_mut().for_each(|reading| reading.counts[140] += 3);
    b[7].counts[3] += 1;
    let found = held(&a, &b);
    let documents = found.documents.as_ref().unwrap();
    assert_eq!((documents.same, documents.gained.count, documents.lost.count), (49, 30, 0));
    assert_eq!(documents.changed.first, ["r007"]);
    let words = found.words.as_ref().unwrap();
    assert!(words.compared.ends_with("31 against 49"), "{}", words.compared);
    assert_eq!((words.rows.first[0].of.term.as_str(), found.over_threshold), ("w140", true));
    let gone = held(&found_rows(80), &found_rows(60));
    assert!(gone.words.unwrap().compared.ends_with("stayed against those that went: 60 against 20"));
}

fn found_rows(count: u64) -> Vec<Reading> {
    readings(count, 4)
}

/// 100 corpora cut in two at random. 5 alarms are expected; more than 11 come once in a hundred times.
#[test]
fn random_halves_raise_an_alarm_no_more_often_than_asked_for() {
    let alarms: Vec<[u64; 4]> = (0..100)
        .map(|item| {
            let mut all = readings(60, 1000 + item);
            Stream::new(item, "halves", 0).shuffle(&mut all);
            let b = all.split_off(30);
            findings(&held(&all, &b))
        })
        .filter(|findings| findings.iter().sum::<u64>() > 0)
        .collect();
    assert!(alarms.len() <= 11, "{} alarms in 100 splits: {alarms:?}", alarms.len());
}

#[test]
fn what_cannot_be_compared_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let (a, b) = (folder.path().join("a"), folder.path().join("b"));
    let (readings_a, readings_b) = two(5, 20);
    publish(&readings_a, &a, "one");
    publish(&readings_b, &b, "other");
    let record = std::fs::read_to_string(b.join(RUN_JSON)).unwrap();
    std::fs::write(b.join(RUN_JSON), record.replace("terms.parquet", "terms.gone")).unwrap();
    let found = difference(&a, &b, Thresholds::default()).unwrap();
    assert!(found.notes.iter().any(|note| note.contains("other settings")), "{:?}", found.notes);
    let reasons: BTreeMap<&str, &str> = found.skipped.iter().map(|s| (s.part, s.reason.as_str())).collect();
    assert_eq!(reasons["words"], "run B has no table terms");
    assert_eq!(reasons["drift"], "neither run has the table embeddings");
    assert!(found.words.is_none() && found.sound.is_some());
    let same = difference(&a, &a, Thresholds::default()).unwrap();
    assert!(!same.over_threshold && same.notes.iter().any(|note| note.contains("same run")), "{same:?}");
    assert!(same.skipped.iter().any(|skipped| skipped.reason.contains("the same in both")));
    assert_eq!(difference(&a, folder.path(), Thresholds::default()).unwrap_err().exit_code(), 64);
}

#[test]
fn thresholds_decide_what_counts() {
    let (a, mut b) = two(2, 40);
    for reading in &mut b {
        reading.features[0] += 1.5;
    }
    let folder = tempfile::tempdir().unwrap();
    let (here, there) = (folder.path().join("a"), folder.path().join("b"));
    publish(&a, &here, "one");
    publish(&b, &there, "one");
    let found = |thresholds: Thresholds| difference(&here, &there, thresholds).unwrap();
    let standard = Thresholds::default;
    let all = found(standard()).findings;
    assert!(found(standard()).over_threshold);
    assert!(found(Thresholds { max_changes: all - 1, ..standard() }).over_threshold);
    assert!(!found(Thresholds { max_changes: all, ..standard() }).over_threshold);
    let of_sound = |thresholds: Thresholds| found(thresholds).sound.map_or(0, |part| part.findings);
    assert!(of_sound(standard()) > 0);
    assert_eq!(of_sound(Thresholds { ignored: vec![Part::Sound], ..standard() }), 0);
    assert_eq!(of_sound(Thresholds { effects: vec![(Part::Sound, 0.99)], ..standard() }), 0);
    assert_eq!(of_sound(Thresholds { alpha: 1e-6, ..standard() }), 0);
}
