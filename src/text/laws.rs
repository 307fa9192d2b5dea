//! Two laws that word counts follow: Zipf's of frequency and rank, Heaps' of the vocabulary and the length of a corpus.

use serde::{Deserialize, Serialize};

use super::counts::ShardCounts;
use super::interner::Interner;

/// A power law fitted to a corpus: least squares on natural logarithms of both sides, every point alike.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Law {
    /// `zipf` or `heaps`.
    pub law: String,
    /// Zipf: s of `f = C·r^−s`, f being the occurrences of the word of rank r. Heaps: β of `V = K·N^β`, V being the different
    /// words among the first N. Undefined, as all that follow, where there are not two points that differ.
    pub exponent: Option<f64>,
    /// C, or K.
    pub constant: Option<f64>,
    /// The share of the variance of `ln f`, or `ln V`, that the line explains; undefined also where that has none.
    pub r2: Option<f64>,
    /// Points: different words, or documents.
    pub points: u64,
}

/// The growth of a vocabulary, from which the laws are fitted; shards are added in their order.
///
/// Zipf's line goes through all words, those of equal counts at ranks that follow each other. Heaps' goes through a point after
/// every document, in the order of the shards and their documents, which is that of ids; documents without words add none.
#[derive(Default)]
pub struct Growth {
    words: Interner,
    counts: Vec<u64>,
    tokens: u64,
    points: Vec<(f64, f64)>,
}

impl Growth {
    /// Adds the documents of the next shard.
    pub fn add(&mut self, shard: &ShardCounts) {
        // The corpus' number of each of the shard's words, once it is known.
        let mut numbers = vec![u32::MAX; shard.terms().len()];
        for document in 0..shard.document_count() {
            for &word in shard.tokens(document) {
                let number = &mut numbers[word as usize];
                if *number == u32::MAX {
                    *number = self.words.intern(shard.terms().term(word));
                    self.counts.resize(self.words.terms().len(), 0);
                }
                self.counts[*number as usize] += 1;
            }
            let added = shard.tokens(document).len() as u64;
            self.tokens += added;
            if added > 0 {
                self.points.push((self.tokens as f64, self.counts.len() as f64));
            }
        }
    }

    /// The laws of Zipf and Heaps for the words so far, stop words and the like being left out as the job's tokens are.
    #[must_use]
    pub fn laws(mut self) -> [Law; 2] {
        self.counts.sort_unstable_by(|a, b| b.cmp(a));
        let rank = |(rank, count): (usize, &u64)| (rank as f64 + 1.0, *count as f64);
        let ranked: Vec<(f64, f64)> = self.counts.iter().enumerate().map(rank).collect();
        [Law::fit("zipf", &ranked, -1.0), Law::fit("heaps", &self.points, 1.0)]
    }
}

impl Law {
    /// `y = constant·x^(sign·exponent)`
    fn fit(law: &str, points: &[(f64, f64)], sign: f64) -> Self {
        let logs: Vec<(f64, f64)> = points.iter().map(|(x, y)| (libm::log(*x), libm::log(*y))).collect();
        let line = Line::through(&logs);
        Self {
            law: law.to_owned(),
            // A level line has exponent 0, not −0.
            exponent: line.map(|line| sign * line.slope + 0.0),
            constant: line.map(|line| libm::exp(line.intercept)),
            r2: line.and_then(|line| line.r2),
            points: points.len() as u64,
        }
    }
}

#[derive(Debug, Clone, Copy)]
struct Line {
    slope: f64,
    intercept: f64,
    r2: Option<f64>,
}

