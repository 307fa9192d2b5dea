//! The plan: a job file checked as a whole and turned into the settings of each stage.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use super::file::{
    BagOfWordsSection, ChannelKey, EmbeddingModel, EmbeddingsSection, FilterOn, FilterSection, JobFile, Norm,
    StatisticsSection, StopWords, Taps, Threshold, TokenKind, TokensSection, Weight,
};
use crate::audio::filters::WaveformFilters;
use crate::audio::{Analyzer, AnalyzerSettings, FeatureSettings, PitchSettings, SpectrogramSettings};
use crate::compare::pairs::{PairBy, parse_pairs_csv};
use crate::convolution::{self, KernelSpec};
use crate::corpus::{
    Channel, DocumentFormat, DocumentRules, Identity, Pattern, RecordingRules, normalise, walk,
};
use crate::error::{Error, Result};
use crate::text;
use crate::text::embeddings::{EmbeddingSettings, Model};

/// A job that can run: every setting checked, every path resolved.
#[derive(Debug)]
pub struct Plan {
    /// The job file as resolved, for run.json.
    pub(super) file: JobFile,
    pub(super) output: PathBuf,
    pub(super) config_hash: String,
    pub(super) documents: Option<DocumentsPlan>,
    pub(super) clips: Option<ClipsPlan>,
    pub(super) compare: Option<ComparePlan>,
}

/// What becomes of documents.
#[derive(Debug)]
pub(super) struct DocumentsPlan {
    pub include: Vec<Pattern>,
    pub exclude: Vec<Pattern>,
    pub rules: DocumentRules,
    /// `None`: documents are listed, their words are not looked at.
    pub tokens: Option<TokensPlan>,
    pub bag_of_words: Option<BagOfWordsPlan>,
    pub statistics: Option<StatisticsSection>,
    pub embeddings: Option<EmbeddingSettings>,
}

/// How text is cut into tokens.
#[derive(Debug)]
pub(super) struct TokensPlan {
    pub settings: text::tokens::TokenSettings,
    pub model: Option<ModelPlan>,
}

/// Where a tokenizer model comes from.
#[derive(Debug)]
pub(super) enum ModelPlan {
    Load { path: PathBuf, json: Vec<u8> },
    Train(text::model::TrainingSettings),
}

#[derive(Debug)]
pub(super) struct BagOfWordsPlan {
    pub ngrams: [usize; 2],
    pub vocabulary: text::vocabulary::VocabularySettings,
    pub weights: text::bag_of_words::WeightSettings,
}

/// What becomes of recordings.
#[derive(Debug)]
pub(super) struct ClipsPlan {
    pub include: Vec<Pattern>,
    pub exclude: Vec<Pattern>,
    pub rules: RecordingRules,
    pub spectrogram: SpectrogramSettings,
    /// `None`: recordings are read and described, nothing is computed from them.
    pub features: Option<FeatureSettings>,
    pub waveform: Vec<KernelSpec>,
    pub spectrogram_filters: Vec<KernelSpec>,
}

#[derive(Debug)]
pub(super) struct ComparePlan {
    pub pair_by: PairBy,
    pub permutations: u32,
    pub bootstrap: u32,
}

impl Plan {
    /// Checks `file` as a whole; relative paths start at the folder of the job file `path`.
    ///
    /// # Errors
    /// [`Error::JobFile`] naming the key and what to write instead.
    pub fn new(file: JobFile, path: &Path) -> Result<Self> {
        let base = base_folder(path)?;
        let resolver = Resolver { base: &base, place: path.display().to_string() };
        resolver.check_job(&file)?;
        let compare = file.compare.as_ref().map(|section| resolver.compare(section)).transpose()?;
        let documents = resolver.documents(&file)?;
        let clips = resolver.clips(&file)?;
        if compare.is_some() && (documents.is_none() || clips.is_none()) {
            return Err(resolver
                .complain("compare", "needs both [documents] and [clips]: add the one that is missing"));
        }
        let config_hash = config_hash(&file, documents.as_ref(), clips.as_ref(), compare.as_ref());
        Ok(Self {
            output: normalise(&base.join(&file.job.output)),
            file,
            config_hash,
            documents,
            clips,
            compare,
        })
    }

