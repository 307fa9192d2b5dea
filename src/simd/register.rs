//! Registers of f32 and f64 numbers, as the filters use them: whole, without tails or masks.

use std::ops::{Add, Mul};

/// A number that filters run over: `f32` or `f64`, and nothing else can be one.
pub trait Number:
    Copy + Default + PartialOrd + Add<Output = Self> + Mul<Output = Self> + Send + Sync + 'static
{
    /// Numbers side by side in the transforms, whatever the width of the registers: one cache line.
    const GROUP: usize;
    /// The nearest one to `value`.
    fn nearest(value: f64) -> Self;
    /// One number, for what is left over at the end of a row.
    type One: Register<Number = Self>;
    /// A group as an array: the definition that the other widths are held to.
    type Plain: Register<Number = Self>;
    /// 256 bits.
    #[cfg(target_arch = "x86_64")]
    type Avx2: Register<Number = Self>;
    /// 512 bits.
    #[cfg(target_arch = "x86_64")]
    type Avx512: Register<Number = Self>;
    /// 128 bits.
    #[cfg(target_arch = "aarch64")]
    type Neon: Register<Number = Self>;
}

/// A register of `WIDTH` numbers. Every operation works number by number and rounds once, as IEEE 754 says, so every
/// width gives the bits that the plain form gives.
///
/// # Safety
///
/// Every function may be called only where the instructions of the implementing type exist, which [`super::Width`] has
/// found out; those that take a pointer touch `WIDTH` numbers from there on, `transpose` `WIDTH` rows of them.
pub trait Register: Copy {
    /// What it holds.
    type Number: Number;
    /// Numbers in a register: a divisor of the group of 16 or 8.
    const WIDTH: usize;
    /// Whether there are 32 registers, so that a block of 6 by 4 sums stays in them, or only 16.
    const MANY: bool;

    /// The numbers from this place on.
    unsafe fn load(from: *const Self::Number) -> Self;
    /// Writes the numbers from this place on.
    unsafe fn store(self, to: *mut Self::Number);
    /// The same number everywhere.
    unsafe fn splat(value: Self::Number) -> Self;
    /// Sums.
    unsafe fn add(self, other: Self) -> Self;
    /// Differences.
    unsafe fn sub(self, other: Self) -> Self;
    /// Products.
    unsafe fn mul(self, other: Self) -> Self;
    /// Quotients.
    unsafe fn div(self, other: Self) -> Self;
    /// `self * factor + term`, rounded once.
    unsafe fn fused(self, factor: Self, term: Self) -> Self;
    /// `self * factor - term`, rounded once.
    unsafe fn fused_less(self, factor: Self, term: Self) -> Self;
    /// `term - self * factor`, rounded once.
    unsafe fn less_fused(self, factor: Self, term: Self) -> Self;
    /// The lesser of each two: `self` where it is less, otherwise `other`.
    unsafe fn min(self, other: Self) -> Self;
    /// The greater of each two: `self` where it is greater, otherwise `other`.
    unsafe fn max(self, other: Self) -> Self;
    /// Turns `WIDTH` rows of `WIDTH` numbers that start `apart` from each other into columns, whose rows start `stride` from
    /// each other.
    #[inline(always)]
    unsafe fn transpose(from: *const Self::Number, apart: usize, to: *mut Self::Number, stride: usize) {
        for row in 0..Self::WIDTH {
            for col in 0..Self::WIDTH {
                // SAFETY: inside the two squares that the caller vouches for.
                unsafe { *to.add(col * stride + row) = *from.add(row * apart + col) };
            }
        }
    }
}

macro_rules! plain {
    ($name:ident, $number:ty, $width:expr) => {
        /// Numbers as an array.
        #[derive(Clone, Copy)]
        pub struct $name([$number; $width]);

        // SAFETY of the blocks: the caller promises that pointers are good for the numbers of a register.
        impl Register for $name {
            type Number = $number;
            const WIDTH: usize = $width;
            const MANY: bool = false;

            #[inline(always)]
            unsafe fn load(from: *const $number) -> Self {
                Self(unsafe { from.cast::<[$number; $width]>().read_unaligned() })
            }
            #[inline(always)]
            unsafe fn store(self, to: *mut $number) {
                unsafe { to.cast::<[$number; $width]>().write_unaligned(self.0) }
            }
            #[inline(always)]
            unsafe fn splat(value: $number) -> Self {
                Self([value; $width])
            }
            #[inline(always)]
            unsafe fn add(self, other: Self) -> Self {
                Self(std::array::from_fn(|i| self.0[i] + other.0[i]))
            }
            #[inline(always)]
            unsafe fn sub(self, other: Self) -> Self {
                Self(std::array::from_fn(|i| self.0[i] - other.0[i]))
            }
            #[inline(always)]
            unsafe fn mul(self, other: Self) -> Self {
                Self(std::array::from_fn(|i| self.0[i] * other.0[i]))
            }
            #[inline(always)]
            unsafe fn div(self, other: Self) -> Self {
                Self(std::array::from_fn(|i| self.0[i] / other.0[i]))
            }
            #[inline(always)]
            unsafe fn fused(self, factor: Self, term: Self) -> Self {
                Self(std::array::from_fn(|i| self.0[i].mul_add(factor.0[i], term.0[i])))
            }
            #[inline(always)]
            unsafe fn fused_less(self, factor: Self, term: Self) -> Self {
                Self(std::array::from_fn(|i| self.0[i].mul_add(factor.0[i], -term.0[i])))
            }
            #[inline(always)]
            unsafe fn min(self, other: Self) -> Self {
                Self(std::array::from_fn(|i| if self.0[i] < other.0[i] { self.0[i] } else { other.0[i] }))
            }
            #[inline(always)]
            unsafe fn max(self, other: Self) -> Self {
                Self(std::array::from_fn(|i| if self.0[i] > other.0[i] { self.0[i] } else { other.0[i] }))
            }
            #[inline(always)]
            unsafe fn less_fused(self, factor: Self, term: Self) -> Self {
                Self(std::array::from_fn(|i| (-self.0[i]).mul_add(factor.0[i], term.0[i])))
            }
        }
    };
}

plain!(OneF32, f32, 1);
plain!(OneF64, f64, 1);
plain!(PlainF32, f32, 16);
plain!(PlainF64, f64, 8);

impl Number for f32 {
    const GROUP: usize = 16;
    type One = OneF32;
    type Plain = PlainF32;
    #[cfg(target_arch = "x86_64")]
    type Avx2 = super::register_x86::Avx2F32;
    #[cfg(target_arch = "x86_64")]
    type Avx512 = super::register_x86::Avx512F32;
    #[cfg(target_arch = "aarch64")]
    type Neon = super::register_neon::NeonF32;

    fn nearest(value: f64) -> Self {
        value as Self
    }
}

impl Number for f64 {
    const GROUP: usize = 8;
    type One = OneF64;
    type Plain = PlainF64;
    #[cfg(target_arch = "x86_64")]
    type Avx2 = super::register_x86::Avx2F64;
    #[cfg(target_arch = "x86_64")]
    type Avx512 = super::register_x86::Avx512F64;
    #[cfg(target_arch = "aarch64")]
    type Neon = super::register_neon::NeonF64;

    fn nearest(value: f64) -> Self {
        value
    }
}
