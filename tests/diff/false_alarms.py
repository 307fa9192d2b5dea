#!/usr/bin/env python3
"""How often `wordwave diff` raises an alarm between two random halves of one corpus, where nothing differs.

    tests/diff/false_alarms.py BINARY DATA [--splits 40] [--only speeches,digits,reading,speakers,seeds] [--first 0] [--most N]

BINARY is a wordwave (a release build: the debug build is some ten times slower), DATA a folder with `state_union` and
`inaugural` (text files), `fsdd` (DIGIT_SPEAKER_N.wav) and `librispeech` (FLAC with *.trans.txt); what is not there is
left out. Needs Python 3 and nothing else. Works in a temporary folder.

    speeches   speeches of presidents, cut in two by speech: words, drift
    digits     400 recordings of digits, cut in two by recording: sound, groups
    reading    read sentences with their text, cut in two by recording: words, sound, groups, relations
    speakers   the same, cut in two by speaker: sound (groups, words and relations differ by design and are ignored)
    seeds      all speeches twice, with another seed of the training: drift

A line a corpus: alarms (exit status 1) of splits, the share, and which parts raised them. Exit status 1 where a corpus
has more alarms than a rate of 5 % gives in 99 of 100 experiments.
"""

import argparse
import json
import math
import random
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

SPEECHES = """[job]
name = "half"
[documents]
include = ["text/*.txt"]
[tokens]
[bag_of_words]
[embeddings]
dims = 50
epochs = 5
min_count = 5
"""
DIGITS = """[job]
name = "half"
[clips]
include = ["audio/*.wav"]
id = "stem"
group = '^\\d_([a-z]+)_'
[features]
"""
READING = """[job]
name = "half"
[documents]
include = ["text/*.trans.txt"]
format = "transcripts"
group = '^(\\d+)-'
[tokens]
[bag_of_words]
[clips]
include = ["audio/*.flac"]
id = "stem"
group = '^(\\d+)-'
[features]
sets = ["spectral", "mfcc", "loudness", "voice", "quality"]
[compare]
pair_by = "id"
permutations = 199
bootstrap = 199
"""


def link(paths, folder):
    folder.mkdir(parents=True, exist_ok=True)
    for path in paths:
        shutil.copy(path, folder / path.name)


def run(binary, folder, job, *settings):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "job.toml").write_text(job)
    options = [word for setting in ("job.output='out'", *settings) for word in ("--set", setting)]
    done = subprocess.run([binary, "run", "job.toml", "--quiet", *options], cwd=folder, capture_output=True, text=True)
    if done.returncode not in (0, 3):
        sys.exit(f"the run in {folder} failed ({done.returncode}): {done.stderr}")
    return folder / "out" / "half"


def diff(binary, a, b, *options):
    done = subprocess.run([binary, "diff", a, b, "--format", "json", *options], capture_output=True, text=True)
    if done.returncode not in (0, 1):
        sys.exit(f"diff failed ({done.returncode}): {done.stderr}")
    found = json.loads(done.stdout)
    parts = {part: found[part] for part in ("words", "drift", "sound", "groups", "relations") if found[part]}
    return done.returncode == 1, parts


def speeches(data):
    return [path for name in ("state_union", "inaugural") for path in sorted((data / name).glob("*.txt"))]


def transcripts(data):
    lines = {}
    for path in sorted((data / "librispeech").rglob("*.trans.txt")):
        for line in path.read_text().splitlines():
            lines[line.split(" ", 1)[0]] = line
    return lines


