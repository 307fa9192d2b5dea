//! What goes wrong at night: each with its exit status and a message that says what to do, and no half-written run.

use std::path::Path;

use crate::program::{code, job_in, record, run_job, said, wordwave, write_tone};

const BOTH: &str = "[job]\nname = 'x'\n[documents]\ninclude = ['text/*']\n[bag_of_words]\n[clips]\ninclude = ['audio/*']\n[features]\n";

fn corpus(folder: &Path) {
    std::fs::create_dir_all(folder.join("text")).unwrap();
    std::fs::write(folder.join("text/good.txt"), "rain over the hills").unwrap();
    write_tone(&folder.join("audio/good.wav"), 200.0, 0.4);
}

fn no_run_is_visible(output: &Path) {
    let mut entries = std::fs::read_dir(output.join("x")).map_or(0, Iterator::count);
    if output.join("x/.store").exists() {
        entries -= 1;
        assert!(!output.join("x/.store/staging").exists());
    }
    assert_eq!(entries, 0);
}

#[test]
fn broken_inputs_are_rows_in_quarantine_and_the_rest_is_published() {
    let folder = tempfile::tempdir().unwrap();
    corpus(folder.path());
    std::fs::write(folder.path().join("text/noise.txt"), [0u8, 1, 2, 3, 255, 254]).unwrap();
    std::fs::write(folder.path().join("audio/broken.wav"), b"RIFF\x24\0\0\0WAVEjunk").unwrap();
    let cut = std::fs::read(folder.path().join("audio/good.wav")).unwrap();
    std::fs::write(folder.path().join("audio/cut.wav"), &cut[..cut.len() / 2]).unwrap();
    let outcome = run_job(&job_in(folder.path(), BOTH), &folder.path().join("out"), &[]);
    assert_eq!(code(&outcome), 3, "{}", said(&outcome));
    let run = folder.path().join("out/x/latest");
    let counts = &record(&run)["counts"];
    assert_eq!((counts["documents"].as_u64(), counts["clips"].as_u64()), (Some(1), Some(2)));
    assert_eq!((counts["quarantined"].as_u64(), counts["warnings"].as_u64()), (Some(2), Some(1)));
    let rows = wordwave(&["show", run.to_str().unwrap(), "--table", "quarantine"]);
    let rows = String::from_utf8(rows.stdout).unwrap();
    assert!(
        rows.contains("broken.wav\tread\tbroken_header") && rows.contains("noise.txt\tread\tnot_text"),
        "{rows}"
    );
}

#[test]
fn too_much_in_quarantine_ends_the_job() {
    let folder = tempfile::tempdir().unwrap();
    corpus(folder.path());
    std::fs::write(folder.path().join("text/noise.txt"), [0u8; 64]).unwrap();
    let output = folder.path().join("out");
    let outcome = run_job(&job_in(folder.path(), BOTH), &output, &["--set", "job.max_quarantine=0.1"]);
    assert_eq!(code(&outcome), 65);
    assert!(
        said(&outcome).contains("noise.txt") && said(&outcome).contains("max_quarantine"),
        "{}",
        said(&outcome)
    );
    no_run_is_visible(&output);
}

#[test]
fn a_missing_folder_an_empty_one_and_an_unknown_key_say_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let output = folder.path().join("out");
    let job = job_in(folder.path(), BOTH);
    let outcome = run_job(&job, &output, &[]);
    assert_eq!(code(&outcome), 65);
    assert!(said(&outcome).contains("does not exist; create or mount it"), "{}", said(&outcome));
    std::fs::create_dir_all(folder.path().join("text")).unwrap();
    std::fs::create_dir_all(folder.path().join("audio")).unwrap();
    let outcome = run_job(&job, &output, &[]);
    assert_eq!(code(&outcome), 65);
    assert!(said(&outcome).contains("no file matches text/*, audio/*"), "{}", said(&outcome));
    no_run_is_visible(&output);
    let job = job_in(folder.path(), "[job]\nname = 'x'\n[documents]\ninclud = []\n");
    let outcome = run_job(&job, &output, &[]);
    assert_eq!(code(&outcome), 78);
    assert!(
        said(&outcome).contains("job.toml:4: unknown key documents.includ; did you mean documents.include?"),
        "{}",
        said(&outcome)
    );
    let outcome = wordwave(&["run", "/nowhere/job.toml"]);
    assert_eq!(code(&outcome), 78);
}

#[test]
fn an_output_that_cannot_be_written_is_an_io_error() {
    let folder = tempfile::tempdir().unwrap();
    corpus(folder.path());
    let job = job_in(folder.path(), BOTH);
    std::fs::write(folder.path().join("file"), "").unwrap();
    let outcome = run_job(&job, &folder.path().join("file/out"), &[]);
    assert_eq!(code(&outcome), 74);
    assert!(said(&outcome).contains("cannot create the folder"), "{}", said(&outcome));
    // /dev/full and a read-only mount need root; procfs refuses folders to everybody.
    let outcome = run_job(&job, Path::new("/proc/wordwave"), &[]);
    assert_eq!(code(&outcome), 74, "{}", said(&outcome));
}

