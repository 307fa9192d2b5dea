//! HTML to the text a reader sees.

use std::borrow::Cow;
use std::convert::Infallible;
use std::sync::LazyLock;

use html5gum::Tokenizer;
use html5gum::emitters::callback::{CallbackEmitter, CallbackEvent};
use regex::Regex;

/// Removes the markup of `source`. Scripts, styles, the title and whatever else a browser does not show go, and so does what
/// is `hidden` or styled away; blocks are separated by a blank line, `br` and rows of a table end a line, cells are separated by a
/// tab. White space is one blank but in `pre`.
///
/// Tags are those of the HTML standard's tokenizer; which element ends where is decided by the rules of its tree that matter for
/// text: `p`, `li`, `dt`, `dd`, rows, cells and options end where the next begins, and an end tag ends what stands in its element.
pub(super) fn visible_text(source: &str) -> String {
    let is_xml = is_xml(source);
    let source = without_empty_raw_text(source, is_xml);
    let mut page = Page { keeps_self_closed: is_xml, ..Page::default() };
    let mut emitter =
        CallbackEmitter::new(|event: CallbackEvent<'_>, _: html5gum::Span<()>| -> Option<Infallible> {
            page.event(&event);
            None
        });
    emitter.naively_switch_states(true);
    let Ok(()) = Tokenizer::new_with_emitter(&*source, emitter).finish();
    page.text.truncate(page.text.trim_end().len());
    page.text
}

/// Whether an XML parser would read it: there `<script/>` has an end.
fn is_xml(source: &str) -> bool {
    let start = source.trim_start_matches('\u{FEFF}').trim_start();
    let head = &start[..start.floor_char_boundary(1024)];
    start.starts_with("<?xml") || head.contains("http://www.w3.org/1999/xhtml")
}

/// Takes out the elements whose contents are no markup where they are written as XML has them when they are empty: the tokenizer
/// would look for their end. In a page that is not XML a picture may have such a title.
fn without_empty_raw_text(source: &str, is_xml: bool) -> Cow<'_, str> {
    static EMPTY: LazyLock<Option<Regex>> = LazyLock::new(|| {
        Regex::new(r"<(?:script|style|title|textarea|iframe|xmp|noscript|noembed)(?:\s[^<>]*)?/>").ok()
    });
    static EMPTY_TITLE: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"<title\s*/>").ok());
    let empty = if is_xml { &EMPTY } else { &EMPTY_TITLE };
    match &**empty {
        Some(empty) if is_xml || source.contains("<svg") => empty.replace_all(source, ""),
        _ => Cow::Borrowed(source),
    }
}

/// Open elements that are kept at most, as browsers do: what is deeper has no end of its own.
const DEPTH: usize = 512;

/// What stands between two pieces of text; the larger of two wins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
enum Gap {
    #[default]
    None,
    Blank,
    Tab,
    Line,
    Block,
}

#[derive(Default)]
struct Page {
    text: String,
    gap: Gap,
    open: Vec<Element>,
    /// The start tag whose attributes are being read.
    starting: Option<Element>,
    reads_style: bool,
    /// `<a/>` is an element without contents, as in XML.
    keeps_self_closed: bool,
}

struct Element {
    name: Vec<u8>,
    kind: Kind,
    hides: bool,
}

/// How an element stands in the flow of the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Inline,
    Block,
    Row,
    Cell,
    /// A block in which white space stays.
    Preformatted,
}

impl Page {
    fn event(&mut self, event: &CallbackEvent<'_>) {
        match *event {
            CallbackEvent::OpenStartTag { name } => {
                let element = Element { name: name.to_vec(), kind: kind(name), hides: is_unseen(name) };
                self.starting = Some(element);
            }
            CallbackEvent::AttributeName { name } => {
                self.reads_style = name == b"style";
                if let Some(element) = self.starting.as_mut().filter(|_| name == b"hidden") {
                    element.hides = true;
                }
            }
            CallbackEvent::AttributeValue { value } if self.reads_style => {
                self.reads_style = false;
                if let Some(element) = self.starting.as_mut() {
                    element.hides |= styles_away(value);
                }
            }
            CallbackEvent::CloseStartTag { self_closing } => {
                if let Some(element) = self.starting.take() {
                    self.start(element, self_closing);
                }
            }
            CallbackEvent::EndTag { name } => self.end(name),
            CallbackEvent::String { value } => self.words(&String::from_utf8_lossy(value)),
            _ => {}
        }
    }

    fn start(&mut self, element: Element, self_closing: bool) {
        self.end_implied(&element);
        self.separate(element.kind);
        match element.name.as_slice() {
            b"br" => self.widen(Gap::Line),
            b"hr" => self.widen(Gap::Block),
            _ => {}
        }
        let foreign = || self.open.iter().rev().take(DEPTH).any(|open| is_foreign(&open.name));
        let has_contents = !is_void(&element.name)
            && !(self_closing && (self.keeps_self_closed || is_foreign(&element.name) || foreign()));
        if has_contents && (self.open.len() < DEPTH || element.hides) {
            self.open.push(element);
        }
    }

