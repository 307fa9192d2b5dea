//! Jobs over every format of documents and over manifests: what is read, what is not, and what the next night costs.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use serde_json::Value;

use crate::broken::table;
use crate::golden_file::{golden, list, text};
use crate::program::{code, contents, job_in, record, run_job, said, wordwave, write_tone};

/// A folder with a job.
struct Job {
    folder: tempfile::TempDir,
    path: PathBuf,
}

impl Job {
    fn new(job: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = job_in(folder.path(), job);
        Self { folder, path }
    }

    fn at(&self, name: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        path
    }

    fn put(&self, name: &str, contents: impl AsRef<[u8]>) {
        fs::write(self.at(name), contents).unwrap();
    }

    /// A night that ends with `status`; what is read is old enough that its stamp can be trusted.
    fn night(&self, output: &str, status: i32) -> PathBuf {
        std::thread::sleep(std::time::Duration::from_millis(30));
        let outcome = run_job(&self.path, &self.at(output), &[]);
        assert_eq!(code(&outcome), status, "{}", said(&outcome));
        fs::canonicalize(self.at(output).join("x/latest")).unwrap()
    }

    /// A night that must give what a first night gives.
    fn checked_night(&self, status: i32) -> PathBuf {
        let run = self.night("out", status);
        let _ = fs::remove_dir_all(self.at("fresh"));
        let fresh = self.night("fresh", status);
        let (a, b) = (contents(&run), contents(&fresh));
        assert_eq!(a.keys().collect::<Vec<_>>(), b.keys().collect::<Vec<_>>());
        for (name, bytes) in &a {
            assert!(b[name] == *bytes, "{name} differs");
        }
        run
    }

    /// What explain says of each side: inputs, those whose results are kept.
    fn kept(&self) -> Vec<(u64, u64)> {
        std::thread::sleep(std::time::Duration::from_millis(30));
        let set = format!("job.output={:?}", self.at("out").to_str().unwrap());
        let outcome = wordwave(&["explain", self.path.to_str().unwrap(), "--set", &set, "--format", "json"]);
        assert_eq!(code(&outcome), 0, "{}", said(&outcome));
        let told: Value = serde_json::from_slice(&outcome.stdout).unwrap();
        let sides = told["sides"].as_array().unwrap().iter();
        sides.map(|side| (side["inputs"].as_u64().unwrap(), side["kept"].as_u64().unwrap())).collect()
    }
}

/// The columns `names` of a table, a row a line.
fn lines(run: &Path, name: &str, names: &[&str]) -> Vec<String> {
    let line = |row: BTreeMap<String, String>| {
        names.iter().map(|name| row[*name].as_str()).collect::<Vec<_>>().join("|")
    };
    table(run, name).into_iter().map(line).collect()
}

/// Stages that took time.
fn computed(run: &Path) -> BTreeSet<String> {
    let record = record(run);
    let stages = record["stages"].as_array().unwrap();
    let took_time = stages.iter().filter(|stage| stage["seconds"].as_f64().unwrap() > 0.0);
    took_time.map(|stage| stage["name"].as_str().unwrap().to_owned()).collect()
}

fn gz(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    std::io::Write::write_all(&mut encoder, bytes).unwrap();
    encoder.finish().unwrap()
}

const ROWS: &str = "
[job]
name = 'x'
[documents]
include = ['text/**/*']
fields = { group = 'who', keep = ['lang'] }
group = '^([a-z]+)'
[bag_of_words]
weight = 'count'
";

