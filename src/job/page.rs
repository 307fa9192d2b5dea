//! What the report page is told: the results of a run, chosen and cut to what a page can hold.

use std::collections::BTreeMap;

use super::clip::{Plans, Scratch};
use super::inputs::AllInputs;
use super::plan::Plan;
use super::relations::Relations;
use super::run::Outcome;
use super::sound::Sound;
use super::statistics::corpus_section;
use super::vectors::WordVectors;
use super::word_level::WordLevel;
use super::words::Words;
use crate::audio::Profile;
use crate::compare::correlations::Correlation;
use crate::compare::group_means::GroupMean;
use crate::compare::similarity::centred;
use crate::corpus::{DocumentReader, Stage, read_clip};
use crate::math::linear::SymmetricEigen;
use crate::math::matrix::Matrix;
use crate::math::neighbour_embedding::neighbour_embedding;
use crate::report::page::{self, ReportData};
use crate::report::{ClipRow, WordRow, Written};
use crate::text::embeddings::nearest;

/// How much of each list the page is given; the tables have all of it.
const TERMS: usize = 60;
const PICTURES: usize = 6;
const PICTURE_SECONDS: f64 = 20.0;
const SUSPECT_PICTURES: usize = 4;
/// Sound that the page holds, and that one recording may take of it: a page of under 5 MB has it in 4 / 3 of its bytes.
const AUDIO_BYTES: usize = 2_200_000;
const CLIP_AUDIO_BYTES: usize = 640_044;
const NEIGHBOURS_OF: usize = 16;
const NEIGHBOURS: usize = 8;
const MAP_WORDS: usize = 120;
/// Words that count as near in the map of neighbours.
const PERPLEXITY: f64 = 15.0;
const SCATTERS: usize = 6;

/// Everything that the page shows of this run.
pub(super) fn data(plan: &Plan, inputs: &AllInputs, outcome: &Outcome) -> ReportData {
    let (words, sound) = (outcome.words.as_ref(), outcome.sound.as_ref());
    let relations = outcome.relations.as_ref();
    let (quarantine, warnings) = exclusions(words, sound, relations);
    let mut gallery =
        Gallery { plan, inputs, relations, words: outcome.word_level.as_ref(), room: AUDIO_BYTES };
    let suspects = sound.map_or_else(Vec::new, |sound| gallery.pictures(&suspected(sound, relations)));
    ReportData {
        job: plan.file.job.name.clone(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        config_hash: plan.config_hash.clone(),
        documents: words.map(documents_read),
        clips: sound.map(clips_read),
        words: words.filter(|words| !words.documents.is_empty()).map(|words| words_section(plan, words)),
        corpus: words.and_then(corpus_section),
        sound: sound.filter(|sound| !sound.clips.is_empty()).map(|sound| page::Sound {
            features: features(sound),
            spectrograms: gallery.pictures(&examples(sound, relations)),
        }),
        relations: plan.compare.as_ref().zip(relations).map(|(compare, relations)| page::Relations {
            word_relations: outcome
                .word_level
                .iter()
                .flat_map(|level| &level.correlations)
                .map(relation)
                .collect(),
            suspect_pictures: suspects,
            ..relations_section(compare.permutations, compare.bootstrap, relations)
        }),
        quarantine,
        warnings,
        tables: table_files(&outcome.written),
    }
}

fn exclusions(
    words: Option<&Words>,
    sound: Option<&Sound>,
    relations: Option<&Relations>,
) -> (Vec<page::Exclusion>, Vec<page::Exclusion>) {
    let exclusion = |source: &str, stage: Stage, code: &str, reason: &str, byte_offset| page::Exclusion {
        source: source.to_owned(),
        stage: stage.name().to_owned(),
        code: code.to_owned(),
        reason: reason.to_owned(),
        byte_offset,
        command: String::new(),
    };
    let quarantined = words.iter().flat_map(|words| &words.quarantined);
    let mut quarantine: Vec<page::Exclusion> = quarantined
        .chain(sound.iter().flat_map(|sound| &sound.quarantined))
        .map(|row| page::Exclusion {
            command: row.command(),
            ..exclusion(&row.source, row.stage, &row.code, &row.reason, row.byte_offset)
        })
        .collect();
    let warned = words.iter().flat_map(|words| &words.warned);
    let mut warnings: Vec<page::Exclusion> = warned
        .chain(sound.iter().flat_map(|sound| &sound.warned))
        .chain(relations.iter().flat_map(|relations| &relations.warned))
        .map(|row| exclusion(&row.source, row.stage, &row.code, &row.reason, None))
        .collect();
    let key = |row: &page::Exclusion| (row.source.clone(), row.code.clone());
    quarantine.sort_by_key(key);
    warnings.sort_by_key(key);
    (quarantine, warnings)
}

/// Counts by name, the largest first, then by name.
fn counted<'a>(names: impl Iterator<Item = &'a str>) -> Vec<page::Count> {
    let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
    names.for_each(|name| *counts.entry(name).or_default() += 1);
    let mut counts: Vec<page::Count> =
        counts.into_iter().map(|(name, count)| page::Count { name: name.to_owned(), count }).collect();
    counts.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.name.cmp(&b.name)));
    counts
}

