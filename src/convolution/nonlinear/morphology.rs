//! Grey-scale morphology with flat footprints: the least and the largest value about each sample.
//!
//! The extremum of a line is that of two shorter ones that overlap, so windows of 2, 4, 8.. samples follow from each
//! other, and `log2(size)` steps, each over whole rows, do a line of any length. (Van Herk's and Gil and Werman's two
//! running extrema need three comparisons whatever the size, but one after the other; a step here is many at once.)

use super::super::border::{Border, Margins};
use super::super::kernel::{KernelError, check_size};
use super::super::kernels::{check_odd, check_taps};
use super::super::sample::Sample;
use super::super::way::Scratch;
use super::bands::Windows;

/// The fewest rows of outputs that share what their windows reach.
const BAND: usize = 64;

/// What is done with the values under the footprint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Operator {
    /// The least.
    Erosion,
    /// The largest, under the footprint turned by half a turn.
    Dilation,
    /// Dilation of the erosion.
    Opening,
    /// Erosion of the dilation.
    Closing,
}

/// Which samples about each one count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Footprint {
    /// `size` by `size` samples.
    #[default]
    Square,
    /// The samples within `size / 2` of the middle, `size` being odd; `skimage.morphology.disk(size // 2)`.
    Disc,
}

impl Footprint {
    /// The footprint of this name, `square` or `disc`.
    pub fn parse(kernel: &'static str, name: &str) -> Result<Self, KernelError> {
        match name {
            "square" => Ok(Self::Square),
            "disc" => Ok(Self::Disc),
            _ => {
                let needs = format!("footprint = \"square\" or \"disc\", not {name:?}");
                Err(KernelError::Needs { kernel, needs })
            }
        }
    }
}

/// Erosion, dilation, opening or closing; `scipy.ndimage.grey_erosion` and its like, with `size` or a flat footprint.
#[derive(Clone, Copy, Debug)]
pub struct Morphology {
    operator: Operator,
    footprint: Footprint,
    size: usize,
}

impl Morphology {
    /// Fails where `size` is 0, too large, or even for a disc.
    pub fn new(operator: Operator, footprint: Footprint, size: usize) -> Result<Self, KernelError> {
        let kernel = operator.name();
        check_size(check_taps(kernel, size)?, size)?;
        if footprint == Footprint::Disc {
            check_odd(kernel, size)?;
        }
        Ok(Self { operator, footprint, size })
    }

    /// Clears `output` and fills it row by row; an empty image gives an empty output. A NaN counts only where there is
    /// nothing else under the footprint. Opening and closing continue the image, and what came of it, by the border.
    ///
    /// # Panics
    /// Where `input` is not `rows * cols` samples long.
    pub fn apply<T: Sample>(
        &self,
        input: &[T],
        shape: (usize, usize),
        border: Border,
        output: &mut Vec<T>,
        scratch: &mut Scratch<T>,
    ) {
        assert_eq!(input.len(), shape.0 * shape.1, "an image of {} x {}", shape.0, shape.1);
        match self.operator {
            Operator::Erosion => self.extremum::<T, Least>(input, shape, border, output, scratch),
            Operator::Dilation => self.extremum::<T, Largest>(input, shape, border, output, scratch),
            Operator::Opening => {
                self.extremum::<T, Least>(input, shape, border, output, scratch);
                self.extremum::<T, Largest>(&output.clone(), shape, border, output, scratch);
            }
            Operator::Closing => {
                self.extremum::<T, Largest>(input, shape, border, output, scratch);
                self.extremum::<T, Least>(&output.clone(), shape, border, output, scratch);
            }
        }
    }

    fn extremum<T: Sample, E: Extreme>(
        &self,
        input: &[T],
        (rows, cols): (usize, usize),
        border: Border,
        output: &mut Vec<T>,
        scratch: &mut Scratch<T>,
    ) {
        if input.is_empty() {
            return output.clear();
        }
        let (far, near) = (self.size / 2, self.size - 1 - self.size / 2);
        let (before, after) = if E::TURNED { (near, far) } else { (far, near) };
        let margins = Margins { top: before, bottom: after, left: before, right: after };
        let windows = Windows { input, shape: (rows, cols), border, margins };
        windows.bands(BAND.max(2 * self.size), output, scratch, |band, worker| {
            let image = Image { samples: band.samples, stride: band.stride };
            match self.footprint {
                Footprint::Square => image.square::<E>(self.size, cols, band.outputs),
                Footprint::Disc => image.disc::<E>(self.size / 2, cols, band.outputs, &mut worker.strip),
            }
        });
    }
}

