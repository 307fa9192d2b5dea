//! `wordwave run`

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use super::progress::Bars;
use super::{Output, print, say};
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
}

pub(super) fn run(arguments: &Arguments, output: &Output) -> Result<ExitCode> {
    let file = JobFile::read(&arguments.job, &arguments.overrides)?;
    let plan = Plan::new(file, &arguments.job)?;
    let interrupt = watch_signals()?;
    let bars = Bars::new(output);
    let options = RunOptions {
        threads: arguments.threads.map(usize::from),
        interrupt,
        progress: &|event| bars.on(event),
    };
    let published = run_job(&plan, &options)?;
    if !output.quiet {
        say(&published.summary());
    }
    print(&format!("{}\n", published.folder.display()))?;
    Ok(ExitCode::from(published.exit_code()))
}

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
    Ok(interrupt)
}
