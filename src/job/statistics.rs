//! Statistics of a corpus beyond its pairs, groups and duplicates: the laws of Zipf and Heaps, dispersion, phrases, topics.

use std::cell::Cell;

use super::counting::{Counted, Counting};
use super::desk::Desk;
use super::plan::DocumentsPlan;
use super::sections::StatisticsSection;
use super::topics::topics;
use super::words::{WordKeys, Words, of_corpus};
use crate::error::{Error, Result};
use crate::report::{TopicRow, page, tables};
use crate::text::counts::ShardCounts;
use crate::text::dispersion::{Dispersion, dispersion};
use crate::text::frequencies::TermFrequencies;
use crate::text::laws::{Growth, Law};
use crate::text::phrases::{Phrase, PhraseCounts, PhraseSettings, Phrases};
use crate::text::vocabulary::{Vocabulary, VocabularySettings};

/// Rows of each list that the page is given.
const SHOWN: usize = 60;
/// Terms among which the page looks for those of few documents.
const FREQUENT: usize = 500;

impl StatisticsSection {
    /// When words make a phrase.
    pub(super) fn phrase_settings(&self) -> PhraseSettings {
        PhraseSettings {
            score: self.phrase_score,
            min_count: self.phrase_min_count,
            threshold: self.phrase_threshold,
            connector_words: self.connector_words.clone(),
            ..PhraseSettings::default()
        }
    }
}

/// Makes the statistics that `section` asks for; `total` is what [`of_corpus`] wants.
pub(super) fn further(
    plan: &DocumentsPlan,
    section: &StatisticsSection,
    counting: &Counting<'_>,
    keys: &WordKeys,
    desk: &Desk<'_>,
    total: &Cell<u64>,
    words: &mut Words,
) -> Result<()> {
    let (fitted, written) = desk.remember(&keys.laws, || {
        let fitted = of_corpus(counting, desk, total, |counted| {
            let mut growth = Growth::default();
            counted.shards.each(&mut |shard| growth.add(shard))?;
            Ok(growth.laws().to_vec())
        })?;
        let written = desk.write(tables::laws(&fitted), "laws.parquet")?;
        Ok((fitted, vec![written]))
    })?;
    words.laws = fitted;
    words.written.extend(written);
    if let Some(key) = &keys.dispersion {
        let (rows, written) = desk.remember(key, || {
            let rows = of_corpus(counting, desk, total, |counted| {
                with_vocabulary(counted, words, |vocabulary| {
                    dispersion(vocabulary, |each| counted.shards.each(each))
                })?
            })?;
            let written = desk.write(tables::dispersion(&rows), "dispersion.parquet")?;
            Ok((rows, vec![written]))
        })?;
        words.dispersion = Some(rows);
        words.written.extend(written);
    }
    if let Some(key) = &keys.phrases {
        let (rows, written) = desk.remember(key, || {
            let settings = section.phrase_settings();
            let rows = of_corpus(counting, desk, total, |counted| Ok(phrases(counted, &settings)?.all()))?;
            let written = desk.write(tables::phrases(&rows), "phrases.parquet")?;
            Ok((rows, vec![written]))
        })?;
        words.phrases = Some(rows);
        words.written.extend(written);
    }
    if let Some(key) = &keys.topics {
        let weights = plan.bag_of_words.as_ref().map(|bag| bag.weights).unwrap_or_default();
        let (rows, written) = desk.remember(key, || {
            let found = of_corpus(counting, desk, total, |counted| {
                with_vocabulary(counted, words, |vocabulary| {
                    topics(counted, vocabulary, weights, section.topics, desk)
                })?
            })?;
            let vectors = tables::document_topics(&words.documents, found.documents, section.topics);
            let written = vec![
                desk.write(tables::topics(&found.rows), "topics.parquet")?,
                desk.write(vectors, "document_topics.parquet")?,
            ];
            Ok((found.rows, written))
        })?;
        words.topics = Some(rows);
        words.written.extend(written);
    }
    Ok(())
}

/// Lets `work` see the vocabulary of the bag of words, or all words where the job has none.
fn with_vocabulary<T>(counted: &Counted, words: &Words, work: impl FnOnce(&Vocabulary) -> T) -> Result<T> {
    if let Some((vocabulary, _)) = &words.vocabulary {
        return Ok(work(vocabulary));
    }
    let add = |all: &mut TermFrequencies, shard: &ShardCounts, _| drop(all.add(shard));
    let merge = |all: &mut TermFrequencies, next: TermFrequencies| drop(all.merge(&next));
    let frequencies = counted.shards.sum(add, merge)?;
    let all = Vocabulary::choose(&frequencies, &VocabularySettings::default())
        .map_err(|error| Error::job_file("bag_of_words", error.to_string()))?;
    Ok(work(&all))
}

/// The phrases of a corpus.
pub(super) fn phrases(counted: &Counted, settings: &PhraseSettings) -> Result<Phrases> {
    let mut all = PhraseCounts::default();
    let of_shard = |_, shard: &ShardCounts| Ok(PhraseCounts::of(shard, settings));
    counted.shards.in_order(of_shard, |shard| all.merge(&shard))?;
    Ok(Phrases::new(all, settings.clone()))
}

/// What the page shows of them; `None` where the job asks for no statistics.
pub(super) fn corpus_section(words: &Words) -> Option<page::Corpus> {
    if words.laws.is_empty() {
        return None;
    }
    let law = |law: &Law| page::Law {
        law: law.law.clone(),
        exponent: law.exponent,
        constant: law.constant,
        r2: law.r2,
        points: law.points,
    };
    let phrase = |phrase: &Phrase| page::Phrase {
        phrase: phrase.phrase.clone(),
        count: phrase.count,
        score: phrase.score,
    };
    Some(page::Corpus {
        laws: words.laws.iter().map(law).collect(),
        phrases: words.phrases.as_ref().map(|phrases| phrases.iter().take(SHOWN).map(phrase).collect()),
        topics: words.topics.as_ref().map_or_else(Vec::new, |rows| topics_of(rows)),
        dispersed: words.dispersion.as_ref().map_or_else(Vec::new, |rows| least_even(rows)),
    })
}

fn topics_of(rows: &[TopicRow]) -> Vec<page::Topic> {
    let topic = |rows: &[TopicRow]| page::Topic {
        singular_value: rows.first().map_or(0.0, |row| row.singular_value),
        explained_share: rows.first().and_then(|row| row.explained_share),
        terms: rows.iter().map(|row| (row.term.clone(), row.weight)).collect(),
    };
    rows.chunk_by(|a, b| a.topic == b.topic).take(SHOWN).map(topic).collect()
}

/// Of the most frequent terms, which stand first, those that documents share least evenly.
fn least_even(rows: &[Dispersion]) -> Vec<page::Dispersed> {
    let mut frequent: Vec<&Dispersion> = rows.iter().take(FREQUENT).collect();
    frequent.sort_by(|a, b| b.gries_dp_norm.unwrap_or(0.0).total_cmp(&a.gries_dp_norm.unwrap_or(0.0)));
    let dispersed = |row: &Dispersion| page::Dispersed {
        term: row.term.clone(),
        documents: u64::from(row.documents),
        juilland_d: row.juilland_d,
        gries_dp_norm: row.gries_dp_norm,
    };
    frequent.into_iter().take(SHOWN).map(dispersed).collect()
}
