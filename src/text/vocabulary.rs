//! The vocabulary of a corpus, chosen from the frequencies of its terms.

use super::counts::ShardCounts;
use super::error::TextError;
use super::frequencies::{Frequency, TermFrequencies, TermNumbers};
use super::term_index::TermIndex;
use super::term_list::TermList;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use std::cmp::Reverse;
use std::sync::OnceLock;

/// The first eight bytes of a term, in whose order terms are that differ in them.
fn first_bytes(term: &str) -> u64 {
    let mut first = [0; 8];
    let len = term.len().min(8);
    first[..len].copy_from_slice(&term.as_bytes()[..len]);
    u64::from_be_bytes(first)
}

/// A bound on document frequency.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub enum DocumentBound {
    /// So many documents.
    Count(u64),
    /// This share of all documents, 0 to 1.
    Share(f64),
}

impl DocumentBound {
    fn documents(self, all: u64) -> f64 {
        match self {
            Self::Count(count) => count as f64,
            Self::Share(share) => share * all as f64,
        }
    }

    fn check(self, key: &'static str) -> Result<(), TextError> {
        match self {
            Self::Share(share) if !(0.0..=1.0).contains(&share) => {
                let reason =
                    format!("{share} is no share; write a fraction from 0.0 to 1.0 or a whole number");
                Err(TextError::Setting { key, reason })
            }
            _ => Ok(()),
        }
    }
}

/// Which terms become the vocabulary.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct VocabularySettings {
    /// Terms in fewer documents are left out.
    pub min_df: DocumentBound,
    /// Terms in more documents are left out.
    pub max_df: DocumentBound,
    /// How many terms are kept, the most frequent by `cf`, ties by term; 0 for all.
    pub max_terms: usize,
}

impl Default for VocabularySettings {
    fn default() -> Self {
        Self { min_df: DocumentBound::Count(1), max_df: DocumentBound::Share(1.0), max_terms: 0 }
    }
}

/// The terms of a corpus, numbered from 0 by falling `cf`, then by term in the order of its bytes (which is that of code
/// points).
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Vocabulary {
    terms: TermList,
    df: Vec<u32>,
    cf: Vec<u64>,
    documents: u64,
    occurrences: u64,
    /// The `term_id` of each number of the frequencies that the terms were chosen from.
    #[serde(skip)]
    ids: Vec<Option<u32>>,
    /// Made when a term is looked for.
    #[serde(skip)]
    index: OnceLock<TermIndex>,
}

impl Vocabulary {
    /// Chooses the terms, as scikit-learn does with `min_df`, `max_df` and `max_features`. No term may be left: that is an
    /// empty vocabulary and no error.
    ///
    /// # Errors
    /// Where a share is not between 0 and 1, and where `max_df` allows fewer documents than `min_df` demands.
    pub fn choose(frequencies: &TermFrequencies, settings: &VocabularySettings) -> Result<Self, TextError> {
        settings.min_df.check("bag_of_words.min_df")?;
        settings.max_df.check("bag_of_words.max_df")?;
        let all = frequencies.documents();
        let (least, most) = (settings.min_df.documents(all), settings.max_df.documents(all));
        if most < least && all > 0 {
            let reason =
                format!("allows {most} documents where min_df demands {least}; raise it or lower min_df");
            return Err(TextError::Setting { key: "bag_of_words.max_df", reason });
        }
        let terms = frequencies.terms();
        let kept = frequencies.all().par_iter().enumerate();
        let kept = kept.filter(|(_, sum)| (least..=most).contains(&f64::from(sum.df)));
        // The first bytes of a term settle most comparisons, without a look at the list.
        let key = |(number, sum): (usize, &Frequency)| {
            (Reverse(sum.cf), first_bytes(terms.term(number as u32)), number as u32)
        };
        let mut sorted: Vec<(Reverse<u64>, u64, u32)> = kept.map(key).collect();
        sorted.par_sort_unstable_by(|a, b| {
            (a.0, a.1).cmp(&(b.0, b.1)).then_with(|| terms.term(a.2).cmp(terms.term(b.2)))
        });
        if settings.max_terms > 0 {
            sorted.truncate(settings.max_terms);
        }
        let kept = sorted.into_iter().map(|(_, _, number)| (terms.term(number), Some(number)));
        Ok(Self::of(frequencies, &kept.collect::<Vec<_>>()))
    }

