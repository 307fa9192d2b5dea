//! Pictures through a filter: 8 and 16 bits, grey and RGB, transparency kept.

use std::path::Path;
use std::time::Instant;

use image::{ColorType, DynamicImage, GenericImageView, ImageBuffer, ImageFormat, ImageReader};

use crate::convolution::{Filter2d, ImageFilter, Kernel2d, KernelError, Mode, Options, Scratch};
use crate::error::{Error, Result};

use super::{Request, extension, measured, planned, unusable, usage};
use crate::cli::output::{beside, take_place};

/// The filter of the colours, and what transparency needs to stay with them where the shape changes.
struct Filters {
    colour: ImageFilter<f64>,
    alpha: Option<ImageFilter<f64>>,
}

/// Filters every colour on its own; tells how that was done, a line each.
pub(super) fn filter(request: &Request<'_>) -> Result<Vec<String>> {
    let Request { input, output, .. } = *request;
    if extension(output) != "png" {
        return Err(usage(output, "a picture is written as PNG: call it .png"));
    }
    if let Some(path) = request.impulse {
        return Err(usage(path, "an impulse response is for sound: give a picture --kernel or --taps"));
    }
    let filters = filters(request).map_err(|error| usage(input, error))?;
    let picture = read(input)?;
    let scratch = Scratch::with_threads(request.threads);
    let mut work = Work { filters: &filters, scratch, lines: Vec::new() };
    let filtered = work
        .picture(&picture)
        .ok_or_else(|| unusable(input, "not a grey or RGB picture of 8 or 16 bits: convert it to one"))?;
    write(output, &filtered)?;
    Ok(work.lines)
}

fn filters(request: &Request<'_>) -> std::result::Result<Filters, KernelError> {
    let spec = &request.spec;
    let options = Options { mode: request.mode, threads: request.threads, ..Options::default() };
    if request.mode == Mode::Same {
        return Ok(Filters { colour: spec.build_2d_with(options)?, alpha: None });
    }
    let kernel = spec.kernel_2d()?;
    let ((rows, cols), (row, col)) = (kernel.shape(), kernel.centre());
    let mut taps = vec![0.0; rows * cols];
    taps[row * cols + col] = 1.0;
    let whole = Kernel2d::new(rows, cols, taps)?.with_centre((row, col))?;
    Ok(Filters {
        colour: Filter2d::with_options(&kernel, spec.border, options)?.into(),
        alpha: Some(Filter2d::with_options(&whole, spec.border, options)?.into()),
    })
}

fn read(input: &Path) -> Result<DynamicImage> {
    let reader = ImageReader::open(input).map_err(|error| Error::io("read", input, error))?;
    reader
        .with_guessed_format()
        .map_err(|error| Error::io("read", input, error))?
        .decode()
        .map_err(|error| unusable(input, format!("{error}: write it again as PNG")))
}

fn write(output: &Path, picture: &DynamicImage) -> Result<()> {
    let beside = beside(output)?;
    picture.save_with_format(beside.path(), ImageFormat::Png).map_err(|error| match error {
        image::ImageError::IoError(error) => Error::io("write", output, error),
        other => unusable(output, other),
    })?;
    take_place(beside, output)
}

/// A pixel channel of 8 or 16 bits.
trait Level: Copy + Default + Into<f64> {
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

struct Work<'a> {
    filters: &'a Filters,
    scratch: Scratch<f64>,
    lines: Vec<String>,
}

impl Work<'_> {
    /// The filtered picture, rounded and clipped to the width of a pixel.
    fn picture(&mut self, picture: &DynamicImage) -> Option<DynamicImage> {
        macro_rules! filtered {
            ($pixels:ident, $channels:literal, $colours:literal, $kind:ident) => {{
                let pixels = picture.$pixels()?.as_raw();
                let ((width, height), levels) =
                    self.planes(pixels, $channels, $colours, picture.dimensions());
                ImageBuffer::from_raw(width, height, levels).map(DynamicImage::$kind)
            }};
        }
        match picture.color() {
            ColorType::L8 => filtered!(as_luma8, 1, 1, ImageLuma8),
            ColorType::La8 => filtered!(as_luma_alpha8, 2, 1, ImageLumaA8),
            ColorType::Rgb8 => filtered!(as_rgb8, 3, 3, ImageRgb8),
            ColorType::Rgba8 => filtered!(as_rgba8, 4, 3, ImageRgba8),
            ColorType::L16 => filtered!(as_luma16, 1, 1, ImageLuma16),
            ColorType::La16 => filtered!(as_luma_alpha16, 2, 1, ImageLumaA16),
            ColorType::Rgb16 => filtered!(as_rgb16, 3, 3, ImageRgb16),
            ColorType::Rgba16 => filtered!(as_rgba16, 4, 3, ImageRgba16),
            _ => None,
        }
    }

    /// Filters the first `colours` of `channels` interleaved channels; the other keeps its values.
    fn planes<L: Level>(
        &mut self,
        pixels: &[L],
        channels: usize,
        colours: usize,
        (width, height): (u32, u32),
    ) -> ((u32, u32), Vec<L>) {
        let (rows, cols) = (height as usize, width as usize);
        let (out_rows, out_cols) = match &self.filters.colour {
            ImageFilter::Taps(filter) => filter.output_shape(rows, cols),
            _ => (rows, cols),
        };
        let mut out = vec![L::default(); out_rows * out_cols * channels];
        let mut filtered = Vec::new();
        for channel in 0..channels {
            let plane: Vec<f64> =
                pixels.iter().skip(channel).step_by(channels).map(|&level| level.into()).collect();
            let filter =
                if channel < colours { Some(&self.filters.colour) } else { self.filters.alpha.as_ref() };
            let begun = Instant::now();
            match filter {
                Some(filter) => filter.apply(&plane, rows, cols, &mut filtered, &mut self.scratch),
                None => filtered.clone_from(&plane),
            }
            if channel < colours {
                let seconds = begun.elapsed().as_secs_f64();
                self.lines.push(describe(&self.filters.colour, (rows, cols), seconds));
            }
            for (pixel, &value) in out.iter_mut().skip(channel).step_by(channels).zip(&filtered) {
                *pixel = L::rounded(value);
            }
        }
        ((out_cols as u32, out_rows as u32), out)
    }
}

