//! The description of a filter as a job file or command line gives it, and the filter made from it.

use super::bank::Bank;
use super::border::Border;
use super::filter1d::Filter1d;
use super::filter2d::Filter2d;
use super::kernel::{Kernel1d, Kernel2d, KernelError};
use super::kernels::kaiser::KAISER_DB;
use super::kernels::line::PREEMPHASIS;
use super::kernels::savitzky_golay::{SAVGOL_ORDER, SAVGOL_TAPS};
use super::kernels::sinc::{Pass, SINC_TAPS, needs_hz};
use super::kernels::{Named1d, Named2d};
use super::named::{ImageFilter, SignalFilter};
use super::nonlinear::{Bilateral, Footprint, Median, Morphology, Operator};
use super::recursive::{BUTTERWORTH_Q, Cascade, Recursive, Section, Shape, a_weighting};
use super::sample::Sample;
use super::way::Options;

/// Side of a box, median or footprint where no `size` is given.
const WINDOW: usize = 3;

/// Width of a Gaussian in samples where no `sigma` is given.
const SIGMA: f64 = 1.0;

/// Width of a Gabor kernel or bilateral filter in samples where no `sigma` is given.
const WIDE_SIGMA: f64 = 2.0;

/// Share of what the Gaussian takes away that unsharp masking adds where no `amount` is given.
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
/// default of the filter; a parameter that has no meaning for it is an error.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct KernelSpec {
    /// One of [`Named1d`] or [`Named2d`]; an empty name is none.
    pub name: Option<String>,
    /// The taps where there is no name; an empty list is none.
    pub taps: Option<Taps>,
    /// Cutoffs of the sinc filters, of pre-emphasis and of sections, in Hz.
    pub hz: Vec<f64>,
    /// Attenuation of a sinc filter in dB (60) at the least, which Kaiser's window then gives it.
    pub db: Option<f64>,
    /// Width of the edges of a sinc filter in Hz under Kaiser's window, which takes the place of `size`.
    pub transition_hz: Option<f64>,
    /// Sharpness of a section (0.707).
    pub q: Option<f64>,
    /// What a peak or shelf adds in dB.
    pub gain_db: Option<f64>,
    /// Whether a section runs forwards and backwards.
    pub zero_phase: bool,
    /// Width of a Gaussian in samples (1; 2 for Gabor and the bilateral filter).
    pub sigma: Option<f64>,
    /// Length of a Gabor kernel's wave in samples (1.78 sigma, a bandwidth of one octave).
    pub wavelength: Option<f64>,
    /// Difference in level that a bilateral filter still counts.
    pub range: Option<f64>,
    /// What unsharp masking adds (1).
    pub amount: Option<f64>,
    /// Side of a box, median or footprint (3), of a Gabor kernel (the odd number that reaches 3 sigma) or bilateral
    /// filter (1.5 sigma), or number of taps of a sinc filter or Hilbert kernel (101) or Savitzky-Golay fit (11).
    pub size: Option<usize>,
    /// `square` (where not said otherwise) or `disc`.
    pub footprint: Option<String>,
    /// Degree of a Savitzky-Golay fit (2).
    pub order: Option<usize>,
    /// Which derivative of a Savitzky-Golay fit (0: its value).
    pub derivative: Option<usize>,
    /// Direction of a derivative or Gabor kernel in degrees (0): 0 to the right, 90 down.
    pub angle: Option<f64>,
    /// What stands beyond the edge.
    pub border: Border,
}

impl KernelSpec {
    /// The filter for a signal of `sample_rate` Hz, which only the kernels with `hz` use.
    ///
    /// Fails with what to write instead where the name, a parameter or the taps will not do.
    pub fn build_1d<T: Sample>(&self, sample_rate: f64) -> Result<SignalFilter<T>, KernelError> {
        self.build_1d_with(sample_rate, Options::default())
    }

