//! `wordwave completions`

use std::process::ExitCode;

use clap::Args;
use clap_complete::Shell;

use super::print as print_text;
use crate::error::Result;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The shell
    shell: Shell,
}

pub(super) fn print(arguments: &Arguments, command: &mut clap::Command) -> Result<ExitCode> {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, command, "wordwave", &mut script);
    print_text(&String::from_utf8_lossy(&script))?;
    Ok(ExitCode::SUCCESS)
}
