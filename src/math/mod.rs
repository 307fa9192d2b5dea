//! Numbers without meaning: matrices, statistics, distributions and random streams. Knows no text, sound or file.
//!
//! Every function gives the same bits on every platform: transcendental functions come from `libm`, sums run in a fixed
//! order, and no result depends on the number of threads.

pub mod distribution;
pub mod k_means;
pub mod linear;
pub mod linkage;
pub mod matrix;
pub mod neighbour_embedding;
pub mod procrustes;
pub mod random;
pub mod statistics;
pub mod truncated_svd;
