//! Which bytes of a text the bytes of its normalised form come from.

use std::ops::Range;

/// The origins of a normalised text, stretch by stretch.
#[derive(Debug, Default)]
pub struct Origins {
    stretches: Vec<Stretch>,
}

/// Bytes of the normalised text up to `end`, and those that they come from.
#[derive(Debug)]
struct Stretch {
    end: usize,
    from: Range<usize>,
    /// Character by character of the same length. Else all of it comes from all of them.
    is_alike: bool,
    /// Marks that went stand at its end: nothing is added to it.
    is_closed: bool,
}

impl Origins {
    /// `normalised` says what becomes of a character, whatever stands around it.
    pub fn new(text: &str, normalised: impl Fn(char) -> String) -> Self {
        let mut origins = Self::default();
        let mut rest = text;
        while !rest.is_empty() {
            // ASCII characters stay or become others of their kind.
            let plain = super::normalisation::ascii_prefix(rest.as_bytes());
            let at = text.len() - rest.len();
            origins.push_alike(at..at + plain);
            rest = rest.get(plain..).unwrap_or_default();
            if let Some(character) = rest.chars().next() {
                let from = at + plain..at + plain + character.len_utf8();
                origins.push(character, from, &normalised(character));
                rest = rest.get(character.len_utf8()..).unwrap_or_default();
            }
        }
        origins
    }

    fn push(&mut self, character: char, from: Range<usize>, made: &str) {
        if made.is_empty() {
            self.push_nothing(from.end);
        } else if made.len() == character.len_utf8() && made.chars().nth(1).is_none() {
            self.push_alike(from);
        } else {
            let end = self.end() + made.len();
            self.stretches.push(Stretch { end, from, is_alike: false, is_closed: true });
        }
    }

    fn push_alike(&mut self, from: Range<usize>) {
        if from.is_empty() {
            return;
        }
        let end = self.end() + from.len();
        match self.stretches.last_mut().filter(|last| !last.is_closed) {
            Some(last) => (last.end, last.from.end) = (end, from.end),
            None => self.stretches.push(Stretch { end, from, is_alike: true, is_closed: false }),
        }
    }

    /// A mark that goes, up to `from_end`: it stays with the letter before it.
    fn push_nothing(&mut self, from_end: usize) {
        if let Some(last) = self.stretches.last_mut() {
            (last.from.end, last.is_closed) = (from_end, true);
        }
    }

    fn end(&self) -> usize {
        self.stretches.last().map_or(0, |last| last.end)
    }

    /// The bytes of the text that the bytes `span` of the normalised text come from.
    pub fn of(&self, span: Range<usize>) -> Range<usize> {
        let stretch = |byte: usize| {
            let at = self.stretches.partition_point(|stretch| stretch.end <= byte);
            let begin = at.checked_sub(1).map_or(0, |before| self.stretches[before].end);
            self.stretches.get(at).map(|stretch| (stretch, begin))
        };
        let start = stretch(span.start).map_or(0, |(stretch, begin)| {
            stretch.from.start + if stretch.is_alike { span.start - begin } else { 0 }
        });
        let end = span.end.checked_sub(1).and_then(stretch).map_or(start, |(stretch, begin)| {
            // At its end come the marks that were taken away.
            let inside = stretch.is_alike && span.end < stretch.end;
            if inside { stretch.from.start + (span.end - begin) } else { stretch.from.end }
        });
        start..end.max(start)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn without_marks(character: char) -> String {
        let mut made = String::new();
        super::super::normalisation::strip_accents(&String::from(character).to_lowercase(), &mut made);
        made
    }

    #[test]
    fn bytes_come_from_the_characters_that_they_were_made_of() {
        let text = "a\u{301}Be\u{301}\u{302}\u{FB01}x\u{133}\u{130}.";
        // á B é̂ ﬁ x ĳ İ . become a b e fi x ij i .
        let origins = Origins::new(text, without_marks);
        let made: String = text.chars().map(without_marks).collect();
        assert_eq!(made, "abefixiji.");
        let of = |from: usize, to: usize| &text[origins.of(from..to)];
        assert_eq!(of(0, 1), "a\u{301}");
        assert_eq!(of(1, 2), "B");
        assert_eq!(of(2, 3), "e\u{301}\u{302}");
        assert_eq!(of(3, 4), "\u{FB01}");
        assert_eq!(of(4, 5), "\u{FB01}");
        assert_eq!(of(5, 6), "x");
        assert_eq!(of(6, 8), "\u{133}");
        assert_eq!(of(8, 9), "\u{130}");
        assert_eq!(of(0, made.len()), text);
    }

    proptest! {
        #[test]
        fn what_comes_from_a_character_has_its_bytes(text in "[a-cÀ-ÿﬁĳ\u{300}-\u{303}ßİΣ ]{0,30}") {
            let origins = Origins::new(&text, without_marks);
            let mut at = 0;
            for (start, character) in text.char_indices() {
                let len = without_marks(character).len();
                if len > 0 {
                    let origin = origins.of(at..at + len);
                    prop_assert_eq!(origin.start, start);
                    prop_assert!(origin.end >= start + character.len_utf8());
                    // What it has more are marks that went.
                    prop_assert!(text[start + character.len_utf8()..origin.end].chars().all(|c| without_marks(c).is_empty()));
                }
                at += len;
            }
        }
    }
}
