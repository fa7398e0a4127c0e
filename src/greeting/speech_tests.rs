//! Speech with scripted voices: queue, deadlines, fall-back, rest. The real voices are heard in `tests/voices.rs`.

use std::collections::VecDeque;

use super::*;
use crate::greeting::{
    queue::PLACES,
    utterance::Priority,
    voice::{Moment, VoiceError, VoiceState},
};

/// What a scripted voice does with the next sentence; without a script it speaks.
#[derive(Debug, Clone, Copy)]
enum Does {
    Speaks,
    /// Speaks until the test lets it end.
    SpeaksOn,
    NeverBegins,
    BreaksOff,
}

#[derive(Default)]
struct Script {
    does: VecDeque<Does>,
    heard: Vec<String>,
    opened: usize,
    down: bool,
}

struct Scripted {
    name: &'static str,
    language: &'static str,
    script: Arc<Mutex<Script>>,
    go_on: Receiver<()>,
}

/// A voice's script, and the word that lets it end a sentence.
struct Hand {
    script: Arc<Mutex<Script>>,
    go_on: Sender<()>,
}

fn voice(name: &'static str, language: &'static str, does: &[Does]) -> (Box<dyn Voice>, Hand) {
    let script = Arc::new(Mutex::new(Script { does: does.iter().copied().collect(), ..Script::default() }));
    let (go_on, received) = bounded(8);
    (Box::new(Scripted { name, language, script: script.clone(), go_on: received }), Hand { script, go_on })
}

impl Voice for Scripted {
    fn name(&self) -> &str {
        self.name
    }

    fn open(&mut self) {
        let mut script = lock(&self.script);
        script.opened += 1;
        if script.opened > 1 {
            script.down = false;
        }
    }

    fn state(&self) -> VoiceState {
        if lock(&self.script).down { VoiceState::Down("it is down".into()) } else { VoiceState::Ready }
    }

    fn speaks(&self, language: &Language) -> bool {
        language.tag() == self.language
    }

    fn say(
        &mut self,
        utterance: &Utterance,
        from: usize,
        tell: &mut dyn FnMut(Moment),
        stop: &StopFlag,
    ) -> Result<(), VoiceError> {
        for (index, phrase) in utterance.phrases.iter().enumerate().skip(from) {
            let does = lock(&self.script).does.pop_front().unwrap_or(Does::Speaks);
            if matches!(does, Does::NeverBegins) {
                lock(&self.script).down = true;
                return Err(VoiceError::Silent { voice: self.name.into(), waited_ms: 1 });
            }
            lock(&self.script).heard.push(phrase.text.trim().to_owned());
            tell(Moment::PhraseBegun { phrase: index, at: Instant::now() });
            match does {
                Does::BreaksOff => {
                    lock(&self.script).down = true;
                    return Err(VoiceError::Lost { voice: self.name.into(), cause: "it broke off".into() });
                }
                Does::SpeaksOn => {
                    while self.go_on.recv_timeout(Duration::from_millis(5)).is_err() {
                        if stop.is_raised() {
                            return Err(VoiceError::Stopped);
                        }
                    }
                }
                _ => {}
            }
            tell(Moment::PhraseEnded { phrase: index, at: Instant::now() });
        }
        Ok(())
    }
}

fn speech(voices: Vec<Box<dyn Voice>>) -> Speech {
    speech_with(GreetingSettings { voice_begins_within_ms: 50, ..GreetingSettings::default() }, voices)
}

fn speech_with(settings: GreetingSettings, voices: Vec<Box<dyn Voice>>) -> Speech {
    let order = voices.iter().map(|voice| voice.name().to_owned()).collect();
    let settings = GreetingSettings { voices: order, ..settings };
    Speech::with_voices(&settings, voices, None)
}

fn sentence(id: u64, text: &str) -> Utterance {
    Utterance::new(id, "en".into(), text)
}

/// The next event, in short, but for the phrases'.
fn next(speech: &Speech) -> String {
    loop {
        let next = next_of_all(speech);
        if !next.contains("phrase") {
            return next;
        }
    }
}

fn next_of_all(speech: &Speech) -> String {
    match speech.events().recv_timeout(Duration::from_secs(5)) {
        Ok(SpeechEvent::PhraseBegun { id, phrase, .. }) => format!("{id} phrase {phrase} begun"),
        Ok(SpeechEvent::PhraseEnded { id, phrase, .. }) => format!("{id} phrase {phrase} ended"),
        Ok(SpeechEvent::Begun { id, voice, .. }) => format!("{id} begun by {voice}"),
        Ok(SpeechEvent::Finished { id }) => format!("{id} finished"),
        Ok(SpeechEvent::Shown { id, why }) => format!("{id} shown: {why}"),
        Ok(SpeechEvent::Dropped { id, why }) => format!("{id} dropped: {why}"),
        Ok(SpeechEvent::VoiceLost { voice, .. }) => format!("{voice} lost"),
        Ok(SpeechEvent::VoiceBack { voice }) => format!("{voice} back"),
        Err(_) => "nothing".into(),
    }
}

