//! Statistics of documents and of the corpus against scipy, gensim and datatrove: `tests/golden/statistics.json`, where
//! `definitions` says how each value was made.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::convert::Infallible;

use serde_json::Value;
use wordwave::math::truncated_svd::{RowsInParts, SparseRows};
use wordwave::text::bag_of_words::{BagOfWords, WeightSettings};
use wordwave::text::counts::{CountSettings, ShardCounts, count_shard};
use wordwave::text::laws::Growth;
use wordwave::text::phrases::{PhraseCounts, PhraseScore, PhraseSettings, Phrases};
use wordwave::text::tokens::{TokenKind, TokenSettings, Tokenizer};
use wordwave::text::topics::Topics;
use wordwave::text::vocabulary::{Vocabulary, VocabularySettings};

use crate::golden_file::{Within, check, check_one, count, golden, list, number, numbers, text};
use crate::golden_text::documents;

const FILE: &str = "statistics.json";
/// Logarithms of two libraries differ in the last bits.
const LOGARITHMS: Within = Within::Relative(1e-12);
const SHARD: usize = 9;

/// Texts counted as scikit-learn's default tokens, in shards of [`SHARD`].
pub fn counted<S: AsRef<str>>(texts: &[S], statistics: bool) -> Vec<ShardCounts> {
    let settings = TokenSettings { kind: TokenKind::Pattern, ..TokenSettings::default() };
    let tokenizer = Tokenizer::new(&settings).unwrap();
    let counts = CountSettings { statistics, ..CountSettings::default() };
    texts.chunks(SHARD).map(|shard| count_shard(&tokenizer, counts, shard).unwrap()).collect()
}

#[test]
fn hdd_is_that_of_scipys_hypergeometric_distribution() {
    let file = golden(FILE);
    let mut groups: BTreeMap<String, String> = BTreeMap::new();
    for document in documents() {
        let group = document.id.split('/').next().unwrap().to_owned();
        let text = groups.entry(group).or_default();
        text.push_str(&document.text);
        text.push('\n');
    }
    let texts: Vec<&String> = groups.values().collect();
    let shards = counted(&texts, true);
    let statistics = shards.iter().flat_map(ShardCounts::statistics);
    let expected = file["groups"].as_object().unwrap();
    assert_eq!(groups.len(), expected.len());
    for (group, found) in groups.keys().zip(statistics) {
        assert_eq!(found.tokens, expected[group][0].as_u64().unwrap(), "{group}");
        check_one(&format!("HD-D {group}"), found.hdd.unwrap(), number(&expected[group][1]), LOGARITHMS);
    }
}

#[test]
fn shares_of_characters_and_lines_are_pythons_and_datatroves() {
    let file = golden(FILE);
    for case in list(&file["texts"]) {
        let shards = counted(&[text(&case["text"])], true);
        let found = &shards[0].statistics()[0];
        let ours = [
            found.digit_share,
            found.punctuation_share,
            found.upper_share,
            found.repeated_line_share,
            found.repeated_line_char_share,
        ];
        let ours: Vec<f64> = ours.iter().map(|share| share.unwrap_or(f64::NAN)).collect();
        check(&format!("{:?}", text(&case["text"])), &ours, &numbers(&case["shares"]), Within::Absolute(0.0));
    }
}

#[test]
fn the_laws_are_lines_of_scipy() {
    let file = golden(FILE);
    let texts: Vec<String> = documents().into_iter().map(|document| document.text.into_string()).collect();
    let mut growth = Growth::default();
    counted(&texts, false).iter().for_each(|shard| growth.add(shard));
    for law in growth.laws() {
        let ours = [law.exponent, law.constant, law.r2].map(Option::unwrap);
        check(&law.law, &ours, &numbers(&file["laws"][&law.law]), LOGARITHMS);
    }
}

fn phrase_settings(parameters: &Value) -> PhraseSettings {
    let mut settings = PhraseSettings::default();
    for (name, value) in parameters.as_object().unwrap() {
        match name.as_str() {
            "min_count" => settings.min_count = count(value) as u64,
            "threshold" => settings.threshold = number(value),
            "scoring" => {
                assert_eq!(text(value), "npmi");
                settings.score = PhraseScore::Npmi;
            }
            "connector_words" => {
                settings.connector_words = list(value).iter().map(|word| text(word).to_owned()).collect();
            }
            _ => panic!("the parameter {name} is not known here"),
        }
    }
    settings
}

