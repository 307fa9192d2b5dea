//! AVX2 with fused multiply-add: a group of 16 numbers is two registers.

use std::arch::x86_64::{
    __m256, _mm256_add_epi32, _mm256_add_ps, _mm256_castps_si256, _mm256_castsi256_ps, _mm256_div_ps,
    _mm256_fmadd_ps, _mm256_loadu_ps, _mm256_max_ps, _mm256_min_ps, _mm256_mul_ps, _mm256_permute2f128_ps,
    _mm256_set1_epi32, _mm256_set1_ps, _mm256_shuffle_ps, _mm256_slli_epi32, _mm256_storeu_ps,
    _mm256_sub_epi32, _mm256_sub_ps,
};

use super::LANES;
use super::vector::{ROUNDER, Vector};

/// One register of 8 numbers.
#[derive(Clone, Copy)]
pub(super) struct Avx2(__m256);

// SAFETY of every block below: the trait's promise, that AVX2 and FMA exist and that pointers are good for 8 numbers, is
// all that these instructions ask for.
impl Vector for Avx2 {
    const WIDTH: usize = 8;
    const BLOCK: usize = 2;

    #[inline(always)]
    unsafe fn load(from: *const f32) -> Self {
        Self(unsafe { _mm256_loadu_ps(from) })
    }

    #[inline(always)]
    unsafe fn store(self, to: *mut f32) {
        unsafe { _mm256_storeu_ps(to, self.0) }
    }

    #[inline(always)]
    unsafe fn splat(value: f32) -> Self {
        Self(unsafe { _mm256_set1_ps(value) })
    }

    #[inline(always)]
    unsafe fn add(self, other: Self) -> Self {
        Self(unsafe { _mm256_add_ps(self.0, other.0) })
    }

    #[inline(always)]
    unsafe fn sub(self, other: Self) -> Self {
        Self(unsafe { _mm256_sub_ps(self.0, other.0) })
    }

    #[inline(always)]
    unsafe fn mul(self, other: Self) -> Self {
        Self(unsafe { _mm256_mul_ps(self.0, other.0) })
    }

    #[inline(always)]
    unsafe fn div(self, other: Self) -> Self {
        Self(unsafe { _mm256_div_ps(self.0, other.0) })
    }

    #[inline(always)]
    unsafe fn fused(self, factor: Self, term: Self) -> Self {
        Self(unsafe { _mm256_fmadd_ps(self.0, factor.0, term.0) })
    }

    #[inline(always)]
    unsafe fn min(self, other: Self) -> Self {
        Self(unsafe { _mm256_min_ps(self.0, other.0) })
    }

    #[inline(always)]
    unsafe fn max(self, other: Self) -> Self {
        Self(unsafe { _mm256_max_ps(self.0, other.0) })
    }

    #[inline(always)]
    unsafe fn power_of_two(self) -> Self {
        unsafe {
            let whole = _mm256_sub_epi32(
                _mm256_castps_si256(self.0),
                _mm256_set1_epi32(ROUNDER.to_bits().cast_signed()),
            );
            let one = _mm256_set1_epi32(1.0_f32.to_bits().cast_signed());
            Self(_mm256_castsi256_ps(_mm256_add_epi32(_mm256_slli_epi32::<23>(whole), one)))
        }
    }

    /// As for AVX-512: each step lays the halves of two registers side by side and adds them.
    #[inline(always)]
    unsafe fn fold(groups: *const f32, sums: *mut f32) {
        unsafe {
            for half in [0, 8] {
                let groups = groups.add(half * LANES);
                let a = pair(quarter(groups, 0), quarter(groups, 1));
                let b = pair(quarter(groups, 2), quarter(groups, 3));
                let sum = _mm256_add_ps(_mm256_shuffle_ps::<0x88>(a, b), _mm256_shuffle_ps::<0xDD>(a, b));
                _mm256_storeu_ps(sums.add(half), sum);
            }
        }
    }
}

/// Groups `column` and + 4, each folded to four numbers.
#[inline(always)]
unsafe fn quarter(groups: *const f32, column: usize) -> __m256 {
    unsafe {
        let (a, b) = (half(groups, column), half(groups, column + 4));
        _mm256_add_ps(_mm256_permute2f128_ps::<0x20>(a, b), _mm256_permute2f128_ps::<0x31>(a, b))
    }
}

/// A group folded to eight numbers.
#[inline(always)]
unsafe fn half(groups: *const f32, column: usize) -> __m256 {
    unsafe {
        let from = groups.add(column * LANES);
        _mm256_add_ps(_mm256_loadu_ps(from), _mm256_loadu_ps(from.add(8)))
    }
}

/// Folds fours to twos: those of `a` and of `b` side by side in each half.
#[inline(always)]
unsafe fn pair(a: __m256, b: __m256) -> __m256 {
    unsafe { _mm256_add_ps(_mm256_shuffle_ps::<0x44>(a, b), _mm256_shuffle_ps::<0xEE>(a, b)) }
}
