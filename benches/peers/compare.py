"""Both sides of each comparison in one process, alternating, median of several runs.

Ours is the whole program: start, reading, the stage, Parquet and run.json (for vectors the training stage alone, as for gensim).
Theirs is the library call with reading, without Python's start and imports. For sound both are calls in one process, and the whole
program is beside it.
CLOCK=cpu counts processor time on both sides, which other programs on the machine disturb less; right for one thread.
"""
import json, os, re, resource, shutil, statistics, subprocess, sys, tempfile, time
from pathlib import Path

from reading import compare_reading
from vectors import compare_vectors

BIN = os.environ["WORDWAVE_BIN"]
PROJECT = Path(__file__).resolve().parents[2]
SHARED = Path(os.environ.get("SHARED_DATA", PROJECT.parent / "shared" / "data"))
RUNS = int(os.environ.get("RUNS", "3"))
LEAST_SECONDS = 30
CPU = os.environ.get("CLOCK") == "cpu"
WORK = Path(tempfile.mkdtemp(prefix="wordwave-peers-"))


def job(text, threads):
    """Runs a job; seconds of the whole process and of each stage."""
    path = WORK / "job.toml"
    path.write_text(f'[job]\nname = "peer"\noutput = "{WORK}/out"\nkeep = 1\n' + text)
    # A first night: what an earlier run computed would be found.
    shutil.rmtree(WORK / "out", ignore_errors=True)
    start, used = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([BIN, "run", str(path), "--threads", str(threads), "--quiet"], check=True, stdout=subprocess.DEVNULL)
    seconds, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    if CPU:
        seconds = after.ru_utime + after.ru_stime - used.ru_utime - used.ru_stime
    record = json.loads((WORK / "out/peer/latest/run.json").read_text())
    return seconds, {stage["name"]: stage["seconds"] for stage in record["stages"]}


def timed(call):
    clock = time.process_time if CPU else time.perf_counter
    start = clock()
    call()
    return clock() - start


def compare(name, ours, theirs, runs=RUNS):
    """One warm-up each, then both in turn, `runs` times and on until half a minute is over: few short rounds say little."""
    ours(), theirs()
    start, times = time.perf_counter(), []
    while len(times) < runs or time.perf_counter() - start < LEAST_SECONDS:
        times.append((ours(), theirs()))
    mine, peer = (statistics.median(side) * 1e3 for side in zip(*times))
    print(f"{name} {mine:.1f} {peer:.1f} {peer / mine:.2f}", flush=True)


def words_of(megabytes):
    """Lower-case words of real books, or of the sample texts again and again."""
    books = sorted((SHARED / "books").glob("*.md")) or sorted((PROJECT / "corpora/sample/text").rglob("*.txt"))
    words, size = [], 0
    while size < megabytes * 1_000_000:
        for book in books:
            found = re.sub(r"[^a-z]+", " ", book.read_text(errors="replace").lower()).split()
            words += found
            size += sum(map(len, found)) + len(found)
            if size >= megabytes * 1_000_000:
                break
    return words


# The counts as they are, which is what CountVectorizer gives.
COUNT = 'weight = "count"\nnorm = "none"'


def write_terms(matrix):
    """The table of terms, as a script writes it from a vectoriser's matrix."""
    import pyarrow, pyarrow.parquet

    cells = matrix.tocoo()
    names = pyarrow.array([f"document-{row}" for row in range(matrix.shape[0])])
    columns = {
        "doc_id": pyarrow.DictionaryArray.from_arrays(pyarrow.array(cells.row), names),
        "term_id": cells.col.astype("uint32"),
        "count": cells.data.astype("uint32"),
        "weight": cells.data.astype("float32"),
    }
    pyarrow.parquet.write_table(pyarrow.table(columns), WORK / "terms.parquet", compression="zstd")


