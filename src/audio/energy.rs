//! Energy and zero crossings of a frame, as librosa 0.11 defines them (`feature.rms`, `feature.zero_crossing_rate`).
//!
//! Frames are `fft_len` samples, centred on every `hop_len`-th sample, whatever the profile.

use super::frames::Frames;

/// Levels stop here: -100 dB.
const LEAST_RMS: f64 = 1e-5;

/// librosa takes samples this small as zeros, and zeros as positive.
const CROSSING_THRESHOLD: f32 = 1e-10;

/// Level of frame `index` in dB of full scale: 20 log10(max(rms, 1e-5)), zeros outside of the clip.
#[must_use]
pub fn rms_db(frames: &Frames, samples: &[f32], index: usize) -> f64 {
    let (_, inside) = frames.inside(samples, index);
    let energy: f64 = inside.iter().map(|x| f64::from(*x) * f64::from(*x)).sum();
    level_db((energy / frames.len as f64).sqrt())
}

/// The level of an amplitude, at least -100 dB.
#[must_use]
pub fn level_db(rms: f64) -> f64 {
    20.0 * libm::log10(rms.max(LEAST_RMS))
}

/// Share of the samples of frame `index` whose sign differs from the sample's before; the clip's first and last
/// sample continue outside, so that nothing crosses there.
#[must_use]
pub fn zero_crossing_rate(frames: &Frames, samples: &[f32], index: usize) -> f64 {
    let (_, inside) = frames.inside(samples, index);
    let crossings = inside.windows(2).filter(|pair| negative(pair[0]) != negative(pair[1])).count();
    crossings as f64 / frames.len as f64
}

fn negative(sample: f32) -> bool {
    sample < -CROSSING_THRESHOLD
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_square_wave_has_its_amplitude_as_rms() {
        let samples: Vec<f32> = (0..64).map(|i| if i % 2 == 0 { 0.1 } else { -0.1 }).collect();
        let frames = Frames::centred(16, 4);
        assert!((rms_db(&frames, &samples, 8) + 20.0).abs() < 1e-5);
        assert_eq!(zero_crossing_rate(&frames, &samples, 8), 15.0 / 16.0);
        // Half of frame 0 lies before the clip.
        assert!((rms_db(&frames, &samples, 0) + 20.0 + 3.0103).abs() < 1e-4);
        assert_eq!(zero_crossing_rate(&frames, &samples, 0), 7.0 / 16.0);
    }

    #[test]
    fn silence_has_a_floor_and_no_crossings() {
        let frames = Frames::centred(16, 4);
        assert_eq!(rms_db(&frames, &[0.0; 8], 1), -100.0);
        assert_eq!(zero_crossing_rate(&frames, &[0.0, -0.0, -1e-11, 1e-11], 1), 0.0);
        assert_eq!(zero_crossing_rate(&frames, &[], 0), 0.0);
    }
}
