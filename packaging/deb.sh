#!/usr/bin/env bash
# Builds the Debian package: packaging/deb.sh [--no-build] [further arguments of cargo deb]. Prints the package's path.
# Needs cargo deb (cargo install cargo-deb --locked).
set -euo pipefail
cd "$(dirname "$0")/.."

release="${CARGO_TARGET_DIR:-target}/release"
if [ "${1:-}" = --no-build ]; then
    shift
else
    cargo build --release --locked --bin wordwave
fi
generated="$release/packaging"
mkdir -p "$generated"
"$release/wordwave" man >"$generated/wordwave.1"
"$release/wordwave" completions bash >"$generated/wordwave.bash"
"$release/wordwave" completions zsh >"$generated/_wordwave"
"$release/wordwave" completions fish >"$generated/wordwave.fish"
cargo deb --no-build --locked "$@"
