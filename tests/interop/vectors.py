#!/usr/bin/env python3
"""Loads the word vectors that a run wrote for other programs, and holds them against its table.

    vectors.py RUN WORD < the output of `wordwave neighbours RUN WORD --json`

Exit status 77 where gensim, safetensors or pyarrow is not installed; 1 with a traceback where anything differs.
"""

import json
import sys
import tempfile
from pathlib import Path

try:
    import numpy as np
    import pyarrow.parquet as pq
    from gensim.models import KeyedVectors
    from safetensors.numpy import load_file
except ImportError as missing:
    print(missing)
    sys.exit(77)

run, word = Path(sys.argv[1]), sys.argv[2]
ours = json.load(sys.stdin)[0]["neighbours"]
table = pq.read_table(run / "embeddings.parquet")
terms = table["term"].to_pylist()
vectors = np.array(table["vector"].to_pylist(), dtype=np.float32)

words = (run / "embeddings.words.txt").read_text().splitlines()
assert words == terms
assert np.array_equal(np.load(run / "embeddings.npy"), vectors)
tensors = load_file(run / "embeddings.safetensors")
assert np.array_equal(tensors["vectors"], vectors)
ngrams = pq.read_table(run / "subwords.parquet")
assert np.array_equal(tensors["ngrams"], np.array(ngrams["vector"].to_pylist(), dtype=np.float32))
assert tensors["buckets"].tolist() == ngrams["bucket"].to_pylist()

for name, binary in [("embeddings.txt", False), ("embeddings.bin", True), ("embeddings.vec", False)]:
    loaded = KeyedVectors.load_word2vec_format(str(run / name), binary=binary)
    assert loaded.index_to_key == terms, name
    assert np.array_equal(loaded.vectors, vectors), name
    theirs = loaded.most_similar(word, topn=len(ours))
    assert [term for term, _ in theirs] == [row["term"] for row in ours], (name, theirs, ours)
    assert np.allclose([cosine for _, cosine in theirs], [row["cosine"] for row in ours], atol=1e-5), name
print(f"{len(terms)} words in five files are those of the table; gensim finds the same {len(ours)} neighbours")

# fastText takes vectors of others where a classifier starts from them; it does not move them at a learning rate of 0.
try:
    import fasttext
except ImportError:
    sys.exit(0)
with tempfile.TemporaryDirectory() as folder:
    lines = Path(folder, "lines.txt")
    lines.write_text("__label__a " + " ".join(terms) + "\n")
    model = fasttext.train_supervised(
        str(lines), pretrainedVectors=str(run / "embeddings.vec"), dim=vectors.shape[1], lr=0.0, epoch=1, thread=1, minn=0, maxn=0, verbose=0
    )
    for term, vector in zip(terms, vectors):
        assert np.allclose(model.get_word_vector(term), vector, atol=1e-6), term
