//! Words whose vectors moved between two trainings.
//!
//! Two trainings differ by a rotation, which orthogonal Procrustes takes away (Hamilton, Leskovec and Jurafsky 2016), and by
//! noise: of the seed, of the sample, and the more of it the rarer the word. Two runs hold one vector a word each, so the
//! noise of a single word cannot be measured; what can be is how far words of the same frequency lie apart. A word is held
//! against that floor:
//!
//! 1. The vectors of the words that are frequent in both are centred and brought to length one.
//! 2. The rotation is fitted five times, each time without a fifth of the words, and those are judged by it: a word never
//!    helps to hide its own distance.
//! 3. The distance is `-atanh` of the cosine, whose spread hardly depends on its size (Fisher 1921).
//! 4. Its floor is the median over the words nearest in frequency, its yardstick their median absolute deviation: neither
//!    is moved by a minority of words that did drift.
//! 5. The tail of these standardised distances, over all words, is taken for exponential beyond its 95th percentile, with the
//!    steepness found between the 75th and the 95th: heavier than a normal tail, and again not set by the outliers.
//! 6. A word also shares fewer of its ten nearest words than words of its frequency do, or it is not called drifted.
//!
//! What this promises: a word that moved against its like is found where it moved by more than chance moves one word in
//! thousands. What it cannot: see a drift of most words at once, which becomes the floor; tell a change of use from
//! noise for a word that stands in few contexts; or know the noise of one word that is noisier than its like.

use rayon::prelude::*;
use serde::Serialize;

use crate::math::matrix::Matrix;
use crate::math::procrustes::rotation;
use crate::math::statistics::{benjamini_hochberg, percentile};

/// Words judged at most: the most frequent.
pub const MOST_WORDS: usize = 5_000;
/// With fewer words in common there is no floor.
pub const FEWEST_WORDS: usize = 200;
/// Fewer occurrences on either side are too few for a vector to say anything.
pub const FEWEST_OCCURRENCES: u64 = 10;
/// Neighbours held against each other.
pub const NEIGHBOURS: usize = 10;
const FOLDS: usize = 5;
/// Words on either side in frequency that make up the floor.
const REACH: usize = 60;
/// Of a normal distribution, the standard deviation by the median absolute deviation.
const MAD_TO_SD: f64 = 1.482_602_218_505_602;
const LARGEST_COSINE: f64 = 0.999_999;

/// Words with a vector and a count in both trainings. Rows of the matrices are the words.
#[derive(Debug, Clone)]
pub struct WordPairs {
    /// The words.
    pub words: Vec<String>,
    /// Occurrences in the first and the second corpus.
    pub counts: Vec<(u64, u64)>,
    /// Vectors of the first training.
    pub first: Matrix,
    /// Vectors of the second; of as many dimensions.
    pub second: Matrix,
}

/// How far a word moved.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Drift {
    /// The word.
    pub term: String,
    /// Occurrences in the first and the second corpus.
    pub counts: (u64, u64),
    /// 1 less the cosine after rotation.
    pub distance: f64,
    /// The median of `distance` over words of its frequency.
    pub floor: f64,
    /// How many of its ten nearest words it keeps.
    pub kept_neighbours: usize,
    /// The median of that over words of its frequency.
    pub neighbours_floor: f64,
    /// Distance beyond the floor in robust standard deviations of words of its frequency, on the scale of Fisher's z.
    pub z: f64,
    /// One-sided p against words of its frequency.
    pub p: Option<f64>,
    /// The p adjusted for all words (Benjamini and Hochberg 1995).
    pub q: Option<f64>,
}

