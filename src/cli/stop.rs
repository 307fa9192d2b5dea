//! What ends a run before its time: signals, and more memory than it may have.

use std::sync::Arc;
use std::time::Duration;

use super::log;
use super::watch::Watch;
use crate::error::{Error, Result};
use crate::job::{Excess, Interrupt, memory};

/// How long a run that was asked to stop may take to end by itself.
const GRACE: Duration = Duration::from_secs(3);

/// How often the memory in use is looked at.
const SAMPLING: Duration = Duration::from_millis(100);

/// SIGINT and SIGTERM end the run at the next item; a second one ends it at once.
pub(super) fn on_signals() -> Result<Interrupt> {
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

/// More than `limit_bytes` of resident memory end the run at the next item. Between two looks it can hold more: the limit
/// keeps a machine usable, a cgroup's `MemoryMax` is what is never passed.
pub(super) fn over_memory(limit_bytes: u64, interrupt: Interrupt, watch: Arc<Watch>) {
    std::thread::spawn(move || {
        while !interrupt.is_set() {
            let used_bytes = memory::resident_bytes();
            if used_bytes > limit_bytes {
                interrupt.exceed(Excess { limit_bytes, used_bytes, stage: watch.stage().to_owned() });
            }
            std::thread::sleep(SAMPLING);
        }
    });
}

/// A stage may be deep in one computation and hear nothing for long. Then the process ends all the same: all that it leaves is
/// a staging folder, which the next run removes.
pub(super) fn at_last(interrupt: Interrupt, watch: Arc<Watch>) {
    std::thread::spawn(move || {
        while !interrupt.is_set() {
            std::thread::sleep(Duration::from_millis(50));
        }
        std::thread::sleep(GRACE);
        let error = interrupt.error();
        if watch.end(Err(&error)) {
            log::failure(&error);
            std::process::exit(i32::from(error.exit_code()));
        }
    });
}

/// `4GiB`, `512MiB`, `1.5G` (powers of 1024), `4GB` (of 1000) or plain bytes.
pub(super) fn parse_size(text: &str) -> std::result::Result<u64, String> {
    let complaint = || format!("{text:?} is not a size: write for example 4GiB or 512MiB");
    let unit_at = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(unit_at);
    let number: f64 = number.parse().map_err(|_| complaint())?;
    let mut letters = unit.trim().chars();
    let power = match letters.next().map(|c| c.to_ascii_uppercase()) {
        None => 0,
        Some('B') if letters.as_str().is_empty() => 0,
        Some(letter) => 1 + "KMGT".find(letter).ok_or_else(complaint)? as i32,
    };
    let base: f64 = match letters.as_str() {
        "" | "iB" | "i" => 1024.0,
        "B" | "b" => 1000.0,
        _ => return Err(complaint()),
    };
    let bytes = number * base.powi(power);
    if bytes < 1.0 || bytes >= u64::MAX as f64 { Err(complaint()) } else { Ok(bytes as u64) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_as_people_write_them() {
        let sizes = [("4GiB", 4 << 30), ("512MiB", 512 << 20), ("1.5G", 3 << 29), ("4GB", 4_000_000_000)];
        for (text, bytes) in sizes.into_iter().chain([("1000", 1000), ("7B", 7), ("64 k", 65_536)]) {
            assert_eq!(parse_size(text), Ok(bytes), "{text}");
        }
        for text in ["", "GiB", "4 apples", "-1G", "0", "1.2.3M", "4Gib", "1e9", "99999999999T", "7BB"] {
            assert!(parse_size(text).is_err(), "{text}");
        }
    }
}
