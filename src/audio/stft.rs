//! Short-time Fourier transform: the power spectrum |X|² of each frame.
//!
//! Transforms run in f64, as librosa's do, or in f32, which takes half the time: then the noise of the transform reaches the
//! bands 80 dB under the loudest, whose levels are 1e-3 dB off, and flatness 2e-4 of its value. The usual lengths are
//! transformed several frames at once, one lane a frame (`crate::simd::LaneSpectrum`), any other length frame by frame
//! in f64.

use crate::convolution::fourier::{Complex, FftScratch, RealFft};
use crate::convolution::{Border, Filter1d, Kernel1d, Scratch};
use crate::simd::{Buffer, GROUP, LaneSpectrum, Number, Width, lay, narrow, weigh, widen};

use super::frames::Frames;
use super::profile::{Profile, SpectrogramSettings};

/// Kaldi's pre-emphasis, `--preemphasis-coefficient`.
pub(super) const PREEMPHASIS: f64 = 0.97;

/// Kaldi's samples are 16-bit integers.
pub(super) const KALDI_SCALE: f32 = 32768.0;

/// In what numbers frames are transformed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Precision {
    /// f32: for levels and what follows from them.
    Single,
    /// f64: for whatever looks at single bins.
    Double,
}

/// A transform in lanes.
#[derive(Clone)]
enum LanePlan {
    Single(LaneSpectrum<f32>, Vec<f32>),
    Double(LaneSpectrum<f64>),
}

/// The plan of a power spectrum: frames, window and transform of one setting.
#[derive(Clone)]
pub struct PowerStft {
    frames: Frames,
    window: Vec<f64>,
    fft: RealFft<f64>,
    /// For the usual lengths.
    lanes: Option<LanePlan>,
    width: Width,
    /// Kaldi's; its border is Kaldi's own: before the frame's first sample stands that sample again.
    preemphasis: Option<Filter1d<f32>>,
}

/// What `PowerStft::power` writes while it works.
pub struct StftScratch {
    frame: Vec<f32>,
    emphasised: Vec<f32>,
    input: Vec<f64>,
    spectrum: Vec<Complex<f64>>,
    fft: FftScratch<f64>,
    filter: Scratch<f32>,
    /// The frames of a group of which some do not lie in the clip as they are.
    group: Vec<f32>,
    /// Frames side by side. Rows after the window stay zero.
    lanes: Buffer<f32>,
    between: Buffer<f32>,
    wide_lanes: Buffer<f64>,
    wide_between: Buffer<f64>,
    wide_power: Buffer<f64>,
    row: Vec<f32>,
}

impl PowerStft {
    /// Plans the transform of settings that were checked.
    #[must_use]
    pub fn new(settings: &SpectrogramSettings, precision: Precision) -> Self {
        let preemphasis = (settings.profile == Profile::Kaldi)
            .then(|| Filter1d::new(&Kernel1d::preemphasis(PREEMPHASIS), Border::Nearest));
        let width = Width::detect();
        let window = settings.profile.window(settings.win_len);
        Self {
            frames: settings.frames(),
            lanes: match precision {
                Precision::Single => LaneSpectrum::new(settings.fft_len, width)
                    .map(|plan| LanePlan::Single(plan, window.iter().map(|weight| *weight as f32).collect())),
                Precision::Double => LaneSpectrum::new(settings.fft_len, width).map(LanePlan::Double),
            },
            width,
            window,
            fft: RealFft::new(settings.fft_len),
            preemphasis,
        }
    }

    /// Room for one thread to work in.
    #[must_use]
    pub fn scratch(&self) -> StftScratch {
        let (mut double, mut between) = (0, (0, 0));
        match &self.lanes {
            Some(LanePlan::Single(plan, _)) => between.0 = plan.scratch_len(),
            Some(LanePlan::Double(plan)) => (double, between.1) = (f64::GROUP, plan.scratch_len()),
            None => {}
        }
        let single = if self.lanes.is_some() { GROUP } else { 0 };
        StftScratch {
            frame: vec![0.0; self.frames.len],
            emphasised: Vec::with_capacity(self.frames.len),
            input: vec![0.0; self.fft.len()],
            spectrum: vec![Complex::default(); self.fft.bins()],
            fft: self.fft.scratch(),
            filter: Scratch::default(),
            group: vec![0.0; single * self.frames.len],
            lanes: Buffer::zeros(single * self.fft.len().next_multiple_of(GROUP)),
            between: Buffer::zeros(between.0),
            wide_lanes: Buffer::zeros(double * self.fft.len()),
            wide_between: Buffer::zeros(between.1),
            wide_power: Buffer::zeros(double * self.fft.bins()),
            row: vec![0.0; self.fft.bins()],
        }
    }

    /// Frames of a clip.
    #[must_use]
    pub fn count(&self, samples: usize) -> usize {
        self.frames.count(samples)
    }

    /// Bins of a spectrum.
    #[must_use]
    pub fn bins(&self) -> usize {
        self.fft.bins()
    }

    /// How many frames [`PowerStft::group`] transforms at once.
    #[must_use]
    pub fn frames_of_group(&self) -> usize {
        GROUP
    }

