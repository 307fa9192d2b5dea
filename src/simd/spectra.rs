//! What is done with the spectra of a group of frames, one lane a frame: laying samples side by side, summing bands,
//! describing shapes, logarithms.
//!
//! Rows of a group are `GROUP` numbers long. Sums go from the lowest bin to the highest, in every width.

use super::Width;
use super::dispatch::{Work, dispatch};
use super::register::{Number, Register};

/// Frames side by side.
pub const GROUP: usize = f32::GROUP;

/// Numbers in a square of `GROUP` rows.
const SQUARE: usize = GROUP * GROUP;

/// A row of magnitudes: the last frame of the group before, then the group.
const MAGNITUDES: usize = GROUP + 1;

/// Weighs `T::GROUP` frames and lays them side by side: row i of `lanes` is sample i of every frame. A frame that is empty
/// gives zeros. Rows after the window are written up to a multiple of the group, as zeros.
///
/// # Panics
/// Where there are more or fewer frames, one that is not empty is shorter than the window, or `lanes` has not as many rows
/// as said.
pub fn lay<T: Number>(width: Width, frames: &[&[f32]], window: &[T], lanes: &mut [T]) {
    assert!(frames.len() == T::GROUP, "a frame for each lane");
    assert!(frames.iter().all(|frame| frame.is_empty() || frame.len() >= window.len()), "whole frames");
    assert!(
        lanes.len() >= window.len().next_multiple_of(T::GROUP) * T::GROUP,
        "a row of lanes for each sample"
    );
    dispatch(width, Lay { frames, window, lanes });
}

/// Rounds rows of `f64::GROUP` lanes into rows of `GROUP` lanes, from lane `first` on.
///
/// # Panics
/// Where the lanes do not fit, or there are more rows than rows to write to.
pub fn narrow(width: Width, from: &[f64], first: usize, to: &mut [f32]) {
    assert!(first + f64::GROUP <= GROUP && from.len() <= to.len() / GROUP * f64::GROUP, "room for all");
    dispatch(width, Narrow { from, first, to });
}

/// The opposite: writes row i of `rows`, `len` numbers each, from lane i of `len` rows of lanes.
///
/// # Panics
/// Where `lanes` has fewer rows than `len`, or there are more rows than lanes.
pub fn rows_of_lanes(width: Width, lanes: &[f32], len: usize, rows: &mut [f32]) {
    assert!(lanes.len() >= len * GROUP && rows.len() <= len * GROUP, "as many rows as lanes");
    dispatch(width, RowsOfLanes { lanes, len, rows });
}

/// Weights of neighbouring bins.
#[derive(Debug, Clone, Copy)]
pub struct Band {
    /// The bin of the first weight.
    pub first_bin: usize,
    /// Where the weights begin.
    pub first_weight: usize,
    /// Weights.
    pub len: usize,
}

/// Row b of `energies` is the weighted sum of the rows of `power` in band b.
///
/// # Panics
/// Where a band has bins or weights that are not there, or `energies` fewer rows than bands.
pub fn band_sums(width: Width, bands: &[Band], weights: &[f32], power: &[f32], energies: &mut [f32]) {
    assert!(energies.len() >= bands.len() * GROUP, "a row of lanes for each band");
    for band in bands {
        assert!(band.first_weight + band.len <= weights.len(), "weights of the band");
        assert!((band.first_bin + band.len) * GROUP <= power.len(), "bins of the band");
    }
    dispatch(width, BandSums { bands, weights, power, energies });
}

/// Products of rows with a matrix: `rows` are `len` numbers each, `matrix` has `len` rows of `cols` numbers, filled up to a
/// multiple of `GROUP`, and `to` gets `cols` for each row. Sums go from the first number of a row to its last.
///
/// # Panics
/// Where the lengths do not fit.
pub fn row_products(width: Width, rows: &[f32], matrix: &[f32], len: usize, cols: usize, to: &mut [f32]) {
    assert!(len >= 1 && cols >= 1 && matrix.len() == len * cols.next_multiple_of(GROUP), "the matrix");
    assert!(rows.len() % len == 0 && to.len() == rows.len() / len * cols, "a product for each row");
    dispatch(width, RowProducts { rows, matrix, len, cols, to });
}

