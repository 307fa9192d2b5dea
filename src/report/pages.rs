//! A column of a table as pages of a Parquet file, encoded by polars and compressed as hard as its encoding is worth.

use std::cell::RefCell;
use std::io;

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
            leaves.push(Ok(DynStreamingIterator::new(Compressing { pages, level, page: None })));
        }
    }
    Ok(DynIter::new(leaves.into_iter()))
}

thread_local! {
    /// Of this thread: it holds a megabyte, which polars would ask the system for with every page.
    static COMPRESSOR: RefCell<Option<Compressor<'static>>> = const { RefCell::new(None) };
}

/// `bytes` at this level of zstd. What a compressor did before does not show in what it gives.
fn compressed(bytes: &[u8], level: i32) -> io::Result<Vec<u8>> {
    COMPRESSOR.with_borrow_mut(|compressor| {
        let compressor = match compressor {
            Some(compressor) => compressor,
            None => compressor.insert(Compressor::new(level)?),
        };
        compressor.set_compression_level(level)?;
        compressor.compress(bytes)
    })
}

/// The pages of a column, one after the other.
struct Compressing {
    pages: DynIter<'static, PolarsResult<Page>>,
    level: i32,
    page: Option<CompressedPage>,
}

impl Compressing {
    fn compress(&self, page: Page) -> PolarsResult<CompressedPage> {
        Ok(match page {
            // Of a page of the first version everything is compressed, levels too.
            Page::Data(page) => {
                let bytes = compressed(page.buffer(), self.level)?;
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
                let bytes = compressed(&page.buffer, self.level)?;
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_compressed_before_does_not_show() {
        let texts: Vec<Vec<u8>> =
            (1..9_usize).map(|n| (0..n * 40_000).map(|i| (i * i / (n * 7) % 251) as u8).collect()).collect();
        let alone = |text: &[u8], level| Compressor::new(level).unwrap().compress(text).unwrap();
        for level in [LEVEL, DENSE_LEVEL, LEVEL] {
            for text in texts.iter().chain(texts.iter().rev()) {
                assert_eq!(compressed(text, level).unwrap(), alone(text, level));
            }
        }
    }
}
