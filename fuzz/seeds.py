#!/usr/bin/env python3
"""Puts what the tests hold of small recordings into fuzz/corpus/recording, and a document of every format into
fuzz/corpus/document, for the fuzzer to begin with."""

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

DOCUMENTS = HERE / "corpus" / "document"
DOCUMENTS.mkdir(parents=True, exist_ok=True)
for name, text in {
    "text.txt": "one\n\ntwo\r\nthree",
    "marks.md": "# T\n\n- *a* [b](c)\n\n| x | y |\n|---|---|\n| 1 | 2 |\n",
    "page.html": "<!DOCTYPE html><meta charset=utf-8><title>t</title><style>p{}</style><p hidden>a<p>b&amp;c<br><table><tr><td>d<td>e</table>"
    "<pre> f\n g</pre><div style='display:none'>h</div><script>i<j</script><svg><path/></svg><!-- k --><li>l<li>m",
    "page.xhtml": "<?xml version='1.0' encoding='koi8-r'?><html xmlns='http://www.w3.org/1999/xhtml'><script/><p>a<a/></p></html>",
    "rows.jsonl": '{"id": "a", "text": "one\\n\\ntwo", "x": [1, {"text": 2}]}\n\n{"text": null}\n{"id": 7, "text": "\\ud83d\\ude00"}\n',
    "rows.csv": '\ufeffid,text\r\na,"one\r\n""two"""\r\nb,5" wide\r\nc,"open\n',
    "said.trans.txt": "u-1 ONE TWO\nu-2\n",
    "nemo.jsonl": '{"audio_filepath": "a.wav", "text": "one", "offset": 0.5, "duration": 1, "speaker": "s"}\n',
    "nemo.csv": "audio_filepath,text,offset\na.wav,one,1\n",
    "metadata.csv": "LJ-1|No. 1|number one\nLJ-2|two|\n",
}.items():
    (DOCUMENTS / name).write_text(text, encoding="utf-8", newline="")
for file in json.loads((HERE.parent / "tests/golden/rows.json").read_text())["files"]:
    (DOCUMENTS / file["name"].replace(" ", "-").replace(",", "")).write_bytes(base64.b64decode(file["base64"]))
