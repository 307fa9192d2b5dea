//! Points of many dimensions laid into the plane so that near ones stay near.

use super::matrix::Matrix;

/// Steps of the descent; forces of attraction are exaggerated in the first ones.
const STEPS: usize = 750;
const EXAGGERATED_STEPS: usize = 250;
const EXAGGERATION: f64 = 12.0;
/// The weight of the step before, in the exaggerated steps and after.
const MOMENTUM: [f64; 2] = [0.5, 0.8];
/// The spread of the points at the beginning, so small that no distance matters yet.
const FIRST_SPREAD: f64 = 1e-4;

/// The rows of `points` in the plane by t-distributed stochastic neighbour embedding (van der Maaten and Hinton 2008), exact: the
/// probability of being neighbours by a normal distribution about each point whose width gives it `perplexity` neighbours, and in the
/// plane by Student's t with one degree of freedom; the descent on the Kullback-Leibler divergence with gains and momentum of
/// the authors' program, the rate n / 12 / 4 at least 50 (Belkina et al. 2019). It begins at `first`, scaled down (Kobak and Berens 2019), so that no
/// chance is in it. The perplexity is at most a third of the other points. Fewer than four points stay where they are.
///
/// # Panics
/// Where `first` has not a place for each row.
#[must_use]
pub fn neighbour_embedding(points: &Matrix, first: &[[f64; 2]], perplexity: f64) -> Vec<[f64; 2]> {
    assert_eq!(points.rows(), first.len(), "a place for each point");
    let n = points.rows();
    if n < 4 {
        return first.to_vec();
    }
    let near = joint_probabilities(points, perplexity.min((n - 1) as f64 / 3.0));
    let mut places = scaled_down(first);
    let mut moves = vec![[0.0; 2]; n];
    let mut gains = vec![[1.0_f64; 2]; n];
    let rate = (n as f64 / EXAGGERATION / 4.0).max(50.0);
    for step in 0..STEPS {
        let early = step < EXAGGERATED_STEPS;
        let exaggeration = if early { EXAGGERATION } else { 1.0 };
        let momentum = MOMENTUM[usize::from(!early)];
        let slopes = gradient(&near, &places, exaggeration);
        for (i, slope) in slopes.iter().enumerate() {
            for axis in 0..2 {
                let same = slope[axis] * moves[i][axis] >= 0.0;
                let gain = &mut gains[i][axis];
                *gain = if same { (*gain * 0.8).max(0.01) } else { *gain + 0.2 };
                moves[i][axis] = momentum * moves[i][axis] - rate * *gain * slope[axis];
                places[i][axis] += moves[i][axis];
            }
        }
    }
    places
}

fn scaled_down(first: &[[f64; 2]]) -> Vec<[f64; 2]> {
    let n = first.len() as f64;
    let spread = (first.iter().map(|place| place[0] * place[0]).sum::<f64>() / n).sqrt().max(1e-300);
    first.iter().map(|place| place.map(|value| value / spread * FIRST_SPREAD)).collect()
}

/// The symmetric probabilities of two points to be neighbours, row after row; their sum is 1.
fn joint_probabilities(points: &Matrix, perplexity: f64) -> Vec<f64> {
    let n = points.rows();
    let squared = |i: usize, j: usize| -> f64 {
        points.row(i).iter().zip(points.row(j)).map(|(a, b)| (a - b) * (a - b)).sum()
    };
    let mut near = vec![0.0; n * n];
    for i in 0..n {
        let distances: Vec<f64> = (0..n).map(|j| squared(i, j)).collect();
        let own = conditional(&distances, i, libm::log(perplexity));
        for (j, share) in own.into_iter().enumerate() {
            near[i * n + j] += share / (2.0 * n as f64);
            near[j * n + i] += share / (2.0 * n as f64);
        }
    }
    near
}

/// The shares of the others as neighbours of point `own`: the width by bisection, so that their entropy is `entropy`.
fn conditional(distances: &[f64], own: usize, entropy: f64) -> Vec<f64> {
    let others = || distances.iter().enumerate().filter(|(j, _)| *j != own).map(|(_, distance)| *distance);
    let least = others().fold(f64::INFINITY, f64::min);
    let (mut low, mut high) = (0.0, f64::INFINITY);
    let mut precision = 1.0;
    let mut shares = Vec::new();
    for _ in 0..64 {
        // Less the least distance, which changes no share and keeps the largest from vanishing.
        let weight = |(j, distance): (usize, &f64)| {
            if j == own { 0.0 } else { libm::exp(-precision * (distance - least)) }
        };
        shares = distances.iter().enumerate().map(weight).collect::<Vec<f64>>();
        let sum: f64 = shares.iter().sum();
        shares.iter_mut().for_each(|share| *share /= sum);
        let found: f64 =
            shares.iter().filter(|share| **share > 0.0).map(|share| -share * libm::log(*share)).sum();
        if found > entropy {
            low = precision;
            precision = if high.is_finite() { f64::midpoint(low, high) } else { precision * 2.0 };
        } else {
            high = precision;
            precision = f64::midpoint(low, high);
        }
    }
    shares
}

