//! Histograms: how many items fall between two values.

use maud::{Markup, html};

use super::axis::{Area, Axis, px, round_step};
use super::number;

/// Bins of equal width (or equal ratio, where values span orders of magnitude).
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Histogram {
    edges: Vec<f64>,
    counts: Vec<u64>,
    logarithmic: bool,
}

/// A largest value this many times the median asks for a logarithmic axis.
const LONG_TAIL: f64 = 20.0;

impl Histogram {
    /// The histogram of what is finite in `values`; `whole` values get bins of whole width. `None` where
    /// nothing is finite.
    pub fn of(values: &[f64], whole: bool) -> Option<Self> {
        let mut sorted: Vec<f64> = values.iter().copied().filter(|value| value.is_finite()).collect();
        sorted.sort_by(f64::total_cmp);
        let (low, high) = (*sorted.first()?, *sorted.last()?);
        let median = *sorted.get(sorted.len() / 2)?;
        let bins = (3.0 * libm::cbrt(sorted.len() as f64)).ceil().clamp(5.0, 28.0);
        let logarithmic = low > 0.0 && high > LONG_TAIL * median;
        let edges =
            if logarithmic { ratio_edges(low, high, bins) } else { even_edges(low, high, bins, whole) };
        let mut counts = vec![0; edges.len().saturating_sub(1)];
        for value in &sorted {
            let bin = edges.partition_point(|edge| edge <= value).clamp(1, counts.len()) - 1;
            if let Some(count) = counts.get_mut(bin) {
                *count += 1;
            }
        }
        Some(Self { edges, counts, logarithmic })
    }

    /// The picture; `unit` stands on the horizontal axis, `items` on the vertical one.
    pub fn svg(&self, label: &str, unit: &str, items: &str) -> Markup {
        let area = Area { width: 440.0, height: 230.0, ..Area::SMALL };
        let (low, high) =
            (self.edges.first().copied().unwrap_or(0.0), self.edges.last().copied().unwrap_or(1.0));
        let x = if self.logarithmic { Axis::logarithmic(low, high) } else { Axis::linear(low, high, 6) };
        let most = self.counts.iter().copied().max().unwrap_or(1).max(1);
        let y = Axis::linear(0.0, most as f64 * 1.05, if most < 4 { most as usize } else { 4 });
        html! {
            svg.plot viewBox=(area.view_box()) role="img" aria-label=(label) {
                (area.axes(&x, &y, unit, items))
                @for (edges, count) in self.edges.windows(2).zip(&self.counts) {
                    @if let ([from, to], true) = (edges, *count > 0) {
                        @let (left, right) = (area.x(x.place(*from)), area.x(x.place(*to)));
                        @let top = area.y(y.place(*count as f64));
                        rect.column x=(px(left + 0.5)) width=(px((right - left - 1.0).max(0.5)))
                            y=(px(top)) height=(px(area.y(0.0) - top)) {
                            title { (number::significant(*from, 3)) " to " (number::significant(*to, 3)) ": " (number::count(*count)) }
                        }
                    }
                }
            }
        }
    }
}

fn even_edges(low: f64, high: f64, bins: f64, whole: bool) -> Vec<f64> {
    let mut step = round_step((high - low) / bins);
    if whole {
        step = step.max(1.0);
    }
    let first = (low / step).floor();
    let last = ((high / step).floor() + 1.0).max(first + 1.0);
    (0..=(last - first) as usize).map(|k| (first + k as f64) * step).collect()
}

fn ratio_edges(low: f64, high: f64, bins: f64) -> Vec<f64> {
    let (from, to) = (libm::log10(low), libm::log10(high));
    (0..=bins as usize)
        .map(|k| match k {
            0 => low,
            k if k == bins as usize => high,
            k => libm::pow(10.0, from + (to - from) * k as f64 / bins),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_falls_into_one_bin() {
        let values: Vec<f64> = (0..100).map(|i| f64::from(i * i)).collect();
        let histogram = Histogram::of(&values, true).expect("values");
        assert_eq!(histogram.counts.iter().sum::<u64>(), 100);
        assert!(histogram.edges.first() <= Some(&0.0) && histogram.edges.last() > Some(&9801.0));
        let long: Vec<f64> = (0..50).map(|i| libm::pow(1.3, f64::from(i))).collect();
        let histogram = Histogram::of(&long, false).expect("values");
        assert!(histogram.logarithmic);
        assert_eq!(histogram.counts.iter().sum::<u64>(), 50);
    }

    #[test]
    fn one_value_and_none_are_histograms_too() {
        assert_eq!(Histogram::of(&[7.0], true).expect("one").counts, [1]);
        assert_eq!(Histogram::of(&[f64::INFINITY], true), None);
    }
}
