//! Power spectra of frames that lie side by side: one lane a frame.
//!
//! A transform of N = R * C real samples is C real ones of R samples, a turn of what they give, and R / 2 + 1 complex ones
//! of C numbers (Cooley and Tukey 1965): both fit the registers, so that the frames go through memory once. Lanes never
//! mix and every product that is added is fused, so every width gives the same bits.

use super::Width;
use super::butterfly::Complex;
use super::dispatch::{Work, dispatch};
use super::register::{Number, Register};
use super::short::{ROOTS, Strided, real_16, real_32, real_64, sixteen, thirty_two, twenty_five};

/// The lengths that have a transform here, as (length, R, C).
const LENGTHS: [(usize, usize, usize); 5] =
    [(256, 16, 16), (400, 16, 25), (512, 32, 16), (1024, 32, 32), (2048, 64, 32)];

/// Room between the rows of what the first step leaves: rows a power of two apart would fall on the same cache lines.
const PADDING: usize = 2;

/// The plan of power spectra of `T::GROUP` frames at once.
#[derive(Debug, Clone)]
pub struct LaneSpectrum<T> {
    width: Width,
    len: usize,
    rows: usize,
    cols: usize,
    /// exp(-2 pi i n k / len) for n under `cols` and k up to `rows / 2`, real and imaginary part.
    turns: Vec<T>,
    roots: Vec<T>,
    /// exp(-2 pi i k / 25).
    fifths: Vec<T>,
}

impl<T: Number> LaneSpectrum<T> {
    /// Plans the transform of one of the usual lengths: 256, 400, 512, 1024, 2048.
    #[must_use]
    pub fn new(len: usize, width: Width) -> Option<Self> {
        let (_, rows, cols) = LENGTHS.into_iter().find(|(known, _, _)| *known == len)?;
        let turns = (0..cols).flat_map(|n| (0..=rows / 2).flat_map(move |k| root(n * k, len))).collect();
        let roots = (0..ROOTS).flat_map(|k| root(k, ROOTS)).collect();
        Some(Self {
            width,
            len,
            rows,
            cols,
            turns,
            roots,
            fifths: (0..25).flat_map(|k| root(k, 25)).collect(),
        })
    }

    /// Numbers that a scratch of [`LaneSpectrum::power`] holds.
    #[must_use]
    pub fn scratch_len(&self) -> usize {
        (self.rows / 2 + 1) * (2 * self.cols + PADDING) * T::GROUP
    }

    /// Writes |X|^2: `samples` holds `len` rows of `T::GROUP` lanes, `power` `len / 2 + 1` rows.
    ///
    /// # Panics
    /// Where one of the three is shorter than that.
    pub fn power(&self, samples: &[T], power: &mut [T], scratch: &mut [T]) {
        assert!(samples.len() >= self.len * T::GROUP, "a row of lanes for each sample");
        assert!(power.len() >= (self.len / 2 + 1) * T::GROUP, "a row of lanes for each bin");
        assert!(scratch.len() >= self.scratch_len(), "room for the first step");
        dispatch(
            self.width,
            Task {
                plan: self,
                samples: samples.as_ptr(),
                power: power.as_mut_ptr(),
                between: scratch.as_mut_ptr(),
            },
        );
    }
}

/// exp(-2 pi i k / len).
fn root<T: Number>(k: usize, len: usize) -> [T; 2] {
    let angle = 2.0 * std::f64::consts::PI * (k % len) as f64 / len as f64;
    [T::nearest(libm::cos(angle)), T::nearest(-libm::sin(angle))]
}

/// Does something for each index under `$count`, a constant, in straight-line code: arrays that a loop runs over would
/// not stay in registers.
macro_rules! unrolled {
    ($i:ident in $from:literal to $count:ident, $body:block) => {
        unrolled!($i, $from, $count, $body, [
            0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31
        ]);
    };
    ($i:ident, $from:literal, $count:ident, $body:block, [$($index:literal)*]) => {$(
        if $index >= $from && $index < $count {
            let $i: usize = $index;
            $body
        }
    )*};
}

/// A group of frames and its plan, checked.
struct Task<'a, T> {
    plan: &'a LaneSpectrum<T>,
    samples: *const T,
    power: *mut T,
    between: *mut T,
}

// SAFETY of the blocks below: `LaneSpectrum::power` has checked that samples, power and the room between have all rows
// of the plan, lanes start at multiples of the width, and the tables were made for all indices of the plan.

impl<T: Number> Work<T> for Task<'_, T> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<V: Register<Number = T>>(self) {
        unsafe {
            for lane in (0..T::GROUP).step_by(V::WIDTH) {
                let task = Self {
                    plan: self.plan,
                    samples: self.samples.add(lane),
                    power: self.power.add(lane),
                    between: self.between.add(lane),
                };
                match self.plan.rows {
                    16 => task.first_16::<V>(),
                    32 => task.first_32::<V>(),
                    _ => task.first_64::<V>(),
                }
                match self.plan.cols {
                    16 => task.second_16::<V>(),
                    25 => task.second_25::<V>(),
                    _ => task.second_32::<V>(),
                }
            }
        }
    }
}

impl<T: Number> Task<'_, T> {
    /// Where the number of frequency `k` and column `n` stands between the steps.
    #[inline(always)]
    unsafe fn between(&self, k: usize, n: usize) -> *mut T {
        unsafe { self.between.add((k * (2 * self.plan.cols + PADDING) + 2 * n) * T::GROUP) }
    }
}

