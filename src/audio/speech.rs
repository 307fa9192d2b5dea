//! Voice activity by a small network, which tells voices from other sounds.
//!
//! The crate `earshot`: 40 mel bands of 48 ms every 16 ms at 16 kHz, a recurrent network of 40 KiB. It runs one instruction
//! after another in any order of clips, with the mathematics of `libm`, so that all machines give the same. As with
//! [`super::voice`], speech goes on for 200 ms after each active frame.

use earshot::Detector;

use super::resampling::{Resampler, ResamplerScratch};
use super::voice::stretches;

const SAMPLE_RATE: u32 = 16_000;
const FRAME_LEN: usize = 256;
const THRESHOLD: f32 = 0.5;
const HANGOVER_FRAMES: usize = 12;

/// Speech and pauses of a clip.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Speech {
    /// Share of the frames that are speech, hangover included.
    pub share: f64,
    /// Stretches without speech between two of speech, for each minute of the clip.
    pub pauses_per_minute: f64,
    /// Mean length of these; `None` where there are none.
    pub pause_seconds: Option<f64>,
}

/// The plan of voice activity at one sample rate.
#[derive(Debug, Clone)]
pub struct SpeechDetector {
    /// `None` at 16 kHz.
    resampler: Option<Resampler>,
}

/// What [`SpeechDetector::detect`] writes while it works.
#[derive(Default)]
pub struct SpeechScratch {
    detector: Option<Box<Detector>>,
    resampler: ResamplerScratch,
    resampled: Vec<f64>,
    active: Vec<bool>,
}

impl SpeechDetector {
    /// For clips of `sample_rate`.
    #[must_use]
    pub fn new(sample_rate: u32) -> Self {
        Self { resampler: (sample_rate != SAMPLE_RATE).then(|| Resampler::new(sample_rate, SAMPLE_RATE)) }
    }

    /// Judges a clip; `None` of one under 16 ms. Samples beyond full scale count as full scale.
    #[must_use]
    pub fn detect(&self, samples: &[f32], scratch: &mut SpeechScratch) -> Option<Speech> {
        let SpeechScratch { detector, resampler, resampled, active } = scratch;
        let detector = detector.get_or_insert_default();
        detector.reset();
        active.clear();
        if let Some(plan) = &self.resampler {
            plan.apply(samples, resampled, resampler);
            active.extend(
                resampled
                    .chunks_exact(FRAME_LEN)
                    .map(|frame| judge(frame.iter().map(|x| *x as f32), detector)),
            );
        } else {
            active
                .extend(samples.chunks_exact(FRAME_LEN).map(|frame| judge(frame.iter().copied(), detector)));
        }
        let frames = active.len() as f64;
        let seconds = FRAME_LEN as f64 / f64::from(SAMPLE_RATE);
        let found = stretches(active.iter().copied(), HANGOVER_FRAMES);
        let pauses = found.pauses as f64;
        (frames > 0.0).then(|| Speech {
            share: found.speech as f64 / frames,
            pauses_per_minute: pauses * 60.0 / (frames * seconds),
            pause_seconds: (found.pauses > 0).then(|| found.pause_frames as f64 * seconds / pauses),
        })
    }
}

fn judge(samples: impl Iterator<Item = f32>, detector: &mut Detector) -> bool {
    let mut frame = [0.0; FRAME_LEN];
    for (into, sample) in frame.iter_mut().zip(samples) {
        *into = sample.clamp(-1.0, 1.0);
    }
    detector.predict_f32(&frame) >= THRESHOLD
}

#[cfg(test)]
mod tests {
    use super::*;

    fn detect(samples: &[f32], rate: u32) -> Option<Speech> {
        SpeechDetector::new(rate).detect(samples, &mut SpeechScratch::default())
    }

    #[test]
    fn silence_and_scraps_have_no_speech() {
        assert_eq!(detect(&[], 16_000), None);
        assert_eq!(detect(&[0.1; 255], 16_000), None);
        let silence = Speech { share: 0.0, pauses_per_minute: 0.0, pause_seconds: None };
        assert_eq!(detect(&vec![0.0; 16_000], 16_000), Some(silence));
        assert_eq!(detect(&vec![0.0; 8_000], 8_000), Some(silence));
    }

    #[test]
    fn a_clip_is_judged_alike_after_any_other() {
        let noise = |seed: usize| -> Vec<f32> {
            (0..20_000).map(|i| ((i * seed + 13) % 10_009) as f32 / 500.0 - 10.0).collect()
        };
        let mut scratch = SpeechScratch::default();
        let plan = SpeechDetector::new(16_000);
        let alone = detect(&noise(7919), 16_000);
        let _ = plan.detect(&noise(104_729), &mut scratch);
        assert_eq!(plan.detect(&noise(7919), &mut scratch), alone);
    }
}
