//! The two sides held against each other: pairs, correlations, spaces.

use serde::{Deserialize, Serialize};

use super::desk::Desk;
use super::inputs::Inputs;
use super::key::Key;
use super::letters;
use super::plan::{ComparePlan, DocumentsPlan};
use super::settings::Settings;
use super::sound::Sound;
use super::spaces::{sound_spaces, text_spaces};
use super::words::Words;
use crate::compare::Resampling;
use crate::compare::correlations::{Correlation, correlations};
use crate::compare::dependence::{Control, dependences};
use crate::compare::features::FeatureTable;
use crate::compare::group_means::{GroupMean, as_items, group_means};
use crate::compare::groups::Groups;
use crate::compare::pairs::{PairProblem, pair};
use crate::compare::predictions::{Prediction, predictions};
use crate::compare::spaces::{Space, SpaceRelation, spaces};
use crate::compare::suspects::{Reason, Sizes, Suspect, suspects};
use crate::corpus::{DocumentRef, Stage, Warned};
use crate::error::Result;
use crate::report::{PairRow, SuspectRow, TEXT_FEATURES, Written, tables};

/// The q under which spaces count as related.
const SIGNIFICANT: f64 = 0.05;

/// Fewer groups have no correlation.
const FEWEST_GROUPS: usize = 3;

/// What the comparison found.
#[derive(Default, Serialize, Deserialize)]
pub(super) struct Relations {
    pub pairs: Vec<PairRow>,
    pub unpaired_documents: u64,
    pub unpaired_clips: u64,
    pub within_groups: bool,
    pub text: FeatureTable,
    pub sound: FeatureTable,
    pub correlations: Vec<Correlation>,
    pub spaces: Vec<SpaceRelation>,
    pub predictions: Vec<Prediction>,
    /// The features of each group of recordings, and how those of the groups are related.
    pub group_means: Vec<GroupMean>,
    pub group_correlations: Vec<Correlation>,
    pub suspects: Vec<SuspectRow>,
    pub warned: Vec<Warned>,
    #[serde(skip)]
    pub written: Vec<Written>,
    #[serde(skip)]
    pub key: Option<Key>,
}

/// The key of the comparison of what has these keys.
pub(super) fn relations_key(words: &[Key], sound: Option<Key>, settings: &Settings) -> Key {
    Key::of("relations", &(&settings.compare, &settings.bag_of_words, words, sound))
}

/// Relates documents and recordings, unless what is known of both is what it was.
pub(super) fn run(
    plan: &ComparePlan,
    documents: Option<(&DocumentsPlan, &Inputs<DocumentRef>)>,
    words: &Words,
    sound: &Sound,
    desk: &Desk<'_>,
) -> Result<Relations> {
    let key = relations_key(&words.keys, sound.key, desk.settings);
    let (mut relations, written) = desk.remember(&key, || {
        let mut relations = relate(plan, documents, words, sound, desk)?;
        let written = std::mem::take(&mut relations.written);
        Ok((relations, written))
    })?;
    desk.stages.seen(&["compare"], relations.pairs.len());
    relations.written = written;
    relations.key = Some(key);
    Ok(relations)
}

/// Pairs documents with recordings, relates their features and writes the tables.
fn relate(
    plan: &ComparePlan,
    documents: Option<(&DocumentsPlan, &Inputs<DocumentRef>)>,
    words: &Words,
    sound: &Sound,
    desk: &Desk<'_>,
) -> Result<Relations> {
    let document_ids: Vec<&str> = words.documents.iter().map(|row| &*row.doc_id).collect();
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
        let mut correlations = correlations(&text, &audio, &groups, &resampling);
        desk.interrupt.check()?;
        let control = Control { features: &plan.control, groups: plan.control_groups };
        dependences(&mut correlations, &text, &audio, &groups, &control, &resampling);
        desk.interrupt.check()?;
        let predictions = predictions(&text, &audio, &groups, &resampling);
        desk.interrupt.check()?;
        let (of_words, of_sounds) = (text_spaces(words, &members, desk)?, sound_spaces(sound, &audio));
        let spaces = spaces(&of_words, &of_sounds, &groups, &resampling);
        let related = related_spaces(&of_words, &of_sounds, &spaces);
        let mut sizes = sizes(&text, &audio);
        if let Some((documents, inputs)) = documents.filter(|_| plan.words) {
            let ids: Vec<(&str, &str)> =
                members.iter().map(|&(document, clip)| (document_ids[document], clip_ids[clip])).collect();
            sizes.spelling = letters::fits((documents, inputs), &ids, sound, desk)?;
        }
        let found = suspects(&sizes, &groups, related, desk.seed);
        let suspects =
            found.iter().map(|suspect| suspect_row(words, sound, members[suspect.pair], suspect)).collect();
        let unknown =
            plan.control.iter().filter(|name| !text.names.contains(name) && !audio.names.contains(name));
        let no_control: Vec<Warned> =
            unknown.filter(|_| total > 0).map(|name| no_such_feature(name)).collect();
        let pairs: Vec<PairRow> =
            members.iter().map(|&(document, clip)| pair_row(words, sound, document, clip)).collect();
        let (group_means, group_correlations) = of_groups(&pairs, &text, &audio, &resampling);
        desk.stages.advance(total);
        Ok(Relations {
            pairs,
            group_means,
            group_correlations,
            unpaired_documents: pairing.unpaired_documents.len() as u64,
            unpaired_clips: pairing.unpaired_clips.len() as u64,
            within_groups: labels.iter().any(Option::is_some),
            text,
            sound: audio,
            correlations,
            spaces,
            predictions,
            suspects,
            warned: pairing.ambiguous.into_iter().map(warning).chain(no_pairs).chain(no_control).collect(),
            ..Relations::default()
        })
    })?;
    for (table, file) in [
        (tables::pairs(&relations.pairs), "pairs.parquet"),
        (tables::correlations(&relations.correlations), "correlations.parquet"),
        (tables::spaces(&relations.spaces), "spaces.parquet"),
        (tables::predictions(&relations.predictions), "predictions.parquet"),
        (tables::group_means(&relations.group_means), "group_means.parquet"),
        (tables::group_correlations(&relations.group_correlations), "group_correlations.parquet"),
        (tables::suspects(&relations.suspects), "suspects.parquet"),
    ] {
        relations.written.push(desk.write(table, file)?);
    }
    Ok(relations)
}

