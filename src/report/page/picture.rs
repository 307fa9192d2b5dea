//! Spectrograms as pictures: levels through a perceptually even colour map (magma) into a PNG in the page.

use base64::Engine as _;
use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::{ExtendedColorType, ImageEncoder as _};
use maud::{Markup, html};

use super::axis::{Axis, px};
use super::data::{Spectrogram, SpokenWord};
use super::number;

/// Levels this far under the loudest, in dB, and below are drawn black.
pub(super) const RANGE_DB: f32 = 80.0;
/// Columns of a picture; of longer recordings neighbouring frames are averaged.
const COLUMNS: usize = 640;
/// From here on the time axis has its unit in place of a tick.
const UNIT_FROM: f64 = 0.95;
/// Distinct colours; fewer compress better, and more would not be seen.
const SHADES: f32 = 96.0;

/// The colour map magma (Smith and van der Walt, matplotlib, CC0) at 33 even steps.
const MAGMA: [[u8; 3]; 33] = [
    [0, 0, 4],
    [3, 3, 18],
    [10, 8, 34],
    [19, 13, 52],
    [29, 17, 71],
    [41, 17, 90],
    [54, 16, 107],
    [68, 15, 118],
    [81, 18, 124],
    [93, 23, 127],
    [106, 28, 129],
    [118, 33, 129],
    [131, 38, 129],
    [144, 42, 129],
    [156, 46, 127],
    [170, 51, 125],
    [183, 55, 121],
    [194, 59, 117],
    [207, 64, 112],
    [219, 71, 106],
    [229, 80, 100],
    [238, 91, 94],
    [244, 105, 92],
    [249, 120, 93],
    [251, 135, 97],
    [253, 150, 104],
    [254, 165, 113],
    [254, 180, 123],
    [254, 194, 135],
    [254, 209, 148],
    [253, 224, 161],
    [252, 238, 176],
    [252, 253, 191],
];

/// The colour of a place between 0 (quiet) and 1 (loud).
fn colour(place: f32) -> [u8; 3] {
    let place = if place.is_nan() { 0.0 } else { place.clamp(0.0, 1.0) };
    let at = place * (MAGMA.len() - 1) as f32;
    let step = (at as usize).min(MAGMA.len() - 2);
    let share = at - step as f32;
    let [low, high] = [MAGMA[step], MAGMA[step + 1]];
    std::array::from_fn(|i| {
        (f32::from(low[i]) + (f32::from(high[i]) - f32::from(low[i])) * share).round() as u8
    })
}

/// The colour map as a CSS gradient, quiet to loud.
pub(super) fn gradient() -> String {
    let stops: Vec<String> = (0..=8_u8)
        .map(|k| {
            let [red, green, blue] = colour(f32::from(k) / 8.0);
            format!("rgb({red},{green},{blue})")
        })
        .collect();
    format!("background:linear-gradient(90deg,{})", stops.join(","))
}

/// The levels as a PNG, lowest band at the bottom. `None` where there are no whole frames or nothing finite.
pub(super) fn png(spectrogram: &Spectrogram) -> Option<Vec<u8>> {
    let bands = spectrogram.bands;
    if bands == 0 || spectrogram.levels_db.len() < bands {
        return None;
    }
    let columns = averaged_columns(&spectrogram.levels_db, bands);
    let finite = columns.iter().flatten().copied().filter(|level| level.is_finite());
    let loudest = finite.fold(f32::NEG_INFINITY, f32::max);
    if !loudest.is_finite() {
        return None;
    }
    let mut pixels = Vec::with_capacity(columns.len() * bands * 3);
    for band in (0..bands).rev() {
        for column in &columns {
            let level = column.get(band).copied().unwrap_or(f32::NEG_INFINITY);
            let place = (1.0 + (level - loudest) / RANGE_DB).clamp(0.0, 1.0);
            pixels.extend_from_slice(&colour((place * SHADES).round() / SHADES));
        }
    }
    let mut encoded = Vec::new();
    PngEncoder::new_with_quality(&mut encoded, CompressionType::Best, FilterType::NoFilter)
        .write_image(&pixels, columns.len() as u32, bands as u32, ExtendedColorType::Rgb8)
        .ok()?;
    Some(encoded)
}

