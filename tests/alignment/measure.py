#!/usr/bin/env python3
"""The accuracy of wordwave's own alignment on speech whose word times espeak-ng says.

    apt-get install espeak-ng
    python3 measure.py target/release/wordwave [SENTENCES.txt]

Speaks the sentences (espeak_words.py), runs a job over them with compare.words, and prints how far the begin of each word but the
first lies from espeak-ng's, beside what equal pace of letters and syllables would give without listening. Fails where the median is 100
ms or more.
"""

import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
VOICES = "en-us,en-gb,en-gb-scotland,en-us+f3"


def main():
    binary = Path(sys.argv[1]).resolve()
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        spoken = [sys.executable, HERE / "espeak_words.py", folder / "said", *sys.argv[2:], "--voices", VOICES]
        subprocess.run(spoken, check=True)
        (folder / "job.toml").write_text(
            f"""[job]
name = "espeak"
output = "{folder}/runs"
[documents]
include = ["said/*.txt"]
[tokens]
[clips]
include = ["said/*.wav"]
[features]
sets = ["spectral", "loudness"]
[compare]
permutations = 0
bootstrap = 0
words = true
"""
        )
        subprocess.run([binary, "--quiet", "run", folder / "job.toml"], check=True)
        run = folder / "runs/espeak/latest"
        shown = subprocess.run(
            [binary, "show", run, "--table", "words", "--rows", "10000000"], check=True, capture_output=True, text=True
        ).stdout.splitlines()
        header = shown[0].split("\t")
        begins = {}
        for line in shown[1:]:
            row = dict(zip(header, line.split("\t")))
            begins.setdefault(row["clip_id"], []).append((float(row["start"]), float(row["end"]), row["term"]))
        errors, alike = [], []
        for file in sorted((folder / "said").glob("*.ctm")):
            truth = [(float(b), float(b) + float(d), w) for _, _, b, d, w in map(str.split, file.read_text().splitlines())]
            found = begins.get(file.stem, [])
            if [word for *_, word in found] != [word.lower() for *_, word in truth]:
                print(f"{file.stem}: other words", file=sys.stderr)
                continue
            errors += [abs(ours[0] - theirs[0]) for ours, theirs in list(zip(found, truth))[1:]]
            weights = [len(word) + 1.5 * max(1, len(word) / 3) for *_, word in truth]
            at, total = truth[0][0], sum(weights)
            for weight, (begin, *_) in zip(weights, truth[1:]):
                at += weight / total * (truth[-1][1] - truth[0][0])
                alike.append(abs(at - begin))
    median = statistics.median(errors)
    within = sum(error < 0.1 for error in errors) / len(errors)
    print(f"{len(errors)} begins: median error {1000 * median:.0f} ms, mean {1000 * statistics.mean(errors):.0f} ms, {within:.0%} within 100 ms")
    print(f"equal pace: median {1000 * statistics.median(alike):.0f} ms")
    sys.exit(median >= 0.1)


if __name__ == "__main__":
    main()