def halves(items, seed):
    items = list(items)
    random.Random(seed).shuffle(items)
    return items[: len(items) // 2], items[len(items) // 2 :]


def split_speeches(binary, data, work, seed, most):
    for name, half in zip("ab", halves(speeches(data), seed)):
        link(half, work / name / "text")
        run(binary, work / name, SPEECHES)
    return diff(binary, work / "a/out/half", work / "b/out/half")


def split_digits(binary, data, work, seed, most):
    some = random.Random(f"digits {seed}").sample(sorted((data / "fsdd").glob("*.wav")), most or 400)
    for name, half in zip("ab", halves(some, seed)):
        link(half, work / name / "audio")
        run(binary, work / name, DIGITS)
    return diff(binary, work / "a/out/half", work / "b/out/half")


def split_reading(binary, data, work, seed, most, by_speaker=False):
    clips = sorted((data / "librispeech").rglob("*.flac"))
    lines = transcripts(data)
    if by_speaker:
        names = sorted({path.stem.split("-")[0] for path in clips})
        chosen = [set(half) for half in halves(names, seed)]
        some = random.Random(f"reading {seed}").sample(clips, most or 300)
        parts = [[path for path in some if path.stem.split("-")[0] in half] for half in chosen]
    else:
        parts = halves(random.Random(f"reading {seed}").sample(clips, most or 300), seed)
    for name, half in zip("ab", parts):
        link(half, work / name / "audio")
        (work / name / "text").mkdir()
        text = "\n".join(lines[path.stem] for path in sorted(half))
        (work / name / "text" / "all.trans.txt").write_text(text + "\n")
        run(binary, work / name, READING)
    options = ["--ignore", "groups,words,relations"] if by_speaker else []
    return diff(binary, work / "a/out/half", work / "b/out/half", *options)


def split_speakers(binary, data, work, seed, most):
    return split_reading(binary, data, work, seed, most, by_speaker=True)


def split_seeds(binary, data, work, seed, most):
    for name, value in (("a", 2 * seed), ("b", 2 * seed + 1)):
        link(speeches(data), work / name / "text")
        run(binary, work / name, SPEECHES, f"job.seed={value}")
    return diff(binary, work / "a/out/half", work / "b/out/half", "--ignore", "words")


CORPORA = {
    "speeches": (split_speeches, "state_union"),
    "digits": (split_digits, "fsdd"),
    "reading": (split_reading, "librispeech"),
    "speakers": (split_speakers, "librispeech"),
    "seeds": (split_seeds, "state_union"),
}


def too_many(splits):
    """The least number of alarms that a rate of 5 % reaches in fewer than one of 100 experiments."""
    above = 1.0
    for alarms in range(splits + 1):
        if above < 0.01:
            return alarms
        above -= math.comb(splits, alarms) * 0.05**alarms * 0.95 ** (splits - alarms)
    return splits + 1


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary", type=lambda path: str(Path(path).resolve()))
    parser.add_argument("data", type=lambda path: Path(path).resolve())
    parser.add_argument("--splits", type=int, default=40)
    parser.add_argument("--first", type=int, default=0, help="number of the first split")
    parser.add_argument("--most", type=int, default=0, help="recordings of a split, for a quick look")
    parser.add_argument("--only", default=",".join(CORPORA))
    parser.add_argument("--verbose", action="store_true")
    arguments = parser.parse_args()
    failed = False
    for name in arguments.only.split(","):
        split, folder = CORPORA[name]
        if not (arguments.data / folder).is_dir():
            print(f"{name}: skipped, {arguments.data / folder} is not there")
            continue
        alarms, blamed = 0, Counter()
        for seed in range(arguments.first, arguments.first + arguments.splits):
            with tempfile.TemporaryDirectory() as work:
                alarmed, parts = split(arguments.binary, arguments.data, Path(work), seed, arguments.most)
            alarms += alarmed
            blamed.update(part for part, found in parts.items() if found["findings"])
            if arguments.verbose:
                p = {part: round(found["p"], 4) for part, found in parts.items() if found["p"] is not None}
                found = {part: [r for r in v["rows"]["first"] if r["finding"]][:3] for part, v in parts.items() if v["findings"]}
                print(f"  {name} {seed}: {p} {found or ''}", flush=True)
        most = too_many(arguments.splits)
        by_part = ", ".join(f"{part} {count}" for part, count in sorted(blamed.items())) or "none"
        share = 100 * alarms / arguments.splits
        print(f"{name}: {alarms} alarms in {arguments.splits} random splits ({share:.1f} %); by part: {by_part}", flush=True)
        failed |= alarms >= most
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
