//! The stages of a run as they pass: told to whoever watches, and recorded for run.json.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use serde::Serialize;

use super::progress::Event;
use crate::corpus::{Quarantined, Warned};
use crate::error::Result;

/// A stage in run.json.
#[derive(Debug, Clone, PartialEq, Serialize, serde::Deserialize)]
pub(super) struct StageRecord {
    pub name: String,
    /// Wall-clock time; stages that run in one pass share its time by the work done.
    pub seconds: f64,
    pub items: u64,
}

impl StageRecord {
    /// Adds to a stage's record; one that runs for documents and for recordings has one line.
    pub fn add(records: &mut Vec<Self>, stage: &str, seconds: f64, items: u64) {
        match records.iter_mut().find(|record| record.name == stage) {
            Some(record) => {
                record.seconds += seconds;
                record.items += items;
            }
            None => records.push(Self { name: stage.to_owned(), seconds, items }),
        }
    }
}

/// Times stages and tells of them.
pub(super) struct Stages<'a> {
    progress: &'a (dyn Fn(Event) + Sync),
    records: Mutex<Vec<StageRecord>>,
}

/// Work done by all threads on the stages that share a pass, in nanoseconds.
pub(super) struct Shares<const N: usize>([AtomicU64; N]);

impl<'a> Stages<'a> {
    pub fn new(progress: &'a (dyn Fn(Event) + Sync)) -> Self {
        Self { progress, records: Mutex::new(Vec::new()) }
    }

    /// Tells that so many items are done.
    pub fn advance(&self, items: u64) {
        (self.progress)(Event::Advance(items));
    }

    /// Tells how well the word vectors predict after an epoch.
    pub fn learned(&self, epoch: u32, loss: f64) {
        (self.progress)(Event::Epoch { epoch, loss });
    }

    /// Runs one stage over `total` items.
    pub fn time<T>(
        &self,
        stage: &'static str,
        total: u64,
        unit: &'static str,
        work: impl FnOnce() -> Result<T>,
    ) -> Result<T> {
        self.pass([stage], total, unit, |_| work())
    }

    /// Runs several stages in one pass; the wall-clock time is shared out by the work that each recorded. A stage without a
    /// name is not told of.
    pub fn pass<T, const N: usize>(
        &self,
        stages: [&'static str; N],
        total: u64,
        unit: &'static str,
        work: impl FnOnce(&Shares<N>) -> Result<T>,
    ) -> Result<T> {
        let shares = Shares::default();
        let told = stages.first().copied().unwrap_or_default();
        (self.progress)(Event::Begin { stage: told, total, unit });
        let start = Instant::now();
        let outcome = work(&shares)?;
        let seconds = start.elapsed().as_secs_f64();
        let worked = shares.0.each_ref().map(|nanos| nanos.load(Ordering::Relaxed) as f64);
        let all: f64 = worked.iter().sum();
        for (stage, nanos) in stages.into_iter().zip(worked).filter(|(stage, _)| !stage.is_empty()) {
            let share = if all > 0.0 { nanos / all } else { 1.0 / N as f64 };
            self.record(stage, seconds * share, total);
        }
        Ok(outcome)
    }

    /// Records stages whose results were there already; those that ran have their records.
    pub fn seen(&self, stages: &[&str], items: usize) {
        let Ok(mut records) = self.records.lock() else { return };
        for stage in stages {
            if !records.iter().any(|record| record.name == *stage) {
                let name = (*stage).to_owned();
                records.push(StageRecord { name, seconds: 0.0, items: items as u64 });
            }
        }
    }

    fn record(&self, stage: &'static str, seconds: f64, items: u64) {
        (self.progress)(Event::End { stage, seconds, items });
        if let Ok(mut records) = self.records.lock() {
            StageRecord::add(&mut records, stage, seconds, items);
        }
    }

    /// Tells of inputs that cannot be used, or in part only.
    pub fn tell<'b>(
        &self,
        quarantined: impl IntoIterator<Item = &'b Quarantined>,
        warned: impl IntoIterator<Item = &'b Warned>,
    ) {
        quarantined.into_iter().for_each(|row| (self.progress)(Event::Quarantined(row.clone())));
        warned.into_iter().for_each(|row| (self.progress)(Event::Warned(row.clone())));
    }

    /// The records so far, in the order in which the stages first ran.
    pub fn records(&self) -> Vec<StageRecord> {
        self.records.lock().map(|records| records.clone()).unwrap_or_default()
    }
}

impl<const N: usize> Default for Shares<N> {
    fn default() -> Self {
        Self(std::array::from_fn(|_| AtomicU64::new(0)))
    }
}

impl<const N: usize> Shares<N> {
    /// Does `work` on behalf of the stage with the number `stage`.
    pub fn on<T>(&self, stage: usize, work: impl FnOnce() -> T) -> T {
        let start = Instant::now();
        let outcome = work();
        if let Some(nanos) = self.0.get(stage) {
            nanos.fetch_add(start.elapsed().as_nanos() as u64, Ordering::Relaxed);
        }
        outcome
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stages_that_share_a_pass_share_its_time() {
        let stages = Stages::new(&|_| ());
        stages
            .pass(["read", "tokens"], 3, "files", |shares| {
                shares.on(0, || std::thread::sleep(std::time::Duration::from_millis(3)));
                Ok(())
            })
            .unwrap();
        stages.time("read", 2, "files", || Ok(())).unwrap();
        let records = stages.records();
        assert_eq!(
            records.iter().map(|r| (r.name.as_str(), r.items)).collect::<Vec<_>>(),
            [("read", 5), ("tokens", 3)]
        );
        assert_eq!(records[1].seconds, 0.0);
    }
}
