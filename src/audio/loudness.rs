//! Loudness: ITU-R BS.1770 and EBU R 128, by the `ebur128` crate.

use ebur128::{EbuR128, Mode};

use super::error::AudioError;

/// The loudness of a clip.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Loudness {
    /// Integrated loudness, gated at -70 LUFS and 10 LU under the mean; `None` where no 400 ms lie above the gate.
    pub lufs: Option<f64>,
    /// Largest absolute value of the oversampled signal in dB of full scale; `None` of silence.
    pub true_peak_dbfs: Option<f64>,
}

/// The shortest clip that has a loudness range: the window of the standard.
const RANGE_SECONDS: usize = 3;

/// Whether loudness is defined at a sample rate; the filters of the standard need some room under half of it.
pub fn check_sample_rate(sample_rate: u32) -> Result<(), AudioError> {
    match EbuR128::new(1, sample_rate, Mode::I | Mode::TRUE_PEAK) {
        Ok(_) => Ok(()),
        Err(_) => Err(AudioError::SampleRate { sample_rate }),
    }
}

/// Measures a mono clip. At a rate that [`check_sample_rate`] refuses nothing is defined.
#[must_use]
pub fn measure(samples: &[f32], sample_rate: u32) -> Loudness {
    let mut meter = Meter::new(sample_rate);
    meter.add(samples);
    meter.loudness()
}

/// Measures a mono clip that comes in pieces.
pub struct Meter {
    /// `None` where loudness is not defined.
    meter: Option<EbuR128>,
}

impl Meter {
    /// A meter at the start of a clip.
    #[must_use]
    pub fn new(sample_rate: u32) -> Self {
        Self { meter: EbuR128::new(1, sample_rate, Mode::I | Mode::TRUE_PEAK).ok() }
    }

    /// Takes the next samples.
    pub fn add(&mut self, samples: &[f32]) {
        if self.meter.as_mut().is_some_and(|meter| meter.add_frames_f32(samples).is_err()) {
            self.meter = None;
        }
    }

    /// The loudness of all that was taken.
    #[must_use]
    pub fn loudness(&self) -> Loudness {
        let measured = self
            .meter
            .as_ref()
            .and_then(|meter| Some((meter.loudness_global().ok()?, meter.true_peak(0).ok()?)));
        let Some((lufs, peak)) = measured else {
            return Loudness::default();
        };
        Loudness {
            lufs: Some(lufs).filter(|lufs| lufs.is_finite()),
            true_peak_dbfs: Some(20.0 * libm::log10(peak)).filter(|peak| peak.is_finite()),
        }
    }
}

/// Measures the loudness range of a mono clip that comes in pieces.
pub struct RangeMeter {
    meter: Option<EbuR128>,
    samples: usize,
    /// The least samples that have a range.
    least: usize,
}

impl RangeMeter {
    /// For clips of `sample_rate`; at one that [`check_sample_rate`] refuses nothing is defined.
    #[must_use]
    pub fn new(sample_rate: u32) -> Self {
        let least = RANGE_SECONDS.saturating_mul(sample_rate as usize);
        Self { meter: EbuR128::new(1, sample_rate, Mode::I | Mode::LRA).ok(), samples: 0, least }
    }

    /// Takes the next samples.
    pub fn add(&mut self, samples: &[f32]) {
        self.samples += samples.len();
        if self.meter.as_mut().is_some_and(|meter| meter.add_frames_f32(samples).is_err()) {
            self.meter = None;
        }
    }

    /// The range in LU (EBU Tech 3342): from the 10th to the 95th percentile of the loudness of 3 s, gated at -70 LUFS and 20 LU under
    /// the mean. `None` of less than 3 s and of silence.
    #[must_use]
    pub fn lu(&self) -> Option<f64> {
        let meter = self.meter.as_ref()?;
        let sounds = meter.loudness_global().ok()?.is_finite();
        let long = self.samples >= self.least;
        meter.loudness_range().ok().filter(|range| sounds && long && range.is_finite())
    }
}

/// The loudness range of a mono clip in LU, as [`RangeMeter::lu`].
#[must_use]
pub fn range_lu(samples: &[f32], sample_rate: u32) -> Option<f64> {
    let mut meter = RangeMeter::new(sample_rate);
    meter.add(samples);
    meter.lu()
}

#[cfg(test)]
mod tests {
    use std::f64::consts::PI;

    use super::*;

    #[test]
    fn the_reference_tone_has_its_loudness() {
        // BS.1770: a sine of 997 Hz at 0 dB of full scale in one channel reads -3.01 LUFS.
        let tone: Vec<f32> =
            (0..96_000).map(|i| (2.0 * PI * 997.0 * f64::from(i) / 48_000.0).sin() as f32).collect();
        let loudness = measure(&tone, 48_000);
        assert!((loudness.lufs.unwrap() + 3.01).abs() < 0.02);
        assert!(loudness.true_peak_dbfs.unwrap().abs() < 0.05);
    }

    /// Tones of 1 kHz, 20 s at each of these levels in dB of full scale.
    fn tones(levels: &[f64], rate: u32) -> Vec<f32> {
        let tone = |i: u32| (2.0 * PI * 1000.0 * f64::from(i) / f64::from(rate)).sin();
        let step = |level: &f64| {
            let gain = libm::pow(10.0, level / 20.0);
            (0..20 * rate).map(move |i| (gain * tone(i)) as f32)
        };
        levels.iter().flat_map(step).collect()
    }

