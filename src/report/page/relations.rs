//! Words and voices: the heat map of correlations, the strongest of them one by one, and whole spaces compared.

use maud::{Markup, html};

use super::data::{Prediction, Relation, Relations, Scatter, Space};
use super::heat_map::HeatMaps;
use super::strength::by_strength;
use super::table::{Cell, Column, Table};
use super::{SCATTERS_SHOWN, Section, block, cut_note, feature, mark, number, scatter};

/// Rows of the table of relations.
const RELATIONS_SHOWN: usize = 40;

/// The section; says so where nothing could be compared.
pub(super) fn section(relations: &Relations) -> Section {
    let maps = HeatMaps::of(&relations.relations);
    let plots: Vec<(&Scatter, Markup)> = relations
        .scatters
        .iter()
        .filter_map(|plot| Some((plot, scatter::svg(plot)?)))
        .take(SCATTERS_SHOWN)
        .collect();
    let body = html! {
        @if relations.relations.is_empty() { p.nothing { "No document could be compared with a recording." } }
        @else {
            p.method { (method(relations)) }
            (heat_maps(&maps))
            (strongest(&relations.relations))
        }
        @if !plots.is_empty() { (scatters(&plots, &relations.relations)) }
        @if !relations.spaces.is_empty() { (spaces(&relations.spaces)) }
        @if !relations.predictions.is_empty() { (predictions(&relations.predictions)) }
        @if !relations.suspects.is_empty() { (suspects(relations)) }
    };
    Section { id: "relations", title: "Words and voices", body }
}

fn method(relations: &Relations) -> String {
    let (within, meaning) = if relations.within_groups {
        (
            " within groups",
            " So p and q ask whether the two go together within a group (usually one speaker), while ρ is over all pairs: \
             a small ρ may be significant, and a large one that only tells the groups apart is not.",
        )
    } else {
        ("", "")
    };
    format!(
        "Over {}, every feature of the text was held against every feature of the recording: rank correlation (Spearman's ρ), \
         its 95 % interval from {} resamplings, its p from {} permutations{within}, and q, which allows for the number of relations tested.{meaning}",
        number::counted(relations.pairs, "pair", "pairs"),
        number::count(relations.bootstrap),
        number::count(relations.permutations),
    )
}

fn heat_maps(maps: &HeatMaps<'_>) -> Markup {
    let narrow: usize = maps.narrow.iter().map(|map| map.columns.len()).sum();
    html! {
        @if !maps.main.columns.is_empty() {
            (block("All relations at a glance", &html! { (maps.scale()) (maps.render(&maps.main, "Correlations of text features and sound features")) }, &html! {
                "A row is a feature of the text, a column one of the sound. Orange: both rise together; blue: one falls as the other rises; the stronger the colour, the closer the relation. "
                "Outlined cells with a number are significant (q < 0.05). Point at a cell, or move through them with the arrow keys, for its interval, p, q and n."
                @if maps.left_out > 0 { " For room " (number::counted(maps.left_out as u64, "feature is", "features are")) " left out; the correlations table has them all." }
            }))
        }
        @if !maps.narrow.is_empty() {
            details {
                summary { "The same for cepstral coefficients and mel bands (" (number::counted(narrow as u64, "column", "columns")) ")" }
                p.method { "Columns are numbered from low to high; colours are those of the map above, and a dot marks q < 0.05." }
                div.maps {
                    @for map in &maps.narrow {
                        @let title = feature::family_title(&map.family);
                        div.block { h4 { (title) } (maps.render(map, &format!("Correlations with {title}"))) }
                    }
                }
            }
        }
    }
}

fn strongest(relations: &[Relation]) -> Markup {
    let columns = [
        Column::text("Text feature"),
        Column::text("Sound feature"),
        Column::number("ρ"),
        Column::text(""),
        Column::number("from"),
        Column::number("to"),
        Column::number("Pearson"),
        Column::number("p"),
        Column::number("q"),
        Column::number("n"),
    ];
    let sorted = by_strength(relations);
    let rows = sorted.iter().take(RELATIONS_SHOWN).map(|relation| {
        let rho = relation.rho().unwrap_or(0.0);
        vec![
            named(&relation.text_feature),
            named(&relation.audio_feature),
            Cell::number(Some(rho), number::correlation),
            Cell::markup(mark::interval(rho, relation.ci_low.zip(relation.ci_high))),
            Cell::number(relation.ci_low, number::correlation),
            Cell::number(relation.ci_high, number::correlation),
            Cell::number(relation.pearson, number::correlation),
            Cell::number(relation.p, number::probability),
            Cell::number(relation.q, number::probability),
            Cell::count(relation.n),
        ]
    });
    let table = Table { label: "Strongest relations", columns: &columns, rows: rows.collect() }.render();
    block(
        "Strongest relations",
        &table,
        &html! {
            (cut_note(RELATIONS_SHOWN, sorted.len()).unwrap_or_default())
            "Significant ones first, then by size. The dot is ρ and the line its 95 % interval, from −1 at the left over 0 (stroke) to +1; an interval that crosses the stroke leaves the direction open."
        },
    )
}

/// A column's name with its meaning in small letters.
fn named(column: &str) -> Cell {
    Cell::markup(html! {
        code { bdi { (number::clean(column, 40)) } }
        @if let Some(meaning) = feature::meaning(column) { small.meaning { (meaning) } }
    })
}

