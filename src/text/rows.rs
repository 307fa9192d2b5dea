//! Rows: which terms a document has, and how often.

// Some thousand million words go through one of these: it is put where it is called.
#![allow(clippy::inline_always)]

use super::frequencies::Frequency;
use super::interner::FoundTerms;
use super::packed::{self, PackedNumbers};
use serde::{Deserialize, Serialize};

/// A term in a document: its number in the shard's list and how often it stands there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct TermCount {
    /// Number of the term in the list of its shard.
    pub term: u32,
    /// Occurrences in the document.
    pub count: u32,
}

/// The rows of a shard, in as few bytes as they need: there are many of them.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(try_from = "Columns")]
pub(super) struct PackedRows {
    terms: PackedNumbers,
    counts: PackedNumbers,
    #[serde(with = "packed")]
    ends: Vec<usize>,
    /// What [`PackedRows::sums`] gives, where it was found while they were at hand.
    #[serde(skip)]
    sums: Option<TermSums>,
}

/// In how many documents each term is, and how often in all.
#[derive(Debug, Clone)]
struct TermSums {
    documents: PackedNumbers,
    occurrences: PackedNumbers,
}

impl PartialEq for PackedRows {
    fn eq(&self, other: &Self) -> bool {
        let Self { terms, counts, ends, sums: _ } = self;
        (terms, counts, ends) == (&other.terms, &other.counts, &other.ends)
    }
}

impl Eq for PackedRows {}

/// What may stand in a file.
#[derive(Deserialize)]
struct Columns {
    terms: PackedNumbers,
    counts: PackedNumbers,
    #[serde(with = "packed")]
    ends: Vec<usize>,
}

impl TryFrom<Columns> for PackedRows {
    type Error = &'static str;

    fn try_from(Columns { terms, counts, ends }: Columns) -> Result<Self, Self::Error> {
        let is_whole = terms.len() == counts.len() && ends.last().is_none_or(|end| *end <= terms.len());
        if is_whole {
            Ok(Self { terms, counts, ends, sums: None })
        } else {
            Err("a count is missing for a term")
        }
    }
}

impl PackedRows {
    /// Rows of documents that end at `ends`.
    pub fn of(rows: impl ExactSizeIterator<Item = TermCount> + Clone, ends: Vec<usize>) -> Self {
        let (terms, counts) = (rows.clone().map(|row| row.term), rows.map(|row| row.count));
        Self { terms: PackedNumbers::of(terms), counts: PackedNumbers::of(counts), ends, sums: None }
    }

    /// As [`PackedRows::of`], and their sums are found at once, whose terms are numbers below `terms`.
    fn with_sums(
        rows: impl ExactSizeIterator<Item = TermCount> + Clone,
        ends: Vec<usize>,
        terms: usize,
    ) -> Self {
        let mut sums = vec![[0_u32; 2]; terms];
        for row in rows.clone() {
            let [documents, occurrences] = &mut sums[row.term as usize];
            *documents += 1;
            *occurrences = occurrences.saturating_add(row.count);
        }
        let column = |column: usize| PackedNumbers::of(sums.iter().map(|sums| sums[column]));
        let sums = TermSums { documents: column(0), occurrences: column(1) };
        Self { sums: Some(sums), ..Self::of(rows, ends) }
    }

    /// In how many documents each of so many terms is, and how often in all of them.
    pub fn sums(&self, terms: usize) -> Vec<Frequency> {
        let mut sums = vec![Frequency::default(); terms];
        if let Some(TermSums { documents, occurrences }) = &self.sums {
            documents.give(0, &mut sums, |sum, documents| sum.df = documents);
            occurrences.give(0, &mut sums, |sum, occurrences| sum.cf = u64::from(occurrences));
        } else {
            self.each(|rows| {
                for row in rows {
                    let sum = &mut sums[row.term as usize];
                    sum.df += 1;
                    sum.cf += u64::from(row.count);
                }
            });
        }
        sums
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.terms.len()
    }

    /// How many documents they are of.
    pub fn documents(&self) -> usize {
        self.ends.len()
    }

    /// Bytes that they take in memory, about.
    pub fn bytes(&self) -> usize {
        let sums = self.sums.iter().map(|sums| sums.documents.bytes() + sums.occurrences.bytes());
        self.terms.bytes() + self.counts.bytes() + size_of_val(&self.ends[..]) + sums.sum::<usize>()
    }

