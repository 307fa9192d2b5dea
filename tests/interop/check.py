#!/usr/bin/env python3
"""Reads every table of a run folder with DuckDB, pandas/pyarrow and polars, and holds it to the contract of the tables.

    run.sh RUN

Prints a line a table, what failed under it, and a last line `N passed, M failed`. Exit status 1 on any failure.
"""

import json
import re
import sys
from pathlib import Path

import blake3
import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

# --- the contract ----------------------------------------------------------------------------------------------------

# name: the columns in their order, `name type`; `?` may be null, and so may every float. `[f32]` is a list of fixed length.
CONTRACT = {
    "documents": "doc_id str, source str, blake3 str, group str?, bytes u64, language str?, chars u64, tokens u64, types u64, sentences u64, "
    "ttr f64, mattr f64, mtld f64, yule_k f64, mean_word_len f64, flesch f64, ari f64",
    "vocabulary": "term_id u32, term str, df u32, cf u64, idf f64",
    "terms": "doc_id str, term_id u32, count u32, weight f32",
    "tokens": "doc_id str, position u32, token str, start u32, end u32",
    "collocations": "first str, second str, count u64, pmi f64, npmi f64, g2 f64",
    "keyness": "term str, target_count u64, reference_count u64, g2 f64, chi2 f64, p f64, log_ratio f64",
    "duplicates": "doc_id_a str, doc_id_b str, jaccard f64",
    "laws": "law str, exponent f64, constant f64, r2 f64, n u64",
    "dispersion": "term str, documents u32, juilland_d f64, gries_dp f64, gries_dp_norm f64",
    "phrases": "phrase str, count u64, score f64",
    "topics": "topic u32, singular_value f64, explained_share f64, term_id u32, term str, weight f64",
    "document_topics": "doc_id str, vector [f32]",
    "sound_vocabulary": "term_id u32, term str, df u32, cf u64, idf f64",
    "sound_collocations": "first str, second str, count u64, pmi f64, npmi f64, g2 f64",
    "sound_embeddings": "term_id u32, term str, count u64, vector [f32]",
    "embeddings": "term_id u32, term str, count u64, vector [f32]",
    "subwords": "bucket u32, vector [f32]",
    "training": "epoch u32, tokens u64, alpha f64, loss f64",
    "neighbours": "term_id u32, term str, rank u32, neighbour_id u32, neighbour str, cosine f32",
    "document_vectors": "doc_id str, vector [f32]",
    "clips": "clip_id str, source str, blake3 str, group str?, file_sample_rate u32, channels u16, bits u16?, seconds f64, frames u32",
    "frames": "clip_id str, frame u32, seconds f64, rms_db f32, zcr f32, centroid_hz f32, bandwidth_hz f32, rolloff_hz f32, flatness f32, "
    "flux f32, f0_hz f32?, voiced f32, mfcc [f32]",
    "spectrograms": "clip_id str, frame u32, values [f32]",
    "pairs": "doc_id str, clip_id str, group str?, words_per_minute f64",
    "correlations": "text_feature str, audio_feature str, n u32, pearson f64, spearman f64, ci_low f64, ci_high f64, p f64, q f64",
    "spaces": "text_space str, audio_space str, measure str, estimate f64, null_mean f64, null_q95 f64, p f64, q f64, n u32, ci_low f64, ci_high f64",
    "predictions": "target str, side str, r2 f64, null_mean f64, null_q95 f64, p f64, q f64, n u32, ci_low f64, ci_high f64",
    "group_means": "group str, side str, feature str, n u32, mean f64, sd f64, ci_low f64, ci_high f64, p f64, q f64",
    "group_correlations": "text_feature str, audio_feature str, n u32, pearson f64, spearman f64, ci_low f64, ci_high f64, p f64, q f64",
    "word_correlations": "text_feature str, audio_feature str, n u32, pearson f64, spearman f64, ci_low f64, ci_high f64, p f64, q f64",
    "suspects": "doc_id str, clip_id str, score f64, reason str, explanation str",
    "words": "doc_id str, clip_id str, word u32, term_id u32?, term str, start f64, end f64, aligned_by str, surprisal f64",
    "word_sounds": "term str, count u64, frequency f64, surprisal f64, syllables u64?, seconds_mean f64, seconds_sd f64, neighbours str?",
    "warnings": "source str, stage str, code str, reason str",
    "quarantine": "source str, stage str, code str, reason str, byte_offset u64?, command str",
}
FOLDERS = {"terms", "tokens", "frames", "spectrograms", "words"}
# clips: a mean and a deviation of each of these, and single figures; all f64. They stand there when every feature set is on.
CLIP_SERIES = ["rms_db", "zcr", "centroid_hz", "bandwidth_hz", "rolloff_hz", "flatness", "flux", "f0_hz"]
CLIP_MEANS = {"pause_seconds_mean", "earshot_pause_seconds_mean"}  # of the sets syllables and earshot, without a deviation
CLIP_FIGURES = (
    "f0_median_hz voiced_share speech_share loudness_lufs true_peak_dbfs snr_db clipped_share dc_offset silence_share pauses_per_minute"
).split()
ALL_SETS = {"mel", "mfcc", "spectral", "pitch", "loudness", "voice", "quality"}
METADATA = {"schema_version", "table", "job", "config_hash", "wordwave"}
MEASURES = {"cka", "rsa", "cca", "recall_at_1", "recall_at_5", "recall_at_10", "mrr", "ami"}
STAGES = {"read", "tokens", "bag_of_words", "statistics", "embeddings", "audio", "filters", "compare", "report"}
# section of the job: the tables that it fills
SECTIONS = {
    "documents": ["documents"],
    "bag_of_words": ["vocabulary", "terms"],
    "statistics": ["collocations", "keyness", "duplicates"],
    "embeddings": ["embeddings"],
    "clips": ["clips"],
    "compare": ["pairs", "correlations", "spaces", "predictions", "suspects", "group_means", "group_correlations"],
}

