//! Text to tokens: normalise the whole text, cut it, drop stop words, stem.

use super::error::TextError;
use super::model::TokenModel;
use super::normalisation::{lower, strip_accents};
use super::origins::Origins;
use super::python_pattern::TokenPattern;
use super::stop_words::stop_list;
use super::token::{Token, TokenSink};
use super::word_characters::is_newer_capital;
use super::words::{for_each_unicode_word, pieces};
use crate::simd::RunEdges;
use rust_stemmers::{Algorithm, Stemmer};
use std::collections::{HashMap, HashSet};
use std::ops::Range;

/// What cuts a text into tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TokenKind {
    /// Unicode words (UAX #29): the segments that hold a letter or a number.
    #[default]
    Words,
    /// The matches of a pattern, scikit-learn's way.
    Pattern,
    /// The pieces of a Hugging Face tokenizer; needs [`Tokenizer::with_model`].
    Model,
}

/// The words that are dropped after tokenising, before stemming. They are compared with the normalised token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StopWords {
    /// These words.
    List(Vec<String>),
    /// The list of a language by its English name.
    Language(String),
}

/// The settings of `[tokens]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenSettings {
    /// What cuts the text.
    pub kind: TokenKind,
    /// The pattern where `kind` is `Pattern`.
    pub pattern: String,
    /// Lower the text before it is cut. A model brings its own normalisation: neither this nor `strip_accents` touches it.
    pub lowercase: bool,
    /// Strip accents before the text is cut, after lowering it.
    pub strip_accents: bool,
    /// Words to drop.
    pub stop_words: StopWords,
    /// The Snowball language to stem in; empty for none.
    pub stem: String,
    /// Characters that a token has at least, before it is stemmed; 0 for any.
    pub min_length: usize,
    /// Whether tokens without a letter are kept.
    pub numbers: bool,
}

impl Default for TokenSettings {
    fn default() -> Self {
        Self {
            kind: TokenKind::Words,
            pattern: String::from(r"(?u)\b\w\w+\b"),
            lowercase: true,
            strip_accents: false,
            stop_words: StopWords::List(Vec::new()),
            stem: String::new(),
            min_length: 0,
            numbers: true,
        }
    }
}

/// The compiled settings of `[tokens]`; made once for a job and shared by all threads.
pub struct Tokenizer {
    cut: Cut,
    lowercase: bool,
    strip_accents: bool,
    stop_words: HashSet<String>,
    stemmer: Option<Stemmer>,
    min_length: usize,
    numbers: bool,
}

enum Cut {
    Words,
    Pattern(TokenPattern),
    Model(Box<TokenModel>),
}

/// Working memory of [`Tokenizer::for_each_token`]; one for each thread, any tokenizer's, kept from text to text.
#[derive(Debug, Default)]
pub struct TokenBuffer {
    lowered: String,
    stripped: String,
    stems: HashMap<String, String>,
    edges: RunEdges,
}

impl Tokenizer {
    /// Compiles the settings where `kind` is `Words` or `Pattern`.
    ///
    /// # Errors
    /// For a pattern, a stop list or a stemmer that does not exist, and where `kind` is `Model`.
    pub fn new(settings: &TokenSettings) -> Result<Self, TextError> {
        let cut = match settings.kind {
            TokenKind::Words => Cut::Words,
            TokenKind::Pattern => Cut::Pattern(TokenPattern::new(&settings.pattern)?),
            TokenKind::Model => {
                let reason =
                    String::from("kind = \"model\" needs tokens.model = { path = .. } or { train = .. }");
                return Err(TextError::Setting { key: "tokens.kind", reason });
            }
        };
        Self::with_cut(settings, cut)
    }

