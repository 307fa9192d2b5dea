//! The settings that matter to each stage, as text: a part of the keys of its results.

use serde::Serialize;

use super::plan::{ComparePlan, ModelPlan, Plan};
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
        Self {
            documents: json(
                &file.documents.as_ref().map(|section| (&section.id, &section.group, &section.fields.keep)),
            ),
            tokens: json(&asks_for_tokens.then_some(&tokens)),
            ngrams: json(&ngrams),
            bag_of_words: json(&file.bag_of_words),
            collocations: json(&statistics.map(|section| section.collocations)),
            keyness: json(&statistics.map(|section| &section.keyness)),
            duplicates: json(&statistics.map(|section| (section.near_duplicates, seed))),
            embeddings: json(&(&file.embeddings, seed)),
            clips: json(&file.clips.as_ref().map(|section| (&section.id, &section.group))),
            analysis: json(&(
                file.clips.as_ref().map(|section| (section.sample_rate, &section.channel)).or_else(|| {
                    file.manifest.as_ref().map(|section| (section.sample_rate, &section.channel))
                }),
                &file.spectrogram,
                &file.features,
                &file.filters,
            )),
            compare: json(&(&file.compare, pairs, seed)),
        }
    }
}

fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}
