//! The sections of the job file: keys and defaults. `keys.toml` says what each key means, for the user's eyes too.
#![allow(missing_docs, reason = "keys.toml documents every key and value")]

use serde::{Deserialize, Serialize};

use crate::corpus::{Fields, NameBy, Split};

use crate::text::phrases::PhraseScore;

macro_rules! defaults {
    ($type:ty { $($key:ident: $value:expr),* $(,)? }) => {
        impl Default for $type {
            fn default() -> Self {
                Self { $($key: $value),* }
            }
        }
    };
}

/// The whole job file. A section that is `None` is a stage that does not run.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct JobFile {
    /// `[job]`
    pub job: JobSection,
    /// `[documents]`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub documents: Option<DocumentsSection>,
    /// `[manifest]`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub manifest: Option<ManifestSection>,
    /// `[tokens]`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tokens: Option<TokensSection>,
    /// `[bag_of_words]`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bag_of_words: Option<BagOfWordsSection>,
    /// `[statistics]`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub statistics: Option<StatisticsSection>,
    /// `[embeddings]`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub embeddings: Option<EmbeddingsSection>,
    /// `[clips]`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clips: Option<ClipsSection>,
    /// `[spectrogram]`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub spectrogram: Option<SpectrogramSection>,
    /// `[features]`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub features: Option<FeaturesSection>,
    /// `[[filters]]`
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub filters: Vec<FilterSection>,
    /// `[compare]`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub compare: Option<CompareSection>,
    /// `[report]`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub report: Option<ReportSection>,
}

/// `[job]`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct JobSection {
    pub name: String,
    pub output: String,
    pub seed: u64,
    pub keep: usize,
    pub keep_days: u32,
    pub max_quarantine: f64,
    pub store_days: u32,
    pub store_gib: f64,
}
defaults!(JobSection {
    name: "corpus".into(),
    output: "reports".into(),
    seed: 0,
    keep: 0,
    keep_days: 0,
    max_quarantine: 1.0,
    store_days: 30,
    store_gib: 0.0,
});

/// `[documents]`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DocumentsSection {
    pub include: Vec<String>,
    pub exclude: Vec<String>,
    pub follow_links: bool,
    pub format: String,
    pub split: Split,
    pub id: NameBy,
    pub group: String,
    pub fields: Fields,
    pub statistics: bool,
}
defaults!(DocumentsSection {
    include: vec!["text/**/*.txt".into()],
    exclude: Vec::new(),
    follow_links: false,
    format: "auto".into(),
    split: Split::File,
    id: NameBy::Path,
    group: String::new(),
    fields: Fields::default(),
    statistics: true,
});

/// `[manifest]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ManifestSection {
    pub path: String,
    pub sample_rate: u32,
    pub channel: ChannelKey,
}
defaults!(ManifestSection {
    path: String::new(),
    sample_rate: 16_000,
    channel: ChannelKey::Named("mix".into()),
});

/// A list of words, or the name of one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum StopWords {
    /// The words themselves.
    List(Vec<String>),
    /// The name of a list.
    Named(String),
}

/// `tokens.model`
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ModelSection {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub train: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vocab_size: Option<usize>,
}

/// `[tokens]`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[allow(clippy::struct_excessive_bools, reason = "each is a key of the job file")]
pub struct TokensSection {
    pub kind: TokenKind,
    pub pattern: String,
    pub lowercase: bool,
    pub strip_accents: bool,
    pub stop_words: StopWords,
    pub stem: String,
    pub min_length: usize,
    pub numbers: bool,
    pub offsets: bool,
    pub model: ModelSection,
}
defaults!(TokensSection {
    kind: TokenKind::Words,
    pattern: r"(?u)\b\w\w+\b".into(),
    lowercase: true,
    strip_accents: false,
    stop_words: StopWords::List(Vec::new()),
    stem: String::new(),
    min_length: 0,
    numbers: true,
    offsets: false,
    model: ModelSection::default(),
});

/// `tokens.kind`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TokenKind {
    Words,
    Pattern,
    Model,
}

/// A bound on document frequency.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Threshold {
    /// A number of documents.
    Count(u64),
    /// A share of the documents.
    Share(f64),
}

/// `[bag_of_words]`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BagOfWordsSection {
    pub ngrams: [usize; 2],
    pub min_df: Threshold,
    pub max_df: Threshold,
    pub max_terms: usize,
    pub vocabulary: String,
    pub columns: u32,
    pub weight: Weight,
    pub smooth_idf: bool,
    pub sublinear_tf: bool,
    pub norm: Norm,
}
defaults!(BagOfWordsSection {
    ngrams: [1, 1],
    min_df: Threshold::Count(1),
    max_df: Threshold::Share(1.0),
    max_terms: 0,
    vocabulary: String::new(),
    columns: 0,
    weight: Weight::Tfidf,
    smooth_idf: true,
    sublinear_tf: false,
    norm: Norm::L2,
});

/// `bag_of_words.weight`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Weight {
    Count,
    Binary,
    Tfidf,
    Bm25,
}

/// `bag_of_words.norm`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Norm {
    L2,
    L1,
    None,
}

