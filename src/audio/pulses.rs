//! Pulses: the moments at which the periods of a voice begin.
//!
//! Praat's "Sound & Pitch: To `PointProcess` (cc)" by its manual: in every voiced stretch ([`super::periodic_pitch`], 75 to
//! 600 Hz) the sample furthest from 0 within a period about the middle is the first pulse. From there to both ends, the
//! next is where a period of the sound correlates best with that about the pulse before, between 0.8 and 1.25 periods away.

use crate::simd::largest;

use super::periodic_pitch::{PeriodicPitch, PeriodicPitchScratch, PeriodicPitchSettings, PitchContour};

/// The pitch that Praat's voice report follows.
pub const VOICE_REPORT: PeriodicPitchSettings = PeriodicPitchSettings {
    min_hz: 75.0,
    max_hz: 600.0,
    step_seconds: 0.01,
    voicing: 0.45,
    voicing_cost: 0.14,
};
/// Where the next pulse is looked for, in periods.
const NEAREST: f64 = 0.8;
const FURTHEST: f64 = 1.25;
/// A pulse correlates more than this with the one before, and its loudest sample is over this share of the clip's.
const CORRELATION: f64 = 0.3;
const LOUDNESS: f64 = 0.01;
/// The same of one more pulse beyond the end of a stretch.
const EDGE_CORRELATION: f64 = 0.7;
const EDGE_LOUDNESS: f64 = 0.023_333;

/// The plan of pulses at one sample rate.
#[derive(Clone)]
pub struct Pulses {
    pitch: PeriodicPitch,
    rate: f64,
}

/// What [`Pulses::find`] writes.
#[derive(Default)]
pub struct PulseScratch {
    pitch: PeriodicPitchScratch,
    seconds: Vec<f64>,
}

/// A place that correlates best with a pulse.
struct Match {
    seconds: f64,
    correlation: f64,
    loudest: f64,
}

/// The samples of a clip with the voice in them.
struct Voice<'a> {
    samples: &'a [f32],
    rate: f64,
    loudest: f64,
    contour: &'a PitchContour,
}

impl Pulses {
    /// Those that follow such a pitch, for clips of `sample_rate`; `None` where that has no periods of the lowest.
    #[must_use]
    pub fn new(pitch: PeriodicPitchSettings, sample_rate: u32) -> Option<Self> {
        Some(Self { pitch: PeriodicPitch::new(pitch, sample_rate)?, rate: f64::from(sample_rate) })
    }

    /// The pulses of a clip in seconds, in order.
    pub fn find<'s>(&self, samples: &[f32], scratch: &'s mut PulseScratch) -> &'s [f64] {
        self.find_with_pitch(samples, scratch).0
    }

    /// The pulses, and the pitch that they follow; `None` where the clip is silent or shorter than a window.
    pub fn find_with_pitch<'s>(
        &self,
        samples: &[f32],
        scratch: &'s mut PulseScratch,
    ) -> (&'s [f64], Option<&'s PitchContour>) {
        let PulseScratch { pitch, seconds } = scratch;
        seconds.clear();
        let contour = self.pitch.contour(samples, pitch);
        if let Some(contour) = contour {
            let loudest = samples.iter().map(|x| f64::from(x.abs())).fold(0.0, f64::max);
            let voice = Voice { samples, rate: self.rate, loudest, contour };
            for stretch in contour.voiced_stretches() {
                voice.mark(stretch, seconds);
            }
            seconds.sort_unstable_by(f64::total_cmp);
        }
        (seconds, contour)
    }
}

