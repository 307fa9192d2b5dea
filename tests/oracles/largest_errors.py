#!/usr/bin/env python3
"""The largest error of each feature of sound on real recordings, as a Markdown table (docs/agreement.md holds one).

    python largest_errors.py WORDWAVE FOLDER [--clips N]

WORDWAVE is the program, FOLDER has recordings at 16 kHz (FLAC or WAV, searched below it), N of which are taken, evenly spread. Each is
analysed by the program and by librosa, Kaldi, Praat and formulas as in ../golden/make_golden.py, which names the calls; the environment
is that of ../golden/requirements.txt. Without FOLDER the script says so and ends well. Exit status 1: something is beyond its bound.
"""

import argparse
import math
import subprocess
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import soundfile

sys.path.insert(0, str(Path(__file__).parents[1] / "golden"))
import make_golden as oracle

SETS = ["mel", "mfcc", "spectral", "pitch", "loudness", "voice", "quality", "contrast", "chroma", "pcen", "deltas", "rhythm"]
SETS += ["formants", "voice_quality", "syllables", "recording", "earshot", "functionals"]
JITTER = ["jitter_local", "jitter_rap", "jitter_ppq5", "shimmer_local", "shimmer_apq3", "shimmer_apq5"]


class Errors:
    """The largest error of each feature, and the clip where it is."""

    def __init__(self):
        self.rows, self.shares = {}, {}

    def add(self, feature, judge, unit, bound, errors, clip):
        errors = np.nan_to_num(np.atleast_1d(np.asarray(errors, dtype=float)), nan=math.inf)
        if errors.size:
            row = self.rows.setdefault(feature, [judge, unit, bound, -1.0, "", 0])
            row[5] += errors.size
            if errors.max() > row[3]:
                row[3:5] = float(errors.max()), clip

    def relative(self, feature, judge, bound, ours, theirs, clip):
        ours, theirs = np.asarray(ours, float), np.asarray(theirs, float)
        self.add(feature, judge, "relative", bound, np.abs(ours - theirs) / np.maximum(np.abs(theirs), 1e-6), clip)

    def absolute(self, feature, judge, unit, bound, ours, theirs, clip):
        ours, theirs = np.asarray(ours, float), np.asarray(theirs, float)
        self.add(feature, judge, unit, bound, np.abs(ours - theirs), clip)

    def share(self, feature, judge, least, good, of):
        """How many of a count are as they should be."""
        row = self.shares.setdefault(feature, [judge, least, 0, 0])
        row[2:] = row[2] + int(good), row[3] + int(of)

    def print(self):
        print("\n| feature | held against | largest error | asked | values | where |\n|---|---|---|---|---|---|")
        failed = 0
        for feature, (judge, unit, bound, worst, clip, count) in self.rows.items():
            over = bound is not None and worst > bound
            failed += over
            asked = "" if bound is None else f"{bound:g}{' **missed**' if over else ''}"
            print(f"| {feature} | {judge} | {worst:.2g}{'' if unit == '-' else ' ' + unit} | {asked} | {count:,} | {clip} |")
        print("\n| feature | held against | as it should be | asked | of |\n|---|---|---|---|---|")
        for feature, (judge, least, good, of) in self.shares.items():
            share = good / max(of, 1)
            over = least is not None and share < least
            failed += over
            asked = "" if least is None else f"{least:.1%}{' **missed**' if over else ''}"
            print(f"| {feature} | {judge} | {share:.2%} | {asked} | {of:,} |")
        return int(failed > 0)


class Run:
    """What the program makes of the recordings."""

    def __init__(self, program, work, wav, profile="librosa", sets=SETS, method="yin"):
        pitch = f'{{ min_hz = {oracle.FMIN}, max_hz = {oracle.FMAX}, frame_len = {oracle.YIN}, method = "{method}" }}'
        fft = 400 if profile == "whisper" else oracle.FFT
        job = work / f"{profile}-{method}.toml"
        job.write_text(
            f'[job]\nname = "errors"\noutput = "{work}/{profile}-{method}"\nkeep = 1\n[clips]\ninclude = ["{wav}/*.wav"]\n'
            f'[spectrogram]\nprofile = "{profile}"\nfft_len = {fft}\nwin_len = 400\nhop_len = {oracle.HOP}\nmels = {oracle.MELS}\nstore = "mel"\n'
            f"[features]\nsets = {sets}\npitch = {pitch}\nframes = true\n"
        )
        subprocess.run([program, "run", str(job), "--quiet"], check=True, stdout=subprocess.DEVNULL)
        self.run = work / f"{profile}-{method}" / "errors" / "latest"
        self.clips = {row["clip_id"]: row for row in pq.read_table(self.run / "clips.parquet").to_pylist()}

    def rows(self, table, clip):
        rows = ds.dataset(self.run / table, format="parquet").to_table(filter=ds.field("clip_id") == clip)
        return rows.sort_by("frame")

    def levels(self, clip):
        return np.array(self.rows("spectrograms", clip).column("values").to_pylist(), dtype=float)

    def columns(self, clip):
        rows = self.rows("frames", clip)
        columns = {name: rows.column(name).to_pylist() for name in rows.column_names}
        return {name: np.array(values, dtype=float) for name, values in columns.items() if name != "clip_id"}


