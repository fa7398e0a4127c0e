//! What visitors hear when the loudspeaker or a voice's file fails, and when many things are to be said at once.
//!
//! The voices here say tones, one pitch a voice, so that a recording shows which of them is heard, and whether two ever are.

#[path = "support/hall.rs"]
mod hall;
#[path = "support/speaking.rs"]
mod speaking;
#[path = "support/voice_files.rs"]
mod voice_files;

use std::{
    collections::BTreeMap,
    f32::consts::TAU,
    num::NonZero,
    time::{Duration, Instant},
};

use greeter::{
    config::GreetingSettings,
    greeting::{
        espeak::Espeak,
        neural::NeuralVoice,
        playing::Samples,
        rendered_voice::RenderedVoice,
        renderer::Renderer,
        sound::Sound,
        speech::{Speech, SpeechEvent},
        tts_voice::TtsVoice,
        utterance::{Priority, Utterance},
        voice::{StopFlag, Voice, VoiceError, VoiceState},
    },
    installation::Installation,
    person::Language,
};
use hall::{Hall, RATE};
use rand::{Rng, SeedableRng};
use speaking::{BEGINS_WITHIN, READY, begun, english, in_a_hall, is_finished, sentence, settings, wait, warm};

/// What the next voice, or the screen, may take after a loss.
const AFTER_A_LOSS: Duration = Duration::from_millis(300);

/// A voice whose every phrase is a tone of a length.
struct Tone {
    name: &'static str,
    pitch: f32,
    seconds: f32,
}

impl Renderer for Tone {
    fn name(&self) -> &str {
        self.name
    }

    fn open(&mut self) {}

    fn state(&self) -> VoiceState {
        VoiceState::Ready
    }

    fn speaks(&self, _: &Language) -> bool {
        true
    }

    fn render(&mut self, _: &str, _: &Language, _: f32, _: &StopFlag) -> Result<Samples, VoiceError> {
        let at = |index: usize| (index as f32 / 24_000.0 * self.pitch * TAU).sin() * 0.3;
        let mono: Vec<f32> = (0..(self.seconds * 24_000.0) as usize).map(at).collect();
        Ok(Samples { mono: mono.into(), rate: NonZero::new(24_000).unwrap() })
    }
}

fn rendered(renderer: impl Renderer + 'static, sound: &Sound, languages: &[Language]) -> Box<dyn Voice> {
    Box::new(RenderedVoice::new(Box::new(renderer), sound.clone(), languages, Duration::from_secs(4)))
}

#[test]
fn when_a_file_of_the_mandarin_voice_is_missing_or_damaged_the_next_voice_greets() {
    let name = "when_a_file_of_the_mandarin_voice_is_missing_or_damaged_the_next_voice_greets";
    in_a_hall(name, &[], |home| {
        let hall = Hall::opens_in(home);
        let mandarin = vec![Language::from("zh-CN")];
        let greeting = |id| Utterance::new(id, "zh-CN".into(), "陈先生，早上好。请到三号窗口办理。");
        for missing in [true, false] {
            let (folder, models) = voice_files::copy();
            match missing {
                true => std::fs::remove_file(models.join("baker-fastspeech2.onnx")).unwrap(),
                false => std::fs::write(models.join("baker-melgan.onnx"), "no network").unwrap(),
            }
            let sound = Sound::open(0.9);
            let neural = NeuralVoice::new(1.0, Box::new(Espeak::new(1.0))).of(Installation::at(folder.path()));
            let voices = vec![rendered(neural, &sound, &mandarin), rendered(Espeak::new(1.0), &sound, &mandarin)];
            let speech = Speech::with_voices(&settings(&["neural", "espeak"]), voices, Some(sound));
            wait_for_loudspeaker(&speech, greeting);
            let asked = Instant::now();
            speech.say(greeting(1));
            let events = wait(&speech, Duration::from_secs(20), is_finished(1));
            let (at, voice) = begun(&events).unwrap();
            assert_eq!(voice, "espeak");
            println!("measured: file missing: {missing}, next voice begins after {} ms", (at - asked).as_millis());
            assert!(at - asked < AFTER_A_LOSS, "{:?}", at - asked);
            hall.hears_speech(asked, Duration::from_secs(2));
        }
    });
}

