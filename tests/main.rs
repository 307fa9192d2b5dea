//! The one integration binary: each further one would link polars again.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stderr, missing_docs)]

mod architecture;
mod broken;
mod chaos;
mod command_line;
mod exporting;
mod failures;
mod features;
mod formats;
mod golden_audio;
mod golden_convolution;
mod golden_dependence;
mod golden_file;
mod golden_kernels;
mod golden_recordings;
mod golden_relations;
mod golden_rows;
mod golden_statistics;
mod golden_text;
mod long_recordings;
mod nightly;
mod nights;
mod operations;
mod program;
mod shared_data;
mod showing;
mod terms;
mod vectors;
mod words_in_time;
