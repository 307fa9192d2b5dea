//! What two runs differ in: plain data, for the command line, for JSON and for the page.

use serde::Serialize;

use crate::compare::contrasts::Contrast;
use crate::compare::drift::Drift;
use crate::compare::mix::MixShift;
use crate::compare::shift::Shift;
use crate::text::keyness::Keyness;

/// A part of the comparison that is tested.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Part {
    /// Frequencies of terms.
    Words,
    /// Word vectors.
    Drift,
    /// Features of recordings.
    Sound,
    /// The mix of groups, such as speakers.
    Groups,
    /// Correlations of text features with sound features.
    Relations,
}

impl Part {
    /// All parts, in the order in which they are shown.
    pub const ALL: [Self; 5] = [Self::Words, Self::Drift, Self::Sound, Self::Groups, Self::Relations];

    /// Its name on the command line and in JSON.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Words => "words",
            Self::Drift => "drift",
            Self::Sound => "sound",
            Self::Groups => "groups",
            Self::Relations => "relations",
        }
    }

    /// What its effect size is.
    #[must_use]
    pub fn effect(self) -> &'static str {
        match self {
            Self::Words => "log ratio, 1 is twice as frequent",
            Self::Drift => "cosine distance beyond that of words as frequent",
            Self::Sound => "Cliff's delta, 0 to 1",
            Self::Groups => "total variation of the shares, 0 to 1",
            Self::Relations => "difference of the two correlations",
        }
    }

    /// The effect from which on a change counts as a finding.
    #[must_use]
    pub fn default_effect(self) -> f64 {
        match self {
            Self::Words => 1.0,
            Self::Drift | Self::Groups => 0.1,
            Self::Sound | Self::Relations => 0.2,
        }
    }
}

/// When a change is a finding, and how many findings are too many.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Thresholds {
    /// The rate of false alarms that is accepted, over all parts together.
    pub alpha: f64,
    /// The least effect by part.
    pub effects: Vec<(Part, f64)>,
    /// Parts that are shown but never have a finding.
    pub ignored: Vec<Part>,
    /// Findings that are accepted.
    pub max_changes: u64,
}

impl Default for Thresholds {
    fn default() -> Self {
        let effects = Part::ALL.map(|part| (part, part.default_effect())).to_vec();
        Self { alpha: 0.05, effects, ignored: Vec::new(), max_changes: 0 }
    }
}

impl Thresholds {
    /// The least effect of a finding in `part`.
    #[must_use]
    pub fn effect(&self, part: Part) -> f64 {
        let stated = self.effects.iter().rev().find(|(other, _)| *other == part);
        stated.map_or(part.default_effect(), |(_, effect)| *effect)
    }
}

/// Which run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RunIdentity {
    /// Its folder.
    pub folder: String,
    /// `job.name`
    pub job: String,
    /// Its id.
    pub run_id: String,
    /// Hash of the settings that change results.
    pub config_hash: String,
    /// Version of wordwave.
    pub wordwave: String,
}

/// A number of both runs.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CountChange {
    /// What is counted.
    pub name: &'static str,
    /// In A.
    pub a: f64,
    /// In B.
    pub b: f64,
}

/// Documents or recordings, by id and content.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct ItemChanges {
    /// In both, with the same content.
    pub same: u64,
    /// In B alone.
    pub gained: List<String>,
    /// In A alone.
    pub lost: List<String>,
    /// In both, with other content.
    pub changed: List<String>,
}

/// The beginning of a list, and how long it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct List<T> {
    /// How many there are.
    pub count: u64,
    /// The first of them.
    pub first: Vec<T>,
}

/// How much of a list is kept.
pub const LISTED: usize = 1_000;

impl<T> Default for List<T> {
    fn default() -> Self {
        Self { count: 0, first: Vec::new() }
    }
}

impl<T> From<Vec<T>> for List<T> {
    fn from(mut all: Vec<T>) -> Self {
        let count = all.len() as u64;
        all.truncate(LISTED);
        Self { count, first: all }
    }
}

