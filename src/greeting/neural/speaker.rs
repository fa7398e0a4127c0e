//! The two networks: phones to a spectrogram (FastSpeech 2), the spectrogram to samples (multi-band MelGAN).
//!
//! Ren et al., "FastSpeech 2", ICLR 2021; Yang et al., "Multi-band MelGAN", SLT 2021. Both run in one thread; the same phones give the same samples.

use std::num::NonZero;

use super::symbols::Symbols;
use crate::{
    installation::Installation,
    models::{
        ModelError,
        runtime::{Network, Runtime, Values},
        voices::VoiceFiles,
    },
};

/// A phrase has a tenth of that; the network knows places up to about 25 s.
const MOST_PHONES: usize = 600;
/// Mel bands of a frame.
const BANDS: usize = 80;

/// A voice that is loaded.
pub(super) struct Speaker {
    name: String,
    symbols: Symbols,
    acoustic: Network,
    vocoder: Network,
    samples_per_frame: usize,
    /// Samples a second.
    pub rate: NonZero<u32>,
}

impl Speaker {
    /// Loads the voice of the box for a language.
    ///
    /// # Errors
    /// When the runtime or a file is missing or damaged; the text names it and the cure.
    pub fn load(installation: &Installation, language: &str) -> Result<Self, ModelError> {
        let files = VoiceFiles::for_language(&installation.models(), language)?;
        let entry = &files.entry;
        let bad = |cause: String| ModelError::Inference { network: files.name.clone(), cause };
        let text = std::fs::read_to_string(files.path(&entry.symbols)).map_err(|error| bad(error.to_string()))?;
        let runtime = Runtime::load(installation)?;
        Ok(Self {
            symbols: Symbols::parse(&text).map_err(bad)?,
            acoustic: Network::load(&runtime, &files.name, &files.path(&entry.acoustic_model))?,
            vocoder: Network::load(&runtime, &files.name, &files.path(&entry.vocoder))?,
            samples_per_frame: entry.samples_per_frame,
            rate: NonZero::new(entry.sample_rate).ok_or_else(|| bad("its rate is 0".into()))?,
            name: files.name,
        })
    }

    /// Renders phones that begin and end with silence; gives samples between -1 and 1. `pace`: a ratio of durations, 1 is the voice's own, 1.2
    /// slower.
    ///
    /// # Errors
    /// [`ModelError::Inference`] for phones that the network does not know, too many of them, or an answer that is no sound.
    pub fn render(&mut self, phones: &[String], pace: f32) -> Result<Vec<f32>, ModelError> {
        let name = &self.name;
        let bad = |cause: String| ModelError::Inference { network: name.clone(), cause };
        if phones.len() > MOST_PHONES {
            return Err(bad(format!("a phrase may have {MOST_PHONES} phones, and this one has {}", phones.len())));
        }
        let numbers = self.symbols.numbers(phones).map_err(bad)?;
        let inputs = [("phones", Values::I32(&[1, numbers.len()], &numbers)), ("pace", Values::F32(&[1], &[pace]))];
        let mel = self.acoustic.run_named(&inputs)?.pop().unwrap_or_default();
        let frames = mel.len() / BANDS;
        let mono =
            self.vocoder.run_named(&[("mel", Values::F32(&[1, frames, BANDS], &mel))])?.pop().unwrap_or_default();
        if frames == 0 || mono.len() != frames * self.samples_per_frame || !mono.iter().all(|it| it.is_finite()) {
            return Err(bad("its answer is no sound".into()));
        }
        Ok(mono)
    }
}