    /// Compiles the settings around a loaded or trained model. Its normaliser decides on case and accents.
    ///
    /// # Errors
    /// For a stop list that does not exist, and where a stemmer is set: pieces of words have no stem.
    pub fn with_model(settings: &TokenSettings, model: TokenModel) -> Result<Self, TextError> {
        if !settings.stem.is_empty() {
            let reason =
                String::from("pieces of a model cannot be stemmed; write stem = \"\" or another kind");
            return Err(TextError::Setting { key: "tokens.stem", reason });
        }
        Self::with_cut(settings, Cut::Model(Box::new(model)))
    }

    fn with_cut(settings: &TokenSettings, cut: Cut) -> Result<Self, TextError> {
        let stop_words = match &settings.stop_words {
            StopWords::List(words) => words.iter().cloned().collect(),
            StopWords::Language(name) => stop_list(name)?.into_iter().map(str::to_owned).collect(),
        };
        let stemmer = if settings.stem.is_empty() {
            None
        } else {
            Some(Stemmer::create(stem_language(&settings.stem)?))
        };
        let (lowercase, strip_accents) = (settings.lowercase, settings.strip_accents);
        let (min_length, numbers) = (settings.min_length, settings.numbers);
        Ok(Self { cut, lowercase, strip_accents, stop_words, stemmer, min_length, numbers })
    }

    /// Gives every token of the text to `sink`, in order.
    ///
    /// # Errors
    /// Only a model can fail, on a text its tokenizer.json does not allow for.
    pub fn for_each_token(
        &self,
        text: &str,
        buffer: &mut TokenBuffer,
        sink: &mut impl TokenSink,
    ) -> Result<(), TextError> {
        if let Cut::Model(model) = &self.cut {
            return model.for_each_piece(text, |piece| {
                if !self.drops(piece) {
                    sink.token(piece.into());
                }
            });
        }
        if let Cut::Pattern(TokenPattern::Regex { .. }) = &self.cut {
            self.cut_piece(text, buffer, sink);
        } else {
            pieces(text).for_each(|piece| self.cut_piece(piece, buffer, sink));
        }
        Ok(())
    }

