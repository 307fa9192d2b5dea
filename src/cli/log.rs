//! The log on standard error: text for a person, JSON lines for a collector. Every line names the job and, once it has one,
//! the run.

use std::io::{IsTerminal, Write};
use std::sync::OnceLock;

use tracing::level_filters::LevelFilter;

use super::Output;
use crate::error::Error;

/// The form of a log line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Format {
    /// Words for a person
    Text,
    /// A JSON object a line
    Json,
}

static FORMAT: OnceLock<Format> = OnceLock::new();
static JOB: OnceLock<String> = OnceLock::new();
static RUN: OnceLock<String> = OnceLock::new();

/// Starts the log. On a terminal progress bars tell what goes on, so that only warnings are logged there.
pub(super) fn start(output: &Output) {
    let _ = FORMAT.set(output.log_format);
    let terminal = std::io::stderr().is_terminal();
    let level = match (output.quiet, output.log_format) {
        (true, _) => LevelFilter::ERROR,
        (false, Format::Text) if terminal => LevelFilter::WARN,
        _ => LevelFilter::INFO,
    };
    let colour = terminal && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    // A reader of the log that went away must not end the run: complaints about it would go to standard error too.
    let builder = tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_max_level(level)
        .with_target(false)
        .log_internal_errors(false);
    match output.log_format {
        // A person sees when a line appears; a file does not.
        Format::Text if terminal => builder.with_ansi(colour).without_time().init(),
        Format::Text => builder.with_ansi(false).init(),
        Format::Json => builder.json().flatten_event(true).init(),
    }
}

/// From now on every line names this job.
pub(super) fn of_job(name: &str) {
    let _ = JOB.set(name.to_owned());
}

/// From now on every line names this run.
pub(super) fn of_run(id: &str) {
    let _ = RUN.set(id.to_owned());
}

/// The job that lines name.
pub(super) fn job() -> Option<&'static str> {
    JOB.get().map(String::as_str)
}

/// The run that lines name.
pub(super) fn run() -> Option<&'static str> {
    RUN.get().map(String::as_str)
}

/// Reports the failure that ends the command.
pub(super) fn failure(error: &Error) {
    tracing::error!(exit_code = error.exit_code(), job = job(), run = run(), "{error}");
}

/// Says `text` to whoever ran the command, on standard error; nothing with `--quiet`.
pub(super) fn say(text: &str) {
    if LevelFilter::current() <= LevelFilter::ERROR {
        return;
    }
    match FORMAT.get() {
        Some(Format::Json) => tracing::info!(job = job(), run = run(), "{}", text.trim_end()),
        _ => {
            let _ = writeln!(std::io::stderr().lock(), "{text}");
        }
    }
}
