//! Quality of a recording: noise, clipping, offset.

use super::contour::percentile;
use super::frames::Frames;

/// Samples from here on count as clipped: 0.01 dB under full scale.
const FULL_SCALE: f32 = 0.999;

/// Frames at this level are digital silence (the floor of [`super::energy::rms_db`]) and say nothing of noise.
const DIGITAL_SILENCE_DB: f32 = -99.0;

/// Sums that go side by side.
const LANES: usize = 16;

/// Sums over the samples of a clip, which comes in pieces.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct SampleTotals {
    /// Samples.
    pub count: usize,
    clipped: usize,
    /// Sample i is in sum i mod 16, however the pieces are cut.
    sums: [f64; LANES],
}

impl SampleTotals {
    /// Takes the next samples.
    pub fn add(&mut self, samples: &[f32]) {
        self.clipped += samples
            .chunks(1 << 12)
            .map(|block| {
                block.iter().fold(0_u32, |count, x| count + u32::from(x.abs() >= FULL_SCALE)) as usize
            })
            .sum::<usize>();
        let (head, samples) =
            samples.split_at(samples.len().min(self.count.next_multiple_of(LANES) - self.count));
        for sample in head {
            self.sums[self.count % LANES] += f64::from(*sample);
            self.count += 1;
        }
        let (rows, rest) = samples.as_chunks::<LANES>();
        for row in rows {
            self.sums.iter_mut().zip(row).for_each(|(sum, x)| *sum += f64::from(*x));
        }
        self.sums.iter_mut().zip(rest).for_each(|(sum, x)| *sum += f64::from(*x));
        self.count += samples.len();
    }

    /// Share of the samples at full scale; `None` of an empty clip.
    #[must_use]
    pub fn clipped_share(&self) -> Option<f64> {
        (self.count > 0).then(|| self.clipped as f64 / self.count as f64)
    }

    /// Mean of the samples; `None` of an empty clip.
    #[must_use]
    pub fn dc_offset(&self) -> Option<f64> {
        (self.count > 0).then(|| self.sums.iter().sum::<f64>() / self.count as f64)
    }
}

/// An estimate of the ratio of signal to noise in dB: power of the loud frames (90th percentile of level) less that of
/// the quiet ones (10th percentile), over the latter. Only frames that lie wholly inside of the clip and are not
/// digital silence count; `None` where there are none, or where loud and quiet are the same.
///
/// The quiet frames are taken for noise, so speech without pauses reads too low.
#[must_use]
pub fn snr_db(levels_db: &[f32], frames: &Frames, samples: usize, copy: &mut Vec<f64>) -> Option<f64> {
    let inside = |index: usize| {
        let start = frames.start(index);
        start >= 0 && start as usize + frames.len <= samples
    };
    let counted = || {
        let frames_of_sound = levels_db.iter().enumerate().filter(|(_, level)| **level > DIGITAL_SILENCE_DB);
        frames_of_sound.filter(|(index, _)| inside(*index)).map(|(_, level)| *level)
    };
    let quiet = power(percentile(counted(), 0.1, copy)?);
    let loud = power(percentile(counted(), 0.9, copy)?);
    (loud > quiet).then(|| 10.0 * libm::log10((loud - quiet) / quiet))
}

fn power(level_db: f64) -> f64 {
    libm::pow(10.0, level_db / 10.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clipping_and_offset_are_shares_of_the_samples() {
        let mut totals = SampleTotals::default();
        assert_eq!((totals.clipped_share(), totals.dc_offset()), (None, None));
        totals.add(&[1.0, -1.0]);
        totals.add(&[0.5, 0.0]);
        assert_eq!((totals.clipped_share(), totals.dc_offset()), (Some(0.5), Some(0.125)));
    }

    #[test]
    fn signal_in_noise_has_its_ratio() {
        let frames = Frames::centred(512, 160);
        // Half of the frames noise at -50 dB, half noise and signal: 10 log10(1e-2 / 1e-5) = 30 dB above it.
        let loud = 10.0 * (1e-2f32 + 1e-5).log10();
        let levels: Vec<f32> = (0..100).map(|i| if i % 2 == 0 { -50.0 } else { loud }).collect();
        let found = snr_db(&levels, &frames, 16_000, &mut Vec::new()).unwrap();
        assert!((found - 30.0).abs() < 1e-3, "{found}");
    }

    #[test]
    fn silence_and_scraps_have_no_ratio() {
        let frames = Frames::centred(512, 160);
        assert_eq!(snr_db(&[-100.0; 100], &frames, 16_000, &mut Vec::new()), None);
        assert_eq!(snr_db(&[-20.0], &frames, 100, &mut Vec::new()), None);
        assert_eq!(snr_db(&[], &frames, 0, &mut Vec::new()), None);
    }
}