    /// The same with options for the kernels that have taps.
    pub fn build_1d_with<T: Sample>(
        &self,
        sample_rate: f64,
        options: Options,
    ) -> Result<SignalFilter<T>, KernelError> {
        Ok(match self.signal(sample_rate)? {
            Signal::Taps(kernel) => Filter1d::with_options(&kernel, self.border, options)?.into(),
            Signal::Recursive(cascade) => {
                SignalFilter::Recursive(Recursive::new(cascade, self.border, self.zero_phase))
            }
        })
    }

    /// The filter for an image or spectrogram. Fails as [`KernelSpec::build_1d`].
    pub fn build_2d<T: Sample>(&self) -> Result<ImageFilter<T>, KernelError> {
        self.build_2d_with(Options::default())
    }

    /// The same with options for the kernels that have taps.
    pub fn build_2d_with<T: Sample>(&self, options: Options) -> Result<ImageFilter<T>, KernelError> {
        let named = match self.source()? {
            Source::Taps(taps) => {
                return Ok(Filter2d::with_options(&plane(taps)?, self.border, options)?.into());
            }
            Source::Name(name) => Named2d::parse(name)?,
        };
        self.refuse_others(named.name(), named.takes())?;
        let operator = match named {
            Named2d::Median => {
                return Ok(ImageFilter::Median(Median::new(self.size.unwrap_or(WINDOW))?, self.border));
            }
            Named2d::Bilateral => return Ok(ImageFilter::Bilateral(self.bilateral()?, self.border)),
            Named2d::GaborMagnitude => {
                let parts = [Named2d::Gabor, Named2d::GaborImaginary].map(|part| self.gabor(part));
                let [real, imaginary] = parts;
                let bank = Bank::new(&[real?, imaginary?], self.border, options)?;
                return Ok(ImageFilter::Magnitude(bank));
            }
            Named2d::Erosion => Operator::Erosion,
            Named2d::Dilation => Operator::Dilation,
            Named2d::Opening => Operator::Opening,
            Named2d::Closing => Operator::Closing,
            kernel => {
                let kernel = self.image_kernel(kernel)?;
                return Ok(Filter2d::with_options(&kernel, self.border, options)?.into());
            }
        };
        let footprint = self.footprint.as_deref().map(|name| Footprint::parse(operator.name(), name));
        let footprint = footprint.transpose()?.unwrap_or_default();
        let morphology = Morphology::new(operator, footprint, self.size.unwrap_or(WINDOW))?;
        Ok(ImageFilter::Morphology(morphology, self.border))
    }

    /// The kernel for a signal of `sample_rate` Hz. Fails as [`KernelSpec::build_1d`], and for recursive filters, which
    /// have no taps.
    pub fn kernel_1d(&self, sample_rate: f64) -> Result<Kernel1d, KernelError> {
        match self.signal(sample_rate)? {
            Signal::Taps(kernel) => Ok(kernel),
            Signal::Recursive(_) => Err(KernelError::NoTaps { name: self.name.clone().unwrap_or_default() }),
        }
    }

    /// The kernel for an image or spectrogram. Fails as [`KernelSpec::build_1d`], and for filters that are no sums
    /// over taps.
    pub fn kernel_2d(&self) -> Result<Kernel2d, KernelError> {
        let named = match self.source()? {
            Source::Taps(taps) => return plane(taps),
            Source::Name(name) => Named2d::parse(name)?,
        };
        self.refuse_others(named.name(), named.takes())?;
        self.image_kernel(named)
    }

    fn signal(&self, sample_rate: f64) -> Result<Signal, KernelError> {
        let named = match self.source()? {
            Source::Taps(Taps::Line(taps)) => return Ok(Signal::Taps(Kernel1d::new(taps.clone())?)),
            Source::Taps(Taps::Plane(_)) => {
                return Err(KernelError::Dimensions { write: "taps = [..] for a signal" });
            }
            Source::Name(name) => Named1d::parse(name)?,
        };
        self.refuse_others(named.name(), named.takes())?;
        if named == Named1d::AWeighting {
            return Ok(Signal::Recursive(a_weighting(sample_rate)?));
        }
        match self.shape(named)? {
            Some(shape) => Ok(Signal::Recursive(self.section(shape, sample_rate)?)),
            None => Ok(Signal::Taps(self.signal_kernel(named, sample_rate)?)),
        }
    }

