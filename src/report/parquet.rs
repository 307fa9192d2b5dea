//! Tables to Parquet: the only place that names polars.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::sync::Arc;

use polars::error::PolarsError;
use polars::prelude::{
    ArrayRef, ArrowDataType, ArrowField, ArrowSchema, Column as PolarsColumn, CompatLevel, DataFrame,
    DataType, IntoColumn, NamedFrom, PlSmallStr, PolarsResult, ReshapeDimension, Series,
};
use polars_arrow::array::{Array, DictionaryArray, PrimitiveArray, Utf8ViewArray};
use polars_parquet::write::{
    CompressionOptions, Encoding, FileWriter, KeyValue, StatisticsOptions, Version, WriteOptions,
    get_dtype_encoding,
};

use super::hashed::Hashed;
use super::pages::{Encoded, row_group};
use crate::corpus::Digest;
use crate::error::{Error, Result};
use crate::text::TermList;

/// The version of the tables' contract; it changes when a column changes its meaning or goes.
const SCHEMA_VERSION: &str = "1";

/// Rows that have statistics of their own.
pub(super) const GROUP_ROWS: usize = 1 << 20;

/// A column of a table. Optional values become nulls, and so does every float that is not finite.
#[derive(Debug, Clone)]
#[allow(missing_docs, reason = "the variants are the column types of the contract")]
pub enum Column {
    Str(Vec<String>),
    /// Strings in one piece of memory: for many of them.
    Text(TermList),
    /// As `Text`, of strings that are all different.
    Distinct(TermList),
    /// Hashes, as hexadecimal digits.
    Digests(Vec<Digest>),
    /// Strings of which many rows have the same: the place in `values` of each row.
    Repeated {
        values: Vec<String>,
        places: Vec<u32>,
    },
    /// Strings each of which stands in so many rows, one after the other.
    Runs {
        values: TermList,
        lengths: Vec<u32>,
    },
    /// Strings that others hold too.
    Shared(Vec<Arc<str>>),
    OptStr(Vec<Option<String>>),
    U16(Vec<u16>),
    OptU16(Vec<Option<u16>>),
    OptU32(Vec<Option<u32>>),
    U32(Vec<u32>),
    /// Numbers that rise in stretches: kept as differences.
    Rising(Vec<u32>),
    /// Numbers of which there are few: the place in `values` of each row's.
    FewU32 {
        values: Vec<u32>,
        places: Arc<Vec<u16>>,
    },
    U64(Vec<u64>),
    OptU64(Vec<Option<u64>>),
    /// So many nulls.
    NoU64(usize),
    F32(Vec<f32>),
    OptF32(Vec<Option<f32>>),
    /// As `F32`, of numbers that have nothing in common: they are hardly compressed.
    DenseF32(Vec<f32>),
    /// As `FewU32`, whose places they may share.
    FewF32 {
        values: Vec<f32>,
        places: Arc<Vec<u16>>,
    },
    F64(Vec<f64>),
    OptF64(Vec<Option<f64>>),
    /// So many nulls.
    NoF64(usize),
    /// Row-major vectors of one width.
    ArrayF32 {
        values: Vec<f32>,
        width: usize,
    },
}

/// A table before it is written.
#[derive(Debug, Clone)]
pub struct Table {
    /// Its name in the contract.
    pub name: &'static str,
    /// Columns in the order of the contract.
    pub columns: Vec<(String, Column)>,
    /// Further key-value metadata, such as the unit of the values.
    pub notes: Vec<(&'static str, String)>,
}

impl Table {
    /// An empty list of columns under the name `name`.
    #[must_use]
    pub fn new(name: &'static str) -> Self {
        Self { name, columns: Vec::new(), notes: Vec::new() }
    }

    /// Adds a column.
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, column: Column) -> Self {
        self.columns.push((name.into(), column));
        self
    }
}

/// What every file says of the job that wrote it.
#[derive(Debug, Clone)]
pub struct Provenance {
    /// `job.name`
    pub job: String,
    /// Hash of the settings that change results.
    pub config_hash: String,
}

/// What became of a table: stands in run.json.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Written {
    /// Path below the run's folder.
    pub path: String,
    /// Rows of the table; `None` for what is no table.
    pub rows: Option<u64>,
    /// Size of the file.
    pub bytes: u64,
    /// Hash of the file.
    pub blake3: String,
}

