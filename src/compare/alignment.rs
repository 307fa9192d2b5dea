//! When each word of a transcript was said: words laid along the level of a recording by dynamic programming.

/// The level of a recording at equal steps.
#[derive(Debug, Clone, Copy)]
pub struct Contour<'a> {
    /// dB, a frame each.
    pub level_db: &'a [f64],
    /// When the first frame is.
    pub first_seconds: f64,
    /// From one frame to the next.
    pub step_seconds: f64,
}

/// The level that is taken as loud: this share of the frames lies below.
const LOUD_SHARE: f64 = 0.95;
/// So far under it a recording has not begun, or has ended.
const RANGE_DB: f64 = 40.0;
/// So far under it a pause is.
const PAUSE_DB: f64 = 35.0;
const SHORTEST_PAUSE_SECONDS: f64 = 0.2;
/// Levels further under the loud one count as this.
const FLOOR_DB: f64 = 45.0;
/// A dip is measured from the loudest frame so near.
const DIP_SECONDS: f64 = 0.12;
/// What a boundary in a dip of 10 dB is worth.
const DIP_GAIN: f64 = 0.5;
/// What a boundary at a pause is worth.
const PAUSE_GAIN: f64 = 4.0;
/// Standard deviation of the logarithm of a word's length about what is expected of it.
const LENGTH_SD: f64 = 0.3;
/// Lengths of a word that are looked at, times the expected one.
const LEAST_LENGTH: f64 = 0.25;
const MOST_LENGTH: f64 = 3.5;
/// Last words of an utterance are so much longer (Wightman, Shattuck-Hufnagel, Ostendorf and Price 1992).
const FINAL_LENGTHENING: f64 = 1.15;
/// How far a boundary may lie from where equal pace would put it: this share of the recording, between these bounds.
const REACH_SHARE: f64 = 0.15;
const LEAST_REACH_SECONDS: f64 = 3.0;
const MOST_REACH_SECONDS: f64 = 20.0;

/// What a word of so many letters and syllables is expected to last, in no unit: fitted to synthetic speech, where the
/// lengths are known (`tests/alignment`).
#[must_use]
pub fn expected_length(letters: usize, syllables: Option<u32>) -> f64 {
    // Without an estimate every second letter is a vowel.
    let syllables = syllables.map_or(letters as f64 / 2.0, f64::from);
    (letters as f64 + 1.5 * syllables).max(1.0)
}

/// Begin and end of each word in seconds. `expected` are lengths in any unit ([`expected_length`]). `None` where the recording is
/// silent or has fewer than three frames a word.
///
/// The stretch from the first to the last frame within 40 dB of the loud level (the 95th percentile), less pauses (0.2 s
/// and more, 35 dB under it), is cut into words so that the sum over them is least of `(ln(length / expected) / 0.3)²`, less
/// half the depth of the dip at each boundary in 10 dB, less 4 at a pause. Expected lengths sum to the stretch. A boundary
/// lies within 15 % of the recording, 3 to 20 seconds, of where equal pace would put it.
#[must_use]
pub fn align(contour: Contour<'_>, expected: &[f64]) -> Option<Vec<(f64, f64)>> {
    let speech = Speech::new(contour)?;
    let total: f64 = expected.iter().enumerate().map(|(i, length)| length * lengthening(i, expected)).sum();
    if expected.is_empty() || speech.frames.len() < 3 * expected.len() || total <= 0.0 || !total.is_finite() {
        return None;
    }
    let scale = speech.frames.len() as f64 / total;
    let lengths: Vec<f64> =
        expected.iter().enumerate().map(|(i, length)| length * lengthening(i, expected) * scale).collect();
    let ends = speech.cut(&lengths, contour.step_seconds)?;
    let seconds = |frame: f64| contour.first_seconds + (frame - 0.5) * contour.step_seconds;
    let mut begin = 0;
    let times = ends
        .into_iter()
        .map(|end| {
            let first = speech.frames[begin];
            let last = speech.frames[end - 1];
            begin = end;
            (seconds(first as f64).max(0.0), seconds(last as f64 + 1.0))
        })
        .collect();
    Some(times)
}

