//! Sound through a filter: any channels, the sample format kept.

use std::path::Path;
use std::time::Instant;

use hound::{SampleFormat, WavReader, WavSpec, WavWriter};

use crate::convolution::{Filter1d, Kernel1d, Mode, Options, Partitioned, Scratch, SignalFilter};
use crate::corpus::{Decoding, read_recording};
use crate::error::{Error, Result};

use super::{Request, extension, measured, planned, unusable, usage};
use crate::cli::output::{beside, take_place};

/// A recording as it is to be written again.
struct Sound {
    /// A row of samples for each channel, full scale 1.
    channels: Vec<Vec<f64>>,
    format: WavSpec,
}

/// Filters every channel on its own; tells how that was done, a line each.
pub(super) fn filter(request: &Request<'_>) -> Result<Vec<String>> {
    if extension(request.output) != "wav" {
        return Err(usage(request.output, "sound is written as WAV: call it .wav"));
    }
    let mut sound = read(request.input)?;
    if let Some((block, path)) = request.block.zip(request.impulse) {
        let lines = stream(request, &mut sound, path, block)?;
        write(request.output, &sound)?;
        return Ok(lines);
    }
    let filters = filters(request, &sound)?;
    let mut scratch = Scratch::with_threads(request.threads);
    let mut lines = Vec::new();
    for (channel, filter) in sound.channels.iter_mut().zip(filters.iter().cycle()) {
        let mut filtered = Vec::new();
        let begun = Instant::now();
        filter.apply(channel, &mut filtered, &mut scratch);
        lines.push(describe(filter, channel.len(), begun.elapsed().as_secs_f64()));
        *channel = filtered;
    }
    write(request.output, &sound)?;
    Ok(lines)
}

/// One filter for all channels, or one for each.
fn filters(request: &Request<'_>, sound: &Sound) -> Result<Vec<SignalFilter<f64>>> {
    let Request { input, spec, mode, .. } = request;
    let wrong = |error| usage(input, error);
    let rate = f64::from(sound.format.sample_rate);
    let shape = sound.channels.first().map(|channel| (1, channel.len()));
    let options = Options { mode: *mode, shape, threads: request.threads, ..Options::default() };
    let kernels = match request.impulse {
        None if *mode == Mode::Same => {
            return Ok(vec![spec.build_1d_with(rate, options).map_err(wrong)?]);
        }
        None => vec![spec.kernel_1d(rate).map_err(wrong)?],
        Some(path) => impulse(path, sound)?,
    };
    let filter = |kernel| Filter1d::with_options(kernel, spec.border, options).map(SignalFilter::from);
    kernels.iter().map(|kernel| filter(kernel).map_err(wrong)).collect()
}

/// Convolves every channel with the impulse as it would arrive, block by block.
fn stream(request: &Request<'_>, sound: &mut Sound, path: &Path, block: usize) -> Result<Vec<String>> {
    let kernels = impulse(path, sound)?;
    let mut lines = Vec::new();
    for (channel, kernel) in sound.channels.iter_mut().zip(kernels.iter().cycle()) {
        let mut stream = Partitioned::new(kernel.taps(), block).map_err(|error| usage(path, error))?;
        let mut filtered = Vec::with_capacity(channel.len() + kernel.taps().len());
        let begun = Instant::now();
        channel.chunks(block).for_each(|samples| stream.push(samples, &mut filtered));
        stream.finish(&mut filtered);
        if request.mode == Mode::Same {
            filtered.truncate(channel.len());
        }
        let parts = kernel.taps().len().div_ceil(block);
        let how = format!("{} taps in {parts} parts of {block}", kernel.taps().len());
        lines.push(measured(&how, begun.elapsed().as_secs_f64()));
        *channel = filtered;
    }
    Ok(lines)
}

