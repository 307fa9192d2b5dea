//! The spectrum of 20 ms: loudness, flux, cepstra, and how energy falls with frequency.

use std::f64::consts::PI;

use crate::audio::mel::MelBank;
use crate::audio::periodicity::FrameTimes;
use crate::convolution::fourier::{Complex, FftScratch, RealFft};

use super::{CEPSTRA, OF_SPECTRUM, SPECTRUM_SECONDS};

const BANDS: usize = 26;
const LOW_HZ: f64 = 20.0;
const HIGH_HZ: f64 = 8000.0;
/// Intensity to loudness (Stevens).
const COMPRESSION: f64 = 0.33;
const LIFTER: f64 = 22.0;
/// The paper names no unit: in this one values are about openSMILE's.
const LOUDNESS_UNIT: f64 = 1.0 / 15.8;
/// Energy that has a logarithm.
const LEAST: f64 = 1e-12;

/// The plan of the spectra at one sample rate.
#[derive(Clone)]
pub(super) struct Spectrum {
    rate: f64,
    window: Vec<f64>,
    fft: RealFft<f64>,
    bank: MelBank,
    equal_loudness: [f64; BANDS],
    /// A row a coefficient.
    cosines: [[f64; BANDS]; CEPSTRA],
}

/// What [`Spectrum::describe`] writes.
pub(super) struct SpectrumScratch {
    pub contours: [Vec<Option<f64>>; OF_SPECTRUM.len()],
    frame: Vec<f64>,
    spectrum: Vec<Complex<f64>>,
    fft: FftScratch<f64>,
    power: Vec<f32>,
    magnitudes: Vec<f64>,
    magnitudes_before: Vec<f64>,
    /// The sum of the mean squares of all frames.
    energy: f64,
}

impl Default for SpectrumScratch {
    fn default() -> Self {
        Self {
            contours: std::array::from_fn(|_| Vec::new()),
            frame: Vec::new(),
            spectrum: Vec::new(),
            fft: FftScratch::default(),
            power: Vec::new(),
            magnitudes: Vec::new(),
            magnitudes_before: Vec::new(),
            energy: 0.0,
        }
    }
}

impl SpectrumScratch {
    /// The equivalent sound level of the clip last described, in dB of full scale; `None` of digital silence.
    pub fn level_db(&self) -> Option<f64> {
        let frames = self.contours[0].len();
        (frames > 0 && self.energy > 0.0).then(|| 10.0 * libm::log10(self.energy / frames as f64))
    }
}

impl Spectrum {
    /// For clips of `sample_rate`.
    pub fn new(sample_rate: u32) -> Self {
        let rate = f64::from(sample_rate);
        let len = ((SPECTRUM_SECONDS * rate).round() as usize).max(2);
        let fft = RealFft::new(len.next_power_of_two());
        let edge = HIGH_HZ.min(rate / 2.0);
        let bank = MelBank::htk(sample_rate, fft.len(), BANDS, LOW_HZ.min(edge / 2.0), edge);
        let centres = MelBank::htk_centres(BANDS, LOW_HZ.min(edge / 2.0), edge);
        Self {
            rate,
            window: hamming(len),
            fft,
            bank,
            equal_loudness: std::array::from_fn(|band| {
                centres.get(band).map_or(0.0, |hz| equal_loudness(*hz))
            }),
            cosines: std::array::from_fn(|i| {
                let k = (i + 1) as f64;
                let scale = (2.0 / BANDS as f64).sqrt() * (1.0 + LIFTER / 2.0 * libm::sin(PI * k / LIFTER));
                std::array::from_fn(|band| scale * libm::cos(PI * k * (band as f64 + 0.5) / BANDS as f64))
            }),
        }
    }

    /// Describes the frames of a clip.
    pub fn describe(&self, samples: &[f32], times: FrameTimes, scratch: &mut SpectrumScratch) {
        scratch.contours.iter_mut().for_each(Vec::clear);
        scratch.energy = 0.0;
        for frame in 0..times.count {
            self.transform(samples, times.seconds(frame), scratch);
            self.observe(scratch, frame == 0);
        }
    }

    /// Power, and magnitude by the length of the window, of the frame about a time.
    fn transform(&self, samples: &[f32], seconds: f64, scratch: &mut SpectrumScratch) {
        let SpectrumScratch { frame, spectrum, fft, power, magnitudes, magnitudes_before, energy, .. } =
            scratch;
        let first = (seconds * self.rate - 0.5 * self.window.len() as f64).round().max(0.0) as usize;
        let samples = samples.get(first..).unwrap_or_default();
        let len = self.window.len().min(samples.len());
        let squares: f64 = samples[..len].iter().map(|x| f64::from(*x) * f64::from(*x)).sum();
        *energy += squares / self.window.len() as f64;
        frame.clear();
        frame.extend(samples.iter().zip(&self.window).map(|(x, weight)| f64::from(*x) * weight));
        frame.resize(self.fft.len(), 0.0);
        spectrum.resize(self.fft.bins(), Complex::default());
        self.fft.forward(frame, spectrum, fft);
        std::mem::swap(magnitudes, magnitudes_before);
        power.clear();
        power.extend(spectrum.iter().map(|bin| bin.norm_sqr() as f32));
        magnitudes.clear();
        magnitudes.extend(power.iter().map(|power| f64::from(*power).sqrt()));
    }

