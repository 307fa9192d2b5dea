//! Progress for a person: a bar a stage, with rate and remaining time, on a terminal only.

use std::io::IsTerminal;
use std::sync::Mutex;

use indicatif::{HumanCount, ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};

use super::Output;
use super::log::Format;
use crate::job::Event;

/// Draws what a run tells of its progress.
pub(super) struct Bars {
    shown: bool,
    bar: Mutex<Option<ProgressBar>>,
}

impl Bars {
    /// Bars are for a terminal and a person: not with `--quiet`, not with a JSON log.
    pub fn new(output: &Output) -> Self {
        let shown = std::io::stderr().is_terminal() && !output.quiet && output.log_format == Format::Text;
        Self { shown, bar: Mutex::new(None) }
    }

    /// Takes an event of the run.
    pub fn on(&self, event: Event) {
        match event {
            Event::Begin { stage, total, .. } => tracing::info!(stage, items = total, "stage begins"),
            Event::End { stage, seconds, items } => {
                tracing::info!(stage, items, seconds = (seconds * 1000.0).round() / 1000.0, "stage done");
            }
            Event::Advance(_) => {}
        }
        if !self.shown {
            return;
        }
        let Ok(mut bar) = self.bar.lock() else { return };
        match event {
            Event::Begin { stage, total, unit } => *bar = Some(begin(stage, total, unit)),
            Event::Advance(items) => {
                if let Some(bar) = bar.as_ref() {
                    bar.inc(items);
                }
            }
            Event::End { .. } => {
                if let Some(bar) = bar.take() {
                    bar.finish_and_clear();
                }
            }
        }
    }
}

fn begin(stage: &str, total: u64, unit: &str) -> ProgressBar {
    let template = format!(
        "{{prefix:14}} {{wide_bar:.cyan/dim}} {{human_pos}}/{{human_len}} {unit} {{rate}} eta {{eta}}"
    );
    let style = ProgressStyle::with_template(&template)
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .with_key("rate", rate);
    let bar = ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::stderr_with_hz(10));
    bar.set_style(style);
    bar.set_prefix(stage.to_owned());
    bar
}

fn rate(state: &ProgressState, line: &mut dyn std::fmt::Write) {
    let _ = write!(line, "{}/s", HumanCount(state.per_sec().round() as u64));
}
