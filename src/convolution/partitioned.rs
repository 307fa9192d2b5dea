//! A long kernel over a signal that arrives in blocks: the impulse response of a room on a stream.
//!
//! The taps are cut into parts as long as a block. The spectrum of each part meets that of the block which is as many
//! blocks old, and one transform back gives the next block (uniformly partitioned overlap-save, Stockham 1966, Kulp 1988).
//! Memory follows the taps, not the signal, and an output is late by one block. For a signal that is there as a whole,
//! [`Filter1d`](super::Filter1d) is faster.

use super::fourier::{Complex, FftScratch, RealFft};
use super::kernel::KernelError;
use super::kernels::check_taps;
use super::sample::Sample;

/// A causal kernel made ready for a stream: `out[n] = sum over k of taps[k] * x[n - k]`, with zeros before the first sample
/// and after the last.
///
/// ```
/// use wordwave::convolution::Partitioned;
/// let mut stream = Partitioned::<f64>::new(&[1.0, 0.0, 0.5], 2)?;
/// let mut output = Vec::new();
/// stream.push(&[1.0, 2.0, 3.0], &mut output);
/// stream.finish(&mut output);
/// let expected = [1.0, 2.0, 3.5, 1.0, 1.5];
/// assert!(output.iter().zip(expected).all(|(a, b): (&f64, f64)| (a - b).abs() < 1e-12));
/// # Ok::<(), wordwave::convolution::KernelError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Partitioned<T> {
    taps: Vec<T>,
    block: usize,
    plan: RealFft<T>,
    /// The spectra of the parts of the taps, divided by the length of the transform.
    parts: Vec<Vec<Complex<T>>>,
    /// The spectra of the latest stretches of two blocks, as many as parts; the newest stands at `newest`.
    past: Vec<Vec<Complex<T>>>,
    newest: usize,
    /// The block before this one, and what of this one has come.
    stretch: Vec<T>,
    come: usize,
    /// Blocks that are done.
    blocks: usize,
    /// Samples that a transform would spread, by their place: they are multiplied one by one.
    wild: Vec<(usize, T)>,
    /// The largest sample that a transform can bear.
    limit: f64,
    time: Vec<T>,
    sum: Vec<Complex<T>>,
    scratch: FftScratch<T>,
}

impl<T: Sample + Into<f64>> Partitioned<T> {
    /// Cuts `taps` into parts of `block` samples. Fails where there are no taps, one of them is not finite, or `block` is 0
    /// or too large.
    pub fn new(taps: &[f64], block: usize) -> Result<Self, KernelError> {
        check_taps("partitioned", block)?;
        check_taps("partitioned", taps.len())?;
        if let Some(tap) = taps.iter().find(|tap| !T::of(**tap).into().is_finite()) {
            let needs = format!("finite taps, not {tap}");
            return Err(KernelError::Needs { kernel: "partitioned", needs });
        }
        let plan = RealFft::new(2 * block);
        let mut scratch = plan.scratch();
        let zero = Complex::new(T::ZERO, T::ZERO);
        let spectrum = |part: &[f64]| {
            let mut time = vec![T::ZERO; 2 * block];
            let length = 2.0 * block as f64;
            time.iter_mut().zip(part).for_each(|(sample, tap)| *sample = T::of(tap / length));
            let mut spectrum = vec![zero; plan.bins()];
            plan.forward(&mut time, &mut spectrum, &mut scratch);
            spectrum
        };
        let parts: Vec<_> = taps.chunks(block).map(spectrum).collect();
        let magnitude: f64 = taps.iter().map(|tap| tap.abs()).sum();
        Ok(Self {
            taps: taps.iter().map(|&tap| T::of(tap)).collect(),
            block,
            past: vec![vec![zero; plan.bins()]; parts.len()],
            newest: 0,
            parts,
            stretch: vec![T::ZERO; 2 * block],
            come: 0,
            blocks: 0,
            wild: Vec::new(),
            limit: T::LARGEST / (8.0 * block as f64 * magnitude.max(1.0)),
            time: vec![T::ZERO; 2 * block],
            sum: vec![zero; plan.bins()],
            scratch,
            plan,
        })
    }

    /// Takes the next samples, any number of them, and appends the outputs of every block that they complete. Where the
    /// calls cut the signal changes no bit of the outputs.
    pub fn push(&mut self, mut samples: &[T], output: &mut Vec<T>) {
        while !samples.is_empty() {
            let (now, later) = samples.split_at(samples.len().min(self.block - self.come));
            for &sample in now {
                // A NaN or infinity would reach outputs that it has no part in.
                let tame = sample.into().abs() <= self.limit;
                if !tame {
                    self.wild.push((self.blocks * self.block + self.come, sample));
                }
                self.stretch[self.block + self.come] = if tame { sample } else { T::ZERO };
                self.come += 1;
            }
            samples = later;
            if self.come == self.block {
                self.next_block(output);
            }
        }
    }

