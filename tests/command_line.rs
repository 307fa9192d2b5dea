//! The subcommands other than run.

use crate::program::{code, project, said, wordwave, write_tone};

fn printed<S: AsRef<std::ffi::OsStr>>(arguments: &[S]) -> String {
    let outcome = wordwave(arguments);
    assert_eq!(code(&outcome), 0, "{}", said(&outcome));
    String::from_utf8(outcome.stdout).unwrap()
}

#[test]
fn help_version_man_and_completions_are_printed() {
    assert!(printed(&["--version"]).starts_with("wordwave "));
    for command in ["run", "check", "init", "show", "verify", "export", "filter", "completions", "man"] {
        assert!(printed(&["--help"]).contains(command));
    }
    assert!(printed(&["man"]).contains(".TH wordwave"));
    for shell in ["bash", "zsh", "fish"] {
        assert!(printed(&["completions", shell]).contains("wordwave"));
    }
    assert_eq!(code(&wordwave(&["fly"])), 64);
    assert_eq!(code(&wordwave(&["run"])), 64);
}

#[test]
fn check_lists_what_would_run_and_runs_nothing() {
    let job = project().join("corpora/sample/job.toml");
    let text = printed(&["check", job.to_str().unwrap(), "--set", "job.output=\"/nowhere\""]);
    assert!(text.contains("documents  32 files") && text.contains("clips      32 files"), "{text}");
    assert!(text.contains("embeddings") && text.contains("correlations"), "{text}");
}

#[test]
fn init_writes_a_job_file_that_check_accepts_and_overwrites_nothing() {
    let folder = tempfile::tempdir().unwrap();
    printed(&["init", folder.path().to_str().unwrap()]);
    let job = folder.path().join("job.toml");
    std::fs::create_dir(folder.path().join("text")).unwrap();
    std::fs::create_dir(folder.path().join("audio")).unwrap();
    assert!(printed(&["check", job.to_str().unwrap()]).contains("documents  0 files"));
    assert_eq!(code(&wordwave(&["init", folder.path().to_str().unwrap()])), 64);
}

#[test]
fn every_job_file_of_the_project_is_valid() {
    for name in ["sample", "librispeech", "fsdd", "books"] {
        let job = project().join(format!("corpora/{name}/job.toml"));
        let file = wordwave::job::JobFile::read(&job, &[]).unwrap();
        wordwave::job::Plan::new(file, &job).unwrap();
    }
}

#[test]
fn filter_puts_a_picture_through_the_convolution_module() {
    let folder = tempfile::tempdir().unwrap();
    let (input, output) = (folder.path().join("in.png"), folder.path().join("out.png"));
    let picture = image::GrayImage::from_fn(7, 5, |x, y| image::Luma([(x * 31 + y * 17) as u8]));
    picture.save(&input).unwrap();
    let paths = [input.to_str().unwrap(), output.to_str().unwrap()];
    printed(&["filter", paths[0], paths[1], "--taps", "[[0,1,0],[1,-4,1],[0,1,0]]", "--border", "nearest"]);
    let filtered = image::open(&output).unwrap().into_luma8();
    let at = |x: i32, y: i32| i32::from(picture.get_pixel(x.clamp(0, 6) as u32, y.clamp(0, 4) as u32).0[0]);
    for y in 0..5 {
        for x in 0..7 {
            let sum = at(x, y - 1) + at(x, y + 1) + at(x - 1, y) + at(x + 1, y) - 4 * at(x, y);
            assert_eq!(i32::from(filtered.get_pixel(x as u32, y as u32).0[0]), sum.clamp(0, 255), "{x} {y}");
        }
    }
    let outcome = wordwave(&["filter", paths[0], paths[1], "--kernel", "sobell"]);
    assert_eq!(code(&outcome), 64);
    assert!(said(&outcome).contains("sobel"), "{}", said(&outcome));
}

#[test]
fn filter_puts_a_recording_through_the_convolution_module() {
    let folder = tempfile::tempdir().unwrap();
    let (input, output) = (folder.path().join("in.wav"), folder.path().join("out.wav"));
    write_tone(&input, 3000.0, 0.25);
    printed(&[
        "filter",
        input.to_str().unwrap(),
        output.to_str().unwrap(),
        "--kernel",
        "lowpass",
        "--hz",
        "500",
    ]);
    let loudest = |path| {
        let samples = hound::WavReader::open(path).unwrap().into_samples::<i32>();
        samples.skip(500).take(3000).map(|sample| sample.unwrap().abs()).max().unwrap()
    };
    assert!(loudest(&input) > 7_900 && loudest(&output) < 40, "{} {}", loudest(&input), loudest(&output));
}

#[test]
fn a_reader_of_the_log_that_goes_away_does_not_end_the_run() {
    let folder = tempfile::tempdir().unwrap();
    let set = format!("job.output={:?}", folder.path().to_str().unwrap());
    let job = project().join("corpora/sample/job.toml");
    let mut child = std::process::Command::new(env!("CARGO_BIN_EXE_wordwave"))
        .args(["run", job.to_str().unwrap(), "--log-format", "json", "--set", &set])
        .args([
            "--set",
            "embeddings.epochs=1",
            "--set",
            "compare.permutations=9",
            "--set",
            "compare.bootstrap=9",
        ])
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stderr.take());
    assert!(child.wait().unwrap().success());
    assert!(folder.path().join("sample/latest/run.json").is_file());
}

#[test]
fn filter_plans_measures_and_names_what_is_wrong() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (tone, out, picture) = (path("in.wav"), path("out.wav"), path("in.png"));
    write_tone(folder.path().join("in.wav").as_path(), 3000.0, 0.25);
    image::GrayImage::from_pixel(9, 9, image::Luma([7])).save(&picture).unwrap();
    let plan = printed(&[
        "filter",
        &tone,
        &out,
        "--kernel",
        "lowpass",
        "--hz",
        "500",
        "--transition-hz",
        "300",
        "--plan",
    ]);
    assert!(plan.contains("taps") && plan.contains("measured"), "{plan}");
    let plan = printed(&["filter", &tone, &out, "--kernel", "a_weighting", "--plan"]);
    assert!(plan.contains("recursive, 3 sections"), "{plan}");
    let drawn = path("out.png");
    let plan = printed(&[
        "filter",
        &picture,
        &drawn,
        "--kernel",
        "opening",
        "--footprint",
        "disc",
        "--size",
        "5",
        "--plan",
    ]);
    assert!(plan.contains("morphology"), "{plan}");
    printed(&["filter", &picture, &drawn, "--kernel", "gaussian", "--mode", "valid"]);
    assert_eq!(
        image::open(&drawn).unwrap().into_luma8(),
        image::GrayImage::from_pixel(1, 1, image::Luma([7]))
    );
    for (arguments, reason) in [
        (&["--kernel", "peaking", "--hz", "100"][..], "peaking needs gain_db"),
        (&["--kernel", "a_weighting", "--mode", "full"], "a_weighting has no taps"),
        (&["--impulse", "nowhere.wav"], "nowhere.wav"),
        (&["--impulse", tone.as_str(), "--sigma", "1"], "leave its parameters out"),
        (&["--impulse", tone.as_str(), "--block", "64", "--mode", "valid"], "zeros before and after"),
        (&["--kernel", "lowpass", "--block", "64"], "--impulse"),
        (&["--kernel", "lowpass", "--taps", "[1]"], "cannot be used with"),
    ] {
        let outcome = wordwave(&[&["filter", &tone, &out], arguments].concat());
        assert!(code(&outcome) != 0 && said(&outcome).contains(reason), "{}", said(&outcome));
    }
}