fn documents_read(words: &Words) -> page::DocumentsRead {
    let statistics = || words.documents.iter().filter_map(|row| row.statistics.as_deref());
    let tokens = || words.documents.iter().filter_map(|row| row.tokens);
    page::DocumentsRead {
        documents: words.documents.len() as u64,
        tokens: tokens().sum(),
        types: words.types,
        groups: counted(words.documents.iter().filter_map(|row| row.group.as_deref())),
        languages: counted(statistics().filter_map(|statistics| statistics.language.as_deref())),
        lengths: tokens().map(|tokens| tokens as f64).collect(),
    }
}

fn clips_read(sound: &Sound) -> page::ClipsRead {
    let mut groups: BTreeMap<&str, page::ClipGroup> = BTreeMap::new();
    for row in &sound.clips {
        if let Some(name) = &row.group {
            let group = groups.entry(name).or_default();
            group.name.clone_from(name);
            group.clips += 1;
            group.seconds += row.seconds;
        }
    }
    page::ClipsRead {
        clips: sound.clips.len() as u64,
        seconds: sound.clips.iter().map(|row| row.seconds).sum(),
        groups: groups.into_values().collect(),
        durations: sound.clips.iter().map(|row| row.seconds).collect(),
    }
}

fn words_section(plan: &Plan, words: &Words) -> page::Words {
    let top_terms = words.vocabulary.as_ref().map_or_else(Vec::new, |(vocabulary, idf)| {
        let terms = vocabulary.terms().iter().zip(vocabulary.cf()).zip(vocabulary.df()).zip(idf);
        terms
            .take(TERMS)
            .map(|(((term, &cf), &df), &idf)| page::TopTerm {
                term: term.to_owned(),
                cf,
                df: u64::from(df),
                idf,
            })
            .collect()
    });
    let target = plan.file.statistics.as_ref().map(|section| section.keyness.clone()).unwrap_or_default();
    page::Words {
        top_terms,
        keyness: words.keyness.as_ref().map(|rows| page::Keyness {
            target,
            terms: rows
                .iter()
                .take(TERMS)
                .map(|row| page::KeyTerm {
                    term: row.term.clone(),
                    target_count: row.target_count,
                    reference_count: row.reference_count,
                    g2: row.g2,
                    p: row.p,
                    q: row.q,
                    log_ratio: row.log_ratio.unwrap_or(0.0),
                })
                .collect(),
        }),
        collocations: words
            .collocations
            .iter()
            .take(TERMS)
            .map(|row| page::Collocation {
                first: row.first.clone(),
                second: row.second.clone(),
                count: row.count,
                npmi: row.npmi.unwrap_or(1.0),
                g2: row.g2,
            })
            .collect(),
        duplicates: words.duplicates.as_ref().map(|rows| {
            let duplicate = |row: &crate::report::DuplicateRow| page::Duplicate {
                doc_id_a: row.doc_id_a.clone(),
                doc_id_b: row.doc_id_b.clone(),
                jaccard: row.jaccard,
            };
            rows.iter().take(TERMS).map(duplicate).collect()
        }),
        embeddings: words
            .vectors
            .as_ref()
            .filter(|vectors| !vectors.words.is_empty())
            .map(|vectors| embeddings_section(words, vectors)),
    }
}

