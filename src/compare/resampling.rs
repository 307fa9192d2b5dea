//! Bootstrap and permutation of many correlations at once, of ranks or of values.
//!
//! All pairs of columns share each draw. A bootstrap draw re-ranks every column in one pass over its sorted order (or centres its values
//! anew), a permutation moves the rows of the text side; either way all correlations of the draw are then one matrix product. Draws are
//! computed in parallel and consumed in their order.

use rayon::prelude::*;

use super::Resampling;
use super::extremes::Largest;
use super::groups::{log_permutations, permute};
use super::ranking::{Drawn, ResampledColumn};
use crate::math::distribution::{TAIL, tail_probability};
use crate::math::random::Stream;
use crate::math::statistics::between;
use crate::simd::Panels;

/// Draws whose correlations are held at once.
const DRAWS_AT_ONCE: u32 = 64;
/// With fewer exceedances than this p comes from the fitted tail (Knijnenburg et al. 2009).
const ENOUGH_EXCEEDANCES: u32 = 10;
/// Sums of products of doubled ranks are exact in single precision up to this many items.
const EXACT_ITEMS: usize = 256;
/// Beyond, a permuted correlation within this of the observed one counts as reaching it.
const TOLERANCE: f64 = 1e-6;
/// No p is smaller.
pub(super) const LEAST_P: f64 = 1e-300;

/// Columns over the same items, of which every text column is correlated with every sound column. None is constant.
pub struct Tile<'a> {
    /// Text columns.
    pub texts: &'a [ResampledColumn],
    /// Sound columns.
    pub sounds: &'a [ResampledColumn],
    /// Number of items.
    pub items: usize,
    /// Positions of the items of each group.
    pub members: &'a [Vec<u32>],
}

#[derive(Default)]
struct BootstrapScratch {
    drawn: Vec<Drawn>,
    times: Vec<f32>,
    texts: Panels,
    sounds: Panels,
    text_scales: Vec<f64>,
    sound_scales: Vec<f64>,
}

