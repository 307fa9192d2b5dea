//! Features of recordings, the mix of groups, and relations of words and sound.

use std::collections::BTreeSet;

use super::items::{Items, Opposed};
use super::{Found, Judged, Outcome, RELABELLINGS, Run, lacking, skipped};
use crate::compare::contrasts::{Contrast, contrasts};
use crate::compare::correlations::Correlation;
use crate::compare::features::FeatureTable;
use crate::compare::mix::mix_shift;
use crate::compare::shift::{Shift, Shifts};
use crate::error::Result;
use crate::math::statistics::benjamini_hochberg;
use crate::report::difference::{Mix, Part};

/// Says in frames what `seconds` says.
const LEFT_OUT: [&str; 1] = ["frames"];

/// How the features of the target's recordings differ from the reference's.
pub(super) fn shifts(a: &Run, b: &Run, clips: Option<(&Items, &Opposed)>) -> Result<Outcome<Shift>> {
    let Some((items, opposed)) = clips else {
        return skipped(Part::Sound, lacking(a, b, "clips").unwrap_or_default());
    };
    if let Some(reason) = opposed.trouble() {
        return skipped(Part::Sound, reason);
    }
    let mut features = FeatureTable::default();
    for name in items.a.table.numeric_columns() {
        if items.b.table.has(&name) && !LEFT_OUT.contains(&name.as_str()) {
            let column = opposed.select(&items.a.table.numbers(&name)?, &items.b.table.numbers(&name)?);
            features.push(name, column.into_iter().map(|value| value.unwrap_or(f64::NAN)).collect());
        }
    }
    let groups = opposed.select(&items.a.groups, &items.b.groups);
    let found = crate::compare::shift::shifts(&features, &opposed.is_target(), &groups, RELABELLINGS);
    let compared = format!("{}; {}", opposed.compared, units(&found));
    let p = found.p_any;
    let rows: Vec<Judged<Shift>> = found
        .rows
        .into_iter()
        .map(|row| Judged { p: row.p, q: row.q, effect: row.cliffs_delta, row })
        .collect();
    Ok(Ok(Found { part: Part::Sound, compared, tested: rows.len(), p, rows }))
}

/// What the draws are, in words.
fn units(found: &Shifts) -> String {
    let within = format!("recordings within {} groups that both have", found.shared_groups);
    match (found.shared_groups, found.further) {
        (0, others) => format!("{others} groups or single recordings are the draws"),
        (_, 0) => format!("{within} are the draws"),
        (_, others) => format!("{within}, and {others} other groups or single recordings, are the draws"),
    }
}

/// How the mix of groups differs, of documents and of recordings.
#[allow(clippy::unnecessary_wraps, reason = "a part like the others, which read tables")]
pub(super) fn groups(
    documents: Option<(&Items, &Opposed)>,
    clips: Option<(&Items, &Opposed)>,
) -> Result<Outcome<Mix>> {
    let mut mixes = Vec::new();
    let mut compared = Vec::new();
    for (of, side) in [("documents", documents), ("recordings", clips)] {
        let Some((items, opposed)) = side.filter(|(_, opposed)| opposed.trouble().is_none()) else {
            continue;
        };
        let groups = opposed.select(&items.a.groups, &items.b.groups);
        if let Some(shift) = mix_shift(&opposed.is_target(), &groups, RELABELLINGS) {
            compared.push(opposed.compared.clone());
            mixes.push(Mix { of, shift, q: None });
        }
    }
    if mixes.is_empty() {
        return skipped(Part::Groups, "there are not two groups with items on both sides to choose from");
    }
    let q = benjamini_hochberg(&mixes.iter().map(|mix| Some(mix.shift.p)).collect::<Vec<_>>());
    let judged = mixes.into_iter().zip(q).map(|(mix, q)| Judged {
        p: Some(mix.shift.p),
        q,
        effect: Some(mix.shift.total_variation),
        row: Mix { q, ..mix },
    });
    let rows: Vec<Judged<Mix>> = judged.collect();
    // Simes: the least q is the p that any mix differs.
    let p = rows.iter().filter_map(|row| row.q).reduce(f64::min);
    Ok(Ok(Found { part: Part::Groups, compared: compared.join("; "), tested: rows.len(), p, rows }))
}

fn correlations(run: &Run) -> Result<Vec<Correlation>> {
    let table = run.table("correlations", &[])?;
    let (texts, sounds) = (table.text("text_feature")?, table.text("audio_feature")?);
    let (n, spearman, q) = (table.counts("n")?, table.numbers("spearman")?, table.numbers("q")?);
    let (low, high) = (table.numbers("ci_low")?, table.numbers("ci_high")?);
    let row = |i: usize| Correlation {
        text_feature: texts[i].clone(),
        audio_feature: sounds[i].clone(),
        n: n[i] as u32,
        spearman: spearman[i],
        ci_low: low[i],
        ci_high: high[i],
        q: q[i],
        ..Correlation::default()
    };
    Ok((0..table.rows()).map(row).collect())
}

/// Where most pairs are of groups that the other run does not have, the groups are the draws: how many there are in each run.
fn drawn_groups(a: &Run, b: &Run) -> Result<Option<(u32, u32)>> {
    if lacking(a, b, "pairs").is_some() {
        return Ok(None);
    }
    let groups = |run: &Run| -> Result<Vec<String>> {
        Ok(run.table("pairs", &["group"])?.optional_text("group")?.into_iter().flatten().collect())
    };
    let (of_a, of_b) = (groups(a)?, groups(b)?);
    let (named_a, named_b): (BTreeSet<&String>, BTreeSet<&String>) =
        (of_a.iter().collect(), of_b.iter().collect());
    let shared = |groups: &[String], others: &BTreeSet<&String>| {
        groups.iter().filter(|group| others.contains(group)).count() * 2 >= groups.len()
    };
    let both = shared(&of_a, &named_b) && shared(&of_b, &named_a);
    Ok((!both).then_some((named_a.len() as u32, named_b.len() as u32)))
}

/// Relations that differ. The rows are those whose intervals are apart, whose significance turned or that are findings; all
/// are tested.
pub(super) fn relations(a: &Run, b: &Run, alpha: f64) -> Result<Outcome<Contrast>> {
    if let Some(reason) = lacking(a, b, "correlations") {
        return skipped(Part::Relations, reason);
    }
    let draws = drawn_groups(a, b)?;
    let rows = contrasts(&correlations(a)?, &correlations(b)?, draws, alpha);
    let tested = rows.iter().filter(|row| row.p.is_some()).count();
    if rows.is_empty() {
        return skipped(Part::Relations, "no relation stands in both tables");
    }
    let of_groups = draws.map_or(String::new(), |(a, b)| format!("; groups are the draws: {b} against {a}"));
    let compared = format!("the correlations of B against those of A{of_groups}");
    // Simes: the least q is the p that any relation differs.
    let p = rows.iter().filter_map(|row| row.q).reduce(f64::min);
    let told = |row: &Contrast| row.intervals_apart || row.turned || row.q.is_some_and(|q| q <= alpha);
    let judged = rows.into_iter().filter(told).map(|row| {
        let effect = row.spearman.0.zip(row.spearman.1).map(|(a, b)| b - a);
        Judged { p: row.p, q: row.q, effect, row }
    });
    Ok(Ok(Found { part: Part::Relations, compared, tested, p, rows: judged.collect() }))
}
