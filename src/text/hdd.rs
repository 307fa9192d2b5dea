//! HD-D, the diversity of words that random draws from a text would find.

/// Tokens of a draw.
const DRAWS: u64 = 42;

/// HD-D (`McCarthy` and Jarvis 2007, "vocd: A theoretical and empirical evaluation"; 2010): the type-token ratio to be expected of
/// 42 tokens drawn at random from a text of `tokens`, without putting back. A type that stands f times is missed by a draw with the
/// hypergeometric probability `C(N − f, 42)/C(N, 42)`; HD-D is the sum over types of `(1 − that)/42`, from 0 to 1.
///
/// `frequencies` are the occurrences of each type, and are sorted. `None` for fewer than 42 tokens.
#[must_use]
pub(super) fn hdd(frequencies: &mut [u32], tokens: u64) -> Option<f64> {
    if tokens < DRAWS {
        return None;
    }
    frequencies.sort_unstable();
    let types = frequencies.chunk_by(|a, b| a == b).map(|alike| {
        let drawn = 1.0 - missed(u64::from(alike[0]), tokens);
        alike.len() as f64 * drawn
    });
    Some(types.sum::<f64>() / DRAWS as f64)
}

/// The probability that a draw has none of the `frequency` tokens of a type.
fn missed(frequency: u64, tokens: u64) -> f64 {
    let others = tokens.saturating_sub(frequency);
    if others < DRAWS {
        return 0.0;
    }
    (0..DRAWS).map(|draw| (others - draw) as f64 / (tokens - draw) as f64).product()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn close(found: Option<f64>, expected: f64) {
        assert!((found.unwrap() - expected).abs() < 1e-12, "{found:?} {expected}");
    }

    /// scipy 1.17.1: `sum(1 - hypergeom.pmf(0, sum(f), f_i, 42) for f_i in f) / 42`.
    #[test]
    fn values_of_scipy() {
        close(hdd(&mut [10, 7, 5, 5, 3, 3, 2, 2, 1, 1, 1, 1, 1], 42), 13.0 / 42.0);
        close(hdd(&mut [40, 20, 10, 10, 5, 5, 3, 3, 2, 2], 100), SCIPY[0]);
        close(hdd(&mut [1; 60], 60), 1.0);
        let mut long: Vec<u32> = (1..=200).map(|rank| 1000 / rank).collect();
        let tokens = long.iter().map(|f| u64::from(*f)).sum();
        close(hdd(&mut long, tokens), SCIPY[1]);
    }

    const SCIPY: [f64; 2] = [0.210_064_783_435_969_15, 0.627_393_955_252_236_6];

    #[test]
    fn a_text_shorter_than_a_draw_has_none() {
        assert_eq!(hdd(&mut [41], 41), None);
        close(hdd(&mut [42], 42), 1.0 / 42.0);
    }

    proptest! {
        #[test]
        fn it_is_a_ratio_and_never_above_the_types(mut frequencies in proptest::collection::vec(1_u32..30, 1..60)) {
            let tokens: u64 = frequencies.iter().map(|f| u64::from(*f)).sum();
            if let Some(found) = hdd(&mut frequencies, tokens) {
                let types = frequencies.len() as f64;
                prop_assert!(found > 0.0 && found <= 1.0 + 1e-12 && found * 42.0 <= types + 1e-9);
                prop_assert!(found + 1e-12 >= types / tokens as f64, "a sample is richer than the whole");
            }
        }
    }
}
