//! Columns that are resampled many times: by their ranks, sorted once, or by their values.

use crate::math::statistics::ascending;
use crate::simd::PANEL;

/// A column in order: what is needed to rank any resample of it in one pass.
#[derive(Debug, Clone)]
pub struct RankedColumn {
    /// Items by value.
    order: Vec<u32>,
    /// End of each run of equal values in `order`; empty where all values differ.
    run_ends: Vec<u32>,
}

/// How often an item stands in a resample, and its row in the packed matrix.
#[derive(Debug, Clone, Copy, Default)]
pub struct Drawn {
    /// Times drawn.
    pub times: u32,
    /// Row of the item; of items not drawn, a row that is not read.
    pub row: u32,
}

impl RankedColumn {
    /// Sorts finite values.
    #[must_use]
    pub fn new(values: &[f64]) -> Self {
        let mut order: Vec<u32> = (0..values.len() as u32).collect();
        let value = |i: u32| values[i as usize];
        order.sort_by(|&a, &b| ascending(value(a), value(b)).then(a.cmp(&b)));
        let mut run_ends = Vec::new();
        let mut end = 0;
        for run in order.chunk_by(|&a, &b| value(a) == value(b)) {
            end += run.len() as u32;
            run_ends.push(end);
        }
        if run_ends.len() == values.len() {
            run_ends.clear();
        }
        Self { order, run_ends }
    }

    /// Twice the average rank less its mean, `2 rank - (n + 1)`, of each item in its place: whole numbers.
    #[must_use]
    pub fn doubled_ranks(&self) -> Vec<f64> {
        let items = self.order.len();
        let all: Vec<Drawn> = (0..items as u32).map(|row| Drawn { times: 1, row }).collect();
        let mut panel = vec![[0.0; PANEL]; items];
        self.rank(&all, items, &mut panel, 0);
        panel.iter().map(|row| f64::from(row[0])).collect()
    }

    /// The length of the vector of [`Self::doubled_ranks`].
    #[must_use]
    pub fn norm(&self) -> f64 {
        self.doubled_ranks().iter().map(|rank| rank * rank).sum::<f64>().sqrt()
    }

    /// Ranks a resample of `total` items: writes twice the centred average rank, `2 rank - (total + 1)`, of each item drawn
    /// to its row of `panel` at `place`. Gives back the sum of their squares over the resample,
    /// `(total^3 - total) / 3 - sum(t^3 - t) / 3` over runs of t equal values: zero where all values are equal.
    pub fn rank(&self, drawn: &[Drawn], total: usize, panel: &mut [[f32; PANEL]], place: usize) -> f64 {
        if self.run_ends.is_empty() {
            return rank_runs(self.order.as_chunks::<1>().0.iter(), drawn, total, panel, place);
        }
        let begins = std::iter::once(&0).chain(&self.run_ends);
        let runs = begins.zip(&self.run_ends).map(|(&begin, &end)| &self.order[begin as usize..end as usize]);
        rank_runs(runs, drawn, total, panel, place)
    }
}

/// [`RankedColumn::rank`] of runs of items of equal values; compiled apart for runs of one item.
fn rank_runs(
    runs: impl Iterator<Item = impl AsRef<[u32]>>,
    drawn: &[Drawn],
    total: usize,
    panel: &mut [[f32; PANEL]],
    place: usize,
) -> f64 {
    let (mut before, mut cubes) = (0_i64, 0_u128);
    for run in runs {
        let items = run.as_ref();
        let times: i64 = items.iter().map(|&item| i64::from(drawn[item as usize].times)).sum();
        let rank = (2 * before + times - total as i64) as f32;
        for &item in items {
            panel[drawn[item as usize].row as usize][place] = rank;
        }
        before += times;
        cubes += cubed(times as u64) - times as u128;
    }
    ((cubed(total as u64) - total as u128 - cubes) / 3) as f64
}

/// A column as it is resampled.
#[derive(Debug, Clone)]
pub enum ResampledColumn {
    /// By its ranks: the correlation of two is Spearman's.
    Ranks(RankedColumn),
    /// By its values, centred and of length one: the correlation of two is Pearson's.
    Values(Vec<f64>),
}

/// Values of a resample whose squares sum to less than this, of a column of length one, are equal but for rounding.
const EQUAL: f64 = 1e-20;

impl ResampledColumn {
    /// What is correlated, centred: [`RankedColumn::doubled_ranks`], or the values.
    #[must_use]
    pub fn centred(&self) -> Vec<f64> {
        match self {
            Self::Ranks(column) => column.doubled_ranks(),
            Self::Values(values) => values.clone(),
        }
    }

    /// Its length.
    #[must_use]
    pub fn norm(&self) -> f64 {
        match self {
            Self::Ranks(column) => column.norm(),
            Self::Values(values) => values.iter().map(|value| value * value).sum::<f64>().sqrt(),
        }
    }

    /// Whether sums of products are those of whole numbers.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        matches!(self, Self::Ranks(_))
    }

    /// Writes a resample of `total` items, centred, to `panel` as [`RankedColumn::rank`] does, and gives back the sum of its squares:
    /// zero where all are equal.
    pub fn draw(&self, drawn: &[Drawn], total: usize, panel: &mut [[f32; PANEL]], place: usize) -> f64 {
        let values = match self {
            Self::Ranks(column) => return column.rank(drawn, total, panel, place),
            Self::Values(values) => values,
        };
        let times = |item: &Drawn| f64::from(item.times);
        let mean =
            values.iter().zip(drawn).map(|(value, item)| value * times(item)).sum::<f64>() / total as f64;
        let mut squares = 0.0;
        for (value, item) in values.iter().zip(drawn) {
            let centred = value - mean;
            panel[item.row as usize][place] = centred as f32;
            squares += times(item) * centred * centred;
        }
        if squares > EQUAL { squares } else { 0.0 }
    }
}

fn cubed(count: u64) -> u128 {
    u128::from(count * count) * u128::from(count)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::random::Stream;
    use crate::math::statistics::average_ranks;

    #[test]
    fn resampled_ranks_are_those_of_the_resample() {
        for distinct in [3, 1_000_000] {
            let mut stream = Stream::new(9, "ranking", 0);
            let values: Vec<f64> = (0..50).map(|_| f64::from(stream.below(distinct))).collect();
            let column = RankedColumn::new(&values);
            let draw: Vec<usize> = (0..50).map(|_| stream.below(50) as usize).collect();
            let mut drawn: Vec<Drawn> = (0..50).map(|row| Drawn { times: 0, row }).collect();
            for &i in &draw {
                drawn[i].times += 1;
            }
            let mut panel = vec![[0.0; PANEL]; 50];
            let squares = column.rank(&drawn, 50, &mut panel, 3);
            let ranks = average_ranks(&draw.iter().map(|&i| values[i]).collect::<Vec<_>>());
            let expected: f64 = ranks.iter().map(|rank| (2.0 * rank - 51.0).powi(2)).sum();
            assert_eq!(squares, expected);
            for (&i, rank) in draw.iter().zip(ranks) {
                assert_eq!(f64::from(panel[i][3]), 2.0 * rank - 51.0);
            }
        }
    }

    #[test]
    fn equal_values_have_no_spread() {
        let column = RankedColumn::new(&[4.0; 5]);
        assert_eq!(column.doubled_ranks(), [0.0; 5]);
    }
}
