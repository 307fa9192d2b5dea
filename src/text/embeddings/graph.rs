//! Near words by a graph in place of a product of all with all: a hierarchy of navigable small worlds (Malkov and Yashunin 2018,
//! "Efficient and robust approximate nearest neighbor search using Hierarchical Navigable Small World graphs").
//!
//! The graph is the same at any number of threads. Words are put in by batches that are small beside the graph: all words of a
//! batch look for their neighbours in the graph as it was before the batch, each by itself; then every word of the graph takes
//! up those that chose it, each by itself and in the order of their ids.

use std::collections::BinaryHeap;

use rayon::prelude::*;

use super::Embeddings;
use super::neighbours::{dot, nearest_first};
use crate::math::random::Stream;

/// Links of a word on each upper level; twice as many on the ground. The paper's M, with its advice for data of this kind.
const LINKS: usize = 16;
/// Candidates among which a new word chooses its links (the paper's efConstruction).
const CANDIDATES: usize = 128;
/// A batch is at most this part of the graph.
const BATCH: usize = 32;
const LARGEST_BATCH: usize = 1_024;
const HIGHEST: usize = 15;
const LANES: usize = 8;

/// The `n` words near every word, as [`super::nearest_of_all`] gives them, but only nearly the nearest: where words are many, it is
/// thousands of times faster. Of the ten nearest it misses a few in a hundred. The result depends on the vectors alone.
#[must_use]
pub fn nearly_nearest_of_all(embeddings: &Embeddings, n: usize) -> Vec<Vec<(usize, f32)>> {
    let graph = Graph::new(embeddings);
    let breadth = (3 * n).max(CANDIDATES);
    let near = |visited: &mut Visited, word: u32| {
        let found = graph.search(graph.row(word), &[word], breadth, 0, visited);
        let others = found.into_iter().filter(|near| near.word != word);
        nearest_first(others.map(|near| (near.word as usize, near.cosine.clamp(-1.0, 1.0))).collect(), n)
    };
    let words = embeddings.words() as u32;
    (0..words).into_par_iter().map_init(|| Visited::new(words as usize), near).collect()
}

/// A word met in a search; the larger cosine is the larger, of equal ones the smaller id.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Near {
    cosine: f32,
    word: u32,
}

impl Eq for Near {}

impl Ord for Near {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.cosine.total_cmp(&other.cosine).then(other.word.cmp(&self.word))
    }
}

impl PartialOrd for Near {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

/// Which words a search has met, forgotten at once.
struct Visited {
    stamps: Vec<u32>,
    stamp: u32,
}

impl Visited {
    fn new(words: usize) -> Self {
        Self { stamps: vec![0; words], stamp: 0 }
    }

    fn forget(&mut self) {
        self.stamp = self.stamp.wrapping_add(1);
        if self.stamp == 0 {
            self.stamps.fill(0);
            self.stamp = 1;
        }
    }

    /// Whether the word is met for the first time.
    fn insert(&mut self, word: u32) -> bool {
        std::mem::replace(&mut self.stamps[word as usize], self.stamp) != self.stamp
    }
}

struct Graph {
    dims: usize,
    /// Rows of length one.
    rows: Vec<f32>,
    /// The links of each word on each of its levels, from the ground up.
    links: Vec<Vec<Vec<u32>>>,
    /// A word of the highest level.
    entry: u32,
}

impl Graph {
    fn new(embeddings: &Embeddings) -> Self {
        let dims = embeddings.dims();
        let mut rows = embeddings.vectors().to_vec();
        rows.par_chunks_mut(dims).for_each(|row| {
            let length = dot(row, row).sqrt();
            if length > 0.0 {
                row.iter_mut().for_each(|value| *value = (f64::from(*value) / length) as f32);
            }
        });
        let words = embeddings.words();
        let levels = (0..words).map(level);
        let links = levels.map(|level| vec![Vec::new(); level + 1]).collect();
        let mut graph = Self { dims, rows, links, entry: 0 };
        let mut present = 1;
        while present < words {
            let batch = (present / BATCH).clamp(1, LARGEST_BATCH).min(words - present);
            graph.insert(present..present + batch);
            present += batch;
        }
        graph
    }

