//! The summary: what was read and what was found, in plain sentences and a few large numbers.

use maud::{Markup, html};

use super::corpus::law_sentence;
use super::data::{Relation, Relations, ReportData, Space};
use super::strength::strongest_relations;
use super::{Section, feature, groups, number};

const STRONGEST: usize = 3;

/// The section; always there.
#[allow(clippy::unnecessary_wraps, reason = "sections are a list of options")]
pub(super) fn section(data: &ReportData) -> Option<Section> {
    let body = html! {
        div.overview { div.lead {
            p { (read_sentence(data)) " " (pairing_sentence(data)) }
            @if let Some(sentence) = word_sentence(data) { p { (sentence) } }
            @if let Some(sentence) = data.corpus.as_ref().and_then(law_sentence) { p { (sentence) } }
            @if let Some(relations) = &data.relations { (findings(relations)) }
            p { (trouble_sentence(data)) }
        } (tiles(data)) }
    };
    Some(Section { id: "summary", title: "Summary", body })
}

fn read_sentence(data: &ReportData) -> String {
    let documents = data.documents.as_ref().map(|read| {
        format!(
            "{} with {} ({} different)",
            number::counted(read.documents, "document", "documents"),
            number::counted(read.tokens, "word", "words"),
            number::count(read.types)
        )
    });
    let clips = data.clips.as_ref().map(|read| {
        format!(
            "{} of {} together",
            number::counted(read.clips, "recording", "recordings"),
            number::duration(read.seconds)
        )
    });
    match (documents, clips) {
        (Some(documents), Some(clips)) => format!("This job read {documents} and {clips}."),
        (Some(one), None) | (None, Some(one)) => format!("This job read {one}."),
        (None, None) => "This job read nothing.".to_owned(),
    }
}

fn pairing_sentence(data: &ReportData) -> String {
    let Some(relations) = &data.relations else { return String::new() };
    let pairs =
        number::counted(relations.pairs, "document has its recording", "documents have their recording");
    let mut alone = Vec::new();
    if relations.unpaired_documents > 0 {
        alone.push(number::counted(relations.unpaired_documents, "document", "documents"));
    }
    if relations.unpaired_clips > 0 {
        alone.push(number::counted(relations.unpaired_clips, "recording", "recordings"));
    }
    match alone.is_empty() {
        true if relations.pairs > 1 => "Every document has its recording.".to_owned(),
        true => format!("{pairs}."),
        false => format!("{pairs}; {} found no partner.", alone.join(" and ")),
    }
}

fn word_sentence(data: &ReportData) -> Option<Markup> {
    let words = data.words.as_ref()?;
    let top: Vec<String> = words.top_terms.iter().take(3).map(|term| number::clean(&term.term, 40)).collect();
    let keyness = words.keyness.as_ref().filter(|keyness| !keyness.terms.is_empty());
    if top.is_empty() && keyness.is_none() {
        return None;
    }
    Some(html! {
        @if !top.is_empty() { "The most frequent terms are " (listed(&top)) ". " }
        @if let Some(keyness) = keyness {
            @let own: Vec<String> = keyness.terms.iter().filter(|term| term.log_ratio > 0.0).take(3).map(|term| number::clean(&term.term, 40)).collect();
            @if !own.is_empty() { "What sets “" bdi { (number::clean(&keyness.target, 40)) } "” apart: " (listed(&own)) "." }
        }
    })
}

/// `a, b and c`, each set as a word of its own.
fn listed(terms: &[String]) -> Markup {
    html! {
        @for (at, term) in terms.iter().enumerate() {
            @if at > 0 { @if at + 1 == terms.len() { " and " } @else { ", " } }
            i.term { bdi { (term) } }
        }
    }
}

fn findings(relations: &Relations) -> Markup {
    let tested = relations.relations.iter().filter(|relation| relation.rho().is_some()).count() as u64;
    let significant = relations.relations.iter().filter(|relation| relation.is_significant()).count() as u64;
    let strongest: Vec<&Relation> = strongest_relations(&relations.relations, STRONGEST)
        .into_iter()
        .filter(|relation| relation.is_significant())
        .collect();
    html! {
        p {
            @if tested == 0 { "There was no relation between words and voices to test." }
            @else {
                strong { (number::count(significant)) " of " (number::count(tested)) }
                " relations between a feature of the words and a feature of the voice " (if significant == 1 { "is" } else { "are" })
                " significant at q < 0.05"
                @if strongest.is_empty() { "." } @else { ". The strongest:" }
            }
        }
        @if !strongest.is_empty() { ul { @for relation in strongest { li { (finding(relation)) } } } }
        @if let Some(sentence) = groups::sentence(relations) { p { (sentence) } }
        @if let Some(sentence) = declination(relations) { p { (sentence) } }
        @if let Some(sentence) = retrieval(relations) { p { (sentence) } }
        @if let Some(best) = relations.predictions.iter().find(|row| row.q.is_some_and(|q| q < super::Q_LIMIT)) {
            p {
                "Best predicted from the other side is the " (feature::meaning_or_name(&best.target)) ": "
                (number::decimal(100.0 * best.r2.unwrap_or(0.0), 0)) " % of its variance on pairs that were not learnt from."
            }
        }
        @if let Some(worst) = relations.suspects.first() {
            p {
                (number::counted(relations.all_suspects, "pair fits", "pairs fit")) " worse than the others do; listen first to "
                code { bdi { (number::clean(&worst.clip_id, 60)) } } ": " (number::clean(&worst.explanation, 200)) "."
            }
        }
        @if (1..10).contains(&relations.pairs) {
            p { "With so few pairs only very strong relations can be told from chance." }
        }
    }
}

