//! The tables of the contract: rows of the field into named columns. Further columns go into reports/README.md, a line each.

use super::parquet::{Column, Table};
use crate::audio::formants::FORMANTS;
use crate::audio::{FrameColumns, Spectrogram};
use crate::compare::correlations::Correlation;
use crate::compare::spaces::SpaceRelation;
use crate::corpus::{Quarantined, Warned};
use crate::text::bag_of_words::TermRows;
use crate::text::collocations::Collocation;
use crate::text::document::DocumentStatistics;
use crate::text::embeddings::evaluation::Score;
use crate::text::embeddings::{EpochRecord, NgramVectors};
use crate::text::keyness::Keyness;
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
    /// The group that the id names.
    pub group: Option<String>,
    /// Bytes after decompression.
    pub bytes: u64,
    /// Unicode scalar values of the text.
    pub chars: u64,
    /// `None` where the tokens stage does not run.
    pub statistics: Option<DocumentStatistics>,
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

/// The numeric columns of `documents` that are held against sound.
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
        let Some(s) = &self.statistics else { return [None; TEXT_FEATURES.len()] };
        let count = |n: u64| Some(n as f64);
        let (ratios, reading) = ([s.ttr, s.mattr, s.mtld, s.yule_k], [s.mean_word_len, s.flesch, s.ari]);
        let [ttr, mattr, mtld, yule_k] = ratios;
        let [mean_word_len, flesch, ari] = reading;
        let counts = [count(s.chars), count(s.tokens), count(s.types), count(s.sentences)];
        let [chars, tokens, types, sentences] = counts;
        [chars, tokens, types, sentences, ttr, mattr, mtld, yule_k, mean_word_len, flesch, ari]
    }
}

fn strings<T>(rows: &[T], of: impl Fn(&T) -> &str) -> Column {
    Column::Str(rows.iter().map(|row| of(row).to_owned()).collect())
}

fn groups<T>(rows: &[T], of: impl Fn(&T) -> &Option<String>) -> Column {
    Column::OptStr(rows.iter().map(|row| of(row).clone()).collect())
}

fn optional<T>(rows: &[T], of: impl Fn(&T) -> Option<f64>) -> Column {
    Column::OptF64(rows.iter().map(of).collect())
}

/// `documents`, by `doc_id`.
#[must_use]
pub fn documents(rows: &[DocumentRow]) -> Table {
    let count = |of: fn(&DocumentStatistics) -> u64| {
        Column::OptU64(rows.iter().map(|row| row.statistics.as_ref().map(of)).collect())
    };
    let ratio = |of: fn(&DocumentStatistics) -> Option<f64>| {
        optional(rows, |row| row.statistics.as_ref().and_then(of))
    };
    let language = rows.iter().map(|row| row.statistics.as_ref().and_then(|s| s.language.clone())).collect();
    Table::new("documents")
        .with("doc_id", strings(rows, |row| &row.doc_id))
        .with("source", strings(rows, |row| &row.source))
        .with("blake3", strings(rows, |row| &row.blake3))
        .with("group", groups(rows, |row| &row.group))
        .with("bytes", Column::U64(rows.iter().map(|row| row.bytes).collect()))
        .with("language", Column::OptStr(language))
        .with("chars", Column::U64(rows.iter().map(|row| row.chars).collect()))
        .with("tokens", count(|s| s.tokens))
        .with("types", count(|s| s.types))
        .with("sentences", count(|s| s.sentences))
        .with("ttr", ratio(|s| s.ttr))
        .with("mattr", ratio(|s| s.mattr))
        .with("mtld", ratio(|s| s.mtld))
        .with("yule_k", ratio(|s| s.yule_k))
        .with("mean_word_len", ratio(|s| s.mean_word_len))
        .with("flesch", ratio(|s| s.flesch))
        .with("ari", ratio(|s| s.ari))
}

/// `vocabulary`, by `term_id`; `idf` in the same order.
#[must_use]
pub fn vocabulary(vocabulary: &Vocabulary, idf: &[f64]) -> Table {
    Table::new("vocabulary")
        .with("term_id", Column::U32((0..vocabulary.terms().len() as u32).collect()))
        .with("term", Column::Str(vocabulary.terms().iter().map(str::to_owned).collect()))
        .with("df", Column::U32(vocabulary.df().to_vec()))
        .with("cf", Column::U64(vocabulary.cf().to_vec()))
        .with("idf", Column::F64(idf.to_vec()))
}

/// A part of `terms`; `doc_ids` are those of the shard's documents.
#[must_use]
pub fn terms(rows: TermRows, doc_ids: &[&str]) -> Table {
    let id = |&document: &u32| (*doc_ids.get(document as usize).unwrap_or(&"")).to_owned();
    Table::new("terms")
        .with("doc_id", Column::Str(rows.documents.iter().map(id).collect()))
        .with("term_id", Column::U32(rows.term_ids))
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
        .with("log_ratio", optional(rows, |row| row.log_ratio))
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
    Table::new("correlations")
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
        .with("n", Column::U32(rows.iter().map(|row| row.n).collect()))
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
