//! Sums of products of samples with later ones, as autocorrelations of frames that share their blocks need them.
//!
//! Every sum has one order, the same in every width.

use super::Width;
use super::dispatch::{Work, dispatch};
use super::register::Register;

/// `sums[lag] = block[0] * after[lag] + .. + block[n - 1] * after[lag + n - 1]`: the products of a block with what begins at it
/// and goes on after it. Number j of the first half of the block is followed by number j of the second.
///
/// # Panics
/// Where `after` is shorter than `block.len() + sums.len()`.
pub fn block_products(width: Width, block: &[f32], after: &[f32], sums: &mut [f32]) {
    assert!(after.len() >= block.len() + sums.len(), "a number for each product");
    dispatch(width, BlockProducts { block, after, sums });
}

/// The blocks of a frame, `len` numbers each.
#[derive(Debug, Clone, Copy)]
pub struct FrameBlocks<'a> {
    /// The numbers of the frame.
    pub frame: &'a [f32],
    /// Numbers in a block.
    pub len: usize,
    /// Of each block a row of `lags` sums, by [`block_products`].
    pub rows: &'a [f32],
    /// Lags, whole blocks of them and no more than there are in the frame.
    pub lags: usize,
    /// The last block, and as many zeros.
    pub last: &'a [f32],
}

/// Sums what lies inside of the frame: `sums[lag]` gets `frame[0] * frame[lag] + .. + frame[n - 1 - lag] * frame[n - 1]`. Of a segment of
/// lags as long as a block, the rows of the blocks that do not reach the last one count whole; the one that does is multiplied
/// with it anew.
///
/// # Panics
/// Where lengths do not fit each other.
pub fn frame_products(width: Width, blocks: &FrameBlocks<'_>, sums: &mut [f32]) {
    let &FrameBlocks { frame, len, rows, lags, last } = blocks;
    assert!(len >= 1 && frame.len().is_multiple_of(len), "whole blocks");
    assert!(lags.is_multiple_of(len) && lags <= frame.len(), "whole segments");
    assert!(rows.len() >= frame.len() / len * lags, "a row for each block");
    assert!(last.len() >= 2 * len && sums.len() >= lags, "room for the last block and the sums");
    dispatch(width, FrameProducts { blocks: *blocks, sums });
}

struct BlockProducts<'a> {
    block: &'a [f32],
    after: &'a [f32],
    sums: &'a mut [f32],
}

struct FrameProducts<'a> {
    blocks: FrameBlocks<'a>,
    sums: &'a mut [f32],
}

// SAFETY of the blocks below: the functions above have checked that each number which is loaded or stored is there; registers
// are only asked for where all their numbers lie among the lags.

impl Work<f32> for BlockProducts<'_> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<V: Register<Number = f32>>(self) {
        unsafe {
            let mut lag = 0;
            macro_rules! go {
                ($strip:ident, $register:ty, $count:literal) => {
                    while lag + $count * <$register>::WIDTH <= self.sums.len() {
                        $strip::<$register>(
                            self.block,
                            self.after.as_ptr().add(lag),
                            self.sums.as_mut_ptr().add(lag),
                        );
                        lag += $count * <$register>::WIDTH;
                    }
                };
            }
            if V::MANY {
                go!(products_16, V, 16);
            }
            go!(products_8, V, 8);
            go!(products_1, V, 1);
            go!(products_1, super::register::OneF32, 1);
        }
    }
}

/// Some registers of lags; straight-line code, since loops over sums are left rolled.
macro_rules! products {
    ($name:ident, $count:literal, [$($k:literal)*]) => {
        #[inline(always)]
        unsafe fn $name<V: Register<Number = f32>>(block: &[f32], after: *const f32, to: *mut f32) {
            unsafe {
                let half = block.len().div_ceil(2);
                let number = |j: usize| V::splat(*block.as_ptr().add(j));
                let mut sums = [V::splat(0.0); $count];
                if block.len() == 2 * V::WIDTH {
                    // What the second half is multiplied with, the first half is with the next register.
                    for j in 0..half {
                        let (first, second, from) = (number(j), number(j + half), after.add(j));
                        let mut here = V::load(from);
                        $(
                            let next = V::load(from.add(($k + 1) * V::WIDTH));
                            sums[$k] = next.fused(second, here.fused(first, sums[$k]));
                            here = next;
                        )*
                        let _ = here;
                    }
                } else {
                    for j in 0..half {
                        let (first, from) = (number(j), after.add(j));
                        $( sums[$k] = V::load(from.add($k * V::WIDTH)).fused(first, sums[$k]); )*
                        if j + half < block.len() {
                            let (second, from) = (number(j + half), from.add(half));
                            $( sums[$k] = V::load(from.add($k * V::WIDTH)).fused(second, sums[$k]); )*
                        }
                    }
                }
                $( sums[$k].store(to.add($k * V::WIDTH)); )*
            }
        }
    };
}

