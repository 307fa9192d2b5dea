#!/usr/bin/env python3
"""Writes dependence.json: what scipy, scikit-learn and definitions in NumPy say about how two features depend on each other.

    /tmp/oracles/bin/python make_dependence.py         # numpy, scipy and scikit-learn as in requirements.txt

The inputs are whole numbers by a formula, so that every reader has the same bits; all of them stand in the file.
"""

import json
from importlib.metadata import version
from pathlib import Path

import numpy as np
from scipy import stats
from scipy.spatial.distance import cdist
from sklearn.cluster import KMeans
from sklearn.feature_selection._mutual_info import _compute_mi_cc
from sklearn.linear_model import LinearRegression, Ridge
from sklearn.metrics import adjusted_mutual_info_score, r2_score
from sklearn.preprocessing import StandardScaler, scale

HERE = Path(__file__).resolve().parent


def columns(name, n):
    i = np.arange(n)
    if name == "line":
        return i * 17 % 101, i * 17 % 101 // 3 + i * i * 7 % 23
    if name == "parabola":
        x = i * 29 % 127 - 60
        return x, x * x + i * 13 % 301
    if name == "ties":
        return i * i % 7, (i * i % 7) * 2 + i % 5
    # Nothing in common. No two distances are equal: divided by the deviation, equal ones would differ by a rounding or not.
    return np.sin(1.7 * i * i), np.cos(2.3 * i * i + 1)


def distance_correlation(x, y):
    """Székely, Rizzo and Bakirov 2007, definitions 4 and 5, in plain matrices."""

    def centred(v):
        d = cdist(v[:, None], v[:, None])
        return d - d.mean(0) - d.mean(1)[:, None] + d.mean()

    a, b = centred(x), centred(y)
    return np.sqrt((a * b).mean() / np.sqrt((a * a).mean() * (b * b).mean()))


def pair(name, n):
    x, y = (column.astype(float) for column in columns(name, n))
    mi = _compute_mi_cc(scale(x, with_mean=False), scale(y, with_mean=False), 3)
    z, w = (np.arange(n) * 19 % 89).astype(float), (np.arange(n) * 11 % 61).astype(float)
    ranks = [stats.rankdata(v) for v in (x, y, z, w)]
    rest = [r - LinearRegression().fit(np.c_[ranks[2], ranks[3]], r).predict(np.c_[ranks[2], ranks[3]]) for r in ranks[:2]]
    return {
        "name": name,
        "x": x,
        "y": y,
        "z": z,
        "w": w,
        "distance_correlation": distance_correlation(x, y),
        "mutual_information": mi,
        "partial_spearman": stats.pearsonr(*rest)[0],
    }


def bca():
    """The interval of scipy's `_bca_interval` from given draws: what `bootstrap` does with its own."""
    i = np.arange(40)
    x, y = (column.astype(float) for column in columns("line", 40))
    rho = lambda a, b: stats.spearmanr(a, b)[0]
    draws = np.array([rho(x[d], y[d]) for d in ((i * (2 * k + 3) + k * k * 7) * (i + k) % 40 for k in range(200))])
    left_out = np.array([rho(np.delete(x, j), np.delete(y, j)) for j in i])
    estimate = rho(x, y)
    share = ((draws < estimate).sum() + (draws <= estimate).sum()) / (2 * len(draws))
    z0 = stats.norm.ppf(share)
    u = left_out.mean() - left_out
    a = (u**3).sum() / (6 * (u**2).sum() ** 1.5)
    ends = [stats.norm.cdf(z0 + (z0 + z) / (1 - a * (z0 + z))) for z in stats.norm.ppf([0.025, 0.975])]
    # Held against scipy's own: the same draws through its private function.
    from scipy.stats._resampling import _bca_interval

    statistic = lambda data, axis=-1: np.apply_along_axis(lambda d: rho(x[d.astype(int)], y[d.astype(int)]), axis, data)
    theirs = _bca_interval((i.astype(float),), statistic, -1, 0.025, draws, None, np)
    assert np.allclose(np.ravel(theirs[:2]), ends, atol=1e-12), (theirs, ends)
    return {"draws": draws, "estimate": estimate, "left_out": left_out, "interval": np.percentile(draws, 100 * np.array(ends))}


def ridge():
    n, folds = 60, [list(range(f, 60, 5)) for f in range(5)]
    i = np.arange(n)
    texts = np.stack([i * 17 % 61, i * i % 37, i * 7 % 19]).astype(float)
    sounds = np.stack([2 * texts[0] - 3 * texts[2] + i * i * 11 % 53, i * 23 % 47]).astype(float)
    x = StandardScaler().fit_transform(texts.T)
    r2 = []
    for y in sounds:
        predicted = np.empty(n)
        for fold in folds:
            learnt = np.setdiff1d(i, fold)
            model = Ridge(alpha=0.1 * len(learnt)).fit(x[learnt], y[learnt])
            predicted[fold] = model.predict(x[fold])
        r2.append(r2_score(y, predicted))
    return {"texts": texts, "sounds": sounds, "folds": "i mod 5", "r2": r2}


def clusters():
    i = np.arange(90)
    points = np.stack([i % 3 * 20 + i * 7 % 11, i % 2 * 15 + i * 5 % 13, i * i % 17], axis=1).astype(float)
    first = points[[0, 1, 2, 3]]
    model = KMeans(4, init=first, n_init=1, max_iter=300, tol=0).fit(points)
    a, b = i * i % 5, (i * i % 5 + (i % 4 == 0)) % 6
    return {
        "points": points,
        "first": first,
        "centres": model.cluster_centers_,
        "labels": model.labels_,
        "inertia": model.inertia_,
        "a": a,
        "b": b,
        "adjusted_mutual_information": adjusted_mutual_info_score(a, b),
    }


def plain(value):
    if isinstance(value, dict):
        return {key: plain(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple, np.ndarray)):
        return [plain(inner) for inner in value]
    return value.item() if isinstance(value, np.generic) else value


def main():
    file = {
        "made_by": {name: version(name) for name in ("numpy", "scipy", "scikit-learn")},
        "definitions": {
            "distance_correlation": "doubly centred distance matrices, Székely, Rizzo and Bakirov 2007",
            "mutual_information": "sklearn.feature_selection._mutual_info._compute_mi_cc of columns over their standard deviation, k = 3: what mutual_info_regression computes, without its noise",
            "partial_spearman": "pearsonr of what LinearRegression on the ranks of z and w leaves of the ranks",
            "bca": "scipy.stats._resampling._bca_interval and numpy.percentile",
            "ridge": "StandardScaler, Ridge(alpha = 0.1 n) on the items outside a fold, r2_score over all",
            "clusters": "KMeans from given centres; adjusted_mutual_info_score",
            "normal_quantiles": "scipy.stats.norm.ppf",
        },
        "pairs": [pair(name, n) for name, n in (("line", 60), ("parabola", 97), ("ties", 50), ("none", 120))],
        "bca": bca(),
        "ridge": ridge(),
        "clusters": clusters(),
        "normal_quantiles": [[p, stats.norm.ppf(p)] for p in (1e-300, 1e-9, 0.025, 0.5, 0.8, 0.999, 1 - 1e-12)],
    }
    lines = [f"{json.dumps(key)}: {json.dumps(plain(value), ensure_ascii=False)}" for key, value in file.items()]
    (HERE / "dependence.json").write_text("{\n" + ",\n".join(lines) + "\n}\n")


if __name__ == "__main__":
    main()
