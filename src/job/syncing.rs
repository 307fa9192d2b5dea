//! Files of a run on their way to the disk, beside the work that makes the next ones.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Sender, channel};
use std::thread::{JoinHandle, spawn};

use crate::error::{Error, Result};

/// Syncs files in a thread of its own. Dropped without [`Syncing::finish`], it promises nothing of them.
#[derive(Default)]
pub(super) struct Syncing {
    worker: Option<(Sender<PathBuf>, JoinHandle<Result<()>>)>,
}

impl Syncing {
    /// Begins; [`Syncing::default`] syncs nothing, for files that nobody keeps.
    pub fn begin() -> Self {
        let (sender, files) = channel::<PathBuf>();
        // All are tried, and the first trouble is told.
        let work = move || files.into_iter().map(|file| sync(&file)).fold(Ok(()), Result::and);
        Self { worker: Some((sender, spawn(work))) }
    }

    /// Syncs a file that was written, soon.
    pub fn later(&self, path: PathBuf) {
        if let Some((sender, _)) = &self.worker {
            // The receiver lives as long as its thread, which ends with the sender.
            let _ = sender.send(path);
        }
    }

    /// Waits until all files are on the disk.
    pub fn finish(self) -> Result<()> {
        let Some((sender, thread)) = self.worker else { return Ok(()) };
        drop(sender);
        thread.join().unwrap_or_else(|_| Err(Error::Usage("the thread that syncs files ended early".into())))
    }
}

fn sync(path: &Path) -> Result<()> {
    File::open(path).and_then(|file| file.sync_all()).map_err(|error| Error::io("write", path, error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_cannot_be_synced_is_told_after_the_others() {
        let folder = tempfile::tempdir().unwrap();
        let there = folder.path().join("there");
        std::fs::write(&there, "x").unwrap();
        let syncing = Syncing::begin();
        syncing.later(folder.path().join("gone"));
        syncing.later(there.clone());
        assert!(syncing.finish().unwrap_err().to_string().contains("gone"));
        let syncing = Syncing::begin();
        syncing.later(there);
        assert!(syncing.finish().is_ok() && Syncing::default().finish().is_ok());
    }
}
