//! How well vectors agree with people: similarity of pairs of words, and analogies.

use std::collections::HashMap;

use rayon::prelude::*;

use super::neighbours::{COLUMNS, cosine, dot, unit_rows};
use super::{Embeddings, KeyedVectors};
use crate::math::statistics::spearman;
use crate::simd::Panels;

/// Analogies are asked of and answered with so many of the most frequent words, as everyone does.
pub const ANALOGY_WORDS: usize = 30_000;
/// The normal deviate of an interval that holds the truth 95 times in 100.
const Z95: f64 = 1.959_963_984_540_054;
/// Parts of speech that stand after the words of MEN.
const PARTS_OF_SPEECH: [&str; 4] = ["-n", "-v", "-j", "-a"];
/// Questions that are answered together.
const QUESTIONS: usize = 64;

/// A published set of questions.
#[derive(Debug, Clone, PartialEq)]
pub struct WordSet {
    /// Its name.
    pub name: String,
    /// What it asks.
    pub questions: Questions,
}

/// What a set asks.
#[derive(Debug, Clone, PartialEq)]
pub enum Questions {
    /// Pairs of words with the similarity that people gave them.
    Similarity(Vec<(String, String, f64)>),
    /// Sections with rows a, b, c, d: what is to c as b is to a?
    Analogies(Vec<(String, Vec<[String; 4]>)>),
}

/// What came of a set, or of a section of it.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Score {
    /// The name of the set.
    pub set: String,
    /// The section; empty for the set as a whole.
    pub section: String,
    /// `spearman` or `accuracy`.
    pub measure: &'static str,
    /// Questions of the set.
    pub questions: u64,
    /// Those whose words all have a vector (for analogies, among the 30,000 most frequent).
    pub used: u64,
    /// Spearman's rank correlation of cosines and similarities, or the share of right answers. None where it is undefined.
    pub estimate: Option<f64>,
    /// The 95 % interval: of the correlation by Fisher's z with the variance of Bonett and Wright 2000 ("Sample size
    /// requirements for estimating Pearson, Kendall and Spearman correlations"), of the share by Wilson 1927.
    pub ci_low: Option<f64>,
    /// Its upper end.
    pub ci_high: Option<f64>,
}

impl Score {
    /// The share of the questions that could be used; 0 of none.
    #[must_use]
    pub fn coverage(&self) -> f64 {
        if self.questions == 0 { 0.0 } else { self.used as f64 / self.questions as f64 }
    }
}

impl WordSet {
    /// Reads a set: lines of four words under headings `: section`, or a table of two words and a number, separated by commas,
    /// semicolons or tabs, with a heading and any columns before the words.
    ///
    /// # Errors
    /// The line that is neither, and what to do.
    pub fn parse(name: &str, text: &str) -> Result<Self, String> {
        let questions = if text.lines().any(|line| line.starts_with(':')) {
            Questions::Analogies(analogies(text)?)
        } else {
            Questions::Similarity(pairs(text)?)
        };
        Ok(Self { name: name.to_owned(), questions })
    }
}

/// Questions by section: its name, and four words each.
type Sections = Vec<(String, Vec<[String; 4]>)>;

fn analogies(text: &str) -> Result<Sections, String> {
    let mut sections = Sections::new();
    for (number, line) in (1..).zip(text.lines()) {
        if let Some(section) = line.strip_prefix(':') {
            sections.push((section.trim().to_owned(), Vec::new()));
            continue;
        }
        let words: Vec<String> = line.split_whitespace().map(str::to_lowercase).collect();
        if words.is_empty() {
            continue;
        }
        let words: [String; 4] =
            words.try_into().map_err(|_| format!("line {number}: is not four words; take it out"))?;
        match sections.last_mut() {
            Some((_, rows)) => rows.push(words),
            None => sections.push((String::new(), vec![words])),
        }
    }
    Ok(sections)
}

