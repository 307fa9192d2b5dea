//! The plan: a job file checked as a whole and turned into the settings of each stage.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use super::resolver::Resolver;
use super::sections::{JobFile, JobSection, StatisticsSection};
use crate::audio::filters::WaveformFilters;
use crate::audio::{Analyzer, AnalyzerSettings, FeatureSettings, SpectrogramSettings};
use crate::compare::pairs::PairBy;
use crate::convolution::KernelSpec;
use crate::corpus::{DocumentRules, Pattern, Quarantined, RecordingRules, TimedWord, normalise, walk};
use crate::error::{Error, Result};
use crate::text;
use crate::text::embeddings::EmbeddingSettings;
use crate::text::embeddings::formats::ExportFormat;
use crate::text::phrases::PhraseSettings;

/// A job that can run: every setting checked, every path resolved.
#[derive(Debug)]
pub struct Plan {
    /// The job file as resolved, for run.json.
    pub(super) file: JobFile,
    /// Where the job file lies.
    pub(super) path: PathBuf,
    pub(super) output: PathBuf,
    pub(super) config_hash: String,
    pub(super) documents: Option<DocumentsPlan>,
    pub(super) clips: Option<ClipsPlan>,
    pub(super) compare: Option<ComparePlan>,
}

/// What becomes of documents.
#[derive(Debug)]
pub(super) struct DocumentsPlan {
    /// The rows of this file are the documents; there are no globs then.
    pub manifest: Option<PathBuf>,
    pub include: Vec<Pattern>,
    pub exclude: Vec<Pattern>,
    pub follow_links: bool,
    pub rules: DocumentRules,
    /// `None`: documents are listed, their words are not looked at.
    pub tokens: Option<TokensPlan>,
    pub bag_of_words: Option<BagOfWordsPlan>,
    /// Whether documents are measured.
    pub document_statistics: bool,
    pub statistics: Option<StatisticsSection>,
    pub embeddings: Option<EmbeddingsPlan>,
}

/// What becomes of word vectors.
#[derive(Debug)]
pub(super) struct EmbeddingsPlan {
    pub training: EmbeddingSettings,
    /// What words are joined by before the training, if they are.
    pub phrases: Option<PhraseSettings>,
    pub documents: DocumentVectors,
    /// Nearest words of every word; 0: none.
    pub neighbours: usize,
    /// In the order of [`ExportFormat::ALL`], none twice.
    pub formats: Vec<ExportFormat>,
    pub start: Option<StartPlan>,
}

/// Which vectors of documents are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum DocumentVectors {
    None,
    Sif,
    Dbow,
}

/// Vectors that a training starts from.
#[derive(Debug)]
pub(super) struct StartPlan {
    pub path: PathBuf,
    /// The hash of the file, or of the tables of the run.
    pub blake3: String,
}

/// How text is cut into tokens.
#[derive(Debug)]
pub(super) struct TokensPlan {
    pub settings: text::tokens::TokenSettings,
    pub model: Option<ModelPlan>,
    /// Whether the place of every token is written.
    pub offsets: bool,
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
    /// The terms of a fixed vocabulary.
    pub fixed: Option<Vec<String>>,
    /// Columns that terms are hashed into; 0 where they have a vocabulary.
    pub columns: u32,
    pub weights: text::bag_of_words::WeightSettings,
}

