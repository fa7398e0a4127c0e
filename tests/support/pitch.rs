//! The pitch of a voice, as a listener follows it, and which of Mandarin's four tones a syllable has.

/// Seconds between two looks at the pitch, and how much sound each looks at.
const STEP: f32 = 0.005;
const LOOK: f32 = 0.035;
/// Hz that a voice's pitch lies between; a third tone creaks.
const LOWEST: f32 = 75.0;
const HIGHEST: f32 = 520.0;
/// How much alike a sound is to itself a period later, 0 to 1, for it to have a pitch.
const VOICED: f32 = 0.55;

/// The pitch in semitones above 100 Hz where the sound is voiced and not fading, from its start to its end.
pub fn contour(mono: &[f32], rate: u32) -> Vec<f32> {
    let (step, look) = ((STEP * rate as f32) as usize, (LOOK * rate as f32) as usize);
    let power = |frame: &[f32]| frame.iter().map(|sample| sample * sample).sum::<f32>();
    let frames: Vec<&[f32]> = mono.windows(look * 2).step_by(step).collect();
    let loudest = frames.iter().map(|frame| power(&frame[..look])).fold(0.0, f32::max);
    let heard = frames.iter().filter(|frame| power(&frame[..look]) > 0.02 * loudest);
    heard.filter_map(|frame| period(frame, look, rate)).map(|hz| 12.0 * (hz / 100.0).log2()).collect()
}

/// The pitch in Hz: the shortest delay at which the sound is nearly as much like itself as at the best one.
fn period(frame: &[f32], look: usize, rate: u32) -> Option<f32> {
    let first = &frame[..look];
    let own: f32 = first.iter().map(|sample| sample * sample).sum();
    let alike = |lag: usize| {
        let later = &frame[lag..lag + look];
        let theirs: f32 = later.iter().map(|sample| sample * sample).sum();
        let common: f32 = first.iter().zip(later).map(|(a, b)| a * b).sum();
        common / (own * theirs).sqrt().max(f32::MIN_POSITIVE)
    };
    let lags = (rate as f32 / HIGHEST) as usize..=((rate as f32 / LOWEST) as usize).min(look);
    let scores: Vec<(usize, f32)> = lags.map(|lag| (lag, alike(lag))).collect();
    let best = scores.iter().map(|(_, score)| *score).fold(0.0, f32::max);
    let peak = |pair: &[(usize, f32)]| pair[1].1 >= pair[0].1 && pair[1].1 >= pair[2].1 && pair[1].1 > 0.93 * best;
    let lag = scores.windows(3).find(|three| peak(three)).map(|three| three[1].0)?;
    (best > VOICED).then(|| rate as f32 / lag as f32)
}

/// The middle of the voice's range, in semitones above 100 Hz: 252 Hz.
const MIDDLE: f32 = 16.0;
/// Semitones by which a pitch rises or falls when it is not level.
const RISES: f32 = 0.8;
const FALLS: f32 = 0.5;

/// The tone of a syllable said by itself: one that rises from its middle to its end is the second; one whose middle is low the third; one that
/// falls the fourth; one that stays high the first. `None` where there is no pitch. (Chao's letters are 35, 214, 51 and 55.)
pub fn tone(contour: &[f32]) -> Option<i32> {
    let between = |from: f32, to: f32| {
        let at = |share: f32| (share * contour.len() as f32) as usize;
        let mut part = contour.get(at(from)..at(to).max(at(from) + 1))?.to_vec();
        part.sort_by(f32::total_cmp);
        Some(part[part.len() / 2])
    };
    let (start, middle, end) = (between(0.1, 0.3)?, between(0.3, 0.6)?, between(0.75, 0.95)?);
    Some(match () {
        () if end - middle > RISES && middle < MIDDLE + 1.0 => 2,
        () if middle < MIDDLE => 3,
        () if start - end > FALLS => 4,
        () => 1,
    })
}
