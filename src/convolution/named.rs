//! What a [`KernelSpec`](super::KernelSpec) makes: a filter of signals or of images, of whatever kind its name says.

use super::bank::Bank;
use super::border::Border;
use super::filter1d::Filter1d;
use super::filter2d::Filter2d;
use super::nonlinear::{Bilateral, Median, Morphology};
use super::recursive::Recursive;
use super::sample::Sample;
use super::way::Scratch;

/// A filter of signals, made once and applied to any number of them.
#[derive(Clone, Debug)]
pub enum SignalFilter<T> {
    /// A convolution.
    Taps(Box<Filter1d<T>>),
    /// Second-order sections.
    Recursive(Recursive),
}

/// A filter of images or spectrograms, made once and applied to any number of them.
#[derive(Clone, Debug)]
#[allow(clippy::large_enum_variant, reason = "a handful of them at most, each made once")]
pub enum ImageFilter<T> {
    /// A convolution.
    Taps(Filter2d<T>),
    /// The length of a complex convolution: the square root of the sum of the squares of both.
    Magnitude(Bank<T>),
    /// The middle of a window.
    Median(Median, Border),
    /// A mean over what is alike.
    Bilateral(Bilateral, Border),
    /// Extrema under a footprint.
    Morphology(Morphology, Border),
}

impl<T: Sample + Into<f64>> SignalFilter<T> {
    /// Clears `output` and fills it with the filtered `input`, as long as that; an empty input gives an empty output.
    pub fn apply(&self, input: &[T], output: &mut Vec<T>, scratch: &mut Scratch<T>) {
        match self {
            Self::Taps(filter) => filter.apply(input, output, scratch),
            Self::Recursive(filter) => filter.apply(input, output, scratch),
        }
    }
}

impl<T: Sample + Into<f64>> ImageFilter<T> {
    /// Clears `output` and fills it row by row with the filtered image; an empty image gives an empty output.
    ///
    /// # Panics
    /// Where `input` is not `rows * cols` samples long.
    pub fn apply(
        &self,
        input: &[T],
        rows: usize,
        cols: usize,
        output: &mut Vec<T>,
        scratch: &mut Scratch<T>,
    ) {
        let shape = (rows, cols);
        match self {
            Self::Taps(filter) => filter.apply(input, rows, cols, output, scratch),
            Self::Magnitude(bank) => {
                let mut parts = Vec::new();
                bank.apply(input, rows, cols, &mut parts, scratch);
                let mut parts = parts.into_iter();
                let (real, imaginary) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
                output.clear();
                let length = |(re, im): (T, T)| T::of(libm::hypot(re.into(), im.into()));
                output.extend(real.into_iter().zip(imaginary).map(length));
            }
            Self::Median(median, border) => median.apply(input, shape, *border, output, scratch),
            Self::Bilateral(bilateral, border) => bilateral.apply(input, shape, *border, output, scratch),
            Self::Morphology(morphology, border) => {
                morphology.apply(input, shape, *border, output, scratch);
            }
        }
    }
}

impl<T> From<Filter1d<T>> for SignalFilter<T> {
    fn from(filter: Filter1d<T>) -> Self {
        Self::Taps(Box::new(filter))
    }
}

impl<T> From<Filter2d<T>> for ImageFilter<T> {
    fn from(filter: Filter2d<T>) -> Self {
        Self::Taps(filter)
    }
}
