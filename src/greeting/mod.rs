//! What the robot says, and the voices that say it.
//!
//! `phrases` makes sentences (`names` says which part of a name, `phrase_files` reads and checks the Fluent files): pure. `speech` says
//! them by the first `voice` that can: `tts_voice` (with its `tts_worker`), then `espeak_voice` through `sound`, which also plays the `chime`.

mod chime;
pub mod espeak_voice;
mod joining;
pub mod loudness;
pub mod mandarin;
mod names;
pub mod neural;
mod phrase_files;
pub mod phrases;
mod playing;
mod program;
pub mod renderer;
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
