//! Hugging Face tokenizers: a tokenizer.json loaded, or one trained here; the only file that names the `tokenizers` crate.
//!
//! Training gives the same model on every run and for any number of threads, which the crate alone does not:
//! its `WordPiece` trainer numbers the alphabet in hash order, and its Unigram trainer sums in an order that depends on the
//! threads and breaks ties in hash order. The functions below say how each is put right.

use super::error::TextError;
use super::interner::Interner;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::ops::Range;
use std::str::FromStr;
use tokenizers::models::ModelWrapper;
use tokenizers::models::bpe::{BPE, BpeTrainer};
use tokenizers::models::unigram::{Unigram, UnigramTrainer};
use tokenizers::models::wordpiece::WordPiece;
use tokenizers::normalizers::{Lowercase, NFD, NormalizerWrapper, Sequence, StripAccents};
use tokenizers::pre_tokenizers::bert::BertPreTokenizer;
use tokenizers::pre_tokenizers::byte_level::ByteLevel;
use tokenizers::pre_tokenizers::metaspace::{Metaspace, PrependScheme};
use tokenizers::pre_tokenizers::sequence::Sequence as PreTokenizers;
use tokenizers::pre_tokenizers::whitespace::WhitespaceSplit;
use tokenizers::{
    AddedToken, NormalizedString, Normalizer, OffsetReferential, OffsetType, PreTokenizedString, PreTokenizer,
};

const WORDPIECE_UNKNOWN: &str = "[UNK]";
const WORDPIECE_PREFIX: &str = "##";
const UNIGRAM_UNKNOWN: &str = "<unk>";
/// Bytes that every byte-level model has a piece for.
const BYTES: usize = 256;

/// The kind of a model to train.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ModelKind {
    /// Byte-level byte-pair encoding, as GPT-2 has it: a space before a word is part of its piece.
    Bpe,
    /// `WordPiece`, as BERT has it: words and punctuation apart, pieces inside a word begin with `##`.
    WordPiece,
    /// The unigram language model of `SentencePiece`: words begin with `▁`.
    Unigram,
}

impl FromStr for ModelKind {
    type Err = TextError;

    fn from_str(name: &str) -> Result<Self, TextError> {
        match name {
            "bpe" => Ok(Self::Bpe),
            "wordpiece" => Ok(Self::WordPiece),
            "unigram" => Ok(Self::Unigram),
            other => Err(TextError::Model(format!(
                "train = {other:?} is not known; write bpe, wordpiece or unigram"
            ))),
        }
    }
}

/// What to train.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrainingSettings {
    /// The kind of model.
    pub kind: ModelKind,
    /// Pieces that the vocabulary has at most, special ones included.
    pub vocab_size: u32,
    /// Whether the trained tokenizer lowers the text; becomes part of tokenizer.json.
    pub lowercase: bool,
    /// Whether the trained tokenizer strips accents; becomes part of tokenizer.json.
    pub strip_accents: bool,
}

/// A tokenizer ready to use. Truncation, padding and dropout of a tokenizer.json are put aside: every token counts, and a
/// run gives the same tokens again.
pub struct TokenModel {
    tokenizer: tokenizers::Tokenizer,
    pieces: HashMap<u32, String>,
}

impl TokenModel {
    /// Reads a tokenizer.json.
    ///
    /// # Errors
    /// Where the bytes are not one that the `tokenizers` crate understands.
    pub fn from_json(json: &[u8]) -> Result<Self, TextError> {
        let mut tokenizer = tokenizers::Tokenizer::from_bytes(json)
            .map_err(|error| TextError::Model(format!("not a usable tokenizer.json: {error}")))?;
        tokenizer.with_truncation(None).map_err(failed)?;
        tokenizer.with_padding(None);
        if let ModelWrapper::BPE(bpe) = tokenizer.get_model()
            && bpe.dropout.is_some()
        {
            let mut steady = bpe.clone();
            steady.dropout = None;
            tokenizer.with_model(steady);
        }
        Ok(Self::of(tokenizer))
    }

