//! Second-order sections by shape, frequency and Q: Robert Bristow-Johnson's *Cookbook formulae for audio equalizer
//! biquad filter coefficients*. Each is an analogue filter put through the bilinear transform with its frequency kept.

use std::f64::consts::PI;

use super::super::kernel::KernelError;
use super::super::kernels::sinc::needs_hz;
use super::Section;

/// Q of a section where not said otherwise: `1 / sqrt(2)`, the flattest low-pass (Butterworth).
pub const BUTTERWORTH_Q: f64 = std::f64::consts::FRAC_1_SQRT_2;

/// The largest gain of a peak or shelf in dB to either side.
const GAIN_LIMIT_DB: f64 = 120.0;

/// What a section does to the spectrum; gains in dB.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Shape {
    /// Passes what is below, falls by 12 dB an octave above: `1 / (s^2 + s/Q + 1)`.
    Lowpass,
    /// Passes what is above: `s^2 / (s^2 + s/Q + 1)`.
    Highpass,
    /// Passes what is about the frequency, gain 1 there: `(s/Q) / (s^2 + s/Q + 1)`.
    Bandpass,
    /// Takes the frequency out: `(s^2 + 1) / (s^2 + s/Q + 1)`.
    Notch,
    /// Passes everything and turns its phase: `(s^2 - s/Q + 1) / (s^2 + s/Q + 1)`.
    Allpass,
    /// Lifts or lowers what is about the frequency by this many dB.
    Peaking(f64),
    /// Lifts or lowers what is below the frequency by this many dB.
    LowShelf(f64),
    /// Lifts or lowers what is above the frequency by this many dB.
    HighShelf(f64),
}

impl Shape {
    /// The name in the job file.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Lowpass => "biquad_lowpass",
            Self::Highpass => "biquad_highpass",
            Self::Bandpass => "biquad_bandpass",
            Self::Notch => "notch",
            Self::Allpass => "allpass",
            Self::Peaking(_) => "peaking",
            Self::LowShelf(_) => "low_shelf",
            Self::HighShelf(_) => "high_shelf",
        }
    }

    /// The square root of the gain as a factor, 1 for shapes without one.
    fn amplitude(self) -> Result<f64, KernelError> {
        let (Self::Peaking(db) | Self::LowShelf(db) | Self::HighShelf(db)) = self else { return Ok(1.0) };
        if db.abs() <= GAIN_LIMIT_DB {
            return Ok(libm::pow(10.0, db / 40.0));
        }
        let needs = format!("gain_db from -{GAIN_LIMIT_DB} to {GAIN_LIMIT_DB}, not {db}");
        Err(KernelError::Needs { kernel: self.name(), needs })
    }
}

impl Section {
    /// The section of this shape at `hz`, with `q` as sharp as it is: the bandwidth of a band-pass or notch is `hz / q`.
    ///
    /// Fails where `hz` is not between 0 and half of `sample_rate`, `q` is not above 0, or a gain is beyond 120 dB.
    pub fn shaped(shape: Shape, hz: f64, q: f64, sample_rate: f64) -> Result<Self, KernelError> {
        let kernel = shape.name();
        if !(hz > 0.0 && hz < sample_rate / 2.0 && sample_rate.is_finite()) {
            return Err(needs_hz(kernel, sample_rate));
        }
        if !(q > 0.0 && q.is_finite()) {
            return Err(KernelError::Needs { kernel, needs: format!("q above 0, such as 0.707, not {q}") });
        }
        let angle = 2.0 * PI * hz / sample_rate;
        let (cos, alpha) = (libm::cos(angle), libm::sin(angle) / (2.0 * q));
        Ok(scaled(coefficients(shape, shape.amplitude()?, cos, alpha)))
    }
}