#[test]
fn every_format_is_read_and_what_is_broken_in_it_is_a_row() {
    let job = Job::new(ROWS);
    job.put("text/page.html", "<title>no</title><p>rain on the <b>roof</b><script>no()</script>");
    job.put("text/old.htm", b"<meta charset=windows-1251><p>\xCF\xF0\xE8\xE2\xE5\xF2 \xEC\xE8\xF0");
    job.put("text/noise.html", [0u8, 1, 2, 3, 255]);
    job.put(
        "text/a.jsonl",
        "{\"id\": \"j1\", \"text\": \"rain rain\", \"who\": \"anna\", \"lang\": \"en\"}\n{\"id\": \"j2\"\n{\"text\": \"sun\"}\n",
    );
    job.put("text/b.ndjson.gz", gz(b"{\"id\": \"j3\", \"text\": \"wind\"}\n{\"id\": \"j4\", \"text\": 4}\n"));
    job.put("text/c.csv", "id,text,lang\nc1,\"rain,\nsun\",de\nc2,too,many,fields\n");
    job.put("text/d.tsv.zst", zstd::encode_all(&b"text\tid\nhill\tt1\n"[..], 1).unwrap());
    job.put("text/e.csv", "name,words\nx,y\n");
    job.put("text/cut.parquet", b"PAR1 and no more");
    let run = job.night("out", 3);
    let documents = lines(&run, "documents", &["doc_id", "source", "group", "lang", "tokens"]);
    let expected = [
        "a#3|a.jsonl|a||1",
        "c1|c.csv|c|de|2",
        "j1|a.jsonl|anna|en|2",
        "j3|b.ndjson.gz|j||1",
        "old|old.htm|old||2",
        "page|page.html|page||4",
        "t1|d.tsv.zst|t||1",
    ];
    assert_eq!(documents, expected);
    let expected = [
        "a.jsonl|not_json|63",
        "b.ndjson.gz|wrong_type|29",
        "c.csv|row_width|31",
        "cut.parquet|broken_parquet|",
        "e.csv|no_text|0",
        "noise.html|not_text|0",
    ];
    assert_eq!(lines(&run, "quarantine", &["source", "code", "byte_offset"]), expected);
}

#[test]
fn parquet_is_read_by_a_job_and_costs_nothing_when_it_stands() {
    let files = golden("rows.json");
    let job = Job::new(&ROWS.replace("group = 'who', ", "id = 'key', text = 'words', group = 'who', "));
    for file in
        list(&files["files"]).iter().filter(|file| text(&file["name"]) == "zstd, row groups of 5.parquet")
    {
        let bytes = base64::engine::general_purpose::STANDARD.decode(text(&file["base64"])).unwrap();
        job.put("text/rows.parquet", bytes);
    }
    let run = job.checked_night(3);
    assert_eq!(table(&run, "documents").len(), 21);
    assert_eq!(lines(&run, "quarantine", &["code"]), ["no_text"; 3]);
    assert_eq!(computed(&job.night("out", 3)), BTreeSet::new());
}

#[test]
fn a_row_that_changes_is_counted_alone() {
    let job = Job::new(ROWS);
    let rows = |tag: &str, changed: &str| -> String {
        let word = |n: usize| if n == 7 { changed } else { "rain" };
        (0..40)
            .map(|n| format!("{{\"id\": \"{tag}{n:02}\", \"text\": \"{} {tag} {n}\"}}\n", word(n)))
            .collect()
    };
    for (name, tag) in [("text/rows.jsonl", "r"), ("text/more.jsonl.gz", "z")] {
        let put = |changed: &str| {
            let text = rows(tag, changed);
            job.put(name, if name.ends_with("gz") { gz(text.as_bytes()) } else { text.into_bytes() });
        };
        put("rain");
        job.checked_night(0);
        assert_eq!(computed(&job.night("out", 0)), BTreeSet::new(), "{name}");
        let all = job.kept()[0].0;
        put("sun");
        assert_eq!(job.kept(), [(all, all - 1)], "{name}");
        let run = job.checked_night(0);
        assert!(lines(&run, "vocabulary", &["term"]).contains(&"sun".to_owned()));
        // What its row says of a document changes the tables, and costs no reading.
        let labelled = rows(tag, "sun").replace("\"text\"", "\"lang\": \"en\", \"text\"");
        if name == "text/rows.jsonl" {
            job.put(name, labelled);
            assert_eq!(job.kept(), [(all, all)], "{name}");
            let run = job.checked_night(0);
            assert!(lines(&run, "documents", &["lang"]).iter().all(|lang| lang == "en"));
        }
    }
}

