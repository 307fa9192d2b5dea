//! Sound as words: frames by the nearest entry of a codebook, counted by the very code that counts words.

use rayon::prelude::*;

use super::counting::Counted;
use super::desk::Desk;
use super::frames::FramePart;
use super::key::Key;
use super::plan::Plan;
use super::sound::Sound;
use super::vectors::trained;
use crate::error::{Error, Result};
use crate::math::k_means::{lloyd, nearest_centre, plus_plus};
use crate::math::matrix::Matrix;
use crate::math::random::Stream;
use crate::math::statistics::Moments;
use crate::report::{Table, Written, tables};
use crate::text::TextError;
use crate::text::bag_of_words::BagOfWords;
use crate::text::collocations::{PairCounts, ShardPairs};
use crate::text::counts::{CountSettings, count_shard};
use crate::text::embeddings::EmbeddingSettings;
use crate::text::tokens::{TokenSettings, Tokenizer};
use crate::text::vocabulary::{Vocabulary, VocabularySettings};

/// Frames that the codebook is learnt from at most.
const LEARNT_FRAMES: usize = 50_000;
/// Turns of Lloyd's iteration at most.
const TURNS: usize = 25;

/// Learns a codebook of cepstra, writes each recording as its entries and counts them: `sound_vocabulary`, `sound_terms`,
/// `sound_collocations` and, where the job has `[embeddings]`, `sound_embeddings`.
pub(super) fn run(plan: &Plan, codebook: usize, sound: &Sound, desk: &Desk<'_>) -> Result<Vec<Written>> {
    let settings = (&desk.settings.bag_of_words, &desk.settings.ngrams, &desk.settings.embeddings);
    let key = Key::of("audio words", &(sound.key, codebook, desk.seed, settings));
    let ((), written) = desk.remember(&key, || {
        // Stages pass once: this is part of the analysis of sound.
        let (ids, texts) = desk.stages.time("audio", 0, "recordings", || {
            let codebook = Codebook::learn(sound, codebook, desk)?;
            codebook.spell(sound, desk)
        })?;
        Ok(((), count(plan, &ids, &texts, &key, desk)?))
    })?;
    Ok(written)
}

/// The centres of clusters of cepstra, scaled to mean 0 and standard deviation 1.
struct Codebook {
    moments: Vec<Moments>,
    centres: Matrix,
}

impl Codebook {
    /// k-means of a random choice of frames, evenly from the whole corpus; fewer entries where there are fewer different frames.
    fn learn(sound: &Sound, entries: usize, desk: &Desk<'_>) -> Result<Self> {
        let total: u64 = sound.clips.iter().map(|clip| u64::from(clip.frames)).sum();
        let share = LEARNT_FRAMES as f64 / total.max(1) as f64;
        let mut chosen: Vec<Vec<f64>> = Vec::new();
        let mut moments = Vec::new();
        for file in FramePart::files(sound) {
            desk.interrupt.check()?;
            let part = FramePart::read(desk, file, &["mfcc"])?;
            let (values, width) = part.vectors("mfcc")?;
            moments.resize(width, Moments::default());
            for (clip, range) in &part.clips {
                // By the recording's name, so that no other recording changes what is drawn from it.
                let item = u64::from_le_bytes(first_bytes(blake3::hash(clip.as_bytes()).as_bytes()));
                let mut stream = Stream::new(desk.seed, "frames of the codebook", item);
                for frame in range.clone() {
                    let row = &values[frame * width..(frame + 1) * width];
                    if stream.unit_f64() < share {
                        let row: Vec<f64> = row.iter().map(|&value| f64::from(value)).collect();
                        moments.iter_mut().zip(&row).for_each(|(moments, &value)| moments.add(value));
                        chosen.push(row);
                    }
                }
            }
        }
        let mut codebook = Self { moments, centres: Matrix::zeros(0, 0) };
        let rows: Vec<Vec<f64>> = chosen.iter().map(|row| codebook.scaled(row)).collect();
        if !rows.is_empty() {
            let points = Matrix::from_rows(&rows);
            codebook.centres = lloyd(&points, plus_plus(&points, entries, desk.seed), TURNS).centres;
        }
        Ok(codebook)
    }

