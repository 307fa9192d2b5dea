//! The page of what two runs differ in.

use maud::{Markup, html};

use super::table::{Cell, Column, Table};
use super::{Section, block, cut_note, feature, number, whole};
use crate::compare::contrasts::Contrast;
use crate::compare::drift::Drift;
use crate::compare::shift::Shift;
use crate::report::difference::{
    Difference, ItemChanges, List, Mix, Part, Row, RunIdentity, TermCount, TermShift, Tested,
};

/// Rows of a table, names of a list.
const ROWS: usize = 100;
const NAMES: usize = 60;

/// The whole page as HTML: like the report, it opens offline and bears no date of its own.
#[must_use]
pub fn render(found: &Difference) -> String {
    let sections = vec![
        Section { id: "summary", title: "Summary", body: summary(found) },
        Section { id: "inputs", title: "Inputs and vocabulary", body: inputs(found) },
        Section { id: "words", title: "Words", body: words(found) },
        Section { id: "sound", title: "Sound and groups", body: sound(found) },
        Section { id: "relations", title: "Relations", body: relations(found) },
        Section { id: "guide", title: "How to read this page", body: guide(found) },
    ];
    let heading = format!("{} → {}", found.a.run_id, found.b.run_id);
    let version = number::clean(&found.b.wordwave, 30);
    let footer = html! { footer { p { "Made by wordwave " (version) " from two runs; the same two give the same page." } } };
    whole("wordwave difference", &heading, &sections, &footer)
}

fn summary(found: &Difference) -> Markup {
    let findings = number::counted(found.findings, "finding", "findings");
    html! {
        div.lead {
            p { strong { (findings) }
                @if found.over_threshold { ": more than accepted." } @else { ": within what is accepted." }
            }
            @if !found.notes.is_empty() { ul { @for note in &found.notes { li { (number::clean(note, 240)) } } } }
        }
        div.columns {
            (run("Run A", &found.a))
            (run("Run B", &found.b))
        }
        (parts(found))
        (counts(found))
    }
}

fn run(title: &str, of: &RunIdentity) -> Markup {
    html! {
        div.block {
            h3 { (title) }
            p { code { (number::clean(&of.folder, 240)) } }
            p.aside {
                "job " (number::clean(&of.job, 80)) ", settings " code { (number::clean(&of.config_hash, 16)) }
                ", wordwave " (number::clean(&of.wordwave, 30))
            }
        }
    }
}

/// A row for each part, tested or not.
fn parts(found: &Difference) -> Markup {
    type Line = (Part, u64, u64, Option<f64>, Option<f64>);
    fn line<T>(part: Option<&Tested<T>>) -> Option<Line> {
        part.map(|part| (part.part, part.tested, part.findings, part.p, part.q))
    }
    let lines = [
        line(found.words.as_ref()),
        line(found.drift.as_ref()),
        line(found.sound.as_ref()),
        line(found.groups.as_ref()),
        line(found.relations.as_ref()),
    ];
    let rows = lines.into_iter().flatten().map(|(part, tested, findings, p, q)| {
        vec![
            Cell::code(part.name()),
            Cell::count(tested),
            Cell::count(findings),
            Cell::number(p, number::probability),
            Cell::number(q, number::probability),
        ]
    });
    let columns = [
        Column::text("Part"),
        Column::number("Tested"),
        Column::number("Findings"),
        Column::number("p that anything differs"),
        Column::number("q over all parts"),
    ];
    let table = Table { label: "Parts", columns: &columns, rows: rows.collect() }.render();
    let skipped = html! {
        @for skipped in &found.skipped {
            (skipped.part) " was not compared: " (number::clean(&skipped.reason, 240)) ". "
        }
    };
    block("What was tested", &table, &skipped)
}

fn counts(found: &Difference) -> Markup {
    let rows = found.counts.iter().map(|count| {
        let digits = usize::from(count.name == "seconds");
        vec![
            Cell::text(count.name),
            Cell::number(Some(count.a), |n| number::decimal(n, digits)),
            Cell::number(Some(count.b), |n| number::decimal(n, digits)),
            Cell::number(Some(count.b - count.a), |n| number::decimal(n, digits)),
        ]
    });
    let columns =
        [Column::text("Count"), Column::number("A"), Column::number("B"), Column::number("B less A")];
    let table = Table { label: "Counts", columns: &columns, rows: rows.collect() }.render();
    block("Counts", &table, &html! { "As the runs recorded them." })
}

