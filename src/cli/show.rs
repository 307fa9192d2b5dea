//! `wordwave show`

use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use hound::{SampleFormat, WavSpec, WavWriter};

use super::output::{beside, take_place};
use super::print;
use crate::error::{Error, Result};
use crate::job::{Recording, RunRecord};
use crate::report::rows_as_text;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// A run's folder, or a job's folder for its latest run
    run: PathBuf,
    /// Print rows of this table, tab-separated
    #[arg(long, value_name = "NAME", conflicts_with = "clip")]
    table: Option<String>,
    /// How many rows of it
    #[arg(long, value_name = "N", default_value_t = 20, requires = "table")]
    rows: usize,
    /// Draw the spectrogram of this recording, as SVG
    #[arg(long, value_name = "ID")]
    clip: Option<String>,
    /// Where the picture goes (default: standard output)
    #[arg(long, value_name = "FILE", requires = "clip")]
    to: Option<PathBuf>,
    /// Write what can be heard of the recording in its spectrogram (Griffin-Lim), as WAV, in place of the picture
    #[arg(long, value_name = "FILE", requires = "clip", conflicts_with = "to")]
    wav: Option<PathBuf>,
}

pub(super) fn show(arguments: &Arguments) -> Result<ExitCode> {
    let folder = RunRecord::folder_of(&arguments.run);
    if let Some(clip_id) = &arguments.clip {
        let recording = Recording::find(&folder, clip_id)?;
        return match &arguments.wav {
            Some(path) => listen(&recording, path),
            None => draw(&recording, arguments.to.as_deref()),
        };
    }
    let record = RunRecord::read(&folder)?;
    match &arguments.table {
        None => print(&record.describe(&folder))?,
        Some(name) => {
            let files = record.table_files(name);
            if files.is_empty() {
                let names = record.table_names().join(", ");
                return Err(Error::Usage(format!("the run has no table {name}: it has {names}")));
            }
            print(&rows_as_text(&folder, &files, arguments.rows)?)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn draw(recording: &Recording, to: Option<&Path>) -> Result<ExitCode> {
    let picture = recording.picture()?;
    let Some(path) = to else {
        if std::io::stdout().is_terminal() {
            let advice =
                "a picture is no text for a terminal: name a file with --to clip.svg, or redirect it";
            return Err(Error::Usage(advice.to_owned()));
        }
        print(&picture)?;
        return Ok(ExitCode::SUCCESS);
    };
    let mut file = beside(path)?;
    file.write_all(picture.as_bytes()).map_err(|error| Error::io("write", path, error))?;
    take_place(file, path)?;
    Ok(ExitCode::SUCCESS)
}

/// Writes the sound and says how near it comes.
fn listen(recording: &Recording, path: &Path) -> Result<ExitCode> {
    let (sound, sample_rate) = recording.sound()?;
    let failed = |error: hound::Error| match error {
        hound::Error::IoError(error) => Error::io("write", path, error),
        other => Error::Usage(format!("{}: {other}", path.display())),
    };
    let spec = WavSpec { channels: 1, sample_rate, bits_per_sample: 32, sample_format: SampleFormat::Float };
    let file = beside(path)?;
    let mut writer = WavWriter::create(file.path(), spec).map_err(failed)?;
    sound.samples.iter().try_for_each(|sample| writer.write_sample(*sample)).map_err(failed)?;
    writer.finalize().map_err(failed)?;
    take_place(file, path)?;
    print(&format!(
        "{}: {:.2} s; its magnitudes are {:.1} % from those of the spectrogram\n",
        path.display(),
        sound.samples.len() as f64 / f64::from(sample_rate),
        100.0 * sound.distance
    ))?;
    Ok(ExitCode::SUCCESS)
}