/// Judges every pair; the words should be at least [`FEWEST_WORDS`], or little can be said. By frequency, the most frequent
/// first.
///
/// # Panics
/// Where the words, the counts and the rows of the matrices are not as many.
#[must_use]
pub fn drifts(pairs: &WordPairs) -> Vec<Drift> {
    let mut order: Vec<usize> = (0..pairs.words.len()).collect();
    // Noise goes with the reciprocal of the counts, so with their harmonic mean.
    let rarity = |i: usize| {
        let (a, b) = pairs.counts[i];
        1.0 / a.max(1) as f64 + 1.0 / b.max(1) as f64
    };
    order.sort_by(|&a, &b| rarity(a).total_cmp(&rarity(b)).then_with(|| pairs.words[a].cmp(&pairs.words[b])));
    let (first, second) = (directions(&pairs.first, &order), directions(&pairs.second, &order));
    let cosines = aligned_cosines(&first, &second);
    let far: Vec<f64> =
        cosines.iter().map(|cosine| -libm::atanh(cosine.clamp(-LARGEST_COSINE, LARGEST_COSINE))).collect();
    let kept: Vec<f64> = kept_neighbours(&first, &second).into_iter().map(|kept| kept as f64).collect();
    let mut rows: Vec<Drift> = order
        .par_iter()
        .enumerate()
        .map(|(place, &word)| {
            let like = like(place, order.len());
            let of = |values: &[f64]| -> Vec<f64> { like.iter().map(|&other| values[other]).collect() };
            let (floor, spread) = median_and_spread(&of(&far));
            Drift {
                term: pairs.words[word].clone(),
                counts: pairs.counts[word],
                distance: 1.0 - cosines[place],
                floor: 1.0 + libm::tanh(floor),
                kept_neighbours: kept[place] as usize,
                neighbours_floor: percentile(&of(&kept), 0.5).unwrap_or(0.0),
                z: if spread > 1e-9 { (far[place] - floor) / spread } else { 0.0 },
                p: None,
                q: None,
            }
        })
        .collect();
    let tail = Tail::of(&rows.iter().map(|row| row.z).collect::<Vec<_>>());
    for row in &mut rows {
        row.p = tail.as_ref().map(|tail| tail.p(row.z));
    }
    let q = benjamini_hochberg(&rows.iter().map(|row| row.p).collect::<Vec<_>>());
    rows.iter_mut().zip(q).for_each(|(row, q)| row.q = q);
    rows
}

impl Drift {
    /// How far beyond the floor the word lies.
    #[must_use]
    pub fn excess(&self) -> f64 {
        self.distance - self.floor
    }

    /// Whether it also lost more of its neighbours than words of its frequency.
    #[must_use]
    pub fn lost_neighbours(&self) -> bool {
        (self.kept_neighbours as f64) < self.neighbours_floor
    }
}

/// The vectors in the given order, less their mean, each of length one.
fn directions(vectors: &Matrix, order: &[usize]) -> Matrix {
    let mut directions = vectors.select_rows(order);
    let mut mean = vec![0.0; directions.cols()];
    for i in 0..directions.rows() {
        mean.iter_mut().zip(directions.row(i)).for_each(|(mean, value)| *mean += value);
    }
    for mean in &mut mean {
        *mean /= order.len() as f64;
    }
    for i in 0..directions.rows() {
        let row = directions.row_mut(i);
        row.iter_mut().zip(&mean).for_each(|(value, mean)| *value -= mean);
        let length = row.iter().map(|value| value * value).sum::<f64>().sqrt();
        if length > 0.0 {
            for value in row.iter_mut() {
                *value /= length;
            }
        }
    }
    directions
}

/// The cosine of each word with itself, by a rotation that it had no part in.
fn aligned_cosines(first: &Matrix, second: &Matrix) -> Vec<f64> {
    let mut cosines = vec![0.0; first.rows()];
    for fold in 0..FOLDS {
        let (judged, fitted): (Vec<usize>, Vec<usize>) = (0..first.rows()).partition(|i| i % FOLDS == fold);
        let turn = rotation(&first.select_rows(&fitted), &second.select_rows(&fitted));
        let turned = first.select_rows(&judged).product(&turn);
        for (row, &word) in judged.iter().enumerate() {
            let lengths = dot(turned.row(row), turned.row(row)) * dot(second.row(word), second.row(word));
            let cosine = dot(turned.row(row), second.row(word)) / lengths.sqrt();
            cosines[word] = if cosine.is_finite() { cosine } else { 0.0 };
        }
    }
    cosines
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// How many of a word's nearest words are the same in both spaces.
fn kept_neighbours(first: &Matrix, second: &Matrix) -> Vec<usize> {
    let near = |space: &Matrix, word: usize| -> Vec<usize> {
        let others = (0..space.rows()).filter(|&other| other != word);
        let mut cosines: Vec<(f64, usize)> =
            others.map(|other| (dot(space.row(word), space.row(other)), other)).collect();
        let order = |a: &(f64, usize), b: &(f64, usize)| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1));
        if cosines.len() > NEIGHBOURS {
            cosines.select_nth_unstable_by(NEIGHBOURS, order);
            cosines.truncate(NEIGHBOURS);
        }
        cosines.into_iter().map(|(_, other)| other).collect()
    };
    let kept = |word: usize| {
        let before = near(first, word);
        near(second, word).iter().filter(|other| before.contains(other)).count()
    };
    (0..first.rows()).into_par_iter().map(kept).collect()
}

/// The places of the words nearest in frequency, the word itself left out.
fn like(place: usize, words: usize) -> Vec<usize> {
    let first = place.saturating_sub(REACH).min(words.saturating_sub(2 * REACH + 1));
    (first..words.min(first + 2 * REACH + 1)).filter(|&other| other != place).collect()
}

