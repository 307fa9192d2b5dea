//! Tables of a run read back, column by column.

use std::collections::HashMap;
use std::fs::File;
use std::path::Path;

use polars::error::{PolarsError, PolarsResult};
use polars::prelude::{AnyValue, DataFrame, DataType, ParquetReader, PlSmallStr, SerReader};

use super::parquet::{Table, frame};
use crate::error::{Error, Result};

/// A Parquet file of a run, or some columns of it, in memory.
#[derive(Debug)]
pub struct StoredTable {
    file: String,
    frame: DataFrame,
}

impl StoredTable {
    /// Reads `file` below `folder`: the columns named, or all where none is.
    ///
    /// # Errors
    /// [`Error::Io`] where the file cannot be opened, [`Error::Reading`] where it is no Parquet table or lacks a column.
    pub fn read(folder: &Path, file: &str, columns: &[&str]) -> Result<Self> {
        let path = folder.join(file);
        let open = File::open(&path).map_err(|error| Error::io("open", &path, error))?;
        let columns =
            (!columns.is_empty()).then(|| columns.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>());
        let file = path.display().to_string();
        match ParquetReader::new(open).with_columns(columns).finish() {
            Ok(frame) => Ok(Self { file, frame }),
            Err(error) => Err(Error::Reading { table: file, message: error.to_string() }),
        }
    }

    /// Number of rows.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.frame.height()
    }

    /// The columns that hold single numbers.
    #[must_use]
    pub fn numeric_columns(&self) -> Vec<String> {
        let columns = self.frame.columns().iter();
        columns
            .filter(|column| column.dtype().is_primitive_numeric())
            .map(|column| column.name().to_string())
            .collect()
    }

    /// A column of text, null where it is.
    ///
    /// # Errors
    /// [`Error::Reading`] where there is no such column of text.
    pub fn optional_text(&self, column: &str) -> Result<Vec<Option<String>>> {
        let values =
            || Ok(self.frame.column(column)?.str()?.iter().map(|text| text.map(str::to_owned)).collect());
        values().map_err(|error| self.refused(&error))
    }

    /// A column of text; null is the empty text.
    ///
    /// # Errors
    /// [`Error::Reading`] where there is no such column of text.
    pub fn text(&self, column: &str) -> Result<Vec<String>> {
        Ok(self.optional_text(column)?.into_iter().map(Option::unwrap_or_default).collect())
    }

    /// A column of numbers of any type, null where it is.
    ///
    /// # Errors
    /// [`Error::Reading`] where there is no such column of numbers.
    pub fn numbers(&self, column: &str) -> Result<Vec<Option<f64>>> {
        let values = || Ok(self.frame.column(column)?.cast(&DataType::Float64)?.f64()?.iter().collect());
        values().map_err(|error| self.refused(&error))
    }

    /// A column of whole numbers; null is 0.
    ///
    /// # Errors
    /// [`Error::Reading`] where there is no such column of numbers.
    pub fn counts(&self, column: &str) -> Result<Vec<u64>> {
        let values = || {
            let cast = self.frame.column(column)?.cast(&DataType::UInt64)?;
            Ok(cast.u64()?.iter().map(Option::unwrap_or_default).collect())
        };
        values().map_err(|error| self.refused(&error))
    }

    /// A column of vectors, row after row, and their width.
    ///
    /// # Errors
    /// [`Error::Reading`] where there is no such column of vectors without nulls.
    pub fn vectors(&self, column: &str) -> Result<(Vec<f32>, usize)> {
        let values = || {
            let column = self.frame.column(column)?.as_materialized_series().rechunk();
            let array = column.array()?;
            let inner = array.get_inner();
            Ok((inner.f32()?.iter().flatten().collect::<Vec<f32>>(), array.width()))
        };
        let (values, width) = values().map_err(|error| self.refused(&error))?;
        if values.len() != width * self.rows() {
            let message = format!("{column} has vectors of other than {width} numbers");
            return Err(Error::Reading { table: self.file.clone(), message });
        }
        Ok((values, width))
    }

    /// Whether there is a column of this name.
    #[must_use]
    pub fn has(&self, column: &str) -> bool {
        self.frame.get_column_names().into_iter().map(PlSmallStr::as_str).any(|name| name == column)
    }

    fn refused(&self, error: &PolarsError) -> Error {
        Error::Reading { table: self.file.clone(), message: error.to_string() }
    }
}

/// Rows of a table held against what they should be.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct RowComparison {
    /// Rows that are what they should be.
    pub agreeing: usize,
    /// Rows that are not there, or that say another content.
    pub other_content: usize,
    /// Rows of the same content with another value, a sentence each.
    pub differences: Vec<String>,
}

