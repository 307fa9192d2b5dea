//! Sparse matrices as lines of text: Matrix Market and SVMlight.

use std::fmt::Write as _;
use std::io::Write;

use super::{MatrixValues, Sink, TermMatrix};
use crate::error::Result;

/// A value in as few digits as say it: those of single precision for weights.
fn append(line: &mut String, values: MatrixValues, value: f64) {
    let _ = match values {
        MatrixValues::Weights => write!(line, "{}", value as f32),
        MatrixValues::Counts => write!(line, "{value}"),
    };
}

/// Matrix Market (Boisvert, Pozo and Remington 1996, NISTIR 5935): coordinate format, general, row by row.
pub(super) fn write_mtx(matrix: &TermMatrix<'_>, sink: &mut Sink<'_, impl Write>) -> Result<()> {
    let field = match matrix.values {
        MatrixValues::Weights => "real",
        MatrixValues::Counts => "integer",
    };
    let (rows, columns) = (matrix.documents().len(), matrix.terms().len());
    let entries = matrix.entries()?;
    sink.put(
        format!("%%MatrixMarket matrix coordinate {field} general\n{rows} {columns} {entries}\n").as_bytes(),
    )?;
    let (mut lines, mut number) = (String::new(), 0);
    matrix.for_each_row(|row| {
        number += 1;
        lines.clear();
        for (term, value) in row.terms.iter().zip(row.values) {
            let _ = write!(lines, "{number} {} ", u64::from(*term) + 1);
            append(&mut lines, matrix.values, *value);
            lines.push('\n');
        }
        sink.put(lines.as_bytes())
    })
}

/// SVMlight (Joachims 1999): `0 column:value …`, every document with the label 0, since a run has none.
pub(super) fn write_svmlight(matrix: &TermMatrix<'_>, sink: &mut Sink<'_, impl Write>) -> Result<()> {
    let mut line = String::new();
    matrix.for_each_row(|row| {
        line.clear();
        line.push('0');
        for (term, value) in row.terms.iter().zip(row.values) {
            let _ = write!(line, " {}:", u64::from(*term) + 1);
            append(&mut line, matrix.values, *value);
        }
        line.push('\n');
        sink.put(line.as_bytes())
    })
}
