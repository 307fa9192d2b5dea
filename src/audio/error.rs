//! The ways in which settings of sound can be wrong.

use thiserror::Error;

use crate::convolution::KernelError;

/// A setting that cannot be carried out. Clips themselves never fail: what is undefined for a clip is `None`.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum AudioError {
    /// A length or count that must be at least 1 is 0.
    #[error("{key} = 0: write at least 1")]
    Zero {
        /// The key of the job file.
        key: &'static str,
    },
    /// A length or count so large that no clip can be meant.
    #[error("{key} = {value}: write at most {limit}")]
    TooLarge {
        /// The key of the job file.
        key: &'static str,
        /// What was written.
        value: usize,
        /// The most that will do.
        limit: usize,
    },
    /// The window does not fit into the transform.
    #[error(
        "spectrogram.win_len = {win_len} is longer than fft_len = {fft_len}: write a win_len of at most fft_len"
    )]
    WindowTooLong {
        /// The window's length in samples.
        win_len: usize,
        /// The transform's length in samples.
        fft_len: usize,
    },
    /// The DCT of `mels` bands has no more than `mels` coefficients.
    #[error(
        "features.mfcc = {mfcc} is more than spectrogram.mels = {mels}: write fewer coefficients or more bands"
    )]
    TooManyMfcc {
        /// Coefficients asked for.
        mfcc: usize,
        /// Mel bands there are.
        mels: usize,
    },
    /// Pitch limits that are not 0 < min < max <= half the sample rate.
    #[error(
        "features.pitch: min_hz = {min_hz} and max_hz = {max_hz} must be 0 < min_hz < max_hz <= {nyquist_hz}, half the sample rate"
    )]
    PitchRange {
        /// Lowest pitch asked for.
        min_hz: f64,
        /// Highest pitch asked for.
        max_hz: f64,
        /// Half the sample rate.
        nyquist_hz: f64,
    },
    /// A frame that cannot hold one period of the lowest pitch.
    #[error(
        "features.pitch.frame_len = {frame_len} holds no period of min_hz = {min_hz} at {sample_rate} Hz: write at least {least}"
    )]
    PitchFrameTooShort {
        /// Frame length asked for, in samples.
        frame_len: usize,
        /// Lowest pitch asked for.
        min_hz: f64,
        /// Sample rate of the clip.
        sample_rate: u32,
        /// The shortest frame that will do.
        least: usize,
    },
    /// A sample rate that loudness is not defined for.
    #[error(
        "a sample rate of {sample_rate} Hz cannot be analysed: resample, with clips.sample_rate = 16000 for instance"
    )]
    SampleRate {
        /// The rate of the clip.
        sample_rate: u32,
    },
    /// A hop so short that a filter over the frames would have too many taps.
    #[error("spectrogram.hop_len is too short to smooth over frames: {0}")]
    Smoothing(#[from] KernelError),
    /// A word that names no choice of a key.
    #[error("{key} = \"{found}\": write one of {choices}")]
    UnknownName {
        /// The key of the job file.
        key: &'static str,
        /// What was written.
        found: String,
        /// What can be written.
        choices: &'static str,
    },
}
