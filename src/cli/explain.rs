//! `wordwave explain`

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, ValueEnum};

use super::print;
use crate::error::{Error, Result};
use crate::job::{JobFile, Plan, explain as explain_job};

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The job file
    job: PathBuf,
    /// Only what is about the input of this id or source
    item: Option<String>,
    /// Override a key with a TOML value, as in --set embeddings.epochs=1
    #[arg(long = "set", value_name = "KEY=VALUE")]
    overrides: Vec<String>,
    /// Words for a person, or JSON
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Text,
    Json,
}

pub(super) fn explain(arguments: &Arguments) -> Result<ExitCode> {
    let file = JobFile::read(&arguments.job, &arguments.overrides)?;
    let explanation = explain_job(&Plan::new(file, &arguments.job)?)?;
    match arguments.format {
        Format::Text => print(&explanation.describe(arguments.item.as_deref())?)?,
        Format::Json => {
            let json = serde_json::to_string_pretty(&explanation)
                .map_err(|error| Error::Output(std::io::Error::other(error)))?;
            print(&(json + "\n"))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}
