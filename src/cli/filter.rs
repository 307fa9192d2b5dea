//! `wordwave filter`: a WAV or a PNG through the convolution module.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use image::{ColorType, DynamicImage, GenericImageView, ImageBuffer, ImageFormat, ImageReader};
use tempfile::NamedTempFile;

use crate::convolution::{Border, Filter2d, KernelSpec, Scratch, Taps};
use crate::corpus::{Decoding, read_recording};
use crate::error::{Error, Result};

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The file to filter: WAV (or FLAC, MP3, OGG) or PNG
    input: PathBuf,
    /// The file to write: .wav for sound, .png for a picture
    output: PathBuf,
    /// The kernel by name
    #[arg(long, value_name = "NAME", required_unless_present = "taps", conflicts_with = "taps")]
    kernel: Option<String>,
    /// The kernel's taps, convolved: [1, 2, 1] for sound, [[0,1,0],[1,-4,1],[0,1,0]] for a picture
    #[arg(long, value_name = "TAPS", allow_hyphen_values = true)]
    taps: Option<String>,
    /// Cutoff in Hz, or two for a band
    #[arg(long, value_delimiter = ',', value_name = "HZ", allow_hyphen_values = true)]
    hz: Vec<f64>,
    /// Width of a Gaussian in samples or pixels
    #[arg(long, allow_hyphen_values = true)]
    sigma: Option<f64>,
    /// Side of a window, or number of taps
    #[arg(long)]
    size: Option<usize>,
    /// Direction of a derivative or Gabor kernel in degrees: 0 to the right, 90 down
    #[arg(long, allow_hyphen_values = true)]
    angle: Option<f64>,
    /// What stands beyond the edge: reflect, mirror, nearest, wrap or constant
    #[arg(long, default_value = "reflect")]
    border: String,
}

pub(super) fn filter(arguments: &Arguments) -> Result<ExitCode> {
    let spec = spec(arguments)?;
    std::fs::metadata(&arguments.input).map_err(|error| Error::io("read", &arguments.input, error))?;
    match extension(&arguments.input).as_str() {
        "png" => filter_picture(&arguments.input, &arguments.output, &spec)?,
        _ => filter_sound(&arguments.input, &arguments.output, &spec)?,
    }
    Ok(ExitCode::SUCCESS)
}

fn spec(arguments: &Arguments) -> Result<KernelSpec> {
    let border: Border = arguments.border.parse().map_err(usage)?;
    let taps = arguments.taps.as_deref().map(parse_taps).transpose()?;
    Ok(KernelSpec {
        name: arguments.kernel.clone(),
        taps,
        hz: arguments.hz.clone(),
        sigma: arguments.sigma,
        size: arguments.size,
        angle: arguments.angle,
        border,
    })
}

fn parse_taps(text: &str) -> Result<Taps> {
    serde_json::from_str::<Vec<Vec<f64>>>(text)
        .map(Taps::Plane)
        .or_else(|_| serde_json::from_str::<Vec<f64>>(text).map(Taps::Line))
        .map_err(|_| Error::Usage(format!("--taps {text}: write [1, 2, 1] or [[0,1,0],[1,-4,1],[0,1,0]]")))
}

fn usage(error: impl std::fmt::Display) -> Error {
    Error::Usage(error.to_string())
}

fn unusable(path: &Path, error: impl std::fmt::Display) -> Error {
    Error::NothingToDo(format!("{}: {error}", path.display()))
}

fn extension(path: &Path) -> String {
    path.extension().map(|extension| extension.to_string_lossy().to_lowercase()).unwrap_or_default()
}

