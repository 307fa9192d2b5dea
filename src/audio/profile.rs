//! Profiles: the conventions of a tool as a set (window, padding, framing, mel scale, logarithm).
//!
//! | | librosa | kaldi | whisper |
//! |---|---|---|---|
//! | frames | centred, zeros outside, 1 + n/hop | inside the clip, 1 + (n - win)/hop | centred, mirrored, n/hop |
//! | samples | [-1, 1] | times 32768, mean removed, pre-emphasis 0.97 | [-1, 1] |
//! | window | periodic Hann | Povey | periodic Hann |
//! | mel | Slaney, 0 Hz to Nyquist, area 1 | 1127 ln(1 + f/700), 20 Hz to Nyquist, peak 1 | as librosa |
//! | level | 10 log10, at most 80 below the clip's loudest | ln | log10, at most 8 below, (x + 4)/4 |
//!
//! Sources: librosa 0.11 `feature.melspectrogram` and `power_to_db`; Kaldi `feature-window.cc`, `mel-computations.cc`
//! and `feature-fbank.cc` with `dither = 0`; openai/whisper `audio.py`.

use std::fmt;
use std::str::FromStr;

use super::error::AudioError;
use super::frames::{Frames, Padding};
use super::mel::{self, MelBank};
use super::window;
use crate::simd::{Logarithm, Width, largest};

/// The least energy whose decibels librosa and Whisper take.
const LEAST_ENERGY: f32 = 1e-10;

/// The longest frame, about a minute at 16 kHz: a bound on memory.
pub(crate) const FRAME_LIMIT: usize = 1 << 20;

/// The longest hop: a bound on sums of places.
const HOP_LIMIT: usize = 1 << 30;

/// The most mel bands: a bound on memory.
const MELS_LIMIT: usize = 4096;

/// A tool whose conventions a spectrogram follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Profile {
    /// librosa 0.11: levels in dB.
    #[default]
    Librosa,
    /// Kaldi's filter banks without dither: levels in natural logarithms.
    Kaldi,
    /// Whisper's input: scaled decimal logarithms.
    Whisper,
}

/// What of a clip goes to the spectrograms table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Store {
    /// Nothing.
    #[default]
    None,
    /// The mel bands' levels in the profile's unit.
    Mel,
    /// The power spectrum |X|², `fft_len/2 + 1` bins.
    Power,
}

/// The `[spectrogram]` of a job: lengths in samples at the clip's rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SpectrogramSettings {
    /// Whose conventions.
    pub profile: Profile,
    /// Length of the transform, at least `win_len`.
    pub fft_len: usize,
    /// Length of the window.
    pub win_len: usize,
    /// Samples from one frame to the next.
    pub hop_len: usize,
    /// Mel bands.
    pub mels: usize,
    /// What is kept.
    pub store: Store,
}

impl Default for SpectrogramSettings {
    fn default() -> Self {
        Self::of(Profile::default())
    }
}

impl SpectrogramSettings {
    /// The lengths that the profile's own tool uses at 16 kHz (25 ms windows every 10 ms, 80 bands).
    #[must_use]
    pub fn of(profile: Profile) -> Self {
        let fft_len = if profile == Profile::Whisper { 400 } else { 512 };
        Self { profile, fft_len, win_len: 400, hop_len: 160, mels: 80, store: Store::None }
    }

    /// Bins of a power spectrum, from 0 Hz to half the sample rate.
    #[must_use]
    pub fn bins(&self) -> usize {
        self.fft_len / 2 + 1
    }

    pub(crate) fn check(&self) -> Result<(), AudioError> {
        for (key, value, limit) in [
            ("spectrogram.fft_len", self.fft_len, FRAME_LIMIT),
            ("spectrogram.win_len", self.win_len, FRAME_LIMIT),
            ("spectrogram.hop_len", self.hop_len, HOP_LIMIT),
            ("spectrogram.mels", self.mels, MELS_LIMIT),
        ] {
            if value == 0 {
                return Err(AudioError::Zero { key });
            }
            if value > limit {
                return Err(AudioError::TooLarge { key, value, limit });
            }
        }
        if self.win_len > self.fft_len {
            return Err(AudioError::WindowTooLong { win_len: self.win_len, fft_len: self.fft_len });
        }
        Ok(())
    }

