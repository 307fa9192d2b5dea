//! Scatter plots with the least-squares line and its 95 % band.

use maud::{Markup, html};

use super::axis::{Area, Axis, px};
use super::data::{Point, Scatter};
use super::{feature, number};
use crate::math::distribution::student_975;

/// Points that one plot draws at most; of more, every so many-th is drawn.
const POINTS_DRAWN: usize = 1500;
const BAND_STEPS: usize = 24;

/// The least-squares line through points.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Line {
    n: f64,
    mean_x: f64,
    mean_y: f64,
    slope: f64,
    sum_xx: f64,
    residual_sd: f64,
}

impl Line {
    /// Fits y to x; `None` for fewer than three points or where x does not vary.
    pub fn fit(points: &[&Point]) -> Option<Self> {
        let n = points.len() as f64;
        let mean_x = points.iter().map(|p| p.x).sum::<f64>() / n;
        let mean_y = points.iter().map(|p| p.y).sum::<f64>() / n;
        let sum_xx: f64 = points.iter().map(|p| (p.x - mean_x) * (p.x - mean_x)).sum();
        if points.len() < 3 || sum_xx <= 0.0 {
            return None;
        }
        let sum_xy: f64 = points.iter().map(|p| (p.x - mean_x) * (p.y - mean_y)).sum();
        let slope = sum_xy / sum_xx;
        let residual = |p: &&Point| p.y - mean_y - slope * (p.x - mean_x);
        let squares: f64 = points.iter().map(|p| residual(p) * residual(p)).sum();
        Some(Self { n, mean_x, mean_y, slope, sum_xx, residual_sd: (squares / (n - 2.0)).sqrt() })
    }

    pub fn at(&self, x: f64) -> f64 {
        self.mean_y + self.slope * (x - self.mean_x)
    }

    /// Half the height of the 95 % band of the mean at `x`.
    pub fn half_band(&self, x: f64) -> f64 {
        let leverage = 1.0 / self.n + (x - self.mean_x) * (x - self.mean_x) / self.sum_xx;
        student_975(self.n as u64 - 2) * self.residual_sd * leverage.sqrt()
    }
}

/// The plot of one relation; `None` where no point is a number.
pub(super) fn svg(scatter: &Scatter) -> Option<Markup> {
    let points: Vec<&Point> =
        scatter.points.iter().filter(|point| point.x.is_finite() && point.y.is_finite()).collect();
    let area = Area { height: 248.0, left: 52.0, ..Area::SMALL };
    let x_range = range(points.iter().map(|point| point.x))?;
    let x = Axis::linear(x_range.0, x_range.1, 5);
    let (low, high) = range(points.iter().map(|point| point.y))?;
    let y = Axis::linear(low, high, 5);
    let label = format!("Scatter plot: {} against {}", scatter.audio_feature, scatter.text_feature);
    let stride = points.len().div_ceil(POINTS_DRAWN).max(1);
    let radius = if points.len() > 300 { "2" } else { "3" };
    Some(html! {
        svg.plot viewBox=(area.view_box()) role="img" aria-label=(number::clean(&label, 160)) {
            (area.axes(&x, &y, &number::clean(&scatter.text_feature, 40), &number::clean(&scatter.audio_feature, 32)))
            @if let Some(line) = Line::fit(&points) { (fit(&line, &points, area, &x, &y)) }
            @for point in points.iter().step_by(stride) {
                circle.dot cx=(px(area.x(x.place(point.x)))) cy=(px(area.y(y.place(point.y)))) r=(radius) {
                    title { (number::clean(&point.id, 60)) ": " (number::significant(point.x, 3)) ", " (number::significant(point.y, 3)) }
                }
            }
        }
    })
}

/// The range of values with a margin of 5 %.
fn range(values: impl Iterator<Item = f64>) -> Option<(f64, f64)> {
    let mut ends: Option<(f64, f64)> = None;
    for value in values {
        ends = Some(ends.map_or((value, value), |(low, high)| (low.min(value), high.max(value))));
    }
    let (low, high) = ends?;
    let margin = if high > low { (high - low) * 0.05 } else { 0.5 };
    Some((low - margin, high + margin))
}

fn fit(line: &Line, points: &[&Point], area: Area, x: &Axis, y: &Axis) -> Markup {
    let (low, high) =
        points.iter().fold((f64::MAX, f64::MIN), |(low, high), p| (low.min(p.x), high.max(p.x)));
    let at = |x_value: f64, y_value: f64| {
        let place = y.place(y_value).clamp(0.0, 1.0);
        format!("{} {}", px(area.x(x.place(x_value))), px(area.y(place)))
    };
    let steps: Vec<f64> =
        (0..=BAND_STEPS).map(|k| low + (high - low) * k as f64 / BAND_STEPS as f64).collect();
    let upper = steps.iter().map(|&s| at(s, line.at(s) + line.half_band(s)));
    let lower = steps.iter().rev().map(|&s| at(s, line.at(s) - line.half_band(s)));
    let band: Vec<String> = upper.chain(lower).collect();
    html! {
        path.band d=(format!("M{}Z", band.join("L"))) {}
        path.fit d=(format!("M{}L{}", at(low, line.at(low)), at(high, line.at(high)))) {}
    }
}

/// The two features in words, for the heading of a plot.
pub(super) fn heading(scatter: &Scatter) -> String {
    let (text, sound) =
        (feature::meaning_or_name(&scatter.text_feature), feature::meaning_or_name(&scatter.audio_feature));
    format!("{text} and {sound}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn points(values: &[(f64, f64)]) -> Vec<Point> {
        values.iter().map(|&(x, y)| Point { id: "a".into(), x, y }).collect()
    }

    #[test]
    fn line_and_band_are_those_of_the_textbook() {
        // By hand: intercept 2.2, slope 0.6, residual variance 2.4 / 3; t(0.975, 3) is 3.1824.
        let owned = points(&[(1.0, 2.0), (2.0, 4.0), (3.0, 5.0), (4.0, 4.0), (5.0, 5.0)]);
        let line = Line::fit(&owned.iter().collect::<Vec<_>>()).expect("varies");
        assert!((line.at(0.0) - 2.2).abs() < 1e-12 && (line.slope - 0.6).abs() < 1e-12);
        assert!((line.half_band(3.0) - 3.182_446 * 0.894_427 / 5.0_f64.sqrt()).abs() < 1e-5);
    }

    #[test]
    fn plots_without_numbers_are_none() {
        let mut scatter = Scatter { points: points(&[(f64::NAN, 1.0)]), ..Scatter::default() };
        assert!(svg(&scatter).is_none());
        scatter.points = points(&[(2.0, 1.0), (2.0, 1.0), (2.0, 1.0)]);
        assert!(!svg(&scatter).expect("a plot").into_string().contains("NaN"));
    }
}
