//! How well a recording goes with the letters of its text, by models of letters that are learnt from the corpus itself.
//!
//! Every letter is one state of a hidden Markov model with a normal distribution of diagonal covariance, the states of a text
//! stand in the order of its letters, and each frame of the recording belongs to one (graphemes as units: Kanthak and Ney
//! 2002). Learning begins with letters of equal length and goes on with the best path (segmental k-means, Rabiner, Wilpon
//! and Juang 1986). English spelling is a poor guide to its sounds, but in a text of the wrong recording it is none.

use rayon::prelude::*;

/// The symbol of what stands between words, which may be silent.
pub const SPACE: u16 = 0;
/// Turns of learning.
const TURNS: usize = 5;
/// What it costs to pass over a letter, for a silent one; a space costs nothing.
const SILENT_LETTER: f64 = 3.0;
/// How long a space, and the silence at both ends, is at first, in letters.
const SPACE_LENGTH: f64 = 0.3;
const SILENCE_LENGTH: f64 = 3.0;
/// Frames of the whole corpus that each symbol is thought to have seen beside its own.
const PRIOR_FRAMES: f64 = 10.0;
const LEAST_VARIANCE: f64 = 0.05;
/// A recording with more cells of frames by letters, some two minutes, is not judged.
const MOST_CELLS: usize = 20_000_000;

/// What is heard in a recording: coefficients and their deltas, frame after frame, each with mean 0 and standard deviation 1 over
/// the recording.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Heard {
    values: Vec<f32>,
    width: usize,
}

impl Heard {
    /// From `coefficients` of `width` numbers a frame, of which every `stride`-th is taken.
    #[must_use]
    pub fn new(coefficients: &[f32], width: usize, stride: usize) -> Self {
        if width == 0 {
            return Self::default();
        }
        let frames: Vec<&[f32]> = coefficients.chunks_exact(width).step_by(stride.max(1)).collect();
        let mut values = vec![0.0; frames.len() * 2 * width];
        for (t, row) in values.chunks_exact_mut(2 * width).enumerate() {
            let (before, after) = (frames[t.saturating_sub(1)], frames[(t + 1).min(frames.len() - 1)]);
            let (own, deltas) = row.split_at_mut(width);
            own.copy_from_slice(frames[t]);
            deltas.iter_mut().zip(after.iter().zip(before)).for_each(|(delta, (a, b))| *delta = a - b);
        }
        let mut heard = Self { values, width: 2 * width };
        for i in 0..heard.width {
            heard.scale(i);
        }
        heard
    }

    fn scale(&mut self, i: usize) {
        let column: Vec<f64> =
            self.values.iter().skip(i).step_by(self.width).map(|&v| f64::from(v)).collect();
        let mean = crate::math::statistics::mean(&column).unwrap_or(0.0);
        let sd = crate::math::statistics::population_sd(&column).unwrap_or(0.0);
        for value in self.values.iter_mut().skip(i).step_by(self.width) {
            *value = if sd > 0.0 { ((f64::from(*value) - mean) / sd) as f32 } else { 0.0 };
        }
    }

    /// Number of frames.
    #[must_use]
    pub fn frames(&self) -> usize {
        self.values.len().checked_div(self.width).unwrap_or(0)
    }

    fn frame(&self, t: usize) -> &[f32] {
        &self.values[t * self.width..(t + 1) * self.width]
    }
}

/// The distributions of all symbols.
#[derive(Debug, Clone, PartialEq)]
pub struct LetterModels {
    means: Vec<Vec<f64>>,
    /// Half of the inverse variances.
    precisions: Vec<Vec<f64>>,
    /// `-ln(variance) / 2`, summed.
    constants: Vec<f64>,
}

/// Sums over the frames of each symbol.
struct Sums {
    frames: Vec<f64>,
    values: Vec<Vec<f64>>,
    squares: Vec<Vec<f64>>,
}

impl Sums {
    fn new(symbols: usize, width: usize) -> Self {
        let zeros = || vec![vec![0.0; width]; symbols];
        Self { frames: vec![0.0; symbols], values: zeros(), squares: zeros() }
    }

    /// Adds the frames of a recording, each under the symbol of its state.
    fn of(symbols: usize, heard: &Heard, text: &[u16], states: &[u32]) -> Self {
        let mut sums = Self::new(symbols, heard.width);
        for (t, &state) in states.iter().enumerate() {
            let symbol = text[state as usize] as usize;
            sums.frames[symbol] += 1.0;
            for (i, &value) in heard.frame(t).iter().enumerate() {
                sums.values[symbol][i] += f64::from(value);
                sums.squares[symbol][i] += f64::from(value) * f64::from(value);
            }
        }
        sums
    }

