//! Words and voices: the heat map of correlations, the strongest of them one by one, and whole spaces compared.

use maud::{Markup, html};

use super::data::{Prediction, Relation, Relations, Scatter, Space, Spectrogram};
use super::heat_map::HeatMaps;
use super::strength::by_strength;
use super::table::{Cell, Column, Table};
use super::{SCATTERS_SHOWN, Section, block_of, cut_note, feature, mark, number, picture, scatter, sound};

/// Rows of the table of relations.
const RELATIONS_SHOWN: usize = 40;
const GROUP_RELATIONS_SHOWN: usize = 20;

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
        @if !relations.word_relations.is_empty() { (between_words(&relations.word_relations)) }
        @if relations.group_relations.iter().any(|relation| relation.rho().is_some()) { (between_groups(&relations.group_relations)) }
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
            (block_of("correlations.parquet", "All relations at a glance", &html! { (maps.scale()) (maps.render(&maps.main, "Correlations of text features and sound features")) }, &html! {
                "A row is a feature of the text, a column one of the sound; those with like correlations stand side by side. Orange: both rise together; blue: one falls as the other rises; the stronger the colour, the closer the relation. "
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
    let all = by_strength(relations).len();
    block_of(
        "correlations.parquet",
        "Strongest relations",
        &relation_table("Strongest relations", relations, RELATIONS_SHOWN),
        &html! {
            (cut_note(RELATIONS_SHOWN, all).unwrap_or_default())
            "Significant ones first, then by size. The dot is ρ and the line its 95 % interval, from −1 at the left over 0 (stroke) to +1; an interval that crosses the stroke leaves the direction open."
        },
    )
}

/// The relations of words where they were said.
fn between_words(relations: &[Relation]) -> Markup {
    block_of(
        "word_correlations.parquet",
        "Words where they were said",
        &relation_table("Words where they were said", relations, RELATIONS_SHOWN),
        &html! {
            "Every word of the recordings is an item: how rare and how long it is, and where in the recording, against how long, high and loud it was said. p and q allow a word to change places within its recording alone, so that neither speakers nor recordings are told apart. Pitch and level that fall with the place of the word are declination. Where the words were placed by wordwave itself and not by a file, their length leans on their letters and syllables: that these go together is then no finding."
        },
    )
}

/// The relations of the means of groups.
fn between_groups(relations: &[Relation]) -> Markup {
    let all = by_strength(relations).len();
    block_of(
        "group_correlations.parquet",
        "Between groups",
        &relation_table("Relations between groups", relations, GROUP_RELATIONS_SHOWN),
        &html! {
            (cut_note(GROUP_RELATIONS_SHOWN, all).unwrap_or_default())
            "Here a group (usually a speaker) is one item, with the means of its features: do speakers of longer texts speak louder? Few groups leave wide intervals."
        },
    )
}

fn relation_table(label: &str, relations: &[Relation], most: usize) -> Markup {
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
    let rows = sorted.iter().take(most).map(|relation| {
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
    Table { label, columns: &columns, rows: rows.collect() }.render()
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
    block_of(
        "correlations.parquet",
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
        Column::number("p"),
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
            Cell::estimate(row.r2, row.ci_low.zip(row.ci_high), shown),
            Cell::markup(picture),
            Cell::number(row.null_mean, shown),
            Cell::number(row.null_q95, shown),
            Cell::number(row.p, number::probability),
            Cell::number(row.q, number::probability),
            Cell::count(row.n),
        ]
    });
    let table =
        Table { label: "What the other side predicts", columns: &columns, rows: rows.collect() }.render();
    block_of(
        "predictions.parquet",
        "What the other side predicts",
        &table,
        &html! {
            "How much of a feature's variance all features of the other side predict, on pairs that were not learnt from (R² of ridge regression): 1 is all, 0 no more than the mean. The small numbers are the 95 % interval; the bar is what shuffled pairs give."
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
    let pictures: Vec<(&Spectrogram, Markup)> = relations
        .suspect_pictures
        .iter()
        .filter_map(|spectrogram| Some((spectrogram, picture::figure(spectrogram)?)))
        .collect();
    block_of(
        "suspects.parquet",
        "Listen to these first",
        &html! { @if !pictures.is_empty() { (sound::cards(&pictures)) } (table) },
        &html! {
            (cut_note(relations.suspects.len(), relations.all_suspects as usize).unwrap_or_default())
            "Pairs whose words and sound fit worst: a wrong transcript, a cut recording, or somebody who speaks unlike the others. The score counts robust standard deviations from what pairs are like; from 5 on it is rarely chance. The pictures show the worst of the short ones, with the text that they were given."
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
        Column::number("q"),
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
            Cell::estimate(space.estimate, space.ci_low.zip(space.ci_high), shown),
            Cell::markup(picture),
            Cell::number(space.null_mean, shown),
            Cell::number(space.null_q95, shown),
            Cell::number(space.p, number::probability),
            Cell::number(space.q, number::probability),
            Cell::count(space.n),
        ]
    });
    let table = Table { label: "Whole spaces compared", columns: &columns, rows: rows.collect() }.render();
    block_of(
        "spaces.parquet",
        "Whole spaces compared",
        &table,
        &html! {
            "Do documents that are alike in words have recordings that are alike in sound? The dot is the measure (small: its 95 % interval), the bar what shuffled pairs give, from their mean to their 95 % quantile: a dot beyond the bar is more than chance."
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
