//! Frames: short pieces of a clip, one every `hop` samples.

/// What stands outside of the clip.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Padding {
    /// Zeros.
    Zeros,
    /// The clip mirrored about its first and last sample, which are not repeated (numpy's `reflect`).
    Mirror,
}

/// Where the frames of a clip lie. Positions are in samples and may lie outside of the clip.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Frames {
    /// Where frame 0 begins.
    pub first: isize,
    /// Samples in a frame.
    pub len: usize,
    /// Samples from one frame to the next.
    pub hop: usize,
    /// What stands outside of the clip.
    pub padding: Padding,
    /// A clip has 1 + (samples - reach)/hop frames, none where it is shorter than its reach.
    pub reach: isize,
    /// Frames left off at the end.
    pub dropped: usize,
}

impl Frames {
    /// Frames of `len` samples, centred on every `hop`-th sample, zeros outside (librosa's `center=True`).
    #[must_use]
    pub fn centred(len: usize, hop: usize) -> Self {
        let half = len / 2;
        Self {
            first: -(half as isize),
            len,
            hop,
            padding: Padding::Zeros,
            reach: len as isize - 2 * half as isize,
            dropped: 0,
        }
    }

    /// How many frames a clip has; an empty clip has none.
    #[must_use]
    pub fn count(&self, samples: usize) -> usize {
        let room = samples as isize - self.reach;
        if samples == 0 || room < 0 {
            return 0;
        }
        (1 + room as usize / self.hop).saturating_sub(self.dropped)
    }

    /// Where frame `index` begins.
    #[must_use]
    pub fn start(&self, index: usize) -> isize {
        self.first + (index * self.hop) as isize
    }

    /// The part of frame `index` that lies inside the clip, as `(offset in the frame, samples)`.
    #[must_use]
    pub fn inside<'a>(&self, samples: &'a [f32], index: usize) -> (usize, &'a [f32]) {
        let start = self.start(index);
        let clip_len = samples.len() as isize;
        let from = start.clamp(0, clip_len);
        let to = (start + self.len as isize).clamp(from, clip_len);
        ((from - start).max(0) as usize, samples.get(from as usize..to as usize).unwrap_or_default())
    }

    /// Copies frame `index` into `frame`, whose length is `len`.
    pub fn copy(&self, samples: &[f32], index: usize, frame: &mut [f32]) {
        let (offset, inside) = self.inside(samples, index);
        let offset = offset.min(frame.len());
        let end = (offset + inside.len()).min(frame.len());
        for (into, from) in frame[offset..end].iter_mut().zip(inside) {
            *into = *from;
        }
        let start = self.start(index);
        for at in (0..offset).chain(end..frame.len()) {
            frame[at] = match self.padding {
                Padding::Zeros => 0.0,
                Padding::Mirror => mirrored(samples, start + at as isize),
            };
        }
    }
}

/// The sample at a position outside of the clip, which continues mirrored for ever.
fn mirrored(samples: &[f32], position: isize) -> f32 {
    let period = (2 * (samples.len() as isize - 1)).max(1);
    let folded = position.rem_euclid(period);
    let index = if folded < samples.len() as isize { folded } else { period - folded };
    samples.get(index as usize).copied().unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn copied(frames: Frames, samples: &[f32], index: usize) -> Vec<f32> {
        let mut frame = vec![9.0; frames.len];
        frames.copy(samples, index, &mut frame);
        frame
    }

    #[test]
    fn centred_frames_are_padded_with_zeros() {
        let frames = Frames::centred(4, 2);
        let samples = [1.0, 2.0, 3.0];
        assert_eq!(frames.count(3), 2);
        assert_eq!(copied(frames, &samples, 0), [0.0, 0.0, 1.0, 2.0]);
        assert_eq!(copied(frames, &samples, 1), [1.0, 2.0, 3.0, 0.0]);
        assert_eq!(copied(frames, &samples, 9), [0.0; 4]);
    }

    #[test]
    fn mirrored_frames_do_not_repeat_the_border() {
        let frames = Frames { padding: Padding::Mirror, ..Frames::centred(8, 2) };
        assert_eq!(copied(frames, &[1.0, 2.0, 3.0], 0), [1.0, 2.0, 3.0, 2.0, 1.0, 2.0, 3.0, 2.0]);
        assert_eq!(copied(frames, &[5.0], 0), [5.0; 8]);
    }

    #[test]
    fn the_inside_of_a_frame_knows_its_place() {
        let frames = Frames::centred(4, 2);
        let samples = [1.0, 2.0, 3.0];
        assert_eq!(frames.inside(&samples, 0), (2, &samples[..2]));
        assert_eq!(frames.inside(&samples, 1), (0, &samples[..]));
        assert_eq!(frames.inside(&samples, 5).1, &[] as &[f32]);
    }
}