    /// Trains on the pieces counted in all texts of a corpus.
    ///
    /// # Errors
    /// Where there is nothing to train on, and where `vocab_size` is too small for the characters of the corpus.
    pub fn train(settings: TrainingSettings, pieces: &PieceCounts) -> Result<Self, TextError> {
        let counts = pieces.sorted();
        if counts.is_empty() {
            return Err(TextError::Model(String::from("there are no words to train on")));
        }
        let model: ModelWrapper = match settings.kind {
            ModelKind::Bpe => trained_bpe(&counts, settings.vocab_size)?.into(),
            ModelKind::WordPiece => trained_wordpiece(&counts, settings.vocab_size)?.into(),
            ModelKind::Unigram => trained_unigram(counts, settings.vocab_size)?.into(),
        };
        let mut tokenizer = tokenizers::Tokenizer::new(model);
        prepare(&mut tokenizer, settings)?;
        Ok(Self::of(tokenizer))
    }

    fn of(tokenizer: tokenizers::Tokenizer) -> Self {
        let pieces = tokenizer.get_vocab(true).into_iter().map(|(piece, id)| (id, piece)).collect();
        Self { tokenizer, pieces }
    }

    /// The tokenizer.json of this tokenizer.
    ///
    /// # Errors
    /// Where a part of it cannot be written; not for what this module made.
    pub fn to_json(&self) -> Result<String, TextError> {
        self.tokenizer.to_string(true).map_err(failed)
    }

    /// Calls `found` with every piece of the text, without special tokens.
    ///
    /// # Errors
    /// Where the model has no piece for a character and no unknown token either.
    pub fn for_each_piece(&self, text: &str, mut found: impl FnMut(&str)) -> Result<(), TextError> {
        let encoding = self.tokenizer.encode_fast(text, false).map_err(failed)?;
        let pieces = encoding.get_ids().iter().filter_map(|id| self.pieces.get(id));
        pieces.for_each(|piece| found(piece));
        Ok(())
    }

    /// Calls `found` with every piece of the text and its bytes in the text, without special tokens.
    ///
    /// # Errors
    /// As [`TokenModel::for_each_piece`].
    pub fn for_each_span(
        &self,
        text: &str,
        mut found: impl FnMut(&str, Range<usize>),
    ) -> Result<(), TextError> {
        let encoding = self.tokenizer.encode(text, false).map_err(failed)?;
        for (id, (start, end)) in encoding.get_ids().iter().zip(encoding.get_offsets()) {
            if let Some(piece) = self.pieces.get(id) {
                found(piece, *start..*end);
            }
        }
        Ok(())
    }

    /// The ids of the text's pieces, without special tokens, as Python's `tokenizers` gives them.
    ///
    /// # Errors
    /// As [`TokenModel::for_each_piece`].
    pub fn piece_ids(&self, text: &str) -> Result<Vec<u32>, TextError> {
        Ok(self.tokenizer.encode_fast(text, false).map_err(failed)?.get_ids().to_vec())
    }
}

fn failed(error: impl std::fmt::Display) -> TextError {
    TextError::Model(error.to_string())
}

/// Puts normaliser, pre-tokenizer and decoder of the kind around the model.
fn prepare(tokenizer: &mut tokenizers::Tokenizer, settings: TrainingSettings) -> Result<(), TextError> {
    let mut normalizers: Vec<NormalizerWrapper> = Vec::new();
    if settings.lowercase {
        normalizers.push(Lowercase.into());
    }
    if settings.strip_accents {
        normalizers.extend([NFD.into(), StripAccents.into()]);
    }
    if !normalizers.is_empty() {
        tokenizer.with_normalizer(Some(Sequence::new(normalizers))).map_err(failed)?;
    }
    match settings.kind {
        ModelKind::Bpe => {
            let bytes = ByteLevel::new(false, true, true);
            tokenizer.with_pre_tokenizer(Some(bytes)).with_decoder(Some(bytes));
        }
        ModelKind::WordPiece => {
            let decoder = tokenizers::decoders::wordpiece::WordPiece::new(WORDPIECE_PREFIX.to_owned(), true);
            tokenizer.with_pre_tokenizer(Some(BertPreTokenizer)).with_decoder(Some(decoder));
        }
        ModelKind::Unigram => {
            let words = Metaspace::new('▁', PrependScheme::Always, true);
            let parts = vec![WhitespaceSplit.into(), words.clone().into()];
            tokenizer.with_pre_tokenizer(Some(PreTokenizers::new(parts))).with_decoder(Some(words));
        }
    }
    Ok(())
}

