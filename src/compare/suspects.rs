//! Pairs of a document and a recording that fit each other worst: those to listen to first.

use super::groups::Groups;
use super::held_out::HeldOut;
use super::spaces::Space;
use crate::math::statistics::{ascending, mean, percentile, population_sd};

/// Pairs are suspects from this score on.
pub const LEAST_SCORE: f64 = 2.0;
/// The median absolute deviation of a normal distribution, times this, is its standard deviation.
const NORMAL_MAD: f64 = 1.482_602_218_505_602;
/// Turns of the reweighted regression.
const TURNS: usize = 20;
/// From so many scales on a residual has no weight (Tukey's biweight at 95 % efficiency).
const REDESCENDING: f64 = 4.685;
/// Neighbours, by expected length, over which a scale is taken.
const NEIGHBOURS: usize = 101;
/// A recording with a smaller share of sound than this is taken as silent.
const SILENT_SHARE: f64 = 0.1;
/// With fewer pairs nothing stands out.
const FEWEST: usize = 20;
/// No measure of sound is taken as smaller.
const LEAST_AMOUNT: f64 = 0.01;

/// What is known of the size of both sides of each pair; NaN is unknown.
#[derive(Debug, Clone, Default)]
pub struct Sizes {
    /// Characters of the text.
    pub characters: Vec<f64>,
    /// Seconds of the recording.
    pub seconds: Vec<f64>,
    /// Share of the recording that is silence.
    pub silence_share: Vec<f64>,
    /// Syllable nuclei of the recording; empty where they were not looked for.
    pub nuclei: Vec<f64>,
    /// How well the letters fit the sound ([`LetterModels::fit`](super::spelling::LetterModels::fit)); empty where that was
    /// not looked at.
    pub spelling: Vec<f64>,
}

/// Why a pair is suspect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// Too many or too few words for the length of the speech.
    Rate,
    /// Words, and next to no sound.
    Silence,
    /// Speech, and no words.
    NoWords,
    /// The letters do not go with the sound.
    Spelling,
    /// The recording sounds unlike those of documents with similar words.
    Neighbours,
}

impl Reason {
    /// Its name in the table.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Rate => "rate",
            Self::Silence => "silence",
            Self::NoWords => "no_words",
            Self::Spelling => "spelling",
            Self::Neighbours => "neighbours",
        }
    }
}

/// A pair that fits badly.
#[derive(Debug, Clone, PartialEq)]
pub struct Suspect {
    /// Which pair.
    pub pair: usize,
    /// How badly, in robust standard deviations of what the pairs are like.
    pub score: f64,
    /// What is wrong with it.
    pub reason: Reason,
    /// For [`Reason::Rate`]: how many times as long as expected the speech is.
    pub times_expected: Option<f64>,
}

/// The suspects with a score of [`LEAST_SCORE`] or more, the worst first.
///
/// - `rate`: the logarithm of the seconds that are not silence is regressed on the logarithm of the characters, with an offset for each
///   group (a speaker's pace), by iterated biweights (Beaton and Tukey 1974). The residual is divided by a robust scale, the
///   geometric mean of that of all pairs and that of the 101 pairs of most similar expected length, since short utterances
///   vary more. Where syllable nuclei are known, the same is done for their number, and the score is the sum of both over
///   its own robust scale (median absolute deviation).
/// - `silence`: words, but under a tenth of the recording is sound; `no_words`: the reverse. Both score with the
///   residual of a character or a hundredth of a second.
/// - `spelling`: how much worse the letters fit the sound than those of the group's median pair, over the robust scale of all. Where it is
///   known it joins the rate: the score is the root of the sum of both squares, and the larger one is the reason.
/// - `neighbours`: a ridge regression learnt on other pairs sends the text to a point among the sounds; how many standard
///   deviations the own recording lies further from it, by cosine, than the mean recording does. Only where `spaces` are given: of text
///   and sound that are related beyond chance.
///
/// # Panics
/// Where the sizes are of different numbers of pairs.
#[must_use]
pub fn suspects(sizes: &Sizes, groups: &Groups, spaces: Option<(&Space, &Space)>, seed: u64) -> Vec<Suspect> {
    let mut found = rate_suspects(sizes, groups);
    if let Some((text, sound)) = spaces {
        for (pair, score) in strangers(text, sound, groups, seed) {
            match found.iter_mut().find(|suspect| suspect.pair == pair) {
                Some(suspect) if suspect.score >= score => {}
                Some(suspect) => {
                    *suspect = Suspect { pair, score, reason: Reason::Neighbours, times_expected: None };
                }
                None => {
                    found.push(Suspect { pair, score, reason: Reason::Neighbours, times_expected: None });
                }
            }
        }
    }
    found.retain(|suspect| suspect.score >= LEAST_SCORE);
    found.sort_by(|a, b| ascending(b.score, a.score).then(a.pair.cmp(&b.pair)));
    found
}

