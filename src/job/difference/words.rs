//! Terms gained and lost, frequencies of terms, word vectors.

use std::collections::HashMap;

use super::items::Opposed;
use super::{Found, Judged, Outcome, RELABELLINGS, Run, lacking, skipped};
use crate::compare::drift::{Drift, FEWEST_OCCURRENCES, FEWEST_WORDS, MOST_WORDS, WordPairs, drifts};
use crate::compare::frequencies::frequency_shifts;
use crate::compare::relabelling::Sides;
use crate::error::Result;
use crate::math::matrix::Matrix;
use crate::report::StoredTable;
use crate::report::difference::{Part, Skipped, TermCount, TermShift, VocabularyChange};
use crate::text::keyness::Keyness;

/// Terms in fewer documents of both sides are not tested: no relabelling could tell them from chance.
const FEWEST_DOCUMENTS: usize = 4;
/// Terms tested at most: the most frequent.
const MOST_TERMS: usize = 50_000;

/// Terms with their counts.
fn terms_of(run: &Run, table: &str, count: &str) -> Result<Vec<(String, u64)>> {
    let table = run.table(table, &["term", count])?;
    Ok(table.text("term")?.into_iter().zip(table.counts(count)?).collect())
}

/// What terms only one run has, by the vocabulary, or by the word vectors where there is none.
pub(super) fn vocabulary(a: &Run, b: &Run, skipped: &mut Vec<Skipped>) -> Result<Option<VocabularyChange>> {
    let tables = [("vocabulary", "cf"), ("embeddings", "count")];
    let Some((table, count)) = tables.into_iter().find(|(table, _)| lacking(a, b, table).is_none()) else {
        let reason = lacking(a, b, "vocabulary").unwrap_or_default();
        skipped
            .push(Skipped { part: "vocabulary", reason: format!("{reason}, nor do both have embeddings") });
        return Ok(None);
    };
    let (a, b) = (terms_of(a, table, count)?, terms_of(b, table, count)?);
    let only = |here: &[(String, u64)], there: &[(String, u64)]| {
        let known: HashMap<&str, u64> = there.iter().map(|(term, count)| (term.as_str(), *count)).collect();
        let mut only: Vec<TermCount> = here
            .iter()
            .filter(|(term, _)| !known.contains_key(term.as_str()))
            .map(|(term, count)| TermCount { term: term.clone(), count: *count })
            .collect();
        only.sort_by(|x, y| y.count.cmp(&x.count).then_with(|| x.term.cmp(&y.term)));
        only
    };
    let (gained, lost) = (only(&b, &a), only(&a, &b));
    let shared = (b.len() - gained.len()) as u64;
    Ok(Some(VocabularyChange { table, shared, gained: gained.into(), lost: lost.into() }))
}

/// Terms of both sides with their counts by document.
#[derive(Default)]
struct TermCounts {
    numbers: HashMap<String, u32>,
    names: Vec<String>,
    by_document: Vec<Vec<(u32, u32)>>,
    tokens: Vec<u64>,
}

impl TermCounts {
    /// Adds a run's counts for the documents in `items`, which gives their numbers.
    fn add(&mut self, run: &Run, items: &HashMap<&str, u32>) -> Result<()> {
        let vocabulary = run.table("vocabulary", &["term_id", "term"])?;
        let mut number_of = HashMap::new();
        for (id, term) in vocabulary.counts("term_id")?.into_iter().zip(vocabulary.text("term")?) {
            let next = self.names.len() as u32;
            let number = *self.numbers.entry(term.clone()).or_insert(next);
            if number == next {
                self.names.push(term);
                self.by_document.push(Vec::new());
            }
            number_of.insert(id, number);
        }
        for file in run.record.table_files("terms") {
            let part = StoredTable::read(&run.folder, &file, &["doc_id", "term_id", "count"])?;
            let (ids, counts) = (part.counts("term_id")?, part.counts("count")?);
            for ((document, id), count) in part.text("doc_id")?.iter().zip(ids).zip(counts) {
                let Some((&item, &term)) = items.get(document.as_str()).zip(number_of.get(&id)) else {
                    continue;
                };
                self.by_document[term as usize].push((item, count as u32));
                self.tokens[item as usize] += count;
            }
        }
        Ok(())
    }

    /// Those worth a test, the most frequent first.
    fn tested(&self) -> Vec<usize> {
        let total = |term: usize| self.by_document[term].iter().map(|(_, n)| u64::from(*n)).sum::<u64>();
        let mut tested: Vec<(u64, usize)> = (0..self.names.len())
            .filter(|&term| self.by_document[term].len() >= FEWEST_DOCUMENTS)
            .map(|term| (total(term), term))
            .collect();
        tested.sort_by(|x, y| y.0.cmp(&x.0).then_with(|| self.names[x.1].cmp(&self.names[y.1])));
        tested.truncate(MOST_TERMS);
        tested.into_iter().map(|(_, term)| term).collect()
    }
}

