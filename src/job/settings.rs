//! The settings that matter to each stage, as text: a part of the keys of its results.

use serde::Serialize;

use super::plan::{ComparePlan, DocumentsPlan, ModelPlan, Plan};
use super::sections::{CompareSection, EmbeddingsSection, FeaturesSection};
use crate::compare::pairs::PairBy;

/// What the job file says to each stage, defaults written out. Where files lie and how many runs are kept matters to none.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Settings {
    /// How files become documents.
    pub documents: String,
    /// How text becomes tokens.
    pub tokens: String,
    /// Words of a term at least and at most.
    pub ngrams: String,
    pub bag_of_words: String,
    pub collocations: String,
    pub keyness: String,
    pub duplicates: String,
    pub laws: String,
    /// `None`, as for those that follow: not asked for.
    pub dispersion: Option<String>,
    pub phrases: Option<String>,
    pub topics: Option<String>,
    pub embeddings: String,
    /// How files become clips.
    pub clips: String,
    /// What is computed from a clip.
    pub analysis: String,
    pub compare: String,
}

impl Settings {
    /// The settings of `plan`.
    pub fn of(plan: &Plan) -> Self {
        let file = &plan.file;
        let documents = plan.documents.as_ref();
        let mut tokens = file.tokens.clone().unwrap_or_default();
        // It changes no count.
        tokens.offsets = false;
        if let Some(ModelPlan::Load { json, .. }) =
            documents.and_then(|plan| plan.tokens.as_ref()?.model.as_ref())
        {
            tokens.model.path = Some(blake3::hash(json).to_hex().to_string());
        }
        let asks_for_tokens = documents.is_some_and(|plan| plan.tokens.is_some());
        let ngrams = documents.and_then(|plan| plan.bag_of_words.as_ref()).map_or([1, 1], |bag| bag.ngrams);
        let statistics = file.statistics.as_ref();
        let seed = file.job.seed;
        let pairs = plan.compare.as_ref().map(|ComparePlan { pair_by, .. }| match pair_by {
            PairBy::File(rows) => format!("{rows:?}"),
            _ => String::new(),
        });
        let embeddings = file.embeddings.as_ref().map(|section| training_of(section, documents));
        Self {
            documents: json(
                &file
                    .documents
                    .as_ref()
                    .map(|section| (&section.id, &section.group, &section.fields.keep, section.statistics)),
            ),
            tokens: json(&asks_for_tokens.then_some(&tokens)),
            ngrams: json(&ngrams),
            bag_of_words: json(&(
                &file.bag_of_words,
                documents.and_then(|plan| plan.bag_of_words.as_ref()?.fixed.as_ref()),
            )),
            collocations: json(&statistics.map(|section| section.collocations)),
            keyness: json(&statistics.map(|section| &section.keyness)),
            duplicates: json(&statistics.map(|section| (section.near_duplicates, seed))),
            laws: json(&statistics.is_some()),
            dispersion: statistics.filter(|section| section.dispersion).map(|_| json(&file.bag_of_words)),
            phrases: statistics
                .filter(|section| section.phrases)
                .map(|section| json(&section.phrase_settings())),
            topics: statistics
                .filter(|section| section.topics > 0)
                .map(|section| json(&(section.topics, &file.bag_of_words, seed))),
            embeddings: json(&(
                embeddings,
                seed,
                documents.and_then(|plan| plan.embeddings.as_ref()?.phrases.as_ref()),
            )),
            clips: json(&file.clips.as_ref().map(|section| (&section.id, &section.group))),
            analysis: json(&(
                file.clips.as_ref().map(|section| (section.sample_rate, &section.channel)).or_else(|| {
                    file.manifest.as_ref().map(|section| (section.sample_rate, &section.channel))
                }),
                &file.spectrogram,
                // A codebook asks for frames, and its size matters to what is made of them.
                &file.features.clone().map(|section| FeaturesSection { codebook: 0, ..section }),
                plan.clips.as_ref().and_then(|plan| plan.features.as_ref()).is_some_and(|set| set.frames),
                &file.filters,
            )),
            compare: json(&(
                // Words in time have a key of their own.
                file.compare.clone().map(|section| CompareSection { alignments: Vec::new(), ..section }),
                pairs,
                seed,
            )),
        }
    }
}

/// What the training depends on: the rest of the section says what is made of it afterwards.
fn training_of(section: &EmbeddingsSection, documents: Option<&DocumentsPlan>) -> EmbeddingsSection {
    let start = documents.and_then(|plan| plan.embeddings.as_ref()?.start.as_ref());
    EmbeddingsSection {
        start: start.map(|start| start.blake3.clone()).unwrap_or_default(),
        documents: if section.documents == "dbow" { "dbow".to_owned() } else { String::new() },
        neighbours: 0,
        formats: Vec::new(),
        ..section.clone()
    }
}

fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}
