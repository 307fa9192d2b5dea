//! Axes of plots: round tick values, and the grid and labels drawn from them.

use maud::{Markup, html};

use super::number;

/// A tick: where it stands (0 at the low end of the axis, 1 at the high end) and what it says.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Tick {
    pub at: f64,
    pub label: String,
}

/// One axis: a range of values on a linear or logarithmic scale, with its ticks.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Axis {
    low: f64,
    high: f64,
    logarithmic: bool,
    pub ticks: Vec<Tick>,
}

impl Axis {
    /// A linear axis from `low` to `high` with about `target` ticks at round values. An empty range is widened.
    pub fn linear(low: f64, high: f64, target: usize) -> Self {
        let (low, high) = if high > low { (low, high) } else { (low - 0.5, low + 0.5) };
        let step = round_step(0.75 * (high - low) / target.max(1) as f64);
        let mut axis = Self { low, high, logarithmic: false, ticks: Vec::new() };
        let first = (low / step - 1e-9).ceil();
        for k in 0..=(4 * target.max(1)) {
            let value = (first + k as f64) * step;
            if value > high + step * 1e-9 {
                break;
            }
            axis.ticks.push(Tick {
                at: axis.place(value),
                label: tick_label(value, step, low.abs().max(high.abs())),
            });
        }
        axis
    }

    /// A logarithmic axis over positive values; ticks at 1, 2 and 5 times powers of ten, or at the powers alone
    /// where the range is wide.
    pub fn logarithmic(low: f64, high: f64) -> Self {
        let mut axis =
            Self { low: libm::log10(low), high: libm::log10(high), logarithmic: true, ticks: Vec::new() };
        let multiples: &[f64] = if axis.high - axis.low > 2.5 { &[1.0] } else { &[1.0, 2.0, 5.0] };
        let (first, last) = (axis.low.floor() as i32, axis.high.ceil() as i32);
        for exponent in first..=last {
            for multiple in multiples {
                let value = multiple * libm::pow(10.0, f64::from(exponent));
                if value >= low * (1.0 - 1e-9) && value <= high * (1.0 + 1e-9) {
                    axis.ticks.push(Tick { at: axis.place(value), label: number::significant(value, 1) });
                }
            }
        }
        axis
    }

    /// Where a value stands: 0 at the low end, 1 at the high end.
    pub fn place(&self, value: f64) -> f64 {
        let value = if self.logarithmic { libm::log10(value) } else { value };
        (value - self.low) / (self.high - self.low)
    }
}

/// Labels on an axis that reaches far are shortened: 20,000 is `20k`.
fn tick_label(value: f64, step: f64, farthest: f64) -> String {
    let (divisor, unit) = match farthest {
        far if far >= 1e6 => (1e6, "M"),
        far if far >= 1e4 => (1e3, "k"),
        _ => (1.0, ""),
    };
    if value == 0.0 && divisor > 1.0 {
        return "0".to_owned();
    }
    format!("{}{unit}", number::decimal(value / divisor, decimals_of(step / divisor)))
}

/// The smallest of 1, 2, 5, 10 times a power of ten that is not under `rough`.
pub(super) fn round_step(rough: f64) -> f64 {
    if !rough.is_finite() || rough <= 0.0 {
        return 1.0;
    }
    let power = libm::pow(10.0, libm::log10(rough).floor());
    let multiple = [1.0, 2.0, 5.0].into_iter().find(|multiple| multiple * power >= rough * (1.0 - 1e-9));
    multiple.unwrap_or(10.0) * power
}

fn decimals_of(step: f64) -> usize {
    usize::try_from(-(libm::log10(step) + 1e-9).floor() as i64).unwrap_or(0)
}

/// A coordinate in SVG.
pub(super) fn px(value: f64) -> String {
    let text = format!("{value:.1}");
    match text.strip_suffix(".0") {
        Some("-0") => "0".to_owned(),
        Some(whole) => whole.to_owned(),
        None => text,
    }
}

/// The area of a plot inside its picture, in SVG units.
#[derive(Debug, Clone, Copy)]
pub(super) struct Area {
    pub width: f64,
    pub height: f64,
    pub left: f64,
    pub right: f64,
    pub top: f64,
    pub bottom: f64,
}

impl Area {
    /// The plot of the page's small figures.
    pub const SMALL: Self =
        Self { width: 340.0, height: 224.0, left: 46.0, right: 12.0, top: 10.0, bottom: 42.0 };

    pub fn x(&self, place: f64) -> f64 {
        self.left + place * (self.width - self.left - self.right)
    }

    pub fn y(&self, place: f64) -> f64 {
        self.height - self.bottom - place * (self.height - self.top - self.bottom)
    }

    pub fn view_box(&self) -> String {
        format!("0 0 {} {}", self.width, self.height)
    }

    /// Grid, tick labels and axis titles.
    pub fn axes(&self, x: &Axis, y: &Axis, x_title: &str, y_title: &str) -> Markup {
        let (base, middle) = (self.y(0.0), f64::midpoint(self.y(0.0), self.y(1.0)));
        html! {
            @for tick in &y.ticks {
                line.grid x1=(px(self.x(0.0))) x2=(px(self.x(1.0))) y1=(px(self.y(tick.at))) y2=(px(self.y(tick.at))) {}
                text.tick.end x=(px(self.left - 6.0)) y=(px(self.y(tick.at) + 3.5)) { (tick.label) }
            }
            line.base x1=(px(self.x(0.0))) x2=(px(self.x(1.0))) y1=(px(base)) y2=(px(base)) {}
            @for tick in &x.ticks {
                line.base x1=(px(self.x(tick.at))) x2=(px(self.x(tick.at))) y1=(px(base)) y2=(px(base + 4.0)) {}
                text.tick.mid x=(px(self.x(tick.at))) y=(px(base + 16.0)) { (tick.label) }
            }
            text.axis.mid x=(px(f64::midpoint(self.x(0.0), self.x(1.0)))) y=(px(self.height - 5.0)) { (x_title) }
            text.axis.mid x="0" y="0" transform=(format!("translate(11 {}) rotate(-90)", px(middle))) { (y_title) }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(axis: &Axis) -> Vec<&str> {
        axis.ticks.iter().map(|tick| tick.label.as_str()).collect()
    }

    #[test]
    fn ticks_are_round() {
        assert_eq!(labels(&Axis::linear(0.0, 9.3, 5)), ["0", "2", "4", "6", "8"]);
        assert_eq!(labels(&Axis::linear(-0.3, 0.3, 3)), ["\u{2212}0.2", "0.0", "0.2"]);
        assert_eq!(labels(&Axis::linear(0.0, 40_000.0, 4)), ["0", "10k", "20k", "30k", "40k"]);
        assert_eq!(labels(&Axis::linear(5.0, 5.0, 2)), ["4.5", "5.0", "5.5"]);
        assert_eq!(labels(&Axis::logarithmic(1.0, 100.0)), ["1", "2", "5", "10", "20", "50", "100"]);
    }

    #[test]
    fn ends_of_the_axis_are_zero_and_one() {
        let axis = Axis::logarithmic(1.0, 100.0);
        assert_eq!((axis.place(1.0), axis.place(10.0), axis.place(100.0)), (0.0, 0.5, 1.0));
    }
}