    /// The rows as they are used.
    pub fn unpacked(&self) -> Rows<'_> {
        let mut rows = vec![TermCount { term: 0, count: 0 }; self.len()];
        self.unpack(0, &mut rows);
        Rows { rows, ends: &self.ends }
    }

    /// Hands the rows of each document in turn to `each`: unpacked one after the other they take no memory to speak of.
    pub fn each(&self, mut each: impl FnMut(&[TermCount])) {
        let (mut rows, mut start) = (Vec::new(), 0);
        for &end in &self.ends {
            rows.resize(end.saturating_sub(start), TermCount { term: 0, count: 0 });
            self.unpack(start, &mut rows);
            each(&rows);
            start = end;
        }
    }

    fn unpack(&self, first: usize, rows: &mut [TermCount]) {
        self.terms.give(first, rows, |row, term| row.term = term);
        self.counts.give(first, rows, |row, count| row.count = count);
    }
}

/// The rows of a shard, document by document.
#[derive(Debug, Clone)]
pub struct Rows<'s> {
    rows: Vec<TermCount>,
    ends: &'s [usize],
}

impl Rows<'_> {
    /// Those of a document. None of one that is not there.
    #[must_use]
    pub fn of(&self, document: usize) -> &[TermCount] {
        part(&self.rows, self.ends, document)
    }

    /// Those of all documents.
    #[must_use]
    pub fn all(&self) -> &[TermCount] {
        &self.rows
    }
}

/// What lies between two of the `ends`; nothing where they are not there.
pub(super) fn part<'a, T>(all: &'a [T], ends: &[usize], index: usize) -> &'a [T] {
    let start = index.checked_sub(1).and_then(|before| ends.get(before)).copied().unwrap_or(0);
    ends.get(index).and_then(|end| all.get(start..*end)).unwrap_or(&[])
}

/// Rows that there is room for at first: most shards have fewer, and room that is not written to takes no memory.
const FIRST_ROWS: usize = 1 << 20;
/// Rows of it that are made ready at once.
const READY_ROWS: usize = 1 << 13;

/// Rows under construction. A mark at each term tells where the document has it already: no map for each document.
#[derive(Debug, Default)]
pub(super) struct GrowingRows {
    /// The rows, each a count above a term, and room for more: whether a term is new to a document is hard to guess, so a place is
    /// written to either way.
    counts: Vec<u64>,
    len: usize,
    ends: Vec<usize>,
    start: usize,
}

impl GrowingRows {
    /// Counts a term whose last row plus one is `last`, zero for none.
    #[inline]
    pub fn bump(&mut self, term: u32, last: &mut u32) {
        if self.len == self.counts.len() {
            self.grow(1);
        }
        let Self { counts, len, start, .. } = self;
        bump(counts, len, *start, term, last);
    }

    /// Counts terms, whose marks are their last rows plus one.
    #[inline]
    pub fn bump_all(&mut self, terms: FoundTerms<'_>) {
        if self.counts.len() - self.len < terms.len() {
            self.grow(terms.len());
        }
        let (counts, mut len, start) = (&mut self.counts[..], self.len, self.start);
        terms.for_each(|term, last| bump(counts, &mut len, start, term, last));
        self.len = len;
    }

    #[cold]
    fn grow(&mut self, rows: usize) {
        if self.counts.capacity() == 0 {
            self.counts.reserve_exact(FIRST_ROWS);
        }
        self.counts.resize(self.counts.len() + rows.max(READY_ROWS), 0);
    }

    /// The rows of all documents; their terms are numbers below `terms`.
    pub fn packed(&self, terms: usize) -> PackedRows {
        let row = |row: &u64| TermCount { term: *row as u32, count: (row >> 32) as u32 };
        PackedRows::with_sums(self.counts[..self.len].iter().map(row), self.ends.clone(), terms)
    }

    /// Forgets the document at hand.
    pub fn take_back(&mut self) {
        self.len = self.start;
    }

    pub fn end_document(&mut self) {
        self.start = self.len;
        self.ends.push(self.start);
    }

    pub fn clear(&mut self) {
        self.len = 0;
        self.ends.clear();
        self.start = 0;
    }
}

/// Counts a term in a row of its own or, if it has one among those from `start` on, in that.
#[inline(always)]
fn bump(counts: &mut [u64], len: &mut usize, start: usize, term: u32, last: &mut u32) {
    let is_new = *last as usize <= start;
    let row = if is_new { *len } else { *last as usize - 1 };
    let place = &mut counts[row];
    let count = (*place >> 32) * u64::from(!is_new) + 1;
    *place = count << 32 | u64::from(term);
    *len += usize::from(is_new);
    *last = row as u32 + 1;
}
