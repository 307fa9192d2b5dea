//! The folder of a job: the lock, the run being written, the published runs and `latest`.
//!
//! `OUTPUT/NAME/RUN_ID/` appears by one rename of a complete, synced folder; what is not complete lies under
//! `OUTPUT/NAME/.store/` and is removed by the next run.

use std::fs::{self, File, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use crate::error::{Error, Result};

/// The folder of a job, locked against other runs for as long as this value lives.
#[derive(Debug)]
pub(super) struct JobFolder {
    root: PathBuf,
    store: PathBuf,
    _lock: File,
}

/// A run being written; removed when it is dropped before [`Staging::publish`].
#[derive(Debug)]
pub(super) struct Staging<'a> {
    job: &'a JobFolder,
    id: String,
    folder: PathBuf,
    published: bool,
}

/// What the job `name` keeps between nights.
pub(super) fn store_of(output: &Path, name: &str) -> PathBuf {
    output.join(name).join(".store")
}

impl JobFolder {
    /// Opens (and makes) `output`/`name` and takes the lock.
    ///
    /// # Errors
    /// [`Error::Busy`] when another run holds the lock; [`Error::Io`] when the folder cannot be written.
    pub fn open(output: &Path, name: &str) -> Result<Self> {
        let root = output.join(name);
        let store = store_of(output, name);
        fs::create_dir_all(&store).map_err(|error| Error::io("create the folder", &store, error))?;
        let path = store.join("lock");
        let mut lock = File::options()
            .create(true)
            .truncate(false)
            .read(true)
            .write(true)
            .open(&path)
            .map_err(|error| Error::io("open the lock", &path, error))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut pid = String::new();
                let _ = lock.read_to_string(&mut pid);
                let pid = if pid.trim().is_empty() { "?".to_owned() } else { pid.trim().to_owned() };
                return Err(Error::Busy { pid, lock: path });
            }
            Err(TryLockError::Error(error)) => return Err(Error::io("lock", &path, error)),
        }
        lock.set_len(0)
            .and_then(|()| lock.rewind())
            .and_then(|()| writeln!(lock, "{}", std::process::id()))
            .map_err(|error| Error::io("write the lock", &path, error))?;
        let folder = Self { root, store, _lock: lock };
        folder.clear_staging()?;
        Ok(folder)
    }

    /// Whatever a killed run left behind is of no use to anybody.
    fn clear_staging(&self) -> Result<()> {
        let staging = self.staging();
        match fs::remove_dir_all(&staging) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(Error::io("remove", &staging, error))
            }
            _ => Ok(()),
        }
    }

    /// What is kept between nights.
    pub fn store(&self) -> &Path {
        &self.store
    }

    fn staging(&self) -> PathBuf {
        self.root.join(".store/staging")
    }

    /// Begins a run named after the second it starts in.
    pub fn begin(&self, stamp: &str) -> Result<Staging<'_>> {
        let mut id = stamp.to_owned();
        let mut n = 2;
        while self.root.join(&id).exists() {
            id = format!("{stamp}-{n}");
            n += 1;
        }
        let folder = self.staging().join(&id);
        fs::create_dir_all(&folder).map_err(|error| Error::io("create the folder", &folder, error))?;
        Ok(Staging { job: self, id, folder, published: false })
    }

    /// The folder of the newest run, where there is one.
    pub fn latest(&self) -> Option<PathBuf> {
        fs::canonicalize(self.root.join("latest")).ok()
    }

    /// The published runs, oldest first.
    pub fn runs(&self) -> Result<Vec<String>> {
        let entries = fs::read_dir(&self.root).map_err(|error| Error::io("list", &self.root, error))?;
        let mut runs: Vec<String> = entries
            .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
            .filter(|name| self.root.join(name).join("run.json").is_file() && name != "latest")
            .collect();
        // "…Z-10" comes after "…Z-9": by stamp, then by number.
        runs.sort_by_key(|name| {
            let (stamp, n) = name.split_once('-').unwrap_or((name, "1"));
            (stamp.to_owned(), n.parse::<u64>().unwrap_or(0), name.clone())
        });
        Ok(runs)
    }

    /// Removes the oldest runs beyond `keep` and those that began more than `days` before `now`; 0 keeps all. The newest
    /// stays. A run goes by one rename, so that none is ever seen in part.
    pub fn retain(&self, keep: usize, days: u32, now: Timestamp) -> Result<()> {
        let runs = self.runs()?;
        let surplus = if keep == 0 { 0 } else { runs.len().saturating_sub(keep) };
        let oldest = now - jiff::SignedDuration::from_hours(24 * i64::from(days));
        let oldest = oldest.strftime("%Y%m%dT%H%M%SZ").to_string();
        let outdated = if days == 0 { 0 } else { runs.iter().take_while(|run| **run < oldest).count() };
        let gone = surplus.max(outdated).min(runs.len().saturating_sub(1));
        if gone == 0 {
            return Ok(());
        }
        for id in &runs[..gone] {
            let (from, to) = (self.root.join(id), self.staging().join(id));
            fs::create_dir_all(self.staging())
                .and_then(|()| fs::rename(&from, &to))
                .map_err(|error| Error::io("remove the old run", &from, error))?;
        }
        self.clear_staging()
    }
}

