//! Filters by name and what each of them takes: the taps of those that are kernels are made in [`mod@line`],
//! [`sinc`], [`kaiser`] and [`savitzky_golay`] for signals, in [`plane`] for images and spectrograms.

pub mod kaiser;
pub mod line;
pub mod plane;
pub mod savitzky_golay;
pub mod sinc;

use std::fmt;

use super::kernel::KernelError;

/// The keys of a windowed sinc: Hamming with `size`, Kaiser with `db` and `transition_hz`.
const SINC: &[&str] = &["hz", "size", "db", "transition_hz"];
const SECTION: &[&str] = &["hz", "q", "zero_phase"];
const SHELF: &[&str] = &["hz", "q", "gain_db", "zero_phase"];
const GABOR: &[&str] = &["sigma", "wavelength", "size", "angle"];
const FOOTPRINT: &[&str] = &["size", "footprint"];

/// An enumeration of names: each variant with its name in the job file and the keys that have a meaning for it.
macro_rules! names {
    ($(#[$meta:meta])* $type:ident in $dimensions:literal {
        $($(#[$doc:meta])* $variant:ident = $name:literal takes $takes:expr,)*
    }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum $type {
            $($(#[$doc])* $variant,)*
        }

        impl $type {
            /// Every name, in the order of the documentation.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// The name in the job file.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }

            /// The keys that have a meaning for this filter.
            #[must_use]
            pub const fn takes(self) -> &'static [&'static str] {
                match self {
                    $(Self::$variant => $takes,)*
                }
            }

            /// The filter of this name. Fails for every other name with the list of those there are.
            pub fn parse(name: &str) -> Result<Self, KernelError> {
                let named = Self::ALL.iter().find(|named| named.name() == name);
                named.copied().ok_or_else(|| unknown(name, $dimensions, &[$($name,)*]))
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.name())
            }
        }
    };
}

names! {
    /// The filters for signals that have a name.
    Named1d in 1 {
        /// Windowed sinc that passes what is below `hz = [cutoff]`.
        Lowpass = "lowpass" takes SINC,
        /// Windowed sinc that passes what is above `hz = [cutoff]`.
        Highpass = "highpass" takes SINC,
        /// Windowed sinc that passes what is between `hz = [low, high]`.
        Bandpass = "bandpass" takes SINC,
        /// Windowed sinc that passes what is outside `hz = [low, high]`.
        Bandstop = "bandstop" takes SINC,
        /// Each sample less 0.97 of the one before, or less the share that belongs to `hz = [cutoff]`.
        Preemphasis = "preemphasis" takes &["hz"],
        /// Gaussian of `sigma` samples.
        Gaussian = "gaussian" takes &["sigma"],
        /// Mean of `size` samples.
        Box = "box" takes &["size"],
        /// Mean of `size` samples under its other name.
        MovingAverage = "moving_average" takes &["size"],
        /// Polynomial of degree `order` fitted to `size` samples, or its `derivative`.
        SavitzkyGolay = "savgol" takes &["size", "order", "derivative"],
        /// Half the difference of the two neighbours.
        Derivative = "derivative" takes &[],
        /// Every frequency turned back by 90 degrees.
        Hilbert = "hilbert" takes &["size"],
        /// Recursive low-pass of order 2 at `hz = [cutoff]`.
        BiquadLowpass = "biquad_lowpass" takes SECTION,
        /// Recursive high-pass of order 2 at `hz = [cutoff]`.
        BiquadHighpass = "biquad_highpass" takes SECTION,
        /// Recursive band-pass about `hz = [middle]`, `middle / q` Hz wide.
        BiquadBandpass = "biquad_bandpass" takes SECTION,
        /// Takes out `hz = [middle]`, `middle / q` Hz wide.
        Notch = "notch" takes SECTION,
        /// Passes everything and turns its phase about `hz = [middle]`.
        Allpass = "allpass" takes SECTION,
        /// Lifts what is about `hz = [middle]` by `gain_db`.
        Peaking = "peaking" takes SHELF,
        /// Lifts what is below `hz = [cutoff]` by `gain_db`.
        LowShelf = "low_shelf" takes SHELF,
        /// Lifts what is above `hz = [cutoff]` by `gain_db`.
        HighShelf = "high_shelf" takes SHELF,
        /// Weighs frequencies as the ear does, IEC 61672-1.
        AWeighting = "a_weighting" takes &[],
    }
}

names! {
    /// The filters for images and spectrograms that have a name.
    Named2d in 2 {
        /// Gaussian of `sigma` samples.
        Gaussian = "gaussian" takes &["sigma"],
        /// Mean of `size` by `size` samples.
        Box = "box" takes &["size"],
        /// Derivative along `angle`, smoothed by 1 2 1 across it.
        Sobel = "sobel" takes &["angle"],
        /// Derivative along `angle`, smoothed by 1 1 1 across it.
        Prewitt = "prewitt" takes &["angle"],
        /// Derivative along `angle`, smoothed by 3 10 3 across it.
        Scharr = "scharr" takes &["angle"],
        /// Sum of the second differences along rows and columns.
        Laplacian = "laplacian" takes &[],
        /// Laplacian of the image under a Gaussian of `sigma`.
        LaplacianOfGaussian = "laplacian_of_gaussian" takes &["sigma"],
        /// The image less its Laplacian.
        Sharpen = "sharpen" takes &[],
        /// Relief lit along the falling diagonal.
        Emboss = "emboss" takes &[],
        /// The image and `amount` times what a Gaussian of `sigma` takes from it.
        Unsharp = "unsharp" takes &["sigma", "amount"],
        /// Wave along `angle` under a Gaussian of `sigma`: the real part, a cosine.
        Gabor = "gabor" takes GABOR,
        /// The imaginary part of the same, a sine.
        GaborImaginary = "gabor_imaginary" takes GABOR,
        /// The length of both parts: how much of the wave there is, wherever its crests lie.
        GaborMagnitude = "gabor_magnitude" takes GABOR,
        /// Middle value of `size` by `size` samples.
        Median = "median" takes &["size"],
        /// Mean of the samples about each one that are like it: Gaussians of `sigma` samples and of `range` in level.
        Bilateral = "bilateral" takes &["sigma", "range", "size"],
        /// Least value under a footprint.
        Erosion = "erosion" takes FOOTPRINT,
        /// Largest value under a footprint.
        Dilation = "dilation" takes FOOTPRINT,
        /// Dilation of the erosion: bright specks smaller than the footprint go.
        Opening = "opening" takes FOOTPRINT,
        /// Erosion of the dilation: dark specks smaller than the footprint go.
        Closing = "closing" takes FOOTPRINT,
    }
}

fn unknown(name: &str, dimensions: u8, known: &[&str]) -> KernelError {
    KernelError::Unknown { name: name.to_owned(), dimensions, known: known.join(", ") }
}

/// A width of a Gaussian, which must be a positive number of samples.
pub(super) fn check_sigma(kernel: &'static str, sigma: f64) -> Result<f64, KernelError> {
    if sigma > 0.0 && sigma.is_finite() {
        return Ok(sigma);
    }
    Err(KernelError::Needs { kernel, needs: format!("sigma above 0 samples, not {sigma}") })
}

/// A number of taps along an axis, which must be at least 1.
pub(super) fn check_taps(kernel: &'static str, size: usize) -> Result<usize, KernelError> {
    if size >= 1 {
        Ok(size)
    } else {
        Err(KernelError::Needs { kernel, needs: "a size of at least 1".to_owned() })
    }
}

/// An odd number of taps, so that the middle is a sample.
pub(super) fn check_odd(kernel: &'static str, size: usize) -> Result<usize, KernelError> {
    let needs = || format!("an odd size, such as {}, not {size}", size | 1);
    if size % 2 == 1 { Ok(size) } else { Err(KernelError::Needs { kernel, needs: needs() }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_back() {
        for named in Named1d::ALL {
            assert_eq!(Named1d::parse(&named.to_string()), Ok(*named));
        }
        for named in Named2d::ALL {
            assert_eq!(Named2d::parse(&named.to_string()), Ok(*named));
        }
    }

    #[test]
    fn a_name_of_the_other_dimension_is_refused_with_the_list() {
        let message = Named1d::parse("sobel").unwrap_err().to_string();
        assert!(
            message.starts_with(
                "there is no 1-D kernel \"sobel\": write one of lowpass, highpass, bandpass, bandstop, preemphasis, gaussian"
            ) && message.ends_with("a_weighting, or taps"),
            "{message}"
        );
        assert!(Named2d::parse("lowpass").unwrap_err().to_string().contains("sobel, prewitt"));
    }
}