    /// Chooses these terms and no others, numbered as any vocabulary; one that no document has is there with frequencies of 0.
    #[must_use]
    pub fn fixed(frequencies: &TermFrequencies, terms: &[String]) -> Self {
        let found = |term: &String| frequencies.find(term);
        let cf = |number: Option<u32>| number.map_or(0, |number| frequencies.all()[number as usize].cf);
        let mut kept: Vec<(&str, Option<u32>)> =
            terms.iter().map(|term| (term.as_str(), found(term))).collect();
        kept.sort_unstable_by_key(|&(term, number)| (Reverse(cf(number)), term));
        kept.dedup_by(|next, before| next.0 == before.0);
        Self::of(frequencies, &kept)
    }

    /// These terms in this order, each with its number where a document has it.
    fn of(frequencies: &TermFrequencies, terms: &[(&str, Option<u32>)]) -> Self {
        let numbers = || terms.iter().map(|(_, number)| *number);
        let frequency = |number: Option<u32>| {
            number.and_then(|number| frequencies.all().get(number as usize)).copied().unwrap_or_default()
        };
        let list = || terms.iter().map(|(term, _)| *term).collect();
        let columns = || {
            let mut ids = vec![None; frequencies.len()];
            for (number, id) in numbers().zip(0..) {
                if let Some(number) = number {
                    ids[number as usize] = Some(id);
                }
            }
            let (df, cf): (Vec<u32>, Vec<u64>) = numbers().map(frequency).map(|sum| (sum.df, sum.cf)).unzip();
            (ids, df, cf)
        };
        let (terms, (ids, df, cf)) = rayon::join(list, columns);
        let occurrences = frequencies.all().iter().map(|sum| sum.cf).sum();
        Self { terms, df, cf, documents: frequencies.documents(), occurrences, ids, index: OnceLock::new() }
    }

    /// Merges the shards of a corpus, in their order, and chooses the terms.
    ///
    /// # Errors
    /// As [`Vocabulary::choose`].
    pub fn merge<'s>(
        shards: impl IntoIterator<Item = &'s ShardCounts>,
        settings: &VocabularySettings,
    ) -> Result<Self, TextError> {
        let mut frequencies = TermFrequencies::default();
        for shard in shards {
            frequencies.add(shard);
        }
        Self::choose(&frequencies, settings)
    }

    /// The terms by `term_id`.
    #[must_use]
    pub fn terms(&self) -> &TermList {
        &self.terms
    }

    /// How many documents have each term.
    #[must_use]
    pub fn df(&self) -> &[u32] {
        &self.df
    }

    /// How often each term stands in the corpus.
    #[must_use]
    pub fn cf(&self) -> &[u64] {
        &self.cf
    }

    /// Documents of the corpus, empty ones included.
    #[must_use]
    pub fn documents(&self) -> u64 {
        self.documents
    }

    /// Terms of an average document, counted before the vocabulary was chosen: the average length that BM25 wants.
    #[must_use]
    pub fn mean_document_len(&self) -> f64 {
        if self.documents == 0 { 0.0 } else { self.occurrences as f64 / self.documents as f64 }
    }

    /// The `term_id` of a term.
    #[must_use]
    pub fn id(&self, term: &str) -> Option<u32> {
        self.index().find(&self.terms, term)
    }

    /// For each term of a shard its `term_id`; none for terms that were left out.
    #[must_use]
    pub fn ids_of(&self, shard: &ShardCounts) -> Vec<Option<u32>> {
        self.index().find_all(&self.terms, shard.terms().iter())
    }

    /// As [`Vocabulary::ids_of`], without looking for any term: from the numbers that the terms have in the frequencies that the
    /// vocabulary was chosen from.
    #[must_use]
    pub fn ids_of_numbers(&self, numbers: &TermNumbers) -> Vec<Option<u32>> {
        let id = |number: u32| self.ids.get(number as usize).copied().flatten();
        numbers.iter().map(|number| number.and_then(id)).collect()
    }

    fn index(&self) -> &TermIndex {
        self.index.get_or_init(|| TermIndex::of(&self.terms))
    }
}

#[cfg(test)]
mod tests {
    use super::super::counts::{CountSettings, count_shard};
    use super::super::tokens::{TokenSettings, Tokenizer};
    use super::*;
    use proptest::prelude::*;