impl Voice<'_> {
    /// Adds the pulses of a voiced stretch.
    fn mark(&self, (begin, end): (f64, f64), pulses: &mut Vec<f64>) {
        let middle = 0.5 * (begin + end);
        let Some(hz) = self.contour.at(middle) else {
            return;
        };
        // What lies before this belongs to the stretch before.
        let taken = pulses.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let first = self.extremum(middle - 0.5 / hz, middle + 0.5 / hz);
        pulses.push(first);
        let before = |pulse: f64, hz: f64| (pulse - FURTHEST / hz, pulse - NEAREST / hz, pulse - 1.0 / hz);
        self.follow(first, before, |pulse| pulse < begin, |pulse, hz| pulse - taken > NEAREST / hz, pulses);
        let after = |pulse: f64, hz: f64| (pulse + NEAREST / hz, pulse + FURTHEST / hz, pulse + 1.0 / hz);
        self.follow(first, after, |pulse| pulse > end, |_, _| true, pulses);
    }

    /// Goes from pulse to pulse until one lies outside: `next` says between which times the next is looked for, and where it
    /// is taken to be where nothing is found.
    fn follow(
        &self,
        first: f64,
        next: impl Fn(f64, f64) -> (f64, f64, f64),
        outside: impl Fn(f64) -> bool,
        free: impl Fn(f64, f64) -> bool,
        pulses: &mut Vec<f64>,
    ) {
        let mut pulse = first;
        while let Some(hz) = self.contour.at(pulse) {
            let (from, to, otherwise) = next(pulse, hz);
            // Where a period has few samples, the best place may be the pulse itself.
            let found = self
                .best_match(pulse, 1.0 / hz, from, to)
                .filter(|found| (found.seconds - pulse).abs() > 0.5 / hz);
            let Some(Match { seconds, correlation, loudest }) = found else {
                pulse = otherwise;
                if outside(pulse) {
                    break;
                }
                continue;
            };
            pulse = seconds;
            let (least, least_loud) =
                if outside(pulse) { (EDGE_CORRELATION, EDGE_LOUDNESS) } else { (CORRELATION, LOUDNESS) };
            let clear = correlation > least && loudest > least_loud * self.loudest;
            if clear && free(pulse, hz) {
                pulses.push(pulse);
            }
            if outside(pulse) {
                break;
            }
        }
    }

    /// The place, among the samples, of a time: sample i is at (i + 1/2)/rate.
    fn place(&self, seconds: f64) -> f64 {
        seconds * self.rate - 0.5
    }

    /// When the sound is furthest from 0, by a parabola.
    fn extremum(&self, from: f64, to: f64) -> f64 {
        let first = self.place(from).floor().max(0.0) as usize;
        let last = (self.place(to).ceil().max(0.0) as usize).min(self.samples.len().saturating_sub(1));
        let distance = |at: &usize| self.samples[*at].abs();
        let furthest =
            (first..=last).reduce(|most, at| if distance(&at) > distance(&most) { at } else { most });
        let Some(at) = furthest else {
            return 0.5 * (from + to);
        };
        let mut place = at as f64;
        if at > first && at < last {
            let [before, here, after] = [at - 1, at, at + 1].map(|at| f64::from(self.samples[at]));
            let curvature = 2.0 * here - before - after;
            place += if curvature == 0.0 { 0.0 } else { 0.5 * (after - before) / curvature };
        }
        (place + 0.5) / self.rate
    }

    /// Where a `period` of the sound, between the two times, is most like that about `pulse`; `None` where nothing
    /// there has a maximum.
    fn best_match(&self, pulse: f64, period: f64, from: f64, to: f64) -> Option<Match> {
        let first = self.place(pulse - 0.5 * period).round() as isize;
        let len = (self.place(pulse + 0.5 * period).round() as isize - first + 1).max(0);
        let low = self.place(from - 0.5 * period).floor() as isize;
        let high = self.place(to - 0.5 * period).ceil() as isize;
        let (mut before, mut here) = (0.0, (0.0, 0.0));
        let mut best: Option<(isize, [f64; 3], f64)> = None;
        for shift in low..=high {
            let now = self.correlation(first, shift, len);
            let highest = best.as_ref().map_or(-1.0, |(_, values, _)| values[1]);
            if here.0 > highest && here.0 >= before && here.0 >= now.0 {
                best = Some((shift - 1, [before, here.0, now.0], here.1));
            }
            (before, here) = (here.0, now);
        }
        let (shift, [before, here, after], loudest) = best?;
        let (mut place, mut correlation) = (shift as f64, here);
        let (curvature, slope) = (2.0 * here - before - after, 0.5 * (after - before));
        if curvature != 0.0 {
            correlation += 0.5 * slope * slope / curvature;
            place += slope / curvature;
        }
        Some(Match { seconds: pulse + (place - first as f64) / self.rate, correlation, loudest })
    }

    /// How much `len` samples from `a` on are like those from `b` on, and the loudest of the latter. Samples outside of the
    /// clip do not count.
    fn correlation(&self, a: isize, b: isize, len: isize) -> (f64, f64) {
        let skipped = (-a).max(-b).max(0);
        let from = |at: isize| {
            let first = usize::try_from(at + skipped).unwrap_or(usize::MAX);
            self.samples.get(first..).unwrap_or_default()
        };
        let len = (len - skipped).max(0) as usize;
        let (x, y) = (from(a), from(b));
        let len = len.min(x.len()).min(y.len());
        let (product, first, second) = sums(&x[..len], &y[..len]);
        let loudest = f64::from(largest(&y[..len], f32::abs).max(0.0));
        let scale = (first * second).sqrt();
        (if scale > 0.0 { product / scale } else { 0.0 }, loudest)
    }
}

