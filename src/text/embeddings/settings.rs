//! What a training is asked to do, and how it can fail.

use std::fmt;
use std::str::FromStr;

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
    /// Shortest and longest character n-gram that takes part in a word's vector; `[0, 0]`: none. Others are not built yet.
    pub subwords: [u32; 2],
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
            subwords: [0, 0],
            seed: 0,
        }
    }
}

impl EmbeddingSettings {
    /// Whether a training can be made with these settings; the error names the first that is out of its range.
    pub fn check(&self) -> Result<(), EmbeddingError> {
        let out_of_range = |key, range, given: &dyn fmt::Display| {
            Err(EmbeddingError::Setting { key, range, given: given.to_string() })
        };
        if self.subwords != [0, 0] {
            return Err(EmbeddingError::Subwords(self.subwords[0], self.subwords[1]));
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
    /// Character n-grams were asked for.
    #[error("[embeddings] subwords = [{0}, {1}] cannot be trained yet; give [0, 0]")]
    Subwords(u32, u32),
    /// The token stream contradicts itself.
    #[error("the corpus cannot be trained on: {0}")]
    Corpus(&'static str),
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
            ("subwords = [3, 6]", |s| s.subwords = [3, 6]),
        ] {
            assert!(check(change).is_err_and(|message| message.contains(expected)), "{expected}");
        }
    }

    #[test]
    fn models_go_by_their_names() {
        for model in [Model::SkipGram, Model::Cbow] {
            assert_eq!(model.to_string().parse(), Ok(model));
        }
        assert_eq!("glove".parse::<Model>(), Err(EmbeddingError::Model("glove".to_owned())));
    }
}
