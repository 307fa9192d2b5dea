//! The analysis of a clip that comes in blocks: of its samples no more are kept than frames reach over, of its frames what
//! features are made of.
//!
//! Frames are analysed in stretches of fixed length, so that the blocks make no difference, and a frame sees the samples that
//! it sees in a clip that lies in memory: the results are the same, bit for bit.

use std::io;

use super::analysis::{AnalysisScratch, Analyzer, ClipAnalysis};
use super::rows::Room;
use super::sample_descriptors::PART;
use crate::simd::GROUP;

/// Samples of a stretch, about: they stay in the processor's cache until they are analysed.
const STRETCH: usize = 1 << 15;

/// The analysis of a clip under way.
pub struct ClipStream<'a> {
    analyzer: &'a Analyzer,
    scratch: &'a mut AnalysisScratch,
    room: Room<'a>,
    hop: usize,
    /// Samples that frames may reach over, before their place and after it.
    reach: usize,
    /// Frames of a stretch: whole groups.
    stretch: usize,
    /// Where in the clip the samples at hand begin: a whole number of hops.
    begin: usize,
    /// Frames analysed so far.
    frames: usize,
    /// Samples of the clip that were measured.
    measured: usize,
    /// Parts that were looked at.
    parts: usize,
}

impl Analyzer {
    /// Begins the analysis of a clip whose samples will be pushed; [`Analyzer::needs_all_samples`] must not hold. Mel levels for
    /// which there is no `room` go to its file, unless they are stored or filtered, or rhythm is asked for.
    #[must_use]
    pub fn stream<'a>(&'a self, room: Room<'a>, scratch: &'a mut AnalysisScratch) -> ClipStream<'a> {
        let (hop, most) = self.lengths();
        scratch.window.clear();
        scratch.part.clear();
        self.begin(&mut scratch.knowledge);
        let stretch = (STRETCH / hop).next_multiple_of(GROUP).max(GROUP);
        // What frames of every kind have on either side, and a frame that may be left off at the end.
        let reach = 2 * most + 2 * hop;
        ClipStream {
            analyzer: self,
            scratch,
            room,
            hop,
            reach,
            stretch,
            begin: 0,
            frames: 0,
            measured: 0,
            parts: 0,
        }
    }
}