/// Until espeak has said something: the loudspeaker is open, and every voice's state is known.
fn wait_for_loudspeaker(speech: &Speech, sentence: impl Fn(u64) -> Utterance) {
    std::thread::sleep(Duration::from_millis(1500));
    let until = Instant::now() + READY;
    let mut id = 5000;
    loop {
        assert!(Instant::now() < until, "no loudspeaker");
        speech.say(Utterance { priority: Priority::Aside, ..sentence(id) });
        let over = |event: &SpeechEvent| matches!(event, SpeechEvent::Finished { .. } | SpeechEvent::Shown { .. });
        if matches!(wait(speech, READY, over).last(), Some(SpeechEvent::Finished { .. })) {
            // A voice that failed at this rests now; the visitor comes when it is back.
            return std::thread::sleep(Duration::from_millis(2500));
        }
        id += 1;
        std::thread::sleep(Duration::from_millis(200));
    }
}

#[test]
fn when_the_sound_server_is_killed_in_mid_word_the_words_are_shown_at_once_and_it_is_used_when_it_is_back() {
    let name = "when_the_sound_server_is_killed_in_mid_word_the_words_are_shown_at_once_and_it_is_used_when_it_is_back";
    in_a_hall(name, &[("SPEECHD_CMD", "/nonexistent/speech-dispatcher")], |home| {
        let hall = Hall::opens_in(home);
        let speech = Speech::start(&settings(&["espeak"]), &english());
        warm(&speech, "espeak");
        let asked = Instant::now();
        speech.say(sentence(1, "Good morning, Mr Obama, and welcome to this very large and beautiful office today."));
        hall.hears_speech(asked, Duration::from_secs(10));
        std::thread::sleep(Duration::from_millis(600));
        let killed = Instant::now();
        hall.kill_sound_server();
        wait(&speech, Duration::from_secs(10), |event| matches!(event, SpeechEvent::Shown { id: 1, .. }));
        let shown = killed.elapsed();
        println!("measured: sound server killed, shown after {} ms", shown.as_millis());
        assert!(shown < AFTER_A_LOSS, "{shown:?}");
        let asked = Instant::now();
        speech.say(sentence(2, "Good afternoon."));
        wait(&speech, Duration::from_secs(10), |event| matches!(event, SpeechEvent::Shown { id: 2, .. }));
        assert!(asked.elapsed() < AFTER_A_LOSS, "{:?}", asked.elapsed());
        drop(hall);

        let hall = Hall::opens_in(home);
        let restarted = Instant::now();
        wait(&speech, READY, |event| *event == SpeechEvent::VoiceBack { voice: "espeak".into() });
        println!("measured: sound server back, used after {} ms", restarted.elapsed().as_millis());
        let asked = Instant::now();
        speech.say(sentence(3, "Good afternoon."));
        wait(&speech, Duration::from_secs(20), is_finished(3));
        hall.hears_speech(asked, Duration::from_secs(2));
    });
}

/// Two pitches that are not each other's overtones.
const LOW: f32 = 500.0;
const HIGH: f32 = 1_700.0;

/// Two voices of the program, each for a language of its own.
fn two_voices(seconds: f32) -> Speech {
    let languages: Vec<Language> = ["en", "yue"].map(Language::from).to_vec();
    let order = BTreeMap::from([
        (languages[0].clone(), vec!["low".to_owned()]),
        (languages[1].clone(), vec!["high".to_owned()]),
    ]);
    let settings = GreetingSettings { voices_by_language: order, ..settings(&[]) };
    let sound = Sound::open(0.9);
    let low = rendered(Tone { name: "low", pitch: LOW, seconds }, &sound, &languages);
    let high = rendered(Tone { name: "high", pitch: HIGH, seconds }, &sound, &languages);
    let speech = Speech::with_voices(&settings, vec![low, high], Some(sound));
    warm(&speech, "low");
    speech
}

