//! One logical shard of a round: it trains its sentences on copies of the rows that they touch.

use std::ops::Range;

use super::model::Matrices;
use super::sampling::{Draws, Negatives, Subsampling};
use super::tree::Tree;
use super::{Model, Subwords};
use crate::simd::{Lanes, Rows, Width, WindowKernel, prefetch};

/// Windows between the request for their rows and their use.
const AHEAD: usize = 3;
/// Rows between the request for one that must be copied and the copy.
const COPIES_AHEAD: usize = 8;
/// Negatives of a round are taken from a pool of this part of their number, so that their rows are copied once and stay near:
/// for skip-gram, and for a bag of words.
const POOL_SHARES: [usize; 2] = [32, 16];
/// Words in a pool at least and at most.
const POOL: [usize; 2] = [256, 2048];

/// What all shards share: the settings that enter a window.
pub(super) struct Task<'a> {
    pub(super) model: Model,
    pub(super) window: usize,
    pub(super) negatives: usize,
    pub(super) subsampling: Subsampling,
    pub(super) distribution: Negatives,
    pub(super) words: u32,
    /// The rows of each word, where there are more than its own.
    pub(super) subwords: Option<&'a Subwords>,
    /// Predicts words along their paths, in place of the negatives.
    pub(super) tree: Option<Tree>,
    /// The row of the first document, where documents have rows.
    pub(super) first_document: Option<u32>,
}

impl Task<'_> {
    /// Output rows of a window at most.
    fn targets(&self) -> usize {
        self.tree.as_ref().map_or(1 + self.negatives, |tree| tree.longest().max(1))
    }

    /// Words in the pool of a round of so many tokens; none where negatives are drawn from all words. Where words share n-grams,
    /// negatives that come again and again cost accuracy.
    fn pool(&self, tokens: usize) -> usize {
        let is_composed = self.subwords.is_some() || self.first_document.is_some();
        if is_composed || self.tree.is_some() {
            return 0;
        }
        let share = POOL_SHARES[usize::from(self.model == Model::Cbow)];
        (tokens * self.negatives / share).clamp(POOL[0], POOL[1])
    }
}

/// Rows of a matrix as one shard changes them: a row is copied when it is first touched. Row 0 belongs to no word and
/// stays zero; what a window must leave out points there.
pub(super) struct CopiedRows {
    row_of: Vec<u32>,
    /// A bit for each word whose row was copied.
    touched: Vec<u64>,
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
            touched: vec![0; words.div_ceil(64)],
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
        self.touched[word as usize / 64] |= 1 << (word % 64);
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

    /// Which of the words `64 * block` to `64 * block + 63` have copies: a bit each.
    #[inline]
    pub(super) fn touched(&self, block: usize) -> u64 {
        self.touched.get(block).copied().unwrap_or(0)
    }

    /// Forgets all copies.
    pub(super) fn clear(&mut self) {
        for &word in &self.words[1..] {
            self.row_of[word as usize] = NOT_COPIED;
            self.touched[word as usize / 64] = 0;
        }
        self.words.truncate(1);
        self.meetings.truncate(1);
        self.rows.truncate(self.groups);
    }
}

/// A shard with its copies and scratch, which serve round after round. What one thread writes lies in no cache line of another's.
#[repr(align(128))]
pub(super) struct Shard {
    pub(super) inputs: CopiedRows,
    pub(super) outputs: CopiedRows,
    kernel: WindowKernel,
    rates: Vec<Lanes>,
    special_rates: Vec<Lanes>,
    /// Copies of output rows that the negatives of the round are taken from.
    pool: Vec<u32>,
    kept: Vec<u32>,
    drawn: Vec<u32>,
    centre_rows: Vec<u32>,
    input_rows: Vec<u32>,
    output_rows: Vec<u32>,
    contexts: Vec<u32>,
    /// The targets of a window in which some stand twice.
    targets: Vec<u32>,
    context_weights: Vec<f32>,
    target_weights: Vec<f32>,
    /// Where the targets of each kept word begin in `output_rows`, and at last where they end.
    target_starts: Vec<usize>,
    /// Where the rows of each kept word begin in `input_rows`, and at last where they end.
    input_starts: Vec<usize>,
    /// The row of the sentence's document.
    document: Option<u32>,
}

