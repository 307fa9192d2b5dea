//! Deltas of cepstral coefficients: their change over time, and the change of that.
//!
//! `librosa.feature.delta` 0.11 with its defaults (`width=9, mode="interp"`): the derivative of the line (for the second
//! order, of the parabola) of least squares through 9 frames, per frame; at the ends that through the first or last 9.

/// Frames that a delta looks at.
pub const WIDTH: usize = 9;
const HALF: usize = WIDTH / 2;

/// Weights of 9 frames for the slope of the line of least squares.
#[must_use]
pub fn slope_weights() -> [f64; WIDTH] {
    // Σ k² from -4 to 4 is 60.
    std::array::from_fn(|i| (i as f64 - HALF as f64) / 60.0)
}

/// Weights of 9 frames for the second derivative of the parabola of least squares.
#[must_use]
pub fn curvature_weights() -> [f64; WIDTH] {
    // k² less its mean 60/9, over half of Σ (k² - 60/9) k² = 308.
    std::array::from_fn(|i| {
        let k = i as f64 - HALF as f64;
        (k * k - 60.0 / 9.0) / 154.0
    })
}

/// Frames whose deltas are computed at once.
const PIECE: usize = 4096;

/// Hands the deltas of a row-major matrix, frames by `columns`, to `each` in pieces of whole rows; nothing where there are fewer
/// than 9 frames, of which librosa has no deltas either.
pub fn pieces(matrix: &[f32], columns: usize, weights: &[f64; WIDTH], mut each: impl FnMut(&[f32])) {
    let frames = matrix.len().checked_div(columns).unwrap_or(0);
    if frames < WIDTH {
        return;
    }
    let mut deltas = Vec::with_capacity(PIECE.min(frames) * columns);
    for piece in (0..frames).step_by(PIECE) {
        deltas.clear();
        for frame in piece..frames.min(piece + PIECE) {
            let first = frame.saturating_sub(HALF).min(frames - WIDTH) * columns;
            for column in 0..columns {
                let values = matrix[first + column..].iter().step_by(columns);
                let sum: f64 = weights.iter().zip(values).map(|(w, x)| w * f64::from(*x)).sum();
                deltas.push(sum as f32);
            }
        }
        each(&deltas);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parabola_has_its_derivatives() {
        // Two columns: 3t and t².
        let matrix: Vec<f32> = (0..20).flat_map(|t| [3.0 * t as f32, (t * t) as f32]).collect();
        let (mut slopes, mut curvatures) = (Vec::new(), Vec::new());
        pieces(&matrix, 2, &slope_weights(), |piece| slopes.extend_from_slice(piece));
        pieces(&matrix, 2, &curvature_weights(), |piece| curvatures.extend_from_slice(piece));
        for (t, (slope, curvature)) in slopes.chunks(2).zip(curvatures.chunks(2)).enumerate() {
            assert!((slope[0] - 3.0).abs() < 1e-5 && curvature[0].abs() < 1e-5);
            assert!((slope[1] - 2.0 * t.clamp(4, 15) as f32).abs() < 1e-4);
            assert!((curvature[1] - 2.0).abs() < 1e-4);
        }
    }

    #[test]
    fn few_frames_have_no_deltas() {
        pieces(&[1.0; 16], 2, &slope_weights(), |_| panic!("deltas of 8 frames"));
        pieces(&[], 0, &slope_weights(), |_| panic!("deltas of no frames"));
    }

    #[test]
    fn pieces_make_up_the_whole() {
        let line: Vec<f32> = (0..2 * PIECE + 10).map(|t| t as f32).collect();
        let mut frames = 0;
        pieces(&line, 1, &slope_weights(), |piece| {
            assert!(piece.iter().all(|slope| (slope - 1.0).abs() < 1e-3));
            frames += piece.len();
        });
        assert_eq!(frames, line.len());
    }
}