/// What becomes of recordings.
#[derive(Debug)]
pub(super) struct ClipsPlan {
    /// The rows of this file name the recordings; there are no globs then.
    pub manifest: Option<PathBuf>,
    pub include: Vec<Pattern>,
    pub exclude: Vec<Pattern>,
    pub follow_links: bool,
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
    /// Features that partial correlations hold constant.
    pub control: Vec<String>,
    /// Whether they hold groups constant.
    pub control_groups: bool,
    /// Whether words are placed in time.
    pub words: bool,
    /// The words of recordings that alignment files have, by the last part of the recording's id.
    pub alignments: BTreeMap<String, Vec<TimedWord>>,
    /// Alignment files that cannot be used.
    pub unusable: Vec<Quarantined>,
    /// The hash of what the alignment files hold.
    pub alignments_digest: String,
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
        let compare = file.compare.as_ref().map(|section| resolver.compare(section, &file)).transpose()?;
        let documents = resolver.documents(&file)?;
        let clips = resolver.clips(&file)?;
        if compare.is_some() && (documents.is_none() || clips.is_none()) {
            return Err(resolver.complain(
                "compare",
                "needs both [documents] and [clips], or a [manifest]: add what is missing",
            ));
        }
        let config_hash = config_hash(&file, documents.as_ref(), clips.as_ref(), compare.as_ref());
        Ok(Self {
            path: std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf()),
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
        let manifest = self.documents.as_ref().and_then(|plan| plan.manifest.as_ref());
        if let Some(path) = manifest {
            let state = if path.is_file() { "" } else { " (not there)" };
            let _ = writeln!(out, "manifest   {}{state}", path.display());
        }
        if let Some(plan) = self.documents.as_ref().filter(|_| manifest.is_none()) {
            let found = walk(&plan.include, &plan.exclude, plan.follow_links, "documents.include")?;
            let _ = writeln!(out, "documents  {} files", found.found.len());
        }
        if let Some(plan) = self.clips.as_ref().filter(|_| manifest.is_none()) {
            let found = walk(&plan.include, &plan.exclude, plan.follow_links, "clips.include")?;
            let _ = writeln!(out, "clips      {} files", found.found.len());
        }
        let _ = writeln!(out, "stages     {}", self.stages().join(", "));
        let _ = writeln!(out, "tables     {}", self.tables().join(", "));
        Ok(out)
    }

