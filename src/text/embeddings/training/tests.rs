//! Every kind of training, on small corpora.

use proptest::prelude::*;

use super::super::{CharacterNgrams, KeyedVectors, Model, TokenFile, Tokens, cosine, nearest};
use super::*;

/// A corpus; `words` are the words as they were before they were numbered.
struct Text {
    words: Vec<u32>,
    tokens: Vec<u32>,
    ends: Vec<usize>,
    counts: Vec<u64>,
}

impl Text {
    /// Numbers the words of `documents` by falling count.
    fn new(documents: &[Vec<u32>]) -> Self {
        let mut counts = std::collections::BTreeMap::new();
        for &word in documents.iter().flatten() {
            *counts.entry(word).or_insert(0_u64) += 1;
        }
        let mut words: Vec<_> = counts.into_iter().collect();
        words.sort_by_key(|&(word, count)| (std::cmp::Reverse(count), word));
        let id = |word: &u32| words.iter().position(|(other, _)| other == word).unwrap() as u32;
        let mut ends = Vec::new();
        let mut tokens = Vec::new();
        for document in documents {
            tokens.extend(document.iter().map(id));
            ends.push(tokens.len());
        }
        let (words, counts) = words.into_iter().unzip();
        Self { words, tokens, ends, counts }
    }

    fn train(&self, settings: &EmbeddingSettings) -> Result<Embeddings, EmbeddingError> {
        Ok(self.trained(settings)?.embeddings)
    }

    fn trained(&self, settings: &EmbeddingSettings) -> Result<Trained, EmbeddingError> {
        let subwords = self.subwords(settings);
        let prior = Prior { subwords: subwords.as_ref(), start: None };
        train(&self.corpus(), prior, settings, None, &mut |_, _| (), &AtomicBool::new(false))
    }

    /// The rows of the words under the names that they have as numbers.
    fn subwords(&self, settings: &EmbeddingSettings) -> Option<Subwords> {
        let words = self.counts.partition_point(|&count| count >= settings.min_count.max(1));
        let names: Vec<String> = self.words[..words].iter().map(|word| name(*word)).collect();
        Some(Subwords::new(settings.ngrams()?, names.iter().map(String::as_str)))
    }

    fn corpus(&self) -> Corpus<'_> {
        Corpus { tokens: Tokens::Held(&self.tokens), document_ends: &self.ends, counts: &self.counts }
    }
}

/// Words of a topic have an ending in common.
fn name(word: u32) -> String {
    format!("{word}{}", ["ing", "eth"][word as usize % 2])
}

/// Settings of every kind of training.
fn kinds() -> Vec<EmbeddingSettings> {
    let plain =
        EmbeddingSettings { dims: 12, epochs: 2, sample: 0.0, min_count: 1, ..EmbeddingSettings::default() };
    let mut kinds = Vec::new();
    for model in [Model::SkipGram, Model::Cbow] {
        for softmax in [Softmax::Negative, Softmax::Hierarchical] {
            for subwords in [[0, 0], [2, 4]] {
                for documents in [false, true] {
                    kinds.push(EmbeddingSettings { model, softmax, subwords, documents, ..plain.clone() });
                }
            }
        }
    }
    kinds
}

/// Documents that turn about draw on the even and on the odd of `words` words.
fn two_topics(documents: u64, len: usize, words: u32) -> Text {
    let document = |item| {
        let mut stream = Stream::new(9, "topics", item);
        (0..len).map(|_| 2 * stream.below(words / 2) + (item % 2) as u32).collect()
    };
    Text::new(&(0..documents).map(document).collect::<Vec<_>>())
}

#[test]
fn a_corpus_in_a_file_gives_the_same_bits() {
    let text = two_topics(60, 30, 40);
    let settings =
        EmbeddingSettings { held_out: 0.1, epochs: 2, min_count: 1, ..EmbeddingSettings::default() };
    let file = TokenFile::new(tempfile::tempfile().unwrap(), text.tokens.len()).unwrap();
    file.write(0, &text.tokens).unwrap();
    let filed = Corpus { tokens: Tokens::Filed(&file), ..text.corpus() };
    let stop = AtomicBool::new(false);
    let trained =
        |corpus: &Corpus| train(corpus, Prior::default(), &settings, None, &mut |_, _| (), &stop).unwrap();
    assert!(trained(&filed) == trained(&text.corpus()));
    // What was promised to be there is not.
    let empty = TokenFile::new(tempfile::tempfile().unwrap(), 0).unwrap();
    let gone = Corpus { tokens: Tokens::Filed(&empty), document_ends: &[0], counts: &[1] };
    assert_eq!(trained(&gone).epochs[0].loss, None);
}

