//! What a run tells while it works, and how it is asked to stop.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use crate::corpus::{Quarantined, Warned};
use crate::error::{Error, Result};

/// A step of the run, for whoever watches. Stages are told in the order in which they run.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// The run has its name; told once, before the first stage.
    Run {
        /// The run's id, the name of its folder.
        id: String,
    },
    /// A stage begins.
    Begin {
        /// Its name in run.json.
        stage: &'static str,
        /// How much there is to do.
        total: u64,
        /// What is counted.
        unit: &'static str,
    },
    /// So much more is done.
    Advance(u64),
    /// Word vectors went through the corpus once more.
    Epoch {
        /// From 1.
        epoch: u32,
        /// The mean loss on what is held out.
        loss: f64,
    },
    /// The stage is done.
    End {
        /// Its name in run.json.
        stage: &'static str,
        /// Wall-clock time.
        seconds: f64,
        /// Items done.
        items: u64,
    },
    /// An input cannot be used: a row of the quarantine table.
    Quarantined(Quarantined),
    /// An input is used in part: a row of the warnings table.
    Warned(Warned),
}

/// Asks a run to stop at the next item. Clones share one state.
#[derive(Debug, Clone, Default)]
pub struct Interrupt {
    flag: Arc<AtomicBool>,
    signal: Arc<AtomicUsize>,
    excess: Arc<OnceLock<Excess>>,
}

/// More memory in use than the run may have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Excess {
    /// What it may have, in bytes.
    pub limit_bytes: u64,
    /// What it had when that was noticed, in bytes.
    pub used_bytes: u64,
    /// The stage under way; empty before the first.
    pub stage: String,
}

impl Interrupt {
    /// Set to stop the run.
    #[must_use]
    pub fn flag(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.flag)
    }

    /// The number of the signal that asked, for the exit status.
    #[must_use]
    pub fn signal(&self) -> Arc<AtomicUsize> {
        Arc::clone(&self.signal)
    }

    /// Asks the run to stop because it holds too much memory.
    pub fn exceed(&self, excess: Excess) {
        // What was noticed first is what ends the run.
        let _ = self.excess.set(excess);
        self.flag.store(true, Ordering::Relaxed);
    }

    /// Fails once the run is asked to stop.
    pub(super) fn check(&self) -> Result<()> {
        if self.is_set() { Err(self.error()) } else { Ok(()) }
    }

    /// Whether the run was asked to stop.
    #[must_use]
    pub fn is_set(&self) -> bool {
        self.flag.load(Ordering::Relaxed)
    }

    /// How a run ends that was asked to stop.
    #[must_use]
    pub fn error(&self) -> Error {
        if let Some(Excess { limit_bytes, used_bytes, stage }) = self.excess.get().cloned() {
            return Error::Memory { limit_bytes, used_bytes, stage };
        }
        let signal = self.signal.load(Ordering::Relaxed);
        Error::Interrupted { signal: if signal == 0 { 2 } else { signal as i32 } }
    }
}