impl Written {
    /// Whether the file at `path` is the one that was written: its size and hash.
    ///
    /// # Errors
    /// Where it cannot be read.
    pub fn is_at(&self, path: &Path) -> io::Result<bool> {
        let mut file = File::open(path)?;
        if file.metadata()?.len() != self.bytes {
            return Ok(false);
        }
        let mut hasher = blake3::Hasher::new();
        io::copy(&mut file, &mut hasher)?;
        Ok(hasher.finalize().to_hex().as_str() == self.blake3)
    }
}

/// Copies the table at `from`, `written` under the settings `before`, to its place in `folder`, saying the settings `now`:
/// the bytes that writing the same rows under them would give. It is for the caller to sync.
///
/// # Errors
/// [`Error::Table`] where the file does not say `before`, [`Error::Io`] where the disk fails.
pub fn copy_table(from: &Path, folder: &Path, written: &Written, before: &str, now: &str) -> Result<Written> {
    let mut bytes = std::fs::read(from).map_err(|error| Error::io("read", from, error))?;
    let refused = || Error::Table { table: written.path.clone(), message: "has other settings in it".into() };
    // A Parquet file ends in its metadata, their length, and four letters.
    let footer = bytes.len().checked_sub(8).and_then(|at| {
        let length = u32::from_le_bytes(*bytes.get(at..)?.first_chunk::<4>()?);
        Some(at.checked_sub(length as usize)?..at)
    });
    let footer = footer.and_then(|range| bytes.get_mut(range)).ok_or_else(refused)?;
    if before.len() != now.len() {
        return Err(refused());
    }
    let mut said = 0;
    for at in 0..footer.len().saturating_sub(before.len()) {
        if let Some(place) = footer.get_mut(at..at + before.len()).filter(|place| *place == before.as_bytes())
        {
            place.copy_from_slice(now.as_bytes());
            said += 1;
        }
    }
    if said == 0 {
        return Err(refused());
    }
    Ok(Written { rows: written.rows, ..write_file(&bytes, folder, &written.path)? })
}

/// Writes `table` to `folder`/`file`; it is for the caller to sync.
///
/// # Errors
/// [`Error::Io`] where the disk fails, [`Error::Table`] where the columns do not make a table.
pub fn write_table(table: Table, folder: &Path, file: &str, provenance: &Provenance) -> Result<Written> {
    let path = folder.join(file);
    let refused = |error: PolarsError| Error::Table { table: file.to_owned(), message: error.to_string() };
    let metadata = metadata(&table, provenance);
    let mut sink = create(&path)?;
    let outcome = encode(table, metadata, &mut sink);
    match (outcome, sink.failure()) {
        (_, Some(failure)) => Err(Error::io("write", &path, failure)),
        (Err(error), None) => Err(refused(error)),
        (Ok(rows), None) => finish(sink, &path, file, Some(rows as u64)),
    }
}

/// Writes a table as Parquet and gives the number of its rows.
fn encode(table: Table, mut metadata: Vec<(String, String)>, sink: &mut impl Write) -> PolarsResult<usize> {
    let (mut schema, mut columns) = (ArrowSchema::default(), Vec::new());
    for (name, column) in table.columns {
        let column = encoded(&name.as_str().into(), column)?;
        let field = ArrowField::new(name.into(), column.dtype().clone(), true);
        schema.insert(field.name.clone(), field);
        columns.push(column);
    }
    let rows = columns.first().map_or(0, Encoded::rows);
    metadata.extend(arrow_schema(&schema));
    let options = WriteOptions {
        statistics: StatisticsOptions::default(),
        version: Version::V1,
        compression: CompressionOptions::Zstd(None),
        data_page_size: None,
    };
    let mut writer = FileWriter::try_new(sink, schema, options)?;
    let types = writer.parquet_schema().fields().to_vec();
    for start in (0..rows).step_by(GROUP_ROWS) {
        let len = GROUP_ROWS.min(rows - start);
        writer.write(len as u64, row_group(&columns, &types, &(start..start + len), options)?)?;
    }
    let metadata = metadata.into_iter().map(|(key, value)| KeyValue { key, value: Some(value) });
    writer.end(Some(metadata.collect()))?;
    Ok(rows)
}