/// A term that only one run has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TermCount {
    /// The term.
    pub term: String,
    /// Its occurrences there.
    pub count: u64,
}

/// Terms that only one run has, the most frequent first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct VocabularyChange {
    /// The table that they are from.
    pub table: &'static str,
    /// Terms of both.
    pub shared: u64,
    /// Terms of B alone.
    pub gained: List<TermCount>,
    /// Terms of A alone.
    pub lost: List<TermCount>,
}

/// A tested part of the comparison.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Tested<T> {
    /// Which part.
    pub part: Part,
    /// What was held against what, in words.
    pub compared: String,
    /// How many statistics were tested.
    pub tested: u64,
    /// The p that anything in this part differs.
    pub p: Option<f64>,
    /// That p adjusted for the other parts.
    pub q: Option<f64>,
    /// How many are findings.
    pub findings: u64,
    /// The rows: findings first, then by p.
    pub rows: List<Row<T>>,
}

/// A statistic and what was made of it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Row<T> {
    /// Whether it is beyond the thresholds.
    pub finding: bool,
    /// The size that is held against the threshold.
    pub effect: Option<f64>,
    /// The statistic.
    #[serde(flatten)]
    pub of: T,
}

/// How often a term stands on both sides, and how sure its shift is with documents as what is drawn.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TermShift {
    /// The term.
    pub term: String,
    /// Occurrences on B's side.
    pub target_count: u64,
    /// Occurrences on A's side.
    pub reference_count: u64,
    /// Log-likelihood ratio of the tokens: a size, no measure of certainty.
    pub g2: f64,
    /// Binary logarithm of the ratio of relative frequencies.
    pub log_ratio: Option<f64>,
    /// Observed less expected in standard deviations over documents.
    pub z: Option<f64>,
    /// By relabelling documents.
    pub p: Option<f64>,
    /// Adjusted for all terms.
    pub q: Option<f64>,
}

impl TermShift {
    /// The sizes of `key` without a test yet.
    #[must_use]
    pub fn new(key: Keyness) -> Self {
        Self {
            term: key.term,
            target_count: key.target_count,
            reference_count: key.reference_count,
            g2: key.g2,
            log_ratio: key.log_ratio,
            z: None,
            p: None,
            q: None,
        }
    }
}

/// The mix of the groups of documents or of recordings.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Mix {
    /// `documents` or `recordings`.
    pub of: &'static str,
    /// How it differs.
    #[serde(flatten)]
    pub shift: MixShift,
    /// Adjusted for both mixes.
    pub q: Option<f64>,
}

/// A part that could not be compared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Skipped {
    /// Which.
    pub part: &'static str,
    /// Why.
    pub reason: String,
}

/// All that two runs differ in.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Difference {
    /// The run that is held against.
    pub a: RunIdentity,
    /// The run that is held against it, usually the newer one.
    pub b: RunIdentity,
    /// What a reader must know before the numbers: another job, other settings.
    pub notes: Vec<String>,
    /// By what a change is a finding.
    pub thresholds: Thresholds,
    /// Findings of all parts.
    pub findings: u64,
    /// Whether there are more findings than accepted.
    pub over_threshold: bool,
    /// Numbers of both runs.
    pub counts: Vec<CountChange>,
    /// Documents.
    pub documents: Option<ItemChanges>,
    /// Recordings.
    pub clips: Option<ItemChanges>,
    /// Terms.
    pub vocabulary: Option<VocabularyChange>,
    /// Frequencies of terms.
    pub words: Option<Tested<TermShift>>,
    /// Word vectors.
    pub drift: Option<Tested<Drift>>,
    /// Features of recordings.
    pub sound: Option<Tested<Shift>>,
    /// The mix of groups.
    pub groups: Option<Tested<Mix>>,
    /// Correlations.
    pub relations: Option<Tested<Contrast>>,
    /// What could not be compared.
    pub skipped: Vec<Skipped>,
}