fn pairs(text: &str) -> Result<Vec<(String, String, f64)>, String> {
    let mut rows = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        let fields: Vec<&str> =
            line.split([',', ';', '\t']).map(|field| field.trim_matches([' ', '"'])).collect();
        let [.., first, second, similarity] = fields[..] else {
            if line.trim().is_empty() {
                continue;
            }
            return Err(format!("line {number}: is not two words and a number; take it out"));
        };
        match similarity.parse::<f64>() {
            Ok(similarity) if similarity.is_finite() => rows.push((bare(first), bare(second), similarity)),
            // The heading, and pairs that nobody judged.
            _ if number == 1 || similarity.is_empty() => {}
            _ => {
                return Err(format!(
                    "line {number}: {similarity:?} is no number; mend it or take the line out"
                ));
            }
        }
    }
    Ok(rows)
}

/// A word without its part of speech, in lower case.
fn bare(word: &str) -> String {
    let word = word.to_lowercase();
    let short = PARTS_OF_SPEECH.iter().find_map(|part| word.strip_suffix(part)).map(str::to_owned);
    short.unwrap_or(word)
}

/// Puts the questions of a set to the vectors: a score for the set, and for analogies one for each section before it. Words are
/// held against each other in lower case; where several are the same in it, the first, which is the most frequent, counts.
#[must_use]
pub fn evaluate(words: &KeyedVectors, set: &WordSet) -> Vec<Score> {
    let mut folded: HashMap<String, usize> = HashMap::with_capacity(words.terms().len());
    for (number, term) in words.terms().iter().enumerate() {
        folded.entry(term.to_lowercase()).or_insert(number);
    }
    match &set.questions {
        Questions::Similarity(pairs) => vec![similarity(words, &folded, &set.name, pairs)],
        Questions::Analogies(sections) => {
            folded.retain(|_, number| *number < ANALOGY_WORDS);
            analogy_scores(words, &folded, &set.name, sections)
        }
    }
}

fn similarity(
    words: &KeyedVectors,
    folded: &HashMap<String, usize>,
    set: &str,
    pairs: &[(String, String, f64)],
) -> Score {
    let vector = |word: &str| words.embeddings().vector(*folded.get(word)?);
    let used = pairs.iter().filter_map(|(a, b, people)| Some((cosine(vector(a)?, vector(b)?), *people)));
    let (ours, people): (Vec<f64>, Vec<f64>) = used.unzip();
    let estimate = spearman(&ours, &people);
    let (ci_low, ci_high) = estimate.and_then(|rho| correlation_interval(rho, ours.len())).unzip();
    Score {
        set: set.to_owned(),
        section: String::new(),
        measure: "spearman",
        questions: pairs.len() as u64,
        used: ours.len() as u64,
        estimate,
        ci_low,
        ci_high,
    }
}

fn correlation_interval(rho: f64, n: usize) -> Option<(f64, f64)> {
    if n <= 3 || rho.abs() >= 1.0 {
        return None;
    }
    let reach = Z95 * ((1.0 + rho * rho / 2.0) / (n as f64 - 3.0)).sqrt();
    let z = libm::atanh(rho);
    Some((libm::tanh(z - reach), libm::tanh(z + reach)))
}

fn share_interval(right: u64, n: u64) -> Option<(f64, f64)> {
    if n == 0 {
        return None;
    }
    let (n, share) = (n as f64, right as f64 / n as f64);
    let square = Z95 * Z95 / n;
    let centre = share + square / 2.0;
    let reach = Z95 * (share * (1.0 - share) / n + square / (4.0 * n)).sqrt();
    Some((((centre - reach) / (1.0 + square)).max(0.0), ((centre + reach) / (1.0 + square)).min(1.0)))
}

