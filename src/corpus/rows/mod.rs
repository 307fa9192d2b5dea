//! Files whose rows are documents: JSON lines, CSV, Parquet. A row is found once, when the file is listed, and read again alone.

mod csv;
mod jsonl;
mod parquet;
mod spool;
mod store;

use std::collections::VecDeque;
use std::io::{self, BufRead, Read};
use std::ops::Range;
use std::panic::catch_unwind;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::contents::{stream_contents, unreadable};
use super::digest::Digest;
use super::quarantine::Unusable;
pub(super) use store::{LastRow, RowStore, changed};

/// What a row may hold; a longer one is no row but a file without line ends.
const MAX_ROW_BYTES: usize = 64 << 20;

/// Which fields of a row are what: the `fields` key of the job file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Fields {
    /// The document's id; empty, or missing in a row: the file's id and `#N`, the number of the row.
    pub id: String,
    /// Its text.
    pub text: String,
    /// Its group; empty: what the id says.
    pub group: String,
    /// Fields that become columns of the `documents` table.
    pub keep: Vec<String>,
}

impl Default for Fields {
    fn default() -> Self {
        Self { id: "id".into(), text: "text".into(), group: String::new(), keep: Vec::new() }
    }
}

/// How a file holds its rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Layout {
    /// A JSON object in each line.
    JsonLines,
    /// RFC 4180 with a header.
    Csv { delimiter: u8 },
    /// `id|text|normalised` lines without quotes and without a header, as LJSpeech's metadata.csv has them.
    Piped,
    /// Apache Parquet.
    Parquet,
}

/// Where the text of a row stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct RowPlace {
    pub layout: Layout,
    /// Bytes of the unpacked file; of Parquet: of all texts one after the other.
    pub at: Range<u64>,
    /// Which field of the row is the text, where fields have no names of their own.
    pub column: u32,
}

/// A value of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Cell {
    pub value: String,
    /// Whether it is text and not the form in which another value is written.
    pub is_text: bool,
}

impl Cell {
    fn text(value: impl Into<String>) -> Self {
        Self { value: value.into(), is_text: true }
    }
}

/// A row with the values that were asked for.
#[derive(Debug)]
pub(super) struct Row {
    /// Of the file, from 1: its line in JSON lines, else counted without the header.
    pub number: usize,
    /// As in [`RowPlace::at`].
    pub at: Range<u64>,
    /// The byte of the unpacked file at which it begins, where it lies in one piece.
    pub offset: Option<u64>,
    /// A value for each name asked for, `None` where it is missing or null; or what is wrong with the row.
    pub cells: Result<Vec<Option<Cell>>, Unusable>,
    /// Where the first value stands, see [`RowPlace::column`].
    pub column: u32,
}

impl Row {
    /// Trouble with this row.
    pub fn trouble(&self, code: &'static str, reason: &str) -> Unusable {
        row_trouble(self.number, self.offset, code, reason)
    }

    /// The first value as text.
    pub fn text(&self, name: &str) -> Result<&str, Unusable> {
        match self.cells.as_ref().map_err(Clone::clone)?.first() {
            Some(Some(cell)) if cell.is_text => Ok(&cell.value),
            Some(Some(_)) => Err(self.trouble(
                "wrong_type",
                &format!("{name:?} is no text: write it as text, or set documents.fields.text to another field"),
            )),
            _ => Err(self.trouble(
                "no_text",
                &format!("it has no {name:?}: add it, or set documents.fields.text to the field that holds the text"),
            )),
        }
    }

    /// The value of the name with the number `of`, where it is there and not empty.
    pub fn value(&self, of: usize) -> Option<&str> {
        let cell = self.cells.as_ref().ok()?.get(of)?.as_ref()?;
        (!cell.value.is_empty()).then_some(cell.value.as_str())
    }
}

fn row_trouble(number: usize, offset: Option<u64>, code: &'static str, reason: &str) -> Unusable {
    let trouble = Unusable::new(code, format!("row {number}: {reason}"));
    Unusable { byte_offset: offset, ..trouble }
}

/// Reads the file at `path` from its first row to its last and hands each to `each`, with the values `names`. Memory follows the
/// longest row, of Parquet the largest row group. Gives the hash of the file.
///
/// # Errors
/// The file cannot be read, or is not what `layout` says.
pub(super) fn scan_rows(
    path: &Path,
    layout: Layout,
    names: &[&str],
    mut each: impl FnMut(Row),
) -> Result<Digest, Unusable> {
    if layout == Layout::Parquet {
        let ((), blake3) = stream_contents(path, drain)?;
        let scanned = catch_unwind(std::panic::AssertUnwindSafe(|| parquet::scan(path, names, &mut each)));
        let scanned = scanned.unwrap_or_else(|_| Err(Unusable::new("broken_parquet", parquet::BROKEN)));
        return scanned.map(|()| blake3).map_err(|trouble| trouble.with_content(blake3));
    }
    let scan = |reader: &mut dyn BufRead| scan_lines(reader, layout, names, &mut each);
    stream_contents(path, scan).map(|((), blake3)| blake3)
}

