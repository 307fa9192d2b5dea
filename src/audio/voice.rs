//! Voice activity from energy alone: what is loud for this clip is speech.
//!
//! The level contour (dB, [`super::energy`]) is smoothed by a moving average over 50 ms. The clip's own floor (10th
//! percentile) and top (95th) set the threshold: a third of the way up from the floor, where at least 6 dB lie between the
//! two; otherwise the clip is steady, and all of it counts as speech or none. Nothing under -60 dB of full scale is
//! speech. After each active frame, speech goes on for 200 ms (hangover), which bridges closures within a word.
//! Music and loud noise count as speech: this knows no voice, other than [`super::speech`].

use crate::convolution::{KernelError, Scratch};

use super::contour::{Smoother, percentile};

const SMOOTHING_SECONDS: f64 = 0.05;
const HANGOVER_SECONDS: f64 = 0.2;
/// Levels at or under this are silence in any clip.
const SILENCE_DB: f32 = -60.0;
/// Levels this far under a clip's top are silence in that clip.
const SILENCE_RANGE_DB: f32 = 40.0;
/// Floor and top closer than this: the clip is steady.
const STEADY_RANGE_DB: f32 = 6.0;
const THRESHOLD_SHARE: f32 = 1.0 / 3.0;

/// Speech and silence of a clip.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct VoiceActivity {
    /// Share of the frames that are speech, hangover included.
    pub speech_share: f64,
    /// Share of the frames that are silent: smoothed level under -60 dB, or 40 dB and more under the clip's 95th percentile.
    /// A pause that is full of noise is not silent, so the two shares need not add up to 1.
    pub silence_share: f64,
    /// Stretches without speech between two of speech, for each minute of the clip.
    pub pauses_per_minute: f64,
}

/// The plan of voice activity at one frame rate.
#[derive(Clone)]
pub struct VoiceDetector {
    smoother: Smoother,
    hangover: usize,
    frame_seconds: f64,
}

/// What [`VoiceDetector::detect`] writes while it works.
#[derive(Default)]
pub struct VoiceScratch {
    smoothed: Vec<f32>,
    sorted: Vec<f64>,
    filter: Scratch<f32>,
}

impl VoiceDetector {
    /// For level contours with a value every `frame_seconds`.
    pub fn new(frame_seconds: f64) -> Result<Self, KernelError> {
        Ok(Self {
            smoother: Smoother::new(SMOOTHING_SECONDS, frame_seconds)?,
            hangover: (HANGOVER_SECONDS / frame_seconds).round() as usize,
            frame_seconds,
        })
    }

    /// Judges a clip from its levels in dB; `None` without frames.
    pub fn detect(&self, levels_db: &[f32], scratch: &mut VoiceScratch) -> Option<VoiceActivity> {
        self.smoother.apply(levels_db, &mut scratch.smoothed, &mut scratch.filter);
        let mut level = |share| percentile(scratch.smoothed.iter().copied(), share, &mut scratch.sorted);
        let (floor, top) = (level(0.10)? as f32, level(0.95)? as f32);
        let threshold = threshold(floor, top);
        let silence = SILENCE_DB.max(top - SILENCE_RANGE_DB);
        let frames = scratch.smoothed.len() as f64;
        let silent = scratch.smoothed.iter().filter(|level| **level <= silence).count();
        let found = stretches(scratch.smoothed.iter().map(|level| *level > threshold), self.hangover);
        Some(VoiceActivity {
            speech_share: found.speech as f64 / frames,
            silence_share: silent as f64 / frames,
            pauses_per_minute: found.pauses as f64 * 60.0 / (frames * self.frame_seconds),
        })
    }
}

/// Speech and what lies between, in frames.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Stretches {
    /// Frames of speech.
    pub speech: usize,
    /// Stretches without speech between two of speech.
    pub pauses: usize,
    /// Frames of these.
    pub pause_frames: usize,
}

/// Joins active frames: speech goes on for `hangover` frames after each.
pub(super) fn stretches(active: impl Iterator<Item = bool>, hangover: usize) -> Stretches {
    let mut found = Stretches::default();
    let (mut begun, mut paused, mut hold) = (false, 0, 0);
    for active in active {
        if active {
            if begun && paused > 0 {
                found.pauses += 1;
                found.pause_frames += paused;
            }
            (begun, paused, hold) = (true, 0, hangover);
            found.speech += 1;
        } else if hold > 0 {
            hold -= 1;
            found.speech += 1;
        } else {
            paused += 1;
        }
    }
    found
}

/// Speech is what lies above this.
fn threshold(floor: f32, top: f32) -> f32 {
    let adaptive =
        if top - floor < STEADY_RANGE_DB { SILENCE_DB } else { floor + THRESHOLD_SHARE * (top - floor) };
    adaptive.max(SILENCE_DB)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn detect(levels: &[f32]) -> VoiceActivity {
        VoiceDetector::new(0.01).unwrap().detect(levels, &mut VoiceScratch::default()).unwrap()
    }

    #[test]
    fn words_and_pauses_are_told_apart() {
        // Three words of 1 s at -20 dB, pauses of 1 s at -55 dB about and between them.
        let levels: Vec<f32> = (0..700).map(|i| if (i / 100) % 2 == 1 { -20.0 } else { -55.0 }).collect();
        let found = detect(&levels);
        assert!((found.speech_share - (300.0 + 60.0) / 700.0).abs() < 0.02);
        assert_eq!(found.silence_share, 0.0);
        assert!((found.pauses_per_minute - 2.0 * 60.0 / 7.0).abs() < 1e-9);
    }

    #[test]
    fn short_closures_are_no_pauses() {
        let levels: Vec<f32> =
            (0..300).map(|i| if (140..155).contains(&i) { -50.0 } else { -20.0 }).collect();
        assert_eq!(detect(&levels).pauses_per_minute, 0.0);
    }

    #[test]
    fn steady_clips_are_all_or_nothing() {
        assert_eq!(detect(&[-20.0; 50]).speech_share, 1.0);
        let silence = detect(&[-100.0; 50]);
        assert_eq!((silence.speech_share, silence.silence_share), (0.0, 1.0));
        assert_eq!(VoiceDetector::new(0.01).unwrap().detect(&[], &mut VoiceScratch::default()), None);
    }
}
