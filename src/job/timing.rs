//! When each word was said and how it sounded: by alignment files where there are some, else by an alignment of our own.

use std::collections::BTreeMap;

use super::desk::Desk;
use super::exports::nearest_of_every;
use super::frames::FramePart;
use super::inputs::Inputs;
use super::key::Key;
use super::letters::texts;
use super::plan::{ComparePlan, DocumentsPlan};
use super::relations::Relations;
use super::sound::Sound;
use super::word_level::{SaidWords, ShownWord, WordLevel};
use super::words::Words;
use crate::compare::Resampling;
use crate::compare::alignment::{Contour, align, expected_length};
use crate::compare::pairs::stem;
use crate::corpus::{DocumentRef, TimedWord};
use crate::error::{Error, Result};
use crate::math::statistics::Moments;
use crate::report::tables::WORD_CONTOURS as CONTOURS;
use crate::report::{TimedWordRow, WordSoundRow, Written, tables};
use crate::text::surprisal::BigramModel;
use crate::text::tokens::{TokenBuffer, TokenSettings, Tokenizer};
use crate::text::{Interner, Token, syllables};

/// The level among the contours.
const LEVEL: usize = 1;

/// Nearest words that `word_sounds` names.
const NEIGHBOURS: usize = 5;

/// Documents whose text is in memory at once.
const DOCUMENTS_AT_ONCE: usize = 512;

/// Aligns the words of all pairs and writes `words`, a part for each part of `frames`, `word_sounds` and `word_correlations`.
/// `shown` are the recordings whose words are wanted later.
pub(super) fn run(
    plan: &ComparePlan,
    documents: (&DocumentsPlan, &Inputs<DocumentRef>),
    (words, sound): (&Words, &Sound),
    relations: &Relations,
    shown: &[&str],
    desk: &Desk<'_>,
) -> Result<(WordLevel, Vec<Written>)> {
    let key = Key::of("words in time", &(relations.key, &plan.alignments_digest, shown));
    desk.remember(&key, || {
        desk.stages.time("compare", 0, "pairs", || {
            let spoken = Spoken::new(plan, documents, words, relations, desk)?;
            let resampling =
                Resampling { seed: desk.seed, permutations: plan.permutations, bootstrap: plan.bootstrap };
            spoken.write(sound, shown, &resampling, desk)
        })
    })
}

/// The document of a recording, its words' numbers, and their times where a file has them.
type SpokenClip<'a> = (&'a str, Vec<u32>, Option<&'a [TimedWord]>);

/// What was said in each recording.
struct Spoken<'a> {
    terms: Interner,
    /// By recording.
    clips: BTreeMap<&'a str, SpokenClip<'a>>,
    model: BigramModel,
    /// By word: its share of all words, its number in the vocabulary, and those used in similar surroundings.
    shares: Vec<f64>,
    ids: Vec<Option<u32>>,
    neighbours: Vec<Option<String>>,
}

