//! The documents of a file that holds several: found once, when the file is new.

use std::fmt::Write;
use std::ops::Range;
use std::sync::Arc;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::super::contents::Readers;
use super::super::digest::Digest;
use super::super::quarantine::{Quarantined, Unusable};
use super::super::rows::{Fields, Layout, Row, RowPlace, scan_rows};
use super::super::text_hashes::text_hashes;
use super::super::walk::Found;
use super::reader::read_text;
use super::text::{FileText, KeptTexts};
use super::{DocumentFormat, DocumentRef, DocumentRules, Place, Split, document_file, layout_of};
use crate::simd::large_list;

/// The documents that a file holds: what is kept of it so that it need not be opened to know them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listing {
    /// Hash of the file as it lies on disk.
    pub blake3: Digest,
    /// In the stretches of the file in which they were found.
    parts: Vec<Vec<Part>>,
    /// Rows that are no documents.
    broken: Vec<Unusable>,
}

/// A part of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Part {
    name: PartName,
    place: Place,
    bytes: u64,
    blake3: Digest,
    /// Of a part of a row.
    labels: Option<Box<Labels>>,
}

/// What a row says beside its text.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Labels {
    group: Option<String>,
    keep: Vec<Option<String>>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
enum PartName {
    /// The file says it.
    Id(String),
    /// Follows the file's id after `#`.
    Number(usize),
    /// A part of a row that has no id: both follow the file's.
    Numbers(usize, usize),
}

/// The documents that `file` holds, in the order of their ids where only numbers tell these apart, and the rows of it that are none.
#[must_use]
pub fn listed_documents(
    file: &Found,
    rules: &DocumentRules,
    listing: &Listing,
) -> (Vec<DocumentRef>, Vec<Quarantined>) {
    let whole = document_file(file, rules.format_of(&file.source), Some(listing.blake3));
    let file_id = rules.identity.id(&file.source);
    let of_part = |name_buffer: &mut String, part: &Part| {
        let Part { name, place, bytes, blake3, labels } = part;
        name_buffer.clear();
        // Writing to a string does not fail.
        let _ = match name {
            PartName::Id(id) => write!(name_buffer, "{id}"),
            PartName::Number(number) => write!(name_buffer, "{file_id}#{number}"),
            PartName::Numbers(row, number) => write!(name_buffer, "{file_id}#{row}#{number}"),
        };
        let Labels { group, mut keep } = labels.as_deref().cloned().unwrap_or_default();
        keep.resize(rules.fields.keep.len(), None);
        DocumentRef {
            id: name_buffer.as_str().into(),
            file: Arc::clone(&whole),
            bytes: *bytes,
            blake3: Some(*blake3),
            group: group.or_else(|| rules.identity.group(name_buffer)),
            keep,
            place: place.clone(),
        }
    };
    let parts = listing.in_order().into_par_iter().with_min_len(PARTS_AT_ONCE);
    let mut documents = large_list(parts.len());
    parts.map_init(String::new, of_part).collect_into_vec(&mut documents);
    (documents, listing.broken.iter().map(|trouble| trouble.clone().of(&file.source)).collect())
}

/// Reads which documents `file` holds.
///
/// # Errors
/// The row of the quarantine table for a file that cannot be read, or of which no document comes.
pub fn read_listing(file: &Found, rules: &DocumentRules) -> Result<Listing, Quarantined> {
    read_and_keep(file, rules, &KeptTexts::default())
}

/// As [`read_listing`]; the text of the file may be left with `texts` for whoever reads the documents.
///
/// # Errors
/// As [`read_listing`].
pub fn read_and_keep(file: &Found, rules: &DocumentRules, texts: &KeptTexts) -> Result<Listing, Quarantined> {
    let format = rules.format_of(&file.source);
    let listing = match layout_of(format, &file.source) {
        Some(layout) => listing_of_rows(file, layout, rules),
        None => listing_of_text(file, format, rules.split, texts),
    };
    listing.and_then(Listing::checked).map_err(|trouble| trouble.of(&file.source))
}

impl Listing {
    /// All parts. Where their names are numbers, by these as they are written: 1, 10, 100, 11, 2.
    fn in_order(&self) -> Vec<&Part> {
        let mut parts: Vec<&Part> = self.parts.iter().flatten().collect();
        let number = |part: &&Part| match part.name {
            PartName::Number(number) => Some(DecimalOrder::of(number as u64)),
            _ => None,
        };
        if parts.par_iter().all(|part| number(part).is_some()) {
            parts.par_sort_by_cached_key(number);
        }
        parts
    }