fn filter_sound(input: &Path, output: &Path, spec: &KernelSpec) -> Result<()> {
    if extension(output) != "wav" {
        return Err(Error::Usage(format!("{}: sound is written as .wav", output.display())));
    }
    let recording = read_recording(input).map_err(|reason| unusable(input, reason))?;
    let filter = spec.build_1d::<f64>(f64::from(recording.sample_rate)).map_err(usage)?;
    let width = usize::from(recording.channels);
    let mut scratch = Scratch::new();
    let filtered: Vec<Vec<f64>> = (0..width)
        .map(|channel| {
            let samples: Vec<f64> = recording
                .samples
                .iter()
                .skip(channel)
                .step_by(width)
                .map(|&sample| f64::from(sample))
                .collect();
            let mut out = Vec::new();
            filter.apply(&samples, &mut out, &mut scratch);
            out
        })
        .collect();
    write_wav(output, &filtered, &recording)
}

/// Integer samples keep their width and are rounded and clipped; anything else is written as 32-bit float.
fn write_wav(output: &Path, channels: &[Vec<f64>], recording: &Decoding) -> Result<()> {
    let integer = recording.bits.filter(|bits| matches!(bits, 8 | 16 | 24));
    let spec = hound::WavSpec {
        channels: recording.channels,
        sample_rate: recording.sample_rate,
        bits_per_sample: integer.unwrap_or(32),
        sample_format: if integer.is_some() { hound::SampleFormat::Int } else { hound::SampleFormat::Float },
    };
    let failed = |error: hound::Error| match error {
        hound::Error::IoError(error) => Error::io("write", output, error),
        other => unusable(output, other),
    };
    let beside = beside(output)?;
    let mut writer = hound::WavWriter::create(beside.path(), spec).map_err(failed)?;
    for i in 0..channels.first().map_or(0, Vec::len) {
        for channel in channels {
            match integer {
                Some(bits) => {
                    let full = 2f64.powi(i32::from(bits) - 1);
                    let value = (channel[i] * full).round_ties_even().clamp(-full, full - 1.0);
                    writer.write_sample(value as i32).map_err(failed)?;
                }
                None => writer.write_sample(channel[i] as f32).map_err(failed)?,
            }
        }
    }
    writer.finalize().map_err(failed)?;
    take_place(beside, output)
}

/// A file in the folder of `output`: what is written takes its place once it is whole, so that a full disk spoils nothing.
fn beside(output: &Path) -> Result<NamedTempFile> {
    let folder = output.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let suffix = format!(".{}", extension(output));
    let builder = tempfile::Builder::new()
        .suffix(&suffix)
        .permissions(Permissions::from_mode(0o644))
        .tempfile_in(folder);
    builder.map_err(|error| Error::io("create a file beside", output, error))
}

fn take_place(beside: NamedTempFile, output: &Path) -> Result<()> {
    beside.persist(output).map(drop).map_err(|error| Error::io("write", output, error.error))
}

fn filter_picture(input: &Path, output: &Path, spec: &KernelSpec) -> Result<()> {
    if extension(output) != "png" {
        return Err(Error::Usage(format!("{}: a picture is written as .png", output.display())));
    }
    let filter = spec.build_2d::<f64>().map_err(usage)?;
    let reader = ImageReader::open(input).map_err(|error| Error::io("read", input, error))?;
    let picture = reader
        .with_guessed_format()
        .map_err(|error| Error::io("read", input, error))?
        .decode()
        .map_err(|error| unusable(input, error))?;
    let filtered =
        filtered_picture(&picture, &filter).ok_or_else(|| unusable(input, "not a grey or RGB picture"))?;
    let beside = beside(output)?;
    filtered.save_with_format(beside.path(), ImageFormat::Png).map_err(|error| match error {
        image::ImageError::IoError(error) => Error::io("write", output, error),
        other => unusable(output, other),
    })?;
    take_place(beside, output)
}

