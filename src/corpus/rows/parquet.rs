//! Parquet: the columns that are asked for, a row group at a time, read from the disk and never mapped (a file that is cut while it
//! is mapped would end the process).

use std::io::{BufReader, Cursor};
use std::path::Path;

use polars::prelude::{ArrowDataType, ArrowField, DataType, PolarsError, Series};
use polars_parquet::parquet::page::CompressedPage;
use polars_parquet::read::{
    BasicDecompressor, ColumnChunkMetadata, FileMetadata, PageReader, RowGroupMetadata,
    column_iter_to_arrays, infer_schema, read_metadata,
};

use super::{Cell, Row, row_trouble};
use crate::corpus::contents::Opened;
use crate::corpus::quarantine::Unusable;

/// Bytes of a page at most, packed and unpacked; writers stay under 1 MiB or little more.
const LONGEST_PAGE: usize = 1 << 28;

/// For files that the reader of the format gives up on.
pub(super) const BROKEN: &str = "is no whole Parquet file: write or copy it again";

/// Hands every row to `each`. The place of a row is that of its text among all texts.
pub(super) fn scan(path: &Path, names: &[&str], each: &mut dyn FnMut(Row)) -> Result<(), Unusable> {
    let opened = Opened::open(path)?;
    let mut reader = BufReader::new(opened.rewound()?);
    let metadata = read_metadata(&mut reader).map_err(|error| broken(&error))?;
    let schema = infer_schema(&metadata).map_err(|error| broken(&error))?;
    let fields: Vec<Option<ArrowField>> =
        names.iter().map(|name| schema.get(name).map(plain).transpose()).collect::<Result<_, _>>()?;
    if !matches!(fields.first(), Some(Some(_))) {
        let columns: Vec<&str> = schema.iter_names().map(polars::prelude::PlSmallStr::as_str).collect();
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
    for group in metadata.row_groups.iter().filter(|group| group.num_rows() > 0) {
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
                .map_err(|reason| row_trouble(number, None, "not_utf8", reason));
            let text = cells.as_ref().ok().and_then(|cells| cells.first()?.as_ref());
            let len = text.filter(|text| text.is_text).map_or(0, |text| text.value.len() as u64);
            each(Row { number, at: at..at + len, offset: None, cells, column: 0 });
            at += len;
        }
    }
    Ok(())
}

