//! The choice of a way: what each of them would cost, and the cheapest.

use std::fmt;

use super::cost::Costs;
use super::kernel::Kernel2d;
use super::sample::Sample;
use super::separable::factors;
use super::way::Way;
use crate::simd::{Columns, Lines, Width};

/// What one way costs for inputs of one shape.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// The way.
    pub way: Way,
    /// Rows and columns of the tiles of a transform, 1 row for blocks of a signal; (0, 0) for other ways.
    pub tile: (usize, usize),
    /// Products of a column and a row of the separable way; 0 for other ways.
    pub products: usize,
    /// Predicted time of one thread, in nanoseconds.
    pub nanoseconds: f64,
}

/// Which way a filter goes and why: the ways its kernel could go, with what each costs. Prints as one line.
#[derive(Clone, Debug, PartialEq)]
pub struct Choice {
    /// The way that is gone, with its predicted cost.
    pub chosen: Estimate,
    /// Every way there is for the kernel, the best tile of the transform among them, from the cheapest to the dearest.
    pub considered: Vec<Estimate>,
    /// Rows and columns of outputs that the costs are for.
    pub outputs: (usize, usize),
    /// Rows and columns of taps.
    pub taps: (usize, usize),
    /// The instructions that the kernels run with.
    pub instructions: &'static str,
    /// Whether the way was asked for, not chosen.
    pub asked: bool,
}

/// A kernel as its cost depends on it.
#[derive(Clone, Debug)]
pub(super) struct Problem {
    pub(super) width: Width,
    height: usize,
    across: usize,
    equal: bool,
    /// Columns and rows whose products add up to the kernel, for kernels in two dimensions.
    pub(super) factors: Option<Vec<(Vec<f64>, Vec<f64>)>>,
    bytes: usize,
}

impl Problem {
    /// The kernel for samples of type `T` and these instructions. A single row or column has no factors that could be
    /// faster, and is taken apart only where it is asked to go that way.
    pub(super) fn new<T: Sample>(kernel: &Kernel2d, width: Width, asked: Option<Way>) -> Self {
        let (height, across) = kernel.shape();
        let apart = height > 1 && across > 1 || asked == Some(Way::Separable);
        let factors = if apart { factors::<T>(kernel) } else { None };
        let equal = kernel.taps().windows(2).all(|pair| pair[0] == pair[1]);
        Self { width, height, across, equal, factors, bytes: size_of::<T>() }
    }

    /// The choice for this many rows and columns of outputs, or the way that is asked for; `None` where the kernel cannot
    /// go it.
    pub(super) fn choose<T: Sample>(&self, outputs: (usize, usize), asked: Option<Way>) -> Option<Choice> {
        let mut considered: Vec<Estimate> = [Way::Direct, Way::Separable, Way::Running, Way::Transform]
            .into_iter()
            .filter_map(|way| self.estimate::<T>(way, outputs))
            .collect();
        considered.sort_by(|a, b| a.nanoseconds.total_cmp(&b.nanoseconds));
        let chosen = match asked {
            None => considered.first().copied(),
            Some(way) => considered.iter().copied().find(|estimate| estimate.way == way),
        };
        Some(Choice {
            chosen: chosen?,
            considered,
            outputs,
            taps: (self.height, self.across),
            instructions: self.width.name(),
            asked: asked.is_some(),
        })
    }

    /// What one way costs, or `None` where the kernel cannot go it.
    pub(super) fn estimate<T: Sample>(&self, way: Way, outputs: (usize, usize)) -> Option<Estimate> {
        let plain = |nanoseconds| Estimate { way, tile: (0, 0), products: 0, nanoseconds };
        match way {
            Way::Direct => Some(plain(self.direct(outputs))),
            Way::Running => self.equal.then(|| plain(self.running(outputs))),
            Way::Separable => {
                let products = self.factors.as_ref()?.len();
                Some(Estimate { products, ..plain(self.separable(outputs, products)) })
            }
            Way::Transform => {
                let (tile, nanoseconds) = self.best_tile::<T>(outputs)?;
                Some(Estimate { tile, ..plain(nanoseconds) })
            }
        }
    }

    fn costs(&self) -> Costs {
        Costs::of(self.width, self.bytes)
    }

    /// What the direct way costs for this many outputs. Those at the left and right edge come from pieces of the image,
    /// a register a row, and cost about twice as much.
    pub(super) fn direct(&self, (rows, cols): (usize, usize)) -> f64 {
        let costs = self.costs();
        let (tap, edges) = match (self.height, self.across) {
            (1, _) => (costs.line_tap, 0),
            (_, 1) => (costs.column_tap, 0),
            _ => (costs.area_tap, 2 * (self.across / 2).max(16)),
        };
        let taps = (self.height * self.across) as f64 * tap;
        let row = (cols + 2 * edges.min(cols)) as f64 * taps + costs.row;
        rows as f64 * row + self.outputs((rows, cols))
    }

