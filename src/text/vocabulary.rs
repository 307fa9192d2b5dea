//! The terms of a corpus: document and collection frequencies merged from shards, and the vocabulary chosen from them.

use super::counts::ShardCounts;
use super::error::TextError;
use super::interner::Interner;
use super::term_list::TermList;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use std::cmp::Reverse;

/// Document frequencies `df` and collection frequencies `cf` of all terms of some shards. Merging is associative: any cut
/// of a corpus into shards, merged in order, gives the same.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct TermFrequencies {
    terms: Interner,
    df: Vec<u32>,
    cf: Vec<u64>,
    documents: u64,
}

impl TermFrequencies {
    /// How many terms there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.df.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.df.is_empty()
    }

    /// Adds the counts of the next shard.
    pub fn add(&mut self, shard: &ShardCounts) {
        let mut df = vec![0_u32; shard.terms().len()];
        let mut cf = vec![0_u64; shard.terms().len()];
        for row in shard.rows() {
            df[row.term as usize] += 1;
            cf[row.term as usize] += u64::from(row.count);
        }
        self.add_terms(shard.terms(), &df, &cf);
        self.documents += shard.document_count() as u64;
    }

    /// Adds the frequencies of the shards that follow.
    pub fn merge(&mut self, next: &Self) {
        self.add_terms(next.terms.terms(), &next.df, &next.cf);
        self.documents += next.documents;
    }

    fn add_terms(&mut self, terms: &TermList, df: &[u32], cf: &[u64]) {
        let Self { terms: all, df: all_df, cf: all_cf, .. } = self;
        if all_df.is_empty() {
            all.make_room(terms.len());
        }
        let mut counts = df.iter().zip(cf).filter(|(df, _)| **df > 0);
        let occurring = terms.iter().zip(df).filter(|(_, df)| **df > 0).map(|(term, _)| term);
        all.intern_all(occurring, |id| {
            let (Some((df, cf)), id) = (counts.next(), id as usize) else { return };
            if id == all_df.len() {
                all_df.push(0);
                all_cf.push(0);
            }
            all_df[id] += df;
            all_cf[id] += cf;
        });
    }
}

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
    terms: Interner,
    df: Vec<u32>,
    cf: Vec<u64>,
    documents: u64,
    occurrences: u64,
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
        let all = frequencies.documents;
        let (least, most) = (settings.min_df.documents(all), settings.max_df.documents(all));
        if most < least && all > 0 {
            let reason =
                format!("allows {most} documents where min_df demands {least}; raise it or lower min_df");
            return Err(TextError::Setting { key: "bag_of_words.max_df", reason });
        }
        let terms = frequencies.terms.terms();
        let kept = (0..terms.len() as u32)
            .filter(|id| (least..=most).contains(&f64::from(frequencies.df[*id as usize])));
        let cf = |id: u32| frequencies.cf[id as usize];
        // The first bytes of a term settle most comparisons, without a look at the list.
        let mut sorted: Vec<(Reverse<u64>, u64, u32)> =
            kept.map(|id| (Reverse(cf(id)), first_bytes(terms.term(id)), id)).collect();
        sorted.par_sort_unstable_by(|a, b| {
            (a.0, a.1).cmp(&(b.0, b.1)).then_with(|| terms.term(a.2).cmp(terms.term(b.2)))
        });
        let mut kept: Vec<u32> = sorted.into_iter().map(|(.., id)| id).collect();
        if settings.max_terms > 0 {
            kept.truncate(settings.max_terms);
        }
        Ok(Self {
            terms: Interner::of_distinct(kept.iter().map(|id| terms.term(*id))),
            df: kept.iter().map(|id| frequencies.df[*id as usize]).collect(),
            cf: kept.iter().map(|id| cf(*id)).collect(),
            documents: all,
            occurrences: frequencies.cf.iter().sum(),
        })
    }

    /// Chooses these terms and no others, numbered as any vocabulary; one that no document has is there with frequencies of 0.
    #[must_use]
    pub fn fixed(frequencies: &TermFrequencies, terms: &[String]) -> Self {
        let known = |term: &String| frequencies.terms.find(term).map(|id| id as usize);
        let mut kept: Vec<(u64, &str, u32)> = terms
            .iter()
            .map(|term| match known(term) {
                Some(id) => (frequencies.cf[id], term.as_str(), frequencies.df[id]),
                None => (0, term.as_str(), 0),
            })
            .collect();
        kept.sort_unstable_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(b.1)));
        kept.dedup_by(|next, before| next.1 == before.1);
        Self {
            terms: kept.iter().map(|(_, term, _)| *term).collect::<TermList>().into(),
            df: kept.iter().map(|(.., df)| *df).collect(),
            cf: kept.iter().map(|(cf, ..)| *cf).collect(),
            documents: frequencies.documents,
            occurrences: frequencies.cf.iter().sum(),
        }
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
        shards.into_iter().for_each(|shard| frequencies.add(shard));
        Self::choose(&frequencies, settings)
    }

    /// The terms by `term_id`.
    #[must_use]
    pub fn terms(&self) -> &TermList {
        self.terms.terms()
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
        self.terms.find(term)
    }

    /// For each term number of a shard its `term_id`; none for terms that were left out.
    #[must_use]
    pub fn ids_of(&self, shard: &ShardCounts) -> Vec<Option<u32>> {
        self.terms.find_all(shard.terms().iter())
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
            let parts = [&texts[..first], &texts[first..second], &texts[second..]].map(frequencies);
            let mut left = parts[0].clone();
            left.merge(&parts[1]);
            left.merge(&parts[2]);
            let mut tail = parts[1].clone();
            tail.merge(&parts[2]);
            let mut right = parts[0].clone();
            right.merge(&tail);
            let state = |f: &TermFrequencies| serde_json::to_string(f).unwrap();
            prop_assert_eq!(state(&left), state(&right));
            let vocabulary = |f| serde_json::to_string(&Vocabulary::choose(f, &VocabularySettings::default()).unwrap()).unwrap();
            prop_assert_eq!(vocabulary(&whole), vocabulary(&left));
        }
    }
}
