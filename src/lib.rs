//! Words and sound as numbers, compared, every night.
//!
//! The modules stand in the order in which data flows:
//!
//! ```text
//! corpus -> text | audio -> compare -> report        job conducts; math and convolution serve all
//! ```
//!
//! The program is `wordwave run JOB.toml` ([`job::run`]); every room can be used by itself. Here a tone is smoothed by the
//! convolution module and two texts are counted:
//!
//! ```
//! use wordwave::convolution::{Border, Filter1d, Kernel1d, Scratch};
//! use wordwave::text::counts::{CountSettings, count_shard};
//! use wordwave::text::tokens::{TokenSettings, Tokenizer};
//!
//! let smooth = Filter1d::<f64>::new(&Kernel1d::new(vec![0.25, 0.5, 0.25])?, Border::Reflect);
//! let mut smoothed = Vec::new();
//! smooth.apply(&[0.0, 4.0, 0.0, 0.0], &mut smoothed, &mut Scratch::new());
//! assert_eq!(smoothed, [1.0, 2.0, 1.0, 0.0]);
//!
//! let tokenizer = Tokenizer::new(&TokenSettings::default())?;
//! let settings = CountSettings { ngrams: [1, 1], statistics: true, stream: true };
//! let counts = count_shard(&tokenizer, settings, ["The bird is the word.", "You heard about the bird"])?;
//! assert_eq!(counts.token_count(), 10);
//! assert_eq!(counts.statistics()[0].types, 4);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod corpus;

pub mod audio;
pub mod text;

pub mod compare;

pub mod report;

pub mod job;

pub mod convolution;
pub mod math;

mod simd;

pub mod error;

pub mod cli;
