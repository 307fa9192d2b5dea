//! The golden files beside `make_golden.py`: reading them, and holding our numbers against theirs.
//!
//! `cargo test golden -- --nocapture` shows the largest error of every check.

use serde_json::Value;

use crate::program::project;

/// How far a number may lie from the oracle's.
#[derive(Clone, Copy, Debug)]
pub enum Within {
    /// In the unit of the numbers.
    Absolute(f64),
    /// As a share of the oracle's magnitude.
    Relative(f64),
}

impl Within {
    /// The error in this measure, and the most that will do. Two undefined numbers are equal, one is infinitely far.
    fn judge(self, ours: f64, theirs: f64) -> (f64, f64) {
        let distance = if ours == theirs || (ours.is_nan() && theirs.is_nan()) {
            0.0
        } else if ours.is_nan() || theirs.is_nan() {
            f64::INFINITY
        } else {
            (ours - theirs).abs()
        };
        match self {
            Self::Relative(most) if distance > 0.0 && distance.is_finite() => (distance / theirs.abs(), most),
            Self::Absolute(most) | Self::Relative(most) => (distance, most),
        }
    }
}

/// The golden file of this name.
pub fn golden(name: &str) -> Value {
    let path = project().join("tests/golden").join(name);
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The entries of a list; an empty list is a fault of the file.
pub fn list(value: &Value) -> &[Value] {
    let entries = value.as_array().unwrap_or_else(|| panic!("no list: {value}"));
    assert!(!entries.is_empty(), "an empty list");
    entries
}

/// A string.
pub fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("no string: {value}"))
}

/// A count.
pub fn count(value: &Value) -> usize {
    value.as_u64().unwrap_or_else(|| panic!("no count: {value}")) as usize
}

/// Counts.
pub fn counts(value: &Value) -> Vec<usize> {
    list(value).iter().map(count).collect()
}

/// A number; null is NaN.
pub fn number(value: &Value) -> f64 {
    if value.is_null() {
        return f64::NAN;
    }
    value.as_f64().unwrap_or_else(|| panic!("no number: {value}"))
}

/// The numbers of a list, or of its lists row by row.
pub fn numbers(value: &Value) -> Vec<f64> {
    let entry = |value: &Value| if value.is_array() { numbers(value) } else { vec![number(value)] };
    list(value).iter().flat_map(entry).collect()
}

/// The numbers of a list of lists.
pub fn rows(value: &Value) -> Vec<Vec<f64>> {
    list(value).iter().map(numbers).collect()
}

/// Asserts that all numbers agree; otherwise names the first that does not.
pub fn check(what: &str, ours: &[f64], theirs: &[f64], within: Within) {
    check_most(what, ours, theirs, within, within, 0.0);
}

/// Asserts that one number agrees.
pub fn check_one(what: &str, ours: f64, theirs: f64, within: Within) {
    check(what, &[ours], &[theirs], within);
}

/// Asserts that all numbers but `share` of them lie within `most`, and all of them within `worst`.
pub fn check_most(what: &str, ours: &[f64], theirs: &[f64], most: Within, worst: Within, share: f64) {
    assert_eq!(ours.len(), theirs.len(), "{what}: as many numbers as the oracle");
    let (mut outside, mut first, mut largest) = (0, None, 0.0_f64);
    for (place, (ours, theirs)) in ours.iter().zip(theirs).enumerate() {
        let (error, allowed) = worst.judge(*ours, *theirs);
        assert!(error <= allowed, "{what}: number {place}: {ours} is not {theirs} ({worst:?})");
        let (error, allowed) = most.judge(*ours, *theirs);
        largest = largest.max(error);
        if error > allowed {
            outside += 1;
            first.get_or_insert((place, *ours, *theirs));
        }
    }
    eprintln!("{what}: largest error {largest:.1e} of {} numbers, {outside} outside {most:?}", ours.len());
    assert!(
        f64::from(outside) <= share * ours.len() as f64,
        "{what}: {outside} numbers are not {most:?}, first (place, ours, theirs) = {first:?}"
    );
}