    /// What reading the input and writing this many outputs costs.
    fn outputs(&self, (rows, cols): (usize, usize)) -> f64 {
        let costs = self.costs();
        let mebibytes = (2 * rows * cols * self.bytes) as f64 / f64::from(1 << 20);
        (rows * cols) as f64 * costs.wider * (costs.output + between(costs.memory, mebibytes))
    }

    fn separable(&self, (rows, cols): (usize, usize), products: usize) -> f64 {
        let costs = self.costs();
        // The first rows of the strip are filtered for every region, however few outputs it has.
        let across = (rows + self.height - 1) as f64 * self.across as f64 * costs.line_tap;
        let down = rows as f64 * (costs.product + self.height as f64 * costs.column_tap);
        let between = (rows + self.height - 1) as f64 * costs.row_between;
        products as f64 * (cols as f64 * (across + down) + between) + self.outputs((rows, cols))
    }

    fn running(&self, (rows, cols): (usize, usize)) -> f64 {
        let costs = self.costs();
        let additions = |window: usize| f64::from(window.ilog2() + window.count_ones());
        let across = (rows + self.height - 1) as f64 * additions(self.across) * costs.neighbour;
        let down = if self.height > 1 { rows as f64 * costs.running } else { 0.0 };
        cols as f64 * (across + down) + rows as f64 * costs.row + self.outputs((rows, cols))
    }

    /// What a transform on tiles of these sides costs: they come in pairs, and those at the end are whole ones. A block
    /// is read and checked before the transform can begin, so that memory that is far away is waited for twice.
    fn transform(
        &self,
        (rows, cols): (usize, usize),
        (tile_rows, down): (usize, f64),
        (tile_cols, across): (usize, f64),
    ) -> f64 {
        let tiles = |len: usize, side: usize, taps: usize| len.div_ceil(side + 1 - taps);
        let (n, m) = (tiles(rows, tile_rows, self.height), tiles(cols, tile_cols, self.across));
        let samples = 2 * n * m.div_ceil(2) * tile_rows * tile_cols;
        let costs = self.costs();
        let kibibytes = (2 * tile_rows * tile_cols * self.bytes) as f64 / 1024.0;
        let tile = if tile_rows > 1 { costs.wider * between(costs.tile, kibibytes) } else { 0.0 };
        let sample = (across + down) * costs.slower + costs.block + tile;
        costs.plan + samples as f64 * sample + 2.0 * self.outputs((rows, cols))
    }

    /// The cheapest tile, and its cost; `None` where no transform is long enough.
    fn best_tile<T: Sample>(&self, outputs: (usize, usize)) -> Option<((usize, usize), f64)> {
        let costs = self.costs();
        // A kernel of one row needs no transform of columns.
        let downs = if self.height == 1 { &[(1, 0.0)] } else { costs.columns };
        let mut best: Option<((usize, usize), f64)> = None;
        for &down in downs.iter().filter(|(rows, _)| *rows >= self.height && Columns::<T>::possible(*rows)) {
            for &across in
                costs.lines.iter().filter(|(cols, _)| *cols >= self.across && Lines::<T>::possible(*cols))
            {
                let nanoseconds = self.transform(outputs, down, across);
                if best.is_none_or(|(_, least)| nanoseconds < least) {
                    best = Some(((down.0, across.0), nanoseconds));
                }
            }
        }
        best
    }
}

/// The value at `x` of a table whose first column rises, on straight lines between its rows and as in the first and last
/// row beyond them.
fn between(table: &[(usize, f64)], x: f64) -> f64 {
    let after = table.partition_point(|&(at, _)| (at as f64) < x);
    match (after.checked_sub(1).and_then(|i| table.get(i)), table.get(after)) {
        (Some(&(a, low)), Some(&(b, high))) => low + (high - low) * (x - a as f64) / (b - a) as f64,
        (Some(&(_, value)), None) | (None, Some(&(_, value))) => value,
        (None, None) => 0.0,
    }
}

impl Estimate {
    /// The way in words, with its tiles or products.
    fn name(&self) -> String {
        match (self.way, self.tile) {
            (Way::Transform, (1, cols)) => format!("transform in blocks of {cols}"),
            (Way::Transform, (rows, cols)) => format!("transform in tiles of {rows} x {cols}"),
            (Way::Separable, _) if self.products > 1 => format!("separable in {} products", self.products),
            (way, _) => way.name().to_owned(),
        }
    }
}

impl fmt::Display for Estimate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {:.3} ms", self.name(), self.nanoseconds / 1e6)
    }
}

impl fmt::Display for Choice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ((rows, cols), (height, across)) = (self.outputs, self.taps);
        let why = if self.asked { "as asked" } else { "the cheapest" };
        let instructions = self.instructions;
        write!(
            f,
            "{height} x {across} taps, {rows} x {cols} outputs, {instructions}: {}, {why}",
            self.chosen
        )?;
        let others: Vec<String> =
            self.considered.iter().filter(|other| **other != self.chosen).map(ToString::to_string).collect();
        if others.is_empty() { Ok(()) } else { write!(f, "; {}", others.join(", ")) }
    }
}