impl Operator {
    /// The name in the job file.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Erosion => "erosion",
            Self::Dilation => "dilation",
            Self::Opening => "opening",
            Self::Closing => "closing",
        }
    }
}

/// One of the two orders in which an extremum is first.
trait Extreme {
    /// Whether even windows reach further right and down.
    const TURNED: bool;

    /// The first of two; of a number and a NaN the number.
    fn of<T: Sample>(a: T, b: T) -> T;
}

struct Least;
struct Largest;

impl Extreme for Least {
    const TURNED: bool = false;

    fn of<T: Sample>(a: T, b: T) -> T {
        #[expect(clippy::eq_op, reason = "only a NaN is not itself")]
        if b < a || a != a { b } else { a }
    }
}

impl Extreme for Largest {
    const TURNED: bool = true;

    fn of<T: Sample>(a: T, b: T) -> T {
        #[expect(clippy::eq_op, reason = "only a NaN is not itself")]
        if b > a || a != a { b } else { a }
    }
}

/// The image continued by its border, overwritten on the way.
struct Image<'a, T> {
    samples: &'a mut [T],
    stride: usize,
}

impl<T: Sample> Image<'_, T> {
    /// Windows of `size` by `size`: every row, then every column.
    fn square<E: Extreme>(self, size: usize, cols: usize, output: &mut [T]) {
        let Self { samples, stride } = self;
        for row in samples.chunks_exact_mut(stride) {
            along::<T, E>(row, 1, size);
        }
        along::<T, E>(samples, stride, size);
        for (into, row) in output.chunks_exact_mut(cols).zip(samples.chunks_exact(stride)) {
            into.copy_from_slice(&row[..cols]);
        }
    }

    /// Rows of a disc are windows, the widest in its middle; each width is computed once for the whole image.
    fn disc<E: Extreme>(self, radius: usize, cols: usize, output: &mut [T], wide: &mut Vec<T>) {
        let Self { samples, stride } = self;
        let half = |away: usize| ((radius * radius - away * away) as f64).sqrt() as usize;
        let mut width = None;
        for away in 0..=radius {
            let half = half(away);
            if width != Some(half) {
                width = Some(half);
                wide.clear();
                wide.extend_from_slice(samples);
                for row in wide.chunks_exact_mut(stride) {
                    along::<T, E>(row, 1, 2 * half + 1);
                }
            }
            let line = |row: usize| &wide[row * stride + radius - half..][..cols];
            for (r, into) in output.chunks_exact_mut(cols).enumerate() {
                let (above, below) = (line(r + radius - away), line(r + radius + away));
                for ((into, &above), &below) in into.iter_mut().zip(above).zip(below) {
                    let first = E::of(above, below);
                    *into = if away == 0 { first } else { E::of(*into, first) };
                }
            }
        }
    }
}

/// Leaves at every place the extremum of the `size` samples that begin there and lie `step` apart; the last places,
/// from which fewer follow, hold nothing of use.
fn along<T: Sample, E: Extreme>(samples: &mut [T], step: usize, size: usize) {
    let mut done = 1;
    while done < size {
        let ahead = done.min(size - done) * step;
        let end = samples.len().saturating_sub(ahead);
        // Reading runs ahead of writing, so a whole block is read before any of it is written.
        let mut at = 0;
        while at < end {
            let len = (end - at).min(ahead).min(BLOCK);
            let (low, high) = samples.split_at_mut(at + ahead);
            for (a, b) in low[at..at + len].iter_mut().zip(&high[..len]) {
                *a = E::of(*a, *b);
            }
            at += len;
        }
        done += ahead / step;
    }
}

/// Samples that are read before they are written over.
const BLOCK: usize = 1 << 16;

