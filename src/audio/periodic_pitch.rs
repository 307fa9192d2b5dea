//! Pitch as Praat's "To Pitch (ac)" has it, which finds the pulses of a voice and tells which syllables are voiced.
//!
//! Boersma (1993): the peaks of the autocorrelation of a frame ([`super::periodicity`]) are candidates, the higher and the
//! shorter their period the stronger, and so is being unvoiced, the stronger the quieter the frame; the path through all
//! frames is that of most strength less what its jumps cost (Viterbi).

use super::periodicity::{
    FrameTimes, Periodicity, PeriodicityScratch, PeriodicitySettings, Shape, global_peak,
};
use super::summit::Summit;

const PERIODS: f64 = 3.0;
/// Candidates of a frame, the unvoiced one among them.
const CANDIDATES: usize = 15;
const OCTAVE_COST: f64 = 0.01;
const OCTAVE_JUMP_COST: f64 = 0.35;
const SILENCE: f64 = 0.03;
/// Costs of jumps are for frames this far apart.
const COST_SECONDS: f64 = 0.01;
/// Lags on either side that a value between lags is interpolated from.
const DEPTH: usize = 70;

/// What differs between the uses of this pitch.
#[derive(Debug, Clone, Copy)]
pub struct PeriodicPitchSettings {
    /// The lowest pitch.
    pub min_hz: f64,
    /// The highest pitch.
    pub max_hz: f64,
    /// From one frame to the next.
    pub step_seconds: f64,
    /// How strong being unvoiced is.
    pub voicing: f64,
    /// What going from voiced to unvoiced or back costs.
    pub voicing_cost: f64,
}

/// The pitch of a clip over time.
#[derive(Debug, Clone, Default)]
pub struct PitchContour {
    /// When the frames are.
    pub times: FrameTimes,
    /// The pitch of each frame; `None` of an unvoiced one.
    pub hz: Vec<Option<f64>>,
}

/// The plan of this pitch at one sample rate.
#[derive(Clone)]
pub struct PeriodicPitch {
    settings: PeriodicPitchSettings,
    periodicity: Periodicity,
    rate: f64,
}

/// What [`PeriodicPitch::contour`] writes.
pub struct PeriodicPitchScratch {
    periodicity: PeriodicityScratch,
    summit: Summit,
    found: Vec<Candidate>,
    /// Peaks and about how strong they are.
    lags: Vec<(usize, f64)>,
    /// The candidates of all frames, and where those of each frame end.
    candidates: Vec<Candidate>,
    ends: Vec<usize>,
    values: Vec<f64>,
    came_from: Vec<usize>,
    contour: PitchContour,
}

impl Default for PeriodicPitchScratch {
    fn default() -> Self {
        Self {
            periodicity: PeriodicityScratch::default(),
            summit: Summit::new(DEPTH),
            found: Vec::new(),
            lags: Vec::new(),
            candidates: Vec::new(),
            ends: Vec::new(),
            values: Vec::new(),
            came_from: Vec::new(),
            contour: PitchContour::default(),
        }
    }
}

/// A way to take a frame: `hz` is `None` where as unvoiced.
#[derive(Debug, Clone, Copy)]
struct Candidate {
    hz: Option<f64>,
    strength: f64,
}

impl PeriodicPitch {
    /// For clips of `sample_rate`; `None` where that has no such periods.
    #[must_use]
    pub fn new(settings: PeriodicPitchSettings, sample_rate: u32) -> Option<Self> {
        let PeriodicPitchSettings { min_hz, step_seconds, .. } = settings;
        let periodicity =
            PeriodicitySettings { min_hz, periods: PERIODS, shape: Shape::Hanning, step_seconds };
        Some(Self {
            settings,
            periodicity: Periodicity::new(&periodicity, sample_rate)?,
            rate: f64::from(sample_rate),
        })
    }

