//! Frequencies of terms on two sides, with documents as what is drawn.
//!
//! G² takes every token for an independent draw. Words come in bursts, so between two random halves of a corpus it finds
//! hundreds of "key" words (Church 2000; Lijffijt et al. 2016). Here a document is the draw: its score for a term is how
//! often it has the term beyond what its length would give, `count - share · tokens`, and documents change sides
//! ([`super::relabelling`]). The sum of the scores on one side is the observed less the expected count of G²; only the
//! yardstick is another.

use super::relabelling::{Scores, Sides, relabel};

/// How a term's frequency differs between the sides.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct FrequencyShift {
    /// Observed less expected occurrences on the target's side, in standard deviations over relabellings of documents.
    pub z: Option<f64>,
    /// Two-sided p of it.
    pub p: Option<f64>,
    /// The p adjusted for all terms, see [`Relabelled::q`](super::relabelling::Relabelled::q).
    pub q: Option<f64>,
}

/// The shift of every term in `counts` (occurrences by document, documents without any left out) and the p that any
/// term differs. `tokens` are the lengths of the documents.
#[must_use]
pub fn frequency_shifts(
    sides: &Sides,
    tokens: &[f64],
    counts: &[Vec<(u32, u32)>],
    relabellings: usize,
) -> (Vec<FrequencyShift>, Option<f64>) {
    let all: f64 = tokens.iter().sum();
    let columns: Vec<Scores> = counts
        .iter()
        .map(|counts| {
            let entries: Vec<(u32, f64)> =
                counts.iter().map(|&(document, n)| (document, f64::from(n))).collect();
            let total: f64 = entries.iter().map(|(_, n)| n).sum();
            Scores { entries, share: if all > 0.0 { total / all } else { 0.0 } }
        })
        .collect();
    let found = relabel(sides, tokens, &columns, relabellings, 0);
    let q = found.q();
    let rows = found.z.iter().zip(&found.p).zip(q).map(|((&z, &p), q)| FrequencyShift { z, p, q });
    (rows.collect(), found.p_any)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::random::Stream;

    /// Documents in which words come in bursts: each document has a few words of its own that it repeats.
    fn bursty(documents: u32, topic_from: u32, item: u64) -> (Vec<f64>, Vec<Vec<(u32, u32)>>) {
        let words = 300;
        let mut counts = vec![Vec::new(); words as usize];
        let mut tokens = vec![0.0; documents as usize];
        for document in 0..documents {
            let mut stream = Stream::new(item, "bursty", u64::from(document));
            let mut own = vec![0_u32; words as usize];
            for _ in 0..40 {
                // Small numbers are frequent words.
                let word = stream.below(words) * stream.below(words) / words;
                own[word as usize] += 1 + stream.below(8) * stream.below(2);
            }
            if document >= topic_from {
                (250..256).for_each(|word| own[word] += stream.below(5));
            }
            tokens[document as usize] = f64::from(own.iter().sum::<u32>());
            for (word, &n) in own.iter().enumerate().filter(|(_, n)| **n > 0) {
                counts[word].push((document, n));
            }
        }
        (tokens, counts)
    }

    #[test]
    fn a_planted_topic_is_found() {
        let (tokens, counts) = bursty(60, 30, 1);
        let sides = Sides::new((0..60).map(|document| document >= 30).collect());
        let (shifts, p_any) = frequency_shifts(&sides, &tokens, &counts, 499);
        assert!(p_any.unwrap() <= 0.002 + 1e-9, "{p_any:?}");
        let found: Vec<usize> = (0..300).filter(|&word| shifts[word].q.is_some_and(|q| q < 0.05)).collect();
        assert!((250..256).all(|word| found.contains(&word)), "{found:?}");
        assert!(found.len() <= 8 && shifts[252].z.unwrap() > 4.0, "{found:?}");
    }

    /// 200 corpora of one source, cut in two: p of "anything differs" is uniform, so about 10 lie under 0.05.
    #[test]
    fn halves_of_one_corpus_alarm_at_the_rate_that_was_asked_for() {
        let alarms = (0..200).filter(|&item| {
            let (tokens, counts) = bursty(30, 30, 100 + item);
            let sides = Sides::new((0..30).map(|document| document >= 15).collect());
            frequency_shifts(&sides, &tokens, &counts, 99).1.unwrap() <= 0.05
        });
        let alarms = alarms.count();
        assert!((2..=20).contains(&alarms), "{alarms} of 200 at the level 0.05");
    }
}