/// How often each piece between the cuts of the pre-tokenizer stands in the texts: all that training looks at. Made for a
/// shard, merged in shard order.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct PieceCounts {
    pieces: Interner,
    counts: Vec<u64>,
}

/// Cuts texts for training.
pub struct PieceCounter {
    tokenizer: tokenizers::Tokenizer,
    counts: PieceCounts,
}

impl PieceCounter {
    /// A counter with the normaliser and the pre-tokenizer of the kind.
    ///
    /// # Errors
    /// Not for any settings that exist.
    pub fn new(settings: TrainingSettings) -> Result<Self, TextError> {
        let mut tokenizer = tokenizers::Tokenizer::new(BPE::default());
        prepare(&mut tokenizer, settings)?;
        Ok(Self { tokenizer, counts: PieceCounts::default() })
    }

    /// Counts the pieces of one text.
    ///
    /// # Errors
    /// Where the pre-tokenizer fails on the text.
    pub fn add(&mut self, text: &str) -> Result<(), TextError> {
        let mut normalized = NormalizedString::from(text);
        if let Some(normalizer) = self.tokenizer.get_normalizer() {
            normalizer.normalize(&mut normalized).map_err(failed)?;
        }
        let mut pieces = PreTokenizedString::from(normalized);
        if let Some(pre_tokenizer) = self.tokenizer.get_pre_tokenizer() {
            pre_tokenizer.pre_tokenize(&mut pieces).map_err(failed)?;
        }
        for (piece, ..) in pieces.get_splits(OffsetReferential::Normalized, OffsetType::None) {
            // The Unigram trainer keeps NUL for itself.
            if !piece.is_empty() && !piece.contains('\0') {
                self.counts.add(piece, 1);
            }
        }
        Ok(())
    }

    /// What was counted.
    #[must_use]
    pub fn finish(self) -> PieceCounts {
        self.counts
    }
}

impl PieceCounts {
    fn add(&mut self, piece: &str, count: u64) {
        let id = self.pieces.intern(piece) as usize;
        if id == self.counts.len() {
            self.counts.push(0);
        }
        self.counts[id] += count;
    }

    /// Adds the counts of another part of the corpus.
    pub fn merge(&mut self, other: &Self) {
        for (piece, count) in other.pieces.terms().iter().zip(&other.counts) {
            self.add(piece, *count);
        }
    }

    /// Pieces in the order of their bytes, with counts scaled down, where a corpus is very large, so that no character
    /// is counted more than 2^31 times: the trainers count in 32 bits and do not notice an overflow.
    fn sorted(&self) -> Vec<(&str, u32)> {
        let characters: u64 = self
            .pieces
            .terms()
            .iter()
            .zip(&self.counts)
            .map(|(piece, count)| piece.len() as u64 * count)
            .sum();
        let scale = characters.div_ceil(i32::MAX as u64).max(1);
        let mut sorted: Vec<(&str, u32)> = self
            .pieces
            .terms()
            .iter()
            .zip(&self.counts)
            .map(|(piece, count)| (piece, u32::try_from(count.div_ceil(scale)).unwrap_or(u32::MAX)))
            .collect();
        sorted.sort_unstable();
        sorted
    }
}

/// Byte-pair encoding breaks ties by the ids of the pair, and ids follow the sorted alphabet: nothing to put right.
fn trained_bpe(counts: &[(&str, u32)], vocab_size: u32) -> Result<BPE, TextError> {
    if (vocab_size as usize) < BYTES {
        return Err(TextError::Model(format!(
            "vocab_size = {vocab_size} is too small; bpe needs {BYTES} or more"
        )));
    }
    let trainer = BpeTrainer::builder()
        .show_progress(false)
        .vocab_size(vocab_size as usize)
        .initial_alphabet(ByteLevel::alphabet().into_iter().collect())
        .build();
    let mut model = BPE::default();
    let counts = counts.iter().map(|(piece, count)| ((*piece).into(), u64::from(*count))).collect();
    trainer.do_train(&counts, &mut model).map_err(failed)?;
    Ok(model)
}