macro_rules! first {
    ($name:ident, $transform:ident, $bins:literal) => {
        impl<T: Number> Task<'_, T> {
            /// The real transforms of every `cols`-th sample, turned.
            #[inline(always)]
            unsafe fn $name<V: Register<Number = T>>(&self) {
                const K: usize = $bins;
                unsafe {
                    let cols = self.plan.cols;
                    for n in 0..cols {
                        let column = Strided { first: self.samples.add(n * T::GROUP), stride: cols * T::GROUP };
                        let found = $transform::<V>(column, self.plan.roots.as_ptr());
                        let turns = self.plan.turns.as_ptr().add(n * 2 * K);
                        let zero = V::splat(T::default());
                        Complex(found[0].0, zero).store(self.between(0, n), self.between(0, n).add(T::GROUP));
                        unrolled!(k in 1 to K, {
                            if k < K - 1 {
                                let to = self.between(k, n);
                                found[k].times(Complex::splat(turns.add(2 * k))).store(to, to.add(T::GROUP));
                            }
                        });
                        // The last is real as well, but its turn is not.
                        let (to, turn) = (self.between(K - 1, n), Complex::<V>::splat(turns.add(2 * (K - 1))));
                        found[K - 1].0.mul(turn.0).store(to);
                        found[K - 1].0.mul(turn.1).store(to.add(T::GROUP));
                    }
                }
            }
        }
    };
}

first!(first_16, real_16, 9);
first!(first_32, real_32, 17);
first!(first_64, real_64, 33);

macro_rules! second {
    ($name:ident, $transform:ident, $len:literal) => {
        impl<T: Number> Task<'_, T> {
            /// The complex transforms across the columns, and the power of what they give.
            #[inline(always)]
            unsafe fn $name<V: Register<Number = T>>(&self) {
                const C: usize = $len;
                unsafe {
                    let LaneSpectrum { rows, len, .. } = *self.plan;
                    let roots = if C == 25 { self.plan.fifths.as_ptr() } else { self.plan.roots.as_ptr() };
                    for k in 0..=rows / 2 {
                        let mut numbers = [Complex(V::splat(T::default()), V::splat(T::default())); C];
                        unrolled!(n in 0 to C, {
                            let from = self.between(k, n);
                            numbers[n] = Complex::load(from, from.add(T::GROUP));
                        });
                        // The first and the last row give each of their frequencies twice.
                        let once = k == 0 || k == rows / 2;
                        let bins = $transform(numbers, roots);
                        unrolled!(j in 0 to C, {
                            let frequency = k + rows * j;
                            let above = 2 * frequency > len;
                            if !(above && once) {
                                let row = if above { len - frequency } else { frequency };
                                let bin = bins[j];
                                bin.0.fused(bin.0, bin.1.mul(bin.1)).store(self.power.add(row * T::GROUP));
                            }
                        });
                    }
                }
            }
        }
    };
}

second!(second_16, sixteen, 16);
second!(second_25, twenty_five, 25);
second!(second_32, thirty_two, 32);

#[cfg(test)]
mod tests {
    use super::*;

    fn noise(len: usize, seed: usize) -> Vec<f64> {
        (0..len).map(|i| ((i * 7919 + seed * 104_729) % 10_009) as f64 / 5004.0 - 1.0).collect()
    }

    fn power<T: Number>(len: usize, width: Width, samples: &[T]) -> Vec<T> {
        let plan = LaneSpectrum::new(len, width).unwrap();
        let mut power = vec![T::default(); (len / 2 + 1) * T::GROUP];
        plan.power(samples, &mut power, &mut vec![T::default(); plan.scratch_len()]);
        power
    }

    #[test]
    fn power_is_that_of_the_definition() {
        for (len, _, _) in LENGTHS {
            let samples = noise(len * 8, len);
            let found = power(len, Width::detect(), &samples);
            let cosines: Vec<[f64; 2]> = (0..len).map(|k| root(k, len)).collect();
            for lane in [0, 5] {
                for bin in 0..=len / 2 {
                    let part = |part: usize| -> f64 {
                        (0..len).map(|n| samples[n * 8 + lane] * cosines[n * bin % len][part]).sum()
                    };
                    let expected = part(0) * part(0) + part(1) * part(1);
                    let found = found[bin * 8 + lane];
                    assert!((found - expected).abs() < 1e-8, "{len}, bin {bin}: {found} for {expected}");
                }
            }
        }
    }

    #[test]
    fn all_widths_give_the_same_bits() {
        for (len, _, _) in LENGTHS {
            let samples = noise(len * 16, len);
            let single: Vec<f32> = samples.iter().map(|x| *x as f32).collect();
            let bits = |width| -> (Vec<u64>, Vec<u32>) {
                (
                    power(len, width, &samples[..len * 8]).into_iter().map(f64::to_bits).collect(),
                    power(len, width, &single).into_iter().map(f32::to_bits).collect(),
                )
            };
            let plain = bits(Width::available()[0]);
            assert!(Width::available().into_iter().all(|width| bits(width) == plain), "{len}");
        }
    }

    #[test]
    fn other_lengths_have_none() {
        assert!(
            [0, 1, 300, 500, 4096]
                .into_iter()
                .all(|len| LaneSpectrum::<f32>::new(len, Width::detect()).is_none())
        );
    }
}
