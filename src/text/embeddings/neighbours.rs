//! Which words lie near each other.

use rayon::prelude::*;

use super::Embeddings;

/// The cosine of the angle between two vectors, in f64; 0 where either is zero.
#[must_use]
pub fn cosine(a: &[f32], b: &[f32]) -> f64 {
    let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(&a, &b)| f64::from(a) * f64::from(b)).sum::<f64>();
    let norms = (dot(a, a) * dot(b, b)).sqrt();
    if norms > 0.0 { (dot(a, b) / norms).clamp(-1.0, 1.0) } else { 0.0 }
}

/// The `n` words nearest to `word` by cosine, itself left out, the nearest first and equal ones by id. Empty where the
/// word has no vector.
#[must_use]
pub fn nearest(embeddings: &Embeddings, word: usize, n: usize) -> Vec<(usize, f32)> {
    let Some(vector) = embeddings.vector(word) else {
        return Vec::new();
    };
    let rows = embeddings.vectors().par_chunks(embeddings.dims()).enumerate();
    let others = rows.filter(|&(other, _)| other != word);
    let mut cosines: Vec<(usize, f32)> =
        others.map(|(other, row)| (other, cosine(vector, row) as f32)).collect();
    let order = |a: &(usize, f32), b: &(usize, f32)| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0));
    if n < cosines.len() {
        cosines.select_nth_unstable_by(n, order);
        cosines.truncate(n);
    }
    cosines.sort_unstable_by(order);
    cosines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nearest_first_and_equals_by_id() {
        let vectors = vec![1.0, 0.0, 0.0, 1.0, 2.0, 0.0, 1.0, 1.0, -1.0, 0.0, 3.0, 0.0, 0.0, 0.0];
        let embeddings = Embeddings::new(2, vectors).unwrap();
        let near = nearest(&embeddings, 0, 4);
        assert_eq!(near.iter().map(|&(word, _)| word).collect::<Vec<_>>(), [2, 5, 3, 1]);
        assert!((near[2].1 - 0.5_f32.sqrt()).abs() < 1e-6);
        assert_eq!(nearest(&embeddings, 0, 100).len(), 6);
        assert_eq!(nearest(&embeddings, 7, 3), []);
        assert_eq!(nearest(&embeddings, 0, 0), []);
    }
}
