//! Spectral shape of a frame, as librosa 0.11 defines it (`librosa.feature.spectral_*`).

use crate::simd::{GROUP, ShapeScratch, ShapeSums, Width, shape_sums};

/// librosa's floor of a power in flatness.
const LEAST_POWER: f32 = 1e-10;

/// Share of the magnitude that lies at or under the rolloff.
const ROLLOFF_SHARE: f64 = 0.85;

/// The shape of one frame's spectrum.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct SpectralShape {
    /// Mean frequency, weighted by magnitude. 0 in a silent frame.
    pub centroid_hz: f64,
    /// Standard deviation of frequency about the centroid, weighted by magnitude (p = 2). 0 in a silent frame.
    pub bandwidth_hz: f64,
    /// The lowest bin that has 85 % of the magnitude at or under it. 0 in a silent frame.
    pub rolloff_hz: f64,
    /// Geometric by arithmetic mean of the power, each at least 1e-10: 1 for white noise and for silence.
    pub flatness: f64,
    /// `√ mean over bins of max(0, |X[t]| - |X[t-1]|)²`: how much appears. 0 in the first frame.
    pub flux: f64,
}

/// Describes the frames of a clip one after another, a group at a time.
#[derive(Debug, Clone)]
pub struct SpectralShapes {
    bin_hz: f64,
    bins: usize,
    scratch: ShapeScratch,
    width: Width,
    first: bool,
    silent: bool,
}

impl SpectralShapes {
    /// For spectra of `fft_len/2 + 1` bins.
    #[must_use]
    pub fn new(sample_rate: u32, fft_len: usize) -> Self {
        let bins = fft_len / 2 + 1;
        Self {
            bin_hz: f64::from(sample_rate) / fft_len as f64,
            bins,
            scratch: ShapeScratch::new(bins),
            width: Width::detect(),
            first: true,
            silent: true,
        }
    }

    /// Begins a new clip.
    pub fn restart(&mut self) {
        self.first = true;
        self.silent = true;
    }

    /// Whether every frame of the clip so far was without any magnitude.
    #[must_use]
    pub fn silent(&self) -> bool {
        self.silent
    }

    /// Describes the clip's next group of frames from their power spectra, a row of `GROUP` lanes for each bin; all lanes
    /// are frames except in the clip's last group.
    pub(super) fn describe(&mut self, power: &[f32], frames: usize, mut each: impl FnMut(SpectralShape)) {
        let sums = shape_sums(self.width, power, LEAST_POWER, &mut self.scratch);
        for lane in 0..frames.min(GROUP) {
            each(self.shape(&sums, lane));
            self.first = false;
        }
    }

    fn shape(&mut self, sums: &ShapeSums, lane: usize) -> SpectralShape {
        let bins = self.bins as f64;
        let gains = f64::from(sums.gains[lane]);
        let flux = if self.first { 0.0 } else { (gains / bins).sqrt() };
        let logarithm = f64::from(sums.octaves[lane]) + libm::log2(sums.mantissa[lane]);
        let flatness = libm::exp2(logarithm / bins) / (sums.power[lane] / bins);
        let total = f64::from(sums.total[lane]);
        if total < f64::from(f32::MIN_POSITIVE) {
            return SpectralShape { flatness, flux, ..SpectralShape::default() };
        }
        self.silent = false;
        SpectralShape {
            centroid_hz: f64::from(sums.centroid[lane]) * self.bin_hz,
            bandwidth_hz: (f64::from(sums.spread[lane]) / total).sqrt() * self.bin_hz,
            rolloff_hz: self.rolloff(total, lane) as f64 * self.bin_hz,
            flatness,
            flux,
        }
    }

    /// The lowest bin that has its share at or under it: sums up to a bin never fall.
    fn rolloff(&self, total: f64, lane: usize) -> usize {
        let (mut low, mut high) = (0, self.bins - 1);
        while low < high {
            let middle = usize::midpoint(low, high);
            if f64::from(self.scratch.running(middle, lane)) >= ROLLOFF_SHARE * total {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        low
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(power: &[f32]) -> SpectralShape {
        described(&mut SpectralShapes::new(16_000, (power.len() - 1) * 2), &[power])[0]
    }

    /// Frames of one group.
    fn described(shapes: &mut SpectralShapes, frames: &[&[f32]]) -> Vec<SpectralShape> {
        let mut power = vec![0.0; frames[0].len() * GROUP];
        for (lane, frame) in frames.iter().enumerate() {
            (0..frame.len()).for_each(|bin| power[bin * GROUP + lane] = frame[bin]);
        }
        let mut found = Vec::new();
        shapes.describe(&power, frames.len(), |shape| found.push(shape));
        found
    }

    #[test]
    fn one_bin_is_its_own_centroid() {
        let mut power = [0.0; 257];
        power[32] = 4.0;
        let found = shape(&power);
        assert_eq!((found.centroid_hz, found.bandwidth_hz, found.rolloff_hz), (1000.0, 0.0, 1000.0));
        assert!(found.flatness < 1e-7);
    }

    #[test]
    fn two_equal_bins_spread_about_their_middle() {
        let mut power = [0.0; 257];
        (power[16], power[48]) = (1.0, 1.0);
        let found = shape(&power);
        assert_eq!((found.centroid_hz, found.bandwidth_hz, found.rolloff_hz), (1000.0, 500.0, 1500.0));
    }

    #[test]
    fn white_and_silent_spectra_are_flat() {
        assert!((shape(&[3.0; 257]).flatness - 1.0).abs() < 1e-7);
        let silence = shape(&[0.0; 257]);
        assert!((silence.flatness - 1.0).abs() < 1e-6);
        assert_eq!(silence.centroid_hz, 0.0);
    }

    #[test]
    fn flux_counts_what_appears_only() {
        let mut shapes = SpectralShapes::new(16_000, 6);
        let found = described(&mut shapes, &[&[4.0, 0.0, 0.0, 1.0], &[0.0, 4.0, 0.0, 1.0]]);
        assert_eq!((found[0].flux, found[1].flux), (0.0, 1.0));
        assert!(!shapes.silent());
        shapes.restart();
        assert_eq!(described(&mut shapes, &[&[9.0; 4]])[0].flux, 0.0);
    }
}
