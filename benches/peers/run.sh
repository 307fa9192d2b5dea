#!/usr/bin/env bash
# The same work here and in the peers, side by side: a line a case, `name ours_ms peer_ms ratio` (ratio = peer / ours).
# Usage: benches/peers/run.sh [words] [sound] [vectors]     (none: all)
# Data: ../shared/data where it lies beside the project, else the sample corpus repeated. Peers come from PyPI, pinned.
set -euo pipefail
cd "$(dirname "$0")/../.."
cache="${WORDWAVE_CACHE:-$HOME/.cache/wordwave}"
venv="$cache/peers-venv"
if ! [ -x "$venv/bin/python" ] || ! cmp -s benches/peers/requirements.txt "$venv/requirements.txt"; then
    python3 -m venv "$venv"
    "$venv/bin/pip" install -q --disable-pip-version-check -r benches/peers/requirements.txt
    cp benches/peers/requirements.txt "$venv/requirements.txt"
fi
if [ -z "${WORDWAVE_BIN:-}" ]; then
    cargo build --release --quiet
    WORDWAVE_BIN="$(cargo metadata --format-version 1 --no-deps | "$venv/bin/python" -c 'import json,sys; print(json.load(sys.stdin)["target_directory"])')/release/wordwave"
fi
export WORDWAVE_BIN OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1
exec "$venv/bin/python" benches/peers/compare.py "$@"
