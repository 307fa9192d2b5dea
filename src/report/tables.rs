//! The tables of the contract: rows of the field into named columns. Further columns go into reports/README.md, a line each.

use std::ops::Range;

use super::parquet::{Column, Table};
use crate::audio::formants::FORMANTS;
use crate::audio::{FrameColumns, Spectrogram};
use crate::compare::correlations::Correlation;
use crate::compare::dependence::{Dependence, Tested};
use crate::compare::group_means::GroupMean;
use crate::compare::predictions::Prediction;
use crate::compare::spaces::SpaceRelation;
use crate::corpus::{Quarantined, Warned};
use crate::text::Interner;
use crate::text::bag_of_words::TermRows;
use crate::text::collocations::Collocation;
use crate::text::dispersion::Dispersion;
use crate::text::document::DocumentStatistics;
use crate::text::embeddings::evaluation::Score;
use crate::text::embeddings::{EpochRecord, NgramVectors};
use crate::text::keyness::Keyness;
use crate::text::laws::Law;
use crate::text::phrases::Phrase;
use crate::text::topics::{Topic, Topics};
use crate::text::vocabulary::Vocabulary;

/// A row of the `documents` table.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct DocumentRow {
    /// Unique in the run.
    pub doc_id: String,
    /// Path relative to the glob's literal folder.
    pub source: String,
    /// Hash of the file, or of the part of it.
    pub blake3: String,
    /// The group that its row or its id names.
    pub group: Option<String>,
    /// Values that its row carries along.
    pub keep: Vec<Option<String>>,
    /// Bytes after decompression.
    pub bytes: u64,
    /// Unicode scalar values of the text.
    pub chars: u64,
    /// `None` where the tokens stage does not run.
    pub tokens: Option<u64>,
    /// `None` where the tokens stage does not run, or the job does not want them.
    pub statistics: Option<Box<DocumentStatistics>>,
}

/// The rows of a part of `tokens`.
#[derive(Debug, Clone, Default)]
pub struct TokenRows {
    doc_ids: Vec<String>,
    documents: Vec<u32>,
    positions: Vec<u32>,
    terms: Interner,
    tokens: Vec<u32>,
    starts: Vec<u32>,
    ends: Vec<u32>,
    /// Where the document at hand begins.
    document: usize,
}

impl TokenRows {
    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.tokens.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.tokens.is_empty()
    }

    /// Adds the next token of the document at hand and its bytes in the text; beyond 4 GiB all are at the end.
    pub fn push(&mut self, token: &str, span: &Range<usize>) {
        let place = |byte: usize| u32::try_from(byte).unwrap_or(u32::MAX);
        self.positions.push((self.len() - self.document) as u32);
        self.documents.push(self.doc_ids.len() as u32);
        self.tokens.push(self.terms.intern(token));
        self.starts.push(place(span.start));
        self.ends.push(place(span.end));
    }

    /// Takes back all rows but the first `len`.
    pub fn truncate(&mut self, len: usize) {
        for column in
            [&mut self.documents, &mut self.positions, &mut self.tokens, &mut self.starts, &mut self.ends]
        {
            column.truncate(len);
        }
    }

    /// The document at hand ends; this is its id.
    pub fn end_document(&mut self, doc_id: String) {
        self.doc_ids.push(doc_id);
        self.document = self.len();
    }
}

/// A part of `tokens`: in the order of the documents, then of the text.
#[must_use]
pub fn tokens(rows: TokenRows) -> Table {
    let tokens: Vec<String> = rows.terms.terms().iter().map(str::to_owned).collect();
    Table::new("tokens")
        .with("doc_id", Column::Repeated { values: rows.doc_ids, places: rows.documents })
        .with("position", Column::Rising(rows.positions))
        .with("token", Column::Repeated { values: tokens, places: rows.tokens })
        .with("start", Column::Rising(rows.starts))
        .with("end", Column::Rising(rows.ends))
}