    /// # Errors
    /// Nothing in the file is a document.
    fn checked(self) -> Result<Self, Unusable> {
        /// More rows that are all broken have one thing wrong.
        const ALIKE: usize = 1000;
        if self.parts.iter().any(|stretch| !stretch.is_empty()) {
            return Ok(self);
        }
        match self.broken.first() {
            None => Err(Unusable::new("no_documents", "holds nothing but blanks: no document comes of it")),
            Some(first) if self.broken.len() > ALIKE => {
                let reason = format!("none of its {} rows can be used; {}", self.broken.len(), first.reason);
                Err(Unusable { reason, ..first.clone() }.with_content(self.blake3))
            }
            Some(_) => Ok(self),
        }
    }
}

/// Numbers below 10^19 in the order of their decimal digits: the digits from the left, then how many there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct DecimalOrder {
    /// The number with as many zeros behind it as make it as long as the longest.
    from_left: u64,
    digits: u32,
}

impl DecimalOrder {
    fn of(number: u64) -> Self {
        let digits = number.checked_ilog10().unwrap_or(0);
        let zeros = 10_u64.pow(u64::MAX.ilog10().saturating_sub(digits + 1));
        Self { from_left: number.saturating_mul(zeros), digits }
    }
}

/// Parts of a file that a thread takes at once, at least.
const PARTS_AT_ONCE: usize = 256;

fn listing_of_text(
    file: &Found,
    format: DocumentFormat,
    split: Split,
    texts: &KeptTexts,
) -> Result<Listing, Unusable> {
    let text = read_text(&file.path, format, Readers::All)?;
    let FileText { decoded, blake3, .. } = &text;
    let parts = if format == DocumentFormat::Transcripts {
        parts_of_lines(&decoded.text, |_, range| {
            let line = decoded.text.get(range.clone())?;
            let id = line.split_whitespace().next()?;
            let words_at = line.find(id)? + id.len();
            Some((PartName::Id(id.to_owned()), range.start + words_at..range.end))
        })
    } else if split == Split::Line {
        parts_of_lines(&decoded.text, |number, range| Some((PartName::Number(number), range)))
    } else {
        let named: Vec<_> =
            pieces(&decoded.text, split).map(|(n, range)| (PartName::Number(n), range)).collect();
        let of_some = |some: &[(PartName, Range<usize>)]| parts_of_text(&decoded.text, some.to_vec());
        named.par_chunks(PARTS_AT_ONCE).map(of_some).collect()
    };
    let listing = Listing { blake3: *blake3, parts, broken: Vec::new() };
    texts.keep(&file.path, text);
    Ok(listing)
}

/// The lines of a text as parts, stretch by stretch, named and cut by `name` from their numbers and places: a file may be all of the
/// corpus, in a hundred thousand lines.
fn parts_of_lines(
    text: &str,
    name: impl Fn(usize, Range<usize>) -> Option<(PartName, Range<usize>)> + Sync,
) -> Vec<Vec<Part>> {
    let stretches = stretches(text);
    let lines_in =
        |stretch: &Range<usize>| memchr::memchr_iter(b'\n', &text.as_bytes()[stretch.clone()]).count();
    let mut lines: Vec<usize> = stretches.par_iter().map(lines_in).collect();
    let mut before = 0;
    lines.iter_mut().for_each(|lines| before += std::mem::replace(lines, before));
    let of_stretch = |(stretch, lines): (Range<usize>, usize)| {
        let start = stretch.start;
        let pieces = pieces(&text[stretch], Split::Line);
        let named = pieces.filter_map(|(n, range)| name(lines + n, start + range.start..start + range.end));
        parts_of_text(text, named.collect())
    };
    stretches.into_par_iter().zip(lines).map(of_stretch).collect()
}

/// Parts of a text by their names and places.
fn parts_of_text(text: &str, named: Vec<(PartName, Range<usize>)>) -> Vec<Part> {
    let text_of = |(_, range): &(PartName, Range<usize>)| text.get(range.clone()).unwrap_or_default().trim();
    let texts: Vec<&str> = named.iter().map(text_of).collect();
    let parts = named.into_iter().zip(&texts).zip(text_hashes(&texts));
    parts
        .map(|(((name, range), text), hash)| Part::new(name, Place::Text(range), text, hash.into()))
        .collect()
}

/// A text in stretches that end with a line, but for the last.
fn stretches(text: &str) -> Vec<Range<usize>> {
    const BYTES: usize = 256 << 10;
    let mut stretches = Vec::new();
    let mut start = 0;
    while start < text.len() {
        let from = (start + BYTES).min(text.len());
        let end = memchr::memchr(b'\n', &text.as_bytes()[from..]).map_or(text.len(), |at| from + at + 1);
        stretches.push(start..end);
        start = end;
    }
    stretches
}

