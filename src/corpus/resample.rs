//! Resampling through rubato: one fixed ratio, FFT-based, the delay trimmed, in pieces of any length.

use rubato::audioadapter_buffers::direct::InterleavedSlice;
use rubato::{
    Async, Fft, FixedAsync, FixedSync, Indexing, SincInterpolationParameters, SincInterpolationType,
    WindowFunction,
};

/// Frames given to the resampler at once, about: long enough for a steep filter (its transition lies in the last few per cent
/// under the lower Nyquist frequency).
const CHUNK: u32 = 4096;

/// The largest term of a ratio that is transformed: two rates without a common divisor, as only broken headers have them, would
/// need a transform of millions of points. Beyond it the filter is a sine cardinal of 256 points, interpolated.
const MAX_TERM: u32 = 50_000;

/// One channel on its way from one rate to another. However the signal is cut, the chunks that are transformed are the same, and
/// so are the samples that come out: `ceil(len · to / from)` of them.
pub(super) struct Resampler {
    from_hz: u32,
    to_hz: u32,
    /// `None` where both rates are the same.
    engine: Option<Engine>,
}

struct Engine {
    rubato: Box<dyn rubato::Resampler<f32> + Send>,
    /// What is not a whole chunk yet.
    pending: Vec<f32>,
    /// A chunk that came out.
    chunk: Vec<f32>,
    /// Samples at the start that are the filter's delay, and still to come.
    delay: usize,
    taken: u64,
    given: u64,
}

impl Resampler {
    /// A resampler at the start of a signal.
    ///
    /// # Errors
    /// A sentence when the two rates have no usable ratio.
    pub fn new(from_hz: u32, to_hz: u32) -> Result<Self, String> {
        if from_hz == to_hz {
            return Ok(Self { from_hz, to_hz, engine: None });
        }
        let rubato = engine(from_hz, to_hz).map_err(|error| trouble(from_hz, to_hz, &error))?;
        let (delay, chunk) = (rubato.output_delay(), vec![0.0; rubato.output_frames_max()]);
        let pending = Vec::with_capacity(rubato.input_frames_max());
        let engine = Engine { rubato, pending, chunk, delay, taken: 0, given: 0 };
        Ok(Self { from_hz, to_hz, engine: Some(engine) })
    }

    /// Takes the next `samples` and appends what they make to `resampled`.
    pub fn append(&mut self, mut samples: &[f32], resampled: &mut Vec<f32>) -> Result<(), String> {
        let Some(engine) = &mut self.engine else {
            resampled.extend_from_slice(samples);
            return Ok(());
        };
        engine.taken += samples.len() as u64;
        while !samples.is_empty() {
            let missing = engine.rubato.input_frames_next().saturating_sub(engine.pending.len());
            let (now, later) = samples.split_at(missing.min(samples.len()));
            engine.pending.extend_from_slice(now);
            samples = later;
            if now.len() == missing {
                engine
                    .turn(u64::MAX, resampled)
                    .map_err(|error| trouble(self.from_hz, self.to_hz, &error))?;
            }
        }
        Ok(())
    }

    /// Appends what is left in the filter once the signal is over.
    pub fn finish(&mut self, resampled: &mut Vec<f32>) -> Result<(), String> {
        let Some(engine) = &mut self.engine else { return Ok(()) };
        let length = u128::from(engine.taken) * u128::from(self.to_hz);
        let length = length.div_ceil(u128::from(self.from_hz)) as u64;
        while engine.given < length {
            engine.turn(length, resampled).map_err(|error| trouble(self.from_hz, self.to_hz, &error))?;
        }
        Ok(())
    }
}

impl Engine {
    /// Transforms what is pending, filled up with silence to a whole chunk; `length` is what comes out of the whole signal.
    fn turn(&mut self, length: u64, resampled: &mut Vec<f32>) -> Result<(), Box<dyn std::error::Error>> {
        let (held, room) = (self.pending.len(), self.chunk.len());
        let input = InterleavedSlice::new(&self.pending, 1, held)?;
        let mut output = InterleavedSlice::new_mut(&mut self.chunk, 1, room)?;
        let partial = (held < self.rubato.input_frames_next()).then_some(held);
        let indexing =
            Indexing { input_offset: 0, output_offset: 0, active_channels_mask: None, partial_len: partial };
        let (_, made) = self.rubato.process_into_buffer(&input, &mut output, Some(&indexing))?;
        self.pending.clear();
        let late = self.delay.min(made);
        self.delay -= late;
        let wanted = usize::try_from(length - self.given).unwrap_or(usize::MAX);
        let made = self.chunk.get(late..made).unwrap_or_default();
        let made = &made[..made.len().min(wanted)];
        self.given += made.len() as u64;
        resampled.extend_from_slice(made);
        Ok(())
    }
}

