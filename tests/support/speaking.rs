//! Speech in a hall, for tests: each runs again as a process of its own whose environment is the hall's; what it waits for is told by events.

#![allow(dead_code, reason = "each test uses a part of it")]

use std::{
    collections::BTreeMap,
    process::Command,
    time::{Duration, Instant},
};

use greeter::{
    config::GreetingSettings,
    greeting::{
        speech::{Speech, SpeechEvent},
        utterance::Utterance,
    },
    person::Language,
};

use super::hall::{self, env_of};

/// The daemon lists its voices four times before it is ready, on a machine that does other things as well.
pub const READY: Duration = Duration::from_secs(60);

/// Runs `test` in a process whose environment is a hall's, and then some.
pub fn in_a_hall(name: &str, more: &[(&str, &str)], test: fn(&std::path::Path)) {
    const HERE: &str = "GREETER_TEST_HALL";
    if let Some(home) = std::env::var_os(HERE) {
        return test(home.as_ref());
    }
    let folder = tempfile::Builder::new().prefix("hall").tempdir().unwrap();
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", name, "--nocapture", "--test-threads=1"])
        .envs(env_of(folder.path()))
        .envs(more.iter().copied())
        .env(HERE, folder.path())
        .output()
        .unwrap();
    hall::clear(folder.path());
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    let told = |line: &'_ str| ["measured: ", "skipped: "].iter().find_map(|word| line.find(word));
    for line in said.lines().filter_map(|line| told(line).map(|at| &line[at..])) {
        println!("{name}: {line}");
    }
    assert!(output.status.success() && said.contains("1 passed"), "{name}: {}\n{said}", output.status);
}

/// The machine that runs the tests may be busy with others of them: a voice has more time to begin than in a real hall.
pub const PATIENT_MS: u64 = 4000;
pub const BEGINS_WITHIN: Duration = Duration::from_millis(PATIENT_MS);

pub fn settings(voices: &[&str]) -> GreetingSettings {
    GreetingSettings {
        voices: voices.iter().map(|name| (*name).to_owned()).collect(),
        // No language has an order of its own.
        voices_by_language: BTreeMap::new(),
        voice_begins_within_ms: PATIENT_MS,
        ..GreetingSettings::default()
    }
}

pub fn english() -> Vec<Language> {
    vec!["en".into()]
}

pub fn sentence(id: u64, text: &str) -> Utterance {
    Utterance::new(id, "en".into(), text)
}

/// Waits for an event; the others on the way are returned with it, it last.
pub fn wait(speech: &Speech, within: Duration, wanted: impl Fn(&SpeechEvent) -> bool) -> Vec<SpeechEvent> {
    let until = Instant::now() + within;
    let mut seen = Vec::new();
    while !seen.last().is_some_and(&wanted) {
        match speech.events().recv_deadline(until) {
            Ok(event) => seen.push(event),
            Err(_) => panic!("not within {within:?}; seen: {seen:?}"),
        }
    }
    seen
}

/// Says a sentence that is not counted until the voice speaks it, so that the voice is warm.
pub fn warm(speech: &Speech, voice: &str) {
    let until = Instant::now() + READY;
    for id in 1000.. {
        assert!(Instant::now() < until, "voice {voice} was not ready within {READY:?}");
        speech.say(sentence(id, "Good evening."));
        let seen = wait(speech, READY, |event| {
            matches!(event, SpeechEvent::Finished { .. } | SpeechEvent::Shown { .. } | SpeechEvent::Dropped { .. })
        });
        if matches!(begun(&seen), Some((_, by)) if by == voice) {
            return;
        }
        std::thread::sleep(Duration::from_millis(300));
    }
}

/// When and by which voice a sentence was last begun.
pub fn begun(events: &[SpeechEvent]) -> Option<(Instant, String)> {
    events.iter().rev().find_map(|event| match event {
        SpeechEvent::Begun { at, voice, .. } => Some((*at, voice.clone())),
        _ => None,
    })
}

pub fn is_finished(id: u64) -> impl Fn(&SpeechEvent) -> bool {
    move |event| *event == SpeechEvent::Finished { id }
}
