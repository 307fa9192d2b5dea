//! A recording to be heard on the page: a WAV file in the page itself.

use base64::Engine as _;
use maud::{Markup, html};

use super::data::Spectrogram;
use super::number;

/// Bytes before the samples.
const HEADER: usize = 44;

/// One channel of samples in -1 to 1 as a WAV file of 16 bits.
#[must_use]
pub fn wav(samples: &[f32], sample_rate: u32) -> Vec<u8> {
    let bytes = samples.len() as u32 * 2;
    let mut file = Vec::with_capacity(HEADER + samples.len() * 2);
    file.extend_from_slice(b"RIFF");
    file.extend_from_slice(&(bytes + HEADER as u32 - 8).to_le_bytes());
    file.extend_from_slice(b"WAVEfmt ");
    file.extend_from_slice(&16_u32.to_le_bytes());
    // PCM, one channel.
    file.extend_from_slice(&[1, 0, 1, 0]);
    file.extend_from_slice(&sample_rate.to_le_bytes());
    file.extend_from_slice(&(sample_rate * 2).to_le_bytes());
    // Bytes of a sample, its bits.
    file.extend_from_slice(&[2, 0, 16, 0]);
    file.extend_from_slice(b"data");
    file.extend_from_slice(&bytes.to_le_bytes());
    for &sample in samples {
        let whole = (sample.clamp(-1.0, 1.0) * 32767.0).round() as i16;
        file.extend_from_slice(&whole.to_le_bytes());
    }
    file
}

/// The player of a recording, if the page has its sound.
pub(super) fn player(spectrogram: &Spectrogram) -> Option<Markup> {
    if spectrogram.wav.is_empty() {
        return None;
    }
    let source = base64::engine::general_purpose::STANDARD.encode(&spectrogram.wav);
    Some(html! {
        audio controls preload="metadata" aria-label=(format!("Recording {}", number::clean(&spectrogram.clip_id, 60)))
            src=(format!("data:audio/wav;base64,{source}")) {}
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wav_file_is_read_as_it_was_written() {
        let samples = [0.0_f32, 0.5, -1.0, 1.0, 2.0];
        let file = wav(&samples, 8000);
        let mut reader = hound::WavReader::new(file.as_slice()).expect("a WAV file");
        let spec = reader.spec();
        assert_eq!((spec.channels, spec.sample_rate, spec.bits_per_sample), (1, 8000, 16));
        let read: Vec<i16> = reader.samples::<i16>().map(|sample| sample.expect("a sample")).collect();
        assert_eq!(read, [0, 16384, -32767, 32767, 32767]);
    }

    #[test]
    fn no_sound_no_player() {
        assert!(player(&Spectrogram::default()).is_none());
        let heard = Spectrogram { clip_id: "<a>".into(), wav: wav(&[0.0], 8000), ..Spectrogram::default() };
        let page = player(&heard).expect("a player").into_string();
        assert!(
            page.contains("data:audio/wav;base64,UklGR") && page.contains("Recording &lt;a&gt;"),
            "{page}"
        );
    }
}
