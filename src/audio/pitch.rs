//! Pitch: the fundamental frequency of each frame of a clip, by the method that a job asks for.

use std::fmt;
use std::ops::Range;
use std::str::FromStr;

use super::error::AudioError;
use super::profile::FRAME_LIMIT;
use super::pyin::{Pyin, PyinScratch};
use super::yin::{Yin, YinScratch};

/// How pitch is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum PitchMethod {
    /// YIN, each frame by itself.
    #[default]
    Yin,
    /// Probabilistic YIN over all frames.
    Pyin,
}

/// The `pitch` of a job's `[features]`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PitchSettings {
    /// The lowest pitch looked for.
    pub min_hz: f64,
    /// The highest pitch looked for, at most half the sample rate.
    pub max_hz: f64,
    /// Samples in a frame, at the clip's rate; more than one period of `min_hz`, better two.
    pub frame_len: usize,
    /// How pitch is found.
    pub method: PitchMethod,
}

impl Default for PitchSettings {
    fn default() -> Self {
        Self { min_hz: 65.0, max_hz: 500.0, frame_len: 1024, method: PitchMethod::Yin }
    }
}

impl PitchSettings {
    /// Whether pitch can be found so at a sample rate: librosa's own conditions.
    pub(super) fn check(&self, sample_rate: u32) -> Result<(), AudioError> {
        let (min_hz, max_hz, rate) = (self.min_hz, self.max_hz, f64::from(sample_rate));
        let in_order = min_hz > 0.0 && min_hz < max_hz && max_hz <= rate / 2.0;
        if !in_order {
            return Err(AudioError::PitchRange { min_hz, max_hz, nyquist_hz: rate / 2.0 });
        }
        if self.frame_len > FRAME_LIMIT {
            let (key, value) = ("features.pitch.frame_len", self.frame_len);
            return Err(AudioError::TooLarge { key, value, limit: FRAME_LIMIT });
        }
        if rate / min_hz >= self.frame_len as f64 - 1.0 {
            let least = ((rate / min_hz).ceil() as usize).saturating_add(2);
            return Err(AudioError::PitchFrameTooShort {
                frame_len: self.frame_len,
                min_hz,
                sample_rate,
                least,
            });
        }
        Ok(())
    }
}

/// The plan of pitch at one sample rate.
#[derive(Clone)]
pub enum Pitch {
    /// YIN, each frame by itself.
    Yin(Yin),
    /// Probabilistic YIN over all frames.
    Pyin(Pyin),
}

/// What [`Pitch::observe`] writes while it works.
pub enum PitchScratch {
    /// Of YIN.
    Yin(Box<YinScratch>),
    /// Of probabilistic YIN.
    Pyin(Box<PyinScratch>),
}

impl Pitch {
    /// Plans the method of the settings; fails where pitch cannot be found so at this rate.
    pub fn new(settings: &PitchSettings, hop_len: usize, sample_rate: u32) -> Result<Self, AudioError> {
        Ok(match settings.method {
            PitchMethod::Yin => Self::Yin(Yin::new(settings, hop_len, sample_rate)?),
            PitchMethod::Pyin => Self::Pyin(Pyin::new(settings, hop_len, sample_rate)?),
        })
    }

    /// Room for one thread to work in.
    #[must_use]
    pub fn scratch(&self) -> PitchScratch {
        match self {
            Self::Yin(yin) => PitchScratch::Yin(Box::new(yin.scratch())),
            Self::Pyin(pyin) => PitchScratch::Pyin(Box::new(pyin.scratch())),
        }
    }

    /// Begins a new clip.
    pub fn restart(&self, scratch: &mut PitchScratch) {
        if let PitchScratch::Pyin(scratch) = scratch {
            scratch.restart();
        }
    }

    /// Looks at the next `frames`, by their numbers in `samples`. YIN hands the pitch in Hz of each to `each`, in order;
    /// `None` of an unvoiced frame, and of all where the scratch is of the other method.
    pub fn observe(
        &self,
        samples: &[f32],
        frames: Range<usize>,
        scratch: &mut PitchScratch,
        mut each: impl FnMut(Option<f64>),
    ) {
        match (self, scratch) {
            (Self::Yin(yin), PitchScratch::Yin(scratch)) => {
                frames.for_each(|frame| each(yin.estimate(samples, frame, scratch)));
            }
            (Self::Pyin(pyin), PitchScratch::Pyin(scratch)) => {
                frames.for_each(|frame| pyin.observe(samples, frame, scratch));
            }
            _ => frames.for_each(|_| each(None)),
        }
    }

    /// Hands over the pitch of every frame where the method looks at all of them first, as [`Pitch::observe`] does.
    pub fn conclude(&self, scratch: &mut PitchScratch, each: impl FnMut(Option<f64>)) {
        if let (Self::Pyin(pyin), PitchScratch::Pyin(scratch)) = (self, scratch) {
            pyin.conclude(scratch, each);
        }
    }
}

impl fmt::Display for PitchMethod {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Yin => "yin",
            Self::Pyin => "pyin",
        })
    }
}

impl FromStr for PitchMethod {
    type Err = AudioError;

    fn from_str(name: &str) -> Result<Self, AudioError> {
        match name {
            "yin" => Ok(Self::Yin),
            "pyin" => Ok(Self::Pyin),
            _ => Err(AudioError::UnknownName {
                key: "features.pitch.method",
                found: name.to_owned(),
                choices: "yin, pyin",
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn impossible_settings_are_named() {
        let with = |settings: PitchSettings| Pitch::new(&settings, 160, 16_000).err();
        let good = PitchSettings::default();
        assert!(with(good).is_none());
        assert!(matches!(
            with(PitchSettings { max_hz: 9000.0, ..good }),
            Some(AudioError::PitchRange { .. })
        ));
        assert!(matches!(
            with(PitchSettings { min_hz: f64::NAN, ..good }),
            Some(AudioError::PitchRange { .. })
        ));
        let Some(AudioError::PitchFrameTooShort { least, .. }) =
            with(PitchSettings { frame_len: 200, ..good })
        else {
            panic!("a frame of 200 samples is too short");
        };
        assert!(with(PitchSettings { frame_len: least, ..good }).is_none());
    }
}
