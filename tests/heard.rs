//! What reaches the loudspeaker is what was rendered, and every voice is as loud as the others.
//!
//! Each test runs itself again as a process of its own whose environment is the hall's.

#[path = "support/hall.rs"]
mod hall;
#[path = "support/speaking.rs"]
mod speaking;

use std::{
    io::Write,
    num::NonZero,
    path::Path,
    process::{Command, Stdio},
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
    let heard = said(&speech, hall, || Utterance::new(1, language.into(), text));
    heard.iter().map(|sample| f32::from(*sample) / 32_768.0).collect()
}

/// What a visitor hears of an utterance, which is said again until the voice is open.
fn said(speech: &Speech, hall: &Hall, utterance: impl Fn() -> Utterance) -> Vec<i16> {
    let until = Instant::now() + WITHIN;
    loop {
        let asked = Instant::now();
        speech.say(utterance());
        let end = std::iter::from_fn(|| speech.events().recv_deadline(until).ok()).find(|event| {
            matches!(event, SpeechEvent::Finished { .. } | SpeechEvent::Shown { .. } | SpeechEvent::Dropped { .. })
        });
        match end {
            Some(SpeechEvent::Finished { .. }) => {
                std::thread::sleep(Duration::from_millis(600));
                return hall.heard_since(asked);
            }
            // It is still being opened.
            Some(_) if Instant::now() < until => std::thread::sleep(Duration::from_millis(300)),
            other => panic!("not said: {other:?}"),
        }
    }
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

/// Frequent surnames of the United States, from all over the world.
const SURNAMES: [&str; 60] = [
    "Smith",
    "Johnson",
    "Williams",
    "Brown",
    "Jones",
    "Garcia",
    "Miller",
    "Davis",
    "Rodriguez",
    "Martinez",
    "Hernandez",
    "Lopez",
    "Gonzalez",
    "Wilson",
    "Anderson",
    "Thomas",
    "Taylor",
    "Moore",
    "Jackson",
    "Martin",
    "Lee",
    "Perez",
    "Thompson",
    "White",
    "Harris",
    "Sanchez",
    "Clark",
    "Ramirez",
    "Lewis",
    "Robinson",
    "Walker",
    "Young",
    "Allen",
    "King",
    "Wright",
    "Scott",
    "Torres",
    "Nguyen",
    "Hill",
    "Flores",
    "Green",
    "Adams",
    "Nelson",
    "Baker",
    "Hall",
    "Rivera",
    "Campbell",
    "Mitchell",
    "Carter",
    "Roberts",
    "Collins",
    "Obama",
    "Murphy",
    "Kelly",
    "Cooper",
    "Peterson",
    "Bailey",
    "Reed",
    "Sullivan",
    "Bennett",
];

/// A greeting, `{}` being the surname, as it is written for the recogniser.
const GREETING: &str = "Good morning, Mr. {}. Please go to counter 3.";

/// The surname that each recording of [`GREETING`] is heard to have, and what the recogniser makes of the recording by itself.
fn surnames_in(sounds: &[Vec<i16>]) -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut recogniser = Command::new(root.join(".runtime/hear-python/bin/python"))
        .arg(root.join("tests/support/hear_names.py"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the recogniser, which `scripts/test.sh --long surnames` installs");
    let lengths: Vec<usize> = sounds.iter().map(Vec::len).collect();
    let asked = serde_json::json!({ "names": SURNAMES.as_slice(), "sentence": GREETING, "lengths": lengths });
    let mut input = serde_json::to_vec(&asked).unwrap();
    input.push(b'\n');
    input.extend(sounds.iter().flatten().flat_map(|sample| sample.to_le_bytes()));
    let mut entrance = recogniser.stdin.take().unwrap();
    let writing = std::thread::spawn(move || entrance.write_all(&input));
    let output = recogniser.wait_with_output().unwrap();
    writing.join().unwrap().unwrap();
    let lines = std::str::from_utf8(&output.stdout).unwrap().lines();
    let line = |line: &str| -> serde_json::Value { serde_json::from_str(line).unwrap() };
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    lines.map(line).map(|line| (text(&line["name"]), text(&line["heard"]))).collect()
}

#[test]
fn sixty_surnames_are_heard_right_in_english_greetings() {
    if std::env::var_os("GREETER_LONG").is_none() {
        println!("skipped: sixty surnames are heard with `scripts/test.sh --long surnames`");
        return;
    }
    in_a_hall("sixty_surnames_are_heard_right_in_english_greetings", &[], |home| {
        let hall = &Hall::opens_in(home);
        let speech = Speech::start(&settings("tts"), &["en".into()]);
        let greet = |(id, surname): (u64, &str)| {
            let text = GREETING.replace("Mr. {}", &format!("Mr {surname}"));
            said(&speech, hall, || Utterance::new(id, "en".into(), &text))
        };
        let sounds: Vec<Vec<i16>> = (1..).zip(SURNAMES).map(greet).collect();
        let heard = surnames_in(&sounds);
        assert_eq!(heard.len(), SURNAMES.len());
        let verbatim = heard.iter().zip(SURNAMES).filter(|((_, heard), surname)| heard.contains(surname)).count();
        let wrong: Vec<_> = heard.iter().zip(SURNAMES).filter(|((name, _), surname)| name != surname).collect();
        println!(
            "measured: of 60 surnames {} are heard among 59 others, {verbatim} without being told any",
            60 - wrong.len()
        );
        assert!(wrong.is_empty(), "{wrong:?}");
    });
}