/// Frames averaged to at most [`COLUMNS`] columns.
fn averaged_columns(levels_db: &[f32], bands: usize) -> Vec<Vec<f32>> {
    let frames: Vec<&[f32]> = levels_db.chunks_exact(bands).collect();
    let columns = frames.len().min(COLUMNS);
    (0..columns)
        .map(|column| {
            let from = column * frames.len() / columns;
            let to = (column + 1) * frames.len() / columns;
            let joined = frames.get(from..to).unwrap_or_default();
            let mean = |band: usize| {
                joined.iter().filter_map(|frame| frame.get(band)).sum::<f32>() / joined.len() as f32
            };
            (0..bands).map(mean).collect()
        })
        .collect()
}

/// The picture with its axes and, above it, the waveform; `None` where there is no picture.
pub(super) fn figure(spectrogram: &Spectrogram) -> Option<Markup> {
    let source = format!(
        "data:image/png;base64,{}",
        base64::engine::general_purpose::STANDARD.encode(png(spectrogram)?)
    );
    let alt = format!(
        "Spectrogram of {}: {}, up to {} Hz",
        number::clean(&spectrogram.clip_id, 60),
        number::duration(spectrogram.seconds),
        number::significant(spectrogram.max_hz, 2),
    );
    let time = Axis::linear(0.0, spectrogram.seconds.max(1e-3), 6);
    let percent = |place: f64| format!("{}%", px((place * 100.0).clamp(0.0, 100.0)));
    Some(html! {
        div.sound {
            div.hz aria-hidden="true" {
                @for (hz, band) in &spectrogram.ticks_hz {
                    span style=(format!("bottom:{}", percent(band / spectrogram.bands as f64))) { (hertz(*hz)) }
                }
            }
            div.seen {
                @if !spectrogram.words.is_empty() { (words(spectrogram)) }
                @if !spectrogram.envelope.is_empty() { (waveform(&spectrogram.envelope)) }
                div.levels {
                    img src=(source) alt=(alt) {}
                    @if !spectrogram.words.is_empty() { (begins(spectrogram)) }
                }
            }
            div.time aria-hidden="true" {
                @for tick in time.ticks.iter().filter(|tick| tick.at < UNIT_FROM) { span style=(format!("left:{}", percent(tick.at))) { (tick.label) } }
                span.unit { "s" }
            }
        }
    })
}

/// Rows that words over a picture take turns in, and the width of a letter as a share of a narrow picture's.
const WORD_ROWS: usize = 3;
const LETTER: f64 = 0.022;

/// A word over the picture: its row, and where it begins as a share of the width.
#[derive(Debug, Clone, Copy, PartialEq)]
struct PlacedWord {
    row: usize,
    left: f64,
}

/// Each word in the first row in which it does not run into the one before, or nowhere.
fn placed_words(spectrogram: &Spectrogram) -> Vec<Option<PlacedWord>> {
    let mut ends = [0.0_f64; WORD_ROWS];
    let place = |word: &SpokenWord| {
        let width = number::clean(&word.term, 24).chars().count() as f64 * LETTER + LETTER / 2.0;
        let left = (word.start / spectrogram.seconds.max(1e-3)).clamp(0.0, (1.0 - width).max(0.0));
        let row = ends.iter().position(|end| *end <= left)?;
        ends[row] = left + width;
        Some(PlacedWord { row, left })
    };
    spectrogram.words.iter().map(place).collect()
}

/// The words above the picture where they begin; the text of the recording stands below it for those who read otherwise.
fn words(spectrogram: &Spectrogram) -> Markup {
    let placed = placed_words(spectrogram);
    html! {
        div.over aria-hidden="true" {
            @for (word, place) in spectrogram.words.iter().zip(placed) {
                @if let Some(PlacedWord { row, left }) = place {
                    span class=(format!("r{row}")) style=(format!("left:{}%", px(left * 100.0)))
                        title=(format!("{} to {} s", number::decimal(word.start, 2), number::decimal(word.end, 2))) {
                        (number::clean(&word.term, 24))
                    }
                }
            }
        }
    }
}