impl Tile<'_> {
    /// The percentile bootstrap interval (2.5 % to 97.5 %, Efron 1979) of each correlation, text by text. Whole pairs
    /// are drawn with replacement from all items alike, without regard to groups. Draws in which a column is constant do not
    /// count; `None` where none counts.
    pub fn intervals(&self, resampling: &Resampling) -> Vec<Option<(f64, f64)>> {
        let draws = resampling.bootstrap;
        let keep = (0.025 * f64::from(draws)) as usize + 2;
        let mut tails = vec![IntervalTails::default(); self.texts.len() * self.sounds.len()];
        for first in (0..draws).step_by(DRAWS_AT_ONCE as usize) {
            let products: Vec<Vec<f32>> = (first..draws.min(first + DRAWS_AT_ONCE))
                .into_par_iter()
                .map_init(BootstrapScratch::default, |scratch, draw| {
                    self.bootstrap(
                        &mut Stream::new(resampling.seed, "bootstrap of pairs", draw.into()),
                        scratch,
                    )
                })
                .collect();
            tails.par_iter_mut().enumerate().for_each(|(pair, tails)| {
                for product in &products {
                    tails.push(product[pair], keep);
                }
            });
        }
        tails.into_par_iter().map(|tails| tails.interval(keep)).collect()
    }

    /// The correlation of each of some pairs of columns (text, sound) in every bootstrap draw, the draws of
    /// [`Self::intervals`]; NaN where a column is constant in the draw.
    pub fn draws(&self, pairs: &[(usize, usize)], resampling: &Resampling) -> Vec<Vec<f64>> {
        let draws: Vec<Vec<f32>> = (0..resampling.bootstrap)
            .into_par_iter()
            .map_init(BootstrapScratch::default, |scratch, draw| {
                let mut stream = Stream::new(resampling.seed, "bootstrap of pairs", draw.into());
                self.resample(&mut stream, scratch);
                // A few pairs of many: not the whole product.
                let correlation = |&(text, sound): &(usize, usize)| {
                    let product = scratch.texts.column_product(text, &scratch.sounds, sound);
                    scaled(product, scratch.text_scales[text], scratch.sound_scales[sound])
                };
                pairs.iter().map(correlation).collect()
            })
            .collect();
        (0..pairs.len()).map(|pair| draws.iter().map(|draw| f64::from(draw[pair])).collect()).collect()
    }

    /// The correlations in one resample; NaN where a column is constant in it.
    fn bootstrap(&self, stream: &mut Stream, scratch: &mut BootstrapScratch) -> Vec<f32> {
        self.resample(stream, scratch);
        let mut product = Vec::new();
        scratch.texts.transposed_product(&scratch.sounds, &mut product);
        for (row, text_scale) in product.chunks_exact_mut(self.sounds.len()).zip(&scratch.text_scales) {
            for (value, sound_scale) in row.iter_mut().zip(&scratch.sound_scales) {
                *value = scaled(*value, *text_scale, *sound_scale);
            }
        }
        product
    }

    /// Draws items and lays the columns of both sides, each item as often as it was drawn, beside each other.
    fn resample(&self, stream: &mut Stream, scratch: &mut BootstrapScratch) {
        let BootstrapScratch { drawn, times, texts, sounds, text_scales, sound_scales } = scratch;
        drawn.clear();
        drawn.resize(self.items, Drawn::default());
        for _ in 0..self.items {
            drawn[stream.below(self.items as u32) as usize].times += 1;
        }
        times.clear();
        for item in drawn.iter_mut().filter(|item| item.times > 0) {
            item.row = times.len() as u32;
            times.push(item.times as f32);
        }
        // Items that were not drawn share one more row, which counts zero times.
        let unread = times.len() as u32;
        drawn.iter_mut().filter(|item| item.times == 0).for_each(|item| item.row = unread);
        times.push(0.0);
        self.rank(self.texts, drawn, times.len(), texts, text_scales);
        self.rank(self.sounds, drawn, times.len(), sounds, sound_scales);
        texts.scale_rows(times);
    }

    fn rank(
        &self,
        columns: &[ResampledColumn],
        drawn: &[Drawn],
        rows: usize,
        panels: &mut Panels,
        scales: &mut Vec<f64>,
    ) {
        panels.resize(rows, columns.len());
        scales.clear();
        for (j, column) in columns.iter().enumerate() {
            let (panel, place) = panels.column_mut(j);
            let squares = column.draw(drawn, self.items, panel, place);
            scales.push(if squares > 0.0 { 1.0 / squares.sqrt() } else { f64::NAN });
        }
    }

    /// The two-sided permutation p of each correlation, text by text: the text side is permuted within the groups;
    /// `(1 + exceedances) / (1 + permutations)`, and with fewer than ten exceedances the tail of the squared statistic after
    /// Knijnenburg et al. 2009 where it fits. Never below one part in the number of different permutations.
    ///
    /// The statistic is how far the correlation lies from its mean over all permutations, which is the correlation that the
    /// groups' means alone would give: the product with the sound side less its groups' means. Without
    /// groups that is the correlation itself.
    pub fn permutation_p(&self, resampling: &Resampling) -> Vec<f64> {
        let text_ranks: Vec<Vec<f64>> = self.texts.iter().map(ResampledColumn::centred).collect();
        let sound_ranks: Vec<Vec<f64>> =
            self.sounds.iter().map(|sound| centred_within(sound.centred(), self.members)).collect();
        let texts = packed(&text_ranks, self.items);
        let sounds = packed(&sound_ranks, self.items);
        let sound_norms: Vec<f64> = self.sounds.iter().map(ResampledColumn::norm).collect();
        let norms: Vec<f64> = self
            .texts
            .iter()
            .map(ResampledColumn::norm)
            .flat_map(|text_norm| sound_norms.iter().map(move |norm| text_norm * norm))
            .collect();
        let pairs: Vec<(&Vec<f64>, &Vec<f64>)> =
            text_ranks.iter().flat_map(|text| sound_ranks.iter().map(move |sound| (text, sound))).collect();
        let observed: Vec<f64> =
            pairs.par_iter().zip(&norms).map(|((x, y), norm)| dot(x, y) / norm).collect();
        let whole = self.texts.iter().chain(self.sounds).all(ResampledColumn::is_whole);
        let exact = whole && self.items <= EXACT_ITEMS && self.members.len() == 1;
        let tolerance = if exact { 1e-12 } else { TOLERANCE };
        let mut tails: Vec<PermutationTail> = observed
            .iter()
            .zip(&norms)
            .map(|(rho, norm)| PermutationTail::new((rho.abs() - tolerance) * norm))
            .collect();
        for first in (0..resampling.permutations).step_by(DRAWS_AT_ONCE as usize) {
            let products: Vec<Vec<f32>> = (first..resampling.permutations.min(first + DRAWS_AT_ONCE))
                .into_par_iter()
                .map_init(<(Vec<u32>, Panels)>::default, |(permutation, moved), draw| {
                    let mut stream = Stream::new(resampling.seed, "permutation of pairs", draw.into());
                    permute(self.members, &mut stream, permutation);
                    moved.gather(&texts, permutation);
                    let mut product = Vec::new();
                    moved.transposed_product(&sounds, &mut product);
                    product
                })
                .collect();
            tails.par_iter_mut().enumerate().for_each(|(pair, tail)| {
                for product in &products {
                    tail.push(product[pair].abs());
                }
            });
        }
        let least = libm::exp(-log_permutations(self.members)).max(LEAST_P);
        tails
            .into_par_iter()
            .zip(observed.par_iter().zip(&norms))
            .map(|(tail, (rho, norm))| tail.p(*rho, *norm, resampling.permutations).clamp(least, 1.0))
            .collect()
    }
}