impl Staging<'_> {
    /// Where the run is being written.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The run's id.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Makes the run visible, whole, and moves `latest` to it last.
    pub fn publish(mut self) -> Result<PathBuf> {
        sync_folders(&self.folder)?;
        let target = self.job.root.join(&self.id);
        fs::rename(&self.folder, &target).map_err(|error| Error::io("publish", &target, error))?;
        self.published = true;
        sync_folder(&self.job.root)?;
        let link = self.job.root.join(".store/latest");
        let latest = self.job.root.join("latest");
        let _ = fs::remove_file(&link);
        std::os::unix::fs::symlink(&self.id, &link)
            .and_then(|()| fs::rename(&link, &latest))
            .map_err(|error| Error::io("move the link", &latest, error))?;
        sync_folder(&self.job.root)?;
        Ok(target)
    }
}

impl Drop for Staging<'_> {
    fn drop(&mut self) {
        if !self.published {
            let _ = self.job.clear_staging();
        }
    }
}

fn sync_folders(folder: &Path) -> Result<()> {
    let entries = fs::read_dir(folder).map_err(|error| Error::io("list", folder, error))?;
    for entry in entries {
        let path = entry.map_err(|error| Error::io("list", folder, error))?.path();
        if path.is_dir() {
            sync_folders(&path)?;
        }
    }
    sync_folder(folder)
}

fn sync_folder(folder: &Path) -> Result<()> {
    File::open(folder).and_then(|file| file.sync_all()).map_err(|error| Error::io("sync", folder, error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_appear_whole_and_latest_follows() {
        let output = tempfile::tempdir().unwrap();
        let job = JobFolder::open(output.path(), "x").unwrap();
        for _ in 0..3 {
            let staging = job.begin("20260101T000000Z").unwrap();
            fs::write(staging.folder().join("run.json"), "{}").unwrap();
            assert!(!output.path().join("x").join(staging.id()).exists());
            staging.publish().unwrap();
        }
        assert_eq!(job.runs().unwrap(), ["20260101T000000Z", "20260101T000000Z-2", "20260101T000000Z-3"]);
        let latest = fs::read_link(output.path().join("x/latest")).unwrap();
        assert_eq!(latest, Path::new("20260101T000000Z-3"));
        let now: Timestamp = "2026-01-02T00:00:00Z".parse().unwrap();
        job.retain(2, 0, now).unwrap();
        assert_eq!(job.runs().unwrap(), ["20260101T000000Z-2", "20260101T000000Z-3"]);
        job.retain(0, 2, now).unwrap();
        assert_eq!(job.runs().unwrap().len(), 2);
        job.retain(0, 2, now + jiff::SignedDuration::from_hours(100)).unwrap();
        assert_eq!(job.runs().unwrap(), ["20260101T000000Z-3"]);
    }

    #[test]
    fn an_abandoned_run_leaves_nothing() {
        let output = tempfile::tempdir().unwrap();
        let job = JobFolder::open(output.path(), "x").unwrap();
        let staging = job.begin("a").unwrap();
        fs::write(staging.folder().join("half.parquet"), "x").unwrap();
        drop(staging);
        assert!(job.runs().unwrap().is_empty() && !job.staging().exists());
    }

    #[test]
    fn a_second_run_is_told_who_holds_the_lock() {
        let output = tempfile::tempdir().unwrap();
        let job = JobFolder::open(output.path(), "x").unwrap();
        let error = JobFolder::open(output.path(), "x").unwrap_err();
        assert_eq!(error.exit_code(), 75);
        assert!(error.to_string().contains(&std::process::id().to_string()), "{error}");
        drop(job);
        assert!(JobFolder::open(output.path(), "x").is_ok());
    }
}
