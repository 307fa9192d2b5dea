//! The command: parse, run, map the outcome to an exit code.

use std::process::ExitCode;

/// Tables are made of many large vectors that come and go: the system's allocator hands each back and asks for it again.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    wordwave::cli::main()
}
