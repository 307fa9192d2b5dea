//! A column of a table as pages of a Parquet file, encoded by polars, or here where more is known of it, and compressed as hard as
//! its encoding is worth.

use std::cell::RefCell;
use std::io;
use std::ops::Range;
use std::sync::Arc;

use polars::error::{PolarsError, PolarsResult};
use polars::prelude::{ArrayRef, ArrowDataType};
use polars_arrow::array::{DictionaryArray, PrimitiveArray, Utf8ViewArray};
use polars_parquet::parquet::CowBuffer;
use polars_parquet::parquet::compression::Compression;
use polars_parquet::parquet::page::{CompressedDictPage, DataPageHeader, Page};
use polars_parquet::write::{
    CompressedDataPage, CompressedPage, DynIter, DynStreamingIterator, Encoding, FallibleStreamingIterator,
    ParquetType, RowGroupIterColumns, Version, WriteOptions, array_to_columns, write_def_levels,
};
use zstd::bulk::Compressor;
use zstd::zstd_safe::{CParameter, ParamSwitch};

use super::encodings;
use crate::corpus::Digest;
use crate::text::TermList;

/// Tables are written every night and read seldom: higher levels take several times as long for a tenth of the size.
const LEVEL: i32 = 1;
/// Differences packed to the bit, and measurements with nothing in common, lose a tenth at most, and that takes ten times as long.
const DENSE_LEVEL: i32 = -100;

/// How hard bytes are compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Effort {
    /// At [`LEVEL`].
    Full,
    /// At [`DENSE_LEVEL`].
    Little,
    /// So, but with fewer bits for frequent bytes: what digits need in which nothing is said twice.
    Symbols,
}

const ZSTD: Compression = Compression::Zstd;

/// A column as it is written.
#[derive(Clone)]
pub(super) enum Encoded {
    /// By polars, in pages of its choice.
    Array {
        array: ArrayRef,
        encodings: Vec<Encoding>,
        /// Whether compressing it gains next to nothing.
        is_dense: bool,
    },
    /// Texts as they are.
    Texts(TermList),
    /// Hashes, as hexadecimal digits.
    Digests(Vec<Digest>),
    /// Each of the values in so many rows, one after the other.
    Runs { values: TermList, lengths: Vec<u32> },
    /// Few values: the place of each row's.
    Few { values: ArrayRef, places: Arc<Vec<u16>> },
    /// Numbers as the differences between them.
    Rising(Vec<u32>),
    /// So many nulls, of the type of `like`, which has one value.
    Nulls { like: ArrayRef, rows: usize },
}

impl Encoded {
    pub fn rows(&self) -> usize {
        match self {
            Self::Array { array, .. } => array.len(),
            Self::Texts(texts) => texts.len(),
            Self::Digests(digests) => digests.len(),
            Self::Runs { lengths, .. } => lengths.iter().map(|length| *length as usize).sum(),
            Self::Few { places, .. } => places.len(),
            Self::Rising(values) => values.len(),
            Self::Nulls { rows, .. } => *rows,
        }
    }

    pub fn dtype(&self) -> &ArrowDataType {
        match self {
            Self::Array { array, .. } => array.dtype(),
            Self::Texts(_) | Self::Digests(_) | Self::Runs { .. } => &ArrowDataType::Utf8View,
            Self::Few { values, .. } => values.dtype(),
            Self::Rising(_) => &ArrowDataType::UInt32,
            Self::Nulls { like, .. } => like.dtype(),
        }
    }
}

/// The rows of the columns as a row group; `types` are theirs.
pub(super) fn row_group<'a>(
    columns: &'a [Encoded],
    types: &'a [ParquetType],
    rows: &Range<usize>,
    options: WriteOptions,
) -> PolarsResult<RowGroupIterColumns<'a, PolarsError>> {
    let mut leaves = Vec::new();
    let mut shared = SharedKeys::default();
    for (column, of_column) in columns.iter().zip(types) {
        if let Encoded::Array { array, encodings, is_dense } = column {
            let effort = if *is_dense { Effort::Little } else { Effort::Full };
            let array = array.sliced(rows.start, rows.len());
            for pages in array_to_columns(array, of_column.clone(), options, encodings)? {
                let pages: Pages = Box::new(pages.map(move |page| compress(page?, effort)));
                leaves.push(Ok(DynStreamingIterator::new(OneByOne { pages, page: None })));
            }
        } else {
            let pages = own_pages(column, of_column, rows, options, &mut shared)?;
            let pages: Pages = Box::new(pages.into_iter().map(Ok));
            leaves.push(Ok(DynStreamingIterator::new(OneByOne { pages, page: None })));
        }
    }
    Ok(DynIter::new(leaves.into_iter()))
}