/// Holds the rows `expected` against those of the same id in the table at `path`. The first column is the id; a row whose
/// `blake3` differs is of another content.
///
/// # Errors
/// [`Error::Reading`] for a file that is no Parquet table, [`Error::Io`] for one that cannot be opened.
pub fn differing_rows(path: &Path, expected: Table) -> Result<RowComparison> {
    let failed =
        |error: PolarsError| Error::Table { table: path.display().to_string(), message: error.to_string() };
    let file = File::open(path).map_err(|error| Error::io("open", path, error))?;
    let table = ParquetReader::new(file).finish().map_err(failed)?;
    let expected = frame(expected).map_err(failed)?;
    let ids = |frame: &DataFrame| -> PolarsResult<Vec<String>> {
        let column = frame.columns().first();
        let id = |row| column.map(|column| Ok(column.get(row)?.str_value().into_owned()));
        (0..frame.height()).filter_map(id).collect()
    };
    let places: HashMap<String, usize> =
        ids(&table).map_err(failed)?.into_iter().enumerate().map(|(row, id)| (id, row)).collect();
    let mut compared = RowComparison::default();
    for (row, id) in ids(&expected).map_err(failed)?.into_iter().enumerate() {
        let difference = match places.get(&id) {
            None => None,
            Some(&place) => difference(&table, place, &expected, row).map_err(failed)?,
        };
        match difference {
            None => compared.other_content += 1,
            Some(column) if column.is_empty() => compared.agreeing += 1,
            Some(column) => compared.differences.push(format!("{id}: {column}")),
        }
    }
    Ok(compared)
}

/// The first column in which two rows differ, with both values; empty where they agree, `None` for another content.
fn difference(
    table: &DataFrame,
    place: usize,
    expected: &DataFrame,
    row: usize,
) -> PolarsResult<Option<String>> {
    let content = |frame: &DataFrame, row: usize| -> PolarsResult<String> {
        Ok(frame.column("blake3")?.get(row)?.str_value().into_owned())
    };
    if content(table, place)? != content(expected, row)? {
        return Ok(None);
    }
    for column in expected.columns() {
        let (should, is) = (column.get(row)?, table.column(column.name())?.get(place)?);
        if should != is {
            return Ok(Some(format!("{} is {is}, computed again it is {should}", column.name())));
        }
    }
    Ok(Some(String::new()))
}

/// The first `rows` rows of the table in `files` below `folder`, tab-separated with a header, for `wordwave show`.
///
/// # Errors
/// [`Error::Table`] for a file that is no Parquet table, [`Error::Io`] for one that cannot be opened.
pub fn rows_as_text(folder: &Path, files: &[String], rows: usize) -> Result<String> {
    let mut out = String::new();
    let mut left = rows;
    for name in files {
        let path = folder.join(name);
        let file = File::open(&path).map_err(|error| Error::io("open", &path, error))?;
        let failed = |error: PolarsError| Error::Table { table: name.clone(), message: error.to_string() };
        let frame = ParquetReader::new(file).with_slice(Some((0, left))).finish().map_err(failed)?;
        if out.is_empty() {
            let names: Vec<&str> = frame.get_column_names().into_iter().map(PlSmallStr::as_str).collect();
            out = names.join("\t") + "\n";
        }
        for row in 0..frame.height() {
            let values = frame.columns().iter().map(|column| column.get(row).map(|value| cell(&value)));
            let values: PolarsResult<Vec<String>> = values.collect();
            out += &(values.map_err(failed)?.join("\t") + "\n");
        }
        left -= frame.height().min(left);
        if left == 0 {
            break;
        }
    }
    Ok(out)
}

/// A value without the line breaks and tabs that would break a row, or codes that a terminal would obey.
fn cell(value: &AnyValue<'_>) -> String {
    match value {
        AnyValue::Null => String::new(),
        AnyValue::Array(values, _) => {
            let numbers: Vec<String> = values.iter().map(|value| cell(&value)).collect();
            format!("[{}]", numbers.join(", "))
        }
        other => other.str_value().replace(char::is_control, " "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{Column, Provenance, Table, write_table};

    #[test]
    fn what_was_written_is_read_back() {
        let folder = tempfile::tempdir().unwrap();
        let table = Table::new("embeddings")
            .with("term", Column::OptStr(vec![Some("rain".into()), None]))
            .with("count", Column::U32(vec![3, 2]))
            .with("bits", Column::OptU16(vec![None, Some(16)]))
            .with("ratio", Column::F64(vec![f64::NAN, 0.5]))
            .with("vector", Column::ArrayF32 { values: vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0], width: 3 });
        let provenance = Provenance { job: "test".into(), config_hash: "abc".into() };
        write_table(table, folder.path(), "e.parquet", &provenance).unwrap();
        let read = StoredTable::read(folder.path(), "e.parquet", &[]).unwrap();
        assert_eq!((read.rows(), read.has("ratio"), read.has("rain")), (2, true, false));
        assert_eq!(read.numeric_columns(), ["count", "bits", "ratio"]);
        assert_eq!(read.optional_text("term").unwrap(), [Some("rain".to_owned()), None]);
        assert_eq!(read.counts("count").unwrap(), [3, 2]);
        assert_eq!(read.numbers("bits").unwrap(), [None, Some(16.0)]);
        assert_eq!(read.numbers("ratio").unwrap(), [None, Some(0.5)]);
        assert_eq!(read.vectors("vector").unwrap(), (vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0], 3));
        let some = StoredTable::read(folder.path(), "e.parquet", &["count"]).unwrap();
        assert!(!some.has("term"));
        for error in [read.text("count").unwrap_err(), some.numbers("ratio").unwrap_err()] {
            assert_eq!(error.exit_code(), 65, "{error}");
        }
        std::fs::write(folder.path().join("x.parquet"), "no table").unwrap();
        assert!(StoredTable::read(folder.path(), "x.parquet", &[]).is_err());
    }
}
