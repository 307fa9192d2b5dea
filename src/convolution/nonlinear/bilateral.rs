//! The bilateral filter: a mean over the neighbours of each sample that counts those more that are like it.

use super::super::border::{Border, Margins};
use super::super::kernel::{KernelError, check_size};
use super::super::kernels::{check_odd, check_sigma};
use super::super::sample::Sample;
use super::super::way::Scratch;
use super::bands::{Band, Windows};

/// Rows of outputs that share what their windows reach.
const BAND: usize = 64;

/// `out[p] = sum over q of w(p, q) x[q] / sum over q of w(p, q)` with
/// `w(p, q) = exp(-|p - q|^2 / (2 sigma^2)) exp(-(x[p] - x[q])^2 / (2 range^2))` over the disc of `size` samples
/// (Tomasi and Manduchi 1998); OpenCV's `bilateralFilter(d = size, sigmaColor = range, sigmaSpace = sigma)`, whose
/// table of exponentials is good to about `1e-4` where these weights are exact.
#[derive(Clone, Debug)]
pub struct Bilateral {
    radius: usize,
    range: f64,
    /// Offsets down and right within the disc, and `-|offset|^2 / (2 sigma^2)`.
    neighbours: Vec<(usize, usize, f64)>,
}

impl Bilateral {
    /// A disc of `size` samples across, an odd number; `None` takes OpenCV's choice, `round(1.5 sigma)` to each side.
    /// `range` is in the unit of the image.
    ///
    /// Fails where `sigma` or `range` is not above 0, or `size` is even, 0 or too large.
    pub fn new(sigma: f64, range: f64, size: Option<usize>) -> Result<Self, KernelError> {
        let kernel = "bilateral";
        check_sigma(kernel, sigma)?;
        if !(range > 0.0 && range.is_finite()) {
            let needs = format!("range above 0, the difference in level that still counts, not {range}");
            return Err(KernelError::Needs { kernel, needs });
        }
        let reach = ((1.5 * sigma).round().max(1.0) as usize).saturating_mul(2).saturating_add(1);
        let size = check_odd(kernel, size.unwrap_or(reach))?;
        check_size(size, size)?;
        let radius = size / 2;
        let away = |k: usize| k as f64 - radius as f64;
        let squared = |i: usize| away(i / size).powi(2) + away(i % size).powi(2);
        let neighbours = (0..size * size)
            .filter(|&i| squared(i) <= (radius * radius) as f64)
            .map(|i| (i / size, i % size, -squared(i) / (2.0 * sigma * sigma)))
            .collect();
        Ok(Self { radius, range, neighbours })
    }

    /// Clears `output` and fills it row by row; an empty image gives an empty output. What is not finite makes every
    /// output so whose disc holds it.
    ///
    /// # Panics
    /// Where `input` is not `rows * cols` samples long.
    pub fn apply<T: Sample + Into<f64>>(
        &self,
        input: &[T],
        (rows, cols): (usize, usize),
        border: Border,
        output: &mut Vec<T>,
        scratch: &mut Scratch<T>,
    ) {
        assert_eq!(input.len(), rows * cols, "an image of {rows} x {cols}");
        if input.is_empty() {
            return output.clear();
        }
        let r = self.radius;
        let margins = Margins { top: r, bottom: r, left: r, right: r };
        let windows = Windows { input, shape: (rows, cols), border, margins };
        windows.bands(BAND, output, scratch, |band, worker| self.band(band, cols, &mut worker.wide));
    }

    fn band<T: Sample + Into<f64>>(&self, band: Band<'_, T>, cols: usize, wide: &mut Vec<f64>) {
        let Band { samples, stride, outputs } = band;
        let r = self.radius;
        let sharpness = -0.5 / (self.range * self.range);
        wide.resize(2 * cols, 0.0);
        let (sums, weights) = wide.split_at_mut(cols);
        for (row, to) in outputs.chunks_exact_mut(cols).enumerate() {
            sums.fill(0.0);
            weights.fill(0.0);
            let middle = &samples[(row + r) * stride + r..][..cols];
            for &(down, right, nearness) in &self.neighbours {
                let other = &samples[(row + down) * stride + right..][..cols];
                for (((sum, weight), &p), &q) in sums.iter_mut().zip(&mut *weights).zip(middle).zip(other) {
                    let (p, q): (f64, f64) = (p.into(), q.into());
                    let likeness = exp((p - q) * (p - q) * sharpness + nearness);
                    *sum += likeness * q;
                    *weight += likeness;
                }
            }
            for ((to, sum), weight) in to.iter_mut().zip(&*sums).zip(&*weights) {
                *to = T::of(sum / weight);
            }
        }
    }
}

