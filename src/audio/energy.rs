//! Energy and zero crossings of a frame, as librosa 0.11 defines them (`feature.rms`, `feature.zero_crossing_rate`).
//!
//! Frames are `fft_len` samples, centred on every `hop_len`-th sample, whatever the profile.

use std::ops::Range;

use super::frames::Frames;

/// Levels stop here: -100 dB.
const LEAST_RMS: f64 = 1e-5;

/// librosa takes samples this small as zeros, and zeros as positive.
const CROSSING_THRESHOLD: f32 = 1e-10;

/// Level of frame `index` in dB of full scale: 20 log10(max(rms, 1e-5)), zeros outside of the clip.
#[must_use]
pub fn rms_db(frames: &Frames, samples: &[f32], index: usize) -> f64 {
    let (_, inside) = frames.inside(samples, index);
    let energy: f64 = inside.iter().map(|x| f64::from(*x) * f64::from(*x)).sum();
    level_db((energy / frames.len as f64).sqrt())
}

/// Sums over blocks that the frames of a clip share: as long as the frames and their hop allow.
#[derive(Debug, Clone, Default)]
pub struct EnergyScratch {
    energies: Vec<f64>,
    crossings: Vec<u32>,
}

/// Appends [`rms_db`] and, where `zcr` is given, [`zero_crossing_rate`] of the frames in `range`.
pub fn contours(
    frames: &Frames,
    samples: &[f32],
    range: Range<usize>,
    scratch: &mut EnergyScratch,
    rms_db: &mut Vec<f32>,
    zcr: Option<&mut Vec<f32>>,
) {
    let block_len = common_divisor(frames.len, frames.hop);
    let (blocks, step) = (frames.len / block_len, frames.hop / block_len);
    let whole = Frames { len: block_len, hop: block_len, ..*frames };
    let count = range.len();
    let total = if count == 0 { 0 } else { (count - 1) * step + blocks };
    let shared = range.start * step..range.start * step + total;
    let len = frames.len as f64;
    scratch.energies.clear();
    scratch.energies.extend(shared.clone().map(|block| energy(whole.inside(samples, block).1)));
    rms_db.extend(
        scratch
            .energies
            .windows(blocks.max(1))
            .step_by(step.max(1))
            .take(count)
            .map(|blocks| level_db((blocks.iter().sum::<f64>() / len).sqrt()) as f32),
    );
    let Some(zcr) = zcr else { return };
    scratch.crossings.clear();
    scratch.crossings.extend(shared.map(|block| crossings(samples, &whole, block)));
    let sums = scratch.crossings.windows(blocks.max(1)).step_by(step.max(1)).take(count);
    zcr.extend(range.zip(sums).map(|(frame, blocks)| {
        // The crossing into the first sample belongs to the frame before.
        let start =
            usize::try_from(frames.start(frame)).ok().filter(|start| (1..samples.len()).contains(start));
        let into = start.is_some_and(|start| negative(samples[start - 1]) != negative(samples[start]));
        (f64::from(blocks.iter().sum::<u32>() - u32::from(into)) / len) as f32
    }));
}

/// Sum of squares, in eight sums that go side by side.
fn energy(samples: &[f32]) -> f64 {
    let (eights, rest) = samples.as_chunks::<8>();
    let mut sums = [0.0; 8];
    for eight in eights {
        for (sum, x) in sums.iter_mut().zip(eight) {
            *sum += f64::from(*x) * f64::from(*x);
        }
    }
    sums.iter().sum::<f64>() + rest.iter().map(|x| f64::from(*x) * f64::from(*x)).sum::<f64>()
}

/// Samples of a block whose sign differs from that of the sample before, in or before the block.
fn crossings(samples: &[f32], blocks: &Frames, block: usize) -> u32 {
    let start = blocks.start(block);
    let end = (start + blocks.len as isize).clamp(0, samples.len() as isize) as usize;
    let start = start.max(1) as usize;
    let pairs = samples.get(start - 1..end).unwrap_or_default();
    let (before, now) = (pairs, pairs.get(1..).unwrap_or_default());
    before.iter().zip(now).map(|(a, b)| u32::from(negative(*a) != negative(*b))).sum()
}

fn common_divisor(a: usize, b: usize) -> usize {
    if b == 0 { a.max(1) } else { common_divisor(b, a % b) }
}

/// The level of an amplitude, at least -100 dB.
#[must_use]
pub fn level_db(rms: f64) -> f64 {
    20.0 * libm::log10(rms.max(LEAST_RMS))
}

/// Share of the samples of frame `index` whose sign differs from the sample's before; the clip's first and last
/// sample continue outside, so that nothing crosses there.
#[must_use]
pub fn zero_crossing_rate(frames: &Frames, samples: &[f32], index: usize) -> f64 {
    let (_, inside) = frames.inside(samples, index);
    let crossings = inside.windows(2).filter(|pair| negative(pair[0]) != negative(pair[1])).count();
    crossings as f64 / frames.len as f64
}

fn negative(sample: f32) -> bool {
    sample < -CROSSING_THRESHOLD
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_square_wave_has_its_amplitude_as_rms() {
        let samples: Vec<f32> = (0..64).map(|i| if i % 2 == 0 { 0.1 } else { -0.1 }).collect();
        let frames = Frames::centred(16, 4);
        assert!((rms_db(&frames, &samples, 8) + 20.0).abs() < 1e-5);
        assert_eq!(zero_crossing_rate(&frames, &samples, 8), 15.0 / 16.0);
        // Half of frame 0 lies before the clip.
        assert!((rms_db(&frames, &samples, 0) + 20.0 + 3.0103).abs() < 1e-4);
        assert_eq!(zero_crossing_rate(&frames, &samples, 0), 7.0 / 16.0);
    }

    #[test]
    fn blocks_give_what_frames_give() {
        let samples: Vec<f32> = (0..997).map(|i| libm::sinf(i as f32 * i as f32 * 0.01) * 0.5).collect();
        for (len, hop) in [(512, 160), (64, 64), (50, 7), (33, 100), (1, 1), (16, 4)] {
            for samples in [&samples[..], &samples[..31], &samples[..1], &[]] {
                let frames = Frames::centred(len, hop);
                let count = frames.count(samples.len());
                let (mut rms, mut zcr) = (Vec::new(), Vec::new());
                contours(&frames, samples, 0..count, &mut EnergyScratch::default(), &mut rms, Some(&mut zcr));
                assert_eq!((rms.len(), zcr.len()), (count, count));
                for index in 0..count {
                    assert!((f64::from(rms[index]) - rms_db(&frames, samples, index)).abs() < 1e-5);
                    assert_eq!(zcr[index], zero_crossing_rate(&frames, samples, index) as f32);
                }
            }
        }
    }

    #[test]
    fn silence_has_a_floor_and_no_crossings() {
        let frames = Frames::centred(16, 4);
        assert_eq!(rms_db(&frames, &[0.0; 8], 1), -100.0);
        assert_eq!(zero_crossing_rate(&frames, &[0.0, -0.0, -1e-11, 1e-11], 1), 0.0);
        assert_eq!(zero_crossing_rate(&frames, &[], 0), 0.0);
    }
}
