//! The command line: flags and subcommands, one file each. It alone prints, logs and draws progress bars.

mod check;
mod completions;
mod diff;
mod evaluate;
mod explain;
mod export;
mod filter;
mod init;
mod log;
mod man;
mod neighbours;
mod output;
mod progress;
mod requeue;
mod run;
mod show;
mod stop;
mod verify;
mod watch;

use std::process::ExitCode;

use clap::{Args, CommandFactory, Parser, Subcommand};

use self::log::say;
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
    /// Say why each input and stage would run now, or is reused, without running it
    Explain(explain::Arguments),
    /// Say what a run holds
    Show(show::Arguments),
    /// Let the next run try inputs in quarantine again
    Requeue(requeue::Arguments),
    /// Hold a run against the hashes of its files, and a sample of its shards against the corpus
    Verify(verify::Arguments),
    /// What changed between two runs; exit status 1 where more did than is accepted
    Diff(diff::Arguments),
    /// Write the terms of a run as a sparse matrix for other tools
    Export(export::Arguments),
    /// Words near others by their vectors
    Neighbours(neighbours::Arguments),
    /// What is to C as B is to A, by the vectors of words
    Analogy(neighbours::AnalogyArguments),
    /// How well vectors of words agree with people, on published word sets
    Evaluate(evaluate::Arguments),
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
            return refused(&error);
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
        Command::Explain(arguments) => explain::explain(arguments),
        Command::Requeue(arguments) => requeue::requeue(arguments),
        Command::Show(arguments) => show::show(arguments),
        Command::Verify(arguments) => verify::verify(arguments),
        Command::Diff(arguments) => diff::diff(arguments),
        Command::Export(arguments) => export::export(arguments),
        Command::Neighbours(arguments) => neighbours::neighbours(arguments),
        Command::Analogy(arguments) => neighbours::analogy(arguments),
        Command::Evaluate(arguments) => evaluate::evaluate(arguments),
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

/// Reports what is wrong with the arguments, or prints the help that they ask for. The form of the log is looked for in the
/// arguments themselves, since they could not be parsed.
fn refused(error: &clap::Error) -> ExitCode {
    if !error.use_stderr() {
        let _ = error.print();
        return ExitCode::SUCCESS;
    }
    let arguments: Vec<_> = std::env::args_os().collect();
    let json = arguments.iter().any(|argument| argument == "--log-format=json")
        || arguments.windows(2).any(|pair| pair[0] == "--log-format" && pair[1] == "json");
    if json {
        log::start(&Output { quiet: false, log_format: log::Format::Json });
        log::failure(&Error::Usage(error.to_string().trim_start_matches("error: ").trim_end().to_owned()));
    } else {
        let _ = error.print();
    }
    ExitCode::from(64)
}
