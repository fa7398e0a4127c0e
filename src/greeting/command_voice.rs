//! The voice `command`: any program that takes text on its standard input and gives WAV on its standard output, such as piper.
//!
//! The program is started for each phrase and has a few seconds. `GREETER_LANGUAGE` and `GREETER_PACE` (1 is normal, 1.2 a fifth slower) in its
//! environment say how; one that does not look at them speaks as it does.

use std::time::Duration;

use super::{
    playing::Samples,
    program::Program,
    renderer::Renderer,
    voice::{StopFlag, VoiceError, VoiceState, speakable},
    wav,
};
use crate::person::Language;

/// A program that loads a network of its own for each phrase takes a second or two.
const RENDERS_WITHIN: Duration = Duration::from_secs(6);
const CURE: &str = "Set `greeting.command` to a program that is installed";

/// See the module.
pub struct CommandVoice {
    command: Vec<String>,
    rate: f32,
}

impl CommandVoice {
    /// `command`: a program and its arguments. `rate`: 1 is the program's own.
    pub fn new(command: &[String], rate: f32) -> Self {
        Self { command: command.to_vec(), rate }
    }
}

impl Renderer for CommandVoice {
    fn name(&self) -> &str {
        "command"
    }

    fn open(&mut self) {}

    fn state(&self) -> VoiceState {
        match self.command.first() {
            None => VoiceState::Down("`greeting.command` is empty. Set it to a program and its arguments".into()),
            Some(_) => VoiceState::Ready,
        }
    }

    /// What the program speaks is the operator's business: they have named it for a language.
    fn speaks(&self, _: &Language) -> bool {
        !self.command.is_empty()
    }

    fn render(&mut self, text: &str, language: &Language, pace: f32, stop: &StopFlag) -> Result<Samples, VoiceError> {
        let failed = |cause: String| VoiceError::Failed { voice: self.name().into(), cause };
        let Some((name, arguments)) = self.command.split_first() else {
            return Err(failed("`greeting.command` is empty".into()));
        };
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let environment =
            [("GREETER_LANGUAGE", language.tag().to_owned()), ("GREETER_PACE", format!("{:.2}", pace / self.rate))];
        let program =
            Program { name, arguments: &arguments, environment: &environment, within: RENDERS_WITHIN, cure: CURE };
        let wav = program.output(&format!("{}\n", speakable(text)), &|| stop.is_raised());
        if stop.is_raised() {
            return Err(VoiceError::Stopped);
        }
        wav::read(&wav.map_err(failed)?, name).map_err(failed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn voice(script: &str) -> CommandVoice {
        CommandVoice::new(&["sh".to_owned(), "-c".to_owned(), script.to_owned()], 1.0)
    }

    fn says(script: &str, text: &str) -> Result<Samples, VoiceError> {
        voice(script).render(text, &"en".into(), 1.2, &StopFlag::default())
    }

    /// A WAV whose samples are the bytes of what `script` prints.
    fn wav_of(script: &str) -> String {
        let header = "RIFF\\0\\0\\0\\0WAVEfmt \\20\\0\\0\\0\\1\\0\\1\\0\\300\\135\\0\\0\\200\\273\\0\\0\\2\\0\\20\\0data\\0\\0\\0\\0";
        format!("printf '{header}'; {script}")
    }

    #[test]
    fn the_program_hears_the_words_without_reading_marks_and_its_wav_is_the_sound() {
        let heard = says(&wav_of("cat"), "单〔shan4〕先生\u{7}好").unwrap();
        assert_eq!(heard.rate.get(), 24_000);
        let bytes: Vec<u8> = heard.mono.iter().flat_map(|sample| ((sample * 32_768.0) as i16).to_le_bytes()).collect();
        let words = "单先生 好\n".as_bytes();
        assert_eq!(bytes, words[..words.len() / 2 * 2]);
    }

    #[test]
    fn the_program_is_told_language_and_pace() {
        let heard = says(&wav_of("printf $GREETER_LANGUAGE$GREETER_PACE"), "Hello").unwrap();
        let bytes: Vec<u8> = heard.mono.iter().flat_map(|sample| ((sample * 32_768.0) as i16).to_le_bytes()).collect();
        assert_eq!(bytes, b"en1.20");
    }

    #[test]
    fn a_program_that_gives_no_sound_is_lost_with_a_reason_and_without_the_words() {
        let error = says("echo Ms Collins >&2; echo nonsense", "Ms Collins").err().unwrap().to_string();
        assert_eq!(error, "voice `command` does not work: sh gave no sound. `greeter doctor` tests it");
        let stopped = StopFlag::default();
        stopped.raise();
        let hung = voice("sleep 60").render("Ms Collins", &"en".into(), 1.0, &stopped);
        assert!(matches!(hung, Err(VoiceError::Stopped)));
    }

    #[test]
    fn without_a_program_the_voice_is_down_and_says_which_key_to_set() {
        let mut none = CommandVoice::new(&[], 1.0);
        assert!(matches!(none.state(), VoiceState::Down(why) if why.contains("`greeting.command` is empty")));
        assert!(!none.speaks(&"en".into()));
        assert!(none.render("Hello", &"en".into(), 1.0, &StopFlag::default()).is_err());
    }
}
