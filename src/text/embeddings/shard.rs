//! One logical shard of a round: it trains its sentences on copies of the rows that they touch.

use super::Model;
use super::model::Matrices;
use super::sampling::{Draws, Negatives, Subsampling};
use crate::simd::{Lanes, Rows, Width, WindowKernel, prefetch};

/// Windows between the request for their rows and their use.
const AHEAD: usize = 3;
/// Rows between the request for one that must be copied and the copy.
const COPIES_AHEAD: usize = 8;

/// What all shards share: the settings that enter a window.
pub(super) struct Task {
    pub(super) model: Model,
    pub(super) window: usize,
    pub(super) negatives: usize,
    pub(super) subsampling: Subsampling,
    pub(super) distribution: Negatives,
    pub(super) words: u32,
}

/// Rows of a matrix as one shard changes them: a row is copied when it is first touched. Row 0 belongs to no word and
/// stays zero; what a window must leave out points there.
pub(super) struct CopiedRows {
    row_of: Vec<u32>,
    words: Vec<u32>,
    rows: Vec<Lanes>,
    meetings: Vec<u32>,
    groups: usize,
}

const NOT_COPIED: u32 = u32::MAX;
const BLANK: u32 = 0;

impl CopiedRows {
    fn new(words: usize, groups: usize) -> Self {
        Self {
            row_of: vec![NOT_COPIED; words],
            words: vec![u32::MAX],
            rows: vec![Lanes::ZERO; groups],
            meetings: vec![0],
            groups,
        }
    }

    /// Sets `rows` to the copies of the rows of `words`, made where they are not there yet.
    fn copy(&mut self, matrix: &[Lanes], words: &[u32], rows: &mut Vec<u32>) {
        rows.clear();
        for (index, &word) in words.iter().enumerate() {
            if let Some(&soon) = words.get(index + COPIES_AHEAD)
                && self.row_of[soon as usize] == NOT_COPIED
            {
                prefetch(&matrix[soon as usize * self.groups..][..self.groups]);
            }
            rows.push(self.copied(matrix, word));
        }
    }

    #[inline]
    fn copied(&mut self, matrix: &[Lanes], word: u32) -> u32 {
        let row = self.row_of[word as usize];
        if row != NOT_COPIED {
            return row;
        }
        let row = self.words.len() as u32;
        self.row_of[word as usize] = row;
        self.words.push(word);
        self.meetings.push(0);
        self.rows.extend_from_slice(&matrix[word as usize * self.groups..][..self.groups]);
        row
    }

    #[inline]
    fn row(&self, row: u32) -> &[Lanes] {
        &self.rows[row as usize * self.groups..][..self.groups]
    }

    /// The copy of a word's row and how many rows of the other matrix it met; None where this shard did not touch it.
    #[inline]
    pub(super) fn change(&self, word: usize) -> Option<(&[Lanes], u32)> {
        let row = self.row_of[word];
        (row != NOT_COPIED).then(|| (self.row(row), self.meetings[row as usize]))
    }

    /// Forgets all copies.
    pub(super) fn clear(&mut self) {
        for &word in &self.words[1..] {
            self.row_of[word as usize] = NOT_COPIED;
        }
        self.words.truncate(1);
        self.meetings.truncate(1);
        self.rows.truncate(self.groups);
    }
}

/// A shard with its copies and scratch, which serve round after round.
pub(super) struct Shard {
    pub(super) inputs: CopiedRows,
    pub(super) outputs: CopiedRows,
    kernel: WindowKernel,
    rates: Vec<Lanes>,
    special_rates: Vec<Lanes>,
    kept: Vec<u32>,
    drawn: Vec<u32>,
    input_rows: Vec<u32>,
    output_rows: Vec<u32>,
    contexts: Vec<u32>,
    targets: Vec<u32>,
    context_weights: Vec<f32>,
    target_weights: Vec<f32>,
}

impl Shard {
    pub(super) fn new(width: Width, matrices: &Matrices, task: &Task) -> Self {
        let (words, groups) = (task.words as usize, matrices.groups);
        let (contexts, targets) = (2 * task.window, 1 + task.negatives);
        let rates = vec![Lanes::ZERO; WindowKernel::batches(contexts, targets)];
        Self {
            inputs: CopiedRows::new(words, groups),
            outputs: CopiedRows::new(words, groups),
            kernel: WindowKernel::new(width, groups, contexts, targets),
            special_rates: rates.clone(),
            rates,
            kept: Vec::new(),
            drawn: Vec::new(),
            input_rows: Vec::new(),
            output_rows: Vec::new(),
            contexts: Vec::with_capacity(contexts),
            targets: Vec::with_capacity(targets),
            context_weights: Vec::with_capacity(contexts),
            target_weights: Vec::with_capacity(targets),
        }
    }

    /// The learning rate of the windows to come.
    pub(super) fn set_alpha(&mut self, alpha: f32) {
        self.rates.fill(Lanes([alpha; 16]));
    }