#[test]
fn the_same_bits_at_any_number_of_threads_and_width() {
    let text = two_topics(200, 30, 40);
    for settings in kinds() {
        let settings = EmbeddingSettings { dims: 20, held_out: 0.1, ..settings };
        let subwords = text.subwords(&settings);
        let prior = Prior { subwords: subwords.as_ref(), start: None };
        // Rounds of several shards, which so small a corpus has at no other pace.
        let pace = Pace { ramp: 2, rounds: 4, share: 100 };
        let at = |threads, width| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| {
                let stop = AtomicBool::new(false);
                train_at((width, pace), &text.corpus(), prior, &settings, None, &mut |_, _| (), &stop)
                    .unwrap()
            })
        };
        let expected = at(1, Width::detect());
        assert!(expected.epochs.iter().all(|record| record.loss.is_some_and(f64::is_finite)));
        for threads in [2, 3, 4, 8] {
            assert!(at(threads, Width::detect()) == expected, "{settings:?} {threads}");
        }
        for width in Width::available() {
            assert!(at(2, width) == expected, "{settings:?} {width:?}");
        }
    }
}

#[test]
fn words_and_documents_of_a_topic_come_out_near_each_other_in_every_kind_of_training() {
    let text = two_topics(48, 20, 16);
    for settings in kinds() {
        let epochs = if settings.subwords == [0, 0] { 60 } else { 40 };
        let settings = EmbeddingSettings { epochs, held_out: 0.1, ..settings };
        let trained = text.trained(&settings).unwrap();
        let topic = |word: usize| text.words[word] % 2;
        let alike = |word: usize| {
            let near = nearest(&trained.embeddings, word, 5);
            near.iter().filter(|&&(other, _)| topic(other) == topic(word)).count()
        };
        // By chance it would be 7 of 15.
        let alike: usize = (0..16).map(alike).sum();
        assert!(alike >= 16 * 5 * 9 / 10, "{settings:?} {alike} of 80");
        let losses: Vec<f64> = trained.epochs.iter().filter_map(|record| record.loss).collect();
        assert_eq!(losses.len(), epochs + 1);
        assert!(losses[epochs] < losses[0], "{settings:?} {losses:?}");
        if let Some(documents) = &trained.documents {
            let right = (0..48).filter(|&document| {
                let near = nearest(documents, document, 5);
                near.iter().filter(|(other, _)| other % 2 == document % 2).count() >= 4
            });
            // Those held out are where they began.
            let right = right.count();
            assert!(right >= 36, "{settings:?} {right}");
        }
        if let Some(ngrams) = &trained.ngrams {
            let unseen = ngrams.compose("99ing").unwrap();
            let like = |word: u32| {
                let place = text.words.iter().position(|&other| other == word).unwrap();
                cosine(&unseen, trained.embeddings.vector(place).unwrap())
            };
            let (even, odd): (f64, f64) =
                ((0..8).map(|w| like(2 * w)).sum(), (0..8).map(|w| like(2 * w + 1)).sum());
            assert!(even > odd, "{settings:?} {even} {odd}");
        }
    }
}

#[test]
fn the_loss_before_training_is_that_of_a_coin() {
    let text = two_topics(60, 20, 30);
    for settings in kinds().into_iter().filter(|settings| !settings.documents) {
        let settings = EmbeddingSettings { held_out: 0.3, epochs: 1, ..settings };
        let loss = text.trained(&settings).unwrap().epochs[0].loss.unwrap() / std::f64::consts::LN_2;
        // Outputs are zero: ln 2 a row, of which there are 1 + 5 less the negatives that are the word, or about log2 of 30.
        let range = if settings.softmax == Softmax::Negative { 5.0..6.01 } else { 4.5..5.5 };
        assert!(range.contains(&loss), "{settings:?} {loss}");
    }
}

