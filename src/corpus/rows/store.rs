//! Rows read again, each alone: from the file where it lies, or from what it unpacks to.

use std::collections::HashMap;
use std::io::{self, BufRead, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use super::spool::{Spool, Spooled};
use super::{Layout, RowPlace, scan_rows, text_of};
use crate::corpus::contents::{Opened, is_packed, stream_contents, unreadable};
use crate::corpus::quarantine::Unusable;

/// The files whose rows are read; threads share one. Files that are not compressed are read where they lie. The others are unpacked
/// once, into a file without a name: memory follows the rows that are read, not the files.
#[derive(Debug, Default)]
pub(in crate::corpus) struct RowStore {
    folder: Option<PathBuf>,
    spool: OnceLock<Result<Spool, Unusable>>,
    unpacked: Mutex<HashMap<PathBuf, Arc<Unpacked>>>,
}

/// Filled by whoever comes first; the others wait.
type Unpacked = OnceLock<Result<Spooled, Unusable>>;

/// The file and the row that were read last: rows of one file often follow each other, and so do the parts of one row.
#[derive(Default)]
pub(in crate::corpus) struct LastRow {
    file: Option<(PathBuf, RowFile)>,
    row: Option<(Range<u64>, String)>,
}

enum RowFile {
    Plain(Opened),
    Unpacked(Arc<Unpacked>),
}

impl RowStore {
    /// Unpacks into `folder`.
    pub fn in_folder(folder: &Path) -> Self {
        Self { folder: Some(folder.to_path_buf()), ..Self::default() }
    }

    /// The text of a row of the file at `path`; `name` is that of its field.
    pub fn text<'l>(
        &self,
        path: &Path,
        place: &RowPlace,
        name: &str,
        last: &'l mut LastRow,
    ) -> Result<&'l str, Unusable> {
        if last.file.as_ref().is_none_or(|(open, _)| open != path) {
            *last = LastRow { file: Some((path.to_path_buf(), self.open(path, place.layout)?)), row: None };
        }
        if last.row.as_ref().is_none_or(|(at, _)| *at != place.at) {
            let bytes = match &last.file {
                Some((_, RowFile::Plain(opened))) => opened.read_range(place.at.clone())?,
                Some((_, RowFile::Unpacked(unpacked))) => {
                    let spooled = unpacked.get_or_init(|| self.unpack(path, place.layout, name));
                    let spooled = spooled.as_ref().map_err(Clone::clone)?;
                    self.spool()?.read(spooled, place.at.clone()).map_err(|error| unreadable(&error))?
                }
                None => Vec::new(),
            };
            last.row = Some((place.at.clone(), text_of(bytes, place, name).ok_or_else(changed)?));
        }
        Ok(last.row.as_ref().map_or("", |(_, text)| text.as_str()))
    }

    fn open(&self, path: &Path, layout: Layout) -> Result<RowFile, Unusable> {
        if layout != Layout::Parquet && !is_packed(path) {
            return Ok(RowFile::Plain(Opened::open(path)?));
        }
        let mut unpacked = self.unpacked.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(RowFile::Unpacked(Arc::clone(unpacked.entry(path.to_path_buf()).or_default())))
    }

    fn spool(&self) -> Result<&Spool, Unusable> {
        let spool =
            self.spool.get_or_init(|| Spool::new(self.folder.as_deref()).map_err(|error| no_room(&error)));
        spool.as_ref().map_err(Clone::clone)
    }

    fn unpack(&self, path: &Path, layout: Layout, name: &str) -> Result<Spooled, Unusable> {
        let mut writer = self.spool()?.writer();
        let mut written = Ok(());
        if layout == Layout::Parquet {
            scan_rows(path, layout, &[name], |row| {
                if let (true, Ok(text)) = (written.is_ok(), row.text(name)) {
                    written = writer.write_all(text.as_bytes());
                }
            })?;
        } else {
            let copy = |reader: &mut dyn BufRead| -> Result<(), Unusable> {
                loop {
                    let buffer = reader.fill_buf().map_err(|error| unreadable(&error))?;
                    let len = buffer.len();
                    written = writer.write_all(buffer);
                    if len == 0 || written.is_err() {
                        return Ok(());
                    }
                    reader.consume(len);
                }
            };
            stream_contents(path, copy)?;
        }
        written.and_then(|()| writer.finish()).map_err(|error| no_room(&error))
    }
}

fn no_room(error: &io::Error) -> Unusable {
    Unusable::new("unreadable", format!("there is no room to unpack it beside the results: {error}"))
}

pub(in crate::corpus) fn changed() -> Unusable {
    let reason = "the file changed between listing and reading its parts: it is read again next night";
    Unusable::new("changed_while_read", reason)
}