/// A stroke where each word begins.
fn begins(spectrogram: &Spectrogram) -> Markup {
    let at = |word: &SpokenWord| px((word.start / spectrogram.seconds.max(1e-3)).clamp(0.0, 1.0) * 1000.0);
    let strokes: Vec<String> = spectrogram.words.iter().map(|word| format!("M{} 0V1", at(word))).collect();
    html! {
        svg.begins viewBox="0 0 1000 1" preserveAspectRatio="none" aria-hidden="true" { path d=(strokes.join("")) {} }
    }
}

/// Measures of a picture in a file of its own, in pixels.
const WIDE: f64 = 900.0;
const HIGH: f64 = 320.0;
const LEFT: f64 = 64.0;
const TOP: f64 = 40.0;
const BOTTOM: f64 = 46.0;
const SCALE: f64 = 92.0;

/// The picture with axes in seconds and Hz and a scale of levels, as an SVG file; `None` where there is no picture.
#[must_use]
pub fn spectrogram_svg(spectrogram: &Spectrogram) -> Option<String> {
    let encode = |bytes: Vec<u8>| base64::engine::general_purpose::STANDARD.encode(bytes);
    let source = format!("data:image/png;base64,{}", encode(png(spectrogram)?));
    let time = Axis::linear(0.0, spectrogram.seconds.max(1e-3), 8);
    let (bottom, right) = (TOP + HIGH, LEFT + WIDE);
    let levels = Axis::linear(-f64::from(RANGE_DB), 0.0, 4);
    let title =
        format!("{}, {}", number::clean(&spectrogram.clip_id, 90), number::duration(spectrogram.seconds));
    let picture = html! {
        svg xmlns="http://www.w3.org/2000/svg" width=(px(right + SCALE)) height=(px(bottom + BOTTOM))
            viewBox=(format!("0 0 {} {}", px(right + SCALE), px(bottom + BOTTOM)))
            font-family="system-ui, sans-serif" font-size="13" role="img" aria-label=(format!("Spectrogram of {title}")) {
            title { (title) }
            rect width="100%" height="100%" fill="#fff" {}
            text x=(px(LEFT)) y="24" font-size="15" { (title) }
            image x=(px(LEFT)) y=(px(TOP)) width=(px(WIDE)) height=(px(HIGH)) preserveAspectRatio="none" href=(source) {}
            @for (hz, band) in &spectrogram.ticks_hz {
                @let y = bottom - HIGH * (band / spectrogram.bands as f64).clamp(0.0, 1.0);
                path d=(format!("M{} {}h-5", px(LEFT), px(y))) stroke="#555" {}
                text x=(px(LEFT - 8.0)) y=(px(y + 4.0)) text-anchor="end" { (hertz(*hz)) }
            }
            text x=(px(LEFT - 8.0)) y="24" text-anchor="end" { "Hz" }
            @for tick in &time.ticks {
                path d=(format!("M{} {}v5", px(LEFT + WIDE * tick.at), px(bottom))) stroke="#555" {}
                text x=(px(LEFT + WIDE * tick.at)) y=(px(bottom + 19.0)) text-anchor="middle" { (tick.label) }
            }
            text x=(px(right)) y=(px(bottom + 37.0)) text-anchor="end" { "seconds" }
            @for step in 0..32_u8 {
                @let [red, green, blue] = colour((f32::from(step) + 0.5) / 32.0);
                @let height = HIGH / 32.0;
                rect x=(px(right + 20.0)) y=(px(bottom - height * f64::from(step + 1))) width="14" height=(px(height + 0.5))
                    fill=(format!("rgb({red},{green},{blue})")) {}
            }
            @for tick in &levels.ticks {
                text x=(px(right + 40.0)) y=(px(bottom - HIGH * tick.at + 4.0)) { (tick.label) }
            }
            text x=(px(right + 20.0)) y=(px(TOP - 6.0)) { "dB" }
        }
    };
    Some(picture.into_string())
}

/// 4000 as `4k`, 500 as `500`.
fn hertz(hz: f64) -> String {
    if hz < 1000.0 {
        return number::decimal(hz, 0);
    }
    let thousands = number::decimal(hz / 1000.0, 1);
    format!("{}k", thousands.strip_suffix(".0").unwrap_or(&thousands))
}