/// Fills a small tmpfs; needs the right to mount one.
#[test]
fn a_full_disk_leaves_no_half_written_run() {
    let folder = tempfile::tempdir().unwrap();
    corpus(folder.path());
    let disk = folder.path().join("disk");
    std::fs::create_dir(&disk).unwrap();
    let mount = std::process::Command::new("mount")
        .args(["-t", "tmpfs", "-o", "size=24k", "tmpfs"])
        .arg(&disk)
        .output();
    if !mount.is_ok_and(|mount| mount.status.success()) {
        eprintln!("skipped: no right to mount a tmpfs");
        return;
    }
    let outcome = run_job(&job_in(folder.path(), BOTH), &disk, &[]);
    let message = said(&outcome);
    let visible = std::fs::read_dir(disk.join("x")).map_or(0, Iterator::count);
    let staging = disk.join("x/.store/staging").exists();
    let _ = std::process::Command::new("umount").arg(&disk).status();
    assert_eq!(code(&outcome), 74, "{message}");
    assert!(message.contains("No space left") && message.contains("free some space"), "{message}");
    assert!(visible <= 1 && !staging, "{visible} entries, staging {staging}");
}

#[test]
fn a_job_that_is_running_is_not_run_twice() {
    let folder = tempfile::tempdir().unwrap();
    corpus(folder.path());
    let output = folder.path().join("out");
    std::fs::create_dir_all(output.join("x/.store")).unwrap();
    let lock = std::fs::File::create(output.join("x/.store/lock")).unwrap();
    lock.lock().unwrap();
    let outcome = run_job(&job_in(folder.path(), BOTH), &output, &[]);
    assert_eq!(code(&outcome), 75);
    assert!(said(&outcome).contains("already running"), "{}", said(&outcome));
}

/// Starts a job, sends SIGTERM once `begun` says so, and gives its exit status.
fn terminated(job: &Path, output: &Path, further: &[&str], begun: impl Fn() -> bool) -> Option<i32> {
    let mut child = std::process::Command::new(env!("CARGO_BIN_EXE_wordwave"))
        .args(["run", job.to_str().unwrap(), "--set", &format!("job.output={:?}", output.to_str().unwrap())])
        .args(further)
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    while !begun() {
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    std::thread::sleep(std::time::Duration::from_millis(200));
    let sent = std::process::Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap();
    assert!(sent.success());
    child.wait().unwrap().code()
}

#[test]
fn a_signal_ends_the_run_with_its_status_and_publishes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    corpus(folder.path());
    let long = "one two three four five six seven ".repeat(20_000);
    std::fs::write(folder.path().join("text/long.txt"), long).unwrap();
    let job = job_in(folder.path(), &format!("{BOTH}[embeddings]\nepochs = 1000\n"));
    let output = folder.path().join("out");
    let code = terminated(&job, &output, &[], || output.join("x/.store/staging").exists());
    assert_eq!(code, Some(143));
    no_run_is_visible(&output);
}

#[test]
fn a_signal_ends_a_run_that_is_deep_in_one_computation() {
    let output = tempfile::tempdir().unwrap();
    let further = ["--set", "compare.permutations=4000000000", "--set", "embeddings.epochs=1"];
    let job = crate::program::project().join("corpora/sample/job.toml");
    let staging = output.path().join("sample/.store/staging");
    // The table of the clips is the last before the comparison.
    let begun = || {
        let runs =
            std::fs::read_dir(&staging).map(|runs| runs.flatten().map(|run| run.path()).collect::<Vec<_>>());
        runs.unwrap_or_default().iter().any(|run| run.join("clips.parquet").exists())
    };
    assert_eq!(terminated(&job, output.path(), &further, begun), Some(143));
    assert!(!output.path().join("sample/latest").exists());
    let outcome =
        run_job(&job, output.path(), &["--set", "embeddings.epochs=1", "--set", "compare.permutations=9"]);
    assert_eq!(code(&outcome), 0, "{}", said(&outcome));
    assert_eq!(std::fs::read_dir(&staging).map_or(0, Iterator::count), 0);
}

/// Damages copies of a recording in a thousand ways; each is decoded or refused.
fn damage(bytes: &[u8], name: &str) {
    let mut stream = wordwave::math::random::Stream::new(1, name, 0);
    for round in 0..1000 {
        let mut damaged = bytes.to_vec();
        // Headers matter most: half of the rounds stay in the first 256 bytes.
        let reach = if round % 2 == 0 { damaged.len().min(256) } else { damaged.len() } as u32;
        for _ in 0..=stream.below(8) {
            let at = stream.below(reach) as usize;
            damaged[at] = stream.next_u32() as u8;
        }
        if round % 5 == 0 {
            damaged.truncate(stream.below(damaged.len() as u32) as usize);
        }
        if let Ok(decoding) = wordwave::corpus::decode_recording(damaged, name) {
            assert!(decoding.channels > 0 && decoding.sample_rate > 0, "{name}, round {round}");
        }
    }
}

#[test]
fn damaged_recordings_are_decoded_or_refused() {
    let wav = crate::program::project().join("corpora/sample/audio/anna/morning-fog.wav");
    damage(&std::fs::read(wav).unwrap()[..20_000], "x.wav");
    for (name, bytes) in crate::broken::TONES {
        damage(bytes, name);
    }
}
