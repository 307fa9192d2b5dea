//! What a timer needs of the program: metrics, lineage, a log that can be searched, a limit on memory.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::program::{code, job_in, record, run_job, said, wordwave};

const WORDS: &str = "[job]\nname = 'x'\n[documents]\ninclude = ['text/*.txt']\n[bag_of_words]\n";

/// A folder with two documents, one of which cannot be read, and the job file of [`WORDS`].
fn corpus(folder: &Path) -> (PathBuf, PathBuf) {
    std::fs::create_dir_all(folder.join("text")).unwrap();
    std::fs::write(folder.join("text/good.txt"), "rain over the hills").unwrap();
    std::fs::write(folder.join("text/noise.txt"), [0u8, 1, 2, 3, 255, 254]).unwrap();
    (job_in(folder, WORDS), folder.join("out"))
}

/// The samples of a metrics file by name and labels; checks that every family has its HELP and TYPE.
fn samples(path: &Path) -> BTreeMap<String, f64> {
    let text = std::fs::read_to_string(path).unwrap();
    let mut samples = BTreeMap::new();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let (name, value) = line.rsplit_once(' ').unwrap();
        let family = name.split('{').next().unwrap();
        for kind in ["HELP", "TYPE"] {
            assert_eq!(text.matches(&format!("# {kind} {family} ")).count(), 1, "{line}");
        }
        assert!(samples.insert(name.to_owned(), value.parse().unwrap()).is_none(), "{line} twice");
    }
    samples
}

fn events(path: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn metrics_tell_of_the_last_run_and_a_failure_keeps_the_last_success() {
    let folder = tempfile::tempdir().unwrap();
    let (job, output) = corpus(folder.path());
    let path = folder.path().join("x.prom");
    let metrics = ["--metrics", path.to_str().unwrap()];
    assert_eq!(code(&run_job(&job, &output, &metrics)), 3);
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o644);
    let of = |samples: &BTreeMap<String, f64>, name: &str| samples[&format!("wordwave_{name}{{job=\"x\"}}")];
    let first = samples(&path);
    let record = record(&output.join("x/latest"));
    assert_eq!((of(&first, "run_success"), of(&first, "run_exit_status")), (1.0, 3.0));
    assert_eq!((of(&first, "run_documents"), of(&first, "run_quarantined")), (1.0, 1.0));
    assert_eq!(of(&first, "run_tokens"), record["counts"]["tokens"].as_f64().unwrap());
    assert_eq!(of(&first, "run_peak_memory_bytes"), record["peak_memory_bytes"].as_f64().unwrap());
    assert_eq!(of(&first, "last_success_timestamp_seconds"), of(&first, "run_end_timestamp_seconds"));
    assert!(of(&first, "run_end_timestamp_seconds") >= of(&first, "run_start_timestamp_seconds"));
    for stage in record["stages"].as_array().unwrap() {
        let labels = format!("{{job=\"x\",stage={}}}", stage["name"]);
        assert_eq!(first[&format!("wordwave_run_stage_items{labels}")], stage["items"].as_f64().unwrap());
        assert_eq!(first[&format!("wordwave_run_stage_seconds{labels}")], stage["seconds"].as_f64().unwrap());
    }
    // Too much in quarantine, then a job file that is no job: both fail, neither forgets the success.
    let success = of(&first, "last_success_timestamp_seconds");
    for (text, status) in [(format!("{WORDS}\n"), 65.0), (format!("{WORDS}colour = 1\n"), 78.0)] {
        job_in(folder.path(), &text);
        run_job(&job, &output, &["--set", "job.max_quarantine=0.1", metrics[0], metrics[1]]);
        let failed = samples(&path);
        assert_eq!((of(&failed, "run_success"), of(&failed, "run_exit_status")), (0.0, status));
        assert_eq!(of(&failed, "last_success_timestamp_seconds"), success);
        assert!(!failed.contains_key("wordwave_run_documents{job=\"x\"}"));
    }
}

#[test]
fn metrics_that_cannot_be_written_are_known_before_the_work() {
    let folder = tempfile::tempdir().unwrap();
    let (job, output) = corpus(folder.path());
    for flag in ["--metrics", "--lineage"] {
        let outcome = run_job(&job, &output, &[flag, "/nowhere/file"]);
        assert_eq!(code(&outcome), 74);
        assert!(said(&outcome).contains("/nowhere/file"), "{}", said(&outcome));
    }
    assert!(!output.exists());
}

/// The fields that the schemas of OpenLineage 2-0-2 require, and their forms.
fn is_a_run_event(event: &Value) {
    let text = |value: &Value| value.as_str().unwrap_or_else(|| panic!("{value} is no text")).to_owned();
    assert!(text(&event["eventTime"]).ends_with('Z'));
    assert!(text(&event["producer"]).starts_with("pkg:cargo/wordwave@"));
    assert_eq!(event["schemaURL"], "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent");
    let id = text(&event["run"]["runId"]);
    assert_eq!(id.split('-').map(str::len).collect::<Vec<_>>(), [8, 4, 4, 4, 12], "{id}");
    assert!(id.chars().all(|c| c == '-' || c.is_ascii_hexdigit()));
    assert_eq!(
        (text(&event["job"]["namespace"]), text(&event["job"]["name"])),
        ("wordwave".into(), "x".into())
    );
    for dataset in ["inputs", "outputs"].iter().flat_map(|side| event[side].as_array().unwrap()) {
        assert_eq!(dataset["namespace"], "file");
        assert!(text(&dataset["name"]).starts_with('/'));
    }
    facets_name_their_schema(event);
}

