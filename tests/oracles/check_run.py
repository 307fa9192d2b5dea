#!/usr/bin/env python3
"""Holds a run against librosa, scikit-learn, scipy and gensim: recomputes from the sources and prints the largest differences.

    python check_run.py RUN --documents FOLDER --clips FOLDER [--plain] [--limit N]

RUN is a run folder (design: the tables of reports/README.md). FOLDER is the literal folder of the job's glob, below which the columns
`source` are paths (corpora/sample/text for text/**/*.txt). What the oracle does not do is skipped and said: markup (without --plain), words
that are not scikit-learn's tokens (a job with tokens.kind = "words"), resampled or filtered recordings, other profiles than librosa's.
So run the job for this purpose with

    --set tokens.kind=pattern --set 'filters=[]' --set spectrogram.store=mel

Exit status: 0 all within bounds, 1 a difference above its bound, 2 nothing could be compared. The environment is that of
../golden/requirements.txt.
"""

import argparse
import gzip
import json
import math
import sys
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

DEFAULT_PATTERN = r"(?u)\b\w\w+\b"


class Report:
    """Collects the largest difference of each quantity, with the item where it stands."""

    def __init__(self):
        self.worst = {}
        self.skipped = []

    def add(self, name, bound, differences, items):
        """differences: absolute, in the bound's unit; items name them. A NaN counts as infinite."""
        differences = np.nan_to_num(np.atleast_1d(np.asarray(differences, dtype=float)), nan=math.inf)
        if differences.size == 0:
            return
        at = int(differences.argmax())
        item = items if isinstance(items, str) else items[at]
        count = differences.size + (self.worst[name][3] if name in self.worst else 0)
        if name not in self.worst or differences[at] > self.worst[name][1]:
            self.worst[name] = (bound, differences[at], item, count)
        else:
            self.worst[name] = (*self.worst[name][:3], count)

    def relative(self, name, bound, ours, theirs, items):
        """Difference as a share of the oracle's value; of 1e-6 where that is smaller."""
        ours, theirs = np.atleast_1d(np.asarray(ours, float)), np.atleast_1d(np.asarray(theirs, float))
        self.add(name, bound, np.abs(ours - theirs) / np.maximum(np.abs(theirs), 1e-6), items)

    def skip(self, reason):
        self.skipped.append(reason)

    def finish(self):
        for reason in self.skipped:
            print(f"skipped: {reason}")
        failed = 0
        for name, (bound, worst, item, count) in self.worst.items():
            ok = worst <= bound
            failed += not ok
            print(f"{'ok  ' if ok else 'FAIL'} {name:32} worst {worst:.3g} (bound {bound:g}) of {count}, at {item}")
        print(f"{len(self.worst) - failed} passed, {failed} failed")
        return 2 if not self.worst else int(failed > 0)


def setting(job, path, default):
    """A value of the resolved job; the default where it or its section is absent or null."""
    for key in path.split("."):
        if not isinstance(job, dict) or job.get(key) is None:
            return default
        job = job[key]
    return job


def table(run, name):
    path = run / name if (run / name).is_dir() else run / f"{name}.parquet"
    return pq.read_table(path) if path.exists() else None


def column(tab, name):
    return tab.column(name).to_numpy(zero_copy_only=False)


# --- words -----------------------------------------------------------------------------------------------------------


def read_text(path):
    data = gzip.open(path).read() if path.suffix == ".gz" else path.read_bytes()
    return data.decode("utf-8-sig")


def document_texts(documents, folder, job, plain, report):
    """{doc_id: text} of the run's documents, read again from their sources; None where the run reads them otherwise."""
    form = setting(job, "documents.format", "auto")
    if setting(job, "documents.split", "file") != "file" and form != "transcripts":
        return report.skip("documents: split is not file")
    texts, lines = {}, {}
    for doc_id, source in zip(documents.column("doc_id").to_pylist(), documents.column("source").to_pylist()):
        path = folder / source
        name = source.removesuffix(".gz")
        if not path.exists():
            return report.skip(f"documents: {path} is not there; is --documents the literal folder of the glob?")
        if form == "transcripts":
            if source not in lines:
                lines[source] = dict((*line.split(maxsplit=1), "")[:2] for line in read_text(path).splitlines() if line.strip())
            texts[doc_id] = lines[source][doc_id]
        elif form == "text" or name.endswith(".txt") or (plain and name.endswith((".md", ".markdown"))):
            texts[doc_id] = read_text(path)
        else:
            return report.skip(f"documents: {source} is not plain text (--plain takes Markdown as text, where the job does too)")
    return texts


