//! The distance of every point of the plane to its third neighbour, the larger of its distances along and across.
//!
//! Points lie in the order of one coordinate. The nearest ones along it bound how far the third neighbour can be, and with that how far
//! along others can be that are nearer; each lane keeps the three least distances of the points that pass it. Least of equal numbers
//! is the same number, so every width gives the same bits.

use super::Width;
use super::dispatch::{Work, dispatch};
use super::register::Register;

/// Which neighbour.
pub const NEIGHBOURS: usize = 3;
/// Points before and after one that bound how far its neighbours are: a multiple of every register's numbers.
const NEAREST: usize = 16;
/// Numbers of a register at most.
const WIDEST: usize = 8;

/// The distance of each point to its third neighbour; infinite where there are not as many. `along` rises, and no coordinate is NaN.
///
/// # Panics
/// Where the points have different numbers of coordinates.
pub fn neighbour_distances(width: Width, along: &[f64], across: &[f64]) -> Vec<f64> {
    assert_eq!(along.len(), across.len(), "two coordinates of each point");
    let padded = |values: &[f64], before: f64| -> Vec<f64> {
        let beside = |value| std::iter::repeat_n(value, NEAREST + WIDEST);
        beside(before).chain(values.iter().copied()).chain(beside(f64::INFINITY)).collect()
    };
    let (along_padded, across_padded) = (padded(along, f64::NEG_INFINITY), padded(across, f64::INFINITY));
    let mut distances = vec![0.0; along.len()];
    dispatch(width, Neighbours { along: &along_padded, across: &across_padded, distances: &mut distances });
    distances
}

/// Coordinates with infinite ones before the first and after the last point.
struct Neighbours<'a> {
    along: &'a [f64],
    across: &'a [f64],
    distances: &'a mut [f64],
}

/// The three least distances that passed each lane, in their order.
#[derive(Clone, Copy)]
struct Least<V>([V; NEIGHBOURS]);

impl<V: Register<Number = f64>> Least<V> {
    /// Keeps the distances of the points from `place` on to the one at `x` and `y`.
    ///
    /// # Safety
    /// The instructions exist, and both coordinates have a register of numbers from `place` on.
    #[inline(always)]
    unsafe fn push(&mut self, along: &[f64], across: &[f64], place: usize, x: V, y: V) {
        debug_assert!(place + V::WIDTH <= along.len() && place + V::WIDTH <= across.len());
        // SAFETY: as promised.
        unsafe {
            let other = (V::load(along.as_ptr().add(place)), V::load(across.as_ptr().add(place)));
            let in_x = x.sub(other.0).max(other.0.sub(x));
            let in_y = y.sub(other.1).max(other.1.sub(y));
            let mut distance = in_x.max(in_y);
            for kept in &mut self.0 {
                let nearer = kept.min(distance);
                distance = kept.max(distance);
                *kept = nearer;
            }
        }
    }

    /// The third least of all lanes.
    ///
    /// # Safety
    /// The instructions exist.
    #[inline(always)]
    unsafe fn third(&self) -> f64 {
        let mut lanes = [[f64::INFINITY; WIDEST]; NEIGHBOURS];
        for (lanes, kept) in lanes.iter_mut().zip(&self.0) {
            // SAFETY: no register has more numbers than there are lanes.
            unsafe { kept.store(lanes.as_mut_ptr()) };
        }
        let mut count = V::WIDTH;
        while count > 1 {
            count /= 2;
            for i in 0..count {
                let (a, b) = (i, i + count);
                let [first, second, third] = lanes;
                let (low, high) = (least(first[a], first[b]), most(first[a], first[b]));
                let seconds = least(second[a], second[b]);
                lanes[0][i] = low;
                lanes[1][i] = least(high, seconds);
                // Of two ordered triples: a third, or the greater of one's first and the other's second.
                let mixed = least(most(first[a], second[b]), most(second[a], first[b]));
                lanes[2][i] = least(least(third[a], third[b]), mixed);
            }
        }
        lanes[NEIGHBOURS - 1][0]
    }
}

#[inline(always)]
fn least(a: f64, b: f64) -> f64 {
    if a < b { a } else { b }
}

#[inline(always)]
fn most(a: f64, b: f64) -> f64 {
    if a > b { a } else { b }
}

impl Work<f64> for Neighbours<'_> {
    type Output = ();

    // SAFETY: registers are loaded from places that lie at most `NEAREST + WIDEST` before and after a point: a step past the first `NEAREST`
    // is only taken where the point before it is at a finite distance, which the added ones are not.
    #[inline(always)]
    unsafe fn run<V: Register<Number = f64>>(self) {
        let Self { along, across, distances } = self;
        for (at, distance) in (NEAREST + WIDEST..).zip(distances) {
            let (x, y) = (along[at], across[at]);
            unsafe {
                let (x_all, y_all) = (V::splat(x), V::splat(y));
                let mut kept = Least([V::splat(f64::INFINITY); NEIGHBOURS]);
                for step in (0..NEAREST).step_by(V::WIDTH) {
                    kept.push(along, across, at - step - V::WIDTH, x_all, y_all);
                    kept.push(along, across, at + 1 + step, x_all, y_all);
                }
                let bound = kept.third();
                let (mut first, mut last) = (at - NEAREST, at + NEAREST);
                while x - along[first] < bound {
                    first -= V::WIDTH;
                    kept.push(along, across, first, x_all, y_all);
                }
                while along[last] - x < bound {
                    kept.push(along, across, last + 1, x_all, y_all);
                    last += V::WIDTH;
                }
                *distance = kept.third();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Distances to all others, sorted.
    fn naive(along: &[f64], across: &[f64], at: usize) -> f64 {
        let distance =
            |other: usize| (along[at] - along[other]).abs().max((across[at] - across[other]).abs());
        let mut distances: Vec<f64> = (0..along.len()).filter(|&other| other != at).map(distance).collect();
        distances.sort_by(f64::total_cmp);
        distances.get(NEIGHBOURS - 1).copied().unwrap_or(f64::INFINITY)
    }

    #[test]
    fn third_neighbours_are_those_of_the_definition_at_every_width() {
        for count in [0, 1, 3, 4, 5, 17, 40, 300] {
            // Spread, in a few values, in one value, along a curve.
            for (modulus, factor) in [(997, 1.0), (7, 1.0), (1, 1.0), (997, 0.0)] {
                let number = |i: usize, of: usize| ((i * 613 + i * i * of) % modulus) as f64 * 0.37;
                let mut along: Vec<f64> = (0..count).map(|i| number(i, 31)).collect();
                along.sort_by(f64::total_cmp);
                let across: Vec<f64> = (0..count)
                    .map(|i| factor * number(i, 17) + (1.0 - factor) * along[i] * along[i])
                    .collect();
                for width in Width::available() {
                    let found = neighbour_distances(width, &along, &across);
                    let expected: Vec<f64> = (0..count).map(|at| naive(&along, &across, at)).collect();
                    assert_eq!(found, expected, "{width:?} {count} {modulus} {factor}");
                }
            }
        }
    }
}
