//! The frames of the run read back, recording by recording: what is made of them does not hold all of them.

use std::ops::Range;

use super::desk::Desk;
use super::sound::Sound;
use crate::error::Result;
use crate::report::StoredTable;

/// The frames of the recordings of one part of the `frames` table.
pub(super) struct FramePart {
    /// Each recording with its frames.
    pub clips: Vec<(String, Range<usize>)>,
    table: StoredTable,
}

impl FramePart {
    /// The files of the table, in order.
    pub fn files(sound: &Sound) -> Vec<&str> {
        let files = sound.written.iter().map(|written| written.path.as_str());
        files.filter(|path| path.starts_with("frames/")).collect()
    }

    /// Reads a part with these columns beside the recording.
    ///
    /// # Errors
    /// Where the file that this run wrote cannot be read again.
    pub fn read(desk: &Desk<'_>, file: &str, columns: &[&str]) -> Result<Self> {
        let all: Vec<&str> = std::iter::once("clip_id").chain(columns.iter().copied()).collect();
        let table = StoredTable::read(desk.folder, file, &all)?;
        let ids = table.text("clip_id")?;
        let mut clips: Vec<(String, Range<usize>)> = Vec::new();
        for (frame, id) in ids.into_iter().enumerate() {
            match clips.last_mut() {
                Some((last, range)) if *last == id => range.end = frame + 1,
                _ => clips.push((id, frame..frame + 1)),
            }
        }
        Ok(Self { clips, table })
    }

    /// A column of numbers.
    ///
    /// # Errors
    /// Where it is not in the table.
    pub fn numbers(&self, column: &str) -> Result<Vec<Option<f64>>> {
        self.table.numbers(column)
    }

    /// A column of vectors, frame after frame, and their width.
    ///
    /// # Errors
    /// Where it is not in the table.
    pub fn vectors(&self, column: &str) -> Result<(Vec<f32>, usize)> {
        self.table.vectors(column)
    }
}
