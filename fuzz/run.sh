#!/usr/bin/env bash
# Runs a fuzz target without cargo-fuzz and without a nightly toolchain:
#
#     fuzz/run.sh TARGET SECONDS [LIBFUZZER FLAGS]
#
# It stops at the first input that crashes, takes longer than a minute, allocates more than 64 MiB at once or 512 MiB in all, and
# leaves that input in fuzz/artifacts/TARGET. What it learns goes to fuzz/corpus/TARGET.
set -euo pipefail
cd "$(dirname "$0")"
target="$1" seconds="$2"
shift 2
host="$(rustc -vV | sed -n 's/^host: //p')"

# What cargo-fuzz passes to rustc. The runtime of AddressSanitizer is part of the stable toolchain, its flag is not.
export RUSTC_BOOTSTRAP=1
coverage="-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 -Cllvm-args=-sanitizer-coverage-inline-8bit-counters"
coverage+=" -Cllvm-args=-sanitizer-coverage-pc-table -Cllvm-args=-sanitizer-coverage-trace-compares"
export RUSTFLAGS="$coverage -Zsanitizer=address --cfg fuzzing -Cdebug-assertions -Cforce-frame-pointers"
cargo build --release --target "$host" --bin "$target" ${FUZZ_JOBS:+-j"$FUZZ_JOBS"}

built="${CARGO_TARGET_DIR:-target}/$host/release/$target"
# What was freed is kept from use for a while, but does not count as memory that the target takes.
export ASAN_OPTIONS="quarantine_size_mb=16${ASAN_OPTIONS:+:$ASAN_OPTIONS}"
mkdir -p "corpus/$target" "artifacts/$target"
exec nice -n 19 "$built" "corpus/$target" -artifact_prefix="artifacts/$target/" -max_total_time="$seconds" \
    -timeout=60 -malloc_limit_mb=64 -rss_limit_mb=512 -max_len=16384 -detect_leaks=0 -print_final_stats=1 "$@"