    /// Trains every window of a sentence.
    pub(super) fn train_sentence(
        &mut self,
        task: &Task,
        matrices: &Matrices,
        sentence: &[u32],
        draws: &mut Draws,
    ) {
        self.kept.clear();
        let known = sentence.iter().copied().filter(|&word| word < task.words);
        self.kept.extend(known.filter(|&word| task.subsampling.keeps(word, draws)));
        self.gather(task, matrices, draws);
        let targets = 1 + task.negatives;
        for centre in 0..self.kept.len() {
            let soon = centre + AHEAD;
            for &row in self.output_rows.iter().skip(soon * targets).take(targets) {
                prefetch(self.outputs.row(row));
            }
            if let Some(&row) = self.input_rows.get(soon + task.window) {
                prefetch(self.inputs.row(row));
            }
            let radius = 1 + draws.below(task.window as u32) as usize;
            self.train_window(task.model, centre, radius, targets);
        }
    }

    /// Draws the negatives of every window of the sentence and copies the rows that it needs.
    fn gather(&mut self, task: &Task, matrices: &Matrices, draws: &mut Draws) {
        self.drawn.clear();
        for &word in &self.kept {
            self.drawn.push(word);
            self.drawn.extend((0..task.negatives).map(|_| task.distribution.draw(draws)));
        }
        self.inputs.copy(&matrices.inputs, &self.kept, &mut self.input_rows);
        self.outputs.copy(&matrices.outputs, &self.drawn, &mut self.output_rows);
    }

    fn train_window(&mut self, model: Model, centre: usize, radius: usize, targets: usize) {
        let left = centre.saturating_sub(radius);
        let right = self.input_rows.len().min(centre + radius + 1);
        self.contexts.clear();
        self.contexts.extend_from_slice(&self.input_rows[left..centre]);
        self.contexts.extend_from_slice(&self.input_rows[centre + 1..right]);
        if self.contexts.is_empty() {
            return;
        }
        self.targets.clear();
        self.targets.extend_from_slice(&self.output_rows[centre * targets..][..targets]);
        let mean = model == Model::Cbow;
        let inputs = if mean { 1 } else { self.contexts.len() as u32 };
        for &row in &self.contexts {
            self.inputs.meetings[row as usize] += targets as u32;
        }
        for &row in &self.targets {
            self.outputs.meetings[row as usize] += inputs;
        }
        let special = has_repeats(&self.targets) || (!mean && has_repeats(&self.contexts));
        if special {
            self.weigh_repeats(mean);
        }
        let rates = if special { &self.special_rates } else { &self.rates };
        let mut contexts = Rows { matrix: &mut self.inputs.rows, indices: &self.contexts };
        let mut outputs = Rows { matrix: &mut self.outputs.rows, indices: &self.targets };
        if mean {
            self.kernel.bag_of_words(&mut contexts, &mut outputs, rates);
        } else {
            self.kernel.skip_gram(&mut contexts, &mut outputs, rates);
        }
    }

    /// Lets a row that stands more than once in a window count that often instead, and a negative equal to the centre
    /// not at all.
    fn weigh_repeats(&mut self, mean: bool) {
        merge_repeats(&mut self.targets, &mut self.target_weights);
        self.target_weights[0] = 1.0;
        if mean {
            self.context_weights.clear();
            self.context_weights.push(1.0);
        } else {
            merge_repeats(&mut self.contexts, &mut self.context_weights);
        }
        let alpha = self.rates[0].0[0];
        let mut pair = 0;
        for context in &self.context_weights {
            for target in &self.target_weights {
                self.special_rates[pair / 16].0[pair % 16] = alpha * context * target;
                pair += 1;
            }
        }
    }
}

#[inline]
fn has_repeats(rows: &[u32]) -> bool {
    let mut repeated = false;
    for (index, &row) in rows.iter().enumerate() {
        for &earlier in &rows[..index] {
            repeated |= earlier == row;
        }
    }
    repeated
}

fn merge_repeats(rows: &mut [u32], weights: &mut Vec<f32>) {
    weights.clear();
    weights.resize(rows.len(), 1.0);
    for index in 1..rows.len() {
        if let Some(first) = rows[..index].iter().position(|&row| row == rows[index]) {
            weights[first] += 1.0;
            weights[index] = 0.0;
            rows[index] = BLANK;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repeats_are_counted_once_with_their_number() {
        let mut rows = [4, 7, 4, 4, 9, 7];
        let mut weights = Vec::new();
        assert!(has_repeats(&rows));
        merge_repeats(&mut rows, &mut weights);
        assert_eq!(rows, [4, 7, 0, 0, 9, 0]);
        assert_eq!(weights, [3.0, 2.0, 0.0, 0.0, 1.0, 0.0]);
        assert!(!has_repeats(&[1, 2, 3]));
    }

    #[test]
    fn copies_are_made_once_and_forgotten() {
        let matrix: Vec<Lanes> = (0..4_u8).map(|word| Lanes([f32::from(word); 16])).collect();
        let mut copies = CopiedRows::new(4, 1);
        let mut rows = vec![7];
        copies.copy(&matrix, &[2, 0, 2], &mut rows);
        assert_eq!(rows, [1, 2, 1]);
        assert_eq!(copies.change(2), Some((&matrix[2..3], 0)));
        assert_eq!(copies.change(1), None);
        copies.clear();
        assert_eq!(copies.change(2), None);
        assert_eq!(copies.row(BLANK), [Lanes::ZERO]);
    }
}