/// The largest of what `of` makes of the values, `f32::MIN` where there are none; none of it is NaN.
#[inline]
pub fn largest(values: &[f32], of: impl Fn(f32) -> f32) -> f32 {
    let larger = |a: f32, b: f32| if a > b { a } else { b };
    let (groups, rest) = values.as_chunks::<GROUP>();
    let mut most = [f32::MIN; GROUP];
    for group in groups {
        for (most, x) in most.iter_mut().zip(group) {
            *most = larger(of(*x), *most);
        }
    }
    rest.iter().map(|x| of(*x)).chain(most).fold(f32::MIN, larger)
}

/// A logarithm times a constant.
#[derive(Debug, Clone, Copy)]
pub struct Logarithm {
    octave: f32,
    /// What `octave`, which has few digits, lacks.
    octave_rest: f32,
    coefficients: [f32; LOG_COEFFICIENTS.len()],
}

/// ln(1 + t) / t for t from √½ - 1 to √2 - 1, least coefficient first: least squares at Chebyshev nodes; its relative error
/// is under 3e-8.
const LOG_COEFFICIENTS: [f64; 9] = [
    0.999_999_974_267,
    -0.499_999_870_323,
    0.333_341_833_385,
    -0.250_021_534_61,
    0.199_569_774_831,
    -0.165_606_959_919,
    0.149_490_954_76,
    -0.143_773_305_685,
    0.087_439_453_540_2,
];

impl Logarithm {
    /// `scale * ln(x)`.
    #[must_use]
    pub fn new(scale: f64) -> Self {
        let octave = scale * std::f64::consts::LN_2;
        // Products with whole numbers under 256 are exact.
        let short = f32::from_bits((octave as f32).to_bits() & 0xFFFF_F000);
        Self {
            octave: short,
            octave_rest: (octave - f64::from(short)) as f32,
            coefficients: LOG_COEFFICIENTS.map(|c| (c * scale) as f32),
        }
    }

    /// Replaces each value, or `least` where that is larger, by its logarithm; `least` is a normal number.
    pub fn apply(&self, width: Width, values: &mut [f32], least: f32) {
        dispatch(width, Logarithms { plan: *self, least, values });
    }

    #[inline(always)]
    fn of(&self, value: f32) -> f32 {
        // The exponent is cut where the rest lies between √½ and √2.
        const HALF_ROOT: u32 = std::f32::consts::FRAC_1_SQRT_2.to_bits();
        let shifted = value.to_bits().wrapping_sub(HALF_ROOT);
        let exponent = (shifted as i32) >> 23;
        let t = f32::from_bits((shifted & 0x007F_FFFF).wrapping_add(HALF_ROOT)) - 1.0;
        let c = &self.coefficients;
        let mut sum = c[8];
        sum = sum.mul_add(t, c[7]);
        sum = sum.mul_add(t, c[6]);
        sum = sum.mul_add(t, c[5]);
        sum = sum.mul_add(t, c[4]);
        sum = sum.mul_add(t, c[3]);
        sum = sum.mul_add(t, c[2]);
        sum = sum.mul_add(t, c[1]);
        sum = sum.mul_add(t, c[0]);
        let exponent = exponent as f32;
        exponent.mul_add(self.octave, t.mul_add(sum, exponent * self.octave_rest))
    }
}

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
    pub power: [f32; GROUP],
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

struct Lay<'a, T> {
    frames: &'a [&'a [f32]],
    window: &'a [T],
    lanes: &'a mut [T],
}

struct Narrow<'a> {
    from: &'a [f64],
    first: usize,
    to: &'a mut [f32],
}