#[test]
fn phrases_are_gensims_and_so_are_the_texts_joined() {
    let file = golden(FILE);
    let texts: Vec<String> = documents().into_iter().map(|document| document.text.into_string()).collect();
    let shards = counted(&texts, false);
    let cases = list(&file["phrases"]);
    assert_eq!(cases.len(), 4);
    for case in cases {
        let settings = phrase_settings(&case["parameters"]);
        let within = match settings.score {
            PhraseScore::Original => Within::Absolute(0.0),
            PhraseScore::Npmi => LOGARITHMS,
        };
        let mut counts = PhraseCounts::default();
        shards.iter().for_each(|shard| counts.merge(&PhraseCounts::of(shard, &settings)));
        assert_eq!(counts.len(), count(&case["entries"]));
        let phrases = Phrases::new(counts, settings);
        let ours: BTreeMap<String, (u64, f64)> =
            phrases.all().into_iter().map(|found| (found.phrase, (found.count, found.score))).collect();
        let theirs = case["phrases"].as_object().unwrap();
        assert!(!theirs.is_empty() && ours.keys().eq(theirs.keys()), "{:?}", ours.keys());
        for (phrase, (times, score)) in &ours {
            assert_eq!(*times, theirs[phrase][0].as_u64().unwrap(), "{phrase}");
            check_one(phrase, *score, number(&theirs[phrase][1]), within);
        }
        let expected = list(&case["joined"]);
        let documents = shards.iter().flat_map(|shard| (0..shard.document_count()).map(move |i| (shard, i)));
        for ((shard, document), theirs) in documents.zip(expected) {
            let tokens: Vec<&str> =
                shard.tokens(document).iter().map(|word| shard.terms().term(*word)).collect();
            assert_eq!(phrases.join(&tokens).join(" "), text(theirs));
        }
    }
}

/// A shard a part, in memory.
struct Weights {
    columns: usize,
    parts: Vec<SparseRows>,
}

impl RowsInParts for Weights {
    type Error = Infallible;

    fn columns(&self) -> usize {
        self.columns
    }

    fn parts(&self) -> usize {
        self.parts.len()
    }

    fn part(&self, number: usize) -> Result<Cow<'_, SparseRows>, Infallible> {
        Ok(Cow::Borrowed(&self.parts[number]))
    }
}

impl Weights {
    fn new(shards: &[ShardCounts]) -> Self {
        let vocabulary = Vocabulary::merge(shards, &VocabularySettings::default()).unwrap();
        let bag = BagOfWords::new(&vocabulary, WeightSettings::default());
        let part = |shard: &ShardCounts| {
            let rows = bag.transform(shard);
            let weights = rows.weights.of(&rows.counts);
            let mut part = SparseRows::default();
            let mut at = 0;
            for length in &rows.lengths {
                let end = at + *length as usize;
                part.push(&rows.term_ids[at..end], &weights[at..end]);
                at = end;
            }
            part
        };
        Self { columns: vocabulary.terms().len(), parts: shards.iter().map(part).collect() }
    }
}

#[test]
fn topics_are_those_of_arpack_to_their_sign() {
    let file = golden(FILE);
    let texts: Vec<String> = documents().into_iter().map(|document| document.text.into_string()).collect();
    let lines: Vec<&str> = texts.iter().flat_map(|text| text.split('\n')).collect();
    // Lines without a token have no row of the oracle's matrix.
    let lines: Vec<&str> =
        lines.into_iter().filter(|line| counted(&[line], false)[0].token_count() > 0).collect();
    assert_eq!(lines.len(), count(&file["lines"]));
    let weights = Weights::new(&counted(&lines, false));
    for case in list(&file["topics"]) {
        let width = count(&case["topics"]);
        let found = Topics::new(&weights, width, 0).unwrap();
        let values: Vec<f64> = found.topics.iter().map(|topic| topic.singular_value).collect();
        let shares: Vec<f64> = found.topics.iter().map(|topic| topic.explained_share.unwrap()).collect();
        check(
            &format!("{width} singular values"),
            &values,
            &numbers(&case["singular_values"]),
            Within::Relative(1e-6),
        );
        check(&format!("{width} shares"), &shares, &numbers(&case["shares"]), Within::Relative(1e-5));
        let theirs = numbers(&case["documents"]);
        let ours: Vec<f64> = found.documents[..theirs.len()].iter().copied().map(f64::from).collect();
        check(&format!("documents in {width} topics"), &ours, &theirs, Within::Absolute(1e-5));
    }
}