impl Shard {
    pub(super) fn new(width: Width, matrices: &Matrices, task: &Task) -> Self {
        let groups = matrices.groups;
        let rows = |matrix: &[Lanes]| CopiedRows::new(matrix.len() / groups, groups);
        let (contexts, targets) = (2 * task.window, task.targets());
        let rates = vec![Lanes::ZERO; WindowKernel::batches(contexts, targets)];
        Self {
            inputs: rows(&matrices.inputs),
            outputs: rows(&matrices.outputs),
            kernel: WindowKernel::new(width, groups, contexts, targets),
            special_rates: rates.clone(),
            rates,
            pool: Vec::new(),
            kept: Vec::new(),
            drawn: Vec::new(),
            centre_rows: Vec::new(),
            input_rows: Vec::new(),
            output_rows: Vec::new(),
            contexts: apart(contexts),
            targets: apart(targets),
            context_weights: apart(contexts),
            target_weights: apart(targets),
            target_starts: Vec::new(),
            input_starts: Vec::new(),
            document: None,
        }
    }

    /// Begins a round of about `tokens` tokens with a learning rate, and draws the words that its negatives are taken from.
    pub(super) fn begin_round(
        &mut self,
        task: &Task,
        matrices: &Matrices,
        (alpha, tokens): (f32, usize),
        draws: &mut Draws,
    ) {
        self.rates.fill(Lanes([alpha; 16]));
        self.drawn.clear();
        self.drawn.extend((0..task.pool(tokens)).map(|_| task.distribution.draw(draws)));
        self.outputs.copy(&matrices.outputs, &self.drawn, &mut self.pool);
    }

    /// Trains every window of a sentence of a document.
    pub(super) fn train_sentence(
        &mut self,
        task: &Task,
        matrices: &Matrices,
        (sentence, document): (&[u32], usize),
        draws: &mut Draws,
    ) {
        task.subsampling.thin(sentence, draws, &mut self.kept);
        self.gather_targets(task, matrices, draws);
        self.gather_inputs(task, matrices);
        self.document = None;
        if let Some(first) = task.first_document.filter(|_| !self.kept.is_empty()) {
            self.document = Some(self.inputs.copied(&matrices.inputs, first + document as u32));
        }
        for centre in 0..self.kept.len() {
            let soon = centre + AHEAD;
            if soon < self.kept.len() {
                for &row in &self.output_rows[self.target_starts[soon]..self.target_starts[soon + 1]] {
                    prefetch(self.outputs.row(row));
                }
            }
            if let Some(&[start, end]) =
                self.input_starts.get(soon + task.window..).and_then(<[_]>::first_chunk)
            {
                self.input_rows[start..end].iter().for_each(|&row| prefetch(self.inputs.row(row)));
            }
            let radius = 1 + draws.below(task.window as u32) as usize;
            let targets = self.target_starts[centre]..self.target_starts[centre + 1];
            if let Some(tree) = &task.tree {
                if targets.is_empty() {
                    // The only word there is: nothing is left to be predicted.
                    continue;
                }
                self.kernel.set_labels(tree.labels(self.kept[centre]));
            }
            let left = centre.saturating_sub(radius);
            let right = self.kept.len().min(centre + radius + 1);
            self.train_window(task, [left..centre, centre + 1..right], targets);
        }
    }

    /// Copies the rows that the windows of the sentence predict: words and their negatives, or the paths of the words.
    fn gather_targets(&mut self, task: &Task, matrices: &Matrices, draws: &mut Draws) {
        self.drawn.clear();
        self.target_starts.clear();
        self.target_starts.push(0);
        if let Some(tree) = &task.tree {
            for &word in &self.kept {
                self.drawn.extend_from_slice(tree.nodes(word));
                self.target_starts.push(self.drawn.len());
            }
            self.outputs.copy(&matrices.outputs, &self.drawn, &mut self.output_rows);
            return;
        }
        let targets = 1 + task.negatives;
        self.target_starts.extend((1..=self.kept.len()).map(|word| word * targets));
        if self.pool.is_empty() {
            for &word in &self.kept {
                self.drawn.push(word);
                self.drawn.extend((1..targets).map(|_| task.distribution.draw(draws)));
            }
            self.outputs.copy(&matrices.outputs, &self.drawn, &mut self.output_rows);
            return;
        }
        self.outputs.copy(&matrices.outputs, &self.kept, &mut self.centre_rows);
        self.output_rows.clear();
        self.output_rows.resize(self.centre_rows.len() * targets, BLANK);
        for (rows, &centre) in self.output_rows.chunks_exact_mut(targets).zip(&self.centre_rows) {
            rows[0] = centre;
            for rows in rows[1..].chunks_mut(2) {
                let drawn = draws.two_below(self.pool.len() as u32);
                rows.iter_mut().zip(drawn).for_each(|(row, at)| *row = self.pool[at as usize]);
            }
        }
    }