    /// The shape of a recursive section, `None` for the other names.
    fn shape(&self, named: Named1d) -> Result<Option<Shape>, KernelError> {
        let gain_db = || {
            let needs =
                || KernelError::Needs { kernel: named.name(), needs: "gain_db, such as 6.0".to_owned() };
            self.gain_db.ok_or_else(needs)
        };
        Ok(Some(match named {
            Named1d::BiquadLowpass => Shape::Lowpass,
            Named1d::BiquadHighpass => Shape::Highpass,
            Named1d::BiquadBandpass => Shape::Bandpass,
            Named1d::Notch => Shape::Notch,
            Named1d::Allpass => Shape::Allpass,
            Named1d::Peaking => Shape::Peaking(gain_db()?),
            Named1d::LowShelf => Shape::LowShelf(gain_db()?),
            Named1d::HighShelf => Shape::HighShelf(gain_db()?),
            _ => return Ok(None),
        }))
    }

    fn section(&self, shape: Shape, sample_rate: f64) -> Result<Cascade, KernelError> {
        let &[hz] = self.hz.as_slice() else { return Err(needs_hz(shape.name(), sample_rate)) };
        let q = self.q.unwrap_or(BUTTERWORTH_Q);
        Ok(Cascade::new(vec![Section::shaped(shape, hz, q, sample_rate)?]))
    }

    fn signal_kernel(&self, named: Named1d, sample_rate: f64) -> Result<Kernel1d, KernelError> {
        let window = self.size.unwrap_or(WINDOW);
        match (named, self.hz.as_slice()) {
            (Named1d::Lowpass, &[hz]) => self.sinc(Pass::Low(hz), sample_rate),
            (Named1d::Highpass, &[hz]) => self.sinc(Pass::High(hz), sample_rate),
            (Named1d::Bandpass, &[low, high]) => self.sinc(Pass::Band([low, high]), sample_rate),
            (Named1d::Bandstop, &[low, high]) => self.sinc(Pass::Outside([low, high]), sample_rate),
            (Named1d::Preemphasis, []) => Ok(Kernel1d::preemphasis(PREEMPHASIS)),
            (Named1d::Preemphasis, &[hz]) => Kernel1d::preemphasis_from(hz, sample_rate),
            (Named1d::Gaussian, _) => Kernel1d::gaussian(self.sigma.unwrap_or(SIGMA)),
            (Named1d::Box | Named1d::MovingAverage, _) => Kernel1d::boxcar(window),
            (Named1d::SavitzkyGolay, _) => Kernel1d::savitzky_golay(
                self.size.unwrap_or(SAVGOL_TAPS),
                self.order.unwrap_or(SAVGOL_ORDER),
                self.derivative.unwrap_or(0),
            ),
            (Named1d::Derivative, _) => Ok(Kernel1d::derivative()),
            (Named1d::Hilbert, _) => Kernel1d::hilbert(self.size.unwrap_or(SINC_TAPS)),
            _ => Err(needs_hz(named.name(), sample_rate)),
        }
    }

    /// A Kaiser design where `db` or `transition_hz` is given, otherwise one under the Hamming window.
    fn sinc(&self, pass: Pass, sample_rate: f64) -> Result<Kernel1d, KernelError> {
        match (self.size, self.db, self.transition_hz) {
            (size, None, None) => Kernel1d::windowed_sinc(pass, sample_rate, size.unwrap_or(SINC_TAPS)),
            (None, db, Some(width)) => Kernel1d::stopping(pass, sample_rate, db.unwrap_or(KAISER_DB), width),
            (_, _, width) => {
                let needs =
                    if width.is_some() { "either size or transition_hz" } else { "transition_hz with db" };
                Err(KernelError::Needs { kernel: pass.name(), needs: needs.to_owned() })
            }
        }
    }