    /// Where the windowed part of each frame lies. Its samples stand at the start of the transform's input; where
    /// the tools centre them there instead, only phases differ, which a power spectrum does not have.
    #[must_use]
    pub fn frames(&self) -> Frames {
        let half = self.fft_len / 2;
        let centred = Frames {
            first: ((self.fft_len - self.win_len) / 2) as isize - half as isize,
            len: self.win_len,
            hop: self.hop_len,
            padding: Padding::Zeros,
            reach: self.fft_len as isize - 2 * half as isize,
            dropped: 0,
        };
        match self.profile {
            Profile::Librosa => centred,
            Profile::Whisper => Frames { padding: Padding::Mirror, dropped: 1, ..centred },
            Profile::Kaldi => Frames { first: 0, reach: self.win_len as isize, ..centred },
        }
    }

    /// The mel bands over this transform's bins.
    #[must_use]
    pub fn mel_bank(&self, sample_rate: u32) -> MelBank {
        match self.profile {
            Profile::Librosa | Profile::Whisper => MelBank::slaney(sample_rate, self.fft_len, self.mels),
            Profile::Kaldi => MelBank::kaldi(sample_rate, self.fft_len, self.mels),
        }
    }

    /// Where `hz` lies on an axis on which mel band b reaches from b to b + 1, for the ticks of a picture.
    #[must_use]
    pub fn band_position(&self, hz: f64, sample_rate: u32) -> f64 {
        let (mel, low_hz): (fn(f64) -> f64, f64) = match self.profile {
            Profile::Librosa | Profile::Whisper => (mel::slaney_mel, 0.0),
            Profile::Kaldi => (mel::kaldi_mel, mel::KALDI_LOW_HZ),
        };
        let (low, high) = (mel(low_hz), mel(f64::from(sample_rate) / 2.0));
        (mel(hz) - low) / (high - low) * (self.mels as f64 + 1.0) - 0.5
    }
}

impl Profile {
    /// The window, `len` values.
    #[must_use]
    pub fn window(self, len: usize) -> Vec<f64> {
        match self {
            Self::Librosa | Self::Whisper => window::hann(len),
            Self::Kaldi => window::povey(len),
        }
    }

    /// Turns the energies of a whole clip into levels, in place.
    pub fn levels(self, energies: &mut [f32]) {
        self.logarithms(energies);
        self.raise(energies, largest(energies, |level| level));
    }

    /// Turns any energies into levels that know no floor yet, in place.
    pub fn logarithms(self, energies: &mut [f32]) {
        let (scale, least) = match self {
            Self::Librosa => (10.0 / std::f64::consts::LN_10, LEAST_ENERGY),
            Self::Kaldi => (1.0, f32::EPSILON),
            Self::Whisper => (1.0 / std::f64::consts::LN_10, LEAST_ENERGY),
        };
        Logarithm::new(scale).apply(Width::detect(), energies, least);
    }

    /// Raises what lies under the floor to it, in place; the floor of librosa and Whisper hangs on `top`, the largest of
    /// [`Profile::logarithms`] of the whole clip, hence the second pass.
    pub fn raise(self, levels: &mut [f32], top: f32) {
        match self {
            Self::Librosa => raise_to_floor(levels, top - 80.0),
            Self::Kaldi => {}
            Self::Whisper => {
                raise_to_floor(levels, top - 8.0);
                for level in levels {
                    *level = (*level + 4.0) / 4.0;
                }
            }
        }
    }

    /// The energy of a level, as near as the floor lets it be.
    #[must_use]
    pub fn energy(self, level: f32) -> f32 {
        let level = f64::from(level);
        (match self {
            Self::Librosa => libm::pow(10.0, level / 10.0),
            Self::Kaldi => libm::exp(level),
            Self::Whisper => libm::pow(10.0, 4.0 * level - 4.0),
        }) as f32
    }