fn embeddings_section(words: &Words, vectors: &WordVectors) -> page::Embeddings {
    let telling = telling_words(words, vectors);
    let near = |word: usize| page::Neighbours {
        term: vectors.words[word].term.clone(),
        count: vectors.words[word].count,
        near: nearest(&vectors.embeddings, word, NEIGHBOURS)
            .into_iter()
            .map(|(other, cosine)| (vectors.words[other].term.clone(), f64::from(cosine)))
            .collect(),
    };
    let (map, map_variance) = word_map(&telling, vectors);
    page::Embeddings {
        dims: vectors.embeddings.dims() as u64,
        words: vectors.words.len() as u64,
        neighbours: telling.iter().take(NEIGHBOURS_OF).map(|&word| near(word)).collect(),
        map,
        map_variance,
    }
}

/// Words by count times idf, since the most frequent words alone are the ones that every text has.
fn telling_words(words: &Words, vectors: &WordVectors) -> Vec<usize> {
    // The smallest idf is that of a word in every document: it tells nothing.
    let least =
        words.vocabulary.as_ref().map_or(0.0, |(_, idf)| idf.iter().copied().fold(f64::INFINITY, f64::min));
    let telling = |term: &str| {
        let (vocabulary, idf) = words.vocabulary.as_ref()?;
        idf.get(vocabulary.id(term)? as usize).map(|idf| idf - least)
    };
    let score = |word: &WordRow| word.count as f64 * telling(&word.term).unwrap_or(1.0);
    let mut scored: Vec<(f64, usize)> =
        vectors.words.iter().enumerate().map(|(i, word)| (score(word), i)).collect();
    scored.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    scored.into_iter().map(|(_, i)| i).collect()
}

/// The telling words in the plane: their first two principal components, by the eigenvectors of the Gram matrix of their vectors, and
/// the plane in which near words stay near, which begins from these.
fn word_map(telling: &[usize], vectors: &WordVectors) -> (Vec<page::MapWord>, Option<(f64, f64)>) {
    let chosen = &telling[..telling.len().min(MAP_WORDS)];
    let dims = vectors.embeddings.dims();
    if chosen.len() < 3 || dims < 2 {
        return (Vec::new(), None);
    }
    let mut scaled = Matrix::zeros(chosen.len(), dims);
    for (row, &word) in chosen.iter().enumerate() {
        let vector = vectors.embeddings.vector(word).unwrap_or_default();
        let norm = vector.iter().map(|&x| f64::from(x) * f64::from(x)).sum::<f64>().sqrt().max(1e-12);
        vector.iter().enumerate().for_each(|(i, &x)| scaled.set(row, i, f64::from(x) / norm));
    }
    let centred = centred(&scaled);
    let eigen = SymmetricEigen::new(&centred.product(&centred.transpose()));
    let all: f64 = eigen.values.iter().map(|value| value.max(0.0)).sum();
    let coordinate =
        |row: usize, axis: usize| eigen.vectors.at(axis, row) * eigen.values[axis].max(0.0).sqrt();
    let plane: Vec<[f64; 2]> =
        (0..chosen.len()).map(|row| [coordinate(row, 0), coordinate(row, 1)]).collect();
    let near = neighbour_embedding(&scaled, &plane, PERPLEXITY);
    let map = chosen
        .iter()
        .zip(plane.iter().zip(near))
        .map(|(&word, (&[x, y], near))| page::MapWord {
            term: vectors.words[word].term.clone(),
            count: vectors.words[word].count,
            x,
            y,
            near,
        })
        .collect();
    let share = |axis: usize| eigen.values[axis].max(0.0) / all;
    (map, (all > 0.0).then(|| (share(0), share(1))))
}

