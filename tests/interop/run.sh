#!/usr/bin/env bash
# Reads a run folder with DuckDB, pandas, pyarrow and polars: tests/interop/run.sh RUN
# The environment lies in ${WORDWAVE_CACHE:-$HOME/.cache/wordwave}/interop-venv and is made anew when requirements.txt changes.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cache=${WORDWAVE_CACHE:-$HOME/.cache/wordwave}
venv=$cache/interop-venv

mkdir -p "$cache"
exec 9>"$cache/interop.lock"
flock 9
if ! cmp -s "$here/requirements.txt" "$venv/requirements.installed"; then
    echo "making $venv" >&2
    rm -rf "$venv"
    python3 -m venv "$venv"
    "$venv/bin/pip" install --quiet --disable-pip-version-check -r "$here/requirements.txt" >&2
    cp "$here/requirements.txt" "$venv/requirements.installed"
fi
flock -u 9
exec 9>&-

exec "$venv/bin/python" "$here/check.py" "$@"