fn median_and_spread(values: &[f64]) -> (f64, f64) {
    let median = percentile(values, 0.5).unwrap_or(0.0);
    let away: Vec<f64> = values.iter().map(|value| (value - median).abs()).collect();
    (median, percentile(&away, 0.5).unwrap_or(0.0) * MAD_TO_SD)
}

/// The upper tail of standardised distances: as they are up to their 95th percentile, exponential beyond.
struct Tail {
    sorted: Vec<f64>,
    from: f64,
    scale: f64,
}

impl Tail {
    fn of(values: &[f64]) -> Option<Self> {
        let mut sorted = values.to_vec();
        sorted.sort_by(f64::total_cmp);
        let (middle, from) = (percentile(&sorted, 0.75)?, percentile(&sorted, 0.95)?);
        // The logarithm of (1 - 0.75) / (1 - 0.95).
        let scale = (from - middle) / 5.0_f64.ln();
        (scale > 0.0).then_some(Self { sorted, from, scale })
    }

    fn p(&self, z: f64) -> f64 {
        if z > self.from {
            return 0.05 * libm::exp(-(z - self.from) / self.scale);
        }
        let below = self.sorted.partition_point(|value| *value < z);
        ((self.sorted.len() - below) as f64 / self.sorted.len() as f64).clamp(0.05, 1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::random::Stream;

    const DIMS: usize = 20;

    fn normal(stream: &mut Stream) -> f64 {
        (0..12).map(|_| stream.unit_f64()).sum::<f64>() - 6.0
    }

    /// Two trainings over one truth: rotated, and noisier for rarer words; words in `moved` mean something else in the second.
    fn trainings(words: usize, moved: &[usize], item: u64) -> WordPairs {
        let mut truth = Stream::new(item, "truth", 0);
        let random = |rows: usize, stream: &mut Stream| {
            Matrix::from_values(rows, DIMS, (0..rows * DIMS).map(|_| normal(stream)).collect()).unwrap()
        };
        let meaning = random(words, &mut truth);
        let (x, y) = (random(3 * DIMS, &mut truth), random(3 * DIMS, &mut truth));
        let mut first = meaning.clone();
        let mut changed = meaning;
        for &word in moved {
            for value in changed.row_mut(word) {
                *value = normal(&mut truth);
            }
        }
        let mut second = changed.product(&rotation(&x, &y));
        let counts: Vec<(u64, u64)> =
            (0..words as u64).map(|i| (20_000 / (i + 1) + 10, 15_000 / (i + 2) + 10)).collect();
        for (i, &(a, b)) in counts.iter().enumerate() {
            // A word's noise is its own to some degree: half to one and a half times that of its frequency.
            let own = 0.5 + truth.unit_f64();
            let level = |count: u64| own * 3.0 / (count as f64).sqrt().max(4.0);
            for value in first.row_mut(i) {
                *value += level(a) * normal(&mut truth);
            }
            for value in second.row_mut(i) {
                *value += level(b) * normal(&mut truth);
            }
        }
        WordPairs { words: (0..words).map(|i| format!("w{i:04}")).collect(), counts, first, second }
    }

    fn drifted(rows: &[Drift]) -> Vec<&str> {
        let beyond = rows.iter().filter(|row| row.q.is_some_and(|q| q < 0.05) && row.lost_neighbours());
        beyond.map(|row| row.term.as_str()).collect()
    }

    #[test]
    fn words_that_moved_are_found_and_no_others() {
        let moved = [20, 120, 300];
        let rows = drifts(&trainings(1000, &moved, 1));
        let mut found = drifted(&rows);
        found.sort_unstable();
        assert_eq!(found, ["w0020", "w0120", "w0300"]);
        let word = rows.iter().find(|row| row.term == "w0120").unwrap();
        assert!(word.distance > 0.5 && word.excess() > 0.3 && word.kept_neighbours < 4, "{word:?}");
    }

    #[test]
    fn noise_is_no_drift() {
        let alarms = (0..60).filter(|&item| !drifted(&drifts(&trainings(300, &[], 10 + item))).is_empty());
        let alarms = alarms.count();
        assert!(alarms <= 6, "{alarms} of 60 at the level 0.05");
    }

    #[test]
    fn a_rotation_alone_moves_nothing() {
        let mut pairs = trainings(250, &[], 5);
        pairs.second = pairs.first.clone();
        assert!(drifts(&pairs).iter().all(|row| row.distance < 1e-9 && row.kept_neighbours == NEIGHBOURS));
        assert!(drifted(&drifts(&pairs)).is_empty());
    }
}
