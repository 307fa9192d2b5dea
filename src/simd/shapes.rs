//! The shape of spectra: sums over the bins of a group of frames, one lane a frame.
//!
//! Sums go from the lowest bin to the highest, in every width.

use super::Width;
use super::dispatch::{Work, dispatch};
use super::layout::{GROUP, SQUARE};
use super::register::Register;

/// A row of magnitudes: the last frame of the group before, then the group.
const MAGNITUDES: usize = GROUP + 1;

/// Sums over the spectra of a group, from which their shapes follow.
#[derive(Debug, Clone, Copy, Default)]
pub struct ShapeSums {
    /// Magnitudes.
    pub total: [f32; GROUP],
    /// Magnitude-weighted bins: their mean.
    pub centroid: [f32; GROUP],
    /// Magnitude-weighted squares of the distance from the centroid.
    pub spread: [f32; GROUP],
    /// Squares of what magnitudes gained since the frame before.
    pub gains: [f32; GROUP],
    /// Powers, each at least `least`.
    pub power: [f64; GROUP],
    /// Logarithms to base 2 of those powers, whole part and the mantissa whose logarithm is to be added.
    pub octaves: [f32; GROUP],
    /// See `octaves`.
    pub mantissa: [f64; GROUP],
}

/// Room for [`shape_sums`], which knows the last frame of the group before.
#[derive(Debug, Clone)]
pub struct ShapeScratch {
    magnitudes: Vec<f32>,
    running: Vec<f32>,
}

impl ShapeScratch {
    /// For spectra of `bins` bins.
    #[must_use]
    pub fn new(bins: usize) -> Self {
        Self { magnitudes: vec![0.0; bins * MAGNITUDES], running: vec![0.0; bins * GROUP] }
    }

    /// The sum of the magnitudes up to `bin` of the frame in `lane` of the last group.
    #[must_use]
    pub fn running(&self, bin: usize, lane: usize) -> f32 {
        self.running[bin * GROUP + lane]
    }
}

/// Sums over the spectra of a group of frames; magnitudes are square roots of power.
///
/// # Panics
/// Where `power` has not the bins that the scratch was made for.
pub fn shape_sums(width: Width, power: &[f32], least: f32, scratch: &mut ShapeScratch) -> ShapeSums {
    assert_eq!(power.len(), scratch.running.len(), "bins of the scratch");
    dispatch(width, Shapes { power, least, scratch })
}

struct Shapes<'a> {
    power: &'a [f32],
    least: f32,
    scratch: &'a mut ShapeScratch,
}

// SAFETY of the implementations: what is safe in them is compiled for the caller's instructions; registers are loaded and
// stored in rows and squares whose lengths were checked above.

/// The exponent of a positive normal number and what is left, between 1 and 2.
#[inline(always)]
fn split(value: f32) -> (f32, f32) {
    let bits = value.to_bits();
    let exponent = ((bits >> 23) as i32 - 127) as f32;
    (exponent, f32::from_bits((bits & 0x007F_FFFF) | 0x3F80_0000))
}

/// The numbers of up to `GROUP` bins that are summed.
struct Terms {
    gains: [f32; SQUARE],
    powers: [f32; SQUARE],
    octaves: [f32; SQUARE],
    mantissas: [f32; SQUARE],
}

impl Terms {
    /// Writes the terms and the magnitudes of these bins.
    #[inline(always)]
    fn fill(&mut self, power: &[f32], least: f32, magnitudes: &mut [f32]) {
        for (i, &x) in power.iter().enumerate() {
            let x = if x > least { x } else { least };
            (self.octaves[i], self.mantissas[i]) = split(x);
            self.powers[i] = x;
        }
        let rows = magnitudes.as_chunks_mut::<MAGNITUDES>().0.iter_mut().zip(power.as_chunks::<GROUP>().0);
        for ((magnitudes, power), gains) in rows.zip(self.gains.as_chunks_mut::<GROUP>().0) {
            magnitudes[0] = magnitudes[GROUP];
            for lane in 0..GROUP {
                magnitudes[lane + 1] = power[lane].sqrt();
            }
            for lane in 0..GROUP {
                let gain = magnitudes[lane + 1] - magnitudes[lane];
                gains[lane] = if gain > 0.0 { gain } else { 0.0 };
            }
        }
    }
}

