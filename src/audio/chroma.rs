//! Chroma: how much of each of the 12 pitch classes a spectrum has, `librosa.feature.chroma_stft` 0.11 with its defaults.
//!
//! The clip's tuning comes first: peaks of its spectra between 150 and 4000 Hz, refined by parabolas, the louder half
//! of them, and the commonest deviation from the tempered scale in steps of a hundredth of a semitone. Then every bin
//! belongs to the pitch classes by Gaussian bumps, and each frame is divided by its greatest class.

use std::io;

use super::rows::{Room, Rows};

/// Pitch classes, from C.
pub const CLASSES: usize = 12;
const LOW_HZ: f64 = 150.0;
const HIGH_HZ: f64 = 4000.0;
/// Peaks under this share of the frame's loudest do not count.
const LEAST_PEAK: f32 = 0.1;
const TUNING_STEPS: usize = 100;
/// Frames that are described at once.
const FRAMES: usize = 1024;
/// The octave about which bins count, and its width (Gaussian) in octaves.
const CENTRE_OCTAVE: f64 = 5.0;
const OCTAVE_WIDTH: f64 = 2.0;

/// The plan of chroma at one sample rate and length of the transform.
#[derive(Debug, Clone)]
pub struct Chroma {
    bin_hz: f64,
    bins: usize,
}

/// What [`Chroma::observe`] and [`Chroma::pieces`] write: the spectra of a clip and how large their peaks are.
#[derive(Default)]
pub struct ChromaScratch {
    power: Rows,
    peaks: Magnitudes,
    bank: Vec<f32>,
    /// Those of some frames, row-major, frames by 12.
    chroma: Vec<f32>,
}

#[derive(Debug, Clone, Copy)]
struct Peak {
    hz: f64,
    magnitude: f64,
}

impl Chroma {
    /// For spectra of `fft_len/2 + 1` bins.
    #[must_use]
    pub fn new(sample_rate: u32, fft_len: usize) -> Self {
        Self { bin_hz: f64::from(sample_rate) / fft_len as f64, bins: fft_len / 2 + 1 }
    }

    /// Begins a new clip.
    pub fn restart(&self, scratch: &mut ChromaScratch) {
        scratch.power.restart();
        scratch.peaks.restart();
    }

    /// Takes the power spectrum of the clip's next frame.
    pub fn observe(&self, power: &[f32], scratch: &mut ChromaScratch) {
        scratch.power.held_mut().extend_from_slice(power);
        self.peaks(power, |peak| scratch.peaks.add(peak.magnitude));
    }

    /// Lets spectra go to a file where there is no room for them in memory.
    pub fn spill(&self, room: Room<'_>, scratch: &mut ChromaScratch) -> io::Result<()> {
        scratch.power.spill(room)
    }

    /// Learns the tuning from every frame taken.
    pub fn finish(&self, scratch: &mut ChromaScratch) -> io::Result<()> {
        let ChromaScratch { power, peaks, bank, .. } = scratch;
        let mut tuning = Tuning::new(peaks);
        power.pieces(self.bins, |rows, _| {
            rows.chunks_exact(self.bins).for_each(|row| self.peaks(row, |peak| tuning.add(peak)));
        })?;
        self.fill_bank(tuning.semitones(), bank);
        Ok(())
    }

    /// Hands the pitch classes of all frames, a row of 12 each, to `each` in pieces, after [`Chroma::finish`].
    pub fn pieces(&self, scratch: &mut ChromaScratch, mut each: impl FnMut(&[f32])) -> io::Result<()> {
        let ChromaScratch { power, bank, chroma, .. } = scratch;
        power.pieces(self.bins, |rows, _| {
            for rows in rows.chunks(FRAMES * self.bins) {
                chroma.clear();
                rows.chunks_exact(self.bins).for_each(|power| chroma.extend(self.classes(power, bank)));
                each(chroma);
            }
        })
    }

    /// The pitch classes of a frame over the strongest.
    fn classes(&self, power: &[f32], bank: &[f32]) -> [f32; CLASSES] {
        let mut classes = [0.0_f64; CLASSES];
        for (class, weights) in classes.iter_mut().zip(bank.chunks_exact(self.bins)) {
            *class = weights.iter().zip(power).map(|(w, p)| f64::from(*w) * f64::from(*p)).sum();
        }
        let most = classes.into_iter().fold(0.0, f64::max);
        let scale = if most < f64::MIN_POSITIVE { 1.0 } else { most };
        classes.map(|class| (class / scale) as f32)
    }

