//! How to read the page: a sentence for each notion that stands on it, and where the tables are.

use maud::{Markup, html};

use super::data::ReportData;
use super::table::{Cell, Column, Table};
use super::{Section, number};

/// The section; always there.
pub(super) fn section(data: &ReportData) -> Section {
    let body = html! {
        dl.guide { @for (name, meaning) in notions(data) { dt { (name) } dd { (meaning) } } }
        @if !data.tables.is_empty() { (tables(data)) }
    };
    Section { id: "guide", title: "How to read this page", body }
}

fn notions(data: &ReportData) -> Vec<(&'static str, &'static str)> {
    let mut notions = Vec::new();
    if data.words.is_some() {
        notions.extend(WORDS);
    }
    if data.words.as_ref().is_some_and(|words| words.embeddings.is_some()) {
        notions.extend(VECTORS);
    }
    if data.sound.is_some() {
        notions.extend(SOUND);
    }
    if data.relations.is_some() {
        notions.extend(RELATIONS);
    }
    notions.push(("Quarantine", "Inputs that could not be used; they count nowhere on this page."));
    notions
}

const WORDS: [(&str, &str); 4] = [
    (
        "Term",
        "A distinct word (or sequence of words) after the job's settings for case, stop words and stemming.",
    ),
    ("idf", "Inverse document frequency: the rarer a term among the documents, the higher."),
    ("Log ratio", "How many times a term's relative frequency doubles from the other groups to this one."),
    (
        "G² and NPMI",
        "G² weighs the evidence that a difference is not chance; NPMI measures how firmly two words hold together.",
    ),
];

const VECTORS: [(&str, &str); 1] =
    [("Cosine", "Nearness of two word vectors: words in similar surroundings point the same way.")];

const SOUND: [(&str, &str); 3] = [
    (
        "Mean and variation",
        "A feature is measured in short frames; its mean and standard deviation over a recording are the recording's values.",
    ),
    (
        "Mel band",
        "A band of frequencies as wide as hearing resolves: narrow in the low range, wide in the high.",
    ),
    ("Pitch (f0)", "Vibrations of the vocal folds a second, in Hz, measured where the voice sounds."),
];

const RELATIONS: [(&str, &str); 5] = [
    (
        "ρ (rho)",
        "Spearman's rank correlation: +1 if two features rank the items alike, −1 if in reverse, 0 if neither tells of the other.",
    ),
    (
        "95 % interval",
        "The range in which an estimate lies with some certainty: a narrow one is a sure one. That of ρ is what resampled corpora give.",
    ),
    ("p", "Share of shuffled corpora whose relation is at least as strong."),
    (
        "q",
        "p corrected for the number of relations tested: of all relations with q < 0.05, at most about one in twenty is expected to be chance.",
    ),
    (
        "Relation",
        "Not a cause. Features that grow with length go together because longer texts take longer to say.",
    ),
];

fn tables(data: &ReportData) -> Markup {
    let columns = [Column::text("Table"), Column::number("Rows"), Column::text("A row is")];
    let rows = data.tables.iter().map(|table| {
        vec![Cell::code(&table.file), Cell::count(table.rows), Cell::text(row_meaning(&table.file))]
    });
    html! {
        div.block {
            h3 { "The tables" }
            figure {
                (Table { label: "Tables of this run", columns: &columns, rows: rows.collect() }.render())
                figcaption {
                    "Everything on this page, and more, stands in Parquet tables in the folder of this page; pandas, polars, DuckDB and Spark read them as they are."
                }
            }
        }
    }
}

fn row_meaning(file: &str) -> &'static str {
    match file.trim_end_matches('/').trim_end_matches(".parquet") {
        "documents" => "a document with its features",
        "vocabulary" => "a term",
        "terms" => "a term in a document",
        "tokens" => "a token of a text",
        "collocations" => "a pair of terms that stand together",
        "keyness" => "a term held against the other groups",
        "laws" => "a law of words, fitted",
        "dispersion" => "a term and how evenly documents share it",
        "phrases" => "words that are one",
        "topics" => "a term of a topic",
        "document_topics" => "a document among the topics",
        "duplicates" => "a pair of nearly equal documents",
        "embeddings" => "a word with its vector",
        "clips" => "a recording with its features",
        "frames" => "a frame of a recording",
        "spectrograms" => "a frame of a spectrogram",
        "pairs" => "a document with its recording",
        "correlations" => "a text feature with a sound feature",
        "spaces" => "two representations of the same items",
        "predictions" => "how well a feature of one side is predicted from the other",
        "group_means" => "a feature of a group's recordings and texts",
        "group_correlations" => "a text feature with a sound feature, over the means of groups",
        "word_correlations" => "a feature of words with one of how they were said",
        "words" => "a word where it was said",
        "word_sounds" => "a word with how it sounds wherever it was said",
        "sound_vocabulary" => "an entry of the codebook of sound",
        "sound_terms" => "an entry of the codebook in a recording",
        "sound_collocations" => "a pair of entries of the codebook",
        "sound_embeddings" => "an entry of the codebook with its vector",
        "suspects" => "pairs whose words and sound fit worst: listen to these first",
        "warnings" => "an input used in part",
        "quarantine" => "an input that could not be used",
        _ => number::ABSENT,
    }
}
