//! What the robot says, and the voices that say it.
//!
//! `phrases` makes sentences (`names` says which part of a name, `phrase_files` reads and checks the Fluent files) and `utterance` phrases of
//! them, `house_phrases` knows those without a name: pure. `speech` says them one at a time, in the order of its `queue`, by the first `voice` that can: `tts_voice` (with its `tts_worker`,
//! and `dispatcher`, which sees it fail), or one of the renderers (`neural`, `espeak`), which `rendering` and `rendered_voice` make audible
//! through `sound`. That also plays the `chime`.

mod chime;
mod dispatcher;
pub mod espeak;
pub mod house_phrases;
mod joining;
pub mod loudness;
pub mod mandarin;
mod names;
pub mod neural;
mod phrase_files;
pub mod phrases;
pub mod playing;
mod program;
mod queue;
pub mod rendered_voice;
pub mod renderer;
mod rendering;
mod resample;
pub mod sound;
pub mod speech;
mod speech_worker;
pub mod tts_voice;
mod tts_worker;
pub mod utterance;
pub mod voice;
pub mod voices_report;
mod wav;