fn drain(reader: &mut dyn BufRead) -> Result<(), Unusable> {
    io::copy(reader, &mut io::sink()).map(|_| ()).map_err(|error| unreadable(&error))
}

/// As [`scan_rows`], for what is made of lines.
pub(super) fn scan_lines(
    reader: &mut dyn BufRead,
    layout: Layout,
    names: &[&str],
    each: &mut dyn FnMut(Row),
) -> Result<(), Unusable> {
    let mut lines = Lines::new(reader)?;
    match layout {
        Layout::JsonLines => jsonl::scan(&mut lines, names, each),
        Layout::Csv { delimiter } => csv::scan(&mut lines, delimiter, names, each),
        Layout::Piped => csv::scan_piped(&mut lines, names, each),
        Layout::Parquet => Ok(()),
    }
}

/// The text of the row held in `bytes`; `name` is that of the field, where it has one.
fn text_of(bytes: Vec<u8>, place: &RowPlace, name: &str) -> Option<String> {
    let cell = match place.layout {
        Layout::Parquet => return String::from_utf8(bytes).ok(),
        Layout::JsonLines => jsonl::cells(&bytes, &[name]).ok()?.into_iter().next()??,
        Layout::Csv { delimiter } => {
            csv::Splitter::new(delimiter, true).fields(&bytes).ok()?.into_iter().nth(place.column as usize)?
        }
        Layout::Piped => {
            csv::Splitter::new(b'|', false).fields(&bytes).ok()?.into_iter().nth(place.column as usize)?
        }
    };
    cell.is_text.then_some(cell.value)
}

/// Lines of a file with the place of each, bounded; what was read too far can be put back.
struct Lines<'r> {
    reader: &'r mut dyn BufRead,
    /// What comes before the rest of the file.
    put_back: VecDeque<u8>,
    at: u64,
}

/// A line that was read.
enum Line {
    /// With its end, where it has one; it begins at this byte.
    Whole(u64),
    /// More than [`MAX_ROW_BYTES`]: passed over.
    TooLong(u64),
}

impl<'r> Lines<'r> {
    /// # Errors
    /// The file is UTF-16: no line of it could be read.
    fn new(reader: &'r mut dyn BufRead) -> Result<Self, Unusable> {
        let mut lines = Self { reader, put_back: VecDeque::new(), at: 0 };
        let mut head = Vec::new();
        (&mut *lines.reader).take(3).read_to_end(&mut head).map_err(|error| unreadable(&error))?;
        match head.as_slice() {
            [0xFF, 0xFE, ..] | [0xFE, 0xFF, ..] => {
                return Err(Unusable::new("not_utf8", "is UTF-16: convert it to UTF-8").at(0));
            }
            [0xEF, 0xBB, 0xBF] => lines.at = 3,
            _ => lines.put_back.extend(head),
        }
        Ok(lines)
    }

    /// Puts the next line into `line`; `None` at the end of the file.
    fn next(&mut self, line: &mut Vec<u8>) -> Result<Option<Line>, Unusable> {
        line.clear();
        let start = self.at;
        if !self.put_back.is_empty() {
            let ends = self.put_back.iter().position(|&byte| byte == b'\n').map(|end| end + 1);
            line.extend(self.put_back.drain(..ends.unwrap_or(self.put_back.len())));
        }
        if line.last() != Some(&b'\n') {
            let room = (MAX_ROW_BYTES + 1).saturating_sub(line.len()) as u64;
            (&mut *self.reader).take(room).read_until(b'\n', line).map_err(|error| unreadable(&error))?;
        }
        self.at += line.len() as u64;
        if line.len() > MAX_ROW_BYTES && line.last() != Some(&b'\n') {
            self.pass_line()?;
            return Ok(Some(Line::TooLong(start)));
        }
        Ok((!line.is_empty()).then_some(Line::Whole(start)))
    }

    /// Passes over what is left of a line.
    fn pass_line(&mut self) -> Result<(), Unusable> {
        loop {
            let buffer = self.reader.fill_buf().map_err(|error| unreadable(&error))?;
            let end = buffer.iter().position(|&byte| byte == b'\n');
            let passed = end.map_or(buffer.len(), |end| end + 1);
            self.reader.consume(passed);
            self.at += passed as u64;
            if passed == 0 || end.is_some() {
                return Ok(());
            }
        }
    }

    /// Puts back the last bytes that were read.
    fn put_back(&mut self, bytes: &[u8]) {
        self.at -= bytes.len() as u64;
        for &byte in bytes.iter().rev() {
            self.put_back.push_front(byte);
        }
    }
}

fn too_long(number: usize, at: u64) -> Unusable {
    let reason = format!("holds more than {} MiB: split it", MAX_ROW_BYTES >> 20);
    row_trouble(number, Some(at), "row_too_long", &reason)
}

/// A line without its end.
fn without_end(line: &[u8]) -> &[u8] {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    line.strip_suffix(b"\r").unwrap_or(line)
}