/// A correlation from the product of two columns and one over the length of each.
fn scaled(product: f32, text_scale: f64, sound_scale: f64) -> f32 {
    (f64::from(product) * text_scale * sound_scale).clamp(-1.0, 1.0) as f32
}

fn packed(columns: &[Vec<f64>], items: usize) -> Panels {
    let mut panels = Panels::zeros(items, columns.len());
    for (j, column) in columns.iter().enumerate() {
        panels.set_column(j, column.iter().map(|&rank| rank as f32));
    }
    panels
}

/// The values less the mean of their group.
fn centred_within(mut values: Vec<f64>, members: &[Vec<u32>]) -> Vec<f64> {
    for group in members {
        let mean = group.iter().map(|&i| values[i as usize]).sum::<f64>() / group.len() as f64;
        for &i in group {
            values[i as usize] -= mean;
        }
    }
    values
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// The ends of a bootstrap distribution: enough of its smallest and largest values for both percentiles.
#[derive(Clone, Default)]
struct IntervalTails {
    draws: u32,
    lowest_negated: Largest,
    highest: Largest,
}

impl IntervalTails {
    #[inline]
    fn push(&mut self, value: f32, keep: usize) {
        if !value.is_nan() {
            self.draws += 1;
            self.lowest_negated.push(-value, keep);
            self.highest.push(value, keep);
        }
    }

    fn interval(self, keep: usize) -> Option<(f64, f64)> {
        let place = 0.025 * f64::from(self.draws.checked_sub(1)?);
        let below = place.floor() as usize;
        let share = place - below as f64;
        let end = |from_end: &[f32]| {
            let value = |i: usize| from_end.get(i).or(from_end.last()).copied().map(f64::from);
            Some(between(value(below)?, value(below + 1)?, share))
        };
        let low = end(&self.lowest_negated.into_descending(keep))?;
        Some((-low, end(&self.highest.into_descending(keep))?))
    }
}

/// What is kept of the permuted values of one statistic: how many reach the observed one, and the largest.
pub(super) struct PermutationTail {
    reached: f64,
    exceedances: u32,
    largest: Largest,
}

impl PermutationTail {
    /// `reached` is the magnitude from which a permuted value counts as an exceedance.
    pub fn new(reached: f64) -> Self {
        Self { reached, exceedances: 0, largest: Largest::default() }
    }

    /// Offers the magnitude of a permuted value.
    #[inline]
    pub fn push(&mut self, magnitude: f32) {
        if f64::from(magnitude) >= self.reached {
            self.exceedances += 1;
            if self.exceedances == ENOUGH_EXCEEDANCES {
                self.largest.clear();
            }
        }
        if self.exceedances < ENOUGH_EXCEEDANCES {
            self.largest.push(magnitude, TAIL + 1);
        }
    }

    /// The p of the observed `rho`; permuted values are divided by `norm` to be of its scale.
    pub fn p(self, rho: f64, norm: f64, permutations: u32) -> f64 {
        let counted = f64::from(1 + self.exceedances) / (1.0 + f64::from(permutations));
        if self.exceedances >= ENOUGH_EXCEEDANCES {
            return counted;
        }
        let largest: Vec<f64> = self
            .largest
            .into_descending(TAIL + 1)
            .iter()
            .map(|&sum| f64::from(sum) / norm)
            .map(|rho| rho * rho)
            .collect();
        tail_probability(&largest, permutations as usize, rho * rho).unwrap_or(counted)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compare::ranking::RankedColumn;
    use crate::math::statistics::{average_ranks, mean, pearson, percentile, spearman};

    fn columns(items: usize, count: usize, distinct: u32, item: u64) -> Vec<Vec<f64>> {
        let mut stream = Stream::new(6, "columns", item);
        let mut draw = || (0..items).map(|_| f64::from(stream.below(distinct))).collect();
        (0..count).map(|_| draw()).collect()
    }

    fn ranked(columns: &[Vec<f64>]) -> Vec<ResampledColumn> {
        columns.iter().map(|column| ResampledColumn::Ranks(RankedColumn::new(column))).collect()
    }

    fn valued(columns: &[Vec<f64>]) -> Vec<ResampledColumn> {
        let unit = |column: &Vec<f64>| {
            let centre = mean(column).unwrap();
            let length = column.iter().map(|x| (x - centre).powi(2)).sum::<f64>().sqrt();
            ResampledColumn::Values(column.iter().map(|x| (x - centre) / length).collect())
        };
        columns.iter().map(unit).collect()
    }

    /// Pearson's correlation of values, by its definition, one draw at a time.
    #[test]
    fn of_values_it_equals_the_definition_too() {
        let (texts, sounds) = (columns(60, 2, 1 << 20, 3), columns(60, 3, 7, 4));
        let (unit_texts, unit_sounds) = (valued(&texts), valued(&sounds));
        let members = [(0..60).collect()];
        let tile = Tile { texts: &unit_texts, sounds: &unit_sounds, items: 60, members: &members };
        let resampling = Resampling { seed: 3, permutations: 199, bootstrap: 99 };
        let (intervals, p) = (tile.intervals(&resampling), tile.permutation_p(&resampling));
        let cells: Vec<(usize, usize)> = (0..2).flat_map(|t| (0..3).map(move |s| (t, s))).collect();
        for (i, &(t, s)) in cells.iter().enumerate() {
            let draws: Vec<f64> = (0..99)
                .map(|draw| {
                    let mut stream = Stream::new(3, "bootstrap of pairs", draw);
                    let draw: Vec<usize> = (0..60).map(|_| stream.below(60) as usize).collect();
                    let of = |column: &[f64]| draw.iter().map(|&i| column[i]).collect::<Vec<f64>>();
                    pearson(&of(&texts[t]), &of(&sounds[s])).unwrap()
                })
                .collect();
            let (low, high) = intervals[i].unwrap();
            assert!((low - percentile(&draws, 0.025).unwrap()).abs() < 1e-5);
            assert!((high - percentile(&draws, 0.975).unwrap()).abs() < 1e-5);
            let observed = pearson(&texts[t], &sounds[s]).unwrap().abs();
            let reached = (0..199)
                .filter(|&draw| {
                    let mut permutation = Vec::new();
                    let mut stream = Stream::new(3, "permutation of pairs", draw);
                    permute(&members, &mut stream, &mut permutation);
                    let moved: Vec<f64> = permutation.iter().map(|&i| texts[t][i as usize]).collect();
                    pearson(&moved, &sounds[s]).unwrap().abs() >= observed - 1e-6
                })
                .count();
            assert!(reached < 10 || p[i] == (1 + reached) as f64 / 200.0, "{reached} {}", p[i]);
        }
    }

    /// Interval and p by their definitions, one pair and one draw at a time.
    #[test]
    fn equals_the_definition() {
        for (items, distinct) in [(40, 5), (300, 1 << 30)] {
            let (texts, sounds) = (columns(items, 3, distinct, 0), columns(items, 10, distinct, 1));
            let members = [(0..items as u32 / 2).collect(), (items as u32 / 2..items as u32).collect()];
            let (ranked_texts, ranked_sounds) = (ranked(&texts), ranked(&sounds));
            let tile = Tile { texts: &ranked_texts, sounds: &ranked_sounds, items, members: &members };
            let resampling = Resampling { seed: 3, permutations: 99, bootstrap: 99 };
            let pairs: Vec<(usize, usize)> = (0..3).flat_map(|t| (0..10).map(move |s| (t, s))).collect();
            let intervals = tile.intervals(&resampling);
            let p = tile.permutation_p(&resampling);
            for (i, &(t, s)) in pairs.iter().enumerate() {
                let draws: Vec<f64> = (0..99)
                    .map(|draw| {
                        let mut stream = Stream::new(3, "bootstrap of pairs", draw);
                        let draw: Vec<usize> =
                            (0..items).map(|_| stream.below(items as u32) as usize).collect();
                        let of = |column: &[f64]| draw.iter().map(|&i| column[i]).collect::<Vec<f64>>();
                        spearman(&of(&texts[t]), &of(&sounds[s])).unwrap()
                    })
                    .collect();
                let (low, high) = intervals[i].unwrap();
                assert!((low - percentile(&draws, 0.025).unwrap()).abs() < 1e-6);
                assert!((high - percentile(&draws, 0.975).unwrap()).abs() < 1e-6);
                // The correlation of the groups' means: what permuting within groups leaves on average.
                let by_group = |ranks: &[f64]| {
                    let mean = |group: &Vec<u32>| {
                        group.iter().map(|&i| ranks[i as usize]).sum::<f64>() / group.len() as f64
                    };
                    members.iter().map(mean).collect::<Vec<f64>>()
                };
                let (x, y) = (average_ranks(&texts[t]), average_ranks(&sounds[s]));
                let centre = f64::midpoint(items as f64, 1.0);
                let spread = |ranks: &[f64]| ranks.iter().map(|r| (r - centre).powi(2)).sum::<f64>();
                let between_groups: f64 = by_group(&x)
                    .iter()
                    .zip(by_group(&y))
                    .zip(&members)
                    .map(|((x, y), group)| group.len() as f64 * (x - centre) * (y - centre))
                    .sum::<f64>()
                    / (spread(&x) * spread(&y)).sqrt();
                let observed = (spearman(&texts[t], &sounds[s]).unwrap() - between_groups).abs();
                let reached = (0..99)
                    .filter(|&draw| {
                        let mut permutation = Vec::new();
                        let mut stream = Stream::new(3, "permutation of pairs", draw);
                        permute(&members, &mut stream, &mut permutation);
                        let moved: Vec<f64> = permutation.iter().map(|&i| texts[t][i as usize]).collect();
                        (spearman(&moved, &sounds[s]).unwrap() - between_groups).abs() >= observed - 1e-9
                    })
                    .count();
                if reached >= 10 {
                    assert_eq!(p[i], (1 + reached) as f64 / 100.0);
                } else {
                    assert!(p[i] > 0.0 && p[i] < 0.3, "{} for {reached} exceedances", p[i]);
                }
            }
        }
    }

    #[test]
    fn a_resample_may_be_constant() {
        let texts = ranked(&[vec![0.0, 0.0, 1.0]]);
        let sounds = ranked(&[vec![1.0, 2.0, 3.0]]);
        let members = [vec![0, 1, 2]];
        let tile = Tile { texts: &texts, sounds: &sounds, items: 3, members: &members };
        let (low, high) =
            tile.intervals(&Resampling { seed: 0, permutations: 0, bootstrap: 200 })[0].unwrap();
        assert!(low > 0.0 && low <= high && high <= 1.0, "{low} {high}");
        let p = tile.permutation_p(&Resampling { seed: 0, permutations: 999, bootstrap: 0 });
        assert!(p[0] >= 1.0 / 6.0);
    }
}
