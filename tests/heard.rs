//! What reaches the loudspeaker is what was rendered, and every voice is as loud as the others.
//!
//! Each test runs itself again as a process of its own whose environment is the hall's.

#[path = "support/hall.rs"]
mod hall;
#[path = "support/speaking.rs"]
mod speaking;

use std::{
    num::NonZero,
    time::{Duration, Instant},
};

use greeter::{
    config::GreetingSettings,
    greeting::{
        audition, loudness,
        resample::resampled,
        speech::{self, Speech, SpeechEvent},
        utterance::Utterance,
    },
};
use hall::{Hall, RATE};
use speaking::in_a_hall;

/// Long enough for a machine that is busy with other tests.
const WITHIN: Duration = Duration::from_secs(60);
/// Both sounds are compared at this rate: a shift of half a sample then changes nothing that is heard.
const COMPARED: u32 = 48_000;

fn settings(voice: &str) -> GreetingSettings {
    GreetingSettings {
        voices: vec![voice.to_owned()],
        voices_by_language: Default::default(),
        voice_begins_within_ms: 8000,
        volume: 1.0,
        chime: false,
        ..GreetingSettings::default()
    }
}

/// What a visitor hears when a voice says a text, 16 kHz, between -1 and 1.
fn heard(hall: &Hall, voice: &str, language: &str, text: &str) -> Vec<f32> {
    let speech = Speech::start(&settings(voice), &[language.into()]);
    let until = Instant::now() + WITHIN;
    for id in 1.. {
        let asked = Instant::now();
        speech.say(Utterance::new(id, language.into(), text));
        let end = std::iter::from_fn(|| speech.events().recv_deadline(until).ok()).find(|event| {
            matches!(event, SpeechEvent::Finished { .. } | SpeechEvent::Shown { .. } | SpeechEvent::Dropped { .. })
        });
        match end {
            Some(SpeechEvent::Finished { .. }) => {
                std::thread::sleep(Duration::from_millis(600));
                return hall.heard_since(asked).iter().map(|sample| f32::from(*sample) / 32_768.0).collect();
            }
            // It is still being opened.
            Some(_) if Instant::now() < until => std::thread::sleep(Duration::from_millis(300)),
            other => panic!("{voice} did not speak {language}: {other:?}"),
        }
    }
    unreachable!("there are more numbers than seconds")
}

/// The best correlation of `part` with any stretch of `whole`, both at [`COMPARED`].
fn correlation(whole: &[f32], part: &[f32]) -> f64 {
    let at = |shift: usize, step: usize| {
        let (mut both, mut theirs, mut ours) = (0.0, 0.0, 0.0);
        for (heard, made) in whole[shift..].iter().zip(part).step_by(step) {
            let (heard, made) = (f64::from(*heard), f64::from(*made));
            (both, theirs, ours) = (both + heard * made, theirs + heard * heard, ours + made * made);
        }
        both / (theirs * ours).sqrt().max(f64::MIN_POSITIVE)
    };
    let last = whole.len().saturating_sub(part.len());
    let coarse = (0..=last).step_by(2).max_by(|a, b| at(*a, 7).total_cmp(&at(*b, 7))).unwrap();
    (coarse.saturating_sub(4)..=(coarse + 4).min(last)).map(|shift| at(shift, 1)).fold(-1.0, f64::max)
}

fn is_what_was_rendered(hall: &Hall, voice: &str, language: &str, text: &str) {
    let mut renderer = speech::renderer(voice, &settings(voice)).unwrap();
    audition::open(renderer.as_mut(), WITHIN).unwrap();
    let rendered = audition::whole(renderer.as_mut(), &Utterance::new(1, language.into(), text)).unwrap().samples;
    let rate = |hz: u32| NonZero::new(hz).unwrap();
    let made = resampled(&rendered.mono, rendered.rate, rate(16_000));
    let made = resampled(&made, rate(16_000), rate(COMPARED));
    let heard = resampled(&heard(hall, voice, language, text), rate(RATE as u32), rate(COMPARED));
    let alike = correlation(&heard, &made);
    println!("measured: {voice} in {language}: what is heard correlates {alike:.4} with what was rendered");
    assert!(alike >= 0.99, "{voice} in {language}: {alike}");
}

#[test]
fn what_is_heard_is_what_was_rendered() {
    in_a_hall("what_is_heard_is_what_was_rendered", &[], |home| {
        let hall = &Hall::opens_in(home);
        is_what_was_rendered(hall, "neural", "zh-CN", "请到三号窗口办理");
        is_what_was_rendered(hall, "espeak", "en", "Good morning Mister Collins");
    });
}

#[test]
fn every_voice_is_as_loud_as_every_other() {
    in_a_hall("every_voice_is_as_loud_as_every_other", &[], |home| {
        let hall = &Hall::opens_in(home);
        let (mandarin, english) =
            ("陈先生，早上好。请到三号窗口办理。", "Good morning, Mister Collins. Please go to counter three.");
        let sayings = [
            ("neural", "zh-CN", mandarin),
            ("espeak", "zh-CN", mandarin),
            ("espeak", "en", english),
            ("tts", "zh-CN", mandarin),
            ("tts", "yue", mandarin),
            ("tts", "en", english),
        ];
        let mut wrong = Vec::new();
        for (voice, language, text) in sayings {
            let found = loudness::of(&heard(hall, voice, language, text), RATE as u32).unwrap();
            println!("measured: {voice} in {language}: {found:.1} LUFS");
            if (found - loudness::TARGET).abs() > 1.0 {
                wrong.push(format!("{voice} in {language}: {found:.2} LUFS"));
            }
        }
        assert!(wrong.is_empty(), "not within 1 LU of {}: {wrong:?}", loudness::TARGET);
    });
}
