//! Kernels for images and spectrograms.
//!
//! Rows run downwards and columns to the right, so an angle of 0 degrees points to the right, along the columns,
//! and 90 degrees points down, along the rows. In the spectrograms of a job, a row a band and the lowest band first, 0
//! is towards later frames and 90 towards higher frequencies.

use std::f64::consts::PI;

use super::super::kernel::{Kernel1d, Kernel2d, KernelError, check_size};
use super::{check_sigma, check_taps};

impl Kernel2d {
    /// Gaussian of standard deviation `sigma` samples, cut at 4 sigma and scaled to sum 1, as
    /// `scipy.ndimage.gaussian_filter`. Fails where `sigma` is not above 0, or the taps are too many.
    pub fn gaussian(sigma: f64) -> Result<Self, KernelError> {
        let line = Kernel1d::gaussian(sigma)?;
        Self::from_outer(&line, &line)
    }

    /// Mean of `size` by `size` samples; a window of even size reaches one sample further left and up than right and
    /// down, as `scipy.ndimage.uniform_filter`. Fails where `size` is 0 or too large.
    pub fn boxcar(size: usize) -> Result<Self, KernelError> {
        let line = Kernel1d::boxcar(size)?;
        Self::from_outer(&line, &line)
    }

    /// Derivative along `angle` degrees, smoothed by 1 2 1 across it: positive where values rise in that direction.
    /// At 0 it is `scipy.ndimage.sobel(axis=1)`, at 90 `axis=0`. Fails where `angle` is not finite.
    pub fn sobel(angle: f64) -> Result<Self, KernelError> {
        gradient("sobel", [1.0, 2.0, 1.0], angle)
    }

    /// As [`Kernel2d::sobel`] smoothed by 1 1 1: `scipy.ndimage.prewitt`.
    pub fn prewitt(angle: f64) -> Result<Self, KernelError> {
        gradient("prewitt", [1.0, 1.0, 1.0], angle)
    }

    /// As [`Kernel2d::sobel`] smoothed by 3 10 3, which keeps angles best: OpenCV's `Scharr`.
    pub fn scharr(angle: f64) -> Result<Self, KernelError> {
        gradient("scharr", [3.0, 10.0, 3.0], angle)
    }

    /// Sum of the second differences along rows and columns: `scipy.ndimage.laplace`.
    #[must_use]
    pub fn laplacian() -> Self {
        three([0.0, 1.0, 0.0, 1.0, -4.0, 1.0, 0.0, 1.0, 0.0])
    }

    /// Laplacian of a Gaussian of `sigma` samples, cut at 4 sigma: the sum over both axes of
    /// `(z^2 / sigma^4 - 1 / sigma^2) g(z)` along it, times `g` across it. Equal to `scipy.ndimage.gaussian_laplace`; as
    /// there they sum to as little as `-0.005 / sigma^2`, not 0: what the cut takes from the Gaussian.
    ///
    /// Fails where `sigma` is not above 0, or the taps are too many.
    pub fn laplacian_of_gaussian(sigma: f64) -> Result<Self, KernelError> {
        let smooth = Kernel1d::gaussian(check_sigma("laplacian_of_gaussian", sigma)?)?;
        let middle = smooth.centre() as f64;
        let size = smooth.taps().len();
        check_size(size, size)?;
        let bend = |k: usize| {
            let z = (k as f64 - middle) / sigma;
            smooth.taps()[k] * (z * z - 1.0) / (sigma * sigma)
        };
        let tap = |k: usize, l: usize| bend(k) * smooth.taps()[l] + smooth.taps()[k] * bend(l);
        Self::new(size, size, (0..size * size).map(|i| tap(i / size, i % size)).collect())
    }

    /// The image less its Laplacian.
    #[must_use]
    pub fn sharpen() -> Self {
        three([0.0, -1.0, 0.0, -1.0, 5.0, -1.0, 0.0, -1.0, 0.0])
    }

    /// Relief: the image and its slope along the falling diagonal, bright where values rise to the lower right.
    #[must_use]
    pub fn emboss() -> Self {
        three([2.0, 1.0, 0.0, 1.0, 1.0, -1.0, 0.0, -1.0, -2.0])
    }

