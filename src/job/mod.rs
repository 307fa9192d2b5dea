//! The job: its file, its plan, and the run that conducts the stages and publishes what they found.
//!
//! `file` reads what the user wrote into `sections`, `resolver` turns these into a `plan`; `run` goes through `words`, `sound`, `relations` and `page` and leaves
//! a run's folder behind. `store` and its neighbours keep what later nights need; `journal` keeps what a run tells, for `metrics` and `lineage`; `difference`
//! holds two runs against each other. Only this room knows clocks, threads, signals and where results lie.

mod audio_words;
mod bag_of_words;
mod clip;
mod content;
mod counting;
mod desk;
mod difference;
mod explain;
mod exports;
mod file;
mod folder;
mod frames;
mod hashing;
mod inputs;
mod inventory;
mod journal;
mod key;
mod ledger;
mod letters;
pub mod lineage;
mod lookup;
pub mod memory;
pub mod metrics;
mod offsets;
mod pack;
mod page;
mod plan;
mod progress;
mod record;
mod recording;
mod relations;
mod requeue;
mod resolver;
mod run;
mod sections;
mod settings;
mod shards;
mod shelf;
mod sound;
mod spaces;
mod stages;
mod statistics;
mod store;
mod syncing;
mod timing;
mod topics;
mod vectors;
mod verify;
mod word_level;
mod words;

pub use difference::difference;
pub use explain::{Explanation, ShardVerdict, Side, StageVerdict, explain};
pub use file::KEYS;
pub use journal::Journal;
pub use lookup::{Lexicon, Neighbour, Score, write_scores};
pub use plan::Plan;
pub use progress::{Event, Excess, Interrupt};
pub use record::RunRecord;
pub use recording::Recording;
pub use requeue::requeue;
pub use run::{Published, RunOptions, run};
pub use sections::{
    BagOfWordsSection, ChannelKey, ClipsSection, CompareSection, DocumentsSection, EmbeddingModel,
    EmbeddingsSection, FeaturesSection, FilterOn, FilterSection, JobFile, JobSection, ManifestSection,
    ModelSection, Norm, PitchSection, ReportSection, SpectrogramSection, StatisticsSection, StopWords, Taps,
    Threshold, TokenKind, TokensSection, Weight,
};
pub use verify::{Verification, verify};
