//! `wordwave requeue`

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use super::{print, say};
use crate::error::Result;
use crate::job::{JobFile, Plan, requeue as requeue_inputs};

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The job file
    job: PathBuf,
    /// Sources as the table quarantine has them [default: all in quarantine]
    sources: Vec<String>,
    /// Those in quarantine with this code
    #[arg(long = "code", value_name = "CODE")]
    codes: Vec<String>,
    /// Override a key with a TOML value, as in --set embeddings.epochs=1
    #[arg(long = "set", value_name = "KEY=VALUE")]
    overrides: Vec<String>,
}

pub(super) fn requeue(arguments: &Arguments) -> Result<ExitCode> {
    let file = JobFile::read(&arguments.job, &arguments.overrides)?;
    let plan = Plan::new(file, &arguments.job)?;
    let sources = requeue_inputs(&plan, &arguments.sources, &arguments.codes)?;
    print(&(sources.join("\n") + "\n"))?;
    say(&format!("{} inputs are tried again by the next run", sources.len()));
    Ok(ExitCode::SUCCESS)
}