    /// What would run, for a person.
    ///
    /// # Errors
    /// [`Error::NothingToDo`] for a folder that is not there.
    pub fn describe(&self) -> Result<String> {
        let mut out = String::new();
        let runs = self.output.join(&self.file.job.name);
        let _ = writeln!(out, "job        {} -> {}", self.file.job.name, runs.display());
        let _ = writeln!(out, "settings   {}", &self.config_hash[..16]);
        if let Some(plan) = &self.documents {
            let found = walk(&plan.include, &plan.exclude, "documents.include")?;
            let _ = writeln!(out, "documents  {} files", found.found.len());
        }
        if let Some(plan) = &self.clips {
            let found = walk(&plan.include, &plan.exclude, "clips.include")?;
            let _ = writeln!(out, "clips      {} files", found.found.len());
        }
        let _ = writeln!(out, "stages     {}", self.stages().join(", "));
        let _ = writeln!(out, "tables     {}", self.tables().join(", "));
        Ok(out)
    }

    /// The stages that run, by their names in run.json.
    pub(super) fn stages(&self) -> Vec<&'static str> {
        let documents = self.documents.as_ref();
        let asked = [
            ("read", true),
            ("tokens", documents.is_some_and(|plan| plan.tokens.is_some())),
            ("bag_of_words", documents.is_some_and(|plan| plan.bag_of_words.is_some())),
            ("statistics", documents.is_some_and(|plan| plan.statistics.is_some())),
            ("embeddings", documents.is_some_and(|plan| plan.embeddings.is_some())),
            ("audio", self.clips.is_some()),
            ("filters", !self.file.filters.is_empty() && self.clips.is_some()),
            ("compare", self.compare.is_some()),
            ("report", true),
        ];
        asked.into_iter().filter_map(|(name, runs)| runs.then_some(name)).collect()
    }

    /// The tables that a run writes.
    fn tables(&self) -> Vec<&'static str> {
        let documents = self.documents.as_ref();
        let features = self.clips.as_ref().and_then(|plan| plan.features.as_ref());
        let asked = [
            ("documents", documents.is_some()),
            ("vocabulary", documents.is_some_and(|plan| plan.bag_of_words.is_some())),
            ("terms", documents.is_some_and(|plan| plan.bag_of_words.is_some())),
            ("collocations", documents.is_some_and(|plan| plan.statistics.is_some())),
            ("keyness", documents.is_some_and(|plan| plan.statistics.is_some())),
            ("duplicates", documents.is_some_and(|plan| plan.statistics.is_some())),
            ("embeddings", documents.is_some_and(|plan| plan.embeddings.is_some())),
            ("clips", self.clips.is_some()),
            ("frames", features.is_some_and(|features| features.frames)),
            (
                "spectrograms",
                self.clips.as_ref().is_some_and(|plan| plan.spectrogram.store != crate::audio::Store::None),
            ),
            ("pairs", self.compare.is_some()),
            ("correlations", self.compare.is_some()),
            ("spaces", self.compare.is_some()),
            ("warnings", true),
            ("quarantine", true),
        ];
        asked.into_iter().filter_map(|(name, written)| written.then_some(name)).collect()
    }
}

fn base_folder(path: &Path) -> Result<PathBuf> {
    let absolute = std::path::absolute(path).map_err(|error| Error::io("resolve", path, error))?;
    Ok(absolute.parent().map_or_else(|| PathBuf::from("/"), Path::to_path_buf))
}

/// Turns sections into settings; knows where the job file lies and how to complain about it.
struct Resolver<'a> {
    base: &'a Path,
    place: String,
}

