//! The job file as written: sections, keys, defaults. What they mean together is the plan's business.

use std::path::Path;

use serde::{Deserialize, Serialize};
use toml::de::{DeTable, DeValue};

use crate::corpus::{NameBy, Split};
use crate::error::{Error, Result};

/// Every key with its default and a comment: what `wordwave init` writes, and what unknown keys are held against.
pub const KEYS: &str = include_str!("keys.toml");

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
#[allow(missing_docs, reason = "keys.toml documents every key, for the user's eyes too")]
pub struct JobSection {
    pub name: String,
    pub output: String,
    pub seed: u64,
    pub keep: usize,
    pub max_quarantine: f64,
}
defaults!(JobSection {
    name: "corpus".into(),
    output: "reports".into(),
    seed: 0,
    keep: 0,
    max_quarantine: 1.0
});

/// `[documents]`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[allow(missing_docs, reason = "keys.toml documents every key")]
pub struct DocumentsSection {
    pub include: Vec<String>,
    pub exclude: Vec<String>,
    pub format: String,
    pub split: Split,
    pub id: NameBy,
    pub group: String,
    #[serde(skip_serializing_if = "toml::Table::is_empty")]
    pub fields: toml::Table,
}
defaults!(DocumentsSection {
    include: vec!["text/**/*.txt".into()],
    exclude: Vec::new(),
    format: "auto".into(),
    split: Split::File,
    id: NameBy::Path,
    group: String::new(),
    fields: toml::Table::new(),
});

/// `[manifest]`
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[allow(missing_docs, reason = "the plan says what becomes of it")]
pub struct ManifestSection {
    pub path: String,
}

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
#[allow(missing_docs, reason = "keys.toml documents every key")]
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
#[allow(missing_docs, reason = "keys.toml documents every key")]
pub struct TokensSection {
    pub kind: TokenKind,
    pub pattern: String,
    pub lowercase: bool,
    pub strip_accents: bool,
    pub stop_words: StopWords,
    pub stem: String,
    pub model: ModelSection,
}
defaults!(TokensSection {
    kind: TokenKind::Words,
    pattern: r"(?u)\b\w\w+\b".into(),
    lowercase: true,
    strip_accents: false,
    stop_words: StopWords::List(Vec::new()),
    stem: String::new(),
    model: ModelSection::default(),
});

/// `tokens.kind`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "keys.toml documents every value")]
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
#[allow(missing_docs, reason = "keys.toml documents every key")]
pub struct BagOfWordsSection {
    pub ngrams: [usize; 2],
    pub min_df: Threshold,
    pub max_df: Threshold,
    pub max_terms: usize,
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
    weight: Weight::Tfidf,
    smooth_idf: true,
    sublinear_tf: false,
    norm: Norm::Auto,
});

/// `bag_of_words.weight`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "keys.toml documents every value")]
pub enum Weight {
    Count,
    Binary,
    Tfidf,
    Bm25,
}

/// `bag_of_words.norm`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "keys.toml documents every value")]
pub enum Norm {
    Auto,
    L2,
    L1,
    None,
}

/// `[statistics]`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[allow(missing_docs, reason = "keys.toml documents every key")]
pub struct StatisticsSection {
    pub collocations: bool,
    pub keyness: String,
    pub near_duplicates: f64,
}
defaults!(StatisticsSection { collocations: true, keyness: String::new(), near_duplicates: 0.0 });

/// `embeddings.model`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs, reason = "keys.toml documents every value")]
pub enum EmbeddingModel {
    Skipgram,
    Cbow,
}

