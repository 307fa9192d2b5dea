//! Sorting a few numbers, in registers: without a branch that depends on them, which would be guessed wrong with every second number.
//!
//! A bitonic network (Batcher, Sorting networks and their applications, 1968) over a matrix of 16 columns: each column is sorted by whole
//! registers, then columns are merged two by two.

use super::{Instructions, Width};

/// Numbers in a register.
const COLUMNS: usize = 16;
/// Rows of the largest matrix.
const ROWS: usize = 16;

type Row = [u32; COLUMNS];

/// A few numbers, to be sorted.
#[derive(Debug, Clone)]
pub struct Few {
    rows: [Row; ROWS],
    len: usize,
}

impl Few {
    /// Numbers that it takes at most.
    pub const MOST: usize = ROWS * COLUMNS;

    /// None yet. `None` where the processor has no instructions that make it worth the while.
    #[must_use]
    pub fn new(width: Width) -> Option<Self> {
        match width.0 {
            #[cfg(target_arch = "x86_64")]
            Instructions::Avx512 => Some(Self { rows: [[0; COLUMNS]; ROWS], len: 0 }),
            _ => None,
        }
    }

    /// `numbers` in their order; those beyond [`Few::MOST`] are left out.
    pub fn sort(&mut self, numbers: impl Iterator<Item = u32>) -> impl ExactSizeIterator<Item = u32> + Clone {
        let places = self.rows.as_flattened_mut();
        self.len = places.iter_mut().zip(numbers).map(|(place, number)| *place = number).count();
        let rows = self.len.div_ceil(COLUMNS).next_power_of_two().max(2);
        places[self.len..rows * COLUMNS].fill(u32::MAX);
        match rows {
            2 => self.sort_rows::<2>(),
            4 => self.sort_rows::<4>(),
            8 => self.sort_rows::<8>(),
            _ => self.sort_rows::<ROWS>(),
        }
        // Column by column.
        let (matrix, bits) = (&self.rows, rows.trailing_zeros());
        (0..self.len).map(move |at| matrix[at & (rows - 1)][at >> bits & (COLUMNS - 1)])
    }

    #[cfg(target_arch = "x86_64")]
    fn sort_rows<const N: usize>(&mut self) {
        if let Some(rows) = self.rows.first_chunk_mut::<N>() {
            // SAFETY: `Few` is only made where the processor has the instructions.
            unsafe { avx512::sort(rows) };
        }
    }

    #[cfg(not(target_arch = "x86_64"))]
    fn sort_rows<const N: usize>(&mut self) {}
}

#[cfg(target_arch = "x86_64")]
mod avx512 {
    use super::{COLUMNS, Row};
    use std::arch::x86_64::{
        __m512i, _mm512_loadu_si512, _mm512_mask_max_epu32, _mm512_max_epu32, _mm512_min_epu32,
        _mm512_permutexvar_epi32, _mm512_setzero_si512, _mm512_storeu_si512,
    };

    /// The lanes of each register in the order in which they are exchanged: lane `i` with lane `i ^ by`.
    const fn exchanged(by: usize) -> Row {
        let mut lanes = [0; COLUMNS];
        let mut i = 0;
        while i < COLUMNS {
            lanes[i] = (i ^ by) as u32;
            i += 1;
        }
        lanes
    }

    /// The lanes whose number has this bit: they keep the greater number.
    const fn upper(bit: usize) -> u16 {
        let mut lanes = 0;
        let mut i = 0;
        while i < COLUMNS {
            lanes |= (i & bit != 0) as u16 * (1 << i);
            i += 1;
        }
        lanes
    }

    /// Sorts a matrix of `N` rows, column by column; `N` is a power of two.
    #[target_feature(enable = "avx512f")]
    pub fn sort<const N: usize>(matrix: &mut [Row; N]) {
        let mut rows = [_mm512_setzero_si512(); N];
        for (row, numbers) in rows.iter_mut().zip(&*matrix) {
            // SAFETY: sixteen numbers of four bytes are what the register holds.
            *row = unsafe { _mm512_loadu_si512(numbers.as_ptr().cast()) };
        }
        sort_columns(&mut rows);
        merge_columns::<1, 1, N>(&mut rows);
        merge_rows(&mut rows);
        merge_columns::<2, 3, N>(&mut rows);
        compare_lanes::<1, N>(&mut rows);
        merge_rows(&mut rows);
        merge_columns::<4, 7, N>(&mut rows);
        compare_lanes::<2, N>(&mut rows);
        compare_lanes::<1, N>(&mut rows);
        merge_rows(&mut rows);
        merge_columns::<8, 15, N>(&mut rows);
        compare_lanes::<4, N>(&mut rows);
        compare_lanes::<2, N>(&mut rows);
        compare_lanes::<1, N>(&mut rows);
        merge_rows(&mut rows);
        for (row, numbers) in rows.iter().zip(matrix) {
            // SAFETY: as above.
            unsafe { _mm512_storeu_si512(numbers.as_mut_ptr().cast(), *row) };
        }
    }

