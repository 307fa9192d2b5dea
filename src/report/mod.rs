//! Results to tables and to the report page.
//!
//! [`tables`] says which columns a table has, `parquet` writes them and `reading` reads them back (with `pages` and its `encodings` the only
//! files that name polars), [`page`] turns what the job chose to show into one HTML file. [`difference`] is what two runs differ in,
//! [`matrix`] gives the terms of a run to other tools.

pub mod difference;
mod encodings;
mod hashed;
pub mod matrix;
pub mod page;
mod pages;
mod parquet;
mod reading;
pub mod tables;

pub use hashed::Hashed;
pub use parquet::{Column, Provenance, Table, Written, copy_table, stream_file, write_file, write_table};
pub use reading::{RowComparison, StoredTable, differing_rows, rows_as_text};
pub use tables::{
    ClipRow, DocumentRow, DuplicateRow, PairRow, SuspectRow, TEXT_FEATURES, TimedWordRow, TokenRows,
    TopicRow, WordRow, WordSoundRow,
};