# How each reader names a type. pandas has no unsigned column with nulls and turns it into float64.
ARROW = {"u16": pa.uint16(), "u32": pa.uint32(), "u64": pa.uint64(), "f32": pa.float32(), "f64": pa.float64()}
POLARS = {"str": pl.String, "u16": pl.UInt16, "u32": pl.UInt32, "u64": pl.UInt64, "f32": pl.Float32, "f64": pl.Float64}
DUCKDB = {"str": "VARCHAR", "u16": "USMALLINT", "u32": "UINTEGER", "u64": "UBIGINT", "f32": "FLOAT", "f64": "DOUBLE"}
PANDAS = {"u16": "uint16", "u32": "uint32", "u64": "uint64", "f32": "float32", "f64": "float64"}


def contract_columns(name):
    """[(column, type, may be null)] of a table."""
    pairs = (item.rsplit(" ", 1) for item in CONTRACT[name].split(", "))
    return [(column, kind.rstrip("?"), kind.endswith("?") or kind.startswith("f")) for column, kind in pairs]


# --- readers ---------------------------------------------------------------------------------------------------------


def arrow_is(dtype, kind):
    if kind == "str":
        return pa.types.is_string(dtype) or pa.types.is_large_string(dtype) or pa.types.is_string_view(dtype)
    if kind == "[f32]":
        return pa.types.is_fixed_size_list(dtype) and dtype.value_type == pa.float32()
    return dtype == ARROW[kind]


def polars_is(dtype, kind):
    return isinstance(dtype, pl.Array) and dtype.inner == pl.Float32 if kind == "[f32]" else dtype == POLARS[kind]


def duckdb_is(dtype, kind):
    return re.fullmatch(r"FLOAT\[\d*\]", dtype) is not None if kind == "[f32]" else dtype == DUCKDB[kind]


def pandas_is(column, kind):
    if kind == "str":
        return pd.api.types.is_string_dtype(column.dtype) or column.dtype == object
    if kind == "[f32]":
        return column.dtype == object and all(isinstance(v, np.ndarray) and v.dtype == np.float32 for v in column.head(3))
    return str(column.dtype) == PANDAS[kind] or (kind.startswith("u") and column.isna().any() and str(column.dtype) == "float64")


class Table:
    """A table as the readers see it."""

    def __init__(self, run, name):
        self.name = name
        folder = name in FOLDERS
        self.path = run / name if folder else run / f"{name}.parquet"
        self.files = sorted(self.path.glob("part-*.parquet")) if folder else [self.path]
        self.pattern = str(self.path / "*.parquet") if folder else str(self.path)
        self.arrow = pq.read_table(self.path)
        self.pandas = pd.read_parquet(self.path, engine="pyarrow")
        self.polars = pl.scan_parquet(self.pattern).collect()
        self.duckdb = duckdb.read_parquet(self.pattern)

    def frame(self, *columns):
        return self.polars.select(columns)

    def query(self, expression):
        """The one value of an SQL expression over the table's files, by DuckDB."""
        return duckdb.execute(f"SELECT {expression} FROM read_parquet(?)", [self.pattern]).fetchall()[0][0]


