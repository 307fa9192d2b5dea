//! Sections of the job file to settings of the stages, each checked; what cannot be is refused with its key.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::plan::{
    BagOfWordsPlan, ClipsPlan, ComparePlan, DocumentVectors, DocumentsPlan, EmbeddingsPlan, ModelPlan,
    StartPlan, TokensPlan,
};
use super::record::RunRecord;
use super::sections::{
    BagOfWordsSection, ChannelKey, ClipsSection, CompareSection, DocumentsSection, EmbeddingModel,
    EmbeddingsSection, FeaturesSection, FilterOn, FilterSection, JobFile, Norm, StatisticsSection, StopWords,
    Taps, Threshold, TokenKind, TokensSection, Weight,
};
use crate::audio::{FeatureSettings, PitchSettings, SpectrogramSettings};
use crate::compare::pairs::{PairBy, parse_pairs_csv, stem};
use crate::convolution::{self, KernelSpec};
use crate::corpus::{
    Channel, DocumentFormat, DocumentRules, Fields, Identity, Pattern, Quarantined, RecordingRules, Stage,
    TimedWord, normalise, read_alignment, walk,
};
use crate::error::{Error, Result};
use crate::report::tables;
use crate::text;
use crate::text::embeddings::formats::ExportFormat;
use crate::text::embeddings::{EmbeddingSettings, Model};

/// Sizes of a codebook of sound.
const CODEBOOK: std::ops::RangeInclusive<usize> = 64..=2048;

/// The name of groups among the features that partial correlations hold constant.
const GROUP: &str = "group";

/// The words of recordings, what cannot be used, and the hash of both.
type Alignments = (BTreeMap<String, Vec<TimedWord>>, Vec<Quarantined>, String);

/// A byte-level model has a piece for every byte.
const MODEL_PIECES: u32 = 256;

/// Turns sections into settings; knows where the job file lies and how to complain about it.
pub(super) struct Resolver<'a> {
    pub base: &'a Path,
    pub place: String,
}