    /// Appends the outputs that are left: with those before, as many as samples and taps together, less one; none where no
    /// sample came. The stream begins anew.
    pub fn finish(&mut self, output: &mut Vec<T>) {
        let samples = self.blocks * self.block + self.come;
        if samples > 0 {
            let mut left = samples + self.taps.len() - 1 - self.blocks * self.block;
            while left > 0 {
                let written = output.len();
                self.next_block(output);
                output.truncate(written + left);
                left = left.saturating_sub(self.block);
            }
        }
        self.stretch.fill(T::ZERO);
        self.past.iter_mut().for_each(|spectrum| spectrum.fill(Complex::new(T::ZERO, T::ZERO)));
        self.wild.clear();
        self.blocks = 0;
    }

    /// Appends the outputs of this block, of which what has not come is zero.
    fn next_block(&mut self, output: &mut Vec<T>) {
        let Self { block, newest, .. } = *self;
        self.stretch[block + self.come..].fill(T::ZERO);
        self.time.copy_from_slice(&self.stretch);
        self.plan.forward(&mut self.time, &mut self.past[newest], &mut self.scratch);
        self.sum.fill(Complex::new(T::ZERO, T::ZERO));
        // The first part meets the newest stretch, the next one the stretch before.
        let (recent, older) = (self.past[..=newest].iter().rev(), self.past[newest + 1..].iter().rev());
        for (part, past) in self.parts.iter().zip(recent.chain(older)) {
            for ((sum, &a), &b) in self.sum.iter_mut().zip(part).zip(past) {
                *sum = *sum + a * b;
            }
        }
        self.plan.inverse(&mut self.sum, &mut self.time, &mut self.scratch);
        let written = output.len();
        output.extend_from_slice(&self.time[block..]);
        self.add_wild(&mut output[written..]);
        self.stretch.copy_within(block.., 0);
        self.come = 0;
        self.blocks += 1;
        self.newest = (newest + 1) % self.parts.len();
    }

    /// Adds the products of the samples that did not go through the transform.
    fn add_wild(&mut self, outputs: &mut [T]) {
        let (first, taps) = (self.blocks * self.block, &self.taps);
        for &(place, sample) in &self.wild {
            let from = place.max(first);
            let products = taps.iter().skip(from - place);
            for (output, &tap) in outputs.iter_mut().skip(from - first).zip(products) {
                *output += tap * sample;
            }
        }
        self.wild.retain(|(place, _)| place + taps.len() > first + self.block);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn naive(taps: &[f64], signal: &[f64]) -> Vec<f64> {
        let mut output = vec![0.0; signal.len() + taps.len() - 1];
        for (n, x) in signal.iter().enumerate() {
            output[n..].iter_mut().zip(taps).for_each(|(sum, tap)| *sum += x * tap);
        }
        output
    }

    fn noise(len: usize) -> Vec<f64> {
        (0..len).map(|i| f64::from((i * i * 7919 % 251) as u32) / 125.0 - 1.0).collect()
    }

    #[test]
    fn it_is_the_convolution_however_the_signal_arrives() {
        for (taps, samples, block) in
            [(1, 5, 3), (7, 100, 4), (40, 33, 16), (64, 200, 64), (65, 1, 8), (5, 300, 50)]
        {
            let (taps, signal) = (noise(taps), noise(samples));
            let expected = naive(&taps, &signal);
            let mut stream = Partitioned::<f64>::new(&taps, block).unwrap();
            let mut first = Vec::new();
            for cut in [samples, 1, 7, block] {
                let mut found = Vec::new();
                signal.chunks(cut).for_each(|part| stream.push(part, &mut found));
                stream.finish(&mut found);
                assert_eq!(found.len(), expected.len());
                assert!(found.iter().zip(&expected).all(|(a, b)| (a - b).abs() < 1e-12), "{block} {cut}");
                first = if first.is_empty() { found.clone() } else { first };
                assert_eq!(found, first);
            }
        }
    }

    #[test]
    fn what_is_not_finite_reaches_the_outputs_of_its_taps_alone() {
        let (taps, mut signal) = (noise(20), noise(90));
        let expected = naive(&taps, &signal);
        for wild in [f64::NAN, f64::INFINITY, f64::MAX] {
            signal[37] = wild;
            let mut found = Vec::new();
            let mut stream = Partitioned::<f64>::new(&taps, 8).unwrap();
            stream.push(&signal, &mut found);
            stream.finish(&mut found);
            for (n, (a, b)) in found.iter().zip(&expected).enumerate() {
                let touched = (37..57).contains(&n);
                assert!(touched || (a - b).abs() < 1e-12, "{n}");
                assert!(!touched || !a.is_finite() || a.abs() > 1e300 || taps[n - 37] == 0.0, "{n}");
            }
        }
    }

    #[test]
    fn nothing_gives_nothing_and_bad_taps_are_refused() {
        let mut output = Vec::new();
        Partitioned::<f32>::new(&[1.0], 4).unwrap().finish(&mut output);
        assert!(output.is_empty());
        assert!(Partitioned::<f32>::new(&[], 4).is_err() && Partitioned::<f32>::new(&[1.0], 0).is_err());
        assert!(Partitioned::<f32>::new(&[1e300], 4).unwrap_err().to_string().contains("finite"));
    }
}