fn analogy_scores(
    words: &KeyedVectors,
    folded: &HashMap<String, usize>,
    set: &str,
    sections: &[(String, Vec<[String; 4]>)],
) -> Vec<Score> {
    let mut candidates: Vec<usize> = folded.values().copied().collect();
    candidates.sort_unstable();
    let numbers = |row: &[String; 4]| -> Option<[usize; 4]> {
        let [a, b, c, d] = row.each_ref().map(|word| folded.get(word).copied());
        Some([a?, b?, c?, d?])
    };
    let score = |section: &str, right: u64, used: u64, questions: u64| {
        let (ci_low, ci_high) = share_interval(right, used).unzip();
        let estimate = (used > 0).then(|| right as f64 / used as f64);
        let (set, section) = (set.to_owned(), section.to_owned());
        Score { set, section, measure: "accuracy", questions, used, estimate, ci_low, ci_high }
    };
    let mut scores = Vec::new();
    let mut all = (0, 0, 0);
    let candidates = Candidates::new(words.embeddings(), candidates);
    for (section, rows) in sections {
        let known: Vec<[usize; 4]> = rows.iter().filter_map(numbers).collect();
        let right = candidates.right_answers(words.embeddings(), &known);
        let (used, questions) = (known.len() as u64, rows.len() as u64);
        scores.push(score(section, right, used, questions));
        all = (all.0 + right, all.1 + used, all.2 + questions);
    }
    scores.push(score("", all.0, all.1, all.2));
    scores
}

/// The words that may be answers, as columns of length one.
struct Candidates {
    numbers: Vec<usize>,
    columns: Vec<Panels>,
}

impl Candidates {
    fn new(embeddings: &Embeddings, numbers: Vec<usize>) -> Self {
        let columns = numbers.par_chunks(COLUMNS).map(|part| unit_rows(embeddings, part)).collect();
        Self { numbers, columns }
    }

    /// How many of the questions are answered by their last word.
    fn right_answers(&self, embeddings: &Embeddings, questions: &[[usize; 4]]) -> u64 {
        questions
            .par_chunks(QUESTIONS)
            .map(|questions| {
                let answers = self.answers(embeddings, questions);
                answers
                    .iter()
                    .zip(questions)
                    .filter(|(answer, question)| **answer == Some(question[3]))
                    .count()
            })
            .sum::<usize>() as u64
    }