fn heard(hand: &Hand) -> Vec<String> {
    lock(&hand.script).heard.clone()
}

#[test]
fn visitors_are_greeted_one_after_the_other() {
    let (voice, hand) = voice("first", "en", &[]);
    let speech = speech(vec![voice]);
    speech.say(sentence(1, "Good morning, Mr Obama."));
    speech.say(sentence(2, "Good morning, Ms Collins."));
    let events: Vec<_> = (0..4).map(|_| next(&speech)).collect();
    assert_eq!(events, ["1 begun by first", "1 finished", "2 begun by first", "2 finished"]);
    assert_eq!(heard(&hand), ["Good morning,", "Mr Obama.", "Good morning,", "Ms Collins."]);
}

#[test]
fn a_phrase_that_breaks_off_is_said_again_whole_by_the_next_voice() {
    let (first, _first) = voice("first", "en", &[Does::BreaksOff]);
    let (second, hand) = voice("second", "en", &[]);
    let speech = speech(vec![first, second]);
    speech.say(sentence(1, "Good morning."));
    let events: Vec<_> = (0..4).map(|_| next(&speech)).collect();
    assert_eq!(events, ["1 begun by first", "first lost", "1 begun by second", "1 finished"]);
    assert_eq!(heard(&hand), ["Good morning."]);
}

#[test]
fn a_voice_that_failed_costs_the_next_visitor_nothing_and_comes_back_by_itself() {
    let (first, hand) = voice("first", "en", &[Does::NeverBegins]);
    let (second, _second) = voice("second", "en", &[]);
    let speech = speech(vec![first, second]);
    speech.say(sentence(1, "One."));
    speech.say(sentence(2, "Two."));
    let events: Vec<_> = (0..6).map(|_| next(&speech)).collect();
    assert_eq!(
        events,
        ["first lost", "1 begun by second", "1 finished", "2 begun by second", "2 finished", "first back"]
    );
    assert_eq!(lock(&hand.script).opened, 2);
    speech.say(sentence(3, "Three."));
    assert_eq!(next(&speech), "3 begun by first");
}

#[test]
fn a_greeting_that_no_voice_can_say_is_shown() {
    let (first, _first) = voice("first", "en", &[Does::NeverBegins]);
    let speech = speech(vec![first]);
    speech.say(sentence(1, "Good morning."));
    assert_eq!(next(&speech), "first lost");
    assert!(next(&speech).starts_with("1 shown: voice `first` has not begun to speak after 1 ms"));
    speech.say(Utterance { language: "yue".into(), ..sentence(2, "早晨。") });
    assert_eq!(next(&speech), "2 shown: it is down");
}

#[test]
fn each_language_goes_to_the_first_voice_that_speaks_it() {
    let (first, _first) = voice("first", "en", &[]);
    let (second, _second) = voice("second", "yue", &[]);
    let speech = speech(vec![first, second]);
    speech.say(Utterance { language: "yue".into(), ..sentence(1, "早晨。") });
    assert_eq!(next(&speech), "1 begun by second");
    assert_eq!(next(&speech), "1 finished");
    speech.say(Utterance { language: "fr".into(), ..sentence(2, "Bonjour.") });
    assert_eq!(next(&speech), "2 shown: no voice speaks fr now; `greeter doctor` lists them");
}

#[test]
fn a_name_that_comes_too_late_is_not_said() {
    let (voice, hand) = voice("first", "en", &[]);
    let speech = speech(vec![voice]);
    speech.say(Utterance { not_after: Some(Instant::now()), ..sentence(1, "Good morning, Mr Obama.") });
    assert_eq!(next(&speech), "1 dropped: too late to be said");
    assert!(heard(&hand).is_empty());
}

#[test]
fn when_too_much_is_to_be_said_the_oldest_that_has_not_begun_is_dropped() {
    let (voice, hand) = voice("first", "en", &[Does::SpeaksOn]);
    let speech = speech(vec![voice]);
    speech.say(sentence(0, "0"));
    assert_eq!(next(&speech), "0 begun by first");
    for id in 1..=PLACES as u64 + 2 {
        speech.say(sentence(id, &id.to_string()));
    }
    assert_eq!(next(&speech), "1 dropped: too much to say");
    assert_eq!(next(&speech), "2 dropped: too much to say");
    hand.go_on.send(()).unwrap();
    assert_eq!(next(&speech), "0 finished");
    for id in 3..=PLACES as u64 + 2 {
        assert_eq!(next(&speech), format!("{id} begun by first"));
        assert_eq!(next(&speech), format!("{id} finished"));
    }
    assert_eq!(heard(&hand), ["0", "3", "4", "5", "6", "7", "8", "9", "10"]);
}

