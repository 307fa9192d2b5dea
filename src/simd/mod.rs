//! Arithmetic kernels written for the processor's vector units; the only folder with `unsafe`.
//!
//! One definition, several widths: a kernel is written once over [`vector::Vector`] or a register and compiled for plain
//! Rust, for AVX2 with fused multiply-add, for AVX-512 and for NEON. A row of numbers is a sequence of whole groups of 16
//! lanes; lanes never mix except in [`vector::Vector::fold`], whose tree of additions is fixed, and every product that is
//! added is fused. So all widths give the same bits, which the tests hold them to.
#![allow(unsafe_code)]
// Only what is inlined into a function with the instructions is compiled for them.
#![allow(clippy::inline_always)]

use std::sync::LazyLock;

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
mod buffer;
mod butterfly;
mod characters;
mod columns;
mod copies;
mod dispatch;
mod encoding;
mod few;
mod fourier;
mod interpolation;
mod lag_products;
mod lanes;
mod layout;
mod limits;
mod logarithm;
mod medians;
mod neighbours;
mod panels;
mod plain;
mod prefetch;
mod products;
mod register;
#[cfg(target_arch = "aarch64")]
mod register_neon;
#[cfg(target_arch = "x86_64")]
mod register_x86;
mod shapes;
mod short;
mod stencil;
mod sums;
mod tall_products;
mod vector;
mod weighted_sums;
mod window;

pub use buffer::Buffer;
pub use characters::RunEdges;
pub use columns::{add_rows, add_squared_distances};
pub use copies::merge_copies;
pub use encoding::{characters, controls, is_control, short_text, text_of_utf8};
pub use few::Few;
pub use fourier::{Columns, Direction, Lines, Parts};
pub use interpolation::{SincWeights, sinc_sum};
pub use lag_products::{FrameBlocks, block_products, frame_products};
pub use lanes::LaneSpectrum;
pub use layout::{GROUP, lay, narrow, rows_of_lanes, weigh, widen};
pub use limits::all_within;
pub use logarithm::{Logarithm, largest, largest_magnitude};
pub use medians::{MEDIAN_SIDES, medians};
pub use neighbours::{NEIGHBOURS, neighbour_distances};
pub use panels::Panels;
pub use prefetch::{large_list, large_zeros, prefetch_item};
pub use register::Number;
pub use shapes::{ShapeScratch, ShapeSums, shape_sums};
pub use stencil::{Outputs, Stencil, correlate};
pub use sums::{Stack, column_sums, window_sums};
pub use tall_products::PANEL;
pub use weighted_sums::{Band, band_sums, row_products};
pub use window::{Rows, WindowKernel};

/// Numbers in one group: the width that fixes the order of every sum.
pub const LANES: usize = 16;

/// Sixteen numbers that fill one cache line; rows of matrices are slices of these.
#[derive(Debug, Clone, Copy, PartialEq)]
#[repr(C, align(64))]
pub struct Lanes(pub [f32; LANES]);

impl Lanes {
    /// Sixteen zeros.
    pub const ZERO: Self = Self([0.0; LANES]);
}

/// Which compiled form of the kernels runs. It can only be made for a processor that has the instructions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Width(Instructions);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Instructions {
    Plain,
    #[cfg(target_arch = "x86_64")]
    Avx2,
    #[cfg(target_arch = "x86_64")]
    Avx512,
    #[cfg(target_arch = "aarch64")]
    Neon,
}

impl Width {
    /// The widest form that this processor runs.
    #[must_use]
    pub fn detect() -> Self {
        static WIDEST: LazyLock<Width> =
            LazyLock::new(|| Width::available().pop().unwrap_or(Width(Instructions::Plain)));
        *WIDEST
    }

    /// Every form that this processor runs, from the narrowest to the widest. All give the same bits.
    #[must_use]
    pub fn available() -> Vec<Self> {
        let mut widths = vec![Self(Instructions::Plain)];
        #[cfg(target_arch = "x86_64")]
        {
            if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
                widths.push(Self(Instructions::Avx2));
                if is_x86_feature_detected!("avx512f") {
                    widths.push(Self(Instructions::Avx512));
                }
            }
        }
        #[cfg(target_arch = "aarch64")]
        widths.push(Self(Instructions::Neon));
        widths
    }

    /// The name of the instructions.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self.0 {
            Instructions::Plain => "plain",
            #[cfg(target_arch = "x86_64")]
            Instructions::Avx2 => "AVX2",
            #[cfg(target_arch = "x86_64")]
            Instructions::Avx512 => "AVX-512",
            #[cfg(target_arch = "aarch64")]
            Instructions::Neon => "NEON",
        }
    }
}

/// Asks the processor to bring `row` into its caches. A hint: it changes no result.
#[inline]
pub fn prefetch(row: &[Lanes]) {
    #[cfg(target_arch = "x86_64")]
    for group in row {
        // SAFETY: a prefetch may name any address and SSE is part of x86-64.
        unsafe {
            std::arch::x86_64::_mm_prefetch::<{ std::arch::x86_64::_MM_HINT_T0 }>(group.0.as_ptr().cast());
        }
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = row;
}
