"""Word vectors of 100 MB of words, beside gensim, fastText and word2vec.c: one epoch, two threads each."""
import os, statistics, subprocess

SETTINGS = dict(window=5, negative=5, sample=1e-4, min_count=5, alpha=0.05, min_alpha=5e-6, workers=2, seed=1)


def compare_vectors(job, timed, words, work, runs):
    """Lines `vectors-MODEL` compare the training alone, `-with-reading` reading, counting and training. fastText and word2vec.c do both in
    one, and word2vec.c writes its vectors as we do."""
    from gensim.models import FastText, Word2Vec

    text = work / "words.txt"
    text.write_text("\n".join(" ".join(words[i : i + 1000]) for i in range(0, len(words), 1000)) + "\n")

    def ours(model, dims, subwords):
        toml = (
            f'[documents]\ninclude = ["{text}"]\nsplit = "line"\nstatistics = false\n[tokens]\n[embeddings]\nmodel = "{model}"\n'
            f"dims = {dims}\nsample = 1e-4\nalpha = 0.05\nepochs = 1\n" + ("subwords = [3, 6]\n" if subwords else "")
        )

        def run():
            seconds, stages = job(toml, 2)
            return stages["embeddings"], seconds

        return run

    def gensim(trained):
        counted = timed(lambda: trained.build_vocab(corpus_file=str(text)))
        sizes = dict(total_words=trained.corpus_total_words, total_examples=trained.corpus_count)
        seconds = timed(lambda: trained.train(corpus_file=str(text), epochs=1, **sizes))
        return seconds, counted + seconds

    whole = lambda call: lambda: (None, timed(call))
    cases = [
        ("skipgram", 1, 100, lambda: gensim(Word2Vec(sg=1, vector_size=100, **SETTINGS))),
        ("cbow", 0, 100, lambda: gensim(Word2Vec(sg=0, vector_size=100, **SETTINGS))),
        ("skipgram-300", 1, 300, lambda: gensim(Word2Vec(sg=1, vector_size=300, **SETTINGS))),
        ("subwords", 1, 100, lambda: gensim(FastText(sg=1, vector_size=100, min_n=3, max_n=6, **SETTINGS))),
        ("skipgram-word2vec.c", 1, 100, whole(lambda: word2vec(text, work, "0"))),
        ("cbow-word2vec.c", 0, 100, whole(lambda: word2vec(text, work, "1"))),
        ("skipgram-fasttext", 1, 100, whole(lambda: fasttext(text, "skipgram", 0))),
        ("cbow-fasttext", 0, 100, whole(lambda: fasttext(text, "cbow", 0))),
        ("subwords-fasttext", 1, 100, whole(lambda: fasttext(text, "skipgram", 6))),
    ]
    for name, sg, dims, peer in cases:
        if "word2vec.c" in name and not os.environ.get("WORD2VEC"):
            continue
        mine = ours("skipgram" if sg else "cbow", dims, "subwords" in name)
        mine()
        pairs = [(mine(), peer()) for _ in range(runs)]
        for part, case in enumerate(["", "-with-reading"]):
            sides = [[pair[side][part] for pair in pairs] for side in (0, 1)]
            if None not in sides[1]:
                ms, peer_ms = (statistics.median(side) * 1e3 for side in sides)
                print(f"vectors-{name}{case} {ms:.1f} {peer_ms:.1f} {peer_ms / ms:.2f}", flush=True)


def word2vec(text, work, cbow):
    arguments = "-size 100 -window 5 -negative 5 -sample 1e-4 -min-count 5 -alpha 0.05 -iter 1 -threads 2 -binary 1 -debug 0".split()
    command = [os.environ["WORD2VEC"], "-train", text, "-output", work / "word2vec.bin", "-cbow", cbow, *arguments]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def fasttext(text, model, longest):
    import fasttext

    ngrams = dict(minn=3 if longest else 0, maxn=longest)
    fasttext.train_unsupervised(str(text), model, lr=0.05, dim=100, ws=5, epoch=1, minCount=5, neg=5, t=1e-4, thread=2, verbose=0, **ngrams)