struct RowsOfLanes<'a> {
    lanes: &'a [f32],
    len: usize,
    rows: &'a mut [f32],
}

struct BandSums<'a> {
    bands: &'a [Band],
    weights: &'a [f32],
    power: &'a [f32],
    energies: &'a mut [f32],
}

struct RowProducts<'a> {
    rows: &'a [f32],
    matrix: &'a [f32],
    len: usize,
    cols: usize,
    to: &'a mut [f32],
}

struct Logarithms<'a> {
    plan: Logarithm,
    least: f32,
    values: &'a mut [f32],
}

struct Shapes<'a> {
    power: &'a [f32],
    least: f32,
    scratch: &'a mut ShapeScratch,
}

// SAFETY of the implementations: what is safe in them is compiled for the caller's instructions; registers are loaded and
// stored in rows and squares whose lengths were checked above.

/// Turns rows of a square of `GROUP` rows of its numbers into columns.
#[inline(always)]
unsafe fn transpose<V: Register>(from: &[V::Number], to: &mut [V::Number]) {
    let group = V::Number::GROUP;
    assert!(from.len() >= group * group && to.len() >= group * group, "two squares");
    for row in (0..group).step_by(V::WIDTH) {
        for col in (0..group).step_by(V::WIDTH) {
            // SAFETY: both squares hold a square of registers from here on.
            unsafe {
                let (from, to) =
                    (from.as_ptr().add(row * group + col), to.as_mut_ptr().add(col * group + row));
                V::transpose(from, to, group);
            }
        }
    }
}

impl<T: Number> Work<T> for Lay<'_, T> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<V: Register<Number = T>>(self) {
        let group = T::GROUP;
        let mut square = [T::default(); SQUARE];
        for (at, weights) in self.window.chunks(group).enumerate() {
            for (row, frame) in square.chunks_exact_mut(group).zip(self.frames) {
                let samples = frame.get(at * group..at * group + weights.len()).unwrap_or_default();
                if samples.len() < group {
                    row.fill(T::default());
                }
                for ((to, x), weight) in row.iter_mut().zip(samples).zip(weights) {
                    *to = T::nearest(f64::from(*x)) * *weight;
                }
            }
            unsafe { transpose::<V>(&square, &mut self.lanes[at * group * group..]) };
        }
    }
}

impl Work<f32> for Narrow<'_> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<V: Register<Number = f32>>(self) {
        let rows = self.from.as_chunks::<{ f64::GROUP }>().0;
        for (to, from) in self.to.as_chunks_mut::<GROUP>().0.iter_mut().zip(rows) {
            if let Some(to) = to[self.first..].first_chunk_mut::<{ f64::GROUP }>() {
                *to = from.map(|x| x as f32);
            }
        }
    }
}

impl Work<f32> for RowsOfLanes<'_> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<V: Register<Number = f32>>(self) {
        let (mut square, mut turned) = ([0.0; SQUARE], [0.0; SQUARE]);
        for (at, lanes) in self.lanes[..self.len * GROUP].chunks(SQUARE).enumerate() {
            let from = match <&[f32; SQUARE]>::try_from(lanes) {
                Ok(whole) => whole,
                Err(_) => {
                    square[..lanes.len()].copy_from_slice(lanes);
                    &square
                }
            };
            unsafe { transpose::<V>(from.as_slice(), turned.as_mut_slice()) };
            let columns = lanes.len() / GROUP;
            for (row, turned) in self.rows.chunks_exact_mut(self.len).zip(turned.as_chunks::<GROUP>().0) {
                row[at * GROUP..][..columns].copy_from_slice(&turned[..columns]);
            }
        }
    }
}