class Checks:
    """Counts what passed and keeps what failed, a table at a time."""

    def __init__(self):
        self.passed, self.failed, self.failures = 0, 0, []

    def that(self, ok, message):
        if ok:
            self.passed += 1
        else:
            self.failed += 1
            self.failures.append(message)

    def line(self, heading):
        print(f"{heading:60} {'FAILED' if self.failures else 'ok'}")
        for message in self.failures:
            print(f"    {message}")
        self.failures = []


# --- what every table must hold ---------------------------------------------------------------------------------------


def check_form(table, checks):
    """Row counts, columns and types, the same for every reader and as the contract has them."""
    rows = {"arrow": table.arrow.num_rows, "pandas": len(table.pandas), "polars": table.polars.height, "duckdb": table.query("count(*)")}
    checks.that(len(set(rows.values())) == 1, f"row counts differ: {rows}")
    names = {
        "arrow": table.arrow.column_names,
        "pandas": list(table.pandas.columns),
        "polars": table.polars.columns,
        "duckdb": list(table.duckdb.columns),
    }
    checks.that(len({tuple(n) for n in names.values()}) == 1, f"column names differ: {names}")
    duck = dict(zip(table.duckdb.columns, map(str, table.duckdb.types)))
    wanted = contract_columns(table.name)
    present = [column for column in names["arrow"] if column in {c for c, _, _ in wanted}]
    checks.that(present == [c for c, _, _ in wanted], f"columns are {present}, the contract has {[c for c, _, _ in wanted]}")
    for column, kind, nullable in wanted:
        if column not in names["arrow"]:
            continue
        field = table.arrow.schema.field(column)
        found = {"arrow": field.type, "polars": table.polars.schema[column], "duckdb": duck[column], "pandas": table.pandas[column].dtype}
        ok = (
            arrow_is(field.type, kind)
            and polars_is(found["polars"], kind)
            and duckdb_is(found["duckdb"], kind)
            and (len(table.pandas) == 0 or pandas_is(table.pandas[column], kind))
        )
        checks.that(ok, f"{column} should be {kind}: {found}")
        nulls = table.arrow.column(column).null_count
        checks.that(nullable or nulls == 0, f"{column}: {nulls} nulls")


def check_finite(table, checks):
    """No NaN and no infinity, in lists neither."""
    for column in table.arrow.column_names:
        values = table.arrow.column(column)
        if pa.types.is_fixed_size_list(values.type) or pa.types.is_list(values.type) or pa.types.is_large_list(values.type):
            values = pc.list_flatten(values)
        if pa.types.is_floating(values.type):
            bad = len(values) - values.null_count - (pc.sum(pc.cast(pc.is_finite(values), pa.int64())).as_py() or 0)
            checks.that(bad == 0, f"{column}: {bad} values are NaN or infinite")


def check_metadata(table, checks, seen):
    """The key-value metadata of each file; `seen` gathers what must be one value over the run."""
    for path in table.files:
        raw = pq.ParquetFile(path).metadata.metadata or {}
        found = {k.decode(): v.decode() for k, v in raw.items() if k != b"ARROW:schema"}
        missing = METADATA - found.keys()
        checks.that(not missing, f"{path.name}: metadata lacks {sorted(missing)}")
        checks.that(found.get("table") == table.name, f"{path.name}: metadata has table {found.get('table')!r}")
        if table.name == "spectrograms":
            checks.that("unit" in found, f"{path.name}: metadata lacks the unit of values")
        for key in ("schema_version", "job", "config_hash", "wordwave"):
            seen.setdefault(key, set()).add(found.get(key))
        groups = pq.ParquetFile(path).metadata
        columns = [groups.row_group(g).column(c) for g in range(groups.num_row_groups) for c in range(groups.num_columns) if groups.row_group(g).num_rows]
        checks.that(all(c.compression == "ZSTD" for c in columns), f"{path.name}: not all columns are zstd")
        flat = [c for c in columns if ".list." not in c.path_in_schema and c.path_in_schema.count(".") == 0]
        checks.that(all(c.is_stats_set for c in flat), f"{path.name}: columns without statistics")