    fn image_kernel(&self, named: Named2d) -> Result<Kernel2d, KernelError> {
        let sigma = self.sigma.unwrap_or(SIGMA);
        let angle = self.angle.unwrap_or(0.0);
        match named {
            Named2d::Gaussian => Kernel2d::gaussian(sigma),
            Named2d::Box => Kernel2d::boxcar(self.size.unwrap_or(WINDOW)),
            Named2d::Sobel => Kernel2d::sobel(angle),
            Named2d::Prewitt => Kernel2d::prewitt(angle),
            Named2d::Scharr => Kernel2d::scharr(angle),
            Named2d::Laplacian => Ok(Kernel2d::laplacian()),
            Named2d::LaplacianOfGaussian => Kernel2d::laplacian_of_gaussian(sigma),
            Named2d::Sharpen => Ok(Kernel2d::sharpen()),
            Named2d::Emboss => Ok(Kernel2d::emboss()),
            Named2d::Unsharp => Kernel2d::unsharp(sigma, self.amount.unwrap_or(UNSHARP_AMOUNT)),
            Named2d::Gabor | Named2d::GaborImaginary => self.gabor(named),
            Named2d::GaborMagnitude
            | Named2d::Median
            | Named2d::Bilateral
            | Named2d::Erosion
            | Named2d::Dilation
            | Named2d::Opening
            | Named2d::Closing => Err(KernelError::NoTaps { name: named.name().to_owned() }),
        }
    }

    fn gabor(&self, part: Named2d) -> Result<Kernel2d, KernelError> {
        let sigma = self.sigma.unwrap_or(WIDE_SIGMA);
        let reach = ((3.0 * sigma).ceil() as usize).saturating_mul(2).saturating_add(1);
        let (size, angle) = (self.size.unwrap_or(reach), self.angle.unwrap_or(0.0));
        let wavelength = self.wavelength.unwrap_or(sigma / GABOR_OCTAVE);
        if part == Named2d::Gabor {
            Kernel2d::gabor(sigma, wavelength, angle, size)
        } else {
            Kernel2d::gabor_imaginary(sigma, wavelength, angle, size)
        }
    }