    fn row(&self, word: u32) -> &[f32] {
        &self.rows[word as usize * self.dims..][..self.dims]
    }

    fn top(&self, word: u32) -> usize {
        self.links[word as usize].len() - 1
    }

    /// Puts words into the graph, of which all that stand before them are part.
    fn insert(&mut self, batch: std::ops::Range<usize>) {
        let words = self.links.len();
        let chosen: Vec<Vec<Vec<u32>>> = batch
            .clone()
            .into_par_iter()
            .map_init(|| Visited::new(words), |visited, word| self.choose(word as u32, visited))
            .collect();
        // Who chose whom, on which level: each of the chosen takes all of its own up by itself.
        let mut taken: Vec<(u32, usize, u32)> = Vec::new();
        for (word, levels) in batch.clone().zip(chosen) {
            for (level, links) in levels.into_iter().enumerate() {
                taken.extend(links.iter().map(|&other| (other, level, word as u32)));
                self.links[word][level] = links;
            }
        }
        taken.sort_unstable();
        let groups: Vec<&[(u32, usize, u32)]> = taken.chunk_by(|a, b| (a.0, a.1) == (b.0, b.1)).collect();
        let shortened: Vec<Vec<u32>> = groups.par_iter().map(|group| self.take_up(group)).collect();
        for (group, links) in groups.into_iter().zip(shortened) {
            let (word, level, _) = group[0];
            self.links[word as usize][level] = links;
        }
        for word in batch {
            if self.top(word as u32) > self.top(self.entry) {
                self.entry = word as u32;
            }
        }
    }

    /// The links that a new word wants, level by level from the ground.
    fn choose(&self, word: u32, visited: &mut Visited) -> Vec<Vec<u32>> {
        let row = self.row(word);
        let (own, top) = (self.top(word), self.top(self.entry));
        let mut from = vec![self.entry];
        for level in (own + 1..=top).rev() {
            from = self.search(row, &from, 1, level, visited).into_iter().map(|near| near.word).collect();
        }
        let mut levels = vec![Vec::new(); own + 1];
        for level in (0..=own.min(top)).rev() {
            let found = self.search(row, &from, CANDIDATES, level, visited);
            from = found.iter().map(|near| near.word).collect();
            levels[level] = self.spread(found, LINKS);
        }
        levels
    }

    /// The links of a word on a level with those that chose it; the most telling of them where they are too many.
    fn take_up(&self, group: &[(u32, usize, u32)]) -> Vec<u32> {
        let (word, level, _) = group[0];
        let mut links = self.links[word as usize][level].clone();
        links.extend(group.iter().map(|&(_, _, new)| new));
        let most = if level == 0 { 2 * LINKS } else { LINKS };
        if links.len() <= most {
            return links;
        }
        let row = self.row(word);
        let mut near: Vec<Near> = links
            .into_iter()
            .map(|other| Near { cosine: product(row, self.row(other)), word: other })
            .collect();
        near.sort_unstable_by(|a, b| b.cmp(a));
        self.spread(near, most)
    }

    /// Of words with the nearest first those that are nearer to where they were looked for than to any that is taken already, so that
    /// links lead into every direction (algorithm 4 of the paper, filled up with the nearest of the rest).
    fn spread(&self, near: Vec<Near>, most: usize) -> Vec<u32> {
        let mut taken: Vec<u32> = Vec::with_capacity(most);
        let mut rest: Vec<u32> = Vec::new();
        for Near { cosine, word } in near {
            if taken.len() == most {
                break;
            }
            let apart = taken.iter().all(|&other| product(self.row(word), self.row(other)) < cosine);
            if apart { taken.push(word) } else { rest.push(word) }
        }
        let missing = most - taken.len();
        taken.extend(rest.into_iter().take(missing));
        taken
    }

