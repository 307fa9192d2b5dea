//! Frames side by side: one lane a frame, and back.
//!
//! A group is [`GROUP`] frames; its rows are `GROUP` numbers long, one for each sample, bin or band.

use super::Width;
use super::dispatch::{Work, dispatch};
use super::register::{Number, Register};

/// Frames side by side.
pub const GROUP: usize = f32::GROUP;

/// Numbers in a square of `GROUP` rows.
pub(super) const SQUARE: usize = GROUP * GROUP;

/// Weighs `T::GROUP` frames and lays them side by side: row i of `lanes` is sample i of every frame. A frame that is empty
/// gives zeros. Rows after the window are written up to a multiple of the group, as zeros.
///
/// # Panics
/// Where there are more or fewer frames, one that is not empty is shorter than the window, or `lanes` has not as many rows
/// as said.
pub fn lay<T: Number>(width: Width, frames: &[&[f32]], window: &[T], lanes: &mut [T]) {
    assert!(frames.len() == T::GROUP, "a frame for each lane");
    assert!(frames.iter().all(|frame| frame.is_empty() || frame.len() >= window.len()), "whole frames");
    assert!(
        lanes.len() >= window.len().next_multiple_of(T::GROUP) * T::GROUP,
        "a row of lanes for each sample"
    );
    dispatch(width, Lay { frames, window, lanes });
}

/// Rounds rows of `f64::GROUP` lanes into rows of `GROUP` lanes, from lane `first` on.
///
/// # Panics
/// Where the lanes do not fit, or there are more rows than rows to write to.
pub fn narrow(width: Width, from: &[f64], first: usize, to: &mut [f32]) {
    assert!(first + f64::GROUP <= GROUP && from.len() <= to.len() / GROUP * f64::GROUP, "room for all");
    dispatch(width, Narrow { from, first, to });
}

/// The opposite of [`lay`]: writes row i of `rows`, `len` numbers each, from lane i of `len` rows of lanes.
///
/// # Panics
/// Where `lanes` has fewer rows than `len`, or there are more rows than lanes.
pub fn rows_of_lanes(width: Width, lanes: &[f32], len: usize, rows: &mut [f32]) {
    assert!(lanes.len() >= len * GROUP && rows.len() <= len * GROUP, "as many rows as lanes");
    dispatch(width, RowsOfLanes { lanes, len, rows });
}

struct Lay<'a, T> {
    frames: &'a [&'a [f32]],
    window: &'a [T],
    lanes: &'a mut [T],
}

struct Narrow<'a> {
    from: &'a [f64],
    first: usize,
    to: &'a mut [f32],
}

struct RowsOfLanes<'a> {
    lanes: &'a [f32],
    len: usize,
    rows: &'a mut [f32],
}

// SAFETY of the implementations: what is safe in them is compiled for the caller's instructions; registers are loaded and
// stored in rows and squares whose lengths were checked above.

/// Turns rows of a square of `GROUP` rows of its numbers into columns.
#[inline(always)]
unsafe fn transpose<V: Register>(from: &[V::Number], to: &mut [V::Number]) {
    let group = V::Number::GROUP;
    assert!(from.len() >= group * group && to.len() >= group * group, "two squares");
    for row in (0..group).step_by(V::WIDTH) {
        for col in (0..group).step_by(V::WIDTH) {
            // SAFETY: both squares hold a square of registers from here on.
            unsafe {
                let (from, to) =
                    (from.as_ptr().add(row * group + col), to.as_mut_ptr().add(col * group + row));
                V::transpose(from, to, group);
            }
        }
    }
}

