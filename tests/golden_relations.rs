//! Statistics and relations against `SciPy` and NumPy: `tests/golden/relations.json`, where `definitions` says how each
//! value was made.

use serde_json::Value;
use wordwave::compare::Resampling;
use wordwave::compare::correlations::correlations;
use wordwave::compare::features::FeatureTable;
use wordwave::compare::groups::Groups;
use wordwave::compare::spaces::{Space, SpaceKind, spaces};
use wordwave::math::distribution::{GeneralizedPareto, chi_squared_1_survival};
use wordwave::math::linear::{Cholesky, SymmetricEigen};
use wordwave::math::matrix::Matrix;
use wordwave::math::statistics::{
    average_ranks, benjamini_hochberg, mean, pearson, percentile, population_sd, spearman,
};
use wordwave::text::counts::{CountSettings, count_shard};
use wordwave::text::keyness::{GroupCounts, Keyness};
use wordwave::text::tokens::{TokenSettings, Tokenizer};

use crate::golden_file::{Within, check, check_one, count, golden, list, number, numbers, rows, text};

const FILE: &str = "relations.json";
const EXACT: Within = Within::Absolute(0.0);
const ROUNDING: Within = Within::Absolute(1e-13);
/// Of probabilities down to 1e-300.
const OF_THE_VALUE: Within = Within::Relative(1e-12);
/// Estimates only: no p, no interval.
const NO_DRAWS: Resampling = Resampling { seed: 0, permutations: 0, bootstrap: 0 };

fn or_nan(value: Option<f64>) -> f64 {
    value.unwrap_or(f64::NAN)
}

#[test]
fn correlations_are_scipys() {
    for case in list(&golden(FILE)["correlations"]) {
        let (x, y) = (numbers(&case["x"]), numbers(&case["y"]));
        let name = text(&case["name"]);
        let (r, rho) = (number(&case["pearson"]), number(&case["spearman"]));
        // serde_json reads some numbers one place of the last digit off, which at 1e9 is 1e-7 of the spread.
        let within = if name == "offset" { Within::Absolute(1e-6) } else { ROUNDING };
        check_one(&format!("pearson, {name}"), or_nan(pearson(&x, &y)), r, within);
        check_one(&format!("spearman, {name}"), or_nan(spearman(&x, &y)), rho, ROUNDING);

        let (mut texts, mut sounds) = (FeatureTable::default(), FeatureTable::default());
        texts.push("x", x.clone());
        sounds.push("y", y);
        let table = correlations(&texts, &sounds, &Groups::none(x.len()), &NO_DRAWS);
        // The table states no correlation of two items.
        let stated = |theirs: f64| if x.len() < 3 { f64::NAN } else { theirs };
        check_one(&format!("table, pearson, {name}"), or_nan(table[0].pearson), stated(r), within);
        check_one(&format!("table, spearman, {name}"), or_nan(table[0].spearman), stated(rho), ROUNDING);
        assert_eq!((table[0].n as usize, table[0].p, table[0].q), (x.len(), None, None));
    }
}

#[test]
fn ranks_and_quantiles_are_numpys() {
    let file = golden(FILE);
    let ranks = average_ranks(&numbers(&file["rankdata"]["x"]));
    check("rankdata", &ranks, &numbers(&file["rankdata"]["ranks"]), EXACT);
    let (x, shares) = (numbers(&file["quantiles"]["x"]), numbers(&file["quantiles"]["q"]));
    let found: Vec<f64> = shares.iter().map(|share| percentile(&x, *share).unwrap()).collect();
    check("quantile", &found, &numbers(&file["quantiles"]["values"]), ROUNDING);
}

#[test]
fn adjusted_p_are_scipys() {
    for case in list(&golden(FILE)["false_discovery_control"]) {
        let p: Vec<Option<f64>> = numbers(&case["p"]).into_iter().map(Some).collect();
        let q: Vec<f64> = benjamini_hochberg(&p).into_iter().flatten().collect();
        check("false_discovery_control", &q, &numbers(&case["q"]), OF_THE_VALUE);
    }
}