    /// Hands the peaks of a frame to `each`, refined by parabolas.
    fn peaks(&self, power: &[f32], mut each: impl FnMut(Peak)) {
        let least = LEAST_PEAK * power.iter().copied().fold(0.0, f32::max);
        let audible = |bin: usize| if power[bin] > least { power[bin] } else { 0.0 };
        for bin in 1..power.len().saturating_sub(1) {
            let hz = bin as f64 * self.bin_hz;
            let here = audible(bin);
            if !(LOW_HZ..HIGH_HZ).contains(&hz) || here <= audible(bin - 1) || here < audible(bin + 1) {
                continue;
            }
            let [before, here, after] = [bin - 1, bin, bin + 1].map(|bin| f64::from(power[bin]));
            let (curvature, slope) = (after + before - 2.0 * here, (after - before) / 2.0);
            let shift = if slope.abs() >= curvature.abs() { 0.0 } else { -slope / curvature };
            let magnitude = here + 0.5 * slope * shift;
            each(Peak { hz: (bin as f64 + shift) * self.bin_hz, magnitude });
        }
    }

    /// Weights of each class at each bin (`librosa.filters.chroma`), row-major, classes by bins.
    fn fill_bank(&self, tuning: f64, bank: &mut Vec<f32>) {
        let a0_hz = 440.0 * libm::exp2(tuning / CLASSES as f64) / 16.0;
        let classes = CLASSES as f64;
        // librosa puts the bin of 0 Hz an octave and a half under the next.
        let place = |bin: usize| match bin {
            0 => classes * (libm::log2(self.bin_hz / a0_hz) - 1.5),
            _ => classes * libm::log2(bin as f64 * self.bin_hz / a0_hz),
        };
        bank.clear();
        bank.resize(CLASSES * self.bins, 0.0);
        for bin in 0..self.bins {
            let here = place(bin);
            let width = (place(bin + 1) - here).max(1.0);
            let bump = |class: usize| {
                let distance = (here - class as f64 + classes / 2.0).rem_euclid(classes) - classes / 2.0;
                let scaled = 2.0 * distance / width;
                libm::exp(-0.5 * scaled * scaled)
            };
            let norm = (0..CLASSES).map(|class| bump(class) * bump(class)).sum::<f64>().sqrt();
            let octave = (here / classes - CENTRE_OCTAVE) / OCTAVE_WIDTH;
            let octave_weight = libm::exp(-0.5 * octave * octave);
            for class in 0..CLASSES {
                // Class 0 of the formula is A, of the bank C.
                let row = (class + CLASSES - 3) % CLASSES;
                bank[row * self.bins + bin] = (bump(class) / norm * octave_weight) as f32;
            }
        }
    }
}

/// How many peaks there are of each magnitude, to some 0.4 %: enough to find the median in a second pass without keeping them all.
#[derive(Default)]
struct Magnitudes {
    counts: Vec<u64>,
    total: u64,
}

impl Magnitudes {
    fn restart(&mut self) {
        self.counts.clear();
        self.total = 0;
    }

    fn add(&mut self, magnitude: f64) {
        let class = Self::class(magnitude);
        if self.counts.len() <= class {
            self.counts.resize(class + 1, 0);
        }
        self.counts[class] += 1;
        self.total += 1;
    }

    /// Magnitudes are squares in single precision: their exponents, and the first 8 bits after them.
    fn class(magnitude: f64) -> usize {
        const LEAST_EXPONENT: u64 = 1023 - 152;
        (magnitude.to_bits() >> 44).saturating_sub(LEAST_EXPONENT << 8).min(320 << 8) as usize
    }

    /// The class of the peak that has `rank` smaller ones before it, and how many lie in the classes under it.
    fn find(&self, rank: u64) -> (usize, u64) {
        let mut before = 0;
        for (class, count) in self.counts.iter().enumerate() {
            if before + count > rank {
                return (class, before);
            }
            before += count;
        }
        (self.counts.len(), before)
    }
}

/// Deviation from the tempered scale of A = 440 Hz (`librosa.estimate_tuning`), from the peaks that are not under the median.
struct Tuning {
    /// The classes of the two magnitudes in the middle; how many peaks lie under them, and in all.
    middle: [usize; 2],
    under: u64,
    total: u64,
    /// The peaks of these classes, and how many of those above have each deviation.
    near: Vec<Peak>,
    counts: [u64; TUNING_STEPS],
}

impl Tuning {
    fn new(magnitudes: &Magnitudes) -> Self {
        let total = magnitudes.total;
        let (low, under) = magnitudes.find(total.saturating_sub(1) / 2);
        let (high, _) = magnitudes.find(total / 2);
        Self { middle: [low, high], under, total, near: Vec::new(), counts: [0; TUNING_STEPS] }
    }

    fn add(&mut self, peak: Peak) {
        let class = Magnitudes::class(peak.magnitude);
        if class > self.middle[1] {
            self.counts[step(peak.hz)] += 1;
        } else if class >= self.middle[0] {
            self.near.push(peak);
        }
    }

