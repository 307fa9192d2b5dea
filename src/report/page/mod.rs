//! The report page: one HTML file that opens offline, in light and dark, and reads without script. It holds no
//! date, no run id and no machine, so two runs over the same input give the same bytes.

mod axis;
mod corpus;
mod data;
mod difference;
mod feature;
mod groups;
mod guide;
mod heat_map;
mod histogram;
mod inputs;
mod mark;
mod number;
mod picture;
mod player;
mod quarantine;
mod relations;
mod scatter;
mod sound;
mod strength;
mod summary;
mod table;
mod word_map;
mod words;

pub use data::{
    ClipGroup, ClipsRead, Collocation, Corpus, Count, Dispersed, DocumentsRead, Duplicate, Embeddings,
    Exclusion, FeatureSummary, GroupMean, KeyTerm, Keyness, Law, MapWord, Neighbours, Phrase, Point,
    Prediction, Relation, Relations, ReportData, Scatter, Sound, Space, Spectrogram, SpokenWord, Suspect,
    TableFile, TopTerm, Topic, Words,
};
pub use difference::render as render_difference;
pub use groups::GROUP_FEATURES;
pub use picture::spectrogram_svg;
pub use player::wav;
pub use strength::strongest_relations;

use maud::{DOCTYPE, Markup, PreEscaped, html};

/// A relation with q under this is significant.
pub const Q_LIMIT: f64 = 0.05;
/// Inputs in quarantine, and warnings, that the page shows; the tables have the rest.
pub const EXCLUSIONS_SHOWN: usize = 200;
/// Scatter plots that the page shows.
pub const SCATTERS_SHOWN: usize = 6;
/// Spectrogram pictures that the page shows.
pub const SPECTROGRAMS_SHOWN: usize = 8;

const STYLE: &str = include_str!("style.css");
const SCRIPT: &str = include_str!("page.js");
/// The page may run its own script and style and show its own pictures; it can load nothing.
const POLICY: &str = "default-src 'none'; img-src data:; media-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'";

/// A part of the page: its anchor, its heading and what stands in it.
struct Section {
    id: &'static str,
    title: &'static str,
    body: Markup,
}

/// The whole page as HTML.
#[must_use]
pub fn render(data: &ReportData) -> String {
    let sections: Vec<Section> = [
        summary::section(data),
        inputs::section(data),
        data.words.as_ref().and_then(words::section),
        data.corpus.as_ref().and_then(corpus::section),
        data.sound.as_ref().and_then(sound::section),
        data.relations.as_ref().and_then(groups::section),
        data.relations.as_ref().map(relations::section),
        Some(quarantine::section(data)),
        Some(guide::section(data)),
    ]
    .into_iter()
    .flatten()
    .collect();
    whole("wordwave report", &data.job, &sections, &footer(data))
}

/// A page of sections under a heading.
fn whole(kind: &str, heading: &str, sections: &[Section], footer: &Markup) -> String {
    let heading = number::clean(heading, 80);
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta http-equiv="Content-Security-Policy" content=(POLICY);
                meta name="color-scheme" content="light dark";
                title { (heading) " – " (kind) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                a.skip href="#summary" { "Skip to the summary" }
                header {
                    p.kind { (kind) }
                    h1 { bdi { (heading) } }
                    nav aria-label="Sections" {
                        ul { @for section in sections { li { a href=(format!("#{}", section.id)) { (section.title) } } } }
                    }
                }
                main {
                    @for section in sections {
                        section id=(section.id) aria-labelledby=(format!("{}-title", section.id)) tabindex="-1" {
                            h2 id=(format!("{}-title", section.id)) { (section.title) }
                            (section.body)
                        }
                    }
                }
                (footer)
                script { (PreEscaped(SCRIPT)) }
            }
        }
    }
    .into_string()
}

fn footer(data: &ReportData) -> Markup {
    html! {
        footer {
            p {
                "Made by wordwave " (number::clean(&data.version, 30))
                @if !data.config_hash.is_empty() { ", settings " code { (number::clean(&data.config_hash, 16)) } }
                ". This page bears no date, so that the same input gives the same page; when it was made stands in "
                code { "run.json" } " beside it."
            }
        }
    }
}

/// A figure or table under its own heading, with a sentence on how to read it.
fn block(title: &str, body: &Markup, how_to_read: &Markup) -> Markup {
    html! {
        div.block {
            h3 { (title) }
            figure { (body) figcaption { (how_to_read) } }
        }
    }
}

/// As [`block`], with a link to the table beside the page that has the numbers.
fn block_of(table: &str, title: &str, body: &Markup, how_to_read: &Markup) -> Markup {
    block(title, body, &html! { (how_to_read) " " span.source { "Table: " a href=(table) { (table) } } })
}

/// `the first 20 of 1,204` where a list is cut, nothing where it is whole.
fn cut_note(shown: usize, all: usize) -> Option<String> {
    (all > shown).then(|| {
        format!("Shown are the first {} of {}. ", number::count(shown as u64), number::count(all as u64))
    })
}

#[cfg(test)]
mod tests;