fn inputs(found: &Difference) -> Markup {
    html! {
        div.columns {
            @if let Some(changes) = &found.documents { (items("Documents", changes)) }
            @if let Some(changes) = &found.clips { (items("Recordings", changes)) }
        }
        @if let Some(terms) = &found.vocabulary {
            div.columns {
                (term_counts("Terms gained", &terms.gained))
                (term_counts("Terms lost", &terms.lost))
            }
            p { "Both runs have " (number::counted(terms.shared, "term", "terms")) " in common (table " code { (terms.table) } ")." }
        }
    }
}

fn items(title: &str, changes: &ItemChanges) -> Markup {
    let list = |what: &str, ids: &List<String>| {
        html! {
            @if ids.count > 0 {
                h4 { (what) ": " (number::count(ids.count)) }
                p { @for id in ids.first.iter().take(NAMES) { code { bdi { (number::clean(id, 80)) } } " " }
                    @if ids.count > NAMES as u64 { "…" } }
            }
        }
    };
    html! {
        div.block {
            h3 { (title) }
            p { (number::count(changes.same)) " the same in both, by id and content." }
            (list("Gained", &changes.gained)) (list("Lost", &changes.lost)) (list("Changed", &changes.changed))
        }
    }
}

fn term_counts(title: &str, terms: &List<TermCount>) -> Markup {
    let rows =
        terms.first.iter().take(NAMES).map(|term| vec![Cell::text(&term.term), Cell::count(term.count)]);
    let columns = [Column::text("Term"), Column::number("Times")];
    let table = Table { label: title, columns: &columns, rows: rows.collect() }.render();
    block(
        title,
        &table,
        &html! { (cut_note(NAMES, terms.count as usize).unwrap_or_default()) "The most frequent first." },
    )
}

/// A part as a table, or nothing where it was not tested.
fn part<T>(
    title: &str,
    of: Option<&Tested<T>>,
    columns: &[Column],
    cells: fn(&T) -> Vec<Cell>,
    how_to_read: &str,
) -> Markup {
    let Some(of) = of else { return html! {} };
    let row = |row: &Row<T>| {
        let mut cells = cells(&row.of);
        cells.push(Cell::text(if row.finding { "finding" } else { "" }));
        cells
    };
    let rows: Vec<Vec<Cell>> = of.rows.first.iter().take(ROWS).map(row).collect();
    let body = html! {
        @if rows.is_empty() { p.nothing { "Nothing to show." } }
        @else { (Table { label: title, columns, rows }.render()) }
    };
    block(
        title,
        &body,
        &html! {
            (cut_note(ROWS, of.rows.count as usize).unwrap_or_default())
            span.sentence { (number::clean(&of.compared, 400)) } ". " (how_to_read)
        },
    )
}

fn words(found: &Difference) -> Markup {
    let frequencies = [
        Column::text("Term"),
        Column::number("A"),
        Column::number("B"),
        Column::number("Log ratio"),
        Column::number("G²"),
        Column::number("z"),
        Column::number("p"),
        Column::number("q"),
        Column::text("Beyond the threshold"),
    ];
    let vectors = [
        Column::text("Word"),
        Column::number("A"),
        Column::number("B"),
        Column::number("Distance"),
        Column::number("As frequent"),
        Column::number("Neighbours kept"),
        Column::number("p"),
        Column::number("q"),
        Column::text("Beyond the threshold"),
    ];
    html! {
        (part("Frequencies of terms", found.words.as_ref(), &frequencies, |row: &TermShift| vec![
            Cell::text(&row.term), Cell::count(row.reference_count), Cell::count(row.target_count),
            Cell::number(row.log_ratio, number::correlation), Cell::number(Some(row.g2), |g2| number::decimal(g2, 1)),
            Cell::number(row.z, number::correlation), Cell::number(row.p, number::probability),
            Cell::number(row.q, number::probability),
        ], "A log ratio of +1 means twice as frequent in B. p takes documents for the draws, not tokens: a word that one document repeats is no change."))
        (part("Drift of word vectors", found.drift.as_ref(), &vectors, |row: &Drift| vec![
            Cell::text(&row.term), Cell::count(row.counts.0), Cell::count(row.counts.1),
            Cell::number(Some(row.distance), |d| number::decimal(d, 3)),
            Cell::number(Some(row.floor), |d| number::decimal(d, 3)),
            Cell::count(row.kept_neighbours as u64), Cell::number(row.p, number::probability),
            Cell::number(row.q, number::probability),
        ], "Cosine distance after the best rotation, beside the median of words as frequent: the noise of two trainings. A drift of most words at once cannot be seen here."))
        @if found.words.is_none() && found.drift.is_none() { p.nothing { "Nothing of words could be compared." } }
    }
}

