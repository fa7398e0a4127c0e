//! Levels sounds to one loudness, so that no voice shouts another down. Pure.
//!
//! Loudness is that of EBU R 128 (ITU-R BS.1770): K-weighted, gated, over blocks of 400 ms. A phrase such as `早上好` lasts 0.6 s, which is
//! three overlapping blocks, and the chime's end is shorter than one. So a short sound is measured as if it were said again and again for three
//! seconds: its loudness then depends neither on its length nor on the silence that happens to follow it, and a sentence made of levelled
//! phrases is as loud as each of them.

use std::iter;

use ebur128::{EbuR128, Mode};

/// What every sound is brought to, in LUFS (of one channel), before `greeting.volume`. It leaves the peaks of speech 21 dB to
/// the ceiling; a phrase with higher ones comes out softer.
pub const TARGET: f64 = -22.0;
/// No sample is louder than this (-1 dBFS): loudspeakers distort above it. A sound whose peaks would be is left softer as a whole.
pub const CEILING: f32 = 0.891;
/// A shorter sound is repeated to this length for the measurement.
const MEASURED_SECONDS: usize = 3;
/// Nothing is amplified more than this: a sound that is softer still is no speech.
const MOST_GAIN_DB: f64 = 30.0;

/// The loudness of a sound in LUFS; `None` of silence.
pub fn of(mono: &[f32], rate: u32) -> Option<f64> {
    let samples = mono.len();
    if samples == 0 {
        return None;
    }
    let mut meter = EbuR128::new(1, rate, Mode::I).ok()?;
    let times = (MEASURED_SECONDS * rate as usize).div_ceil(samples);
    for again in iter::repeat_n(mono, times) {
        meter.add_frames_f32(again).ok()?;
    }
    meter.loudness_global().ok().filter(|loudness| loudness.is_finite())
}

/// Brings a sound to [`TARGET`] under [`CEILING`]; silence stays silence.
pub fn level(mono: &mut [f32], rate: u32) {
    level_to(TARGET, mono, rate);
}

/// Brings a sound to another loudness, in LUFS, under [`CEILING`].
pub fn level_to(target: f64, mono: &mut [f32], rate: u32) {
    let Some(loudness) = of(mono, rate) else { return };
    let wanted = 10_f64.powf((target - loudness).min(MOST_GAIN_DB) / 20.0) as f32;
    let peak = mono.iter().fold(0.0_f32, |peak, sample| peak.max(sample.abs()));
    let gain = wanted.min(CEILING / peak.max(f32::MIN_POSITIVE));
    mono.iter_mut().for_each(|sample| *sample *= gain);
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE: u32 = 24_000;

    /// A voice's pitch with a few of its harmonics.
    fn hum(seconds: f32, amplitude: f32) -> Vec<f32> {
        let count = (seconds * RATE as f32) as usize;
        let at = |index: usize| index as f32 / RATE as f32 * std::f32::consts::TAU * 220.0;
        (0..count)
            .map(|index| amplitude * (1..=4).map(|n| (at(index) * n as f32).sin() / n as f32).sum::<f32>())
            .collect()
    }

    #[test]
    fn a_whisper_and_a_shout_are_equally_loud_afterwards() {
        for amplitude in [0.01, 0.1, 0.45] {
            let mut sound = hum(1.5, amplitude);
            level(&mut sound, RATE);
            let loudness = of(&sound, RATE).unwrap();
            assert!((loudness - TARGET).abs() < 0.1, "{amplitude}: {loudness}");
        }
    }

    #[test]
    fn a_phrase_shorter_than_a_block_of_the_norm_is_levelled_as_a_long_one_is() {
        let gain = |seconds: f32| {
            let (before, mut after) = (hum(seconds, 0.1), hum(seconds, 0.1));
            level(&mut after, RATE);
            after[5] / before[5]
        };
        let long = gain(6.0);
        for seconds in [0.1, 0.3, 0.6, 1.0] {
            assert!((gain(seconds) / long - 1.0).abs() < 0.02, "{seconds} s: {} instead of {long}", gain(seconds));
        }
    }

    #[test]
    fn the_silence_behind_a_sentence_does_not_make_it_louder_than_the_next_one() {
        let mut padded = hum(3.0, 0.1);
        padded.resize(6 * RATE as usize, 0.0);
        level(&mut padded, RATE);
        let loudness = of(&padded[..3 * RATE as usize], RATE).unwrap();
        assert!((loudness - TARGET).abs() < 0.6, "{loudness}");
    }

    #[test]
    fn no_peak_meets_the_ceiling_and_the_shape_stays() {
        let mut clicks = vec![0.0; 48_000];
        clicks.iter_mut().step_by(2_400).for_each(|sample| *sample = 0.5);
        level(&mut clicks, RATE);
        let peak = clicks.iter().copied().fold(0.0, f32::max);
        assert!((peak - CEILING).abs() < 1e-4, "{peak}");
        assert_eq!(clicks.iter().filter(|sample| **sample > 0.0).count(), 20);
    }

    #[test]
    fn silence_stays_silence() {
        for mut silence in [vec![], vec![0.0; 10], vec![0.0; 100_000], vec![1e-6; 100_000]] {
            let before = silence.clone();
            level(&mut silence, RATE);
            assert_eq!(silence, before);
        }
    }
}
