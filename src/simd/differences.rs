//! Differences between numbers and those before them.

use super::{Instructions, Width};

/// The least and the greatest of the differences, and of the numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Extremes {
    /// Of the differences.
    pub differences: [i32; 2],
    /// Of the numbers.
    pub numbers: [u32; 2],
}

impl Extremes {
    /// Of nothing: every number is less than its least, and greater than its greatest.
    pub const NONE: Self = Self { differences: [i32::MAX, i32::MIN], numbers: [u32::MAX, 0] };
}

/// Puts each of `numbers` less the one of `before` into `differences`, as far as all three reach. In 32 bits: what does not fit wraps
/// around.
pub fn differences(width: Width, numbers: &[u32], before: &[u32], differences: &mut [i32]) -> Extremes {
    match width.0 {
        #[cfg(target_arch = "x86_64")]
        Instructions::Avx2 | Instructions::Avx512 => {
            // SAFETY: `Width` is only made where the processor has the instructions, and both widths have AVX2.
            unsafe { differences_avx2(numbers, before, differences) }
        }
        _ => differences_plain(numbers, before, differences),
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
unsafe fn differences_avx2(numbers: &[u32], before: &[u32], differences: &mut [i32]) -> Extremes {
    differences_plain(numbers, before, differences)
}

#[inline(always)]
fn differences_plain(numbers: &[u32], before: &[u32], differences: &mut [i32]) -> Extremes {
    let Extremes { differences: [mut least, mut most], numbers: [mut low, mut high] } = Extremes::NONE;
    for ((difference, &number), before) in differences.iter_mut().zip(numbers).zip(before) {
        *difference = number.wrapping_sub(*before).cast_signed();
        (least, most) = (least.min(*difference), most.max(*difference));
        (low, high) = (low.min(number), high.max(number));
    }
    Extremes { differences: [least, most], numbers: [low, high] }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_widths_find_the_same() {
        let numbers: Vec<u32> = (0..300_u32).map(|i| i.wrapping_mul(2_654_435_761) >> (i % 32)).collect();
        for len in 0..290 {
            let (before, numbers) = (&numbers[..len], &numbers[1..=len]);
            let expected: Vec<i32> =
                numbers.iter().zip(before).map(|(a, b)| a.wrapping_sub(*b).cast_signed()).collect();
            for width in Width::available() {
                let mut found = vec![0; len];
                let extremes = differences(width, numbers, before, &mut found);
                assert_eq!(found, expected);
                let least = expected.iter().min().copied().unwrap_or(i32::MAX);
                let most = expected.iter().max().copied().unwrap_or(i32::MIN);
                assert_eq!(extremes.differences, [least, most]);
                let low = numbers.iter().min().copied().unwrap_or(u32::MAX);
                let high = numbers.iter().max().copied().unwrap_or(0);
                assert_eq!(extremes.numbers, [low, high]);
            }
        }
    }
}