def contours(errors, clip, columns, series):
    judge = "librosa"
    errors.absolute("MFCC", judge, "", 1e-3, columns["mfcc"], series["mfcc"], clip)
    for name in ("centroid_hz", "bandwidth_hz", "flatness", "zcr"):
        errors.relative(name, judge, 1e-4, columns[name], series[name], clip)
    loud = series["rms"] > 1e-5
    errors.relative("rms", judge, 1e-4, (10 ** (columns["rms_db"] / 20))[loud], series["rms"][loud], clip)
    # A sum that just reaches 85 % may do so a bin earlier or later.
    near = np.abs(columns["rolloff_hz"] - series["rolloff_hz"]) <= 1e-4 * series["rolloff_hz"]
    errors.share("rolloff_hz within 1e-4", judge, 0.999, near.sum(), near.size)


def pitches(errors, clip, ours, probabilistic, series):
    judge = "librosa"
    voiced = (series["yin_trough"] < 0.3) & (series["rms"] > 0)
    errors.share("YIN: voiced or not", judge, None, (voiced == (ours["voiced"] > 0)).sum(), voiced.size)
    both = voiced & (ours["voiced"] > 0)
    errors.relative("YIN", judge, 1e-3, ours["f0_hz"][both], series["yin_hz"][both], clip)
    theirs = series["pyin_hz"]
    voiced = np.isfinite(theirs)
    near = np.abs(probabilistic["f0_hz"] - theirs) <= 0.01 * theirs
    errors.share("pYIN: voiced or not", judge, None, (voiced == (probabilistic["voiced"] > 0)).sum(), voiced.size)
    errors.share("pYIN within 1 % of a voiced frame", judge, 0.98, near[voiced].sum(), voiced.sum())
    errors.relative("pYIN where both are voiced and within a semitone", judge, None, *semitone(probabilistic["f0_hz"], theirs), clip)


def semitone(ours, theirs):
    near = np.abs(ours - theirs) < 0.06 * theirs
    return ours[near], theirs[near]


def voices(errors, clip, y, ours, columns):
    judge = "Praat"
    praat = np.array(oracle.formants(y, len(columns["seconds"])))
    for i in range(4):
        mine, theirs = columns[f"f{i + 1}_hz"], praat[:, i]
        there = (columns["voiced"] > 0) & np.isfinite(theirs)
        near = np.abs(mine - theirs) <= 0.02 * theirs
        errors.share(f"F{i + 1} within 2 % of a voiced frame", judge, None, near[there].sum(), there.sum())
        errors.share("formants within 2 % of a voiced frame", judge, 0.95, near[there].sum(), there.sum())
    theirs = oracle.hnr_db(y)
    errors.absolute("HNR", judge, "dB", None, ours["hnr_db"], theirs, clip)
    errors.share("HNR of a clip within 0.1 dB", judge, 0.95, abs(ours["hnr_db"] - theirs) <= 0.1, 1)
    theirs = oracle.perturbation(y)["perturbation"]
    for name, value in zip(JITTER, theirs):
        if math.isfinite(value):
            errors.relative(name.split("_")[0], judge, None, ours[name], value, clip)
            errors.share("jitter and shimmer of a clip within 1 %", judge, 0.95, abs(ours[name] - value) <= 0.01 * value, 1)
    theirs = oracle.syllables(y)
    errors.absolute("syllables", "de Jong and Wempe in Praat", "nuclei", None, ours["syllables"], theirs["nuclei"], clip)
    errors.share("as many syllables in a clip", "de Jong and Wempe in Praat", None, ours["syllables"] == theirs["nuclei"], 1)
    errors.absolute("phonation_share", "de Jong and Wempe in Praat", "", None, ours["phonation_share"], theirs["phonation_share"], clip)


