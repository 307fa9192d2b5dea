//! How evenly the documents of a corpus share a term.

use serde::{Deserialize, Serialize};

use super::counts::ShardCounts;
use super::vocabulary::Vocabulary;

/// The dispersion of a term over the documents that have tokens, which may be of any length.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Dispersion {
    /// The term.
    pub term: String,
    /// Documents that have it.
    pub documents: u32,
    /// Juilland's D (Juilland and Chang-Rodriguez 1964) over the term's relative frequencies in n documents, so that lengths may
    /// differ (Gries 2020, "Analyzing dispersion"): `1 − sd/mean/√(n − 1)`, sd dividing by n. 1 for a term spread evenly, 0 for
    /// one that a single document has. Undefined for fewer than two documents.
    pub juilland_d: Option<f64>,
    /// Gries' deviation of proportions (Gries 2008, "Dispersions and adjusted frequencies in corpora"): half the sum over
    /// documents of `|v − s|`, v being the document's share of the term and s its share of all tokens. 0 is even.
    pub gries_dp: f64,
    /// DP over its largest value, `1 − min s` (Lijffijt and Gries 2012). Undefined for fewer than two documents.
    pub gries_dp_norm: Option<f64>,
}

/// Sums over the documents that have a term.
#[derive(Debug, Clone, Copy, Default)]
struct Sums {
    /// Relative frequencies.
    frequencies: f64,
    /// Their squared distances from the mean over all documents.
    squares: f64,
    /// `|v − s| − s`, which is 0 for all other documents' part of the sum of `|v − s|` but their s.
    distances: f64,
}

/// The dispersion of every term of `vocabulary`, in its order, over the documents of the shards that it was chosen from: `shards` hands
/// them over in their order, and is called several times.
///
/// # Errors
/// Those of `shards`.
pub fn dispersion<E>(
    vocabulary: &Vocabulary,
    mut shards: impl FnMut(&mut dyn FnMut(&ShardCounts)) -> Result<(), E>,
) -> Result<Vec<Dispersion>, E> {
    let (mut parts, mut total, mut least) = (0.0, 0.0, f64::INFINITY);
    shards(&mut |shard| {
        let sizes = (0..shard.document_count()).map(|document| shard.tokens(document).len());
        for size in sizes.filter(|size| *size > 0) {
            parts += 1.0;
            total += size as f64;
            least = f64::min(least, size as f64);
        }
    })?;
    let least = if parts > 0.0 { least / total } else { 0.0 };
    let mut sums = vec![Sums::default(); vocabulary.terms().len()];
    // In the order of the documents: the bits do not depend on threads.
    let mut each = |add: &dyn Fn(&mut Sums, usize, f64, f64)| {
        shards(&mut |shard| {
            let (ids, rows) = (vocabulary.ids_of(shard), shard.rows());
            for document in 0..shard.document_count() {
                let size = shard.tokens(document).len() as f64;
                for row in rows.of(document) {
                    if let Some(id) = ids[row.term as usize] {
                        add(&mut sums[id as usize], id as usize, f64::from(row.count), size);
                    }
                }
            }
        })
    };
    each(&|sums, _, count, size| sums.frequencies += count / size)?;
    each(&|sums, id, count, size| {
        let (from_mean, share) = (count / size - sums.frequencies / parts, size / total);
        sums.squares += from_mean * from_mean;
        sums.distances += (count / vocabulary.cf()[id] as f64 - share).abs() - share;
    })?;
    let terms = vocabulary.terms().iter().zip(vocabulary.df()).zip(sums);
    // A term of a fixed vocabulary that no document has is not dispersed.
    let terms = terms.filter(|((_, documents), _)| **documents > 0);
    Ok(terms.map(|((term, &documents), sums)| sums.dispersion(term, documents, parts, least)).collect())
}

