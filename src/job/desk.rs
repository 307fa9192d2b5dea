//! Where a stage works: the folder it writes to, whom it tells, what is kept from other nights.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::inventory::Inventory;
use super::key::Key;
use super::plan::Plan;
use super::progress::Interrupt;
use super::record::RunRecord;
use super::settings::Settings;
use super::stages::Stages;
use super::store::{Kept, Store, link};
use super::syncing::Syncing;
use crate::error::{Error, Result};
use crate::report::{Provenance, Table, Written, copy_table, stream_file, write_file, write_table};

/// What every stage needs beside its plan and its input.
pub(super) struct Desk<'a> {
    /// The run being written.
    pub folder: &'a Path,
    pub provenance: &'a Provenance,
    pub stages: &'a Stages<'a>,
    pub interrupt: &'a Interrupt,
    pub seed: u64,
    pub settings: &'a Settings,
    pub store: &'a Store,
    pub inventory: &'a Inventory,
    /// Files of the run on their way to the disk.
    pub syncing: &'a Syncing,
    /// The run before this one.
    pub before: Option<&'a (PathBuf, RunRecord)>,
}

/// Lets `work` look at the inputs and the keys of a job that does not run.
pub(super) fn at_rest<T>(
    plan: &Plan,
    store: &Store,
    inventory: &Inventory,
    work: impl FnOnce(&Desk<'_>) -> T,
) -> T {
    work(&Desk {
        folder: Path::new(""),
        provenance: &Provenance { job: plan.file.job.name.clone(), config_hash: plan.config_hash.clone() },
        stages: &Stages::new(&|_| ()),
        interrupt: &Interrupt::default(),
        seed: plan.file.job.seed,
        settings: &Settings::of(plan),
        store,
        inventory,
        syncing: &Syncing::default(),
        before: None,
    })
}

impl Desk<'_> {
    /// Writes a table of the run.
    pub fn write(&self, table: Table, file: &str) -> Result<Written> {
        let written = write_table(table, self.folder, file, self.provenance)?;
        self.syncing.later(self.folder.join(file));
        Ok(written)
    }

    /// Writes another file of the run.
    pub fn write_file(&self, contents: &[u8], file: &str) -> Result<Written> {
        let written = write_file(contents, self.folder, file)?;
        self.syncing.later(self.folder.join(file));
        Ok(written)
    }

    /// Writes another file of the run, piece by piece.
    pub fn stream_file(
        &self,
        file: &str,
        work: impl FnOnce(&mut dyn Write) -> std::io::Result<()>,
    ) -> Result<Written> {
        stream_file(self.folder, file, work)
    }

    /// Makes a folder of the run for the parts of a table.
    pub fn make_folder(&self, name: &str) -> Result<()> {
        let folder = self.folder.join(name);
        fs::create_dir_all(&folder).map_err(|error| Error::io("create the folder", &folder, error))
    }

    /// The result of a stage: the one kept under `key`, its tables laid into the run, or else what `make` gives, which is
    /// then kept.
    pub fn remember<T: Serialize + DeserializeOwned>(
        &self,
        key: &Key,
        make: impl FnOnce() -> Result<(T, Vec<Written>)>,
    ) -> Result<(T, Vec<Written>)> {
        if let Some(found) = self.recall(key) {
            return Ok(found);
        }
        let (state, written) = make()?;
        self.keep(key, &state, &written);
        Ok((state, written))
    }

    /// The result of a stage kept under `key`, its tables laid into the run; `None` where any of it is gone or broken.
    pub fn recall<T: DeserializeOwned>(&self, key: &Key) -> Option<(T, Vec<Written>)> {
        let Kept { state, written, config_hash } = self.store.load::<Kept<T>>(key)?;
        let lay = |written: &Written| self.lay(written, &written.path, &config_hash);
        Some((state, written.iter().map(lay).collect::<Option<_>>()?))
    }

    /// Lays a kept table into the run under the name `file`.
    pub fn lay(&self, written: &Written, file: &str, config_hash: &str) -> Option<Written> {
        let from = self.store.table(written)?;
        let place = self.folder.join(file);
        if let Some(folder) = place.parent() {
            fs::create_dir_all(folder).ok()?;
        }
        let written = Written { path: file.to_owned(), ..written.clone() };
        if config_hash == self.provenance.config_hash || written.rows.is_none() {
            link(&from, &place).ok()?;
            return Some(written);
        }
        // Every table says under which settings it was written: other settings, same rows, same length.
        let copied =
            copy_table(&from, self.folder, &written, config_hash, &self.provenance.config_hash).ok()?;
        self.syncing.later(place);
        self.adopt(&copied);
        Some(copied)
    }

    /// Keeps the result of a stage and its tables, which lie in the run.
    pub fn keep<T: Serialize>(&self, key: &Key, state: &T, written: &[Written]) {
        for written in written {
            self.adopt(written);
        }
        let config_hash = self.provenance.config_hash.clone();
        self.store.save(key, &Kept { state, written: written.to_vec(), config_hash });
    }

    /// Makes a file of this run, the store's and that of the run before one, where their bytes are the same.
    fn adopt(&self, written: &Written) {
        let place = self.folder.join(&written.path);
        // A stage has kept it before the run as a whole does.
        if self.store.has_table(written, &place) {
            return;
        }
        let of_run_before = || {
            let (folder, record) = self.before?;
            let path = folder.join(record.file_of(written)?);
            written.is_at(&path).ok()?.then_some(path)
        };
        let known = self.store.table(written);
        let elsewhere = known.is_none();
        if let Some(same) = known.or_else(of_run_before) {
            // The link takes the file's place by a rename, so that the file is never gone.
            let unfinished = self.folder.join(".link");
            let _ = fs::hard_link(&same, &unfinished).and_then(|()| fs::rename(&unfinished, &place));
            let _ = fs::remove_file(&unfinished);
        }
        if elsewhere {
            self.store.keep_table(written, &place);
        }
    }
}