impl Work<f32> for BandSums<'_> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<V: Register<Number = f32>>(self) {
        for (b, band) in self.bands.iter().enumerate() {
            for lane in (0..GROUP).step_by(V::WIDTH) {
                unsafe {
                    let bins = self.power.as_ptr().add(band.first_bin * GROUP + lane);
                    let weights = self.weights.as_ptr().add(band.first_weight);
                    let mut sum = V::splat(0.0);
                    for i in 0..band.len {
                        sum = V::load(bins.add(i * GROUP)).fused(V::splat(*weights.add(i)), sum);
                    }
                    sum.store(self.energies.as_mut_ptr().add(b * GROUP + lane));
                }
            }
        }
    }
}

impl Work<f32> for RowProducts<'_> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<V: Register<Number = f32>>(self) {
        let Self { rows, matrix, len, cols, to } = self;
        let stride = cols.next_multiple_of(GROUP);
        // Four rows at once, so that no sum waits for the one before.
        for (rows, to) in rows.chunks(4 * len).zip(to.chunks_mut(4 * cols)) {
            let count = rows.len() / len;
            for col in (0..cols).step_by(V::WIDTH) {
                let mut sums = [[0.0; GROUP]; 4];
                unsafe {
                    let zero = V::splat(0.0);
                    let (mut a, mut b, mut c, mut d) = (zero, zero, zero, zero);
                    // Rows that are not there are taken from the first.
                    let row = |r: usize| rows.as_ptr().add(if r < count { r * len } else { 0 });
                    let (p, q, r, s) = (row(0), row(1), row(2), row(3));
                    for i in 0..len {
                        let weights = V::load(matrix.as_ptr().add(i * stride + col));
                        a = V::splat(*p.add(i)).fused(weights, a);
                        b = V::splat(*q.add(i)).fused(weights, b);
                        c = V::splat(*r.add(i)).fused(weights, c);
                        d = V::splat(*s.add(i)).fused(weights, d);
                    }
                    a.store(sums[0].as_mut_ptr());
                    b.store(sums[1].as_mut_ptr());
                    c.store(sums[2].as_mut_ptr());
                    d.store(sums[3].as_mut_ptr());
                }
                let here = V::WIDTH.min(cols - col);
                for (to, sums) in to.chunks_exact_mut(cols).zip(&sums) {
                    to[col..][..here].copy_from_slice(&sums[..here]);
                }
            }
        }
    }
}

