//! Groups, usually speakers: how they talk, each beside all others.

use std::collections::BTreeMap;

use maud::{Markup, html};

use super::data::{GroupMean, Relations};
use super::table::{Cell, Column, Table};
use super::{Q_LIMIT, Section, block_of, cut_note, mark, number};

/// The features of which the page shows the means of groups, in order.
pub const GROUP_FEATURES: [&str; 7] = [
    "words_per_minute",
    "f0_median_hz",
    "f0_hz_sd",
    "rms_db_slope",
    "f0_hz_slope",
    "pauses_per_minute",
    "loudness_lufs",
];

/// What stands over the column of each, and digits after the point.
const HEADINGS: [(&str, usize); 7] = [
    ("Words a minute", 0),
    ("Median pitch, Hz", 0),
    ("Pitch variation, Hz", 0),
    ("Level, dB a second", 2),
    ("Pitch, Hz a second", 1),
    ("Pauses a minute", 1),
    ("Loudness, LUFS", 1),
];

/// Groups that the table shows.
const GROUPS_SHOWN: usize = 40;

/// The means of a feature, by group.
type Means<'a> = BTreeMap<&'a str, &'a GroupMean>;

/// The section, where there are several groups.
pub(super) fn section(relations: &Relations) -> Option<Section> {
    let of_feature = |feature: &str| -> Means<'_> {
        let rows = relations.group_means.iter().filter(|row| row.feature == feature && row.mean.is_some());
        rows.map(|row| (row.group.as_str(), row)).collect()
    };
    let shown: Vec<(Means<'_>, (&'static str, usize))> = GROUP_FEATURES
        .iter()
        .zip(HEADINGS)
        .map(|(feature, heading)| (of_feature(feature), heading))
        .filter(|(means, _)| means.len() > 1)
        .collect();
    let first = shown.first()?;
    let groups: Vec<&str> = first.0.keys().copied().collect();
    let body = block_of(
        "group_means.parquet",
        "Groups side by side",
        &table(&groups, &shown),
        &html! {
            (cut_note(GROUPS_SHOWN, groups.len()).unwrap_or_default())
            "The mean over the recordings of a group (usually a speaker), below it its 95 % interval. In the picture the dot is the mean, the line the interval and the stroke the mean of the groups, on one scale for all. A star marks groups that are unlike all recordings together (q < 0.05). "
            "Level and pitch a second are slopes over a recording: below zero they fall, as in most speech (declination)."
        },
    );
    Some(Section { id: "groups", title: "Groups", body })
}

fn table(groups: &[&str], shown: &[(Means<'_>, (&'static str, usize))]) -> Markup {
    let mut columns = vec![Column::text("Group"), Column::number("n")];
    for (_, (heading, _)) in shown {
        columns.extend([Column::number(heading), Column::text("")]);
    }
    let rows = groups.iter().take(GROUPS_SHOWN).map(|group| {
        let n = shown.iter().filter_map(|(means, _)| Some(means.get(group)?.n)).max().unwrap_or(0);
        let mut cells = vec![Cell::text(group), Cell::count(n)];
        for (means, (_, digits)) in shown {
            let (range, middle) = scale(means);
            let row = means.get(group);
            let ends = row.and_then(|row| row.ci_low.zip(row.ci_high));
            let mean = row.and_then(|row| row.mean);
            let starred = row.is_some_and(|row| row.q.is_some_and(|q| q < Q_LIMIT));
            cells.push(Cell::estimate(mean, ends, |value| number::decimal(value, *digits)));
            cells.push(Cell::markup(html! {
                @if let Some(mean) = mean { (mark::on_scale(mean, ends, range, middle)) }
                @if starred { span.star title="q < 0.05" { "*" } }
            }));
        }
        cells
    });
    Table { label: "Groups side by side", columns: &columns, rows: rows.collect() }.render()
}

/// The range of the means with their intervals, and the mean of the means.
fn scale(means: &Means<'_>) -> ((f64, f64), f64) {
    let ends = means.values().flat_map(|row| [row.mean, row.ci_low, row.ci_high]).flatten();
    let range = ends.fold((f64::MAX, f64::MIN), |(low, high), value| (low.min(value), high.max(value)));
    let values: Vec<f64> = means.values().filter_map(|row| row.mean).collect();
    (range, values.iter().sum::<f64>() / values.len().max(1) as f64)
}

/// What sets the groups apart, for the summary: from which to which speaking rate and pitch reach.
pub(super) fn sentence(relations: &Relations) -> Option<String> {
    let reach = |feature: &str, what: &str, unit: &str| {
        let mut rows: Vec<(f64, &str)> = relations
            .group_means
            .iter()
            .filter(|row| row.feature == feature)
            .filter_map(|row| Some((row.mean?, row.group.as_str())))
            .collect();
        rows.sort_by(|a, b| a.0.total_cmp(&b.0).then_with(|| a.1.cmp(b.1)));
        let (low, high) = (rows.first()?, rows.last().filter(|_| rows.len() > 1)?);
        Some(format!(
            "{what} from {} ({}) to {}{unit} ({})",
            number::decimal(low.0, 0),
            number::clean(low.1, 30),
            number::decimal(high.0, 0),
            number::clean(high.1, 30),
        ))
    };
    let parts: Vec<String> = [
        reach("words_per_minute", "the mean speaking rate reaches", " words a minute"),
        reach("f0_median_hz", "the median pitch", " Hz"),
    ]
    .into_iter()
    .flatten()
    .collect();
    (!parts.is_empty()).then(|| format!("Between groups {}.", parts.join(", and ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mean(group: &str, feature: &str, mean: f64) -> GroupMean {
        GroupMean {
            group: group.into(),
            feature: feature.into(),
            n: 9,
            mean: Some(mean),
            ci_low: Some(mean - 1.0),
            ci_high: Some(mean + 1.0),
            q: Some(if mean > 200.0 { 0.01 } else { 0.5 }),
        }
    }

    #[test]
    fn groups_stand_side_by_side() {
        let means = vec![
            mean("<b>", "words_per_minute", 210.0),
            mean("<b>", "f0_median_hz", 120.0),
            mean("a", "words_per_minute", 150.0),
            mean("a", "f0_median_hz", 190.0),
        ];
        let relations = Relations { group_means: means, ..Relations::default() };
        let page = section(&relations).expect("two groups").body.into_string();
        assert!(page.contains("Words a minute") && !page.contains("<b>") && !page.contains("NaN"));
        assert_eq!(page.matches("class=\"star\"").count(), 1, "{page}");
        assert_eq!(
            sentence(&relations).as_deref(),
            Some(
                "Between groups the mean speaking rate reaches from 150 (a) to 210 words a minute (<b>), and the median pitch from 120 (<b>) to 190 Hz (a)."
            )
        );
        assert!(section(&Relations::default()).is_none() && sentence(&Relations::default()).is_none());
    }
}
