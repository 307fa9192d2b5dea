//! Documents and recordings of two runs: which are the same, and which stand against which.

use std::collections::BTreeMap;

use super::Run;
use crate::error::Result;
use crate::report::StoredTable;
use crate::report::difference::ItemChanges;

/// A table of items in both runs.
pub(super) struct Items {
    pub a: Side,
    pub b: Side,
    pub changes: ItemChanges,
    /// By row of A: whether B has the item, and whether with the same content.
    a_in_b: Vec<Found>,
    /// By row of B.
    b_in_a: Vec<Found>,
}

/// The items of one run.
pub(super) struct Side {
    pub ids: Vec<String>,
    pub groups: Vec<Option<String>>,
    pub table: StoredTable,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Found {
    Same,
    Changed,
    Nowhere,
}

impl Items {
    /// The items of `table`; `None` where a run lacks it.
    pub fn of(a: &Run, b: &Run, table: &str, id: &str) -> Result<Option<Self>> {
        if !a.has(table) || !b.has(table) {
            return Ok(None);
        }
        let read = |run: &Run| {
            let table = run.table(table, &[])?;
            let side = Side { ids: table.text(id)?, groups: table.optional_text("group")?, table };
            let hashes = side.table.text("blake3")?;
            Ok::<_, crate::error::Error>((side, hashes))
        };
        let ((a, hashes_a), (b, hashes_b)) = (read(a)?, read(b)?);
        let (a_in_b, b_in_a) =
            (found(&a.ids, &hashes_a, &b.ids, &hashes_b), found(&b.ids, &hashes_b, &a.ids, &hashes_a));
        let named = |side: &Side, found: &[Found], wanted: Found| -> Vec<String> {
            let ids = side.ids.iter().zip(found).filter(|(_, found)| **found == wanted);
            ids.map(|(id, _)| id.clone()).collect()
        };
        let changes = ItemChanges {
            same: a_in_b.iter().filter(|found| **found == Found::Same).count() as u64,
            gained: named(&b, &b_in_a, Found::Nowhere).into(),
            lost: named(&a, &a_in_b, Found::Nowhere).into(),
            changed: named(&b, &b_in_a, Found::Changed).into(),
        };
        Ok(Some(Self { a, b, changes, a_in_b, b_in_a }))
    }
}

fn found(ids: &[String], hashes: &[String], other_ids: &[String], other_hashes: &[String]) -> Vec<Found> {
    let others: BTreeMap<&String, &String> = other_ids.iter().zip(other_hashes).collect();
    let one = |(id, hash): (&String, &String)| match others.get(id) {
        None => Found::Nowhere,
        Some(other) if *other == hash => Found::Same,
        Some(_) => Found::Changed,
    };
    ids.iter().zip(hashes).map(one).collect()
}

/// Which items stand against which. No item stands on both sides.
pub(super) struct Opposed {
    /// Rows of A.
    pub reference: Vec<usize>,
    /// Rows of B.
    pub target: Vec<usize>,
    /// In words.
    pub compared: String,
}

impl Opposed {
    /// What is new or changed in B against what A had that did not change. Where nothing is new, what stayed against what
    /// went. Where nothing changed at all but the settings, the same items under either. One side may be empty.
    pub fn new(items: &Items, noun: &str, other_settings: bool) -> Self {
        let rows = |found: &[Found], wanted: fn(Found) -> bool| -> Vec<usize> {
            (0..found.len()).filter(|&row| wanted(found[row])).collect()
        };
        let new = rows(&items.b_in_a, |found| found != Found::Same);
        let kept = rows(&items.a_in_b, |found| found != Found::Changed);
        let gone = rows(&items.a_in_b, |found| found == Found::Nowhere);
        let stayed = rows(&items.b_in_a, |found| found == Found::Same);
        let everything = |found: &[Found]| (0..found.len()).collect::<Vec<usize>>();
        let (reference, target, what) = if !new.is_empty() && !kept.is_empty() {
            let what = if stayed.is_empty() {
                "of B against those of A"
            } else {
                "that are new or changed in B against those of A"
            };
            (kept, new, what)
        } else if !new.is_empty() {
            (everything(&items.a_in_b), new, "of B, all changed, against those of A")
        } else if !gone.is_empty() {
            (gone, stayed, "that stayed against those that went")
        } else if other_settings {
            (
                everything(&items.a_in_b),
                everything(&items.b_in_a),
                "of B against the same of A, under other settings",
            )
        } else {
            (Vec::new(), Vec::new(), "that are the same in both")
        };
        let (here, there) = (target.len(), reference.len());
        Self { reference, target, compared: format!("{noun} {what}: {here} against {there}") }
    }

    /// Why the sides cannot be held against each other, if so.
    pub fn trouble(&self) -> Option<String> {
        (self.reference.is_empty() || self.target.is_empty())
            .then(|| format!("nothing to hold against each other: {}", self.compared))
    }

    /// Items on both sides together, the reference's first.
    pub fn len(&self) -> usize {
        self.reference.len() + self.target.len()
    }

    /// By item: whether it is the target's.
    pub fn is_target(&self) -> Vec<bool> {
        (0..self.len()).map(|item| item >= self.reference.len()).collect()
    }

    /// A column of both tables, by item.
    pub fn select<T: Clone>(&self, a: &[T], b: &[T]) -> Vec<T> {
        let reference = self.reference.iter().map(|&row| a[row].clone());
        reference.chain(self.target.iter().map(|&row| b[row].clone())).collect()
    }
}
