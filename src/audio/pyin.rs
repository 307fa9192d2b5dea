//! Pitch over a whole clip by probabilistic YIN.
//!
//! Mauch and Dixon, "pYIN: a fundamental frequency estimator using probabilistic threshold distributions", ICASSP
//! (2014), as `librosa.pyin` 0.11 computes it with its default parameters. Every trough of a frame's normalised
//! difference ([`super::pitch`]) is a candidate, as likely as the thresholds (Beta(2, 18) over 100 steps) that would
//! choose it; a hidden Markov model over pitches a tenth of a semitone apart, voiced and unvoiced, finds the likeliest
//! path (Viterbi).
//!
//! Only what a path can come from is looked at: pitches within the reach of a transition, and the likeliest of all,
//! from which a jump has librosa's least probability. Values are kept for blocks of frames and computed again
//! where the path goes back through a block, so that memory is that of a block.

use super::error::AudioError;
use super::pitch::{PitchSettings, Yin, YinScratch, parabola_shift};

const THRESHOLDS: usize = 100;
/// Parameter of the Boltzmann prior over troughs, the shortest period first.
const BOLTZMANN: f64 = 2.0;
/// Weight of the deepest trough under thresholds that no trough reaches.
const NO_TROUGH: f64 = 0.01;
const BINS_PER_SEMITONE: usize = 10;
/// Octaves a second, at most.
const MAX_TRANSITION_RATE: f64 = 35.92;
const SWITCH: f64 = 0.01;
/// Frames whose values are kept at once.
const BLOCK: usize = 1024;

/// The plan of pYIN at one sample rate.
#[derive(Clone)]
pub struct Pyin {
    yin: Yin,
    min_hz: f64,
    sample_rate: f64,
    bins: usize,
    /// Probability that the threshold lies between step t and t + 1.
    thresholds: Vec<f64>,
    /// Boltzmann's e^(-λk), of the k-th trough.
    decay: Vec<f64>,
    /// Logarithm of the triangle of transitions, from the centre outwards.
    triangle: Vec<f64>,
    /// Logarithm of what the triangle about each pitch adds up to.
    row_sums: Vec<f64>,
}

/// What [`Pyin::track`] writes while it works.
pub struct PyinScratch {
    yin: YinScratch,
    troughs: Vec<Trough>,
    /// Candidates of all frames, and where those of each frame end.
    candidates: Vec<(u32, f64)>,
    frames: Vec<FrameEvidence>,
    /// Values at the first frame of each block, and of every frame of one block.
    starts: Vec<f64>,
    block: Vec<f64>,
    reach: Reach,
    path: Vec<u32>,
}

struct Trough {
    lag: usize,
    height: f64,
    /// Steps of the threshold that do not reach it.
    above: usize,
    probability: f64,
}

#[derive(Clone, Copy)]
struct FrameEvidence {
    end: usize,
    /// Logarithm of the probability of each unvoiced state.
    unvoiced: f64,
}

/// The best that leads to each pitch, from the voiced states and from the unvoiced.
#[derive(Default)]
struct Reach {
    from: Vec<f64>,
    voiced: Vec<f64>,
    unvoiced: Vec<f64>,
}

impl Pyin {
    /// Frames as [`Yin`] has them; fails as it does.
    pub fn new(settings: &PitchSettings, hop_len: usize, sample_rate: u32) -> Result<Self, AudioError> {
        let yin = Yin::new(settings, hop_len, sample_rate)?;
        let rate = f64::from(sample_rate);
        let octaves = libm::log2(settings.max_hz / settings.min_hz);
        let bins = ((12 * BINS_PER_SEMITONE) as f64 * octaves).floor() as usize + 1;
        let semitones = (MAX_TRANSITION_RATE * 12.0 * hop_len as f64 / rate).round_ties_even() as usize;
        let half = (semitones.saturating_mul(BINS_PER_SEMITONE) / 2).min(bins - 1);
        // The window's own half, which does not shrink with the number of pitches.
        let peak = (semitones.saturating_mul(BINS_PER_SEMITONE) / 2 + 1) as f64;
        let weight = |distance: usize| (peak - distance as f64) / peak;
        let row_sum = |bin: usize| -> f64 {
            (bin.saturating_sub(half)..=(bin + half).min(bins - 1)).map(|to| weight(to.abs_diff(bin))).sum()
        };
        Ok(Self {
            min_hz: settings.min_hz,
            sample_rate: rate,
            bins,
            thresholds: (0..THRESHOLDS).map(|t| beta_2_18(t + 1) - beta_2_18(t)).collect(),
            decay: (0..=yin.lags()).map(|k| libm::exp(-BOLTZMANN * k as f64)).collect(),
            triangle: (0..=half).map(|distance| libm::log(weight(distance))).collect(),
            row_sums: (0..bins).map(|bin| libm::log(row_sum(bin))).collect(),
            yin,
        })
    }

