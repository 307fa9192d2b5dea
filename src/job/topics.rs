//! The topics of a run: the weights of its documents laid into a file, and gone through as often as the method wants.

use std::borrow::Cow;
use std::fs::File;
use std::io::{self, Write};
use std::os::unix::fs::FileExt;

use super::counting::Counted;
use super::desk::Desk;
use crate::error::{Error, Result};
use crate::math::truncated_svd::{RowsInParts, SparseRows};
use crate::report::{TopicRow, tables};
use crate::text::bag_of_words::{BagOfWords, TermRows, Weight, WeightSettings};
use crate::text::counts::ShardCounts;
use crate::text::topics::Topics;
use crate::text::vocabulary::Vocabulary;

/// The weights of documents, a shard a part, in a file without a name: memory holds a part at a time.
struct StoredRows<'a> {
    desk: &'a Desk<'a>,
    file: File,
    columns: usize,
    /// Where each part begins and how long it is, in bytes.
    places: Vec<(u64, usize)>,
}

impl<'a> StoredRows<'a> {
    /// Weighs the documents: tf-idf with the other settings of `weights`.
    fn new(
        counted: &Counted,
        vocabulary: &Vocabulary,
        weights: WeightSettings,
        desk: &'a Desk<'a>,
    ) -> Result<Self> {
        let bag = BagOfWords::new(vocabulary, WeightSettings { weight: Weight::TfIdf, ..weights });
        let failed = |error: io::Error| Error::io("keep weights in a file in", desk.folder, error);
        let mut file = tempfile::tempfile_in(desk.folder).map_err(failed)?;
        let (mut places, mut start) = (Vec::with_capacity(counted.shards.len()), 0);
        let of_shard = |_, shard: &ShardCounts| {
            desk.interrupt.check()?;
            Ok(encoded(&bag.transform(shard)))
        };
        let mut outcome = Ok(());
        counted.shards.in_order(of_shard, |part| {
            if outcome.is_ok() {
                outcome = file.write_all(&part);
            }
            places.push((start, part.len()));
            start += part.len() as u64;
        })?;
        outcome.map_err(failed)?;
        Ok(Self { desk, file, columns: vocabulary.terms().len(), places })
    }
}

/// The entries of each document: their number, then term and weight of each, all as four bytes.
fn encoded(rows: &TermRows) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(8 * rows.term_ids.len() + 4 * rows.lengths.len());
    let weights = rows.weights.of(&rows.counts);
    let mut entries = rows.term_ids.iter().zip(weights.iter());
    for &count in &rows.lengths {
        bytes.extend_from_slice(&count.to_le_bytes());
        for (term, weight) in entries.by_ref().take(count as usize) {
            bytes.extend_from_slice(&term.to_le_bytes());
            bytes.extend_from_slice(&weight.to_le_bytes());
        }
    }
    bytes
}

fn decoded(bytes: &[u8]) -> SparseRows {
    let mut words = bytes.as_chunks::<4>().0.iter().copied();
    let mut rows = SparseRows::default();
    let (mut terms, mut weights) = (Vec::new(), Vec::new());
    while let Some(count) = words.next() {
        terms.clear();
        weights.clear();
        for _ in 0..u32::from_le_bytes(count) {
            let (Some(term), Some(weight)) = (words.next(), words.next()) else { break };
            terms.push(u32::from_le_bytes(term));
            weights.push(f32::from_le_bytes(weight));
        }
        rows.push(&terms, &weights);
    }
    rows
}

impl RowsInParts for StoredRows<'_> {
    type Error = Error;

    fn columns(&self) -> usize {
        self.columns
    }

    fn parts(&self) -> usize {
        self.places.len()
    }

    fn part(&self, number: usize) -> Result<Cow<'_, SparseRows>> {
        self.desk.interrupt.check()?;
        let Some(&(start, length)) = self.places.get(number) else { return Ok(Cow::default()) };
        let mut bytes = vec![0; length];
        self.file
            .read_exact_at(&mut bytes, start)
            .map_err(|error| Error::io("read weights from a file in", self.desk.folder, error))?;
        Ok(Cow::Owned(decoded(&bytes)))
    }
}

/// The topics of the documents, and the rows that their tables have.
pub(super) struct FoundTopics {
    pub rows: Vec<TopicRow>,
    pub documents: Vec<f32>,
}

/// Finds `count` topics; documents get a vector of that width, with zeros where the corpus has fewer.
pub(super) fn topics(
    counted: &Counted,
    vocabulary: &Vocabulary,
    weights: WeightSettings,
    count: usize,
    desk: &Desk<'_>,
) -> Result<FoundTopics> {
    let matrix = StoredRows::new(counted, vocabulary, weights, desk)?;
    let found = Topics::new(&matrix, count, desk.seed)?;
    let width = found.topics.len();
    let mut documents = Vec::with_capacity(counted.documents.len() * count);
    for document in 0..counted.documents.len() {
        let row = found.documents.get(document * width..(document + 1) * width).unwrap_or_default();
        documents.extend_from_slice(row);
        documents.resize((document + 1) * count, 0.0);
    }
    Ok(FoundTopics { rows: tables::topic_rows(&found, vocabulary), documents })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::bag_of_words::Weights;

    #[test]
    fn rows_come_back_as_they_were_laid_down() {
        let rows = TermRows {
            lengths: vec![2, 0, 0, 1, 0],
            term_ids: vec![1, 7, 2],
            counts: vec![1, 1, 1],
            weights: Weights::Each(vec![0.5, 0.25, 1.0]),
        };
        let bytes = encoded(&rows);
        assert_eq!(bytes.len(), 4 * (5 + 6));
        let found = decoded(&bytes);
        let expected: Vec<(Vec<u32>, Vec<f32>)> = vec![
            (vec![1, 7], vec![0.5, 0.25]),
            (vec![], vec![]),
            (vec![], vec![]),
            (vec![2], vec![1.0]),
            (vec![], vec![]),
        ];
        let found: Vec<_> = found.iter().map(|(terms, weights)| (terms.to_vec(), weights.to_vec())).collect();
        assert_eq!(found, expected);
    }
}
