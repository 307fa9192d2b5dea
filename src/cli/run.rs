//! `wordwave run`

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;

use super::progress::Bars;
use super::{Output, log, print, say};
use crate::error::{Error, Result};
use crate::job::{Interrupt, JobFile, Plan, RunOptions, run as run_job};

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
}

pub(super) fn run(arguments: &Arguments, output: &Output) -> Result<ExitCode> {
    let file = JobFile::read(&arguments.job, &arguments.overrides)?;
    let plan = Plan::new(file, &arguments.job)?;
    let interrupt = watch_signals()?;
    let bars = Bars::new(output);
    let options = RunOptions {
        threads: arguments.threads.map(usize::from),
        interrupt,
        rehash: arguments.rehash,
        progress: &|event| bars.on(event),
    };
    let published = run_job(&plan, &options)?;
    if !output.quiet {
        say(&published.summary());
    }
    print(&format!("{}\n", published.folder.display()))?;
    Ok(ExitCode::from(published.exit_code()))
}

/// How long a run that was asked to stop may take to end by itself.
const GRACE: Duration = Duration::from_secs(3);

/// SIGINT and SIGTERM end the run at the next item; a second one ends it at once.
fn watch_signals() -> Result<Interrupt> {
    let interrupt = Interrupt::default();
    for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM] {
        let code = 128 + signal;
        signal_hook::flag::register_conditional_shutdown(signal, code, interrupt.flag())
            .and_then(|_| signal_hook::flag::register_usize(signal, interrupt.signal(), signal as usize))
            .and_then(|_| signal_hook::flag::register(signal, interrupt.flag()))
            .map_err(|error| Error::io("watch for", "signals", error))?;
    }
    end_at_last(interrupt.clone());
    Ok(interrupt)
}

/// A stage may be deep in one computation and hear nothing for long. Then the process ends all the same: all that it leaves is
/// a staging folder, which the next run removes.
fn end_at_last(interrupt: Interrupt) {
    std::thread::spawn(move || {
        while !interrupt.is_set() {
            std::thread::sleep(Duration::from_millis(50));
        }
        std::thread::sleep(GRACE);
        let error = interrupt.error();
        log::failure(&error);
        std::process::exit(i32::from(error.exit_code()));
    });
}