impl Work<f32> for Logarithms<'_> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<V: Register<Number = f32>>(self) {
        for value in self.values {
            *value = self.plan.of(if *value > self.least { *value } else { self.least });
        }
    }
}

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
        for lane in 0..GROUP {
            let total = sums.total[lane];
            sums.centroid[lane] = if total > 0.0 { moment[lane] / total } else { 0.0 };
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
    let mut mantissa = [0.0_f32; GROUP];
    for lane in (0..GROUP).step_by(V::WIDTH) {
        unsafe {
            let load = |sums: &[f32; GROUP]| V::load(sums.as_ptr().add(lane));
            let (mut total, mut moments) = (load(&sums.total), load(moment));
            let (mut gains, mut powers) = (load(&sums.gains), load(&sums.power));
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
            store(powers, &mut sums.power);
            store(octaves, &mut sums.octaves);
            store(product, &mut mantissa);
        }
    }
    for lane in 0..GROUP {
        // The product of sixteen numbers under 2 is under 65536.
        let (octave, rest) = split(mantissa[lane]);
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
    fn frames_lie_side_by_side_and_come_back() {
        let (samples, window) = (noise(200), noise(37));
        let mut frames = [&samples[..0]; GROUP];
        for (i, frame) in frames.iter_mut().enumerate().skip(1) {
            *frame = &samples[i * 10..];
        }
        let lanes = at_every_width(|width| {
            let mut lanes = vec![9.0; 48 * GROUP];
            lay(width, &frames, &window, &mut lanes);
            lanes
        });
        for (i, weight) in window.iter().enumerate() {
            assert_eq!(lanes[i * GROUP], 0.0);
            assert_eq!(lanes[i * GROUP + 3], samples[30 + i] * weight);
        }
        assert!(lanes[37 * GROUP..].iter().all(|x| *x == 0.0));
        let wide: Vec<f64> = window.iter().copied().map(f64::from).collect();
        let by_way_of_f64 = at_every_width(|width| {
            let (mut lanes, mut narrowed) = (vec![9.0; 40 * 8], vec![9.0; 40 * GROUP]);
            for half in [0, 8] {
                lay(width, &frames[half..half + 8], &wide, &mut lanes);
                narrow(width, &lanes, half, &mut narrowed);
            }
            narrowed
        });
        assert_eq!(by_way_of_f64, lanes[..40 * GROUP]);
        let rows = at_every_width(|width| {
            let mut rows = vec![9.0; 4 * 37];
            rows_of_lanes(width, &lanes, 37, &mut rows);
            rows
        });
        assert!((0..4 * 37).all(|i| rows[i] == lanes[i % 37 * GROUP + i / 37]));
    }

    #[test]
    fn bands_are_weighted_sums() {
        let (power, weights) = (noise(20 * GROUP), noise(9));
        let bands = [(3, 0, 4), (0, 2, 0), (15, 4, 5)].map(|(first_bin, first_weight, len)| Band {
            first_bin,
            first_weight,
            len,
        });
        let energies = at_every_width(|width| {
            let mut energies = vec![9.0; 3 * GROUP];
            band_sums(width, &bands, &weights, &power, &mut energies);
            energies
        });
        for (b, band) in bands.iter().enumerate() {
            let bins = band.first_bin..band.first_bin + band.len;
            let terms = bins.zip(&weights[band.first_weight..]).map(|(bin, w)| power[bin * GROUP + 5] * w);
            assert!((energies[b * GROUP + 5] - terms.sum::<f32>()).abs() < 1e-5);
        }
    }

    #[test]
    fn products_of_rows_are_sums() {
        for (count, len, cols) in [(1, 3, 1_usize), (6, 20, 13), (4, 5, 16), (9, 7, 35)] {
            let (rows, stride) = (noise(count * len), cols.next_multiple_of(GROUP));
            let matrix = noise(len * stride);
            let found = at_every_width(|width| {
                let mut found = vec![9.0; count * cols];
                row_products(width, &rows, &matrix, len, cols, &mut found);
                found
            });
            for (at, found) in found.iter().enumerate() {
                let (row, col) = (at / cols, at % cols);
                let expected = (0..len)
                    .fold(0.0_f32, |sum, i| rows[row * len + i].mul_add(matrix[i * stride + col], sum));
                assert_eq!(*found, expected);
            }
        }
    }

    #[test]
    fn logarithms_are_exact_to_the_last_digits() {
        let values: Vec<f32> = (0..40_000).map(|i| f32::from_bits(0x0080_0000 + i * 0xBEEF)).collect();
        for scale in [1.0, 1.0 / std::f64::consts::LN_10, 10.0 / std::f64::consts::LN_10] {
            let found = at_every_width(|width| {
                let mut found = values.clone();
                Logarithm::new(scale).apply(width, &mut found, 1e-30);
                found
            });
            for (value, found) in values.iter().zip(found) {
                let expected = f64::from(value.max(1e-30)).ln() * scale;
                assert!((f64::from(found) - expected).abs() < 1.2e-7 * expected.abs() + 1e-7, "{value}");
            }
        }
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
                let all = [sums.total, sums.centroid, sums.spread, sums.gains, sums.power, sums.octaves];
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
                assert!((found - expected).abs() < 1e-5 * (1.0 + expected.abs()), "{found} {expected}")
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
            near(f64::from(sums.power[4]), powers.iter().sum());
            let logs: f64 = powers.iter().map(|x| x.log2()).sum();
            near(f64::from(sums.octaves[4]) + sums.mantissa[4].log2(), logs);
        }
    }
}