    fn merge(&mut self, next: &Self) {
        let add = |a: &mut Vec<f64>, b: &Vec<f64>| a.iter_mut().zip(b).for_each(|(a, b)| *a += b);
        add(&mut self.frames, &next.frames);
        self.values.iter_mut().zip(&next.values).for_each(|(a, b)| add(a, b));
        self.squares.iter_mut().zip(&next.squares).for_each(|(a, b)| add(a, b));
    }

    fn models(&self) -> LetterModels {
        let width = self.values.first().map_or(0, Vec::len);
        let total: f64 = self.frames.iter().sum::<f64>().max(1.0);
        let of_all = |sums: &[Vec<f64>], i: usize| sums.iter().map(|row| row[i]).sum::<f64>() / total;
        let mut models = LetterModels { means: Vec::new(), precisions: Vec::new(), constants: Vec::new() };
        for symbol in 0..self.frames.len() {
            let count = self.frames[symbol] + PRIOR_FRAMES;
            let (mut means, mut precisions, mut constant) = (Vec::new(), Vec::new(), 0.0);
            for i in 0..width {
                let mean = (self.values[symbol][i] + PRIOR_FRAMES * of_all(&self.values, i)) / count;
                let square = (self.squares[symbol][i] + PRIOR_FRAMES * of_all(&self.squares, i)) / count;
                let variance = (square - mean * mean).max(LEAST_VARIANCE);
                means.push(mean);
                precisions.push(0.5 / variance);
                constant -= 0.5 * libm::log(variance);
            }
            models.means.push(means);
            models.precisions.push(precisions);
            models.constants.push(constant);
        }
        models
    }
}

impl LetterModels {
    /// Learns the models of `symbols` symbols from texts with their recordings. A text is a list of symbols below `symbols`
    /// that begins and ends with [`SPACE`].
    ///
    /// # Panics
    /// Where a symbol is not below `symbols`.
    #[must_use]
    pub fn learn(pairs: &[(&[u16], &Heard)], symbols: usize) -> Self {
        let width = pairs.iter().map(|(_, heard)| heard.width).max().unwrap_or(0);
        let sums = |states: &(dyn Fn(&[u16], &Heard) -> Vec<u32> + Sync)| {
            let parts: Vec<Sums> = pairs
                .par_iter()
                .filter(|(_, heard)| heard.width == width)
                .map(|(text, heard)| Sums::of(symbols, heard, text, &states(text, heard)))
                .collect();
            let mut all = Sums::new(symbols, width);
            parts.iter().for_each(|part| all.merge(part));
            all
        };
        let mut models = sums(&|text, heard| equal_lengths(text, heard.frames())).models();
        for _ in 0..TURNS {
            let next = sums(&|text, heard| {
                let path = models.path(text, heard).map(|(_, states, _)| states);
                path.unwrap_or_default()
            });
            models = next.models();
        }
        models
    }

    /// How much less likely a frame is under the best path through the text than under the symbol that suits it best, in nats: not
    /// above 0. `None` where the recording has too few frames for its letters, or too many of both.
    #[must_use]
    pub fn fit(&self, text: &[u16], heard: &Heard) -> Option<f64> {
        let (likelihood, states, free) = self.path(text, heard)?;
        Some((likelihood - free) / states.len() as f64)
    }

    /// The best path: its log-likelihood, the state of each frame, and the log-likelihood without a text.
    fn path(&self, text: &[u16], heard: &Heard) -> Option<(f64, Vec<u32>, f64)> {
        let (frames, states) = (heard.frames(), text.len());
        if frames == 0 || states < 2 || frames.saturating_mul(states) > MOST_CELLS {
            return None;
        }
        let mut before = vec![f64::NEG_INFINITY; states];
        let mut after = before.clone();
        let mut steps = vec![0_u8; frames * states];
        let mut free = 0.0;
        for t in 0..frames {
            let likely = self.likelihoods(heard.frame(t));
            free += likely.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            let of = |state: usize| likely[text[state] as usize];
            if t == 0 {
                (before[0], before[1]) = (of(0), of(1));
                continue;
            }
            for (state, place) in after.iter_mut().enumerate() {
                let mut best = (before[state], 0);
                if state >= 1 && before[state - 1] > best.0 {
                    best = (before[state - 1], 1);
                }
                if state >= 2 {
                    let cost = if text[state - 1] == SPACE { 0.0 } else { SILENT_LETTER };
                    if before[state - 2] - cost > best.0 {
                        best = (before[state - 2] - cost, 2);
                    }
                }
                *place = best.0 + of(state);
                steps[t * states + state] = best.1;
            }
            std::mem::swap(&mut before, &mut after);
        }
        let mut state = if before[states - 1] >= before[states - 2] { states - 1 } else { states - 2 };
        let likelihood = before[state];
        if !likelihood.is_finite() {
            return None;
        }
        let mut path = vec![0; frames];
        for t in (0..frames).rev() {
            path[t] = state as u32;
            state -= steps[t * states + state] as usize;
        }
        Some((likelihood, path, free))
    }