fn rate_suspects(sizes: &Sizes, groups: &Groups) -> Vec<Suspect> {
    let sound = |pair: usize| sizes.seconds[pair] * (1.0 - sizes.silence_share[pair]);
    let pairs: Vec<usize> = (0..sizes.seconds.len())
        .filter(|&pair| sizes.characters[pair].is_finite() && sound(pair).is_finite())
        .collect();
    if pairs.len() < FEWEST {
        return Vec::new();
    }
    let of = |amount: &dyn Fn(usize) -> f64, least: f64| -> Vec<f64> {
        pairs.iter().map(|&pair| libm::log(amount(pair).max(least))).collect()
    };
    let text = of(&|pair| sizes.characters[pair], 1.0);
    let members = groups.members(&pairs.iter().map(|&pair| pair as u32).collect::<Vec<_>>());
    let length = Fit::new(&text, &of(&sound, LEAST_AMOUNT), &members);
    let mut scores = length.scores();
    let counted = pairs.iter().all(|&pair| sizes.nuclei.get(pair).is_some_and(|count| count.is_finite()));
    if counted {
        let nuclei = Fit::new(&text, &of(&|pair| sizes.nuclei[pair] + 1.0, 1.0), &members);
        scores.iter_mut().zip(nuclei.scores()).for_each(|(score, other)| *score += other);
        let scale = robust_scale(&scores);
        scores.iter_mut().for_each(|score| *score /= scale);
    }
    let misspelt = misspellings(sizes, &pairs, &members);
    let suspect = |(place, &pair): (usize, &usize)| {
        let silent = sound(pair) < SILENT_SHARE * sizes.seconds[pair];
        let reason = match (sizes.characters[pair] > 0.0, silent) {
            (true, true) => Reason::Silence,
            (false, false) => Reason::NoWords,
            (false, true) => return None,
            (true, false) if misspelt[place] > scores[place].abs() => Reason::Spelling,
            (true, false) => Reason::Rate,
        };
        let times_expected = (reason == Reason::Rate).then(|| libm::exp(length.residuals[place]));
        let score = (scores[place] * scores[place] + misspelt[place] * misspelt[place]).sqrt();
        score.is_finite().then_some(Suspect { pair, score, reason, times_expected })
    };
    pairs.iter().enumerate().filter_map(suspect).collect()
}

/// How many robust standard deviations worse than their group's median the letters of each pair fit; 0 of those that fit better, or are
/// not known.
fn misspellings(sizes: &Sizes, pairs: &[usize], members: &[Vec<u32>]) -> Vec<f64> {
    let fits: Vec<f64> =
        pairs.iter().map(|&pair| sizes.spelling.get(pair).copied().unwrap_or(f64::NAN)).collect();
    let mut rest = vec![f64::NAN; fits.len()];
    for group in members {
        let known: Vec<f64> = group.iter().map(|&i| fits[i as usize]).filter(|fit| fit.is_finite()).collect();
        let median = percentile(&known, 0.5).unwrap_or(f64::NAN);
        group.iter().for_each(|&i| rest[i as usize] = median - fits[i as usize]);
    }
    let known: Vec<f64> = rest.iter().copied().filter(|rest| rest.is_finite()).collect();
    let scale = robust_scale(&known);
    let usable = known.len() >= FEWEST;
    rest.iter().map(|rest| if usable && rest.is_finite() { (rest / scale).max(0.0) } else { 0.0 }).collect()
}

/// A robust line with an offset for each group.
struct Fit {
    residuals: Vec<f64>,
    expected: Vec<f64>,
}

impl Fit {
    fn new(x: &[f64], y: &[f64], members: &[Vec<u32>]) -> Self {
        let mut weights = vec![1.0; x.len()];
        let mut offsets = vec![0.0; x.len()];
        let mut line = (0.0, 0.0);
        let mut residuals = y.to_vec();
        for _ in 0..TURNS {
            line = weighted_line(x, y, &offsets, &weights);
            let rest: Vec<f64> = x.iter().zip(y).map(|(x, y)| y - line.0 - line.1 * x).collect();
            for group in members {
                let of_group: Vec<f64> = group.iter().map(|&i| rest[i as usize]).collect();
                let offset = percentile(&of_group, 0.5).unwrap_or(0.0);
                group.iter().for_each(|&i| offsets[i as usize] = offset);
            }
            residuals = rest.iter().zip(&offsets).map(|(rest, offset)| rest - offset).collect();
            let reach = REDESCENDING * robust_scale(&residuals);
            weights = residuals
                .iter()
                .map(|rest| {
                    let share = rest / reach;
                    if share.abs() < 1.0 { (1.0 - share * share) * (1.0 - share * share) } else { 0.0 }
                })
                .collect();
        }
        let expected = x.iter().zip(&offsets).map(|(x, offset)| line.0 + line.1 * x + offset).collect();
        Self { residuals, expected }
    }

