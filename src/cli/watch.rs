//! Who watches a run: progress on standard error, the metrics file, the lineage file.

use std::path::PathBuf;
use std::sync::Mutex;

use clap::Args;

use super::progress::Progress;
use super::{Output, log};
use crate::error::{Error, Result};
use crate::job::lineage::Lineage;
use crate::job::metrics::Metrics;
use crate::job::{Event, Journal, Plan, RunRecord};

#[derive(Debug, Args)]
#[group(skip)]
pub(super) struct Arguments {
    /// Write what the run did to FILE for Prometheus' textfile collector, also when it fails
    #[arg(long, value_name = "FILE")]
    pub metrics: Option<PathBuf>,
    /// Append the beginning and the end of the run to FILE as OpenLineage events, one JSON object a line
    #[arg(long, value_name = "FILE")]
    lineage: Option<PathBuf>,
    /// Off a terminal, log every so many seconds how far the run is; 0: never
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    heartbeat: u64,
}

/// All of them.
pub(super) struct Watch {
    journal: Journal,
    progress: Progress,
    metrics: Option<Metrics>,
    lineage: Option<Lineage>,
    ended: Mutex<bool>,
}

impl Watch {
    /// Gets everything ready before the work begins: a file that cannot be written is known now, not in the morning.
    pub fn new(
        arguments: &Arguments,
        metrics: Option<Metrics>,
        output: &Output,
        plan: &Plan,
    ) -> Result<Self> {
        let journal = Journal::new(plan);
        log::of_job(journal.job());
        Ok(Self {
            journal,
            progress: Progress::new(output, arguments.heartbeat),
            metrics,
            lineage: arguments.lineage.as_deref().map(Lineage::open).transpose()?,
            ended: Mutex::new(false),
        })
    }

    /// Takes an event of the run.
    pub fn on(&self, event: &Event) {
        self.journal.on(event);
        if let Event::Run { id } = event {
            log::of_run(id);
            note(self.lineage.as_ref().map_or(Ok(()), |lineage| lineage.start(&self.journal)));
        }
        self.progress.on(event);
    }

    /// The stage under way.
    pub fn stage(&self) -> &'static str {
        self.journal.stage()
    }

    /// The run ended with `outcome`. Only the first end counts, and only it gets `true`: a run that is published while it is
    /// asked to stop is published.
    pub fn end(&self, outcome: std::result::Result<&RunRecord, &Error>) -> bool {
        let Ok(mut ended) = self.ended.lock() else { return false };
        if *ended {
            return false;
        }
        *ended = true;
        note(self.metrics.as_ref().map_or(Ok(()), |metrics| metrics.write(&self.journal, outcome)));
        note(self.lineage.as_ref().map_or(Ok(()), |lineage| lineage.end(&self.journal, outcome)));
        true
    }
}

/// That a run cannot be told of is reported and does not change how it ends.
pub(super) fn note(outcome: Result<()>) {
    if let Err(error) = outcome {
        log::failure(&error);
    }
}
