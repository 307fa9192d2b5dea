//! What a run tells while it works, and how it is asked to stop.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use crate::error::{Error, Result};

/// A step of the run, for whoever watches. Stages are told in the order in which they run.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Event {
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
    /// The stage is done.
    End {
        /// Its name in run.json.
        stage: &'static str,
        /// Wall-clock time.
        seconds: f64,
        /// Items done.
        items: u64,
    },
}

/// Asks a run to stop at the next item. Clones share one state.
#[derive(Debug, Clone, Default)]
pub struct Interrupt {
    flag: Arc<AtomicBool>,
    signal: Arc<AtomicUsize>,
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
        let signal = self.signal.load(Ordering::Relaxed);
        Error::Interrupted { signal: if signal == 0 { 2 } else { signal as i32 } }
    }
}