products!(products_16, 16, [0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15]);
products!(products_8, 8, [0 1 2 3 4 5 6 7]);
products!(products_1, 1, [0]);

impl Work<f32> for FrameProducts<'_> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<V: Register<Number = f32>>(self) {
        let FrameBlocks { len, .. } = self.blocks;
        unsafe {
            let mut at = 0;
            while at + V::WIDTH <= len {
                self.column::<V>(at);
                at += V::WIDTH;
            }
            while at < len {
                self.column::<super::register::OneF32>(at);
                at += 1;
            }
        }
    }
}

impl FrameProducts<'_> {
    /// The lags of all segments from place `at` of a segment on.
    #[inline(always)]
    unsafe fn column<V: Register<Number = f32>>(&self, at: usize) {
        let FrameBlocks { len, lags, frame, .. } = self.blocks;
        let (segments, count) = (lags / len, frame.len() / len);
        unsafe {
            let mut segment = 0;
            while segment + 8 <= segments {
                let sums = ends_8::<V>(&self.blocks, count - 1 - segment, at);
                for (i, sum) in sums.into_iter().enumerate() {
                    self.store(segment + i, at, sum);
                }
                segment += 8;
            }
            while segment < segments {
                let [sum] = ends_1::<V>(&self.blocks, count - 1 - segment, at);
                self.store(segment, at, sum);
                segment += 1;
            }
        }
    }

    /// Adds the rows that count whole, and stores the sums.
    #[inline(always)]
    unsafe fn store<V: Register<Number = f32>>(&self, segment: usize, at: usize, mut sum: V) {
        let FrameBlocks { len, lags, frame, rows, .. } = self.blocks;
        unsafe {
            let lag = segment * len + at;
            for block in 0..frame.len() / len - 1 - segment {
                sum = V::load(rows.as_ptr().add(block * lags + lag)).add(sum);
            }
            sum.store(self.sums.as_ptr().cast_mut().add(lag));
        }
    }
}

/// The products of some blocks, from `block` downwards, with the last one.
macro_rules! ends {
    ($name:ident, $count:literal, [$($k:literal)*]) => {
        #[inline(always)]
        unsafe fn $name<V: Register<Number = f32>>(blocks: &FrameBlocks<'_>, block: usize, at: usize) -> [V; $count] {
            unsafe {
                let mut sums = [V::splat(0.0); $count];
                let first = blocks.frame.as_ptr().add(block * blocks.len);
                for j in 0..blocks.len {
                    let last = V::load(blocks.last.as_ptr().add(j + at));
                    $( sums[$k] = V::splat(*first.sub($k * blocks.len).add(j)).fused(last, sums[$k]); )*
                }
                sums
            }
        }
    };
}

ends!(ends_8, 8, [0 1 2 3 4 5 6 7]);
ends!(ends_1, 1, [0]);

#[cfg(test)]
mod tests {
    use super::*;

    fn noise(len: usize) -> Vec<f32> {
        (0..len).map(|i| ((i * 7919 + 13) % 10_009) as f32 / 5004.0 - 1.0).collect()
    }

    #[test]
    fn products_of_frames_are_the_definition_in_every_width() {
        for (len, count, lags) in
            [(32, 32, 256), (16, 9, 144), (20, 12, 100), (33, 4, 33), (1, 30, 7), (40, 3, 80)]
        {
            let (samples, size) = (noise(len * count + lags), len * count);
            let mut last = samples[size - len..size].to_vec();
            last.resize(2 * len, 0.0);
            let mut plain: Option<Vec<u32>> = None;
            for width in Width::available() {
                let mut rows = vec![0.0; count * lags];
                for (block, row) in rows.chunks_mut(lags).enumerate() {
                    block_products(width, &samples[block * len..][..len], &samples[block * len..], row);
                }
                for (at, row) in rows.iter().enumerate() {
                    let (block, lag) = (at / lags, at % lags);
                    let term = |j: usize| {
                        f64::from(samples[block * len + j]) * f64::from(samples[block * len + j + lag])
                    };
                    assert!((f64::from(*row) - (0..len).map(term).sum::<f64>()).abs() < 1e-5);
                }
                let mut sums = vec![9.0; lags];
                let frame = &samples[..size];
                frame_products(width, &FrameBlocks { frame, len, rows: &rows, lags, last: &last }, &mut sums);
                for (lag, sum) in sums.iter().enumerate() {
                    let terms = frame.iter().zip(&frame[lag..]).map(|(x, y)| f64::from(*x) * f64::from(*y));
                    assert!((f64::from(*sum) - terms.sum::<f64>()).abs() < 1e-4, "{len} {count} {lag}");
                }
                let bits: Vec<u32> = rows.iter().chain(&sums).map(|x| x.to_bits()).collect();
                assert_eq!(*plain.get_or_insert_with(|| bits.clone()), bits, "{width:?} {len}");
            }
        }
    }
}
