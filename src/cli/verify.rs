//! `wordwave verify`

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use super::{print, say};
use crate::error::Result;
use crate::job::{RunRecord, verify as verify_run};

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// A run's folder, or a job's folder for its latest run
    run: PathBuf,
    /// How many shards of documents and of recordings are computed again from the corpus
    #[arg(long, value_name = "N", default_value_t = 2)]
    sample: usize,
    /// Draws the shards [default: others each time]
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
}

/// Exit status 65 where a file or a row is not what the run wrote.
pub(super) fn verify(arguments: &Arguments) -> Result<ExitCode> {
    let folder = RunRecord::folder_of(&arguments.run);
    let clock = || std::time::UNIX_EPOCH.elapsed().map_or(0, |time| time.subsec_nanos().into());
    let seed = arguments.seed.unwrap_or_else(clock);
    let found = verify_run(&folder, arguments.sample, seed)?;
    if let Some(why) = &found.skipped {
        say(&format!("nothing was computed again: {why}"));
    }
    if !found.problems.is_empty() {
        print(&(found.problems.join("\n") + "\n"))?;
        say("run the job again: a run is never mended");
        return Ok(ExitCode::from(65));
    }
    say(&format!("{} files, all as the run wrote them", found.files));
    if found.shards > 0 {
        say(&format!(
            "{} shards computed again (--seed {seed}): {} rows agree, {} inputs have changed since",
            found.shards, found.agreeing, found.changed
        ));
    }
    Ok(ExitCode::SUCCESS)
}
