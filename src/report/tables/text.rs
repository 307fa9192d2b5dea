//! The tables of documents, words and their vectors.

use std::ops::Range;
use std::sync::Arc;

use super::super::parquet::{Column, Table};
use super::{groups, optional, strings};
use crate::corpus::Digest;
use crate::text::Interner;
use crate::text::bag_of_words::{TermRows, Weights};
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
    pub doc_id: Arc<str>,
    /// Path relative to the glob's literal folder.
    pub source: Arc<str>,
    /// Hash of the file, or of the part of it.
    pub blake3: Digest,
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
    /// How many tokens each of these documents has.
    lengths: Vec<u32>,
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
        self.tokens.push(self.terms.intern(token));
        self.starts.push(place(span.start));
        self.ends.push(place(span.end));
    }

    /// Takes back all rows but the first `len`.
    pub fn truncate(&mut self, len: usize) {
        for column in [&mut self.positions, &mut self.tokens, &mut self.starts, &mut self.ends] {
            column.truncate(len);
        }
    }

    /// The document at hand ends; this is its id.
    pub fn end_document(&mut self, doc_id: String) {
        self.doc_ids.push(doc_id);
        self.lengths.push((self.len() - self.document) as u32);
        self.document = self.len();
    }
}

/// A part of `tokens`: in the order of the documents, then of the text.
#[must_use]
pub fn tokens(rows: TokenRows) -> Table {
    let tokens: Vec<String> = rows.terms.terms().iter().map(str::to_owned).collect();
    Table::new("tokens")
        .with(
            "doc_id",
            Column::Runs { values: rows.doc_ids.iter().map(String::as_str).collect(), lengths: rows.lengths },
        )
        .with("position", Column::Rising(rows.positions))
        .with("token", Column::Repeated { values: tokens, places: rows.tokens })
        .with("start", Column::Rising(rows.starts))
        .with("end", Column::Rising(rows.ends))
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

/// `documents`, by `doc_id`; `keep` are the names of the values that rows carry along.
#[must_use]
pub fn documents(rows: &[DocumentRow], keep: &[String]) -> Table {
    let measured = rows.iter().any(|row| row.statistics.is_some());
    let count = |of: fn(&DocumentStatistics) -> u64| {
        if !measured {
            return Column::NoU64(rows.len());
        }
        Column::OptU64(rows.iter().map(|row| row.statistics.as_deref().map(of)).collect())
    };
    let ratio = |of: fn(&DocumentStatistics) -> Option<f64>| {
        if !measured {
            return Column::NoF64(rows.len());
        }
        optional(rows, |row| row.statistics.as_deref().and_then(of))
    };
    let language = rows.iter().map(|row| row.statistics.as_ref().and_then(|s| s.language.clone())).collect();
    let fixed = Table::new("documents")
        .with("doc_id", Column::Distinct(rows.iter().map(|row| &*row.doc_id).collect()))
        .with("source", Column::Shared(rows.iter().map(|row| Arc::clone(&row.source)).collect()))
        .with("blake3", Column::Digests(rows.iter().map(|row| row.blake3).collect()))
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
        .with("term_id", Column::Rising((0..vocabulary.terms().len() as u32).collect()))
        .with("term", Column::Distinct(vocabulary.terms().clone()))
        .with("df", Column::U32(vocabulary.df().to_vec()))
        .with("cf", Column::U64(vocabulary.cf().to_vec()))
        .with("idf", Column::F64(idf.to_vec()))
}

/// A part of `terms`; `doc_ids` are those of the shard's documents.
#[must_use]
pub fn terms<'i>(rows: TermRows, doc_ids: impl Iterator<Item = &'i str>) -> Table {
    let (counts, weights) = counts_and_weights(rows.counts, rows.weights);
    Table::new("terms")
        .with("doc_id", Column::Runs { values: doc_ids.collect(), lengths: rows.lengths })
        .with("term_id", Column::Rising(rows.term_ids))
        .with("count", counts)
        .with("weight", weights)
}