fn scatters(plots: &[(&Scatter, Markup)], relations: &[Relation]) -> Markup {
    let cards = html! {
        div.columns.three {
            @for (plot, picture) in plots {
                div.card {
                    h4.sentence { (scatter::heading(plot)) }
                    (picture)
                    @if let Some(relation) = relations.iter().find(|r| r.text_feature == plot.text_feature && r.audio_feature == plot.audio_feature) {
                        p.aside { (in_short(relation)) }
                    }
                }
            }
        }
    };
    block(
        "The strongest, pair by pair",
        &cards,
        &html! {
            "A dot is a document with its recording. The line is the least-squares fit, the band holds the mean with 95 % confidence. No feature stands in more than two plots, so that they do not all show the same."
        },
    )
}

fn in_short(relation: &Relation) -> String {
    format!(
        "ρ = {}, {}, n = {}",
        number::optional(relation.rho(), number::correlation),
        number::probability_of('q', relation.q),
        number::count(relation.n)
    )
}

fn predictions(predictions: &[Prediction]) -> Markup {
    let columns = [
        Column::text("Feature"),
        Column::number("Predicted"),
        Column::text(""),
        Column::number("By chance"),
        Column::number("Chance, 95 %"),
        Column::number("q"),
        Column::number("n"),
    ];
    let shown = |value: f64| number::decimal(value, 3);
    let rows = predictions.iter().map(|row| {
        let chance = row.r2.zip(row.null_mean.zip(row.null_q95));
        let picture =
            chance.map_or_else(|| html! {}, |(r2, (mean, q95))| mark::against_chance(r2, mean, q95));
        vec![
            named(&row.target),
            Cell::number(row.r2, shown),
            Cell::markup(picture),
            Cell::number(row.null_mean, shown),
            Cell::number(row.null_q95, shown),
            Cell::number(row.q, number::probability),
            Cell::count(row.n),
        ]
    });
    let table =
        Table { label: "What the other side predicts", columns: &columns, rows: rows.collect() }.render();
    block(
        "What the other side predicts",
        &table,
        &html! {
            "How much of a feature's variance all features of the other side predict, on pairs that were not learnt from (R² of ridge regression): 1 is all, 0 no more than the mean. The bar is what shuffled pairs give."
        },
    )
}

fn suspects(relations: &Relations) -> Markup {
    let columns =
        [Column::text("Document"), Column::text("Recording"), Column::number("Score"), Column::text("Why")];
    let rows = relations.suspects.iter().map(|row| {
        vec![
            Cell::code(&row.doc_id),
            Cell::code(&row.clip_id),
            Cell::number(Some(row.score), |score| number::decimal(score, 1)),
            Cell::text(&row.explanation),
        ]
    });
    let table = Table { label: "Listen to these first", columns: &columns, rows: rows.collect() }.render();
    block(
        "Listen to these first",
        &table,
        &html! {
            (cut_note(relations.suspects.len(), relations.all_suspects as usize).unwrap_or_default())
            "Pairs whose words and sound fit worst: a wrong transcript, a cut recording, or somebody who speaks unlike the others. The score counts robust standard deviations from what pairs are like; from 5 on it is rarely chance."
        },
    )
}

fn spaces(spaces: &[Space]) -> Markup {
    let columns = [
        Column::text("Measure"),
        Column::text("Words as"),
        Column::text("Voices as"),
        Column::number("Estimate"),
        Column::text(""),
        Column::number("By chance"),
        Column::number("Chance, 95 %"),
        Column::number("p"),
        Column::number("n"),
    ];
    let shown = |value: f64| number::decimal(value, 3);
    let rows = spaces.iter().map(|space| {
        let chance = space.null_mean.zip(space.null_q95);
        let picture = space
            .estimate
            .zip(chance)
            .map_or_else(|| html! {}, |(estimate, (mean, q95))| mark::against_chance(estimate, mean, q95));
        vec![
            measure(&space.measure),
            Cell::code(&space.text_space),
            Cell::code(&space.audio_space),
            Cell::number(space.estimate, shown),
            Cell::markup(picture),
            Cell::number(space.null_mean, shown),
            Cell::number(space.null_q95, shown),
            Cell::number(space.p, number::probability),
            Cell::count(space.n),
        ]
    });
    let table = Table { label: "Whole spaces compared", columns: &columns, rows: rows.collect() }.render();
    block(
        "Whole spaces compared",
        &table,
        &html! {
            "Do documents that are alike in words have recordings that are alike in sound? The dot is the measure, the bar what shuffled pairs give, from their mean to their 95 % quantile: a dot beyond the bar is more than chance."
        },
    )
}

fn measure(name: &str) -> Cell {
    let (short, long) = match name {
        "cka" => ("CKA", "shared structure, 0 to 1"),
        "rsa" => ("RSA", "agreement of distances, −1 to 1"),
        "cca" => ("CCA", "largest shared direction, 0 to 1"),
        "recall_at_1" => ("Recall at 1", "right partner found first"),
        "recall_at_5" => ("Recall at 5", "right partner among five"),
        "ami" => ("AMI", "agreement of clusters, 0 by chance, 1 at most"),
        "recall_at_10" => ("Recall at 10", "right partner among ten"),
        "mrr" => ("MRR", "mean reciprocal rank"),
        other => return Cell::text(other),
    };
    Cell::markup(html! { (short) small.meaning { (long) } })
}