/// A row of the `clips` table.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct ClipRow {
    /// Unique in the run.
    pub clip_id: String,
    /// Path relative to the glob's literal folder.
    pub source: String,
    /// Hash of the file.
    pub blake3: String,
    /// The group that the id names.
    pub group: Option<String>,
    /// Hz.
    pub file_sample_rate: u32,
    /// Of the file.
    pub channels: u16,
    /// Of a sample in the file, where the format has such.
    pub bits: Option<u16>,
    /// Length of the recording.
    pub seconds: f64,
    /// Frames analysed.
    pub frames: u32,
    /// A value for each feature name of the run.
    pub values: Vec<Option<f64>>,
}

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

/// A word and its vector's place: a row of the `embeddings` table.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct WordRow {
    /// The word.
    pub term: String,
    /// Its occurrences.
    pub count: u64,
}

/// A pair of documents that are nearly the same.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct DuplicateRow {
    /// The document that comes first.
    pub doc_id_a: String,
    /// The other.
    pub doc_id_b: String,
    /// Jaccard similarity of their shingles.
    pub jaccard: f64,
}

/// A term that stands for a topic.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct TopicRow {
    /// From 0, the largest singular value first.
    pub topic: u32,
    /// Of the topic.
    pub singular_value: f64,
    /// The share of the documents' variance that the topic has.
    pub explained_share: Option<f64>,
    /// The term, as in `vocabulary`.
    pub term_id: u32,
    /// The term itself.
    pub term: String,
    /// What it counts in the topic, −1 to 1.
    pub weight: f64,
}

/// The rows of the `topics` table.
#[must_use]
pub fn topic_rows(found: &Topics, vocabulary: &Vocabulary) -> Vec<TopicRow> {
    let of_topic = |(number, topic): (usize, &Topic)| {
        let row = |&(term_id, weight): &(u32, f64)| TopicRow {
            topic: number as u32,
            singular_value: topic.singular_value,
            explained_share: topic.explained_share,
            term_id,
            term: vocabulary.terms().term(term_id).to_owned(),
            weight,
        };
        topic.terms.iter().map(row).collect::<Vec<_>>()
    };
    found.topics.iter().enumerate().flat_map(of_topic).collect()
}

/// The numeric columns of `documents` that are held against sound. Not all: HD-D says what MTLD says, the grade level what
/// the reading ease says, and shares of characters and lines are signals of how a text is set, which no voice has.
pub const TEXT_FEATURES: [&str; 11] = [
    "chars",
    "tokens",
    "types",
    "sentences",
    "ttr",
    "mattr",
    "mtld",
    "yule_k",
    "mean_word_len",
    "flesch",
    "ari",
];

impl DocumentRow {
    /// The values of [`TEXT_FEATURES`].
    #[must_use]
    pub fn features(&self) -> [Option<f64>; TEXT_FEATURES.len()] {
        let count = |n: u64| Some(n as f64);
        let Some(s) = &self.statistics else {
            // Of a document whose words are not looked at nothing is held against sound.
            let tokens = self.tokens.and_then(count);
            let known = [tokens.and_then(|_| count(self.chars)), tokens];
            return std::array::from_fn(|i| known.get(i).copied().flatten());
        };
        let (ratios, reading) = ([s.ttr, s.mattr, s.mtld, s.yule_k], [s.mean_word_len, s.flesch, s.ari]);
        let [ttr, mattr, mtld, yule_k] = ratios;
        let [mean_word_len, flesch, ari] = reading;
        let counts = [count(s.chars), count(s.tokens), count(s.types), count(s.sentences)];
        let [chars, tokens, types, sentences] = counts;
        [chars, tokens, types, sentences, ttr, mattr, mtld, yule_k, mean_word_len, flesch, ari]
    }
}

fn strings<T>(rows: &[T], of: impl Fn(&T) -> &str) -> Column {
    Column::Text(rows.iter().map(of).collect())
}

fn groups<T>(rows: &[T], of: impl Fn(&T) -> &Option<String>) -> Column {
    Column::OptStr(rows.iter().map(|row| of(row).clone()).collect())
}

fn optional<T>(rows: &[T], of: impl Fn(&T) -> Option<f64>) -> Column {
    Column::OptF64(rows.iter().map(of).collect())
}

