//! The real voices in a real hall: what is heard, by whom, how soon, and what happens when one of them is killed, hangs or is absent.
//!
//! Each test runs itself again as a process of its own whose environment is the hall's.

#[path = "support/hall.rs"]
mod hall;
#[path = "support/speaking.rs"]
mod speaking;

use std::time::{Duration, Instant};

use greeter::{
    config::GreetingSettings,
    greeting::{
        speech::{Speech, SpeechEvent},
        utterance::Utterance,
        voices_report::voices_report,
    },
    person::Language,
};
use hall::{Hall, hear};
use speaking::{BEGINS_WITHIN, READY, begun, english, in_a_hall, is_finished, sentence, settings, wait, warm};

const MORNING: &str = "Good morning, Mr Obama. Please go to counter 3, on the left.";
const AFTERNOON: &str = "Good afternoon, Ms Collins. Please go to counter 2, on the right.";
/// What may be heard: what is said, and decoys that differ from it in one word.
const SENTENCES: [&str; 7] = [
    MORNING,
    AFTERNOON,
    "Good morning, Mr Collins. Please go to counter 3, on the left.",
    "Good morning, Mr Obama. Please go to counter 2, on the left.",
    "Good evening, Mr Obama. Please go to counter 3, on the right.",
    "Good afternoon, Ms Chen. Please go to counter 2, on the right.",
    "Good afternoon, and welcome. Please ask at reception.",
];
/// The sound since then, with the tail that is still on its way.
fn heard(hall: &Hall, since: Instant) -> String {
    std::thread::sleep(Duration::from_millis(500));
    hear(&hall.heard_since(since), &SENTENCES)
}

fn speaks_word_for_word(home: &std::path::Path, voice: &str) {
    let hall = Hall::opens_in(home);
    let speech = Speech::start(&settings(&[voice]), &english());
    warm(&speech, voice);
    for (id, text) in [(1, MORNING), (2, AFTERNOON)] {
        std::thread::sleep(Duration::from_millis(700));
        let asked = Instant::now();
        speech.say(sentence(id, text));
        let events = wait(&speech, Duration::from_secs(30), is_finished(id));
        let finished = Instant::now();
        let (at, by) = begun(&events).unwrap();
        assert_eq!(by, voice);
        assert_eq!(heard(&hall, asked), text);
        let sound = hall.speech_after(asked).unwrap();
        let after = |at: Instant| at.saturating_duration_since(asked).as_millis();
        println!(
            "measured: {voice}: said to begun {} ms, said to heard {} ms, finished after {} ms",
            after(at),
            after(sound),
            after(finished)
        );
        assert!(at - asked < BEGINS_WITHIN, "begun after {:?}", at - asked);
        let apart = if sound > at { sound - at } else { at - sound };
        assert!(apart < Duration::from_millis(1500), "begun and heard are {apart:?} apart");
    }
}

#[test]
fn the_tts_voice_is_heard_word_for_word() {
    in_a_hall("the_tts_voice_is_heard_word_for_word", &[], |home| {
        speaks_word_for_word(home, "tts");
        let log = home.join("run/speech-dispatcher/log");
        for entry in std::fs::read_dir(log).unwrap().flatten().filter(|entry| entry.path().is_file()) {
            let text = std::fs::read(entry.path()).unwrap();
            assert!(!text.windows(5).any(|word| word == b"Obama"), "a name is in {}", entry.path().display());
        }
    });
}

#[test]
fn the_espeak_voice_is_heard_word_for_word() {
    in_a_hall("the_espeak_voice_is_heard_word_for_word", &[], |home| speaks_word_for_word(home, "espeak"));
}