    /// Room for one thread to work in.
    #[must_use]
    pub fn scratch(&self) -> PyinScratch {
        PyinScratch {
            yin: self.yin.scratch(),
            troughs: Vec::new(),
            candidates: Vec::new(),
            frames: Vec::new(),
            starts: Vec::new(),
            block: Vec::new(),
            reach: Reach::default(),
            path: Vec::new(),
        }
    }

    /// Hands the pitch of each of a clip's `frames` in Hz to `each`, in order; `None` in an unvoiced frame. Pitches
    /// are those of the model's grid, a tenth of a semitone apart.
    pub fn track(
        &self,
        samples: &[f32],
        frames: usize,
        scratch: &mut PyinScratch,
        mut each: impl FnMut(Option<f64>),
    ) {
        scratch.candidates.clear();
        scratch.frames.clear();
        for frame in 0..frames {
            self.observe(samples, frame, scratch);
        }
        self.decode(scratch);
        for state in scratch.path.iter().rev() {
            let octaves = f64::from(*state) / (12 * BINS_PER_SEMITONE) as f64;
            each(((*state as usize) < self.bins).then(|| self.min_hz * libm::exp2(octaves)));
        }
    }

    /// The candidates of a frame and what is left for its unvoiced states.
    fn observe(&self, samples: &[f32], frame: usize, scratch: &mut PyinScratch) {
        let PyinScratch { yin, troughs, candidates, frames, .. } = scratch;
        let begin = candidates.len();
        if let Some(difference) = self.yin.difference(samples, frame, yin) {
            find_troughs(difference, troughs);
            self.weigh(troughs);
            for trough in troughs.iter().filter(|trough| trough.probability != 0.0) {
                let period =
                    (self.yin.min_period() + trough.lag) as f64 + parabola_shift(difference, trough.lag);
                let octaves = libm::log2(self.sample_rate / period / self.min_hz);
                let bin = ((12 * BINS_PER_SEMITONE) as f64 * octaves).round_ties_even();
                let bin = bin.clamp(0.0, self.bins as f64) as u32;
                // Of several in one bin the longest period stays, which comes last.
                if candidates.len() > begin && candidates.last().is_some_and(|(other, _)| *other == bin) {
                    candidates.pop();
                }
                if (bin as usize) < self.bins {
                    candidates.push((bin, trough.probability));
                }
            }
        }
        let voiced: f64 = candidates[begin..].iter().map(|(_, probability)| probability).sum();
        for (_, probability) in &mut candidates[begin..] {
            *probability = log(*probability);
        }
        let unvoiced = log((1.0 - voiced.clamp(0.0, 1.0)) / self.bins as f64);
        frames.push(FrameEvidence { end: candidates.len(), unvoiced });
    }

    /// How likely each trough is: the share of the thresholds that choose it, by the prior over those they reach.
    fn weigh(&self, troughs: &mut [Trough]) {
        for trough in troughs.iter_mut() {
            trough.above = (1..=THRESHOLDS).filter(|t| trough.height >= threshold(*t)).count();
            trough.probability = 0.0;
        }
        let mut weight = 0.0;
        for (step, share) in self.thresholds.iter().enumerate() {
            weight += share;
            // As long as no further trough is reached, the steps count together.
            let last = step + 1 == THRESHOLDS;
            if !last && troughs.iter().all(|trough| trough.above != step + 1) {
                continue;
            }
            let reached = troughs.iter().filter(|trough| trough.above <= step).count();
            let whole = (1.0 - self.decay[1]) / (1.0 - self.decay.get(reached).copied().unwrap_or(0.0));
            let reached_ones = troughs.iter_mut().filter(|trough| trough.above <= step);
            for (trough, decay) in reached_ones.zip(&self.decay) {
                trough.probability += weight * whole * decay;
            }
            weight = 0.0;
        }
        let mut deepest: Option<&mut Trough> = None;
        for trough in troughs {
            if deepest.as_ref().is_none_or(|deepest| trough.height < deepest.height) {
                deepest = Some(trough);
            }
        }
        if let Some(trough) = deepest {
            trough.probability += NO_TROUGH * self.thresholds[..trough.above].iter().sum::<f64>();
        }
    }

