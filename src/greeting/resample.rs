//! A sound at another rate, so that voices of two rates can be joined in one utterance. Pure.

use std::{f64::consts::PI, num::NonZero};

/// Zero crossings of the sinc on each side. A tone just beyond the lower rate's band folds back 44 dB softer, one a tenth beyond it 62 dB (the tests).
const CROSSINGS: f64 = 24.0;
/// The part of the lower rate's band at which a tone has half its amplitude; up to 0.88 of the band it keeps its own.
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

    /// How much louder a tone is afterwards, in dB.
    fn gain(hz: f64, from: u32, to: u32) -> f64 {
        let changed = resampled(&tone(hz, from, 0.1), rate(from), rate(to));
        let middle = &changed[500..changed.len() - 500];
        let power = middle.iter().map(|sample| f64::from(*sample).powi(2)).sum::<f64>() / middle.len() as f64;
        10.0 * (2.0 * power).log10()
    }

    #[test]
    fn what_the_lower_rate_cannot_hold_is_left_out_and_not_folded_back() {
        for (from, to) in [(24_000, 22_050), (48_000, 24_000), (48_000, 16_000)] {
            let band = f64::from(to) / 2.0;
            let loudest = |beyond: &[f64]| {
                let tones = beyond.iter().map(|part| band * part).filter(|hz| *hz < f64::from(from) / 2.0);
                tones.map(|hz| gain(hz, from, to)).fold(f64::MIN, f64::max)
            };
            let near = loudest(&[1.0, 1.005, 1.01, 1.015, 1.018, 1.02, 1.022, 1.025, 1.03, 1.045, 1.06, 1.075, 1.09]);
            assert!(near < -43.5, "{from} to {to}: {near}");
            let far = loudest(&[1.1, 1.11, 1.12, 1.15, 1.2, 1.3, 1.5, 1.9]);
            assert!(far < -61.5, "{from} to {to}: {far}");
        }
    }

    #[test]
    fn what_the_lower_rate_can_hold_stays_as_loud() {
        for (from, to) in [(22_050, 24_000), (24_000, 22_050), (48_000, 16_000)] {
            let band = f64::from(from.min(to)) / 2.0;
            for part in [0.1, 0.3, 0.5, 0.7, 0.88] {
                let gain = gain(band * part, from, to);
                assert!(gain.abs() < 0.2, "{from} to {to}, {part} of the band: {gain}");
            }
        }
    }

    #[test]
    fn nothing_becomes_nothing_and_the_same_rate_the_same_samples() {
        assert!(resampled(&[], rate(22_050), rate(24_000)).is_empty());
        assert_eq!(resampled(&[0.5, -0.5], rate(24_000), rate(24_000)), [0.5, -0.5]);
    }
}
