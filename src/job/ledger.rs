//! The ledger of the last run that computed something: what it read and under which settings, so that a person can be told
//! why tonight differs.

use std::borrow::Cow;
use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize, Serializer};

use super::content::Content;
use super::hashing::{Replacement, read_file};

/// What the last run was made of.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
pub(super) struct Ledger<'a> {
    pub run_id: String,
    /// What computed it.
    pub code: String,
    /// The job as resolved, as JSON.
    pub job: String,
    pub documents: Vec<Entry<'a>>,
    pub clips: Vec<Entry<'a>>,
}

/// An input and what came of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Entry<'a> {
    pub id: Cow<'a, str>,
    pub source: Cow<'a, str>,
    /// What tells its content apart.
    pub content: Cow<'a, Content>,
    /// The code that it was quarantined with.
    pub quarantined: Option<Cow<'a, str>>,
}

impl Ledger<'_> {
    /// The ledger in the folder `store`, where there is one.
    pub fn read(store: &Path) -> Option<Self> {
        read_file(&store.join("ledger"))
    }
}

/// A [`Ledger`] that is written from what its entries come of: its fields are those, in their order.
#[derive(Serialize)]
pub(super) struct NewLedger<'a, D, C> {
    pub run_id: &'a str,
    pub code: String,
    pub job: String,
    pub documents: D,
    pub clips: C,
}

/// What an iterator gives, whenever it is asked for.
pub(super) struct Each<F>(pub F);

impl<'a, I: ExactSizeIterator<Item = Entry<'a>>, F: Fn() -> I> Serialize for Each<F> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq((self.0)())
    }
}

impl<D: Serialize, C: Serialize> NewLedger<'_, D, C> {
    /// Writes it beside the one that is there.
    pub fn write(&self, store: &Path) -> io::Result<Replacement> {
        Replacement::write(&store.join("ledger"), self)
    }
}