    fn end(&mut self, name: &[u8]) {
        // The end of an inline element is not beyond the block in which it stands.
        let inline = kind(name) == Kind::Inline && !is_unseen(name);
        let found = self
            .open
            .iter()
            .rev()
            .take(DEPTH)
            .take_while(|open| !inline || open.kind == Kind::Inline)
            .position(|open| open.name == name);
        match found {
            Some(above) => self.close(above + 1),
            None => self.separate(kind(name)),
        }
    }

    /// Ends the innermost `count` elements.
    fn close(&mut self, count: usize) {
        for element in self.open.split_off(self.open.len().saturating_sub(count)).into_iter().rev() {
            if !element.hides {
                self.separate(element.kind);
            }
        }
    }

    /// Ends what `next` ends without saying so.
    fn end_implied(&mut self, next: &Element) {
        let (ends, within): (&[&[u8]], &[&[u8]]) = match next.name.as_slice() {
            b"li" => (&[b"li"], &[b"ul", b"ol", b"menu"]),
            b"dt" | b"dd" => (&[b"dt", b"dd"], &[b"dl"]),
            b"td" | b"th" => (&[b"td", b"th"], &[b"tr", b"table"]),
            b"tr" => (&[b"tr"], &[b"table"]),
            b"thead" | b"tbody" | b"tfoot" => (&[b"thead", b"tbody", b"tfoot", b"caption"], &[b"table"]),
            b"option" | b"optgroup" => (&[b"option"], &[b"select", b"datalist"]),
            _ if next.kind == Kind::Inline => return,
            _ => (&[b"p"], &[b"table", b"td", b"th", b"caption", b"button", b"template", b"object"]),
        };
        let inner = self.open.iter().rev().take(DEPTH);
        let found = inner
            .take_while(|open| !within.contains(&open.name.as_slice()))
            .position(|open| ends.contains(&open.name.as_slice()));
        if let Some(above) = found {
            self.close(above + 1);
        }
    }

    fn separate(&mut self, kind: Kind) {
        match kind {
            Kind::Inline => {}
            Kind::Block | Kind::Preformatted => self.widen(Gap::Block),
            Kind::Row => self.widen(Gap::Line),
            Kind::Cell => self.widen(Gap::Tab),
        }
    }

    fn widen(&mut self, gap: Gap) {
        if !self.is_hidden() {
            self.gap = self.gap.max(gap);
        }
    }

    fn is_hidden(&self) -> bool {
        // What hides stays on the stack until it ends, and nothing that is pushed later shows again.
        self.open.iter().rev().take(DEPTH).any(|open| open.hides)
    }

    fn words(&mut self, words: &str) {
        if self.is_hidden() {
            return;
        }
        if self.open.iter().rev().take(DEPTH).any(|open| open.kind == Kind::Preformatted) {
            self.fill_gap();
            self.text.push_str(words);
            return;
        }
        let is_blank = |c: char| matches!(c, ' ' | '\t' | '\n' | '\x0C' | '\r');
        for (number, word) in words.split(is_blank).enumerate() {
            if number > 0 {
                self.widen(Gap::Blank);
            }
            if !word.is_empty() {
                self.fill_gap();
                self.text.push_str(word);
            }
        }
    }

    fn fill_gap(&mut self) {
        if self.gap > Gap::Blank {
            self.text.truncate(self.text.trim_end_matches([' ', '\n', '\t', '\r']).len());
        }
        let gap = match std::mem::take(&mut self.gap) {
            _ if self.text.is_empty() => "",
            Gap::None => "",
            Gap::Blank => " ",
            Gap::Tab => "\t",
            Gap::Line => "\n",
            Gap::Block => "\n\n",
        };
        self.text.push_str(gap);
    }
}

/// The display of the standard's style sheet (HTML, 15.3).
fn kind(name: &[u8]) -> Kind {
    match name {
        b"pre" | b"listing" | b"xmp" | b"plaintext" | b"textarea" => Kind::Preformatted,
        b"tr" => Kind::Row,
        b"td" | b"th" => Kind::Cell,
        b"address" | b"article" | b"aside" | b"blockquote" | b"body" | b"caption" | b"center" | b"dd"
        | b"details" | b"dialog" | b"dir" | b"div" | b"dl" | b"dt" | b"fieldset" | b"figcaption"
        | b"figure" | b"footer" | b"form" | b"frameset" | b"h1" | b"h2" | b"h3" | b"h4" | b"h5" | b"h6"
        | b"head" | b"header" | b"hgroup" | b"hr" | b"html" | b"legend" | b"li" | b"main" | b"menu"
        | b"nav" | b"ol" | b"optgroup" | b"option" | b"p" | b"search" | b"section" | b"summary"
        | b"table" | b"tbody" | b"tfoot" | b"thead" | b"ul" => Kind::Block,
        _ => Kind::Inline,
    }
}