#[cfg(test)]
mod tests {
    use super::*;

    const OPERATORS: [Operator; 4] =
        [Operator::Erosion, Operator::Dilation, Operator::Opening, Operator::Closing];

    fn noise(len: usize) -> Vec<f64> {
        (0..len).map(|i| f64::from((i * i * 7919 % 251) as u32)).collect()
    }

    fn run(operator: Operator, footprint: Footprint, size: usize, border: Border, image: &[f64]) -> Vec<f64> {
        let mut output = vec![1.0];
        let filter = Morphology::new(operator, footprint, size).unwrap();
        filter.apply(image, (image.len() / 17, 17), border, &mut output, &mut Scratch::new());
        output
    }

    #[test]
    fn erosion_is_the_least_under_the_footprint() {
        let image = noise(17 * 13);
        for (footprint, size) in [1, 2, 3, 4, 5, 8, 21]
            .map(|size| (Footprint::Square, size))
            .into_iter()
            .chain([1, 3, 5, 7, 23].map(|size| (Footprint::Disc, size)))
        {
            for border in Border::ALL {
                let found = run(Operator::Erosion, footprint, size, border, &image);
                let far = (size / 2) as isize;
                for (i, found) in found.iter().enumerate() {
                    let mut least = f64::INFINITY;
                    for (dy, dx) in
                        (0..size * size).map(|k| ((k / size) as isize - far, (k % size) as isize - far))
                    {
                        if footprint == Footprint::Square || dy * dy + dx * dx <= far * far {
                            let row = border.position((i / 17) as isize + dy, 13);
                            let col = border.position((i % 17) as isize + dx, 17);
                            least = least.min(row.zip(col).map_or(0.0, |(r, c)| image[r * 17 + c]));
                        }
                    }
                    assert_eq!(*found, least, "{footprint:?} {size} {border}");
                }
            }
        }
    }

    #[test]
    fn dilation_is_the_erosion_of_the_negative_turned() {
        let image = noise(17 * 13);
        let turned: Vec<f64> = image.iter().rev().map(|x| -x).collect();
        for size in [2, 3, 6] {
            let dilated = run(Operator::Dilation, Footprint::Square, size, Border::Wrap, &image);
            let eroded = run(Operator::Erosion, Footprint::Square, size, Border::Wrap, &turned);
            assert!(dilated.iter().eq(eroded.iter().rev().map(|x| -x).collect::<Vec<_>>().iter()));
        }
    }

    #[test]
    fn opening_and_closing_change_nothing_twice_and_keep_their_side() {
        let image = noise(17 * 13);
        for (footprint, size) in [(Footprint::Square, 3), (Footprint::Square, 5), (Footprint::Disc, 5)] {
            for border in [Border::Reflect, Border::Mirror, Border::Wrap] {
                for operator in [Operator::Opening, Operator::Closing] {
                    let once = run(operator, footprint, size, border, &image);
                    assert_eq!(run(operator, footprint, size, border, &once), once);
                    let below = operator == Operator::Opening;
                    assert!(once.iter().zip(&image).all(|(a, b)| if below { a <= b } else { a >= b }));
                }
            }
        }
        let opened = run(Operator::Opening, Footprint::Square, 4, Border::Wrap, &image);
        assert_eq!(run(Operator::Opening, Footprint::Square, 4, Border::Wrap, &opened), opened);
    }

    #[test]
    fn empty_images_and_missing_values() {
        for operator in OPERATORS {
            assert!(run(operator, Footprint::Disc, 9, Border::Mirror, &[]).is_empty());
            let mut image = vec![2.0; 17 * 3];
            image[20] = f64::NAN;
            assert_eq!(run(operator, Footprint::Square, 3, Border::Reflect, &image), [2.0; 17 * 3]);
        }
        assert!(Morphology::new(Operator::Opening, Footprint::Disc, 4).is_err());
        assert!(Morphology::new(Operator::Opening, Footprint::Square, 0).is_err());
        assert!(
            Footprint::parse("opening", "ring").unwrap_err().to_string().contains("\"square\" or \"disc\"")
        );
    }
}
