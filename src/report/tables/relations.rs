//! The tables of words and sound together.

use super::super::parquet::{Column, Table};
use super::{groups, optional, strings};
use crate::compare::correlations::Correlation;
use crate::compare::dependence::{Dependence, Tested};
use crate::compare::group_means::GroupMean;
use crate::compare::predictions::Prediction;
use crate::compare::spaces::SpaceRelation;

/// A row of the `pairs` table.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct PairRow {
    /// The document.
    pub doc_id: String,
    /// Its recording.
    pub clip_id: String,
    /// The recording's group, else the document's.
    pub group: Option<String>,
    /// Tokens a minute of recording.
    pub words_per_minute: Option<f64>,
}

/// A row of the `suspects` table.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct SuspectRow {
    /// The document.
    pub doc_id: String,
    /// The recording that it is paired with.
    pub clip_id: String,
    /// How far the pair lies from what the others are like, in robust standard deviations.
    pub score: f64,
    /// `rate`, `silence` or `neighbours`.
    pub reason: String,
    /// The reason in words.
    pub explanation: String,
}

/// A row of the `words` table.
#[derive(Debug, Clone, PartialEq)]
pub struct TimedWordRow {
    /// The document.
    pub doc_id: String,
    /// The recording in which the word was said.
    pub clip_id: String,
    /// Its number in the recording, from 0.
    pub word: u32,
    /// Its number in the vocabulary, where that has it.
    pub term_id: Option<u32>,
    /// The word in lower case.
    pub term: String,
    /// Seconds.
    pub start: f64,
    /// Seconds.
    pub end: f64,
    /// `file` or `wordwave`.
    pub aligned_by: &'static str,
    /// `-log2` of its probability after the word before.
    pub surprisal: Option<f64>,
    /// The means of [`WORD_CONTOURS`] over its frames.
    pub contours: Vec<Option<f64>>,
}

/// Mean, population standard deviation and count.
pub type Spread = (Option<f64>, Option<f64>, u64);

/// A row of the `word_sounds` table.
#[derive(Debug, Clone, PartialEq)]
pub struct WordSoundRow {
    /// The word in lower case.
    pub term: String,
    /// How often it was said.
    pub count: u64,
    /// Its length.
    pub seconds: Spread,
    /// The spread of its occurrences' means of [`WORD_CONTOURS`].
    pub contours: Vec<Spread>,
    /// Mean over its occurrences.
    pub surprisal: Option<f64>,
    /// Estimated from its letters.
    pub syllables: Option<u32>,
    /// The nearest words by the run's word vectors, the nearest first, joined by a space.
    pub neighbours: Option<String>,
}

/// The columns of `frames` of which words have means.
pub const WORD_CONTOURS: [&str; 6] =
    ["f0_hz", "rms_db", "centroid_hz", "bandwidth_hz", "rolloff_hz", "flatness"];

impl Table {
    fn with_tested(
        self,
        rows: &[Correlation],
        names: [&str; 3],
        of: impl Fn(&Dependence) -> &Tested,
    ) -> Self {
        self.with(names[0], measured(rows, |found| of(found).estimate))
            .with(names[1], measured(rows, |found| of(found).p))
            .with(names[2], measured(rows, |found| of(found).q))
    }
}

/// `pairs`, by document.
#[must_use]
pub fn pairs(rows: &[PairRow]) -> Table {
    Table::new("pairs")
        .with("doc_id", strings(rows, |row| &row.doc_id))
        .with("clip_id", strings(rows, |row| &row.clip_id))
        .with("group", groups(rows, |row| &row.group))
        .with("words_per_minute", optional(rows, |row| row.words_per_minute))
}