/// The rows of a page, compressed, their bytes before that, and how many they are.
#[derive(Clone)]
struct Body {
    bytes: Vec<u8>,
    before: usize,
    rows: usize,
}

impl Body {
    /// So many rows, none of them null, that `append` writes.
    fn of<T>(rows: usize, effort: Effort, append: impl FnOnce(&mut Vec<u8>) -> T) -> PolarsResult<(Self, T)> {
        let mut bytes = Vec::new();
        write_def_levels(&mut bytes, true, None, rows, Version::V1)?;
        let outcome = append(&mut bytes);
        Ok((Self { bytes: compressed(&bytes, effort)?, before: bytes.len(), rows }, outcome))
    }
}

/// The keys of a column that may be those of the next one too.
#[derive(Default)]
struct SharedKeys(Option<(Arc<Vec<u16>>, Body)>);

impl SharedKeys {
    fn of(&mut self, places: &Arc<Vec<u16>>, rows: &Range<usize>, most: usize) -> PolarsResult<Body> {
        if let Some((_, body)) = self.0.as_ref().filter(|(known, _)| Arc::ptr_eq(known, places)) {
            return Ok(body.clone());
        }
        let places_of_rows = &places[rows.clone()];
        let append = |bytes: &mut Vec<u8>| encodings::keys(bytes, places_of_rows, most as u16);
        let (body, ()) = Body::of(rows.len(), Effort::Full, append)?;
        self.0 = Some((Arc::clone(places), body.clone()));
        Ok(body)
    }
}

/// The pages of a column that is encoded here.
fn own_pages(
    column: &Encoded,
    of_column: &ParquetType,
    rows: &Range<usize>,
    options: WriteOptions,
    shared: &mut SharedKeys,
) -> PolarsResult<Vec<CompressedPage>> {
    let are_null = matches!(column, Encoded::Nulls { .. });
    let pages = |sample: ArrayRef, encoding, body: &Body| -> PolarsResult<Vec<CompressedPage>> {
        let of_sample = array_to_columns(sample, of_column.clone(), options, &[encoding])?;
        let pages = of_sample.into_iter().flatten();
        pages.map(|page| page.and_then(|page| with_rows(page, body, are_null))).collect()
    };
    match column {
        Encoded::Array { .. } => Ok(Vec::new()),
        Encoded::Texts(texts) => {
            let mut all = Vec::new();
            for rows in pages_of_texts(texts, rows) {
                let texts = || texts.iter().skip(rows.start).take(rows.len());
                let append = |bytes: &mut Vec<u8>| {
                    bytes.reserve(texts().map(|text| encodings::TEXT_HEAD + text.len()).sum());
                    texts().for_each(|text| encodings::text(bytes, text));
                };
                let (body, ()) = Body::of(rows.len(), Effort::Full, append)?;
                let range = [texts().min(), texts().max()].map(Option::unwrap_or_default);
                all.extend(pages(Utf8ViewArray::from_slice_values(range).boxed(), Encoding::Plain, &body)?);
            }
            Ok(all)
        }
        Encoded::Digests(digests) => {
            let mut all = Vec::new();
            for digests in digests[rows.clone()].chunks(PAGE_BYTES / Digest::DIGITS) {
                let append = |bytes: &mut Vec<u8>| {
                    bytes.reserve(digests.len() * (encodings::TEXT_HEAD + Digest::DIGITS));
                    digests.iter().for_each(|digest| encodings::text(bytes, &digest.to_hex()));
                };
                let (body, ()) = Body::of(digests.len(), Effort::Symbols, append)?;
                let range = digests.iter().min().into_iter().chain(digests.iter().max());
                let range: Vec<String> = range.map(ToString::to_string).collect();
                all.extend(pages(Utf8ViewArray::from_slice_values(range).boxed(), Encoding::Plain, &body)?);
            }
            Ok(all)
        }
        Encoded::Runs { values, lengths } => {
            let (values, lengths) = part_of_runs(values, lengths, rows);
            let (body, ()) = Body::of(rows.len(), Effort::Full, |bytes| encodings::runs(bytes, &lengths))?;
            let values = each_once(Utf8ViewArray::from_slice_values(values).boxed())?;
            pages(values, Encoding::RleDictionary, &body)
        }
        Encoded::Few { values, places } => {
            let body = shared.of(places, rows, values.len().saturating_sub(1))?;
            pages(each_once(values.clone())?, Encoding::RleDictionary, &body)
        }
        Encoded::Rising(values) => {
            let append = |bytes: &mut Vec<u8>| encodings::differences(bytes, &values[rows.clone()]);
            let (body, range) = Body::of(rows.len(), Effort::Little, append)?;
            pages(PrimitiveArray::from_vec(range.to_vec()).boxed(), Encoding::DeltaBinaryPacked, &body)
        }
        Encoded::Nulls { like, .. } => {
            // The levels that a page begins with end in the one that all rows have.
            let append = |bytes: &mut Vec<u8>| bytes.last_mut().into_iter().for_each(|level| *level = 0);
            let (body, ()) = Body::of(rows.len(), Effort::Full, append)?;
            pages(like.clone(), Encoding::Plain, &body)
        }
    }
}

