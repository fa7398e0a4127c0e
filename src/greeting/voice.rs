//! What a voice is, and how one fails. The voices themselves are `tts_voice` and the renderers behind `rendered_voice`; `speech` chooses between
//! them.

use std::{
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, Ordering},
    },
    time::Instant,
};

use super::utterance::Utterance;
use crate::person::Language;

/// Something that says sentences aloud.
pub trait Voice: Send {
    /// Its name in `greeting.voices`.
    fn name(&self) -> &str;

    /// Begins to open it, or to open it again, in the background; returns at once. [`Voice::state`] tells what has come of it.
    fn open(&mut self);

    /// Whether it can speak now; returns at once.
    fn state(&self) -> VoiceState;

    /// Whether it has a voice for a language; `false` as long as it is not ready.
    fn speaks(&self, language: &Language) -> bool;

    /// Makes ready what it will be asked to say again and again, where it can; returns at once.
    fn prepare(&mut self, _fixed: Vec<Fixed>) {}

    /// Says an utterance's phrases from number `from` on, and returns when their end has been heard. `tell` hears of each phrase's beginning
    /// and end. Begins nothing after the utterance's `not_after`. Returns soon after `stop` is raised. However it returns, it is quiet then
    /// and stays so, as far as it can still reach what makes the sound.
    ///
    /// # Errors
    /// When it cannot be said, or not to its end; the text is in no error.
    fn say(
        &mut self,
        utterance: &Utterance,
        from: usize,
        tell: &mut dyn FnMut(Moment),
        stop: &StopFlag,
    ) -> Result<(), VoiceError>;
}

/// What happens while a voice speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// A phrase's first sound was handed to the loudspeaker (see the voice for how exact that is).
    PhraseBegun {
        /// Counted from 0.
        phrase: usize,
        /// When.
        at: Instant,
    },
    /// So was its last one.
    PhraseEnded {
        /// Counted from 0.
        phrase: usize,
        /// When.
        at: Instant,
    },
}

/// A phrase of the house, without anybody's name; a public text.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fixed {
    /// What it is in.
    pub language: Language,
    /// The words, without space around them.
    pub text: String,
}

/// Whether a voice can speak.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum VoiceState {
    /// It can.
    Ready,
    /// Not yet.
    Opening,
    /// It cannot, for a reason that the operator understands.
    Down(String),
}

/// Tells a voice to be quiet; one for each utterance.
#[derive(Debug, Clone, Default)]
pub struct StopFlag(Arc<Stop>);

#[derive(Debug, Default)]
struct Stop {
    now: AtomicBool,
    /// With the phrase that is heard, and by then at the latest.
    with_phrase: OnceLock<Instant>,
}

impl StopFlag {
    /// Asks for silence, for good.
    pub fn raise(&self) {
        self.0.now.store(true, Ordering::Release);
    }

    /// Asks for silence after the phrase that is heard now, `at_latest` in the middle of it.
    pub fn raise_after_phrase(&self, at_latest: Instant) {
        let _ = self.0.with_phrase.set(at_latest);
    }

    /// Whether no other phrase is to begin.
    pub fn is_last_phrase(&self) -> bool {
        self.is_raised() || self.0.with_phrase.get().is_some()
    }

    /// Whether silence is asked for.
    pub fn is_raised(&self) -> bool {
        let late = || self.0.with_phrase.get().is_some_and(|at_latest| Instant::now() >= *at_latest);
        self.0.now.load(Ordering::Acquire) || late()
    }
}