fn lengthening(word: usize, words: &[f64]) -> f64 {
    if word + 1 == words.len() { FINAL_LENGTHENING } else { 1.0 }
}

/// The frames of a recording that are speech, pauses taken out.
struct Speech {
    /// Numbers of the frames.
    frames: Vec<usize>,
    /// What it costs that a word ends before a frame: below zero in a dip or at a pause.
    costs: Vec<f64>,
}

impl Speech {
    fn new(contour: Contour<'_>) -> Option<Self> {
        let levels = contour.level_db;
        let loud = crate::math::statistics::percentile(levels, LOUD_SHARE)?;
        let begin = levels.iter().position(|level| *level > loud - RANGE_DB)?;
        let end = levels.iter().rposition(|level| *level > loud - RANGE_DB)? + 1;
        let smooth: Vec<f64> = (begin..end)
            .map(|frame| {
                let near = &levels[frame.saturating_sub(1)..(frame + 2).min(levels.len())];
                (near.iter().sum::<f64>() / near.len() as f64).max(loud - FLOOR_DB)
            })
            .collect();
        let reach = (DIP_SECONDS / contour.step_seconds).round().max(1.0) as usize;
        let pause = (SHORTEST_PAUSE_SECONDS / contour.step_seconds).ceil() as usize;
        let (mut frames, mut costs) = (Vec::new(), Vec::new());
        let mut at = 0;
        while at < smooth.len() {
            let quiet = smooth[at..].iter().take_while(|level| **level < loud - PAUSE_DB).count();
            if quiet >= pause && !frames.is_empty() && at + quiet < smooth.len() {
                at += quiet;
                frames.push(begin + at);
                costs.push(-PAUSE_GAIN);
                at += 1;
                continue;
            }
            for frame in at..at + quiet.max(1) {
                let near = &smooth[frame.saturating_sub(reach)..(frame + reach + 1).min(smooth.len())];
                let peak = near.iter().copied().fold(f64::NEG_INFINITY, f64::max);
                frames.push(begin + frame);
                costs.push(DIP_GAIN * (smooth[frame] - peak) / 10.0);
            }
            at += quiet.max(1);
        }
        Some(Self { frames, costs })
    }

    /// The frame before which each word ends.
    fn cut(&self, lengths: &[f64], step_seconds: f64) -> Option<Vec<usize>> {
        let count = self.frames.len();
        let reach = REACH_SHARE * count as f64;
        let [least, most] = [LEAST_REACH_SECONDS, MOST_REACH_SECONDS].map(|seconds| seconds / step_seconds);
        let reach = reach.clamp(least, most);
        let logarithms: Vec<f64> = (0..=count).map(|length| libm::log(length.max(1) as f64)).collect();
        // The least cost of words that end before each frame of a band, and how long the last of them is.
        let mut before = Band { first: 0, costs: vec![0.0] };
        let mut chosen: Vec<(usize, Vec<u32>)> = Vec::with_capacity(lengths.len());
        let mut place = 0.0;
        for (word, &expected) in lengths.iter().enumerate() {
            place += expected;
            let last = word + 1 == lengths.len();
            let first = if last { count } else { (place - reach).max(0.0) as usize };
            let end = if last { count } else { ((place + reach) as usize).min(count) };
            let [shortest, longest] = [LEAST_LENGTH, MOST_LENGTH].map(|share| share * expected);
            let (shortest, longest) = ((shortest as usize).max(2), longest as usize + 3);
            let mut after = Band { first, costs: vec![f64::INFINITY; end + 1 - first] };
            let mut words = vec![0; end + 1 - first];
            let off = |length: usize| (logarithms[length] - libm::log(expected)) / LENGTH_SD;
            let costs: Vec<(usize, f64)> =
                (shortest..=longest.min(count)).map(|length| (length, off(length) * off(length))).collect();
            for frame in first..=end {
                let own = if last { 0.0 } else { self.costs.get(frame).copied().unwrap_or(0.0) };
                for &(length, cost) in costs.iter().take_while(|(length, _)| *length <= frame) {
                    let cost = before.at(frame - length) + cost + own;
                    if cost < after.costs[frame - first] {
                        after.costs[frame - first] = cost;
                        words[frame - first] = length as u32;
                    }
                }
            }
            chosen.push((first, words));
            before = after;
        }
        before.at(count).is_finite().then_some(())?;
        let mut ends = Vec::with_capacity(lengths.len());
        let mut end = count;
        for (first, words) in chosen.iter().rev() {
            ends.push(end);
            end -= words[end - first] as usize;
        }
        ends.reverse();
        Some(ends)
    }
}