impl Resolver<'_> {
    fn complain(&self, key: &str, message: impl std::fmt::Display) -> Error {
        Error::job_file(&self.place, format!("{key}: {message}"))
    }

    /// For messages that name the key themselves.
    fn refuse(&self, error: impl std::fmt::Display) -> Error {
        Error::job_file(&self.place, error.to_string())
    }

    fn check_job(&self, file: &JobFile) -> Result<()> {
        let name = &file.job.name;
        if name.is_empty() || name.starts_with('.') || name.contains('/') || name.contains('\0') {
            return Err(self
                .complain("job.name", format!("{name:?} is no folder name: write for example \"corpus\"")));
        }
        if !(0.0..=1.0).contains(&file.job.max_quarantine) {
            return Err(self.complain("job.max_quarantine", "write a share between 0.0 and 1.0"));
        }
        if file.manifest.is_some() {
            return Err(self
                .complain("manifest", "manifests are not read yet: list [documents] and [clips] by globs"));
        }
        if file.documents.is_none() && file.clips.is_none() {
            return Err(
                self.complain("documents, clips", "the job reads nothing: add [documents], [clips] or both")
            );
        }
        if file.documents.is_none()
            && (file.tokens.is_some()
                || file.bag_of_words.is_some()
                || file.statistics.is_some()
                || file.embeddings.is_some())
        {
            return Err(self.complain(
                "documents",
                "[tokens], [bag_of_words], [statistics] and [embeddings] need it: add [documents]",
            ));
        }
        if file.clips.is_none()
            && (file.spectrogram.is_some() || file.features.is_some() || !file.filters.is_empty())
        {
            return Err(
                self.complain("clips", "[spectrogram], [features] and [[filters]] need it: add [clips]")
            );
        }
        Ok(())
    }

    fn patterns(&self, key: &str, globs: &[String]) -> Result<Vec<Pattern>> {
        globs
            .iter()
            .map(|glob| Pattern::parse(glob, self.base).map_err(|message| self.complain(key, message)))
            .collect()
    }

    fn documents(&self, file: &JobFile) -> Result<Option<DocumentsPlan>> {
        let Some(section) = &file.documents else { return Ok(None) };
        if section.include.is_empty() {
            return Err(
                self.complain("documents.include", "names nothing: write for example [\"text/**/*.txt\"]")
            );
        }
        let tokens = match (&file.tokens, &file.bag_of_words, &file.statistics, &file.embeddings) {
            (None, None, None, None) => None,
            (section, ..) => Some(self.tokens(&section.clone().unwrap_or_default())?),
        };
        let bag_of_words =
            file.bag_of_words.as_ref().map(|section| self.bag_of_words(section)).transpose()?;
        if let Some(section) = &file.statistics
            && !(0.0..=1.0).contains(&section.near_duplicates)
        {
            return Err(self.complain(
                "statistics.near_duplicates",
                "write a Jaccard similarity between 0.0 (off) and 1.0",
            ));
        }
        Ok(Some(DocumentsPlan {
            include: self.patterns("documents.include", &section.include)?,
            exclude: self.patterns("documents.exclude", &section.exclude)?,
            rules: DocumentRules {
                format: self.format(&section.format)?,
                split: section.split,
                identity: Identity::new(section.id, &section.group)
                    .map_err(|message| self.complain("documents.group", message))?,
            },
            tokens,
            bag_of_words,
            statistics: file.statistics.clone(),
            embeddings: file
                .embeddings
                .as_ref()
                .map(|section| self.embeddings(section, file.job.seed))
                .transpose()?,
        }))
    }

    fn format(&self, name: &str) -> Result<DocumentFormat> {
        match name {
            "auto" => Ok(DocumentFormat::Auto),
            "text" => Ok(DocumentFormat::Text),
            "markdown" => Ok(DocumentFormat::Markdown),
            "transcripts" => Ok(DocumentFormat::Transcripts),
            "html" | "jsonl" | "csv" | "parquet" => Err(self.complain(
                "documents.format",
                format!(
                    "{name:?} is not read yet: convert it, and write auto, text, markdown or transcripts"
                ),
            )),
            other => Err(self.complain(
                "documents.format",
                format!("{other:?} is none of auto, text, markdown, transcripts"),
            )),
        }
    }

    fn tokens(&self, section: &TokensSection) -> Result<TokensPlan> {
        let settings = text::tokens::TokenSettings {
            kind: match section.kind {
                TokenKind::Words => text::tokens::TokenKind::Words,
                TokenKind::Pattern => text::tokens::TokenKind::Pattern,
                TokenKind::Model => text::tokens::TokenKind::Model,
            },
            pattern: section.pattern.clone(),
            lowercase: section.lowercase,
            strip_accents: section.strip_accents,
            stop_words: match &section.stop_words {
                StopWords::List(words) => text::tokens::StopWords::List(words.clone()),
                StopWords::Named(name) if name.is_empty() => text::tokens::StopWords::List(Vec::new()),
                StopWords::Named(name) => text::tokens::StopWords::Language(name.clone()),
            },
            stem: section.stem.clone(),
        };
        let model = if section.kind == TokenKind::Model { Some(self.model(section)?) } else { None };
        match &model {
            None => text::tokens::Tokenizer::new(&settings).map(drop).map_err(|error| self.refuse(error))?,
            Some(ModelPlan::Load { path, json }) => {
                let model = text::model::TokenModel::from_json(json).map_err(|error| {
                    self.complain("tokens.model.path", format!("{}: {error}", path.display()))
                })?;
                text::tokens::Tokenizer::with_model(&settings, model)
                    .map(drop)
                    .map_err(|error| self.refuse(error))?;
            }
            Some(ModelPlan::Train(_)) => {}
        }
        Ok(TokensPlan { settings, model })
    }

    fn model(&self, section: &TokensSection) -> Result<ModelPlan> {
        match (&section.model.path, &section.model.train) {
            (Some(path), None) => {
                let path = self.base.join(path);
                let json = std::fs::read(&path)
                    .map_err(|error| self.complain("tokens.model.path", format!("{} cannot be read: {error}", path.display())))?;
                Ok(ModelPlan::Load { path, json })
            }
            (None, Some(kind)) => {
                let kind = kind.parse().map_err(|error| self.complain("tokens.model", error))?;
                let vocab_size = u32::try_from(section.model.vocab_size.unwrap_or(8000))
                    .map_err(|_| self.complain("tokens.model.vocab_size", "write fewer pieces"))?;
                let (lowercase, strip_accents) = (section.lowercase, section.strip_accents);
                Ok(ModelPlan::Train(text::model::TrainingSettings { kind, vocab_size, lowercase, strip_accents }))
            }
            _ => Err(self.complain(
                "tokens.model",
                "write { path = \"tokenizer.json\" } or { train = \"bpe\", vocab_size = 8000 } for kind = \"model\"",
            )),
        }
    }

    fn bag_of_words(&self, section: &BagOfWordsSection) -> Result<BagOfWordsPlan> {
        let [least, most] = section.ngrams;
        if least == 0 || most < least {
            return Err(self.complain(
                "bag_of_words.ngrams",
                format!("[{least}, {most}] is no range: write for example [1, 2]"),
            ));
        }
        let bound = |key: &str, threshold| match threshold {
            Threshold::Count(documents) => Ok(text::vocabulary::DocumentBound::Count(documents)),
            Threshold::Share(share) if (0.0..=1.0).contains(&share) => {
                Ok(text::vocabulary::DocumentBound::Share(share))
            }
            Threshold::Share(_) => {
                Err(self.complain(key, "write a number of documents or a share between 0.0 and 1.0"))
            }
        };
        Ok(BagOfWordsPlan {
            ngrams: section.ngrams,
            vocabulary: text::vocabulary::VocabularySettings {
                min_df: bound("bag_of_words.min_df", section.min_df)?,
                max_df: bound("bag_of_words.max_df", section.max_df)?,
                max_terms: section.max_terms,
            },
            weights: text::bag_of_words::WeightSettings {
                weight: match section.weight {
                    Weight::Count => text::bag_of_words::Weight::Count,
                    Weight::Binary => text::bag_of_words::Weight::Binary,
                    Weight::Tfidf => text::bag_of_words::Weight::TfIdf,
                    Weight::Bm25 => text::bag_of_words::Weight::Bm25,
                },
                smooth_idf: section.smooth_idf,
                sublinear_tf: section.sublinear_tf,
                norm: match section.norm {
                    Norm::Auto => None,
                    Norm::L2 => Some(text::bag_of_words::Norm::L2),
                    Norm::L1 => Some(text::bag_of_words::Norm::L1),
                    Norm::None => Some(text::bag_of_words::Norm::None),
                },
            },
        })
    }

    fn embeddings(&self, section: &EmbeddingsSection, seed: u64) -> Result<EmbeddingSettings> {
        if !section.formats.is_empty() {
            return Err(self.complain("embeddings.formats", "only Parquet is written yet: write []"));
        }
        let settings = EmbeddingSettings {
            model: match section.model {
                EmbeddingModel::Skipgram => Model::SkipGram,
                EmbeddingModel::Cbow => Model::Cbow,
            },
            dims: section.dims,
            window: section.window,
            negatives: section.negatives,
            epochs: section.epochs,
            sample: section.sample,
            min_count: section.min_count,
            alpha: section.alpha,
            subwords: section.subwords,
            seed,
        };
        settings.check().map_err(|error| self.refuse(error))?;
        Ok(settings)
    }

    fn clips(&self, file: &JobFile) -> Result<Option<ClipsPlan>> {
        let Some(section) = &file.clips else { return Ok(None) };
        if section.include.is_empty() {
            return Err(
                self.complain("clips.include", "names nothing: write for example [\"audio/**/*.wav\"]")
            );
        }
        let channel = match &section.channel {
            ChannelKey::Number(number) => Channel::Number(*number),
            ChannelKey::Named(name) if name == "mix" => Channel::Mix,
            ChannelKey::Named(name) => {
                return Err(
                    self.complain("clips.channel", format!("{name:?}: write \"mix\" or a number from 0"))
                );
            }
        };
        let on = |on| file.filters.iter().filter(move |filter| filter.on == on);
        let plan = ClipsPlan {
            include: self.patterns("clips.include", &section.include)?,
            exclude: self.patterns("clips.exclude", &section.exclude)?,
            rules: RecordingRules {
                identity: Identity::new(section.id, &section.group)
                    .map_err(|message| self.complain("clips.group", message))?,
                sample_rate: section.sample_rate,
                channel,
            },
            spectrogram: self.spectrogram(file)?,
            features: file.features.as_ref().map(|section| self.features(section)).transpose()?,
            waveform: on(FilterOn::Waveform).map(|filter| self.filter(filter)).collect::<Result<_>>()?,
            spectrogram_filters: on(FilterOn::Spectrogram)
                .map(|filter| self.filter(filter))
                .collect::<Result<_>>()?,
        };
        // A rate that is known now is checked now; with 0 each recording brings its own.
        let rate = if section.sample_rate == 0 { 16_000 } else { section.sample_rate };
        let checked = plan.waveform_filters(rate).and_then(|_| plan.analyzer(rate));
        match checked {
            Err(error) if section.sample_rate != 0 => Err(self.refuse(error)),
            _ => Ok(Some(plan)),
        }
    }

    fn spectrogram(&self, file: &JobFile) -> Result<SpectrogramSettings> {
        let section = file.spectrogram.clone().unwrap_or_default();
        Ok(SpectrogramSettings {
            profile: section.profile.parse().map_err(|error| self.refuse(error))?,
            fft_len: section.fft_len,
            win_len: section.win_len,
            hop_len: section.hop_len,
            mels: section.mels,
            store: section.store.parse().map_err(|error| self.refuse(error))?,
        })
    }

    fn features(&self, section: &super::file::FeaturesSection) -> Result<FeatureSettings> {
        Ok(FeatureSettings {
            sets: section
                .sets
                .iter()
                .map(|name| name.parse().map_err(|error| self.refuse(error)))
                .collect::<Result<_>>()?,
            mfcc: section.mfcc,
            pitch: PitchSettings {
                min_hz: section.pitch.min_hz,
                max_hz: section.pitch.max_hz,
                frame_len: section.pitch.frame_len,
                method: section.pitch.method.parse().map_err(|error| self.refuse(error))?,
            },
            frames: section.frames,
        })
    }

    fn filter(&self, section: &FilterSection) -> Result<KernelSpec> {
        let spec = KernelSpec {
            name: Some(section.kernel.clone()),
            taps: Some(match &section.taps {
                Taps::Row(taps) => convolution::Taps::Line(taps.clone()),
                Taps::Rows(rows) => convolution::Taps::Plane(rows.clone()),
            }),
            hz: section.hz.clone(),
            sigma: section.sigma,
            size: section.size,
            angle: section.angle,
            border: section.border.parse().map_err(|error| self.complain("filters.border", error))?,
        };
        if section.on == FilterOn::Spectrogram {
            spec.build_2d::<f32>().map_err(|error| self.complain("filters", error))?;
        }
        Ok(spec)
    }

    fn compare(&self, section: &super::file::CompareSection) -> Result<ComparePlan> {
        let pair_by = match section.pair_by.as_str() {
            "stem" => PairBy::Stem,
            "id" => PairBy::Id,
            file => {
                let path = self.base.join(file);
                let text = std::fs::read_to_string(&path).map_err(|error| {
                    let message = format!(
                        "{file:?} is neither \"stem\" nor \"id\", nor a csv file that can be read: {error}"
                    );
                    self.complain("compare.pair_by", message)
                })?;
                let rows = parse_pairs_csv(&text).map_err(|error| {
                    self.complain("compare.pair_by", format!("{}: {error}", path.display()))
                })?;
                PairBy::File(rows)
            }
        };
        let number = |key: &str, value: usize| {
            u32::try_from(value).map_err(|_| self.complain(key, "write a smaller number, such as 999"))
        };
        Ok(ComparePlan {
            pair_by,
            permutations: number("compare.permutations", section.permutations)?,
            bootstrap: number("compare.bootstrap", section.bootstrap)?,
        })
    }
}

