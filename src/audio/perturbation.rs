//! Perturbation: how much the periods of a voice differ from each other in length (jitter) and in level (shimmer).
//!
//! Praat's measures with its standard values, over the pulses that [`super::pulses`] finds: periods of 0.1 to 20 ms, no
//! more than 1.3 times as long as the next; levels no more than 1.6 times the next.

const SHORTEST: f64 = 1e-4;
const LONGEST: f64 = 0.02;
const PERIOD_FACTOR: f64 = 1.3;
const LEVEL_FACTOR: f64 = 1.6;
/// The part of a period, on either side of its pulse, whose level counts.
const REACH: f64 = 0.2;

/// Jitter and shimmer, each as a share of the mean; `None` where a clip has not as many periods in a row.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Perturbation {
    /// Mean difference of the lengths of two periods.
    pub jitter_local: Option<f64>,
    /// Mean distance of a period from the mean of it and its neighbours.
    pub jitter_rap: Option<f64>,
    /// The same over five periods.
    pub jitter_ppq5: Option<f64>,
    /// Mean difference of the levels of two periods.
    pub shimmer_local: Option<f64>,
    /// The same in dB.
    pub shimmer_local_db: Option<f64>,
    /// Mean distance of a level from the mean of it and its neighbours.
    pub shimmer_apq3: Option<f64>,
    /// The same over five levels.
    pub shimmer_apq5: Option<f64>,
}

/// What [`measure`] writes.
#[derive(Default)]
pub struct PerturbationScratch {
    periods: Vec<f64>,
    /// The pulses that have a level, and the levels.
    seconds: Vec<f64>,
    levels: Vec<f64>,
}

/// Measures a clip of `rate` samples a second with these pulses, in order.
#[must_use]
pub fn measure(
    samples: &[f32],
    rate: f64,
    pulses: &[f64],
    scratch: &mut PerturbationScratch,
) -> Perturbation {
    let PerturbationScratch { periods, seconds, levels } = scratch;
    periods.clear();
    periods.extend(pulses.windows(2).map(|pair| pair[1] - pair[0]));
    seconds.clear();
    levels.clear();
    for (pulse, around) in pulses.iter().skip(1).zip(periods.windows(2)) {
        if let Some(level) = level(samples, rate, *pulse, around).filter(|_| in_a_row(around)) {
            seconds.push(*pulse);
            levels.push(level);
        }
    }
    let mean_period = mean_period(periods);
    let jitter = |len| Some(period_distance(periods, len)? / mean_period?);
    let shimmer = |len| level_distance(seconds, levels, len);
    Perturbation {
        jitter_local: jitter(2),
        jitter_rap: jitter(3),
        jitter_ppq5: jitter(5),
        shimmer_local: shimmer(2),
        shimmer_local_db: level_ratio_db(seconds, levels),
        shimmer_apq3: shimmer(3),
        shimmer_apq5: shimmer(5),
    }
}

/// Whether one is no more than `factor` times the other.
fn close(a: f64, b: f64, factor: f64) -> bool {
    a <= factor * b && b <= factor * a
}

fn is_period(seconds: f64) -> bool {
    (SHORTEST..=LONGEST).contains(&seconds)
}

/// Whether these are periods, each close to the next.
fn in_a_row(periods: &[f64]) -> bool {
    periods.iter().all(|period| is_period(*period))
        && periods.windows(2).all(|pair| close(pair[0], pair[1], PERIOD_FACTOR))
}

/// The mean of the periods that are close to one neighbour at least.
fn mean_period(periods: &[f64]) -> Option<f64> {
    let far = |a: Option<&f64>, b: f64| a.map(|a| !close(*a, b, PERIOD_FACTOR));
    let counted = periods.iter().enumerate().filter(|(i, period)| {
        let before = far(i.checked_sub(1).and_then(|before| periods.get(before)), **period);
        let after = far(periods.get(i + 1), **period);
        is_period(**period) && !(before == Some(true) && after == Some(true))
    });
    let (sum, count) = counted.fold((0.0, 0), |(sum, count), (_, period)| (sum + period, count + 1));
    (count > 0).then(|| sum / f64::from(count))
}

/// Of values in a row: how far the middle one lies from their mean, or of two, how far they are apart.
fn distance(values: &[f64]) -> f64 {
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    (values[values.len() / 2] - mean).abs() * if values.len() == 2 { 2.0 } else { 1.0 }
}

/// The mean distance over all `len` periods in a row.
fn period_distance(periods: &[f64], len: usize) -> Option<f64> {
    mean(periods.windows(len).filter(|row| in_a_row(row)).map(distance))
}

/// The mean distance over all `len` levels in a row, by the mean level of all but the last.
fn level_distance(seconds: &[f64], levels: &[f64], len: usize) -> Option<f64> {
    let found = mean(levels_in_a_row(seconds, levels, len).map(distance))?;
    Some(found / mean(levels.iter().take(levels.len() - 1).copied())?)
}