def vectorizer_parameters(job, report):
    """The arguments of scikit-learn's vectorisers that mean what the job says; None where there are none."""
    kind, weight = setting(job, "tokens.kind", "words"), setting(job, "bag_of_words.weight", "tfidf")
    stop_words = setting(job, "tokens.stop_words", [])
    if kind != "pattern":
        return report.skip(f"words: tokens.kind is {kind}, scikit-learn's is pattern")
    if setting(job, "tokens.stem", "") or not isinstance(stop_words, list):
        return report.skip("words: stems and named stop words have no exact counterpart")
    if weight not in ("tfidf", "count"):
        return report.skip(f"words: no counterpart of weight {weight}")
    if setting(job, "bag_of_words.max_terms", 0):
        return report.skip("words: max_terms breaks ties otherwise than scikit-learn")
    max_df = setting(job, "bag_of_words.max_df", 1.0)
    norm = setting(job, "bag_of_words.norm", "l2")
    return {
        "token_pattern": setting(job, "tokens.pattern", DEFAULT_PATTERN),
        "lowercase": setting(job, "tokens.lowercase", True),
        "strip_accents": "unicode" if setting(job, "tokens.strip_accents", False) else None,
        "stop_words": stop_words or None,
        "ngram_range": tuple(setting(job, "bag_of_words.ngrams", [1, 1])),
        "min_df": setting(job, "bag_of_words.min_df", 1),
        "max_df": 1.0 if max_df == 1 else max_df,
    }, {
        "smooth_idf": setting(job, "bag_of_words.smooth_idf", True),
        "sublinear_tf": setting(job, "bag_of_words.sublinear_tf", False),
        "norm": None if norm == "none" else norm,
    } if weight == "tfidf" else None


def compare_words(run, folder, job, plain, report):
    from scipy import sparse
    from sklearn.feature_extraction.text import CountVectorizer, TfidfTransformer

    documents, vocabulary, terms = (table(run, name) for name in ("documents", "vocabulary", "terms"))
    if documents is None or vocabulary is None or terms is None:
        return report.skip("words: the run has no documents, vocabulary or terms table")
    parameters = vectorizer_parameters(job, report)
    texts = document_texts(documents, folder, job, plain, report) if parameters else None
    if not texts:
        return None
    ids = list(texts)
    counter = CountVectorizer(**parameters[0])
    counts = counter.fit_transform(texts.values()).tocsr()
    names = counter.get_feature_names_out()
    ours = vocabulary.column("term").to_pylist()
    different = sorted(set(ours) ^ set(names.tolist()))
    report.add("terms in one vocabulary only", 0, len(different), ", ".join(map(repr, different[:5])) or "-")
    if different:
        return None
    to_theirs = np.array([counter.vocabulary_[term] for term in ours])
    if column(vocabulary, "term_id").tolist() != list(range(len(ours))):
        return report.add("term_id is the row's number", 0, 1, "vocabulary")
    df, cf = np.diff(counts.tocsc().indptr), np.asarray(counts.sum(axis=0)).ravel()
    report.add("df", 0, np.abs(column(vocabulary, "df").astype(int) - df[to_theirs]), ours)
    report.add("cf", 0, np.abs(column(vocabulary, "cf").astype(int) - cf[to_theirs]), ours)
    order = sorted(range(len(ours)), key=lambda i: (-int(cf[to_theirs[i]]), ours[i]))
    report.add("vocabulary order (cf, term)", 0, sum(i != j for i, j in enumerate(order)), "vocabulary")

    number = {doc_id: i for i, doc_id in enumerate(ids)}
    rows = np.array([number[d] for d in terms.column("doc_id").to_pylist()], dtype=np.int64)
    cols = to_theirs[column(terms, "term_id").astype(np.int64)]
    shape = counts.shape

    def largest(name, bound, values, expected):
        difference = abs(sparse.csr_matrix((values.astype(float), (rows, cols)), shape=shape) - expected).tocoo()
        if difference.nnz == 0:
            return report.add(name, bound, 0.0, "-")
        at = int(difference.data.argmax())
        return report.add(name, bound, difference.data[at], f"{ids[difference.row[at]]} {names[difference.col[at]]!r}")

    report.add("cells of the term table", 0, abs(len(rows) - counts.nnz), "terms")
    largest("count", 0, column(terms, "count"), counts)
    if parameters[1] is not None:
        transformer = TfidfTransformer(**parameters[1])
        weights = transformer.fit_transform(counts)
        report.relative("idf", 1e-9, column(vocabulary, "idf"), transformer.idf_[to_theirs], ours)
        largest("tf-idf weight", 1e-5, column(terms, "weight"), weights)
        compare_topics(run, weights, number, to_theirs, report)
    if setting(job, "bag_of_words.ngrams", [1, 1]) == [1, 1]:
        analyzer = counter.build_analyzer()
        tokens = [analyzer(text) for text in texts.values()]
        compare_corpus(run, job, tokens, counts[:, to_theirs], ours, report)
    return None


