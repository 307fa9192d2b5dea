//! The description of a filter as a job file or command line gives it, and the filter made from it.

use super::border::Border;
use super::filter1d::Filter1d;
use super::filter2d::Filter2d;
use super::kernel::{Kernel1d, Kernel2d, KernelError};
use super::kernels::line::{PREEMPHASIS, SINC_TAPS, needs_hz};
use super::kernels::{Named1d, Named2d};
use super::sample::Sample;

/// Side of a box or median window where no `size` is given.
const WINDOW: usize = 3;

/// Width of a Gaussian in samples where no `sigma` is given.
const SIGMA: f64 = 1.0;

/// Width of a Gabor kernel in samples where no `sigma` is given.
const GABOR_SIGMA: f64 = 2.0;

/// Share of what the Gaussian takes away that unsharp masking adds.
const UNSHARP_AMOUNT: f64 = 1.0;

/// Width of a Gabor kernel over its wavelength that makes its bandwidth one octave: `sqrt(ln(2) / 2) * 3 / pi`.
const GABOR_OCTAVE: f64 = 0.562_171_875_387_832_8;

/// Taps as they are written: a list, or a list of rows.
#[derive(Clone, Debug, PartialEq)]
pub enum Taps {
    /// `taps = [1, 2, 1]`
    Line(Vec<f64>),
    /// `taps = [[0, 1, 0], [1, -4, 1], [0, 1, 0]]`
    Plane(Vec<Vec<f64>>),
}

/// A filter as it is written: a name with its parameters, or taps, which are convolved. What is not given takes the
/// default of the kernel; a parameter that has no meaning for it is an error.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct KernelSpec {
    /// One of [`Named1d`] or [`Named2d`]; an empty name is none.
    pub name: Option<String>,
    /// The taps where there is no name; an empty list is none.
    pub taps: Option<Taps>,
    /// Cutoffs of the sinc filters and of pre-emphasis, in Hz.
    pub hz: Vec<f64>,
    /// Width of a Gaussian in samples (1), for Gabor (2) with a wavelength of 1.78 times that.
    pub sigma: Option<f64>,
    /// Side of a box or median window (3), of a Gabor kernel (the odd number that reaches 3 sigma), or number of
    /// taps of a sinc filter (101).
    pub size: Option<usize>,
    /// Direction of a derivative or Gabor kernel in degrees (0): 0 to the right, 90 down.
    pub angle: Option<f64>,
    /// What stands beyond the edge.
    pub border: Border,
}

impl KernelSpec {
    /// The filter for a signal of `sample_rate` Hz, which only the kernels with `hz` use.
    ///
    /// Fails with what to write instead where the name, a parameter or the taps will not do.
    pub fn build_1d<T: Sample>(&self, sample_rate: f64) -> Result<Filter1d<T>, KernelError> {
        Ok(Filter1d::new(&self.kernel_1d(sample_rate)?, self.border))
    }

    /// The filter for an image or spectrogram. Fails as [`KernelSpec::build_1d`].
    pub fn build_2d<T: Sample>(&self) -> Result<Filter2d<T>, KernelError> {
        match self.source()? {
            Source::Taps(taps) => Ok(Filter2d::new(&plane(taps)?, self.border)),
            Source::Name(name) => match Named2d::parse(name)? {
                Named2d::Median => {
                    self.refuse_others(Named2d::Median.name(), Named2d::Median.takes())?;
                    Filter2d::median(self.size.unwrap_or(WINDOW), self.border)
                }
                named => Ok(Filter2d::new(&self.named_2d(named)?, self.border)),
            },
        }
    }

