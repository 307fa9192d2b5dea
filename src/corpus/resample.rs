//! Resampling through rubato: one fixed ratio, FFT-based, the delay trimmed.

use rubato::audioadapter_buffers::direct::SequentialSliceOfVecs;
use rubato::audioadapter_buffers::owned::InterleavedOwned;
use rubato::{Fft, FixedSync, Resampler, WindowFunction};

/// Frames given to the resampler at once, about: long enough for a steep filter (its transition lies in the last few per cent
/// under the lower Nyquist frequency).
const CHUNK: u32 = 4096;

/// Resamples a mono signal from `from_hz` to `to_hz`; the result has `ceil(len · to / from)` samples.
///
/// # Errors
/// A sentence when the two rates have no usable ratio.
pub(super) fn resample(samples: Vec<f32>, from_hz: u32, to_hz: u32) -> Result<Vec<f32>, String> {
    if from_hz == to_hz || samples.is_empty() {
        return Ok(samples);
    }
    let trouble =
        |error: &dyn std::fmt::Display| format!("cannot be resampled from {from_hz} to {to_hz} Hz: {error}");
    let (rates, window) = ((from_hz as usize, to_hz as usize), WindowFunction::BlackmanHarris2);
    let mut resampler =
        Fft::<f32>::new_custom(rates.0, rates.1, chunk(from_hz, to_hz), 1, 1, window, FixedSync::Input)
            .map_err(|error| trouble(&error))?;
    let length = samples.len();
    let input = [samples];
    let adapter = SequentialSliceOfVecs::new(&input, 1, length).map_err(|error| trouble(&error))?;
    let output: InterleavedOwned<f32> =
        resampler.process_all(&adapter, length, None).map_err(|error| trouble(&error))?;
    Ok(output.take_data())
}

/// An even multiple of the ratio's terms: half of the output chunk is the delay, which is trimmed, and must be whole.
fn chunk(from_hz: u32, to_hz: u32) -> usize {
    let (mut divisor, mut rest) = (from_hz, to_hz);
    while rest > 0 {
        (divisor, rest) = (rest, divisor % rest);
    }
    let unit = (from_hz / divisor.max(1)).max(1);
    (unit as usize).saturating_mul(2 * CHUNK.div_ceil(2 * unit) as usize)
}

#[cfg(test)]
mod tests {
    use super::resample;

    fn sine(hz: f64, rate: f64, len: usize) -> Vec<f32> {
        (0..len).map(|i| (std::f64::consts::TAU * hz * i as f64 / rate).sin() as f32).collect()
    }

    #[test]
    fn a_tone_stays_where_it_is_in_both_directions() {
        for (from, to) in [(44_100u32, 16_000u32), (8_000, 16_000), (48_000, 16_000), (16_000, 22_050)] {
            let input = sine(440.0, f64::from(from), from as usize);
            let output = resample(input, from, to).unwrap();
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
        let output = resample(sine(7_000.0, 48_000.0, 48_000), 48_000, 8_000).unwrap();
        assert!(output[2_000..6_000].iter().all(|sample| sample.abs() < 1e-3));
    }

    #[test]
    fn nothing_to_do_is_done_exactly() {
        let input = sine(100.0, 8_000.0, 77);
        assert_eq!(resample(input.clone(), 8_000, 8_000).unwrap(), input);
        assert!(resample(Vec::new(), 8_000, 16_000).unwrap().is_empty());
    }
}