/// `[statistics]`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct StatisticsSection {
    pub collocations: bool,
    pub keyness: String,
    pub near_duplicates: f64,
    pub dispersion: bool,
    pub phrases: bool,
    pub phrase_score: PhraseScore,
    pub phrase_min_count: u64,
    pub phrase_threshold: f64,
    pub connector_words: Vec<String>,
    pub topics: usize,
}
defaults!(StatisticsSection {
    collocations: true,
    keyness: String::new(),
    near_duplicates: 0.0,
    dispersion: false,
    phrases: false,
    phrase_score: PhraseScore::Original,
    phrase_min_count: 5,
    phrase_threshold: 10.0,
    connector_words: Vec::new(),
    topics: 0,
});

/// `embeddings.model`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EmbeddingModel {
    Skipgram,
    Cbow,
}

/// `[embeddings]`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct EmbeddingsSection {
    pub model: EmbeddingModel,
    pub dims: usize,
    pub window: usize,
    pub negatives: usize,
    pub epochs: usize,
    pub sample: f64,
    pub min_count: u64,
    pub alpha: f64,
    pub softmax: String,
    pub subwords: [u32; 2],
    pub buckets: u32,
    pub phrases: bool,
    pub start: String,
    pub held_out: f64,
    pub documents: String,
    pub neighbours: usize,
    pub formats: Vec<String>,
}
defaults!(EmbeddingsSection {
    model: EmbeddingModel::Skipgram,
    dims: 100,
    window: 5,
    negatives: 5,
    epochs: 5,
    sample: 1e-3,
    min_count: 5,
    alpha: 0.025,
    softmax: "negative".into(),
    subwords: [0, 0],
    buckets: 2_000_000,
    phrases: false,
    start: String::new(),
    held_out: 0.0,
    documents: "none".into(),
    neighbours: 0,
    formats: Vec::new(),
});

/// `clips.channel`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum ChannelKey {
    /// One channel, from 0.
    Number(u16),
    /// `"mix"`.
    Named(String),
}

/// `[clips]`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ClipsSection {
    pub include: Vec<String>,
    pub exclude: Vec<String>,
    pub follow_links: bool,
    pub id: NameBy,
    pub group: String,
    pub sample_rate: u32,
    pub channel: ChannelKey,
}
defaults!(ClipsSection {
    include: vec!["audio/**/*.wav".into()],
    exclude: Vec::new(),
    follow_links: false,
    id: NameBy::Path,
    group: String::new(),
    sample_rate: 16_000,
    channel: ChannelKey::Named("mix".into()),
});

/// `[spectrogram]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SpectrogramSection {
    pub profile: String,
    pub fft_len: usize,
    pub win_len: usize,
    pub hop_len: usize,
    pub mels: usize,
    pub store: String,
}
defaults!(SpectrogramSection {
    profile: "librosa".into(),
    fft_len: 512,
    win_len: 400,
    hop_len: 160,
    mels: 80,
    store: "none".into(),
});

/// `features.pitch`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PitchSection {
    pub min_hz: f64,
    pub max_hz: f64,
    pub frame_len: usize,
    pub method: String,
}
defaults!(PitchSection { min_hz: 65.0, max_hz: 500.0, frame_len: 1024, method: "yin".into() });

/// `[features]`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FeaturesSection {
    pub sets: Vec<String>,
    pub mfcc: usize,
    pub pitch: PitchSection,
    pub frames: bool,
    pub cmvn: bool,
    pub codebook: usize,
}
defaults!(FeaturesSection {
    sets: ["mel", "mfcc", "spectral", "pitch", "loudness", "voice", "quality"].map(String::from).to_vec(),
    mfcc: 13,
    pitch: PitchSection::default(),
    frames: false,
    cmvn: false,
    codebook: 0,
});

/// Taps as written: a row, or rows of rows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Taps {
    /// One dimension.
    Row(Vec<f64>),
    /// Two dimensions.
    Rows(Vec<Vec<f64>>),
}

/// `filters.on`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FilterOn {
    Waveform,
    Spectrogram,
}

/// One of `[[filters]]`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FilterSection {
    pub on: FilterOn,
    pub kernel: String,
    pub hz: Vec<f64>,
    pub taps: Taps,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub db: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub transition_hz: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub q: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gain_db: Option<f64>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub zero_phase: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sigma: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub angle: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wavelength: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub range: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub amount: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub footprint: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub order: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub derivative: Option<usize>,
    pub border: String,
}
defaults!(FilterSection {
    on: FilterOn::Waveform,
    kernel: String::new(),
    hz: Vec::new(),
    taps: Taps::Row(Vec::new()),
    db: None,
    transition_hz: None,
    q: None,
    gain_db: None,
    zero_phase: false,
    sigma: None,
    size: None,
    angle: None,
    wavelength: None,
    range: None,
    amount: None,
    footprint: None,
    order: None,
    derivative: None,
    border: "reflect".into(),
});

/// `[compare]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CompareSection {
    pub pair_by: String,
    pub permutations: usize,
    pub bootstrap: usize,
    /// Features that partial correlations hold constant, and `group`.
    pub control: Vec<String>,
    pub words: bool,
    pub alignments: Vec<String>,
}
defaults!(CompareSection {
    pair_by: "stem".into(),
    permutations: 999,
    bootstrap: 999,
    control: vec!["seconds".into(), "group".into()],
    words: false,
    alignments: Vec::new(),
});

/// `[report]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ReportSection {
    pub html: bool,
}
defaults!(ReportSection { html: true });
