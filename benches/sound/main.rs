//! Times the analysis of recordings in one thread, for the comparison with the peers and to see where the time goes.
//!
//! ```text
//! cargo bench --bench sound -- FOLDER            each case over the WAV files of a folder, beside real time
//! cargo bench --bench sound -- FOLDER CASE ..    these alone
//! cargo bench --bench sound -- FOLDER serve      a case a line on standard input, its milliseconds on standard output
//! ```
//!
//! Cases: `read` (files to samples), `transforms` (window, transform and power of each frame of log-mel in f32), `transforms_f64`, `pyin`, `fbank` (log-mel by
//! Kaldi's conventions), `default` (the sets of a job that names none), `all`, and each set by its name. All but `read` find the
//! samples in memory; `files:CASE` reads each file and analyses it block by block, as a job does.
#![allow(missing_docs, clippy::print_stdout, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::io::{BufRead, Write};
use std::path::PathBuf;
use std::time::Instant;

use wordwave::audio::stft::{PowerStft, Precision};
use wordwave::audio::{
    Analyzer, AnalyzerSettings, FeatureSet, FeatureSettings, PitchMethod, PitchSettings, Profile, Room,
    SpectrogramSettings,
};
use wordwave::corpus::{
    Channel, Identity, NameBy, RecordingContents, RecordingReader, RecordingRules, read_recording,
};

const SAMPLE_RATE: u32 = 16_000;
const RUNS: usize = 5;
/// Samples that a job reads at once.
const BLOCK: usize = 1 << 15;

struct Bench {
    paths: Vec<PathBuf>,
    clips: Vec<Vec<f32>>,
}

impl Bench {
    fn read(&self) -> Vec<Vec<f32>> {
        self.paths.iter().map(|path| read_recording(path).unwrap().samples).collect()
    }

    fn seconds(&self) -> f64 {
        self.clips.iter().map(|clip| clip.len() as f64).sum::<f64>() / f64::from(SAMPLE_RATE)
    }

    /// Milliseconds of a case; what is planned is planned before the clock starts.
    fn run(&self, case: &str) -> f64 {
        match case {
            "read" => milliseconds(|| drop(self.read())),
            "transforms" => self.transforms(Precision::Single),
            "transforms_f64" => self.transforms(Precision::Double),
            _ => match case.strip_prefix("files:") {
                Some(case) => self.files(case),
                None => self.analysis(case),
            },
        }
    }

    fn transforms(&self, precision: Precision) -> f64 {
        let stft = PowerStft::new(&SpectrogramSettings::default(), precision);
        let (mut scratch, mut power) = (stft.scratch(), vec![0.0; stft.group_len()]);
        milliseconds(|| {
            for clip in &self.clips {
                for first in (0..stft.count(clip.len())).step_by(stft.frames_of_group()) {
                    stft.group(clip, first, &mut power, &mut scratch);
                }
            }
        })
    }

    fn analyzer(case: &str) -> Analyzer {
        let (mut features, mut profile) = (FeatureSettings::default(), Profile::Librosa);
        match case {
            "default" => {}
            "all" => features.sets = FeatureSet::ALL.to_vec(),
            "pyin" => {
                features.sets = vec![FeatureSet::Pitch];
                features.pitch = PitchSettings { method: PitchMethod::Pyin, ..PitchSettings::default() };
            }
            "fbank" => (features.sets, profile) = (vec![FeatureSet::Mel], Profile::Kaldi),
            set => features.sets = vec![set.parse().unwrap()],
        }
        let spectrogram = SpectrogramSettings::of(profile);
        let settings = AnalyzerSettings { spectrogram, features, ..AnalyzerSettings::default() };
        Analyzer::new(settings, SAMPLE_RATE).unwrap()
    }

    fn analysis(&self, case: &str) -> f64 {
        let analyzer = Self::analyzer(case);
        let mut scratch = analyzer.scratch();
        milliseconds(|| {
            for clip in &self.clips {
                std::hint::black_box(analyzer.analyze(clip, &mut scratch));
            }
        })
    }

    fn files(&self, case: &str) -> f64 {
        let analyzer = Self::analyzer(case);
        let (mut scratch, mut block) = (analyzer.scratch(), Vec::new());
        let rules = RecordingRules {
            identity: Identity::new(NameBy::Path, "").unwrap(),
            sample_rate: SAMPLE_RATE,
            channel: Channel::Mix,
        };
        let room = Room { values: usize::MAX, file: &|| Err(std::io::Error::other("no file is needed")) };
        milliseconds(|| {
            for path in &self.paths {
                let contents = RecordingContents::of_file(path).unwrap();
                let mut reader = RecordingReader::new(&path.to_string_lossy(), &rules, contents).unwrap();
                if analyzer.needs_all_samples() {
                    std::hint::black_box(analyzer.analyze(&reader.rest().unwrap(), &mut scratch));
                    continue;
                }
                let mut stream = analyzer.stream(room, &mut scratch);
                while reader.next_block(BLOCK, &mut block).unwrap() {
                    stream.push(&block).unwrap();
                }
                std::hint::black_box(stream.finish().unwrap());
            }
        })
    }

    fn report(&self, cases: &[String]) {
        println!("{:>14} {:>10} {:>12}", "case", "ms", "x real time");
        for case in cases {
            let mut times: Vec<f64> = (0..RUNS).map(|_| self.run(case)).collect();
            times.sort_by(f64::total_cmp);
            let median = times[RUNS / 2];
            println!("{case:>14} {median:>10.1} {:>12.0}", self.seconds() * 1e3 / median);
        }
    }

    fn serve(&self) {
        for case in std::io::stdin().lock().lines() {
            println!("{}", self.run(case.unwrap().trim()));
            std::io::stdout().flush().unwrap();
        }
    }
}

fn milliseconds(mut work: impl FnMut()) -> f64 {
    let start = Instant::now();
    work();
    start.elapsed().as_secs_f64() * 1e3
}

fn wav_files(folder: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut paths: Vec<PathBuf> =
        entries.filter(|path| path.extension().is_some_and(|e| e == "wav")).collect();
    paths.sort();
    paths
}

fn main() {
    // Cargo adds `--bench`.
    let mut arguments = std::env::args().skip(1).filter(|argument| argument != "--bench");
    let folder = arguments.next().expect("a folder of WAV files at 16 kHz");
    let mut cases: Vec<String> = arguments.collect();
    let mut bench = Bench { paths: wav_files(&folder), clips: Vec::new() };
    bench.clips = bench.read();
    if cases == ["serve"] {
        return bench.serve();
    }
    if cases.is_empty() {
        cases = ["read", "transforms", "transforms_f64", "pyin", "fbank", "default", "all"]
            .map(str::to_owned)
            .to_vec();
        cases.extend(FeatureSet::ALL.map(|set| set.to_string()));
    }
    bench.report(&cases);
}