fn listing_of_rows(file: &Found, layout: Layout, rules: &DocumentRules) -> Result<Listing, Unusable> {
    let Fields { id, text, group, keep } = &rules.fields;
    let mut names = vec![text.as_str(), id.as_str(), group.as_str()];
    names.extend(keep.iter().map(String::as_str));
    let (mut parts, mut broken) = (Vec::new(), Vec::new());
    let blake3 = scan_rows(&file.path, layout, &names, |row| match row.text(text) {
        Err(trouble) => broken.push(trouble),
        Ok(text) => parts_of_row(&row, text, layout, rules, &mut parts),
    })?;
    Ok(Listing { blake3, parts: vec![parts], broken })
}

fn parts_of_row(row: &Row, text: &str, layout: Layout, rules: &DocumentRules, parts: &mut Vec<Part>) {
    const FIRST_KEPT: usize = 3;
    let place = RowPlace { layout, at: row.at.clone(), column: row.column };
    let value = |name: &str, of: usize| row.value(of).filter(|_| !name.is_empty()).map(str::to_owned);
    let id = value(&rules.fields.id, 1);
    let kept = (FIRST_KEPT..).take(rules.fields.keep.len());
    let keep = kept.map(|of| row.value(of).map(str::to_owned)).collect();
    let labels = Labels { group: value(&rules.fields.group, 2), keep };
    let mut push = |name: PartName, text: &str, within: Option<Range<usize>>| {
        let place = Place::Row(Box::new((place.clone(), within)));
        let part = Part::new(name, place, text, Digest::of(text.as_bytes()));
        parts.push(Part { labels: Some(Box::new(labels.clone())), ..part });
    };
    if rules.split == Split::File {
        return push(id.map_or(PartName::Number(row.number), PartName::Id), text, None);
    }
    for (number, range) in pieces(text, rules.split) {
        let name = match &id {
            Some(id) => PartName::Id(format!("{id}#{number}")),
            None => PartName::Numbers(row.number, number),
        };
        push(name, text.get(range.clone()).unwrap_or_default().trim(), Some(range));
    }
}

impl Part {
    fn new(name: PartName, place: Place, text: &str, blake3: Digest) -> Self {
        Self { name, place, bytes: text.len() as u64, blake3, labels: None }
    }
}

/// The numbered pieces of `text` that are not blank.
fn pieces(text: &str, split: Split) -> impl Iterator<Item = (usize, Range<usize>)> {
    let ends = memchr::memchr_iter(b'\n', text.as_bytes()).chain(std::iter::once(text.len()));
    let mut lines = ends.scan(0, |at, end| {
        let start = std::mem::replace(at, end + 1);
        // What follows the last line end is a line only where there is something.
        (start < text.len()).then(|| start..start + text[start..end].trim_end().len())
    });
    let mut number = 0;
    std::iter::from_fn(move || {
        let mut piece: Option<Range<usize>> = None;
        for line in lines.by_ref() {
            let blank = text[line.clone()].trim().is_empty();
            match (split, blank) {
                (Split::Line, _) => {
                    number += 1;
                    if !blank {
                        return Some((number, line));
                    }
                }
                (_, false) => piece = Some(piece.map_or(line.start, |open| open.start)..line.end),
                (_, true) if piece.is_some() => break,
                (_, true) => {}
            }
        }
        number += usize::from(piece.is_some());
        piece.map(|range| (number, range))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_sorted_as_they_are_written() {
        let near_tens = (0..19).map(|digits| 10_u64.pow(digits)).flat_map(|ten| [ten - 1, ten, ten + 1]);
        let mut numbers: Vec<u64> = near_tens.chain(0..3000).chain([u64::MAX / 2]).collect();
        let mut expected = numbers.clone();
        numbers.sort_by_key(|number| DecimalOrder::of(*number));
        expected.sort_by_key(ToString::to_string);
        assert_eq!(numbers, expected);
    }

    #[test]
    fn lines_have_their_numbers_in_whatever_stretches_they_are_found() {
        let line = |i: usize| match i % 7 {
            0 => "  \n".to_owned(),
            1 => "é\r\n".to_owned(),
            3 => "ä long line ".repeat(i % 5000) + "\n",
            _ => format!(" line {i} \n"),
        };
        let mut text: String = (0..4000).map(line).collect();
        for end in ["", "the last has no end", " "] {
            text.push_str(end);
            assert!(stretches(&text).len() > 3);
            let number = |number, range| Some((PartName::Number(number), range));
            let named = pieces(&text, Split::Line).map(|(number, range)| (PartName::Number(number), range));
            assert_eq!(parts_of_lines(&text, number).concat(), parts_of_text(&text, named.collect()));
        }
        assert!(parts_of_lines("", |_, _| None).is_empty());
    }
}