def compare_topics(run, weights, number, to_theirs, report):
    """LSA against scikit-learn's TruncatedSVD with ARPACK."""
    from sklearn.decomposition import TruncatedSVD

    topics, documents = table(run, "topics"), table(run, "document_topics")
    if topics is None or topics.num_rows == 0:
        return
    first = np.unique(column(topics, "topic"), return_index=True)[1]
    count = len(first)
    if count >= min(weights.shape):
        return report.skip("topics: as many as the corpus has directions, which ARPACK does not give")
    svd = TruncatedSVD(count, algorithm="arpack", random_state=0)
    theirs = svd.fit_transform(weights)
    names = [f"topic {i}" for i in range(count)]
    report.relative("singular value", 1e-6, column(topics, "singular_value")[first], svd.singular_values_, names)
    report.relative("explained share", 1e-5, column(topics, "explained_share")[first], svd.explained_variance_ratio_, names)
    weight = svd.components_[column(topics, "topic"), to_theirs[column(topics, "term_id")]]
    report.add("weight of a term in a topic", 1e-5, np.abs(column(topics, "weight") - weight), topics.column("term").to_pylist())
    ids = documents.column("doc_id").to_pylist()
    ours = np.array(documents.column("vector").to_pylist())[:, :count]
    difference = np.abs(ours - theirs[[number[i] for i in ids]]).max(axis=1)
    report.add("documents among topics", 1e-5, difference, ids)


def compare_corpus(run, job, tokens, counts, terms, report):
    """Laws against scipy's regression, dispersion against its formulas, phrases against gensim."""
    from scipy.stats import linregress

    sizes = np.array([len(words) for words in tokens], float)
    laws = table(run, "laws")
    if laws is not None:
        found = {row["law"]: row for row in laws.to_pylist()}
        totals, seen, growth = {}, set(), []
        for words in tokens:
            for word in words:
                totals[word] = totals.get(word, 0) + 1
            seen.update(words)
            growth.append(len(seen))
        ranked = sorted(totals.values(), reverse=True)
        points = {"zipf": (np.arange(1, len(ranked) + 1), ranked), "heaps": (sizes.cumsum()[sizes > 0], np.array(growth)[sizes > 0])}
        for law, sign in (("zipf", -1), ("heaps", 1)):
            line = linregress(*(np.log(np.asarray(values, float)) for values in points[law]))
            theirs = [sign * line.slope, math.exp(line.intercept), line.rvalue**2]
            report.relative(law, 1e-9, [found[law][name] for name in ("exponent", "constant", "r2")], theirs, law)
    spread = table(run, "dispersion")
    if spread is not None:
        counts = counts[sizes > 0].toarray().astype(float)
        parts = sizes[sizes > 0]
        shares = (parts / parts.sum())[:, None]
        dp = 0.5 * np.abs(counts / counts.sum(axis=0) - shares).sum(axis=0)
        p = counts / parts[:, None]
        d = 1 - p.std(axis=0) / p.mean(axis=0) / math.sqrt(len(parts) - 1)
        report.add("Juilland's D", 1e-9, np.abs(column(spread, "juilland_d") - d), terms)
        report.add("Gries' DP", 1e-9, np.abs(column(spread, "gries_dp") - dp), terms)
        report.add("Gries' DP, normalised", 1e-9, np.abs(column(spread, "gries_dp_norm") - dp / (1 - shares.min())), terms)
    phrases = table(run, "phrases")
    if phrases is not None:
        from gensim.models.phrases import Phrases

        model = Phrases(
            tokens,
            min_count=setting(job, "statistics.phrase_min_count", 5),
            threshold=setting(job, "statistics.phrase_threshold", 10.0),
            scoring={"original": "default"}.get(setting(job, "statistics.phrase_score", "original"), "npmi"),
            connector_words=frozenset(setting(job, "statistics.connector_words", [])),
        )
        theirs = model.export_phrases()
        names = phrases.column("phrase").to_pylist()
        different = sorted(set(names) ^ set(theirs))
        report.add("phrases of one side only", 0, len(different), ", ".join(map(repr, different[:5])) or "-")
        both = [i for i, name in enumerate(names) if name in theirs]
        report.add("count of a phrase", 0, [abs(column(phrases, "count")[i] - model.vocab[names[i]]) for i in both], [names[i] for i in both])
        report.relative("score of a phrase", 1e-12, column(phrases, "score")[both], [theirs[names[i]] for i in both], [names[i] for i in both])


