"""Reading WAV into f32 in memory: ours, which hashes the file as well, against libsndfile through soundfile. Warm page cache, one thread."""

import os, subprocess
from pathlib import Path


def compare_reading(compare, timed, recordings, work):
    """Ten minutes of the recordings at 16 kHz, in 16 and in 24 bits."""
    import numpy as np, soundfile as sf

    bench = subprocess.Popen([os.environ["WORDWAVE_READING_BENCH"]], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ours(path):
        print(path, file=bench.stdin, flush=True)
        return float(bench.stdout.readline()) / 1e3

    samples = np.concatenate([sf.read(path, dtype="float32")[0] for path in recordings])
    samples = np.resize(samples, 600 * 16_000)
    for subtype in ["PCM_16", "PCM_24"]:
        path = Path(work) / f"{subtype}.wav"
        sf.write(path, samples, 16_000, subtype=subtype)
        compare(f"wav-read-{subtype[4:]}", lambda: ours(path), lambda: timed(lambda: sf.read(path, dtype="float32")))
    bench.stdin.close()
    bench.wait()
