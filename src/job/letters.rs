//! Texts as letters and recordings as cepstra, for models of letters: which text does not go with its sound.

use std::collections::BTreeMap;

use rayon::prelude::*;

use super::desk::Desk;
use super::frames::FramePart;
use super::inputs::Inputs;
use super::plan::DocumentsPlan;
use super::sound::Sound;
use crate::compare::spelling::{Heard, LetterModels, SPACE};
use crate::corpus::{DocumentReader, DocumentRef};
use crate::error::Result;
use crate::math::random::Stream;

/// Documents whose text is in memory at once.
const DOCUMENTS_AT_ONCE: usize = 512;
/// Letters that have a model of their own at most; all rarer ones share one.
const MOST_LETTERS: usize = 100;
/// Frames that the models are learnt from at most, about two hours.
const LEARNT_FRAMES: usize = 360_000;
/// What is heard is looked at about so often.
const STEP_SECONDS: f64 = 0.02;

/// The texts of documents, by id.
pub(super) fn texts<'d>(
    (plan, inputs): (&DocumentsPlan, &Inputs<DocumentRef>),
    ids: impl Iterator<Item = &'d str>,
) -> BTreeMap<String, String> {
    let references: Vec<&DocumentRef> = ids.filter_map(|id| inputs.find(id)).collect();
    let read = DocumentReader::new(&plan.rules).read(&references);
    read.into_iter()
        .flatten()
        .map(|document| (document.id.to_string(), document.text.into_string()))
        .collect()
}

/// How well the letters of each pair of document and recording fit ([`LetterModels::fit`]); NaN where that is not known, and the
/// least fit of all where a text has more letters than its recording has frames for. All NaN without cepstra in `frames`.
pub(super) fn fits(
    documents: (&DocumentsPlan, &Inputs<DocumentRef>),
    pairs: &[(&str, &str)],
    sound: &Sound,
    desk: &Desk<'_>,
) -> Result<Vec<f64>> {
    let files = FramePart::files(sound);
    if !sound.names.iter().any(|name| name.starts_with("mfcc_")) {
        return Ok(vec![f64::NAN; pairs.len()]);
    }
    let spelt = Spelt::new(documents, pairs, desk)?;
    let place: BTreeMap<&str, usize> = pairs.iter().zip(0..).map(|((_, clip), i)| (*clip, i)).collect();
    let total: u64 = sound.clips.iter().map(|clip| u64::from(clip.frames)).sum();
    let share = LEARNT_FRAMES as f64 / total.max(1) as f64;
    let mut learnt: Vec<(usize, Heard)> = Vec::new();
    for file in &files {
        let drawn = |pair: usize| Stream::new(desk.seed, "letters", pair as u64).unit_f64() < share;
        learnt.extend(heard(desk, file, &place)?.into_iter().filter(|(pair, _)| drawn(*pair)));
    }
    let texts: Vec<(&[u16], &Heard)> =
        learnt.iter().map(|(pair, heard)| (spelt.texts[*pair].as_slice(), heard)).collect();
    let models = LetterModels::learn(&texts, spelt.symbols);
    drop(texts);
    drop(learnt);
    let mut fits = vec![f64::NAN; pairs.len()];
    let mut crowded = Vec::new();
    for file in &files {
        desk.interrupt.check()?;
        let heard = heard(desk, file, &place)?;
        let found: Vec<(usize, Option<f64>)> =
            heard.par_iter().map(|(pair, heard)| (*pair, models.fit(&spelt.texts[*pair], heard))).collect();
        for ((pair, fit), (_, heard)) in found.into_iter().zip(&heard) {
            match fit {
                Some(fit) => fits[pair] = fit,
                None if 2 * heard.frames() < spelt.texts[pair].len() => crowded.push(pair),
                None => {}
            }
        }
    }
    let least = fits.iter().copied().filter(|fit| fit.is_finite()).fold(f64::INFINITY, f64::min);
    if least.is_finite() {
        crowded.into_iter().for_each(|pair| fits[pair] = least);
    }
    Ok(fits)
}

/// What is heard in the recordings of one part, with the pair of each.
fn heard(desk: &Desk<'_>, file: &str, place: &BTreeMap<&str, usize>) -> Result<Vec<(usize, Heard)>> {
    desk.interrupt.check()?;
    let part = FramePart::read(desk, file, &["seconds", "mfcc"])?;
    let seconds: Vec<f64> = part.numbers("seconds")?.into_iter().flatten().collect();
    let (values, width) = part.vectors("mfcc")?;
    let clips = part.clips.par_iter().filter_map(|(clip, frames)| {
        let pair = *place.get(clip.as_str())?;
        let step = seconds.get(frames.start + 1)? - seconds.get(frames.start)?;
        let stride = if step > 0.0 { (STEP_SECONDS / step).round() as usize } else { 1 };
        let own = values.get(frames.start * width..frames.end * width)?;
        Some((pair, Heard::new(own, width, stride)))
    });
    Ok(clips.collect())
}

/// The texts of all pairs as symbols.
struct Spelt {
    texts: Vec<Vec<u16>>,
    symbols: usize,
}

impl Spelt {
    fn new(
        documents: (&DocumentsPlan, &Inputs<DocumentRef>),
        pairs: &[(&str, &str)],
        desk: &Desk<'_>,
    ) -> Result<Self> {
        // Letters by number as they come; the frequent ones are numbered anew.
        let mut numbers: BTreeMap<char, (u16, u64)> = BTreeMap::new();
        let mut texts: Vec<Vec<u16>> = Vec::with_capacity(pairs.len());
        for pairs in pairs.chunks(DOCUMENTS_AT_ONCE) {
            desk.interrupt.check()?;
            let read = self::texts(documents, pairs.iter().map(|(document, _)| *document));
            for (document, _) in pairs {
                let mut symbols = vec![SPACE];
                for letter in
                    read.get(*document).map_or("", String::as_str).chars().flat_map(char::to_lowercase)
                {
                    if letter.is_alphanumeric() {
                        let next = numbers.len().min(usize::from(u16::MAX) - 1) as u16 + 1;
                        let (number, count) = numbers.entry(letter).or_insert((next, 0));
                        *count += 1;
                        symbols.push(*number);
                    } else if symbols.last() != Some(&SPACE) {
                        symbols.push(SPACE);
                    }
                }
                if symbols.last() != Some(&SPACE) {
                    symbols.push(SPACE);
                }
                texts.push(symbols);
            }
        }
        let mut frequent: Vec<(u64, char, u16)> =
            numbers.into_iter().map(|(letter, (number, count))| (count, letter, number)).collect();
        frequent.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(&b.1)));
        let shared = MOST_LETTERS.min(frequent.len()) as u16 + 1;
        let renumbered: BTreeMap<u16, u16> =
            frequent.iter().take(MOST_LETTERS).zip(1..).map(|((_, _, number), new)| (*number, new)).collect();
        for symbol in texts.iter_mut().flatten().filter(|symbol| **symbol != SPACE) {
            *symbol = renumbered.get(symbol).copied().unwrap_or(shared);
        }
        Ok(Self { texts, symbols: usize::from(shared) + 1 })
    }
}