    /// Up to `breadth` words near `row` on a level, the nearest first, on the ways from `from` (algorithm 2 of the paper).
    fn search(
        &self,
        row: &[f32],
        from: &[u32],
        breadth: usize,
        level: usize,
        visited: &mut Visited,
    ) -> Vec<Near> {
        visited.forget();
        let near = |word: u32| Near { cosine: product(row, self.row(word)), word };
        let mut open: BinaryHeap<Near> = BinaryHeap::new();
        // The farthest of what was found stands on top.
        let mut found: BinaryHeap<std::cmp::Reverse<Near>> = BinaryHeap::new();
        for &word in from {
            if visited.insert(word) {
                open.push(near(word));
                found.push(std::cmp::Reverse(near(word)));
            }
        }
        while let Some(next) = open.pop() {
            if found.len() >= breadth && found.peek().is_some_and(|farthest| next < farthest.0) {
                break;
            }
            for &word in self.links[next.word as usize].get(level).into_iter().flatten() {
                if !visited.insert(word) {
                    continue;
                }
                let near = near(word);
                if found.len() < breadth || found.peek().is_some_and(|farthest| near > farthest.0) {
                    open.push(near);
                    found.push(std::cmp::Reverse(near));
                    if found.len() > breadth {
                        found.pop();
                    }
                }
            }
        }
        let mut found: Vec<Near> = found.into_iter().map(|near| near.0).collect();
        found.sort_unstable_by(|a, b| b.cmp(a));
        found.truncate(breadth);
        found
    }
}

/// The highest level of a word: each is reached by one word in [`LINKS`] of the one below it.
fn level(word: usize) -> usize {
    let share = Stream::new(0, "levels of near words", word as u64).unit_f64();
    let level = -libm::log(1.0 - share) / libm::log(LINKS as f64);
    (level as usize).min(HIGHEST)
}

/// The product of two rows in f32, in one order of additions.
fn product(a: &[f32], b: &[f32]) -> f32 {
    let mut sums = [0.0_f32; LANES];
    let (a, a_rest) = a.as_chunks::<LANES>();
    let (b, b_rest) = b.as_chunks::<LANES>();
    for (a, b) in a.iter().zip(b) {
        for lane in 0..LANES {
            sums[lane] += a[lane] * b[lane];
        }
    }
    let rest: f32 = a_rest.iter().zip(b_rest).map(|(a, b)| a * b).sum();
    sums.iter().sum::<f32>() + rest
}

#[cfg(test)]
mod tests {
    use super::super::nearest_of_all;
    use super::*;

    /// Words around 60 centres.
    fn clusters(words: usize, dims: usize) -> Embeddings {
        let mut stream = Stream::new(8, "clusters", 0);
        let centres: Vec<f32> = (0..60 * dims).map(|_| stream.unit_f32() - 0.5).collect();
        let vectors = (0..words).flat_map(|word| {
            let mut stream = Stream::new(8, "clustered", word as u64);
            let centre = stream.below(60) as usize * dims;
            (0..dims).map(|at| centres[centre + at] + 0.6 * (stream.unit_f32() - 0.5)).collect::<Vec<_>>()
        });
        Embeddings::new(dims, vectors.collect()).unwrap()
    }

    #[test]
    fn nearly_all_of_the_nearest_are_found() {
        for dims in [5, 24] {
            let words = clusters(4_000, dims);
            let (exact, found) = (nearest_of_all(&words, 10), nearly_nearest_of_all(&words, 10));
            let mut right = 0;
            for (exact, found) in exact.iter().zip(&found) {
                assert_eq!(found.len(), 10);
                assert!(found.is_sorted_by(|a, b| a.1 >= b.1));
                right +=
                    found.iter().filter(|(word, _)| exact.iter().any(|(other, _)| other == word)).count();
            }
            assert!(right >= 39_000, "{dims}: {right} of 40000");
        }
    }

    #[test]
    fn the_same_at_any_number_of_threads() {
        let words = clusters(1_500, 9);
        let at = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| nearly_nearest_of_all(&words, 5))
        };
        assert_eq!(at(1), at(3));
    }

    #[test]
    fn few_words_and_equal_ones() {
        assert!(nearly_nearest_of_all(&Embeddings::new(2, Vec::new()).unwrap(), 3).is_empty());
        assert_eq!(nearly_nearest_of_all(&Embeddings::new(2, vec![1.0, 2.0]).unwrap(), 3), [vec![]]);
        for words in [2, 3, 20] {
            let zeros = Embeddings::new(2, vec![0.0; 2 * words]).unwrap();
            let near = nearly_nearest_of_all(&zeros, 3);
            assert!(near.iter().all(|near| near.len() == 3.min(words - 1)));
        }
    }
}