impl Resolver<'_> {
    pub fn complain(&self, key: &str, message: impl std::fmt::Display) -> Error {
        Error::job_file(&self.place, format!("{key}: {message}"))
    }

    /// For messages that name the key themselves.
    fn refuse(&self, error: impl std::fmt::Display) -> Error {
        Error::job_file(&self.place, error.to_string())
    }

    pub fn check_job(&self, file: &JobFile) -> Result<()> {
        let name = &file.job.name;
        if name.is_empty() || name.starts_with('.') || name.contains('/') || name.contains('\0') {
            return Err(self
                .complain("job.name", format!("{name:?} is no folder name: write for example \"corpus\"")));
        }
        if !(0.0..=1.0).contains(&file.job.max_quarantine) {
            return Err(self.complain("job.max_quarantine", "write a share between 0.0 and 1.0"));
        }
        let has_manifest = file.manifest.is_some();
        if has_manifest && (file.documents.is_some() || file.clips.is_some()) {
            let message =
                "gives documents and recordings: leave out [documents] and [clips], or this section";
            return Err(self.complain("manifest", message));
        }
        if file.documents.is_none() && file.clips.is_none() && !has_manifest {
            let message = "the job reads nothing: add [documents], [clips] or both, or [manifest]";
            return Err(self.complain("documents, clips", message));
        }
        if file.documents.is_none()
            && !has_manifest
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
            && !has_manifest
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

    pub fn documents(&self, file: &JobFile) -> Result<Option<DocumentsPlan>> {
        let manifest = self.manifest(file)?;
        let of_manifest = DocumentsSection { include: Vec::new(), ..DocumentsSection::default() };
        let section = match (&file.documents, &manifest) {
            (_, Some(_)) => &of_manifest,
            (Some(section), None) => section,
            (None, None) => return Ok(None),
        };
        if section.include.is_empty() && manifest.is_none() {
            return Err(
                self.complain("documents.include", "names nothing: write for example [\"text/**/*.txt\"]")
            );
        }
        self.check_fields(&section.fields)?;
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
        if let Some(section) = &file.statistics {
            section.phrase_settings().check().map_err(|error| self.refuse(error))?;
        }
        Ok(Some(DocumentsPlan {
            include: self.patterns("documents.include", &section.include)?,
            exclude: self.patterns("documents.exclude", &section.exclude)?,
            follow_links: section.follow_links,
            rules: DocumentRules {
                format: match &manifest {
                    Some(_) => DocumentFormat::Manifest,
                    None => self.format(&section.format)?,
                },
                split: section.split,
                fields: section.fields.clone(),
                identity: Identity::new(section.id, &section.group)
                    .map_err(|message| self.complain("documents.group", message))?,
            },
            tokens,
            bag_of_words,
            document_statistics: section.statistics,
            statistics: file.statistics.clone(),
            embeddings: file
                .embeddings
                .as_ref()
                .map(|section| self.embeddings(section, file.statistics.as_ref(), file.job.seed))
                .transpose()?,
            manifest,
        }))
    }

    /// Where the manifest lies, for a job that has one.
    fn manifest(&self, file: &JobFile) -> Result<Option<PathBuf>> {
        match &file.manifest {
            Some(section) if section.path.is_empty() => {
                Err(self.complain("manifest.path", "names no file: write for example \"manifest.jsonl\""))
            }
            Some(section) => Ok(Some(normalise(&self.base.join(&section.path)))),
            None => Ok(None),
        }
    }

    fn channel(&self, key: &str, channel: &ChannelKey) -> Result<Channel> {
        match channel {
            ChannelKey::Number(number) => Ok(Channel::Number(*number)),
            ChannelKey::Named(name) if name == "mix" => Ok(Channel::Mix),
            ChannelKey::Named(name) => {
                Err(self.complain(key, format!("{name:?}: write \"mix\" or a number from 0")))
            }
        }
    }

    fn check_fields(&self, fields: &Fields) -> Result<()> {
        if fields.text.is_empty() {
            return Err(self.complain("documents.fields.text", "names no field: write for example \"text\""));
        }
        let own = tables::documents(&[], &[]);
        for (at, name) in fields.keep.iter().enumerate() {
            if own.columns.iter().any(|(column, _)| column == name)
                || fields.keep[..at].contains(name)
                || name.is_empty()
            {
                let message =
                    format!("{name:?} cannot be a column of the documents table: it has one of that name");
                return Err(self.complain("documents.fields.keep", message));
            }
        }
        Ok(())
    }

    fn format(&self, name: &str) -> Result<DocumentFormat> {
        match name {
            "auto" => Ok(DocumentFormat::Auto),
            "text" => Ok(DocumentFormat::Text),
            "markdown" => Ok(DocumentFormat::Markdown),
            "html" => Ok(DocumentFormat::Html),
            "jsonl" => Ok(DocumentFormat::Jsonl),
            "csv" => Ok(DocumentFormat::Csv),
            "parquet" => Ok(DocumentFormat::Parquet),
            "transcripts" => Ok(DocumentFormat::Transcripts),
            other => Err(self.complain(
                "documents.format",
                format!("{other:?} is none of auto, text, markdown, html, jsonl, csv, parquet, transcripts"),
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
            min_length: section.min_length,
            numbers: section.numbers,
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
        Ok(TokensPlan { settings, offsets: section.offsets, model })
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
                if !section.stem.is_empty() {
                    return Err(self.complain("tokens.stem", "pieces of a model have no stem: write \"\""));
                }
                if vocab_size < MODEL_PIECES {
                    let message = format!("a model needs at least {MODEL_PIECES} pieces: write for example 8000");
                    return Err(self.complain("tokens.model.vocab_size", message));
                }
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
        if let (Threshold::Count(least), Threshold::Count(most)) = (section.min_df, section.max_df)
            && most < least
        {
            return Err(self.complain("bag_of_words.max_df", format!("{most} is less than min_df = {least}")));
        }
        let is_signed = section.columns > 0;
        if is_signed && !matches!(section.weight, Weight::Count | Weight::Binary) {
            let message = "hashed columns have no document frequencies: write weight = \"count\" or \"binary\" beside columns";
            return Err(self.complain("bag_of_words.weight", message));
        }
        if is_signed && !section.vocabulary.is_empty() {
            return Err(self.complain(
                "bag_of_words.columns",
                "leave out columns or vocabulary: each says what the columns are",
            ));
        }
        Ok(BagOfWordsPlan {
            ngrams: section.ngrams,
            fixed: self.vocabulary(&section.vocabulary)?,
            columns: section.columns,
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
                    Norm::L2 => Some(text::bag_of_words::Norm::L2),
                    Norm::L1 => Some(text::bag_of_words::Norm::L1),
                    Norm::None => Some(text::bag_of_words::Norm::None),
                },
            },
        })
    }

    /// The terms of the file `path`, a line each, sorted and each once; nothing where there is no file.
    fn vocabulary(&self, path: &str) -> Result<Option<Vec<String>>> {
        if path.is_empty() {
            return Ok(None);
        }
        let path = self.base.join(path);
        let refused =
            |reason: String| self.complain("bag_of_words.vocabulary", format!("{} {reason}", path.display()));
        let bytes = std::fs::read(&path).map_err(|error| refused(format!("cannot be read: {error}")))?;
        let text = String::from_utf8(bytes).map_err(|error| {
            refused(format!("is not UTF-8 at byte {}: save it as UTF-8", error.utf8_error().valid_up_to()))
        })?;
        let lines =
            text.trim_start_matches('\u{FEFF}').lines().map(str::trim).filter(|line| !line.is_empty());
        let mut terms: Vec<String> = lines.map(str::to_owned).collect();
        terms.sort_unstable();
        terms.dedup();
        if terms.is_empty() {
            return Err(refused("has no terms: write one on each line".into()));
        }
        Ok(Some(terms))
    }

    fn embeddings(
        &self,
        section: &EmbeddingsSection,
        statistics: Option<&StatisticsSection>,
        seed: u64,
    ) -> Result<EmbeddingsPlan> {
        let formats = section
            .formats
            .iter()
            .map(|name| name.parse().map_err(|error: String| self.complain("embeddings.formats", error)));
        let mut formats = formats.collect::<Result<Vec<ExportFormat>>>()?;
        formats.sort_unstable();
        formats.dedup();
        let documents = match section.documents.as_str() {
            "none" => DocumentVectors::None,
            "sif" => DocumentVectors::Sif,
            "dbow" => DocumentVectors::Dbow,
            other => {
                let message = format!("{other:?} is not known: write \"none\", \"sif\" or \"dbow\"");
                return Err(self.complain("embeddings.documents", message));
            }
        };
        let start = if section.start.is_empty() { None } else { Some(self.start(&section.start)?) };
        let training = EmbeddingSettings {
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
            softmax: section.softmax.parse().map_err(|error| self.refuse(error))?,
            subwords: section.subwords,
            buckets: section.buckets,
            documents: documents == DocumentVectors::Dbow,
            held_out: section.held_out,
            seed,
        };
        training.check().map_err(|error| self.refuse(error))?;
        let phrases = section.phrases.then(|| statistics.cloned().unwrap_or_default().phrase_settings());
        Ok(EmbeddingsPlan { training, phrases, documents, neighbours: section.neighbours, formats, start })
    }

    /// The vectors to start from, known by what they hold.
    fn start(&self, given: &str) -> Result<StartPlan> {
        let path = self.base.join(given);
        let mut files = vec![path.clone()];
        if path.is_dir() {
            let folder = RunRecord::folder_of(&path);
            files = vec![folder.join("embeddings.parquet")];
            files.extend(Some(folder.join("subwords.parquet")).filter(|file| file.is_file()));
        }
        let mut hasher = blake3::Hasher::new();
        for file in files {
            hasher.update_mmap(&file).map_err(|error| {
                let advice = "name a run with word vectors, or a file of vectors (.parquet, word2vec, GloVe, fastText)";
                self.complain("embeddings.start", format!("{} cannot be read: {error}; {advice}", file.display()))
            })?;
        }
        Ok(StartPlan { path, blake3: hasher.finalize().to_hex().to_string() })
    }

    pub fn clips(&self, file: &JobFile) -> Result<Option<ClipsPlan>> {
        let manifest = self.manifest(file)?;
        let of_manifest = file.manifest.as_ref().map(|section| ClipsSection {
            include: Vec::new(),
            sample_rate: section.sample_rate,
            channel: section.channel.clone(),
            ..ClipsSection::default()
        });
        let Some(section) = of_manifest.as_ref().or(file.clips.as_ref()) else { return Ok(None) };
        if section.include.is_empty() && manifest.is_none() {
            return Err(
                self.complain("clips.include", "names nothing: write for example [\"audio/**/*.wav\"]")
            );
        }
        let key = if manifest.is_some() { "manifest.channel" } else { "clips.channel" };
        let channel = self.channel(key, &section.channel)?;
        let on = |on| file.filters.iter().filter(move |filter| filter.on == on);
        let plan = ClipsPlan {
            manifest,
            include: self.patterns("clips.include", &section.include)?,
            exclude: self.patterns("clips.exclude", &section.exclude)?,
            follow_links: section.follow_links,
            rules: RecordingRules {
                identity: Identity::new(section.id, &section.group)
                    .map_err(|message| self.complain("clips.group", message))?,
                sample_rate: section.sample_rate,
                channel,
            },
            spectrogram: self.spectrogram(file)?,
            features: file
                .features
                .as_ref()
                .map(|section| self.features(section, file.compare.as_ref().is_some_and(|c| c.words)))
                .transpose()?,
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

    fn features(&self, section: &FeaturesSection, words: bool) -> Result<FeatureSettings> {
        if section.codebook > 0 && !(CODEBOOK.contains(&section.codebook)) {
            return Err(self.complain("features.codebook", "write 0 for none, or a number from 64 to 2048"));
        }
        if section.codebook > 0 && (section.mfcc == 0 || !section.sets.iter().any(|set| set == "mfcc")) {
            return Err(self.complain("features.codebook", "needs \"mfcc\" among features.sets: add it"));
        }
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
            frames: section.frames || section.codebook > 0 || words,
            cmvn: section.cmvn,
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
            db: section.db,
            transition_hz: section.transition_hz,
            q: section.q,
            gain_db: section.gain_db,
            zero_phase: section.zero_phase,
            sigma: section.sigma,
            wavelength: section.wavelength,
            range: section.range,
            amount: section.amount,
            size: section.size,
            footprint: section.footprint.clone(),
            order: section.order,
            derivative: section.derivative,
            angle: section.angle,
            border: section.border.parse().map_err(|error| self.complain("filters.border", error))?,
        };
        if section.on == FilterOn::Spectrogram {
            spec.build_2d::<f32>().map_err(|error| self.complain("filters", error))?;
        }
        Ok(spec)
    }

    /// The words that alignment files hold, by recording; what cannot be used; and the hash of all.
    fn alignments(&self, section: &CompareSection) -> Result<Alignments> {
        let patterns = self.patterns("compare.alignments", &section.alignments)?;
        if patterns.is_empty() {
            return Ok(Alignments::default());
        }
        if !section.words {
            return Err(self.complain("compare.alignments", "are read for compare.words = true: write that"));
        }
        let walk = walk(&patterns, &[], false, "compare.alignments")?;
        let mut aligned = BTreeMap::new();
        let mut unusable = walk.quarantined;
        for found in walk.found {
            let extension = found.path.extension().map(|end| end.to_string_lossy().into_owned());
            let read = std::fs::read(&found.path)
                .map_err(|error| error.to_string())
                .and_then(|bytes| read_alignment(bytes, &extension.unwrap_or_default()));
            match read {
                Ok(recordings) => {
                    let own = found.path.file_stem().map(|stem| stem.to_string_lossy().into_owned());
                    for recording in recordings {
                        let name = recording.recording.or_else(|| own.clone()).unwrap_or_default();
                        aligned.insert(stem(&name).to_owned(), recording.words);
                    }
                }
                Err(reason) => unusable.push(Quarantined {
                    source: found.source,
                    stage: Stage::Compare,
                    code: "unusable_alignment".into(),
                    reason,
                    byte_offset: None,
                }),
            }
        }
        let digest = blake3::hash(format!("{aligned:?} {unusable:?}").as_bytes()).to_hex().to_string();
        Ok((aligned, unusable, digest))
    }

    /// What a manifest names is paired: both sides have the same ids.
    pub fn compare(&self, section: &CompareSection, file: &JobFile) -> Result<ComparePlan> {
        let pair_by = match section.pair_by.as_str() {
            "stem" if file.manifest.is_some() => PairBy::Id,
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
        let (alignments, unusable, alignments_digest) = self.alignments(section)?;
        Ok(ComparePlan {
            pair_by,
            words: section.words,
            alignments,
            unusable,
            alignments_digest,
            permutations: number("compare.permutations", section.permutations)?,
            bootstrap: number("compare.bootstrap", section.bootstrap)?,
            control: section.control.iter().filter(|name| *name != GROUP).cloned().collect(),
            control_groups: section.control.iter().any(|name| name == GROUP),
        })
    }
}