    /// The likeliest path, the last frame first.
    fn decode(&self, scratch: &mut PyinScratch) {
        let states = 2 * self.bins;
        let frames = scratch.frames.len();
        scratch.path.clear();
        scratch.starts.clear();
        scratch.block.resize(BLOCK.min(frames) * states, 0.0);
        for start in (0..frames).step_by(BLOCK) {
            if start == 0 {
                self.begin(scratch);
            } else {
                self.step_into_block(start, scratch);
            }
            scratch.starts.extend_from_slice(&scratch.block[..states]);
            self.fill(start, (start + BLOCK).min(frames), scratch);
        }
        for start in (0..frames).step_by(BLOCK).rev() {
            let end = (start + BLOCK).min(frames);
            if end < frames {
                let first = start / BLOCK * states;
                scratch.block[..states].copy_from_slice(&scratch.starts[first..first + states]);
                self.fill(start, end, scratch);
            }
            self.trace(start, end, scratch);
        }
    }

    /// The values of the first frame: every state is as likely as any other.
    fn begin(&self, scratch: &mut PyinScratch) {
        let values = &mut scratch.block[..2 * self.bins];
        values.fill(log(1.0 / values.len() as f64));
        add_evidence(values, &scratch.candidates, &scratch.frames, 0);
    }

    /// The values of the first frame of a block from those of the last frame of the block before.
    fn step_into_block(&self, start: usize, scratch: &mut PyinScratch) {
        let states = 2 * self.bins;
        let (first, rest) = scratch.block.split_at_mut(states);
        if let Some(last) = rest.chunks_exact(states).next_back() {
            self.step(last, first, &mut scratch.reach);
        }
        add_evidence(first, &scratch.candidates, &scratch.frames, start);
    }

    /// The values of the frames after the first of a block.
    fn fill(&self, start: usize, end: usize, scratch: &mut PyinScratch) {
        let states = 2 * self.bins;
        for frame in start + 1..end {
            let (before, now) = scratch.block.split_at_mut((frame - start) * states);
            let (before, now) = (&before[before.len() - states..], &mut now[..states]);
            self.step(before, now, &mut scratch.reach);
            add_evidence(now, &scratch.candidates, &scratch.frames, frame);
        }
    }

    /// The best way into every state, without the evidence of the frame.
    fn step(&self, before: &[f64], now: &mut [f64], reach: &mut Reach) {
        let (voiced, unvoiced) = before.split_at(self.bins);
        let least = log(0.0) + before.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        self.reach(voiced, &mut reach.from, &mut reach.voiced);
        self.reach(unvoiced, &mut reach.from, &mut reach.unvoiced);
        let (stay, switch) = (libm::log(1.0 - SWITCH), libm::log(SWITCH));
        let (now_voiced, now_unvoiced) = now.split_at_mut(self.bins);
        for (((voiced, unvoiced), v), u) in
            now_voiced.iter_mut().zip(now_unvoiced).zip(&reach.voiced).zip(&reach.unvoiced)
        {
            *voiced = greater(greater(v + stay, u + switch), least);
            *unvoiced = greater(greater(v + switch, u + stay), least);
        }
    }

    /// `max over k of values[k] + log P(k -> j)` for every pitch j within one voicing.
    fn reach(&self, values: &[f64], from: &mut Vec<f64>, best: &mut Vec<f64>) {
        from.clear();
        from.extend(values.iter().zip(&self.row_sums).map(|(value, sum)| value - sum));
        best.clear();
        best.extend_from_slice(from);
        for (distance, weight) in self.triangle.iter().enumerate().skip(1) {
            let up = best[distance..].iter_mut().zip(from.iter());
            up.for_each(|(best, from)| *best = greater(*best, from + weight));
            let down = best.iter_mut().zip(&from[distance..]);
            down.for_each(|(best, from)| *best = greater(*best, from + weight));
        }
    }

