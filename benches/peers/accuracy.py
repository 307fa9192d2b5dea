"""How well word vectors of wordwave and of gensim agree with people: Spearman x 100 on sets of word pairs, analogies in per cent.

Usage: accuracy.py [books|speeches] [1|5] [skipgram|cbow|subwords] [SEED,SEED...]      default: books 5 skipgram 1,2,3
Needs what benches/peers/run.sh needs, WORDWAVE_BIN, and the data beside the project (SHARED_DATA). gensim trains with one worker: with more and a
corpus_file each of them lets its learning rate fall only by its own share of the corpus, to half of it with two.
"""

import csv
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
from gensim.models import FastText, Word2Vec
from scipy.stats import spearmanr

PROJECT = Path(__file__).resolve().parents[2]
SHARED = Path(os.environ.get("SHARED_DATA", PROJECT.parent / "shared" / "data"))
SETS = ["wordsim353-sim", "wordsim353-rel", "men", "simlex999", "rg-65", "mturk-771"]
ALPHA = {"skipgram": 0.025, "cbow": 0.05, "subwords": 0.05}
# Analogies are looked for among the most frequent words.
FREQUENT = 30_000


def score(words, vectors):
    vectors = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)
    place = {word: i for i, word in enumerate(words)}
    scores = {}
    for name in SETS:
        people, ours = [], []
        for row in list(csv.reader((SHARED / "wordsets" / f"{name}.csv").open()))[1:]:
            if len(row) >= 4 and row[3]:
                a, b = (re.sub("-[nvja]$", "", word.lower()) for word in row[1:3])
                if a in place and b in place:
                    people.append(float(row[3]))
                    ours.append(float(vectors[place[a]] @ vectors[place[b]]))
        scores[name] = 100 * spearmanr(people, ours)[0] if len(people) > 5 else float("nan")
    frequent = vectors[:FREQUENT]
    lines = (line.lower().split() for line in (SHARED / "wordsets/questions-words.txt").open() if line[0] != ":")
    questions = [[place.get(word) for word in line] for line in lines]
    questions = np.array([q for q in questions if None not in q and max(q) < len(frequent)])
    right = 0
    for part in np.array_split(questions, max(1, len(questions) // 500)):
        near = (vectors[part[:, 1]] - vectors[part[:, 0]] + vectors[part[:, 2]]) @ frequent.T
        np.put_along_axis(near, part[:, :3], -9, axis=1)
        right += (near.argmax(1) == part[:, 3]).sum()
    return scores | {"analogies": 100 * right / len(questions)}


def text_of(corpus, folder):
    """Lower-case words in lines of a thousand; the books together, up to 100 MB, each speech by itself."""
    names = {"books": ["books/*.md"], "speeches": ["inaugural/*.txt", "state_union/*.txt"]}[corpus]
    texts = [re.sub("[^a-z]+", " ", path.read_text(errors="replace").lower()).split() for name in names for path in sorted(SHARED.glob(name))]
    if corpus == "books":
        texts = [" ".join(word for text in texts for word in text)[:100_000_000].split()]
    path = folder / "words.txt"
    path.write_text("".join(" ".join(text[i : i + 1000]) + "\n" for text in texts for i in range(0, len(text), 1000)))
    return path


def ours(text, epochs, kind, seed, folder):
    model, subwords = ("cbow", [0, 0]) if kind == "cbow" else ("skipgram", [3, 6] if kind == "subwords" else [0, 0])
    job = folder / "job.toml"
    job.write_text(
        f'[job]\nname = "accuracy"\noutput = "{folder}/out"\nkeep = 1\nseed = {seed}\n[documents]\ninclude = ["{text}"]\nsplit = "line"\n'
        f'statistics = false\n[tokens]\n[embeddings]\nmodel = "{model}"\nsubwords = {subwords}\nepochs = {epochs}\nsample = 1e-4\n'
        f"alpha = {ALPHA[kind]}\n"
    )
    subprocess.run([os.environ["WORDWAVE_BIN"], "run", str(job), "--threads", "2", "--quiet"], check=True, stdout=subprocess.DEVNULL)
    table = pq.read_table(folder / "out/accuracy/latest/embeddings.parquet")
    return table["term"].to_pylist(), np.array(table["vector"].to_pylist(), dtype=np.float32)


def gensims(text, epochs, kind, seed, _):
    settings = dict(vector_size=100, window=5, negative=5, sample=1e-4, min_count=5, alpha=ALPHA[kind], min_alpha=ALPHA[kind] * 1e-4)
    settings |= dict(workers=1, seed=seed, epochs=epochs, corpus_file=str(text))
    model = FastText(sg=1, min_n=3, max_n=6, **settings) if kind == "subwords" else Word2Vec(sg=int(kind == "skipgram"), **settings)
    return model.wv.index_to_key, model.wv.vectors


def main():
    corpus, epochs, kind, seeds = (sys.argv[1:] + ["books", "5", "skipgram", "1,2,3"][len(sys.argv) - 1 :])[:4]
    folder = Path(tempfile.mkdtemp(prefix="wordwave-accuracy-"))
    text = text_of(corpus, folder)
    print("tool", *SETS, "analogies", sep="\t")
    for name, train in [("wordwave", ours), ("gensim", gensims)]:
        scores = [score(*train(text, int(epochs), kind, int(seed), folder)) for seed in seeds.split(",")]
        columns = zip(*(row.values() for row in scores))
        print(name, *(f"{statistics.mean(c):.1f}±{statistics.pstdev(c):.1f}" for c in columns), sep="\t", flush=True)
    shutil.rmtree(folder)


if __name__ == "__main__":
    main()
