//! AVX-512: a group of 16 numbers is one register.

use std::arch::x86_64::{
    __m512, _mm512_add_epi32, _mm512_add_ps, _mm512_castps_si512, _mm512_castsi512_ps, _mm512_div_ps,
    _mm512_fmadd_ps, _mm512_loadu_ps, _mm512_max_ps, _mm512_min_ps, _mm512_mul_ps, _mm512_set1_epi32,
    _mm512_set1_ps, _mm512_shuffle_f32x4, _mm512_shuffle_ps, _mm512_slli_epi32, _mm512_storeu_ps,
    _mm512_sub_epi32, _mm512_sub_ps,
};

use super::LANES;
use super::vector::{ROUNDER, Vector};

/// One register of 16 numbers.
#[derive(Clone, Copy)]
pub(super) struct Avx512(__m512);

// SAFETY of every block below: the trait's promise, that AVX-512F exists and that pointers are good for 16 numbers, is
// all that these instructions ask for.
impl Vector for Avx512 {
    const WIDTH: usize = LANES;
    const BLOCK: usize = 4;

    #[inline(always)]
    unsafe fn load(from: *const f32) -> Self {
        Self(unsafe { _mm512_loadu_ps(from) })
    }

    #[inline(always)]
    unsafe fn store(self, to: *mut f32) {
        unsafe { _mm512_storeu_ps(to, self.0) }
    }

    #[inline(always)]
    unsafe fn splat(value: f32) -> Self {
        Self(unsafe { _mm512_set1_ps(value) })
    }

    #[inline(always)]
    unsafe fn add(self, other: Self) -> Self {
        Self(unsafe { _mm512_add_ps(self.0, other.0) })
    }

    #[inline(always)]
    unsafe fn sub(self, other: Self) -> Self {
        Self(unsafe { _mm512_sub_ps(self.0, other.0) })
    }

    #[inline(always)]
    unsafe fn mul(self, other: Self) -> Self {
        Self(unsafe { _mm512_mul_ps(self.0, other.0) })
    }

    #[inline(always)]
    unsafe fn div(self, other: Self) -> Self {
        Self(unsafe { _mm512_div_ps(self.0, other.0) })
    }

    #[inline(always)]
    unsafe fn fused(self, factor: Self, term: Self) -> Self {
        Self(unsafe { _mm512_fmadd_ps(self.0, factor.0, term.0) })
    }

    #[inline(always)]
    unsafe fn min(self, other: Self) -> Self {
        Self(unsafe { _mm512_min_ps(self.0, other.0) })
    }

    #[inline(always)]
    unsafe fn max(self, other: Self) -> Self {
        Self(unsafe { _mm512_max_ps(self.0, other.0) })
    }

    #[inline(always)]
    unsafe fn power_of_two(self) -> Self {
        unsafe {
            let whole = _mm512_sub_epi32(
                _mm512_castps_si512(self.0),
                _mm512_set1_epi32(ROUNDER.to_bits().cast_signed()),
            );
            let one = _mm512_set1_epi32(1.0_f32.to_bits().cast_signed());
            Self(_mm512_castsi512_ps(_mm512_add_epi32(_mm512_slli_epi32::<23>(whole), one)))
        }
    }

    /// Each step lays the halves of two registers side by side and adds them, so that 16 groups shrink to one register.
    /// Groups are paired so that the sums come out in their order.
    #[inline(always)]
    unsafe fn fold(groups: *const f32, sums: *mut f32) {
        unsafe {
            let a = pair(quarter(groups, 0), quarter(groups, 1));
            let b = pair(quarter(groups, 2), quarter(groups, 3));
            let sum = _mm512_add_ps(_mm512_shuffle_ps::<0x88>(a, b), _mm512_shuffle_ps::<0xDD>(a, b));
            _mm512_storeu_ps(sums, sum);
        }
    }
}

/// Groups `column`, + 4, + 8 and + 12, each folded to four numbers, in order.
#[inline(always)]
unsafe fn quarter(groups: *const f32, column: usize) -> __m512 {
    unsafe {
        let a = halves(groups, column);
        let b = halves(groups, column + 8);
        _mm512_add_ps(_mm512_shuffle_f32x4::<0x88>(a, b), _mm512_shuffle_f32x4::<0xDD>(a, b))
    }
}

/// Groups `column` and + 4, each folded to eight numbers.
#[inline(always)]
unsafe fn halves(groups: *const f32, column: usize) -> __m512 {
    unsafe {
        let a = _mm512_loadu_ps(groups.add(column * LANES));
        let b = _mm512_loadu_ps(groups.add((column + 4) * LANES));
        _mm512_add_ps(_mm512_shuffle_f32x4::<0x44>(a, b), _mm512_shuffle_f32x4::<0xEE>(a, b))
    }
}

/// Folds fours to twos: those of `a` and of `b` side by side in each quarter.
#[inline(always)]
unsafe fn pair(a: __m512, b: __m512) -> __m512 {
    unsafe { _mm512_add_ps(_mm512_shuffle_ps::<0x44>(a, b), _mm512_shuffle_ps::<0xEE>(a, b)) }
}
