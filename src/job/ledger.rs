//! The ledger of the last run that computed something: what it read and under which settings, so that a person can be told
//! why tonight differs.

use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::store::{read_file, replace_file};

/// What the last run was made of.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub(super) struct Ledger {
    pub run_id: String,
    /// What computed it.
    pub code: String,
    /// The job as resolved, as JSON.
    pub job: String,
    pub documents: Vec<Entry>,
    pub clips: Vec<Entry>,
}

/// An input and what came of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Entry {
    pub id: String,
    pub source: String,
    /// What tells its content apart.
    pub content: String,
    /// The code that it was quarantined with.
    pub quarantined: Option<String>,
}

impl Ledger {
    /// The ledger in the folder `store`, where there is one.
    pub fn read(store: &Path) -> Option<Self> {
        read_file(&store.join("ledger"))
    }

    /// Writes it there.
    pub fn write(&self, store: &Path) -> io::Result<()> {
        replace_file(&store.join("ledger"), self)
    }
}
