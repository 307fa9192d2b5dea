#!/usr/bin/env python3
"""Writes vectors/ beside this file: small files of word vectors as gensim and fastText write them, and what these say of them.

    python3 -m venv /tmp/vectors && /tmp/vectors/bin/pip install gensim==4.4.0 fasttext-wheel==0.9.2 numpy==2.4.6
    /tmp/vectors/bin/python make_vectors.py

Trained on the sample corpus in one thread. vectors.json has for each model the vectors of some words, in its vocabulary and not, the
five nearest words of one, of gensim's words an analogy (its `most_similar`) and the Huffman codes of gensim's hierarchical softmax.
"""

import json
import re
from importlib.metadata import version
from pathlib import Path

import fasttext
import numpy as np
from gensim.models import KeyedVectors, Word2Vec

HERE = Path(__file__).resolve().parent
OUT = HERE / "vectors"
TEXTS = sorted((HERE.parents[1] / "corpora" / "sample" / "text").rglob("*.txt"))
UNSEEN = ["birdsong", "naïvely", "東京都", "x"]


def numbers(vector):
    return [float(np.float32(x)) for x in vector]


def main():
    assert version("gensim") == "4.4.0" and version("fasttext-wheel") == "0.9.2"
    OUT.mkdir(exist_ok=True)
    sentences = [re.findall(r"\w+", line.lower()) for path in TEXTS for line in path.read_text().splitlines()]
    sentences = [s for s in sentences if s] + [["naïve", "東京", "straße"]] * 3
    text = OUT / "corpus.tmp"
    text.write_text("\n".join(" ".join(s) for s in sentences) + "\n")
    golden = {"gensim": version("gensim"), "fasttext-wheel": version("fasttext-wheel"), "models": {}}
    for name, settings in {
        "subwords": {"model": "skipgram", "minn": 3, "maxn": 5, "bucket": 60},
        "words": {"model": "cbow", "minn": 0, "maxn": 0},
        "softmax": {"model": "skipgram", "minn": 2, "maxn": 3, "bucket": 17, "loss": "hs"},
    }.items():
        model = fasttext.train_unsupervised(str(text), dim=5, minCount=3, epoch=3, thread=1, lr=0.1, **settings)
        path = OUT / f"fasttext-{name}.bin"
        model.save_model(str(path))
        words = model.words[:4] + ["naïve", "東京", "straße", "</s>"]
        golden["models"][name] = {
            "file": path.name,
            "words": model.words,
            "vectors": {word: numbers(model.get_word_vector(word)) for word in words + UNSEEN},
            # gensim's own would differ: it gives n-grams to </s>, and makes NaN of a model without any.
            "nearest": {"of": model.words[5], "are": [[w, c] for c, w in model.get_nearest_neighbors(model.words[5], k=5)]},
        }
        print(name, len(model.words), path.stat().st_size)
    model = Word2Vec(sentences, vector_size=6, min_count=4, workers=1, seed=1, epochs=20, hs=1, negative=0)
    words = model.wv
    words.save_word2vec_format(str(OUT / "gensim.txt"))
    words.save_word2vec_format(str(OUT / "gensim.bin"), binary=True)
    lines = (OUT / "gensim.txt").read_text().splitlines()[1:]
    (OUT / "glove.txt").write_text("\n".join(lines) + "\n")
    a, b, c = words.index_to_key[2:5]
    codes = {
        word: {"code": words.get_vecattr(word, "code").tolist(), "count": int(words.get_vecattr(word, "count"))}
        for word in words.index_to_key
    }
    golden["gensim_words"] = {
        "words": words.index_to_key,
        "vectors": {word: numbers(words[word]) for word in words.index_to_key[:6]},
        "nearest": {"of": words.index_to_key[3], "are": words.most_similar(words.index_to_key[3], topn=5)},
        "analogy": {"of": [a, b, c], "are": words.most_similar(positive=[b, c], negative=[a], topn=5)},
        "code_lengths": [[codes[w]["count"], len(codes[w]["code"])] for w in words.index_to_key],
    }
    assert np.allclose(KeyedVectors.load_word2vec_format(str(OUT / "gensim.bin"), binary=True).vectors, words.vectors)
    text.unlink()
    (OUT / "vectors.json").write_text(json.dumps(golden, ensure_ascii=False, indent=1, default=float) + "\n")


if __name__ == "__main__":
    main()