/// Costs of consecutive frames; infinite elsewhere.
struct Band {
    first: usize,
    costs: Vec<f64>,
}

impl Band {
    fn at(&self, frame: usize) -> f64 {
        frame.checked_sub(self.first).and_then(|at| self.costs.get(at)).copied().unwrap_or(f64::INFINITY)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A contour of 10 ms frames: each syllable a swell of 20 dB, a pause of 0.5 s after the third word.
    fn spoken(words: &[(usize, usize)]) -> (Vec<f64>, Vec<f64>) {
        let mut levels = vec![-90.0; 30];
        let mut begins = Vec::new();
        for (i, &(syllables, frames)) in words.iter().enumerate() {
            if i == 3 {
                levels.extend([-90.0; 50]);
            }
            begins.push(levels.len() as f64 * 0.01);
            for frame in 0..syllables * frames {
                let phase = frame as f64 / frames as f64;
                // Within a word syllables dip less than words do.
                let dip = if frame % frames == 0 && frame > 0 { 4.0 } else { 20.0 };
                levels.push(-20.0 - dip * (1.0 - (std::f64::consts::PI * phase.fract()).sin()));
            }
        }
        levels.extend([-90.0; 30]);
        (levels, begins)
    }

    #[test]
    fn words_are_found_where_the_level_dips() {
        let words = [(1, 18), (2, 20), (3, 17), (1, 25), (2, 15), (4, 18), (1, 20)];
        let (levels, begins) = spoken(&words);
        let expected: Vec<f64> = words.iter().map(|(syllables, _)| *syllables as f64).collect();
        let contour = Contour { level_db: &levels, first_seconds: 0.0, step_seconds: 0.01 };
        let found = align(contour, &expected).unwrap();
        assert_eq!(found.len(), words.len());
        for ((begin, end), truth) in found.iter().zip(&begins) {
            assert!((begin - truth).abs() < 0.06, "{found:?} {begins:?}");
            assert!(begin < end);
        }
        // The pause belongs to no word.
        assert!(found[3].0 - found[2].1 > 0.4, "{found:?}");
        assert!(found.windows(2).all(|pair| pair[0].1 <= pair[1].0 + 1e-9));
    }

    #[test]
    fn what_cannot_be_aligned_is_not() {
        let contour = |level_db| Contour { level_db, first_seconds: 0.0, step_seconds: 0.01 };
        assert_eq!(align(contour(&[]), &[1.0]), None);
        assert_eq!(align(contour(&[-20.0; 9]), &[]), None);
        assert_eq!(align(contour(&[-20.0; 9]), &[1.0; 9]), None);
        assert!(align(contour(&[-20.0; 9]), &[1.0]).is_some());
        assert!(expected_length(0, None) > 0.0 && expected_length(5, Some(2)) == 8.0);
    }

    #[test]
    fn a_long_recording_is_aligned_in_a_band() {
        let words: Vec<(usize, usize)> = (0..400).map(|i| (1 + i % 4, 15 + i % 7)).collect();
        let (levels, begins) = spoken(&words);
        let expected: Vec<f64> = words.iter().map(|(syllables, _)| *syllables as f64).collect();
        let contour = Contour { level_db: &levels, first_seconds: 0.0, step_seconds: 0.01 };
        let found = align(contour, &expected).unwrap();
        let off =
            found.iter().zip(&begins).filter(|((begin, _), truth)| (begin - *truth).abs() > 0.1).count();
        assert!(off < 20, "{off}");
    }
}