    /// The residuals over their scale about their expected value.
    fn scores(&self) -> Vec<f64> {
        let n = self.residuals.len();
        let overall = robust_scale(&self.residuals);
        let mut order: Vec<usize> = (0..n).collect();
        order.sort_by(|&a, &b| ascending(self.expected[a], self.expected[b]).then(a.cmp(&b)));
        let window = NEIGHBOURS.min(n);
        let mut scores = vec![0.0; n];
        for (place, &pair) in order.iter().enumerate() {
            let begin = place.saturating_sub(window / 2).min(n - window);
            let near: Vec<f64> =
                order[begin..begin + window].iter().map(|&other| self.residuals[other]).collect();
            let local = NORMAL_MAD
                * percentile(&near.iter().map(|rest| rest.abs()).collect::<Vec<_>>(), 0.5).unwrap_or(0.0);
            let scale = (local * overall).sqrt().max(f64::MIN_POSITIVE);
            scores[pair] = self.residuals[pair] / scale;
        }
        scores
    }
}

/// Intercept and slope by weighted least squares; a flat line where x has no spread.
fn weighted_line(x: &[f64], y: &[f64], offsets: &[f64], weights: &[f64]) -> (f64, f64) {
    let total: f64 = weights.iter().sum();
    if total <= 0.0 {
        return (0.0, 0.0);
    }
    let rows = || x.iter().zip(y).zip(offsets).zip(weights).map(|(((x, y), o), w)| (*x, y - o, *w));
    let (sum_x, sum_y) = rows().fold((0.0, 0.0), |(a, b), (x, y, w)| (a + w * x, b + w * y));
    let (mean_x, mean_y) = (sum_x / total, sum_y / total);
    let (xx, xy) = rows().fold((0.0, 0.0), |(xx, xy), (x, y, w)| {
        (xx + w * (x - mean_x) * (x - mean_x), xy + w * (x - mean_x) * (y - mean_y))
    });
    let slope = if xx > 0.0 { xy / xx } else { 0.0 };
    (mean_y - slope * mean_x, slope)
}

/// The median absolute deviation from zero, scaled to the standard deviation of a normal distribution.
fn robust_scale(values: &[f64]) -> f64 {
    let magnitudes: Vec<f64> = values.iter().map(|value| value.abs()).collect();
    (NORMAL_MAD * percentile(&magnitudes, 0.5).unwrap_or(0.0)).max(f64::MIN_POSITIVE)
}

