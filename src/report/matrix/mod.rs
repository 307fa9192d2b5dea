//! The `terms` table as a sparse matrix, a document a row and a term a column, in formats that other tools read.

mod npz;
mod text;

use std::io::{Seek, Write};
use std::path::Path;

use super::reading::StoredTable;
use crate::error::{Error, Result};

/// A format of a sparse matrix.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MatrixFormat {
    /// `scipy.sparse.load_npz`: compressed sparse rows.
    Npz,
    /// Matrix Market, coordinates from 1.
    Mtx,
    /// SVMlight and LIBSVM: a line a document, label 0, columns from 1.
    Svmlight,
}

/// What stands in the matrix.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MatrixValues {
    /// `weight`, single precision.
    Weights,
    /// `count`, whole numbers.
    Counts,
}

/// The terms of a run's documents, read part by part as often as a format wants.
#[derive(Debug)]
pub struct TermMatrix<'a> {
    folder: &'a Path,
    files: Vec<String>,
    values: MatrixValues,
    documents: Vec<String>,
    terms: Vec<String>,
}

/// A document's terms: `term_id`s in ascending order, and values. Counts are whole numbers below 2^32.
struct Row<'a> {
    terms: &'a [u32],
    values: &'a [f64],
}

impl<'a> TermMatrix<'a> {
    /// The matrix of the run in `folder`; `files` are those of its `terms` table, in order.
    ///
    /// # Errors
    /// [`Error::Io`] and [`Error::Reading`] where `documents` or `vocabulary` cannot be read.
    pub fn open(folder: &'a Path, files: Vec<String>, values: MatrixValues) -> Result<Self> {
        let column = |file: &str, name: &str| StoredTable::read(folder, file, &[name])?.text(name);
        let documents = column("documents.parquet", "doc_id")?;
        let terms = column("vocabulary.parquet", "term")?;
        Ok(Self { folder, files, values, documents, terms })
    }

    /// The ids of the rows.
    #[must_use]
    pub fn documents(&self) -> &[String] {
        &self.documents
    }

    /// The terms of the columns.
    #[must_use]
    pub fn terms(&self) -> &[String] {
        &self.terms
    }

    /// Writes the matrix.
    ///
    /// # Errors
    /// Those of the tables, and [`Error::Io`] with the name `path` where writing fails.
    pub fn write(&self, format: MatrixFormat, sink: &mut (impl Write + Seek), path: &Path) -> Result<()> {
        let mut sink = Sink { sink, path };
        match format {
            MatrixFormat::Npz => npz::write(self, &mut sink),
            MatrixFormat::Mtx => text::write_mtx(self, &mut sink),
            MatrixFormat::Svmlight => text::write_svmlight(self, &mut sink),
        }
    }

    /// What names rows and columns, as JSON: `{"documents": [...], "terms": [...]}`.
    #[must_use]
    pub fn names(&self) -> String {
        serde_json::json!({ "documents": self.documents, "terms": self.terms }).to_string()
    }

    /// Entries that are written.
    fn entries(&self) -> Result<u64> {
        let mut entries = 0;
        self.for_each_row(|row| {
            entries += row.terms.len() as u64;
            Ok(())
        })?;
        Ok(entries)
    }

    /// Hands every document to `each` in the order of their ids, those without terms too.
    fn for_each_row(&self, mut each: impl FnMut(Row<'_>) -> Result<()>) -> Result<()> {
        let name = match self.values {
            MatrixValues::Weights => "weight",
            MatrixValues::Counts => "count",
        };
        let mut next = 0;
        for file in &self.files {
            let refused = |message: String| Error::Reading { table: file.clone(), message };
            let part = StoredTable::read(self.folder, file, &["doc_id", "term_id", name])?;
            let ids = part.text("doc_id")?;
            let terms: Vec<u32> = part.counts("term_id")?.into_iter().map(|id| id as u32).collect();
            let values: Vec<f64> = part.numbers(name)?.into_iter().map(Option::unwrap_or_default).collect();
            if let Some(term) = terms.iter().find(|term| **term as usize >= self.terms.len()) {
                return Err(refused(format!("names term {term}, which vocabulary does not have")));
            }
            let mut start = 0;
            for row in ids.chunk_by(|a, b| a == b) {
                let range = start..start + row.len();
                start = range.end;
                while self.documents.get(next).is_some_and(|id| *id != row[0]) {
                    each(Row { terms: &[], values: &[] })?;
                    next += 1;
                }
                if next == self.documents.len() {
                    return Err(refused(format!("has {:?} where documents has no such row", row[0])));
                }
                each(Row { terms: &terms[range.clone()], values: &values[range] })?;
                next += 1;
            }
        }
        (next..self.documents.len()).try_for_each(|_| each(Row { terms: &[], values: &[] }))
    }
}

/// Where a matrix goes, with its name for complaints.
struct Sink<'a, W> {
    sink: &'a mut W,
    path: &'a Path,
}

impl<W: Write> Sink<'_, W> {
    fn put(&mut self, bytes: &[u8]) -> Result<()> {
        self.sink.write_all(bytes).map_err(|error| Error::io("write", self.path, error))
    }
}

#[cfg(test)]
mod tests;
