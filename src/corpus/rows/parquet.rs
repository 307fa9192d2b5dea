//! Parquet: the columns that are asked for, a row group at a time, read from the disk and never mapped (a file that is cut while it
//! is mapped would end the process).

use std::io::{BufReader, Cursor};
use std::path::Path;

use polars::prelude::{ArrowDataType, ArrowField, DataType, PolarsError, Series};
use polars_parquet::read::{
    BasicDecompressor, ColumnChunkMetadata, FileMetadata, PageReader, RowGroupMetadata,
    column_iter_to_arrays, infer_schema, read_metadata,
};

use super::{Cell, Row, row_trouble};
use crate::corpus::contents::Opened;
use crate::corpus::quarantine::Unusable;

/// For files that the reader of the format gives up on.
pub(super) const BROKEN: &str = "is no whole Parquet file: write or copy it again";

/// Hands every row to `each`. The place of a row is that of its text among all texts.
pub(super) fn scan(path: &Path, names: &[&str], each: &mut dyn FnMut(Row)) -> Result<(), Unusable> {
    let opened = Opened::open(path)?;
    let mut reader = BufReader::new(opened.rewound()?);
    let metadata = read_metadata(&mut reader).map_err(|error| broken(&error))?;
    let schema = infer_schema(&metadata).map_err(|error| broken(&error))?;
    let fields: Vec<Option<ArrowField>> = names.iter().map(|name| schema.get(name).map(plain)).collect();
    if !matches!(fields.first(), Some(Some(_))) {
        let columns: Vec<&str> = schema.iter_names().map(|name| name.as_str()).collect();
        let reason = format!(
            "has the columns {}, but no {:?}: set documents.fields.text to the one that holds the text",
            columns.join(", "),
            names.first().copied().unwrap_or_default()
        );
        return Err(Unusable::new("no_text", reason));
    }
    scan_groups(&opened, &metadata, &fields, each)?;
    opened.unchanged()
}

fn scan_groups(
    opened: &Opened,
    metadata: &FileMetadata,
    fields: &[Option<ArrowField>],
    each: &mut dyn FnMut(Row),
) -> Result<(), Unusable> {
    let (mut number, mut at) = (0, 0);
    for group in &metadata.row_groups {
        let columns: Vec<Option<Values>> = fields
            .iter()
            .map(|field| field.as_ref().map(|field| values(opened, group, field)).transpose())
            .collect::<Result<_, _>>()?;
        for row in 0..group.num_rows() {
            number += 1;
            let cells: Result<Vec<Option<Cell>>, Unusable> = columns
                .iter()
                .map(|column| column.as_ref().map_or(Ok(None), |column| column.cell(row)))
                .collect::<Result<_, _>>()
                .map_err(|reason| without_place(row_trouble(number, 0, "not_utf8", reason)));
            let text = cells.as_ref().ok().and_then(|cells| cells.first()?.as_ref());
            let len = text.filter(|text| text.is_text).map_or(0, |text| text.value.len() as u64);
            each(Row { number, at: at..at + len, cells, column: 0 });
            at += len;
        }
    }
    Ok(())
}

/// A column of a row group.
enum Values {
    /// What should be text, not looked at yet: one text that is no UTF-8 is the trouble of its row alone.
    Bytes(Series),
    /// Other values, as they are written.
    Written(Series),
}

impl Values {
    fn cell(&self, row: usize) -> Result<Option<Cell>, &'static str> {
        match self {
            Self::Bytes(series) => {
                let bytes = series.binary().ok().and_then(|values| values.get(row));
                let text = bytes.map(std::str::from_utf8).transpose();
                Ok(text
                    .map_err(|_| "holds bytes that are no UTF-8: convert it, or remove the row")?
                    .map(Cell::text))
            }
            Self::Written(series) => {
                let text = series.str().ok().and_then(|values| values.get(row));
                Ok(text.map(|text| Cell { value: text.to_owned(), is_text: false }))
            }
        }
    }
}

/// A field as it lies in the file: text as bytes, a category as what it names.
fn plain(field: &ArrowField) -> ArrowField {
    let dtype = match field.dtype() {
        ArrowDataType::Dictionary(_, values, _) => values.as_ref(),
        dtype => dtype,
    };
    let dtype = match dtype {
        ArrowDataType::Utf8 | ArrowDataType::LargeUtf8 | ArrowDataType::Utf8View => ArrowDataType::BinaryView,
        other => other.clone(),
    };
    ArrowField::new(field.name.clone(), dtype, field.is_nullable)
}

fn values(opened: &Opened, group: &RowGroupMetadata, field: &ArrowField) -> Result<Values, Unusable> {
    let chunks: Vec<&ColumnChunkMetadata> =
        group.columns_under_root_iter(&field.name).map(Iterator::collect).unwrap_or_default();
    let (mut pages, mut types) = (Vec::new(), Vec::new());
    for chunk in chunks {
        let range = chunk.byte_range();
        let bytes = opened.read_range(range)?;
        let reader = PageReader::new(Cursor::new(bytes.into()), chunk, Vec::new(), usize::MAX);
        pages.push(BasicDecompressor::new(reader, Vec::new()));
        types.push(&chunk.descriptor().descriptor.primitive_type);
    }
    let (arrays, _) =
        column_iter_to_arrays(pages, types, field.clone(), None).map_err(|error| broken(&error))?;
    let series = Series::try_from((field, arrays)).map_err(|error| broken(&error))?;
    if series.len() != group.num_rows() {
        return Err(Unusable::new("broken_parquet", BROKEN));
    }
    if series.dtype() == &DataType::Binary {
        return Ok(Values::Bytes(series));
    }
    let written = series.cast(&DataType::String).map_err(|error| {
        let reason = format!(
            "its column {:?} holds no single values ({error}): leave it out of documents.fields",
            field.name
        );
        Unusable::new("wrong_type", reason)
    })?;
    Ok(Values::Written(written))
}

fn broken(error: &PolarsError) -> Unusable {
    Unusable::new("broken_parquet", format!("{BROKEN} ({error})"))
}

/// A row of a table has no place of its own in the file.
fn without_place(trouble: Unusable) -> Unusable {
    Unusable { byte_offset: None, ..trouble }
}
