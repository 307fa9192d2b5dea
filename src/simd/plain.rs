//! The kernels without any special instruction: the definition that the other widths are held to.

use super::LANES;
use super::vector::{ROUNDER, Vector, tree_sum};

/// A group of 16 numbers as an array.
#[derive(Clone, Copy)]
pub(super) struct Plain([f32; LANES]);

impl Plain {
    #[inline(always)]
    fn zip(self, other: Self, operation: impl Fn(f32, f32) -> f32) -> Self {
        Self(std::array::from_fn(|lane| operation(self.0[lane], other.0[lane])))
    }
}

impl Vector for Plain {
    const WIDTH: usize = LANES;
    const BLOCK: usize = 2;

    #[inline(always)]
    unsafe fn load(from: *const f32) -> Self {
        // SAFETY: the caller promises 16 numbers at `from`.
        Self(unsafe { from.cast::<[f32; LANES]>().read_unaligned() })
    }

    #[inline(always)]
    unsafe fn store(self, to: *mut f32) {
        // SAFETY: the caller promises room for 16 numbers at `to`.
        unsafe { to.cast::<[f32; LANES]>().write_unaligned(self.0) }
    }

    #[inline(always)]
    unsafe fn splat(value: f32) -> Self {
        Self([value; LANES])
    }

    #[inline(always)]
    unsafe fn add(self, other: Self) -> Self {
        self.zip(other, |a, b| a + b)
    }

    #[inline(always)]
    unsafe fn sub(self, other: Self) -> Self {
        self.zip(other, |a, b| a - b)
    }

    #[inline(always)]
    unsafe fn mul(self, other: Self) -> Self {
        self.zip(other, |a, b| a * b)
    }

    #[inline(always)]
    unsafe fn div(self, other: Self) -> Self {
        self.zip(other, |a, b| a / b)
    }

    #[inline(always)]
    unsafe fn fused(self, factor: Self, term: Self) -> Self {
        Self(std::array::from_fn(|lane| self.0[lane].mul_add(factor.0[lane], term.0[lane])))
    }

    #[inline(always)]
    unsafe fn min(self, other: Self) -> Self {
        self.zip(other, |a, b| if a < b { a } else { b })
    }

    #[inline(always)]
    unsafe fn max(self, other: Self) -> Self {
        self.zip(other, |a, b| if a > b { a } else { b })
    }

    #[inline(always)]
    unsafe fn power_of_two(self) -> Self {
        Self(self.0.map(|sum| {
            let whole = sum.to_bits().wrapping_sub(ROUNDER.to_bits());
            f32::from_bits((whole << 23).wrapping_add(1.0_f32.to_bits()))
        }))
    }

    #[inline(always)]
    unsafe fn fold(groups: *const f32, sums: *mut f32) {
        for index in 0..LANES {
            // SAFETY: the caller promises 16 groups of 16 numbers to read and room for 16 sums.
            unsafe {
                let group = groups.add(index * LANES).cast::<[f32; LANES]>().read_unaligned();
                sums.add(index).write(tree_sum(&group));
            }
        }
    }
}
