//! Joins the parts of an utterance that voices of several languages have rendered. Pure.

use std::num::NonZero;

use super::{loudness, playing::Samples, resample::resampled};

/// The pause between two parts, in which the listener changes to the other language.
const PAUSE_SECONDS: f32 = 0.06;
/// What is softer than this share of the loudest sample is silence (-46 dB): a vowel that dies away is above it for as long as it is heard.
const SILENT: f32 = 0.005;
/// What is left of the silence before and behind, so that no sound is cut.
const KEPT_SECONDS: f32 = 0.012;

/// A sound without the silence before and behind it, so that it begins when it is played.
pub(super) fn without_silence(mono: &[f32], rate: NonZero<u32>) -> &[f32] {
    let peak = mono.iter().fold(0.0_f32, |peak, sample| peak.max(sample.abs()));
    let heard = |sample: &f32| sample.abs() > SILENT * peak;
    let kept = (KEPT_SECONDS * rate.get() as f32) as usize;
    match (mono.iter().position(heard), mono.iter().rposition(heard)) {
        (Some(first), Some(last)) => &mono[first.saturating_sub(kept)..(last + 1 + kept).min(mono.len())],
        _ => &[],
    }
}

/// The parts one behind the other at one rate, each as loud as the others, with a short pause between them.
pub(super) fn joined(parts: &[Samples], rate: NonZero<u32>) -> Samples {
    if let [only] = parts {
        return Samples { mono: without_silence(&only.mono, only.rate).into(), rate: only.rate };
    }
    let pause = vec![0.0; (PAUSE_SECONDS * rate.get() as f32) as usize];
    let part = |part: &Samples| {
        let mut mono = resampled(without_silence(&part.mono, part.rate), part.rate, rate);
        loudness::level(&mut mono, rate.get());
        mono
    };
    let levelled: Vec<Vec<f32>> = parts.iter().map(part).filter(|part| !part.is_empty()).collect();
    Samples { mono: levelled.join(&pause[..]).into(), rate }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rate(hz: u32) -> NonZero<u32> {
        NonZero::new(hz).unwrap()
    }

    /// A second of a tone between two half seconds of silence.
    fn tone(hz: u32, amplitude: f32) -> Samples {
        let silence = vec![0.0; hz as usize / 2];
        let sound = (0..hz).map(|index| amplitude * (index as f32 / hz as f32 * 300.0 * std::f32::consts::TAU).sin());
        Samples { mono: silence.iter().copied().chain(sound).chain(silence.clone()).collect(), rate: rate(hz) }
    }

    #[test]
    fn a_phrase_begins_when_it_is_played() {
        let phrase = tone(24_000, 0.3);
        let trimmed = joined(std::slice::from_ref(&phrase), rate(24_000));
        let seconds = trimmed.mono.len() as f32 / 24_000.0;
        assert!((1.0..1.03).contains(&seconds), "{seconds}");
    }

    #[test]
    fn a_chinese_sentence_with_an_english_name_is_one_sound_and_the_name_is_no_louder() {
        let whole = joined(&[tone(24_000, 0.4), tone(22_050, 0.02), tone(24_000, 0.1)], rate(24_000));
        let seconds = whole.mono.len() as f32 / 24_000.0;
        assert!((3.1..3.2).contains(&seconds), "{seconds}");
        let loudest = |from: f32| {
            let from = (from * 24_000.0) as usize;
            whole.mono[from..from + 12_000].iter().fold(0.0_f32, |loudest, sample| loudest.max(sample.abs()))
        };
        for from in [1.3, 2.4] {
            assert!((loudest(from) / loudest(0.2) - 1.0).abs() < 0.02, "{} {}", loudest(0.2), loudest(from));
        }
    }

    #[test]
    fn of_silence_nothing_is_left() {
        assert!(without_silence(&[0.0; 500], rate(24_000)).is_empty());
        assert!(without_silence(&[], rate(24_000)).is_empty());
        assert!(joined(&[], rate(24_000)).mono.is_empty());
    }
}
