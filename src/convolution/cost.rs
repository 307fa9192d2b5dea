//! What each way costs, as measured.
//!
//! Times of one thread in nanoseconds, per output or per sample of a block. The tables of lines and columns were measured
//! for f32 with AVX-512 on an Intel Xeon (2 MiB of second cache a core), the rest fitted to `cargo bench --bench
//! convolution`, which prints what every way takes beside what is predicted and how much the choice loses. Lines of more
//! than 400,000 samples are extrapolated.

use crate::simd::Width;

/// The costs of one kind of samples in one width.
#[derive(Clone, Copy, Debug)]
pub(super) struct Costs {
    /// How many times as many bytes a sample has as one of f32: what reading and writing cost.
    pub(super) wider: f64,
    /// An output of anything that stays in the second cache.
    pub(super) output: f64,
    /// A row of outputs: its ends, which fill no register.
    pub(super) row: f64,
    /// A row of a product of column and row, written between the two.
    pub(super) row_between: f64,
    /// MiB of input and output together, and what an output costs for coming from further away.
    pub(super) memory: &'static [(usize, f64)],
    /// A tap of a kernel of several rows and columns.
    pub(super) area_tap: f64,
    /// A tap of a single row.
    pub(super) line_tap: f64,
    /// A tap of a single column.
    pub(super) column_tap: f64,
    /// An output of a product of column and row beside its taps.
    pub(super) product: f64,
    /// An addition of neighbours along a row.
    pub(super) neighbour: f64,
    /// A running sum down a column.
    pub(super) running: f64,
    /// A filter that goes by transforms, for an input of any length.
    pub(super) plan: f64,
    /// A sample of a block: copied, checked, written.
    pub(super) block: f64,
    /// KiB of both parts of a tile, and what more a sample costs than in a block: columns that no cache holds.
    pub(super) tile: &'static [(usize, f64)],
    /// How many times as long transforms take as in the tables below.
    pub(super) slower: f64,
    /// Samples in a line, and its convolution a sample.
    pub(super) lines: &'static [(usize, f64)],
    /// Rows of a tile, and the transforms of its columns a sample.
    pub(super) columns: &'static [(usize, f64)],
}

const AVX512_F32: Costs = Costs {
    wider: 1.0,
    output: 0.07,
    row: 50.0,
    row_between: 200.0,
    memory: &[(2, 0.0), (16, 0.13), (32, 0.4), (64, 0.43)],
    area_tap: 0.0175,
    line_tap: 0.0235,
    column_tap: 0.015,
    product: 0.05,
    neighbour: 0.045,
    running: 0.3,
    plan: 600.0,
    block: 0.2,
    tile: &[(128, 0.0), (256, 0.25), (768, 0.6), (1536, 1.1), (3072, 1.5)],
    slower: 1.0,
    lines: &[
        (256, 0.67),
        (512, 0.66),
        (768, 0.77),
        (1024, 0.63),
        (1536, 0.78),
        (2048, 0.78),
        (3072, 0.74),
        (4096, 0.81),
        (6144, 0.92),
        (8192, 0.97),
        (12_288, 0.98),
        (16_384, 1.14),
        (24_576, 1.15),
        (32_768, 1.16),
        (49_152, 1.26),
        (65_536, 1.31),
        (98_304, 1.32),
        (131_072, 1.47),
        (196_608, 1.9),
        (262_144, 1.6),
        (393_216, 1.9),
        (524_288, 2.5),
        (1_048_576, 3.5),
        (2_097_152, 4.5),
        (4_194_304, 5.0),
        (8_388_608, 5.5),
    ],
    columns: &[
        (32, 0.7),
        (64, 0.75),
        (96, 0.8),
        (128, 0.93),
        (192, 0.89),
        (256, 0.93),
        (384, 1.0),
        (512, 1.1),
        (1024, 1.25),
        (2048, 1.6),
        (4096, 2.0),
    ],
};

impl Costs {
    /// The costs of samples of `bytes` bytes in a width.
    pub(super) fn of(width: Width, bytes: usize) -> Self {
        let wider = bytes as f64 / 4.0;
        // Measured but for NEON, which is scaled by its width. The plain form has no fused product and goes by software.
        let (taps, transforms) = match width.name() {
            "AVX-512" => (1.0, 1.0),
            "AVX2" => (1.25, 1.4),
            "NEON" => (4.0, 4.0),
            _ => (130.0, 22.0),
        };
        let slower = wider * taps;
        let Self { area_tap, line_tap, column_tap, product, neighbour, running, block, .. } = AVX512_F32;
        Self {
            wider,
            area_tap: area_tap * slower,
            line_tap: line_tap * slower,
            column_tap: column_tap * slower,
            product: product * wider,
            neighbour: neighbour * slower,
            running: running * wider,
            block: block * wider,
            slower: transforms * if bytes == 4 { 1.0 } else { 1.75 },
            ..AVX512_F32
        }
    }
}