/// The trainer gives ids to the `##` characters in the order of a hash map, and ties between merges follow the ids. Given
/// as special tokens, sorted, they have their ids before it looks at a word.
fn trained_wordpiece(counts: &[(&str, u32)], vocab_size: u32) -> Result<WordPiece, TextError> {
    let mut all: Vec<char> = counts.iter().flat_map(|(piece, _)| piece.chars()).collect();
    let mut inner: Vec<char> = counts.iter().flat_map(|(piece, _)| piece.chars().skip(1)).collect();
    for alphabet in [&mut all, &mut inner] {
        alphabet.sort_unstable();
        alphabet.dedup();
    }
    let least = 1 + all.len() + inner.len();
    if (vocab_size as usize) < least {
        let reason =
            format!("vocab_size = {vocab_size} is too small; the characters of this corpus need {least}");
        return Err(TextError::Model(reason));
    }
    let inner = inner.into_iter().map(|character| format!("{WORDPIECE_PREFIX}{character}"));
    let first = std::iter::once(WORDPIECE_UNKNOWN.to_owned()).chain(inner);
    let trainer = BpeTrainer::builder()
        .show_progress(false)
        .vocab_size(vocab_size as usize)
        .continuing_subword_prefix(WORDPIECE_PREFIX.to_owned())
        .special_tokens(first.map(|token| AddedToken::from(token, true)).collect())
        .build();
    let mut pairs = BPE::default();
    let counts = counts.iter().map(|(piece, count)| ((*piece).into(), u64::from(*count))).collect();
    trainer.do_train(&counts, &mut pairs).map_err(failed)?;
    let mut model = WordPiece::from_bpe(&pairs);
    WORDPIECE_UNKNOWN.clone_into(&mut model.unk_token);
    Ok(model)
}

/// Sums of the trainer depend on how many threads there are: it runs in a pool of one. Characters that no piece was left
/// for get scores in hash order, and equal scores stay in hash order: [`in_fixed_order`] settles both.
fn trained_unigram(counts: Vec<(&str, u32)>, vocab_size: u32) -> Result<Unigram, TextError> {
    let words: Vec<(String, u32)> =
        counts.into_iter().map(|(piece, count)| (piece.to_owned(), count)).collect();
    let trainer = UnigramTrainer::builder()
        .show_progress(false)
        .vocab_size(vocab_size.max(2))
        .unk_token(Some(UNIGRAM_UNKNOWN.to_owned()))
        .special_tokens(vec![AddedToken::from(UNIGRAM_UNKNOWN, true)])
        .build()
        .map_err(failed)?;
    let mut model = Unigram::default();
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().map_err(failed)?;
    pool.install(|| trainer.do_train(words, &mut model))
        .map_err(|error| TextError::Model(format!("vocab_size = {vocab_size} cannot be reached: {error}")))?;
    Unigram::from(in_fixed_order(model.iter().cloned().collect()), Some(0), false).map_err(failed)
}

