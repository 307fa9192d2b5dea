//! Words: frequent terms, terms that set a group apart, terms that stand together, near duplicates, and what
//! the word vectors say.

use maud::{Markup, html};

use super::data::{Collocation, Duplicate, Embeddings, Keyness, TopTerm, Words};
use super::table::{Cell, Column, Table};
use super::{Section, block_of, cut_note, number, word_map};

/// Rows of the tables of terms.
const TERMS_SHOWN: usize = 26;
const KEY_TERMS_SHOWN: usize = 12;
const PAIRS_SHOWN: usize = 12;
const NEIGHBOURS_SHOWN: usize = 24;
/// Neighbours shown for a word.
const NEAR_SHOWN: usize = 8;

/// The section, if there is any statistics of words.
pub(super) fn section(words: &Words) -> Option<Section> {
    if *words == Words::default() {
        return None;
    }
    let body = html! {
        div.columns {
            @if !words.top_terms.is_empty() { (top_terms(&words.top_terms)) }
            div {
                @if let Some(found) = &words.keyness { (keyness(found)) }
                @if !words.collocations.is_empty() { (collocations(&words.collocations)) }
            }
        }
        @if let Some(found) = &words.duplicates { (duplicates(found)) }
        @if let Some(vectors) = &words.embeddings { (embeddings(vectors)) }
    };
    Some(Section { id: "words", title: "Words", body })
}

fn top_terms(terms: &[TopTerm]) -> Markup {
    let columns = [
        Column::text("Term"),
        Column::text(""),
        Column::number("Times"),
        Column::number("Documents"),
        Column::number("idf"),
    ];
    let largest = terms.iter().map(|term| term.cf).max().unwrap_or(0) as f64;
    let rows = terms.iter().take(TERMS_SHOWN).map(|term| {
        vec![
            Cell::text(&term.term),
            Cell::bar(term.cf as f64, largest),
            Cell::count(term.cf),
            Cell::count(term.df),
            Cell::number(Some(term.idf), |idf| number::decimal(idf, 2)),
        ]
    });
    let table = Table { label: "Frequent terms", columns: &columns, rows: rows.collect() }.render();
    block_of(
        "vocabulary.parquet",
        "Frequent terms",
        &table,
        &html! {
            (cut_note(TERMS_SHOWN, terms.len()).unwrap_or_default())
            "How often a term occurs, and in how many documents. A high idf marks a term of few documents."
        },
    )
}

fn keyness(found: &Keyness) -> Markup {
    let columns = [
        Column::text("Term"),
        Column::number("Here"),
        Column::number("Elsewhere"),
        Column::number("Log ratio"),
        Column::number("G²"),
        Column::number("q"),
    ];
    let rows = found.terms.iter().take(KEY_TERMS_SHOWN).map(|term| {
        vec![
            Cell::text(&term.term),
            Cell::count(term.target_count),
            Cell::count(term.reference_count),
            Cell::number(Some(term.log_ratio), number::correlation),
            Cell::number(Some(term.g2), |g2| number::decimal(g2, 1)),
            Cell::number(Some(term.q), number::probability),
        ]
    });
    let title = format!("What sets “{}” apart", number::clean(&found.target, 40));
    let table = Table { label: &title, columns: &columns, rows: rows.collect() }.render();
    block_of(
        "keyness.parquet",
        &title,
        &table,
        &html! {
            (cut_note(KEY_TERMS_SHOWN, found.terms.len()).unwrap_or_default())
            "Terms whose frequency differs most from the other groups. A log ratio of +1 means twice as frequent here, −1 half as frequent; q is p corrected for the number of terms."
        },
    )
}

