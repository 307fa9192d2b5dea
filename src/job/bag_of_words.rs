//! The bag of words: the vocabulary of a corpus and the weights of its documents, as tables.

use std::ops::Range;

use rayon::prelude::*;

use super::counting::{Counting, Frequencies};
use super::desk::Desk;
use super::key::Key;
use super::plan::BagOfWordsPlan;
use super::words::Made;
use crate::error::{Error, Result};
use crate::report::{Written, tables};
use crate::text::bag_of_words::BagOfWords;
use crate::text::hashed::HashedTerms;
use crate::text::vocabulary::Vocabulary;

/// The bag of words: `vocabulary`, which may be `chosen` already, and a part of `terms` for each shard.
pub(super) fn weigh(
    bag: &BagOfWordsPlan,
    counting: &Counting<'_>,
    chosen: Option<Vocabulary>,
    key: Key,
    desk: &Desk<'_>,
) -> Made<(Vocabulary, Vec<f64>)> {
    desk.remember(&key, || {
        let documents = counting.counted()?.documents.len() as u64;
        let terms = || {
            let vocabulary = chosen.map_or_else(|| vocabulary(bag, counting), Ok)?;
            terms(bag, counting, vocabulary, desk)
        };
        desk.stages.time("bag_of_words", documents, "documents", terms)
    })
}

/// The terms that the job asks for; none where they are hashed into columns.
pub(super) fn vocabulary(bag: &BagOfWordsPlan, counting: &Counting<'_>) -> Result<Vocabulary> {
    if bag.columns > 0 {
        return Ok(Vocabulary::default());
    }
    let frequencies = &counting.frequencies()?.all;
    match &bag.fixed {
        Some(terms) => Ok(Vocabulary::fixed(frequencies, terms)),
        None => Vocabulary::choose(frequencies, &bag.vocabulary)
            .map_err(|error| Error::job_file("bag_of_words", error.to_string())),
    }
}

fn terms(
    bag: &BagOfWordsPlan,
    counting: &Counting<'_>,
    vocabulary: Vocabulary,
    desk: &Desk<'_>,
) -> Made<(Vocabulary, Vec<f64>)> {
    let counted = counting.counted()?;
    let hashed = (bag.columns > 0).then(|| HashedTerms::new(bag.columns, bag.weights));
    let frequencies = if hashed.is_some() { &Frequencies::default() } else { counting.frequencies()? };
    let weights = BagOfWords::new(&vocabulary, bag.weights);
    desk.make_folder("terms")?;
    let part = |(i, range): (usize, Range<usize>)| {
        desk.interrupt.check()?;
        let shard = counted.shards.get(i)?;
        let ids = counted.documents[range.clone()].iter().map(|row| &*row.doc_id);
        let rows = match (hashed, frequencies.numbers(i)) {
            (Some(hashed), _) => hashed.transform(&shard),
            (None, Some(numbers)) => weights.transform_numbered(&shard, numbers),
            (None, None) => weights.transform(&shard),
        };
        let written = desk.write(tables::terms(rows, ids), &format!("terms/part-{i:05}.parquet"));
        desk.stages.advance(range.len() as u64);
        written
    };
    let mut parts: Vec<(usize, Range<usize>)> = counted.shards.ranges().enumerate().collect();
    if parts.is_empty() {
        // A table exists even when nothing was read: one part without rows.
        parts.push((0, 0..0));
    }
    let vocabulary_table =
        || desk.write(tables::vocabulary(&vocabulary, weights.idf()), "vocabulary.parquet");
    let parts = || parts.into_par_iter().with_max_len(1).map(part).collect::<Result<Vec<Written>>>();
    let (vocabulary_written, parts) = rayon::join(vocabulary_table, parts);
    let mut written = parts?;
    written.push(vocabulary_written?);
    let idf = weights.idf().to_vec();
    Ok(((vocabulary, idf), written))
}