#[test]
fn a_training_starts_from_vectors_it_is_given() {
    let text = two_topics(60, 20, 12);
    let names: Vec<String> = text.words.iter().map(|&word| name(word)).collect();
    let half = Embeddings::new(9, (0..6 * 9).map(|x| (x as f32 * 0.7).sin()).collect()).unwrap();
    let known = KeyedVectors::new(names[..6].to_vec(), half.clone(), None).unwrap();
    for subwords in [[0, 0], [3, 4]] {
        let settings =
            EmbeddingSettings { subwords, dims: 9, epochs: 1, alpha: 1e-9, ..EmbeddingSettings::default() };
        let start = Start::new(&known, names.iter().map(String::as_str), settings.ngrams());
        let rows = text.subwords(&settings);
        let prior = Prior { subwords: rows.as_ref(), start: Some(&start) };
        let train = |settings: &EmbeddingSettings| {
            train(&text.corpus(), prior, settings, None, &mut |_, _| (), &AtomicBool::new(false))
        };
        let trained = train(&settings).unwrap().embeddings;
        for word in 0..6 {
            for (ours, given) in trained.vector(word).unwrap().iter().zip(half.vector(word).unwrap()) {
                assert!((ours - given).abs() < 1e-5, "{word} {ours} {given}");
            }
        }
        assert!(trained.vector(7).unwrap().iter().all(|x| x.abs() < 0.12));
        let other = EmbeddingSettings { dims: 8, ..settings };
        assert_eq!(train(&other), Err(EmbeddingError::StartDims { dims: 8, start: 9 }));
    }
    // What was kept with its n-grams begins where it was.
    let settings = EmbeddingSettings { subwords: [3, 4], dims: 9, epochs: 2, ..EmbeddingSettings::default() };
    let first = text.trained(&settings).unwrap();
    let known = KeyedVectors::new(names.clone(), first.embeddings.clone(), first.ngrams.clone()).unwrap();
    let start = Start::new(&known, names.iter().map(String::as_str), settings.ngrams());
    let rows = text.subwords(&settings);
    let prior = Prior { subwords: rows.as_ref(), start: Some(&start) };
    let still = EmbeddingSettings { alpha: 1e-9, ..settings };
    let again = train(&text.corpus(), prior, &still, None, &mut |_, _| (), &AtomicBool::new(false)).unwrap();
    assert_eq!(again.ngrams, first.ngrams);
    for (ours, before) in again.embeddings.vectors().iter().zip(first.embeddings.vectors()) {
        assert!((ours - before).abs() < 1e-5);
    }
    let ngrams = CharacterNgrams { min: 3, max: 4, buckets: 2_000_000 };
    assert_eq!(again.ngrams.unwrap().ngrams(), ngrams);
}

#[test]
fn words_of_a_topic_come_out_near_each_other() {
    for (model, documents) in [(Model::SkipGram, 32), (Model::Cbow, 32), (Model::SkipGram, 2_000)] {
        let text = two_topics(documents, 20, 16);
        let epochs = if documents == 32 { 40 } else { 3 };
        let settings =
            EmbeddingSettings { model, dims: 12, epochs, sample: 0.0, ..EmbeddingSettings::default() };
        let embeddings = text.train(&settings).unwrap();
        for word in 0..16 {
            let near = nearest(&embeddings, word, 7);
            let topic = |word: usize| text.words[word] % 2;
            let alike = near.iter().all(|&(other, _)| topic(other) == topic(word));
            assert!(alike, "{model} {documents} {word} {near:?}");
        }
    }
}

#[test]
fn rare_words_and_unknown_ones_are_skipped() {
    let mut text = Text::new(&[vec![1, 2, 1, 2, 3], vec![1, 2, 4]]);
    text.tokens[0] = Corpus::UNKNOWN;
    let settings = EmbeddingSettings { dims: 5, min_count: 3, ..EmbeddingSettings::default() };
    let embeddings = text.train(&settings).unwrap();
    assert_eq!((embeddings.words(), embeddings.dims()), (2, 5));
    assert!(cosine(embeddings.vector(0).unwrap(), embeddings.vector(1).unwrap()).is_finite());
    assert_eq!(embeddings.vector(2), None);
}

#[test]
fn degenerate_corpora_have_a_clear_outcome_in_every_kind_of_training() {
    for settings in kinds() {
        let settings = EmbeddingSettings { dims: 3, epochs: 1, held_out: 0.2, ..settings };
        for (documents, words) in [
            (vec![], 0),
            (vec![vec![], vec![]], 0),
            (vec![vec![7]], 1),
            (vec![vec![7; 3_000]], 1),
            (vec![(0..700).collect()], 700),
            (vec![vec![], vec![1, 2], vec![], vec![2, 1]], 2),
        ] {
            let count = documents.len();
            let trained = Text::new(&documents).trained(&settings).unwrap();
            assert_eq!(trained.embeddings.words(), words, "{settings:?}");
            assert!(trained.embeddings.vectors().iter().all(|value| value.is_finite()));
            assert!(trained.epochs.iter().all(|record| record.loss.is_none_or(f64::is_finite)));
            if let Some(vectors) = trained.documents {
                assert_eq!(vectors.words(), count);
                assert!(vectors.vectors().iter().all(|value| value.is_finite()));
            }
        }
        let rare = EmbeddingSettings { min_count: 2, ..settings };
        assert_eq!(Text::new(&[vec![1, 2, 3]]).train(&rare).unwrap().words(), 0);
    }
}

