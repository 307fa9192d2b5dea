#!/usr/bin/env python3
"""Writes the golden values beside this file: what pinned oracles say about inputs that every test can repeat.

    python3 -m venv /tmp/oracles && /tmp/oracles/bin/pip install -r requirements.txt
    /tmp/oracles/bin/python make_golden.py [tones] [rows] [recordings] [audio] [text] [statistics] [convolution] [kernels] [relations]

The inputs are the sample corpus (corpora/sample) or stand in the JSON files themselves. Each file says which versions made it and how
every value is defined. Numbers have 10 significant digits in audio.json and text.json, and all 17 elsewhere; null stands for "undefined".
"""

import argparse
import json
import math
import sys
from importlib.metadata import version
from pathlib import Path

HERE = Path(__file__).resolve().parent
SAMPLE = HERE.parents[1] / "corpora" / "sample"
PINNED = dict(
    line.split("==")
    for line in (HERE / "requirements.txt").read_text().splitlines()
    if "==" in line
)


# --- writing ---------------------------------------------------------------------------------------------------------


def number(value, digits):
    """A float as JSON has it: shortest form of at most `digits` significant digits; null for NaN and infinity."""
    value = float(value)
    if not math.isfinite(value):
        return "null"
    text = repr(value) if digits >= 17 else repr(float(f"{value:.{digits}g}"))
    return text[:-2] if text.endswith(".0") else text


def dump(value, digits, indent=0):
    """JSON with a line for each list of scalars, so that a change is readable in a diff."""
    import numpy as np

    pad = "  " * (indent + 1)
    if isinstance(value, np.ndarray):
        value = value.tolist()
    if isinstance(value, dict):
        if not value:
            return "{}"
        scalars = all(isinstance(v, (int, float)) for v in value.values())
        gap, join, end = ("", ", ", "") if scalars else (f"\n{pad}", f",\n{pad}", "\n" + "  " * indent)
        inner = join.join(f"{json.dumps(str(k))}: {dump(v, digits, indent + 1)}" for k, v in value.items())
        return "{" + gap + inner + end + "}"
    if isinstance(value, (list, tuple)):
        nested = any(isinstance(v, (list, tuple, dict, np.ndarray)) for v in value)
        parts = [dump(v, digits, indent + 1) for v in value]
        return f"[\n{pad}" + f",\n{pad}".join(parts) + "\n" + "  " * indent + "]" if nested else "[" + ", ".join(parts) + "]"
    if isinstance(value, (bool, np.bool_)):
        return "true" if value else "false"
    if isinstance(value, (int, np.integer)):
        return str(int(value))
    if isinstance(value, (float, np.floating)):
        return number(value, digits)
    return json.dumps(value, ensure_ascii=False)


def write(name, packages, content, digits):
    made_with = {package: version(package) for package in packages}
    path = HERE / name
    path.write_text(dump({"made_by": "make_golden.py", "versions": made_with, **content}, digits) + "\n", encoding="utf-8")
    print(f"{name}: {path.stat().st_size} bytes")


# --- sound -----------------------------------------------------------------------------------------------------------

CLIPS = ["anna/morning-fog", "duncan/short-tunnel", "ben/hot-oven"]  # the last ends in digital silence
RATE, FFT, WIN, HOP, MELS, YIN = 16000, 512, 400, 160, 80, 1024
FMIN, FMAX = 65.0, 500.0
FUNCTIONALS = ["rms_db", "zcr", "centroid_hz", "bandwidth_hz", "rolloff_hz", "flatness"]
AUDIO_NOTES = {
    "input": "the WAV under corpora/sample/audio, 16 bit as x/32768 in f64; no filter",
    "frames": "the number of frames, 1 + samples/160 (integer division), of every series but kaldi's",
    "sampled_frames": "the frames whose rows log_mel_db, mfcc, whisper hold",
    "power": "|librosa.stft(n_fft=512, win_length=400, hop_length=160, window=hann, center=True, pad_mode=constant)|^2",
    "log_mel_db": "power_to_db(filters.mel(16000, 512, n_mels=80) @ power, ref=1.0, amin=1e-10, top_db=80)",
    "mfcc": "feature.mfcc(S=log_mel_db, n_mfcc=13): DCT-II, ortho",
    "centroid_hz, bandwidth_hz, rolloff_hz": "librosa.feature.spectral_*(S=|stft|, sr=16000), p=2, roll_percent=0.85",
    "flatness": "feature.spectral_flatness(S=|stft|, amin=1e-10, power=2)",
    "rms": "feature.rms(y, frame_length=512, hop_length=160, dtype=float64): zero-padded",
    "rms_db": "20 log10(max(rms, 1e-5))",
    "zcr": "feature.zero_crossing_rate(y, frame_length=512, hop_length=160): edge-padded",
    "yin_hz": "librosa.yin(fmin=65, fmax=500, frame_length=1024, hop_length=160), for every frame, voiced or not",
    "yin_trough": "minimum over the lags 32..=247 of the cumulative mean normalised difference that librosa.yin makes; 0 in digital silence",
    "f0_hz": "yin_hz of the frames with yin_trough < 0.3 and rms > 0",
    "pyin_hz, pyin_voiced_prob": "librosa.pyin(fmin=65, fmax=500, frame_length=1024, hop_length=160); null: unvoiced",
    "sets": "of each further set: means and sds (ddof = 0) over the frames of each column; contrast: spectral_contrast(S=|stft|); "
    "slope_db_khz: numpy.polyfit of 10 log10(max(1e-10, power)) over kHz; entropy: scipy.stats.entropy(max(1e-10, power)) / ln 257; "
    "chroma: chroma_stft(S=power); pcen: pcen(mel filters @ |stft| * 2^31); delta, delta2: feature.delta(mfcc, order=1, 2); "
    "onset_strength: onset.onset_strength(S=log_mel_db, n_fft=512, hop_length=160), tempo_bpm: feature.tempo of it",
    "functionals": "of a contour: numpy.percentile 5, 25, 50, 75, 95; numpy.polyfit slope per second; mean rise and fall per second of the "
    "frames where it rises and falls; null in f0_hz (yin) where unvoiced",
    "formants_hz": "Praat's To Formant (burg), 0.01 s, 5 formants, 5500 Hz, 25 ms, 50 Hz, over the clip with zeros about it so that its frames "
    "stand at the times of ours: F1 to F4 of each frame, null where there is none",
    "hnr_db": "Praat's To Harmonicity (ac), 0.01 s, 75 Hz, 0.1, 4.5 periods: its mean",
    "pulses": "Praat's To PointProcess (periodic, cc), 75 to 600 Hz: how many; perturbation: jitter local, rap, ppq5, shimmer local, apq3, apq5 "
    "of them with Praat's standard values (0.0001 s, 0.02 s, 1.3, 1.6)",
    "syllables": "de Jong and Wempe's script (2009) with its standard values (-25 dB, 2 dB, 0.3 s), run in Praat: nuclei; phonation_share, pause_seconds: "
    "what its To TextGrid (silences) labels sounding, by the length; mean length of the silences between",
    "loudness_range_lu": "pyloudnorm.Meter(16000, filter_class=DeMan).loudness_range (EBU Tech 3342) of the clip eight times, eight times half and a quarter of it",
    "effective_bandwidth_hz": "by formula (effective_bandwidth)",
    "snr_wada_db": "by formula over the samples that are not 0; wada_curve: G of -20 to 100 dB, every 10",
    "cmvn": "rows `sampled_frames` of mfcc, less their mean over all frames, by their sd",
    "means, sds": "over all frames; sds with ddof = 0",
    "loudness_lufs": "pyloudnorm.Meter(16000, filter_class=DeMan).integrated_loudness: ITU-R BS.1770-4, the filters' analogue prototypes taken to this rate, as libebur128 does",
    "whisper": "openai-whisper's log_mel_spectrogram by formula: n_fft 400, hop 160, reflect, last frame dropped, log10, max-8, (x+4)/4; its "
    "frames are samples/160",
    "kaldi": "kaldi-native-fbank, 80 bins, dither 0, samples x 32768, snip_edges; rows `kaldi_sampled_frames` of kaldi_frames",
}