    /// Goes back from a block's last frame to its first.
    fn trace(&self, start: usize, end: usize, scratch: &mut PyinScratch) {
        let states = 2 * self.bins;
        for frame in (start..end).rev() {
            let values = &scratch.block[(frame - start) * states..][..states];
            let state = match scratch.path.last() {
                None => first_greatest(values.iter().copied().enumerate()),
                Some(next) => self.came_from(*next as usize, values),
            };
            scratch.path.push(state as u32);
        }
    }

    /// The state from which the best way leads into `next`; the lowest where several do.
    fn came_from(&self, next: usize, values: &[f64]) -> usize {
        let pitch = next % self.bins;
        let half = self.triangle.len() - 1;
        let near = pitch.saturating_sub(half)..=(pitch + half).min(self.bins - 1);
        let ways = [0, self.bins].into_iter().flat_map(|voicing| {
            let same = (voicing == 0) == (next < self.bins);
            let switch = libm::log(if same { 1.0 - SWITCH } else { SWITCH });
            near.clone().map(move |from| {
                let local = self.triangle[from.abs_diff(pitch)] - self.row_sums[from];
                (voicing + from, values[voicing + from] + local + switch)
            })
        });
        let near_best = first_greatest(ways.clone());
        let value = ways.fold(f64::NEG_INFINITY, |most, (_, value)| greater(most, value));
        let best = first_greatest(values.iter().copied().enumerate());
        if values[best] + log(0.0) > value { best } else { near_best }
    }
}

/// Adds the logarithm of a frame's evidence to its values.
fn add_evidence(values: &mut [f64], candidates: &[(u32, f64)], frames: &[FrameEvidence], frame: usize) {
    let (voiced, unvoiced) = values.split_at_mut(values.len() / 2);
    let begin = frame.checked_sub(1).map_or(0, |before| frames[before].end);
    let FrameEvidence { end, unvoiced: evidence } = frames[frame];
    let (none, mut above) = (log(0.0), voiced.len());
    // Candidates come by rising period, so by falling pitch.
    for (bin, evidence) in &candidates[begin..end] {
        let bin = *bin as usize;
        voiced[bin + 1..above].iter_mut().for_each(|value| *value += none);
        voiced[bin] += evidence;
        above = bin;
    }
    voiced[..above].iter_mut().for_each(|value| *value += none);
    for value in unvoiced {
        *value += evidence;
    }
}

fn find_troughs(difference: &[f64], troughs: &mut Vec<Trough>) {
    troughs.clear();
    for (lag, &height) in difference.iter().enumerate() {
        let before = lag.checked_sub(1).map(|before| difference[before]);
        let falls = before.is_none_or(|before| height < before);
        let rises = match difference.get(lag + 1) {
            Some(after) if before.is_none() => height < *after,
            Some(after) => height <= *after,
            None => true,
        };
        if falls && rises {
            troughs.push(Trough { lag, height, above: 0, probability: 0.0 });
        }
    }
}

/// The upper end of a step of the threshold.
fn threshold(step: usize) -> f64 {
    step as f64 / THRESHOLDS as f64
}

/// The distribution function of Beta(2, 18) at a step: that of at least 2 of 19 trials.
fn beta_2_18(step: usize) -> f64 {
    let x = threshold(step);
    1.0 - libm::pow(1.0 - x, 19.0) - 19.0 * x * libm::pow(1.0 - x, 18.0)
}

/// librosa's logarithm of a probability, which is never that of 0.
fn log(probability: f64) -> f64 {
    libm::log(probability + f64::MIN_POSITIVE)
}

/// The greater of two numbers that are no NaN, in one instruction.
fn greater(a: f64, b: f64) -> f64 {
    if a > b { a } else { b }
}

/// The first state of the greatest value.
fn first_greatest(values: impl Iterator<Item = (usize, f64)>) -> usize {
    let best = values.fold((0, f64::NEG_INFINITY), |best, now| if now.1 > best.1 { now } else { best });
    best.0
}

#[cfg(test)]
mod tests {
    use std::f64::consts::PI;

    use super::*;

    fn tone(hz: f64, len: usize) -> impl Iterator<Item = f32> {
        let partial = move |i: usize, n: f64| (2.0 * PI * n * hz * i as f64 / 16_000.0).sin() / n;
        (0..len).map(move |i| (0.2 * (1..6).map(|n| partial(i, f64::from(n))).sum::<f64>()) as f32)
    }