    fn frequencies(texts: &[impl AsRef<str>]) -> TermFrequencies {
        let mut frequencies = TermFrequencies::default();
        frequencies.add(&shard(texts));
        frequencies
    }

    fn shard(texts: &[impl AsRef<str>]) -> ShardCounts {
        let tokenizer = Tokenizer::new(&TokenSettings::default()).unwrap();
        count_shard(&tokenizer, CountSettings { ngrams: [1, 2], statistics: false, stream: true }, texts)
            .unwrap()
    }

    fn chosen(settings: &VocabularySettings) -> Vec<String> {
        let shard = shard(&["b a", "b c", "b", "d d d"]);
        Vocabulary::merge([&shard], settings).unwrap().terms().iter().map(str::to_owned).collect()
    }

    #[test]
    fn ids_follow_cf_then_term() {
        assert_eq!(chosen(&VocabularySettings::default()), ["b", "d", "d d", "a", "b a", "b c", "c"]);
        assert_eq!(
            chosen(&VocabularySettings { max_terms: 4, ..VocabularySettings::default() }),
            ["b", "d", "d d", "a"]
        );
    }

    #[test]
    fn document_bounds_are_counts_or_shares() {
        let with = |min_df, max_df| chosen(&VocabularySettings { min_df, max_df, max_terms: 0 });
        assert_eq!(with(DocumentBound::Count(2), DocumentBound::Share(1.0)), ["b"]);
        assert_eq!(with(DocumentBound::Share(0.5), DocumentBound::Share(0.75)), ["b"]);
        assert_eq!(
            with(DocumentBound::Count(1), DocumentBound::Count(1)),
            ["d", "d d", "a", "b a", "b c", "c"]
        );
    }

    #[test]
    fn impossible_bounds_are_refused() {
        for (min_df, max_df) in [
            (DocumentBound::Count(3), DocumentBound::Share(0.5)),
            (DocumentBound::Share(1.5), DocumentBound::Share(1.0)),
            (DocumentBound::Count(1), DocumentBound::Share(-0.1)),
        ] {
            let settings = VocabularySettings { min_df, max_df, max_terms: 0 };
            assert!(Vocabulary::merge([&shard(&["a", "b"])], &settings).is_err());
        }
    }

    #[test]
    fn an_empty_corpus_has_an_empty_vocabulary() {
        let vocabulary = Vocabulary::merge([], &VocabularySettings::default()).unwrap();
        assert!(vocabulary.terms().is_empty() && vocabulary.id("a").is_none());
        assert_eq!(vocabulary.mean_document_len(), 0.0);
    }

    #[test]
    fn a_fixed_vocabulary_has_its_terms_and_no_others() {
        let mut frequencies = TermFrequencies::default();
        frequencies.add(&shard(&["aa bb bb", "bb cc"]));
        let terms = ["zz", "bb", "aa", "bb"].map(String::from);
        let fixed = Vocabulary::fixed(&frequencies, &terms);
        assert_eq!(fixed.terms().iter().collect::<Vec<_>>(), ["bb", "aa", "zz"]);
        assert_eq!((fixed.df(), fixed.cf()), (&[2, 1, 0][..], &[3, 1, 0][..]));
        assert_eq!((fixed.documents(), fixed.id("cc")), (2, None));
    }

    proptest! {
        #[test]
        fn any_cut_into_shards_gives_the_same(texts in proptest::collection::vec("[a-c ]{0,12}", 1..8), cuts in proptest::collection::vec(0_usize..8, 2)) {
            let whole = frequencies(&texts);
            let (first, second) = (cuts[0].min(cuts[1]).min(texts.len()), cuts[0].max(cuts[1]).min(texts.len()));
            let parts = [&texts[..first], &texts[first..second], &texts[second..]].map(shard);
            let mut left = TermFrequencies::default();
            let numbers = parts.each_ref().map(|part| left.add(part));
            let chosen = Vocabulary::choose(&left, &VocabularySettings::default()).unwrap();
            for (part, numbers) in parts.iter().zip(&numbers) {
                prop_assert_eq!(chosen.ids_of_numbers(numbers), chosen.ids_of(part));
            }
            let vocabulary = |f| serde_json::to_string(&Vocabulary::choose(f, &VocabularySettings::default()).unwrap()).unwrap();
            prop_assert_eq!(vocabulary(&whole), vocabulary(&left));
        }
    }
}