const MANIFEST: &str = "
[job]
name = 'x'
[manifest]
path = 'corpus/manifest.jsonl'
[bag_of_words]
[embeddings]
dims = 4
epochs = 1
min_count = 1
[features]
sets = ['spectral', 'quality']
[compare]
permutations = 19
bootstrap = 19
";

fn manifest_rows() -> Vec<String> {
    let mut rows: Vec<String> = (0..8)
        .map(|n| {
            let words = ["rain", "sun", "wind", "hill"].iter().cycle().skip(n).take(3 + n).copied();
            let words = words.collect::<Vec<_>>().join(" ");
            let speaker = if n % 2 == 0 { "anna" } else { "ben" };
            format!(
                "{{\"audio_filepath\": \"wavs/t{n}.wav\", \"text\": \"{words}\", \"speaker\": \"{speaker}\"}}"
            )
        })
        .collect();
    rows.extend(
        [
            "{\"audio_filepath\": \"long.wav\", \"text\": \"a part\", \"offset\": 0.5, \"duration\": 0.25}",
            "{\"audio_filepath\": \"long.wav\", \"text\": \"the rest\", \"offset\": 1.5}",
            "{\"audio_filepath\": \"gone.wav\", \"text\": \"nobody said it\"}",
            "{\"audio_filepath\": \"silent.wav\"}",
            "{\"audio_filepath\": \"long.wav\", \"text\": \"beyond\", \"offset\": 60}",
            "{\"audio_filepath\": \"long.wav\", \"text\": \"too far\", \"offset\": 1.8, \"duration\": 9}",
            "no json",
        ]
        .map(String::from),
    );
    rows
}

fn manifest_job(job: &str) -> Job {
    let job = Job::new(job);
    for n in 0..8u32 {
        write_tone(&job.at(&format!("corpus/wavs/t{n}.wav")), 150.0 + 40.0 * f64::from(n), 0.3);
    }
    write_tone(&job.at("corpus/long.wav"), 500.0, 2.0);
    write_tone(&job.at("corpus/silent.wav"), 300.0, 0.3);
    job
}

#[test]
fn a_manifest_is_both_sides_paired() {
    let job = manifest_job(MANIFEST);
    job.put("corpus/manifest.jsonl", manifest_rows().join("\n"));
    let run = job.checked_night(3);
    let pairs = lines(&run, "pairs", &["doc_id", "clip_id", "group"]);
    assert_eq!(pairs.len(), 11, "{pairs:?}");
    assert!(pairs.contains(&"wavs/t3|wavs/t3|ben".to_owned()), "{pairs:?}");
    let clips = table(&run, "clips");
    let seconds: BTreeMap<&str, &str> =
        clips.iter().map(|row| (row["clip_id"].as_str(), row["seconds"].as_str())).collect();
    assert_eq!((seconds["long@0.5"], seconds["long@1.5"]), ("0.25", "0.5"));
    assert!(seconds.contains_key("silent") && !seconds.contains_key("gone"));
    let counts = record(&run)["counts"].clone();
    assert_eq!(
        (&counts["unpaired_documents"], &counts["unpaired_clips"]),
        (&Value::from(2), &Value::from(1))
    );
    let mut quarantined = lines(&run, "quarantine", &["source", "code"]);
    quarantined.sort();
    let expected = [
        "gone.wav|missing_recording",
        "long.wav|no_such_part",
        "manifest.jsonl|no_text",
        "manifest.jsonl|not_json",
    ];
    assert_eq!(quarantined, expected);
    assert_eq!(lines(&run, "warnings", &["source", "code"]), ["long.wav|shorter_than_said"]);
    assert_eq!(computed(&job.night("out", 3)), BTreeSet::new());
}