/// How strong a pitch is in a window: the amplitude of a sine of that pitch.
fn strength(window: &[i16], pitch: f32) -> f32 {
    let (mut sine, mut cosine) = (0.0, 0.0);
    for (index, sample) in window.iter().enumerate() {
        let angle = index as f32 / RATE as f32 * pitch * TAU;
        sine += f32::from(*sample) * angle.sin();
        cosine += f32::from(*sample) * angle.cos();
    }
    (sine.powi(2) + cosine.powi(2)).sqrt() * 2.0 / window.len() as f32
}

#[test]
fn interrupted_at_random_moments_there_are_never_two_voices_together_and_never_a_late_greeting() {
    let name = "interrupted_at_random_moments_there_are_never_two_voices_together_and_never_a_late_greeting";
    in_a_hall(name, &[], |home| {
        let hall = Hall::opens_in(home);
        let speech = two_voices(0.35);
        let mut random = rand_chacha::ChaCha8Rng::seed_from_u64(13);
        let start = Instant::now();
        let mut deadlines = BTreeMap::new();
        let mut events = Vec::new();
        let interruptions = everyday_or_long(60, 200);
        for id in 1..=interruptions {
            let (language, text) = if random.random() { ("en", "One, two.") } else { ("yue", "Three, four.") };
            let not_after = Instant::now() + Duration::from_millis(random.random_range(0..600));
            let priority = if random.random_bool(0.7) { Priority::Urgent } else { Priority::Greeting };
            deadlines.insert(id, not_after);
            let utterance = Utterance::new(id, language.into(), text);
            speech.say(Utterance { priority, not_after: Some(not_after), ..utterance });
            std::thread::sleep(Duration::from_millis(random.random_range(0..450)));
            match random.random_range(0..3) {
                0 => speech.hush(id, false),
                1 => speech.stop(),
                _ => {}
            }
            events.extend(speech.events().try_iter());
        }
        std::thread::sleep(Duration::from_secs(2));
        events.extend(speech.events().try_iter());

        let mut spoken = 0_u64;
        for event in &events {
            if let SpeechEvent::Begun { id, at, .. } = event
                && let Some(not_after) = deadlines.get(id)
            {
                spoken += 1;
                assert!(at <= not_after, "{id} was begun {:?} late", *at - *not_after);
            }
        }
        let ended = |id: &u64| {
            events.iter().any(|event| matches!(event, SpeechEvent::Finished { id: it } | SpeechEvent::Dropped { id: it, .. } if it == id))
        };
        assert!(deadlines.keys().all(ended), "each is told to its end");
        let sound = hall.heard_since(start);
        let windows: Vec<(f32, f32)> =
            sound.chunks_exact(320).map(|window| (strength(window, LOW), strength(window, HIGH))).collect();
        let (low, high) = windows.iter().fold((0.0_f32, 0.0_f32), |most, it| (most.0.max(it.0), most.1.max(it.1)));
        let together = windows.iter().filter(|it| it.0 > low * 0.15 && it.1 > high * 0.15).count();
        let sounding = windows.iter().filter(|it| it.0 > low * 0.15 || it.1 > high * 0.15).count();
        println!(
            "measured: of {interruptions}, {spoken} begun, {sounding} windows of 20 ms with sound, {together} with two voices"
        );
        assert!(
            spoken * 10 > interruptions * 3 && sounding as u64 > interruptions,
            "{spoken} begun, {sounding} windows: this test heard too little"
        );
        assert_eq!(together, 0);
    });
}

/// How often, every day and where `scripts/test.sh --long voices` asks for more.
fn everyday_or_long(everyday: u64, long: u64) -> u64 {
    if std::env::var_os("GREETER_LONG").is_some() { long } else { everyday }
}

/// How strong what is left of a window is without a pitch: the root of its mean square.
fn beside(window: &[i16], pitch: f32) -> f32 {
    let power = window.iter().map(|sample| f32::from(*sample).powi(2)).sum::<f32>() / window.len() as f32;
    (power - strength(window, pitch).powi(2) / 2.0).max(0.0).sqrt()
}