impl Line {
    /// The line of least squares; `None` where all x are the same.
    fn through(points: &[(f64, f64)]) -> Option<Self> {
        let n = points.len() as f64;
        let mean_x = points.iter().map(|(x, _)| x).sum::<f64>() / n;
        let mean_y = points.iter().map(|(_, y)| y).sum::<f64>() / n;
        let (mut xx, mut xy, mut yy) = (0.0, 0.0, 0.0);
        for (x, y) in points {
            let (x, y) = (x - mean_x, y - mean_y);
            xx += x * x;
            xy += x * y;
            yy += y * y;
        }
        if points.windows(2).all(|pair| pair[0].0 == pair[1].0) {
            return None;
        }
        let slope = xy / xx;
        let level = points.windows(2).all(|pair| pair[0].1 == pair[1].1);
        let r2 = (!level).then(|| (xy * xy / (xx * yy)).clamp(0.0, 1.0));
        Some(Self { slope, intercept: mean_y - slope * mean_x, r2 })
    }
}

#[cfg(test)]
mod tests {
    use super::super::counts::{CountSettings, count_shard};
    use super::super::tokens::{TokenSettings, Tokenizer};
    use super::*;
    use proptest::prelude::*;

    fn shard(texts: &[impl AsRef<str>]) -> ShardCounts {
        let tokenizer = Tokenizer::new(&TokenSettings::default()).unwrap();
        count_shard(&tokenizer, CountSettings { ngrams: [1, 2], statistics: false, stream: true }, texts)
            .unwrap()
    }

    fn laws<'s>(shards: impl IntoIterator<Item = &'s ShardCounts>) -> [Law; 2] {
        let mut growth = Growth::default();
        shards.into_iter().for_each(|shard| growth.add(shard));
        growth.laws()
    }

    fn close(found: Option<f64>, expected: f64) {
        assert!((found.unwrap() - expected).abs() < 1e-12, "{found:?} {expected}");
    }

    #[test]
    fn a_worked_example() {
        // Counts 4 and 2: f = 4·r^−1. After 2 tokens 2 words, after 6 still 2.
        let [zipf, heaps] = laws([&shard(&["a b", "", "a a a b"])]);
        assert_eq!(
            (zipf.law.as_str(), zipf.points, heaps.law.as_str(), heaps.points),
            ("zipf", 2, "heaps", 2)
        );
        close(zipf.exponent, 1.0);
        close(zipf.constant, 4.0);
        close(zipf.r2, 1.0);
        assert_eq!((heaps.exponent, heaps.r2), (Some(0.0), None));
        close(heaps.constant, 2.0);
    }

    /// scipy 1.17.1: `linregress(log(r), log(f))` and `linregress(log(N), log(V))` of the documents below.
    #[test]
    fn values_of_scipy() {
        let texts =
            ["the bird heard the word", "the word is the bird", "bird bird bird is about the word you heard"];
        let [zipf, heaps] = laws([&shard(&texts[..1]), &shard(&texts[1..])]);
        for (found, expected) in [(&zipf, ZIPF), (&heaps, HEAPS)] {
            close(found.exponent, expected[0]);
            close(found.constant, expected[1]);
            close(found.r2, expected[2]);
        }
    }

    const ZIPF: [f64; 3] = [0.905_348_982_434_327, 6.803_469_227_298_491, 0.853_950_934_603_316];
    const HEAPS: [f64; 3] = [0.417_894_666_780_051_2, 1.997_949_042_051_430_5, 0.980_920_685_595_424_3];

    #[test]
    fn no_line_goes_through_one_point() {
        for texts in [vec!["a a"], vec![""], vec![]] {
            let fitted = laws([&shard(&texts)]);
            assert!(
                fitted.iter().all(|law| law.exponent.is_none() && law.constant.is_none() && law.r2.is_none())
            );
        }
    }

    proptest! {
        #[test]
        fn any_cut_into_shards_gives_the_same(texts in proptest::collection::vec("[a-c ]{0,12}", 1..8), cut in 0_usize..8) {
            let (first, second) = texts.split_at(cut.min(texts.len()));
            prop_assert_eq!(laws([&shard(&texts)]), laws([&shard(first), &shard(second)]));
        }
    }
}