    fn bilateral(&self) -> Result<Bilateral, KernelError> {
        let Some(range) = self.range else {
            let needs = "range, the difference in level that still counts, such as 25.0".to_owned();
            return Err(KernelError::Needs { kernel: Named2d::Bilateral.name(), needs });
        };
        Bilateral::new(self.sigma.unwrap_or(WIDE_SIGMA), range, self.size)
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
            ("db", self.db.is_some()),
            ("transition_hz", self.transition_hz.is_some()),
            ("q", self.q.is_some()),
            ("gain_db", self.gain_db.is_some()),
            ("zero_phase", self.zero_phase),
            ("sigma", self.sigma.is_some()),
            ("wavelength", self.wavelength.is_some()),
            ("range", self.range.is_some()),
            ("amount", self.amount.is_some()),
            ("size", self.size.is_some()),
            ("footprint", self.footprint.is_some()),
            ("order", self.order.is_some()),
            ("derivative", self.derivative.is_some()),
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

enum Signal {
    Taps(Kernel1d),
    Recursive(Cascade),
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
    use super::super::way::Scratch;
    use super::*;

    fn named(name: &str) -> KernelSpec {
        KernelSpec { name: Some(name.to_owned()), taps: Some(Taps::Line(vec![])), ..KernelSpec::default() }
    }

    #[test]
    fn every_name_builds_with_its_defaults_or_says_what_it_needs() {
        let needs = ["needs hz = [", "needs gain_db", "needs range"];
        let told = |error: &KernelError| needs.iter().any(|needs| error.to_string().contains(needs));
        for kernel in Named1d::ALL {
            let built = named(kernel.name()).build_1d::<f32>(8000.0);
            assert!(built.as_ref().map_or_else(told, |_| true), "{kernel}: {built:?}");
            let hz = vec![500.0, 1500.0];
            let hz = if kernel.name().starts_with("band") { hz } else { hz[..1].to_vec() };
            let full = KernelSpec {
                hz: if kernel.takes().contains(&"hz") { hz } else { vec![] },
                gain_db: kernel.takes().contains(&"gain_db").then_some(6.0),
                ..named(kernel.name())
            };
            assert!(full.build_1d::<f32>(8000.0).is_ok(), "{kernel}");
        }
        for kernel in Named2d::ALL {
            let range = kernel.takes().contains(&"range").then_some(10.0);
            let built = named(kernel.name()).build_2d::<f64>();
            assert!(built.as_ref().map_or_else(told, |_| true), "{kernel}: {built:?}");
            assert!(KernelSpec { range, ..named(kernel.name()) }.build_2d::<f64>().is_ok(), "{kernel}");
        }
    }

    #[test]
    fn every_filter_runs_over_every_border_and_keeps_the_shape() {
        let image: Vec<f32> = (0..9 * 7).map(|i| (i * i % 23) as f32).collect();
        let (mut output, mut scratch) = (Vec::new(), Scratch::new());
        for border in Border::ALL {
            for kernel in Named2d::ALL {
                let range = kernel.takes().contains(&"range").then_some(10.0);
                let filter = KernelSpec { range, border, ..named(kernel.name()) }.build_2d().unwrap();
                filter.apply(&image, 7, 9, &mut output, &mut scratch);
                assert!(
                    output.len() == 63 && output.iter().all(|x: &f32| x.is_finite()),
                    "{kernel} {border}"
                );
                filter.apply(&[], 7, 0, &mut output, &mut scratch);
                assert!(output.is_empty());
            }
        }
    }

    #[test]
    fn parameters_reach_the_kernel() {
        let low = KernelSpec { hz: vec![1000.0], size: Some(5), ..named("lowpass") };
        assert_eq!(low.kernel_1d(8000.0), Kernel1d::lowpass(1000.0, 8000.0, 5));
        let edge = KernelSpec { angle: Some(90.0), ..named("sobel") };
        assert_eq!(edge.kernel_2d(), Kernel2d::sobel(90.0));
        assert_eq!(named("gabor").kernel_2d().unwrap().shape(), (13, 13));
        let steep = KernelSpec { hz: vec![1000.0], transition_hz: Some(200.0), ..named("lowpass") };
        assert_eq!(steep.kernel_1d(8000.0), Kernel1d::stopping(Pass::Low(1000.0), 8000.0, 60.0, 200.0));
        let slope = KernelSpec { size: Some(7), order: Some(3), derivative: Some(1), ..named("savgol") };
        assert_eq!(slope.kernel_1d(8000.0), Kernel1d::savitzky_golay(7, 3, 1));
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
            "sigma has no meaning for lowpass: leave it out (lowpass takes hz, size, db, transition_hz)"
        );
        assert!(message(&KernelSpec::default()).contains("either kernel = \"NAME\" or taps"));
        assert!(
            message(&KernelSpec { taps: Some(Taps::Line(vec![1.0])), ..named("box") }).contains("not both")
        );
        assert!(message(&named("sobel")).contains("there is no 1-D kernel"));
        assert_eq!(
            message(&KernelSpec { hz: vec![9.0], db: Some(70.0), ..named("lowpass") }),
            "lowpass needs transition_hz with db"
        );
        assert!(message(&named("a_weighting")).contains("a_weighting has no taps"));
        assert!(named("median").kernel_2d().unwrap_err().to_string().contains("median has no taps"));
    }
}