    /// Numbers that [`PowerStft::group`] writes.
    #[must_use]
    pub fn group_len(&self) -> usize {
        self.bins() * GROUP
    }

    /// Writes |X|² of the frames from `first` on, at most [`PowerStft::frames_of_group`] of them, into `power`: a row of as
    /// many lanes for each bin, one lane a frame. Lanes after the last frame of the clip are 0.
    ///
    /// # Panics
    /// Where `power` is not [`PowerStft::group_len`] numbers long.
    pub fn group(&self, samples: &[f32], first: usize, power: &mut [f32], scratch: &mut StftScratch) {
        let count = self.count(samples.len()).saturating_sub(first).min(GROUP);
        let Some(plan) = &self.lanes else {
            return self.group_by_frames(samples, first, count, power, scratch);
        };
        let len = self.frames.len;
        let whole = self.whole(samples, first).filter(|_| count == GROUP && self.preemphasis.is_none());
        if let Some(samples) = whole {
            lay(self.width, samples, self.frames.hop, len, &mut scratch.lanes);
        } else {
            self.copy_group(samples, first, count, scratch);
            lay(self.width, &scratch.group, len, len, &mut scratch.lanes);
        }
        match plan {
            LanePlan::Single(plan, window) => {
                weigh(self.width, &mut scratch.lanes, window);
                plan.power(&scratch.lanes, power, &mut scratch.between);
            }
            LanePlan::Double(plan) => {
                for lane in (0..GROUP).step_by(f64::GROUP) {
                    widen(self.width, &scratch.lanes, lane, &self.window, &mut scratch.wide_lanes);
                    plan.power(&scratch.wide_lanes, &mut scratch.wide_power, &mut scratch.wide_between);
                    narrow(self.width, &scratch.wide_power, lane, power);
                }
            }
        }
    }

    /// The samples of a group of frames that lies inside of the clip.
    fn whole<'a>(&self, samples: &'a [f32], first: usize) -> Option<&'a [f32]> {
        let start = usize::try_from(self.frames.start(first)).ok()?;
        samples.get(start..start + (GROUP - 1) * self.frames.hop + self.frames.len)
    }

    /// Copies the frames of a group, with silence where the clip has no samples and in place of frames that it has not.
    fn copy_group(&self, samples: &[f32], first: usize, count: usize, scratch: &mut StftScratch) {
        for (lane, copy) in scratch.group.chunks_exact_mut(self.frames.len).enumerate() {
            if lane < count {
                self.frames.copy(samples, first + lane, &mut scratch.frame);
                self.emphasise(&mut scratch.frame, &mut scratch.emphasised, &mut scratch.filter);
                copy.copy_from_slice(&scratch.frame);
            } else {
                copy.fill(0.0);
            }
        }
    }

    /// [`PowerStft::group`] of a length that has no transform in lanes.
    fn group_by_frames(
        &self,
        samples: &[f32],
        first: usize,
        count: usize,
        power: &mut [f32],
        scratch: &mut StftScratch,
    ) {
        power.fill(0.0);
        let mut row = std::mem::take(&mut scratch.row);
        for lane in 0..count {
            self.power(samples, first + lane, &mut row, scratch);
            for (lanes, value) in power.chunks_exact_mut(GROUP).zip(&row) {
                lanes[lane] = *value;
            }
        }
        scratch.row = row;
    }

    /// Kaldi's changes to the samples of a frame; none in other profiles.
    fn emphasise(&self, frame: &mut Vec<f32>, emphasised: &mut Vec<f32>, scratch: &mut Scratch<f32>) {
        if let Some(filter) = &self.preemphasis {
            remove_mean(frame);
            filter.apply(frame, emphasised, scratch);
            std::mem::swap(frame, emphasised);
        }
    }

    /// Writes |X|² of frame `index` into `power`, of length `bins`, by a transform in f64.
    fn power(&self, samples: &[f32], index: usize, power: &mut [f32], scratch: &mut StftScratch) {
        self.frames.copy(samples, index, &mut scratch.frame);
        self.emphasise(&mut scratch.frame, &mut scratch.emphasised, &mut scratch.filter);
        scratch.input.fill(0.0);
        for ((into, sample), weight) in scratch.input.iter_mut().zip(&scratch.frame).zip(&self.window) {
            *into = f64::from(*sample) * weight;
        }
        self.fft.forward(&mut scratch.input, &mut scratch.spectrum, &mut scratch.fft);
        for (into, bin) in power.iter_mut().zip(&scratch.spectrum) {
            *into = (bin.re * bin.re + bin.im * bin.im) as f32;
        }
    }
}

/// Scales a frame to Kaldi's integers and takes its mean away.
fn remove_mean(frame: &mut [f32]) {
    for sample in frame.iter_mut() {
        *sample *= KALDI_SCALE;
    }
    let sum: f64 = frame.iter().map(|sample| f64::from(*sample)).sum();
    let mean = (sum / frame.len() as f64) as f32;
    for sample in frame {
        *sample -= mean;
    }
}

#[cfg(test)]
mod tests {
    use std::f64::consts::PI;

