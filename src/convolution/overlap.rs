//! The way through the Fourier transform: overlap-save on blocks of a signal and tiles of an image.
//!
//! The output is cut into blocks; the part of the input under a block is transformed, multiplied by the spectrum of the
//! taps and transformed back. Two neighbouring blocks are transformed as one, the second as the imaginary part of the
//! first, which real taps leave apart.
//!
//! A transform mixes every sample of a block into every output, so one NaN would spread over it. Blocks with a sample that
//! is not finite, or so large that a sum inside the transform could overflow, are therefore computed the direct way.

use super::border::Continued;
use super::direct::{Direct, Region, part};
use super::kernel::Kernel2d;
use super::sample::Sample;
use crate::simd::{Columns, Direction, Lines, Outputs, Parts, all_within};

/// Working memory of a transform.
#[derive(Clone, Debug, Default)]
pub(super) struct OverlapScratch<T> {
    tile: Parts<T>,
    column: Parts<T>,
    piece: Vec<T>,
}

/// Taps with their spectrum for tiles of one shape; one row makes them blocks of a signal.
#[derive(Clone, Debug)]
pub(super) struct Overlap<T> {
    direct: Direct<T>,
    rows: usize,
    cols: usize,
    lines: Lines<T>,
    /// None for one row.
    columns: Option<Columns<T>>,
    /// Over `rows * cols`, row by row as the tiles.
    spectrum: Parts<T>,
    /// The largest magnitude a sample may have.
    limit: T,
}

impl<T: Sample> Overlap<T> {
    /// Tiles of `rows` by `cols` samples, for which there must be transforms, for these taps,
    /// which are those of `kernel`.
    pub(super) fn new(direct: Direct<T>, kernel: &Kernel2d, rows: usize, cols: usize) -> Self {
        let width = direct.width;
        let lines = Lines::new(width, cols);
        let columns = (rows > 1).then(|| Columns::new(width, rows));
        let scale = T::of(1.0 / (rows * cols) as f64);
        let mut spectrum = Parts::default();
        spectrum.resize(rows * cols);
        // A correlation: tap (a, b) stands at (-a, -b).
        for (a, taps) in direct.taps.chunks_exact(direct.cols).enumerate() {
            for (b, &tap) in taps.iter().enumerate() {
                spectrum.re[(rows - a) % rows * cols + (cols - b) % cols] = tap * scale;
            }
        }
        let magnitude: f64 = kernel.taps().iter().map(|tap| tap.abs()).sum();
        // A sum inside is at most as large as all samples of a tile times all taps; the 4 leaves room for rounding.
        let limit = T::of(T::LARGEST / (4.0 * (rows * cols) as f64 * magnitude.max(1.0)));
        let mut plan = Self { direct, rows, cols, lines, columns, spectrum: Parts::default(), limit };
        plan.spectrum = plan.transformed(spectrum);
        plan
    }

    /// The spectrum of what stands row by row without gaps.
    fn transformed(&self, mut plane: Parts<T>) -> Parts<T> {
        if let Some(columns) = &self.columns {
            let mut column = Parts::default();
            self.forward_columns(columns, &mut plane, self.cols, &mut column);
        }
        self.lines.forward(&mut plane.re, &mut plane.im);
        plane
    }

    /// Rows and columns of outputs that two tiles give: a region must begin at multiples of them.
    pub(super) const fn unit(&self) -> (usize, usize) {
        let (rows, cols) = self.step();
        (rows, 2 * cols)
    }

    /// Rows and columns of outputs of one tile.
    const fn step(&self) -> (usize, usize) {
        (self.rows + 1 - self.direct.rows, self.cols + 1 - self.direct.cols)
    }

    /// Writes the outputs of `region` to `outputs`, which has its shape.
    pub(super) fn run(
        &self,
        input: &Continued<'_, T>,
        region: Region,
        outputs: &mut Outputs<'_, T>,
        work: &mut OverlapScratch<T>,
    ) {
        let (rows, cols) = self.step();
        for r in (0..region.rows).step_by(rows) {
            for c in (0..region.cols).step_by(2 * cols) {
                let rows = rows.min(region.rows - r);
                let tile = |c: usize| Region {
                    row: region.row + r,
                    col: region.col + c,
                    rows,
                    cols: cols.min(region.cols.saturating_sub(c)),
                };
                self.pair(input, [tile(c), tile(c + cols)], (r, c), outputs, work);
            }
        }
    }