    fn answers(&self, embeddings: &Embeddings, questions: &[[usize; 4]]) -> Vec<Option<usize>> {
        let mut asked = Panels::zeros(embeddings.dims(), questions.len());
        for (column, &[a, b, c, _]) in questions.iter().enumerate() {
            let mut sum = vec![0.0; embeddings.dims()];
            for (word, sign) in [(a, -1.0), (b, 1.0), (c, 1.0)] {
                let vector = embeddings.vector(word).unwrap_or_default();
                let length = dot(vector, vector).sqrt();
                if length > 0.0 {
                    sum.iter_mut().zip(vector).for_each(|(sum, &x)| *sum += sign * f64::from(x) / length);
                }
            }
            asked.set_column(column, sum.into_iter().map(|value| value as f32));
        }
        let mut best: Vec<(f32, Option<usize>)> = vec![(f32::NEG_INFINITY, None); questions.len()];
        let mut product = Vec::new();
        for (block, right) in self.columns.iter().enumerate() {
            asked.transposed_product(right, &mut product);
            for (row, (best, question)) in best.iter_mut().zip(questions).enumerate() {
                let cosines = &product[row * right.cols()..(row + 1) * right.cols()];
                for (&cosine, &number) in cosines.iter().zip(&self.numbers[block * COLUMNS..]) {
                    if cosine > best.0 && !question[..3].contains(&number) {
                        *best = (cosine, Some(number));
                    }
                }
            }
        }
        best.into_iter().map(|(_, answer)| answer).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::random::Stream;

    fn some_words(count: usize) -> KeyedVectors {
        let mut stream = Stream::new(1, "evaluation", 0);
        let vectors = (0..count * 6).map(|_| stream.unit_f32() - 0.5).collect();
        let terms = (0..count).map(|word| format!("W{word}")).collect();
        KeyedVectors::new(terms, Embeddings::new(6, vectors).unwrap(), None).unwrap()
    }

    #[test]
    fn sets_are_read_as_they_are_published() {
        let men = WordSet::parse("men", ",word1,word2,similarity\n0,Sun-n,sunny-j,50.0\n1,a,b,\n\n").unwrap();
        assert_eq!(men.questions, Questions::Similarity(vec![("sun".into(), "sunny".into(), 50.0)]));
        let tabs = WordSet::parse("x", "tiger\tcat\t7.35").unwrap();
        assert_eq!(tabs.questions, Questions::Similarity(vec![("tiger".into(), "cat".into(), 7.35)]));
        let questions = WordSet::parse("q", ": capitals\nAthens Greece Oslo Norway\n: plural\n").unwrap();
        let Questions::Analogies(sections) = questions.questions else { panic!() };
        assert_eq!(sections[0].1[0][3], "norway");
        assert_eq!(sections[1], ("plural".to_owned(), vec![]));
        assert!(WordSet::parse("x", "a,b,1\na,b\n").unwrap_err().starts_with("line 2"));
        assert!(WordSet::parse("x", "a,b,1\na,b,c\n").unwrap_err().contains("\"c\" is no number"));
        assert!(WordSet::parse("x", ": s\na b c\n").unwrap_err().starts_with("line 2"));
    }

    #[test]
    fn similarity_is_the_rank_correlation_of_known_pairs() {
        let words = some_words(40);
        let mut rows: Vec<(String, String, f64)> = (0..20)
            .map(|i| {
                let (a, b) =
                    (words.embeddings().vector(i).unwrap(), words.embeddings().vector(i + 20).unwrap());
                (format!("w{i}"), format!("w{}", i + 20), cosine(a, b).powi(3))
            })
            .collect();
        rows.push(("w1".into(), "nobody".into(), 5.0));
        let set = WordSet { name: "s".into(), questions: Questions::Similarity(rows) };
        let score = &evaluate(&words, &set)[0];
        assert_eq!((score.questions, score.used, score.estimate), (21, 20, Some(1.0)));
        assert!((score.coverage() - 20.0 / 21.0).abs() < 1e-12);
        let none = WordSet { name: "s".into(), questions: Questions::Similarity(Vec::new()) };
        assert_eq!((evaluate(&words, &none)[0].estimate, evaluate(&words, &none)[0].coverage()), (None, 0.0));
    }

    #[test]
    fn analogies_are_answered_as_one_by_one() {
        let words = some_words(300);
        let mut stream = Stream::new(2, "questions", 0);
        let rows: Vec<[String; 4]> = (0..200)
            .map(|i| {
                let [a, b, c] = [0; 3].map(|_| format!("W{}", stream.below(300)));
                let answer = words.analogy([&a, &b, &c], 1).unwrap()[0].0;
                // Every third question is made wrong.
                let d = if i % 3 == 0 { (answer + 1) % 300 } else { answer };
                [a.to_lowercase(), b.to_lowercase(), c.to_lowercase(), format!("w{d}")]
            })
            .collect();
        let right = (0..200).filter(|i| i % 3 != 0).count() as f64;
        let sections =
            vec![("first".to_owned(), rows.clone()), ("gone".to_owned(), vec![["x"; 4].map(str::to_owned)])];
        let set = WordSet { name: "q".into(), questions: Questions::Analogies(sections) };
        let scores = evaluate(&words, &set);
        assert_eq!(scores.len(), 3);
        assert_eq!(scores[0].estimate, Some(right / 200.0));
        assert_eq!((scores[1].used, scores[1].estimate, scores[1].ci_low), (0, None, None));
        assert_eq!((scores[2].used, scores[2].questions), (200, 201));
    }

    #[test]
    fn intervals_are_those_of_their_formulas() {
        // Both by their formulas, in Python.
        let (low, high) = share_interval(70, 200).unwrap();
        assert!((low - 0.287_29).abs() < 1e-4 && (high - 0.418_37).abs() < 1e-4, "{low} {high}");
        let (low, high) = correlation_interval(0.64, 203).unwrap();
        let reach = 1.959_964 * ((1.0 + 0.64_f64.powi(2) / 2.0) / 200.0).sqrt();
        assert!((low - (0.64_f64.atanh() - reach).tanh()).abs() < 1e-6 && high < 0.73);
        assert_eq!(correlation_interval(0.5, 3), None);
    }
}