    fn plan() -> Pyin {
        Pyin::new(&PitchSettings::default(), 160, 16_000).unwrap()
    }

    fn track(samples: &[f32]) -> Vec<Option<f64>> {
        let (pyin, mut found) = (plan(), Vec::new());
        pyin.track(samples, samples.len() / 160 + 1, &mut pyin.scratch(), |pitch| found.push(pitch));
        found
    }

    #[test]
    fn a_tone_between_silences_is_the_only_voiced_part() {
        let samples: Vec<f32> = [0.0; 8000].into_iter().chain(tone(200.0, 8000)).chain([0.0; 8000]).collect();
        let found = track(&samples);
        assert_eq!(found.len(), 151);
        assert!(found[..45].iter().chain(&found[106..]).all(Option::is_none));
        assert!(found[55..95].iter().all(|hz| (hz.unwrap() / 200.0 - 1.0).abs() < 0.004));
    }

    #[test]
    fn nothing_is_unvoiced() {
        assert!(track(&[]).iter().all(Option::is_none));
        assert!(track(&[0.0; 4000]).iter().all(Option::is_none));
    }

    #[test]
    fn transitions_and_thresholds_add_up_to_one() {
        let pyin = plan();
        assert!((pyin.thresholds.iter().sum::<f64>() - 1.0).abs() < 1e-12);
        let half = pyin.triangle.len() - 1;
        assert_eq!((half, pyin.bins), (20, 354));
        for from in [0_usize, 7, 200, 353] {
            let near = from.saturating_sub(half)..=(from + half).min(353);
            let sum: f64 =
                near.map(|to| libm::exp(pyin.triangle[to.abs_diff(from)] - pyin.row_sums[from])).sum();
            assert!((sum - 1.0).abs() < 1e-12);
        }
    }

    /// Viterbi by the definition: every state from every state.
    fn naive(pyin: &Pyin, scratch: &PyinScratch) -> Vec<u32> {
        let (bins, states) = (pyin.bins, 2 * pyin.bins);
        let transition = |from: usize, to: usize| {
            let distance = (from % bins).abs_diff(to % bins);
            let local = pyin.triangle.get(distance).map(|t| t - pyin.row_sums[from % bins]);
            let switch = if (from < bins) == (to < bins) { 1.0 - SWITCH } else { SWITCH };
            local.map_or(log(0.0), |local| local + libm::log(switch))
        };
        let mut values = vec![log(1.0 / states as f64); states];
        add_evidence(&mut values, &scratch.candidates, &scratch.frames, 0);
        let mut all = vec![values];
        for frame in 1..scratch.frames.len() {
            let before = all.last().unwrap();
            let best = |to| (0..states).map(|k| before[k] + transition(k, to)).fold(f64::MIN, f64::max);
            let mut values: Vec<f64> = (0..states).map(best).collect();
            add_evidence(&mut values, &scratch.candidates, &scratch.frames, frame);
            all.push(values);
        }
        let last = first_greatest(all.last().unwrap().iter().copied().enumerate());
        let mut path = vec![last as u32];
        for values in all.iter().rev().skip(1) {
            let to = path[path.len() - 1] as usize;
            path.push(first_greatest((0..states).map(|k| (k, values[k] + transition(k, to)))) as u32);
        }
        path
    }

    #[test]
    fn the_path_is_the_likeliest_of_all() {
        let glide: Vec<f32> = tone(120.0, 2400).chain(tone(260.0, 2400)).chain(tone(90.0, 2000)).collect();
        let settings = PitchSettings { min_hz: 80.0, max_hz: 300.0, ..PitchSettings::default() };
        let pyin = Pyin::new(&settings, 160, 16_000).unwrap();
        let mut scratch = pyin.scratch();
        pyin.track(&glide, 43, &mut scratch, |_| ());
        let pitches =
            |path: &[u32]| -> Vec<u32> { path.iter().map(|state| (*state).min(pyin.bins as u32)).collect() };
        assert_eq!(pitches(&scratch.path), pitches(&naive(&pyin, &scratch)));
    }

    #[test]
    fn a_path_over_several_blocks_is_continuous() {
        let samples: Vec<f32> = tone(150.0, 160 * 2500).collect();
        let found = track(&samples);
        assert_eq!(found.len(), 2501);
        assert!(found[5..2490].iter().all(|hz| (hz.unwrap() / 150.0 - 1.0).abs() < 0.004));
    }
}