/// The waveform's envelope as a closed outline.
fn waveform(envelope: &[(f32, f32)]) -> Markup {
    let peak = envelope.iter().fold(1e-6_f32, |peak, (low, high)| peak.max(low.abs()).max(high.abs()));
    let at = |i: usize, sample: f32| format!("{i} {:.2}", 1.0 - sample / peak);
    let upper = envelope.iter().enumerate().map(|(i, (_, high))| at(i, *high));
    let lower = envelope.iter().enumerate().rev().map(|(i, (low, _))| at(i, *low));
    let outline: Vec<String> = upper.chain(lower).collect();
    html! {
        svg.wave viewBox=(format!("0 0 {} 2", envelope.len().saturating_sub(1).max(1))) preserveAspectRatio="none" aria-hidden="true" {
            path d=(format!("M{}Z", outline.join("L"))) {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_its_own_has_both_axes_and_harmless_names() {
        let spectrogram = Spectrogram {
            clip_id: "<script>".to_owned(),
            seconds: 2.0,
            bands: 4,
            levels_db: (0..400).map(|i| i as f32).collect(),
            ticks_hz: vec![(500.0, 1.0), (4000.0, 3.5)],
            ..Spectrogram::default()
        };
        let svg = spectrogram_svg(&spectrogram).expect("a picture");
        for part in ["<svg", "data:image/png", ">500<", ">4k<", "seconds", ">Hz<", ">dB<", "&lt;script&gt;"] {
            assert!(svg.contains(part), "{part}");
        }
        assert!(!svg.contains("<script>") && spectrogram_svg(&Spectrogram::default()).is_none());
    }

    #[test]
    fn the_lowest_band_is_the_lowest_row_and_the_loudest_is_bright() {
        let levels_db = vec![0.0, -80.0, -100.0, 0.0, f32::NAN, f32::NEG_INFINITY];
        let spectrogram = Spectrogram { bands: 2, levels_db, ..Spectrogram::default() };
        let image = image::load_from_memory(&png(&spectrogram).expect("a picture")).expect("a PNG").to_rgb8();
        assert_eq!(image.dimensions(), (3, 2));
        assert_eq!(image.get_pixel(0, 1).0, [252, 253, 191]);
        assert_eq!(image.get_pixel(0, 0).0, [0, 0, 4]);
        assert_eq!(image.get_pixel(2, 1).0, [0, 0, 4]);
    }

    #[test]
    fn words_do_not_run_into_each_other() {
        let word = |i: u8| SpokenWord {
            term: "a".repeat(usize::from(i % 9) + 1),
            start: f64::from(i) * 0.2,
            end: f64::from(i) * 0.2 + 0.2,
        };
        let spectrogram =
            Spectrogram { seconds: 10.0, words: (0..50).map(word).collect(), ..Spectrogram::default() };
        let placed = placed_words(&spectrogram);
        assert!(placed.iter().flatten().count() > 12);
        for row in 0..WORD_ROWS {
            let own =
                spectrogram.words.iter().zip(&placed).filter_map(|(word, place)| Some((word, (*place)?)));
            let own: Vec<(f64, f64)> = own
                .filter(|(_, place)| place.row == row)
                .map(|(word, place)| (place.left, place.left + word.term.len() as f64 * LETTER))
                .collect();
            assert!(own.windows(2).all(|two| two[0].1 <= two[1].0) && own.iter().all(|(_, end)| *end <= 1.0));
        }
    }

    #[test]
    fn long_recordings_are_averaged() {
        let spectrogram =
            Spectrogram { bands: 3, levels_db: vec![-20.0; 3 * 5000], ..Spectrogram::default() };
        let columns = averaged_columns(&spectrogram.levels_db, 3);
        assert_eq!(columns.len(), COLUMNS);
        assert!(columns.iter().flatten().all(|level| (level + 20.0).abs() < 1e-4));
    }

    #[test]
    fn no_picture_of_nothing() {
        assert!(png(&Spectrogram::default()).is_none());
        assert!(
            png(&Spectrogram { bands: 1, levels_db: vec![f32::NAN], ..Spectrogram::default() }).is_none()
        );
    }
}