/// Bytes of the texts of a page, about, as polars has them: a page must stay under 2 GiB, and texts may be of any length.
const PAGE_BYTES: usize = 1 << 20;

/// These rows in pages.
fn pages_of_texts(texts: &TermList, rows: &Range<usize>) -> Vec<Range<usize>> {
    let (mut pages, mut start, mut bytes) = (Vec::new(), rows.start, 0);
    for (row, text) in rows.clone().zip(texts.iter().skip(rows.start)) {
        bytes += text.len();
        if bytes >= PAGE_BYTES || row + 1 == rows.end {
            pages.push(start..row + 1);
            (start, bytes) = (row + 1, 0);
        }
    }
    pages
}

/// The values that stand in these rows, and in how many of them each.
fn part_of_runs<'v>(values: &'v TermList, lengths: &[u32], rows: &Range<usize>) -> (Vec<&'v str>, Vec<u32>) {
    let mut at = 0;
    let within = |(value, &length): (&'v str, &u32)| {
        let run = at..at + length as usize;
        at = run.end;
        let length = run.end.min(rows.end).saturating_sub(run.start.max(rows.start));
        (length > 0).then_some((value, length as u32))
    };
    values.iter().zip(lengths).filter_map(within).unzip()
}

/// A dictionary each of whose values stands in one row.
fn each_once(values: ArrayRef) -> PolarsResult<ArrayRef> {
    let keys = PrimitiveArray::from_vec((0..values.len() as u32).collect());
    Ok(DictionaryArray::try_from_keys(keys, values, false)?.boxed())
}

/// A page that polars made of a sample (a column's distinct values, its least and greatest, one where all are null), with the rows of
/// `body` in place of those of the sample.
fn with_rows(page: Page, body: &Body, are_null: bool) -> PolarsResult<CompressedPage> {
    let Page::Data(page) = page else { return compress(page, Effort::Full) };
    let Body { bytes, before, rows } = body.clone();
    let mut header = page.header().clone();
    if let DataPageHeader::V1(header) = &mut header {
        header.num_values = i32::try_from(rows).unwrap_or(i32::MAX);
        if let Some(statistics) = header.statistics.as_mut().filter(|_| are_null) {
            statistics.null_count = Some(rows as i64);
            (statistics.min_value, statistics.max_value) = (None, None);
        }
    }
    let bytes = CowBuffer::Owned(bytes);
    Ok(CompressedPage::Data(CompressedDataPage::new(header, bytes, ZSTD, before, page.descriptor, rows)))
}

fn compress(page: Page, effort: Effort) -> PolarsResult<CompressedPage> {
    Ok(match page {
        // Of a page of the first version everything is compressed, levels too.
        Page::Data(page) => {
            let bytes = CowBuffer::Owned(compressed(page.buffer(), effort)?);
            let (header, before) = (page.header().clone(), page.buffer().len());
            let rows = page.num_rows.unwrap_or_else(|| header.num_values());
            CompressedPage::Data(CompressedDataPage::new(header, bytes, ZSTD, before, page.descriptor, rows))
        }
        Page::Dict(page) => {
            let bytes = CowBuffer::Owned(compressed(&page.buffer, effort)?);
            let before = page.buffer.len();
            CompressedPage::Dict(CompressedDictPage::new(
                bytes,
                ZSTD,
                before,
                page.num_values,
                page.is_sorted,
            ))
        }
    })
}

thread_local! {
    /// Of this thread: it holds a megabyte, which polars would ask the system for with every page.
    static COMPRESSOR: RefCell<Option<Compressor<'static>>> = const { RefCell::new(None) };
}

/// `bytes` as zstd has them. What a compressor did before does not show in what it gives.
fn compressed(bytes: &[u8], effort: Effort) -> io::Result<Vec<u8>> {
    let level = if effort == Effort::Full { LEVEL } else { DENSE_LEVEL };
    let symbols = if effort == Effort::Symbols { ParamSwitch::Enable } else { ParamSwitch::Auto };
    COMPRESSOR.with_borrow_mut(|compressor| {
        let compressor = match compressor {
            Some(compressor) => compressor,
            None => compressor.insert(Compressor::new(level)?),
        };
        compressor.set_compression_level(level)?;
        compressor.set_parameter(CParameter::LiteralCompressionMode(symbols))?;
        compressor.compress(bytes)
    })
}

