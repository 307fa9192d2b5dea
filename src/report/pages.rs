//! A column of a table as pages of a Parquet file, encoded by polars and compressed as hard as its encoding is worth.

use polars::error::{PolarsError, PolarsResult};
use polars::prelude::ArrayRef;
use polars_parquet::parquet::CowBuffer;
use polars_parquet::parquet::compression::Compression;
use polars_parquet::parquet::page::{CompressedDictPage, Page};
use polars_parquet::write::{
    CompressedDataPage, CompressedPage, DynIter, DynStreamingIterator, Encoding, FallibleStreamingIterator,
    ParquetType, RowGroupIterColumns, WriteOptions, array_to_columns,
};
use zstd::bulk::Compressor;

/// Tables are written every night and read seldom: higher levels take several times as long for a tenth of the size.
const LEVEL: i32 = 1;
/// Differences packed to the bit, and measurements with nothing in common, lose a tenth at most in a tenth of the writing speed.
const DENSE_LEVEL: i32 = -20;

/// A column as it is written.
#[derive(Clone)]
pub(super) struct Encoded {
    pub array: ArrayRef,
    pub encodings: Vec<Encoding>,
    /// Whether compressing it gains next to nothing.
    pub is_dense: bool,
}

/// The rows `start..start + len` of the columns as a row group; `types` are theirs.
pub(super) fn row_group<'a>(
    columns: &'a [Encoded],
    types: &'a [ParquetType],
    (start, len): (usize, usize),
    options: WriteOptions,
) -> PolarsResult<RowGroupIterColumns<'a, PolarsError>> {
    let mut leaves = Vec::new();
    for (column, of_column) in columns.iter().zip(types) {
        let level = if column.is_dense { DENSE_LEVEL } else { LEVEL };
        let array = column.array.sliced(start, len);
        for pages in array_to_columns(array, of_column.clone(), options, &column.encodings)? {
            leaves.push(Ok(DynStreamingIterator::new(Compressing::new(pages, level)?)));
        }
    }
    Ok(DynIter::new(leaves.into_iter()))
}

/// The pages of a column, one after the other, through one compressor: polars makes one for every page.
struct Compressing {
    pages: DynIter<'static, PolarsResult<Page>>,
    compressor: Compressor<'static>,
    page: Option<CompressedPage>,
}

impl Compressing {
    fn new(pages: DynIter<'static, PolarsResult<Page>>, level: i32) -> PolarsResult<Self> {
        Ok(Self { pages, compressor: Compressor::new(level)?, page: None })
    }

    fn compress(&mut self, page: Page) -> PolarsResult<CompressedPage> {
        Ok(match page {
            // Of a page of the first version everything is compressed, levels too.
            Page::Data(page) => {
                let bytes = self.compressor.compress(page.buffer())?;
                CompressedPage::Data(CompressedDataPage::new(
                    page.header().clone(),
                    CowBuffer::Owned(bytes),
                    Compression::Zstd,
                    page.buffer().len(),
                    page.descriptor.clone(),
                    page.num_rows.unwrap_or_else(|| page.header().num_values()),
                ))
            }
            Page::Dict(page) => {
                let bytes = self.compressor.compress(&page.buffer)?;
                CompressedPage::Dict(CompressedDictPage::new(
                    CowBuffer::Owned(bytes),
                    Compression::Zstd,
                    page.buffer.len(),
                    page.num_values,
                    page.is_sorted,
                ))
            }
        })
    }
}

impl FallibleStreamingIterator for Compressing {
    type Item = CompressedPage;
    type Error = PolarsError;

    fn advance(&mut self) -> PolarsResult<()> {
        self.page = self.pages.next().transpose()?.map(|page| self.compress(page)).transpose()?;
        Ok(())
    }

    fn get(&self) -> Option<&CompressedPage> {
        self.page.as_ref()
    }
}
