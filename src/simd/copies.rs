//! Several changed copies of a row become the row again.

use super::vector::Vector;
use super::{Instructions, LANES, Lanes, Width};

/// `row += scale · Σ (copy − row)`, summed in the order of the copies; a single copy takes the row's place. Adds
/// `weight` times the square of each new number to its lane of `squares`.
///
/// # Panics
///
/// Where a copy is shorter than the row.
pub fn merge_copies(
    width: Width,
    row: &mut [Lanes],
    copies: &[&[Lanes]],
    scale: f32,
    weight: f32,
    squares: &mut Lanes,
) {
    assert!(copies.iter().all(|copy| copy.len() >= row.len()), "a copy is shorter than its row");
    // SAFETY: `Width` is only made where the processor has the instructions; lengths were checked.
    unsafe {
        match width.0 {
            #[cfg(target_arch = "aarch64")]
            Instructions::Neon => merge::<super::plain::Plain>(row, copies, scale, weight, squares),
            Instructions::Plain => merge::<super::plain::Plain>(row, copies, scale, weight, squares),
            #[cfg(target_arch = "x86_64")]
            Instructions::Avx2 => merge_avx2(row, copies, scale, weight, squares),
            #[cfg(target_arch = "x86_64")]
            Instructions::Avx512 => merge_avx512(row, copies, scale, weight, squares),
        }
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
unsafe fn merge_avx2(row: &mut [Lanes], copies: &[&[Lanes]], scale: f32, weight: f32, squares: &mut Lanes) {
    // SAFETY: the instructions are enabled here and `merge_copies` holds the rest.
    unsafe { merge::<super::avx2::Avx2>(row, copies, scale, weight, squares) }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx2,fma")]
unsafe fn merge_avx512(row: &mut [Lanes], copies: &[&[Lanes]], scale: f32, weight: f32, squares: &mut Lanes) {
    // SAFETY: the instructions are enabled here and `merge_copies` holds the rest.
    unsafe { merge::<super::avx512::Avx512>(row, copies, scale, weight, squares) }
}

#[inline(always)]
unsafe fn merge<V: Vector>(
    row: &mut [Lanes],
    copies: &[&[Lanes]],
    scale: f32,
    weight: f32,
    squares: &mut Lanes,
) {
    // SAFETY: every group has `LANES` numbers, every copy as many groups as the row, and registers divide a group.
    unsafe {
        let (scale, weight) = (V::splat(scale), V::splat(weight));
        for part in (0..LANES).step_by(V::WIDTH) {
            let square = squares.0.as_mut_ptr().add(part);
            let mut sum_of_squares = V::load(square);
            for (at, group) in row.iter_mut().enumerate() {
                let place = group.0.as_mut_ptr().add(part);
                let new = if let [copy] = copies {
                    V::load(copy.get_unchecked(at).0.as_ptr().add(part))
                } else {
                    let old = V::load(place);
                    let mut sum = V::splat(0.0);
                    for copy in copies {
                        sum = sum.add(V::load(copy.get_unchecked(at).0.as_ptr().add(part)).sub(old));
                    }
                    scale.fused(sum, old)
                };
                new.store(place);
                sum_of_squares = new.mul(new).fused(weight, sum_of_squares);
            }
            sum_of_squares.store(square);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn merged(width: Width, count: usize) -> (Vec<Lanes>, Lanes) {
        let row = |item: usize| -> Vec<Lanes> {
            (0..3)
                .map(|group| {
                    Lanes(std::array::from_fn(|lane| (item * 48 + group * 16 + lane) as f32 * 0.37 % 1.0))
                })
                .collect()
        };
        let copies: Vec<_> = (1..=count).map(row).collect();
        let copies: Vec<&[Lanes]> = copies.iter().map(Vec::as_slice).collect();
        let (mut target, mut squares) = (row(0), Lanes([0.5; 16]));
        merge_copies(width, &mut target, &copies, 0.3, 7.0, &mut squares);
        for (group, new) in target.iter().enumerate() {
            for lane in 0..LANES {
                let old = row(0)[group].0[lane];
                let sum: f32 = copies.iter().map(|copy| copy[group].0[lane] - old).sum();
                let expected = if count == 1 { copies[0][group].0[lane] } else { old + 0.3 * sum };
                assert!((new.0[lane] - expected).abs() < 1e-6);
            }
        }
        let expected = 0.5 + 7.0 * target.iter().map(|group| group.0[3] * group.0[3]).sum::<f32>();
        assert!((squares.0[3] - expected).abs() < 1e-4);
        (target, squares)
    }

    #[test]
    fn every_width_follows_the_formula_with_the_same_bits() {
        for count in [1, 2, 8] {
            let expected = merged(Width(Instructions::Plain), count);
            for width in Width::available() {
                assert!(merged(width, count) == expected, "{width:?}");
            }
        }
    }
}
