//! When each word was said and how it sounded: by alignment files where there are some, else by an alignment of our own.

use std::collections::BTreeMap;

use super::desk::Desk;
use super::frames::FramePart;
use super::inputs::Inputs;
use super::key::Key;
use super::letters::texts;
use super::plan::{ComparePlan, DocumentsPlan};
use super::relations::Relations;
use super::sound::Sound;
use crate::compare::alignment::{Contour, align, expected_length};
use crate::compare::pairs::stem;
use crate::corpus::{DocumentRef, TimedWord};
use crate::error::{Error, Result};
use crate::math::statistics::Moments;
use crate::report::tables::WORD_CONTOURS as CONTOURS;
use crate::report::{TimedWordRow, WordSoundRow, Written, tables};
use crate::text::surprisal::BigramModel;
use crate::text::tokens::{TokenBuffer, TokenSettings, Tokenizer};
use crate::text::{Interner, syllables};

/// The level among the contours.
const LEVEL: usize = 1;

/// Documents whose text is in memory at once.
const DOCUMENTS_AT_ONCE: usize = 512;

/// Aligns the words of all pairs and writes `words`, a part for each part of `frames`, and `word_sounds`.
pub(super) fn run(
    plan: &ComparePlan,
    documents: (&DocumentsPlan, &Inputs<DocumentRef>),
    sound: &Sound,
    relations: &Relations,
    desk: &Desk<'_>,
) -> Result<Vec<Written>> {
    let key = Key::of("words in time", &(relations.key, &plan.alignments_digest));
    let ((), written) = desk.remember(&key, || {
        desk.stages.time("compare", 0, "pairs", || {
            let spoken = Spoken::new(plan, documents, relations, desk)?;
            Ok(((), spoken.write(sound, desk)?))
        })
    })?;
    Ok(written)
}

/// The document of a recording, its words' numbers, and their times where a file has them.
type SpokenClip<'a> = (&'a str, Vec<u32>, Option<&'a [TimedWord]>);

/// What was said in each recording.
struct Spoken<'a> {
    terms: Interner,
    /// By recording.
    clips: BTreeMap<&'a str, SpokenClip<'a>>,
    model: BigramModel,
}

impl<'a> Spoken<'a> {
    fn new(
        plan: &'a ComparePlan,
        documents: (&DocumentsPlan, &Inputs<DocumentRef>),
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
                let mut words = Vec::new();
                match (timed, texts.get(&pair.doc_id)) {
                    (Some(timed), _) => {
                        words.extend(timed.iter().map(|word| terms.intern(&word.word.to_lowercase())));
                    }
                    (None, Some(text)) => tokenizer
                        .for_each_token(text, &mut buffer, |token| words.push(terms.intern(token.as_str())))
                        .map_err(refused)?,
                    (None, None) => {}
                }
                clips.insert(pair.clip_id.as_str(), (pair.doc_id.as_str(), words, timed));
            }
        }
        let model = BigramModel::fit(clips.values().map(|(_, words, _)| words.as_slice()));
        Ok(Self { terms, clips, model })
    }

    fn write(&self, sound: &Sound, desk: &Desk<'_>) -> Result<Vec<Written>> {
        desk.make_folder("words")?;
        let mut written = Vec::new();
        let mut sounds = vec![WordSounds::default(); self.terms.terms().len()];
        for (part, file) in FramePart::files(sound).into_iter().enumerate() {
            desk.interrupt.check()?;
            let rows = self.part(&FramePart::read(desk, file, &columns())?)?;
            for (word, row) in &rows {
                sounds[*word as usize].add(row);
            }
            let rows: Vec<TimedWordRow> = rows.into_iter().map(|(_, row)| row).collect();
            written.push(desk.write(tables::words(&rows), &format!("words/part-{part:05}.parquet"))?);
        }
        let rows: Vec<WordSoundRow> = (0..)
            .zip(&sounds)
            .filter(|(_, sounds)| sounds.seconds.count() > 0)
            .map(|(word, sounds)| sounds.row(self.terms.terms().term(word)))
            .collect();
        written.push(desk.write(tables::word_sounds(rows), "word_sounds.parquet")?);
        Ok(written)
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
        }
    }
}
