//! What the robot says, and the voices that say it.
//!
//! `phrases` makes sentences (`names` says which part of a name and how it is read, `phrase_files` reads and checks the Fluent files),
//! `reading` has the marks by which text says how it is read, and `mandarin` makes sounds of Chinese text: pure. `speech` says
//! them by the first `voice` that can: `tts_voice` (with its `tts_worker`), then `espeak_voice` through `sound`, which also plays the `chime`.

mod chime;
pub mod espeak_voice;
pub mod mandarin;
pub(crate) mod names;
mod phrase_files;
pub mod phrases;
mod playing;
pub mod reading;
pub mod sound;
pub mod speech;
mod speech_worker;
pub mod tts_voice;
mod tts_worker;
pub mod voice;
pub mod voices_report;