#[test]
fn tails_of_distributions_are_scipys() {
    let file = golden(FILE);
    // The project needs one degree of freedom only.
    for case in list(&file["chi2_sf"]).iter().filter(|case| number(&case[1]) == 1.0) {
        let x = number(&case[0]);
        check_one(&format!("chi2.sf({x})"), chi_squared_1_survival(x), number(&case[2]), OF_THE_VALUE);
    }
    // Half of it lies above the root on the normal distribution's side.
    for case in list(&file["normal_sf"]) {
        let z = number(&case[0]);
        let beyond = chi_squared_1_survival(z * z) / 2.0;
        let found = if z < 0.0 { 1.0 - beyond } else { beyond };
        check_one(&format!("norm.sf({z})"), found, number(&case[1]), OF_THE_VALUE);
    }
    for case in list(&file["genpareto_sf"]) {
        let (x, shape, scale) = (number(&case[0]), number(&case[1]), number(&case[2]));
        let found = GeneralizedPareto { shape, scale }.log_survival(x).exp();
        check_one(&format!("genpareto.sf({x}, {shape})"), found, number(&case[3]), OF_THE_VALUE);
    }
}

/// A group of two words against the rest, as often as the table says; what is found of the first word.
fn keyness(a: usize, b: usize, c: usize, d: usize) -> Keyness {
    let document = |key: usize, other: usize| "key ".repeat(key) + &"other ".repeat(other);
    let tokenizer = Tokenizer::new(&TokenSettings::default()).unwrap();
    let settings = CountSettings { statistics: false, ..CountSettings::default() };
    let shard = count_shard(&tokenizer, settings, [document(a, b), document(c, d)]).unwrap();
    let words = GroupCounts::of(&shard, |document| document == 0).keyness();
    words.into_iter().find(|word| word.term == "key").unwrap()
}

#[test]
fn keyness_is_that_of_scipys_contingency_tables() {
    for case in list(&golden(FILE)["contingency"]) {
        let cells @ [a, b, c, d] = ["a", "b", "c", "d"].map(|cell| count(&case[cell]));
        let found = keyness(a, b, c, d);
        assert_eq!((found.target_count, found.reference_count), (a as u64, c as u64));
        let n = (a + b + c + d) as f64;
        let sign = if a * d > b * c { 1.0 } else { -1.0 };
        // Yates' correction where an expected count is under 5 and there is that much to take away; SciPy takes away
        // what there is.
        let least = (a + b).min(c + d) as f64 * (a + c).min(b + d) as f64 / n;
        let corrected = least < 5.0 && (a * d).abs_diff(b * c) as f64 >= n / 2.0;
        let chi2 = number(&case[if corrected { "chi2_yates" } else { "chi2" }]);
        let what = |name: &str| format!("{name} of {cells:?}");
        check_one(&what("g2"), found.g2, sign * number(&case["g2"]), Within::Absolute(1e-11));
        check_one(&what("chi2"), found.chi2, sign * chi2, Within::Absolute(1e-11));
        check_one(&what("p"), found.p, number(&case["p_g2"]), Within::Relative(1e-11));
    }
}

fn matrix(value: &Value) -> Matrix {
    Matrix::from_rows(&rows(value))
}

fn space(name: &str, matrix: &Matrix, kind: SpaceKind) -> Space {
    Space { name: name.to_owned(), matrix: matrix.clone(), kind }
}

/// An estimate of `spaces` for two matrices taken as the kind says.
fn estimate(measure: &str, x: &Matrix, y: &Matrix, kind: SpaceKind) -> f64 {
    let groups = Groups::none(x.rows());
    let table = spaces(&[space("x", x, kind)], &[space("y", y, kind)], &groups, &NO_DRAWS);
    or_nan(table.into_iter().find(|row| row.measure == measure).unwrap().estimate)
}

