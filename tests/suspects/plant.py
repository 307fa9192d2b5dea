#!/usr/bin/env python3
"""How many of 20 planted wrong transcripts the table `suspects` names among its first 30.

    python3 plant.py target/release/wordwave /path/librispeech [REPETITIONS]

Exchanges ten pairs of transcripts between recordings of the same corpus (20 wrong ones), runs a job over it, and counts how many of the
20 stand among the first 30 rows of `suspects`: for exchanges between recordings whose lengths differ by 30 % or more, and for random
exchanges beside it. Needs LibriSpeech's layout: *.flac and *.trans.txt. Fails where less than 18 of the first kind are found in any
repetition.
"""

import random
import subprocess
import sys
import tempfile
from pathlib import Path

PLANTED, FIRST = 20, 30


def transcripts(folder):
    lines = {}
    for file in sorted(folder.rglob("*.trans.txt")):
        for line in file.read_text().splitlines():
            name, _, text = line.partition(" ")
            lines[name] = text
    return lines


def lengths(binary, folder, work):
    """The seconds of each recording, as wordwave itself reads them."""
    job = work / "lengths.toml"
    job.write_text(f'[job]\nname = "lengths"\noutput = "{work}/runs"\n[clips]\ninclude = ["{folder}/**/*.flac"]\nid = "stem"\n[report]\nhtml = false\n')
    subprocess.run([binary, "--quiet", "run", job], check=True, stdout=subprocess.DEVNULL)
    return {row["clip_id"]: float(row["seconds"]) for row in table(binary, work / "runs/lengths/latest", "clips")}


def table(binary, run, name):
    shown = subprocess.run(
        [binary, "show", run, "--table", name, "--rows", "10000000"], check=True, capture_output=True, text=True
    ).stdout.splitlines()
    header = shown[0].split("\t")
    return [dict(zip(header, line.split("\t"))) for line in shown[1:]]


def exchange(texts, seconds, unlike, draw):
    """Ten exchanges of transcripts, drawn at random; where `unlike`, of recordings whose lengths differ by 30 % or more."""
    names = sorted(set(texts) & set(seconds))
    draw.shuffle(names)
    wrong, planted = dict(texts), set()
    for name in names:
        if name in planted or len(planted) >= PLANTED:
            continue
        for other in names:
            short, long = sorted((seconds[name], seconds[other]))
            if other != name and other not in planted and texts[other] != texts[name] and (not unlike or long >= 1.3 * short):
                wrong[name], wrong[other] = texts[other], texts[name]
                planted |= {name, other}
                break
    return wrong, planted


def main():
    binary, folder = Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve()
    repetitions = int(sys.argv[3]) if len(sys.argv) > 3 else 3
    failed = False
    with tempfile.TemporaryDirectory() as work:
        work = Path(work)
        texts, seconds = transcripts(folder), lengths(binary, folder, work)
        job = work / "job.toml"
        job.write_text(
            f"""[job]
name = "planted"
output = "{work}/runs"
[documents]
include = ["planted.trans.txt"]
format = "transcripts"
group = '^(\\d+)-'
[tokens]
[clips]
include = ["{folder}/**/*.flac"]
id = "stem"
group = '^(\\d+)-'
[features]
sets = ["mfcc", "spectral", "pitch", "loudness", "voice", "quality", "syllables"]
[compare]
pair_by = "id"
permutations = 0
bootstrap = 0
words = true
[report]
html = false
"""
        )
        for unlike in (True, False):
            for repetition in range(repetitions):
                wrong, planted = exchange(texts, seconds, unlike, random.Random(repetition))
                (work / "planted.trans.txt").write_text("".join(f"{name} {text}\n" for name, text in sorted(wrong.items())))
                subprocess.run([binary, "--quiet", "run", job], check=True, stdout=subprocess.DEVNULL)
                rows = table(binary, work / "runs/planted/latest", "suspects")
                first = [row["clip_id"] for row in rows[:FIRST]]
                found = len(planted & set(first))
                kind = "lengths differ by 30 %" if unlike else "at random"
                print(f"{kind}, repetition {repetition}: {found} of {len(planted)} among the first {FIRST} of {len(texts)}", flush=True)
                failed |= unlike and found < 18
    sys.exit(failed)


if __name__ == "__main__":
    main()