/// `documents`, by `doc_id`; `keep` are the names of the values that rows carry along.
#[must_use]
pub fn documents(rows: &[DocumentRow], keep: &[String]) -> Table {
    let count = |of: fn(&DocumentStatistics) -> u64| {
        Column::OptU64(rows.iter().map(|row| row.statistics.as_deref().map(of)).collect())
    };
    let ratio = |of: fn(&DocumentStatistics) -> Option<f64>| {
        optional(rows, |row| row.statistics.as_deref().and_then(of))
    };
    let language = rows.iter().map(|row| row.statistics.as_ref().and_then(|s| s.language.clone())).collect();
    let fixed = Table::new("documents")
        .with("doc_id", strings(rows, |row| &row.doc_id))
        .with("source", strings(rows, |row| &row.source))
        .with("blake3", strings(rows, |row| &row.blake3))
        .with("group", groups(rows, |row| &row.group))
        .with("bytes", Column::U64(rows.iter().map(|row| row.bytes).collect()))
        .with("language", Column::OptStr(language))
        .with("chars", Column::U64(rows.iter().map(|row| row.chars).collect()))
        .with("tokens", Column::OptU64(rows.iter().map(|row| row.tokens).collect()))
        .with("types", count(|s| s.types))
        .with("sentences", count(|s| s.sentences))
        .with("ttr", ratio(|s| s.ttr))
        .with("mattr", ratio(|s| s.mattr))
        .with("mtld", ratio(|s| s.mtld))
        .with("hdd", ratio(|s| s.hdd))
        .with("yule_k", ratio(|s| s.yule_k))
        .with("mean_word_len", ratio(|s| s.mean_word_len))
        .with("flesch", ratio(|s| s.flesch))
        .with("flesch_kincaid", ratio(|s| s.flesch_kincaid))
        .with("ari", ratio(|s| s.ari))
        .with("digit_share", ratio(|s| s.digit_share))
        .with("punctuation_share", ratio(|s| s.punctuation_share))
        .with("upper_share", ratio(|s| s.upper_share))
        .with("repeated_line_share", ratio(|s| s.repeated_line_share))
        .with("repeated_line_char_share", ratio(|s| s.repeated_line_char_share));
    keep.iter().enumerate().fold(fixed, |table, (i, name)| {
        table.with(name, Column::OptStr(rows.iter().map(|row| row.keep.get(i).cloned().flatten()).collect()))
    })
}

/// `vocabulary`, by `term_id`; `idf` in the same order.
#[must_use]
pub fn vocabulary(vocabulary: &Vocabulary, idf: &[f64]) -> Table {
    Table::new("vocabulary")
        .with("term_id", Column::U32((0..vocabulary.terms().len() as u32).collect()))
        .with("term", Column::Text(vocabulary.terms().clone()))
        .with("df", Column::U32(vocabulary.df().to_vec()))
        .with("cf", Column::U64(vocabulary.cf().to_vec()))
        .with("idf", Column::F64(idf.to_vec()))
}

/// A part of `terms`; `doc_ids` are those of the shard's documents.
#[must_use]
pub fn terms(rows: TermRows, doc_ids: &[&str]) -> Table {
    let values = doc_ids.iter().map(|id| (*id).to_owned()).collect();
    Table::new("terms")
        .with("doc_id", Column::Repeated { values, places: rows.documents })
        .with("term_id", Column::Rising(rows.term_ids))
        .with("count", Column::U32(rows.counts))
        .with("weight", Column::F32(rows.weights))
}

/// `collocations`, the strongest first.
#[must_use]
pub fn collocations(rows: &[Collocation]) -> Table {
    Table::new("collocations")
        .with("first", strings(rows, |row| &row.first))
        .with("second", strings(rows, |row| &row.second))
        .with("count", Column::U64(rows.iter().map(|row| row.count).collect()))
        .with("pmi", optional(rows, |row| Some(row.pmi)))
        .with("npmi", optional(rows, |row| row.npmi))
        .with("g2", optional(rows, |row| Some(row.g2)))
        .with("z", optional(rows, |row| Some(row.z)))
}

