//! Calibration and power of every relation measure. The full number of corpora:
//!
//! `cargo test --lib -- --ignored --nocapture compare::tests`

use rayon::prelude::*;

use super::Resampling;
use super::correlations::correlations;
use super::dependence::{Control, Dependence, Tested, dependences};
use super::features::FeatureTable;
use super::groups::Groups;
use super::predictions::predictions;
use super::spaces::{Space, SpaceKind, spaces};
use crate::math::distribution::normal_below;
use crate::math::matrix::Matrix;
use crate::math::random::Stream;

const ITEMS: usize = 60;
const COLUMNS: usize = 3;

fn normal(stream: &mut Stream) -> f64 {
    let (u, v) = (stream.unit_f64().max(1e-300), stream.unit_f64());
    (-2.0 * u.ln()).sqrt() * (2.0 * std::f64::consts::PI * v).cos()
}

/// Features of one side; of each second corpus they depend on the speaker, so that only permutations within speakers are right.
fn side(corpus: u64, purpose: &str, grouped: bool) -> FeatureTable {
    let mut stream = Stream::new(corpus, purpose, 0);
    let mut table = FeatureTable::default();
    for j in 0..COLUMNS {
        let speakers: Vec<f64> =
            (0..6).map(|_| if grouped { 2.0 * normal(&mut stream) } else { 0.0 }).collect();
        let column = (0..ITEMS).map(|i| speakers[i % 6] + normal(&mut stream)).collect();
        table.push(format!("{purpose}{j}"), column);
    }
    table
}

/// The p and q of every measure of one corpus in which nothing is related, by the measure's name.
fn unrelated(corpus: u64) -> Vec<(String, Vec<(f64, f64)>)> {
    let grouped = corpus % 2 == 1;
    let (texts, sounds) = (side(corpus, "text", grouped), side(corpus, "sound", grouped));
    let labels: Vec<Option<String>> = (0..ITEMS).map(|i| grouped.then(|| (i % 6).to_string())).collect();
    let groups = Groups::from_labels(&labels);
    let resampling = Resampling { seed: corpus, permutations: 199, bootstrap: 0 };
    let mut table = correlations(&texts, &sounds, &groups, &resampling);
    dependences(&mut table, &texts, &sounds, &groups, &Control { features: &[], groups: true }, &resampling);
    let of = |measure: fn(&Dependence) -> &Tested| -> Vec<(f64, f64)> {
        let measured = table.iter().filter_map(|row| row.dependence.as_ref());
        measured.map(|found| (measure(found).p.unwrap(), measure(found).q.unwrap())).collect()
    };
    let mut found = vec![
        (
            "pearson".to_owned(),
            table.iter().map(|row| (row.pearson_p.unwrap(), row.pearson_q.unwrap())).collect(),
        ),
        ("spearman".to_owned(), table.iter().map(|row| (row.p.unwrap(), row.q.unwrap())).collect()),
        ("partial".to_owned(), of(|found| &found.partial)),
        ("distance correlation".to_owned(), of(|found| &found.distance_correlation)),
        ("mutual information".to_owned(), of(|found| &found.mutual_information)),
    ];
    let predicted = predictions(&texts, &sounds, &groups, &resampling);
    found.push(("ridge".to_owned(), predicted.iter().map(|row| (row.p.unwrap(), row.q.unwrap())).collect()));
    let space = |table: &FeatureTable, kind| Space {
        name: String::new(),
        matrix: Matrix::from_rows(&table.columns).transpose(),
        kind,
    };
    let (text, sound) = (space(&texts, SpaceKind::Embedding), space(&sounds, SpaceKind::Features));
    let related = spaces(&[text], &[sound], &groups, &resampling);
    // The table as a whole is the family of q.
    let any = related.iter().filter_map(|row| row.q).fold(1.0, f64::min);
    found.push(("all of spaces".to_owned(), vec![(f64::NAN, any)]));
    found.extend(related.iter().map(|row| (row.measure.to_string(), vec![(row.p.unwrap(), f64::NAN)])));
    found
}