/// Sums of products, of squares of the one and of the other, in eight sums that go side by side.
fn sums(x: &[f32], y: &[f32]) -> (f64, f64, f64) {
    let ((xs, x_rest), (ys, y_rest)) = (x.as_chunks::<8>(), y.as_chunks::<8>());
    let (mut products, mut first, mut second) = ([0.0; 8], [0.0; 8], [0.0; 8]);
    let mut add = |x: &[f32], y: &[f32]| {
        for (lane, (x, y)) in x.iter().zip(y).enumerate() {
            let (x, y) = (f64::from(*x), f64::from(*y));
            products[lane] += x * y;
            first[lane] += x * x;
            second[lane] += y * y;
        }
    };
    xs.iter().zip(ys).for_each(|(x, y)| add(x, y));
    add(x_rest, y_rest);
    (products.iter().sum(), first.iter().sum(), second.iter().sum())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_period_of_a_train_has_its_pulse() {
        // A decaying ring every 100 samples: 160 Hz.
        let ring = |i: usize| libm::exp(-0.1 * i as f64) * libm::cos(0.9 * i as f64);
        let samples: Vec<f32> = (0..8000).map(|i| (0.5 * ring(i % 100)) as f32).collect();
        let mut scratch = PulseScratch::default();
        let found = Pulses::new(VOICE_REPORT, 16_000).unwrap().find(&samples, &mut scratch);
        assert!((74..=80).contains(&found.len()), "{}", found.len());
        assert!(found.windows(2).all(|pair| ((pair[1] - pair[0]) * 160.0 - 1.0).abs() < 1e-3));
    }

    #[test]
    fn periods_of_two_samples_come_to_an_end() {
        for rate in [300, 400, 700, 1300] {
            let noise: Vec<f32> = (0..6000).map(|i| (i * 7919 % 10_009) as f32 / 5004.0 - 1.0).collect();
            let beat: Vec<f32> = (0..6000).map(|i| if i % 2 == 0 { 0.5 } else { -0.5 }).collect();
            let plan = Pulses::new(VOICE_REPORT, rate).unwrap();
            for clip in [noise, beat] {
                assert!(plan.find(&clip, &mut PulseScratch::default()).len() <= 6000);
            }
        }
    }

    #[test]
    fn silence_has_none() {
        let mut scratch = PulseScratch::default();
        let plan = Pulses::new(VOICE_REPORT, 16_000).unwrap();
        assert!(
            [&[] as &[f32], &vec![0.0; 8000], &[1.0]]
                .iter()
                .all(|clip| plan.find(clip, &mut scratch).is_empty())
        );
    }
}
