//! How well the model predicts sentences that it was not trained on, in f64.

use rayon::prelude::*;

use super::model::Matrices;
use super::sampling::Draws;
use super::shard::Task;
use super::{Corpus, EmbeddingError, Model};

/// The epoch whose random numbers no training uses: held-out windows are the same ones whenever they are measured.
const MEASURED: usize = 65_535;

/// The mean of −ln of the probability that the model gives to what it should say, over all pairs of what predicts and a word in
/// the windows of `sentences` (with negative sampling: the word and its negatives as they are drawn; Mikolov et al. 2013, formula
/// 4). None where there is no such pair.
pub(super) fn held_out_loss(
    task: &Task,
    matrices: &Matrices,
    corpus: &Corpus,
    sentences: &[std::ops::Range<usize>],
    seed: u64,
) -> Result<Option<f64>, EmbeddingError> {
    let of_sentence = |(index, range): (usize, &std::ops::Range<usize>)| {
        let mut draws = Draws::new(seed, MEASURED, index);
        Ok(sentence_loss(task, matrices, &corpus.tokens.range(range.clone())?, &mut draws))
    };
    let sums: Vec<(f64, u64)> =
        sentences.par_iter().enumerate().map(of_sentence).collect::<Result<_, EmbeddingError>>()?;
    let (loss, pairs) = sums.into_iter().fold((0.0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1));
    Ok((pairs > 0).then(|| loss / pairs as f64))
}

fn sentence_loss(task: &Task, matrices: &Matrices, sentence: &[u32], draws: &mut Draws) -> (f64, u64) {
    let mut kept = Vec::new();
    task.subsampling.thin(sentence, draws, &mut kept);
    let vectors: Vec<Vec<f64>> = kept.iter().map(|&word| rows_mean(task, matrices, &[word])).collect();
    let (mut loss, mut pairs) = (0.0, 0);
    for (centre, &word) in kept.iter().enumerate() {
        let radius = 1 + draws.below(task.window as u32) as usize;
        let targets = targets(task, word, draws);
        let contexts: Vec<usize> = (centre.saturating_sub(radius)..kept.len().min(centre + radius + 1))
            .filter(|&context| context != centre)
            .collect();
        let predict = |vector: &[f64]| {
            let score = |(row, label): &(u32, bool)| {
                let dot: f64 =
                    vector.iter().zip(matrices.output(*row as usize)).map(|(x, y)| x * f64::from(y)).sum();
                softplus(if *label { -dot } else { dot })
            };
            targets.iter().map(score).sum::<f64>()
        };
        if targets.is_empty() || contexts.is_empty() {
            continue;
        }
        if task.model == Model::SkipGram {
            loss += contexts.iter().map(|&context| predict(&vectors[context])).sum::<f64>();
            pairs += contexts.len() as u64;
        } else {
            let words: Vec<u32> = contexts.iter().map(|&context| kept[context]).collect();
            loss += predict(&rows_mean(task, matrices, &words));
            pairs += 1;
        }
    }
    (loss, pairs)
}

/// The mean of all rows of some words.
fn rows_mean(task: &Task, matrices: &Matrices, words: &[u32]) -> Vec<f64> {
    let mut rows: Vec<u32> = Vec::new();
    for &word in words {
        match task.subwords {
            Some(subwords) => rows.extend_from_slice(subwords.rows_of(word as usize)),
            None => rows.push(word),
        }
    }
    let mut mean: Vec<f64> = Vec::new();
    for &row in &rows {
        let values = matrices.input(row as usize);
        if mean.is_empty() {
            mean = values.map(f64::from).collect();
        } else {
            mean.iter_mut().zip(values).for_each(|(mean, value)| *mean += f64::from(value));
        }
    }
    for value in &mut mean {
        *value /= rows.len() as f64;
    }
    mean
}

/// Rows that are to be told apart, and which way; a negative that is the word itself is left out.
fn targets(task: &Task, word: u32, draws: &mut Draws) -> Vec<(u32, bool)> {
    if let Some(tree) = &task.tree {
        tree.nodes(word).iter().copied().zip(tree.labels(word).iter().map(|&label| label > 0.5)).collect()
    } else {
        let negatives = (0..task.negatives).map(|_| task.distribution.draw(draws));
        let negatives: Vec<u32> = negatives.filter(|&negative| negative != word).collect();
        std::iter::once((word, true)).chain(negatives.into_iter().map(|negative| (negative, false))).collect()
    }
}

/// ln(1 + e^x).
fn softplus(x: f64) -> f64 {
    x.max(0.0) + libm::log1p(libm::exp(-x.abs()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn softplus_is_exact_at_both_ends() {
        assert!((softplus(0.0) - std::f64::consts::LN_2).abs() < 1e-15);
        assert_eq!(softplus(800.0), 800.0);
        assert_eq!(softplus(-800.0), 0.0);
        assert!((softplus(1.5) - (1.0 + 1.5_f64.exp()).ln()).abs() < 1e-14);
    }
}