    /// Calls `found` with every token of the text, in order, and its bytes in the text as it was: from the start of its first character
    /// to the end of its last, with the marks that normalising took from these. Tokens that share a character, of
    /// which normalising made several or a model bytes, have all of its bytes.
    ///
    /// # Errors
    /// As [`Tokenizer::for_each_token`].
    pub fn for_each_span(
        &self,
        text: &str,
        buffer: &mut TokenBuffer,
        mut found: impl FnMut(&str, Range<usize>),
    ) -> Result<(), TextError> {
        if let Cut::Model(model) = &self.cut {
            return model.for_each_span(text, |piece, span| {
                if !self.drops(piece) {
                    found(piece, span);
                }
            });
        }
        let TokenBuffer { lowered, stripped, stems, edges } = buffer;
        let normalised = self.normalised(text, lowered, stripped);
        let origins = Origins::new(text, |character| self.normalised_character(character));
        self.cut(normalised, edges, &mut |token: Token<'_>| {
            if self.drops(token.as_str()) {
                return;
            }
            // Where the token stands is where its bytes are.
            let start = token.as_str().as_ptr() as usize - normalised.as_ptr() as usize;
            let span = origins.of(start..start + token.len());
            match &self.stemmer {
                None => found(token.as_str(), span),
                Some(stemmer) => found(stem_of(token.as_str(), stemmer, stems), span),
            }
        });
        Ok(())
    }

    /// Gives the tokens of a text, or of a piece of one, to `sink`; a model is not asked.
    fn cut_piece(&self, text: &str, buffer: &mut TokenBuffer, sink: &mut impl TokenSink) {
        let TokenBuffer { lowered, stripped, stems, edges } = buffer;
        let text = self.normalised(text, lowered, stripped);
        match &self.stemmer {
            None if !self.drops_some() => self.cut(text, edges, sink),
            stemmer => self.cut(text, edges, &mut |token: Token<'_>| match stemmer {
                _ if self.drops(token.as_str()) => {}
                None => sink.token(token),
                Some(stemmer) => sink.token(stem_of(token.as_str(), stemmer, stems).into()),
            }),
        }
    }

    /// Cuts a normalised text; a model is not asked. Tokens that are left out are there, too.
    fn cut(&self, text: &str, edges: &mut RunEdges, sink: &mut impl TokenSink) {
        match &self.cut {
            Cut::Words => for_each_unicode_word(text, edges, sink),
            Cut::Pattern(pattern) => pattern.for_each_match(text, edges, sink),
            Cut::Model(_) => {}
        }
    }

    /// What normalising makes of a character: of a sigma at the end of a word another that is as long.
    fn normalised_character(&self, character: char) -> String {
        let mut made = String::from(character);
        if self.lowercase && !self.is_foreign()(character) {
            made = made.to_lowercase();
        }
        if self.strip_accents {
            let mut stripped = String::new();
            strip_accents(&made, &mut stripped);
            made = stripped;
        }
        made
    }

    /// The capitals that stay: those that the other tool does not know.
    fn is_foreign(&self) -> fn(char) -> bool {
        if matches!(self.cut, Cut::Pattern(_)) { is_newer_capital } else { |_| false }
    }

    /// Whether any token is left out.
    fn drops_some(&self) -> bool {
        !self.stop_words.is_empty() || self.min_length > 1 || !self.numbers
    }

    /// Whether a token is left out: a stop word, too short, or a number where these are not wanted.
    #[inline]
    fn drops(&self, token: &str) -> bool {
        !self.stop_words.is_empty() && self.stop_words.contains(token)
            || token.len() < 4 * self.min_length && token.chars().count() < self.min_length
            || !self.numbers && !token.chars().any(char::is_alphabetic)
    }

    /// The text in lower case, without accents, as the settings say; scikit-learn's order.
    fn normalised<'b>(&self, text: &'b str, lowered: &'b mut String, stripped: &'b mut String) -> &'b str {
        let mut text = text;
        if self.lowercase {
            lower(text, self.is_foreign(), lowered);
            text = lowered;
        }
        if self.strip_accents && !text.is_ascii() {
            strip_accents(text, stripped);
            text = stripped;
        }
        text
    }
}

fn stem_of<'s>(token: &str, stemmer: &Stemmer, stems: &'s mut HashMap<String, String>) -> &'s str {
    if !stems.contains_key(token) {
        stems.insert(token.to_owned(), stemmer.stem(token).into_owned());
    }
    stems.get(token).map_or("", String::as_str)
}

const STEM_LANGUAGES: [(&str, Algorithm); 18] = [
    ("arabic", Algorithm::Arabic),
    ("danish", Algorithm::Danish),
    ("dutch", Algorithm::Dutch),
    ("english", Algorithm::English),
    ("finnish", Algorithm::Finnish),
    ("french", Algorithm::French),
    ("german", Algorithm::German),
    ("greek", Algorithm::Greek),
    ("hungarian", Algorithm::Hungarian),
    ("italian", Algorithm::Italian),
    ("norwegian", Algorithm::Norwegian),
    ("portuguese", Algorithm::Portuguese),
    ("romanian", Algorithm::Romanian),
    ("russian", Algorithm::Russian),
    ("spanish", Algorithm::Spanish),
    ("swedish", Algorithm::Swedish),
    ("tamil", Algorithm::Tamil),
    ("turkish", Algorithm::Turkish),
];