/// `keyness`, the most telling first.
#[must_use]
pub fn keyness(rows: &[Keyness]) -> Table {
    Table::new("keyness")
        .with("term", strings(rows, |row| &row.term))
        .with("target_count", Column::U64(rows.iter().map(|row| row.target_count).collect()))
        .with("reference_count", Column::U64(rows.iter().map(|row| row.reference_count).collect()))
        .with("g2", optional(rows, |row| Some(row.g2)))
        .with("chi2", optional(rows, |row| Some(row.chi2)))
        .with("p", optional(rows, |row| Some(row.p)))
        .with("q", optional(rows, |row| Some(row.q)))
        .with("log_ratio", optional(rows, |row| row.log_ratio))
}

/// `laws`, a law a row.
#[must_use]
pub fn laws(rows: &[Law]) -> Table {
    Table::new("laws")
        .with("law", strings(rows, |row| &row.law))
        .with("exponent", optional(rows, |row| row.exponent))
        .with("constant", optional(rows, |row| row.constant))
        .with("r2", optional(rows, |row| row.r2))
        .with("n", Column::U64(rows.iter().map(|row| row.points).collect()))
}

/// `dispersion`, in the order of the vocabulary.
#[must_use]
pub fn dispersion(rows: &[Dispersion]) -> Table {
    Table::new("dispersion")
        .with("term", strings(rows, |row| &row.term))
        .with("documents", Column::U32(rows.iter().map(|row| row.documents).collect()))
        .with("juilland_d", optional(rows, |row| row.juilland_d))
        .with("gries_dp", Column::F64(rows.iter().map(|row| row.gries_dp).collect()))
        .with("gries_dp_norm", optional(rows, |row| row.gries_dp_norm))
}

/// `phrases`, the highest score first.
#[must_use]
pub fn phrases(rows: &[Phrase]) -> Table {
    Table::new("phrases")
        .with("phrase", strings(rows, |row| &row.phrase))
        .with("count", Column::U64(rows.iter().map(|row| row.count).collect()))
        .with("score", Column::F64(rows.iter().map(|row| row.score).collect()))
}

/// `topics`, by topic, then by what a term counts in it.
#[must_use]
pub fn topics(rows: &[TopicRow]) -> Table {
    Table::new("topics")
        .with("topic", Column::U32(rows.iter().map(|row| row.topic).collect()))
        .with("singular_value", Column::F64(rows.iter().map(|row| row.singular_value).collect()))
        .with("explained_share", optional(rows, |row| row.explained_share))
        .with("term_id", Column::U32(rows.iter().map(|row| row.term_id).collect()))
        .with("term", strings(rows, |row| &row.term))
        .with("weight", Column::F64(rows.iter().map(|row| row.weight).collect()))
}

/// `document_topics`, by `doc_id`; `vectors` are row-major, `topics` numbers a document.
#[must_use]
pub fn document_topics(rows: &[DocumentRow], vectors: Vec<f32>, topics: usize) -> Table {
    Table::new("document_topics")
        .with("doc_id", strings(rows, |row| &row.doc_id))
        .with("vector", Column::ArrayF32 { values: vectors, width: topics })
}

/// `duplicates`, by both ids.
#[must_use]
pub fn duplicates(rows: &[DuplicateRow]) -> Table {
    Table::new("duplicates")
        .with("doc_id_a", strings(rows, |row| &row.doc_id_a))
        .with("doc_id_b", strings(rows, |row| &row.doc_id_b))
        .with("jaccard", optional(rows, |row| Some(row.jaccard)))
}

/// `embeddings`; `vectors` are row-major, `dims` numbers a word.
#[must_use]
pub fn embeddings(rows: &[WordRow], vectors: &[f32], dims: usize) -> Table {
    Table::new("embeddings")
        .with("term_id", Column::U32((0..rows.len() as u32).collect()))
        .with("term", strings(rows, |row| &row.term))
        .with("count", Column::U64(rows.iter().map(|row| row.count).collect()))
        .with("vector", Column::ArrayF32 { values: vectors.to_vec(), width: dims })
}

/// `subwords`, by `bucket`.
#[must_use]
pub fn subwords(ngrams: &NgramVectors) -> Table {
    let vectors = ngrams.vectors();
    Table::new("subwords")
        .with("bucket", Column::U32(ngrams.buckets().to_vec()))
        .with("vector", Column::ArrayF32 { values: vectors.vectors().to_vec(), width: vectors.dims() })
}