fn collocations(pairs: &[Collocation]) -> Markup {
    let columns =
        [Column::text("Pair"), Column::number("Times"), Column::number("NPMI"), Column::number("G²")];
    let rows = pairs.iter().take(PAIRS_SHOWN).map(|pair| {
        vec![
            Cell::markup(html! { bdi { (number::clean(&pair.first, 40)) } " " bdi { (number::clean(&pair.second, 40)) } }),
            Cell::count(pair.count),
            Cell::number(Some(pair.npmi), number::correlation),
            Cell::number(Some(pair.g2), |g2| number::decimal(g2, 1)),
        ]
    });
    let table = Table { label: "Words that go together", columns: &columns, rows: rows.collect() }.render();
    block_of(
        "collocations.parquet",
        "Words that go together",
        &table,
        &html! {
            (cut_note(PAIRS_SHOWN, pairs.len()).unwrap_or_default())
            "NPMI is 0 for a pair as frequent as chance and +1 for words never apart; G² says how sure that is."
        },
    )
}

fn duplicates(pairs: &[Duplicate]) -> Markup {
    let columns = [Column::text("Document"), Column::text("is nearly"), Column::number("Jaccard")];
    let rows = pairs.iter().take(PAIRS_SHOWN).map(|pair| {
        vec![
            Cell::code(&pair.doc_id_a),
            Cell::code(&pair.doc_id_b),
            Cell::number(Some(pair.jaccard), |share| number::decimal(share, 2)),
        ]
    });
    let body = if pairs.is_empty() {
        html! { p.nothing { "No two documents are nearly the same." } }
    } else {
        Table { label: "Near duplicates", columns: &columns, rows: rows.collect() }.render()
    };
    block_of(
        "duplicates.parquet",
        "Near duplicates",
        &body,
        &html! {
            (cut_note(PAIRS_SHOWN, pairs.len()).unwrap_or_default())
            "The Jaccard share is the part of their word sequences that two documents have in common; 1 is the same text."
        },
    )
}

fn embeddings(vectors: &Embeddings) -> Markup {
    let size = format!(
        "{} with {} dimensions each",
        number::counted(vectors.words, "word", "words"),
        number::count(vectors.dims)
    );
    html! {
        @if let Some(map) = word_map::svg(&vectors.map, |word| [word.x, word.y]) {
            (block_of("embeddings.parquet", "Map of words", &html! { div.scroll role="region" aria-label="Map of words" tabindex="0" { (map) } }, &html! {
                "Words used in similar surroundings lie close together. The picture is the plane in which the vectors (" (size) ") differ most"
                @if let Some((first, second)) = vectors.map_variance {
                    ": it carries " (number::decimal((first + second) * 100.0, 0)) " % of the variance, so near words here may be far apart in truth"
                }
                ". A larger dot is a more frequent word; a dot without room for its label is pale and named on hover."
            }))
        }
        @if let Some(map) = word_map::svg(&vectors.map, |word| word.near) {
            (block_of("embeddings.parquet", "Map of neighbours", &html! { div.scroll role="region" aria-label="Map of neighbours" tabindex="0" { (map) } }, &html! {
                "The same words, laid out so that each stands beside those that are used most like it (t-SNE). Clusters mean something; the distance between clusters, and on which side one lies, do not."
            }))
        }
        @if !vectors.neighbours.is_empty() { (neighbours(vectors)) }
    }
}

fn neighbours(vectors: &Embeddings) -> Markup {
    let columns = [Column::text("Word"), Column::number("Times"), Column::text("Nearest words")];
    let rows = vectors.neighbours.iter().take(NEIGHBOURS_SHOWN).map(|word| {
        let near = html! {
            span.near {
                @for (term, cosine) in word.near.iter().take(NEAR_SHOWN) {
                    span { bdi { (number::clean(term, 40)) } " " small { (number::decimal(*cosine, 2)) } } " "
                }
            }
        };
        vec![Cell::text(&word.term), Cell::count(word.count), Cell::markup(near)]
    });
    let table =
        Table { label: "Neighbours of frequent words", columns: &columns, rows: rows.collect() }.render();
    block_of(
        "embeddings.parquet",
        "Neighbours of frequent words",
        &table,
        &html! {
            (cut_note(NEIGHBOURS_SHOWN, vectors.neighbours.len()).unwrap_or_default())
            "The words nearest to a word with the cosine of their vectors: 1 is the same direction, 0 unrelated. From few words, neighbours are mostly chance."
        },
    )
}
