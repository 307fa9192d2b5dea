//! The job: its file, its plan, and the run that conducts the stages and publishes what they found.
//!
//! `file` reads what the user wrote into `sections`, `resolver` turns these into a `plan`; `run` goes through `words`, `sound`, `relations` and `page` and leaves
//! a run's folder behind; `difference` holds two of them against each other. Only this room knows clocks, threads, signals and where results lie.

mod difference;
mod file;
mod folder;
mod page;
mod plan;
mod progress;
mod record;
mod relations;
mod resolver;
mod run;
mod sections;
mod shards;
mod sound;
mod stages;
mod words;

pub use difference::difference;
pub use file::KEYS;
pub use plan::Plan;
pub use progress::{Event, Interrupt};
pub use record::RunRecord;
pub use run::{Published, RunOptions, run};
pub use sections::{
    BagOfWordsSection, ChannelKey, ClipsSection, CompareSection, DocumentsSection, EmbeddingModel,
    EmbeddingsSection, FeaturesSection, FilterOn, FilterSection, JobFile, JobSection, ManifestSection,
    ModelSection, Norm, PitchSection, ReportSection, SpectrogramSection, StatisticsSection, StopWords, Taps,
    Threshold, TokenKind, TokensSection, Weight,
};
