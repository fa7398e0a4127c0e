//! Reads and writes WAV in memory, as programs give it and take it. Pure.

use std::{io::Cursor, num::NonZero};

use super::playing::Samples;

/// A WAV as one channel. `who` gave it, for the error.
///
/// A program that streams writes its header before it knows how long the sound will be, so the lengths in it may be placeholders: they are set
/// right first.
///
/// # Errors
/// When it is no WAV or has no sound in it.
pub(super) fn read(wav: &[u8], who: &str) -> Result<Samples, String> {
    let fault = |error: hound::Error| format!("{who}'s sound is no WAV: {error}");
    let whole = with_its_real_length(wav).ok_or_else(|| format!("{who} gave no sound"))?;
    let mut reader = hound::WavReader::new(whole.as_slice()).map_err(fault)?;
    let spec = reader.spec();
    let rate = NonZero::new(spec.sample_rate).ok_or_else(|| format!("{who}'s sound has no rate"))?;
    let interleaved: Vec<f32> = match spec.sample_format {
        hound::SampleFormat::Float => reader.samples::<f32>().collect::<Result<_, _>>().map_err(fault)?,
        hound::SampleFormat::Int => {
            let full = 2_f32.powi(i32::from(spec.bits_per_sample) - 1);
            let scaled = |sample: Result<i32, _>| sample.map(|sample| sample as f32 / full);
            reader.samples::<i32>().map(scaled).collect::<Result<_, _>>().map_err(fault)?
        }
    };
    let channels = usize::from(spec.channels.max(1));
    let mono: Vec<f32> =
        interleaved.chunks_exact(channels).map(|frame| frame.iter().sum::<f32>() / channels as f32).collect();
    match mono.iter().all(|sample| sample.is_finite()) {
        _ if mono.is_empty() => Err(format!("{who} gave no sound")),
        true => Ok(Samples { mono: mono.into(), rate }),
        false => Err(format!("{who}'s sound is not made of numbers")),
    }
}

/// The same WAV, cut to whole samples, with lengths in its header that are true. `None` where there is no data.
fn with_its_real_length(wav: &[u8]) -> Option<Vec<u8>> {
    let number = |at: usize| Some(u32::from_le_bytes(wav.get(at..at + 4)?.try_into().ok()?) as usize);
    let (mut at, mut frame) = (12, 1);
    while wav.get(at..at + 4)? != b"data" {
        if &wav[at..at + 4] == b"fmt " {
            frame = usize::from(u16::from_le_bytes(wav.get(at + 20..at + 22)?.try_into().ok()?)).max(1);
        }
        // Chunks begin at even places.
        at = at.checked_add(8)?.checked_add(number(at + 4)?.next_multiple_of(2))?;
    }
    let sound = at + 8;
    // A true length is kept: other chunks may follow.
    let claimed = number(at + 4).filter(|claimed| (1..=wav.len().saturating_sub(sound)).contains(claimed));
    let length = claimed.unwrap_or(wav.len().checked_sub(sound)?) / frame * frame;
    let mut whole = wav.get(..sound + length)?.to_vec();
    whole[at + 4..sound].copy_from_slice(&u32::try_from(length).ok()?.to_le_bytes());
    let all = u32::try_from(whole.len() - 8).ok()?;
    whole[4..8].copy_from_slice(&all.to_le_bytes());
    Some(whole)
}

/// A sound as WAV, mono, 16 bits.
///
/// # Errors
/// When it is longer than a WAV can be (four hours).
pub(crate) fn written(samples: &Samples) -> Result<Vec<u8>, hound::Error> {
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: samples.rate.get(),
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut wav = Cursor::new(Vec::new());
    let mut writer = hound::WavWriter::new(&mut wav, spec)?;
    for sample in &*samples.mono {
        writer.write_sample((sample.clamp(-1.0, 1.0) * f32::from(i16::MAX)).round() as i16)?;
    }
    writer.finalize()?;
    Ok(wav.into_inner())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As a program streams it: `claimed` stands for the lengths that it does not know yet.
    fn streamed(samples: &[i16], claimed: u32) -> Vec<u8> {
        let mono: Vec<f32> = samples.iter().map(|sample| f32::from(*sample) / 32_767.0).collect();
        let mut wav = written(&Samples { mono: mono.into(), rate: NonZero::new(22_050).unwrap() }).unwrap();
        wav[4..8].copy_from_slice(&claimed.to_le_bytes());
        wav[40..44].copy_from_slice(&claimed.to_le_bytes());
        wav
    }

    #[test]
    fn a_streamed_wav_is_read_to_its_real_end_whatever_its_header_claims() {
        for claimed in [0, 0x7fff_f000, 0xffff_ffff] {
            let read = read(&streamed(&[0, 16_384, -16_384], claimed), "espeak-ng").unwrap();
            assert_eq!((&read.mono[..], read.rate.get()), (&[0.0, 0.5, -0.5][..], 22_050));
        }
        let mut odd = streamed(&[0, 16_384], 0);
        odd.push(7);
        assert_eq!(read(&odd, "espeak-ng").unwrap().mono.len(), 2);
    }

    #[test]
    fn what_follows_the_sound_is_not_played() {
        let mut wav = streamed(&[16_384, 16_384], 4);
        wav.extend(b"LIST\x04\0\0\0made");
        assert_eq!(&read(&wav, "piper").unwrap().mono[..], [0.5, 0.5]);
    }

    #[test]
    fn two_channels_become_one() {
        let spec = hound::WavSpec {
            channels: 2,
            sample_rate: 48_000,
            bits_per_sample: 32,
            sample_format: hound::SampleFormat::Float,
        };
        let mut wav = Cursor::new(Vec::new());
        let mut writer = hound::WavWriter::new(&mut wav, spec).unwrap();
        [0.5_f32, 0.25, -1.0, 0.0].into_iter().for_each(|sample| writer.write_sample(sample).unwrap());
        writer.finalize().unwrap();
        assert_eq!(&read(wav.get_ref(), "piper").unwrap().mono[..], [0.375, -0.5]);
    }

    #[test]
    fn what_is_written_is_read_again() {
        let samples = Samples { mono: vec![0.0, 0.25, -0.75, 1.0].into(), rate: NonZero::new(24_000).unwrap() };
        let again = read(&written(&samples).unwrap(), "greeter").unwrap();
        assert_eq!(again.rate, samples.rate);
        let apart = samples.mono.iter().zip(&*again.mono).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(apart < 1e-4, "{apart}");
    }

    #[test]
    fn no_sound_is_an_error_and_no_panic() {
        let truncated = &streamed(&[1, 2, 3], 0)[..43];
        for wav in [&b""[..], b"RIFF", b"data", b"RIFF....WAVEdata", b"RIFF....WAVEfmt \xff\xff\xff\xff", truncated] {
            assert!(read(wav, "it").is_err(), "{wav:?}");
        }
        assert_eq!(read(&streamed(&[], 0), "espeak-ng").err().unwrap(), "espeak-ng gave no sound");
    }
}
