//! The voice `neural`: Mandarin by two networks in the program's own ONNX Runtime.
//!
//! `greeting::mandarin` says which phones a text has, `symbols` numbers them, `speaker` makes sound of them, in one thread: the one that works for
//! this voice. What is written in Latin letters is said by the English voice that it is given, and joined.

mod speaker;
mod symbols;

use std::num::NonZero;

use speaker::Speaker;

use super::{
    joining::joined,
    mandarin::{Part, phones},
    playing::Samples,
    renderer::Renderer,
    voice::{StopFlag, VoiceError, VoiceState},
};
use crate::{installation::Installation, person::Language};

/// The voice of the box.
const LANGUAGE: &str = "zh-CN";
/// Ratios of duration at which the voice is still understood.
const PACES: (f32, f32) = (0.5, 2.0);

/// See the module.
pub struct NeuralVoice {
    installation: Option<Installation>,
    rate: f32,
    latin: Box<dyn Renderer>,
    /// `None` until it was opened.
    speaker: Option<Result<Speaker, String>>,
}

impl NeuralVoice {
    /// `rate`: 1 is the voice's own. `latin` says what is written in Latin letters, as English. The networks are looked for where the program is.
    pub fn new(rate: f32, latin: Box<dyn Renderer>) -> Self {
        Self { installation: None, rate, latin, speaker: None }
    }

    /// The same with the networks of an installation that need not be looked for.
    #[must_use]
    pub fn of(self, installation: Installation) -> Self {
        Self { installation: Some(installation), ..self }
    }

    fn load(&self) -> Result<Speaker, String> {
        let installation = self.installation.clone().map_or_else(Installation::find, Ok);
        let mut speaker = Speaker::load(&installation.map_err(|error| error.to_string())?, LANGUAGE)
            .map_err(|error| error.to_string())?;
        // The runtime lays out its memory in the first run, which takes a few times as long; no visitor should wait for that.
        let hello = ["sil", "n", "i2", "#0", "h", "ao3", "sil"].map(str::to_owned);
        speaker.render(&hello, 1.0).map_err(|error| error.to_string())?;
        Ok(speaker)
    }
}

impl Renderer for NeuralVoice {
    fn name(&self) -> &str {
        "neural"
    }

    fn open(&mut self) {
        self.latin.open();
        self.speaker = Some(self.load());
    }

    fn state(&self) -> VoiceState {
        match &self.speaker {
            None => VoiceState::Opening,
            Some(Ok(_)) => VoiceState::Ready,
            Some(Err(cause)) => VoiceState::Down(cause.clone()),
        }
    }

    /// Mandarin, however it is written; not Cantonese.
    fn speaks(&self, language: &Language) -> bool {
        let tag = language.tag().to_ascii_lowercase();
        let first = tag.split('-').next().unwrap_or_default();
        matches!(self.speaker, Some(Ok(_))) && ["zh", "cmn"].contains(&first) && tag != "zh-hk"
    }

    fn render(&mut self, text: &str, _: &Language, pace: f32, stop: &StopFlag) -> Result<Samples, VoiceError> {
        let failed = |cause: String| VoiceError::Failed { voice: "neural".into(), cause };
        let speaker = self.speaker.as_mut().ok_or_else(|| failed("it was not opened".into()))?;
        let speaker = speaker.as_mut().map_err(|cause| failed(cause.clone()))?;
        let pace = (pace / self.rate).clamp(PACES.0, PACES.1);
        let mut sounds = Vec::new();
        for part in phones(text) {
            if stop.is_raised() {
                return Err(VoiceError::Stopped);
            }
            sounds.push(match part {
                Part::Phones(phones) => {
                    let symbols: Vec<String> = phones.iter().map(ToString::to_string).collect();
                    let mono = speaker.render(&symbols, pace).map_err(|error| failed(error.to_string()))?;
                    Samples { mono: mono.into(), rate: speaker.rate }
                }
                Part::Latin(words) => self.latin.render(&words, &"en".into(), pace, stop)?,
            });
        }
        let rate = sounds.iter().map(|sound| sound.rate).max().unwrap_or(NonZero::<u32>::MIN);
        let whole = joined(&sounds, rate);
        if whole.mono.is_empty() {
            return Err(failed("there is nothing in the sentence that it could say".into()));
        }
        Ok(whole)
    }
}
