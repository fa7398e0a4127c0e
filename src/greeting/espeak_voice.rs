//! The voice `espeak`: espeak-ng renders to memory, and the program plays it. It needs no speech-dispatcher.
//!
//! What is said goes to espeak-ng's standard input, never to its command line, where every user of the machine could read it.

use std::{
    sync::{Arc, Mutex, PoisonError},
    thread,
    time::{Duration, Instant},
};

use super::{
    program::Program,
    sound::{Samples, Sound},
    voice::{StopFlag, Voice, VoiceError, VoiceState, nearest_voice, speakable},
    wav,
};
use crate::person::Language;

/// espeak-ng takes about 20 ms for a sentence.
const RENDERS_WITHIN: Duration = Duration::from_secs(3);
/// Words a minute at rate 1: espeak-ng's own.
const NORMAL_RATE: f32 = 175.0;

/// See the module.
pub struct EspeakVoice {
    sound: Sound,
    rate: f32,
    installed: Arc<Mutex<Installed>>,
}

enum Installed {
    Looking,
    /// The language tags of its voices, lower case.
    Yes(Vec<String>),
    No(String),
}

impl EspeakVoice {
    /// `rate`: 1 is espeak-ng's own.
    pub fn new(sound: Sound, rate: f32) -> Self {
        Self { sound, rate, installed: Arc::new(Mutex::new(Installed::Looking)) }
    }

    /// espeak-ng's name for a language; `None` where it has no voice.
    fn voice(&self, language: &Language) -> Option<String> {
        match &*self.installed.lock().unwrap_or_else(PoisonError::into_inner) {
            Installed::Yes(tags) => nearest_voice(tags, language).map(str::to_owned),
            _ => None,
        }
    }

    fn render(&self, text: &str, voice: &str, stop: &StopFlag) -> Result<Samples, VoiceError> {
        let failed = |cause: String| VoiceError::Failed { voice: self.name().into(), cause };
        let rate = (NORMAL_RATE * self.rate).round().clamp(80.0, 450.0).to_string();
        let wav = output(&["--stdin", "--stdout", "-v", voice, "-s", &rate], text, &|| stop.is_raised());
        wav::read(&wav.map_err(failed)?, "espeak-ng").map_err(failed)
    }
}

impl Voice for EspeakVoice {
    fn name(&self) -> &str {
        "espeak"
    }

    fn open(&mut self) {
        let installed = self.installed.clone();
        let look = move || {
            let found = match output(&["--voices"], "", &|| false) {
                Ok(list) => Installed::Yes(tags(&String::from_utf8_lossy(&list))),
                Err(cause) => Installed::No(cause),
            };
            *installed.lock().unwrap_or_else(PoisonError::into_inner) = found;
        };
        if let Err(error) = thread::Builder::new().name("voice-espeak".into()).spawn(look) {
            *self.installed.lock().unwrap_or_else(PoisonError::into_inner) = Installed::No(error.to_string());
        }
    }

    fn state(&self) -> VoiceState {
        match &*self.installed.lock().unwrap_or_else(PoisonError::into_inner) {
            Installed::No(cause) => return VoiceState::Down(cause.clone()),
            Installed::Looking => return VoiceState::Opening,
            Installed::Yes(_) => {}
        }
        match self.sound.present() {
            None => VoiceState::Opening,
            Some(Ok(())) => VoiceState::Ready,
            Some(Err(cause)) => VoiceState::Down(VoiceError::NoDevice { cause }.to_string()),
        }
    }

    fn speaks(&self, language: &Language) -> bool {
        self.voice(language).is_some()
    }

    fn say(
        &mut self,
        text: &str,
        language: &Language,
        begun: &mut dyn FnMut(Instant),
        stop: &StopFlag,
    ) -> Result<(), VoiceError> {
        let voice = self.voice(language).ok_or_else(|| VoiceError::Failed {
            voice: self.name().into(),
            cause: format!("it does not speak {language}"),
        })?;
        let samples = self.render(&speakable(text), &voice, stop);
        if stop.is_raised() {
            return Err(VoiceError::Stopped);
        }
        let playing = self.sound.play(&samples?)?;
        self.sound.wait(&playing, begun, &|| stop.is_raised())
    }
}

/// The second column of `espeak-ng --voices`.
fn tags(list: &str) -> Vec<String> {
    list.lines().skip(1).filter_map(|line| line.split_whitespace().nth(1)).map(str::to_ascii_lowercase).collect()
}

/// What espeak-ng prints when it is given `input`.
fn output(arguments: &[&str], input: &str, stopped: &dyn Fn() -> bool) -> Result<Vec<u8>, String> {
    let program = Program {
        name: "espeak-ng",
        arguments,
        environment: &[],
        within: RENDERS_WITHIN,
        cure: "Install it: sudo apt-get install espeak-ng",
    };
    program.output(input, stopped)
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
