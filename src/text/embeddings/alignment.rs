//! Two trainings in one space: they differ by a rotation that means nothing.

use super::neighbours::dot;
use super::{Embeddings, KeyedVectors};
use crate::math::matrix::Matrix;
use crate::math::procrustes::rotation;

/// The vectors of `from`, all of them, turned so that the words that both have lie as near as can be to where they lie in `to`
/// (orthogonal Procrustes; Hamilton, Leskovec and Jurafsky 2016, "Diachronic Word Embeddings Reveal Statistical Laws of Semantic
/// Change"). The turn is fitted to vectors of length one, so that frequent words, which are long, do not settle it alone.
///
/// None where the dimensions differ, or there are fewer words in common than dimensions: then the turn is not determined.
#[must_use]
pub fn align(from: &KeyedVectors, to: &KeyedVectors) -> Option<Embeddings> {
    let dims = from.embeddings().dims();
    let shared =
        || from.terms().iter().enumerate().filter_map(move |(word, term)| Some((word, to.number(term)?)));
    if dims != to.embeddings().dims() || shared().count() < dims {
        return None;
    }
    let unit = |vectors: &KeyedVectors, word: usize| -> Vec<f64> {
        let vector = vectors.embeddings().vector(word).unwrap_or_default();
        let length = dot(vector, vector).sqrt();
        let scale = if length > 0.0 { 1.0 / length } else { 0.0 };
        vector.iter().map(|&x| f64::from(x) * scale).collect()
    };
    let (ours, theirs): (Vec<Vec<f64>>, Vec<Vec<f64>>) =
        shared().map(|(a, b)| (unit(from, a), unit(to, b))).unzip();
    let turn = rotation(&Matrix::from_rows(&ours), &Matrix::from_rows(&theirs));
    let all = from.embeddings().vectors().iter().map(|&x| f64::from(x)).collect();
    let turned = Matrix::from_values(from.terms().len(), dims, all)?.product(&turn);
    Embeddings::new(dims, turned.values().iter().map(|&x| x as f32).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::random::Stream;

    fn words(names: impl Iterator<Item = usize>, dims: usize, vectors: Vec<f32>) -> KeyedVectors {
        let terms = names.map(|name| format!("w{name}")).collect();
        KeyedVectors::new(terms, Embeddings::new(dims, vectors).unwrap(), None).unwrap()
    }

    #[test]
    fn a_turned_copy_comes_back_with_the_words_that_only_it_has() {
        let mut stream = Stream::new(6, "alignment", 0);
        let old: Vec<f32> = (0..40 * 3).map(|_| stream.unit_f32() - 0.5).collect();
        // (x, y, z) becomes (z, -x, y).
        let turned: Vec<f32> = old.as_chunks::<3>().0.iter().flat_map(|[x, y, z]| [*z, -x, *y]).collect();
        let to = words((0..30).rev(), 3, old[..90].rchunks(3).flatten().copied().collect());
        let from = words(0..40, 3, turned);
        let back = align(&from, &to).unwrap();
        for (ours, old) in back.vectors().iter().zip(&old) {
            assert!((ours - old).abs() < 1e-5);
        }
        assert!(align(&from, &words(0..2, 3, vec![1.0; 6])).is_none());
        assert!(align(&from, &words(0..40, 2, vec![1.0; 80])).is_none());
    }
}