    /// The pitch of a clip over time; `None` where it is silent, or shorter than a window.
    pub fn contour<'s>(
        &self,
        samples: &[f32],
        scratch: &'s mut PeriodicPitchScratch,
    ) -> Option<&'s PitchContour> {
        let peak = global_peak(samples);
        let times = self.periodicity.frames(samples.len()).filter(|_| peak > 0.0)?;
        scratch.candidates.clear();
        scratch.ends.clear();
        for frame in 0..times.count {
            self.observe(samples, times.seconds(frame), peak, scratch);
        }
        scratch.contour.times = times;
        self.decode(scratch);
        Some(&scratch.contour)
    }

    /// Adds the candidates of a frame, the unvoiced one first.
    fn observe(&self, samples: &[f32], seconds: f64, peak: f64, scratch: &mut PeriodicPitchScratch) {
        let PeriodicPitchSettings { max_hz, voicing, .. } = self.settings;
        let (loudest, correlation) = self.periodicity.observe(samples, seconds, &mut scratch.periodicity);
        let quiet = 2.0 - (loudest / peak).min(1.0) * (1.0 + voicing) / SILENCE;
        let unvoiced = Candidate { hz: None, strength: voicing + quiet.max(0.0) };
        scratch.candidates.push(unvoiced);
        let (found, lags) = (&mut scratch.found, &mut scratch.lags);
        found.clear();
        // An octave higher is worth a little more, so that of equal peaks the first is taken.
        let strength = |height: f64, hz: f64| height - OCTAVE_COST * libm::log2(max_hz / hz);
        if let Some(correlation) = correlation {
            lags.clear();
            let peaks = self.periodicity.peaks(correlation, 0.5 * voicing);
            // A summit lies less than a lag from its peak.
            let peaks = peaks.map(|lag| (lag, self.rate / (lag as f64 + 1.0))).filter(|(_, hz)| *hz < max_hz);
            lags.extend(peaks.map(|(lag, hz)| (lag, strength(correlation[lag], hz))));
            // As in Praat, only the strongest are looked at between the lags.
            lags.sort_by(|a, b| b.1.total_cmp(&a.1));
            for (lag, _) in lags.iter().take(CANDIDATES - 1) {
                let (place, height) = scratch.summit.of(correlation, *lag);
                let hz = self.rate / place;
                if hz < max_hz {
                    found.push(Candidate { hz: Some(hz), strength: strength(height, hz) });
                }
            }
        }
        found.sort_by(|a, b| b.strength.total_cmp(&a.strength));
        scratch.candidates.extend_from_slice(found);
        scratch.ends.push(scratch.candidates.len());
    }

    /// The likeliest path.
    fn decode(&self, scratch: &mut PeriodicPitchScratch) {
        let PeriodicPitchScratch { candidates, ends, values, came_from, contour, .. } = scratch;
        values.clear();
        came_from.clear();
        let mut before = 0..0;
        for end in ends.iter() {
            let now = before.end..*end;
            for candidate in &candidates[now.clone()] {
                let ways = before.clone().map(|at| (at, values[at] - self.cost(candidates[at], *candidate)));
                let best = ways.reduce(|best, way| if way.1 > best.1 { way } else { best });
                let (at, value) = best.unwrap_or((0, 0.0));
                came_from.push(at);
                values.push(value + candidate.strength);
            }
            before = now;
        }
        let best = before.reduce(|best, at| if values[at] > values[best] { at } else { best });
        contour.hz.clear();
        contour.hz.resize(ends.len(), None);
        let mut at = best.unwrap_or(0);
        for hz in contour.hz.iter_mut().rev() {
            *hz = candidates[at].hz;
            at = came_from[at];
        }
    }

    fn cost(&self, from: Candidate, to: Candidate) -> f64 {
        let cost = match (from.hz, to.hz) {
            (None, None) => 0.0,
            (Some(from), Some(to)) => OCTAVE_JUMP_COST * libm::log2(from / to).abs(),
            _ => self.settings.voicing_cost,
        };
        cost * COST_SECONDS / self.settings.step_seconds
    }
}

impl PitchContour {
    /// The pitch at a time, on the line between two voiced frames; `None` where the nearer frame is unvoiced.
    #[must_use]
    pub fn at(&self, seconds: f64) -> Option<f64> {
        let place = self.times.place(seconds);
        let near = place.round();
        let voiced =
            |place: f64| -> Option<f64> { if place >= 0.0 { *self.hz.get(place as usize)? } else { None } };
        let here = voiced(near)?;
        let far = if place < near { near - 1.0 } else { near + 1.0 };
        Some(voiced(far).map_or(here, |far| here + (place - near).abs() * (far - here)))
    }

    /// Begin and end of every stretch of voiced frames, half a step about its frames.
    pub fn voiced_stretches(&self) -> impl Iterator<Item = (f64, f64)> + '_ {
        let mut frame = 0;
        std::iter::from_fn(move || {
            let first = frame + self.hz.get(frame..)?.iter().position(Option::is_some)?;
            let len = self.hz[first..].iter().take_while(|hz| hz.is_some()).count();
            frame = first + len;
            let half = 0.5 * self.times.step;
            Some((self.times.seconds(first) - half, self.times.seconds(frame - 1) + half))
        })
    }
}

#[cfg(test)]
mod tests {
    use std::f64::consts::PI;

    use super::*;

    const SETTINGS: PeriodicPitchSettings = PeriodicPitchSettings {
        min_hz: 75.0,
        max_hz: 600.0,
        step_seconds: 0.01,
        voicing: 0.45,
        voicing_cost: 0.14,
    };

    #[test]
    fn a_tone_between_silences_is_one_stretch() {
        let partial = |i: usize, n: f64| (2.0 * PI * n * 180.0 * i as f64 / 16_000.0).sin() / n;
        let tone = |i: usize| 0.2 * (1..6).map(|n| partial(i, f64::from(n))).sum::<f64>();
        let samples: Vec<f32> =
            (0..16_000).map(|i| if (4000..12_000).contains(&i) { tone(i) as f32 } else { 0.0 }).collect();
        let plan = PeriodicPitch::new(SETTINGS, 16_000).unwrap();
        let mut scratch = PeriodicPitchScratch::default();
        let contour = plan.contour(&samples, &mut scratch).unwrap();
        let stretches: Vec<_> = contour.voiced_stretches().collect();
        assert_eq!(stretches.len(), 1);
        assert!((stretches[0].0 - 0.25).abs() < 0.03 && (stretches[0].1 - 0.75).abs() < 0.03);
        assert!((contour.at(0.5).unwrap() - 180.0).abs() < 0.05);
        assert_eq!((contour.at(0.1), contour.at(-1.0), contour.at(9.0)), (None, None, None));
    }

    #[test]
    fn silence_and_scraps_have_no_contour() {
        let plan = PeriodicPitch::new(SETTINGS, 16_000).unwrap();
        let mut scratch = PeriodicPitchScratch::default();
        for clip in [&[0.0_f32; 4000] as &[f32], &[], &[0.5; 100]] {
            assert!(plan.contour(clip, &mut scratch).is_none());
        }
        assert!(PeriodicPitch::new(SETTINGS, 100).is_none());
    }
}
