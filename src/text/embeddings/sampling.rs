//! What is drawn at random: which tokens of frequent words stay, and which words serve as negatives.

use crate::math::random::Stream;

/// The random numbers of one sentence: the steps of `SplitMix64` (Steele, Lea and Flood 2014) from a place that the
/// counter-based stream gives. A few cycles a draw, where the stream itself would cost a tenth of the training.
pub(super) struct Draws {
    state: u64,
}

impl Draws {
    /// The numbers for one sentence of one epoch.
    pub(super) fn new(seed: u64, epoch: usize, sentence: usize) -> Self {
        Self::of(seed, "word vectors, sentence", epoch, sentence)
    }

    /// The numbers for the pool of negatives of a shard whose first sentence this is.
    pub(super) fn of_pool(seed: u64, epoch: usize, sentence: usize) -> Self {
        Self::of(seed, "word vectors, pool", epoch, sentence)
    }

    fn of(seed: u64, purpose: &str, epoch: usize, sentence: usize) -> Self {
        let item = ((epoch as u64) << 48) | sentence as u64;
        Self { state: Stream::new(seed, purpose, item).next_u64() }
    }

    #[inline]
    pub(super) fn next_u64(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let z = (self.state ^ (self.state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    #[inline]
    pub(super) fn next_u32(&mut self) -> u32 {
        (self.next_u64() >> 32) as u32
    }

    /// Two numbers uniform in 0..n, up to n · 2^-32.
    #[inline]
    pub(super) fn two_below(&mut self, n: u32) -> [u32; 2] {
        let bits = self.next_u64();
        [below((bits >> 32) as u32, n), below(bits as u32, n)]
    }

    /// Uniform in 0..n, up to n · 2^-32.
    #[inline]
    pub(super) fn below(&mut self, n: u32) -> u32 {
        below(self.next_u32(), n)
    }
}

fn below(bits: u32, n: u32) -> u32 {
    ((u64::from(bits) * u64::from(n)) >> 32) as u32
}

/// Which tokens of a word stay in a pass: with probability (√(f / (t·N)) + 1) · t·N / f for count f, threshold t and N
/// tokens in all (`word2vec.c`).
pub(super) struct Subsampling {
    thresholds: Vec<u32>,
}

impl Subsampling {
    pub(super) fn new(counts: &[u64], sample: f64) -> Self {
        let limit = sample * counts.iter().sum::<u64>() as f64;
        let threshold = |&count: &u64| {
            let ratio = count as f64 / limit;
            if sample == 0.0 || count == 0 {
                u32::MAX
            } else {
                ((ratio.sqrt() + 1.0) / ratio * TWO_32) as u32
            }
        };
        Self { thresholds: counts.iter().map(threshold).collect() }
    }

    /// Sets `kept` to the tokens of a sentence that stay. A number that is no word's does not.
    pub(super) fn thin(&self, sentence: &[u32], draws: &mut Draws, kept: &mut Vec<u32>) {
        kept.clear();
        kept.resize(sentence.len(), 0);
        let mut count = 0;
        for &word in sentence {
            // Written and counted without a branch, which no processor could foresee.
            let threshold = self.thresholds.get(word as usize).copied().unwrap_or(0);
            kept[count] = word;
            count += usize::from((threshold == u32::MAX) | (draws.next_u32() < threshold));
        }
        kept.truncate(count);
    }
}

const TWO_32: f64 = 4_294_967_296.0;

/// Draws words in proportion to count^0.75, by the alias method (Walker 1977; Vose 1991): a column is chosen evenly, then
/// either its own word or its alias.
pub(super) struct Negatives {
    columns: Vec<Column>,
}

#[derive(Clone, Copy)]
struct Column {
    own_share: u32,
    alias: u32,
}

impl Negatives {
    pub(super) fn new(counts: &[u64]) -> Self {
        // count^0.75 by square roots, which round alike everywhere.
        let mut weights: Vec<f64> =
            counts.iter().map(|&count| (count as f64).sqrt()).map(|root| root * root.sqrt()).collect();
        let mean = weights.iter().sum::<f64>() / weights.len() as f64;
        let mut columns: Vec<Column> =
            (0..weights.len() as u32).map(|alias| Column { own_share: u32::MAX, alias }).collect();
        for weight in &mut weights {
            *weight /= mean;
        }
        let (mut light, mut heavy): (Vec<u32>, Vec<u32>) =
            (0..weights.len() as u32).partition(|&word| weights[word as usize] < 1.0);
        while let (Some(&giver), Some(taker)) = (heavy.last(), light.pop()) {
            let share = weights[taker as usize];
            columns[taker as usize] = Column { own_share: (share * TWO_32) as u32, alias: giver };
            weights[giver as usize] -= 1.0 - share;
            if weights[giver as usize] < 1.0 {
                heavy.pop();
                light.push(giver);
            }
        }
        Self { columns }
    }

    #[inline]
    pub(super) fn draw(&self, draws: &mut Draws) -> u32 {
        let bits = draws.next_u64();
        let word = below((bits >> 32) as u32, self.columns.len() as u32);
        let column = self.columns[word as usize];
        if (bits as u32) <= column.own_share { word } else { column.alias }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COUNTS: [u64; 6] = [9_000, 5_000, 800, 64, 16, 1];

    #[test]
    fn negatives_follow_the_three_quarter_power() {
        let negatives = Negatives::new(&COUNTS);
        let mut draws = Draws::new(1, 0, 0);
        let mut seen = [0_u32; 6];
        let total = 400_000;
        for _ in 0..total {
            seen[negatives.draw(&mut draws) as usize] += 1;
        }
        let weights = COUNTS.map(|count| (count as f64).powf(0.75));
        let sum: f64 = weights.iter().sum();
        for (word, &seen) in seen.iter().enumerate() {
            let expected = f64::from(total) * weights[word] / sum;
            // Five standard deviations of a binomial count.
            assert!((f64::from(seen) - expected).abs() < 5.0 * expected.sqrt(), "{word}: {seen} {expected}");
        }
    }

    #[test]
    fn frequent_words_are_thinned_out_by_the_formula() {
        let subsampling = Subsampling::new(&COUNTS, 1e-2);
        let limit = 1e-2 * COUNTS.iter().sum::<u64>() as f64;
        let mut draws = Draws::new(2, 0, 0);
        for (word, &count) in COUNTS.iter().enumerate() {
            let keep = (((count as f64 / limit).sqrt() + 1.0) * limit / count as f64).min(1.0);
            let mut kept = Vec::new();
            subsampling.thin(&vec![word as u32; 50_000], &mut draws, &mut kept);
            let kept = kept.len() as f64;
            assert!((kept / 50_000.0 - keep).abs() < 0.012, "{word}: {kept} {keep}");
        }
        let all = Subsampling::new(&COUNTS, 0.0);
        let mut kept = Vec::new();
        all.thin(&[0, 7, 1, u32::MAX, 0], &mut draws, &mut kept);
        assert_eq!(kept, [0, 1, 0]);
    }

    #[test]
    fn one_word_is_always_drawn() {
        let negatives = Negatives::new(&[5]);
        let mut draws = Draws::new(3, 0, 0);
        assert!((0..100).all(|_| negatives.draw(&mut draws) == 0));
    }
}
