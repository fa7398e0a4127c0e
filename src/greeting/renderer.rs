//! What makes sound of text in memory. `rendered_voice` plays it, and so makes a voice of it.

use super::{
    playing::Samples,
    voice::{StopFlag, VoiceError, VoiceState},
};
use crate::person::Language;

/// Makes sound of phrases. All calls come from one thread, which nobody but its voice waits for.
pub trait Renderer: Send {
    /// Its voice's name in `greeting.voices`.
    fn name(&self) -> &str;

    /// Makes it ready, also again after it failed; may take its time. [`Renderer::state`] tells what has come of it.
    fn open(&mut self);

    /// Whether it can render now; returns at once.
    fn state(&self) -> VoiceState;

    /// Whether it has a voice for a language; `false` as long as it is not ready. Returns at once.
    fn speaks(&self, language: &Language) -> bool;

    /// The sound of a phrase. `text` may hold reading marks (`reading`). `pace`: how long it takes relative to the normal way; 1.2 is slower.
    /// Silence at its ends is cut off by the caller, and its loudness set.
    ///
    /// # Errors
    /// When it cannot be rendered, or `stop` was raised; the text is in no error.
    fn render(&mut self, text: &str, language: &Language, pace: f32, stop: &StopFlag) -> Result<Samples, VoiceError>;
}
