//! Times the comparison of two sides by stage: what a job's `[compare]` computes, on features made for it.
//!
//! ```text
//! cargo bench --bench relations -- [PAIRS [FEATURES [DRAWS]]]       default: 10000 200 999
//! ```
//!
//! So many pairs of 20 speakers, so many features a side, half of the sound features made in part of a text feature; so many permutations and
//! bootstraps. Runs on all cores; `RAYON_NUM_THREADS=2` for two.
#![allow(missing_docs, clippy::print_stdout, clippy::unwrap_used)]

use std::time::Instant;

use wordwave::compare::Resampling;
use wordwave::compare::correlations::correlations;
use wordwave::compare::dependence::{Control, dependences};
use wordwave::compare::features::FeatureTable;
use wordwave::compare::group_means::{as_items, group_means};
use wordwave::compare::groups::Groups;
use wordwave::compare::predictions::predictions;
use wordwave::compare::spaces::{Space, SpaceKind, spaces};
use wordwave::math::matrix::Matrix;
use wordwave::math::random::Stream;

const SPEAKERS: usize = 20;

fn side(pairs: usize, features: usize, purpose: &str, other: Option<&FeatureTable>) -> FeatureTable {
    let mut table = FeatureTable::default();
    for j in 0..features {
        let mut stream = Stream::new(1, purpose, j as u64);
        let column = (0..pairs).map(|i| {
            let noise: f64 = (0..4).map(|_| stream.unit_f64() - 0.5).sum();
            let speaker = (i % SPEAKERS) as f64 * 0.01;
            noise + speaker + other.filter(|_| j % 2 == 0).map_or(0.0, |other| 0.1 * other.columns[j][i])
        });
        table.push(format!("{purpose}_{j}"), column.collect());
    }
    table
}

fn timed<T>(stage: &str, work: impl FnOnce() -> T) -> T {
    let start = Instant::now();
    let result = work();
    println!("{stage:<48}{:>9.2} s", start.elapsed().as_secs_f64());
    result
}

fn main() {
    let numbers: Vec<usize> = std::env::args().skip(1).filter_map(|argument| argument.parse().ok()).collect();
    let number = |at: usize, default: usize| numbers.get(at).copied().unwrap_or(default);
    let (pairs, features, draws) = (number(0, 10_000), number(1, 200), number(2, 999) as u32);
    println!("{pairs} pairs, {features} x {features} features, {draws} permutations and bootstraps");
    let texts = side(pairs, features, "text", None);
    let sounds = side(pairs, features, "sound", Some(&texts));
    let names: Vec<String> = (0..SPEAKERS).map(|speaker| format!("speaker {speaker}")).collect();
    let labels: Vec<Option<&str>> = (0..pairs).map(|i| Some(names[i % SPEAKERS].as_str())).collect();
    let groups = Groups::from_labels(&labels);
    let resampling = Resampling { seed: 1, permutations: draws, bootstrap: draws };
    let start = Instant::now();
    let mut table = timed("Pearson and Spearman, p, q and intervals", || {
        correlations(&texts, &sounds, &groups, &resampling)
    });
    let control = ["sound_1".to_owned()];
    timed("BCa, partial, distance, information of 200", || {
        let control = Control { features: &control, groups: true };
        dependences(&mut table, &texts, &sounds, &groups, &control, &resampling);
    });
    println!("{:<48}{:>9.2} s", "correlations in all", start.elapsed().as_secs_f64());
    let predicted = timed("ridge, both ways", || predictions(&texts, &sounds, &groups, &resampling));
    let space = |table: &FeatureTable| Space {
        name: "space".into(),
        matrix: Matrix::from_rows(&table.columns).transpose(),
        kind: SpaceKind::Features,
    };
    let compared = timed("CKA, RSA, CCA, retrieval, clusters", || {
        spaces(&[space(&texts)], &[space(&sounds)], &groups, &resampling)
    });
    let between = timed("means of groups, and their correlations", || {
        let (text, sound) = (as_items(&texts, &labels), as_items(&sounds, &labels));
        let means = group_means(&[("text", &texts), ("audio", &sounds)], &labels);
        (means.len(), correlations(&text, &sound, &Groups::none(SPEAKERS), &resampling).len())
    });
    println!("{:<48}{:>9.2} s", "in all", start.elapsed().as_secs_f64());
    let significant = table.iter().filter(|row| row.q.is_some_and(|q| q < 0.05)).count();
    let measured = table.iter().filter(|row| row.dependence.is_some()).count();
    println!(
        "{} relations, {significant} with q < 0.05, {measured} measured further; {} predictions, {} measures of spaces, {} means, {} relations of groups",
        table.len(),
        predicted.len(),
        compared.len(),
        between.0,
        between.1
    );
}