    fn scaled(&self, row: &[f64]) -> Vec<f64> {
        let scale = |(moments, value): (&Moments, &f64)| {
            let sd = moments.population_sd().unwrap_or(0.0);
            if sd > 0.0 { (value - moments.mean().unwrap_or(0.0)) / sd } else { 0.0 }
        };
        self.moments.iter().zip(row).map(scale).collect()
    }

    /// Each recording as a text: the entry of each frame, one that lasts written once.
    fn spell(&self, sound: &Sound, desk: &Desk<'_>) -> Result<(Vec<String>, Vec<String>)> {
        let (mut ids, mut texts) = (Vec::new(), Vec::new());
        for file in FramePart::files(sound) {
            desk.interrupt.check()?;
            let part = FramePart::read(desk, file, &["mfcc"])?;
            let (values, width) = part.vectors("mfcc")?;
            let spelt: Vec<String> = part
                .clips
                .par_iter()
                .map(|(_, range)| {
                    let mut entries: Vec<u32> = range
                        .clone()
                        .map(|frame| {
                            let row = values[frame * width..(frame + 1) * width].iter();
                            let row: Vec<f64> = row.map(|&value| f64::from(value)).collect();
                            nearest_centre(&self.scaled(&row), &self.centres).0
                        })
                        .collect();
                    entries.dedup();
                    entries.iter().map(|entry| format!("s{entry:04}")).collect::<Vec<_>>().join(" ")
                })
                .collect();
            ids.extend(part.clips.into_iter().map(|(id, _)| id));
            texts.extend(spelt);
        }
        Ok((ids, texts))
    }
}

fn first_bytes(hash: &[u8; 32]) -> [u8; 8] {
    let mut first = [0; 8];
    first.copy_from_slice(&hash[..8]);
    first
}

/// Counts the texts as documents are counted.
fn count(plan: &Plan, ids: &[String], texts: &[String], key: &Key, desk: &Desk<'_>) -> Result<Vec<Written>> {
    let refused = |error: TextError| Error::job_file("features.codebook", error.to_string());
    let documents = plan.documents.as_ref();
    let bag = documents.and_then(|plan| plan.bag_of_words.as_ref());
    let ngrams = bag.map_or([1, 1], |bag| bag.ngrams);
    let tokenizer = Tokenizer::new(&TokenSettings::default()).map_err(refused)?;
    let shard = count_shard(&tokenizer, CountSettings { ngrams, statistics: false, stream: true }, texts)
        .map_err(refused)?;
    // An entry is a word of the codebook however rare it is.
    let vocabulary = Vocabulary::merge([&shard], &VocabularySettings::default()).map_err(refused)?;
    let weights = BagOfWords::new(&vocabulary, bag.map(|bag| bag.weights).unwrap_or_default());
    let names = ids.iter().map(String::as_str);
    let mut pairs = PairCounts::default();
    pairs.add(&ShardPairs::of(&shard));
    let collocations = pairs.collocations();
    let mut written = vec![
        desk.write(
            renamed(tables::vocabulary(&vocabulary, weights.idf()), "sound_vocabulary"),
            "sound_vocabulary.parquet",
        )?,
        desk.write(
            of_clips(renamed(tables::terms(weights.transform(&shard), names), "sound_terms")),
            "sound_terms.parquet",
        )?,
        desk.write(
            renamed(tables::collocations(&collocations), "sound_collocations"),
            "sound_collocations.parquet",
        )?,
    ];
    if let Some(plan) = documents.and_then(|plan| plan.embeddings.as_ref()) {
        // Entries of a codebook have no letters, and no vectors that were published.
        let settings = EmbeddingSettings { subwords: [0, 0], ..plan.training.clone() };
        let counted = Counted::of_shard(0..texts.len(), shard);
        let order: Vec<usize> = (0..texts.len()).collect();
        let (vectors, _) = trained(&settings, None, &counted, &order, &Key::of("sound vectors", key), desk)?;
        let table = tables::embeddings(&vectors.words, vectors.embeddings.vectors(), settings.dims);
        written.push(desk.write(renamed(table, "sound_embeddings"), "sound_embeddings.parquet")?);
    }
    Ok(written)
}

fn renamed(table: Table, name: &'static str) -> Table {
    Table { name, ..table }
}

/// The documents of this table are recordings.
fn of_clips(mut table: Table) -> Table {
    for (name, _) in table.columns.iter_mut().filter(|(name, _)| name == "doc_id") {
        "clip_id".clone_into(name);
    }
    table
}
