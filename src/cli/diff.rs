//! `wordwave diff`

use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, ValueEnum};

use super::print;
use crate::compare::contrasts::Contrast;
use crate::compare::drift::Drift;
use crate::compare::shift::Shift;
use crate::error::{Error, Result};
use crate::job::difference;
use crate::report::difference::{
    Difference, ItemChanges, List, Mix, Part, Row, TermCount, TermShift, Tested, Thresholds,
};
use crate::report::page::render_difference;

/// Rows of each list in the text.
const ROWS: usize = 12;
/// Ids and terms in a line.
const NAMES: usize = 8;

const HELP: &str = "\
What is tested: frequencies of terms (words), word vectors (drift), features of recordings (sound), shares of groups \
such as speakers (groups), correlations of words and sound (relations). Documents and recordings that are new or changed \
in B stand against those of A. Documents are the draws, and of recordings with groups the groups, so that bursts of words \
and a speaker's voice are no change.

A change is a finding where q is at most alpha and its effect at least the size of its part: words 1 (log ratio: twice \
as frequent), drift 0.1 (cosine distance beyond that of words as frequent), sound 0.2 (Cliff's delta), groups 0.1 (total \
variation), relations 0.2 (difference of correlations). Between two random halves of one corpus the chance of any finding is \
at most about alpha, over all parts together.

Exit status: 0, or 1 where there are more findings than --max-changes.";

#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub(super) struct Arguments {
    /// The run to start from: its folder, or a job's folder for its latest run
    run_a: PathBuf,
    /// The run that is held against it
    run_b: PathBuf,
    /// Form of what is printed
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// Write an HTML page too, which opens offline
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// Accepted rate of false alarms, over all parts together
    #[arg(long, value_name = "RATE", default_value_t = 0.05, value_parser = rate)]
    alpha: f64,
    /// Least effect of a finding in a part, as in --effect words=2
    #[arg(long, value_name = "PART=SIZE", value_parser = effect)]
    effect: Vec<(Part, f64)>,
    /// Show a part, but never count its changes: words, drift, sound, groups or relations
    #[arg(long, value_name = "PART", value_delimiter = ',', value_parser = part)]
    ignore: Vec<Part>,
    /// Findings that are accepted before the exit status is 1
    #[arg(long, value_name = "N", default_value_t = 0)]
    max_changes: u64,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Format {
    Text,
    Json,
}

fn rate(text: &str) -> std::result::Result<f64, String> {
    let value: f64 = text.parse().map_err(|_| format!("{text} is no number"))?;
    if value > 0.0 && value < 1.0 { Ok(value) } else { Err("a rate lies between 0 and 1".to_owned()) }
}

fn part(text: &str) -> std::result::Result<Part, String> {
    let found = Part::ALL.into_iter().find(|part| part.name() == text);
    found.ok_or_else(|| {
        format!("there is no part {text}: it is one of {}", Part::ALL.map(Part::name).join(", "))
    })
}

fn effect(text: &str) -> std::result::Result<(Part, f64), String> {
    let (name, size) = text.split_once('=').ok_or("write PART=SIZE, as in words=2")?;
    let size: f64 = size.parse().map_err(|_| format!("{size} is no number"))?;
    if size >= 0.0 { Ok((part(name)?, size)) } else { Err("an effect is 0 or more".to_owned()) }
}

/// Exit status 1 where there are more findings than accepted.
pub(super) fn diff(arguments: &Arguments) -> Result<ExitCode> {
    let mut thresholds = Thresholds {
        alpha: arguments.alpha,
        ignored: arguments.ignore.clone(),
        max_changes: arguments.max_changes,
        ..Thresholds::default()
    };
    thresholds.effects = Part::ALL.map(|part| (part, stated(&arguments.effect, part))).to_vec();
    let found = difference(&arguments.run_a, &arguments.run_b, thresholds)?;
    if let Some(path) = &arguments.html {
        std::fs::write(path, render_difference(&found)).map_err(|error| Error::io("write", path, error))?;
    }
    match arguments.format {
        Format::Text => print(&text(&found))?,
        Format::Json => {
            let json = serde_json::to_string_pretty(&found)
                .map_err(|error| Error::Output(std::io::Error::other(error)))?;
            print(&(json + "\n"))?;
        }
    }
    Ok(ExitCode::from(u8::from(found.over_threshold)))
}

fn stated(effects: &[(Part, f64)], part: Part) -> f64 {
    effects.iter().rev().find(|(other, _)| *other == part).map_or(part.default_effect(), |(_, size)| *size)
}

/// The difference for a person.
fn text(found: &Difference) -> String {
    let mut out = String::new();
    let _ = writeln!(out, "A  {}  ({})", found.a.folder, found.a.job);
    let _ = writeln!(out, "B  {}  ({})", found.b.folder, found.b.job);
    for note in &found.notes {
        let _ = writeln!(out, "NOTE: {note}");
    }
    let _ = writeln!(out, "\n{}\n", verdict(found));
    let _ = writeln!(out, "{:<14}{:>14}{:>14}{:>14}", "", "A", "B", "B - A");
    for count in &found.counts {
        let digits = usize::from(count.name == "seconds");
        let difference = count.b - count.a;
        let _ = writeln!(
            out,
            "{:<14}{:>14.digits$}{:>14.digits$}{difference:>+14.digits$}",
            count.name, count.a, count.b
        );
    }
    out.push('\n');
    items(&mut out, "documents", found.documents.as_ref());
    items(&mut out, "recordings", found.clips.as_ref());
    if let Some(terms) = &found.vocabulary {
        let _ = writeln!(out, "vocabulary (table {}): {} terms in both", terms.table, terms.shared);
        named(&mut out, "gained", &terms.gained, counted);
        named(&mut out, "lost", &terms.lost, counted);
    }
    part_text(&mut out, found.words.as_ref(), WORDS_HEAD, words_row);
    part_text(&mut out, found.drift.as_ref(), DRIFT_HEAD, drift_row);
    part_text(&mut out, found.sound.as_ref(), SOUND_HEAD, sound_row);
    part_text(&mut out, found.groups.as_ref(), MIX_HEAD, mix_row);
    part_text(&mut out, found.relations.as_ref(), RELATIONS_HEAD, relations_row);
    if !found.skipped.is_empty() {
        out.push_str("\nnot compared\n");
    }
    for skipped in &found.skipped {
        let _ = writeln!(out, "  {}: {}", skipped.part, skipped.reason);
    }
    out
}

fn verdict(found: &Difference) -> String {
    let (findings, thresholds) = (found.findings, &found.thresholds);
    let accepted = thresholds.max_changes;
    let end = if found.over_threshold { "over the threshold: exit status 1" } else { "within the threshold" };
    format!(
        "{findings} {} at alpha {}, {accepted} accepted: {end}",
        if findings == 1 { "finding" } else { "findings" },
        thresholds.alpha
    )
}

fn items(out: &mut String, noun: &str, changes: Option<&ItemChanges>) {
    if let Some(changes) = changes {
        let _ = writeln!(out, "{noun}: {} the same", changes.same);
        named(out, "gained", &changes.gained, Clone::clone);
        named(out, "lost", &changes.lost, Clone::clone);
        named(out, "changed", &changes.changed, Clone::clone);
    }
}

fn counted(term: &TermCount) -> String {
    format!("{} ({})", term.term, term.count)
}

/// A line with how many there are and the first of them.
fn named<T>(out: &mut String, what: &str, list: &List<T>, name: fn(&T) -> String) {
    if list.count > 0 {
        let names: Vec<String> = list.first.iter().take(NAMES).map(|one| visible(&name(one))).collect();
        let more = if list.count > names.len() as u64 { ", …" } else { "" };
        let _ = writeln!(out, "  {what} {}: {}{more}", list.count, names.join(", "));
    }
}

/// A name without what would move a terminal's cursor.
fn visible(name: &str) -> String {
    name.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

fn part_text<T>(out: &mut String, part: Option<&Tested<T>>, head: &str, row: fn(&T) -> String) {
    let Some(part) = part else { return };
    let _ = writeln!(out, "\n{} — {}", part.part.name(), part.compared);
    let _ = writeln!(
        out,
        "  {} tested, {} findings; that anything differs: p = {}, q over all parts = {}",
        part.tested,
        part.findings,
        probability(part.p),
        probability(part.q)
    );
    if part.rows.first.is_empty() {
        return;
    }
    let _ = writeln!(out, "    {head}");
    let shown: &[Row<T>] = &part.rows.first[..part.rows.first.len().min(ROWS)];
    for one in shown {
        let _ = writeln!(out, "  {} {}", if one.finding { "*" } else { " " }, row(&one.of));
    }
    if part.rows.count > shown.len() as u64 {
        let _ = writeln!(out, "    … {} more in --format json", part.rows.count - shown.len() as u64);
    }
}

const WORDS_HEAD: &str =
    "term                          A         B log ratio         G2      z        p        q";
fn words_row(row: &TermShift) -> String {
    format!(
        "{:<24}{:>7}{:>10}{:>10}{:>11.1}{:>7}{:>9}{:>9}",
        cut(&row.term, 24),
        row.reference_count,
        row.target_count,
        number(row.log_ratio),
        row.g2,
        number(row.z),
        probability(row.p),
        probability(row.q)
    )
}

const DRIFT_HEAD: &str =
    "word                          A         B  distance  as frequent  kept of 10        p        q";
fn drift_row(row: &Drift) -> String {
    format!(
        "{:<24}{:>7}{:>10}{:>10.3}{:>13.3}{:>12}{:>9}{:>9}",
        cut(&row.term, 24),
        row.counts.0,
        row.counts.1,
        row.distance,
        row.floor,
        row.kept_neighbours,
        probability(row.p),
        probability(row.q)
    )
}

const SOUND_HEAD: &str =
    "feature                  mean in A  mean in B  Hedges g  Cliff's delta        p        q";
fn sound_row(row: &Shift) -> String {
    format!(
        "{:<24}{:>10}{:>11}{:>10}{:>15}{:>9}{:>9}",
        cut(&row.feature, 24),
        value(row.reference_mean),
        value(row.target_mean),
        number(row.hedges_g),
        number(row.cliffs_delta),
        probability(row.p),
        probability(row.q)
    )
}

const MIX_HEAD: &str = "groups of    total variation         G2        p        q  most changed (A, B)";
fn mix_row(row: &Mix) -> String {
    let most = row.shift.groups.iter().take(4);
    let most: Vec<String> = most
        .map(|group| format!("{} ({}, {})", visible(&group.group), group.reference, group.target))
        .collect();
    format!(
        "{:<14}{:>14.3}{:>11.1}{:>9}{:>9}  {}",
        row.of,
        row.shift.total_variation,
        row.shift.g2,
        probability(Some(row.shift.p)),
        probability(row.q),
        most.join(", ")
    )
}

const RELATIONS_HEAD: &str =
    "relation                                          in A      in B  intervals        p        q";
fn relations_row(row: &Contrast) -> String {
    let what = match (row.intervals_apart, row.turned) {
        (true, _) => "apart",
        (false, true) => "turned",
        (false, false) => "",
    };
    format!(
        "{:<44}{:>10}{:>10}{:>11}{:>9}{:>9}",
        cut(&format!("{} ~ {}", row.text_feature, row.audio_feature), 44),
        number(row.spearman.0),
        number(row.spearman.1),
        what,
        probability(row.p),
        probability(row.q)
    )
}

fn cut(text: &str, most: usize) -> String {
    let text = visible(text);
    if text.chars().count() < most { text } else { text.chars().take(most - 2).chain(['…']).collect() }
}

fn number(value: Option<f64>) -> String {
    value.map_or_else(|| "-".to_owned(), |value| format!("{value:+.2}"))
}

fn value(value: Option<f64>) -> String {
    value.map_or_else(
        || "-".to_owned(),
        |value| {
            if value == 0.0 || value.abs() >= 0.01 { format!("{value:.2}") } else { format!("{value:.1e}") }
        },
    )
}

fn probability(value: Option<f64>) -> String {
    value.map_or_else(
        || "-".to_owned(),
        |value| if value >= 0.001 { format!("{value:.3}") } else { format!("{value:.0e}") },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thresholds_are_checked() {
        assert_eq!(effect("words=2"), Ok((Part::Words, 2.0)));
        for wrong in ["words", "word=2", "words=two", "words=-1"] {
            assert!(effect(wrong).is_err(), "{wrong}");
        }
        assert!(rate("0.01").is_ok() && rate("0").is_err() && rate("5").is_err() && rate("NaN").is_err());
        assert_eq!(stated(&[(Part::Words, 2.0), (Part::Words, 3.0)], Part::Words), 3.0);
        assert_eq!(stated(&[], Part::Sound), 0.2);
    }

    #[test]
    fn names_move_no_cursor() {
        assert_eq!(cut("a\u{1b}[2Jb", 24), "a\u{fffd}[2Jb");
        assert_eq!(cut("abcdef", 5), "abc…");
    }
}