/// The channels of an impulse response as causal kernels: one for all channels of the sound, or one for each.
fn impulse(path: &Path, sound: &Sound) -> Result<Vec<Kernel1d>> {
    let response = read(path)?;
    let (rate, needed) = (response.format.sample_rate, sound.format.sample_rate);
    if rate != needed {
        let reason = format!("the impulse has {rate} Hz, the sound {needed} Hz: resample one of them first");
        return Err(unusable(path, reason));
    }
    let (channels, needed) = (response.channels.len(), sound.channels.len());
    if channels != 1 && channels != needed {
        let reason =
            format!("the impulse has {channels} channels, the sound {needed}: take one channel, or as many");
        return Err(unusable(path, reason));
    }
    let kernel = |samples| Kernel1d::new(samples)?.with_centre(0);
    response
        .channels
        .into_iter()
        .map(|samples| kernel(samples).map_err(|error| unusable(path, error)))
        .collect()
}

/// How a channel was filtered: the plan with its predicted costs, and what it took.
fn describe(filter: &SignalFilter<f64>, samples: usize, seconds: f64) -> String {
    let how = match filter {
        SignalFilter::Taps(filter) => planned(filter.predict(samples), Some(filter.choice())),
        SignalFilter::Recursive(filter) => {
            format!("recursive, {} sections in turn", filter.cascade().sections().len())
        }
    };
    measured(&how, seconds)
}

/// Reads a recording with all that its format holds: integers of 32 bits too, which `f32` cannot.
fn read(path: &Path) -> Result<Sound> {
    let recording = read_recording(path).map_err(|reason| unusable(path, reason))?;
    let format = format(path, &recording);
    let exact = exact(path, &format).filter(|samples| samples.len() == recording.samples.len());
    let samples =
        exact.unwrap_or_else(|| recording.samples.iter().map(|&sample| f64::from(sample)).collect());
    let width = usize::from(recording.channels);
    let channels =
        (0..width).map(|channel| samples.iter().skip(channel).step_by(width).copied().collect()).collect();
    Ok(Sound { channels, format })
}

/// The format to write: that of a WAV, whole numbers of as many bits where another format says how many, else floats.
fn format(path: &Path, recording: &Decoding) -> WavSpec {
    let of = |bits_per_sample, sample_format| WavSpec {
        channels: recording.channels,
        sample_rate: recording.sample_rate,
        bits_per_sample,
        sample_format,
    };
    match (WavReader::open(path).map(|reader| reader.spec().sample_format), recording.bits) {
        (Ok(SampleFormat::Int) | Err(_), Some(bits @ (8 | 16 | 24 | 32))) => of(bits, SampleFormat::Int),
        _ => of(32, SampleFormat::Float),
    }
}

/// The samples of a WAV of 32-bit integers.
fn exact(path: &Path, format: &WavSpec) -> Option<Vec<f64>> {
    if (format.bits_per_sample, format.sample_format) != (32, SampleFormat::Int) {
        return None;
    }
    let samples = WavReader::open(path).ok()?.into_samples::<i32>();
    samples.map(|sample| sample.ok().map(|sample| f64::from(sample) / full_scale(32))).collect()
}

fn full_scale(bits: u16) -> f64 {
    2f64.powi(i32::from(bits) - 1)
}