impl ClipsPlan {
    /// What is computed from each recording; nothing where `[features]` is absent.
    fn feature_settings(&self) -> FeatureSettings {
        self.features
            .clone()
            .unwrap_or_else(|| FeatureSettings { sets: Vec::new(), ..FeatureSettings::default() })
    }

    /// Names of the values that an analysis gives, the same at every sample rate.
    pub fn names(&self) -> Vec<String> {
        self.feature_settings().names(self.spectrogram.mels)
    }

    /// The waveform filters planned for `sample_rate` Hz.
    pub fn waveform_filters(&self, sample_rate: u32) -> std::result::Result<WaveformFilters, String> {
        let filters: std::result::Result<Vec<_>, _> =
            self.waveform.iter().map(|spec| spec.build_1d(f64::from(sample_rate))).collect();
        filters.map(WaveformFilters::new).map_err(|error| format!("filters: {error}"))
    }

    /// The analysis planned for recordings of `sample_rate` Hz.
    pub fn analyzer(&self, sample_rate: u32) -> std::result::Result<Analyzer, String> {
        let filters: std::result::Result<Vec<_>, _> =
            self.spectrogram_filters.iter().map(KernelSpec::build_2d).collect();
        let settings = AnalyzerSettings {
            spectrogram: self.spectrogram,
            features: self.feature_settings(),
            waveform_filters: Vec::new(),
            spectrogram_filters: filters.map_err(|error| format!("filters: {error}"))?,
        };
        Analyzer::new(settings, sample_rate).map_err(|error| error.to_string())
    }
}

