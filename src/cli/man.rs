//! `wordwave man`

use std::process::ExitCode;

use super::print as print_text;
use crate::error::{Error, Result};

pub(super) fn print(command: clap::Command) -> Result<ExitCode> {
    let mut page = Vec::new();
    clap_mangen::Man::new(command)
        .render(&mut page)
        .map_err(|error| Error::io("render", "the manual page", error))?;
    print_text(&String::from_utf8_lossy(&page))?;
    Ok(ExitCode::SUCCESS)
}