    /// The unit of [`Profile::levels`], for a table's metadata.
    #[must_use]
    pub fn unit(self) -> &'static str {
        match self {
            Self::Librosa => "dB",
            Self::Kaldi => "ln",
            Self::Whisper => "(log10 + 4) / 4",
        }
    }
}

fn raise_to_floor(levels: &mut [f32], floor: f32) {
    for level in levels {
        *level = if *level > floor { *level } else { floor };
    }
}

impl fmt::Display for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Librosa => "librosa",
            Self::Kaldi => "kaldi",
            Self::Whisper => "whisper",
        })
    }
}

impl FromStr for Profile {
    type Err = AudioError;

    fn from_str(name: &str) -> Result<Self, AudioError> {
        match name {
            "librosa" => Ok(Self::Librosa),
            "kaldi" => Ok(Self::Kaldi),
            "whisper" => Ok(Self::Whisper),
            _ => Err(AudioError::UnknownName {
                key: "spectrogram.profile",
                found: name.to_owned(),
                choices: "librosa, kaldi, whisper",
            }),
        }
    }
}

impl fmt::Display for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::None => "none",
            Self::Mel => "mel",
            Self::Power => "power",
        })
    }
}

impl FromStr for Store {
    type Err = AudioError;

    fn from_str(name: &str) -> Result<Self, AudioError> {
        match name {
            "none" => Ok(Self::None),
            "mel" => Ok(Self::Mel),
            "power" => Ok(Self::Power),
            _ => Err(AudioError::UnknownName {
                key: "spectrogram.store",
                found: name.to_owned(),
                choices: "none, mel, power",
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_go_both_ways() {
        for profile in [Profile::Librosa, Profile::Kaldi, Profile::Whisper] {
            assert_eq!(profile.to_string().parse(), Ok(profile));
        }
        for store in [Store::None, Store::Mel, Store::Power] {
            assert_eq!(store.to_string().parse(), Ok(store));
        }
        assert!("htk".parse::<Profile>().is_err());
    }

    #[test]
    fn frame_counts_are_the_tools_own() {
        let count = |profile, samples| SpectrogramSettings::of(profile).frames().count(samples);
        assert_eq!(count(Profile::Librosa, 16_000), 101);
        assert_eq!(count(Profile::Librosa, 1), 1);
        assert_eq!(count(Profile::Kaldi, 16_000), 98);
        assert_eq!(count(Profile::Kaldi, 399), 0);
        assert_eq!(count(Profile::Kaldi, 400), 1);
        assert_eq!(count(Profile::Whisper, 16_000), 100);
        assert_eq!(count(Profile::Whisper, 100), 0);
        for profile in [Profile::Librosa, Profile::Kaldi, Profile::Whisper] {
            assert_eq!(count(profile, 0), 0);
        }
    }

    #[test]
    fn levels_have_the_profiles_floor() {
        let mut librosa = [1.0, 1e-4, 1e-9, 0.0];
        Profile::Librosa.levels(&mut librosa);
        assert!(
            librosa.iter().zip([0.0, -40.0, -80.0, -80.0]).all(|(a, b): (&f32, f32)| (a - b).abs() < 1e-5)
        );
        let mut whisper = [1.0, 0.0];
        Profile::Whisper.levels(&mut whisper);
        assert_eq!(whisper, [1.0, -1.0]);
        let mut kaldi = [0.0];
        Profile::Kaldi.levels(&mut kaldi);
        assert!((kaldi[0] + 15.9424).abs() < 1e-4);
        Profile::Librosa.levels(&mut []);
    }

    #[test]
    fn impossible_lengths_are_named() {
        let good = SpectrogramSettings::default();
        assert_eq!(good.check(), Ok(()));
        assert!(SpectrogramSettings { hop_len: 0, ..good }.check().is_err());
        assert!(SpectrogramSettings { fft_len: usize::MAX, ..good }.check().is_err());
        let long = SpectrogramSettings { win_len: 513, ..good }.check();
        assert_eq!(long, Err(AudioError::WindowTooLong { win_len: 513, fft_len: 512 }));
    }
}
