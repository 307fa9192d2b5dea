//! Every way in which the words of a job can fail on what the user wrote.

use thiserror::Error;

/// What was wrong with a setting of `[tokens]`, `[bag_of_words]` or `[statistics]`, or with a tokenizer file.
#[derive(Debug, Error)]
pub enum TextError {
    /// The pattern of `[tokens]` is not a regular expression that can be run here.
    #[error(
        "tokens.pattern {pattern:?} cannot be used: {reason}; look-around and back references are not supported, \
         write the pattern without them"
    )]
    Pattern {
        /// The pattern as written.
        pattern: String,
        /// What the regular-expression compiler said.
        reason: String,
    },
    /// The pattern has more than one capture group, so that it is unclear which one is the token.
    #[error(
        "tokens.pattern {pattern:?} has {groups} capture groups; write at most one, and (?:...) for the others"
    )]
    PatternGroups {
        /// The pattern as written.
        pattern: String,
        /// How many groups it captures.
        groups: usize,
    },
    /// No stop list of that name.
    #[error(
        "tokens.stop_words {name:?} is not a known list; known are {known}; or write the words as a list"
    )]
    StopWords {
        /// The name as written.
        name: String,
        /// The names that are known.
        known: String,
    },
    /// No Snowball stemmer of that name.
    #[error("tokens.stem {name:?} is not a Snowball language; known are {known}")]
    Stemmer {
        /// The name as written.
        name: String,
        /// The names that are known.
        known: String,
    },
    /// Settings that contradict each other or are out of range.
    #[error("{key}: {reason}")]
    Setting {
        /// The key of the job file.
        key: &'static str,
        /// What is wrong with its value and what to write instead.
        reason: String,
    },
    /// A tokenizer.json could not be loaded, trained or applied.
    #[error("tokens.model: {0}")]
    Model(String),
}
