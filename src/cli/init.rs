//! `wordwave init`

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use super::say;
use crate::error::{Error, Result};
use crate::job::KEYS;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The folder that gets a job.toml
    #[arg(default_value = ".")]
    folder: PathBuf,
}

/// A file that is there already is never overwritten.
pub(super) fn init(arguments: &Arguments) -> Result<ExitCode> {
    let folder = &arguments.folder;
    std::fs::create_dir_all(folder).map_err(|error| Error::io("create the folder", folder, error))?;
    let path = folder.join("job.toml");
    let mut file = std::fs::File::create_new(&path).map_err(|error| match error.kind() {
        std::io::ErrorKind::AlreadyExists => {
            Error::Usage(format!("{} exists already: remove it or choose another folder", path.display()))
        }
        _ => Error::io("create", &path, error),
    })?;
    file.write_all(KEYS.as_bytes()).map_err(|error| Error::io("write", &path, error))?;
    say(&format!(
        "Wrote {path}. Put texts under {folder}/text and recordings under {folder}/audio (or change the globs), then\n\n    \
         wordwave check {path}\n    wordwave run {path}",
        path = path.display(),
        folder = folder.display()
    ));
    Ok(ExitCode::SUCCESS)
}