/// Frequencies of the terms of the target's documents against the reference's.
pub(super) fn frequencies(a: &Run, b: &Run, opposed: Option<&Opposed>) -> Result<Outcome<TermShift>> {
    let tables = ["documents", "vocabulary", "terms"];
    if let Some(reason) = tables.iter().find_map(|table| lacking(a, b, table)) {
        return skipped(Part::Words, reason);
    }
    let Some(opposed) = opposed else { return skipped(Part::Words, "no documents") };
    if let Some(reason) = opposed.trouble() {
        return skipped(Part::Words, reason);
    }
    let mut terms = TermCounts { tokens: vec![0; opposed.len()], ..TermCounts::default() };
    for (run, rows, first) in [(a, &opposed.reference, 0), (b, &opposed.target, opposed.reference.len())] {
        let ids = run.table("documents", &["doc_id"])?.text("doc_id")?;
        let items = (first as u32..).zip(rows).map(|(item, &row)| (ids[row].as_str(), item)).collect();
        terms.add(run, &items)?;
    }
    let tested = terms.tested();
    let sides = Sides::new(opposed.is_target());
    let tokens: Vec<f64> = terms.tokens.iter().map(|&n| n as f64).collect();
    let counts: Vec<Vec<(u32, u32)>> = tested.iter().map(|&term| terms.by_document[term].clone()).collect();
    let (shifts, p) = frequency_shifts(&sides, &tokens, &counts, RELABELLINGS);
    let all = |wanted: bool| -> u64 {
        terms.tokens.iter().zip(sides.target()).filter(|(_, side)| **side == wanted).map(|(n, _)| n).sum()
    };
    let (all_target, all_reference) = (all(true), all(false));
    let rows = tested.iter().zip(&counts).zip(shifts).map(|((&term, counts), shift)| {
        let of = |wanted: bool| {
            let side = counts.iter().filter(|(item, _)| sides.target()[*item as usize] == wanted);
            side.map(|(_, n)| u64::from(*n)).sum::<u64>()
        };
        let key = Keyness::new(&terms.names[term], (of(true), all_target), (of(false), all_reference));
        let row = TermShift { z: shift.z, p: shift.p, q: shift.q, ..TermShift::new(key) };
        Judged { p: row.p, q: row.q, effect: row.log_ratio, row }
    });
    let rows: Vec<Judged<TermShift>> = rows.collect();
    Ok(Ok(Found { part: Part::Words, compared: opposed.compared.clone(), tested: rows.len(), p, rows }))
}

/// Words with their vectors, of those that are frequent enough.
struct Vectors {
    terms: HashMap<String, (usize, u64)>,
    values: Vec<f32>,
    dims: usize,
}

impl Vectors {
    fn of(run: &Run) -> Result<Self> {
        let table = run.table("embeddings", &["term", "count", "vector"])?;
        let (values, dims) = table.vectors("vector")?;
        let terms = table.text("term")?.into_iter().zip(table.counts("count")?).enumerate();
        let frequent = terms.filter(|(_, (_, count))| *count >= FEWEST_OCCURRENCES);
        let terms = frequent.map(|(row, (term, count))| (term, (row, count))).collect();
        Ok(Self { terms, values, dims })
    }

    fn rows(&self, rows: &[usize]) -> Matrix {
        let values = rows.iter().flat_map(|row| &self.values[row * self.dims..(row + 1) * self.dims]);
        Matrix::from_values(rows.len(), self.dims, values.map(|value| f64::from(*value)).collect())
            .unwrap_or_default()
    }
}

/// A word of both runs with its row and count in each.
type SharedWord<'a> = (&'a String, (usize, u64), (usize, u64));

/// Words whose vectors moved.
pub(super) fn drift(a: &Run, b: &Run) -> Result<Outcome<Drift>> {
    if let Some(reason) = lacking(a, b, "embeddings") {
        return skipped(Part::Drift, reason);
    }
    let (first, second) = (Vectors::of(a)?, Vectors::of(b)?);
    if first.dims != second.dims {
        let reason = format!("the vectors of A have {} dimensions, those of B {}", first.dims, second.dims);
        return skipped(Part::Drift, reason);
    }
    let mut shared: Vec<SharedWord> =
        first.terms.iter().filter_map(|(term, here)| Some((term, *here, *second.terms.get(term)?))).collect();
    shared.sort_by(|x, y| {
        let least = |pair: &SharedWord| pair.1.1.min(pair.2.1);
        least(y).cmp(&least(x)).then_with(|| x.0.cmp(y.0))
    });
    shared.truncate(MOST_WORDS);
    let fewest = FEWEST_WORDS.max(2 * first.dims);
    if shared.len() < fewest {
        let reason = format!(
            "{} words stand {FEWEST_OCCURRENCES} times or more in both runs, too few to tell drift from noise (at least {fewest})",
            shared.len()
        );
        return skipped(Part::Drift, reason);
    }
    let rows = |of: fn(&SharedWord) -> usize| shared.iter().map(of).collect::<Vec<usize>>();
    let pairs = WordPairs {
        words: shared.iter().map(|(term, ..)| (*term).clone()).collect(),
        counts: shared.iter().map(|(_, a, b)| (a.1, b.1)).collect(),
        first: first.rows(&rows(|pair| pair.1.0)),
        second: second.rows(&rows(|pair| pair.2.0)),
    };
    let judged = drifts(&pairs).into_iter().map(|row| {
        let effect = row.lost_neighbours().then(|| row.excess().max(0.0));
        Judged { p: row.p, q: row.q, effect, row }
    });
    let rows: Vec<Judged<Drift>> = judged.collect();
    // Simes: under the hypothesis that no word drifted, the least q is a p.
    let p = rows.iter().filter(|row| row.effect.is_some()).filter_map(|row| row.q).reduce(f64::min);
    let compared = format!("vectors of the {} most frequent words of both runs", rows.len());
    Ok(Ok(Found { part: Part::Drift, compared, tested: rows.len(), p: p.or(Some(1.0)), rows }))
}
