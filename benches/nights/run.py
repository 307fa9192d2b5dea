#!/usr/bin/env python3
"""Nights over a large corpus of small files: the first, an unchanged one, one with 1 % new files, changed settings.

    benches/nights/run.py [FOLDER]        # WORDWAVE_BIN, DOCUMENTS=100000, CLIPS=10000, RUNS=3

Writes the corpus to FOLDER (default: a temporary one, removed afterwards), about 1.2 GB with the runs, and prints a line a
night: seconds, peak memory, share of the first night, stages that took time.
"""

import array
import json
import math
import os
import pathlib
import random
import shutil
import statistics
import struct
import subprocess
import sys
import tempfile
import time

BINARY = os.environ.get("WORDWAVE_BIN", "wordwave")
DOCUMENTS = int(os.environ.get("DOCUMENTS", 100_000))
CLIPS = int(os.environ.get("CLIPS", 10_000))
RUNS = int(os.environ.get("RUNS", 3))

JOB = """
[job]
name = "large"
output = "out"
keep = 4
[documents]
include = ["text/**/*.txt"]
group = "^([a-z]+)/"
[tokens]
[bag_of_words]
[statistics]
keyness = "a"
[embeddings]
dims = 50
epochs = 1
[clips]
include = ["audio/**/*.wav"]
group = "^([a-z]+)/"
[spectrogram]
[features]
[compare]
permutations = 99
bootstrap = 99
"""

WORDS = [f"{a}{b}{c}" for a in "bcdfglmnprst" for b in ("a", "e", "i", "o", "ou") for c in "bdgklmnprstvz" for _ in "x"]


def write_text(path, draw):
    n = draw.randint(30, 120)
    words = [WORDS[min(int(draw.paretovariate(0.9)), len(WORDS)) - 1] for _ in range(n)]
    path.write_text(" ".join(words) + ".\n")


def write_wav(path, draw):
    rate, seconds = 16_000, draw.uniform(0.4, 0.9)
    hz, phase, samples = draw.uniform(90, 300), 0.0, array.array("h")
    for i in range(int(rate * seconds)):
        phase += 2 * math.pi * hz / rate
        samples.append(int(6000 * math.sin(phase) + 2000 * math.sin(3 * phase) + draw.gauss(0, 150)))
    data = samples.tobytes()
    header = b"RIFF" + struct.pack("<I", 36 + len(data)) + b"WAVEfmt " + struct.pack("<IHHIIHH", 16, 1, 1, rate, 2 * rate, 2, 16)
    path.write_bytes(header + b"data" + struct.pack("<I", len(data)) + data)


def write_corpus(folder, documents, clips, start, tag):
    # A few hundred recordings are made and written with a sample changed: making ten thousand takes longer than the job.
    draw = random.Random(start + 1)
    for n in range(start, start + documents):
        place = folder / "text" / "ab"[n % 2] / f"{n // 1000:04}"
        place.mkdir(parents=True, exist_ok=True)
        write_text(place / f"{tag}{n:07}.txt", draw)
    made = []
    for n in range(start, start + clips):
        place = folder / "audio" / "ab"[n % 2] / f"{n // 1000:04}"
        place.mkdir(parents=True, exist_ok=True)
        path = place / f"{tag}{n:07}.wav"
        if len(made) < 200:
            write_wav(path, draw)
            made.append(path.read_bytes())
        else:
            bytes_ = bytearray(made[n % len(made)])
            struct.pack_into("<i", bytes_, 44 + 2 * (n % 3000), n * 7919 % 60_000_000)
            path.write_bytes(bytes_)


def night(folder, *further):
    start = time.perf_counter()
    outcome = subprocess.run([BINARY, "run", folder / "job.toml", "--quiet", *further], capture_output=True, text=True)
    seconds = time.perf_counter() - start
    if outcome.returncode not in (0, 3):
        sys.exit(outcome.stderr)
    record = json.loads((pathlib.Path(outcome.stdout.strip()) / "run.json").read_text())
    return seconds, record


def main():
    given = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else None
    folder = given or pathlib.Path(tempfile.mkdtemp(prefix="wordwave-nights-"))
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "job.toml").write_text(JOB)
    if not (folder / "text").exists():
        write_corpus(folder, DOCUMENTS, CLIPS, 0, "n")
    shutil.rmtree(folder / "out", ignore_errors=True)
    time.sleep(1)
    first = None

    def say(name, outcomes):
        nonlocal first
        seconds = statistics.median(seconds for seconds, _ in outcomes)
        record = outcomes[-1][1]
        first = first or seconds
        ran = [f"{s['name']} {s['seconds']:.2f}" for s in record["stages"] if s["seconds"] > 0]
        print(f"{name:34} {seconds:8.2f} s {100 * seconds / first:6.1f} % {record['peak_memory_bytes'] / 2**20:7.0f} MiB  {', '.join(ran)}", flush=True)

    say("first night", [night(folder)])
    say("unchanged", [night(folder) for _ in range(RUNS)])
    say("unchanged, every file read again", [night(folder, "--rehash")])
    new = max(1, DOCUMENTS // 100), max(1, CLIPS // 100)
    write_corpus(folder, *new, 10_000_000, "new")
    time.sleep(1)
    say("1 % new", [night(folder)])
    for setting in ("compare.permutations=199", "bag_of_words.min_df=2", "embeddings.dims=40", "features.mfcc=12"):
        say(setting, [night(folder, "--set", setting)])
    for path in folder.rglob("new*"):
        path.unlink()
    say("the 1 % gone again", [night(folder)])
    if not given:
        shutil.rmtree(folder)


main()