/// How far each pair's recording lies beyond the mean from where its text is sent.
fn strangers(text: &Space, sound: &Space, groups: &Groups, seed: u64) -> Vec<(usize, f64)> {
    let items: Vec<u32> = (0..text.matrix.rows() as u32)
        .filter(|&item| text.has(item as usize) && sound.has(item as usize))
        .collect();
    let members = groups.members(&items);
    let held_out = HeldOut::new(&text.select(&items), &sound.select(&items), &members, seed);
    let Some(likenesses) = held_out.and_then(|held_out| held_out.likenesses()) else { return Vec::new() };
    likenesses
        .into_iter()
        .filter_map(|(place, own, all)| {
            let sd = population_sd(&all)?;
            (sd > 0.0).then_some((items[place] as usize, (mean(&all)? - own) / sd))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compare::spaces::SpaceKind;
    use crate::math::matrix::Matrix;
    use crate::math::random::Stream;

    /// A corpus of eight speakers with paces of their own, and 20 transcripts exchanged.
    fn corpus() -> (Sizes, Vec<Option<String>>, Vec<usize>) {
        let mut stream = Stream::new(21, "corpus", 0);
        let mut noise = || (0..12).map(|_| stream.unit_f64()).sum::<f64>() - 6.0;
        let speakers: Vec<Option<String>> = (0..590).map(|i| Some((i % 8).to_string())).collect();
        let mut characters: Vec<f64> = (0..590).map(|i| f64::from(40 + i * 37 % 211)).collect();
        let seconds: Vec<f64> = characters
            .iter()
            .enumerate()
            .map(|(i, c)| 0.07 * c * (1.0 + 0.05 * (i % 8) as f64) * libm::exp(0.08 * noise()))
            .collect();
        let mut exchanged = Vec::new();
        for i in 0..590 {
            let other = (i + 295) % 590;
            let ratio = seconds[i] / seconds[other];
            let free = !exchanged.contains(&i) && !exchanged.contains(&other);
            if exchanged.len() < 20 && free && !(1.0 / 1.4..1.4).contains(&ratio) {
                characters.swap(i, other);
                exchanged.extend([i, other]);
            }
        }
        let nuclei = seconds.iter().map(|s| (4.0 * s * libm::exp(0.08 * noise())).round()).collect();
        (
            Sizes { characters, seconds, silence_share: vec![0.1; 590], nuclei, spelling: Vec::new() },
            speakers,
            exchanged,
        )
    }

    #[test]
    fn exchanged_transcripts_are_the_first_suspects() {
        let (sizes, speakers, exchanged) = corpus();
        assert_eq!(exchanged.len(), 20);
        let found = suspects(&sizes, &Groups::from_labels(&speakers), None, 0);
        let first = &found[..30.min(found.len())];
        let hits = first.iter().filter(|suspect| exchanged.contains(&suspect.pair)).count();
        assert!(hits >= 18, "{hits} of 20");
        assert!(first.iter().all(|suspect| suspect.reason == Reason::Rate));
        assert!(found.is_sorted_by(|a, b| a.score >= b.score));
        let rare = Sizes { nuclei: Vec::new(), ..sizes };
        let found = suspects(&rare, &Groups::from_labels(&speakers), None, 0);
        let hits = found[..30].iter().filter(|suspect| exchanged.contains(&suspect.pair)).count();
        assert!(hits >= 17, "{hits} of 20 without nuclei");
    }

    #[test]
    fn letters_that_do_not_fit_are_a_reason_of_their_own() {
        let (mut sizes, speakers, _) = corpus();
        let mut stream = Stream::new(23, "fits", 0);
        sizes.spelling = (0..590).map(|_| -10.0 - stream.unit_f64()).collect();
        sizes.spelling[77] = -19.0;
        sizes.spelling[78] = f64::NAN;
        let found = suspects(&sizes, &Groups::from_labels(&speakers), None, 0);
        let first = &found[0];
        assert_eq!((first.pair, first.reason.name(), first.times_expected), (77, "spelling", None));
    }

    #[test]
    fn silence_and_missing_words_are_told_apart() {
        let (mut sizes, _, _) = corpus();
        sizes.silence_share[3] = 0.99;
        sizes.characters[5] = 0.0;
        sizes.silence_share[7] = 1.0;
        sizes.characters[7] = 0.0;
        sizes.seconds[9] = f64::NAN;
        sizes.nuclei = Vec::new();
        let found = suspects(&sizes, &Groups::none(590), None, 0);
        let reason = |pair: usize| found.iter().find(|s| s.pair == pair).map(|s| s.reason.name());
        assert_eq!([3, 5, 7, 9].map(reason), [Some("silence"), Some("no_words"), None, None]);
        assert!(found[..2].iter().all(|suspect| suspect.pair == 3 || suspect.pair == 5));
        assert!(suspects(&Sizes::default(), &Groups::none(0), None, 0).is_empty());
    }

    #[test]
    fn a_recording_that_sounds_like_another_text_is_a_stranger() {
        let mut stream = Stream::new(22, "strangers", 0);
        let mut draw = |columns: usize| -> Vec<Vec<f64>> {
            (0..200).map(|_| (0..columns).map(|_| stream.unit_f64() - 0.5).collect()).collect()
        };
        let text = draw(4);
        let mut sound: Vec<Vec<f64>> = text
            .iter()
            .zip(draw(4))
            .map(|(row, noise)| row.iter().zip(noise).map(|(value, noise)| value + 0.2 * noise).collect())
            .collect();
        sound.swap(10, 90);
        let space =
            |rows: &[Vec<f64>], kind| Space { name: "s".into(), matrix: Matrix::from_rows(rows), kind };
        let (text, sound) = (space(&text, SpaceKind::Embedding), space(&sound, SpaceKind::Features));
        let found = strangers(&text, &sound, &Groups::none(200), 1);
        let mut order: Vec<&(usize, f64)> = found.iter().collect();
        order.sort_by(|a, b| b.1.total_cmp(&a.1));
        let first: Vec<usize> = order[..2].iter().map(|found| found.0).collect();
        assert!(first.contains(&10) && first.contains(&90), "{first:?} of {}", found.len());
    }
}
