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

/// Lays `GROUP` frames of `len` samples side by side: row i of `lanes` is sample i of every frame. The frames begin `apart` from
/// each other. Rows after the frame are written up to a multiple of the group, as zeros.
///
/// # Panics
/// Where the samples end before the last frame does, or `lanes` has not as many rows as said.
pub fn lay(width: Width, samples: &[f32], apart: usize, len: usize, lanes: &mut [f32]) {
    assert!(samples.len() >= (GROUP - 1) * apart + len, "whole frames");
    assert!(lanes.len() >= len.next_multiple_of(GROUP) * GROUP, "a row of lanes for each sample");
    dispatch(width, Lay { samples, apart, len, lanes });
}

/// Multiplies every number of row i of `lanes` with weight i.
///
/// # Panics
/// Where there are fewer rows than weights.
pub fn weigh(width: Width, lanes: &mut [f32], weights: &[f32]) {
    assert!(lanes.len() >= weights.len() * GROUP, "a row of lanes for each weight");
    dispatch(width, Weigh { lanes, weights });
}

/// Widens the `f64::GROUP` lanes from lane `first` on, and multiplies every number of row i with weight i.
///
/// # Panics
/// Where the lanes are not there, or there are fewer rows than weights.
pub fn widen(width: Width, from: &[f32], first: usize, weights: &[f64], to: &mut [f64]) {
    assert!(first + f64::GROUP <= GROUP && from.len() >= weights.len() * GROUP, "lanes for each weight");
    assert!(to.len() >= weights.len() * f64::GROUP, "room for each");
    dispatch(width, Widen { from, first, weights, to });
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

struct Lay<'a> {
    samples: &'a [f32],
    apart: usize,
    len: usize,
    lanes: &'a mut [f32],
}

struct Weigh<'a> {
    lanes: &'a mut [f32],
    weights: &'a [f32],
}

struct Widen<'a> {
    from: &'a [f32],
    first: usize,
    weights: &'a [f64],
    to: &'a mut [f64],
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

/// Turns rows of a square of `GROUP` rows, which start `apart` from each other, into columns.
#[inline(always)]
unsafe fn transpose<V: Register<Number = f32>>(from: &[f32], apart: usize, to: &mut [f32]) {
    assert!(from.len() >= (GROUP - 1) * apart + GROUP && to.len() >= SQUARE, "two squares");
    for row in (0..GROUP).step_by(V::WIDTH) {
        for col in (0..GROUP).step_by(V::WIDTH) {
            // SAFETY: both squares hold a square of registers from here on.
            unsafe {
                let to = to.as_mut_ptr().add(col * GROUP + row);
                V::transpose(from.as_ptr().add(row * apart + col), apart, to, GROUP);
            }
        }
    }
}

impl Work<f32> for Lay<'_> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<V: Register<Number = f32>>(self) {
        let Self { samples, apart, len, lanes } = self;
        let whole = len / GROUP * GROUP;
        for at in (0..whole).step_by(GROUP) {
            unsafe { transpose::<V>(&samples[at..], apart, &mut lanes[at * GROUP..]) };
        }
        if whole < len {
            let mut square = [0.0; SQUARE];
            for (lane, row) in square.chunks_exact_mut(GROUP).enumerate() {
                row[..len - whole].copy_from_slice(&samples[lane * apart + whole..lane * apart + len]);
            }
            unsafe { transpose::<V>(&square, GROUP, &mut lanes[whole * GROUP..]) };
        }
    }
}

impl Work<f32> for Weigh<'_> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<V: Register<Number = f32>>(self) {
        let lanes = self.lanes.as_mut_ptr();
        for (row, weight) in self.weights.iter().enumerate() {
            for lane in (0..GROUP).step_by(V::WIDTH) {
                // Left to the compiler it becomes a scatter across rows.
                unsafe {
                    let place = lanes.add(row * GROUP + lane);
                    V::load(place).mul(V::splat(*weight)).store(place);
                }
            }
        }
    }
}

impl Work<f64> for Widen<'_> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<V: Register<Number = f64>>(self) {
        let (from, to) = (self.from.as_chunks::<GROUP>().0, self.to.as_chunks_mut::<{ f64::GROUP }>().0);
        for ((to, from), weight) in to.iter_mut().zip(from).zip(self.weights) {
            if let Some(from) = from[self.first..].first_chunk::<{ f64::GROUP }>() {
                *to = from.map(|x| f64::from(x) * *weight);
            }
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
            unsafe { transpose::<V>(from, GROUP, &mut turned) };
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
        let laid = at_every_width(|width| {
            let mut lanes = vec![9.0; 48 * GROUP];
            lay(width, &samples, 10, 37, &mut lanes);
            lanes
        });
        let lanes = at_every_width(|width| {
            let mut lanes = laid.clone();
            weigh(width, &mut lanes, &window);
            lanes
        });
        for (i, weight) in window.iter().enumerate() {
            assert_eq!(lanes[i * GROUP + 3], samples[30 + i] * weight);
        }
        assert!(lanes[37 * GROUP..].iter().all(|x| *x == 0.0));
        let wide: Vec<f64> = window.iter().copied().map(f64::from).collect();
        let by_way_of_f64 = at_every_width(|width| {
            let (mut lanes, mut narrowed) = (vec![0.0; 40 * 8], vec![9.0; 40 * GROUP]);
            for half in [0, 8] {
                widen(width, &laid, half, &wide, &mut lanes);
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