    /// The kernel for a signal of `sample_rate` Hz. Fails as [`KernelSpec::build_1d`].
    pub fn kernel_1d(&self, sample_rate: f64) -> Result<Kernel1d, KernelError> {
        let named = match self.source()? {
            Source::Taps(Taps::Line(taps)) => return Kernel1d::new(taps.clone()),
            Source::Taps(Taps::Plane(_)) => {
                return Err(KernelError::Dimensions { write: "taps = [..] for a signal" });
            }
            Source::Name(name) => Named1d::parse(name)?,
        };
        let name = named.name();
        self.refuse_others(name, named.takes())?;
        let size = self.size.unwrap_or(SINC_TAPS);
        match (named, self.hz.as_slice()) {
            (Named1d::Lowpass, &[hz]) => Kernel1d::lowpass(hz, sample_rate, size),
            (Named1d::Highpass, &[hz]) => Kernel1d::highpass(hz, sample_rate, size),
            (Named1d::Bandpass, &[low, high]) => Kernel1d::bandpass([low, high], sample_rate, size),
            (Named1d::Bandstop, &[low, high]) => Kernel1d::bandstop([low, high], sample_rate, size),
            (Named1d::Preemphasis, []) => Ok(Kernel1d::preemphasis(PREEMPHASIS)),
            (Named1d::Preemphasis, &[hz]) => Kernel1d::preemphasis_from(hz, sample_rate),
            (Named1d::Gaussian, _) => Kernel1d::gaussian(self.sigma.unwrap_or(SIGMA)),
            (Named1d::Box, _) => Kernel1d::boxcar(self.size.unwrap_or(WINDOW)),
            (Named1d::Derivative, _) => Ok(Kernel1d::derivative()),
            _ => Err(needs_hz(name, sample_rate)),
        }
    }

    fn named_2d(&self, named: Named2d) -> Result<Kernel2d, KernelError> {
        self.refuse_others(named.name(), named.takes())?;
        let sigma = self.sigma.unwrap_or(SIGMA);
        let angle = self.angle.unwrap_or(0.0);
        match named {
            Named2d::Gaussian => Kernel2d::gaussian(sigma),
            Named2d::Box | Named2d::Median => Kernel2d::boxcar(self.size.unwrap_or(WINDOW)),
            Named2d::Sobel => Kernel2d::sobel(angle),
            Named2d::Prewitt => Kernel2d::prewitt(angle),
            Named2d::Scharr => Kernel2d::scharr(angle),
            Named2d::Laplacian => Ok(Kernel2d::laplacian()),
            Named2d::Sharpen => Ok(Kernel2d::sharpen()),
            Named2d::Emboss => Ok(Kernel2d::emboss()),
            Named2d::Unsharp => Kernel2d::unsharp(sigma, UNSHARP_AMOUNT),
            Named2d::Gabor => {
                let sigma = self.sigma.unwrap_or(GABOR_SIGMA);
                let reach = ((3.0 * sigma).ceil() as usize).saturating_mul(2).saturating_add(1);
                Kernel2d::gabor(sigma, sigma / GABOR_OCTAVE, angle, self.size.unwrap_or(reach))
            }
        }
    }

    /// The name or the taps, whichever is given.
    fn source(&self) -> Result<Source<'_>, KernelError> {
        let name = self.name.as_deref().filter(|name| !name.is_empty());
        let taps = self.taps.as_ref().filter(|taps| **taps != Taps::Line(Vec::new()));
        match (name, taps) {
            (Some(name), None) => Ok(Source::Name(name)),
            (None, Some(taps)) => {
                self.refuse_others("taps", &[])?;
                Ok(Source::Taps(taps))
            }
            _ => Err(KernelError::NameOrTaps),
        }
    }

    /// Fails where a parameter is given that `kernel` does not take.
    fn refuse_others(&self, kernel: &'static str, takes: &[&'static str]) -> Result<(), KernelError> {
        let given = [
            ("hz", !self.hz.is_empty()),
            ("sigma", self.sigma.is_some()),
            ("size", self.size.is_some()),
            ("angle", self.angle.is_some()),
        ];
        let Some((key, _)) = given.into_iter().find(|(key, given)| *given && !takes.contains(key)) else {
            return Ok(());
        };
        let takes = if takes.is_empty() { "no parameter".to_owned() } else { takes.join(", ") };
        Err(KernelError::Unused { kernel, key, takes })
    }
}

