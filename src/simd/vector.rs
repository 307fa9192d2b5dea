//! What a kernel needs of a vector unit.

use super::LANES;

/// A register of `WIDTH` numbers (8 or 16) with the operations of the kernels. All but `fold` work lane by lane and round
/// once, as IEEE 754 says, so every width gives the bits that the plain form gives.
///
/// # Safety
///
/// Every function may be called only where the instructions of the implementing type exist, which [`super::Width`] has
/// found out; those that take a pointer touch `WIDTH` numbers from there on, `fold` 256 to read and 16 to write.
pub(super) trait Vector: Copy {
    /// Numbers in a register: a divisor of [`LANES`].
    const WIDTH: usize;
    /// Input rows that are multiplied with six output rows at a time without running out of registers: 2 or 4.
    const BLOCK: usize;

    unsafe fn load(from: *const f32) -> Self;
    unsafe fn store(self, to: *mut f32);
    unsafe fn splat(value: f32) -> Self;
    unsafe fn add(self, other: Self) -> Self;
    unsafe fn sub(self, other: Self) -> Self;
    unsafe fn mul(self, other: Self) -> Self;
    unsafe fn div(self, other: Self) -> Self;
    /// `self * factor + term`, rounded once.
    unsafe fn fused(self, factor: Self, term: Self) -> Self;
    /// The smaller; `other` where either is not a number.
    unsafe fn min(self, other: Self) -> Self;
    /// The larger; `other` where either is not a number.
    unsafe fn max(self, other: Self) -> Self;
    /// 2^n, where `self` is [`ROUNDER`] + n for a whole number n in -126..=127.
    unsafe fn power_of_two(self) -> Self;
    /// The sums of 16 groups of 16 numbers, each by the tree of [`tree_sum`].
    unsafe fn fold(groups: *const f32, sums: *mut f32);
}

/// Added to a number of small size and taken off again, this leaves the nearest whole number (1.5 · 2^23).
pub(super) const ROUNDER: f32 = 12_582_912.0;

/// The sum of a group, in the one order that all widths keep: halves onto each other until one number is left.
pub(super) fn tree_sum(group: &[f32; LANES]) -> f32 {
    let mut sums = *group;
    let mut half = LANES / 2;
    while half > 0 {
        for lane in 0..half {
            sums[lane] += sums[lane + half];
        }
        half /= 2;
    }
    sums[0]
}

/// 1 / (1 + e^-x) within 1.2e-7, for x limited to -60..=60.
///
/// e^-x = 2^n · 2^f with n whole and |f| <= 1/2; 2^f is its series up to the sixth power.
#[inline(always)]
pub(super) unsafe fn sigmoid<V: Vector>(x: V) -> V {
    const SERIES: [f32; 7] = [
        1.0,
        std::f32::consts::LN_2,
        0.240_226_5,
        0.055_504_11,
        0.009_618_129,
        0.001_333_355_8,
        0.000_154_035_3,
    ];
    // SAFETY: the caller's promise is the same as that of the operations; no memory is touched.
    unsafe {
        let limited = x.max(V::splat(-60.0)).min(V::splat(60.0));
        let exponent = limited.mul(V::splat(-std::f32::consts::LOG2_E));
        let rounded = exponent.add(V::splat(ROUNDER));
        let fraction = exponent.sub(rounded.sub(V::splat(ROUNDER)));
        let mut power = V::splat(SERIES[6]);
        for &coefficient in SERIES[..6].iter().rev() {
            power = power.fused(fraction, V::splat(coefficient));
        }
        let exponential = power.mul(rounded.power_of_two());
        V::splat(1.0).div(exponential.add(V::splat(1.0)))
    }
}
