//! The registers of AVX2 and AVX-512.

#[allow(clippy::wildcard_imports, reason = "some fifty intrinsics")]
use std::arch::x86_64::*;

use super::register::Register;

macro_rules! register {
    (
        $name:ident, $number:ty, $inner:ty, $width:expr, $many:expr, $transpose:ident, $load:ident, $store:ident,
        $splat:ident, $add:ident, $sub:ident, $mul:ident, $div:ident, $fmadd:ident, $fmsub:ident, $fnmadd:ident, $min:ident, $max:ident
    ) => {
        /// One register.
        #[derive(Clone, Copy)]
        pub struct $name($inner);

        // SAFETY of the blocks: the trait's promise, that the instructions exist and that pointers are good for the
        // numbers of a register, is all that these ask for.
        impl Register for $name {
            type Number = $number;
            const WIDTH: usize = $width;
            const MANY: bool = $many;

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
                Self(unsafe { $fmadd(self.0, factor.0, term.0) })
            }
            #[inline(always)]
            unsafe fn fused_less(self, factor: Self, term: Self) -> Self {
                Self(unsafe { $fmsub(self.0, factor.0, term.0) })
            }
            #[inline(always)]
            unsafe fn less_fused(self, factor: Self, term: Self) -> Self {
                Self(unsafe { $fnmadd(self.0, factor.0, term.0) })
            }
            #[inline(always)]
            unsafe fn min(self, other: Self) -> Self {
                Self(unsafe { $min(self.0, other.0) })
            }
            #[inline(always)]
            unsafe fn max(self, other: Self) -> Self {
                Self(unsafe { $max(self.0, other.0) })
            }
            #[inline(always)]
            unsafe fn transpose(from: *const $number, apart: usize, to: *mut $number, stride: usize) {
                unsafe { $transpose(from, apart, to, stride) }
            }
        }
    };
}

register!(
    Avx2F32,
    f32,
    __m256,
    8,
    false,
    transpose_8_f32,
    _mm256_loadu_ps,
    _mm256_storeu_ps,
    _mm256_set1_ps,
    _mm256_add_ps,
    _mm256_sub_ps,
    _mm256_mul_ps,
    _mm256_div_ps,
    _mm256_fmadd_ps,
    _mm256_fmsub_ps,
    _mm256_fnmadd_ps,
    _mm256_min_ps,
    _mm256_max_ps
);
register!(
    Avx2F64,
    f64,
    __m256d,
    4,
    false,
    transpose_4_f64,
    _mm256_loadu_pd,
    _mm256_storeu_pd,
    _mm256_set1_pd,
    _mm256_add_pd,
    _mm256_sub_pd,
    _mm256_mul_pd,
    _mm256_div_pd,
    _mm256_fmadd_pd,
    _mm256_fmsub_pd,
    _mm256_fnmadd_pd,
    _mm256_min_pd,
    _mm256_max_pd
);
register!(
    Avx512F32,
    f32,
    __m512,
    16,
    true,
    transpose_16_f32,
    _mm512_loadu_ps,
    _mm512_storeu_ps,
    _mm512_set1_ps,
    _mm512_add_ps,
    _mm512_sub_ps,
    _mm512_mul_ps,
    _mm512_div_ps,
    _mm512_fmadd_ps,
    _mm512_fmsub_ps,
    _mm512_fnmadd_ps,
    _mm512_min_ps,
    _mm512_max_ps
);
register!(
    Avx512F64,
    f64,
    __m512d,
    8,
    true,
    transpose_8_f64,
    _mm512_loadu_pd,
    _mm512_storeu_pd,
    _mm512_set1_pd,
    _mm512_add_pd,
    _mm512_sub_pd,
    _mm512_mul_pd,
    _mm512_div_pd,
    _mm512_fmadd_pd,
    _mm512_fmsub_pd,
    _mm512_fnmadd_pd,
    _mm512_min_pd,
    _mm512_max_pd
);

// SAFETY of the transposes: the caller vouches for the two squares and for the instructions. Pairs of rows are woven
// number by number, then pair by pair, then quarter by quarter.

#[inline(always)]
unsafe fn transpose_8_f32(from: *const f32, apart: usize, to: *mut f32, stride: usize) {
    unsafe {
        let row = |r: usize| _mm256_loadu_ps(from.add(r * apart));
        let half = |r: usize| {
            let (a, b, c, d) = (row(r), row(r + 1), row(r + 2), row(r + 3));
            let (ab, cd) = (_mm256_unpacklo_ps(a, b), _mm256_unpacklo_ps(c, d));
            let (ab2, cd2) = (_mm256_unpackhi_ps(a, b), _mm256_unpackhi_ps(c, d));
            [
                _mm256_shuffle_ps::<0x44>(ab, cd),
                _mm256_shuffle_ps::<0xEE>(ab, cd),
                _mm256_shuffle_ps::<0x44>(ab2, cd2),
                _mm256_shuffle_ps::<0xEE>(ab2, cd2),
            ]
        };
        let (top, bottom) = (half(0), half(4));
        macro_rules! write {
            ($($c:literal)*) => {$(
                _mm256_storeu_ps(to.add($c * stride), _mm256_permute2f128_ps::<0x20>(top[$c], bottom[$c]));
                _mm256_storeu_ps(to.add(($c + 4) * stride), _mm256_permute2f128_ps::<0x31>(top[$c], bottom[$c]));
            )*};
        }
        write!(0 1 2 3);
    }
}