/// Counts and weights of terms in documents: counts by the distinct ones among them, of which there are few, and weights so too where
/// they follow from the counts or are whole numbers.
fn counts_and_weights(counts: Vec<u32>, weights: Weights) -> (Column, Column) {
    let counts = match distinct(&counts) {
        Some((values, places)) => Column::FewU32 { values, places: Arc::new(places) },
        None => Column::U32(counts),
    };
    let weights = match (&counts, weights) {
        (Column::FewU32 { values, places }, of_count @ Weights::OfCount(_)) => {
            Column::FewF32 { values: of_count.of(values).into_owned(), places: Arc::clone(places) }
        }
        (Column::U32(counts), of_count @ Weights::OfCount(_)) => {
            Column::DenseF32(of_count.of(counts).into_owned())
        }
        (_, weights) => {
            let weights = weights.of(&[]).into_owned();
            match whole(&weights).and_then(|whole| distinct(&whole)) {
                Some((values, places)) => {
                    let values = values.into_iter().map(|value| signed(value) as f32).collect();
                    Column::FewF32 { values, places: Arc::new(places) }
                }
                None => Column::DenseF32(weights),
            }
        }
    };
    (counts, weights)
}

/// Weights that are whole numbers and not great, as hashed columns have them, the signs beside them: 0, -1, 1, -2 and so on become 0, 1,
/// 2, 3. `None` where any is not.
fn whole(weights: &[f32]) -> Option<Vec<u32>> {
    const MOST: f32 = 32_768.0;
    let number = |&weight: &f32| {
        let number = (weight.abs() < MOST && weight.fract() == 0.0).then_some(weight as i32)?;
        Some((number << 1 ^ number >> 31).cast_unsigned())
    };
    weights.iter().map(number).collect()
}

/// What [`whole`] made of a weight.
fn signed(number: u32) -> i32 {
    (number >> 1).cast_signed() ^ -(number & 1).cast_signed()
}

/// The distinct ones among `numbers`, rising, and the place of each number among them. `None` where they are so great, or so many, that
/// they are better written as they are.
fn distinct(numbers: &[u32]) -> Option<(Vec<u32>, Vec<u16>)> {
    // No less than the greatest.
    let bits = numbers.iter().fold(0, |bits, &number| bits | number);
    let most = u16::try_from(bits).ok()?;
    let mut place_of: Box<[u16; 1 << u16::BITS]> = vec![0; 1 << u16::BITS].try_into().ok()?;
    numbers.iter().for_each(|&number| place_of[usize::from(number as u16)] = 1);
    let found = (0..=most).filter(|&number| place_of[usize::from(number)] > 0);
    let values: Vec<u16> = found.collect();
    if values.len() > usize::from(u16::MAX) {
        return None;
    }
    values.iter().zip(0..).for_each(|(&number, place)| place_of[usize::from(number)] = place);
    let places = numbers.iter().map(|&number| place_of[usize::from(number as u16)]).collect();
    Some((values.into_iter().map(u32::from).collect(), places))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_weights_are_written_by_their_values() {
        let weights = vec![1.0, -1.0, 0.0, 300.0, -300.0, 1.0];
        let (counts, column) = counts_and_weights(vec![1, 1, 2, 300, 300, 1], Weights::Each(weights.clone()));
        let Column::FewF32 { values, places } = column else { panic!("{column:?}") };
        let read: Vec<f32> = places.iter().map(|&place| values[usize::from(place)]).collect();
        assert_eq!(read, weights);
        let Column::FewU32 { values, places } = counts else { panic!("{counts:?}") };
        assert_eq!((values, &**places), (vec![1, 2, 300], &[0, 0, 1, 2, 2, 0][..]));
        for other in [0.5, f32::NAN, 40_000.0] {
            let (_, column) = counts_and_weights(vec![1, 1], Weights::Each(vec![1.0, other]));
            assert!(matches!(column, Column::DenseF32(_)), "{column:?}");
        }
    }
}