    /// Adds a value to each contour.
    fn observe(&self, scratch: &mut SpectrumScratch, is_first: bool) {
        let SpectrumScratch { contours, power, magnitudes, magnitudes_before, .. } = scratch;
        let mut bands = [0.0_f32; BANDS];
        self.bank.apply(power, &mut bands);
        let loudness = bands.iter().zip(&self.equal_loudness);
        let loudness = loudness.map(|(energy, weight)| libm::pow(f64::from(*energy) * weight, COMPRESSION));
        let loudness = LOUDNESS_UNIT * loudness.sum::<f64>();
        let flux = (!is_first).then(|| {
            let changes = magnitudes.iter().zip(magnitudes_before.iter());
            let sum: f64 = changes.map(|(now, before)| (now - before) * (now - before)).sum();
            (sum / magnitudes.len() as f64).sqrt()
        });
        let levels = bands.map(|energy| libm::log(f64::from(energy).max(LEAST)));
        let cepstrum = |row: &[f64; BANDS]| row.iter().zip(&levels).map(|(c, level)| c * level).sum::<f64>();
        let [mfcc_1, mfcc_2, mfcc_3, mfcc_4] = self.cosines.each_ref().map(cepstrum).map(Some);
        let high = self.bins(1000.0, 5000.0).map(|bins| sum(&power[bins]));
        let low = self.bins(50.0, 1000.0).map(|bins| sum(&power[bins]));
        let peak = |from, to| self.bins(from, to).map(|bins| most(&power[bins]));
        let values = [
            Some(loudness),
            flux,
            mfcc_1,
            mfcc_2,
            mfcc_3,
            mfcc_4,
            ratio_db(high, low),
            ratio_db(peak(0.0, 2000.0), peak(2000.0, 5000.0)),
            self.slope(power, 0.0, 500.0),
            self.slope(power, 500.0, 1500.0),
        ];
        contours.iter_mut().zip(values).for_each(|(contour, value)| contour.push(value));
    }

    /// The bins from one frequency to another; `None` where the sample rate does not reach it.
    fn bins(&self, from_hz: f64, to_hz: f64) -> Option<std::ops::Range<usize>> {
        let hz = self.rate / self.fft.len() as f64;
        let (from, to) = ((from_hz / hz).ceil() as usize, (to_hz / hz).floor() as usize + 1);
        (from < to && to <= self.fft.bins()).then_some(from..to)
    }

    /// Slope of the line of least squares through the levels in dB of a band, in dB per Hz.
    fn slope(&self, power: &[f32], from_hz: f64, to_hz: f64) -> Option<f64> {
        let bins = self.bins(from_hz, to_hz).filter(|bins| bins.len() > 1)?;
        let hz = self.rate / self.fft.len() as f64;
        let n = bins.len() as f64;
        let middle = 0.5 * (bins.start + bins.end - 1) as f64;
        let level = |bin: usize| 10.0 * libm::log10(f64::from(power[bin]).max(LEAST));
        let mean = bins.clone().map(level).sum::<f64>() / n;
        let (products, squares) = bins.fold((0.0, 0.0), |(products, squares), bin| {
            let distance = (bin as f64 - middle) * hz;
            (products + distance * (level(bin) - mean), squares + distance * distance)
        });
        Some(products / squares)
    }
}

fn sum(power: &[f32]) -> f64 {
    power.iter().map(|power| f64::from(*power)).sum()
}

fn most(power: &[f32]) -> f64 {
    power.iter().map(|power| f64::from(*power)).fold(0.0, f64::max)
}

fn ratio_db(of: Option<f64>, to: Option<f64>) -> Option<f64> {
    of.zip(to).map(|(of, to)| 10.0 * libm::log10(of.max(LEAST) / to.max(LEAST)))
}

fn hamming(len: usize) -> Vec<f64> {
    (0..len).map(|i| 0.54 - 0.46 * libm::cos(2.0 * PI * i as f64 / (len - 1) as f64)).collect()
}

/// How loud a frequency is to the ear, at 40 phon (Hermansky 1990).
fn equal_loudness(hz: f64) -> f64 {
    let w2 = (2.0 * PI * hz) * (2.0 * PI * hz);
    let low = w2 / (w2 + 6.3e6);
    low * low * (w2 + 56.8e6) / (w2 + 0.38e9)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn described(samples: &[f32]) -> SpectrumScratch {
        let times = FrameTimes::inside(samples.len() as f64 / 16_000.0, 0.06, 0.01).unwrap();
        let mut scratch = SpectrumScratch::default();
        Spectrum::new(16_000).describe(samples, times, &mut scratch);
        scratch
    }

    fn tones(hz: &[(f64, f64)]) -> Vec<f32> {
        let at = |i: usize| hz.iter().map(move |(hz, a)| a * libm::sin(2.0 * PI * hz * i as f64 / 16_000.0));
        (0..8000).map(|i| at(i).sum::<f64>() as f32).collect()
    }

    #[test]
    fn two_tones_have_the_ratio_of_their_bands() {
        let found = described(&tones(&[(500.0, 0.5), (3000.0, 0.05)]));
        for contour in [6, 7] {
            let expected = if contour == 6 { -20.0 } else { 20.0 };
            assert!(found.contours[contour].iter().all(|v| (v.unwrap() - expected).abs() < 0.2), "{contour}");
        }
        assert!((found.level_db().unwrap() - 10.0 * 0.12625_f64.log10()).abs() < 0.05);
    }

    #[test]
    fn a_steady_sound_has_no_flux_and_a_tenth_of_loudness_is_an_octave() {
        let found = described(&tones(&[(400.0, 0.5)]));
        assert_eq!(found.contours[1][0], None);
        assert!(found.contours[1][1..].iter().all(|flux| flux.unwrap() < 1e-6));
        let louder = described(&tones(&[(400.0, 1.0)]));
        let ratio = louder.contours[0][3].unwrap() / found.contours[0][3].unwrap();
        assert!((ratio - 4.0_f64.powf(COMPRESSION)).abs() < 1e-3);
    }
}