/// `correlations`, by text feature, then sound feature.
#[must_use]
pub fn correlations(rows: &[Correlation]) -> Table {
    with_correlations(Table::new("correlations"), rows)
        .with("bca_low", measured(rows, |found| found.bca.map(|ends| ends.0)))
        .with("bca_high", measured(rows, |found| found.bca.map(|ends| ends.1)))
        .with_tested(rows, ["partial", "partial_p", "partial_q"], |found| &found.partial)
        .with_tested(rows, ["distance_correlation", "distance_p", "distance_q"], |found| {
            &found.distance_correlation
        })
        .with_tested(rows, ["mutual_information", "information_p", "information_q"], |found| {
            &found.mutual_information
        })
        .with(
            "sampled_n",
            Column::OptU64(
                rows.iter()
                    .map(|row| row.dependence.as_ref().map(|found| u64::from(found.sampled)))
                    .collect(),
            ),
        )
        .with("pearson_low", optional(rows, |row| row.pearson_low))
        .with("pearson_high", optional(rows, |row| row.pearson_high))
        .with("pearson_p", optional(rows, |row| row.pearson_p))
        .with("pearson_q", optional(rows, |row| row.pearson_q))
        .with("pearson_bca_low", measured(rows, |found| found.pearson_bca.map(|ends| ends.0)))
        .with("pearson_bca_high", measured(rows, |found| found.pearson_bca.map(|ends| ends.1)))
        .with("partial_low", measured(rows, |found| found.partial.interval.map(|ends| ends.0)))
        .with("partial_high", measured(rows, |found| found.partial.interval.map(|ends| ends.1)))
        .with("distance_low", measured(rows, |found| found.distance_correlation.interval.map(|ends| ends.0)))
        .with("distance_high", measured(rows, |found| found.distance_correlation.interval.map(|ends| ends.1)))
        .with("information_low", measured(rows, |found| found.mutual_information.interval.map(|ends| ends.0)))
        .with(
            "information_high",
            measured(rows, |found| found.mutual_information.interval.map(|ends| ends.1)),
        )
}

/// `group_correlations`: as `correlations`, of the means of groups.
#[must_use]
pub fn group_correlations(rows: &[Correlation]) -> Table {
    with_correlations(Table::new("group_correlations"), rows)
}

/// `word_correlations`: as `correlations`, of words where they were said.
#[must_use]
pub fn word_correlations(rows: &[Correlation]) -> Table {
    with_correlations(Table::new("word_correlations"), rows)
}

fn with_correlations(table: Table, rows: &[Correlation]) -> Table {
    table
        .with("text_feature", strings(rows, |row| &row.text_feature))
        .with("audio_feature", strings(rows, |row| &row.audio_feature))
        .with("n", Column::U32(rows.iter().map(|row| row.n).collect()))
        .with("pearson", optional(rows, |row| row.pearson))
        .with("spearman", optional(rows, |row| row.spearman))
        .with("ci_low", optional(rows, |row| row.ci_low))
        .with("ci_high", optional(rows, |row| row.ci_high))
        .with("p", optional(rows, |row| row.p))
        .with("q", optional(rows, |row| row.q))
}

/// `group_means`, by group, then side, then feature.
#[must_use]
pub fn group_means(rows: &[GroupMean]) -> Table {
    Table::new("group_means")
        .with("group", strings(rows, |row| &row.group))
        .with("side", strings(rows, |row| &row.side))
        .with("feature", strings(rows, |row| &row.feature))
        .with("n", Column::U32(rows.iter().map(|row| row.n).collect()))
        .with("mean", optional(rows, |row| row.mean))
        .with("sd", optional(rows, |row| row.sd))
        .with("ci_low", optional(rows, |row| row.ci_low))
        .with("ci_high", optional(rows, |row| row.ci_high))
        .with("p", optional(rows, |row| row.p))
        .with("q", optional(rows, |row| row.q))
}

/// A column of what only the strongest pairs have.
fn measured(rows: &[Correlation], of: impl Fn(&Dependence) -> Option<f64>) -> Column {
    optional(rows, |row| row.dependence.as_ref().and_then(&of))
}

/// `spaces`
#[must_use]
pub fn spaces(rows: &[SpaceRelation]) -> Table {
    Table::new("spaces")
        .with("text_space", strings(rows, |row| &row.text_space))
        .with("audio_space", strings(rows, |row| &row.audio_space))
        .with("measure", strings(rows, |row| &row.measure))
        .with("estimate", optional(rows, |row| row.estimate))
        .with("null_mean", optional(rows, |row| row.null_mean))
        .with("null_q95", optional(rows, |row| row.null_q95))
        .with("p", optional(rows, |row| row.p))
        .with("q", optional(rows, |row| row.q))
        .with("n", Column::U32(rows.iter().map(|row| row.n).collect()))
        .with("ci_low", optional(rows, |row| row.ci_low))
        .with("ci_high", optional(rows, |row| row.ci_high))
}