    /// Unsharp masking: the image and `amount` times what a Gaussian of `sigma` takes from it. Fails as
    /// [`Kernel2d::gaussian`], or where `amount` is not finite.
    pub fn unsharp(sigma: f64, amount: f64) -> Result<Self, KernelError> {
        let blur = Self::gaussian(check_sigma("unsharp", sigma)?)?;
        let (rows, cols) = blur.shape();
        let mut taps: Vec<f64> = blur.taps().iter().map(|tap| -amount * tap).collect();
        let middle = taps.len() / 2;
        taps[middle] += 1.0 + amount;
        Self::new(rows, cols, taps)
    }

    /// Real part of a Gabor kernel of `size` by `size` taps: a cosine of `wavelength` samples that runs along `angle`
    /// degrees, under a round Gaussian of `sigma`:
    /// `exp(-(x'^2 + y'^2) / (2 sigma^2)) cos(2 pi x' / wavelength)`, where `x'` runs along and `y'` across. Equal to
    /// OpenCV's `getGaborKernel` with gamma 1 and psi 0, and `2 pi sigma^2` times the real part of
    /// `skimage.filters.gabor_kernel`; so it is neither scaled nor free of its mean.
    ///
    /// The centre of an even size is `size / 2`, right of and below the middle. Fails where `sigma` or `wavelength` is
    /// not above 0, `angle` not finite, or `size` 0 or too large.
    pub fn gabor(sigma: f64, wavelength: f64, angle: f64, size: usize) -> Result<Self, KernelError> {
        wave(sigma, wavelength, angle, size, libm::cos)
    }

    /// Imaginary part of the same kernel, a sine in place of the cosine: its taps sum to 0 for odd sizes. With
    /// [`Kernel2d::gabor`] as real part it is the complex kernel.
    pub fn gabor_imaginary(
        sigma: f64,
        wavelength: f64,
        angle: f64,
        size: usize,
    ) -> Result<Self, KernelError> {
        wave(sigma, wavelength, angle, size, libm::sin)
    }
}

/// A wave along `angle` under a round Gaussian.
fn wave(
    sigma: f64,
    wavelength: f64,
    angle: f64,
    size: usize,
    phase: fn(f64) -> f64,
) -> Result<Kernel2d, KernelError> {
    let sigma = check_sigma("gabor", sigma)?;
    if !(wavelength > 0.0 && wavelength.is_finite()) {
        let needs = format!("a wavelength above 0 samples, not {wavelength}");
        return Err(KernelError::Needs { kernel: "gabor", needs });
    }
    let (cos, sin) = direction("gabor", angle)?;
    check_size(check_taps("gabor", size)?, size)?;
    let at = |k: usize| k as f64 - (size / 2) as f64;
    let tap = |y: f64, x: f64| {
        let (along, across) = ((x * cos + y * sin) / sigma, (y * cos - x * sin) / sigma);
        libm::exp(-0.5 * (along * along + across * across)) * phase(2.0 * PI * along * sigma / wavelength)
    };
    let taps = (0..size).flat_map(|k| (0..size).map(move |l| tap(at(k), at(l)))).collect();
    Kernel2d::new(size, size, taps)
}

/// The difference of the neighbours along `angle`, smoothed across it: exactly so along rows and columns, and the
/// sum of the two by cosine and sine between them.
fn gradient(kernel: &'static str, smooth: [f64; 3], angle: f64) -> Result<Kernel2d, KernelError> {
    // A convolution turns these: the tap before the centre meets the sample after it.
    const DIFFERENCE: [f64; 3] = [1.0, 0.0, -1.0];
    let (cos, sin) = direction(kernel, angle)?;
    let tap = |k: usize, l: usize| cos * smooth[k] * DIFFERENCE[l] + sin * DIFFERENCE[k] * smooth[l];
    Kernel2d::new(3, 3, (0..9).map(|i| tap(i / 3, i % 3)).collect())
}

