//! Recursive filters: cascades of second-order sections, run in double precision whatever the samples are.
//!
//! ```text
//! cookbook (one section by shape, Hz and Q) | weighting (the A curve) -> Cascade -> Recursive -> samples
//! ```

mod cookbook;
mod weighting;

pub use cookbook::{BUTTERWORTH_Q, Shape};
pub use weighting::a_weighting;

use super::border::Border;
use super::fourier::Complex;
use super::sample::Sample;
use super::way::Scratch;

/// What is left of a state when it counts as settled: 200 dB down.
const SETTLED: f64 = 1e-10;

/// The longest run-in, two to the twentieth: a filter that settles more slowly starts from its steady state.
const SETTLING_LIMIT: usize = 1 << 20;

/// Samples between two looks for a state that dies away.
const BLOCK: usize = 1024;

/// A state smaller than this is nothing: left alone it would become denormal and slow.
const VANISHED: f64 = 1e-200;

/// A second-order section `y[n] = b0 x[n] + b1 x[n-1] + b2 x[n-2] - a1 y[n-1] - a2 y[n-2]`, in direct form II
/// transposed; a row of scipy's `sos` without its leading 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Section {
    /// `b0, b1, b2`
    pub feed_forward: [f64; 3],
    /// `a1, a2`
    pub feed_back: [f64; 2],
}

/// Sections one after the other; none of them changes nothing.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Cascade {
    sections: Vec<Section>,
}

/// A cascade made ready to run over signals.
#[derive(Clone, Debug)]
pub struct Recursive {
    cascade: Cascade,
    border: Border,
    zero_phase: bool,
    settling: usize,
}

impl Section {
    /// The response at a frequency given as an angle in radians per sample: `B(z) / A(z)` at `z = exp(i angle)`.
    #[must_use]
    pub fn response(&self, angle: f64) -> Complex<f64> {
        let delay = Complex::new(libm::cos(angle), -libm::sin(angle));
        let ([b0, b1, b2], [a1, a2]) = (self.feed_forward, self.feed_back);
        ((delay * b2 + b1) * delay + b0) / ((delay * a2 + a1) * delay + 1.0)
    }

    /// The larger distance of its two poles, the roots of `z^2 + a1 z + a2`, from 0.
    fn pole_radius(&self) -> f64 {
        let [a1, a2] = self.feed_back;
        let discriminant = a1 * a1 - 4.0 * a2;
        if discriminant < 0.0 { a2.sqrt() } else { 0.5 * (a1.abs() + discriminant.sqrt()) }
    }

    /// Gain at 0 Hz.
    fn gain(&self) -> f64 {
        self.feed_forward.iter().sum::<f64>() / (1.0 + self.feed_back[0] + self.feed_back[1])
    }

    /// The state that an endless input of `level` leaves, as `scipy.signal.sosfilt_zi`.
    fn steady(&self, level: f64) -> [f64; 2] {
        let ([_, b1, b2], [a1, a2], gain) = (self.feed_forward, self.feed_back, self.gain());
        let second = b2 - a2 * gain;
        [level * (b1 - a1 * gain + second), level * second]
    }

    fn step(&self, state: &mut [f64; 2], x: f64) -> f64 {
        let ([b0, b1, b2], [a1, a2]) = (self.feed_forward, self.feed_back);
        let y = b0 * x + state[0];
        state[0] = b1 * x - a1 * y + state[1];
        state[1] = b2 * x - a2 * y;
        y
    }
}

impl Cascade {
    /// The sections in their order.
    #[must_use]
    pub const fn new(sections: Vec<Section>) -> Self {
        Self { sections }
    }

    /// The sections in their order.
    #[must_use]
    pub fn sections(&self) -> &[Section] {
        &self.sections
    }

    /// The response at a frequency given as an angle in radians per sample, `2 pi hz / sample_rate`.
    #[must_use]
    pub fn response(&self, angle: f64) -> Complex<f64> {
        self.sections.iter().fold(Complex::new(1.0, 0.0), |all, section| all * section.response(angle))
    }

    /// Samples after which a state has fallen by 200 dB.
    fn settling(&self) -> usize {
        let slowest = self.sections.iter().map(Section::pole_radius).fold(0.0, f64::max);
        let samples = libm::log(SETTLED) / libm::log(slowest);
        if samples.is_finite() && samples >= 0.0 {
            (samples.ceil() as usize).min(SETTLING_LIMIT)
        } else if slowest < 1.0 {
            0
        } else {
            SETTLING_LIMIT
        }
    }

    /// The states after an endless input of `level`.
    fn steady(&self, level: f64) -> Vec<[f64; 2]> {
        let mut level = level;
        let state = |section: &Section| {
            let state = section.steady(level);
            level *= section.gain();
            state
        };
        self.sections.iter().map(state).collect()
    }

    /// Puts samples through every section and leaves the states as they are then.
    fn run<'a>(&self, samples: impl Iterator<Item = &'a mut f64>, states: &mut [[f64; 2]]) {
        for (n, sample) in samples.enumerate() {
            let mut value = *sample;
            for (section, state) in self.sections.iter().zip(&mut *states) {
                value = section.step(state, value);
            }
            *sample = value;
            if n % BLOCK == BLOCK - 1 {
                forget(states);
            }
        }
    }
}

/// Sets what has died away to 0.
fn forget(states: &mut [[f64; 2]]) {
    for value in states.as_flattened_mut() {
        if value.abs() < VANISHED {
            *value = 0.0;
        }
    }
}

