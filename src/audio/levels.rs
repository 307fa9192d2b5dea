//! The mel levels of a clip: in memory, or, of a long one, in a file, to be gone through once more when the floor is known.

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Seek, SeekFrom, Write};

use super::profile::Profile;
use crate::simd::largest;

/// How much of the levels of a clip may lie in memory, and where the rest goes.
#[derive(Clone, Copy)]
pub struct Room<'a> {
    /// Values in memory; where there are more, all go to the file.
    pub values: usize,
    /// Makes an empty file that can be written and read and that nobody else uses.
    pub file: &'a dyn Fn() -> io::Result<File>,
}

/// Values that are read back at once, about.
const PIECE: usize = 1 << 18;

/// The levels of the frames so far, a row each. They have no floor before [`Levels::raise`].
#[derive(Default)]
pub struct Levels {
    held: Vec<f32>,
    /// The largest so far.
    top: Option<f32>,
    /// All levels but those that are held, and how many.
    file: Option<(BufWriter<File>, u64)>,
    bytes: Vec<u8>,
}

impl Levels {
    /// Begins a new clip.
    pub fn restart(&mut self) {
        self.held.clear();
        (self.top, self.file) = (None, None);
    }

    /// Room for so many further values, which are 0 and become energies.
    pub fn room(&mut self, values: usize) -> &mut [f32] {
        let from = self.held.len();
        self.held.resize(from + values, 0.0);
        &mut self.held[from..]
    }

    /// Turns the last `values` energies into levels without a floor.
    pub fn end(&mut self, values: usize, profile: Profile) {
        let from = self.held.len().saturating_sub(values);
        let levels = &mut self.held[from..];
        profile.logarithms(levels);
        let top = largest(levels, |level| level);
        self.top = Some(self.top.map_or(top, |before| if top > before { top } else { before }));
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
        Ok(())
    }

    /// The levels that are in memory.
    #[must_use]
    pub fn held(&self) -> &[f32] {
        &self.held
    }

    /// The levels that are in memory, to be filtered.
    pub fn held_mut(&mut self) -> &mut Vec<f32> {
        &mut self.held
    }

    /// Raises the levels in memory to the floor of the clip; those in the file are when they are read.
    pub fn raise(&mut self, profile: Profile) {
        profile.raise(&mut self.held, self.top.unwrap_or(f32::MIN));
    }

    /// Hands all levels to `each` in order, in pieces of whole rows of `bands`, after [`Levels::raise`].
    pub fn pieces(&mut self, profile: Profile, bands: usize, mut each: impl FnMut(&[f32])) -> io::Result<()> {
        let top = self.top.unwrap_or(f32::MIN);
        if let Some((file, stored)) = &mut self.file {
            file.flush()?;
            let file = file.get_mut();
            file.seek(SeekFrom::Start(0))?;
            let mut reader = BufReader::new(file);
            let mut left = *stored;
            let mut values = Vec::new();
            while left > 0 {
                let piece = left.min((PIECE / bands.max(1)).max(1) as u64 * bands as u64);
                self.bytes.resize(4 * piece as usize, 0);
                reader.read_exact(&mut self.bytes)?;
                values.clear();
                values.extend(self.bytes.as_chunks().0.iter().map(|bytes| f32::from_le_bytes(*bytes)));
                profile.raise(&mut values, top);
                each(&values);
                left -= piece;
            }
        }
        each(&self.held);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_in_a_file_are_those_in_memory() {
        let energies: Vec<f32> = (0..3 * PIECE).map(|i| libm::exp2f((i % 97) as f32 - 60.0)).collect();
        for profile in [Profile::Librosa, Profile::Kaldi, Profile::Whisper] {
            let mut whole = energies.clone();
            profile.levels(&mut whole);
            for most in [usize::MAX, 0, PIECE] {
                let mut levels = Levels::default();
                let room = Room { values: most, file: &tempfile::tempfile };
                for piece in energies.chunks(80 * 1000) {
                    levels.room(piece.len()).copy_from_slice(piece);
                    levels.end(piece.len(), profile);
                    levels.spill(room).unwrap();
                }
                levels.raise(profile);
                for _ in 0..2 {
                    let mut found = Vec::new();
                    levels.pieces(profile, 80, |piece| found.extend_from_slice(piece)).unwrap();
                    assert!(found == whole, "{profile}, {most}");
                }
            }
        }
    }
}
