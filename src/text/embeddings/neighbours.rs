//! Which words lie near each other.

use rayon::prelude::*;

use super::Embeddings;
use crate::simd::Panels;

/// The cosine of the angle between two vectors, in f64; 0 where either is zero.
#[must_use]
pub fn cosine(a: &[f32], b: &[f32]) -> f64 {
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
    nearest_first(others.map(|(other, row)| (other, cosine(vector, row) as f32)).collect(), n)
}

/// The `n` largest cosines, the largest first and equal ones by id.
pub(super) fn nearest_first(mut cosines: Vec<(usize, f32)>, n: usize) -> Vec<(usize, f32)> {
    let order = |a: &(usize, f32), b: &(usize, f32)| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0));
    if n < cosines.len() {
        cosines.select_nth_unstable_by(n, order);
        cosines.truncate(n);
    }
    cosines.sort_unstable_by(order);
    cosines
}

/// The product of two vectors, in f64.
pub(super) fn dot(a: &[f32], b: &[f32]) -> f64 {
    a.iter().zip(b).map(|(&a, &b)| f64::from(a) * f64::from(b)).sum()
}

/// The `n` words nearest to every word by cosine, each list as [`nearest`] has it: one matrix product, block by block on all
/// threads. The cosines are products of rows of length one in f32, within about 1e-6.
#[must_use]
pub fn nearest_of_all(embeddings: &Embeddings, n: usize) -> Vec<Vec<(usize, f32)>> {
    let words = embeddings.words();
    let firsts: Vec<usize> = (0..words).step_by(COLUMNS).collect();
    let part = |first: usize, size: usize| (first..words.min(first + size)).collect::<Vec<usize>>();
    let columns: Vec<(usize, Panels)> =
        firsts.into_par_iter().map(|first| (first, unit_rows(embeddings, &part(first, COLUMNS)))).collect();
    let rows: Vec<usize> = (0..words).step_by(ROWS).collect();
    let near = |&first: &usize| {
        let left = unit_rows(embeddings, &part(first, ROWS));
        let mut best: Vec<Best> = (0..left.cols()).map(|_| Best::new(n)).collect();
        let mut product = Vec::new();
        for (second, right) in &columns {
            left.transposed_product(right, &mut product);
            for (row, best) in best.iter_mut().enumerate() {
                let cosines = &product[row * right.cols()..(row + 1) * right.cols()];
                for (column, &cosine) in cosines.iter().enumerate() {
                    if cosine > best.least && second + column != first + row {
                        best.push(second + column, cosine);
                    }
                }
            }
        }
        best.into_iter().map(Best::finish).collect::<Vec<_>>()
    };
    rows.par_iter().map(near).collect::<Vec<_>>().into_iter().flatten().collect()
}

/// Rows and columns of a block of the product of all words with all words.
const ROWS: usize = 64;
pub(super) const COLUMNS: usize = 2_048;

/// The vectors of `words`, each of length one, as columns.
pub(super) fn unit_rows(embeddings: &Embeddings, words: &[usize]) -> Panels {
    let mut panels = Panels::zeros(embeddings.dims(), words.len());
    for (column, &word) in words.iter().enumerate() {
        let vector = embeddings.vector(word).unwrap_or_default();
        let length = dot(vector, vector).sqrt();
        let scale = if length > 0.0 { 1.0 / length } else { 0.0 };
        panels.set_column(column, vector.iter().map(|&value| (f64::from(value) * scale) as f32));
    }
    panels
}

/// The largest cosines met so far.
struct Best {
    n: usize,
    /// A cosine at or under this comes too late: as many larger or earlier ones are there.
    least: f32,
    met: Vec<(usize, f32)>,
}

impl Best {
    fn new(n: usize) -> Self {
        let least = if n == 0 { f32::INFINITY } else { f32::NEG_INFINITY };
        Self { n, least, met: Vec::with_capacity(2 * n) }
    }

    /// Words come by rising id, so that of equal ones the first stays.
    fn push(&mut self, word: usize, cosine: f32) {
        self.met.push((word, cosine.clamp(-1.0, 1.0)));
        if self.met.len() == 2 * self.n {
            self.met = nearest_first(std::mem::take(&mut self.met), self.n);
            self.met.reserve(self.n);
            self.least = self.met[self.n - 1].1;
        }
    }

    fn finish(self) -> Vec<(usize, f32)> {
        nearest_first(self.met, self.n)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::random::Stream;

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

    #[test]
    fn all_at_once_is_one_by_one() {
        let mut stream = Stream::new(4, "neighbours", 0);
        // More words than a block has, of whole numbers with repeats, so that many cosines are equal.
        let vectors: Vec<f32> = (0..2_200 * 5).map(|_| stream.below(4) as f32 - 1.0).collect();
        let embeddings = Embeddings::new(5, vectors).unwrap();
        for n in [0, 1, 7] {
            let all = nearest_of_all(&embeddings, n);
            assert_eq!(all.len(), 2_200);
            for word in (0..2_200).step_by(97) {
                let one = nearest(&embeddings, word, n);
                assert_eq!(all[word].len(), one.len());
                for ((_, cosine), (_, expected)) in all[word].iter().zip(&one) {
                    assert!((cosine - expected).abs() < 1e-6, "{word}");
                }
            }
        }
        let pool = rayon::ThreadPoolBuilder::new().num_threads(3).build().unwrap();
        assert_eq!(pool.install(|| nearest_of_all(&embeddings, 4)), nearest_of_all(&embeddings, 4));
        let few = Embeddings::new(1, vec![1.0, 0.0]).unwrap();
        assert_eq!(nearest_of_all(&few, 9), [vec![(1, 0.0)], vec![(0, 0.0)]]);
        assert!(nearest_of_all(&Embeddings::new(3, Vec::new()).unwrap(), 3).is_empty());
    }
}
