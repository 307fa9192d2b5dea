//! How two features depend on each other, against scipy and scikit-learn: `tests/golden/dependence.json`, made by
//! `make_dependence.py` beside it, where `definitions` says how each value was made.

use wordwave::compare::accelerated::bca_interval;
use wordwave::compare::clusters::Agreement;
use wordwave::compare::distance_correlation::DistanceColumn;
use wordwave::compare::mutual_information::{ScaledColumn, mutual_information};
use wordwave::compare::partial::Controls;
use wordwave::math::distribution::normal_quantile;
use wordwave::math::k_means::lloyd;
use wordwave::math::matrix::Matrix;

use crate::golden_file::{Within, check, check_one, counts, golden, list, number, numbers, rows, text};

const FILE: &str = "dependence.json";
const NEAR: Within = Within::Absolute(1e-10);

#[test]
fn dependence_of_two_features_is_that_of_the_oracles() {
    for case in list(&golden(FILE)["pairs"]) {
        let name = text(&case["name"]);
        let [x, y, z, w] = ["x", "y", "z", "w"].map(|column| numbers(&case[column]));
        let unmoved: Vec<u32> = (0..x.len() as u32).collect();
        let distances =
            DistanceColumn::new(&x).unwrap().correlation(&DistanceColumn::new(&y).unwrap(), &unmoved);
        check_one(
            &format!("distance correlation, {name}"),
            distances,
            number(&case["distance_correlation"]),
            NEAR,
        );
        let (a, b) = (ScaledColumn::new(&x).unwrap(), ScaledColumn::new(&y).unwrap());
        let information = mutual_information(&a, &b, &unmoved).unwrap();
        check_one(
            &format!("mutual information, {name}"),
            information,
            number(&case["mutual_information"]),
            NEAR,
        );
        let partial = Controls::new(&[z, w], &[unmoved]).correlation(&x, &y).unwrap();
        check_one(&format!("partial, {name}"), partial, number(&case["partial_spearman"]), NEAR);
    }
}

#[test]
fn accelerated_intervals_are_scipys() {
    let case = &golden(FILE)["bca"];
    let (draws, left_out) = (numbers(&case["draws"]), numbers(&case["left_out"]));
    let (low, high) = bca_interval(&draws, number(&case["estimate"]), &left_out).unwrap();
    check("bca", &[low, high], &numbers(&case["interval"]), NEAR);
    for case in list(&golden(FILE)["normal_quantiles"]) {
        let (share, quantile) = (number(&case[0]), number(&case[1]));
        check_one(&format!("norm.ppf({share})"), normal_quantile(share), quantile, NEAR);
    }
}

#[test]
fn clusters_and_their_agreement_are_scikit_learns() {
    let case = &golden(FILE)["clusters"];
    let matrix = |key: &str| Matrix::from_rows(&rows(&case[key]));
    let found = lloyd(&matrix("points"), matrix("first"), 300);
    check("centres", found.centres.values(), matrix("centres").values(), NEAR);
    check_one("inertia", found.inertia, number(&case["inertia"]), Within::Relative(1e-12));
    assert_eq!(found.of_point.iter().map(|&c| c as usize).collect::<Vec<_>>(), counts(&case["labels"]));
    let labels = |key: &str| counts(&case[key]).into_iter().map(|label| label as u32).collect::<Vec<_>>();
    let unmoved: Vec<u32> = (0..90).collect();
    let agreement = Agreement::new(labels("a"), labels("b")).unwrap().estimate(&unmoved);
    check_one("adjusted_mutual_info_score", agreement, number(&case["adjusted_mutual_information"]), NEAR);
}
