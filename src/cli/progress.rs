//! Progress: on a terminal a bar a stage, with rate and remaining time; elsewhere log lines and a heartbeat.

use std::io::IsTerminal;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use indicatif::{HumanCount, ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};

use super::Output;
use super::log::{Format, job, run};
use crate::job::{Event, memory};

/// Shows what a run tells of its progress.
pub(super) struct Progress {
    /// Bars are for a terminal and a person: not with `--quiet`, not with a JSON log.
    drawn: bool,
    bar: Mutex<Option<ProgressBar>>,
    standing: Arc<Standing>,
    /// The heartbeat ends when this goes.
    _alive: Option<Sender<()>>,
}

/// The stage under way and how far it is.
#[derive(Default)]
struct Standing {
    stage: Mutex<Option<Stage>>,
    done: AtomicU64,
}

#[derive(Clone, Copy)]
struct Stage {
    name: &'static str,
    total: u64,
    unit: &'static str,
    since: Instant,
}

impl Progress {
    /// Without bars, a heartbeat every so many seconds; 0: none.
    pub fn new(output: &Output, heartbeat_seconds: u64) -> Self {
        let drawn = std::io::stderr().is_terminal() && !output.quiet && output.log_format == Format::Text;
        let standing = Arc::<Standing>::default();
        let alive = (!drawn && heartbeat_seconds > 0)
            .then(|| start_heartbeat(Duration::from_secs(heartbeat_seconds), Arc::clone(&standing)));
        Self { drawn, bar: Mutex::new(None), standing, _alive: alive }
    }

    /// Takes an event of the run.
    pub fn on(&self, event: &Event) {
        self.standing.on(event);
        match event {
            Event::Advance(items) => self.with_bar(|bar| bar.inc(*items)),
            Event::Quarantined(_) | Event::Warned(_) | Event::Epoch { .. } if self.drawn => {
                let Ok(bar) = self.bar.lock() else { return };
                match bar.as_ref() {
                    Some(bar) => bar.suspend(|| log(event)),
                    None => log(event),
                }
            }
            _ => log(event),
        }
        if !self.drawn {
            return;
        }
        let Ok(mut bar) = self.bar.lock() else { return };
        match event {
            Event::Begin { stage, total, unit } => *bar = Some(begin(stage, *total, unit)),
            Event::End { .. } => {
                if let Some(bar) = bar.take() {
                    bar.finish_and_clear();
                }
            }
            _ => {}
        }
    }

    fn with_bar(&self, act: impl FnOnce(&ProgressBar)) {
        if self.drawn
            && let Ok(bar) = self.bar.lock()
            && let Some(bar) = bar.as_ref()
        {
            act(bar);
        }
    }
}

/// Writes an event to the log; items come too often for that.
fn log(event: &Event) {
    match event {
        Event::Run { id } => tracing::info!(job = job(), run = id, "run begins"),
        Event::Begin { stage, total, .. } => {
            tracing::info!(stage, items = total, job = job(), run = run(), "stage begins");
        }
        Event::End { stage, seconds, items } => {
            let seconds = rounded(*seconds);
            tracing::info!(stage, items, seconds, job = job(), run = run(), "stage done");
        }
        Event::Quarantined(row) => tracing::warn!(
            item = row.source,
            stage = row.stage.name(),
            code = &*row.code,
            reason = row.reason,
            byte_offset = row.byte_offset,
            job = job(),
            run = run(),
            "in quarantine"
        ),
        Event::Warned(row) => tracing::warn!(
            item = row.source,
            stage = row.stage.name(),
            code = &*row.code,
            reason = row.reason,
            job = job(),
            run = run(),
            "used in part"
        ),
        Event::Epoch { epoch, loss } => {
            tracing::info!(stage = "embeddings", epoch, loss, job = job(), run = run(), "epoch done");
        }
        Event::Advance(_) => {}
    }
}

fn rounded(seconds: f64) -> f64 {
    (seconds * 1000.0).round() / 1000.0
}

impl Standing {
    fn on(&self, event: &Event) {
        match event {
            Event::Advance(items) => {
                self.done.fetch_add(*items, Ordering::Relaxed);
            }
            Event::Begin { stage, total, unit } => {
                self.done.store(0, Ordering::Relaxed);
                self.set(Some(Stage { name: stage, total: *total, unit, since: Instant::now() }));
            }
            Event::End { .. } => self.set(None),
            _ => {}
        }
    }

    fn set(&self, stage: Option<Stage>) {
        if let Ok(mut standing) = self.stage.lock() {
            *standing = stage;
        }
    }

    /// Logs how far the run is. Between stages there is nothing to say but that it lives.
    fn log(&self) {
        let memory_bytes = memory::resident_bytes();
        let Some(stage) = self.stage.lock().ok().and_then(|stage| *stage) else {
            tracing::info!(memory_bytes, job = job(), run = run(), "alive");
            return;
        };
        let done = self.done.load(Ordering::Relaxed);
        let rate = done as f64 / stage.since.elapsed().as_secs_f64();
        let eta_seconds = (done > 0).then(|| (stage.total.saturating_sub(done) as f64 / rate).round() as u64);
        tracing::info!(
            stage = stage.name,
            done,
            total = stage.total,
            unit = stage.unit,
            per_second = rounded(rate),
            eta_seconds,
            memory_bytes,
            job = job(),
            run = run(),
            "alive"
        );
    }
}

fn start_heartbeat(interval: Duration, standing: Arc<Standing>) -> Sender<()> {
    let (alive, ended) = channel();
    std::thread::spawn(move || {
        while ended.recv_timeout(interval) == Err(RecvTimeoutError::Timeout) {
            standing.log();
        }
    });
    alive
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
