#!/usr/bin/env python3
"""Puts what the tests hold of small recordings into fuzz/corpus/recording, for the fuzzer to begin with."""

import base64
import json
from pathlib import Path

HERE = Path(__file__).resolve().parent
FOLDER = HERE / "corpus" / "recording"

FOLDER.mkdir(parents=True, exist_ok=True)
for file in json.loads((HERE.parent / "tests/golden/recordings.json").read_text())["files"]:
    (FOLDER / file["name"].replace(" ", "-").replace(",", "")).write_bytes(base64.b64decode(file["base64"]))
for tone in ["tone.flac", "tone.mp3", "tone.ogg", "tone.m4a", "tone.aac", "lossless.m4a", "unsaid.mp3"]:
    (FOLDER / tone).write_bytes((HERE.parent / "tests/broken" / tone).read_bytes())