/// The hash of what changes results: not where the corpus or the results lie, how many runs are kept, or what the page shows.
/// Of a glob only the part below its literal folder counts, of a file its content.
fn config_hash(
    file: &JobFile,
    documents: Option<&DocumentsPlan>,
    clips: Option<&ClipsPlan>,
    compare: Option<&ComparePlan>,
) -> String {
    let rests = |patterns: &[Pattern]| patterns.iter().map(|pattern| pattern.rest().to_owned()).collect();
    let mut hashed = file.clone();
    hashed.job = super::file::JobSection { seed: file.job.seed, ..Default::default() };
    hashed.report = None;
    if let (Some(section), Some(plan)) = (&mut hashed.documents, documents) {
        (section.include, section.exclude) = (rests(&plan.include), rests(&plan.exclude));
    }
    if let (Some(section), Some(plan)) = (&mut hashed.clips, clips) {
        (section.include, section.exclude) = (rests(&plan.include), rests(&plan.exclude));
    }
    if let (Some(tokens), Some(ModelPlan::Load { json, .. })) =
        (&mut hashed.tokens, documents.and_then(|plan| plan.tokens.as_ref()?.model.as_ref()))
    {
        tokens.model.path = Some(blake3::hash(json).to_hex().to_string());
    }
    if let (Some(section), Some(ComparePlan { pair_by: PairBy::File(rows), .. })) =
        (&mut hashed.compare, compare)
    {
        section.pair_by = blake3::hash(format!("{rows:?}").as_bytes()).to_hex().to_string();
    }
    let canonical = serde_json::to_vec(&hashed).unwrap_or_default();
    blake3::hash(&canonical).to_hex().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(text: &str, folder: &str) -> Result<Plan> {
        Plan::new(JobFile::parse(text, "job.toml", &[])?, &Path::new(folder).join("job.toml"))
    }

    #[test]
    fn the_settings_hash_follows_what_changes_results_only() {
        let hash = |text: &str, folder: &str| plan(text, folder).unwrap().config_hash;
        let base = hash("[documents]\ninclude = ['a/**/*.txt']\n[tokens]", "/x");
        assert_eq!(
            base,
            hash("[documents]\ninclude = ['/other/b/**/*.txt']\n[tokens]\n[report]\nhtml = false", "/y")
        );
        assert_eq!(
            base,
            hash(
                "# note\n[job]\nname = 'n'\nkeep = 3\noutput = 'o'\n[documents]\ninclude = ['a/**/*.txt']\n[tokens]",
                "/x"
            )
        );
        assert_ne!(base, hash("[job]\nseed = 1\n[documents]\ninclude = ['a/**/*.txt']\n[tokens]", "/x"));
        assert_ne!(base, hash("[documents]\ninclude = ['a/**/*.md']\n[tokens]", "/x"));
    }

    #[test]
    fn what_cannot_be_is_refused_with_its_key() {
        for (text, hint) in [
            ("[job]\nname = 'x'", "the job reads nothing"),
            ("[tokens]\n[clips]", "add [documents]"),
            ("[features]\n[documents]", "add [clips]"),
            ("[documents]\n[compare]", "needs both"),
            ("[documents]\nformat = 'docx'", "documents.format"),
            ("[documents]\nformat = 'html'", "not read yet"),
            ("[documents]\ngroup = '('", "documents.group"),
            ("[documents]\n[bag_of_words]\nngrams = [2, 1]", "bag_of_words.ngrams"),
            ("[documents]\n[bag_of_words]\nmin_df = 1.5", "bag_of_words.min_df"),
            ("[documents]\n[embeddings]\ndims = 0", "dims"),
            ("[documents]\n[tokens]\nkind = 'model'", "tokens.model"),
            ("[clips]\nchannel = 'left'", "clips.channel"),
            ("[clips]\n[spectrogram]\nprofile = 'matlab'", "librosa"),
            ("[clips]\n[features]\nsets = ['melody']", "melody"),
            ("[clips]\n[[filters]]\nkernel = 'lowpas'\nhz = [100.0]", "lowpass"),
            ("[clips]\n[[filters]]\nkernel = 'lowpass'\nhz = [9000.0]", "8000"),
            ("[clips]\n[documents]\n[compare]\npair_by = 'none.csv'", "compare.pair_by"),
            ("[job]\nname = '../x'\n[clips]", "job.name"),
        ] {
            let error = plan(text, "/x").expect_err(text);
            assert_eq!(error.exit_code(), 78, "{text}");
            assert!(error.to_string().contains(hint), "{text}: {error}");
        }
    }

    #[test]
    fn absent_sections_are_stages_that_do_not_run() {
        let plan = plan("[documents]\n[bag_of_words]", "/x").unwrap();
        assert_eq!(plan.stages(), ["read", "tokens", "bag_of_words", "report"]);
        assert_eq!(plan.tables(), ["documents", "vocabulary", "terms", "warnings", "quarantine"]);
    }
}
