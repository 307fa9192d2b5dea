//! Counts and tf-idf against scikit-learn over the sample corpus: `tests/golden/text.json`, where `definitions` says how
//! each value was made.

use std::collections::BTreeMap;

use serde_json::Value;
use wordwave::corpus::{
    Document, DocumentFormat, DocumentReader, DocumentRef, DocumentRules, Fields, Identity, NameBy, Pattern,
    Split, unique_documents, walk, whole_document,
};
use wordwave::text::bag_of_words::{BagOfWords, Norm, TermRows, Weight, WeightSettings, idf};
use wordwave::text::counts::{CountSettings, ShardCounts, count_shard};
use wordwave::text::tokens::{TokenKind, TokenSettings, Tokenizer};
use wordwave::text::vocabulary::{DocumentBound, Vocabulary, VocabularySettings};

use crate::golden_file::{Within, check, check_one, count, counts, golden, list, number, text};
use crate::program::project;

const FILE: &str = "text.json";
const WEIGHTS: Within = Within::Absolute(1e-6);
const IDF: Within = Within::Absolute(1e-8);
/// Documents of a shard: the corpus is counted in four, the last of them smaller.
const SHARD: usize = 9;

/// The texts of the sample corpus in the order of their ids.
pub fn documents() -> Vec<Document> {
    let include = Pattern::parse("corpora/sample/text/**/*.txt", project()).unwrap();
    let walk = walk(&[include], &[], false, "documents.include").unwrap();
    let identity = Identity::new(NameBy::Path, "").unwrap();
    let (format, split) = (DocumentFormat::Auto, Split::File);
    let rules = DocumentRules { format, split, fields: Fields::default(), identity };
    let listed = walk.found.iter().map(|file| whole_document(file, &rules));
    let (references, quarantined) = unique_documents(listed.collect());
    assert!(walk.quarantined.is_empty() && quarantined.is_empty());
    let references: Vec<&DocumentRef> = references.iter().collect();
    DocumentReader::new(&rules).read(&references).into_iter().map(Result::unwrap).collect()
}

/// What scikit-learn's parameters are in our terms.
struct Settings {
    tokens: TokenSettings,
    counts: CountSettings,
    vocabulary: VocabularySettings,
    /// `None` where our weights do not have it.
    weights: Option<WeightSettings>,
}

impl Settings {
    fn of(parameters: &Value) -> Self {
        let mut settings = Self {
            tokens: TokenSettings { kind: TokenKind::Pattern, ..TokenSettings::default() },
            counts: CountSettings { statistics: false, ..CountSettings::default() },
            vocabulary: VocabularySettings::default(),
            weights: Some(WeightSettings::default()),
        };
        for (name, value) in parameters.as_object().unwrap() {
            settings.set(name, value);
        }
        settings
    }

    fn set(&mut self, name: &str, value: &Value) {
        let weights = self.weights.as_mut();
        match name {
            "ngram_range" => self.counts.ngrams = counts(value).try_into().unwrap(),
            "min_df" => self.vocabulary.min_df = bound(value),
            "max_df" => self.vocabulary.max_df = bound(value),
            "strip_accents" => self.tokens.strip_accents = text(value) == "unicode",
            "sublinear_tf" => weights.unwrap().sublinear_tf = value.as_bool().unwrap(),
            "smooth_idf" => weights.unwrap().smooth_idf = value.as_bool().unwrap(),
            "norm" => {
                weights.unwrap().norm = Some(match value.as_str() {
                    Some("l1") => Norm::L1,
                    Some("l2") => Norm::L2,
                    other => {
                        assert_eq!(other, None);
                        Norm::None
                    }
                });
            }
            // Presence times idf: `Weight::Binary` has no idf, and no other weight takes presence for the count.
            "binary" => self.weights = None,
            _ => panic!("the parameter {name} is not known here"),
        }
    }
}

/// A whole number is a count of documents, a fraction a share of them.
fn bound(value: &Value) -> DocumentBound {
    value.as_u64().map_or_else(|| DocumentBound::Share(number(value)), DocumentBound::Count)
}

/// The corpus, counted shard by shard, and its vocabulary.
struct Counted {
    ids: Vec<String>,
    shards: Vec<ShardCounts>,
    vocabulary: Vocabulary,
}

fn counted(settings: &Settings) -> Counted {
    let documents = documents();
    let tokenizer = Tokenizer::new(&settings.tokens).unwrap();
    let shards: Vec<ShardCounts> = documents
        .chunks(SHARD)
        .map(|shard| count_shard(&tokenizer, settings.counts, shard.iter().map(|d| &d.text)).unwrap())
        .collect();
    let vocabulary = Vocabulary::merge(&shards, &settings.vocabulary).unwrap();
    Counted {
        ids: documents.into_iter().map(|document| document.id.to_string()).collect(),
        shards,
        vocabulary,
    }
}