fn stem_language(name: &str) -> Result<Algorithm, TextError> {
    STEM_LANGUAGES.iter().find(|(language, _)| *language == name).map(|(_, algorithm)| *algorithm).ok_or_else(
        || {
            let known: Vec<&str> = STEM_LANGUAGES.iter().map(|(language, _)| *language).collect();
            TextError::Stemmer { name: name.to_owned(), known: known.join(", ") }
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(settings: &TokenSettings, text: &str) -> Vec<String> {
        let mut found = Vec::new();
        let tokenizer = Tokenizer::new(settings).unwrap();
        tokenizer
            .for_each_token(text, &mut TokenBuffer::default(), &mut |t: Token<'_>| {
                found.push(t.as_str().to_owned());
            })
            .unwrap();
        found
    }

    fn pattern() -> TokenSettings {
        TokenSettings { kind: TokenKind::Pattern, ..TokenSettings::default() }
    }

    /// A text of many pieces, whose cuts come to lie everywhere in it.
    #[test]
    fn a_long_text_has_the_words_of_its_whole() {
        let parts = [
            "ΟΔΥΣΣΕΥΣ ",
            "ΣΑΣ\r\n",
            "can’t",
            " 3.2",
            "\n",
            "İz",
            "e\u{301}t",
            "é ",
            " \u{301}x",
            "Σ ",
            "漢字",
            "don't ",
            "🇩🇪",
            "\u{a0}",
            "_a ",
            "\t",
            "WORD",
            ". ",
            "ﬁn ",
            "\u{2028}",
        ];
        let mut state = 7_usize;
        let mut text = String::new();
        while text.len() < 300_000 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            text.push_str(parts[(state >> 33) % parts.len()]);
        }
        for strip_accents in [false, true] {
            for settings in [TokenSettings::default(), pattern()] {
                let settings = TokenSettings { strip_accents, ..settings };
                let tokenizer = Tokenizer::new(&settings).unwrap();
                let mut whole = Vec::new();
                tokenizer.cut_piece(&text, &mut TokenBuffer::default(), &mut |token: Token<'_>| {
                    whole.push(token.as_str().to_owned());
                });
                assert!(pieces(&text).count() > 10 && pieces(&text).collect::<String>() == text);
                assert!(tokens(&settings, &text) == whole, "{settings:?}");
            }
        }
    }

    #[test]
    fn words_are_those_of_uax_29() {
        let text = "The quick (“brown”) fox can’t jump 32.3 feet, right? Über";
        let expected = ["the", "quick", "brown", "fox", "can’t", "jump", "32.3", "feet", "right", "über"];
        assert_eq!(tokens(&TokenSettings::default(), text), expected);
    }

    #[test]
    fn the_default_pattern_gives_scikit_learns_tokens() {
        assert_eq!(
            tokens(&pattern(), "I can’t see a well-known İzmir"),
            ["can", "see", "well", "known", "zmir"]
        );
    }

    #[test]
    fn case_and_accents_follow_the_settings() {
        let kept = TokenSettings { lowercase: false, ..pattern() };
        assert_eq!(tokens(&kept, "Señor AB"), ["Señor", "AB"]);
        let stripped = TokenSettings { strip_accents: true, ..pattern() };
        assert_eq!(tokens(&stripped, "Señor ÀB"), ["senor", "ab"]);
    }

    #[test]
    fn stop_words_go_before_stems_are_made() {
        let settings = TokenSettings {
            stop_words: StopWords::Language(String::from("english")),
            stem: String::from("english"),
            ..TokenSettings::default()
        };
        assert_eq!(tokens(&settings, "The cats were running and the cats ran"), ["cat", "run", "cat", "ran"]);
    }

    #[test]
    fn short_tokens_and_numbers_go_where_they_are_not_wanted() {
        let settings = TokenSettings { min_length: 3, numbers: false, ..TokenSettings::default() };
        assert_eq!(tokens(&settings, "In 1984 über 2,000 a42 été né"), ["über", "a42", "été"]);
    }

    #[test]
    fn unknown_names_are_refused() {
        let stem = TokenSettings { stem: String::from("klingon"), ..TokenSettings::default() };
        assert!(Tokenizer::new(&stem).err().unwrap().to_string().contains("klingon"));
        let model = TokenSettings { kind: TokenKind::Model, ..TokenSettings::default() };
        assert!(Tokenizer::new(&model).err().unwrap().to_string().contains("tokens.model"));
    }
}
