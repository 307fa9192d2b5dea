//! Sound: a mono clip becomes frames, a spectrogram and features.
//!
//! A clip is a slice of `f32` samples in [-1, 1] with its `sample_rate`; reading and resampling happened before.
//! The road of a clip: waveform filters, then frames ([`frames`]), power spectra ([`stft`]), mel bands
//! ([`mel`]), levels ([`profile`], [`spectrogram`]), MFCC ([`mfcc`]); beside them spectral shape ([`spectral`]), energy ([`energy`]),
//! pitch ([`pitch`]: [`yin`] over [`autocorrelation`], [`pyin`] with its [`pitch_path`]), loudness ([`loudness`]), voice activity ([`voice`]) and recording quality ([`quality`]).
//! Beyond these, which a job has by default, are the sets that are asked for by name. In spectra and contours ([`descriptors`]):
//! [`contrast`], [`chroma`], [`pcen`], [`deltas`], [`rhythm`], [`functionals`]. In the samples ([`sample_descriptors`]): [`formants`],
//! [`harmonicity`] over [`periodicity`]; [`perturbation`] over [`pulses`] over [`periodic_pitch`]; [`syllables`] over [`intensity`];
//! [`bandwidth`], [`signal_to_noise`]; [`speech`], voice activity by a network; [`egemaps`].
//! [`griffin_lim`] goes the road back, from a spectrogram to sound.
//! [`analysis::Analyzer`] plans all of it once and applies it to each clip; one of any length comes in blocks ([`stream`]), and
//! its [`levels`] wait in a file for the second pass.

pub mod analysis;
pub mod autocorrelation;
pub mod bandwidth;
pub mod chroma;
pub mod contour;
pub mod contrast;
pub mod deltas;
pub mod descriptors;
pub mod egemaps;
pub mod energy;
pub mod error;
pub mod features;
pub mod filters;
pub mod formants;
pub mod frames;
pub mod functionals;
pub mod griffin_lim;
pub mod harmonicity;
pub mod intensity;
pub mod levels;
pub mod loudness;
pub mod mel;
pub mod mfcc;
pub mod pcen;
pub mod periodic_pitch;
pub mod periodicity;
pub mod perturbation;
pub mod pitch;
pub mod pitch_path;
pub mod profile;
pub mod pulses;
pub mod pyin;
pub mod quality;
pub mod resampling;
pub mod rhythm;
pub mod rows;
pub mod sample_descriptors;
pub mod signal_to_noise;
pub mod spectral;
pub mod spectrogram;
pub mod speech;
pub mod stft;
pub mod stream;
mod summit;
pub mod syllables;
pub mod voice;
pub mod window;
pub mod yin;

#[cfg(test)]
mod tests;

pub use analysis::{AnalysisScratch, Analyzer, AnalyzerSettings, ClipAnalysis};
pub use error::AudioError;
pub use features::{FeatureSet, FeatureSettings, FrameColumns};
pub use pitch::{PitchMethod, PitchSettings};
pub use profile::{Profile, SpectrogramSettings, Store};
pub use rows::Room;
pub use spectrogram::Spectrogram;
pub use stream::ClipStream;
