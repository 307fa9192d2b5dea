//! The likeliest path through pitches and voicing: the hidden Markov model of [`super::pyin`].
//!
//! Every pitch of the grid, a tenth of a semitone apart, is a state twice, voiced and unvoiced; the model goes to near
//! pitches more likely than to far ones and seldom changes voicing (Viterbi). Only what a path can come from is looked at:
//! pitches within the reach of a transition, and the likeliest of all, from which a jump has librosa's least probability.
//! Values are kept for blocks of frames and computed again where the path goes back through a block, so that memory is that
//! of a block.

pub(super) const BINS_PER_SEMITONE: usize = 10;
/// Octaves a second, at most.
const MAX_TRANSITION_RATE: f64 = 35.92;
const SWITCH: f64 = 0.01;
/// Frames whose values are kept at once.
const BLOCK: usize = 1024;

/// The plan of paths over a grid of pitches.
#[derive(Clone)]
pub struct PitchPath {
    bins: usize,
    /// Logarithm of the triangle of transitions, from the centre outwards.
    triangle: Vec<f64>,
    /// Logarithm of what the triangle about each pitch adds up to.
    row_sums: Vec<f64>,
}

/// What is known of the frames of a clip, and the path through them.
#[derive(Default)]
pub struct PathScratch {
    /// Candidates of all frames, as (bin, probability), which becomes its logarithm; where those of each frame end.
    candidates: Vec<(u32, f64)>,
    frames: Vec<FrameEvidence>,
    /// Values at the first frame of each block, and of every frame of one block.
    starts: Vec<f64>,
    block: Vec<f64>,
    reach: Reach,
    path: Vec<u32>,
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

impl PathScratch {
    /// Begins a new clip.
    pub fn restart(&mut self) {
        self.candidates.clear();
        self.frames.clear();
    }

    /// Adds a candidate of the frame that [`PitchPath::end_frame`] will end, its bin at most that of the one before. Of
    /// several in one bin the last stays; a bin that is not on the grid takes the place of none.
    pub(super) fn push(&mut self, bin: u32, probability: f64, bins: usize) {
        let begin = self.frames.last().map_or(0, |frame| frame.end);
        if self.candidates.len() > begin && self.candidates.last().is_some_and(|(other, _)| *other == bin) {
            self.candidates.pop();
        }
        if (bin as usize) < bins {
            self.candidates.push((bin, probability));
        }
    }
}

impl PitchPath {
    /// Plans a grid of `bins` pitches, at least 1, with a frame every `hop_seconds`.
    #[must_use]
    pub fn new(bins: usize, hop_seconds: f64) -> Self {
        let semitones = (MAX_TRANSITION_RATE * 12.0 * hop_seconds).round_ties_even() as usize;
        let half = (semitones.saturating_mul(BINS_PER_SEMITONE) / 2).min(bins - 1);
        // The window's own half, which does not shrink with the number of pitches.
        let peak = (semitones.saturating_mul(BINS_PER_SEMITONE) / 2 + 1) as f64;
        let weight = |distance: usize| (peak - distance as f64) / peak;
        let row_sum = |bin: usize| -> f64 {
            (bin.saturating_sub(half)..=(bin + half).min(bins - 1)).map(|to| weight(to.abs_diff(bin))).sum()
        };
        Self {
            bins,
            triangle: (0..=half).map(|distance| libm::log(weight(distance))).collect(),
            row_sums: (0..bins).map(|bin| libm::log(row_sum(bin))).collect(),
        }
    }

    /// Pitches of the grid.
    #[must_use]
    pub fn bins(&self) -> usize {
        self.bins
    }

