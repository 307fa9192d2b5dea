//! The results of documents as they are kept from night to night: what came of each, and their counts.

use serde::{Deserialize, Serialize};

use crate::corpus::{Document, DocumentRef, Quarantined, Stage, Unread, Warned};
use crate::text::TextError;
use crate::text::counts::{ShardCounter, ShardCounts};
use crate::text::tokens::Tokenizer;

/// The results of documents.
#[derive(Serialize, Deserialize)]
pub(super) struct Pack {
    pub outcomes: Vec<Outcome>,
    /// Of the documents that were counted.
    pub counts: ShardCounts,
}

/// What came of a document, without its names.
#[derive(Clone, Serialize, Deserialize)]
pub(super) enum Outcome {
    Counted {
        /// Its number in the pack's counts.
        document: usize,
        bytes: u64,
        chars: u64,
        /// In a box, as what follows: there are many outcomes, and few of these.
        warning: Option<Box<Warned>>,
    },
    Unusable(Box<Quarantined>),
}

/// Documents that no earlier night has counted.
pub(super) struct NewDocuments<'a> {
    /// `None` where documents are not cut into tokens.
    counter: Option<(&'a Tokenizer, ShardCounter)>,
    outcomes: Vec<Outcome>,
    /// How many could be used.
    counted: usize,
}

impl<'a> NewDocuments<'a> {
    /// None yet.
    pub fn new(counter: Option<(&'a Tokenizer, ShardCounter)>) -> Self {
        Self { counter, outcomes: Vec::new(), counted: 0 }
    }

    /// Counts what came of reading the document `reference`. A model may lack a piece for one of its characters.
    pub fn add(&mut self, reference: &DocumentRef, read: Result<Document, Unread>) {
        let outcome = match read {
            Err(unread) => Outcome::Unusable(Box::new(unread.row)),
            Ok(document) => self.count(document).unwrap_or_else(|error| {
                Outcome::Unusable(Box::new(Quarantined {
                    source: reference.file.source.to_string(),
                    stage: Stage::Tokens,
                    code: "untokenisable".into(),
                    reason: error.to_string(),
                    byte_offset: None,
                }))
            }),
        };
        self.outcomes.push(outcome);
    }

    fn count(&mut self, document: Document) -> Result<Outcome, TextError> {
        if let Some((tokenizer, counter)) = &mut self.counter {
            counter.add(tokenizer, &document.text)?;
        }
        self.counted += 1;
        Ok(Outcome::Counted {
            document: self.counted - 1,
            bytes: document.bytes,
            chars: document.text.characters() as u64,
            warning: document.warning,
        })
    }

    /// The pack of the documents that were added, and the counter, which is empty again.
    pub fn finish(self) -> (Pack, Option<ShardCounter>) {
        let mut counter = self.counter.map(|(_, counter)| counter);
        let counts = counter.as_mut().map(ShardCounter::finish).unwrap_or_default();
        (Pack { outcomes: self.outcomes, counts }, counter)
    }
}

/// The counts of documents by pack and number: a pack that holds just these, in this order, is taken as it is.
pub(super) fn counts_of(packs: Vec<Pack>, counted: &[(usize, usize)]) -> ShardCounts {
    let first = counted.first().map_or(0, |&(pack, _)| pack);
    let in_order = counted.iter().enumerate().all(|(at, &place)| place == (first, at));
    let mut counts: Vec<ShardCounts> = packs.into_iter().map(|pack| pack.counts).collect();
    match counts.get_mut(first) {
        Some(pack) if in_order && pack.document_count() == counted.len() => std::mem::take(pack),
        _ => ShardCounts::join(&counts.iter().collect::<Vec<_>>(), counted),
    }
}
