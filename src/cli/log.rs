//! The log on standard error: text for a person, JSON lines for a collector.

use std::io::IsTerminal;

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

/// Starts the log. On a terminal progress bars tell what goes on, so that only warnings are logged there.
pub(super) fn start(output: &Output) {
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
        Format::Text => builder.with_ansi(colour).without_time().init(),
        Format::Json => builder.json().flatten_event(true).init(),
    }
}

/// Reports the failure that ends the command.
pub(super) fn failure(error: &Error) {
    tracing::error!(exit_code = error.exit_code(), "{error}");
}