/// `predictions`: the sound features predicted from the text features, then the reverse.
#[must_use]
pub fn predictions(rows: &[Prediction]) -> Table {
    Table::new("predictions")
        .with("target", strings(rows, |row| &row.target))
        .with("side", strings(rows, |row| &row.side))
        .with("r2", optional(rows, |row| row.r2))
        .with("null_mean", optional(rows, |row| row.null_mean))
        .with("null_q95", optional(rows, |row| row.null_q95))
        .with("p", optional(rows, |row| row.p))
        .with("q", optional(rows, |row| row.q))
        .with("n", Column::U32(rows.iter().map(|row| row.n).collect()))
        .with("ci_low", optional(rows, |row| row.ci_low))
        .with("ci_high", optional(rows, |row| row.ci_high))
}

/// A part of `words`, by recording, then time.
#[must_use]
pub fn words(rows: &[TimedWordRow]) -> Table {
    let table = Table::new("words")
        .with("doc_id", strings(rows, |row| &row.doc_id))
        .with("clip_id", strings(rows, |row| &row.clip_id))
        .with("word", Column::U32(rows.iter().map(|row| row.word).collect()))
        .with("term_id", Column::OptU32(rows.iter().map(|row| row.term_id).collect()))
        .with("term", strings(rows, |row| &row.term))
        .with("start", Column::F64(rows.iter().map(|row| row.start).collect()))
        .with("end", Column::F64(rows.iter().map(|row| row.end).collect()))
        .with("aligned_by", strings(rows, |row| row.aligned_by))
        .with("surprisal", optional(rows, |row| row.surprisal));
    WORD_CONTOURS.iter().enumerate().fold(table, |table, (i, name)| {
        table.with(*name, optional(rows, |row| row.contours.get(i).copied().flatten()))
    })
}

/// `word_sounds`, the most frequent first, then by term.
#[must_use]
pub fn word_sounds(mut rows: Vec<WordSoundRow>) -> Table {
    rows.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.term.cmp(&b.term)));
    let rows = rows.as_slice();
    let total: u64 = rows.iter().map(|row| row.count).sum();
    let share = |row: &WordSoundRow| Some(row.count as f64 / total as f64);
    let table = Table::new("word_sounds")
        .with("term", strings(rows, |row| &row.term))
        .with("count", Column::U64(rows.iter().map(|row| row.count).collect()))
        .with("frequency", optional(rows, share))
        .with("surprisal", optional(rows, |row| row.surprisal))
        .with("syllables", Column::OptU64(rows.iter().map(|row| row.syllables.map(u64::from)).collect()))
        .with("seconds_mean", optional(rows, |row| row.seconds.0))
        .with("seconds_sd", optional(rows, |row| row.seconds.1));
    let table = WORD_CONTOURS.iter().enumerate().fold(table, |table, (i, name)| {
        let of = |row: &WordSoundRow| row.contours.get(i).copied().unwrap_or_default();
        table
            .with(format!("{name}_mean"), optional(rows, |row| of(row).0))
            .with(format!("{name}_sd"), optional(rows, |row| of(row).1))
            .with(format!("{name}_count"), Column::U64(rows.iter().map(|row| of(row).2).collect()))
    });
    table.with("neighbours", Column::OptStr(rows.iter().map(|row| row.neighbours.clone()).collect()))
}

/// `suspects`, the worst first.
#[must_use]
pub fn suspects(rows: &[SuspectRow]) -> Table {
    Table::new("suspects")
        .with("doc_id", strings(rows, |row| &row.doc_id))
        .with("clip_id", strings(rows, |row| &row.clip_id))
        .with("score", Column::F64(rows.iter().map(|row| row.score).collect()))
        .with("reason", strings(rows, |row| &row.reason))
        .with("explanation", strings(rows, |row| &row.explanation))
}