/// `exp(x)` for `x` up to 0, within `4e-16` of its value; below -708, where that is under `1e-307`, the value there.
///
/// No branch and no table, so that a row of them is computed in vectors: `2^n exp(rest)` with `rest` up to `ln(2) / 2`
/// and its Taylor series to the power 13. The addition rounds to the whole number `n`, which then stands in the last
/// bits of the sum and moves to the exponent by a shift.
#[inline]
fn exp(x: f64) -> f64 {
    const ROUNDER: f64 = 6_755_399_441_055_744.0;
    const LN_2: [f64; 2] = [0.693_147_180_369_123_8, 1.908_214_929_270_587_7e-10];
    const SERIES: [f64; 14] = [
        1.0 / 6_227_020_800.0,
        1.0 / 479_001_600.0,
        1.0 / 39_916_800.0,
        1.0 / 3_628_800.0,
        1.0 / 362_880.0,
        1.0 / 40_320.0,
        1.0 / 5040.0,
        1.0 / 720.0,
        1.0 / 120.0,
        1.0 / 24.0,
        1.0 / 6.0,
        0.5,
        1.0,
        1.0,
    ];
    let x = if x > -708.0 { x } else { -708.0 };
    let shifted = x * std::f64::consts::LOG2_E + ROUNDER;
    let n = shifted - ROUNDER;
    let rest = (x - n * LN_2[0]) - n * LN_2[1];
    let mut value = SERIES[0];
    for factor in &SERIES[1..] {
        value = value * rest + factor;
    }
    value * f64::from_bits(shifted.to_bits().wrapping_add(1023) << 52)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(filter: &Bilateral, image: &[f64], cols: usize, border: Border) -> Vec<f64> {
        let mut output = vec![1.0];
        filter.apply(image, (image.len() / cols, cols), border, &mut output, &mut Scratch::new());
        output
    }

    #[test]
    fn the_exponential_is_that_of_libm() {
        for k in 0..=20_000 {
            let x = -f64::from(k) * 0.035_37;
            let (found, expected) = (exp(x), libm::exp(x));
            assert!((found - expected).abs() <= 4e-16 * expected, "{x}: {found:e} for {expected:e}");
        }
        assert!(exp(-1e300) < 1e-300 && exp(0.0) == 1.0);
    }

    #[test]
    fn it_is_the_definition() {
        let image: Vec<f64> = (0..13 * 11).map(|i| f64::from((i * i * 7919 % 251) as u32)).collect();
        let (sigma, range) = (1.7, 60.0);
        for border in Border::ALL {
            for size in [1, 3, 7, 25] {
                let found = run(&Bilateral::new(sigma, range, Some(size)).unwrap(), &image, 13, border);
                let radius = (size / 2) as isize;
                for (i, found) in found.iter().enumerate() {
                    let (mut sum, mut weights) = (0.0, 0.0);
                    for dy in -radius..=radius {
                        for dx in (-radius..=radius).filter(|dx| dy * dy + dx * dx <= radius * radius) {
                            let row = border.position((i / 13) as isize + dy, 11);
                            let col = border.position((i % 13) as isize + dx, 13);
                            let value = row.zip(col).map_or(0.0, |(r, c)| image[r * 13 + c]);
                            let far = (dy * dy + dx * dx) as f64 / (2.0 * sigma * sigma);
                            let weight = libm::exp(-far - (value - image[i]).powi(2) / (2.0 * range * range));
                            sum += weight * value;
                            weights += weight;
                        }
                    }
                    assert!((found - sum / weights).abs() < 1e-12, "{border} {size}: {found}");
                }
            }
        }
    }

    #[test]
    fn an_edge_stays_where_noise_goes_and_a_flat_image_stays_flat() {
        let step: Vec<f64> =
            (0..400).map(|i| if i % 20 < 10 { 0.0 } else { 100.0 } + f64::from(i % 3)).collect();
        let found = run(&Bilateral::new(3.0, 10.0, None).unwrap(), &step, 20, Border::Reflect);
        assert!(
            found.iter().enumerate().all(|(i, x)| (x - if i % 20 < 10 { 1.0 } else { 101.0 }).abs() < 1.0)
        );
        let flat = run(&Bilateral::new(3.0, 10.0, None).unwrap(), &[0.7; 60], 6, Border::Mirror);
        assert!(flat.iter().all(|x| (x - 0.7).abs() < 1e-15));
        assert!(run(&Bilateral::new(3.0, 1.0, None).unwrap(), &[], 6, Border::Wrap).is_empty());
    }

    #[test]
    fn parameters_outside_their_range_are_refused() {
        assert!(Bilateral::new(1.0, 0.0, None).unwrap_err().to_string().contains("range above 0"));
        assert!(Bilateral::new(0.0, 1.0, None).unwrap_err().to_string().contains("sigma above 0"));
        assert!(Bilateral::new(1.0, 1.0, Some(4)).unwrap_err().to_string().contains("odd size"));
        assert!(Bilateral::new(1e300, 1.0, None).unwrap_err().to_string().contains("too large"));
    }
}
