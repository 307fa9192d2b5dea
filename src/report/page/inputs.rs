//! What was read: documents and recordings by group, their lengths, their languages.

use maud::{Markup, html};

use super::data::{ClipsRead, Count, DocumentsRead, ReportData};
use super::histogram::Histogram;
use super::table::{Cell, Column, Table};
use super::{Section, block_of, cut_note, number};

/// Groups and languages that a table shows.
const GROUPS_SHOWN: usize = 24;

/// The section, if anything was read.
pub(super) fn section(data: &ReportData) -> Option<Section> {
    if data.documents.is_none() && data.clips.is_none() {
        return None;
    }
    let body = html! {
        div.columns {
            @if let Some(read) = &data.documents { div { (documents(read)) } }
            @if let Some(read) = &data.clips { div { (clips(read)) } }
        }
    };
    Some(Section { id: "inputs", title: "What was read", body })
}

fn documents(read: &DocumentsRead) -> Markup {
    html! {
        @if let Some(histogram) = Histogram::of(&read.lengths, true) {
            (block_of("documents.parquet", "Length of documents", &histogram.svg("Histogram of document lengths", "words in a document", "documents"),
                &html! { "The height of a bar is the number of documents of that length." }))
        }
        @if !read.groups.is_empty() { (counts("Documents by group", "Group", &read.groups)) }
        @if !read.languages.is_empty() { (counts("Documents by language", "Language", &read.languages)) }
    }
}

fn counts(title: &str, of: &'static str, counts: &[Count]) -> Markup {
    let largest = counts.iter().map(|count| count.count).max().unwrap_or(0) as f64;
    let columns = [Column::text(of), Column::text(""), Column::number("Documents")];
    let rows = counts.iter().take(GROUPS_SHOWN).map(|count| {
        vec![Cell::text(&count.name), Cell::bar(count.count as f64, largest), Cell::count(count.count)]
    });
    let table = Table { label: title, columns: &columns, rows: rows.collect() }.render();
    block_of(
        "documents.parquet",
        title,
        &table,
        &html! {
            (cut_note(GROUPS_SHOWN, counts.len()).unwrap_or_default()) "The length of a bar is the number beside it."
        },
    )
}

fn clips(read: &ClipsRead) -> Markup {
    html! {
        @if let Some(histogram) = Histogram::of(&read.durations, false) {
            (block_of("clips.parquet", "Length of recordings", &histogram.svg("Histogram of durations", "seconds", "recordings"),
                &html! { "The height of a bar is the number of recordings of that duration." }))
        }
        @if !read.groups.is_empty() { (clip_groups(read)) }
    }
}

fn clip_groups(read: &ClipsRead) -> Markup {
    let largest = read.groups.iter().fold(0.0, |most: f64, group| most.max(group.seconds));
    let columns =
        [Column::text("Group"), Column::text(""), Column::number("Duration"), Column::number("Recordings")];
    let rows = read.groups.iter().take(GROUPS_SHOWN).map(|group| {
        vec![
            Cell::text(&group.name),
            Cell::bar(group.seconds, largest),
            Cell::number(Some(group.seconds), number::duration),
            Cell::count(group.clips),
        ]
    });
    let table = Table { label: "Recordings by group", columns: &columns, rows: rows.collect() }.render();
    block_of(
        "clips.parquet",
        "Recordings by group",
        &table,
        &html! {
            (cut_note(GROUPS_SHOWN, read.groups.len()).unwrap_or_default())
            "The length of a bar is the duration of the group's recordings together."
        },
    )
}