impl<T: Number> Work<T> for Lay<'_, T> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<V: Register<Number = T>>(self) {
        let group = T::GROUP;
        let mut square = [T::default(); SQUARE];
        for (at, weights) in self.window.chunks(group).enumerate() {
            for (row, frame) in square.chunks_exact_mut(group).zip(self.frames) {
                let samples = frame.get(at * group..at * group + weights.len()).unwrap_or_default();
                if samples.len() < group {
                    row.fill(T::default());
                }
                for ((to, x), weight) in row.iter_mut().zip(samples).zip(weights) {
                    *to = T::nearest(f64::from(*x)) * *weight;
                }
            }
            unsafe { transpose::<V>(&square, &mut self.lanes[at * group * group..]) };
        }
    }
}

impl Work<f32> for Narrow<'_> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<V: Register<Number = f32>>(self) {
        let rows = self.from.as_chunks::<{ f64::GROUP }>().0;
        for (to, from) in self.to.as_chunks_mut::<GROUP>().0.iter_mut().zip(rows) {
            if let Some(to) = to[self.first..].first_chunk_mut::<{ f64::GROUP }>() {
                *to = from.map(|x| x as f32);
            }
        }
    }
}

impl Work<f32> for RowsOfLanes<'_> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<V: Register<Number = f32>>(self) {
        let (mut square, mut turned) = ([0.0; SQUARE], [0.0; SQUARE]);
        for (at, lanes) in self.lanes[..self.len * GROUP].chunks(SQUARE).enumerate() {
            let from = if lanes.len() == SQUARE {
                lanes
            } else {
                square[..lanes.len()].copy_from_slice(lanes);
                &square
            };
            unsafe { transpose::<V>(from, &mut turned) };
            let columns = lanes.len() / GROUP;
            for (row, turned) in self.rows.chunks_exact_mut(self.len).zip(turned.as_chunks::<GROUP>().0) {
                row[at * GROUP..][..columns].copy_from_slice(&turned[..columns]);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noise(len: usize) -> Vec<f32> {
        (0..len).map(|i| ((i * 7919 + 13) % 10_009) as f32 / 5004.0 - 1.0).collect()
    }

    /// Every width gives these bits.
    fn at_every_width(mut run: impl FnMut(Width) -> Vec<f32>) -> Vec<f32> {
        let bits = |numbers: &[f32]| numbers.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
        let plain = run(Width::available()[0]);
        for width in Width::available() {
            assert_eq!(bits(&run(width)), bits(&plain), "{width:?}");
        }
        plain
    }

    #[test]
    fn frames_lie_side_by_side_and_come_back() {
        let (samples, window) = (noise(200), noise(37));
        let mut frames = [&samples[..0]; GROUP];
        for (i, frame) in frames.iter_mut().enumerate().skip(1) {
            *frame = &samples[i * 10..];
        }
        let lanes = at_every_width(|width| {
            let mut lanes = vec![9.0; 48 * GROUP];
            lay(width, &frames, &window, &mut lanes);
            lanes
        });
        for (i, weight) in window.iter().enumerate() {
            assert_eq!(lanes[i * GROUP], 0.0);
            assert_eq!(lanes[i * GROUP + 3], samples[30 + i] * weight);
        }
        assert!(lanes[37 * GROUP..].iter().all(|x| *x == 0.0));
        let wide: Vec<f64> = window.iter().copied().map(f64::from).collect();
        let by_way_of_f64 = at_every_width(|width| {
            let (mut lanes, mut narrowed) = (vec![9.0; 40 * 8], vec![9.0; 40 * GROUP]);
            for half in [0, 8] {
                lay(width, &frames[half..half + 8], &wide, &mut lanes);
                narrow(width, &lanes, half, &mut narrowed);
            }
            narrowed
        });
        assert_eq!(by_way_of_f64, lanes[..40 * GROUP]);
        let rows = at_every_width(|width| {
            let mut rows = vec![9.0; 4 * 37];
            rows_of_lanes(width, &lanes, 37, &mut rows);
            rows
        });
        assert!((0..4 * 37).all(|i| rows[i] == lanes[i % 37 * GROUP + i / 37]));
    }
}