#[test]
fn when_speech_dispatcher_is_killed_in_mid_word_the_visitor_still_hears_everything_and_it_comes_back() {
    let name = "when_speech_dispatcher_is_killed_in_mid_word_the_visitor_still_hears_everything_and_it_comes_back";
    in_a_hall(name, &[], |home| {
        let hall = Hall::opens_in(home);
        let speech = Speech::start(&settings(&["tts", "espeak"]), &english());
        warm(&speech, "tts");
        std::thread::sleep(Duration::from_millis(700));
        let asked = Instant::now();
        speech.say(sentence(1, MORNING));
        hall.hears_speech(asked, Duration::from_secs(10));
        std::thread::sleep(Duration::from_millis(600));
        assert!(hall.kill_speech_dispatcher());
        let killed = Instant::now();
        let events = wait(&speech, Duration::from_secs(30), is_finished(1));
        let voices: Vec<_> = events
            .iter()
            .filter_map(|event| match event {
                SpeechEvent::Begun { voice, .. } => Some(voice.as_str()),
                SpeechEvent::VoiceLost { voice, .. } => Some(if voice == "tts" { "tts lost" } else { "another lost" }),
                _ => None,
            })
            .collect();
        assert_eq!(voices, ["tts", "tts lost", "espeak"]);
        let again = begun(&events).unwrap().0 - killed;
        println!("measured: killed in mid-word, said again after {} ms", again.as_millis());
        assert!(again < BEGINS_WITHIN);

        std::thread::sleep(Duration::from_millis(700));
        let next = Instant::now();
        speech.say(sentence(2, AFTERNOON));
        let events = wait(&speech, Duration::from_secs(30), is_finished(2));
        assert!(begun(&events).unwrap().0 - next < BEGINS_WITHIN);
        assert_eq!(heard(&hall, next), AFTERNOON);

        let back = events.into_iter().any(|event| event == SpeechEvent::VoiceBack { voice: "tts".into() });
        if !back {
            wait(&speech, READY, |event| *event == SpeechEvent::VoiceBack { voice: "tts".into() });
        }
        println!("measured: speech-dispatcher back after {} ms", killed.elapsed().as_millis());
        let last = Instant::now();
        speech.say(sentence(3, MORNING));
        let events = wait(&speech, Duration::from_secs(30), is_finished(3));
        assert_eq!(begun(&events).unwrap().1, "tts");
        assert_eq!(heard(&hall, last), MORNING);
    });
}

#[test]
fn when_only_the_synthesiser_under_speech_dispatcher_is_killed_the_visitor_still_hears_everything() {
    let name = "when_only_the_synthesiser_under_speech_dispatcher_is_killed_the_visitor_still_hears_everything";
    in_a_hall(name, &[], |home| {
        let hall = Hall::opens_in(home);
        let speech = Speech::start(&settings(&["tts", "espeak"]), &english());
        warm(&speech, "tts");
        std::thread::sleep(Duration::from_millis(700));
        let asked = Instant::now();
        speech.say(sentence(1, MORNING));
        hall.hears_speech(asked, Duration::from_secs(10));
        std::thread::sleep(Duration::from_millis(600));
        assert!(hall.kill_synthesisers());
        let killed = Instant::now();
        let events = wait(&speech, Duration::from_secs(40), is_finished(1));
        let (at, voice) = begun(&events).unwrap();
        println!("measured: synthesiser killed, said again after {} ms", (at - killed).as_millis());
        assert_eq!(voice, "espeak");
        assert!(at - killed < Duration::from_millis(300), "{:?}", at - killed);
        std::thread::sleep(Duration::from_millis(700));
        let next = Instant::now();
        speech.say(sentence(2, AFTERNOON));
        wait(&speech, Duration::from_secs(40), is_finished(2));
        assert_eq!(heard(&hall, next), AFTERNOON);
    });
}

