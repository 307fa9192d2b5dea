#!/usr/bin/env python3
"""How the set `egemaps` agrees with openSMILE's eGeMAPSv02, as a Markdown table (docs/egemaps.md holds one).

    python egemaps_agreement.py WORDWAVE FOLDER [--clips N]

WORDWAVE is the program, FOLDER has recordings (FLAC or WAV, searched below it), N of which are taken, evenly spread. openSMILE (PyPI
`opensmile`, free for research alone; nothing of it is part of this project) describes the same recordings; for each functional the table
says Spearman's and Pearson's correlation over the recordings, and both medians. Without FOLDER the script says so and ends well.
"""

import argparse
import subprocess
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
from scipy import stats

MOMENTS = {"mean": "amean", "cv": "stddevNorm"}
FURTHER = {
    "p20": "percentile20.0", "p50": "percentile50.0", "p80": "percentile80.0", "range": "pctlrange0-2",
    "rising_mean": "meanRisingSlope", "rising_sd": "stddevRisingSlope",
    "falling_mean": "meanFallingSlope", "falling_sd": "stddevFallingSlope",
}  # fmt: skip
CONTOURS = {
    "flux": "spectralFlux_sma3", **{f"mfcc_{i}": f"mfcc{i}_sma3" for i in range(1, 5)},
    "jitter": "jitterLocal_sma3nz", "shimmer_db": "shimmerLocaldB_sma3nz", "hnr_db": "HNRdBACF_sma3nz",
    "h1_h2_db": "logRelF0-H1-H2_sma3nz", "h1_a3_db": "logRelF0-H1-A3_sma3nz",
    **{f"f{i}_hz": f"F{i}frequency_sma3nz" for i in (1, 2, 3)},
    **{f"f{i}_bandwidth_hz": f"F{i}bandwidth_sma3nz" for i in (1, 2, 3)},
    **{f"f{i}_amplitude_db": f"F{i}amplitudeLogRelF0_sma3nz" for i in (1, 2, 3)},
    "flux_voiced": "spectralFluxV_sma3nz", **{f"mfcc_{i}_voiced": f"mfcc{i}V_sma3nz" for i in range(1, 5)},
    "alpha_ratio_db_voiced": "alphaRatioV_sma3nz", "hammarberg_db_voiced": "hammarbergIndexV_sma3nz",
    "slope_to_500hz_voiced": "slopeV0-500_sma3nz", "slope_to_1500hz_voiced": "slopeV500-1500_sma3nz",
}  # fmt: skip
UNVOICED = {
    "flux": "spectralFluxUV_sma3nz", "alpha_ratio_db": "alphaRatioUV_sma3nz", "hammarberg_db": "hammarbergIndexUV_sma3nz",
    "slope_to_500hz": "slopeUV0-500_sma3nz", "slope_to_1500hz": "slopeUV500-1500_sma3nz",
}  # fmt: skip
OF_TIME = {
    "loudness_peaks_per_second": "loudnessPeaksPerSec", "voiced_segments_per_second": "VoicedSegmentsPerSec",
    "voiced_seconds_mean": "MeanVoicedSegmentLengthSec", "voiced_seconds_sd": "StddevVoicedSegmentLengthSec",
    "unvoiced_seconds_mean": "MeanUnvoicedSegmentLength", "unvoiced_seconds_sd": "StddevUnvoicedSegmentLength",
    "level_db": "equivalentSoundLevel_dBp",
}  # fmt: skip


def names():
    """Our column to openSMILE's."""
    pairs = {}
    for ours, theirs in (("f0_semitones", "F0semitoneFrom27.5Hz_sma3nz"), ("loudness", "loudness_sma3")):
        pairs |= {f"{ours}_{of}": f"{theirs}_{name}" for of, name in (MOMENTS | FURTHER).items()}
    pairs |= {f"{ours}_{of}": f"{theirs}_{name}" for ours, theirs in CONTOURS.items() for of, name in MOMENTS.items()}
    pairs |= {f"{ours}_unvoiced_mean": f"{theirs}_amean" for ours, theirs in UNVOICED.items()}
    return pairs | OF_TIME


def described(program, work, found):
    job = work / "egemaps.toml"
    listed = ", ".join(f'"{path.resolve()}"' for path in found)
    job.write_text(
        f'[job]\nname = "egemaps"\noutput = "{work}"\n[clips]\nid = "stem"\ninclude = [{listed}]\n[spectrogram]\n[features]\nsets = ["egemaps"]\n'
    )
    subprocess.run([program, "run", str(job), "--quiet"], check=True, stdout=subprocess.DEVNULL)
    rows = pq.read_table(work / "egemaps" / "latest" / "clips.parquet").to_pylist()
    return {row["clip_id"]: row for row in rows}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("program")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--clips", type=int, default=60)
    args = parser.parse_args()
    found = sorted(path for path in args.folder.rglob("*") if path.suffix in (".flac", ".wav")) if args.folder.is_dir() else []
    if not found:
        print(f"skipped: {args.folder} has no recordings")
        return
    import opensmile
    import soundfile

    found = found[:: max(1, len(found) // args.clips)][: args.clips]
    smile = opensmile.Smile(opensmile.FeatureSet.eGeMAPSv02, opensmile.FeatureLevel.Functionals)
    theirs = []
    for path in found:
        samples, rate = soundfile.read(path, dtype="float32")
        theirs.append(smile.process_signal(samples, rate).iloc[0])
    with tempfile.TemporaryDirectory() as work:
        rows = described(args.program, Path(work), found)
    pairs = names()
    assert len(pairs) == 88 and set(pairs.values()) == set(theirs[0].index), set(theirs[0].index) ^ set(pairs.values())
    print(f"{len(found)} recordings; opensmile {version('opensmile')}\n")
    print("| column | openSMILE | Spearman | Pearson | median | openSMILE's |\n|---|---|---|---|---|---|")
    ranks = []
    for ours, name in pairs.items():
        mine = np.array([rows[path.stem][f"egemaps_{ours}"] for path in found], dtype=float)
        other = np.array([row[name] for row in theirs], dtype=float)
        known = np.isfinite(mine) & np.isfinite(other)
        mine, other = mine[known], other[known]
        rank = stats.spearmanr(mine, other).statistic
        ranks.append(rank)
        pearson = np.corrcoef(mine, other)[0, 1]
        print(f"| {ours} | {name} | {rank:.2f} | {pearson:.2f} | {np.median(mine):.3g} | {np.median(other):.3g} |")
    ranks = np.array(ranks)
    print(f"\nSpearman: median {np.median(ranks):.2f}; {np.sum(ranks >= 0.9)} of 88 at 0.9 or more, {np.sum(ranks >= 0.7)} at 0.7 or more.")


if __name__ == "__main__":
    sys.exit(main())
