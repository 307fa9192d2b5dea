#!/usr/bin/env python3
"""Writes transcripts.txt: `ID word`, one line for each recording of the Free Spoken Digit Dataset (10 digits, 6 speakers, 50 takes).

The dataset ships no texts; a recording's name, DIGIT_SPEAKER_TAKE, says what is spoken.
"""

from pathlib import Path

WORDS = "zero one two three four five six seven eight nine".split()
SPEAKERS = ["george", "jackson", "lucas", "nicolas", "theo", "yweweler"]
TAKES = 50

lines = [
    f"{digit}_{speaker}_{take} {word}\n"
    for digit, word in enumerate(WORDS)
    for speaker in SPEAKERS
    for take in range(TAKES)
]
Path(__file__).with_name("transcripts.txt").write_text("".join(lines), encoding="utf-8", newline="\n")