    /// Ends a frame: what its candidates leave of 1 is shared by the unvoiced states.
    pub fn end_frame(&self, scratch: &mut PathScratch) {
        let PathScratch { candidates, frames, .. } = scratch;
        let candidates = &mut candidates[frames.last().map_or(0, |frame| frame.end)..];
        let voiced: f64 = candidates.iter().map(|(_, probability)| probability).sum();
        for (_, probability) in candidates.iter_mut() {
            *probability = log(*probability);
        }
        let unvoiced = log((1.0 - voiced.clamp(0.0, 1.0)) / self.bins as f64);
        frames.push(FrameEvidence { end: scratch.candidates.len(), unvoiced });
    }

    /// Hands the pitch of each frame on the likeliest path to `each`, in order, as a bin; `None` of an unvoiced frame.
    pub fn track(&self, scratch: &mut PathScratch, mut each: impl FnMut(Option<usize>)) {
        self.decode(scratch);
        for state in scratch.path.iter().rev() {
            each(Some(*state as usize).filter(|bin| *bin < self.bins));
        }
    }

    /// The likeliest path, the last frame first.
    fn decode(&self, scratch: &mut PathScratch) {
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
    fn begin(&self, scratch: &mut PathScratch) {
        let values = &mut scratch.block[..2 * self.bins];
        values.fill(log(1.0 / values.len() as f64));
        add_evidence(values, &scratch.candidates, &scratch.frames, 0);
    }

    /// The values of the first frame of a block from those of the last frame of the block before.
    fn step_into_block(&self, start: usize, scratch: &mut PathScratch) {
        let states = 2 * self.bins;
        let (first, rest) = scratch.block.split_at_mut(states);
        if let Some(last) = rest.chunks_exact(states).next_back() {
            self.step(last, first, &mut scratch.reach);
        }
        add_evidence(first, &scratch.candidates, &scratch.frames, start);
    }

    /// The values of the frames after the first of a block.
    fn fill(&self, start: usize, end: usize, scratch: &mut PathScratch) {
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
    fn trace(&self, start: usize, end: usize, scratch: &mut PathScratch) {
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
    use super::*;

    /// Viterbi by the definition: every state from every state.
    fn naive(plan: &PitchPath, scratch: &PathScratch) -> Vec<u32> {
        let (bins, states) = (plan.bins, 2 * plan.bins);
        let transition = |from: usize, to: usize| {
            let distance = (from % bins).abs_diff(to % bins);
            let local = plan.triangle.get(distance).map(|t| t - plan.row_sums[from % bins]);
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
    fn transitions_add_up_to_one() {
        let plan = PitchPath::new(354, 0.01);
        let half = plan.triangle.len() - 1;
        assert_eq!(half, 20);
        for from in [0_usize, 7, 200, 353] {
            let near = from.saturating_sub(half)..=(from + half).min(353);
            let sum: f64 =
                near.map(|to| libm::exp(plan.triangle[to.abs_diff(from)] - plan.row_sums[from])).sum();
            assert!((sum - 1.0).abs() < 1e-12);
        }
    }

    #[test]
    fn the_path_is_the_likeliest_of_all() {
        let plan = PitchPath::new(120, 0.01);
        let mut scratch = PathScratch::default();
        for frame in 0..43_usize {
            // Two candidates that wander, jump and fade.
            let (high, low) = (100 - (frame * 7) % 31, (frame * frame) % 60);
            let share = 0.1 + 0.8 * ((frame * 37 % 20) as f64 / 20.0);
            for (bin, share) in [(high, share), (low, (1.0 - share) * 0.7)] {
                scratch.push(bin as u32, if frame % 11 > 7 { share * 0.02 } else { share }, plan.bins);
            }
            plan.end_frame(&mut scratch);
        }
        let mut found = Vec::new();
        plan.track(&mut scratch, |bin| found.push(bin));
        let mut expected = naive(&plan, &scratch);
        expected.reverse();
        let expected: Vec<_> = expected.into_iter().map(|s| Some(s as usize).filter(|b| *b < 120)).collect();
        assert_eq!(found, expected);
        assert!(found.iter().any(Option::is_none) && found.iter().any(Option::is_some));
    }
}
