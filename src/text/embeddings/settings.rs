//! What a training is asked to do, and how it can fail.

use std::fmt;
use std::str::FromStr;

use super::CharacterNgrams;

/// Which way a word and its context predict each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Model {
    /// Each context word predicts the word in the centre.
    SkipGram,
    /// The mean of the context words predicts the word in the centre.
    Cbow,
}

impl fmt::Display for Model {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::SkipGram => "skipgram",
            Self::Cbow => "cbow",
        })
    }
}

impl FromStr for Model {
    type Err = EmbeddingError;

    fn from_str(name: &str) -> Result<Self, EmbeddingError> {
        match name {
            "skipgram" => Ok(Self::SkipGram),
            "cbow" => Ok(Self::Cbow),
            _ => Err(EmbeddingError::Model(name.to_owned())),
        }
    }
}

/// How the words to be predicted are scored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Softmax {
    /// Each against a few words that are drawn at random.
    Negative,
    /// Along its path through a Huffman tree of all words.
    Hierarchical,
}

impl FromStr for Softmax {
    type Err = EmbeddingError;

    fn from_str(name: &str) -> Result<Self, EmbeddingError> {
        match name {
            "negative" => Ok(Self::Negative),
            "hierarchical" => Ok(Self::Hierarchical),
            _ => Err(EmbeddingError::Softmax(name.to_owned())),
        }
    }
}

/// The settings of `[embeddings]` in a job file.
#[derive(Debug, Clone, PartialEq)]
pub struct EmbeddingSettings {
    /// Skip-gram or continuous bag of words.
    pub model: Model,
    /// Numbers in a vector, 1 to 4096.
    pub dims: usize,
    /// Most words to either side of the centre, 1 to 255; each centre draws its own from 1 to this.
    pub window: usize,
    /// Words drawn beside the centre, 1 to 255.
    pub negatives: usize,
    /// Times the corpus is gone through, 1 to 65535.
    pub epochs: usize,
    /// Subsampling of frequent words: the share of the corpus above which words are thinned out; 0 keeps all.
    pub sample: f64,
    /// Words that occur less often have no vector and are skipped.
    pub min_count: u64,
    /// Learning rate at the start, above 0 and at most 1; it falls in a straight line to a ten-thousandth of itself.
    pub alpha: f64,
    /// Negative sampling or hierarchical softmax.
    pub softmax: Softmax,
    /// Shortest and longest character n-gram that takes part in a word's vector, up to 64; `[0, 0]`: none.
    pub subwords: [u32; 2],
    /// Buckets that n-grams are hashed into, 1 to 2^31 - 1. Those that no word needs take no memory.
    pub buckets: u32,
    /// Whether each document has a vector that helps to predict its words (PV-DBOW: Le and Mikolov 2014, "Distributed
    /// Representations of Sentences and Documents"), trained together with those of the words.
    pub documents: bool,
    /// Share of the sentences that are not trained on, but that the loss is measured on after each epoch; 0 to 0.5.
    pub held_out: f64,
    /// Seed of all random numbers.
    pub seed: u64,
}

impl Default for EmbeddingSettings {
    fn default() -> Self {
        Self {
            model: Model::SkipGram,
            dims: 100,
            window: 5,
            negatives: 5,
            epochs: 5,
            sample: 1e-3,
            min_count: 5,
            alpha: 0.025,
            softmax: Softmax::Negative,
            subwords: [0, 0],
            buckets: 2_000_000,
            documents: false,
            held_out: 0.0,
            seed: 0,
        }
    }
}

/// Characters of an n-gram at most.
const LONGEST_NGRAM: u32 = 64;

impl EmbeddingSettings {
    /// Which n-grams take part; None where none does.
    #[must_use]
    pub fn ngrams(&self) -> Option<CharacterNgrams> {
        let [min, max] = self.subwords;
        (max > 0).then_some(CharacterNgrams { min, max, buckets: self.buckets })
    }