fn facets_name_their_schema(value: &Value) {
    match value {
        Value::Object(fields) => {
            for (name, field) in fields {
                if name.to_lowercase().ends_with("facets") {
                    for facet in field.as_object().unwrap().values() {
                        assert!(facet["_producer"].is_string() && facet["_schemaURL"].is_string(), "{facet}");
                    }
                }
                facets_name_their_schema(field);
            }
        }
        Value::Array(items) => items.iter().for_each(facets_name_their_schema),
        _ => {}
    }
}

#[test]
fn lineage_has_a_beginning_and_an_end_for_every_run() {
    let folder = tempfile::tempdir().unwrap();
    let (job, output) = corpus(folder.path());
    let path = folder.path().join("lineage.jsonl");
    let lineage = ["--lineage", path.to_str().unwrap()];
    assert_eq!(code(&run_job(&job, &output, &lineage)), 3);
    run_job(&job, &output, &["--set", "job.max_quarantine=0.1", lineage[0], lineage[1]]);
    let events = events(&path);
    let kinds: Vec<&str> = events.iter().map(|event| event["eventType"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["START", "COMPLETE", "START", "FAIL"]);
    events.iter().for_each(is_a_run_event);
    let id = |i: usize| events[i]["run"]["runId"].as_str().unwrap();
    assert!(id(0) == id(1) && id(2) == id(3) && id(0) != id(2));
    assert_eq!(events[0]["inputs"][0]["name"], folder.path().join("text").to_str().unwrap());
    let files = record(&output.join("x/latest"))["files"].clone();
    let latest = output.join("x/latest");
    let table = |name: &str| {
        let name = latest.join(name).to_string_lossy().into_owned();
        events[1]["outputs"].as_array().unwrap().iter().find(|table| table["name"] == name.as_str()).unwrap()
    };
    let documents = &table("documents.parquet")["outputFacets"]["outputStatistics"];
    assert_eq!(documents["rowCount"], files["documents.parquet"]["rows"]);
    assert_eq!(documents["size"], files["documents.parquet"]["bytes"]);
    assert_eq!(table("terms")["outputFacets"]["outputStatistics"]["rowCount"], 4);
    let message = events[3]["run"]["facets"]["errorMessage"]["message"].as_str().unwrap();
    assert!(message.contains("max_quarantine"), "{message}");
}

#[test]
fn every_line_of_the_log_names_the_run_and_complaints_the_item() {
    let folder = tempfile::tempdir().unwrap();
    let (job, output) = corpus(folder.path());
    let outcome = run_job(&job, &output, &["--log-format", "json"]);
    let run = record(&output.join("x/latest"))["run_id"].clone();
    let lines: Vec<Value> = said(&outcome).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(lines.len() > 5);
    for line in &lines {
        assert_eq!((&line["run"], &line["job"]), (&run, &Value::from("x")), "{line}");
    }
    let complaint = lines.iter().find(|line| line["level"] == "WARN").unwrap();
    assert_eq!((&complaint["item"], &complaint["code"]), (&"noise.txt".into(), &"not_text".into()));
    // A person's log off a terminal has the time in front, and the same names.
    let text = said(&run_job(&job, &output, &[]));
    let complaint =
        text.lines().find(|line| line.contains("in quarantine") && line.contains("WARN")).unwrap();
    assert!(complaint.starts_with("20") && complaint.contains("item=\"noise.txt\""), "{complaint}");
    assert!(complaint.contains("run=\"20"), "{complaint}");
}

#[test]
fn complaints_about_arguments_follow_the_form_of_the_log() {
    for arguments in [["run", "--log-format", "json", "--fly"].as_slice(), &["--log-format=json", "fly"]] {
        let outcome = wordwave(arguments);
        assert_eq!(code(&outcome), 64);
        let line: Value = serde_json::from_str(&said(&outcome)).unwrap();
        assert_eq!((&line["level"], &line["exit_code"]), (&"ERROR".into(), &64.into()));
        assert!(line["message"].as_str().unwrap().contains("fly"), "{line}");
    }
}

#[test]
fn quiet_silences_what_is_said_to_a_person() {
    let folder = tempfile::tempdir().unwrap();
    let init = |name: &str, further: &[&str]| {
        let path = folder.path().join(name);
        let mut arguments = vec!["init", path.to_str().unwrap()];
        arguments.extend(further);
        said(&wordwave(&arguments))
    };
    assert!(init("a", &[]).contains("wordwave check"));
    assert_eq!(init("b", &["--quiet"]), "");
}

#[test]
fn off_a_terminal_a_run_tells_from_time_to_time_that_it_lives() {
    let output = tempfile::tempdir().unwrap();
    let job = crate::program::project().join("corpora/sample/job.toml");
    // The permutations last until the run is stopped, so that there is time for a heartbeat.
    let beats = |seconds: &str| {
        let set = format!("job.output={:?}", output.path().to_str().unwrap());
        let mut child = std::process::Command::new(env!("CARGO_BIN_EXE_wordwave"))
            .args([
                "run",
                job.to_str().unwrap(),
                "--set",
                &set,
                "--log-format",
                "json",
                "--heartbeat",
                seconds,
            ])
            .args(["--set", "compare.permutations=4000000000", "--set", "embeddings.epochs=1"])
            .stderr(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        let log = std::io::BufRead::lines(std::io::BufReader::new(child.stderr.take().unwrap()));
        let beat = log
            .map(|line| serde_json::from_str::<Value>(&line.unwrap()).unwrap())
            .find(|line| line["message"] == "alive" && line["total"].as_u64().is_some());
        child.kill().unwrap();
        child.wait().unwrap();
        beat.unwrap()
    };
    let beat = beats("1");
    assert!(beat["stage"].is_string() && beat["done"].is_u64() && beat["per_second"].is_number(), "{beat}");
    assert!(beat["memory_bytes"].as_u64().unwrap() > 0);
}

#[test]
fn a_run_over_its_memory_ends_with_words_that_help_and_publishes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let output = folder.path().join("out");
    let (metrics, lineage) = (folder.path().join("x.prom"), folder.path().join("x.jsonl"));
    let job = crate::program::project().join("corpora/sample/job.toml");
    let watched = [
        "--max-memory",
        "1MiB",
        "--metrics",
        metrics.to_str().unwrap(),
        "--lineage",
        lineage.to_str().unwrap(),
    ];
    let outcome = run_job(&job, &output, &watched);
    assert_eq!(code(&outcome), 74, "{}", said(&outcome));
    for part in ["more than --max-memory 1.0 MiB", "nothing was published", "--threads"] {
        assert!(said(&outcome).contains(part), "{}", said(&outcome));
    }
    assert!(!output.join("sample/latest").exists());
    assert_eq!(samples(&metrics)["wordwave_run_exit_status{job=\"sample\"}"], 74.0);
    let last = events(&lineage).pop().unwrap();
    assert_eq!(last["eventType"], "FAIL");
    assert!(last["run"]["facets"]["errorMessage"]["message"].as_str().unwrap().contains("--max-memory"));
    assert_eq!(code(&wordwave(&["run", job.to_str().unwrap(), "--max-memory", "much"])), 64);
    // What is enough is not noticed.
    let quick = ["--max-memory", "64GiB", "--set", "embeddings.epochs=1", "--set", "compare.permutations=9"];
    let outcome = run_job(&job, &output, &quick);
    assert_eq!(code(&outcome), 0, "{}", said(&outcome));
}

#[test]
fn a_signal_that_ends_a_run_deep_in_one_computation_is_told_of_all_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let (metrics, lineage) = (folder.path().join("x.prom"), folder.path().join("x.jsonl"));
    let set = format!("job.output={:?}", folder.path().join("out").to_str().unwrap());
    let job = crate::program::project().join("corpora/sample/job.toml");
    let mut child = std::process::Command::new(env!("CARGO_BIN_EXE_wordwave"))
        .args(["run", job.to_str().unwrap(), "--set", &set, "--set", "embeddings.epochs=1"])
        .args(["--set", "compare.permutations=4000000000", "--quiet"])
        .args(["--metrics", metrics.to_str().unwrap(), "--lineage", lineage.to_str().unwrap()])
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    while events(&lineage).is_empty() {
        assert!(child.try_wait().unwrap().is_none(), "it ended by itself");
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    std::process::Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(143));
    assert_eq!(samples(&metrics)["wordwave_run_exit_status{job=\"sample\"}"], 143.0);
    let events = events(&lineage);
    assert_eq!(events.len(), 2);
    assert_eq!(events[1]["eventType"], "ABORT");
}

#[test]
fn the_units_and_the_cron_line_use_flags_that_there_are() {
    let help = String::from_utf8(wordwave(&["run", "--help"]).stdout).unwrap();
    for file in ["systemd/wordwave@.service", "cron/wordwave", "README.md"] {
        let text = std::fs::read_to_string(crate::program::project().join("packaging").join(file)).unwrap();
        let text = text.replace("\\\n", " ");
        let rest = text.split("wordwave run /").skip(1);
        let commands: Vec<&str> = rest.filter_map(|rest| rest.split(['\n', '`']).next()).collect();
        assert!(!commands.is_empty(), "{file}");
        for flag in commands.iter().flat_map(|line| line.split(' ')).filter(|word| word.starts_with("--")) {
            assert!(help.contains(flag), "{file}: {flag}");
        }
    }
}
