//! Which voice speaks which language on this machine, and how soon, for `greeter voices` and `greeter doctor`.

use std::{
    thread,
    time::{Duration, Instant},
};

use super::{
    sound::Sound,
    speech,
    utterance::Utterance,
    voice::{Moment, StopFlag, Voice, VoiceState},
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
    /// How long after it was asked its first sample was handed to the loudspeaker; or why it does not speak, and what helps.
    pub first_sample: Result<Duration, String>,
}

/// Opens all configured voices and lets each say a word in each language, without a sound. Takes some seconds.
pub fn voices_report(settings: &GreetingSettings, languages: &[Language]) -> Vec<VoiceStatus> {
    let settings = GreetingSettings { volume: 0.0, ..settings.clone() };
    let sound = Sound::open(settings.volume);
    let voices = speech::voices(&settings, languages, &sound);
    report(voices, languages, OPENS_WITHIN)
}

fn report(mut voices: Vec<Box<dyn Voice>>, languages: &[Language], within: Duration) -> Vec<VoiceStatus> {
    voices.iter_mut().for_each(|voice| voice.open());
    let until = Instant::now() + within;
    while voices.iter().any(|voice| voice.state() == VoiceState::Opening) && Instant::now() < until {
        thread::sleep(Duration::from_millis(20));
    }
    let status = |voice: &mut dyn Voice, language: &Language| {
        let first_sample = match voice.state() {
            VoiceState::Ready if voice.speaks(language) => first_sample(voice, language),
            VoiceState::Ready => Err(format!(
                "it has no voice for {language}; install one, or change `greeting.language` and the phrase files"
            )),
            VoiceState::Opening => Err(format!("it was not open after {} s; restart it", within.as_secs())),
            VoiceState::Down(why) => Err(why),
        };
        VoiceStatus { voice: voice.name().to_owned(), language: language.clone(), first_sample }
    };
    let mut all = Vec::new();
    for voice in &mut voices {
        all.extend(languages.iter().map(|language| status(voice.as_mut(), language)));
    }
    all
}

/// Says a word, and stops when its first sample is there.
fn first_sample(voice: &mut dyn Voice, language: &Language) -> Result<Duration, String> {
    let written_in_han = ["zh", "yue", "cmn"].contains(&language.tag().split('-').next().unwrap_or_default());
    let word = if written_in_han { "您好。" } else { "Hello." };
    let (asked, stop, mut first) = (Instant::now(), StopFlag::default(), None);
    let mut tell = |moment| {
        if let Moment::PhraseBegun { at, .. } = moment {
            first = Some(at.saturating_duration_since(asked));
            stop.raise();
        }
    };
    let said = voice.say(&Utterance::new(0, language.clone(), word), 0, &mut tell, &stop);
    first.ok_or_else(|| match said {
        Err(error) => error.to_string(),
        Ok(()) => "it ended without a sound".to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::greeting::voice::VoiceError;

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

        fn say(
            &mut self,
            _: &Utterance,
            _: usize,
            tell: &mut dyn FnMut(Moment),
            stop: &StopFlag,
        ) -> Result<(), VoiceError> {
            tell(Moment::PhraseBegun { phrase: 0, at: Instant::now() + Duration::from_millis(70) });
            assert!(stop.is_raised(), "one sample is enough");
            Err(VoiceError::Stopped)
        }
    }

    #[test]
    fn the_operator_sees_each_voice_with_each_language_and_what_is_wrong() {
        let found = |state: VoiceState| {
            let languages = ["en", "yue"].map(Language::from);
            let report = report(vec![Box::new(Mute(state))], &languages, Duration::ZERO);
            report.into_iter().map(|status| status.first_sample).collect::<Vec<_>>()
        };
        let ready = found(VoiceState::Ready);
        assert!(ready[0].as_ref().is_ok_and(|after| (70..90).contains(&after.as_millis())), "{ready:?}");
        let lacks = "it has no voice for yue; install one, or change `greeting.language` and the phrase files";
        assert_eq!(ready[1], Err(lacks.to_owned()));
        assert_eq!(found(VoiceState::Down("it is broken".into())), vec![Err("it is broken".to_owned()); 2]);
        assert_eq!(found(VoiceState::Opening)[0], Err("it was not open after 0 s; restart it".to_owned()));
    }
}
