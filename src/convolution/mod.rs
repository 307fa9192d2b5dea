//! Convolution in one and two dimensions, for whatever is a signal or an image by now.
//!
//! A [`Kernel1d`] or [`Kernel2d`] (by name from [`kernels`], or from taps) and a [`Border`] make a plan, [`Filter1d`]
//! or [`Filter2d`]; the plan chooses a [`Way`] and runs over any number of inputs with scratch that the caller owns:
//!
//! ```text
//! KernelSpec -> Kernel1d, Kernel2d -> Filter1d, Filter2d -> direct | separable | running sum | transform
//! ```
//!
//! The definition is that of `scipy.ndimage.convolve`: with the centre `c`,
//! `out[i] = sum over k of taps[k] * x[i + c - k]`, where `x` beyond its ends is what the border says.

pub mod analytic;
pub mod bank;
pub mod border;
mod cost;
mod direct;
pub mod filter1d;
pub mod filter2d;
pub mod fourier;
pub mod kernel;
pub mod kernels;
pub mod named;
pub mod nonlinear;
mod overlap;
pub mod partitioned;
mod plan;
pub mod planner;
pub mod recursive;
mod running;
pub mod sample;
mod separable;
pub mod spec;
pub mod way;

pub use bank::Bank;
pub use border::Border;
pub use filter1d::Filter1d;
pub use filter2d::Filter2d;
pub use kernel::{Kernel1d, Kernel2d, KernelError};
pub use kernels::{Named1d, Named2d};
pub use named::{ImageFilter, SignalFilter};
pub use partitioned::Partitioned;
pub use planner::{Choice, Estimate};
pub use sample::Sample;
pub use spec::{KernelSpec, Taps};
pub use way::{Mode, Operation, Options, Scratch, Way};

#[cfg(test)]
mod tests;
