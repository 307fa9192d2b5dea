//! `wordwave verify`

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use super::{print, say};
use crate::error::Result;
use crate::job::RunRecord;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// A run's folder, or a job's folder for its latest run
    run: PathBuf,
}

/// Exit status 65 where a file is not what the run wrote.
pub(super) fn verify(arguments: &Arguments) -> Result<ExitCode> {
    let folder = RunRecord::folder_of(&arguments.run);
    let record = RunRecord::read(&folder)?;
    let problems = record.verify(&folder)?;
    if problems.is_empty() {
        say(&format!("{} files, all as the run wrote them", record.files()));
        return Ok(ExitCode::SUCCESS);
    }
    print(&(problems.join("\n") + "\n"))?;
    say("run the job again: a run is never mended");
    Ok(ExitCode::from(65))
}