# --- what single tables must hold -------------------------------------------------------------------------------------


def unique(checks, table, *columns):
    repeated = table.polars.height - table.frame(*columns).unique().height
    checks.that(repeated == 0, f"{repeated} repeated {', '.join(columns)}")


def within(checks, table, column, low, high):
    values = table.polars[column].drop_nulls()
    outside = int(((values < low) | (values > high)).sum())
    checks.that(outside == 0, f"{column}: {outside} values outside {low}..{high}")


def refers(checks, table, column, other, key):
    missing = table.frame(column).unique().join(other.frame(key), left_on=column, right_on=key, how="anti")
    checks.that(missing.height == 0, f"{column}: {missing.height} not in {other.name}, such as {missing[column].head(3).to_list()}")


def check_documents(table, tables, checks):
    unique(checks, table, "doc_id")
    within(checks, table, "ttr", 0, 1)
    over = table.polars.filter(pl.col("types") > pl.col("tokens")).height
    checks.that(over == 0, f"{over} documents have more types than tokens")


def check_vocabulary(table, tables, checks):
    unique(checks, table, "term")
    ids = table.polars["term_id"].to_list()
    checks.that(ids == list(range(len(ids))), "term_id is not 0.. in the order of the rows")
    keys = list(zip((-c for c in table.polars["cf"].to_list()), (t.encode() for t in table.polars["term"].to_list())))
    checks.that(keys == sorted(keys), "rows are not by cf descending, then term")
    checks.that(table.polars.filter(pl.col("df") > pl.col("cf")).height == 0, "df above cf")


def check_terms(table, tables, checks):
    unique(checks, table, "doc_id", "term_id")
    for path in table.files:
        keys = pl.read_parquet(path, columns=["doc_id", "term_id"])
        same = keys.equals(keys.sort("doc_id", "term_id"))
        checks.that(same, f"{path.name}: not by doc_id, term_id")
    if "documents" in tables:
        refers(checks, table, "doc_id", tables["documents"], "doc_id")
    if "vocabulary" in tables:
        refers(checks, table, "term_id", tables["vocabulary"], "term_id")
        sums = table.polars.group_by("term_id").agg(df2=pl.len(), cf2=pl.col("count").cast(pl.UInt64).sum())
        joined = tables["vocabulary"].polars.join(sums, on="term_id", how="left").fill_null(0)
        off = joined.filter((pl.col("df") != pl.col("df2")) | (pl.col("cf") != pl.col("cf2"))).height
        checks.that(off == 0, f"{off} terms whose df or cf are not those of the terms table")


def check_collocations(table, tables, checks):
    unique(checks, table, "first", "second")
    within(checks, table, "npmi", -1.000001, 1.000001)


def check_keyness(table, tables, checks):
    unique(checks, table, "term")
    within(checks, table, "p", 0, 1)


def check_duplicates(table, tables, checks):
    unique(checks, table, "doc_id_a", "doc_id_b")
    within(checks, table, "jaccard", 0, 1)
    checks.that(table.polars.filter(pl.col("doc_id_a") == pl.col("doc_id_b")).height == 0, "a document is its own duplicate")
    for column in ("doc_id_a", "doc_id_b") if "documents" in tables else ():
        refers(checks, table, column, tables["documents"], "doc_id")


def check_embeddings(table, tables, checks):
    unique(checks, table, "term")
    ids, counts = table.polars["term_id"].to_list(), table.polars["count"].to_list()
    checks.that(ids == list(range(len(ids))), "term_id is not 0.. in the order of the rows")
    checks.that(counts == sorted(counts, reverse=True), "rows are not by count descending")
    one_length(checks, table, "vector")


def one_length(checks, table, column):
    lengths = table.query(f'list(DISTINCT len("{column}"))') or []
    checks.that(len(lengths) <= 1, f"{column}: lengths {sorted(lengths)}")