/// `b0, b1, b2` and `a0, a1, a2` as the cookbook prints them.
fn coefficients(shape: Shape, gain: f64, cos: f64, alpha: f64) -> ([f64; 3], [f64; 3]) {
    let plain = [1.0 + alpha, -2.0 * cos, 1.0 - alpha];
    let (up, down, slope) = (gain + 1.0, gain - 1.0, 2.0 * gain.sqrt() * alpha);
    match shape {
        Shape::Lowpass => ([0.5 * (1.0 - cos), 1.0 - cos, 0.5 * (1.0 - cos)], plain),
        Shape::Highpass => ([0.5 * (1.0 + cos), -(1.0 + cos), 0.5 * (1.0 + cos)], plain),
        Shape::Bandpass => ([alpha, 0.0, -alpha], plain),
        Shape::Notch => ([1.0, -2.0 * cos, 1.0], plain),
        Shape::Allpass => ([1.0 - alpha, -2.0 * cos, 1.0 + alpha], plain),
        Shape::Peaking(_) => (
            [1.0 + alpha * gain, -2.0 * cos, 1.0 - alpha * gain],
            [1.0 + alpha / gain, -2.0 * cos, 1.0 - alpha / gain],
        ),
        Shape::LowShelf(_) => (
            [up - down * cos + slope, 2.0 * (down - up * cos), up - down * cos - slope].map(|b| gain * b),
            [up + down * cos + slope, -2.0 * (down + up * cos), up + down * cos - slope],
        ),
        Shape::HighShelf(_) => (
            [up + down * cos + slope, -2.0 * (down + up * cos), up + down * cos - slope].map(|b| gain * b),
            [up - down * cos + slope, 2.0 * (down - up * cos), up - down * cos - slope],
        ),
    }
}

/// A section with the leading coefficient of its feedback made 1.
fn scaled((b, [a0, a1, a2]): ([f64; 3], [f64; 3])) -> Section {
    Section { feed_forward: b.map(|b| b / a0), feed_back: [a1 / a0, a2 / a0] }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gain_db(shape: Shape, hz: f64) -> f64 {
        let section = Section::shaped(shape, 1000.0, 2.0, 16_000.0).unwrap();
        20.0 * libm::log10(section.response(2.0 * PI * hz / 16_000.0).norm())
    }

    #[test]
    fn gains_are_what_the_shapes_say() {
        for (shape, at, expected) in [
            (Shape::Lowpass, 1e-3, 0.0),
            (Shape::Lowpass, 1000.0, 6.0206),
            (Shape::Highpass, 7999.99, 0.0),
            (Shape::Bandpass, 1000.0, 0.0),
            (Shape::Notch, 1e-3, 0.0),
            (Shape::Allpass, 1234.0, 0.0),
            (Shape::Peaking(9.0), 1000.0, 9.0),
            (Shape::Peaking(-9.0), 1e-3, 0.0),
            (Shape::LowShelf(6.0), 1e-3, 6.0),
            (Shape::LowShelf(6.0), 7999.99, 0.0),
            (Shape::HighShelf(-6.0), 7999.99, -6.0),
            (Shape::HighShelf(-6.0), 1e-3, 0.0),
        ] {
            let found = gain_db(shape, at);
            assert!((found - expected).abs() < 1e-4, "{shape:?} at {at} Hz: {found} dB for {expected}");
        }
        assert!(gain_db(Shape::Notch, 1000.0) < -200.0);
    }

    #[test]
    fn errors_say_what_to_write() {
        let message = |shape, hz, q| Section::shaped(shape, hz, q, 8000.0).unwrap_err().to_string();
        assert_eq!(
            message(Shape::Notch, 4000.0, 1.0),
            "notch needs hz = [cutoff] between 0 and 4000 (half the sample rate 8000)"
        );
        assert!(message(Shape::Lowpass, 100.0, 0.0).contains("q above 0"));
        assert!(message(Shape::Peaking(1e9), 100.0, 1.0).contains("gain_db from -120 to 120"));
        assert!(message(Shape::Peaking(f64::NAN), 100.0, 1.0).contains("gain_db"));
    }
}
