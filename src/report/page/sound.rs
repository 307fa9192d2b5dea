//! Sound: the features of the recordings, and pictures of some.

use maud::{Markup, html};

use super::data::{FeatureSummary, Sound, Spectrogram};
use super::player::player;
use super::table::{Cell, Column, Table};
use super::{SPECTROGRAMS_SHOWN, Section, block_of, feature, mark, number, picture};

/// The section, if there is anything to show.
pub(super) fn section(sound: &Sound) -> Option<Section> {
    let pictures: Vec<(&Spectrogram, Markup)> = sound
        .spectrograms
        .iter()
        .filter_map(|spectrogram| Some((spectrogram, picture::figure(spectrogram)?)))
        .take(SPECTROGRAMS_SHOWN)
        .collect();
    if sound.features.is_empty() && pictures.is_empty() {
        return None;
    }
    let (numbered, plain): (Vec<&FeatureSummary>, Vec<_>) =
        sound.features.iter().partition(|summary| feature::family(&summary.name).is_some());
    let body = html! {
        @if !pictures.is_empty() { (spectrograms(&pictures)) }
        @if !plain.is_empty() {
            (block_of("clips.parquet", "Features of the recordings", &features("Features of the recordings", &plain), &html! {
                "Each feature over all recordings. The small picture runs from the smallest value to the largest: the box holds the middle half, the stroke in it is the median."
            }))
        }
        @if !numbered.is_empty() {
            details {
                summary { "Cepstral coefficients and mel bands (" (number::counted(numbered.len() as u64, "column", "columns")) ")" }
                (features("Cepstral coefficients and mel bands", &numbered))
            }
        }
    };
    Some(Section { id: "sound", title: "Sound", body })
}

fn spectrograms(pictures: &[(&Spectrogram, Markup)]) -> Markup {
    block_of(
        "clips.parquet",
        "Pictures of some recordings",
        &cards(pictures),
        &html! {
            "Time runs to the right (seconds), pitch upwards (Hz); the brighter, the louder. Each picture has its own loudest level at the bright end, and "
            (number::decimal(f64::from(picture::RANGE_DB), 0)) " dB less at the dark end: "
            span.ramp style=(picture::gradient()) aria-hidden="true" {}
            ". Level stripes are the harmonics of a voice, dark gaps are pauses. The line above is the waveform; words, where their times are known, stand over the stroke at which they begin."
        },
    )
}

/// A card for each picture, with the words, the sound and the text of its recording.
pub(super) fn cards(pictures: &[(&Spectrogram, Markup)]) -> Markup {
    html! {
        div.columns {
            @for (spectrogram, picture) in pictures {
                div.card {
                    h4 { code { bdi { (number::clean(&spectrogram.clip_id, 60)) } }
                        @if !spectrogram.group.is_empty() { " " span.aside { bdi { (number::clean(&spectrogram.group, 30)) } } } }
                    (picture)
                    @if let Some(player) = player(spectrogram) { (player) }
                    @if !spectrogram.transcript.is_empty() { p.said { "“" bdi { (number::clean(&spectrogram.transcript, 160)) } "”" } }
                }
            }
        }
    }
}

fn features(label: &str, summaries: &[&FeatureSummary]) -> Markup {
    let columns = [
        Column::text("Feature"),
        Column::text("Meaning"),
        Column::text(""),
        Column::number("Median"),
        Column::number("Mean"),
        Column::number("SD"),
        Column::number("Smallest"),
        Column::number("Largest"),
        Column::number("n"),
    ];
    let shown = |value: f64| number::significant(value, 3);
    let rows = summaries.iter().map(|summary| {
        let [low, _, median, _, high] = summary.quantiles;
        vec![
            Cell::code(&summary.name),
            Cell::text(&feature::meaning(&summary.name).unwrap_or_default()),
            Cell::markup(mark::distribution(&summary.quantiles)),
            Cell::number(Some(median), shown),
            Cell::number(Some(summary.mean), shown),
            Cell::number(Some(summary.sd), shown),
            Cell::number(Some(low), shown),
            Cell::number(Some(high), shown),
            Cell::count(summary.n),
        ]
    });
    Table { label, columns: &columns, rows: rows.collect() }.render()
}
