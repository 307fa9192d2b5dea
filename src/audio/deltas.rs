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

/// Appends the deltas of a row-major matrix, frames by `columns`, as long as it; nothing where there are fewer than
/// 9 frames, of which librosa has no deltas either.
pub fn append(matrix: &[f32], columns: usize, weights: &[f64; WIDTH], deltas: &mut Vec<f32>) {
    let frames = matrix.len().checked_div(columns).unwrap_or(0);
    if frames < WIDTH {
        return;
    }
    for frame in 0..frames {
        let first = frame.saturating_sub(HALF).min(frames - WIDTH) * columns;
        for column in 0..columns {
            let values = matrix[first + column..].iter().step_by(columns);
            let sum: f64 = weights.iter().zip(values).map(|(w, x)| w * f64::from(*x)).sum();
            deltas.push(sum as f32);
        }
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
        append(&matrix, 2, &slope_weights(), &mut slopes);
        append(&matrix, 2, &curvature_weights(), &mut curvatures);
        for (t, (slope, curvature)) in slopes.chunks(2).zip(curvatures.chunks(2)).enumerate() {
            assert!((slope[0] - 3.0).abs() < 1e-5 && curvature[0].abs() < 1e-5);
            assert!((slope[1] - 2.0 * t.clamp(4, 15) as f32).abs() < 1e-4);
            assert!((curvature[1] - 2.0).abs() < 1e-4);
        }
    }

    #[test]
    fn few_frames_have_no_deltas() {
        let mut deltas = Vec::new();
        append(&[1.0; 16], 2, &slope_weights(), &mut deltas);
        append(&[], 0, &slope_weights(), &mut deltas);
        assert!(deltas.is_empty());
    }
}