def compare_words():
    """Read, tokenise, count, weigh, write Parquet on 2 threads, beside the vectoriser alone with reading, and beside one whose counts are
    written, too. `format = "text"`: the peers know no markup."""
    from sklearn.feature_extraction.text import CountVectorizer, HashingVectorizer, TfidfVectorizer

    words = words_of(20)
    lines = WORK / "lines.txt"
    lines.write_text("\n".join(" ".join(words[i : i + 100]) for i in range(0, len(words), 100)) + "\n")
    folders = {"lines": (lines, "line", lambda: lines.read_text().splitlines())}
    for name, pattern in (("books", "books/*.md"), ("udhr2", "udhr2/*.txt")):
        paths = sorted(SHARED.glob(pattern))
        if paths:
            read = lambda paths=paths: [path.read_text(errors="replace") for path in paths]
            folders[name] = (SHARED / pattern, "file", read)
    for name, bag, peers in (
        ("lines", COUNT, CountVectorizer),
        ("lines", 'weight = "tfidf"', TfidfVectorizer),
        ("lines", 'weight = "count"\ncolumns = 1048576', HashingVectorizer),
        ("lines", COUNT + '\nngrams = [1, 2]', lambda: CountVectorizer(ngram_range=(1, 2))),
        ("books", COUNT, CountVectorizer),
        ("books", 'weight = "tfidf"', TfidfVectorizer),
        ("udhr2", 'weight = "tfidf"', TfidfVectorizer),
    ):
        if name not in folders:
            continue
        include, split, read = folders[name]
        label = bag.replace("\n", ",").replace(" = ", "=").replace('"', "").replace(" ", "")
        peer = lambda: timed(lambda: peers().fit_transform(read()))
        # The peer's work alone, and as a job does it that also measures each document.
        for statistics in ("false", "true") if bag == COUNT else ("false",):
            documents = f'[documents]\ninclude = ["{include}"]\nformat = "text"\nsplit = "{split}"\nstatistics = {statistics}\n'
            text = f'{documents}[tokens]\nkind = "pattern"\n[bag_of_words]\n{bag}\n'
            ours = lambda: job(text, 2)[0]
            compare(f"words-{name}-{label}" + ("" if statistics == "false" else ",statistics"), ours, peer)
            if bag == COUNT and statistics == "false":
                written = lambda: timed(lambda: write_terms(peers().fit_transform(read())))
                compare(f"words-{name}-{label},peer-writes", ours, written)
    compare_tokenizer(lines)


def compare_tokenizer(lines):
    """A BPE of 8,000 pieces: training and encoding, the stage of ours beside the library's calls."""
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers

    texts = lines.read_text().splitlines()
    trained = Tokenizer(models.BPE())
    trained.pre_tokenizer = pre_tokenizers.ByteLevel()
    trained.train_from_iterator(texts, trainers.BpeTrainer(vocab_size=8000, show_progress=False))
    saved = WORK / "tokenizer.json"
    trained.save(str(saved))
    text = f'[documents]\ninclude = ["{lines}"]\nsplit = "line"\nstatistics = false\n[tokens]\nkind = "model"\nmodel = {{ path = "{saved}" }}\n'
    compare("words-encode-bpe", lambda: job(text, 2)[0], lambda: timed(lambda: trained.encode_batch(lines.read_text().splitlines())))


def recordings():
    """Some 20 minutes of real speech as WAV, or the sample recordings."""
    folder = WORK / "wav"
    folder.mkdir()
    found = sorted((SHARED / "librispeech").rglob("*.flac"))[:160]
    if found and shutil.which("flac"):
        for path in found:
            subprocess.run(["flac", "-s", "-d", "-o", str(folder / f"{path.stem}.wav"), str(path)], check=True)
    else:
        for path in sorted((PROJECT / "corpora/sample/audio").rglob("*.wav")):
            shutil.copy(path, folder)
    return folder


def compare_sound():
    """One thread each; both sides read each file and describe it in one process that is planned and warm. Where the peer is the length of the
    recordings, the ratio is times real time."""
    import kaldi_native_fbank as knf
    import librosa, numpy as np, soundfile as sf

    folder = recordings()
    paths = sorted(folder.glob("*.wav"))
    stft = dict(n_fft=512, win_length=400, hop_length=160)
    pitch = dict(fmin=65, fmax=500, sr=16000, frame_length=1024, hop_length=160)

    def mel(y, sr):
        return librosa.power_to_db(librosa.feature.melspectrogram(y=y, sr=sr, n_mels=80, **stft))

    def spectral(y, sr):
        S = np.abs(librosa.stft(y, **stft))
        librosa.feature.spectral_centroid(S=S, sr=sr), librosa.feature.spectral_bandwidth(S=S, sr=sr)
        librosa.feature.spectral_rolloff(S=S, sr=sr), librosa.feature.spectral_flatness(S=S)
        librosa.feature.rms(y=y, frame_length=512, hop_length=160)
        librosa.feature.zero_crossing_rate(y, frame_length=512, hop_length=160)

    def fbank(y, sr):
        options = knf.FbankOptions()
        options.frame_opts.dither, options.frame_opts.samp_freq, options.mel_opts.num_bins = 0.0, sr, 80
        bank = knf.OnlineFbank(options)
        bank.accept_waveform(sr, y * 32768)
        bank.input_finished()
        np.array([bank.get_frame(i) for i in range(bank.num_frames_ready)])

    seconds = sum(sf.info(path).duration for path in paths)
    real_time = lambda: seconds

    def peer(features):
        def run():
            for path in paths:
                y, sr = sf.read(path, dtype="float32")
                features(y, sr)

        return lambda: timed(run)

    def ours(sets, method="yin"):
        pitch = f'{{ min_hz = 65.0, max_hz = 500.0, frame_len = 1024, method = "{method}" }}'
        text = f'[clips]\ninclude = ["{folder}/*.wav"]\n[spectrogram]\n[features]\nsets = {sets}\npitch = {pitch}\n'
        return lambda: job(text, 1)[0]

    default = ["mel", "mfcc", "spectral", "pitch", "loudness", "voice", "quality"]
    mfcc = lambda y, sr: librosa.feature.mfcc(S=mel(y, sr), n_mfcc=13)
    compare("sound-read", sound_bench(folder, "read"), peer(lambda y, sr: None))
    features = {"mel": mel, "mfcc": mfcc, "spectral": spectral, "fbank": fbank, "pitch": lambda y, sr: librosa.yin(y, **pitch)}
    for case, theirs in features.items():
        compare(f"sound-{case}", sound_bench(folder, f"files:{case}"), peer(theirs))
    compare("sound-pyin", sound_bench(folder, "files:pyin"), peer(lambda y, sr: librosa.pyin(y, **pitch)), runs=1)
    for case in (*features, "pyin", "default"):
        compare(f"sound-{case}-x-real-time", sound_bench(folder, f"files:{case}"), real_time)
    # The whole program: start, hashes, tables, page, run.json.
    for name, sets, method in [("mel", ["mel"], "yin"), ("yin", ["pitch"], "yin"), ("default", default, "yin")]:
        compare(f"sound-{name}-job-x-real-time", ours(sets, method=method), real_time)
    compare("sound-transforms-alone-x-real-time", sound_bench(folder, "transforms"), real_time)
    compare_reading(compare, timed, sorted(folder.glob("*.wav")), WORK)


