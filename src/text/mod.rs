//! Document to tokens to counts to vectors, and the statistics of words.
//!
//! The road: [`tokens`] cuts a text, [`counts`] counts a shard of texts with term numbers of its own, [`frequencies`]
//! merges the shards, in their order, [`vocabulary`] chooses the terms, [`bag_of_words`] gives each shard its weights.
//! [`collocations`], [`keyness`], [`dispersion`], [`laws`], [`phrases`], [`topics`], [`duplicates`] and [`embeddings`] start from the shards' token streams. Every step from a
//! shard is a pure function; its result can be stored and merges associatively.

pub mod bag_of_words;
pub mod collocations;
mod contingency;
pub mod counts;
pub mod dispersion;
pub mod document;
pub mod duplicates;
pub mod embeddings;
mod error;
pub mod frequencies;
pub mod hashed;
mod hdd;
mod interner;
pub mod keyness;
mod language;
pub mod laws;
pub mod model;
mod normalisation;
mod origins;
mod packed;
mod pair_table;
pub mod phrases;
mod python_pattern;
mod quality;
mod rows;
mod sentences;
mod stop_words;
pub mod surprisal;
mod syllables;
mod term_index;
mod term_key;
mod term_list;
mod term_order;
mod token;
pub mod tokens;
pub mod topics;
pub mod vocabulary;
mod word_characters;
mod words;

pub use error::TextError;
pub use interner::Interner;
pub use syllables::syllables;
pub use term_key::term_hash;
pub use term_list::TermList;
pub use token::{Token, TokenSink};