impl Work<f32> for Shapes<'_> {
    type Output = ShapeSums;

    #[inline(always)]
    unsafe fn run<V: Register<Number = f32>>(self) -> ShapeSums {
        let ShapeScratch { magnitudes, running } = self.scratch;
        let mut sums = ShapeSums { mantissa: [1.0; GROUP], ..ShapeSums::default() };
        let mut moment = [0.0; GROUP];
        let mut terms = Terms {
            gains: [0.0; SQUARE],
            powers: [0.0; SQUARE],
            octaves: [0.0; SQUARE],
            mantissas: [0.0; SQUARE],
        };
        let blocks = self.power.chunks(SQUARE).zip(magnitudes.chunks_mut(GROUP * MAGNITUDES));
        for (at, ((power, magnitudes), running)) in blocks.zip(running.chunks_mut(SQUARE)).enumerate() {
            terms.fill(power, self.least, magnitudes);
            unsafe { add_terms::<V>(&terms, magnitudes, running, at * GROUP, &mut sums, &mut moment) };
        }
        for ((centroid, moment), total) in sums.centroid.iter_mut().zip(moment).zip(sums.total) {
            *centroid = if total > 0.0 { moment / total } else { 0.0 };
        }
        for lane in (0..GROUP).step_by(V::WIDTH) {
            unsafe {
                let centroid = V::load(sums.centroid.as_ptr().add(lane));
                let mut spread = V::splat(0.0);
                for bin in 0..magnitudes.len() / MAGNITUDES {
                    let distance = V::splat(bin as f32).sub(centroid);
                    let magnitude = V::load(magnitudes.as_ptr().add(bin * MAGNITUDES + 1 + lane));
                    spread = magnitude.mul(distance).fused(distance, spread);
                }
                spread.store(sums.spread.as_mut_ptr().add(lane));
            }
        }
        sums
    }
}