fn sound(found: &Difference) -> Markup {
    let features = [
        Column::text("Feature"),
        Column::text("Meaning"),
        Column::number("Mean in A"),
        Column::number("Mean in B"),
        Column::number("Hedges’ g"),
        Column::number("Cliff’s δ"),
        Column::number("p"),
        Column::number("q"),
        Column::text("Beyond the threshold"),
    ];
    html! {
        (part("Features of recordings", found.sound.as_ref(), &features, |row: &Shift| vec![
            Cell::code(&row.feature), Cell::text(&feature::meaning_or_name(&row.feature)),
            Cell::number(row.reference_mean, |mean| number::significant(mean, 4)),
            Cell::number(row.target_mean, |mean| number::significant(mean, 4)),
            Cell::number(row.hedges_g, number::correlation), Cell::number(row.cliffs_delta, number::correlation),
            Cell::number(row.p, number::probability), Cell::number(row.q, number::probability),
        ], "Both sizes are within groups where groups are in both runs: a speaker against himself."))
        @if let Some(groups) = &found.groups { @for row in &groups.rows.first { (mix(row)) } }
        @if found.sound.is_none() && found.groups.is_none() { p.nothing { "Nothing of sound could be compared." } }
    }
}

fn mix(row: &Row<Mix>) -> Markup {
    let of = &row.of;
    let rows = of.shift.groups.iter().take(ROWS).map(|group| {
        vec![
            Cell::text(&group.group),
            Cell::count(u64::from(group.reference)),
            Cell::count(u64::from(group.target)),
        ]
    });
    let title = format!("Groups of {}", of.of);
    let columns = [Column::text("Group"), Column::number("A"), Column::number("B")];
    let table = Table { label: &title, columns: &columns, rows: rows.collect() }.render();
    block(
        &title,
        &table,
        &html! {
            (cut_note(ROWS, of.shift.groups.len()).unwrap_or_default())
            "Total variation " (number::decimal(of.shift.total_variation, 3)) ", "
            (number::probability_of('p', Some(of.shift.p))) ", " (number::probability_of('q', of.q))
            @if row.finding { ": a finding." } @else { "." }
        },
    )
}

fn relations(found: &Difference) -> Markup {
    let columns = [
        Column::text("Text feature"),
        Column::text("Sound feature"),
        Column::number("ρ in A"),
        Column::number("ρ in B"),
        Column::text("Intervals"),
        Column::number("p"),
        Column::number("q"),
        Column::text("Beyond the threshold"),
    ];
    html! {
        (part("Relations that changed", found.relations.as_ref(), &columns, |row: &Contrast| vec![
            Cell::code(&row.text_feature), Cell::code(&row.audio_feature),
            Cell::number(row.spearman.0, number::correlation), Cell::number(row.spearman.1, number::correlation),
            Cell::text(match (row.intervals_apart, row.turned) { (true, _) => "apart", (_, true) => "significance turned", _ => "" }),
            Cell::number(row.p, number::probability), Cell::number(row.q, number::probability),
        ], "Listed are relations whose 95 % intervals have nothing in common, whose significance turned, or whose q is small; p is of the difference of Fisher’s z."))
        @if found.relations.is_none() { p.nothing { "No relations could be compared." } }
    }
}

fn guide(found: &Difference) -> Markup {
    let thresholds = &found.thresholds;
    html! {
        p {
            "A change is a finding where its q is at most " (number::significant(thresholds.alpha, 2))
            ", where the q of its part is, and where its effect is at least the size stated for the part. Under the hypothesis that both runs are random "
            "halves of one corpus the chance of any finding on this page is at most about "
            (number::significant(thresholds.alpha, 2)) "."
        }
        ul {
            @for part in Part::ALL {
                li {
                    code { (part.name()) } ": " (number::significant(thresholds.effect(part), 2)) " (" (part.effect()) ")"
                    @if thresholds.ignored.contains(&part) { "; shown, but not counted" }
                }
            }
        }
    }
}
