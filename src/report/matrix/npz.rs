//! Compressed sparse rows as `scipy.sparse.save_npz` writes them: arrays in NumPy's format 1.0, in a ZIP archive.
//!
//! The archive is written here: its members lie in it uncompressed, so that it is little more than the arrays with their sums. It
//! has ZIP64 fields throughout (APPNOTE.TXT 6.3.10, 4.5.3), and no times, so that the same run gives the same bytes.

use std::io::{Seek, SeekFrom, Write};

use flate2::Crc;

use super::{MatrixValues, Row, Sink, TermMatrix};
use crate::error::{Error, Result};

/// Matrices with no more entries and columns have indices of four bytes, as scipy's own have.
const NARROW: u64 = i32::MAX as u64;

pub(super) fn write(matrix: &TermMatrix<'_>, sink: &mut Sink<'_, impl Write + Seek>) -> Result<()> {
    let mut ends: Vec<u64> = vec![0];
    let mut entries = 0;
    matrix.for_each_row(|row| {
        entries += row.terms.len() as u64;
        ends.push(entries);
        Ok(())
    })?;
    let (rows, columns) = (matrix.documents().len() as u64, matrix.terms().len() as u64);
    let narrow = entries <= NARROW && columns <= NARROW && rows <= NARROW;
    let index = if narrow { Kind { name: "<i4", bytes: 4 } } else { Kind { name: "<i8", bytes: 8 } };
    let value = match matrix.values {
        MatrixValues::Weights => Kind { name: "<f4", bytes: 4 },
        MatrixValues::Counts => Kind { name: "<i8", bytes: 8 },
    };
    // Little-endian, so that the shorter form is the beginning of the longer one.
    let put_index =
        |bytes: &mut Vec<u8>, number: u64| bytes.extend_from_slice(&number.to_le_bytes()[..index.bytes]);
    let mut archive = Archive { sink, members: Vec::new() };
    archive.array("indices", index, Some(entries), |put| {
        each_row(matrix, put, |bytes, row| {
            row.terms.iter().for_each(|&term| put_index(bytes, u64::from(term)));
        })
    })?;
    archive.array("indptr", index, Some(ends.len() as u64), |put| {
        ends.chunks(1 << 16).try_for_each(|ends| {
            let mut bytes = Vec::with_capacity(ends.len() * index.bytes);
            ends.iter().for_each(|end| put_index(&mut bytes, *end));
            put(&bytes)
        })
    })?;
    archive.array("format", Kind { name: "|S3", bytes: 3 }, None, |put| put(b"csr"))?;
    archive.array("shape", Kind { name: "<i8", bytes: 8 }, Some(2), |put| {
        put(&rows.to_le_bytes())?;
        put(&columns.to_le_bytes())
    })?;
    archive.array("data", value, Some(entries), |put| {
        each_row(matrix, put, |bytes, row| match matrix.values {
            MatrixValues::Weights => {
                row.values.iter().for_each(|value| bytes.extend_from_slice(&(*value as f32).to_le_bytes()));
            }
            MatrixValues::Counts => {
                row.values.iter().for_each(|value| bytes.extend_from_slice(&(*value as i64).to_le_bytes()));
            }
        })
    })?;
    archive.finish()
}