/// Prints and checks the share of p below 0.05 and of corpora with any q below 0.05; `slack` is room for chance.
fn calibrate(corpora: u64, slack: f64) {
    let all: Vec<_> = (0..corpora).into_par_iter().map(unrelated).collect();
    for measure in 0..all[0].len() {
        let name = &all[0][measure].0;
        let p: Vec<f64> =
            all.iter().flat_map(|found| &found[measure].1).map(|(p, _)| *p).filter(|p| !p.is_nan()).collect();
        let below = p.iter().filter(|p| **p < 0.05).count() as f64 / p.len().max(1) as f64;
        let any = all.iter().filter(|found| found[measure].1.iter().any(|(_, q)| *q < 0.05)).count();
        let any = any as f64 / corpora as f64;
        say(format_args!("{name:>22}: p < 0.05 {below:.4} of {}, any q < 0.05 {any:.4}", p.len()));
        assert!(any <= 0.08 + slack, "{name}: {any}");
        assert!(p.is_empty() || (0.03 - slack..=0.07 + slack).contains(&below), "{name}: {below}");
    }
}

/// Tells a figure to whoever runs the test by hand.
fn say(figure: std::fmt::Arguments<'_>) {
    let _ = std::io::Write::write_fmt(&mut std::io::stderr(), format_args!("{figure}\n"));
}

/// Room for chance: one p a corpus has a standard deviation of 0.035 over 40.
#[test]
fn what_is_not_related_is_rarely_found() {
    calibrate(40, 0.09);
}

#[test]
#[ignore = "minutes: the calibration that the documentation states"]
fn two_thousand_corpora_are_calibrated() {
    calibrate(2000, 0.0);
}

/// How often a correlation of `r` in 50 normal pairs is found at 5 %, beside what theory says: Spearman's correlation of a normal pair
/// is `6 asin(r / 2) / pi`, and its `atanh` has a variance of `(1 + rho² / 2) / (n - 3)` (Bonett and Wright 2000).
fn power(corpora: u64, r: f64) -> (f64, f64) {
    let resampling = |seed| Resampling { seed, permutations: 199, bootstrap: 0 };
    let found = (0..corpora).into_par_iter().filter(|&corpus| {
        let mut stream = Stream::new(corpus, "power", 0);
        let x: Vec<f64> = (0..50).map(|_| normal(&mut stream)).collect();
        let y = x.iter().map(|x| r * x + (1.0 - r * r).sqrt() * normal(&mut stream)).collect();
        let (mut texts, mut sounds) = (FeatureTable::default(), FeatureTable::default());
        texts.push("x", x);
        sounds.push("y", y);
        correlations(&texts, &sounds, &Groups::none(50), &resampling(corpus))[0].p.unwrap() <= 0.05
    });
    let rate = found.count() as f64 / corpora as f64;
    let rho = 6.0 / std::f64::consts::PI * (r / 2.0).asin();
    let null = 1.0 / 47.0_f64.sqrt();
    let spread = ((1.0 + rho * rho / 2.0) / 47.0).sqrt();
    (rate, normal_below((rho.atanh() - 1.96 * null) / spread))
}

#[test]
fn planted_relations_are_found_as_often_as_theory_says() {
    for (r, room) in [(0.3, 0.12), (0.5, 0.08)] {
        let (rate, theory) = power(200, r);
        assert!((rate - theory).abs() < room, "{r}: {rate} {theory}");
    }
}

#[test]
#[ignore = "a minute: the power that the documentation states"]
fn power_over_two_thousand_corpora() {
    for r in [0.2, 0.3, 0.4, 0.5] {
        let (rate, theory) = power(2000, r);
        say(format_args!("r = {r}: found in {rate:.3}, by theory {theory:.3}"));
        assert!((rate - theory).abs() < 0.04, "{r}: {rate} {theory}");
    }
}