    #[test]
    fn ranges_are_those_of_the_standards_cases() {
        // EBU Tech 3342, minimum requirements 1 to 4, within 1 LU.
        for (levels, expected) in [
            (&[-20.0, -30.0] as &[f64], 10.0),
            (&[-20.0, -15.0], 5.0),
            (&[-40.0, -20.0], 20.0),
            (&[-50.0, -35.0, -20.0, -35.0, -50.0], 15.0),
        ] {
            let found = range_lu(&tones(levels, 16_000), 16_000).unwrap();
            assert!((found - expected).abs() < 1.0, "{found} for {expected}");
        }
        assert_eq!(range_lu(&vec![0.0; 64_000], 16_000), None);
        assert_eq!(range_lu(&vec![0.1; 47_999], 16_000), None);
    }

    /// A tone of 48 kHz that fades in and out within 10 ms.
    fn tapered(period: f64, amplitude: f64, phase_degrees: f64) -> Vec<f32> {
        let fade = |i: usize| (i.min(48_000 - 1 - i) as f64 / 480.0).min(1.0);
        let angle = |i: usize| 2.0 * PI * i as f64 / period + phase_degrees.to_radians();
        (0..48_000).map(|i| (amplitude * fade(i) * angle(i).sin()) as f32).collect()
    }

    /// Cases 20 to 23: a tone of a sixth of the rate at half of full scale, with one period of a quarter of the rate at
    /// full scale in it, made at four times the rate, freed of what is over half the rate, and every fourth sample taken.
    fn one_loud_period(offset: usize) -> Vec<f32> {
        let quiet = |i: usize| 0.5 * (2.0 * PI * i as f64 / 24.0).sin();
        let loud = |i: usize| (2.0 * PI * i as f64 / 16.0).sin();
        let made: Vec<f64> =
            (0..4800).map(quiet).chain((0..16).map(loud)).chain((0..4800).map(quiet)).collect();
        let tap = |i: isize| {
            let sinc = if i == 0 { 0.25 } else { (0.25 * PI * i as f64).sin() / (PI * i as f64) };
            let place = PI * i as f64 / 256.0;
            sinc * (0.42 + 0.5 * place.cos() + 0.08 * (2.0 * place).cos())
        };
        let taps: Vec<f64> = (-255..=255).map(tap).collect();
        let filtered = made.windows(taps.len()).map(|w| w.iter().zip(&taps).map(|(x, t)| x * t).sum::<f64>());
        filtered.skip(offset).step_by(4).map(|x| x as f32).collect()
    }

    #[test]
    fn loudness_is_that_of_the_standards_cases() {
        // EBU Tech 3341 v4, cases 1 to 5, within 0.1 LU: seconds and levels of a tone of 1 kHz in both channels, which reads
        // 3.01 LU more than in the one channel that there is here. 6 has five channels, 7 and 8 are programmes, 9 to
        // 14 ask for momentary and short-term loudness.
        let cases: [(&[(f64, f64)], f64); 5] = [
            (&[(20.0, -23.0)], -23.0),
            (&[(20.0, -33.0)], -33.0),
            (&[(10.0, -36.0), (60.0, -23.0), (10.0, -36.0)], -23.0),
            (&[(10.0, -72.0), (10.0, -36.0), (60.0, -23.0), (10.0, -36.0), (10.0, -72.0)], -23.0),
            (&[(20.0, -26.0), (20.1, -20.0), (20.0, -26.0)], -23.0),
        ];
        for rate in [16_000, 48_000] {
            for (case, (steps, expected)) in cases.iter().enumerate() {
                let tone = |i: usize| (2.0 * PI * 1000.0 * i as f64 / f64::from(rate)).sin();
                let step = |(seconds, level): &(f64, f64)| {
                    let gain = libm::pow(10.0, level / 20.0);
                    (0..(seconds * f64::from(rate)) as usize).map(move |i| (gain * tone(i)) as f32)
                };
                let samples: Vec<f32> = steps.iter().flat_map(step).collect();
                let found = measure(&samples, rate).lufs.unwrap() + 10.0 * 2.0_f64.log10();
                assert!((found - expected).abs() < 0.1, "case {}, {rate} Hz: {found}", case + 1);
            }
        }
    }

    #[test]
    fn true_peaks_are_those_of_the_standards_cases() {
        // EBU Tech 3341 v4, cases 15 to 23, within +0.2 and -0.4 dB.
        let tones = [
            (4.0, 0.5, 0.0, -6.0),
            (4.0, 0.5, 45.0, -6.0),
            (6.0, 0.5, 60.0, -6.0),
            (8.0, 0.5, 67.5, -6.0),
            (4.0, 1.41, 45.0, 3.0),
        ];
        let tones = tones.map(|(period, amplitude, phase, peak)| (tapered(period, amplitude, phase), peak));
        let periods = (0..4).map(|offset| (one_loud_period(offset), 0.0));
        for (case, (samples, expected)) in tones.into_iter().chain(periods).enumerate() {
            let found = measure(&samples, 48_000).true_peak_dbfs.unwrap();
            assert!((-0.4..=0.2).contains(&(found - expected)), "case {}: {found} for {expected}", case + 15);
        }
    }

    #[test]
    fn silence_and_scraps_have_none() {
        assert_eq!(measure(&vec![0.0; 48_000], 48_000), Loudness::default());
        assert_eq!(measure(&[], 16_000), Loudness::default());
        let scrap = measure(&[0.5; 100], 16_000);
        assert!(scrap.lufs.is_none() && scrap.true_peak_dbfs.is_some());
        assert!(check_sample_rate(3).is_err() && check_sample_rate(8000).is_ok());
    }
}
