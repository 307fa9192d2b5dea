//! Syllables: how fast somebody speaks, without knowing the words.
//!
//! De Jong and Wempe, "Praat script to detect syllable nuclei and measure speech rate automatically", Behavior Research
//! Methods 41 (2009), with its standard values: a nucleus is a voiced peak of intensity ([`super::intensity`]) no more than
//! 25 dB under the 99th percentile, after which the level falls by more than 2 dB before the next peak. What lies between pauses of
//! 0.3 s and more is phonation.

use crate::math::statistics;

use super::intensity::{Intensity, IntensityContour};
use super::periodic_pitch::{PeriodicPitch, PeriodicPitchScratch, PeriodicPitchSettings};

const MIN_INTENSITY_HZ: f64 = 50.0;
const PITCH: PeriodicPitchSettings = PeriodicPitchSettings {
    min_hz: 30.0,
    max_hz: 450.0,
    step_seconds: 0.02,
    voicing: 0.25,
    voicing_cost: 0.25,
};
const LOUD_SHARE: f64 = 0.99;
const RANGE_DB: f64 = 25.0;
const DIP_DB: f64 = 2.0;
const SHORTEST_PAUSE_SECONDS: f64 = 0.3;
const SHORTEST_PHONATION_SECONDS: f64 = 0.1;

/// How fast somebody speaks.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SpeechRate {
    /// Syllable nuclei.
    pub syllables: f64,
    /// Nuclei for each second of the clip.
    pub speech_rate: f64,
    /// Nuclei for each second of phonation; `None` where there is none.
    pub articulation_rate: Option<f64>,
    /// Share of the clip between pauses.
    pub phonation_share: f64,
    /// Mean length of a pause between two stretches of phonation; `None` where there is none.
    pub pause_seconds: Option<f64>,
}

/// The plan of syllables at one sample rate.
#[derive(Clone)]
pub struct Syllables {
    intensity: Intensity,
    /// `None` at a rate that has no periods of 30 Hz.
    pitch: Option<PeriodicPitch>,
    rate: f64,
}

/// What [`Syllables::measure`] writes.
#[derive(Default)]
pub struct SyllableScratch {
    contour: IntensityContour,
    pitch: PeriodicPitchScratch,
    sorted: Vec<f64>,
    peaks: Vec<usize>,
    stretches: Vec<Stretch>,
}

/// A part of a clip, begin and end in seconds.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Stretch {
    sounding: bool,
    begin: f64,
    end: f64,
}

impl Stretch {
    fn seconds(&self) -> f64 {
        self.end - self.begin
    }
}

impl Syllables {
    /// For clips of `sample_rate`.
    #[must_use]
    pub fn new(sample_rate: u32) -> Self {
        Self {
            intensity: Intensity::new(MIN_INTENSITY_HZ, sample_rate),
            pitch: PeriodicPitch::new(PITCH, sample_rate),
            rate: f64::from(sample_rate),
        }
    }

    /// Measures a clip; `None` of one under 0.13 s, and at a rate that has no periods of 30 Hz.
    #[must_use]
    pub fn measure(&self, samples: &[f32], scratch: &mut SyllableScratch) -> Option<SpeechRate> {
        let SyllableScratch { contour, pitch, sorted, peaks, stretches } = scratch;
        let plan = self.pitch.as_ref().filter(|_| self.intensity.contour(samples, contour))?;
        let seconds = samples.len() as f64 / self.rate;
        sorted.clear();
        sorted.extend_from_slice(&contour.db);
        sorted.sort_unstable_by(f64::total_cmp);
        let loud = statistics::percentile_of_sorted(sorted, LOUD_SHARE)? - RANGE_DB;
        let least = *sorted.first()?;
        find_stretches(contour, loud, seconds, stretches);
        find_peaks(contour, loud.max(least), peaks);
        let pitch = plan.contour(samples, pitch);
        let sounding = |at: f64| stretches.iter().any(|s| s.sounding && s.begin <= at && at < s.end);
        let voiced = |at: f64| pitch.is_some_and(|pitch| pitch.at(at).is_some());
        let at = |frame: &usize| contour.times.seconds(*frame);
        let nuclei = nuclei(contour, peaks).map(|frame| at(&frame)).filter(|at| voiced(*at) && sounding(*at));
        let syllables = nuclei.count() as f64;
        let phonation: f64 = stretches.iter().filter(|s| s.sounding).map(Stretch::seconds).sum();
        Some(SpeechRate {
            syllables,
            speech_rate: syllables / seconds,
            articulation_rate: (phonation > 0.0).then(|| syllables / phonation),
            phonation_share: phonation / seconds,
            pause_seconds: mean_pause(stretches),
        })
    }
}

/// Frames over `threshold` that are higher than the frame before and no lower than the one after.
fn find_peaks(contour: &IntensityContour, threshold: f64, peaks: &mut Vec<usize>) {
    peaks.clear();
    let triples = contour.db.windows(3).enumerate();
    peaks.extend(
        triples
            .filter(|(_, levels)| levels[1] > threshold && levels[1] > levels[0] && levels[1] >= levels[2])
            .map(|(before, _)| before + 1),
    );
}