#[test]
fn a_part_of_a_recording_is_analysed_as_a_recording_of_its_own() {
    let job = manifest_job(MANIFEST);
    let samples: Vec<i16> = hound::WavReader::open(job.at("corpus/long.wav"))
        .unwrap()
        .into_samples()
        .map(Result::unwrap)
        .collect();
    let spec = hound::WavReader::open(job.at("corpus/long.wav")).unwrap().spec();
    let mut writer = hound::WavWriter::create(job.at("corpus/alone.wav"), spec).unwrap();
    samples[8_000..12_000].iter().for_each(|&sample| writer.write_sample(sample).unwrap());
    writer.finalize().unwrap();
    let alone = "{\"audio_filepath\": \"alone.wav\", \"text\": \"a part\"}".to_owned();
    let part =
        "{\"audio_filepath\": \"./long.wav\", \"text\": \"a part\", \"offset\": 0.5, \"duration\": 0.25}";
    job.put("corpus/manifest.jsonl", [alone, part.to_owned()].join("\n"));
    let run = job.night("out", 0);
    let rows = table(&run, "clips");
    let named = |row: &BTreeMap<String, String>| -> Vec<String> {
        let names = ["clip_id", "source", "blake3"];
        row.iter()
            .filter(|(name, _)| !names.contains(&name.as_str()))
            .map(|(_, value)| value.clone())
            .collect()
    };
    assert_eq!(rows.len(), 2);
    assert_eq!(named(&rows[0]), named(&rows[1]));
}

#[test]
fn a_row_of_a_manifest_that_changes_costs_that_row() {
    let job = manifest_job(MANIFEST);
    let mut rows = manifest_rows();
    job.put("corpus/manifest.jsonl", rows.join("\n"));
    job.night("out", 3);
    let [(documents, _), (clips, _)] = job.kept()[..] else { panic!("two sides") };
    assert_eq!(job.kept(), [(documents, documents), (clips, clips)]);
    rows[2] = rows[2].replace("wind", "snow");
    job.put("corpus/manifest.jsonl", rows.join("\n"));
    assert_eq!(job.kept(), [(documents, documents - 1), (clips, clips)]);
    job.checked_night(3);
    // Another part of a recording is another recording; another speaker is another label.
    rows[8] = rows[8].replace("0.25", "0.3");
    rows[3] = rows[3].replace("ben", "carl");
    job.put("corpus/manifest.jsonl", rows.join("\n"));
    assert_eq!(job.kept(), [(documents, documents), (clips, clips - 1)]);
    let run = job.checked_night(3);
    assert!(lines(&run, "clips", &["clip_id", "group"]).contains(&"wavs/t3|carl".to_owned()));
    // The recording itself.
    write_tone(&job.at("corpus/wavs/t5.wav"), 99.0, 0.2);
    job.checked_night(3);
}

#[test]
fn the_manifests_of_ljspeech_and_csv_give_the_same_pairs() {
    let words = |n: u32| format!("rain over hill number {n}");
    let lj: String = (0..8).map(|n| format!("t{n}|No. {n}|{}\n", words(n))).collect();
    let csv: String = (0..8).map(|n| format!("\"{}\",wavs/t{n}.wav\n", words(n))).collect();
    let tables =
        [("metadata.csv", lj), ("rows.csv.gz", format!("text,audio_filepath\n{csv}"))].map(|(name, text)| {
            let job = manifest_job(&MANIFEST.replace("manifest.jsonl", name));
            let packed =
                if name.rsplit('.').next() == Some("gz") { gz(text.as_bytes()) } else { text.into_bytes() };
            job.put(&format!("corpus/{name}"), packed);
            let run = job.checked_night(0);
            let pairs = lines(&run, "pairs", &["doc_id", "words_per_minute"]);
            let terms = lines(&run, "vocabulary", &["term", "cf"]);
            (pairs.into_iter().map(|line| line.replace("wavs/", "")).collect::<Vec<_>>(), terms)
        });
    assert_eq!(tables[0].0.len(), 8);
    assert_eq!(tables[0], tables[1]);
}

#[test]
fn a_manifest_that_is_not_there_or_is_none_is_told() {
    let job = manifest_job(MANIFEST);
    let told = |status: i32, hint: &str| {
        let outcome = run_job(&job.path, &job.at("out"), &[]);
        assert_eq!(code(&outcome), status, "{}", said(&outcome));
        assert!(said(&outcome).contains(hint), "{}", said(&outcome));
    };
    told(65, "manifest.path");
    job.put("corpus/manifest.jsonl", "path,words\na.wav,one\n");
    told(65, "is no manifest");
    job.put("corpus/manifest.jsonl", "");
    told(65, "no rows");
}