/// `training`, by `epoch`.
#[must_use]
pub fn training(rows: &[EpochRecord]) -> Table {
    Table::new("training")
        .with("epoch", Column::U32(rows.iter().map(|row| row.epoch).collect()))
        .with("tokens", Column::U64(rows.iter().map(|row| row.tokens).collect()))
        .with("alpha", Column::F64(rows.iter().map(|row| row.alpha).collect()))
        .with("loss", optional(rows, |row| row.loss))
}

/// `neighbours`, by `term_id` and `rank`; `near` has the nearest words of each of `words`.
#[must_use]
pub fn neighbours(words: &[WordRow], near: &[Vec<(usize, f32)>]) -> Table {
    let rows = || {
        let of_word = |(word, near): (usize, &'_ Vec<(usize, f32)>)| {
            let ranked = near.iter().copied().zip(1_u32..);
            ranked.map(|((other, cosine), rank)| (word, rank, other, cosine)).collect::<Vec<_>>()
        };
        near.iter().enumerate().flat_map(of_word)
    };
    let term = |word: usize| words.get(word).map(|row| row.term.clone()).unwrap_or_default();
    Table::new("neighbours")
        .with("term_id", Column::U32(rows().map(|row| row.0 as u32).collect()))
        .with("term", Column::Str(rows().map(|row| term(row.0)).collect()))
        .with("rank", Column::U32(rows().map(|row| row.1).collect()))
        .with("neighbour_id", Column::U32(rows().map(|row| row.2 as u32).collect()))
        .with("neighbour", Column::Str(rows().map(|row| term(row.2)).collect()))
        .with("cosine", Column::F32(rows().map(|row| row.3).collect()))
}

/// `document_vectors`, by `doc_id`: the documents that have one.
#[must_use]
pub fn document_vectors(rows: &[(&str, &[f64])], dims: usize) -> Table {
    let values = rows.iter().flat_map(|(_, vector)| vector.iter().map(|&value| value as f32)).collect();
    Table::new("document_vectors")
        .with("doc_id", strings(rows, |row| row.0))
        .with("vector", Column::ArrayF32 { values, width: dims })
}

/// `evaluation`: a word set, or a section of one.
#[must_use]
pub fn evaluation(rows: &[Score]) -> Table {
    Table::new("evaluation")
        .with("set", strings(rows, |row| &row.set))
        .with("section", strings(rows, |row| &row.section))
        .with("measure", strings(rows, |row| row.measure))
        .with("questions", Column::U64(rows.iter().map(|row| row.questions).collect()))
        .with("used", Column::U64(rows.iter().map(|row| row.used).collect()))
        .with("coverage", Column::F64(rows.iter().map(Score::coverage).collect()))
        .with("estimate", optional(rows, |row| row.estimate))
        .with("ci_low", optional(rows, |row| row.ci_low))
        .with("ci_high", optional(rows, |row| row.ci_high))
}

/// `clips`, by `clip_id`; `names` are those of the rows' values.
#[must_use]
pub fn clips(rows: &[ClipRow], names: &[String]) -> Table {
    let fixed = Table::new("clips")
        .with("clip_id", strings(rows, |row| &row.clip_id))
        .with("source", strings(rows, |row| &row.source))
        .with("blake3", strings(rows, |row| &row.blake3))
        .with("group", groups(rows, |row| &row.group))
        .with("file_sample_rate", Column::U32(rows.iter().map(|row| row.file_sample_rate).collect()))
        .with("channels", Column::U16(rows.iter().map(|row| row.channels).collect()))
        .with("bits", Column::OptU16(rows.iter().map(|row| row.bits).collect()))
        .with("seconds", Column::F64(rows.iter().map(|row| row.seconds).collect()))
        .with("frames", Column::U32(rows.iter().map(|row| row.frames).collect()));
    names.iter().enumerate().fold(fixed, |table, (i, name)| {
        table.with(name, optional(rows, |row| row.values.get(i).copied().flatten()))
    })
}