#[test]
fn stopping_silences_the_sentence_that_is_being_said_and_drops_the_others() {
    let (voice, _hand) = voice("first", "en", &[Does::SpeaksOn]);
    let speech = speech(vec![voice]);
    speech.say(sentence(1, "One."));
    assert_eq!(next(&speech), "1 begun by first");
    speech.say(sentence(2, "Two."));
    speech.stop();
    assert_eq!(next(&speech), "2 dropped: stopped");
    assert_eq!(next(&speech), "1 dropped: stopped");
    speech.say(sentence(3, "Three."));
    assert_eq!(next(&speech), "3 begun by first");
}

#[test]
fn the_program_ends_within_a_second_while_the_robot_speaks() {
    let (voice, _hand) = voice("first", "en", &[Does::SpeaksOn]);
    let speech = speech(vec![voice]);
    speech.say(sentence(1, "One."));
    assert_eq!(next(&speech), "1 begun by first");
    let asked = Instant::now();
    drop(speech);
    assert!(asked.elapsed() < Duration::from_secs(1));
}

#[test]
fn a_caller_who_takes_no_events_holds_up_nobody_and_loses_the_oldest() {
    let (voice, hand) = voice("first", "en", &[Does::SpeaksOn]);
    let speech = speech(vec![voice]);
    speech.say(sentence(0, "0"));
    assert_eq!(next_of_all(&speech), "0 begun by first");
    assert_eq!(next_of_all(&speech), "0 phrase 0 begun");
    for id in 1..=(EVENTS + PLACES) as u64 + 5 {
        speech.say(sentence(id, ""));
    }
    assert_eq!(speech.lost_events(), 5);
    assert_eq!(next(&speech), "6 dropped: too much to say");
    hand.go_on.send(()).unwrap();
}

#[test]
fn a_screen_can_follow_phrase_by_phrase() {
    let (voice, _hand) = voice("first", "en", &[]);
    let speech = speech(vec![voice]);
    speech.say(sentence(1, "Good morning, Mr Obama."));
    let events: Vec<_> = (0..6).map(|_| next_of_all(&speech)).collect();
    let told = ["begun by first", "phrase 0 begun", "phrase 0 ended", "phrase 1 begun", "phrase 1 ended", "finished"];
    assert_eq!(events, told.map(|event| format!("1 {event}")));
}

#[test]
fn what_was_heard_to_its_end_is_not_said_again_by_the_next_voice() {
    let (first, before) = voice("first", "en", &[Does::Speaks, Does::BreaksOff]);
    let (second, after) = voice("second", "en", &[]);
    let speech = speech(vec![first, second]);
    speech.say(sentence(1, "Good morning, Mr Obama. Please go to counter 3."));
    let events: Vec<_> = (0..4).map(|_| next(&speech)).collect();
    assert_eq!(events, ["1 begun by first", "first lost", "1 begun by second", "1 finished"]);
    assert_eq!(heard(&before), ["Good morning,", "Mr Obama."]);
    assert_eq!(heard(&after), ["Mr Obama.", "Please go to counter 3."]);
}

#[test]
fn something_urgent_silences_a_greeting_and_the_next_visitor_does_not() {
    let (voice, hand) = voice("first", "en", &[Does::SpeaksOn]);
    let speech = speech(vec![voice]);
    speech.say(sentence(1, "Good morning."));
    assert_eq!(next(&speech), "1 begun by first");
    speech.say(sentence(2, "Good evening."));
    speech.say(Utterance { priority: Priority::Urgent, ..sentence(3, "Please leave the building.") });
    assert_eq!(next(&speech), "1 dropped: something more important was to be said");
    assert_eq!([next(&speech), next(&speech)], ["3 begun by first", "3 finished"]);
    assert_eq!([next(&speech), next(&speech)], ["2 begun by first", "2 finished"]);
    assert_eq!(heard(&hand), ["Good morning.", "Please leave the building.", "Good evening."]);
}

#[test]
fn a_greeting_whose_visitor_has_left_makes_room_for_the_next_one() {
    let (voice, hand) = voice("first", "en", &[Does::SpeaksOn]);
    let speech = speech(vec![voice]);
    speech.say(sentence(1, "Good morning."));
    assert_eq!(next(&speech), "1 begun by first");
    speech.say(sentence(2, "Good afternoon."));
    speech.hush(2, false);
    assert_eq!(next(&speech), "2 dropped: its visitor has left");
    speech.hush(1, false);
    speech.say(sentence(3, "Good evening."));
    assert_eq!([next(&speech), next(&speech)], ["1 dropped: its visitor has left", "3 begun by first"]);
    assert_eq!(heard(&hand), ["Good morning.", "Good evening."]);
}

#[test]
fn in_a_quiet_hour_greetings_are_shown_and_nothing_is_said() {
    let (voice, hand) = voice("first", "en", &[]);
    let quiet_hours = vec!["00:00-24:00".to_owned().try_into().unwrap()];
    let speech = speech_with(GreetingSettings { quiet_hours, ..GreetingSettings::default() }, vec![voice]);
    speech.say(sentence(1, "Good morning."));
    assert_eq!(next(&speech), "1 shown: it is a quiet hour (`greeting.quiet_hours`)");
    assert!(heard(&hand).is_empty());
}