fn features(sound: &Sound) -> Vec<page::FeatureSummary> {
    let column = |i: usize| -> Vec<f64> { sound.clips.iter().filter_map(|row| row.values[i]).collect() };
    let names = sound.names.iter().enumerate();
    names.filter_map(|(i, name)| page::FeatureSummary::of(name, &column(i))).collect()
}

/// The recordings of which the page has pictures.
pub(super) fn pictured<'a>(sound: &'a Sound, relations: Option<&Relations>) -> Vec<&'a ClipRow> {
    suspected(sound, relations).into_iter().chain(examples(sound, relations)).collect()
}

fn is_short(row: &ClipRow) -> bool {
    row.seconds > 0.0 && row.seconds <= PICTURE_SECONDS
}

/// The recordings of the worst suspects, the short ones.
fn suspected<'a>(sound: &'a Sound, relations: Option<&Relations>) -> Vec<&'a ClipRow> {
    let row = |id: &str| {
        let at = sound.clips.binary_search_by(|row| row.clip_id.as_str().cmp(id)).ok()?;
        sound.clips.get(at).filter(|row| is_short(row))
    };
    let worst = relations.iter().flat_map(|relations| &relations.suspects);
    worst.filter_map(|suspect| row(&suspect.clip_id)).take(SUSPECT_PICTURES).collect()
}

/// The first clip of each group, then further clips, the short ones that are not shown as suspects.
fn examples<'a>(sound: &'a Sound, relations: Option<&Relations>) -> Vec<&'a ClipRow> {
    let shown: Vec<&str> = suspected(sound, relations).iter().map(|row| row.clip_id.as_str()).collect();
    let mut seen = std::collections::BTreeSet::new();
    let new = |row: &&ClipRow| is_short(row) && !shown.contains(&row.clip_id.as_str());
    let (firsts, others): (Vec<&ClipRow>, Vec<&ClipRow>) =
        sound.clips.iter().filter(new).partition(|row| row.group.is_some() && seen.insert(&row.group));
    firsts.into_iter().chain(others).take(PICTURES).collect()
}

/// What pictures of recordings are made of.
struct Gallery<'a> {
    plan: &'a Plan,
    inputs: &'a AllInputs,
    relations: Option<&'a Relations>,
    words: Option<&'a WordLevel>,
    /// Bytes of sound that the page still has room for.
    room: usize,
}

impl Gallery<'_> {
    fn pictures(&mut self, rows: &[&ClipRow]) -> Vec<page::Spectrogram> {
        let Some(clips) = &self.plan.clips else { return Vec::new() };
        let plans = Plans::new(clips);
        let mut scratch = Scratch::default();
        rows.iter().filter_map(|row| self.picture(row, &plans, &mut scratch)).collect()
    }

    fn picture(&mut self, row: &ClipRow, plans: &Plans, scratch: &mut Scratch) -> Option<page::Spectrogram> {
        let clips = self.plan.clips.as_ref()?;
        let clip = read_clip(self.inputs.1.as_ref()?.find(&row.clip_id)?, &clips.rules).ok()?;
        let levels = plans.mel_levels(&clip, scratch).ok()?;
        let wav = page::wav(&clip.samples, clip.sample_rate);
        let wav = if wav.len() <= self.room.min(CLIP_AUDIO_BYTES) { wav } else { Vec::new() };
        self.room -= wav.len();
        let words =
            self.words.iter().flat_map(|level| &level.shown).filter(|word| word.clip_id == row.clip_id);
        Some(page::Spectrogram {
            clip_id: row.clip_id.clone(),
            group: row.group.clone().unwrap_or_default(),
            transcript: transcript(self.plan, self.inputs, row, self.relations),
            seconds: row.seconds,
            max_hz: f64::from(clip.sample_rate) / 2.0,
            bands: levels.bands,
            levels_db: decibels(&levels.values, clips.spectrogram.profile),
            ticks_hz: ticks(&clips.spectrogram, clip.sample_rate),
            envelope: envelope(&clip.samples),
            words: words
                .map(|word| page::SpokenWord { term: word.term.clone(), start: word.start, end: word.end })
                .collect(),
            wav,
        })
    }
}