/// The pieces by falling score, then by their bytes; the first, the unknown one, stays first.
///
/// The trainer scores characters without a piece m, m + 0.0001, m + 0.0002, … in hash order, m being the least score of
/// all: those scores go to the characters that hold them in the order of the characters.
fn in_fixed_order(mut pieces: Vec<(String, f64)>) -> Vec<(String, f64)> {
    const STEP: f64 = 0.0001;
    let Some((unknown, rest)) = pieces.split_first_mut() else { return pieces };
    let unknown = unknown.clone();
    let least = rest.iter().map(|(_, score)| *score).fold(f64::INFINITY, f64::min);
    let mut penalty = 0.0;
    let mut steps = Vec::with_capacity(rest.len());
    for _ in 0..rest.len() {
        steps.push(least + penalty);
        penalty += STEP;
    }
    let is_step = |score: f64| steps.binary_search_by(|step| step.total_cmp(&score)).is_ok();
    let mut filled: Vec<&mut (String, f64)> =
        rest.iter_mut().filter(|(piece, score)| piece.chars().count() == 1 && is_step(*score)).collect();
    let mut scores: Vec<f64> = filled.iter().map(|(_, score)| *score).collect();
    scores.sort_unstable_by(f64::total_cmp);
    filled.sort_unstable_by(|a, b| a.0.cmp(&b.0));
    filled.into_iter().zip(scores).for_each(|(piece, score)| piece.1 = score);
    rest.sort_unstable_by(|a, b| b.1.total_cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    std::iter::once(unknown).chain(rest.iter().cloned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const KINDS: [ModelKind; 3] = [ModelKind::Bpe, ModelKind::WordPiece, ModelKind::Unigram];

    fn settings(kind: ModelKind) -> TrainingSettings {
        TrainingSettings { kind, vocab_size: 400, lowercase: true, strip_accents: false }
    }

    fn texts() -> Vec<String> {
        let words =
            ["the", "bird", "heard", "about", "words", "wording", "birds", "früh", "quick", "zebra", "xylem"];
        (0..60_usize)
            .map(|i| (0..12).map(|j| words[(i * 7 + j * j) % words.len()]).collect::<Vec<_>>().join(" "))
            .collect()
    }

    fn counted(kind: ModelKind, texts: &[String]) -> PieceCounts {
        let mut counter = PieceCounter::new(settings(kind)).unwrap();
        for text in texts {
            counter.add(text).unwrap();
        }
        counter.finish()
    }

    #[test]
    fn training_gives_the_same_model_in_any_order_of_the_texts() {
        for kind in KINDS {
            let mut texts = texts();
            let first = TokenModel::train(settings(kind), &counted(kind, &texts)).unwrap().to_json().unwrap();
            for _ in 0..3 {
                texts.reverse();
                let again =
                    TokenModel::train(settings(kind), &counted(kind, &texts)).unwrap().to_json().unwrap();
                assert_eq!(first, again, "{kind:?}");
            }
        }
    }

    #[test]
    fn merged_counts_are_those_of_the_whole() {
        let texts = texts();
        let mut merged = counted(ModelKind::Bpe, &texts[..20]);
        merged.merge(&counted(ModelKind::Bpe, &texts[20..]));
        assert_eq!(merged.sorted(), counted(ModelKind::Bpe, &texts).sorted());
    }

    #[test]
    fn a_saved_model_gives_the_same_ids_when_loaded() {
        let texts = texts();
        for kind in KINDS {
            let model = TokenModel::train(settings(kind), &counted(kind, &texts)).unwrap();
            let loaded = TokenModel::from_json(model.to_json().unwrap().as_bytes()).unwrap();
            let text = "The birds heard früher wording";
            let ids = model.piece_ids(text).unwrap();
            assert!(!ids.is_empty());
            assert_eq!(ids, loaded.piece_ids(text).unwrap(), "{kind:?}");
        }
    }

    #[test]
    fn pieces_join_to_the_words() {
        let texts = texts();
        for (kind, expected) in [
            (ModelKind::Bpe, "theĠbird"),
            (ModelKind::WordPiece, "thebird"),
            (ModelKind::Unigram, "▁the▁bird"),
        ] {
            let model = TokenModel::train(settings(kind), &counted(kind, &texts)).unwrap();
            let mut joined = String::new();
            model
                .for_each_piece("The bird", |piece| joined.push_str(piece.trim_start_matches("##")))
                .unwrap();
            assert_eq!(joined, expected);
        }
    }

    #[test]
    fn what_cannot_be_trained_is_refused() {
        for kind in KINDS {
            assert!(TokenModel::train(settings(kind), &PieceCounts::default()).is_err());
            let small = TrainingSettings { vocab_size: 5, ..settings(kind) };
            assert!(TokenModel::train(small, &counted(kind, &texts())).is_err(), "{kind:?}");
        }
        assert!(TokenModel::from_json(b"{}").is_err());
        assert!("gpt".parse::<ModelKind>().is_err());
    }
}