/// Refuses pages that say they have more values than the group has rows, or more bytes than a page may: the decoder believes them, and
/// takes memory for what they say.
fn check_pages(bytes: &[u8], chunk: &ColumnChunkMetadata, rows: usize) -> Result<(), Unusable> {
    let pages = PageReader::new(Cursor::new(bytes.to_vec().into()), chunk, Vec::new(), LONGEST_PAGE);
    let mut values = 0_usize;
    for page in pages {
        let page = page.map_err(|error| broken(&error.into()))?;
        let (of_page, len) = match &page {
            CompressedPage::Data(page) => (page.num_values(), page.uncompressed_size()),
            CompressedPage::Dict(_) => (0, 0),
        };
        values = values.saturating_add(of_page);
        if values > rows || len > LONGEST_PAGE {
            return Err(Unusable::new("broken_parquet", BROKEN));
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

/// A field as it lies in the file: text as bytes, a category as what it names, small numbers in 32 bits.
fn plain(field: &ArrowField) -> Result<ArrowField, Unusable> {
    use ArrowDataType as Type;
    let dtype = match field.dtype() {
        Type::Dictionary(_, values, _) => values.as_ref(),
        dtype => dtype,
    };
    let dtype = match dtype {
        Type::Utf8
        | Type::LargeUtf8
        | Type::Utf8View
        | Type::Binary
        | Type::LargeBinary
        | Type::BinaryView => Type::BinaryView,
        Type::Int8 | Type::Int16 | Type::Int32 => Type::Int32,
        Type::UInt8 | Type::UInt16 | Type::UInt32 => Type::UInt32,
        Type::Boolean | Type::Int64 | Type::UInt64 | Type::Float32 | Type::Float64 => dtype.clone(),
        other => {
            let reason = format!(
                "its column {:?} holds {other:?}: write it as text, or leave it out of documents.fields",
                field.name
            );
            return Err(Unusable::new("wrong_type", reason));
        }
    };
    Ok(ArrowField::new(field.name.clone(), dtype, field.is_nullable))
}

fn values(opened: &Opened, group: &RowGroupMetadata, field: &ArrowField) -> Result<Values, Unusable> {
    let chunks: Vec<&ColumnChunkMetadata> =
        group.columns_under_root_iter(&field.name).map(Iterator::collect).unwrap_or_default();
    let (mut pages, mut types) = (Vec::new(), Vec::new());
    for chunk in chunks {
        let range = chunk.byte_range();
        let bytes = opened.read_range(range)?;
        check_pages(&bytes, chunk, group.num_rows())?;
        let reader = PageReader::new(Cursor::new(bytes.into()), chunk, Vec::new(), LONGEST_PAGE);
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
    let written = series.cast(&DataType::String).map_err(|error| broken(&error))?;
    Ok(Values::Written(written))
}

fn broken(error: &PolarsError) -> Unusable {
    Unusable::new("broken_parquet", format!("{BROKEN} ({error})"))
}

#[cfg(test)]
mod tests {
    use polars::prelude::{DataFrame, IntoColumn, NamedFrom, ParquetWriter};

    use super::super::scan_rows;
    use super::*;

    /// Ten rows in row groups of three.
    fn file() -> Vec<u8> {
        let texts: Vec<Option<String>> = (0..10).map(|n| (n != 4).then(|| format!("text {n} é"))).collect();
        let numbers: Vec<i64> = (0..10).map(|n| 100 + n).collect();
        let raw: Vec<&[u8]> = (0..10).map(|n| if n == 2 { &b"\xFF"[..] } else { &b"ok"[..] }).collect();
        let mut bytes = Vec::new();
        let columns = vec![
            Series::new("words".into(), texts).into_column(),
            Series::new("key".into(), numbers).into_column(),
            Series::new("raw".into(), raw).into_column(),
            Series::new("share".into(), vec![0.5f64; 10]).into_column(),
        ];
        let mut frame = DataFrame::new_infer_height(columns).unwrap();
        ParquetWriter::new(&mut bytes).with_row_group_size(Some(3)).finish(&mut frame).unwrap();
        bytes
    }

    fn rows(bytes: &[u8], names: &[&str]) -> Result<Vec<Row>, Unusable> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.parquet");
        std::fs::write(&path, bytes).unwrap();
        let mut rows = Vec::new();
        scan_rows(&path, super::super::Layout::Parquet, names, |row| rows.push(row))?;
        Ok(rows)
    }

    #[test]
    fn the_columns_asked_for_are_read_group_by_group() {
        let rows = rows(&file(), &["words", "key", "share", "none"]).unwrap();
        assert_eq!(rows.iter().map(|row| row.number).collect::<Vec<_>>(), (1..=10).collect::<Vec<_>>());
        let mut at = 0;
        for (n, row) in rows.iter().enumerate() {
            let text = (n != 4).then(|| format!("text {n} é"));
            assert_eq!(row.text("words").ok(), text.as_deref());
            assert_eq!(row.at, at..at + text.map_or(0, |text| text.len() as u64));
            assert_eq!(
                (row.value(1), row.value(2), row.value(3)),
                (Some(format!("{}", 100 + n).as_str()), Some("0.5"), None)
            );
            at = row.at.end;
        }
        assert_eq!(rows[4].text("words").unwrap_err().code, "no_text");
    }

    #[test]
    fn a_text_that_is_none_is_the_trouble_of_its_row() {
        let raw = rows(&file(), &["raw"]).unwrap();
        let codes: Vec<String> = raw
            .iter()
            .map(|row| row.text("raw").map_or_else(|trouble| trouble.code.into_owned(), String::from))
            .collect();
        assert_eq!((codes[1].as_str(), codes[2].as_str(), codes[3].as_str()), ("ok", "not_utf8", "ok"));
        let keys = rows(&file(), &["key"]).unwrap();
        assert_eq!(keys[0].text("key").unwrap_err().code, "wrong_type");
        let trouble = rows(&file(), &["text"]).unwrap_err();
        assert!(
            trouble.code == "no_text" && trouble.reason.contains("words, key, raw, share"),
            "{trouble:?}"
        );
    }

    #[test]
    fn a_damaged_file_is_refused_or_read_and_nothing_worse() {
        let whole = file();
        for length in (0..whole.len()).step_by(37) {
            assert!(rows(&whole[..length], &["words"]).is_err(), "{length}");
        }
        for round in 0..300 {
            let mut stream = crate::math::random::Stream::new(3, "parquet", round);
            let mut turned = whole.clone();
            for _ in 0..=stream.below(4) {
                turned[stream.below(whole.len() as u32) as usize] ^= 1 << stream.below(8);
            }
            let _ = rows(&turned, &["words", "key", "raw"]);
        }
    }
}
