//! Rows of values that a clip's frames have: in memory, or, of a long clip, in a file, to be gone through again when all are known.

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Seek, SeekFrom, Write};

/// How many values of one kind may lie in memory, and where the rest goes.
#[derive(Clone, Copy)]
pub struct Room<'a> {
    /// Values in memory; where there are more, all go to the file.
    pub values: usize,
    /// Makes an empty file that can be written and read and that nobody else uses.
    pub file: &'a dyn Fn() -> io::Result<File>,
}

/// Values that are read back at once, about.
const PIECE: usize = 1 << 18;

/// The rows of the frames so far.
#[derive(Default)]
pub struct Rows {
    held: Vec<f32>,
    /// All values but those that are held, and how many.
    file: Option<(BufWriter<File>, u64)>,
    bytes: Vec<u8>,
}

impl Rows {
    /// Begins a new clip.
    pub fn restart(&mut self) {
        self.held.clear();
        self.file = None;
    }

    /// The values that are in memory: all of them unless [`Rows::spill`] wrote some to the file.
    #[must_use]
    pub fn held(&self) -> &[f32] {
        &self.held
    }

    /// The values that are in memory, to be changed or to have the next rows appended.
    pub fn held_mut(&mut self) -> &mut Vec<f32> {
        &mut self.held
    }

    /// Writes what is held to the file where there is too much of it.
    pub fn spill(&mut self, room: Room<'_>) -> io::Result<()> {
        if self.file.is_none() && self.held.len() <= room.values {
            return Ok(());
        }
        let (file, stored) = match &mut self.file {
            Some(file) => file,
            None => self.file.insert((BufWriter::new((room.file)()?), 0)),
        };
        for values in self.held.chunks(PIECE) {
            self.bytes.clear();
            self.bytes.extend(values.iter().flat_map(|value| value.to_le_bytes()));
            file.write_all(&self.bytes)?;
        }
        *stored += self.held.len() as u64;
        self.held.clear();
        // What filled the room once is not needed again.
        self.held.shrink_to(PIECE);
        Ok(())
    }

    /// Hands all values to `each` in order, in pieces of whole rows of `columns`: what comes from the file, and whether it does.
    pub fn pieces(&mut self, columns: usize, mut each: impl FnMut(&mut [f32], bool)) -> io::Result<()> {
        if let Some((file, stored)) = &mut self.file {
            file.flush()?;
            let file = file.get_mut();
            file.seek(SeekFrom::Start(0))?;
            let mut reader = BufReader::new(file);
            let mut left = *stored;
            let mut values = Vec::new();
            while left > 0 {
                let piece = left.min((PIECE / columns.max(1)).max(1) as u64 * columns as u64);
                self.bytes.resize(4 * piece as usize, 0);
                reader.read_exact(&mut self.bytes)?;
                values.clear();
                values.extend(self.bytes.as_chunks().0.iter().map(|bytes| f32::from_le_bytes(*bytes)));
                each(&mut values, true);
                left -= piece;
            }
        }
        each(&mut self.held, false);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_in_a_file_are_those_in_memory() {
        let whole: Vec<f32> = (0..3 * PIECE / 7 * 7).map(|i| (i % 997) as f32).collect();
        for most in [usize::MAX, 0, PIECE] {
            let mut rows = Rows::default();
            for piece in whole.chunks(7 * 1000) {
                rows.held_mut().extend_from_slice(piece);
                rows.spill(Room { values: most, file: &tempfile::tempfile }).unwrap();
            }
            for _ in 0..2 {
                let mut found = Vec::new();
                rows.pieces(7, |piece, _| {
                    assert!(piece.len().is_multiple_of(7));
                    found.extend_from_slice(piece);
                })
                .unwrap();
                assert!(found == whole, "{most}");
            }
            rows.restart();
            rows.pieces(7, |piece, _| assert!(piece.is_empty())).unwrap();
        }
    }
}