def check_clips(table, tables, checks, sets=frozenset()):
    unique(checks, table, "clip_id")
    means = [c for c in table.polars.columns if c.endswith("_mean") and c not in CLIP_MEANS]
    series = [c.removesuffix("_mean") for c in means]
    singles = [c for c in CLIP_FIGURES if c in table.polars.columns]
    for feature in series:
        checks.that(f"{feature}_sd" in table.polars.columns, f"{feature}_mean without {feature}_sd")
    for column in [f"{f}_{s}" for f in series for s in ("mean", "sd") if f"{f}_{s}" in table.polars.columns] + singles:
        checks.that(table.polars.schema[column] == pl.Float64, f"{column} should be f64: {table.polars.schema[column]}")
    if sets == ALL_SETS:
        missing = [f for f in CLIP_SERIES + ["mfcc_01"] if f not in series] + [f for f in CLIP_FIGURES if f not in singles]
        checks.that(not missing, f"features are missing: {missing}")
    for share in [c for c in table.polars.columns if c.endswith("_share")]:
        within(checks, table, share, 0, 1)
    for deviation in [c for c in table.polars.columns if c.endswith("_sd")]:
        within(checks, table, deviation, 0, float("inf"))


def check_frame_rows(table, tables, checks):
    unique(checks, table, "clip_id", "frame")
    if "clips" not in tables:
        return
    refers(checks, table, "clip_id", tables["clips"], "clip_id")
    spans = table.polars.group_by("clip_id").agg(rows=pl.len(), last=pl.col("frame").max())
    joined = tables["clips"].frame("clip_id", "frames").join(spans, on="clip_id", how="left").fill_null(0)
    off = joined.filter((pl.col("rows") != pl.col("frames")) | ((pl.col("rows") > 0) & (pl.col("last") + 1 != pl.col("rows")))).height
    checks.that(off == 0, f"{off} clips whose frames are not 0..clips.frames")


def check_frames(table, tables, checks):
    check_frame_rows(table, tables, checks)
    if "mfcc" in table.polars.columns:
        one_length(checks, table, "mfcc")


def check_spectrograms(table, tables, checks):
    check_frame_rows(table, tables, checks)
    one_length(checks, table, "values")


def check_pairs(table, tables, checks):
    unique(checks, table, "doc_id", "clip_id")
    for column, other in (("doc_id", "documents"), ("clip_id", "clips")):
        if other in tables:
            refers(checks, table, column, tables[other], column)


def check_correlations(table, tables, checks):
    unique(checks, table, "text_feature", "audio_feature")
    for column, low in (("pearson", -1), ("spearman", -1), ("ci_low", -1), ("ci_high", -1), ("p", 0), ("q", 0)):
        within(checks, table, column, low - 1e-9, 1 + 1e-9)
    frame = table.polars
    checks.that(frame.filter(pl.col("q") < pl.col("p") - 1e-12).height == 0, "q under p")
    checks.that(frame.filter(pl.col("ci_low") > pl.col("ci_high")).height == 0, "ci_low above ci_high")
    tested = frame.drop_nulls(["p", "q"]).sort("p")
    checks.that(tested["q"].to_list() == sorted(tested["q"].to_list()), "q does not rise with p")
    checks.that(frame["p"].is_null().equals(frame["q"].is_null()), "p without q, or q without p")
    checks.that((tested["p"] > 0).all(), "p of zero")
    if "pairs" in tables:
        within(checks, table, "n", 0, tables["pairs"].polars.height)
    for column, other in (("text_feature", "documents"), ("audio_feature", "clips")):
        if other in tables:
            unknown = sorted(set(frame[column].to_list()) - set(tables[other].polars.columns))
            checks.that(not unknown, f"{column}: not columns of {other}: {unknown[:5]}")


def check_spaces(table, tables, checks):
    unique(checks, table, "text_space", "audio_space", "measure")
    unknown = set(table.polars["measure"].to_list()) - MEASURES
    checks.that(not unknown, f"unknown measures: {sorted(unknown)}")
    within(checks, table, "p", 0, 1)
    check_interval(table, checks, "estimate")


def check_reasons(table, tables, checks):
    empty = table.polars.filter((pl.col("reason").str.len_chars() == 0) | (pl.col("code").str.len_chars() == 0)).height
    checks.that(empty == 0, f"{empty} rows without a code or a reason")


def check_interval(table, checks, estimate):
    """Both ends of an interval, or none, on either side of the estimate."""
    wrong = table.polars.filter((pl.col("ci_low") > pl.col(estimate) + 1e-9) | (pl.col("ci_high") < pl.col(estimate) - 1e-9)).height
    half = table.polars.filter(pl.col("ci_low").is_null() != pl.col("ci_high").is_null()).height
    checks.that(wrong + half == 0, f"{wrong} intervals beside {estimate}, {half} with one end")