/// Levels of any profile in dB: Kaldi's are natural logarithms, Whisper's (log10 + 4) / 4.
pub(super) fn decibels(levels: &[f32], profile: Profile) -> Vec<f32> {
    let db = |level: f32| match profile {
        Profile::Librosa => level,
        Profile::Kaldi => level * 10.0 / std::f32::consts::LN_10,
        Profile::Whisper => (level * 4.0 - 4.0) * 10.0,
    };
    levels.iter().map(|&level| db(level)).collect()
}

pub(super) fn ticks(settings: &crate::audio::SpectrogramSettings, sample_rate: u32) -> Vec<(f64, f64)> {
    [500.0, 1000.0, 2000.0, 4000.0, 8000.0]
        .into_iter()
        .filter(|&hz| hz <= f64::from(sample_rate) / 2.0)
        .map(|hz| (hz, settings.band_position(hz, sample_rate)))
        .collect()
}

/// Columns of the waveform's envelope.
const ENVELOPE: usize = 300;

fn envelope(samples: &[f32]) -> Vec<(f32, f32)> {
    let stretch = samples.len().div_ceil(ENVELOPE).max(1);
    let ends = |part: &[f32]| part.iter().fold((0.0f32, 0.0f32), |(low, high), &x| (low.min(x), high.max(x)));
    samples.chunks(stretch).map(ends).collect()
}

/// What is said in a recording: the text of the document that it is paired with.
fn transcript(plan: &Plan, inputs: &AllInputs, row: &ClipRow, relations: Option<&Relations>) -> String {
    let text = || {
        let pair = relations?.pairs.iter().find(|pair| pair.clip_id == row.clip_id)?;
        let reference = inputs.0.as_ref()?.find(&pair.doc_id)?;
        let rules = &plan.documents.as_ref()?.rules;
        let document = DocumentReader::new(rules).read(&[reference]).pop()?.ok()?;
        Some(document.text.trim().to_owned())
    };
    text().unwrap_or_default()
}

fn relation(row: &Correlation) -> page::Relation {
    page::Relation {
        text_feature: row.text_feature.clone(),
        audio_feature: row.audio_feature.clone(),
        n: u64::from(row.n),
        pearson: row.pearson,
        spearman: row.spearman,
        ci_low: row.ci_low,
        ci_high: row.ci_high,
        p: row.p,
        q: row.q,
    }
}

/// The means of a group that a page shows.
fn group_mean(row: &GroupMean) -> page::GroupMean {
    page::GroupMean {
        group: row.group.clone(),
        feature: row.feature.clone(),
        n: u64::from(row.n),
        mean: row.mean,
        ci_low: row.ci_low,
        ci_high: row.ci_high,
        q: row.q,
    }
}