#[inline(always)]
unsafe fn transpose_4_f64(from: *const f64, apart: usize, to: *mut f64, stride: usize) {
    unsafe {
        let row = |r: usize| _mm256_loadu_pd(from.add(r * apart));
        let (a, b, c, d) = (row(0), row(1), row(2), row(3));
        let (ab, ab2) = (_mm256_unpacklo_pd(a, b), _mm256_unpackhi_pd(a, b));
        let (cd, cd2) = (_mm256_unpacklo_pd(c, d), _mm256_unpackhi_pd(c, d));
        _mm256_storeu_pd(to, _mm256_permute2f128_pd::<0x20>(ab, cd));
        _mm256_storeu_pd(to.add(stride), _mm256_permute2f128_pd::<0x20>(ab2, cd2));
        _mm256_storeu_pd(to.add(2 * stride), _mm256_permute2f128_pd::<0x31>(ab, cd));
        _mm256_storeu_pd(to.add(3 * stride), _mm256_permute2f128_pd::<0x31>(ab2, cd2));
    }
}

#[inline(always)]
unsafe fn transpose_16_f32(from: *const f32, apart: usize, to: *mut f32, stride: usize) {
    unsafe {
        let row = |r: usize| _mm512_loadu_ps(from.add(r * apart));
        // Four rows: result k holds, in each quarter q, column 4q + k of the four.
        let four = |r: usize| {
            let (a, b, c, d) = (row(r), row(r + 1), row(r + 2), row(r + 3));
            let (ab, cd) = (_mm512_unpacklo_ps(a, b), _mm512_unpacklo_ps(c, d));
            let (ab2, cd2) = (_mm512_unpackhi_ps(a, b), _mm512_unpackhi_ps(c, d));
            [
                _mm512_shuffle_ps::<0x44>(ab, cd),
                _mm512_shuffle_ps::<0xEE>(ab, cd),
                _mm512_shuffle_ps::<0x44>(ab2, cd2),
                _mm512_shuffle_ps::<0xEE>(ab2, cd2),
            ]
        };
        let (p, q, r, s) = (four(0), four(4), four(8), four(12));
        macro_rules! write {
            ($($k:literal)*) => {$(
                let low = _mm512_shuffle_f32x4::<0x44>(p[$k], q[$k]);
                let high = _mm512_shuffle_f32x4::<0xEE>(p[$k], q[$k]);
                let low2 = _mm512_shuffle_f32x4::<0x44>(r[$k], s[$k]);
                let high2 = _mm512_shuffle_f32x4::<0xEE>(r[$k], s[$k]);
                _mm512_storeu_ps(to.add($k * stride), _mm512_shuffle_f32x4::<0x88>(low, low2));
                _mm512_storeu_ps(to.add(($k + 4) * stride), _mm512_shuffle_f32x4::<0xDD>(low, low2));
                _mm512_storeu_ps(to.add(($k + 8) * stride), _mm512_shuffle_f32x4::<0x88>(high, high2));
                _mm512_storeu_ps(to.add(($k + 12) * stride), _mm512_shuffle_f32x4::<0xDD>(high, high2));
            )*};
        }
        write!(0 1 2 3);
    }
}

#[inline(always)]
unsafe fn transpose_8_f64(from: *const f64, apart: usize, to: *mut f64, stride: usize) {
    unsafe {
        let row = |r: usize| _mm512_loadu_pd(from.add(r * apart));
        let two = |r: usize| {
            let (a, b) = (row(r), row(r + 1));
            [_mm512_unpacklo_pd(a, b), _mm512_unpackhi_pd(a, b)]
        };
        let (p, q, r, s) = (two(0), two(2), two(4), two(6));
        macro_rules! write {
            ($($k:literal)*) => {$(
                let low = _mm512_shuffle_f64x2::<0x44>(p[$k], q[$k]);
                let high = _mm512_shuffle_f64x2::<0xEE>(p[$k], q[$k]);
                let low2 = _mm512_shuffle_f64x2::<0x44>(r[$k], s[$k]);
                let high2 = _mm512_shuffle_f64x2::<0xEE>(r[$k], s[$k]);
                _mm512_storeu_pd(to.add($k * stride), _mm512_shuffle_f64x2::<0x88>(low, low2));
                _mm512_storeu_pd(to.add(($k + 2) * stride), _mm512_shuffle_f64x2::<0xDD>(low, low2));
                _mm512_storeu_pd(to.add(($k + 4) * stride), _mm512_shuffle_f64x2::<0x88>(high, high2));
                _mm512_storeu_pd(to.add(($k + 6) * stride), _mm512_shuffle_f64x2::<0xDD>(high, high2));
            )*};
        }
        write!(0 1);
    }
}
