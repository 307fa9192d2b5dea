//! Filters of images that are no sums over taps, run over the same windows with the same borders.
//!
//! Each is made once with what it needs and applied to row-major images with scratch that the caller owns, as
//! [`Filter2d`](super::Filter2d). A window of even size reaches one sample further up and left than down and right, as
//! in `scipy.ndimage`.

mod bands;
mod bilateral;
mod median;
mod morphology;

pub use bilateral::Bilateral;
pub use median::Median;
pub use morphology::{Footprint, Morphology, Operator};