    use super::*;

    fn noise(len: usize) -> Vec<f32> {
        let mut state = 1u32;
        (0..len)
            .map(|_| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (state >> 8) as f32 / 8_388_608.0 - 1.0
            })
            .collect()
    }

    fn spectrum(settings: &SpectrogramSettings, samples: &[f32], index: usize) -> Vec<f32> {
        let stft = PowerStft::new(settings, Precision::Double);
        let mut power = vec![0.0; stft.bins()];
        stft.power(samples, index, &mut power, &mut stft.scratch());
        power
    }

    /// The definition: the windowed frame, centred in the transform, against each complex exponential.
    fn naive(settings: &SpectrogramSettings, samples: &[f32], index: usize) -> Vec<f64> {
        let n = settings.fft_len;
        let window = settings.profile.window(settings.win_len);
        let mut frame = vec![0.0; n];
        for (i, weight) in window.iter().enumerate() {
            let at = i + (n - settings.win_len) / 2;
            let position = (index * settings.hop_len + at) as isize - (n / 2) as isize;
            if position >= 0 && (position as usize) < samples.len() {
                frame[at] = f64::from(samples[position as usize]) * weight;
            }
        }
        (0..=n / 2)
            .map(|k| {
                let angle = |i: usize| 2.0 * PI * ((k * i) % n) as f64 / n as f64;
                let re: f64 = frame.iter().enumerate().map(|(i, x)| x * angle(i).cos()).sum();
                let im: f64 = frame.iter().enumerate().map(|(i, x)| x * angle(i).sin()).sum();
                re * re + im * im
            })
            .collect()
    }

    #[test]
    fn a_spectrum_is_the_discrete_fourier_transform() {
        let samples = noise(1000);
        for (fft_len, win_len) in [(64, 48), (60, 60), (45, 33)] {
            let settings = SpectrogramSettings { fft_len, win_len, hop_len: 20, ..Default::default() };
            for index in [0, 7, 49] {
                let expected = naive(&settings, &samples, index);
                let found = spectrum(&settings, &samples, index);
                for (a, b) in found.iter().zip(&expected) {
                    assert!((f64::from(*a) - b).abs() <= 1e-6 * b + 1e-12, "{a} {b}");
                }
            }
        }
    }

    /// Every group of the frames of a clip beside the same frames one by one, whose magnitudes may differ by a share of
    /// their own and of the largest of the frame.
    fn hold_groups(settings: &SpectrogramSettings, precision: Precision, relative: f32, of_most: f32) {
        let samples = noise(5000);
        let stft = PowerStft::new(settings, precision);
        let mut scratch = stft.scratch();
        let frames = stft.count(samples.len());
        let (mut group, mut row) = (vec![9.0; stft.group_len()], vec![0.0; stft.bins()]);
        for (first, lane) in (0..frames).step_by(GROUP).flat_map(|first| (0..GROUP).map(move |l| (first, l)))
        {
            stft.group(&samples, first, &mut group, &mut scratch);
            row.fill(0.0);
            if first + lane < frames {
                stft.power(&samples, first + lane, &mut row, &mut scratch);
            }
            let most = row.iter().copied().fold(0.0, f32::max).sqrt();
            for (bin, expected) in row.iter().map(|power| power.sqrt()).enumerate() {
                let found = group[bin * GROUP + lane].sqrt();
                let by = relative * expected + of_most * most;
                assert!(
                    (found - expected).abs() <= by,
                    "{settings:?}, {precision:?}: {found} {expected} of {most}"
                );
            }
        }
    }

    #[test]
    fn frames_in_lanes_are_those_frame_by_frame() {
        for fft_len in [256, 400, 512, 1024, 2048] {
            for profile in [Profile::Librosa, Profile::Kaldi, Profile::Whisper] {
                let win_len = fft_len - 7;
                let settings = SpectrogramSettings { fft_len, win_len, ..SpectrogramSettings::of(profile) };
                hold_groups(&settings, Precision::Double, 5e-7, 1e-10);
                hold_groups(&settings, Precision::Single, 5e-7, 5e-7);
            }
        }
    }

    #[test]
    fn energy_is_kept() {
        let samples = noise(512);
        let settings = SpectrogramSettings { win_len: 512, ..Default::default() };
        // Frame 1 begins at sample 160 - 256.
        let window = settings.profile.window(512);
        let energy: f64 = samples[..416]
            .iter()
            .zip(&window[96..])
            .map(|(x, w)| (f64::from(*x) * w) * (f64::from(*x) * w))
            .sum();
        let power = spectrum(&settings, &samples, 1);
        let inner: f64 = power[1..256].iter().map(|p| 2.0 * f64::from(*p)).sum();
        let total = (inner + f64::from(power[0]) + f64::from(power[256])) / 512.0;
        assert!((total / energy - 1.0).abs() < 1e-6);
    }

    #[test]
    fn kaldi_frames_have_no_mean() {
        let settings = SpectrogramSettings::of(Profile::Kaldi);
        assert!(spectrum(&settings, &[0.25; 400], 0).iter().all(|p| *p < 1e-6));
    }
}