/// The groups of the pairs, usually speakers: the means of their features, and how these are related over groups.
fn of_groups(
    pairs: &[PairRow],
    text: &FeatureTable,
    audio: &FeatureTable,
    resampling: &Resampling,
) -> (Vec<GroupMean>, Vec<Correlation>) {
    let labels: Vec<Option<&str>> = pairs.iter().map(|pair| pair.group.as_deref()).collect();
    let mut rate = FeatureTable::default();
    rate.push(
        "words_per_minute",
        pairs.iter().map(|pair| pair.words_per_minute.unwrap_or(f64::NAN)).collect(),
    );
    let means = group_means(&[("text", text), ("audio", audio), ("pair", &rate)], &labels);
    let (text, audio) = (as_items(text, &labels), as_items(audio, &labels));
    if text.rows() < FEWEST_GROUPS {
        return (means, Vec::new());
    }
    let groups = Groups::none(text.rows());
    (means, correlations(&text, &audio, &groups, resampling))
}

fn warning(problem: PairProblem) -> Warned {
    let PairProblem { source, code, reason } = problem;
    Warned { source, stage: Stage::Compare, code: code.into(), reason }
}

fn no_such_feature(name: &str) -> Warned {
    Warned {
        source: name.to_owned(),
        stage: Stage::Compare,
        code: "no_such_feature".into(),
        reason: "compare.control names a feature that neither documents nor recordings have: it holds nothing constant"
            .into(),
    }
}

/// The sizes of both sides of each pair, as far as the features tell them.
fn sizes(text: &FeatureTable, sound: &FeatureTable) -> Sizes {
    let column = |table: &FeatureTable, name: &str| {
        table.names.iter().position(|other| other == name).map(|at| table.columns[at].clone())
    };
    let rows = text.rows();
    Sizes {
        characters: column(text, "chars").unwrap_or_else(|| vec![f64::NAN; rows]),
        seconds: column(sound, "seconds").unwrap_or_else(|| vec![f64::NAN; rows]),
        silence_share: column(sound, "silence_share").unwrap_or_else(|| vec![0.0; rows]),
        nuclei: column(sound, "syllables").unwrap_or_default(),
        spelling: Vec::new(),
    }
}

/// The first two spaces whose partners are retrieved beyond chance.
fn related_spaces<'a>(
    texts: &'a [Space],
    sounds: &'a [Space],
    relations: &[SpaceRelation],
) -> Option<(&'a Space, &'a Space)> {
    let found = |row: &&SpaceRelation| row.measure == "mrr" && row.q.is_some_and(|q| q < SIGNIFICANT);
    let row = relations.iter().find(found)?;
    let text = texts.iter().find(|space| space.name == row.text_space)?;
    Some((text, sounds.iter().find(|space| space.name == row.audio_space)?))
}

fn suspect_row(
    words: &Words,
    sound: &Sound,
    (document, clip): (usize, usize),
    suspect: &Suspect,
) -> SuspectRow {
    let explanation = match (suspect.reason, suspect.times_expected) {
        (Reason::Rate, Some(times)) if times >= 1.0 => {
            format!("the speech is {times:.2} times as long as its text leads one to expect")
        }
        (Reason::Rate, times) => format!(
            "the speech is {:.2} of the length that its text leads one to expect",
            times.unwrap_or_default()
        ),
        (Reason::Silence, _) => "there are words, but the recording is silent".into(),
        (Reason::NoWords, _) => "there is sound, but no words".into(),
        (Reason::Spelling, _) => "the letters of the text do not go with the sound".into(),
        (Reason::Neighbours, _) => "the recording is unlike those of documents with similar words".into(),
    };
    SuspectRow {
        doc_id: words.documents[document].doc_id.to_string(),
        clip_id: sound.clips[clip].clip_id.clone(),
        score: suspect.score,
        reason: suspect.reason.name().into(),
        explanation,
    }
}

fn pair_row(words: &Words, sound: &Sound, document: usize, clip: usize) -> PairRow {
    let (text, recording) = (&words.documents[document], &sound.clips[clip]);
    let minutes = recording.seconds / 60.0;
    let tokens = text.tokens.map(|tokens| tokens as f64);
    PairRow {
        doc_id: text.doc_id.to_string(),
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
