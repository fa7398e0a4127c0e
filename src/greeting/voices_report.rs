//! Which voice speaks which language on this machine, for `greeter doctor`.

use std::{
    thread,
    time::{Duration, Instant},
};

use super::{
    sound::Sound,
    speech,
    voice::{Voice, VoiceState},
};
use crate::{config::GreetingSettings, person::Language};

/// speech-dispatcher lists its 13,000 voices once for each language when it is opened.
const OPENS_WITHIN: Duration = Duration::from_secs(20);

/// One voice and one language.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VoiceStatus {
    /// Its name in `greeting.voices`.
    pub voice: String,
    /// What it should speak.
    pub language: Language,
    /// Why it cannot, and what helps; `None` when it can.
    pub problem: Option<String>,
}

/// Opens all configured voices and says how each does; makes no sound. Takes some seconds.
pub fn voices_report(settings: &GreetingSettings, languages: &[Language]) -> Vec<VoiceStatus> {
    let sound = Sound::open(settings.volume);
    let voices = speech::voices(settings, languages, &sound);
    report(voices, languages, OPENS_WITHIN)
}

fn report(mut voices: Vec<Box<dyn Voice>>, languages: &[Language], within: Duration) -> Vec<VoiceStatus> {
    voices.iter_mut().for_each(|voice| voice.open());
    let until = Instant::now() + within;
    while voices.iter().any(|voice| voice.state() == VoiceState::Opening) && Instant::now() < until {
        thread::sleep(Duration::from_millis(20));
    }
    let status = |voice: &dyn Voice, language: &Language| {
        let problem = match voice.state() {
            VoiceState::Ready if voice.speaks(language) => None,
            VoiceState::Ready => Some(format!(
                "it has no voice for {language}; install one, or change `greeting.language` and the phrase files"
            )),
            VoiceState::Opening => Some(format!("it was not open after {} s; restart it", within.as_secs())),
            VoiceState::Down(why) => Some(why),
        };
        VoiceStatus { voice: voice.name().to_owned(), language: language.clone(), problem }
    };
    voices.iter().flat_map(|voice| languages.iter().map(move |language| status(voice.as_ref(), language))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::greeting::{
        utterance::Utterance,
        voice::{Moment, StopFlag, VoiceError},
    };

    struct Mute(VoiceState);

    impl Voice for Mute {
        fn name(&self) -> &str {
            "mute"
        }

        fn open(&mut self) {}

        fn state(&self) -> VoiceState {
            self.0.clone()
        }

        fn speaks(&self, language: &Language) -> bool {
            language.tag() == "en"
        }

        fn say(&mut self, _: &Utterance, _: usize, _: &mut dyn FnMut(Moment), _: &StopFlag) -> Result<(), VoiceError> {
            Err(VoiceError::Stopped)
        }
    }

    #[test]
    fn the_operator_sees_each_voice_with_each_language_and_what_is_wrong() {
        let problems = |state: VoiceState| {
            let languages = ["en", "yue"].map(Language::from);
            let report = report(vec![Box::new(Mute(state))], &languages, Duration::ZERO);
            report.into_iter().map(|status| status.problem.unwrap_or_default()).collect::<Vec<_>>()
        };
        assert_eq!(
            problems(VoiceState::Ready),
            ["", "it has no voice for yue; install one, or change `greeting.language` and the phrase files"]
        );
        assert_eq!(problems(VoiceState::Down("it is broken".into())), ["it is broken", "it is broken"]);
        assert_eq!(problems(VoiceState::Opening)[0], "it was not open after 0 s; restart it");
    }
}