/// Adds the terms of up to `GROUP` bins, the first of which is `first_bin`, to the sums.
#[inline(always)]
unsafe fn add_terms<V: Register<Number = f32>>(
    terms: &Terms,
    magnitudes: &[f32],
    running: &mut [f32],
    first_bin: usize,
    sums: &mut ShapeSums,
    moment: &mut [f32; GROUP],
) {
    let (mut mantissa, mut power) = ([0.0_f32; GROUP], [0.0_f32; GROUP]);
    for lane in (0..GROUP).step_by(V::WIDTH) {
        unsafe {
            let load = |sums: &[f32; GROUP]| V::load(sums.as_ptr().add(lane));
            let (mut total, mut moments) = (load(&sums.total), load(moment));
            let (mut gains, mut powers) = (load(&sums.gains), V::splat(0.0));
            let (mut octaves, mut product) = (load(&sums.octaves), V::splat(1.0));
            for row in 0..running.len() / GROUP {
                let at = row * GROUP + lane;
                let magnitude = V::load(magnitudes.as_ptr().add(row * MAGNITUDES + 1 + lane));
                let gain = V::load(terms.gains.as_ptr().add(at));
                total = total.add(magnitude);
                total.store(running.as_mut_ptr().add(at));
                moments = magnitude.fused(V::splat((first_bin + row) as f32), moments);
                gains = gain.fused(gain, gains);
                powers = powers.add(V::load(terms.powers.as_ptr().add(at)));
                octaves = octaves.add(V::load(terms.octaves.as_ptr().add(at)));
                product = product.mul(V::load(terms.mantissas.as_ptr().add(at)));
            }
            let store = |sum: V, sums: &mut [f32; GROUP]| sum.store(sums.as_mut_ptr().add(lane));
            store(total, &mut sums.total);
            store(moments, moment);
            store(gains, &mut sums.gains);
            store(powers, &mut power);
            store(octaves, &mut sums.octaves);
            store(product, &mut mantissa);
        }
    }
    for (sum, power) in sums.power.iter_mut().zip(power) {
        *sum += f64::from(power);
    }
    for (lane, product) in mantissa.into_iter().enumerate() {
        // The product of sixteen numbers under 2 is under 65536.
        let (octave, rest) = split(product);
        sums.octaves[lane] += octave;
        let product = sums.mantissa[lane] * f64::from(rest);
        // Two numbers under 2 have a product under 4.
        let over = product >= 2.0;
        sums.octaves[lane] += if over { 1.0 } else { 0.0 };
        sums.mantissa[lane] = if over { product * 0.5 } else { product };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noise(len: usize) -> Vec<f32> {
        (0..len).map(|i| ((i * 7919 + 13) % 10_009) as f32 / 5004.0 - 1.0).collect()
    }

    /// Every width gives these bits.
    fn at_every_width(mut run: impl FnMut(Width) -> Vec<f32>) -> Vec<f32> {
        let bits = |numbers: &[f32]| numbers.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
        let plain = run(Width::available()[0]);
        for width in Width::available() {
            assert_eq!(bits(&run(width)), bits(&plain), "{width:?}");
        }
        plain
    }

    #[test]
    fn shapes_are_sums_over_the_bins() {
        for bins in [1, 16, 35] {
            let groups: Vec<Vec<f32>> = (1..3)
                .map(|i| noise(bins * GROUP * i)[bins * GROUP * (i - 1)..].iter().map(|x| x * x).collect())
                .collect();
            let mut last = None;
            at_every_width(|width| {
                let mut scratch = ShapeScratch::new(bins);
                let _ = shape_sums(width, &groups[0], 1e-10, &mut scratch);
                let sums = shape_sums(width, &groups[1], 1e-10, &mut scratch);
                let power = sums.power.map(|x| x as f32);
                let all = [sums.total, sums.centroid, sums.spread, sums.gains, power, sums.octaves];
                let mantissa = sums.mantissa.map(|x| x as f32);
                last = Some((sums, scratch.running(bins - 1, 4)));
                all.into_iter().flatten().chain(mantissa).collect()
            });
            let (sums, running) = last.unwrap();
            let groups = &groups;
            let column = |group: usize, lane: usize| {
                (0..bins)
                    .map(move |bin| groups[group][bin * GROUP + lane])
                    .map(|x| f64::from(x).sqrt())
                    .collect::<Vec<_>>()
            };
            let (now, before, first) = (column(1, 4), column(1, 3), column(0, 15));
            let near = |found: f64, expected: f64| {
                assert!((found - expected).abs() < 1e-5 * (1.0 + expected.abs()), "{found} {expected}");
            };
            let total: f64 = now.iter().sum();
            near(f64::from(sums.total[4]), total);
            assert_eq!(running, sums.total[4]);
            let centroid = now.iter().enumerate().map(|(i, x)| i as f64 * x).sum::<f64>() / total;
            near(f64::from(sums.centroid[4]), centroid);
            let spread =
                now.iter().enumerate().map(|(i, x)| (i as f64 - centroid) * (i as f64 - centroid) * x);
            near(f64::from(sums.spread[4]), spread.sum());
            let gains = |now: &[f64], before: &[f64]| -> f64 {
                now.iter().zip(before).map(|(a, b)| (a - b).max(0.0) * (a - b).max(0.0)).sum()
            };
            near(f64::from(sums.gains[4]), gains(&now, &before));
            near(f64::from(sums.gains[0]), gains(&column(1, 0), &first));
            let powers: Vec<f64> = now.iter().map(|x| (x * x).max(1e-10)).collect();
            near(sums.power[4], powers.iter().sum());
            let logs: f64 = powers.iter().map(|x| x.log2()).sum();
            near(f64::from(sums.octaves[4]) + sums.mantissa[4].log2(), logs);
        }
    }
}
