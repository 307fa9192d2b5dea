//! Results to tables and to the report page.
//!
//! [`tables`] says which columns a table has, `parquet` writes them (and is the only file that names polars), [`page`] turns
//! what the job chose to show into one HTML file.

pub mod page;
mod parquet;
pub mod tables;

pub use parquet::{
    Column, Provenance, RowComparison, Table, Written, copy_table, differing_rows, rows_as_text, write_file,
    write_table,
};
pub use tables::{ClipRow, DocumentRow, DuplicateRow, PairRow, TEXT_FEATURES, WordRow};
