#!/usr/bin/env bash
# The same work here and in the peers, side by side: a line a case, `name ours_ms peer_ms ratio` (ratio = peer / ours).
# Usage: benches/peers/run.sh [words] [sound] [vectors] [convolution]     (none: all)
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
asked() { [ "$wanted" = "" ] || [[ " $wanted " == *" $1 "* ]]; }
wanted="$*"
bench() {
    cargo bench --bench "$1" --no-run --message-format=json 2>/dev/null | "$venv/bin/python" -c 'import json,sys
for line in map(json.loads, sys.stdin):
    if line.get("executable") and line["target"]["name"] == sys.argv[1]: print(line["executable"])' "$1"
}
if [ -z "${WORDWAVE_BENCH:-}" ] && asked convolution; then WORDWAVE_BENCH="$(bench convolution)"; fi
if [ -z "${WORDWAVE_SOUND_BENCH:-}" ] && asked sound; then WORDWAVE_SOUND_BENCH="$(bench sound)"; fi
if [ -z "${WORDWAVE_READING_BENCH:-}" ] && asked sound; then WORDWAVE_READING_BENCH="$(bench recordings)"; fi
# word2vec.c comes with a package of its name; it is left out where no compiler is.
if asked vectors && [ -z "${WORD2VEC:-}" ] && command -v gcc >/dev/null; then
    WORD2VEC="$cache/word2vec"
    if ! [ -x "$WORD2VEC" ]; then
        source="$(mktemp -d)"
        "$venv/bin/pip" download -q --disable-pip-version-check --no-deps --no-binary :all: -d "$source" word2vec==0.11.1
        tar -xzf "$source"/word2vec-0.11.1.tar.gz -C "$source"
        gcc -O3 -march=native -ffast-math -funroll-loops -w -o "$WORD2VEC" "$source"/word2vec-0.11.1/word2vec/includes/word2vec.c -lm -lpthread
        rm -rf "$source"
    fi
fi
export WORD2VEC="${WORD2VEC:-}"
export WORDWAVE_READING_BENCH="${WORDWAVE_READING_BENCH:-}" WORDWAVE_BENCH="${WORDWAVE_BENCH:-}" WORDWAVE_SOUND_BENCH="${WORDWAVE_SOUND_BENCH:-}"
export WORDWAVE_BIN OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 NUMBA_NUM_THREADS=1
exec "$venv/bin/python" benches/peers/compare.py "$@"