fn engine(
    from_hz: u32,
    to_hz: u32,
) -> Result<Box<dyn rubato::Resampler<f32> + Send>, rubato::ResamplerConstructionError> {
    let (from, to, unit) = (from_hz as usize, to_hz as usize, divisor(from_hz, to_hz));
    let window = WindowFunction::BlackmanHarris2;
    if from_hz.max(to_hz) / unit <= MAX_TERM {
        let fft = Fft::new_custom(from, to, chunk(from_hz / unit), 1, 1, window, FixedSync::Input)?;
        return Ok(Box::new(fft));
    }
    let parameters = SincInterpolationParameters {
        sinc_len: 256,
        f_cutoff: None,
        oversampling_factor: 256,
        interpolation: SincInterpolationType::Cubic,
        window,
    };
    let ratio = f64::from(to_hz) / f64::from(from_hz);
    Ok(Box::new(Async::new_sinc(ratio, 1.0, &parameters, CHUNK as usize, 1, FixedAsync::Input)?))
}

fn trouble(from_hz: u32, to_hz: u32, error: &dyn std::fmt::Display) -> String {
    format!(
        "cannot be resampled from {from_hz} to {to_hz} Hz: {error}; set clips.sample_rate to a usual rate"
    )
}

/// An even multiple of the ratio's term: half of the output chunk is the delay, which is trimmed, and must be whole.
fn chunk(term: u32) -> usize {
    (term as usize).saturating_mul(2 * CHUNK.div_ceil(2 * term) as usize)
}

/// The greatest common one.
fn divisor(from_hz: u32, to_hz: u32) -> u32 {
    let (mut divisor, mut rest) = (from_hz, to_hz);
    while rest > 0 {
        (divisor, rest) = (rest, divisor % rest);
    }
    divisor.max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resample(samples: &[f32], from_hz: u32, to_hz: u32) -> Result<Vec<f32>, String> {
        let (mut resampler, mut resampled) = (Resampler::new(from_hz, to_hz)?, Vec::new());
        resampler.append(samples, &mut resampled)?;
        resampler.finish(&mut resampled)?;
        Ok(resampled)
    }

    fn sine(hz: f64, rate: f64, len: usize) -> Vec<f32> {
        (0..len).map(|i| (std::f64::consts::TAU * hz * i as f64 / rate).sin() as f32).collect()
    }

    #[test]
    fn a_tone_stays_where_it_is_in_both_directions() {
        for (from, to) in [(44_100u32, 16_000u32), (8_000, 16_000), (48_000, 16_000), (16_000, 22_050)] {
            let input = sine(440.0, f64::from(from), from as usize);
            let output = resample(&input, from, to).unwrap();
            assert_eq!(output.len(), to as usize, "{from} to {to}");
            let wanted = sine(440.0, f64::from(to), to as usize);
            // The ends see the filter's edge; the middle must be the tone itself.
            let middle = to as usize / 4..to as usize * 3 / 4;
            let worst = output[middle.clone()]
                .iter()
                .zip(&wanted[middle])
                .map(|(a, b)| (a - b).abs())
                .fold(0.0, f32::max);
            assert!(worst < 1e-3, "{from} to {to}: {worst}");
        }
    }

    #[test]
    fn what_lies_above_the_new_nyquist_frequency_goes() {
        let output = resample(&sine(7_000.0, 48_000.0, 48_000), 48_000, 8_000).unwrap();
        assert!(output[2_000..6_000].iter().all(|sample| sample.abs() < 1e-3));
    }

    #[test]
    fn nothing_to_do_is_done_exactly() {
        let input = sine(100.0, 8_000.0, 77);
        assert_eq!(resample(&input, 8_000, 8_000).unwrap(), input);
        assert!(resample(&[], 8_000, 16_000).unwrap().is_empty());
    }

    /// rubato's own way with a whole signal is the definition.
    #[test]
    fn pieces_of_any_length_give_the_bits_of_the_whole() {
        use rubato::audioadapter_buffers::direct::SequentialSliceOfVecs;
        for (from, to) in
            [(44_100u32, 16_000u32), (8_000, 16_000), (16_000, 22_050), (7_919, 16_000), (96_001, 16_000)]
        {
            for len in [1, 100, 4096, 8820, 8821, 50_000] {
                let signal = sine(440.0, f64::from(from), len);
                let mut rubato = engine(from, to).unwrap();
                let input = [signal.clone()];
                let adapter = SequentialSliceOfVecs::new(&input, 1, len).unwrap();
                let whole = rubato.process_all(&adapter, len, None).unwrap().take_data();
                for piece in [1, 7, 4096, 10_000, 50_000] {
                    let (mut resampler, mut pieces) = (Resampler::new(from, to).unwrap(), Vec::new());
                    for piece in signal.chunks(piece) {
                        resampler.append(piece, &mut pieces).unwrap();
                    }
                    resampler.finish(&mut pieces).unwrap();
                    assert_eq!(pieces.len() as u64, (len as u64 * u64::from(to)).div_ceil(from.into()));
                    assert!(
                        pieces.iter().zip(&whole).all(|(a, b)| a.to_bits() == b.to_bits()),
                        "{from} to {to}, {len} in {piece}"
                    );
                }
            }
        }
    }
}
