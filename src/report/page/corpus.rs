//! The corpus as a whole: the laws that its words follow, phrases, topics, and terms that few documents hold.

use maud::{Markup, html};

use super::data::{Corpus, Dispersed, Law, Phrase, Topic};
use super::table::{Cell, Column, Table};
use super::{Section, block_of, cut_note, number};

const PHRASES_SHOWN: usize = 16;
const TOPICS_SHOWN: usize = 24;
const TERMS_OF_TOPIC: usize = 10;
const DISPERSED_SHOWN: usize = 16;

/// The section, if there is any of it.
pub(super) fn section(corpus: &Corpus) -> Option<Section> {
    if *corpus == Corpus::default() {
        return None;
    }
    let body = html! {
        @if !corpus.topics.is_empty() { (topics(&corpus.topics)) }
        div.columns {
            @if let Some(found) = &corpus.phrases { (phrases(found)) }
            div {
                @if !corpus.laws.is_empty() { (laws(&corpus.laws)) }
                @if !corpus.dispersed.is_empty() { (dispersed(&corpus.dispersed)) }
            }
        }
    };
    Some(Section { id: "corpus", title: "Corpus", body })
}

/// What the laws say, for the summary: `None` where neither could be fitted.
pub(super) fn law_sentence(corpus: &Corpus) -> Option<String> {
    let exponent = |name: &str| {
        corpus.laws.iter().find(|law| law.law == name)?.exponent.filter(|value| value.is_finite())
    };
    let zipf = exponent("zipf").map(|s| {
        format!(
            "the word of rank r occurs about r to the power of −{} times as often as the first (Zipf)",
            number::decimal(s, 2)
        )
    });
    let heaps = exponent("heaps").map(|beta| {
        format!(
            "different words grow with the number of words to the power of {} (Heaps)",
            number::decimal(beta, 2)
        )
    });
    let said: Vec<String> = zipf.into_iter().chain(heaps).collect();
    (!said.is_empty()).then(|| {
        let mut sentence = said.join("; ");
        if let Some(first) = sentence.get_mut(..1) {
            first.make_ascii_uppercase();
        }
        sentence + "."
    })
}

fn laws(laws: &[Law]) -> Markup {
    let columns = [
        Column::text("Law"),
        Column::number("Exponent"),
        Column::number("Constant"),
        Column::number("R²"),
        Column::number("Points"),
    ];
    let name = |law: &str| match law {
        "zipf" => "Zipf: times by rank",
        "heaps" => "Heaps: different words by words",
        _ => number::ABSENT,
    };
    let rows = laws.iter().map(|law| {
        vec![
            Cell::text(name(&law.law)),
            Cell::number(law.exponent, |value| number::decimal(value, 2)),
            Cell::number(law.constant, |value| number::decimal(value, 1)),
            Cell::number(law.r2, |value| number::decimal(value, 3)),
            Cell::count(law.points),
        ]
    });
    let table = Table { label: "Laws of words", columns: &columns, rows: rows.collect() }.render();
    block_of(
        "laws.parquet",
        "Laws of words",
        &table,
        &html! {
            "Lines through the logarithms. Zipf: constant by rank to the power of −exponent; most languages have about 1. Heaps: constant by the number of words to the power of the exponent, a point after each document; R² near 1 is a good line."
        },
    )
}

fn phrases(found: &[Phrase]) -> Markup {
    let columns = [Column::text("Phrase"), Column::number("Times"), Column::number("Score")];
    let rows = found.iter().take(PHRASES_SHOWN).map(|phrase| {
        vec![
            Cell::text(&phrase.phrase),
            Cell::count(phrase.count),
            Cell::number(Some(phrase.score), |score| number::decimal(score, 2)),
        ]
    });
    let body = if found.is_empty() {
        html! { p.nothing { "No words stand together often enough to be one." } }
    } else {
        Table { label: "Phrases", columns: &columns, rows: rows.collect() }.render()
    };
    block_of(
        "phrases.parquet",
        "Phrases",
        &body,
        &html! {
            (cut_note(PHRASES_SHOWN, found.len()).unwrap_or_default())
            "Words that stand together so often that they are one, by the score that word2vec's phrases have."
        },
    )
}

fn topics(found: &[Topic]) -> Markup {
    let columns = [
        Column::number("Topic"),
        Column::number("Value"),
        Column::number("Share"),
        Column::text("Terms that count most"),
    ];
    let rows = found.iter().take(TOPICS_SHOWN).enumerate().map(|(at, topic)| {
        let terms = html! {
            span.near {
                @for (term, weight) in topic.terms.iter().take(TERMS_OF_TOPIC) {
                    span { bdi { (number::clean(term, 40)) } " " small { (number::correlation(*weight)) } } " "
                }
            }
        };
        vec![
            Cell::count(at as u64),
            Cell::number(Some(topic.singular_value), |value| number::decimal(value, 2)),
            Cell::number(topic.explained_share, |share| format!("{} %", number::decimal(share * 100.0, 1))),
            Cell::markup(terms),
        ]
    });
    let table = Table { label: "Topics", columns: &columns, rows: rows.collect() }.render();
    block_of(
        "topics.parquet",
        "Topics",
        &table,
        &html! {
            (cut_note(TOPICS_SHOWN, found.len()).unwrap_or_default())
            "Directions in which the documents' words differ most (latent semantic analysis): terms of one sign stand together, against those of the other. The first is usually what all documents share; the share is that of the variance."
        },
    )
}

fn dispersed(found: &[Dispersed]) -> Markup {
    let columns = [
        Column::text("Term"),
        Column::number("Documents"),
        Column::number("Juilland’s D"),
        Column::number("DP norm"),
    ];
    let rows = found.iter().take(DISPERSED_SHOWN).map(|term| {
        let two = |value| number::decimal(value, 2);
        vec![
            Cell::text(&term.term),
            Cell::count(term.documents),
            Cell::number(term.juilland_d, two),
            Cell::number(term.gries_dp_norm, two),
        ]
    });
    let table =
        Table { label: "Frequent terms of few documents", columns: &columns, rows: rows.collect() }.render();
    block_of(
        "dispersion.parquet",
        "Frequent terms of few documents",
        &table,
        &html! {
            "Of the most frequent terms those that the documents share least evenly: D is 1 where all use a term alike and 0 where one has it alone, DP the reverse."
        },
    )
}