impl<'a> Spoken<'a> {
    fn new(
        plan: &'a ComparePlan,
        documents: (&DocumentsPlan, &Inputs<DocumentRef>),
        words: &Words,
        relations: &'a Relations,
        desk: &Desk<'_>,
    ) -> Result<Self> {
        let refused = |error: crate::text::TextError| Error::job_file("tokens", error.to_string());
        let tokenizer = Tokenizer::new(&TokenSettings::default()).map_err(refused)?;
        let mut buffer = TokenBuffer::default();
        let mut terms = Interner::default();
        let mut clips = BTreeMap::new();
        for pairs in relations.pairs.chunks(DOCUMENTS_AT_ONCE) {
            desk.interrupt.check()?;
            let texts = texts(documents, pairs.iter().map(|pair| pair.doc_id.as_str()));
            for pair in pairs {
                let timed = plan.alignments.get(stem(&pair.clip_id)).map(Vec::as_slice);
                let mut said = Vec::new();
                match (timed, texts.get(&pair.doc_id)) {
                    (Some(timed), _) => {
                        said.extend(timed.iter().map(|word| terms.intern(&word.word.to_lowercase())));
                    }
                    (None, Some(text)) => tokenizer
                        .for_each_token(text, &mut buffer, &mut |token: Token<'_>| {
                            said.push(terms.intern(token.as_str()));
                        })
                        .map_err(refused)?,
                    (None, None) => {}
                }
                clips.insert(pair.clip_id.as_str(), (pair.doc_id.as_str(), said, timed));
            }
        }
        let model = BigramModel::fit(clips.values().map(|(_, words, _)| words.as_slice()));
        let known = || terms.terms().iter();
        let ids = known().map(|term| words.vocabulary.as_ref()?.0.id(term)).collect();
        let neighbours = neighbours(words, known());
        let shares = shares(clips.values().map(|(_, words, _)| words.as_slice()), terms.terms().len());
        Ok(Self { terms, clips, model, shares, ids, neighbours })
    }

    fn write(
        &self,
        sound: &Sound,
        shown: &[&str],
        resampling: &Resampling,
        desk: &Desk<'_>,
    ) -> Result<(WordLevel, Vec<Written>)> {
        desk.make_folder("words")?;
        let mut written = Vec::new();
        let lengths = self.clips.iter().map(|(clip, (_, words, _))| (*clip, words.len()));
        let mut said = SaidWords::new(lengths, resampling.seed);
        let mut level = WordLevel::default();
        let mut sounds = vec![WordSounds::default(); self.terms.terms().len()];
        for (part, file) in FramePart::files(sound).into_iter().enumerate() {
            desk.interrupt.check()?;
            let rows = self.part(&FramePart::read(desk, file, &columns())?)?;
            for (word, row) in &rows {
                sounds[*word as usize].add(row);
                let last = self.clips.get(row.clip_id.as_str()).map_or(0, |(_, words, _)| words.len() - 1);
                said.add(row, self.shares[*word as usize], last);
                if shown.contains(&row.clip_id.as_str()) {
                    let (clip_id, term) = (row.clip_id.clone(), row.term.clone());
                    level.shown.push(ShownWord { clip_id, term, start: row.start, end: row.end });
                }
            }
            let rows: Vec<TimedWordRow> = rows.into_iter().map(|(_, row)| row).collect();
            written.push(desk.write(tables::words(&rows), &format!("words/part-{part:05}.parquet"))?);
        }
        let rows: Vec<WordSoundRow> = (0..)
            .zip(&sounds)
            .filter(|(_, sounds)| sounds.seconds.count() > 0)
            .map(|(word, sounds)| {
                let neighbours = self.neighbours.get(word as usize).cloned().flatten();
                WordSoundRow { neighbours, ..sounds.row(self.terms.terms().term(word)) }
            })
            .collect();
        written.push(desk.write(tables::word_sounds(rows), "word_sounds.parquet")?);
        level.correlations = said.correlations(resampling);
        written
            .push(desk.write(tables::word_correlations(&level.correlations), "word_correlations.parquet")?);
        Ok((level, written))
    }

    /// The words of a part's recordings, with their numbers.
    fn part(&self, frames: &FramePart) -> Result<Vec<(u32, TimedWordRow)>> {
        let seconds: Vec<f64> = frames.numbers("seconds")?.into_iter().flatten().collect();
        let contours = CONTOURS.map(|name| frames.numbers(name));
        let mut columns = Vec::with_capacity(contours.len());
        for contour in contours {
            columns.push(contour?);
        }
        let mut rows = Vec::new();
        for (clip_id, range) in &frames.clips {
            let Some((doc_id, words, timed)) = self.clips.get(clip_id.as_str()) else { continue };
            let Some(seconds) = seconds.get(range.clone()) else { continue };
            let levels: Vec<f64> = columns[LEVEL][range.clone()].iter().copied().flatten().collect();
            let Some(times) = self.times(words, *timed, seconds, &levels) else { continue };
            let mut before = None;
            for (i, (&word, (start, end))) in words.iter().zip(times).enumerate() {
                let within = |at: &f64| (start..end).contains(at);
                let first = range.start + seconds.partition_point(|at| *at < start);
                let last = first + seconds[first - range.start..].iter().take_while(|at| within(at)).count();
                let mean = |column: &Vec<Option<f64>>| {
                    let mut moments = Moments::default();
                    column[first..last].iter().flatten().for_each(|&value| moments.add(value));
                    moments.mean()
                };
                rows.push((
                    word,
                    TimedWordRow {
                        doc_id: (*doc_id).to_owned(),
                        clip_id: clip_id.clone(),
                        word: i as u32,
                        term_id: self.ids.get(word as usize).copied().flatten(),
                        term: self.terms.terms().term(word).to_owned(),
                        start,
                        end,
                        aligned_by: if timed.is_some() { "file" } else { "wordwave" },
                        surprisal: self.model.surprisal_bits(before, word),
                        contours: columns.iter().map(mean).collect(),
                    },
                ));
                before = Some(word);
            }
        }
        Ok(rows)
    }

    /// Begin and end of each word; `None` where the recording cannot be aligned.
    fn times(
        &self,
        words: &[u32],
        timed: Option<&[TimedWord]>,
        seconds: &[f64],
        levels: &[f64],
    ) -> Option<Vec<(f64, f64)>> {
        if let Some(timed) = timed {
            return Some(timed.iter().map(|word| (word.begin, word.end)).collect());
        }
        // Without the spectral features frames have no level.
        let step_seconds = seconds.get(1).filter(|_| levels.len() == seconds.len())? - seconds.first()?;
        let expected: Vec<f64> = words
            .iter()
            .map(|&word| {
                let word = self.terms.terms().term(word);
                expected_length(word.chars().filter(|c| c.is_alphanumeric()).count(), syllables(word))
            })
            .collect();
        let contour = Contour { level_db: levels, first_seconds: *seconds.first()?, step_seconds };
        (step_seconds > 0.0).then(|| align(contour, &expected)).flatten()
    }
}