    /// Whether the run has a report page.
    pub(super) fn writes_page(&self) -> bool {
        self.file.report.as_ref().is_some_and(|section| section.html)
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
            ("filters", self.clips.as_ref().is_some_and(|plan| !plan.waveform.is_empty())),
            ("compare", self.compare.is_some()),
            ("report", true),
        ];
        asked.into_iter().filter_map(|(name, runs)| runs.then_some(name)).collect()
    }

    /// Entries of the codebook of sound; 0: none is made.
    pub(super) fn codebook(&self) -> usize {
        self.file.features.as_ref().filter(|_| self.clips.is_some()).map_or(0, |section| section.codebook)
    }

    /// The tables that a run writes.
    fn tables(&self) -> Vec<&'static str> {
        let documents = self.documents.as_ref();
        let statistics = documents.and_then(|plan| plan.statistics.as_ref());
        let embeddings = documents.and_then(|plan| plan.embeddings.as_ref());
        let features = self.clips.as_ref().and_then(|plan| plan.features.as_ref());
        let asked = [
            ("documents", documents.is_some()),
            ("vocabulary", documents.is_some_and(|plan| plan.bag_of_words.is_some())),
            ("terms", documents.is_some_and(|plan| plan.bag_of_words.is_some())),
            ("tokens", documents.is_some_and(|plan| plan.tokens.as_ref().is_some_and(|plan| plan.offsets))),
            ("collocations", documents.is_some_and(|plan| plan.statistics.is_some())),
            ("keyness", documents.is_some_and(|plan| plan.statistics.is_some())),
            ("duplicates", documents.is_some_and(|plan| plan.statistics.is_some())),
            ("laws", documents.is_some_and(|plan| plan.statistics.is_some())),
            ("dispersion", statistics.is_some_and(|section| section.dispersion)),
            ("phrases", statistics.is_some_and(|section| section.phrases)),
            ("topics", statistics.is_some_and(|section| section.topics > 0)),
            ("document_topics", statistics.is_some_and(|section| section.topics > 0)),
            ("embeddings", embeddings.is_some()),
            ("subwords", embeddings.is_some_and(|plan| plan.training.ngrams().is_some())),
            ("training", embeddings.is_some_and(|plan| plan.training.held_out > 0.0)),
            ("neighbours", embeddings.is_some_and(|plan| plan.neighbours > 0)),
            ("document_vectors", embeddings.is_some_and(|plan| plan.documents != DocumentVectors::None)),
            ("clips", self.clips.is_some()),
            ("frames", features.is_some_and(|features| features.frames)),
            (
                "spectrograms",
                self.clips.as_ref().is_some_and(|plan| plan.spectrogram.store != crate::audio::Store::None),
            ),
            ("pairs", self.compare.is_some()),
            ("correlations", self.compare.is_some()),
            ("spaces", self.compare.is_some()),
            ("predictions", self.compare.is_some()),
            ("suspects", self.compare.is_some()),
            ("words", self.compare.as_ref().is_some_and(|plan| plan.words)),
            ("word_sounds", self.compare.as_ref().is_some_and(|plan| plan.words)),
            ("sound_vocabulary", self.codebook() > 0),
            ("sound_terms", self.codebook() > 0),
            ("sound_collocations", self.codebook() > 0),
            (
                "sound_embeddings",
                self.codebook() > 0 && documents.is_some_and(|plan| plan.embeddings.is_some()),
            ),
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
    hashed.job = JobSection { seed: file.job.seed, ..Default::default() };
    hashed.report = None;
    if let (Some(section), Some(plan)) = (&mut hashed.documents, documents) {
        (section.include, section.exclude) = (rests(&plan.include), rests(&plan.exclude));
    }
    if let (Some(section), Some(plan)) = (&mut hashed.clips, clips) {
        (section.include, section.exclude) = (rests(&plan.include), rests(&plan.exclude));
    }
    if let (Some(section), Some(path)) =
        (&mut hashed.manifest, documents.and_then(|plan| plan.manifest.as_ref()))
    {
        section.path = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    }
    if let (Some(tokens), Some(ModelPlan::Load { json, .. })) =
        (&mut hashed.tokens, documents.and_then(|plan| plan.tokens.as_ref()?.model.as_ref()))
    {
        tokens.model.path = Some(blake3::hash(json).to_hex().to_string());
    }
    if let (Some(section), Some(start)) =
        (&mut hashed.embeddings, documents.and_then(|plan| plan.embeddings.as_ref()?.start.as_ref()))
    {
        section.start.clone_from(&start.blake3);
    }
    if let (Some(section), Some(ComparePlan { pair_by: PairBy::File(rows), .. })) =
        (&mut hashed.compare, compare)
    {
        section.pair_by = blake3::hash(format!("{rows:?}").as_bytes()).to_hex().to_string();
    }
    if let (Some(section), Some(plan)) = (&mut hashed.compare, compare) {
        section.alignments = vec![plan.alignments_digest.clone()];
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
        let manifest = |path: &str, folder: &str| hash(&format!("[manifest]\npath = '{path}'"), folder);
        assert_eq!(manifest("m.jsonl", "/x"), manifest("/y/m.jsonl", "/z"));
        assert_ne!(manifest("m.jsonl", "/x"), manifest("m.csv", "/x"));
    }

    #[test]
    fn what_cannot_be_is_refused_with_its_key() {
        for (text, hint) in [
            ("[job]\nname = 'x'", "the job reads nothing"),
            ("[manifest]\npath = 'm.jsonl'\n[clips]", "leave out"),
            ("[manifest]", "manifest.path"),
            ("[manifest]\npath = 'm.jsonl'\nchannel = 'left'", "manifest.channel"),
            ("[tokens]\n[clips]", "add [documents]"),
            ("[features]\n[documents]", "add [clips]"),
            ("[documents]\n[compare]", "needs both"),
            ("[documents]\nformat = 'docx'", "documents.format"),
            ("[documents]\nfields = { keep = ['lang', 'tokens'] }", "documents.fields.keep"),
            ("[documents]\nfields = { text = '' }", "documents.fields.text"),
            ("[documents]\ngroup = '('", "documents.group"),
            ("[documents]\n[bag_of_words]\nngrams = [2, 1]", "bag_of_words.ngrams"),
            ("[documents]\n[bag_of_words]\nmin_df = 1.5", "bag_of_words.min_df"),
            ("[documents]\n[embeddings]\ndims = 0", "dims"),
            (
                "[documents]\n[statistics]\nphrases = true\nphrase_score = 'npmi'",
                "statistics.phrase_threshold",
            ),
            ("[documents]\n[statistics]\nphrase_min_count = 0", "statistics.phrase_min_count"),
            ("[documents]\n[embeddings]\nformats = ['glove']", "embeddings.formats"),
            ("[documents]\n[embeddings]\nsoftmax = 'full'", "hierarchical"),
            ("[documents]\n[embeddings]\ndocuments = 'mean'", "embeddings.documents"),
            ("[documents]\n[embeddings]\nsubwords = [4, 3]", "subwords"),
            ("[documents]\n[embeddings]\nstart = 'gone.vec'", "embeddings.start"),
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
