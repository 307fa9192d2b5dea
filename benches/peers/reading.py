"""Reading WAV into f32: ours, block by block as the job reads, against libsndfile through soundfile, which is asked for the whole file
(`wav-read`, its usual call) and for the same blocks (`wav-blocks`). Warm page cache, one thread, no hash."""

import os, subprocess
from pathlib import Path


def compare_reading(compare, timed, recordings, work):
    """Ten minutes of the recordings at 16 kHz, in 16 and in 24 bits."""
    import numpy as np, soundfile as sf

    bench = subprocess.Popen([os.environ["WORDWAVE_READING_BENCH"]], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ours(path):
        print(path, file=bench.stdin, flush=True)
        return float(bench.stdout.readline()) / 1e3

    block = np.zeros(1 << 16, dtype="float32")

    def blocks(path):
        with sf.SoundFile(path) as file:
            while len(file.read(len(block), dtype="float32", out=block)):
                pass

    samples = np.concatenate([sf.read(path, dtype="float32")[0] for path in recordings])
    samples = np.resize(samples, 600 * 16_000)
    for subtype in ["PCM_16", "PCM_24"]:
        path = Path(work) / f"{subtype}.wav"
        sf.write(path, samples, 16_000, subtype=subtype)
        compare(f"wav-read-{subtype[4:]}", lambda: ours(path), lambda: timed(lambda: sf.read(path, dtype="float32")))
        compare(f"wav-blocks-{subtype[4:]}", lambda: ours(path), lambda: timed(lambda: blocks(path)))
    bench.stdin.close()
    bench.wait()
