//! The memory of this process, as Linux counts it; 0 where it is not told.

/// What it holds now, in bytes.
#[must_use]
pub fn resident_bytes() -> u64 {
    status("VmRSS:")
}

/// The most that it held, in bytes.
#[must_use]
pub fn peak_bytes() -> u64 {
    status("VmHWM:")
}

fn status(key: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(key));
    let kilobytes = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    kilobytes.unwrap_or(0) * 1024
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(target_os = "linux")]
    fn a_process_holds_some_memory_and_never_more_than_its_peak() {
        let now = resident_bytes();
        assert!(now > 1 << 20 && now <= peak_bytes());
    }
}