/// Cosine and sine of an angle in degrees, exact at multiples of 90.
fn direction(kernel: &'static str, angle: f64) -> Result<(f64, f64), KernelError> {
    if !angle.is_finite() {
        let needs = format!("angle in degrees (0 to the right, 90 down), not {angle}");
        return Err(KernelError::Needs { kernel, needs });
    }
    let angle = angle.rem_euclid(360.0);
    let (cos, sin) = [(0.0, (1.0, 0.0)), (90.0, (0.0, 1.0)), (180.0, (-1.0, 0.0)), (270.0, (0.0, -1.0))]
        .into_iter()
        .find_map(|(degrees, exact)| (degrees == angle).then_some(exact))
        .unwrap_or_else(|| (libm::cos(angle.to_radians()), libm::sin(angle.to_radians())));
    Ok((cos, sin))
}

/// Three rows of three taps.
fn three(taps: [f64; 9]) -> Kernel2d {
    Kernel2d::of(3, 3, taps.to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sum(kernel: &Kernel2d) -> f64 {
        kernel.taps().iter().sum()
    }

    #[test]
    fn derivatives_point_where_they_say() {
        assert_eq!(Kernel2d::sobel(0.0).unwrap().taps(), [1., 0., -1., 2., 0., -2., 1., 0., -1.]);
        assert_eq!(Kernel2d::prewitt(90.0).unwrap().taps(), [1., 1., 1., 0., 0., 0., -1., -1., -1.]);
        assert_eq!(Kernel2d::scharr(-180.0).unwrap().taps(), [-3., 0., 3., -10., 0., 10., -3., 0., 3.]);
        let slanted = Kernel2d::sobel(45.0).unwrap();
        assert!((slanted.taps()[0] - 2.0_f64.sqrt()).abs() < 1e-15 && slanted.taps()[4] == 0.0);
        for angle in [0.0, 90.0, 180.0, 270.0, 450.0] {
            assert!(Kernel2d::sobel(angle).unwrap().separate().is_some());
        }
    }

    #[test]
    fn sums_are_those_of_the_kind() {
        for (kernel, expected) in [
            (Kernel2d::gaussian(1.5).unwrap(), 1.0),
            (Kernel2d::boxcar(4).unwrap(), 1.0),
            (Kernel2d::sobel(30.0).unwrap(), 0.0),
            (Kernel2d::laplacian(), 0.0),
            (Kernel2d::sharpen(), 1.0),
            (Kernel2d::emboss(), 1.0),
            (Kernel2d::unsharp(2.0, 0.7).unwrap(), 1.0),
            (Kernel2d::gabor_imaginary(2.0, 5.0, 30.0, 13).unwrap(), 0.0),
        ] {
            assert!((sum(&kernel) - expected).abs() < 1e-14, "{kernel:?}");
        }
    }

    #[test]
    fn the_laplacian_of_a_gaussian_is_nearly_nothing_on_a_flat_image() {
        for sigma in [0.7, 1.0, 2.0, 5.0] {
            let left = sum(&Kernel2d::laplacian_of_gaussian(sigma).unwrap()) * sigma * sigma;
            assert!(left.abs() < 0.006, "{sigma}: {left}");
        }
    }

    #[test]
    fn gabor_is_that_of_opencv() {
        // cv2.getGaborKernel((3, 3), 2.0, numpy.pi / 6, 5.0, 1.0, 0.0), OpenCV 5.0.0
        let kernel = Kernel2d::gabor(2.0, 5.0, 30.0, 3).unwrap();
        let expected = [
            -0.113_148_687_987_028_46,
            0.713_954_991_674_190_2,
            0.697_859_839_991_437_1,
            0.409_487_403_844_105_7,
            1.0,
        ];
        for (found, expected) in kernel.taps()[..5].iter().zip(expected) {
            assert!((found - expected).abs() < 1e-15, "{found} for {expected}");
        }
    }

    #[test]
    fn parameters_outside_their_range_are_refused() {
        for bad in [f64::NAN, f64::INFINITY] {
            assert!(Kernel2d::sobel(bad).is_err() && Kernel2d::gaussian(bad).is_err());
            assert!(Kernel2d::gabor(1.0, bad, 0.0, 3).is_err() && Kernel2d::unsharp(1.0, bad).is_err());
        }
        assert!(Kernel2d::gabor(1.0, 2.0, 0.0, 0).is_err() && Kernel2d::boxcar(1 << 12).is_err());
        assert_eq!(
            Kernel2d::unsharp(0.0, 1.0).unwrap_err().to_string(),
            "unsharp needs sigma above 0 samples, not 0"
        );
    }
}
