//! `wordwave run`

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Args;

use super::watch::{self, Watch, note};
use super::{Output, print, say, stop};
use crate::error::Result;
use crate::job::metrics::Metrics;
use crate::job::{JobFile, Plan, RunOptions, run as run_job};

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The job file
    job: PathBuf,
    /// Override a key with a TOML value, as in --set embeddings.epochs=1
    #[arg(long = "set", value_name = "KEY=VALUE")]
    overrides: Vec<String>,
    /// Threads to work with; the results do not depend on it [default: all cores]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: Option<u16>,
    /// Read every file again, also those whose size, time and inode stand as they were
    #[arg(long)]
    rehash: bool,
    /// End the run, with exit status 74, when it holds more memory than this, as in 4GiB
    #[arg(long, value_name = "SIZE", value_parser = stop::parse_size)]
    max_memory: Option<u64>,
    #[command(flatten)]
    watch: watch::Arguments,
}

pub(super) fn run(arguments: &Arguments, output: &Output) -> Result<ExitCode> {
    let metrics = arguments.watch.metrics.as_deref().map(Metrics::open).transpose()?;
    let plan = JobFile::read(&arguments.job, &arguments.overrides)
        .and_then(|file| Plan::new(file, &arguments.job))
        .inspect_err(|error| {
            note(metrics.as_ref().map_or(Ok(()), |metrics| metrics.write_refused(&arguments.job, error)));
        })?;
    let watch = Arc::new(Watch::new(&arguments.watch, metrics, output, &plan)?);
    let interrupt = stop::on_signals()?;
    stop::at_last(interrupt.clone(), Arc::clone(&watch));
    if let Some(limit_bytes) = arguments.max_memory {
        stop::over_memory(limit_bytes, interrupt.clone(), Arc::clone(&watch));
    }
    let options = RunOptions {
        threads: arguments.threads.map(usize::from),
        interrupt,
        rehash: arguments.rehash,
        progress: &|event| watch.on(&event),
    };
    let outcome = run_job(&plan, &options);
    watch.end(outcome.as_ref().map(|published| &published.record));
    let published = outcome?;
    say(&published.summary());
    print(&format!("{}\n", published.folder.display()))?;
    leave(published.exit_code())
}

/// Ends the process once all is written and told: the system takes its memory back at once, the allocator page by page.
fn leave(status: u8) -> ! {
    let _ = std::io::stdout().flush();
    signal_hook::low_level::exit(i32::from(status))
}
