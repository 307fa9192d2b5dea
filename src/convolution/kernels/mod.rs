//! Kernels by name: those for signals in [`mod@line`], those for images and spectrograms in [`plane`].

pub mod line;
pub mod plane;

use std::fmt;

use super::kernel::KernelError;

/// The kernels for signals that have a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Named1d {
    /// Windowed sinc that passes what is below `hz = [cutoff]`.
    Lowpass,
    /// Windowed sinc that passes what is above `hz = [cutoff]`.
    Highpass,
    /// Windowed sinc that passes what is between `hz = [low, high]`.
    Bandpass,
    /// Windowed sinc that passes what is outside `hz = [low, high]`.
    Bandstop,
    /// Each sample less 0.97 of the one before, or less the share that belongs to `hz = [cutoff]`.
    Preemphasis,
    /// Gaussian of `sigma` samples.
    Gaussian,
    /// Mean of `size` samples.
    Box,
    /// Half the difference of the two neighbours.
    Derivative,
}

/// The filters for images and spectrograms that have a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Named2d {
    /// Gaussian of `sigma` samples.
    Gaussian,
    /// Mean of `size` by `size` samples.
    Box,
    /// Derivative along `angle`, smoothed by 1 2 1 across it.
    Sobel,
    /// Derivative along `angle`, smoothed by 1 1 1 across it.
    Prewitt,
    /// Derivative along `angle`, smoothed by 3 10 3 across it.
    Scharr,
    /// Sum of the second differences along rows and columns.
    Laplacian,
    /// The image less its Laplacian.
    Sharpen,
    /// Relief lit along the falling diagonal.
    Emboss,
    /// The image and once more what a Gaussian of `sigma` takes from it.
    Unsharp,
    /// Wave along `angle` under a Gaussian of `sigma`.
    Gabor,
    /// Middle value of `size` by `size` samples: no kernel, but a filter with the same windows and borders.
    Median,
}

impl Named1d {
    /// Every name, in the order of the documentation.
    pub const ALL: [Self; 8] = [
        Self::Lowpass,
        Self::Highpass,
        Self::Bandpass,
        Self::Bandstop,
        Self::Preemphasis,
        Self::Gaussian,
        Self::Box,
        Self::Derivative,
    ];

    /// The name in the job file.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Lowpass => "lowpass",
            Self::Highpass => "highpass",
            Self::Bandpass => "bandpass",
            Self::Bandstop => "bandstop",
            Self::Preemphasis => "preemphasis",
            Self::Gaussian => "gaussian",
            Self::Box => "box",
            Self::Derivative => "derivative",
        }
    }

    /// The parameters that have a meaning for this kernel.
    #[must_use]
    pub const fn takes(self) -> &'static [&'static str] {
        match self {
            Self::Lowpass | Self::Highpass | Self::Bandpass | Self::Bandstop => &["hz", "size"],
            Self::Preemphasis => &["hz"],
            Self::Gaussian => &["sigma"],
            Self::Box => &["size"],
            Self::Derivative => &[],
        }
    }

    /// The kernel of this name. Fails for every other name with the list of those there are.
    pub fn parse(name: &str) -> Result<Self, KernelError> {
        let named = Self::ALL.into_iter().find(|named| named.name() == name);
        named.ok_or_else(|| unknown(name, 1, &Self::ALL.map(Self::name)))
    }
}

impl Named2d {
    /// Every name, in the order of the documentation.
    pub const ALL: [Self; 11] = [
        Self::Gaussian,
        Self::Box,
        Self::Sobel,
        Self::Prewitt,
        Self::Scharr,
        Self::Laplacian,
        Self::Sharpen,
        Self::Emboss,
        Self::Unsharp,
        Self::Gabor,
        Self::Median,
    ];

    /// The name in the job file.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Gaussian => "gaussian",
            Self::Box => "box",
            Self::Sobel => "sobel",
            Self::Prewitt => "prewitt",
            Self::Scharr => "scharr",
            Self::Laplacian => "laplacian",
            Self::Sharpen => "sharpen",
            Self::Emboss => "emboss",
            Self::Unsharp => "unsharp",
            Self::Gabor => "gabor",
            Self::Median => "median",
        }
    }

    /// The parameters that have a meaning for this filter.
    #[must_use]
    pub const fn takes(self) -> &'static [&'static str] {
        match self {
            Self::Gaussian | Self::Unsharp => &["sigma"],
            Self::Box | Self::Median => &["size"],
            Self::Sobel | Self::Prewitt | Self::Scharr => &["angle"],
            Self::Laplacian | Self::Sharpen | Self::Emboss => &[],
            Self::Gabor => &["sigma", "size", "angle"],
        }
    }

    /// The filter of this name. Fails for every other name with the list of those there are.
    pub fn parse(name: &str) -> Result<Self, KernelError> {
        let named = Self::ALL.into_iter().find(|named| named.name() == name);
        named.ok_or_else(|| unknown(name, 2, &Self::ALL.map(Self::name)))
    }
}

impl fmt::Display for Named1d {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Display for Named2d {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

fn unknown(name: &str, dimensions: u8, known: &[&str]) -> KernelError {
    KernelError::Unknown { name: name.to_owned(), dimensions, known: known.join(", ") }
}

/// A width of a Gaussian, which must be a positive number of samples.
fn check_sigma(kernel: &'static str, sigma: f64) -> Result<f64, KernelError> {
    if sigma > 0.0 && sigma.is_finite() {
        return Ok(sigma);
    }
    Err(KernelError::Needs { kernel, needs: format!("sigma above 0 samples, not {sigma}") })
}

/// A number of taps along an axis, which must be at least 1.
fn check_taps(kernel: &'static str, size: usize) -> Result<usize, KernelError> {
    if size >= 1 {
        Ok(size)
    } else {
        Err(KernelError::Needs { kernel, needs: "a size of at least 1".to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_back() {
        for named in Named1d::ALL {
            assert_eq!(Named1d::parse(&named.to_string()), Ok(named));
        }
        for named in Named2d::ALL {
            assert_eq!(Named2d::parse(&named.to_string()), Ok(named));
        }
    }

    #[test]
    fn a_name_of_the_other_dimension_is_refused_with_the_list() {
        let message = Named1d::parse("sobel").unwrap_err().to_string();
        assert_eq!(
            message,
            "there is no 1-D kernel \"sobel\": write one of lowpass, highpass, bandpass, bandstop, preemphasis, \
             gaussian, box, derivative, or taps"
        );
        assert!(Named2d::parse("lowpass").unwrap_err().to_string().contains("sobel, prewitt"));
    }
}