impl Recursive {
    /// The filter for signals that go on at their ends as `border` says: what comes before them is the past that the
    /// filter remembers when it begins, so with [`Border::Constant`] it starts from rest, as `scipy.signal.sosfilt`.
    ///
    /// With `zero_phase` it runs forwards, then backwards over the result: twice the dB at every frequency, no delay,
    /// as `scipy.signal.sosfiltfilt`, whose paddings `even` and `constant` are [`Border::Mirror`] and
    /// [`Border::Nearest`] here. The padding is as long as the filter takes to settle (200 dB).
    #[must_use]
    pub fn new(cascade: Cascade, border: Border, zero_phase: bool) -> Self {
        let settling = cascade.settling();
        Self { cascade, border, zero_phase, settling }
    }

    /// The sections.
    #[must_use]
    pub const fn cascade(&self) -> &Cascade {
        &self.cascade
    }

    /// Clears `output` and fills it with the filtered `input`; an empty input gives an empty output. What is not
    /// finite stays in the memory of the filter and reaches every later sample.
    pub fn apply<T: Sample + Into<f64>>(&self, input: &[T], output: &mut Vec<T>, scratch: &mut Scratch<T>) {
        output.clear();
        if input.is_empty() {
            return;
        }
        let all = &mut scratch.wide;
        let (before, after) = (self.settling, if self.zero_phase { self.settling } else { 0 });
        let at = |i: isize| self.border.position(i, input.len()).map_or(0.0, |place| input[place].into());
        all.clear();
        all.extend((0..before).map(|k| at(k as isize - before as isize)));
        all.extend(input.iter().map(|&sample| -> f64 { sample.into() }));
        all.extend((0..after).map(|k| at((input.len() + k) as isize)));
        let mut states = self.cascade.steady(all[0]);
        self.cascade.run(all.iter_mut(), &mut states);
        if self.zero_phase {
            states = self.cascade.steady(all.last().copied().unwrap_or_default());
            self.cascade.run(all.iter_mut().rev(), &mut states);
        }
        output.extend(all[before..][..input.len()].iter().map(|&value| T::of(value)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noise(len: usize) -> Vec<f64> {
        (0..len).map(|i| ((37 * i + 11) % 101) as f64 / 101.0 - 0.5).collect()
    }

    fn run(filter: &Recursive, input: &[f64]) -> Vec<f64> {
        let mut output = vec![7.0];
        filter.apply(input, &mut output, &mut Scratch::new());
        output
    }

    fn low() -> Cascade {
        Cascade::new(vec![Section::shaped(Shape::Lowpass, 1000.0, 0.7, 16_000.0).unwrap(); 2])
    }

    #[test]
    fn from_rest_it_is_the_difference_equation() {
        let cascade = low();
        let mut expected = noise(200);
        for section in cascade.sections() {
            let ([b0, b1, b2], [a1, a2]) = (section.feed_forward, section.feed_back);
            let x = expected.clone();
            for n in 0..x.len() {
                let past = |values: &[f64], k: usize| n.checked_sub(k).map_or(0.0, |at| values[at]);
                expected[n] = b0 * x[n] + b1 * past(&x, 1) + b2 * past(&x, 2)
                    - a1 * past(&expected, 1)
                    - a2 * past(&expected, 2);
            }
        }
        let found = run(&Recursive::new(cascade, Border::Constant, false), &noise(200));
        assert!(found.iter().zip(&expected).all(|(a, b)| (a - b).abs() < 1e-14));
    }

    #[test]
    fn a_level_comes_through_from_the_first_sample() {
        for border in Border::ALL {
            for zero_phase in [false, true] {
                let found = run(&Recursive::new(low(), border, zero_phase), &[0.5; 300]);
                let from = if border == Border::Constant { 150..151 } else { 0..300 };
                assert!(found[from].iter().all(|x| (x - 0.5).abs() < 1e-8), "{border} {zero_phase}");
            }
        }
    }

    #[test]
    fn forwards_and_backwards_is_symmetric_in_time() {
        let filter = Recursive::new(low(), Border::Wrap, true);
        let signal = noise(257);
        let mut turned = run(&filter, &signal.iter().rev().copied().collect::<Vec<_>>());
        turned.reverse();
        assert!(run(&filter, &signal).iter().zip(&turned).all(|(a, b)| (a - b).abs() < 1e-8));
    }

    #[test]
    fn silence_after_sound_is_silence_and_short_input_will_do() {
        let filter = Recursive::new(low(), Border::Constant, false);
        let mut signal = vec![0.0; 40_000];
        signal[0] = 1.0;
        assert_eq!(run(&filter, &signal)[39_999], 0.0);
        assert!(run(&filter, &[]).is_empty());
        for border in Border::ALL {
            assert_eq!(run(&Recursive::new(low(), border, true), &[1.0]).len(), 1);
        }
        assert_eq!(run(&Recursive::new(Cascade::default(), Border::Wrap, true), &[1.0, 2.0]), [1.0, 2.0]);
    }

    #[test]
    fn single_precision_is_rounded_once() {
        let signal: Vec<f32> = noise(500).iter().map(|&x| x as f32).collect();
        let wide: Vec<f64> = signal.iter().map(|&x| f64::from(x)).collect();
        let filter = Recursive::new(low(), Border::Mirror, true);
        let mut output = Vec::new();
        filter.apply(&signal, &mut output, &mut Scratch::new());
        let expected: Vec<f32> = run(&filter, &wide).iter().map(|&x| x as f32).collect();
        assert_eq!(output, expected);
    }
}
