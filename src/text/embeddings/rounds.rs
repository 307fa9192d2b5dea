//! How a corpus is cut into sentences, rounds and shards: by its lengths alone, never by the machine.

use std::ops::Range;

use super::{Corpus, EmbeddingSettings, Model};

/// Shards of a round. It bounds the threads that help, and each further one makes the copies drift further apart.
pub(super) const SHARDS: usize = 8;
/// Tokens of a sentence at most; longer runs are cut (`word2vec.c`).
const SENTENCE: usize = 1_000;
/// A round trains at most this many tokens.
const LARGEST: u64 = 1 << 20;

/// The stretches of the token stream inside which windows lie: documents, cut where they are long.
pub(super) fn sentences(corpus: &Corpus) -> Vec<Range<usize>> {
    let starts = std::iter::once(0).chain(corpus.document_ends.iter().copied());
    let mut sentences = Vec::new();
    for (start, &end) in starts.zip(corpus.document_ends) {
        sentences.extend((start..end).step_by(SENTENCE).map(|from| from..end.min(from + SENTENCE)));
    }
    sentences
}

/// How much is trained at once.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pace {
    /// A round trains at most this part of the tokens seen so far: early vectors move fast, and their copies must meet often.
    pub(super) ramp: u64,
    /// Rounds of an epoch at least.
    pub(super) rounds: u64,
    /// Tokens of a shard's share at least, where a round has more than one.
    pub(super) share: u64,
}

impl Pace {
    /// Found by experiment: where more is trained at once, the copies drift apart and accuracy falls below that of a training
    /// without shards. A bag of words moves all words of a window the same way, and n-grams belong to many words, so that their
    /// copies drift sooner. Those of n-grams gain by being merged often: it damps what a long training overshoots.
    pub(super) fn of(settings: &EmbeddingSettings) -> Self {
        match settings.model {
            _ if settings.ngrams().is_some() => Self { ramp: 320, rounds: 400, share: 2_048 },
            Model::SkipGram => Self { ramp: 120, rounds: 33, share: 2_048 },
            Model::Cbow => Self { ramp: 640, rounds: 800, share: 4_096 },
        }
    }

    /// Tokens of a round after `seen` tokens of a training whose epochs have `total`. A round holds at least one sentence.
    pub(super) fn budget(self, seen: u64, total: u64) -> u64 {
        (seen / self.ramp).min(total / self.rounds).min(LARGEST)
    }

    /// The sentences, from `first` on, that make up a round of about `budget` tokens: a share for each shard, in order. A
    /// sentence belongs to the shard into whose part of the round its first token falls.
    pub(super) fn shares(
        self,
        sentences: &[Range<usize>],
        first: usize,
        budget: u64,
    ) -> [Range<usize>; SHARDS] {
        let mut tokens = 0;
        let more = |sentence: &&Range<usize>| {
            let fits = tokens == 0 || tokens + sentence.len() as u64 <= budget;
            tokens += if fits { sentence.len() as u64 } else { 0 };
            fits
        };
        let last = first + sentences[first..].iter().take_while(more).count();
        let (mut next, mut before, parts) = (first, 0, self.parts(tokens));
        std::array::from_fn(|shard| {
            let start = next;
            let part_end = tokens * parts.min(shard as u64 + 1);
            while next < last && before * parts < part_end {
                before += sentences[next].len() as u64;
                next += 1;
            }
            start..if shard + 1 == SHARDS { last } else { next }
        })
    }

    /// How many shards a round of so many tokens keeps busy: each copies the rows that it touches, which a short share is not
    /// worth.
    fn parts(self, tokens: u64) -> u64 {
        let most = (tokens / self.share).clamp(1, SHARDS as u64);
        1 << most.ilog2()
    }
}

#[cfg(test)]
mod tests {
    use super::super::Tokens;
    use super::*;

    #[test]
    fn sentences_end_with_their_document_and_at_a_thousand_tokens() {
        let tokens = vec![0; 2_105];
        let corpus =
            Corpus { tokens: Tokens::Held(&tokens), document_ends: &[5, 5, 2_105], counts: &[2_105] };
        assert_eq!(sentences(&corpus), [0..5, 5..1_005, 1_005..2_005, 2_005..2_105]);
    }

    #[test]
    fn rounds_cover_everything_in_order() {
        let mut sentences = Vec::new();
        let mut at = 0;
        for index in 0..5_000 {
            let len = 1 + index * 7_919 % 1_000;
            sentences.push(at..at + len);
            at += len;
        }
        let pace = Pace::of(&EmbeddingSettings::default());
        let (mut first, mut seen, mut rounds) = (0, 0, 0);
        while first < sentences.len() {
            let budget = pace.budget(seen, at as u64);
            let mut tokens = 0;
            for share in &pace.shares(&sentences, first, budget) {
                assert_eq!(share.start, first);
                first = share.end;
                tokens += sentences[share.clone()].iter().map(|s| s.len() as u64).sum::<u64>();
            }
            assert!(tokens <= budget.max(1_000));
            seen += tokens;
            rounds += 1;
        }
        assert_eq!(seen, at as u64);
        assert!((200..800).contains(&rounds), "{rounds}");
    }

    #[test]
    fn shares_are_even() {
        let sentences: Vec<_> = (0..160).map(|index| index * 1_000..(index + 1) * 1_000).collect();
        let pace = Pace::of(&EmbeddingSettings::default());
        assert!(pace.shares(&sentences, 0, 160_000).iter().all(|share| share.len() == 20));
        let one = pace.shares(&sentences, 7, 0);
        assert_eq!(one.iter().map(Range::len).sum::<usize>(), 1);
        assert_eq!(one[0], 7..8);
    }
}
