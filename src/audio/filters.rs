//! The convolution module applied to clips: filters on the waveform and on the spectrogram.
//!
//! A transform spreads one value that is not a number over everything, and later stages would do the same. So what
//! is not finite becomes 0 here, before and after filtering, and no sample is larger than a million.

use crate::convolution::{ImageFilter, Scratch, SignalFilter};
use crate::simd::{Width, largest_magnitude};

/// A million times full scale: squared, scaled to Kaldi's integers and summed over a frame it still is an f32.
const LARGEST_SAMPLE: f32 = 1e6;

/// Larger than any power or level of such samples; a sum over a frame still is an f32.
const LARGEST_LEVEL: f32 = 1e32;

/// Filters on the samples, in the order in which they were written.
#[derive(Clone, Default)]
pub struct WaveformFilters {
    filters: Vec<SignalFilter<f32>>,
}

/// What [`WaveformFilters::apply`] writes while it works.
#[derive(Default)]
pub struct WaveformScratch {
    samples: Vec<f32>,
    filtered: Vec<f32>,
    filter: Scratch<f32>,
}

impl WaveformFilters {
    /// In the order in which they are applied.
    #[must_use]
    pub fn new(filters: Vec<SignalFilter<f32>>) -> Self {
        Self { filters }
    }

    /// Whether samples stay as they are, but for those that are no sound.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.filters.is_empty()
    }

    /// The filtered samples, as many as there were. Without filters, and where all is finite, they are `samples`
    /// themselves.
    pub fn apply<'a>(&self, samples: &'a [f32], scratch: &'a mut WaveformScratch) -> &'a [f32] {
        let sound = largest_magnitude(Width::detect(), samples) <= LARGEST_SAMPLE.to_bits();
        if self.filters.is_empty() && sound {
            return samples;
        }
        scratch.samples.clear();
        scratch.samples.extend_from_slice(samples);
        bound(&mut scratch.samples, LARGEST_SAMPLE);
        for filter in &self.filters {
            filter.apply(&scratch.samples, &mut scratch.filtered, &mut scratch.filter);
            std::mem::swap(&mut scratch.samples, &mut scratch.filtered);
            bound(&mut scratch.samples, LARGEST_SAMPLE);
        }
        &scratch.samples
    }
}

/// Filters on a spectrogram, in the order in which they were written.
#[derive(Clone, Default)]
pub struct SpectrogramFilters {
    filters: Vec<ImageFilter<f32>>,
}

/// What [`SpectrogramFilters::apply`] writes while it works.
#[derive(Default)]
pub struct SpectrogramScratch {
    image: Vec<f32>,
    filtered: Vec<f32>,
    filter: Scratch<f32>,
}

impl SpectrogramFilters {
    /// In the order in which they are applied.
    #[must_use]
    pub fn new(filters: Vec<ImageFilter<f32>>) -> Self {
        Self { filters }
    }

    /// Whether a matrix stays as it is.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.filters.is_empty()
    }

    /// Filters a matrix of frames by bands in place. The kernels see it as librosa draws it: a row is a band, the
    /// lowest first, a column is a frame.
    pub fn apply(&self, matrix: &mut Vec<f32>, bands: usize, scratch: &mut SpectrogramScratch) {
        if self.filters.is_empty() || matrix.is_empty() {
            return;
        }
        let frames = matrix.len() / bands;
        transpose(matrix, bands, &mut scratch.image);
        for filter in &self.filters {
            filter.apply(&scratch.image, bands, frames, &mut scratch.filtered, &mut scratch.filter);
            std::mem::swap(&mut scratch.image, &mut scratch.filtered);
            bound(&mut scratch.image, LARGEST_LEVEL);
        }
        transpose(&scratch.image, frames, matrix);
    }
}

fn bound(values: &mut [f32], largest: f32) {
    for value in values {
        *value = if value.is_finite() { value.clamp(-largest, largest) } else { 0.0 };
    }
}

/// Writes a row-major matrix with `columns` columns column by column.
fn transpose(matrix: &[f32], columns: usize, transposed: &mut Vec<f32>) {
    transposed.clear();
    transposed.extend((0..columns).flat_map(|column| matrix.iter().skip(column).step_by(columns)));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::convolution::{Border, Filter1d, Filter2d, Kernel1d, Kernel2d};

    #[test]
    fn waveform_filters_follow_each_other() {
        let doubled = Filter1d::new(&Kernel1d::new(vec![2.0]).unwrap(), Border::Constant).into();
        let delayed = Filter1d::new(&Kernel1d::new(vec![0.0, 0.0, 1.0]).unwrap(), Border::Constant).into();
        let filters = WaveformFilters::new(vec![doubled, delayed]);
        assert_eq!(filters.apply(&[1.0, 2.0, 3.0], &mut WaveformScratch::default()), [0.0, 2.0, 4.0]);
    }

    #[test]
    fn what_is_not_finite_becomes_silence() {
        let mut scratch = WaveformScratch::default();
        let filters = WaveformFilters::default();
        assert_eq!(
            filters.apply(&[f32::NAN, 0.5, f32::INFINITY, -1e30], &mut scratch),
            [0.0, 0.5, 0.0, -1e6]
        );
    }

    #[test]
    fn rows_of_a_spectrogram_kernel_are_bands() {
        // One tap a row down: each band takes the level of the band below.
        let kernel = Kernel2d::new(3, 3, vec![0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0]).unwrap();
        let filters = SpectrogramFilters::new(vec![Filter2d::new(&kernel, Border::Constant).into()]);
        // Two frames of three bands.
        let mut matrix = vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
        filters.apply(&mut matrix, 3, &mut SpectrogramScratch::default());
        assert_eq!(matrix, [0.0, 1.0, 2.0, 0.0, 4.0, 5.0]);
    }
}