/// Writes any other file of a run; it is for the caller to sync.
///
/// # Errors
/// [`Error::Io`] where the disk fails.
pub fn write_file(contents: &[u8], folder: &Path, file: &str) -> Result<Written> {
    stream_file(folder, file, |sink| sink.write_all(contents))
}

/// Writes what `work` gives to a file of a run, synced to disk.
///
/// # Errors
/// [`Error::Io`] where the disk fails.
pub fn stream_file(
    folder: &Path,
    file: &str,
    work: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> Result<Written> {
    let path = folder.join(file);
    let mut sink = create(&path)?;
    work(&mut sink).map_err(|error| Error::io("write", &path, error))?;
    finish(sink, &path, file, None)
}

fn metadata(table: &Table, provenance: &Provenance) -> Vec<(String, String)> {
    let own = [
        ("schema_version", SCHEMA_VERSION),
        ("table", table.name),
        ("job", &provenance.job),
        ("config_hash", &provenance.config_hash),
        ("wordwave", env!("CARGO_PKG_VERSION")),
    ];
    let own = own.into_iter().map(|(key, value)| (key.to_owned(), value.to_owned()));
    own.chain(table.notes.iter().map(|(key, value)| ((*key).to_owned(), value.clone()))).collect()
}

/// The Arrow schema that readers take their types from. polars would write its own string views, which pyarrow reads but
/// hardly computes with, and which other readers do not know.
fn arrow_schema(schema: &ArrowSchema) -> Option<(String, String)> {
    let plain = |field: &ArrowField| {
        let dtype = match &field.dtype {
            ArrowDataType::Dictionary(_, values, _) => values,
            dtype => dtype,
        };
        let dtype = if *dtype == ArrowDataType::Utf8View { &ArrowDataType::LargeUtf8 } else { dtype };
        let dtype = dtype.clone();
        (field.name.clone(), ArrowField::new(field.name.clone(), dtype, true))
    };
    let entry = polars_parquet::write::schema_to_metadata_key(&schema.iter_values().map(plain).collect());
    Some((entry.key, entry.value?))
}

/// A column as it is written, and how.
fn encoded(name: &PlSmallStr, column: Column) -> PolarsResult<Encoded> {
    // A dictionary of measurements would be as long as they are.
    let is_measurement = matches!(column, Column::F32(_) | Column::OptF32(_) | Column::DenseF32(_));
    let is_dense = matches!(column, Column::DenseF32(_));
    let array: ArrayRef = match column {
        Column::Rising(values) => return Ok(Encoded::Rising(values)),
        Column::Runs { values, lengths } => return Ok(Encoded::Runs { values, lengths }),
        Column::NoU64(rows) => return Ok(nulls(PrimitiveArray::from_vec(vec![0_u64]), rows)),
        Column::NoF64(rows) => return Ok(nulls(PrimitiveArray::from_vec(vec![0.0_f64]), rows)),
        // polars would make eight million zeros for them.
        Column::OptStr(values) if values.iter().all(Option::is_none) => {
            return Ok(nulls(Utf8ViewArray::from_slice_values([""]), values.len()));
        }
        Column::OptU64(values) if values.iter().all(Option::is_none) => {
            return Ok(nulls(PrimitiveArray::from_vec(vec![0_u64]), values.len()));
        }
        Column::OptF64(values) if values.iter().all(Option::is_none) => {
            return Ok(nulls(PrimitiveArray::from_vec(vec![0.0_f64]), values.len()));
        }
        Column::FewU32 { values, places } => {
            return Ok(Encoded::Few { values: PrimitiveArray::from_vec(values).boxed(), places });
        }
        Column::FewF32 { values, places } if values.iter().all(|value| value.is_finite()) => {
            return Ok(Encoded::Few { values: PrimitiveArray::from_vec(values).boxed(), places });
        }
        Column::Distinct(texts) => return Ok(Encoded::Texts(texts)),
        Column::Digests(digests) => return Ok(Encoded::Digests(digests)),
        Column::Text(texts) => Utf8ViewArray::from_slice_values(texts.iter().collect::<Vec<&str>>()).boxed(),
        Column::Shared(texts) => Utf8ViewArray::from_slice_values(texts).boxed(),
        Column::U32(values) => PrimitiveArray::from_vec(values).boxed(),
        Column::U64(values) => PrimitiveArray::from_vec(values).boxed(),
        Column::F32(values) | Column::DenseF32(values) if values.iter().all(|value| value.is_finite()) => {
            PrimitiveArray::from_vec(values).boxed()
        }
        Column::F64(values) if values.iter().all(|value| value.is_finite()) => {
            PrimitiveArray::from_vec(values).boxed()
        }
        Column::Repeated { values, places } => {
            let values = Utf8ViewArray::from_slice_values(values).boxed();
            DictionaryArray::try_from_keys(PrimitiveArray::from_vec(places), values, false)?.boxed()
        }
        column => series(name.clone(), column)?.rechunk().to_arrow(0, CompatLevel::newest()),
    };
    let encodings = match () {
        () if is_measurement => vec![Encoding::Plain],
        () => get_dtype_encoding(array.dtype()),
    };
    Ok(Encoded::Array { array, encodings, is_dense })
}

fn nulls(like: impl Array, rows: usize) -> Encoded {
    Encoded::Nulls { like: Box::new(like), rows }
}

pub(super) fn frame(table: Table) -> PolarsResult<DataFrame> {
    let columns: PolarsResult<Vec<PolarsColumn>> = table
        .columns
        .into_iter()
        .map(|(name, column)| Ok(series(name.into(), column)?.into_column()))
        .collect();
    DataFrame::new_infer_height(columns?)
}

fn series(name: PlSmallStr, column: Column) -> PolarsResult<Series> {
    Ok(match column {
        Column::Str(values) => Series::new(name, values),
        Column::Text(texts) | Column::Distinct(texts) => {
            Series::new(name, texts.iter().collect::<Vec<&str>>())
        }
        Column::Digests(digests) => {
            Series::new(name, digests.iter().map(ToString::to_string).collect::<Vec<String>>())
        }
        Column::Repeated { values, places } => {
            let value = |place: u32| values.get(place as usize).map(String::as_str);
            Series::new(name, places.into_iter().map(value).collect::<Vec<Option<&str>>>())
        }
        Column::Runs { values, lengths } => {
            let runs = values.iter().zip(lengths);
            let values = runs.flat_map(|(value, length)| std::iter::repeat_n(value, length as usize));
            Series::new(name, values.collect::<Vec<&str>>())
        }
        Column::Shared(values) => {
            Series::new(name, values.iter().map(|value| &**value).collect::<Vec<&str>>())
        }
        Column::FewU32 { values, places } => Series::new(name, named(&values, &places)),
        Column::FewF32 { values, places } => series(name, Column::OptF32(named(&values, &places)))?,
        Column::DenseF32(values) => series(name, Column::F32(values))?,
        Column::OptStr(values) => Series::new(name, values),
        Column::U16(values) => Series::new(name, values),
        Column::OptU16(values) => Series::new(name, values),
        Column::OptU32(values) => Series::new(name, values),
        Column::U32(values) | Column::Rising(values) => Series::new(name, values),
        Column::U64(values) => Series::new(name, values),
        Column::OptU64(values) => Series::new(name, values),
        Column::F32(values) if values.iter().all(|value| value.is_finite()) => Series::new(name, values),
        Column::F32(values) => Series::new(name, finite32(values.into_iter().map(Some))),
        Column::OptF32(values) => Series::new(name, finite32(values)),
        Column::F64(values) if values.iter().all(|value| value.is_finite()) => Series::new(name, values),
        Column::F64(values) => Series::new(name, finite64(values.into_iter().map(Some))),
        Column::OptF64(values) => Series::new(name, finite64(values)),
        Column::NoU64(rows) => Series::full_null(name, rows, &DataType::UInt64),
        Column::NoF64(rows) => Series::full_null(name, rows, &DataType::Float64),
        Column::ArrayF32 { values, width } => vectors(name, values, width)?,
    })
}

/// The value that stands at each of the places.
fn named<T: Copy>(values: &[T], places: &[u16]) -> Vec<Option<T>> {
    places.iter().map(|&place| values.get(usize::from(place)).copied()).collect()
}

fn finite32(values: impl IntoIterator<Item = Option<f32>>) -> Vec<Option<f32>> {
    values.into_iter().map(|value| value.filter(|value| value.is_finite())).collect()
}

fn finite64(values: impl IntoIterator<Item = Option<f64>>) -> Vec<Option<f64>> {
    values.into_iter().map(|value| value.filter(|value| value.is_finite())).collect()
}

fn vectors(name: PlSmallStr, values: Vec<f32>, width: usize) -> PolarsResult<Series> {
    if values.is_empty() {
        return Ok(Series::new_empty(name, &DataType::Array(Box::new(DataType::Float32), width)));
    }
    let shape = [ReshapeDimension::Infer, ReshapeDimension::new(width as i64)];
    Series::new(name, values).reshape_array(&shape)
}

/// A file that is hashed and counted while it is written.
fn create(path: &Path) -> Result<Hashed<BufWriter<File>>> {
    let file = File::create(path).map_err(|error| Error::io("create", path, error))?;
    Ok(Hashed::new(BufWriter::with_capacity(1 << 18, file), blake3::Hasher::new()))
}

fn finish(mut sink: Hashed<BufWriter<File>>, path: &Path, file: &str, rows: Option<u64>) -> Result<Written> {
    sink.flush().map_err(|error| Error::io("write", path, error))?;
    let (bytes, blake3) = (sink.bytes(), sink.hash().to_hex().to_string());
    Ok(Written { path: file.to_owned(), rows, bytes, blake3 })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn provenance() -> Provenance {
        Provenance { job: "test".into(), config_hash: "abc".into() }
    }

    fn sample() -> Table {
        Table::new("embeddings")
            .with("term", Column::Str(vec!["rain".into(), "wind".into()]))
            .with("count", Column::U64(vec![3, 2]))
            .with("ratio", Column::F64(vec![f64::NAN, 0.5]))
            .with("vector", Column::ArrayF32 { values: vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0], width: 3 })
    }

    #[test]
    fn the_same_table_gives_the_same_bytes() {
        let folder = tempfile::tempdir().unwrap();
        let a = write_table(sample(), folder.path(), "a.parquet", &provenance()).unwrap();
        let b = write_table(sample(), folder.path(), "b.parquet", &provenance()).unwrap();
        assert_eq!((a.rows, &a.blake3), (Some(2), &b.blake3));
        let on_disk = std::fs::read(folder.path().join("a.parquet")).unwrap();
        assert_eq!((on_disk.len() as u64, blake3::hash(&on_disk).to_hex().to_string()), (a.bytes, a.blake3));
    }

    #[test]
    fn a_table_copied_under_other_settings_is_the_one_written_under_them() {
        let folder = tempfile::tempdir().unwrap();
        let write = |file: &str, config_hash: &str| {
            let provenance = Provenance { config_hash: config_hash.into(), ..provenance() };
            write_table(sample(), folder.path(), file, &provenance).unwrap()
        };
        let (before, now) = ("0123456789abcdef", "fedcba9876543210");
        let (old, new) = (write("old.parquet", before), write("new.parquet", now));
        let from = folder.path().join("old.parquet");
        let place = Written { path: "copy.parquet".into(), ..old };
        let copied = copy_table(&from, folder.path(), &place, before, now).unwrap();
        assert_eq!((copied.blake3, copied.rows), (new.blake3, new.rows));
        assert!(copy_table(&from, folder.path(), &place, "another", now).is_err());
    }

    #[test]
    fn an_empty_table_is_written_with_its_columns() {
        let folder = tempfile::tempdir().unwrap();
        let table = Table::new("embeddings")
            .with("term", Column::Str(Vec::new()))
            .with("vector", Column::ArrayF32 { values: Vec::new(), width: 8 });
        assert_eq!(write_table(table, folder.path(), "e.parquet", &provenance()).unwrap().rows, Some(0));
    }

    #[test]
    fn a_folder_that_is_not_there_is_an_io_error() {
        let error =
            write_table(sample(), Path::new("/nowhere/at/all"), "a.parquet", &provenance()).unwrap_err();
        assert_eq!(error.exit_code(), 74);
    }
}
