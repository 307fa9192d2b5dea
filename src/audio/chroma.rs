//! Chroma: how much of each of the 12 pitch classes a spectrum has, `librosa.feature.chroma_stft` 0.11 with its defaults.
//!
//! The clip's tuning comes first: peaks of its spectra between 150 and 4000 Hz, refined by parabolas, the louder half
//! of them, and the commonest deviation from the tempered scale in steps of a hundredth of a semitone. Then every bin
//! belongs to the pitch classes by Gaussian bumps, and each frame is divided by its greatest class.

use crate::math::statistics;

/// Pitch classes, from C.
pub const CLASSES: usize = 12;
const LOW_HZ: f64 = 150.0;
const HIGH_HZ: f64 = 4000.0;
/// Peaks under this share of the frame's loudest do not count.
const LEAST_PEAK: f32 = 0.1;
const TUNING_STEPS: usize = 100;
/// The octave about which bins count, and its width (Gaussian) in octaves.
const CENTRE_OCTAVE: f64 = 5.0;
const OCTAVE_WIDTH: f64 = 2.0;

/// The plan of chroma at one sample rate and length of the transform.
#[derive(Debug, Clone)]
pub struct Chroma {
    bin_hz: f64,
    bins: usize,
}

/// What [`Chroma::observe`] and [`Chroma::finish`] write: the spectra and peaks of a clip.
#[derive(Debug, Clone, Default)]
pub struct ChromaScratch {
    power: Vec<f32>,
    peaks: Vec<Peak>,
    copy: Vec<f64>,
    bank: Vec<f32>,
    /// Pitch classes, row-major, frames by 12, after [`Chroma::finish`].
    pub chroma: Vec<f32>,
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
        scratch.power.clear();
        scratch.peaks.clear();
        scratch.chroma.clear();
    }

    /// Takes the power spectrum of the clip's next frame.
    pub fn observe(&self, power: &[f32], scratch: &mut ChromaScratch) {
        scratch.power.extend_from_slice(power);
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
            scratch.peaks.push(Peak { hz: (bin as f64 + shift) * self.bin_hz, magnitude });
        }
    }

    /// Computes the chroma of every frame taken.
    pub fn finish(&self, scratch: &mut ChromaScratch) {
        let tuning = tuning(&scratch.peaks, &mut scratch.copy);
        self.fill_bank(tuning, &mut scratch.bank);
        for power in scratch.power.chunks_exact(self.bins) {
            let mut classes = [0.0_f64; CLASSES];
            for (class, weights) in classes.iter_mut().zip(scratch.bank.chunks_exact(self.bins)) {
                *class = weights.iter().zip(power).map(|(w, p)| f64::from(*w) * f64::from(*p)).sum();
            }
            let most = classes.into_iter().fold(0.0, f64::max);
            let scale = if most < f64::MIN_POSITIVE { 1.0 } else { most };
            scratch.chroma.extend(classes.map(|class| (class / scale) as f32));
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

/// Deviation from the tempered scale of A = 440 Hz in semitones, -0.5 to 0.49 (`librosa.estimate_tuning`).
fn tuning(peaks: &[Peak], copy: &mut Vec<f64>) -> f64 {
    copy.clear();
    copy.extend(peaks.iter().map(|peak| peak.magnitude));
    copy.sort_unstable_by(f64::total_cmp);
    let Some(middle) = statistics::percentile_of_sorted(copy, 0.5) else {
        return 0.0;
    };
    let mut counts = [0_u32; TUNING_STEPS];
    for peak in peaks.iter().filter(|peak| peak.magnitude >= middle) {
        let semitones = CLASSES as f64 * libm::log2(peak.hz / (440.0 / 16.0));
        let residual = semitones - semitones.floor();
        let residual = if residual >= 0.5 { residual - 1.0 } else { residual };
        let step = ((residual + 0.5) * TUNING_STEPS as f64) as usize;
        counts[step.min(TUNING_STEPS - 1)] += 1;
    }
    let most = counts.iter().max().copied().unwrap_or(0);
    let step = counts.iter().position(|count| *count == most).unwrap_or(0);
    step as f64 / TUNING_STEPS as f64 - 0.5
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
        plan.finish(&mut scratch);
        scratch.chroma
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
    fn octaves_are_one_class() {
        let found = chroma(&[440.0, 880.0, 1760.0]);
        assert!(found[9] == 1.0 && found[3] < 0.01);
    }

    #[test]
    fn silence_and_short_transforms_have_finite_chroma() {
        for len in [1, 2, 3, 512] {
            let (plan, mut scratch) = (Chroma::new(16_000, len), ChromaScratch::default());
            plan.observe(&vec![0.0; len / 2 + 1], &mut scratch);
            plan.finish(&mut scratch);
            assert_eq!(scratch.chroma, [0.0; CLASSES]);
        }
    }
}
