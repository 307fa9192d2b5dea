//! Spectral shape of a frame, as librosa 0.11 defines it (`librosa.feature.spectral_*`).

/// librosa's floor of a power in flatness.
const LEAST_POWER: f32 = 1e-10;

/// Share of the magnitude that lies at or under the rolloff.
const ROLLOFF_SHARE: f64 = 0.85;

/// Values whose logarithms are summed as the logarithm of their product: eight values of f32 cannot leave f64.
const LOG_BATCH: usize = 8;

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

/// Describes the frames of a clip one after another.
#[derive(Debug, Clone)]
pub struct SpectralShapes {
    bin_hz: f64,
    magnitude: Vec<f32>,
    previous: Vec<f32>,
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
            magnitude: vec![0.0; bins],
            previous: vec![0.0; bins],
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

    /// Describes the clip's next frame from its power spectrum.
    pub fn describe(&mut self, power: &[f32]) -> SpectralShape {
        std::mem::swap(&mut self.magnitude, &mut self.previous);
        let mut total = 0.0;
        let mut moment = 0.0;
        for (bin, (magnitude, power)) in self.magnitude.iter_mut().zip(power).enumerate() {
            *magnitude = power.sqrt();
            total += f64::from(*magnitude);
            moment += f64::from(*magnitude) * bin as f64;
        }
        let flux = if self.first { 0.0 } else { self.flux() };
        self.first = false;
        let flatness = flatness(power);
        if total < f64::from(f32::MIN_POSITIVE) {
            return SpectralShape { flatness, flux, ..SpectralShape::default() };
        }
        self.silent = false;
        let centroid = moment / total;
        SpectralShape {
            centroid_hz: centroid * self.bin_hz,
            bandwidth_hz: self.spread(centroid, total) * self.bin_hz,
            rolloff_hz: self.rolloff(total) as f64 * self.bin_hz,
            flatness,
            flux,
        }
    }

    /// Standard deviation about the centroid, in bins.
    fn spread(&self, centroid: f64, total: f64) -> f64 {
        let squares = self.magnitude.iter().enumerate().map(|(bin, magnitude)| {
            let deviation = bin as f64 - centroid;
            f64::from(*magnitude) * deviation * deviation
        });
        (squares.sum::<f64>() / total).sqrt()
    }

    fn rolloff(&self, total: f64) -> usize {
        let mut below = 0.0;
        let reached = |magnitude: &f32| {
            below += f64::from(*magnitude);
            below >= ROLLOFF_SHARE * total
        };
        self.magnitude.iter().position(reached).unwrap_or(self.magnitude.len() - 1)
    }

    fn flux(&self) -> f64 {
        let gains = self.magnitude.iter().zip(&self.previous).map(|(now, before)| {
            let gain = f64::from((now - before).max(0.0));
            gain * gain
        });
        (gains.sum::<f64>() / self.magnitude.len() as f64).sqrt()
    }
}

fn flatness(power: &[f32]) -> f64 {
    let mut logs = 0.0;
    let mut sum = 0.0;
    for batch in power.chunks(LOG_BATCH) {
        let mut product = 1.0;
        for value in batch {
            let value = f64::from(value.max(LEAST_POWER));
            product *= value;
            sum += value;
        }
        logs += libm::log(product);
    }
    let bins = power.len() as f64;
    libm::exp(logs / bins) / (sum / bins)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(power: &[f32]) -> SpectralShape {
        SpectralShapes::new(16_000, (power.len() - 1) * 2).describe(power)
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
        assert!((shape(&[3.0; 257]).flatness - 1.0).abs() < 1e-12);
        let silence = shape(&[0.0; 257]);
        assert!((silence.flatness - 1.0).abs() < 1e-12);
        assert_eq!(silence.centroid_hz, 0.0);
    }

    #[test]
    fn flux_counts_what_appears_only() {
        let mut shapes = SpectralShapes::new(16_000, 6);
        assert_eq!(shapes.describe(&[4.0, 0.0, 0.0, 1.0]).flux, 0.0);
        assert_eq!(shapes.describe(&[0.0, 4.0, 0.0, 1.0]).flux, 1.0);
        assert!(!shapes.silent());
        shapes.restart();
        assert_eq!(shapes.describe(&[9.0; 4]).flux, 0.0);
    }
}
