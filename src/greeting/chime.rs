//! The chime: two soft tones that answer a visitor's attention. Made here, so that there is no file that could be missing.

use std::{f32::consts::TAU, num::NonZero, sync::LazyLock};

use super::{loudness, playing::Samples};

const RATE: NonZero<u32> = NonZero::new(44_100).unwrap();
/// Pitch in Hz and start in seconds: a fourth upwards.
const TONES: [(f32, f32); 2] = [(659.26, 0.0), (880.0, 0.14)];
/// Seconds.
const LENGTH: f32 = 0.55;
/// Below speech, in LU: it asks for nothing.
const SOFTER: f64 = 6.0;

static CHIME: LazyLock<Samples> = LazyLock::new(|| {
    let count = (LENGTH * RATE.get() as f32) as usize;
    let mut mono: Vec<f32> = (0..count)
        .map(|index| {
            let at = index as f32 / RATE.get() as f32;
            let end = ((LENGTH - at) / 0.05).min(1.0);
            TONES.iter().map(|(pitch, start)| tone(*pitch, at - start)).sum::<f32>() * end
        })
        .collect();
    loudness::level_to(loudness::TARGET - SOFTER, &mut mono, RATE.get());
    Samples { mono: mono.into(), rate: RATE }
});

/// A tone that rises in 8 ms and decays with a time constant of 120 ms. `at`: seconds after it starts.
fn tone(pitch: f32, at: f32) -> f32 {
    if at < 0.0 {
        return 0.0;
    }
    (at / 0.008).min(1.0) * (-at / 0.12).exp() * (TAU * pitch * at).sin()
}

pub(super) fn samples() -> &'static Samples {
    &CHIME
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_chime_is_soft_short_and_begins_and_ends_in_silence() {
        let samples = samples();
        assert!(samples.mono.len() < 6 * RATE.get() as usize / 10);
        let peak = samples.mono.iter().fold(0.0_f32, |peak, sample| peak.max(sample.abs()));
        assert!((0.08..0.3).contains(&peak), "{peak}");
        assert!(samples.mono[0].abs() < 0.001 && samples.mono[samples.mono.len() - 1].abs() < 0.001);
        let jump = samples.mono.windows(2).fold(0.0_f32, |jump, pair| jump.max((pair[1] - pair[0]).abs()));
        assert!(jump < 0.05, "a click: {jump}");
    }
}
