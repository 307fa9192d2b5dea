//! The mel levels of a clip: in memory, or, of a long one, in a file, to be gone through once more when the floor is known.

use std::io;

use super::profile::Profile;
use super::rows::{Room, Rows};
use crate::simd::largest;

/// The levels of the frames so far, a row each. They have no floor before [`Levels::raise`].
#[derive(Default)]
pub struct Levels {
    rows: Rows,
    /// The largest so far.
    top: Option<f32>,
}

impl Levels {
    /// Begins a new clip.
    pub fn restart(&mut self) {
        self.rows.restart();
        self.top = None;
    }

    /// Room for so many further values, which are 0 and become energies.
    pub fn room(&mut self, values: usize) -> &mut [f32] {
        let held = self.rows.held_mut();
        let from = held.len();
        held.resize(from + values, 0.0);
        &mut held[from..]
    }

    /// Turns the last `values` energies into levels without a floor.
    pub fn end(&mut self, values: usize, profile: Profile) {
        let held = self.rows.held_mut();
        let from = held.len().saturating_sub(values);
        let levels = &mut held[from..];
        profile.logarithms(levels);
        let top = largest(levels, |level| level);
        self.top = Some(self.top.map_or(top, |before| if top > before { top } else { before }));
    }

    /// Writes what is held to a file where there is too much of it.
    pub fn spill(&mut self, room: Room<'_>) -> io::Result<()> {
        self.rows.spill(room)
    }

    /// The levels that are in memory.
    #[must_use]
    pub fn held(&self) -> &[f32] {
        self.rows.held()
    }

    /// The levels that are in memory, to be filtered.
    pub fn held_mut(&mut self) -> &mut Vec<f32> {
        self.rows.held_mut()
    }

    /// Raises the levels in memory to the floor of the clip; those in the file are when they are read.
    pub fn raise(&mut self, profile: Profile) {
        profile.raise(self.rows.held_mut(), self.top.unwrap_or(f32::MIN));
    }

    /// Hands all levels to `each` in order, in pieces of whole rows of `bands`, after [`Levels::raise`].
    pub fn pieces(&mut self, profile: Profile, bands: usize, mut each: impl FnMut(&[f32])) -> io::Result<()> {
        let top = self.top.unwrap_or(f32::MIN);
        self.rows.pieces(bands, |levels, stored| {
            if stored {
                profile.raise(levels, top);
            }
            each(levels);
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_in_a_file_are_those_in_memory() {
        let energies: Vec<f32> = (0..780_000).map(|i| libm::exp2f((i % 97) as f32 - 60.0)).collect();
        for profile in [Profile::Librosa, Profile::Kaldi, Profile::Whisper] {
            let mut whole = energies.clone();
            profile.levels(&mut whole);
            for most in [usize::MAX, 0, 200_000] {
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