impl ClipStream<'_> {
    /// Takes the next samples of the clip. Fails where levels cannot be written to the file of the room.
    pub fn push(&mut self, mut samples: &[f32]) -> io::Result<()> {
        while !samples.is_empty() {
            let wanted = (self.frames + self.stretch) * self.hop + self.reach - self.begin;
            let missing = wanted - self.scratch.window.len();
            let (now, later) = samples.split_at(missing.min(samples.len()));
            self.scratch.window.extend_from_slice(now);
            if self.analyzer.needs_parts() {
                self.scratch.part.extend_from_slice(now);
            }
            samples = later;
            if now.len() == missing {
                let end = self.frames + self.stretch;
                self.advance(end, end * self.hop);
                self.forget();
                self.analyzer.spill(self.room, &mut self.scratch.knowledge)?;
            }
        }
        Ok(())
    }

    /// The analysis of all that was pushed. Fails where levels that went to a file cannot be read back.
    pub fn finish(mut self) -> io::Result<ClipAnalysis> {
        let samples = self.begin + self.scratch.window.len();
        self.advance(self.analyzer.count(samples), samples);
        while self.scratch.part.len() > PART {
            self.end_part(PART, false);
        }
        if self.analyzer.needs_parts() && (self.parts == 0 || !self.scratch.part.is_empty()) {
            self.end_part(self.scratch.part.len(), true);
        }
        self.analyzer.conclude(None, &mut self.scratch.knowledge)
    }

    /// Analyses the frames up to `end`, and measures the samples up to `samples`.
    fn advance(&mut self, end: usize, samples: usize) {
        let AnalysisScratch { waveform, knowledge, window, .. } = &mut *self.scratch;
        let window = self.analyzer.bound(window, waveform);
        let before = self.begin / self.hop;
        self.analyzer.observe(window, self.frames - before..end - before, knowledge);
        knowledge.measure(&window[self.measured - self.begin..samples - self.begin]);
        (self.frames, self.measured) = (end, samples);
        while self.scratch.part.len() > PART && self.frames * self.hop >= (self.parts + 1) * PART {
            self.end_part(PART, false);
        }
    }

    /// Looks at the first `len` samples of the part at hand.
    fn end_part(&mut self, len: usize, is_last: bool) {
        let AnalysisScratch { waveform, knowledge, part, .. } = &mut *self.scratch;
        let samples = self.analyzer.bound(&part[..len], waveform);
        self.analyzer.observe_part(samples, self.parts * PART, is_last, knowledge);
        part.drain(..len);
        self.parts += 1;
    }

    /// Forgets the samples that no later frame reaches.
    fn forget(&mut self) {
        let begin = self.frames.saturating_sub(self.reach.div_ceil(self.hop)) * self.hop;
        self.scratch.window.drain(..begin - self.begin);
        self.begin = begin;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audio::{
        AnalyzerSettings, FeatureSet, FeatureSettings, PitchMethod, Profile, SpectrogramSettings, Store,
    };
    use crate::math::random::Stream;

    /// Tones that come and go over noise, so long that there are several stretches.
    fn clip(len: usize) -> Vec<f32> {
        let mut stream = Stream::new(1, "clip", 0);
        let tone = |i: usize| libm::sinf(i as f32 * 0.05) * libm::sinf(i as f32 * 1e-4).max(0.0);
        (0..len).map(|i| 0.4 * tone(i) + 0.01 * (stream.unit_f64() as f32 - 0.5)).collect()
    }

    fn settings(
        profile: Profile,
        store: Store,
        method: PitchMethod,
        sets: Vec<FeatureSet>,
    ) -> AnalyzerSettings {
        let mut features = FeatureSettings { sets, frames: true, ..FeatureSettings::default() };
        features.pitch.method = method;
        let spectrogram = SpectrogramSettings { profile, store, ..SpectrogramSettings::default() };
        AnalyzerSettings { spectrogram, features, ..AnalyzerSettings::default() }
    }

    /// All sets but formants, which pYIN finds too late.
    fn of_pyin() -> Vec<FeatureSet> {
        FeatureSet::ALL.into_iter().filter(|set| *set != FeatureSet::Formants).collect()
    }

    #[test]
    fn blocks_of_any_length_give_the_bits_of_the_whole() {
        let samples = clip(2 * STRETCH + 77_777);
        let all = || FeatureSet::DEFAULT.to_vec();
        for (settings, blocks) in [
            (
                settings(Profile::Librosa, Store::None, PitchMethod::Yin, all()),
                vec![7919, 1 << 16, usize::MAX],
            ),
            (settings(Profile::Kaldi, Store::None, PitchMethod::Yin, FeatureSet::ALL.to_vec()), vec![4096]),
            (settings(Profile::Whisper, Store::Mel, PitchMethod::Pyin, of_pyin()), vec![100_000]),
            (settings(Profile::Librosa, Store::Power, PitchMethod::Yin, vec![FeatureSet::Mel]), vec![65_536]),
        ] {
            let analyzer = Analyzer::new(settings, 16_000).unwrap();
            let mut scratch = analyzer.scratch();
            let whole = analyzer.analyze(&samples, &mut scratch);
            for len in blocks {
                for values in [0, usize::MAX] {
                    let mut stream =
                        analyzer.stream(Room { values, file: &tempfile::tempfile }, &mut scratch);
                    samples.chunks(len).for_each(|block| stream.push(block).unwrap());
                    assert!(stream.finish().unwrap() == whole, "blocks of {len}, room for {values}");
                }
            }
        }
    }

    #[test]
    fn clips_of_every_length_about_a_stretch_are_those_of_the_whole() {
        let samples = clip(STRETCH + 8000);
        let analyzer = Analyzer::new(
            settings(Profile::Whisper, Store::None, PitchMethod::Yin, vec![FeatureSet::Spectral]),
            16_000,
        )
        .unwrap();
        let mut scratch = analyzer.scratch();
        for len in
            [0, 1, 159, 160, 400, 1000, STRETCH - 1, STRETCH, STRETCH + 159, STRETCH + 1024, STRETCH + 4000]
        {
            let whole = analyzer.analyze(&samples[..len], &mut scratch);
            let mut stream = analyzer.stream(Room { values: 0, file: &tempfile::tempfile }, &mut scratch);
            stream.push(&samples[..len]).unwrap();
            assert_eq!(stream.finish().unwrap(), whole, "{len}");
        }
    }

    #[test]
    fn hops_longer_than_frames_leave_none_out() {
        let samples = clip(3 * STRETCH);
        let mut settings =
            settings(Profile::Whisper, Store::None, PitchMethod::Yin, vec![FeatureSet::Spectral]);
        settings.spectrogram.hop_len = 20_011;
        let analyzer = Analyzer::new(settings, 16_000).unwrap();
        let mut scratch = analyzer.scratch();
        let whole = analyzer.analyze(&samples, &mut scratch);
        let mut stream = analyzer.stream(Room { values: 0, file: &tempfile::tempfile }, &mut scratch);
        samples.chunks(1000).for_each(|block| stream.push(block).unwrap());
        assert_eq!(stream.finish().unwrap(), whole);
    }
}