/// The peaks that a dip follows before the next: the last peak has none after it.
fn nuclei<'a>(contour: &'a IntensityContour, peaks: &'a [usize]) -> impl Iterator<Item = usize> + 'a {
    peaks.windows(2).filter_map(|pair| {
        let dip = contour.db[pair[0]..pair[1]].iter().copied().fold(f64::INFINITY, f64::min);
        (contour.db[pair[0]] - dip > DIP_DB).then_some(pair[0])
    })
}

/// Cuts a clip where the level crosses `threshold`; phonation that is too short is joined to what is about it, then pauses
/// that are too short.
fn find_stretches(contour: &IntensityContour, threshold: f64, seconds: f64, stretches: &mut Vec<Stretch>) {
    stretches.clear();
    for (frame, level) in contour.db.iter().enumerate() {
        let sounding = *level >= threshold;
        let begin = if frame == 0 { 0.0 } else { contour.times.seconds(frame) };
        match stretches.last_mut() {
            Some(last) if last.sounding == sounding => {}
            last => {
                if let Some(last) = last {
                    last.end = begin;
                }
                stretches.push(Stretch { sounding, begin, end: seconds });
            }
        }
    }
    join(stretches, true, SHORTEST_PHONATION_SECONDS);
    join(stretches, false, SHORTEST_PAUSE_SECONDS);
}

/// Turns stretches of a kind that are shorter than `shortest` into the other kind, and joins neighbours of one kind.
fn join(stretches: &mut Vec<Stretch>, sounding: bool, shortest: f64) {
    if stretches.len() < 2 {
        return;
    }
    for stretch in stretches.iter_mut() {
        if stretch.sounding == sounding && stretch.seconds() < shortest {
            stretch.sounding = !sounding;
        }
    }
    stretches.dedup_by(|next, before| {
        let same = next.sounding == before.sounding;
        if same {
            before.end = next.end;
        }
        same
    });
}

fn mean_pause(stretches: &[Stretch]) -> Option<f64> {
    let inner = stretches.get(1..stretches.len().saturating_sub(1))?;
    let (mut sum, mut count) = (0.0, 0);
    for pause in inner.iter().filter(|stretch| !stretch.sounding) {
        sum += pause.seconds();
        count += 1;
    }
    (count > 0).then(|| sum / f64::from(count))
}

#[cfg(test)]
mod tests {
    use std::f64::consts::PI;

    use super::*;

    fn measure(samples: &[f32]) -> Option<SpeechRate> {
        Syllables::new(16_000).measure(samples, &mut SyllableScratch::default())
    }

    #[test]
    fn every_swell_of_a_voice_is_a_syllable() {
        // Five swells a second of a voice of 120 Hz for 2 s, a pause of 1 s, and once more.
        let voice = |i: usize| {
            (1..8).map(|n| (2.0 * PI * 120.0 * f64::from(n) * i as f64 / 16_000.0).sin()).sum::<f64>()
        };
        let swell = |i: usize| 0.05 * (1.05 - (2.0 * PI * 5.0 * i as f64 / 16_000.0).cos());
        let gap = |i: usize| (32_000..48_000).contains(&i);
        let samples: Vec<f32> =
            (0..80_000).map(|i| if gap(i) { 0.0 } else { (swell(i) * voice(i)) as f32 }).collect();
        let found = measure(&samples).unwrap();
        // The last peak of all has no dip and next peak after it.
        assert!((19.0..=20.0).contains(&found.syllables), "{found:?}");
        assert!((found.speech_rate - found.syllables / 5.0).abs() < 1e-9);
        assert!((found.pause_seconds.unwrap() - 1.0).abs() < 0.15, "{found:?}");
        assert!((found.phonation_share - 0.8).abs() < 0.05);
    }

    #[test]
    fn silence_has_no_syllables() {
        let silence = measure(&vec![0.0; 16_000]).unwrap();
        assert_eq!((silence.syllables, silence.pause_seconds), (0.0, None));
        assert!(measure(&[]).is_none() && measure(&[0.1; 1000]).is_none());
    }

    #[test]
    fn short_stretches_are_joined() {
        let kinds = [(true, 1.0), (false, 0.2), (true, 0.5), (false, 0.6), (true, 0.05), (false, 0.4)];
        let mut at = 0.0;
        let mut stretches: Vec<Stretch> = kinds
            .into_iter()
            .map(|(sounding, seconds)| {
                at += seconds;
                Stretch { sounding, begin: at - seconds, end: at }
            })
            .collect();
        join(&mut stretches, false, 0.3);
        join(&mut stretches, true, 0.1);
        assert_eq!(stretches.iter().map(|s| s.sounding).collect::<Vec<_>>(), [true, false]);
        assert_eq!(stretches[0].end, 1.7);
    }
}