#[test]
fn when_speech_dispatcher_hangs_the_next_voice_speaks_and_the_program_still_ends() {
    in_a_hall("when_speech_dispatcher_hangs_the_next_voice_speaks_and_the_program_still_ends", &[], |home| {
        let hall = Hall::opens_in(home);
        // Here the shipped limit counts: it is what a visitor waits.
        let settings = GreetingSettings { voice_begins_within_ms: 800, ..settings(&["tts", "espeak"]) };
        let speech = Speech::start(&settings, &english());
        warm(&speech, "tts");
        std::thread::sleep(Duration::from_millis(700));
        assert!(hall.speech_dispatcher_hangs());
        let asked = Instant::now();
        speech.say(sentence(1, MORNING));
        let events = wait(&speech, Duration::from_secs(30), is_finished(1));
        let (at, voice) = begun(&events).unwrap();
        assert_eq!(voice, "espeak");
        println!("measured: hanging, another voice begins after {} ms", (at - asked).as_millis());
        assert!(at - asked < BEGINS_WITHIN);
        assert_eq!(heard(&hall, asked), MORNING);

        let next = Instant::now();
        speech.say(sentence(2, AFTERNOON));
        let events = wait(&speech, Duration::from_secs(30), |event| matches!(event, SpeechEvent::Begun { id: 2, .. }));
        assert!(
            begun(&events).unwrap().0 - next < Duration::from_millis(700),
            "the second visitor does not wait for it"
        );
        let ending = Instant::now();
        drop(speech);
        println!("measured: hanging, ended after {} ms", ending.elapsed().as_millis());
        assert!(ending.elapsed() < Duration::from_secs(1));
        hall.speech_dispatcher_goes_on();
    });
}

#[test]
fn without_speech_dispatcher_the_visitor_is_greeted_by_espeak_ng() {
    let absent = [("SPEECHD_CMD", "/nonexistent/speech-dispatcher")];
    in_a_hall("without_speech_dispatcher_the_visitor_is_greeted_by_espeak_ng", &absent, |home| {
        let hall = Hall::opens_in(home);
        let speech = Speech::start(&settings(&["tts", "espeak"]), &english());
        let lost = wait(&speech, Duration::from_secs(20), |event| matches!(event, SpeechEvent::VoiceLost { .. }));
        let Some(SpeechEvent::VoiceLost { voice, why }) = lost.last() else { panic!("{lost:?}") };
        assert_eq!(voice, "tts");
        assert!(why.contains("sudo apt-get install speech-dispatcher"), "{why}");
        let asked = Instant::now();
        speech.say(sentence(1, MORNING));
        let events = wait(&speech, Duration::from_secs(30), is_finished(1));
        assert_eq!(begun(&events).unwrap().1, "espeak");
        assert_eq!(heard(&hall, asked), MORNING);
    });
}

#[test]
fn without_any_sound_device_the_text_is_shown_and_nothing_waits() {
    // No hall is opened: the environment names a sound server that does not exist.
    let more = [("SPEECHD_CMD", "/nonexistent/speech-dispatcher")];
    in_a_hall("without_any_sound_device_the_text_is_shown_and_nothing_waits", &more, |home| {
        std::fs::write(home.join(".asoundrc"), "pcm.!default { type pulse }\nctl.!default { type pulse }\n").unwrap();
        let speech = Speech::start(&settings(&["tts", "espeak"]), &english());
        for id in 1..=3 {
            let asked = Instant::now();
            speech.chime();
            speech.say(sentence(id, MORNING));
            let events = wait(&speech, Duration::from_secs(10), |event| matches!(event, SpeechEvent::Shown { .. }));
            assert!(matches!(events.last(), Some(SpeechEvent::Shown { id: shown, .. }) if *shown == id));
            println!("measured: without sound, shown after {} ms", asked.elapsed().as_millis());
            assert!(asked.elapsed() < Duration::from_secs(2));
        }
        let report = voices_report(&settings(&["espeak"]), &english());
        assert!(
            report[0].first_sample.as_ref().is_err_and(|problem| problem.starts_with("no sound device")),
            "{report:?}"
        );
        let ending = Instant::now();
        drop(speech);
        assert!(ending.elapsed() < Duration::from_secs(1));
    });
}