    /// Two tiles beside each other, the second of which may be empty; their outputs begin at `(r, c)`.
    fn pair(
        &self,
        input: &Continued<'_, T>,
        tiles: [Region; 2],
        (r, c): (usize, usize),
        outputs: &mut Outputs<'_, T>,
        work: &mut OverlapScratch<T>,
    ) {
        let mut targets = tiles.map(Some);
        for (i, tile) in tiles.into_iter().enumerate() {
            if tile.cols == 0 || !self.read(input, tile, i, &mut work.tile) {
                // What the other tile holds takes nothing from this one.
                work.tile.part_mut(i).fill(T::ZERO);
                targets[i] = None;
                if tile.cols > 0 {
                    let at = (r, c + i * self.step().1);
                    let mut outputs = part(outputs, at, (tile.rows, tile.cols));
                    self.direct.run(input, tile, &mut outputs, &mut work.piece);
                }
            }
        }
        if targets == [None, None] {
            return;
        }
        if let Some(columns) = &self.columns {
            self.columns_and_lines(columns, work);
        } else {
            self.lines.convolve(&mut work.tile.re, &mut work.tile.im, [&self.spectrum.re, &self.spectrum.im]);
        }
        self.write(targets, (r, c), outputs, work);
    }

    /// Writes what came back, the columns of tiles still to be transformed; the outputs begin at `(r, c)`.
    fn write(
        &self,
        targets: [Option<Region>; 2],
        (r, c): (usize, usize),
        outputs: &mut Outputs<'_, T>,
        work: &mut OverlapScratch<T>,
    ) {
        let step = self.step().1;
        let target = |i: usize, from: usize| (r * outputs.stride + c + i * step + from, outputs.stride);
        let places = [0, 1].map(|i| target(i, 0));
        let Some(columns) = &self.columns else {
            for (i, tile) in targets.iter().enumerate() {
                let Some(tile) = tile else { continue };
                outputs.samples[places[i].0..][..tile.cols].copy_from_slice(&work.tile.part(i)[..tile.cols]);
            }
            return;
        };
        for group in (0..step).step_by(T::GROUP) {
            self.copy_group(&mut work.tile, self.stride(), &mut work.column, group, true);
            columns.run(Direction::Inverse, &mut work.column.re, &mut work.column.im);
            for (i, tile) in targets.iter().enumerate() {
                let Some(tile) = tile.filter(|tile| tile.cols > group) else { continue };
                let (first, stride) = places[i];
                let len = T::GROUP.min(tile.cols - group);
                let rows = outputs.samples[first + group..].chunks_mut(stride).take(tile.rows);
                for (row, values) in rows.zip(work.column.part(i).chunks_exact(T::GROUP)) {
                    copy(&mut row[..len], &values[..len]);
                }
            }
        }
    }

    /// Whether another kernel's tiles are these: their transforms can be shared.
    pub(super) fn shares_with(&self, other: &Self) -> bool {
        let shape = |plan: &Self| (plan.rows, plan.cols, plan.direct.rows, plan.direct.cols);
        shape(self) == shape(other)
    }

