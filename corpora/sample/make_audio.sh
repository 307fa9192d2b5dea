#!/usr/bin/env bash
# Speaks every text under text/ and writes audio/VOICE/STEM.wav: 16 kHz, mono, 16 bit.
#
# The recordings in the repository were made with espeak-ng 1.51 (Debian 1.51+dfsg-10+deb12u2) and
# SoX 14.4.2 (14.4.2+git20190427-3.5). Both are deterministic as called here: the same versions give the same bytes.
# Every voice reads two documents of every topic, a shorter and a longer one, so that voice and topic are not confounded.
set -euo pipefail
cd "$(dirname "$0")"

for tool in espeak-ng sox; do
    command -v "$tool" >/dev/null || { echo "make_audio.sh needs $tool (Debian: apt install espeak-ng sox)" >&2; exit 1; }
done

# voice -> espeak-ng voice, pitch (0..99), speed (words a minute), amplitude (0..200)
declare -A setting=(
    [anna]="en-us+f3 62 180 95"
    [ben]="en-gb 38 185 100"
    [clara]="en-gb-x-rp+f2 48 192 85"
    [duncan]="en-gb-scotland+m2 30 175 90"
)

# speak VOICE STEM...: the stems are unique over the topics.
speak() {
    local voice=$1 name pitch speed amplitude stem
    shift
    read -r name pitch speed amplitude <<<"${setting[$voice]}"
    mkdir -p "audio/$voice"
    for stem in "$@"; do
        local text=(text/*/"$stem.txt")
        espeak-ng -v "$name" -p "$pitch" -s "$speed" -a "$amplitude" --stdout -f "${text[0]}" |
            sox -R -D -t wav --ignore-length - -r 16000 -c 1 -b 16 "audio/$voice/$stem.wav"
    done
}

rm -rf audio
speak anna   morning-fog storm-warning     a-pot-of-tea bread-dough   red-planet saturns-rings     ticket-please late-again
speak ben    thunder sea-breeze            hot-oven pancakes          evening-star dark-night      platform-change night-express
speak clara  frost-at-dawn storm-update    tomato-sauce onion-soup    comet-tail dying-star        last-train signal-box
speak duncan april-showers first-snow      boiled-egg sharp-knife     moon-and-tide old-light      short-tunnel steam-engine

texts=$(find text -name '*.txt' | wc -l)
recordings=$(find audio -name '*.wav' | wc -l)
[ "$texts" -eq "$recordings" ] || { echo "$texts texts, but $recordings recordings" >&2; exit 1; }