/// How a colour was filtered: the plan with its predicted costs, and what it took.
fn describe(filter: &ImageFilter<f64>, (rows, cols): (usize, usize), seconds: f64) -> String {
    let how = match filter {
        ImageFilter::Taps(filter) => planned(filter.predict(rows, cols), Some(filter.choice())),
        ImageFilter::Magnitude(parts) => {
            let plans = parts.plans(rows, cols).map(|(now, usual)| planned(now, Some(usual)));
            format!("magnitude of two: {}", plans.collect::<Vec<_>>().join("; "))
        }
        ImageFilter::Median(..) => format!("{rows} x {cols} outputs: median"),
        ImageFilter::Bilateral(..) => format!("{rows} x {cols} outputs: bilateral"),
        ImageFilter::Morphology(..) => format!("{rows} x {cols} outputs: morphology"),
    };
    measured(&how, seconds)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::convolution::{KernelSpec, Taps};

    fn planes<L: Level>(filters: &Filters, pixels: &[L], channels: usize, colours: usize) -> Vec<L> {
        let width = (pixels.len() / channels) as u32;
        let mut work = Work { filters, scratch: Scratch::new(), lines: Vec::new() };
        work.planes(pixels, channels, colours, (width, 1)).1
    }

    fn request(spec: KernelSpec, mode: Mode) -> Request<'static> {
        let path = Path::new("x.png");
        Request { input: path, output: path, spec, impulse: None, block: None, mode, plan: false, threads: 1 }
    }

    #[test]
    fn whole_number_pixels_are_rounded_and_clipped_and_transparency_stays() {
        let taps = Taps::Plane(vec![vec![0.0; 3], vec![0.0, 3.0, 0.0], vec![0.0; 3]]);
        let spec = KernelSpec { taps: Some(taps), ..KernelSpec::default() };
        let filters = filters(&request(spec, Mode::Same)).unwrap();
        assert_eq!(planes(&filters, &[10u8, 7, 100, 9], 2, 1), [30, 7, 255, 9]);
        assert_eq!(planes(&filters, &[300u16, 30_000], 1, 1), [900, 65_535]);
    }

    #[test]
    fn transparency_goes_with_the_colours_where_the_shape_changes() {
        let taps = Taps::Plane(vec![vec![0.0, 1.0, 1.0]]);
        let spec = KernelSpec { taps: Some(taps), ..KernelSpec::default() };
        let pixels = [1u8, 10, 2, 20, 3, 30, 4, 40];
        let valid = filters(&request(spec, Mode::Valid)).unwrap();
        assert_eq!(planes(&valid, &pixels, 2, 1), [3, 20, 5, 30]);
    }

    #[test]
    fn every_kind_of_picture_keeps_its_kind() {
        let spec = KernelSpec { name: Some("median".to_owned()), ..KernelSpec::default() };
        let filters = filters(&request(spec, Mode::Same)).unwrap();
        for kind in [
            DynamicImage::new_luma8(5, 4),
            DynamicImage::new_luma_a8(5, 4),
            DynamicImage::new_rgb8(5, 4),
            DynamicImage::new_rgba8(5, 4),
            DynamicImage::new_luma16(5, 4),
            DynamicImage::new_luma_a16(5, 4),
            DynamicImage::new_rgb16(5, 4),
            DynamicImage::new_rgba16(5, 4),
        ] {
            let mut work = Work { filters: &filters, scratch: Scratch::new(), lines: Vec::new() };
            assert_eq!(work.picture(&kind).unwrap(), kind);
            assert_eq!(work.lines.len(), if kind.color().has_color() { 3 } else { 1 });
        }
    }
}