def sound_bench(folder, case):
    """A case of benches/sound: milliseconds inside of one process, planned before the clock starts."""
    bench = subprocess.Popen([os.environ["WORDWAVE_SOUND_BENCH"], folder, "serve"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def run():
        bench.stdin.write(case + "\n")
        bench.stdin.flush()
        return float(bench.stdout.readline()) / 1e3

    return run


def compare_convolution():
    """One thread each; the filter is planned, the input made and the output has room before the clock starts, on both sides."""
    import cv2, numpy as np
    from scipy import ndimage, signal

    cv2.setNumThreads(1)
    bench = subprocess.Popen([os.environ["WORDWAVE_BENCH"], "serve"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ours(case):
        bench.stdin.write(case + "\n")
        bench.stdin.flush()
        return float(bench.stdout.readline()) / 1e3

    draw = np.random.default_rng(1)
    image = draw.random((1080, 1920), dtype=np.float32) - 0.5
    sound = draw.random(9_600_000, dtype=np.float32) - 0.5
    out, mirror, cases = np.empty_like(image), cv2.BORDER_REFLECT_101, {}
    for side in (3, 5, 7, 11, 15, 31):
        taps = draw.random((side, side), dtype=np.float32) - 0.5
        cases[f"2d-{side}x{side}-f32"] = [lambda taps=taps: cv2.filter2D(image, -1, taps, dst=out, borderType=mirror)]
    gauss = cv2.getGaussianKernel(17, 2, cv2.CV_32F)
    cases["2d-gaussian-2-f32"] = [lambda: cv2.sepFilter2D(image, -1, gauss, gauss, dst=out, borderType=mirror)]
    cases["2d-box-15-f32"] = [lambda: cv2.blur(image, (15, 15), dst=out, borderType=mirror)]
    cases["2d-median-5-f32"] = [lambda: cv2.medianBlur(image, 5, dst=out)]
    cases["2d-sobel-f32"] = [lambda: cv2.Sobel(image, cv2.CV_32F, 1, 0, dst=out, ksize=3, borderType=mirror)]
    for n in (16, 101, 1025, 16001, 160000):
        taps = draw.random(n, dtype=np.float32) - 0.5
        ways = [lambda taps=taps: signal.oaconvolve(sound, taps, "same"), lambda taps=taps: signal.fftconvolve(sound, taps, "same")]
        if n <= 101:
            ways += [
                lambda taps=taps: np.convolve(sound, taps, "same"),
                lambda taps=taps: ndimage.convolve1d(sound, taps, mode="constant"),
                lambda taps=taps: signal.lfilter(taps, [1.0], sound),
            ]
        cases[f"1d-{n}-f32"] = ways
    for name, ways in cases.items():
        # The peer's best way, found beforehand.
        best = min(ways, key=lambda way: min(timed(way) for _ in range(2)))
        ours(name), timed(best)
        times = [(ours(name), timed(best)) for _ in range(max(RUNS, 25 if name.startswith("2d") else 7))]
        mine, peer = (statistics.median(side) * 1e3 for side in zip(*times))
        print(f"{name} {mine:.3f} {peer:.3f} {peer / mine:.2f}", flush=True)
    bench.stdin.close()


if __name__ == "__main__":
    vectors = lambda: compare_vectors(job, timed, words_of(100), WORK, RUNS)
    known = {"words": compare_words, "sound": compare_sound, "vectors": vectors, "convolution": compare_convolution}
    asked = sys.argv[1:] or list(known)
    for name in asked:
        if name not in known:
            sys.exit(f"{name}: write one of {', '.join(known)}")
    try:
        print("name ours_ms peer_ms ratio", flush=True)
        for name in asked:
            known[name]()
    finally:
        shutil.rmtree(WORK, ignore_errors=True)