/// How pitch and level go with the place of a word, where that is beyond chance.
fn declination(relations: &Relations) -> Option<String> {
    let found = |sound: &str, name: &str| {
        let of = |row: &&Relation| row.text_feature == "position" && row.audio_feature == sound;
        let row = relations.word_relations.iter().find(of).filter(|row| row.is_significant())?;
        let rho = row.rho()?;
        let way = if rho < 0.0 { "lower" } else { "higher" };
        Some(format!("the {way} is its {name} (ρ = {})", number::correlation(rho)))
    };
    let parts: Vec<String> =
        [found("f0_hz", "pitch"), found("rms_db", "level")].into_iter().flatten().collect();
    (!parts.is_empty()).then(|| format!("The later a word stands in its recording, {}.", parts.join(" and ")))
}

/// How often the right recording is found by the words, where that is beyond chance.
fn retrieval(relations: &Relations) -> Option<String> {
    let beyond = |row: &&Space| row.measure == "recall_at_1" && row.q.is_some_and(|q| q < super::Q_LIMIT);
    let best = relations
        .spaces
        .iter()
        .filter(beyond)
        .max_by(|a, b| a.estimate.unwrap_or(0.0).total_cmp(&b.estimate.unwrap_or(0.0)))?;
    let percent = |share: f64| number::decimal(100.0 * share, 1);
    Some(format!(
        "By its words alone a document's recording is found first for {} % of the documents ({} % by chance), among those that nothing was learnt from.",
        percent(best.estimate?),
        percent(best.null_mean?),
    ))
}

fn finding(relation: &Relation) -> Markup {
    let rho = relation.rho().unwrap_or(0.0);
    html! {
        "The " (feature::meaning_or_name(&relation.audio_feature)) (if rho < 0.0 { " falls" } else { " rises" }) " with the "
        (feature::meaning_or_name(&relation.text_feature)) " "
        span.aside {
            "(ρ = " (number::correlation(rho))
            @if let Some((low, high)) = relation.ci_low.zip(relation.ci_high) {
                ", 95 % interval " (number::correlation(low)) " to " (number::correlation(high))
            }
            ")"
        }
    }
}

fn trouble_sentence(data: &ReportData) -> Markup {
    let (quarantined, warned) = (data.quarantine.len() as u64, data.warnings.len() as u64);
    html! {
        @match (quarantined, warned) {
            (0, 0) => "Every input could be used.",
            (0, _) => { "Every input could be used, " (number::count(warned)) " of them only in part" (see_quarantine()) },
            (_, 0) => { (number::counted(quarantined, "input", "inputs")) " could not be used" (see_quarantine()) },
            _ => {
                (number::counted(quarantined, "input", "inputs")) " could not be used, " (number::count(warned)) " only in part" (see_quarantine())
            },
        }
    }
}

fn see_quarantine() -> Markup {
    html! { " (" a href="#quarantine" { "which and why" } ")." }
}

fn tiles(data: &ReportData) -> Markup {
    let mut tiles: Vec<(&str, String)> = Vec::new();
    if let Some(read) = &data.documents {
        tiles.push(("Documents", number::count(read.documents)));
        tiles.push(("Words", number::count(read.tokens)));
    }
    if let Some(read) = &data.clips {
        tiles.push(("Recordings", number::count(read.clips)));
        tiles.push(("Sound", number::duration(read.seconds)));
    }
    if let Some(relations) = &data.relations {
        tiles.push(("Pairs", number::count(relations.pairs)));
        let significant = relations.relations.iter().filter(|relation| relation.is_significant()).count();
        tiles.push(("Significant relations", number::count(significant as u64)));
    }
    tiles.push(("In quarantine", number::count(data.quarantine.len() as u64)));
    html! { dl.tiles { @for (name, value) in tiles { div { dt { (name) } dd { (value) } } } } }
}
