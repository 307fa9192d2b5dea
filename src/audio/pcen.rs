//! Per-channel energy normalisation of the mel bands: `librosa.pcen` 0.11 with its defaults.
//!
//! Wang, Getreuer, Hughes, Lyon and Saurous, "Trainable frontend for robust and far-field keyword spotting", ICASSP (2017).
//! Each band's magnitude, in 32-bit integers as librosa's own examples have it, is divided by its smoothed past and compressed:
//! `√2 (√(1 + S/(2 (ε + M)^0.98)) - 1)`, M smoothed over 0.4 s.

use super::mel::MelBank;
use super::rows::Rows;

const GAIN: f64 = 0.98;
const BIAS: f64 = 2.0;
const TIME_CONSTANT_SECONDS: f64 = 0.4;
const LEAST: f64 = 1e-6;
/// Samples as 32-bit integers.
const SCALE: f32 = 2_147_483_648.0;

/// The plan of PCEN over a mel bank.
#[derive(Debug, Clone)]
pub struct Pcen {
    bank: MelBank,
    /// How much of each frame the smoothed past takes up.
    share: f64,
}

/// What [`Pcen::observe`] writes.
#[derive(Default)]
pub struct PcenScratch {
    magnitude: Vec<f32>,
    energies: Vec<f32>,
    smooth: Vec<f64>,
    /// Row-major, frames by bands.
    pub levels: Rows,
}

impl Pcen {
    /// For frames that follow each other every `frame_seconds`.
    #[must_use]
    pub fn new(bank: MelBank, frame_seconds: f64) -> Self {
        let frames = TIME_CONSTANT_SECONDS / frame_seconds;
        let share = ((1.0 + 4.0 * frames * frames).sqrt() - 1.0) / (2.0 * frames * frames);
        Self { bank, share }
    }

    /// Bands.
    #[must_use]
    pub fn bands(&self) -> usize {
        self.bank.bands()
    }

    /// Begins a new clip, whose past is taken to be 1 in each band, as librosa does.
    pub fn restart(&self, scratch: &mut PcenScratch) {
        scratch.levels.restart();
        scratch.smooth.clear();
        // librosa's filter state (1 - b) is that of a constant input of 1.
        scratch.smooth.resize(self.bank.bands(), 1.0);
        scratch.energies.resize(self.bank.bands(), 0.0);
    }

    /// Takes the power spectrum of the clip's next frame.
    pub fn observe(&self, power: &[f32], scratch: &mut PcenScratch) {
        let PcenScratch { magnitude, energies, smooth, levels } = scratch;
        magnitude.clear();
        magnitude.extend(power.iter().map(|power| power.sqrt() * SCALE));
        self.bank.apply(magnitude, energies);
        for (smooth, energy) in smooth.iter_mut().zip(energies) {
            let energy = f64::from(*energy);
            *smooth = self.share * energy + (1.0 - self.share) * *smooth;
            let gain = libm::exp(-GAIN * (libm::log(LEAST) + libm::log1p(*smooth / LEAST)));
            let level = BIAS.sqrt() * libm::expm1(0.5 * libm::log1p(energy * gain / BIAS));
            levels.held_mut().push(level as f32);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_steady_sound_comes_to_a_level_that_does_not_hang_on_its_loudness() {
        let plan = Pcen::new(MelBank::slaney(16_000, 512, 20), 0.01);
        let last = |power: f32| {
            let mut scratch = PcenScratch::default();
            plan.restart(&mut scratch);
            for _ in 0..1000 {
                plan.observe(&[power; 257], &mut scratch);
            }
            *scratch.levels.held().last().unwrap()
        };
        let (soft, loud) = (last(1e-6), last(1e-2));
        // 40 dB more.
        assert!(loud / soft < 1.15 && loud > soft, "{soft} {loud}");
    }

    #[test]
    fn silence_stays_0() {
        let plan = Pcen::new(MelBank::slaney(16_000, 512, 20), 0.01);
        let mut scratch = PcenScratch::default();
        plan.restart(&mut scratch);
        plan.observe(&[0.0; 257], &mut scratch);
        assert_eq!(scratch.levels.held(), [0.0; 20]);
    }
}