fn relations_section(permutations: u32, bootstrap: u32, relations: &Relations) -> page::Relations {
    let rows: Vec<page::Relation> = relations.correlations.iter().map(relation).collect();
    let scatters = page::strongest_relations(&rows, SCATTERS)
        .into_iter()
        .filter_map(|row| scatter(row, relations))
        .collect();
    page::Relations {
        pairs: relations.pairs.len() as u64,
        unpaired_documents: relations.unpaired_documents,
        unpaired_clips: relations.unpaired_clips,
        permutations: u64::from(permutations),
        bootstrap: u64::from(bootstrap),
        within_groups: relations.within_groups,
        scatters,
        spaces: relations
            .spaces
            .iter()
            .map(|row| page::Space {
                text_space: row.text_space.clone(),
                audio_space: row.audio_space.clone(),
                measure: row.measure.to_string(),
                estimate: row.estimate,
                ci_low: row.ci_low,
                ci_high: row.ci_high,
                null_mean: row.null_mean,
                null_q95: row.null_q95,
                p: row.p,
                q: row.q,
                n: u64::from(row.n),
            })
            .collect(),
        relations: rows,
        word_relations: Vec::new(),
        group_relations: relations.group_correlations.iter().map(relation).collect(),
        group_means: relations
            .group_means
            .iter()
            .filter(|row| page::GROUP_FEATURES.contains(&row.feature.as_str()))
            .map(group_mean)
            .collect(),
        suspect_pictures: Vec::new(),
        predictions: best_predictions(relations),
        suspects: relations
            .suspects
            .iter()
            .take(SUSPECTS)
            .map(|row| page::Suspect {
                doc_id: row.doc_id.clone(),
                clip_id: row.clip_id.clone(),
                score: row.score,
                explanation: row.explanation.clone(),
            })
            .collect(),
        all_suspects: relations.suspects.len() as u64,
    }
}

/// Rows of the page's tables of suspects and predictions.
const SUSPECTS: usize = 30;
const PREDICTIONS: usize = 20;

/// The predictions that explain most.
fn best_predictions(relations: &Relations) -> Vec<page::Prediction> {
    let mut rows: Vec<_> = relations.predictions.iter().filter(|row| row.r2.is_some()).collect();
    let r2 = |row: &crate::compare::predictions::Prediction| row.r2.unwrap_or(f64::NEG_INFINITY);
    rows.sort_by(|a, b| r2(b).total_cmp(&r2(a)).then_with(|| a.target.cmp(&b.target)));
    let shown = |row: &&crate::compare::predictions::Prediction| page::Prediction {
        target: row.target.clone(),
        r2: row.r2,
        ci_low: row.ci_low,
        ci_high: row.ci_high,
        null_mean: row.null_mean,
        null_q95: row.null_q95,
        p: row.p,
        q: row.q,
        n: u64::from(row.n),
    };
    rows.iter().take(PREDICTIONS).map(shown).collect()
}

/// Points of a scatter plot, thinned to what a page can hold.
const POINTS: usize = 600;

fn scatter(row: &page::Relation, relations: &Relations) -> Option<page::Scatter> {
    let column = |table: &crate::compare::features::FeatureTable, name: &str| {
        let i = table.names.iter().position(|known| known == name)?;
        table.columns.get(i).cloned()
    };
    let x = column(&relations.text, &row.text_feature)?;
    let y = column(&relations.sound, &row.audio_feature)?;
    let step = relations.pairs.len().div_ceil(POINTS).max(1);
    let points = relations.pairs.iter().zip(x.iter().zip(&y)).step_by(step);
    Some(page::Scatter {
        text_feature: row.text_feature.clone(),
        audio_feature: row.audio_feature.clone(),
        points: points
            .filter(|(_, (x, y))| x.is_finite() && y.is_finite())
            .map(|(pair, (&x, &y))| page::Point { id: pair.clip_id.clone(), x, y })
            .collect(),
    })
}

fn table_files(written: &[Written]) -> Vec<page::TableFile> {
    let mut tables: BTreeMap<String, u64> = BTreeMap::new();
    for file in written {
        if let Some(rows) = file.rows {
            let name = file
                .path
                .split_once('/')
                .map_or_else(|| file.path.clone(), |(folder, _)| format!("{folder}/"));
            *tables.entry(name).or_default() += rows;
        }
    }
    tables.into_iter().map(|(file, rows)| page::TableFile { file, rows }).collect()
}
