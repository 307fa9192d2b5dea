//! Whether two ways of sorting the same items into clusters agree.

use std::collections::BTreeMap;

use crate::math::k_means::{lloyd, plus_plus};
use crate::math::matrix::Matrix;

/// Turns of Lloyd's iteration at most.
const TURNS: usize = 100;
/// Clusters of a space at most.
const MOST_CLUSTERS: usize = 10;

/// The cluster of each row, by k-means with `k = sqrt(n / 2)` clusters (Mardia, Kent and Bibby 1979), from 2 to 10.
#[must_use]
pub fn clusters(points: &Matrix, seed: u64) -> Vec<u32> {
    let count = ((points.rows() as f64 / 2.0).sqrt() as usize).clamp(2, MOST_CLUSTERS);
    lloyd(points, plus_plus(points, count, seed), TURNS).of_point
}

/// What the adjusted mutual information of two sortings needs and no order of the items changes.
pub struct Agreement {
    text: Vec<u32>,
    sound: Vec<u32>,
    text_sizes: Vec<u64>,
    sound_sizes: Vec<u64>,
    /// The mutual information that chance gives.
    expected: f64,
    /// The mean entropy of both less that.
    room: f64,
}

impl Agreement {
    /// Two labels an item. `None` where a side has one cluster alone, or as many as items.
    #[must_use]
    pub fn new(text: Vec<u32>, sound: Vec<u32>) -> Option<Self> {
        let (text_sizes, sound_sizes) = (sizes(&text), sizes(&sound));
        let several = |sizes: &[u64]| sizes.iter().filter(|size| **size > 0).count() > 1;
        if text.len() != sound.len() || !several(&text_sizes) || !several(&sound_sizes) {
            return None;
        }
        let expected = expected_information(&text_sizes, &sound_sizes, text.len() as u64);
        let room = f64::midpoint(entropy(&text_sizes), entropy(&sound_sizes)) - expected;
        (room.abs() > f64::EPSILON).then_some(Self { text, sound, text_sizes, sound_sizes, expected, room })
    }

    /// The adjusted mutual information, item `permutation[i]` of the sound side taken for item i:
    /// `(I - E) / ((H(text) + H(sound)) / 2 - E)`, E the expectation of I over all permutations (Vinh, Epps and Bailey 2010;
    /// scikit-learn's `adjusted_mutual_info_score`): 1 where the sortings are the same, 0 on average for chance.
    #[must_use]
    pub fn estimate(&self, permutation: &[u32]) -> f64 {
        let width = self.sound_sizes.len();
        let mut cells = vec![0_u64; self.text_sizes.len() * width];
        for (&text, &from) in self.text.iter().zip(permutation) {
            cells[text as usize * width + self.sound[from as usize] as usize] += 1;
        }
        let n = self.text.len() as f64;
        let mut information = 0.0;
        for (i, &a) in self.text_sizes.iter().enumerate() {
            for (j, &b) in self.sound_sizes.iter().enumerate() {
                let both = cells[i * width + j] as f64;
                if both > 0.0 {
                    information += both / n * libm::log(n * both / (a as f64 * b as f64));
                }
            }
        }
        (information - self.expected) / self.room
    }
}

impl Agreement {
    /// The agreement without each item in turn, its clusters otherwise as they are. Empty where it is undefined without one.
    #[must_use]
    pub fn without_each(&self) -> Vec<f64> {
        let mut known: BTreeMap<(u32, u32), Option<f64>> = BTreeMap::new();
        let without = |item: usize| {
            // Items of the same two clusters are alike.
            *known.entry((self.text[item], self.sound[item])).or_insert_with(|| {
                let rest = |labels: &[u32]| {
                    let others = labels.iter().enumerate().filter(|(other, _)| *other != item);
                    others.map(|(_, label)| *label).collect::<Vec<u32>>()
                };
                let unmoved: Vec<u32> = (1..self.text.len() as u32).map(|i| i - 1).collect();
                Some(Self::new(rest(&self.text), rest(&self.sound))?.estimate(&unmoved))
            })
        };
        (0..self.text.len()).map(without).collect::<Option<Vec<f64>>>().unwrap_or_default()
    }
}

fn sizes(labels: &[u32]) -> Vec<u64> {
    let mut sizes = vec![0; labels.iter().max().map_or(0, |&last| last as usize + 1)];
    labels.iter().for_each(|&label| sizes[label as usize] += 1);
    sizes
}

fn entropy(sizes: &[u64]) -> f64 {
    let n = sizes.iter().sum::<u64>() as f64;
    let term = |size: f64| if size > 0.0 { -size / n * libm::log(size / n) } else { 0.0 };
    sizes.iter().map(|&size| term(size as f64)).sum()
}

/// The mean over all permutations: each cell's size is hypergeometric (Vinh, Epps and Bailey 2010, eq. 24a).
fn expected_information(rows: &[u64], columns: &[u64], n: u64) -> f64 {
    let mut factorials = vec![0.0];
    for i in 1..=n {
        factorials.push(factorials[i as usize - 1] + libm::log(i as f64));
    }
    let log_factorial = |count: u64| factorials[count as usize];
    let mut expected = 0.0;
    for &a in rows {
        for &b in columns {
            let constant = log_factorial(a) + log_factorial(b) + log_factorial(n - a) + log_factorial(n - b)
                - log_factorial(n);
            for both in (a + b).saturating_sub(n).max(1)..=a.min(b) {
                let share = both as f64 / n as f64;
                let gain = libm::log(n as f64 * both as f64 / (a as f64 * b as f64));
                let weight = constant
                    - log_factorial(both)
                    - log_factorial(a - both)
                    - log_factorial(b - both)
                    - log_factorial(n + both - a - b);
                expected += share * gain * libm::exp(weight);
            }
        }
    }
    expected
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::random::Stream;

    #[test]
    fn the_same_sorting_by_other_names_agrees_and_chance_does_not() {
        let labels: Vec<u32> = (0..60).map(|i| i % 4).collect();
        let renamed: Vec<u32> = labels.iter().map(|label| 3 - label).collect();
        let mut order: Vec<u32> = (0..60).collect();
        let agreement = Agreement::new(labels, renamed).unwrap();
        assert!((agreement.estimate(&order) - 1.0).abs() < 1e-12);
        let mut sum = 0.0;
        for draw in 0..2000 {
            Stream::new(1, "order", draw).shuffle(&mut order);
            sum += agreement.estimate(&order) / 2000.0;
        }
        assert!(sum.abs() < 0.003, "{sum}");
        assert!(Agreement::new(vec![0; 9], vec![1; 9]).is_none());
    }

    #[test]
    fn each_item_is_left_out() {
        let (a, b): (Vec<u32>, Vec<u32>) =
            ((0..20).map(|i| i % 3).collect(), (0..20).map(|i| i * 7 % 4).collect());
        let without = Agreement::new(a.clone(), b.clone()).unwrap().without_each();
        let unmoved: Vec<u32> = (0..19).collect();
        let last = Agreement::new(a[..19].to_vec(), b[..19].to_vec()).unwrap().estimate(&unmoved);
        assert_eq!((without.len(), without[19]), (20, last));
        // One item alone in its cluster: without it there is one cluster alone.
        assert!(Agreement::new(vec![0, 0, 1], vec![0, 1, 1]).unwrap().without_each().is_empty());
    }
}