/// Elements whose contents are never shown, or only by a browser that lacks what they are for.
fn is_unseen(name: &[u8]) -> bool {
    matches!(
        name,
        b"audio"
            | b"canvas"
            | b"datalist"
            | b"iframe"
            | b"noembed"
            | b"noframes"
            | b"noscript"
            | b"object"
            | b"rp"
            | b"script"
            | b"style"
            | b"template"
            | b"title"
            | b"video"
    )
}

fn is_void(name: &[u8]) -> bool {
    matches!(
        name,
        b"area"
            | b"base"
            | b"br"
            | b"col"
            | b"embed"
            | b"frame"
            | b"hr"
            | b"img"
            | b"input"
            | b"link"
            | b"meta"
            | b"param"
            | b"source"
            | b"track"
            | b"wbr"
    )
}

fn is_foreign(name: &[u8]) -> bool {
    matches!(name, b"svg" | b"math")
}

fn styles_away(style: &[u8]) -> bool {
    let plain: Vec<u8> =
        style.iter().filter(|byte| !byte.is_ascii_whitespace()).map(u8::to_ascii_lowercase).collect();
    let says = |what: &[u8]| plain.windows(what.len()).any(|window| window == what);
    says(b"display:none") || says(b"visibility:hidden")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn only_what_a_browser_shows_stays() {
        for (source, text) in [
            ("<p>It <b>rai</b>ned  on\n them.<p>Then not.", "It rained on them.\n\nThen not."),
            (
                "<!DOCTYPE html><html><head><title>T</title><meta charset=utf-8><style>p{}</style>\
                 <script>if (a < b) { '<p>x</p>' }</script></head><body>seen</body></html>",
                "seen",
            ),
            (
                "a &amp; b &lt;c&gt; caf&eacute; &#x201C;q&#8221; &nosuch; &amp",
                "a & b <c> café “q” &nosuch; &",
            ),
            ("a&nbsp;b", "a\u{A0}b"),
            ("a<!-- <p>no</p> -->b<![CDATA[no]]>c", "abc"),
            ("one<br>two<br/>three", "one\ntwo\nthree"),
            ("<ul><li>one<li>two</ul>after", "one\n\ntwo\n\nafter"),
            ("<table><tr><td>a<td>b<tr><td>c</td><td>d</td></tr></table>x", "a\tb\nc\td\n\nx"),
            ("<pre>  a\n    b</pre>c", "  a\n    b\n\nc"),
            ("<p hidden>no<div>yes</div>", "yes"),
            ("<div hidden><div>no</div>no</div>yes", "yes"),
            ("<span style='color: red; Display : None'>no</span>yes", "yes"),
            ("<div style=visibility:hidden>no <p>no</div>yes", "yes"),
            ("<input hidden value=x>yes<img hidden alt=no>", "yes"),
            ("<noscript>no</noscript><template><p>no</template>yes", "yes"),
            ("<b><div>one</b>two</div>three", "onetwo\n\nthree"),
            ("<svg><title/><path d='x'/><text>in</text></svg>yes", "inyes"),
            ("x</p>y</nosuch>z", "x\n\nyz"),
            ("<textarea><b>as it is</b></textarea>", "<b>as it is</b>"),
            ("<select><option>a<option>b</select>", "a\n\nb"),
            ("<a href='x>y'>link</a>", "link"),
            ("5 < 6 and <3", "5 < 6 and <3"),
            ("<script>never closed", ""),
            ("", ""),
        ] {
            assert_eq!(visible_text(source), text, "{source:?}");
        }
    }

    #[test]
    fn in_xhtml_an_empty_element_is_empty() {
        let page = |body: &str| {
            format!("<?xml version='1.0'?><html xmlns='http://www.w3.org/1999/xhtml'>{body}</html>")
        };
        let body = "<head><title/><script src='x.js'/></head><body><p>one<a id='n'/></p><p hidden='hidden'/>two</body>";
        assert_eq!(visible_text(&page(body)), "one\n\ntwo");
    }

    #[test]
    fn depth_takes_no_time() {
        let deep = 100_000;
        assert_eq!(visible_text(&format!("{}x{}y", "<div>".repeat(deep), "</div>".repeat(deep))), "x\n\ny");
        assert_eq!(visible_text(&format!("{}x{}", "<p hidden>".repeat(deep), "</p>".repeat(deep))), "");
        assert_eq!(visible_text(&format!("{}x", "<b><p>".repeat(deep))), "x");
        assert_eq!(visible_text(&"</div>".repeat(deep)), "");
    }

    proptest! {
        #[test]
        fn text_without_markup_stays_but_for_its_blanks(words in "[a-z ,.\n\t]{0,80}") {
            let expected = words.split_whitespace().collect::<Vec<_>>().join(" ");
            prop_assert_eq!(visible_text(&words), expected);
        }

        #[test]
        fn any_soup_is_read(soup in "(<[a-z/!]{1,3}[ a-z='\"/]{0,6}>?|[a-z &;#]{0,4}|[éß\u{0}]){0,40}") {
            visible_text(&soup);
        }
    }
}
