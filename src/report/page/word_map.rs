//! The map of words: points in the plane with labels that do not collide.

use maud::{Markup, html};

use super::axis::px;
use super::data::MapWord;
use super::number;

const WIDTH: f64 = 1000.0;
const HEIGHT: f64 = 600.0;
const MARGIN: f64 = 46.0;
const FONT: f64 = 12.5;
/// Words that are drawn at most, most frequent first.
const WORDS_DRAWN: usize = 300;

/// A rectangle in the picture: left, top, right, bottom.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Rectangle {
    left: f64,
    top: f64,
    right: f64,
    bottom: f64,
}

impl Rectangle {
    fn meets(&self, other: &Self) -> bool {
        self.left < other.right
            && other.left < self.right
            && self.top < other.bottom
            && other.top < self.bottom
    }
}

/// A word placed in the picture; without room for its label it is a dot alone.
#[derive(Debug, Clone, PartialEq)]
struct Placed {
    x: f64,
    y: f64,
    radius: f64,
    label: Option<Rectangle>,
}

/// The picture of words at what `at` says of them; `None` where no word has a place.
pub(super) fn svg(words: &[MapWord], at: impl Fn(&MapWord) -> [f64; 2]) -> Option<Markup> {
    let has_place = |word: &&MapWord| at(word).iter().all(|value| value.is_finite());
    let words: Vec<&MapWord> = words.iter().filter(has_place).take(WORDS_DRAWN).collect();
    if words.is_empty() {
        return None;
    }
    let placed = place(&words, at);
    let labelled = placed.iter().filter(|word| word.label.is_some()).count();
    let label = format!(
        "Map of {}, {labelled} of them labelled",
        number::counted(words.len() as u64, "word", "words")
    );
    Some(html! {
        svg.plot.map viewBox=(format!("0 0 {WIDTH} {HEIGHT}")) role="img" aria-label=(label) {
            @for (word, placed) in words.iter().zip(&placed) {
                circle.dot.faint[placed.label.is_none()] cx=(px(placed.x)) cy=(px(placed.y)) r=(px(placed.radius)) {
                    title { (number::clean(&word.term, 40)) ", " (number::count(word.count)) }
                }
            }
            @for (word, placed) in words.iter().zip(&placed) {
                @if let Some(label) = placed.label {
                    text.word x=(px(label.left)) y=(px(label.bottom - 4.0)) { (number::clean(&word.term, 24)) }
                }
            }
        }
    })
}

/// Places words on one scale for both axes, then labels greedily: the most frequent word first, at the right,
/// left, above or below of its dot, wherever it meets neither a placed label nor a dot.
fn place(words: &[&MapWord], at: impl Fn(&MapWord) -> [f64; 2]) -> Vec<Placed> {
    let (mid_x, span_x) = middle(words.iter().map(|word| at(word)[0]));
    let (mid_y, span_y) = middle(words.iter().map(|word| at(word)[1]));
    let scale = ((WIDTH - 2.0 * MARGIN) / span_x).min((HEIGHT - 2.0 * MARGIN) / span_y);
    let most = words.iter().map(|word| word.count).max().unwrap_or(1).max(1) as f64;
    let mut placed: Vec<Placed> = words
        .iter()
        .map(|word| Placed {
            x: WIDTH / 2.0 + (at(word)[0] - mid_x) * scale,
            y: HEIGHT / 2.0 - (at(word)[1] - mid_y) * scale,
            radius: 2.0 + 3.5 * (word.count as f64 / most).sqrt(),
            label: None,
        })
        .collect();
    let dots: Vec<Rectangle> = placed.iter().map(|word| around(word.x, word.y, word.radius)).collect();
    let mut labels: Vec<Rectangle> = Vec::new();
    for (at, (word, target)) in words.iter().zip(&mut placed).enumerate() {
        let width = label_width(&number::clean(&word.term, 24));
        let free = candidates(target, width).into_iter().find(|candidate| {
            let inside = candidate.left >= 0.0
                && candidate.right <= WIDTH
                && candidate.top >= 0.0
                && candidate.bottom <= HEIGHT;
            let clear_of_dots = dots.iter().enumerate().all(|(i, dot)| i == at || !candidate.meets(dot));
            inside && clear_of_dots && labels.iter().all(|label| !candidate.meets(label))
        });
        target.label = free;
        labels.extend(free);
    }
    placed
}

/// Middle and width of a range; a width of zero becomes one.
fn middle(values: impl Iterator<Item = f64>) -> (f64, f64) {
    let (low, high) = values.fold((f64::MAX, f64::MIN), |(low, high), v| (low.min(v), high.max(v)));
    (f64::midpoint(low, high), if high > low { high - low } else { 1.0 })
}

fn around(x: f64, y: f64, radius: f64) -> Rectangle {
    Rectangle { left: x - radius, top: y - radius, right: x + radius, bottom: y + radius }
}

fn candidates(word: &Placed, width: f64) -> [Rectangle; 4] {
    let (gap, height) = (word.radius + 3.0, FONT + 3.0);
    let boxed = |left: f64, top: f64| Rectangle { left, top, right: left + width, bottom: top + height };
    [
        boxed(word.x + gap, word.y - height / 2.0),
        boxed(word.x - gap - width, word.y - height / 2.0),
        boxed(word.x - width / 2.0, word.y - gap - height),
        boxed(word.x - width / 2.0, word.y + gap),
    ]
}

/// A generous estimate of a label's width: characters from the CJK blocks on are square, others 0.6 em.
fn label_width(label: &str) -> f64 {
    label.chars().map(|c| if u32::from(c) >= 0x2E80 { 1.05 } else { 0.6 }).sum::<f64>() * FONT + 2.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_collide_with_nothing_and_stay_inside() {
        let words: Vec<MapWord> = (0..200_u32)
            .map(|i| MapWord {
                term: format!("word{i}"),
                count: u64::from(200 - i),
                x: libm::sin(f64::from(i) * 1.7) * f64::from(i % 13),
                y: libm::cos(f64::from(i) * 2.3) * f64::from(i % 7),
                ..MapWord::default()
            })
            .collect();
        let placed = place(&words.iter().collect::<Vec<_>>(), |word| [word.x, word.y]);
        let labels: Vec<Rectangle> = placed.iter().filter_map(|word| word.label).collect();
        assert!(labels.len() > 40, "{} labels", labels.len());
        for (i, a) in labels.iter().enumerate() {
            assert!(a.left >= 0.0 && a.right <= WIDTH && a.top >= 0.0 && a.bottom <= HEIGHT);
            assert!(labels.iter().skip(i + 1).all(|b| !a.meets(b)));
        }
    }

    #[test]
    fn a_single_word_stands_in_the_middle() {
        let word = MapWord { term: "a".into(), count: 1, near: [3.0, 3.0], ..MapWord::default() };
        let placed = place(&[&word], |word| word.near);
        assert_eq!(placed.first().map(|word| (word.x, word.y)), Some((WIDTH / 2.0, HEIGHT / 2.0)));
        assert!(svg(&[], |word| word.near).is_none());
    }
}
