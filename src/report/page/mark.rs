//! Marks that stand in a table's cell: an interval, a distribution, a value against chance.

use maud::{Markup, html};

use super::axis::px;

const WIDTH: f64 = 120.0;

/// Where a value stands between two ends.
fn along(value: f64, low: f64, high: f64) -> f64 {
    let place = if high > low { (value - low) / (high - low) } else { 0.5 };
    3.0 + place.clamp(0.0, 1.0) * (WIDTH - 6.0)
}

fn mark(shapes: &Markup) -> Markup {
    html! { svg.mark viewBox="0 0 120 16" width="120" height="16" aria-hidden="true" { (shapes) } }
}

/// A correlation with its interval on a scale from -1 to 1.
pub(super) fn interval(estimate: f64, ends: Option<(f64, f64)>) -> Markup {
    let at = |value: f64| px(along(value, -1.0, 1.0));
    mark(&html! {
        line.grid x1=(at(-1.0)) x2=(at(1.0)) y1="8" y2="8" {}
        line.base x1=(at(0.0)) x2=(at(0.0)) y1="2" y2="14" {}
        @if let Some((low, high)) = ends { line.span x1=(at(low)) x2=(at(high)) y1="8" y2="8" {} }
        circle class=(if estimate < 0.0 { "minus" } else { "plus" }) cx=(at(estimate)) cy="8" r="3.5" {}
    })
}

/// An estimate with its interval on a scale that several share, with a stroke at `middle`.
pub(super) fn on_scale(
    estimate: f64,
    ends: Option<(f64, f64)>,
    (low, high): (f64, f64),
    middle: f64,
) -> Markup {
    let at = |value: f64| px(along(value, low, high));
    mark(&html! {
        line.grid x1=(at(low)) x2=(at(high)) y1="8" y2="8" {}
        line.base x1=(at(middle)) x2=(at(middle)) y1="2" y2="14" {}
        @if let Some((low, high)) = ends { line.span x1=(at(low)) x2=(at(high)) y1="8" y2="8" {} }
        circle.plus cx=(at(estimate)) cy="8" r="3.5" {}
    })
}

/// A distribution from its smallest value to its largest: line to the ends, box over the middle half.
pub(super) fn distribution(quantiles: &[f64; 5]) -> Markup {
    let [low, lower, median, upper, high] = *quantiles;
    let at = |value: f64| along(value, low, high);
    mark(&html! {
        line.base x1=(px(at(low))) x2=(px(at(high))) y1="8" y2="8" {}
        rect.box x=(px(at(lower))) width=(px((at(upper) - at(lower)).max(1.0))) y="3" height="10" {}
        line.median x1=(px(at(median))) x2=(px(at(median))) y1="2" y2="14" {}
    })
}

/// A measure (dot) against what shuffled pairs give: from their mean to their 95 % quantile (bar).
pub(super) fn against_chance(estimate: f64, null_mean: f64, null_q95: f64) -> Markup {
    let low = estimate.min(null_mean).min(0.0);
    let high = estimate.max(null_q95).max(if low < 0.0 { 0.0 } else { 1e-12 });
    let at = |value: f64| along(value, low, high);
    mark(&html! {
        line.grid x1=(px(at(low))) x2=(px(at(high))) y1="8" y2="8" {}
        rect.box x=(px(at(null_mean))) width=(px((at(null_q95) - at(null_mean)).max(1.0))) y="4" height="8" {}
        circle.plus cx=(px(at(estimate))) cy="8" r="3.5" {}
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_of_degenerate_numbers_hold_no_nan() {
        for shape in [
            distribution(&[1.0; 5]),
            against_chance(0.0, 0.0, 0.0),
            interval(1.0, Some((1.0, 1.0))),
            on_scale(1.0, None, (1.0, 1.0), 1.0),
        ] {
            assert!(!shape.into_string().contains("NaN"));
        }
    }
}