/// The mean ratio of a level to the next, in dB, whichever is higher.
fn level_ratio_db(seconds: &[f64], levels: &[f64]) -> Option<f64> {
    let ratio_db = |pair: &[f64]| (20.0 * libm::log10(pair[1] / pair[0])).abs();
    mean(levels_in_a_row(seconds, levels, 2).map(ratio_db))
}

/// All `len` levels in a row of which each is a period after the one before, and close to it.
fn levels_in_a_row<'a>(seconds: &'a [f64], levels: &'a [f64], len: usize) -> impl Iterator<Item = &'a [f64]> {
    let rows = seconds.windows(len).zip(levels.windows(len));
    rows.filter(|(seconds, levels)| {
        seconds.windows(2).all(|pair| is_period(pair[1] - pair[0]))
            && levels.windows(2).all(|pair| close(pair[0], pair[1], LEVEL_FACTOR))
    })
    .map(|(_, levels)| levels)
}

fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let (sum, count) = values.fold((0.0, 0), |(sum, count), value| (sum + value, count + 1));
    (count > 0).then(|| sum / f64::from(count))
}

/// Root of the mean square about a pulse, under a raised cosine over a fifth of the period before and after; `None` of
/// fewer than three samples, and of silence.
fn level(samples: &[f32], rate: f64, pulse: f64, around: &[f64]) -> Option<f64> {
    let (before, after) = (REACH * around[0], REACH * around[1]);
    let first = ((pulse - before) * rate - 0.5).ceil().max(0.0) as usize;
    let last = ((pulse + after) * rate - 0.5).floor();
    let inside = samples.get(first..=(last.max(0.0) as usize).min(samples.len().checked_sub(1)?))?;
    let (mut sum, mut whole) = (0.0, 0.0);
    for (i, x) in inside.iter().enumerate() {
        let distance = ((first + i) as f64 + 0.5) / rate - pulse;
        let phase = distance / if distance < 0.0 { before } else { after };
        let weight = 0.5 + 0.5 * libm::cos(std::f64::consts::PI * phase);
        sum += (f64::from(*x) * weight) * (f64::from(*x) * weight);
        whole += weight * weight;
    }
    (inside.len() >= 3 && sum > 0.0).then(|| (sum / whole).sqrt())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(pulses: &[f64], samples: &[f32]) -> Perturbation {
        measure(samples, 16_000.0, pulses, &mut PerturbationScratch::default())
    }

    #[test]
    fn periods_that_alternate_have_their_difference() {
        // 9.9 and 10.1 ms in turn: 2 % of the mean apart; the middle of three lies a third of that difference off.
        let mut at = 0.01;
        let pulses: Vec<f64> = (0..40)
            .map(|i| {
                at += if i % 2 == 0 { 0.0099 } else { 0.0101 };
                at
            })
            .collect();
        let found = of(&pulses, &vec![0.25; 8000]);
        let near =
            |found: Option<f64>, expected: f64| assert!((found.unwrap() / expected - 1.0).abs() < 1e-2);
        near(found.jitter_local, 0.02);
        near(found.jitter_rap, 0.02 * 2.0 / 3.0);
        near(found.jitter_ppq5, 0.02 * 0.6 * 2.0 / 3.0);
        assert!(found.shimmer_local.unwrap() < 1e-9 && found.shimmer_apq5.unwrap() < 1e-9);
    }

    #[test]
    fn levels_that_alternate_have_their_difference() {
        let pulses: Vec<f64> = (1..40).map(|i| f64::from(i) * 0.01).collect();
        let level = |i: usize| if ((i + 80) / 160).is_multiple_of(2) { 0.2 } else { 0.3 };
        let samples: Vec<f32> = (0..8000).map(level).collect();
        let found = of(&pulses, &samples);
        assert!((found.shimmer_local.unwrap() - 0.4).abs() < 0.01, "{found:?}");
        assert!((found.shimmer_apq3.unwrap() - 0.4 * 2.0 / 3.0).abs() < 0.01);
        assert!((found.shimmer_local_db.unwrap() - 20.0 * 1.5_f64.log10()).abs() < 0.1);
        assert!(found.jitter_local.unwrap() < 1e-9);
    }

    #[test]
    fn what_is_not_there_is_none() {
        assert_eq!(of(&[], &[]), Perturbation::default());
        assert_eq!(of(&[0.1, 0.2, 0.3, 0.4], &vec![0.1; 8000]), Perturbation::default());
        let silent = of(&[0.01, 0.02, 0.03, 0.04], &vec![0.0; 8000]);
        assert!(silent.jitter_local.is_some() && silent.shimmer_local.is_none());
    }
}