/// `[embeddings]`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[allow(missing_docs, reason = "keys.toml documents every key")]
pub struct EmbeddingsSection {
    pub model: EmbeddingModel,
    pub dims: usize,
    pub window: usize,
    pub negatives: usize,
    pub epochs: usize,
    pub sample: f64,
    pub min_count: u64,
    pub alpha: f64,
    pub subwords: [u32; 2],
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
    subwords: [0, 0],
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
#[allow(missing_docs, reason = "keys.toml documents every key")]
pub struct ClipsSection {
    pub include: Vec<String>,
    pub exclude: Vec<String>,
    pub id: NameBy,
    pub group: String,
    pub sample_rate: u32,
    pub channel: ChannelKey,
}
defaults!(ClipsSection {
    include: vec!["audio/**/*.wav".into()],
    exclude: Vec::new(),
    id: NameBy::Path,
    group: String::new(),
    sample_rate: 16_000,
    channel: ChannelKey::Named("mix".into()),
});

/// `[spectrogram]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[allow(missing_docs, reason = "keys.toml documents every key")]
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
#[allow(missing_docs, reason = "keys.toml documents every key")]
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
#[allow(missing_docs, reason = "keys.toml documents every key")]
pub struct FeaturesSection {
    pub sets: Vec<String>,
    pub mfcc: usize,
    pub pitch: PitchSection,
    pub frames: bool,
}
defaults!(FeaturesSection {
    sets: ["mel", "mfcc", "spectral", "pitch", "loudness", "voice", "quality"].map(String::from).to_vec(),
    mfcc: 13,
    pitch: PitchSection::default(),
    frames: false,
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
#[allow(missing_docs, reason = "keys.toml documents every value")]
pub enum FilterOn {
    Waveform,
    Spectrogram,
}

/// One of `[[filters]]`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[allow(missing_docs, reason = "keys.toml documents every key")]
pub struct FilterSection {
    pub on: FilterOn,
    pub kernel: String,
    pub hz: Vec<f64>,
    pub taps: Taps,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sigma: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub angle: Option<f64>,
    pub border: String,
}
defaults!(FilterSection {
    on: FilterOn::Waveform,
    kernel: String::new(),
    hz: Vec::new(),
    taps: Taps::Row(Vec::new()),
    sigma: None,
    size: None,
    angle: None,
    border: "reflect".into(),
});

/// `[compare]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[allow(missing_docs, reason = "keys.toml documents every key")]
pub struct CompareSection {
    pub pair_by: String,
    pub permutations: usize,
    pub bootstrap: usize,
}
defaults!(CompareSection { pair_by: "stem".into(), permutations: 999, bootstrap: 999 });

/// `[report]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[allow(missing_docs, reason = "keys.toml documents every key")]
pub struct ReportSection {
    pub html: bool,
}
defaults!(ReportSection { html: true });

impl JobFile {
    /// Reads the job file at `path` and applies `overrides` (`key.path=VALUE`, VALUE in TOML or else a string).
    ///
    /// # Errors
    /// [`Error::JobFile`] with the line and what to write instead; [`Error::Usage`] for an override that is none.
    pub fn read(path: &Path, overrides: &[String]) -> Result<Self> {
        let place = path.display().to_string();
        let text = std::fs::read_to_string(path).map_err(|error| {
            Error::job_file(&place, format!("cannot be read: {error}; `wordwave init` writes one"))
        })?;
        Self::parse(&text, &place, overrides)
    }

    /// Reads the job file `text`; `place` names it in messages.
    ///
    /// # Errors
    /// As [`JobFile::read`].
    pub fn parse(text: &str, place: &str, overrides: &[String]) -> Result<Self> {
        let spanned = DeTable::parse(text).map_err(|error| syntax(text, place, &error))?;
        let known = known_keys();
        reject_unknown(spanned.get_ref(), &known, "", &|at, message| {
            Error::job_file(format!("{place}:{}", line_of(text, at)), message)
        })?;
        let mut table: toml::Table = toml::from_str(text).map_err(|error| syntax(text, place, &error))?;
        for assignment in overrides {
            set(&mut table, &known, assignment)?;
        }
        table.try_into().map_err(|error| wrong_value(text, place, overrides, &error))
    }
}

fn syntax(text: &str, place: &str, error: &toml::de::Error) -> Error {
    let line = error.span().map_or(1, |span| line_of(text, span.start));
    Error::job_file(format!("{place}:{line}"), format!("not TOML: {}", error.message()))
}

/// A value of the wrong kind: the parse with spans knows its line, the parse after overrides only its key.
fn wrong_value(text: &str, place: &str, overrides: &[String], error: &toml::de::Error) -> Error {
    if let Err(located) = toml::from_str::<JobFile>(text)
        && let Some(span) = located.span()
    {
        return Error::job_file(
            format!("{place}:{}", line_of(text, span.start)),
            located.message().to_owned(),
        );
    }
    let message = error.to_string().trim().replace('\n', " ");
    Error::job_file(
        place,
        if overrides.is_empty() { message } else { format!("--set {}: {message}", overrides.join(" ")) },
    )
}

fn line_of(text: &str, at: usize) -> usize {
    1 + text.as_bytes().iter().take(at).filter(|&&byte| byte == b'\n').count()
}

/// Keys of the contract that [`KEYS`] does not offer as defaults: some stand for another, some are not built yet, which the
/// plan says in its own words.
const FURTHER_KEYS: &str = r#"
    manifest = { path = "" }
    documents = { fields = { id = "", text = "", group = "", keep = [] } }
    tokens = { model = { path = "", train = "", vocab_size = 0 } }
    embeddings = { subwords = [0, 0], formats = [] }
    filters = [{ sigma = 0.0, size = 0, angle = 0.0 }]
"#;

fn known_keys() -> toml::Table {
    let mut known: toml::Table = toml::from_str(KEYS).unwrap_or_default();
    let further: toml::Table = toml::from_str(FURTHER_KEYS).unwrap_or_default();
    for (section, keys) in further {
        match (known.get_mut(&section), keys) {
            (Some(toml::Value::Table(present)), toml::Value::Table(keys)) => present.extend(keys),
            (Some(toml::Value::Array(present)), toml::Value::Array(more)) => {
                for (present, more) in present.iter_mut().zip(more) {
                    if let (toml::Value::Table(present), toml::Value::Table(more)) = (present, more) {
                        present.extend(more);
                    }
                }
            }
            (_, keys) => {
                known.insert(section, keys);
            }
        }
    }
    known
}

fn reject_unknown(
    table: &DeTable<'_>,
    known: &toml::Table,
    prefix: &str,
    complain: &impl Fn(usize, String) -> Error,
) -> Result<()> {
    for (key, value) in table {
        let name = key.get_ref().as_ref();
        let full = if prefix.is_empty() { name.to_owned() } else { format!("{prefix}.{name}") };
        let Some(reference) = known.get(name) else {
            return Err(complain(key.span().start, unknown(&full, name, known)));
        };
        match (value.get_ref(), reference) {
            (DeValue::Table(inner), toml::Value::Table(reference)) => {
                reject_unknown(inner, reference, &full, complain)?;
            }
            (DeValue::Array(items), toml::Value::Array(references)) => {
                for item in items {
                    if let (DeValue::Table(inner), Some(toml::Value::Table(reference))) =
                        (item.get_ref(), references.first())
                    {
                        reject_unknown(inner, reference, &full, complain)?;
                    }
                }
            }
            _ => {}
        }
    }
    Ok(())
}

fn unknown(full: &str, name: &str, known: &toml::Table) -> String {
    let nearest =
        known.keys().max_by(|a, b| strsim::jaro_winkler(a, name).total_cmp(&strsim::jaro_winkler(b, name)));
    let hint = nearest.map_or_else(String::new, |nearest| {
        let prefix = full.strip_suffix(name).unwrap_or("");
        format!("; did you mean {prefix}{nearest}?")
    });
    format!("unknown key {full}{hint}")
}

fn set(table: &mut toml::Table, known: &toml::Table, assignment: &str) -> Result<()> {
    let Some((path, text)) = assignment.split_once('=') else {
        return Err(Error::Usage(format!("--set {assignment}: write --set key.path=VALUE")));
    };
    let value = toml::from_str::<toml::Table>(&format!("value = {text}"))
        .ok()
        .and_then(|mut table| table.remove("value"))
        .unwrap_or_else(|| toml::Value::String(text.to_owned()));
    let mut parts: Vec<&str> = path.trim().split('.').collect();
    let last = parts.pop().unwrap_or_default();
    let (mut place, mut reference) = (table, known);
    let mut walked = String::new();
    for part in parts {
        walked = if walked.is_empty() { part.to_owned() } else { format!("{walked}.{part}") };
        let Some(toml::Value::Table(inner)) = reference.get(part) else {
            return Err(Error::Usage(format!("--set {assignment}: {}", unknown(&walked, part, reference))));
        };
        reference = inner;
        let entry = place.entry(part).or_insert_with(|| toml::Value::Table(toml::Table::new()));
        place = entry
            .as_table_mut()
            .ok_or_else(|| Error::Usage(format!("--set {assignment}: {walked} is no section")))?;
    }
    if !reference.contains_key(last) {
        return Err(Error::Usage(format!("--set {assignment}: {}", unknown(path.trim(), last, reference))));
    }
    place.insert(last.to_owned(), value);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<JobFile> {
        JobFile::parse(text, "job.toml", &[])
    }

    #[test]
    fn the_documented_defaults_are_the_defaults() {
        let mut documented = parse(KEYS).unwrap();
        assert_eq!(documented.filters.len(), 1);
        documented.filters.clear();
        let empty = parse(
            "[documents]\n[tokens]\n[bag_of_words]\n[statistics]\n[embeddings]\n[clips]\n[spectrogram]\n[features]\n[compare]\n[report]",
        )
        .unwrap();
        assert_eq!(documented, empty);
    }

    #[test]
    fn an_absent_section_is_a_stage_that_does_not_run() {
        let job = parse("[job]\nname = \"x\"\n[documents]\n").unwrap();
        assert!(job.documents.is_some() && job.clips.is_none() && job.report.is_none());
    }

    #[test]
    fn unknown_keys_name_their_line_and_the_nearest_key() {
        for (text, place, hint) in [
            ("[job]\nnmae = \"x\"", "job.toml:2", "did you mean job.name?"),
            ("[embedings]\ndims = 3", "job.toml:1", "did you mean embeddings?"),
            ("[features]\n\npitch = { min_hertz = 3 }", "job.toml:3", "did you mean features.pitch.min_hz?"),
            ("[[filters]]\nonn = 'waveform'", "job.toml:2", "did you mean filters.on?"),
            ("[tokens]\nmodel = { pathh = 'x' }", "job.toml:2", "did you mean tokens.model.path?"),
        ] {
            let message = parse(text).unwrap_err().to_string();
            assert!(message.starts_with(place) && message.contains(hint), "{message}");
        }
    }

    #[test]
    fn wrong_values_name_their_line() {
        let message = parse("[job]\nseed = \"x\"").unwrap_err().to_string();
        assert!(message.starts_with("job.toml:2"), "{message}");
        let message = parse("[job\n").unwrap_err().to_string();
        assert!(message.starts_with("job.toml:1") && message.contains("not TOML"), "{message}");
        let message = parse("[documents]\n\nsplit = \"word\"").unwrap_err().to_string();
        assert!(message.starts_with("job.toml:3") && message.contains("paragraph"), "{message}");
    }

    #[test]
    fn overrides_take_toml_values_or_strings() {
        let overrides = [
            "embeddings.epochs=1",
            "job.output=/tmp/out",
            "documents.include=[\"/x/**/*.md\"]",
            "job.name=\"n\"",
        ];
        let job = JobFile::parse("[job]\nseed = 3", "job.toml", &overrides.map(String::from)).unwrap();
        assert_eq!(job.embeddings.unwrap().epochs, 1);
        assert_eq!((job.job.output.as_str(), job.job.name.as_str(), job.job.seed), ("/tmp/out", "n", 3));
        assert_eq!(job.documents.unwrap().include, ["/x/**/*.md"]);
        for (bad, hint) in [("job.nam=3", "job.name"), ("jobs.name=3", "job"), ("x", "key.path=VALUE")] {
            let error = JobFile::parse("", "job.toml", &[bad.to_owned()]).unwrap_err();
            assert_eq!(error.exit_code(), 64);
            assert!(error.to_string().contains(hint), "{error}");
        }
        let error = JobFile::parse("", "job.toml", &["job.seed=x".to_owned()]).unwrap_err();
        assert_eq!(error.exit_code(), 78);
    }
}
