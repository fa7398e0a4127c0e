//! A sound at another rate, so that voices of two rates can be joined in one utterance. Pure.

use std::{f64::consts::PI, num::NonZero};

/// Zero crossings of the sinc on each side: what folds back lies 60 dB below the voice.
const CROSSINGS: f64 = 24.0;
/// The part of the lower rate's band that is kept whole.
const KEPT: f64 = 0.94;

/// `mono` at the rate `to`, by a sinc under a Hann window.
pub fn resampled(mono: &[f32], from: NonZero<u32>, to: NonZero<u32>) -> Vec<f32> {
    if from == to {
        return mono.to_vec();
    }
    let step = f64::from(from.get()) / f64::from(to.get());
    let band = (1.0 / step).min(1.0) * KEPT;
    let reach = CROSSINGS / band;
    let count = (mono.len() as f64 / step).round() as usize;
    let at = |index: usize| {
        let middle = index as f64 * step;
        let first = (middle - reach).ceil().max(0.0) as usize;
        let last = ((middle + reach).floor() as usize).min(mono.len().saturating_sub(1));
        (first..=last).map(|source| f64::from(mono[source]) * kernel(source as f64 - middle, band, reach)).sum::<f64>()
    };
    (0..count).map(|index| at(index) as f32).collect()
}

/// The weight of a sample `away` from the middle.
fn kernel(away: f64, band: f64, reach: f64) -> f64 {
    let angle = PI * away * band;
    let sinc = if angle.abs() < 1e-9 { 1.0 } else { angle.sin() / angle };
    let window = 0.5 + 0.5 * (PI * away / reach).cos();
    band * sinc * window
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rate(hz: u32) -> NonZero<u32> {
        NonZero::new(hz).unwrap()
    }

    fn tone(hz: f64, at: u32, seconds: f64) -> Vec<f32> {
        let count = (seconds * f64::from(at)) as usize;
        (0..count).map(|index| (2.0 * PI * hz * index as f64 / f64::from(at)).sin() as f32).collect()
    }

    #[test]
    fn a_voice_keeps_its_pitch_its_length_and_its_loudness() {
        for (from, to) in [(22_050, 24_000), (24_000, 22_050), (16_000, 24_000), (48_000, 24_000)] {
            let changed = resampled(&tone(440.0, from, 0.5), rate(from), rate(to));
            let wanted = tone(440.0, to, 0.5);
            assert!(changed.len().abs_diff(wanted.len()) <= 1);
            let middle = 400..wanted.len() - 400;
            let worst = middle.map(|index| (changed[index] - wanted[index]).abs()).fold(0.0, f32::max);
            assert!(worst < 0.002, "{from} to {to}: {worst}");
        }
    }

    #[test]
    fn what_the_lower_rate_cannot_hold_is_left_out_and_not_folded_back() {
        let changed = resampled(&tone(10_000.0, 48_000, 0.2), rate(48_000), rate(16_000));
        let loudest =
            changed[200..changed.len() - 200].iter().fold(0.0_f32, |loudest, sample| loudest.max(sample.abs()));
        assert!(loudest < 0.002, "{loudest}");
    }

    #[test]
    fn nothing_becomes_nothing_and_the_same_rate_the_same_samples() {
        assert!(resampled(&[], rate(22_050), rate(24_000)).is_empty());
        assert_eq!(resampled(&[0.5, -0.5], rate(24_000), rate(24_000)), [0.5, -0.5]);
    }
}
