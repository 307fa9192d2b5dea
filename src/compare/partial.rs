//! What two features have in common beyond what other features explain.

use crate::math::statistics::average_ranks;

/// The controls of some items, as an orthonormal basis of what they explain: a constant for each group, and the ranks.
pub struct Controls {
    members: Vec<Vec<u32>>,
    basis: Vec<Vec<f64>>,
}

impl Controls {
    /// Controls are `features` (their ranks) and the groups in `members` (each with a mean of its own; one group of all items
    /// is a constant alone). A control that those before it explain adds nothing.
    #[must_use]
    pub fn new(features: &[Vec<f64>], members: &[Vec<u32>]) -> Self {
        let mut controls = Self { members: members.to_vec(), basis: Vec::new() };
        for feature in features {
            let ranks = average_ranks(feature);
            let length = dot(&ranks, &ranks).sqrt();
            // Twice, for the second pass takes away what rounding left (Giraud, Langou and Rozložník 2005).
            let rest = controls.rest(&controls.rest(&ranks));
            let left = dot(&rest, &rest).sqrt();
            if left > 1e-9 * length {
                controls.basis.push(rest.iter().map(|value| value / left).collect());
            }
        }
        controls
    }

    /// How many controls are held constant: the ranks that add something, and the groups but one.
    #[must_use]
    pub fn held(&self) -> usize {
        self.basis.len() + self.members.len().saturating_sub(1)
    }

    /// The ranks of a feature less what the controls explain of them, of length one. `None` where that is all.
    #[must_use]
    pub fn residual(&self, feature: &[f64]) -> Option<Vec<f64>> {
        let ranks = average_ranks(feature);
        let scale = dot(&ranks, &ranks).sqrt();
        let rest = self.rest(&self.rest(&ranks));
        let length = dot(&rest, &rest).sqrt();
        (length > 1e-9 * scale).then(|| rest.iter().map(|value| value / length).collect())
    }

    /// The partial Spearman correlation of two features: Pearson's of what the controls leave of their ranks by ordinary least
    /// squares (Kendall 1942). `None` where they leave nothing of one.
    #[must_use]
    pub fn correlation(&self, x: &[f64], y: &[f64]) -> Option<f64> {
        Some(dot(&self.residual(x)?, &self.residual(y)?).clamp(-1.0, 1.0))
    }

    /// The correlation of residuals `x` and `y`, those of `x` permuted and cleared of the controls once more (Freedman and
    /// Lane 1983).
    #[must_use]
    pub fn permuted(&self, x: &[f64], y: &[f64], permutation: &[u32]) -> f64 {
        let moved: Vec<f64> = permutation.iter().map(|&from| x[from as usize]).collect();
        // y is clear of the controls, so that what they explain of the moved x changes its length alone.
        let rest = self.rest(&moved);
        let length = dot(&rest, &rest).sqrt();
        if length > 0.0 { dot(&moved, y) / length } else { 0.0 }
    }

    fn rest(&self, values: &[f64]) -> Vec<f64> {
        let mut rest = values.to_vec();
        for group in &self.members {
            let mean = group.iter().map(|&i| rest[i as usize]).sum::<f64>() / group.len() as f64;
            group.iter().for_each(|&i| rest[i as usize] -= mean);
        }
        for axis in &self.basis {
            let along = dot(&rest, axis);
            rest.iter_mut().zip(axis).for_each(|(value, axis)| *value -= along * axis);
        }
        rest
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::linear::Cholesky;
    use crate::math::matrix::Matrix;
    use crate::math::random::Stream;

    fn uniform(items: usize, item: u64) -> Vec<f64> {
        let mut stream = Stream::new(2, "partial", item);
        (0..items).map(|_| stream.unit_f64()).collect()
    }

    /// By the inverse of the correlation matrix of the ranks: `-P12 / sqrt(P11 P22)`.
    #[test]
    fn equals_the_inverse_correlation_matrix() {
        let (a, b, z, w) = (uniform(80, 0), uniform(80, 1), uniform(80, 2), uniform(80, 3));
        let mix =
            |v: &[f64], c: f64, d: f64| -> Vec<f64> { (0..80).map(|i| v[i] + c * z[i] + d * w[i]).collect() };
        let (x, y) = (mix(&a, 2.0, -1.0), mix(&b, 1.0, 0.5));
        let centred: Vec<Vec<f64>> = [&x, &y, &z, &w]
            .iter()
            .map(|column| average_ranks(column).iter().map(|rank| rank - 40.5).collect())
            .collect();
        let rows = Matrix::from_rows(&centred);
        let precision = Cholesky::new(&rows.product(&rows.transpose())).unwrap().solve(&Matrix::identity(4));
        let expected = -precision.at(0, 1) / (precision.at(0, 0) * precision.at(1, 1)).sqrt();
        let all: Vec<Vec<u32>> = vec![(0..80).collect()];
        let found = Controls::new(&[z.clone(), w.clone(), z.clone()], &all).correlation(&x, &y).unwrap();
        assert!((found - expected).abs() < 1e-12, "{found} {expected}");
        assert!(Controls::new(std::slice::from_ref(&x), &all).correlation(&x, &y).is_none());
    }

    #[test]
    fn what_the_controls_explain_is_gone_and_the_rest_stays() {
        let speakers: Vec<Vec<u32>> = (0..5).map(|g| (0..100).filter(|i| i % 5 == g).collect()).collect();
        let shift =
            |v: Vec<f64>| -> Vec<f64> { v.iter().zip(0..).map(|(v, i)| v + f64::from(i % 5)).collect() };
        let (x, y) = (shift(uniform(100, 4)), shift(uniform(100, 5)));
        let controls = Controls::new(&[], &speakers);
        let found = controls.correlation(&x, &y).unwrap();
        assert!(found.abs() < 0.25, "{found}");
        let (rx, ry) = (controls.residual(&x).unwrap(), controls.residual(&y).unwrap());
        let unmoved: Vec<u32> = (0..100).collect();
        assert!((controls.permuted(&rx, &ry, &unmoved) - found).abs() < 1e-12);
        let z = uniform(100, 6);
        let with = |v: &[f64]| -> Vec<f64> { v.iter().zip(&z).map(|(v, z)| v + 3.0 * z).collect() };
        let (x, y) = (with(&uniform(100, 7)), with(&uniform(100, 8)));
        let all: Vec<Vec<u32>> = vec![(0..100).collect()];
        assert!(Controls::new(&[], &all).correlation(&x, &y).unwrap() > 0.7);
        assert!(Controls::new(&[z], &all).correlation(&x, &y).unwrap().abs() < 0.3);
    }
}