/// Why a sentence was not said, or not to its end.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VoiceError {
    /// No loudspeaker.
    #[error("no sound device ({cause}). Plug in or switch on the loudspeaker; it is used as soon as it is there")]
    NoDevice {
        /// The system's words.
        cause: String,
    },
    /// It took the sentence and did not begin.
    #[error(
        "voice `{voice}` has not begun to speak after {waited_ms} ms. It is opened again in the background; `greeter doctor` tests it"
    )]
    Silent {
        /// Which.
        voice: String,
        /// How long it was given.
        waited_ms: u64,
    },
    /// It broke off, or is gone.
    #[error("voice `{voice}` is lost: {cause}. It is opened again in the background; `greeter doctor` tests it")]
    Lost {
        /// Which.
        voice: String,
        /// What was seen.
        cause: String,
    },
    /// It cannot make sound of text.
    #[error("voice `{voice}` does not work: {cause}. `greeter doctor` tests it")]
    Failed {
        /// Which.
        voice: String,
        /// What happened and what helps.
        cause: String,
    },
    /// It could not have begun in time.
    #[error("too late to be said")]
    TooLate,
    /// The caller asked for silence.
    #[error("the speech was stopped")]
    Stopped,
}

/// `text` in one line, without reading marks and characters that are no speech; voices that read text by themselves take nothing else.
pub(super) fn speakable(text: &str) -> String {
    super::reading::plain(text)
        .chars()
        .map(|letter| if letter.is_control() { ' ' } else { letter })
        .collect::<String>()
        .trim()
        .to_owned()
}

/// The tag among `tags` (lower case) whose voice speaks a language: the same, the usual one, one with the same first part.
///
/// Plain `cmn` reads Latin letters in Chinese text as English, which suits the names of foreigners; `cmn-latn-pinyin` would not.
pub(super) fn nearest_voice<'a>(tags: &'a [String], language: &Language) -> Option<&'a str> {
    let tag = language.tag().to_ascii_lowercase();
    let first = tag.split('-').next().unwrap_or_default();
    let usual: &[&str] = match first {
        "zh" if tag == "zh-hk" => &["yue", "zh-yue"],
        "zh" => &["cmn", "zh", "zh-cmn"],
        "yue" => &["yue", "zh-yue", "zh-hk"],
        "en" => &["en-us", "en", "en-gb"],
        _ => &[],
    };
    let known = |wanted: &str| tags.iter().find(|known| *known == wanted);
    let related = || tags.iter().find(|known| known.split('-').next() == Some(first) && first != "zh");
    known(&tag).or_else(|| usual.iter().find_map(|usual| known(usual))).or_else(related).map(String::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_of_our_languages_has_its_voice() {
        let tags = ["cmn", "cmn-latn-pinyin", "en-029", "en-gb", "en-us", "fr-fr", "yue"].map(str::to_owned);
        let voice = |tag: &str| nearest_voice(&tags, &tag.into());
        assert_eq!(voice("zh-CN"), Some("cmn"));
        assert_eq!(voice("yue"), Some("yue"));
        assert_eq!(voice("zh-HK"), Some("yue"));
        assert_eq!(voice("en"), Some("en-us"));
        assert_eq!(voice("en-GB"), Some("en-gb"));
        assert_eq!(voice("fr"), Some("fr-fr"));
        assert_eq!(voice("tlh"), None);
    }

    #[test]
    fn nothing_but_speech_reaches_a_voice() {
        assert_eq!(speakable("Good morning,\r\nMr\0Obama.\n"), "Good morning,  Mr Obama.");
    }

    #[test]
    fn a_failure_tells_the_operator_what_it_means_and_what_helps() {
        let voice = || "tts".to_owned();
        assert_eq!(
            VoiceError::Silent { voice: voice(), waited_ms: 800 }.to_string(),
            "voice `tts` has not begun to speak after 800 ms. It is opened again in the background; `greeter doctor` tests it"
        );
        assert_eq!(
            VoiceError::Lost { voice: voice(), cause: "speech-dispatcher closed the connection".into() }.to_string(),
            "voice `tts` is lost: speech-dispatcher closed the connection. It is opened again in the background; `greeter doctor` tests it"
        );
        assert_eq!(
            VoiceError::Failed { voice: "espeak".into(), cause: "espeak-ng is not installed".into() }.to_string(),
            "voice `espeak` does not work: espeak-ng is not installed. `greeter doctor` tests it"
        );
        assert_eq!(
            VoiceError::NoDevice { cause: "there is none".into() }.to_string(),
            "no sound device (there is none). Plug in or switch on the loudspeaker; it is used as soon as it is there"
        );
    }
}
