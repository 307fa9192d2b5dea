//! What could not be used, or only in part, and why.

use maud::{Markup, html};

use super::data::{Exclusion, ReportData};
use super::table::{Cell, Column, Table};
use super::{EXCLUSIONS_SHOWN, Section, block, cut_note};

/// The section; always there.
pub(super) fn section(data: &ReportData) -> Section {
    let body = html! {
        (part("Quarantine", &data.quarantine, "Nothing is in quarantine: every input could be used.",
            "Inputs that were left out, the stage that refused them and why; the offset is the byte of the file (unpacked, if it is compressed) where the trouble begins, the command shows it when it is run in the folder that the glob names."))
        (part("Warnings", &data.warnings, "No warnings: no input was used in part only.",
            "Inputs that were used as far as they go."))
    };
    Section { id: "quarantine", title: "Quarantine and warnings", body }
}

fn part(title: &str, exclusions: &[Exclusion], nothing: &str, how_to_read: &str) -> Markup {
    if exclusions.is_empty() {
        return html! { div.block { h3 { (title) } p.nothing { (nothing) } } };
    }
    let mut columns = vec![
        Column::text("Source"),
        Column::text("Stage"),
        Column::text("Code"),
        Column::text("Reason"),
        Column::number("Byte offset"),
    ];
    let with_commands = exclusions.iter().any(|exclusion| !exclusion.command.is_empty());
    columns.extend(with_commands.then(|| Column::text("Command")));
    let rows = exclusions.iter().take(EXCLUSIONS_SHOWN).map(|exclusion| {
        let mut cells = vec![
            Cell::code(&exclusion.source),
            Cell::text(&exclusion.stage),
            Cell::code(&exclusion.code),
            Cell::text(&exclusion.reason),
            exclusion.byte_offset.map_or_else(|| Cell::number(None, |_| String::new()), Cell::count),
        ];
        cells.extend(with_commands.then(|| Cell::command(&exclusion.command)));
        cells
    });
    let table = Table { label: title, columns: &columns, rows: rows.collect() }.render();
    block(
        title,
        &table,
        &html! {
            (cut_note(EXCLUSIONS_SHOWN, exclusions.len()).unwrap_or_default()) (how_to_read)
        },
    )
}
