//! The registers of NEON, which every 64-bit ARM processor has.

#[allow(clippy::wildcard_imports, reason = "some twenty intrinsics")]
use std::arch::aarch64::*;

use super::register::Register;

macro_rules! register {
    (
        $name:ident, $number:ty, $inner:ty, $width:expr, $load:ident, $store:ident, $splat:ident, $add:ident,
        $sub:ident, $mul:ident, $div:ident, $fma:ident, $fms:ident, $neg:ident, $less:ident, $select:ident
    ) => {
        /// One register.
        #[derive(Clone, Copy)]
        pub struct $name($inner);

        // SAFETY of the blocks: NEON is part of the architecture, and the caller promises that pointers are good for
        // the numbers of a register.
        impl Register for $name {
            type Number = $number;
            const WIDTH: usize = $width;
            const MANY: bool = true;

            #[inline(always)]
            unsafe fn load(from: *const $number) -> Self {
                Self(unsafe { $load(from) })
            }
            #[inline(always)]
            unsafe fn store(self, to: *mut $number) {
                unsafe { $store(to, self.0) }
            }
            #[inline(always)]
            unsafe fn splat(value: $number) -> Self {
                Self(unsafe { $splat(value) })
            }
            #[inline(always)]
            unsafe fn add(self, other: Self) -> Self {
                Self(unsafe { $add(self.0, other.0) })
            }
            #[inline(always)]
            unsafe fn sub(self, other: Self) -> Self {
                Self(unsafe { $sub(self.0, other.0) })
            }
            #[inline(always)]
            unsafe fn mul(self, other: Self) -> Self {
                Self(unsafe { $mul(self.0, other.0) })
            }
            #[inline(always)]
            unsafe fn div(self, other: Self) -> Self {
                Self(unsafe { $div(self.0, other.0) })
            }
            #[inline(always)]
            unsafe fn fused(self, factor: Self, term: Self) -> Self {
                Self(unsafe { $fma(term.0, self.0, factor.0) })
            }
            #[inline(always)]
            unsafe fn fused_less(self, factor: Self, term: Self) -> Self {
                Self(unsafe { $fma($neg(term.0), self.0, factor.0) })
            }
            #[inline(always)]
            unsafe fn less_fused(self, factor: Self, term: Self) -> Self {
                Self(unsafe { $fms(term.0, self.0, factor.0) })
            }
            #[inline(always)]
            unsafe fn min(self, other: Self) -> Self {
                Self(unsafe { $select($less(self.0, other.0), self.0, other.0) })
            }
            #[inline(always)]
            unsafe fn max(self, other: Self) -> Self {
                Self(unsafe { $select($less(other.0, self.0), self.0, other.0) })
            }
        }
    };
}

register!(
    NeonF32,
    f32,
    float32x4_t,
    4,
    vld1q_f32,
    vst1q_f32,
    vdupq_n_f32,
    vaddq_f32,
    vsubq_f32,
    vmulq_f32,
    vdivq_f32,
    vfmaq_f32,
    vfmsq_f32,
    vnegq_f32,
    vcltq_f32,
    vbslq_f32
);
register!(
    NeonF64,
    f64,
    float64x2_t,
    2,
    vld1q_f64,
    vst1q_f64,
    vdupq_n_f64,
    vaddq_f64,
    vsubq_f64,
    vmulq_f64,
    vdivq_f64,
    vfmaq_f64,
    vfmsq_f64,
    vnegq_f64,
    vcltq_f64,
    vbslq_f64
);
