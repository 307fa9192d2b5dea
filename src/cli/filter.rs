//! `wordwave filter`: a WAV or a PNG through the convolution module.

mod picture;
mod sound;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;

use crate::convolution::{Border, Choice, KernelSpec, Mode, Named1d, Named2d, Taps};
use crate::error::{Error, Result};

#[derive(Debug, Args)]
#[command(after_help = kernels())]
pub(super) struct Arguments {
    /// The file to filter: WAV (or FLAC, MP3, OGG) or PNG
    input: PathBuf,
    /// The file to write: .wav for sound, .png for a picture
    output: PathBuf,
    #[command(flatten)]
    source: Source,
    #[command(flatten)]
    parameters: Parameters,
    /// What stands beyond the edge: reflect, mirror, nearest, wrap or constant [default: reflect, with --impulse constant]
    #[arg(long, value_name = "NAME")]
    border: Option<String>,
    /// How much comes out: same (as much as goes in), full (all that the input reaches: the tail of an impulse) or valid
    /// (what reads no border)
    #[arg(long, default_value = "same", value_name = "NAME")]
    mode: String,
    /// Convolve with the impulse in parts of this many samples, as for sound that arrives in blocks
    #[arg(long, value_name = "SAMPLES")]
    block: Option<usize>,
    /// Print how the filter is computed and what that cost
    #[arg(long)]
    plan: bool,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct Source {
    /// The kernel by name
    #[arg(long, value_name = "NAME")]
    kernel: Option<String>,
    /// The kernel's taps, convolved: [1, 2, 1] for sound, [[0,1,0],[1,-4,1],[0,1,0]] for a picture
    #[arg(long, value_name = "TAPS", allow_hyphen_values = true)]
    taps: Option<String>,
    /// A recording of an impulse (a room, a loudspeaker) to convolve sound with: one channel, or as many as the sound
    #[arg(long, value_name = "FILE")]
    impulse: Option<PathBuf>,
}

/// What the kernels take; each names those that have no meaning for it.
#[derive(Debug, Args)]
struct Parameters {
    /// Cutoff in Hz, or two for a band
    #[arg(long, value_delimiter = ',', value_name = "HZ", allow_hyphen_values = true)]
    hz: Vec<f64>,
    /// Attenuation of a lowpass, highpass, bandpass or bandstop in dB, with --transition-hz
    #[arg(long, allow_hyphen_values = true)]
    db: Option<f64>,
    /// Width of its edges in Hz, in place of --size
    #[arg(long, value_name = "HZ", allow_hyphen_values = true)]
    transition_hz: Option<f64>,
    /// Sharpness of a recursive section
    #[arg(long, allow_hyphen_values = true)]
    q: Option<f64>,
    /// What a peak or shelf adds in dB
    #[arg(long, value_name = "DB", allow_hyphen_values = true)]
    gain_db: Option<f64>,
    /// Run a recursive section forwards and backwards, without delay
    #[arg(long)]
    zero_phase: bool,
    /// Width of a Gaussian in samples or pixels
    #[arg(long, allow_hyphen_values = true)]
    sigma: Option<f64>,
    /// Length of a Gabor kernel's wave in pixels
    #[arg(long, allow_hyphen_values = true)]
    wavelength: Option<f64>,
    /// Difference in level that a bilateral filter still counts, in levels of the picture
    #[arg(long, allow_hyphen_values = true)]
    range: Option<f64>,
    /// How much unsharp masking adds
    #[arg(long, allow_hyphen_values = true)]
    amount: Option<f64>,
    /// Side of a window, or number of taps
    #[arg(long)]
    size: Option<usize>,
    /// Shape of the window of an erosion, dilation, opening or closing: square or disc
    #[arg(long, value_name = "NAME")]
    footprint: Option<String>,
    /// Degree of a Savitzky-Golay fit
    #[arg(long)]
    order: Option<usize>,
    /// Which derivative of a Savitzky-Golay fit
    #[arg(long)]
    derivative: Option<usize>,
    /// Direction of a derivative or Gabor kernel in degrees: 0 to the right, 90 down
    #[arg(long, allow_hyphen_values = true)]
    angle: Option<f64>,
}

/// A filter asked for: a description, or an impulse response to read.
struct Request<'a> {
    input: &'a Path,
    output: &'a Path,
    spec: KernelSpec,
    impulse: Option<&'a Path>,
    /// Samples of a part of the impulse.
    block: Option<usize>,
    mode: Mode,
    plan: bool,
    threads: usize,
}