    /// Sorts each column alone.
    #[inline]
    #[target_feature(enable = "avx512f")]
    fn sort_columns<const N: usize>(rows: &mut [__m512i; N]) {
        let mut len = 2;
        while len <= N {
            for start in (0..N).step_by(len) {
                for i in 0..len / 2 {
                    compare_rows(rows, start + i, start + len - 1 - i);
                }
            }
            halve(rows, len / 4);
            len *= 2;
        }
    }

    /// Sorts columns whose first half rises above the second, or falls.
    #[inline]
    #[target_feature(enable = "avx512f")]
    fn merge_rows<const N: usize>(rows: &mut [__m512i; N]) {
        halve(rows, N / 2);
    }

    /// Compares rows that lie `half` apart, then half of that, and so on.
    #[inline]
    #[target_feature(enable = "avx512f")]
    fn halve<const N: usize>(rows: &mut [__m512i; N], mut half: usize) {
        while half > 0 {
            for start in (0..N).step_by(2 * half) {
                for i in start..start + half {
                    compare_rows(rows, i, i + half);
                }
            }
            half /= 2;
        }
    }

    #[inline]
    #[target_feature(enable = "avx512f")]
    fn compare_rows<const N: usize>(rows: &mut [__m512i; N], above: usize, below: usize) {
        let (a, b) = (rows[above], rows[below]);
        rows[above] = _mm512_min_epu32(a, b);
        rows[below] = _mm512_max_epu32(a, b);
    }

    /// Compares stretches of `HALF` sorted columns with those beside them, the first number of one with the last of the other; `BY` is
    /// twice `HALF` less one.
    #[inline]
    #[target_feature(enable = "avx512f")]
    fn merge_columns<const HALF: usize, const BY: usize, const N: usize>(rows: &mut [__m512i; N]) {
        for i in 0..N / 2 {
            let (a, b) = (rows[i], rows[N - 1 - i]);
            rows[i] = compared::<HALF>(a, exchange::<BY>(b));
            rows[N - 1 - i] = compared::<HALF>(b, exchange::<BY>(a));
        }
    }

    /// Compares columns that lie `BY` apart.
    #[inline]
    #[target_feature(enable = "avx512f")]
    fn compare_lanes<const BY: usize, const N: usize>(rows: &mut [__m512i; N]) {
        for row in rows {
            *row = compared::<BY>(*row, exchange::<BY>(*row));
        }
    }

    /// The less of two numbers in each lane, the greater in those whose number has the bit.
    #[inline]
    #[target_feature(enable = "avx512f")]
    fn compared<const BIT: usize>(a: __m512i, b: __m512i) -> __m512i {
        _mm512_mask_max_epu32(_mm512_min_epu32(a, b), const { upper(BIT) }, a, b)
    }

    #[inline]
    #[target_feature(enable = "avx512f")]
    fn exchange<const BY: usize>(row: __m512i) -> __m512i {
        const { assert!(BY < COLUMNS) };
        let lanes = const { exchanged(BY) };
        // SAFETY: sixteen numbers of four bytes are what the register holds.
        let lanes = unsafe { _mm512_loadu_si512(lanes.as_ptr().cast()) };
        _mm512_permutexvar_epi32(lanes, row)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_number_of_them_is_sorted_as_the_library_does() {
        // On a processor without AVX-512 there is nothing to hold against it.
        let Some(mut few) = Few::new(Width::detect()) else { return };
        let mut state = 1_u32;
        for len in 0..=2 * Few::MOST {
            for shift in [0, 8, 29] {
                let number = || {
                    state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    state >> shift
                };
                let mut numbers: Vec<u32> = std::iter::repeat_with(number).take(len).collect();
                numbers.truncate(Few::MOST);
                if let Some(last) = numbers.last_mut().filter(|_| len % 3 == 0) {
                    *last = u32::MAX;
                }
                let sorted: Vec<u32> = few.sort(numbers.iter().copied()).collect();
                numbers.sort_unstable();
                assert_eq!(sorted, numbers);
            }
        }
    }

    #[test]
    fn other_processors_have_none() {
        for width in Width::available() {
            assert_eq!(Few::new(width).is_some(), width.name() == "AVX-512");
        }
    }
}