def check_group_means(table, tables, checks):
    unique(checks, table, "group", "side", "feature")
    check_interval(table, checks, "mean")
    for name in ("p", "q"):
        within(checks, table, name, 0, 1)


def check_predictions(table, tables, checks):
    check_interval(table, checks, "r2")
    for name in ("p", "q"):
        outside = table.polars.filter((pl.col(name) < 0) | (pl.col(name) > 1)).height
        checks.that(outside == 0, f"{outside} values of {name} outside 0 to 1")
    sides = set(table.polars["side"].unique())
    checks.that(sides <= {"text", "audio", "words", "sound"}, f"sides {sorted(sides)}")


def check_suspects(table, tables, checks):
    falling = table.polars["score"].is_sorted(descending=True)
    checks.that(falling, "not by falling score")
    check_named(table, checks, "reason")


def check_laws(table, tables, checks):
    checks.that(table.polars["law"].to_list() == ["zipf", "heaps"], "not the laws of Zipf and Heaps")
    outside = table.polars.filter((pl.col("r2") < 0) | (pl.col("r2") > 1)).height
    checks.that(outside == 0, f"{outside} values of r2 outside 0 to 1")


def check_dispersion(table, tables, checks):
    for name in ("gries_dp", "gries_dp_norm"):
        outside = table.polars.filter((pl.col(name) < 0) | (pl.col(name) > 1 + 1e-9)).height
        checks.that(outside == 0, f"{outside} values of {name} outside 0 to 1")


def check_phrases(table, tables, checks):
    check_named(table, checks, "phrase")


def check_tokens(table, tables, checks):
    rows = table.polars
    documents = {row["doc_id"]: row["tokens"] for row in tables["documents"].polars.select("doc_id", "tokens").iter_rows(named=True)}
    counted = {doc_id: count for doc_id, count in rows.group_by("doc_id").len().iter_rows()}
    wrong = [doc_id for doc_id, tokens in documents.items() if counted.get(doc_id, 0) != tokens]
    checks.that(not wrong, f"documents {wrong[:3]} have other numbers of tokens")
    checks.that(rows.filter(pl.col("end") <= pl.col("start")).height == 0, "tokens without a byte")
    backwards = rows.filter((pl.col("start") < pl.col("start").shift(1)) & (pl.col("doc_id") == pl.col("doc_id").shift(1)))
    checks.that(backwards.height == 0, f"{backwards.height} tokens begin before the one before them")


def check_topics(table, tables, checks):
    values = table.polars.unique("topic").sort("topic")["singular_value"]
    checks.that(values.is_sorted(descending=True), "singular values do not fall")
    check_named(table, checks, "term")


def check_document_topics(table, tables, checks):
    check_named(table, checks, "doc_id")


def check_named(table, checks, name):
    """Every row has a text in the column `name`."""
    empty = table.polars.filter(pl.col(name).str.len_chars() == 0).height
    checks.that(empty == 0, f"{empty} rows without {name}")


SINGLE = {
    "predictions": check_predictions,
    "group_means": check_group_means,
    "suspects": check_suspects,
    "laws": check_laws,
    "dispersion": check_dispersion,
    "phrases": check_phrases,
    "tokens": check_tokens,
    "topics": check_topics,
    "document_topics": check_document_topics,
    "documents": check_documents,
    "vocabulary": check_vocabulary,
    "terms": check_terms,
    "collocations": check_collocations,
    "keyness": check_keyness,
    "duplicates": check_duplicates,
    "embeddings": check_embeddings,
    "clips": check_clips,
    "frames": check_frames,
    "spectrograms": check_spectrograms,
    "pairs": check_pairs,
    "correlations": check_correlations,
    "spaces": check_spaces,
    "warnings": check_reasons,
    "quarantine": check_reasons,
}


# --- the run ----------------------------------------------------------------------------------------------------------


def expected_tables(job):
    """The tables of the stages that the job has; all that lie there are checked in any case."""
    names = {"warnings", "quarantine"}
    for section, filled in SECTIONS.items():
        if job.get(section) is not None:
            names.update(filled)
    if job.get("manifest") is not None:
        names.update(("documents", "clips"))
    if (job.get("features") or {}).get("frames"):
        names.add("frames")
    if (job.get("spectrogram") or {}).get("store", "none") != "none":
        names.add("spectrograms")
    return names