# --- sound -----------------------------------------------------------------------------------------------------------


def pitch_values(y, rate, hop, low, high, frame_len):
    """librosa.yin's f0 of the voiced frames: those whose cumulative mean normalised difference falls under 0.3 and that are not silent."""
    import librosa
    from librosa.core.pitch import _cumulative_mean_normalized_difference as difference

    f0 = librosa.yin(y, fmin=low, fmax=high, sr=rate, frame_length=frame_len, hop_length=hop)
    frames = librosa.util.frame(np.pad(y, frame_len // 2), frame_length=frame_len, hop_length=hop)
    longest = min(math.ceil(rate / low), frame_len - 1)
    trough = difference(frames, math.floor(rate / high), longest).min(axis=0)
    return f0[(trough < 0.3) & (np.square(frames).sum(axis=0) > 0)]


def librosa_series(y, rate, job):
    """The features of a recording as librosa has them, each a series over frames."""
    import librosa

    fft, win, hop, bands = (setting(job, f"spectrogram.{k}", d) for k, d in (("fft_len", 512), ("win_len", 400), ("hop_len", 160), ("mels", 80)))
    D = librosa.stft(y, n_fft=fft, win_length=win, hop_length=hop, window="hann", center=True, pad_mode="constant")
    mag = np.abs(D)
    log_mel = librosa.power_to_db(librosa.filters.mel(sr=rate, n_fft=fft, n_mels=bands, dtype=np.float64) @ mag**2, ref=1.0, amin=1e-10, top_db=80.0)
    rms = librosa.feature.rms(y=y, frame_length=fft, hop_length=hop, dtype=np.float64)[0]
    return {
        "power": mag.T**2,
        "mel": log_mel.T,
        "mfcc": librosa.feature.mfcc(S=log_mel, n_mfcc=setting(job, "features.mfcc", 13)),
        "centroid_hz": librosa.feature.spectral_centroid(S=mag, sr=rate)[0],
        "bandwidth_hz": librosa.feature.spectral_bandwidth(S=mag, sr=rate)[0],
        "rolloff_hz": librosa.feature.spectral_rolloff(S=mag, sr=rate, roll_percent=0.85)[0],
        "flatness": librosa.feature.spectral_flatness(S=mag, amin=1e-10, power=2.0)[0],
        "rms_db": 20 * np.log10(np.maximum(rms, 1e-5)),
        "zcr": librosa.feature.zero_crossing_rate(y, frame_length=fft, hop_length=hop)[0],
    }


def compare_clip(clip, y, rate, job, stored, report):
    series, name = librosa_series(y, rate, job), clip["clip_id"]
    report.add("frames", 0, abs(clip["frames"] - len(series["rms_db"])), name)
    for feature in ("centroid_hz", "bandwidth_hz", "rolloff_hz", "flatness", "zcr"):
        for key, value in ((f"{feature}_mean", series[feature].mean()), (f"{feature}_sd", series[feature].std())):
            if clip.get(key) is not None:
                report.relative(f"{key} (relative)", 1e-3, clip[key], value, name)
    for key, value in (("rms_db_mean", series["rms_db"].mean()), ("rms_db_sd", series["rms_db"].std())):
        if clip.get(key) is not None:
            report.add(f"{key} (dB; 1e-3 of rms)", 20 * math.log10(1.001), abs(clip[key] - value), name)
    for i, row in enumerate(series["mfcc"], start=1):
        for key, value in ((f"mfcc_{i:02}_mean", row.mean()), (f"mfcc_{i:02}_sd", row.std())):
            if clip.get(key) is not None:
                report.add(f"mfcc_{'mean' if key.endswith('mean') else 'sd'}", 1e-2, abs(clip[key] - value), f"{name} {key}")
    pitch = setting(job, "features.pitch", {}) or {}
    if "f0_hz_mean" in clip and pitch.get("method", "yin") == "yin":
        voiced = pitch_values(
            y, rate, setting(job, "spectrogram.hop_len", 160), pitch.get("min_hz", 65.0), pitch.get("max_hz", 500.0), pitch.get("frame_len", 1024)
        )
        if len(voiced) and clip["f0_hz_mean"] is not None:
            report.relative("f0_hz_mean (relative)", 5e-3, clip["f0_hz_mean"], voiced.mean(), name)
        elif len(voiced) > 1 or (clip["f0_hz_mean"] is not None and not len(voiced)):
            report.add("f0_hz_mean (relative)", 5e-3, math.inf, f"{name}: {len(voiced)} voiced frames, ours {clip['f0_hz_mean']}")
    if stored is not None:
        kind = setting(job, "spectrogram.store", "none")
        expected = series["mel"] if kind == "mel" else series["power"]
        if stored.shape != expected.shape:
            report.add(f"stored {kind}: shape", 0, 1, f"{name}: ours {stored.shape}, librosa's {expected.shape}")
        elif kind == "mel":
            report.add("stored log-mel (dB)", 0.01, np.abs(stored - expected).max(), name)
        else:
            ours, theirs = (10 * np.log10(np.maximum(s, 1e-10)) for s in (stored, expected))
            report.add("stored power (dB)", 0.01, np.abs(ours - theirs).max(), name)


def stored_spectrogram(run, clip_id):
    """The rows of one recording as frames x bands; None where none are stored."""
    import pyarrow.dataset as ds

    folder = run / "spectrograms"
    if not folder.is_dir():
        return None
    rows = ds.dataset(folder, format="parquet").to_table(filter=ds.field("clip_id") == clip_id).sort_by("frame")
    return np.array(rows.column("values").to_pylist(), dtype=float)


def compare_sound(run, folder, job, limit, report):
    import soundfile

    clips = table(run, "clips")
    if clips is None:
        return report.skip("sound: the run has no clips table")
    if setting(job, "spectrogram.profile", "librosa") != "librosa":
        return report.skip("sound: the profile is not librosa's")
    if job.get("filters"):
        return report.skip("sound: the job filters; run it with --set 'filters=[]'")
    rows = clips.to_pylist()
    step = max(1, len(rows) // limit) if limit else 1
    rate_wanted, resampled = setting(job, "clips.sample_rate", 16000), 0
    for clip in rows[::step]:
        path = folder / clip["source"]
        if not path.exists():
            return report.skip(f"sound: {path} is not there; is --clips the literal folder of the glob?")
        y, rate = soundfile.read(path, dtype="float64", always_2d=True)
        channel = setting(job, "clips.channel", "mix")
        y = y.mean(axis=1) if channel == "mix" else y[:, int(channel)]
        if rate_wanted not in (0, rate):
            resampled += 1
            continue
        compare_clip(clip, y, rate, job, stored_spectrogram(run, clip["clip_id"]), report)
    if resampled:
        report.skip(f"sound: {resampled} recordings that the job resamples to {rate_wanted} Hz")
    return None


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", type=Path)
    parser.add_argument("--documents", type=Path, help="the literal folder of the documents' glob")
    parser.add_argument("--clips", type=Path, help="the literal folder of the recordings' glob")
    parser.add_argument("--plain", action="store_true", help="take Markdown as plain text, for a job with documents.format=text")
    parser.add_argument("--limit", type=int, default=60, help="about how many recordings to compare, evenly spread; 0: all (default 60)")
    args = parser.parse_args()
    job = json.loads((args.run / "run.json").read_text(encoding="utf-8")).get("job") or {}
    print("oracles: " + ", ".join(f"{name} {version(name)}" for name in ("librosa", "scikit-learn", "scipy", "gensim", "numpy", "soundfile")))
    report = Report()
    if args.documents:
        compare_words(args.run, args.documents, job, args.plain, report)
    if args.clips:
        compare_sound(args.run, args.clips, job, args.limit, report)
    if not args.documents and not args.clips:
        parser.error("name --documents, --clips or both")
    sys.exit(report.finish())


if __name__ == "__main__":
    main()
