//! The command line: flags and subcommands, one file each. It alone prints, logs and draws progress bars.

mod check;
mod completions;
mod filter;
mod init;
mod log;
mod man;
mod progress;
mod run;
mod show;
mod verify;

use std::process::ExitCode;

use clap::{Args, CommandFactory, Parser, Subcommand};

use crate::error::{Error, Result};

/// Words and sound as numbers, compared, every night.
#[derive(Debug, Parser)]
#[command(name = "wordwave", version, about, max_term_width = 100, propagate_version = true)]
#[command(
    after_help = "Exit status: 0 done, 1 over a threshold, 3 done with items in quarantine, 64 wrong usage, 65 unusable \
                        input, 74 input/output error, 75 already running, 78 bad job file, 130/143 interrupted."
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    output: Output,
}

/// How much is said, and in which form.
#[derive(Debug, Clone, Args)]
struct Output {
    /// Say nothing but errors
    #[arg(long, short, global = true)]
    quiet: bool,
    /// Form of the log on standard error
    #[arg(long, global = true, value_enum, default_value_t = log::Format::Text)]
    log_format: log::Format,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run a job: read, represent, compare and publish tables and a report
    Run(run::Arguments),
    /// Validate a job file and list what would run, without running it
    Check(check::Arguments),
    /// Write a commented job file to start from
    Init(init::Arguments),
    /// Say what a run holds
    Show(show::Arguments),
    /// Hold every file of a run against the hash that it was written with
    Verify(verify::Arguments),
    /// Put a WAV or a PNG through the convolution module
    Filter(Box<filter::Arguments>),
    /// Print a completion script for a shell
    Completions(completions::Arguments),
    /// Print the manual page
    Man,
}

/// Parses the process's arguments, runs the command and reports how it ended.
#[must_use]
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { 64 } else { 0 });
        }
    };
    log::start(&cli.output);
    match dispatch(&cli) {
        Ok(code) => code,
        Err(error) => {
            log::failure(&error);
            ExitCode::from(error.exit_code())
        }
    }
}

fn dispatch(cli: &Cli) -> Result<ExitCode> {
    match &cli.command {
        Command::Run(arguments) => run::run(arguments, &cli.output),
        Command::Check(arguments) => check::check(arguments),
        Command::Init(arguments) => init::init(arguments),
        Command::Show(arguments) => show::show(arguments),
        Command::Verify(arguments) => verify::verify(arguments),
        Command::Filter(arguments) => filter::filter(arguments),
        Command::Completions(arguments) => completions::print(arguments, &mut Cli::command()),
        Command::Man => man::print(Cli::command()),
    }
}

/// Writes data to standard output. A reader that went away (`| head`) is no failure.
fn print(text: &str) -> Result<()> {
    use std::io::{ErrorKind, Write};
    match std::io::stdout().lock().write_all(text.as_bytes()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(Error::Output(error)),
        _ => Ok(()),
    }
}

/// Writes words for a person to standard error.
fn say(text: &str) {
    use std::io::Write;
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}