    /// -0.5 to 0.49 semitones.
    fn semitones(mut self) -> f64 {
        if self.total == 0 {
            return 0.0;
        }
        self.near.sort_unstable_by(|a, b| a.magnitude.total_cmp(&b.magnitude));
        let magnitude =
            |rank: u64| self.near.get((rank - self.under) as usize).map_or(0.0, |peak| peak.magnitude);
        let middle = 0.5 * (magnitude((self.total - 1) / 2) + magnitude(self.total / 2));
        for peak in self.near.iter().filter(|peak| peak.magnitude >= middle) {
            self.counts[step(peak.hz)] += 1;
        }
        let most = self.counts.iter().max().copied().unwrap_or(0);
        let step = self.counts.iter().position(|count| *count == most).unwrap_or(0);
        step as f64 / TUNING_STEPS as f64 - 0.5
    }
}

/// The hundredth of a semitone that a frequency lies off the scale, counted from -50.
fn step(hz: f64) -> usize {
    let semitones = CLASSES as f64 * libm::log2(hz / (440.0 / 16.0));
    let residual = semitones - semitones.floor();
    let residual = if residual >= 0.5 { residual - 1.0 } else { residual };
    (((residual + 0.5) * TUNING_STEPS as f64) as usize).min(TUNING_STEPS - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Frames with a peak at each of these frequencies.
    fn chroma(tones_hz: &[f64]) -> Vec<f32> {
        let (plan, mut scratch) = (Chroma::new(16_000, 4096), ChromaScratch::default());
        let mut power = vec![1e-9; 2049];
        for hz in tones_hz {
            power[(hz / (16_000.0 / 4096.0)).round() as usize] = 1.0;
        }
        plan.observe(&power, &mut scratch);
        plan.observe(&power, &mut scratch);
        rows(&plan, &mut scratch)
    }

    fn rows(plan: &Chroma, scratch: &mut ChromaScratch) -> Vec<f32> {
        plan.finish(scratch).unwrap();
        let mut rows = Vec::new();
        plan.pieces(scratch, |piece| rows.extend_from_slice(piece)).unwrap();
        rows
    }

    #[test]
    fn a_triad_has_its_three_classes() {
        let found = chroma(&[523.25, 659.26, 783.99]);
        assert_eq!(found.len(), 2 * CLASSES);
        let mut order: Vec<usize> = (0..CLASSES).collect();
        order.sort_by(|a, b| found[*b].total_cmp(&found[*a]));
        order.truncate(3);
        order.sort_unstable();
        assert_eq!(order, [0, 4, 7]);
        assert_eq!(found.iter().copied().fold(0.0, f32::max), 1.0);
    }

    #[test]
    fn the_tuning_is_that_of_the_peaks_not_under_the_median() {
        for count in [1, 2, 3, 10, 1001] {
            let peaks: Vec<Peak> = (0..count)
                .map(|i| Peak {
                    hz: 440.0 + f64::from(i % 7),
                    magnitude: f64::from((i * 7919 % 1013 + 1) as f32),
                })
                .collect();
            let mut magnitudes = Magnitudes::default();
            peaks.iter().for_each(|peak| magnitudes.add(peak.magnitude));
            let mut found = Tuning::new(&magnitudes);
            peaks.iter().for_each(|peak| found.add(*peak));

            let mut sorted: Vec<f64> = peaks.iter().map(|peak| peak.magnitude).collect();
            sorted.sort_unstable_by(f64::total_cmp);
            let median = crate::math::statistics::percentile_of_sorted(&sorted, 0.5).unwrap();
            let mut counts = [0; TUNING_STEPS];
            peaks.iter().filter(|peak| peak.magnitude >= median).for_each(|peak| counts[step(peak.hz)] += 1);
            let most = (0..TUNING_STEPS).rev().max_by_key(|step| counts[*step]).unwrap();
            assert_eq!(found.semitones(), most as f64 / TUNING_STEPS as f64 - 0.5, "{count} peaks");
        }
        assert_eq!(Tuning::new(&Magnitudes::default()).semitones(), 0.0);
    }

    #[test]
    fn octaves_are_one_class() {
        let found = chroma(&[440.0, 880.0, 1760.0]);
        assert!(found[9] == 1.0 && found[3] < 0.01);
    }

    #[test]
    fn silence_and_short_transforms_have_finite_chroma() {
        for len in [1, 2, 3, 512] {
            let (plan, mut scratch) = (Chroma::new(16_000, len), ChromaScratch::default());
            plan.observe(&vec![0.0; len / 2 + 1], &mut scratch);
            assert_eq!(rows(&plan, &mut scratch), [0.0; CLASSES]);
        }
    }
}
