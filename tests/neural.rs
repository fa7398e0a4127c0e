//! The Mandarin voice of the box: it says what its phones say, in the four tones, the same each time, and says why when it cannot.

#[path = "support/pitch.rs"]
mod pitch;
#[path = "support/voice_files.rs"]
mod voice_files;

use std::path::Path;

use greeter::{
    greeting::{
        loudness,
        neural::NeuralVoice,
        renderer::Renderer,
        sound::Samples,
        voice::{StopFlag, VoiceError, VoiceState},
    },
    installation::Installation,
    person::Language,
};

/// No English is said here.
struct Mute;

impl Renderer for Mute {
    fn name(&self) -> &str {
        "mute"
    }

    fn open(&mut self) {}

    fn state(&self) -> VoiceState {
        VoiceState::Ready
    }

    fn speaks(&self, _: &Language) -> bool {
        false
    }

    fn render(&mut self, _: &str, _: &Language, _: f32, _: &StopFlag) -> Result<Samples, VoiceError> {
        Err(VoiceError::Failed { voice: "mute".into(), cause: "it is mute".into() })
    }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The voice of an installation, once it was opened.
fn voice(installation: &Path) -> NeuralVoice {
    let mut voice = NeuralVoice::new(1.0, Box::new(Mute)).of(Installation::at(installation));
    voice.open();
    voice
}

fn say(voice: &mut NeuralVoice, text: &str, pace: f32) -> Samples {
    voice.render(text, &"zh-CN".into(), pace, &StopFlag::default()).unwrap()
}

fn seconds(samples: &Samples) -> f32 {
    samples.mono.len() as f32 / samples.rate.get() as f32
}

const GOOD_MORNING: &str = "早上好，";

#[test]
fn a_greeting_begins_at_once_is_the_same_each_time_and_is_slower_where_it_should_be() {
    let mut voice = voice(root());
    assert_eq!(voice.state(), VoiceState::Ready);
    let first = say(&mut voice, GOOD_MORNING, 1.0);
    assert!((0.4..1.0).contains(&seconds(&first)), "{} s", seconds(&first));
    let loud = first.mono.iter().position(|sample| sample.abs() > 0.02).unwrap();
    assert!(loud < first.rate.get() as usize * 4 / 100, "silent for {loud} samples");
    assert!(say(&mut voice, GOOD_MORNING, 1.0).mono == first.mono, "the same phones give the same samples");
    let slow = seconds(&say(&mut voice, GOOD_MORNING, 1.2)) / seconds(&first);
    assert!((1.1..1.35).contains(&slow), "{slow}");
    assert!(loudness::of(&first.mono, first.rate.get()).unwrap() > -35.0);
}

#[test]
fn mandarin_is_spoken_and_cantonese_is_left_to_others() {
    let voice = voice(root());
    let speaks = |tag: &str| voice.speaks(&tag.into());
    assert!(speaks("zh-CN") && speaks("zh") && speaks("zh-TW") && speaks("cmn"));
    assert!(!speaks("yue") && !speaks("zh-HK") && !speaks("en"));
}

#[test]
fn what_the_voice_does_not_know_is_an_error_and_it_goes_on_speaking() {
    let mut voice = voice(root());
    let mut refused =
        |text: &str| voice.render(text, &"zh-CN".into(), 1.0, &StopFlag::default()).err().unwrap().to_string();
    let nothing = refused("？！");
    assert!(nothing.contains("voice `neural` does not work: there is nothing in the sentence"), "{nothing}");
    let endless = refused(&"好".repeat(400));
    assert!(endless.contains("may have 600 phones"), "{endless}");
    let english = refused("早上好，Ms Collins。");
    assert!(english.contains("it is mute") && !english.contains("Collins"), "{english}");
    let stopped = StopFlag::default();
    stopped.raise();
    let said = voice.render(GOOD_MORNING, &"zh-CN".into(), 1.0, &stopped);
    assert_eq!(said.err(), Some(VoiceError::Stopped));
    assert!(seconds(&say(&mut voice, GOOD_MORNING, 1.0)) > 0.4);
}

#[test]
fn with_a_file_missing_or_damaged_the_voice_is_down_with_a_plain_reason_and_up_again_when_it_is_restored() {
    let (folder, models) = voice_files::copy();
    let why = || match voice(folder.path()).state() {
        VoiceState::Down(why) => why,
        other => panic!("{other:?}"),
    };
    for name in ["baker-fastspeech2.onnx", "baker-melgan.onnx", "baker-symbols.txt"] {
        let path = models.join(name);
        let whole = std::fs::read(&path).unwrap();
        std::fs::write(&path, &whole[..whole.len() / 2]).unwrap();
        let damaged = why();
        assert!(
            damaged.contains(&format!("{name} is damaged")) && damaged.contains("git checkout -- models"),
            "{damaged}"
        );
        std::fs::remove_file(&path).unwrap();
        let missing = why();
        assert!(missing.contains(&format!("{name} is missing. Run `git checkout -- models`")), "{missing}");
        std::fs::write(&path, &whole).unwrap();
    }
    assert_eq!(voice(folder.path()).state(), VoiceState::Ready);
}

/// Twenty syllables that Mandarin has in all four tones; the rule by which `pitch::tone` hears them was made on others ("ma", "ba", "yi" ...).
const SYLLABLES: [&str; 20] = [
    "mi", "pi", "tian", "fei", "hui", "jie", "qian", "tong", "you", "wu", "ying", "yang", "she", "shu", "xie", "xing",
    "zhi", "chi", "chang", "fu",
];

#[test]
fn the_four_tones_of_twenty_syllables_are_told_apart_by_their_pitch() {
    let mut voice = voice(root());
    let (mut right, mut wrong) = (0, Vec::new());
    for syllable in SYLLABLES {
        for tone in 1..=4 {
            // The mark says how it is read, whatever the character is.
            let spoken = say(&mut voice, &format!("字〔{syllable}{tone}〕"), 1.0);
            let contour = pitch::contour(&spoken.mono, spoken.rate.get());
            match pitch::tone(&contour) {
                heard if heard == Some(tone) => right += 1,
                heard => wrong.push(format!("{syllable}{tone} heard as {heard:?}: {contour:.1?}")),
            }
        }
    }
    println!("measured: {right} of 80 tones heard right");
    assert!(right >= 72, "{right} of 80; {}", wrong.join("\n"));
}
