//! Any text as a job file, and what it parses to as a plan. It may be refused, never crash.

#![no_main]

use libfuzzer_sys::fuzz_target;
use wordwave::job::{JobFile, Plan};

fuzz_target!(|text: &str| {
    if let Ok(file) = JobFile::parse(text, "job.toml", &[]) {
        let _ = Plan::new(file, std::path::Path::new("/nowhere/job.toml"));
    }
});
