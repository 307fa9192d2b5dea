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

/// Whether loudness is defined at a sample rate; the filters of the standard need some room under half of it.
pub fn check_sample_rate(sample_rate: u32) -> Result<(), AudioError> {
    match EbuR128::new(1, sample_rate, mode()) {
        Ok(_) => Ok(()),
        Err(_) => Err(AudioError::SampleRate { sample_rate }),
    }
}

/// Measures a mono clip. At a rate that [`check_sample_rate`] refuses nothing is defined.
#[must_use]
pub fn measure(samples: &[f32], sample_rate: u32) -> Loudness {
    let measured = EbuR128::new(1, sample_rate, mode()).and_then(|mut meter| {
        meter.add_frames_f32(samples)?;
        Ok((meter.loudness_global()?, meter.true_peak(0)?))
    });
    let Ok((lufs, peak)) = measured else {
        return Loudness::default();
    };
    Loudness {
        lufs: Some(lufs).filter(|lufs| lufs.is_finite()),
        true_peak_dbfs: Some(20.0 * libm::log10(peak)).filter(|peak| peak.is_finite()),
    }
}

fn mode() -> Mode {
    Mode::I | Mode::TRUE_PEAK
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

    #[test]
    fn silence_and_scraps_have_none() {
        assert_eq!(measure(&vec![0.0; 48_000], 48_000), Loudness::default());
        assert_eq!(measure(&[], 16_000), Loudness::default());
        let scrap = measure(&[0.5; 100], 16_000);
        assert!(scrap.lufs.is_none() && scrap.true_peak_dbfs.is_some());
        assert!(check_sample_rate(3).is_err() && check_sample_rate(8000).is_ok());
    }
}
