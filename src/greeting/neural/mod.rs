//! The voice `neural`: Mandarin by two networks in the program's own ONNX Runtime.
//!
//! `greeting::mandarin` says which phones a text has, `symbols` numbers them, `speaker` makes sound of them on the thread of `worker`. What is
//! written in Latin letters is said by the English voice that it is given, and joined.

mod speaker;
mod symbols;
mod worker;

use std::num::NonZero;

use worker::Worker;

use super::{
    joining::joined,
    playing::Samples,
    renderer::Renderer,
    voice::{StopFlag, VoiceError, VoiceState},
};
use crate::{installation::Installation, person::Language};

/// The voice of the box.
const LANGUAGE: &str = "zh-CN";
/// Ratios of duration at which the voice is still understood.
const PACES: (f32, f32) = (0.5, 2.0);

/// A part of a sentence that one of the two voices says.
pub enum Part {
    /// The acoustic model's symbols, from silence to silence.
    Phones(Vec<String>),
    /// English, or a name in Latin letters.
    Latin(String),
}

/// See the module.
pub struct NeuralVoice {
    installation: Option<Installation>,
    rate: f32,
    latin: Box<dyn Renderer>,
    worker: Option<Worker>,
}

impl NeuralVoice {
    /// `rate`: 1 is the voice's own. `latin` says what is written in Latin letters, as English.
    pub fn new(rate: f32, latin: Box<dyn Renderer>) -> Self {
        Self { installation: None, rate, latin, worker: None }
    }

    /// The same with the networks of an installation that need not be looked for.
    #[must_use]
    pub fn of(self, installation: Installation) -> Self {
        Self { installation: Some(installation), ..self }
    }

    /// Begins to load the networks, or to load them again; returns at once.
    pub fn open(&mut self) {
        self.worker = Some(Worker::start(self.installation.clone(), LANGUAGE));
        self.latin.open();
    }

    /// What has come of it.
    pub fn state(&self) -> VoiceState {
        self.worker.as_ref().map_or_else(|| VoiceState::Down("it was not opened".into()), Worker::state)
    }

    /// Mandarin, however it is written; not Cantonese.
    pub fn speaks(&self, language: &Language) -> bool {
        let tag = language.tag().to_ascii_lowercase();
        let first = tag.split('-').next().unwrap_or_default();
        self.state() == VoiceState::Ready && ["zh", "cmn"].contains(&first) && tag != "zh-hk"
    }

    /// Renders a sentence; `pace`: a ratio of durations, 1.2 is slower. Returns soon after `stop` is raised.
    ///
    /// # Errors
    /// [`VoiceError::Failed`], without the words, or [`VoiceError::Stopped`].
    pub fn render_parts(&mut self, parts: Vec<Part>, pace: f32, stop: &StopFlag) -> Result<Samples, VoiceError> {
        let failed = |cause: String| VoiceError::Failed { voice: "neural".into(), cause };
        let Some(worker) = &self.worker else { return Err(failed("it was not opened".into())) };
        let pace = (pace / self.rate).clamp(PACES.0, PACES.1);
        let mut sounds = Vec::new();
        for part in parts {
            let sound = match part {
                Part::Phones(phones) => worker.render(phones, pace, stop).map_err(failed),
                Part::Latin(words) => self.latin.render(&words, &"en".into(), pace, stop),
            };
            if stop.is_raised() {
                return Err(VoiceError::Stopped);
            }
            sounds.push(sound?);
        }
        let rate = sounds.iter().map(|sound| sound.rate).max().unwrap_or(NonZero::<u32>::MIN);
        let whole = joined(&sounds, rate);
        if whole.mono.is_empty() {
            return Err(failed("there is nothing in the sentence that it could say".into()));
        }
        Ok(whole)
    }
}