#[test]
fn a_loudspeaker_that_is_switched_on_later_is_used() {
    let more = [("SPEECHD_CMD", "/nonexistent/speech-dispatcher")];
    in_a_hall("a_loudspeaker_that_is_switched_on_later_is_used", &more, |home| {
        std::fs::write(home.join(".asoundrc"), "pcm.!default { type pulse }\nctl.!default { type pulse }\n").unwrap();
        let speech = Speech::start(&settings(&["espeak"]), &english());
        speech.say(sentence(1, MORNING));
        wait(&speech, Duration::from_secs(10), |event| matches!(event, SpeechEvent::Shown { id: 1, .. }));
        let hall = Hall::opens_in(home);
        wait(&speech, Duration::from_secs(30), |event| *event == SpeechEvent::VoiceBack { voice: "espeak".into() });
        let asked = Instant::now();
        speech.say(sentence(2, MORNING));
        wait(&speech, Duration::from_secs(30), is_finished(2));
        assert_eq!(heard(&hall, asked), MORNING);

        // And one that is taken away is missed at once, and found again.
        drop(hall);
        let asked = Instant::now();
        speech.say(sentence(3, MORNING));
        wait(&speech, Duration::from_secs(10), |event| matches!(event, SpeechEvent::Shown { id: 3, .. }));
        println!("measured: loudspeaker gone, shown after {} ms", asked.elapsed().as_millis());
        assert!(asked.elapsed() < Duration::from_secs(3));
    });
}

#[test]
fn the_chime_is_heard_and_does_not_delay_the_voice() {
    in_a_hall("the_chime_is_heard_and_does_not_delay_the_voice", &[], |home| {
        let hall = Hall::opens_in(home);
        let speech = Speech::start(&settings(&["tts", "espeak"]), &english());
        warm(&speech, "tts");
        std::thread::sleep(Duration::from_millis(700));
        let chimed = Instant::now();
        speech.chime();
        assert!(chimed.elapsed() < Duration::from_millis(50));
        hall.until("the chime is heard", Duration::from_secs(5), |hall| hall.chime_after(chimed));
        let sound = hall.first_sound_after(chimed, hall::AUDIBLE).unwrap();
        println!("measured: chime heard after {} ms", (sound - chimed).as_millis());
        std::thread::sleep(Duration::from_millis(900));
        assert_eq!(hall.speech_after(chimed), None, "the chime is not taken for speech");

        speech.chime();
        std::thread::sleep(Duration::from_millis(100));
        let asked = Instant::now();
        speech.say(sentence(1, MORNING));
        let events = wait(&speech, Duration::from_secs(30), is_finished(1));
        let at = begun(&events).unwrap().0;
        let sound = hall.speech_after(asked).unwrap();
        println!(
            "measured: with a chime, said to begun {} ms, to heard {} ms",
            (at - asked).as_millis(),
            (sound - asked).as_millis()
        );
        assert!(at - asked < BEGINS_WITHIN);
        assert_eq!(heard(&hall, asked), MORNING);
    });
}

#[test]
fn every_language_in_the_box_has_a_voice_and_the_mandarin_one_reads_chinese() {
    in_a_hall("every_language_in_the_box_has_a_voice_and_the_mandarin_one_reads_chinese", &[], |home| {
        let hall = Hall::opens_in(home);
        let languages = ["zh-CN", "yue", "en"].map(Language::from);
        let settings = settings(&["tts", "espeak"]);
        for status in voices_report(&settings, &languages) {
            assert!(status.first_sample.is_ok(), "{status:?}");
        }
        let speech = Speech::start(&settings, &languages);
        warm(&speech, "tts");
        let reads = |id: u64, language: &str| {
            let asked = Instant::now();
            speech.say(Utterance::new(id, language.into(), "早上好，请到三号窗口。"));
            let events = wait(&speech, Duration::from_secs(30), is_finished(id));
            let (at, voice) = begun(&events).unwrap();
            assert_eq!(voice, "tts");
            hall.hears_speech(asked, Duration::from_secs(1));
            at.elapsed()
        };
        // The English voice says "Chinese letter" ten times, which takes much longer than to read them.
        let spelt = reads(1, "en");
        let (mandarin, cantonese) = (reads(2, "zh-CN"), reads(3, "yue"));
        println!("measured: spelt {spelt:?}, Mandarin {mandarin:?}, Cantonese {cantonese:?}");
        assert!(
            mandarin < spelt.mul_f32(0.85) && cantonese < spelt.mul_f32(0.65),
            "{spelt:?} {mandarin:?} {cantonese:?}"
        );
    });
}