impl Sums {
    fn dispersion(self, term: &str, documents: u32, parts: f64, least: f64) -> Dispersion {
        let mean = self.frequencies / parts;
        let variance = (self.squares + (parts - f64::from(documents)) * mean * mean) / parts;
        let several = parts > 1.0;
        let gries_dp = (0.5 * (self.distances + 1.0)).clamp(0.0, 1.0);
        Dispersion {
            term: term.to_owned(),
            documents,
            juilland_d: several.then(|| 1.0 - variance.sqrt() / mean / (parts - 1.0).sqrt()),
            gries_dp,
            gries_dp_norm: several.then(|| gries_dp / (1.0 - least)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::counts::{CountSettings, count_shard};
    use super::super::tokens::{TokenSettings, Tokenizer};
    use super::super::vocabulary::VocabularySettings;
    use super::*;
    use proptest::prelude::*;

    fn shard(texts: &[impl AsRef<str>]) -> ShardCounts {
        let tokenizer = Tokenizer::new(&TokenSettings::default()).unwrap();
        count_shard(&tokenizer, CountSettings { ngrams: [1, 1], statistics: false, stream: true }, texts)
            .unwrap()
    }

    fn dispersions(shards: &[&ShardCounts]) -> Vec<Dispersion> {
        let vocabulary = Vocabulary::merge(shards.iter().copied(), &VocabularySettings::default()).unwrap();
        let hand_over = |each: &mut dyn FnMut(&ShardCounts)| {
            shards.iter().for_each(|shard| each(shard));
            Ok::<(), ()>(())
        };
        dispersion(&vocabulary, hand_over).unwrap()
    }

    /// The corpus of Gries (2008), five parts of 9, 10, 10, 10 and 11 words: "a" has D = 0.785, DP = 0.18, `DPnorm` = 0.22.
    #[test]
    fn the_example_of_gries() {
        let corpus = [
            "b a m n i b e u p",
            "b a s a t b e w q n",
            "b c a g a b e s t a",
            "b a g h a b e a a t",
            "b a h a a b e a x a t",
        ];
        let found = dispersions(&[&shard(&corpus[..2]), &shard(&corpus[2..])]);
        let a = found.iter().find(|row| row.term == "a").unwrap();
        assert_eq!(a.documents, 5);
        assert!((a.juilland_d.unwrap() - 0.785).abs() < 5e-4, "{a:?}");
        assert!((a.gries_dp - 0.18).abs() < 1e-12 && (a.gries_dp_norm.unwrap() - 0.18 / 0.82).abs() < 1e-12);
        let x = found.iter().find(|row| row.term == "x").unwrap();
        assert!(x.juilland_d.unwrap().abs() < 1e-12 && (x.gries_dp - 0.78).abs() < 1e-12, "{x:?}");
    }

    #[test]
    fn one_document_has_no_spread_and_empty_ones_are_no_parts() {
        let found = dispersions(&[&shard(&["a b", "", " "])]);
        assert!(
            found
                .iter()
                .all(|row| row.gries_dp == 0.0 && row.juilland_d.is_none() && row.gries_dp_norm.is_none())
        );
        assert!(dispersions(&[&shard(&[""])]).is_empty());
    }

    proptest! {
        #[test]
        fn it_is_its_definition(texts in proptest::collection::vec("[a-d ]{0,16}", 1..8), cut in 0_usize..8) {
            let (first, second) = texts.split_at(cut.min(texts.len()));
            let found = dispersions(&[&shard(first), &shard(second)]);
            prop_assert_eq!(found.len(), dispersions(&[&shard(&texts)]).len());
            let words: Vec<Vec<&str>> =
                texts.iter().map(|text| text.split_whitespace().collect::<Vec<_>>()).filter(|words| !words.is_empty()).collect();
            let total: f64 = words.iter().map(|words| words.len() as f64).sum();
            for row in found {
                let counts: Vec<f64> =
                    words.iter().map(|words| words.iter().filter(|word| **word == row.term).count() as f64).collect();
                let all: f64 = counts.iter().sum();
                let shares = words.iter().map(|words| words.len() as f64 / total);
                let dp = 0.5 * counts.iter().zip(shares).map(|(count, share)| (count / all - share).abs()).sum::<f64>();
                prop_assert!((row.gries_dp - dp).abs() < 1e-12);
                let p: Vec<f64> = counts.iter().zip(&words).map(|(count, words)| count / words.len() as f64).collect();
                if let Some(d) = row.juilland_d {
                    let n = p.len() as f64;
                    let mean = p.iter().sum::<f64>() / n;
                    let sd = (p.iter().map(|p| (p - mean) * (p - mean)).sum::<f64>() / n).sqrt();
                    prop_assert!((d - (1.0 - sd / mean / (n - 1.0).sqrt())).abs() < 1e-9);
                }
            }
        }
    }
}
