//! The two sides held against each other: pairs, correlations, spaces.

use super::plan::ComparePlan;
use super::sound::Sound;
use super::words::{Desk, Words};
use crate::compare::Resampling;
use crate::compare::correlations::{Correlation, correlations};
use crate::compare::features::FeatureTable;
use crate::compare::groups::Groups;
use crate::compare::pairs::{PairProblem, pair};
use crate::compare::spaces::{Space, SpaceKind, SpaceRelation, spaces};
use crate::corpus::{Stage, Warned};
use crate::error::Result;
use crate::math::matrix::Matrix;
use crate::report::{PairRow, TEXT_FEATURES, Written, tables, write_table};

/// What the comparison found.
#[derive(Default)]
pub(super) struct Relations {
    pub pairs: Vec<PairRow>,
    pub unpaired_documents: u64,
    pub unpaired_clips: u64,
    pub within_groups: bool,
    pub text: FeatureTable,
    pub sound: FeatureTable,
    pub correlations: Vec<Correlation>,
    pub spaces: Vec<SpaceRelation>,
    pub warned: Vec<Warned>,
    pub written: Vec<Written>,
}

/// Pairs documents with recordings, relates their features and writes the tables.
pub(super) fn run(plan: &ComparePlan, words: &Words, sound: &Sound, desk: &Desk<'_>) -> Result<Relations> {
    let document_ids: Vec<&str> = words.documents.iter().map(|row| row.doc_id.as_str()).collect();
    let clip_ids: Vec<&str> = sound.clips.iter().map(|row| row.clip_id.as_str()).collect();
    let pairing = pair(&document_ids, &clip_ids, &plan.pair_by);
    let resampling =
        Resampling { seed: desk.seed, permutations: plan.permutations, bootstrap: plan.bootstrap };
    let total = pairing.pairs.len() as u64;
    let no_pairs = (total == 0).then(|| Warned {
        source: String::new(),
        stage: Stage::Compare,
        code: "no_pairs".into(),
        reason: "no document has a recording: see compare.pair_by and the ids of both sides".into(),
    });
    let mut relations = desk.stages.time("compare", total, "pairs", || {
        let members = pairing.pairs;
        // Within a speaker: what differs between speakers is no relation of words and sound.
        let labels: Vec<Option<&str>> =
            members.iter().map(|&(_, clip)| sound.clips[clip].group.as_deref()).collect();
        let groups = Groups::from_labels(&labels);
        let (text, audio) = (text_features(words, &members), sound_features(sound, &members));
        let correlations = correlations(&text, &audio, &groups, &resampling);
        desk.interrupt.check()?;
        let spaces =
            spaces(&text_spaces(words, &members), &sound_spaces(sound, &audio), &groups, &resampling);
        desk.stages.advance(total);
        Ok(Relations {
            pairs: members.iter().map(|&(document, clip)| pair_row(words, sound, document, clip)).collect(),
            unpaired_documents: pairing.unpaired_documents.len() as u64,
            unpaired_clips: pairing.unpaired_clips.len() as u64,
            within_groups: labels.iter().any(Option::is_some),
            text,
            sound: audio,
            correlations,
            spaces,
            warned: pairing.ambiguous.into_iter().map(warning).chain(no_pairs).collect(),
            written: Vec::new(),
        })
    })?;
    for (table, file) in [
        (tables::pairs(&relations.pairs), "pairs.parquet"),
        (tables::correlations(&relations.correlations), "correlations.parquet"),
        (tables::spaces(&relations.spaces), "spaces.parquet"),
    ] {
        relations.written.push(write_table(table, desk.folder, file, desk.provenance)?);
    }
    Ok(relations)
}

fn warning(problem: PairProblem) -> Warned {
    let PairProblem { source, code, reason } = problem;
    Warned { source, stage: Stage::Compare, code: code.into(), reason }
}

fn pair_row(words: &Words, sound: &Sound, document: usize, clip: usize) -> PairRow {
    let (text, recording) = (&words.documents[document], &sound.clips[clip]);
    let minutes = recording.seconds / 60.0;
    let tokens = text.statistics.as_ref().map(|statistics| statistics.tokens as f64);
    PairRow {
        doc_id: text.doc_id.clone(),
        clip_id: recording.clip_id.clone(),
        group: recording.group.clone().or_else(|| text.group.clone()),
        words_per_minute: tokens.filter(|_| minutes > 0.0).map(|tokens| tokens / minutes),
    }
}

fn text_features(words: &Words, members: &[(usize, usize)]) -> FeatureTable {
    let rows: Vec<_> = members.iter().map(|&(document, _)| words.documents[document].features()).collect();
    let mut table = FeatureTable::default();
    for (i, name) in TEXT_FEATURES.into_iter().enumerate() {
        table.push(name, rows.iter().map(|row| row[i].unwrap_or(f64::NAN)).collect());
    }
    table
}

/// `seconds` and every feature that has a value somewhere.
fn sound_features(sound: &Sound, members: &[(usize, usize)]) -> FeatureTable {
    let mut table = FeatureTable::default();
    table.push("seconds", members.iter().map(|&(_, clip)| sound.clips[clip].seconds).collect());
    for (i, name) in sound.names.iter().enumerate() {
        let column: Vec<f64> =
            members.iter().map(|&(_, clip)| sound.clips[clip].values[i].unwrap_or(f64::NAN)).collect();
        if column.iter().any(|value| value.is_finite()) {
            table.push(name.clone(), column);
        }
    }
    table
}

/// The mean word vector of each document.
fn text_spaces(words: &Words, members: &[(usize, usize)]) -> Vec<Space> {
    let Some(vectors) = &words.vectors else { return Vec::new() };
    let missing = vec![f64::NAN; vectors.embeddings.dims()];
    let rows: Vec<&[f64]> = members
        .iter()
        .map(|&(document, _)| vectors.documents[document].as_deref().unwrap_or(&missing))
        .collect();
    if rows.is_empty() || vectors.embeddings.dims() == 0 {
        return Vec::new();
    }
    vec![Space { name: "embeddings".into(), matrix: Matrix::from_rows(&rows), kind: SpaceKind::Embedding }]
}

/// The cepstra, the mel levels, and all features together.
fn sound_spaces(sound: &Sound, features: &FeatureTable) -> Vec<Space> {
    if sound.clips.is_empty() || features.rows() == 0 {
        return Vec::new();
    }
    let space = |name: &str, member: &dyn Fn(&str) -> bool| {
        let columns: Vec<&Vec<f64>> = features
            .names
            .iter()
            .zip(&features.columns)
            .filter(|(name, _)| member(name))
            .map(|(_, column)| column)
            .collect();
        let rows: Vec<Vec<f64>> =
            (0..features.rows()).map(|row| columns.iter().map(|column| column[row]).collect()).collect();
        (!columns.is_empty()).then(|| Space {
            name: name.into(),
            matrix: Matrix::from_rows(&rows),
            kind: SpaceKind::Features,
        })
    };
    [
        space("mfcc", &|name| name.starts_with("mfcc_")),
        space("mel", &|name| name.starts_with("mel_")),
        space("sound", &|name| !name.starts_with("mel_") && !name.starts_with("mfcc_")),
    ]
    .into_iter()
    .flatten()
    .collect()
}