pub(super) fn filter(arguments: &Arguments) -> Result<ExitCode> {
    let request = request(arguments)?;
    std::fs::metadata(request.input).map_err(|error| Error::io("read", request.input, error))?;
    let lines = match extension(request.input).as_str() {
        "png" => picture::filter(&request)?,
        _ => sound::filter(&request)?,
    };
    if request.plan {
        super::print(&(lines.join("\n") + "\n"))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn request(arguments: &Arguments) -> Result<Request<'_>> {
    let Arguments { source, parameters, .. } = arguments;
    let border = match (&arguments.border, &source.impulse) {
        (Some(name), _) => name.parse().map_err(|error| Error::Usage(format!("--border: {error}")))?,
        (None, Some(_)) => Border::Constant,
        (None, None) => Border::default(),
    };
    let spec = KernelSpec {
        name: source.kernel.clone(),
        taps: source.taps.as_deref().map(parse_taps).transpose()?,
        hz: parameters.hz.clone(),
        db: parameters.db,
        transition_hz: parameters.transition_hz,
        q: parameters.q,
        gain_db: parameters.gain_db,
        zero_phase: parameters.zero_phase,
        sigma: parameters.sigma,
        wavelength: parameters.wavelength,
        range: parameters.range,
        amount: parameters.amount,
        size: parameters.size,
        footprint: parameters.footprint.clone(),
        order: parameters.order,
        derivative: parameters.derivative,
        angle: parameters.angle,
        border,
    };
    if source.impulse.is_some() && spec != (KernelSpec { border, ..KernelSpec::default() }) {
        return Err(Error::Usage("--impulse is a kernel by itself: leave its parameters out".to_owned()));
    }
    check_block(arguments, border)?;
    Ok(Request {
        input: &arguments.input,
        output: &arguments.output,
        spec,
        impulse: source.impulse.as_deref(),
        block: arguments.block,
        mode: parse_mode(&arguments.mode)?,
        plan: arguments.plan,
        threads: std::thread::available_parallelism().map_or(1, usize::from),
    })
}

/// What `--block` can be asked for with.
fn check_block(arguments: &Arguments, border: Border) -> Result<()> {
    let reason = match (arguments.block, &arguments.source.impulse) {
        (Some(_), None) => "the parts of a recorded impulse: give it with --impulse",
        (Some(_), Some(_)) if border != Border::Constant || arguments.mode == "valid" => {
            "a stream has zeros before and after it: --border constant, --mode same or full"
        }
        _ => return Ok(()),
    };
    Err(Error::Usage(format!("--block: {reason}")))
}

fn parse_taps(text: &str) -> Result<Taps> {
    serde_json::from_str::<Vec<Vec<f64>>>(text)
        .map(Taps::Plane)
        .or_else(|_| serde_json::from_str::<Vec<f64>>(text).map(Taps::Line))
        .map_err(|_| Error::Usage(format!("--taps {text}: write [1, 2, 1] or [[0,1,0],[1,-4,1],[0,1,0]]")))
}

fn parse_mode(name: &str) -> Result<Mode> {
    match name {
        "same" => Ok(Mode::Same),
        "full" => Ok(Mode::Full),
        "valid" => Ok(Mode::Valid),
        _ => Err(Error::Usage(format!("--mode {name}: write same, full or valid"))),
    }
}

/// The names there are, for the help.
fn kernels() -> String {
    let sound: Vec<&str> = Named1d::ALL.iter().map(|named| named.name()).collect();
    let picture: Vec<&str> = Named2d::ALL.iter().map(|named| named.name()).collect();
    format!("Kernels for sound: {}\nKernels for pictures: {}", sound.join(", "), picture.join(", "))
}

/// The plan for one shape: what was chosen and why, with the predicted costs.
fn planned(predicted: Option<Choice>, choice: Option<&Choice>) -> String {
    let asked = choice.is_some_and(|choice| choice.asked);
    predicted.map_or_else(|| "nothing to do".to_owned(), |plan| Choice { asked, ..plan }.to_string())
}

/// The same with what it took.
fn measured(how: &str, seconds: f64) -> String {
    format!("{how}; measured {:.3} ms", seconds * 1e3)
}

/// What is wrong with the filter that was asked for, with the file it was asked for.
fn usage(path: &Path, error: impl std::fmt::Display) -> Error {
    Error::Usage(format!("{}: {error}", path.display()))
}

fn unusable(path: &Path, error: impl std::fmt::Display) -> Error {
    Error::NothingToDo(format!("{}: {error}", path.display()))
}

fn extension(path: &Path) -> String {
    path.extension().map(|extension| extension.to_string_lossy().to_lowercase()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn taps_are_rows_or_a_row() {
        assert_eq!(parse_taps("[1, -2, 1]").unwrap(), Taps::Line(vec![1.0, -2.0, 1.0]));
        assert_eq!(parse_taps("[[1], [2]]").unwrap(), Taps::Plane(vec![vec![1.0], vec![2.0]]));
        assert!(parse_taps("1 2").is_err());
    }

    #[test]
    fn modes_are_read_and_others_refused() {
        assert_eq!(parse_mode("valid").unwrap(), Mode::Valid);
        assert!(parse_mode("vaild").unwrap_err().to_string().contains("same, full or valid"));
    }
}
