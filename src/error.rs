//! Every way in which a job can fail as a whole, each with the place, what was wrong and what to do.
//!
//! What is wrong with a single input is not here: that is a row of the quarantine table ([`crate::corpus::Quarantined`]).

use std::io;
use std::path::{Path, PathBuf};

/// The result of anything that can end a job.
pub type Result<T> = std::result::Result<T, Error>;

/// A failure that ends a job. [`Error::exit_code`] maps it to the exit status of the job-file contract.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The job file cannot be read, has an unknown key or asks for something that cannot be.
    #[error("{place}: {message}")]
    JobFile {
        /// The file, with the line where that is known.
        place: String,
        /// What is wrong and what to write instead.
        message: String,
    },
    /// The command line asks for something that cannot be.
    #[error("{0}")]
    Usage(String),
    /// There is nothing to work on: a missing folder, no usable input, or too much of it in quarantine.
    #[error("{0}")]
    NothingToDo(String),
    /// Reading the corpus folders or writing the run failed.
    #[error("cannot {action} {path}: {source}{}", advice(.source))]
    Io {
        /// What was being done, as a verb: "write", "create the folder".
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// Standard output cannot be written.
    #[error("cannot write to standard output: {0}")]
    Output(io::Error),
    /// A table could not be encoded.
    #[error("cannot write the table {table}: {message}")]
    Table {
        /// The table's name or file.
        table: String,
        /// What the writer said.
        message: String,
    },
    /// A table of a run could not be read back.
    #[error(
        "cannot read the table {table}: {message}; `wordwave verify` says whether the run is as it was written"
    )]
    Reading {
        /// The table's file.
        table: String,
        /// What the reader said.
        message: String,
    },
    /// Another run of the same job holds the lock.
    #[error(
        "the job is already running (process {pid} holds {lock}); wait for it to end, or stop that process, and run again"
    )]
    Busy {
        /// The holder's process id as it wrote it, or `?`.
        pid: String,
        /// The lock file.
        lock: PathBuf,
    },
    /// The run holds more memory than it may.
    #[error(
        "{} of memory are in use{}, more than --max-memory {}; nothing was published: raise the limit, work with fewer \
         --threads, or cut the corpus into several jobs",
        mebibytes(*.used_bytes),
        if .stage.is_empty() { String::new() } else { format!(" in the stage {}", .stage) },
        mebibytes(*.limit_bytes)
    )]
    Memory {
        /// What it may hold, in bytes.
        limit_bytes: u64,
        /// What it held, in bytes.
        used_bytes: u64,
        /// The stage under way; empty before the first.
        stage: String,
    },
    /// A signal asked the job to stop. Nothing was published.
    #[error("interrupted; nothing was published")]
    Interrupted {
        /// The signal's number: 2 for SIGINT, 15 for SIGTERM.
        signal: i32,
    },
}

impl Error {
    /// An I/O failure while doing `action` on `path`.
    pub fn io(action: &'static str, path: impl AsRef<Path>, source: io::Error) -> Self {
        Self::Io { action, path: path.as_ref().to_path_buf(), source }
    }

    /// A complaint about the job file at `place` (the file, with its line where that is known).
    pub fn job_file(place: impl Into<String>, message: impl Into<String>) -> Self {
        Self::JobFile { place: place.into(), message: message.into() }
    }

    /// The exit status of the job-file contract (after BSD's `sysexits.h`).
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Usage(_) => 64,
            Self::NothingToDo(_) | Self::Reading { .. } => 65,
            Self::Io { .. } | Self::Output(_) | Self::Table { .. } | Self::Memory { .. } => 74,
            Self::Busy { .. } => 75,
            Self::JobFile { .. } => 78,
            Self::Interrupted { signal } => u8::try_from(128 + signal).unwrap_or(130),
        }
    }
}

fn mebibytes(bytes: u64) -> String {
    format!("{:.1} MiB", bytes as f64 / f64::from(1 << 20))
}

/// What a person can do about the usual causes.
fn advice(source: &io::Error) -> &'static str {
    match source.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            "; free some space or set job.output to another disk, and run again: nothing was published"
        }
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            "; make it writable for this user or set job.output to a folder that is"
        }
        io::ErrorKind::NotFound => "; check the path",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exit_codes_are_those_of_the_contract() {
        let io = |kind| Error::io("write", "x", io::Error::from(kind));
        assert_eq!(io(io::ErrorKind::StorageFull).exit_code(), 74);
        assert!(io(io::ErrorKind::StorageFull).to_string().contains("job.output"));
        assert_eq!(Error::Usage(String::new()).exit_code(), 64);
        assert_eq!(Error::job_file("a.toml:3", "no").exit_code(), 78);
        assert_eq!(Error::Interrupted { signal: 15 }.exit_code(), 143);
        let memory = Error::Memory { limit_bytes: 4 << 30, used_bytes: 5 << 30, stage: "audio".into() };
        assert_eq!(memory.exit_code(), 74);
        assert!(memory.to_string().starts_with(
            "5120.0 MiB of memory are in use in the stage audio, more than --max-memory 4096.0 MiB;"
        ));
    }
}