#[test]
fn contradictions_are_named() {
    let settings = EmbeddingSettings::default();
    let train = |corpus: Corpus| {
        train(&corpus, Prior::default(), &settings, None, &mut |_, _| (), &AtomicBool::new(false))
    };
    for corpus in [
        Corpus { tokens: Tokens::Held(&[0, 0]), document_ends: &[1], counts: &[2] },
        Corpus { tokens: Tokens::Held(&[0, 0]), document_ends: &[2, 1, 2], counts: &[2] },
        Corpus { tokens: Tokens::Held(&[0, 1]), document_ends: &[2], counts: &[1, 2] },
    ] {
        assert!(matches!(train(corpus), Err(EmbeddingError::Corpus(_))));
    }
}

#[test]
fn progress_ends_with_everything_done_and_cancelling_stops() {
    let text = two_topics(50, 20, 8);
    let settings = EmbeddingSettings { epochs: 2, dims: 8, ..EmbeddingSettings::default() };
    let mut seen = Vec::new();
    let mut note = |progress: Progress, _: &dyn Fn() -> Checkpoint| seen.push(progress);
    train(&text.corpus(), Prior::default(), &settings, None, &mut note, &AtomicBool::new(false)).unwrap();
    let last = seen.last().unwrap();
    assert_eq!(
        (last.tokens_done, last.tokens_total, last.epoch),
        (last.tokens_total, 2 * text.tokens.len() as u64, 1)
    );
    assert!(seen.is_sorted_by(|a, b| a.tokens_done < b.tokens_done && a.alpha > b.alpha));
    let cancelled =
        train(&text.corpus(), Prior::default(), &settings, None, &mut |_, _| (), &AtomicBool::new(true));
    assert_eq!(cancelled, Err(EmbeddingError::Cancelled));
}

#[test]
fn a_training_goes_on_from_any_checkpoint_to_the_same_bits() {
    let text = two_topics(60, 20, 12);
    let stop = AtomicBool::new(false);
    for settings in kinds() {
        let settings = EmbeddingSettings { dims: 9, held_out: 0.1, ..settings };
        let subwords = text.subwords(&settings);
        let prior = Prior { subwords: subwords.as_ref(), start: None };
        let train = |settings: &EmbeddingSettings, from, after: AfterRound| {
            train(&text.corpus(), prior, settings, from, after, &stop).unwrap()
        };
        let mut checkpoints = Vec::new();
        let whole = train(&settings, None, &mut |_, checkpoint| checkpoints.push(checkpoint()));
        assert!(checkpoints.len() > 20);
        for checkpoint in checkpoints.into_iter().step_by(11) {
            assert!(train(&settings, Some(checkpoint), &mut |_, _| ()) == whole, "{settings:?}");
        }
        let other = EmbeddingSettings { dims: 40, ..settings.clone() };
        let mut last = None;
        train(&other, None, &mut |_, checkpoint| last = Some(checkpoint()));
        assert!(train(&settings, last, &mut |_, _| ()) == whole, "{settings:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn vectors_are_always_numbers(
        documents in prop::collection::vec(prop::collection::vec(0_u32..12, 0..40), 0..12),
        (cbow, dims, window, negatives) in (any::<bool>(), 1_usize..40, 1_usize..9, 1_usize..14),
        (epochs, sample, alpha) in (1_usize..6, prop::sample::select(vec![0.0, 1e-3, 1.0]), 0.01..0.2),
        (hierarchical, subwords, doc_rows, buckets) in (any::<bool>(), any::<bool>(), any::<bool>(), 1_u32..40),
    ) {
        let model = if cbow { Model::Cbow } else { Model::SkipGram };
        let softmax = if hierarchical { Softmax::Hierarchical } else { Softmax::Negative };
        let subwords = if subwords { [1, 3] } else { [0, 0] };
        let settings = EmbeddingSettings {
            model, dims, window, negatives, epochs, sample, alpha, softmax, subwords, buckets, documents: doc_rows,
            min_count: 1, ..EmbeddingSettings::default()
        };
        match Text::new(&documents).trained(&settings) {
            Ok(trained) => {
                let documents = trained.documents.iter().flat_map(Embeddings::vectors);
                prop_assert!(trained.embeddings.vectors().iter().chain(documents).all(|value| value.is_finite()));
            }
            // Where many n-grams share a bucket each step is many steps: that is said, and no vectors are given.
            Err(EmbeddingError::Diverged(_)) => prop_assert!(settings.subwords != [0, 0]),
            Err(error) => prop_assert!(false, "{error}"),
        }
    }
}
