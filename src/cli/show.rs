//! `wordwave show`

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use super::print;
use crate::error::{Error, Result};
use crate::job::RunRecord;
use crate::report::rows_as_text;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// A run's folder, or a job's folder for its latest run
    run: PathBuf,
    /// Print rows of this table, tab-separated
    #[arg(long, value_name = "NAME")]
    table: Option<String>,
    /// How many rows of it
    #[arg(long, value_name = "N", default_value_t = 20, requires = "table")]
    rows: usize,
}

pub(super) fn show(arguments: &Arguments) -> Result<ExitCode> {
    let folder = RunRecord::folder_of(&arguments.run);
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