/// A part of `frames`: the frames of several clips, with `mfcc` coefficients and, where they are asked for, formants.
#[must_use]
pub fn frames(clips: &[(&str, &FrameColumns)], mfcc: usize, formants: bool) -> Table {
    let lengths = || clips.iter().map(|(id, columns)| (*id, columns.seconds.len()));
    let values = |of: fn(&FrameColumns) -> &Vec<f32>| {
        // A set of features that was not asked for has no values: nulls, not a shorter column.
        let column = clips.iter().flat_map(|(_, columns)| {
            let values = of(columns);
            (0..columns.seconds.len()).map(move |frame| values.get(frame).copied())
        });
        Column::OptF32(column.collect())
    };
    let pitch = clips.iter().flat_map(|(_, columns)| {
        (0..columns.seconds.len()).map(|frame| columns.f0_hz.get(frame).copied().flatten())
    });
    Table::new("frames")
        .with(
            "clip_id",
            Column::Str(lengths().flat_map(|(id, n)| std::iter::repeat_n(id.to_owned(), n)).collect()),
        )
        .with("frame", Column::U32(lengths().flat_map(|(_, n)| 0..n as u32).collect()))
        .with(
            "seconds",
            Column::F64(clips.iter().flat_map(|(_, columns)| columns.seconds.iter().copied()).collect()),
        )
        .with("rms_db", values(|columns| &columns.rms_db))
        .with("zcr", values(|columns| &columns.zcr))
        .with("centroid_hz", values(|columns| &columns.centroid_hz))
        .with("bandwidth_hz", values(|columns| &columns.bandwidth_hz))
        .with("rolloff_hz", values(|columns| &columns.rolloff_hz))
        .with("flatness", values(|columns| &columns.flatness))
        .with("flux", values(|columns| &columns.flux))
        .with("f0_hz", Column::OptF32(pitch.collect()))
        .with("voiced", values(|columns| &columns.voiced))
        .with_formants(clips, formants)
        .with_mfcc(clips, mfcc)
}

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

    fn with_formants(mut self, clips: &[(&str, &FrameColumns)], asked: bool) -> Self {
        for i in 0..if asked { FORMANTS } else { 0 } {
            let values = clips.iter().flat_map(|(_, columns)| columns.formants_hz[i].iter().copied());
            self = self.with(format!("f{}_hz", i + 1), Column::OptF32(values.collect()));
        }
        self
    }

    fn with_mfcc(self, clips: &[(&str, &FrameColumns)], width: usize) -> Self {
        if width == 0 {
            return self;
        }
        let values = clips.iter().flat_map(|(_, columns)| columns.mfcc.iter().copied()).collect();
        self.with("mfcc", Column::ArrayF32 { values, width })
    }
}

/// A part of `spectrograms`: the matrices of several clips, a frame a row.
#[must_use]
pub fn spectrograms(clips: &[(&str, &Spectrogram)], bands: usize, unit: &str) -> Table {
    let lengths = || clips.iter().map(|(id, spectrogram)| (*id, spectrogram.frames));
    let values = clips.iter().flat_map(|(_, spectrogram)| spectrogram.values.iter().copied()).collect();
    let mut table = Table::new("spectrograms")
        .with(
            "clip_id",
            Column::Str(lengths().flat_map(|(id, n)| std::iter::repeat_n(id.to_owned(), n)).collect()),
        )
        .with("frame", Column::U32(lengths().flat_map(|(_, n)| 0..n as u32).collect()))
        .with("values", Column::ArrayF32 { values, width: bands });
    table.notes.push(("unit", unit.to_owned()));
    table
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

/// `warnings`, by source.
#[must_use]
pub fn warnings(rows: &[Warned]) -> Table {
    Table::new("warnings")
        .with("source", strings(rows, |row| &row.source))
        .with("stage", strings(rows, |row| row.stage.name()))
        .with("code", strings(rows, |row| &row.code))
        .with("reason", strings(rows, |row| &row.reason))
}

/// `quarantine`, by source.
#[must_use]
pub fn quarantine(rows: &[Quarantined]) -> Table {
    Table::new("quarantine")
        .with("source", strings(rows, |row| &row.source))
        .with("stage", strings(rows, |row| row.stage.name()))
        .with("code", strings(rows, |row| &row.code))
        .with("reason", strings(rows, |row| &row.reason))
        .with("byte_offset", Column::OptU64(rows.iter().map(|row| row.byte_offset).collect()))
        .with("command", Column::Str(rows.iter().map(Quarantined::command).collect()))
}
