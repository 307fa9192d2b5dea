//! Relations that differ between two tables of correlations.

use std::collections::BTreeMap;

use serde::Serialize;

use super::correlations::Correlation;
use crate::math::distribution::normal_two_sided;
use crate::math::statistics::benjamini_hochberg;

/// With fewer items on a side, or fewer groups where groups are the draws, nothing is tested.
pub const FEWEST: u32 = 8;
/// The normal quantile of a 95 % interval's end.
const Z_95: f64 = 1.959_963_984_540_054;
/// Correlations are held this far from ±1, where Fisher's z has no value.
const LARGEST: f64 = 0.999_999;

/// A relation as it stands in both tables.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Contrast {
    /// Name of the text feature.
    pub text_feature: String,
    /// Name of the sound feature.
    pub audio_feature: String,
    /// Items of the first table, and of the second.
    pub n: (u32, u32),
    /// Spearman's correlation in either.
    pub spearman: (Option<f64>, Option<f64>),
    /// The q of either.
    pub table_q: (Option<f64>, Option<f64>),
    /// Whether the two 95 % intervals have no value in common.
    pub intervals_apart: bool,
    /// Whether one q is below the limit and the other is not.
    pub turned: bool,
    /// The difference of Fisher's z in standard errors.
    pub z: Option<f64>,
    /// Two-sided p of it.
    pub p: Option<f64>,
    /// The p adjusted for all relations (Benjamini and Hochberg 1995).
    pub q: Option<f64>,
}

/// How the relations of table `a` stand in table `b`, for those that stand in both, in the order of `a`.
///
/// The standard error of `atanh` of Spearman's correlation is the larger of `sqrt((1 + rho² / 2) / (n - 3))` (Bonett and
/// Wright 2000) and what the bootstrap interval of the table says. `draws` bounds n: where no group has items in both
/// tables the groups are the draws, and their number stands for n. Where the tables share items their correlations go
/// together and the p is larger than it need be. `limit` is the q under which a relation counts as significant.
#[must_use]
pub fn contrasts(
    a: &[Correlation],
    b: &[Correlation],
    draws: Option<(u32, u32)>,
    limit: f64,
) -> Vec<Contrast> {
    let key = |row: &Correlation| (row.text_feature.clone(), row.audio_feature.clone());
    let in_b: BTreeMap<(String, String), &Correlation> = b.iter().map(|row| (key(row), row)).collect();
    let pairs = a.iter().filter_map(|row| Some((row, *in_b.get(&key(row))?)));
    let mut rows: Vec<Contrast> = pairs.map(|(a, b)| contrast(a, b, draws, limit)).collect();
    let q = benjamini_hochberg(&rows.iter().map(|row| row.p).collect::<Vec<_>>());
    rows.iter_mut().zip(q).for_each(|(row, q)| row.q = q);
    rows
}

fn contrast(a: &Correlation, b: &Correlation, draws: Option<(u32, u32)>, limit: f64) -> Contrast {
    let significant = |row: &Correlation| row.q.is_some_and(|q| q < limit);
    let apart =
        |low: &Correlation, high: &Correlation| low.ci_high.zip(high.ci_low).is_some_and(|(l, h)| l < h);
    let (most_a, most_b) = draws.unwrap_or((u32::MAX, u32::MAX));
    let z = fisher(a, most_a)
        .zip(fisher(b, most_b))
        .map(|((z_a, variance_a), (z_b, variance_b))| (z_b - z_a) / (variance_a + variance_b).sqrt());
    Contrast {
        text_feature: a.text_feature.clone(),
        audio_feature: a.audio_feature.clone(),
        n: (a.n, b.n),
        spearman: (a.spearman, b.spearman),
        table_q: (a.q, b.q),
        intervals_apart: apart(a, b) || apart(b, a),
        turned: a.q.is_some() && b.q.is_some() && significant(a) != significant(b),
        z,
        p: z.map(normal_two_sided),
        q: None,
    }
}

/// Fisher's z of a relation and its variance.
fn fisher(row: &Correlation, draws: u32) -> Option<(f64, f64)> {
    let n = row.n.min(draws);
    let rho = row.spearman.filter(|_| n >= FEWEST)?;
    let z = |rho: f64| libm::atanh(rho.clamp(-LARGEST, LARGEST));
    let by_size = (1.0 + rho * rho / 2.0) / f64::from(n - 3);
    let by_interval =
        row.ci_low.zip(row.ci_high).map_or(0.0, |(low, high)| ((z(high) - z(low)) / (2.0 * Z_95)).powi(2));
    Some((z(rho), by_size.max(by_interval)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn relation(name: &str, n: u32, rho: f64, q: f64) -> Correlation {
        let half = Z_95 / f64::from(n - 3).sqrt();
        Correlation {
            text_feature: name.into(),
            audio_feature: "rms_db_mean".into(),
            n,
            spearman: Some(rho),
            ci_low: Some(libm::tanh(libm::atanh(rho) - half)),
            ci_high: Some(libm::tanh(libm::atanh(rho) + half)),
            q: Some(q),
            ..Correlation::default()
        }
    }

    #[test]
    fn a_relation_that_turned_is_found_and_one_that_stayed_is_not() {
        let a = [
            relation("tokens", 103, 0.6, 1e-6),
            relation("ttr", 103, 0.3, 0.04),
            relation("ari", 50, 0.1, 0.6),
        ];
        let b = [relation("ttr", 103, 0.25, 0.06), relation("tokens", 103, -0.1, 0.5)];
        let found = contrasts(&a, &b, None, 0.05);
        assert_eq!(found.iter().map(|row| row.text_feature.as_str()).collect::<Vec<_>>(), ["tokens", "ttr"]);
        let (tokens, ttr) = (&found[0], &found[1]);
        let variance: f64 = (1.0 + 0.18) / 100.0 + (1.0 + 0.005) / 100.0;
        let z = (libm::atanh(-0.1) - libm::atanh(0.6)) / variance.sqrt();
        assert!((tokens.z.unwrap() - z).abs() < 1e-9 && tokens.q.unwrap() < 1e-4, "{tokens:?}");
        assert!(tokens.intervals_apart && tokens.turned);
        assert!(ttr.turned && !ttr.intervals_apart && ttr.q.unwrap() > 0.5, "{ttr:?}");
    }

    #[test]
    fn groups_bound_what_is_known() {
        let (a, b) = ([relation("tokens", 203, 0.5, 0.01)], [relation("tokens", 203, 0.0, 0.9)]);
        assert!(contrasts(&a, &b, None, 0.05)[0].p.unwrap() < 1e-6);
        assert!(contrasts(&a, &b, Some((10, 12)), 0.05)[0].p.unwrap() > 0.1);
        assert_eq!(contrasts(&a, &b, Some((4, 12)), 0.05)[0].p, None);
    }
}
