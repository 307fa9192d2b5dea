//! The end of a round: the shards' copies of each row become one row again.
//!
//! ```text
//! row += scale · Σ_s (copy_s − row)      scale = (1 − e^(−κ·α·Σ c_s)) / Σ_s (1 − e^(−κ·α·c_s))
//! ```
//!
//! where the row met `c_s` rows of the other matrix in shard s and κ is a curvature: c meetings are taken to move a row
//! 1 − e^(−κ·α·c) of the way to its optimum. Rare rows are summed (scale 1), rows that every shard has brought to its
//! optimum are averaged.

use rayon::prelude::*;

use super::rounds::SHARDS;
use super::shard::CopiedRows;
use crate::simd::{Lanes, Width, merge_copies, prefetch};

/// Rows that are merged as one piece of work.
const ROWS: usize = 256;
/// κ for each unit of the other matrix's mean squared norm. Found by experiment: the slope of the sigmoid is at most a
/// quarter, and the rows spread over many directions.
const CURVATURE: f64 = 0.02;

/// The mean squared norm of the rows of a matrix, each weighed by its meetings.
#[derive(Debug, Clone, Copy, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub(super) struct Norms {
    squares: f64,
    meetings: f64,
}

impl Norms {
    /// As if one row with this squared norm had been met once.
    pub(super) fn of(square: f64) -> Self {
        Self { squares: square, meetings: 1.0 }
    }

    fn merge(self, other: Self) -> Self {
        Self { squares: self.squares + other.squares, meetings: self.meetings + other.meetings }
    }

    /// Whether the rows are still numbers.
    pub(super) fn finite(self) -> bool {
        self.squares.is_finite()
    }

    /// κ·α for the rows of the other matrix.
    pub(super) fn decay(self, alpha: f64) -> f64 {
        if self.meetings > 0.0 { CURVATURE * alpha * self.squares / self.meetings } else { 0.0 }
    }
}

/// Merges the shards' copies into `matrix` and gives the norms of the rows that changed. `decay` is κ·α.
pub(super) fn merge(
    width: Width,
    matrix: &mut [Lanes],
    groups: usize,
    copies: &[&CopiedRows],
    decay: f64,
) -> Norms {
    let settled = Settled::new(decay);
    let norms: Vec<Norms> = matrix
        .par_chunks_mut(groups * ROWS)
        .enumerate()
        .map(|(chunk, rows)| merge_chunk(width, rows, groups, chunk * ROWS, copies, &settled))
        .collect();
    norms.into_iter().fold(Norms::default(), Norms::merge)
}

fn merge_chunk(
    width: Width,
    rows: &mut [Lanes],
    groups: usize,
    first: usize,
    copies: &[&CopiedRows],
    settled: &Settled,
) -> Norms {
    let mut squares = Lanes::ZERO;
    let mut meetings = 0;
    let changed = changed(first, rows.len() / groups, copies);
    for (at, &(word, shards)) in changed.iter().enumerate() {
        if let Some(&(soon, shards)) = changed.get(at + 1) {
            of_shards(copies, shards)
                .filter_map(|copies| copies.change(soon))
                .for_each(|(row, _)| prefetch(row));
        }
        let changes = Changes::of(word, of_shards(copies, shards));
        let meetings_here: u64 =
            changes.meetings[..changes.count].iter().map(|&count| u64::from(count)).sum();
        let scale = settled.scale(&changes.meetings[..changes.count]) as f32;
        let row = &mut rows[(word - first) * groups..][..groups];
        merge_copies(width, row, &changes.rows[..changes.count], scale, meetings_here as f32, &mut squares);
        meetings += meetings_here;
    }
    Norms { squares: squares.0.iter().map(|&square| f64::from(square)).sum(), meetings: meetings as f64 }
}

/// Those of `count` words from `first`, a multiple of 64, that some shard touched, with a bit for each shard that did.
fn changed(first: usize, count: usize, copies: &[&CopiedRows]) -> Vec<(usize, u32)> {
    let mut words = Vec::new();
    for block in first / 64..(first + count).div_ceil(64) {
        let touched = |copies: &&CopiedRows| copies.touched(block);
        let mut any = copies.iter().map(touched).fold(0, |any, touched| any | touched);
        while any != 0 {
            let bit = any.trailing_zeros();
            let shards = copies.iter().map(touched).zip(0..).map(|(touched, shard)| {
                let is_touched = (touched >> bit & 1) as u32;
                is_touched << shard
            });
            words.push((block * 64 + bit as usize, shards.sum()));
            any &= any - 1;
        }
    }
    words
}

/// The copies of the shards whose bit is set, in order.
fn of_shards<'a>(copies: &[&'a CopiedRows], shards: u32) -> impl Iterator<Item = &'a CopiedRows> {
    copies.iter().zip(0..).filter(move |(_, shard)| shards >> shard & 1 == 1).map(|(copies, _)| *copies)
}

/// The copies of one row, in the order of the shards.
struct Changes<'a> {
    rows: [&'a [Lanes]; SHARDS],
    meetings: [u32; SHARDS],
    count: usize,
}

impl<'a> Changes<'a> {
    fn of(word: usize, copies: impl Iterator<Item = &'a CopiedRows>) -> Self {
        let mut changes = Self { rows: [&[]; SHARDS], meetings: [0; SHARDS], count: 0 };
        for (row, meetings) in copies.filter_map(|copies| copies.change(word)).take(SHARDS) {
            changes.rows[changes.count] = row;
            changes.meetings[changes.count] = meetings;
            changes.count += 1;
        }
        changes
    }
}

/// 1 − e^(−decay·c), the part of the way that c meetings go, with small c looked up.
struct Settled {
    decay: f64,
    small: Vec<f64>,
}

impl Settled {
    fn new(decay: f64) -> Self {
        Self { decay, small: (0..256).map(|count| 1.0 - libm::exp(-decay * f64::from(count))).collect() }
    }

    fn after(&self, meetings: u64) -> f64 {
        let small = self.small.get(meetings as usize).copied();
        small.unwrap_or_else(|| 1.0 - libm::exp(-self.decay * meetings as f64))
    }

    /// The factor for the sum of the shards' changes, between 1 / shards and 1.
    fn scale(&self, meetings: &[u32]) -> f64 {
        if meetings.len() == 1 {
            return 1.0;
        }
        let together = self.after(meetings.iter().map(|&count| u64::from(count)).sum());
        let apart: f64 = meetings.iter().map(|&count| self.after(u64::from(count))).sum();
        // Under this, both sides are their own first order and the factor is 1.
        if together > 1e-9 { together / apart } else { 1.0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rare_rows_are_summed_and_frequent_ones_averaged() {
        assert_eq!(Settled::new(0.0).scale(&[3, 5]), 1.0);
        assert!((Settled::new(1e-6).scale(&[1, 1, 1]) - 1.0).abs() < 1e-5);
        assert!((Settled::new(1.0).scale(&[2_000; 8]) - 0.125).abs() < 1e-9);
        let expected = (1.0 - (-1.5_f64).exp()) / (2.0 - (-0.5_f64).exp() - (-1.0_f64).exp());
        assert!((Settled::new(0.05).scale(&[10, 20]) - expected).abs() < 1e-12);
    }
}