impl Counted {
    /// The rows of the whole corpus, those of each document by term.
    fn rows(&self, weights: WeightSettings) -> BTreeMap<&str, BTreeMap<&str, (u32, f64)>> {
        let bag = BagOfWords::new(&self.vocabulary, weights);
        let mut rows: BTreeMap<&str, BTreeMap<&str, (u32, f64)>> = BTreeMap::new();
        for (shard, ids) in self.shards.iter().zip(self.ids.chunks(SHARD)) {
            let TermRows { lengths, term_ids, counts, weights } = bag.transform(shard);
            let weights = weights.of(&counts);
            let documents = ids.iter().zip(lengths).flat_map(|(id, rows)| vec![id; rows as usize]);
            for (row, id) in documents.enumerate() {
                let term = self.vocabulary.terms().term(term_ids[row]);
                let into = rows.entry(id).or_default();
                assert_eq!(into.insert(term, (counts[row], f64::from(weights[row]))), None, "{term} twice");
            }
        }
        rows
    }
}

#[test]
fn the_vocabulary_and_its_frequencies_are_scikit_learns() {
    let file = golden(FILE);
    let counted = counted(&Settings::of(&serde_json::json!({})));
    assert_eq!(counted.ids, list(&file["documents"]).iter().map(text).collect::<Vec<_>>());

    let theirs: BTreeMap<&str, (usize, usize)> = list(&file["terms"])
        .iter()
        .map(|entry| (text(&entry[0]), (count(&entry[1]), count(&entry[2]))))
        .collect();
    let Counted { vocabulary, .. } = &counted;
    let frequencies = vocabulary.df().iter().zip(vocabulary.cf());
    let ours: BTreeMap<&str, (usize, usize)> =
        vocabulary.terms().iter().zip(frequencies.map(|(df, cf)| (*df as usize, *cf as usize))).collect();
    assert_eq!((vocabulary.terms().len(), vocabulary.documents()), (theirs.len(), counted.ids.len() as u64));
    assert_eq!(ours, theirs);

    let weights = WeightSettings { weight: Weight::Count, ..WeightSettings::default() };
    let rows = counted.rows(weights);
    for (document, expected) in file["counts"].as_object().unwrap() {
        let expected: BTreeMap<&str, (u32, f64)> = expected
            .as_object()
            .unwrap()
            .iter()
            .map(|(term, times)| (term.as_str(), (count(times) as u32, number(times))))
            .collect();
        assert_eq!(rows[document.as_str()], expected, "{document}");
    }
}

#[test]
fn tf_idf_is_scikit_learns() {
    let file = golden(FILE);
    let cases = list(&file["tfidf"]);
    assert_eq!(cases.len(), 8);
    for case in cases {
        let name = text(&case["name"]);
        let settings = Settings::of(&case["parameters"]);
        let counted = counted(&settings);
        let vocabulary = &counted.vocabulary;
        assert_eq!(vocabulary.terms().len(), count(&case["terms"]), "{name}");
        check_idf(name, vocabulary, settings.weights.unwrap_or_default(), &case["idf"]);

        let rows = counted.rows(settings.weights.unwrap_or_default());
        let nonzeros: usize = rows.values().map(BTreeMap::len).sum();
        assert_eq!(nonzeros, count(&case["nonzeros"]), "{name}");
        if settings.weights.is_none() {
            continue;
        }
        let sum: f64 = rows.values().flat_map(BTreeMap::values).map(|(_, weight)| weight).sum();
        check_one(&format!("tf-idf {name}, sum"), sum, number(&case["sum"]), Within::Relative(1e-7));
        for (document, expected) in case["rows"].as_object().unwrap() {
            check_row(&format!("tf-idf {name}, {document}"), &rows[document.as_str()], expected);
        }
    }
}

fn check_idf(name: &str, vocabulary: &Vocabulary, weights: WeightSettings, expected: &Value) {
    let ours = idf(vocabulary, weights);
    let (found, theirs): (Vec<f64>, Vec<f64>) = expected
        .as_object()
        .unwrap()
        .iter()
        .map(|(term, value)| (ours[vocabulary.id(term).unwrap() as usize], number(value)))
        .unzip();
    check(&format!("idf {name}"), &found, &theirs, IDF);
}

/// The same terms, and nearly the same weights.
fn check_row(what: &str, row: &BTreeMap<&str, (u32, f64)>, expected: &Value) {
    let expected: BTreeMap<&str, f64> =
        expected.as_object().unwrap().iter().map(|(term, weight)| (term.as_str(), number(weight))).collect();
    assert!(row.keys().eq(expected.keys()), "{what}: {:?} are not {:?}", row.keys(), expected.keys());
    let ours: Vec<f64> = row.values().map(|(_, weight)| *weight).collect();
    check(what, &ours, &expected.into_values().collect::<Vec<_>>(), WEIGHTS);
}