    fn likelihoods(&self, frame: &[f32]) -> Vec<f64> {
        let of = |symbol: usize| {
            let (means, precisions) = (&self.means[symbol], &self.precisions[symbol]);
            let off = |((value, mean), precision): ((&f32, &f64), &f64)| {
                (f64::from(*value) - mean) * (f64::from(*value) - mean) * precision
            };
            self.constants[symbol] - frame.iter().zip(means).zip(precisions).map(off).sum::<f64>()
        };
        (0..self.means.len()).map(of).collect()
    }
}

/// The state of each frame where all letters last equally long.
fn equal_lengths(text: &[u16], frames: usize) -> Vec<u32> {
    let length = |(i, symbol): (usize, &u16)| match (i, *symbol) {
        (0, _) => SILENCE_LENGTH,
        (i, _) if i + 1 == text.len() => SILENCE_LENGTH,
        (_, SPACE) => SPACE_LENGTH,
        _ => 1.0,
    };
    let total: f64 = text.iter().enumerate().map(length).sum();
    let mut ends = Vec::with_capacity(text.len());
    let mut at = 0.0;
    for item in text.iter().enumerate() {
        at += length(item) / total * frames as f64;
        ends.push(at);
    }
    let state =
        |t: usize| ends.partition_point(|end| *end <= t as f64 + 0.5).min(text.len().saturating_sub(1));
    if text.is_empty() { Vec::new() } else { (0..frames).map(|t| state(t) as u32).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::random::Stream;

    /// Letters 1 to 6, each with coefficients of its own and some noise, for 3 to 6 frames.
    fn spoken(text: &[u16], stream: &mut Stream) -> Heard {
        let mut coefficients = Vec::new();
        for &symbol in text {
            for _ in 0..3 + stream.below(4) {
                for i in 0..4 {
                    let own = f32::from((symbol * 7 + i * 5) % 11) / 3.0;
                    coefficients.push(own + 1.5 * (stream.unit_f32() - 0.5));
                }
            }
        }
        Heard::new(&coefficients, 4, 1)
    }

    fn corpus() -> (Vec<Vec<u16>>, Vec<Heard>) {
        let mut stream = Stream::new(31, "spelling", 0);
        let texts: Vec<Vec<u16>> = (0..80)
            .map(|_| {
                let mut text = vec![SPACE];
                for word in 0..5 {
                    text.extend((0..2 + (word % 3)).map(|_| 1 + stream.below(6) as u16));
                    text.push(SPACE);
                }
                text
            })
            .collect();
        let heard = texts.iter().map(|text| spoken(text, &mut stream)).collect();
        (texts, heard)
    }

    #[test]
    fn texts_of_other_recordings_fit_worst() {
        let (mut texts, heard) = corpus();
        texts.swap(3, 40);
        texts.swap(11, 62);
        let pairs: Vec<(&[u16], &Heard)> = texts.iter().map(Vec::as_slice).zip(&heard).collect();
        let models = LetterModels::learn(&pairs, 7);
        let mut fits: Vec<(f64, usize)> = pairs
            .iter()
            .enumerate()
            .map(|(i, (text, heard))| (models.fit(text, heard).unwrap(), i))
            .collect();
        fits.sort_by(|a, b| a.0.total_cmp(&b.0));
        let mut worst: Vec<usize> = fits[..4].iter().map(|fit| fit.1).collect();
        worst.sort_unstable();
        assert_eq!(worst, [3, 11, 40, 62]);
        assert!(fits.iter().all(|fit| fit.0 <= 0.0));
    }

    #[test]
    fn what_cannot_be_judged_is_not() {
        let (texts, heard) = corpus();
        let pairs: Vec<(&[u16], &Heard)> = texts.iter().map(Vec::as_slice).zip(&heard).collect();
        let models = LetterModels::learn(&pairs, 7);
        assert_eq!(models.fit(&[SPACE], &heard[0]), None);
        assert_eq!(models.fit(&texts[0], &Heard::new(&[], 4, 1)), None);
        assert_eq!(models.fit(&texts[0], &Heard::new(&[0.0; 8], 4, 1)), None);
        assert!(models.fit(&vec![1; 100_000], &heard[0]).is_none());
        assert_eq!(Heard::new(&[1.0, 2.0], 0, 1).frames(), 0);
        let none = LetterModels::learn(&[], 3);
        assert_eq!(none.means.len(), 3);
    }

    #[test]
    fn states_of_equal_length_go_through_the_text() {
        let states = equal_lengths(&[SPACE, 1, 2, SPACE], 80);
        assert_eq!((states[0], states[79]), (0, 3));
        assert!(states.is_sorted() && states.contains(&1) && states.contains(&2));
        assert!(equal_lengths(&[], 5).is_empty());
    }
}