    /// Writes the outputs of `region` for several kernels that share tiles: each tile is read and transformed once.
    pub(super) fn run_bank(
        bank: &[&Self],
        input: &Continued<'_, T>,
        region: Region,
        outputs: &mut [Outputs<'_, T>],
        work: &mut OverlapScratch<T>,
    ) {
        let Some(first) = bank.first() else { return };
        let (rows, cols) = first.step();
        for r in (0..region.rows).step_by(rows) {
            for c in (0..region.cols).step_by(2 * cols) {
                let tile = |c: usize| Region {
                    row: region.row + r,
                    col: region.col + c,
                    rows: rows.min(region.rows - r),
                    cols: cols.min(region.cols.saturating_sub(c)),
                };
                first.pair_for_all(bank, input, [tile(c), tile(c + cols)], (r, c), outputs, work);
            }
        }
    }

    fn pair_for_all(
        &self,
        bank: &[&Self],
        input: &Continued<'_, T>,
        tiles: [Region; 2],
        (r, c): (usize, usize),
        outputs: &mut [Outputs<'_, T>],
        work: &mut OverlapScratch<T>,
    ) {
        // The smallest limit of all: a tile that one kernel must take the direct way is taken so by all.
        let limit = bank.iter().map(|plan| plan.limit).fold(self.limit, |a, b| if b < a { b } else { a });
        let fits =
            [0, 1].map(|i| tiles[i].cols == 0 || self.read_within(input, tiles[i], i, limit, &mut work.tile));
        if fits != [true, true] {
            for (plan, outputs) in bank.iter().zip(outputs) {
                plan.pair(input, tiles, (r, c), outputs, work);
            }
            return;
        }
        if tiles[1].cols == 0 {
            work.tile.part_mut(1).fill(T::ZERO);
        }
        if let Some(columns) = &self.columns {
            self.forward_columns(columns, &mut work.tile, self.stride(), &mut work.column);
        }
        for (re, im) in
            work.tile.re.chunks_exact_mut(self.stride()).zip(work.tile.im.chunks_exact_mut(self.stride()))
        {
            self.lines.forward(&mut re[..self.cols], &mut im[..self.cols]);
        }
        let spectrum = work.tile.clone();
        let targets = tiles.map(|tile| (tile.cols > 0).then_some(tile));
        for (plan, outputs) in bank.iter().zip(outputs) {
            work.tile.clone_from(&spectrum);
            plan.back(&mut work.tile);
            plan.write(targets, (r, c), outputs, work);
        }
    }

    /// A tile's spectrum times that of the taps, its lines transformed back.
    fn back(&self, tile: &mut Parts<T>) {
        let spectra = self.spectrum.re.chunks_exact(self.cols).zip(self.spectrum.im.chunks_exact(self.cols));
        let lines = tile.re.chunks_exact_mut(self.stride()).zip(tile.im.chunks_exact_mut(self.stride()));
        for ((re, im), spectrum) in lines.zip(spectra) {
            self.lines.multiply_back(&mut re[..self.cols], &mut im[..self.cols], spectrum.into());
        }
    }

    /// Reads the samples under a tile into one part, and zeros behind them; whether all of them may be transformed.
    fn read(&self, input: &Continued<'_, T>, tile: Region, i: usize, to: &mut Parts<T>) -> bool {
        self.read_within(input, tile, i, self.limit, to)
    }

    fn read_within(
        &self,
        input: &Continued<'_, T>,
        tile: Region,
        i: usize,
        limit: T,
        to: &mut Parts<T>,
    ) -> bool {
        let stride = self.stride();
        to.resize(self.rows * stride);
        let (rows, cols) = (tile.rows + self.direct.rows - 1, tile.cols + self.direct.cols - 1);
        let to = to.part_mut(i);
        to[rows * stride..].fill(T::ZERO);
        to[..rows * stride].chunks_exact_mut(stride).enumerate().all(|(r, row)| {
            let (samples, rest) = row[..self.cols].split_at_mut(cols);
            input.copy_row(tile.row + r, tile.col, samples);
            rest.fill(T::ZERO);
            all_within(self.direct.width, samples, limit)
        })
    }

    /// Distance of two rows of a tile: they do not begin at the same place of a page, so that the numbers of a column do
    /// not push each other out of the cache.
    const fn stride(&self) -> usize {
        if self.rows > 1 { self.cols + T::GROUP } else { self.cols }
    }

    /// The columns of a tile, and then its lines there, times the spectrum and back.
    fn columns_and_lines(&self, columns: &Columns<T>, work: &mut OverlapScratch<T>) {
        self.forward_columns(columns, &mut work.tile, self.stride(), &mut work.column);
        let spectrum = self.spectrum.re.chunks_exact(self.cols).zip(self.spectrum.im.chunks_exact(self.cols));
        let lines =
            work.tile.re.chunks_exact_mut(self.stride()).zip(work.tile.im.chunks_exact_mut(self.stride()));
        for ((re, im), spectrum) in lines.zip(spectrum) {
            self.lines.convolve(&mut re[..self.cols], &mut im[..self.cols], spectrum.into());
        }
    }

    fn forward_columns(
        &self,
        columns: &Columns<T>,
        tile: &mut Parts<T>,
        stride: usize,
        column: &mut Parts<T>,
    ) {
        for group in (0..self.cols).step_by(T::GROUP) {
            self.copy_group(tile, stride, column, group, true);
            columns.run(Direction::Forward, &mut column.re, &mut column.im);
            self.copy_group(tile, stride, column, group, false);
        }
    }

    /// Copies a group of columns out of a tile to where they stand close together, or back.
    fn copy_group(&self, tile: &mut Parts<T>, stride: usize, column: &mut Parts<T>, group: usize, out: bool) {
        column.resize(self.rows * T::GROUP);
        for i in 0..2 {
            let rows = tile.part_mut(i).chunks_exact_mut(stride);
            for (row, near) in rows.zip(column.part_mut(i).chunks_exact_mut(T::GROUP)) {
                let row = &mut row[group..group + T::GROUP];
                if out { copy(near, row) } else { copy(row, near) }
            }
        }
    }
}

/// Copies a few numbers, whole groups without a call.
fn copy<T: Sample>(to: &mut [T], from: &[T]) {
    match (to.as_chunks_mut::<16>(), from.as_chunks::<16>()) {
        (([to], []), ([from], [])) => *to = *from,
        _ => to.copy_from_slice(from),
    }
}

#[cfg(test)]
mod tests {
    use super::super::border::Border;
    use super::*;
    use crate::simd::Width;

    fn noise(len: usize) -> Vec<f64> {
        (0..len).map(|i| libm::sin(i as f64 * 78.233) * 43_758.545 % 1.0).collect()
    }

    /// The whole convolution of an image by one way or the other.
    fn filtered(kernel: &Kernel2d, samples: &[f64], cols: usize, tile: Option<(usize, usize)>) -> Vec<f64> {
        let (rows, (top, left)) = (samples.len() / cols, kernel.centre());
        let (height, width) = kernel.shape();
        let (top, left) = (height - 1 - top, width - 1 - left);
        let input = Continued { input: samples, rows, cols, border: Border::Mirror, top, left };
        let direct = Direct::new(Width::detect(), kernel, true);
        let mut output = vec![0.0; rows * cols];
        let mut outputs = Outputs { samples: &mut output, stride: cols, rows, cols };
        let region = Region { row: 0, col: 0, rows, cols };
        match tile {
            None => direct.run(&input, region, &mut outputs, &mut Vec::new()),
            Some((rows, cols)) => {
                let overlap = Overlap::new(direct, kernel, rows, cols);
                overlap.run(&input, region, &mut outputs, &mut OverlapScratch::default());
            }
        }
        output
    }

    #[test]
    fn tiles_meet_without_a_seam() {
        for ((height, width), (rows, cols), tile) in [
            ((1, 70), (1, 5000), (1, 256)),
            ((1, 70), (1, 900), (1, 4096)),
            ((3, 5), (100, 200), (32, 64)),
            ((70, 1), (300, 9), (128, 64)),
            ((15, 31), (70, 310), (64, 192)),
            ((24, 2), (50, 64), (24, 64)),
        ] {
            let kernel = Kernel2d::new(height, width, noise(height * width)).unwrap();
            let samples = noise(rows * cols);
            let direct = filtered(&kernel, &samples, cols, None);
            let transformed = filtered(&kernel, &samples, cols, Some(tile));
            for (i, (a, b)) in direct.iter().zip(&transformed).enumerate() {
                assert!((a - b).abs() < 1e-12, "{height} x {width}, output {i}: {a} and {b}");
            }
        }
    }

    #[test]
    fn what_is_not_finite_stays_under_the_taps() {
        let kernel = Kernel2d::new(1, 70, vec![1.0; 70]).unwrap().with_centre((0, 0)).unwrap();
        for wild in [f64::NAN, f64::INFINITY, f64::MAX] {
            let mut samples = noise(3000);
            samples[1000] = wild;
            let output = filtered(&kernel, &samples, 3000, Some((1, 256)));
            for (i, value) in output.iter().enumerate() {
                let touched = (1000..1070).contains(&i);
                assert_eq!(value.abs() > 1e300 || value.is_nan(), touched, "{wild} at output {i}");
            }
        }
    }
}