#[test]
fn a_voice_of_another_program_and_one_of_our_own_that_break_in_upon_each_other_are_never_heard_together() {
    let name = "a_voice_of_another_program_and_one_of_our_own_that_break_in_upon_each_other_are_never_heard_together";
    in_a_hall(name, &[], |home| {
        let hall = Hall::opens_in(home);
        let languages: Vec<Language> = ["en", "yue"].map(Language::from).to_vec();
        let order = BTreeMap::from([
            (languages[0].clone(), vec!["tts".to_owned()]),
            (languages[1].clone(), vec!["tone".to_owned()]),
        ]);
        let settings = GreetingSettings { voices_by_language: order, ..settings(&[]) };
        let sound = Sound::open(0.9);
        let tts = Box::new(TtsVoice::new(&languages[..1], 1.0, sound.clone(), BEGINS_WITHIN));
        // Higher than what is strong in a voice.
        let pitch = 3_500.0;
        let tone = rendered(Tone { name: "tone", pitch, seconds: 1.5 }, &sound, &languages);
        let speech = Speech::with_voices(&settings, vec![tts, tone], Some(sound));
        warm(&speech, "tts");
        let mut random = rand_chacha::ChaCha8Rng::seed_from_u64(13);
        let start = Instant::now();
        let broken_in = everyday_or_long(30, 80);
        for id in 1..=broken_in {
            let (language, text) =
                if id % 2 == 0 { ("en", "Good morning, and welcome.") } else { ("yue", "早晨。") };
            speech.say(Utterance { priority: Priority::Urgent, ..Utterance::new(id, language.into(), text) });
            // The next one, which is as urgent, does not interrupt this one: it has to be a name that must not be said.
            std::thread::sleep(Duration::from_millis(random.random_range(100..900)));
            speech.hush(id, true);
        }
        std::thread::sleep(Duration::from_secs(2));
        let mut spoken = BTreeMap::new();
        for event in speech.events().try_iter() {
            if let SpeechEvent::Begun { voice, .. } = event {
                *spoken.entry(voice).or_insert(0_u64) += 1;
            }
        }
        let sound = hall.heard_since(start);
        let windows: Vec<(f32, f32)> =
            sound.chunks_exact(320).map(|window| (strength(window, pitch), beside(window, pitch))).collect();
        let most = windows.iter().fold((0.0_f32, 0.0_f32), |most, it| (most.0.max(it.0), most.1.max(it.1)));
        let (tone, words) = (|it: &(f32, f32)| it.0 > most.0 * 0.5, |it: &(f32, f32)| it.1 > most.1 * 0.1);
        // A window in which the tone begins or ends has something beside it, too: two in a row have not.
        let together = windows.windows(2).filter(|two| two.iter().all(|it| tone(it) && words(it))).count();
        let of = |sounds: &dyn Fn(&(f32, f32)) -> bool| windows.iter().filter(|it| sounds(it)).count();
        let (tones, words) = (of(&tone), of(&|it| words(it) && !tone(it)));
        println!(
            "measured: begun {spoken:?}; windows of 20 ms with the tone {tones}, with words {words}, with both {together}"
        );
        assert!(spoken.values().filter(|count| **count * 4 >= broken_in).count() == 2, "{spoken:?}");
        assert!(tones.min(words) as u64 * 2 > broken_in * 5, "this test heard too little");
        assert_eq!(together, 0);
    });
}

#[test]
fn many_utterances_leave_memory_as_it_was() {
    in_a_hall("many_utterances_leave_memory_as_it_was", &[], |home| {
        let hall = Hall::opens_in(home);
        // The recording would grow.
        hall.records_no_more();
        let speech = two_voices(0.02);
        let says = |ids: std::ops::Range<u64>| {
            for id in ids {
                speech.say(sentence(id, &format!("Mr {id}")));
                wait(&speech, READY, is_finished(id));
            }
        };
        says(1..200);
        let before = resident_kb();
        let utterances = everyday_or_long(300, 1000);
        says(200..200 + utterances);
        let after = resident_kb();
        println!("measured: {before} kB before {utterances} utterances, {after} kB after");
        assert!(after < before + 1024, "{before} kB before, {after} kB after");
    });
}

fn resident_kb() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}