/// Euclidean distances between the rows, each with those after it.
fn distances(matrix: &Matrix) -> Vec<f64> {
    let between = |i: usize, j: usize| -> f64 {
        let squares = matrix.row(i).iter().zip(matrix.row(j)).map(|(a, b)| (a - b) * (a - b));
        squares.sum::<f64>().sqrt()
    };
    let items = matrix.rows();
    (0..items).flat_map(|i| (i + 1..items).map(move |j| (i, j))).map(|(i, j)| between(i, j)).collect()
}

/// Each column less its mean, and over its standard deviation where `scaled`.
fn centred(matrix: &Matrix, scaled: bool) -> Matrix {
    let column = |j: usize| -> Vec<f64> {
        let values = matrix.column(j);
        let (mean, sd) = (mean(&values).unwrap(), population_sd(&values).unwrap());
        values.iter().map(|value| (value - mean) / if scaled { sd } else { 1.0 }).collect()
    };
    Matrix::from_rows(&(0..matrix.cols()).map(column).collect::<Vec<_>>()).transpose()
}

#[test]
fn alignment_of_spaces_is_numpys() {
    for case in list(&golden(FILE)["spaces"]) {
        let (x, y) = (matrix(&case["x"]), matrix(&case["y"]));
        // An embedding's columns are taken as they are, as the file has it. Single precision.
        let found = estimate("cka", &x, &y, SpaceKind::Embedding);
        let what = format!("cka, {}", text(&case["name"]));
        check_one(&what, found, number(&case["linear_cka"]), Within::Absolute(1e-6));
    }
}

/// The file's distances are those of the columns as they are; ours scale features first. So the file holds the rank
/// correlation of distances, and that holds ours, over columns that were scaled before.
#[test]
fn likeness_of_distances_is_scipys() {
    for case in list(&golden(FILE)["spaces"]) {
        let (x, y) = (matrix(&case["x"]), matrix(&case["y"]));
        let name = text(&case["name"]);
        let found = spearman(&distances(&x), &distances(&y)).unwrap();
        check_one(&format!("rsa by its definition, {name}"), found, number(&case["rsa"]), ROUNDING);
        let scaled = spearman(&distances(&centred(&x, true)), &distances(&centred(&y, true))).unwrap();
        check_one(
            &format!("rsa of features, {name}"),
            estimate("rsa", &x, &y, SpaceKind::Features),
            scaled,
            ROUNDING,
        );
    }
}

/// The measures on held-out items need more items than the file has: what they are made of is held here.
#[test]
fn ridge_and_canonical_correlation_by_the_factors() {
    for case in list(&golden(FILE)["spaces"]) {
        let name = text(&case["name"]);
        let (x, y) = (centred(&matrix(&case["x"]), false), centred(&matrix(&case["y"]), false));
        let (xx, yy, xy) = (x.transposed_product(&x), y.transposed_product(&y), x.transposed_product(&y));

        let mut ridged = xx.clone();
        for i in 0..ridged.rows() {
            ridged.set(i, i, ridged.at(i, i) + number(&case["ridge_lambda"]));
        }
        let map = Cholesky::new(&ridged).unwrap().solve(&xy);
        check(&format!("ridge, {name}"), map.values(), &numbers(&case["ridge"]), ROUNDING);

        // Singular values of Lx⁻¹ Cxy Ly⁻ᵀ.
        let left = Cholesky::new(&xx).unwrap().forward(&xy);
        let turned = Cholesky::new(&yy).unwrap().forward(&left.transpose());
        let squares = SymmetricEigen::new(&turned.product(&turned.transpose())).values;
        let found: Vec<f64> = squares.iter().map(|square| square.max(0.0).sqrt()).collect();
        check(&format!("cca, {name}"), &found, &numbers(&case["cca"]), ROUNDING);
    }
}
