//! Clusters of points about their means.

use rayon::prelude::*;

use super::matrix::Matrix;
use super::random::Stream;

/// Points that one thread assigns at once.
const CHUNK: usize = 4096;

/// Means of clusters, and which of them each point is nearest to.
#[derive(Debug, Clone, PartialEq)]
pub struct Clusters {
    /// A centre a row.
    pub centres: Matrix,
    /// The centre of each point.
    pub of_point: Vec<u32>,
    /// The sum of squared distances of the points to their centres.
    pub inertia: f64,
}

/// Centres for `count` clusters of the rows of `points`, far from each other: the first point at random, each next one with a
/// probability in proportion to its squared distance to the nearest centre so far (k-means++, Arthur and Vassilvitskii
/// 2007). Fewer where there are fewer different points.
#[must_use]
pub fn plus_plus(points: &Matrix, count: usize, seed: u64) -> Matrix {
    let mut stream = Stream::new(seed, "k-means++", 0);
    let mut chosen = Vec::new();
    let mut distances = vec![f64::INFINITY; points.rows()];
    if count > 0 && points.rows() > 0 {
        chosen.push(stream.below(points.rows() as u32) as usize);
    }
    while let Some(&last) = chosen.last().filter(|_| chosen.len() < count) {
        let centre = points.row(last);
        distances.par_iter_mut().enumerate().for_each(|(i, distance)| {
            *distance = distance.min(squared_distance(points.row(i), centre));
        });
        let total: f64 = distances.iter().sum();
        if total <= 0.0 || !total.is_finite() {
            break;
        }
        let mut rest = stream.unit_f64() * total;
        let drawn = distances.iter().position(|distance| {
            rest -= distance;
            rest < 0.0
        });
        let furthest = || distances.iter().rposition(|&distance| distance > 0.0);
        chosen.extend(drawn.or_else(furthest));
    }
    points.select_rows(&chosen)
}

/// Moves each centre to the mean of the points nearest to it until no point changes its centre, or `turns` times (Lloyd
/// 1982). A centre that no point is nearest to stays where it is; of equally near centres the first counts.
///
/// # Panics
/// Where there are points but no centres, or of another width.
#[must_use]
pub fn lloyd(points: &Matrix, centres: Matrix, turns: usize) -> Clusters {
    let (mut of_point, mut inertia) = assign(points, &centres);
    let mut centres = centres;
    for _ in 0..turns {
        centres = means(points, &of_point, centres);
        let (next, sum) = assign(points, &centres);
        inertia = sum;
        if std::mem::replace(&mut of_point, next) == of_point {
            break;
        }
    }
    Clusters { centres, of_point, inertia }
}

/// The nearest centre of each point, and the sum of the squared distances to them.
#[must_use]
pub fn assign(points: &Matrix, centres: &Matrix) -> (Vec<u32>, f64) {
    let rows: Vec<usize> = (0..points.rows()).collect();
    let nearest: Vec<(u32, f64)> = rows
        .par_chunks(CHUNK)
        .flat_map_iter(|rows| rows.iter().map(|&i| nearest_centre(points.row(i), centres)))
        .collect();
    let inertia = nearest.iter().map(|(_, distance)| distance).sum();
    (nearest.into_iter().map(|(centre, _)| centre).collect(), inertia)
}

/// The nearest centre of a point, the first of several, and the squared distance to it.
#[must_use]
pub fn nearest_centre(point: &[f64], centres: &Matrix) -> (u32, f64) {
    let mut nearest = (0, f64::INFINITY);
    for centre in 0..centres.rows() {
        let distance = squared_distance(point, centres.row(centre));
        if distance < nearest.1 {
            nearest = (centre as u32, distance);
        }
    }
    nearest
}

fn means(points: &Matrix, of_point: &[u32], mut centres: Matrix) -> Matrix {
    let mut sums = Matrix::zeros(centres.rows(), centres.cols());
    let mut counts = vec![0_u64; centres.rows()];
    for (i, &centre) in of_point.iter().enumerate() {
        counts[centre as usize] += 1;
        sums.row_mut(centre as usize).iter_mut().zip(points.row(i)).for_each(|(sum, value)| *sum += value);
    }
    for (centre, &count) in counts.iter().enumerate().filter(|(_, count)| **count > 0) {
        let mean = sums.row(centre).iter().map(|sum| sum / count as f64);
        centres.row_mut(centre).iter_mut().zip(mean).for_each(|(place, mean)| *place = mean);
    }
    centres
}

fn squared_distance(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn blobs() -> Matrix {
        let mut stream = Stream::new(3, "blobs", 0);
        let rows: Vec<[f64; 2]> = (0..300)
            .map(|i| {
                let (x, y) = [(0.0, 0.0), (10.0, 0.0), (0.0, 10.0)][i % 3];
                [x + stream.unit_f64(), y + stream.unit_f64()]
            })
            .collect();
        Matrix::from_rows(&rows)
    }

    #[test]
    fn clouds_that_lie_apart_are_the_clusters() {
        let points = blobs();
        let found = lloyd(&points, plus_plus(&points, 3, 7), 100);
        for i in 3..300 {
            assert_eq!(found.of_point[i], found.of_point[i % 3], "{i}");
        }
        assert!(found.inertia < 300.0 / 6.0 * 1.3);
        assert_eq!(plus_plus(&points, 3, 7), plus_plus(&points, 3, 7));
    }

    #[test]
    fn each_turn_brings_points_nearer() {
        let points = blobs();
        let mut before = f64::INFINITY;
        for turns in 0..8 {
            let inertia = lloyd(&points, plus_plus(&points, 9, 1), turns).inertia;
            assert!(inertia <= before + 1e-9);
            before = inertia;
        }
    }

    #[test]
    fn few_points_have_few_clusters() {
        let same = Matrix::from_rows(&[[1.0, 2.0]; 5]);
        assert_eq!(plus_plus(&same, 3, 0).rows(), 1);
        assert_eq!(plus_plus(&Matrix::zeros(0, 2), 3, 0).rows(), 0);
        let found = lloyd(&same, plus_plus(&same, 3, 0), 10);
        assert_eq!((found.of_point, found.inertia), (vec![0; 5], 0.0));
    }
}
