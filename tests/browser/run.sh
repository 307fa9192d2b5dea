#!/usr/bin/env bash
# Opens a report in headless Chromium: tests/browser/run.sh REPORT.html [SCREENSHOT_FOLDER]
# The npm packages lie in ${WORDWAVE_CACHE:-$HOME/.cache/wordwave}/browser and are installed anew when package.json changes.
# CHROMIUM names another binary than /usr/bin/chromium.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
modules=${WORDWAVE_CACHE:-$HOME/.cache/wordwave}/browser
export CHROMIUM=${CHROMIUM:-/usr/bin/chromium}

if [ ! -x "$CHROMIUM" ]; then
    command -v apt-get >/dev/null || { echo "no $CHROMIUM; install Chromium or set CHROMIUM" >&2; exit 1; }
    sudo=$([ "$(id -u)" -eq 0 ] || echo sudo)
    { $sudo apt-get update -qq && $sudo apt-get install -y -qq --no-install-recommends chromium fonts-dejavu-core; } >&2
fi
command -v npm >/dev/null || { echo "npm is missing (Debian: apt install nodejs npm)" >&2; exit 1; }

mkdir -p "$modules"
exec 9>"$modules.lock"
flock 9
if ! cmp -s "$here/package.json" "$modules/package.json" || [ ! -d "$modules/node_modules/playwright-core" ]; then
    echo "installing into $modules" >&2
    cp "$here/package.json" "$modules/package.json"
    npm install --prefix "$modules" --no-audit --no-fund --silent >&2
fi
flock -u 9
exec 9>&-

WORDWAVE_BROWSER_MODULES=$modules exec node "$here/check.mjs" "$@"