    /// Copies the rows that predict: those of the words of the sentence.
    fn gather_inputs(&mut self, task: &Task, matrices: &Matrices) {
        self.input_starts.clear();
        let Some(subwords) = task.subwords else {
            self.input_starts.extend(0..=self.kept.len());
            self.inputs.copy(&matrices.inputs, &self.kept, &mut self.input_rows);
            return;
        };
        self.drawn.clear();
        self.input_starts.push(0);
        for &word in &self.kept {
            self.drawn.extend_from_slice(subwords.rows_of(word as usize));
            self.input_starts.push(self.drawn.len());
        }
        self.inputs.copy(&matrices.inputs, &self.drawn, &mut self.input_rows);
    }

    /// Trains the window of one word: the words on both sides of it predict the targets. Words that are means of several rows do
    /// so one after the other, as in fastText: neighbours share rows, and their corrections would add up to too much if all
    /// of them were made from the same state.
    fn train_window(&mut self, task: &Task, sides: [Range<usize>; 2], targets: Range<usize>) {
        let mean = task.model == Model::Cbow;
        if mean || task.subwords.is_none() {
            self.contexts.clear();
            for words in sides {
                let rows = self.input_starts[words.start]..self.input_starts[words.end];
                self.contexts.extend_from_slice(&self.input_rows[rows]);
            }
            self.train_contexts(targets.clone(), mean);
        } else {
            for word in sides.into_iter().flatten() {
                let rows = self.input_starts[word]..self.input_starts[word + 1];
                self.contexts.clear();
                self.contexts.extend_from_slice(&self.input_rows[rows]);
                self.train_contexts(targets.clone(), true);
            }
        }
        if let Some(document) = self.document {
            self.contexts.clear();
            self.contexts.push(document);
            self.train_contexts(targets, true);
        }
    }

    /// Lets the contexts, or their mean, predict the targets.
    fn train_contexts(&mut self, targets: Range<usize>, mean: bool) {
        if self.contexts.is_empty() {
            return;
        }
        let inputs = if mean { 1 } else { self.contexts.len() as u32 };
        for &row in &self.contexts {
            self.inputs.meetings[row as usize] += targets.len() as u32;
        }
        for &row in &self.output_rows[targets.clone()] {
            self.outputs.meetings[row as usize] += inputs;
        }
        let repeated = has_repeats(&self.output_rows[targets.clone()]);
        let special = repeated || (!mean && has_repeats(&self.contexts));
        if special {
            self.weigh_repeats(targets.clone(), mean);
        }
        let rates = if special { &self.special_rates } else { &self.rates };
        let indices = if special { &self.targets } else { &self.output_rows[targets] };
        let mut contexts = Rows { matrix: &mut self.inputs.rows, indices: &self.contexts };
        let mut outputs = Rows { matrix: &mut self.outputs.rows, indices };
        if mean {
            self.kernel.bag_of_words(&mut contexts, &mut outputs, rates);
        } else {
            self.kernel.skip_gram(&mut contexts, &mut outputs, rates);
        }
    }

    /// Lets a row that stands more than once in a window count that often instead, and a negative equal to the centre
    /// not at all.
    fn weigh_repeats(&mut self, targets: Range<usize>, mean: bool) {
        self.targets.clear();
        self.targets.extend_from_slice(&self.output_rows[targets]);
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

/// Room for so many numbers and for two cache lines more, so that no line holds numbers of two of them.
fn apart<T>(numbers: usize) -> Vec<T> {
    Vec::with_capacity(numbers + 128 / size_of::<T>())
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