def file_entries(summary):
    """{relative path: entry} of run.json's files, be they a table or a list of entries with a path."""
    files = summary.get("files") or {}
    if isinstance(files, dict):
        return files
    return {entry.get("path") or entry.get("file") or entry.get("name"): entry for entry in files}


def parquet_rows(path):
    """The number of rows of a Parquet file; None where it is not one."""
    try:
        return pq.read_metadata(path).num_rows
    except pa.ArrowException:
        return None


def check_summary(run, summary, seen, checks):
    """run.json: every file with its bytes, rows and hash; the stages; one job, version and settings hash in all tables."""
    entries = file_entries(summary)
    found = {p.relative_to(run).as_posix() for p in run.rglob("*") if p.is_file() and p.name != "run.json"}
    checks.that(found == set(entries), f"files not listed: {sorted(found - set(entries))}; listed, not there: {sorted(set(entries) - found)}")
    for name in sorted(found & set(entries)):
        entry, data = entries[name], (run / name).read_bytes()
        checks.that(entry.get("bytes") == len(data), f"{name}: {entry.get('bytes')} bytes in run.json, has {len(data)}")
        digest = blake3.blake3(data).hexdigest()
        checks.that(entry.get("blake3") == digest, f"{name}: blake3 in run.json {entry.get('blake3')}, has {digest}")
        if name.endswith(".parquet"):
            rows = parquet_rows(run / name)
            checks.that(entry.get("rows") == rows, f"{name}: {entry.get('rows')} rows in run.json, has {rows}")
    stages = summary.get("stages")
    well_formed = isinstance(stages, list) and all({"name", "seconds", "items"} <= set(s) for s in stages)
    checks.that(well_formed, "stages is not a list of {name, seconds, items}")
    unknown = {s["name"] for s in stages} - STAGES if well_formed else set()
    checks.that(not unknown, f"unknown stages: {sorted(unknown)}")
    for key, values in seen.items():
        checks.that(len(values) == 1, f"metadata: {key} is not one value over the run: {sorted(map(str, values))}")
    version = summary.get("wordwave")
    checks.that(version is None or seen.get("wordwave") in (None, {str(version)}), f"run.json has wordwave {version}, the tables {seen.get('wordwave')}")
    checks.line(f"run.json  {len(entries)} files")


def check_table(run, name, tables, job, seen, checks):
    table = tables[name]
    check_form(table, checks)
    check_finite(table, checks)
    check_metadata(table, checks, seen)
    try:
        if name == "clips":
            check_clips(table, tables, checks, set((job.get("features") or {}).get("sets") or ()))
        else:
            SINGLE.get(name, lambda *_: None)(table, tables, checks)
    except (pl.exceptions.PolarsError, duckdb.Error, KeyError) as error:
        checks.that(False, f"the checks of {name} ended early: {type(error).__name__}: {error}")
    parts = f", {len(table.files)} parts" if name in FOLDERS else ""
    checks.line(f"{name:13} {table.arrow.num_rows} rows, {len(table.arrow.column_names)} columns{parts}")


def main():
    if len(sys.argv) != 2:
        sys.exit("usage: check.py RUN")
    run = Path(sys.argv[1])
    if not (run / "run.json").is_file():
        sys.exit(f"{run} has no run.json: not a run folder")
    summary = json.loads((run / "run.json").read_text(encoding="utf-8"))
    job = summary.get("job") if isinstance(summary.get("job"), dict) else {}
    checks, tables, seen = Checks(), {}, {}
    expected = expected_tables(job)
    for name in CONTRACT:
        there = (run / name).is_dir() if name in FOLDERS else (run / f"{name}.parquet").is_file()
        if not there and name not in expected:
            continue
        try:
            tables[name] = Table(run, name)
        except Exception as error:  # whatever a reader says is the finding
            checks.that(False, f"cannot be read: {type(error).__name__}: {error}")
            checks.line(name)
    for name in tables:
        check_table(run, name, tables, job, seen, checks)
    strangers = sorted(p.name for p in run.glob("*.parquet") if p.stem not in CONTRACT)
    checks.that(not strangers, f"tables that the contract does not have: {strangers}")
    check_summary(run, summary, seen, checks)
    print(f"{checks.passed} passed, {checks.failed} failed")
    sys.exit(1 if checks.failed else 0)


if __name__ == "__main__":
    main()