/// Whole numbers are rounded and clipped.
fn write(output: &Path, sound: &Sound) -> Result<()> {
    let failed = |error: hound::Error| match error {
        hound::Error::IoError(error) => Error::io("write", output, error),
        other => unusable(output, other),
    };
    let beside = beside(output)?;
    let mut writer = WavWriter::create(beside.path(), sound.format).map_err(failed)?;
    let full = full_scale(sound.format.bits_per_sample);
    for i in 0..sound.channels.first().map_or(0, Vec::len) {
        for channel in &sound.channels {
            match sound.format.sample_format {
                SampleFormat::Int => {
                    let value = (channel[i] * full).round_ties_even().clamp(-full, full - 1.0);
                    writer.write_sample(value as i32).map_err(failed)?;
                }
                SampleFormat::Float => writer.write_sample(channel[i] as f32).map_err(failed)?,
            }
        }
    }
    writer.finalize().map_err(failed)?;
    take_place(beside, output)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::convolution::{Border, KernelSpec, Taps};

    fn written(folder: &Path, name: &str, format: WavSpec, samples: &[i32]) -> std::path::PathBuf {
        let path = folder.join(name);
        let mut writer = WavWriter::create(&path, format).unwrap();
        for &sample in samples {
            match format.sample_format {
                SampleFormat::Int => writer.write_sample(sample).unwrap(),
                SampleFormat::Float => writer.write_sample(sample as f32 / 128.0).unwrap(),
            }
        }
        writer.finalize().unwrap();
        path
    }

    fn format(channels: u16, bits_per_sample: u16, sample_format: SampleFormat) -> WavSpec {
        WavSpec { channels, sample_rate: 8000, bits_per_sample, sample_format }
    }

    fn request<'a>(input: &'a Path, output: &'a Path, spec: KernelSpec) -> Request<'a> {
        Request { input, output, spec, impulse: None, block: None, mode: Mode::Same, plan: false, threads: 1 }
    }

    #[test]
    fn every_format_and_any_channels_come_out_as_they_went_in() {
        let folder = tempfile::tempdir().unwrap();
        let whole = KernelSpec { taps: Some(Taps::Line(vec![1.0])), ..KernelSpec::default() };
        for (bits, kind) in [
            (8, SampleFormat::Int),
            (16, SampleFormat::Int),
            (24, SampleFormat::Int),
            (32, SampleFormat::Int),
            (32, SampleFormat::Float),
        ] {
            for channels in [1, 2, 5] {
                let scale = if bits == 32 && kind == SampleFormat::Int { 16_777_215 } else { 1 };
                let samples: Vec<i32> = (-50..50).map(|i| (2 * i + 1) * scale).collect();
                let input = written(folder.path(), "in.wav", format(channels, bits, kind), &samples);
                let output = folder.path().join("out.wav");
                filter(&request(&input, &output, whole.clone())).unwrap();
                let spec = WavReader::open(&output).unwrap().spec();
                assert_eq!((spec.channels, spec.bits_per_sample, spec.sample_format), (channels, bits, kind));
                let (before, after) = (read(&input).unwrap(), read(&output).unwrap());
                assert_eq!(before.channels, after.channels, "{bits} {kind:?} {channels}");
            }
        }
    }

    #[test]
    fn an_impulse_response_is_convolved_causally_and_full_keeps_its_tail() {
        let folder = tempfile::tempdir().unwrap();
        let mono = format(1, 16, SampleFormat::Int);
        let input = written(folder.path(), "in.wav", mono, &[1000, 2000, 3000]);
        let response = written(folder.path(), "room.wav", mono, &[16_384, 0, -8192]);
        let output = folder.path().join("out.wav");
        let spec = KernelSpec { border: Border::Constant, ..KernelSpec::default() };
        for (mode, expected) in
            [(Mode::Same, &[500, 1000, 1250][..]), (Mode::Full, &[500, 1000, 1250, -500, -750])]
        {
            let request =
                Request { impulse: Some(&response), mode, ..request(&input, &output, spec.clone()) };
            filter(&request).unwrap();
            let found =
                WavReader::open(&output).unwrap().into_samples::<i32>().map(std::result::Result::unwrap);
            assert_eq!(found.collect::<Vec<_>>(), expected);
        }
    }

    #[test]
    fn impulses_of_another_kind_are_refused_with_the_reason() {
        let folder = tempfile::tempdir().unwrap();
        let input = written(folder.path(), "in.wav", format(3, 16, SampleFormat::Int), &[0; 6]);
        let output = folder.path().join("out.wav");
        for (other, reason) in [
            (format(2, 16, SampleFormat::Int), "2 channels, the sound 3"),
            (WavSpec { sample_rate: 9000, ..format(1, 16, SampleFormat::Int) }, "9000 Hz, the sound 8000"),
        ] {
            let response = written(folder.path(), "room.wav", other, &[1, 1]);
            let spec = KernelSpec::default();
            let request = Request { impulse: Some(&response), ..request(&input, &output, spec) };
            let message = filter(&request).unwrap_err().to_string();
            assert!(message.contains("room.wav") && message.contains(reason), "{message}");
        }
    }
}
