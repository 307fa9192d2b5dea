//! The tables of the contract: rows of the field into named columns. Further columns go into reports/README.md, a line each.

mod relations;
mod sound;
mod text;

use super::parquet::{Column, Table};
use crate::corpus::{Quarantined, Warned};
pub use relations::*;
pub use sound::*;
pub use text::*;

fn strings<T>(rows: &[T], of: impl Fn(&T) -> &str) -> Column {
    Column::Text(rows.iter().map(of).collect())
}

fn groups<T>(rows: &[T], of: impl Fn(&T) -> &Option<String>) -> Column {
    Column::OptStr(rows.iter().map(|row| of(row).clone()).collect())
}

fn optional<T>(rows: &[T], of: impl Fn(&T) -> Option<f64>) -> Column {
    Column::OptF64(rows.iter().map(of).collect())
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