/// The gradient of the divergence (van der Maaten and Hinton 2008, eq. 5).
fn gradient(near: &[f64], places: &[[f64; 2]], exaggeration: f64) -> Vec<[f64; 2]> {
    let n = places.len();
    let mut weights = vec![0.0; n * n];
    let mut sum = 0.0;
    for i in 0..n {
        for j in i + 1..n {
            let (x, y) = (places[i][0] - places[j][0], places[i][1] - places[j][1]);
            let weight = 1.0 / (1.0 + x * x + y * y);
            weights[i * n + j] = weight;
            weights[j * n + i] = weight;
            sum += 2.0 * weight;
        }
    }
    let slope = |i: usize| {
        let mut slope = [0.0; 2];
        for j in 0..n {
            let weight = weights[i * n + j];
            let pull = 4.0 * (exaggeration * near[i * n + j] - weight / sum) * weight;
            slope[0] += pull * (places[i][0] - places[j][0]);
            slope[1] += pull * (places[i][1] - places[j][1]);
        }
        slope
    };
    (0..n).map(slope).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::random::Stream;

    /// Three clouds of 15 points in eight dimensions.
    fn clouds() -> Matrix {
        let mut stream = Stream::new(4, "clouds", 0);
        let rows: Vec<Vec<f64>> = (0..45)
            .map(|i| {
                let at = |j: usize| if j == i % 3 { 4.0 } else { 0.0 };
                (0..8).map(|j| at(j) + stream.unit_f64()).collect()
            })
            .collect();
        Matrix::from_rows(&rows)
    }

    fn first(points: &Matrix) -> Vec<[f64; 2]> {
        (0..points.rows()).map(|i| [points.at(i, 3) - 0.5, points.at(i, 4) - 0.5]).collect()
    }

    #[test]
    fn clouds_stay_together() {
        let points = clouds();
        let places = neighbour_embedding(&points, &first(&points), 10.0);
        let squared = |a: [f64; 2], b: [f64; 2]| (a[0] - b[0]).powi(2) + (a[1] - b[1]).powi(2);
        for (i, &place) in places.iter().enumerate() {
            let others = (0..45).filter(|&j| j != i);
            let nearest =
                others.min_by(|&a, &b| squared(place, places[a]).total_cmp(&squared(place, places[b])));
            assert_eq!(nearest.map(|j| j % 3), Some(i % 3));
        }
        assert_eq!(places, neighbour_embedding(&points, &first(&points), 10.0));
    }

    /// By the definition: half the sum of conditional shares, each of the entropy asked for.
    #[test]
    fn probabilities_have_the_perplexity() {
        let points = clouds();
        let near = joint_probabilities(&points, 10.0);
        assert!((near.iter().sum::<f64>() - 1.0).abs() < 1e-12);
        let distances: Vec<f64> = (0..20).map(|j| f64::from(j) * 0.3).collect();
        let shares = conditional(&distances, 0, 5.0_f64.ln());
        let entropy: f64 = shares.iter().filter(|s| **s > 0.0).map(|s| -s * s.ln()).sum();
        assert!((entropy.exp() - 5.0).abs() < 1e-6 && shares[0] == 0.0);
    }

    /// The gradient is that of the divergence: differences of small steps.
    #[test]
    fn the_gradient_is_the_slope() {
        let points = clouds();
        let near = joint_probabilities(&points, 10.0);
        let places = first(&points);
        let divergence = |places: &[[f64; 2]]| -> f64 {
            let weight = |i: usize, j: usize| {
                1.0 / (1.0 + (places[i][0] - places[j][0]).powi(2) + (places[i][1] - places[j][1]).powi(2))
            };
            let pairs = || (0..45).flat_map(|i| (0..45).filter(move |j| *j != i).map(move |j| (i, j)));
            let sum: f64 = pairs().map(|(i, j)| weight(i, j)).sum();
            pairs().map(|(i, j)| near[i * 45 + j] * (near[i * 45 + j] / (weight(i, j) / sum)).ln()).sum()
        };
        let slopes = gradient(&near, &places, 1.0);
        for (i, axis) in [(0, 0), (7, 1), (44, 0)] {
            let (mut more, mut less) = (places.clone(), places.clone());
            more[i][axis] += 1e-5;
            less[i][axis] -= 1e-5;
            let expected = (divergence(&more) - divergence(&less)) / 2e-5;
            assert!((slopes[i][axis] - expected).abs() < 1e-6, "{} {expected}", slopes[i][axis]);
        }
    }

    #[test]
    fn few_points_and_equal_points() {
        let three = Matrix::from_rows(&[[1.0], [2.0], [3.0]]);
        assert_eq!(neighbour_embedding(&three, &[[1.0, 0.0]; 3], 5.0), [[1.0, 0.0]; 3]);
        let equal = Matrix::from_rows(&[[1.0, 1.0]; 6]);
        let places = neighbour_embedding(&equal, &[[0.0, 0.0]; 6], 5.0);
        assert!(places.iter().flatten().all(|value| value.is_finite()));
    }
}
