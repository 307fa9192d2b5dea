//! Features against features: which documents belong to which recordings, how their features relate, and how sure one can be.
//!
//! Sees numbers with names, never tokens or samples. Every estimate comes with how often chance alone would reach it:
//! items are permuted within their groups (usually speakers), so that what is found is not the difference between groups.
//!
//! Two runs are held against each other by `frequencies`, `shift`, `mix` (all by [`relabelling`]), `drift` and `contrasts`.

pub mod accelerated;
pub mod alignment;
pub mod clusters;
pub mod contrasts;
pub mod correlations;
pub mod dependence;
pub mod distance_correlation;
pub mod drift;
mod extremes;
pub mod features;
pub mod frequencies;
pub mod group_means;
pub mod groups;
mod held_out;
pub mod jackknife;
pub mod mix;
pub mod mutual_information;
pub mod pairs;
pub mod partial;
pub mod predictions;
mod ranking;
pub mod relabelling;
mod resampling;
pub mod shift;
pub mod similarity;
pub mod spaces;
pub mod spelling;
pub mod suspects;
#[cfg(test)]
mod tests;

/// How often chance is consulted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Resampling {
    /// The seed from which every permutation and bootstrap draw derives.
    pub seed: u64,
    /// Permutations for a p; 0: no p.
    pub permutations: u32,
    /// Bootstrap draws for an interval; 0: no interval.
    pub bootstrap: u32,
}
