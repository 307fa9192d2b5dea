//! `wordwave check`

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use super::print;
use crate::error::Result;
use crate::job::{JobFile, Plan};

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The job file
    job: PathBuf,
    /// Override a key with a TOML value, as in --set embeddings.epochs=1
    #[arg(long = "set", value_name = "KEY=VALUE")]
    overrides: Vec<String>,
}

pub(super) fn check(arguments: &Arguments) -> Result<ExitCode> {
    let file = JobFile::read(&arguments.job, &arguments.overrides)?;
    let plan = Plan::new(file, &arguments.job)?;
    print(&plan.describe()?)?;
    Ok(ExitCode::SUCCESS)
}