enum Source<'a> {
    Name(&'a str),
    Taps(&'a Taps),
}

fn plane(taps: &Taps) -> Result<Kernel2d, KernelError> {
    match taps {
        Taps::Plane(rows) => Kernel2d::from_rows(rows),
        Taps::Line(_) => {
            Err(KernelError::Dimensions { write: "taps = [[..], [..]] for an image or spectrogram" })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::way::Way;
    use super::*;

    fn named(name: &str) -> KernelSpec {
        KernelSpec { name: Some(name.to_owned()), taps: Some(Taps::Line(vec![])), ..KernelSpec::default() }
    }

    #[test]
    fn every_name_builds_with_its_defaults_or_says_what_it_needs() {
        for kernel in Named1d::ALL {
            match named(kernel.name()).build_1d::<f32>(8000.0) {
                Ok(filter) => assert_eq!(filter.way(), Way::Direct),
                Err(error) => assert!(error.to_string().contains("needs hz = ["), "{error}"),
            }
        }
        for kernel in Named2d::ALL {
            assert!(named(kernel.name()).build_2d::<f64>().is_ok(), "{kernel}");
        }
    }

    #[test]
    fn parameters_reach_the_kernel() {
        let low = KernelSpec { hz: vec![1000.0], size: Some(5), ..named("lowpass") };
        assert_eq!(low.kernel_1d(8000.0), Kernel1d::lowpass(1000.0, 8000.0, 5));
        let edge = KernelSpec { angle: Some(90.0), ..named("sobel") };
        assert_eq!(edge.named_2d(Named2d::Sobel), Kernel2d::sobel(90.0));
        assert_eq!(named("median").build_2d::<f32>().unwrap().way(), Way::Median);
        let gabor = named("gabor").named_2d(Named2d::Gabor).unwrap();
        assert_eq!(gabor.shape(), (13, 13));
    }

    #[test]
    fn taps_are_taken_in_their_dimension_only() {
        let line = KernelSpec { taps: Some(Taps::Line(vec![1.0, 2.0])), ..KernelSpec::default() };
        let rows = Taps::Plane(vec![vec![1.0, 2.0], vec![3.0, 4.0]]);
        let plane = KernelSpec { taps: Some(rows), ..KernelSpec::default() };
        assert_eq!(line.kernel_1d(8000.0).unwrap().taps(), [1.0, 2.0]);
        assert!(plane.build_2d::<f32>().is_ok());
        assert!(line.build_2d::<f32>().unwrap_err().to_string().contains("taps = [[..], [..]]"));
        assert!(plane.kernel_1d(8000.0).unwrap_err().to_string().contains("taps = [..]"));
    }

    #[test]
    fn errors_say_what_to_write() {
        let message = |spec: &KernelSpec| spec.kernel_1d(8000.0).unwrap_err().to_string();
        assert_eq!(
            message(&named("lowpass")),
            "lowpass needs hz = [cutoff] between 0 and 4000 (half the sample rate 8000)"
        );
        assert!(message(&KernelSpec { hz: vec![1.0, 2.0], ..named("highpass") }).contains("hz = [cutoff]"));
        assert!(message(&KernelSpec { hz: vec![1.0], ..named("bandpass") }).contains("hz = [low, high]"));
        assert_eq!(
            message(&KernelSpec { sigma: Some(1.0), ..named("lowpass") }),
            "sigma has no meaning for lowpass: leave it out (lowpass takes hz, size)"
        );
        assert!(message(&KernelSpec::default()).contains("either kernel = \"NAME\" or taps"));
        assert!(
            message(&KernelSpec { taps: Some(Taps::Line(vec![1.0])), ..named("box") }).contains("not both")
        );
        assert!(message(&named("sobel")).contains("there is no 1-D kernel"));
    }
}