/// Every colour channel on its own, rounded and clipped to the width of a pixel; transparency stays.
fn filtered_picture(picture: &DynamicImage, filter: &Filter2d<f64>) -> Option<DynamicImage> {
    let (width, height) = picture.dimensions();
    let shape = (height as usize, width as usize);
    Some(match picture.color() {
        ColorType::L8 => {
            let values = filter_planes(picture.as_luma8()?.as_raw(), 1, 1, shape, filter);
            ImageBuffer::from_raw(width, height, values).map(DynamicImage::ImageLuma8)?
        }
        ColorType::La8 => {
            let values = filter_planes(picture.as_luma_alpha8()?.as_raw(), 2, 1, shape, filter);
            ImageBuffer::from_raw(width, height, values).map(DynamicImage::ImageLumaA8)?
        }
        ColorType::Rgb8 => {
            let values = filter_planes(picture.as_rgb8()?.as_raw(), 3, 3, shape, filter);
            ImageBuffer::from_raw(width, height, values).map(DynamicImage::ImageRgb8)?
        }
        ColorType::Rgba8 => {
            let values = filter_planes(picture.as_rgba8()?.as_raw(), 4, 3, shape, filter);
            ImageBuffer::from_raw(width, height, values).map(DynamicImage::ImageRgba8)?
        }
        ColorType::L16 => {
            let values = filter_planes(picture.as_luma16()?.as_raw(), 1, 1, shape, filter);
            ImageBuffer::from_raw(width, height, values).map(DynamicImage::ImageLuma16)?
        }
        ColorType::La16 => {
            let values = filter_planes(picture.as_luma_alpha16()?.as_raw(), 2, 1, shape, filter);
            ImageBuffer::from_raw(width, height, values).map(DynamicImage::ImageLumaA16)?
        }
        ColorType::Rgb16 => {
            let values = filter_planes(picture.as_rgb16()?.as_raw(), 3, 3, shape, filter);
            ImageBuffer::from_raw(width, height, values).map(DynamicImage::ImageRgb16)?
        }
        ColorType::Rgba16 => {
            let values = filter_planes(picture.as_rgba16()?.as_raw(), 4, 3, shape, filter);
            ImageBuffer::from_raw(width, height, values).map(DynamicImage::ImageRgba16)?
        }
        _ => return None,
    })
}

/// A pixel channel of 8 or 16 bits.
trait Level: Copy + Into<f64> {
    fn rounded(value: f64) -> Self;
}

impl Level for u8 {
    fn rounded(value: f64) -> Self {
        value.round_ties_even().clamp(0.0, f64::from(Self::MAX)) as Self
    }
}

impl Level for u16 {
    fn rounded(value: f64) -> Self {
        value.round_ties_even().clamp(0.0, f64::from(Self::MAX)) as Self
    }
}

/// Filters the first `colours` of `channels` interleaved channels; the others stay.
fn filter_planes<L: Level>(
    pixels: &[L],
    channels: usize,
    colours: usize,
    (rows, cols): (usize, usize),
    filter: &Filter2d<f64>,
) -> Vec<L> {
    let mut out = pixels.to_vec();
    let mut scratch = Scratch::new();
    let mut filtered = Vec::new();
    for colour in 0..colours {
        let plane: Vec<f64> =
            pixels.iter().skip(colour).step_by(channels).map(|&level| level.into()).collect();
        filter.apply(&plane, rows, cols, &mut filtered, &mut scratch);
        for (pixel, &value) in out.iter_mut().skip(colour).step_by(channels).zip(&filtered) {
            *pixel = L::rounded(value);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_number_pixels_are_rounded_and_clipped_and_transparency_stays() {
        let taps = parse_taps("[[0,0,0],[0,3,0],[0,0,0]]").unwrap();
        let spec = KernelSpec { taps: Some(taps), ..KernelSpec::default() };
        let filter = spec.build_2d::<f64>().unwrap();
        assert_eq!(filter_planes(&[10u8, 7, 100, 9], 2, 1, (1, 2), &filter), [30, 7, 255, 9]);
        assert_eq!(filter_planes(&[300u16, 30_000], 1, 1, (1, 2), &filter), [900, 65_535]);
    }

    #[test]
    fn taps_are_rows_or_a_row() {
        assert_eq!(parse_taps("[1, -2, 1]").unwrap(), Taps::Line(vec![1.0, -2.0, 1.0]));
        assert!(parse_taps("1 2").is_err());
    }
}