def clip_values(errors, clip, y, ours, series, curve):
    sets = oracle.further_sets(y, series)
    bounds = {"contrast": "dB", "chroma": "", "delta": "", "delta2": ""}
    for name, unit in bounds.items():
        for moment in ("mean", "sd"):
            theirs = sets[name][f"{moment}s"]
            mine = [ours[f"{name}_{i:02}_{moment}"] for i in range(1, len(theirs) + 1)]
            errors.absolute(name, "librosa", unit, 1e-3, mine, theirs, clip)
    for name in ("pcen", "slope_db_khz", "entropy", "onset_strength"):
        for moment in ("mean", "sd"):
            theirs = sets[name][f"{moment}s"]
            many = [f"{name}_{i:02}_{moment}" for i in range(1, len(theirs) + 1)]
            mine = [ours[key] for key in (many if name == "pcen" else [f"{name}_{moment}"])]
            errors.relative(name, "scipy" if name == "entropy" else "numpy" if name == "slope_db_khz" else "librosa", 1e-4, mine, theirs, clip)
    errors.relative("tempo_bpm", "librosa", 1e-4, ours["tempo_bpm"], sets["tempo_bpm"], clip)
    names = ["p05", "p25", "p50", "p75", "p95", "slope", "rise", "fall"]
    for name in oracle.FUNCTIONALS:
        for of, theirs in zip(names, oracle.functionals(series[name])):
            key = next(key for key in ours if key.startswith(f"{name}_{of}"))
            if name != "rolloff_hz" and of != "slope":
                errors.relative("functionals", "numpy", 1e-4, ours[key], theirs, clip)
    errors.absolute("loudness_lufs", "BS.1770-4 by formula", "LU", 0.1, ours["loudness_lufs"], loudness_lufs(y), clip)
    errors.relative("effective_bandwidth_hz", "formula", 1e-4, ours["effective_bandwidth_hz"], oracle.effective_bandwidth(y, oracle.RATE), clip)
    sizes = np.abs(y[y != 0])
    theirs = np.interp(np.log(sizes.mean()) - np.log(sizes).mean(), curve, np.arange(-20, 101))
    errors.absolute("snr_wada_db", "formula", "dB", 0.1, ours["snr_wada_db"], theirs, clip)


def loudness_lufs(y):
    """BS.1770-4 over pyloudnorm's filters and whole blocks of 400 ms; pyloudnorm itself takes the part of a block at the end for a whole one."""
    import pyloudnorm
    from scipy import signal

    for stage in pyloudnorm.Meter(oracle.RATE, filter_class="DeMan")._filters.values():
        y = stage.passband_gain * signal.lfilter(stage.b, stage.a, y)
    block, hop = round(0.4 * oracle.RATE), round(0.1 * oracle.RATE)
    squares = np.array([np.mean(y[i : i + block] ** 2) for i in range(0, len(y) - block + 1, hop)])
    level = lambda squares: -0.691 + 10 * np.log10(squares)
    sounding = squares[level(squares) >= -70]
    return level(sounding[level(sounding) >= level(sounding.mean()) - 10].mean())


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("program")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--clips", type=int, default=40)
    args = parser.parse_args()
    found = sorted(path for path in args.folder.rglob("*") if path.suffix in (".flac", ".wav")) if args.folder.is_dir() else []
    if not found:
        print(f"skipped: {args.folder} has no recordings")
        return 0
    found = found[:: max(1, len(found) // args.clips)][: args.clips]
    errors, curve = Errors(), [oracle.wada_curve(db) for db in range(-20, 101)]
    with tempfile.TemporaryDirectory() as work:
        wav, sounds = Path(work) / "wav", {}
        wav.mkdir()
        for path in found:
            samples, rate = soundfile.read(path, dtype="int16")
            if rate != oracle.RATE or samples.ndim != 1:
                continue
            soundfile.write(wav / f"{path.stem}.wav", samples, rate, subtype="PCM_16")
            sounds[path.stem] = samples / 32768
        ours = Run(args.program, Path(work), wav)
        pyin = Run(args.program, Path(work), wav, method="pyin", sets=["pitch", "mel", "mfcc"])
        kaldi = Run(args.program, Path(work), wav, profile="kaldi", sets=["mel"])
        whisper = Run(args.program, Path(work), wav, profile="whisper", sets=["mel"])
        for clip, y in sounds.items():
            series, columns = oracle.librosa_features(y), ours.columns(clip)
            errors.absolute("log-mel", "librosa", "dB", 0.01, ours.levels(clip), series["log_mel_db"], clip)
            single = pyin.levels(clip), pyin.columns(clip)["mfcc"]
            errors.absolute("log-mel, transforms in f32", "librosa", "dB", 0.01, single[0], series["log_mel_db"], clip)
            errors.absolute("MFCC, transforms in f32", "librosa", "", 1e-3, single[1], series["mfcc"], clip)
            errors.absolute("Kaldi fbank", "kaldi-native-fbank", "", 0.01, kaldi.levels(clip), oracle.kaldi_log_mel(y), clip)
            errors.absolute("Whisper log-mel", "formula", "", 0.01, whisper.levels(clip), oracle.whisper_log_mel(y), clip)
            contours(errors, clip, columns, series)
            pitches(errors, clip, columns, pyin.columns(clip), series)
            clip_values(errors, clip, y, ours.clips[clip], series, curve)
            voices(errors, clip, y, ours.clips[clip], columns)
            print(f"{clip} is done", file=sys.stderr)
    packages = ("librosa", "kaldi-native-fbank", "praat-parselmouth", "scipy", "numpy", "pyloudnorm")
    seconds = sum(map(len, sounds.values())) / oracle.RATE
    print(f"{len(sounds)} recordings, {seconds:.0f} s; " + ", ".join(f"{name} {version(name)}" for name in packages))
    return errors.print()


if __name__ == "__main__":
    sys.exit(main())