    /// Whether a training can be made with these settings; the error names the first that is out of its range.
    pub fn check(&self) -> Result<(), EmbeddingError> {
        let out_of_range = |key, range, given: &dyn fmt::Display| {
            Err(EmbeddingError::Setting { key, range, given: given.to_string() })
        };
        let [min, max] = self.subwords;
        if self.subwords != [0, 0] && !(1 <= min && min <= max && max <= LONGEST_NGRAM) {
            return Err(EmbeddingError::Subwords(min, max));
        }
        if i32::try_from(self.buckets).map_or(true, |buckets| buckets == 0) {
            return out_of_range("buckets", "1 to 2147483647", &self.buckets);
        }
        if !(0.0..=0.5).contains(&self.held_out) {
            return out_of_range("held_out", "0 to 0.5", &self.held_out);
        }
        for (key, value, range, largest) in [
            ("dims", self.dims, "1 to 4096", 4096),
            ("window", self.window, "1 to 255", 255),
            ("negatives", self.negatives, "1 to 255", 255),
            ("epochs", self.epochs, "1 to 65535", 65_535),
        ] {
            if value == 0 || value > largest {
                return out_of_range(key, range, &value);
            }
        }
        if !(self.sample >= 0.0 && self.sample.is_finite()) {
            return out_of_range("sample", "0 or a positive number", &self.sample);
        }
        if !(self.alpha > 0.0 && self.alpha <= 1.0) {
            return out_of_range("alpha", "above 0 and at most 1", &self.alpha);
        }
        Ok(())
    }
}

/// Why there are no word vectors.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum EmbeddingError {
    /// A setting is out of its range.
    #[error("[embeddings] {key} = {given} is out of range; give {range}")]
    Setting {
        /// Name of the setting in the job file.
        key: &'static str,
        /// What may be given.
        range: &'static str,
        /// What was given.
        given: String,
    },
    /// No such model.
    #[error("[embeddings] model = {0:?} is not known; give \"skipgram\" or \"cbow\"")]
    Model(String),
    /// No such way to score.
    #[error("[embeddings] softmax = {0:?} is not known; give \"negative\" or \"hierarchical\"")]
    Softmax(String),
    /// No range of n-grams.
    #[error(
        "[embeddings] subwords = [{0}, {1}] is no range of 1 to 64 characters; give for example [3, 6], or [0, 0] for none"
    )]
    Subwords(u32, u32),
    /// The vectors to start from have other dimensions.
    #[error("[embeddings] dims = {dims}, but the vectors of start have {start}; give dims = {start}")]
    StartDims {
        /// Of the training.
        dims: usize,
        /// Of the vectors to start from.
        start: usize,
    },
    /// The token stream contradicts itself.
    #[error("the corpus cannot be trained on: {0}")]
    Corpus(&'static str),
    /// The token stream lies in a file that cannot be read.
    #[error("the words of the corpus cannot be read back from their temporary file: {0}")]
    Stream(String),
    /// The vectors grew without bound.
    #[error("training diverged at a learning rate of {0}; give a smaller [embeddings] alpha")]
    Diverged(String),
    /// The caller asked to stop.
    #[error("training was cancelled")]
    Cancelled,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_checked_and_named() {
        let check = |change: fn(&mut EmbeddingSettings)| {
            let mut settings = EmbeddingSettings::default();
            change(&mut settings);
            settings.check().map_err(|error| error.to_string())
        };
        assert_eq!(check(|_| {}), Ok(()));
        for (expected, change) in [
            ("dims = 0", (|s| s.dims = 0) as fn(&mut EmbeddingSettings)),
            ("window = 256", |s| s.window = 256),
            ("negatives = 0", |s| s.negatives = 0),
            ("epochs = 0", |s| s.epochs = 0),
            ("sample = NaN", |s| s.sample = f64::NAN),
            ("alpha = 2", |s| s.alpha = 2.0),
            ("subwords = [6, 3]", |s| s.subwords = [6, 3]),
            ("subwords = [0, 3]", |s| s.subwords = [0, 3]),
            ("subwords = [3, 65]", |s| s.subwords = [3, 65]),
            ("buckets = 0", |s| s.buckets = 0),
            ("held_out = 0.6", |s| s.held_out = 0.6),
        ] {
            assert!(check(change).is_err_and(|message| message.contains(expected)), "{expected}");
        }
    }

    #[test]
    fn models_go_by_their_names() {
        for model in [Model::SkipGram, Model::Cbow] {
            assert_eq!(model.to_string().parse(), Ok(model));
        }
        assert_eq!("hierarchical".parse(), Ok(Softmax::Hierarchical));
        assert!("full".parse::<Softmax>().is_err());
        assert_eq!("glove".parse::<Model>(), Err(EmbeddingError::Model("glove".to_owned())));
    }
}