/// Writes what `append` makes of each document.
fn each_row(
    matrix: &TermMatrix<'_>,
    put: &mut dyn FnMut(&[u8]) -> Result<()>,
    append: impl Fn(&mut Vec<u8>, &Row<'_>),
) -> Result<()> {
    let mut bytes = Vec::new();
    matrix.for_each_row(|row| {
        bytes.clear();
        append(&mut bytes, &row);
        put(&bytes)
    })
}

/// A type of NumPy's, with the bytes of an element.
#[derive(Clone, Copy)]
struct Kind {
    name: &'static str,
    bytes: usize,
}

/// What precedes an array in a .npy file; `None` is the shape of a single value.
fn npy_header(kind: Kind, length: Option<u64>) -> Vec<u8> {
    let shape = length.map_or_else(|| "()".to_owned(), |length| format!("({length},)"));
    let mut header = format!("{{'descr': '{}', 'fortran_order': False, 'shape': {shape}, }}", kind.name);
    // With magic, version and length the header is a multiple of 64 bytes.
    while !(10 + header.len() + 1).is_multiple_of(64) {
        header.push(' ');
    }
    header.push('\n');
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend_from_slice(&(header.len() as u16).to_le_bytes());
    bytes.extend_from_slice(header.as_bytes());
    bytes
}

/// A ZIP archive of uncompressed members.
struct Archive<'s, 'a, W> {
    sink: &'s mut Sink<'a, W>,
    members: Vec<Member>,
}

struct Member {
    name: String,
    crc: u32,
    size: u64,
    start: u64,
}

/// ZIP64 was introduced with version 4.5 of the format.
const VERSION: u16 = 45;
/// 1 January 1980, midnight: the earliest that the format can say.
const DATE: u16 = 0x21;
/// A field that stands in the ZIP64 fields instead.
const ELSEWHERE: u32 = u32::MAX;

impl<W: Write + Seek> Archive<'_, '_, W> {
    fn place(&mut self) -> Result<u64> {
        self.sink.sink.stream_position().map_err(|error| Error::io("write", self.sink.path, error))
    }

    /// Writes an array that `fill` gives piece by piece.
    fn array(
        &mut self,
        name: &str,
        kind: Kind,
        length: Option<u64>,
        fill: impl FnOnce(&mut dyn FnMut(&[u8]) -> Result<()>) -> Result<()>,
    ) -> Result<()> {
        let header = npy_header(kind, length);
        let size = header.len() as u64 + length.unwrap_or(1) * kind.bytes as u64;
        let start = self.place()?;
        let mut member = Member { name: format!("{name}.npy"), crc: 0, size, start };
        self.sink.put(&member.local_header())?;
        let mut crc = Crc::new();
        let sink = &mut *self.sink;
        let mut put = |bytes: &[u8]| {
            crc.update(bytes);
            sink.put(bytes)
        };
        put(&header)?;
        fill(&mut put)?;
        // The sum is known now: it goes into the header, which is written again.
        member.crc = crc.sum();
        let header = member.local_header();
        let end = self.place()?;
        let written = end.saturating_sub(start + header.len() as u64);
        if written != size {
            let message = format!(
                "{name} came to {written} bytes where {size} were announced: the run changes while it is read"
            );
            return Err(Error::Table { table: self.sink.path.display().to_string(), message });
        }
        self.go(start)?;
        self.sink.put(&header)?;
        self.go(end)?;
        self.members.push(member);
        Ok(())
    }

    fn go(&mut self, place: u64) -> Result<()> {
        let moved = self.sink.sink.seek(SeekFrom::Start(place));
        moved.map(drop).map_err(|error| Error::io("write", self.sink.path, error))
    }

    /// Writes the directory of the members.
    fn finish(mut self) -> Result<()> {
        let start = self.place()?;
        let directory: Vec<u8> = self.members.iter().flat_map(Member::directory_entry).collect();
        self.sink.put(&directory)?;
        let (count, size) = (self.members.len() as u64, directory.len() as u64);
        let end = start + size;
        let mut record = Bytes::default();
        record.u32(0x0606_4b50).u64(44).u16(VERSION).u16(VERSION).u32(0).u32(0);
        record.u64(count).u64(count).u64(size).u64(start);
        record.u32(0x0706_4b50).u32(0).u64(end).u32(1);
        record
            .u32(0x0605_4b50)
            .u16(0)
            .u16(0)
            .u16(u16::MAX)
            .u16(u16::MAX)
            .u32(ELSEWHERE)
            .u32(ELSEWHERE)
            .u16(0);
        self.sink.put(&record.0)
    }
}

impl Member {
    /// What both headers have in common, from the version to the lengths of name and extra fields.
    fn description(&self, bytes: &mut Bytes, extra: u16) {
        bytes.u16(VERSION).u16(0).u16(0).u16(0).u16(DATE).u32(self.crc).u32(ELSEWHERE).u32(ELSEWHERE);
        bytes.u16(self.name.len() as u16).u16(extra);
    }

    fn local_header(&self) -> Vec<u8> {
        let mut bytes = Bytes::default();
        bytes.u32(0x0403_4b50);
        self.description(&mut bytes, 20);
        bytes.0.extend_from_slice(self.name.as_bytes());
        bytes.u16(1).u16(16).u64(self.size).u64(self.size);
        bytes.0
    }

    fn directory_entry(&self) -> Vec<u8> {
        let mut bytes = Bytes::default();
        bytes.u32(0x0201_4b50).u16(VERSION);
        self.description(&mut bytes, 28);
        bytes.u16(0).u16(0).u16(0).u32(0).u32(ELSEWHERE);
        bytes.0.extend_from_slice(self.name.as_bytes());
        bytes.u16(1).u16(24).u64(self.size).u64(self.size).u64(self.start);
        bytes.0
    }
}

/// Numbers in little-endian order, one after another.
#[derive(Default)]
struct Bytes(Vec<u8>);

impl Bytes {
    fn u16(&mut self, number: u16) -> &mut Self {
        self.0.extend_from_slice(&number.to_le_bytes());
        self
    }

    fn u32(&mut self, number: u32) -> &mut Self {
        self.0.extend_from_slice(&number.to_le_bytes());
        self
    }

    fn u64(&mut self, number: u64) -> &mut Self {
        self.0.extend_from_slice(&number.to_le_bytes());
        self
    }
}
