//! Clusters of items within clusters, and an order in which like stands beside like.

use super::matrix::Matrix;

/// The items in an order in which clusters stand together: average linkage (UPGMA, Sokal and Michener 1958) joins the two nearest
/// clusters until there is one, each joint turned so that the nearest ends meet (Gruvaeus and Wainer 1972). `distances` is symmetric.
/// Equal distances are joined in the order of the items. The cost grows with the cube of the items.
///
/// # Panics
/// Where `distances` is not square.
#[must_use]
pub fn leaf_order(distances: &Matrix) -> Vec<usize> {
    assert_eq!(distances.rows(), distances.cols(), "distances between the same items");
    let mut clusters: Vec<Vec<usize>> = (0..distances.rows()).map(|item| vec![item]).collect();
    let between = |a: &[usize], b: &[usize]| -> f64 {
        let sum: f64 = a.iter().flat_map(|&i| b.iter().map(move |&j| distances.at(i, j))).sum();
        sum / (a.len() * b.len()) as f64
    };
    while clusters.len() > 1 {
        let mut best = (0, 1, f64::INFINITY);
        for a in 0..clusters.len() {
            for b in a + 1..clusters.len() {
                let distance = between(&clusters[a], &clusters[b]);
                if distance < best.2 {
                    best = (a, b, distance);
                }
            }
        }
        let second = clusters.remove(best.1);
        let first = std::mem::take(&mut clusters[best.0]);
        clusters[best.0] = joined(first, second, distances);
    }
    clusters.pop().unwrap_or_default()
}

/// Two ordered clusters as one, turned so that the ends that meet are the nearest.
fn joined(mut first: Vec<usize>, mut second: Vec<usize>, distances: &Matrix) -> Vec<usize> {
    let ends = |cluster: &[usize]| [cluster[0], cluster[cluster.len() - 1]];
    let ([first_begin, first_end], [second_begin, second_end]) = (ends(&first), ends(&second));
    let ways = [
        (false, false, distances.at(first_end, second_begin)),
        (false, true, distances.at(first_end, second_end)),
        (true, false, distances.at(first_begin, second_begin)),
        (true, true, distances.at(first_begin, second_end)),
    ];
    let nearest = ways.iter().fold(ways[0], |best, way| if way.2 < best.2 { *way } else { best });
    if nearest.0 {
        first.reverse();
    }
    if nearest.1 {
        second.reverse();
    }
    first.extend(second);
    first
}

/// Euclidean distances between the rows.
#[must_use]
pub fn distances_of_rows(matrix: &Matrix) -> Matrix {
    let mut distances = Matrix::zeros(matrix.rows(), matrix.rows());
    for i in 0..matrix.rows() {
        for j in 0..matrix.rows() {
            let squares = matrix.row(i).iter().zip(matrix.row(j)).map(|(a, b)| (a - b) * (a - b));
            distances.set(i, j, squares.sum::<f64>().sqrt());
        }
    }
    distances
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Items on a line, shuffled, come out in the order of the line.
    #[test]
    fn a_line_is_put_in_order() {
        let places = [7.0, 1.0, 9.5, 3.1, 0.0, 8.2, 2.2];
        let rows: Vec<[f64; 1]> = places.iter().map(|&place| [place]).collect();
        let order = leaf_order(&distances_of_rows(&Matrix::from_rows(&rows)));
        let along: Vec<f64> = order.iter().map(|&item| places[item]).collect();
        let rising = along.windows(2).all(|pair| pair[0] < pair[1]);
        let falling = along.windows(2).all(|pair| pair[0] > pair[1]);
        assert!(rising || falling, "{along:?}");
    }

    #[test]
    fn clusters_stand_together() {
        let rows = [[0.0, 5.0], [9.0, 0.0], [0.1, 5.1], [9.2, 0.1], [0.2, 4.9]];
        let order = leaf_order(&distances_of_rows(&Matrix::from_rows(&rows)));
        let far: Vec<bool> = order.iter().map(|&item| rows[item][0] > 5.0).collect();
        assert_eq!(far.windows(2).filter(|pair| pair[0] != pair[1]).count(), 1, "{order:?}");
        assert!(leaf_order(&Matrix::zeros(0, 0)).is_empty());
        assert_eq!(leaf_order(&Matrix::zeros(3, 3)).len(), 3);
    }
}
