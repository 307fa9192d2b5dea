//! Markdown to the text a reader sees.

use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

/// Removes the markup of `source`: headings, emphasis, links and images leave their words, code stays, HTML and link targets
/// go. Blocks are separated by a blank line, so that a sentence does not run over from one to the next.
pub(super) fn visible_text(source: &str) -> String {
    let options = Options::ENABLE_TABLES
        | Options::ENABLE_STRIKETHROUGH
        | Options::ENABLE_FOOTNOTES
        | Options::ENABLE_TASKLISTS
        | Options::ENABLE_YAML_STYLE_METADATA_BLOCKS;
    let mut out = String::with_capacity(source.len());
    let mut in_metadata = false;
    for event in Parser::new_ext(source, options) {
        match event {
            Event::Start(Tag::MetadataBlock(_)) => in_metadata = true,
            Event::End(TagEnd::MetadataBlock(_)) => in_metadata = false,
            Event::Text(text) | Event::Code(text) if !in_metadata => out.push_str(&text),
            Event::SoftBreak | Event::HardBreak => out.push('\n'),
            Event::End(TagEnd::TableCell) => out.push('\t'),
            Event::End(
                TagEnd::Paragraph
                | TagEnd::Heading(_)
                | TagEnd::CodeBlock
                | TagEnd::Item
                | TagEnd::TableRow
                | TagEnd::TableHead
                | TagEnd::BlockQuote(_),
            )
            | Event::Rule => end_block(&mut out),
            _ => {}
        }
    }
    out.truncate(out.trim_end().len());
    out
}

fn end_block(out: &mut String) {
    out.truncate(out.trim_end().len());
    if !out.is_empty() {
        out.push_str("\n\n");
    }
}

#[cfg(test)]
mod tests {
    use super::visible_text;

    #[test]
    fn only_the_words_stay() {
        for (source, text) in [
            ("# Rain\n\nIt *rained* on **them** and `x`.", "Rain\n\nIt rained on them and x."),
            ("[a link](http://x.y/z) and ![a picture](p.png)", "a link and a picture"),
            ("- one\n- two\n", "one\n\ntwo"),
            ("before <b>bold</b> after\n\n<div>html block</div>\n\nend", "before bold after\n\nend"),
            ("---\ntitle: x\n---\n\nbody", "body"),
            ("| a | b |\n|---|---|\n| c | d |\n", "a\tb\n\nc\td"),
            ("", ""),
        ] {
            assert_eq!(visible_text(source), text, "{source:?}");
        }
    }
}
