//! Pitch over a whole clip by probabilistic YIN.
//!
//! Mauch and Dixon, "pYIN: a fundamental frequency estimator using probabilistic threshold distributions", ICASSP
//! (2014), as `librosa.pyin` 0.11 computes it with its default parameters. Every trough of a frame's normalised
//! difference ([`super::yin`]) is a candidate, as likely as the thresholds (Beta(2, 18) over 100 steps) that would
//! choose it; the likeliest path through pitches a tenth of a semitone apart, voiced and unvoiced, is that of
//! [`super::pitch_path`].

use super::error::AudioError;
use super::pitch::PitchSettings;
use super::pitch_path::{BINS_PER_SEMITONE, PathScratch, PitchPath};
use super::yin::{Yin, YinScratch, parabola_shift};

const THRESHOLDS: usize = 100;
/// Parameter of the Boltzmann prior over troughs, the shortest period first.
const BOLTZMANN: f64 = 2.0;
/// Weight of the deepest trough under thresholds that no trough reaches.
const NO_TROUGH: f64 = 0.01;

const BINS_PER_OCTAVE: f64 = (12 * BINS_PER_SEMITONE) as f64;

/// The plan of pYIN at one sample rate.
#[derive(Clone)]
pub struct Pyin {
    yin: Yin,
    min_hz: f64,
    sample_rate: f64,
    /// Probability that the threshold lies between step t and t + 1.
    thresholds: Vec<f64>,
    /// Boltzmann's e^(-λk), of the k-th trough.
    decay: Vec<f64>,
    path: PitchPath,
}

/// What [`Pyin::observe`] writes: what is known of the frames so far.
pub struct PyinScratch {
    yin: YinScratch,
    troughs: Vec<Trough>,
    path: PathScratch,
}

impl PyinScratch {
    /// Begins a new clip.
    pub fn restart(&mut self) {
        self.path.restart();
    }
}

struct Trough {
    lag: usize,
    height: f64,
    /// Steps of the threshold that do not reach it.
    above: usize,
    probability: f64,
}

impl Pyin {
    /// Frames as [`Yin`] has them; fails as it does.
    pub fn new(settings: &PitchSettings, hop_len: usize, sample_rate: u32) -> Result<Self, AudioError> {
        let yin = Yin::new(settings, hop_len, sample_rate)?;
        let rate = f64::from(sample_rate);
        let octaves = libm::log2(settings.max_hz / settings.min_hz);
        Ok(Self {
            min_hz: settings.min_hz,
            sample_rate: rate,
            thresholds: (0..THRESHOLDS).map(|t| beta_2_18(t + 1) - beta_2_18(t)).collect(),
            decay: (0..=yin.lags()).map(|k| libm::exp(-BOLTZMANN * k as f64)).collect(),
            path: PitchPath::new((BINS_PER_OCTAVE * octaves).floor() as usize + 1, hop_len as f64 / rate),
            yin,
        })
    }

    /// Room for one thread to work in.
    #[must_use]
    pub fn scratch(&self) -> PyinScratch {
        PyinScratch { yin: self.yin.scratch(), troughs: Vec::new(), path: PathScratch::default() }
    }

    /// Hands the pitch in Hz of each frame that was observed to `each`, in order; `None` in an unvoiced frame. Pitches
    /// are those of the model's grid, a tenth of a semitone apart.
    pub fn conclude(&self, scratch: &mut PyinScratch, mut each: impl FnMut(Option<f64>)) {
        self.path.track(&mut scratch.path, |bin| {
            each(bin.map(|bin| self.min_hz * libm::exp2(bin as f64 / BINS_PER_OCTAVE)));
        });
    }

    /// Finds the candidates of the next frame of the clip, which has number `frame` in `samples`.
    pub fn observe(&self, samples: &[f32], frame: usize, scratch: &mut PyinScratch) {
        let PyinScratch { yin, troughs, path } = scratch;
        if let Some(difference) = self.yin.difference(samples, frame, yin) {
            find_troughs(difference, troughs);
            self.weigh(troughs);
            for trough in troughs.iter().filter(|trough| trough.probability != 0.0) {
                let period =
                    (self.yin.min_period() + trough.lag) as f64 + parabola_shift(difference, trough.lag);
                let octaves = libm::log2(self.sample_rate / period / self.min_hz);
                let bin = (BINS_PER_OCTAVE * octaves).round_ties_even();
                let bin = bin.clamp(0.0, self.path.bins() as f64) as u32;
                path.push(bin, trough.probability, self.path.bins());
            }
        }
        self.path.end_frame(path);
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
        let mut scratch = pyin.scratch();
        (0..=samples.len() / 160).for_each(|frame| pyin.observe(samples, frame, &mut scratch));
        pyin.conclude(&mut scratch, |pitch| found.push(pitch));
        found
    }

    #[test]
    fn a_tone_between_silences_is_the_only_voiced_part() {
        let silence = || std::iter::repeat_n(0.0, 8000);
        let samples: Vec<f32> = silence().chain(tone(200.0, 8000)).chain(silence()).collect();
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
    fn thresholds_add_up_to_one() {
        let pyin = plan();
        assert!((pyin.thresholds.iter().sum::<f64>() - 1.0).abs() < 1e-12);
        assert_eq!(pyin.path.bins(), 354);
    }

    #[test]
    fn a_path_over_several_blocks_is_continuous() {
        let samples: Vec<f32> = tone(150.0, 160 * 2500).collect();
        let found = track(&samples);
        assert_eq!(found.len(), 2501);
        assert!(found[5..2490].iter().all(|hz| (hz.unwrap() / 150.0 - 1.0).abs() < 0.004));
    }
}