type Pages = Box<dyn Iterator<Item = PolarsResult<CompressedPage>> + Send + Sync>;

/// The pages of a column, one after the other.
struct OneByOne {
    pages: Pages,
    page: Option<CompressedPage>,
}

impl FallibleStreamingIterator for OneByOne {
    type Item = CompressedPage;
    type Error = PolarsError;

    fn advance(&mut self) -> PolarsResult<()> {
        self.page = self.pages.next().transpose()?;
        Ok(())
    }

    fn get(&self) -> Option<&CompressedPage> {
        self.page.as_ref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::File;

    use super::super::parquet::{Column, GROUP_ROWS, Provenance, Table, frame, write_table};
    use polars::prelude::{ParquetReader, SerReader};

    /// Columns that are encoded here, in more rows than a group has, read back by polars.
    #[test]
    fn tall_columns_are_read_back_as_they_were() {
        const TEXTS: [&str; 3] = ["", "größer", "a longer text"];
        let rows = GROUP_ROWS + 70_000;
        // Some have no row at all.
        let mut lengths: Vec<u32> = (0..2_300).map(|i: u32| i % 23 * 40).collect();
        lengths.push(rows as u32 - lengths.iter().sum::<u32>());
        let values: Vec<String> = (0..lengths.len()).map(|i| format!("text-{i:06}")).collect();
        let places: Arc<Vec<u16>> = Arc::new((0..rows).map(|i| (i * i / 300 % 5) as u16).collect());
        let rising = (0..rows as u32).map(|i| i % 5_000 * (1 + i % 7)).collect();
        let table = Table::new("terms")
            .with("doc_id", Column::Runs { values: values.iter().map(String::as_str).collect(), lengths })
            .with("term_id", Column::Rising(rising))
            .with(
                "count",
                Column::FewU32 { values: vec![7, 1, 5, 1_000_000, 2], places: Arc::clone(&places) },
            )
            .with("weight", Column::FewF32 { values: vec![0.5, -1.0, 0.0, 8.0, 2.0], places })
            .with("missing", Column::NoF64(rows))
            .with("missing_too", Column::NoU64(rows))
            .with("group", Column::OptStr(vec![None; rows]))
            .with("mtld", Column::OptF64(vec![None; rows]))
            .with("tokens", Column::OptU64(vec![None; rows]))
            .with("source", Column::Distinct((0..rows).map(|i| TEXTS[i % 3]).collect()))
            .with(
                "blake3",
                Column::Digests((0..rows).map(|i| Digest::of(TEXTS[i / 7 % 3].as_bytes())).collect()),
            );
        let provenance = Provenance { job: "test".into(), config_hash: "abc".into() };
        let folder = tempfile::tempdir().unwrap();
        let written = write_table(table.clone(), folder.path(), "terms.parquet", &provenance).unwrap();
        assert_eq!(written.rows, Some(rows as u64));
        let file = File::open(folder.path().join("terms.parquet")).unwrap();
        let read = ParquetReader::new(file).finish().unwrap();
        assert!(read.equals_missing(&frame(table).unwrap()));
    }

    #[test]
    fn what_was_compressed_before_does_not_show() {
        let texts: Vec<Vec<u8>> =
            (1..9_usize).map(|n| (0..n * 40_000).map(|i| (i * i / (n * 7) % 251) as u8).collect()).collect();
        let efforts = [Effort::Full, Effort::Little, Effort::Symbols];
        let alone = |text: &[u8], effort| {
            let compress = || compressed(text, effort).unwrap();
            std::thread::scope(|scope| scope.spawn(compress).join().unwrap())
        };
        for effort in efforts.into_iter().chain(efforts) {
            for text in texts.iter().chain(texts.iter().rev()) {
                assert_eq!(compressed(text, effort).unwrap(), alone(text, effort));
            }
        }
    }

    #[test]
    fn digits_take_half_their_bytes() {
        let digits: String =
            (0..500_u32).map(|i| blake3::hash(&i.to_le_bytes()).to_hex().to_string()).collect();
        let [full, little, symbols] = [Effort::Full, Effort::Little, Effort::Symbols]
            .map(|effort| compressed(digits.as_bytes(), effort).unwrap().len());
        assert!(symbols < full + 100 && symbols < digits.len() * 51 / 100 && little > digits.len() * 9 / 10);
    }
}
