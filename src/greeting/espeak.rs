//! The voice `espeak`: espeak-ng renders to memory, and the program plays it. It needs no speech-dispatcher.
//!
//! What is said goes to espeak-ng's standard input, never to its command line, where every user of the machine could read it.

use std::time::Duration;

use super::{
    playing::Samples,
    program::Program,
    renderer::Renderer,
    voice::{StopFlag, VoiceError, VoiceState, nearest_voice, speakable},
    wav,
};
use crate::person::Language;

/// espeak-ng takes about 20 ms for a sentence.
const RENDERS_WITHIN: Duration = Duration::from_secs(3);
/// Words a minute at rate 1: espeak-ng's own.
const NORMAL_RATE: f32 = 175.0;

/// See the module.
pub struct Espeak {
    rate: f32,
    installed: Installed,
}

enum Installed {
    Unknown,
    /// The language tags of its voices, lower case.
    Yes(Vec<String>),
    No(String),
}

impl Espeak {
    /// `rate`: 1 is espeak-ng's own.
    pub fn new(rate: f32) -> Self {
        Self { rate, installed: Installed::Unknown }
    }

    /// espeak-ng's name for a language; `None` where it has no voice.
    fn voice(&self, language: &Language) -> Option<String> {
        match &self.installed {
            Installed::Yes(tags) => nearest_voice(tags, language).map(str::to_owned),
            Installed::Unknown | Installed::No(_) => None,
        }
    }
}

impl Renderer for Espeak {
    fn name(&self) -> &str {
        "espeak"
    }

    fn open(&mut self) {
        self.installed = match output(&["--voices"], "", &|| false) {
            Ok(list) => Installed::Yes(tags(&String::from_utf8_lossy(&list))),
            Err(cause) => Installed::No(cause),
        };
    }

    fn state(&self) -> VoiceState {
        match &self.installed {
            Installed::No(cause) => VoiceState::Down(cause.clone()),
            Installed::Unknown => VoiceState::Opening,
            Installed::Yes(_) => VoiceState::Ready,
        }
    }

    fn speaks(&self, language: &Language) -> bool {
        self.voice(language).is_some()
    }

    fn render(&mut self, text: &str, language: &Language, pace: f32, stop: &StopFlag) -> Result<Samples, VoiceError> {
        let failed = |cause: String| VoiceError::Failed { voice: self.name().into(), cause };
        let voice = self.voice(language).ok_or_else(|| failed(format!("it does not speak {language}")))?;
        let rate = (NORMAL_RATE * self.rate / pace).round().clamp(80.0, 450.0).to_string();
        let arguments = ["--stdin", "--stdout", "-v", &voice, "-s", &rate];
        let wav = output(&arguments, &speakable(text), &|| stop.is_raised());
        if stop.is_raised() {
            return Err(VoiceError::Stopped);
        }
        wav::read(&wav.map_err(failed)?, "espeak-ng").map_err(failed)
    }
}

/// Runs espeak-ng with `input` on its standard input and returns what it prints.
fn output(arguments: &[&str], input: &str, stopped: &dyn Fn() -> bool) -> Result<Vec<u8>, String> {
    let cure = "Install it: sudo apt-get install espeak-ng";
    Program { name: "espeak-ng", arguments, environment: &[], within: RENDERS_WITHIN, cure }.output(input, stopped)
}

/// The second column of `espeak-ng --voices`.
fn tags(list: &str) -> Vec<String> {
    list.lines().skip(1).filter_map(|line| line.split_whitespace().nth(1)).map(str::to_ascii_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_languages_of_espeak_ng_are_the_second_column_of_its_list() {
        let list = "Pty Language       Age/Gender VoiceName          File                 Other Languages\n \
                    5  cmn             --/M      Chinese_(Mandarin,_latin_as_English) sit/cmn              (zh-cmn 5)(zh 5)\n \
                    2  en-GB           --/M      English_(Great_Britain) gmw/en               (en 2)\n";
        assert_eq!(tags(list), ["cmn", "en-gb"]);
        assert!(tags("").is_empty());
    }
}