/// The share of each of `terms` words among all.
fn shares<'w>(texts: impl Iterator<Item = &'w [u32]>, terms: usize) -> Vec<f64> {
    let mut counts = vec![0_u64; terms];
    texts.flatten().for_each(|&word| counts[word as usize] += 1);
    let all: u64 = counts.iter().sum();
    counts.iter().map(|&count| count as f64 / all.max(1) as f64).collect()
}

/// The nearest words of each term by the run's word vectors, the nearest first; none where it has no vector.
fn neighbours<'t>(words: &Words, terms: impl Iterator<Item = &'t str>) -> Vec<Option<String>> {
    let Some(vectors) = &words.vectors else { return Vec::new() };
    let all = nearest_of_every(&vectors.embeddings, NEIGHBOURS);
    let place: BTreeMap<&str, usize> =
        vectors.words.iter().zip(0..).map(|(word, at)| (word.term.as_str(), at)).collect();
    let near = |term: &str| {
        let near = all.get(*place.get(term)?)?;
        let terms: Vec<&str> = near.iter().map(|(other, _)| vectors.words[*other].term.as_str()).collect();
        Some(terms.join(" "))
    };
    terms.map(near).collect()
}

fn columns() -> Vec<&'static str> {
    std::iter::once("seconds").chain(CONTOURS).collect()
}

/// How one word sounds wherever it was said.
#[derive(Clone, Default)]
struct WordSounds {
    seconds: Moments,
    surprisal: Moments,
    contours: [Moments; CONTOURS.len()],
}

impl WordSounds {
    fn add(&mut self, row: &TimedWordRow) {
        self.seconds.add(row.end - row.start);
        row.surprisal.iter().for_each(|&bits| self.surprisal.add(bits));
        for (moments, value) in self.contours.iter_mut().zip(&row.contours) {
            value.iter().for_each(|&value| moments.add(value));
        }
    }

    fn row(&self, term: &str) -> WordSoundRow {
        let of = |moments: &Moments| (moments.mean(), moments.population_sd(), moments.count());
        WordSoundRow {
            term: term.to_owned(),
            count: self.seconds.count(),
            seconds: of(&self.seconds),
            contours: self.contours.iter().map(of).collect(),
            surprisal: self.surprisal.mean(),
            syllables: syllables(term),
            neighbours: None,
        }
    }
}