def librosa_features(y):
    """Every feature as a series over frames (matrices: frames x bands)."""
    import librosa
    import numpy as np

    D = librosa.stft(y, n_fft=FFT, win_length=WIN, hop_length=HOP, window="hann", center=True, pad_mode="constant")
    mag = np.abs(D)
    mel = librosa.filters.mel(sr=RATE, n_fft=FFT, n_mels=MELS, dtype=np.float64) @ mag**2
    log_mel = librosa.power_to_db(mel, ref=1.0, amin=1e-10, top_db=80.0)
    rms = librosa.feature.rms(y=y, frame_length=FFT, hop_length=HOP, dtype=np.float64)[0]
    frames = librosa.util.frame(np.pad(y, YIN // 2), frame_length=YIN, hop_length=HOP)
    low, high = math.floor(RATE / FMAX), math.ceil(RATE / FMIN)
    from librosa.core.pitch import _cumulative_mean_normalized_difference as difference

    pitch = dict(fmin=FMIN, fmax=FMAX, sr=RATE, frame_length=YIN, hop_length=HOP)
    pyin_hz, _, pyin_prob = librosa.pyin(y, **pitch)
    return {
        "power": mag.T**2,
        "log_mel_db": log_mel.T,
        "mfcc": librosa.feature.mfcc(S=log_mel, n_mfcc=13).T,
        "centroid_hz": librosa.feature.spectral_centroid(S=mag, sr=RATE)[0],
        "bandwidth_hz": librosa.feature.spectral_bandwidth(S=mag, sr=RATE)[0],
        "rolloff_hz": librosa.feature.spectral_rolloff(S=mag, sr=RATE, roll_percent=0.85)[0],
        "flatness": librosa.feature.spectral_flatness(S=mag, amin=1e-10, power=2.0)[0],
        "rms": rms,
        "rms_db": 20 * np.log10(np.maximum(rms, 1e-5)),
        "zcr": librosa.feature.zero_crossing_rate(y, frame_length=FFT, hop_length=HOP)[0],
        "yin_hz": librosa.yin(y, **pitch),
        "yin_trough": difference(frames, low, high).min(axis=0),
        "pyin_hz": pyin_hz,
        "pyin_voiced_prob": pyin_prob,
    }


def further_sets(y, series):
    """Means and deviations of what the sets beyond the default ones have."""
    import librosa
    import numpy as np
    from scipy import stats

    power = series["power"].T
    mag = np.sqrt(power)
    basis = librosa.filters.mel(sr=RATE, n_fft=FFT, n_mels=MELS, dtype=np.float64)
    khz = librosa.fft_frequencies(sr=RATE, n_fft=FFT) / 1000
    floored = np.maximum(1e-10, power)
    at = dict(sr=RATE, hop_length=HOP)
    onset = librosa.onset.onset_strength(S=series["log_mel_db"].T, n_fft=FFT, **at)
    rows = {
        "contrast": librosa.feature.spectral_contrast(S=mag, sr=RATE),
        "slope_db_khz": np.polyfit(khz, 10 * np.log10(floored), 1)[:1],
        "entropy": (stats.entropy(floored, axis=0) / np.log(len(power)))[None],
        "chroma": librosa.feature.chroma_stft(S=power, sr=RATE),
        "pcen": librosa.pcen(basis @ mag * 2**31, **at),
        "delta": librosa.feature.delta(series["mfcc"].T, order=1),
        "delta2": librosa.feature.delta(series["mfcc"].T, order=2),
        "onset_strength": onset[None],
    }
    sets = {name: {"means": values.mean(axis=1), "sds": values.std(axis=1)} for name, values in rows.items()}
    return {**sets, "tempo_bpm": librosa.feature.tempo(onset_envelope=onset, **at)[0]}


def functionals(values):
    """As NAMES of functionals.rs has them, of a contour with NaN where it has no value."""
    import numpy as np

    there = np.isfinite(values)
    seconds = np.arange(len(values)) * HOP / RATE
    change = np.diff(values) * RATE / HOP
    return [
        *np.percentile(values[there], [5, 25, 50, 75, 95]),
        np.polyfit(seconds[there], values[there], 1)[0],
        change[change > 0].mean(),
        change[change < 0].mean(),
    ]


def formants(y, frames):
    """F1 to F4 at each frame's time: zeros about the clip put Praat's first frame at 0 s, and leave room for the last and for rounding."""
    import numpy as np
    import parselmouth

    total = 832 + HOP * (frames - 1)
    padded = np.concatenate([np.zeros(416), y, np.zeros(total)])[:total]
    found = parselmouth.Sound(padded, RATE).to_formant_burg(0.01, 5, 5500, 0.025, 50)
    times = found.ts()
    assert len(times) == frames and abs(times[0] - 0.026) < 1e-9
    return [[found.get_value_at_time(i, t) for i in range(1, 5)] for t in times]


def hnr_db(y):
    import parselmouth
    from parselmouth.praat import call

    return call(parselmouth.Sound(y, RATE).to_harmonicity_ac(0.01, 75, 0.1, 4.5), "Get mean", 0, 0)


def perturbation(y):
    """How many pulses Praat finds, and its jitter and shimmer."""
    import parselmouth
    from parselmouth.praat import call

    sound = parselmouth.Sound(y, RATE)
    pulses = call(sound, "To PointProcess (periodic, cc)", 75, 600)
    periods = (0, 0, 0.0001, 0.02, 1.3)
    jitter = [call(pulses, f"Get jitter ({kind})", *periods) for kind in ("local", "rap", "ppq5")]
    shimmer = [call([sound, pulses], f"Get shimmer ({kind})", *periods, 1.6) for kind in ("local", "apq3", "apq5")]
    return {"pulses": call(pulses, "Get number of points"), "perturbation": jitter + shimmer}


def syllables(y):
    """De Jong and Wempe's script, step by step."""
    import parselmouth
    from parselmouth.praat import call

    sound = parselmouth.Sound(y, RATE)
    intensity = call(sound, "To Intensity", 50, 0, "yes")
    least, most = (call(intensity, f"Get {what}", 0, 0, "Parabolic") for what in ("minimum", "maximum"))
    loud = call(intensity, "Get quantile", 0, 0, 0.99)
    threshold = max(loud - 25, least)
    grid = call(intensity, "To TextGrid (silences)", -25 - (most - loud), 0.3, 0.1, "silent", "sounding")
    intervals = [
        (call(grid, "Get label of interval", 1, i), call(grid, "Get start time of interval", 1, i), call(grid, "Get end time of interval", 1, i))
        for i in range(1, call(grid, "Get number of intervals", 1) + 1)
    ]
    curve = call(call(intensity, "Down to Matrix"), "To Sound (slice)", 1)
    extrema = call(curve, "To PointProcess (extrema)", "Left", "yes", "no", "Sinc70")
    times = [call(extrema, "Get time from index", i) for i in range(1, call(extrema, "Get number of points") + 1)]
    level = {t: call(curve, "Get value at time", t, "Cubic") for t in times}
    peaks = [t for t in times if level[t] > threshold]
    dips = [call(curve, "Get minimum", a, b, "None") for a, b in zip(peaks, peaks[1:])]
    valid = [t for t, dip in zip(peaks, dips) if abs(level[t] - dip) > 2]
    pitch = sound.to_pitch_ac(0.02, 30, 4, False, 0.03, 0.25, 0.01, 0.35, 0.25, 450)
    voiced = [t for t in valid if math.isfinite(call(pitch, "Get value at time", t, "Hertz", "Linear"))]
    nuclei = [t for t in voiced if any(label == "sounding" and a <= t < b for label, a, b in intervals)]
    pauses = [b - a for label, a, b in intervals[1:-1] if label == "silent"]
    return {
        "nuclei": len(nuclei),
        "phonation_share": sum(b - a for label, a, b in intervals if label == "sounding") / sound.duration,
        "pause_seconds": sum(pauses) / len(pauses) if pauses else math.nan,
    }


def effective_bandwidth(y, rate):
    """As bandwidth.rs has it."""
    import numpy as np

    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(2048) / 2048)
    frames = np.lib.stride_tricks.sliding_window_view(y, 2048)[::1024]
    power = (np.abs(np.fft.rfft(frames * window)) ** 2).mean(axis=0) / (window**2).sum()
    width = max(1, round(100 * 2048 / rate))
    bands = power[: len(power) // width * width].reshape(-1, width).mean(axis=1)
    over = np.flatnonzero(bands > max(10 / 12 / 32768**2, 1e-9 * bands.max()))
    return min((over[-1] + 1) * width, 1024) * rate / 2048


def wada_curve(db):
    """G of a ratio: gamma amplitudes of shape 0.4 in normal noise of variance 1, by quadrature over v = u^0.4."""
    import numpy as np
    from scipy import integrate, special, stats

    shape = 0.4
    scale = np.sqrt(10 ** (db / 10) / (shape * (shape + 1)))

    def log_of_sum(t):  # the mean of ln |t + N|
        half = t * t / 2
        if half > 400:
            return np.log(t) - 1 / (2 * t * t) - 3 / (4 * t**4)
        k = np.arange(int(half + 20 * np.sqrt(half) + 60))
        return 0.5 * (np.log(2) + (stats.poisson.pmf(k, half) * special.digamma(k + 0.5)).sum())

    def size_of_sum(t):
        return np.sqrt(2 / np.pi) * np.exp(-t * t / 2) + t * special.erf(t / np.sqrt(2))

    def mean(of):
        bends = [min(10**e / scale, 59) ** shape for e in (-1, 0, 0.5, 1) if 10**e / scale < 59]
        weighted = lambda v: of(scale * v ** (1 / shape)) * np.exp(-(v ** (1 / shape)))
        total = integrate.quad(weighted, 0, 60**shape, limit=2000, points=bends, epsabs=1e-10, epsrel=1e-10)[0]
        return total / (shape * special.gamma(shape))

    return np.log(mean(size_of_sum)) - mean(log_of_sum)


def recording(y, curve):
    import numpy as np
    import pyloudnorm

    meter = pyloudnorm.Meter(RATE, filter_class="DeMan")
    sizes = np.abs(y[y != 0])
    return {
        "loudness_range_lu": meter.loudness_range(np.concatenate([gain * np.tile(y, 8) for gain in (1, 0.5, 0.25)])),
        "effective_bandwidth_hz": effective_bandwidth(y, RATE),
        "snr_wada_db": np.interp(np.log(sizes.mean()) - np.log(sizes).mean(), curve, np.arange(-20, 101)),
    }


def whisper_log_mel(y):
    import librosa
    import numpy as np

    D = librosa.stft(y, n_fft=400, hop_length=160, window="hann", center=True, pad_mode="reflect")[:, :-1]
    mel = librosa.filters.mel(sr=RATE, n_fft=400, n_mels=80, dtype=np.float64) @ np.abs(D) ** 2
    log = np.log10(np.maximum(mel, 1e-10))
    return ((np.maximum(log, log.max() - 8.0) + 4.0) / 4.0).T


def kaldi_log_mel(y):
    import kaldi_native_fbank as knf
    import numpy as np

    options = knf.FbankOptions()
    options.frame_opts.dither = 0.0
    options.frame_opts.samp_freq = RATE
    options.mel_opts.num_bins = 80
    bank = knf.OnlineFbank(options)
    bank.accept_waveform(RATE, (y * 32768.0).astype(np.float32).tolist())
    bank.input_finished()
    return np.array([bank.get_frame(i) for i in range(bank.num_frames_ready)], dtype=np.float64)


def golden_clip(clip, curve):
    import numpy as np
    import pyloudnorm
    import soundfile

    path = SAMPLE / "audio" / f"{clip}.wav"
    y, rate = soundfile.read(path, dtype="float64")
    assert rate == RATE and y.ndim == 1, path
    series = librosa_features(y)
    count = len(series["rms"])
    sampled = sorted({0, 1, count - 1} | {round(count * i / 10) for i in range(1, 10)})
    few = [sampled[3], sampled[6], sampled[9]]
    kaldi, whisper = kaldi_log_mel(y), whisper_log_mel(y)
    kaldi_sampled = [i for i in sampled if i < len(kaldi)]
    matrices = ("power", "log_mel_db", "mfcc")
    scalars = {name: values for name, values in series.items() if name not in matrices}
    averaged = {name: scalars[name] for name in scalars if name.split("_")[0] not in ("yin", "pyin")}
    voiced = series["yin_hz"][(series["yin_trough"] < 0.3) & (series["rms"] > 0)]
    averaged["f0_hz"] = voiced
    mfcc, mel = series["mfcc"], series["log_mel_db"]
    return {
        "clip": clip,
        "path": f"corpora/sample/audio/{clip}.wav",
        "samples": len(y),
        "frames": count,
        "sampled_frames": sampled,
        "power_frames": few,
        "power": series["power"][few],
        "log_mel_db": mel[sampled],
        "mfcc": mfcc[sampled],
        **scalars,
        "f0_frames": len(voiced),
        "f0_median_hz": np.median(voiced),
        "means": {name: values.mean() for name, values in averaged.items()},
        "sds": {name: values.std() for name, values in averaged.items()},
        "mfcc_means": mfcc.mean(axis=0),
        "mfcc_sds": mfcc.std(axis=0),
        "log_mel_means": mel.mean(axis=0),
        "log_mel_sds": mel.std(axis=0),
        "sets": further_sets(y, series),
        "functionals": {
            **{name: functionals(series[name]) for name in FUNCTIONALS},
            "f0_hz": functionals(np.where((series["yin_trough"] < 0.3) & (series["rms"] > 0), series["yin_hz"], np.nan)),
        },
        "formants_hz": formants(y, count),
        "hnr_db": hnr_db(y),
        **perturbation(y),
        "syllables": syllables(y),
        **recording(y, curve),
        "cmvn": ((mfcc - mfcc.mean(axis=0)) / mfcc.std(axis=0))[sampled],
        "loudness_lufs": pyloudnorm.Meter(RATE, filter_class="DeMan").integrated_loudness(y),
        "whisper": whisper[[min(i, len(whisper) - 1) for i in sampled]],
        "kaldi_frames": len(kaldi),
        "kaldi_sampled_frames": kaldi_sampled,
        "kaldi": kaldi[kaldi_sampled],
    }


def make_audio():
    import librosa
    import numpy as np

    basis = librosa.filters.mel(sr=RATE, n_fft=FFT, n_mels=MELS, dtype=np.float64)
    curve = [wada_curve(db) for db in range(-20, 101)]
    filters = [{"band": b, "first_bin": int(np.flatnonzero(row)[0]), "weights": row[row > 0]} for b, row in enumerate(basis) if b % 8 == 7]
    write(
        "audio.json",
        ["librosa", "numpy", "scipy", "soundfile", "pyloudnorm", "kaldi-native-fbank", "praat-parselmouth"],
        {
            "definitions": AUDIO_NOTES,
            "mel_filters": filters,
            "wada_curve": curve[::10],
            "clips": [golden_clip(clip, curve) for clip in CLIPS],
        },
        10,
    )


# --- text ------------------------------------------------------------------------------------------------------------

SETTINGS = {
    "default": {},
    "sublinear_tf": {"sublinear_tf": True},
    "norm_l1": {"norm": "l1"},
    "norm_none": {"norm": None},
    "smooth_idf_false": {"smooth_idf": False},
    "ngrams_1_2_min_df_2": {"ngram_range": (1, 2), "min_df": 2},
    "binary": {"binary": True},
    "max_df_fifth_strip_accents": {"max_df": 0.2, "strip_accents": "unicode"},
}
TEXT_NOTES = {
    "input": "corpora/sample/text/**/*.txt in the order of their ids, lower case, token pattern (?u)\\b\\w\\w+\\b",
    "terms": "CountVectorizer(): [term, df, cf] for each term, alphabetical",
    "counts": "CountVectorizer(): {term: count}",
    "idf": "TfidfVectorizer(**parameters).idf_ of the terms named",
    "rows": "TfidfVectorizer(**parameters): the whole row of a document, {term: weight}",
}


def make_text():
    import numpy as np
    from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer

    root = SAMPLE / "text"
    texts = {p.relative_to(root).with_suffix("").as_posix(): p.read_text(encoding="utf-8") for p in root.glob("**/*.txt")}
    ids = sorted(texts)
    shown = [ids[0], "astronomy/dying-star", "kitchen/boiled-egg", "railway/night-express", "weather/storm-warning", ids[-1]]

    def row(matrix, names, doc):
        line = matrix[ids.index(doc)].tocoo()
        return {names[j]: v for j, v in sorted(zip(line.col.tolist(), line.data.tolist()))}

    counter = CountVectorizer()
    counts = counter.fit_transform([texts[i] for i in ids])
    names = counter.get_feature_names_out()
    df, cf = np.diff(counts.tocsc().indptr), np.asarray(counts.sum(axis=0)).ravel()
    settings = []
    for name, parameters in SETTINGS.items():
        vectorizer = TfidfVectorizer(**parameters)
        weights = vectorizer.fit_transform([texts[i] for i in ids])
        terms = vectorizer.get_feature_names_out()
        every = max(1, len(terms) // 20)
        settings.append(
            {
                "name": name,
                "parameters": {k: json.loads(json.dumps(v)) for k, v in parameters.items()},
                "terms": len(terms),
                "nonzeros": weights.nnz,
                "sum": weights.sum(),
                "idf": {t: v for t, v in list(zip(terms, vectorizer.idf_))[::every]},
                "rows": {doc: row(weights, terms, doc) for doc in shown},
            }
        )
    write(
        "text.json",
        ["scikit-learn", "numpy", "scipy"],
        {
            "definitions": TEXT_NOTES,
            "documents": ids,
            "terms": [[t, int(d), int(c)] for t, d, c in zip(names, df, cf)],
            "counts": {doc: row(counts, names, doc) for doc in shown},
            "tfidf": settings,
        },
        10,
    )


# --- statistics of documents and of the corpus ------------------------------------------------------------------------

STATISTICS_NOTES = {
    "input": "as in text.json; a document's tokens are CountVectorizer().build_analyzer()(text)",
    "groups": "per folder, its documents' tokens one after another: N, and HD-D as sum(1 - scipy.stats.hypergeom.pmf(0, N, f, 42)) / 42 over types",
    "texts": "texts of many scripts, with shares: unicodedata.category N*, P*; str.isupper by str.isalpha; repeated lines by datatrove's find_duplicates over re.split('\\n+', text)",
    "laws": "[exponent, constant, r2] of scipy.stats.linregress on numpy.log: count by rank (zipf), types by tokens after each document (heaps)",
    "phrases": "gensim Phrases(tokens, **parameters): vocab size, export_phrases as {phrase: [count, score]}, phrases[tokens] of all documents joined by spaces",
    "topics": "TruncatedSVD(k, algorithm='arpack', random_state=0) of TfidfVectorizer().fit_transform over the lines of the documents that have a token: singular values, explained_variance_ratio_, and transform of the first lines",
}
PHRASES = [
    {"min_count": 2, "threshold": 1.0},
    {"min_count": 1, "threshold": 20.0},
    {"min_count": 2, "threshold": 0.4, "scoring": "npmi"},
    {"min_count": 1, "threshold": 2.0, "connector_words": ["the", "of", "and"]},
]
QUALITY_TEXTS = [
    "The bird heard 12 words, twice.\nThe bird heard 12 words, twice.\nThe end\n",
    "\n\nА и Б сидели на трубе.\n\n\nА упало — Б пропало?\nА и Б сидели на трубе.\n",
    "吾輩は猫である。名前はまだ無い。\r\n「１２３」\r\n吾輩は猫である。名前はまだ無い。\r\n",
    "الطيور ٣٤ تغني؛ ثم؟ «نعم»\n\nالطيور",
    "ÀÉÎ ǅ ß Ω ½ ² Ⅷ $+<=>^`|~ !\"#%&'()*,-./:;?@[\\]_{} …‹›„“”‘’‐–—",
    "\n",
]


def make_statistics():
    import re
    import unicodedata

    import numpy as np
    from datatrove.pipeline.filters.gopher_repetition_filter import find_duplicates
    from gensim.models.phrases import Phrases
    from scipy.stats import hypergeom, linregress
    from sklearn.decomposition import TruncatedSVD
    from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer

    root = SAMPLE / "text"
    texts = {p.relative_to(root).with_suffix("").as_posix(): p.read_text(encoding="utf-8") for p in root.glob("**/*.txt")}
    ids = sorted(texts)
    analyzer = CountVectorizer().build_analyzer()
    tokens = [analyzer(texts[i]) for i in ids]

    def counts_of(words):
        found = {}
        for word in words:
            found[word] = found.get(word, 0) + 1
        return found

    def hdd(words):
        return sum(1 - hypergeom.pmf(0, len(words), f, 42) for f in counts_of(words).values()) / 42

    def quality(text):
        letters = [c for c in text if c.isalpha()]
        lines = re.split("\n+", text)
        repeated, chars = find_duplicates(lines)
        share = lambda kind: sum(unicodedata.category(c)[0] == kind for c in text) / len(text)
        upper = sum(c.isupper() for c in letters) / len(letters) if letters else math.nan
        return [share("N"), share("P"), upper, repeated / len(lines), chars / len(text)]

    def fit(x, y):
        line = linregress(np.log(np.array(x, float)), np.log(np.array(y, float)))
        return line, [np.exp(line.intercept), line.rvalue**2]

    groups = {}
    for i, words in zip(ids, tokens):
        groups.setdefault(i.split("/")[0], []).extend(words)
    ranked = sorted(counts_of([word for words in tokens for word in words]).values(), reverse=True)
    zipf, zipf_rest = fit(range(1, len(ranked) + 1), ranked)
    seen, lengths, types = set(), [], []
    for words in tokens:
        seen.update(words)
        lengths.append((lengths[-1] if lengths else 0) + len(words))
        types.append(len(seen))
    heaps, heaps_rest = fit(lengths, types)

    phrases = []
    for parameters in PHRASES:
        options = {k: frozenset(v) if k == "connector_words" else v for k, v in parameters.items()}
        model = Phrases(tokens, **options)
        phrases.append(
            {
                "parameters": parameters,
                "entries": len(model.vocab),
                "phrases": {p: [model.vocab[p], score] for p, score in sorted(model.export_phrases().items())},
                "joined": [" ".join(model[words]) for words in tokens],
            }
        )

    lines = [line for i in ids for line in texts[i].split("\n") if analyzer(line)]
    matrix = TfidfVectorizer().fit_transform(lines)
    topics = []
    for k in [3, 20]:
        svd = TruncatedSVD(k, algorithm="arpack", random_state=0)
        documents = svd.fit_transform(matrix)
        shares = svd.explained_variance_ratio_
        topics.append({"topics": k, "singular_values": svd.singular_values_, "shares": shares, "documents": documents[:12]})
    write(
        "statistics.json",
        ["scikit-learn", "gensim", "datatrove", "numpy", "scipy"],
        {
            "definitions": STATISTICS_NOTES,
            "groups": {group: [len(words), hdd(words)] for group, words in groups.items()},
            "texts": [{"text": text, "shares": quality(text)} for text in QUALITY_TEXTS],
            "laws": {"zipf": [-zipf.slope, *zipf_rest], "heaps": [heaps.slope, *heaps_rest]},
            "phrases": phrases,
            "lines": len(lines),
            "topics": topics,
        },
        17,
    )


# --- convolution -----------------------------------------------------------------------------------------------------

MODES = ["reflect", "mirror", "nearest", "wrap", "constant"]
CONVOLUTION_NOTES = {
    "signals, images": "x[i] = ((37 i + 11) mod 101) / 101 - 0.5 for i over the elements, row by row; they stand in the file",
    "one_d": "scipy.ndimage.convolve1d(signal, kernel, mode=mode, cval=0), f64",
    "two_d": "scipy.ndimage.convolve(image, kernel, mode=mode, cval=0), f64",
    "origin": "the same with scipy's origin; the kernel's centre is len//2 + origin",
    "gaussian": "gaussian_filter1d of an impulse, truncate=4: the taps, radius int(4 sigma + 0.5)",
    "gaussian_2d, median_2d, sobel, prewitt, laplace": "scipy.ndimage.gaussian_filter(sigma), median_filter(size), sobel/prewitt(axis), laplace",
    "firwin": "scipy.signal.firwin(taps, cutoff, fs=16000, pass_zero=...), Hamming window, scale=True",
    "valid": "scipy.signal.convolve and correlate, mode valid, of the worked example; `course` is the unflipped (correlation) output",
}


def sequence(count, start=0):
    return [((37 * i + 11) % 101) / 101 - 0.5 for i in range(start, start + count)]


def one_d_cases():
    import numpy as np
    from scipy import ndimage

    kernels = {
        "one": [2.0],
        "even2": [1.0, -0.5],
        "odd3": [0.25, 0.5, -1.0],
        "even4": [1.0, 2.0, -3.0, 0.5],
        "odd5": [0.1, -0.2, 0.3, 0.7, -0.05],
        "odd13": sequence(13, 40),
        "even16": sequence(16, 70),
        "odd25": sequence(25, 7),
    }
    cases = []
    for length in (1, 2, 7, 20):
        signal = np.array(sequence(length))
        for name, kernel in kernels.items():
            outputs = {mode: ndimage.convolve1d(signal, kernel, mode=mode, cval=0.0) for mode in MODES}
            cases.append({"signal": signal, "kernel_name": name, "kernel": kernel, "outputs": outputs})
    signal = np.array(sequence(9))
    origins = [
        {"signal": signal, "kernel": kernel, "origin": origin, "mode": mode, "output": ndimage.convolve1d(signal, kernel, mode=mode, cval=0.0, origin=origin)}
        for kernel in (kernels["odd3"], kernels["even4"])
        for origin in (-1, 1)
        for mode in ("reflect", "constant")
    ]
    return cases, origins


def two_d_cases():
    import numpy as np
    from scipy import ndimage

    def grid(rows, cols, start=0):
        return np.array(sequence(rows * cols, start)).reshape(rows, cols)

    kernels = [grid(1, 3, 3), grid(3, 1, 5), grid(2, 2, 9), grid(3, 3, 13), grid(4, 3, 20), grid(5, 5, 33), grid(7, 9, 50)]
    cases = []
    for image in (grid(5, 7), grid(1, 6), grid(4, 2)):
        for kernel in kernels:
            outputs = {mode: ndimage.convolve(image, kernel, mode=mode, cval=0.0) for mode in MODES}
            cases.append({"image": image, "kernel": kernel, "outputs": outputs})
    image = grid(6, 8)
    named = {"image": image}
    for mode in MODES:
        named[mode] = {
            "gaussian_2d sigma 0.5": ndimage.gaussian_filter(image, 0.5, mode=mode),
            "gaussian_2d sigma 1.5": ndimage.gaussian_filter(image, 1.5, mode=mode),
            "median_2d size 3": ndimage.median_filter(image, size=3, mode=mode),
            "median_2d size 5": ndimage.median_filter(image, size=5, mode=mode),
            "sobel axis 0": ndimage.sobel(image, axis=0, mode=mode),
            "sobel axis 1": ndimage.sobel(image, axis=1, mode=mode),
            "prewitt axis 0": ndimage.prewitt(image, axis=0, mode=mode),
            "prewitt axis 1": ndimage.prewitt(image, axis=1, mode=mode),
            "laplace": ndimage.laplace(image, mode=mode),
        }
    return cases, named


def make_convolution():
    import numpy as np
    from scipy import ndimage, signal

    gaussians = []
    for sigma in (0.3, 0.5, 1.0, 2.5, 4.0):
        radius = int(4.0 * sigma + 0.5)
        impulse = np.zeros(2 * radius + 1)
        impulse[radius] = 1.0
        gaussians.append({"sigma": sigma, "radius": radius, "taps": ndimage.gaussian_filter1d(impulse, sigma, mode="constant")})
    designs = [
        ("lowpass", 101, 4000.0, True),
        ("highpass", 101, 4000.0, False),
        ("bandpass", 101, [1000.0, 4000.0], False),
        ("highpass", 101, 60.0, False),
        ("lowpass", 32, 1000.0, True),
        ("lowpass", 1025, 300.0, True),
    ]
    firwin = []
    for kind, count, cutoff, pass_zero in designs:
        taps = signal.firwin(count, cutoff, fs=16000, pass_zero=pass_zero)
        kept = taps if count <= 101 else taps[:64]
        firwin.append({"kind": kind, "numtaps": count, "hz": np.atleast_1d(cutoff), "pass_zero": pass_zero, "sum": taps.sum(), "first_taps": kept})
    image = np.array([[9, 4, 1, 2, 2], [1, 1, 1, 0, 4], [1, 2, 1, 0, 6], [1, 0, 0, 2, 2], [9, 6, 7, 4, 4]], dtype=float)
    kernel = np.array([[0, 2, 1], [4, 1, 0], [1, 0, 1]], dtype=float)
    course = signal.correlate(image, kernel, mode="valid", method="direct")
    assert course[0, 0] == 16
    one_d, origins = one_d_cases()
    two_d, named = two_d_cases()
    long = np.array(sequence(600))
    taps = signal.firwin(129, 2000.0, fs=16000)
    write(
        "convolution.json",
        ["scipy", "numpy"],
        {
            "definitions": CONVOLUTION_NOTES,
            "valid": {
                "image": image,
                "kernel": kernel,
                "course": course,
                "convolution": signal.convolve(image, kernel, mode="valid", method="direct"),
                "full": signal.convolve(image, kernel, mode="full", method="direct"),
            },
            "one_d": one_d,
            "origin": origins,
            "two_d": two_d,
            "named_2d": named,
            "gaussian": gaussians,
            "firwin": firwin,
            "long": {
                "signal": "sequence(600)",
                "taps": "firwin(129, 2000, fs=16000)",
                "mode": "reflect",
                "every_7th": ndimage.convolve1d(long, taps, mode="reflect")[::7],
            },
        },
        17,
    )


# --- kernels ---------------------------------------------------------------------------------------------------------

KERNELS_NOTES = {
    "signals, images": "x[i] = ((37 i + 11) mod 101) / 101 - 0.5 for i over the elements, row by row; images stand in the file",
    "kaiser": "scipy.signal.kaiserord and firwin(window=('kaiser', beta), scale=True); an even number of taps of a highpass or bandstop is made one more",
    "savgol": "scipy.signal.savgol_coeffs(size, order, deriv, use='conv')",
    "savgol_filter": "scipy.signal.savgol_filter(signal, 7, 3, deriv=1, mode=mode) of 20 samples",
    "hilbert": "scipy.signal.hilbert(signal), imaginary part",
    "biquads": "analogue prototypes H(s) of the RBJ cookbook through scipy.signal.bilinear with s = (z-1)/(z+1)/tan(w0/2): b0 b1 b2 a0 a1 a2",
    "butterworth": "scipy.signal.butter(2, hz, fs=16000), which the cookbook's low- and high-pass with q = sqrt(1/2) must be",
    "sosfilt": "scipy.signal.sosfilt of 60 samples by the sections lowpass 1000 Hz and peaking 3000 Hz of `biquads`",
    "sosfiltfilt": "scipy.signal.sosfiltfilt of 400 samples by the same, padtype even (mirror) and constant (nearest), padlen 399; every 7th",
    "a_weighting": "IEC 61672-1 annex E poles through scipy.signal.bilinear_zpk, gain 1 at 1000 Hz: dB at hz by scipy.signal.sosfreqz",
    "log": "scipy.ndimage.gaussian_laplace(image, sigma, mode=mode)",
    "uniform": "scipy.ndimage.uniform_filter(image, size, mode=mode)",
    "scharr": "skimage.filters.scharr_v of an image, which is 1/16 of the kernel here and mode reflect",
    "gabor": "skimage.filters.gabor_kernel(1 / wavelength, theta, sigma_x=sigma, sigma_y=sigma, n_stds=4), times 2 pi sigma^2: the middle 7x7, real and imaginary",
    "median": "scipy.ndimage.median_filter(image, size, mode=mode)",
    "morphology": "scipy.ndimage.grey_erosion, grey_dilation, grey_opening, grey_closing: size, or footprint skimage.morphology.disk(radius); cval 0",
    "bilateral": "cv2.bilateralFilter(f32, d, sigmaColor, sigmaSpace), whose exponentials come from a table, by border",
}


def kaiser_cases():
    from scipy import signal

    cases = []
    for kind, cutoff, db, width in (
        ("lowpass", 2000.0, 30.0, 800.0),
        ("highpass", 2000.0, 65.0, 700.0),
        ("bandpass", [1000.0, 4000.0], 48.0, 500.0),
        ("bandstop", [1000.0, 4000.0], 90.0, 900.0),
        ("lowpass", 3000.0, 15.0, 1000.0),
    ):
        size, beta = signal.kaiserord(db, width / 8000.0)
        size += kind in ("highpass", "bandstop") and size % 2 == 0
        taps = signal.firwin(size, cutoff, fs=16000, pass_zero=kind, window=("kaiser", beta))
        cases.append({"kind": kind, "hz": [cutoff] if isinstance(cutoff, float) else cutoff, "db": db, "transition_hz": width, "taps": taps})
    return cases


def cookbook_prototypes(gain_db, q):
    """Numerators and denominators of H(s), highest power first."""
    a = 10.0 ** (gain_db / 40.0)
    r = math.sqrt(a) / q
    plain = [1.0, 1.0 / q, 1.0]
    return {
        "biquad_lowpass": ([0.0, 0.0, 1.0], plain),
        "biquad_highpass": ([1.0, 0.0, 0.0], plain),
        "biquad_bandpass": ([0.0, 1.0 / q, 0.0], plain),
        "notch": ([1.0, 0.0, 1.0], plain),
        "allpass": ([1.0, -1.0 / q, 1.0], plain),
        "peaking": ([1.0, a / q, 1.0], [1.0, 1.0 / (a * q), 1.0]),
        "low_shelf": ([a, a * r, a * a], [a, r, 1.0]),
        "high_shelf": ([a * a, a * r, a], [1.0, r, a]),
    }


def biquad(name, hz, q, gain_db):
    import numpy as np
    from scipy import signal

    numerator, denominator = cookbook_prototypes(gain_db, q)[name]
    b, a = signal.bilinear(numerator, denominator, fs=0.5 / math.tan(math.pi * hz / 16000.0))
    b, a = (np.concatenate([np.zeros(3 - len(c)), c]) for c in (b, a))
    return np.concatenate([b, a]) / a[0]


def recursive_cases():
    import numpy as np
    from scipy import signal

    biquads = [
        {"name": name, "hz": hz, "q": q, "gain_db": gain, "sos": biquad(name, hz, q, gain)}
        for name in cookbook_prototypes(0.0, 1.0)
        for hz, q, gain in ((1000.0, 0.70710678118654752, 6.0), (3000.0, 4.0, -9.0), (60.0, 0.5, 3.0))
    ]
    sos = np.array([biquad("biquad_lowpass", 1000.0, 0.7, 0.0), biquad("peaking", 3000.0, 2.0, 6.0)])
    long = np.array(sequence(400))
    both = {
        mode: signal.sosfiltfilt(sos, long, padtype=pad, padlen=399)[::7] for mode, pad in (("mirror", "even"), ("nearest", "constant"))
    }
    butterworth = [
        {"name": f"biquad_{kind}", "hz": hz, "sos": np.concatenate(signal.butter(2, hz, kind, fs=16000))}
        for kind in ("lowpass", "highpass")
        for hz in (200.0, 5000.0)
    ]
    return {
        "biquads": biquads,
        "butterworth": butterworth,
        "sosfilt": signal.sosfilt(sos, np.array(sequence(60))),
        "sosfiltfilt": both,
        "a_weighting": [a_weighting(rate) for rate in (8000, 16000, 44100, 48000)],
    }


def a_weighting(rate):
    import numpy as np
    from scipy import signal

    poles = -2.0 * np.pi * np.array([20.598997057568145, 20.598997057568145, 107.65264864298761, 737.8622307071363, 12194.21714799801, 12194.21714799801])
    z, p, k = signal.bilinear_zpk(np.zeros(4), poles, 1.0, rate)
    sos = signal.zpk2sos(z, p, k)
    hz = np.array([f for f in (20.0, 100.0, 500.0, 1000.0, 2500.0, 3900.0, 7900.0, 16000.0, 20000.0) if f < rate / 2])
    gains = np.abs(signal.freqz_sos(sos, worN=hz, fs=rate)[1]) / np.abs(signal.freqz_sos(sos, worN=[1000.0], fs=rate)[1])
    return {"sample_rate": rate, "hz": hz, "db": 20.0 * np.log10(gains)}


def gabor_cases():
    import numpy as np
    from skimage.filters import gabor_kernel

    cases = []
    for sigma, wavelength, angle in ((2.0, 5.0, 0.0), (1.5, 4.0, 30.0), (3.0, 7.0, 115.0)):
        kernel = gabor_kernel(1.0 / wavelength, np.deg2rad(angle), sigma_x=sigma, sigma_y=sigma, n_stds=4) * 2.0 * np.pi * sigma**2
        middle = kernel[kernel.shape[0] // 2 - 3 :, kernel.shape[1] // 2 - 3 :][:7, :7]
        cases.append({"sigma": sigma, "wavelength": wavelength, "angle": angle, "real": middle.real, "imaginary": middle.imag})
    return cases


def image_cases():
    import cv2
    import numpy as np
    from scipy import ndimage
    from skimage.filters import scharr_v
    from skimage.morphology import disk

    image = np.array(sequence(9 * 11)).reshape(9, 11)
    borders = {"reflect": cv2.BORDER_REFLECT, "mirror": cv2.BORDER_REFLECT_101, "nearest": cv2.BORDER_REPLICATE, "constant": cv2.BORDER_CONSTANT}
    operators = {"erosion": ndimage.grey_erosion, "dilation": ndimage.grey_dilation, "opening": ndimage.grey_opening, "closing": ndimage.grey_closing}
    out = {"image": image, "scharr": 16.0 * scharr_v(image)}
    for mode in MODES:
        cases = {}
        for sigma in (0.7, 1.5):
            cases[f"laplacian_of_gaussian sigma {sigma}"] = ndimage.gaussian_laplace(image, sigma, mode=mode)
        for size in (2, 4, 5):
            cases[f"box size {size}"] = ndimage.uniform_filter(image, size, mode=mode)
            cases[f"median size {size}"] = ndimage.median_filter(image, size, mode=mode)
        for name, operator in operators.items():
            for size in (2, 3, 6):
                cases[f"{name} size {size}"] = operator(image, size=(size, size), mode=mode)
            cases[f"{name} disc 5"] = operator(image, footprint=disk(2), mode=mode)
        if mode in borders:
            cases["bilateral size 5"] = cv2.bilateralFilter(image.astype(np.float32), 5, 0.3, 1.5, borderType=borders[mode])
        out[mode] = cases
    return out


def make_kernels():
    import numpy as np
    from scipy import signal

    x = np.array(sequence(20))
    write(
        "kernels.json",
        ["scipy", "numpy", "scikit-image", "opencv-python-headless"],
        {
            "definitions": KERNELS_NOTES,
            "kaiser": kaiser_cases(),
            "savgol": [
                {"size": size, "order": order, "derivative": d, "taps": signal.savgol_coeffs(size, order, d, use="conv")}
                for size, order, d in ((5, 2, 0), (7, 3, 1), (11, 4, 2), (51, 3, 0), (21, 5, 3), (1, 0, 0))
            ],
            "savgol_filter": {mode: signal.savgol_filter(x, 7, 3, deriv=1, mode=mode) for mode in ("mirror", "nearest", "wrap", "constant")},
            "hilbert": [{"len": n, "imaginary": np.imag(signal.hilbert(sequence(n)))} for n in (1, 2, 15, 16, 97)],
            **recursive_cases(),
            "gabor": gabor_cases(),
            "images": image_cases(),
        },
        17,
    )


# --- relations -------------------------------------------------------------------------------------------------------

RELATIONS_NOTES = {
    "correlations": "scipy.stats.pearsonr and spearmanr (average ranks for ties); null where a side is constant",
    "false_discovery_control": "scipy.stats.false_discovery_control(p, method=bh)",
    "chi2_sf": "scipy.stats.chi2.sf(x, df)",
    "normal_sf": "scipy.stats.norm.sf(x)",
    "genpareto_sf": "scipy.stats.genpareto.sf(x, c, scale=scale)",
    "contingency": "scipy.stats.chi2_contingency of [[a, b], [c, d]]: G2 (log-likelihood) and chi2, with and without Yates' correction; "
    "unsigned, so the signed G2 is negative where a <= E",
    "rankdata": "scipy.stats.rankdata, average",
    "quantiles": "numpy.quantile, linear",
    "linear_cka": "||Y'X||_F^2 / (||X'X||_F ||Y'Y||_F), columns centred",
    "rsa": "Spearman of the upper triangles (row by row) of the Euclidean distance matrices",
    "cca": "canonical correlations: singular values of Qx' Qy, columns centred, QR",
    "ridge": "B = (X'X + lambda I)^-1 X'Y, columns centred, no intercept",
}


def ints(rows, cols, a, b, m):
    """A matrix of small integers by formula: (a (i cols + j)^2 + b (i cols + j)) mod m."""
    return [[float((a * (i * cols + j) ** 2 + b * (i * cols + j)) % m) for j in range(cols)] for i in range(rows)]


def correlation_cases():
    import numpy as np
    from scipy import stats

    pairs = {
        "plain": (sequence(12), sequence(12, 50)),
        "ties": ([1.0, 2, 2, 3, 3, 3, 4, 5, 5, 9], [2.0, 1, 2, 2, 5, 5, 4, 4, 8, 8]),
        "monotone": ([0.1, 0.2, 0.3, 0.4, 0.5], [1.0, 10, 100, 1000, 10000]),
        "reversed": ([1.0, 2, 3, 4], [4.0, 3, 2, 1]),
        "offset": ([1e9 + v for v in sequence(12)], [1e9 + v for v in sequence(12, 5)]),
        "two": ([1.0, 2.0], [5.0, 3.0]),
        "constant": ([1.0, 2, 3, 4], [7.0, 7, 7, 7]),
    }
    rows = []
    for name, (x, y) in pairs.items():
        constant = len(set(x)) == 1 or len(set(y)) == 1
        pearson = float("nan") if constant else stats.pearsonr(x, y).statistic
        spearman = float("nan") if constant else stats.spearmanr(x, y).statistic
        rows.append({"name": name, "x": np.array(x), "y": np.array(y), "pearson": pearson, "spearman": spearman})
    return rows


def space_cases():
    import numpy as np
    from scipy import stats
    from scipy.spatial.distance import pdist

    x, y = np.array(ints(12, 5, 3, 7, 23)), np.array(ints(12, 3, 5, 2, 19))
    z = x @ np.array(ints(5, 3, 1, 4, 7)) + np.array(ints(12, 3, 2, 3, 5)) / 4
    rows = []
    for name, a, b in (("x-y", x, y), ("x-z", x, z), ("x-x", x, x)):
        ac, bc = a - a.mean(axis=0), b - b.mean(axis=0)
        cka = np.linalg.norm(bc.T @ ac) ** 2 / (np.linalg.norm(ac.T @ ac) * np.linalg.norm(bc.T @ bc))
        canonical = np.clip(np.linalg.svd(np.linalg.qr(ac)[0].T @ np.linalg.qr(bc)[0], compute_uv=False), 0, 1)
        ridge = np.linalg.solve(ac.T @ ac + 2.0 * np.eye(a.shape[1]), ac.T @ bc)
        rows.append(
            {
                "name": name,
                "x": a,
                "y": b,
                "linear_cka": cka,
                "rsa": stats.spearmanr(pdist(a), pdist(b)).statistic,
                "cca": canonical,
                "ridge_lambda": 2.0,
                "ridge": ridge,
            }
        )
    return rows


def make_relations():
    import numpy as np
    from scipy import stats

    tables = [(10, 100, 20, 1000), (1, 3, 9, 40), (0, 5, 12, 300), (3, 0, 2, 50), (120, 80, 80, 120), (6, 40, 400, 90), (2, 2, 2, 2)]
    contingency = []
    for a, b, c, d in tables:
        table = [[a, b], [c, d]]
        row = {"a": a, "b": b, "c": c, "d": d}
        for yates in (False, True):
            suffix = "_yates" if yates else ""
            for key, power in (("g2", "log-likelihood"), ("chi2", "pearson")):
                result = stats.chi2_contingency(table, correction=yates, lambda_=power)
                row[key + suffix], row[f"p_{key}{suffix}"] = result.statistic, result.pvalue
        contingency.append(row)
    p_values = [
        [0.01, 0.04, 0.03, 0.005, 0.5, 0.9, 1.0, 0.04],
        [0.001],
        [0.2, 0.2, 0.2],
        [1e-12, 0.049, 0.05, 0.051, 0.9999],
    ]
    chi2 = [[x, df, stats.chi2.sf(x, df)] for df in (1, 2, 5) for x in (0.0, 1e-6, 0.1, 1.0, 3.841458820694124, 10.0, 50.0, 300.0, 1400.0)]
    pareto = [
        [x, c, scale, stats.genpareto.sf(x, c, scale=scale)]
        for c, scale in ((0.0, 1.0), (0.2, 0.5), (-0.3, 0.8))
        for x in (0.0, 0.1, 1.0, 2.5)
    ]
    data = np.array(sequence(17))
    write(
        "relations.json",
        ["scipy", "numpy"],
        {
            "definitions": RELATIONS_NOTES,
            "correlations": correlation_cases(),
            "rankdata": {"x": [3.0, 1.0, 3.0, 2.0, 3.0, -1.0, 2.0], "ranks": stats.rankdata([3.0, 1.0, 3.0, 2.0, 3.0, -1.0, 2.0])},
            "quantiles": {"x": data, "q": [0.0, 0.025, 0.5, 0.95, 0.975, 1.0], "values": np.quantile(data, [0.0, 0.025, 0.5, 0.95, 0.975, 1.0])},
            "false_discovery_control": [{"p": p, "q": stats.false_discovery_control(p, method="bh")} for p in p_values],
            "chi2_sf": chi2,
            "normal_sf": [[x, stats.norm.sf(x)] for x in (-8.0, -1.0, 0.0, 1.0, 1.959963984540054, 5.0, 12.0)],
            "genpareto_sf": pareto,
            "contingency": contingency,
            "spaces": space_cases(),
        },
        17,
    )


def make_tones():
    """Half a second of 440 Hz in each compressed format, for tests/broken to damage. AAC and ALAC need ffmpeg on the path."""
    import subprocess

    import numpy as np
    import soundfile

    folder = HERE.parent / "broken"
    tone = 0.3 * np.sin(2 * np.pi * 440 * np.arange(8000) / 16000)
    for extension, subtype in {"flac": "PCM_16", "mp3": "MPEG_LAYER_III", "ogg": "VORBIS"}.items():
        soundfile.write(folder / f"tone.{extension}", tone, 16000, subtype=subtype)
    pcm = np.round(tone * 32768).astype("<i2").tobytes()
    for name, codec in {"tone.m4a": "aac", "tone.aac": "aac", "lossless.m4a": "alac"}.items():
        command = "ffmpeg -v error -y -f s16le -ar 16000 -ac 1 -i - -c:a".split()
        subprocess.run([*command, codec, "-b:a", "32k", "-bitexact", folder / name], input=pcm, check=True)
    # Frames of very different size, and no word of how many there are: two seconds of near silence after one of noise.
    noise = np.random.default_rng(1).normal(0, 0.1, 48000) * np.repeat([1, 1e-4, 1e-4], 16000)
    pcm = np.round(noise * 32768).astype("<i2").tobytes()
    options = "libmp3lame -q:a 9 -write_xing 0 -id3v2_version 0 -bitexact".split()
    subprocess.run([*command, *options, folder / "unsaid.mp3"], input=pcm, check=True)


# --- recordings ------------------------------------------------------------------------------------------------------

RECORDING_NOTES = {
    "files": "whole WAV files in base64, with what `read_by` makes of them: interleaved, full scale 1",
    "tones": "every 41st sample of the compressed files in tests/broken; `frames` of each channel in all",
}
PCM, FLOAT, A_LAW, MU_LAW, EXTENSIBLE = 1, 3, 6, 7, 0xFFFE


def wav(data, tag=PCM, channels=1, bits=16, width=None, valid=None, order="<", magic=b"RIFF", chunks=b""):
    """A WAV file of `data` with samples of `bits` in `width` bytes; with `valid` bits the header is the extensible one."""
    import struct

    width = width or bits // 8
    block = channels * width
    fields = (tag if valid is None else EXTENSIBLE, channels, 8000, 8000 * block, block, bits)
    fmt = struct.pack(order + "HHIIHH", *fields)
    if valid is not None:
        guid = struct.pack(order + "IHH", tag, 0, 16) + bytes.fromhex("800000aa00389b71")
        fmt += struct.pack(order + "HHI", 22, valid, 4) + guid
    chunk = lambda name, contents: name + struct.pack(order + "I", len(contents)) + contents + b"\0" * (len(contents) % 2)
    body = b"WAVE" + chunks + chunk(b"fmt ", fmt) + chunk(b"data", data)
    return magic + struct.pack(order + "I", len(body)) + body


def by_scipy(path):
    """Integers as scipy has them: in the upper bits of the smallest NumPy type that holds them."""
    import numpy as np
    from scipy.io import wavfile

    rate, samples = wavfile.read(path)
    if samples.dtype == np.uint8:
        samples = (samples.astype(np.float64) - 128) / 128
    elif samples.dtype.kind == "i":
        samples = samples / 2.0 ** (8 * samples.dtype.itemsize - 1)
    return rate, samples.astype(np.float64)


def by_soundfile(path):
    import soundfile

    samples, rate = soundfile.read(path, dtype="float64")
    return rate, samples


def by_ffmpeg(path):
    import subprocess

    import numpy as np

    raw = subprocess.run(["ffmpeg", "-v", "error", "-i", path, "-f", "f32le", "-"], capture_output=True, check=True)
    return 16000, np.frombuffer(raw.stdout, "<f4").astype(np.float64)


def hand_made():
    """Integers of every width and depth, which no library writes."""
    import numpy as np

    wave = np.concatenate([[0, -1.0, 0.999], 0.7 * np.sin(np.arange(21) * 0.7)])
    for bits, width in [(8, 1), (12, 2), (16, 2), (20, 3), (24, 3), (32, 4), (40, 5), (48, 6), (56, 7), (64, 8)]:
        # The sample stands in the upper bits of its bytes; what is left over below is empty.
        whole = [int(value * 2.0 ** (bits - 1)) << (8 * width - bits) for value in wave]
        if width == 1:
            data = bytes(value + 128 for value in whole)
            yield "8 bits", wav(data, bits=8)
            continue
        for order, side, magic in [("<", "little", b"RIFF"), (">", "big", b"RIFX")]:
            data = b"".join(value.to_bytes(width, side, signed=True) for value in whole)
            # scipy reads these widths in the order of RIFF alone.
            if order == ">" and width in (3, 5, 6, 7):
                continue
            name = f"{bits} bits in {width} bytes, {magic.decode()}"
            yield name, wav(data, channels=2, bits=bits, width=width, order=order, magic=magic)
            if order == "<":
                yield name + ", extensible", wav(data, bits=8 * width, width=width, valid=bits, chunks=b"LIST\3\0\0\0abc\0")
    data = np.array([v * 2.0**31 for v in wave]).astype("<i4") >> 8 << 8
    yield "24 bits in 4 bytes, extensible", wav(data.astype("<i4").tobytes(), bits=32, valid=24)


def make_recordings():
    import base64
    import tempfile

    import numpy as np
    import soundfile

    files = []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "x.wav"

        def add(name, read_by, rate, samples):
            channels = 1 if samples.ndim == 1 else samples.shape[1]
            encoded = base64.b64encode(path.read_bytes()).decode()
            entry = {"name": name, "read_by": read_by, "channels": channels, "sample_rate": rate}
            files.append({**entry, "samples": samples.ravel(), "base64": encoded})

        for name, contents in hand_made():
            path.write_bytes(contents)
            add(name, "scipy", *by_scipy(path))
        wave = np.stack([0.7 * np.sin(np.arange(24) * 0.7), 0.2 * np.cos(np.arange(24) * 0.3)], axis=1)
        codings = ["PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE", "ULAW", "ALAW"]
        for container, order in [("WAV", "LITTLE"), ("WAV", "BIG"), ("WAVEX", "LITTLE"), ("RF64", "LITTLE")]:
            for coding in codings:
                soundfile.write(path, wave, 11025, subtype=coding, format=container, endian=order)
                add(f"{container} {coding} {order}", "soundfile", *by_soundfile(path))
        for coding, tag in [("ULAW", MU_LAW), ("ALAW", A_LAW)]:
            path.write_bytes(wav(bytes(range(256)), tag=tag, bits=8))
            add(f"every code of {coding}", "soundfile", *by_soundfile(path))
    readers = {"tone.flac": by_soundfile, "tone.mp3": by_soundfile, "tone.ogg": by_soundfile}
    readers |= {"tone.m4a": by_ffmpeg, "tone.aac": by_ffmpeg, "lossless.m4a": by_ffmpeg, "unsaid.mp3": by_ffmpeg}
    tones = []
    for name, reader in readers.items():
        rate, samples = reader(HERE.parent / "broken" / name)
        entry = {"file": name, "read_by": reader.__name__[3:], "sample_rate": rate, "frames": len(samples)}
        tones.append({**entry, "samples": samples[::41]})
    write("recordings.json", ["numpy", "scipy", "soundfile"], {"definitions": RECORDING_NOTES, "files": files, "tones": tones}, 17)


ROW_NOTES = {
    "files": "tables written by pyarrow (Parquet in every compression, page version and encoding of text) and by Python's csv module, in "
    "base64; rows: what was written: id, text, group, and the kept columns as text; an empty field of CSV is null",
}


def row_table():
    """Rows with what is hard in a text; a row without text is none."""
    texts = ["plain words", "two\nlines\r\nand a third", 'she said "no", twice', "größer, 東京 🌧", "", "a\ttab; semi|bar", None, "x" * 300]
    texts = texts * 3
    return {
        "key": [f"r{n}" for n in range(len(texts))],
        "words": texts,
        "who": ["anna" if n % 3 else None for n in range(len(texts))],
        "lang": [["de", "en", None][n % 3] for n in range(len(texts))],
        "count": [n * 7 if n % 4 else None for n in range(len(texts))],
        "sure": [n % 2 == 0 for n in range(len(texts))],
    }


def make_rows():
    import base64
    import csv
    import io

    import pyarrow as pa
    import pyarrow.parquet as pq

    table = row_table()
    text = lambda value: None if value is None else str(value).lower() if isinstance(value, bool) else str(value)
    columns = ["key", "words", "who", "lang", "count", "sure"]
    rows = [[text(value) for value in row] for row in zip(*(table[name] for name in columns))]
    rows = [row for row in rows if row[1] is not None]
    files = []

    def add(name, contents):
        files.append({"name": name, "rows": rows, "base64": base64.b64encode(contents).decode()})

    arrow = pa.table(table)
    categories = arrow.set_column(3, "lang", arrow["lang"].dictionary_encode())
    large = arrow.set_column(1, "words", arrow["words"].cast(pa.large_string()))
    views = arrow.set_column(1, "words", arrow["words"].cast(pa.binary()))
    small = arrow.set_column(4, "count", arrow["count"].cast(pa.uint8()))
    for name, of, options in [
        ("snappy", arrow, {"compression": "snappy"}),
        ("gzip, pages of version 2", arrow, {"compression": "gzip", "data_page_version": "2.0"}),
        ("zstd, row groups of 5", arrow, {"compression": "zstd", "row_group_size": 5}),
        ("brotli", arrow, {"compression": "brotli"}),
        ("lz4, small pages", large, {"compression": "lz4", "data_page_size": 64}),
        ("none, no dictionary", arrow, {"compression": "none", "use_dictionary": False}),
        ("delta lengths", arrow, {"use_dictionary": False, "column_encoding": {"words": "DELTA_LENGTH_BYTE_ARRAY"}}),
        ("delta", arrow, {"use_dictionary": False, "column_encoding": {"words": "DELTA_BYTE_ARRAY"}}),
        ("categories", categories, {}),
        ("bytes", views, {}),
        ("small numbers", small, {}),
    ]:
        sink = io.BytesIO()
        pq.write_table(of, sink, **options)
        add(f"{name}.parquet", sink.getvalue())
    for name, options in [("quoted.csv", {"quoting": csv.QUOTE_ALL}), ("plain.csv", {}), ("tabs.tsv", {"delimiter": "\t"})]:
        sink = io.StringIO(newline="")
        writer = csv.writer(sink, **options)
        writer.writerows([columns, *rows])
        add(name, sink.getvalue().encode())
    write("rows.json", ["pyarrow"], {"definitions": ROW_NOTES, "files": files}, 17)


MAKERS = {"tones": make_tones, "rows": make_rows, "recordings": make_recordings, "audio": make_audio, "text": make_text, "statistics": make_statistics, "convolution": make_convolution, "kernels": make_kernels, "relations": make_relations}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", nargs="*", help=f"default: all of {', '.join(MAKERS)}")
    parser.add_argument("--any-version", action="store_true", help="do not insist on the versions of requirements.txt")
    args = parser.parse_args()
    unknown = set(args.what) - set(MAKERS)
    if unknown:
        parser.error(f"unknown: {', '.join(sorted(unknown))}")
    needed = [name for name in PINNED if name != "pyarrow"]
    other = [f"{name} {version(name)} (pinned {PINNED[name]})" for name in needed if version(name) != PINNED[name]]
    if other and not args.any_version:
        sys.exit("other versions than requirements.txt has: " + ", ".join(other))
    for name in args.what or MAKERS:
        MAKERS[name]()


if __name__ == "__main__":
    main()
